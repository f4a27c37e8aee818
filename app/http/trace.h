#ifndef HTTP_TRACE_H
#define HTTP_TRACE_H

/*
 * The trace that a request belongs to, as callers say it in `traceparent` (W3C Trace Context,
 * section 3.2) or in `X-Amzn-Trace-Id` (AWS X-Ray), or as it begins here. Both name a trace by
 * the same 128 bits: X-Ray writes 1-AAAAAAAA-BBBB... where W3C writes AAAAAAAABBBB...
 *
 * Where both come, traceparent counts: the caller has put it there. X-Amzn-Trace-Id is on every
 * request that came through AWS' load balancers, which begin a trace of their own whatever the
 * caller says. What is malformed counts as absent, never as an error of the request.
 */

#include <stdbool.h>
#include <stddef.h>

#define HTTP_TRACE_ID_LENGTH   32 /* hexadecimal digits */
#define HTTP_SPAN_ID_LENGTH    16
#define HTTP_TRACE_TIME_DIGITS 8 /* of those, in front: the seconds at which it began */
#define HTTP_TRACE_PARENT_LENGTH                                                               \
    55 /* of a traceparent: 00-, the trace's id, -, the span's, -01 */

enum http_sampling {
    HTTP_SAMPLING_OPEN, /* the caller leaves it to us */
    HTTP_SAMPLING_NO,
    HTTP_SAMPLING_YES,
};

/* All ids are lower-case hexadecimal digits, whatever came, and end with NUL. */
struct http_trace {
    char id[HTTP_TRACE_ID_LENGTH + 1];
    char parent[HTTP_SPAN_ID_LENGTH + 1]; /* the caller's span; empty: none */
    char span[HTTP_SPAN_ID_LENGTH + 1];   /* this request's own */
    enum http_sampling sampling;
    bool asks; /* Sampled=?: the caller wants to know how it was decided */
};

/* Reads the two headers' values, either NULL when it is absent or came more than once; where
 * they name no trace, begins one, whose id has the time in front, as X-Ray wants it. */
void http_trace_start(struct http_trace *trace, const char *traceparent, const char *amzn);

/* What a callee of this request is told: 00-TRACE-SPAN-FLAGS. */
void http_trace_print(const struct http_trace *trace, char text[HTTP_TRACE_PARENT_LENGTH + 1]);

/* What a caller is told that asked: Root=1-TIME-REST;Sampled=0 or 1. */
void http_trace_print_amzn(const struct http_trace *trace, char *text, size_t size);

#endif
