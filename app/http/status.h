#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

/* The reason phrase of a status that this program uses (RFC 9110, section 15). */
const char *http_status_text(unsigned status);

#endif
