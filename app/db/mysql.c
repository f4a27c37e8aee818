#include "db/mysql.h"

#include "base/buffer.h"

#include <errmsg.h>
#include <string.h>

#define CONNECT_TIMEOUT 5 /* seconds, for each address */

/* The server's errors by number: no library's header knows all of them. */

/* The transaction was rolled back, and may do better next time. */
static const unsigned conflicts[] = {
    1020, /* the record has changed since it was read (MariaDB) */
    1047, /* the node isn't ready (Galera) */
    1205, /* waited too long for a lock */
    1213, /* deadlock */
    1317, /* interrupted by KILL QUERY */
    3101, /* lost against another node (group replication) */
};

/* The connection is lost (within TLS, the library knows only that TLS failed), or the server
 * can't write (a failed-over primary, a full disk). */
static const unsigned lost_connections[] = {
    CR_CONNECTION_ERROR,
    CR_CONN_HOST_ERROR,
    CR_SERVER_GONE_ERROR,
    CR_SERVER_LOST,
    CR_SERVER_LOST_EXTENDED,
    CR_COMMANDS_OUT_OF_SYNC,
    CR_MALFORMED_PACKET,
    CR_SSL_CONNECTION_ERROR,
    1021, /* the disk is full */
    1053, /* the server is stopping */
    1077, /* the same */
    1079, /* the same */
    1114, /* the table, or its disk, is full */
    1152, /* the connection was given up */
    1156, /* packets out of order */
    1158, /* reading failed */
    1159, /* reading took too long */
    1160, /* writing failed */
    1161, /* writing took too long */
    1184, /* the connection was given up */
    1290, /* an option forbids it: --read-only */
    1792, /* the transaction is read-only */
    1836, /* the server is in read-only mode */
    1927, /* the connection was killed (MariaDB) */
    3032, /* the server is in offline mode */
    3168, /* the server isn't available */
    3169, /* the session was killed */
    4031, /* the connection was idle for too long */
};

/* The server is there and doesn't want us: a setting is wrong, waiting won't help. */
static const unsigned refusals[] = {
    CR_SSL_CONNECTION_ERROR,
    CR_AUTH_PLUGIN_CANNOT_LOAD,
    CR_AUTH_PLUGIN_ERR,
    1044, /* the user may not use this database */
    1045, /* wrong user or password */
    1049, /* no such database */
    1115, /* no such character set */
    1130, /* not from this host */
    1251, /* the client knows no such login */
    1698, /* wrong user or password */
    1820, /* the password must be changed */
    1862, /* the password is too old */
    3118, /* the account is locked */
    3159, /* only with TLS */
    4151, /* the account is locked (MariaDB) */
};

#define CONTAINS(list, number) contains(list, sizeof(list) / sizeof((list)[0]), number)

static bool contains(const unsigned *list, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == number)
            return true;
    }
    return false;
}

/* What every session must have. SHOW VARIABLES gives an isolation level by either name. */
#define ISOLATION    "READ-COMMITTED"
#define LOCK_TIMEOUT "5" /* seconds */

static const char *const session_statements[] = {
    "SET NAMES utf8mb4",
    "SET SESSION sql_mode = 'STRICT_TRANS_TABLES', autocommit = 1,"
    " lock_wait_timeout = " LOCK_TIMEOUT ", innodb_lock_wait_timeout = " LOCK_TIMEOUT,
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
};

static const struct variable {
    const char *name;
    const char *value;
} session_variables[] = {
    {"autocommit",               "ON"                 },
    {"character_set_client",     "utf8mb4"            },
    {"character_set_connection", "utf8mb4"            },
    {"character_set_results",    "utf8mb4"            },
    {"innodb_lock_wait_timeout", LOCK_TIMEOUT         },
    {"lock_wait_timeout",        LOCK_TIMEOUT         },
    {"sql_mode",                 "STRICT_TRANS_TABLES"},
    {"transaction_isolation",    ISOLATION            },
    {"tx_isolation",             ISOLATION            },
};

/* The servers know the last two as one variable by either or both names. */
#define VARIABLE_COUNT (sizeof(session_variables) / sizeof(session_variables[0]))
#define VARIABLE_LEAST (VARIABLE_COUNT - 1)

