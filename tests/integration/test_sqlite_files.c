/*
 * SQLite's files under a running server: what is acknowledged is in the file at the path, or is
 * not acknowledged; several servers on one file; and none at all.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT 20000 /* milliseconds */

/* A server whose SQLITE_PATH is a symbolic link to a/todos in its folder. */
static const char *const by_link[] = {"SQLITE_PATH=link", NULL};

static void path_of(const struct server *server, const char *name, char path[300])
{
    snprintf(path, 300, "%s/%s", server->folder, name);
}

static bool open_by_link(struct server *server)
{
    char path[300];
    if (!CHECK(folder_make(server->folder, sizeof server->folder), "folder", "not made"))
        return false;
    path_of(server, "a", path);
    CHECK_NUMBER("a", "mkdir", 0, mkdir(path, 0700));
    path_of(server, "b", path);
    CHECK_NUMBER("b", "mkdir", 0, mkdir(path, 0700));
    path_of(server, "link", path);
    CHECK_NUMBER("link", "symlink", 0, symlink("a/todos", path));
    return server_start(server, by_link);
}

/* SQL on a file, past the server; the first column of the first row as a number, -1 without. */
static int sql_number(const char *path, const char *sql)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    int number = -1;
    if (sqlite3_open(path, &connection) == SQLITE_OK &&
        sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return number;
}

/* The log is written by a thread of its own. */
static void check_told_once(const char *row, const struct server *server, const char *text)
{
    CHECK_NUMBER(row, text, 1, server_await_log(server, text));
}

static void check_unready(const char *row, const struct server *server, const char *reason)
{
    struct client_response response = {0};
    uint64_t deadline = clock_now() + (uint64_t)LIMIT * 1000;
    while (get(server, "/readyz", &response) == 200 && clock_now() < deadline)
        clock_sleep(50000);
    CHECK_NUMBER(row, "/readyz", 503, response.status);
    CHECK_CONTAINS(row, "/readyz", reason, client_body(&response));
    client_response_release(&response);
}

/* ---- a file that is not the open one any more ---- */

static void rename_in(const struct server *server, const char *from, const char *to)
{
    char from_path[300];
    char to_path[300];
    path_of(server, from, from_path);
    path_of(server, to, to_path);
    CHECK_NUMBER(from, "rename", 0, rename(from_path, to_path));
}

static void remove_in(const struct server *server, const char *name)
{
    char path[300];
    path_of(server, name, path);
    CHECK_NUMBER(name, "unlink", 0, unlink(path));
}

static void lead_link_to(const struct server *server, const char *target)
{
    char path[300];
    remove_in(server, "link");
    path_of(server, "link", path);
    CHECK_NUMBER(target, "symlink", 0, symlink(target, path));
}

static void copy_to_b(const struct server *server)
{
    char path[300];
    path_of(server, "a/todos", path);
    CHECK_NUMBER("copy", "todos", 2, sql_number(path, "SELECT COUNT(*) FROM todo_todoitem"));
    char sql[400];
    sqlite3 *connection = NULL;
    snprintf(sql, sizeof sql, "VACUUM INTO '%s/b/todos'", server->folder);
    CHECK(sqlite3_open(path, &connection) == SQLITE_OK &&
              sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK,
          "copy", "%s", sqlite3_errmsg(connection));
    sqlite3_close(connection);
}

static void remove_log(const struct server *server)
{
    remove_in(server, "a/todos-wal");
}

static void remove_index(const struct server *server)
{
    remove_in(server, "a/todos-shm");
}

static void rename_folder(const struct server *server)
{
    rename_in(server, "a", "elsewhere");
}

static void rename_folder_back(const struct server *server)
{
    rename_in(server, "elsewhere", "a");
}

static void switch_link(const struct server *server)
{
    lead_link_to(server, "b/todos");
}

static void switch_link_back(const struct server *server)
{
    lead_link_to(server, "a/todos");
}

