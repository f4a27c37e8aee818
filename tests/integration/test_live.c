/*
 * Prefer: wait (RFC 7240): readers who have the current version and wait for the next one.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD 1000

static struct server server;
static struct server other; /* of the same database */

int live_init(void)
{
    static const char *const settings[] = {"HTTP_CLIENT_CONNECTIONS=8192", "REQUEST_TIMEOUT=1",
                                           NULL};
    char path[320];
    const char *const other_settings[] = {path, "WAIT_CLIENTS=2", "WAIT_LIMIT=1", NULL};

    if (!server_open(&server, settings))
        return 1;
    snprintf(path, sizeof path, "SQLITE_PATH=%s/todobackend.sqlite3", server.folder);
    return server_open(&other, other_settings) ? 0 : 1;
}

int live_cleanup(void)
{
    bool are_closed = server_close(&other);

    return server_close(&server) && are_closed ? 0 : 1;
}

/* Sends the question of one who knows this version. */
static bool begin(struct client_connection *connection, unsigned port, const char *path,
                  const char *etag, const char *prefer)
{
    char headers[300];

    snprintf(headers, sizeof headers, "Host: a\r\nIf-None-Match: %s\r\n%s", etag, prefer);
    return client_open(connection, port) &&
           client_send_request(connection, port,
                               &(struct client_request){.path = path, .headers = headers});
}

/* The names of hosts are in the links, and so in the tags: all ask for the same. */
static void ask_etag(const struct server *whom, const char *path, char *etag, size_t size)
{
    struct client_response response = {0};

    client_ask(whom->port, &(struct client_request)WITH(path, "Host: a\r\n"), &response);
    const char *value = client_header(&response, "ETag");
    snprintf(etag, size, "%s", value ? value : "(none)");
    client_response_release(&response);
}

struct waiting {
    const char *name;
    const struct server *whom;
    const char *path; /* {id}: of a todo */
    const char *prefer;
    bool knows_it;
    const char *method; /* of what happens 300 ms later; NULL: nothing */
    const char *changed;
    bool at_other; /* on the other server */
    int status;
    int least; /* milliseconds from its sending to its answer */
    const char *applied;
};

#define WAIT(seconds) "Prefer: wait=" seconds "\r\n"

static const struct waiting rows[] = {
    {"news at once",               &server, "/todos",      WAIT("20"),                         false, NULL,     NULL,          false, 200, 0,
     "wait=20"                                                                                                                                            },
    {"no news",                    &server, "/todos",      WAIT("2"),                          true,  NULL,     NULL,          false, 304, 2000, "wait=2" },
    {"no news of a todo",          &server, "/todos/{id}", WAIT("1"),                          true,  NULL,     NULL,          false, 304, 1000,
     "wait=1"                                                                                                                                             },
    {"without Prefer",             &server, "/todos",      "",                                 true,  NULL,     NULL,          false, 304, 0,    NULL     },
    {"no time",                    &server, "/todos",      WAIT("0"),                          true,  NULL,     NULL,          false, 304, 0,    NULL     },
    {"no number",                  &server, "/todos",      WAIT("x"),                          true,  NULL,     NULL,          false, 304, 0,    NULL     },
    {"a page",                     &server, "/todos",      WAIT("20") "Accept: text/html\r\n", true,  NULL,     NULL,          false,
     200,                                                                                                                                  0,    NULL     },
    {"among others",               &server, "/todos",
     "Prefer: respond-async\r\nPrefer: a=\",\", Wait = \"1\"; b\r\n",                          true,  NULL,     NULL,          false,
     304,                                                                                                                                  1000, "wait=1" },
    {"at most as long as allowed", &other,  "/todos",      WAIT("20"),                         true,  NULL,     NULL,          false, 304,
     1000,                                                                                                                                       "wait=1" },
    {"a new todo",                 &server, "/todos",      WAIT("20"),                         true,  "POST",   "/todos",      false, 200, 300,
     "wait=20"                                                                                                                                            },
    {"a changed todo",             &server, "/todos",      WAIT("20"),                         true,  "PATCH",  "/todos/{id}", false, 200,
     300,                                                                                                                                        "wait=20"},
    {"a deleted todo",             &server, "/todos",      WAIT("20"),                         true,  "DELETE", "/todos/{id}", false, 200,
     300,                                                                                                                                        "wait=20"},
    {"all deleted",                &server, "/todos",      WAIT("20"),                         true,  "DELETE", "/todos",      false, 200, 300,
     "wait=20"                                                                                                                                            },
    {"the todo changed",           &server, "/todos/{id}", WAIT("20"),                         true,  "PATCH",  "/todos/{id}",
     false,                                                                                                                           200, 300,  "wait=20"},
    {"the todo deleted",           &server, "/todos/{id}", WAIT("20"),                         true,  "DELETE", "/todos/{id}",
     false,                                                                                                                           404, 300,  NULL     },
    {"another todo",               &server, "/todos/{id}", WAIT("2"),                          true,  "POST",   "/todos",      false, 304,
     2000,                                                                                                                                       "wait=2" },
    {"known in another form",      &server, "/todos",
     WAIT("20") "Accept: application/json; indent=2\r\n",                                      true,  NULL,     NULL,          false, 200, 0,
     "wait=20"                                                                                                                                            },
    {"on another server",          &server, "/todos",      WAIT("20"),                         true,  "POST",   "/todos",      true,  200, 300,
     "wait=20"                                                                                                                                            },
    {"a todo, on another server",  &server, "/todos/{id}", WAIT("20"),                         true,  "PATCH",
     "/todos/{id}",                                                                                                            true,  200, 300,  "wait=20"},
};

