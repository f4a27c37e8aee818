#include "api/handlers.h"

#include "http/render.h"

#include <string.h>

void todo_respond_status(struct http_exchange *exchange,
                         const struct http_representation *representation, const char *json)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route, 200);
    http_render_json(&response, &representation->format, json, strlen(json));
    http_exchange_respond(exchange, &response);
}

void api_show_liveness(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    (void)context;
    todo_respond_status(exchange, &match->representation, "{\"status\":\"alive\"}");
}

/* Asks the database for a todo that there can't be: the whole way of a read, and the cheapest
 * one. */
void api_show_readiness(void *context, struct http_exchange *exchange,
                        const struct http_match *match)
{
    struct todo_api *api = context;

    if (atomic_load(&api->draining))
        todo_respond_unavailable(exchange, &match->representation, "The server is stopping.");
    else
        todo_api_submit(api, exchange, match, TODO_FETCH, 0, TODO_CALL_READY);
}
