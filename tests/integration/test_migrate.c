#include "check.h"
#include "command.h"
#include "suites.h"

#include "base/clock.h"
#include "db/session.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `app migrate` and `app seed` on databases in every state. Each test works in a database of its
 * own, made anew by sandbox_open. */

#define DATABASE "todobackend_migrate"
#define LIMIT    60000 /* milliseconds that a command may take */
#define RUNS     8     /* at the same time */
#define ROUNDS   50

struct sandbox {
    char folder[256];
    char sqlite_path[300];
    char sqlite_setting[320];
    const char *settings[3];
    struct config config;
    struct db_session session;
    struct command_result result;
};

static unsigned port_number(void)
{
    const char *port = getenv("MYSQL_PORT");
    return port ? (unsigned)strtoul(port, NULL, 10) : 0;
}

static bool connect_to(struct db_session *session, const struct config *config)
{
    static const struct db_session_wait wait = {.seconds = 10};
    struct error err = {0};
    return CHECK(db_session_open(session, config, &wait, &err), "connect", "%s", err.text);
}

static void run_sql(struct sandbox *sandbox, const char *sql)
{
    struct error err = {0};
    CHECK(db_session_run(&sandbox->session, sql, "run it", &err), sql, "%s", err.text);
}

static void run_list(struct sandbox *sandbox, const char *const *list)
{
    for (; *list; list++)
        run_sql(sandbox, *list);
}

static long long number(struct sandbox *sandbox, const char *sql)
{
    struct error err = {0};
    unsigned long found = 0;
    CHECK(db_session_number(&sandbox->session, sql, "ask", &found, &err), sql, "%s", err.text);
    return (long long)found;
}

/* An empty database, in place of the last one. */
static bool make_mysql(struct sandbox *sandbox)
{
    struct error err = {0};
    struct db_session server = {0};
    struct config *config = &sandbox->config;
    *config = (struct config){.database = CONFIG_DATABASE_MYSQL,
                              .mysql_host = getenv("MYSQL_HOST"),
                              .mysql_port = port_number(),
                              .mysql_user = getenv("MYSQL_USER"),
                              .mysql_password = getenv("MYSQL_PASSWORD"),
                              .mysql_database = getenv("MYSQL_DATABASE"),
                              .mysql_ssl_ca = ""};
    bool made = connect_to(&server, config) &&
                db_session_run(&server, "DROP DATABASE IF EXISTS " DATABASE, "drop", &err) &&
                db_session_run(&server, "CREATE DATABASE " DATABASE, "create", &err);
    db_session_close(&server);
    config->mysql_database = DATABASE;
    sandbox->settings[0] = "MYSQL_DATABASE=" DATABASE;
    return CHECK(made, "sandbox", "%s", err.text);
}

static bool make_sqlite(struct sandbox *sandbox)
{
    if (!folder_make(sandbox->folder, sizeof sandbox->folder))
        return CHECK(false, "sandbox", "no folder");
    snprintf(sandbox->sqlite_path, sizeof sandbox->sqlite_path, "%s/todos.sqlite3",
             sandbox->folder);
    snprintf(sandbox->sqlite_setting, sizeof sandbox->sqlite_setting, "SQLITE_PATH=%s",
             sandbox->sqlite_path);
    sandbox->settings[0] = sandbox->sqlite_setting;
    sandbox->config = (struct config){.database = CONFIG_DATABASE_SQLITE,
                                      .sqlite_path = sandbox->sqlite_path};
    return true;
}

static bool sandbox_make(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){0};
    return test_database == TEST_MYSQL ? make_mysql(sandbox) : make_sqlite(sandbox);
}

static bool sandbox_open(struct sandbox *sandbox)
{
    return sandbox_make(sandbox) && connect_to(&sandbox->session, &sandbox->config);
}

static void sandbox_close(struct sandbox *sandbox)
{
    db_session_close(&sandbox->session);
    command_result_release(&sandbox->result);
    if (sandbox->folder[0])
        folder_remove(sandbox->folder);
}

static const char *out_of(const struct sandbox *sandbox)
{
    return sandbox->result.out.data ? sandbox->result.out.data : "";
}

static const char *err_of(const struct sandbox *sandbox)
{
    return sandbox->result.err.data ? sandbox->result.err.data : "";
}

/* Runs the program with up to four words: "migrate --wait 1". */
static bool run_app(struct sandbox *sandbox, const char *row, const char *words, int status)
{
    char text[64];
    const char *arguments[5] = {NULL};
    char *rest = NULL;
    size_t count = 0;
    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok_r(text, " ", &rest); word && count < 4;
         word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    command_run(&(struct command){arguments, sandbox->settings, NULL}, LIMIT, &sandbox->result);
    return CHECK(sandbox->result.status == status, row,
                 "app %s: wanted exit status %d, got %d: %s%s", words, status,
                 sandbox->result.status, out_of(sandbox), err_of(sandbox));
}

static pid_t start_app(struct sandbox *sandbox, const char *const *arguments, unsigned slot)
{
    static char files[256];
    char out[PATH_MAX];
    char err[PATH_MAX];
    if (!files[0] && !folder_make(files, sizeof files))
        return -1;
    snprintf(out, sizeof out, "%s/out%u", files, slot);
    snprintf(err, sizeof err, "%s/err%u", files, slot);
    if (!arguments) { /* the end of a test: what was written, and away with it */
        file_read(out, &sandbox->result.out);
        file_read(err, &sandbox->result.err);
        return 0;
    }
    return command_start(&(struct command){arguments, sandbox->settings, files}, out, err);
}

static int migration_count(void)
{
    return test_database == TEST_MYSQL ? (int)migrations_mysql_count
                                       : (int)migrations_sqlite_count;
}
