#ifndef TODO_QUERY_H
#define TODO_QUERY_H

/*
 * Which todos of all, in which order, how many, and from where on. Pure values. A place in an
 * order is the values that the todo there is sorted by, never a number of rows: so what is
 * added or removed between two pages makes no other todo appear twice or not at all.
 */

#include "todo/list.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TODO_LIMIT_MAX 1000
#define TODO_SEARCH_MAX                                                                        \
    100 /* code points: a page's links repeat it three times in a header                       \
         */

/* What todos can be sorted by. An order that is null comes before every number, as in both
 * databases. */
enum todo_sort_field {
    TODO_SORT_ID,
    TODO_SORT_COMPLETED,
    TODO_SORT_ORDER,
    TODO_SORT_FIELD_COUNT,
};

extern const char *const todo_sort_names[TODO_SORT_FIELD_COUNT];

struct todo_sort {
    enum todo_sort_field field;
    bool is_descending;
};

struct todo_place {
    int64_t values[TODO_SORT_FIELD_COUNT]; /* one for each of the query's sorts */
    bool are_null[TODO_SORT_FIELD_COUNT];
};

struct todo_query {
    const char *key; /* borrowed; queries of the same key are the same */
    size_t limit;    /* todos, up to TODO_LIMIT_MAX; 0: all */
    bool has_completed;
    bool completed;
    bool has_place;
    bool is_backward; /* those before the place, else those after it */
    struct todo_place place;
    struct todo_sort sorts[TODO_SORT_FIELD_COUNT]; /* the last one is by id */
    size_t sort_count;
    size_t search_length;                 /* bytes; 0: whatever the title is */
    char search[TODO_SEARCH_MAX * 4 + 1]; /* UTF-8 that the title must contain */
};

/* Where the todo stands in the query's order. */
struct todo_place todo_query_place(const struct todo_query *query, const struct todo *todo);

/* Of a list as a store gives it: in the order in which it was looked for, which of a backward
 * query is from its end, and with one todo beyond the limit if there are more. Puts it in order
 * and gives whether there are more. The list must be complete. */
bool todo_query_finish(const struct todo_query *query, struct todo_list *list);

#endif
