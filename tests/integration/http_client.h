#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

/*
 * HTTP/1.1 for tests, over plain sockets: it sends exactly the bytes it is given, so that wrong
 * requests can be sent too, and it never waits longer than CLIENT_TIME_LIMIT for anything. Any
 * thread may use a connection of its own.
 *
 * If TEST_EXCHANGES names a file, each answer to client_send_request is a line of it:
 * {"method":"GET","target":"/todos","status":200,"head":"...","body":"..."}, the head as in
 * struct client_response, each byte as the character of its number.
 */

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define CLIENT_TIME_LIMIT 10000 /* milliseconds for a whole answer */

struct client_connection {
    int fd;                 /* -1 when closed */
    struct buffer received; /* bytes that came and were not used yet */
    struct buffer asked;    /* what TEST_EXCHANGES is told of the last request */
};

/* Members that are zero are left out of the request. */
struct client_request {
    const char *method;  /* NULL: GET */
    const char *path;    /* the target as it is sent */
    const char *headers; /* lines, each ended by \r\n; a Host is added unless one is here */
    const char *type;    /* Content-Type */
    const char *body;
    size_t size; /* of the body; 0: it is a text, and ends at its NUL */
};

struct client_response {
    int status;         /* 0: no answer, or not an HTTP one */
    struct buffer head; /* status line and header lines, each followed by a NUL */
    struct buffer body; /* a chunked one put together */
};

/* Connects to 127.0.0.1. False when nobody listens. */
bool client_open(struct client_connection *connection, unsigned port);
void client_close(struct client_connection *connection);

/* Sends bytes as they are. False when the server has closed. */
bool client_send(struct client_connection *connection, const void *bytes, size_t size);
bool client_send_text(struct client_connection *connection, const char *text);
bool client_send_request(struct client_connection *connection, unsigned port,
                         const struct client_request *request);

/* Reads one answer (a 1xx one too, as an answer of its own). `to_head`: it answers a HEAD, so
 * it has no body. False, and status 0, when none came in full within `limit` milliseconds. */
bool client_receive(struct client_connection *connection, bool to_head, int limit,
                    struct client_response *response);

/* Whether the server closes the connection within `limit` milliseconds, sending nothing. */
bool client_is_closed(struct client_connection *connection, int limit);

/* All that comes until the server closes; false if it doesn't within CLIENT_TIME_LIMIT. */
bool client_read_to_end(struct client_connection *connection, struct buffer *all);

/* Connects, sends, receives and closes. *response is cleared first; false without an answer. */
bool client_ask(unsigned port, const struct client_request *request,
                struct client_response *response);

/* The first header's value, or NULL. Names compare without case. */
const char *client_header(const struct client_response *response, const char *name);

/* The body as text: "" when there is none. */
const char *client_body(const struct client_response *response);

void client_response_release(struct client_response *response);

#endif
