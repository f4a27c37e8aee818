#ifndef SCHEMA_LEASE_H
#define SCHEMA_LEASE_H

/*
 * A lock for a cluster whose nodes share rows and nothing else (Galera: GET_LOCK is refused, or
 * is one node's own): the one row of a table. A row doesn't go with its connection, as GET_LOCK
 * does. So who has it counts up in it, and who sees the same count for LEASE_SECONDS takes it
 * away. Only the watcher's own clock is asked, so the nodes' may differ; and a row that was
 * counted up in the meantime, on whichever node, is not deleted: the cluster certifies that.
 *
 * All is for one thread, beside a connection that the caller has.
 */

#include "base/config.h"
#include "base/error.h"
#include "db/mysql.h"

#include <stdbool.h>
#include <stdint.h>

#define LEASE_SECONDS 40

struct lease {
    const struct config *config;
    MYSQL *beater;  /* counts up while the caller's connection is busy; NULL: not yet */
    bool is_asked;  /* the beater's answer is due */
    uint64_t beat;  /* when it last counted up */
    bool is_made;   /* the table is there */
    char owner[40]; /* who we are; "" as long as we don't know */
    struct lease_holder {
        char owner[40];
        char beats[24]; /* a number, as the server writes it */
    } seen;             /* another holder, as it has been since `since` */
    uint64_t since;
};

/* One try; ERROR_LOCKED when another has it. */
bool lease_take(struct lease *lease, MYSQL *connection, struct error *err);

/* Counts up: ERROR_LOCKED when another has taken it away. */
bool lease_keep(const struct lease *lease, MYSQL *connection, struct error *err);

/* The same without waiting for anything, on a connection of its own. To be called about every
 * second; what fails is tried again. */
void lease_beat(struct lease *lease);

/* Gives it back, if it is ours. */
bool lease_give(const struct lease *lease, MYSQL *connection, struct error *err);

/* Closes its own connection. */
void lease_end(struct lease *lease);

#endif
