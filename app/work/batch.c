#include "base/clock.h"
#include "base/log.h"
#include "work/operation.h"

#include <stdlib.h>

#define CONFLICT_TRIES_MOST 5
#define CONFLICT_PAUSE      2000U  /* microseconds, doubled with each try, */
#define CONFLICT_PAUSE_MOST 50000U /* up to this */

enum row_state {
    ROW_UNCHANGED,
    ROW_CHANGED,
    ROW_DELETED,
};

/* What a batch does to the rows that it has loaded, and the rows that it adds. */
struct batch {
    const struct todo_store_handle *handle;
    struct todo_operation *const *operations;
    size_t count;
    struct todo_list *list; /* the loaded rows, sorted by id */
    uint32_t *ids;          /* wanted at first, to be deleted at last */
    struct todo_insert *inserts;
    size_t insert_count;
    const struct todo **updates; /* points into list, sorted by id */
    enum row_state *rows;        /* one for each of list */
};

static void batch_release(struct batch *batch)
{
    free(batch->ids);
    free(batch->inserts);
    free(batch->updates);
    free(batch->rows);
}

static bool batch_init(struct batch *batch, struct error *err)
{
    batch->ids = calloc(batch->count, sizeof(*batch->ids));
    batch->inserts = calloc(batch->count, sizeof(*batch->inserts));
    batch->updates = calloc(batch->count, sizeof(const struct todo *));
    batch->rows = calloc(batch->count, sizeof(*batch->rows));
    if (batch->ids && batch->inserts && batch->updates && batch->rows)
        return true;
    return error_set(err, ERROR_SYSTEM, "out of memory");
}

/* Locks and loads the rows that are changed or deleted, in order of id: two batches that want
 * the same rows wait for each other and don't deadlock. */
static bool batch_load(struct batch *batch, struct error *err)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->operations[i]->kind != TODO_CREATE)
            batch->ids[count++] = batch->operations[i]->id;
    if (count == 0)
        return true;
    count = todo_ids_sort(batch->ids, count);
    return batch->handle->driver->load_for_update(batch->handle->store, batch->ids, count,
                                                  batch->list, err);
}

static void apply_create(struct batch *batch, struct todo_operation *operation)
{
    struct todo_insert *insert = &batch->inserts[batch->insert_count++];

    insert->todo = (struct todo){.url_format = operation->url_format};
    todo_apply(&insert->todo, operation->change);
    insert->base_url = operation->base_url;
    operation->outcome = TODO_DONE;
}

static void apply_to_row(struct batch *batch, struct todo_operation *operation)
{
    struct todo *todo = todo_list_find(batch->list, operation->id);
    enum row_state *row = todo ? &batch->rows[todo - batch->list->todos] : NULL;

    operation->outcome = TODO_NOT_FOUND;
    if (!row || *row == ROW_DELETED)
        return;
    operation->outcome = TODO_DONE;
    if (operation->kind == TODO_DELETE) {
        *row = ROW_DELETED;
        return;
    }
    *row = ROW_CHANGED;
    todo_apply(todo, operation->change);
    operation->todo = *todo; /* as it is after this operation, whatever the next one does */
}

static bool batch_flush(struct batch *batch, struct error *err)
{
    const struct todo_store_driver *driver = batch->handle->driver;
    struct todo_store *store = batch->handle->store;
    size_t update_count = 0;
    size_t delete_count = 0;

    for (size_t i = 0; i < batch->list->count; i++) {
        if (batch->rows[i] == ROW_CHANGED)
            batch->updates[update_count++] = &batch->list->todos[i];
        else if (batch->rows[i] == ROW_DELETED)
            batch->ids[delete_count++] = batch->list->todos[i].id;
    }
    return driver->insert(store, batch->inserts, batch->insert_count, err) &&
           driver->update(store, batch->updates, update_count, err) &&
           driver->delete (store, batch->ids, delete_count, err);
}

static bool change_rows(struct batch *batch, struct error *err)
{
    size_t created = 0;

    if (!batch_load(batch, err))
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->operations[i]->kind == TODO_CREATE)
            apply_create(batch, batch->operations[i]);
        else
            apply_to_row(batch, batch->operations[i]);
    }
    if (!batch_flush(batch, err))
        return false;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->operations[i]->kind == TODO_CREATE)
            batch->operations[i]->todo = batch->inserts[created++].todo;
    return true;
}

static bool run_transaction(struct batch *batch, struct error *err)
{
    const struct todo_store_driver *driver = batch->handle->driver;
    struct todo_store *store = batch->handle->store;
    bool ok = false;

    todo_list_clear(batch->list);
    if (!batch_init(batch, err) || !driver->begin(store, err))
        goto out;
    if (batch->operations[0]->kind == TODO_CLEAR) { /* always alone, see todo_batch_run */
        batch->operations[0]->outcome = TODO_DONE;
        ok = driver->clear(store, err);
    } else {
        ok = change_rows(batch, err);
    }
    ok = ok && driver->commit(store, err);
    if (!ok)
        driver->roll_back(store);
out:
    batch_release(batch);
    return ok;
}

/* Tries again what the database rolled back, and, once, what met a dead connection before its
 * commit. */
static bool run_with_retries(const struct todo_store_handle *handle,
                             struct todo_operation *const *operations, size_t count,
                             struct todo_list *list, struct error *err)
{
    unsigned conflicts = 0;
    unsigned losses = 0;

    for (;;) {
        struct batch batch = {
            .handle = handle, .operations = operations, .count = count, .list = list};
        *err = (struct error){0};
        if (run_transaction(&batch, err))
            return true;
        if (err->code == ERROR_UNAVAILABLE && losses++ == 0)
            continue;
        if (err->code != ERROR_CONFLICT || ++conflicts == CONFLICT_TRIES_MOST)
            return false;
        clock_sleep(clock_backoff(conflicts, CONFLICT_PAUSE, CONFLICT_PAUSE_MOST));
    }
}

/* False when the database refused the whole for a reason that may lie in one operation. */
static bool run_part(const struct todo_store_handle *handle,
                     struct todo_operation *const *operations, size_t count,
                     struct todo_list *list)
{
    struct error err = {0};

    if (run_with_retries(handle, operations, count, list, &err))
        return true;
    log_message(CONFIG_LOG_WARNING, "%s", err.text);
    for (size_t i = 0; i < count; i++)
        operations[i]->outcome = todo_outcome_of(&err);
    return todo_outcome_of(&err) != TODO_FAILED && todo_outcome_of(&err) != TODO_OUT_OF_MEMORY;
}

/* How many operations, from the first, go into one transaction: a clear goes alone. */
static size_t part_length(struct todo_operation *const *operations, size_t count)
{
    size_t length = 0;

    if (operations[0]->kind == TODO_CLEAR)
        return 1;
    while (length < count && operations[length]->kind != TODO_CLEAR)
        length++;
    return length;
}

void todo_batch_run(const struct todo_store_handle *handle,
                    struct todo_operation *const *operations, size_t count,
                    struct todo_list *list, todo_answer *answer, void *context)
{
    size_t length;

    for (size_t start = 0; start < count; start += length) {
        length = part_length(operations + start, count - start);
        if (run_part(handle, operations + start, length, list) || length == 1) {
            answer(context, operations + start, length);
            continue;
        }
        for (size_t i = start; i < start + length; i++) {
            run_part(handle, operations + i, 1, list);
            answer(context, operations + i, 1);
        }
    }
}
