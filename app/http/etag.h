#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

/*
 * Entity tags, and the conditions on them (RFC 9110, sections 8.8.3 and 13.1). Pure.
 *
 * A tag is made of a state in its plainest form; its other forms have that tag with a word
 * behind: "0f3c…", "0f3c…-indent4". So the tag of a reader names the very bytes that he has,
 * while a writer may name any form of the state that he wants to change.
 */

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ETAG_SIZE 64 /* bytes, with the NUL */

/* A strong tag, with its quotes: a hash of 128 bits, the same on every machine. It keeps states
 * apart by chance, not against one who chooses the bytes to make two alike: he may change them
 * anyway. */
void http_etag_write(char etag[HTTP_ETAG_SIZE], const void *bytes, size_t size);

/* Turns the tag into that of another form of the same state: `form` is a short word. */
void http_etag_add_form(char etag[HTTP_ETAG_SIZE], const char *form);

enum http_etag_comparison {
    HTTP_ETAG_WEAK,   /* W/"a" is "a": for If-None-Match */
    HTTP_ETAG_STRONG, /* W/"a" is nothing: for If-Match */
};

/* Whether a header's value is `*` or a list of tags, which may be empty. */
bool http_etags_are_valid(const char *list);

/* Whether it is `*`. */
bool http_etags_are_any(const char *list);

/* Whether the list names the tag, or is `*`. NULL and what is no such list name nothing. */
bool http_etags_name(const char *list, const char *etag, enum http_etag_comparison comparison);

/* The same; `etag` is of the plainest form, and any form of that state will do. */
bool http_etags_name_state(const char *list, const char *etag,
                           enum http_etag_comparison comparison);

#endif
