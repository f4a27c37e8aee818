#include "http/server.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_LIMIT 8192
#define CONNECTION_MEMORY                                                                      \
    (32 * 1024)               /* request line and headers; MHD answers 414 or 431 beyond */
#define KEEP_ALIVE_SECONDS 75 /* above the 60 s of the usual load balancers */
#define LISTEN_BACKLOG     1024
/* A body somewhat over the limit is read to its end, so that the client, still sending, sees
 * the 413 and not a reset connection. */
#define DRAINED_BODY_SIZE (64U * 1024 * 1024)

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_server_settings settings;
    unsigned port;
    char name[HOST_NAME_MAX + 8]; /* of this machine, and the port */
    int listen_socket;
    atomic_bool draining;
    atomic_bool refusing;
    atomic_uint handling; /* threads that are in the handler */

    atomic_size_t active;
};

struct http_reply {
    struct MHD_Response *native;
    unsigned status;
    size_t size; /* bytes of the body */
    atomic_uint references;
};

/* A request goes through these in order; advance() and the functions it calls are the only
 * place that moves it on. */
enum exchange_state {
    EXCHANGE_STARTED,  /* the request line is known */
    EXCHANGE_BODY,     /* the guard is passed, the body is arriving */
    EXCHANGE_HANDLED,  /* the handler has it */
    EXCHANGE_ANSWERED, /* the reply is there */
    EXCHANGE_QUEUED,   /* libmicrohttpd is sending it */
};

struct http_exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_request request;
    enum exchange_state state;
    bool deferred;
    size_t body_size; /* bytes that came, kept or not */
    uint64_t started;
    struct http_reply *reply; /* NULL: there was no memory for one */
    char client[INET6_ADDRSTRLEN];
};

/* ---- replies ---- */

static bool add_headers(struct http_reply *reply, const struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (MHD_add_response_header(reply->native, response->headers[i].name,
                                    response->headers[i].value) != MHD_YES)
            return false;
    }
    return true;
}

struct http_reply *http_reply_make(const struct http_exchange *exchange,
                                   struct http_response *response)
{
    struct http_reply *reply = calloc(1, sizeof(*reply));

    if (atomic_load(&exchange->server->draining))
        http_response_add_header(response, "Connection", "close");
    if (!reply || response->body.failed)
        goto failed;
    reply->status = response->status;
    reply->size = response->body.size;
    atomic_init(&reply->references, 1);
    reply->native = MHD_create_response_from_buffer(response->body.size, response->body.data,
                                                    MHD_RESPMEM_MUST_FREE);
    if (!reply->native)
        goto failed;
    response->body = (struct buffer){0};
    if (!add_headers(reply, response))
        goto failed;
    return reply;

failed:
    if (reply && reply->native)
        MHD_destroy_response(reply->native);
    free(reply);
    http_response_release(response);
    return NULL;
}

void http_reply_release(struct http_reply *reply)
{
    if (!reply || atomic_fetch_sub(&reply->references, 1) != 1)
        return;
    MHD_destroy_response(reply->native);
    free(reply);
}

/* ---- exchanges ---- */

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

const char *http_exchange_server_name(const struct http_exchange *exchange)
{
    return exchange->server->name;
}

void http_exchange_defer(struct http_exchange *exchange)
{
    exchange->deferred = true;
    MHD_suspend_connection(exchange->connection);
}

/* Gives the caller's reference to the exchange. */
static void give_reply(struct http_exchange *exchange, struct http_reply *reply)
{
    exchange->reply = reply;
    exchange->state = EXCHANGE_ANSWERED;
    if (exchange->deferred)
        MHD_resume_connection(exchange->connection);
}

void http_exchange_answer(struct http_exchange *exchange, struct http_reply *reply)
{
    if (reply)
        atomic_fetch_add(&reply->references, 1);
    give_reply(exchange, reply);
}

void http_exchange_respond(struct http_exchange *exchange, struct http_response *response)
{
    give_reply(exchange, http_reply_make(exchange, response));
}

/* Refuses before the handler sees the request, and closes the connection. */
static void refuse(struct http_exchange *exchange, unsigned status, const char *detail)
{
    struct http_response response;
    struct http_format format;

    http_negotiate(NULL, exchange->request.headers[HTTP_HEADER_ACCEPT], &format);
    http_response_start(&response, &exchange->request, status);
    http_response_add_header(&response, "Vary", "Accept, Origin");
    if (!atomic_load(&exchange->server->draining))
        http_response_add_header(&response, "Connection", "close");
    http_response_set_detail(&response, &format, detail);
    http_exchange_respond(exchange, &response);
}

