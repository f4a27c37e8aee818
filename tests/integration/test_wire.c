/*
 * The corpus of raw requests, sent to the server itself: each gets its one answer, leaves the
 * connection as it should be, and is carried out as far as it should be.
 */

#include "check.h"
#include "corpus.h"
#include "exchange.h"
#include "suites.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

static struct server server;

int wire_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int wire_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

/* Follows what leaves the connection open: the server must take it for the next request. */
#define NEXT "GET /livez HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"

static void check_answers(const char *row, const char *wanted, const struct buffer *all)
{
    static const char mark[] = "HTTP/1.1 ";
    struct buffer statuses = {0};

    for (const char *text = all->data; text && (text = strstr(text, mark));) {
        text += sizeof mark - 1;
        /* 100 is no answer yet */
        if (strspn(text, "0123456789") == 3 && *text != '1')
            buffer_append_format(&statuses, " %.3s", text);
    }
    CHECK_TEXT(row, "answers", wanted, statuses.data ? statuses.data : "");
    buffer_release(&statuses);
}

/* Gives what came until the server closed. */
static void send_raw(const struct raw_request *row, struct buffer *all)
{
    struct client_connection connection;

    if (!CHECK(client_open(&connection, server.port), row->name, "no connection"))
        return;
    client_send(&connection, row->bytes, row->size);
    if (row->stays_open)
        client_send_text(&connection, NEXT);
    if (!row->is_cut)
        CHECK(client_read_to_end(&connection, all), row->name, "the connection stays open");
    client_close(&connection);
}

static void check_raw(const struct raw_request *row)
{
    bool is_0_9 = row->answers_0_9 && strncmp(MHD_get_version(), "0.9", 3) == 0;
    struct buffer all = {0};
    char wanted[64];

    clear_todos(&server);
    create_todo(&server, "{\"title\":\"alpha\"}");
    send_raw(row, &all);
    snprintf(wanted, sizeof wanted, "%s%s", is_0_9 ? row->answers_0_9 : row->answers,
             row->stays_open ? " 200" : "");
    check_answers(row->name, strcmp(wanted, " ") == 0 ? "" : wanted, &all);
    CHECK_NUMBER(row->name, "todos afterwards", is_0_9 ? row->todos_0_9 : row->todos,
                 count_todos(&server));
    buffer_release(&all);
}

static void test_each_raw_request_gets_its_answer(void)
{
    for (size_t i = 0; i < corpus_size; i++)
        check_raw(&corpus[i]);
}

/* Blanks, and {} at the end; with a length, or in chunks. */
static void check_body(size_t size, bool is_chunked, const char *answers, int todos)
{
    struct buffer bytes = {0};
    char name[64];

    snprintf(name, sizeof name, "body of %zu bytes%s", size, is_chunked ? " in chunks" : "");
    buffer_append_text(&bytes,
                       "POST /todos HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n");
    if (is_chunked)
        buffer_append_format(&bytes, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", size);
    else
        buffer_append_format(&bytes, "Content-Length: %zu\r\n\r\n", size);
    for (size_t i = 2; i < size; i++)
        buffer_append_char(&bytes, ' ');
    buffer_append_text(&bytes, is_chunked ? "{}\r\n0\r\n\r\n" : "{}");
    check_raw(&(struct raw_request){.name = name,
                                    .bytes = bytes.data,
                                    .size = bytes.size,
                                    .answers = answers,
                                    .stays_open = !is_chunked && todos == 2,
                                    .todos = todos});
    buffer_release(&bytes);
}

static void test_the_limit_of_bodies_is_exact(void)
{
    for (int is_chunked = 0; is_chunked <= 1; is_chunked++) {
        check_body(1048575, is_chunked, " 201", 2);
        check_body(1048576, is_chunked, " 201", 2);
        check_body(1048577, is_chunked, " 413", 1);
    }
}

CU_TestInfo wire_tests[] = {
    TEST(test_each_raw_request_gets_its_answer),
    TEST(test_the_limit_of_bodies_is_exact),
    CU_TEST_INFO_NULL,
};
