#ifndef HTTP_PREFER_H
#define HTTP_PREFER_H

/* Preferences of a request (RFC 7240). Pure. */

#include <stdbool.h>

/* How many seconds the client would wait for an answer, by the header's `wait` (section 4.3);
 * the first one counts. False without one, and for one that is no number. */
bool http_prefer_wait(const char *prefer, unsigned *seconds);

#endif
