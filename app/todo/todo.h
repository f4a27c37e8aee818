#ifndef TODO_TODO_H
#define TODO_TODO_H

/*
 * What a todo is. Pure values, no database and no HTTP.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TODO_TITLE_MAX  256                      /* code points, the column's width */
#define TODO_TITLE_SIZE (TODO_TITLE_MAX * 4 + 1) /* bytes of one in UTF-8, and a NUL */
#define TODO_ID_MAX     INT64_MAX

/* A todo that was created with ?format= keeps that in its url, as the original had it. */
enum todo_url_format {
    TODO_URL_PLAIN,        /* http://host/todos/7 */
    TODO_URL_FORMAT_EMPTY, /* ...?format= */
    TODO_URL_FORMAT_JSON,
    TODO_URL_FORMAT_API,
};

/* What follows the id in the url. */
const char *todo_url_suffix(enum todo_url_format format);

/* The format of a url, or of the query alone (from its `?`); plain when it has none of the
 * known suffixes. NULL is plain. */
enum todo_url_format todo_url_format(const char *url);

/* `title` is UTF-8 and NULL for null; who owns its bytes is said where a todo is handed over.
 */
struct todo {
    int64_t id;
    const char *title;
    size_t title_length; /* bytes; a title can't hold U+0000, but length saves counting */
    int64_t order;
    enum todo_url_format url_format;
    bool completed;
    bool has_order; /* false: order is null */
};

/* The fields that a client can set, in the order in which they are told of. */
enum todo_field_id {
    TODO_TITLE,
    TODO_COMPLETED,
    TODO_ORDER,
    TODO_FIELD_COUNT,
};

/* What a request wants to set. A field that is not `set` stays as it is (update) or gets its
 * default (create). Owns its bytes, so that it can outlive the request that it came in. */
struct todo_change {
    bool title_set;
    bool title_null;
    size_t title_length;
    char title[TODO_TITLE_SIZE]; /* followed by a NUL */
    bool completed_set;
    bool completed;
    bool order_set;
    bool order_null;
    int64_t order;
};

/* Writes the fields that `change` sets into *todo. The title is borrowed from `change`. */
void todo_apply(struct todo *todo, const struct todo_change *change);

#endif
