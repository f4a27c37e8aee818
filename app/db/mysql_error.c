#include "db/mysql.h"

#include "base/metrics.h"

#include <errmsg.h>
#include <string.h>

/* What went wrong, where its SQLSTATE doesn't say enough, by number: no library's header names
 * all of them. */
/* The formatter would move the comments. */
/* clang-format off */
static const struct {
    unsigned number;
    enum db_mysql_cause cause;
} numbers[] = {
    /* the client's library (within TLS, it knows only that TLS failed) */
    {CR_CONNECTION_ERROR, DB_MYSQL_LOST},
    {CR_CONN_HOST_ERROR, DB_MYSQL_LOST},
    {CR_SERVER_GONE_ERROR, DB_MYSQL_LOST},
    {CR_SERVER_LOST, DB_MYSQL_LOST},
    {CR_COMMANDS_OUT_OF_SYNC, DB_MYSQL_LOST},
    {CR_SSL_CONNECTION_ERROR, DB_MYSQL_TLS},
    {CR_MALFORMED_PACKET, DB_MYSQL_LOST},
    {CR_SERVER_LOST_EXTENDED, DB_MYSQL_LOST},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, DB_MYSQL_LOGIN},
    {CR_AUTH_PLUGIN_ERR, DB_MYSQL_LOGIN},
#ifdef CR_PLUGIN_NOT_ALLOWED
    {CR_PLUGIN_NOT_ALLOWED, DB_MYSQL_LOGIN}, /* see safe_logins in mysql.c */
