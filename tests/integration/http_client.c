#include "http_client.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes of any encoding, also compressed ones. */
static void append_bytes(struct buffer *out, const char *name, const char *bytes, size_t size)
{
    buffer_append_format(out, "\"%s\":\"", name);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\')
            buffer_append_char(out, (char)byte);
        else
            buffer_append_format(out, "\\u%04x", byte);
    }
    buffer_append_char(out, '"');
}

static void record_request(struct client_connection *connection, const char *method,
                           const char *target)
{
    buffer_clear(&connection->asked);
    if (!getenv("TEST_EXCHANGES"))
        return;
    append_bytes(&connection->asked, "method", method, strlen(method));
    buffer_append_char(&connection->asked, ',');
    append_bytes(&connection->asked, "target", target, strlen(target));
}

/* A line is one write: other threads write theirs. */
static void record_answer(struct client_connection *connection,
                          const struct client_response *response)
{
    const char *path = getenv("TEST_EXCHANGES");
    struct buffer line = {0};
    if (!path || connection->asked.size == 0 || response->status < 200)
        return;
    buffer_append_format(&line, "{%s,\"status\":%d,", connection->asked.data, response->status);
    append_bytes(&line, "head", response->head.data, response->head.size);
    buffer_append_char(&line, ',');
    append_bytes(&line, "body", response->body.data, response->body.size);
    buffer_append_text(&line, "}\n");
    buffer_release(&connection->asked);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || line.failed || write(file, line.data, line.size) != (ssize_t)line.size)
        abort();
    close(file);
    buffer_release(&line);
}

