#ifndef TRIAL_H
#define TRIAL_H

/*
 * A fault, and each kind of request under it: all are sent at the same moment, to two servers
 * on databases of their own (the second is for the deletion of all, which would spoil the
 * others). Then the fault ends, the servers come back by themselves, and what the database
 * holds is compared with what the clients were told.
 */

#include "database.h"
#include "relay.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trial_kind {
    TRIAL_LIST,
    TRIAL_FETCH,
    TRIAL_CREATE,
    TRIAL_REPLACE,
    TRIAL_CHANGE,
    TRIAL_DELETE,
    TRIAL_CLEAR,
    TRIAL_READY,
    TRIAL_ALIVE,
    TRIAL_KINDS,
};

/* What a request must be answered. A refusal is a 503 that says either that nothing was changed
 * or that this is not known, and is right; where only one of them can be right, it is named. */
enum trial_answer {
    SERVED,
    REFUSED,
    NOTHING_CHANGED,
    NOT_KNOWN,
};

/* TRIAL_READY: whether /readyz comes to say no, or never does. */
#define TRIAL_ANSWERS(reads, writes, ready)                                                    \
    {                                                                                          \
        reads, reads, writes, writes, writes, writes, writes, ready, SERVED                    \
    }

struct trial;

struct trial_fault {
    const char *name;
    enum trial_answer wanted[TRIAL_KINDS];
    const char *log; /* what names it in the log; NULL: nobody notices */
    bool is_alone;   /* it is of the whole database server */
    struct relay_rule rule;
    unsigned error;                     /* that all changes fail with, of MySQL's */
    void (*begin)(struct trial *trial); /* NULL: nothing but the rule */
    void (*end)(struct trial *trial);
};

struct trial_request {
    struct trial *trial;
    enum trial_kind kind;
    pthread_t thread;
    struct client_response response;
    uint64_t took; /* milliseconds */
    long effect;   /* how often it is done in the database; 2: or in part */
    bool failed;   /* a check */
};

#define TRIAL_DATABASES 2
#define TRIAL_STIRRERS  3

struct trial {
    const struct trial_fault *fault;
    struct server servers[TRIAL_DATABASES];
    char databases[TRIAL_DATABASES][64]; /* MySQL */
    char user[32];
    struct relay *relay;
    unsigned ids[TRIAL_KINDS];
    struct trial_request requests[TRIAL_KINDS];
    uint64_t came_back_in; /* milliseconds */
    long total;            /* todos afterwards */
    char wrong[200];       /* with the fault itself */

    /* The fault's own. */
    void *sessions[16];
    pthread_t stirrers[TRIAL_STIRRERS];
    atomic_bool is_over;
    long number;
};

/* Runs them, those that are alone after the others, which run at the same time; checks; and
 * prints what came as a table. TEST_FAULT names a part of the names of those that run. */
void trials_run(const struct trial_fault *faults, size_t count);

/* For a fault's begin and end, on any thread: runs SQL on one of the two databases with all
 * rights; gives the first column of the first row as a number, 0 without. A failure is noted in
 * `wrong`. */
long trial_sql(struct trial *trial, size_t database, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where SQLite's file of one of the two servers is. */
void trial_path(const struct trial *trial, size_t database, char *path, size_t size);

/* Notes the first thing that went wrong with the fault. */
void trial_note(struct trial *trial, const char *what);

#endif
