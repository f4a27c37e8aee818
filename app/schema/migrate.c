#include "schema/migrate.h"

#include "base/clock.h"
#include "schema/history.h"
#include "schema/requirements.h"
#include "schema/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STATEMENT_TRIES 3 /* where a statement has to wait too long for others' locks */

/* history_books */
#define STATEMENTS_COLUMNS                                                                     \
    " (version int NOT NULL,"                                                                  \
    " statement int NOT NULL,"                                                                 \
    " begun_at datetime NOT NULL,"                                                             \
    " done_at datetime NULL,"                                                                  \
    " PRIMARY KEY (version, statement))"
#define COMPATIBLE_COLUMN "compatible_with int NULL"
#define MIGRATIONS_COLUMNS                                                                     \
    " (version int NOT NULL PRIMARY KEY,"                                                      \
    " name varchar(100) NOT NULL,"                                                             \
    " checksum char(64) NOT NULL,"                                                             \
    " state varchar(16) NOT NULL,"                                                             \
    " started_at datetime NOT NULL,"                                                           \
    " milliseconds bigint NULL,"                                                               \
    " " COMPATIBLE_COLUMN ")"

struct run {
    struct db_session *session;
    const struct history_books *books;
    const struct migrate_options *options;
    struct migrate_result *result;
};

