#include "base/origins.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Of "http://" and the like; 0 for none of them. */
static size_t scheme_length(const char *origin)
{
    if (strncasecmp(origin, "http://", 7) == 0)
        return 7;
    return strncasecmp(origin, "https://", 8) == 0 ? 8 : 0;
}

/* Of the scheme, which browsers leave out: such an origin would never be met. */
static bool is_default_port(size_t scheme, const char *port, size_t digits)
{
    return (scheme == 7 && digits == 2 && memcmp(port, "80", 2) == 0) ||
           (scheme == 8 && digits == 3 && memcmp(port, "443", 3) == 0);
}

static bool is_origin(const char *text, size_t length)
{
    size_t scheme = scheme_length(text);
    size_t host = scheme > 0 ? text_host_length(text + scheme) : 0;
    const char *port = text + scheme + host;
    size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;

    return host > 0 && (*port != ':' || digits > 0) &&
           !is_default_port(scheme, port + 1, digits) &&
           length == scheme + host + (digits > 0 ? digits + 1 : 0);
}

bool origins_are_all(const char *list)
{
    return strcmp(list, "*") == 0;
}

bool origins_are_valid(const char *list)
{
    size_t length;
    const char *item = text_list_item(list, &length);
    bool is_empty = length == 0;

    if (origins_are_all(list) || strcmp(list, "none") == 0)
        return true;
    for (; length > 0; item = text_list_item(item + length, &length))
        if (!is_origin(item, length))
            return false;
    return !is_empty;
}

int origins_find(const char *list, const char *origin)
{
    size_t length;
    const char *item = text_list_item(list, &length);

    for (int place = 0; length > 0; item = text_list_item(item + length, &length), place++)
        if (is_origin(item, length) && strlen(origin) == length &&
            strncasecmp(item, origin, length) == 0)
            return place;
    return -1;
}
