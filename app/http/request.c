#include "http/request.h"

#include "base/hosts.h"
#include "base/origins.h"
#include "base/random.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

#define KEPT_SIZE 512 /* bytes of a text that a connection keeps from request to request */

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
    [HTTP_HEADER_CONTENT_ENCODING] = HEADER("Content-Encoding"),
    [HTTP_HEADER_CONTENT_LENGTH] = HEADER("Content-Length"),
    [HTTP_HEADER_CONTENT_TYPE] = HEADER("Content-Type"),
    [HTTP_HEADER_HOST] = HEADER("Host"),
    [HTTP_HEADER_IDEMPOTENCY_KEY] = HEADER("Idempotency-Key"),
    [HTTP_HEADER_IF_MATCH] = HEADER("If-Match"),
    [HTTP_HEADER_IF_NONE_MATCH] = HEADER("If-None-Match"),
    [HTTP_HEADER_PREFER] = HEADER("Prefer"),
    [HTTP_HEADER_ORIGIN] = HEADER("Origin"),
    [HTTP_HEADER_PREFLIGHT_METHOD] = HEADER("Access-Control-Request-Method"),
    [HTTP_HEADER_TRANSFER_ENCODING] = HEADER("Transfer-Encoding"),
    [HTTP_HEADER_FORWARDED_FOR] = HEADER("X-Forwarded-For"),
    [HTTP_HEADER_FORWARDED_HOST] = HEADER("X-Forwarded-Host"),
    [HTTP_HEADER_FORWARDED_PROTO] = HEADER("X-Forwarded-Proto"),
    [HTTP_HEADER_FORWARDED_SSL] = HEADER("X-Forwarded-SSL"),
    [HTTP_HEADER_REQUEST_ID] = HEADER("X-Request-Id"),
    [HTTP_HEADER_TRACE_PARENT] = HEADER("traceparent"),
    [HTTP_HEADER_USER_AGENT] = HEADER("User-Agent"),
    [HTTP_HEADER_AMZN_TRACE_ID] = HEADER("X-Amzn-Trace-Id"),
#undef HEADER
};

/* What was large once must not hold its memory for as long as the connection lives. */
static void empty(struct buffer *buffer)
{
    if (buffer->capacity > KEPT_SIZE)
        buffer_release(buffer);
    else
        buffer_clear(buffer);
}

void http_request_clear(struct http_request *request)
{
    empty(&request->method_name);
    empty(&request->target);
    empty(&request->path);
    empty(&request->authority);
    empty(&request->origin);
    empty(&request->body);
    for (size_t i = 0; i < HTTP_HEADER_LISTS; i++)
        buffer_release(&request->lists[i]);
    *request = (struct http_request){
        .method_name = request->method_name,
        .target = request->target,
        .path = request->path,
        .authority = request->authority,
        .origin = request->origin,
        .body = request->body,
        .trusted_proxies = request->trusted_proxies,
        .is_from_proxy = request->is_from_proxy,
        .cors_origins = request->cors_origins,
    };
}

