#ifndef SERVER_MEASURE_H
#define SERVER_MEASURE_H

/*
 * Private to the adapter: what it counts (base/metrics.h), for a server whose settings say that
 * it is measured.
 */

#include <stdint.h>

struct http_exchange;
struct http_loop;

/* At the start: names the methods and statuses. */
void measure_start(void);

/* A request has ended: on the loop's thread. Status 0: there was no answer. */
void measure_request(const struct http_exchange *exchange, unsigned status,
                     uint64_t microseconds);

/* The library has refused one of which nothing is known but that. */
void measure_unread(const struct http_loop *loop, unsigned status);

#endif
