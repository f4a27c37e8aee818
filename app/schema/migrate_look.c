#include "schema/migrate.h"

#include "schema/history.h"
#include "schema/session.h"

#include <string.h>

/* Of a database that doesn't exist yet, everything is pending; looking mustn't make it. */
static bool look(const struct config *config, struct history *history,
                 const struct db_session_driver **driver, struct error *err)
{
    static const struct db_session_wait no_wait;
    struct db_session session = {0};
    bool good;

    good = db_session_open_existing(&session, config, &no_wait, err) &&
           history_init(history, session.driver, err) &&
           (!session.connection || history_load(history, &session, err));
    *driver = session.driver;
    db_session_close(&session);
    return good;
}

static bool judge_progress(const struct history *history, struct error *err)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *record = &history->records[i];

        if (record->state == MIGRATION_INCOMPLETE)
            return error_set(err, ERROR_MIGRATION_FAILED,
                             "%s was begun at %s UTC, %zu of %zu statements are done: wait for"
                             " the `app migrate` that is at it, or run it again to go on",
                             history->migrations[i].name, record->when, record->done,
                             history->migrations[i].statement_count);
    }
    if (history_pending(history) > 0)
        return error_set(err, ERROR_SCHEMA_PENDING,
                         "the schema's version is %u, and this program needs %u: run"
                         " `app migrate`",
                         history_version(history),
                         history->migrations[history->count - 1].version);
    return true;
}

bool migrate_check(const struct config *config, struct error *err)
{
    const struct db_session_driver *driver;
    struct history history = {0};
    bool good;

    good = look(config, &history, &driver, err) && history_judge(&history, err) &&
           judge_progress(&history, err);
    history_release(&history);
    return good;
}

static const char *state_of(const struct history_record *record)
{
    return record->is_changed ? "changed" : history_state_name(record->state);
}

static void print_status_text(const struct history *history, struct buffer *out)
{
    buffer_append_format(out, "%-32s  %-10s  %-19s  %s\n", "MIGRATION", "STATE", "WHEN (UTC)",
                         "TOOK");
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *record = &history->records[i];

        buffer_append_format(out, "%-32s  ", history->migrations[i].name);
        if (record->state == MIGRATION_PENDING)
            buffer_append_text(out, state_of(record));
        else
            buffer_append_format(out, "%-10s  %-19s", state_of(record), record->when);
        if (record->state == MIGRATION_APPLIED)
            buffer_append_format(out, "  %lu ms", record->milliseconds);
        if (record->state == MIGRATION_INCOMPLETE)
            buffer_append_format(out, "  %zu of %zu statements", record->done,
                                 history->migrations[i].statement_count);
        buffer_append_char(out, '\n');
    }
    if (history->unknown)
        buffer_append_format(out, "%-32s  unknown\n", history->unknown_name);
}

static void append_member(struct buffer *out, const char *name, const char *text)
{
    buffer_append_format(out, ",\"%s\":", name);
    buffer_append_json(out, text, strlen(text));
}

static void print_migration_json(const struct history *history, size_t i, struct buffer *out)
{
    const struct migration *migration = &history->migrations[i];
    const struct history_record *record = &history->records[i];

    buffer_append_format(out, "%s{\"version\":%u", i ? "," : "", migration->version);
    append_member(out, "name", migration->name);
    append_member(out, "state", state_of(record));
    if (record->state == MIGRATION_PENDING) {
        buffer_append_text(out, ",\"when\":null,\"milliseconds\":null");
    } else {
        /* "2026-01-31 12:00:00" -> "2026-01-31T12:00:00Z" */
        buffer_append_format(out, ",\"when\":\"%.10sT%.8sZ\",\"milliseconds\":%lu",
                             record->when, strlen(record->when) == 19 ? record->when + 11 : "",
                             record->milliseconds);
    }
    buffer_append_format(out, ",\"statements\":%zu,\"statements_done\":%zu",
                         migration->statement_count,
                         history_is_done(record) ? migration->statement_count : record->done);
    append_member(out, "sha256", migration->sha256);
    buffer_append_char(out, '}');
}