/* Nothing more is acknowledged, and what was is there after a crash. */
static void check_moved(const char *row, void (*change)(const struct server *server),
                        void (*undo)(const struct server *server))
{
    struct server server = {0};
    struct client_response response = {0};
    if (open_by_link(&server)) {
        create_todo(&server, "{\"title\":\"one\"}");
        create_todo(&server, "{\"title\":\"two\"}");
        copy_to_b(&server);
        change(&server);
        CHECK_NUMBER(row, "POST", 503,
                     send_json(&server, "POST", "/todos", "{\"title\":\"lost\"}", &response));
        CHECK_CONTAINS(row, "POST", "\"The database is not available. Nothing was changed.\"",
                       client_body(&response));
        check_unready(row, &server, "Reason: ");
        check_told_once(row, &server, "was deleted or replaced while it was in use");
        server_kill(&server);
        if (undo)
            undo(&server);
        if (server_start(&server, by_link))
            CHECK_NUMBER(row, "todos after a crash", 2, count_todos(&server));
    }
    server_close(&server);
    client_response_release(&response);
}

static void test_nothing_is_written_past_the_path(void)
{
    static const struct {
        const char *name;
        void (*change)(const struct server *server);
        void (*undo)(const struct server *server);
    } rows[] = {
        {"no log",          remove_log,    NULL              },
        {"no log's index",  remove_index,  NULL              },
        {"folder renamed",  rename_folder, rename_folder_back},
        {"another by link", switch_link,   switch_link_back  },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_moved(rows[i].name, rows[i].change, rows[i].undo);
}

/* Its log isn't left for the file that was put in its place, and nothing is opened beside it.
 */
static void check_log_is_not_left(const char *row, bool is_asked)
{
    struct server server = {0};
    struct client_response response = {0};
    if (open_by_link(&server)) {
        create_todo(&server, "{\"title\":\"one\"}");
        create_todo(&server, "{\"title\":\"two\"}");
        copy_to_b(&server);
        create_todo(&server, "{\"title\":\"after the copy\"}");
        rename_in(&server, "b/todos", "a/todos");
        if (is_asked)
            CHECK_NUMBER(row, "GET", 503, get(&server, "/todos", &response));
        server_stop(&server);
        if (server_start(&server, by_link))
            CHECK_NUMBER(row, "todos", 2, count_todos(&server));
    }
    server_close(&server);
    client_response_release(&response);
}

static void test_a_log_is_not_left_for_another_file(void)
{
    check_log_is_not_left("nobody asked", false);
    check_log_is_not_left("read for the first time", true);
}

/* A second program that opens the file put there would share the first one's log. */
static void test_a_file_beside_the_log_of_another_is_refused(void)
{
    static const char *const migrate[] = {"migrate", NULL};
    struct server server = {0};
    struct command_result result = {0};
    char path[300];
    if (open_by_link(&server)) {
        create_todo(&server, "{\"title\":\"one\"}");
        create_todo(&server, "{\"title\":\"two\"}");
        copy_to_b(&server);
        create_todo(&server, "{\"title\":\"after the copy\"}");
        command_run(&(struct command){migrate, by_link, server.folder}, LIMIT, &result);
        CHECK_NUMBER("the same file", "exit status", 0, result.status);
        rename_in(&server, "b/todos", "a/todos");
        command_run(&(struct command){migrate, by_link, server.folder}, LIMIT, &result);
        CHECK_NUMBER("replaced", "exit status", 11, result.status);
        CHECK_CONTAINS("replaced", "stderr", "was replaced while another program had it open",
                       result.err.data);
        server_stop(&server);
        command_run(&(struct command){migrate, by_link, server.folder}, LIMIT, &result);
        CHECK_NUMBER("stopped", "exit status", 0, result.status);
        path_of(&server, "a/todos", path);
        CHECK_NUMBER("stopped", "todos", 2,
                     sql_number(path, "SELECT COUNT(*) FROM todo_todoitem"));
    }
    server_close(&server);
    command_result_release(&result);
}

/* ---- many at a time ---- */

#define CLIENTS   8
#define TODOS     150 /* of one client */
#define LEAST     600 /* that are acknowledged, though both wait for each other's locks */
#define COMMANDS  3
#define IDS_LIMIT 100000

struct client {
    const struct server *server;
    pthread_t thread;
    unsigned ids[TODOS]; /* 0: not acknowledged */
    size_t odd;          /* answers that are neither 201 nor a 503 */
};

static void *create_todos(void *context)
{
    struct client *client = context;
    struct client_response response = {0};
    for (size_t i = 0; i < TODOS; i++) {
        int status = send_json(client->server, "POST", "/todos", "{}", &response);
        const char *url = client_header(&response, "Location");
        client->ids[i] = status == 201 ? id_of_url(url ? url : "") : 0;
        client->odd += status != 201 && status != 503;
        get(client->server, "/todos", &response); /* readers are in the way, too */
        client->odd += response.status != 200 && response.status != 503;
    }
    client_response_release(&response);
    return NULL;
}

/* Whether `server` has each todo that was acknowledged to a client, each id once. */
static void check_acknowledged(const char *row, const struct server *server,
                               const struct client *clients, size_t least)
{
    static bool seen[IDS_LIMIT];
    struct client_response response = {0};
    size_t doubled = 0;
    size_t missing = 0;
    size_t acknowledged = 0;
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < CLIENTS; i++) {
        CHECK_NUMBER(row, "odd answers", 0, (long long)clients[i].odd);
        for (size_t j = 0; j < TODOS; j++) {
            unsigned id = clients[i].ids[j];
            if (id == 0 || id >= IDS_LIMIT)
                continue;
            acknowledged++;
            doubled += seen[id];
            seen[id] = true;
            missing += get_todo(server, id, &response) != 200;
        }
    }
    CHECK_NUMBER(row, "ids given twice", 0, (long long)doubled);
    CHECK_NUMBER(row, "missing", 0, (long long)missing);
    CHECK_NUMBER(row, "listed", (long long)acknowledged, count_todos(server));
    CHECK(acknowledged >= least, row, "only %zu were acknowledged", acknowledged);
    client_response_release(&response);
}

