/*
 * The log of `serve` as whoever reads it sees it, or does not: a reader that stalls, streams
 * that are closed, what may be repeated, and what a request's line says.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE    500   /* requests sent on a connection before their answers are read */
#define FLOOD      30000 /* whose lines take more than the log and a pipe hold */
#define LOG_LIMIT  15000 /* milliseconds until something is in the log */
#define STOP_LIMIT 20000 /* milliseconds; in fact one second */
#define REPEATED   200

static const char *const serve[] = {"serve", NULL};

static const char *text_of(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

static unsigned count_text(const char *text, const char *part)
{
    unsigned count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

/* ---- a pipe as stdout ---- */

/* Starts a server whose stdout is a pipe that is read here alone; its reading end, or -1. */
static int start_on_pipe(struct server *server)
{
    const struct command command = {serve, NULL, server->folder};
    char out[300];
    char err[300];
    int reader;

    snprintf(out, sizeof out, "%s/pipe", server->folder);
    snprintf(err, sizeof err, "%s/stderr", server->folder);
    if (mkfifo(out, 0600) != 0)
        return -1;
    reader = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (reader >= 0)
        server->pid = command_start(&command, out, err);
    return reader;
}

/* Reads on until the text comes; what was read goes into *log. */
static bool read_until(int reader, const char *part, struct buffer *log)
{
    uint64_t deadline = clock_now() + LOG_LIMIT * 1000ULL;
    char bytes[4096];

    while (!strstr(text_of(log), part) && clock_now() < deadline) {
        struct pollfd source = {.fd = reader, .events = POLLIN};
        ssize_t size = poll(&source, 1, 100) > 0 ? read(reader, bytes, sizeof bytes) : 0;
        if (size > 0)
            buffer_append(log, bytes, (size_t)size);
    }
    return strstr(text_of(log), part) != NULL;
}

/* Sends AT_ONCE requests; whether each is answered. */
static bool ask_many(struct client_connection *connection, unsigned port)
{
    const struct client_request request = {.path = "/todos/0"};
    struct client_response response = {0};
    bool good = true;

    for (int i = 0; i < AT_ONCE; i++)
        client_send_request(connection, port, &request);
    for (int i = 0; i < AT_ONCE && good; i++)
        good = client_receive(connection, false, CLIENT_TIME_LIMIT, &response) &&
               response.status == 404;
    client_response_release(&response);
    return good;
}

static void flood(const struct server *server)
{
    struct client_connection connection;
    struct client_response response = {0};
    int answered = 0;

    if (!CHECK(client_open(&connection, server->port), "flood", "no connection"))
        return;
    while (answered < FLOOD && ask_many(&connection, server->port))
        answered += AT_ONCE;
    CHECK_NUMBER("flood", "answered", FLOOD, answered);
    CHECK_NUMBER("after the flood", "/livez", 200, get(server, "/livez", &response));
    client_close(&connection);
    client_response_release(&response);
}

static void check_a_reader_that_stalls(struct server *server, int reader)
{
    static const char port[] = "\"message\":\"ready\",\"address\":\"127.0.0.1\",\"port\":";
    struct buffer log = {0};
    const char *found;
    int status;

    if (!CHECK(read_until(reader, port, &log), "start", "no ready line"))
        return;
    found = strstr(text_of(&log), port);
    server->port = found ? (unsigned)strtoul(found + sizeof port - 1, NULL, 10) : 0;
    flood(server);
    buffer_clear(&log);
    CHECK(read_until(reader, " lines of the log were lost", &log), "when it is read again",
          "it is not told that lines were lost");
    flood(server);
    kill(server->pid, SIGTERM);
    status = command_wait(server->pid, STOP_LIMIT);
    CHECK_NUMBER("SIGTERM", "exit status", 0, status);
    if (status != -1)
        server->pid = 0;
    buffer_release(&log);
}

static void test_a_reader_that_stalls_stops_nothing(void)
{
    struct server server = {0};
    int reader;

    if (test_database == TEST_MYSQL && !run_migrate(NULL))
        return;
    if (!CHECK(folder_make(server.folder, sizeof server.folder), "pipe", "no folder"))
        return;
    reader = start_on_pipe(&server);
    if (CHECK(reader >= 0 && server.pid > 0, "pipe", "%s", strerror(errno)))
        check_a_reader_that_stalls(&server, reader);
    server_kill(&server);
    if (reader >= 0)
        close(reader);
    server_close(&server);
}

/* ---- closed streams ---- */

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    found = bind(listener, (const struct sockaddr *)&address, size) == 0 &&
            getsockname(listener, (struct sockaddr *)&address, &size) == 0;
    close(listener);
    return found ? ntohs(address.sin_port) : 0;
}

static void check_stream(pid_t pid, int number)
{
    char path[64];
    char target[300];
    ssize_t size;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, number);
    size = readlink(path, target, sizeof target - 1);
    target[size > 0 ? size : 0] = '\0';
    CHECK_TEXT(path, "is", "/dev/null", target);
}

