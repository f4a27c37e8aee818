#include "server/wire.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define VERSION_LENGTH 8 /* of "HTTP/1.1" */

static const char *const checked_versions[] = {"0.9.75", "1.0.1"};

/* How the library's messages begin that tell of a refusal. The first one has the status. */
static const char refusal_with_status[] =
    "Error processing request (HTTP response code is %u ('%s')).";
/* clang-format off */
static const char *const refusals[] = {
    "Bare CR characters are not allowed",
    "Bare LF characters are not allowed",
    "Invalid character is in the request line",
    "No space left in the read buffer",
    "The NUL character is in the request line",
    "The request has whitespace character",
    "The request line",
    "Too many meaningless extra empty lines",
};
/* clang-format on */

/* The head of a request while it is walked through, byte for byte. */
struct walk {
    const char *next; /* the first byte that nothing accounts for yet */
    bool is_broken;
    bool is_in_place; /* the library's strings lie where they came */
    struct http_request *request;
};

bool wire_is_checked(void)
{
    for (size_t i = 0; i < sizeof(checked_versions) / sizeof(checked_versions[0]); i++)
        if (strcmp(MHD_get_version(), checked_versions[i]) == 0)
            return true;
    return false;
}

int wire_strictness(void)
{
    return strncmp(MHD_get_version(), "0.", 2) != 0;
}

static bool is_line_end(const char *bytes)
{
    return bytes[0] == '\0' && bytes[1] == '\0'; /* they were CR and LF */
}

/* A field is its name, a colon (a NUL now), blanks, its value, CR and LF (NULs now). A folded
 * one, one with a NUL, and one whose line ends with LF alone look different. */
static bool accounts_for(struct walk *walk, const char *name, size_t name_size,
                         const char *value, size_t value_size)
{
    const char *start = name + name_size + 1;

    if (name != walk->next || value < start || strspn(start, " \t") < (size_t)(value - start) ||
        !is_line_end(value + value_size))
        return false;
    walk->next = value + value_size + 2;
    return true;
}

/* 0.9 leaves them on, where they would make `Host: a ` a bad host. In place, as the string was
 * made; but not where the library has found out already how long the body is: the guard must
 * see what it saw. */
static void cut_blanks(const char *name, const char *value)
{
    char *end = strchr(value, '\0');

    if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
        return;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct walk *walk = context;

    (void)kind;
    if (walk->is_in_place && !walk->is_broken)
        walk->is_broken = !value || !accounts_for(walk, name, name_size, value, value_size);
    if (value && !wire_strictness())
        cut_blanks(name, value);
    http_request_add_header(walk->request, name, value ? value : "");
    return MHD_YES;
}

void wire_read_fields(struct MHD_Connection *connection, struct http_request *request)
{
    struct walk walk = {.request = request};

    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &walk);
}

/* The method, a blank, the target, a blank, the version: the blanks are NULs now. */
static bool is_request_line_whole(const struct wire_head *head, const struct buffer *target)
{
    for (size_t i = 0; i < target->size; i++)
        if ((unsigned char)target->data[i] <= ' ' || target->data[i] == 0x7f)
            return false;
    return head->method + strlen(head->method) + 1 == head->target &&
           head->target + target->size + 1 == head->version &&
           strlen(head->version) == VERSION_LENGTH;
}

/* The first byte behind the head's empty line. */
static const char *find_head_end(struct MHD_Connection *connection,
                                 const struct wire_head *head)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return head->method + (info ? info->header_size : 0);
}

const char *wire_read_head(struct MHD_Connection *connection, const struct wire_head *head,
                           struct http_request *request)
{
    struct walk walk = {
        .next = head->version + VERSION_LENGTH + 2,
        .is_in_place = !wire_strictness(),
        .request = request,
    };

    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &walk);
    request->head_size = (size_t)(find_head_end(connection, head) - head->method);
    request->must_close = request->headers[HTTP_HEADER_TRANSFER_ENCODING] != NULL;
    if (!is_request_line_whole(head, &request->target))
        return "The request line has a control character or superfluous white space.";
    if (!walk.is_in_place)
        return NULL;
    if (walk.is_broken || !is_line_end(head->version + VERSION_LENGTH) ||
        !is_line_end(walk.next) || walk.next + 2 != find_head_end(connection, head))
        return "A header is folded, has no name, has a control character, or its line doesn't "
               "end with CR and LF.";
    return NULL;
}

/* With 0.9, data lie behind the line that tells their size, with what came before it. */
const char *wire_body_problem(struct MHD_Connection *connection, const struct wire_head *head,
                              const char *data)
{
    const char *start = find_head_end(connection, head);
    const char *line = data - 1;

    if (wire_strictness() || data <= start)
        return NULL;
    if (data - start >= 3 && data[-1] == '\n' && data[-2] == '\r') {
        while (line > start && line[-1] != '\n')
            line--;
        if (line == start || (line - start >= 2 && line[-2] == '\r'))
            return NULL;
    }
    return "A line of the chunked body doesn't end with CR and LF.";
}

bool wire_is_refusal(const char *format, va_list arguments, unsigned *status)
{
    va_list copy;

    *status = 0;
    if (strncmp(format, refusal_with_status, sizeof(refusal_with_status) - 1) == 0) {
        va_copy(copy, arguments);
        *status = va_arg(copy, unsigned);
        va_end(copy);
        return true;
    }
    if (strcmp(format, "%s\n") == 0) {
        va_copy(copy, arguments);
        format = va_arg(copy, const char *);
        va_end(copy);
    }
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (strncmp(format, refusals[i], strlen(refusals[i])) == 0)
            return true;
    return false;
}

char *wire_header_value(struct MHD_Response *response, const char *name)
{
    const char *value = MHD_get_response_header(response, name);
    char *own;

    memcpy(&own, &value, sizeof(own));
    return own;
}

bool wire_has_head(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE) != NULL;
}

void wire_send_last(int socket, const char *bytes, size_t size)
{
    /* What doesn't fit into the socket's buffer is lost: its client has sent requests and read
     * no answers. */
    (void)!send(socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(socket, SHUT_WR);
}
