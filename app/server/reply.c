#include "http/router.h"
#include "server/exchange.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID_HEADER "X-Request-Id"

/* Counts in the server's reply_memory until the last reply that it is in is gone. */
struct http_body {
    struct buffer bytes;
    const void *data; /* these, or what is constant */
    size_t size;
    bool is_left_out; /* of a 304, with so many bytes */
    size_t left_out;
    struct http_server *server;
    atomic_uint references; /* of responses of the library's */
};

/* Takes the response's body. NULL without memory. */
static struct http_body *make_body(struct http_server *server, struct http_response *response)
{
    struct buffer *bytes = &response->body;
    struct http_body *body = malloc(sizeof(*body));

    if (!body)
        return NULL;
    *body =
        (struct http_body){.bytes = *bytes,
                           .data = response->constant ? response->constant : bytes->data,
                           .size = response->constant ? response->constant_size : bytes->size,
                           .is_left_out = response->status == 304,
                           .left_out = response->left_out,
                           .server = server};
    atomic_init(&body->references, 1);
    atomic_fetch_add(&server->reply_memory, bytes->size);
    *bytes = (struct buffer){0};
    return body;
}

static void release_body(void *context)
{
    struct http_body *body = context;

    if (atomic_fetch_sub(&body->references, 1) != 1)
        return;
    atomic_fetch_sub(&body->server->reply_memory, body->bytes.size);
    buffer_release(&body->bytes);
    free(body);
}

static ssize_t read_nothing(void *context, uint64_t position, char *out, size_t size)
{
    (void)context;
    (void)position;
    (void)out;
    (void)size;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* libmicrohttpd sends the length of a 304's body, so that must not be 0 (RFC 9110,
 * section 8.6), but asks for none of it. */
static struct MHD_Response *make_native(struct http_body *body)
{
    void *data;

    if (body->is_left_out)
        return MHD_create_response_from_callback(body->left_out, 1, read_nothing, body,
                                                 release_body);
    memcpy(&data, &body->data, sizeof(data)); /* it is only read, but 0.9.75 takes no const */
    return MHD_create_response_from_buffer_with_free_callback_cls(body->size, data,
                                                                  release_body, body);
}

/* Has a reference to the body from now on. NULL without memory. */
static struct http_reply *make_reply(struct http_body *body, struct http_loop *loop)
{
    struct http_reply *reply = calloc(1, sizeof(*reply));

    if (!reply)
        return NULL;
    reply->native = make_native(body);
    if (!reply->native) {
        free(reply);
        return NULL;
    }
    atomic_fetch_add(&body->references, 1);
    reply->body = body;
    reply->size = body->size;
    reply->loop = loop;
    atomic_init(&reply->references, 1);
    return reply;
}

static bool add_headers(struct http_reply *reply, const struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (MHD_add_response_header(reply->native, response->headers[i].name,
                                    response->headers[i].value) != MHD_YES)
            return false;
    }
    return true;
}

/* An id of ours, each request's own. */
static bool add_id(struct http_reply *reply, const char *id)
{
    if (MHD_add_response_header(reply->native, ID_HEADER, id) != MHD_YES)
        return false;
    reply->id = wire_header_value(reply->native, ID_HEADER);
    return true;
}

/* A caller that asks how it was decided is told (X-Ray, "Tracing header"). */
static bool add_sampling(struct http_reply *reply, const struct http_trace *trace)
{
    char text[64];

    if (!trace->asks)
        return true;
    http_trace_print_amzn(trace, text, sizeof(text));
    return MHD_add_response_header(reply->native, "X-Amzn-Trace-Id", text) == MHD_YES;
}

static struct http_reply *make_whole(const struct http_exchange *exchange,
                                     struct http_response *response)
{
    const struct http_request *request = &exchange->request;
    struct http_body *body = make_body(exchange->loop->server, response);
    struct http_reply *reply;

    if (!body)
        return NULL;
    reply = make_reply(body, exchange->loop);
    release_body(body); /* the reply has it */
    if (!reply)
        return NULL;
    reply->status = response->status;
    reply->is_health = response->route && response->route->is_health;
    if (add_headers(reply, response) && (request->id_given || add_id(reply, request->id)) &&
        add_sampling(reply, &request->trace))
        return reply;
    http_reply_release(reply);
    return NULL;
}

struct http_reply *http_reply_make(const struct http_exchange *exchange,
                                   struct http_response *response)
{
    struct http_reply *reply = NULL;

    if (exchange->request.must_close ||
        atomic_load(&exchange->loop->server->phase) >= HTTP_SERVER_DRAINING)
        http_response_add_header(response, "Connection", "close");
    if (!response->body.failed)
        reply = make_whole(exchange, response);
    http_response_release(response);
    return reply;
}

/* The id's value is the other loop's, which may be writing. */
static enum MHD_Result copy_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct http_reply *copy = context;
    static const char placeholder[HTTP_REQUEST_ID_LENGTH + 1] = "0000000000000000";

    (void)kind;
    if (strcasecmp(name, ID_HEADER) == 0)
        return add_id(copy, placeholder) ? MHD_YES : MHD_NO;
    return MHD_add_response_header(copy->native, name, value);
}

static struct http_reply *copy_reply(struct http_reply *reply, struct http_loop *loop)
{
    struct http_reply *copy = make_reply(reply->body, loop);
    int count = MHD_get_response_headers(reply->native, NULL, NULL);

    if (!copy)
        return NULL;
    copy->status = reply->status;
    copy->is_health = reply->is_health;
    MHD_get_response_headers(reply->native, copy_header, copy);
    if (MHD_get_response_headers(copy->native, NULL, NULL) != count) {
        http_reply_release(copy);
        return NULL;
    }
    copy->copy = reply->copy;
    reply->copy = copy;
    return copy;
}

struct http_reply *http_reply_for(struct http_reply *reply, struct http_loop *loop)
{
    struct http_reply *found = reply;

    while (found->loop != loop && found->copy)
        found = found->copy;
    return found->loop == loop ? found : copy_reply(reply, loop);
}

void http_reply_release(struct http_reply *reply)
{
    while (reply && atomic_fetch_sub(&reply->references, 1) == 1) {
        struct http_reply *copy = reply->copy;
        MHD_destroy_response(reply->native);
        free(reply);
        reply = copy;
    }
}

size_t http_reply_size(const struct http_reply *reply)
{
    return reply->size;
}

bool http_reply_reserve(const struct http_exchange *exchange, size_t size)
{
    struct http_server *server = exchange->loop->server;

    return exchange_reserve(&server->reply_memory, server->settings.reply_memory, size, size);
}

void http_reply_unreserve(const struct http_exchange *exchange, size_t size)
{
    atomic_fetch_sub(&exchange->loop->server->reply_memory, size);
}
