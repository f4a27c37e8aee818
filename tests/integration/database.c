#include "database.h"

#include "base/clock.h"
#include "check.h"

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define HALT_LIMIT 10000000U /* microseconds */

static unsigned long long number_of(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

unsigned mariadb_port(void)
{
    return (unsigned)number_of(getenv("MYSQL_PORT"));
}

MYSQL *mariadb_open(const char *database, const char *character_set)
{
    MYSQL *connection = mysql_init(NULL);
    if (!connection)
        return NULL;
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, character_set);
    /* the socket, which a server takes that wants TLS, too */
    if (mysql_real_connect(connection, NULL, getenv("MYSQL_USER"), getenv("MYSQL_PASSWORD"),
                           database, 0, getenv("TEST_MYSQL_SOCKET"), 0))
        return connection;
    CHECK(false, "test's connection", "%s", mysql_error(connection));
    mysql_close(connection);
    return NULL;
}

MYSQL *mariadb_open_root(const char *socket)
{
    MYSQL *connection = mysql_init(NULL);
    if (connection && mysql_real_connect(connection, NULL, getenv("TEST_MYSQL_ROOT"), "", NULL,
                                         0, socket ? socket : getenv("TEST_MYSQL_SOCKET"), 0))
        return connection;
    if (connection)
        mysql_close(connection);
    return NULL;
}

/* It runs as long as somebody holds the pipe: `cat` reads what never comes. */
bool mariadb_start_another(struct mariadb_server *another, const char *options)
{
    static const char report[] =
        "'echo $MYSQL_PORT $TEST_MYSQL_SOCKET >\"$0\"; exec cat >/dev/null'";
    const char *stop = getenv("TEST_MYSQL_STOP"); /* the script's name and --stop */
    char folder[256];
    char command[1024];
    char path[300];
    struct buffer text = {0};
    *another = (struct mariadb_server){0};
    if (!folder_make(folder, sizeof folder))
        return false;
    snprintf(path, sizeof path, "%s/another", folder);
    snprintf(command, sizeof command, "MARIADB_OPTIONS='%s' exec %.*s sh -c %s %s", options,
             stop ? (int)(strlen(stop) - strlen(" --stop")) : 0, stop, report, path);
    another->process = popen(command, "w"); /* NOLINT(cert-env33-c): it is a command line */
    for (unsigned i = 0;
         another->process && i < 600 && !strchr(text.data ? text.data : "", '\n'); i++) {
        clock_sleep(50000);
        file_read(path, &text);
    }
    another->port = (unsigned)number_of(text.data);
    snprintf(another->socket, sizeof another->socket, "%.*s",
             text.data ? (int)strcspn(strchr(text.data, ' ') + 1, "\n") : 0,
             text.data ? strchr(text.data, ' ') + 1 : "");
    buffer_release(&text);
    folder_remove(folder);
    return CHECK(another->port > 0, "another MariaDB server", "did not start");
}

void mariadb_stop_another(struct mariadb_server *another)
{
    if (another->process)
        pclose(another->process);
    *another = (struct mariadb_server){0};
}

bool mariadb_run(MYSQL *connection, const char *sql)
{
    if (!connection)
        return false;
    return CHECK(mysql_query(connection, sql) == 0, sql, "%s", mysql_error(connection));
}

const char *mariadb_value(MYSQL *connection, const char *sql, char *text, size_t size)
{
    snprintf(text, size, "(none)");
    if (!mariadb_run(connection, sql))
        return text;
    MYSQL_RES *rows = mysql_store_result(connection);
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
    if (row)
        snprintf(text, size, "%s", row[0] ? row[0] : "NULL");
    mysql_free_result(rows);
    return text;
}

bool mariadb_command(const char *variable)
{
    const char *command = getenv(variable);
    int status =
        command ? system(command) : -1; /* NOLINT(cert-env33-c): it is a command line */
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

pid_t mariadb_pid(void)
{
    char path[300];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/pid", getenv("TEST_MYSQL_FOLDER"));
    file_read(path, &text);
    pid_t pid = (pid_t)number_of(text.data);
    buffer_release(&text);
    return pid;
}

/* proc_pid_stat(5): the state follows the command's name in parentheses. */
static bool is_halted(const char *path)
{
    struct buffer stat = {0};
    file_read(path, &stat);
    const char *state = stat.data ? strrchr(stat.data, ')') : NULL;
    bool halted = !state || state[2] == 'T'; /* or it has ended */
    buffer_release(&stat);
    return halted;
}

static bool are_threads_halted(const char *folder)
{
    DIR *threads = opendir(folder);
    char path[300];
    bool halted = threads != NULL;
    for (const struct dirent *each; halted && (each = readdir(threads));) {
        snprintf(path, sizeof path, "%s/%.20s/stat", folder, each->d_name);
        halted = each->d_name[0] == '.' || is_halted(path);
    }
    if (threads)
        closedir(threads);
    return halted;
}

bool mariadb_halt(void)
{
    uint64_t deadline = clock_now() + HALT_LIMIT;
    pid_t pid = mariadb_pid();
    char folder[64];
    bool halted = false;
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)pid);
    if (pid <= 0 || kill(pid, SIGSTOP) != 0)
        return false;
    while (!halted && clock_now() < deadline) {
        halted = are_threads_halted(folder);
        if (!halted)
            clock_sleep(1000);
    }
    if (!halted)
        kill(pid, SIGCONT);
    return halted;
}

struct database_lock {
    sqlite3 *sqlite;
    MYSQL *mysql;
};

static bool lock_sqlite(const struct server *server, struct database_lock *lock)
{
    char path[300];
    snprintf(path, sizeof path, "%s/todobackend.sqlite3", server->folder);
    return sqlite3_open(path, &lock->sqlite) == SQLITE_OK &&
           sqlite3_busy_timeout(lock->sqlite, 5000) == SQLITE_OK &&
           sqlite3_exec(lock->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
}

static bool lock_mysql(struct database_lock *lock)
{
    lock->mysql = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    return mariadb_run(lock->mysql, "LOCK TABLES todo_todoitem WRITE");
}

struct database_lock *database_lock(const struct server *server)
{
    struct database_lock *lock = calloc(1, sizeof *lock);
    if (lock && (test_database == TEST_SQLITE ? lock_sqlite(server, lock) : lock_mysql(lock)))
        return lock;
    CHECK(false, "lock", "can't lock the database");
    database_unlock(lock);
    return NULL;
}

/* The lock ends with its connection. */
void database_unlock(struct database_lock *lock)
{
    if (!lock)
        return;
    sqlite3_close(lock->sqlite);
    if (lock->mysql)
        mysql_close(lock->mysql);
    free(lock);
}

void cluster_do_to_node(const char *what, unsigned node)
{
    char command[400];

    snprintf(command, sizeof command, "'%s' %s %u", getenv("TEST_CLUSTER"), what, node);
    int status = system(command); /* NOLINT(cert-env33-c): it is a command line */
    CHECK(status == 0, command, "status %d", status);
}
