#include "base/clock.h"
#include "base/metrics.h"
#include "work/operation.h"
#include "work/outage.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MOST 3

/* How many ids it asks for; copies them unless `ids` is NULL. */
static size_t ids_of(const struct todo_operation *operation, int64_t *ids)
{
    bool is_many = operation->kind == TODO_FETCH_MANY;
    size_t count = is_many ? operation->id_count : 1;

    if (ids)
        memcpy(ids, is_many ? operation->ids : &operation->id, count * sizeof(*ids));
    return count;
}

/* The ids of all fetches, sorted and distinct. The caller frees them. NULL without memory. */
static int64_t *collect_ids(struct todo_operation *const *operations, size_t count,
                            size_t *id_count)
{
    size_t most = 1; /* calloc may give NULL for none */
    size_t found = 0;
    int64_t *ids;

    for (size_t i = 0; i < count; i++)
        most += ids_of(operations[i], NULL);
    ids = calloc(most, sizeof(*ids));
    if (!ids)
        return NULL;
    for (size_t i = 0; i < count; i++)
        found += ids_of(operations[i], ids + found);
    *id_count = todo_ids_sort(ids, found);
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
    if (operations[0]->query)
        return handle->driver->query(handle->store, operations[0]->query, list, err);
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
    if (operation->kind != TODO_FETCH) {
        operation->list = list;
        return;
    }
    todo = todo_list_find(list, operation->id);
    if (todo)
        operation->todo = *todo;
    else
        operation->outcome = TODO_NOT_FOUND;
}

/* What fails a probe is no single request's fault. */
static void note(const struct todo_store_handle *handle,
                 struct todo_operation *const *operations, size_t count,
                 const struct error *err)
{
    struct error noted = *err;

    for (size_t i = 0; i < count; i++) {
        if (operations[i]->is_probe &&
            (err->code == ERROR_DATABASE || err->code == ERROR_CONFLICT))
            noted.code = ERROR_UNAVAILABLE;
    }
    todo_outage_note(handle->outage, TODO_READS, &noted);
}

/* Nobody waits for them any more. */
static bool are_late(struct todo_operation *const *operations, size_t count)
{
    uint64_t now = clock_now();

    for (size_t i = 0; i < count; i++)
        if (operations[i]->deadline > now)
            return false;
    return true;
}

/* Again after a connection that was found dead, and after a busy SQLite file. A query that
 * takes too long says nothing about the database. */
static bool look_with_retries(const struct todo_store_handle *handle,
                              struct todo_operation *const *operations, size_t count,
                              bool with_list, struct todo_list *list, struct error *err)
{
    bool is_late = false;

    for (unsigned tries = 0; tries < TRIES_MOST && !is_late; tries++) {
        uint64_t began = todo_begin_trip(handle, operations);
        bool ok;

        *err = (struct error){0};
        ok = look(handle, operations, count, with_list, list, err);
        todo_end_trip(handle, operations, count, with_list, began, err);
        if (ok || (err->code != ERROR_UNAVAILABLE && err->code != ERROR_CONFLICT))
            break;
        is_late = are_late(operations, count);
    }
    if (!is_late || !operations[0]->query)
        note(handle, operations, count, err);
    return err->code == ERROR_NONE;
}

/* One query, or everything but queries. */
static void run_group(const struct todo_store_handle *handle,
                      struct todo_operation *const *operations, size_t count,
                      struct todo_list *list, todo_answer *answer, void *context)
{
    const struct todo_query *query = operations[0]->query;
    bool with_list = has_kind(operations, count, TODO_LIST);
    struct error err = {0};
    bool ok = look_with_retries(handle, operations, count, with_list, list, &err);
    enum todo_outcome list_outcome = ok ? TODO_DONE : todo_outcome_of(&err);
    bool has_more = ok && query && todo_query_finish(query, list);

    /* a list that is too large is no reason to refuse a single todo */
    if (list_outcome == TODO_OUT_OF_MEMORY && with_list &&
        (has_kind(operations, count, TODO_FETCH) ||
         has_kind(operations, count, TODO_FETCH_MANY)))
        ok = look_with_retries(handle, operations, count, false, list, &err);
    for (size_t i = 0; i < count; i++) {
        if (operations[i]->kind == TODO_LIST && list_outcome != TODO_DONE)
            operations[i]->outcome = list_outcome;
        else if (ok)
            set_result(operations[i], list);
        else
            operations[i]->outcome = todo_outcome_of(&err);
        operations[i]->has_more = has_more;
    }
    answer(context, operations, count);
}

/* ---- queries ---- */

enum rank {
    RANK_OTHERS,
    RANK_QUERY,
    RANK_SEARCH, /* reads every todo */
};

static enum rank rank_of(const struct todo_operation *operation)
{
    if (!operation->query)
        return RANK_OTHERS;
    return operation->query->search_length > 0 ? RANK_SEARCH : RANK_QUERY;
}

/* The quick ones first; of the same query, all in a row. */
static int compare(const void *left, const void *right)
{
    const struct todo_operation *one = *(struct todo_operation *const *)left;
    const struct todo_operation *other = *(struct todo_operation *const *)right;
    int ranks = (int)rank_of(one) - (int)rank_of(other);

    return ranks != 0 || !one->query ? ranks : strcmp(one->query->key, other->query->key);
}

static size_t group_length(struct todo_operation *const *operations, size_t count)
{
    size_t length = 1;

    while (length < count && compare(&operations[0], &operations[length]) == 0)
        length++;
    return length;
}

/* Where the group begins whose first question is the oldest. */
static size_t find_oldest(struct todo_operation *const *operations, size_t count)
{
    size_t oldest = 0;
    size_t start;

    for (size_t i = 1; i < count; i++)
        if (operations[i]->asked_at < operations[oldest]->asked_at)
            oldest = i;
    start = oldest;
    while (start > 0 && compare(&operations[start - 1], &operations[oldest]) == 0)
        start--;
    return start;
}

static void run_groups(const struct todo_store_handle *handle,
                       struct todo_operation **operations, size_t count, struct todo_list *list,
                       todo_answer *answer, void *context)
{
    size_t start = 0;
    size_t length;

    qsort(operations, count, sizeof(struct todo_operation *), compare);
    for (; start < count && rank_of(operations[start]) != RANK_SEARCH; start += length) {
        length = group_length(operations + start, count - start);
        run_group(handle, operations + start, length, list, answer, context);
    }
    if (start == count)
        return;
    start += find_oldest(operations + start, count - start);
    run_group(handle, operations + start, group_length(operations + start, count - start), list,
              answer, context);
}

static bool has_query(struct todo_operation *const *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (operations[i]->query)
            return true;
    return false;
}

void todo_flight_run(const struct todo_store_handle *handle,
                     struct todo_operation *const *operations, size_t count,
                     struct todo_list *list, todo_answer *answer, void *context)
{
    struct todo_operation **sorted;

    if (!has_query(operations, count)) {
        run_group(handle, operations, count, list, answer, context);
        return;
    }
    sorted = malloc(count * sizeof(struct todo_operation *));
    if (sorted) {
        memcpy(sorted, operations, count * sizeof(struct todo_operation *));
        run_groups(handle, sorted, count, list, answer, context);
        free(sorted);
        return;
    }
    for (size_t i = 0; i < count; i++)
        operations[i]->outcome = TODO_OUT_OF_MEMORY;
    answer(context, operations, count);
}
