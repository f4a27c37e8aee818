/*
 * Many clients at once, and what may fail: the server, the database. Whatever was acknowledged
 * is kept, and every request gets an answer in bounded time. TEST_SOAK gives the seconds of the
 * mixed work (3).
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct server server;

int resilience_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int resilience_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

/* A client with a connection of its own, which it opens again when it was closed. Threads don't
 * use CUnit: they note the first thing that went wrong. */
struct worker {
    unsigned index;
    unsigned port;
    struct client_connection connection;
    struct client_response response;
    pthread_t thread;
    unsigned id; /* of the todo that it works on */
    unsigned done;
    char wrong[200];
    void (*work)(struct worker *worker);
};

static atomic_bool stop_work;
static pthread_barrier_t barrier;

static void note(struct worker *worker, const char *what, int wanted)
{
    if (!worker->wrong[0])
        snprintf(worker->wrong, sizeof worker->wrong, "%s: wanted %d, got %d %.100s", what,
                 wanted, worker->response.status, client_body(&worker->response));
}

/* One request on the kept connection; its status. */
static int request(struct worker *worker, const char *method, const char *path,
                   const char *json)
{
    struct client_request request = {.method = method, .path = path, .body = json};
    request.type = json ? "application/json" : NULL;
    if (worker->connection.fd < 0 && !client_open(&worker->connection, worker->port))
        return worker->response.status = 0;
    client_send_request(&worker->connection, worker->port, &request);
    if (!client_receive(&worker->connection, false, CLIENT_TIME_LIMIT, &worker->response))
        client_close(&worker->connection);
    worker->done++;
    return worker->response.status;
}

static bool expect(struct worker *worker, int wanted, const char *method, const char *path,
                   const char *json)
{
    if (request(worker, method, path, json) == wanted)
        return true;
    note(worker, method, wanted);
    return false;
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    worker->work(worker);
    if (worker->connection.fd >= 0)
        client_close(&worker->connection);
    client_response_release(&worker->response);
    return NULL;
}

static struct worker *start_workers(unsigned port, unsigned count,
                                    void (*work)(struct worker *worker))
{
    struct worker *workers = calloc(count, sizeof *workers);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    stop_work = false;
    for (unsigned i = 0; workers && i < count; i++) {
        workers[i].index = i;
        workers[i].port = port;
        workers[i].connection.fd = -1;
        workers[i].work = work;
        if (pthread_create(&workers[i].thread, &attributes, run_worker, &workers[i]) != 0)
            abort();
    }
    pthread_attr_destroy(&attributes);
    return workers;
}

/* Waits for them, and checks that nothing went wrong. Gives how many requests they made. */
static unsigned join_workers(const char *row, struct worker *workers, unsigned count)
{
    unsigned done = 0;
    for (unsigned i = 0; workers && i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(!workers[i].wrong[0], row, "client %u: %s", i, workers[i].wrong);
        done += workers[i].done;
    }
    return done;
}

static unsigned worker_creates(struct worker *worker, const char *json)
{
    if (!expect(worker, 201, "POST", "/todos", json))
        return 0;
    return id_of_url(client_header(&worker->response, "Location"));
}

/* Connections are kept. */

static void test_a_connection_serves_many_requests(void)
{
    struct worker worker = {.port = server.port, .connection = {.fd = -1}};
    clear_todos(&server);
    for (int i = 0; i < 200; i++) {
        int fd = worker.connection.fd;
        CHECK_NUMBER("keep-alive", "status", 200, request(&worker, "GET", "/todos", NULL));
        if (i > 0)
            CHECK_NUMBER("keep-alive", "connection", fd, worker.connection.fd);
    }
    client_close(&worker.connection);
    client_response_release(&worker.response);
}

/* Mixed work. */

static void check_own_todo(struct worker *worker, const char *path, const char *title)
{
    char part[64];
    snprintf(part, sizeof part, "\"title\":\"%s\"", title);
    if (expect(worker, 200, "GET", path, NULL) && !strstr(client_body(&worker->response), part))
        note(worker, "another title", 200);
    snprintf(part, sizeof part, "%s\"", path);
    if (expect(worker, 200, "GET", "/todos", NULL) &&
        !strstr(client_body(&worker->response), part))
        note(worker, "not in the list", 200);
}

