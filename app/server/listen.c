#include "server/listen.h"

#include "base/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */

#define RECEIVED_SIZE 32768 /* bytes of a connection that were not read yet */

/* Both go over to the connections. */
static bool limit_memory(int listener)
{
    int received = RECEIVED_SIZE;
    int unsent = HTTP_UNSENT_SIZE;

    return setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &received, sizeof(received)) == 0 &&
           setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent)) == 0;
}

/* Closes, and keeps errno. */
static int give_up(int listener)
{
    int saved = errno;

    close(listener);
    errno = saved;
    return -1;
}

/* ---- TCP ---- */

static int bind_tcp(const struct endpoint *endpoint)
{
    int family = endpoint->address.any.sa_family;
    int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    int no = 0;

    if (listener < 0)
        return -1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        !limit_memory(listener) ||
        (family == AF_INET6 &&
         setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) != 0) ||
        bind(listener, &endpoint->address.any, endpoint->size) != 0)
        return give_up(listener);
    return listener;
}

/* Of a kernel without IPv6, all addresses are IPv4's. */
static const char *all_addresses(void)
{
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe < 0)
        return errno == EAFNOSUPPORT ? "0.0.0.0" : "::";
    close(probe);
    return "::";
}

/* ---- Unix sockets ---- */

/* Whether this is a socket that nobody listens on. */
static bool is_left_over(const struct endpoint *endpoint)
{
    struct stat status;
    int probe;
    bool is_refused;

    if (lstat(endpoint->address.local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    is_refused =
        connect(probe, &endpoint->address.any, endpoint->size) != 0 && errno == ECONNREFUSED;
    close(probe);
    return is_refused;
}

/* The file never has wider permissions, not for a moment. */
static bool bind_as(int listener, const struct endpoint *endpoint, mode_t mode)
{
    mode_t before = umask(0777 & ~mode);
    bool good = bind(listener, &endpoint->address.any, endpoint->size) == 0;

    umask(before);
    return good;
}

static int bind_unix(const struct endpoint *endpoint, mode_t mode)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good;

    if (listener < 0)
        return -1;
    good = bind_as(listener, endpoint, mode);
    if (!good && errno == EADDRINUSE) {
        if (is_left_over(endpoint) && unlink(endpoint->address.local.sun_path) == 0)
            good = bind_as(listener, endpoint, mode);
        else
            errno = EADDRINUSE;
    }
    return good && listen(listener, HTTP_LISTEN_BACKLOG) == 0 ? listener : give_up(listener);
}

/* One server at a time looks and binds in a folder: another that starts between the two would
 * have its new socket taken for one that is left over. */
static int bind_unix_alone(const struct endpoint *endpoint, mode_t mode)
{
    char path[ENDPOINT_ADDRESS_SIZE];
    int folder =
        open(dirname(endpoint_print(endpoint, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int listener;
    int saved;

    if (folder >= 0)
        flock(folder, LOCK_EX);
    listener = bind_unix(endpoint, mode);
    saved = errno;
    if (folder >= 0)
        close(folder);
    errno = saved;
    return listener;
}

/* ---- what a supervisor passes on ---- */

/* Of a variable that sd_listen_fds(3) names; 0 when it is not set or no such number. */
static unsigned long number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end = NULL;
    unsigned long number = text ? strtoul(text, &end, 10) : 0;

    return text && end != text && *end == '\0' ? number : 0;
}

/* Whether it is one that clients can be taken from, and makes it as if it were our own. */
static bool adopt(int socket)
{
    int is_listening = 0;
    int type = 0;
    socklen_t size = sizeof(int);
    struct endpoint endpoint;

    return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 &&
           is_listening && getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_STREAM && endpoint_of_socket(&endpoint, socket) &&
           fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && fcntl(socket, F_SETFL, O_NONBLOCK) == 0 &&
           (endpoint_is_unix(&endpoint) || limit_memory(socket));
}

bool http_listeners_inherit(struct http_listeners *listeners, struct error *err)
{
    unsigned long count =
        number_of("LISTEN_PID") == (unsigned long)getpid() ? number_of("LISTEN_FDS") : 0;

    *listeners = (struct http_listeners){.are_inherited = count > 0};
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (count > HTTP_LISTENERS_MOST)
        return error_set(err, ERROR_CONFIG,
                         "LISTEN_FDS: %lu sockets are too many, %d can be used", count,
                         HTTP_LISTENERS_MOST);
    for (int i = 0; i < (int)count; i++) {
        if (!adopt(FIRST_INHERITED + i))
            return error_set(
                err, ERROR_CONFIG,
                "LISTEN_FDS: descriptor %d is no socket that listens for streams of "
                "TCP or Unix (Accept=yes can't be used)",
                FIRST_INHERITED + i);
        listeners->sockets[listeners->count++] = FIRST_INHERITED + i;
    }
    return true;
}

/* ---- both ---- */

/* What a person can do about it. */
static const char *advice_on(int problem)
{
    switch (problem) {
    case EADDRINUSE:
        return ": another program listens there";
    case EACCES:
        return ": ports below 1024 need CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
        return ": it is not an address of this machine";
    default:
        return "";
    }
}

static bool fail(const char *prefix, const char *address, unsigned port, bool is_unix,
                 struct error *err)
{
    if (!is_unix)
        return error_set(err, ERROR_SYSTEM, "%s_%s: cannot listen on %s port %u: %s%s", prefix,
                         errno == EADDRINUSE || errno == EACCES ? "PORT" : "ADDRESS", address,
                         port, strerror(errno), advice_on(errno));
    return error_set(err, ERROR_SYSTEM, "%s_ADDRESS: cannot listen on %s: %s", prefix, address,
                     errno == EADDRINUSE ? "another server does, or it is no socket"
                                         : strerror(errno));
}

bool http_listen(struct http_listeners *listeners, const char *prefix, const char *address,
                 unsigned port, mode_t mode, struct error *err)
{
    struct endpoint endpoint;
    bool is_unix;
    int listener;

    *listeners = (struct http_listeners){.count = 0};
    if (!endpoint_parse(&endpoint, strcmp(address, "::") == 0 ? all_addresses() : address,
                        port))
        return error_set(err, ERROR_CONFIG, "%s_ADDRESS: %s is no address", prefix, address);
    is_unix = endpoint_is_unix(&endpoint);
    listener = is_unix ? bind_unix_alone(&endpoint, mode) : bind_tcp(&endpoint);
    if (listener < 0)
        return fail(prefix, address, port, is_unix, err);
    listeners->sockets[listeners->count++] = listener;
    if (is_unix && stat(address, &listeners->made) == 0)
        listeners->file = strdup(address);
    return true;
}

void http_listeners_remove_file(struct http_listeners *listeners)
{
    struct stat now;

    if (listeners->file && stat(listeners->file, &now) == 0 &&
        now.st_dev == listeners->made.st_dev && now.st_ino == listeners->made.st_ino &&
        memcmp(&now.st_mtim, &listeners->made.st_mtim, sizeof(now.st_mtim)) == 0)
        unlink(listeners->file);
}

void http_listeners_close(struct http_listeners *listeners)
{
    while (listeners->count > 0)
        close(listeners->sockets[--listeners->count]);
}

void http_listeners_release(struct http_listeners *listeners)
{
    http_listeners_remove_file(listeners);
    http_listeners_close(listeners);
    free(listeners->file);
    listeners->file = NULL;
}
