/*
 * Answers as gzip (RFC 9110, sections 8.4 and 12.5.3): who gets one, what its headers say, and
 * that it holds the same as the plain one.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "gunzip.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODOS      40   /* their list is some kilobytes */
#define LONG_TODOS 2000 /* a long list is answered by a thread of its own */
#define TAG_SIZE   80

static struct server server;
static unsigned small_id; /* of a todo whose answer is small */
static unsigned large_id;

int gzip_init(void)
{
    static const char *const settings[] = {"ADMIN_PORT=0", NULL};
    struct buffer json = {0};
    char number[32];

    if (!server_open(&server, settings))
        return 1;
    small_id = create_todo(&server, "{\"title\":\"small\"}");
    buffer_append_text(&json, "{\"title\":\"");
    for (int i = 0; i < 200; i++)
        buffer_append_text(&json, "\\u0001"); /* six bytes each in an answer */
    buffer_append_text(&json, "\"}");
    large_id = json.failed ? 0 : create_todo(&server, json.data);
    buffer_release(&json);
    for (int i = 0; i < TODOS; i++) {
        snprintf(number, sizeof number, "{\"title\":\"todo %d\"}", i);
        create_todo(&server, number);
    }
    return small_id && large_id ? 0 : 1;
}

int gzip_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

static void ask(const char *method, const char *path, const char *headers,
                struct client_response *response)
{
    client_ask(server.port,
               &(struct client_request){.method = method, .path = path, .headers = headers},
               response);
}

/* ---- who gets it ---- */

#define PLAIN_VARY    "Accept, Origin"
#define CODED_VARY    "Accept, Accept-Encoding, Origin"
#define CODINGS(text) "Accept-Encoding: " text "\r\n"

static const struct {
    const char *path; /* "/todos/": with its id */
    const char *headers;
    bool is_large;
    bool is_gzip;
    const char *vary;
} rows[] = {
    {"/todos",          "",                                                       true,  false, PLAIN_VARY},
    {"/todos",          CODINGS("gzip"),                                          true,  true,  CODED_VARY},
    {"/todos",          CODINGS("GZIP"),                                          true,  true,  CODED_VARY},
    {"/todos",          CODINGS("br, gzip, deflate"),                             true,  true,  CODED_VARY},
    {"/todos",          CODINGS("gzip;q=0.5"),                                    true,  true,  CODED_VARY},
    {"/todos",          CODINGS("gzip;q=0.5, identity;q=0.4"),                    true,  true,  CODED_VARY},
    {"/todos",          CODINGS("gzip, identity"),                                true,  true,  CODED_VARY},
    {"/todos",          CODINGS("*"),                                             true,  true,  CODED_VARY},
    {"/todos",          CODINGS("identity;q=0.5, *;q=0.6"),                       true,  true,  CODED_VARY},
    {"/todos",          CODINGS("gzip;q=0"),                                      true,  false, CODED_VARY},
    {"/todos",          CODINGS("gzip;q=0.4, identity;q=0.5"),                    true,  false, CODED_VARY},
    {"/todos",          CODINGS("*, gzip;q=0"),                                   true,  false, CODED_VARY},
    {"/todos",          CODINGS("identity"),                                      true,  false, CODED_VARY},
    {"/todos",          CODINGS("br"),                                            true,  false, CODED_VARY},
    {"/todos",          CODINGS(""),                                              true,  false, CODED_VARY},
    {"/todos",          CODINGS("gzip") "Accept: application/json; indent=4\r\n", true,  true,
     CODED_VARY                                                                                           },
    {"/todos",          CODINGS("gzip") "Accept: text/html\r\n",                  true,  true,  CODED_VARY},
    {"/todos.json",     CODINGS("gzip"),                                          true,  true,  CODED_VARY},
    {"/todos?limit=30", CODINGS("gzip"),                                          true,  true,  CODED_VARY},
    {"/todos?limit=1",  CODINGS("gzip"),                                          false, false, PLAIN_VARY},
    {"/todos/",         CODINGS("gzip"),                                          true,  true,  CODED_VARY},
    {"/todos/",         CODINGS("gzip"),                                          false, false, PLAIN_VARY},
    {"/todos/",         CODINGS("gzip, identity;q=0"),                            false, true,  CODED_VARY},
    {"/todos/",         CODINGS("identity;q=0"),                                  false, false, PLAIN_VARY},
    {"/todos/0",        CODINGS("gzip"),                                          false, false, PLAIN_VARY},
    {"/no/such",        CODINGS("gzip") "Accept: text/html\r\n",                  true,  true,  CODED_VARY},
};

