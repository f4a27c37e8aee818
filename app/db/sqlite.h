#ifndef DB_SQLITE_H
#define DB_SQLITE_H

/*
 * One connection to an SQLite database file, set up the way this program needs it: WAL,
 * foreign_keys, synchronous=FULL, busy_timeout of seconds. A connection belongs to one thread
 * at a time.
 */

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>

/* Opens the file, creating it (mode 0600) when it is missing. NULL with *err set: ERROR_CONFIG
 * when the path can't be opened or is no database, ERROR_UNAVAILABLE when it is locked too
 * long. */
sqlite3 *db_sqlite_open(const char *path, struct error *err);

/* Closing NULL is fine. Every prepared statement must be finalized before. */
void db_sqlite_close(sqlite3 *connection);

/* Sets *err from the connection's last error: ERROR_CONFLICT for SQLITE_BUSY and SQLITE_LOCKED,
 * ERROR_UNAVAILABLE for a full disk, a read-only file and I/O errors; else ERROR_DATABASE.
 * Returns false. */
bool db_sqlite_fail(sqlite3 *connection, const char *doing, struct error *err);

/* Runs one statement that gives no rows. */
bool db_sqlite_run(sqlite3 *connection, const char *sql, const char *doing, struct error *err);

#endif
