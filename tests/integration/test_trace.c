/*
 * Which request an answer and a line of the log are about: the request's id and its trace's, as
 * callers say them or as they are made, whoever else is answered at the same time.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "sandbox.h"
#include "suites.h"
#include "xray_daemon.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE      10000000U /* microseconds until a line is in the log */
#define CLIENTS       8
#define AT_ONCE       25 /* requests of a client that are sent before an answer is read */
#define ROUNDS        8
#define ID_SIZE       65
#define HEX_OF(id)    strspn(id, "0123456789abcdef")
#define OUR_ID_SIZE   16
#define TRACE         "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT        "00f067aa0ba902b7"
#define TIMES_4(text) text text text text
#define TRACEPARENT   "traceparent: 00-" TRACE "-" PARENT "-"

/* The last line that has this text, as JSON; NULL when none comes in time. */
static json_t *find_line(const struct server *server, const char *part)
{
    uint64_t deadline = clock_now() + PATIENCE;
    struct buffer log = {0};
    json_t *line = NULL;

    while (!line && clock_now() < deadline) {
        server_read_log(server, &log);
        for (char *found = log.data; found && (found = strstr(found, part)); found++) {
            char *start = found;
            while (start > log.data && start[-1] != '\n')
                start--;
            json_decref(line);
            line = json_loadb(start, strcspn(start, "\n"), 0, NULL);
        }
        if (!line)
            clock_sleep(20000);
    }
    buffer_release(&log);
    return line;
}

static const char *text_in(const json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text ? text : "";
}

/* ---- single requests ---- */

/* `id`: what the answer and the line say, NULL: one that is made. So with `trace`. */
/* clang-format off */
static const struct row {
    const char *name;
    struct client_request request;
    int status;
    const char *id, *trace;
} rows[] = {
    {"neither", GET("/todos"), 200, NULL, NULL},
    {"an id", WITH("/todos", "X-Request-Id: a-1\r\n"), 200, "a-1", NULL},
    {"an id that is odd", WITH("/todos", "X-Request-Id: a b\r\n"), 200, NULL, NULL},
    {"an id that is too long", WITH("/todos", "X-Request-Id: a" TIMES_4(TIMES_4(TIMES_4("a"))) "\r\n"), 200, NULL, NULL},
    {"an id that is empty", WITH("/todos", "X-Request-Id:\r\n"), 200, NULL, NULL},
    {"traceparent", WITH("/todos", TRACEPARENT "01\r\n"), 200, NULL, TRACE},
    {"traceparent and an id", WITH("/todos", "X-Request-Id: a-2\r\n" TRACEPARENT "00\r\n"), 200, "a-2",
     TRACE},
    {"traceparent with blanks", WITH("/todos", "TraceParent:  00-" TRACE "-" PARENT "-01 \t\r\n"), 200,
     NULL, TRACE},
    {"a malformed traceparent", WITH("/todos", TRACEPARENT "1\r\n"), 200, NULL, NULL},
    {"two traceparents", WITH("/todos", TRACEPARENT "01\r\n" TRACEPARENT "01\r\n"), 200, NULL, NULL},
    {"X-Amzn-Trace-Id", WITH("/todos", "X-Amzn-Trace-Id: Self=1-1-2;Root=1-5759e988-bd862e3fe1be46a994272793\r\n"),
     200, NULL, "5759e988bd862e3fe1be46a994272793"},
    {"a malformed X-Amzn-Trace-Id", WITH("/todos", "X-Amzn-Trace-Id: Root=1-5759e988\r\n"), 200, NULL, NULL},
    {"a long X-Amzn-Trace-Id", WITH("/todos", "X-Amzn-Trace-Id: " TIMES_4(TIMES_4(TIMES_4(TIMES_4("Root=1;")))) "\r\n"), 200, NULL, NULL},
    {"both", WITH("/todos", "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793\r\n" TRACEPARENT "01\r\n"),
     200, NULL, TRACE},
    {"HEAD", ASK_WITH("HEAD", "/todos", TRACEPARENT "01\r\n"), 200, NULL, TRACE},
    {"a todo that is not there", WITH("/todos/0", TRACEPARENT "01\r\n"), 404, NULL, TRACE},
    {"no such path", WITH("/no/such", TRACEPARENT "01\r\n"), 404, NULL, TRACE},
    {"a page", WITH("/todos", "Accept: text/html\r\n" TRACEPARENT "01\r\n"), 200, NULL, TRACE},
    {"a file", WITH("/static/app.js", TRACEPARENT "01\r\n"), 200, NULL, TRACE},
    {"a health check", WITH("/livez", TRACEPARENT "01\r\n"), 200, NULL, TRACE},
    {"a bad body", SEND("POST", "/todos", TRACEPARENT "01\r\n", "application/json", "{"), 400, NULL, TRACE},
    {"a create", SEND("POST", "/todos", TRACEPARENT "01\r\n", "application/json", "{\"title\":\"a\"}"), 201,
     NULL, TRACE},
    {"a preflight",
     ASK_WITH("OPTIONS", "/todos", "Origin: http://a\r\nAccess-Control-Request-Method: GET\r\n" TRACEPARENT "01\r\n"),
     200, NULL, TRACE},
    {"a bad host", WITH("/todos", "Host: a b\r\n" TRACEPARENT "01\r\n"), 400, NULL, TRACE},
    {"two hosts", WITH("/todos", "Host: a\r\nHost: b\r\n" TRACEPARENT "01\r\n"), 400, NULL, TRACE},
    {"too many headers", WITH("/todos", TRACEPARENT "01\r\n" TIMES_4(TIMES_4(TIMES_4("A: b\r\nA: b\r\n")))), 431, NULL, TRACE},
    {"too long a body", SEND("POST", "/todos", TRACEPARENT "01\r\nContent-Length: 99999999\r\n", NULL, NULL), 413,
     NULL, TRACE},
};
/* clang-format on */