/* A socket that gets the number of stdout gets the log, too. */
static void test_streams_that_are_closed_are_not_used_for_anything_else(void)
{
    struct server server = {0};
    struct client_response response = {0};
    char setting[32];
    const char *const settings[] = {setting, NULL};
    uint64_t deadline = clock_now() + LOG_LIMIT * 1000ULL;

    if (test_database == TEST_MYSQL && !run_migrate(NULL))
        return;
    if (!CHECK(folder_make(server.folder, sizeof server.folder), "closed", "no folder"))
        return;
    server.port = free_port();
    snprintf(setting, sizeof setting, "HTTP_PORT=%u", server.port);
    server.pid = command_start(&(struct command){serve, settings, server.folder}, NULL, NULL);
    while (get(&server, "/readyz", &response) != 200 && clock_now() < deadline)
        clock_sleep(20000);
    CHECK_NUMBER("closed", "/readyz", 200, response.status);
    for (int i = 0; i <= 2; i++)
        check_stream(server.pid, i);
    for (int i = 0; i < 300; i++)
        CHECK_NUMBER("closed", "/todos", 200, get(&server, "/todos", &response));
    server_close(&server);
    client_response_release(&response);
}

static void test_a_result_that_can_not_be_written_is_an_error(void)
{
    static const char *const version[] = {"version", NULL};
    pid_t pid = command_start(&(struct command){version, NULL, "/"}, NULL, NULL);

    CHECK_NUMBER("app version 1>&-", "exit status", 1, command_wait(pid, STOP_LIMIT));
}

/* ---- requests ---- */

#define POST_TODO JSON("POST", "/todos", "{}")

/* Sends a POST that waits for the database, and leaves the connection open. */
static bool send_waiting_post(const struct server *server, struct client_connection *connection)
{
    return CHECK(
        client_open(connection, server->port) &&
            client_send_request(connection, server->port, &(struct client_request)POST_TODO),
        "waiting POST", "not sent");
}

/* Closes it as a client does that was killed: with a reset. */
static void reset_connection(struct client_connection *connection)
{
    const struct linger at_once = {.l_onoff = 1};

    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    client_close(connection);
}

static void test_a_write_whose_client_left_is_logged(void)
{
    struct server server = {0};
    struct client_connection connection;
    struct buffer log = {0};
    struct database_lock *lock;

    if (!server_open(&server, NULL))
        return;
    clear_todos(&server);
    lock = database_lock(&server);
    if (send_waiting_post(&server, &connection)) {
        clock_sleep(300000);
        reset_connection(&connection);
        clock_sleep(300000);
    }
    database_unlock(lock);
    CHECK(server_await_log(&server, "\"method\":\"POST\""), "POST", "it is not logged");
    CHECK_NUMBER("POST", "todos", 1, count_todos(&server));
    server_read_log(&server, &log);
    CHECK_CONTAINS("POST", "its line", "\"path\":\"/todos\",\"status\":201,", text_of(&log));
    CHECK_CONTAINS("POST", "its line", "\"aborted\":true}", text_of(&log));
    CHECK_NUMBER("all others", "aborted", 1, count_text(text_of(&log), "\"aborted\""));
    server_close(&server);
    buffer_release(&log);
}

