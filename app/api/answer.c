#include "api/call.h"
#include "api/json.h"
#include "http/render.h"

#include <stdlib.h>
#include <string.h>

#define UNAVAILABLE_DETAIL "The database is not available."
#define OUTCOME_UNKNOWN_DETAIL                                                                 \
    "The database did not answer in time. Whether the change was made is not known."
#define OUT_OF_MEMORY_DETAIL "There is not enough memory for the answer now."
#define FAILED_DETAIL        "The database refused the request."

#define SHARED_MOST 4

static struct todo_call *call_of(struct todo_operation *operation)
{
    return (struct todo_call *)operation;
}

void todo_respond_unavailable(struct http_exchange *exchange,
                              const struct http_representation *representation,
                              const char *detail)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route, 503);
    http_response_add_header(&response, "Retry-After", "1");
    http_render_detail(&response, &representation->format, detail);
    http_exchange_respond(exchange, &response);
}

static void respond_problem(const struct todo_call *call, enum todo_outcome outcome)
{
    switch (outcome) {
    case TODO_NOT_FOUND:
        http_respond_detail(call->exchange, &call->representation, 404, "Not found.");
        return;
    case TODO_UNAVAILABLE:
    case TODO_TIMED_OUT:
        todo_respond_unavailable(call->exchange, &call->representation, UNAVAILABLE_DETAIL);
        return;
    case TODO_OUTCOME_UNKNOWN:
        todo_respond_unavailable(call->exchange, &call->representation, OUTCOME_UNKNOWN_DETAIL);
        return;
    case TODO_OUT_OF_MEMORY:
        todo_respond_unavailable(call->exchange, &call->representation, OUT_OF_MEMORY_DETAIL);
        return;
    case TODO_FAILED:
    case TODO_DONE:
        http_respond_detail(call->exchange, &call->representation, 500, FAILED_DETAIL);
        return;
    }
}

static void respond_created(const struct todo_call *call)
{
    const struct todo *todo = &call->operation.todo;
    struct http_response response;
    struct buffer location = {0};
    struct buffer json = {0};

    todo_json_append_url(&location, call->base_url, todo->id, todo->url_format);
    todo_json_append(&json, todo, call->base_url);
    http_start_route_response(&response, call->exchange, call->representation.route, 201);
    if (!location.failed)
        http_response_add_header(&response, "Location", location.data);
    http_render_json(&response, &call->representation.format, json.data, json.size);
    response.body.failed = response.body.failed || json.failed || location.failed;
    http_exchange_respond(call->exchange, &response);
    buffer_release(&location);
    buffer_release(&json);
}

static void respond_deleted(const struct todo_call *call)
{
    struct http_response response;

    http_start_route_response(&response, call->exchange, call->representation.route, 204);
    http_exchange_respond(call->exchange, &response);
}

static void respond_updated(const struct todo_call *call)
{
    struct buffer json = {0};

    todo_json_append(&json, &call->operation.todo, call->base_url);
    http_respond_json(call->exchange, &call->representation, 200, &json);
    buffer_release(&json);
}

/* A read's reply, for one call or for many of the same. */
static struct http_reply *make_read_reply(const struct todo_call *call)
{
    struct http_response response;
    struct http_reply *reply;
    struct buffer json = {0};

    if (call->operation.kind == TODO_LIST)
        todo_json_append_list(&json, call->operation.list, call->base_url);
    else
        todo_json_append(&json, &call->operation.todo, call->base_url);
    http_start_route_response(&response, call->exchange, call->representation.route, 200);
    http_render_json(&response, &call->representation.format, json.data, json.size);
    response.body.failed = response.body.failed || json.failed;
    reply = http_reply_make(call->exchange, &response);
    buffer_release(&json);
    return reply;
}

/* The last different replies of one wave of answers. Lists and items each have their own: many
 * items must not push a list out. */
struct shared_replies {
    const struct todo_call *calls[SHARED_MOST]; /* what the replies were made for */
    struct http_reply *replies[SHARED_MOST];
    size_t next; /* the place of the next one */
};

static bool may_share(const struct todo_call *made, const struct todo_call *call)
{
    return made->operation.id == call->operation.id && made->share_class == call->share_class &&
           call->share_class != 0 &&
           made->representation.format.media == call->representation.format.media &&
           made->representation.format.indent == call->representation.format.indent &&
           strcmp(made->base_url, call->base_url) == 0;
}

