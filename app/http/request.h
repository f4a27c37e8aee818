#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

/*
 * A request as the rest of the program sees it. Pure: filled by the libmicrohttpd adapter, or
 * by a test. Headers are borrowed from the connection, and gone with it: another thread than
 * its own looks at none.
 */

#include "base/buffer.h"
#include "base/cidr.h"
#include "http/gzip.h"
#include "http/trace.h"

#include <stdbool.h>
#include <stddef.h>

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_OTHER, /* see method_name */
};

/* "GET"; NULL for HTTP_METHOD_OTHER. */
const char *http_method_name(enum http_method method);

/* The headers that the program reads; all others are only looked at by the guard. */
enum http_header_name {
    HTTP_HEADER_ACCEPT, /* lists, which may come in parts (RFC 9110, section 5.3): */
    HTTP_HEADER_ACCEPT_ENCODING,
    HTTP_HEADER_CONTENT_ENCODING,
    HTTP_HEADER_IF_MATCH,
    HTTP_HEADER_IF_NONE_MATCH,
    HTTP_HEADER_PREFER,
    HTTP_HEADER_LISTS, /* how many, and the first that is none: */
    HTTP_HEADER_CONTENT_LENGTH = HTTP_HEADER_LISTS,
    HTTP_HEADER_CONTENT_TYPE,
    HTTP_HEADER_HOST,
    HTTP_HEADER_IDEMPOTENCY_KEY,
    HTTP_HEADER_ORIGIN,
    HTTP_HEADER_PREFLIGHT_METHOD, /* Access-Control-Request-Method */
    HTTP_HEADER_TRANSFER_ENCODING,
    HTTP_HEADER_FORWARDED_FOR,   /* X-Forwarded-For */
    HTTP_HEADER_FORWARDED_HOST,  /* X-Forwarded-Host */
    HTTP_HEADER_FORWARDED_PROTO, /* X-Forwarded-Proto */
    HTTP_HEADER_FORWARDED_SSL,   /* X-Forwarded-SSL */
    HTTP_HEADER_REQUEST_ID,      /* X-Request-Id */
    HTTP_HEADER_TRACE_PARENT,    /* traceparent */
    HTTP_HEADER_AMZN_TRACE_ID,   /* X-Amzn-Trace-Id */
    HTTP_HEADER_USER_AGENT,      /* User-Agent */
    HTTP_HEADER_COUNT,
};

#define HTTP_REQUEST_ID_LENGTH 16 /* hexadecimal digits */

struct http_request {
    enum http_method method;
    struct buffer method_name; /* upper case */
    struct buffer target;      /* as it was sent */
    struct buffer path;        /* percent-decoded, without dot segments; may hold any byte */
    struct buffer authority;   /* of an absolute-form target, or what a proxy says instead */
    const char *query;         /* as it was sent, without the `?`; NULL without one */
    bool http_1_1;             /* false: HTTP/1.0 */
    size_t head_size;          /* bytes of request line and headers as they came */
    size_t field_count;        /* headers, known or not */
    bool must_close;           /* the connection ends with the answer */
    const char *headers[HTTP_HEADER_COUNT]; /* NULL when absent; the first one's value, of a
                                               list all of it */
    unsigned header_count[HTTP_HEADER_COUNT];
    const char *allow_origin; /* what Access-Control-Allow-Origin says; NULL: nothing */
    unsigned origin_class;    /* 0 without, else the same for the same allow_origin */
    enum http_gzip gzip;      /* how welcome a body in it is */
    bool is_foreign;          /* its Origin is one that CORS_ORIGINS leaves out */
    struct buffer origin;     /* allow_origin, or empty */
    bool method_malformed;    /* it is no token */
    bool header_malformed;    /* a name that is no token, or a control byte in a value */
    struct buffer lists[HTTP_HEADER_LISTS]; /* of headers whose list came in parts */
    struct buffer body; /* only of POST, PUT and PATCH; empty for the others */
    char id[65];   /* X-Request-Id as it came if it is short and plain, else one of ours, of
                      HTTP_REQUEST_ID_LENGTH */
    bool id_given; /* it came from the client */
    struct http_trace trace;

    /* Of this request: for whom a proxy of ours has sent it. */
    bool is_forwarded;
    struct in6_addr client; /* meaningless when it is not forwarded */

    /* Of the connection, from one request to the next. */
    const struct cidr_list *trusted_proxies; /* NULL or empty: TRUSTED_PROXIES is not set */
    bool is_from_proxy;                      /* one of these is at the other end */
    const char *cors_origins;                /* see base/origins.h; NULL: all */
};

/* Forgets the last request's content, keeps its memory. */
void http_request_clear(struct http_request *request);

void http_request_release(struct http_request *request);

/* Who is at the connection's other end. X-Forwarded-For and X-Forwarded-Host are believed from
 * a proxy of the list; once that has one, X-Forwarded-Proto and X-Forwarded-SSL are believed
 * from no one else. The list must outlive the request. */
void http_request_set_peer(struct http_request *request, const struct cidr_list *proxies,
                           const struct in6_addr *peer);

/* The request's target as it came; false without memory. First of all. */
bool http_request_set_target(struct http_request *request, const char *target);

/* Takes method and target apart. Any method and target are accepted; an absolute-form target
 * gives its authority to Host once the headers are there (RFC 9112, section 3.2.2). False
 * without memory. */
bool http_request_start(struct http_request *request, const char *method, const char *version);

void http_request_add_header(struct http_request *request, const char *name, const char *value);

/* After the last header: the request's id and trace, what proxies say about it, and whether its
 * origin is welcome. */
void http_request_finish_headers(struct http_request *request);

/* The value of the last query parameter of this name, decoded as a form's (%XX, and `+` for a
 * space), appended to *value; false when there is none. */
bool http_request_query(const struct http_request *request, const char *name,
                        struct buffer *value);

/* Decodes %XX ("+" stays); a `%` without two hexadecimal digits stays as it is. */
void http_percent_decode(struct buffer *out, const char *text, size_t length);

/* Why the Host header can't be used, or NULL when it can: it must be a host name, an IPv4
 * address or an IPv6 address in brackets, with an optional port, at most `limit` bytes, and in
 * `allowed` (see base/hosts.h). */
const char *http_host_problem(const struct http_request *request, const char *allowed,
                              size_t limit);

/* Appends scheme and host of the request: `https` when a proxy says so (X-Forwarded-Proto,
 * whose first value is the client's side, or X-Forwarded-SSL: on), the Host header as it was
 * sent; `fallback_host` without one. */
void http_request_base_url(const struct http_request *request, const char *fallback_host,
                           struct buffer *out);

#endif
