#include "server/server.h"

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/exchange.h"
#include "server/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* For a head as large as the guard lets through, what the library makes of it (64 bytes a
 * header), and the answer's head. It is cleared for every request, so each kilobyte costs:
 * twice as much makes a look-up 5 % slower. */
#define CONNECTION_MEMORY   ((size_t)18432)
#define THREADS_MOST        64
#define UNSURE_MILLISECONDS 10 /* see wait_milliseconds */
#define LINGER_MILLISECONDS 1000
#define LEAVE_MILLISECONDS  100
#define ARRIVAL_TIME        2000000U /* microseconds, for requests to come in at the end */
#define SPARE_PLACES        8        /* of a loop: for those that come while others leave */
/* epoll's, the wake's, libmicrohttpd's own wake's and the listening one, and those of
 * connections that are not counted */
#define LOOP_DESCRIPTORS (4 + SPARE_PLACES + LINGER_MOST)

/* Keeps the target as it was sent: request.c decodes it, and knows how long it is. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void hear_library(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void hear_library(void *context, const char *format, va_list arguments)
{
    unsigned status;
    char text[256];

    if (wire_is_refusal(format, arguments, &status)) {
        exchange_note_refusal(context, status);
        return;
    }
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    log_message(CONFIG_LOG_DEBUG, "libmicrohttpd: %s", text);
}

/* ---- the loop ---- */

/* How long the loop may sleep. libmicrohttpd never lets it while a connection waits for its
 * answer, although there is nothing to do for that one. So the loop goes on as long as requests
 * move, and a wrong guess costs no more than a few milliseconds. */
static int wait_milliseconds(const struct http_loop *loop)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    int arrival;

    if (loop->is_busy)
        return 0;
    arrival = arrival_milliseconds(loop);
    if (loop->linger.count > 0 && (arrival < 0 || arrival > LINGER_MILLISECONDS))
        arrival = LINGER_MILLISECONDS;
    if (loop->arrived_until > 0 && (arrival < 0 || arrival > LEAVE_MILLISECONDS))
        arrival = LEAVE_MILLISECONDS;
    if (MHD_get_timeout(loop->daemon, &timeout) != MHD_YES)
        return arrival;
    if (timeout == 0 && !TAILQ_EMPTY(&loop->exchanges[EXCHANGE_DEFERRED]))
        timeout = UNSURE_MILLISECONDS;
    return arrival >= 0 && (MHD_UNSIGNED_LONG_LONG)arrival < timeout ? arrival : (int)timeout;
}

/* The next of those that have connected already; closing the listener would reset them, if it
 * is not another's, too. */
static bool take_connection(const struct http_loop *loop)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    int connection = accept4(loop->listen_socket, (struct sockaddr *)&address, &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);

    /* what it doesn't take, it closes */
    if (connection >= 0)
        MHD_add_connection(loop->daemon, connection, (struct sockaddr *)&address, size);
    return connection >= 0 || errno == ECONNABORTED || errno == EINTR;
}

/* libmicrohttpd's own thread rules: only the thread that runs a daemon touches it. */
static void stop_accepting(struct http_loop *loop)
{
    if (loop->listen_socket < 0)
        return;
    MHD_quiesce_daemon(loop->daemon);
    for (unsigned i = 0; i < HTTP_LISTEN_BACKLOG && !loop->server->are_inherited; i++)
        if (atomic_load(&loop->server->phase) == HTTP_SERVER_CUT || !take_connection(loop))
            break;
    close(loop->listen_socket);
    loop->listen_socket = -1;
}

