#include "store_fixture.h"

#include "base/clock.h"
#include "check.h"
#include "command.h"
#include "db/mysql.h"
#include "schema/migrate.h"
#include "schema/session.h"
#include "store/mysql.h"
#include "store/sqlite.h"
#include "suites.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The user of the tests may do anything to databases whose name begins with todobackend. */
#define DATABASE_NAME "todobackend_store"

struct config store_config;
struct config store_root_config;

static struct config loaded; /* owns the texts that the two have in common */
static char folder[256];
static char sqlite_path[sizeof folder + 32];

/* ---- the database ---- */

static bool make_mysql_database(void)
{
    store_config.database = CONFIG_DATABASE_MYSQL;
    store_config.mysql_database = DATABASE_NAME;
    store_root_config = store_config;
    store_root_config.mysql_host = getenv("TEST_MYSQL_SOCKET");
    store_root_config.mysql_user = getenv("TEST_MYSQL_ROOT");
    store_root_config.mysql_password = "";
    if (!store_config.mysql_host || !store_root_config.mysql_host ||
        !store_root_config.mysql_user) {
        fprintf(stderr, "the tests on MySQL are run by tests/mariadb\n");
        return false;
    }
    struct config server = store_root_config;
    server.mysql_database = "mysql";
    run_sql(&server, "DROP DATABASE IF EXISTS " DATABASE_NAME);
    run_sql(&server, "CREATE DATABASE " DATABASE_NAME " CHARACTER SET utf8mb4");
    return true;
}

static bool make_sqlite_database(void)
{
    if (!folder_make(folder, sizeof folder))
        return false;
    snprintf(sqlite_path, sizeof sqlite_path, "%s/store.sqlite3", folder);
    store_config.database = CONFIG_DATABASE_SQLITE;
    store_config.sqlite_path = sqlite_path;
    return true;
}

int store_init(void)
{
    struct buffer problems = {0};
    struct error err = {0};
    struct migrate_options options = {0};
    struct migrate_result result;
    bool good = config_load(&loaded, &problems);
    if (!good)
        fprintf(stderr, "%s", problems.data ? problems.data : "out of memory\n");
    buffer_release(&problems);
    if (!good || !db_mysql_start(&err))
        return 1;
    store_config = loaded;
    if (!(test_database == TEST_MYSQL ? make_mysql_database() : make_sqlite_database()))
        return 1;
    if (migrate_run(&store_config, &options, &result, &err))
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}

int store_cleanup(void)
{
    if (test_database == TEST_MYSQL)
        run_sql(&store_root_config, "DROP DATABASE " DATABASE_NAME);
    else
        folder_remove(folder);
    db_mysql_end();
    config_release(&loaded);
    return 0;
}

void store_open(struct todo_store_handle *store)
{
    struct error err = {0};
    bool good = test_database == TEST_MYSQL ? store_mysql_open(&store_config, store, &err)
                                            : store_sqlite_open(&store_config, store, &err);
    if (good)
        return;
    fprintf(stderr, "%s\n", err.text);
    abort();
}

void store_open_empty(struct todo_store_handle *store)
{
    run_sql(&store_config, "DELETE FROM todo_todoitem");
    store_open(store);
}

void store_close(struct todo_store_handle *store)
{
    store->driver->close(store->store);
}

/* ---- SQL ---- */

struct cell {
    unsigned column;
    char *text;
    size_t size;
    bool found;
};

static void take_cell(const char *const *columns, void *context)
{
    struct cell *cell = context;
    const char *text = columns[cell->column];
    if (!cell->found)
        snprintf(cell->text, cell->size, "%s", text ? text : "NULL");
    cell->found = true;
}

void query_sql(const struct config *config, const char *sql, unsigned column, char *text,
               size_t size)
{
    static const struct db_session_wait no_wait;
    struct cell cell = {.column = column, .text = text, .size = size};
    struct db_session session = {0};
    struct error err = {0};
    snprintf(text, size, "(none)");
    bool good = db_session_open(&session, config, &no_wait, &err) &&
                db_session_query(&session, sql, "run a test's SQL", take_cell, &cell, &err);
    CHECK(good, sql, "%s", err.text);
    db_session_close(&session);
}

void run_sql(const struct config *config, const char *sql)
{
    char ignored[8];
    query_sql(config, sql, 0, ignored, sizeof ignored);
}

/* ---- what must be done well ---- */

static void must(const char *what, bool good, const struct error *err)
{
    CHECK(good, what, "%s", err->text);
    CHECK(good == (err->code == ERROR_NONE), what, "an error without a failure, or no error");
}

void must_fail(const char *what, bool good, const struct error *err, enum error_code code)
{
    CHECK(!good, what, "it did not fail");
    CHECK(err->code == code, what, "error code: wanted %d, got %d: %s", (int)code,
          (int)err->code, err->text);
    CHECK(good || err->text[0], what, "an error without a text");
}

