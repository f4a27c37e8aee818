#ifndef STORE_QUERY_H
#define STORE_QUERY_H

/* A struct todo_query as SQL that both databases understand. Pure. */

#include "base/buffer.h"
#include "todo/query.h"

/* The pattern of LIKE for what the query searches for; nothing in it is special to LIKE but the
 * `%` at both ends. */
void store_query_append_pattern(struct buffer *out, const struct todo_query *query);

/* A SELECT of id, title, completed, order and url. `pattern` stands for that pattern: a literal
 * of it, or a parameter; of a query that searches for nothing, NULL. It gives one todo more
 * than the limit, if there are more, and a backward query's from its end. */
void store_query_append(struct buffer *sql, const struct todo_query *query,
                        const char *pattern);

#endif
