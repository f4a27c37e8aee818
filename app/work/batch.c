#include "base/clock.h"
#include "work/keys.h"
#include "work/operation.h"
#include "work/outage.h"

#include <stdlib.h>
#include <string.h>

#define CONFLICT_PAUSE      2000U  /* microseconds, doubled with each try, */
#define CONFLICT_PAUSE_MOST 50000U /* up to this */

/* In one run: then those who have come meanwhile have their turn. */
#define CONFLICTS_MOST 32

/* In one run: somebody else had them, and has given them up. */
#define VAIN_LOOKS_MOST 3

/* Microseconds: the database doesn't know NOWAIT, so that each further guess would cost as
 * much. */
#define SLOW 100000U

/* Whether it wants the whole table: then it has a transaction of its own. */
static bool is_alone(const struct todo_operation *operation)
{
    return operation->kind == TODO_CLEAR ||
           (operation->condition && (operation->kind == TODO_CREATE || operation->edits));
}

/* ---- a transaction ---- */

enum row_state {
    ROW_UNCHANGED,
    ROW_CHANGED,
    ROW_DELETED,
};

/* What it does to the rows that it has loaded, and the rows that it adds. */
struct transaction {
    const struct todo_batch *batch;
    struct todo_operation *const *operations;
    size_t count;
    bool is_claimed;   /* before it began */
    bool waits;        /* for locks, see begin */
    bool is_begun;     /* how far it came */
    bool is_overtaken; /* one was given up before the commit */
    int64_t *ids;      /* wanted at first, to be deleted at last */
    struct todo_insert *inserts;
    size_t insert_count;
    struct todo_keys keys;
    const struct todo **updates; /* points into the batch's list, sorted by id */
    enum row_state *rows;        /* one for each of the list */
};

static void transaction_release(struct transaction *transaction)
{
    todo_keys_release(&transaction->keys);
    free(transaction->ids);
    free(transaction->inserts);
    free(transaction->updates);
    free(transaction->rows);
}

static bool transaction_init(struct transaction *transaction, struct error *err)
{
    size_t count = 1; /* at least: of none, calloc may give NULL */

    for (size_t i = 0; i < transaction->count; i++)
        count += todo_operation_size(transaction->operations[i]);
    transaction->ids = calloc(count, sizeof(*transaction->ids));
    transaction->inserts = calloc(count, sizeof(*transaction->inserts));
    transaction->updates = calloc(count, sizeof(const struct todo *));
    transaction->rows = calloc(count, sizeof(*transaction->rows));
    if (!transaction->ids || !transaction->inserts || !transaction->updates ||
        !transaction->rows)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    return todo_keys_collect(&transaction->keys, transaction->operations, transaction->count,
                             err);
}

/* The todo of the nth change. */
static int64_t changed_id(const struct todo_operation *operation, size_t nth)
{
    return operation->edits ? operation->edits->edits[nth].todo.id : operation->id;
}

/* Locks and loads the rows that are changed or deleted, in order of id: two batches that want
 * the same rows don't deadlock. */
static bool load_rows(struct transaction *transaction, struct error *err)
{
    const struct todo_store_handle *handle = transaction->batch->handle;
    size_t count = 0;

    for (size_t i = 0; i < transaction->count; i++) {
        const struct todo_operation *operation = transaction->operations[i];

        if (operation->kind == TODO_CREATE)
            continue;
        for (size_t j = 0; j < todo_operation_size(operation); j++)
            transaction->ids[count++] = changed_id(operation, j);
    }
    if (count == 0)
        return true;
    count = todo_ids_sort(transaction->ids, count);
    return handle->driver->load_for_update(handle->store, transaction->ids, count,
                                           transaction->batch->list, err);
}

/* Of several creates with one key, only the first is. */
static bool is_inserted(const struct todo_operation *operation)
{
    return operation->kind == TODO_CREATE && !operation->twin;
}

static void apply_create(struct transaction *transaction, struct todo_operation *operation)
{
    for (size_t i = 0; i < todo_operation_size(operation); i++) {
        struct todo_insert *insert = &transaction->inserts[transaction->insert_count++];

        todo_operation_create(operation, i, &insert->todo);
        insert->base_url = operation->base_url;
    }
    operation->outcome = TODO_DONE;
}

