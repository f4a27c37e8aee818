#ifndef TODO_EDITS_H
#define TODO_EDITS_H

/* Many changes that are made together, each in little memory. Not shared between threads. */

#include "base/buffer.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>

#define TODO_EDITS_MOST 1000 /* in one request */

/* What is to be set, and afterwards what the todo is then: trying again reads only what is
 * `set`, and that is the same. */
struct todo_edit {
    struct todo todo; /* its id is that of the todo to be changed */
    bool title_set;
    bool completed_set;
    bool order_set;
};

/* Zero has none. */
struct todo_edits {
    struct todo_edit *edits;
    size_t count;
    size_t capacity;
    struct buffer titles;
};

/* Empty, with room for so many; false without memory. */
bool todo_edits_init(struct todo_edits *edits, size_t capacity);
void todo_edits_release(struct todo_edits *edits);

/* Copies the change, as far as there is room. Until todo_edits_complete, titles can't be read;
 * that is false without memory. */
void todo_edits_add(struct todo_edits *edits, int64_t id, const struct todo_change *change);
bool todo_edits_complete(struct todo_edits *edits);

/* Bytes that they take. */
size_t todo_edits_size(const struct todo_edits *edits);

/* Sets in *todo what is to be set, and keeps what it is then. */
void todo_edit_apply(struct todo_edit *edit, struct todo *todo);

#endif
