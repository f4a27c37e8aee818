#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

/*
 * Every setting of the program, from the environment. One table in config.c (name, type,
 * default, range, secret or not, one line of help) gives the values here, `app config`, the
 * usage text and the README's table. Loaded once, read-only afterwards, so any thread may read
 * it.
 */

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

enum config_database {
    CONFIG_DATABASE_SQLITE,
    CONFIG_DATABASE_MYSQL,
};

enum config_ssl_mode {
    CONFIG_SSL_DISABLED,
    CONFIG_SSL_PREFERRED,       /* TLS when the server offers it, certificate not checked */
    CONFIG_SSL_REQUIRED,        /* TLS or no connection, certificate not checked */
    CONFIG_SSL_VERIFY_IDENTITY, /* and its certificate is a known authority's, for MYSQL_HOST */
    CONFIG_SSL_VERIFY_CA,       /* for whatever name; only with Oracle's client library */
};

enum config_log_format {
    CONFIG_LOG_AUTO, /* text on a terminal, JSON otherwise */
    CONFIG_LOG_JSON,
    CONFIG_LOG_TEXT,
};

enum config_log_level {
    CONFIG_LOG_DEBUG,
    CONFIG_LOG_INFO,
    CONFIG_LOG_WARNING,
    CONFIG_LOG_ERROR,
};

struct config {
    const char *http_address;         /* HTTP_ADDRESS, for endpoint_parse */
    unsigned http_port;               /* HTTP_PORT; 0: the system picks a free one */
    const char *http_socket_mode;     /* HTTP_SOCKET_MODE, octal */
    const char *admin_address;        /* ADMIN_ADDRESS, as HTTP_ADDRESS */
    unsigned admin_port;              /* ADMIN_PORT; 0: there is none */
    unsigned http_threads;            /* HTTP_THREADS; 0: one for two cores */
    unsigned http_body_limit;         /* HTTP_BODY_LIMIT, bytes */
    unsigned http_json_depth;         /* HTTP_JSON_DEPTH, levels */
    unsigned http_host_limit;         /* HTTP_HOST_LIMIT, bytes */
    unsigned http_client_connections; /* HTTP_CLIENT_CONNECTIONS; 0: half of all */
    unsigned request_memory;          /* REQUEST_MEMORY, bytes */
    unsigned response_memory;         /* RESPONSE_MEMORY, bytes */
    unsigned request_timeout;         /* REQUEST_TIMEOUT, seconds */
    unsigned wait_limit;              /* WAIT_LIMIT, seconds */
    unsigned wait_clients;            /* WAIT_CLIENTS */
    unsigned stop_delay;              /* STOP_DELAY, seconds */
    unsigned stop_timeout;            /* STOP_TIMEOUT, seconds */
    const char *public_url;           /* PUBLIC_URL without a trailing slash, "" when unset */
    const char *allowed_hosts;        /* ALLOWED_HOSTS, comma separated, "*" for any */
    const char *cors_origins;         /* CORS_ORIGINS, see base/origins.h */
    const char *trusted_proxies;      /* TRUSTED_PROXIES for cidr_list_parse, "" when unset */
    const char *static_root; /* STATIC_ROOT, folder of the web page's files, "": embedded */

    enum config_database
        database;             /* DATABASE; default: mysql if MYSQL_HOST is set, else sqlite */
    const char *sqlite_path;  /* perhaps no file: config_sqlite_in_memory */
    const char *secrets_root; /* folder with files named like the secrets */
    const char *mysql_host;   /* NULL when unset, never with mysql */
    unsigned mysql_port;
    const char *mysql_user;
    const char *mysql_password; /* NULL when unset, never with mysql */
    char *mysql_password_file;  /* that it was read from, or NULL */
    const char *mysql_database;
    enum config_ssl_mode mysql_ssl_mode;
    const char *mysql_ssl_ca; /* PEM text (pem_is_text), or a file of it; "": the system's */
    unsigned db_readers;      /* DB_READERS, reading connections */
    unsigned db_batch;        /* DB_BATCH, most operations in one flight or batch; 1: off */
    unsigned db_queue;        /* DB_QUEUE, most operations waiting */
    unsigned db_sync_wait;    /* DB_SYNC_WAIT; 1: sessions wait for other nodes' changes */
    unsigned db_wait;         /* DB_WAIT, seconds that serve waits for the database at start */
    unsigned db_connection_age; /* DB_CONNECTION_AGE, seconds; 0: connections stay */

    enum config_log_format log_format;
    enum config_log_level log_level;
    const char *xray_daemon_address; /* AWS_XRAY_DAEMON_ADDRESS for xray_address_parse, "" */
    unsigned db_comment_trace;       /* DB_COMMENT_TRACE; 1: SQL says which trace it is for */
    unsigned log_health; /* LOG_HEALTH; 1: health checks that succeed are logged, too */
};

/* Reads all settings from the environment and from secret files. An empty variable counts as
 * unset, and so does an empty file. A secret KEY is taken from the file that KEY_FILE names, or
 * from $SECRETS_ROOT/KEY if that exists, or from KEY, and it is an error if it is in a file and
 * in KEY; one newline at a file's end, LF or CR LF, is not part of it. False with *errors
 * (empty on entry) holding one line for each wrong setting, each beginning with the variable's
 * name; nothing, and `failed`, when memory ran out. *errors is the caller's to release. The
 * strings in *config live until config_release. */
bool config_load(struct config *config, struct buffer *errors);

void config_release(struct config *config);

/* Whether this SQLITE_PATH is no file, but memory of the process, gone at its end. */
bool config_sqlite_in_memory(const char *sqlite_path);

/* Reads MySQL's password from its file again: it may have been changed since. The caller frees
 * it. NULL when it didn't come from a file, or that holds none now. Any thread. */
char *config_read_password(const struct config *config);

/* `app config`: every setting, its value (secrets masked), where it came from, and what is
 * wrong. Returns whether all settings are good. */
bool config_print(FILE *out);

/* A setting as a person is told about it; "" for what it has not. */
struct config_setting {
    const char *name;
    const char *fallback; /* its default */
    const char *help;     /* with what is allowed, in parentheses */
};

/* Calls `describe` for each setting; what it gets is gone when it returns. */
void config_describe(void (*describe)(const struct config_setting *setting, void *context),
                     void *context);

#endif
