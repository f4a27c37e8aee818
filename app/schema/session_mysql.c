#include "schema/session.h"

#include "db/mysql.h"

#include <string.h>

/* At most 64 characters, whatever the database is called. */
#define LOCK_NAME "CONCAT('todobackend.schema.', LEFT(SHA2(DATABASE(), 256), 40))"

static void *session_open(const struct config *config, struct error *err)
{
    return db_mysql_open(config, 0, err); /* no time limit: a migration may take hours */
}

static void session_close(void *connection)
{
    db_mysql_close(connection);
}

static bool session_query(void *connection, const char *sql, const char *doing,
                          db_session_row *row, void *context, struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW columns;

    if (mysql_real_query(connection, sql, (unsigned long)strlen(sql)) != 0)
        return db_mysql_fail(connection, doing, err);
    result = mysql_store_result(connection);
    if (!result && mysql_errno(connection) != 0)
        return db_mysql_fail(connection, doing, err);
    while (result && (columns = mysql_fetch_row(result)))
        row((const char *const *)columns, context);
    mysql_free_result(result);
    return true;
}

static void read_is_ours(const char *const *columns, void *context)
{
    bool *is_ours = context;

    *is_ours = columns[0] && strcmp(columns[0], "1") == 0;
}

static bool session_lock(void *connection, struct error *err)
{
    bool is_ours = false;

    if (!session_query(connection, "SELECT GET_LOCK(" LOCK_NAME ", 1)", "lock the schema",
                       read_is_ours, &is_ours, err))
        return false;
    if (!is_ours)
        return error_set(err, ERROR_LOCKED, "another `app migrate` or `app seed` is at work");
    return true;
}

static bool session_unlock(void *connection, bool keep, struct error *err)
{
    static const char sql[] = "DO RELEASE_LOCK(" LOCK_NAME ")";

    (void)keep;
    return db_mysql_run(connection, sql, sizeof(sql) - 1, "unlock the schema", err);
}

const struct db_session_driver db_session_mysql = {
    .name = "mysql",
    .migrations = migrations_mysql,
    .migration_count = &migrations_mysql_count,
    .tables =
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    .begin = "START TRANSACTION",
    .commit = "COMMIT",
    .open = session_open,
    .close = session_close,
    .query = session_query,
    .lock = session_lock,
    .unlock = session_unlock,
};