static void mixed_round(struct worker *worker)
{
    char path[32];
    char title[32];
    char json[64];
    snprintf(title, sizeof title, "client %u", worker->index);
    snprintf(json, sizeof json, "{\"title\":\"%s\"}", title);
    snprintf(path, sizeof path, "/todos/%u", worker_creates(worker, json));
    check_own_todo(worker, path, title);
    snprintf(title, sizeof title, "changed %u", worker->index);
    snprintf(json, sizeof json, "{\"title\":\"%s\"}", title);
    expect(worker, 200, "PATCH", path, json);
    check_own_todo(worker, path, title);
    expect(worker, 200, "PUT", path, "{\"order\":7}");
    expect(worker, 400, "PATCH", path, "{\"order\":\"x\"}");
    expect(worker, 204, "DELETE", path, NULL);
    expect(worker, 404, "GET", path, NULL);
    expect(worker, 404, "PATCH", path, "{}");
}

static void mix(struct worker *worker)
{
    while (!stop_work && !worker->wrong[0])
        mixed_round(worker);
}

#define CLIENTS 200

static void test_200_connections_of_mixed_work(void)
{
    const char *seconds = getenv("TEST_SOAK");
    clear_todos(&server);
    struct worker *workers = start_workers(server.port, CLIENTS, mix);
    clock_sleep(1000000 * strtoull(seconds ? seconds : "3", NULL, 10));
    stop_work = true;
    unsigned done = join_workers("mixed work", workers, CLIENTS);
    CHECK(done > CLIENTS, "mixed work", "only %u requests", done);
    CHECK_NUMBER("mixed work", "todos afterwards", 0, count_todos(&server));
    free(workers);
}

/* No update is lost. */

#define ROUNDS 30

static unsigned shared_id;

static void patch_one_field(struct worker *worker)
{
    static const char *const changes[] = {"{\"title\":\"new\"}", "{\"completed\":true}",
                                          "{\"order\":42}"};
    for (int i = 0; i < ROUNDS; i++) {
        char path[32];
        pthread_barrier_wait(&barrier);
        snprintf(path, sizeof path, "/todos/%u", shared_id);
        expect(worker, 200, worker->index == 0 ? "PUT" : "PATCH", path, changes[worker->index]);
        pthread_barrier_wait(&barrier);
    }
}

static void test_concurrent_changes_of_different_fields_are_all_kept(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    pthread_barrier_init(&barrier, NULL, 4);
    struct worker *workers = start_workers(server.port, 3, patch_one_field);
    for (int i = 0; i < ROUNDS; i++) {
        shared_id = create_todo(&server, "{\"title\":\"old\"}");
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        get_todo(&server, shared_id, &response);
        CHECK_CONTAINS("three clients", "todo",
                       "\"title\":\"new\",\"completed\":true,\"order\":42",
                       client_body(&response));
    }
    join_workers("three clients", workers, 3);
    free(workers);
    pthread_barrier_destroy(&barrier);
    client_response_release(&response);
}

static void delete_or_patch(struct worker *worker)
{
    for (int i = 0; i < ROUNDS; i++) {
        char path[32];
        pthread_barrier_wait(&barrier);
        snprintf(path, sizeof path, "/todos/%u", shared_id);
        if (worker->index == 0)
            expect(worker, 204, "DELETE", path, NULL);
        else if (request(worker, "PATCH", path, "{\"title\":\"new\"}") != 200 &&
                 worker->response.status != 404)
            note(worker, "PATCH", 200);
        pthread_barrier_wait(&barrier);
    }
}

static void test_a_deleted_todo_does_not_come_back(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    pthread_barrier_init(&barrier, NULL, 4);
    struct worker *workers = start_workers(server.port, 3, delete_or_patch);
    for (int i = 0; i < ROUNDS; i++) {
        shared_id = create_todo(&server, "{}");
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        CHECK_NUMBER("delete against patch", "status", 404,
                     get_todo(&server, shared_id, &response));
    }
    join_workers("delete against patch", workers, 3);
    CHECK_NUMBER("delete against patch", "todos afterwards", 0, count_todos(&server));
    free(workers);
    pthread_barrier_destroy(&barrier);
    client_response_release(&response);
}

#define CREATORS 32
#define CREATES  10

static unsigned created_ids[CREATORS * CREATES];

static void create_many(struct worker *worker)
{
    for (unsigned i = 0; i < CREATES; i++) {
        char json[64];
        char wanted[64];
        snprintf(json, sizeof json, "{\"order\":%u}", worker->index * CREATES + i);
        snprintf(wanted, sizeof wanted, "\"order\":%u}", worker->index * CREATES + i);
        created_ids[worker->index * CREATES + i] = worker_creates(worker, json);
        if (!strstr(client_body(&worker->response), wanted))
            note(worker, "another's todo", 201);
    }
}