/* Sleeps until there is something to do, and does all of it but libmicrohttpd's. */
static void wait_for_work(struct http_loop *loop, int library)
{
    struct pollfd sources[2 + LINGER_MOST] = {
        {.fd = library,    .events = POLLIN},
        {.fd = loop->wake, .events = POLLIN},
    };
    uint64_t count;

    linger_list(&loop->linger, &sources[2]);
    poll(sources, 2 + loop->linger.count, wait_milliseconds(loop));
    loop->is_busy = false;
    loop->now = clock_now();
    if (sources[1].revents && read(loop->wake, &count, sizeof(count)) > 0)
        exchange_take_answers(loop);
    linger_read(&loop->linger, &sources[2], loop->now);
    arrival_expire(loop);
}

static bool owes_answer(const struct http_loop *loop)
{
    for (size_t state = EXCHANGE_HANDLED; state <= EXCHANGE_QUEUED; state++)
        if (!TAILQ_EMPTY(&loop->exchanges[state]))
            return true;
    return false;
}

static bool is_arriving(const struct http_loop *loop)
{
    return clock_now() < loop->arrived_until &&
           (!TAILQ_EMPTY(&loop->exchanges[EXCHANGE_CONNECTED]) ||
            !TAILQ_EMPTY(&loop->exchanges[EXCHANGE_STARTED]) ||
            !TAILQ_EMPTY(&loop->exchanges[EXCHANGE_BODY]) ||
            !TAILQ_EMPTY(&loop->exchanges[EXCHANGE_IDLE]));
}

/* Ends the connections in this state on which nothing has come. */
static void end_silent(const struct http_loop *loop, enum exchange_state state)
{
    struct http_exchange *exchange = TAILQ_FIRST(&loop->exchanges[state]);

    while (exchange) {
        struct http_exchange *next = TAILQ_NEXT(exchange, same_state);
        int unread = 0;
        if (ioctl(exchange->socket, FIONREAD, &unread) != 0 || unread == 0)
            exchange_end(exchange, 0, NULL);
        exchange = next;
    }
}

/* Once, after the listener is closed. */
static void begin_to_leave(struct http_loop *loop)
{
    loop->arrived_until = clock_now() + ARRIVAL_TIME;
    end_silent(loop, EXCHANGE_CONNECTED);
    end_silent(loop, EXCHANGE_IDLE);
}

/* Whether the loop has to go on. */
static bool goes_on(struct http_loop *loop)
{
    enum http_server_phase phase = atomic_load(&loop->server->phase);

    if (phase != HTTP_SERVER_LEAVING || loop->listen_socket >= 0)
        return phase <= HTTP_SERVER_LEAVING;
    if (loop->arrived_until == 0)
        begin_to_leave(loop);
    return owes_answer(loop) || is_arriving(loop);
}

static void run_daemon(struct http_loop *loop)
{
    size_t handed_on = loop->handed_on;

    MHD_run(loop->daemon);
    if (handed_on > 0 && loop->handed_on == handed_on) {
        loop->handed_on = 0;
        loop->server->settings.no_more_input(loop->server->settings.context);
    }
}

static void *run_loop(void *context)
{
    struct http_loop *loop = context;
    struct http_server *server = loop->server;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd wake = {.fd = loop->wake, .events = POLLIN};

    while (atomic_load(&server->phase) == HTTP_SERVER_STARTING)
        poll(&wake, 1, -1);
    while (goes_on(loop)) {
        wait_for_work(loop, info->epoll_fd);
        if (loop->listen_socket >= 0 && atomic_load(&server->phase) >= HTTP_SERVER_CLOSED) {
            stop_accepting(loop);
            atomic_fetch_sub(&server->listening, 1);
        }
        run_daemon(loop);
        atomic_store_explicit(&loop->is_asked_to_turn, false, memory_order_relaxed);
    }
    atomic_fetch_sub(&server->threads, 1);
    return NULL;
}

void http_server_advance(struct http_server *server, enum http_server_phase phase)
{
    atomic_store(&server->phase, phase);
    for (size_t i = 0; i < server->loop_count; i++)
        exchange_wake(&server->loops[i]);
}

