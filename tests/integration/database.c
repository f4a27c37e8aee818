#include "database.h"

#include "check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static unsigned long long number_of(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

MYSQL *mariadb_open(const char *database, const char *character_set)
{
    MYSQL *connection = mysql_init(NULL);
    if (!connection)
        return NULL;
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, character_set);
    if (mysql_real_connect(connection, getenv("MYSQL_HOST"), getenv("MYSQL_USER"),
                           getenv("MYSQL_PASSWORD"), database,
                           (unsigned)number_of(getenv("MYSQL_PORT")), NULL, 0))
        return connection;
    CHECK(false, "test's connection", "%s", mysql_error(connection));
    mysql_close(connection);
    return NULL;
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
