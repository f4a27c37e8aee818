#include "server/dispatch.h"

#include "http/render.h"

#include <string.h>

/* What the server as a whole can do: TRACE and CONNECT have no resource that a 405 could speak
 * of, and `OPTIONS *` asks for no other. */
static const struct http_route any_route = {
    .allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
};

void http_start_route_response(struct http_response *response,
                               const struct http_exchange *exchange,
                               const struct http_route *route, unsigned status)
{
    http_response_start(response, http_exchange_request(exchange), status);
    response->route = route;
    if (route)
        http_response_add_header(response, "Allow", route->allow);
    http_response_add_negotiation(response);
}

void http_respond_detail(struct http_exchange *exchange,
                         const struct http_representation *representation, unsigned status,
                         const char *detail)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route, status);
    http_render_detail(&response, &representation->format, detail);
    http_exchange_respond(exchange, &response);
}

void http_respond_json(struct http_exchange *exchange,
                       const struct http_representation *representation, unsigned status,
                       struct buffer *json)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route, status);
    http_render_json(&response, &representation->format, json);
    http_exchange_respond(exchange, &response);
}

static void respond_preflight(struct http_exchange *exchange)
{
    struct http_response response;

    http_response_start_preflight(&response, http_exchange_request(exchange));
    http_exchange_respond(exchange, &response);
}

/* RFC 9110, section 9.3.7 */
static bool asks_for_server(const struct http_request *request)
{
    return request->method == HTTP_OPTIONS && strcmp(request->target.data, "*") == 0;
}

static void describe_server(struct http_exchange *exchange)
{
    struct http_response response;

    http_start_route_response(&response, exchange, &any_route, 200);
    http_exchange_respond(exchange, &response);
}

void http_respond_unknown_method(struct http_exchange *exchange,
                                 const struct http_representation *representation)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct buffer detail = {0};

    buffer_append_format(&detail, "Method \"%s\" not allowed.", request->method_name.data);
    http_respond_detail(exchange, representation, 405,
                        detail.failed ? "Method not allowed." : detail.data);
    buffer_release(&detail);
}

/* For what no route tells how to answer. */
static struct http_representation represent_nothing(const struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct http_representation representation = {0};

    http_negotiate(NULL, request->headers[HTTP_HEADER_ACCEPT], &representation.format);
    return representation;
}

/* A form of any page can send a POST without asking (WHATWG Fetch, section 3.2.6): that the
 * page may not read the answer keeps no todo. */
static bool is_foreign_change(const struct http_request *request)
{
    return request->is_foreign && request->method != HTTP_GET && request->method != HTTP_HEAD &&
           request->method != HTTP_OPTIONS;
}

static void respond_foreign_change(struct http_exchange *exchange,
                                   const struct http_route *route)
{
    struct http_representation representation = represent_nothing(exchange);

    representation.route = route;
    http_exchange_count_rejection(exchange, METRICS_REJECTED_ORIGIN);
    http_respond_detail(exchange, &representation, 403,
                        "Pages of this Origin may not change anything here (CORS_ORIGINS).");
}

static void respond_bad_host(struct http_exchange *exchange, const char *problem)
{
    const struct http_representation representation = represent_nothing(exchange);

    http_exchange_count_rejection(exchange, METRICS_REJECTED_HOST);
    http_respond_detail(exchange, &representation, 400, problem);
}

void http_respond_unknown_path(struct http_exchange *exchange)
{
    const char *method = http_exchange_request(exchange)->method_name.data;
    struct http_representation representation = represent_nothing(exchange);

    if (strcmp(method, "TRACE") == 0 || strcmp(method, "CONNECT") == 0) {
        representation.route = &any_route;
        http_respond_unknown_method(exchange, &representation);
    } else {
        http_respond_detail(exchange, &representation, 404, "Not found.");
    }
}

/* Which form the answer takes: by suffix, else by a non-empty ?format=, and Accept. False when
 * answered. */
static bool negotiate(struct http_exchange *exchange, struct http_match *match)
{
    const struct http_request *request = http_exchange_request(exchange);
    const char *accept = request->headers[HTTP_HEADER_ACCEPT];
    struct buffer format = {0};
    enum http_negotiation result;
    bool is_known;

    if (match->suffix[0])
        buffer_append_text(&format, match->suffix);
    else
        http_request_query(request, "format", &format);
    result = http_negotiate(format.data, accept, &match->representation.format);
    is_known = !format.failed;
    buffer_release(&format);
    if (!is_known)
        http_respond_detail(exchange, &match->representation, 500, "Out of memory.");
    else if (result == HTTP_UNKNOWN_FORMAT)
        http_respond_detail(exchange, &match->representation, 404, "Not found.");
    else if (result == HTTP_NOT_ACCEPTABLE)
        http_respond_detail(exchange, &match->representation, 406,
                            "Could not satisfy the request Accept header.");
    return is_known && result == HTTP_NEGOTIATED;
}

void http_dispatch(const struct http_service *service, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct http_match match = {0};
    const struct http_route *route;
    enum http_route_result result;
    const char *problem = NULL;

    if (http_request_is_preflight(request)) {
        respond_preflight(exchange);
        return;
    }
    result = http_route_find(service->routes, service->route_count, request->method,
                             request->path.data, request->path.size, &match);
    route = match.representation.route;
    if (route)
        http_exchange_set_route(exchange, (unsigned)(route - service->routes) + 1);
    /* who probes a health route asks for an address, not for a name */
    if (!route || route->formats)
        problem = http_host_problem(request, service->allowed_hosts, service->host_limit);
    if (problem) {
        respond_bad_host(exchange, problem);
    } else if (is_foreign_change(request)) {
        respond_foreign_change(exchange, route);
    } else if (asks_for_server(request)) {
        describe_server(exchange);
    } else if (!route) {
        http_respond_unknown_path(exchange);
    } else if (route->formats && !negotiate(exchange, &match)) {
        return;
    } else if (result == HTTP_ROUTE_UNKNOWN_METHOD) {
        http_respond_unknown_method(exchange, &match.representation);
    } else {
        match.handler(service->context, exchange, &match);
    }
}
