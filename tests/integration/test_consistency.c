/*
 * Histories of concurrent reads and writes, checked for linearizability: each request must seem
 * to have happened at one moment between its sending and its answer (Herlihy and Wing, 1990).
 *
 * A few todos are registers. Each has one writer, which counts up its `order`, so the versions
 * of a register are in the order of their numbers, and a history is linearizable exactly if
 *  - no read gives less than was acknowledged before it was sent, or more than was sent before
 * it was answered,
 *  - no read gives less than another that had ended before it began,
 *  - of any two lists one is older in no register than the other (they are snapshots).
 * tests/faults/run shows that it fails where reads may join a flight that is in the
 * air.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS    4
#define READERS      8    /* of one todo, and as many of the list */
#define FILLERS      1000 /* todos that make a list take its time */
#define EVENTS_MOST  200000
#define MICROSECONDS 2000000U

/* A write of versions[0] to the client's register, or a read of it, or of all by a list. */
struct event {
    uint64_t sent;
    uint64_t answered;
    unsigned versions[REGISTERS];
};

enum role {
    WRITER,
    ITEM_READER,
    LIST_READER,
};

struct client {
    enum role role;
    unsigned reg; /* the register of a writer or an item reader */
    struct event *events;
    size_t count;
    char wrong[160];
    pthread_t thread;
};

/* A read of one register, from an item or a list. */
struct reading {
    uint64_t sent;
    uint64_t answered;
    unsigned version;
};

static struct server server;
static unsigned ids[REGISTERS];
static atomic_bool stop;

int consistency_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int consistency_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

/* The first `count` values of "order" in a JSON text. */
static bool read_orders(const char *json, unsigned *versions, size_t count)
{
    static const char key[] = "\"order\":";

    for (size_t i = 0; i < count; i++) {
        json = strstr(json, key);
        if (!json)
            return false;
        json += sizeof key - 1;
        versions[i] = (unsigned)strtoul(json, NULL, 10);
    }
    return true;
}

static bool make_request(const struct client *client, struct client_connection *connection,
                         struct client_response *response)
{
    char path[32];
    char body[32];
    struct client_request request = {.path = path};

    snprintf(path, sizeof path, client->role == LIST_READER ? "/todos" : "/todos/%u",
             ids[client->reg]);
    if (client->role == WRITER) {
        snprintf(body, sizeof body, "{\"order\":%zu}", client->count + 1);
        request.method = "PATCH";
        request.type = "application/json";
        request.body = body;
    }
    return client_send_request(connection, server.port, &request) &&
           client_receive(connection, false, CLIENT_TIME_LIMIT, response);
}

static bool add_event(struct client *client, struct client_connection *connection,
                      struct client_response *response)
{
    struct event *event = &client->events[client->count];
    size_t orders = client->role == LIST_READER ? REGISTERS : 1;

    event->sent = clock_now();
    if (!make_request(client, connection, response) || response->status != 200 ||
        !read_orders(client_body(response), event->versions, orders)) {
        snprintf(client->wrong, sizeof client->wrong, "status %d: %.100s", response->status,
                 client_body(response));
        return false;
    }
    event->answered = clock_now();
    client->count++;
    if (client->role == WRITER && event->versions[0] != client->count)
        snprintf(client->wrong, sizeof client->wrong, "wrote %zu, was told %u", client->count,
                 event->versions[0]);
    return !client->wrong[0];
}

static void *run_client(void *argument)
{
    struct client *client = argument;
    struct client_connection connection;
    struct client_response response = {0};

    client->events = calloc(EVENTS_MOST, sizeof *client->events);
    if (!client->events || !client_open(&connection, server.port)) {
        snprintf(client->wrong, sizeof client->wrong, "no memory or no connection");
        return NULL;
    }
    while (!stop && client->count < EVENTS_MOST && add_event(client, &connection, &response)) {
        /* not all at the same time: a question must meet a flight at any point of its way */
        if (client->role != WRITER)
            clock_sleep(client->count * 7919U % 1000U);
    }
    client_close(&connection);
    client_response_release(&response);
    return NULL;
}

static void record(struct client *clients, size_t count)
{
    stop = false;
    for (size_t i = 0; i < count; i++) {
        clients[i].role = i < REGISTERS ? WRITER : (i % 2 ? ITEM_READER : LIST_READER);
        clients[i].reg = i < REGISTERS ? (unsigned)i : (unsigned)(i / 2) % REGISTERS;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            abort();
    }
    clock_sleep(MICROSECONDS);
    stop = true;
    for (size_t i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        CHECK(!clients[i].wrong[0], "client", "%s", clients[i].wrong);
        CHECK(clients[i].count > 10, "client", "only %zu requests", clients[i].count);
    }
}

static int compare_sent(const void *left, const void *right)
{
    const struct reading *one = left;
    const struct reading *other = right;

    return (one->sent > other->sent) - (one->sent < other->sent);
}

