#include "schema/migrate.h"

#include "schema/history.h"
#include "schema/requirements.h"
#include "schema/session.h"

#include <string.h>

struct look {
    struct history history;
    const char *database; /* as DATABASE names it */
    struct error fault;   /* of the table, where it is to be as the requirements want it */
};

/* That is before it is adopted, and when nothing is pending: a migration may be what it needs.
 */
static bool look_at_table(struct look *look, struct db_session *session, struct error *err)
{
    if (!history_adopts(&look->history) && history_pending(&look->history) > 0)
        return true;
    return requirements_check(session, &look->fault) ||
           look->fault.code == ERROR_MIGRATION_FAILED ||
           error_set(err, look->fault.code, "%s", look->fault.text);
}

/* Of a database that doesn't exist yet, everything is pending; looking mustn't make it. */
static bool look_at(const struct config *config, struct look *look, struct error *err)
{
    const struct db_session_wait no_wait = {0};
    struct db_session session = {0};
    bool good;

    good = db_session_open_existing(&session, config, &no_wait, err) &&
           history_init(&look->history, session.driver, err) &&
           (!session.connection || (history_load(&look->history, &session, err) &&
                                    look_at_table(look, &session, err)));
    look->database = session.driver->name;
    db_session_close(&session);
    return good;
}

static bool judge(const struct look *look, struct error *err)
{
    return history_judge(&look->history, err) &&
           (look->fault.code == ERROR_NONE ||
            error_set(err, look->fault.code, "%s", look->fault.text));
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

bool migrate_check(const struct config *config, struct migrate_result *result,
                   struct error *err)
{
    struct look look = {.database = NULL};
    bool good;

    *result = (struct migrate_result){0};
    good =
        look_at(config, &look, err) && judge(&look, err) && judge_progress(&look.history, err);
    if (good) {
        result->version = history_version(&look.history);
        history_is_newer(&look.history, result->newer, sizeof(result->newer));
    }
    history_release(&look.history);
    return good;
}

static const char *state_of(const struct history_record *record)
{
    return record->is_changed ? "changed" : history_state_name(record->state);
}

static bool is_compatible(const struct history *history)
{
    return history->needs <= history->migrations[history->count - 1].version;
}

static void print_status_text(const struct look *look, struct buffer *out)
{
    const struct history *history = &look->history;

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
        buffer_append_format(out, "%-32s  unknown     %s\n", history->unknown_name,
                             is_compatible(history) ? "compatible" : "not compatible");
    if (history->is_foreign)
        buffer_append_text(out, "schema_migrations is another program's table\n");
    if (look->fault.code != ERROR_NONE)
        buffer_append_format(out, "%s\n", look->fault.text);
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

static void print_status_json(const struct look *look, struct buffer *out)
{
    const struct history *history = &look->history;

    buffer_append_format(out, "{\"database\":\"%s\",\"version\":%u,\"pending\":%u",
                         look->database, history_version(history), history_pending(history));
    append_member(out, "unknown", history->unknown_name);
    buffer_append_format(out, ",\"compatible\":%s", is_compatible(history) ? "true" : "false");
    append_member(out, "fault", look->fault.text);
    buffer_append_text(out, ",\"migrations\":[");
    for (size_t i = 0; i < history->count; i++)
        print_migration_json(history, i, out);
    buffer_append_text(out, "]}\n");
}

bool migrate_print_status(const struct config *config, bool json, struct buffer *out,
                          struct error *err)
{
    struct look look = {.database = NULL};
    bool good = look_at(config, &look, err);

    if (good && json)
        print_status_json(&look, out);
    else if (good)
        print_status_text(&look, out);
    history_release(&look.history);
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
    char newer[sizeof((struct migrate_result){0}.newer)];

    if (history_is_newer(history, newer, sizeof(newer)))
        buffer_append_format(out, "-- %s\n", newer);
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
    buffer_append_char(out, ']');
    append_member(out, "unknown", history->unknown_name);
    buffer_append_text(out, "}\n");
}

bool migrate_print_plan(const struct config *config, bool json, struct buffer *out,
                        struct error *err)
{
    struct look look = {.database = NULL};
    bool good = look_at(config, &look, err) && judge(&look, err);

    if (good && json)
        print_plan_json(&look.history, out);
    else if (good)
        print_plan_text(&look.history, out);
    history_release(&look.history);
    if (good && out->failed)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    return good;
}