#endif
    /* the transaction was rolled back, and may do better next time */
    {1020, DB_MYSQL_CONFLICT}, /* ER_CHECKREAD: since it was read (MariaDB) */
    {1047, DB_MYSQL_CONFLICT}, /* ER_UNKNOWN_COM_ERROR: a Galera node isn't ready */
    {1205, DB_MYSQL_CONFLICT}, /* ER_LOCK_WAIT_TIMEOUT */
    {1213, DB_MYSQL_CONFLICT}, /* ER_LOCK_DEADLOCK */
    {1317, DB_MYSQL_CONFLICT}, /* ER_QUERY_INTERRUPTED: KILL QUERY */
    {3101, DB_MYSQL_CONFLICT}, /* ER_TRANSACTION_ROLLBACK_DURING_COMMIT */
    {3572, DB_MYSQL_CONFLICT}, /* ER_LOCK_NOWAIT (MySQL; MariaDB: 1205) */
    /* the connection is lost, or about to be */
    {1053, DB_MYSQL_LOST}, /* ER_SERVER_SHUTDOWN */
    {1077, DB_MYSQL_LOST}, /* ER_NORMAL_SHUTDOWN */
    {1079, DB_MYSQL_LOST}, /* ER_SHUTDOWN_COMPLETE */
    {1152, DB_MYSQL_LOST}, /* ER_ABORTING_CONNECTION */
    {1156, DB_MYSQL_LOST}, /* ER_NET_PACKETS_OUT_OF_ORDER */
    {1158, DB_MYSQL_LOST}, /* ER_NET_READ_ERROR */
    {1159, DB_MYSQL_LOST}, /* ER_NET_READ_INTERRUPTED */
    {1160, DB_MYSQL_LOST}, /* ER_NET_ERROR_ON_WRITE */
    {1161, DB_MYSQL_LOST}, /* ER_NET_WRITE_INTERRUPTED */
    {1180, DB_MYSQL_LOST}, /* ER_ERROR_DURING_COMMIT: done or not */
    {1184, DB_MYSQL_LOST}, /* ER_NEW_ABORTING_CONNECTION */
    {1927, DB_MYSQL_LOST}, /* ER_CONNECTION_KILLED (MariaDB) */
    {3032, DB_MYSQL_LOST}, /* ER_SERVER_OFFLINE_MODE */
    {3100, DB_MYSQL_LOST}, /* ER_RUN_HOOK_ERROR: group replication, at a commit */
    {3168, DB_MYSQL_LOST}, /* ER_SERVER_ISNT_AVAILABLE */
    {3169, DB_MYSQL_LOST}, /* ER_SESSION_WAS_KILLED */
    {4031, DB_MYSQL_LOST}, /* ER_CLIENT_INTERACTION_TIMEOUT: idle for too long */
    /* the server takes no changes: it has become a replica, or is one */
    {1036, DB_MYSQL_READ_ONLY}, /* ER_OPEN_AS_READONLY */
    {1290, DB_MYSQL_READ_ONLY}, /* ER_OPTION_PREVENTS_STATEMENT: --read-only */
    {1792, DB_MYSQL_READ_ONLY}, /* ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
    {1836, DB_MYSQL_READ_ONLY}, /* ER_READ_ONLY_MODE */
    {1874, DB_MYSQL_READ_ONLY}, /* ER_INNODB_READ_ONLY */
    /* it doesn't let us */
    {1044, DB_MYSQL_NO_RIGHT}, /* ER_DBACCESS_DENIED_ERROR */
    {1142, DB_MYSQL_NO_RIGHT}, /* ER_TABLEACCESS_DENIED_ERROR */
    {1143, DB_MYSQL_NO_RIGHT}, /* ER_COLUMNACCESS_DENIED_ERROR */
    {1227, DB_MYSQL_NO_RIGHT}, /* ER_SPECIFIC_ACCESS_DENIED_ERROR */
    {1370, DB_MYSQL_NO_RIGHT}, /* ER_PROCACCESS_DENIED_ERROR: a trigger's */
    {1045, DB_MYSQL_PASSWORD}, /* ER_ACCESS_DENIED_ERROR */
    {1698, DB_MYSQL_PASSWORD}, /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
    {1049, DB_MYSQL_LOGIN}, /* ER_BAD_DB_ERROR */
    {1115, DB_MYSQL_LOGIN}, /* ER_UNKNOWN_CHARACTER_SET */
    {1130, DB_MYSQL_LOGIN}, /* ER_HOST_NOT_PRIVILEGED */
    {1251, DB_MYSQL_LOGIN}, /* ER_NOT_SUPPORTED_AUTH_MODE */
    {1820, DB_MYSQL_LOGIN}, /* ER_MUST_CHANGE_PASSWORD */
    {1862, DB_MYSQL_LOGIN}, /* ER_MUST_CHANGE_PASSWORD_LOGIN */
    {3118, DB_MYSQL_LOGIN}, /* ER_ACCOUNT_HAS_BEEN_LOCKED */
    {3159, DB_MYSQL_LOGIN}, /* ER_SECURE_TRANSPORT_REQUIRED */
    {4151, DB_MYSQL_LOGIN}, /* ER_ACCOUNT_HAS_BEEN_LOCKED (MariaDB) */
    /* it can't, for now */
    {1021, DB_MYSQL_NO_ROOM}, /* ER_DISK_FULL */
    {1114, DB_MYSQL_NO_ROOM}, /* ER_RECORD_FILE_FULL */
    {1026, DB_MYSQL_LIMIT}, /* ER_ERROR_ON_WRITE */
    {1037, DB_MYSQL_LIMIT}, /* ER_OUTOFMEMORY */
    {1038, DB_MYSQL_LIMIT}, /* ER_OUT_OF_SORTMEMORY */
    {1041, DB_MYSQL_LIMIT}, /* ER_OUT_OF_RESOURCES */
    {1203, DB_MYSQL_LIMIT}, /* ER_TOO_MANY_USER_CONNECTIONS */
    {1206, DB_MYSQL_LIMIT}, /* ER_LOCK_TABLE_FULL */
    {1226, DB_MYSQL_LIMIT}, /* ER_USER_LIMIT_REACHED */
    {1598, DB_MYSQL_LIMIT}, /* ER_BINLOG_LOGGING_IMPOSSIBLE */
    {1637, DB_MYSQL_LIMIT}, /* ER_TOO_MANY_CONCURRENT_TRXS */
    {1969, DB_MYSQL_TIME}, /* ER_STATEMENT_TIMEOUT: max_statement_time (MariaDB) */
    {3024, DB_MYSQL_TIME}, /* ER_QUERY_TIMEOUT: max_execution_time */
    {CR_NET_PACKET_TOO_LARGE, DB_MYSQL_PACKET},
    {1153, DB_MYSQL_PACKET}, /* ER_NET_PACKET_TOO_LARGE */
    {167, DB_MYSQL_IDS}, /* HA_ERR_AUTOINC_ERANGE (MariaDB) */
    {1467, DB_MYSQL_IDS}, /* ER_AUTOINC_READ_FAILED */
    /* the data: a CHECK, or a character that a column can't hold; see classes, too */
    {1366, DB_MYSQL_DATA}, /* ER_TRUNCATED_WRONG_VALUE_FOR_FIELD */
    {3819, DB_MYSQL_DATA}, /* ER_CHECK_CONSTRAINT_VIOLATED */
};
/* clang-format on */

/* By class of SQLSTATE. What is in neither table is no request's fault: a table or column that
 * isn't there, one that was added and has no default, or whatever a server says next year. */
static const struct {
    char class[3];
    enum db_mysql_cause cause;
} classes[] = {
    {"08", DB_MYSQL_LOST    }, /* connection exception */
    {"22", DB_MYSQL_DATA    }, /* data exception */
    {"23", DB_MYSQL_DATA    }, /* integrity constraint violation */
    {"40", DB_MYSQL_CONFLICT}, /* transaction rollback */
    {"44", DB_MYSQL_DATA    }, /* WITH CHECK OPTION violation */
    {"45", DB_MYSQL_DATA    }, /* a trigger's own, by SIGNAL */
};

