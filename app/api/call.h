#ifndef API_CALL_H
#define API_CALL_H

/*
 * A request that waits for the database: the operation, and what is needed to answer it. Made
 * by todos.c, answered by answer.c.
 */

#include "api/input.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "work/operation.h"

#define TODO_BASE_URL_SIZE 256

enum todo_call_purpose {
    TODO_CALL_RESULT,   /* answer with what the operation gives */
    TODO_CALL_DESCRIBE, /* OPTIONS of an item: its actions only if it exists */
    TODO_CALL_REJECT, /* a bad body for an item: 404 comes before what is wrong with the body */
    TODO_CALL_READY,  /* a look at a lane for /readyz; needs no more than the operation */
};

struct todo_call {
    struct todo_operation operation; /* first: the queue's pointer is ours */
    struct http_exchange *exchange;
    struct http_representation representation;
    enum todo_call_purpose purpose;
    bool is_form;                    /* the request's body is one */
    unsigned share_class;            /* see http_response_share_class */
    struct todo_change *change;      /* owned; of create and update */
    struct todo_rejection rejection; /* owned; of TODO_CALL_REJECT */
    char base_url[TODO_BASE_URL_SIZE];
};

/* The queue's callbacks; `context` is the struct todo_api. */
todo_answer todo_call_complete;
void todo_call_give_up(void *context, struct todo_operation *operation,
                       enum todo_outcome outcome);
void todo_call_release(void *context, struct todo_operation *operation);

/* health.c: a lane was looked at, and what came of it is noted. The last one answers. */
struct todo_api;
void todo_look_end(struct todo_api *api);

/* The lane was not reached in time. */
void todo_look_give_up(struct todo_api *api, const struct todo_call *call);

#define TODO_UNAVAILABLE_DETAIL "The database is not available."

/* 503, with Retry-After. */
void todo_respond_unavailable(struct http_exchange *exchange,
                              const struct http_representation *representation,
                              const char *detail);

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
