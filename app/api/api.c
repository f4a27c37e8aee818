#include "api/api.h"

#include "api/call.h"
#include "base/clock.h"
#include "http/render.h"
#include "server/dispatch.h"
#include "server/static.h"
#include "work/queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct todo_api {
    const struct config *config;
    todo_open_store *open_store;
    struct http_service service;
    struct http_static files;
    struct todo_queue *queue;
    atomic_bool draining;
};

/* ---- making a call and handing it to the queue ---- */

static void append_base_url(const struct todo_api *api, const struct http_exchange *exchange,
                            struct buffer *out)
{
    if (*api->config->public_url)
        buffer_append_text(out, api->config->public_url);
    else
        http_request_base_url(http_exchange_request(exchange),
                              http_exchange_server_name(exchange), out);
}

static struct todo_call *make_call(const struct todo_api *api, struct http_exchange *exchange,
                                   const struct http_match *match,
                                   enum todo_operation_kind kind, uint32_t id)
{
    struct todo_call *call = calloc(1, sizeof(*call));
    struct buffer base_url = {0};

    append_base_url(api, exchange, &base_url);
    if (!call || base_url.failed || base_url.size >= sizeof(call->base_url)) {
        buffer_release(&base_url);
        free(call);
        return NULL;
    }
    memcpy(call->base_url, base_url.data, base_url.size + 1);
    buffer_release(&base_url);
    call->operation.kind = kind;
    call->operation.id = id;
    call->operation.deadline = clock_now() + (uint64_t)api->config->request_timeout * 1000000;
    call->exchange = exchange;
    call->representation = match->representation;
    if (match->representation.format.media == HTTP_JSON) /* a page tells what was asked */
        call->share_class = http_response_share_class(http_exchange_request(exchange));
    return call;
}

static void respond_out_of_memory(struct http_exchange *exchange,
                                  const struct http_match *match)
{
    todo_respond_unavailable(exchange, &match->representation, "Out of memory.");
}

static void submit(struct todo_api *api, struct todo_call *call)
{
    struct http_exchange *exchange = call->exchange;
    const struct http_representation representation = call->representation;

    http_exchange_defer(exchange);
    if (todo_queue_submit(api->queue, &call->operation))
        return;
    todo_call_release(api, &call->operation);
    todo_respond_unavailable(exchange, &representation, "Too many requests are waiting.");
}

static void submit_new(struct todo_api *api, struct http_exchange *exchange,
                       const struct http_match *match, enum todo_operation_kind kind,
                       uint32_t id, enum todo_call_purpose purpose)
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
static uint32_t parse_id(const struct http_match *match)
{
    uint64_t id = 0;

    for (size_t i = 0; i < match->parameter_length; i++) {
        char digit = match->parameter[i];
        if (digit < '0' || digit > '9')
            return 0;
        id = id * 10 + (uint64_t)(digit - '0');
        if (id > TODO_ID_MAX)
            return 0;
    }
    return (uint32_t)id;
}

/* "?format=json" of the request, with the question mark; empty without one. */
static void append_format_query(const struct http_exchange *exchange, struct buffer *out)
{
    struct buffer format = {0};

    if (http_request_query(http_exchange_request(exchange), "format", &format)) {
        buffer_append_text(out, "?format=");
        buffer_append(out, format.data, format.size);
    }
    out->failed = out->failed || format.failed;
    buffer_release(&format);
}

static bool read_input(const struct todo_api *api, struct todo_call *call,
                       enum todo_input_mode mode)
{
    const struct http_request *request = http_exchange_request(call->exchange);
    const struct todo_input input = {
        .mode = mode,
        .content_type = request->headers[HTTP_HEADER_CONTENT_TYPE],
        .body = request->body.data,
        .size = request->body.size,
        .json_depth = api->config->http_json_depth,
    };

    call->change = malloc(sizeof(*call->change));
    call->operation.change = call->change;
    if (!call->change) {
        call->rejection.status = 500;
        buffer_append_text(&call->rejection.body, "{\"detail\":\"Out of memory.\"}");
        return false;
    }
    return todo_input_read(&input, call->change, &call->rejection);
}

/* ---- handlers ---- */

static void list_todos(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    submit_new(context, exchange, match, TODO_LIST, 0, TODO_CALL_RESULT);
}

static void clear_todos(void *context, struct http_exchange *exchange,
                        const struct http_match *match)
{
    submit_new(context, exchange, match, TODO_CLEAR, 0, TODO_CALL_RESULT);
}

