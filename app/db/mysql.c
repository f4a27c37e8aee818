#include "db/mysql.h"

#include "base/buffer.h"
#include "base/pem.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_TIMEOUT 5 /* seconds, for each address */

/* The password that was accepted last, of those that came from a file. */
static struct {
    pthread_mutex_t lock;
    char *text; /* NULL: the configuration's */
} known_password = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool db_mysql_start(struct error *err)
{
    if (mysql_library_init(0, NULL, NULL) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot initialise the MySQL client library");
    return true;
}

static void release_password(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void db_mysql_end(void)
{
    release_password(known_password.text);
    known_password.text = NULL;
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

int db_mysql_socket(MYSQL *connection)
{
#ifdef MARIADB_PACKAGE_VERSION
    return mysql_get_socket(connection);
#else
    return (int)connection->net.fd;
#endif
}

void db_mysql_keep_alive(MYSQL *connection)
{
    static const struct {
        int level;
        int name;
        int value;
    } options[] = {
        {SOL_SOCKET,  SO_KEEPALIVE,     1    },
        {IPPROTO_TCP, TCP_KEEPIDLE,     30   }, /* seconds */
        {IPPROTO_TCP, TCP_KEEPINTVL,    10   },
        {IPPROTO_TCP, TCP_KEEPCNT,      3    },
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 60000}, /* milliseconds, for what was sent */
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        setsockopt(db_mysql_socket(connection), options[i].level, options[i].name,
                   &options[i].value, sizeof(options[i].value));
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
    db_mysql_line(text.data ? text.data : "MySQL", name, size);
    buffer_release(&text);
}

#ifdef MARIADB_PACKAGE_VERSION
typedef my_bool option_flag; /* what the library reads for an option that is on or off */
#else
typedef bool option_flag;
#endif

#ifdef MARIADB_PACKAGE_VERSION
/* The logins that don't tell the server the password. The others (mysql_clear_password, dialog)
 * are for one whose certificate is verified: Connector/C would send it to any server that asks,
 * without TLS, too, and only verify-identity has TLS for sure before it comes to that. Oracle's
 * library by itself knows no such login. */
static const char safe_logins[] =
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec,"
    "auth_gssapi_client";
#endif

/* The authorities' certificates, as the libraries want them: a file. */
struct authority {
    int file;       /* the text's, in memory; -1: none */
    char path[32];  /* its name */
    const char *ca; /* NULL: the system's */
};

/* No place for files is needed: the image has none. False with *err set; in any case the caller
 * closes `file`. */
static bool find_authority(const struct config *config, struct authority *authority,
                           struct error *err)
{
    const char *text = config->mysql_ssl_ca;
    size_t size = strlen(text);

    *authority = (struct authority){.file = -1, .ca = size > 0 ? text : NULL};
    if (config->mysql_ssl_mode < CONFIG_SSL_VERIFY_IDENTITY || !pem_is_text(text))
        return true;
    authority->file = memfd_create("MYSQL_SSL_CA", MFD_CLOEXEC);
    if (authority->file < 0 || write(authority->file, text, size) != (ssize_t)size)
        return error_set(err, ERROR_UNAVAILABLE, "cannot keep MYSQL_SSL_CA in memory: %s",
                         strerror(errno));
    snprintf(authority->path, sizeof(authority->path), "/proc/self/fd/%d", authority->file);
    authority->ca = authority->path;
    return true;
}

/* The two libraries agree on little of TLS; and see config.c for verify-ca. */
static bool set_ssl(MYSQL *connection, const struct config *config, const char *ca)
{
#ifdef MARIADB_PACKAGE_VERSION
    option_flag use = config->mysql_ssl_mode != CONFIG_SSL_DISABLED;
    option_flag verify = config->mysql_ssl_mode >= CONFIG_SSL_VERIFY_IDENTITY;

    return mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &use) == 0 &&
           mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify) == 0 &&
           (verify ? mysql_options(connection, MYSQL_OPT_SSL_CA, ca)
                   : mysql_options(connection, MARIADB_OPT_RESTRICTED_AUTH, safe_logins)) == 0;
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
static bool set_options(MYSQL *connection, const struct config *config, const char *ca,
                        unsigned io_timeout)
{
    unsigned connect_timeout = io_timeout < CONNECT_TIMEOUT ? io_timeout : CONNECT_TIMEOUT;
    unsigned protocol = is_socket(config) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned local_infile = 0;

    return mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &io_timeout) == 0 &&
           mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout) == 0 &&
           mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout) == 0 &&
           mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol) == 0 &&
           mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &local_infile) == 0 &&
           mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
           set_ssl(connection, config, ca);
}

static bool log_in(MYSQL *connection, const struct config *config, const char *password)
{
    bool socket = is_socket(config);

    return mysql_real_connect(connection, socket ? NULL : config->mysql_host,
                              config->mysql_user, password, config->mysql_database,
                              config->mysql_port, socket ? config->mysql_host : NULL,
                              CLIENT_FOUND_ROWS) != NULL;
}

