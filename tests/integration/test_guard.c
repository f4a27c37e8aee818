/*
 * Requests that are wrong, ambiguous or hostile, sent as raw bytes. What is refused gets one
 * answer and a closed connection, and whatever was hidden behind it is never carried out: the
 * list stays as it was.
 */

#include "base/clock.h"
#include "check.h"
#include "corpus.h"
#include "exchange.h"
#include "suites.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct server server;

int guard_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int guard_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

#define CLOSE_LIMIT  BUSY_MACHINE /* milliseconds until a refused connection must be closed */
#define ANSWER_LIMIT BUSY_MACHINE

#define LAST "Connection: close\r\n"

/* A request, and the status of its one answer. */
struct bytes {
    const char *name;
    const char *data;
    size_t size;
    int status;
};

#define RAW_STATUS(name, literal, status)                                                      \
    {                                                                                          \
        name, literal, sizeof(literal) - 1, status                                             \
    }
#define RAW(name, literal) RAW_STATUS(name, literal, 400)

/* libmicrohttpd 1.0 refuses by itself what 0.9 lets through, some of it without a word. */
static bool is_library_strict(void)
{
    return strncmp(MHD_get_version(), "0.", 2) != 0;
}

static void check_list(const char *row, const char *wanted)
{
    struct client_response response = {0};
    get(&server, "/todos", &response);
    CHECK_CONTAINS(row, "list afterwards", wanted, client_body(&response));
    client_response_release(&response);
}

static void start_with_alpha(void)
{
    clear_todos(&server);
    create_todo(&server, "{\"title\":\"alpha\"}");
}