bool db_mysql_start(struct error *err)
{
    if (mysql_library_init(0, NULL, NULL) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot initialise the MySQL client library");
    return true;
}

void db_mysql_end(void)
{
    mysql_library_end();
}

void db_mysql_thread_end(void)
{
    mysql_thread_end();
}

void db_mysql_close(MYSQL *connection)
{
    if (connection)
        mysql_close(connection);
}

static enum error_code error_code_of(unsigned number)
{
    if (CONTAINS(conflicts, number))
        return ERROR_CONFLICT;
    return CONTAINS(lost_connections, number) ? ERROR_UNAVAILABLE : ERROR_DATABASE;
}

/* One line, whatever the driver says. */
static const char *one_line(const char *text, char *line, size_t size)
{
    size_t length = strnlen(text, size - 1);

    for (size_t i = 0; i < length; i++)
        line[i] = (unsigned char)text[i] < 0x20 ? ' ' : text[i];
    line[length] = '\0';
    return line;
}

bool db_mysql_fail(MYSQL *connection, const char *doing, struct error *err)
{
    char line[384];
    unsigned number = mysql_errno(connection);

    return error_set(err, error_code_of(number), "cannot %s: %s (MySQL error %u)", doing,
                     one_line(mysql_error(connection), line, sizeof(line)), number);
}

bool db_mysql_run(MYSQL *connection, const char *sql, size_t length, const char *doing,
                  struct error *err)
{
    if (mysql_real_query(connection, sql, (unsigned long)length) != 0)
        return db_mysql_fail(connection, doing, err);
    mysql_free_result(mysql_store_result(connection));
    if (mysql_errno(connection) != 0)
        return db_mysql_fail(connection, doing, err);
    return true;
}

static bool is_socket(const struct config *config)
{
    return config->mysql_host[0] == '/';
}

/* "MySQL at db.example:3306" */
static void name_server(const struct config *config, char *name, size_t size)
{
    struct buffer text = {0};

    buffer_append_format(&text, "MySQL at %s", config->mysql_host);
    if (!is_socket(config))
        buffer_append_format(&text, ":%u", config->mysql_port);
    one_line(text.data ? text.data : "MySQL", name, size);
    buffer_release(&text);
}

#ifdef MARIADB_PACKAGE_VERSION
typedef my_bool option_flag; /* what the library reads for an option that is on or off */
#else
typedef bool option_flag;
#endif

/* The two libraries agree on little of TLS. Connector/C checks a certificate's authority and
 * name together or neither, so verify-ca means verify-identity there; the stricter one. */
static bool set_ssl(MYSQL *connection, const struct config *config)
{
    const char *ca = config->mysql_ssl_ca[0] ? config->mysql_ssl_ca : NULL;

#ifdef MARIADB_PACKAGE_VERSION
    option_flag use = config->mysql_ssl_mode != CONFIG_SSL_DISABLED;
    option_flag verify = config->mysql_ssl_mode >= CONFIG_SSL_VERIFY_CA;

    return mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &use) == 0 &&
           mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify) == 0 &&
           (!verify || mysql_options(connection, MYSQL_OPT_SSL_CA, ca) == 0);
#else
    static const unsigned modes[] = {
        [CONFIG_SSL_DISABLED] = SSL_MODE_DISABLED,
        [CONFIG_SSL_PREFERRED] = SSL_MODE_PREFERRED,
        [CONFIG_SSL_REQUIRED] = SSL_MODE_REQUIRED,
        [CONFIG_SSL_VERIFY_CA] = SSL_MODE_VERIFY_CA,
        [CONFIG_SSL_VERIFY_IDENTITY] = SSL_MODE_VERIFY_IDENTITY,
    };
    unsigned mode = modes[config->mysql_ssl_mode];
    /* Without TLS, caching_sha2_password needs the server's key; Connector/C asks by itself. */
    option_flag ask_for_key = config->mysql_ssl_mode <= CONFIG_SSL_PREFERRED;

    return mysql_options(connection, MYSQL_OPT_SSL_MODE, &mode) == 0 &&
           mysql_options(connection, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &ask_for_key) == 0 &&
           (mode < SSL_MODE_VERIFY_CA || !ca ||
            mysql_options(connection, MYSQL_OPT_SSL_CA, ca) == 0);
#endif
}

/* Connector/C 3.4 takes a certificate that it can't verify after all, its name or its
 * authority, when the server shows that it knows the password: that is not what verify-identity
 * promises. */
static bool is_verified(MYSQL *connection)
{
#ifdef MARIADB_TLS_VERIFY_OK
    unsigned status = MARIADB_TLS_VERIFY_ERROR;

    return mariadb_get_infov(connection, MARIADB_TLS_VERIFY_STATUS, &status) == 0 &&
           status == MARIADB_TLS_VERIFY_OK;
#else
    (void)connection;
    return true;
#endif
}

