#ifndef TODO_VALIDATE_H
#define TODO_VALIDATE_H

/*
 * A todo's fields, in one table: what they are called, what they may hold, and their rules, by
 * which values as they came in become a change, or what is wrong with them. Pure. Rules and
 * texts: the API contract, section 8.
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
    struct todo_value of[TODO_FIELD_COUNT];
};

struct todo_problems;

struct todo_field {
    const char *name;              /* in JSON and in forms */
    const char *label;             /* for people */
    const char *type;              /* as OPTIONS calls it */
    const char *limits;            /* its further members there, each with a comma before */
    const char *input;             /* type of the HTML input */
    bool is_form_required;         /* a form wants something in it, the API doesn't */
    enum todo_value_type if_empty; /* what an empty text in a form means */
    void (*read)(const struct todo_value *value, struct todo_change *change,
                 struct todo_problems *problems);
};

extern const struct todo_field todo_fields[TODO_FIELD_COUNT];

/* Fills *change, which must be zero on entry, and returns true when every value is right. Else
 * appends to *problems a JSON object of lists of messages, the wrong fields in the order title,
 * completed, order. Without memory it returns false with problems->failed. */
bool todo_validate(const struct todo_values *values, struct todo_change *change,
                   struct buffer *problems);

#endif
