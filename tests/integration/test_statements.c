/*
 * What MySQL is sent for a request, as its general log has it: the comment that says the trace,
 * and whether X-Ray is told of the statements that were sent.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "sandbox.h"
#include "suites.h"
#include "xray_daemon.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRACE     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT    "00f067aa0ba902b7"
#define COMMENT   " /*traceparent='00-" TRACE "-"
#define SAMPLED   "traceparent: 00-" TRACE "-" PARENT "-01\r\n"
#define MEDIA     "application/json"
#define SPAN_SIZE 17
#define LOG_SIZE  16384

static MYSQL *root;
static struct server server;

/* What the library sends of itself, what sets up a connection, and what comes by itself now and
 * then are of no request. */
#define OF_REQUESTS                                                                            \
    "command_type = 'Query' AND user_host LIKE 'todo%' AND argument NOT LIKE 'SET "            \
    "autocommit%'"                                                                             \
    " AND argument <> 'ROLLBACK' AND argument NOT LIKE '%LIMIT 500%'"                          \
    " AND argument NOT LIKE '%@@%' AND argument NOT LIKE 'SET SESSION %'"                      \
    " AND argument NOT LIKE '%todobackend\\_migration%'"

/* One connection for reads and one for writes, which are there before anything is looked at. */
static bool open_logged(const char *const *more)
{
    const char *settings[8] = {"DB_READERS=1", "DB_CONNECTION_AGE=0"};
    struct client_response response = {0};

    for (size_t i = 0; more && more[i]; i++)
        settings[2 + i] = more[i];
    root = mariadb_open_root(NULL);
    if (!CHECK(root != NULL, "root", "no connection") || !server_open(&server, settings))
        return false;
    get(&server, "/todos", &response);
    create_todo(&server, "{\"title\":\"a\"}");
    client_response_release(&response);
    return mariadb_run(root, "SET GLOBAL log_output = 'TABLE'") &&
           mariadb_run(root, "SET GLOBAL general_log = ON");
}

static void close_logged(void)
{
    if (root) {
        mariadb_run(root, "SET GLOBAL general_log = OFF");
        mysql_close(root);
    }
    root = NULL;
    server_close(&server);
}

static void forget_log(void)
{
    mariadb_run(root, "TRUNCATE mysql.general_log");
}

/* All that was sent since, a semicolon before and behind each. */
static const char *read_log(char text[LOG_SIZE])
{
    mariadb_run(root, "SET SESSION group_concat_max_len = 1000000");
    mariadb_value(root,
                  "SELECT CONCAT(';', GROUP_CONCAT(argument SEPARATOR ';'), ';')"
                  " FROM mysql.general_log WHERE " OF_REQUESTS,
                  text, LOG_SIZE);
    return text;
}

static void ask(const struct client_request *request, unsigned id, int status, const char *row)
{
    struct client_request asked = *request;
    struct client_response response = {0};
    char path[64];
    char body[256];

    if (strstr(request->path, "%u")) {
        snprintf(path, sizeof path, "/todos/%u", id);
        asked.path = path;
    }
    const char *place = request->body ? strstr(request->body, "%u") : NULL;
    if (place) { /* twice the same would be refused: the one before it, too */
        snprintf(body, sizeof body,
                 "[{\"url\":\"http://127.0.0.1:%u/todos/%u\",\"title\":\"b\"},"
                 "{\"url\":\"http://127.0.0.1:%u/todos/%u\",\"title\":\"c\"}]",
                 server.port, id - 1, server.port, id);
        asked.body = body;
    }
    client_ask(server.port, &asked, &response);
    CHECK_NUMBER(row, "status", status, response.status);
    client_response_release(&response);
}

