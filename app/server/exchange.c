#include "server/exchange.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/guard.h"
#include "http/render.h"
#include "server/measure.h"
#include "server/xray.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

const char *http_exchange_server_name(const struct http_exchange *exchange)
{
    return exchange->loop->server->name;
}

void http_exchange_set_route(struct http_exchange *exchange, unsigned route)
{
    exchange->route = route;
}

void http_exchange_note_trip(struct http_exchange *exchange, const struct trip *trip)
{
    exchange->trip = *trip;
}

void http_exchange_print_trace(struct http_exchange *exchange,
                               char text[HTTP_TRACE_PARENT_LENGTH + 1])
{
    xray_samples(exchange->loop->server->settings.xray, &exchange->request.trace);
    http_trace_print(&exchange->request.trace, text);
}

/* ---- states ---- */

static atomic_size_t *counter_of(struct http_server *server, enum exchange_state state)
{
    return state >= EXCHANGE_HANDLED && state <= EXCHANGE_QUEUED ? &server->active : NULL;
}

static void enter_state(struct http_exchange *exchange, enum exchange_state state)
{
    struct http_loop *loop = exchange->loop;
    atomic_size_t *counter = counter_of(loop->server, state);

    if (counter)
        atomic_fetch_add(counter, 1);
    exchange->state = state;
    exchange->since = loop->now;
    TAILQ_INSERT_TAIL(&loop->exchanges[state], exchange, same_state);
}

static void leave_state(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    atomic_size_t *counter = counter_of(loop->server, exchange->state);

    if (counter)
        atomic_fetch_sub(counter, 1);
    TAILQ_REMOVE(&loop->exchanges[exchange->state], exchange, same_state);
}

void exchange_set_state(struct http_exchange *exchange, enum exchange_state state)
{
    if (state != exchange->state)
        exchange->progress = 0;
    leave_state(exchange);
    enter_state(exchange, state);
}

/* ---- the log, the metrics, and the trace ---- */

/* Health checks, which no caller traces, would take the places of the others. */
static void trace_exchange(struct http_exchange *exchange, unsigned status, uint64_t bytes,
                           const char *client)
{
    struct xray *xray = exchange->loop->server->settings.xray;
    struct http_trace *trace = &exchange->request.trace;
    bool is_health = exchange->reply && exchange->reply->is_health;
    uint64_t end;

    if (!xray || (is_health && trace->sampling == HTTP_SAMPLING_OPEN) ||
        !xray_samples(xray, trace))
        return;
    end = clock_date();
    xray_send(xray, &(struct segment){
                        .request = &exchange->request,
                        .fallback_host = exchange->loop->server->name,
                        .client = client,
                        .status = status,
                        .bytes = bytes,
                        .start = end - (clock_now() - exchange->started),
                        .end = end,
                        .began = exchange->started,
                        .trip = &exchange->trip,
                    });
}

static void log_exchange(struct http_exchange *exchange, unsigned status, uint64_t bytes,
                         bool is_aborted)
{
    const struct http_request *request = &exchange->request;
    const char *target = request->target.data ? request->target.data : "";
    uint64_t microseconds = clock_now() - exchange->started;
    char forwarded[INET6_ADDRSTRLEN];
    const char *client = request->is_forwarded ? cidr_print_address(&request->client, forwarded)
                                               : exchange->client;

    measure_request(exchange, status, microseconds - exchange->rested);
    log_access(&(struct log_request){
        .id = request->id,
        .trace = request->trace.id,
        .method = request->method_name.data ? request->method_name.data : "",
        .path = target,
        .path_length = strcspn(target, "?"),
        .status = status,
        .bytes = bytes,
        .microseconds = microseconds,
        .client = client,
        .is_aborted = is_aborted,
        .is_health = exchange->reply && exchange->reply->is_health,
    });
    trace_exchange(exchange, status, bytes, client);
}

