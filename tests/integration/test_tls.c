/*
 * What each MYSQL_SSL_MODE means: whether a connection is made, and whether it is encrypted. On
 * a server without TLS, and (MARIADB_TLS=1) on one that insists on it and whose certificate,
 * signed by an authority of the tests, is for localhost and not for 127.0.0.1.
 */

#include "check.h"
#include "db/mysql.h"
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#define RIGHT "TEST_MYSQL_CA"
#define OTHER "TEST_MYSQL_OTHER_CA"
/* The same address by another name: Connector/C 3.4 asks no name of "127.0.0.1". */
#define OTHER_NAME   "127.1"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct row {
    const char *name;
    enum config_ssl_mode mode;
    const char *host;
    const char *ca; /* a variable that names a file; NULL: the system's */
    bool connects;
};

static void check_mode(const struct row *row, bool encrypted)
{
    const char *port = getenv("MYSQL_PORT");
    const struct config config = {
        .mysql_host = row->host,
        .mysql_port = port ? (unsigned)strtoul(port, NULL, 10) : 0,
        .mysql_user = getenv("MYSQL_USER"),
        .mysql_password = getenv("MYSQL_PASSWORD"),
        .mysql_database = getenv("MYSQL_DATABASE"),
        .mysql_ssl_mode = row->mode,
        .mysql_ssl_ca = row->ca ? getenv(row->ca) : "",
    };
    struct error err = {0};
    MYSQL *connection = db_mysql_open(&config, 5, &err);

    if (CHECK(!connection == !row->connects, row->name, "%s",
              connection ? "connected" : err.text) &&
        connection)
        CHECK_NUMBER(row->name, "encrypted", encrypted,
                     mysql_get_ssl_cipher(connection) != NULL);
    db_mysql_close(connection);
}

static const struct row rows_without_tls[] = {
    {"disabled",        CONFIG_SSL_DISABLED,        "127.0.0.1", NULL, true },
    {"preferred",       CONFIG_SSL_PREFERRED,       "127.0.0.1", NULL, true },
    {"required",        CONFIG_SSL_REQUIRED,        "127.0.0.1", NULL, false},
    {"verify-ca",       CONFIG_SSL_VERIFY_CA,       "localhost", NULL, false},
    {"verify-identity", CONFIG_SSL_VERIFY_IDENTITY, "localhost", NULL, false},
};

static const struct row rows_with_tls[] = {
    {"disabled",                    CONFIG_SSL_DISABLED,        "localhost", NULL,  false},
    {"preferred",                   CONFIG_SSL_PREFERRED,       "127.0.0.1", NULL,  true },
    {"preferred, other CA",         CONFIG_SSL_PREFERRED,       "127.0.0.1", OTHER, true },
    {"required",                    CONFIG_SSL_REQUIRED,        "127.0.0.1", NULL,  true },
    {"required, other CA",          CONFIG_SSL_REQUIRED,        "127.0.0.1", OTHER, true },
    {"verify-ca",                   CONFIG_SSL_VERIFY_CA,       "localhost", RIGHT, true },
    {"verify-ca, other CA",         CONFIG_SSL_VERIFY_CA,       "localhost", OTHER, false},
    {"verify-ca, system's CAs",     CONFIG_SSL_VERIFY_CA,       "localhost", NULL,  false},
    {"verify-identity",             CONFIG_SSL_VERIFY_IDENTITY, "localhost", RIGHT, true },
    {"verify-identity, other name", CONFIG_SSL_VERIFY_IDENTITY, OTHER_NAME,  RIGHT, false},
    {"verify-identity, other CA",   CONFIG_SSL_VERIFY_IDENTITY, "localhost", OTHER, false},
    {"verify-identity, system's",   CONFIG_SSL_VERIFY_IDENTITY, "localhost", NULL,  false},
};

static void test_each_mode_means_what_it_says(void)
{
    bool has_tls = getenv(RIGHT) != NULL;
    const struct row *rows = has_tls ? rows_with_tls : rows_without_tls;
    size_t count = has_tls ? COUNT(rows_with_tls) : COUNT(rows_without_tls);
    struct error err = {0};

    CHECK(db_mysql_start(&err), "library", "%s", err.text);
    for (size_t i = 0; i < count; i++)
        check_mode(&rows[i], has_tls);
}

CU_TestInfo tls_tests[] = {
    TEST(test_each_mode_means_what_it_says),
    CU_TEST_INFO_NULL,
};
