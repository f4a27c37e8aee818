#include "base/buffer.h"
#include "db/mysql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOCK_TIMEOUT "5" /* seconds */
#define ALL_ROWS     "18446744073709551615"

/* What the statements lean on, and users and servers set to other values, for good reasons of
 * their own or by init_connect. Some are MySQL's or MariaDB's alone, or of some versions: those
 * stand within comments that only their own server looks into. */
static const struct variable {
    const char *name;
    const char *set;   /* NULL: set by one of the other statements */
    const char *value; /* as the server shows it */
} variables[] = {
    {"autocommit",               "1",                     "ON"                 },
    {"character_set_client",     NULL,                    "utf8mb4"            },
    {"character_set_connection", NULL,                    "utf8mb4"            },
    {"character_set_results",    NULL,                    "utf8mb4"            },
    {"completion_type",          "0",                     "NO_CHAIN"           },
    {"foreign_key_checks",       "1",                     "ON"                 },
    {"innodb_lock_wait_timeout", LOCK_TIMEOUT,            LOCK_TIMEOUT         },
    {"lock_wait_timeout",        LOCK_TIMEOUT,            LOCK_TIMEOUT         },
    {"sql_big_selects",          "1",                     "ON"                 },
    {"sql_mode",                 "'STRICT_TRANS_TABLES'", "STRICT_TRANS_TABLES"},
    {"sql_safe_updates",         "0",                     "OFF"                },
    {"sql_select_limit",         ALL_ROWS,                ALL_ROWS             },
    {"time_zone",                "'+00:00'",              "+00:00"             },
    {"unique_checks",            "1",                     "ON"                 },
    {"transaction_isolation",    NULL,                    "READ-COMMITTED"     },
    {"tx_isolation",             NULL,                    "READ-COMMITTED"     },
    {"transaction_read_only",    NULL,                    "OFF"                },
    {"tx_read_only",             NULL,                    "OFF"                },
};

enum {
    VARIABLE_COUNT = sizeof(variables) / sizeof(variables[0]),
    RENAMED = 2, /* the last ones have two names, of which a server knows at least one */
};

static const char isolation_sql[] =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE";

/* Nine tenths of the time in which the answer must come: the server tells, instead of a
 * connection that is given up. In MySQL it ends SELECTs only. */
static void append_time_limits(struct buffer *sql, unsigned io_timeout)
{
    buffer_append_format(sql,
                         "/*!50708 , max_execution_time = %u */"
                         "/*M!100101 , max_statement_time = %u.%u */",
                         io_timeout * 900, io_timeout * 9 / 10, io_timeout * 9 % 10);
}

static bool set_variables(MYSQL *connection, unsigned io_timeout, struct error *err)
{
    static const char doing[] = "set up the session";
    struct buffer sql = {0};
    bool good;

    buffer_append_text(&sql, "SET NAMES utf8mb4");
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        if (variables[i].set)
            buffer_append_format(&sql, ", %s = %s", variables[i].name, variables[i].set);
    }
    append_time_limits(&sql, io_timeout);
    good = sql.failed ? error_set(err, ERROR_SYSTEM, "%s: out of memory", doing)
                      : db_mysql_run(connection, sql.data, sql.size, doing, err) &&
                            db_mysql_run(connection, isolation_sql, sizeof(isolation_sql) - 1,
                                         doing, err);
    buffer_release(&sql);
    return good;
}

struct check {
    const char *server;
    unsigned io_timeout;
    unsigned seen;
    struct error *err;
};

/* Shown in milliseconds, or in seconds with six decimals. */
static void check_time_limit(const char *name, const char *value, const struct check *check)
{
    double unit = strcasecmp(name, "max_statement_time") == 0 ? 1000 : 1;
    double excess = strtod(value, NULL) * unit - check->io_timeout * 900.0;

    if (!(excess > -0.5 && excess < 0.5))
        error_set(check->err, ERROR_CONFIG, "%s keeps %s at %s, where %u ms are needed",
                  check->server, name, value, check->io_timeout * 900);
}

static void check_variable(const char *name, const char *value, void *context)
{
    struct check *check = context;
    size_t i = 0;

    if (strcasecmp(name, "max_statement_time") == 0 ||
        strcasecmp(name, "max_execution_time") == 0) {
        check_time_limit(name, value, check);
        return;
    }
    while (i < VARIABLE_COUNT && strcasecmp(name, variables[i].name) != 0)
        i++;
    if (i == VARIABLE_COUNT)
        return;
    check->seen++;
    if (strcasecmp(value, variables[i].value) != 0)
        error_set(check->err, ERROR_CONFIG, "%s keeps %s at %s, where %s is needed",
                  check->server, name, value, variables[i].value);
}

