#ifndef API_INPUT_JSON_H
#define API_INPUT_JSON_H

/*
 * A JSON text (RFC 8259) -> a todo's change. Pure.
 */

#include "base/buffer.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads `text`, which should be UTF-8 and may nest `depth` levels, into *change, which must be
 * zero on entry. False with *problems holding the JSON body of a 400 response, or nothing when
 * memory ran out. */
bool input_json_read(const char *text, size_t size, unsigned depth, struct todo_change *change,
                     struct buffer *problems);

#endif
