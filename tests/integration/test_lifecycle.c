/*
 * Start and stop: a signal ends a start at once, whatever it waits for; a stop goes in steps,
 * and is over in time, whatever the database does.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE 4000  /* milliseconds: far less than any wait of the program's */
#define LIMIT   30000 /* milliseconds */

static const char *const serve_words[] = {"serve", NULL};
static const char *const migrate_words[] = {"migrate", "--wait", "60", NULL};
static const char *const seed_words[] = {"seed", NULL};

/* ---- a command that is started in a folder of its own ---- */

struct run {
    char folder[256];
    char out[300];
    char err[300];
    pid_t pid;
};

static bool run_start(struct run *run, const char *const *words, const char *const *settings)
{
    const struct command command = {words, settings, run->folder};
    snprintf(run->out, sizeof run->out, "%s/stdout", run->folder);
    snprintf(run->err, sizeof run->err, "%s/stderr", run->folder);
    run->pid = command_start(&command, run->out, run->err);
    return CHECK(run->pid > 0, words[0], "it does not start");
}

static bool file_has(const char *path, const char *text)
{
    struct buffer content = {0};
    file_read(path, &content);
    bool found = content.size > 0 && strstr(content.data, text);
    buffer_release(&content);
    return found;
}

static void wait_for_text(const char *row, const char *path, const char *text)
{
    uint64_t deadline = clock_now() + LIMIT * 1000;
    while (!file_has(path, text) && clock_now() < deadline)
        clock_sleep(20000);
    CHECK(file_has(path, text), row, "doesn't say: %s", text);
}

/* Waits for its end, which must come within so many milliseconds. */
static void check_end(const char *row, struct run *run, int limit, int status)
{
    uint64_t began = clock_now();
    int ended = command_wait(run->pid, LIMIT);
    uint64_t milliseconds = (clock_now() - began) / 1000;
    CHECK_NUMBER(row, "exit status", status, ended);
    CHECK(milliseconds < (uint64_t)limit, row, "ended after %llu ms",
          (unsigned long long)milliseconds);
    if (ended == -1) {
        kill(run->pid, SIGKILL);
        command_wait(run->pid, LIMIT);
    }
}

/* ---- signals ---- */

static void test_each_signal_ends_serve(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < COUNT(signals); i++) {
        struct server server = {0};
        struct buffer log = {0};
        if (!server_open(&server, NULL))
            return;
        kill(server.pid, signals[i]);
        CHECK_NUMBER(strsignal(signals[i]), "exit status", 0, command_wait(server.pid, LIMIT));
        server.pid = 0;
        server_read_log(&server, &log);
        CHECK_CONTAINS(strsignal(signals[i]), "log", "\"message\":\"stopped\"", log.data);
        buffer_release(&log);
        server_close(&server);
    }
}