static enum todo_outcome test_condition(struct todo_operation *operation,
                                        const struct todo *todo, const struct todo_list *list)
{
    return operation->condition ? operation->condition(operation, todo, list) : TODO_DONE;
}

/* The row, unless it is gone by now. */
static enum row_state *find_row(struct transaction *transaction, int64_t id, struct todo **todo)
{
    const struct todo_list *list = transaction->batch->list;
    enum row_state *row;

    *todo = todo_list_find(list, id);
    row = *todo ? &transaction->rows[*todo - list->todos] : NULL;
    return row && *row != ROW_DELETED ? row : NULL;
}

static void apply_to_row(struct transaction *transaction, struct todo_operation *operation)
{
    struct todo *todo;
    enum row_state *row = find_row(transaction, operation->id, &todo);

    operation->outcome = TODO_NOT_FOUND;
    if (!row)
        return;
    operation->outcome = test_condition(operation, todo, NULL);
    operation->todo = *todo; /* as it is now, whatever the next one does */
    if (operation->outcome != TODO_DONE)
        return;
    if (operation->kind == TODO_DELETE) {
        *row = ROW_DELETED;
        return;
    }
    *row = ROW_CHANGED;
    todo_apply(todo, operation->change);
    operation->todo = *todo;
}

/* An update of many: all or none. */
static void apply_to_rows(struct transaction *transaction, struct todo_operation *operation)
{
    struct todo_edits *edits = operation->edits;
    struct todo *todo;

    operation->outcome = TODO_NOT_FOUND;
    for (size_t i = 0; i < edits->count; i++) {
        operation->missing = i;
        if (!find_row(transaction, edits->edits[i].todo.id, &todo))
            return;
    }
    operation->outcome = TODO_DONE;
    for (size_t i = 0; i < edits->count; i++) {
        *find_row(transaction, edits->edits[i].todo.id, &todo) = ROW_CHANGED;
        todo_edit_apply(&edits->edits[i], todo);
    }
}

static void apply(struct transaction *transaction, struct todo_operation *operation)
{
    if (is_inserted(operation))
        apply_create(transaction, operation);
    else if (operation->kind != TODO_CREATE && operation->edits)
        apply_to_rows(transaction, operation);
    else if (operation->kind != TODO_CREATE)
        apply_to_row(transaction, operation);
}

static bool insert_rows(struct transaction *transaction, struct error *err)
{
    const struct todo_store_handle *handle = transaction->batch->handle;
    size_t created = 0;

    if (!handle->driver->insert(handle->store, transaction->inserts, transaction->insert_count,
                                err))
        return false;
    for (size_t i = 0; i < transaction->count; i++) {
        struct todo_operation *operation = transaction->operations[i];

        for (size_t j = 0; is_inserted(operation) && j < todo_operation_size(operation); j++)
            *todo_operation_result(operation, j) = transaction->inserts[created++].todo;
    }
    for (size_t i = 0; i < transaction->count; i++) {
        struct todo_operation *operation = transaction->operations[i];

        if (operation->twin)
            todo_keys_answer_twin(operation, operation->twin);
    }
    return todo_keys_insert(&transaction->keys, handle, err);
}

static bool write_rows(struct transaction *transaction, struct error *err)
{
    const struct todo_store_driver *driver = transaction->batch->handle->driver;
    struct todo_store *store = transaction->batch->handle->store;
    const struct todo_list *list = transaction->batch->list;
    size_t update_count = 0;
    size_t delete_count = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (transaction->rows[i] == ROW_CHANGED)
            transaction->updates[update_count++] = &list->todos[i];
        else if (transaction->rows[i] == ROW_DELETED)
            transaction->ids[delete_count++] = list->todos[i].id;
    }
    return insert_rows(transaction, err) &&
           driver->update(store, transaction->updates, update_count, err) &&
           driver->delete (store, transaction->ids, delete_count, err);
}