/* Each id names the very todo that its creator sent. */
static void test_concurrent_creates_get_ids_of_their_own(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    struct worker *workers = start_workers(server.port, CREATORS, create_many);
    join_workers("creates", workers, CREATORS);
    CHECK_NUMBER("creates", "todos", CREATORS * CREATES, count_todos(&server));
    for (unsigned i = 0; i < COUNT(created_ids); i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "\"order\":%u}", i);
        get_todo(&server, created_ids[i], &response);
        CHECK_CONTAINS("creates", "todo", wanted, client_body(&response));
    }
    free(workers);
    client_response_release(&response);
}

static void read_only_alone(struct worker *worker)
{
    while (!stop_work && !worker->wrong[0])
        expect(worker, 200, "GET", "/todos", NULL);
}

/* A reader sees each write as soon as it was acknowledged, while others read. */
static void test_readers_see_what_was_acknowledged(void)
{
    clear_todos(&server);
    struct worker *workers = start_workers(server.port, 8, read_only_alone);
    for (int i = 1; i <= 50; i++) {
        create_todo(&server, "{}");
        CHECK_NUMBER("read after write", "todos", i, count_todos(&server));
    }
    stop_work = true;
    join_workers("readers", workers, 8);
    free(workers);
}

/* The server ends and comes back. */

static void test_data_survive_a_restart_of_the_server(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    unsigned id = create_todo(&server, "{\"title\":\"\xe6\x97\xa5 \xf0\x9f\x9a\x97\"}");
    server_stop(&server);
    if (server_start(&server, NULL)) {
        get_todo(&server, id, &response);
        CHECK_CONTAINS("restart", "todo", "\"title\":\"\xe6\x97\xa5 \xf0\x9f\x9a\x97\"",
                       client_body(&response));
    }
    create_todo(&server, "{}");
    server_kill(&server);
    if (server_start(&server, NULL))
        CHECK_NUMBER("after kill -9", "todos", 2, count_todos(&server));
    client_response_release(&response);
}

static atomic_uint acknowledged;

static void create_until_refused(struct worker *worker)
{
    while (!stop_work && request(worker, "POST", "/todos", "{}") == 201)
        atomic_fetch_add(&acknowledged, 1);
}

/* Under load: everything that was answered by 201 is there afterwards. */
static void test_what_was_acknowledged_is_kept_when_the_server_is_killed(void)
{
    clear_todos(&server);
    acknowledged = 0;
    struct worker *workers = start_workers(server.port, 8, create_until_refused);
    clock_sleep(300000);
    server_kill(&server);
    stop_work = true;
    join_workers("kill -9", workers, 8);
    if (server_start(&server, NULL)) {
        int count = count_todos(&server);
        CHECK(acknowledged > 0 && count >= (int)acknowledged, "kill -9",
              "%u acknowledged, %d kept", acknowledged, count);
    }
    free(workers);
}

static void create_one(struct worker *worker)
{
    worker->id = worker_creates(worker, "{\"title\":\"in flight\"}");
}

/* Requests that wait for the database when SIGTERM comes are answered. */
static void test_sigterm_finishes_what_is_in_flight(void)
{
    clear_todos(&server);
    struct database_lock *lock = database_lock(&server);
    struct worker *workers = start_workers(server.port, 8, create_one);
    clock_sleep(300000);
    kill(server.pid, SIGTERM);
    clock_sleep(300000);
    database_unlock(lock);
    join_workers("in flight", workers, 8);
    server_stop(&server);
    if (server_start(&server, NULL))
        CHECK_NUMBER("in flight", "todos kept", 8, count_todos(&server));
    free(workers);
}

/* A connection that waits for its next request doesn't hold the end up. */
static void test_sigterm_does_not_wait_for_idle_clients(void)
{
    struct worker fresh = {.port = server.port};
    struct worker used = {.port = server.port, .connection = {.fd = -1}};
    CHECK(client_open(&fresh.connection, server.port), "idle", "no connection");
    CHECK_NUMBER("idle", "status", 200, request(&used, "GET", "/todos", NULL));
    uint64_t start = clock_now();
    server_stop(&server);
    CHECK(clock_now() - start < BUSY_MACHINE * 1000, "idle", "%llu ms from SIGTERM to the end",
          (unsigned long long)(clock_now() - start) / 1000);
    client_close(&fresh.connection);
    client_close(&used.connection);
    client_response_release(&used.response);
    server_start(&server, NULL);
}

