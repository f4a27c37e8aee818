/*
 * The todo store: what todo/store.h promises, the same on each database. What only one of them
 * can do is in test_store_mysql.c and test_store_sqlite.c.
 */

#include "base/clock.h"
#include "check.h"
#include "command.h"
#include "schema/session.h"
#include "store_fixture.h"
#include "suites.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define TITLES(...)                                                                            \
    (const char *const[])                                                                      \
    {                                                                                          \
        __VA_ARGS__                                                                            \
    }

/* ---- reading ---- */

static void test_list_is_in_order_of_id(void)
{
    struct todo_store_handle store;
    store_open_empty(&store);
    check_titles("nothing yet", TITLES(NULL));
    run_sql(&store_config, "INSERT INTO todo_todoitem (id, title, completed) VALUES "
                           "(900003, 'a', 0), (900001, 'b', 0), (900002, 'c', 0)");
    create_one(&store, "last");
    check_titles("by id", TITLES("b", "c", "a", "last", NULL));
    store_close(&store);
}

static void test_fetch_gives_the_todos_that_exist(void)
{
    static const struct {
        const char *name;
        int64_t ids[6];
        size_t count;
        const char *found;
    } rows[] = {
        {"none asked for",             {0},                                         0, ""   },
        {"one",                        {901002},                                    1, "b"  },
        {"one that is missing",        {901003},                                    1, ""   },
        {"all",                        {901001, 901002, 901004},                    3, "abd"},
        {"missing ones around",        {1, 901000, 901001, 901003, 901004, 901005}, 6, "ad" },
        {"the least and the greatest",
         {0, 901002, INT32_MAX, 1U << 31, UINT32_MAX - 1, UINT32_MAX},
         6,                                                                            "b"  },
    };
    struct todo_store_handle store;
    struct todo_list list = {0};
    store_open_empty(&store);
    run_sql(&store_config, "INSERT INTO todo_todoitem (id, title, completed) VALUES "
                           "(901004, 'd', 0), (901001, 'a', 0), (901002, 'b', 0)");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char found[8] = "";
        must_fetch(&store, rows[i].ids, rows[i].count, &list);
        for (size_t j = 0; j < list.count && j + 1 < sizeof found; j++)
            found[j] = list.todos[j].title[0];
        CHECK_TEXT(rows[i].name, "fetch", rows[i].found, found);
        must_begin(&store);
        must_load(&store, rows[i].ids, rows[i].count, &list);
        CHECK_NUMBER(rows[i].name, "loaded for update", (long long)strlen(found),
                     (long long)list.count);
        must_commit(&store);
    }
    todo_list_release(&list);
    store_close(&store);
}

/* ---- values ---- */

static void test_titles_come_back_as_they_were(void)
{
    check_titles_come_back("titles");
}

static const struct {
    const char *name;
    bool completed;
    bool has_order;
    int32_t order;
} numbers[] = {
    {"no order",  false, false, 0        },
    {"completed", true,  false, 0        },
    {"zero",      false, true,  0        },
    {"one",       true,  true,  1        },
    {"negative",  false, true,  -1       },
    {"least",     true,  true,  INT32_MIN},
    {"greatest",  false, true,  INT32_MAX},
};

static void set_numbers(struct todo *todo, size_t i)
{
    todo->completed = numbers[i].completed;
    todo->has_order = numbers[i].has_order;
    todo->order = numbers[i].order;
}

static void check_numbers(const char *how, const int64_t *ids, bool from_the_end)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    store_open(&store);
    must_fetch(&store, ids, COUNT(numbers), &list);
    CHECK_NUMBER(how, "todos", (long long)COUNT(numbers), (long long)list.count);
    for (size_t i = 0; i < list.count; i++) {
        size_t row = from_the_end ? COUNT(numbers) - 1 - i : i;
        const struct todo *todo = &list.todos[i];
        CHECK_NUMBER(numbers[row].name, how, numbers[row].completed, todo->completed);
        CHECK_NUMBER(numbers[row].name, how, numbers[row].has_order, todo->has_order);
        CHECK_NUMBER(numbers[row].name, how, numbers[row].order, todo->order);
    }
    todo_list_release(&list);
    store_close(&store);
}

