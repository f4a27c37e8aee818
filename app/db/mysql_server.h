#ifndef DB_MYSQL_SERVER_H
#define DB_MYSQL_SERVER_H

/*
 * What all connections of this process that serve requests know together of the server behind
 * MYSQL_HOST. When one learns that it may be another one now (a connection lost, changes
 * refused or taken again, another name), the generation changes, and each connection of an
 * older one is made anew before its next use: else a reader would go on telling what a demoted
 * server has. Any thread.
 */

#include "base/error.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>

#define DB_MYSQL_SERVER_NAME_SIZE 192

struct db_mysql_server {
    char name[DB_MYSQL_SERVER_NAME_SIZE]; /* host, port and ids; never the same for two */
    char version[48];
    uint32_t increment; /* of ids within one INSERT: auto_increment_increment */
    size_t packet;      /* bytes of one, at most: max_allowed_packet */
};

/* Asks a new connection. */
bool db_mysql_server_ask(MYSQL *connection, struct db_mysql_server *server, struct error *err);

/* To be read before a connection is made, and compared before each use of it: one atomic load.
 */
unsigned db_mysql_server_generation(void);

/* A connection of this generation was lost. */
void db_mysql_server_lost(unsigned generation);

/* A new connection, which was begun in this generation, leads to the server of this name, by
 * `tls` (db_mysql_describe_tls). Tells the log of the first one, and when either is another one
 * than before. Returns the connection's generation. A
 * balancer may give each connection another server: then such differences are looked into more
 * and more rarely, from a second to half an hour, and *again_at is when (clock_now()) this
 * connection should be made anew for that; else it is UINT64_MAX. */
unsigned db_mysql_server_reached(const char *name, const char *tls, unsigned generation,
                                 uint64_t *again_at);

/* A change was taken (committed), or refused since the server is read-only. */
void db_mysql_server_took_change(bool is_taken, unsigned generation);

#endif
