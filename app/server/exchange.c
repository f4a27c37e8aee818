#include "server/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/guard.h"
#include "http/render.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A chunked body over the limit is read to its end, so that the client, still sending, sees the
 * 413 and not a reset connection; one longer than this is cut. */
#define DRAINED_BODY_SIZE (64U * 1024 * 1024)

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

const char *http_exchange_server_name(const struct http_exchange *exchange)
{
    return exchange->loop->server->name;
}

/* ---- states ---- */

static atomic_size_t *counter_of(struct http_server *server, enum exchange_state state)
{
    if (state == EXCHANGE_IDLE)
        return NULL;
    return state < EXCHANGE_HANDLED ? &server->arriving : &server->active;
}

static void list_starting(struct http_exchange *exchange)
{
    exchange->next_starting = exchange->loop->starting;
    exchange->starting_link = &exchange->loop->starting;
    if (exchange->next_starting)
        exchange->next_starting->starting_link = &exchange->next_starting;
    exchange->loop->starting = exchange;
}

static void unlist_starting(struct http_exchange *exchange)
{
    *exchange->starting_link = exchange->next_starting;
    if (exchange->next_starting)
        exchange->next_starting->starting_link = exchange->starting_link;
}

/* The one place that changes a state, and what is counted and listed by it. */
static void set_state(struct http_exchange *exchange, enum exchange_state state)
{
    struct http_loop *loop = exchange->loop;
    atomic_size_t *old_counter = counter_of(loop->server, exchange->state);
    atomic_size_t *counter = counter_of(loop->server, state);

    if (old_counter != counter && counter)
        atomic_fetch_add(counter, 1);
    if (old_counter != counter && old_counter)
        atomic_fetch_sub(old_counter, 1);
    if (exchange->state == EXCHANGE_STARTED)
        unlist_starting(exchange);
    if (state == EXCHANGE_STARTED)
        list_starting(exchange);
    if (exchange->state == EXCHANGE_DEFERRED)
        loop->deferred--;
    if (state == EXCHANGE_DEFERRED)
        loop->deferred++;
    exchange->state = state;
}

/* ---- answers ---- */

void http_exchange_defer(struct http_exchange *exchange)
{
    set_state(exchange, EXCHANGE_DEFERRED);
}