static void test_order_and_completed_come_back(void)
{
    struct todo_store_handle store;
    struct todo_insert inserts[COUNT(numbers)];
    struct todo_list list = {0};
    int64_t ids[COUNT(numbers)];
    store_open_empty(&store);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        inserts[i] = insert_of("numbers");
        set_numbers(&inserts[i].todo, i);
    }
    must_begin(&store);
    must_insert(&store, inserts, COUNT(inserts));
    must_commit(&store);
    for (size_t i = 0; i < COUNT(numbers); i++)
        ids[i] = inserts[i].todo.id;
    check_numbers("inserted", ids, false);
    must_begin(&store);
    must_load(&store, ids, COUNT(ids), &list);
    for (size_t i = 0; i < list.count; i++)
        set_numbers(&list.todos[i], COUNT(numbers) - 1 - i);
    must_update(&store, &list);
    must_commit(&store);
    check_numbers("updated", ids, true);
    todo_list_release(&list);
    store_close(&store);
}

/* ---- the url column ---- */

static void check_url(const char *row, int64_t id, const char *base_url, const char *suffix)
{
    char sql[128];
    char url[512];
    char wanted[512];
    snprintf(wanted, sizeof wanted, "%s/todos/%u%s", base_url, (unsigned)id, suffix);
    snprintf(sql, sizeof sql, "SELECT url FROM todo_todoitem WHERE id = %u", (unsigned)id);
    query_sql(&store_config, sql, 0, url, sizeof url);
    CHECK_TEXT(row, "url column", wanted, url);
}

#define LONG_HOST                                                                              \
    "a23456789.b23456789.c23456789.d23456789.e23456789.f23456789.g23456789.h23456789."         \
    "i23456789.j23456789.k23456789.l23456789.m23456789.n23456789.o23456789.p23456789."         \
    "q23456789.r23456789.s23456789.t23456789"

static void test_url_column_is_what_the_original_writes(void)
{
    static const struct {
        const char *name;
        const char *base_url;
        enum todo_url_format format;
        const char *suffix;
    } rows[] = {
        {"plain",           "http://localhost:8000",  TODO_URL_PLAIN,        ""            },
        {"a format",        "http://localhost:8000",  TODO_URL_FORMAT_JSON,  "?format=json"},
        {"the pages",       "http://localhost:8000",  TODO_URL_FORMAT_API,   "?format=api" },
        {"an empty format", "http://localhost:8000",  TODO_URL_FORMAT_EMPTY, "?format="    },
        {"as it was sent",  "http://HOST.Example.:0", TODO_URL_PLAIN,        ""            },
        {"IPv6",            "https://[2001:db8::1]",  TODO_URL_FORMAT_JSON,  "?format=json"},
        {"named todos",     "http://todos",           TODO_URL_PLAIN,        ""            },
        {"longest",         "https://" LONG_HOST,     TODO_URL_FORMAT_JSON,  "?format=json"},
    };
    struct todo_store_handle store;
    struct todo_insert inserts[COUNT(rows)];
    struct todo_list list = {0};
    store_open_empty(&store);
    for (size_t i = 0; i < COUNT(rows); i++) {
        inserts[i] = insert_of(rows[i].name);
        inserts[i].base_url = rows[i].base_url;
        inserts[i].todo.url_format = rows[i].format;
    }
    must_begin(&store);
    must_insert(&store, inserts, COUNT(inserts));
    must_commit(&store);
    must_begin(&store);
    change_title(&store, inserts[0].todo.id, "updated, and its url as before");
    must_commit(&store);
    must_list(&store, &list);
    for (size_t i = 0; i < COUNT(rows); i++)
        check_url(rows[i].name, inserts[i].todo.id, rows[i].base_url, rows[i].suffix);
    for (size_t i = 0; i < COUNT(rows) && i < list.count; i++)
        CHECK_NUMBER(rows[i].name, "format", rows[i].format, list.todos[i].url_format);
    todo_list_release(&list);
    store_close(&store);
}

