#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

/*
 * The guard: refuses what could be read in two ways, by us and by a proxy in front of us,
 * before anything else looks at the request. libmicrohttpd 0.9.75 lets all of this through.
 * Pure. Sources: RFC 9112, sections 3.2 (Host), 5.1 (names), 6.1 and 6.3 (body length); RFC
 * 9110, section 5.5 (values).
 */

#include "http/request.h"

/* What is wrong with the request line and headers, as a sentence for the client, or NULL. The
 * answer is 400 and the connection is closed: where the next request starts is not known. */
const char *http_guard_problem(const struct http_request *request);

#endif
