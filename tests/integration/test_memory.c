/*
 * What strangers can make the server hold in memory has bounds: RESPONSE_MEMORY for lists,
 * however many slow clients there are.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define TODOS        6000
#define AT_ONCE      100 /* requests sent on a connection before their answers are read */
#define SLOW_CLIENTS 8
#define TWO_KINDS    32
#define PAUSE        150000U /* microseconds, so that each slow client has a flight of its own */

/* A list of 6,000 todos with the longest titles is 6.6 MB as JSON: more than a socket takes at
 * once. Half of RESPONSE_MEMORY is for loading it. */
#define MEMORY      "RESPONSE_MEMORY=16777216"
#define TOO_LITTLE  "RESPONSE_MEMORY=4194304"
#define UNAVAILABLE "{\"detail\":\"There is not enough memory for the answer now.\"}"

static struct server server;

int memory_init(void)
{
    static const char *const settings[] = {MEMORY, NULL};

    return server_open(&server, settings) ? 0 : 1;
}

int memory_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

static void append_title(struct buffer *json)
{
    buffer_append_text(json, "{\"title\":\"");
    for (int i = 0; i < 256; i++)
        buffer_append_text(json, "\xf0\x9f\x8d\xa3");
    buffer_append_text(json, "\"}");
}

static void fill(void)
{
    struct client_connection connection;
    struct client_response response = {0};
    struct buffer json = {0};
    struct client_request request = {
        .method = "POST", .path = "/todos", .type = "application/json"};
    int created = 0;

    append_title(&json);
    request.body = json.data;
    clear_todos(&server);
    if (!CHECK(client_open(&connection, server.port), "fill", "no connection"))
        return;
    for (int i = 0; i < TODOS / AT_ONCE; i++) {
        for (int j = 0; j < AT_ONCE; j++)
            client_send_request(&connection, server.port, &request);
        for (int j = 0; j < AT_ONCE; j++)
            created += client_receive(&connection, false, CLIENT_TIME_LIMIT, &response) &&
                       response.status == 201;
    }
    CHECK_NUMBER("fill", "created", TODOS, created);
    client_close(&connection);
    client_response_release(&response);
    buffer_release(&json);
}

static void check_list_is_refused(const char *row)
{
    struct client_response response = {0};

    CHECK_NUMBER(row, "list", 503, get(&server, "/todos", &response));
    CHECK_TEXT(row, "body", UNAVAILABLE, client_body(&response));
    CHECK_TEXT(row, "Retry-After", "1", client_header(&response, "Retry-After"));
    CHECK_NUMBER(row, "a missing todo", 404, get(&server, "/todos/2147483647", &response));
    client_response_release(&response);
}

/* A client that leaves in the middle of its answer is told of as such. */
static void check_aborted_is_logged(void)
{
    CHECK(server_await_log(&server, "\"aborted\":true}") > 0, "a client that has left",
          "its answer is logged as if it were whole");
}

static void test_slow_clients_of_a_large_list_do_not_exhaust_memory(void)
{
    struct client_connection slow[SLOW_CLIENTS];
    const struct client_request list = {.path = "/todos"};

    fill();
    CHECK_NUMBER("one client", "todos", TODOS, count_todos(&server));
    for (int i = 0; i < SLOW_CLIENTS; i++) {
        CHECK(client_open(&slow[i], server.port), "slow client", "no connection");
        client_send_request(&slow[i], server.port, &list);
        clock_sleep(PAUSE);
    }
    check_list_is_refused("slow clients");
    for (int i = 0; i < SLOW_CLIENTS; i++)
        client_close(&slow[i]);
    clock_sleep(PAUSE);
    CHECK_NUMBER("when they have left", "todos", TODOS, count_todos(&server));
    check_aborted_is_logged();
}

/* Pages of another origin get other headers. There is memory for six lists: plenty, when each
 * kind shares one in a flight, and not enough for one each. */