static void test_urls_of_others_are_left_alone(void)
{
    static const struct {
        const char *name;
        const char *url; /* in SQL */
        enum todo_url_format format;
    } rows[] = {
        {"null",          "NULL",                             TODO_URL_PLAIN       },
        {"empty",         "''",                               TODO_URL_PLAIN       },
        {"no url",        "'/todos/'",                        TODO_URL_PLAIN       },
        {"another site",  "'https://other.example/x'",        TODO_URL_PLAIN       },
        {"a format",      "'http://a/todos/7?format=json'",   TODO_URL_FORMAT_JSON },
        {"empty format",  "'http://a/todos/7?format='",       TODO_URL_FORMAT_EMPTY},
        {"another query", "'http://a/todos/7?format=json&a'", TODO_URL_PLAIN       },
    };
    struct todo_store_handle store;
    struct todo_list list = {0};
    char sql[256];
    store_open_empty(&store);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(sql, sizeof sql,
                 "INSERT INTO todo_todoitem (title, completed, url) VALUES ('%s', 0, %s)",
                 rows[i].name, rows[i].url);
        run_sql(&store_config, sql);
    }
    create_one(&store, "ours");
    must_list(&store, &list);
    CHECK_NUMBER("list", "todos", (long long)COUNT(rows) + 1, (long long)list.count);
    for (size_t i = 0; i < COUNT(rows) && i < list.count; i++) {
        char count[16];
        CHECK_NUMBER(rows[i].name, "format", rows[i].format, list.todos[i].url_format);
        snprintf(sql, sizeof sql,
                 "SELECT COUNT(*) FROM todo_todoitem WHERE title = '%s' AND url %s %s",
                 rows[i].name, strcmp(rows[i].url, "NULL") == 0 ? "IS" : "=", rows[i].url);
        query_sql(&store_config, sql, 0, count, sizeof count);
        CHECK_TEXT(rows[i].name, "rows with the url as it was", "1", count);
    }
    todo_list_release(&list);
    store_close(&store);
}

/* ---- many at once ---- */

enum {
    MANY = 1000,
};

static void number_title(char *title, size_t size, const char *word, size_t number)
{
    snprintf(title, size, "%s %zu", word, number);
}

static void insert_many(const struct todo_store_handle *store, int64_t *ids)
{
    static char texts[MANY][32];
    const char *titles[MANY];
    for (size_t i = 0; i < MANY; i++) {
        number_title(texts[i], sizeof texts[i], "inserted", i);
        titles[i] = texts[i];
    }
    create_todos(store, titles, MANY, ids);
}

static void check_many(const char *word, const struct todo_list *list, const int64_t *ids)
{
    size_t right = 0;
    CHECK_NUMBER(word, "todos", MANY, (long long)list->count);
    for (size_t i = 0; i < MANY; i++) {
        char title[32];
        const struct todo *todo = todo_list_find(list, ids[i]);
        number_title(title, sizeof title, word, i);
        right += todo && todo->title && strcmp(todo->title, title) == 0;
    }
    CHECK_NUMBER(word, "titles that are right", MANY, (long long)right);
}

static void test_a_thousand_at_once(void)
{
    static char texts[MANY][32];
    struct todo_store_handle store;
    struct todo_list list = {0};
    int64_t ids[MANY];
    store_open_empty(&store);
    insert_many(&store, ids);
    must_list(&store, &list);
    check_many("inserted", &list, ids);
    must_begin(&store);
    must_load(&store, ids, MANY, &list);
    check_many("inserted", &list, ids);
    for (size_t i = 0; i < list.count && i < MANY; i++) {
        number_title(texts[i], sizeof texts[i], "updated", i);
        list.todos[i].title = texts[i];
        list.todos[i].title_length = strlen(texts[i]);
    }
    must_update(&store, &list);
    must_commit(&store);
    must_fetch(&store, ids, MANY, &list);
    check_many("updated", &list, ids);
    must_begin(&store);
    must_delete(&store, ids + 1, MANY - 2);
    must_commit(&store);
    check_titles("deleted", TITLES("updated 0", "updated 999", NULL));
    todo_list_release(&list);
    store_close(&store);
}

