#include "todo/query.h"

const char *const todo_sort_names[TODO_SORT_FIELD_COUNT] = {
    [TODO_SORT_ID] = "id",
    [TODO_SORT_COMPLETED] = "completed",
    [TODO_SORT_ORDER] = "order",
};

struct todo_place todo_query_place(const struct todo_query *query, const struct todo *todo)
{
    const int64_t values[TODO_SORT_FIELD_COUNT] = {
        [TODO_SORT_ID] = todo->id,
        [TODO_SORT_COMPLETED] = todo->completed,
        [TODO_SORT_ORDER] = todo->has_order ? todo->order : 0,
    };
    struct todo_place place = {0};

    for (size_t i = 0; i < query->sort_count; i++) {
        enum todo_sort_field field = query->sorts[i].field;

        place.values[i] = values[field];
        place.are_null[i] = field == TODO_SORT_ORDER && !todo->has_order;
    }
    return place;
}

bool todo_query_finish(const struct todo_query *query, struct todo_list *list)
{
    bool has_more = query->limit > 0 && list->count > query->limit;

    if (has_more)
        list->count = query->limit;
    for (size_t i = 0; query->is_backward && i < list->count / 2; i++) {
        struct todo *first = &list->todos[i];
        struct todo *last = &list->todos[list->count - 1 - i];
        struct todo kept = *first;

        *first = *last;
        *last = kept;
    }
    return has_more;
}
