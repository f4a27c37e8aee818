#include "api/handlers.h"
#include "api/json.h"
#include "api/share.h"
#include "http/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMED_OUT_DETAIL "The database did not answer in time."
#define OUTCOME_UNKNOWN_DETAIL                                                                 \
    "The database did not answer in time. The change may have been made: look before you send" \
    " it again."
#define NOTHING_CHANGED_DETAIL " Nothing was changed."
#define BEYOND_LIMIT_DETAIL    "The database can't store this: it is at one of its limits."
#define OUT_OF_MEMORY_DETAIL   "There is not enough memory for the answer now."
#define REFUSED_DETAIL         "The database does not accept this change."
#define FAILED_DETAIL          "The database cannot do this now. The server's log says why."

#define SAME_KEY_DETAIL                                                                        \
    "The database did not answer in time. The change may have been made: send it again with"   \
    " the same Idempotency-Key, and it is made once."
#define KEY_REUSED_DETAIL                                                                      \
    "Idempotency-Key was used for a request that asked for something else."
#define KEY_IN_USE_DETAIL                                                                      \
    "Idempotency-Key is that of a request that is not done yet." NOTHING_CHANGED_DETAIL

static struct todo_call *call_of(struct todo_operation *operation)
{
    return (struct todo_call *)operation;
}

/* For who may ask again soon. */
static void respond_later(struct http_exchange *exchange,
                          const struct http_representation *representation, unsigned status,
                          const char *detail)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route, status);
    http_response_add_header(&response, "Retry-After", "1");
    http_render_detail(&response, &representation->format, detail);
    http_exchange_respond(exchange, &response);
}

void todo_respond_unavailable(struct http_exchange *exchange,
                              const struct http_representation *representation,
                              const char *detail)
{
    respond_later(exchange, representation, 503, detail);
}

void todo_respond_rejection(struct http_exchange *exchange,
                            const struct http_representation *representation,
                            struct todo_rejection *rejection)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route,
                              (unsigned)rejection->status);
    if (rejection->is_of_coding)
        http_response_add_header(&response, "Accept-Encoding", "identity");
    else if (rejection->status == 415 && http_exchange_request(exchange)->method == HTTP_PATCH)
        http_response_add_header(&response, "Accept-Patch", TODO_INPUT_TYPES);
    if (rejection->form.count > 0)
        response.form = &rejection->form;
    http_render_json(&response, &representation->format, &rejection->body);
    http_exchange_respond(exchange, &response);
}

/* Who asked for a change may ask again. */
static void respond_not_done(const struct todo_call *call, const char *detail)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "%s%s", detail,
                   todo_operation_is_change(&call->operation) ? NOTHING_CHANGED_DETAIL : "");
    todo_respond_unavailable(call->exchange, &call->representation, text);
}

/* The client may merge what it wanted with what is there, and try again, without a read. */
static void respond_precondition_failed(const struct todo_call *call, const char *state)
{
    const char *detail = todo_call_failure(call, state);
    char etag[HTTP_ETAG_SIZE];
    struct http_response response;
    struct buffer json = {0};

    memcpy(etag, state, sizeof(etag));
    todo_call_add_form(call, etag);
    buffer_append_text(&json, "{\"detail\":");
    buffer_append_json(&json, detail, strlen(detail));
    if (call->operation.id > 0) {
        buffer_append_text(&json, ",\"current\":");
        todo_json_append(&json, &call->operation.todo, call->base_url);
    }
    buffer_append_char(&json, '}');
    http_start_route_response(&response, call->exchange, call->representation.route, 412);
    http_response_add_header(&response, "ETag", etag);
    http_render_json(&response, &call->representation.format, &json);
    http_exchange_respond(call->exchange, &response);
}

