#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

/*
 * A response while it is being made. Pure. server/server.h turns it into what is sent.
 */

#include "base/buffer.h"
#include "http/request.h"

#include <stdbool.h>

#define HTTP_RESPONSE_HEADERS_MAX 20

struct form;
struct http_route;

struct http_response {
    const struct http_request *request; /* borrowed */
    const struct http_route *route;     /* borrowed, for the page; NULL for none */
    const struct form *form; /* borrowed: one that is refused, for the page, or NULL */
    unsigned status;
    struct buffer body;   /* taken over by the server when it is sent */
    const void *constant; /* or NULL: in place of it, bytes that last as long as the program */
    size_t constant_size;
    bool has_codings; /* Vary names Accept-Encoding */
    bool is_gzipped;  /* the body */
    size_t left_out;  /* bytes of the body that a 304 stands for: it has none */
    size_t header_count;
    struct {
        const char *name;
        const char *value; /* borrowed until the response is handed to the server */
    } headers[HTTP_RESPONSE_HEADERS_MAX];
};

/* Starts a response to this request: its status, the security headers, CORS as the request's
 * Origin asks for it (WHATWG Fetch, section 3.2), and X-Request-Id if the client gave one. An
 * id of ours is added when the response is sent: a page doesn't show it. */
void http_response_start(struct http_response *response, const struct http_request *request,
                         unsigned status);

/* The value must live until the response is handed to the server. */
void http_response_add_header(struct http_response *response, const char *name,
                              const char *value);

/* What each answer that may be JSON or a page tells caches: Vary, and Cache-Control. */
void http_response_add_negotiation(struct http_response *response);

/* The answer to a CORS preflight: no content type and no X-Frame-Options. */
void http_response_start_preflight(struct http_response *response,
                                   const struct http_request *request);

/* Whether the request is a CORS preflight (OPTIONS with Access-Control-Request-Method). */
bool http_request_is_preflight(const struct http_request *request);

/* Requests of the same class other than 0 may be answered with the very same response as far as
 * the headers of start() are concerned. */
unsigned http_response_share_class(const struct http_request *request);

/* Adds Content-Type (of HTML) and Content-Security-Policy: only what this server itself gives
 * is run, shown or asked. */
void http_response_add_page_headers(struct http_response *response, const char *type);

/* The whole response as HTTP/1.1 has it (RFC 9112, section 2.1), for a connection that ends
 * with it. */
void http_response_append(struct buffer *out, const struct http_response *response);

void http_response_release(struct http_response *response);

#endif
