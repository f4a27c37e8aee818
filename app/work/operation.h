#ifndef WORK_OPERATION_H
#define WORK_OPERATION_H

/*
 * One thing to do with the todos, and how it went.
 */

#include "base/error.h"
#include "base/metrics.h"
#include "base/trip.h"
#include "todo/edits.h"
#include "todo/todo.h"
#include "work/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum todo_operation_kind {
    TODO_LIST,
    TODO_FETCH,
    TODO_FETCH_MANY, /* gives a list that holds those of the ids that there are, and perhaps
                        others */
    TODO_CREATE,
    TODO_UPDATE,
    TODO_DELETE,
    TODO_CLEAR,
    TODO_CHECK, /* whether a change would be made; changes nothing */
};

enum todo_outcome {
    TODO_DONE,
    TODO_NOT_FOUND,
    TODO_PRECONDITION_FAILED, /* its condition does not hold; nothing was changed */
    TODO_UNAVAILABLE,         /* no database; nothing was changed */
    TODO_TIMED_OUT,           /* not done within its time; nothing was changed, nor will be */
    TODO_OUTCOME_UNKNOWN,     /* its commit was begun, and what came of that is not known */
    TODO_OUT_OF_MEMORY,       /* or more todos than there is memory for */
    TODO_BEYOND_LIMIT,        /* of the database: ERROR_LIMIT; nothing was changed */
    TODO_REFUSED,             /* the database doesn't take these values; nothing was changed */
    TODO_FAILED,              /* it can't, for a reason of its own; nothing was changed */
    TODO_KEY_REUSED,          /* its key was used for another creation; nothing was changed */
    TODO_KEY_IN_USE,          /* what may be its first try is not over; nothing was changed */
};

struct todo_operation;

/* Whether a change may be made: TODO_DONE, TODO_PRECONDITION_FAILED, or TODO_OUT_OF_MEMORY. Of
 * an update of one or a delete it judges the todo, of all else all todos; the other one is
 * NULL. They are locked until the end of the transaction, and are as the changes that came
 * before have left them. Called on a worker's thread, and again with each try. */
typedef enum todo_outcome todo_condition(struct todo_operation *operation,
                                         const struct todo *todo, const struct todo_list *list);

/* One thing to do. The caller fills the first part; embed it in what is needed to answer. */
struct todo_operation {
    enum todo_operation_kind kind;
    int64_t id;                       /* of fetch, update and delete */
    const struct todo_query *query;   /* of list; NULL: all todos */
    const int64_t *ids;               /* of fetch_many, any order */
    size_t id_count;                  /* at least 1 */
    const struct todo_change *change; /* of create and update, of one */
    struct todo_edits *edits;        /* of create and update, of many, all or none; else NULL */
    todo_condition *condition;       /* of create, update, delete and clear; NULL: none */
    const char *base_url;            /* of create, see struct todo_insert */
    enum todo_url_format url_format; /* of create */
    const struct todo_key *key;      /* of create; NULL: done as often as it is asked for */
    uint64_t asked_at;               /* clock_now(), and */
    uint64_t deadline;               /* that of the latest answer */
    char traceparent[56];            /* for the database to see; empty: nothing */
    bool is_probe;                   /* of /readyz: comes before all that wait, however many */

    /* Set for the call of `complete`, and valid during it. */
    struct trip trip;
    enum todo_outcome outcome;
    struct todo todo; /* of fetch, create and update, when done; of a condition that failed */
    size_t missing;   /* of an update of many, when not found: the first's place */
    bool is_replayed; /* the todo was created before, with the same key */
    const struct todo_list *list; /* of list and fetch_many, when done; that of the look */
    bool has_more;                /* of list with a limit: todos further on */

