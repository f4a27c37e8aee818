#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

/*
 * Bytes that grow. Zero is a valid start: `struct buffer text = {0};`. A failed allocation is
 * remembered in `failed` and makes every later append do nothing, so that a writer appends
 * freely and asks once, at the end. Not shared between threads.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data; /* always followed by a NUL byte that size does not count; NULL while empty */
    size_t size;
    size_t capacity; /* bytes allocated */
    bool failed;     /* an allocation failed: the content is not complete */
};

/* Frees the bytes; the buffer is empty and usable again. Releasing an empty one is fine. */
void buffer_release(struct buffer *buffer);

/* Forgets the content and a past failure, keeps the memory for the next use. */
void buffer_clear(struct buffer *buffer);

/* Makes room for `size` more bytes; false (and failed) without memory. */
bool buffer_reserve(struct buffer *buffer, size_t size);

void buffer_append(struct buffer *buffer, const void *bytes, size_t size);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_append_unsigned(struct buffer *buffer, uint64_t number);
void buffer_append_signed(struct buffer *buffer, int64_t number);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The bytes as a JSON string with its quotes: `"` and `\` escaped, control bytes as \b \t \n \f
 * \r or \u00xx, U+2028 and U+2029 as \u2028 and \u2029, everything else as it is (RFC 8259,
 * section 7). `bytes` should be UTF-8; it is not checked. */
void buffer_append_json(struct buffer *buffer, const char *bytes, size_t size);

/* The bytes with & < > " ' as HTML entities. */
void buffer_append_html(struct buffer *buffer, const char *bytes, size_t size);

#endif
