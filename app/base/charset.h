#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

/*
 * Bytes in some charset -> UTF-8. Only charsets of a list in charset.c are known, so that a
 * stranger can't choose among everything that iconv can do. A converter belongs to one thread.
 */

#include "base/buffer.h"

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>

struct charset_converter {
    bool is_utf8; /* the bytes are UTF-8 already: a caller may leave out the conversion */
    iconv_t handle;
};

/* `name` as in a charset parameter: case, `-` and `_` don't matter. NULL and names that are not
 * known mean UTF-8. Without memory, each charset_append fails. */
void charset_open(struct charset_converter *converter, const char *name);
void charset_close(struct charset_converter *converter);

/* Appends the bytes as UTF-8; what is bad in the charset becomes U+FFFD. Returns how many parts
 * were replaced. Each call begins anew. */
size_t charset_append(struct charset_converter *converter, const char *bytes, size_t size,
                      struct buffer *out);

#endif
