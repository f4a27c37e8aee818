#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/*
 * Text in UTF-8 (RFC 3629): reading it, mending it, measuring it. Pure functions. White space
 * is Unicode's: U+0009 to U+000D, U+001C to U+0020, U+0085, U+00A0, U+1680, U+2000 to U+200A,
 * U+2028, U+2029, U+202F, U+205F, U+3000.
 */

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a macro stands for, as a literal: with LIMIT defined as 1000, TEXT_OF(LIMIT) is "1000".
 */
#define TEXT_OF(macro)         TEXT_OF_TOKENS(macro)
#define TEXT_OF_TOKENS(tokens) #tokens

#define TEXT_BAD_POINT   UINT32_MAX     /* what text_point finds where bytes are not UTF-8 */
#define TEXT_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Reads the first code point of `size` > 0 bytes and returns how many bytes it takes. Bytes
 * that are not UTF-8 give TEXT_BAD_POINT and the length of the longest part that could have
 * begun a character, at least 1. */
size_t text_point(const char *text, size_t size, uint32_t *point);

/* `size` without a character that the end of the bytes cuts in two. */
size_t text_whole(const char *text, size_t size);

/* How many code points; the text must be UTF-8. */
size_t text_count(const char *text, size_t size);

/* Takes white space off both ends; the text must be UTF-8. */
void text_trim(const char **text, size_t *size);

/* Takes blanks (space, tab, CR, LF) off both ends of any bytes. */
void text_trim_blanks(const char **text, size_t *size);

/* Length of the host that the text begins with, a name, an IPv4 address or an IPv6 one in its
 * brackets, without a port; 0 for none (the API contract, section 3). */
size_t text_host_length(const char *text);

/* The number that the text is, of decimal digits alone; 0 when it is none, or beyond the range
 * of its type. */
int64_t text_read_number(const char *text, size_t length);

/* The first item of a list whose items have commas or blanks between them; *length is 0 behind
 * the last one. The next: text_list_item(item + *length, length). */
const char *text_list_item(const char *list, size_t *length);

/* Appends the bytes, each bad part replaced by U+FFFD. Returns how many were replaced. */
size_t text_append(struct buffer *buffer, const char *text, size_t size);

/* Writes the number as that many hexadecimal digits, the lowest ones, in lower case, without a
 * NUL. */
void text_write_hex(char *text, uint64_t number, size_t digits);

/* Appends the shortest decimal digits that read back as the same number, always with a point or
 * an exponent (5.0, 1e+16, 1e-07), or inf, -inf, nan. */
void text_append_double(struct buffer *buffer, double number);

#endif
