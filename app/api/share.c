#include "api/share.h"

#include "api/handlers.h"
#include "api/json.h"
#include "http/gzip.h"

#include <stdio.h>
#include <string.h>

#define PREFERENCE_SIZE 24

/* The text must live as long as the response. */
static void add_preference(struct http_response *response, const struct todo_call *call,
                           char text[PREFERENCE_SIZE])
{
    if (call->wait == 0)
        return;
    (void)snprintf(text, PREFERENCE_SIZE, "wait=%u", call->wait);
    http_response_add_header(response, "Preference-Applied", text);
}

/* The links, too, are what the tag stands for: whether there is a next page may change while
 * this one stays the same. They are hashed behind the body, and taken off again. */
static void write_page_etags(struct todo_shared_reply *shared, struct buffer *json,
                             const struct buffer *links)
{
    size_t size = json->size;

    buffer_append(json, links->data, links->size);
    todo_call_write_etags(shared->call, json, shared->state, shared->etag);
    json->failed = json->failed || links->failed;
    if (!json->failed) {
        json->size = size;
        json->data[size] = '\0';
    }
}

static void make_full_reply(struct todo_shared_reply *shared)
{
    const struct todo_call *call = shared->call;
    const struct todo_operation *operation = &call->operation;
    struct http_response response;
    struct buffer links = {0};
    struct buffer json = {0};
    char preference[PREFERENCE_SIZE];

    if (operation->kind == TODO_LIST)
        todo_json_append_list(&json, operation->list, call->base_url);
    else
        todo_json_append(&json, &operation->todo, call->base_url);
    if (call->page)
        todo_page_append_links(&links, call->page, operation->list, operation->has_more,
                               call->base_url);
    write_page_etags(shared, &json, &links);
    http_start_route_response(&response, call->exchange, call->representation.route, 200);
    todo_call_add_etag(&response, call, shared->etag);
    if (links.size > 0)
        http_response_add_header(&response, "Link", links.data);
    add_preference(&response, call, preference);
    todo_call_render(&response, call, &json, shared->etag);
    shared->has_codings = response.has_codings;
    shared->full = http_reply_make(call->exchange, &response);
    buffer_release(&links);
}

static void start_short_response(struct http_response *response, const struct todo_call *call,
                                 const char *etag, bool has_codings,
                                 char preference[PREFERENCE_SIZE])
{
    http_start_route_response(response, call->exchange, call->representation.route, 304);
    if (has_codings)
        http_gzip_vary(response);
    todo_call_add_etag(response, call, etag);
    add_preference(response, call, preference);
}

/* The call that the full reply was made for may have been answered: its exchange may be gone.
 */
static void make_short_reply(struct todo_shared_reply *shared, const struct todo_call *call)
{
    struct http_response response;
    char preference[PREFERENCE_SIZE];

    start_short_response(&response, call, shared->etag, shared->has_codings, preference);
    response.left_out = http_reply_size(shared->full);
    shared->not_modified = http_reply_make(call->exchange, &response);
}

void todo_respond_unchanged(const struct todo_call *call)
{
    struct http_response response;
    char preference[PREFERENCE_SIZE];

    start_short_response(&response, call, call->etag, call->has_codings, preference);
    response.left_out = call->left_out;
    http_exchange_respond(call->exchange, &response);
}

static bool has_same_query(const struct todo_call *made, const struct todo_call *call)
{
    const struct todo_query *one = made->operation.query;
    const struct todo_query *other = call->operation.query;

    return one == other || (one && other && strcmp(one->key, other->key) == 0);
}

static bool may_share(const struct todo_call *made, const struct todo_call *call)
{
    return made->operation.id == call->operation.id && has_same_query(made, call) &&
           made->share_class == call->share_class && call->share_class != 0 &&
           made->wait == call->wait &&
           made->representation.format.media == call->representation.format.media &&
           made->representation.format.indent == call->representation.format.indent &&
           strcmp(made->base_url, call->base_url) == 0;
}

static struct todo_shared_reply *find_reply(struct todo_shared_replies *shared,
                                            const struct todo_call *call)
{
    for (size_t i = 0; i < TODO_SHARED_MOST; i++)
        if (shared->replies[i].full && may_share(shared->replies[i].call, call))
            return &shared->replies[i];
    return NULL;
}

static void release_reply(struct todo_shared_reply *reply)
{
    http_reply_release(reply->full);
    http_reply_release(reply->not_modified);
    *reply = (struct todo_shared_reply){0};
}

static struct todo_shared_reply *add_reply(struct todo_shared_replies *shared,
                                           const struct todo_call *call)
{
    struct todo_shared_reply *reply = &shared->replies[shared->next++ % TODO_SHARED_MOST];

    release_reply(reply);
    reply->call = call;
    make_full_reply(reply);
    return reply;
}

void todo_shared_release(struct todo_shared_replies *replies)
{
    for (size_t i = 0; i < TODO_SHARED_MOST; i++)
        release_reply(&replies->replies[i]);
}

struct todo_shared_reply *todo_share_reply(const struct todo_call *call,
                                           struct todo_shared_replies *replies)
{
    struct todo_shared_reply *shared = find_reply(replies, call);
    size_t size;

    if (shared)
        return shared;
    size = todo_call_list_size(call);
    if (!http_reply_reserve(call->exchange, size))
        return NULL;
    shared = add_reply(replies, call);
    http_reply_unreserve(call->exchange, size);
    return shared;
}

struct http_reply *todo_shared_not_modified(struct todo_shared_reply *shared,
                                            const struct todo_call *call)
{
    if (!shared->not_modified)
        make_short_reply(shared, call);
    return shared->not_modified;
}
