#ifndef API_INPUT_H
#define API_INPUT_H

/*
 * A request's body -> what it wants to change, or the answer that says why not. Pure: no
 * database, no socket. Accepts application/json, application/x-www-form-urlencoded and
 * multipart/form-data. Rules and texts: the API contract, sections 6 to 9.
 */

#include "base/buffer.h"
#include "http/form.h"
#include "todo/edits.h"
#include "todo/todo.h"

#include <stdbool.h>
#include <stddef.h>

#define TODO_INPUT_TYPES                                                                       \
    "application/json, application/x-www-form-urlencoded, multipart/form-data"

enum todo_input_mode {
    TODO_INPUT_CREATE, /* POST */
    TODO_INPUT_PUT,    /* a form without `completed` resets it to false */
    TODO_INPUT_PATCH,
    TODO_INPUT_PATCH_MANY, /* of the list */
};

struct todo_input {
    enum todo_input_mode mode;
    const char *content_type;     /* the header's value, NULL without the header */
    const char *content_encoding; /* the same; a body that is really encoded is refused */
    const char *body;             /* borrowed, any bytes; NULL when size is 0 */
    size_t size; /* bytes; 0 is "no fields given" with any content type (but see PUT forms) */
    unsigned json_depth; /* deepest nesting of JSON that is accepted, at least 1 */
};

/* Why a body was refused: an HTTP status (400, 415 or 500 when memory ran out) and a JSON body.
 * With status 500 the body may lack memory too: then body.failed is set and what is in it is
 * not to be sent. */
struct todo_rejection {
    int status;
    bool is_of_coding;  /* 415 for the Content-Encoding, not for the Content-Type */
    struct buffer body; /* compact JSON */
    struct form form; /* what was sent, if that was a form, could be read, and is no longer than
                         what a person would have typed: it is kept until it is answered */
};

void todo_rejection_release(struct todo_rejection *rejection);

/* Whether a body of this Content-Type is a form's (NULL is no form). */
bool todo_input_is_form(const char *content_type);

/* A JSON array of objects, of at least two that are to be created (the original refuses one,
 * and so do we), or of changes with the url of their todo, is read into *edits, which must be
 * zero on entry, is the caller's to release, and may be NULL: then there is no such array.
 * *is_many tells whether it was one; what is wrong in it is told by index.
 *
 * Fills *change (overwriting all of it) and returns true, or fills *rejection and returns
 * false. *rejection must be zero on entry. */
bool todo_input_read(const struct todo_input *input, struct todo_change *change,
                     struct todo_edits *edits, bool *is_many, struct todo_rejection *rejection);

#endif