static struct http_reply *find_reply(const struct shared_replies *shared,
                                     const struct todo_call *call)
{
    for (size_t i = 0; i < SHARED_MOST; i++)
        if (shared->replies[i] && may_share(shared->calls[i], call))
            return shared->replies[i];
    return NULL;
}

static struct http_reply *add_reply(struct shared_replies *shared, const struct todo_call *call)
{
    size_t place = shared->next++ % SHARED_MOST;

    http_reply_release(shared->replies[place]);
    shared->replies[place] = make_read_reply(call);
    shared->calls[place] = call;
    return shared->replies[place];
}

static void release_replies(struct shared_replies *shared)
{
    for (size_t i = 0; i < SHARED_MOST; i++)
        http_reply_release(shared->replies[i]);
}

/* An upper bound for most lists, to be known before the JSON is made. As a page, each todo is
 * about six times as long. */
static size_t estimate_size(const struct todo_call *call)
{
    const struct todo_list *list = call->operation.list;

    if (call->operation.kind != TODO_LIST)
        return 0;
    return (list->text_size + list->count * (strlen(call->base_url) +
                                             sizeof(",{\"url\":\"/todos/"
                                                    "2147483647\",\"title\":\"\",\"completed\":"
                                                    "false,\"order\":-2147483648}"))) *
           (call->representation.format.media == HTTP_HTML ? 6 : 1);
}

static void respond_read(const struct todo_call *call, struct shared_replies *shared)
{
    struct http_reply *reply = find_reply(shared, call);

    if (!reply && !http_reply_fits(call->exchange, estimate_size(call))) {
        respond_problem(call, TODO_OUT_OF_MEMORY);
        return;
    }
    http_exchange_answer(call->exchange, reply ? reply : add_reply(shared, call));
}

static void respond_result(const struct todo_call *call, struct shared_replies shared[2])
{
    if (call->operation.outcome != TODO_DONE) {
        respond_problem(call, call->operation.outcome);
        return;
    }
    switch (call->operation.kind) {
    case TODO_LIST:
        respond_read(call, &shared[0]);
        return;
    case TODO_FETCH:
        respond_read(call, &shared[1]);
        return;
    case TODO_CREATE:
        respond_created(call);
        return;
    case TODO_UPDATE:
        respond_updated(call);
        return;
    case TODO_DELETE:
    case TODO_CLEAR:
        respond_deleted(call);
        return;
    }
}

static void respond_call(const struct todo_call *call, struct shared_replies shared[2])
{
    enum todo_outcome outcome = call->operation.outcome;

    switch (call->purpose) {
    case TODO_CALL_RESULT:
        respond_result(call, shared);
        return;
    case TODO_CALL_DESCRIBE:
        if (outcome == TODO_DONE || outcome == TODO_NOT_FOUND)
            todo_respond_item_description(call->exchange, &call->representation,
                                          outcome == TODO_DONE);
        else
            respond_problem(call, outcome);
        return;
    case TODO_CALL_REJECT:
        if (outcome == TODO_DONE)
            http_respond_json(call->exchange, &call->representation,
                              (unsigned)call->rejection.status, &call->rejection.body);
        else
            respond_problem(call, outcome);
        return;
    case TODO_CALL_READY:
        if (outcome == TODO_DONE || outcome == TODO_NOT_FOUND)
            todo_respond_status(call->exchange, &call->representation,
                                "{\"status\":\"ready\"}");
        else
            todo_respond_unavailable(call->exchange, &call->representation, UNAVAILABLE_DETAIL);
        return;
    }
}

void todo_call_complete(void *context, struct todo_operation *const *operations, size_t count)
{
    struct shared_replies shared[2] = {0};

    (void)context;
    for (size_t i = 0; i < count; i++)
        respond_call(call_of(operations[i]), shared);
    release_replies(&shared[0]);
    release_replies(&shared[1]);
}

void todo_call_give_up(void *context, struct todo_operation *operation,
                       enum todo_outcome outcome)
{
    (void)context;
    respond_problem(call_of(operation), outcome);
}

void todo_call_release(void *context, struct todo_operation *operation)
{
    struct todo_call *call = call_of(operation);

    (void)context;
    buffer_release(&call->rejection.body);
    free(call->change);
    free(call);
}
