#include "work/operation.h"

#include "base/clock.h"

void todo_operation_start(struct todo_operation *operation, enum todo_operation_kind kind,
                          unsigned seconds)
{
    operation->kind = kind;
    operation->asked_at = clock_now();
    operation->deadline = operation->asked_at + (uint64_t)seconds * 1000000;
}

bool todo_operation_is_read(const struct todo_operation *operation)
{
    switch (operation->kind) {
    case TODO_LIST:
    case TODO_FETCH:
    case TODO_FETCH_MANY:
        return true;
    case TODO_CREATE:
    case TODO_UPDATE:
    case TODO_DELETE:
    case TODO_CLEAR:
    case TODO_CHECK:
        break;
    }
    return false;
}

bool todo_operation_is_change(const struct todo_operation *operation)
{
    return operation->kind != TODO_CHECK && !todo_operation_is_read(operation);
}

size_t todo_operation_size(const struct todo_operation *operation)
{
    return operation->edits ? operation->edits->count : 1;
}

struct todo *todo_operation_result(struct todo_operation *operation, size_t nth)
{
    return operation->edits ? &operation->edits->edits[nth].todo : &operation->todo;
}

void todo_operation_create(struct todo_operation *operation, size_t nth, struct todo *todo)
{
    struct todo created = {.url_format = operation->url_format};

    if (operation->edits)
        todo_edit_apply(&operation->edits->edits[nth], &created);
    else
        todo_apply(&created, operation->change);
    *todo = created;
}

enum todo_outcome todo_outcome_of(const struct error *err)
{
    if (err->code == ERROR_NONE)
        return TODO_DONE;
    if (err->code == ERROR_OUTCOME_UNKNOWN)
        return TODO_OUTCOME_UNKNOWN;
    if (err->code == ERROR_LIMIT)
        return TODO_BEYOND_LIMIT;
    if (err->code == ERROR_SYSTEM)
        return TODO_OUT_OF_MEMORY;
    if (err->code == ERROR_UNAVAILABLE || err->code == ERROR_CONFLICT ||
        err->code == ERROR_TAKEN)
        return TODO_UNAVAILABLE;
    return err->code == ERROR_REFUSED ? TODO_REFUSED : TODO_FAILED;
}

/* What a query is made of differs from one to the next: there is no text for it. */
static const char *statement_of(const struct todo_statements *statements,
                                const struct todo_operation *operation, bool with_list)
{
    switch (operation->kind) {
    case TODO_LIST:
        return operation->query ? NULL : statements->list;
    case TODO_FETCH:
    case TODO_FETCH_MANY:
        return with_list ? statements->list : statements->fetch;
    case TODO_CREATE:
        return statements->insert;
    case TODO_UPDATE:
        return todo_operation_size(operation) > 1 ? statements->update_many
                                                  : statements->update;
    case TODO_DELETE:
        return statements->delete;
    case TODO_CLEAR:
        return statements->clear;
    case TODO_CHECK:
        break;
    }
    return NULL;
}

void todo_say_trace(const struct todo_store_handle *handle,
                    const struct todo_operation *operation)
{
    const char *traceparent = operation ? operation->traceparent : "";

    if (handle->driver->set_trace)
        handle->driver->set_trace(handle->store, *traceparent ? traceparent : NULL);
}

uint64_t todo_begin_trip(const struct todo_store_handle *handle,
                         struct todo_operation *const *operations)
{
    todo_say_trace(handle, operations[0]);
    return clock_now();
}

void todo_end_trip(const struct todo_store_handle *handle,
                   struct todo_operation *const *operations, size_t count, bool with_list,
                   uint64_t began, const struct error *err)
{
    enum metrics_kind kind =
        todo_operation_is_read(operations[0]) ? METRICS_READ : METRICS_WRITE;
    uint64_t ended = clock_now();

    todo_say_trace(handle, NULL);
    for (size_t i = 0; i < count; i++)
        operations[i]->trip = (struct trip){
            .began = began,
            .ended = ended,
            .statement = statement_of(&handle->driver->statements, operations[i], with_list),
            .has_failed = err->code != ERROR_NONE && err->code != ERROR_TAKEN,
        };
    if (err->code == ERROR_UNAVAILABLE)
        return;
    metrics_observe(METRICS_DB_TRIP, kind, ended - began);
    metrics_observe(METRICS_DB_BATCH, kind, count);
}