static void test_calls_with_nothing_change_nothing(void)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    store_open_empty(&store);
    create_one(&store, "a");
    must_begin(&store);
    must_load(&store, NULL, 0, &list);
    must_insert(&store, NULL, 0);
    must_update(&store, &list);
    must_delete(&store, NULL, 0);
    must_commit(&store);
    check_titles("after nothing", TITLES("a", NULL));
    todo_list_release(&list);
    store_close(&store);
}

/* ---- transactions ---- */

static void test_update_to_equal_values_is_well(void)
{
    struct todo_store_handle store;
    store_open_empty(&store);
    int64_t id = create_one(&store, "same");
    must_begin(&store);
    change_title(&store, id, "same");
    change_title(&store, id, "same");
    must_commit(&store);
    check_titles("equal", TITLES("same", NULL));
    store_close(&store);
}

static void test_updates_use_no_ids(void)
{
    struct todo_store_handle store;
    store_open_empty(&store);
    int64_t first = create_one(&store, "first");
    for (unsigned i = 0; i < 3; i++) {
        must_begin(&store);
        change_title(&store, first, "updated");
        must_commit(&store);
    }
    CHECK_NUMBER("after three updates", "the next id", first + 1, create_one(&store, "next"));
    store_close(&store);
}

/* Changes of each kind: "keep" gets a new title, "drop" is deleted, "new" is inserted. */
static void change_everything(const struct todo_store_handle *store, const int64_t *ids)
{
    struct todo_insert insert = insert_of("new");
    change_title(store, ids[0], "changed");
    must_delete(store, &ids[1], 1);
    must_insert(store, &insert, 1);
}

static void test_nothing_is_seen_before_the_commit(void)
{
    struct todo_store_handle store;
    int64_t ids[2];
    store_open_empty(&store);
    create_todos(&store, TITLES("keep", "drop"), 2, ids);
    must_begin(&store);
    change_everything(&store, ids);
    check_titles("before the commit", TITLES("keep", "drop", NULL)); /* without a wait */
    must_commit(&store);
    check_titles("after it", TITLES("changed", "new", NULL));
    store_close(&store);
    check_titles("after the writer has gone", TITLES("changed", "new", NULL));
}

static void test_a_reader_sees_each_commit(void)
{
    struct todo_store_handle writer;
    struct todo_store_handle reader;
    struct todo_list list = {0};
    store_open_empty(&writer);
    store_open(&reader);
    for (unsigned i = 1; i <= 3; i++) {
        int64_t id = create_one(&writer, "a");
        must_list(&reader, &list);
        CHECK_NUMBER("list", "todos", i, (long long)list.count);
        must_fetch(&reader, &id, 1, &list);
        CHECK_NUMBER("fetch", "todos", 1, (long long)list.count);
    }
    todo_list_release(&list);
    store_close(&reader);
    store_close(&writer);
}

static void test_roll_back_leaves_nothing(void)
{
    struct todo_store_handle store;
    struct error err = {0};
    int64_t ids[2];
    store_open_empty(&store);
    store.driver->roll_back(store.store);
    create_todos(&store, TITLES("keep", "drop"), 2, ids);
    for (unsigned round = 0; round < 2; round++) {
        must_begin(&store);
        change_everything(&store, ids);
        store.driver->roll_back(store.store);
        check_titles("rolled back", TITLES("keep", "drop", NULL));
    }
    store.driver->roll_back(store.store);
    must_begin(&store);
    bool good = store.driver->clear(store.store, &err);
    CHECK(good, "clear", "%s", err.text);
    store.driver->roll_back(store.store);
    check_titles("a clear rolled back", TITLES("keep", "drop", NULL));
    must_begin(&store);
    change_everything(&store, ids);
    must_commit(&store);
    check_titles("committed", TITLES("changed", "new", NULL));
    store_close(&store);
}

static void test_a_store_closed_in_a_transaction_leaves_nothing(void)
{
    struct todo_store_handle store;
    int64_t ids[2];
    store_open_empty(&store);
    create_todos(&store, TITLES("keep", "drop"), 2, ids);
    must_begin(&store);
    change_everything(&store, ids);
    store_close(&store);
    check_titles("closed", TITLES("keep", "drop", NULL));
    store_open(&store);
    must_begin(&store);
    change_everything(&store, ids);
    must_commit(&store);
    store_close(&store);
    check_titles("again", TITLES("changed", "new", NULL));
}