/* A database that doesn't answer a write in time: 503 within the deadline, and reads go on. */
static void test_a_write_that_waits_too_long_gets_503(void)
{
    static const char *const settings[] = {"REQUEST_TIMEOUT=2", NULL};
    struct client_response response = {0};
    server_stop(&server);
    if (!server_start(&server, settings))
        return;
    struct database_lock *lock = database_lock(&server);
    uint64_t start = clock_now();
    send_json(&server, "POST", "/todos", "{}", &response);
    uint64_t milliseconds = (clock_now() - start) / 1000;
    database_unlock(lock);
    CHECK_NUMBER("locked", "status", 503, response.status);
    CHECK(client_header(&response, "Retry-After"), "locked", "no Retry-After");
    CHECK_TEXT("locked", "body",
               "{\"detail\":\"The database did not answer in time. Nothing was changed.\"}",
               client_body(&response));
    CHECK(milliseconds < 2000 + BUSY_MACHINE, "locked", "%llu ms",
          (unsigned long long)milliseconds);
    uint64_t deadline = clock_now() + 10000000;
    while (send_json(&server, "POST", "/todos", "{}", &response) != 201 &&
           clock_now() < deadline)
        clock_sleep(50000);
    CHECK_NUMBER("unlocked", "status", 201, response.status);
    client_response_release(&response);
}

/* As `curl --retry 2`: what is told to come again after a while does. */
static void create_with_retries(struct worker *worker)
{
    for (int tries = 0; tries < 3; tries++) {
        if (request(worker, "POST", "/todos", "{}") != 503)
            break;
        if (!client_header(&worker->response, "Retry-After"))
            break;
    }
    if (worker->response.status != 201)
        note(worker, "POST, tried again", 201);
}

static void test_a_create_that_is_tried_again_makes_one_todo(void)
{
    static const char *const settings[] = {"REQUEST_TIMEOUT=1", NULL};
    server_stop(&server);
    if (!server_start(&server, settings))
        return;
    clear_todos(&server);
    struct database_lock *lock = database_lock(&server);
    struct worker *workers = start_workers(server.port, 8, create_with_retries);
    clock_sleep(1500000); /* each has been refused once, and has come again */
    database_unlock(lock);
    join_workers("tried again", workers, 8);
    CHECK_NUMBER("tried again", "todos", 8, count_todos(&server));
    free(workers);
}

/* Moves the next id to the very end, or back to the start. */
static void use_ids_up(bool is_used_up)
{
    if (test_database == TEST_SQLITE) {
        char path[300];
        sqlite3 *sqlite = NULL;
        snprintf(path, sizeof path, "%s/todobackend.sqlite3", server.folder);
        CHECK(sqlite3_open(path, &sqlite) == SQLITE_OK &&
                  sqlite3_busy_timeout(sqlite, 5000) == SQLITE_OK &&
                  sqlite3_exec(sqlite,
                               is_used_up
                                   ? "UPDATE sqlite_sequence SET seq = 0x7fffffffffffffff"
                                   : "UPDATE sqlite_sequence SET seq = 0",
                               NULL, NULL, NULL) == SQLITE_OK,
              "ids", "can't set the sequence");
        sqlite3_close(sqlite);
        return;
    }
    MYSQL *connection = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    mariadb_run(connection, is_used_up ? "ALTER TABLE todo_todoitem AUTO_INCREMENT = 2147483647"
                                       : "ALTER TABLE todo_todoitem AUTO_INCREMENT = 1");
    if (connection)
        mysql_close(connection);
}

static void create_to_the_end(struct worker *worker)
{
    expect(worker, 507, "POST", "/todos", "{}");
}

static void test_ids_that_are_used_up_are_told(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    unsigned id = create_todo(&server, "{}");
    use_ids_up(true);
    send_json(&server, "POST", "/todos", "{}", &response); /* may get the last one */
    struct worker *workers = start_workers(server.port, 8, create_to_the_end);
    join_workers("used up", workers, 8);
    CHECK_NUMBER("used up", "POST", 507, send_json(&server, "POST", "/todos", "{}", &response));
    CHECK_TEXT("used up", "body",
               "{\"detail\":\"The database can't store this: it is at one of its limits.\"}",
               client_body(&response));
    CHECK(!client_header(&response, "Retry-After"), "used up", "Retry-After");
    client_ask(
        server.port,
        &(struct client_request)SEND("POST", "/todos", PROBLEM, "application/json", "{}"),
        &response);
    CHECK_CONTAINS("used up", "problem", SAYS("Insufficient Storage", "507") "\",\"detail\":\"",
                   client_body(&response));
    CHECK_NUMBER("used up", "PATCH", 200, patch_todo(&server, id, "{\"order\":5}", &response));
    CHECK_NUMBER("used up", "/readyz", 200, get(&server, "/readyz", &response));
    clear_todos(&server);
    use_ids_up(false);
    create_todo(&server, "{}");
    free(workers);
    client_response_release(&response);
}