static void start_clients(struct client *clients, const struct server *const *servers,
                          size_t server_count)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.server = servers[i % server_count]};
        pthread_create(&clients[i].thread, NULL, create_todos, &clients[i]);
    }
}

static void join_clients(struct client *clients)
{
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
}

static void check_one_file(struct server *first, struct server *second,
                           const char *const *settings)
{
    static struct client clients[CLIENTS];
    const struct server *const servers[] = {first, second};
    static const char *const words[COMMANDS][3] = {
        {"migrate", NULL},
        {        "seed",     NULL    },
        { "backup",     "copy",         NULL}
    };
    struct command_result result = {0};
    struct client_response response = {0};
    create_todo(first, "{}"); /* for the seed to find */
    start_clients(clients, servers, COUNT(servers));
    for (size_t i = 0; i < COMMANDS; i++) {
        command_run(&(struct command){words[i], settings, first->folder}, LIMIT, &result);
        CHECK_NUMBER(words[i][0], "exit status", 0, result.status);
    }
    join_clients(clients);
    CHECK_NUMBER("one file", "the first is deleted", 204,
                 send_json(first, "DELETE", "/todos/1", NULL, &response));
    check_acknowledged("the first's view", first, clients, LEAST);
    check_acknowledged("the second's view", second, clients, LEAST);
    command_result_release(&result);
    client_response_release(&response);
}

static void test_two_servers_on_one_file(void)
{
    struct server first = {0};
    struct server second = {0};
    char setting[320];
    const char *const settings[] = {setting, NULL};
    if (open_by_link(&first)) {
        snprintf(setting, sizeof setting, "SQLITE_PATH=%s/a/todos", first.folder);
        if (server_open(&second, settings))
            check_one_file(&first, &second, settings);
    }
    server_close(&second);
    if (first.pid > 0) {
        char path[300];
        path_of(&first, "a/todos", path);
        CHECK_NUMBER("one file", "sound", 1,
                     sql_number(path, "SELECT integrity_check = 'ok' FROM "
                                      "pragma_integrity_check"));
    }
    server_close(&first);
}

