#include "base/log.h"
#include "todo/operation.h"

#include <stdlib.h>

#define TRIES_MOST 3

static int compare_ids(const void *left, const void *right)
{
    uint32_t one = *(const uint32_t *)left;
    uint32_t other = *(const uint32_t *)right;

    return (one > other) - (one < other);
}

/* The ids of all fetches, sorted and distinct. The caller frees them. NULL without memory. */
static uint32_t *collect_ids(struct todo_operation *const *operations, size_t count,
                             size_t *id_count)
{
    uint32_t *ids = malloc(count * sizeof(*ids));
    size_t distinct = 0;

    if (!ids)
        return NULL;
    for (size_t i = 0; i < count; i++)
        ids[i] = operations[i]->id;
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (distinct == 0 || ids[i] != ids[distinct - 1])
            ids[distinct++] = ids[i];
    *id_count = distinct;
    return ids;
}

static bool has_list(struct todo_operation *const *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i]->kind == TODO_LIST)
            return true;
    return false;
}

static bool look(const struct todo_store_handle *handle,
                 struct todo_operation *const *operations, size_t count, struct todo_list *list,
                 struct error *err)
{
    size_t id_count = 0;
    uint32_t *ids;
    bool ok;

    todo_list_clear(list);
    /* the list holds what the fetches ask for, too */
    if (has_list(operations, count))
        return handle->driver->list(handle->store, list, err);
    ids = collect_ids(operations, count, &id_count);
    if (!ids)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    ok = handle->driver->fetch(handle->store, ids, id_count, list, err);
    free(ids);
    return ok;
}

static void set_result(struct todo_operation *operation, const struct todo_list *list)
{
    const struct todo *todo;

    operation->outcome = TODO_DONE;
    if (operation->kind == TODO_LIST) {
        operation->list = list;
        return;
    }
    todo = todo_list_find(list, operation->id);
    if (todo)
        operation->todo = *todo;
    else
        operation->outcome = TODO_NOT_FOUND;
}

void todo_flight_run(const struct todo_store_handle *handle,
                     struct todo_operation *const *operations, size_t count,
                     struct todo_list *list, todo_answer *answer, void *context)
{
    struct error err = {0};
    bool ok = false;

    /* again after a connection that was found dead, and after a busy SQLite file */
    for (unsigned tries = 0; tries < TRIES_MOST && !ok; tries++) {
        err = (struct error){0};
        ok = look(handle, operations, count, list, &err);
        if (err.code != ERROR_UNAVAILABLE && err.code != ERROR_CONFLICT)
            break;
    }
    if (!ok)
        log_message(CONFIG_LOG_WARNING, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        if (ok)
            set_result(operations[i], list);
        else
            operations[i]->outcome = err.code == ERROR_UNAVAILABLE || err.code == ERROR_CONFLICT
                                         ? TODO_UNAVAILABLE
                                         : TODO_FAILED;
    }
    answer(context, operations, count);
}
