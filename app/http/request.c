#include "http/request.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET",     HTTP_GET    },
    {"HEAD",    HTTP_HEAD   },
    {"POST",    HTTP_POST   },
    {"PUT",     HTTP_PUT    },
    {"PATCH",   HTTP_PATCH  },
    {"DELETE",  HTTP_DELETE },
    {"OPTIONS", HTTP_OPTIONS},
};

static const struct {
    const char *name;
    size_t length;
} header_names[HTTP_HEADER_COUNT] = {
#define HEADER(text)                                                                           \
    {                                                                                          \
        text, sizeof(text) - 1                                                                 \
    }
    [HTTP_HEADER_ACCEPT] = HEADER("Accept"),
    [HTTP_HEADER_ACCEPT_ENCODING] = HEADER("Accept-Encoding"),
    [HTTP_HEADER_CONTENT_LENGTH] = HEADER("Content-Length"),
    [HTTP_HEADER_CONTENT_TYPE] = HEADER("Content-Type"),
    [HTTP_HEADER_HOST] = HEADER("Host"),
    [HTTP_HEADER_IF_NONE_MATCH] = HEADER("If-None-Match"),
    [HTTP_HEADER_ORIGIN] = HEADER("Origin"),
    [HTTP_HEADER_PREFLIGHT_METHOD] = HEADER("Access-Control-Request-Method"),
    [HTTP_HEADER_TRANSFER_ENCODING] = HEADER("Transfer-Encoding"),
    [HTTP_HEADER_FORWARDED_PROTO] = HEADER("X-Forwarded-Proto"),
    [HTTP_HEADER_FORWARDED_SSL] = HEADER("X-Forwarded-SSL"),
    [HTTP_HEADER_REQUEST_ID] = HEADER("X-Request-Id"),
#undef HEADER
};

void http_request_clear(struct http_request *request)
{
    buffer_clear(&request->method_name);
    buffer_clear(&request->target);
    buffer_clear(&request->path);
    buffer_clear(&request->authority);
    /* one large body must not hold its memory for as long as the connection lives */
    if (request->body.capacity > 16384)
        buffer_release(&request->body);
    buffer_clear(&request->body);
    *request = (struct http_request){
        .method_name = request->method_name,
        .target = request->target,
        .path = request->path,
        .authority = request->authority,
        .body = request->body,
    };
}

void http_request_release(struct http_request *request)
{
    buffer_release(&request->method_name);
    buffer_release(&request->target);
    buffer_release(&request->path);
    buffer_release(&request->authority);
    buffer_release(&request->body);
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

void http_percent_decode(struct buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && length - i > 2 ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            buffer_append_char(out, text[i]);
            continue;
        }
        buffer_append_char(out, (char)(high * 16 + low));
        i += 2;
    }
}

/* RFC 3986, section 5.2.4, in place: `/./` is `/`, `/x/../` is `/`. */
static void remove_dot_segments(struct buffer *path)
{
    size_t read = 0;
    size_t write = 0;

    while (read < path->size) {
        const char *segment = path->data + read;
        const char *slash = memchr(segment + 1, '/', path->size - read - 1);
        size_t length = slash ? (size_t)(slash - segment) : path->size - read;
        bool one = length == 2 && memcmp(segment, "/.", 2) == 0;
        bool two = length == 3 && memcmp(segment, "/..", 3) == 0;

        read += length;
        if (two)
            while (write > 0 && path->data[--write] != '/')
                continue;
        if ((one || two) && read == path->size)
            path->data[write++] = '/';
        if (one || two)
            continue;
        memmove(path->data + write, segment, length);
        write += length;
    }
    path->size = write;
    path->data[write] = '\0';
}

static void set_method(struct http_request *request, const char *method)
{
    request->method = HTTP_METHOD_OTHER;
    buffer_append_text(&request->method_name, method);
    for (size_t i = 0; i < request->method_name.size; i++) {
        char *byte = &request->method_name.data[i];
        if (*byte >= 'a' && *byte <= 'z')
            *byte = (char)(*byte - 'a' + 'A');
    }
    if (request->method_name.failed)
        return;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (strcmp(request->method_name.data, methods[i].name) == 0)
            request->method = methods[i].method;
}

/* Cuts scheme and authority off an absolute-form target and gives the rest. */
static const char *skip_authority(struct http_request *request, const char *target)
{
    const char *authority;
    size_t length;

    if (strncasecmp(target, "http://", 7) == 0)
        authority = target + 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        authority = target + 8;
    else
        return target;
    length = strcspn(authority, "/?");
    buffer_append(&request->authority, authority, length);
    return authority + length;
}

bool http_request_set_target(struct http_request *request, const char *target)
{
    buffer_append_text(&request->target, target);
    return !request->target.failed;
}

bool http_request_start(struct http_request *request, const char *method, const char *version)
{
    const char *path;
    size_t length;

    set_method(request, method);
    if (request->target.failed || request->method_name.failed)
        return false;
    request->http_1_1 = strcmp(version, "HTTP/1.0") != 0;
    path = skip_authority(request, request->target.data);
    length = strcspn(path, "?");
    request->query = path[length] == '?' ? path + length + 1 : NULL;
    if (length == 0)
        buffer_append_char(&request->path, '/'); /* http://host?query has an empty path */
    http_percent_decode(&request->path, path, length);
    if (request->path.failed || request->authority.failed)
        return false;
    if (memmem(request->path.data, request->path.size, "/.", 2) && request->path.data[0] == '/')
        remove_dot_segments(&request->path);
    return true;
}

