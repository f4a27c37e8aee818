#include "todo/edits.h"

#include <stdlib.h>

bool todo_edits_init(struct todo_edits *edits, size_t capacity)
{
    *edits = (struct todo_edits){.capacity = capacity};
    edits->edits = calloc(capacity, sizeof(*edits->edits));
    return edits->edits != NULL;
}

void todo_edits_release(struct todo_edits *edits)
{
    free(edits->edits);
    buffer_release(&edits->titles);
    *edits = (struct todo_edits){0};
}

void todo_edits_add(struct todo_edits *edits, int64_t id, const struct todo_change *change)
{
    struct todo_edit *edit = &edits->edits[edits->count];

    if (edits->count == edits->capacity)
        return;
    edits->count++;
    edit->title_set = change->title_set;
    edit->completed_set = change->completed_set;
    edit->order_set = change->order_set;
    todo_apply(&edit->todo, change);
    edit->todo.id = id;
    if (edit->todo.title)
        buffer_append(&edits->titles, change->title, change->title_length + 1);
}

bool todo_edits_complete(struct todo_edits *edits)
{
    const char *title = edits->titles.data;

    if (edits->titles.failed)
        return false;
    /* only now: they may have moved while they grew */
    for (size_t i = 0; i < edits->count; i++) {
        struct todo *todo = &edits->edits[i].todo;

        if (!todo->title)
            continue;
        todo->title = title;
        title += todo->title_length + 1;
    }
    return true;
}

size_t todo_edits_size(const struct todo_edits *edits)
{
    return edits->capacity * sizeof(*edits->edits) + edits->titles.capacity;
}

void todo_edit_apply(struct todo_edit *edit, struct todo *todo)
{
    if (edit->title_set) {
        todo->title = edit->todo.title;
        todo->title_length = edit->todo.title_length;
    }
    if (edit->completed_set)
        todo->completed = edit->todo.completed;
    if (edit->order_set) {
        todo->has_order = edit->todo.has_order;
        todo->order = edit->todo.order;
    }
    edit->todo = *todo;
}