/* ---- the steps of a request, called by libmicrohttpd on the connection's thread ---- */

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    http_request_add_header(context, name, value ? value : "");
    return MHD_YES;
}

static void handle(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;

    exchange->state = EXCHANGE_HANDLED;
    atomic_fetch_add(&server->handling, 1);
    if (exchange->body_size > server->settings.body_limit)
        refuse(exchange, 413, "Request body is too large.");
    else if (atomic_load(&server->refusing))
        refuse(exchange, 503, "The server is stopping.");
    else
        server->settings.handle(server->settings.context, exchange);
    atomic_fetch_sub(&server->handling, 1);
}

static bool must_refuse_body_at_once(const struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    const char *length = request->headers[HTTP_HEADER_CONTENT_LENGTH];
    size_t limit = exchange->server->settings.body_limit;
    unsigned long long size = length ? strtoull(length, NULL, 10) : 0;

    /* a client that waits for "100 Continue" is not sending yet */
    return size > limit + DRAINED_BODY_SIZE ||
           (size > limit && request->headers[HTTP_HEADER_EXPECT]);
}

/* libmicrohttpd closes the connection after an answer in this first call: only refusals are
 * given here. */
static enum MHD_Result handle_headers(struct http_exchange *exchange, const char *method,
                                      const char *version)
{
    struct http_request *request = &exchange->request;
    const char *problem;

    if (!http_request_start(request, method, version))
        return MHD_NO;
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, add_header, request);
    http_request_finish_headers(request);
    exchange->state = EXCHANGE_BODY;
    problem = http_guard_problem(request);
    if (problem)
        refuse(exchange, 400, problem);
    else if (must_refuse_body_at_once(exchange))
        refuse(exchange, 413, "Request body is too large.");
    return MHD_YES;
}

static enum MHD_Result handle_body(struct http_exchange *exchange, const char *data,
                                   size_t *size)
{
    struct http_request *request = &exchange->request;
    size_t limit = exchange->server->settings.body_limit;
    bool kept = request->method == HTTP_POST || request->method == HTTP_PUT ||
                request->method == HTTP_PATCH;

    exchange->body_size += *size;
    if (exchange->body_size > limit + DRAINED_BODY_SIZE)
        return MHD_NO;
    if (kept && exchange->body_size <= limit)
        buffer_append(&request->body, data, *size);
    *size = 0;
    return request->body.failed ? MHD_NO : MHD_YES;
}

static enum MHD_Result queue_reply(struct http_exchange *exchange)
{
    if (!exchange->reply)
        return MHD_NO;
    exchange->deferred = false;
    exchange->state = EXCHANGE_QUEUED;
    return MHD_queue_response(exchange->connection, exchange->reply->status,
                              exchange->reply->native);
}

static enum MHD_Result advance(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method, const char *version,
                               const char *data, size_t *size, void **request_context)
{
    struct http_exchange *exchange = *request_context;
    enum MHD_Result result = MHD_YES;

    (void)context;
    (void)connection;
    (void)url;
    if (!exchange)
        return MHD_NO;
    if (exchange->deferred) /* resumed: nobody else has it any more */
        return queue_reply(exchange);
    if (exchange->state == EXCHANGE_STARTED)
        result = handle_headers(exchange, method, version);
    else if (exchange->state == EXCHANGE_BODY && *size > 0)
        result = handle_body(exchange, data, size);
    else if (exchange->state == EXCHANGE_BODY)
        handle(exchange);
    /* deferred just now: another thread may be answering, so not even its state is ours to read
     */
    if (result == MHD_YES && !exchange->deferred && exchange->state == EXCHANGE_ANSWERED)
        return queue_reply(exchange);
    return result;
}

static struct http_exchange *exchange_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void *start_request(void *context, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct http_exchange *exchange = exchange_of(connection);

    if (!exchange)
        return NULL;
    http_request_clear(&exchange->request);
    exchange->state = EXCHANGE_STARTED;
    exchange->deferred = false;
    exchange->body_size = 0;
    exchange->reply = NULL;
    exchange->started = clock_now();
    atomic_fetch_add(&server->active, 1);
    http_request_set_target(&exchange->request, target);
    return exchange;
}

static void log_exchange(const struct http_exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    const char *target = request->target.data ? request->target.data : "";

    if (!log_enabled(CONFIG_LOG_INFO))
        return;
    log_access(&(struct log_request){
        .id = request->id,
        .method = request->method_name.data ? request->method_name.data : "",
        .path = target,
        .path_length = strcspn(target, "?"),
        .status = exchange->reply ? exchange->reply->status : 0,
        .bytes = exchange->reply && request->method != HTTP_HEAD ? exchange->reply->size : 0,
        .microseconds = clock_now() - exchange->started,
        .client = exchange->client,
    });
}

