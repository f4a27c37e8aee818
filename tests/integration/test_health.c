/*
 * /readyz: whether reads and writes work, known soon, whatever waits; and a file of SQLite's
 * that takes no more, or is not the one that was opened any more.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROBE     2000 /* milliseconds that /readyz gives a probe at most */
#define SOON      (PROBE + BUSY_MACHINE)
#define COME_BACK 20000 /* milliseconds; a lost connection is tried again after pauses */

/* Asks as a balancer does, until it says so; each answer must come soon. */
static void check_readiness(const char *row, const struct server *server, int status,
                            const char *reason)
{
    struct client_response response = {0};
    uint64_t deadline = clock_now() + COME_BACK * 1000;
    do {
        uint64_t began = clock_now();
        get(server, "/readyz", &response);
        CHECK(clock_now() - began < SOON * 1000, row, "/readyz took %llu ms",
              (unsigned long long)(clock_now() - began) / 1000);
    } while (response.status != status && clock_now() < deadline);
    CHECK_NUMBER(row, "/readyz", status, response.status);
    if (reason)
        CHECK_CONTAINS(row, "/readyz", reason, client_body(&response));
    client_response_release(&response);
}

static void check_status(const char *row, const struct server *server, const char *method,
                         int status)
{
    struct client_response response = {0};
    bool is_post = strcmp(method, "POST") == 0;
    uint64_t deadline = clock_now() + COME_BACK * 1000;
    do
        send_json(server, method, "/todos", is_post ? "{\"title\":\"new\"}" : NULL, &response);
    while (response.status != status && response.status == 503 && clock_now() < deadline);
    CHECK_NUMBER(row, method, status, response.status);
    client_response_release(&response);
}

/* ---- on both ---- */

static atomic_bool is_over;

static void *list_all_the_time(void *context)
{
    const struct server *server = context;
    struct client_response response = {0};
    while (!is_over)
        get(server, "/todos", &response);
    client_response_release(&response);
    return NULL;
}

/* Nothing else fits into the queue: what is asked for health is not counted. */
static void test_a_full_queue_is_ready(void)
{
    static const char *const settings[] = {"DB_QUEUE=1", "DB_BATCH=1", NULL};
    struct server server = {0};
    struct client_response response = {0};
    pthread_t threads[16];
    int ready = 0;
    if (!server_open(&server, settings))
        return;
    is_over = false;
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, list_all_the_time, &server);
    for (int i = 0; i < 100; i++)
        ready += get(&server, "/readyz", &response) == 200;
    is_over = true;
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK_NUMBER("full queue", "ready", 100, ready);
    server_close(&server);
    client_response_release(&response);
}

static void *ask_once(void *context)
{
    const struct server *server = context;
    struct client_response response = {0};
    uint64_t began = clock_now();
    int status = get(server, "/readyz", &response);
    bool is_quick = clock_now() - began < PROBE * 1000;
    client_response_release(&response);
    return status == 503 && is_quick ? context : NULL;
}

/* While one waits for a probe, all others are told what is known: none is kept meanwhile. */
static void check_one_waits_at_a_time(struct server *server)
{
    pthread_t threads[32];
    void *is_quick;
    size_t quick = 0;
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, ask_once, server);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], &is_quick);
        quick += is_quick != NULL;
    }
    CHECK(quick >= COUNT(threads) / 2, "many at a time", "only %zu did not wait", quick);
}

/* A single failed probe may be chance: it takes a second one to say no, a good one to say yes.
 */
static void test_writes_that_wait_are_missed(void)
{
    struct server server = {0};
    struct client_response response = {0};
    if (!server_open(&server, NULL))
        return;
    check_readiness("before", &server, 200, NULL);
    clock_sleep(5500000); /* what was seen is too old now */
    struct database_lock *lock = database_lock(&server);
    CHECK_NUMBER("locked", "the first time", 200, get(&server, "/readyz", &response));
    check_readiness("locked", &server, 503, "The database is not available. Reason: ");
    check_one_waits_at_a_time(&server);
    database_unlock(lock);
    check_readiness("unlocked", &server, 200, NULL);
    server_close(&server);
    client_response_release(&response);
}

/* ---- SQLite: its file ---- */

static void path_of(const struct server *server, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", server->folder, name);
}

static void test_a_deleted_file_is_missed(void)
{
    struct server server = {0};
    char path[300];
    char elsewhere[300];
    if (!server_open(&server, NULL))
        return;
    create_todo(&server, "{\"title\":\"kept\"}");
    check_readiness("before", &server, 200, NULL);
    path_of(&server, "todobackend.sqlite3", path, sizeof path);
    path_of(&server, "elsewhere", elsewhere, sizeof elsewhere);
    CHECK_NUMBER("moved", "rename", 0, rename(path, elsewhere));
    struct client_response response = {0};
    CHECK_NUMBER("moved", "POST", 503,
                 send_json(&server, "POST", "/todos", "{\"title\":\"lost\"}", &response));
    CHECK_NUMBER("moved", "GET", 503, get(&server, "/todos", &response));
    client_ask(server.port, &(struct client_request)WITH("/todos", PROBLEM), &response);
    CHECK_CONTAINS("moved", "problem", SAYS("Service Unavailable", "503") "\",\"detail\":\"",
                   client_body(&response));
    check_readiness("moved", &server, 503, "was deleted or replaced");
    CHECK(access(path, F_OK) != 0, "moved", "an empty one was made in its place");
    CHECK_NUMBER("back", "rename", 0, rename(elsewhere, path));
    check_readiness("back", &server, 200, NULL);
    CHECK_NUMBER("back", "todos", 1, count_todos(&server));
    server_close(&server);
    client_response_release(&response);
}

