#include "check.h"
#include "sandbox.h"
#include "suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `app migrate` and `app seed` on databases in every state. Each test works in a database of
 * its own, made anew by sandbox_open. */

#define RUNS   8 /* at the same time */
#define ROUNDS 50

static const char *const migrate_words[] = {"migrate", NULL};
static const char *const seed_words[] = {"seed", NULL};

static int migration_count(void)
{
    return (int)(on_mysql() ? migrations_mysql_count : migrations_sqlite_count);
}

/* The books are in order, and the table is as it should be. */
static void check_current(struct sandbox *sandbox, const char *row)
{
    run_app(sandbox, row, "migrate --check", 0);
    CHECK_NUMBER(row, "migrations done", migration_count(),
                 ask_number(sandbox, "SELECT COUNT(*) FROM todobackend_migrations"
                                     " WHERE state IN ('applied', 'adopted')"));
    CHECK_NUMBER(row, "statements begun and not done", 0,
                 ask_number(sandbox, "SELECT COUNT(*) FROM todobackend_migration_statements"
                                     " WHERE done_at IS NULL"));
    run_one(sandbox, "INSERT INTO todo_todoitem (title, completed, url, `order`)"
                     " VALUES ('\xf0\x9f\x8d\xa3', 1, NULL, -5)");
    CHECK_NUMBER(row, "emoji", 1,
                 ask_number(sandbox, "SELECT COUNT(*) FROM todo_todoitem"
                                     " WHERE title = '\xf0\x9f\x8d\xa3' AND completed = 1"
                                     " AND `order` = -5"));
}

static void test_an_empty_database_is_migrated_once(void)
{
    struct sandbox sandbox;
    if (sandbox_open(&sandbox)) {
        run_app(&sandbox, "before", "migrate --check", 10);
        CHECK_CONTAINS("before", "says", "`app migrate`", text_of(&sandbox.result.err));
        run_app(&sandbox, "first", "migrate", 0);
        CHECK_CONTAINS("first", "says", " applied, 0 adopted", text_of(&sandbox.result.out));
        run_app(&sandbox, "second", "migrate --json", 0);
        CHECK_CONTAINS("second", "says", "{\"applied\":0,\"adopted\":0,",
                       text_of(&sandbox.result.out));
        check_current(&sandbox, "after");
    }
    sandbox_close(&sandbox);
}

static void test_looking_changes_nothing(void)
{
    static const struct {
        const char *words;
        int status;
        const char *says;
    } rows[] = {
        {"migrate --check",         10, ""                          },
        {"migrate --check --json",  10, "\"version\":0,\"pending\":"},
        {"migrate --status",        0,  "0001_initial"              },
        {"migrate --status --json", 0,  "\"state\":\"pending\""     },
        {"migrate --plan",          0,  "CREATE TABLE todo_todoitem"},
        {"migrate --plan --json",   0,  "\"adopt\":false"           },
    };
    struct sandbox sandbox;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && sandbox_make(&sandbox); i++) {
        run_app(&sandbox, rows[i].words, rows[i].words, rows[i].status);
        CHECK_CONTAINS(rows[i].words, "says", rows[i].says, text_of(&sandbox.result.out));
        CHECK(on_mysql() || access(sandbox.sqlite_path, F_OK) != 0, rows[i].words,
              "made the file");
        if (connect_to(&sandbox.session, &sandbox.config))
            CHECK_NUMBER(rows[i].words, "tables", 0, count_tables(&sandbox));
        sandbox_close(&sandbox);
    }
}

static void test_wrong_options_are_refused(void)
{
    static const char *const rows[] = {
        "migrate now",
        "migrate --now",
        "migrate --wait",
        "migrate --wait=-1",
        "migrate --wait 1s",
        "migrate --plan --check",
        "migrate --check --wait 1",
        "seed now",
    };
    struct sandbox sandbox;
    if (sandbox_open(&sandbox)) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            run_app(&sandbox, rows[i], rows[i], 2);
        CHECK_NUMBER("all", "tables", 0, count_tables(&sandbox));
    }
    sandbox_close(&sandbox);
}

