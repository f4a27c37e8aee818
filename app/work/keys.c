#include "work/keys.h"

#include <stdlib.h>
#include <string.h>

/* An operation and its place among the others. */
struct place {
    struct todo_operation *operation;
    size_t number;
};

static int compare_keys(const struct todo_key *one, const struct todo_key *other)
{
    return strcmp(one->text, other->text);
}

static int compare_places(const void *left, const void *right)
{
    const struct place *one = left;
    const struct place *other = right;
    int order = compare_keys(one->operation->key, other->operation->key);

    return order != 0 ? order : (one->number > other->number) - (one->number < other->number);
}

void todo_keys_release(struct todo_keys *keys)
{
    free(keys->uses);
    free(keys->users);
    free(keys->ids);
    *keys = (struct todo_keys){0};
}

static void add_places(struct todo_keys *keys, const struct place *places, size_t count)
{
    int64_t *ids = keys->ids;

    for (size_t i = 0; i < count; i++) {
        struct todo_operation *operation = places[i].operation;
        struct todo_operation *last = keys->count > 0 ? keys->users[keys->count - 1] : NULL;

        operation->is_replayed = false;
        operation->twin = last && compare_keys(last->key, operation->key) == 0 ? last : NULL;
        if (operation->twin)
            continue;
        keys->users[keys->count] = operation;
        keys->uses[keys->count++] = (struct todo_key_use){
            .key = operation->key, .ids = ids, .id_count = todo_operation_size(operation)};
        ids += todo_operation_size(operation);
    }
}

bool todo_keys_collect(struct todo_keys *keys, struct todo_operation *const *operations,
                       size_t count, struct error *err)
{
    struct place *places = NULL;
    size_t keyed = 0;
    size_t ids = 0;

    for (size_t i = 0; i < count; i++) {
        keyed += operations[i]->key != NULL;
        ids += operations[i]->key ? todo_operation_size(operations[i]) : 0;
    }
    if (keyed == 0)
        return true;
    places = calloc(keyed, sizeof(*places));
    keys->uses = calloc(keyed, sizeof(*keys->uses));
    keys->users = calloc(keyed, sizeof(struct todo_operation *));
    keys->ids = calloc(ids, sizeof(*keys->ids));
    if (!places || !keys->uses || !keys->users || !keys->ids) {
        free(places);
        return error_set(err, ERROR_SYSTEM, "out of memory");
    }
    keyed = 0;
    for (size_t i = 0; i < count; i++)
        if (operations[i]->key)
            places[keyed++] = (struct place){.operation = operations[i], .number = i};
    qsort(places, keyed, sizeof(*places), compare_places);
    add_places(keys, places, keyed);
    free(places);
    return true;
}

bool todo_keys_insert(struct todo_keys *keys, const struct todo_store_handle *handle,
                      struct error *err)
{
    for (size_t i = 0; i < keys->count; i++)
        for (size_t j = 0; j < keys->uses[i].id_count; j++)
            keys->uses[i].ids[j] = todo_operation_result(keys->users[i], j)->id;
    return keys->count == 0 ||
           handle->driver->insert_keys(handle->store, keys->uses, keys->count, err);
}

/* The todos as they were created, whatever has become of them since: the request tells all but
 * their ids. */
static void replay(struct todo_operation *operation)
{
    for (size_t i = 0; i < todo_operation_size(operation); i++)
        todo_operation_create(operation, i, todo_operation_result(operation, i));
    operation->outcome = TODO_DONE;
    operation->is_replayed = true;
}

void todo_keys_answer_twin(struct todo_operation *operation, struct todo_operation *twin)
{
    if (twin->key->fingerprint != operation->key->fingerprint ||
        todo_operation_size(twin) != todo_operation_size(operation)) {
        operation->outcome = TODO_KEY_REUSED;
        return;
    }
    replay(operation);
    for (size_t i = 0; i < todo_operation_size(operation); i++)
        todo_operation_result(operation, i)->id = todo_operation_result(twin, i)->id;
}

static void settle(struct todo_operation *operation, const struct todo_key_use *use)
{
    if (use->state == TODO_KEY_HELD) {
        operation->outcome = TODO_KEY_IN_USE;
    } else if (use->is_same) {
        replay(operation);
        for (size_t i = 0; i < use->id_count; i++)
            todo_operation_result(operation, i)->id = use->ids[i];
    } else {
        operation->outcome = TODO_KEY_REUSED;
    }
}

bool todo_keys_find(struct todo_keys *keys, const struct todo_store_handle *handle,
                    size_t *settled, struct error *err)
{
    bool is_found;

    *settled = 0;
    todo_say_trace(handle, keys->count > 0 ? keys->users[0] : NULL);
    is_found = handle->driver->find_keys(handle->store, keys->uses, keys->count, err);
    todo_say_trace(handle, NULL);
    if (!is_found)
        return false;
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->uses[i].state == TODO_KEY_FREE)
            continue;
        settle(keys->users[i], &keys->uses[i]);
        keys->users[(*settled)++] = keys->users[i];
    }
    return true;
}
