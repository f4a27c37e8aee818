/*
 * The todo store on MySQL: what the server's settings, its faults and other connections may do
 * to it.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "schema/session.h"
#include "store_fixture.h"
#include "suites.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define ROOM_SEEN 2500000U /* microseconds */

#define TITLES(...)                                                                            \
    (const char *const[])                                                                      \
    {                                                                                          \
        __VA_ARGS__                                                                            \
    }

/* The stores' connections, which belong to an ordinary user. */
#define CONNECTIONS                                                                            \
    "FROM information_schema.processlist WHERE db = DATABASE() AND user <> 'root'"

static void run_as_root(const char *sql)
{
    run_sql(&store_root_config, sql);
}

static void wait_until(const char *query, const char *wanted)
{
    char text[32] = "";
    query_sql(&store_root_config, query, 0, text, sizeof text);
    for (unsigned i = 0; i < 200 && strcmp(text, wanted) != 0; i++) {
        clock_sleep(10000);
        query_sql(&store_root_config, query, 0, text, sizeof text);
    }
    CHECK_TEXT(query, "what the server says", wanted, text);
}

/* Ends the one connection for which the condition holds, and waits until it is gone. */
static void kill_connection(const char *condition)
{
    char query[256];
    char id[32];
    snprintf(query, sizeof query, "SELECT COUNT(*) " CONNECTIONS " AND %s", condition);
    wait_until(query, "1");
    snprintf(query, sizeof query, "SELECT id " CONNECTIONS " AND %s", condition);
    query_sql(&store_root_config, query, 0, id, sizeof id);
    snprintf(query, sizeof query, "KILL %s", id);
    run_as_root(query);
    snprintf(query, sizeof query, "SELECT COUNT(*) " CONNECTIONS " AND id = %s", id);
    wait_until(query, "0");
}

static void insert_fails(const struct todo_store_handle *store, enum error_code code)
{
    struct todo_insert insert = insert_of("refused");
    struct error err = {0};
    bool good = store->driver->insert(store->store, &insert, 1, &err);
    must_fail("insert", good, &err, code);
}

static void commit_fails(const struct todo_store_handle *store, enum error_code code)
{
    struct error err = {0};
    bool good = store->driver->commit(store->store, &err);
    must_fail("commit", good, &err, code);
}

static void list_fails_saying(const struct todo_store_handle *store, enum error_code code,
                              const char *why)
{
    struct todo_list list = {0};
    struct error err = {0};
    bool good = store->driver->list(store->store, &list, &err);
    must_fail("list", good, &err, code);
    CHECK_CONTAINS("list", "error", why, err.text);
    todo_list_release(&list);
}

static void list_fails(const struct todo_store_handle *store, enum error_code code)
{
    list_fails_saying(store, code, "");
}

static void begin_and_insert(const struct todo_store_handle *store, const char *title)
{
    struct todo_insert insert = insert_of(title);
    must_begin(store);
    must_insert(store, &insert, 1);
}

/* ---- the session ---- */

static const struct {
    const char *name;
    const char *hostile;
    const char *session; /* what a session of ours has in spite of it; NULL: not ours to set */
} variables[] = {
    {"sql_mode",
     "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,NO_AUTO_VALUE_ON_ZERO,NO_ZERO_DATE'", "STRICT_TRANS_TABLES" },
    {"autocommit",               "0",                                                         "ON"                  },
    {"completion_type",          "1",                                                         "NO_CHAIN"            },
    {"foreign_key_checks",       "0",                                                         "ON"                  },
    {"max_statement_time",       "0.001",                                                     "0.000000"            },
    {"sql_big_selects",          "0",                                                         "ON"                  },
    {"sql_safe_updates",         "1",                                                         "OFF"                 },
    {"sql_select_limit",         "10",                                                        "18446744073709551615"},
    {"time_zone",                "'-11:00'",                                                  "+00:00"              },
    {"tx_read_only",             "1",                                                         "OFF"                 },
    {"unique_checks",            "0",                                                         "ON"                  },
    {"character_set_client",     "latin1",                                                    "utf8mb4"             },
    {"character_set_connection", "latin1",                                                    "utf8mb4"             },
    {"character_set_results",    "latin1",                                                    "utf8mb4"             },
    {"character_set_server",     "latin1",                                                    NULL                  },
    {"init_connect",             "'SET NAMES latin1, sql_mode = NO_BACKSLASH_ESCAPES'",       NULL                  },
    {"innodb_lock_wait_timeout", "3600",                                                      "5"                   },
    {"lock_wait_timeout",        "86400",                                                     "5"                   },
    {"tx_isolation",             "'SERIALIZABLE'",                                            "READ-COMMITTED"      },
};

static void check_session(const char *row)
{
    char sql[128];
    char value[128];
    for (size_t i = 0; i < COUNT(variables); i++) {
        if (!variables[i].session)
            continue;
        snprintf(sql, sizeof sql, "SHOW SESSION VARIABLES LIKE '%s'", variables[i].name);
        query_sql(&store_config, sql, 1, value, sizeof value);
        CHECK_TEXT(row, variables[i].name, variables[i].session, value);
    }
}

static void set_global(const char *name, const char *value)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SET GLOBAL %s = %s", name, value);
    run_as_root(sql);
}

