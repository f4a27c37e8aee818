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

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define ROOM_SEEN 2500000U /* microseconds */

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
        sqlite3 *connection = db_sqlite_open(store_config.sqlite_path, true, 5000, &err);
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
    int64_t id = create_one(&store, "a");
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

/* A look at an ordinary time writes nothing. After a change found no room it must: whether
 * there is some now is seen without another change, and not forgotten while there is none. */
static void test_a_look_sees_whether_there_is_room_again(void)
{
    struct todo_store_handle store;
    struct error errors[4] = {0};
    bool results[4];
    struct todo_insert insert = insert_of("lost");
    store_open_empty(&store);
    int64_t id = create_one(&store, "a");
    run_sql(&store_config, "PRAGMA wal_checkpoint(TRUNCATE)");
    signal(SIGXFSZ, SIG_IGN);
    limit_files(100);
    results[0] = store.driver->begin(store.store, true, &errors[0]) &&
                 store.driver->insert(store.store, &insert, 1, &errors[0]) &&
                 store.driver->commit(store.store, &errors[0]);
    store.driver->roll_back(store.store);
    for (int i = 1; i < 3; i++) {
        results[i] = store.driver->check(store.store, &errors[i]);
        clock_sleep(ROOM_SEEN); /* longer than it says the same again without a try */
    }
    limit_files(RLIM_INFINITY);
    results[3] = store.driver->check(store.store, &errors[3]);
    CHECK(!results[0], "a change", "went into 100 bytes");
    must_fail("a look after it", results[1], &errors[1], ERROR_UNAVAILABLE);
    CHECK(!results[2], "a later look", "there was no room yet");
    CHECK_CONTAINS("a later look", "error", "SQLite error", errors[2].text);
    CHECK(results[3], "room again", "%s", errors[3].text);
    CHECK_NUMBER("room again", "the next id", id + 1, create_one(&store, "b"));
    check_titles("room again", TITLES("a", "b", NULL));
    store_close(&store);
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
    bool good = store.driver->begin(store.store, true, &err) &&
                store.driver->insert(store.store, inserts, BIG, &err) &&
                store.driver->commit(store.store, &err);
    store.driver->roll_back(store.store);
    enum error_code first = err.code;
    must_list(&store, &list);
    limit_files(RLIM_INFINITY);
    struct error check_err = {0};
    must_fail("check after it", store.driver->check(store.store, &check_err), &check_err,
              ERROR_UNAVAILABLE);
    CHECK(!good, "full disk", "a megabyte went into 200 kB");
    CHECK(first == ERROR_UNAVAILABLE || first == ERROR_OUTCOME_UNKNOWN, "full disk",
          "error code %d: %s", (int)first, err.text);
    check_titles("full disk", TITLES("a", NULL));
    create_one(&store, "b");
    check_titles("room again", TITLES("a", "b", NULL));
    check_err = (struct error){0};
    CHECK(store.driver->check(store.store, &check_err), "room again", "%s", check_err.text);
    todo_list_release(&list);
    store_close(&store);
}

/* Known not to be made, unlike what a disk fails: the commit was not tried. */
static void test_a_commit_looks_for_the_file(void)
{
    struct todo_store_handle store;
    struct todo_insert insert = insert_of("lost");
    struct error err = {0};
    char elsewhere[300];
    snprintf(elsewhere, sizeof elsewhere, "%s.elsewhere", store_config.sqlite_path);
    store_open_empty(&store);
    create_one(&store, "kept");
    must_begin(&store);
    must_insert(&store, &insert, 1);
    CHECK_NUMBER("moved", "rename", 0, rename(store_config.sqlite_path, elsewhere));
    must_fail("moved", store.driver->commit(store.store, &err), &err, ERROR_UNAVAILABLE);
    store.driver->roll_back(store.store);
    CHECK_NUMBER("back", "rename", 0, rename(elsewhere, store_config.sqlite_path));
    create_one(&store, "new");
    check_titles("back", TITLES("kept", "new", NULL));
    store_close(&store);
}

static void check_error(const char *row, const struct todo_store_handle *store,
                        enum error_code list_code, enum error_code insert_code)
{
    struct todo_insert insert = insert_of("bad");
    struct todo_list list = {0};
    struct error err = {0};
    bool good = store->driver->list(store->store, &list, &err);
    CHECK_NUMBER(row, "listed", list_code == ERROR_NONE, good);
    CHECK_NUMBER(row, "list: error code", list_code, err.code);
    err = (struct error){0};
    good = store->driver->begin(store->store, true, &err) &&
           store->driver->insert(store->store, &insert, 1, &err) &&
           store->driver->commit(store->store, &err);
    must_fail(row, good, &err, insert_code);
    store->driver->roll_back(store->store);
    todo_list_release(&list);
}

/* What is wrong with the database is not a request's fault; what may be one row's is told
 * apart, so that its neighbours are tried without it. */
