/*
 * Schemas that this program has not made, or not alone: tables that another has made or
 * changed, books of other tools, of former versions and of later ones.
 */

#include "check.h"
#include "exchange.h"
#include "sandbox.h"
#include "suites.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DJANGO                                                                                 \
    "CREATE TABLE django_migrations (id integer NOT NULL PRIMARY KEY,"                         \
    " app varchar(255) NOT NULL, name varchar(255) NOT NULL);"                                 \
    "INSERT INTO django_migrations VALUES (7, 'todo', '0001_initial')"
#define FORGET                                                                                 \
    "DROP TABLE todobackend_migrations; DROP TABLE todobackend_migration_statements;" DJANGO
#define INSERT                                                                                 \
    "INSERT INTO todo_todoitem (title, completed, url, `order`) VALUES ('007', 1, NULL, 3)"
#define ALTER "ALTER TABLE todo_todoitem "
#define TABLE(columns)                                                                         \
    "DROP TABLE todo_todoitem; CREATE TABLE todo_todoitem (" columns                           \
    ", completed bool NOT NULL, \"order\" integer NULL)"
#define ID "id integer PRIMARY KEY"

struct table_row {
    const char *name;
    const char *change; /* of a table that is as it should be */
    const char *says;   /* of what is wrong; NULL: nothing is */
    bool is_mended;     /* by the statement that it says */
};

static const struct table_row mysql_rows[] = {
    {"MyISAM",          ALTER "ENGINE = MyISAM",                                      "Found: MyISAM",     true },
    {"Aria",            ALTER "ENGINE = Aria",                                        "Found: Aria",       true },
    {"MEMORY",          ALTER "ENGINE = MEMORY",                                      "ENGINE = InnoDB",   true },
    {"varchar id",      ALTER "MODIFY id varchar(20) NOT NULL",                       "column id",         true },
    {"decimal id",      ALTER "MODIFY id decimal(20) NOT NULL",                       "column id",         true },
    {"no key",          ALTER "MODIFY id int NOT NULL, DROP PRIMARY KEY",             "Found: none",       true },
    {"unique id",       ALTER "ADD UNIQUE KEY u (id), DROP PRIMARY KEY",              "primary key",       true },
    {"key of two",      ALTER "DROP PRIMARY KEY, ADD PRIMARY KEY (id, completed)",
     "Found: id,completed",                                                                                true },
    {"key of another",
     ALTER "MODIFY id int NOT NULL, DROP PRIMARY KEY, ADD k int NOT NULL"
           " AUTO_INCREMENT PRIMARY KEY",                                             "Found: k",          false},
    {"no numbers",      ALTER "MODIFY id int NOT NULL",                               "AUTO_INCREMENT",    true },
    {"short title",     ALTER "MODIFY title varchar(255) NULL",                       "varchar(255) NULL", true },
    {"tiny title",      ALTER "MODIFY title tinytext NULL",                           "column title",      true },
    {"title of bytes",  ALTER "MODIFY title blob NULL",                               "column title",      true },
    {"title not null",  ALTER "MODIFY title varchar(256) NOT NULL",                   "NOT NULL",          true },
    {"made title",      ALTER "DROP title, ADD title varchar(256) AS (url)",          "GENERATED",         true },
    {"url is gone",     ALTER "DROP url",                                             "Found: none",       true },
    {"url not null",    ALTER "MODIFY url varchar(256) NOT NULL DEFAULT ''",          "column url",        true },
    {"bit",             ALTER "MODIFY completed bit NOT NULL",                        "column completed",  true },
    {"order's sign",    ALTER "MODIFY `order` int unsigned NULL",                     "column order",      true },
    {"order's size",    ALTER "MODIFY `order` bigint NULL",                           "column order",      true },
    {"order's kind",    ALTER "MODIFY `order` varchar(9) NULL",                       "column order",      true },
    {"order not null",  ALTER "MODIFY `order` int NOT NULL",                          "column order",      true },
    {"another column",  ALTER "ADD list int NOT NULL",                                "Found: list",       true },
    {"unique titles",   ALTER "ADD UNIQUE KEY one (title(9))",                        "DROP INDEX `one`",  true },
    {"view",
     "RENAME TABLE todo_todoitem TO others;"
     "CREATE VIEW todo_todoitem AS SELECT * FROM others",                             "Found: VIEW",       false},
    {"sequence",        "DROP TABLE todo_todoitem; CREATE SEQUENCE todo_todoitem",    "Found: SEQUENCE",
     false                                                                                                      },
    {"bigint",          ALTER "MODIFY id bigint NOT NULL AUTO_INCREMENT",             NULL,                true },
    {"unsigned",        ALTER "MODIFY id int unsigned NOT NULL AUTO_INCREMENT",       NULL,                true },
    {"bigint unsigned", ALTER "MODIFY id bigint unsigned NOT NULL AUTO_INCREMENT",    NULL,                true },
    {"long title",      ALTER "MODIFY title longtext NULL, MODIFY url text NULL",     NULL,                true },
    {"completed",       ALTER "MODIFY completed int NULL",                            NULL,                true },
    {"other columns",
     ALTER "ADD list int NOT NULL DEFAULT 1, ADD made int AS (`order` + 1)"
           ", ADD at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP",                   NULL,                true },
    {"indexes",         ALTER "ADD INDEX (completed), ADD UNIQUE KEY (title(9), id)", NULL,                true },
    {"partitions",      ALTER "PARTITION BY HASH (id) PARTITIONS 4",                  NULL,                true },
    {"trigger",
     "CREATE TRIGGER t BEFORE INSERT ON todo_todoitem FOR EACH ROW"
     " SET NEW.`order` = IFNULL(NEW.`order`, 1)",                                     NULL,                true },
    {"its history",     ALTER "ADD SYSTEM VERSIONING",                                NULL,                true },
};

