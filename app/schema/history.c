#include "schema/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char migrations_sql[] =
    "SELECT version, name, checksum, state, started_at, milliseconds FROM schema_migrations"
    " ORDER BY version";
static const char statements_sql[] = "SELECT version, COUNT(*), COUNT(done_at)"
                                     " FROM schema_migration_statements GROUP BY version";
static const char doing[] = "read which migrations the database has had";

/* What the tables of the database tell before their rows are read. */
struct tables {
    struct history *history;
    bool has_signature;
};

static const char *const state_names[] = {
    [MIGRATION_PENDING] = "pending",
    [MIGRATION_APPLIED] = "applied",
    [MIGRATION_ADOPTED] = "adopted",
    [MIGRATION_INCOMPLETE] = "incomplete",
};

const char *history_state_name(enum migration_state state)
{
    return state_names[state];
}

/* A state that an unknown word says is one that needs a look: incomplete. */
static enum migration_state find_state(const char *name)
{
    if (strcmp(name, state_names[MIGRATION_APPLIED]) == 0)
        return MIGRATION_APPLIED;
    return strcmp(name, state_names[MIGRATION_ADOPTED]) == 0 ? MIGRATION_ADOPTED
                                                             : MIGRATION_INCOMPLETE;
}

bool history_init(struct history *history, const struct db_session_driver *driver,
                  struct error *err)
{
    *history =
        (struct history){.migrations = driver->migrations, .count = *driver->migration_count};
    history->records = calloc(history->count, sizeof(*history->records));
    return history->records || error_set(err, ERROR_SYSTEM, "out of memory");
}

void history_release(struct history *history)
{
    free(history->records);
    *history = (struct history){0};
}

static unsigned long read_unsigned(const char *column)
{
    return column ? strtoul(column, NULL, 10) : 0;
}

static const char *read_text(const char *column)
{
    return column ? column : "";
}

static size_t find_version(const struct history *history, const char *column)
{
    unsigned long version = read_unsigned(column);
    size_t i = 0;

    while (i < history->count && history->migrations[i].version != version)
        i++;
    return i;
}

static void read_table(const char *const *columns, void *context)
{
    struct tables *tables = context;
    const char *name = read_text(columns[0]);

    if (strcmp(name, "schema_migrations") == 0)
        tables->history->has_bookkeeping = true;
    if (strcmp(name, migrations_baseline.table) == 0)
        tables->history->has_table = true;
    if (strcmp(name, migrations_baseline.signature) == 0)
        tables->has_signature = true;
}

static void read_migration(const char *const *columns, void *context)
{
    struct history *history = context;
    size_t i = find_version(history, columns[0]);

    if (i == history->count) {
        history->unknown = (unsigned)read_unsigned(columns[0]);
        snprintf(history->unknown_name, sizeof(history->unknown_name), "%s",
                 read_text(columns[1]));
        return;
    }
    history->records[i].is_changed =
        strcmp(read_text(columns[2]), history->migrations[i].sha256) != 0;
    history->records[i].state = find_state(read_text(columns[3]));
    history->records[i].milliseconds = read_unsigned(columns[5]);
    snprintf(history->records[i].when, sizeof(history->records[i].when), "%s",
             read_text(columns[4]));
}

static void read_statements(const char *const *columns, void *context)
{
    struct history *history = context;
    size_t i = find_version(history, columns[0]);

    if (i == history->count)
        return;
    history->records[i].begun = read_unsigned(columns[1]);
    history->records[i].done = read_unsigned(columns[2]);
}

bool history_load(struct history *history, struct db_session *session, struct error *err)
{
    struct tables tables = {.history = history};
    unsigned long count = 0;

    if (!db_session_query(session, session->driver->tables, doing, read_table, &tables, err))
        return false;
    /* The statements' table is made first: where the other one is, it is. */
    if (history->has_bookkeeping &&
        (!db_session_query(session, migrations_sql, doing, read_migration, history, err) ||
         !db_session_query(session, statements_sql, doing, read_statements, history, err)))
        return false;
    if (tables.has_signature &&
        !db_session_number(session, migrations_baseline.made_sql, doing, &count, err))
        return false;
    history->is_original = count > 0;
    return true;
}

/* Before the first migration there must be nothing, or all that the original makes. */
static bool judge_start(const struct history *history, struct error *err)
{
    if (history->records[0].state != MIGRATION_PENDING ||
        history->has_table == history->is_original)
        return true;
    return error_set(err, ERROR_MIGRATION_FAILED, "%s",
                     history->is_original ? migrations_baseline.no_table
                                          : migrations_baseline.no_maker);
}

bool history_judge(const struct history *history, struct error *err)
{
    if (history->unknown)
        return error_set(err, ERROR_SCHEMA_NEWER,
                         "the database has had migration %u (%s), which this program, of schema"
                         " version %u, doesn't know: use a newer program",
                         history->unknown, history->unknown_name,
                         history->migrations[history->count - 1].version);
    for (size_t i = 0; i < history->count; i++) {
        if (history->records[i].is_changed)
            return error_set(err, ERROR_MIGRATION_CHANGED,
                             "%s.sql isn't the file that this database has had (its SHA-256 is"
                             " %s now): restore the file, and make a new migration of the"
                             " change",
                             history->migrations[i].name, history->migrations[i].sha256);
    }
    return judge_start(history, err);
}

bool history_adopts(const struct history *history)
{
    return history->records[0].state == MIGRATION_PENDING && history->is_original;
}

bool history_is_done(const struct history_record *record)
{
    return record->state == MIGRATION_APPLIED || record->state == MIGRATION_ADOPTED;
}

unsigned history_version(const struct history *history)
{
    unsigned version = history->unknown;

    for (size_t i = 0; i < history->count; i++) {
        if (history_is_done(&history->records[i]) && history->migrations[i].version > version)
            version = history->migrations[i].version;
    }
    return version;
}

unsigned history_pending(const struct history *history)
{
    unsigned pending = 0;

    for (size_t i = 0; i < history->count; i++)
        pending += !history_is_done(&history->records[i]);
    return pending;
}
