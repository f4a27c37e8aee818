#ifndef HTTP_PAGE_H
#define HTTP_PAGE_H

/*
 * The page that people get where programs get JSON: what was asked, status, headers, the JSON
 * with links that can be followed, and forms for what the route allows; one that is refused as
 * it was sent, with what is wrong beside its field. Reading it needs no script; sending
 * anything but a form's POST does (static/browse.js). Pure; all is escaped.
 */

#include "base/buffer.h"
#include "http/response.h"

#include <stddef.h>

/* `json` is compact. The response's request and route may be NULL. */
void http_page_append(struct buffer *out, const struct http_response *response,
                      const char *json, size_t size);

#endif
