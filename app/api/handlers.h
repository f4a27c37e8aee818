#ifndef API_HANDLERS_H
#define API_HANDLERS_H

/*
 * Private to the API: its parts, and the handlers that the routes in api.c name. A handler runs
 * on an HTTP thread and answers, or hands a call to the queue.
 */

#include "api/api.h"
#include "api/call.h"
#include "server/dispatch.h"
#include "server/static.h"
#include "work/outage.h"
#include "work/queue.h"

#include <stdatomic.h>

/* A question for /readyz to each lane that has not worked of late. There is one at a time: so
 * the memory and the database's time that they take are bounded, however many requests come. */
struct todo_probe {
    atomic_bool is_under_way; /* the rest is valid, and belongs to who has set this */
    atomic_uint open;         /* lanes that have not answered */
    struct http_exchange *exchange;
    struct http_representation representation;
};

struct todo_api {
    const struct config *config;
    todo_open_store *open_store;
    struct http_service service;
    struct http_service admin; /* at ADMIN_PORT */
    struct http_static files;
    struct todo_outage outage;
    struct todo_probe probe;
    struct todo_live live;
    struct todo_queue *queue;
    atomic_size_t edits_memory; /* bytes of changes of many that wait */
    atomic_bool draining;
};

/* What links begin with: PUBLIC_URL, or the request's own scheme and host. */
void todo_api_append_base_url(const struct todo_api *api, const struct http_exchange *exchange,
                              struct buffer *out);

/* "?format=json" of the request, with the question mark; nothing without one. */
void todo_api_append_format_query(const struct http_exchange *exchange, struct buffer *out);

/* Asks the queue for a todo or for all, and answers with what comes of it. */
void todo_api_submit(struct todo_api *api, struct http_exchange *exchange,
                     const struct http_match *match, enum todo_operation_kind kind, int64_t id,
                     enum todo_call_purpose purpose);

/* todos.c */
http_handler api_list_todos;
http_handler api_clear_todos;
http_handler api_create_todo;
http_handler api_update_todos;
http_handler api_show_todo;
http_handler api_update_todo;
http_handler api_delete_todo;
http_handler api_describe_list;
http_handler api_describe_item;

/* files.c: the web page, and the API's root at the same address */
http_handler api_show_root;
http_handler api_describe_root;
http_handler api_show_document; /* OpenAPI */
http_handler api_show_file;

/* metrics.c */
http_handler api_show_metrics;

/* health.c */
http_handler api_show_liveness;
http_handler api_show_readiness;

#endif
