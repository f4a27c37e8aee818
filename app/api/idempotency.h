#ifndef API_IDEMPOTENCY_H
#define API_IDEMPOTENCY_H

/* The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). Pure. */

#include "http/request.h"
#include "todo/key.h"

#include <stdbool.h>

/* Reads the key: a string (RFC 8941, section 3.3.3) or, as many clients send it, the same
 * without its quotes. False with *problem, a text for the client that names the rule, when
 * there is none. Sets text and length of *key. */
bool idempotency_read_key(const struct http_request *request, struct todo_key *key,
                          const char **problem);

#endif
