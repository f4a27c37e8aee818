#ifndef LOAD_H
#define LOAD_H

/*
 * Many clients that create, change and delete todos on one or more servers of one database,
 * each todo on all of them in turn, and remember what they were told. Afterwards what the
 * database holds must agree: what was acknowledged is there, once, under the id that its
 * Location said; what was refused is not; what is not known may be either.
 */

#include <mysql.h>
#include <stddef.h>

struct load;

/* Starts them. `ports` are the servers', at least one; they must live until load_stop. */
struct load *load_start(const unsigned *ports, size_t port_count);

/* Ends the clients. Checks that they saw none but 2xx and 503, and tells how many of each. */
void load_stop(struct load *load, const char *row);

/* Checks what a database holds (a connection that is in it). */
void load_check(const struct load *load, const char *row, MYSQL *connection);

void load_release(struct load *load);

#endif