static void test_session_is_ours_whatever_the_server_prefers(void)
{
    check_session("usual server");
    for (size_t i = 0; i < COUNT(variables); i++) {
        set_global(variables[i].name, variables[i].hostile);
        check_session(variables[i].name);
        check_titles_come_back(variables[i].name);
        set_global(variables[i].name, "DEFAULT");
    }
    check_session("usual server again");
}

static void test_a_clear_and_a_list_are_whole_whatever_the_server_prefers(void)
{
    enum {
        MANY = 15,
    };
    const char *titles[MANY];
    int64_t ids[MANY];
    struct todo_store_handle store;
    struct todo_list list = {0};
    struct error err = {0};
    for (size_t i = 0; i < MANY; i++)
        titles[i] = "todo";
    set_global("sql_select_limit", "10");
    set_global("sql_safe_updates", "1");
    store_open_empty(&store);
    create_todos(&store, titles, MANY, ids);
    must_list(&store, &list);
    CHECK_NUMBER("a limit of 10", "todos", MANY, (long long)list.count);
    must_begin(&store);
    CHECK(store.driver->clear(store.store, &err), "safe updates", "%s", err.text);
    must_commit(&store);
    check_titles("cleared", TITLES(NULL));
    set_global("sql_select_limit", "DEFAULT");
    set_global("sql_safe_updates", "DEFAULT");
    todo_list_release(&list);
    store_close(&store);
}

/* A SELECT that takes longer than a request may is ended by the server. */
static void test_a_statement_has_a_deadline(void)
{
    unsigned timeout = store_config.request_timeout;
    struct todo_store_handle store;
    struct todo_list list = {0};
    struct error err = {0};
    store_config.request_timeout = 1;
    store_open_empty(&store);
    create_one(&store, "slow");
    run_as_root("RENAME TABLE todo_todoitem TO todo_hidden");
    run_as_root("CREATE VIEW todo_todoitem AS SELECT id, title, completed, `order`,"
                " CONCAT(url, SLEEP(5)) AS url FROM todo_hidden");
    bool good = store.driver->list(store.store, &list, &err);
    must_fail("slow", good, &err, ERROR_UNAVAILABLE);
    CHECK_CONTAINS("slow", "error", "1969", err.text);
    run_as_root("DROP VIEW todo_todoitem");
    run_as_root("RENAME TABLE todo_hidden TO todo_todoitem");
    store_config.request_timeout = timeout;
    todo_list_release(&list);
    store_close(&store);
}

/* ---- errors ---- */

/* What a server may say, made by a trigger. */
static void test_errors_mean_what_the_table_says(void)
{
    static const struct {
        unsigned number;
        const char *state;
        enum error_code code;
    } rows[] = {
        {167,   "22003", ERROR_LIMIT      }, /* no ids are left */
        {1021,  "HY000", ERROR_UNAVAILABLE},
        {1036,  "HY000", ERROR_UNAVAILABLE},
        {1037,  "HY001", ERROR_UNAVAILABLE},
        {1047,  "08S01", ERROR_CONFLICT   },
        {1048,  "23000", ERROR_REFUSED    },
        {1053,  "08S01", ERROR_UNAVAILABLE},
        {1062,  "23000", ERROR_REFUSED    },
        {1114,  "HY000", ERROR_UNAVAILABLE},
        {1142,  "42000", ERROR_UNAVAILABLE},
        {1146,  "42S02", ERROR_DATABASE   },
        {1205,  "HY000", ERROR_CONFLICT   },
        {1213,  "40001", ERROR_CONFLICT   },
        {1226,  "42000", ERROR_UNAVAILABLE},
        {1264,  "22003", ERROR_REFUSED    },
        {1290,  "HY000", ERROR_UNAVAILABLE},
        {1364,  "HY000", ERROR_DATABASE   }, /* a column without a default */
        {1366,  "HY000", ERROR_REFUSED    },
        {1406,  "22001", ERROR_REFUSED    },
        {1467,  "HY000", ERROR_LIMIT      },
        {1644,  "45000", ERROR_REFUSED    },
        {1792,  "25006", ERROR_UNAVAILABLE},
        {1836,  "HY000", ERROR_UNAVAILABLE},
        {1874,  "HY000", ERROR_UNAVAILABLE},
        {1969,  "70100", ERROR_UNAVAILABLE},
        {3024,  "HY000", ERROR_UNAVAILABLE},
        {3819,  "HY000", ERROR_REFUSED    },
        {4025,  "23000", ERROR_REFUSED    },
        {4031,  "HY000", ERROR_UNAVAILABLE},
 /* numbers that nobody knows yet: by class */
        {30000, "08006", ERROR_UNAVAILABLE},
        {30000, "22000", ERROR_REFUSED    },
        {30000, "23000", ERROR_REFUSED    },
        {30000, "40000", ERROR_CONFLICT   },
        {30000, "42000", ERROR_DATABASE   },
        {30000, "HY000", ERROR_DATABASE   },
    };
    struct todo_store_handle store;
    char sql[200];
    store_open_empty(&store);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(sql, sizeof sql,
                 "CREATE OR REPLACE TRIGGER failing BEFORE INSERT ON todo_todoitem FOR EACH ROW"
                 " SIGNAL SQLSTATE '%s' SET MYSQL_ERRNO = %u, MESSAGE_TEXT = 'SQLSTATE %s'",
                 rows[i].state, rows[i].number, rows[i].state);
        run_as_root(sql);
        must_begin(&store);
        insert_fails(&store, rows[i].code);
        store.driver->roll_back(store.store);
    }
    run_as_root("DROP TRIGGER failing");
    must_begin(&store); /* past the last one's disconnection */
    store.driver->roll_back(store.store);
    create_one(&store, "next");
    store_close(&store);
}

