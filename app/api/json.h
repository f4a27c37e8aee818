#ifndef API_JSON_H
#define API_JSON_H

/* A todo as JSON, compact, its four keys always in this order: url, title, completed, order. */

#include "base/buffer.h"
#include "todo/list.h"
#include "todo/todo.h"

void todo_json_append_url(struct buffer *out, const char *base_url, int64_t id,
                          enum todo_url_format format);
void todo_json_append(struct buffer *out, const struct todo *todo, const char *base_url);
void todo_json_append_list(struct buffer *out, const struct todo_list *list,
                           const char *base_url);

#endif
