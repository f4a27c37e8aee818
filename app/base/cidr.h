#ifndef BASE_CIDR_H
#define BASE_CIDR_H

/*
 * IP addresses and blocks of them in CIDR notation (RFC 4632, section 3.1; RFC 4291, section
 * 2.3). Every address is one of IPv6; one of IPv4 is its IPv4-mapped one (::ffff:192.0.2.1), so
 * that both ways to say it are equal. Pure.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define CIDR_BLOCKS_MOST 64

struct cidr_block {
    struct in6_addr network;
    unsigned bits; /* how many of them count: 0 to 128 */
};

struct cidr_list {
    size_t count;
    struct cidr_block blocks[CIDR_BLOCKS_MOST];
};

/* In a list, whoever comes over a Unix socket. It stands for `::`, which nobody sends from. */
#define CIDR_UNIX "unix"

/* Blocks and single addresses with commas or blanks between them, or `*` for all; an empty text
 * is an empty list. False when one is malformed, has bits set behind its prefix (10.0.0.1/8
 * means one address, or 16 million?), or when there are too many. */
bool cidr_list_parse(struct cidr_list *list, const char *text);

bool cidr_list_holds(const struct cidr_list *list, const struct in6_addr *address);

/* The numeric address that these bytes are, without brackets, port and zone. */
bool cidr_parse_address(const char *text, size_t length, struct in6_addr *address);

/* All zeros (`::`) for a socket that is not of IP. */
struct in6_addr cidr_socket_address(const struct sockaddr *address);

/* Writes the address as people do, an IPv4-mapped one as IPv4. Returns `text`. */
const char *cidr_print_address(const struct in6_addr *address, char text[INET6_ADDRSTRLEN]);

#endif
