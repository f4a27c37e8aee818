#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

/*
 * The guard: refuses what could be read in two ways, by us and by a proxy in front of us,
 * before anything else looks at the request, and what is larger than any honest request.
 * libmicrohttpd 0.9.75 lets all of this through. Pure. Sources: RFC 9112, sections 3 (length of
 * the target), 3.2 (Host), 5.1 (names), 6.1 and 6.3 (body length); RFC 9110, section 5.5
 * (values); RFC 6585, section 5 (431).
 */

#include "http/request.h"

/* Bytes of request line and headers as they came; beyond: 414 when the target is most of it,
 * else 431. And how many headers; beyond: 431. */
#define HTTP_HEAD_SIZE_MAX 8192
#define HTTP_FIELDS_MAX    100

/* What is said of a head that is longer, also where only its target is known yet. */
extern const char http_guard_head_too_long[];

/* What is wrong with the request line and headers, as a sentence for the client, or NULL. The
 * answer has *status and the connection is closed: where the next request starts is not known.
 */
const char *http_guard_problem(const struct http_request *request, unsigned *status);

#endif