/* SQLite: two servers on one file. */

static void create_some(struct worker *worker)
{
    for (int i = 0; i < 50; i++)
        worker_creates(worker, "{}");
}

static void test_two_servers_share_a_database(void)
{
    struct server other = {0};
    char setting[300];
    snprintf(setting, sizeof setting, "SQLITE_PATH=%s/todobackend.sqlite3", server.folder);
    const char *const settings[] = {setting, NULL};
    clear_todos(&server);
    if (server_open(&other, settings)) {
        struct worker *mine = start_workers(server.port, 4, create_some);
        struct worker *others = start_workers(other.port, 4, create_some);
        join_workers("first server", mine, 4);
        join_workers("second server", others, 4);
        CHECK_NUMBER("first server", "todos", 400, count_todos(&server));
        CHECK_NUMBER("second server", "todos", 400, count_todos(&other));
        free(mine);
        free(others);
    }
    server_close(&other);
}

/* MySQL: the database ends, hangs, and comes back. */

#define DEADLINE  3                                /* REQUEST_TIMEOUT, seconds */
#define IN_TIME   (DEADLINE * 1000 + BUSY_MACHINE) /* milliseconds for an answer */
#define COME_BACK 20000                            /* milliseconds until it serves again */

static const char *const short_deadline[] = {"REQUEST_TIMEOUT=3", NULL};

static bool start_with_deadline(void)
{
    server_stop(&server);
    return server_start(&server, short_deadline);
}

static void check_unavailable(const char *row, const char *method, const char *path,
                              const char *json, bool is_late)
{
    struct client_response response = {0};
    uint64_t start = clock_now();
    send_json(&server, method, path, json, &response);
    long long milliseconds = (long long)(clock_now() - start) / 1000;
    CHECK_NUMBER(row, "status", 503, response.status);
    CHECK_CONTAINS(row, "body",
                   strcmp(method, "GET") == 0
                       ? (is_late ? "\"The database " : "is not available.\"}")
                       : " Nothing was changed.\"}",
                   client_body(&response));
    CHECK_TEXT(row, "Content-Type", "application/json",
               client_header(&response, "Content-Type"));
    CHECK(client_header(&response, "Retry-After"), row, "no Retry-After");
    CHECK(milliseconds < IN_TIME, row, "answered after %lld ms", milliseconds);
    client_response_release(&response);
}

/* Asks until the status comes, or too much time has passed. */
static void check_comes(const char *row, const char *path, int status, unsigned limit)
{
    struct client_response response = {0};
    uint64_t deadline = clock_now() + (uint64_t)limit * 1000;
    while (get(&server, path, &response) != status && clock_now() < deadline)
        clock_sleep(50000);
    CHECK(response.status == status, row, "%s: wanted %d within %u ms, got %d %.200s", path,
          status, limit, response.status, client_body(&response));
    client_response_release(&response);
}

static void check_database_is_missed(const char *row)
{
    struct client_response response = {0};
    char path[32];
    snprintf(path, sizeof path, "/todos/%u", shared_id);
    check_unavailable(row, "POST", "/todos", "{}", false);
    check_unavailable(row, "GET", "/todos", NULL, false);
    check_unavailable(row, "GET", path, NULL, false);
    check_unavailable(row, "PATCH", path, "{\"order\":5}", false);
    check_unavailable(row, "DELETE", "/todos", NULL, false);
    check_comes(row, "/readyz", 503, 10000);
    CHECK_NUMBER(row, "/livez", 200, get(&server, "/livez", &response));
    CHECK_NUMBER(row, "status without the database", 400,
                 send_json(&server, "POST", "/todos", "{", &response));
    client_response_release(&response);
}

static void check_database_is_back(const char *row, int todos)
{
    struct client_response response = {0};
    uint64_t deadline = clock_now() + COME_BACK * 1000;
    check_comes(row, "/todos", 200, COME_BACK);
    check_comes(row, "/readyz", 200, COME_BACK);
    CHECK_NUMBER(row, "todos", todos, count_todos(&server));
    /* the writer's connection has pauses of its own between its attempts */
    while (send_json(&server, "POST", "/todos", "{\"title\":\"after\"}", &response) == 503 &&
           clock_now() < deadline)
        clock_sleep(50000);
    CHECK_NUMBER(row, "create", 201, response.status);
    client_response_release(&response);
}