bool client_open(struct client_connection *connection, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *connection =
        (struct client_connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (connection->fd < 0)
        return false;
    if (connect(connection->fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        client_close(connection);
        return false;
    }
    int yes = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return true;
}

void client_close(struct client_connection *connection)
{
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
    buffer_release(&connection->received);
    buffer_release(&connection->asked);
}

bool client_send(struct client_connection *connection, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t sent = send(connection->fd, next, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        next += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool client_send_text(struct client_connection *connection, const char *text)
{
    return client_send(connection, text, strlen(text));
}

bool client_send_request(struct client_connection *connection, unsigned port,
                         const struct client_request *request)
{
    const char *headers = request->headers ? request->headers : "";
    const char *method = request->method ? request->method : "GET";
    struct buffer bytes = {0};
    record_request(connection, method, request->path);
    buffer_append_format(&bytes, "%s %s HTTP/1.1\r\n", method, request->path);
    if (strncasecmp(headers, "Host:", 5) != 0 && !strcasestr(headers, "\r\nHost:"))
        buffer_append_format(&bytes, "Host: 127.0.0.1:%u\r\n", port);
    buffer_append_text(&bytes, headers);
    if (request->type)
        buffer_append_format(&bytes, "Content-Type: %s\r\n", request->type);
    size_t size = request->size;
    if (request->body) {
        size = size ? size : strlen(request->body);
        buffer_append_format(&bytes, "Content-Length: %zu\r\n", size);
    }
    buffer_append_text(&bytes, "\r\n");
    if (request->body)
        buffer_append(&bytes, request->body, size);
    bool sent = !bytes.failed && client_send(connection, bytes.data, bytes.size);
    buffer_release(&bytes);
    return sent;
}

/* Adds what comes next to `received`; false at the end, on an error and past the deadline. */
static bool read_more(struct client_connection *connection, uint64_t deadline)
{
    char bytes[16384];
    for (;;) {
        uint64_t now = clock_now();
        struct pollfd wait = {.fd = connection->fd, .events = POLLIN};
        if (now >= deadline)
            return false;
        int ready = poll(&wait, 1, (int)((deadline - now) / 1000) + 1);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready <= 0)
            continue;
        ssize_t size = recv(connection->fd, bytes, sizeof bytes, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return false;
        buffer_append(&connection->received, bytes, (size_t)size);
        return !connection->received.failed;
    }
}

/* Forgets the first `size` bytes that came. */
static void consume(struct client_connection *connection, size_t size)
{
    struct buffer *received = &connection->received;
    memmove(received->data, received->data + size, received->size - size + 1);
    received->size -= size;
}

/* Moves bytes up to and with `end` into *out (without `end`). */
static bool take_until(struct client_connection *connection, const char *end, uint64_t deadline,
                       struct buffer *out)
{
    const struct buffer *received = &connection->received;
    const char *found;
    while (received->size == 0 ||
           !(found = memmem(received->data, received->size, end, strlen(end))))
        if (!read_more(connection, deadline))
            return false;
    size_t size = (size_t)(found - received->data);
    buffer_append(out, received->data, size);
    consume(connection, size + strlen(end));
    return true;
}

static bool take_bytes(struct client_connection *connection, size_t size, uint64_t deadline,
                       struct buffer *out)
{
    while (connection->received.size < size)
        if (!read_more(connection, deadline))
            return false;
    if (size == 0)
        return true;
    buffer_append(out, connection->received.data, size);
    consume(connection, size);
    return true;
}

static bool take_chunks(struct client_connection *connection, uint64_t deadline,
                        struct buffer *out)
{
    struct buffer line = {0};
    bool good = true;
    size_t size = 1;
    while (good && size > 0) {
        char *end = NULL;
        buffer_clear(&line);
        good = take_until(connection, "\r\n", deadline, &line) && line.size > 0;
        size = good ? strtoul(line.data, &end, 16) : 0;
        good = good && end != line.data && take_bytes(connection, size, deadline, out);
        buffer_clear(&line);
        good = good && take_until(connection, "\r\n", deadline, &line) && line.size == 0;
    }
    buffer_release(&line);
    return good;
}

static bool take_body(struct client_connection *connection, uint64_t deadline,
                      struct client_response *response)
{
    const char *encoding = client_header(response, "Transfer-Encoding");
    const char *length = client_header(response, "Content-Length");
    if (response->status / 100 == 1 || response->status == 204 || response->status == 304)
        return true;
    if (encoding && strcasecmp(encoding, "chunked") == 0)
        return take_chunks(connection, deadline, &response->body);
    if (length)
        return take_bytes(connection, strtoul(length, NULL, 10), deadline, &response->body);
    while (read_more(connection, deadline))
        continue;
    return take_bytes(connection, connection->received.size, deadline, &response->body);
}

/* Header lines get a NUL each in place of their \r\n. */
static void split_head(struct buffer *head)
{
    char *out = head->data;
    for (size_t i = 0; i < head->size; i++) {
        bool is_end = head->data[i] == '\r' && head->data[i + 1] == '\n';
        *out++ = is_end ? '\0' : head->data[i];
        i += is_end;
    }
    *out = '\0';
    head->size = (size_t)(out - head->data);
}

bool client_receive(struct client_connection *connection, bool to_head, int limit,
                    struct client_response *response)
{
    uint64_t deadline = clock_now() + (uint64_t)limit * 1000;
    client_response_release(response);
    if (!take_until(connection, "\r\n\r\n", deadline, &response->head) ||
        response->head.size == 0)
        return false;
    split_head(&response->head);
    if (strncmp(response->head.data, "HTTP/1.1 ", 9) == 0)
        response->status = (int)strtol(response->head.data + 9, NULL, 10);
    bool whole = to_head || take_body(connection, deadline, response);
    if (!whole)
        response->status = 0;
    record_answer(connection, response);
    return response->status != 0;
}

bool client_is_closed(struct client_connection *connection, int limit)
{
    uint64_t deadline = clock_now() + (uint64_t)limit * 1000;
    if (connection->received.size > 0 || read_more(connection, deadline))
        return false;
    return clock_now() < deadline;
}

bool client_read_to_end(struct client_connection *connection, struct buffer *all)
{
    uint64_t deadline = clock_now() + CLIENT_TIME_LIMIT * 1000ULL;
    char part[4096];
    ssize_t count = 1;

    while (count > 0) {
        struct pollfd source = {.fd = connection->fd, .events = POLLIN};
        uint64_t now = clock_now();
        if (now >= deadline || poll(&source, 1, (int)((deadline - now) / 1000) + 1) <= 0)
            return false;
        count = recv(connection->fd, part, sizeof part, 0);
        if (count > 0)
            buffer_append(all, part, (size_t)count);
    }
    return true;
}

bool client_ask(unsigned port, const struct client_request *request,
                struct client_response *response)
{
    struct client_connection connection;
    bool to_head = request->method && strcmp(request->method, "HEAD") == 0;
    client_response_release(response);
    if (!client_open(&connection, port))
        return false;
    /* A server that refuses early may close before it has read all: its answer counts. */
    client_send_request(&connection, port, request);
    bool answered = client_receive(&connection, to_head, CLIENT_TIME_LIMIT, response);
    client_close(&connection);
    return answered;
}

const char *client_header(const struct client_response *response, const char *name)
{
    const char *end = response->head.data + response->head.size;
    size_t length = strlen(name);
    for (const char *line = response->head.data; line && line < end; line += strlen(line) + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    return NULL;
}

const char *client_body(const struct client_response *response)
{
    return response->body.data ? response->body.data : "";
}

void client_response_release(struct client_response *response)
{
    buffer_release(&response->head);
    buffer_release(&response->body);
    response->status = 0;
}
