#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

/*
 * The libmicrohttpd adapter: sockets, threads, bodies, sending and the access log. Each
 * complete request that the guard lets through goes to one handler, on the thread of its
 * connection. The handler answers at once, or defers and lets any thread answer later; an HTTP
 * thread never waits.
 */

#include "base/endpoint.h"
#include "base/error.h"
#include "base/metrics.h"
#include "base/trip.h"
#include "http/request.h"
#include "http/response.h"
#include "server/listen.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;
struct xray;

/* One request and its answer; belongs to its connection. Valid until it is answered. */
struct http_exchange;

/* A response ready to be sent, to one exchange or to many. Counted references; any thread. */
struct http_reply;

struct http_server_settings {
    struct http_listeners *listeners; /* one at least; closed in the end, on failure, too */
    const char *prefix;               /* of the names of its settings, as for http_listen */
    bool is_measured;                 /* in the metrics; one server of the process at most */
    struct xray *xray;                /* is told of requests; NULL: nobody is */
    size_t connections;               /* most at a time; 0: as many as there is room for */
    unsigned threads;                 /* 0: one for two cores; at least one for each listener */
    const char *trusted_proxies;      /* for cidr_list_parse, and valid */
    const char *cors_origins;         /* see base/origins.h; NULL: all */
    size_t descriptors;               /* that are kept for all else than connections */
    size_t client_connections;        /* most of one address at a time; 0: half of all */
    size_t body_limit;                /* bytes; a longer body gets 413 */
    size_t request_memory; /* bytes of all bodies that are arriving; one beyond it gets 503 */
    size_t reply_memory; /* bytes of all replies that exist at a time, see http_reply_reserve */

    /* Both are called on an HTTP thread, of which there may be many at a time, with no lock
     * held; they must not wait for anything. The first answers a request or defers it. The
     * second says that no more requests are at hand on that thread just now: those that were
     * deferred since the last time need not wait for company. */
    void (*answer_request)(void *context, struct http_exchange *exchange);
    void (*no_more_input)(void *context);
    void *context;
};

/* How many threads there would be on a socket of its own, and connections at a time, with the
 * settings' threads and descriptors: see http_server_connection_limit. */
bool http_server_measure(const struct http_server_settings *settings, size_t *threads,
                         size_t *connections, struct error *err);

/* How many descriptors a server of one thread takes for so many connections. */
size_t http_server_descriptors(size_t connections);

/* Listens and answers from now on. NULL with *err set: then nothing was called. */
struct http_server *http_server_start(const struct http_server_settings *settings,
                                      struct error *err);

/* What is listened on; of several, the first. */
const struct endpoint *http_server_endpoint(const struct http_server *server);

/* How many connections there can be at a time: as many as descriptors (ulimit -n, raised as far
 * as is allowed) and a container's memory suffice for, at most 8192. One more takes the place
 * of another, see arrival.h. */
size_t http_server_connection_limit(const struct http_server *server);

/* Sets the gauges of a server that is measured. Any thread. */
void http_server_report(const struct http_server *server);

/* The life of a server, in this order. */
enum http_server_phase {
    HTTP_SERVER_STARTING, /* not all threads are there: none takes a connection */
    HTTP_SERVER_SERVING,
    HTTP_SERVER_DRAINING, /* each answer closes its connection; new ones are still taken */
    HTTP_SERVER_CLOSED,   /* who has connected is taken (unless another server will take him),
                             nobody else; requests are answered */
    HTTP_SERVER_LEAVING,  /* connections without a request end; a thread ends when it owes no
                             answer, and what had begun to come is there, or 2 s are over */
    HTTP_SERVER_CUT,      /* a thread ends, whatever it owes */
};

/* Goes on to DRAINING, CLOSED or LEAVING. */
void http_server_advance(struct http_server *server, enum http_server_phase phase);

/* Requests that have come in whole and are not answered to the last byte. */
size_t http_server_active(const struct http_server *server);

/* Connections on which a request may come: those that are open, and one as long as it is not
 * known whether there are more to take. */
size_t http_server_connections(const struct http_server *server);

/* Threads that have not ended yet. */
size_t http_server_threads(const struct http_server *server);

/* Whether each thread has gone round since this was last true; then they are asked to do it
 * once more. For a watchdog, from one thread, as long as the phase is SERVING. */
bool http_server_has_turned(struct http_server *server);

/*
 * The end, in this order, so that nothing is used that is gone:
 *
 * 1. http_server_join: cuts and joins the threads. From its return on neither callback is
 *    called, so what they work on may go: whoever has deferred exchanges answers them, to the
 *    deaf, and is freed.
 * 2. http_server_free: closes all connections. No exchange is deferred any more.
 */
void http_server_join(struct http_server *server);
void http_server_free(struct http_server *server);

const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/* Name of this machine and port, for a request that has no Host (HTTP/1.0). */
const char *http_exchange_server_name(const struct http_exchange *exchange);

/* For the metrics: which of its service's routes it is for, counted from 1; 0: none. */
void http_exchange_set_route(struct http_exchange *exchange, unsigned route);

/* For the metrics: it is refused for this reason. */
void http_exchange_count_rejection(const struct http_exchange *exchange,
                                   enum metrics_reason reason);

/* For the trace: the trip to the database that served it, the last one counts. By who will
 * answer. */
void http_exchange_note_trip(struct http_exchange *exchange, const struct trip *trip);

/* What the database is told of the request's trace: see http_trace_print. By the handler. */
void http_exchange_print_trace(struct http_exchange *exchange,
                               char text[HTTP_TRACE_PARENT_LENGTH + 1]);

/* Says that the answer comes later. Called by the handler, before any other thread learns of
 * the exchange. */
void http_exchange_defer(struct http_exchange *exchange);

/* Says of a deferred exchange that its answer will be long in coming: meanwhile its connection
 * costs nothing, and the time is not counted in the metrics. False when half of all connections
 * rest already: others need some, too. Any thread. */
bool http_exchange_rest(struct http_exchange *exchange);

/* Whether the client of a deferred exchange has left. Any thread. */
bool http_exchange_has_left(const struct http_exchange *exchange);

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

/* Bytes of its body. */
size_t http_reply_size(const struct http_reply *reply);

/* Sets this many bytes of reply_memory aside, for a reply that is about to be made; false when
 * there are fewer left. A reply counts once, however many share it, until the slowest client
 * has it. Small ones always fit. */
bool http_reply_reserve(const struct http_exchange *exchange, size_t size);

/* Gives them back: the reply is there and counts itself. */
void http_reply_unreserve(const struct http_exchange *exchange, size_t size);

#endif