static void test_clients_of_two_kinds_share_a_list_each(void)
{
    static const char *const settings[] = {"RESPONSE_MEMORY=41943040", NULL};
    static const char *const origins[2] = {NULL, "Origin: http://other.example\r\n"};
    struct client_connection clients[TWO_KINDS];
    struct client_response response = {0};

    if (!CHECK(server_stop(&server) && server_start(&server, settings), "restart", "it failed"))
        return;
    for (int i = 0; i < TWO_KINDS; i++)
        CHECK(client_open(&clients[i], server.port), "client", "no connection");
    for (int i = 0; i < TWO_KINDS; i++)
        client_send_request(
            &clients[i], server.port,
            &(struct client_request){.path = "/todos", .headers = origins[i % 2]});
    for (int i = 0; i < TWO_KINDS; i++) {
        client_receive(&clients[i], false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER(origins[i % 2] ? "of another origin" : "of none", "list", 200,
                     response.status);
        client_close(&clients[i]);
    }
    client_response_release(&response);
}

static void test_a_list_beyond_the_memory_is_refused(void)
{
    static const char *const settings[] = {TOO_LITTLE, NULL};

    if (!CHECK(server_stop(&server) && server_start(&server, settings), "restart", "it failed"))
        return;
    check_list_is_refused("a large list");
    clear_todos(&server);
    CHECK_NUMBER("an empty list", "todos", 0, count_todos(&server));
}

/* The answer to many changes is bounded as a list is, before anything is done. */
static void test_many_changes_need_room_for_their_answer(void)
{
    static const char *const settings[] = {"RESPONSE_MEMORY=1048576", NULL};
    struct client_response response = {0};
    struct buffer json = {0};

    if (!CHECK(server_stop(&server) && server_start(&server, settings), "restart", "it failed"))
        return;
    clear_todos(&server);
    append_empty_objects(&json, 1000);
    CHECK_NUMBER("a thousand", "status", 503,
                 send_json(&server, "POST", "/todos", json.data, &response));
    CHECK_NUMBER("a thousand", "todos", 0, count_todos(&server));
    CHECK_NUMBER("two", "status", 201,
                 send_json(&server, "POST", "/todos", "[{},{}]", &response));
    CHECK_NUMBER("two", "todos", 2, count_todos(&server));
    buffer_release(&json);
    client_response_release(&response);
}

/* A page that shows what was refused must not be many times as large as that. */
static void test_a_long_form_is_not_shown_again(void)
{
    static const struct {
        size_t quotes;
        bool is_shown;
    } rows[] = {
        {300,    true },
        {100000, false},
    };
    struct client_response response = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer form = {0};
        buffer_append_text(&form, "title=");
        for (size_t j = 0; j < rows[i].quotes; j++)
            buffer_append_char(&form, '"');
        client_ask(server.port,
                   &(struct client_request){.method = "POST",
                                            .path = "/todos",
                                            .headers = "Accept: text/html\r\n",
                                            .type = "application/x-www-form-urlencoded",
                                            .body = form.data},
                   &response);
        CHECK_NUMBER("form", "status", 400, response.status);
        CHECK_NUMBER("form", "is shown", rows[i].is_shown,
                     strstr(client_body(&response), "&quot;&quot;&quot;") != NULL);
        CHECK(response.body.size < 20000, "form", "a page of %zu bytes", response.body.size);
        buffer_release(&form);
    }
    client_response_release(&response);
}

CU_TestInfo memory_tests[] = {
    TEST(test_slow_clients_of_a_large_list_do_not_exhaust_memory),
    TEST(test_clients_of_two_kinds_share_a_list_each),
    TEST(test_a_list_beyond_the_memory_is_refused),
    TEST(test_many_changes_need_room_for_their_answer),
    TEST(test_a_long_form_is_not_shown_again),
    CU_TEST_INFO_NULL,
};
