/*
 * `app backup`: a sound copy of all that was acknowledged before, whoever writes meanwhile; or
 * nothing.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT   30000 /* milliseconds */
#define WRITERS 8
#define MOST    20000 /* todos of one writer */

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int run(const char *const *arguments, const char *const *settings, const char *folder,
               struct command_result *result)
{
    command_run(&(struct command){arguments, settings, folder}, LIMIT, result);
    return result->status;
}

static const char *text_of(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

static int count_files(const char *folder)
{
    DIR *entries = opendir(folder);
    int count = 0;
    for (const struct dirent *entry; entries && (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    if (entries)
        closedir(entries);
    return count;
}

static sqlite3 *open_file(const char *folder, const char *name)
{
    char path[300];
    sqlite3 *connection = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_NUMBER(name, "open", SQLITE_OK,
                 sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, NULL));
    return connection;
}

static void check_answer(sqlite3 *connection, const char *sql, const char *wanted)
{
    sqlite3_stmt *statement = NULL;
    const char *text = NULL;
    if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(statement, 0);
    CHECK_TEXT("backup", sql, wanted, text);
    sqlite3_finalize(statement);
}

/* ---- under load ---- */

struct writer {
    const struct server *server;
    pthread_t thread;
    unsigned ids[MOST];
    atomic_size_t count; /* acknowledged */
    size_t before;       /* that many when the backup began */
};

static atomic_bool is_over;
static struct writer writers[WRITERS];

static void *write_todos(void *context)
{
    struct writer *writer = context;
    struct client_response response = {0};
    while (!atomic_load(&is_over) && writer->count < MOST) {
        if (send_json(writer->server, "POST", "/todos", "{\"title\":\"under load\"}",
                      &response) != 201)
            continue;
        const char *url = client_header(&response, "Location");
        writer->ids[writer->count] = id_of_url(url ? url : "");
        atomic_fetch_add(&writer->count, 1);
    }
    client_response_release(&response);
    return NULL;
}

static size_t count_written(void)
{
    size_t count = 0;
    for (size_t i = 0; i < WRITERS; i++)
        count += atomic_load(&writers[i].count);
    return count;
}

static bool has_id(sqlite3_stmt *statement, unsigned id)
{
    sqlite3_reset(statement);
    return sqlite3_bind_int64(statement, 1, id) == SQLITE_OK &&
           sqlite3_step(statement) == SQLITE_ROW;
}

static void check_copy(const char *folder, const char *name)
{
    sqlite3 *connection = open_file(folder, name);
    sqlite3_stmt *statement = NULL;
    size_t missing = 0;
    check_answer(connection, "PRAGMA integrity_check", "ok");
    check_answer(connection, "PRAGMA journal_mode", "delete"); /* it is one file */
    CHECK_NUMBER(name, "prepare", SQLITE_OK,
                 sqlite3_prepare_v2(connection, "SELECT 1 FROM todo_todoitem WHERE id = ?1", -1,
                                    &statement, NULL));
    for (size_t i = 0; i < WRITERS; i++)
        for (size_t j = 0; j < writers[i].before; j++)
            missing += !has_id(statement, writers[i].ids[j]);
    CHECK_NUMBER(name, "missing", 0, (long long)missing);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
}

static void back_up_under_load(const struct server *server, const char *name)
{
    struct command_result result = {0};
    for (size_t i = 0; i < WRITERS; i++)
        writers[i].before = atomic_load(&writers[i].count);
    CHECK_NUMBER(name, "exit status", 0,
                 run(ARGUMENTS("backup", name), NULL, server->folder, &result));
    CHECK_CONTAINS(name, "stdout", " bytes, ", text_of(&result.out));
    CHECK_CONTAINS(name, "stdout", " todos\n", text_of(&result.out));
    check_copy(server->folder, name);
    command_result_release(&result);
}

static void test_a_backup_has_all_that_was_acknowledged_before(void)
{
    struct server server = {0};
    char path[300];
    char copy[300];
    struct stat status = {0};
    if (!server_open(&server, NULL))
        return;
    atomic_store(&is_over, false);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i].server = &server;
        atomic_store(&writers[i].count, 0);
        pthread_create(&writers[i].thread, NULL, write_todos, &writers[i]);
    }
    while (count_written() < 2000)
        clock_sleep(10000);
    back_up_under_load(&server, "first");
    back_up_under_load(&server, "second");
    atomic_store(&is_over, true);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    size_t before = 0;
    for (size_t i = 0; i < WRITERS; i++)
        before += writers[i].before;
    CHECK(count_written() > before, "load", "nothing was written meanwhile");
    CHECK_NUMBER("load", "todos", (long long)count_written(), count_todos(&server));
    server_stop(&server);
    snprintf(path, sizeof path, "%s/todobackend.sqlite3", server.folder);
    snprintf(copy, sizeof copy, "%s/second", server.folder);
    CHECK_NUMBER("restore", "stat", 0, stat(copy, &status));
    CHECK_NUMBER("restore", "mode", 0600, status.st_mode & 0777);
    CHECK_NUMBER("restore", "rename", 0, rename(copy, path));
    if (server_start(&server, NULL))
        CHECK(count_todos(&server) >= (int)before, "restore", "todos are missing");
    server_close(&server);
}