static void expand_id(const char *path, unsigned id, char *out, size_t size)
{
    size_t length = strcspn(path, "{");

    snprintf(out, size, path[length] ? "%.*s%u" : "%.*s", (int)length, path, id);
}

static void change(const struct waiting *row, unsigned id)
{
    struct client_response response = {0};
    char path[64];

    if (!row->method)
        return;
    clock_sleep(300000);
    expand_id(row->changed, id, path, sizeof path);
    send_json(row->at_other ? &other : &server, row->method, path, "{\"title\":\"news\"}",
              &response);
    CHECK(response.status / 100 == 2, row->name, "the change got %d", response.status);
    client_response_release(&response);
}

static void run_waiting(const struct waiting *row)
{
    struct client_connection connection;
    struct client_response response = {0};
    char path[64];
    char etag[80];

    clear_todos(&server);
    unsigned id = create_todo(&server, "{\"title\":\"a\"}");
    expand_id(row->path, id, path, sizeof path);
    ask_etag(row->whom, path, etag, sizeof etag);
    uint64_t start = clock_now();
    CHECK(
        begin(&connection, row->whom->port, path, row->knows_it ? etag : "\"0\"", row->prefer),
        row->name, "not sent");
    change(row, id);
    client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
    long long took = (long long)(clock_now() - start) / 1000;
    CHECK_NUMBER(row->name, "status", row->status, response.status);
    CHECK(took >= row->least && took <= row->least + BUSY_MACHINE, row->name,
          "it took %lld ms, not %d", took, row->least);
    if (row->status != 404 && !strstr(row->prefer, "html"))
        CHECK_TEXT(row->name, "Preference-Applied", row->applied,
                   client_header(&response, "Preference-Applied"));
    if (row->status == 304)
        CHECK_TEXT(row->name, "ETag", etag, client_header(&response, "ETag"));
    client_response_release(&response);
    client_close(&connection);
}

static void test_a_reader_waits_for_news(void)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        run_waiting(&rows[i]);
}

/* ---- many ---- */

static size_t open_crowd(struct client_connection *crowd, size_t count, const char *etag)
{
    size_t opened = 0;

    while (opened < count && begin(&crowd[opened], server.port, "/todos", etag, WAIT("20")))
        opened++;
    return opened;
}

/* How many have been answered with the status and this text. */
static size_t receive_crowd(struct client_connection *crowd, size_t count, int status,
                            const char *part)
{
    struct client_response response = {0};
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        client_receive(&crowd[i], false, CLIENT_TIME_LIMIT, &response);
        good += response.status == status && strstr(client_body(&response), part);
        client_close(&crowd[i]);
    }
    client_response_release(&response);
    return good;
}

static size_t count_answered(const struct client_connection *crowd, size_t count)
{
    struct pollfd sources[CROWD];
    int answered;

    for (size_t i = 0; i < count; i++)
        sources[i] = (struct pollfd){.fd = crowd[i].fd, .events = POLLIN};
    answered = poll(sources, count, 0);
    return answered > 0 ? (size_t)answered : 0;
}

