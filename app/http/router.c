#include "http/router.h"

#include <string.h>

/* Splits "/todos/7.json" or "/todos/7.json/" into the path before the dot and the format. A
 * format is [a-z0-9]+; one too long for any format that exists is cut, and stays unknown. */
static bool split_format(const char *path, size_t length, size_t *path_length, char *format,
                         size_t size)
{
    size_t end = length > 0 && path[length - 1] == '/' ? length - 1 : length;
    size_t start = end;

    while (start > 0 && ((path[start - 1] >= 'a' && path[start - 1] <= 'z') ||
                         (path[start - 1] >= '0' && path[start - 1] <= '9')))
        start--;
    if (start == end || start == 0 || path[start - 1] != '.')
        return false;
    *path_length = start - 1;
    length = end - start < size ? end - start : size - 1;
    memcpy(format, path + start, length);
    format[length] = '\0';
    return true;
}

static bool match_pattern(const struct http_route *route, const char *path, size_t length,
                          struct http_match *match)
{
    size_t literal = strcspn(route->pattern, "{");

    match->parameter = NULL;
    match->parameter_length = 0;
    if (length < literal || memcmp(path, route->pattern, literal) != 0)
        return false;
    if (route->pattern[literal] == '\0')
        return length == literal;
    match->parameter = path + literal;
    match->parameter_length = length - literal;
    return match->parameter_length > 0 &&
           !memchr(match->parameter, '/', match->parameter_length) &&
           (route->dots || !memchr(match->parameter, '.', match->parameter_length));
}

static http_handler *find_handler(const struct http_route *route, enum http_method method)
{
    for (size_t i = 0; i < HTTP_ROUTE_METHODS_MAX && route->methods[i].handler; i++)
        if (route->methods[i].method == method)
            return route->methods[i].handler;
    return NULL;
}

static const struct http_route *find_path(const struct http_route *routes, size_t count,
                                          const char *path, size_t length,
                                          struct http_match *match)
{
    size_t short_length = 0;

    for (size_t i = 0; i < count; i++)
        if (match_pattern(&routes[i], path, length, match))
            return &routes[i];
    if (!split_format(path, length, &short_length, match->suffix, sizeof(match->suffix)))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        /* "/.json" is the root with a format: the dot took the place of nothing, the slash
         * stays */
        if (routes[i].formats && match_pattern(&routes[i], path, short_length, match))
            return &routes[i];
    }
    return NULL;
}

enum http_route_result http_route_find(const struct http_route *routes, size_t count,
                                       enum http_method method, const char *path, size_t length,
                                       struct http_match *match)
{
    *match = (struct http_match){0};
    match->representation.route = find_path(routes, count, path, length, match);
    if (!match->representation.route)
        return HTTP_ROUTE_UNKNOWN_PATH;
    match->handler = find_handler(match->representation.route, method);
    return match->handler ? HTTP_ROUTE_FOUND : HTTP_ROUTE_UNKNOWN_METHOD;
}
