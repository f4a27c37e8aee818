#ifndef WORK_STORE_H
#define WORK_STORE_H

/*
 * What a database must be able to do for the todos. store/mysql.c and store/sqlite.c do it. A
 * store is one connection and belongs to one thread. It connects when it is first used and
 * again after its connection was lost; a call that finds no connection fails with
 * ERROR_UNAVAILABLE.
 *
 * Reads (list, fetch, query) stand alone. Changes stand between begin and commit or roll_back.
 * A change that fails leaves the transaction to be rolled back, by roll_back. The error's code
 * tells what to do (base/error.h): ERROR_CONFLICT: the same again, later; from begin: somebody
 * has locked the whole database; ERROR_UNAVAILABLE: the same again on a new connection, nothing
 * was committed; ERROR_TAKEN: one of the keys of insert_keys is there already, or somebody else
 * is about to insert it; ERROR_OUTCOME_UNKNOWN: only from commit, which may or may not have
 * happened; ERROR_REFUSED: not with these values; ERROR_LIMIT: not so much; ERROR_DATABASE: it
 * can't. The last three may lie in one todo of many.
 */

#include "base/error.h"
#include "todo/key.h"
#include "todo/list.h"
#include "todo/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A todo to be inserted. Its url column becomes base_url/todos/ID and the suffix of
 * todo.url_format: what the original serves if it takes over again. */
struct todo_insert {
    struct todo todo;     /* id is set by insert */
    const char *base_url; /* "http://host" */
};

struct todo_store; /* what a database keeps for itself */
struct todo_outage;

/* What is sent for one todo, for all, or by an update of many, with ? in the place of each
 * value, and of each list only the first: for people. */
struct todo_statements {
    const char *list, *fetch, *insert, *update, *update_many, *delete, *clear;
};

struct todo_store_driver {
    struct todo_statements statements;

    /* Until the next call, each statement has a comment that says this: a traceparent, which
     * is borrowed for that long; NULL: none. NULL where the database sees no comments. */
    void (*set_trace)(struct todo_store *store, const char *traceparent);

    /* On the thread that used the store, as its last call: it also gives back what the
     * database's library keeps for that thread. */
    void (*close)(struct todo_store *store);

    /* All todos; todos with these ids (sorted, distinct) that exist. Both in order of id, into
     * an empty list. */
    bool (*list)(struct todo_store *store, struct todo_list *out, struct error *err);
    bool (*fetch)(struct todo_store *store, const int64_t *ids, size_t count,
                  struct todo_list *out, struct error *err);

    /* The todos of a query, as todo_query_finish wants them, into an empty list. */
    bool (*query)(struct todo_store *store, const struct todo_query *query,
                  struct todo_list *out, struct error *err);

    /* `waits`: load_for_update waits for what somebody else has locked, for some milliseconds;
     * else, as clear always does, it fails at once with ERROR_CONFLICT, as far as the database
     * can. */
    bool (*begin)(struct todo_store *store, bool waits, struct error *err);
    /* fetch, and locks the rows until the end of the transaction. */
    bool (*load_for_update)(struct todo_store *store, const int64_t *ids, size_t count,
                            struct todo_list *out, struct error *err);
    /* list, and locks the table until the end of the transaction, whose first call it is: no
     * todo of it is changed, and none added to it. Doesn't wait, as clear. */
    bool (*list_for_update)(struct todo_store *store, struct todo_list *out, struct error *err);
    bool (*insert)(struct todo_store *store, struct todo_insert *inserts, size_t count,
                   struct error *err);
    /* The todos must have been loaded for update in this transaction, and be sorted by id. An
     * update or deletion may be left to the next call, and fail there. */
    bool (*update)(struct todo_store *store, const struct todo *const *todos, size_t count,
                   struct error *err);
    bool (*delete)(struct todo_store *store, const int64_t *ids, size_t count,
                   struct error *err);
    bool (*clear)(struct todo_store *store, struct error *err);
    /* Notes which todos were created with these keys (sorted by text, distinct), after insert
     * and before update and delete. May be left to the next call, and fail there: ERROR_TAKEN.
     */
    bool (*insert_keys)(struct todo_store *store, const struct todo_key_use *uses, size_t count,
                        struct error *err);
    bool (*commit)(struct todo_store *store, struct error *err);
    void (*roll_back)(struct todo_store *store);

    /* Outside of a transaction: what is known of these keys. A use that is older than 24 hours
     * is forgotten. */
    bool (*find_keys)(struct todo_store *store, struct todo_key_use *uses, size_t count,
                      struct error *err);
    /* Outside of a transaction: forgets some of the uses that are older, now and then; to be
     * called often. That it fails is no harm. */
    void (*forget_keys)(struct todo_store *store);

    /* Outside of a transaction: whether a change would be made. Changes nothing. After a change
     * found no room, it fails with that reason until there is room, which it sees within
     * seconds. */
    bool (*check)(struct todo_store *store, struct error *err);
};

/* The two are made together: store/mysql.h, store/sqlite.h. */
struct todo_store_handle {
    const struct todo_store_driver *driver;
    struct todo_store *store;
    struct todo_outage *outage; /* where its failures are noted; set by who opens it */
};

#endif
