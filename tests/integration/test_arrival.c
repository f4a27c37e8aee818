/*
 * Nothing that arrives, however much, slow or large, keeps others from being served: deadlines,
 * places, the limit of an address, the memory of bodies, and answers that a client can read
 * while it is still sending.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CROWD        300
#define SLACK        6000      /* milliseconds that this machine may be late */
#define STEP         500000U   /* microseconds between two pieces of a slow client, */
#define LONGEST      24000000U /* and for how long; an answer that is not taken has 20 s */
#define LARGE_BODY   (1000 * 1000)
#define BODY_CLIENTS 100
#define REFUSED      20
#define MEBIBYTE     (1024L * 1024)

static struct server server;

int arrival_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int arrival_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

static bool restart(const char *const *settings)
{
    return CHECK(server_stop(&server) && server_start(&server, settings), "restart",
                 "it failed");
}

static void check_others_are_served(const char *row)
{
    struct client_response response = {0};

    CHECK_NUMBER(row, "/livez", 200, get(&server, "/livez", &response));
    CHECK_NUMBER(row, "/readyz", 200, get(&server, "/readyz", &response));
    CHECK_NUMBER(row, "/todos", 200, get(&server, "/todos", &response));
    client_response_release(&response);
}

/* Connects from an address of the loopback network: 127.0.0.LAST. */
static bool open_from(struct client_connection *connection, unsigned last)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server.port)};

    from.sin_addr.s_addr = htonl((INADDR_LOOPBACK & 0xffffff00U) | last);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *connection =
        (struct client_connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    return bind(connection->fd, (const struct sockaddr *)&from, sizeof from) == 0 &&
           connect(connection->fd, (const struct sockaddr *)&to, sizeof to) == 0;
}

/* All that one machine opens and holds, each beginning with this text. */
static void open_crowd(struct client_connection *crowd, size_t count, unsigned last,
                       const char *text)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(open_from(&crowd[i], last), "crowd", "no connection");
        client_send_text(&crowd[i], text);
    }
}

static void close_crowd(struct client_connection *crowd, size_t count)
{
    for (size_t i = 0; i < count; i++)
        client_close(&crowd[i]);
}

/* Those that gave way may have been told so. */
static size_t count_open(struct client_connection *crowd, size_t count)
{
    struct client_response response = {0};
    size_t open = 0;

    for (size_t i = 0; i < count; i++) {
        client_receive(&crowd[i], false, 1, &response);
        open += !client_is_closed(&crowd[i], 1);
    }
    client_response_release(&response);
    return open;
}

/* How many are when no more than `wanted` are, or after some seconds. */
static size_t wait_for_open(struct client_connection *crowd, size_t count, size_t wanted)
{
    uint64_t deadline = clock_now() + 5000000;
    size_t open = count_open(crowd, count);

    while (open > wanted && clock_now() < deadline)
        open = count_open(crowd, count);
    return open;
}

/* ---- places ---- */

/* libmicrohttpd stops listening where there are no more descriptors or places, and must begin
 * again when they are free. */
static void test_it_listens_again_after_a_crowd_has_left(void)
{
    static const char *const settings[] = {"RLIMIT_NOFILE=256", NULL};
    struct client_connection crowd[CROWD];

    if (!restart(settings))
        return;
    for (int i = 0; i < 15; i++) {
        open_crowd(crowd, CROWD, 1, "");
        close_crowd(crowd, CROWD);
        check_others_are_served("after a crowd");
    }
}

static void test_few_descriptors_leave_some_for_the_database(void)
{
    static const char *const settings[] = {"RLIMIT_NOFILE=64", NULL};
    struct client_connection crowd[58];

    if (!restart(settings))
        return;
    open_crowd(crowd, 58, 1, "");
    check_others_are_served("58 idle connections");
    CHECK(create_todo(&server, "{\"title\":\"a\"}") > 0, "58 idle connections", "no write");
    close_crowd(crowd, 58);
}

