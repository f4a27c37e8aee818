/*
 * The todo store on SQLite: its file, other processes, and a disk that takes no more.
 */

#include "base/clock.h"
#include "check.h"
#include "command.h"
#include "db/sqlite.h"
#include "schema/migrate.h"
#include "store_fixture.h"
#include "suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define TITLES(...)                                                                            \
    (const char *const[])                                                                      \
    {                                                                                          \
        __VA_ARGS__                                                                            \
    }

static void test_the_file_is_durable_and_private(void)
{
    static const struct {
        const char *sql;
        const char *value;
    } rows[] = {
        {"PRAGMA journal_mode", "wal"},
        {"PRAGMA synchronous",  "2"  },
        {"PRAGMA foreign_keys", "1"  },
    };
    struct stat status;
    char value[32];
    for (size_t i = 0; i < COUNT(rows); i++) {
        query_sql(&store_config, rows[i].sql, 0, value, sizeof value);
        CHECK_TEXT(rows[i].sql, "value", rows[i].value, value);
    }
    CHECK_NUMBER("file", "stat", 0, stat(store_config.sqlite_path, &status));
    CHECK_NUMBER("file", "mode", 0600, status.st_mode & 0777);
}

/* Another process that has the write lock, and gives it back when `gate` is closed. */
static pid_t lock_in_another_process(int *gate)
{
    int ready[2];
    int end[2];
    char byte = 0;
    if (pipe(ready) != 0 || pipe(end) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        struct error err = {0};
        close(end[1]);
        sqlite3 *connection = db_sqlite_open(store_config.sqlite_path, &err);
        if (!connection || !db_sqlite_run(connection, "BEGIN IMMEDIATE", "lock", &err))
            _exit(1);
        if (write(ready[1], "", 1) != 1 || read(end[0], &byte, 1) != 0)
            _exit(1);
        if (!db_sqlite_run(connection,
                           "INSERT INTO todo_todoitem (title, completed) "
                           "VALUES ('theirs', 0); COMMIT",
                           "write", &err))
            _exit(1);
        _exit(0);
    }
    close(ready[1]);
    close(end[0]);
    CHECK(read(ready[0], &byte, 1) == 1, "another process", "could not lock the file");
    close(ready[0]);
    *gate = end[1];
    return pid;
}

static void test_a_store_waits_for_another_process(void)
{
    struct todo_store_handle store;
    int gate;
    int status = 0;
    store_open_empty(&store);
    uint32_t id = create_one(&store, "a");
    pid_t pid = lock_in_another_process(&gate);
    struct lock_waiter *waiter = lock_waiter_start(id);
    check_titles("reading goes on", TITLES("a", NULL));
    clock_sleep(200000);
    CHECK(lock_waiter_waits(waiter), "locked", "begin did not wait");
    close(gate);
    struct lock_result result = lock_waiter_join(waiter);
    CHECK(result.good, "unlocked", "%s", result.err.text);
    CHECK_NUMBER("another process", "waited for", pid, waitpid(pid, &status, 0));
    CHECK_NUMBER("another process", "status", 0, status);
    check_titles("both", TITLES("a", "theirs", NULL));
    store_close(&store);
}

static void list_is_unavailable(const char *row, const struct todo_store_handle *store)
{
    struct todo_list list = {0};
    struct error err = {0};
    bool good = store->driver->list(store->store, &list, &err);
    must_fail(row, good, &err, ERROR_UNAVAILABLE);
    CHECK_CONTAINS(row, "error", store_config.sqlite_path, err.text);
    todo_list_release(&list);
}

static void test_a_file_of_no_use_is_unavailable(void)
{
    struct todo_store_handle store;
    struct migrate_options options = {0};
    struct migrate_result result;
    struct error err = {0};
    const char *right_path = store_config.sqlite_path;
    char folder[256];
    char path[300];
    if (!CHECK(folder_make(folder, sizeof folder), "folder", "could not be made"))
        return;
    store_config.sqlite_path = path;
    store_open(&store);
    snprintf(path, sizeof path, "%s/missing/todos", folder);
    list_is_unavailable("no folder", &store);
    snprintf(path, sizeof path, "%s", folder);
    list_is_unavailable("a folder", &store);
    snprintf(path, sizeof path, "%s/todos", folder);
    file_write(path, "It is only a text, and longer than the hundred bytes with which each "
                     "database begins, so that it is looked at.");
    list_is_unavailable("a text", &store);
    remove(path);
    CHECK(migrate_run(&store_config, &options, &result, &err), "migrate", "%s", err.text);
    create_one(&store, "a");
    store_close(&store);
    store_config.sqlite_path = right_path;
    folder_remove(folder);
}

/* As a full disk does, this makes writing fail: no file may grow beyond `size` bytes. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size > limit.rlim_max ? limit.rlim_max : size;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void test_a_full_disk_is_unavailable_until_there_is_room(void)
{
    enum {
        BIG = 1000,
    };
    static char title[TODO_TITLE_SIZE];
    static struct todo_insert inserts[BIG];
    struct todo_store_handle store;
    struct todo_list list = {0};
    struct error err = {0};
    memset(title, 'x', sizeof title - 1);
    for (size_t i = 0; i < BIG; i++)
        inserts[i] = insert_of(title);
    store_open_empty(&store);
    create_one(&store, "a");
    run_sql(&store_config, "PRAGMA wal_checkpoint(TRUNCATE)");
    signal(SIGXFSZ, SIG_IGN);
    limit_files(200000);
    bool good = store.driver->begin(store.store, &err) &&
                store.driver->insert(store.store, inserts, BIG, &err) &&
                store.driver->commit(store.store, &err);
    store.driver->roll_back(store.store);
    enum error_code first = err.code;
    must_list(&store, &list);
    limit_files(RLIM_INFINITY);
    CHECK(!good, "full disk", "a megabyte went into 200 kB");
    CHECK(first == ERROR_UNAVAILABLE || first == ERROR_OUTCOME_UNKNOWN, "full disk",
          "error code %d: %s", (int)first, err.text);
    check_titles("full disk", TITLES("a", NULL));
    create_one(&store, "b");
    check_titles("room again", TITLES("a", "b", NULL));
    todo_list_release(&list);
    store_close(&store);
}

CU_TestInfo store_sqlite_tests[] = {
    TEST(test_the_file_is_durable_and_private),
    TEST(test_a_store_waits_for_another_process),
    TEST(test_a_file_of_no_use_is_unavailable),
    TEST(test_a_full_disk_is_unavailable_until_there_is_room),
    CU_TEST_INFO_NULL,
};