static void respond_problem(const struct todo_call *call, enum todo_outcome outcome)
{
    switch (outcome) {
    case TODO_PRECONDITION_FAILED:
        respond_precondition_failed(call, call->etag);
        return;
    case TODO_NOT_FOUND:
        http_respond_detail(call->exchange, &call->representation, 404, "Not found.");
        return;
    case TODO_UNAVAILABLE:
        respond_not_done(call, TODO_UNAVAILABLE_DETAIL);
        return;
    case TODO_TIMED_OUT:
        respond_not_done(call, TIMED_OUT_DETAIL);
        return;
    case TODO_OUTCOME_UNKNOWN:
        if (call->key)
            todo_respond_unavailable(call->exchange, &call->representation, SAME_KEY_DETAIL);
        else /* no Retry-After: it would ask for what may be a second one (RFC 9110, 10.2.3) */
            http_respond_detail(call->exchange, &call->representation, 503,
                                OUTCOME_UNKNOWN_DETAIL);
        return;
    case TODO_KEY_REUSED:
        http_respond_detail(call->exchange, &call->representation, 422, KEY_REUSED_DETAIL);
        return;
    case TODO_KEY_IN_USE:
        respond_later(call->exchange, &call->representation, 409, KEY_IN_USE_DETAIL);
        return;
    case TODO_OUT_OF_MEMORY:
        http_exchange_count_rejection(call->exchange, METRICS_REJECTED_MEMORY);
        respond_not_done(call, OUT_OF_MEMORY_DETAIL);
        return;
    case TODO_BEYOND_LIMIT:
        http_respond_detail(call->exchange, &call->representation, 507, BEYOND_LIMIT_DETAIL);
        return;
    case TODO_REFUSED:
        http_respond_detail(call->exchange, &call->representation, 400, REFUSED_DETAIL);
        return;
    case TODO_FAILED:
    case TODO_DONE:
        todo_respond_unavailable(call->exchange, &call->representation, FAILED_DETAIL);
        return;
    }
}

/* A browser that sent a form by itself goes on to the todo, where a reload makes no second one
 * (RFC 9110, section 15.4.4). */
static unsigned created_status(const struct todo_call *call)
{
    return call->representation.format.media == HTTP_HTML && call->is_form ? 303 : 201;
}

static void respond_created(const struct todo_call *call)
{
    const struct todo *todo = &call->operation.todo;
    struct http_response response;
    struct buffer location = {0};
    struct buffer json = {0};
    char state[HTTP_ETAG_SIZE];
    char etag[HTTP_ETAG_SIZE];

    todo_json_append_url(&location, call->base_url, todo->id, todo->url_format);
    todo_json_append(&json, todo, call->base_url);
    todo_call_write_etags(call, &json, state, etag);
    http_start_route_response(&response, call->exchange, call->representation.route,
                              created_status(call));
    todo_call_add_etag(&response, call, etag);
    if (!location.failed)
        http_response_add_header(&response, "Location", location.data);
    if (call->operation.is_replayed)
        http_response_add_header(&response, "Idempotent-Replayed", "true");
    json.failed = json.failed || location.failed;
    todo_call_render(&response, call, &json, etag);
    http_exchange_respond(call->exchange, &response);
    buffer_release(&location);
}

/* The todos, each as its change left it. */
static void respond_many(const struct todo_call *call, unsigned status)
{
    struct http_response response;
    struct buffer json = {0};

    buffer_append_char(&json, '[');
    for (size_t i = 0; i < call->edits.count; i++) {
        if (i > 0)
            buffer_append_char(&json, ',');
        todo_json_append(&json, &call->edits.edits[i].todo, call->base_url);
    }
    buffer_append_char(&json, ']');
    http_start_route_response(&response, call->exchange, call->representation.route, status);
    if (call->operation.is_replayed)
        http_response_add_header(&response, "Idempotent-Replayed", "true");
    http_render_json(&response, &call->representation.format, &json);
    http_exchange_respond(call->exchange, &response);
}

static void respond_missing(const struct todo_call *call)
{
    struct buffer json = {0};

    buffer_append_format(&json, "{\"%zu\":{\"detail\":\"Not found.\"}}",
                         call->operation.missing);
    http_respond_json(call->exchange, &call->representation, 404, &json);
}

