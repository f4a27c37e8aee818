/*
 * The database alone: what the server asks of it for one request, in a loop on one connection,
 * through the server's own store, without HTTP and without batches:
 *
 *     database list|item|post|patch SECONDS TODOS
 *     RESULT requests microseconds p50 p99 errors cpu-microseconds
 *
 * The table has TODOS todos, with ids from 1. `database fill TODOS` makes it so, on an empty
 * one. Settings are the program's.
 */

#include "base/buffer.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "db/mysql.h"
#include "store/mysql.h"
#include "store/sqlite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define FILL_BATCH 1000U
#define BASE_URL   "http://127.0.0.1:8000"
#define ORDER      1000000 /* orders have seven digits, so that a list's size stays the same */

struct bench {
    struct todo_store_handle store;
    struct todo_list list;
    uint32_t todos;
    bool (*work)(struct bench *bench, struct error *err);
};

static uint32_t random_below(uint32_t limit)
{
    static uint64_t state;

    if (state == 0)
        state = clock_now();
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((state >> 33) % limit);
}

static bool list_todos(struct bench *bench, struct error *err)
{
    return bench->store.driver->list(bench->store.store, &bench->list, err);
}

static bool fetch_todo(struct bench *bench, struct error *err)
{
    int64_t id = 1 + random_below(bench->todos);

    return bench->store.driver->fetch(bench->store.store, &id, 1, &bench->list, err);
}

static bool insert_todos(struct bench *bench, size_t count, struct error *err)
{
    static const char title[] = "todo number 1234567";
    const struct todo_store_driver *driver = bench->store.driver;
    static struct todo_insert inserts[FILL_BATCH];

    for (size_t i = 0; i < count; i++)
        inserts[i] = (struct todo_insert){
            .todo = {.title = title,
                     .title_length = sizeof(title) - 1,
                     .has_order = true,
                     .order = ORDER},
            .base_url = BASE_URL,
        };
    return driver->begin(bench->store.store, true, err) &&
           driver->insert(bench->store.store, inserts, count, err) &&
           driver->commit(bench->store.store, err);
}

static bool insert_todo(struct bench *bench, struct error *err)
{
    return insert_todos(bench, 1, err);
}

static bool update_todo(struct bench *bench, struct error *err)
{
    const struct todo_store_driver *driver = bench->store.driver;
    struct todo_store *store = bench->store.store;
    int64_t id = 1 + random_below(bench->todos);

    if (!driver->begin(store, true, err) ||
        !driver->load_for_update(store, &id, 1, &bench->list, err))
        return false;
    if (bench->list.count != 1)
        return error_set(err, ERROR_DATABASE, "there is no todo %" PRId64, id);
    bench->list.todos[0].order = ORDER + (int32_t)random_below(9 * ORDER);
    return driver->update(store, &(const struct todo *){&bench->list.todos[0]}, 1, err) &&
           driver->commit(store, err);
}

static const struct {
    const char *name;
    bool (*work)(struct bench *bench, struct error *err);
} workloads[] = {
    {"list",  list_todos },
    {"item",  fetch_todo },
    {"post",  insert_todo},
    {"patch", update_todo},
};

static bool fill(struct bench *bench, struct error *err)
{
    for (uint32_t done = 0; done < bench->todos; done += FILL_BATCH) {
        uint32_t rest = bench->todos - done;
        if (!insert_todos(bench, rest < FILL_BATCH ? rest : FILL_BATCH, err))
            return false;
    }
    return true;
}

static int compare_times(const void *left, const void *right)
{
    uint32_t one = *(const uint32_t *)left;
    uint32_t other = *(const uint32_t *)right;

    return (one > other) - (one < other);
}

static uint64_t used_cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000U +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static bool keep_time(uint32_t **times, size_t *count, size_t *capacity, uint64_t time)
{
    if (*count == *capacity) {
        size_t more = *capacity > 0 ? *capacity * 2 : 4096;
        uint32_t *grown = reallocarray(*times, more, sizeof(*grown));
        if (!grown)
            return false;
        *times = grown;
        *capacity = more;
    }
    (*times)[(*count)++] = (uint32_t)time;
    return true;
}

static bool measure(struct bench *bench, uint64_t seconds, struct error *err)
{
    uint32_t *times = NULL;
    size_t count = 0;
    size_t capacity = 0;
    uint64_t cpu = used_cpu();
    uint64_t start = clock_now();
    uint64_t begun = start;
    bool good = true;

    while (good && begun < start + seconds * 1000000U) {
        todo_list_clear(&bench->list);
        good = bench->work(bench, err);
        uint64_t time = clock_now();
        if (good && !keep_time(&times, &count, &capacity, time - begun))
            good = error_set(err, ERROR_SYSTEM, "out of memory");
        begun = time;
    }
    cpu = used_cpu() - cpu;
    if (good && count > 0) {
        qsort(times, count, sizeof(*times), compare_times);
        printf("RESULT %zu %" PRIu64 " %" PRIu32 " %" PRIu32 " 0 %" PRIu64 "\n", count,
               begun - start, times[count / 2], times[count * 99 / 100], cpu);
    }
    free(times);
    return good;
}

static bool run(struct bench *bench, char **argv, struct error *err)
{
    bench->todos = (uint32_t)strtoul(argv[argv[3] ? 3 : 2], NULL, 10);
    if (strcmp(argv[1], "fill") == 0)
        return fill(bench, err);
    for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++)
        if (strcmp(argv[1], workloads[i].name) == 0)
            bench->work = workloads[i].work;
    if (!bench->work || bench->todos == 0)
        return error_set(err, ERROR_USAGE, "unknown workload, or no todos");
    /* the first one connects */
    return bench->work(bench, err) && measure(bench, strtoul(argv[2], NULL, 10), err);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct buffer problems = {0};
    struct config config;
    struct error err = {0};

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: database fill TODOS | list|item|post|patch SECONDS TODOS\n");
        return 2;
    }
    if (!config_load(&config, &problems)) {
        fprintf(stderr, "%s", problems.data ? problems.data : "out of memory\n");
        return 2;
    }
    if (db_mysql_start(&err) && (config.database == CONFIG_DATABASE_MYSQL
                                     ? store_mysql_open(&config, &bench.store, &err)
                                     : store_sqlite_open(&config, &bench.store, &err))) {
        run(&bench, argv, &err);
        bench.store.driver->close(bench.store.store);
    }
    todo_list_release(&bench.list);
    db_mysql_end();
    config_release(&config);
    buffer_release(&problems);
    if (err.code != ERROR_NONE)
        fprintf(stderr, "database: %s\n", err.text);
    return err.code == ERROR_NONE ? 0 : 1;
}