/* The line is found by the id: so both have the same. */
static void check_row(const struct server *server, const struct row *row)
{
    struct client_response response = {0};
    char part[ID_SIZE + 16];

    client_ask(server->port, &row->request, &response);
    CHECK_NUMBER(row->name, "status", row->status, response.status);
    const char *id = client_header(&response, "X-Request-Id");
    if (row->id)
        CHECK_TEXT(row->name, "id", row->id, id);
    else
        CHECK(id && strlen(id) == OUR_ID_SIZE && HEX_OF(id) == OUR_ID_SIZE, row->name,
              "no id of ours: %s", id ? id : "none");
    snprintf(part, sizeof part, "\"%s\"", id ? id : "none");
    json_t *line = find_line(server, part);
    const char *trace = text_in(line, "trace_id");
    CHECK_TEXT(row->name, "id of the line", id ? id : "none", text_in(line, "request_id"));
    CHECK_NUMBER(row->name, "status of the line", row->status,
                 json_integer_value(json_object_get(line, "status")));
    if (row->trace)
        CHECK_TEXT(row->name, "trace", row->trace, trace);
    else
        CHECK(strlen(trace) == 32 && HEX_OF(trace) == 32 && strcmp(trace, TRACE) != 0,
              row->name, "no trace of ours: %s", trace);
    json_decref(line);
    client_response_release(&response);
}

static void test_an_answer_and_its_line_have_the_same_ids(void)
{
    static const char *const settings[] = {"LOG_HEALTH=1", NULL};
    struct server server = {0};

    if (server_open(&server, settings))
        for (size_t i = 0; i < COUNT(rows); i++)
            check_row(&server, &rows[i]);
    server_close(&server);
}

/* ---- many at a time ---- */

struct client {
    unsigned port, number;
    pthread_t thread;
    char ids[ROUNDS * AT_ONCE][ID_SIZE]; /* of the answers; empty: none came */
};

static void name_trace(const struct client *client, size_t request, char trace[33])
{
    snprintf(trace, 33, "%08x%024zx", client->number + 1, request);
}

static void send_round(struct client *client, struct client_connection *connection,
                       size_t first)
{
    struct buffer all = {0};

    for (size_t i = 0; i < AT_ONCE; i++) {
        char trace[33];
        name_trace(client, first + i, trace);
        buffer_append_format(
            &all, "GET /todos HTTP/1.1\r\nHost: a\r\ntraceparent: 00-%s-" PARENT "-01\r\n\r\n",
            trace);
    }
    client_send(connection, all.data, all.size);
    buffer_release(&all);
}

