#ifndef DATABASE_H
#define DATABASE_H

/*
 * The test's own way into the databases, past the program: SQL on a MariaDB connection, a lock
 * that keeps writers waiting, and the MariaDB server's life, as tests/mariadb lets us have it.
 */

#include "server.h"

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* A connection to a database of the MariaDB server (NULL: none), with this character set. NULL,
 * with a failed check, when it can't be made; mysql_close is the caller's. */
MYSQL *mariadb_open(const char *database, const char *character_set);

/* A connection with all rights, by the server's socket (NULL: that of the tests' own server).
 * NULL when it can't be made. Any thread. */
MYSQL *mariadb_open_root(const char *socket);

/* Runs a statement; false, with a failed check that names it, when it fails. */
bool mariadb_run(MYSQL *connection, const char *sql);

/* The first column of the first row: "NULL" for NULL, "(none)" without a row. */
const char *mariadb_value(MYSQL *connection, const char *sql, char *text, size_t size);

/* Another MariaDB server, with an empty database; of the same user and password. */
struct mariadb_server {
    FILE *process; /* NULL: it did not start */
    unsigned port;
    char socket[256];
};

/* Starts it, with further options ("": none). False, with a failed check, when it can't. */
bool mariadb_start_another(struct mariadb_server *another, const char *options);
void mariadb_stop_another(struct mariadb_server *another);

/* Runs the command in this variable (TEST_MYSQL_KILL, ...). */
bool mariadb_command(const char *variable);

/* Where the MariaDB server listens. */
unsigned mariadb_port(void);

/* The MariaDB server's process, 0 when it is not known. */
pid_t mariadb_pid(void);

/* Stops the MariaDB server until it gets SIGCONT: none of its threads runs any more, which
 * takes a while after SIGSTOP where others want the processors. False when it can't be done. */
bool mariadb_halt(void);

/* Keeps everybody else from writing todos in the server's database until it is unlocked. NULL,
 * with a failed check, when it can't; unlocking NULL is fine. */
struct database_lock;
struct database_lock *database_lock(const struct server *server);
void database_unlock(struct database_lock *lock);

/* What the script that made the cluster, tests/cluster/galera or group-replication, does to a
 * node: "--kill". Checked. */
void cluster_do_to_node(const char *what, unsigned node);

#endif
