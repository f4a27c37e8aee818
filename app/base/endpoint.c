#include "base/endpoint.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static bool parse_path(struct endpoint *endpoint, const char *path)
{
    struct sockaddr_un *local = &endpoint->address.local;
    size_t length = strlen(path);

    if (length < 2 || length >= sizeof(local->sun_path))
        return false;
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, length + 1);
    endpoint->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return true;
}

bool endpoint_parse(struct endpoint *endpoint, const char *address, unsigned port)
{
    struct sockaddr_in *ipv4 = &endpoint->address.ipv4;
    struct sockaddr_in6 *ipv6 = &endpoint->address.ipv6;

    memset(endpoint, 0, sizeof(*endpoint));
    if (*address == '/')
        return parse_path(endpoint, address);
    if (inet_pton(AF_INET, address, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons((uint16_t)port);
        endpoint->size = sizeof(*ipv4);
        return true;
    }
    if (inet_pton(AF_INET6, address, &ipv6->sin6_addr) != 1)
        return false;
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons((uint16_t)port);
    endpoint->size = sizeof(*ipv6);
    return true;
}

bool endpoint_of_socket(struct endpoint *endpoint, int socket)
{
    memset(endpoint, 0, sizeof(*endpoint));
    endpoint->size = sizeof(endpoint->address);
    if (getsockname(socket, &endpoint->address.any, &endpoint->size) != 0)
        return false;
    return endpoint->address.any.sa_family == AF_UNIX ||
           endpoint->address.any.sa_family == AF_INET ||
           endpoint->address.any.sa_family == AF_INET6;
}

bool endpoint_is_unix(const struct endpoint *endpoint)
{
    return endpoint->address.any.sa_family == AF_UNIX;
}

uint16_t endpoint_port(const struct endpoint *endpoint)
{
    if (endpoint_is_unix(endpoint))
        return 0;
    return ntohs(endpoint->address.any.sa_family == AF_INET ? endpoint->address.ipv4.sin_port
                                                            : endpoint->address.ipv6.sin6_port);
}

void endpoint_make_reachable(struct endpoint *endpoint)
{
    bool is_any = endpoint->address.any.sa_family == AF_INET
                      ? endpoint->address.ipv4.sin_addr.s_addr == htonl(INADDR_ANY)
                      : endpoint->address.any.sa_family == AF_INET6 &&
                            IN6_IS_ADDR_UNSPECIFIED(&endpoint->address.ipv6.sin6_addr);

    if (is_any)
        endpoint_parse(endpoint, "127.0.0.1", endpoint_port(endpoint));
}

char *endpoint_print(const struct endpoint *endpoint, char text[ENDPOINT_ADDRESS_SIZE])
{
    int family = endpoint->address.any.sa_family;

    /* the text has room for all of them */
    if (family == AF_UNIX)
        snprintf(text, ENDPOINT_ADDRESS_SIZE, "%.*s",
                 (int)sizeof(endpoint->address.local.sun_path),
                 endpoint->address.local.sun_path);
    else if (family == AF_INET)
        (void)inet_ntop(family, &endpoint->address.ipv4.sin_addr, text, ENDPOINT_ADDRESS_SIZE);
    else
        (void)inet_ntop(family, &endpoint->address.ipv6.sin6_addr, text, ENDPOINT_ADDRESS_SIZE);
    return text;
}

char *endpoint_print_url(const struct endpoint *endpoint, char text[ENDPOINT_URL_SIZE])
{
    char address[ENDPOINT_ADDRESS_SIZE];
    int family = endpoint->address.any.sa_family;

    endpoint_print(endpoint, address);
    if (family == AF_UNIX)
        snprintf(text, ENDPOINT_URL_SIZE, "http://unix:%s:", address);
    else
        snprintf(text, ENDPOINT_URL_SIZE, family == AF_INET ? "http://%s:%u" : "http://[%s]:%u",
                 address, endpoint_port(endpoint));
    return text;
}
