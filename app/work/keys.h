#ifndef WORK_KEYS_H
#define WORK_KEYS_H

/* The keys of the creates that go into one transaction. */

#include "work/operation.h"

#include <stdbool.h>
#include <stddef.h>

/* Zero has none. */
struct todo_keys {
    struct todo_key_use *uses; /* sorted by text, as two servers that have the same keys must
                                  insert them: else each could wait for the other */
    struct todo_operation **users; /* of each use */
    size_t count;
    int64_t *ids; /* the uses' */
};

/* Of several operations with the same key the first uses it; it is the others' twin. */
bool todo_keys_collect(struct todo_keys *keys, struct todo_operation *const *operations,
                       size_t count, struct error *err);
void todo_keys_release(struct todo_keys *keys);

/* Within a transaction, when the users' todos have their ids. */
bool todo_keys_insert(struct todo_keys *keys, const struct todo_store_handle *handle,
                      struct error *err);

/* Gives what has this twin that one's result, or TODO_KEY_REUSED. */
void todo_keys_answer_twin(struct todo_operation *operation, struct todo_operation *twin);

/* Outside of a transaction: asks what the keys have been used for. Users that know their result
 * by that have it, and come first in `users`; gives how many. */
bool todo_keys_find(struct todo_keys *keys, const struct todo_store_handle *handle,
                    size_t *settled, struct error *err);

#endif