/* "localhost" would mean the library's default socket: the protocol is said explicitly. */
static bool set_options(MYSQL *connection, const struct config *config, unsigned io_timeout)
{
    unsigned connect_timeout = CONNECT_TIMEOUT;
    unsigned protocol = is_socket(config) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned local_infile = 0;

    if (io_timeout > 0 && (mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &io_timeout) ||
                           mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout)))
        return false;
    return mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout) == 0 &&
           mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol) == 0 &&
           mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &local_infile) == 0 &&
           mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
           set_ssl(connection, config);
}

static bool connect_to_server(MYSQL *connection, const struct config *config,
                              const char *server, struct error *err)
{
    bool socket = is_socket(config);

    if (!mysql_real_connect(connection, socket ? NULL : config->mysql_host, config->mysql_user,
                            config->mysql_password, config->mysql_database, config->mysql_port,
                            socket ? config->mysql_host : NULL, CLIENT_FOUND_ROWS)) {
        char line[320];
        unsigned number = mysql_errno(connection);

        return error_set(err, CONTAINS(refusals, number) ? ERROR_CONFIG : ERROR_UNAVAILABLE,
                         "cannot connect to %s: %s (MySQL error %u)", server,
                         one_line(mysql_error(connection), line, sizeof(line)), number);
    }
    if (config->mysql_ssl_mode >= CONFIG_SSL_REQUIRED && !mysql_get_ssl_cipher(connection))
        return error_set(err, ERROR_CONFIG, "%s offers no TLS, and MYSQL_SSL_MODE asks for it",
                         server);
    if (config->mysql_ssl_mode >= CONFIG_SSL_VERIFY_CA && !is_verified(connection))
        return error_set(err, ERROR_CONFIG,
                         "%s has a certificate that MYSQL_SSL_CA doesn't vouch for, or that is "
                         "for another name, and MYSQL_SSL_MODE asks for a better one",
                         server);
    return true;
}

static bool check_variable(MYSQL_ROW row, const char *server, struct error *err)
{
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        const struct variable *wanted = &session_variables[i];

        if (strcasecmp(row[0], wanted->name) != 0 || strcasecmp(row[1], wanted->value) == 0)
            continue;
        return error_set(err, ERROR_CONFIG, "%s keeps %s at %s, where %s is needed", server,
                         row[0], row[1], wanted->value);
    }
    return true;
}

static bool check_variables(MYSQL *connection, const char *server, struct error *err)
{
    static const char doing[] = "read the session's variables";
    struct buffer sql = {0};
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    unsigned count = 0;
    bool good = false;

    buffer_append_text(&sql, "SHOW SESSION VARIABLES WHERE Variable_name IN (");
    for (size_t i = 0; i < VARIABLE_COUNT; i++)
        buffer_append_format(&sql, "%s'%s'", i ? ", " : "", session_variables[i].name);
    buffer_append_char(&sql, ')');
    if (sql.failed) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        goto out;
    }
    if (mysql_real_query(connection, sql.data, (unsigned long)sql.size) == 0)
        result = mysql_store_result(connection);
    if (!result) {
        db_mysql_fail(connection, doing, err);
        goto out;
    }
    good = true;
    for (; good && (row = mysql_fetch_row(result)); count++)
        good = check_variable(row, server, err);
    if (good && count < VARIABLE_LEAST)
        good = error_set(err, ERROR_CONFIG, "%s doesn't tell the session's variables", server);
out:
    mysql_free_result(result);
    buffer_release(&sql);
    return good;
}

static bool set_up_session(MYSQL *connection, const char *server, struct error *err)
{
    for (size_t i = 0; i < sizeof(session_statements) / sizeof(session_statements[0]); i++) {
        const char *sql = session_statements[i];

        if (!db_mysql_run(connection, sql, strlen(sql), "set up the session", err))
            return false;
    }
    return check_variables(connection, server, err);
}

MYSQL *db_mysql_open(const struct config *config, unsigned io_timeout, struct error *err)
{
    char server[128];
    MYSQL *connection = mysql_init(NULL);

    if (!connection) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    name_server(config, server, sizeof(server));
    if (!set_options(connection, config, io_timeout)) {
        error_set(err, ERROR_CONFIG, "the MySQL client library refuses an option for %s: %s",
                  server, mysql_error(connection));
        goto out;
    }
    if (connect_to_server(connection, config, server, err) &&
        set_up_session(connection, server, err))
        return connection;
out:
    db_mysql_close(connection);
    return NULL;
}
