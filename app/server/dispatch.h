#ifndef SERVER_DISPATCH_H
#define SERVER_DISPATCH_H

/*
 * From a request to its route's handler, with the checks that all routes share, in the
 * contract's order: CORS preflight, Host, path, format, method.
 */

#include "http/router.h"
#include "server/server.h"

#include <stddef.h>

struct http_service {
    const struct http_route *routes;
    size_t route_count;
    const char *allowed_hosts;
    size_t host_limit; /* bytes */
    void *context;     /* for the handlers */
};

/* Of the service that the metrics tell of: names its routes there, and the answers that they
 * are expected to give. At the start. */
void http_measure_service(const struct http_service *service);

/* Answers, or calls the handler, which answers or defers. */
void http_dispatch(const struct http_service *service, struct http_exchange *exchange);

/* Starts a response with what all of a route's answers have: Allow, Vary and Cache-Control. The
 * route may be NULL for none. */
void http_start_route_response(struct http_response *response,
                               const struct http_exchange *exchange,
                               const struct http_route *route, unsigned status);

/* Answers {"detail":"..."}. */
void http_respond_detail(struct http_exchange *exchange,
                         const struct http_representation *representation, unsigned status,
                         const char *detail);

/* Answers with this JSON, which is empty afterwards; with 500 if there was no memory for it. */
void http_respond_json(struct http_exchange *exchange,
                       const struct http_representation *representation, unsigned status,
                       struct buffer *json);

/* Answers that the resource doesn't know the request's method. */
void http_respond_unknown_method(struct http_exchange *exchange,
                                 const struct http_representation *representation);

/* Answers that there is nothing at this path. */
void http_respond_unknown_path(struct http_exchange *exchange);

#endif