/* ---- updates ---- */

static void test_an_update_is_no_insert(void)
{
    struct todo_store_handle store;
    int64_t ids[2];
    store_open_empty(&store);
    create_todos(&store, TITLES("a", "b"), 2, ids);
    run_as_root("CREATE TRIGGER unwanted BEFORE INSERT ON todo_todoitem FOR EACH ROW"
                " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an INSERT'");
    must_begin(&store);
    change_title(&store, ids[0], "past a trigger");
    must_commit(&store);
    run_as_root("DROP TRIGGER unwanted");
    run_as_root("ALTER TABLE todo_todoitem ADD COLUMN owner INT NOT NULL");
    must_begin(&store);
    change_title(&store, ids[1], "past a column");
    must_commit(&store);
    must_begin(&store);
    insert_fails(&store, ERROR_DATABASE); /* the schema's fault */
    store.driver->roll_back(store.store);
    run_as_root("ALTER TABLE todo_todoitem DROP COLUMN owner");
    check_titles("changed", TITLES("past a trigger", "past a column", NULL));
    store_close(&store);
}

/* One statement changes todos of all sorts, each to its own. */
static void test_an_update_of_many_gives_each_its_own(void)
{
    static const struct todo wanted[] = {
        {.title = NULL,     .completed = true,   .has_order = false},
        {.title = "it's \\ \xf0\x9f\x90\xbc ",
         .title_length = 12,
         .has_order = true,
         .order = -1},
        {.title = "", .completed = true,                            .has_order = true, .order = 2147483647},
        {.title = "4",       .title_length = 1        },
    };
    struct todo_store_handle store;
    struct todo_list list = {0};
    int64_t ids[COUNT(wanted) + 1];
    store_open_empty(&store);
    create_todos(&store, TITLES("a", "b", "c", "d", "e"), COUNT(wanted) + 1, ids);
    must_begin(&store);
    must_load(&store, ids, COUNT(wanted), &list);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct todo todo = wanted[i];
        todo.id = ids[i];
        list.todos[i] = todo;
    }
    must_update(&store, &list);
    must_commit(&store);
    must_list(&store, &list);
    CHECK_NUMBER("many", "todos", COUNT(wanted) + 1, (long long)list.count);
    for (size_t i = 0; i < COUNT(wanted) && i < list.count; i++) {
        CHECK_TEXT("many", "title", wanted[i].title, list.todos[i].title);
        CHECK_NUMBER("many", "completed", wanted[i].completed, list.todos[i].completed);
        CHECK_NUMBER("many", "has order", wanted[i].has_order, list.todos[i].has_order);
        CHECK_NUMBER("many", "order", wanted[i].order, list.todos[i].order);
    }
    CHECK_TEXT("many", "another's title", "e", list.todos[COUNT(wanted)].title);
    todo_list_release(&list);
    store_close(&store);
}

static void keep_number(const char *const *columns, void *context)
{
    *(long *)context = columns[0] ? strtol(columns[0], NULL, 10) : -1;
}

static void test_an_update_to_equal_values_counts_its_rows(void)
{
    static const struct db_session_wait no_wait;
    struct todo_store_handle store;
    struct db_session session = {0};
    struct error err = {0};
    long count = -1;
    store_open_empty(&store);
    create_one(&store, "same");
    bool good =
        db_session_open(&session, &store_config, &no_wait, &err) &&
        db_session_run(&session, "UPDATE todo_todoitem SET title = 'same'", "update", &err) &&
        db_session_query(&session, "SELECT ROW_COUNT()", "count", keep_number, &count, &err);
    CHECK(good, "update", "%s", err.text);
    CHECK_NUMBER("update", "rows", 1, count);
    db_session_close(&session);
    store_close(&store);
}

static void test_a_title_too_long_is_refused_not_cut(void)
{
    char title[258];
    struct todo_store_handle store;
    memset(title, 'x', 257);
    title[257] = '\0';
    struct todo_insert insert = insert_of(title);
    struct error err = {0};
    store_open_empty(&store);
    must_begin(&store);
    bool good = store.driver->insert(store.store, &insert, 1, &err);
    must_fail("insert", good, &err, ERROR_REFUSED);
    store.driver->roll_back(store.store);
    check_titles("refused", TITLES(NULL));
    store_close(&store);
}

/* ---- ids ---- */

/* While the store gives its first row a url. */
static void *insert_from_another_node(void *unused)
{
    clock_sleep(300000);
    run_as_root("INSERT INTO todo_todoitem (id, title, completed, url)"
                " VALUES (1000002, 'another node', 0, 'http://other/todos/1000002')");
    return unused;
}

/* A node that joins or leaves changes the step between ids, also within a session. Here it is
 * 2, where the store has asked and been told 1: it expects 1000001 and 1000002, gets 1000001
 * and 1000003. */
