#ifndef WORK_QUEUE_H
#define WORK_QUEUE_H

/*
 * The work that waits for the database, and the threads that do it: reads fly together, writes
 * commit together.
 *
 * A reader takes all reads that are waiting and answers them from one look at the database. A
 * read that arrives meanwhile waits for the next flight, never joins the one in the air: so
 * every answer comes from a state no older than its question. The writer takes all writes that
 * are waiting, applies them in order of arrival in one transaction, and answers them when that
 * is committed, each with its own result. What finds its todo locked by somebody else is tried
 * again until its time is over, while the others go on. Nothing waits on purpose: a lone
 * operation starts at once. Making a page of many thousand todos takes longer than asking for
 * them: that is done by one more thread, while the reader flies on.
 */

#include "base/error.h"
#include "work/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct todo_queue;

struct todo_queue_settings {
    unsigned readers;  /* reading threads, each with a store of its own */
    size_t batch;      /* most operations in one flight or batch, at least 1 */
    size_t capacity;   /* most operations that wait, reads and writes each */
    size_t long_list;  /* todos; a longer list is answered by a thread apart, see complete */
    size_t list_limit; /* bytes of todos that a flight may load; beyond: TODO_OUT_OF_MEMORY */

    /* Called by todo_queue_start, once for each worker. */
    bool (*open_store)(void *context, struct todo_store_handle *handle, struct error *err);

    /* Answers the operations of a flight or batch. On a worker's thread, with no lock held: the
     * next flight waits for its return, unless the flight has a long list, which goes to a
     * thread apart if that is idle. Afterwards nobody looks at the results any more. */
    todo_answer *complete;

    /* Answers one whose time is over: TODO_TIMED_OUT, and it won't be done any more; or
     * TODO_OUTCOME_UNKNOWN for a change whose commit has begun. On the thread of
     * todo_queue_expire. A worker may still be busy with it, so its results can't be read, and
     * the queue's lock may be held, so the queue can't be called. */
    void (*give_up)(void *context, struct todo_operation *operation, enum todo_outcome outcome);

    /* Called once for each operation that was submitted, last of all, with no lock held. */
    void (*release)(void *context, struct todo_operation *operation);
    void *context;
};

/* Starts the threads. NULL with *err set. */
struct todo_queue *todo_queue_start(const struct todo_queue_settings *settings,
                                    struct error *err);

/* Hands the operation over until it is released. False, and still the caller's, when the queue
 * is full; a probe is taken even then, so few of them must be on the way. Any thread. The
 * threads that do the work may sleep on until todo_queue_wake, or until 32 operations are
 * there. */
bool todo_queue_submit(struct todo_queue *queue, struct todo_operation *operation);

/* Wakes the threads for what was submitted; to be called after each submit, or once after many
 * that came together, which then share a flight. Any thread. */
void todo_queue_wake(struct todo_queue *queue);

/* Answers all operations whose deadline is over. To be called every now and then, by one
 * thread. */
void todo_queue_expire(struct todo_queue *queue, uint64_t now);

/* Sets the gauges of what waits. Any thread. */
void todo_queue_report(struct todo_queue *queue);

/* Whether nothing waits and nothing is being done: then todo_queue_stop doesn't take long. Any
 * thread. */
bool todo_queue_is_idle(struct todo_queue *queue);

/* Does what is waiting, once, then joins the threads and frees the queue. */
void todo_queue_stop(struct todo_queue *queue);

#endif
