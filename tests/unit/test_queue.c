#include "base/clock.h"
#include "base/log.h"
#include "fake_store.h"
#include "probe.h"
#include "suites.h"
#include "work/queue.h"

#include "../integration/check.h"

#include <string.h>

/* A queue on a database in memory. */
struct bench {
    struct probes probes; /* first: the context of the probes' callbacks and of open_store */
    struct fake_database database;
    struct todo_queue *queue;
    const char *name; /* of the test */
    unsigned submitted;
    bool expires_late;     /* expire is called after each wave of answers */
    size_t list_limit;     /* 0: none */
    size_t long_list;      /* 0: none is long */
    bool is_list_slow;     /* making its answer takes as long as another operation */
    bool was_overtaken;    /* and that had its answer before */
    unsigned failing_open; /* 1: the first store is not opened */
};

static void bench_init(struct bench *bench, const char *name)
{
    *bench = (struct bench){.name = name};
    fake_init(&bench->database);
    probes_init(&bench->probes);
}

static bool open_store(void *context, struct todo_store_handle *handle, struct error *err)
{
    struct bench *bench = context;

    if (bench->failing_open > 0 && bench->database.opened + 1 == bench->failing_open)
        return error_set(err, ERROR_CONFIG, "told to fail");
    return fake_open(&bench->database, handle, err);
}

/* Time goes on while answers are made. */
static void complete(void *context, struct todo_operation *const *operations, size_t count)
{
    struct bench *bench = context;

    if (bench->is_list_slow && operations[0]->kind == TODO_LIST)
        bench->was_overtaken = probes_wait(&bench->probes, 1);
    probe_complete(context, operations, count);
    if (bench->expires_late)
        todo_queue_expire(bench->queue, 100);
}

static bool start(struct bench *bench, unsigned readers, size_t batch, size_t capacity)
{
    struct error err = {0};

    bench->queue = todo_queue_start(
        &(struct todo_queue_settings){
            .readers = readers,
            .batch = batch,
            .capacity = capacity,
            .long_list = bench->long_list > 0 ? bench->long_list : SIZE_MAX,
            .list_limit = bench->list_limit,
            .open_store = open_store,
            .complete = complete,
            .give_up = probe_give_up,
            .release = probe_release,
            .context = bench,
        },
        &err);
    return CHECK(bench->queue != NULL, bench->name, "start: %s", err.text);
}

static bool submit(struct bench *bench, struct probe *probe)
{
    struct todo_operation *operation = probe_ask(probe);

    if (!todo_queue_submit(bench->queue, operation)) {
        probe_release(&(struct probes){.lock = PTHREAD_MUTEX_INITIALIZER,
                                       .changed = PTHREAD_COND_INITIALIZER},
                      operation); /* still ours */
        probe->releases = 0;
        return false;
    }
    todo_queue_wake(bench->queue);
    bench->submitted++;
    return true;
}

static void submit_all(struct bench *bench, struct probe *probes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK(submit(bench, &probes[i]), bench->name, "probe %zu was refused", i);
}

/* Until everything that was submitted is released. */
static void finish(struct bench *bench)
{
    CHECK(probes_wait(&bench->probes, bench->submitted), bench->name, "not all is released");
}

static void bench_release(struct bench *bench, unsigned workers)
{
    if (bench->queue)
        todo_queue_stop(bench->queue);
    CHECK_NUMBER(bench->name, "stores opened", workers, bench->database.opened);
    CHECK_NUMBER(bench->name, "mistakes", 0, bench->probes.mistakes);
    CHECK_NUMBER(bench->name, "answers", bench->submitted, bench->probes.answers);
    CHECK_NUMBER(bench->name, "releases", bench->submitted, bench->probes.releases);
    CHECK(fake_release(&bench->database, bench->name), bench->name, "a store complains");
    probes_release(&bench->probes);
}

static void check_probe(const struct bench *bench, const struct probe *probe,
                        enum todo_outcome outcome, const char *result)
{
    CHECK_NUMBER(bench->name, "answers", 1, probe->answers);
    CHECK_NUMBER(bench->name, "releases", 1, probe->releases);
    CHECK_NUMBER(bench->name, "outcome", outcome, probe->outcome);
    CHECK_TEXT(bench->name, "result", result, probe->result);
}

/* Puts a question in the air and keeps it there, in a call of this kind. */
static void hold(struct bench *bench, struct probe *probe, enum fake_call call)
{
    fake_hold(&bench->database, call);
    submit_all(bench, probe, 1);
    CHECK(fake_wait_held(&bench->database, 1), bench->name, "nothing is in the air");
}

