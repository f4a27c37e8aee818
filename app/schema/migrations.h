#ifndef SCHEMA_MIGRATIONS_H
#define SCHEMA_MIGRATIONS_H

/* The migrations: what the build embeds from migrations/, in order of version (the arrays are
 * in build/.../migrations.c), and the database that counts as having had the first one. */

#include "schema/migrate.h"

extern const struct migration migrations_mysql[];
extern const size_t migrations_mysql_count;
extern const struct migration migrations_sqlite[];
extern const size_t migrations_sqlite_count;

/* A database that another program has made: what that made is the first migration's effect. */
struct migration_baseline {
    const char *table;     /* the table that it is about */
    const char *signature; /* a table by which the other program is known */
    const char *made_sql;  /* counts above 0 if that says that it made `table` */
    const char *no_table;  /* what is wrong when it says so, and there is no such table */
    const char *no_maker;  /* and when there is the table, and nobody says so */
};

extern const struct migration_baseline migrations_baseline; /* store/original.c */

/* What the program needs of that table, whoever made it and whatever was changed since. */
struct migration_requirement {
    const char *text; /* "the engine must be InnoDB" */
    const char *sql;  /* gives no row where that is so, else what there is instead, and the
                         statement that mends it */
};

/* store/requirements.c; each list ends with a row of NULL. What is needed of all others comes
 * first. */
extern const struct migration_requirement migrations_requirements_mysql[];
extern const struct migration_requirement migrations_requirements_sqlite[];

/* migrations/seed.sql: statements that work on both databases. */
extern const char *const seed_statements[];
extern const size_t seed_statement_count;

#endif
