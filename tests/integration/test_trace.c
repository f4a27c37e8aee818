/*
 * Which request an answer and a line of the log are about: the request's id and its trace's, as
 * callers say them or as they are made, whoever else is answered at the same time.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

CU_TestInfo trace_tests[] = {
    TEST(test_an_answer_and_its_line_have_the_same_ids),
    TEST(test_requests_that_share_an_answer_have_ids_of_their_own),
    CU_TEST_INFO_NULL,
};
