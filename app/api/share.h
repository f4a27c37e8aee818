#ifndef API_SHARE_H
#define API_SHARE_H

/*
 * What reads are answered with: a reply is made once for all calls of a wave of answers that
 * ask for the same in the same form.
 */

#include "api/call.h"

#define TODO_SHARED_MOST 4

struct todo_shared_reply {
    const struct todo_call *call; /* that it was made for: its exchange is gone once answered */
    char state[HTTP_ETAG_SIZE];   /* the tag of the plainest form, and */
    char etag[HTTP_ETAG_SIZE];    /* of this one */
    struct http_reply *full;      /* NULL without memory */
    bool has_codings;             /* see struct http_response */
    struct http_reply *not_modified; /* NULL as long as nobody wants it */
};

/* The last different replies of one wave. Lists and items each have their own: many items must
 * not push a list out. Zeroed, it is empty. */
struct todo_shared_replies {
    struct todo_shared_reply replies[TODO_SHARED_MOST];
    size_t next; /* the place of the next one */
};

/* What the call's read has found, as a reply of 200: one that is there, or a new one, which
 * leans on the call until it is released. Valid until the next one is asked for. NULL when
 * RESPONSE_MEMORY has no room for it. */
struct todo_shared_reply *todo_share_reply(const struct todo_call *call,
                                           struct todo_shared_replies *replies);

/* The 304 in place of a reply that is there, for a call that it was shared with; not the
 * caller's. NULL without memory. */
struct http_reply *todo_shared_not_modified(struct todo_shared_reply *shared,
                                            const struct todo_call *call);

void todo_shared_release(struct todo_shared_replies *replies);

#endif
