#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

/*
 * The sockets that a server listens on: one that it opens itself, or those that a supervisor
 * has opened and passes on (LISTEN_FDS, see sd_listen_fds(3)). The latter stay open there: who
 * connects while no server runs waits for the next one.
 *
 * For the main thread, before there are others, if nothing else is said.
 */

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define HTTP_LISTENERS_MOST 8
#define HTTP_LISTEN_BACKLOG 1024

/* What the kernel keeps for a connection whose client doesn't read is at most about this, and
 * what it has sent and was not read yet. In a container it counts as the program's memory. */
#define HTTP_UNSENT_SIZE 65536

struct http_listeners {
    size_t count; /* 0: none, or they are another's now */
    int sockets[HTTP_LISTENERS_MOST];
    bool are_inherited;
    char *file;       /* of the Unix socket that was made; NULL: none */
    struct stat made; /* what it was then */
};

/* Takes the endpoint: nobody else gets it from now on. The address is one for endpoint_parse
 * (`::` is all of IPv4's, too), the port may be 0 for any. Who connects is refused until
 * http_server_start; on a Unix socket he waits, for one that doesn't listen can't be told from
 * one that a crash has left, which is replaced. Its file has these permissions from the first
 * moment on. False with *err set, which names the setting, prefix_PORT or prefix_ADDRESS. */
bool http_listen(struct http_listeners *listeners, const char *prefix, const char *address,
                 unsigned port, mode_t mode, struct error *err);

/* Takes what was passed to this process, and clears the variables that said so. True with
 * `count` 0 when there is nothing. */
bool http_listeners_inherit(struct http_listeners *listeners, struct error *err);

/* Removes the Unix socket's file, if there is one and it is still this one: who comes later
 * learns at once that nobody is there. Any thread, in the sandbox too. */
void http_listeners_remove_file(struct http_listeners *listeners);

/* Closes the sockets. The file stays. */
void http_listeners_close(struct http_listeners *listeners);

/* Removes the file and closes the sockets. */
void http_listeners_release(struct http_listeners *listeners);

#endif
