#include "sandbox.h"

#include "base/clock.h"
#include "check.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATABASE "todobackend_migrate"
#define LIMIT    60000 /* milliseconds that a command may take */

bool on_mysql(void)
{
    return test_database == TEST_MYSQL;
}

bool connect_to(struct db_session *session, const struct config *config)
{
    static const struct db_session_wait wait = {.seconds = 10};
    struct error err = {0};
    return CHECK(db_session_open(session, config, &wait, &err), "connect", "%s", err.text);
}

void run_one(struct sandbox *sandbox, const char *sql)
{
    struct error err = {0};
    CHECK(db_session_run(&sandbox->session, sql, "run it", &err), sql, "%s", err.text);
}

void run_list(struct sandbox *sandbox, const char *statements)
{
    char *list = strdup(statements);
    char *rest = NULL;
    for (char *sql = list ? strtok_r(list, ";", &rest) : NULL; sql;
         sql = strtok_r(NULL, ";", &rest)) {
        if (sql[strspn(sql, " ")])
            run_one(sandbox, sql);
    }
    CHECK(list != NULL, statements, "no memory");
    free(list);
}

long long ask_number(struct sandbox *sandbox, const char *sql)
{
    struct error err = {0};
    unsigned long found = 0;
    CHECK(db_session_number(&sandbox->session, sql, "ask", &found, &err), sql, "%s", err.text);
    return (long long)found;
}

static void count_row(const char *const *columns, void *context)
{
    int *count = context;
    *count += strncmp(columns[0], "sqlite_", 7) != 0;
}

int count_tables(struct sandbox *sandbox)
{
    struct error err = {0};
    int count = 0;
    db_session_query(&sandbox->session, sandbox->session.driver->tables, "count", count_row,
                     &count, &err);
    CHECK(err.code == ERROR_NONE, "count the tables", "%s", err.text);
    return count;
}

/* Waits until a query gives 1. */
bool wait_for(struct sandbox *sandbox, const char *sql)
{
    for (unsigned i = 0; i < 500; i++) {
        if (ask_number(sandbox, sql) == 1)
            return true;
        clock_sleep(20000);
    }
    return CHECK(false, sql, "still not 1");
}

static unsigned port_number(void)
{
    const char *port = getenv("MYSQL_PORT");
    return port ? (unsigned)strtoul(port, NULL, 10) : 0;
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

static void make_sqlite(struct sandbox *sandbox)
{
    snprintf(sandbox->sqlite_path, sizeof sandbox->sqlite_path, "%s/todos.sqlite3",
             sandbox->folder);
    snprintf(sandbox->sqlite_setting, sizeof sandbox->sqlite_setting, "SQLITE_PATH=%s",
             sandbox->sqlite_path);
    sandbox->settings[0] = sandbox->sqlite_setting;
    sandbox->config = (struct config){.database = CONFIG_DATABASE_SQLITE,
                                      .sqlite_path = sandbox->sqlite_path};
}

/* Without a connection: an SQLite database doesn't exist yet. */
bool sandbox_make(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){
        .settings = {NULL, "HTTP_PORT=0"}
    };
    if (!CHECK(folder_make(sandbox->folder, sizeof sandbox->folder), "sandbox", "no folder"))
        return false;
    if (on_mysql())
        return make_mysql(sandbox);
    make_sqlite(sandbox);
    return true;
}

bool sandbox_open(struct sandbox *sandbox)
{
    return sandbox_make(sandbox) && connect_to(&sandbox->session, &sandbox->config);
}

void sandbox_close(struct sandbox *sandbox)
{
    db_session_close(&sandbox->session);
    command_result_release(&sandbox->result);
    if (sandbox->folder[0])
        folder_remove(sandbox->folder);
}

const char *text_of(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

/* Runs the program with up to four words: "migrate --wait 1". */
bool run_app(struct sandbox *sandbox, const char *row, const char *words, int status)
{
    char text[64];
    const char *arguments[5] = {NULL};
    char *rest = NULL;
    size_t count = 0;
    struct command_result *result = &sandbox->result;
    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok_r(text, " ", &rest); word && count < 4;
         word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    command_run(&(struct command){arguments, sandbox->settings, NULL}, LIMIT, result);
    return CHECK(result->status == status, row, "app %s: wanted exit status %d, got %d: %s%s",
                 words, status, result->status, text_of(&result->out), text_of(&result->err));
}

/* Runs the program beside the test; `slot` tells such runs apart. */
pid_t start_app(struct sandbox *sandbox, const char *const *arguments, int slot)
{
    char out[PATH_MAX];
    char err[PATH_MAX];
    snprintf(out, sizeof out, "%s/out%d", sandbox->folder, slot);
    snprintf(err, sizeof err, "%s/err%d", sandbox->folder, slot);
    return command_start(&(struct command){arguments, sandbox->settings, sandbox->folder}, out,
                         err);
}

void read_app(struct sandbox *sandbox, int slot)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/out%d", sandbox->folder, slot);
    file_read(path, &sandbox->result.out);
    snprintf(path, sizeof path, "%s/err%d", sandbox->folder, slot);
    file_read(path, &sandbox->result.err);
}

bool finish_app(struct sandbox *sandbox, const char *row, pid_t pid, int slot, int status)
{
    int ended = pid > 0 ? command_wait(pid, LIMIT) : -1;
    if (pid > 0 && ended == -1) {
        kill(pid, SIGKILL);
        command_wait(pid, LIMIT);
    }
    read_app(sandbox, slot);
    return CHECK(ended == status, row, "wanted exit status %d, got %d: %s%s", status, ended,
                 text_of(&sandbox->result.out), text_of(&sandbox->result.err));
}

bool wait_for_words(struct sandbox *sandbox, int slot, const char *words)
{
    for (unsigned i = 0; i < 500; i++) {
        read_app(sandbox, slot);
        if (strstr(text_of(&sandbox->result.err), words))
            return true;
        clock_sleep(20000);
    }
    return CHECK(false, "stderr", "never said \"%s\": %s", words,
                 text_of(&sandbox->result.err));
}
