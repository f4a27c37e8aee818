#include "work/operation.h"

#include "base/clock.h"

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

void todo_measure_trip(enum metrics_kind kind, size_t count, uint64_t began,
                       const struct error *err)
{
    if (err->code == ERROR_UNAVAILABLE)
        return;
    metrics_observe(METRICS_DB_TRIP, kind, clock_now() - began);
    metrics_observe(METRICS_DB_BATCH, kind, count);
}
