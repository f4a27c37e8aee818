#ifndef SERVER_LINGER_H
#define SERVER_LINGER_H

/*
 * Private to the adapter: connections that are closed while their client may still be sending.
 * Closing a socket with unread bytes resets the connection, and the answer is lost with it (RFC
 * 9112, section 9.6): so the sending is ended, and what comes is read and thrown away until the
 * client ends, too, or its time is over.
 *
 * For the loop's thread.
 */

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define LINGER_MOST 12 /* of a loop; one more takes the place of the oldest */

struct lingering {
    size_t count;
    struct {
        int socket;
        uint64_t deadline; /* clock_now() */
    } connections[LINGER_MOST];
};

/* Takes a connection over from who is about to close its socket, which stays theirs. */
void linger_add(struct lingering *linger, int socket, uint64_t now);

/* What there is to poll: `count` sources, up to LINGER_MOST. */
void linger_list(const struct lingering *linger, struct pollfd *sources);

/* Reads what has come, as poll says of these sources, and closes what has ended. */
void linger_read(struct lingering *linger, const struct pollfd *sources, uint64_t now);

void linger_close(struct lingering *linger);

#endif
