#ifndef API_PAGE_H
#define API_PAGE_H

/*
 * Query parameters of a list -> which todos are asked for, and links to the pages beside
 * (RFC 8288). Pure.
 *
 *     limit       1 to 1000: a page of so many todos, which has links
 *     completed   true or false
 *     search      what the title must contain, in any case, at most 100 characters
 *     ordering    id, completed and order, each once, separated by commas, with - before what
 *                 descends; where these are equal, by id, in the last one's direction
 *     after       a place, from a link: the todos behind it
 *     before      the todos that come before it
 *
 * Of a name that is repeated, the last one counts; other names are ignored. A place is the
 * values that its todo is sorted by, separated by commas.
 *
 * With `page` or `offset` in the query, which count pages, none of these counts: such a client
 * would get the first page again and again; it gets all todos, as from the original.
 */

#include "base/buffer.h"
#include "http/request.h"
#include "todo/query.h"

#include <stdbool.h>
#include <stddef.h>

struct todo_page {
    struct todo_query query;
    struct buffer target; /* "/todos?limit=50&after=7" */
    size_t place_at;      /* where its place begins, with the & or ? */
};

/* Whether any of these parameters is there. */
bool todo_page_is_asked(const struct http_request *request);

/* Fills *page, which must be zero on entry. `suffix` is the path's format, "" for none. False
 * with *problems holding the JSON body of a 400 response, or nothing when memory ran out. The
 * page does not move afterwards: the query's key lies in it. */
bool todo_page_read(struct todo_page *page, const struct http_request *request,
                    const char *suffix, struct buffer *problems);

/* The value of the Link header: first, next and prev as far as they are known to be there.
 * Nothing for a list without a limit. */
void todo_page_append_links(struct buffer *out, const struct todo_page *page,
                            const struct todo_list *list, bool has_more, const char *base_url);

void todo_page_release(struct todo_page *page);

#endif
