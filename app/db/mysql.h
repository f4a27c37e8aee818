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

/* Names the errors that this program knows for the metrics. Before there are other threads. */
void db_mysql_name_errors(void);

/* Every thread that uses a connection calls db_mysql_thread_end before it ends. */
void db_mysql_thread_end(void);

/* Connects (addresses resolved anew, no automatic reconnect), and sets the session up and
 * checks it (db/mysql_session.c): whatever the server prefers, statements mean here what they
 * say. TLS as MYSQL_SSL_MODE says (Connector/C 3.4 asks no name of 127.0.0.1 and ::1). A
 * password that is refused and came from a file is read from there again, and tried once more
 * if it is another one. `io_timeout` is in seconds, at least 1, for each read and write, and
 * statements end before it. Returns NULL with ERROR_UNAVAILABLE when the server can't be
 * reached (worth another try), ERROR_CONFIG when it refuses us (wrong password, no such
 * database, no TLS, a variable that it keeps). */
MYSQL *db_mysql_open(const struct config *config, unsigned io_timeout, struct error *err);

#define DB_MYSQL_TLS_SIZE 384

/* How the connection is protected, for people: protocol, cipher, and the name that was verified
 * ("TLSv1.3, TLS_AES_256_GCM_SHA384, certificate verified for db.example"). */
void db_mysql_describe_tls(MYSQL *connection, const struct config *config,
                           char text[DB_MYSQL_TLS_SIZE]);

/* The connection's file descriptor: readable when the server has answered, or the connection is
 * dead. */
int db_mysql_socket(MYSQL *connection);

/* From now on the kernel finds out within about a minute that the other end is gone, also while
 * an answer may take hours. Does nothing on a Unix-domain socket. */
void db_mysql_keep_alive(MYSQL *connection);

/* Closing NULL is fine. */
void db_mysql_close(MYSQL *connection);

/* What is behind a failure. One table in db/mysql_error.c, by number and by class of SQLSTATE,
 * gives it, and what follows from it. */
enum db_mysql_cause {
    DB_MYSQL_OTHER,     /* the schema, mostly, which doesn't suit the statement */
    DB_MYSQL_CONFLICT,  /* rolled back, and may do better next time */
    DB_MYSQL_DATA,      /* values that a constraint or trigger doesn't take */
    DB_MYSQL_LOST,      /* the connection is gone, or will be at once */
    DB_MYSQL_TLS,       /* the same, or it could not be made */
    DB_MYSQL_READ_ONLY, /* the server takes no changes, and made none */
    DB_MYSQL_NO_RIGHT,  /* the user may not, and nothing was done */
    DB_MYSQL_PASSWORD,  /* refused */
    DB_MYSQL_LOGIN,     /* refused for another reason */
    DB_MYSQL_NO_ROOM,   /* disk or table */
    DB_MYSQL_TIME,      /* the statement took longer than it may */
    DB_MYSQL_LIMIT,     /* memory, connections */
    DB_MYSQL_PACKET,    /* the statement is longer than one may be, and nothing was done */
    DB_MYSQL_IDS,       /* none is left */
};

/* Of the connection's last error. */
enum db_mysql_cause db_mysql_cause(MYSQL *connection);

/* Sets *err from the connection's last error: `doing` says what was tried ("list todos"). The
 * code is ERROR_CONFLICT for DB_MYSQL_CONFLICT, ERROR_REFUSED for DB_MYSQL_DATA, ERROR_LIMIT
 * for DB_MYSQL_PACKET and DB_MYSQL_IDS, ERROR_DATABASE for DB_MYSQL_OTHER, else
 * ERROR_UNAVAILABLE. Returns false. */
bool db_mysql_fail(MYSQL *connection, const char *doing, struct error *err);

/* The same while connecting: ERROR_CONFIG when the server doesn't want us and waiting won't
 * help, else ERROR_UNAVAILABLE. */
bool db_mysql_fail_to_connect(MYSQL *connection, const char *doing, struct error *err);

/* Copies a text as one line, cut to `size`, whatever the server says. Returns `line`. */
const char *db_mysql_line(const char *text, char *line, size_t size);

/* Runs a statement that gives no rows (any rows are read and dropped). `sql` needs no NUL. */
bool db_mysql_run(MYSQL *connection, const char *sql, size_t length, const char *doing,
                  struct error *err);

/* Reads variables of the session's: `names` is the list within IN ("'port', 'hostname'"). Calls
 * `take` for each that the server knows. */
bool db_mysql_read_variables(MYSQL *connection, const char *names,
                             void (*take)(const char *name, const char *value, void *context),
                             void *context, struct error *err);

/* Sets the session's variables and reads them back (db/mysql_session.c). ERROR_CONFIG, naming
 * the variable, when the server (`server`, for the text) keeps its own. For db_mysql_open. */
bool db_mysql_set_up_session(MYSQL *connection, const struct config *config,
                             unsigned io_timeout, const char *server, struct error *err);

#endif