static void check_row(size_t i, const char *method)
{
    struct client_response plain = {0}, response = {0};
    char name[160], path[64], headers[160];
    const char *accept = strstr(rows[i].headers, "Accept: ");

    snprintf(path, sizeof path, "%s", rows[i].path);
    if (strcmp(path, "/todos/") == 0)
        snprintf(path, sizeof path, "/todos/%u", rows[i].is_large ? large_id : small_id);
    snprintf(name, sizeof name, "%s %s %s", method, path, rows[i].headers);
    snprintf(headers, sizeof headers, "X-Request-Id: a\r\n%s", accept ? accept : "");
    ask("GET", path, headers, &plain); /* a page shows the id */
    snprintf(headers, sizeof headers, "X-Request-Id: a\r\n%s", rows[i].headers);
    ask(method, path, headers, &response);
    CHECK_NUMBER(name, "status", plain.status, response.status);
    CHECK_TEXT(name, "Content-Encoding", rows[i].is_gzip ? "gzip" : NULL,
               client_header(&response, "Content-Encoding"));
    CHECK_TEXT(name, "Vary", rows[i].vary, client_header(&response, "Vary"));
    CHECK_TEXT(name, "Content-Type", client_header(&plain, "Content-Type"),
               client_header(&response, "Content-Type"));
    if (strcmp(method, "HEAD") == 0)
        CHECK_NUMBER(name, "bytes", 0, (long long)response.body.size);
    else if (!rows[i].is_gzip || gunzip(name, &response.body))
        CHECK_TEXT(name, "body", client_body(&plain), client_body(&response));
    client_response_release(&plain);
    client_response_release(&response);
}

static void test_who_wants_gzip_gets_it(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_row(i, "GET");
        check_row(i, "HEAD");
    }
}

/* ---- its tag ---- */

static void take_tag(const char *path, const char *headers, char tag[TAG_SIZE])
{
    struct client_response response = {0};
    const char *value;

    ask("GET", path, headers, &response);
    value = client_header(&response, "ETag");
    snprintf(tag, TAG_SIZE, "%s", value ? value : "");
    client_response_release(&response);
}

/* With If-None-Match. */
static void check_read(const char *name, const char *tag, const char *more, int status,
                       const char *wanted, const char *vary)
{
    struct client_response response = {0};
    char headers[240];

    snprintf(headers, sizeof headers, "If-None-Match: %s\r\n%s", tag, more);
    ask("GET", "/todos", headers, &response);
    CHECK_NUMBER(name, "status", status, response.status);
    CHECK_TEXT(name, "ETag", wanted, client_header(&response, "ETag"));
    CHECK_TEXT(name, "Vary", vary, client_header(&response, "Vary"));
    client_response_release(&response);
}

static void test_gzip_has_a_tag_of_its_own(void)
{
    char plain[TAG_SIZE], tag[TAG_SIZE], wanted[TAG_SIZE];
    int length;

    take_tag("/todos", "", plain);
    take_tag("/todos", CODINGS("gzip"), tag);
    length = (int)strlen(plain) - 1;
    snprintf(wanted, sizeof wanted, "%.*s-gzip\"", length, plain);
    CHECK_TEXT("list", "ETag", wanted, tag);
    check_read("gzip, known", tag, CODINGS("gzip"), 304, tag, CODED_VARY);
    check_read("gzip, known plain", plain, CODINGS("gzip"), 200, tag, CODED_VARY);
    check_read("plain, known as gzip", tag, "", 200, plain, PLAIN_VARY);
    check_read("plain, known", plain, CODINGS("identity"), 304, plain, CODED_VARY);
    check_read("waits", tag, CODINGS("gzip") "Prefer: wait=1\r\n", 304, tag, CODED_VARY);
    take_tag("/todos", CODINGS("gzip") "Accept: application/json; indent=2\r\n", tag);
    snprintf(wanted, sizeof wanted, "%.*s-indent2-gzip\"", length, plain);
    CHECK_TEXT("indented", "ETag", wanted, tag);
}