/* Of what was answered: a HEAD and a 304 have no body. */
static void log_answer(struct http_exchange *exchange, bool is_aborted)
{
    const struct http_reply *reply = exchange->reply;
    bool has_body = reply && exchange->request.method != HTTP_HEAD && reply->status != 304;

    log_exchange(exchange, reply ? reply->status : 0, has_body ? reply->size : 0, is_aborted);
}

/* ---- answers ---- */

void http_exchange_defer(struct http_exchange *exchange)
{
    atomic_store(&exchange->may_rest, false);
    exchange->is_deferred = true;
    exchange_set_state(exchange, EXCHANGE_DEFERRED);
}

bool http_exchange_rest(struct http_exchange *exchange)
{
    struct http_server *server = exchange->loop->server;

    if (atomic_fetch_add(&server->resting, 1) >= server->arrival.places / 2) {
        atomic_fetch_sub(&server->resting, 1);
        return false;
    }
    atomic_store(&exchange->may_rest, true);
    return true;
}

bool http_exchange_has_left(const struct http_exchange *exchange)
{
    struct pollfd source = {.fd = exchange->socket, .events = POLLRDHUP};

    return poll(&source, 1, 0) > 0;
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
    if (!exchange->is_deferred) {
        exchange_set_state(exchange, EXCHANGE_ANSWERED);
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
        reply = http_reply_for(reply, exchange->loop);
    if (reply)
        atomic_fetch_add(&reply->references, 1);
    give_reply(exchange, reply);
}

void http_exchange_respond(struct http_exchange *exchange, struct http_response *response)
{
    give_reply(exchange, http_reply_make(exchange, response));
}

/* ---- memory ---- */

static const char too_large[] = "Request body is too large.";
static const char no_memory[] = "There is not enough memory for the body now.";

bool exchange_reserve(atomic_size_t *memory, size_t limit, size_t size, size_t more)
{
    size_t taken = atomic_fetch_add(memory, more);

    if (size <= EXCHANGE_SMALL_SIZE || taken + more <= limit)
        return true;
    atomic_fetch_sub(memory, more);
    return false;
}

/* Sets memory aside for a body of this size, in place of what was set aside before; false when
 * there is too little left. */
static bool reserve_body(struct http_exchange *exchange, size_t size)
{
    struct http_server *server = exchange->loop->server;
    size_t more = size > exchange->body_memory ? size - exchange->body_memory : 0;

    if (!exchange_reserve(&server->body_memory, server->settings.request_memory, size, more))
        return false;
    exchange->body_memory += more;
    return true;
}

static void unreserve_body(struct http_exchange *exchange)
{
    atomic_fetch_sub(&exchange->loop->server->body_memory, exchange->body_memory);
    exchange->body_memory = 0;
}

/* The handler has read it: an answer may be long in coming. */
static void release_body(struct http_exchange *exchange)
{
    unreserve_body(exchange);
    buffer_release(&exchange->request.body);
}

static void release_exchange(struct http_exchange *exchange)
{
    leave_state(exchange);
    release_body(exchange);
    http_reply_release(exchange->reply);
    http_request_release(&exchange->request);
    free(exchange);
}

/* libmicrohttpd resumes it in its next run. */
static void end_rest(struct http_exchange *exchange)
{
    exchange->rested = exchange->loop->now - exchange->since;
    MHD_resume_connection(exchange->connection);
    exchange->loop->is_busy = true;
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
        if (exchange->state == EXCHANGE_RESTING)
            end_rest(exchange);
        if (atomic_exchange(&exchange->may_rest, false))
            atomic_fetch_sub(&loop->server->resting, 1);
        exchange->is_deferred = false;
        exchange_set_state(exchange, EXCHANGE_ANSWERED);
        if (exchange->is_orphan) {
            log_answer(exchange, true); /* a write was carried out, whoever hears of it */
            release_exchange(exchange);
        }
        exchange = next;
    }
}

/* ---- refusals ---- */

