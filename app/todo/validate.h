#ifndef TODO_VALIDATE_H
#define TODO_VALIDATE_H

/*
 * The rules of a todo's fields: values as they came in -> a change, or what is wrong with them.
 * Pure. Rules and texts: the API contract, section 8.
 */

#include "base/buffer.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum todo_value_type {
    TODO_VALUE_ABSENT,
    TODO_VALUE_NULL,
    TODO_VALUE_TEXT,
    TODO_VALUE_INTEGER,
    TODO_VALUE_REAL,
    TODO_VALUE_BOOLEAN,
    TODO_VALUE_OTHER, /* an array, an object, a file: never right */
};

/* One value of a body, only the member that its type names is set. Owns nothing. */
struct todo_value {
    enum todo_value_type type;
    const char *text; /* TEXT: UTF-8, may hold U+0000 */
    size_t length;    /* bytes of text */
    int64_t integer;
    double real;
    bool boolean;
};

struct todo_values {
    struct todo_value title;
    struct todo_value completed;
    struct todo_value order;
};

/* Fills *change, which must be zero on entry, and returns true when every value is right. Else
 * appends to *problems a JSON object of lists of messages, the wrong fields in the order title,
 * completed, order. Without memory it returns false with problems->failed. */
bool todo_validate(const struct todo_values *values, struct todo_change *change,
                   struct buffer *problems);

#endif