static void test_a_lone_operation_is_answered_at_once(void)
{
    struct probe probes[] = {
        {.kind = TODO_CREATE, .title = "a"},
        {.kind = TODO_FETCH,                   .id = 1},
        {.kind = TODO_UPDATE,.id = 1, .order = 5},
        {.kind = TODO_LIST},
        {.kind = TODO_DELETE,         .id = 1},
        {.kind = TODO_FETCH,   .id = 1},
        {.kind = TODO_CLEAR},
    };
    static const char *const results[] = {
        "1 a open -", "1 a open -", "1 a open 5", "1 a open 5", "", "", ""};
    struct bench bench;

    bench_init(&bench, "lone operations");
    start(&bench, 1, 10, 10);
    for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
        submit_all(&bench, &probes[i], 1);
        finish(&bench);
        check_probe(&bench, &probes[i], i == 5 ? TODO_NOT_FOUND : TODO_DONE, results[i]);
    }
    bench_release(&bench, 2);
}

/* The rule that makes answers linearizable: what is asked after a write was answered sees it,
 * though an older look is still in the air. */
static void test_a_read_never_joins_the_flight_in_the_air(void)
{
    struct probe first = {.kind = TODO_LIST};
    struct probe write = {.kind = TODO_CREATE, .title = "a"};
    struct probe later[] = {
        {.kind = TODO_LIST },
        {.kind = TODO_FETCH, .id = 1},
        {.kind = TODO_LIST                 }
    };
    struct bench bench;

    bench_init(&bench, "next flight");
    start(&bench, 1, 10, 10);
    hold(&bench, &first, FAKE_LIST);
    submit_all(&bench, &write, 1);
    CHECK(probes_wait(&bench.probes, 1), bench.name, "a write waits for a read");
    submit_all(&bench, later, 3);
    CHECK_NUMBER(bench.name, "answers while it is in the air", 1, bench.probes.answers);
    fake_let_go(&bench.database);
    finish(&bench);
    check_probe(&bench, &first, TODO_DONE, "");
    check_probe(&bench, &write, TODO_DONE, "1 a open -");
    for (size_t i = 0; i < 3; i++) {
        check_probe(&bench, &later[i], TODO_DONE, "1 a open -");
        CHECK_NUMBER(bench.name, "wave", later[0].wave, later[i].wave);
    }
    CHECK_NUMBER(bench.name, "looks", 2, fake_calls(&bench.database, FAKE_LIST));
    CHECK_NUMBER(bench.name, "fetches", 0, fake_calls(&bench.database, FAKE_FETCH));
    bench_release(&bench, 2);
}

static void test_writes_keep_their_order_and_commit_together(void)
{
    struct probe first = {.kind = TODO_CREATE, .title = "a"};
    struct probe later[] = {
        {.kind = TODO_UPDATE, .id = 1,      .title = "b"},
        {.kind = TODO_CREATE, .title = "c"},
        {.kind = TODO_UPDATE,            .id = 1,   .order = 7            },
        {.kind = TODO_UPDATE,            .id = 1, .title = "d"},
        {.kind = TODO_DELETE,            .id = 1            },
        {.kind = TODO_UPDATE,       .id = 1,                   .title = "e"            },
    };
    static const char *const results[] = {"1 b open -", "2 c open -", "1 b open 7",
                                          "1 d open 7", "",           ""};
    struct bench bench;

    bench_init(&bench, "order of writes");
    start(&bench, 1, 10, 10);
    hold(&bench, &first, FAKE_COMMIT);
    submit_all(&bench, later, 6);
    fake_let_go(&bench.database);
    finish(&bench);
    check_probe(&bench, &first, TODO_DONE, "1 a open -");
    for (size_t i = 0; i < 6; i++) {
        check_probe(&bench, &later[i], i == 5 ? TODO_NOT_FOUND : TODO_DONE, results[i]);
        CHECK_NUMBER(bench.name, "place", (long long)i + 2, later[i].place);
    }
    CHECK_NUMBER(bench.name, "commits", 2, fake_calls(&bench.database, FAKE_COMMIT));
    bench_release(&bench, 2);
}

static void test_a_full_queue_refuses(void)
{
    struct probe first = {.kind = TODO_FETCH, .id = 1};
    struct probe reads[3] = {{.kind = TODO_LIST}, {.kind = TODO_FETCH}, {.kind = TODO_LIST}};
    struct probe write = {.kind = TODO_CREATE, .title = "a"};
    struct probe more = {.kind = TODO_LIST};
    struct bench bench;

    bench_init(&bench, "full queue");
    start(&bench, 1, 10, 2);
    hold(&bench, &first, FAKE_FETCH);
    submit_all(&bench, reads, 2);
    CHECK(!submit(&bench, &reads[2]), bench.name, "one too many was accepted");
    submit_all(&bench, &write, 1); /* has a lane of its own */
    fake_let_go(&bench.database);
    finish(&bench);
    submit_all(&bench, &more, 1); /* there is room again */
    finish(&bench);
    CHECK_NUMBER(bench.name, "answers of the refused one", 0, reads[2].answers);
    CHECK_NUMBER(bench.name, "outcome", TODO_DONE, more.outcome);
    bench_release(&bench, 2);
}

