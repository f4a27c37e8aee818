#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

/*
 * What a server gives up before it listens to strangers (Landlock, since Linux 5.13). Reading
 * and the network stay: certificates, names of hosts, charsets and login plugins are opened
 * later.
 */

#include <stdbool.h>

/* From now on this thread, and each that it starts, can run no other program and can't change a
 * file but in the folder `data` and below, nor remove one but there and in `sockets` and below
 * (NULL: none). What is open already stays usable. Never undone. False where the kernel can't,
 * or is told not to: nothing is given up then but setuid. */
bool sandbox_enter(const char *data, const char *sockets);

#endif
