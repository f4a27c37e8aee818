#include "base/xray_address.h"

#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MOST 65535

static bool read_port(struct xray_address *address, const char *text, size_t length)
{
    unsigned long port;

    if (length == 0 || length >= sizeof(address->port) || strspn(text, "0123456789") < length)
        return false;
    memcpy(address->port, text, length);
    address->port[length] = '\0';
    port = strtoul(address->port, NULL, 10);
    return port > 0 && port <= PORT_MOST;
}

static bool read_host_and_port(struct xray_address *address, const char *text, size_t length)
{
    size_t host = text_host_length(text);
    bool has_brackets = *text == '[';

    if (host == 0 || host + 1 >= length || text[host] != ':' ||
        !read_port(address, text + host + 1, length - host - 1))
        return false;
    if (has_brackets) {
        text++;
        host -= 2;
    }
    if (host >= sizeof(address->host))
        return false;
    memcpy(address->host, text, host);
    address->host[host] = '\0';
    return true;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool xray_address_parse(struct xray_address *address, const char *text)
{
    static const char udp[] = "udp:";
    static const char tcp[] = "tcp:";
    const char *blank = strchr(text, ' ');
    const char *second = blank ? blank + 1 : NULL;
    struct xray_address ignored;

    *address = (struct xray_address){.host = ""};
    if (!second)
        return read_host_and_port(address, text, strlen(text));
    if (has_prefix(second, udp)) {
        const char *first = text;
        return has_prefix(first, tcp) &&
               read_host_and_port(&ignored, first + 4, (size_t)(blank - first) - 4) &&
               read_host_and_port(address, second + 4, strlen(second) - 4);
    }
    return has_prefix(text, udp) && has_prefix(second, tcp) &&
           read_host_and_port(address, text + 4, (size_t)(blank - text) - 4) &&
           read_host_and_port(&ignored, second + 4, strlen(second) - 4);
}
