#ifndef SCHEMA_MIGRATIONS_H
#define SCHEMA_MIGRATIONS_H

/* What the build embeds from migrations/, in order of version. The arrays are in
 * build/.../migrations.c. */

#include "schema/migrate.h"

extern const struct migration migrations_mysql[];
extern const size_t migrations_mysql_count;
extern const struct migration migrations_sqlite[];
extern const size_t migrations_sqlite_count;

/* migrations/seed.sql: statements that work on both databases. */
extern const char *const seed_statements[];
extern const size_t seed_statement_count;

#endif
