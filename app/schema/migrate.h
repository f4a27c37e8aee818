#ifndef SCHEMA_MIGRATE_H
#define SCHEMA_MIGRATE_H

/*
 * Schema migrations: which there are (embedded at build time from migrations/), which a
 * database has had, and how the rest are applied. One run at a time: it holds a lock of the
 * database's own. Each statement is journalled (begun, done),
 * because MySQL commits every DDL by itself and finishes one whose client was killed.
 */

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* One migration file, embedded. */
struct migration {
    unsigned version;   /* 1 for 0001_initial.sql */
    const char *name;   /* "0001_initial" */
    const char *sha256; /* of the file but its `-- compatible with:`, 64 hexadecimal digits */
    unsigned compatible_with; /* the schema version of the oldest program that works on a
                                 database that has had this */
    const struct migration_statement *statements;
    size_t statement_count;
};

struct migration_statement {
    const char *sql;
    const char *done_when; /* a query that gives one row of 1 when the effect is there: such a
                              statement isn't run, and one that ran must make it give 1. NULL
                              only for a statement that may be run twice */
};

enum migration_state {
    MIGRATION_PENDING,
    MIGRATION_APPLIED,
    MIGRATION_ADOPTED,    /* recorded as the baseline of a database that the original made */
    MIGRATION_INCOMPLETE, /* begun and not finished */
};

struct migrate_options {
    unsigned wait;            /* seconds to wait for the database, and for another run's lock */
    unsigned lock_wait;       /* seconds to wait for both, if it is the longer */
    const atomic_bool *stop;  /* looked at before each statement; NULL: never stops */
    atomic_bool *is_changing; /* set before the first look at `stop`: as long as it isn't,
                                 nothing is changed; may be NULL */
    void (*report)(const char *line, void *context); /* progress for a person; may be NULL */
    void *context;
};

/* What a run did, for a person and for --json. */
struct migrate_result {
    unsigned applied; /* migrations applied by this run */
    unsigned adopted; /* migrations recorded as baseline by this run */
    unsigned version; /* the schema's version afterwards */
    char newer[256];  /* says for a person which migrations the database has had that this
                         program doesn't know, and may work with all the same; else "" */
};

/* Brings the schema up to date. Safe to call from many processes at once. */
bool migrate_run(const struct config *config, const struct migrate_options *options,
                 struct migrate_result *result, struct error *err);

/* Whether this program can work on the schema as it is: ERROR_SCHEMA_PENDING when a migration
 * is pending (the text says `app migrate`), ERROR_SCHEMA_NEWER when it had one that isn't
 * compatible with this program, ERROR_MIGRATION_CHANGED, ERROR_MIGRATION_FAILED (half applied,
 * or the table isn't as the requirements want it), ERROR_UNAVAILABLE. Takes no lock, changes
 * nothing. */
bool migrate_check(const struct config *config, struct migrate_result *result,
                   struct error *err);

/* --status and --plan: writes a table of all migrations and their states, or the SQL that a run
 * would execute, as text or as JSON. Change nothing. */
bool migrate_print_status(const struct config *config, bool json, struct buffer *out,
                          struct error *err);
bool migrate_print_plan(const struct config *config, bool json, struct buffer *out,
                        struct error *err);

#endif
