#include "base/cidr.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define IPV4_OFFSET      12 /* bytes before the IPv4 address in its IPv4-mapped one */
#define IPV4_OFFSET_BITS (IPV4_OFFSET * 8U)
#define BITS_MOST        128U

static struct in6_addr map_ipv4(const struct in_addr *address)
{
    struct in6_addr mapped = {
        .s6_addr = {[10] = 0xff, [11] = 0xff}
    };

    memcpy(&mapped.s6_addr[IPV4_OFFSET], address, sizeof(*address));
    return mapped;
}

bool cidr_parse_address(const char *text, size_t length, struct in6_addr *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr ipv4;

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (strlen(copy) != length)
        return false;
    if (inet_pton(AF_INET, copy, &ipv4) != 1)
        return inet_pton(AF_INET6, copy, address) == 1;
    *address = map_ipv4(&ipv4);
    return true;
}

struct in6_addr cidr_socket_address(const struct sockaddr *address)
{
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6 = {0};

    if (address->sa_family == AF_INET) {
        memcpy(&ipv4, address, sizeof(ipv4));
        return map_ipv4(&ipv4.sin_addr);
    }
    if (address->sa_family == AF_INET6)
        memcpy(&ipv6, address, sizeof(ipv6));
    return ipv6.sin6_addr;
}

const char *cidr_print_address(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
    bool is_ipv4 = IN6_IS_ADDR_V4MAPPED(address);

    /* the text has room for every address */
    (void)inet_ntop(is_ipv4 ? AF_INET : AF_INET6, &address->s6_addr[is_ipv4 ? IPV4_OFFSET : 0],
                    text, INET6_ADDRSTRLEN);
    return text;
}

/* The address without what stands behind its first `bits`. */
static struct in6_addr mask(const struct in6_addr *address, unsigned bits)
{
    struct in6_addr masked = {0};
    size_t whole = bits / 8;

    memcpy(&masked, address, whole);
    if (bits % 8 > 0)
        masked.s6_addr[whole] =
            (unsigned char)(address->s6_addr[whole] & (0xff00U >> (bits % 8)));
    return masked;
}

static bool block_holds(const struct cidr_block *block, const struct in6_addr *address)
{
    const struct in6_addr network = mask(address, block->bits);

    return memcmp(&network, &block->network, sizeof(network)) == 0;
}

/* Without leading zeros, which some read as octal. */
static bool parse_bits(const char *text, size_t length, unsigned most, unsigned *bits)
{
    unsigned long parsed;

    if (length == 0 || length > 3 || strspn(text, "0123456789") != length ||
        (*text == '0' && length > 1))
        return false;
    parsed = strtoul(text, NULL, 10);
    *bits = (unsigned)parsed;
    return parsed <= most;
}

static bool parse_block(const char *text, size_t length, struct cidr_block *block)
{
    const char *slash = memchr(text, '/', length);
    size_t address_length = slash ? (size_t)(slash - text) : length;
    bool is_ipv4 = !memchr(text, ':', address_length);
    unsigned offset = is_ipv4 ? IPV4_OFFSET_BITS : 0;

    *block = (struct cidr_block){.bits = 0};
    if (length == 1 && *text == '*')
        return true;
    if (length == strlen(CIDR_UNIX) && memcmp(text, CIDR_UNIX, length) == 0) {
        block->bits = BITS_MOST;
        return true;
    }
    if (!cidr_parse_address(text, address_length, &block->network))
        return false;
    block->bits = BITS_MOST - offset;
    if (slash &&
        !parse_bits(slash + 1, length - address_length - 1, BITS_MOST - offset, &block->bits))
        return false;
    block->bits += offset;
    return block_holds(block, &block->network);
}

bool cidr_list_parse(struct cidr_list *list, const char *text)
{
    size_t length;

    list->count = 0;
    for (text = text_list_item(text, &length); length > 0;
         text = text_list_item(text + length, &length)) {
        if (list->count == CIDR_BLOCKS_MOST ||
            !parse_block(text, length, &list->blocks[list->count]))
            return false;
        list->count++;
    }
    return true;
}

bool cidr_list_holds(const struct cidr_list *list, const struct in6_addr *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (block_holds(&list->blocks[i], address))
            return true;
    return false;
}