static void check_outage_is_told(void)
{
    static const char lost[] =
        "\"level\":\"error\",\"message\":\"the database is out of reach: "
        "cannot connect to MySQL at 127.0.0.1:";
    struct client_response response = {0};
    CHECK_NUMBER("killed", "/readyz", 503, get(&server, "/readyz", &response));
    CHECK_CONTAINS("killed", "/readyz",
                   "cannot connect to MySQL at 127.0.0.1:", client_body(&response));
    CHECK_CONTAINS("killed", "/readyz", "(MySQL error 200", client_body(&response));
    CHECK_NUMBER("killed", "told in the log", 1, server_await_log(&server, lost));
    client_response_release(&response);
}

static void check_return_is_told(void)
{
    CHECK_NUMBER("started again", "told in the log", 1,
                 server_await_log(&server, "the database is back after"));
    CHECK_NUMBER("all the time", "told in the log", 1,
                 server_count_in_log(&server, "out of reach"));
}

static void test_a_killed_database_is_missed_and_found_again(void)
{
    if (!start_with_deadline())
        return;
    clear_todos(&server);
    shared_id = create_todo(&server, "{\"title\":\"before\"}");
    CHECK(mariadb_command("TEST_MYSQL_KILL"), "kill", "TEST_MYSQL_KILL failed");
    check_database_is_missed("killed");
    check_outage_is_told();
    CHECK(mariadb_command("TEST_MYSQL_RESTART"), "restart", "TEST_MYSQL_RESTART failed");
    check_database_is_back("started again", 1);
    check_return_is_told();
}

static void test_a_hanging_database_is_missed_and_found_again(void)
{
    if (!start_with_deadline())
        return;
    clear_todos(&server);
    shared_id = create_todo(&server, "{\"title\":\"before\"}");
    pid_t pid = mariadb_pid();
    if (!CHECK(mariadb_halt(), "hang", "the database does not halt"))
        return;
    check_unavailable("hanging", "GET", "/todos", NULL, true);
    check_unavailable("hanging", "PATCH", "/todos/1", "{}", true);
    check_comes("hanging", "/readyz", 503, 10000);
    kill(pid, SIGCONT);
    check_comes("going on", "/todos", 200, COME_BACK);
    check_comes("going on", "/readyz", 200, COME_BACK);
    CHECK_NUMBER("going on", "todos", 1, count_todos(&server));
}

/* The same promise as for a killed server: 201 means stored. */
static void test_what_was_acknowledged_is_kept_when_the_database_is_killed(void)
{
    if (!start_with_deadline())
        return;
    clear_todos(&server);
    acknowledged = 0;
    struct worker *workers = start_workers(server.port, 16, create_until_refused);
    clock_sleep(500000);
    CHECK(mariadb_command("TEST_MYSQL_KILL"), "kill", "TEST_MYSQL_KILL failed");
    stop_work = true;
    join_workers("killed under load", workers, 16);
    CHECK(mariadb_command("TEST_MYSQL_RESTART"), "restart", "TEST_MYSQL_RESTART failed");
    check_comes("started again", "/todos", 200, COME_BACK);
    int count = count_todos(&server);
    CHECK(acknowledged > 0 && count >= (int)acknowledged, "killed under load",
          "%u acknowledged, %d kept", acknowledged, count);
    /* A client has one create in the air at most, whose outcome may be unknown. */
    CHECK(count <= (int)acknowledged + 16, "killed under load",
          "%u acknowledged, %d there: a create was carried out twice", acknowledged, count);
    free(workers);
}

static void test_data_survive_a_restart_of_server_and_database(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    unsigned id =
        create_todo(&server, "{\"title\":\"\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x90\xbc\"}");
    server_stop(&server);
    CHECK(mariadb_command("TEST_MYSQL_RESTART"), "restart", "TEST_MYSQL_RESTART failed");
    if (server_start(&server, NULL)) {
        get_todo(&server, id, &response);
        CHECK_CONTAINS("both restarted", "todo",
                       "\"title\":\"\xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x90\xbc\"",
                       client_body(&response));
    }
    client_response_release(&response);
}

/* ---- MySQL: somebody else's locks ---- */

#define NEIGHBOURS 60
#define BOUND      BUSY_MACHINE /* it is some tens on a quiet machine, REQUEST_TIMEOUT is 10000 */

