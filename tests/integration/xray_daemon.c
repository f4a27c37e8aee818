#include "xray_daemon.h"

#include "check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool xray_daemon_open(struct xray_daemon *daemon)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = bind(daemon->socket, (const struct sockaddr *)&address, size) == 0 &&
                getsockname(daemon->socket, (struct sockaddr *)&address, &size) == 0;
    snprintf(daemon->setting, sizeof daemon->setting, "AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:%u",
             ntohs(address.sin_port));
    return CHECK(good, "daemon", "no socket");
}

json_t *xray_daemon_receive(const struct xray_daemon *daemon, int limit)
{
    static const char header[] = "{\"format\":\"json\",\"version\":1}\n";
    static char bytes[65536];
    struct pollfd ready = {.fd = daemon->socket, .events = POLLIN};

    if (poll(&ready, 1, limit) != 1)
        return NULL;
    ssize_t size = recv(daemon->socket, bytes, sizeof bytes - 1, 0);
    bytes[size > 0 ? size : 0] = '\0';
    if (!CHECK(strncmp(bytes, header, sizeof header - 1) == 0, "header", "%.60s", bytes))
        return NULL;
    json_t *segment = json_loads(bytes + sizeof header - 1, JSON_REJECT_DUPLICATES, NULL);
    CHECK(segment != NULL, "segment", "no JSON: %.3000s", bytes);
    return segment;
}
