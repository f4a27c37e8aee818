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
 * The last two registers have one writer, who writes both by one PATCH of the list: no list has
 * them differ.
 * tests/faults/run shows that it fails where reads may join a flight that is in the air.
 *
 * Under faults (on demand: `make faults`) a write that was refused must never be read. One
 * whose outcome is not known may take effect at any moment from its sending on, or never: it
 * makes no older version stale, and may itself be read late.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "relay.h"
#include "suites.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS    4
#define PAIR         2 /* this one and the last are written together */
#define WRITERS      3
#define READERS      8    /* of one todo, and as many of the list */
#define FILLERS      1000 /* todos that make a list take its time */
#define EVENTS_MOST  200000
#define MICROSECONDS 2000000U
#define UNDER_FAULTS 5000000U   /* microseconds */
#define NEVER        UINT64_MAX /* when a write was answered whose outcome is not known */

/* A write of versions[0] to the client's register (a pair: of both), or a read of it, or of all
 * by a list. */
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
    size_t refused;
    size_t unknown;
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
static struct relay *relay; /* NULL: no faults */

int consistency_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int consistency_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

int consistency_faults_init(void)
{
    char port[32];
    const char *const settings[] = {"REQUEST_TIMEOUT=1", port, NULL};

    relay = relay_open("127.0.0.1", mariadb_port());
    if (!relay)
        return 1;
    snprintf(port, sizeof port, "MYSQL_PORT=%u", relay_port(relay));
    return server_open(&server, settings) ? 0 : 1;
}