static void test_a_batch_has_a_limit(void)
{
    static const struct {
        const char *name;
        enum todo_operation_kind kind;
        enum fake_call call;
    } rows[] = {
        {"reads",  TODO_LIST,   FAKE_LIST  },
        {"writes", TODO_CREATE, FAKE_COMMIT},
    };

    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct probe first = {.kind = rows[row].kind};
        struct probe later[5];
        struct bench bench;

        bench_init(&bench, rows[row].name);
        start(&bench, 1, 2, 10);
        hold(&bench, &first, rows[row].call);
        for (size_t i = 0; i < 5; i++)
            later[i] = (struct probe){.kind = rows[row].kind};
        submit_all(&bench, later, 5);
        fake_let_go(&bench.database);
        finish(&bench);
        for (size_t i = 0; i < 5; i++)
            CHECK_NUMBER(bench.name, "wave", 2 + (long long)i / 2, later[i].wave);
        CHECK_NUMBER(bench.name, "calls", 4, fake_calls(&bench.database, rows[row].call));
        bench_release(&bench, 2);
    }
}

/* Deadlines are 100 or never; the time is 100. The ones that wait expire from the front, from
 * the middle and from the end of their lane. */
static void test_what_waits_too_long_is_given_up(void)
{
    static const struct {
        const char *name;
        bool expires[4];
    } rows[] = {
        {"none",   {false, false, false, false}},
        {"first",  {true, false, false, false} },
        {"middle", {false, true, true, false}  },
        {"last",   {false, false, false, true} },
        {"ends",   {true, false, false, true}  },
        {"all",    {true, true, true, true}    },
    };

    for (size_t row = 0; row < 2 * (sizeof(rows) / sizeof(rows[0])); row++) {
        bool is_write = row % 2 == 1;
        const bool *expires = rows[row / 2].expires;
        struct probe first = {.kind = is_write ? TODO_CREATE : TODO_LIST};
        struct probe waiting[5];
        struct bench bench;
        unsigned gone = 0;

        bench_init(&bench, rows[row / 2].name);
        start(&bench, 1, 10, 5);
        hold(&bench, &first, is_write ? FAKE_COMMIT : FAKE_LIST);
        for (size_t i = 0; i < 5; i++)
            waiting[i] = (struct probe){.kind = first.kind,
                                        .deadline = i < 4 && expires[i] ? 100 : PROBE_NEVER};
        submit_all(&bench, waiting, 4);
        todo_queue_expire(bench.queue, 99);
        CHECK_NUMBER(bench.name, "answers too early", 0, bench.probes.answers);
        todo_queue_expire(bench.queue, 100);
        for (size_t i = 0; i < 4; i++) {
            gone += expires[i];
            CHECK_NUMBER(bench.name, "given up", expires[i], waiting[i].given_up);
            CHECK_NUMBER(bench.name, "released", expires[i], waiting[i].releases);
        }
        CHECK_NUMBER(bench.name, "released at once", gone, bench.probes.releases);
        submit_all(&bench, &waiting[4], 1); /* the lane goes on */
        todo_queue_expire(bench.queue, 101);
        fake_let_go(&bench.database);
        finish(&bench);
        CHECK_NUMBER(bench.name, "outcome of the running one", TODO_DONE, first.outcome);
        for (size_t i = 0; i < 5; i++)
            CHECK_NUMBER(bench.name, "outcome",
                         i < 4 && expires[i] ? TODO_TIMED_OUT : TODO_DONE, waiting[i].outcome);
        CHECK_NUMBER(bench.name, "rows", is_write ? 6 - (long long)gone : 0,
                     (long long)bench.database.table.count);
        bench_release(&bench, 2);
    }
}

static void test_room_is_free_again_after_a_wait_was_given_up(void)
{
    struct probe first = {.kind = TODO_LIST};
    struct probe waiting[4] = {
        {.kind = TODO_LIST, .deadline = 100},
        {.kind = TODO_LIST,                 .deadline = 100},
        {.kind = TODO_LIST},
        {.kind = TODO_LIST}
    };
    struct bench bench;

    bench_init(&bench, "room again");
    start(&bench, 1, 10, 2);
    hold(&bench, &first, FAKE_LIST);
    submit_all(&bench, waiting, 2);
    todo_queue_expire(bench.queue, 100);
    submit_all(&bench, waiting + 2, 2);
    fake_let_go(&bench.database);
    finish(&bench);
    bench_release(&bench, 2);
}

