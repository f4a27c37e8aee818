#include "api/handlers.h"

#include "api/idempotency.h"
#include "base/text.h"
#include "http/render.h"

#include <stdlib.h>
#include <string.h>

#define OUT_OF_MEMORY "Out of memory."

/* ---- making a call and handing it to the queue ---- */

static struct todo_call *make_call(const struct todo_api *api, struct http_exchange *exchange,
                                   const struct http_match *match,
                                   enum todo_operation_kind kind, int64_t id)
{
    struct todo_call *call = calloc(1, sizeof(*call));
    struct buffer base_url = {0};

    todo_api_append_base_url(api, exchange, &base_url);
    if (!call || base_url.failed || base_url.size >= sizeof(call->base_url)) {
        buffer_release(&base_url);
        free(call);
        return NULL;
    }
    memcpy(call->base_url, base_url.data, base_url.size + 1);
    buffer_release(&base_url);
    call->operation.id = id;
    todo_operation_start(&call->operation, kind, api->config->request_timeout);
    call->exchange = exchange;
    if (api->config->db_comment_trace > 0)
        http_exchange_print_trace(exchange, call->operation.traceparent);
    call->representation = match->representation;
    if (match->representation.format.media == HTTP_JSON) /* a page tells what was asked */
        call->share_class = http_response_share_class(http_exchange_request(exchange));
    return call;
}

static void reject_detail(struct todo_rejection *rejection, int status, const char *problem)
{
    rejection->status = status;
    http_append_detail(&rejection->body, problem, strlen(problem));
}

static void respond_out_of_memory(struct http_exchange *exchange,
                                  const struct http_match *match)
{
    todo_respond_unavailable(exchange, &match->representation, OUT_OF_MEMORY);
}

/* What is wrong with a request for a todo is told if the todo is there. */
static void reject_if_there(struct todo_call *call)
{
    call->operation.kind = TODO_FETCH;
    call->purpose = TODO_CALL_REJECT;
}

/* False when it is answered: its conditions can't be read. */
static bool take_conditions(struct todo_api *api, struct todo_call *call)
{
    const char *problem = NULL;
    bool has_memory = todo_call_take_conditions(call, &problem);

    if (has_memory && !problem)
        return true;
    if (has_memory && call->operation.id > 0) {
        reject_detail(&call->rejection, 400, problem);
        reject_if_there(call);
        return true;
    }
    if (has_memory)
        http_respond_detail(call->exchange, &call->representation, 400, problem);
    else
        todo_respond_unavailable(call->exchange, &call->representation, OUT_OF_MEMORY);
    todo_call_release(api, &call->operation);
    return false;
}

static void submit(struct todo_api *api, struct todo_call *call)
{
    struct http_exchange *exchange = call->exchange;
    const struct http_representation representation = call->representation;

    if (call->purpose == TODO_CALL_RESULT && !take_conditions(api, call))
        return;
    todo_live_prepare(api, call);
    http_exchange_defer(exchange);
    if (todo_queue_submit(api->queue, &call->operation))
        return;
    todo_call_release(api, &call->operation);
    http_exchange_count_rejection(exchange, METRICS_REJECTED_QUEUE);
    todo_respond_unavailable(exchange, &representation, "Too many requests are waiting.");
}

void todo_api_submit(struct todo_api *api, struct http_exchange *exchange,
                     const struct http_match *match, enum todo_operation_kind kind, int64_t id,
                     enum todo_call_purpose purpose)
{
    struct todo_call *call = make_call(api, exchange, match, kind, id);

    if (!call) {
        respond_out_of_memory(exchange, match);
        return;
    }
    call->purpose = purpose;
    submit(api, call);
}

/* ---- reading the request ---- */

/* An id is digits; 0 stands for one that no todo has. */
static int64_t parse_id(const struct http_match *match)
{
    return text_read_number(match->parameter, match->parameter_length);
}

