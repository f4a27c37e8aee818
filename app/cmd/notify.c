#include "cmd/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_SIZE 1024

static int sender = -1;
static struct sockaddr_un supervisor;
static socklen_t supervisor_size;
static uint64_t interval; /* microseconds between two signs; 0: there is no watchdog */
static uint64_t due;      /* clock_now() */

/* A path, or the name of an abstract socket after an "@". */
static bool parse(const char *name)
{
    size_t length = strlen(name);

    if (length >= sizeof(supervisor.sun_path) || (*name != '/' && *name != '@'))
        return false;
    supervisor.sun_family = AF_UNIX;
    memcpy(supervisor.sun_path, name, length);
    if (*name == '@')
        supervisor.sun_path[0] = '\0';
    supervisor_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

void notify_open(void)
{
    const struct timeval patience = {.tv_sec = 1};
    const char *name = getenv("NOTIFY_SOCKET");
    const char *period = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");

    if (period && (!pid || strtol(pid, NULL, 10) == getpid()))
        interval = strtoull(period, NULL, 10) / 2;
    if (name && parse(name))
        sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender >= 0)
        setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(void)
{
    if (sender >= 0)
        close(sender);
    sender = -1;
}

static void send_message(const char *message)
{
    if (sender >= 0)
        (void)!sendto(sender, message, strlen(message), MSG_NOSIGNAL,
                      (const struct sockaddr *)&supervisor, supervisor_size);
}

void notify_send(const char *assignments, const char *status)
{
    char message[MESSAGE_SIZE];
    int begin = snprintf(message, sizeof(message), "%s\nSTATUS=", assignments);

    snprintf(message + begin, sizeof(message) - (size_t)begin, "%s", status);
    for (char *byte = message + begin; *byte; byte++)
        if ((unsigned char)*byte < ' ')
            *byte = ' ';
    send_message(message);
}

bool notify_is_due(uint64_t now)
{
    return sender >= 0 && interval > 0 && now >= due;
}

void notify_alive(uint64_t now)
{
    due = now + interval;
    send_message("WATCHDOG=1");
}