int consistency_faults_cleanup(void)
{
    bool is_closed = server_close(&server);

    relay_close(relay);
    relay = NULL;
    return is_closed ? 0 : 1;
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

/* Whether it writes two registers by one request. */
static bool is_of_pair(const struct client *client)
{
    return client->role == WRITER && client->reg == PAIR;
}

static bool make_request(const struct client *client, struct client_connection *connection,
                         struct client_response *response)
{
    char path[32] = "/todos";
    char body[128];
    struct client_request request = {.path = path};

    if (is_of_pair(client)) {
        snprintf(
            body, sizeof body,
            "[{\"url\":\"/todos/%u\",\"order\":%zu},{\"url\":\"/todos/%u\",\"order\":%zu}]",
            ids[PAIR], client->count + 1, ids[REGISTERS - 1], client->count + 1);
    } else if (client->role != LIST_READER) {
        snprintf(path, sizeof path, "/todos/%u", ids[client->reg]);
        snprintf(body, sizeof body, "{\"order\":%zu}", client->count + 1);
    }
    if (client->role == WRITER) {
        request.method = "PATCH";
        request.type = "application/json";
        request.body = body;
    }
    return client_send_request(connection, server.port, &request) &&
           client_receive(connection, false, CLIENT_TIME_LIMIT, response);
}

/* A read that was refused is none. */
static void add_refusal(struct client *client, struct event *event,
                        const struct client_response *response)
{
    const char *body = client_body(response);
    bool is_unknown = strstr(body, "may have been made");

    clock_sleep(1000);
    if (client->role != WRITER || !is_unknown) {
        client->refused++;
        return;
    }
    event->answered = NEVER;
    client->unknown++;
    client->count++;
}

static bool add_event(struct client *client, struct client_connection *connection,
                      struct client_response *response)
{
    struct event *event = &client->events[client->count];
    size_t orders = client->role == LIST_READER ? REGISTERS : is_of_pair(client) ? 2 : 1;
    bool is_answered;

    event->sent = clock_now();
    is_answered = make_request(client, connection, response);
    if (is_answered && relay && response->status == 503) {
        add_refusal(client, event, response);
        return true;
    }
    if (!is_answered || response->status != 200 ||
        !read_orders(client_body(response), event->versions, orders)) {
        snprintf(client->wrong, sizeof client->wrong, "status %d: %.100s", response->status,
                 client_body(response));
        return false;
    }
    event->answered = clock_now();
    client->count++;
    if (client->role == WRITER && event->versions[orders - 1] != client->count)
        snprintf(client->wrong, sizeof client->wrong, "wrote %zu, was told %u", client->count,
                 event->versions[orders - 1]);
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

/* One fault after the other; most are short, a few are longer than a request may take. */
static void make_faults(void)
{
    static const struct relay_rule rules[] = {
        {.fault = RELAY_CUT_COMMIT},     {.fault = RELAY_CUT_COMMITTED},
        {.fault = RELAY_SILENCE_COMMIT}, {.fault = RELAY_SILENCE_COMMITTED},
        {.fault = RELAY_RESET},          {.fault = RELAY_SILENCE},
        {.fault = RELAY_CUT_QUERY},      {.fault = RELAY_CUT_ANSWER},
        {.fault = RELAY_TRICKLE},        {.jitter = 20000},
    };
    const char *given = getenv("TEST_SEED");
    unsigned seed =
        given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_now() % 1000000;
    uint64_t end = clock_now() + UNDER_FAULTS;

    printf("\n    TEST_SEED=%u", seed);
    while (clock_now() < end) {
        bool is_long = rand_r(&seed) % 16 == 0;
        relay_set(relay, rules[(size_t)rand_r(&seed) % COUNT(rules)]);
        clock_sleep(is_long ? 1300000 : 2000 + (unsigned)rand_r(&seed) % 30000);
        relay_set(relay, (struct relay_rule){.fault = RELAY_SOUND});
        clock_sleep(20000 + (unsigned)rand_r(&seed) % 80000);
    }
    clock_sleep(MICROSECONDS / 4); /* what comes late is read, too */
}

static void record(struct client *clients, size_t count)
{
    stop = false;
    for (size_t i = 0; i < count; i++) {
        clients[i].role = i < WRITERS ? WRITER : (i % 2 ? ITEM_READER : LIST_READER);
        clients[i].reg = i < WRITERS ? (unsigned)i : (unsigned)(i / 2) % REGISTERS;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            abort();
    }
    if (relay)
        make_faults();
    else
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

static const struct client *writer_of(const struct client *clients, unsigned reg)
{
    return &clients[reg < WRITERS ? reg : PAIR];
}

/* Version n is events[n - 1]; there was one before the first. */
static bool is_known(const struct client *writer, unsigned version)
{
    return version == 0 || version > writer->count ||
           writer->events[version - 1].answered != NEVER;
}

/* Whether a later version had been acknowledged before the reading was sent. */
static bool is_stale(const struct client *writer, const struct reading *reading)
{
    size_t next = reading->version;

    while (next < writer->count && writer->events[next].answered == NEVER)
        next++;
    return next < writer->count && writer->events[next].answered < reading->sent &&
           is_known(writer, reading->version);
}

/* Neither older than what was acknowledged, nor newer than what was sent. Counts the
 * violations. */
static size_t count_out_of_bounds(const struct client *writer, const struct reading *readings,
                                  size_t count)
{
    size_t violations = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned version = readings[i].version;
        bool is_early = version > 0 && version <= writer->count &&
                        writer->events[version - 1].sent > readings[i].answered;
        violations += is_stale(writer, &readings[i]) || is_early || version > writer->count;
    }
    return violations;
}

/* A reading that gives less than one which had ended before it began. */
static size_t count_backward_steps(const struct client *writer, struct reading *readings,
                                   size_t count)
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
        violations += readings[i].version < newest && is_known(writer, readings[i].version);
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

/* Sorted by their sums, snapshots grow in every register; a pair is written as one. */
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
    for (size_t i = 0; i < total; i++) {
        violations += lists[i].versions[PAIR] != lists[i].versions[REGISTERS - 1];
        for (unsigned reg = 0; i > 0 && reg < REGISTERS; reg++)
            violations += lists[i].versions[reg] < lists[i - 1].versions[reg] &&
                          is_known(writer_of(clients, reg), lists[i].versions[reg]);
    }
    free(lists);
    return violations;
}

static void print_writes(const struct client *clients)
{
    size_t totals[3] = {0};

    for (size_t i = 0; i < WRITERS; i++) {
        totals[0] += clients[i].count - clients[i].unknown;
        totals[1] += clients[i].refused;
        totals[2] += clients[i].unknown;
    }
    printf(": %zu writes acknowledged, %zu refused, %zu not known\n    ", totals[0], totals[1],
           totals[2]);
}

static void test_histories_are_linearizable(void)
{
    struct client clients[WRITERS + 2 * READERS] = {0};
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
                     (long long)count_out_of_bounds(writer_of(clients, reg), readings, found));
        CHECK_NUMBER("a todo's reads", "older than an earlier read", 0,
                     (long long)count_backward_steps(writer_of(clients, reg), readings, found));
        free(readings);
    }
    CHECK_NUMBER("lists", "torn", 0, (long long)count_torn_lists(clients, count));
    if (relay)
        print_writes(clients);
    for (size_t i = 0; i < count; i++)
        free(clients[i].events);
}

CU_TestInfo consistency_tests[] = {
    TEST(test_histories_are_linearizable),
    CU_TEST_INFO_NULL,
};

CU_TestInfo consistency_faults_tests[] = {
    TEST(test_histories_are_linearizable),
    CU_TEST_INFO_NULL,
};