static void respond_deleted(const struct todo_call *call)
{
    struct http_response response;

    http_start_route_response(&response, call->exchange, call->representation.route, 204);
    http_exchange_respond(call->exchange, &response);
}

/* After PUT, no tag may be told: that would say that the todo is what was sent, byte for byte
 * (RFC 9110, section 9.3.4). */
static void respond_updated(const struct todo_call *call)
{
    struct http_response response;
    struct buffer json = {0};
    char state[HTTP_ETAG_SIZE];
    char etag[HTTP_ETAG_SIZE];
    bool is_patch = http_exchange_request(call->exchange)->method == HTTP_PATCH;

    todo_json_append(&json, &call->operation.todo, call->base_url);
    http_start_route_response(&response, call->exchange, call->representation.route, 200);
    if (is_patch) {
        todo_call_write_etags(call, &json, state, etag);
        todo_call_add_etag(&response, call, etag);
    }
    todo_call_render(&response, call, &json, is_patch ? etag : NULL);
    http_exchange_respond(call->exchange, &response);
}

static bool is_known(const struct todo_call *call, const struct todo_shared_reply *shared)
{
    return shared && shared->full && todo_call_knows(call, shared->etag);
}

/* Answers, or lets it wait. */
static void respond_read(struct todo_api *api, struct todo_call *call,
                         struct todo_shared_replies *replies)
{
    struct todo_shared_reply *shared = todo_share_reply(call, replies);
    bool has_failed = shared && shared->full && todo_call_failure(call, shared->state);

    if (shared && call->wait > 0 && !has_failed && is_known(call, shared)) {
        call->has_codings = shared->has_codings;
        if (todo_live_park(api, call, shared->etag, http_reply_size(shared->full)))
            return;
        call->wait = 0; /* too many wait: as if it didn't ask for it */
        shared = todo_share_reply(call, replies);
    }
    call->is_parked = false;
    if (!shared)
        respond_problem(call, TODO_OUT_OF_MEMORY);
    else if (has_failed)
        respond_precondition_failed(call, shared->state);
    else if (is_known(call, shared))
        http_exchange_answer(call->exchange, todo_shared_not_modified(shared, call));
    else
        http_exchange_answer(call->exchange, shared->full);
}

/* What one call of todo_call_complete shares. */
struct wave {
    struct todo_api *api;
    struct todo_shared_replies lists;
    struct todo_shared_replies items;
    struct todo_calls answered; /* that had waited */
    bool has_changed;           /* the todos */
};

static void respond_result(struct todo_call *call, struct wave *wave)
{
    if (call->operation.outcome == TODO_NOT_FOUND && call->operation.edits) {
        respond_missing(call);
        return;
    }
    if (call->operation.outcome != TODO_DONE) {
        respond_problem(call, call->operation.outcome);
        return;
    }
    switch (call->operation.kind) {
    case TODO_LIST:
        respond_read(wave->api, call, &wave->lists);
        return;
    case TODO_FETCH:
        respond_read(wave->api, call, &wave->items);
        return;
    case TODO_CREATE:
        if (call->operation.edits)
            respond_many(call, 201);
        else
            respond_created(call);
        return;
    case TODO_UPDATE:
        if (call->operation.edits)
            respond_many(call, 200);
        else
            respond_updated(call);
        return;
    case TODO_DELETE:
    case TODO_CLEAR:
        respond_deleted(call);
        return;
    case TODO_FETCH_MANY: /* answers those who wait, and */
    case TODO_CHECK:      /* /readyz: not by itself */
        return;
    }
}

/* One who waits for what the look has seen. */
static void respond_waiting(struct todo_call *call, const struct todo_list *list,
                            struct wave *wave)
{
    const struct todo *todo = NULL;

    if (call->operation.kind == TODO_LIST) {
        call->operation.list = list;
        respond_read(wave->api, call, &wave->lists);
        return;
    }
    todo = todo_list_find(list, call->operation.id);
    if (todo) {
        call->operation.todo = *todo;
        respond_read(wave->api, call, &wave->items);
        return;
    }
    call->is_parked = false;
    respond_problem(call, TODO_NOT_FOUND);
}

