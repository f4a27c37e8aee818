#include "work/operation.h"

#include "base/clock.h"

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