static bool change_rows(struct transaction *transaction, struct error *err)
{
    struct todo_operation *const *operations = transaction->operations;

    if (!load_rows(transaction, err))
        return false;
    for (size_t i = 0; i < transaction->count; i++)
        apply(transaction, operations[i]);
    return write_rows(transaction, err);
}

/* Of an operation that has the whole table to itself, see is_alone. */
static bool change_table(struct transaction *transaction, struct error *err)
{
    const struct todo_store_handle *handle = transaction->batch->handle;
    struct todo_list *list = transaction->batch->list;
    struct todo_operation *operation = transaction->operations[0];

    operation->outcome = TODO_DONE;
    if (operation->condition) {
        if (!handle->driver->list_for_update(handle->store, list, err))
            return false;
        operation->outcome = test_condition(operation, NULL, list);
        todo_list_clear(list);
    }
    if (operation->outcome != TODO_DONE)
        return true;
    if (operation->kind != TODO_CLEAR)
        return change_rows(transaction, err);
    return handle->driver->clear(handle->store, err);
}

static bool transaction_claim(struct transaction *transaction)
{
    const struct todo_batch *batch = transaction->batch;

    if (!transaction->is_claimed)
        transaction->is_overtaken =
            !batch->claim(batch->context, transaction->operations, transaction->count);
    return !transaction->is_overtaken;
}

static bool transaction_try(struct transaction *transaction, struct error *err)
{
    const struct todo_store_driver *driver = transaction->batch->handle->driver;
    struct todo_store *store = transaction->batch->handle->store;
    bool ok = false;

    todo_list_clear(transaction->batch->list);
    if (!transaction_init(transaction, err) || !driver->begin(store, transaction->waits, err))
        goto out;
    transaction->is_begun = true;
    ok = is_alone(transaction->operations[0]) ? change_table(transaction, err)
                                              : change_rows(transaction, err);
    ok = ok && transaction_claim(transaction) && driver->commit(store, err);
    if (!ok)
        driver->roll_back(store);
out:
    transaction_release(transaction);
    return ok;
}

static bool transaction_run(struct transaction *transaction, struct error *err)
{
    const struct todo_store_handle *handle = transaction->batch->handle;
    uint64_t began = todo_begin_trip(handle, transaction->operations);
    bool ok = transaction_try(transaction, err);

    todo_end_trip(handle, transaction->operations, transaction->count, false, began, err);
    return ok;
}

/* ---- what is tried together, and what is left for later ---- */

/* One call of todo_batch_run. */
struct run {
    const struct todo_batch *batch;
    struct todo_operation **held; /* get no answer in this run */
    size_t held_count;
    struct todo_operation **fresh;
    struct todo_operation **suspects;
    unsigned conflicts;
    unsigned vain_looks; /* for keys that were taken, and nobody has */
    bool has_succeeded;  /* at least once */
    bool has_lost;       /* its connection, once: then it is tried again */
    bool is_over;        /* what is left, is left for the next one, at */
    uint64_t rest_at;
};

/* Operations that may share transactions. */
struct group {
    struct todo_operation **operations; /* those that are left */
    size_t count;
    size_t length; /* how many are tried together, from the first */
    bool may_wait; /* once: most locks, as those of another server of ours, are short */
    bool waits;
    bool is_sorted;  /* creates first */
    bool is_slow;    /* it is known that meeting a lock takes long */
    bool is_claimed; /* before it begins: so that it is not for ever that one is given up while
                        it runs */
};

/* Of two updates of many it is not worth a look. */
static bool share_todo(const struct todo_operation *first, const struct todo_operation *second)
{
    const struct todo_operation *many = first->edits ? first : second;
    const struct todo_operation *one = first->edits ? second : first;

    if (one->edits)
        return true;
    for (size_t i = 0; i < todo_operation_size(many); i++)
        if (changed_id(many, i) == one->id)
            return true;
    return false;
}

/* Whether the second must not overtake the first. A lock that keeps one create waiting is one
 * between the rows and keeps all waiting. */
static bool goes_behind(const struct todo_operation *first, const struct todo_operation *second)
{
    if (first->kind == TODO_CREATE || second->kind == TODO_CREATE)
        return first->kind == second->kind;
    return first->kind != TODO_CLEAR && share_todo(first, second);
}

