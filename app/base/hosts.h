#ifndef BASE_HOSTS_H
#define BASE_HOSTS_H

/*
 * ALLOWED_HOSTS: names and addresses with commas or blanks between them. `*` is any host,
 * `a.example` that host, `.a.example` that one and all below it, `*.a.example` all below it.
 * Ports are not looked at; neither is a final dot, on either side. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

/* Whether there is one in the list, and each can match a host that a request may name: no port,
 * no path, an IPv6 address in brackets. */
bool hosts_are_valid(const char *list);

/* Of a host as text_host_length measures it. */
bool hosts_allow(const char *list, const char *host, size_t length);

#endif
