#ifndef SERVER_SEGMENT_H
#define SERVER_SEGMENT_H

/*
 * Private to the adapter: a request as AWS X-Ray is told of it, a segment document, with the
 * shape that AWS' SDK gives it. Pure.
 */

#include "base/buffer.h"
#include "base/trip.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The same for all segments of a process. The texts are borrowed. */
struct segment_origin {
    const char *service; /* the name of the segments */
    const char *version;
    const char *database;      /* the name of the subsegments */
    const char *database_url;  /* without a password */
    const char *database_type; /* "MySQL" */
    const char *database_user; /* NULL: there is none */
};

struct segment {
    const struct http_request *request;
    const char *fallback_host; /* for a request without one */
    const char *client;        /* numeric address, or "unix" */
    unsigned status;           /* 0: there was no answer */
    uint64_t bytes;            /* of the answer's body */
    uint64_t start, end;       /* microseconds since 1970 */
    uint64_t began;            /* clock_now() at `start`, for the trip's times */
    const struct trip *trip;
};

/* However long the request's texts are. */
#define SEGMENT_SIZE_MAX 60000U

/* Appends what goes into one datagram. */
void segment_append(struct buffer *out, const struct segment_origin *origin,
                    const struct segment *segment);

#endif