static void end_request(void *context, struct MHD_Connection *connection,
                        void **request_context, enum MHD_RequestTerminationCode code)
{
    struct http_server *server = context;
    struct http_exchange *exchange = *request_context;

    (void)connection;
    (void)code;
    if (!exchange)
        return;
    log_exchange(exchange);
    http_reply_release(exchange->reply);
    exchange->reply = NULL;
    *request_context = NULL;
    atomic_fetch_sub(&server->active, 1);
}

static void start_connection(struct http_exchange **socket_context, struct http_server *server,
                             struct MHD_Connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    *socket_context = exchange;
    if (!exchange)
        return; /* every request on it is refused by advance() */
    exchange->server = server;
    exchange->connection = connection;
    if (info && getnameinfo(info->client_addr, sizeof(struct sockaddr_in6), exchange->client,
                            sizeof(exchange->client), NULL, 0, NI_NUMERICHOST) != 0)
        exchange->client[0] = '\0';
}

static void notify_connection(void *context, struct MHD_Connection *connection,
                              void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        start_connection((struct http_exchange **)socket_context, context, connection);
        return;
    }
    if (*socket_context)
        http_request_release(&((struct http_exchange *)*socket_context)->request);
    free(*socket_context);
    *socket_context = NULL;
}

/* Keeps the target as it was sent: request.c decodes it, and knows how long it is. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void log_library_message(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void log_library_message(void *context, const char *format, va_list arguments)
{
    char text[256];

    (void)context;
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    log_message(CONFIG_LOG_DEBUG, "libmicrohttpd: %s", text);
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

static bool listen_on(struct http_server *server, struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const struct http_server_settings *settings = &server->settings;
    struct sockaddr_in6 bound = {0};
    socklen_t size = sizeof(bound);
    struct addrinfo *address = NULL;
    char port[8];
    int failure;

    snprintf(port, sizeof(port), "%u", settings->port);
    failure = getaddrinfo(settings->address, port, &hints, &address);
    if (failure != 0)
        return error_set(err, ERROR_CONFIG, "HTTP_ADDRESS: %s is no address: %s",
                         settings->address, gai_strerror(failure));
    server->listen_socket = open_listen_socket(address);
    freeaddrinfo(address);
    if (server->listen_socket < 0)
        return error_set(err, ERROR_SYSTEM, "cannot listen on %s port %u: %s",
                         settings->address, settings->port, strerror(errno));
    if (getsockname(server->listen_socket, (struct sockaddr *)&bound, &size) != 0)
        return error_set(err, ERROR_SYSTEM, "getsockname: %s", strerror(errno));
    server->port = ntohs(bound.sin6_port); /* at the same place for IPv4 */
    if (gethostname(server->name, HOST_NAME_MAX) != 0)
        snprintf(server->name, sizeof(server->name), "localhost");
    snprintf(server->name + strlen(server->name), 8, ":%u", server->port);
    return true;
}

static unsigned thread_count(unsigned wanted)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (wanted > 0)
        return wanted;
    return cores > 0 ? (unsigned)cores : 1;
}

static bool start_daemon(struct http_server *server, struct error *err)
{
    unsigned threads = thread_count(server->settings.threads);

    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
        NULL, advance, server, MHD_OPTION_EXTERNAL_LOGGER, log_library_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, server->listen_socket, MHD_OPTION_URI_LOG_CALLBACK,
        start_request, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, end_request, server, MHD_OPTION_NOTIFY_CONNECTION,
        notify_connection, server, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTION_LIMIT,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)KEEP_ALIVE_SECONDS,
        threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, MHD_OPTION_END);
    if (!server->daemon)
        return error_set(err, ERROR_SYSTEM, "cannot start the HTTP threads");
    return true;
}

struct http_server *http_server_start(const struct http_server_settings *settings,
                                      struct error *err)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (!server) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    server->settings = *settings;
    server->listen_socket = -1;
    if (listen_on(server, err) && start_daemon(server, err))
        return server;
    if (server->listen_socket >= 0)
        close(server->listen_socket);
    free(server);
    return NULL;
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_drain(struct http_server *server)
{
    if (atomic_exchange(&server->draining, true))
        return;
    MHD_quiesce_daemon(server->daemon);
    close(server->listen_socket);
}

size_t http_server_active(const struct http_server *server)
{
    return atomic_load(&server->active);
}

void http_server_refuse(struct http_server *server)
{
    http_server_drain(server);
    atomic_store(&server->refusing, true);
    while (atomic_load(&server->handling) > 0)
        clock_sleep(1000);
}

void http_server_stop(struct http_server *server)
{

    MHD_stop_daemon(server->daemon);
    free(server);
}
