#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

/* Errors as application/problem+json (RFC 9457). Pure. */

#include "base/buffer.h"
#include "http/response.h"

#include <stddef.h>

/* `json` is the error as the API has it else, compact: {"detail":"..."}, perhaps with further
 * members, which stay; or lists of messages by field, as deep as the body was:
 * {"title":["..."]}, {"3":{"title":["..."]}}. These become `errors`, each with the field's JSON
 * pointer (RFC 6901), or with the query parameter's name where there is no body. */
void http_problem_append(struct buffer *out, const struct http_response *response,
                         const char *json, size_t size);

#endif
