#ifndef DB_MYSQL_H
#define DB_MYSQL_H

/*
 * One connection to MySQL or MariaDB, set up the way this program needs it, and what its errors
 * mean. Works with libmysqlclient and with MariaDB Connector/C. A connection belongs to one
 * thread at a time.
 */

#include "base/config.h"
#include "base/error.h"

#include <mysql.h>
#include <stdbool.h>

/* Once before the first connection, from the main thread, and once at the end. */
bool db_mysql_start(struct error *err);
void db_mysql_end(void);

/* Every thread that uses a connection calls db_mysql_thread_end before it ends. */
void db_mysql_thread_end(void);

/* Connects (addresses resolved anew, time limits of seconds on connecting, reading and writing,
 * no automatic reconnect), and sets the session up and checks it: utf8mb4, CLIENT_FOUND_ROWS,
 * strict sql_mode, READ COMMITTED, lock_wait_timeout and innodb_lock_wait_timeout of seconds,
 * TLS as MYSQL_SSL_MODE says (MariaDB's connector can't do verify-ca alone: there it checks the
 * name too, as verify-identity; its 3.4 asks no name of 127.0.0.1 and ::1). `io_timeout` is in
 * seconds, 0 for none (migrations: a statement may take hours). Returns NULL with
 * ERROR_UNAVAILABLE when the server can't be reached (worth another try), ERROR_CONFIG when it
 * refuses us (wrong password, no such database, no TLS). */
MYSQL *db_mysql_open(const struct config *config, unsigned io_timeout, struct error *err);

/* Closing NULL is fine. */
void db_mysql_close(MYSQL *connection);

/* Sets *err from the connection's last error: `doing` says what was tried ("list todos"). The
 * code is ERROR_CONFLICT for 1213, 1205 and 1047; ERROR_UNAVAILABLE for errors that mean that
 * this connection is no good (2006, 2013, 2055, 4031, 1053, 1290, 1792, 1836, …); else
 * ERROR_DATABASE. Returns false. */
bool db_mysql_fail(MYSQL *connection, const char *doing, struct error *err);

/* Runs a statement that gives no rows (any rows are read and dropped). `sql` needs no NUL. */
bool db_mysql_run(MYSQL *connection, const char *sql, size_t length, const char *doing,
                  struct error *err);

#endif
