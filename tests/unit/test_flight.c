#include "base/log.h"
#include "fake_store.h"
#include "probe.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

#define PROBES_MAX 6

#define ALL "1 milk open -; 2 eggs open -; 3 - open -"

static const struct todo_query two = {.key = "two", .limit = 2};
static const struct todo_query again = {.key = "two", .limit = 2};
static const struct todo_query back = {.key = "back", .limit = 3, .is_backward = true};
static const struct todo_query milk = {.key = "milk", .search_length = 4};
static const struct todo_query eggs = {.key = "eggs", .search_length = 4};

/* clang-format off */
static const struct row {
    const char *name;
    struct fake_fault fault;
    struct {
        struct probe probe;
        enum todo_outcome outcome;
        const char *result;
    } probes[PROBES_MAX];
    size_t count;
    const char *trace; /* NULL: any */
} rows[] = {
    {"one list", {0}, {{{.kind = TODO_LIST}, TODO_DONE, ALL}}, 1, "list"},
    {"one for many lists", {0}, {{{.kind = TODO_LIST}, TODO_DONE, ALL},
                                 {{.kind = TODO_LIST}, TODO_DONE, ALL},
                                 {{.kind = TODO_LIST}, TODO_DONE, ALL}}, 3, "list"},
    {"one fetch", {0}, {{{.kind = TODO_FETCH, .id = 2}, TODO_DONE, "2 eggs open -"}}, 1, "fetch:2"},
    {"ids sorted and distinct", {0},
     {{{.kind = TODO_FETCH, .id = 3}, TODO_DONE, "3 - open -"},
      {{.kind = TODO_FETCH, .id = 1}, TODO_DONE, "1 milk open -"},
      {{.kind = TODO_FETCH, .id = 3}, TODO_DONE, "3 - open -"},
      {{.kind = TODO_FETCH, .id = 2}, TODO_DONE, "2 eggs open -"},
      {{.kind = TODO_FETCH, .id = 1}, TODO_DONE, "1 milk open -"}}, 5, "fetch:1,2,3"},
    {"ids that differ in the highest bit", {0},
     {{{.kind = TODO_FETCH, .id = UINT32_MAX}, TODO_NOT_FOUND, ""},
      {{.kind = TODO_FETCH, .id = 1}, TODO_DONE, "1 milk open -"},
      {{.kind = TODO_FETCH, .id = 0}, TODO_NOT_FOUND, ""}}, 3, "fetch:0,1,4294967295"},
    {"one that is not there", {0}, {{{.kind = TODO_FETCH, .id = 9}, TODO_NOT_FOUND, ""}}, 1, "fetch:9"},
    {"one there, one not", {0}, {{{.kind = TODO_FETCH, .id = 9}, TODO_NOT_FOUND, ""},
                                 {{.kind = TODO_FETCH, .id = 1}, TODO_DONE, "1 milk open -"}}, 2, "fetch:1,9"},
    {"list and fetches are one look", {0},
     {{{.kind = TODO_FETCH, .id = 2}, TODO_DONE, "2 eggs open -"},
      {{.kind = TODO_LIST}, TODO_DONE, ALL},
      {{.kind = TODO_FETCH, .id = 9}, TODO_NOT_FOUND, ""}}, 3, "list"},
    {"list last", {0}, {{{.kind = TODO_FETCH, .id = 2}, TODO_DONE, "2 eggs open -"},
                        {{.kind = TODO_LIST}, TODO_DONE, ALL}}, 2, "list"},

    {"many at once", {0},
     {{{.kind = TODO_FETCH_MANY, .ids = {3, 9, 1}}, TODO_DONE, "1 milk open -; 3 - open -"},
      {{.kind = TODO_FETCH, .id = 3}, TODO_DONE, "3 - open -"}}, 2, "fetch:1,3,9"},
    {"many at once, and a list", {0},
     {{{.kind = TODO_FETCH_MANY, .ids = {3, 9, 1}}, TODO_DONE, ALL}, {{.kind = TODO_LIST}, TODO_DONE, ALL}}, 2, "list"},
    {"a list too large, and many", {FAKE_LIST, 1, 9, ERROR_SYSTEM, false},
     {{{.kind = TODO_LIST}, TODO_OUT_OF_MEMORY, ""}, {{.kind = TODO_FETCH_MANY, .ids = {2}}, TODO_DONE, "2 eggs open -"}}, 2, NULL},

    {"refused", {FAKE_LIST, 1, 9, ERROR_DATABASE, false},
     {{{.kind = TODO_LIST}, TODO_FAILED, ""}, {{.kind = TODO_FETCH, .id = 1}, TODO_FAILED, ""}}, 2, "list"},
    {"more than there is memory for", {FAKE_LIST, 1, 9, ERROR_SYSTEM, false},
     {{{.kind = TODO_LIST}, TODO_OUT_OF_MEMORY, ""}, {{.kind = TODO_LIST}, TODO_OUT_OF_MEMORY, ""}}, 2, "list"},
    {"a list too large, and a todo", {FAKE_LIST, 1, 9, ERROR_SYSTEM, false},
     {{{.kind = TODO_LIST}, TODO_OUT_OF_MEMORY, ""}, {{.kind = TODO_FETCH, .id = 2}, TODO_DONE, "2 eggs open -"}}, 2, NULL},
    {"dead connection", {FAKE_FETCH, 1, 1, ERROR_UNAVAILABLE, false},
     {{{.kind = TODO_FETCH, .id = 1}, TODO_DONE, "1 milk open -"}}, 1, "fetch:1 fetch:1"},
    {"busy", {FAKE_LIST, 1, 1, ERROR_CONFLICT, false},
     {{{.kind = TODO_LIST}, TODO_DONE, ALL}}, 1, "list list"},
    {"two conflicts", {FAKE_LIST, 1, 2, ERROR_CONFLICT, false},
     {{{.kind = TODO_LIST}, TODO_DONE, ALL}}, 1, "list list list"},
    {"no database", {FAKE_LIST, 1, 99, ERROR_UNAVAILABLE, false},
     {{{.kind = TODO_LIST}, TODO_UNAVAILABLE, ""}, {{.kind = TODO_FETCH, .id = 1}, TODO_UNAVAILABLE, ""}}, 2,
     "list list list"},
    {"a query", {0}, {{{.kind = TODO_LIST, .query = &two, .has_more = true}, TODO_DONE, "1 milk open -; 2 eggs open -"}}, 1,
     "query:two"},
    {"a backward query", {0}, {{{.kind = TODO_LIST, .query = &back}, TODO_DONE, "3 - open -; 2 eggs open -; 1 milk open -"}}, 1,
     "query:back"},
    {"each query once, after the others' look, a search last", {0},
     {{{.kind = TODO_LIST, .query = &milk}, TODO_DONE, ALL},
      {{.kind = TODO_LIST, .query = &two, .has_more = true}, TODO_DONE, "1 milk open -; 2 eggs open -"},
      {{.kind = TODO_FETCH, .id = 2}, TODO_DONE, "2 eggs open -"},
      {{.kind = TODO_LIST, .query = &back}, TODO_DONE, "3 - open -; 2 eggs open -; 1 milk open -"},
      {{.kind = TODO_LIST}, TODO_DONE, ALL},
      {{.kind = TODO_LIST, .query = &again, .has_more = true}, TODO_DONE, "1 milk open -; 2 eggs open -"}}, 6,
     "list query:back query:two query:milk"},
    {"the oldest search, and no other", {0},
     {{{.kind = TODO_LIST, .query = &milk}, TODO_DONE, ALL},
      {{.kind = TODO_LIST, .query = &eggs}, TODO_DONE, NULL},
      {{.kind = TODO_LIST, .query = &milk}, TODO_DONE, ALL}}, 3, "query:milk"},
    {"a query that fails", {FAKE_QUERY, 1, 1, ERROR_DATABASE, false},
     {{{.kind = TODO_LIST, .query = &back}, TODO_FAILED, ""}, {{.kind = TODO_FETCH, .id = 1}, TODO_DONE, "1 milk open -"}}, 2,
     "fetch:1 query:back"},
    {"a query on a dead connection", {FAKE_QUERY, 1, 1, ERROR_UNAVAILABLE, false},
     {{{.kind = TODO_LIST, .query = &two, .has_more = true}, TODO_DONE, "1 milk open -; 2 eggs open -"}}, 1,
     "query:two query:two"},
    {"a query that took all its time", {FAKE_QUERY, 1, 99, ERROR_UNAVAILABLE, false},
     {{{.kind = TODO_LIST, .query = &milk, .deadline = 1}, TODO_UNAVAILABLE, ""}}, 1, "query:milk"},
    {"a query that one still waits for", {FAKE_QUERY, 1, 99, ERROR_UNAVAILABLE, false},
     {{{.kind = TODO_LIST, .query = &milk, .deadline = 1}, TODO_UNAVAILABLE, ""},
      {{.kind = TODO_LIST, .query = &milk}, TODO_UNAVAILABLE, ""}}, 2, "query:milk query:milk query:milk"},
    {"conflicts without end", {FAKE_FETCH, 1, 99, ERROR_CONFLICT, false},
     {{{.kind = TODO_FETCH, .id = 9}, TODO_UNAVAILABLE, ""}}, 1, "fetch:9 fetch:9 fetch:9"},
};
/* clang-format on */

