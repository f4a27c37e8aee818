#ifndef HTTP_RENDER_H
#define HTTP_RENDER_H

/* The body of a response, in the form that was negotiated. Pure. */

#include "http/negotiate.h"
#include "http/response.h"

#include <stddef.h>

/* Sets body and Content-Type: compact JSON goes out as the client prefers it: as it is,
 * indented, or as a page for people (http/page.h) that also tells the headers added so far;
 * as gzip if it likes that. Takes the JSON: it is empty afterwards. The body has failed if it
 * had. */
void http_render_json(struct http_response *response, const struct http_format *format,
                      struct buffer *json);

/* Appends {"detail":"..."}; the detail, which must be UTF-8, is escaped. */
void http_append_detail(struct buffer *json, const char *detail, size_t size);

/* Sets that as the body. */
void http_render_detail(struct http_response *response, const struct http_format *format,
                        const char *detail);

#endif