/* Two share a flight or batch; when one or both are over their time, it is in the air. */
static void test_what_runs_too_long_is_given_up_and_released_later(void)
{
    /* clang-format off */
    static const struct {
        const char *name;
        struct probe first; /* is in the air while the two come */
        enum fake_call first_call;
        struct probe probe;
        enum fake_call call; /* that the two are held in */
        bool both;
        enum todo_outcome outcome;
    } rows[] = {
        {"list", {.kind = TODO_FETCH}, FAKE_FETCH, {.kind = TODO_LIST}, FAKE_LIST, false, TODO_TIMED_OUT},
        {"fetch", {.kind = TODO_LIST}, FAKE_LIST, {.kind = TODO_FETCH}, FAKE_FETCH, false, TODO_TIMED_OUT},
        {"both reads", {.kind = TODO_LIST}, FAKE_LIST, {.kind = TODO_FETCH}, FAKE_FETCH, true, TODO_TIMED_OUT},
        {"create", {.kind = TODO_CLEAR}, FAKE_CLEAR, {.kind = TODO_CREATE}, FAKE_INSERT, false, TODO_TIMED_OUT},
        {"update", {.kind = TODO_CLEAR}, FAKE_CLEAR, {.kind = TODO_UPDATE}, FAKE_LOAD, false, TODO_TIMED_OUT},
        {"both deletes", {.kind = TODO_CLEAR}, FAKE_CLEAR, {.kind = TODO_DELETE}, FAKE_LOAD, true, TODO_TIMED_OUT},
        {"committing create", {.kind = TODO_CLEAR}, FAKE_COMMIT, {.kind = TODO_CREATE}, FAKE_COMMIT, false, TODO_OUTCOME_UNKNOWN},
        {"committing deletes", {.kind = TODO_CLEAR}, FAKE_COMMIT, {.kind = TODO_DELETE}, FAKE_COMMIT, true, TODO_OUTCOME_UNKNOWN},
    };
    /* clang-format on */

    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct probe first = rows[row].first;
        struct probe probes[2] = {rows[row].probe, rows[row].probe};
        struct bench bench;

        probes[0].deadline = 100;
        probes[1].deadline = rows[row].both ? 100 : PROBE_NEVER;
        bench_init(&bench, rows[row].name);
        start(&bench, 1, 10, 10);
        hold(&bench, &first, rows[row].first_call);
        submit_all(&bench, probes, 2);
        fake_hold(&bench.database, rows[row].call);
        CHECK(fake_wait_held(&bench.database, 1), bench.name, "the two are not in the air");
        todo_queue_expire(bench.queue, 99);
        CHECK_NUMBER(bench.name, "too early", 0, probes[0].answers);
        todo_queue_expire(bench.queue, 100);
        todo_queue_expire(bench.queue, 101); /* once is enough */
        for (size_t i = 0; i < 2; i++) {
            CHECK_NUMBER(bench.name, "given up", i == 0 || rows[row].both, probes[i].given_up);
            CHECK_NUMBER(bench.name, "releases in the air", 0, probes[i].releases);
        }
        fake_let_go(&bench.database);
        finish(&bench);
        check_probe(&bench, &probes[0], rows[row].outcome, "");
        CHECK_NUMBER(bench.name, "answers of the other", 1, probes[1].answers);
        CHECK_NUMBER(bench.name, "other given up", rows[row].both, probes[1].given_up);
        CHECK_NUMBER(bench.name, "waves", rows[row].both ? 1 : 2, bench.probes.waves);
        todo_queue_expire(bench.queue, 200);
        bench_release(&bench, 2);
    }
}

/* Each row: what is given up while this call is held, and whether it is done all the same. */
static void test_what_is_called_undone_stays_undone(void)
{
    static const struct {
        const char *name;
        enum fake_call call;
        enum todo_outcome outcome;
        bool is_done;
    } rows[] = {
        {"begin",                 FAKE_BEGIN,  TODO_TIMED_OUT,       false},
        {"insert",                FAKE_INSERT, TODO_TIMED_OUT,       false},
        {"commit",                FAKE_COMMIT, TODO_OUTCOME_UNKNOWN, true },
        {"commit, which is lost", FAKE_COMMIT, TODO_OUTCOME_UNKNOWN, false},
    };

    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct probe gone = {.kind = TODO_CREATE, .title = "gone", .deadline = 100};
        struct bench bench;

        bench_init(&bench, rows[row].name);
        if (rows[row].call == FAKE_COMMIT && !rows[row].is_done)
            bench.database.faults[0] =
                (struct fake_fault){FAKE_COMMIT, 1, 1, ERROR_CONFLICT, false};
        start(&bench, 1, 10, 10);
        hold(&bench, &gone, rows[row].call);
        todo_queue_expire(bench.queue, 100);
        fake_let_go(&bench.database);
        finish(&bench);
        check_probe(&bench, &gone, rows[row].outcome, "");
        CHECK_NUMBER(bench.name, "todos", rows[row].is_done,
                     (long long)bench.database.table.count);
        bench_release(&bench, 2);
    }
}