/* ---- what it refuses ---- */

static void test_a_backup_that_cannot_be_made_leaves_nothing(void)
{
    static const struct {
        const char *name;
        const char *arguments[4];
        const char *settings[5];
        int status;
        const char *words;
    } rows[] = {
        {"no file",     {"backup", NULL},              {NULL},                       2, "which FILE?"                                                                },
        {"two files",   {"backup", "a", "b", NULL},    {NULL},                       2, "unexpected \"b\""                                                           },
        {"an option",
         {"backup", "--frobnicate", NULL},
         {NULL},
         2,                                                                             "wrong option \"--frobnicate\""                                              },
        {"it exists",   {"backup", "text", NULL},      {NULL},                       2, "text exists already"                                                        },
        {"no folder",   {"backup", "none/copy", NULL}, {NULL},                       1, "cannot make none/copy"                                                      },
        {"no database",
         {"backup", "copy", NULL},
         {"SQLITE_PATH=none", NULL},
         2,                                                                             "cannot open the SQLite database none: No such file"                         },
        {"a folder",
         {"backup", "copy", NULL},
         {"SQLITE_PATH=.", NULL},
         2,                                                                             "cannot open the SQLite database .: Is a directory"                          },
        {"a text",      {"backup", "copy", NULL},      {"SQLITE_PATH=text", NULL},   1, "not a database"                                                             },
        {"in memory",
         {"backup", "copy", NULL},
         {"SQLITE_PATH=:memory:", NULL},
         2,                                                                             "nothing else sees it"                                                       },
        {"MySQL",
         {"backup", "copy", NULL},
         {"DATABASE=mysql", "MYSQL_HOST=db.example", "MYSQL_PASSWORD=s3cret", NULL},
         2,                                                                             "mysqldump --single-transaction --host db.example --port=3306 --user=todo -p"},
    };
    struct command_result result = {0};
    char folder[256];
    char path[300];
    if (!CHECK(folder_make(folder, sizeof folder), "folder", "could not be made"))
        return;
    snprintf(path, sizeof path, "%s/text", folder);
    file_write(path, "It is only a text, and longer than the hundred bytes with which each "
                     "database begins, so that it is looked at.");
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_NUMBER(rows[i].name, "exit status", rows[i].status,
                     run(rows[i].arguments, rows[i].settings, folder, &result));
        CHECK_CONTAINS(rows[i].name, "stderr", rows[i].words, text_of(&result.err));
        CHECK(!strstr(text_of(&result.err), "s3cret"), rows[i].name, "shows a secret");
        CHECK_NUMBER(rows[i].name, "bytes on stdout", 0, (long long)result.out.size);
        CHECK_NUMBER(rows[i].name, "files", 1, count_files(folder));
    }
    folder_remove(folder);
    command_result_release(&result);
}