/* As nohup has it: who closes the terminal doesn't mean the server. */
static void test_an_ignored_sighup_stays_ignored(void)
{
    struct server server = {0};
    struct client_response response = {0};
    struct sigaction before;
    sigaction(SIGHUP, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
    bool is_open = server_open(&server, NULL);
    sigaction(SIGHUP, &before, NULL);
    if (is_open) {
        kill(server.pid, SIGHUP);
        clock_sleep(400000);
        CHECK_NUMBER("ignored", "/livez", 200, get(&server, "/livez", &response));
    }
    server_close(&server);
    client_response_release(&response);
}

/* ---- a reader of the log that has stalled ---- */

/* A pipe with this name, which is full. */
static int make_full_pipe(const char *path)
{
    static const char line[4096] = "";
    CHECK(mkfifo(path, 0600) == 0, path, "can't be made");
    int pipe = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    while (write(pipe, line, sizeof line) > 0)
        continue;
    return pipe;
}

static void check_stalled(const char *row, const char *setting, int signal, int status)
{
    const char *const settings[] = {setting, NULL};
    const struct command command = {serve_words, settings, NULL};
    struct run run = {0};
    if (!folder_make(run.folder, sizeof run.folder))
        return;
    snprintf(run.out, sizeof run.out, "%s/stdout", run.folder);
    int pipe = make_full_pipe(run.out);
    struct command placed = command;
    placed.folder = run.folder;
    run.pid = command_start(&placed, run.out, run.out);
    if (CHECK(run.pid > 0, row, "it does not start")) {
        CHECK(command_hears(run.pid, SIGTERM), row, "it never hears");
        clock_sleep(1000000);
        if (signal)
            kill(run.pid, signal);
        check_end(row, &run, LIMIT / 2, status);
    }
    close(pipe);
    folder_remove(run.folder);
}

/* Of both streams, as a supervisor has it. */
static void test_a_stalled_log_holds_up_no_end(void)
{
    check_stalled("start", "DB_WAIT=1", SIGTERM, 0);
    check_stalled("no port", "HTTP_ADDRESS=192.0.2.1", 0, 1);
}

/* ---- start: a database that is locked ---- */

/* As another program has it that keeps the file for itself. */
static sqlite3 *take_file(const struct run *run, const char *lock)
{
    char path[300];
    sqlite3 *connection = NULL;
    snprintf(path, sizeof path, "%s/todobackend.sqlite3", run->folder);
    CHECK(sqlite3_open(path, &connection) == SQLITE_OK &&
              sqlite3_exec(connection, "CREATE TABLE theirs (id)", NULL, NULL, NULL) ==
                  SQLITE_OK &&
              sqlite3_exec(connection, lock, NULL, NULL, NULL) == SQLITE_OK,
          lock, "%s", sqlite3_errmsg(connection));
    return connection;
}

static const char *const locks[] = {"BEGIN EXCLUSIVE",
                                    "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE"};

static void test_a_signal_ends_a_start_on_a_locked_file(void)
{
    static const char *const settings[] = {"DB_WAIT=60", NULL};
    static const struct {
        const char *const *words;
        int status;
    } rows[] = {
        {serve_words,   0 },
        {migrate_words, 15},
        {seed_words,    15},
    };
    for (size_t i = 0; i < COUNT(rows) * COUNT(locks); i++) {
        struct run run = {0};
        const char *name = rows[i / 2].words[0];
        if (!folder_make(run.folder, sizeof run.folder))
            return;
        sqlite3 *connection = take_file(&run, locks[i % 2]);
        if (run_start(&run, rows[i / 2].words, settings)) {
            CHECK(command_hears(run.pid, SIGTERM), name, "it never hears");
            clock_sleep(500000);
            kill(run.pid, SIGTERM);
            check_end(name, &run, AT_ONCE, rows[i / 2].status);
        }
        if (i / 2 == 0)
            CHECK(file_has(run.out, "\"message\":\"stopped before it was ready\""), name,
                  "the log doesn't say so");
        sqlite3_close(connection);
        folder_remove(run.folder);
    }
}

static void test_db_wait_ends_a_start_on_a_locked_file(void)
{
    static const char *const settings[] = {"DB_WAIT=1", NULL};
    static const int statuses[] = {11, 12};
    for (size_t i = 0; i < COUNT(locks); i++) {
        struct run run = {0};
        if (!folder_make(run.folder, sizeof run.folder))
            return;
        sqlite3 *connection = take_file(&run, locks[i]);
        if (run_start(&run, serve_words, settings))
            check_end(locks[i], &run, 1000 + BUSY_MACHINE, statuses[i]);
        sqlite3_close(connection);
        folder_remove(run.folder);
    }
}

/* ---- start: a server that falls silent ---- */

/* Stands before the database, and passes on what both say until the database has said so many
 * bytes. Then it keeps the connection, and says no more. */
struct silence {
    int listener;
    unsigned port;
    size_t limit;
    atomic_bool is_reached;
    atomic_bool is_over;
    pthread_t thread;
};

static int connect_to_database(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *port = getenv("MYSQL_PORT");
    address.sin_port = htons((uint16_t)strtoul(port ? port : "", NULL, 10));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        abort();
    return fd;
}

/* False when either has closed. */
static bool pass_on(int from, int to, size_t most, size_t *passed)
{
    char bytes[4096];
    ssize_t size = recv(from, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
    if (size <= 0 || send(to, bytes, (size_t)size, MSG_NOSIGNAL) != size)
        return false;
    *passed += (size_t)size;
    return true;
}

static void relay(struct silence *silence, int client)
{
    int server = connect_to_database();
    size_t asked = 0;
    size_t said = 0;
    bool open = true;
    silence->is_reached = true;
    while (open && !silence->is_over) {
        bool silent = said >= silence->limit;
        struct pollfd sources[] = {
            {.fd = client,               .events = silent ? 0 : POLLIN},
            {.fd = silent ? -1 : server, .events = POLLIN             }
        };
        poll(sources, 2, 50);
        if (sources[0].revents)
            open = !silent && pass_on(client, server, SIZE_MAX, &asked);
        if (open && !silent && sources[1].revents)
            open = pass_on(server, client, silence->limit - said, &said);
    }
    close(server);
    close(client);
}

static void *be_silent(void *context)
{
    struct silence *silence = context;
    while (!silence->is_over) {
        struct pollfd source = {.fd = silence->listener, .events = POLLIN};
        if (poll(&source, 1, 50) > 0)
            relay(silence, accept(silence->listener, NULL, NULL));
    }
    return NULL;
}

static void silence_start(struct silence *silence, size_t limit)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    *silence = (struct silence){.limit = limit};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    silence->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(silence->listener, (const struct sockaddr *)&address, size) != 0 ||
        listen(silence->listener, 16) != 0 ||
        getsockname(silence->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&silence->thread, NULL, be_silent, silence) != 0)
        abort();
    silence->port = ntohs(address.sin_port);
}