static struct todo_operation *find_before(struct todo_operation *const *operations,
                                          size_t count, const struct todo_operation *operation)
{
    for (size_t i = 0; i < count; i++)
        if (goes_behind(operations[i], operation))
            return operations[i];
    return NULL;
}

static void hold(struct run *run, struct todo_operation *operation, uint64_t not_before)
{
    operation->not_before = not_before;
    run->held[run->held_count++] = operation;
}

/* The first, and what must not overtake it. */
static void hold_first(struct run *run, struct group *group, uint64_t pause)
{
    struct todo_operation *first = group->operations[0];
    uint64_t not_before = clock_now() + pause;
    size_t left = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct todo_operation *operation = group->operations[i];

        if (!goes_behind(first, operation) && operation != first) {
            group->operations[left++] = operation;
            continue;
        }
        operation->conflicts++;
        hold(run, operation, not_before);
    }
    group->count = left;
}

/* Keeps the order of each kind. Gives how many creates there are. */
static size_t sort_creates_first(struct group *group, struct todo_operation **spare)
{
    size_t creates = 0;
    size_t changes = 0;

    for (size_t i = 0; i < group->count; i++) {
        if (group->operations[i]->kind == TODO_CREATE)
            group->operations[creates++] = group->operations[i];
        else
            spare[changes++] = group->operations[i];
    }
    memcpy(group->operations + creates, spare, changes * sizeof(struct todo_operation *));
    group->is_sorted = true;
    return creates;
}

/* The creates, which need nobody's row; else half of what was tried. */
static void split(struct run *run, struct group *group, size_t length)
{
    size_t creates = 0;

    if (!group->is_sorted)
        creates = sort_creates_first(group, run->held + run->held_count);
    group->length = length / 2;
    if (creates > 0 && creates < group->count)
        group->length = creates < run->batch->most ? creates : run->batch->most;
    else if (group->is_slow)
        group->length = 1;
}

static bool is_create_only(const struct group *group, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (group->operations[i]->kind != TODO_CREATE)
            return false;
    return true;
}

/* Somebody else has locked what these `length` want. */
static void meet_conflict(struct run *run, struct group *group, size_t length,
                          const struct error *err, uint64_t took)
{
    uint64_t pause;

    run->conflicts++;
    group->is_slow = group->is_slow || took >= SLOW;
    group->waits = group->may_wait && !group->is_slow;
    group->may_wait = false;
    if (group->waits)
        return;
    if (length > 1 && !is_create_only(group, length)) {
        split(run, group, length);
        return;
    }
    todo_outage_note(run->batch->handle->outage, TODO_WRITES, err);
    pause = clock_backoff(group->operations[0]->conflicts, CONFLICT_PAUSE, CONFLICT_PAUSE_MOST);
    /* so that it keeps the others waiting for half of the time at most */
    hold_first(run, group, took < SLOW ? pause : took);
    run->is_over = took >= SLOW || run->conflicts >= CONFLICTS_MOST;
}

static void answer_first(struct run *run, struct group *group, size_t length)
{
    run->batch->answer(run->batch->context, group->operations, length);
    group->operations += length;
    group->count -= length;
}

/* `removed` are some of the group, in any order. */
static void remove_all(struct group *group, struct todo_operation *const *removed, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < group->count; i++) {
        bool is_removed = false;

        for (size_t j = 0; j < count && !is_removed; j++)
            is_removed = removed[j] == group->operations[i];
        if (!is_removed)
            group->operations[left++] = group->operations[i];
    }
    group->count = left;
}

static void meet_failure(struct run *run, struct group *group, size_t length,
                         const struct error *err)
{
    enum todo_outcome outcome = todo_outcome_of(err);

    if (outcome == TODO_UNAVAILABLE && !run->has_lost) {
        run->has_lost = true;
        return;
    }
    todo_outage_note(run->batch->handle->outage, TODO_WRITES, err);
    if (outcome == TODO_UNAVAILABLE) {
        length = group->count;
    } else if (outcome != TODO_OUTCOME_UNKNOWN && length > 1) {
        split(run, group, length); /* the reason may lie in one of them */
        return;
    }
    for (size_t i = 0; i < length; i++)
        group->operations[i]->outcome = outcome;
    answer_first(run, group, length);
}