static const struct table_row sqlite_rows[] = {
    {"text id",        TABLE("id varchar(9) PRIMARY KEY, title text, url text"),               "id must be",     true },
    {"int id",         TABLE("id int PRIMARY KEY, title text, url text"),                      "id must be",     true },
    {"descending id",  TABLE("id integer PRIMARY KEY DESC, title text, url text"),             "id must be",
     true                                                                                                             },
    {"no key",         TABLE("id integer, title text, url text"),                              "id must be",     true },
    {"no rowid",
     "DROP TABLE todo_todoitem; CREATE TABLE todo_todoitem (" ID ", title text,"
     " url text, completed bool, \"order\" int) WITHOUT ROWID",                                "id must be",     true },
    {"number title",   TABLE(ID ", title int, url text"),                                      "column title",   true },
    {"numeric title",  TABLE(ID ", title string, url text"),                                   "column title",   true },
    {"title not null", TABLE(ID ", title text NOT NULL, url text"),                            "column title",   true },
    {"url is gone",    TABLE(ID ", title text"),                                               "Found: no url",  true },
    {"another column", TABLE(ID ", title text, url text, list int NOT NULL"),                  "Found: list",
     true                                                                                                             },
    {"unique titles",  TABLE(ID ", title text UNIQUE, url text"),                              "two todos may",  true },
    {"unique index",   "CREATE UNIQUE INDEX one ON todo_todoitem (title)",                     "DROP INDEX",     true },
    {"text order",
     "DROP TABLE todo_todoitem; CREATE TABLE todo_todoitem (" ID ", title text,"
     " url text, completed bool, \"order\" text)",                                             "column order",   true },
    {"view",
     ALTER "RENAME TO others;"
           "CREATE VIEW todo_todoitem AS SELECT * FROM others",                                "Found: view",    false},
    {"virtual",
     "DROP TABLE todo_todoitem; PRAGMA writable_schema = ON;" /* of no module: SQLite may have
                                                                 none */
     "INSERT INTO sqlite_master VALUES ('table', 'todo_todoitem', 'todo_todoitem', 0,"
     " 'CREATE VIRTUAL TABLE todo_todoitem USING none(id)'); PRAGMA writable_schema = OFF",    "Found: virtual", false},
    {"any text",       TABLE("ID INTEGER PRIMARY KEY, title clob, url nvarchar(9)"),           NULL,             true },
    {"other columns",  TABLE(ID ", title text, url text, list int NOT NULL DEFAULT 1, l int"),
     NULL,                                                                                                       true },
    {"indexes",        "CREATE UNIQUE INDEX one ON todo_todoitem (title, id)",                 NULL,             true },
};