static void test_another_nodes_todo_is_not_taken_for_ours(void)
{
    struct todo_store_handle store;
    struct todo_insert inserts[] = {insert_of("one"), insert_of("two")};
    struct error err = {0};
    pthread_t thread;
    int64_t ids[2];
    store_open_empty(&store);
    run_as_root(
        "INSERT INTO todo_todoitem (id, title, completed) VALUES (1000000, 'first', 0)");
    must_begin(&store);
    run_as_root("CREATE TRIGGER step BEFORE INSERT ON todo_todoitem FOR EACH ROW"
                " SET SESSION auto_increment_increment = IF(NEW.title = 'one', 2, "
                "@@auto_increment_increment)");
    run_as_root("CREATE TRIGGER pause BEFORE UPDATE ON todo_todoitem FOR EACH ROW"
                " DO SLEEP(IF(NEW.title = 'one', 0.6, 0))");
    if (pthread_create(&thread, NULL, insert_from_another_node, NULL) != 0)
        abort();
    bool good = store.driver->insert(store.store, inserts, 2, &err);
    pthread_join(thread, NULL);
    must_fail("ids that another node has", good, &err, ERROR_UNAVAILABLE);
    store.driver->roll_back(store.store);
    run_as_root("DROP TRIGGER step");
    run_as_root("DROP TRIGGER pause");
    check_titles("rolled back", TITLES("first", "another node", NULL));
    create_todos(&store, TITLES("one", "two"), 2, ids);
    check_titles("done again", TITLES("first", "another node", "one", "two", NULL));
    CHECK_NUMBER("done again", "second id", (long long)ids[0] + 1, ids[1]);
    store_close(&store);
}

static void test_ids_are_right_on_a_cluster(void)
{
    static const struct {
        const char *name;
        const char *increment;
        const char *offset;
    } rows[] = {
        {"first of three nodes",  "3",  "1"},
        {"second of three nodes", "3",  "2"},
        {"third of three nodes",  "3",  "3"},
        {"of ten",                "10", "5"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct todo_store_handle store;
        struct todo_list list = {0};
        int64_t ids[4];
        set_global("auto_increment_increment", rows[i].increment);
        set_global("auto_increment_offset", rows[i].offset);
        store_open_empty(&store);
        create_todos(&store, TITLES("a", "b", "c", "d"), 4, ids);
        must_list(&store, &list);
        for (size_t j = 0; j < 4 && j < list.count; j++)
            CHECK_NUMBER(rows[i].name, list.todos[j].title, list.todos[j].id, ids[j]);
        CHECK_NUMBER(rows[i].name, "step", strtol(rows[i].increment, NULL, 10),
                     (long long)ids[1] - ids[0]);
        todo_list_release(&list);
        store_close(&store);
    }
    set_global("auto_increment_increment", "DEFAULT");
    set_global("auto_increment_offset", "DEFAULT");
}

/* ---- locks ---- */

static void test_rows_that_were_not_asked_for_are_not_locked(void)
{
    struct todo_store_handle one;
    struct todo_store_handle other;
    struct todo_list list = {0};
    int64_t ids[5];
    store_open_empty(&one);
    store_open(&other);
    create_todos(&one, TITLES("a", "b", "c", "d", "e"), 5, ids);
    must_begin(&one);
    must_load(&one, ids, 2, &list);
    must_begin(&other);
    must_load(&other, ids + 2, 3, &list);
    must_update(&other, &list);
    must_delete(&other, ids + 2, 3);
    begin_and_insert(&one, "f");
    begin_and_insert(&other, "g");
    must_delete(&one, ids, 2);
    must_commit(&one);
    must_commit(&other);
    check_titles("both", TITLES("f", "g", NULL));
    todo_list_release(&list);
    store_close(&other);
    store_close(&one);
}

/* As a migration would, an ALTER TABLE waits for every open transaction. */
/* With half of a small table to go through, the server would rather read all of it, and wait
 * for the one row that another has locked. */
static void test_other_rows_locks_are_not_waited_for(void)
{
    enum {
        ALL = 30,
        SOME = 16,
    };
    const char *titles[ALL];
    int64_t ids[ALL];
    struct todo_store_handle store;
    struct todo_store_handle other;
    struct todo_list list = {0};
    store_open_empty(&store);
    store_open(&other);
    for (size_t i = 0; i < ALL; i++)
        titles[i] = "todo";
    create_todos(&store, titles, ALL, ids);
    must_begin(&other);
    must_load(&other, &ids[ALL - 1], 1, &list);
    must_begin(&store);
    todo_list_clear(&list);
    must_load(&store, ids, SOME, &list);
    must_update(&store, &list);
    must_delete(&store, ids, SOME);
    must_commit(&store);
    create_todos(&store, titles, SOME, ids);
    other.driver->roll_back(other.store);
    todo_list_release(&list);
    store_close(&other);
    store_close(&store);
}

static void test_an_idle_store_holds_no_locks(void)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    store_open_empty(&store);
    int64_t id = create_one(&store, "a");
    run_as_root("ALTER TABLE todo_todoitem NOWAIT COMMENT 'after a commit'");
    must_list(&store, &list);
    run_as_root("ALTER TABLE todo_todoitem NOWAIT COMMENT 'after a list'");
    must_begin(&store);
    must_load(&store, &id, 1, &list);
    store.driver->roll_back(store.store);
    run_as_root("ALTER TABLE todo_todoitem NOWAIT COMMENT 'after a roll back'");
    must_fetch(&store, &id, 1, &list);
    run_as_root("ALTER TABLE todo_todoitem NOWAIT COMMENT 'after a fetch'");
    todo_list_release(&list);
    store_close(&store);
}

