#include "schema/session.h"

#include "db/sqlite.h"

#include <unistd.h>

#define LOCK_TIMEOUT 1000    /* milliseconds that one try to open or to lock takes */
#define TICK_STEPS   1000000 /* of SQLite's virtual machine: a fraction of a second */

static bool session_exists(const struct config *config)
{
    return access(config->sqlite_path, F_OK) == 0;
}

static void *session_open(const struct config *config, struct error *err)
{
    return db_sqlite_open(config->sqlite_path, true, LOCK_TIMEOUT, err);
}

static void session_close(void *connection)
{
    db_sqlite_close(connection);
}

struct reader {
    db_session_row *row;
    void *context;
};

static int read_row(void *context, int count, char **columns, char **names)
{
    const struct reader *reader = context;

    (void)count;
    (void)names;
    reader->row((const char *const *)columns, reader->context);
    return 0;
}

static bool session_query(void *connection, const char *sql, const char *doing,
                          db_session_row *row, void *context, struct error *err)
{
    struct reader reader = {.row = row, .context = context};

    if (sqlite3_exec(connection, sql, read_row, &reader, NULL) != SQLITE_OK)
        return db_sqlite_fail(connection, doing, err);
    return true;
}

struct ticker {
    db_session_tick *tick;
    void *context;
};

static int pass_tick(void *context)
{
    const struct ticker *ticker = context;

    ticker->tick(ticker->context);
    return 0;
}

static bool session_run_long(void *connection, const char *sql, const char *doing,
                             db_session_tick *tick, void *context, struct error *err)
{
    struct ticker ticker = {.tick = tick, .context = context};
    bool good;

    sqlite3_progress_handler(connection, TICK_STEPS, pass_tick, &ticker);
    good = db_sqlite_run(connection, sql, doing, err);
    sqlite3_progress_handler(connection, 0, NULL, NULL);
    return good;
}

static bool session_lock(void *connection, struct error *err)
{
    struct error cause = {0};

    if (db_sqlite_run(connection, "BEGIN IMMEDIATE", "lock the schema", &cause))
        return true;
    if (cause.code == ERROR_CONFLICT)
        return error_set(err, ERROR_LOCKED, "another program is writing to the database");
    return error_set(err, cause.code, "%s", cause.text);
}

static bool session_unlock(void *connection, bool keep, struct error *err)
{
    return db_sqlite_run(connection, keep ? "COMMIT" : "ROLLBACK", "end the transaction", err);
}

const struct db_session_driver db_session_sqlite = {
    .name = "sqlite",
    .migrations = migrations_sqlite,
    .migration_count = &migrations_sqlite_count,
    .requirements = migrations_requirements_sqlite,
    .tables = "SELECT name FROM sqlite_master WHERE type = 'table'",
    .columns = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
               " WHERE m.name IN " HISTORY_TABLES,
    .begin = "SAVEPOINT seed",
    .commit = "RELEASE seed",
    .lock_is_transaction = true,
    .exists = session_exists,
    .open = session_open,
    .close = session_close,
    .query = session_query,
    .run_long = session_run_long,
    .lock = session_lock,
    .unlock = session_unlock,
};
