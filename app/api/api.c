#include "api/handlers.h"

#include "base/clock.h"
#include "todo/validate.h"

#include <stdlib.h>
#include <string.h>

#define LONG_LIST 500 /* todos: 3 ms of work as a page in gzip */

/* What forms ask for: todo_fields, as HTTP sees them. Filled before the first request. */
static struct http_field fields[TODO_FIELD_COUNT];

static void fill_fields(void)
{
    for (size_t i = 0; i < TODO_FIELD_COUNT; i++)
        fields[i] = (struct http_field){todo_fields[i].name, todo_fields[i].label,
                                        todo_fields[i].input, todo_fields[i].is_form_required};
}

#define FIELDS .fields = fields, .field_count = TODO_FIELD_COUNT

/* The public port has all but the last, the admin port the last three. */
#define ADMIN_ROUTES 3

static const struct http_route routes[] = {
    {
     .pattern = "/",
     .formats = true,
     .allow = "GET, HEAD, OPTIONS",
     .methods = {{HTTP_GET, api_show_root},
                    {HTTP_HEAD, api_show_root},
                    {HTTP_OPTIONS, api_describe_root}},
     },
    {
     .pattern = "/todos",
     .formats = true,
     /* as the original has it, which knows no PATCH here; nor do we, but of an array */
        .allow = "GET, POST, DELETE, HEAD, OPTIONS",
     FIELDS, .methods = {{HTTP_GET, api_list_todos},
                    {HTTP_POST, api_create_todo},
                    {HTTP_PATCH, api_update_todos},
                    {HTTP_DELETE, api_clear_todos},
                    {HTTP_HEAD, api_list_todos},
                    {HTTP_OPTIONS, api_describe_list}},
     },
    {
     .pattern = "/todos/{id}",
     .formats = true,
     .allow = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
     FIELDS, .methods = {{HTTP_GET, api_show_todo},
                    {HTTP_PUT, api_update_todo},
                    {HTTP_PATCH, api_update_todo},
                    {HTTP_DELETE, api_delete_todo},
                    {HTTP_HEAD, api_show_todo},
                    {HTTP_OPTIONS, api_describe_item}},
     },
    {
     .pattern = "/static/{name}",
     .dots = true,
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, api_show_file}, {HTTP_HEAD, api_show_file}},
     },
    {
     .pattern = "/openapi.json",
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, api_show_document}, {HTTP_HEAD, api_show_document}},
     },
    {
     .pattern = "/livez",
     .is_health = true,
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, api_show_liveness}, {HTTP_HEAD, api_show_liveness}},
     },
    {
     .pattern = "/readyz",
     .is_health = true,
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, api_show_readiness}, {HTTP_HEAD, api_show_readiness}},
     },
    {
     .pattern = "/metrics",
     .is_health = true,
     .allow = "GET, HEAD",
     .methods = {{HTTP_GET, api_show_metrics}, {HTTP_HEAD, api_show_metrics}},
     },
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

/* ---- what handlers share ---- */

void todo_api_append_base_url(const struct todo_api *api, const struct http_exchange *exchange,
                              struct buffer *out)
{
    if (*api->config->public_url)
        buffer_append_text(out, api->config->public_url);
    else
        http_request_base_url(http_exchange_request(exchange),
                              http_exchange_server_name(exchange), out);
}

void todo_api_append_format_query(const struct http_exchange *exchange, struct buffer *out)
{
    struct buffer format = {0};

    if (http_request_query(http_exchange_request(exchange), "format", &format)) {
        buffer_append_text(out, "?format=");
        buffer_append(out, format.data, format.size);
    }
    out->failed = out->failed || format.failed;
    buffer_release(&format);
}

/* ---- start and stop ---- */

static bool open_worker_store(void *context, struct todo_store_handle *handle,
                              struct error *err)
{
    struct todo_api *api = context;

    handle->outage = &api->outage;
    return api->open_store(api->config, handle, err);
}

static void release(struct todo_api *api)
{
    todo_outage_close(&api->outage);
    todo_live_close(&api->live);
    free(api);
}

struct todo_api *todo_api_start(const struct config *config, todo_open_store *open_store,
                                struct error *err)
{
    struct todo_api *api = calloc(1, sizeof(*api));

    if (!api) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    fill_fields();
    api->config = config;
    todo_outage_open(&api->outage);
    todo_live_open(&api->live);
    api->open_store = open_store;
    api->service = (struct http_service){
        .routes = routes,
        .route_count = ROUTE_COUNT - 1,
        .allowed_hosts = config->allowed_hosts,
        .host_limit = config->http_host_limit,
        .context = api,
    };
    api->admin = (struct http_service){
        .routes = routes + ROUTE_COUNT - ADMIN_ROUTES,
        .route_count = ADMIN_ROUTES,
        .allowed_hosts = "*",
        .host_limit = config->http_host_limit,
        .context = api,
    };
    http_measure_service(&api->service);
    if (!http_static_open(&api->files, config->static_root, err)) {
        release(api);
        return NULL;
    }
    api->queue = todo_queue_start(
        &(struct todo_queue_settings){
            .readers = config->db_readers,
            .batch = config->db_batch,
            .capacity = config->db_queue,
            .long_list = LONG_LIST,
            /* a list for each reader, and a long one that is being answered */
            .list_limit = config->response_memory / (config->db_readers + 1),
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
    release(api);
    return NULL;
}

void todo_api_answer_request(void *api, struct http_exchange *exchange)
{
    http_dispatch(&((struct todo_api *)api)->service, exchange);
}

void todo_api_answer_admin(void *api, struct http_exchange *exchange)
{
    http_dispatch(&((struct todo_api *)api)->admin, exchange);
}

void todo_api_no_more_input(void *api)
{
    todo_queue_wake(((struct todo_api *)api)->queue);
}

void todo_api_expire(struct todo_api *api, uint64_t now)
{
    todo_queue_expire(api->queue, now);
    todo_live_tick(api, now);
}

bool todo_api_is_ready(struct todo_api *api, struct error *reason)
{
    return todo_outage_seems_ready(&api->outage, clock_now(), reason);
}

void todo_api_drain(struct todo_api *api)
{
    atomic_store(&api->draining, true);
    todo_live_drain(api);
}

bool todo_api_is_idle(struct todo_api *api)
{
    return todo_queue_is_idle(api->queue);
}

void todo_api_stop(struct todo_api *api)
{
    todo_live_drain(api);
    todo_queue_stop(api->queue);
    http_static_close(&api->files);
    release(api);
}