static void silence_end(struct silence *silence)
{
    silence->is_over = true;
    pthread_join(silence->thread, NULL);
    close(silence->listener);
}

/* Before the greeting, within it, before the login is taken, after it, among the answers. */
static const size_t silences[] = {0, 20, 100, 130, 300};

static void check_silence(const char *const *words, size_t limit, const char *wait, bool signal,
                          int status)
{
    struct silence silence;
    struct run run = {0};
    char port[32];
    char row[80];
    const char *const settings[] = {port, wait, NULL};
    snprintf(row, sizeof row, "%s, %zu bytes", words[0], limit);
    silence_start(&silence, limit);
    snprintf(port, sizeof port, "MYSQL_PORT=%u", silence.port);
    if (folder_make(run.folder, sizeof run.folder) && run_start(&run, words, settings)) {
        if (signal) {
            uint64_t deadline = clock_now() + LIMIT * 1000;
            while (!silence.is_reached && clock_now() < deadline)
                clock_sleep(20000);
            clock_sleep(500000);
            kill(run.pid, SIGTERM);
        }
        check_end(row, &run, signal ? AT_ONCE : 10000, status);
        folder_remove(run.folder);
    }
    silence_end(&silence);
}

static void test_a_signal_ends_a_start_on_a_silent_server(void)
{
    for (size_t i = 0; i < COUNT(silences); i++) {
        check_silence(serve_words, silences[i], "DB_WAIT=60", true, 0);
        check_silence(migrate_words, silences[i], "DB_WAIT=60", true, 15);
        check_silence(seed_words, silences[i], "DB_WAIT=60", true, 15);
    }
}

static void test_db_wait_ends_a_start_on_a_silent_server(void)
{
    check_silence(serve_words, 0, "DB_WAIT=0", false, 11);
    check_silence(serve_words, 300, "DB_WAIT=0", false, 11);
}

/* A statement that hangs is left to finish by the first signal; the second ends the program. */
static void test_a_second_signal_ends_a_migration(void)
{
    struct run run = {0};
    static const char *const settings[] = {"MYSQL_DATABASE=todobackend_second", NULL};
    MYSQL *connection = mariadb_open(NULL, "utf8mb4");
    mariadb_run(connection, "DROP DATABASE IF EXISTS todobackend_second");
    mariadb_run(connection, "CREATE DATABASE todobackend_second");
    if (run_migrate(settings) && folder_make(run.folder, sizeof run.folder)) {
        mariadb_run(connection, "USE todobackend_second");
        mariadb_run(connection, "DELETE FROM todobackend_migrations");
        mariadb_run(connection, "DELETE FROM todobackend_migration_statements");
        mariadb_run(connection, "DROP TABLE todo_todoitem");
        mariadb_run(connection, "LOCK TABLES todobackend_migration_statements READ");
        if (run_start(&run, migrate_words, settings)) {
            char text[16];
            uint64_t deadline = clock_now() + LIMIT * 1000;
            while (strcmp(mariadb_value(connection,
                                        "SELECT COUNT(*) FROM information_schema.processlist"
                                        " WHERE state LIKE 'Waiting for%'",
                                        text, sizeof text),
                          "1") != 0 &&
                   clock_now() < deadline)
                clock_sleep(20000);
            kill(run.pid, SIGTERM);
            CHECK_NUMBER("one signal", "exit status", -1, command_wait(run.pid, 500));
            kill(run.pid, SIGTERM);
            check_end("two signals", &run, AT_ONCE, 15);
            CHECK(file_has(run.err, "goes on from there"), "two signals", "it doesn't say so");
        }
        folder_remove(run.folder);
    }
    mysql_close(connection);
}

/* ---- stop ---- */

static bool is_refused(const struct server *server)
{
    struct client_connection connection;
    if (!client_open(&connection, server->port))
        return true;
    client_close(&connection);
    return false;
}