struct changer {
    const struct todo_store_handle *store;
    int64_t id;
    bool good;
    struct error err;
};

/* Without loading it, which wouldn't wait for long enough. */
static void *change_one(void *context)
{
    struct changer *changer = context;
    const struct todo_store_driver *driver = changer->store->driver;
    struct todo_store *store = changer->store->store;
    const struct todo todo = {.id = changer->id, .title = "x", .title_length = 1};
    const struct todo *const todos[] = {&todo};
    changer->good =
        driver->update(store, todos, 1, &changer->err) && driver->commit(store, &changer->err);
    return NULL;
}

static void test_a_deadlock_is_a_conflict_for_one(void)
{
    struct todo_store_handle stores[2];
    struct todo_list list = {0};
    int64_t ids[2];
    pthread_t thread;
    store_open_empty(&stores[0]);
    store_open(&stores[1]);
    create_todos(&stores[0], TITLES("a", "b"), 2, ids);
    for (size_t i = 0; i < 2; i++) {
        must_begin(&stores[i]);
        must_load(&stores[i], &ids[i], 1, &list);
    }
    struct changer changers[] = {
        {.store = &stores[0], .id = ids[1]},
        {.store = &stores[1], .id = ids[0]}
    };
    if (pthread_create(&thread, NULL, change_one, &changers[0]) != 0)
        abort();
    change_one(&changers[1]);
    pthread_join(thread, NULL);
    CHECK(changers[0].good != changers[1].good, "deadlock", "none or both were refused");
    for (size_t i = 0; i < 2; i++) {
        if (!changers[i].good)
            must_fail("deadlock", false, &changers[i].err, ERROR_CONFLICT);
        stores[i].driver->roll_back(stores[i].store);
    }
    create_one(&stores[0], "c");
    create_one(&stores[1], "d");
    todo_list_release(&list);
    store_close(&stores[1]);
    store_close(&stores[0]);
}

static void *insert_one(void *context)
{
    struct changer *inserter = context;
    const struct todo_store_handle *store = inserter->store;
    struct todo_insert insert = insert_of("refused");
    inserter->good = store->driver->begin(store->store, true, &inserter->err) &&
                     store->driver->insert(store->store, &insert, 1, &inserter->err);
    store->driver->roll_back(store->store);
    return NULL;
}

static void test_killed_while_it_waits_for_a_lock(void)
{
    struct todo_store_handle store;
    struct changer inserter = {.store = &store};
    pthread_t thread;
    store_open_empty(&store);
    MYSQL *stranger = mariadb_open(store_config.mysql_database, "utf8mb4");
    mariadb_run(stranger, "LOCK TABLES todo_todoitem WRITE");
    if (pthread_create(&thread, NULL, insert_one, &inserter) != 0)
        abort();
    kill_connection("info LIKE 'INSERT%'");
    pthread_join(thread, NULL);
    must_fail("the killed one", inserter.good, &inserter.err, ERROR_UNAVAILABLE);
    mysql_close(stranger);
    store_close(&store);
}

/* Microseconds that what needs another's row takes to say so: all of the table, or one todo. */
static uint64_t meet_a_lock(const struct todo_store_handle *handle, const int64_t *id)
{
    struct error err = {0};
    struct todo_list list = {0};
    const struct todo_store_driver *driver = handle->driver;
    struct todo_store *store = handle->store;
    bool good = driver->begin(store, false, &err);
    uint64_t start = clock_now();
    good = good && (id ? driver->load_for_update(store, id, 1, &list, &err)
                       : driver->clear(store, &err));
    uint64_t took = clock_now() - start;
    must_fail("locked", good, &err, ERROR_CONFLICT);
    driver->roll_back(store);
    todo_list_release(&list);
    return took;
}

/* Another transaction's row is an error at once, and leaves the connection as good as it was.
 */
static void test_nowait_does_not_wait(void)
{
    struct todo_store_handle stores[2];
    struct todo_list list = {0};
    int64_t id;
    store_open_empty(&stores[0]);
    store_open(&stores[1]);
    id = create_one(&stores[0], "a");
    must_begin(&stores[0]);
    must_load(&stores[0], &id, 1, &list);
    for (int i = 0; i < 2; i++) {
        uint64_t took = UINT64_MAX; /* a wait takes a second, and so does each */
        for (int tries = 0; tries < 3 && took >= 500000; tries++)
            took = meet_a_lock(&stores[1], i == 0 ? &id : NULL);
        CHECK(took < 500000, "locked", "it waited");
    }
    must_commit(&stores[0]);
    create_one(&stores[1], "b");
    check_titles("afterwards", TITLES("a", "b", NULL));
    todo_list_release(&list);
    store_close(&stores[1]);
    store_close(&stores[0]);
}

