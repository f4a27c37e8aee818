#ifndef SCHEMA_HISTORY_H
#define SCHEMA_HISTORY_H

/*
 * Which migrations a database has had: what the tables schema_migrations (a row a migration)
 * and schema_migration_statements (a row a statement: begun_at, done_at) say. Read by the
 * runner and by those who only look.
 */

#include "base/error.h"
#include "schema/migrate.h"
#include "schema/session.h"

#include <stdbool.h>
#include <stddef.h>

/* What the database says of a migration that this program knows. Zero: pending. */
struct history_record {
    enum migration_state state;
    bool is_changed; /* the file has another checksum now */
    char when[32];   /* UTC, "2026-01-31 12:00:00"; "" while pending */
    unsigned long milliseconds;
    size_t begun; /* statements that were begun; */
    size_t done;  /* and done: the first `done` ones */
};

struct history {
    const struct migration *migrations;
    size_t count;
    struct history_record *records; /* `count`, as the migrations */
    bool has_bookkeeping;           /* our own tables */
    bool has_table;                 /* migrations_baseline's */
    bool is_original;               /* the original made that one */
    unsigned unknown;               /* a version that is in the database only; 0: none */
    char unknown_name[104];
};

/* Starts a history of a database that nothing is known of: everything is pending. */
bool history_init(struct history *history, const struct db_session_driver *driver,
                  struct error *err);
void history_release(struct history *history);

/* Reads into an initialised history. Changes nothing in the database. */
bool history_load(struct history *history, struct db_session *session, struct error *err);

/* Whether a run may go on from here: ERROR_SCHEMA_NEWER, ERROR_MIGRATION_CHANGED, and
 * ERROR_MIGRATION_FAILED for tables that don't fit together, with what a person can do. */
bool history_judge(const struct history *history, struct error *err);

/* Whether a run would record the first migration without running it: a database that the
 * original made. */
bool history_adopts(const struct history *history);

bool history_is_done(const struct history_record *record);

/* The highest version that is done, 0 for none; how many are not. */
unsigned history_version(const struct history *history);
unsigned history_pending(const struct history *history);

/* A state as it is stored in the database and shown: "pending", "applied", … */
const char *history_state_name(enum migration_state state);

#endif
