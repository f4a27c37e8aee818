#include "server/server.h"

#include "base/clock.h"
#include "http/response.h"
#include "suites.h"

#include "../integration/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE 5000000U /* microseconds */

/* What the server works on: freed as soon as that is allowed, so that a sanitizer sees a late
 * use, and `calls` counts one. */
struct api {
    atomic_int *calls;
    atomic_bool is_slow;
    atomic_bool is_held;   /* no_more_input returns when it isn't any more */
    atomic_bool is_asleep; /* a thread of the server has been, at least */
    bool is_deferring;
    _Atomic(struct http_exchange *) deferred;
};

static void respond(struct http_exchange *exchange)
{
    struct http_response response;

    http_response_start(&response, http_exchange_request(exchange), 204);
    http_exchange_respond(exchange, &response);
}

static void answer_request(void *context, struct http_exchange *exchange)
{
    struct api *api = context;

    if (api->is_deferring) {
        http_exchange_defer(exchange);
        atomic_store(&api->deferred, exchange);
    } else {
        respond(exchange);
    }
    atomic_fetch_add(api->calls, 1);
}

static void no_more_input(void *context)
{
    struct api *api = context;

    atomic_fetch_add(api->calls, 1);
    if (atomic_load(&api->is_slow)) {
        atomic_store(&api->is_asleep, true);
        clock_sleep(300000);
    }
    while (atomic_load(&api->is_held)) {
        atomic_store(&api->is_asleep, true);
        clock_sleep(1000);
    }
    atomic_fetch_add(api->calls, 1);
}

static int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (connect(connection, (const struct sockaddr *)&address, sizeof(address)) != 0)
        abort();
    return connection;
}

static unsigned port_of(const struct http_server *server)
{
    return endpoint_port(http_server_endpoint(server));
}

static void ask(int connection)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    if (send(connection, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
        abort();
}

static void wait_for_calls(const atomic_int *calls, int wanted)
{
    uint64_t deadline = clock_now() + PATIENCE;

    while (atomic_load(calls) < wanted && clock_now() < deadline)
        clock_sleep(1000);
    CHECK(atomic_load(calls) >= wanted, "calls", "%d of %d", atomic_load(calls), wanted);
}

static struct http_server *start(struct api *api, unsigned threads)
{
    struct error err = {0};
    struct http_listeners listeners;
    struct http_server *server;

    if (!http_listen(&listeners, "HTTP", "127.0.0.1", 0, 0, &err))
        abort();
    server = http_server_start(
        &(struct http_server_settings){
            .listeners = &listeners,
            .threads = threads,
            .trusted_proxies = "",
            .request_memory = 1048576,
            .body_limit = 1024,
            .reply_memory = 1048576,
            .answer_request = answer_request,
            .no_more_input = no_more_input,
            .context = api,
        },
        &err);
    CHECK(server != NULL, "start", "%s", err.text);
    return server;
}

/* In turn: the threads, what they call, what that answers to. */
static void test_nothing_is_called_after_the_threads_are_joined(void)
{
    atomic_int calls = 0;
    struct api *api = calloc(1, sizeof(*api));
    struct http_server *server;
    int connection;
    int joined;

    if (!api)
        abort();
    api->calls = &calls;
    atomic_store(&api->is_slow, true);
    server = start(api, 2);
    connection = connect_to(port_of(server));
    ask(connection);
    wait_for_calls(&calls, 2); /* it is answered, and no_more_input is under way */
    http_server_advance(server, HTTP_SERVER_DRAINING);
    http_server_advance(server, HTTP_SERVER_CLOSED);
    http_server_join(server);
    joined = atomic_load(&calls);
    free(api);
    CHECK_NUMBER("joined", "calls that have returned", 3, joined);
    CHECK_NUMBER("joined", "threads", 0, (long long)http_server_threads(server));
    clock_sleep(400000);
    CHECK_NUMBER("later", "calls", joined, atomic_load(&calls));
    http_server_free(server);
    close(connection);
}

static void wait_for_threads(const struct http_server *server, size_t wanted)
{
    uint64_t deadline = clock_now() + PATIENCE;

    while (http_server_threads(server) > wanted && clock_now() < deadline)
        clock_sleep(1000);
    clock_sleep(50000);
    CHECK_NUMBER("leaving", "threads", (long long)wanted,
                 (long long)http_server_threads(server));
}

/* What was handed on when the threads were told to leave is answered yet. */
static void test_a_thread_leaves_when_it_owes_nothing(void)
{
    atomic_int calls = 0;
    struct api api = {.calls = &calls, .is_deferring = true};
    struct http_server *server = start(&api, 2);
    int connection = connect_to(port_of(server));
    char answer[64] = "";

    ask(connection);
    wait_for_calls(&calls, 1);
    http_server_advance(server, HTTP_SERVER_CLOSED);
    http_server_advance(server, HTTP_SERVER_LEAVING);
    wait_for_threads(server, 1); /* of two */
    respond(atomic_load(&api.deferred));
    CHECK(recv(connection, answer, sizeof(answer) - 1, 0) > 0, "leaving", "no answer");
    CHECK_CONTAINS("leaving", "answer", "HTTP/1.1 204", answer);
    wait_for_threads(server, 0);
    http_server_join(server);
    http_server_free(server);
    close(connection);
}

static void check_answer(const char *row, int connection)
{
    const struct timeval limit = {.tv_sec = PATIENCE / 1000000};
    char answer[256] = "";

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    CHECK(recv(connection, answer, sizeof(answer) - 1, 0) > 0, row, "no answer");
    CHECK_CONTAINS(row, "answer", "HTTP/1.1 204", answer);
}

static void wait_for_sleep(const struct api *api)
{
    uint64_t deadline = clock_now() + PATIENCE;

    while (!atomic_load(&api->is_asleep) && clock_now() < deadline)
        clock_sleep(1000);
    CHECK(atomic_load(&api->is_asleep), "busy", "the thread does not sleep");
}

/* The server's one thread is busy for a while: what comes in the meantime is what has come at
 * the last moment. */
static void test_what_has_come_when_a_thread_leaves_is_answered(void)
{
    atomic_int calls = 0;
    struct api api = {.calls = &calls};
    struct http_server *server = start(&api, 1);
    int busy = connect_to(port_of(server));
    int kept = connect_to(port_of(server));
    int silent = connect_to(port_of(server));
    int fresh;
    char byte;

    ask(busy);
    check_answer("busy, before", busy);
    ask(kept);
    check_answer("kept, before", kept);
    atomic_store(&api.is_slow, true);
    ask(busy);
    wait_for_sleep(&api);
    ask(kept);
    fresh = connect_to(port_of(server));
    ask(fresh);
    http_server_advance(server, HTTP_SERVER_DRAINING);
    http_server_advance(server, HTTP_SERVER_CLOSED);
    CHECK(http_server_connections(server) >= 4, "closed", "%zu connections",
          http_server_connections(server));
    http_server_advance(server, HTTP_SERVER_LEAVING);
    check_answer("kept", kept);
    check_answer("fresh", fresh);
    wait_for_threads(server, 0);
    CHECK_NUMBER("silent", "bytes", 0, recv(silent, &byte, 1, MSG_DONTWAIT));
    http_server_join(server);
    http_server_free(server);
    close(busy);
    close(kept);
    close(silent);
    close(fresh);
}

/* The thread looks once more before it ends a connection. */
static void test_a_request_that_is_not_read_yet_is_answered(void)
{
    atomic_int calls = 0;
    struct api api = {.calls = &calls};
    struct http_server *server = start(&api, 1);
    int busy = connect_to(port_of(server));
    int kept = connect_to(port_of(server));
    uint64_t deadline = clock_now() + PATIENCE;

    http_server_advance(server, HTTP_SERVER_CLOSED);
    while (http_server_connections(server) != 2 && clock_now() < deadline)
        clock_sleep(1000);
    CHECK_NUMBER("closed", "connections", 2, (long long)http_server_connections(server));
    atomic_store(&api.is_slow, true);
    ask(busy);
    wait_for_sleep(&api);
    ask(kept);
    http_server_advance(server, HTTP_SERVER_LEAVING);
    check_answer("busy", busy);
    check_answer("kept", kept);
    wait_for_threads(server, 0);
    http_server_join(server);
    http_server_free(server);
    close(busy);
    close(kept);
}

/* A request that has begun is waited for, but not for ever. */
static void test_a_request_that_does_not_end_holds_up_no_thread(void)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    atomic_int calls = 0;
    struct api api = {.calls = &calls};
    struct http_server *server = start(&api, 1);
    int whole = connect_to(port_of(server));
    int cut = connect_to(port_of(server));

    if (send(whole, head, sizeof(head) - 1, 0) < 0 || send(cut, head, sizeof(head) - 1, 0) < 0)
        abort();
    clock_sleep(100000);
    http_server_advance(server, HTTP_SERVER_CLOSED);
    http_server_advance(server, HTTP_SERVER_LEAVING);
    clock_sleep(200000);
    if (send(whole, "{}", 2, 0) < 0)
        abort();
    check_answer("whole", whole);
    wait_for_threads(server, 0);
    http_server_join(server);
    http_server_free(server);
    close(whole);
    close(cut);
}