/* ---- lost connections ---- */

static void test_killed_while_idle(void)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    store_open_empty(&store);
    must_list(&store, &list);
    kill_connection("TRUE");
    list_fails(&store, ERROR_UNAVAILABLE);
    must_list(&store, &list);
    create_one(&store, "a");
    kill_connection("TRUE");
    must_begin(&store);
    insert_fails(&store, ERROR_UNAVAILABLE);
    store.driver->roll_back(store.store);
    create_one(&store, "b");
    check_titles("connected again", TITLES("a", "b", NULL));
    todo_list_release(&list);
    store_close(&store);
}

static void test_killed_within_a_transaction(void)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    const struct todo_list nothing = {0};
    int64_t id;
    store_open_empty(&store);
    id = create_one(&store, "a");
    begin_and_insert(&store, "lost");
    kill_connection("TRUE");
    insert_fails(&store, ERROR_UNAVAILABLE);
    /* the rest of it must not begin anew, as a transaction without its first part */
    insert_fails(&store, ERROR_UNAVAILABLE);
    commit_fails(&store, ERROR_UNAVAILABLE);
    store.driver->roll_back(store.store);
    check_titles("killed", TITLES("a", NULL));
    must_begin(&store);
    must_load(&store, &id, 1, &list);
    must_update(&store, &nothing);
    must_delete(&store, &id, 1);
    must_commit(&store);
    check_titles("after it", TITLES(NULL));
    todo_list_release(&list);
    store_close(&store);
}

static void test_killed_before_the_commit(void)
{
    struct todo_store_handle store;
    store_open_empty(&store);
    begin_and_insert(&store, "lost");
    kill_connection("TRUE");
    commit_fails(&store, ERROR_OUTCOME_UNKNOWN);
    store.driver->roll_back(store.store);
    create_one(&store, "next");
    check_titles("after it", TITLES("next", NULL));
    store_close(&store);
}

/* ---- a server that is away, or of no use ---- */

static void test_a_read_only_server_is_unavailable(void)
{
    struct error err = {0};
    struct todo_store_handle writer;
    struct todo_store_handle reader;
    struct todo_list list = {0};
    store_open_empty(&writer);
    store_open(&reader);
    CHECK(writer.driver->check(writer.store, &err), "check", "%s", err.text);
    begin_and_insert(&writer, "lost");
    set_global("read_only", "1");
    commit_fails(&writer, ERROR_UNAVAILABLE); /* it says that it did not */
    writer.driver->roll_back(writer.store);
    must_begin(&writer);
    insert_fails(&writer, ERROR_UNAVAILABLE);
    writer.driver->roll_back(writer.store);
    must_fail("check", writer.driver->check(writer.store, &err), &err, ERROR_UNAVAILABLE);
    must_list(&reader, &list);
    set_global("read_only", "0");
    create_one(&writer, "next");
    check_titles("writable again", TITLES("next", NULL));
    todo_list_release(&list);
    store_close(&reader);
    store_close(&writer);
}

/* Until the next one is asked for: the server's own count of them. */
static long connection_id(void)
{
    char id[32];
    wait_until("SELECT COUNT(*) " CONNECTIONS, "1");
    query_sql(&store_root_config, "SELECT id " CONNECTIONS, 0, id, sizeof id);
    return strtol(id, NULL, 10);
}

/* A reader does not stay with a server of which a writer knows that it has been demoted, or
 * promoted again. */
static void test_what_a_writer_learns_renews_a_reader(void)
{
    struct todo_store_handle writer;
    struct todo_store_handle reader;
    struct todo_list list = {0};
    struct error err = {0};
    long ids[3];
    store_open(&reader);
    must_list(&reader, &list);
    ids[0] = connection_id();
    store_open(&writer);
    create_one(&writer, "before");
    set_global("read_only", "1");
    must_begin(&writer);
    insert_fails(&writer, ERROR_UNAVAILABLE);
    must_list(&reader, &list);
    ids[1] = connection_id();
    must_fail("check", writer.driver->check(writer.store, &err), &err, ERROR_UNAVAILABLE);
    must_list(&reader, &list);
    CHECK_NUMBER("still read-only", "the reader's connection", ids[1], connection_id());
    set_global("read_only", "0");
    create_one(&writer, "after");
    writer.driver->close(writer.store);
    must_list(&reader, &list);
    ids[2] = connection_id();
    CHECK(ids[0] != ids[1], "demoted", "the reader stayed with its connection");
    CHECK(ids[1] != ids[2], "promoted", "the reader stayed with its connection");
    todo_list_release(&list);
    store_close(&reader);
}

static void test_a_connection_of_age_is_renewed_if_it_can_be(void)
{
    const char *password = store_config.mysql_password;
    unsigned age = store_config.db_connection_age;
    struct todo_store_handle store;
    struct todo_list list = {0};
    long ids[3];
    store_config.db_connection_age = 1;
    store_open(&store);
    must_list(&store, &list);
    ids[0] = connection_id();
    clock_sleep(1100000);
    must_list(&store, &list);
    ids[1] = connection_id();
    CHECK(ids[0] != ids[1], "of age", "the connection stayed");
    store_config.mysql_password = "wrong";
    clock_sleep(1100000);
    must_list(&store, &list);
    ids[2] = connection_id();
    CHECK_NUMBER("no new one to be had", "the connection", ids[1], ids[2]);
    store_config.mysql_password = password;
    store_config.db_connection_age = age;
    todo_list_release(&list);
    store_close(&store);
}