/* All that looks at the table finds it, and nothing is changed. */
static void check_refused(struct sandbox *sandbox, const struct table_row *row)
{
    static const char *const words[] = {"migrate --check", "migrate", "migrate --plan",
                                        "serve"};
    int tables = count_tables(sandbox);
    for (size_t i = 0; i < COUNT(words); i++) {
        run_app(sandbox, row->name, words[i], 14);
        CHECK_CONTAINS(row->name, words[i], row->says,
                       text_of(strcmp(words[i], "serve") == 0 ? &sandbox->result.out
                                                              : &sandbox->result.err));
    }
    run_app(sandbox, row->name, "migrate --status", 0);
    CHECK_CONTAINS(row->name, "status", row->says, text_of(&sandbox->result.out));
    run_app(sandbox, row->name, "migrate --status --json", 0);
    CHECK_CONTAINS(row->name, "status", "\"fault\":\"the table todo_todoitem",
                   text_of(&sandbox->result.out));
    CHECK_NUMBER(row->name, "tables", tables, count_tables(sandbox));
}

/* What it says, done until it says nothing more. */
static void mend(struct sandbox *sandbox, const struct table_row *row)
{
    static const char before[] = "Mend it by: ";
    for (unsigned i = 0; i < 4; i++) {
        run_app(sandbox, row->name, "migrate --status", 0);
        char *statement = strstr(sandbox->result.out.data, before);
        if (!statement)
            break;
        statement[strcspn(statement, "\n")] = '\0';
        run_list(sandbox, statement + strlen(before));
    }
    run_app(sandbox, row->name, "migrate", 0);
    run_one(sandbox, INSERT);
    CHECK_NUMBER(row->name, "todos that it holds", 1,
                 ask_number(sandbox, "SELECT COUNT(*) FROM todo_todoitem WHERE title = '007'"
                                     " AND id >= 1 AND url IS NULL AND `order` = 3"));
}

static void check_table(const struct table_row *row, bool is_adopted)
{
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && run_app(&sandbox, row->name, "migrate", 0)) {
        run_list(&sandbox, row->change);
        if (is_adopted)
            run_list(&sandbox, FORGET);
        if (row->says && !(is_adopted && !row->is_mended))
            check_refused(&sandbox, row);
        if (row->is_mended)
            mend(&sandbox, row);
    }
    sandbox_close(&sandbox);
}

static void check_tables(bool is_adopted)
{
    const struct table_row *rows = on_mysql() ? mysql_rows : sqlite_rows;
    size_t count = on_mysql() ? COUNT(mysql_rows) : COUNT(sqlite_rows);
    for (size_t i = 0; i < count; i++)
        check_table(&rows[i], is_adopted);
}

static void test_a_table_is_adopted_if_it_can_be_used(void)
{
    check_tables(true);
}

static void test_a_table_that_was_changed_is_looked_at(void)
{
    check_tables(false);
}

static void test_books_of_other_tools_are_left_alone(void)
{
    static const struct {
        const char *name;
        const char *statements;
    } rows[] = {
        {"Rails",          "CREATE TABLE schema_migrations (version varchar(255) NOT NULL PRIMARY KEY);"
                  "INSERT INTO schema_migrations VALUES ('20260101000000')"},
        {"golang-migrate",
         "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY,"
         " dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (3, 0)"            },
        {"dbmate",         "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);"
                   "INSERT INTO schema_migrations VALUES ('1')"           },
    };
    struct sandbox sandbox;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (sandbox_open(&sandbox)) {
            run_list(&sandbox, rows[i].statements);
            run_app(&sandbox, rows[i].name, "migrate --check", 10);
            run_app(&sandbox, rows[i].name, "migrate", 0);
            CHECK_CONTAINS(rows[i].name, "says",
                           "schema_migrations is another program's, and is left alone",
                           text_of(&sandbox.result.err));
            run_app(&sandbox, rows[i].name, "migrate --check", 0);
            run_app(&sandbox, rows[i].name, "migrate --status", 0);
            CHECK_CONTAINS(rows[i].name, "status", "another program's",
                           text_of(&sandbox.result.out));
            CHECK_NUMBER(rows[i].name, "its rows", 1,
                         ask_number(&sandbox, "SELECT COUNT(*) FROM schema_migrations"));
        }
        sandbox_close(&sandbox);
    }
}

