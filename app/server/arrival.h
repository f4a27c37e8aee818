#ifndef SERVER_ARRIVAL_H
#define SERVER_ARRIVAL_H

/*
 * Private to the adapter: how long a connection may take for each thing that it does, and who
 * gives way when places run short: the one that is longest without a whole head, else the body,
 * else the answer that moved last the longest time ago, of the same loop; if all are waiting
 * for the database, the newcomer itself. Each state of an exchange has a deadline; a body and
 * an answer may take as long as they need, if they move at least so fast. The connections of
 * one address have a limit, too: one machine can't take the places of all others.
 *
 * All for the loop's thread, if nothing else is said.
 */

#include "base/error.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_exchange;
struct http_loop;

/* Of the whole server. */
struct arrival {
    size_t places;      /* most connections at a time, */
    size_t most_of_one; /* and of one address */
    atomic_size_t connections;
    pthread_mutex_t lock;
    void *clients; /* tree of struct arrival_client, under the lock */
};

/* The connections of an address. */
struct arrival_client;

/* Raises the limit of descriptors as far as is allowed, and finds out for how many connections
 * they and the memory suffice, when so many descriptors are kept for all else. */
bool arrival_count_places(size_t kept_descriptors, size_t *places, struct error *err);

/* For so many connections. `most_of_one` is at most how many one address may have, 0: half of
 * all. */
bool arrival_open(struct arrival *arrival, size_t kept_descriptors, size_t most_of_one,
                  struct error *err);
void arrival_close(struct arrival *arrival);

/* A connection has come from this address, and is in its list: another one may have to go.
 * Those of trusted proxies and of Unix sockets are not counted by their address. */
void arrival_add(struct http_exchange *exchange, const struct in6_addr *address);
void arrival_remove(struct http_exchange *exchange);

/* Ends the connections that are over their time. */
void arrival_expire(struct http_loop *loop);

/* Until the next one is, -1 for none. */
int arrival_milliseconds(const struct http_loop *loop);

#endif
