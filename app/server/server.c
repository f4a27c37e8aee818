#include "server/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/exchange.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_LIMIT 8192
/* For a head as large as the guard lets through, what the library makes of it (64 bytes a
 * header), and the answer's head. It is cleared for every request, so each kilobyte costs:
 * twice as much makes a look-up 5 % slower. */
#define CONNECTION_MEMORY   ((size_t)18432)
#define KEEP_ALIVE_SECONDS  75 /* above the 60 s of the usual load balancers */
#define LISTEN_BACKLOG      1024
#define UNSURE_MILLISECONDS 10 /* see wait_milliseconds */

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

    if (loop->is_busy)
        return 0;
    if (MHD_get_timeout(loop->daemon, &timeout) != MHD_YES)
        return -1;
    if (timeout == 0 && loop->deferred > 0)
        return UNSURE_MILLISECONDS;
    return timeout < INT_MAX ? (int)timeout : INT_MAX;
}

/* libmicrohttpd's own thread rules: only the thread that runs a daemon touches it. */
static void stop_accepting(struct http_loop *loop)
{
    if (loop->listen_socket < 0)
        return;
    MHD_quiesce_daemon(loop->daemon);
    close(loop->listen_socket);
    loop->listen_socket = -1;
}

static void *run_loop(void *context)
{
    struct http_loop *loop = context;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd sources[] = {
        {.fd = info->epoll_fd, .events = POLLIN},
        {.fd = loop->wake,     .events = POLLIN},
    };
    uint64_t count;
    size_t handed_on;

    while (!atomic_load(&loop->server->stopping)) {
        poll(sources, 2, wait_milliseconds(loop));
        loop->is_busy = false;
        if (sources[1].revents && read(loop->wake, &count, sizeof(count)) > 0)
            exchange_take_answers(loop);
        if (atomic_load(&loop->server->draining))
            stop_accepting(loop);
        handed_on = loop->handed_on;
        MHD_run(loop->daemon);
        if (handed_on > 0 && loop->handed_on == handed_on) {
            loop->handed_on = 0;
            loop->server->settings.no_more_input(loop->server->settings.context);
        }
    }
    return NULL;
}

static void wake_loops(struct http_server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        exchange_wake(&server->loops[i]);
}

static bool start_loop(struct http_server *server, struct http_loop *loop, int listener,
                       unsigned connection_limit, struct error *err)
{
    loop->server = server;
    loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loop->listen_socket = dup(listener);
    pthread_mutex_init(&loop->lock, NULL);
    if (loop->wake < 0 || loop->listen_socket < 0)
        return error_set(err, ERROR_SYSTEM, "cannot start an HTTP thread: %s", strerror(errno));
    /* clang-format off: an option a line */
    loop->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, exchange_advance, loop,
        MHD_OPTION_EXTERNAL_LOGGER, hear_library, loop, MHD_OPTION_STRICT_FOR_CLIENT,
        wire_strictness(), MHD_OPTION_LISTEN_SOCKET, loop->listen_socket,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_start_request, loop, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_NOTIFY_COMPLETED, exchange_end_request, loop,
        MHD_OPTION_NOTIFY_CONNECTION, exchange_notify_connection, loop,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)KEEP_ALIVE_SECONDS,
        MHD_OPTION_END);
    /* clang-format on */
    if (!loop->daemon)
        return error_set(err, ERROR_SYSTEM, "cannot start libmicrohttpd");
    loop->started = pthread_create(&loop->thread, NULL, run_loop, loop) == 0;
    return loop->started ? true : error_set(err, ERROR_SYSTEM, "cannot start an HTTP thread");
}

static void stop_loop(struct http_loop *loop)
{
    if (loop->started)
        pthread_join(loop->thread, NULL);
    exchange_take_answers(loop);
    if (loop->daemon) {
        stop_accepting(loop);
        MHD_stop_daemon(loop->daemon);
    } else if (loop->listen_socket >= 0) {
        close(loop->listen_socket);
    }
    if (loop->wake >= 0)
        close(loop->wake);
    pthread_mutex_destroy(&loop->lock);
}