/* Also by this question itself, which are some hundred. */
static long rows_read(void)
{
    char count[32];
    query_sql(&store_root_config,
              "SELECT CAST(SUM(variable_value) AS INT) FROM information_schema.global_status"
              " WHERE variable_name LIKE 'Handler_read_%'",
              0, count, sizeof count);
    return strtol(count, NULL, 10);
}

/* The orders that an index doesn't have as they are, too. */
static void test_a_page_reads_few_of_many(void)
{
    static const struct {
        const char *name;
        struct todo_sort sorts[TODO_SORT_FIELD_COUNT];
        size_t count;
    } rows[] = {
        {"id",                  {{TODO_SORT_ID, false}},                                 1},
        {"order",               {{TODO_SORT_ORDER, false}, {TODO_SORT_ID, false}},       2},
        {"-order",              {{TODO_SORT_ORDER, true}, {TODO_SORT_ID, true}},         2},
        {"order,-id",           {{TODO_SORT_ORDER, false}, {TODO_SORT_ID, true}},        2},
        {"-order,id",           {{TODO_SORT_ORDER, true}, {TODO_SORT_ID, false}},        2},
        {"completed,-id",       {{TODO_SORT_COMPLETED, false}, {TODO_SORT_ID, true}},    2},
        {"completed,-order,id",
         {{TODO_SORT_COMPLETED, false}, {TODO_SORT_ORDER, true}, {TODO_SORT_ID, false}},
         3                                                                                },
        {"-order,completed,id",
         {{TODO_SORT_ORDER, true}, {TODO_SORT_COMPLETED, false}, {TODO_SORT_ID, false}},
         3                                                                                },
    };
    struct todo_store_handle store;
    struct error err = {0};
    struct todo_list list = {0};
    store_open_empty(&store);
    run_sql(&store_config, "INSERT INTO todo_todoitem (title, completed, `order`)"
                           " SELECT 'a', seq % 2, IF(seq % 3 = 0, NULL, seq % 3 * seq % 1000)"
                           " FROM seq_1_to_20000");
    run_sql(&store_config, "ANALYZE TABLE todo_todoitem");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct todo_query query = {.limit = 10, .sort_count = rows[i].count};
        memcpy(query.sorts, rows[i].sorts, sizeof query.sorts);
        for (int page = 1; page <= 2; page++) {
            long before = rows_read();
            todo_list_clear(&list);
            CHECK(store.driver->query(store.store, &query, &list, &err), rows[i].name, "%s",
                  err.text);
            long count = rows_read() - before;
            CHECK_NUMBER(rows[i].name, "todos", 11, (long long)list.count);
            CHECK(count > 0 && count < 3000, rows[i].name, "page %d read %ld rows", page,
                  count);
            query.has_place = list.count > 0;
            if (query.has_place)
                query.place = todo_query_place(&query, &list.todos[list.count - 1]);
        }
    }
    todo_list_release(&list);
    store_close(&store);
}

/* An engine whose tables are full soon, and that rolls nothing back. */
static void test_a_look_sees_whether_there_is_room_again(void)
{
    enum {
        BIG = 1000,
    };
    struct todo_store_handle store;
    struct error errors[4] = {0};
    struct todo_insert inserts[BIG];
    bool results[4];
    for (size_t i = 0; i < BIG; i++)
        inserts[i] = insert_of("a");
    store_open_empty(&store);
    run_as_root("ALTER TABLE todo_todoitem ENGINE = MEMORY, MAX_ROWS = 10");
    results[0] = store.driver->begin(store.store, true, &errors[0]) &&
                 store.driver->insert(store.store, inserts, BIG, &errors[0]);
    store.driver->roll_back(store.store);
    for (int i = 1; i < 3; i++) {
        results[i] = store.driver->check(store.store, &errors[i]);
        clock_sleep(ROOM_SEEN); /* longer than it says the same again without a try */
    }
    run_as_root("DELETE FROM todo_todoitem");
    results[3] = store.driver->check(store.store, &errors[3]);
    CHECK(!results[0], "changes", "all went into a small table");
    for (int i = 0; i < 3; i++) {
        must_fail("no room", results[i], &errors[i], ERROR_UNAVAILABLE);
        CHECK_CONTAINS("no room", "error", "1114", errors[i].text);
    }
    CHECK(results[3], "room again", "%s", errors[3].text);
    check_titles("room again", TITLES(NULL)); /* what the look tried is gone */
    run_as_root("ALTER TABLE todo_todoitem ENGINE = InnoDB, MAX_ROWS = 0");
    store_close(&store);
}

static void test_a_refused_login_is_unavailable_until_it_works(void)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    const char *password = store_config.mysql_password;
    store_open_empty(&store);
    store_config.mysql_password = "wrong";
    list_fails_saying(&store, ERROR_UNAVAILABLE, "Access denied");
    list_fails_saying(&store, ERROR_UNAVAILABLE, "Access denied"); /* not asked again yet */
    store_config.mysql_password = password;
    clock_sleep(150000);
    must_list(&store, &list);
    todo_list_release(&list);
    store_close(&store);
}

