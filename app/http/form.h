#ifndef HTTP_FORM_H
#define HTTP_FORM_H

/*
 * A form in a request's body, complete in memory -> a list of fields: urlencoded (as browsers
 * send it) and multipart/form-data (RFC 7578). Names and values come out as UTF-8; bytes that
 * are bad in the form's charset become U+FFFD. Pure. Time and memory grow with the body's size
 * only.
 */

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define FORM_FIELD_MAX 1000

struct form_field {
    const char *name; /* not NUL-terminated, may hold NUL bytes; so may value */
    size_t name_length;
    const char *value; /* empty for a file: nobody wants its content */
    size_t value_length;
    bool is_file;
};

/* Zero is an empty form. Release it whatever reading it gave. */
struct form {
    struct form_field *fields; /* in the order of the body */
    size_t count;
    struct buffer text; /* holds the names and values */
};

enum form_result {
    FORM_OK,
    FORM_TOO_MANY_FIELDS,
    FORM_BAD_BOUNDARY,
    FORM_OUT_OF_MEMORY,
};

/* `charset` as in charset_open. An `&` more is counted as a field more. */
enum form_result form_read_urlencoded(struct form *form, const char *body, size_t size,
                                      const char *charset);

/* `boundary` is the Content-Type's parameter, NULL without one. Tolerates text before the first
 * boundary and a missing last one; a body without any boundary has no fields. Parts without a
 * name are left out. base64 is decoded. */
enum form_result form_read_multipart(struct form *form, const char *body, size_t size,
                                     const char *charset, const char *boundary);

void form_release(struct form *form);

/* The last field of that name, NULL if there is none. A file comes after every text. */
const struct form_field *form_find(const struct form *form, const char *name);

/* Looks for a parameter in a header's value, such as charset in `text/html; charset="utf-8"`:
 * the name in any case, the last one if it is repeated, quotes and backslashes undone. *value
 * is overwritten; without memory it has failed. False if there is no such parameter. */
bool form_parameter(const char *header, size_t length, const char *name, struct buffer *value);

#endif
