#include "http/response.h"

#include "http/status.h"

#include <string.h>
#include <time.h>

#define CORS_ALLOW_HEADERS                                                                     \
    "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, "          \
    "x-csrftoken, x-requested-with, if-match, if-none-match, idempotency-key, prefer, "        \
    "traceparent, x-request-id"
#define CORS_ALLOW_METHODS "DELETE, GET, OPTIONS, PATCH, POST, PUT"
#define CORS_EXPOSE_HEADERS                                                                    \
    "Location, ETag, Idempotent-Replayed, Link, Preference-Applied, Retry-After, X-Request-Id"
#define CONTENT_SECURITY_POLICY                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "           \
    "frame-ancestors 'none'"

void http_response_add_header(struct http_response *response, const char *name,
                              const char *value)
{
    if (response->header_count == HTTP_RESPONSE_HEADERS_MAX) {
        response->body.failed =
            true; /* a mistake of ours: seen as a 500, never as a header missing */
        return;
    }
    response->headers[response->header_count].name = name;
    response->headers[response->header_count].value = value;
    response->header_count++;
}

bool http_request_is_preflight(const struct http_request *request)
{
    return request->method == HTTP_OPTIONS && request->headers[HTTP_HEADER_PREFLIGHT_METHOD];
}

static void add_cors_headers(struct http_response *response, const struct http_request *request)
{
    if (!request->allow_origin)
        return;
    http_response_add_header(response, "Access-Control-Allow-Origin", request->allow_origin);
    http_response_add_header(response, "Access-Control-Expose-Headers", CORS_EXPOSE_HEADERS);
    if (request->method != HTTP_OPTIONS)
        return;
    http_response_add_header(response, "Access-Control-Allow-Headers", CORS_ALLOW_HEADERS);
    http_response_add_header(response, "Access-Control-Allow-Methods", CORS_ALLOW_METHODS);
    http_response_add_header(response, "Access-Control-Max-Age", "86400");
}

static void start(struct http_response *response, const struct http_request *request,
                  unsigned status)
{
    *response = (struct http_response){.request = request, .status = status};
    http_response_add_header(response, "X-Content-Type-Options", "nosniff");
    http_response_add_header(response, "Referrer-Policy", "same-origin");
    add_cors_headers(response, request);
    if (request->id_given)
        http_response_add_header(response, "X-Request-Id", request->id);
}

void http_response_start(struct http_response *response, const struct http_request *request,
                         unsigned status)
{
    start(response, request, status);
    http_response_add_header(response, "X-Frame-Options", "DENY");
}

void http_response_start_preflight(struct http_response *response,
                                   const struct http_request *request)
{
    start(response, request, 200);
    http_response_add_header(response, "Vary", "Origin");
}

void http_response_add_negotiation(struct http_response *response)
{
    http_response_add_header(response, "Vary", "Accept, Origin");
    http_response_add_header(response, "Cache-Control", "no-cache");
}

unsigned http_response_share_class(const struct http_request *request)
{
    if (request->id_given || request->trace.asks || request->must_close ||
        request->method == HTTP_OPTIONS)
        return 0;
    return (request->origin_class + 1) * HTTP_GZIP_COUNT + request->gzip;
}

void http_response_add_page_headers(struct http_response *response, const char *type)
{
    http_response_add_header(response, "Content-Type", type);
    http_response_add_header(response, "Content-Security-Policy", CONTENT_SECURITY_POLICY);
}

void http_response_append(struct buffer *out, const struct http_response *response)
{
    char date[sizeof("Sun, 06 Nov 1994 08:49:37 GMT")];
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    buffer_append_format(out, "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\n",
                         response->status, http_status_text(response->status), date);
    for (size_t i = 0; i < response->header_count; i++)
        buffer_append_format(out, "%s: %s\r\n", response->headers[i].name,
                             response->headers[i].value);
    if (!response->request->id_given)
        buffer_append_format(out, "X-Request-Id: %s\r\n", response->request->id);
    buffer_append_format(out, "Content-Length: %zu\r\n\r\n", response->body.size);
    buffer_append(out, response->body.data, response->body.size);
    out->failed = out->failed || response->body.failed;
}

void http_response_release(struct http_response *response)
{
    buffer_release(&response->body);
}
