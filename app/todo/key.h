#ifndef TODO_KEY_H
#define TODO_KEY_H

/* By what a creation is known when it is asked for again. Pure values. */

#include "todo/edits.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TODO_KEY_MAX 255 /* characters, the column's width */

/* The client's name for a creation, and a hash of what it asks for. Who makes the hashes of two
 * requests equal on purpose deceives himself alone. */
struct todo_key {
    int64_t fingerprint;
    size_t length;
    char text[TODO_KEY_MAX + 1]; /* visible ASCII and spaces, followed by a NUL */
};

/* Sets the fingerprint: of the todo that is created, not of the bytes that ask for it. Of two
 * bodies that mean the same, the one is the other's repetition. */
void todo_key_set_fingerprint(struct todo_key *key, const struct todo_change *change,
                              enum todo_url_format format);

/* The same of many that are created together: before they are. */
void todo_key_set_fingerprint_of_many(struct todo_key *key, const struct todo_edits *edits,
                                      enum todo_url_format format);

enum todo_key_state {
    TODO_KEY_FREE,
    TODO_KEY_USED, /* todos were created with it within the last 24 hours */
    TODO_KEY_HELD, /* by a transaction of somebody else that has not ended */
};

/* A key, and the todos that are, or were, created with it. */
struct todo_key_use {
    const struct todo_key *key;
    int64_t *ids; /* in the order of their creation; the caller's */
    size_t id_count;

    /* Found in the database. */
    enum todo_key_state state;
    bool is_same; /* a request of this fingerprint used it, and `ids` are those of its todos */
};

/* Notes that it is used: `ids` is text, "7,8,9". */
void todo_key_use_read(struct todo_key_use *use, int64_t fingerprint, const char *ids);

#endif
