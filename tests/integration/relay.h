#ifndef RELAY_H
#define RELAY_H

/*
 * A line between the program and a MySQL server, which fails as lines do: what comes to its
 * port of 127.0.0.1 is passed on, and back, by a thread of its own. It knows MySQL's packets
 * (not TLS), so that a connection can be cut at an exact place.
 */

#include <stdint.h>

enum relay_fault {
    RELAY_SOUND,
    RELAY_RESET,          /* each connection, also a new one, ends by a reset */
    RELAY_SILENCE,        /* nothing passes either way; it does when the fault ends */
    RELAY_TRICKLE,        /* each byte by itself */
    RELAY_CUT_QUERY,      /* half of a query passes, then the connection is closed */
    RELAY_CUT_ANSWER,     /* half of a query's answer passes, then it is closed */
    RELAY_CUT_COMMIT,     /* it is closed before a COMMIT passes, */
    RELAY_CUT_COMMITTED,  /* or before a COMMIT's answer does */
    RELAY_SILENCE_COMMIT, /* the same two places, but silence until the fault ends */
    RELAY_SILENCE_COMMITTED,
};

/* Times are microseconds, for each way; bytes stay in their order. */
struct relay_rule {
    enum relay_fault fault;
    unsigned delay;
    unsigned jitter; /* up to so much more, by chance */
};

struct relay;

/* To this numeric IPv4 address and port. NULL, with a word on stderr, when it can't start. */
struct relay *relay_open(const char *address, unsigned port);

/* Ends all connections. NULL is fine. */
void relay_close(struct relay *relay);

/* Where it listens. */
unsigned relay_port(const struct relay *relay);

/* Holds from now on, also for connections that are there. Any thread. */
void relay_set(struct relay *relay, struct relay_rule rule);

#endif