/* How many of RUNS runs at once say `words`; all must succeed. */
static int run_together(struct sandbox *sandbox, const char *const *arguments,
                        const char *words)
{
    pid_t pids[RUNS];
    int count = 0;
    for (int i = 0; i < RUNS; i++)
        pids[i] = start_app(sandbox, arguments, i);
    for (int i = 0; i < RUNS; i++) {
        finish_app(sandbox, arguments[0], pids[i], i, 0);
        count += strstr(text_of(&sandbox->result.out), words) != NULL;
    }
    return count;
}

static void test_of_concurrent_runs_one_does_the_work(void)
{
    struct sandbox sandbox;
    for (unsigned round = 0; round < ROUNDS && sandbox_make(&sandbox); round++) {
        CHECK_NUMBER("migrate", "runs that applied something", 1,
                     run_together(&sandbox, migrate_words, " applied, "));
        if (round == 0 && connect_to(&sandbox.session, &sandbox.config))
            check_current(&sandbox, "migrate");
        sandbox_close(&sandbox);
    }
}

#define DROP     "DROP TABLE todo_todoitem;"
#define UNMADE   "DROP TABLE todobackend_migrations;"
#define FORGET   "DELETE FROM todobackend_migrations;"
#define FORGET_2 "DELETE FROM todobackend_migrations WHERE version > 1;"
#define UNMARK   "UPDATE todobackend_migrations SET state = 'incomplete' WHERE version = 1;"
#define UNMARK_2 "UPDATE todobackend_migrations SET state = 'incomplete' WHERE version = 2;"
#define CLEAR    "DELETE FROM todobackend_migration_statements;"
#define CLEAR_2  "DELETE FROM todobackend_migration_statements WHERE version > 1;"
#define UNDONE   "UPDATE todobackend_migration_statements SET done_at = NULL WHERE version = 1;"
#define UNDONE_2 "UPDATE todobackend_migration_statements SET done_at = NULL WHERE version = 2;"
#define LATIN1   "ALTER TABLE todo_todoitem CONVERT TO CHARACTER SET latin1;"

/* What a run leaves behind that is killed at each of its steps, made from a database that has
 * had all migrations. */
static void test_a_killed_run_is_finished_by_the_next(void)
{
    static const struct {
        const char *name;
        const char *undo;
        bool mysql_only;
        const char *says;
    } rows[] = {
        {"between its tables", DROP CLEAR UNMADE,                   false, "0001_initial: applied"       },
        {"its tables made",    DROP CLEAR FORGET,                   false, "0001_initial: applied"       },
        {"no statement yet",   DROP CLEAR FORGET_2 UNMARK,          false, "0 of 1 statements are done\n"},
        {"without its effect", DROP CLEAR_2 FORGET_2 UNMARK UNDONE, false, "had begun"                   },
        {"with its effect",    CLEAR_2 FORGET_2 UNMARK UNDONE,      false, "had begun"                   },
        {"after the last",     CLEAR_2 FORGET_2 UNMARK,             false, "1 of 1 statements are done"  },
        {"in the second",      UNMARK_2 UNDONE_2 LATIN1,            true,  "0002_convert_to_utf8mb4 was" },
    };
    struct sandbox sandbox;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].mysql_only && !on_mysql())
            continue;
        if (sandbox_open(&sandbox) && run_app(&sandbox, rows[i].name, "migrate", 0)) {
            run_list(&sandbox, rows[i].undo);
            run_app(&sandbox, rows[i].name, "migrate", 0);
            CHECK_CONTAINS(rows[i].name, "says", rows[i].says, text_of(&sandbox.result.err));
            check_current(&sandbox, rows[i].name);
        }
        sandbox_close(&sandbox);
    }
}

#define DJANGO                                                                                 \
    "CREATE TABLE django_migrations (id integer NOT NULL PRIMARY KEY,"                         \
    " app varchar(255) NOT NULL, name varchar(255) NOT NULL);"                                 \
    "INSERT INTO django_migrations VALUES (7, 'todo', '0001_initial');"
