#ifndef BASE_PEM_H
#define BASE_PEM_H

/*
 * Certificates as text (RFC 7468). Whether a text is damaged is found out here, when settings
 * are read: a TLS library says so in its own words, at the first connection. Pure functions.
 */

#include <stdbool.h>
#include <stddef.h>

/* Whether it begins like PEM and so is no path: also a key's, which must not be told. */
bool pem_is_text(const char *text);

/* How many certificates; 0 also when one is damaged: lines are joined or missing, digits are
 * not base64's, or they are not exactly one ASN.1 sequence. What is between certificates
 * (comments, other objects) is skipped, as by OpenSSL. */
size_t pem_count_certificates(const char *text);

#endif