static void test_errors_say_whose_fault_it_is(void)
{
    static const struct {
        const char *name;
        const char *harm;
        const char *mend;
        enum error_code list_code;
        enum error_code insert_code;
    } rows[] = {
        {"no table",                 "ALTER TABLE todo_todoitem RENAME TO gone",
         "ALTER TABLE gone RENAME TO todo_todoitem",                                                                  ERROR_UNAVAILABLE, ERROR_UNAVAILABLE},
        {"no column",                "ALTER TABLE todo_todoitem RENAME COLUMN title TO titel",
         "ALTER TABLE todo_todoitem RENAME COLUMN titel TO title",                                                    ERROR_UNAVAILABLE,
         ERROR_UNAVAILABLE                                                                                                                                },
        {"a trigger that refuses",
         "CREATE TRIGGER refuse BEFORE INSERT ON todo_todoitem WHEN NEW.title = 'bad'"
         " BEGIN SELECT RAISE(ABORT, 'refused'); END",                                         "DROP TRIGGER refuse", ERROR_NONE,        ERROR_REFUSED    },
        {"a trigger that is broken",
         "CREATE TRIGGER refuse BEFORE INSERT ON todo_todoitem"
         " BEGIN INSERT INTO missing VALUES (1); END",                                         "DROP TRIGGER refuse", ERROR_NONE,        ERROR_UNAVAILABLE},
    };
    struct todo_store_handle store;
    store_open_empty(&store);
    create_one(&store, "a");
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_sql(&store_config, rows[i].harm);
        check_error(rows[i].name, &store, rows[i].list_code, rows[i].insert_code);
        run_sql(&store_config, rows[i].mend);
        check_titles(rows[i].name, TITLES("a", NULL));
    }
    create_one(&store, "b");
    check_titles("mended", TITLES("a", "b", NULL));
    store_close(&store);
}

/* All but the first page, which says what tables there are. */
static void damage(const char *path)
{
    static char page[4096];
    int file = open(path, O_WRONLY | O_CLOEXEC);
    off_t end = lseek(file, 0, SEEK_END);
    memset(page, 0xff, sizeof page);
    for (off_t at = sizeof page; at < end; at += (off_t)sizeof page)
        CHECK_NUMBER(path, "pwrite", sizeof page, pwrite(file, page, sizeof page, at));
    close(file);
}

static void test_a_damaged_file_is_unavailable(void)
{
    struct todo_store_handle store;
    const char *right_path = store_config.sqlite_path;
    char path[300];
    char sql[400];
    snprintf(path, sizeof path, "%s.damaged", right_path);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path);
    run_sql(&store_config, sql);
    damage(path);
    store_config.sqlite_path = path;
    store_open(&store);
    check_error("damaged", &store, ERROR_UNAVAILABLE, ERROR_UNAVAILABLE);
    store_close(&store);
    store_config.sqlite_path = right_path;
}

static void open_fails(const char *row, const char *words)
{
    struct error err = {0};
    sqlite3 *connection = db_sqlite_open(store_config.sqlite_path, false, 100, &err);
    CHECK(!connection, row, "was opened");
    CHECK_NUMBER(row, "error code", ERROR_CONFIG, err.code);
    CHECK_CONTAINS(row, "error", words, err.text);
    db_sqlite_close(connection);
}

/* Who opens it by its other name would miss what is in the log beside this one. */
static void test_a_file_of_two_names_is_refused(void)
{
    char second[300];
    snprintf(second, sizeof second, "%s.second", store_config.sqlite_path);
    CHECK_NUMBER("second name", "link", 0, link(store_config.sqlite_path, second));
    open_fails("two names", "has 2 names (hard links)");
    remove(second);
}

/* In a process of its own, which may not be allowed to mount: then nothing is tried. */
static void test_a_file_mounted_by_itself_is_refused(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct error err = {0};
        const char *path = store_config.sqlite_path;
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
            mount(path, path, NULL, MS_BIND, NULL) != 0)
            _exit(0);
        if (db_sqlite_open(path, false, 100, &err) || err.code != ERROR_CONFIG)
            _exit(1);
        _exit(strstr(err.text, "is mounted without its folder") ? 0 : 2);
    }
    CHECK_NUMBER("mounted", "waited for", pid, waitpid(pid, &status, 0));
    CHECK_NUMBER("mounted", "status", 0, status);
}

CU_TestInfo store_sqlite_tests[] = {
    TEST(test_a_file_mounted_by_itself_is_refused),
    TEST(test_errors_say_whose_fault_it_is),
    TEST(test_a_damaged_file_is_unavailable),
    TEST(test_a_commit_looks_for_the_file),
    TEST(test_a_file_of_two_names_is_refused),
    TEST(test_the_file_is_durable_and_private),
    TEST(test_a_store_waits_for_another_process),
    TEST(test_a_file_of_no_use_is_unavailable),
    TEST(test_a_look_sees_whether_there_is_room_again),
    TEST(test_a_full_disk_is_unavailable_until_there_is_room),
    CU_TEST_INFO_NULL,
};