static void test_too_few_descriptors_are_an_error(void)
{
    static const char *const settings[] = {"RLIMIT_NOFILE=32", NULL};
    struct command_result result = {0};

    command_run(
        &(struct command){
            .arguments = (const char *[]){"serve", NULL},
                .settings = settings
    },
        CLIENT_TIME_LIMIT, &result);
    CHECK_NUMBER("32 descriptors", "exit status", 1, result.status);
    CHECK_CONTAINS("32 descriptors", "stderr", "the limit of open files (ulimit -n) is 32",
                   result.err.data ? result.err.data : "");
    command_result_release(&result);
}

/* Whatever the crowd is at: others find a place, and the log says that some had to go. */
static void test_the_oldest_gives_way(void)
{
    static const char *const settings[] = {"RLIMIT_NOFILE=128", "HTTP_CLIENT_CONNECTIONS=8192",
                                           NULL};
    static const char *const beginnings[] = {
        "",
        "GET /livez HT",
        "GET /livez HTTP/1.1\r\nHost: a\r\nX-",
        "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
        "POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    };
    struct client_connection crowd[CROWD];

    if (!restart(settings))
        return;
    for (size_t i = 0; i < COUNT(beginnings); i++) {
        open_crowd(crowd, CROWD, 1, beginnings[i]);
        check_others_are_served(beginnings[i]);
        close_crowd(crowd, CROWD);
    }
    CHECK(server_await_log(&server, "closed to make room") > 0, "limit",
          "the log says nothing");
}

/* Who comes while all others wait for the database finds no one who could give way; they may do
 * so when they are answered. */
static void test_places_are_found_after_all_have_waited(void)
{
    static const char *const settings[] = {"RLIMIT_NOFILE=72", "HTTP_CLIENT_CONNECTIONS=8192",
                                           "REQUEST_TIMEOUT=3", NULL};
    struct client_connection crowd[64];
    struct client_response response = {0};
    struct buffer log = {0};
    char path[300];
    sqlite3 *lock = NULL;
    const char *places;
    size_t count;

    if (!restart(settings))
        return;
    server_read_log(&server, &log);
    places = strstr(log.data, "\"connections\":");
    count = places ? strtoul(places + strlen("\"connections\":"), NULL, 10) : 0;
    CHECK(count > 8 && count < COUNT(crowd), "places", "%zu", count);
    snprintf(path, sizeof path, "%s/todobackend.sqlite3", server.folder);
    CHECK(sqlite3_open(path, &lock) == SQLITE_OK &&
              sqlite3_exec(lock, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK,
          "lock", "%s", sqlite3_errmsg(lock));
    open_crowd(crowd, count, 1, "DELETE /todos/2147483647 HTTP/1.1\r\nHost: a\r\n\r\n");
    clock_sleep(300000);
    sqlite3_close(lock);
    for (size_t i = 0; i < count; i++) {
        client_receive(&crowd[i], false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER("who has waited", "status", 404, response.status);
    }
    check_others_are_served("all have waited");
    close_crowd(crowd, count);
    client_response_release(&response);
    buffer_release(&log);
}

/* One machine can't push others out: it loses its own. */
static void test_an_address_has_so_many_connections(void)
{
    static const char *const settings[] = {"HTTP_CLIENT_CONNECTIONS=20", NULL};
    struct client_connection crowd[CROWD];
    struct client_connection others[10];
    struct client_response response = {0};

    if (!restart(settings))
        return;
    open_crowd(others, COUNT(others), 2, "");
    open_crowd(crowd, CROWD, 3, "GET /livez HTTP/1.1\r\nX-");
    check_others_are_served("of another address");
    CHECK_NUMBER("crowd", "open", 20, (long long)wait_for_open(crowd, CROWD, 20));
    for (size_t i = 0; i < COUNT(others); i++) {
        client_send_request(&others[i], server.port,
                            &(struct client_request){.path = "/livez"});
        client_receive(&others[i], false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER("others", "status", 200, response.status);
    }
    client_response_release(&response);
    close_crowd(crowd, CROWD);
    close_crowd(others, COUNT(others));
}

/* ---- deadlines ---- */

/* Does a little every half second, for longer than all deadlines. */
struct slow_client {
    const char *name;
    const char *beginning;
    const char *piece; /* sent each time; NULL: it reads 8,000 bytes of its answer instead */
    int status;        /* of its answer; 0: closed without a whole one */
    const char *says;  /* in its answer */
    struct client_connection connection;
    struct client_response response;
};

#define LONG_HEAD "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
#define BLANKS    "                                "
#define KIBIBYTE                                                                               \
    BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS \
        BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS    \
            BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS BLANKS

/* An upload of 2 KiB a second, and who reads his answer slowly, are honest. */
static struct slow_client slow_clients[] = {
    {.name = "silent",                                                        .beginning = "",  .piece = "" },
    {.name = "request line",                                                  .beginning = "G", .piece = "E", .status = 408},
    {.name = "head",
     .beginning = "GET /livez HTTP/1.1\r\nHost: a\r\n",
     .piece = "X-a: b\r\n",
     .status = 408},
    {.name = "body",
     .beginning = LONG_HEAD "Content-Length: 100000\r\n\r\n",
     .piece = "  ",
     .status = 408},
    {.name = "body, as a problem",
     .beginning = LONG_HEAD PROBLEM "Content-Length: 100000\r\n\r\n",
     .piece = "  ",
     .status = 408,
     .says = SAYS("Request Timeout", "408") "\",\"detail\":\"The request's body comes too"},
    {.name = "chunks",
     .beginning = LONG_HEAD "Transfer-Encoding: chunked\r\n\r\n",
     .piece = "1\r\n \r\n",
     .status = 408},
    {.name = "upload",
     .beginning = LONG_HEAD "Content-Length: 40973\r\n\r\n{\"title\":\"a\"}",
     .piece = KIBIBYTE,
     .status = 201},
    {.name = "no reader",                                                   .beginning = "GET /todos HTTP/1.1\r\nHost: a\r\n\r\n",                                                                             .piece = ""                                                                                        },
    {.name = "reader", .beginning = "GET /todos HTTP/1.1\r\nHost: a\r\n\r\n",                                                                         .status = 200                                                                                          },
};

static void begin_slowly(struct slow_client *slow)
{
    CHECK(client_open(&slow->connection, server.port), slow->name, "no connection");
    client_send_text(&slow->connection, slow->beginning);
}

static void go_on_slowly(struct slow_client *slow)
{
    char bytes[8000];
    ssize_t received;

    if (slow->piece && slow->status > 0 && slow->response.status == 0)
        client_receive(&slow->connection, false, 1, &slow->response);
    if (slow->piece && slow->response.status == 0)
        client_send_text(&slow->connection, slow->piece);
    if (slow->piece)
        return;
    received = recv(slow->connection.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (received > 0)
        buffer_append(&slow->connection.received, bytes, (size_t)received);
}

static void end_slowly(struct slow_client *slow)
{
    if (slow->response.status == 0)
        client_receive(&slow->connection, false, CLIENT_TIME_LIMIT, &slow->response);
    CHECK_NUMBER(slow->name, "status", slow->status, slow->response.status);
    CHECK_CONTAINS(slow->name, "answer", slow->says ? slow->says : "",
                   client_body(&slow->response));
    if (slow->status == 408 || !*slow->beginning)
        CHECK(client_is_closed(&slow->connection, SLACK), slow->name, "still open");
    client_close(&slow->connection);
    client_response_release(&slow->response);
}

static void test_who_is_too_slow_is_dropped(void)
{
    struct buffer json = {0};
    struct buffer log = {0};

    buffer_append_text(&json, "{\"title\":\"");
    for (int i = 0; i < 256; i++)
        buffer_append_text(&json, "\xf0\x9f\x8d\xa3");
    buffer_append_text(&json, "\"}");
    for (int i = 0; i < 500; i++)
        create_todo(&server, json.data);
    buffer_release(&json);
    for (size_t i = 0; i < COUNT(slow_clients); i++)
        begin_slowly(&slow_clients[i]);
    for (unsigned step = 0; step < LONGEST / STEP; step++) {
        clock_sleep(STEP);
        for (size_t i = 0; i < COUNT(slow_clients); i++)
            go_on_slowly(&slow_clients[i]);
    }
    for (size_t i = 0; i < COUNT(slow_clients); i++)
        end_slowly(&slow_clients[i]);
    server_read_log(&server, &log);
    CHECK_CONTAINS("no reader", "log", "\"aborted\":true", log.data);
    buffer_release(&log);
    clear_todos(&server);
}

/* ---- memory ---- */

static long resident_kilobytes(void)
{
    char path[64];
    struct buffer status = {0};
    const char *line;
    long size;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server.pid);
    file_read(path, &status);
    line = strstr(status.data, "VmRSS:");
    size = line ? strtol(line + strlen("VmRSS:"), NULL, 10) : 0;
    buffer_release(&status);
    return size;
}

/* Sends all of a body but its last byte. */
static void hold_memory(struct client_connection *connection, size_t size)
{
    char *body = calloc(1, size);
    char head[128];

    snprintf(head, sizeof head,
             "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", size);
    open_crowd(connection, 1, 1, head);
    if (body)
        CHECK(client_send(connection, body, size - 1), "a holder of memory", "was refused");
    free(body);
}

/* What this request, whose body is still to come, gets before long: the server may still be
 * reading what others have sent. */
static void check_soon(const char *name, const char *head, int status)
{
    struct client_connection connection;
    struct client_response response = {0};

    for (int i = 0; i < 100 && response.status != status; i++) {
        open_crowd(&connection, 1, 1, head);
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
        client_close(&connection);
        clock_sleep(response.status == status ? 0 : 50000);
    }
    CHECK_NUMBER(name, "status", status, response.status);
    CHECK_TEXT(name, "Retry-After", status == 503 ? "1" : NULL,
               client_header(&response, "Retry-After"));
    client_response_release(&response);
}

static void test_bodies_have_a_budget(void)
{
    static const char *const settings[] = {"REQUEST_MEMORY=4000000", NULL};
    static const char large[] = "POST /todos HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                                "Content-Length: 1000000\r\n\r\n";
    struct client_connection announcers[20];
    struct client_connection holders[4];
    struct client_connection chunked;
    struct client_response response = {0};
    char chunk[0x2000];

    if (!restart(settings))
        return;
    open_crowd(announcers, COUNT(announcers), 1, large);
    check_soon("others only announce theirs", large, 100);
    for (size_t i = 0; i < COUNT(holders); i++)
        hold_memory(&holders[i], 1000000);
    check_soon("others hold theirs",
               "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", 503);
    open_crowd(&chunked, 1, 1,
               "POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n");
    memset(chunk, ' ', sizeof chunk);
    client_send(&chunked, chunk, sizeof chunk);
    client_receive(&chunked, false, CLIENT_TIME_LIMIT, &response);
    CHECK_NUMBER("a chunked one", "status", 503, response.status);
    client_close(&chunked);
    CHECK(create_todo(&server, "{\"title\":\"small\"}") > 0, "a small one", "refused");
    close_crowd(holders, COUNT(holders));
    close_crowd(announcers, COUNT(announcers));
    check_soon("they have left", large, 100);
    client_response_release(&response);
}

/* A body's memory is free again when it is answered, not when the next request comes. */
static void test_answered_clients_hold_no_bodies(void)
{
    /* what a sanitizer keeps of freed memory */
    static const char *const settings[] = {"ASAN_OPTIONS=quarantine_size_mb=1", NULL};
    struct client_connection clients[BODY_CLIENTS];
    struct client_response response = {0};
    static char body[LARGE_BODY + 1];
    struct client_request request = {
        .method = "POST", .path = "/todos", .type = "application/json", .body = body};
    long before;

    if (!restart(settings))
        return;
    memset(body, ' ', LARGE_BODY);
    memcpy(body, "{\"title\":\"a\"}", 13);
    body[LARGE_BODY] = '\0';
    before = resident_kilobytes();
    for (size_t i = 0; i < BODY_CLIENTS; i++) {
        CHECK(client_open(&clients[i], server.port), "client", "no connection");
        client_send_request(&clients[i], server.port, &request);
        client_receive(&clients[i], false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER("large body", "status", 201, response.status);
    }
    CHECK(resident_kilobytes() - before < 20 * 1024, "memory", "it grew by %ld kB",
          resident_kilobytes() - before);
    close_crowd(clients, BODY_CLIENTS);
    client_response_release(&response);
}

/* ---- answers to clients that are still sending ---- */

/* Sends all of it before it reads, as most libraries do. */
static void check_answer_is_read(const char *name, const char *head, size_t size, int status)
{
    struct client_connection connection;
    struct client_connection silent[30]; /* refused, too, and they send no more */
    struct client_response response = {0};
    char *body = calloc(1, size);

    open_crowd(silent, COUNT(silent), 1, head);
    for (int i = 0; body && i < REFUSED; i++) {
        CHECK(client_open(&connection, server.port), name, "no connection");
        CHECK(client_send_text(&connection, head) && client_send(&connection, body, size), name,
              "the connection was reset while it was sending");
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER(name, "status", status, response.status);
        client_close(&connection);
    }
    close_crowd(silent, COUNT(silent));
    client_response_release(&response);
    free(body);
}

static void test_who_sends_on_can_read_why_it_was_refused(void)
{
    static const char *const settings[] = {"REQUEST_MEMORY=1048576", NULL};
    static const char long_head[] = "GET /todos HTTP/1.1\r\nHost: a\r\nX-Long: ";
    struct client_connection connection;
    char head[12000];

    if (!restart(settings))
        return;
    check_answer_is_read("length",
                         "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n",
                         2 * MEBIBYTE, 413);
    check_answer_is_read(
        "chunked",
        "POST /todos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n",
        2 * MEBIBYTE, 413);
    check_answer_is_read("two hosts",
                         "POST /todos HTTP/1.1\r\nHost: a\r\nHost: b\r\n"
                         "Content-Length: 1048576\r\n\r\n",
                         MEBIBYTE, 400);
    memset(head, 'a', sizeof head);
    memcpy(head, long_head, sizeof long_head - 1);
    memcpy(head + sizeof head - 5, "\r\n\r\n", 5);
    check_answer_is_read("long head", head, MEBIBYTE, 431);
    hold_memory(&connection, 1048576);
    check_soon("memory is held",
               "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n", 503);
    check_answer_is_read("no memory",
                         "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n",
                         MEBIBYTE, 503);
    client_close(&connection);
}

CU_TestInfo arrival_tests[] = {
    TEST(test_it_listens_again_after_a_crowd_has_left),
    TEST(test_few_descriptors_leave_some_for_the_database),
    TEST(test_too_few_descriptors_are_an_error),
    TEST(test_the_oldest_gives_way),
    TEST(test_places_are_found_after_all_have_waited),
    TEST(test_an_address_has_so_many_connections),
    TEST(test_who_is_too_slow_is_dropped),
    TEST(test_bodies_have_a_budget),
    TEST(test_answered_clients_hold_no_bodies),
    TEST(test_who_sends_on_can_read_why_it_was_refused),
    CU_TEST_INFO_NULL,
};