/* The same of all: their answers are one and the same but for the id. */
static void *ask_for_lists(void *context)
{
    struct client *client = context;
    struct client_connection connection;
    struct client_response response = {0};

    if (!client_open(&connection, client->port))
        return NULL;
    for (size_t first = 0; first < ROUNDS * AT_ONCE; first += AT_ONCE) {
        send_round(client, &connection, first);
        for (size_t i = 0; i < AT_ONCE; i++) {
            client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
            const char *id = client_header(&response, "X-Request-Id");
            snprintf(client->ids[first + i], ID_SIZE, "%s", id ? id : "");
        }
    }
    client_close(&connection);
    client_response_release(&response);
    return NULL;
}

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* Each pair of a line, "TRACE ID", sorted. */
static size_t read_pairs(const struct server *server, char **pairs, size_t most)
{
    struct buffer log = {0};
    size_t count = 0;
    char *rest = NULL;

    server_read_log(server, &log);
    for (char *text = log.data ? strtok_r(log.data, "\n", &rest) : NULL; text && count < most;
         text = strtok_r(NULL, "\n", &rest)) {
        json_t *line = json_loads(text, 0, NULL);
        if (strcmp(text_in(line, "path"), "/todos") == 0 &&
            asprintf(&pairs[count], "%s %s", text_in(line, "trace_id"),
                     text_in(line, "request_id")) > 0)
            count++;
        json_decref(line);
    }
    buffer_release(&log);
    qsort(pairs, count, sizeof(char *), compare);
    return count;
}

static void check_client(const struct client *client, char **pairs, size_t count)
{
    for (size_t i = 0; i < ROUNDS * AT_ONCE; i++) {
        char trace[33];
        char text[33 + ID_SIZE];
        char *pair = text;
        name_trace(client, i, trace);
        snprintf(text, sizeof text, "%s %s", trace, client->ids[i]);
        CHECK(bsearch(&pair, pairs, count, sizeof(char *), compare) != NULL, "pair",
              "no line says trace and id: %s", text);
    }
}

/* On several loops: an answer that is made once goes to all of them. */
static void test_requests_that_share_an_answer_have_ids_of_their_own(void)
{
    static const char *const settings[] = {"HTTP_THREADS=3", NULL};
    static struct client clients[CLIENTS];
    static char *pairs[CLIENTS * ROUNDS * AT_ONCE + 1];
    struct server server = {0};

    if (!server_open(&server, settings))
        return;
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.port = server.port, .number = i};
        CU_ASSERT_FATAL(pthread_create(&clients[i].thread, NULL, ask_for_lists, &clients[i]) ==
                        0);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    server_stop(&server);
    size_t count = read_pairs(&server, pairs, COUNT(pairs));
    CHECK_NUMBER("lines", "count", CLIENTS * ROUNDS * AT_ONCE, (long long)count);
    for (unsigned i = 0; i < CLIENTS; i++)
        check_client(&clients[i], pairs, count);
    while (count > 0)
        free(pairs[--count]);
    server_close(&server);
}

/* ---- what X-Ray is told ---- */

/* Flags as a text: "error throttle fault". */
static const char *flags_of(const json_t *segment, char flags[32])
{
    static const char *const names[] = {"error", "throttle", "fault"};
    size_t length = 0;

    *flags = '\0';
    for (size_t i = 0; i < COUNT(names); i++)
        if (json_is_true(json_object_get(segment, names[i])))
            length += (size_t)snprintf(flags + length, 32 - length, "%s%s", length ? " " : "",
                                       names[i]);
    return flags;
}

#define AMZN(more) "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793" more "\r\n"
#define AMZN_ID    "1-5759e988-bd862e3fe1be46a994272793"

enum {
    NO_TRIP,
    TRIP,
};