static void print_status_json(const struct history *history, const char *database,
                              struct buffer *out)
{
    buffer_append_format(out, "{\"database\":\"%s\",\"version\":%u,\"pending\":%u", database,
                         history_version(history), history_pending(history));
    append_member(out, "unknown", history->unknown_name);
    buffer_append_text(out, ",\"migrations\":[");
    for (size_t i = 0; i < history->count; i++)
        print_migration_json(history, i, out);
    buffer_append_text(out, "]}\n");
}

bool migrate_print_status(const struct config *config, bool json, struct buffer *out,
                          struct error *err)
{
    const struct db_session_driver *driver;
    struct history history = {0};
    bool good = look(config, &history, &driver, err);

    if (good && json)
        print_status_json(&history, driver->name, out);
    else if (good)
        print_status_text(&history, out);
    history_release(&history);
    if (good && out->failed)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    return good;
}

static void print_statement_text(const struct migration_statement *statement,
                                 struct buffer *out)
{
    if (statement->done_when) {
        buffer_append_text(out, "-- not run where this gives 1:\n--   ");
        for (const char *byte = statement->done_when; *byte; byte++) {
            buffer_append_char(out, *byte);
            if (*byte == '\n')
                buffer_append_text(out, "--   ");
        }
        buffer_append_char(out, '\n');
    }
    buffer_append_format(out, "%s;\n\n", statement->sql);
}

static void print_plan_text(const struct history *history, struct buffer *out)
{
    if (history_pending(history) == 0)
        buffer_append_text(out, "-- nothing to do\n");
    for (size_t i = 0; i < history->count; i++) {
        const struct migration *migration = &history->migrations[i];
        const struct history_record *record = &history->records[i];
        bool adopts = i == 0 && history_adopts(history);

        if (history_is_done(record))
            continue;
        buffer_append_format(out, "-- %s%s\n\n", migration->name,
                             adopts ? ": the original application made this, only recorded"
                                    : "");
        for (size_t j = record->done; !adopts && j < migration->statement_count; j++)
            print_statement_text(&migration->statements[j], out);
    }
}

static void print_statements_json(const struct migration *migration, size_t first,
                                  struct buffer *out)
{
    for (size_t i = first; i < migration->statement_count; i++) {
        const struct migration_statement *statement = &migration->statements[i];

        buffer_append_text(out, i > first ? ",{\"sql\":" : "{\"sql\":");
        buffer_append_json(out, statement->sql, strlen(statement->sql));
        if (statement->done_when)
            append_member(out, "done_when", statement->done_when);
        buffer_append_char(out, '}');
    }
}

static void print_plan_json(const struct history *history, struct buffer *out)
{
    const char *separator = "";

    buffer_append_text(out, "{\"plan\":[");
    for (size_t i = 0; i < history->count; i++) {
        const struct migration *migration = &history->migrations[i];
        bool adopts = i == 0 && history_adopts(history);

        if (history_is_done(&history->records[i]))
            continue;
        buffer_append_format(
            out, "%s{\"version\":%u,\"name\":\"%s\",\"adopt\":%s,\"statements\":[", separator,
            migration->version, migration->name, adopts ? "true" : "false");
        if (!adopts)
            print_statements_json(migration, history->records[i].done, out);
        buffer_append_text(out, "]}");
        separator = ",";
    }
    buffer_append_text(out, "]}\n");
}

bool migrate_print_plan(const struct config *config, bool json, struct buffer *out,
                        struct error *err)
{
    const struct db_session_driver *driver;
    struct history history = {0};
    bool good = look(config, &history, &driver, err) && history_judge(&history, err);

    if (good && json)
        print_plan_json(&history, out);
    else if (good)
        print_plan_text(&history, out);
    history_release(&history);
    if (good && out->failed)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    return good;
}
