#include "server/measure.h"

#include "base/metrics.h"
#include "http/status.h"
#include "server/dispatch.h"
#include "server/exchange.h"

#include <stdio.h>

#define NO_ANSWER (METRICS_CODES - 1)

/* The place of a status among the code's values; the first is of those without a place. */
static unsigned code_of(unsigned status)
{
    size_t index = http_status_index(status);

    if (status == 0)
        return NO_ANSWER;
    return http_status_at(index) == status ? (unsigned)index + 1 : METRICS_OTHER;
}

static unsigned success_of(enum http_method method)
{
    if (method == HTTP_POST)
        return 201;
    return method == HTTP_DELETE ? 204 : 200;
}

void http_measure_service(const struct http_service *service)
{
    for (unsigned i = 0; i < service->route_count; i++) {
        const struct http_route *route = &service->routes[i];

        metrics_name(METRICS_ROUTE, i + 1, route->pattern);
        for (size_t m = 0; m < HTTP_ROUTE_METHODS_MAX && route->methods[m].handler; m++) {
            enum http_method method = route->methods[m].method;
            metrics_expect(metrics_request_cell(i + 1, method, code_of(success_of(method))));
            metrics_expect(metrics_request_cell(i + 1, method, code_of(500)));
            metrics_expect(metrics_request_cell(i + 1, method, code_of(503)));
        }
    }
}

void measure_start(void)
{
    char text[8];

    for (unsigned i = 0; http_status_at(i) > 0; i++) {
        snprintf(text, sizeof(text), "%u", http_status_at(i));
        metrics_name(METRICS_CODE, i + 1, text);
    }
    metrics_name(METRICS_CODE, NO_ANSWER, "none");
    for (enum http_method method = HTTP_GET; method < HTTP_METHOD_OTHER; method++)
        metrics_name(METRICS_METHOD, method, http_method_name(method));
    metrics_name(METRICS_METHOD, HTTP_METHOD_OTHER, "other");
}

void measure_request(const struct http_exchange *exchange, unsigned status,
                     uint64_t microseconds)
{
    const struct http_request *request = &exchange->request;
    enum http_method method =
        request->method_name.size > 0 ? request->method : HTTP_METHOD_OTHER;

    if (!exchange->loop->server->settings.is_measured)
        return;
    metrics_add(metrics_request_cell(exchange->route, method, code_of(status)), 1);
    metrics_observe(METRICS_HTTP_DURATION, exchange->route, microseconds);
}

void measure_unread(const struct http_loop *loop, unsigned status)
{
    if (!loop->server->settings.is_measured)
        return;
    metrics_add(METRICS_HTTP_REJECTED + METRICS_REJECTED_GUARD, 1);
    metrics_add(metrics_request_cell(METRICS_OTHER, HTTP_METHOD_OTHER, code_of(status)), 1);
    metrics_observe(METRICS_HTTP_DURATION, METRICS_OTHER, 0);
}

void http_exchange_count_rejection(const struct http_exchange *exchange,
                                   enum metrics_reason reason)
{
    if (exchange->loop->server->settings.is_measured)
        metrics_add(METRICS_HTTP_REJECTED + reason, 1);
}

void http_server_report(const struct http_server *server)
{
    const struct http_server_settings *settings = &server->settings;

    metrics_set(METRICS_HTTP_IN_FLIGHT, atomic_load(&server->active));
    metrics_set(METRICS_HTTP_CONNECTIONS, atomic_load(&server->arrival.connections));
    metrics_set(METRICS_HTTP_CONNECTIONS_MAX, server->arrival.places);
    metrics_set(METRICS_REQUEST_MEMORY, atomic_load(&server->body_memory));
    metrics_set(METRICS_REQUEST_MEMORY_MAX, settings->request_memory);
    metrics_set(METRICS_RESPONSE_MEMORY, atomic_load(&server->reply_memory));
    metrics_set(METRICS_RESPONSE_MEMORY_MAX, settings->reply_memory);
}
