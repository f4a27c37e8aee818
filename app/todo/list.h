#ifndef TODO_LIST_H
#define TODO_LIST_H

/* Many todos, in one piece of memory. Not shared between threads. */

#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Todos in order of id (or as a query wants them, see todo/query.h), with their titles in one
 * piece of memory. Zero is a valid start. */
struct todo_list {
    struct todo *todos; /* titles point into `text` once the list is complete */
    size_t count;
    size_t capacity;
    char *text;
    size_t text_size;
    size_t text_capacity;
    size_t limit; /* bytes of todos and text together, 0 for none: todo_list_add fails beyond */
};

void todo_list_release(struct todo_list *list);

/* Forgets the todos, keeps the memory unless it is much. */
void todo_list_clear(struct todo_list *list);

/* Copies the todo. False without memory, or beyond the limit. Until todo_list_complete, titles
 * can't be read. */
bool todo_list_add(struct todo_list *list, const struct todo *todo);
void todo_list_complete(struct todo_list *list);

/* The todo of this id, or NULL; of a list in order of id. */
struct todo *todo_list_find(const struct todo_list *list, int64_t id);

/* Sorts ids and drops repeated ones, as the calls below want them. Gives how many are left. */
size_t todo_ids_sort(int64_t *ids, size_t count);

#endif