#define OTHER_TABLE "CREATE TABLE todo_todoitem (id int);"
#define CHANGE      "UPDATE todobackend_migrations SET checksum = name WHERE version = 1;"
#define LATER                                                                                  \
    "INSERT INTO todobackend_migrations VALUES"                                                \
    " (99, '0099_later', 'x', 'applied', '2030-01-01 00:00:00', 1, 99)"

static void test_what_needs_a_person_is_refused_and_explained(void)
{
    static const struct {
        const char *name;
        bool is_migrated; /* before the statements, else empty */
        const char *statements;
        int status;       /* of a run, */
        int check_status; /* and of --check */
        const char *says;
    } rows[] = {
        {"changed file",            true,  CHANGE,             13, 13, "0001_initial.sql"             },
        {"changed after its begin", true,  CHANGE UNMARK,      13, 13, "0001_initial.sql"             },
        {"newer schema",            true,  LATER,              16, 16, "99 (0099_later)"              },
        {"table of nobody",         false, OTHER_TABLE,        14, 14, "manage.py migrate --fake todo"},
        {"table is gone",           false, DJANGO,             14, 14, "todo_todoitem is missing"     },
        {"other columns",           false, DJANGO OTHER_TABLE, 14, 14, "todo_todoitem can't be used"  },
        {"begun",                   true,  UNMARK,             0,  14, "0001_initial was begun at"    },
    };
    struct sandbox sandbox;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].name;
        if (sandbox_open(&sandbox) &&
            (!rows[i].is_migrated || run_app(&sandbox, name, "migrate", 0))) {
            run_list(&sandbox, rows[i].statements);
            run_app(&sandbox, name, "migrate --check", rows[i].check_status);
            run_app(&sandbox, name, "migrate", rows[i].status);
            CHECK_CONTAINS(name, "says", rows[i].says, text_of(&sandbox.result.err));
            run_app(&sandbox, name, "migrate --status", 0);
        }
        sandbox_close(&sandbox);
    }
}

#define ORIGINAL_MYSQL                                                                         \
    "CREATE TABLE todo_todoitem (id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,"              \
    " title varchar(256) NULL, completed tinyint(1) NOT NULL, url varchar(256) NULL,"          \
    " `order` int(11) NULL) ENGINE=InnoDB DEFAULT CHARACTER SET "
#define ORIGINAL_SQLITE                                                                        \
    "CREATE TABLE \"todo_todoitem\" (\"id\" integer NOT NULL PRIMARY KEY AUTOINCREMENT,"       \
    " \"title\" varchar(256) NULL, \"completed\" bool NOT NULL, \"url\" varchar(256) NULL,"    \
    " \"order\" integer NULL)"
#define TITLE "Cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"

static void adopt(struct sandbox *sandbox, const char *name, const char *table)
{
    run_list(sandbox, DJANGO);
    run_one(sandbox, table);
    run_one(sandbox, "INSERT INTO todo_todoitem (title, completed, url, `order`)"
                     " VALUES ('" TITLE "', 1, 'http://testserver/todos/1', 3)");
    run_app(sandbox, name, "migrate --plan", 0);
    CHECK_CONTAINS(name, "plan", "only recorded", text_of(&sandbox->result.out));
    run_app(sandbox, name, "migrate", 0);
    CHECK_CONTAINS(name, "says", "1 adopted", text_of(&sandbox->result.out));
    CHECK_NUMBER(name, "todos as they were", 1,
                 ask_number(sandbox, "SELECT COUNT(*) FROM todo_todoitem WHERE id = 1 AND"
                                     " title = '" TITLE "' AND completed = 1 AND `order` = 3"
                                     " AND url = 'http://testserver/todos/1'"));
    CHECK_NUMBER(name, "the original's books", 1,
                 ask_number(sandbox, "SELECT COUNT(*) FROM django_migrations WHERE id = 7"));
    CHECK_NUMBER(name, "baseline", 1,
                 ask_number(sandbox, "SELECT COUNT(*) FROM todobackend_migrations"
                                     " WHERE version = 1 AND state = 'adopted'"));
    check_current(sandbox, name);
    run_app(sandbox, name, "migrate", 0);
    CHECK_CONTAINS(name, "says", "nothing to do", text_of(&sandbox->result.out));
}

