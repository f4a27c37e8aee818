#include "http/router.h"
#include "server/exchange.h"

#include <microhttpd.h>
#include <stdlib.h>

static bool add_headers(struct http_reply *reply, const struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (MHD_add_response_header(reply->native, response->headers[i].name,
                                    response->headers[i].value) != MHD_YES)
            return false;
    }
    return true;
}

static ssize_t read_nothing(void *context, uint64_t position, char *out, size_t size)
{
    (void)context;
    (void)position;
    (void)out;
    (void)size;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Takes the body, unless it is NULL. libmicrohttpd sends the length of a 304's body, so that
 * must not be 0 (RFC 9110, section 8.6), but asks for none of it. */
static struct MHD_Response *make_native(const struct http_response *response)
{
    if (response->status == 304)
        return MHD_create_response_from_callback(response->left_out, 1, read_nothing, NULL,
                                                 NULL);
    return MHD_create_response_from_buffer(response->body.size, response->body.data,
                                           MHD_RESPMEM_MUST_FREE);
}

struct http_reply *http_reply_make(const struct http_exchange *exchange,
                                   struct http_response *response)
{
    struct http_reply *reply = calloc(1, sizeof(*reply));

    if (exchange->request.must_close ||
        atomic_load(&exchange->loop->server->phase) >= HTTP_SERVER_DRAINING)
        http_response_add_header(response, "Connection", "close");
    if (!reply || response->body.failed)
        goto failed;
    reply->status = response->status;
    reply->is_health = response->route && response->route->is_health;
    reply->server = exchange->loop->server;
    atomic_init(&reply->references, 1);
    reply->native = make_native(response);
    if (!reply->native)
        goto failed;
    reply->size = response->body.size;
    atomic_fetch_add(&reply->server->reply_memory, reply->size);
    response->body = (struct buffer){0};
    if (!add_headers(reply, response))
        goto failed;
    return reply;

failed:
    if (reply && reply->native)
        http_reply_release(reply);
    else
        free(reply);
    http_response_release(response);
    return NULL;
}

void http_reply_release(struct http_reply *reply)
{
    if (!reply || atomic_fetch_sub(&reply->references, 1) != 1)
        return;
    atomic_fetch_sub(&reply->server->reply_memory, reply->size);
    MHD_destroy_response(reply->native);
    free(reply);
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