static void report(const struct run *run, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void report(const struct run *run, const char *format, ...)
{
    char line[512];
    va_list arguments;

    if (!run->options->report)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    run->options->report(line, run->options->context);
}

/* UTC, as both databases read it. */
static const char *now_text(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;

    if (!gmtime_r(&now, &utc) || strftime(text, size, "%Y-%m-%d %H:%M:%S", &utc) == 0)
        snprintf(text, size, "1970-01-01 00:00:00");
    return text;
}

/* Runs one statement of the bookkeeping; what is formatted in needs no quoting. */
static bool note(const struct run *run, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool note(const struct run *run, struct error *err, const char *format, ...)
{
    char sql[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    return db_session_run(run->session, sql, "keep the books of the migrations", err);
}

static bool note_migration(const struct run *run, const struct migration *migration,
                           enum migration_state state, struct error *err)
{
    char now[32];

    return note(run, err,
                "INSERT INTO %s (version, name, checksum, state, started_at, milliseconds,"
                " compatible_with) VALUES (%u, '%s', '%s', '%s', '%s', 0, %u)",
                run->books->migrations, migration->version, migration->name, migration->sha256,
                history_state_name(state), now_text(now, sizeof(now)),
                migration->compatible_with);
}

static bool note_applied(const struct run *run, const struct migration *migration,
                         uint64_t milliseconds, struct error *err)
{
    return note(run, err, "UPDATE %s SET state = '%s', milliseconds = %llu WHERE version = %u",
                run->books->migrations, history_state_name(MIGRATION_APPLIED),
                (unsigned long long)milliseconds, migration->version);
}

static bool note_begun(const struct run *run, const struct migration *migration, size_t number,
                       struct error *err)
{
    char now[32];

    return note(run, err,
                "INSERT INTO %s (version, statement, begun_at) VALUES (%u, %zu, '%s')",
                run->books->statements, migration->version, number, now_text(now, sizeof(now)));
}

static bool note_done(const struct run *run, const struct migration *migration, size_t number,
                      struct error *err)
{
    char now[32];

    return note(run, err, "UPDATE %s SET done_at = '%s' WHERE version = %u AND statement = %zu",
                run->books->statements, now_text(now, sizeof(now)), migration->version, number);
}

/* What is left behind when a run ends early, and how to go on. */
static const char *aftermath(const struct run *run)
{
    return run->session->driver->lock_is_transaction
               ? "nothing was changed"
               : "what was done before is committed, and `app migrate` goes on from there";
}

static bool must_stop(const struct run *run, const struct migration *migration, size_t number,
                      struct error *err)
{
    if (!run->options->stop || !atomic_load(run->options->stop))
        return false;
    error_set(err, ERROR_STOPPED, "stopped before %s, statement %zu of %zu; %s",
              migration->name, number, migration->statement_count, aftermath(run));
    return true;
}

static bool check_effect(const struct run *run, const struct migration_statement *statement,
                         bool *is_there, struct error *err)
{
    unsigned long number = 0;

    *is_there = false;
    if (!statement->done_when)
        return true;
    if (!db_session_number(run->session, statement->done_when,
                           "ask if a statement's effect is there", &number, err))
        return false;
    *is_there = number == 1;
    return true;
}

/* A statement that takes its time. */
struct statement_run {
    const struct run *run;
    const struct migration *migration;
    size_t number;
    uint64_t began;
    unsigned told; /* seconds */
};

/* Says so after ten seconds, and then once a minute. */
static void tell_time(void *context)
{
    struct statement_run *statement = context;
    unsigned seconds = (unsigned)((clock_now() - statement->began) / 1000000);

    if (seconds < (statement->told == 0 ? 10 : statement->told + 60))
        return;
    statement->told = seconds;
    report(statement->run, "%s, statement %zu of %zu: the database has been at it for %u s",
           statement->migration->name, statement->number, statement->migration->statement_count,
           seconds);
}

/* Lets others go first when their locks are in the way: a DDL statement that waits makes all
 * that come after it wait too. */
static bool run_patiently(const struct run *run, const struct migration *migration,
                          size_t number, struct error *err)
{
    struct statement_run statement = {
        .run = run, .migration = migration, .number = number, .began = clock_now()};

    for (unsigned tries = 1;; tries++) {
        if (db_session_run_long(run->session, migration->statements[number - 1].sql, "run it",
                                tell_time, &statement, err))
            return true;
        if (err->code != ERROR_CONFLICT || tries == STATEMENT_TRIES)
            return false;
        report(run, "%s: trying again", err->text);
        *err = (struct error){0};
        clock_sleep(clock_backoff(tries, 500000, 2000000));
    }
}

/* Where it fails, its effect may be there: another's, whose client was killed, and which the
 * server had still been at. */
static bool run_statement(const struct run *run, const struct migration *migration,
                          size_t number, struct error *err)
{
    const struct migration_statement *statement = &migration->statements[number - 1];
    struct error cause = {0};
    bool is_there;
    bool good;

    if (!check_effect(run, statement, &is_there, err) || is_there)
        return is_there;
    good = run_patiently(run, migration, number, &cause);
    if (cause.code == ERROR_UNAVAILABLE)
        return error_set(err, cause.code, "%s", cause.text);
    if (!check_effect(run, statement, &is_there, err))
        return false;
    if (!good && !is_there)
        return error_set(err, cause.code, "%s", cause.text);
    if (statement->done_when && !is_there)
        return error_set(err, ERROR_MIGRATION_FAILED, "it ran, and has not had its effect");
    return true;
}

/* The codes that say more than that a migration failed. */
static enum error_code code_of_failure(enum error_code code)
{
    return code == ERROR_UNAVAILABLE || code == ERROR_LOCKED ? code : ERROR_MIGRATION_FAILED;
}

static bool apply_statement(const struct run *run, const struct migration *migration,
                            const struct history_record *record, size_t number,
                            struct error *err)
{
    struct error cause = {0};

    if (must_stop(run, migration, number, err))
        return false;
    if (db_session_keep_lock(run->session, &cause) &&
        (number <= record->begun || note_begun(run, migration, number, &cause)) &&
        run_statement(run, migration, number, &cause) &&
        db_session_keep_lock(run->session, &cause) && note_done(run, migration, number, &cause))
        return true;
    return error_set(err, code_of_failure(cause.code), "%s, statement %zu of %zu: %s; %s",
                     migration->name, number, migration->statement_count, cause.text,
                     aftermath(run));
}

static bool apply(const struct run *run, const struct migration *migration,
                  const struct history_record *record, struct error *err)
{
    uint64_t start = clock_now();
    uint64_t milliseconds;

    if (record->state == MIGRATION_INCOMPLETE)
        report(run, "%s was begun at %s and not finished: %zu of %zu statements are done%s",
               migration->name, record->when, record->done, migration->statement_count,
               record->begun > record->done ? ", one more had begun" : "");
    else if (!note_migration(run, migration, MIGRATION_INCOMPLETE, err))
        return false;
    for (size_t number = record->done + 1; number <= migration->statement_count; number++) {
        if (!apply_statement(run, migration, record, number, err))
            return false;
    }
    milliseconds = (clock_now() - start) / 1000;
    if (!note_applied(run, migration, milliseconds, err))
        return false;
    report(run, "%s: applied in %llu ms", migration->name, (unsigned long long)milliseconds);
    run->result->applied++;
    return true;
}

static bool adopt(const struct run *run, const struct migration *migration, struct error *err)
{
    if (!note_migration(run, migration, MIGRATION_ADOPTED, err))
        return false;
    report(run, "%s: the original application made this, adopted as it is", migration->name);
    run->result->adopted++;
    return true;
}

/* The statements' table comes first: where the other one is, both are. To books of a former
 * version a column is added, which such a version leaves alone. */
static bool make_bookkeeping(const struct run *run, const struct history *history,
                             struct error *err)
{
    if (history->has_bookkeeping)
        return history->has_compatible ||
               note(run, err, "ALTER TABLE %s ADD COLUMN " COMPATIBLE_COLUMN,
                    run->books->migrations);
    if (history->is_foreign)
        report(run,
               "the table schema_migrations is another program's, and is left alone: this one"
               " keeps its books in %s",
               run->books->migrations);
    return note(run, err, "CREATE TABLE IF NOT EXISTS %s" STATEMENTS_COLUMNS,
                run->books->statements) &&
           note(run, err, "CREATE TABLE IF NOT EXISTS %s" MIGRATIONS_COLUMNS,
                run->books->migrations);
}

static bool run_migrations(const struct run *run, const struct history *history,
                           struct error *err)
{
    bool is_first = true;

    if (run->options->is_changing)
        atomic_store(run->options->is_changing, true);
    for (size_t i = 0; i < history->count; i++) {
        const struct migration *migration = &history->migrations[i];
        const struct history_record *record = &history->records[i];

        if (history_is_done(record))
            continue;
        if (must_stop(run, migration, record->done + 1, err) ||
            (is_first && !make_bookkeeping(run, history, err)))
            return false;
        is_first = false;
        if (i == 0 && history_adopts(history) ? !adopt(run, migration, err)
                                              : !apply(run, migration, record, err))
            return false;
    }
    return true;
}

/* Reads the state under the lock: another run may have changed it while this one waited. A
 * table that can't be used isn't adopted, and is not called up to date, whoever changed it. */
static bool run_locked(struct run *run, struct error *err)
{
    struct migrate_result *result = run->result;
    struct history history = {0};
    bool good = false;

    if (!history_init(&history, run->session->driver, err) ||
        !history_load(&history, run->session, err) || !history_judge(&history, err))
        goto out;
    run->books = history.books;
    if (history_adopts(&history) && !requirements_check(run->session, err))
        goto out;
    if (history_pending(&history) > 0 && !run_migrations(run, &history, err))
        goto out;
    result->version = history_is_newer(&history, result->newer, sizeof(result->newer))
                          ? history.unknown
                          : history.migrations[history.count - 1].version;
    good = requirements_check(run->session, err);
out:
    history_release(&history);
    return good;
}

bool migrate_run(const struct config *config, const struct migrate_options *options,
                 struct migrate_result *result, struct error *err)
{
    struct db_session session = {0};
    struct run run = {.session = &session, .options = options, .result = result};
    struct db_session_wait wait = {
        .seconds = options->wait, .report = options->report, .context = options->context};
    uint64_t began = clock_now();
    uint64_t waited;
    bool good = false;

    *result = (struct migrate_result){0};
    if (!db_session_open(&session, config, &wait, err))
        goto out;
    waited = (clock_now() - began) / 1000000;
    if (options->lock_wait > options->wait)
        wait.seconds = options->lock_wait;
    wait.seconds -= waited < wait.seconds ? (unsigned)waited : wait.seconds;
    good = db_session_lock(&session, &wait, err) && run_locked(&run, err) &&
           db_session_unlock(&session, err);
out:
    db_session_close(&session);
    return good;
}