/* Connections that make room are counted where they do. */
static void count_refusal(const struct http_exchange *exchange, unsigned status,
                          const char *detail)
{
    if (status == 408)
        http_exchange_count_rejection(exchange, METRICS_REJECTED_SLOW);
    else if (status == 413)
        http_exchange_count_rejection(exchange, METRICS_REJECTED_BODY);
    else if (status != 503)
        http_exchange_count_rejection(exchange, METRICS_REJECTED_GUARD);
    else if (detail == no_memory)
        http_exchange_count_rejection(exchange, METRICS_REJECTED_MEMORY);
}

static void make_refusal(struct http_exchange *exchange, struct http_response *response,
                         unsigned status, const char *detail)
{
    struct http_format format;

    count_refusal(exchange, status, detail);
    exchange->request.must_close = true;
    http_negotiate(NULL, exchange->request.headers[HTTP_HEADER_ACCEPT], &format);
    http_response_start(response, &exchange->request, status);
    http_response_add_negotiation(response);
    if (status == 503)
        http_response_add_header(response, "Retry-After", "1");
    http_render_detail(response, &format, detail);
}

/* Refuses before the handler sees the request, and closes the connection. */
static void refuse(struct http_exchange *exchange, unsigned status, const char *detail)
{
    struct http_response response;

    make_refusal(exchange, &response, status, detail);
    http_exchange_respond(exchange, &response);
}

/* Refuses where libmicrohttpd can't be asked to: it is about to answer by itself, or in the
 * middle of a body. */
static void refuse_past_library(struct http_exchange *exchange, unsigned status,
                                const char *detail)
{
    struct http_response response;
    struct buffer bytes = {0};

    if (!exchange->request.id[0])
        http_request_finish_headers(&exchange->request);
    make_refusal(exchange, &response, status, detail);
    http_response_append(&bytes, &response);
    if (!bytes.failed)
        wire_send_last(exchange->socket, bytes.data, bytes.size);
    log_exchange(exchange, status, response.body.size, false);
    http_response_release(&response);
    buffer_release(&bytes);
    exchange->lingers = true;
    exchange_set_state(exchange, EXCHANGE_CLOSING);
    exchange->loop->has_refused = true;
}

void exchange_end(struct http_exchange *exchange, unsigned status, const char *detail)
{
    if (status > 0) {
        if (exchange->state != EXCHANGE_STARTED && exchange->state != EXCHANGE_BODY)
            exchange->started = exchange->since;
        refuse_past_library(exchange, status, detail);
        exchange->loop->has_refused = false; /* that was not the one the library is at */
        return;
    }
    if (exchange->state == EXCHANGE_QUEUED)
        log_answer(exchange, true);
    shutdown(exchange->socket, SHUT_RDWR); /* that wakes the library */
    exchange_set_state(exchange, EXCHANGE_CLOSING);
}