/* As the first versions made them. */
#define FORMER_BOOKS                                                                           \
    "CREATE TABLE schema_migration_statements (version int NOT NULL, statement int NOT NULL,"  \
    " begun_at datetime NOT NULL, done_at datetime NULL, PRIMARY KEY (version, statement));"   \
    "CREATE TABLE schema_migrations (version int NOT NULL PRIMARY KEY,"                        \
    " name varchar(100) NOT NULL, checksum char(64) NOT NULL, state varchar(16) NOT NULL,"     \
    " started_at datetime NOT NULL, milliseconds bigint NULL)"
#define COPY_BOOKS                                                                             \
    "INSERT INTO schema_migration_statements SELECT * FROM todobackend_migration_statements;"  \
    "INSERT INTO schema_migrations SELECT version, name, checksum, state, started_at,"         \
    " milliseconds FROM todobackend_migrations; DROP TABLE todobackend_migrations;"            \
    "DROP TABLE todobackend_migration_statements"

/* So that a former version can be gone back to. */
static void test_books_of_a_former_version_stay_in_use(void)
{
    static const char last[] = "SELECT compatible_with FROM schema_migrations"
                               " ORDER BY version DESC LIMIT 1";
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && run_app(&sandbox, "new books", "migrate", 0)) {
        run_list(&sandbox, FORMER_BOOKS ";" COPY_BOOKS);
        int tables = count_tables(&sandbox);
        run_app(&sandbox, "up to date", "migrate --check", 0);
        run_app(&sandbox, "up to date", "migrate", 0);
        CHECK_CONTAINS("up to date", "says", "nothing to do", text_of(&sandbox.result.out));
        run_one(&sandbox, "UPDATE schema_migrations SET version = version + 98");
        run_app(&sandbox, "one that doesn't say with what it is compatible", "migrate", 16);
        run_one(&sandbox, "DELETE FROM schema_migrations");
        run_one(&sandbox, "DELETE FROM schema_migration_statements");
        run_one(&sandbox, "DROP TABLE todo_todoitem");
        run_app(&sandbox, "one more", "migrate", 0);
        run_app(&sandbox, "one more", "migrate --check", 0);
        CHECK_NUMBER("one more", "compatible with", 1, ask_number(&sandbox, last));
        CHECK_NUMBER("one more", "tables", tables, count_tables(&sandbox));
    }
    sandbox_close(&sandbox);
}

/* A run that was killed before it had its first table leaves these; a former version did all.
 */
static void test_empty_books_are_no_books(void)
{
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && run_app(&sandbox, "new books", "migrate", 0)) {
        run_list(&sandbox, FORMER_BOOKS);
        run_list(&sandbox,
                 "INSERT INTO schema_migrations SELECT version, name, checksum, state,"
                 " started_at, milliseconds FROM todobackend_migrations;"
                 "DELETE FROM todobackend_migrations");
        run_app(&sandbox, "both", "migrate --check", 0);
    }
    sandbox_close(&sandbox);
}

/* Migrations of later versions: 90 and 91. COMPATIBLE: with every program. */
#define LATER(version, compatible_with)                                                        \
    "INSERT INTO todobackend_migrations VALUES (" #version ", '00" #version "_later', 'x',"    \
    " 'applied', '2030-01-01 00:00:00', 1, " #compatible_with ");"
#define UNKNOWN_90 "had migration 90 (0090_later), which this program"

