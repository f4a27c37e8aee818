#ifndef BASE_METRICS_H
#define BASE_METRICS_H

/*
 * What the program counts, as Prometheus reads it (text format 0.0.4). One table in metrics.c
 * (name, type, help, labels) gives all families; here are the places of their values. Each
 * thread counts in a block of its own, so nobody waits for anybody and no cache line goes back
 * and forth; who reads adds the blocks up. Counts of a thread that has ended stay.
 *
 * Any thread, if nothing else is said.
 */

#include "base/buffer.h"

#include <stdint.h>

/* Labels whose values are named by who knows them, at the start: metrics_name. */
enum metrics_label {
    METRICS_NO_LABEL,
    METRICS_ROUTE,
    METRICS_METHOD,
    METRICS_CODE, /* of HTTP's status */
    METRICS_REASON,
    METRICS_KIND,
    METRICS_LEVEL,
    METRICS_ERROR, /* the database's number */
    METRICS_LABELS,
};

/* Most values of each. */
#define METRICS_ROUTES  8U
#define METRICS_METHODS 8U
#define METRICS_CODES   24U
#define METRICS_LEVELS  4U
#define METRICS_ERRORS  96U

/* The first route, status and error stands for all that have no name of their own. */
#define METRICS_OTHER 0U

/* Why a request was refused without a look at what it asks for. */
enum metrics_reason {
    METRICS_REJECTED_GUARD,       /* malformed, or too large a head */
    METRICS_REJECTED_HOST,        /* not in ALLOWED_HOSTS */
    METRICS_REJECTED_ORIGIN,      /* a change by a page that CORS_ORIGINS leaves out */
    METRICS_REJECTED_BODY,        /* over HTTP_BODY_LIMIT */
    METRICS_REJECTED_MEMORY,      /* REQUEST_MEMORY or RESPONSE_MEMORY is used up */
    METRICS_REJECTED_QUEUE,       /* DB_QUEUE is full */
    METRICS_REJECTED_DEADLINE,    /* REQUEST_TIMEOUT is over */
    METRICS_REJECTED_SLOW,        /* it did not come in time */
    METRICS_REJECTED_CONNECTIONS, /* its connection had to make room */
    METRICS_REASONS,
};

enum metrics_kind {
    METRICS_READ,
    METRICS_WRITE,
    METRICS_KINDS,
};

#define METRICS_TIME_BOUNDS 15U /* of a histogram of times, */
#define METRICS_SIZE_BOUNDS 11U /* and of one of sizes */

/* A histogram has, for each value of its label, a cell for each bound, for what is above, and
 * for the sum. */
#define METRICS_TIME_CELLS (METRICS_TIME_BOUNDS + 2)
#define METRICS_SIZE_CELLS (METRICS_SIZE_BOUNDS + 2)

/* The first cell of each family: the next one's tells how many it has. With labels, the cell is
 * counted from there, see metrics_cell. Times are in microseconds, memory in bytes. */
enum metrics_family {
    METRICS_HTTP_REQUESTS, /* route, method, code */
    METRICS_HTTP_DURATION =
        METRICS_HTTP_REQUESTS + METRICS_ROUTES * METRICS_METHODS * METRICS_CODES, /* route */
    METRICS_HTTP_IN_FLIGHT = METRICS_HTTP_DURATION + METRICS_ROUTES * METRICS_TIME_CELLS,
    METRICS_HTTP_WAITING,
    METRICS_HTTP_CONNECTIONS,
    METRICS_HTTP_CONNECTIONS_MAX,
    METRICS_HTTP_REJECTED, /* reason */
    METRICS_REQUEST_MEMORY = METRICS_HTTP_REJECTED + METRICS_REASONS,
    METRICS_REQUEST_MEMORY_MAX,
    METRICS_RESPONSE_MEMORY,
    METRICS_RESPONSE_MEMORY_MAX,
    METRICS_QUEUE_REQUESTS, /* kind */
    METRICS_QUEUE_MAX = METRICS_QUEUE_REQUESTS + METRICS_KINDS,
    METRICS_QUEUE_WAIT,                                                         /* kind */
    METRICS_DB_BATCH = METRICS_QUEUE_WAIT + METRICS_KINDS * METRICS_TIME_CELLS, /* kind */
    METRICS_DB_TRIP = METRICS_DB_BATCH + METRICS_KINDS * METRICS_SIZE_CELLS,    /* kind */
    METRICS_DB_UP = METRICS_DB_TRIP + METRICS_KINDS * METRICS_TIME_CELLS,       /* kind */
    METRICS_DB_CONNECTIONS = METRICS_DB_UP + METRICS_KINDS,
    METRICS_DB_RECONNECTS,
    METRICS_DB_ERRORS,                                      /* error */
    METRICS_LOG_LINES = METRICS_DB_ERRORS + METRICS_ERRORS, /* level */
    METRICS_LOG_DROPPED = METRICS_LOG_LINES + METRICS_LEVELS,
    METRICS_XRAY_SENT,
    METRICS_XRAY_DROPPED,
    METRICS_SCHEMA_VERSION,
    METRICS_BUILD,
    METRICS_READY,
    METRICS_DRAINING,
    METRICS_PROCESS_CPU,
    METRICS_PROCESS_FDS,
    METRICS_PROCESS_FDS_MAX,
    METRICS_PROCESS_VIRTUAL,
    METRICS_PROCESS_VIRTUAL_MAX,
    METRICS_PROCESS_RESIDENT,
    METRICS_PROCESS_HEAP,
    METRICS_PROCESS_START,
    METRICS_PROCESS_THREADS,
    METRICS_CELLS, /* of all together */
};

/* Adds to a counter, or to a gauge of what comes and goes (the sum over all threads, which
 * wraps around: -1 takes one away). */
void metrics_add(unsigned cell, uint64_t count);

/* Adds a value to the histogram's label. */
void metrics_observe(enum metrics_family histogram, unsigned label, uint64_t value);

/* Counts in METRICS_DB_ERRORS, by the number's name. */
void metrics_count_error(unsigned number);

/* For a gauge that is looked up when it is asked for. */
void metrics_set(unsigned cell, uint64_t value);

static inline unsigned metrics_request_cell(unsigned route, unsigned method, unsigned code)
{
    return METRICS_HTTP_REQUESTS + (route * METRICS_METHODS + method) * METRICS_CODES + code;
}

/* The rest but metrics_append is for the start, before other threads look. */

/* Names a label's value. A cell whose values have no names is not shown. The text is copied, up
 * to 31 bytes. */
void metrics_name(enum metrics_label label, unsigned value, const char *text);

/* The same for METRICS_ERROR, with the next value that has no name. */
void metrics_name_error(unsigned number);

/* Shows a cell of METRICS_HTTP_REQUESTS while it is 0, too: the first error shall be seen to
 * come. The others of that family are shown once they are not. */
void metrics_expect(unsigned cell);

/* The texts live as long as the program. */
void metrics_describe_build(const char *version, const char *commit, const char *database);

/* What sets the gauges, before each look; NULL: nothing. */
void metrics_set_collector(void (*collect)(void *context), void *context);

/* Appends all, in the text format. One thread at a time. */
void metrics_append(struct buffer *out);

#endif