static void test_a_database_of_the_original_is_adopted(void)
{
    static const struct {
        const char *name;
        bool on_mysql;
        const char *table;
    } rows[] = {
        {"latin1",  true,  ORIGINAL_MYSQL "latin1"                            },
        {"utf8mb3", true,  ORIGINAL_MYSQL "utf8"                              },
        {"utf8mb4", true,  ORIGINAL_MYSQL "utf8mb4 COLLATE utf8mb4_general_ci"},
        {"SQLite",  false, ORIGINAL_SQLITE                                    },
    };
    struct sandbox sandbox;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].on_mysql != on_mysql())
            continue;
        if (sandbox_open(&sandbox))
            adopt(&sandbox, rows[i].name, rows[i].table);
        sandbox_close(&sandbox);
    }
}

static void test_a_run_waits_for_another_and_gives_up(void)
{
    static const struct db_session_wait wait = {.seconds = 1};
    static const char *const words[] = {"migrate", "--wait", "30", NULL};
    struct error err = {0};
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) &&
        CHECK(db_session_lock(&sandbox.session, &wait, &err), "lock", "%s", err.text)) {
        run_app(&sandbox, "gives up", "migrate --wait 1", 12);
        pid_t pid = start_app(&sandbox, words, 0);
        wait_for_words(&sandbox, 0, "waiting");
        db_session_unlock(&sandbox.session, &err);
        finish_app(&sandbox, "waits", pid, 0, 0);
        check_current(&sandbox, "waits");
    }
    sandbox_close(&sandbox);
}

static void test_a_signal_ends_the_waiting(void)
{
    static const struct db_session_wait wait = {.seconds = 1};
    static const int signals[] = {SIGTERM, SIGINT};
    struct error err = {0};
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) &&
        CHECK(db_session_lock(&sandbox.session, &wait, &err), "lock", "%s", err.text)) {
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
            pid_t pid = start_app(&sandbox, migrate_words, 0);
            wait_for_words(&sandbox, 0, "waiting");
            kill(pid, signals[i]);
            finish_app(&sandbox, strsignal(signals[i]), pid, 0, 15);
        }
        CHECK_NUMBER("after", "tables", 0, count_tables(&sandbox));
    }
    sandbox_close(&sandbox);
}

#define WAITING(statement)                                                                     \
    "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for%'"      \
    " AND info LIKE '" statement "%'"

/* Holds the run up in its first migration, by a lock on the statements' table. */
static void test_a_signal_stops_between_statements(void)
{
    struct sandbox sandbox;
    if (on_mysql() && sandbox_open(&sandbox) && run_app(&sandbox, "before", "migrate", 0)) {
        run_list(&sandbox,
                 DROP FORGET CLEAR "LOCK TABLES todobackend_migration_statements READ");
        pid_t pid = start_app(&sandbox, migrate_words, 0);
        wait_for(&sandbox, WAITING("INSERT INTO todobackend_migration_statements"));
        kill(pid, SIGTERM);
        run_one(&sandbox, "UNLOCK TABLES");
        finish_app(&sandbox, "stopped", pid, 0, 15);
        CHECK_CONTAINS("stopped", "says", "stopped before 0002", text_of(&sandbox.result.err));
        run_app(&sandbox, "stopped", "migrate --check", 10);
        run_app(&sandbox, "goes on", "migrate", 0);
        check_current(&sandbox, "goes on");
    }
    if (on_mysql())
        sandbox_close(&sandbox);
}

/* The server may go on with the statement, or not: the next run is right in both cases. */
static void test_a_run_killed_in_a_statement_is_finished(void)
{
    struct sandbox sandbox;
    if (on_mysql() && sandbox_open(&sandbox) && run_app(&sandbox, "before", "migrate", 0)) {
        run_list(&sandbox,
                 UNMARK_2 CLEAR_2 LATIN1 "START TRANSACTION; SELECT * FROM todo_todoitem");
        pid_t pid = start_app(&sandbox, migrate_words, 0);
        wait_for(&sandbox, WAITING("ALTER TABLE todo_todoitem"));
        kill(pid, SIGKILL);
        finish_app(&sandbox, "killed", pid, 0, 128 + SIGKILL);
        run_app(&sandbox, "killed", "migrate --check", 14);
        CHECK_CONTAINS("killed", "says", "0002_convert_to_utf8mb4 was begun",
                       text_of(&sandbox.result.err));
        run_one(&sandbox, "COMMIT");
        run_app(&sandbox, "finished", "migrate", 0);
        check_current(&sandbox, "finished");
    }
    if (on_mysql())
        sandbox_close(&sandbox);
}

