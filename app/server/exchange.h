#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

/*
 * Private to the adapter (server.c, exchange.c, reply.c): how requests travel through
 * libmicrohttpd.
 *
 * Each loop is one thread with a libmicrohttpd daemon of its own, driven from outside: the loop
 * waits for sockets and for answers, then lets the daemon run. A handler that has no answer yet
 * just returns; libmicrohttpd asks it again at each run, and that is how an answer made
 * elsewhere gets in. It costs no system call a request, where suspending and resuming a
 * connection costs four.
 */

#include "server/server.h"
#include "server/wire.h"

#include <arpa/inet.h>
#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct http_loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    int listen_socket; /* -1 once draining */
    int wake;          /* an eventfd, written to when `answered` was empty, and to stop */
    pthread_t thread;
    bool started;

    /* Of the loop's thread alone. */
    struct http_exchange *starting; /* whose request line is known, and no more */
    size_t deferred;                /* exchanges that wait for an answer */
    size_t handed_on;               /* requests since no_more_input was last called */
    bool is_busy;     /* a request moved on in this run: there may be more to do at once */
    bool has_refused; /* the request that libmicrohttpd is at: what it says of it is no news */

    pthread_mutex_t lock;
    struct http_exchange *answered; /* by other threads, linked by `next`; under the lock */
};

struct http_server {
    struct http_server_settings settings;
    unsigned port;
    char name[HOST_NAME_MAX + 8]; /* of this machine, and the port */
    atomic_bool draining;
    atomic_bool refusing;
    atomic_bool stopping;
    atomic_uint in_handler;     /* threads that are in answer_request */
    atomic_size_t arriving;     /* requests that have begun, before the handler */
    atomic_size_t active;       /* from the handler or a refusal on, until the answer is sent */
    atomic_size_t reply_memory; /* bytes of bodies of all replies */
    size_t loop_count;
    struct http_loop *loops;
};

struct http_reply {
    struct MHD_Response *native;
    unsigned status;
    size_t size; /* bytes of the body */
    struct http_server *server;
    atomic_uint references;
};

/* A request goes through these in order, leaving some out; changed in one place, by the loop's
 * thread. */
enum exchange_state {
    EXCHANGE_IDLE,     /* no request, or it needs nothing any more */
    EXCHANGE_STARTED,  /* the request line is known */
    EXCHANGE_BODY,     /* the guard is passed, the body is arriving */
    EXCHANGE_HANDLED,  /* the handler has it */
    EXCHANGE_DEFERRED, /* another thread will answer */
    EXCHANGE_ANSWERED, /* the reply is there */
    EXCHANGE_QUEUED,   /* libmicrohttpd is sending it */
};

/* One for each connection, used for one request after another. While it is deferred, another
 * thread may read `request` (but for what it borrows from the connection), and set `reply`. */
struct http_exchange {
    struct http_loop *loop;
    struct http_request request;
    enum exchange_state state;
    bool is_orphan;   /* the connection ended before the answer came */
    size_t body_size; /* bytes that came, kept or not */
    uint64_t started;
    struct MHD_Connection *connection;
    struct wire_head head;
    struct http_reply *reply; /* NULL: there was no memory for one */
    struct http_exchange *next;
    struct http_exchange *next_starting;  /* while EXCHANGE_STARTED */
    struct http_exchange **starting_link; /* what points here */
    char client[INET6_ADDRSTRLEN];
};

/* libmicrohttpd's callbacks; the context is the loop. */
void *exchange_start_request(void *loop, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_advance(void *loop, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *size, void **exchange);
void exchange_end_request(void *loop, struct MHD_Connection *connection, void **exchange,
                          enum MHD_RequestTerminationCode code);
void exchange_notify_connection(void *loop, struct MHD_Connection *connection, void **exchange,
                                enum MHD_ConnectionNotificationCode code);

/* libmicrohttpd is about to refuse a request by itself, with this status (0: without a word).
 */
void exchange_note_refusal(struct http_loop *loop, unsigned status);

/* Ends the loop's sleep. On any thread. */
void exchange_wake(const struct http_loop *loop);

/* Lets the answers in that other threads have made. On the loop's thread, or after its end. */
void exchange_take_answers(struct http_loop *loop);

#endif
