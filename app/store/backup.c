#include "store/backup.h"

#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

/* Nobody else has the copy open, and a copy that is not finished is thrown away. */
static const char prepare_sql[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";

static bool fail(sqlite3 *connection, const char *doing, struct error *err)
{
    struct error cause = {0};

    db_sqlite_fail(connection, doing, &cause);
    return error_set(err, cause.code == ERROR_CONFLICT ? ERROR_UNAVAILABLE : ERROR_DATABASE,
                     "%s", cause.text);
}

/* The file is there, and empty. */
static sqlite3 *open_copy(const char *path, struct error *err)
{
    sqlite3 *connection = NULL;

    if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        return connection;
    error_set(err, ERROR_SYSTEM, "cannot open the copy: %s (SQLite error %d): %s",
              sqlite3_errmsg(connection), sqlite3_extended_errcode(connection), path);
    db_sqlite_close(connection);
    return NULL;
}

/* All at once, within one read transaction: a copy in steps begins anew whenever another
 * program writes. */
static bool copy(sqlite3 *from, sqlite3 *to, struct error *err)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    int result;

    if (!backup)
        return fail(to, "begin the copy", err);
    result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (result == SQLITE_DONE)
        return true;
    return error_set(err, (result & 0xff) == SQLITE_BUSY ? ERROR_UNAVAILABLE : ERROR_DATABASE,
                     "cannot copy the database: %s (SQLite error %d)", sqlite3_errstr(result),
                     result);
}

/* The first column of the first row, which is there. */
static bool read_text(sqlite3 *connection, const char *sql, const char *doing, char *text,
                      size_t size, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    const unsigned char *value = NULL;

    if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_text(statement, 0);
    if (value)
        sqlite3_snprintf((int)size, text, "%s", value);
    else
        fail(connection, doing, err);
    sqlite3_finalize(statement);
    return value != NULL;
}

/* The copy of a database with WAL has WAL, too, until then. */
static bool check(sqlite3 *connection, unsigned long *todos, struct error *err)
{
    char text[200];

    if (!read_text(connection, "PRAGMA journal_mode = DELETE", "finish the copy", text,
                   sizeof(text), err) ||
        !read_text(connection, "PRAGMA integrity_check(1)", "check the copy", text,
                   sizeof(text), err))
        return false;
    if (strcmp(text, "ok") != 0)
        return error_set(err, ERROR_DATABASE,
                         "the copy is not sound, as the database itself may not be: %s", text);
    if (!read_text(connection, "SELECT COUNT(*) FROM todo_todoitem", "count the todos", text,
                   sizeof(text), err))
        return false;
    *todos = strtoul(text, NULL, 10);
    return true;
}

bool store_backup(const struct config *config, const char *path, unsigned long *todos,
                  struct error *err)
{
    unsigned busy_timeout =
        config->request_timeout * 1000; /* with WAL, nothing is waited for */
    sqlite3 *from = db_sqlite_open_as_is(config->sqlite_path, busy_timeout, err);
    sqlite3 *to = from ? open_copy(path, err) : NULL;
    bool good = to && db_sqlite_run(to, prepare_sql, "begin the copy", err) &&
                copy(from, to, err) && check(to, todos, err);

    db_sqlite_close(to);
    db_sqlite_close(from);
    return good;
}
