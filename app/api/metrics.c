#include "base/metrics.h"
#include "api/handlers.h"
#include "http/gzip.h"

_Static_assert(METRICS_READ == (int)TODO_READS && METRICS_WRITE == (int)TODO_WRITES,
               "a lane is a kind");

void todo_api_report(struct todo_api *api)
{
    bool is_draining = atomic_load(&api->draining);
    struct error reason;

    metrics_set(METRICS_HTTP_WAITING, todo_live_count(&api->live));
    for (unsigned lane = 0; lane < TODO_LANE_COUNT; lane++)
        metrics_set(METRICS_DB_UP + lane,
                    todo_outage_is_up(&api->outage, (enum todo_lane)lane));
    metrics_set(METRICS_DRAINING, is_draining);
    metrics_set(METRICS_READY, !is_draining && todo_api_is_ready(api, &reason));
    todo_queue_report(api->queue);
}

void api_show_metrics(void *context, struct http_exchange *exchange,
                      const struct http_match *match)
{
    struct http_response response;

    (void)context;
    http_start_route_response(&response, exchange, match->representation.route, 200);
    http_response_add_header(&response, "Content-Type",
                             "text/plain; version=0.0.4; charset=utf-8");
    metrics_append(&response.body);
    http_gzip_body(&response);
    http_exchange_respond(exchange, &response);
}
