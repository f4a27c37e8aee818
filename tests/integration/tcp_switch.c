#include "tcp_switch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener = -1;
static uint16_t node_port;
static atomic_uint node_address; /* in network order */

static bool pass_on(int from, int to)
{
    char bytes[16384];
    ssize_t size = recv(from, bytes, sizeof bytes, 0);

    for (ssize_t sent = 0; size > 0 && sent < size;) {
        ssize_t part = send(to, bytes + sent, (size_t)(size - sent), MSG_NOSIGNAL);
        if (part <= 0)
            return false;
        sent += part;
    }
    return size > 0;
}

static int connect_node(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(node_port), .sin_addr.s_addr = node_address};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Until either end closes. Connecting to a node that is gone may take its time: it delays
 * nobody else. */
static void *carry(void *argument)
{
    int client = *(int *)argument;
    int node = connect_node();
    struct pollfd ends[2] = {
        {client, POLLIN, 0},
        {node,   POLLIN, 0}
    };
    bool is_open = node >= 0;

    free(argument);
    while (is_open && poll(ends, 2, -1) > 0)
        for (unsigned i = 0; i < 2 && is_open; i++)
            is_open = !ends[i].revents || pass_on(ends[i].fd, ends[1 - i].fd);
    close(client);
    if (node >= 0)
        close(node);
    return NULL;
}

static void *accept_all(void *unused)
{
    for (;;) {
        int *client = malloc(sizeof *client);
        pthread_t thread;
        if (!client)
            abort();
        *client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (*client < 0 || pthread_create(&thread, NULL, carry, client) != 0)
            abort();
        pthread_detach(thread);
    }
    return unused; /* never */
}

unsigned tcp_switch_start(const char *host, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    pthread_t thread;

    node_port = (uint16_t)port;
    tcp_switch_lead_to(host);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, accept_all, NULL) != 0)
        return 0;
    pthread_detach(thread);
    return ntohs(address.sin_port);
}

void tcp_switch_lead_to(const char *host)
{
    struct in_addr address = {0};

    inet_pton(AF_INET, host, &address);
    node_address = address.s_addr;
}