static void wait_until_refused(const char *row, const struct server *server)
{
    uint64_t deadline = clock_now() + LIMIT * 1000;
    while (!is_refused(server) && clock_now() < deadline)
        clock_sleep(10000);
    CHECK(is_refused(server), row, "connections are still taken");
}

/* A request on this connection is answered with this status, and the connection ends. */
static void check_last_answer(const char *row, struct client_connection *connection,
                              const struct server *server, const char *path, int status)
{
    struct client_response response = {0};
    client_send_request(connection, server->port, &(struct client_request){.path = path});
    CHECK(client_receive(connection, false, CLIENT_TIME_LIMIT, &response), row, "no answer");
    CHECK_NUMBER(row, path, status, response.status);
    CHECK_TEXT(row, "Connection", "close", client_header(&response, "Connection"));
    CHECK(client_is_closed(connection, CLIENT_TIME_LIMIT), row, "it stays open");
    client_close(connection);
    client_response_release(&response);
}

static void check_still_answers(const char *row, const struct server *server)
{
    struct client_connection fresh;
    struct client_response response = {0};
    CHECK_NUMBER(row, "/readyz", 503, get(server, "/readyz", &response));
    CHECK_CONTAINS(row, "/readyz", "The server is stopping.", client_body(&response));
    CHECK_NUMBER(row, "POST", 201, send_json(server, "POST", "/todos", "{}", &response));
    CHECK_TEXT(row, "POST: Connection", "close", client_header(&response, "Connection"));
    if (CHECK(client_open(&fresh, server->port), row, "no new connection"))
        check_last_answer(row, &fresh, server, "/todos", 200);
    client_response_release(&response);
}

static int stdout_path(const struct server *server, char *path, size_t size)
{
    return snprintf(path, size, "%s/stdout", server->folder);
}

/* For so long that only the second signal can end it. */
static void test_connections_are_taken_for_stop_delay(void)
{
    static const char *const settings[] = {"STOP_DELAY=300", NULL};
    static const int seconds[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < COUNT(seconds); i++) {
        struct server server = {0};
        struct client_connection kept;
        char path[300];
        if (!server_open(&server, settings))
            return;
        struct run run = {.pid = server.pid};
        stdout_path(&server, path, sizeof path);
        CHECK(client_open(&kept, server.port), "delay", "no connection");
        kill(server.pid, SIGTERM);
        wait_for_text("delay", path, "stopping: taking connections for 300 s more");
        check_still_answers("delay", &server);
        check_last_answer("kept", &kept, &server, "/todos", 200);
        kill(server.pid, seconds[i]);
        check_end(strsignal(seconds[i]), &run, LIMIT / 2, 0);
        server.pid = 0;
        server_close(&server);
    }
}

static void test_stop_delay_is_over_by_itself(void)
{
    static const char *const settings[] = {"STOP_DELAY=1", NULL};
    struct server server = {0};
    if (!server_open(&server, settings))
        return;
    struct run run = {.pid = server.pid};
    uint64_t began = clock_now();
    kill(server.pid, SIGTERM);
    check_end("delay", &run, LIMIT / 2, 0);
    CHECK(clock_now() - began >= 1000000, "delay", "it was too short");
    server.pid = 0;
    server_close(&server);
}

/* A request that is under way while the server is stopped. */
struct in_flight {
    const struct server *server;
    int status;
    pthread_t thread;
};

static void *create_in_flight(void *context)
{
    struct in_flight *request = context;
    struct client_response response = {0};
    request->status = send_json(request->server, "POST", "/todos", "{}", &response);
    client_response_release(&response);
    return NULL;
}

static void in_flight_start(struct in_flight *request, const struct server *server)
{
    request->server = server;
    if (pthread_create(&request->thread, NULL, create_in_flight, request) != 0)
        abort();
}

/* While one request is waited for, others on connections that are open are answered. */
static void test_kept_connections_are_answered_to_the_end(void)
{
    struct server server = {0};
    struct client_connection kept[3];
    struct in_flight request = {0};
    if (!server_open(&server, NULL))
        return;
    struct run run = {.pid = server.pid};
    struct database_lock *lock = database_lock(&server);
    for (size_t i = 0; i < COUNT(kept); i++)
        CHECK(client_open(&kept[i], server.port), "kept", "no connection");
    in_flight_start(&request, &server);
    clock_sleep(300000);
    kill(server.pid, SIGTERM);
    wait_until_refused("kept", &server);
    check_last_answer("kept", &kept[0], &server, "/livez", 200);
    clock_sleep(300000);
    check_last_answer("kept", &kept[1], &server, "/livez", 200);
    database_unlock(lock);
    pthread_join(request.thread, NULL);
    CHECK_NUMBER("in flight", "status", 201, request.status);
    check_end("kept", &run, LIMIT / 2, 0);
    client_close(&kept[2]);
    server.pid = 0;
    server_close(&server);
}

