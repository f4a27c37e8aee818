#ifndef SERVER_XRAY_H
#define SERVER_XRAY_H

/*
 * Sends segments to an X-Ray daemon, or to a collector that takes what is sent to one: a
 * datagram each. Nobody waits for it, and what can't be sent at once is lost and counted. Which
 * requests are told of: those whose caller wants it, none whose caller doesn't, and of the
 * others the first of each second and one of twenty, which is what AWS' SDKs do by default.
 */

#include "base/error.h"
#include "base/xray_address.h"
#include "http/trace.h"
#include "server/segment.h"

#include <stdbool.h>

struct xray;

/* Looks the daemon up, a name again each minute, on a thread of its own: it may be started, or
 * move, later. What is sent before a name is found is lost; an address needs no finding. The
 * origin's texts must outlive it. NULL with *err set. */
struct xray *xray_open(const struct xray_address *address, const struct segment_origin *origin,
                       struct error *err);

/* NULL is fine. Waits for the end of a look-up, for some seconds at most. */
void xray_close(struct xray *xray);

/* Whether the request is told of: its sampling is decided with that. NULL: it is not. Any
 * thread. */
bool xray_samples(struct xray *xray, struct http_trace *trace);

/* Any thread. */
void xray_send(struct xray *xray, const struct segment *segment);

#endif