static int count_in_file(const char *path)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    int count = -1;
    if (sqlite3_open(path, &connection) == SQLITE_OK &&
        sqlite3_prepare_v2(connection, "SELECT COUNT(*) FROM todo_todoitem", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return count;
}

/* As a restored backup does. Nothing more is acknowledged, for it would be lost; and what the
 * old file's log still holds doesn't get into the new one. */
static void test_a_replaced_file_is_not_written_past(void)
{
    struct server server = {0};
    struct client_response response = {0};
    char path[300];
    char backup[300];
    char sql[400];
    sqlite3 *connection = NULL;
    if (!server_open(&server, NULL))
        return;
    create_todo(&server, "{\"title\":\"in both\"}");
    path_of(&server, "todobackend.sqlite3", path, sizeof path);
    path_of(&server, "backup", backup, sizeof backup);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", backup);
    CHECK(sqlite3_open(path, &connection) == SQLITE_OK &&
              sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK,
          "backup", "%s", sqlite3_errmsg(connection));
    sqlite3_close(connection);
    create_todo(&server, "{\"title\":\"after the backup\"}");
    CHECK_NUMBER("replaced", "rename", 0, rename(backup, path));
    CHECK_NUMBER("replaced", "POST", 503,
                 send_json(&server, "POST", "/todos", "{\"title\":\"lost\"}", &response));
    check_readiness("replaced", &server, 503, "was deleted or replaced");
    server_stop(&server);
    if (server_start(&server, NULL)) {
        CHECK_NUMBER("restarted", "todos", 1, count_todos(&server));
        create_todo(&server, "{\"title\":\"new\"}");
        check_readiness("restarted", &server, 200, NULL);
    }
    server_stop(&server);
    CHECK_NUMBER("restarted", "todos in the file", 2, count_in_file(path));
    server_close(&server);
    client_response_release(&response);
}

static void check_told_once(const struct server *server, const char *text)
{
    CHECK_NUMBER("log", text, 1, server_await_log(server, text));
}

/* The log of changes is longer than that by then, so nothing more can be written to it. */
static void limit_files(const struct server *server, rlim_t size)
{
    struct rlimit limit = {.rlim_max = RLIM_INFINITY};
    prlimit(server->pid, RLIMIT_FSIZE, NULL, &limit);
    limit.rlim_cur = size > limit.rlim_max ? limit.rlim_max : size;
    CHECK_NUMBER("limit", "prlimit", 0, prlimit(server->pid, RLIMIT_FSIZE, &limit, NULL));
}

/* A full disk: it stays unready while there is no room, though nobody tries to write, and is
 * ready soon after there is some, though nobody has written. */
static void test_a_full_disk_is_not_ready(void)
{
    struct server server = {0};
    struct client_response response = {0};
    unsigned id = 0;
    signal(SIGXFSZ, SIG_IGN); /* the server's, too */
    if (!server_open(&server, NULL))
        return;
    for (int i = 0; i < 50; i++)
        id = create_todo(&server, "{}");
    limit_files(&server, 100000);
    for (int i = 0; i < 2; i++)
        CHECK_NUMBER("full", "POST", 503,
                     send_json(&server, "POST", "/todos", "{}", &response));
    for (int i = 0; i < 6; i++) {
        CHECK_NUMBER("full", "/readyz", 503, get(&server, "/readyz", &response));
        CHECK_CONTAINS("full", "/readyz", "SQLite error", client_body(&response));
        clock_sleep(1000000);
    }
    limit_files(&server, RLIM_INFINITY);
    check_readiness("room again", &server, 200, NULL);
    check_told_once(&server, "the database is back after");
    check_told_once(&server, "the database is out of reach");
    CHECK_NUMBER("room again", "the next id", id + 1, create_todo(&server, "{}"));
    CHECK_NUMBER("room again", "todos", 51, count_todos(&server));
    server_close(&server);
    client_response_release(&response);
}

/* ---- MySQL: servers and users that let only reads through ---- */

static void test_a_read_only_server_is_not_ready(void)
{
    struct server server = {0};
    if (!server_open(&server, NULL))
        return;
    MYSQL *root = mariadb_open_root(NULL);
    check_readiness("before", &server, 200, NULL);
    mariadb_run(root, "SET GLOBAL read_only = 1");
    clock_sleep(5500000); /* what was seen is too old now, and nobody has tried to write */
    check_readiness("read-only", &server, 503, "read-only");
    check_status("read-only", &server, "GET", 200);
    mariadb_run(root, "SET GLOBAL read_only = 0");
    check_readiness("writable", &server, 200, NULL);
    check_status("writable", &server, "POST", 201);
    mysql_close(root);
    server_close(&server);
}

static void grant(MYSQL *root, const char *rights, const char *user)
{
    char sql[200];

    snprintf(sql, sizeof sql, "GRANT %s ON %s.* TO %s", rights, getenv("MYSQL_DATABASE"), user);
    mariadb_run(root, sql);
}

static void test_a_user_without_rights_is_not_ready(void)
{
    static const char *const settings[] = {"MYSQL_USER=reader", "MYSQL_PASSWORD=secret", NULL};
    struct server server = {0};
    struct client_response response = {0};
    MYSQL *root = mariadb_open_root(NULL);
    if (!run_migrate(NULL))
        return;
    mariadb_run(root, "CREATE USER reader IDENTIFIED BY 'secret'");
    grant(root, "SELECT", "reader");
    if (folder_make(server.folder, sizeof server.folder) && server_start(&server, settings)) {
        check_readiness("only SELECT", &server, 503, "denied");
        check_status("only SELECT", &server, "GET", 200);
        CHECK_NUMBER("only SELECT", "POST", 503,
                     send_json(&server, "POST", "/todos", "{}", &response));
        CHECK_NUMBER("only SELECT", "DELETE", 503,
                     send_json(&server, "DELETE", "/todos", NULL, &response));
        grant(root, "ALL", "reader");
        check_readiness("all rights", &server, 200, NULL);
        check_status("all rights", &server, "POST", 201);
    }
    server_close(&server);
    mariadb_run(root, "DROP USER reader");
    mysql_close(root);
    client_response_release(&response);
}

/* A right may be taken away from an update alone, which goes with its commit. */
static void test_a_denied_update_is_known_not_to_be_made(void)
{
    static const char *const settings[] = {"MYSQL_USER=writer", "MYSQL_PASSWORD=secret", NULL};
    struct server server = {0};
    struct client_response response = {0};
    MYSQL *root = mariadb_open_root(NULL);
    if (!run_migrate(NULL))
        return;
    mariadb_run(root, "CREATE USER writer IDENTIFIED BY 'secret'");
    grant(root, "SELECT, INSERT, UPDATE", "writer");
    if (folder_make(server.folder, sizeof server.folder) && server_start(&server, settings)) {
        char path[32];
        snprintf(path, sizeof path, "/todos/%u", create_todo(&server, "{}"));
        send_json(&server, "DELETE", path, NULL, &response);
        CHECK_NUMBER("no DELETE", "status", 503, response.status);
        CHECK_TEXT("no DELETE", "body",
                   "{\"detail\":\"The database is not available. Nothing was changed.\"}",
                   client_body(&response));
        check_readiness("no DELETE", &server, 503, "denied");
    }
    server_close(&server);
    mariadb_run(root, "DROP USER writer");
    mysql_close(root);
    client_response_release(&response);
}

/* `app healthcheck` hears the reason before it gives up. */
static void test_a_frozen_database_has_a_reason_in_time(void)
{
    struct server server = {0};
    struct command_result result = {0};
    static const char *const words[] = {"healthcheck", NULL};
    char port[32];
    const char *const settings[] = {port, NULL};
    pid_t pid = mariadb_pid();
    if (!server_open(&server, NULL))
        return;
    snprintf(port, sizeof port, "HTTP_PORT=%u", server.port);
    if (CHECK(mariadb_halt(), "frozen", "the database does not halt")) {
        check_readiness("frozen", &server, 503, "within 2 s");
        command_run(&(struct command){words, settings, NULL}, COME_BACK, &result);
        kill(pid, SIGCONT);
        CHECK_NUMBER("frozen", "exit status", 1, result.status);
        CHECK_CONTAINS("frozen", "stderr", "The database is not available. Reason: it does not",
                       result.err.data);
        check_readiness("goes on", &server, 200, NULL);
    }
    server_close(&server);
    command_result_release(&result);
}

CU_TestInfo health_tests[] = {
    TEST(test_a_full_queue_is_ready),
    TEST(test_writes_that_wait_are_missed),
    CU_TEST_INFO_NULL,
};

CU_TestInfo health_sqlite_tests[] = {
    TEST(test_a_deleted_file_is_missed),
    TEST(test_a_replaced_file_is_not_written_past),
    TEST(test_a_full_disk_is_not_ready),
    CU_TEST_INFO_NULL,
};

CU_TestInfo health_mysql_tests[] = {
    TEST(test_a_read_only_server_is_not_ready),
    TEST(test_a_user_without_rights_is_not_ready),
    TEST(test_a_denied_update_is_known_not_to_be_made),
    TEST(test_a_frozen_database_has_a_reason_in_time),
    CU_TEST_INFO_NULL,
};
