#ifndef WORK_OPERATION_H
#define WORK_OPERATION_H

/*
 * One thing to do with the todos, and how it went.
 */

#include "base/error.h"
#include "todo/todo.h"
#include "work/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum todo_operation_kind {
    TODO_LIST,
    TODO_FETCH,
    TODO_CREATE,
    TODO_UPDATE,
    TODO_DELETE,
    TODO_CLEAR,
};

enum todo_outcome {
    TODO_DONE,
    TODO_NOT_FOUND,
    TODO_UNAVAILABLE,     /* no database; nothing was changed */
    TODO_TIMED_OUT,       /* not begun within its time; nothing was changed */
    TODO_OUTCOME_UNKNOWN, /* begun, and whether the change was made is not known */
    TODO_OUT_OF_MEMORY,   /* or more todos than there is memory for */
    TODO_FAILED,          /* the database refused; nothing was changed */
};

/* One thing to do. The caller fills the first part; embed it in what is needed to answer. */
struct todo_operation {
    enum todo_operation_kind kind;
    uint32_t id;                      /* of fetch, update and delete */
    const struct todo_change *change; /* of create and update */
    const char *base_url;             /* of create, see struct todo_insert */
    enum todo_url_format url_format;  /* of create */
    uint64_t deadline;                /* clock_now() of the latest answer */

    /* Set for the call of `complete`, and valid during it. */
    enum todo_outcome outcome;
    struct todo todo;             /* of fetch, create and update, when done */
    const struct todo_list *list; /* of list, when done; the same for all of a flight */

    /* The queue's own. */
    bool answered;
    struct todo_operation *next;
};

/* How an operation went that failed with this error. */
enum todo_outcome todo_outcome_of(const struct error *err);

/* Takes the operations of a flight or batch that have their results. These are valid during the
 * call only. */
typedef void todo_answer(void *context, struct todo_operation *const *operations, size_t count);

/* Makes one look at the database for all of these reads (list, fetch): all get an answer from
 * the same state. `list` is memory to work with. */
void todo_flight_run(const struct todo_store_handle *handle,
                     struct todo_operation *const *operations, size_t count,
                     struct todo_list *list, todo_answer *answer, void *context);

/* Makes one transaction of these writes (create, update, delete), in their order; a clear has
 * one of its own. When the database refuses it, each is tried alone, so that one never fails
 * another. What the database rolled back is tried again; after a connection lost during a
 * commit nothing is. */
void todo_batch_run(const struct todo_store_handle *handle,
                    struct todo_operation *const *operations, size_t count,
                    struct todo_list *list, todo_answer *answer, void *context);

#endif