/* The system makes the file, and SQLite, which takes 512 bytes at most, can't open it. */
static void test_a_copy_that_cannot_be_opened_is_named(void)
{
    struct command_result result = {0};
    char folder[256];
    char path[800];
    char name[480];
    if (!CHECK(folder_make(folder, sizeof folder), "folder", "could not be made"))
        return;
    memset(name, 'd', sizeof name);
    name[240] = '\0';
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_NUMBER("long", "mkdir", 0, mkdir(path, 0700));
    name[240] = '/';
    snprintf(name + 470, sizeof name - 470, "copy");
    CHECK_NUMBER("seed", "exit status", 0, run(ARGUMENTS("seed"), NULL, folder, &result));
    CHECK_NUMBER("long", "exit status", 1,
                 run(ARGUMENTS("backup", name), NULL, folder, &result));
    CHECK_CONTAINS("long", "stderr", "app: cannot open the copy: ", text_of(&result.err));
    CHECK_CONTAINS("long", "stderr", ": dddddd", text_of(&result.err));
    CHECK_NUMBER("long", "files", 0, count_files(path));
    folder_remove(folder);
    command_result_release(&result);
}

/* It waits for a lock here, of a database without WAL. */
static void test_a_signal_leaves_no_half_backup(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct command_result result = {0};
    char folder[256];
    const struct command command = {ARGUMENTS("backup", "copy"), NULL, folder};
    if (!CHECK(folder_make(folder, sizeof folder), "folder", "could not be made"))
        return;
    CHECK_NUMBER("seed", "exit status", 0, run(ARGUMENTS("seed"), NULL, folder, &result));
    sqlite3 *connection = open_file(folder, "todobackend.sqlite3");
    check_answer(connection, "PRAGMA journal_mode = DELETE", "delete");
    CHECK_NUMBER("lock", "BEGIN", SQLITE_OK,
                 sqlite3_exec(connection, "BEGIN EXCLUSIVE", NULL, NULL, NULL));
    for (size_t i = 0; i < COUNT(signals); i++) {
        pid_t pid = command_start(&command, "/dev/null", "/dev/null");
        uint64_t deadline = clock_now() + (uint64_t)LIMIT * 1000;
        while (count_files(folder) == 1 && clock_now() < deadline)
            clock_sleep(1000);
        CHECK_NUMBER("waiting", "files", 2, count_files(folder));
        kill(pid, signals[i]);
        CHECK_NUMBER("signal", "exit status", 15, command_wait(pid, LIMIT));
        CHECK_NUMBER("signal", "files", 1, count_files(folder));
    }
    CHECK_NUMBER("locked", "exit status", 11,
                 run(command.arguments, (const char *const[]){"REQUEST_TIMEOUT=1", NULL},
                     folder, &result));
    CHECK_CONTAINS("locked", "stderr", "locked", text_of(&result.err));
    CHECK_NUMBER("locked", "files", 1, count_files(folder));
    CHECK_NUMBER("lock", "ROLLBACK", SQLITE_OK,
                 sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL));
    sqlite3_close(connection);
    CHECK_NUMBER("no lock", "exit status", 0,
                 run(ARGUMENTS("backup", "copy"), NULL, folder, &result));
    CHECK_CONTAINS("no lock", "stdout", "5 todos", text_of(&result.out));
    folder_remove(folder);
    command_result_release(&result);
}

CU_TestInfo backup_tests[] = {
    TEST(test_a_backup_has_all_that_was_acknowledged_before),
    TEST(test_a_backup_that_cannot_be_made_leaves_nothing),
    TEST(test_a_copy_that_cannot_be_opened_is_named),
    TEST(test_a_signal_leaves_no_half_backup),
    CU_TEST_INFO_NULL,
};
