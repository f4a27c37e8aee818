#ifndef XRAY_DAEMON_H
#define XRAY_DAEMON_H

/*
 * What a server tells X-Ray of.
 */

#include <jansson.h>
#include <stdbool.h>

/* A daemon that only listens. */
struct xray_daemon {
    int socket;
    char setting[64];
};

/* The caller closes the socket. False, with a failed check, when it can't be had. */
bool xray_daemon_open(struct xray_daemon *daemon);

/* The next segment, without its header line; NULL when none comes within so many
 * milliseconds. */
json_t *xray_daemon_receive(const struct xray_daemon *daemon, int limit);

#endif