static MYSQL *lock_todo(unsigned id)
{
    char sql[100];
    MYSQL *stranger = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    snprintf(sql, sizeof sql, "SELECT id FROM todo_todoitem WHERE id = %u FOR UPDATE", id);
    mariadb_run(stranger, "BEGIN");
    mariadb_run(stranger, sql);
    if (stranger)
        mysql_free_result(mysql_store_result(stranger));
    return stranger;
}

static atomic_uint slowest; /* milliseconds */

static void timed(struct worker *worker, int wanted, const char *method, const char *path,
                  const char *json)
{
    uint64_t start = clock_now();
    expect(worker, wanted, method, path, json);
    unsigned took = (unsigned)((clock_now() - start) / 1000);
    unsigned most = slowest;
    while (took > most && !atomic_compare_exchange_weak(&slowest, &most, took)) {
    }
}

static void be_a_neighbour(struct worker *worker)
{
    char path[32];
    snprintf(path, sizeof path, "/todos/%u", worker_creates(worker, "{}"));
    for (int i = 0; i < 10; i++) {
        timed(worker, 201, "POST", "/todos", "{}");
        timed(worker, 200, "PATCH", path, "{\"order\":5}");
    }
    timed(worker, 204, "DELETE", path, NULL);
}

static void change_the_locked(struct worker *worker)
{
    char path[32];
    snprintf(path, sizeof path, "/todos/%u", shared_id);
    expect(worker, 200, "PATCH", path,
           worker->index == 0 ? "{\"order\":7}" : "{\"completed\":true}");
}

static void test_a_locked_todo_keeps_no_neighbour_waiting(void)
{
    struct client_response response = {0};
    server_stop(&server);
    if (!server_start(&server, NULL))
        return;
    clear_todos(&server);
    shared_id = create_todo(&server, "{}");
    slowest = 0;
    MYSQL *stranger = lock_todo(shared_id);
    struct worker *own = start_workers(server.port, 3, change_the_locked);
    struct worker *neighbours = start_workers(server.port, NEIGHBOURS, be_a_neighbour);
    join_workers("neighbours", neighbours, NEIGHBOURS);
    CHECK(slowest < BOUND, "neighbours", "the slowest took %u ms", slowest);
    for (int i = 0; i < 3; i++)
        CHECK_NUMBER("the locked todo's own", "answers", 0, (int)own[i].done);
    if (stranger)
        mysql_close(stranger);
    join_workers("the locked todo's own", own, 3);
    get_todo(&server, shared_id, &response);
    CHECK_CONTAINS("the locked todo's own", "todo", "\"completed\":true,\"order\":7",
                   client_body(&response));
    free(neighbours);
    free(own);
    client_response_release(&response);
}

static void test_a_locked_todo_is_refused_in_time_and_stays_as_it_was(void)
{
    struct client_response response = {0};
    char path[32];
    if (!start_with_deadline())
        return;
    clear_todos(&server);
    shared_id = create_todo(&server, "{\"title\":\"as it was\"}");
    snprintf(path, sizeof path, "/todos/%u", shared_id);
    MYSQL *stranger = lock_todo(shared_id);
    check_unavailable("locked", "PATCH", path, "{\"title\":\"new\"}", true);
    if (stranger)
        mysql_close(stranger);
    create_todo(&server, "{}"); /* comes after what would be tried again */
    get_todo(&server, shared_id, &response);
    CHECK_CONTAINS("locked", "todo", "as it was", client_body(&response));
    client_response_release(&response);
}

static void clear(struct worker *worker)
{
    expect(worker, 204, "DELETE", "/todos", NULL);
}

static void test_a_clear_waits_for_all_todos_and_nobody_for_it(void)
{
    server_stop(&server);
    if (!server_start(&server, NULL))
        return;
    shared_id = create_todo(&server, "{}");
    slowest = 0;
    MYSQL *stranger = lock_todo(shared_id);
    struct worker *own = start_workers(server.port, 1, clear);
    clock_sleep(100000);
    struct worker *neighbours = start_workers(server.port, NEIGHBOURS, be_a_neighbour);
    join_workers("beside a clear", neighbours, NEIGHBOURS);
    CHECK(slowest < BOUND, "beside a clear", "the slowest took %u ms", slowest);
    CHECK_NUMBER("clear", "answers", 0, (int)own[0].done);
    if (stranger)
        mysql_close(stranger);
    join_workers("clear", own, 1);
    CHECK_NUMBER("clear", "todos", 0, count_todos(&server));
    free(neighbours);
    free(own);
}

/* ---- MySQL: commits that hang, and small packets ---- */