static void test_clear_deletes_all(void)
{
    struct todo_store_handle store;
    struct error err = {0};
    int64_t ids[2];
    store_open_empty(&store);
    create_todos(&store, TITLES("a", "b"), 2, ids);
    must_begin(&store);
    bool good = store.driver->clear(store.store, &err);
    CHECK(good, "clear", "%s", err.text);
    must_commit(&store);
    check_titles("cleared", TITLES(NULL));
    CHECK(create_one(&store, "c") > ids[1], "after a clear", "an id was used again");
    store_close(&store);
}

/* ---- what the database refuses ---- */

static void forbid_poison(void)
{
    run_sql(&store_config,
            test_database == TEST_MYSQL
                ? "CREATE TRIGGER poison BEFORE INSERT ON todo_todoitem FOR EACH ROW "
                  "IF NEW.title = 'poison' THEN SIGNAL SQLSTATE '45000' "
                  "SET MESSAGE_TEXT = 'poison'; END IF"
                : "CREATE TRIGGER poison BEFORE INSERT ON todo_todoitem "
                  "WHEN NEW.title = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END");
}

static void test_a_refused_change_is_rolled_back_with_the_rest(void)
{
    struct todo_store_handle store;
    struct todo_insert inserts[] = {insert_of("b"), insert_of("poison"), insert_of("c")};
    struct error err = {0};
    store_open_empty(&store);
    create_one(&store, "a");
    forbid_poison();
    must_begin(&store);
    must_insert(&store, inserts, 1);
    must_fail("insert", store.driver->insert(store.store, inserts, COUNT(inserts), &err), &err,
              ERROR_REFUSED);
    CHECK_CONTAINS("insert", "error", "poison", err.text);
    store.driver->roll_back(store.store);
    check_titles("refused", TITLES("a", NULL));
    run_sql(&store_config, "DROP TRIGGER poison");
    create_one(&store, "d");
    check_titles("the next", TITLES("a", "d", NULL));
    store_close(&store);
}

static void test_a_refused_deletion_is_told_and_rolled_back(void)
{
    struct todo_store_handle store;
    int64_t ids[2];
    struct error err = {0};
    store_open_empty(&store);
    create_todos(&store, TITLES("keep", "drop", NULL), 2, ids);
    run_sql(&store_config,
            test_database == TEST_MYSQL
                ? "CREATE TRIGGER locked BEFORE DELETE ON todo_todoitem "
                  "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'locked'"
                : "CREATE TRIGGER locked BEFORE DELETE ON todo_todoitem "
                  "BEGIN SELECT RAISE(ABORT, 'locked'); END");
    must_begin(&store);
    change_title(&store, ids[0], "changed");
    must_fail("delete or commit",
              store.driver->delete (store.store, &ids[1], 1, &err) &&
                  store.driver->commit(store.store, &err),
              &err, ERROR_REFUSED);
    CHECK_CONTAINS("delete or commit", "error", "locked", err.text);
    store.driver->roll_back(store.store);
    check_titles("refused", TITLES("keep", "drop", NULL));
    run_sql(&store_config, "DROP TRIGGER locked");
    store_close(&store);
}

/* ---- several at work ---- */

enum {
    INSERTERS = 3,
    TRANSACTIONS = 8,
    EACH = 16,
};

struct inserter {
    pthread_t thread;
    struct todo_store_handle store;
    char titles[TRANSACTIONS * EACH][32];
    int64_t ids[TRANSACTIONS * EACH];
    struct error err;
};

static bool insert_some(struct inserter *inserter, size_t first)
{
    const struct todo_store_handle *store = &inserter->store;
    struct todo_insert inserts[EACH];
    for (size_t i = 0; i < EACH; i++)
        inserts[i] = insert_of(inserter->titles[first + i]);
    bool good = store->driver->begin(store->store, true, &inserter->err) &&
                store->driver->insert(store->store, inserts, EACH, &inserter->err) &&
                store->driver->commit(store->store, &inserter->err);
    for (size_t i = 0; i < EACH; i++)
        inserter->ids[first + i] = inserts[i].todo.id;
    return good;
}

