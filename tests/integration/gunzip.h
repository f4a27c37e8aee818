#ifndef GUNZIP_H
#define GUNZIP_H

#include "base/buffer.h"

#include <stdbool.h>

/* What a gzip holds, in place of it. False, with a failed check, for what is none, or has more
 * behind it. */
bool gunzip(const char *row, struct buffer *body);

#endif
