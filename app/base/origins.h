#ifndef BASE_ORIGINS_H
#define BASE_ORIGINS_H

/*
 * CORS_ORIGINS: origins as browsers name them (RFC 6454, section 6.2), "https://a.example" or
 * "http://a.example:8080", with commas or blanks between them; `*` is any, `none` no other than
 * the server's own. Pure.
 */

#include <stdbool.h>

bool origins_are_valid(const char *list);

bool origins_are_all(const char *list);

/* The place of an origin in the list, from 0; -1 when it isn't there. */
int origins_find(const char *list, const char *origin);

#endif
