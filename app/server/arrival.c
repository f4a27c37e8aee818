#include "server/arrival.h"

#include "base/cgroup.h"
#include "base/log.h"
#include "server/exchange.h"

#include <linux/tcp.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define PLACES_MOST  8192U
#define PLACES_LEAST 8U

/* A quarter of a container's memory is for connections, and this much for each: what
 * libmicrohttpd and the kernel keep of it. */
#define MEMORY_SHARE      0.25
#define CONNECTION_MEMORY 40960.0

#define PERIOD     10U             /* seconds, */
#define LEAST_MOVE (PERIOD * 1024) /* bytes that a body or an answer must move in it */

/* What is not named here has no deadline of its own: REQUEST_TIMEOUT is that of what the
 * handler has. */
static const struct deadline {
    unsigned seconds;
    const char *detail; /* told to the client, if it has sent something */
} deadlines[EXCHANGE_STATE_COUNT] = {
    [EXCHANGE_CONNECTED] = {PERIOD, "The request's head did not come in time."},
    [EXCHANGE_STARTED] = {PERIOD, "The request's head did not come in time."},
    [EXCHANGE_BODY] = {PERIOD, "The request's body comes too slowly."    },
    [EXCHANGE_QUEUED] = {PERIOD, NULL                                      },
 /* above the 60 s of the usual load balancers */
    [EXCHANGE_IDLE] = {75,     "The request's head did not come in time."},
    [EXCHANGE_CLOSING] = {2,      NULL                                      },
};

/* Who gives way first: of the states in one set, whoever is longest in its own. */
#define STATE(state) (1U << (state))
static const unsigned giving_way[] = {
    STATE(EXCHANGE_CONNECTED) | STATE(EXCHANGE_STARTED) | STATE(EXCHANGE_IDLE),
    STATE(EXCHANGE_BODY),
    STATE(EXCHANGE_QUEUED),
};

/* An IPv4 address, or the network of an IPv6 address: its last half is the client's to choose.
 */
struct arrival_client {
    struct in6_addr network; /* first: compare_clients looks at it */
    size_t connections;      /* under the lock */
};

/* ---- the limits ---- */

static size_t affordable_connections(void)
{
    return (size_t)(cgroup_memory_share(MEMORY_SHARE, PLACES_LEAST * CONNECTION_MEMORY,
                                        PLACES_MOST * CONNECTION_MEMORY) /
                    CONNECTION_MEMORY);
}

bool arrival_count_places(size_t kept_descriptors, size_t *places, struct error *err)
{
    size_t wanted = affordable_connections() + kept_descriptors;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot read the limit of open files");
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < kept_descriptors + PLACES_LEAST)
        return error_set(err, ERROR_SYSTEM,
                         "the limit of open files (ulimit -n) is %ju, at least %zu are needed",
                         (uintmax_t)limit.rlim_cur, kept_descriptors + PLACES_LEAST);
    if (limit.rlim_cur < wanted)
        wanted = limit.rlim_cur;
    *places = wanted - kept_descriptors;
    return true;
}

bool arrival_open(struct arrival *arrival, size_t kept_descriptors, size_t most_of_one,
                  struct error *err)
{
    pthread_mutex_init(&arrival->lock, NULL);
    if (!arrival_count_places(kept_descriptors, &arrival->places, err))
        return false;
    arrival->most_of_one = most_of_one > 0 ? most_of_one : (arrival->places + 1) / 2;
    return true;
}

void arrival_close(struct arrival *arrival)
{
    pthread_mutex_destroy(&arrival->lock);
}

/* ---- the connections of an address ---- */

static int compare_clients(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct in6_addr));
}

static struct in6_addr network_of(const struct in6_addr *address)
{
    struct in6_addr network = *address;

    if (!IN6_IS_ADDR_V4MAPPED(&network))
        memset(&network.s6_addr[8], 0, 8);
    return network;
}

/* The address's record, with one connection more; NULL without memory. */
static struct arrival_client *client_add(struct arrival *arrival,
                                         const struct in6_addr *address, size_t *connections)
{
    struct arrival_client wanted = {.network = network_of(address)};
    struct arrival_client *client = NULL;
    struct arrival_client **found;

    pthread_mutex_lock(&arrival->lock);
    found = tfind(&wanted, &arrival->clients, compare_clients);
    if (found)
        client = *found;
    else if ((client = malloc(sizeof(*client)))) {
        *client = wanted;
        if (!tsearch(client, &arrival->clients, compare_clients)) {
            free(client);
            client = NULL;
        }
    }
    if (client)
        *connections = ++client->connections;
    pthread_mutex_unlock(&arrival->lock);
    return client;
}

static void client_remove(struct arrival *arrival, struct arrival_client *client)
{
    pthread_mutex_lock(&arrival->lock);
    if (--client->connections == 0) {
        tdelete(client, &arrival->clients, compare_clients);
        free(client);
    }
    pthread_mutex_unlock(&arrival->lock);
}

/* ---- who gives way ---- */

/* The first in the list but the newcomer, and if asked for, of the same address. */
static struct http_exchange *first_of(const struct exchange_list *list,
                                      const struct http_exchange *newcomer, bool of_its_address)
{
    struct http_exchange *exchange = TAILQ_FIRST(list);

    while (exchange &&
           (exchange == newcomer || (of_its_address && exchange->address != newcomer->address)))
        exchange = TAILQ_NEXT(exchange, same_state);
    return exchange;
}

