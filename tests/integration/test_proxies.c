/*
 * The corpus of raw requests, sent through a proxy that tests/proxies/run has started before a
 * server. The proxy names each request that it sends (X-Request-Id: proxy-...). So a request
 * that was smuggled past it has no such name, and its own probe has another one's answer.
 */

#include "base/clock.h"
#include "check.h"
#include "corpus.h"
#include "exchange.h"
#include "suites.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define QUIET                                                                                  \
    100 /* milliseconds after which a proxy that keeps its connection has answered             \
         */
#define LOG_LIMIT BUSY_MACHINE /* milliseconds; lines are written every 100 */

#define PROBE_LINE "\"path\":\"/\","

static struct server server; /* the one behind the proxy; nobody else asks it */
static bool is_varnish;

/* Whether tests/proxies/run has done its part. */
int proxies_init(void)
{
    const char *folder = getenv("TEST_PROXY_FOLDER");
    const char *port = getenv("TEST_PROXY_SERVER");
    const char *kind = getenv("TEST_PROXY");

    if (!folder || !port || !kind)
        return 1;
    is_varnish = strcmp(kind, "varnish") == 0;
    snprintf(server.folder, sizeof server.folder, "%s", folder);
    server.port = (unsigned)strtoul(port, NULL, 10);
    return 0;
}

int proxies_cleanup(void)
{
    return 0;
}

static bool connect_proxy(struct client_connection *connection)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *connection =
        (struct client_connection){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    snprintf(address.sun_path, sizeof address.sun_path, "%.80s/proxy.socket", server.folder);
    return CHECK(connection->fd >= 0 &&
                     connect(connection->fd, (struct sockaddr *)&address, sizeof address) == 0,
                 "proxy", "no connection");
}

/* What comes until the proxy closes or falls silent. False when it has closed. */
static bool read_while_it_talks(const struct client_connection *connection, struct buffer *all)
{
    struct pollfd source = {.fd = connection->fd, .events = POLLIN};
    char part[4096];

    while (poll(&source, 1, QUIET) > 0) {
        ssize_t count = recv(connection->fd, part, sizeof part, 0);
        if (count <= 0)
            return false;
        buffer_append(all, part, (size_t)count);
    }
    return true;
}

/* A client of its own, whose answer has its own host in it, whatever lay on the connection to
 * the server before. */
static void probe(const char *row, size_t number)
{
    struct client_connection connection;
    struct client_response response = {0};
    char request[160], wanted[80];

    snprintf(request, sizeof request,
             "GET / HTTP/1.1\r\nHost: probe%zu.example\r\nConnection: close\r\n\r\n", number);
    snprintf(wanted, sizeof wanted, "{\"todos\":\"http://probe%zu.example/todos\"}", number);
    if (connect_proxy(&connection)) {
        client_send_text(&connection, request);
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
        CHECK_TEXT(row, "the next client's answer", wanted, client_body(&response));
    }
    client_close(&connection);
    client_response_release(&response);
}

static size_t count_text(const char *text, const char *part)
{
    size_t count = 0;

    for (; text && (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

/* The server's log up to the line of this probe, of which there were as many as its number. */
static void read_log(const char *row, size_t number, struct buffer *log)
{
    uint64_t deadline = clock_now() + LOG_LIMIT * 1000;

    do {
        buffer_clear(log);
        server_read_log(&server, log);
    } while (count_text(log->data, PROBE_LINE) < number && clock_now() < deadline &&
             (clock_sleep(20000), true));
    CHECK_NUMBER(row, "probes in the log", (long long)number,
                 (long long)count_text(log->data, PROBE_LINE));
}

/* What the server did since the last row. */
struct deeds {
    size_t created;
    size_t deleted;
};

static struct deeds take_deeds(const char *row, char *lines)
{
    struct deeds deeds = {0};
    char *rest = NULL;

    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (!strstr(line, "\"message\":\"request\""))
            continue;
        CHECK(strstr(line, "\"request_id\":\"proxy-"), row, "not sent by the proxy: %s", line);
        deeds.created += strstr(line, "\"status\":201") != NULL;
        deeds.deleted += strstr(line, "\"status\":204") != NULL;
    }
    return deeds;
}

/* The client hears of what was done for it, and of nothing else. But when Varnish meets a fault
 * in a chunked body, it ends what it has sent of it to the server as if that were whole, and
 * says something else to the client: there, more may be done than is told. */
static void check_told(const struct raw_request *row, const char *status, size_t done,
                       const struct client_connection *connection, struct buffer *all)
{
    uint64_t deadline = clock_now() + LOG_LIMIT * 1000;
    size_t told = count_text(all->data, status);

    while (told < done && read_while_it_talks(connection, all) && clock_now() < deadline)
        told = count_text(all->data, status);
    told = count_text(all->data, status);
    CHECK(told == done || (is_varnish && told < done), row->name,
          "%zu times done, %zu times told: %s", done, told, status);
}

static void test_proxy_and_server_agree_on_each_request(void)
{
    struct buffer log = {0};
    size_t seen;

    read_log("start", 0, &log);
    seen = log.size;
    for (size_t i = 0; i < corpus_size; i++) {
        const struct raw_request *row = &corpus[i];
        struct client_connection connection;
        struct buffer all = {0};
        struct deeds deeds;
        if (!connect_proxy(&connection))
            break;
        client_send(&connection, row->bytes, row->size);
        if (row->is_cut)
            client_close(&connection);
        else
            read_while_it_talks(&connection, &all);
        probe(row->name, i + 1);
        read_log(row->name, i + 1, &log);
        deeds = take_deeds(row->name, log.data + seen);
        seen = log.size;
        if (!row->is_cut) {
            check_told(row, "HTTP/1.1 201", deeds.created, &connection, &all);
            check_told(row, "HTTP/1.1 204", deeds.deleted, &connection, &all);
        }
        client_close(&connection);
        buffer_release(&all);
    }
    buffer_release(&log);
}

CU_TestInfo proxies_tests[] = {
    TEST(test_proxy_and_server_agree_on_each_request),
    CU_TEST_INFO_NULL,
};
