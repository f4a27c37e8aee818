#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

#include <stddef.h>

/* The place of a status among those that this program uses, in their order; how many these are
 * if it is none of them. */
size_t http_status_index(unsigned status);

/* The status at a place; 0 behind the last. */
unsigned http_status_at(size_t index);

/* The reason phrase of a status that this program uses (RFC 9110, section 15). */
const char *http_status_text(unsigned status);

#endif
