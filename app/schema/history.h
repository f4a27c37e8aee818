#ifndef SCHEMA_HISTORY_H
#define SCHEMA_HISTORY_H

/*
 * Which migrations a database has had: what two tables say, todobackend_migrations (a row a
 * migration) and todobackend_migration_statements (a row a statement: begun_at, done_at). Read
 * by the runner and by those who only look.
 *
 * The first versions called them schema_migrations and schema_migration_statements, as other
 * tools call theirs. Where those are ours, by their columns, they stay in use under that name:
 * it is where a program of such a version looks, and if they were renamed, it could not be gone
 * back to. A schema_migrations of another tool is left alone.
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

/* The tables' names. */
struct history_books {
    const char *migrations;
    const char *statements;
};

struct history {
    const struct migration *migrations;
    size_t count;
    struct history_record *records; /* `count`, as the migrations */
    const struct history_books *books;
    bool has_bookkeeping; /* those are there */
    bool has_compatible;  /* and have the column compatible_with, younger than they */
    bool is_foreign;      /* there is a schema_migrations that isn't ours */
    bool has_table;       /* migrations_baseline's */
    bool is_original;     /* the original made that one */
    unsigned unknown;     /* highest version that is in the database only; 0: none */
    char unknown_name[104];
    unsigned needs; /* the oldest schema version of a program that works with all of those */
};

/* Starts a history of a database that nothing is known of: everything is pending. */
bool history_init(struct history *history, const struct db_session_driver *driver,
                  struct error *err);
void history_release(struct history *history);

/* Reads into an initialised history. Changes nothing in the database. */
bool history_load(struct history *history, struct db_session *session, struct error *err);

/* Whether a run may go on from here: ERROR_SCHEMA_NEWER, ERROR_MIGRATION_CHANGED, and
 * ERROR_MIGRATION_FAILED for tables that don't fit together, with what a person can do. True
 * with unknown migrations that are all compatible with this program. */
bool history_judge(const struct history *history, struct error *err);

/* Whether the database has had migrations that this program doesn't know, though it may work
 * with them; the text says so to a person, "" if not. Of a history that was judged well. */
bool history_is_newer(const struct history *history, char *text, size_t size);

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