/* The neighbours are done meanwhile; then each gets its turn, in order. */
static void test_a_locked_todo_keeps_only_its_own_waiting(void)
{
    struct probe locked[] = {
        {.kind = TODO_UPDATE, .id = 1, .order = 5},
        {.kind = TODO_UPDATE,                   .id = 1,        .title = "x"},
        {.kind = TODO_DELETE,       .id = 1      },
    };
    struct probe others[] = {
        {.kind = TODO_CREATE, .title = "a"},
        { .kind = TODO_UPDATE,            .id = 2, .title = "b"},
    };
    struct bench bench;

    bench_init(&bench, "locked todo");
    fake_add(&bench.database, "milk");
    fake_add(&bench.database, "eggs");
    fake_lock(&bench.database, 1);
    start(&bench, 1, 10, 10);
    submit_all(&bench, locked, 2);
    submit_all(&bench, others, 2);
    CHECK(probes_wait(&bench.probes, 2), bench.name, "the others wait");
    submit_all(&bench, locked + 2, 1);
    CHECK(!todo_queue_is_idle(bench.queue), bench.name, "idle while something waits");
    fake_lock(&bench.database, 0);
    finish(&bench);
    check_probe(&bench, &others[0], TODO_DONE, "3 a open -");
    check_probe(&bench, &others[1], TODO_DONE, "2 b open -");
    check_probe(&bench, &locked[0], TODO_DONE, "1 milk open 5");
    check_probe(&bench, &locked[1], TODO_DONE, "1 x open 5");
    check_probe(&bench, &locked[2], TODO_DONE, "");
    bench_release(&bench, 2);
}

static void test_what_waits_for_a_locked_todo_is_given_up_in_time(void)
{
    struct probe probes[] = {
        {.kind = TODO_UPDATE, .id = 1, .title = "x",       .deadline = 100},
        {.kind = TODO_UPDATE,                   .id = 1,        .order = 5},
    };
    struct bench bench;

    bench_init(&bench, "locked too long");
    fake_add(&bench.database, "milk");
    fake_lock(&bench.database, 1);
    start(&bench, 1, 10, 10);
    submit_all(&bench, probes, 2);
    while (fake_calls(&bench.database, FAKE_LOAD) < 4)
        clock_sleep(500);
    todo_queue_expire(bench.queue, 100);
    CHECK(probes_wait(&bench.probes, 1), bench.name, "it is not released");
    fake_lock(&bench.database, 0);
    finish(&bench);
    check_probe(&bench, &probes[0], TODO_TIMED_OUT, "");
    check_probe(&bench, &probes[1], TODO_DONE, "1 milk open 5");
    bench_release(&bench, 2);
}

/* No more than four batches, and at the end none. */
static void test_few_wait_for_a_locked_todo(void)
{
    struct probe probes[6];
    struct probe other = {.kind = TODO_CREATE, .title = "a"};
    struct bench bench;
    size_t refused = 0;

    bench_init(&bench, "many for a locked todo");
    fake_add(&bench.database, "milk");
    fake_lock(&bench.database, 1);
    start(&bench, 1, 1, 10);
    for (size_t i = 0; i < 6; i++)
        probes[i] = (struct probe){.kind = TODO_UPDATE, .id = 1, .title = "x"};
    submit_all(&bench, probes, 6);
    CHECK(probes_wait(&bench.probes, 2), bench.name, "none is refused");
    submit_all(&bench, &other, 1);
    CHECK(probes_wait(&bench.probes, 3), bench.name, "another waits");
    check_probe(&bench, &other, TODO_DONE, "2 a open -");
    for (size_t i = 0; i < 6; i++)
        refused += probes[i].answers > 0 && probes[i].outcome == TODO_UNAVAILABLE;
    CHECK_NUMBER(bench.name, "refused", 2, (long long)refused);
    CHECK_NUMBER(bench.name, "the latest", TODO_UNAVAILABLE, probes[5].outcome);
    todo_queue_stop(bench.queue);
    bench.queue = NULL;
    for (size_t i = 0; i < 6; i++)
        check_probe(&bench, &probes[i], TODO_UNAVAILABLE, "");
    bench_release(&bench, 2);
}