/* `statement`: a part of what is sent for it. */
/* clang-format off */
static const struct row {
    const char *name;
    struct client_request request;
    int status;
    const char *statement;
} rows[] = {
    {"a list", WITH("/todos", SAMPLED), 200, " FROM todo_todoitem ORDER BY id"},
    {"a query", WITH("/todos?limit=3&search=a", SAMPLED), 200, "LIKE "},
    {"a todo", WITH("/todos/%u", SAMPLED), 200, "WHERE id IN ("},
    {"a create", SEND("POST", "/todos", SAMPLED, MEDIA, "{\"title\":\"b 1\\\\' 2\",\"order\":7}"), 201, "INSERT INTO todo_"},
    {"many creates", SEND("POST", "/todos", SAMPLED, MEDIA, "[{\"title\":\"b\"},{\"title\":\"NULL\",\"order\":1}]"), 201,
     "INSERT INTO todo_"},
    {"a create with a key", SEND("POST", "/todos", SAMPLED "Idempotency-Key: k\r\n", MEDIA, "{\"title\":\"b\"}"), 201,
     "INSERT INTO todobackend_idempotency_keys"},
    {"the same again", SEND("POST", "/todos", SAMPLED "Idempotency-Key: k\r\n", MEDIA, "{\"title\":\"b\"}"), 201,
     "SELECT idempotency_key"},
    {"an update", SEND("PATCH", "/todos/%u", SAMPLED, MEDIA, "{\"title\":\"b\"}"), 200, "UPDATE todo_todoitem"},
    {"many updates", SEND("PATCH", "/todos", SAMPLED, MEDIA, "%u"), 200, "CASE id"},
    {"a create with a condition", SEND("POST", "/todos", SAMPLED "If-Match: *\r\n", MEDIA, "{\"title\":\"b\"}"), 201,
     "ORDER BY id FOR UPDATE"},
    {"a deletion", ASK_WITH("DELETE", "/todos/%u", SAMPLED), 204, "DELETE FROM todo_todoitem WHERE id = "},
    {"all", ASK_WITH("DELETE", "/todos", SAMPLED), 204, "DELETE FROM todo_todoitem"},
};
/* clang-format on */

/* ---- the comment ---- */

/* Each statement ends with the comment, and says one and the same span: ours. */
static void check_comments(const char *row, char *log)
{
    char span[SPAN_SIZE] = "";
    char *rest = NULL;
    size_t count = 0;

    for (char *sql = strtok_r(log, ";", &rest); sql; sql = strtok_r(NULL, ";", &rest)) {
        const char *comment = strstr(sql, COMMENT);
        CHECK(comment != NULL, row, "no comment: %s", sql);
        if (!comment)
            continue;
        const char *found = comment + sizeof COMMENT - 1;
        CHECK(strspn(found, "0123456789abcdef") == SPAN_SIZE - 1 &&
                  strcmp(found + SPAN_SIZE - 1, "-01'*/") == 0,
              row, "the comment is not the end of: %s", sql);
        if (!*span)
            snprintf(span, sizeof span, "%s", found);
        CHECK(strncmp(found, span, SPAN_SIZE - 1) == 0, row, "another span: %s", sql);
        count++;
    }
    CHECK(count > 0, row, "nothing was sent");
    CHECK(strcmp(span, PARENT) != 0, row, "the span is the caller's");
}

static void test_each_statement_says_its_trace(void)
{
    static const char *const settings[] = {"DB_COMMENT_TRACE=1", NULL};
    static char log[LOG_SIZE];

    if (open_logged(settings))
        for (size_t i = 0; i < COUNT(rows); i++) {
            unsigned id = create_todo(&server, "{\"title\":\"a\"}");
            id = create_todo(&server, "{\"title\":\"a\"}") == id + 1 ? id + 1 : 0;
            forget_log();
            ask(&rows[i].request, id, rows[i].status, rows[i].name);
            CHECK_CONTAINS(rows[i].name, "statement", rows[i].statement, read_log(log));
            check_comments(rows[i].name, log);
        }
    close_logged();
}

static void test_by_default_no_statement_says_a_trace(void)
{
    static char log[LOG_SIZE];

    if (open_logged(NULL)) {
        unsigned id = create_todo(&server, "{\"title\":\"a\"}");
        forget_log();
        ask(&rows[0].request, id, 200, rows[0].name);
        ask(&rows[3].request, id, 201, rows[3].name);
        CHECK_CONTAINS("default", "log", "INSERT INTO todo_", read_log(log));
        CHECK(!strstr(log, "trace") && !strstr(log, TRACE), "default", "a comment: %s", log);
    }
    close_logged();
}