static size_t count_text(const char *text, const char *part)
{
    size_t count = 0;

    for (; text && (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static size_t count_heads(const char *text)
{
    return count_text(text, "HTTP/1.1 2") + count_text(text, "HTTP/1.1 4") +
           count_text(text, "HTTP/1.1 5");
}

/* Lines of the log that tell of an answer of this status, by us or by libmicrohttpd itself. */
static size_t count_logged(int status)
{
    struct buffer log = {0};
    char ours[32];
    char its[32];
    size_t count;

    snprintf(ours, sizeof ours, "\"status\":%d,", status);
    snprintf(its, sizeof its, "refused: status %d\"", status);
    server_read_log(&server, &log);
    count = count_text(log.data, ours) + count_text(log.data, its);
    buffer_release(&log);
    return count;
}

/* Each refusal is one line; lines are written every 100 ms. */
static void check_logged(const struct bytes *row, size_t wanted)
{
    uint64_t deadline = clock_now() + BUSY_MACHINE * 1000;

    while (count_logged(row->status) < wanted && clock_now() < deadline)
        clock_sleep(20000);
    CHECK_NUMBER(row->name, "lines in the log", (long long)wanted,
                 (long long)count_logged(row->status));
}

/* One answer, of this status (0: none), and a closed connection; nothing is carried out. */
static void check_refused(const struct bytes *row)
{
    struct client_connection connection;
    struct buffer all = {0};
    size_t logged = count_logged(row->status);
    char status_line[16];

    start_with_alpha();
    if (!CHECK(client_open(&connection, server.port), row->name, "no connection"))
        return;
    client_send(&connection, row->data, row->size);
    CHECK(client_read_to_end(&connection, &all), row->name, "the connection stays open");
    client_close(&connection);
    snprintf(status_line, sizeof status_line, "HTTP/1.1 %d ", row->status);
    CHECK_NUMBER(row->name, "answers", row->status != 0, (long long)count_heads(all.data));
    if (row->status != 0) {
        CHECK_CONTAINS(row->name, "answer", status_line, all.data);
        if (strstr(all.data, "Content-Type: application/json")) /* ours */
            CHECK_CONTAINS(row->name, "answer", "Cache-Control: no-cache\r\n", all.data);
        check_logged(row, logged + 1);
    }
    CHECK_NUMBER(row->name, "todos afterwards", 1, count_todos(&server));
    check_list(row->name, "\"title\":\"alpha\"");
    buffer_release(&all);
}

#define CHUNKED                                                                                \
    "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"                       \
    "Transfer-Encoding: chunked\r\n\r\n"

/* A head of this size with this many headers, its target of about that size. 405: it is let
 * through. libmicrohttpd 1.0 answers a target that is too large for it only if it knows the
 * method. */
static void check_size(size_t size, size_t target, int headers, int status)
{
    static const char lines[] = " HTTP/1.1\r\n" HOST;
    struct buffer bytes = {0};
    char name[64];
    size_t each;
    snprintf(name, sizeof name, "head of %zu bytes, %zu in the target, %d headers", size,
             target, headers);
    buffer_append_text(&bytes, status == 405 ? "BREW /todos?" : "DELETE /todos?");
    while (bytes.size < target)
        buffer_append_char(&bytes, 'a');
    buffer_append_text(&bytes, lines);
    each = (size - bytes.size - 2) / (size_t)(headers - 1);
    for (int i = 1; i < headers; i++) {
        size_t end = i + 1 < headers ? bytes.size + each : size - 2;
        buffer_append_text(&bytes, "X:");
        while (bytes.size < end - 2)
            buffer_append_char(&bytes, 'a');
        buffer_append_text(&bytes, "\r\n");
    }
    buffer_append_text(&bytes, "\r\n");
    if (status == 405) {
        struct client_connection connection;
        struct client_response response = {0};
        if (CHECK(client_open(&connection, server.port), name, "no connection")) {
            client_send(&connection, bytes.data, bytes.size);
            client_receive(&connection, false, ANSWER_LIMIT, &response);
            CHECK_NUMBER(name, "status", status, response.status);
            client_close(&connection);
        }
        client_response_release(&response);
    } else {
        check_refused(&(struct bytes){name, bytes.data, bytes.size, status});
    }
    buffer_release(&bytes);
}

static void test_large_heads_get_one_answer(void)
{
    static const size_t small_target = sizeof "DELETE /todos?" - 1;
    for (size_t size = 7900; size < 8192; size += 7) {
        check_size(size, small_target, 2, 405);
        check_size(size, small_target, 100, 405);
        check_size(size, size - 100, 2, 405);
    }
    check_size(8192, small_target, 2, 405);
    check_size(8192, small_target, 100, 405);
    check_size(8192, 8000, 2, 405);
    /* at some of these sizes libmicrohttpd's memory has no room for an answer any more */
    for (size_t size = 8193; size < 21000; size += 400) {
        check_size(size, small_target, 2, 431);
        check_size(size, small_target, 50, 431);
        check_size(size, size - 100, 2, 414);
    }
    check_size(200000, small_target, 2, 431);
    check_size(200000, 199900, 2, 414);
}

static void check_many(const char *name, const char *before, const char *format, int count,
                       const char *after)
{
    struct buffer bytes = {0};
    buffer_append_text(&bytes, "DELETE /todos HTTP/1.1\r\n" HOST);
    buffer_append_text(&bytes, before);
    for (int i = 0; i < count; i++) {
        buffer_append_text(&bytes, format);
        buffer_append_unsigned(&bytes, (unsigned)i);
    }
    buffer_append_text(&bytes, after);
    buffer_append_text(&bytes, "\r\n\r\n");
    check_refused(&(struct bytes){name, bytes.data, bytes.size, 431});
    buffer_release(&bytes);
}

static void test_many_headers_get_one_answer(void)
{
    check_many("101 headers", "X:", "\r\nX: ", 99, "");
    check_many("400 headers", "X:", "\r\nX: ", 400, "");
    check_many("20000 headers", "X:", "\r\nX: ", 20000, "");
    if (!is_library_strict()) /* 1.0 has room for them, and so have we */
        check_many("1000 cookies", "Cookie: ", "a=1;", 1000, "");
    check_many("cookies of 12 kB", "Cookie: ", "a=1;", 2000, "");
}

static void test_nul_in_an_item_s_path_is_never_the_cut_path(void)
{
    struct client_response response = {0};
    char path[64];
    start_with_alpha();
    unsigned id = create_todo(&server, "{}");
    snprintf(path, sizeof path, "/todos/%u%%00", id);
    client_ask(server.port, &(struct client_request)ASK("DELETE", path), &response);
    CHECK_NUMBER(path, "status", 404, response.status);
    CHECK_NUMBER(path, "item afterwards", 200, get_todo(&server, id, &response));
    client_response_release(&response);
}

static void test_pipelined_requests_are_answered_in_order(void)
{
    static const struct {
        const char *request;
        int status;
        const char *part;
    } rows[] = {
        ROW("DELETE /todos HTTP/1.1\r\n" HOST "\r\n", 204, ""),
        ROW("POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
            "Content-Length: 15\r\n\r\n{\"title\":\"one\"}",
            201, "\"title\":\"one\""),
        ROW("GET /todos HTTP/1.1\r\n" HOST "\r\n", 200, "\"title\":\"one\""),
        ROW("GET /nope HTTP/1.1\r\n" HOST "\r\n", 404, "Not found."),
        ROW("PUT /todos HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 405, "not allowed"),
        ROW("POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
            "Content-Length: 1\r\n\r\n{",
            400, "JSON parse error"),
        ROW("GET /todos HTTP/1.1\r\n" HOST "\r\n", 200, "\"title\":\"one\""),
        ROW("DELETE /todos HTTP/1.1\r\n" HOST "\r\n", 204, ""),
        ROW("GET /todos HTTP/1.1\r\n" HOST "\r\n", 200, "[]"),
        ROW("POST /todos HTTP/1.1\r\n" HOST LAST "Content-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"tit\r\na\r\nle\":\"two\"}\r\n0\r\n\r\n",
            201, "\"title\":\"two\""),
    };
    struct client_connection connection;
    struct client_response response = {0};
    struct buffer all = {0};
    for (size_t i = 0; i < COUNT(rows); i++)
        buffer_append_text(&all, rows[i].request);
    if (CHECK(client_open(&connection, server.port), "pipeline", "no connection")) {
        client_send(&connection, all.data, all.size);
        for (size_t i = 0; i < COUNT(rows); i++) {
            client_receive(&connection, false, ANSWER_LIMIT, &response);
            CHECK_NUMBER(rows[i].request, "status", rows[i].status, response.status);
            CHECK_CONTAINS(rows[i].request, "body", rows[i].part, client_body(&response));
        }
        CHECK(client_is_closed(&connection, CLOSE_LIMIT), "pipeline", "not closed at the end");
        client_close(&connection);
    }
    buffer_release(&all);
    client_response_release(&response);
}

/* Answered with a status of 4xx, or cut; and never carried out. */
static void check_turned_down(const char *name, const struct buffer *bytes)
{
    struct client_connection connection;
    struct client_response response = {0};
    start_with_alpha();
    if (!CHECK(client_open(&connection, server.port), name, "no connection"))
        return;
    client_send(&connection, bytes->data, bytes->size);
    client_receive(&connection, false, ANSWER_LIMIT, &response);
    CHECK(response.status == 0 || response.status / 100 == 4, name, "status %d",
          response.status);
    CHECK(client_is_closed(&connection, CLOSE_LIMIT), name, "the connection stays open");
    client_close(&connection);
    CHECK_NUMBER(name, "todos afterwards", 1, count_todos(&server));
    client_response_release(&response);
}

static void test_garbage_is_turned_down(void)
{
    struct buffer bytes = {0};
    uint32_t state = 12345;
    for (int round = 0; round < 8; round++) {
        buffer_clear(&bytes);
        for (int i = 0; i < 2000; i++) {
            state = state * 1664525 + 1013904223;
            buffer_append_char(&bytes, (char)(state >> 24));
        }
        buffer_append_text(&bytes, "\r\n\r\n");
        check_turned_down("garbage", &bytes);
    }
    buffer_clear(&bytes);
    buffer_append(&bytes, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15);
    check_turned_down("a TLS greeting", &bytes);
    buffer_release(&bytes);
}

static void test_half_requests_are_dropped(void)
{
    static const char whole[] = "POST /todos HTTP/1.1\r\n" HOST
                                "Content-Type: application/json\r\nContent-Length: 15\r\n\r\n"
                                "{\"title\":\"two\"}";
    start_with_alpha();
    for (size_t size = 0; size < sizeof whole - 1; size += 7) {
        struct client_connection connection;
        if (!CHECK(client_open(&connection, server.port), "half", "no connection"))
            return;
        client_send(&connection, whole, size);
        client_close(&connection);
    }
    CHECK_NUMBER("half requests", "todos afterwards", 1, count_todos(&server));
}

static void test_a_request_in_small_pieces_is_answered(void)
{
    static const char whole[] = "POST /todos HTTP/1.1\r\n" HOST
                                "Content-Type: application/json\r\nContent-Length: 15\r\n\r\n"
                                "{\"title\":\"two\"}";
    struct client_connection connection;
    struct client_response response = {0};
    if (CHECK(client_open(&connection, server.port), "pieces", "no connection")) {
        for (size_t i = 0; i < sizeof whole - 1; i++) {
            client_send(&connection, whole + i, 1);
            clock_sleep(1000);
        }
        client_receive(&connection, false, ANSWER_LIMIT, &response);
        CHECK_NUMBER("pieces", "status", 201, response.status);
        client_close(&connection);
    }
    client_response_release(&response);
}

static void test_expect_100_continue(void)
{
    struct client_connection connection;
    struct client_response response = {0};
    if (CHECK(client_open(&connection, server.port), "expect", "no connection")) {
        client_send_text(&connection, "POST /todos HTTP/1.1\r\n" HOST
                                      "Content-Type: application/json\r\nContent-Length: 2\r\n"
                                      "Expect: 100-continue\r\n\r\n");
        client_receive(&connection, false, ANSWER_LIMIT, &response);
        CHECK_NUMBER("expect", "first status", 100, response.status);
        client_send_text(&connection, "{}");
        client_receive(&connection, false, ANSWER_LIMIT, &response);
        CHECK_NUMBER("expect", "last status", 201, response.status);
        client_close(&connection);
    }
    client_response_release(&response);
}

static void test_a_chunked_body_over_the_limit_is_refused(void)
{
    struct client_connection connection;
    struct client_response response = {0};
    char chunk[16384];
    memset(chunk, ' ', sizeof chunk);
    start_with_alpha();
    if (CHECK(client_open(&connection, server.port), "chunked", "no connection")) {
        bool sent = client_send_text(&connection, "POST /todos HTTP/1.1\r\n" HOST
                                                  "Content-Type: application/json\r\n"
                                                  "Transfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; sent && i < 80; i++)
            sent = client_send_text(&connection, "4000\r\n") &&
                   client_send(&connection, chunk, sizeof chunk) &&
                   client_send_text(&connection, "\r\n");
        client_send_text(&connection, "2\r\n{}\r\n0\r\n\r\n");
        client_receive(&connection, false, ANSWER_LIMIT, &response);
        CHECK_NUMBER("chunked", "status", 413, response.status);
        client_close(&connection);
    }
    CHECK_NUMBER("chunked", "todos afterwards", 1, count_todos(&server));
    client_response_release(&response);
}

CU_TestInfo guard_tests[] = {
    TEST(test_large_heads_get_one_answer),
    TEST(test_many_headers_get_one_answer),
    TEST(test_nul_in_an_item_s_path_is_never_the_cut_path),
    TEST(test_pipelined_requests_are_answered_in_order),
    TEST(test_garbage_is_turned_down),
    TEST(test_half_requests_are_dropped),
    TEST(test_a_request_in_small_pieces_is_answered),
    TEST(test_expect_100_continue),
    TEST(test_a_chunked_body_over_the_limit_is_refused),
    CU_TEST_INFO_NULL,
};