void exchange_wake(const struct http_loop *loop)
{
    const uint64_t one = 1;

    /* fails otherwise only when the counter is full, and then the loop is awake */
    while (write(loop->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

/* Gives the caller's reference to the exchange. */
static void give_reply(struct http_exchange *exchange, struct http_reply *reply)
{
    struct http_loop *loop = exchange->loop;
    bool was_empty;

    exchange->reply = reply;
    if (exchange->state != EXCHANGE_DEFERRED) {
        set_state(exchange, EXCHANGE_ANSWERED);
        return;
    }
    pthread_mutex_lock(&loop->lock);
    was_empty = !loop->answered;
    exchange->next = loop->answered;
    loop->answered = exchange;
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        exchange_wake(loop);
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

static void release_exchange(struct http_exchange *exchange)
{
    set_state(exchange, EXCHANGE_IDLE);
    http_reply_release(exchange->reply);
    http_request_release(&exchange->request);
    free(exchange);
}

void exchange_take_answers(struct http_loop *loop)
{
    struct http_exchange *exchange;

    pthread_mutex_lock(&loop->lock);
    exchange = loop->answered;
    loop->answered = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (exchange) {
        struct http_exchange *next = exchange->next;
        set_state(exchange, EXCHANGE_ANSWERED);
        if (exchange->is_orphan)
            release_exchange(exchange);
        exchange = next;
    }
}

/* ---- refusals ---- */

static void make_refusal(struct http_exchange *exchange, struct http_response *response,
                         unsigned status, const char *detail)
{
    struct http_format format;

    exchange->request.must_close = true;
    http_negotiate(NULL, exchange->request.headers[HTTP_HEADER_ACCEPT], &format);
    http_response_start(response, &exchange->request, status);
    http_response_add_header(response, "Vary", "Accept, Origin");
    http_render_detail(response, &format, detail);
}

/* Refuses before the handler sees the request, and closes the connection. */
static void refuse(struct http_exchange *exchange, unsigned status, const char *detail)
{
    struct http_response response;

    make_refusal(exchange, &response, status, detail);
    http_exchange_respond(exchange, &response);
}

static void log_exchange(const struct http_exchange *exchange, unsigned status, uint64_t bytes)
{
    const struct http_request *request = &exchange->request;
    const char *target = request->target.data ? request->target.data : "";

    log_access(&(struct log_request){
        .id = request->id,
        .method = request->method_name.data ? request->method_name.data : "",
        .path = target,
        .path_length = strcspn(target, "?"),
        .status = status,
        .bytes = bytes,
        .microseconds = clock_now() - exchange->started,
        .client = exchange->client,
    });
}

/* Refuses where libmicrohttpd can't be asked to: it is about to answer by itself, or in the
 * middle of a body. */
static void refuse_past_library(struct http_exchange *exchange, unsigned status,
                                const char *detail)
{
    struct http_response response;
    struct buffer bytes = {0};

    make_refusal(exchange, &response, status, detail);
    http_response_append(&bytes, &response);
    if (!bytes.failed)
        wire_send_last(exchange->connection, bytes.data, bytes.size);
    log_exchange(exchange, status, response.body.size);
    http_response_release(&response);
    buffer_release(&bytes);
    set_state(exchange, EXCHANGE_IDLE);
    exchange->loop->has_refused = true;
}

/* At once: with less room left than it needs, libmicrohttpd 0.9.75 forgets the connection. */
static void refuse_long_target(struct http_exchange *exchange)
{
    http_request_finish_headers(&exchange->request);
    refuse_past_library(exchange, 414, http_guard_head_too_long);
}

/* What libmicrohttpd finds between the last header and our first call. */
static const char *detail_of_refusal(unsigned status)
{
    switch (status) {
    case 413:
        return "Request body is too large.";
    case 431:
        return "The headers are too large.";
    default:
        return "The headers are malformed, or contradict each other.";
    }
}

/* Only the request that the library is at has a head and has not been shown to us. Those that
 * it refuses earlier can't be told from each other: they get its own answer. */
void exchange_note_refusal(struct http_loop *loop, unsigned status)
{
    struct http_exchange *exchange = status > 0 ? loop->starting : NULL;

    while (exchange && !wire_has_head(exchange->connection))
        exchange = exchange->next_starting;
    if (exchange) {
        wire_read_fields(exchange->connection, &exchange->request);
        http_request_finish_headers(&exchange->request);
        refuse_past_library(exchange, status, detail_of_refusal(status));
    } else if (!loop->has_refused) {
        log_message(CONFIG_LOG_INFO, "a request that can't be read was refused: status %u",
                    status);
    }
}

/* ---- the steps of a request ---- */

/* The request is there as a whole. http_server_refuse waits until no thread is in here. */
static void answer_request(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    struct http_server *server = loop->server;

    set_state(exchange, EXCHANGE_HANDLED);
    atomic_fetch_add(&server->in_handler, 1);
    if (exchange->body_size > server->settings.body_limit) {
        refuse(exchange, 413, "Request body is too large.");
    } else if (atomic_load(&server->refusing)) {
        refuse(exchange, 503, "The server is stopping.");
    } else {
        loop->handed_on++;
        server->settings.answer_request(server->settings.context, exchange);
    }
    atomic_fetch_sub(&server->in_handler, 1);
}

static bool is_body_too_large(const struct http_exchange *exchange)
{
    const char *length = exchange->request.headers[HTTP_HEADER_CONTENT_LENGTH];

    return length && strtoull(length, NULL, 10) > exchange->loop->server->settings.body_limit;
}

/* libmicrohttpd closes the connection after an answer in this first call: only refusals are
 * given here. */
static enum MHD_Result take_head(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    const char *problem;
    unsigned status = 400;

    if (!http_request_start(request, exchange->head.method, exchange->head.version))
        return MHD_NO;
    problem = wire_read_head(exchange->connection, &exchange->head, request);
    http_request_finish_headers(request);
    set_state(exchange, EXCHANGE_BODY);
    if (!problem)
        problem = http_guard_problem(request, &status);
    if (problem && status != 400) { /* the library may have no memory left for an answer */
        refuse_past_library(exchange, status, problem);
        return MHD_NO;
    }
    if (problem)
        refuse(exchange, status, problem);
    else if (is_body_too_large(exchange))
        refuse(exchange, 413, "Request body is too large.");
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_exchange *exchange, const char *data, size_t *size)
{
    struct http_request *request = &exchange->request;
    size_t limit = exchange->loop->server->settings.body_limit;
    bool kept = request->method == HTTP_POST || request->method == HTTP_PUT ||
                request->method == HTTP_PATCH;
    const char *problem = wire_body_problem(exchange->connection, &exchange->head, data);

    if (problem) {
        refuse_past_library(exchange, 400, problem);
        return MHD_NO;
    }
    exchange->body_size += *size;
    if (exchange->body_size > limit + DRAINED_BODY_SIZE)
        return MHD_NO;
    if (kept && exchange->body_size <= limit)
        buffer_append(&request->body, data, *size);
    *size = 0;
    return request->body.failed ? MHD_NO : MHD_YES;
}

static enum MHD_Result queue_reply(struct http_exchange *exchange,
                                   struct MHD_Connection *connection)
{
    if (!exchange->reply)
        return MHD_NO;
    set_state(exchange, EXCHANGE_QUEUED);
    return MHD_queue_response(connection, exchange->reply->status, exchange->reply->native);
}

enum MHD_Result exchange_advance(void *context, struct MHD_Connection *connection,
                                 const char *url, const char *method, const char *version,
                                 const char *data, size_t *size, void **request_context)
{
    struct http_exchange *exchange = *request_context;
    enum MHD_Result result = MHD_YES;

    (void)context;
    (void)url;
    if (!exchange || exchange->state == EXCHANGE_IDLE)
        return MHD_NO;
    exchange->loop->has_refused = false;
    if (exchange->state == EXCHANGE_DEFERRED)
        return MHD_YES; /* to be asked again */
    exchange->loop->is_busy = true;
    exchange->head.method = method;
    exchange->head.version = version;
    if (exchange->state == EXCHANGE_STARTED)
        result = take_head(exchange);
    else if (exchange->state == EXCHANGE_BODY && *size > 0)
        result = take_body(exchange, data, size);
    else if (exchange->state == EXCHANGE_BODY)
        answer_request(exchange);
    if (result == MHD_YES && exchange->state == EXCHANGE_ANSWERED)
        return queue_reply(exchange, connection);
    return result;
}

void *exchange_start_request(void *context, const char *target,
                             struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_exchange *exchange = info ? info->socket_context : NULL;

    (void)context;
    if (!exchange)
        return NULL;
    http_request_clear(&exchange->request);
    exchange->body_size = 0;
    exchange->reply = NULL;
    exchange->started = clock_now();
    http_request_set_target(&exchange->request, target);
    exchange->head.target = target;
    exchange->loop->has_refused = false;
    set_state(exchange, EXCHANGE_STARTED);
    if (exchange->request.target.size > HTTP_HEAD_SIZE_MAX)
        refuse_long_target(exchange);
    return exchange;
}

/* Of what was answered: a HEAD and a 304 have no body. */
static void log_answer(const struct http_exchange *exchange)
{
    const struct http_reply *reply = exchange->reply;
    bool has_body = reply && exchange->request.method != HTTP_HEAD && reply->status != 304;

    if (log_enabled(CONFIG_LOG_INFO))
        log_exchange(exchange, reply ? reply->status : 0, has_body ? reply->size : 0);
}

void exchange_end_request(void *context, struct MHD_Connection *connection,
                          void **request_context, enum MHD_RequestTerminationCode code)
{
    struct http_exchange *exchange = *request_context;

    (void)context;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    *request_context = NULL;
    if (exchange->state == EXCHANGE_DEFERRED) {
        exchange->is_orphan = true; /* its reply belongs to another thread yet */
        return;
    }
    /* of one just started, libmicrohttpd has told, or the client left */
    if (exchange->state > EXCHANGE_STARTED)
        log_answer(exchange);
    set_state(exchange, EXCHANGE_IDLE);
    http_reply_release(exchange->reply);
    exchange->reply = NULL;
}

static struct http_exchange *make_exchange(struct http_loop *loop,
                                           struct MHD_Connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    if (!exchange)
        return NULL; /* every request on the connection is refused by exchange_advance */
    exchange->loop = loop;
    exchange->connection = connection;
    if (info && getnameinfo(info->client_addr, sizeof(struct sockaddr_in6), exchange->client,
                            sizeof(exchange->client), NULL, 0, NI_NUMERICHOST) != 0)
        exchange->client[0] = '\0';
    return exchange;
}

void exchange_notify_connection(void *context, struct MHD_Connection *connection,
                                void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct http_exchange *exchange = *socket_context;

    ((struct http_loop *)context)->has_refused = false;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = make_exchange(context, connection);
    else if (exchange && !exchange->is_orphan)
        release_exchange(exchange);
}