static void *run_inserter(void *context)
{
    struct inserter *inserter = context;
    bool good = true;
    for (size_t i = 0; i < TRANSACTIONS && good; i++)
        good = insert_some(inserter, i * EACH);
    inserter->store.driver->close(inserter->store.store);
    return NULL;
}

static void check_inserter(const struct inserter *inserter, const struct todo_list *list)
{
    size_t right = 0;
    CHECK(inserter->err.code == ERROR_NONE, "inserter", "%s", inserter->err.text);
    for (size_t i = 0; i < COUNT(inserter->ids); i++) {
        const struct todo *todo = todo_list_find(list, inserter->ids[i]);
        right += todo && todo->title && strcmp(todo->title, inserter->titles[i]) == 0;
    }
    CHECK_NUMBER("inserter", "ids that are those of their todos",
                 (long long)COUNT(inserter->ids), (long long)right);
}

static void test_ids_are_right_while_others_insert(void)
{
    struct inserter *inserters = calloc(INSERTERS, sizeof *inserters);
    struct todo_store_handle store;
    struct todo_list list = {0};
    if (!inserters)
        abort();
    store_open_empty(&store);
    for (size_t i = 0; i < INSERTERS; i++) {
        for (size_t j = 0; j < COUNT(inserters->titles); j++)
            snprintf(inserters[i].titles[j], sizeof inserters[i].titles[j], "%zu of %zu", j, i);
        store_open(&inserters[i].store);
        if (pthread_create(&inserters[i].thread, NULL, run_inserter, &inserters[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < INSERTERS; i++)
        pthread_join(inserters[i].thread, NULL);
    must_list(&store, &list);
    for (size_t i = 0; i < INSERTERS; i++)
        check_inserter(&inserters[i], &list);
    todo_list_release(&list);
    store_close(&store);
    free(inserters);
}

static void test_load_for_update_waits_for_the_other_transaction(void)
{
    struct todo_store_handle store;
    store_open_empty(&store);
    int64_t id = create_one(&store, "old");
    must_begin(&store);
    change_title(&store, id, "new");
    struct lock_waiter *waiter = lock_waiter_start(id);
    struct lock_result result;
    if (store_config.database == CONFIG_DATABASE_MYSQL) { /* not for long */
        result = lock_waiter_join(waiter);
        for (int i = 0; i < 2 && result.milliseconds >= 900; i++) /* a busy machine */
            result = lock_waiter_join(lock_waiter_start(id));
        must_fail("locked", result.good, &result.err, ERROR_CONFLICT);
        CHECK(result.milliseconds >= 25 && result.milliseconds < 900, "locked",
              "a second transaction waited for %llu ms",
              (unsigned long long)result.milliseconds);
        waiter = NULL;
    } else {
        clock_sleep(300000);
        CHECK(lock_waiter_waits(waiter), "locked", "a second transaction did not wait");
    }
    must_commit(&store);
    result = lock_waiter_join(waiter ? waiter : lock_waiter_start(id));
    CHECK(result.good, "unlocked", "%s", result.err.text);
    CHECK_TEXT("unlocked", "title", "new", result.title);
    store_close(&store);
}

/* Another program may have widened the column: an id is never cut to one that is another's. */
static void test_ids_may_need_64_bits(void)
{
    static const int64_t small = 5;
    static const int64_t large = 4294967301; /* the lower 32 bits are 5, too */
    struct todo_store_handle store;
    struct todo_list list = {0};
    int64_t id;

    store_open_empty(&store);
    if (store_config.database == CONFIG_DATABASE_MYSQL)
        run_sql(&store_config, "ALTER TABLE todo_todoitem MODIFY id bigint AUTO_INCREMENT");
    run_sql(&store_config, "INSERT INTO todo_todoitem (id, title, completed) VALUES"
                           " (5, 'small', 0), (4294967301, 'large', 0)");
    must_list(&store, &list);
    CHECK(list.count == 2 && list.todos[1].id == large, "list", "the id is %lld",
          list.count == 2 ? (long long)list.todos[1].id : -1LL);
    todo_list_clear(&list);
    must_fetch(&store, &large, 1, &list);
    CHECK(list.count == 1 && strcmp(list.todos[0].title, "large") == 0, "fetch", "another");
    id = create_one(&store, "next");
    CHECK(id == large + 1, "insert", "the id is %lld", (long long)id);
    must_begin(&store);
    must_load(&store, &large, 1, &list);
    must_delete(&store, &large, 1);
    must_commit(&store);
    todo_list_clear(&list);
    must_list(&store, &list);
    CHECK(list.count == 2 && list.todos[0].id == small && list.todos[1].id == id, "delete",
          "another todo is gone");
    todo_list_release(&list);
    run_sql(&store_config, "DELETE FROM todo_todoitem WHERE id > 5");
    if (store_config.database == CONFIG_DATABASE_SQLITE)
        run_sql(&store_config, "UPDATE sqlite_sequence SET seq = 5");
    else
        run_sql(&store_config, "ALTER TABLE todo_todoitem MODIFY id int AUTO_INCREMENT,"
                               " AUTO_INCREMENT = 6");
    store_close(&store);
}

struct plain_update {
    pthread_t thread;
    char sql[96];
    bool good;
    struct error err;
};

static void *run_plain_update(void *context)
{
    static const struct db_session_wait no_wait;
    struct plain_update *update = context;
    struct db_session session = {0};
    update->good = db_session_open(&session, &store_config, &no_wait, &update->err) &&
                   db_session_run(&session, update->sql, "update", &update->err);
    db_session_close(&session);
    return NULL;
}

/* Both wait at the same time, since they wait for seconds. */
static void test_waiting_for_a_lock_ends_in_a_conflict(void)
{
    struct todo_store_handle store;
    struct todo_list list = {0};
    struct plain_update update = {.good = true};
    store_open_empty(&store);
    int64_t id = create_one(&store, "old");
    must_begin(&store);
    must_load(&store, &id, 1, &list);
    snprintf(update.sql, sizeof update.sql,
             "UPDATE todo_todoitem SET title = 'theirs' WHERE id = %u", (unsigned)id);
    if (pthread_create(&update.thread, NULL, run_plain_update, &update) != 0)
        abort();
    struct lock_result result = lock_waiter_join(lock_waiter_start(id));
    pthread_join(update.thread, NULL);
    must_fail("the other store", result.good, &result.err, ERROR_CONFLICT);
    must_fail("another program", update.good, &update.err, ERROR_CONFLICT);
    if (store_config.database == CONFIG_DATABASE_SQLITE)
        CHECK(result.milliseconds > 1000 && result.milliseconds < 9000 + BUSY_MACHINE,
              "the other store", "it waited for %llu ms",
              (unsigned long long)result.milliseconds);
    change_title(&store, id, "ours");
    must_commit(&store);
    result = lock_waiter_join(lock_waiter_start(id));
    CHECK(result.good, "after the commit", "%s", result.err.text);
    CHECK_TEXT("after the commit", "title", "ours", result.title);
    todo_list_release(&list);
    store_close(&store);
}

CU_TestInfo store_tests[] = {
    TEST(test_list_is_in_order_of_id),
    TEST(test_fetch_gives_the_todos_that_exist),
    TEST(test_titles_come_back_as_they_were),
    TEST(test_order_and_completed_come_back),
    TEST(test_url_column_is_what_the_original_writes),
    TEST(test_urls_of_others_are_left_alone),
    TEST(test_a_thousand_at_once),
    TEST(test_ids_may_need_64_bits),
    TEST(test_calls_with_nothing_change_nothing),
    TEST(test_update_to_equal_values_is_well),
    TEST(test_updates_use_no_ids),
    TEST(test_nothing_is_seen_before_the_commit),
    TEST(test_a_reader_sees_each_commit),
    TEST(test_roll_back_leaves_nothing),
    TEST(test_a_store_closed_in_a_transaction_leaves_nothing),
    TEST(test_clear_deletes_all),
    TEST(test_a_refused_change_is_rolled_back_with_the_rest),
    TEST(test_a_refused_deletion_is_told_and_rolled_back),
    TEST(test_ids_are_right_while_others_insert),
    TEST(test_load_for_update_waits_for_the_other_transaction),
    TEST(test_waiting_for_a_lock_ends_in_a_conflict),
    CU_TEST_INFO_NULL,
};
