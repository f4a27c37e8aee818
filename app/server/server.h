#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

/*
 * The libmicrohttpd adapter: sockets, threads, bodies, sending and the access log. Each
 * complete request that the guard lets through goes to one handler, on the thread of its
 * connection. The handler answers at once, or defers and lets any thread answer later; an HTTP
 * thread never waits.
 */

#include "base/error.h"
#include "http/request.h"
#include "http/response.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;

/* One request and its answer; belongs to its connection. Valid until it is answered. */
struct http_exchange;

/* A response ready to be sent, to one exchange or to many. Counted references; any thread. */
struct http_reply;

struct http_server_settings {
    const char *address; /* numeric IPv4 or IPv6 */
    unsigned port;       /* 0: the system picks one */
    unsigned threads;    /* 0: one for two cores */
    size_t body_limit;   /* bytes; a longer body gets 413 */
    size_t reply_memory; /* bytes of all replies that exist at a time, see http_reply_fits */

    /* Both are called on an HTTP thread, of which there may be many at a time, with no lock
     * held; they must not wait for anything. The first answers a request or defers it. The
     * second says that no more requests are at hand on that thread just now: those that were
     * deferred since the last time need not wait for company. */
    void (*answer_request)(void *context, struct http_exchange *exchange);
    void (*no_more_input)(void *context);
    void *context;
};

/* Listens and answers from now on. NULL with *err set when the address can't be had. */
struct http_server *http_server_start(const struct http_server_settings *settings,
                                      struct error *err);

/* The port that is listened on. */
unsigned http_server_port(const struct http_server *server);

/* Stops accepting connections, and closes each one after the answer that is under way. */
void http_server_drain(struct http_server *server);

/* Requests that have come in whole and are not answered to the last byte. */
size_t http_server_active(const struct http_server *server);

/* Requests that have begun and not come in whole; may be for ever. */
size_t http_server_arriving(const struct http_server *server);

/* From its return on the handler is not called any more: what still comes gets a 503. */
void http_server_refuse(struct http_server *server);

/* Closes all connections, joins all threads, frees the server. After http_server_refuse, and
 * when no exchange is deferred any more: libmicrohttpd can't stop with a suspended connection.
 */
void http_server_stop(struct http_server *server);

const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/* Name of this machine and port, for a request that has no Host (HTTP/1.0). */
const char *http_exchange_server_name(const struct http_exchange *exchange);

/* Says that the answer comes later. Called by the handler, before any other thread learns of
 * the exchange. */
void http_exchange_defer(struct http_exchange *exchange);

/* Answers: the exchange is not the caller's any more. Takes its own reference of the reply.
 * NULL (there was no memory for one) closes the connection. */
void http_exchange_answer(struct http_exchange *exchange, struct http_reply *reply);

/* Makes a reply of the response and answers with it; takes the response's body. */
void http_exchange_respond(struct http_exchange *exchange, struct http_response *response);

/* The exchange is any that the reply is for. Takes the response's body (it is empty
 * afterwards). NULL without memory, or when the response is not complete for lack of it. */
struct http_reply *http_reply_make(const struct http_exchange *exchange,
                                   struct http_response *response);
void http_reply_release(struct http_reply *reply);

/* Whether a reply with a body of this many bytes would be within reply_memory. A reply that is
 * shared counts once, until the slowest client has it. Small ones always fit. */
bool http_reply_fits(const struct http_exchange *exchange, size_t size);

#endif
