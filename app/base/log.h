#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The log of `serve`: one line an event, on stdout, as JSON (RFC 8259) or for a person's eye.
 * Control bytes are escaped in both; bodies and secrets are never passed to it. Any thread may
 * log. Lines of level info and below are kept in a buffer and written by log_flush or when it
 * is full; a warning or an error writes everything at once. Order is kept.
 */

#include "base/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an access-log line says. The texts are borrowed for the call. */
struct log_request {
    const char *id; /* request id, NUL-terminated */
    const char *method;
    const char *path; /* the target as it was sent, without the query */
    size_t path_length;
    unsigned status;
    uint64_t bytes;        /* of the response's body */
    uint64_t microseconds; /* from the request's first line to its answer */
    const char *client;    /* numeric address */
};

/* Before the first call the level is info and the format is text if stdout is a terminal. */
void log_configure(enum config_log_format format, enum config_log_level level);

/* Whether a line of this level would be written; saves the work of making one. */
bool log_enabled(enum config_log_level level);

void log_message(enum config_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line of level info for a request that was answered. */
void log_access(const struct log_request *request);

/* The line that says that requests are answered from now on, with the address and port as keys
 * of their own. */
void log_ready(const char *address, unsigned port);

/* Writes what is kept. Called often (every 100 ms) by serve's main thread, and before the end.
 */
void log_flush(void);

#endif
