#include "server/linger.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_TIME 10000000U /* microseconds */
#define READ_MOST   65536     /* bytes at a time */

/* The last one takes its place. */
static void remove_at(struct lingering *linger, size_t place)
{
    close(linger->connections[place].socket);
    linger->count--;
    linger->connections[place] = linger->connections[linger->count];
}

static size_t find_oldest(const struct lingering *linger)
{
    size_t oldest = 0;

    for (size_t i = 1; i < linger->count; i++)
        if (linger->connections[i].deadline < linger->connections[oldest].deadline)
            oldest = i;
    return oldest;
}

void linger_add(struct lingering *linger, int socket, uint64_t now)
{
    int copy;

    if (linger->count == LINGER_MOST)
        remove_at(linger, find_oldest(linger));
    copy = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return;
    shutdown(copy, SHUT_WR);
    linger->connections[linger->count].socket = copy;
    linger->connections[linger->count].deadline = now + LINGER_TIME;
    linger->count++;
}

void linger_list(const struct lingering *linger, struct pollfd *sources)
{
    for (size_t i = 0; i < linger->count; i++)
        sources[i] = (struct pollfd){.fd = linger->connections[i].socket, .events = POLLIN};
}

void linger_read(struct lingering *linger, const struct pollfd *sources, uint64_t now)
{
    char unread[READ_MOST];

    for (size_t i = linger->count; i-- > 0;) {
        bool has_come = sources[i].revents != 0;

        /* of TCP, MSG_TRUNC throws the bytes away without copying them, see tcp(7) */
        if (now >= linger->connections[i].deadline ||
            (has_come &&
             recv(sources[i].fd, unread, sizeof(unread), MSG_TRUNC | MSG_DONTWAIT) <= 0))
            remove_at(linger, i);
    }
}

void linger_close(struct lingering *linger)
{
    while (linger->count > 0)
        remove_at(linger, linger->count - 1);
}