/* Whether requests are answered that are sent a moment after the signal. */
static bool answers_after_signal(const struct server *server)
{
    struct client_response response = {0};
    struct client_connection kept[3];
    size_t answered = 0;
    for (size_t i = 0; i < COUNT(kept); i++)
        CHECK(client_open(&kept[i], server->port), "kept", "no connection");
    kill(server->pid, SIGTERM);
    clock_sleep(50000);
    for (size_t i = 0; i < COUNT(kept); i++) {
        client_send_request(&kept[i], server->port, &(struct client_request){.path = "/todos"});
        client_receive(&kept[i], false, CLIENT_TIME_LIMIT, &response);
        answered += response.status == 200;
        client_close(&kept[i]);
    }
    client_response_release(&response);
    return answered == COUNT(kept);
}

/* With nothing else under way. On a slow machine one stop may be over before they are sent. */
static void test_requests_on_their_way_are_answered(void)
{
    bool good = false;
    for (unsigned i = 0; i < 5 && !good; i++) {
        struct server server = {0};
        if (!server_open(&server, NULL))
            return;
        struct run run = {.pid = server.pid};
        good = answers_after_signal(&server);
        check_end("on their way", &run, LIMIT / 2, 0);
        server.pid = 0;
        server_close(&server);
    }
    CHECK(good, "on their way", "no stop answered all of them");
}

/* ---- a stop that would take too long ---- */

static void check_stop_timeout(const char *row, const struct server *server, int limit)
{
    struct run run = {.pid = server->pid};
    struct in_flight request = {0};
    char path[300];
    stdout_path(server, path, sizeof path);
    in_flight_start(&request, server);
    clock_sleep(500000);
    kill(server->pid, SIGTERM);
    check_end(row, &run, limit, 0);
    pthread_join(request.thread, NULL);
    CHECK_NUMBER(row, "status of the request", 503, request.status);
    CHECK(file_has(path, "stopping: gave up 1 requests after 2 s"), row,
          "the log doesn't say what was given up");
}

static const char *const patient[] = {"REQUEST_TIMEOUT=60", "STOP_TIMEOUT=2", NULL};

static void test_stop_timeout_bounds_a_stop(void)
{
    struct server server = {0};
    if (!server_open(&server, patient))
        return;
    struct database_lock *lock = database_lock(&server);
    check_stop_timeout("locked", &server, 2000 + BUSY_MACHINE);
    database_unlock(lock);
    server.pid = 0;
    server_close(&server);
}

static void test_stop_timeout_bounds_a_stop_before_a_frozen_database(void)
{
    struct server server = {0};
    pid_t pid = mariadb_pid();
    if (!server_open(&server, patient))
        return;
    create_todo(&server, "{}");
    if (CHECK(mariadb_halt(), "frozen", "the database does not halt")) {
        check_stop_timeout("frozen", &server, 2000 + BUSY_MACHINE);
        kill(pid, SIGCONT);
        server.pid = 0;
    }
    server_close(&server);
}

CU_TestInfo lifecycle_tests[] = {
    TEST(test_each_signal_ends_serve),
    TEST(test_an_ignored_sighup_stays_ignored),
    TEST(test_a_stalled_log_holds_up_no_end),
    TEST(test_connections_are_taken_for_stop_delay),
    TEST(test_stop_delay_is_over_by_itself),
    TEST(test_kept_connections_are_answered_to_the_end),
    TEST(test_requests_on_their_way_are_answered),
    TEST(test_stop_timeout_bounds_a_stop),
    CU_TEST_INFO_NULL,
};

CU_TestInfo lifecycle_sqlite_tests[] = {
    TEST(test_a_signal_ends_a_start_on_a_locked_file),
    TEST(test_db_wait_ends_a_start_on_a_locked_file),
    CU_TEST_INFO_NULL,
};

CU_TestInfo lifecycle_mysql_tests[] = {
    TEST(test_a_signal_ends_a_start_on_a_silent_server),
    TEST(test_db_wait_ends_a_start_on_a_silent_server),
    TEST(test_a_second_signal_ends_a_migration),
    TEST(test_stop_timeout_bounds_a_stop_before_a_frozen_database),
    CU_TEST_INFO_NULL,
};