/* `id` NULL: nothing is sent. */
/* clang-format off */
static const struct told {
    const char *name;
    struct client_request request;
    const char *id, *parent, *flags;
    int trips;
    const char *statement; /* a part of it */
} told[] = {
    {"Sampled=1", WITH("/todos", AMZN(";Parent=53995c3f42cd8ad8;Sampled=1")), AMZN_ID, "53995c3f42cd8ad8",
     "", TRIP, "SELECT id"},
    {"Sampled=0", WITH("/todos", AMZN(";Parent=53995c3f42cd8ad8;Sampled=0")), NULL, NULL, NULL, NO_TRIP, NULL},
    {"no parent", WITH("/todos", AMZN(";Sampled=1")), AMZN_ID, "", "", TRIP, "SELECT id"},
    {"traceparent, sampled", WITH("/todos", TRACEPARENT "01\r\n"),
     "1-4bf92f35-77b34da6a3ce929d0e0e4736", PARENT, "", TRIP, "SELECT id"},
    {"traceparent, not sampled", WITH("/todos", TRACEPARENT "00\r\n"), NULL, NULL, NULL, NO_TRIP, NULL},
    {"a todo that is not there", WITH("/todos/999999999", AMZN(";Sampled=1")), AMZN_ID, "", "error", TRIP,
     "SELECT id, title, completed"},
    {"a create", SEND("POST", "/todos", AMZN(";Sampled=1"), "application/json", "{\"title\":\"secret\"}"),
     AMZN_ID, "", "", TRIP, "INSERT INTO"},
    {"an update", SEND("PATCH", "/todos/999999999", AMZN(";Sampled=1"), "application/json", "{\"title\":\"secret\"}"),
     AMZN_ID, "", "error", TRIP, "UPDATE todo_todoitem"},
    {"a deletion", ASK_WITH("DELETE", "/todos/999999999", AMZN(";Sampled=1")), AMZN_ID, "", "error", TRIP,
     "DELETE FROM todo_todoitem WHERE id = ?"},
    {"a bad body", SEND("POST", "/todos", AMZN(";Sampled=1"), "application/json", "{"), AMZN_ID, "", "error",
     NO_TRIP, NULL},
    {"no such path", WITH("/no/such", AMZN(";Sampled=1")), AMZN_ID, "", "error", NO_TRIP, NULL},
    {"two hosts", WITH("/todos", "Host: a\r\nHost: b\r\n" AMZN(";Sampled=1")), AMZN_ID, "", "error", NO_TRIP,
     NULL},
    {"a health check that is traced", WITH("/livez", AMZN(";Sampled=1")), AMZN_ID, "", "", NO_TRIP, NULL},
    {"a health check", GET("/livez"), NULL, NULL, NULL, NO_TRIP, NULL},
    {"all", ASK_WITH("DELETE", "/todos", AMZN(";Sampled=1")), AMZN_ID, "", "", TRIP, "DELETE FROM todo_todoitem"},
};
/* clang-format on */

static void check_trip(const struct told *row, const json_t *segment)
{
    const json_t *trips = json_object_get(segment, "subsegments");
    const json_t *trip = json_array_get(trips, 0);
    const json_t *sql = json_object_get(trip, "sql");
    double start = json_real_value(json_object_get(segment, "start_time"));
    double end = json_real_value(json_object_get(segment, "end_time"));
    double began = json_real_value(json_object_get(trip, "start_time"));
    double ended = json_real_value(json_object_get(trip, "end_time"));

    CHECK_NUMBER(row->name, "trips", row->trips, (long long)json_array_size(trips));
    CHECK(start > 1.6e9 && start <= end && end - start < 10, row->name, "from %f to %f", start,
          end);
    if (row->trips == NO_TRIP)
        return;
    CHECK_TEXT(row->name, "namespace", "remote", text_in(trip, "namespace"));
    CHECK_TEXT(row->name, "database", on_mysql() ? "MySQL" : "SQLite",
               text_in(sql, "database_type"));
    CHECK_CONTAINS(row->name, "statement", row->statement, text_in(sql, "sanitized_query"));
    CHECK(!strstr(text_in(sql, "sanitized_query"), "secret"), row->name, "a value is told");
    CHECK(start <= began && began <= ended && ended <= end, row->name,
          "the trip was from %f to %f, the request from %f to %f", began, ended, start, end);
}

static void check_told(const struct server *server, const struct xray_daemon *daemon,
                       const struct told *row)
{
    struct client_response response = {0};
    char flags[32];

    client_ask(server->port, &row->request, &response);
    json_t *segment = xray_daemon_receive(daemon, row->id ? CLIENT_TIME_LIMIT : 200);
    if (!row->id)
        CHECK(!segment, row->name, "a segment came");
    else if (CHECK(segment != NULL, row->name, "no segment")) {
        const json_t *answer = json_object_get(json_object_get(segment, "http"), "response");
        CHECK_TEXT(row->name, "name", "todobackend", text_in(segment, "name"));
        CHECK_TEXT(row->name, "trace", row->id, text_in(segment, "trace_id"));
        CHECK_TEXT(row->name, "parent", row->parent, text_in(segment, "parent_id"));
        CHECK_TEXT(row->name, "flags", row->flags, flags_of(segment, flags));
        CHECK_NUMBER(row->name, "status", response.status,
                     json_integer_value(json_object_get(answer, "status")));
        check_trip(row, segment);
    }
    json_decref(segment);
    client_response_release(&response);
}

