#include "base/clock.h"
#include "base/metrics.h"
#include "work/operation.h"
#include "work/outage.h"

#include <stdlib.h>

#define TRIES_MOST 3

/* The ids of all fetches, sorted and distinct. The caller frees them. NULL without memory. */
static int64_t *collect_ids(struct todo_operation *const *operations, size_t count,
                            size_t *id_count)
{
    int64_t *ids = malloc(count * sizeof(*ids));

    if (!ids)
        return NULL;
    for (size_t i = 0; i < count; i++)
        ids[i] = operations[i]->id;
    *id_count = todo_ids_sort(ids, count);
    return ids;
}

static bool has_kind(struct todo_operation *const *operations, size_t count,
                     enum todo_operation_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i]->kind == kind)
            return true;
    return false;
}

static bool look(const struct todo_store_handle *handle,
                 struct todo_operation *const *operations, size_t count, bool with_list,
                 struct todo_list *list, struct error *err)
{
    size_t id_count = 0;
    int64_t *ids;
    bool ok;

    todo_list_clear(list);
    /* the list holds what the fetches ask for, too */
    if (with_list)
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

/* What fails a look is no single request's fault. */
static void note(const struct todo_store_handle *handle,
                 struct todo_operation *const *operations, size_t count,
                 const struct error *err)
{
    struct error noted = *err;

    for (size_t i = 0; i < count; i++) {
        if (operations[i]->is_look &&
            (err->code == ERROR_DATABASE || err->code == ERROR_CONFLICT))
            noted.code = ERROR_UNAVAILABLE;
    }
    todo_outage_note(handle->outage, TODO_READS, &noted);
}

/* Again after a connection that was found dead, and after a busy SQLite file. */
static bool look_with_retries(const struct todo_store_handle *handle,
                              struct todo_operation *const *operations, size_t count,
                              bool with_list, struct todo_list *list, struct error *err)
{
    for (unsigned tries = 0; tries < TRIES_MOST; tries++) {
        uint64_t began = clock_now();
        bool ok;

        *err = (struct error){0};
        ok = look(handle, operations, count, with_list, list, err);
        todo_measure_trip(METRICS_READ, count, began, err);
        if (ok || (err->code != ERROR_UNAVAILABLE && err->code != ERROR_CONFLICT))
            break;
    }
    note(handle, operations, count, err);
    return err->code == ERROR_NONE;
}

void todo_flight_run(const struct todo_store_handle *handle,
                     struct todo_operation *const *operations, size_t count,
                     struct todo_list *list, todo_answer *answer, void *context)
{
    bool with_list = has_kind(operations, count, TODO_LIST);
    struct error err = {0};
    bool ok = look_with_retries(handle, operations, count, with_list, list, &err);
    enum todo_outcome list_outcome = ok ? TODO_DONE : todo_outcome_of(&err);

    /* a list that is too large is no reason to refuse a single todo */
    if (list_outcome == TODO_OUT_OF_MEMORY && with_list &&
        has_kind(operations, count, TODO_FETCH))
        ok = look_with_retries(handle, operations, count, false, list, &err);
    for (size_t i = 0; i < count; i++) {
        if (operations[i]->kind == TODO_LIST && list_outcome != TODO_DONE)
            operations[i]->outcome = list_outcome;
        else if (ok)
            set_result(operations[i], list);
        else
            operations[i]->outcome = todo_outcome_of(&err);
    }
    answer(context, operations, count);
}
