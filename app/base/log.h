#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The log of `serve`: one line an event, on stdout, as JSON (RFC 8259) or for a person's eye.
 * Control bytes are escaped in both, and characters that would make a line look like another;
 * bodies and secrets are never passed to it. Any thread may log.
 *
 * From log_start to log_stop nobody waits for stdout: a thread of the log's own writes, lines
 * of level info and below every 100 ms, a warning or an error, and what is before it, at once.
 * Up to a mebibyte of lines waits; what does not fit is lost, and a warning says how much it
 * was as soon as lines are taken again. Before, a line is written before the call returns;
 * after log_stop there are none. Order is kept.
 */

#include "base/config.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an access-log line says. The texts are borrowed for the call. */
struct log_request {
    const char *id;    /* request id, NUL-terminated */
    const char *trace; /* the trace's id */
    const char *method;
    const char *path; /* the target as it was sent, without the query */
    size_t path_length;
    unsigned status;
    uint64_t bytes;        /* of the response's body */
    uint64_t microseconds; /* from the request's first line to its answer */
    const char *client;    /* numeric address, or "unix" */
    bool is_aborted;       /* the client has not got all of the answer */
    bool is_health;        /* a load balancer asks if all is well */
};

/* Warnings and errors that a client or an outage can cause as often as it likes. As long as the
 * writer runs, the first ten of a kind within ten seconds are written; the rest are counted,
 * and a line says how many there were, when the ten seconds are over or at the end. */
enum log_kind {
    LOG_DATABASE_CONFLICT,
    LOG_DATABASE_REFUSAL,
    LOG_CONNECTION_LIMIT,
    LOG_KINDS, /* how many there are */
};

/* `health`: health checks that succeed are of level info, else debug. Before the first call the
 * level is info and the format is text if stdout is a terminal. */
void log_configure(enum config_log_format format, enum config_log_level level, bool health);

/* Starts the writer. False with *err set. Signals that are for the main thread must be blocked
 * before. */
bool log_start(struct error *err);

/* Logs the last line, which says how it ended, writes all within a second if somebody reads it,
 * and ends the writer. What other threads log from now on is dropped. */
void log_stop(enum config_log_level level, const char *last);

/* Whether a line of this level would be written; saves the work of making one. */
bool log_enabled(enum config_log_level level);

void log_message(enum config_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void log_repeated(enum log_kind kind, enum config_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line for a request that was answered: level info, error for status 500, warning for the
 * other 5xx, which say that it can't be done now. Each 5xx is a kind of its own of lines that
 * may be repeated. */
void log_access(const struct log_request *request);

/* The line that says that requests are answered from now on, with the address, the port (0:
 * there is none) and the most connections as keys of their own; for a person, with the URL to
 * go to. */
void log_ready(const char *address, unsigned port, const char *url, size_t connections);

#endif
