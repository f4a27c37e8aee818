#include "schema/session.h"

#include "db/mysql.h"
#include "schema/lease.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MILLISECONDS 1000

/* At most 64 characters, whatever the database is called. */
#define LOCK_NAME "CONCAT('todobackend.schema.', LEFT(SHA2(DATABASE(), 256), 40))"

struct session {
    MYSQL *connection;
    bool is_galera;
    const char *why;    /* a migration is not safe here; NULL: it is */
    struct lease lease; /* on Galera */
};

/* What makes the server more than one, by the name of a variable that few servers have. */
static const struct cluster {
    const char *variable;
    const char *value;
    const char *why; /* a migration is not safe then */
} clusters[] = {
    {"wsrep_OSU_method",                      "RSU",
     "wsrep_OSU_method is RSU, so only this node would be migrated: set it to TOI"},
    {"group_replication_single_primary_mode", "OFF",
     "the group has more than one primary, between which GET_LOCK is no lock, nor is DDL safe:"
     " switch it to a single primary"                                             },
};

static void read_variable(const char *const *columns, void *context)
{
    struct session *session = context;

    if (strcasecmp(columns[0], "wsrep_on") == 0)
        session->is_galera = strcasecmp(columns[1], "ON") == 0;
    for (size_t i = 0; i < sizeof(clusters) / sizeof(clusters[0]); i++) {
        if (strcasecmp(columns[0], clusters[i].variable) == 0 &&
            strcasecmp(columns[1], clusters[i].value) == 0)
            session->why = clusters[i].why;
    }
}

/* Reads what the last query gave. */
static bool read_result(MYSQL *connection, const char *doing, db_session_row *row,
                        void *context, struct error *err)
{
    MYSQL_RES *result = mysql_store_result(connection);
    MYSQL_ROW columns;

    if (!result && mysql_errno(connection) != 0)
        return db_mysql_fail(connection, doing, err);
    while (result && (columns = mysql_fetch_row(result)))
        row((const char *const *)columns, context);
    mysql_free_result(result);
    return true;
}

static bool session_query(void *context, const char *sql, const char *doing,
                          db_session_row *row, void *row_context, struct error *err)
{
    struct session *session = context;

    if (mysql_real_query(session->connection, sql, (unsigned long)strlen(sql)) != 0)
        return db_mysql_fail(session->connection, doing, err);
    return read_result(session->connection, doing, row, row_context, err);
}

static void ignore_row(const char *const *columns, void *context)
{
    (void)columns;
    (void)context;
}

static bool run(struct session *session, const char *sql, struct error *err)
{
    return session_query(session, sql, "set up the session", ignore_row, NULL, err);
}

/* A server that can't know that we are gone closes the session, and gives its lock back, when
 * nothing comes for longer than we are ever silent. And what another node of a cluster has
 * committed is to be seen here: `serve` on one comes after `migrate` on another. */
static bool set_up(struct session *session, struct error *err)
{
    char sql[192];

    /* a migration may take as long as it takes */
    snprintf(sql, sizeof(sql),
             "SET SESSION wait_timeout = %d /*!50708 , max_execution_time = 0 */"
             "/*M!100101 , max_statement_time = 0 */",
             2 * DB_SESSION_TIMEOUT);
    return run(session, sql, err) &&
           session_query(session,
                         "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', "
                         "'wsrep_OSU_method', 'group_replication_single_primary_mode')",
                         "ask if the server is one of a cluster", read_variable, session,
                         err) &&
           (!session->is_galera || run(session, "SET SESSION wsrep_sync_wait = 1", err));
}

static void session_close(void *context)
{
    struct session *session = context;

    lease_end(&session->lease);
    db_mysql_close(session->connection);
    free(session);
}

static void *session_open(const struct config *config, struct error *err)
{
    struct session *session = calloc(1, sizeof(*session));

    if (!session) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    session->lease.config = config;
    session->connection = db_mysql_open(config, DB_SESSION_TIMEOUT, err);
    if (session->connection) {
        db_mysql_keep_alive(session->connection);
        if (set_up(session, err))
            return session;
    }
    session_close(session);
    return NULL;
}

static bool session_run_long(void *context, const char *sql, const char *doing,
                             db_session_tick *tick, void *tick_context, struct error *err)
{
    struct session *session = context;
    struct pollfd answer = {.fd = db_mysql_socket(session->connection), .events = POLLIN};

    if (mysql_send_query(session->connection, sql, (unsigned long)strlen(sql)) != 0)
        return db_mysql_fail(session->connection, doing, err);
    while (poll(&answer, 1, TICK_MILLISECONDS) <= 0) {
        if (session->is_galera)
            lease_beat(&session->lease);
        tick(tick_context);
    }
    if (mysql_read_query_result(session->connection) != 0)
        return db_mysql_fail(session->connection, doing, err);
    return read_result(session->connection, doing, ignore_row, NULL, err);
}

static void read_is_ours(const char *const *columns, void *context)
{
    bool *is_ours = context;

    *is_ours = columns[0] && strcmp(columns[0], "1") == 0;
}

/* A look at who has the lease must not wait, as all that is written does, for the end of the
 * statement that the holder is at. */
static bool lock_cluster(struct session *session, struct error *err)
{
    return run(session, "SET SESSION wsrep_sync_wait = 0", err) &&
           lease_take(&session->lease, session->connection, err) &&
           run(session, "SET SESSION wsrep_sync_wait = 1", err);
}

static bool session_lock(void *context, struct error *err)
{
    struct session *session = context;
    bool is_ours = false;

    if (session->why)
        return error_set(err, ERROR_MIGRATION_FAILED, "%s. Nothing was changed", session->why);
    if (session->is_galera)
        return lock_cluster(session, err);
    if (!session_query(session, "SELECT GET_LOCK(" LOCK_NAME ", 1)", "lock the schema",
                       read_is_ours, &is_ours, err))
        return false;
    if (!is_ours)
        return error_set(err, ERROR_LOCKED, "another `app migrate` or `app seed` is at work");
    return true;
}

/* GET_LOCK's lock goes only with the connection. */
static bool session_keep_lock(void *context, struct error *err)
{
    const struct session *session = context;

    return !session->is_galera || lease_keep(&session->lease, session->connection, err);
}

static bool session_unlock(void *context, bool keep, struct error *err)
{
    struct session *session = context;

    (void)keep;
    if (session->is_galera)
        return lease_give(&session->lease, session->connection, err);
    return session_query(session, "DO RELEASE_LOCK(" LOCK_NAME ")", "unlock the schema",
                         ignore_row, NULL, err);
}

const struct db_session_driver db_session_mysql = {
    .name = "mysql",
    .migrations = migrations_mysql,
    .migration_count = &migrations_mysql_count,
    .requirements = migrations_requirements_mysql,
    .tables =
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    .columns = "SELECT table_name, column_name FROM information_schema.columns"
               " WHERE table_schema = DATABASE() AND table_name IN " HISTORY_TABLES,
    .begin = "START TRANSACTION",
    .commit = "COMMIT",
    .open = session_open,
    .close = session_close,
    .query = session_query,
    .run_long = session_run_long,
    .lock = session_lock,
    .keep_lock = session_keep_lock,
    .unlock = session_unlock,
};
