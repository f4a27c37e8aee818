#include "http/problem.h"

#include "http/json_text.h"
#include "http/status.h"

#include <string.h>

#define DEPTH_MOST 4

static const char detail_start[] = "{\"detail\":";

/* A path of a request's target is a URI reference but for bytes that should not be there. */
static void append_instance(struct buffer *out, const struct http_request *request)
{
    const char *target = request->target.data ? request->target.data : "";
    size_t length = strcspn(target, "?#");

    if (*target != '/')
        return;
    buffer_append_text(out, ",\"instance\":\"");
    for (size_t i = 0; i < length; i++) {
        char byte = target[i];

        if (byte > ' ' && byte < 0x7f && !strchr("\"\\<>^`{|}", byte))
            buffer_append_char(out, byte);
        else
            buffer_append_format(out, "%%%02X", (unsigned char)byte);
    }
    buffer_append_char(out, '"');
}

static void append_error(struct buffer *out, const struct http_request *request,
                         const struct buffer *pointer, const char *message, size_t size)
{
    bool is_parameter = request->method == HTTP_GET || request->method == HTTP_HEAD;

    buffer_append_text(out, is_parameter ? "{\"parameter\":\"" : "{\"pointer\":\"#");
    if (pointer->size > 0)
        buffer_append(out, pointer->data + is_parameter, pointer->size - is_parameter);
    buffer_append_text(out, "\",\"detail\":");
    buffer_append(out, message, size);
    buffer_append_char(out, '}');
}

/* Whether a key names a part of what was sent: else what it says is of the whole. */
static bool is_of_a_part(const char *key, size_t length)
{
    static const char *const others[] = {"non_field_errors", "detail"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (length == strlen(others[i]) && memcmp(key, others[i], length) == 0)
            return false;
    return true;
}

/* The text is ours, so its keys need no escaping, and it is no deeper. */
static void append_errors(struct buffer *out, const struct http_request *request,
                          const char *json, size_t size)
{
    struct buffer pointer = {0};
    size_t starts[DEPTH_MOST] = {0};
    size_t depth = 0;
    bool is_first = true;

    for (size_t i = 0; i < size; i++) {
        size_t end = json[i] == '"' ? json_text_string_end(json, size, i) : i + 1;

        if (json[i] == '{' && depth + 1 < DEPTH_MOST) {
            starts[++depth] = pointer.size;
        } else if (json[i] == '}' && depth > 0) {
            depth--;
        } else if (json[i] == '"' && end < size && json[end] == ':') {
            pointer.size = starts[depth];
            if (is_of_a_part(json + i + 1, end - i - 2)) {
                buffer_append_char(&pointer, '/');
                buffer_append(&pointer, json + i + 1, end - i - 2);
            }
        } else if (json[i] == '"') {
            buffer_append_text(out, is_first ? "" : ",");
            append_error(out, request, &pointer, json + i, end - i);
            is_first = false;
        }
        i = end - 1;
    }
    out->failed = out->failed || pointer.failed;
    buffer_release(&pointer);
}

void http_problem_append(struct buffer *out, const struct http_response *response,
                         const char *json, size_t size)
{
    const size_t start = sizeof(detail_start) - 1;
    bool is_detail =
        size > start && memcmp(json, detail_start, start) == 0 && json[start] == '"';

    buffer_append_format(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u",
                         http_status_text(response->status), response->status);
    append_instance(out, response->request);
    if (is_detail) { /* with all that follows it, up to the brace */
        buffer_append_text(out, ",\"detail\":");
        buffer_append(out, json + start, size - start);
        return;
    }
    buffer_append_format(out, ",\"detail\":\"%s\",\"errors\":[",
                         response->status == 404 ? "Not found."
                                                 : "What was sent is not valid.");
    append_errors(out, response->request, json, size);
    buffer_append_text(out, "]}");
}