    /* The queue's and the batch's own. */
    bool answered;
    bool is_handed_over; /* to the finisher */
    bool is_committing;  /* what becomes of it is not known until that is over */
    unsigned conflicts;  /* tries that met a lock of somebody else */
    uint64_t not_before; /* clock_now() of the next try, of a change that no batch answered */
    struct todo_operation *next;
    struct todo_operation *twin; /* comes first in the same transaction, with the key */
};

/* A kind is one of these, or a check, which is neither. */
bool todo_operation_is_read(const struct todo_operation *operation);
bool todo_operation_is_change(const struct todo_operation *operation);

/* How many todos it creates or changes. */
size_t todo_operation_size(const struct todo_operation *operation);

/* What the nth of these is after it, when done. */
struct todo *todo_operation_result(struct todo_operation *operation, size_t nth);

/* Makes of *todo what the nth of a create is to be; its id is not known. */
void todo_operation_create(struct todo_operation *operation, size_t nth, struct todo *todo);

/* It is asked now, and must be answered within so many seconds. */
void todo_operation_start(struct todo_operation *operation, enum todo_operation_kind kind,
                          unsigned seconds);

/* How an operation went that failed with this error. */
enum todo_outcome todo_outcome_of(const struct error *err);

/* For which operation's trace what follows is, as the database is told; NULL: for none. */
void todo_say_trace(const struct todo_store_handle *handle,
                    const struct todo_operation *operation);

/* A trip to the database for these operations begins: it says for which trace. That of the
 * first counts, which has waited longest: with all of them, a statement for many would be
 * longer than what a database keeps of it. Returns clock_now(). */
uint64_t todo_begin_trip(const struct todo_store_handle *handle,
                         struct todo_operation *const *operations);

/* It has ended, and each operation has it. One that didn't come to the database is not counted.
 * `with_list`: what fetches wanted was in the list. */
void todo_end_trip(const struct todo_store_handle *handle,
                   struct todo_operation *const *operations, size_t count, bool with_list,
                   uint64_t began, const struct error *err);

/* Takes the operations of a flight or batch that have their results. These are valid during the
 * call only. */
typedef void todo_answer(void *context, struct todo_operation *const *operations, size_t count);

/* Makes one look at the database for all of these reads (list, fetch, fetch_many) but queries:
 * they all get an answer from the same state. Then each different query is asked once. Of those
 * that search, which reads every todo, no more than one is: the others are left without an
 * answer, for the next flight. `list` is memory to work with; it is empty, or another's, when
 * `answer` was called. */
void todo_flight_run(const struct todo_store_handle *handle,
                     struct todo_operation *const *operations, size_t count,
                     struct todo_list *list, todo_answer *answer, void *context);

struct todo_batch {
    const struct todo_store_handle *handle;
    struct todo_list *list; /* memory to work with */
    size_t most;            /* operations in one transaction, at least 1 */
    todo_answer *answer;

    /* Takes those out that were given up meanwhile, which are not done any more, and gives how
     * many are left, in their order. */
    size_t (*keep)(void *context, struct todo_operation **operations, size_t count);
    /* Comes before a commit: from now on, until the answer or the next `keep`, whoever gives
     * one of these up must take its outcome for unknown. False, and nothing has changed, when
     * one was given up before. */
    bool (*claim)(void *context, struct todo_operation *const *operations, size_t count);
    void *context;
};

/* Makes one transaction of these writes (create, update, delete), in their order; a clear, and
 * with a condition a create and an update of many, have one of their own. A creation whose key
 * was used is not done again. When that fails, creates go first, and the changes in ever
 * smaller parts down to single ones, so that one never fails another. After a connection lost
 * during a commit, nothing is tried again.
 *
 * What meets a lock of somebody else keeps nobody else waiting: it is left without an answer,
 * to be part of a later batch, at `not_before`, before what came later. Until then others
 * overtake it, but none for the same todo does, and a clear overtakes nothing. */
void todo_batch_run(const struct todo_batch *batch, struct todo_operation *const *operations,
                    size_t count);

#endif