void must_list(const struct todo_store_handle *store, struct todo_list *list)
{
    struct error err = {0};
    todo_list_clear(list);
    must("list", store->driver->list(store->store, list, &err), &err);
}

void must_fetch(const struct todo_store_handle *store, const int64_t *ids, size_t count,
                struct todo_list *list)
{
    struct error err = {0};
    todo_list_clear(list);
    must("fetch", store->driver->fetch(store->store, ids, count, list, &err), &err);
}

void must_begin(const struct todo_store_handle *store)
{
    struct error err = {0};
    must("begin", store->driver->begin(store->store, true, &err), &err);
}

void must_load(const struct todo_store_handle *store, const int64_t *ids, size_t count,
               struct todo_list *list)
{
    struct error err = {0};
    todo_list_clear(list);
    must("load_for_update",
         store->driver->load_for_update(store->store, ids, count, list, &err), &err);
}

void must_insert(const struct todo_store_handle *store, struct todo_insert *inserts,
                 size_t count)
{
    struct error err = {0};
    must("insert", store->driver->insert(store->store, inserts, count, &err), &err);
}

void must_update(const struct todo_store_handle *store, const struct todo_list *list)
{
    struct error err = {0};
    const struct todo **todos = calloc(list->count + 1, sizeof(void *));
    if (!todos)
        abort();
    for (size_t i = 0; i < list->count; i++)
        todos[i] = &list->todos[i];
    must("update", store->driver->update(store->store, todos, list->count, &err), &err);
    free(todos);
}

void must_delete(const struct todo_store_handle *store, const int64_t *ids, size_t count)
{
    struct error err = {0};
    must("delete", store->driver->delete (store->store, ids, count, &err), &err);
}

void must_commit(const struct todo_store_handle *store)
{
    struct error err = {0};
    must("commit", store->driver->commit(store->store, &err), &err);
}

/* ---- todos ---- */

struct todo_insert insert_of(const char *title)
{
    return (struct todo_insert){
        .todo = {.title = title, .title_length = title ? strlen(title) : 0},
        .base_url = "http://test.example:8000",
    };
}

void create_todos(const struct todo_store_handle *store, const char *const *titles,
                  size_t count, int64_t *ids)
{
    struct todo_insert *inserts = calloc(count, sizeof *inserts);
    if (!inserts)
        abort();
    for (size_t i = 0; i < count; i++)
        inserts[i] = insert_of(titles[i]);
    must_begin(store);
    must_insert(store, inserts, count);
    must_commit(store);
    for (size_t i = 0; i < count; i++)
        ids[i] = inserts[i].todo.id;
    free(inserts);
}

int64_t create_one(const struct todo_store_handle *store, const char *title)
{
    int64_t id = 0;
    create_todos(store, &title, 1, &id);
    return id;
}

void change_title(const struct todo_store_handle *store, int64_t id, const char *title)
{
    struct todo_list list = {0};
    must_load(store, &id, 1, &list);
    CHECK_NUMBER("change title", "todos loaded", 1, (long long)list.count);
    if (list.count == 1) {
        list.todos[0].title = title;
        list.todos[0].title_length = strlen(title);
        must_update(store, &list);
    }
    todo_list_release(&list);
}

void check_titles(const char *row, const char *const *titles)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    size_t count = 0;
    while (titles[count])
        count++;
    store_open(&store);
    must_list(&store, &list);
    CHECK_NUMBER(row, "todos", (long long)count, (long long)list.count);
    for (size_t i = 0; i < count && i < list.count; i++)
        CHECK_TEXT(row, "title", titles[i], list.todos[i].title);
    todo_list_release(&list);
    store_close(&store);
}

/* ---- titles of all sorts ---- */

#define TIMES_4(text)   text text text text
#define TIMES_16(text)  TIMES_4(TIMES_4(text))
#define TIMES_256(text) TIMES_16(TIMES_16(text))

