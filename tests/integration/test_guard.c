/*
 * Requests that are wrong, ambiguous or hostile, sent as raw bytes. What is refused gets one
 * answer and a closed connection, and whatever was hidden behind it is never carried out: the
 * list stays as it was.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct server server;

int guard_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int guard_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

#define CLOSE_LIMIT  3000 /* milliseconds until a refused connection must be closed */
#define ANSWER_LIMIT 5000

#define HOST "Host: a.example\r\n"
#define LAST "Connection: close\r\n"

/* What a smuggler would like to be carried out. */
#define CLEAR "DELETE /todos HTTP/1.1\r\n" HOST "\r\n"

struct bytes {
    const char *name;
    const char *data;
    size_t size;
};

#define RAW(name, literal)                                                                     \
    {                                                                                          \
        name, literal, sizeof(literal) - 1                                                     \
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

/* Whether the connection ends in time, and nothing but a repeated refusal comes before that:
 * libmicrohttpd 0.9.75 sends the head of its own answer to a bad length twice. */
static bool ends_refused(struct client_connection *connection)
{
    struct client_response response = {0};
    bool is_refused = true;
    client_receive(connection, false, CLOSE_LIMIT, &response);
    if (response.status != 0)
        is_refused = response.status == 400;
    client_response_release(&response);
    buffer_clear(&connection->received);
    return is_refused && client_is_closed(connection, CLOSE_LIMIT);
}

/* The request must be answered by 400 alone, and the connection closed. */
static void check_refused(const struct bytes *row)
{
    struct client_connection connection;
    struct client_response response = {0};
    start_with_alpha();
    if (!CHECK(client_open(&connection, server.port), row->name, "no connection"))
        return;
    client_send(&connection, row->data, row->size);
    client_receive(&connection, false, ANSWER_LIMIT, &response);
    CHECK_NUMBER(row->name, "status", 400, response.status);
    CHECK(ends_refused(&connection), row->name, "the connection stays open, or more was done");
    client_close(&connection);
    CHECK_NUMBER(row->name, "todos afterwards", 1, count_todos(&server));
    check_list(row->name, "\"title\":\"alpha\"");
    client_response_release(&response);
}

static void test_ambiguous_framing_is_refused(void)
{
    static const struct bytes rows[] = {
        RAW("Content-Length and Transfer-Encoding",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("Transfer-Encoding and Content-Length",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
            "Content-Length: 60\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("differing lengths, small first",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Length: 0\r\nContent-Length: 43\r\n\r\n" CLEAR),
        RAW("differing lengths, great first",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Length: 43\r\nContent-Length: 0\r\n\r\n" CLEAR),
        RAW("equal lengths twice",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\nContent-Length: "
            "2\r\nContent-Length: 2\r\n\r\n{}" CLEAR),
        RAW("lengths in one field",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Type: application/json\r\nContent-Length: 2, 2\r\n\r\n{}" CLEAR),
        RAW("gzip", "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n" CLEAR),
        RAW("gzip, chunked", "POST /todos HTTP/1.1\r\n" HOST
                             "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("chunked, chunked", "POST /todos HTTP/1.1\r\n" HOST
                                "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("chunked, identity", "POST /todos HTTP/1.1\r\n" HOST
                                 "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("xchunked", "POST /todos HTTP/1.1\r\n" HOST
                        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("chunkedx", "POST /todos HTTP/1.1\r\n" HOST
                        "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("identity",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n" CLEAR),
        RAW("quoted chunked", "POST /todos HTTP/1.1\r\n" HOST
                              "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("empty Transfer-Encoding",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n" CLEAR),
        RAW("Transfer-Encoding twice",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("Transfer-Encoding twice, one odd",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("vertical tab before chunked",
            "POST /todos HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
            "chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("HTTP/1.0 with chunked", "POST /todos HTTP/1.0\r\n" HOST
                                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("on GET", "GET /todos HTTP/1.1\r\n" HOST
                      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("on DELETE", "DELETE /todos HTTP/1.1\r\n" HOST
                         "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        RAW("negative length",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" CLEAR),
        RAW("signed length",
            "POST /todos HTTP/1.1\r\n" HOST
            "Content-Type: application/json\r\nContent-Length: +2\r\n\r\n{}" CLEAR),
        RAW("length of words",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: two\r\n\r\n" CLEAR),
        RAW("hexadecimal length",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 0x2\r\n\r\n{}" CLEAR),
        RAW("length with a tail",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 2 2\r\n\r\n{}" CLEAR),
        RAW("empty length", "POST /todos HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n" CLEAR),
        RAW("bad chunk size", "POST /todos HTTP/1.1\r\n" HOST
                              "Content-Type: application/json\r\nTransfer-Encoding: "
                              "chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" CLEAR),
        RAW("negative chunk size", "POST /todos HTTP/1.1\r\n" HOST
                                   "Content-Type: application/json\r\nTransfer-Encoding: "
                                   "chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" CLEAR),
        RAW("chunk longer than it says", "POST /todos HTTP/1.1\r\n" HOST
                                         "Content-Type: application/json\r\nTransfer-Encoding: "
                                         "chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n" CLEAR),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(&rows[i]);
}

static void test_bad_heads_are_refused(void)
{
    static const struct bytes rows[] = {
        RAW("no Host", "DELETE /todos HTTP/1.1\r\n\r\n" CLEAR),
        RAW("two Hosts", "DELETE /todos HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" CLEAR),
        RAW("equal Hosts", "DELETE /todos HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" CLEAR),
        RAW("control byte", "DELETE /todos HTTP/1.1\r\n" HOST "X-A: a\x01"
                            "b\r\n\r\n" CLEAR),
        RAW("escape byte", "DELETE /todos HTTP/1.1\r\n" HOST "X-A: \x1b[0m\r\n\r\n" CLEAR),
        RAW("delete byte", "DELETE /todos HTTP/1.1\r\n" HOST "X-A: a\x7f"
                           "b\r\n\r\n" CLEAR),
        RAW("control byte in Host", "DELETE /todos HTTP/1.1\r\nHost: a\x01\r\n\r\n" CLEAR),
        RAW("blank before the colon",
            "POST /todos HTTP/1.1\r\n" HOST "Content-Length : 43\r\n\r\n" CLEAR),
        RAW("blank before the colon of Transfer-Encoding",
            "POST /todos HTTP/1.1\r\n" HOST
            "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" CLEAR),
        RAW("tab before the colon", "DELETE /todos HTTP/1.1\r\n" HOST "X-A\t: b\r\n\r\n" CLEAR),
        RAW("blank in a name", "DELETE /todos HTTP/1.1\r\n" HOST "X A: b\r\n\r\n" CLEAR),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(&rows[i]);
}

/* The statuses that are right for a row, and whether the connection may stay open. */
struct answer {
    const char *name;
    const char *data;
    size_t size;
    int wanted[3]; /* any of them; 0: no more */
};

#define ANSWER(name, literal, ...)                                                             \
    {                                                                                          \
        name, literal, sizeof(literal) - 1,                                                    \
        {                                                                                      \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }

static bool is_wanted(const struct answer *row, int status)
{
    for (size_t i = 0; i < COUNT(row->wanted); i++)
        if (row->wanted[i] == status && status != 0)
            return true;
    return false;
}

static void check_answer(const struct answer *row)
{
    struct client_connection connection;
    struct client_response response = {0};
    start_with_alpha();
    if (!CHECK(client_open(&connection, server.port), row->name, "no connection"))
        return;
    client_send(&connection, row->data, row->size);
    client_receive(&connection, false, ANSWER_LIMIT, &response);
    CHECK(is_wanted(row, response.status), row->name, "status: wanted %d, got %d %.200s",
          row->wanted[0], response.status, client_body(&response));
    client_close(&connection);
    CHECK_NUMBER(row->name, "todos afterwards", 1, count_todos(&server));
    client_response_release(&response);
}

static void test_other_odd_requests_do_no_harm(void)
{
    static const struct answer rows[] = {
        ANSWER("empty Host", "DELETE /todos HTTP/1.1\r\nHost:\r\n" LAST "\r\n", 400),
        ANSWER("bad Host", "DELETE /todos HTTP/1.1\r\nHost: a b\r\n" LAST "\r\n", 400),
        ANSWER("Host with a path", "DELETE /todos HTTP/1.1\r\nHost: a/b\r\n" LAST "\r\n", 400),
        ANSWER("HTTP/1.0 without Host", "GET /todos HTTP/1.0\r\n\r\n", 200),
        ANSWER("HTTP/1.0 with Host", "GET /todos HTTP/1.0\r\n" HOST "\r\n", 200),
        ANSWER("tab in a value", "GET /todos HTTP/1.1\r\n" HOST "X-A: a\tb\r\n" LAST "\r\n",
               200),
        ANSWER("%00 after the list", "DELETE /todos%00 HTTP/1.1\r\n" HOST LAST "\r\n", 400,
               404),
        ANSWER("%00 before a suffix", "DELETE /todos%00.json HTTP/1.1\r\n" HOST LAST "\r\n",
               400, 404),
        ANSWER("%00 in the root", "GET /%00 HTTP/1.1\r\n" HOST LAST "\r\n", 400, 404),
        ANSWER("NUL in the target", "DELETE /todos\0x HTTP/1.1\r\n" HOST LAST "\r\n", 400, 404),
        ANSWER("CONNECT", "CONNECT a.example:443 HTTP/1.1\r\n" HOST LAST "\r\n", 405),
        ANSWER("CONNECT of a path", "CONNECT /todos HTTP/1.1\r\n" HOST LAST "\r\n", 405),
        ANSWER("TRACE", "TRACE /todos HTTP/1.1\r\n" HOST LAST "\r\n", 405),
        ANSWER("absolute target", "GET http://a.example/todos HTTP/1.1\r\n" HOST LAST "\r\n",
               200, 400),
        ANSWER("asterisk", "OPTIONS * HTTP/1.1\r\n" HOST LAST "\r\n", 200, 400, 404),
        /* libmicrohttpd hands us the value up to the NUL. */
        ANSWER("NUL in a value", "GET /todos HTTP/1.1\r\n" HOST "X-A: a\0b\r\n" LAST "\r\n",
               400, 200),
        ANSWER("no slash", "DELETE todos HTTP/1.1\r\n" HOST LAST "\r\n", 400, 404),
        ANSWER("bare LF", "GET /todos HTTP/1.1\nHost: a.example\nConnection: close\n\n", 200,
               400),
        ANSWER("folded header", "GET /todos HTTP/1.1\r\n" HOST "X-A: a\r\n b\r\n" LAST "\r\n",
               200, 400),
        ANSWER("no version", "DELETE /todos\r\n\r\n", 400),
        ANSWER("version 2", "DELETE /todos HTTP/2.0\r\n" HOST "\r\n", 400, 505),
        ANSWER("version of words", "DELETE /todos HTTP/x\r\n" HOST "\r\n", 400, 505),
        ANSWER("huge length",
               "POST /todos HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
               400, 413),
        ANSWER("length over the limit",
               "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
               "Content-Length: 2000000\r\n\r\n",
               413),
        ANSWER("huge chunk",
               "POST /todos HTTP/1.1\r\n" HOST
               "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
               400, 413),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_answer(&rows[i]);
}

static void test_nul_in_an_item_s_path_is_never_the_cut_path(void)
{
    struct client_response response = {0};
    char path[64];
    start_with_alpha();
    unsigned id = create_todo(&server, "{}");
    snprintf(path, sizeof path, "/todos/%u%%00", id);
    client_ask(server.port, &(struct client_request)ASK("DELETE", path), &response);
    CHECK(response.status == 404 || response.status == 400, path, "status %d", response.status);
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
        ROW("POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"tit\r\na\r\nle\":\"two\"}\r\n0\r\n\r\n",
            201, "\"title\":\"two\""),
        ROW("GET /nope HTTP/1.1\r\n" HOST "\r\n", 404, "Not found."),
        ROW("PUT /todos HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 405, "not allowed"),
        ROW("POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
            "Content-Length: 1\r\n\r\n{",
            400, "JSON parse error"),
        ROW("GET /todos HTTP/1.1\r\n" HOST "\r\n", 200, "\"title\":\"two\""),
        ROW("DELETE /todos HTTP/1.1\r\n" HOST "\r\n", 204, ""),
        ROW("GET /todos HTTP/1.1\r\n" HOST LAST "\r\n", 200, "[]"),
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

static void test_overlong_requests_are_turned_down(void)
{
    struct buffer bytes = {0};
    buffer_append_text(&bytes, "DELETE /todos?");
    for (int i = 0; i < 100000; i++)
        buffer_append_char(&bytes, 'a');
    buffer_append_text(&bytes, " HTTP/1.1\r\n" HOST "\r\n");
    check_turned_down("target of 100 kB", &bytes);
    buffer_clear(&bytes);
    buffer_append_text(&bytes, "DELETE /todos HTTP/1.1\r\n" HOST "X-A: ");
    for (int i = 0; i < 200000; i++)
        buffer_append_char(&bytes, 'a');
    buffer_append_text(&bytes, "\r\n\r\n");
    check_turned_down("header of 200 kB", &bytes);
    buffer_clear(&bytes);
    buffer_append_text(&bytes, "DELETE /todos HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 20000; i++)
        buffer_append_format(&bytes, "X-%d: a\r\n", i);
    buffer_append_text(&bytes, "\r\n");
    check_turned_down("20000 headers", &bytes);
    buffer_release(&bytes);
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
    TEST(test_ambiguous_framing_is_refused),
    TEST(test_bad_heads_are_refused),
    TEST(test_other_odd_requests_do_no_harm),
    TEST(test_nul_in_an_item_s_path_is_never_the_cut_path),
    TEST(test_pipelined_requests_are_answered_in_order),
    TEST(test_overlong_requests_are_turned_down),
    TEST(test_garbage_is_turned_down),
    TEST(test_half_requests_are_dropped),
    TEST(test_a_request_in_small_pieces_is_answered),
    TEST(test_expect_100_continue),
    TEST(test_a_chunked_body_over_the_limit_is_refused),
    CU_TEST_INFO_NULL,
};
