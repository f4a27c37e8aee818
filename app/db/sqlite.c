#include "db/sqlite.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/metrics.h"
#include "db/sqlite_files.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What every connection must have: a pragma, and what reading it gives. */
static const struct pragma {
    const char *set;
    const char *read;
    const char *value;
    bool is_for_files;
} pragmas[] = {
    {"PRAGMA journal_mode = WAL",  "PRAGMA journal_mode", "wal", true },
    {"PRAGMA synchronous = FULL",  "PRAGMA synchronous",  "2",   true },
    {"PRAGMA foreign_keys = ON",   "PRAGMA foreign_keys", "1",   false},
    {"PRAGMA temp_store = MEMORY", "PRAGMA temp_store",   "2",
     false                                                            }, /* `serve` can't write to /tmp */
};

void db_sqlite_close(sqlite3 *connection)
{
    sqlite3_close(connection);
}

/* A column that was added, and has no default, is no fault of the values. */
static enum error_code error_code_of(int code)
{
    if (code == SQLITE_CONSTRAINT_NOTNULL)
        return ERROR_DATABASE;
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return ERROR_REFUSED;
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

void db_sqlite_name_errors(void)
{
    for (unsigned code = SQLITE_ERROR; code <= SQLITE_NOTADB; code++)
        metrics_name_error(code);
}

bool db_sqlite_fail(sqlite3 *connection, const char *doing, struct error *err)
{
    int code = sqlite3_extended_errcode(connection);

    metrics_count_error((unsigned)code & 0xff);
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
static int set_pragma(sqlite3 *connection, const struct pragma *pragma, uint64_t deadline)
{
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
    int cause = (code & 0xff) == SQLITE_CANTOPEN ? sqlite3_system_errno(connection) : 0;
    bool wait = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;

    return error_set(err, wait ? ERROR_UNAVAILABLE : ERROR_CONFIG,
                     "SQLITE_PATH: cannot open the SQLite database %s: %s (SQLite error %d)",
                     path, cause ? strerror(cause) : sqlite3_errmsg(connection), code);
}

/* With two names, there would be a log beside either: who opens it by the other one misses what
 * is in this one's. As it is with a file that is mounted by itself, into a container perhaps:
 * its log would stay there. */
static bool check_names(const char *path, struct error *err)
{
    struct statx status;

    if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_NLINK, &status) != 0 ||
        !S_ISREG(status.stx_mode))
        return true;
    if (status.stx_nlink > 1)
        return error_set(
            err, ERROR_CONFIG,
            "SQLITE_PATH: the SQLite database %s has %u names (hard links): remove all but one,"
            " or make it a copy",
            path, status.stx_nlink);
    if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
        return error_set(
            err, ERROR_CONFIG,
            "SQLITE_PATH: the SQLite database %s is mounted without its folder, where its log"
            " would be: mount the folder",
            path);
    return true;
}

static bool set_up(sqlite3 *connection, const char *path, unsigned busy_timeout,
                   struct error *err)
{
    uint64_t deadline = clock_now() + (uint64_t)busy_timeout * 1000;

    if (sqlite3_db_readonly(connection, "main") == 1)
        return error_set(err, ERROR_CONFIG,
                         "SQLITE_PATH: the SQLite database %s can only be read, not written",
                         path);
    for (size_t i = 0; i < sizeof(pragmas) / sizeof(pragmas[0]); i++) {
        if (pragmas[i].is_for_files && config_sqlite_in_memory(path))
            continue;
        if (set_pragma(connection, &pragmas[i], deadline) != SQLITE_OK)
            return fail_open(connection, path, err);
        if (!check_pragma(connection, &pragmas[i]))
            return error_set(err, ERROR_CONFIG,
                             "SQLITE_PATH: the SQLite database %s doesn't take `%s`", path,
                             pragmas[i].set);
    }
    return true;
}

/* For the process's first connection, while it is the only one. */
static bool check_log(const char *path, struct error *err)
{
    static atomic_bool is_known;
    bool good = atomic_load(&is_known) || db_sqlite_files_fit(path, err);

    atomic_store(&is_known, good);
    return good;
}

/* Memory that all connections of this process share, by a name; locks as on a file's. */
static int open_memory(sqlite3 **connection)
{
    return sqlite3_open_v2("file:/todobackend?vfs=memdb", connection,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, NULL);
}

static int open_file(const char *path, bool create, sqlite3 **connection)
{
    if (create)
        create_file(path);
    return sqlite3_open_v2(path, connection,
                           SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), NULL);
}

static sqlite3 *open_connection(const char *path, bool create, unsigned busy_timeout,
                                struct error *err)
{
    bool is_memory = config_sqlite_in_memory(path);
    sqlite3 *connection = NULL;

    if (!is_memory && (!check_names(path, err) || !check_log(path, err)))
        return NULL;
    if ((is_memory ? open_memory(&connection) : open_file(path, create, &connection)) !=
        SQLITE_OK) {
        fail_open(connection, path,
                  err); /* without memory, connection is NULL, which is fine */
        db_sqlite_close(connection);
        return NULL;
    }
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, (int)busy_timeout);
    return connection;
}

sqlite3 *db_sqlite_open(const char *path, bool create, unsigned busy_timeout, struct error *err)
{
    sqlite3 *connection = open_connection(path, create, busy_timeout, err);

    if (!connection || set_up(connection, path, busy_timeout, err))
        return connection;
    db_sqlite_close(connection);
    return NULL;
}

sqlite3 *db_sqlite_open_as_is(const char *path, unsigned busy_timeout, struct error *err)
{
    return open_connection(path, false, busy_timeout, err);
}
