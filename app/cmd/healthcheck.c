#include "cmd/cmd.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OPTION_LIVE };

static const struct cmd_option options[] = {
    [OPTION_LIVE] = {"live", NULL, "ask only if it runs (GET /livez)", false},
    {NULL,   NULL, NULL,                               false},
};

static bool run(int argc, char **argv, struct error *err);

const struct cmd_command cmd_healthcheck = {
    .name = "healthcheck",
    .summary = "ask if a server is ready",
    .description =
        "Asks the server that runs on this machine with the same ADMIN_ADDRESS and ADMIN_PORT, "
        "or without these HTTP_ADDRESS and HTTP_PORT, if "
        "it is ready for requests (GET /readyz), and says why when it is not. Gives up after 3 "
        "seconds. The exit status is 0 for yes, 1 for no, whatever the reason.",
    .options = options,
    .run = run,
};

enum {
    TIME_LIMIT = 3000000, /* microseconds, for everything */
    ANSWER_SIZE = 4096,
};

/* Waits until the socket can be read or written. */
static bool wait_for(int connection, short events, uint64_t deadline, struct error *err)
{
    struct pollfd poll_entry = {.fd = connection, .events = events};
    uint64_t now = clock_now();

    if (now < deadline && poll(&poll_entry, 1, (int)((deadline - now) / 1000) + 1) > 0)
        return true;
    return error_set(err, ERROR_SYSTEM, "no answer within %u seconds", TIME_LIMIT / 1000000);
}

static bool connect_to(int connection, const struct endpoint *server, uint64_t deadline,
                       struct error *err)
{
    int problem = 0;
    socklen_t size = sizeof(problem);

    if (connect(connection, &server->address.any, server->size) != 0) {
        if (errno != EINPROGRESS)
            return error_set(err, ERROR_UNAVAILABLE, "cannot connect: %s", strerror(errno));
        if (!wait_for(connection, POLLOUT, deadline, err))
            return false;
    }
    getsockopt(connection, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0)
        return error_set(err, ERROR_UNAVAILABLE, "cannot connect: %s", strerror(problem));
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

static bool ask(const struct endpoint *server, const char *path, const char *host,
                struct error *err)
{
    uint64_t deadline = clock_now() + TIME_LIMIT;
    char answer[ANSWER_SIZE];
    int connection =
        socket(server->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good;

    if (connection < 0)
        return error_set(err, ERROR_SYSTEM, "socket: %s", strerror(errno));
    good = connect_to(connection, server, deadline, err) &&
           send_request(connection, path, host, err) &&
           read_answer(connection, answer, deadline, err) && check_answer(answer, err);
    close(connection);
    return good;
}

bool cmd_ask(const struct endpoint *listener, const char *path, struct error *err)
{
    struct endpoint server = *listener;
    struct error cause = {0};
    char url[ENDPOINT_URL_SIZE];
    const char *host = url + strlen("http://");

    endpoint_make_reachable(&server);
    endpoint_print_url(&server, url);
    if (ask(&server, path, endpoint_is_unix(&server) ? "localhost" : host, &cause))
        return true;
    return error_set(err, cause.code, "%s%s: %s", url, path, cause.text);
}

/* A health check says no, whatever the reason: so wrong settings are 1 here, not 2. */
static bool run(int argc, char **argv, struct error *err)
{
    const char *path = "/readyz";
    struct config config;
    struct endpoint server;
    struct error cause = {0};
    int option;

    while ((option = cmd_next_option(&cmd_healthcheck, argc, argv, err)) == OPTION_LIVE)
        path = "/livez";
    if (option == CMD_OPTION_WRONG)
        return false;
    if (!cmd_load_config(&config, NULL, &cause))
        return error_set(err, ERROR_SYSTEM, "%s", cause.text);
    if (config.admin_port > 0) /* config has checked both addresses */
        endpoint_parse(&server, config.admin_address, config.admin_port);
    else
        endpoint_parse(&server, config.http_address, config.http_port);
    config_release(&config);
    if (!endpoint_is_unix(&server) && endpoint_port(&server) == 0)
        return error_set(err, ERROR_SYSTEM,
                         "HTTP_PORT is 0, so the server's port is not known");
    return cmd_ask(&server, path, &cause) || error_set(err, ERROR_SYSTEM, "%s", cause.text);
}
