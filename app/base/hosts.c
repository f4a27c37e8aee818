#include "base/hosts.h"

#include "base/cidr.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Labels with a dot between each two, perhaps one at the end. */
static bool is_domain(const char *name, size_t length)
{
    return length > 0 && *name != '.' && text_host_length(name) == length &&
           !memmem(name, length, "..", 2);
}

static bool is_name(const char *name, size_t length)
{
    struct in6_addr address;

    if (*name == '[')
        return length > 2 && name[length - 1] == ']' && memchr(name, ':', length) &&
               cidr_parse_address(name + 1, length - 2, &address);
    if (*name == '*' && length > 1)
        return name[1] == '.' && is_domain(name + 2, length - 2);
    if (*name == '.')
        return is_domain(name + 1, length - 1);
    return *name == '*' || is_domain(name, length);
}

bool hosts_are_valid(const char *list)
{
    size_t length;
    const char *name = text_list_item(list, &length);
    bool is_empty = length == 0;

    for (; length > 0; name = text_list_item(name + length, &length))
        if (!is_name(name, length))
            return false;
    return !is_empty;
}

static bool equals(const char *host, size_t host_length, const char *name, size_t length)
{
    return host_length == length && strncasecmp(host, name, length) == 0;
}

static size_t without_final_dot(const char *name, size_t length)
{
    return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

/* Neither has a final dot. */
static bool matches(const char *host, size_t host_length, const char *name, size_t length)
{
    bool below_only = *name == '*';

    if (below_only) {
        name++;
        length--;
    }
    if (length == 0)
        return below_only;
    if (*name != '.')
        return equals(host, host_length, name, length);
    if (host_length > length && strncasecmp(host + host_length - length, name, length) == 0)
        return true;
    return !below_only && equals(host, host_length, name + 1, length - 1);
}

bool hosts_allow(const char *list, const char *host, size_t length)
{
    size_t name_length;
    const char *name = text_list_item(list, &name_length);

    length = without_final_dot(host, length);
    for (; name_length > 0; name = text_list_item(name + name_length, &name_length))
        if (matches(host, length, name, without_final_dot(name, name_length)))
            return true;
    return false;
}