/* ---- start and stop ---- */

static int open_listen_socket(const struct addrinfo *address)
{
    int listener = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;

    if (listener < 0)
        return -1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(listener, address->ai_addr, address->ai_addrlen) != 0 ||
        listen(listener, LISTEN_BACKLOG) != 0) {
        int saved = errno;
        close(listener);
        errno = saved;
        return -1;
    }
    return listener;
}

/* The address that was bound in the end: port 0 stands for any free one. */
static bool learn_name(struct http_server *server, int listener, struct error *err)
{
    struct sockaddr_in6 bound = {0};
    socklen_t size = sizeof(bound);

    if (getsockname(listener, (struct sockaddr *)&bound, &size) != 0)
        return error_set(err, ERROR_SYSTEM, "getsockname: %s", strerror(errno));
    server->port = ntohs(bound.sin6_port); /* at the same place for IPv4 */
    if (gethostname(server->name, HOST_NAME_MAX) != 0)
        snprintf(server->name, sizeof(server->name), "localhost");
    snprintf(server->name + strlen(server->name), 8, ":%u", server->port);
    return true;
}

/* The listening socket, or -1. */
static int listen_on(struct http_server *server, struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const struct http_server_settings *settings = &server->settings;
    struct addrinfo *address = NULL;
    char port[8];
    int listener;
    int failure;

    snprintf(port, sizeof(port), "%u", settings->port);
    failure = getaddrinfo(settings->address, port, &hints, &address);
    if (failure != 0) {
        error_set(err, ERROR_CONFIG, "HTTP_ADDRESS: %s is no address: %s", settings->address,
                  gai_strerror(failure));
        return -1;
    }
    listener = open_listen_socket(address);
    freeaddrinfo(address);
    if (listener < 0)
        error_set(err, ERROR_SYSTEM, "cannot listen on %s port %u: %s", settings->address,
                  settings->port, strerror(errno));
    else
        learn_name(server, listener, err);
    return listener;
}

static unsigned thread_count(unsigned wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (wanted > 0)
        return wanted;
    /* the database's threads and the rest of the machine need cores, too */
    return cores > 2 ? (unsigned)cores / 2 : 1;
}

struct http_server *http_server_start(const struct http_server_settings *settings,
                                      struct error *err)
{
    struct http_server *server = calloc(1, sizeof(*server));
    size_t wanted = thread_count(settings->threads);
    int listener;

    if (server)
        server->loops = calloc(wanted, sizeof(*server->loops));
    if (!server || !server->loops) {
        free(server);
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    server->settings = *settings;
    if (!wire_is_checked())
        log_message(CONFIG_LOG_WARNING,
                    "libmicrohttpd %s is not one of those that this program was tried with: %s",
                    MHD_get_version(), WIRE_CHECKED_VERSIONS);
    listener = listen_on(server, err);
    while (listener >= 0 && err->code == ERROR_NONE && server->loop_count < wanted) {
        server->loop_count++;
        start_loop(server, &server->loops[server->loop_count - 1], listener,
                   CONNECTION_LIMIT / (unsigned)wanted, err);
    }
    if (listener >= 0)
        close(listener);
    if (err->code == ERROR_NONE)
        return server;
    http_server_stop(server);
    return NULL;
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_drain(struct http_server *server)
{
    atomic_store(&server->draining, true);
    wake_loops(server);
}

size_t http_server_active(const struct http_server *server)
{
    return atomic_load(&server->active);
}

size_t http_server_arriving(const struct http_server *server)
{
    return atomic_load(&server->arriving);
}

void http_server_refuse(struct http_server *server)
{
    atomic_store(&server->refusing, true);
    while (atomic_load(&server->in_handler) > 0)
        clock_sleep(1000);
}

void http_server_stop(struct http_server *server)
{
    atomic_store(&server->stopping, true);
    wake_loops(server);
    for (size_t i = 0; i < server->loop_count; i++)
        stop_loop(&server->loops[i]);
    free(server->loops);
    free(server);
}