static void test_an_unknown_outcome_is_called_so(void)
{
    struct client_response response = {0};
    if (!start_with_deadline())
        return;
    clear_todos(&server);
    MYSQL *root = mariadb_open_root(NULL);
    mariadb_run(root, "BACKUP STAGE START");
    mariadb_run(root, "BACKUP STAGE BLOCK_COMMIT");
    send_json(&server, "POST", "/todos", "{}", &response);
    CHECK_NUMBER("hanging commit", "status", 503, response.status);
    CHECK_TEXT(
        "hanging commit", "body",
        "{\"detail\":\"The database did not answer in time. The change may have been made:"
        " look before you send it again.\"}",
        client_body(&response));
    CHECK(!client_header(&response, "Retry-After"), "hanging commit", "Retry-After");
    mariadb_run(root, "BACKUP STAGE END");
    create_todo(&server, "{}");
    int count = count_todos(&server);
    CHECK(count == 1 || count == 2, "hanging commit", "%d todos", count); /* not known, once */
    mysql_close(root);
    client_response_release(&response);
}

static void create_long(struct worker *worker)
{
    struct buffer json = {0};
    char path[32];
    buffer_append_text(&json, "{\"title\":\"");
    for (int i = 0; i < 256; i++)
        buffer_append_text(&json, "\xf0\x9f\x90\xbc");
    buffer_append_text(&json, "\"}");
    for (int i = 0; i < 3; i++) {
        unsigned id = worker_creates(worker, json.data);
        snprintf(path, sizeof path, "/todos/%u", id);
        expect(worker, 200, "PATCH", path, "{\"completed\":true}");
    }
    expect(worker, 204, "DELETE", path, NULL);
    buffer_release(&json);
}

static void test_a_small_packet_holds_what_fits(void)
{
    server_stop(&server);
    MYSQL *root = mariadb_open_root(NULL);
    mariadb_run(root, "SET GLOBAL max_allowed_packet = 16384");
    if (server_start(&server, NULL)) {
        clear_todos(&server);
        struct worker *workers = start_workers(server.port, 64, create_long);
        join_workers("small packet", workers, 64);
        CHECK_NUMBER("small packet", "todos", 128, count_todos(&server));
        free(workers);
    }
    mariadb_run(root, "SET GLOBAL max_allowed_packet = DEFAULT");
    mysql_close(root);
    server_stop(&server);
    server_start(&server, NULL);
}

/* base/sandbox.h; what that means for files, the unit test tries. */
static void test_a_server_has_given_up_privileges(void)
{
    char path[64];
    struct buffer status = {0};

    snprintf(path, sizeof path, "/proc/%d/status", (int)server.pid);
    file_read(path, &status);
    CHECK_CONTAINS("the server", path, "\nNoNewPrivs:\t1\n", status.data ? status.data : "");
    buffer_release(&status);
}

CU_TestInfo resilience_tests[] = {
    TEST(test_a_server_has_given_up_privileges),
    TEST(test_a_connection_serves_many_requests),
    TEST(test_200_connections_of_mixed_work),
    TEST(test_concurrent_changes_of_different_fields_are_all_kept),
    TEST(test_a_deleted_todo_does_not_come_back),
    TEST(test_concurrent_creates_get_ids_of_their_own),
    TEST(test_readers_see_what_was_acknowledged),
    TEST(test_data_survive_a_restart_of_the_server),
    TEST(test_what_was_acknowledged_is_kept_when_the_server_is_killed),
    TEST(test_sigterm_finishes_what_is_in_flight),
    TEST(test_sigterm_does_not_wait_for_idle_clients),
    TEST(test_a_write_that_waits_too_long_gets_503),
    TEST(test_a_create_that_is_tried_again_makes_one_todo),
    TEST(test_ids_that_are_used_up_are_told),
    TEST(test_two_servers_share_a_database),
    CU_TEST_INFO_NULL,
};

CU_TestInfo outage_tests[] = {
    TEST(test_a_locked_todo_keeps_no_neighbour_waiting),
    TEST(test_a_locked_todo_is_refused_in_time_and_stays_as_it_was),
    TEST(test_a_clear_waits_for_all_todos_and_nobody_for_it),
    TEST(test_an_unknown_outcome_is_called_so),
    TEST(test_a_small_packet_holds_what_fits),
    TEST(test_a_killed_database_is_missed_and_found_again),
    TEST(test_a_hanging_database_is_missed_and_found_again),
    TEST(test_what_was_acknowledged_is_kept_when_the_database_is_killed),
    TEST(test_data_survive_a_restart_of_server_and_database),
    CU_TEST_INFO_NULL,
};
