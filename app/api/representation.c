#include "api/call.h"
#include "http/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ID_DIGITS_MAX 19

void todo_call_add_form(const struct todo_call *call, char etag[HTTP_ETAG_SIZE])
{
    char form[24];

    if (call->representation.format.indent == 0)
        return;
    (void)snprintf(form, sizeof(form), "indent%u", call->representation.format.indent);
    http_etag_add_form(etag, form);
}

void todo_call_write_etags(const struct todo_call *call, const struct buffer *json,
                           char state[HTTP_ETAG_SIZE], char etag[HTTP_ETAG_SIZE])
{
    http_etag_write(state, json->data ? json->data : "", json->size);
    memcpy(etag, state, HTTP_ETAG_SIZE);
    todo_call_add_form(call, etag);
}

void todo_call_add_etag(struct http_response *response, const struct todo_call *call,
                        const char *etag)
{
    if (call->representation.format.media == HTTP_JSON)
        http_response_add_header(response, "ETag", etag);
}

void todo_call_render(struct http_response *response, const struct todo_call *call,
                      struct buffer *json, char *etag)
{
    http_render_json(response, &call->representation.format, json);
    if (response->is_gzipped && etag)
        http_etag_add_form(etag, "gzip");
}

/* Of the ids: in order of id, one of the ends has the most. */
static size_t count_digits(const struct todo_list *list)
{
    int first = snprintf(NULL, 0, "%" PRId64, list->todos[0].id);
    int last = snprintf(NULL, 0, "%" PRId64, list->todos[list->count - 1].id);

    return (size_t)(first > last ? first : last);
}

/* So many todos with so many bytes of text, as JSON or as a page. As a page, each todo is about
 * six times as long; indented, it has six lines, four of them two levels deep. While gzip is
 * made, both forms are there. */
static size_t estimate_size(const struct todo_call *call, size_t count, size_t text_size,
                            size_t digits)
{
    static const char todo[] = ",{\"url\":\"/todos/\",\"title\":\"\","
                               "\"completed\":false,\"order\":-2147483648}";
    const struct http_format *format = &call->representation.format;
    size_t size = text_size + count * (strlen(call->base_url) + digits + sizeof(todo));

    if (format->media == HTTP_HTML)
        size *= 6;
    else if (format->indent > 0)
        size = 2 * size + count * 10 * (format->indent + 1);
    return http_exchange_request(call->exchange)->gzip >= HTTP_GZIP_LARGE ? size + size / 4
                                                                          : size;
}

size_t todo_call_list_size(const struct todo_call *call)
{
    const struct todo_list *list = call->operation.list;

    if (call->operation.kind != TODO_LIST || list->count == 0)
        return 0;
    return estimate_size(call, list->count, list->text_size, count_digits(list));
}

size_t todo_call_answer_size(const struct todo_call *call)
{
    return estimate_size(call, call->edits.count, call->edits.count * TODO_TITLE_SIZE,
                         ID_DIGITS_MAX);
}
