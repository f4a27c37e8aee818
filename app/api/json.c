#include "api/json.h"

void todo_json_append_url(struct buffer *out, const char *base_url, int64_t id,
                          enum todo_url_format format)
{
    buffer_append_text(out, base_url);
    buffer_append_text(out, "/todos/");
    buffer_append_signed(out, id);
    buffer_append_text(out, todo_url_suffix(format));
}

void todo_json_append(struct buffer *out, const struct todo *todo, const char *base_url)
{
    buffer_append_text(out, "{\"url\":\"");
    /* nothing to escape: a base URL is made of host name characters */
    todo_json_append_url(out, base_url, todo->id, todo->url_format);
    buffer_append_text(out, "\",\"title\":");
    if (todo->title)
        buffer_append_json(out, todo->title, todo->title_length);
    else
        buffer_append_text(out, "null");
    buffer_append_text(out, todo->completed ? ",\"completed\":true,\"order\":"
                                            : ",\"completed\":false,\"order\":");
    if (todo->has_order)
        buffer_append_signed(out, todo->order);
    else
        buffer_append_text(out, "null");
    buffer_append_char(out, '}');
}

void todo_json_append_list(struct buffer *out, const struct todo_list *list,
                           const char *base_url)
{
    buffer_append_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buffer_append_char(out, ',');
        todo_json_append(out, &list->todos[i], base_url);
    }
    buffer_append_char(out, ']');
}