/* Two POSTs that wait, one at the database and one in the queue: from the next on all are
 * refused. */
static void refuse_many(const struct server *server)
{
    struct client_connection waiting[3];
    struct client_response response = {0};
    struct database_lock *lock = database_lock(server);
    int refused = 0;

    for (size_t i = 0; i < COUNT(waiting); i++) {
        send_waiting_post(server, &waiting[i]);
        clock_sleep(100000);
    }
    for (int i = 0; i < REPEATED; i++)
        refused += send_json(server, "POST", "/todos", "{}", &response) == 503;
    CHECK_NUMBER("full queue", "refused", REPEATED, refused);
    database_unlock(lock);
    for (size_t i = 0; i < COUNT(waiting); i++)
        client_close(&waiting[i]);
    client_response_release(&response);
}

static void test_refusals_of_a_kind_are_counted(void)
{
    static const char *const settings[] = {"DB_QUEUE=1", "REQUEST_TIMEOUT=60", NULL};
    struct server server = {0};
    struct buffer log = {0};
    unsigned held_back = 0;

    if (!server_open(&server, settings))
        return;
    refuse_many(&server);
    CHECK(server_await_log(&server, " s: answers of status 503"), "503", "no count comes");
    server_read_log(&server, &log);
    const char *count = strstr(text_of(&log), "\"level\":\"warning\",\"message\":\"and ");
    if (CHECK(count, "503", "no count: %.300s", text_of(&log)))
        held_back = (unsigned)strtoul(strstr(count, "and ") + 4, NULL, 10);
    CHECK_NUMBER("503", "lines", 10, count_text(text_of(&log), "\"status\":503,"));
    CHECK(held_back >= REPEATED - 10, "503", "%u were held back", held_back);
    server_close(&server);
    buffer_release(&log);
}

static void test_health_checks_that_succeed_are_logged_on_demand(void)
{
    static const char *const on_demand[] = {"LOG_HEALTH=1", NULL};
    struct server server = {0};
    struct client_response response = {0};
    struct buffer log = {0};

    for (unsigned i = 0; i < 2; i++) {
        if (!server_open(&server, i == 1 ? on_demand : NULL))
            return;
        get(&server, "/livez", &response);
        get(&server, "/readyz", &response);
        send_json(&server, "POST", "/livez", "{}", &response);
        server_stop(&server);
        server_read_log(&server, &log);
        /* with that of the server itself */
        CHECK_NUMBER("/livez", "lines", i == 1 ? 2 : 0,
                     count_text(text_of(&log), "\"path\":\"/livez\",\"status\":200"));
        CHECK_NUMBER("/readyz", "lines", i == 1 ? 1 : 0,
                     count_text(text_of(&log), "\"path\":\"/readyz\",\"status\":200"));
        CHECK_NUMBER("POST /livez", "lines", 1,
                     count_text(text_of(&log), "\"path\":\"/livez\",\"status\":405"));
        server_close(&server);
    }
    client_response_release(&response);
    buffer_release(&log);
}

CU_TestInfo log_tests[] = {
    TEST(test_a_reader_that_stalls_stops_nothing),
    TEST(test_a_write_whose_client_left_is_logged),
    TEST(test_refusals_of_a_kind_are_counted),
    TEST(test_health_checks_that_succeed_are_logged_on_demand),
    CU_TEST_INFO_NULL,
};

CU_TestInfo log_streams_tests[] = {
    TEST(test_streams_that_are_closed_are_not_used_for_anything_else),
    TEST(test_a_result_that_can_not_be_written_is_an_error),
    CU_TEST_INFO_NULL,
};
