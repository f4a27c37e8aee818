#include "todo/key.h"

#include <stdlib.h>

/* FNV-1a, of 64 bits. */
#define HASH_START 14695981039346656037U
#define HASH_PRIME 1099511628211U

static uint64_t add_bytes(uint64_t hash, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * HASH_PRIME;
    return hash;
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    for (unsigned shift = 0; shift < 64; shift += 8)
        hash = (hash ^ ((number >> shift) & 0xff)) * HASH_PRIME;
    return hash;
}

static uint64_t add_todo(uint64_t hash, const struct todo *todo)
{
    hash = add_number(hash, todo->title != NULL);
    hash = add_number(hash, todo->title_length);
    if (todo->title)
        hash = add_bytes(hash, todo->title, todo->title_length);
    hash = add_number(hash, todo->completed);
    hash = add_number(hash, todo->has_order);
    return add_number(hash, (uint64_t)todo->order);
}

void todo_key_set_fingerprint(struct todo_key *key, const struct todo_change *change,
                              enum todo_url_format format)
{
    struct todo todo = {0};

    todo_apply(&todo, change);
    key->fingerprint = (int64_t)add_todo(add_number(HASH_START, format), &todo);
}

void todo_key_set_fingerprint_of_many(struct todo_key *key, const struct todo_edits *edits,
                                      enum todo_url_format format)
{
    uint64_t hash = add_number(add_number(HASH_START, format), edits->count);

    for (size_t i = 0; i < edits->count; i++)
        hash = add_todo(hash, &edits->edits[i].todo);
    key->fingerprint = (int64_t)hash;
}

void todo_key_use_read(struct todo_key_use *use, int64_t fingerprint, const char *ids)
{
    size_t count = 0;

    for (char *end = NULL; *ids; ids = *end ? end + 1 : end) {
        int64_t id = strtoll(ids, &end, 10);

        if (end == ids)
            break;
        if (count < use->id_count)
            use->ids[count] = id;
        count++;
    }
    use->state = TODO_KEY_USED;
    use->is_same = fingerprint == use->key->fingerprint && count == use->id_count;
}