#define EVIL "*/;DROP TABLE todo_todoitem;/*"

/* A trace begins here then, and is said. */
static void test_what_is_no_traceparent_gets_into_no_statement(void)
{
    static const char *const settings[] = {"DB_COMMENT_TRACE=1", NULL};
    static const char *const headers[] = {
        "traceparent: " EVIL "\r\n",
        "traceparent: 00-" TRACE "-" PARENT "-01" EVIL "\r\n",
        "traceparent: 00-" TRACE "-" PARENT "-01'" EVIL "\r\n",
        "traceparent: 01-" TRACE "-" PARENT "-00-" EVIL "\r\n",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0*/DROP/*-" PARENT "-01\r\n",
        "traceparent: 00-" TRACE "-00f067aa0b*/DROP-01\r\n",
        "tracestate: a=" EVIL "\r\n",
        "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a9942*/DROP;Parent=53995c3f*/DROP'\r\n",
        "X-Amzn-Trace-Id: " EVIL "\r\n",
        "X-Request-Id: " EVIL "\r\n",
    };
    static char log[LOG_SIZE];

    if (open_logged(settings))
        for (size_t i = 0; i < COUNT(headers); i++) {
            forget_log();
            ask(&(struct client_request)WITH("/todos", headers[i]), 0, 200, headers[i]);
            const char *start = strstr(read_log(log), " /*traceparent='00-");
            CHECK(start != NULL, headers[i], "no comment: %s", log);
            if (!start)
                continue;
            start += strlen(" /*traceparent='");
            CHECK(strspn(start, "0123456789abcdef-") == 55 &&
                      strncmp(start + 53, "00'*/;", 6) == 0 && start[59] == '\0',
                  headers[i], "the comment is %s", start);
            CHECK(!strstr(log, "DROP") && !strstr(log, PARENT), headers[i], "sent: %s", log);
        }
    close_logged();
}

/* ---- one trip for many ---- */

#define WAITING 4

static void send_create(struct client_connection *connection, unsigned number)
{
    char request[256];

    snprintf(request, sizeof request,
             "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
             "traceparent: 00-%032x-" PARENT "-01\r\nContent-Length: 13\r\n\r\n"
             "{\"title\":\"a\"}",
             number);
    client_send_text(connection, request);
}

/* The first one's statement waits for a lock; those that came since go together, and say the
 * trace of the one that has waited longest. */
static void ask_while_locked(struct client_connection *connections)
{
    static char log[LOG_SIZE];
    struct database_lock *lock = database_lock(&server);

    send_create(&connections[0], 1);
    for (unsigned i = 0; i < 100 && !strstr(read_log(log), "INSERT"); i++)
        clock_sleep(5000);
    for (unsigned i = 1; i <= WAITING; i++) {
        send_create(&connections[i], i + 1);
        clock_sleep(30000);
    }
    database_unlock(lock);
}

static unsigned count_in(const char *text, unsigned trace)
{
    char part[64];
    unsigned count = 0;

    snprintf(part, sizeof part, "traceparent='00-%032x-", trace);
    while ((text = strstr(text, part))) {
        text++;
        count++;
    }
    return count;
}

static void test_a_trip_says_the_trace_of_the_first_that_it_serves(void)
{
    static const char *const settings[] = {"DB_COMMENT_TRACE=1", NULL};
    static char log[LOG_SIZE];
    struct client_connection connections[1 + WAITING];
    struct client_response response = {0};

    if (open_logged(settings)) {
        forget_log();
        for (size_t i = 0; i < COUNT(connections); i++)
            client_open(&connections[i], server.port);
        ask_while_locked(connections);
        for (size_t i = 0; i < COUNT(connections); i++) {
            client_receive(&connections[i], false, CLIENT_TIME_LIMIT, &response);
            CHECK_NUMBER("create", "status", 201, response.status);
            client_close(&connections[i]);
        }
        read_log(log);
        for (unsigned i = 1; i <= 2; i++) /* INSERT, UPDATE, COMMIT */
            CHECK(count_in(log, i) >= 3, "trip", "trace %u is not said: %s", i, log);
        for (unsigned i = 3; i <= 1 + WAITING; i++)
            CHECK_NUMBER("trip", "statements of another trace", 0, count_in(log, i));
    }
    client_response_release(&response);
    close_logged();
}

