#ifndef BASE_XRAY_ADDRESS_H
#define BASE_XRAY_ADDRESS_H

/*
 * AWS_XRAY_DAEMON_ADDRESS as AWS' SDKs read it: HOST:PORT, or udp:HOST:PORT and tcp:HOST:PORT
 * with a blank between them, in any order. Only what UDP goes to counts here. Pure.
 */

#include <stdbool.h>

struct xray_address {
    char host[254]; /* a name, or a numeric address; one of IPv6, in brackets there, is without
                       them here */
    char port[6];
};

/* False when it is malformed; *address is of no use then. */
bool xray_address_parse(struct xray_address *address, const char *text);

#endif