bool http_server_has_turned(struct http_server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        if (atomic_load(&server->loops[i].is_asked_to_turn))
            return false;
    for (size_t i = 0; i < server->loop_count; i++) {
        atomic_store(&server->loops[i].is_asked_to_turn, true);
        exchange_wake(&server->loops[i]);
    }
    return true;
}

static bool start_loop(struct http_server *server, struct http_loop *loop, int listener,
                       unsigned connection_limit, struct error *err)
{
    loop->server = server;
    loop->now = clock_now();
    for (size_t state = 0; state < EXCHANGE_STATE_COUNT; state++)
        TAILQ_INIT(&loop->exchanges[state]);
    loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->listen_socket = fcntl(listener, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_init(&loop->lock, NULL);
    if (loop->wake < 0 || loop->listen_socket < 0)
        return error_set(err, ERROR_SYSTEM, "cannot start an HTTP thread: %s", strerror(errno));
    /* clang-format off: an option a line */
    loop->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        exchange_advance, loop, MHD_OPTION_EXTERNAL_LOGGER, hear_library, loop,
        MHD_OPTION_STRICT_FOR_CLIENT, wire_strictness(), MHD_OPTION_LISTEN_SOCKET,
        loop->listen_socket, MHD_OPTION_URI_LOG_CALLBACK, exchange_start_request, loop,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        exchange_end_request, loop, MHD_OPTION_NOTIFY_CONNECTION, exchange_notify_connection,
        loop, MHD_OPTION_CONNECTION_LIMIT, connection_limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_END);
    /* clang-format on */
    if (!loop->daemon)
        return error_set(err, ERROR_SYSTEM, "cannot start libmicrohttpd");
    loop->started = pthread_create(&loop->thread, NULL, run_loop, loop) == 0;
    if (!loop->started)
        return error_set(err, ERROR_SYSTEM, "cannot start an HTTP thread");
    atomic_fetch_add(&server->threads, 1);
    atomic_fetch_add(&server->listening, 1);
    return true;
}

static void free_loop(struct http_loop *loop)
{
    exchange_take_answers(loop);
    if (loop->daemon) {
        stop_accepting(loop);
        MHD_stop_daemon(loop->daemon);
    } else if (loop->listen_socket >= 0) {
        close(loop->listen_socket);
    }
    linger_close(&loop->linger);
    if (loop->wake >= 0)
        close(loop->wake);
    pthread_mutex_destroy(&loop->lock);
}

/* ---- start and stop ---- */

/* A socket that is listening already doesn't mind. */
static bool listen_on(struct http_server *server, struct error *err)
{
    const struct http_listeners *listeners = server->settings.listeners;
    uint16_t port;

    if (!endpoint_of_socket(&server->endpoint, listeners->sockets[0]))
        return error_set(err, ERROR_SYSTEM, "getsockname: %s", strerror(errno));
    port = endpoint_port(&server->endpoint);
    if (gethostname(server->name, HOST_NAME_MAX) != 0)
        snprintf(server->name, sizeof(server->name), "localhost");
    if (port > 0)
        snprintf(server->name + strlen(server->name), 8, ":%u", port);
    /* two that were bound at the same time part here */
    if (!listeners->are_inherited && listen(listeners->sockets[0], HTTP_LISTEN_BACKLOG) != 0)
        return error_set(err, ERROR_SYSTEM, "%s_PORT: cannot listen on port %u: %s",
                         server->settings.prefix, port, strerror(errno));
    return true;
}

static size_t thread_count(size_t wanted, size_t listeners)
{
    double processors = cgroup_processors("", NULL);

    /* the database's threads and the rest of the machine need some, too */
    if (wanted == 0 && processors > 2 * THREADS_MOST)
        wanted = THREADS_MOST;
    else if (wanted == 0)
        wanted = processors > 2 ? (size_t)(processors / 2) : 1;
    return wanted > listeners ? wanted : listeners;
}