static const struct {
    enum error_code code;
    bool is_final; /* while connecting: the server doesn't want us, and waiting won't help */
} consequences[] = {
    [DB_MYSQL_OTHER] = {ERROR_DATABASE,    false},
    [DB_MYSQL_CONFLICT] = {ERROR_CONFLICT,    false},
    [DB_MYSQL_DATA] = {ERROR_REFUSED,     false},
    [DB_MYSQL_LOST] = {ERROR_UNAVAILABLE, false},
    [DB_MYSQL_TLS] = {ERROR_UNAVAILABLE, true },
    [DB_MYSQL_READ_ONLY] = {ERROR_UNAVAILABLE, false},
    [DB_MYSQL_NO_RIGHT] = {ERROR_UNAVAILABLE, true },
    [DB_MYSQL_PASSWORD] = {ERROR_UNAVAILABLE, true },
    [DB_MYSQL_LOGIN] = {ERROR_UNAVAILABLE, true },
    [DB_MYSQL_NO_ROOM] = {ERROR_UNAVAILABLE, false},
    [DB_MYSQL_TIME] = {ERROR_UNAVAILABLE, false},
    [DB_MYSQL_LIMIT] = {ERROR_UNAVAILABLE, false},
    [DB_MYSQL_PACKET] = {ERROR_LIMIT,       false},
    [DB_MYSQL_IDS] = {ERROR_LIMIT,       false},
};

enum db_mysql_cause db_mysql_cause(MYSQL *connection)
{
    unsigned number = mysql_errno(connection);
    const char *state = mysql_sqlstate(connection);

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].number == number)
            return numbers[i].cause;
    }
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strncmp(state, classes[i].class, 2) == 0)
            return classes[i].cause;
    }
    return DB_MYSQL_OTHER;
}

const char *db_mysql_line(const char *text, char *line, size_t size)
{
    size_t length = strnlen(text, size - 1);

    for (size_t i = 0; i < length; i++)
        line[i] = (unsigned char)text[i] < 0x20 ? ' ' : text[i];
    line[length] = '\0';
    return line;
}

void db_mysql_name_errors(void)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        metrics_name_error(numbers[i].number);
}

static bool fail(MYSQL *connection, enum error_code code, const char *doing, const char *advice,
                 struct error *err)
{
    const char *reason = mysql_error(connection);
    char line[384];

    metrics_count_error(mysql_errno(connection));
#ifdef CR_PLUGIN_NOT_ALLOWED /* its message is of bytes that are gone */
    if (mysql_errno(connection) == CR_PLUGIN_NOT_ALLOWED)
        reason = "it asks for the password itself, as mysql_clear_password and PAM do";
#endif
    return error_set(err, code, "cannot %s: %s (MySQL error %u)%s", doing,
                     db_mysql_line(reason, line, sizeof(line)), mysql_errno(connection),
                     advice);
}

bool db_mysql_fail(MYSQL *connection, const char *doing, struct error *err)
{
    return fail(connection, consequences[db_mysql_cause(connection)].code, doing, "", err);
}

/* What a person can do about what keeps us out; "" where the server's own words say it. */
static const char *advice_on(unsigned number)
{
    static const struct {
        unsigned number;
        const char *text;
    } advice[] = {
        {CR_CONNECTION_ERROR,        ": see MYSQL_HOST and MYSQL_PORT, and whether the server runs"},
        {CR_CONN_HOST_ERROR,         ": see MYSQL_HOST and MYSQL_PORT, and whether the server runs"},
        {CR_UNKNOWN_HOST,            ": see MYSQL_HOST"                                            },
        {CR_SSL_CONNECTION_ERROR,    ": see MYSQL_SSL_MODE and MYSQL_SSL_CA"                       },
        {CR_AUTH_PLUGIN_CANNOT_LOAD, ": give MYSQL_USER another login, or install this plugin"     },
#ifdef CR_PLUGIN_NOT_ALLOWED
        {CR_PLUGIN_NOT_ALLOWED,      ": it is told only with MYSQL_SSL_MODE=verify-identity"       },
#endif
        {1044,                       ": grant MYSQL_USER its rights in MYSQL_DATABASE"             },
        {1045,                       ": see MYSQL_USER and MYSQL_PASSWORD"                         },
        {1049,                       ": see MYSQL_DATABASE"                                        },
        {1130,                       ": let MYSQL_USER log in from here"                           },
        {1698,                       ": see MYSQL_USER and MYSQL_PASSWORD"                         },
        {3159,                       ": see MYSQL_SSL_MODE"                                        },
    };

    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
        if (advice[i].number == number)
            return advice[i].text;
    }
    return "";
}

bool db_mysql_fail_to_connect(MYSQL *connection, const char *doing, struct error *err)
{
    bool is_final = consequences[db_mysql_cause(connection)].is_final;

    return fail(connection, is_final ? ERROR_CONFIG : ERROR_UNAVAILABLE, doing,
                advice_on(mysql_errno(connection)), err);
}