/* `edits` NULL: no array is taken. */
static bool read_input(const struct todo_api *api, struct todo_call *call,
                       enum todo_input_mode mode, struct todo_edits *edits, bool *is_many)
{
    const struct http_request *request = http_exchange_request(call->exchange);
    const struct todo_input input = {
        .mode = mode,
        .content_type = request->headers[HTTP_HEADER_CONTENT_TYPE],
        .content_encoding = request->headers[HTTP_HEADER_CONTENT_ENCODING],
        .body = request->body.data,
        .size = request->body.size,
        .json_depth = api->config->http_json_depth,
    };

    call->is_form = todo_input_is_form(input.content_type);
    call->change = malloc(sizeof(*call->change));
    call->operation.change = call->change;
    if (!call->change) {
        reject_detail(&call->rejection, 500, OUT_OF_MEMORY);
        return false;
    }
    return todo_input_read(&input, call->change, edits, is_many, &call->rejection);
}

/* What many changes take beside the body that they came in is bounded as bodies are, and their
 * answer as lists are: there must be room for it before anything is done. */
static bool reserve_edits(struct todo_api *api, struct todo_call *call)
{
    size_t size = todo_edits_size(&call->edits);
    size_t answer = todo_call_answer_size(call);

    call->operation.edits = &call->edits;
    call->edits_size = size;
    if (atomic_fetch_add(&api->edits_memory, size) + size > api->config->request_memory ||
        !http_reply_reserve(call->exchange, answer))
        return false;
    http_reply_unreserve(call->exchange, answer);
    return true;
}

/* Has the changes of `many` made, or of one. */
static void submit_input(struct todo_api *api, struct todo_call *call, bool is_many)
{
    struct http_exchange *exchange = call->exchange;
    const struct http_representation representation = call->representation;

    if (is_many && !reserve_edits(api, call)) {
        todo_call_release(api, &call->operation);
        http_exchange_count_rejection(exchange, METRICS_REJECTED_MEMORY);
        todo_respond_unavailable(exchange, &representation, "Too many changes are waiting.");
        return;
    }
    if (call->key && is_many)
        todo_key_set_fingerprint_of_many(call->key, &call->edits, call->operation.url_format);
    else if (call->key)
        todo_key_set_fingerprint(call->key, call->change, call->operation.url_format);
    submit(api, call);
}

static void reject(struct todo_api *api, struct todo_call *call)
{
    todo_respond_rejection(call->exchange, &call->representation, &call->rejection);
    todo_call_release(api, &call->operation);
}

static bool read_key(struct todo_call *call)
{
    const struct http_request *request = http_exchange_request(call->exchange);
    const char *problem = "";

    if (!request->headers[HTTP_HEADER_IDEMPOTENCY_KEY])
        return true;
    call->key = calloc(1, sizeof(*call->key));
    call->operation.key = call->key;
    if (!call->key)
        reject_detail(&call->rejection, 500, OUT_OF_MEMORY);
    else if (!idempotency_read_key(request, call->key, &problem))
        reject_detail(&call->rejection, 400, problem);
    return call->rejection.status == 0;
}

static bool read_page(struct todo_call *call, const struct http_match *match,
                      struct buffer *problems)
{
    call->page = calloc(1, sizeof(*call->page));
    if (!call->page || !todo_page_read(call->page, http_exchange_request(call->exchange),
                                       match->suffix, problems))
        return false;
    call->operation.query = &call->page->query;
    return true;
}

/* ---- handlers ---- */

static void list_page(struct todo_api *api, struct http_exchange *exchange,
                      const struct http_match *match)
{
    struct todo_call *call = make_call(api, exchange, match, TODO_LIST, 0);
    struct buffer problems = {0};

    if (call && read_page(call, match, &problems)) {
        submit(api, call);
        return;
    }
    if (problems.size > 0)
        http_respond_json(exchange, &match->representation, 400, &problems);
    else
        respond_out_of_memory(exchange, match);
    if (call)
        todo_call_release(api, &call->operation);
}