/* Seconds may pass: the store doesn't try at every call. */
static void must_come_back(const struct todo_store_handle *store)
{
    struct todo_list list = {0};
    struct error err = {.code = ERROR_UNAVAILABLE};
    uint64_t deadline = clock_now() + 20000000;
    while (err.code == ERROR_UNAVAILABLE && clock_now() < deadline) {
        err = (struct error){0};
        if (!store->driver->list(store->store, &list, &err))
            clock_sleep(20000);
    }
    CHECK(err.code == ERROR_NONE, "come back", "%s", err.text);
    todo_list_release(&list);
}

static void test_a_killed_server_keeps_what_was_committed(void)
{
    struct todo_store_handle store;
    store_open_empty(&store);
    create_one(&store, "committed");
    begin_and_insert(&store, "not committed");
    CHECK(mariadb_command("TEST_MYSQL_KILL"), "kill the server", "failed");
    uint64_t start = clock_now();
    insert_fails(&store, ERROR_UNAVAILABLE);
    store.driver->roll_back(store.store);
    for (unsigned i = 0; i < 3; i++)
        list_fails(&store, ERROR_UNAVAILABLE);
    CHECK(clock_now() - start < BUSY_MACHINE * 1000, "no server", "the calls took %llu ms",
          (unsigned long long)(clock_now() - start) / 1000);
    CHECK(mariadb_command("TEST_MYSQL_RESTART"), "start the server", "failed");
    must_come_back(&store);
    check_titles("restarted", TITLES("committed", NULL));
    create_one(&store, "next");
    check_titles("after it", TITLES("committed", "next", NULL));
    store_close(&store);
}

/* Freezes the server; another process thaws it after some seconds if nobody does before. */
static pid_t freeze(pid_t pid)
{
    pid_t thawer = fork();
    if (thawer == 0) {
        clock_sleep(30000000);
        kill(pid, SIGCONT);
        _exit(0);
    }
    CHECK(mariadb_halt(), "server", "it does not halt");
    return thawer;
}

static void thaw(pid_t pid, pid_t thawer)
{
    kill(pid, SIGCONT);
    if (thawer > 0) {
        kill(thawer, SIGKILL);
        waitpid(thawer, NULL, 0);
    }
}

static void test_a_frozen_server_is_given_up_in_time(void)
{
    struct todo_store_handle reader;
    struct todo_store_handle writer;
    struct todo_list list = {0};
    unsigned timeout = store_config.request_timeout;
    pid_t pid = mariadb_pid();
    if (!CHECK(pid > 1, "server", "its process is not known"))
        return;
    store_config.request_timeout = 1;
    store_open_empty(&reader);
    store_open(&writer);
    must_list(&reader, &list);
    begin_and_insert(&writer, "perhaps");
    pid_t thawer = freeze(pid);
    uint64_t start = clock_now();
    list_fails(&reader, ERROR_UNAVAILABLE);
    commit_fails(&writer, ERROR_OUTCOME_UNKNOWN);
    CHECK(clock_now() - start < 3000000 + BUSY_MACHINE * 1000, "frozen",
          "the two calls took %llu ms", (unsigned long long)(clock_now() - start) / 1000);
    thaw(pid, thawer);
    writer.driver->roll_back(writer.store);
    must_come_back(&reader);
    create_one(&writer, "next");
    store_config.request_timeout = timeout;
    todo_list_release(&list);
    store_close(&writer);
    store_close(&reader);
}

CU_TestInfo store_mysql_tests[] = {
    TEST(test_session_is_ours_whatever_the_server_prefers),
    TEST(test_a_clear_and_a_list_are_whole_whatever_the_server_prefers),
    TEST(test_a_statement_has_a_deadline),
    TEST(test_errors_mean_what_the_table_says),
    TEST(test_an_update_is_no_insert),
    TEST(test_an_update_of_many_gives_each_its_own),
    TEST(test_what_a_writer_learns_renews_a_reader),
    TEST(test_a_connection_of_age_is_renewed_if_it_can_be),
    TEST(test_an_update_to_equal_values_counts_its_rows),
    TEST(test_a_title_too_long_is_refused_not_cut),
    TEST(test_another_nodes_todo_is_not_taken_for_ours),
    TEST(test_ids_are_right_on_a_cluster),
    TEST(test_rows_that_were_not_asked_for_are_not_locked),
    TEST(test_other_rows_locks_are_not_waited_for),
    TEST(test_an_idle_store_holds_no_locks),
    TEST(test_a_deadlock_is_a_conflict_for_one),
    TEST(test_killed_while_it_waits_for_a_lock),
    TEST(test_nowait_does_not_wait),
    TEST(test_killed_while_idle),
    TEST(test_killed_within_a_transaction),
    TEST(test_killed_before_the_commit),
    TEST(test_a_read_only_server_is_unavailable),
    TEST(test_a_page_reads_few_of_many),
    TEST(test_a_look_sees_whether_there_is_room_again),
    TEST(test_a_refused_login_is_unavailable_until_it_works),
    TEST(test_a_killed_server_keeps_what_was_committed),
    TEST(test_a_frozen_server_is_given_up_in_time),
    CU_TEST_INFO_NULL,
};
