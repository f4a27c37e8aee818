#include "db/sqlite.h"

#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BUSY_TIMEOUT 5000 /* milliseconds */

/* What every connection must have: a pragma, and what reading it gives. */
static const struct pragma {
    const char *set;
    const char *read;
    const char *value;
} pragmas[] = {
    {"PRAGMA journal_mode = WAL", "PRAGMA journal_mode", "wal"},
    {"PRAGMA synchronous = FULL", "PRAGMA synchronous",  "2"  },
    {"PRAGMA foreign_keys = ON",  "PRAGMA foreign_keys", "1"  },
};

void db_sqlite_close(sqlite3 *connection)
{
    sqlite3_close(connection);
}

static enum error_code error_code_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_CONFLICT;
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return ERROR_UNAVAILABLE;
    case SQLITE_NOMEM:
        return ERROR_SYSTEM;
    default:
        return ERROR_DATABASE;
    }
}

bool db_sqlite_fail(sqlite3 *connection, const char *doing, struct error *err)
{
    int code = sqlite3_extended_errcode(connection);

    return error_set(err, error_code_of(code), "cannot %s: %s (SQLite error %d)", doing,
                     sqlite3_errmsg(connection), code);
}

bool db_sqlite_run(sqlite3 *connection, const char *sql, const char *doing, struct error *err)
{
    if (sqlite3_exec(connection, sql, NULL, NULL, NULL) != SQLITE_OK)
        return db_sqlite_fail(connection, doing, err);
    return true;
}

/* SQLite would make the file readable by everyone. A file that is there must not be opened
 * here: closing it would take the locks of this process's other connections away. */
static void create_file(const char *path)
{
    int file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    if (file >= 0)
        close(file);
}

static bool check_pragma(sqlite3 *connection, const struct pragma *pragma)
{
    sqlite3_stmt *statement = NULL;
    const unsigned char *value = NULL;
    bool good;

    if (sqlite3_prepare_v2(connection, pragma->read, -1, &statement, NULL) != SQLITE_OK)
        return false;
    if (sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_text(statement, 0);
    good = value && strcmp((const char *)value, pragma->value) == 0;
    sqlite3_finalize(statement);
    return good;
}

/* Changing to WAL fails at once, without the busy time-out, when others change to it too. */
static int set_pragma(sqlite3 *connection, const struct pragma *pragma)
{
    uint64_t deadline = clock_now() + (uint64_t)BUSY_TIMEOUT * 1000;

    for (unsigned tries = 0;; tries++) {
        int code = sqlite3_exec(connection, pragma->set, NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY || clock_now() > deadline)
            return code;
        clock_sleep(clock_backoff(tries, 1000, 50000));
    }
}

static bool fail_open(sqlite3 *connection, const char *path, struct error *err)
{
    int code = sqlite3_extended_errcode(connection);
    bool wait = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;

    return error_set(err, wait ? ERROR_UNAVAILABLE : ERROR_CONFIG,
                     "cannot open the SQLite database %s: %s (SQLite error %d)", path,
                     sqlite3_errmsg(connection), code);
}

static bool set_up(sqlite3 *connection, const char *path, struct error *err)
{
    sqlite3_busy_timeout(connection, BUSY_TIMEOUT);
    for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++) {
        if (set_pragma(connection, &pragmas[i]) != SQLITE_OK)
            return fail_open(connection, path, err);
        if (!check_pragma(connection, &pragmas[i]))
            return error_set(err, ERROR_CONFIG, "the SQLite database %s doesn't take `%s`",
                             path, pragmas[i].set);
    }
    return true;
}

sqlite3 *db_sqlite_open(const char *path, struct error *err)
{
    sqlite3 *connection = NULL;

    create_file(path);
    if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        fail_open(connection, path,
                  err); /* without memory, connection is NULL, which is fine */
        goto out;
    }
    sqlite3_extended_result_codes(connection, 1);
    if (set_up(connection, path, err))
        return connection;
out:
    db_sqlite_close(connection);
    return NULL;
}