bool http_server_measure(const struct http_server_settings *settings, size_t *threads,
                         size_t *connections, struct error *err)
{
    *threads = thread_count(settings->threads, 1);
    return arrival_count_places(settings->descriptors + *threads * LOOP_DESCRIPTORS,
                                connections, err);
}

/* The listeners in turn; all of a listener's threads together have room for all connections. */
static bool start_loops(struct http_server *server, size_t wanted, struct error *err)
{
    const struct http_listeners *listeners = server->settings.listeners;
    size_t of_each = wanted / listeners->count;
    size_t most = (server->arrival.places + of_each - 1) / of_each + SPARE_PLACES;

    while (err->code == ERROR_NONE && server->loop_count < wanted) {
        size_t i = server->loop_count++;
        start_loop(server, &server->loops[i], listeners->sockets[i % listeners->count],
                   (unsigned)most, err);
    }
    return err->code == ERROR_NONE;
}

size_t http_server_descriptors(size_t connections)
{
    return connections + LOOP_DESCRIPTORS;
}

/* Those that it has, when it is to have fewer than there is room for. */
static void limit_connections(struct arrival *arrival, size_t most)
{
    if (most == 0 || most >= arrival->places)
        return;
    arrival->places = most;
    arrival->most_of_one = (most + 1) / 2;
}

struct http_server *http_server_start(const struct http_server_settings *settings,
                                      struct error *err)
{
    struct http_server *server = calloc(1, sizeof(*server));
    size_t wanted = thread_count(settings->threads, settings->listeners->count);

    if (server)
        server->loops = calloc(wanted, sizeof(*server->loops));
    if (!server || !server->loops) {
        free(server);
        http_listeners_close(settings->listeners);
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    server->settings = *settings;
    server->are_inherited = settings->listeners->are_inherited;
    if (settings->is_measured)
        measure_start();
    if (!wire_is_checked())
        log_message(CONFIG_LOG_WARNING,
                    "libmicrohttpd %s is not one of those that this program was tried with: %s",
                    MHD_get_version(), WIRE_CHECKED_VERSIONS);
    if (!cidr_list_parse(&server->trusted_proxies, settings->trusted_proxies))
        error_set(err, ERROR_CONFIG, "TRUSTED_PROXIES: %s is no list of addresses",
                  settings->trusted_proxies);
    else if (arrival_open(&server->arrival, settings->descriptors + wanted * LOOP_DESCRIPTORS,
                          settings->client_connections, err) &&
             listen_on(server, err)) {
        limit_connections(&server->arrival, settings->connections);
        start_loops(server, wanted, err);
    }
    http_listeners_close(settings->listeners);
    server->settings.listeners = NULL;
    if (err->code == ERROR_NONE) {
        http_server_advance(server, HTTP_SERVER_SERVING);
        return server;
    }
    http_server_join(server);
    http_server_free(server);
    return NULL;
}

const struct endpoint *http_server_endpoint(const struct http_server *server)
{
    return &server->endpoint;
}

size_t http_server_connection_limit(const struct http_server *server)
{
    return server->arrival.places;
}

size_t http_server_active(const struct http_server *server)
{
    return atomic_load(&server->active);
}

size_t http_server_connections(const struct http_server *server)
{
    bool may_be_more = atomic_load(&server->listening) > 0;

    return atomic_load(&server->arrival.connections) + may_be_more;
}

size_t http_server_threads(const struct http_server *server)
{
    return atomic_load(&server->threads);
}

void http_server_join(struct http_server *server)
{
    http_server_advance(server, HTTP_SERVER_CUT);
    for (size_t i = 0; i < server->loop_count; i++) {
        if (server->loops[i].started)
            pthread_join(server->loops[i].thread, NULL);
    }
}

void http_server_free(struct http_server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        free_loop(&server->loops[i]);
    arrival_close(&server->arrival);
    free(server->loops);
    free(server);
}
