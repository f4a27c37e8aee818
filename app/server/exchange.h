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
 * connection costs four. Those whose answer will be long in coming are suspended: being asked
 * in vain costs more then.
 */

#include "server/arrival.h"
#include "server/linger.h"
#include "server/server.h"
#include "server/wire.h"

#include <arpa/inet.h>
#include <limits.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

/* A connection, and the request on it, go through these in order, leaving some out; changed in
 * one place, by the loop's thread. */
enum exchange_state {
    EXCHANGE_CONNECTED, /* no request yet */
    EXCHANGE_STARTED,   /* the request line is known */
    EXCHANGE_BODY,      /* the guard is passed, the body is arriving */
    EXCHANGE_HANDLED,   /* the handler has it */
    EXCHANGE_DEFERRED,  /* another thread will answer */
    EXCHANGE_RESTING,   /* the same, but not soon: libmicrohttpd leaves it alone */
    EXCHANGE_ANSWERED,  /* the reply is there */
    EXCHANGE_QUEUED,    /* libmicrohttpd is sending it */
    EXCHANGE_IDLE,      /* answered; the connection is kept for the next request */
    EXCHANGE_CLOSING,   /* all was said: what still comes is not looked at */
    EXCHANGE_STATE_COUNT,
};

TAILQ_HEAD(exchange_list, http_exchange);

struct http_loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    int listen_socket; /* -1 once no more connections are taken; see http_server.listening */
    int wake;          /* an eventfd, written to when `answered` was empty, and to stop */
    atomic_bool is_asked_to_turn; /* until it has gone round */
    pthread_t thread;
    bool started;

    /* Of the loop's thread alone. */
    uint64_t now; /* clock_now() when this run began */
    /* Every exchange is in the list of its state, the one that is longest in it first. */
    struct exchange_list exchanges[EXCHANGE_STATE_COUNT];
    size_t handed_on; /* requests since no_more_input was last called */
    struct lingering linger;
    bool is_busy;     /* a request moved on in this run: there may be more to do at once */
    bool has_refused; /* the request that libmicrohttpd is at: what it says of it is no news */
    uint64_t arrived_until; /* that long it waits for requests when it leaves; clock_now() */

    pthread_mutex_t lock;
    struct http_exchange *answered; /* by other threads, linked by `next`; under the lock */
};

struct http_server {
    struct http_server_settings settings;
    struct endpoint endpoint;
    bool are_inherited; /* the listeners: another server will take who connects */
    struct cidr_list trusted_proxies;
    char name[HOST_NAME_MAX + 8]; /* of this machine, and the port if there is one */
    _Atomic(enum http_server_phase) phase;
    atomic_size_t threads;      /* that have not ended */
    atomic_size_t listening;    /* threads that may take a connection */
    atomic_size_t resting;      /* see http_exchange_rest */
    atomic_size_t active;       /* from the handler or a refusal on, until the answer is sent */
    atomic_size_t reply_memory; /* bytes of bodies of all replies */
    atomic_size_t body_memory;  /* bytes set aside for bodies of requests */
    struct arrival arrival;
    size_t loop_count;
    struct http_loop *loops;
};

/* For requests of one loop. Those of other loops that are answered alike have a copy each,
 * which shares the body: what the library writes for one request must not change under another
 * one's thread. */
struct http_reply {
    struct MHD_Response *native;
    char *id; /* in `native`: what X-Request-Id says next; NULL: always the same */
    struct http_loop *loop;
    unsigned status;
    size_t size;    /* bytes of the body */
    bool is_health; /* of a route for health checks */
    struct http_body *body;
    struct http_reply *copy; /* for another loop, and so on; has a reference. Changed by the
                                thread that answers */
    atomic_uint references;
};

/* One for each connection, used for one request after another. While it is deferred, another
 * thread may read `request` (but for what it borrows from the connection), and set `reply`. */
struct http_exchange {
    struct http_loop *loop;
    struct http_request request;
    enum exchange_state state;
    uint64_t since;    /* when it came into this state, or made progress there; clock_now() */
    uint64_t progress; /* bytes that had been moved by then and 1; 0: not looked at */
    TAILQ_ENTRY(http_exchange) same_state;
    unsigned route;       /* see http_exchange_set_route */
    bool is_deferred;     /* its answer is another thread's; not changed while it is */
    atomic_bool may_rest; /* see http_exchange_rest */
    uint64_t rested;      /* microseconds */
    bool is_orphan;       /* the connection ended before the answer came */
    bool lingers;         /* its client may be sending when the connection is closed */
    bool is_unix;         /* on a Unix socket */
    size_t body_size;     /* bytes that came, kept or not */
    size_t body_most;     /* how large the body can be, by its length or the limit */
    size_t body_memory;   /* bytes set aside for the body */
    uint64_t started;
    struct MHD_Connection *connection;
    int socket; /* libmicrohttpd's */
    struct wire_head head;
    struct trip trip;         /* that served the request */
    struct http_reply *reply; /* NULL: there was no memory for one */
    struct http_exchange *next;
    struct arrival_client *address; /* NULL: not counted */
    char client[INET6_ADDRSTRLEN];
};

#define EXCHANGE_SMALL_SIZE 4096 /* bytes: of an error, a todo */

/* Takes `more` bytes of this memory, for something that has `size` of them then; false when it
 * would be over the limit. What is small always fits. */
bool exchange_reserve(atomic_size_t *memory, size_t limit, size_t size, size_t more);

/* Moves the exchange to the end of the state's list. */
void exchange_set_state(struct http_exchange *exchange, enum exchange_state state);

/* Ends a connection: says why with this status, or nothing (0: an answer may be under way). */
void exchange_end(struct http_exchange *exchange, unsigned status, const char *detail);

/* The reply, or its copy for this loop, which is made if there is none. NULL without memory. On
 * the thread that answers. */
struct http_reply *http_reply_for(struct http_reply *reply, struct http_loop *loop);

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