static bool check_tls(MYSQL *connection, const struct config *config, const char *server,
                      struct error *err)
{
    if (config->mysql_ssl_mode >= CONFIG_SSL_REQUIRED && !mysql_get_ssl_cipher(connection))
        return error_set(err, ERROR_CONFIG, "%s offers no TLS, and MYSQL_SSL_MODE asks for it",
                         server);
    if (config->mysql_ssl_mode >= CONFIG_SSL_VERIFY_IDENTITY && !is_verified(connection))
        return error_set(err, ERROR_CONFIG,
                         "%s has a certificate that MYSQL_SSL_CA doesn't vouch for, or that is "
                         "for another name, and MYSQL_SSL_MODE asks for a better one",
                         server);
    return true;
}

static const char *tls_version(MYSQL *connection, const char *cipher)
{
#ifdef MARIADB_PACKAGE_VERSION
    const char *version = NULL;

    (void)cipher;
    if (mariadb_get_infov(connection, MARIADB_CONNECTION_TLS_VERSION, &version) == 0 && version)
        return version;
#else
    (void)connection;
    if (strncmp(cipher, "TLS_", 4) == 0)
        return "TLSv1.3"; /* its ciphers alone have such names, and the library tells no more */
#endif
    return "TLS";
}

/* Whether the certificate's name was compared with MYSQL_HOST. */
static bool is_name_verified(const struct config *config)
{
#ifdef MARIADB_TLS_VERIFY_OK
    if (strcmp(config->mysql_host, "127.0.0.1") == 0 || strcmp(config->mysql_host, "::1") == 0)
        return false;
#endif
    return config->mysql_ssl_mode == CONFIG_SSL_VERIFY_IDENTITY && !is_socket(config);
}

void db_mysql_describe_tls(MYSQL *connection, const struct config *config,
                           char text[DB_MYSQL_TLS_SIZE])
{
    const char *cipher = mysql_get_ssl_cipher(connection);

    if (!cipher)
        snprintf(text, DB_MYSQL_TLS_SIZE, "no TLS");
    else if (config->mysql_ssl_mode < CONFIG_SSL_VERIFY_IDENTITY)
        snprintf(text, DB_MYSQL_TLS_SIZE, "%s, %.64s, certificate not verified",
                 tls_version(connection, cipher), cipher);
    else
        snprintf(text, DB_MYSQL_TLS_SIZE, "%s, %.64s, certificate verified for %.253s",
                 tls_version(connection, cipher), cipher,
                 is_name_verified(config) ? config->mysql_host : "any name");
}

/* What an attempt gave. */
struct attempt {
    MYSQL *connection; /* NULL: none */
    bool is_password_refused;
};

static bool open_connection(struct attempt *attempt, const struct config *config,
                            const char *password, const char *ca, unsigned io_timeout,
                            struct error *err)
{
    MYSQL *connection = attempt->connection;
    char server[128];
    char doing[160];

    name_server(config, server, sizeof(server));
    snprintf(doing, sizeof(doing), "connect to %s", server);
    if (!set_options(connection, config, ca, io_timeout))
        return error_set(err, ERROR_CONFIG,
                         "the MySQL client library refuses an option for %s: %s", server,
                         mysql_error(connection));
    if (!log_in(connection, config, password)) {
        attempt->is_password_refused = db_mysql_cause(connection) == DB_MYSQL_PASSWORD;
        return db_mysql_fail_to_connect(connection, doing, err);
    }
    return check_tls(connection, config, server, err) &&
           db_mysql_set_up_session(connection, config, io_timeout, server, err);
}

static struct attempt try_to_open(const struct config *config, const char *password,
                                  unsigned io_timeout, struct error *err)
{
    struct attempt attempt = {.connection = mysql_init(NULL)};
    struct authority authority;
    bool good;

    if (!attempt.connection) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return attempt;
    }
    good = find_authority(config, &authority, err) &&
           open_connection(&attempt, config, password, authority.ca, io_timeout, err);
    if (authority.file >= 0)
        close(authority.file);
    if (!good) {
        db_mysql_close(attempt.connection);
        attempt.connection = NULL;
    }
    return attempt;
}

/* The caller's to release. NULL without memory. */
static char *copy_password(const struct config *config)
{
    char *copy;

    pthread_mutex_lock(&known_password.lock);
    copy = strdup(config->mysql_password_file && known_password.text ? known_password.text
                                                                     : config->mysql_password);
    pthread_mutex_unlock(&known_password.lock);
    return copy;
}

/* Takes it. */
static void keep_password(char *password)
{
    pthread_mutex_lock(&known_password.lock);
    release_password(known_password.text);
    known_password.text = password;
    pthread_mutex_unlock(&known_password.lock);
}

/* The password's file holds another one than the one that was refused, if it has been changed.
 */
static MYSQL *try_password_from_file(const struct config *config, const char *refused,
                                     unsigned io_timeout, struct error *err)
{
    char *password = config_read_password(config);
    struct attempt attempt = {0};

    if (password && strcmp(password, refused) != 0) {
        *err = (struct error){0};
        attempt = try_to_open(config, password, io_timeout, err);
    }
    if (attempt.connection)
        keep_password(password);
    else
        release_password(password);
    return attempt.connection;
}

MYSQL *db_mysql_open(const struct config *config, unsigned io_timeout, struct error *err)
{
    char *password = copy_password(config);
    struct attempt attempt = {0};

    if (!password) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    attempt = try_to_open(config, password, io_timeout, err);
    if (attempt.is_password_refused && config->mysql_password_file)
        attempt.connection = try_password_from_file(config, password, io_timeout, err);
    release_password(password);
    return attempt.connection;
}
