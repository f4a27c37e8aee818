#ifndef API_INPUT_JSON_H
#define API_INPUT_JSON_H

/*
 * A JSON text (RFC 8259) -> a todo's change. Pure.
 */

#include "base/buffer.h"
#include "todo/edits.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>

/* An array that is taken for many changes. */
struct input_many {
    size_t least;             /* elements that it must have; all must be objects */
    bool has_urls;            /* each says by its url which todo it is about */
    struct todo_edits *edits; /* that it is read into; empty if it isn't such an array */
    bool is_many;             /* set if it is one, good or not */
};

/* Reads `text`, which should be UTF-8 and may nest `depth` levels, into *change, which must be
 * zero on entry; or into `many`, unless that is NULL. False with *problems holding the JSON
 * body of a 400 response, or nothing when memory ran out. */
bool input_json_read(const char *text, size_t size, unsigned depth, struct todo_change *change,
                     struct input_many *many, struct buffer *problems);

#endif