static int compare_answered(const void *left, const void *right)
{
    const struct reading *one = *(struct reading *const *)left;
    const struct reading *other = *(struct reading *const *)right;

    return (one->answered > other->answered) - (one->answered < other->answered);
}

/* All readings of a register, by the time they were sent. */
static struct reading *collect(const struct client *clients, size_t count, unsigned reg,
                               size_t *found)
{
    struct reading *readings = calloc(count * EVENTS_MOST, sizeof *readings);
    size_t total = 0;

    if (!readings)
        abort();
    for (size_t i = 0; i < count; i++) {
        bool is_list = clients[i].role == LIST_READER;
        if (clients[i].role == WRITER || (!is_list && clients[i].reg != reg))
            continue;
        for (size_t j = 0; j < clients[i].count; j++) {
            const struct event *event = &clients[i].events[j];
            readings[total++] = (struct reading){event->sent, event->answered,
                                                 event->versions[is_list ? reg : 0]};
        }
    }
    qsort(readings, total, sizeof *readings, compare_sent);
    *found = total;
    return readings;
}

/* Neither older than what was acknowledged, nor newer than what was sent. Counts the
 * violations. */
static size_t count_out_of_bounds(const struct client *writer, const struct reading *readings,
                                  size_t count)
{
    size_t violations = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned version = readings[i].version;
        /* version n is events[n - 1]; the next one, events[n], must not have been acknowledged
         * yet */
        bool is_stale =
            version < writer->count && writer->events[version].answered < readings[i].sent;
        bool is_early = version > 0 && version <= writer->count &&
                        writer->events[version - 1].sent > readings[i].answered;
        violations += is_stale || is_early || version > writer->count + 1;
    }
    return violations;
}

/* A reading that gives less than one which had ended before it began. */
static size_t count_backward_steps(struct reading *readings, size_t count)
{
    struct reading **ended = calloc(count + 1, sizeof(struct reading *));
    size_t violations = 0;
    unsigned newest = 0;
    size_t next = 0;

    if (!ended)
        abort();
    for (size_t i = 0; i < count; i++)
        ended[i] = &readings[i];
    qsort(ended, count, sizeof(struct reading *), compare_answered);
    for (size_t i = 0; i < count; i++) {
        for (; next < count && ended[next]->answered < readings[i].sent; next++)
            newest = ended[next]->version > newest ? ended[next]->version : newest;
        violations += readings[i].version < newest;
    }
    free(ended);
    return violations;
}

static int compare_sums(const void *left, const void *right)
{
    const struct event *one = left;
    const struct event *other = right;
    uint64_t sums[2] = {0, 0};

    for (size_t i = 0; i < REGISTERS; i++) {
        sums[0] += one->versions[i];
        sums[1] += other->versions[i];
    }
    return (sums[0] > sums[1]) - (sums[0] < sums[1]);
}

/* Sorted by their sums, snapshots grow in every register. */
static size_t count_torn_lists(const struct client *clients, size_t count)
{
    struct event *lists = calloc(count * EVENTS_MOST, sizeof *lists);
    size_t violations = 0;
    size_t total = 0;

    if (!lists)
        abort();
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; clients[i].role == LIST_READER && j < clients[i].count; j++)
            lists[total++] = clients[i].events[j];
    qsort(lists, total, sizeof *lists, compare_sums);
    for (size_t i = 1; i < total; i++)
        for (size_t reg = 0; reg < REGISTERS; reg++)
            violations += lists[i].versions[reg] < lists[i - 1].versions[reg];
    free(lists);
    return violations;
}

static void test_histories_are_linearizable(void)
{
    struct client clients[REGISTERS + 2 * READERS] = {0};
    const size_t count = sizeof clients / sizeof clients[0];

    clear_todos(&server);
    for (size_t i = 0; i < REGISTERS; i++)
        ids[i] = create_todo(&server, "{\"order\":0}");
    for (size_t i = 0; i < FILLERS; i++)
        create_todo(&server, "{\"title\":\"a todo that makes the list longer\"}");
    record(clients, count);
    for (unsigned reg = 0; reg < REGISTERS; reg++) {
        size_t found;
        struct reading *readings = collect(clients, count, reg, &found);
        CHECK_NUMBER("a todo's reads", "older than acknowledged, or newer than sent", 0,
                     (long long)count_out_of_bounds(&clients[reg], readings, found));
        CHECK_NUMBER("a todo's reads", "older than an earlier read", 0,
                     (long long)count_backward_steps(readings, found));
        free(readings);
    }
    CHECK_NUMBER("lists", "torn", 0, (long long)count_torn_lists(clients, count));
    for (size_t i = 0; i < count; i++)
        free(clients[i].events);
}

CU_TestInfo consistency_tests[] = {
    TEST(test_histories_are_linearizable),
    CU_TEST_INFO_NULL,
};