/* What libmicrohttpd finds between the last header and our first call. */
static const char *detail_of_refusal(unsigned status)
{
    switch (status) {
    case 413:
        return too_large;
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
    struct http_exchange *exchange =
        status > 0 ? TAILQ_FIRST(&loop->exchanges[EXCHANGE_STARTED]) : NULL;

    while (exchange && !wire_has_head(exchange->connection))
        exchange = TAILQ_NEXT(exchange, same_state);
    if (exchange) {
        wire_read_fields(exchange->connection, &exchange->request);
        refuse_past_library(exchange, status, detail_of_refusal(status));
    } else if (!loop->has_refused) {
        measure_unread(loop, status);
        log_message(CONFIG_LOG_INFO, "a request that can't be read was refused: status %u",
                    status);
    }
}

/* ---- the steps of a request ---- */

/* The request is there as a whole. */
static void answer_request(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    const struct http_server_settings *settings = &loop->server->settings;

    exchange_set_state(exchange, EXCHANGE_HANDLED);
    loop->handed_on++;
    settings->answer_request(settings->context, exchange);
    release_body(exchange);
}

/* Whether the body is kept: of other methods it means nothing. */
static bool keeps_body(const struct http_request *request)
{
    return request->method == HTTP_POST || request->method == HTTP_PUT ||
           request->method == HTTP_PATCH;
}

/* Of one that tells its size before it comes. */
static const char *length_problem(struct http_exchange *exchange, unsigned *status)
{
    const char *length = exchange->request.headers[HTTP_HEADER_CONTENT_LENGTH];
    size_t limit = exchange->loop->server->settings.body_limit;
    bool fits;

    exchange->body_most = length ? strtoull(length, NULL, 10) : limit;
    *status = 413;
    if (exchange->body_most > limit)
        return too_large;
    /* What has not come yet takes no memory, and who only announces it no one else's. */
    fits = !length || !keeps_body(&exchange->request) ||
           reserve_body(exchange, exchange->body_most);
    unreserve_body(exchange);
    *status = 503;
    return fits ? NULL : no_memory;
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
    if (request->trace.asks)
        xray_samples(exchange->loop->server->settings.xray, &request->trace);
    exchange_set_state(exchange, EXCHANGE_BODY);
    if (!problem)
        problem = http_guard_problem(request, &status);
    if (problem && status != 400) { /* the library may have no memory left for an answer */
        refuse_past_library(exchange, status, problem);
        return MHD_NO;
    }
    if (!problem)
        problem = length_problem(exchange, &status);
    if (problem)
        refuse(exchange, status, problem);
    return MHD_YES;
}

static const char *size_problem(struct http_exchange *exchange, unsigned *status)
{
    size_t size = exchange->body_size;
    size_t most = exchange->body_most;

    *status = 413;
    if (size > most)
        return too_large;
    *status = 503; /* the buffer doubles when it grows */
    if (size > exchange->body_memory && keeps_body(&exchange->request) &&
        !reserve_body(exchange,
                      size <= EXCHANGE_SMALL_SIZE || size > most / 2 ? size : 2 * size))
        return no_memory;
    return NULL;
}

static enum MHD_Result take_body(struct http_exchange *exchange, const char *data, size_t *size)
{
    struct http_request *request = &exchange->request;
    const char *problem = wire_body_problem(exchange->connection, &exchange->head, data);
    unsigned status = 400;

    exchange->body_size += *size;
    if (!problem)
        problem = size_problem(exchange, &status);
    if (problem) {
        refuse_past_library(exchange, status, problem);
        return MHD_NO;
    }
    if (keeps_body(request))
        buffer_append(&request->body, data, *size);
    *size = 0;
    return request->body.failed ? MHD_NO : MHD_YES;
}

static enum MHD_Result queue_reply(struct http_exchange *exchange,
                                   struct MHD_Connection *connection)
{
    if (!exchange->reply)
        return MHD_NO;
    exchange->lingers = exchange->request.must_close ||
                        atomic_load(&exchange->loop->server->phase) >= HTTP_SERVER_DRAINING;
    exchange_set_state(exchange, EXCHANGE_QUEUED);
    if (exchange->reply->id)
        memcpy(exchange->reply->id, exchange->request.id, HTTP_REQUEST_ID_LENGTH);
    return MHD_queue_response(connection, exchange->reply->status, exchange->reply->native);
}

/* Of one that waits for its answer, if that may take long. */
static void begin_rest(struct http_exchange *exchange)
{
    if (!atomic_load(&exchange->may_rest))
        return;
    MHD_suspend_connection(exchange->connection);
    exchange_set_state(exchange, EXCHANGE_RESTING);
}

enum MHD_Result exchange_advance(void *context, struct MHD_Connection *connection,
                                 const char *url, const char *method, const char *version,
                                 const char *data, size_t *size, void **request_context)
{
    struct http_exchange *exchange = *request_context;
    enum MHD_Result result = MHD_YES;

    (void)context;
    (void)url;
    if (!exchange || exchange->state == EXCHANGE_CLOSING)
        return MHD_NO;
    exchange->loop->has_refused = false;
    if (exchange->state == EXCHANGE_DEFERRED) {
        begin_rest(exchange);
        return MHD_YES; /* to be asked again */
    }
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
    if (!exchange || exchange->state == EXCHANGE_CLOSING)
        return exchange;
    exchange->body_size = 0;
    exchange->started = clock_now();
    http_request_set_target(&exchange->request, target);
    exchange->head.target = target;
    exchange->loop->has_refused = false;
    exchange_set_state(exchange, EXCHANGE_STARTED);
    /* at once: with less room left than it needs, libmicrohttpd 0.9.75 forgets the connection
     */
    if (exchange->request.target.size > HTTP_HEAD_SIZE_MAX)
        refuse_past_library(exchange, 414, http_guard_head_too_long);
    return exchange;
}

void exchange_end_request(void *context, struct MHD_Connection *connection,
                          void **request_context, enum MHD_RequestTerminationCode code)
{
    struct http_exchange *exchange = *request_context;

    (void)context;
    (void)connection;
    if (!exchange)
        return;
    *request_context = NULL;
    if (exchange->state == EXCHANGE_DEFERRED) {
        exchange->is_orphan = true; /* its reply belongs to another thread yet */
        /* they were the connection's */
        memset(exchange->request.headers, 0, sizeof(exchange->request.headers));
        return;
    }
    /* of one just started, libmicrohttpd has told, or the client left */
    if (exchange->state != EXCHANGE_STARTED && exchange->state != EXCHANGE_CLOSING)
        log_answer(exchange, code != MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (exchange->state != EXCHANGE_CLOSING)
        exchange_set_state(exchange, EXCHANGE_IDLE);
    http_reply_release(exchange->reply);
    exchange->reply = NULL;
    release_body(exchange);
    http_request_clear(&exchange->request);
    exchange->route = 0;
    exchange->trip = (struct trip){0};
    exchange->rested = 0;
}

/* There is no address to tell, and a new socket has nothing of the listener's. */
static void prepare_unix(struct http_exchange *exchange)
{
    int unsent = HTTP_UNSENT_SIZE / 2; /* the kernel doubles it */

    snprintf(exchange->client, sizeof(exchange->client), "%s", CIDR_UNIX);
    setsockopt(exchange->socket, SOL_SOCKET, SO_SNDBUF, &unsent, sizeof(unsent));
}

static struct http_exchange *make_exchange(struct http_loop *loop,
                                           struct MHD_Connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof(*exchange));
    const struct in6_addr peer = cidr_socket_address(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);

    if (!exchange)
        return NULL; /* every request on the connection is refused by exchange_advance */
    exchange->loop = loop;
    exchange->connection = connection;
    exchange->socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    exchange->is_unix = IN6_IS_ADDR_UNSPECIFIED(&peer);
    cidr_print_address(&peer, exchange->client);
    if (exchange->is_unix)
        prepare_unix(exchange);
    exchange->request.cors_origins = loop->server->settings.cors_origins;
    http_request_set_peer(&exchange->request, &loop->server->trusted_proxies, &peer);
    enter_state(exchange, EXCHANGE_CONNECTED);
    arrival_add(exchange, &peer);
    return exchange;
}

static void end_connection(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;

    arrival_remove(exchange);
    if (exchange->lingers)
        linger_add(&loop->linger, exchange->socket, loop->now);
    loop->is_busy = true; /* libmicrohttpd listens again only in its next run */
    if (!exchange->is_orphan)
        release_exchange(exchange);
}

void exchange_notify_connection(void *context, struct MHD_Connection *connection,
                                void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct http_loop *loop = context;

    loop->has_refused = false;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = make_exchange(loop, connection);
    else if (*socket_context)
        end_connection(*socket_context);
}