/* Two processes that wait for each other's locks too long: known, and not the server's fault.
 */
static void test_a_locked_file_is_unavailable(void)
{
    static const char *const settings[] = {"SQLITE_PATH=link", "REQUEST_TIMEOUT=3", NULL};
    struct server server = {0};
    struct client_response response = {0};
    sqlite3 *connection = NULL;
    char path[300];
    if (open_by_link(&server)) {
        server_stop(&server);
        if (!server_start(&server, settings))
            return;
        path_of(&server, "a/todos", path);
        CHECK(sqlite3_open(path, &connection) == SQLITE_OK &&
                  sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK,
              "lock", "%s", sqlite3_errmsg(connection));
        CHECK_NUMBER("locked", "GET", 200, get(&server, "/todos", &response));
        CHECK_NUMBER("locked", "POST", 503,
                     send_json(&server, "POST", "/todos", "{}", &response));
        CHECK_CONTAINS("locked", "POST", " Nothing was changed.\"", client_body(&response));
        sqlite3_close(connection);
        CHECK_NUMBER("unlocked", "POST", 201,
                     send_json(&server, "POST", "/todos", "{}", &response));
        CHECK_NUMBER("unlocked", "todos", 1, count_todos(&server));
    }
    server_close(&server);
    client_response_release(&response);
}

/* ---- no file ---- */

static void test_in_memory_all_connections_have_the_same_todos(void)
{
    static const char *const settings[] = {"SQLITE_PATH=:memory:", "DB_READERS=4", NULL};
    static struct client clients[CLIENTS];
    struct server server = {0};
    struct client_response response = {0};
    char path[300];
    if (server_open(&server, settings)) {
        const struct server *const servers[] = {&server};
        check_told_once("first line", &server, "todos are kept in memory: they are gone when");
        start_clients(clients, servers, COUNT(servers));
        join_clients(clients);
        check_acknowledged("in memory", &server, clients, (size_t)CLIENTS * TODOS);
        clock_sleep(5500000); /* what was seen is too old now: /readyz looks itself */
        CHECK_NUMBER("in memory", "/readyz", 200, get(&server, "/readyz", &response));
        path_of(&server, ":memory:", path);
        CHECK(access(path, F_OK) != 0, "in memory", "a file of that name was made");
        server_stop(&server);
        if (server_start(&server, settings))
            CHECK_NUMBER("again", "todos", 0, count_todos(&server));
    }
    server_close(&server);
    client_response_release(&response);
}

static void test_other_commands_do_not_work_in_memory(void)
{
    static const char *const settings[] = {"SQLITE_PATH=:memory:", NULL};
    static const char *const commands[] = {"migrate", "seed"};
    struct command_result result = {0};
    for (size_t i = 0; i < COUNT(commands); i++) {
        const char *const arguments[] = {commands[i], NULL};
        command_run(&(struct command){arguments, settings, NULL}, LIMIT, &result);
        CHECK_NUMBER(commands[i], "exit status", 2, result.status);
        CHECK_CONTAINS(commands[i], "stderr", "nothing else sees it", result.err.data);
    }
    command_result_release(&result);
}

CU_TestInfo sqlite_files_tests[] = {
    TEST(test_two_servers_on_one_file),
    TEST(test_a_locked_file_is_unavailable),
    TEST(test_in_memory_all_connections_have_the_same_todos),
    TEST(test_other_commands_do_not_work_in_memory),
    TEST(test_a_file_beside_the_log_of_another_is_refused),
    TEST(test_nothing_is_written_past_the_path),
    TEST(test_a_log_is_not_left_for_another_file),
    CU_TEST_INFO_NULL,
};