/* Keys of these `length` are taken: what they have been used for answers who asks again. */
static void meet_taken(struct run *run, struct group *group, size_t length,
                       const struct error *err, uint64_t took)
{
    const struct todo_batch *batch = run->batch;
    struct todo_keys keys = {0};
    struct error failure = {0};
    size_t settled = 0;

    if (todo_keys_collect(&keys, group->operations, length, &failure) &&
        todo_keys_find(&keys, batch->handle, &settled, &failure) && settled > 0) {
        batch->answer(batch->context, keys.users, settled);
        remove_all(group, keys.users, settled);
    }
    todo_keys_release(&keys);
    if (failure.code != ERROR_NONE && failure.code != ERROR_CONFLICT)
        meet_failure(run, group, length, &failure);
    else if (settled == 0 && ++run->vain_looks >= VAIN_LOOKS_MOST)
        meet_conflict(run, group, length, err, took);
}

/* A creation whose condition doesn't hold may be the repetition of one whose did. */
static void look_for_first_try(const struct todo_batch *batch, struct todo_operation *operation)
{
    struct todo_keys keys = {0};
    struct error err = {0};
    size_t settled;

    if (!operation->key || operation->outcome != TODO_PRECONDITION_FAILED)
        return;
    if (!todo_keys_collect(&keys, &operation, 1, &err) ||
        !todo_keys_find(&keys, batch->handle, &settled, &err))
        operation->outcome = todo_outcome_of(&err);
    todo_keys_release(&keys);
}

static void meet_success(struct run *run, struct group *group, size_t length)
{
    todo_outage_note(run->batch->handle->outage, TODO_WRITES, &(struct error){0});
    run->has_succeeded = true;
    look_for_first_try(run->batch, group->operations[0]); /* it was alone */
    answer_first(run, group, length);
    if (!group->is_slow && group->length <= run->batch->most / 2)
        group->length *= 2;
}

static void meet_locked_database(struct run *run, const struct error *err)
{
    todo_outage_note(run->batch->handle->outage, TODO_WRITES, err);
    run->is_over = true;
    run->rest_at = clock_now() + CONFLICT_PAUSE;
}

/* As many as are to be tried together; but beside one of many there are few others. */
static size_t transaction_length(const struct group *group)
{
    size_t most = group->length < group->count ? group->length : group->count;
    size_t changes = todo_operation_size(group->operations[0]);
    size_t length = 1;

    while (length < most) {
        changes += todo_operation_size(group->operations[length]);
        if (changes > TODO_EDITS_MOST && changes > length + 1)
            break;
        length++;
    }
    return length;
}

/* Tries the first of the group. */
static void step(struct run *run, struct group *group)
{
    const struct todo_batch *batch = run->batch;
    struct transaction transaction = {
        .batch = batch, .is_claimed = group->is_claimed, .waits = group->waits};
    struct error err = {0};
    uint64_t began = clock_now();

    group->count = batch->keep(batch->context, group->operations, group->count);
    if (group->count == 0)
        return;
    transaction.operations = group->operations;
    transaction.count = transaction_length(group);
    if (group->is_claimed &&
        !batch->claim(batch->context, group->operations, transaction.count))
        return; /* one was given up this very moment: again without it */
    if (transaction_run(&transaction, &err))
        meet_success(run, group, transaction.count);
    else if (transaction.is_overtaken)
        group->is_claimed = true;
    else if (err.code == ERROR_TAKEN)
        meet_taken(run, group, transaction.count, &err, clock_now() - began);
    else if (err.code != ERROR_CONFLICT)
        meet_failure(run, group, transaction.count, &err);
    else if (transaction.is_begun)
        meet_conflict(run, group, transaction.count, &err, clock_now() - began);
    else
        meet_locked_database(run, &err);
}