static void run_shell(const char *name)
{
    const char *command = getenv(name);
    CHECK(command && system(command) == 0, name, "failed"); // NOLINT(cert-env33-c)
}

static void test_a_run_waits_for_the_server(void)
{
    static const char *const words[] = {"migrate", "--wait", "30", NULL};
    struct sandbox sandbox;
    if (!on_mysql())
        return;
    if (sandbox_make(&sandbox)) {
        run_shell("TEST_MYSQL_STOP");
        run_app(&sandbox, "no server", "migrate", 11);
        pid_t pid = start_app(&sandbox, words, 0);
        wait_for_words(&sandbox, 0, "waiting");
        run_shell("TEST_MYSQL_RESTART");
        finish_app(&sandbox, "server is back", pid, 0, 0);
    }
    sandbox_close(&sandbox);
}

static void test_a_refused_login_is_a_wrong_setting(void)
{
    static const char secret[] = "MYSQL_PASSWORD=hunter2hunter2";
    struct sandbox sandbox;
    if (!on_mysql())
        return;
    if (sandbox_make(&sandbox)) {
        sandbox.settings[0] = secret;
        run_app(&sandbox, "password", "migrate --wait 30", 2);
        CHECK_CONTAINS("password", "says", "Access denied", text_of(&sandbox.result.err));
        CHECK(!strstr(text_of(&sandbox.result.err), "hunter2"), "password", "is told");
        sandbox.settings[0] = "MYSQL_SSL_MODE=required";
        run_app(&sandbox, "TLS", "migrate", 2);
    }
    sandbox_close(&sandbox);
}

static void test_the_seed_fills_an_empty_table_only(void)
{
    static const char sql[] = "SELECT COUNT(*) FROM todo_todoitem WHERE url IS NOT NULL";
    struct sandbox sandbox;
    if (sandbox_make(&sandbox)) {
        if (on_mysql()) {
            run_app(&sandbox, "no schema", "seed", 10);
            run_app(&sandbox, "schema", "migrate", 0);
        }
        CHECK_NUMBER("seed", "runs that inserted", 1,
                     run_together(&sandbox, seed_words, "5 sample todos inserted"));
        run_app(&sandbox, "again", "seed", 0);
        CHECK_CONTAINS("again", "says", "nothing to do", text_of(&sandbox.result.out));
        if (connect_to(&sandbox.session, &sandbox.config)) {
            CHECK_NUMBER("seed", "todos", 5, ask_number(&sandbox, sql));
            CHECK_NUMBER("seed", "urls by id", 5,
                         ask_number(&sandbox,
                                    "SELECT COUNT(*) FROM todo_todoitem WHERE url ="
                                    " REPLACE('http://localhost:8000/todos/ID', 'ID', id)"));
        }
    }
    sandbox_close(&sandbox);
}

CU_TestInfo migrate_tests[] = {
    TEST(test_an_empty_database_is_migrated_once),
    TEST(test_looking_changes_nothing),
    TEST(test_wrong_options_are_refused),
    TEST(test_of_concurrent_runs_one_does_the_work),
    TEST(test_a_killed_run_is_finished_by_the_next),
    TEST(test_what_needs_a_person_is_refused_and_explained),
    TEST(test_a_database_of_the_original_is_adopted),
    TEST(test_a_run_waits_for_another_and_gives_up),
    TEST(test_a_signal_ends_the_waiting),
    TEST(test_a_signal_stops_between_statements),
    TEST(test_a_run_killed_in_a_statement_is_finished),
    TEST(test_a_run_waits_for_the_server),
    TEST(test_a_refused_login_is_a_wrong_setting),
    TEST(test_the_seed_fills_an_empty_table_only),
    CU_TEST_INFO_NULL,
};
