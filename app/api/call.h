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
    TODO_CALL_READY,  /* /readyz: any answer of the database will do */
};

struct todo_call {
    struct todo_operation operation; /* first: the queue's pointer is ours */
    struct http_exchange *exchange;
    struct http_representation representation;
    enum todo_call_purpose purpose;
    unsigned share_class;            /* see http_response_share_class */
    struct todo_change *change;      /* owned; of create and update */
    struct todo_rejection rejection; /* owned; of TODO_CALL_REJECT */
    char base_url[TODO_BASE_URL_SIZE];
};

/* The queue's callbacks; `context` is not used. */
todo_answer todo_call_complete;
void todo_call_give_up(void *context, struct todo_operation *operation,
                       enum todo_outcome outcome);
void todo_call_release(void *context, struct todo_operation *operation);

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
