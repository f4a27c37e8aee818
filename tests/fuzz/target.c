/* A request's method, target and query. Input: a line of the method, a line of the target. */

#include "fuzz.h"
#include "http/request.h"
#include "http/router.h"

#include <ctype.h>
#include <strings.h>

static void handle(void *context, struct http_exchange *exchange,
                   const struct http_match *match)
{
    (void)context;
    (void)exchange;
    (void)match;
}

static const struct http_route routes[] = {
    {.pattern = "/todos",      .formats = true, .methods = {{HTTP_GET, handle}}},
    {.pattern = "/todos/{id}", .formats = true, .methods = {{HTTP_GET, handle}}},
    {.pattern = "/{name}",     .dots = true,    .methods = {{HTTP_GET, handle}}},
};

/* %XX of each byte means the byte, whatever it is. */
static void escape(struct buffer *out, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_append_format(out, "%%%02x", (unsigned char)bytes[i]);
}

static bool ends_segment(const char *path, size_t size, size_t i)
{
    return i == size || path[i] == '/';
}

static void check_path(const struct buffer *path)
{
    assert(path->size > 0 && path->data[path->size] == '\0');
    for (size_t i = 0; path->data[0] == '/' && i + 1 < path->size; i++) {
        if (path->data[i] != '/' || path->data[i + 1] != '.')
            continue;
        assert(!ends_segment(path->data, path->size, i + 2));
        assert(path->data[i + 2] != '.' || !ends_segment(path->data, path->size, i + 3));
    }
}

static void check_same_path_escaped(const struct buffer *path)
{
    struct http_request request = {0};
    struct buffer escaped = {0};

    escape(&escaped, path->data, path->size);
    assert(http_request_set_target(&request, escaped.data));
    assert(http_request_start(&request, "GET", "HTTP/1.1"));
    assert(request.path.size == path->size);
    assert(memcmp(request.path.data, path->data, path->size) == 0);
    assert(!request.query && request.authority.size == 0);
    http_request_release(&request);
    buffer_release(&escaped);
}

static void check_route(const struct http_request *request)
{
    const char *path = request->path.data;
    struct http_match match = {0};
    enum http_route_result result =
        http_route_find(routes, sizeof(routes) / sizeof(routes[0]), request->method, path,
                        request->path.size, &match);

    assert((result == HTTP_ROUTE_UNKNOWN_PATH) == !match.representation.route);
    assert((result == HTTP_ROUTE_FOUND) == (match.handler != NULL));
    assert(strlen(match.suffix) < sizeof(match.suffix));
    if (!match.representation.route || !match.parameter)
        return;
    assert(match.parameter > path && match.parameter_length > 0);
    assert(match.parameter + match.parameter_length <= path + request->path.size);
    assert(!memchr(match.parameter, '/', match.parameter_length));
}

static void check_query(const struct http_request *request)
{
    struct buffer value = {0};
    struct buffer again = {0};
    struct buffer target = {0};
    struct http_request other = {0};
    bool found = http_request_query(request, "format", &value);

    assert(!found || request->query);
    assert(!found || value.size <= strlen(request->query));
    buffer_append_text(&target, "/?a=1&format=2&format=");
    escape(&target, value.data, value.size);
    buffer_append_text(&target, "&formats=3");
    assert(http_request_set_target(&other, target.data));
    assert(http_request_start(&other, "GET", "HTTP/1.1"));
    assert(http_request_query(&other, "format", &again));
    assert(again.size == value.size);
    assert(value.size == 0 || memcmp(again.data, value.data, value.size) == 0);
    http_request_release(&other);
    buffer_release(&value);
    buffer_release(&again);
    buffer_release(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *method = fuzz_line(&input);
    char *target = fuzz_line(&input);
    struct http_request request = {0};

    assert(http_request_set_target(&request, target));
    assert(http_request_start(&request, method, "HTTP/1.1"));
    assert(strcmp(request.target.data ? request.target.data : "", target) == 0);
    assert(strcasecmp(request.method_name.data ? request.method_name.data : "", method) == 0);
    assert(request.path.size <= strlen(target) + 1);
    check_path(&request.path);
    check_same_path_escaped(&request.path);
    check_route(&request);
    check_query(&request);
    http_request_release(&request);
    free(target);
    free(method);
    return 0;
}