/* RFC 9110, section 5.6.2 */
static bool is_token(const char *text, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        bool alphanumeric = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                            (byte >= '0' && byte <= '9');
        if (!alphanumeric && !memchr(marks, byte, sizeof(marks) - 1))
            return false;
    }
    return length > 0;
}

static bool has_control_byte(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

void http_request_add_header(struct http_request *request, const char *name, const char *value)
{
    size_t length = strlen(name);

    request->field_count++;
    if (!is_token(name, length) || has_control_byte(value))
        request->header_malformed = true;
    for (unsigned i = 0; i < HTTP_HEADER_COUNT; i++) {
        if (length != header_names[i].length || strcasecmp(name, header_names[i].name) != 0)
            continue;
        if (request->header_count[i]++ == 0)
            request->headers[i] = value;
        return;
    }
}

/* An Origin whose IPv6 bracket is not closed is no URL at all. */
static bool is_origin(const char *origin)
{
    const char *bracket = origin ? strchr(origin, '[') : NULL;

    return origin && *origin && !(bracket && !strchr(bracket, ']'));
}

static bool is_plain_id(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < sizeof(((struct http_request *)NULL)->id) &&
           strspn(text,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:=+/") ==
               length;
}

/* A random number of this process and a counter: unique, and cheaper than random bytes each
 * time. */
static void make_id(char *id, size_t size)
{
    static _Atomic uint32_t counter;
    static _Atomic uint32_t process;
    uint32_t number = process;

    while (number == 0) {
        if (getrandom(&number, sizeof(number), 0) == (ssize_t)sizeof(number) && number != 0)
            process = number;
    }
    snprintf(id, size, "%08x%08x", number, counter++);
}

void http_request_finish_headers(struct http_request *request)
{
    const char *id = request->headers[HTTP_HEADER_REQUEST_ID];

    if (request->authority.size > 0 &&
        (!request->http_1_1 || request->headers[HTTP_HEADER_HOST]))
        request->headers[HTTP_HEADER_HOST] = request->authority.data;
    request->has_origin = is_origin(request->headers[HTTP_HEADER_ORIGIN]);
    request->id_given = id && is_plain_id(id);
    if (request->id_given)
        memcpy(request->id, id, strlen(id) + 1);
    else
        make_id(request->id, sizeof(request->id));
}

bool http_request_query(const struct http_request *request, const char *name,
                        struct buffer *value)
{
    size_t name_length = strlen(name);
    const char *found = NULL;
    size_t length = 0;

    for (const char *part = request->query; part; part = *part ? part + 1 : NULL) {
        size_t part_length = strcspn(part, "&");
        if (part_length >= name_length && strncmp(part, name, name_length) == 0 &&
            (part_length == name_length || part[name_length] == '=')) {
            found = part + name_length + (part_length > name_length);
            length = part_length - (size_t)(found - part);
        }
        part += part_length;
        if (*part == '\0')
            break;
    }
    if (!found)
        return false;
    http_percent_decode(value, found, length);
    return true;
}

/* One name of ALLOWED_HOSTS against a host without its port and trailing dot. */
static bool host_matches(const char *host, size_t host_length, const char *name, size_t length)
{
    if (length == 0)
        return false;
    if (length == 1 && *name == '*')
        return true;
    if (*name == '.' && host_length >= length)
        return strncasecmp(host + host_length - length, name, length) == 0;
    if (*name == '.') {
        name++;
        length--;
    }
    return host_length == length && strncasecmp(host, name, length) == 0;
}

static bool host_is_allowed(const char *host, size_t length, const char *allowed)
{
    if (length > 0 && host[length - 1] == '.')
        length--;
    for (const char *name = allowed; *name;) {
        size_t name_length;
        name += strspn(name, ", \t");
        name_length = strcspn(name, ", \t");
        if (host_matches(host, length, name, name_length))
            return true;
        name += name_length;
    }
    return false;
}

const char *http_host_problem(const struct http_request *request, const char *allowed,
                              size_t limit)
{
    const char *host = request->headers[HTTP_HEADER_HOST];
    size_t length;
    const char *port;

    if (!host)
        return NULL;
    length = text_host_length(host);
    port = host + length;
    if (length == 0 || (*port && (*port != ':' || port[1] == '\0' ||
                                  port[1 + strspn(port + 1, "0123456789")] != '\0')))
        return "The Host header is not a valid host name.";
    if (strlen(host) > limit)
        return "The Host header is too long.";
    if (!host_is_allowed(host, length, allowed))
        return "The Host header names a host that is not served here.";
    return NULL;
}

void http_request_base_url(const struct http_request *request, const char *fallback_host,
                           struct buffer *out)
{
    const char *host = request->headers[HTTP_HEADER_HOST];
    const char *proto = request->headers[HTTP_HEADER_FORWARDED_PROTO];
    const char *ssl = request->headers[HTTP_HEADER_FORWARDED_SSL];
    bool https =
        (proto && strcasecmp(proto, "https") == 0) || (ssl && strcasecmp(ssl, "on") == 0);

    buffer_append_text(out, https ? "https://" : "http://");
    buffer_append_text(out, host ? host : fallback_host);
}
