#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

/*
 * Content negotiation between the two forms that an answer can have, JSON and HTML, and between
 * the codings of a file. Pure. Source: RFC 9110, sections 12.5.1 and 12.5.3; the API contract,
 * section 5.
 */

#include <stdbool.h>

enum http_media {
    HTTP_JSON,
    HTTP_HTML,
};

struct http_format {
    enum http_media media;
    unsigned indent; /* of JSON: spaces a level, 0 to 8; 0 is compact */
    bool
        has_problems; /* errors are application/problem+json (RFC 9457), whatever the rest is */
};

enum http_negotiation {
    HTTP_NEGOTIATED,
    HTTP_UNKNOWN_FORMAT, /* 404 */
    HTTP_NOT_ACCEPTABLE, /* 406 */
};

/* `name` is the format asked for by suffix or ?format= ("json", "api"), NULL or "" for none;
 * `accept` the Accept header, NULL without one. *format is compact JSON when the answer is not
 * HTTP_NEGOTIATED. Who names application/problem+json and
 * wants it no less than JSON, and more than HTML, gets errors so. It is no form for anything
 * else: who names nothing but that finds all else not acceptable. */
enum http_negotiation http_negotiate(const char *name, const char *accept,
                                     struct http_format *format);

/* How welcome a content coding ("gzip", "identity") is, 0 (not at all) to 1000, by the
 * Accept-Encoding header; NULL without one: identity alone. */
unsigned http_negotiate_coding(const char *accept_encoding, const char *coding);

#endif