static void create_todo(void *context, struct http_exchange *exchange,
                        const struct http_match *match)
{
    struct todo_api *api = context;
    struct todo_call *call = make_call(api, exchange, match, TODO_CREATE, 0);
    struct buffer query = {0};

    if (!call) {
        respond_out_of_memory(exchange, match);
        return;
    }
    append_format_query(exchange, &query);
    call->operation.url_format = todo_url_format(query.data);
    call->operation.base_url = call->base_url;
    buffer_release(&query);
    if (read_input(api, call, TODO_INPUT_CREATE)) {
        submit(api, call);
        return;
    }
    http_respond_json(exchange, &match->representation, (unsigned)call->rejection.status,
                      &call->rejection.body);
    todo_call_release(api, &call->operation);
}

static void with_item(void *context, struct http_exchange *exchange,
                      const struct http_match *match, enum todo_operation_kind kind,
                      enum todo_call_purpose purpose)
{
    uint32_t id = parse_id(match);

    if (id > 0)
        submit_new(context, exchange, match, kind, id, purpose);
    else
        http_respond_detail(exchange, &match->representation, 404, "Not found.");
}

static void show_todo(void *context, struct http_exchange *exchange,
                      const struct http_match *match)
{
    with_item(context, exchange, match, TODO_FETCH, TODO_CALL_RESULT);
}

static void delete_todo(void *context, struct http_exchange *exchange,
                        const struct http_match *match)
{
    with_item(context, exchange, match, TODO_DELETE, TODO_CALL_RESULT);
}

static void update_todo(void *context, struct http_exchange *exchange,
                        const struct http_match *match)
{
    struct todo_api *api = context;
    uint32_t id = parse_id(match);
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
    if (!read_input(api, call, put ? TODO_INPUT_PUT : TODO_INPUT_PATCH)) {
        call->operation.kind = TODO_FETCH;
        call->purpose = TODO_CALL_REJECT;
    }
    submit(api, call);
}

static void describe_list(void *context, struct http_exchange *exchange,
                          const struct http_match *match)
{
    (void)context;
    todo_respond_list_description(exchange, &match->representation);
}

static void describe_item(void *context, struct http_exchange *exchange,
                          const struct http_match *match)
{
    if (parse_id(match) == 0)
        todo_respond_item_description(exchange, &match->representation, false);
    else
        with_item(context, exchange, match, TODO_FETCH, TODO_CALL_DESCRIBE);
}

static void describe_root(void *context, struct http_exchange *exchange,
                          const struct http_match *match)
{
    (void)context;
    todo_respond_root_description(exchange, &match->representation);
}

/* For browsers the root is the web page; who names the format means the API's root. */
static bool is_for_people(const struct http_exchange *exchange, const struct http_match *match)
{
    struct buffer format = {0};
    bool named = match->suffix[0] ||
                 (http_request_query(http_exchange_request(exchange), "format", &format) &&
                  format.size > 0);

    buffer_release(&format);
    return match->representation.format.media == HTTP_HTML && !named;
}

static void show_root_links(const struct todo_api *api, struct http_exchange *exchange,
                            const struct http_match *match)
{
    struct buffer url = {0};
    struct buffer json = {0};

    append_base_url(api, exchange, &url);
    buffer_append_text(&url, "/todos");
    if (match->suffix[0])
        buffer_append_format(&url, ".%s", match->suffix);
    append_format_query(exchange, &url);
    buffer_append_text(&json, "{\"todos\":");
    buffer_append_json(&json, url.data, url.size);
    buffer_append_char(&json, '}');
    json.failed = json.failed || url.failed;
    http_respond_json(exchange, &match->representation, 200, &json);
    buffer_release(&url);
    buffer_release(&json);
}

static void show_root(void *context, struct http_exchange *exchange,
                      const struct http_match *match)
{
    static const char page[] = "index.html";
    const struct todo_api *api = context;

    if (is_for_people(exchange, match))
        http_static_respond(&api->files, exchange, match, page, sizeof(page) - 1);
    else
        show_root_links(api, exchange, match);
}

static void show_file(void *context, struct http_exchange *exchange,
                      const struct http_match *match)
{
    const struct todo_api *api = context;

    http_static_respond(&api->files, exchange, match, match->parameter,
                        match->parameter_length);
}

