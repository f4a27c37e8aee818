#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/*
 * The program's one error value. The caller owns it (usually `struct error err = {0};`), passes
 * it as the last argument, and reads it only after a call returned false. The first cause wins:
 * setting an error that is already set changes nothing. The text is for a person and holds no
 * secret.
 */

#include <stdbool.h>

enum error_code {
    ERROR_NONE,
    ERROR_USAGE,             /* the command line is wrong */
    ERROR_CONFIG,            /* a setting is wrong or missing */
    ERROR_SYSTEM,            /* the operating system refused, or memory ran out */
    ERROR_DATABASE,          /* the database refused for a reason that has no code of its own */
    ERROR_REFUSED,           /* the database refused the values: a constraint, a trigger */
    ERROR_CONFLICT,          /* the transaction was rolled back by the database: try it again */
    ERROR_UNAVAILABLE,       /* no connection, or lost while nothing can have been committed */
    ERROR_TAKEN,             /* what must be there once is there already, or will be */
    ERROR_LIMIT,             /* beyond a limit of the database: no ids, too large a packet */
    ERROR_OUTCOME_UNKNOWN,   /* the connection was lost during a commit */
    ERROR_LOCKED,            /* another migration run holds the lock */
    ERROR_SCHEMA_PENDING,    /* the schema is older than this program needs */
    ERROR_SCHEMA_NEWER,      /* the schema is newer than this program knows */
    ERROR_MIGRATION_CHANGED, /* a migration's file changed after it was applied */
    ERROR_MIGRATION_FAILED,  /* a statement of a migration failed, or needs a person */
    ERROR_STOPPED,           /* a signal asked to stop */
};

struct error {
    enum error_code code;
    char text[512]; /* cut, never overflown */
};

/* Sets *err unless it is set already. Always returns false, so that a failing function ends
 * with `return error_set(err, ERROR_SYSTEM, "cannot open %s", path);` */
bool error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
