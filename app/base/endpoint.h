#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

/*
 * Where a server listens: a numeric address of IPv4 or IPv6 and a port, or the path of a Unix
 * socket. Pure, but for endpoint_of_socket.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct endpoint {
    socklen_t size; /* of what is in use of the address */
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
    } address;
};

#define ENDPOINT_ADDRESS_SIZE sizeof(struct sockaddr_un)
#define ENDPOINT_URL_SIZE     (ENDPOINT_ADDRESS_SIZE + sizeof("http://unix::"))

/* False when the address is neither numeric nor an absolute path that fits. A path has no port.
 */
bool endpoint_parse(struct endpoint *endpoint, const char *address, unsigned port);

/* Where this socket is bound. False when that can't be told, or isn't one of the three. */
bool endpoint_of_socket(struct endpoint *endpoint, int socket);

bool endpoint_is_unix(const struct endpoint *endpoint);

/* 0 for a Unix socket. */
uint16_t endpoint_port(const struct endpoint *endpoint);

/* Where a client of this machine finds a server that listens on all addresses: on the loopback
 * one of IPv4, since the other is missing in many containers. */
void endpoint_make_reachable(struct endpoint *endpoint);

/* The numeric address, or the path. Returns `text`. */
char *endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_ADDRESS_SIZE]);

/* The start of a URL, without a path: http://192.0.2.1:80, http://[::1]:80, and as nginx has
 * it, http://unix:/run/socket: for a Unix socket. Returns `text`. */
char *endpoint_print_url(const struct endpoint *endpoint, char text[ENDPOINT_URL_SIZE]);

#endif