static void test_a_change_reaches_a_crowd(void)
{
    struct client_connection *crowd = calloc(CROWD, sizeof *crowd);
    char etag[80];

    if (!crowd)
        abort();
    clear_todos(&server);
    ask_etag(&server, "/todos", etag, sizeof etag);
    CHECK_NUMBER("crowd", "waiting", CROWD, (long long)open_crowd(crowd, CROWD, etag));
    clock_sleep(1500000);
    CHECK_NUMBER("crowd", "answered before the news", 0,
                 (long long)count_answered(crowd, CROWD));
    create_todo(&server, "{\"title\":\"news\"}");
    uint64_t told = clock_now();
    while (count_answered(crowd, CROWD) < CROWD && clock_now() < told + BUSY_MACHINE * 1000)
        clock_sleep(1000);
    long long took = (long long)(clock_now() - told) / 1000;
    CHECK(took <= BUSY_MACHINE, "crowd", "the news took %lld ms", took);
    printf("\n    %d have the news %lld ms after its acknowledgement ", CROWD, took);
    CHECK_NUMBER("crowd", "with the news", CROWD,
                 (long long)receive_crowd(crowd, CROWD, 200, "news"));
    free(crowd);
}

/* Nobody misses a change, whenever it comes: each waits for what follows what it knows. */
static void test_no_news_are_missed(void)
{
    struct client_connection connection;
    struct client_response response = {0};
    char etag[80];
    size_t late = 0;

    clear_todos(&server);
    unsigned id = create_todo(&server, "{}");
    for (size_t i = 0; i < 300; i++) {
        char json[32];
        ask_etag(&server, "/todos", etag, sizeof etag);
        begin(&connection, server.port, "/todos", etag, WAIT("9"));
        clock_sleep(i * 7 % 1000);
        snprintf(json, sizeof json, "{\"order\":%zu}", i);
        patch_todo(&server, id, json, &response);
        uint64_t start = clock_now();
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
        bool is_told = response.status == 200 && strstr(client_body(&response), json + 1);
        client_close(&connection);
        if (!CHECK(is_told, "round", "%zu: %d", i, response.status))
            break;
        late += clock_now() - start >= 900000;
    }
    /* The look that comes once a second doesn't count; a busy machine makes some late. */
    CHECK(late < 10, "missed", "%zu were told late", late);
    client_response_release(&response);
}

static void test_more_than_may_wait_are_answered_at_once(void)
{
    struct client_connection crowd[3];
    struct client_response response = {0};
    char etag[80];

    ask_etag(&other, "/todos", etag, sizeof etag);
    for (size_t i = 0; i < COUNT(crowd); i++) {
        begin(&crowd[i], other.port, "/todos", etag, WAIT("20"));
        clock_sleep(100000);
    }
    uint64_t deadline = clock_now() + BUSY_MACHINE * 1000;
    while (count_answered(crowd, COUNT(crowd)) == 0 && clock_now() < deadline)
        clock_sleep(1000);
    CHECK_NUMBER("one too many", "answered", 1, (long long)count_answered(crowd, COUNT(crowd)));
    client_receive(&crowd[2], false, CLIENT_TIME_LIMIT, &response);
    CHECK_NUMBER("one too many", "status", 304, response.status);
    CHECK_TEXT("one too many", "Preference-Applied", NULL,
               client_header(&response, "Preference-Applied"));
    for (size_t i = 0; i < COUNT(crowd); i++)
        client_close(&crowd[i]);
    client_response_release(&response);
}

static void test_the_stop_answers_all_who_wait(void)
{
    static const char *const settings[] = {"HTTP_CLIENT_CONNECTIONS=8192", NULL};
    struct client_connection crowd[50];
    char etag[80];

    ask_etag(&server, "/todos", etag, sizeof etag);
    open_crowd(crowd, COUNT(crowd), etag);
    clock_sleep(200000);
    uint64_t start = clock_now();
    server_stop(&server);
    CHECK(clock_now() - start < BUSY_MACHINE * 1000, "stop", "it took %llu ms",
          (unsigned long long)(clock_now() - start) / 1000);
    CHECK_NUMBER("stop", "answered", (long long)COUNT(crowd),
                 (long long)receive_crowd(crowd, COUNT(crowd), 304, ""));
    server_start(&server, settings);
}

CU_TestInfo live_tests[] = {
    TEST(test_a_reader_waits_for_news),
    TEST(test_a_change_reaches_a_crowd),
    TEST(test_no_news_are_missed),
    TEST(test_more_than_may_wait_are_answered_at_once),
    TEST(test_the_stop_answers_all_who_wait),
    CU_TEST_INFO_NULL,
};