static void test_xray_is_told_what_callers_want_it_to_be(void)
{
    struct xray_daemon daemon = {.socket = -1};
    struct server server = {0};
    const char *const settings[] = {daemon.setting, NULL};

    if (xray_daemon_open(&daemon) && server_open(&server, settings))
        for (size_t i = 0; i < COUNT(told); i++)
            check_told(&server, &daemon, &told[i]);
    server_close(&server);
    close(daemon.socket);
}

#define OPEN_REQUESTS 2000

/* The first of each second, and one of twenty: 100 of 2,000, off by more than 40 once in 10^4.
 */
static void test_where_nobody_decides_some_are_told(void)
{
    struct xray_daemon daemon = {.socket = -1};
    struct server server = {0};
    const char *const settings[] = {daemon.setting, "HTTP_THREADS=1", NULL};
    struct client_connection connection;
    struct client_response response = {0};
    json_t *segment;
    unsigned count = 0;

    if (!xray_daemon_open(&daemon) || !server_open(&server, settings) ||
        !client_open(&connection, server.port))
        return;
    for (unsigned i = 0; i < OPEN_REQUESTS; i++) {
        client_send_text(&connection, "GET /no/such HTTP/1.1\r\nHost: a\r\n\r\n");
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
        if (i == 0) {
            segment = xray_daemon_receive(&daemon, CLIENT_TIME_LIMIT);
            CHECK(segment != NULL, "reservoir", "the first is not told");
            json_decref(segment);
        }
        for (; (segment = xray_daemon_receive(&daemon, 0)); json_decref(segment))
            count++;
    }
    CHECK(count > 50 && count < 170, "rate", "%u of %d", count, OPEN_REQUESTS);
    client_close(&connection);
    client_response_release(&response);
    server_close(&server);
    close(daemon.socket);
}

/* Who asks is told what was decided. */
static void test_a_caller_that_asks_is_told_the_decision(void)
{
    struct xray_daemon daemon = {.socket = -1};
    struct server server = {0};
    const char *const settings[] = {daemon.setting, NULL};
    struct client_response response = {0};

    if (xray_daemon_open(&daemon) && server_open(&server, settings)) {
        for (int i = 0; i < 50; i++) {
            client_ask(server.port, &(struct client_request)WITH("/todos", AMZN(";Sampled=?")),
                       &response);
            const char *answer = client_header(&response, "X-Amzn-Trace-Id");
            bool is_told = answer && strcmp(answer, "Root=" AMZN_ID ";Sampled=1") == 0;
            json_t *segment = xray_daemon_receive(&daemon, is_told ? CLIENT_TIME_LIMIT : 20);
            CHECK(is_told || (answer && strcmp(answer, "Root=" AMZN_ID ";Sampled=0") == 0),
                  "asks", "answer: %s", answer ? answer : "none");
            CHECK(is_told == (segment != NULL), "asks", "%s, and then?", answer ? answer : "");
            json_decref(segment);
        }
        client_ask(server.port, &(struct client_request)WITH("/todos", AMZN(";Sampled=1")),
                   &response);
        CHECK_TEXT("doesn't ask", "answer", NULL, client_header(&response, "X-Amzn-Trace-Id"));
    }
    client_response_release(&response);
    server_close(&server);
    close(daemon.socket);
}

