/*
 * What each MYSQL_SSL_MODE means for each kind of server: whether `app` takes it, and what it
 * says if not. Of the table, a run does what is about the server that it has (TEST_MYSQL_TLS):
 * one without TLS, or one that insists on it, with a certificate for localhost and not for
 * 127.0.0.1, signed by an authority of the tests, which is valid or has expired.
 */

#include "check.h"
#include "command.h"
#include "server.h"
#include "suites.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIGHT "TEST_MYSQL_CA"
#define OTHER "TEST_MYSQL_OTHER_CA"
/* The same address by another name: Connector/C 3.4 asks no name of "127.0.0.1". */
#define OTHER_NAME   "127.1"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LIMIT        20000 /* milliseconds that a command may take */

static const char *const modes[] = {"disabled", "preferred", "required", "verify-identity",
                                    "verify-ca"};

#define TAKEN ""
/* The server's: MySQL names the reason, MariaDB 10.11 calls it a refused password. */
#define INSISTS "cannot connect to MySQL at "
/* The libraries'. */
#define NEEDS_TLS "SSL is required"
#define UNKNOWN   "certificate"
#ifdef MARIADB_TLS_VERIFY_OK /* since 3.4 */
#define ANOTHER_NAME "Hostname verification failed"
#else
#define ANOTHER_NAME "certificate"
#endif
#ifdef MARIADB_PACKAGE_VERSION
#define EXPIRED               "certificate has expired"
#define NO_TLS                "offers no TLS, and MYSQL_SSL_MODE asks for it"
#define WITH_VERIFY_CA(words) "MYSQL_SSL_MODE: \"verify-ca\" is not one of disabled, "
#else
#define EXPIRED               "certificate verify failed"
#define NO_TLS                NEEDS_TLS
#define WITH_VERIFY_CA(words) words
#endif

static const struct situation {
    const char *name;
    const char *server; /* TEST_MYSQL_TLS */
    const char *host;
    const char *ca;                  /* a variable that names a file; NULL: the system's */
    const char *words[COUNT(modes)]; /* of the refusal, exit status 2, or TAKEN */
} situations[] = {
    {"right CA",
     "valid",   "localhost",
     RIGHT, {INSISTS, TAKEN, TAKEN, TAKEN, WITH_VERIFY_CA(TAKEN)}       },
    {"wrong CA",
     "valid",   "localhost",
     OTHER, {INSISTS, TAKEN, TAKEN, UNKNOWN, WITH_VERIFY_CA(UNKNOWN)}   },
    {"system's CAs",
     "valid",   "localhost",
     NULL,  {INSISTS, TAKEN, TAKEN, UNKNOWN, WITH_VERIFY_CA(UNKNOWN)}   },
    {"wrong name",
     "valid",   OTHER_NAME,
     RIGHT, {INSISTS, TAKEN, TAKEN, ANOTHER_NAME, WITH_VERIFY_CA(TAKEN)}},
    {"expired",
     "expired", "localhost",
     RIGHT, {INSISTS, TAKEN, TAKEN, EXPIRED, WITH_VERIFY_CA(EXPIRED)}   },
    {"not offered",
     "none",    "localhost",
     NULL,  {TAKEN, TAKEN, NO_TLS, NEEDS_TLS, WITH_VERIFY_CA(NEEDS_TLS)}},
};

/* The settings of a row, ended by NULL. */
struct settings {
    char mode[48];
    char host[48];
    struct buffer ca;
    const char *list[4];
};

/* With `as_text`, the file's content is in the variable. */
static void settings_make(struct settings *settings, const char *mode, const char *host,
                          const char *ca, bool as_text)
{
    struct buffer text = {0};
    *settings = (struct settings){0};
    snprintf(settings->mode, sizeof settings->mode, "MYSQL_SSL_MODE=%s", mode);
    snprintf(settings->host, sizeof settings->host, "MYSQL_HOST=%s", host);
    buffer_append_text(&settings->ca, "MYSQL_SSL_CA=");
    if (ca && as_text)
        file_read(getenv(ca), &text);
    else if (ca)
        buffer_append_text(&text, getenv(ca));
    buffer_append(&settings->ca, text.data, text.size);
    settings->list[0] = settings->mode;
    settings->list[1] = settings->host;
    settings->list[2] = settings->ca.data;
    buffer_release(&text);
}

static void check_row(const struct situation *situation, size_t mode, bool as_text)
{
    static const char *const arguments[] = {"migrate", "--status", NULL};
    const char *words = situation->words[mode];
    struct settings settings;
    struct command_result result = {0};
    char name[96];
    snprintf(name, sizeof name, "%s, %s%s", situation->name, modes[mode],
             as_text ? ", as text" : "");
    settings_make(&settings, modes[mode], situation->host, situation->ca, as_text);
    command_run(&(struct command){.arguments = arguments, .settings = settings.list}, LIMIT,
                &result);
    CHECK_NUMBER(name, "exit status", *words ? 2 : 0, result.status);
    CHECK_CONTAINS(name, "stderr", words, result.err.data ? result.err.data : "");
    command_result_release(&result);
    buffer_release(&settings.ca);
}

static bool is_here(const char *server)
{
    const char *here = getenv("TEST_MYSQL_TLS");
    return here && strcmp(here, server) == 0;
}

static void test_each_mode_means_what_it_says(void)
{
    size_t done = 0;
    for (size_t i = 0; i < COUNT(situations); i++)
        for (size_t mode = 0; is_here(situations[i].server) && mode < COUNT(modes); mode++) {
            check_row(&situations[i], mode, false);
            if (situations[i].ca)
                check_row(&situations[i], mode, true);
            done++;
        }
    CHECK(done > 0, "TEST_MYSQL_TLS", "is not about a row");
}

static const struct {
    const char *server;
    const char *mode;
    const char *host;
    const char *words;
    const char *protection;
} lines[] = {
    {"none",    "preferred",       "localhost", "; no TLS",                             ""        },
    {"valid",   "preferred",       "localhost", ", certificate not verified",           "; TLSv1."},
    {"valid",   "verify-identity", "localhost", ", certificate verified for localhost",
     "; TLSv1."                                                                                   },
    {"expired", "required",        "localhost", ", certificate not verified",           "; TLSv1."},
};

/* Also that the text is still found when the server has given up its rights to files. */
static void test_the_log_says_how_the_database_is_reached(void)
{
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct settings settings;
        struct server server = {0};
        struct buffer log = {0};
        if (!is_here(lines[i].server))
            continue;
        settings_make(&settings, lines[i].mode, lines[i].host, is_here("none") ? NULL : RIGHT,
                      true);
        if (server_open(&server, settings.list)) {
            count_todos(&server);
            server_stop(&server);
            server_read_log(&server, &log);
            const char *line =
                strstr(log.data ? log.data : "", "the database server answers: ");
            CHECK_CONTAINS(lines[i].mode, "log", lines[i].words, line ? line : "");
            CHECK_CONTAINS(lines[i].mode, "log", lines[i].protection, line ? line : "");
        }
        server_close(&server);
        buffer_release(&log);
        buffer_release(&settings.ca);
    }
}

CU_TestInfo tls_tests[] = {
    TEST(test_each_mode_means_what_it_says),
    TEST(test_the_log_says_how_the_database_is_reached),
    CU_TEST_INFO_NULL,
};
