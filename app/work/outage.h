#ifndef WORK_OUTAGE_H
#define WORK_OUTAGE_H

/*
 * Whether the database does its work, as all workers see it together: reads and writes apart,
 * since a full disk, a replica or a user without rights lets one go on without the other. Told
 * in the log once, with the reason, when it is lost, and once when it is back. Any thread.
 */

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum todo_lane {
    TODO_READS,
    TODO_WRITES,
    TODO_LANE_COUNT,
};

struct todo_lane_state {
    _Atomic uint64_t succeeded_at; /* clock_now(); 0: never */
    atomic_bool is_failing;        /* since its last success; the rest is under the lock */
    unsigned failures;
    uint64_t failing_since; /* clock_now() */
    struct error reason;    /* of the last failure */
};

struct todo_outage {
    struct todo_lane_state lanes[TODO_LANE_COUNT];
    pthread_mutex_t lock; /* of the rest */
    bool is_on;           /* a lane is failing */
    bool is_told;
    uint64_t began;       /* clock_now() */
    uint64_t quiet_until; /* clock_now(): one that was short may come again and again */
};

void todo_outage_open(struct todo_outage *outage);
void todo_outage_close(struct todo_outage *outage);

/* What came of a flight or batch: ERROR_NONE when the database did it. A failure that is none
 * of its reach is told in the log by itself. */
void todo_outage_note(struct todo_outage *outage, enum todo_lane lane, const struct error *err);

/* Whether the lane has worked within the last seconds, and not failed since: what could be
 * asked of it is known. */
bool todo_outage_is_fresh(struct todo_outage *outage, enum todo_lane lane, uint64_t now);

/* Whether requests should come. Not after two failures of a lane or three seconds of failing;
 * again after one success. With *reason when it is false. */
bool todo_outage_is_ready(struct todo_outage *outage, uint64_t now, struct error *reason);

/* The same, of what is known: a lane that nothing was asked of yet may be good. */
bool todo_outage_seems_ready(struct todo_outage *outage, uint64_t now, struct error *reason);

/* Whether the lane did what it was last asked to, or was not asked yet. */
bool todo_outage_is_up(struct todo_outage *outage, enum todo_lane lane);

#endif