static void show_liveness(void *context, struct http_exchange *exchange,
                          const struct http_match *match)
{
    static const char json[] = "{\"status\":\"alive\"}";
    struct http_response response;

    (void)context;
    http_start_route_response(&response, exchange, match->representation.route, 200);
    http_render_json(&response, &match->representation.format, json, sizeof(json) - 1);
    http_exchange_respond(exchange, &response);
}

/* Asks the database for a todo that there can't be: the whole way of a read, and the cheapest
 * one. */
static void show_readiness(void *context, struct http_exchange *exchange,
                           const struct http_match *match)
{
    struct todo_api *api = context;

    if (atomic_load(&api->draining))
        todo_respond_unavailable(exchange, &match->representation, "The server is stopping.");
    else
        submit_new(api, exchange, match, TODO_FETCH, 0, TODO_CALL_READY);
}

static const struct http_field fields[] = {
    {"title",     "Title",     "text"    },
    {"completed", "Completed", "checkbox"},
    {"order",     "Order",     "number"  },
};

#define FIELDS .fields = fields, .field_count = sizeof(fields) / sizeof(fields[0])

static const struct http_route routes[] = {
    {
     .pattern = "/",
     .formats = true,
     .allow = "GET, HEAD, OPTIONS",
     .methods = {{HTTP_GET, show_root},
                    {HTTP_HEAD, show_root},
                    {HTTP_OPTIONS, describe_root}},
     },
    {
     .pattern = "/todos",
     .formats = true,
     .allow = "GET, POST, DELETE, HEAD, OPTIONS",
     FIELDS, .methods = {{HTTP_GET, list_todos},
                    {HTTP_POST, create_todo},
                    {HTTP_DELETE, clear_todos},
                    {HTTP_HEAD, list_todos},
                    {HTTP_OPTIONS, describe_list}},
     },
    {
     .pattern = "/todos/{id}",
     .formats = true,
     .allow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
     FIELDS, .methods = {{HTTP_GET, show_todo},
                    {HTTP_PUT, update_todo},
                    {HTTP_PATCH, update_todo},
                    {HTTP_DELETE, delete_todo},
                    {HTTP_HEAD, show_todo},
                    {HTTP_OPTIONS, describe_item}},
     },
    {
     .pattern = "/static/{name}",
     .dots = true,
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, show_file}, {HTTP_HEAD, show_file}},
     },
    {
     .pattern = "/livez",
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, show_liveness}, {HTTP_HEAD, show_liveness}},
     },
    {
     .pattern = "/readyz",
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, show_readiness}, {HTTP_HEAD, show_readiness}},
     },
};

/* ---- start and stop ---- */

static bool open_worker_store(void *context, struct todo_store_handle *handle,
                              struct error *err)
{
    const struct todo_api *api = context;

    return api->open_store(api->config, handle, err);
}

struct todo_api *todo_api_start(const struct config *config, todo_open_store *open_store,
                                struct error *err)
{
    struct todo_api *api = calloc(1, sizeof(*api));

    if (!api) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    api->config = config;
    api->open_store = open_store;
    api->service = (struct http_service){
        .routes = routes,
        .route_count = sizeof(routes) / sizeof(routes[0]),
        .allowed_hosts = config->allowed_hosts,
        .host_limit = config->http_host_limit,
        .context = api,
    };
    if (!http_static_open(&api->files, config->static_root, err)) {
        free(api);
        return NULL;
    }
    api->queue = todo_queue_start(
        &(struct todo_queue_settings){
            .readers = config->db_readers,
            .batch = config->db_batch,
            .capacity = config->db_queue,
            .list_limit = config->response_memory / 2,
            .open_store = open_worker_store,
            .complete = todo_call_complete,
            .give_up = todo_call_give_up,
            .release = todo_call_release,
            .context = api,
        },
        err);
    if (api->queue)
        return api;
    http_static_close(&api->files);
    free(api);
    return NULL;
}

void todo_api_answer_request(void *api, struct http_exchange *exchange)
{
    http_dispatch(&((struct todo_api *)api)->service, exchange);
}

void todo_api_no_more_input(void *api)
{
    todo_queue_wake(((struct todo_api *)api)->queue);
}

void todo_api_expire(struct todo_api *api, uint64_t now)
{
    todo_queue_expire(api->queue, now);
}

void todo_api_drain(struct todo_api *api)
{
    atomic_store(&api->draining, true);
}

void todo_api_stop(struct todo_api *api)
{
    todo_queue_stop(api->queue);
    http_static_close(&api->files);
    free(api);
}
