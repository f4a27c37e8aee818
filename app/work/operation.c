#include "work/operation.h"

enum todo_outcome todo_outcome_of(const struct error *err)
{
    if (err->code == ERROR_OUTCOME_UNKNOWN)
        return TODO_OUTCOME_UNKNOWN;
    if (err->code == ERROR_SYSTEM)
        return TODO_OUT_OF_MEMORY;
    if (err->code == ERROR_UNAVAILABLE || err->code == ERROR_CONFLICT)
        return TODO_UNAVAILABLE;
    return TODO_FAILED;
}