static void check_probe(const struct row *row, size_t i, const struct probe *probe,
                        const struct probe *first)
{
    bool is_left = !row->probes[i].result;

    CHECK_NUMBER(row->name, "answers", is_left ? 0 : 1, probe->answers);
    if (is_left)
        return;
    if (row->trace && !strstr(row->trace, "query"))
        CHECK_NUMBER(row->name, "wave", 1, probe->wave);
    CHECK_NUMBER(row->name, "outcome", row->probes[i].outcome, probe->outcome);
    CHECK_TEXT(row->name, "result", row->probes[i].result, probe->result);
    CHECK(probe->has_more == row->probes[i].probe.has_more, row->name,
          "whether there are more");
    if (probe->kind == TODO_LIST && first->kind == TODO_LIST)
        CHECK(probe->list == first->list, row->name, "a list of its own");
}

/* `list` still holds what the row before left in it. */
static void check_row(const struct row *row, struct todo_list *list)
{
    struct fake_database database;
    struct todo_store_handle handle = {0};
    struct error err = {0};
    struct probes probes;
    struct probe asked[PROBES_MAX] = {0};
    struct todo_operation *operations[PROBES_MAX] = {0};

    fake_init(&database);
    database.faults[0] = row->fault;
    fake_add(&database, "milk");
    fake_add(&database, "eggs");
    fake_add(&database, NULL);
    CU_ASSERT_FATAL(fake_open(&database, &handle, &err));
    probes_init(&probes);
    for (size_t i = 0; i < row->count; i++) {
        asked[i] = row->probes[i].probe;
        operations[i] = probe_ask(&asked[i]);
        operations[i]->asked_at = i + 1;
        asked[i].has_more = false;
    }
    todo_flight_run(&handle, operations, row->count, list, probe_complete, &probes);
    for (size_t i = 0; i < row->count; i++) {
        check_probe(row, i, &asked[i], &asked[0]);
        probe_release(&probes, operations[i]);
    }
    if (row->trace)
        CHECK_TEXT(row->name, "trace", row->trace, database.trace.data);
    handle.driver->close(handle.store);
    CHECK(fake_release(&database, row->name), row->name, "the store complains");
    probes_release(&probes);
}

static void test_reads_share_one_look(void)
{
    struct todo_list list = {0};

    log_configure(CONFIG_LOG_JSON, CONFIG_LOG_ERROR, false); /* failures are told as warnings */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i], &list);
    log_configure(CONFIG_LOG_AUTO, CONFIG_LOG_INFO, false);
    todo_list_release(&list);
}

CU_TestInfo flight_tests[] = {
    {"reads share one look", test_reads_share_one_look},
    CU_TEST_INFO_NULL,
};