void api_list_todos(void *context, struct http_exchange *exchange,
                    const struct http_match *match)
{
    if (todo_page_is_asked(http_exchange_request(exchange)))
        list_page(context, exchange, match);
    else
        todo_api_submit(context, exchange, match, TODO_LIST, 0, TODO_CALL_RESULT);
}

void api_clear_todos(void *context, struct http_exchange *exchange,
                     const struct http_match *match)
{
    todo_api_submit(context, exchange, match, TODO_CLEAR, 0, TODO_CALL_RESULT);
}

void api_create_todo(void *context, struct http_exchange *exchange,
                     const struct http_match *match)
{
    struct todo_api *api = context;
    struct todo_call *call = make_call(api, exchange, match, TODO_CREATE, 0);
    struct buffer query = {0};
    bool is_known;
    bool is_many;

    if (!call) {
        respond_out_of_memory(exchange, match);
        return;
    }
    todo_api_append_format_query(exchange, &query);
    call->operation.url_format = todo_url_format(query.data);
    call->operation.base_url = call->base_url;
    is_known = !query.failed;
    buffer_release(&query);
    if (!is_known) {
        respond_out_of_memory(exchange, match);
        todo_call_release(api, &call->operation);
        return;
    }
    if (read_key(call) && read_input(api, call, TODO_INPUT_CREATE, &call->edits, &is_many))
        submit_input(api, call, is_many);
    else
        reject(api, call);
}

/* The original knows no PATCH here, and answers 405 whatever the body: so do we, but of an
 * array of changes. */
void api_update_todos(void *context, struct http_exchange *exchange,
                      const struct http_match *match)
{
    struct todo_api *api = context;
    struct todo_call *call = make_call(api, exchange, match, TODO_UPDATE, 0);
    bool is_many = false;
    bool is_good;

    if (!call) {
        respond_out_of_memory(exchange, match);
        return;
    }
    is_good = read_input(api, call, TODO_INPUT_PATCH_MANY, &call->edits, &is_many);
    if (is_good && is_many) {
        submit_input(api, call, true);
    } else if (is_many) {
        reject(api, call);
    } else {
        http_respond_unknown_method(exchange, &match->representation);
        todo_call_release(api, &call->operation);
    }
}

static void with_item(void *context, struct http_exchange *exchange,
                      const struct http_match *match, enum todo_operation_kind kind,
                      enum todo_call_purpose purpose)
{
    int64_t id = parse_id(match);

    if (id > 0)
        todo_api_submit(context, exchange, match, kind, id, purpose);
    else
        http_respond_detail(exchange, &match->representation, 404, "Not found.");
}

void api_show_todo(void *context, struct http_exchange *exchange,
                   const struct http_match *match)
{
    with_item(context, exchange, match, TODO_FETCH, TODO_CALL_RESULT);
}

void api_delete_todo(void *context, struct http_exchange *exchange,
                     const struct http_match *match)
{
    with_item(context, exchange, match, TODO_DELETE, TODO_CALL_RESULT);
}

void api_update_todo(void *context, struct http_exchange *exchange,
                     const struct http_match *match)
{
    struct todo_api *api = context;
    int64_t id = parse_id(match);
    bool put = http_exchange_request(exchange)->method == HTTP_PUT;
    struct todo_call *call;

    if (id == 0) {
        http_respond_detail(exchange, &match->representation, 404, "Not found.");
        return;
    }
    call = make_call(api, exchange, match, TODO_UPDATE, id);
    if (!call) {
        respond_out_of_memory(exchange, match);
        return;
    }
    if (!read_input(api, call, put ? TODO_INPUT_PUT : TODO_INPUT_PATCH, NULL, NULL))
        reject_if_there(call);
    submit(api, call);
}

void api_describe_list(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    (void)context;
    todo_respond_list_description(exchange, &match->representation);
}

void api_describe_item(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    if (parse_id(match) == 0)
        todo_respond_item_description(exchange, &match->representation, false);
    else
        with_item(context, exchange, match, TODO_FETCH, TODO_CALL_DESCRIBE);
}