static void test_one_wake_rouses_as_many_readers_as_there_is_work_for(void)
{
    struct probe probes[4] = {
        {.kind = TODO_FETCH}, {.kind = TODO_FETCH}, {.kind = TODO_FETCH}, {.kind = TODO_FETCH}};
    struct bench bench;

    bench_init(&bench, "one wake");
    start(&bench, 4, 1, 10);
    fake_hold(&bench.database, FAKE_FETCH);
    clock_sleep(20000); /* all readers sleep */
    for (size_t i = 0; i < 4; i++)
        CHECK(todo_queue_submit(bench.queue, probe_ask(&probes[i])), bench.name, "refused");
    bench.submitted = 4;
    todo_queue_wake(bench.queue);
    CHECK(fake_wait_held(&bench.database, 4), bench.name, "a reader sleeps on");
    fake_let_go(&bench.database);
    finish(&bench);
    bench_release(&bench, 5);
}

static void test_what_is_answered_is_not_given_up(void)
{
    struct probe probes[2] = {
        {.kind = TODO_LIST,   .deadline = 100},
        {.kind = TODO_CREATE, .deadline = 100}
    };
    struct bench bench;

    bench_init(&bench, "answered in time");
    bench.expires_late = true;
    start(&bench, 1, 10, 10);
    for (size_t i = 0; i < 2; i++) {
        submit_all(&bench, &probes[i], 1);
        finish(&bench);
        check_probe(&bench, &probes[i], TODO_DONE, i == 0 ? "" : "1 - open -");
    }
    bench_release(&bench, 2);
}

static void *stop_queue(void *queue)
{
    todo_queue_stop(queue);
    return NULL;
}

static void test_stopping_does_what_is_waiting(void)
{
    struct probe first = {.kind = TODO_LIST};
    struct probe waiting[6] = {
        {.kind = TODO_LIST },
        {.kind = TODO_FETCH, .id = 2},
        {.kind = TODO_LIST                 },
        {.kind = TODO_CREATE},
        {.kind = TODO_UPDATE,                  .id = 1, .order = 1},
        {.kind = TODO_CREATE},
    };
    struct bench bench;
    pthread_t stopper;

    bench_init(&bench, "stop");
    start(&bench, 1, 1, 10);
    hold(&bench, &first, FAKE_LIST);
    submit_all(&bench, waiting, 6);
    CU_ASSERT_FATAL(pthread_create(&stopper, NULL, stop_queue, bench.queue) == 0);
    clock_sleep(2000);
    fake_let_go(&bench.database);
    pthread_join(stopper, NULL);
    bench.queue = NULL;
    bench_release(&bench, 2);
}

static void test_stopping_an_idle_queue_ends_its_threads(void)
{
    static const unsigned readers[] = {1, 3};

    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        struct bench bench;

        bench_init(&bench, "idle");
        start(&bench, readers[i], 1, 1);
        bench_release(&bench, readers[i] + 1);
    }
}

static void test_readers_fly_side_by_side(void)
{
    struct probe probes[3] = {
        {.kind = TODO_FETCH, .id = 1},
        {.kind = TODO_FETCH, .id = 2},
        {.kind = TODO_FETCH, .id = 1}
    };
    struct bench bench;

    bench_init(&bench, "two readers");
    fake_add(&bench.database, "milk");
    start(&bench, 2, 10, 10);
    hold(&bench, &probes[0], FAKE_FETCH);
    submit_all(&bench, &probes[1], 1);
    CHECK(fake_wait_held(&bench.database, 2), bench.name, "the second reader is idle");
    submit_all(&bench, &probes[2], 1);
    CHECK_NUMBER(bench.name, "flights", 2, fake_calls(&bench.database, FAKE_FETCH));
    fake_let_go(&bench.database);
    finish(&bench);
    check_probe(&bench, &probes[0], TODO_DONE, "1 milk open -");
    check_probe(&bench, &probes[1], TODO_NOT_FOUND, "");
    check_probe(&bench, &probes[2], TODO_DONE, "1 milk open -");
    CHECK_NUMBER(bench.name, "flights", 3, fake_calls(&bench.database, FAKE_FETCH));
    bench_release(&bench, 3);
}

