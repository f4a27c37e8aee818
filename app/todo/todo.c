#include "todo/todo.h"

#include <string.h>

static const char *const url_suffixes[] = {
    [TODO_URL_PLAIN] = "",
    [TODO_URL_FORMAT_EMPTY] = "?format=",
    [TODO_URL_FORMAT_JSON] = "?format=json",
    [TODO_URL_FORMAT_API] = "?format=api",
};

const char *todo_url_suffix(enum todo_url_format format)
{
    return url_suffixes[format];
}

enum todo_url_format todo_url_format(const char *url)
{
    const char *suffix = url ? strchr(url, '?') : NULL;

    for (size_t i = TODO_URL_FORMAT_EMPTY;
         suffix && i < sizeof(url_suffixes) / sizeof(*url_suffixes); i++)
        if (strcmp(suffix, url_suffixes[i]) == 0)
            return (enum todo_url_format)i;
    return TODO_URL_PLAIN;
}

void todo_apply(struct todo *todo, const struct todo_change *change)
{
    if (change->title_set) {
        todo->title = change->title_null ? NULL : change->title;
        todo->title_length = change->title_null ? 0 : change->title_length;
    }
    if (change->completed_set)
        todo->completed = change->completed;
    if (change->order_set) {
        todo->has_order = !change->order_null;
        todo->order = change->order_null ? 0 : change->order;
    }
}
