#ifndef SCHEMA_SESSION_H
#define SCHEMA_SESSION_H

/*
 * A connection to whichever database the settings name, and the little that migrations and the
 * seed need of it. For one thread; nothing here is fast. The SQL that goes through it is the
 * program's own text, never a user's.
 */

#include "base/config.h"
#include "base/error.h"
#include "schema/migrations.h"

#include <stdbool.h>
#include <stddef.h>

struct db_session {
    const struct db_session_driver *driver;
    void *connection;
    bool is_locked;
};

/* Gets each row of a result, its columns as text, NULL for SQL's NULL; the texts are borrowed
 * for the call. */
typedef void db_session_row(const char *const *columns, void *context);

/* Called about once a second while a statement runs. */
typedef void db_session_tick(void *context);

/* As SQL's list: where the migrations' books may be kept, and see history.c. */
#define HISTORY_TABLES "('todobackend_migrations', 'schema_migrations')"

/* What a database does for it: session_mysql.c, session_sqlite.c. */
struct db_session_driver {
    const char *name; /* as DATABASE names it */
    const struct migration *migrations;
    const size_t *migration_count;
    const struct migration_requirement *requirements;
    const char *tables;       /* a query that gives the names of all tables */
    const char *columns;      /* one that gives HISTORY_TABLES, a row a column of theirs */
    const char *begin;        /* statements around a transaction of a session that is locked */
    const char *commit;       /* (a session that is closed without it rolls back) */
    bool lock_is_transaction; /* all that is done under the lock is kept or undone as one */

    /* NULL where opening can't make a database. */
    bool (*exists)(const struct config *config);
    void *(*open)(const struct config *config, struct error *err);
    void (*close)(void *connection);
    bool (*query)(void *connection, const char *sql, const char *doing, db_session_row *row,
                  void *context, struct error *err);
    bool (*run_long)(void *connection, const char *sql, const char *doing,
                     db_session_tick *tick, void *context, struct error *err);
    /* Tries for about a second; ERROR_LOCKED when another has it. */
    bool (*lock)(void *connection, struct error *err);
    bool (*keep_lock)(void *connection, struct error *err); /* NULL where it can't be lost */
    bool (*unlock)(void *connection, bool keep, struct error *err);
};

extern const struct db_session_driver db_session_mysql;
extern const struct db_session_driver db_session_sqlite;

/* How long to wait for something. */
struct db_session_wait {
    unsigned seconds;
    void (*report)(const char *line, void *context); /* says once why it waits; may be NULL */
    void *context;
};

/* Connects; while the database can't be reached, again and again as long as `wait` says.
 * `config` must outlive the session. An answer that takes longer than DB_SESSION_TIMEOUT
 * seconds is an error (ERROR_UNAVAILABLE), whatever is asked, but by db_session_run_long. */
#define DB_SESSION_TIMEOUT 10 /* longer than a session waits for others' locks */
bool db_session_open(struct db_session *session, const struct config *config,
                     const struct db_session_wait *wait, struct error *err);

/* The same, but makes no database: with true and no connection there is none (SQLite). */
bool db_session_open_existing(struct db_session *session, const struct config *config,
                              const struct db_session_wait *wait, struct error *err);

/* Gives the lock back (what SQLite did under it is undone) and closes. Fine on a session that
 * was never opened. */
void db_session_close(struct db_session *session);

/* The lock that one migration or seed at a time has. It belongs to the connection: when that is
 * lost, the server gives the lock back after it has ended the statement it is at; when the
 * server can't know that it is lost, twice DB_SESSION_TIMEOUT after that. On a Galera
 * cluster it is a lease (lease.h). ERROR_LOCKED when another has it for longer than `wait`
 * says; ERROR_MIGRATION_FAILED where no lock would be safe. */
bool db_session_lock(struct db_session *session, const struct db_session_wait *wait,
                     struct error *err);

/* Whether the session still has its lock: ERROR_LOCKED when it has lost it. To be asked before
 * each step that must not be done by two. */
bool db_session_keep_lock(struct db_session *session, struct error *err);
bool db_session_unlock(struct db_session *session, struct error *err);

/* Runs one statement; `doing` is what an error's text says that can't be done. */
bool db_session_run(struct db_session *session, const char *sql, const char *doing,
                    struct error *err);
bool db_session_query(struct db_session *session, const char *sql, const char *doing,
                      db_session_row *row, void *context, struct error *err);

/* Runs a statement that may take hours: while the server is at it, only a connection that is
 * dead ends it (TCP keep-alive finds that within a minute or so). */
bool db_session_run_long(struct db_session *session, const char *sql, const char *doing,
                         db_session_tick *tick, void *context, struct error *err);

/* The number that a query's first column and row gives; 0 without a row. */
bool db_session_number(struct db_session *session, const char *sql, const char *doing,
                       unsigned long *number, struct error *err);

#endif
