#ifndef DB_SQLITE_H
#define DB_SQLITE_H

/*
 * One connection to an SQLite database file, set up the way this program needs it: WAL,
 * foreign_keys, synchronous=FULL, a busy_timeout. A connection belongs to one thread
 * at a time.
 */

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Opens the file; with `create`, makes it (mode 0600) when it is missing. A statement waits for
 * others' locks for `busy_timeout` milliseconds, as this does. NULL with *err set: ERROR_CONFIG
 * when the path can't be opened or written, has hard links or is no database,
 * ERROR_UNAVAILABLE when it is locked too long.
 *
 * In memory (config_sqlite_in_memory) all connections of the process have the same database,
 * without WAL, as long as one of them is open. */
sqlite3 *db_sqlite_open(const char *path, bool create, unsigned busy_timeout,
                        struct error *err);

/* The same for a file that is there, without setting it up: it need not be written, is perhaps
 * no database, and is not changed. */
sqlite3 *db_sqlite_open_as_is(const char *path, unsigned busy_timeout, struct error *err);

/* Closing NULL is fine. Every prepared statement must be finalized before. */
void db_sqlite_close(sqlite3 *connection);

/* Sets *err from the connection's last error: ERROR_CONFLICT for SQLITE_BUSY and SQLITE_LOCKED,
 * ERROR_UNAVAILABLE for a full disk, a read-only file and I/O errors, ERROR_REFUSED for a
 * constraint or trigger that doesn't take the values; else ERROR_DATABASE.
 * Returns false. */
bool db_sqlite_fail(sqlite3 *connection, const char *doing, struct error *err);

/* Names the errors for the metrics, the primary result codes. Before there are other threads.
 */
void db_sqlite_name_errors(void);

/* Runs one statement that gives no rows. */
bool db_sqlite_run(sqlite3 *connection, const char *sql, const char *doing, struct error *err);

#endif
