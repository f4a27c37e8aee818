#include "schema/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct history_books books = {
    .migrations = "todobackend_migrations",
    .statements = "todobackend_migration_statements",
};
static const struct history_books former_books = {
    .migrations = "schema_migrations",
    .statements = "schema_migration_statements",
};
static const char *const book_columns[] = {"version", "name",       "checksum",
                                           "state",   "started_at", "milliseconds"};

#define BOOK_COLUMNS (sizeof(book_columns) / sizeof(book_columns[0]))
#define SQL_SIZE     256
static const char doing[] = "read which migrations the database has had";

/* What the tables of the database tell before their rows are read. */
struct tables {
    struct history *history;
    bool has_signature;
};

/* The columns of a table that has the name of one of our books. */
struct book {
    const char *table;
    size_t columns;
    size_t ours; /* of those, which are as in book_columns */
    bool has_compatible;
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
    *history = (struct history){
        .migrations = driver->migrations, .count = *driver->migration_count, .books = &books};
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

    if (strcmp(name, migrations_baseline.table) == 0)
        tables->history->has_table = true;
    if (strcmp(name, migrations_baseline.signature) == 0)
        tables->has_signature = true;
}

static void read_column(const char *const *columns, void *context)
{
    struct book *found = context;
    const char *name = read_text(columns[1]);

    while (strcmp(found->table, read_text(columns[0])) != 0) {
        found++;
        if (!found->table)
            return;
    }
    found->columns++;
    for (size_t i = 0; i < BOOK_COLUMNS; i++)
        found->ours += strcmp(name, book_columns[i]) == 0;
    found->has_compatible = found->has_compatible || strcmp(name, "compatible_with") == 0;
}

/* Former books that are ours come first: then no other program has made anything in the new
 * ones, but perhaps empty tables. */
static bool find_books(struct history *history, struct db_session *session, struct error *err)
{
    struct book found[] = {
        {.table = former_books.migrations}, {.table = books.migrations}, {.table = NULL}};
    bool is_former;

    if (!db_session_query(session, session->driver->columns, doing, read_column, found, err))
        return false;
    is_former = found[0].ours == BOOK_COLUMNS;
    history->books = is_former ? &former_books : &books;
    history->has_bookkeeping = is_former || found[1].columns > 0;
    history->has_compatible = found[is_former ? 0 : 1].has_compatible;
    history->is_foreign = found[0].columns > 0 && !is_former;
    return true;
}

static void read_unknown(const char *const *columns, struct history *history)
{
    unsigned needs;

    history->unknown = (unsigned)read_unsigned(columns[0]);
    snprintf(history->unknown_name, sizeof(history->unknown_name), "%s", read_text(columns[1]));
    /* who doesn't say so is compatible with nobody else */
    needs = columns[6] ? (unsigned)read_unsigned(columns[6]) : history->unknown;
    if (needs > history->needs)
        history->needs = needs;
}

static void read_migration(const char *const *columns, void *context)
{
    struct history *history = context;
    size_t i = find_version(history, columns[0]);

    if (i == history->count) {
        read_unknown(columns, history);
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

/* The statements' table is made first: where the other one is, it is. */
static bool read_books(struct history *history, struct db_session *session, struct error *err)
{
    char migrations_sql[SQL_SIZE];
    char statements_sql[SQL_SIZE];

    snprintf(migrations_sql, sizeof(migrations_sql),
             "SELECT version, name, checksum, state, started_at, milliseconds, %s FROM %s"
             " ORDER BY version",
             history->has_compatible ? "compatible_with" : "NULL", history->books->migrations);
    snprintf(statements_sql, sizeof(statements_sql),
             "SELECT version, COUNT(*), COUNT(done_at) FROM %s GROUP BY version",
             history->books->statements);
    return db_session_query(session, migrations_sql, doing, read_migration, history, err) &&
           db_session_query(session, statements_sql, doing, read_statements, history, err);
}

bool history_load(struct history *history, struct db_session *session, struct error *err)
{
    struct tables tables = {.history = history};
    unsigned long count = 0;

    if (!db_session_query(session, session->driver->tables, doing, read_table, &tables, err) ||
        !find_books(history, session, err))
        return false;
    if (history->has_bookkeeping && !read_books(history, session, err))
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

/* A newer program's migrations come after all of ours: it has done those, or is the one to do
 * them. */
static bool judge_unknown(const struct history *history, struct error *err)
{
    unsigned version = history->migrations[history->count - 1].version;

    if (history->unknown && history->needs > version)
        return error_set(err, ERROR_SCHEMA_NEWER,
                         "the database has had migration %u (%s), which this program, of schema"
                         " version %u, doesn't know, and is compatible only with programs of"
                         " schema version %u and later: use one of those",
                         history->unknown, history->unknown_name, version, history->needs);
    if (history->unknown && history_pending(history) > 0)
        return error_set(
            err, ERROR_SCHEMA_NEWER,
            "the database has had migration %u (%s), which this program, of schema"
            " version %u, doesn't know, and not all before it: use a newer program",
            history->unknown, history->unknown_name, version);
    return true;
}

bool history_is_newer(const struct history *history, char *text, size_t size)
{
    *text = '\0';
    if (history->unknown)
        snprintf(text, size,
                 "the database has had migration %u (%s), which this program, of schema version"
                 " %u, doesn't know: newer and compatible",
                 history->unknown, history->unknown_name,
                 history->migrations[history->count - 1].version);
    return history->unknown > 0;
}

bool history_judge(const struct history *history, struct error *err)
{
    if (!judge_unknown(history, err))
        return false;
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