static void check_turns(const char *row, struct http_server *server)
{
    uint64_t deadline = clock_now() + PATIENCE;
    unsigned turns = 0;

    while (turns < 3 && clock_now() < deadline) {
        turns += http_server_has_turned(server);
        clock_sleep(1000);
    }
    CHECK_NUMBER(row, "turns", 3, turns);
}

/* A watchdog may not hear that all is well from a thread that is in the middle of something. */
static void test_a_thread_that_hangs_does_not_turn(void)
{
    atomic_int calls = 0;
    struct api api = {.calls = &calls};
    struct http_server *server = start(&api, 2);
    int connection = connect_to(port_of(server));
    unsigned turns = 0;

    check_turns("idle", server);
    atomic_store(&api.is_held, true);
    ask(connection);
    wait_for_sleep(&api);
    for (unsigned i = 0; i < 30; i++) {
        turns += http_server_has_turned(server);
        clock_sleep(10000);
    }
    CHECK(turns <= 1, "hanging", "it turns %u times", turns); /* one was asked for before */
    atomic_store(&api.is_held, false);
    check_turns("later", server);
    http_server_join(server);
    http_server_free(server);
    close(connection);
}

CU_TestInfo server_tests[] = {
    {"a thread that hangs does not turn",              test_a_thread_that_hangs_does_not_turn   },
    {"what has come when a thread leaves is answered",
     test_what_has_come_when_a_thread_leaves_is_answered                                        },
    {"a request that is not read yet is answered",
     test_a_request_that_is_not_read_yet_is_answered                                            },
    {"a request that does not end holds up no thread",
     test_a_request_that_does_not_end_holds_up_no_thread                                        },
    {"a thread leaves when it owes nothing",           test_a_thread_leaves_when_it_owes_nothing},
    {"nothing is called after the threads are joined",
     test_nothing_is_called_after_the_threads_are_joined                                        },
    CU_TEST_INFO_NULL,
};