static void test_an_expired_flight_of_each_reader_is_given_up(void)
{
    struct probe probes[2] = {
        {.kind = TODO_FETCH, .id = 1, .deadline = 100},
        {.kind = TODO_FETCH, .id = 2, .deadline = 100}
    };
    struct bench bench;

    bench_init(&bench, "two flights expire");
    start(&bench, 2, 10, 10);
    hold(&bench, &probes[0], FAKE_FETCH);
    submit_all(&bench, &probes[1], 1);
    CHECK(fake_wait_held(&bench.database, 2), bench.name, "the second reader is idle");
    todo_queue_expire(bench.queue, 100);
    CHECK_NUMBER(bench.name, "answers", 2, bench.probes.answers);
    CHECK_NUMBER(bench.name, "releases", 0, bench.probes.releases);
    fake_let_go(&bench.database);
    finish(&bench);
    check_probe(&bench, &probes[0], TODO_TIMED_OUT, "");
    check_probe(&bench, &probes[1], TODO_TIMED_OUT, "");
    bench_release(&bench, 3);
}

static void test_a_queue_without_its_stores_does_not_start(void)
{
    for (unsigned nth = 1; nth <= 3; nth++) {
        struct bench bench;
        struct error err = {0};

        bench_init(&bench, "no store");
        bench.failing_open = nth;
        bench.queue = todo_queue_start(&(struct todo_queue_settings){.readers = 2,
                                                                     .batch = 1,
                                                                     .capacity = 1,
                                                                     .open_store = open_store,
                                                                     .context = &bench},
                                       &err);
        CHECK(!bench.queue && err.code == ERROR_CONFIG, bench.name, "open %u failed", nth);
        bench_release(&bench, nth - 1);
    }
}

static void test_a_list_beyond_the_limit_is_refused(void)
{
    struct probe probes[2] = {
        {.kind = TODO_LIST},
        { .kind = TODO_FETCH,          .id = 1}
    };
    struct bench bench;

    bench_init(&bench, "limit");
    bench.list_limit = 2 * sizeof(struct todo);
    fake_add(&bench.database, "milk");
    fake_add(&bench.database, "eggs");
    start(&bench, 1, 1, 10);
    log_configure(CONFIG_LOG_JSON, CONFIG_LOG_ERROR, false); /* failures are told as warnings */
    submit_all(&bench, probes, 2);
    finish(&bench);
    log_configure(CONFIG_LOG_AUTO, CONFIG_LOG_INFO, false);
    check_probe(&bench, &probes[0], TODO_OUT_OF_MEMORY, "");
    check_probe(&bench, &probes[1], TODO_DONE, "1 milk open -");
    bench_release(&bench, 2);
}

#define ASKERS      3
#define ASKED       60
#define ASKED_TOTAL (ASKERS * ASKED)

struct asker {
    struct bench *bench;
    struct probe *probes;
};

static void *ask(void *context)
{
    const struct asker *asker = context;

    for (size_t i = 0; i < ASKED; i++) {
        struct todo_operation *operation = probe_ask(&asker->probes[i]);

        while (!todo_queue_submit(asker->bench->queue, operation))
            clock_sleep(20);
        todo_queue_wake(asker->bench->queue);
    }
    return NULL;
}

/* Every third is over its time from the start. */
static void test_each_is_answered_and_released_once_whatever_happens(void)
{
    static const enum todo_operation_kind kinds[] = {
        TODO_LIST, TODO_CREATE, TODO_FETCH, TODO_DELETE, TODO_UPDATE, TODO_FETCH, TODO_CLEAR};
    static struct probe probes[ASKED_TOTAL];
    struct probe last[2] = {{.kind = TODO_FETCH}, {.kind = TODO_FETCH}};
    struct asker askers[ASKERS];
    pthread_t threads[ASKERS];
    struct bench bench;

    bench_init(&bench, "all at once");
    start(&bench, 2, 4, 8);
    for (size_t i = 0; i < ASKED_TOTAL; i++)
        probes[i] = (struct probe){.kind = kinds[i % 7],
                                   .id = (int64_t)(i % 5),
                                   .deadline = i % 3 == 0 ? 1 : PROBE_NEVER};
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){&bench, probes + i * ASKED};
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, ask, &askers[i]) == 0);
    }
    for (unsigned i = 0; i < 40; i++) {
        todo_queue_expire(bench.queue, clock_now());
        clock_sleep(50);
    }
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    bench.submitted = ASKED_TOTAL;
    finish(&bench);
    hold(&bench, &last[0], FAKE_FETCH); /* both readers are still there */
    submit_all(&bench, &last[1], 1);
    CHECK(fake_wait_held(&bench.database, 2), bench.name, "a reader has gone");
    fake_let_go(&bench.database);
    finish(&bench);
    for (size_t i = 0; i < ASKED_TOTAL; i++)
        CHECK(probes[i].answers == 1 && probes[i].releases == 1, bench.name,
              "probe %zu: %u answers, %u releases", i, probes[i].answers, probes[i].releases);
    bench_release(&bench, 3);
}

