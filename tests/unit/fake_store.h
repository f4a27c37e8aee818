#ifndef FAKE_STORE_H
#define FAKE_STORE_H

/*
 * A database of todos in memory, and stores on it, to see what the queue asks of one. It fails
 * when told to, holds a call in the air when told to, writes down what it was asked, and
 * complains when a rule of todo/store.h is broken. Each call but fake_open is for any thread.
 */

#include "base/buffer.h"
#include "work/store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_ROWS_MAX   128
#define FAKE_TITLE_SIZE 64
#define FAKE_FAULTS_MAX 3
#define FAKE_LOCKED_MAX 8
#define FAKE_KEYS_MAX   16

enum fake_call {
    FAKE_NO_CALL,
    FAKE_LIST,
    FAKE_FETCH,
    FAKE_QUERY,
    FAKE_BEGIN,
    FAKE_LOAD,
    FAKE_LOAD_ALL,
    FAKE_INSERT,
    FAKE_UPDATE,
    FAKE_DELETE,
    FAKE_CLEAR,
    FAKE_COMMIT,
    FAKE_ROLL_BACK,
    FAKE_CHECK,
    FAKE_INSERT_KEYS,
    FAKE_FIND_KEYS,
    FAKE_CALL_COUNT,
};

/* From the nth call of this kind on (1: the first), `times` calls fail. */
struct fake_fault {
    enum fake_call call;
    unsigned nth;
    unsigned times;
    enum error_code code;
    bool applied; /* of a commit: it happened, only its answer was lost */
};

struct fake_row {
    int64_t id;
    bool has_title;
    char title[FAKE_TITLE_SIZE];
    bool completed;
    bool has_order;
    int64_t order;
    enum todo_url_format url_format;
};

struct fake_key {
    char text[TODO_KEY_MAX + 1];
    int64_t fingerprint;
    int64_t id; /* of the todo that was created with it */
};

struct fake_table {
    struct fake_row rows[FAKE_ROWS_MAX]; /* sorted by id */
    size_t count;
    struct fake_key keys[FAKE_KEYS_MAX];
    size_t key_count;
};

struct fake_database {
    struct fake_fault faults[FAKE_FAULTS_MAX];
    const char *bad_title; /* insert and update of this title fail: ERROR_DATABASE */
    int64_t next_id;
    uint32_t increment; /* between the ids of one insert */
    /* Rows that somebody else has locked: loading one of them conflicts, and so does a clear.
     */
    int64_t locked[FAKE_LOCKED_MAX]; /* 0: none */
    bool is_gap_locked;              /* an insert conflicts */
    const char *held_key;            /* that somebody else is about to insert */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fake_table table; /* what is committed */
    unsigned calls[FAKE_CALL_COUNT];
    /* "begin load:1,2 insert:1 update:1 delete:2 commit", each after a blank. Calls that are
     * given nothing leave no trace, as a database is sent nothing for them. */
    struct buffer trace;
    struct buffer complaints;
    enum fake_call held_call;
    unsigned held;       /* calls in the air */
    unsigned generation; /* of holding: a change lets go */
    unsigned opened;     /* stores */
    unsigned closed;
};

struct todo_store {
    struct fake_database *database;
    struct fake_table working; /* of the transaction */
    bool in_transaction;
    bool is_failed; /* a change failed: only roll_back may come */
    int64_t loaded[FAKE_ROWS_MAX];
    size_t loaded_count;
    bool has_thread;
    pthread_t thread; /* that made the first call */
};

/* An empty database whose first id is 1. */
void fake_init(struct fake_database *database);

/* Says what was complained about, with the name of the test's row; returns whether there was
 * nothing, every store is closed and no call is held. */
bool fake_release(struct fake_database *database, const char *row);

/* Adds a committed row: "milk" is open and without order; NULL has no title. */
void fake_add(struct fake_database *database, const char *title);

/* A todo of this title (see fake_add), which is gone, was created with the key. */
void fake_use_key(struct fake_database *database, const char *text, const char *title,
                  int64_t id);

bool fake_open(void *database, struct todo_store_handle *handle, struct error *err);

/* Holds calls of this kind from now on, when they have done their work and before they return;
 * lets go of all others. */
void fake_hold(struct fake_database *database, enum fake_call call);

/* Waits until so many calls are held; false after some seconds. */
bool fake_wait_held(struct fake_database *database, unsigned count);

/* Lets go of all held calls, and holds no more. */
void fake_let_go(struct fake_database *database);

/* Somebody else locks this row; with 0, lets go of all. */
void fake_lock(struct fake_database *database, int64_t id);

unsigned fake_calls(struct fake_database *database, enum fake_call call);

/* The committed rows as text: "1 milk done 5; 2 - open -". */
void fake_describe_table(struct fake_database *database, struct buffer *out);
void fake_describe_todo(const struct todo *todo, struct buffer *out);

/* A time a few seconds from now, after which a test gives up waiting. */
struct timespec fake_patience(void);

#endif
