/* A request's headers, and what the guard lets through. Input: a line of target and version, a
 * line for each header. */

#include "fuzz.h"
#include "http/guard.h"
#include "http/request.h"

#include <ctype.h>
#include <strings.h>

#define FIELDS_MAX (HTTP_FIELDS_MAX + 10)
#define HOST_LIMIT 200

struct field {
    char *name; /* the whole line's memory */
    const char *value;
};

static void split(struct field *field, char *line)
{
    char *colon = strchr(line, ':');

    field->name = line;
    field->value = colon ? colon + 1 : "";
    if (colon)
        *colon = '\0';
}

/* What a request that was let through consists of: RFC 9110, sections 5.1 and 5.5. */
static void check_field(const struct field *field)
{
    assert(*field->name);
    for (const char *byte = field->name; *byte; byte++)
        assert(isalnum((unsigned char)*byte) || strchr("!#$%&'*+-.^_`|~", *byte));
    for (const char *byte = field->value; *byte; byte++)
        assert(!iscntrl((unsigned char)*byte) || *byte == '\t');
}

static unsigned count(const struct field *fields, size_t field_count, const char *name)
{
    unsigned found = 0;

    for (size_t i = 0; i < field_count; i++)
        found += strcasecmp(fields[i].name, name) == 0;
    return found;
}

static void check_passed(const struct http_request *request, const struct field *fields,
                         size_t field_count)
{
    const char *length = request->headers[HTTP_HEADER_CONTENT_LENGTH];
    const char *encoding = request->headers[HTTP_HEADER_TRANSFER_ENCODING];
    unsigned hosts = count(fields, field_count, "host");

    assert(field_count <= HTTP_FIELDS_MAX && request->head_size <= HTTP_HEAD_SIZE_MAX);
    for (size_t i = 0; i < field_count; i++)
        check_field(&fields[i]);
    assert(hosts <= 1 && (hosts == 1 || !request->http_1_1));
    assert(count(fields, field_count, "content-length") == (length ? 1 : 0));
    assert(count(fields, field_count, "transfer-encoding") == (encoding ? 1 : 0));
    assert(!length || !encoding);
    assert(!length || (*length && !length[strspn(length, "0123456789")]));
    assert(!encoding || (request->http_1_1 && strcasecmp(encoding, "chunked") == 0));
}

static void check_id(const struct http_request *request)
{
    size_t length = strlen(request->id);

    assert(length > 0 && length < sizeof(request->id));
    for (size_t i = 0; i < length; i++)
        assert(isgraph((unsigned char)request->id[i]) && !strchr("\"\\<>&%", request->id[i]));
    assert(!request->id_given ||
           strcmp(request->id, request->headers[HTTP_HEADER_REQUEST_ID]) == 0);
}

/* A host that is good goes into links: nothing in it may end a text or begin a path. */
static void check_host(const struct http_request *request)
{
    struct buffer url = {0};
    const char *host;

    if (http_host_problem(request, "*", HOST_LIMIT)) {
        assert(http_host_problem(request, "example.com,.a", HOST_LIMIT));
        return;
    }
    http_request_base_url(request, "fallback", &url);
    assert(strncmp(url.data, "http", 4) == 0);
    host = strstr(url.data, "://") + 3;
    assert(*host && strlen(host) <= HOST_LIMIT);
    for (; *host; host++)
        assert(isalnum((unsigned char)*host) || strchr("-._:[]", *host));
    buffer_release(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *target = fuzz_line(&input);
    char *version = strrchr(target, ' ');
    struct http_request request = {.head_size = size};
    struct field fields[FIELDS_MAX];
    size_t field_count = 0;
    unsigned status = 0;

    if (version)
        *version++ = '\0';
    assert(http_request_set_target(&request, target));
    assert(http_request_start(&request, "GET", version ? version : "HTTP/1.1"));
    for (; input.size > 0 && field_count < FIELDS_MAX; field_count++) {
        split(&fields[field_count], fuzz_line(&input));
        http_request_add_header(&request, fields[field_count].name, fields[field_count].value);
    }
    http_request_finish_headers(&request);
    if (!http_guard_problem(&request, &status))
        check_passed(&request, fields, field_count);
    else
        assert(status == 400 || status == 414 || status == 431);
    check_id(&request);
    check_host(&request);
    http_request_release(&request);
    while (field_count > 0)
        free(fields[--field_count].name);
    free(target);
    return 0;
}
