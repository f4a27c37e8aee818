#ifndef SERVER_WIRE_H
#define SERVER_WIRE_H

/*
 * All that leans on the insides of libmicrohttpd: where its strings lie, what it lets through,
 * what it says by itself. Checked against 0.9.75 (Debian 12) and 1.0.1 (Debian 13); another
 * version is a warning in the log, and `serve` asks itself for /livez before it says "ready".
 *
 * 1.0 refuses by itself what could be read in two ways, once it is told to be strict (its
 * discipline level 1; at 0 it takes a bare LF for a line's end and redirects a target with a
 * blank). 0.9 refuses next to nothing, but it makes its strings in place of what it received:
 * so every byte from the method to the empty line must belong to a string that it gives, or be
 * the separator that belongs between the two. What is hidden in a line that it has thrown away,
 * or appended to another one, is missed there.
 *
 * Not to be seen from here with 0.9: the lines of a chunked body that came in a packet without
 * the data behind them, and its trailers. So the connection ends with the answer to such a
 * request, and nothing that follows it is ever taken for the next one; with 1.0, too, so that
 * there is one way.
 *
 * For the loop's thread.
 */

#include "http/request.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define WIRE_CHECKED_VERSIONS "0.9.75 and 1.0.1"

/* Whether the library that runs is one of the versions above. */
bool wire_is_checked(void);

/* The argument of MHD_OPTION_STRICT_FOR_CLIENT. */
int wire_strictness(void);

/* Where the library found the parts of a request's head. */
struct wire_head {
    const char *method;
    const char *target; /* changed since by the library: the request has a copy */
    const char *version;
};

/* Gives the headers that the library has read so far to the request. */
void wire_read_fields(struct MHD_Connection *connection, struct http_request *request);

/* The same when it has read them all, and the size of it all. Says what is wrong with request
 * line and headers, as a sentence for the client, or NULL. */
const char *wire_read_head(struct MHD_Connection *connection, const struct wire_head *head,
                           struct http_request *request);

/* What is wrong with the framing before this piece of a body, as far as it can be seen, or
 * NULL. */
const char *wire_body_problem(struct MHD_Connection *connection, const struct wire_head *head,
                              const char *data);

/* Whether the library's message says that it refuses a request by itself: with *status, or, 0,
 * by closing the connection without a word. `arguments` stay as they are. */
bool wire_is_refusal(const char *format, va_list arguments, unsigned *status);

/* The library's own copy of a header's value in a response. Whoever writes over it on the
 * loop's thread, just before he queues the response, writes what this one request is told: the
 * library puts the head together before it turns to another request. */
char *wire_header_value(struct MHD_Response *response, const char *name);

/* Whether the library has read a head to its end. */
bool wire_has_head(struct MHD_Connection *connection);

/* Sends these bytes past the library and ends the sending: what the library wants to send
 * itself then fails, and it closes the connection. */
void wire_send_last(int socket, const char *bytes, size_t size);

#endif
