#include "base/log.h"
#include "fake_store.h"
#include "probe.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

#define PROBES_MAX 6

#define CREATE(...)                                                                            \
    {                                                                                          \
        .kind = TODO_CREATE, .title = __VA_ARGS__                                              \
    }
#define UPDATE(number, ...)                                                                    \
    {                                                                                          \
        .kind = TODO_UPDATE, .id = (number), __VA_ARGS__                                       \
    }
#define DELETE(number)                                                                         \
    {                                                                                          \
        .kind = TODO_DELETE, .id = (number)                                                    \
    }
#define CLEAR                                                                                  \
    {                                                                                          \
        .kind = TODO_CLEAR                                                                     \
    }

/* Each row starts with these. */
#define MILK  "1 milk open -"
#define EGGS  "2 eggs open -"
#define TEA   "3 tea open -"
#define START MILK "; " EGGS "; " TEA

/* clang-format off */
static const struct row {
    const char *name;
    struct fake_fault faults[FAKE_FAULTS_MAX];
    uint32_t increment; /* 0: 1 */
    struct {
        struct probe probe;
        enum todo_outcome outcome;
        const char *result;
    } probes[PROBES_MAX];
    size_t count;
    unsigned waves;
    const char *trace; /* NULL: any */
    const char *table; /* afterwards */
} rows[] = {
    {"create", {{0}}, 0, {{CREATE("a"), TODO_DONE, "4 a open -"}}, 1, 1,
     "begin insert:4 commit", START "; 4 a open -"},
    {"creates, in order of arrival", {{0}}, 0,
     {{CREATE("c", .completed = true), TODO_DONE, "4 c done -"},
      {CREATE("a", .order = -5), TODO_DONE, "5 a open -5"},
      {CREATE("b", .url_format = TODO_URL_FORMAT_JSON), TODO_DONE, "6 b open -?format=json"}}, 3, 1,
     "begin insert:4,5,6 commit", START "; 4 c done -; 5 a open -5; 6 b open -?format=json"},
    {"create of nothing", {{0}}, 0, {{CREATE(NULL), TODO_DONE, "4 - open -"}}, 1, 1, NULL, START "; 4 - open -"},
    {"ids with gaps", {{0}}, 3,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {CREATE("b"), TODO_DONE, "7 b open -"},
      {CREATE("c"), TODO_DONE, "10 c open -"}}, 3, 1,
     "begin insert:4,7,10 commit", START "; 4 a open -; 7 b open -; 10 c open -"},
    {"update", {{0}}, 0, {{UPDATE(2, .title = "x"), TODO_DONE, "2 x open -"}}, 1, 1,
     "begin load:2 update:2 commit", MILK "; 2 x open -; " TEA},
    {"update of nothing", {{0}}, 0, {{UPDATE(2, .title = NULL), TODO_DONE, EGGS}}, 1, 1, NULL, START},
    {"updates of one todo", {{0}}, 0,
     {{UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"},
      {UPDATE(1, .completed = true), TODO_DONE, "1 x done -"},
      {UPDATE(1, .order = 5), TODO_DONE, "1 x done 5"},
      {UPDATE(1, .title = "y", .order = 6), TODO_DONE, "1 y done 6"}}, 4, 1,
     "begin load:1 update:1 commit", "1 y done 6; " EGGS "; " TEA},
    {"updates of many", {{0}}, 0,
     {{UPDATE(3, .title = "x"), TODO_DONE, "3 x open -"}, {UPDATE(1, .order = 1), TODO_DONE, "1 milk open 1"},
      {UPDATE(3, .order = 2), TODO_DONE, "3 x open 2"},
      {UPDATE(2, .completed = true), TODO_DONE, "2 eggs done -"}}, 4, 1,
     "begin load:1,2,3 update:1,2,3 commit", "1 milk open 1; 2 eggs done -; 3 x open 2"},
    {"what is not there", {{0}}, 0,
     {{UPDATE(9, .title = "x"), TODO_NOT_FOUND, ""}, {DELETE(8), TODO_NOT_FOUND, ""},
      {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}}, 3, 1,
     "begin load:1,8,9 update:1 commit", "1 x open -; " EGGS "; " TEA},
    {"delete", {{0}}, 0, {{DELETE(2), TODO_DONE, ""}}, 1, 1, "begin load:2 delete:2 commit", MILK "; " TEA},
    {"deletes, in any order", {{0}}, 0, {{DELETE(3), TODO_DONE, ""}, {DELETE(1), TODO_DONE, ""}}, 2, 1,
     "begin load:1,3 delete:1,3 commit", EGGS},
    {"delete twice", {{0}}, 0, {{DELETE(2), TODO_DONE, ""}, {DELETE(2), TODO_NOT_FOUND, ""}}, 2, 1,
     "begin load:2 delete:2 commit", MILK "; " TEA},
    {"update after delete", {{0}}, 0,
     {{DELETE(2), TODO_DONE, ""}, {UPDATE(2, .title = "x"), TODO_NOT_FOUND, ""},
      {DELETE(2), TODO_NOT_FOUND, ""}}, 3, 1,
     "begin load:2 delete:2 commit", MILK "; " TEA},
    {"delete after update", {{0}}, 0,
     {{UPDATE(2, .title = "x"), TODO_DONE, "2 x open -"}, {DELETE(2), TODO_DONE, ""}}, 2, 1, NULL, MILK "; " TEA},
    {"all kinds", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {DELETE(2), TODO_DONE, ""},
      {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {CREATE("b"), TODO_DONE, "5 b open -"},
      {UPDATE(2, .title = "y"), TODO_NOT_FOUND, ""}, {DELETE(9), TODO_NOT_FOUND, ""}}, 6, 1,
     "begin load:1,2,9 insert:4,5 update:1 delete:2 commit", "1 x open -; " TEA "; 4 a open -; 5 b open -"},
    {"clear", {{0}}, 0, {{CLEAR, TODO_DONE, ""}}, 1, 1, "begin clear commit", ""},
    {"clear in the middle", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"},
      {CLEAR, TODO_DONE, ""},
      {UPDATE(1, .title = "y"), TODO_NOT_FOUND, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 5, 3,
     "begin load:1 insert:4 update:1 commit begin clear commit begin load:1 insert:5 commit",
     "5 b open -"},
    {"clear first and last", {{0}}, 0,
     {{CLEAR, TODO_DONE, ""}, {CLEAR, TODO_DONE, ""}, {CREATE("a"), TODO_DONE, "4 a open -"},
      {CLEAR, TODO_DONE, ""}}, 4, 4,
     "begin clear commit begin clear commit begin insert:4 commit begin clear commit", ""},

    {"bad create among good ones", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "5 a open -"}, {CREATE("bad"), TODO_FAILED, ""},
      {CREATE("b"), TODO_DONE, "6 b open -"}}, 3, 3,
     "begin insert:4 roll_back begin insert:5 commit begin insert roll_back begin insert:6 commit",
     START "; 5 a open -; 6 b open -"},
    {"bad update among good ones", {{0}}, 0,
     {{UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {UPDATE(2, .title = "bad"), TODO_FAILED, ""},
      {UPDATE(2, .completed = true), TODO_DONE, "2 eggs done -"}, {DELETE(3), TODO_DONE, ""},
      {UPDATE(3, .title = "y"), TODO_NOT_FOUND, ""}}, 5, 5, NULL, "1 x open -; 2 eggs done -"},
    {"bad create before a clear", {{0}}, 0,
     {{CREATE("bad"), TODO_FAILED, ""}, {CREATE("a"), TODO_DONE, "4 a open -"}, {CLEAR, TODO_DONE, ""},
      {CREATE("b"), TODO_DONE, "5 b open -"}}, 4, 4, NULL, "5 b open -"},
    {"a lone bad create is tried once", {{0}}, 0, {{CREATE("bad"), TODO_FAILED, ""}}, 1, 1,
     "begin insert roll_back", START},
    {"everything refused", {{FAKE_BEGIN, 1, 9, ERROR_DATABASE, false}}, 0,
     {{CREATE("a"), TODO_FAILED, ""}, {DELETE(1), TODO_FAILED, ""}}, 2, 2, "begin begin begin", START},
    {"no memory once", {{FAKE_LOAD, 1, 1, ERROR_SYSTEM, false}}, 0,
     {{DELETE(1), TODO_DONE, ""}, {DELETE(1), TODO_NOT_FOUND, ""}}, 2, 2,
     "begin load:1 roll_back begin load:1 delete:1 commit begin load:1 commit", EGGS "; " TEA},
    {"refused at commit", {{FAKE_COMMIT, 1, 1, ERROR_DATABASE, false}}, 0,
     {{DELETE(1), TODO_DONE, ""}, {DELETE(2), TODO_DONE, ""}}, 2, 2,
     "begin load:1,2 delete:1,2 commit roll_back begin load:1 delete:1 commit begin load:2 delete:2 commit", TEA},
    {"refused clear", {{FAKE_CLEAR, 1, 1, ERROR_DATABASE, false}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {CLEAR, TODO_FAILED, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 3, 3,
     "begin insert:4 commit begin clear roll_back begin insert:5 commit", START "; 4 a open -; 5 b open -"},

    {"conflict at load", {{FAKE_LOAD, 1, 1, ERROR_CONFLICT, false}}, 0,
     {{UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {UPDATE(1, .order = 1), TODO_DONE, "1 x open 1"}}, 2, 1,
     "begin load:1 roll_back begin load:1 update:1 commit", "1 x open 1; " EGGS "; " TEA},
    {"conflict at commit", {{FAKE_COMMIT, 1, 2, ERROR_CONFLICT, false}}, 0,
     {{CREATE("a"), TODO_DONE, "6 a open -"}, {DELETE(1), TODO_DONE, ""}, {UPDATE(1, .title = "x"), TODO_NOT_FOUND, ""}}, 3, 1,
     "begin load:1 insert:4 delete:1 commit roll_back begin load:1 insert:5 delete:1 commit roll_back "
     "begin load:1 insert:6 delete:1 commit", EGGS "; " TEA "; 6 a open -"},
    {"conflict at clear", {{FAKE_CLEAR, 1, 1, ERROR_CONFLICT, false}}, 0, {{CLEAR, TODO_DONE, ""}}, 1, 1,
     "begin clear roll_back begin clear commit", ""},
    {"conflicts without end", {{FAKE_UPDATE, 1, 99, ERROR_CONFLICT, false}}, 0,
     {{UPDATE(1, .title = "x"), TODO_UNAVAILABLE, ""}, {CREATE("a"), TODO_UNAVAILABLE, ""}}, 2, 1,
     "begin load:1 insert:4 update roll_back begin load:1 insert:5 update roll_back "
     "begin load:1 insert:6 update roll_back begin load:1 insert:7 update roll_back "
     "begin load:1 insert:8 update roll_back", START},

    {"dead connection at begin", {{FAKE_BEGIN, 1, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}}, 1, 1, "begin begin insert:4 commit", START "; 4 a open -"},
    {"connection lost before the commit", {{FAKE_UPDATE, 1, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_DONE, "5 a open -"}, {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}}, 2, 1,
     "begin load:1 insert:4 update roll_back begin load:1 insert:5 update:1 commit",
     "1 x open -; " EGGS "; " TEA "; 5 a open -"},
    {"no database", {{FAKE_BEGIN, 1, 99, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_UNAVAILABLE, ""}, {DELETE(1), TODO_UNAVAILABLE, ""}}, 2, 1, "begin begin", START},
    {"connection lost, then none", {{FAKE_INSERT, 1, 1, ERROR_UNAVAILABLE, false}, {FAKE_BEGIN, 2, 9, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_UNAVAILABLE, ""}}, 1, 1, "begin insert roll_back begin", START},
    {"conflict, then a lost connection", {{FAKE_LOAD, 1, 1, ERROR_CONFLICT, false}, {FAKE_BEGIN, 2, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{DELETE(1), TODO_DONE, ""}}, 1, 1, "begin load:1 roll_back begin begin load:1 delete:1 commit", EGGS "; " TEA},

    {"connection lost in the commit, which was made", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a"), TODO_OUTCOME_UNKNOWN, ""}, {CREATE("b"), TODO_OUTCOME_UNKNOWN, ""},
      {UPDATE(1, .title = "x"), TODO_OUTCOME_UNKNOWN, ""}, {DELETE(2), TODO_OUTCOME_UNKNOWN, ""},
      {DELETE(9), TODO_OUTCOME_UNKNOWN, ""}}, 5, 1,
     "begin load:1,2,9 insert:4,5 update:1 delete:2 commit roll_back", "1 x open -; " TEA "; 4 a open -; 5 b open -"},
    {"connection lost in the commit, which was not made", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, false}}, 0,
     {{CREATE("a"), TODO_OUTCOME_UNKNOWN, ""}, {CREATE("b"), TODO_OUTCOME_UNKNOWN, ""}}, 2, 1,
     "begin insert:4,5 commit roll_back", START},
    {"connection lost in the commit of one alone", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a"), TODO_OUTCOME_UNKNOWN, ""}, {CREATE("bad"), TODO_FAILED, ""}, {CREATE("b"), TODO_DONE, "6 b open -"}}, 3, 3,
     "begin insert:4 roll_back begin insert:5 commit roll_back begin insert roll_back begin insert:6 commit",
     START "; 5 a open -; 6 b open -"},
    {"connection lost in the commit of a clear", {{FAKE_COMMIT, 2, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {CLEAR, TODO_OUTCOME_UNKNOWN, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 3, 3,
     "begin insert:4 commit begin clear commit roll_back begin insert:5 commit", "5 b open -"},
};
/* clang-format on */

/* A database with three todos, a store on it, and what they are asked. */
struct bench {
    struct fake_database database;
    struct todo_store_handle handle;
    struct todo_list list;
    struct probes probes;
};

static void bench_init(struct bench *bench, const struct row *row)
{
    struct error err = {0};

    *bench = (struct bench){0};
    log_configure(CONFIG_LOG_JSON, CONFIG_LOG_ERROR); /* failures are told as warnings */
    fake_init(&bench->database);
    fake_add(&bench->database, "milk");
    fake_add(&bench->database, "eggs");
    fake_add(&bench->database, "tea");
    bench->database.bad_title = "bad";
    if (row)
        memcpy(bench->database.faults, row->faults, sizeof(row->faults));
    if (row && row->increment)
        bench->database.increment = row->increment;
    CU_ASSERT_FATAL(fake_open(&bench->database, &bench->handle, &err));
    probes_init(&bench->probes);
}

static void bench_release(struct bench *bench, const char *name)
{
    bench->handle.driver->close(bench->handle.store);
    todo_list_release(&bench->list);
    CHECK_NUMBER(name, "mistakes", 0, bench->probes.mistakes);
    probes_release(&bench->probes);
    CHECK(fake_release(&bench->database, name), name, "the store complains");
    log_configure(CONFIG_LOG_AUTO, CONFIG_LOG_INFO);
}

static void check_probe(const struct row *row, size_t i, const struct probe *probe)
{
    char what[32];

    (void)snprintf(what, sizeof(what), "operation %zu", i + 1);
    CHECK(probe->answers == 1, row->name, "%s was answered %u times", what, probe->answers);
    CHECK(probe->place == i + 1, row->name, "%s was answered as number %u", what, probe->place);
    CHECK_NUMBER(row->name, what, row->probes[i].outcome, probe->outcome);
    CHECK_TEXT(row->name, what, row->probes[i].result, probe->result);
}

static void check_row(const struct row *row)
{
    struct bench bench;
    struct probe asked[PROBES_MAX] = {0};
    struct todo_operation *operations[PROBES_MAX] = {0};
    struct buffer table = {0};

    bench_init(&bench, row);
    for (size_t i = 0; i < row->count; i++) {
        asked[i] = row->probes[i].probe;
        operations[i] = probe_ask(&asked[i]);
    }
    todo_batch_run(&bench.handle, operations, row->count, &bench.list, probe_complete,
                   &bench.probes);
    for (size_t i = 0; i < row->count; i++) {
        check_probe(row, i, &asked[i]);
        probe_release(&bench.probes, operations[i]);
    }
    CHECK_NUMBER(row->name, "waves of answers", row->waves, bench.probes.waves);
    if (row->trace)
        CHECK_TEXT(row->name, "trace", row->trace, bench.database.trace.data);
    fake_describe_table(&bench.database, &table);
    CHECK_TEXT(row->name, "table", row->table, table.data ? table.data : "");
    buffer_release(&table);
    bench_release(&bench, row->name);
}

static void test_each_operation_gets_its_own_result(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

static const struct probe mixed[] = {
    CREATE("a"), UPDATE(1, .title = "x"), DELETE(2), UPDATE(3, .order = 1), DELETE(99),
};

#define MIXED_COUNT (sizeof(mixed) / sizeof(mixed[0]))

static unsigned count_calls(size_t size)
{
    struct bench bench;
    struct probe asked[100] = {0};
    struct todo_operation *operations[100] = {0};
    unsigned calls = 0;

    bench_init(&bench, NULL);
    for (size_t i = 0; i < size; i++) {
        asked[i] = mixed[i % MIXED_COUNT];
        operations[i] = probe_ask(&asked[i]);
    }
    todo_batch_run(&bench.handle, operations, size, &bench.list, probe_complete, &bench.probes);
    for (size_t i = 0; i < size; i++) {
        CHECK_NUMBER("constant number", "answers", 1, asked[i].answers);
        probe_release(&bench.probes, operations[i]);
    }
    for (unsigned call = 0; call < FAKE_CALL_COUNT; call++) {
        CHECK(bench.database.calls[call] <= 1, "constant number", "call %u of a batch of %zu",
              call, size);
        calls += bench.database.calls[call];
    }
    bench_release(&bench, "constant number");
    return calls;
}

static void test_a_batch_of_any_size_is_a_constant_number_of_calls(void)
{
    unsigned calls = count_calls(MIXED_COUNT);

    CU_ASSERT(calls <= 6); /* begin, load, insert, update, delete, commit */
    CU_ASSERT_EQUAL(count_calls(20), calls);
    CU_ASSERT_EQUAL(count_calls(100), calls);
}

CU_TestInfo batch_tests[] = {
    {"each operation gets its own result",                test_each_operation_gets_its_own_result},
    {"a batch of any size is a constant number of calls",
     test_a_batch_of_any_size_is_a_constant_number_of_calls                                      },
    CU_TEST_INFO_NULL,
};