/* ---- what X-Ray is told was sent ---- */

/* The length of the value that the text begins with: 'text', 12, NULL; 0: it is none. */
static size_t value_length(const char *text, char before)
{
    if (*text == '\'') {
        size_t length = 1;
        while (text[length] && text[length] != '\'')
            length += text[length] == '\\' && text[length + 1] ? 2 : 1;
        return length + 1;
    }
    if (isalnum((unsigned char)before) || before == '_')
        return 0;
    return strncmp(text, "NULL", 4) == 0 ? 4 : strspn(text, "0123456789");
}

/* Whether `text`, up to `end`, ends so. */
static bool ends_with(const char *text, const char *end, const char *part)
{
    size_t length = strlen(part);
    return (size_t)(end - text) >= length && strncmp(end - length, part, length) == 0;
}

/* The length of what only goes on with the list that `text` ends with. */
static size_t more_length(const char *text, const char *end, const char *rest)
{
    static const struct {
        const char *first, *more;
    } lists[] = {
        {"IN (?",                 ",?"            },
        {"VALUES (?,?,?,?)",      ",(?,?,?,?)"    },
        {"CASE id WHEN ? THEN ?", " WHEN ? THEN ?"},
    };

    for (size_t i = 0; i < COUNT(lists); i++)
        if (ends_with(text, end, lists[i].first) &&
            strncmp(rest, lists[i].more, strlen(lists[i].more)) == 0)
            return strlen(lists[i].more);
    return 0;
}

/* ? for each value, and of a list only the first. In place: it gets no longer. */
static void sanitize(char *text)
{
    char *out = text;
    size_t length;

    for (char *in = text; *in;)
        if ((length = value_length(in, out > text ? out[-1] : ' ')) > 0) {
            *out++ = '?';
            in += length;
        } else
            *out++ = *in++;
    *out = '\0';
    out = text;
    for (char *in = text; *in;)
        if ((length = more_length(text, out, in)) > 0)
            in += length;
        else
            *out++ = *in++;
    *out = '\0';
}

static void check_statement(const char *row, const json_t *segment, const char *log)
{
    const json_t *trip = json_array_get(json_object_get(segment, "subsegments"), 0);
    const char *told =
        json_string_value(json_object_get(json_object_get(trip, "sql"), "sanitized_query"));
    char part[512];

    if (strcmp(row, "a query") == 0) {
        CHECK_TEXT(row, "statement", NULL, told);
        return;
    }
    snprintf(part, sizeof part, ";%s;", told ? told : "none");
    CHECK_CONTAINS(row, "what was sent", part, log);
}

static void test_xray_is_told_what_was_sent(void)
{
    struct xray_daemon daemon = {.socket = -1};
    const char *const settings[] = {daemon.setting, NULL};
    static char log[LOG_SIZE];

    if (xray_daemon_open(&daemon) && open_logged(settings))
        for (size_t i = 0; i < COUNT(rows); i++) {
            unsigned id = create_todo(&server, "{\"title\":\"a\"}");
            id = create_todo(&server, "{\"title\":\"a\"}") == id + 1 ? id + 1 : 0;
            json_t *segment;
            while ((segment = xray_daemon_receive(&daemon, 20)))
                json_decref(segment); /* of those two */
            forget_log();
            ask(&rows[i].request, id, rows[i].status, rows[i].name);
            segment = xray_daemon_receive(&daemon, CLIENT_TIME_LIMIT);
            read_log(log);
            sanitize(log);
            check_statement(rows[i].name, segment, log);
            json_decref(segment);
        }
    close_logged();
    close(daemon.socket);
}

CU_TestInfo statements_tests[] = {
    TEST(test_each_statement_says_its_trace),
    TEST(test_by_default_no_statement_says_a_trace),
    TEST(test_what_is_no_traceparent_gets_into_no_statement),
    TEST(test_a_trip_says_the_trace_of_the_first_that_it_serves),
    TEST(test_xray_is_told_what_was_sent),
    CU_TEST_INFO_NULL,
};