static bool check_variables(MYSQL *connection, unsigned io_timeout, const char *server,
                            struct error *err)
{
    struct buffer names = {0};
    struct check check = {.server = server, .io_timeout = io_timeout, .err = err};

    buffer_append_text(&names, "'max_execution_time', 'max_statement_time'");
    for (size_t i = 0; i < VARIABLE_COUNT; i++)
        buffer_append_format(&names, ", '%s'", variables[i].name);
    if (names.failed)
        error_set(err, ERROR_SYSTEM, "out of memory");
    else if (db_mysql_read_variables(connection, names.data, check_variable, &check, err) &&
             check.seen < VARIABLE_COUNT - RENAMED)
        error_set(err, ERROR_CONFIG, "%s doesn't tell the session's variables", server);
    buffer_release(&names);
    return err->code == ERROR_NONE;
}

/* Without these a node of a cluster shows what it has got so far, not what others have
 * acknowledged. Galera: 1 for what begins with SELECT, our changes among them, 2 for DELETE.
 * Group replication: what waits after each change does as well. A server that is in no cluster
 * doesn't have the variable, or doesn't wait. */
static const struct sync_wait {
    const char *name;
    const char *set;
} sync_waits[] = {
    {"wsrep_sync_wait",               "SET SESSION wsrep_sync_wait = @@SESSION.wsrep_sync_wait | 3"},
    {"group_replication_consistency", "SET SESSION group_replication_consistency = 'BEFORE'"       },
};

#define SYNC_WAIT_COUNT (sizeof(sync_waits) / sizeof(sync_waits[0]))

/* Which of them the server knows and does not have as it should; `count` is how many. */
static bool find_short_sync_waits(MYSQL *connection, bool is_short[SYNC_WAIT_COUNT],
                                  size_t *count, struct error *err)
{
    static const char sql[] =
        "SHOW SESSION VARIABLES WHERE (Variable_name = 'wsrep_sync_wait' AND Value & 3 <> 3)"
        " OR (Variable_name = 'group_replication_consistency'"
        " AND Value NOT IN ('BEFORE', 'AFTER', 'BEFORE_AND_AFTER'))";
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;

    *count = 0;
    if (mysql_real_query(connection, sql, sizeof(sql) - 1) == 0)
        result = mysql_store_result(connection);
    if (!result)
        return db_mysql_fail(connection, "read what is waited for in a cluster", err);
    for (; (row = mysql_fetch_row(result)); ++*count)
        for (size_t i = 0; i < SYNC_WAIT_COUNT; i++)
            is_short[i] = is_short[i] || strcasecmp(row[0], sync_waits[i].name) == 0;
    mysql_free_result(result);
    return true;
}

static bool set_sync_wait(MYSQL *connection, const char *server, struct error *err)
{
    bool is_short[SYNC_WAIT_COUNT] = {false};
    size_t count;

    if (!find_short_sync_waits(connection, is_short, &count, err))
        return false;
    for (size_t i = 0; i < SYNC_WAIT_COUNT; i++) {
        const char *sql = sync_waits[i].set;

        if (is_short[i] &&
            !db_mysql_run(connection, sql, strlen(sql), "wait for a cluster's changes", err))
            return false;
    }
    if (count > 0 && !find_short_sync_waits(connection, is_short, &count, err))
        return false;
    return count == 0 || error_set(err, ERROR_CONFIG,
                                   "%s doesn't wait for the changes of other nodes, as "
                                   "DB_SYNC_WAIT=1 asks",
                                   server);
}

bool db_mysql_set_up_session(MYSQL *connection, const struct config *config,
                             unsigned io_timeout, const char *server, struct error *err)
{
    return set_variables(connection, io_timeout, err) &&
           check_variables(connection, io_timeout, server, err) &&
           (!config->db_sync_wait || set_sync_wait(connection, server, err));
}

bool db_mysql_read_variables(MYSQL *connection, const char *names,
                             void (*take)(const char *name, const char *value, void *context),
                             void *context, struct error *err)
{
    static const char doing[] = "read the session's variables";
    struct buffer sql = {0};
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    bool good;

    buffer_append_format(&sql, "SHOW SESSION VARIABLES WHERE Variable_name IN (%s)", names);
    if (sql.failed)
        error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
    else if (mysql_real_query(connection, sql.data, (unsigned long)sql.size) != 0 ||
             !(result = mysql_store_result(connection)))
        db_mysql_fail(connection, doing, err);
    good = result != NULL;
    while (good && (row = mysql_fetch_row(result)))
        take(row[0], row[1] ? row[1] : "", context);
    mysql_free_result(result);
    buffer_release(&sql);
    return good;
}
