#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

/*
 * Bodies as gzip (RFC 1952), for clients that like them so (RFC 9110, section 12.5.3). Pure.
 *
 * An answer that holds a secret beside something of a stranger's would give it away by its size
 * (CVE-2013-3587, "BREACH"): there is none here, no session, no token.
 */

struct http_response;

/* Of bytes: a smaller body is sent as it is, unless the client refuses that. */
#define HTTP_GZIP_SIZE_MIN 1024

enum http_gzip {
    HTTP_GZIP_UNASKED, /* without Accept-Encoding */
    HTTP_GZIP_REFUSED,
    HTTP_GZIP_LARGE,  /* wanted, from HTTP_GZIP_SIZE_MIN on */
    HTTP_GZIP_ALWAYS, /* nothing else is acceptable */
    HTTP_GZIP_COUNT,
};

/* NULL: no header. */
enum http_gzip http_gzip_negotiate(const char *accept_encoding);

/* Tells in Vary that the answer might have had another coding. */
void http_gzip_vary(struct http_response *response);

/* Last of all, once the body is whole: turns it into what the response's request wants, with
 * Content-Encoding and Vary. Vary names Accept-Encoding on large answers to who sent one: what
 * goes to others is good for everybody. What is_gzipped then has another entity tag than the
 * plain form; without memory for it the body stays as it is. */
void http_gzip_body(struct http_response *response);

#endif