static void test_a_long_list_keeps_nobody_waiting(void)
{
    struct probe list = {.kind = TODO_LIST};
    struct probe fetch = {.kind = TODO_FETCH, .id = 2};
    struct bench bench;

    bench_init(&bench, "long list");
    bench.long_list = 1;
    bench.is_list_slow = true;
    fake_add(&bench.database, "a");
    fake_add(&bench.database, "b");
    start(&bench, 1, 10, 10);
    hold(&bench, &list, FAKE_LIST);
    submit_all(&bench, &fetch, 1);
    fake_let_go(&bench.database);
    finish(&bench);
    check_probe(&bench, &list, TODO_DONE, "1 a open -; 2 b open -");
    check_probe(&bench, &fetch, TODO_DONE, "2 b open -");
    CHECK(bench.was_overtaken, bench.name, "the fetch waited for the list's answer");
    bench_release(&bench, 2);
}

/* Before all that wait, though there is no room left. */
static void test_what_readyz_asks_goes_first_and_is_not_counted(void)
{
    static const struct {
        const char *name;
        struct probe other;
        struct probe question;
        enum fake_call call;
    } lanes[] = {
        {"reads",  {.kind = TODO_LIST},   {.kind = TODO_FETCH, .of_readyz = true}, FAKE_LIST  },
        {"writes", {.kind = TODO_CREATE}, {.kind = TODO_CHECK, .of_readyz = true}, FAKE_COMMIT},
    };

    for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
        struct probe first = lanes[i].other;
        struct probe waiting[2] = {lanes[i].other, lanes[i].other};
        struct probe questions[2] = {lanes[i].question, lanes[i].question};
        struct bench bench;

        bench_init(&bench, lanes[i].name);
        start(&bench, 1, 1, 2);
        hold(&bench, &first, lanes[i].call);
        CHECK(!todo_queue_is_idle(bench.queue), bench.name, "idle while it works");
        submit_all(&bench, waiting, 2);
        submit_all(&bench, questions, 2);
        fake_let_go(&bench.database);
        finish(&bench);
        for (size_t j = 0; j < 2; j++) {
            CHECK(questions[j].wave < waiting[0].wave, bench.name, "question %zu: wave %u", j,
                  questions[j].wave);
            CHECK_NUMBER(bench.name, "outcome of the others", TODO_DONE, waiting[j].outcome);
        }
        bench_release(&bench, 2);
    }
}

CU_TestInfo queue_tests[] = {
    {"what /readyz asks goes first and is not counted",
     test_what_readyz_asks_goes_first_and_is_not_counted                                                  },
    {"a long list keeps nobody waiting",                     test_a_long_list_keeps_nobody_waiting        },
    {"a lone operation is answered at once",                 test_a_lone_operation_is_answered_at_once    },
    {"a read never joins the flight in the air",             test_a_read_never_joins_the_flight_in_the_air},
    {"writes keep their order and commit together",
     test_writes_keep_their_order_and_commit_together                                                     },
    {"a full queue refuses",                                 test_a_full_queue_refuses                    },
    {"a batch has a limit",                                  test_a_batch_has_a_limit                     },
    {"what waits too long is given up",                      test_what_waits_too_long_is_given_up         },
    {"room is free again after a wait was given up",
     test_room_is_free_again_after_a_wait_was_given_up                                                    },
    {"what runs too long is given up and released later",
     test_what_runs_too_long_is_given_up_and_released_later                                               },
    {"what is called undone stays undone",                   test_what_is_called_undone_stays_undone      },
    {"a locked todo keeps only its own waiting",             test_a_locked_todo_keeps_only_its_own_waiting},
    {"what waits for a locked todo is given up in time",
     test_what_waits_for_a_locked_todo_is_given_up_in_time                                                },
    {"few wait for a locked todo",                           test_few_wait_for_a_locked_todo              },
    {"one wake rouses as many readers as there is work for",
     test_one_wake_rouses_as_many_readers_as_there_is_work_for                                            },
    {"what is answered is not given up",                     test_what_is_answered_is_not_given_up        },
    {"stopping does what is waiting",                        test_stopping_does_what_is_waiting           },
    {"stopping an idle queue ends its threads",              test_stopping_an_idle_queue_ends_its_threads },
    {"readers fly side by side",                             test_readers_fly_side_by_side                },
    {"an expired flight of each reader is given up",
     test_an_expired_flight_of_each_reader_is_given_up                                                    },
    {"a queue without its stores does not start",
     test_a_queue_without_its_stores_does_not_start                                                       },
    {"a list beyond the limit is refused",                   test_a_list_beyond_the_limit_is_refused      },
    {"each is answered and released once, whatever happens",
     test_each_is_answered_and_released_once_whatever_happens                                             },
    CU_TEST_INFO_NULL,
};
