#include "cmd/cmd.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char cmd_healthcheck_help[] =
    "usage: app healthcheck [--live]\n"
    "\n"
    "Asks the server that runs on this machine with the same HTTP_ADDRESS and HTTP_PORT if it\n"
    "is ready for requests (GET /readyz), and says why when it is not. Gives up after 3 "
    "seconds.\n"
    "\n"
    "  --live    ask only if it runs (GET /livez)\n"
    "\n"
    "exit status: 0 yes, 1 no\n";

enum {
    TIME_LIMIT = 3000000, /* microseconds, for everything */
    ANSWER_SIZE = 4096,
};

struct target {
    struct sockaddr_storage address;
    socklen_t address_size;
    char name[INET6_ADDRSTRLEN + 10]; /* as in a URL, with the port */
};

/* A server that listens on every address is asked on the loopback one. */
static void find_target(const struct config *config, unsigned port, struct target *target)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&target->address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&target->address;
    char text[INET6_ADDRSTRLEN] = "";

    if (inet_pton(AF_INET, config->http_address, &ipv4->sin_addr) == 1) {
        if (ipv4->sin_addr.s_addr == htonl(INADDR_ANY))
            ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons((uint16_t)port);
        target->address_size = sizeof(*ipv4);
        inet_ntop(AF_INET, &ipv4->sin_addr, text, sizeof(text));
        snprintf(target->name, sizeof(target->name), "%s:%u", text, port);
        return;
    }
    inet_pton(AF_INET6, config->http_address, &ipv6->sin6_addr);
    if (memcmp(&ipv6->sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0)
        ipv6->sin6_addr = in6addr_loopback;
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons((uint16_t)port);
    target->address_size = sizeof(*ipv6);
    inet_ntop(AF_INET6, &ipv6->sin6_addr, text, sizeof(text));
    snprintf(target->name, sizeof(target->name), "[%s]:%u", text, port);
}

/* Waits until the socket can be read or written. */
static bool wait_for(int connection, short events, uint64_t deadline, struct error *err)
{
    struct pollfd poll_entry = {.fd = connection, .events = events};
    uint64_t now = clock_now();

    if (now < deadline && poll(&poll_entry, 1, (int)((deadline - now) / 1000) + 1) > 0)
        return true;
    return error_set(err, ERROR_SYSTEM, "no answer within %u seconds", TIME_LIMIT / 1000000);
}

static bool connect_to(int connection, const struct target *target, uint64_t deadline,
                       struct error *err)
{
    int problem = 0;
    socklen_t size = sizeof(problem);

    if (connect(connection, (const struct sockaddr *)&target->address, target->address_size) !=
        0) {
        if (errno != EINPROGRESS)
            return error_set(err, ERROR_SYSTEM, "cannot connect: %s", strerror(errno));
        if (!wait_for(connection, POLLOUT, deadline, err))
            return false;
    }
    getsockopt(connection, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0)
        return error_set(err, ERROR_SYSTEM, "cannot connect: %s", strerror(problem));
    return true;
}

/* A request this small goes into the socket's buffer at once. */
static bool send_request(int connection, const char *path, const char *host, struct error *err)
{
    char request[256];
    int length = snprintf(request, sizeof(request),
                          "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: app-healthcheck\r\n"
                          "Accept: application/json\r\nConnection: close\r\n\r\n",
                          path, host);

    if (send(connection, request, (size_t)length, MSG_NOSIGNAL) != length)
        return error_set(err, ERROR_SYSTEM, "cannot send: %s", strerror(errno));
    return true;
}

/* Reads until the server closes, or as much as there is room for. */
static bool read_answer(int connection, char answer[ANSWER_SIZE], uint64_t deadline,
                        struct error *err)
{
    size_t size = 0;
    ssize_t received = 1;

    while (received > 0 && size < ANSWER_SIZE - 1) {
        if (!wait_for(connection, POLLIN, deadline, err))
            return false;
        received = recv(connection, answer + size, ANSWER_SIZE - 1 - size, 0);
        if (received > 0)
            size += (size_t)received;
    }
    answer[size] = '\0';
    if (received < 0)
        return error_set(err, ERROR_SYSTEM, "no answer: %s", strerror(errno));
    return true;
}

/* Says what the server said: status and body, in one line. */
static bool check_answer(char *answer, struct error *err)
{
    const char *body = strstr(answer, "\r\n\r\n");
    const char *status = answer + strlen("HTTP/1.x ");

    if (strncmp(answer, "HTTP/1.", 7) != 0 || strlen(answer) < 12)
        return error_set(err, ERROR_SYSTEM, "the answer is not HTTP");
    if (*status == '2')
        return true;
    for (char *byte = answer; *byte; byte++) {
        if (iscntrl((unsigned char)*byte))
            *byte = ' ';
    }
    return error_set(err, ERROR_SYSTEM, "status %.3s %.300s", status, body ? body + 4 : "");
}

static bool ask(const struct target *target, const char *path, struct error *err)
{
    uint64_t deadline = clock_now() + TIME_LIMIT;
    char answer[ANSWER_SIZE];
    int connection =
        socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good;

    if (connection < 0)
        return error_set(err, ERROR_SYSTEM, "socket: %s", strerror(errno));
    good = connect_to(connection, target, deadline, err) &&
           send_request(connection, path, target->name, err) &&
           read_answer(connection, answer, deadline, err) && check_answer(answer, err);
    close(connection);
    return good;
}

bool cmd_ask(const struct config *config, unsigned port, const char *path, struct error *err)
{
    struct target target = {0};
    struct error cause = {0};

    find_target(config, port, &target);
    if (ask(&target, path, &cause))
        return true;
    return error_set(err, cause.code, "http://%s%s: %s", target.name, path, cause.text);
}

/* A health check says no, whatever the reason: so wrong settings are 1 here, not 2. */
bool cmd_healthcheck(int argc, char **argv, struct error *err)
{
    bool is_live = argc == 2 && strcmp(argv[1], "--live") == 0;
    struct config config;
    struct error config_error = {0};
    bool good;

    if (!is_live && !cmd_no_arguments(argc, argv, err))
        return false;
    if (!cmd_load_config(&config, &config_error))
        return error_set(err, ERROR_SYSTEM, "%s", config_error.text);
    if (config.http_port == 0)
        good =
            error_set(err, ERROR_SYSTEM, "HTTP_PORT is 0, so the server's port is not known");
    else
        good = cmd_ask(&config, config.http_port, is_live ? "/livez" : "/readyz", err);
    config_release(&config);
    return good;
}