/* Whatever the database is doing: the segment says that there was no answer in time. */
static void test_what_the_database_does_not_answer_is_a_fault(void)
{
    struct xray_daemon daemon = {.socket = -1};
    struct server server = {0};
    const char *const settings[] = {daemon.setting, "REQUEST_TIMEOUT=1", NULL};
    const struct client_request create =
        SEND("POST", "/todos", AMZN(";Sampled=1"), "application/json", "{\"title\":\"a\"}");
    struct client_response response = {0};
    char flags[32];

    if (xray_daemon_open(&daemon) && server_open(&server, settings)) {
        struct database_lock *lock = database_lock(&server);
        client_ask(server.port, &create, &response);
        json_t *segment = xray_daemon_receive(&daemon, CLIENT_TIME_LIMIT);
        const json_t *answer = json_object_get(json_object_get(segment, "http"), "response");
        CHECK_NUMBER("locked", "status", 503, response.status);
        CHECK_NUMBER("locked", "status that is told", 503,
                     json_integer_value(json_object_get(answer, "status")));
        CHECK_TEXT("locked", "flags", "fault", flags_of(segment, flags));
        json_decref(segment);
        database_unlock(lock);
    }
    client_response_release(&response);
    server_close(&server);
    close(daemon.socket);
}

/* The connection of a request that waits lasts until its answer, whoever has left. */
static void test_whose_client_has_left_is_told(void)
{
    struct xray_daemon daemon = {.socket = -1};
    struct server server = {0};
    const char *const settings[] = {daemon.setting, NULL};
    const struct client_request create =
        SEND("POST", "/todos", "User-Agent: leaves\r\n" AMZN(";Sampled=1"), "application/json",
             "{\"title\":\"a\"}");
    struct client_connection connection;

    if (xray_daemon_open(&daemon) && server_open(&server, settings)) {
        struct database_lock *lock = database_lock(&server);
        client_open(&connection, server.port);
        client_send_request(&connection, server.port, &create);
        clock_sleep(300000);
        client_close(&connection);
        clock_sleep(300000);
        database_unlock(lock);
        json_t *segment = xray_daemon_receive(&daemon, CLIENT_TIME_LIMIT);
        const json_t *http = json_object_get(segment, "http");
        CHECK_TEXT("left", "trace", AMZN_ID, text_in(segment, "trace_id"));
        CHECK_NUMBER(
            "left", "status", 201,
            json_integer_value(json_object_get(json_object_get(http, "response"), "status")));
        CHECK_TEXT("left", "user_agent", "leaves",
                   text_in(json_object_get(http, "request"), "user_agent"));
        json_decref(segment);
    }
    server_close(&server);
    close(daemon.socket);
}

#define LOST_REQUESTS 200
#define LOST_LIMIT    5000000U /* microseconds for all of them: look-ups take as long each */

/* Nobody listens there, or nobody knows the name. */
static void test_a_daemon_out_of_reach_costs_nothing(void)
{
    static const char *const daemons[] = {
        "AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:1", "AWS_XRAY_DAEMON_ADDRESS=[::1]:1",
        "AWS_XRAY_DAEMON_ADDRESS=nobody.invalid:2000",
        "AWS_XRAY_DAEMON_ADDRESS=255.255.255.255:1" /* is refused: no broadcasts */
    };

    for (size_t i = 0; i < COUNT(daemons); i++) {
        const char *const settings[] = {daemons[i], NULL};
        struct server server = {0};
        struct client_connection connection;
        struct client_response response = {0};
        uint64_t took = UINT64_MAX;
        unsigned good = 0;

        if (server_open(&server, settings) && client_open(&connection, server.port)) {
            uint64_t start = clock_now();
            for (unsigned n = 0; n < LOST_REQUESTS; n++) {
                client_send_text(&connection, "GET /todos HTTP/1.1\r\nHost: a\r\n" AMZN(
                                                  ";Sampled=1") "\r\n");
                client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
                good += response.status == 200;
            }
            took = clock_now() - start;
            client_close(&connection);
        }
        client_response_release(&response);
        server_close(&server);
        CHECK_NUMBER(daemons[i], "good answers", LOST_REQUESTS, good);
        CHECK(took < LOST_LIMIT, daemons[i], "it took %llu ms",
              (unsigned long long)took / 1000);
    }
}

CU_TestInfo trace_tests[] = {
    TEST(test_an_answer_and_its_line_have_the_same_ids),
    TEST(test_requests_that_share_an_answer_have_ids_of_their_own),
    TEST(test_xray_is_told_what_callers_want_it_to_be),
    TEST(test_where_nobody_decides_some_are_told),
    TEST(test_a_caller_that_asks_is_told_the_decision),
    TEST(test_what_the_database_does_not_answer_is_a_fault),
    TEST(test_whose_client_has_left_is_told),
    TEST(test_a_daemon_out_of_reach_costs_nothing),
    CU_TEST_INFO_NULL,
};