/* A change may name any form of what it changes; its own answer's tag is that of a reader who
 * asks alike. */
static void test_changes_know_the_tag_of_gzip(void)
{
    static const char *const bodies[] = {"{\"order\":1}", "{\"order\":2}"};
    struct client_response response = {0};
    char path[32], tag[TAG_SIZE], headers[200];
    const char *value;

    snprintf(path, sizeof path, "/todos/%u", large_id);
    take_tag(path, CODINGS("gzip"), tag);
    CHECK(strstr(tag, "-gzip\""), "item", "ETag %s", tag);
    for (int i = 0; i < 2; i++) {
        snprintf(headers, sizeof headers, CODINGS("gzip") "If-Match: %s\r\n", tag);
        client_ask(server.port,
                   &(struct client_request){.method = "PATCH",
                                            .path = path,
                                            .headers = headers,
                                            .type = "application/json",
                                            .body = bodies[i]},
                   &response);
        CHECK_NUMBER(bodies[i], "status", 200, response.status);
        value = client_header(&response, "ETag");
        snprintf(tag, sizeof tag, "%s", value ? value : "");
        gunzip(bodies[i], &response.body);
        CHECK_CONTAINS(bodies[i], "body", bodies[i] + 1, client_body(&response));
        take_tag(path, CODINGS("gzip"), headers);
        CHECK_TEXT(bodies[i], "ETag", headers, tag);
    }
    client_response_release(&response);
}

/* ---- at the same time ---- */

#define CLIENTS 12

/* Of those who share a read, each gets its own form. */
static void test_clients_of_one_read_get_their_own(void)
{
    static const char *const wishes[] = {"", CODINGS("gzip"), CODINGS("identity"),
                                         CODINGS("gzip") "Accept: text/html\r\n"};
    struct client_connection clients[CLIENTS];
    struct client_response response = {0};

    for (int i = 0; i < CLIENTS; i++)
        client_open(&clients[i], server.port);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < CLIENTS; i++)
            client_send_request(
                &clients[i], server.port,
                &(struct client_request){.path = "/todos", .headers = wishes[(i + round) % 4]});
        for (int i = 0; i < CLIENTS; i++) {
            const char *wish = wishes[(i + round) % 4];
            client_receive(&clients[i], false, CLIENT_TIME_LIMIT, &response);
            CHECK_TEXT(wish, "Content-Encoding", strstr(wish, "gzip") ? "gzip" : NULL,
                       client_header(&response, "Content-Encoding"));
            if (strstr(wish, "gzip"))
                gunzip(wish, &response.body);
            CHECK(client_body(&response)[0] == (strstr(wish, "html") ? '<' : '['), wish,
                  "begins %.20s", client_body(&response));
        }
    }
    for (int i = 0; i < CLIENTS; i++)
        client_close(&clients[i]);
    client_response_release(&response);
}

static void test_a_long_list_is_whole(void)
{
    struct client_response plain = {0}, response = {0};
    struct buffer json = {0};

    buffer_append_char(&json, '[');
    for (int i = 0; i < LONG_TODOS / 2; i++)
        buffer_append_format(&json, "%s{\"title\":\"%u\"}", i ? "," : "",
                             (unsigned)i * 2654435761U);
    buffer_append_char(&json, ']');
    for (int i = 0; i < 2; i++)
        CHECK_NUMBER("create", "status", 201,
                     send_json(&server, "POST", "/todos", json.data, &response));
    ask("GET", "/todos", "", &plain);
    ask("GET", "/todos", CODINGS("gzip"), &response);
    CHECK(response.body.size * 3 < plain.body.size, "size", "%zu of %zu bytes",
          response.body.size, plain.body.size);
    if (gunzip("list", &response.body))
        CHECK_TEXT("list", "body", client_body(&plain), client_body(&response));
    buffer_release(&json);
    client_response_release(&plain);
    client_response_release(&response);
}

CU_TestInfo gzip_tests[] = {
    TEST(test_who_wants_gzip_gets_it),       TEST(test_gzip_has_a_tag_of_its_own),
    TEST(test_changes_know_the_tag_of_gzip), TEST(test_clients_of_one_read_get_their_own),
    TEST(test_a_long_list_is_whole),         CU_TEST_INFO_NULL,
};
