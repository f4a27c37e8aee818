#ifndef HTTP_JSON_TEXT_H
#define HTTP_JSON_TEXT_H

/* JSON as text, not as values: enough to find its strings and to lay it out. Pure. */

#include "base/buffer.h"

#include <stddef.h>

/* The index behind the closing quote of the string whose opening quote is at `start`; `size`
 * when it is not closed. */
size_t json_text_string_end(const char *text, size_t size, size_t start);

/* Compact JSON of ours, spread over lines the way Python's json.dumps(indent=...) does. */
void json_text_append_indented(struct buffer *out, const char *json, size_t size,
                               unsigned indent);

#endif