void http_request_release(struct http_request *request)
{
    buffer_release(&request->method_name);
    buffer_release(&request->target);
    buffer_release(&request->path);
    buffer_release(&request->authority);
    buffer_release(&request->origin);
    buffer_release(&request->body);
    for (size_t i = 0; i < HTTP_HEADER_LISTS; i++)
        buffer_release(&request->lists[i]);
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

/* The byte that the text begins with; gives how many of the text stand for it. */
static size_t take_byte(const char *text, size_t length, char *byte)
{
    int high = *text == '%' && length > 2 ? hex_digit(text[1]) : -1;
    int low = high >= 0 ? hex_digit(text[2]) : -1;

    *byte = low >= 0 ? (char)(high * 16 + low) : *text;
    return low >= 0 ? 3 : 1;
}

void http_percent_decode(struct buffer *out, const char *text, size_t length)
{
    char byte;

    for (size_t i = 0; i < length;) {
        i += take_byte(text + i, length - i, &byte);
        buffer_append_char(out, byte);
    }
}

/* Whether that is what it stands for. */
static bool is_encoded(const char *text, size_t length, const char *name)
{
    size_t i = 0;
    char byte = '\0';

    for (; i < length && *name; name++) {
        i += take_byte(text + i, length - i, &byte);
        if (byte != *name)
            return false;
    }
    return i == length && *name == '\0';
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

const char *http_method_name(enum http_method method)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (methods[i].method == method)
            return methods[i].name;
    return NULL;
}

static void set_method(struct http_request *request, const char *method)
{
    request->method = HTTP_METHOD_OTHER;
    request->method_malformed = !is_token(method, strlen(method));
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

void http_request_set_peer(struct http_request *request, const struct cidr_list *proxies,
                           const struct in6_addr *peer)
{
    request->trusted_proxies = proxies;
    request->is_from_proxy = cidr_list_holds(proxies, peer);
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

static bool has_control_byte(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

/* An address, perhaps with a port: then one of IPv6 is in brackets. */
static bool parse_node(const char *text, size_t length, struct in6_addr *address)
{
    const char *colon = memrchr(text, ':', length);

    if (cidr_parse_address(text, length, address))
        return true;
    if (*text == '[' && text[length - 1] == ']')
        return cidr_parse_address(text + 1, length - 2, address);
    if (!colon || strspn(colon + 1, "0123456789") != (size_t)(text + length - colon - 1))
        return false;
    length = (size_t)(colon - text);
    if (length > 2 && *text == '[' && text[length - 1] == ']')
        return cidr_parse_address(text + 1, length - 2, address);
    return !memchr(text, ':', length) && cidr_parse_address(text, length, address);
}

/* Each proxy adds whom it heard at the right. Read from there, the first that is no proxy of
 * ours is the client; what is left of it, or of what is no address, anybody may have written.
 * Several headers are one list (RFC 9110, section 5.3): so it is read from the left, and what
 * was found is forgotten when something better follows. */
static void follow_forwarded_for(struct http_request *request, const char *list)
{
    size_t length;

    for (list = text_list_item(list, &length); length > 0;
         list = text_list_item(list + length, &length)) {
        struct in6_addr node;
        bool is_address = parse_node(list, length, &node);
        if (!is_address)
            request->is_forwarded = false;
        else if (!request->is_forwarded || !cidr_list_holds(request->trusted_proxies, &node)) {
            request->is_forwarded = true;
            request->client = node;
        }
    }
}

/* One more part of a list. */
static void extend_list(struct http_request *request, unsigned header, const char *value)
{
    struct buffer *list = &request->lists[header];

    if (list->size == 0)
        buffer_append_text(list, request->headers[header]);
    buffer_append_text(list, ", ");
    buffer_append_text(list, value);
    if (list->failed)
        request->header_malformed = true; /* a part must not stand for the whole */
    else
        request->headers[header] = list->data;
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
        else if (i < HTTP_HEADER_LISTS)
            extend_list(request, i, value);
        if (i == HTTP_HEADER_FORWARDED_FOR && request->is_from_proxy)
            follow_forwarded_for(request, value);
        return;
    }
}

/* An Origin whose IPv6 bracket is not closed is no URL at all. */
static bool is_origin(const char *origin)
{
    const char *bracket = origin ? strchr(origin, '[') : NULL;

    return origin && *origin && !(bracket && !strchr(bracket, ']'));
}

/* Whether the page comes from this server. Its scheme isn't known behind a proxy. */
static bool is_own_origin(const struct http_request *request, const char *origin)
{
    const char *host = request->headers[HTTP_HEADER_HOST];
    const char *slashes = strstr(origin, "://");

    return host && slashes && strcasecmp(slashes + 3, host) == 0;
}

/* A page of this server needs no permission; a script of another one gets it by name. */
static void judge_listed_origin(struct http_request *request, const char *origin)
{
    int place = origins_find(request->cors_origins, origin);

    request->is_foreign = place < 0 && !is_own_origin(request, origin);
    if (place < 0)
        return;
    buffer_append_text(&request->origin, origin);
    if (request->origin.failed)
        return; /* the browser will refuse the answer */
    request->allow_origin = request->origin.data;
    request->origin_class = (unsigned)place + 2;
}

static void judge_origin(struct http_request *request)
{
    const char *origin = request->headers[HTTP_HEADER_ORIGIN];

    if (!origin || !*origin)
        return;
    if (request->cors_origins && !origins_are_all(request->cors_origins)) {
        judge_listed_origin(request, origin);
    } else if (is_origin(origin)) {
        request->allow_origin = "*";
        request->origin_class = 1;
    }
}

static bool is_plain_id(const char *text)
{
    size_t length = strlen(text);

    return length > 0 && length < sizeof(((struct http_request *)NULL)->id) &&
           strspn(text,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:=+/") ==
               length;
}

/* Which of two would be meant? */
static const char *only(const struct http_request *request, enum http_header_name header)
{
    return request->header_count[header] == 1 ? request->headers[header] : NULL;
}

static void name_request(struct http_request *request)
{
    const char *id = request->headers[HTTP_HEADER_REQUEST_ID];

    request->id_given = id && is_plain_id(id);
    if (request->id_given)
        memcpy(request->id, id, strlen(id) + 1);
    else
        random_fill_hex(request->id, HTTP_REQUEST_ID_LENGTH);
    http_trace_start(&request->trace, only(request, HTTP_HEADER_TRACE_PARENT),
                     only(request, HTTP_HEADER_AMZN_TRACE_ID));
}

/* Of a colon and digits; 0 without them. */
static size_t port_length(const char *text)
{
    size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;

    return digits > 0 ? 1 + digits : 0;
}

/* Leaves what may be believed; X-Forwarded-Host takes the place of the target's authority. */
static void judge_forwarded(struct http_request *request)
{
    bool is_set = request->trusted_proxies && request->trusted_proxies->count > 0;
    size_t length;
    const char *hosts = request->headers[HTTP_HEADER_FORWARDED_HOST];
    const char *host = text_list_item(hosts ? hosts : "", &length);
    size_t host_length = text_host_length(host);

    if (is_set && !request->is_from_proxy) {
        request->headers[HTTP_HEADER_FORWARDED_PROTO] = NULL;
        request->headers[HTTP_HEADER_FORWARDED_SSL] = NULL;
    }
    if (!request->is_from_proxy || host_length == 0 ||
        host_length + port_length(host + host_length) != length)
        return;
    buffer_clear(&request->authority);
    buffer_append(&request->authority, host, length);
}

void http_request_finish_headers(struct http_request *request)
{
    judge_forwarded(request);
    if (request->authority.size > 0 &&
        (!request->http_1_1 || request->headers[HTTP_HEADER_HOST]))
        request->headers[HTTP_HEADER_HOST] = request->authority.data;
    judge_origin(request);
    request->gzip = http_gzip_negotiate(request->headers[HTTP_HEADER_ACCEPT_ENCODING]);
    name_request(request);
}

bool http_request_query(const struct http_request *request, const char *name,
                        struct buffer *value)
{
    const char *found = NULL;
    size_t length = 0;

    for (const char *part = request->query; part; part = *part ? part + 1 : NULL) {
        size_t part_length = strcspn(part, "&");
        const char *equals = memchr(part, '=', part_length);
        size_t name_length = equals ? (size_t)(equals - part) : part_length;
        if (is_encoded(part, name_length, name)) {
            found = part + name_length + (equals != NULL);
            length = part_length - (size_t)(found - part);
        }
        part += part_length;
        if (*part == '\0')
            break;
    }
    if (!found)
        return false;
    for (size_t piece; length > 0; found += piece, length -= piece) {
        const char *plus = memchr(found, '+', length);

        piece = plus ? (size_t)(plus - found) + 1 : length;
        http_percent_decode(value, found, piece - (plus != NULL));
        if (plus)
            buffer_append_char(value, ' ');
    }
    return true;
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
    if (length == 0 || port[port_length(port)] != '\0')
        return "The Host header is not a valid host name.";
    if (strlen(host) > limit)
        return "The Host header is too long.";
    if (!hosts_allow(allowed, host, length))
        return "The Host header names a host that is not served here.";
    return NULL;
}

void http_request_base_url(const struct http_request *request, const char *fallback_host,
                           struct buffer *out)
{
    const char *host = request->headers[HTTP_HEADER_HOST];
    const char *ssl = request->headers[HTTP_HEADER_FORWARDED_SSL];
    const char *protos = request->headers[HTTP_HEADER_FORWARDED_PROTO];
    size_t length;
    const char *proto = text_list_item(protos ? protos : "", &length);
    bool https = (length == 5 && strncasecmp(proto, "https", 5) == 0) ||
                 (ssl && strcasecmp(ssl, "on") == 0);

    buffer_append_text(out, https ? "https://" : "http://");
    buffer_append_text(out, host ? host : fallback_host);
}