static const struct {
    const char *name;
    const char *title;
} titles[] = {
    {"null",                       NULL                                              },
    {"empty",                      ""                                                },
    {"a word",                     "word"                                            },
    {"the word NULL",              "NULL"                                            },
    {"a number",                   "0"                                               },
    {"a quote",                    "it's"                                            },
    {"a quote alone",              "'"                                               },
    {"quotes doubled",             "''"                                              },
    {"double quotes",              "say \"yes\""                                     },
    {"backquotes",                 "`order`"                                         },
    {"a backslash",                "\\"                                              },
    {"a backslash at the end",     "end\\"                                           },
    {"a backslash before a quote", "\\'"                                             },
    {"a quote before a backslash", "'\\"                                             },
    {"what looks escaped",         "\\0 \\n \\Z \\x27 \\u0027"                       },
    {"patterns",                   "100% _ %% \\% \\_"                               },
    {"formats",                    "%s %n %d ?1 :name $1"                            },
    {"control bytes",              "\x01\x02\b\t\n\v\f\r\x1a\x1b\x1f\x7f"            },
    {"trailing spaces",            "spaces   "                                       },
    {"spaces alone",               "   "                                             },
    {"leading spaces",             "   spaces"                                       },
    {"a comment",                  "-- # /* */ /*! */"                               },
    {"an injection by a quote",    "'); DROP TABLE todo_todoitem; -- "               },
    {"one by a backslash",         "\\'); DELETE FROM todo_todoitem; -- "            },
    {"one by a value",             "',1,1,'x'),('x'"                                 },
    {"bytes that GBK would join",  "\u00bf' OR 1=1 -- "                              },
    {"Latin",                      "na\u00efve caf\u00e9 \u00df"                     },
    {"not composed",               "e\u0301"                                         },
    {"Chinese",                    "\u65e5\u672c\u8a9e \u4f60\u597d"                 },
    {"right to left",              "\u05e9\u05dc\u05d5\u05dd \u202e\u202c"           },
    {"an emoji",                   "\U0001f600"                                      },
    {"emojis joined",              "\U0001f468\u200d\U0001f469\u200d\U0001f467\ufe0f"},
    {"the last code point",        "\U0010ffff"                                      },
    {"no character",               "\ufffe\uffff\ufeff"                              },
    {"256 letters",                TIMES_256("x")                                    },
    {"256 quotes",                 TIMES_256("'")                                    },
    {"256 backslashes",            TIMES_256("\\")                                   },
    {"256 characters of 4 bytes",  TIMES_256("\U0001f4af")                           },
};

static void check_read(const char *row, const char *how, const struct todo_list *list)
{
    CHECK_NUMBER(row, how, (long long)COUNT(titles), (long long)list->count);
    for (size_t i = 0; i < COUNT(titles) && i < list->count; i++) {
        const char *title = titles[i].title;
        char what[128];
        snprintf(what, sizeof what, "%s, %s", how, titles[i].name);
        CHECK_TEXT(row, what, title, list->todos[i].title);
        CHECK_NUMBER(row, what, title ? (long long)strlen(title) : 0,
                     (long long)list->todos[i].title_length);
    }
}

/* Each todo gets the title of the one at the other end, and after that its own again. */
static void swap_titles(const struct todo_store_handle *store, const int64_t *ids, size_t count)
{
    struct todo_list list = {0};
    for (unsigned round = 0; round < 2; round++) {
        must_begin(store);
        must_load(store, ids, count, &list);
        for (size_t i = 0; i < list.count; i++) {
            const char *title = titles[round ? i : count - 1 - i].title;
            list.todos[i].title = title;
            list.todos[i].title_length = title ? strlen(title) : 0;
        }
        must_update(store, &list);
        must_commit(store);
    }
    todo_list_release(&list);
}

void check_titles_come_back(const char *row)
{
    const char *texts[COUNT(titles)];
    int64_t ids[COUNT(titles)];
    struct todo_store_handle writer;
    struct todo_store_handle reader;
    struct todo_list list = {0};
    for (size_t i = 0; i < COUNT(titles); i++)
        texts[i] = titles[i].title;
    store_open_empty(&writer);
    store_open(&reader);
    create_todos(&writer, texts, COUNT(texts), ids);
    must_list(&reader, &list);
    check_read(row, "inserted", &list);
    swap_titles(&writer, ids, COUNT(ids));
    must_fetch(&reader, ids, COUNT(ids), &list);
    check_read(row, "updated", &list);
    todo_list_release(&list);
    store_close(&reader);
    store_close(&writer);
}

/* ---- waiting for a lock ---- */

struct lock_waiter {
    struct todo_store_handle store;
    int64_t id;
    pthread_t thread;
    atomic_bool ended;
    struct lock_result result;
};

static void *wait_for_lock(void *context)
{
    struct lock_waiter *waiter = context;
    const struct todo_store_driver *driver = waiter->store.driver;
    struct todo_store *store = waiter->store.store;
    struct lock_result *result = &waiter->result;
    struct todo_list list = {0};
    uint64_t start = clock_now();
    result->good = driver->begin(store, true, &result->err) &&
                   driver->load_for_update(store, &waiter->id, 1, &list, &result->err);
    result->milliseconds = (clock_now() - start) / 1000;
    if (list.count == 1 && list.todos[0].title && result->good)
        snprintf(result->title, sizeof result->title, "%s", list.todos[0].title);
    driver->roll_back(store);
    todo_list_release(&list);
    driver->close(store);
    atomic_store(&waiter->ended, true);
    return NULL;
}

struct lock_waiter *lock_waiter_start(int64_t id)
{
    struct lock_waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        abort();
    waiter->id = id;
    store_open(&waiter->store);
    if (pthread_create(&waiter->thread, NULL, wait_for_lock, waiter) != 0)
        abort();
    return waiter;
}

bool lock_waiter_waits(const struct lock_waiter *waiter)
{
    return !atomic_load(&waiter->ended);
}

struct lock_result lock_waiter_join(struct lock_waiter *waiter)
{
    pthread_join(waiter->thread, NULL);
    struct lock_result result = waiter->result;
    free(waiter);
    return result;
}