static const struct newer_row {
    const char *name;
    const char *statements;
    bool is_compatible;
    const char *says;
} newer_rows[] = {
    {"compatible",      LATER(90, 1),                true,                UNKNOWN_90                               },
    {"both are",        LATER(89, 1) LATER(90,       1),                  true,                                      UNKNOWN_90},
    {"it is under way",
     LATER(90,         1) "UPDATE todobackend_migrations SET state = 'incomplete'"
                  " WHERE version = 90",                                       true,                    UNKNOWN_90                  },
    {"not compatible",                 LATER(90,          90),   false,          "version 90 and"                         },
    {"doesn't say so",                 LATER(90,          NULL),   false,        "version 90 and"                },
    {"the first is not",                 LATER(89,        88) LATER(90, 1), false,                        "version 88 and"},
    {"but not all", LATER(90,         1) "DELETE FROM todobackend_migrations WHERE version = 1",              false,
     "not all before"},
};

static void check_commands(struct sandbox *sandbox, const struct newer_row *row)
{
    int status = row->is_compatible ? 0 : 16;
    run_app(sandbox, row->name, "migrate", status);
    CHECK_CONTAINS(row->name, "says", row->says,
                   text_of(status ? &sandbox->result.err : &sandbox->result.out));
    run_app(sandbox, row->name, "migrate --check", status);
    CHECK_CONTAINS(row->name, "check", row->says, text_of(&sandbox->result.err));
    run_app(sandbox, row->name, "migrate --plan", status);
    CHECK_CONTAINS(row->name, "plan", row->says,
                   text_of(status ? &sandbox->result.err : &sandbox->result.out));
    run_app(sandbox, row->name, "migrate --plan --json", status);
    CHECK_CONTAINS(row->name, "plan", status ? "" : "{\"plan\":[],\"unknown\":\"0090_later\"}",
                   text_of(&sandbox->result.out));
    run_app(sandbox, row->name, "migrate --json", status);
    CHECK_CONTAINS(row->name, "JSON", status ? "" : "\"version\":90,\"newer\":true",
                   text_of(&sandbox->result.out));
    run_app(sandbox, row->name, "seed", status);
    run_app(sandbox, row->name, "migrate --status", 0);
    CHECK_CONTAINS(row->name, "status", "0090_later                        unknown",
                   text_of(&sandbox->result.out));
}

/* Runs until it says that it is ready, or ends. */
static void check_serve(struct sandbox *sandbox, const struct newer_row *row)
{
    static const char *const words[] = {"serve", NULL};
    const char *log = "";
    size_t warnings = 0;
    if (!row->is_compatible) {
        run_app(sandbox, row->name, "serve", 16);
        return;
    }
    pid_t pid = start_app(sandbox, words, 0);
    for (unsigned i = 0; i < 500 && !strstr(log, "\"ready\""); i++) {
        clock_sleep(20000);
        read_app(sandbox, 0);
        log = text_of(&sandbox->result.out);
    }
    kill(pid, SIGTERM);
    finish_app(sandbox, row->name, pid, 0, 0);
    log = text_of(&sandbox->result.out);
    CHECK_CONTAINS(row->name, "log", row->says, log);
    CHECK_CONTAINS(row->name, "log", "\"ready\"", log);
    for (; (log = strstr(log, "\"warning\"")) != NULL; log++)
        warnings++;
    CHECK_NUMBER(row->name, "warnings", 1, (long long)warnings);
}

static void test_a_newer_schema_is_worked_on_if_it_is_compatible(void)
{
    struct sandbox sandbox;
    for (size_t i = 0; i < COUNT(newer_rows); i++) {
        const struct newer_row *row = &newer_rows[i];
        if (sandbox_open(&sandbox) && run_app(&sandbox, row->name, "migrate", 0)) {
            run_list(&sandbox, row->statements);
            check_commands(&sandbox, row);
            check_serve(&sandbox, row);
        }
        sandbox_close(&sandbox);
    }
}

CU_TestInfo schema_tests[] = {
    TEST(test_a_table_is_adopted_if_it_can_be_used),
    TEST(test_a_table_that_was_changed_is_looked_at),
    TEST(test_books_of_other_tools_are_left_alone),
    TEST(test_books_of_a_former_version_stay_in_use),
    TEST(test_empty_books_are_no_books),
    TEST(test_a_newer_schema_is_worked_on_if_it_is_compatible),
    CU_TEST_INFO_NULL,
};