static void respond_all_waiting(const struct todo_call *look, struct wave *wave)
{
    struct todo_calls calls = TAILQ_HEAD_INITIALIZER(calls);
    struct todo_calls parked = TAILQ_HEAD_INITIALIZER(parked);
    struct todo_call *call;
    size_t gone = 0;

    if (look->operation.outcome == TODO_DONE)
        todo_live_take(wave->api, look, &calls);
    while ((call = TAILQ_FIRST(&calls))) {
        TAILQ_REMOVE(&calls, call, link);
        respond_waiting(call, look->operation.list, wave);
        gone += !call->is_parked;
        if (call->is_parked)
            TAILQ_INSERT_TAIL(&parked, call, link);
        else
            TAILQ_INSERT_TAIL(&wave->answered, call, link);
    }
    /* who waits on may be gone at once, and replies to share lean on the call */
    todo_shared_release(&wave->lists);
    todo_shared_release(&wave->items);
    todo_live_give_back(wave->api, &parked, gone);
    todo_live_end_look(wave->api);
}

static void respond_call(struct todo_call *call, struct wave *wave)
{
    enum todo_outcome outcome = call->operation.outcome;

    if (call->exchange) /* a look and a probe have none */
        http_exchange_note_trip(call->exchange, &call->operation.trip);
    switch (call->purpose) {
    case TODO_CALL_RESULT:
        respond_result(call, wave);
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
            todo_respond_rejection(call->exchange, &call->representation, &call->rejection);
        else
            respond_problem(call, outcome);
        return;
    case TODO_CALL_LIVE:
        respond_all_waiting(call, wave);
        return;
    case TODO_CALL_READY:
        todo_probe_end(wave->api);
        return;
    }
}

static bool may_have_changed(const struct todo_call *call)
{
    return todo_operation_is_change(&call->operation) &&
           (call->operation.outcome == TODO_DONE ||
            call->operation.outcome == TODO_OUTCOME_UNKNOWN);
}

void todo_call_complete(void *context, struct todo_operation *const *operations, size_t count)
{
    struct wave wave = {.api = context};
    struct todo_call *call;

    TAILQ_INIT(&wave.answered);
    for (size_t i = 0; i < count; i++) {
        call = call_of(operations[i]);
        wave.has_changed = wave.has_changed || may_have_changed(call);
        respond_call(call, &wave);
    }
    todo_shared_release(&wave.lists);
    todo_shared_release(&wave.items);
    while ((call = TAILQ_FIRST(&wave.answered))) {
        TAILQ_REMOVE(&wave.answered, call, link);
        todo_call_release(context, &call->operation);
    }
    if (wave.has_changed)
        todo_live_changed(context);
}

void todo_call_give_up(void *context, struct todo_operation *operation,
                       enum todo_outcome outcome)
{
    struct todo_call *call = call_of(operation);

    if (call->purpose == TODO_CALL_READY) {
        todo_probe_give_up(context, call);
        return;
    }
    if (call->purpose == TODO_CALL_LIVE) {
        todo_live_give_up_look(context);
        return;
    }
    http_exchange_count_rejection(call->exchange, METRICS_REJECTED_DEADLINE);
    respond_problem(call, outcome);
}

void todo_call_release(void *context, struct todo_operation *operation)
{
    struct todo_api *api = context;
    struct todo_call *call = call_of(operation);

    if (call->is_parked) {
        todo_live_add(context, call);
        return;
    }
    atomic_fetch_sub(&api->edits_memory, call->edits_size);
    todo_edits_release(&call->edits);
    todo_rejection_release(&call->rejection);
    free(call->ids);
    free(call->if_match);
    free(call->if_none_match);
    free(call->change);
    free(call->key);
    if (call->page)
        todo_page_release(call->page);
    free(call->page);
    free(call);
}
