#ifndef CMD_NOTIFY_H
#define CMD_NOTIFY_H

/*
 * What a supervisor (systemd, or another one that knows sd_notify(3)) is told, in datagrams to
 * the socket that NOTIFY_SOCKET names; without one, nothing. What can't be told within a second
 * is lost. For the main thread.
 */

#include <stdbool.h>
#include <stdint.h>

/* Reads the variables, and clears them. */
void notify_open(void);
void notify_close(void);

/* Sends these assignments ("READY=1"; "": none) and the status, a sentence for people; control
 * bytes in it must not make another assignment of it. */
void notify_send(const char *assignments, const char *status);

/* Whether half of the time is over in which the supervisor wants the next sign of life. Never
 * without a watchdog. */
bool notify_is_due(uint64_t now);

/* Gives that sign. */
void notify_alive(uint64_t now);

#endif
