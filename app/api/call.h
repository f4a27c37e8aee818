#ifndef API_CALL_H
#define API_CALL_H

/*
 * A request that waits for the database: the operation, and what is needed to answer it. Made
 * by todos.c, answered by answer.c.
 */

#include "api/input.h"
#include "api/live.h"
#include "api/page.h"
#include "http/etag.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "work/operation.h"

#define TODO_BASE_URL_SIZE 256

enum todo_call_purpose {
    TODO_CALL_RESULT,   /* answer with what the operation gives */
    TODO_CALL_DESCRIBE, /* OPTIONS of an item: its actions only if it exists */
    TODO_CALL_REJECT, /* a bad body for an item: 404 comes before what is wrong with the body */
    TODO_CALL_LIVE,   /* asks whether there is something new for those who wait for it */
    TODO_CALL_READY,  /* probes a lane for /readyz; needs no more than the operation */
};

struct todo_call {
    struct todo_operation operation; /* first: the queue's pointer is ours */
    struct http_exchange *exchange;
    struct http_representation representation;
    enum todo_call_purpose purpose;
    bool is_form;                    /* the request's body is one */
    unsigned share_class;            /* see http_response_share_class */
    char *if_match;                  /* owned; the headers, NULL without one */
    char *if_none_match;             /* owned */
    char etag[HTTP_ETAG_SIZE];       /* of the state that a change's condition was tried on */
    size_t left_out;                 /* of a waiting read: bytes of what it knows */
    bool has_codings;                /* that: see struct http_response */
    unsigned wait;                   /* seconds that a read waits for news; 0: none */
    uint64_t wait_until;             /* clock_now() */
    uint64_t changes;                /* of todo_live, when it was asked */
    uint64_t look;                   /* of todo_live: came after so many, or is that one */
    bool is_parked;                  /* it waits */
    TAILQ_ENTRY(todo_call) link;     /* of those who wait */
    int64_t *ids;                    /* owned; of a look */
    struct todo_change *change;      /* owned; of create and update */
    struct todo_edits edits;         /* owned; of create and update of many */
    size_t edits_size;               /* of these, as it is in edits_memory */
    struct todo_key *key;            /* owned; of create; NULL: none was sent */
    struct todo_page *page;          /* owned; of a list with parameters, else NULL */
    struct todo_rejection rejection; /* owned; of TODO_CALL_REJECT */
    char base_url[TODO_BASE_URL_SIZE];
};

/* The queue's callbacks; `context` is the struct todo_api. */
todo_answer todo_call_complete;
void todo_call_give_up(void *context, struct todo_operation *operation,
                       enum todo_outcome outcome);
void todo_call_release(void *context, struct todo_operation *operation);

/* condition.c: the conditions of a request (RFC 9110, section 13). Those of a change are tried
 * under the lock, those of a read when its reply is there. An absent todo is 404 whatever they
 * are (13.2.1).
 *
 * Copies them from the request; false without memory. *problem is what is wrong with them, or
 * NULL. */
bool todo_call_take_conditions(struct todo_call *call, const char **problem);

/* What is told with 412, or NULL: all hold but a read's If-None-Match. `state` is the tag of
 * the plainest form; the client may name any. */
const char *todo_call_failure(const struct todo_call *call, const char *state);

/* Whether the reader has this form already: 304. `*` stands for none, as it did in the
 * original: who asks for a todo wants to see it. Nor does a page, which tells what was asked.
 */
bool todo_call_knows(const struct todo_call *call, const char *etag);

/* representation.c: the form that the call asks for, and its tag (RFC 9110, section 8.8.3).
 *
 * Turns the tag of the plainest form into that of this one. */
void todo_call_add_form(const struct todo_call *call, char etag[HTTP_ETAG_SIZE]);

/* The tags of the plainest form, and of this one. */
void todo_call_write_etags(const struct todo_call *call, const struct buffer *json,
                           char state[HTTP_ETAG_SIZE], char etag[HTTP_ETAG_SIZE]);

/* A page has none. The tag must live as long as the response. */
void todo_call_add_etag(struct http_response *response, const struct todo_call *call,
                        const char *etag);

/* The body, and what its tag is then; NULL: none is told. Takes the JSON. */
void todo_call_render(struct http_response *response, const struct todo_call *call,
                      struct buffer *json, char *etag);

/* At most so many bytes is the answer to a call's edits, once they are made. */
size_t todo_call_answer_size(const struct todo_call *call);

/* The same of most lists, with what the answer is made from, before it is made; 0 of none. */
size_t todo_call_list_size(const struct todo_call *call);

/* health.c: a lane was probed, and what came of it is noted. The last one answers. */
struct todo_api;
void todo_probe_end(struct todo_api *api);

/* The lane was not reached in time. */
void todo_probe_give_up(struct todo_api *api, const struct todo_call *call);

#define TODO_UNAVAILABLE_DETAIL "The database is not available."

/* 503, with Retry-After. */
void todo_respond_unavailable(struct http_exchange *exchange,
                              const struct http_representation *representation,
                              const char *detail);

/* What is wrong with a body, which is empty afterwards; with 415, what would have been taken:
 * Accept-Patch (RFC 5789, section 2.2), Accept-Encoding (RFC 9110, section 15.5.16). */
void todo_respond_rejection(struct http_exchange *exchange,
                            const struct http_representation *representation,
                            struct todo_rejection *rejection);

/* share.c: 304, to one who has waited, with what it knew. */
void todo_respond_unchanged(const struct todo_call *call);

/* 200 {"status":"..."}; `json` is that text. */
void todo_respond_status(struct http_exchange *exchange,
                         const struct http_representation *representation, const char *json);

/* The metadata of an item's OPTIONS. */
void todo_respond_item_description(struct http_exchange *exchange,
                                   const struct http_representation *representation,
                                   bool exists);
void todo_respond_list_description(struct http_exchange *exchange,
                                   const struct http_representation *representation);
void todo_respond_root_description(struct http_exchange *exchange,
                                   const struct http_representation *representation);

#endif