static void run_group(struct run *run, struct todo_operation **operations, size_t count,
                      size_t length)
{
    struct group group = {.operations = operations, .count = count, .length = length};

    group.may_wait = count > 0 && operations[0]->conflicts == 0 && !is_alone(operations[0]);
    if (group.length > run->batch->most)
        group.length = run->batch->most;
    while (group.count > 0 && !run->is_over)
        step(run, &group);
    for (size_t i = 0; i < group.count; i++)
        hold(run, group.operations[i], run->rest_at);
}

/* What met a lock before is tried apart, so that the others need not be tried twice. */
static void run_changes(struct run *run, struct todo_operation *const *operations, size_t count)
{
    uint64_t now = clock_now();
    size_t fresh = 0;
    size_t suspects = 0;

    for (size_t i = 0; i < count; i++) {
        struct todo_operation *operation = operations[i];
        const struct todo_operation *before =
            find_before(run->held, run->held_count, operation);

        if (before)
            hold(run, operation, before->not_before);
        else if (operation->not_before > now)
            hold(run, operation, operation->not_before);
        else if (operation->conflicts > 0 || find_before(run->suspects, suspects, operation))
            run->suspects[suspects++] = operation;
        else
            run->fresh[fresh++] = operation;
    }
    run_group(run, run->fresh, fresh, fresh);
    run_group(run, run->suspects, suspects, 1);
}

/* It wants every row, so nothing that came before is left behind. */
static void run_alone(struct run *run, struct todo_operation *operation)
{
    if (operation->not_before > clock_now())
        hold(run, operation, operation->not_before);
    else if (run->held_count > 0)
        hold(run, operation, run->held[run->held_count - 1]->not_before);
    else
        run_group(run, &operation, 1, 1);
}

/* Again after a connection that was found dead. One answers all that ask. */
static void run_check(const struct todo_batch *batch, struct todo_operation *const *operations,
                      size_t count)
{
    const struct todo_store_handle *handle = batch->handle;
    struct error err = {0};

    if (!handle->driver->check(handle->store, &err) && err.code == ERROR_UNAVAILABLE) {
        err = (struct error){0};
        handle->driver->check(handle->store, &err);
    }
    if (err.code != ERROR_NONE)
        err.code = ERROR_UNAVAILABLE;
    todo_outage_note(handle->outage, TODO_WRITES, &err);
    for (size_t i = 0; i < count; i++)
        operations[i]->outcome = todo_outcome_of(&err);
    batch->answer(batch->context, operations, count);
}

/* How many operations, from the first, go into one transaction. Checks come together. */
static size_t part_length(struct todo_operation *const *operations, size_t count)
{
    bool is_check = operations[0]->kind == TODO_CHECK;
    size_t length = 1;

    if (is_alone(operations[0]))
        return 1;
    while (length < count && !is_alone(operations[length]) &&
           (operations[length]->kind == TODO_CHECK) == is_check)
        length++;
    return length;
}

static void run_parts(struct run *run, struct todo_operation **operations, size_t count)
{
    size_t length;

    for (size_t start = 0; start < count; start += length) {
        length = part_length(operations + start, count - start);
        if (operations[start]->kind == TODO_CHECK)
            run_check(run->batch, operations + start, length);
        else if (is_alone(operations[start]))
            run_alone(run, operations[start]);
        else
            run_changes(run, operations + start, length);
    }
}

void todo_batch_run(const struct todo_batch *batch, struct todo_operation *const *operations,
                    size_t count)
{
    struct todo_operation **memory = calloc(4 * count, sizeof(struct todo_operation *));
    struct run run = {.batch = batch};

    if (!memory) {
        for (size_t i = 0; i < count; i++)
            operations[i]->outcome = TODO_OUT_OF_MEMORY;
        batch->answer(batch->context, operations, count);
        return;
    }
    memcpy(memory, operations, count * sizeof(struct todo_operation *));
    run.held = memory + count;
    run.fresh = memory + 2 * count;
    run.suspects = memory + 3 * count;
    run_parts(&run, memory, count);
    if (run.has_succeeded)
        batch->handle->driver->forget_keys(batch->handle->store);
    free(memory);
}
