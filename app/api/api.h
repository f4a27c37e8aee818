#ifndef API_API_H
#define API_API_H

/*
 * The REST API of todos: routes, handlers, and how a result becomes a response.
 */

#include "base/config.h"
#include "base/error.h"
#include "server/server.h"
#include "work/store.h"

#include <stdbool.h>
#include <stdint.h>

struct todo_api;

/* Opens a store for a worker thread of the API. */
typedef bool todo_open_store(const struct config *config, struct todo_store_handle *handle,
                             struct error *err);

/* Starts the threads that talk to the database. `config` must outlive the API. NULL with *err
 * set. */
struct todo_api *todo_api_start(const struct config *config, todo_open_store *open_store,
                                struct error *err);

/* The functions of http_server_settings, with the API as their context. */
void todo_api_answer_request(void *api, struct http_exchange *exchange);
void todo_api_answer_admin(void *api, struct http_exchange *exchange); /* at ADMIN_PORT */
void todo_api_no_more_input(void *api);

/* Answers what is over its deadline. Call it every now and then, from one thread. */
void todo_api_expire(struct todo_api *api, uint64_t now);

/* Whether the database does its work, as far as is known; with *reason when it is false. Any
 * thread. */
bool todo_api_is_ready(struct todo_api *api, struct error *reason);

/* From now on /readyz says no. */
void todo_api_drain(struct todo_api *api);

/* Sets the gauges of what it knows. Any thread. */
void todo_api_report(struct todo_api *api);

/* Whether the database has nothing to do for it: then todo_api_stop doesn't take long. */
bool todo_api_is_idle(struct todo_api *api);

/* Finishes what waits, joins the threads, frees the API. Between http_server_join and
 * http_server_free. */
void todo_api_stop(struct todo_api *api);

#endif