static struct http_exchange *find_oldest(const struct http_exchange *newcomer,
                                         bool of_its_address)
{
    const struct exchange_list *lists = newcomer->loop->exchanges;
    struct http_exchange *oldest = NULL;

    for (size_t i = 0; !oldest && i < sizeof(giving_way) / sizeof(giving_way[0]); i++) {
        for (unsigned state = 0; state < EXCHANGE_STATE_COUNT; state++) {
            struct http_exchange *first = NULL;
            if (giving_way[i] & STATE(state))
                first = first_of(&lists[state], newcomer, of_its_address);
            if (first && (!oldest || first->since < oldest->since))
                oldest = first;
        }
    }
    return oldest;
}

/* What libmicrohttpd has not read of a request may be all of it: nobody is told then. */
static void make_room(struct http_loop *loop, struct http_exchange *leaving)
{
    const struct arrival *arrival = &loop->server->arrival;

    http_exchange_count_rejection(leaving, METRICS_REJECTED_CONNECTIONS);
    log_repeated(
        LOG_CONNECTION_LIMIT, CONFIG_LOG_WARNING,
        "there is room for %zu connections, and for %zu of one address (unless it is in "
        "TRUSTED_PROXIES): one of %s is closed to make room",
        arrival->places, arrival->most_of_one, leaving->client);
    if (leaving->state == EXCHANGE_STARTED || leaving->state == EXCHANGE_BODY)
        exchange_end(leaving, 503, "There are too many connections.");
    exchange_end(leaving, 0, NULL); /* its place is wanted now */
}

void arrival_add(struct http_exchange *exchange, const struct in6_addr *address)
{
    struct http_loop *loop = exchange->loop;
    struct arrival *arrival = &loop->server->arrival;
    size_t connections = atomic_fetch_add(&arrival->connections, 1) + 1;
    size_t of_address = 0;
    struct http_exchange *leaving;
    bool is_one_too_many;

    if (!exchange->is_unix && !cidr_list_holds(&loop->server->trusted_proxies, address))
        exchange->address = client_add(arrival, address, &of_address);
    is_one_too_many = of_address > arrival->most_of_one;
    if (!is_one_too_many && connections <= arrival->places)
        return;
    leaving = find_oldest(exchange, is_one_too_many);
    make_room(loop, leaving ? leaving : exchange);
}

void arrival_remove(struct http_exchange *exchange)
{
    struct arrival *arrival = &exchange->loop->server->arrival;

    atomic_fetch_sub(&arrival->connections, 1);
    if (exchange->address)
        client_remove(arrival, exchange->address);
    exchange->address = NULL;
}

/* ---- deadlines ---- */

static struct tcp_info read_tcp_info(const struct http_exchange *exchange)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    getsockopt(exchange->socket, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info;
}

/* Whether a part of a head has come: libmicrohttpd doesn't tell, nor does a Unix socket. */
static bool has_sent(const struct http_exchange *exchange)
{
    const struct tcp_info info = read_tcp_info(exchange);

    if (exchange->is_unix)
        return false;
    if (exchange->state == EXCHANGE_CONNECTED)
        return info.tcpi_bytes_received > 0;
    return info.tcpi_last_data_recv * 1000ULL + 50000 < exchange->loop->now - exchange->since;
}

/* How many bytes of its body or answer have moved. What a client has taken from a Unix socket
 * isn't known: he has the time that the slowest one may take. */
static uint64_t bytes_moved(const struct http_exchange *exchange)
{
    if (exchange->state == EXCHANGE_BODY)
        return exchange->body_size;
    if (!exchange->is_unix)
        return read_tcp_info(exchange).tcpi_bytes_acked;
    return exchange->progress < exchange->reply->size ? exchange->progress + LEAST_MOVE
                                                      : exchange->progress;
}

/* Whether it has moved as much as it must since the last look. What an answer had moved before
 * the first one isn't known. */
static bool has_moved(struct http_exchange *exchange)
{
    bool is_first = exchange->progress == 0;
    uint64_t moved = bytes_moved(exchange);
    uint64_t before = is_first ? 0 : exchange->progress - 1;

    exchange->progress = moved + 1;
    return (is_first && exchange->state == EXCHANGE_QUEUED) || moved - before >= LEAST_MOVE;
}

static void expire(struct http_exchange *exchange)
{
    enum exchange_state state = exchange->state;
    bool is_moving = state == EXCHANGE_BODY || state == EXCHANGE_QUEUED;
    const char *detail = deadlines[state].detail;

    if (is_moving && has_moved(exchange))
        exchange_set_state(exchange, state);
    else if (detail && (is_moving || state == EXCHANGE_STARTED || has_sent(exchange)))
        exchange_end(exchange, 408, detail);
    else
        exchange_end(exchange, 0, NULL);
}

static uint64_t deadline_of_first(const struct http_loop *loop, size_t state)
{
    const struct http_exchange *first = TAILQ_FIRST(&loop->exchanges[state]);

    return first && deadlines[state].seconds > 0
               ? first->since + deadlines[state].seconds * 1000000ULL
               : UINT64_MAX;
}

void arrival_expire(struct http_loop *loop)
{
    for (size_t state = 0; state < EXCHANGE_STATE_COUNT; state++)
        while (deadline_of_first(loop, state) <= loop->now)
            expire(TAILQ_FIRST(&loop->exchanges[state]));
}

int arrival_milliseconds(const struct http_loop *loop)
{
    uint64_t deadline = UINT64_MAX;

    for (size_t state = 0; state < EXCHANGE_STATE_COUNT; state++) {
        uint64_t of_state = deadline_of_first(loop, state);
        if (of_state < deadline)
            deadline = of_state;
    }
    if (deadline == UINT64_MAX)
        return -1;
    return deadline > loop->now ? (int)((deadline - loop->now) / 1000) + 1 : 0;
}
