#include "exchange.h"

#include "check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    unsigned port;
    unsigned id;
    unsigned gone;
    unsigned created;
    char tag[64];
    char tags[64];
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Replaces {TEXT*N}; gives how much of `text` that was, 0 when it isn't one. */
static size_t expand_repeat(const char *text, struct buffer *out)
{
    size_t length = strcspn(text + 1, "{}*") + 1;
    if (length < 2 || text[length] != '*' || !isdigit((unsigned char)text[length + 1]))
        return 0;
    char *end = NULL;
    unsigned long times = strtoul(text + length + 1, &end, 10);
    if (*end != '}')
        return 0;
    for (unsigned long i = 0; i < times; i++)
        buffer_append(out, text + 1, length - 1);
    return (size_t)(end + 1 - text);
}

static size_t expand_name(const char *text, const struct names *names, struct buffer *out)
{
    const struct {
        const char *name;
        unsigned value;
    } numbers[] = {
        {"{id}",   names->id     },
        {"{gone}", names->gone   },
        {"{new}",  names->created}
    };
    if (starts_with(text, "{tag}") || starts_with(text, "{tags}")) {
        buffer_append_text(out, text[4] == 's' ? names->tags : names->tag);
        return strcspn(text, "}") + 1;
    }
    if (starts_with(text, "{host}")) {
        buffer_append_format(out, "127.0.0.1:%u", names->port);
        return strlen("{host}");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (starts_with(text, numbers[i].name)) {
            buffer_append_unsigned(out, numbers[i].value);
            return strlen(numbers[i].name);
        }
    return 0;
}

/* The text with its names replaced, in a buffer that is cleared first. NULL stays NULL. */
static const char *expand(const char *text, const struct names *names, struct buffer *out)
{
    if (!text)
        return NULL;
    buffer_clear(out);
    while (*text) {
        size_t used = *text == '{' ? expand_name(text, names, out) : 0;
        if (used == 0 && *text == '{')
            used = expand_repeat(text, out);
        if (used == 0) {
            buffer_append_char(out, *text);
            used = 1;
        }
        text += used;
    }
    return out->data ? out->data : "";
}

static void check_body(const char *row, const char *what, const char *wanted, const char *got)
{
    size_t length = strlen(wanted);
    if (length < 3 || strcmp(wanted + length - 3, "...") != 0)
        CHECK_TEXT(row, what, wanted, got);
    else
        CHECK(strncmp(got, wanted, length - 3) == 0, row, "%s: wanted %s\n        got %.600s",
              what, wanted, got);
}

static void check_headers(const char *row, const char *wanted,
                          const struct client_response *response)
{
    while (wanted && *wanted) {
        char name[64];
        char value[512];
        size_t line = strcspn(wanted, "\n");
        size_t colon = strcspn(wanted, ":");
        size_t blanks = strspn(wanted + colon + 1, " ");
        snprintf(name, sizeof name, "%.*s", (int)colon, wanted);
        snprintf(value, sizeof value, "%.*s", (int)(line - colon - 1 - blanks),
                 wanted + colon + 1 + blanks);
        CHECK_TEXT(row, name, value[0] ? value : NULL, client_header(response, name));
        wanted += line + (wanted[line] == '\n');
    }
}

static void check_after(const struct server *server, const struct exchange *row,
                        const struct names *names)
{
    struct client_response list = {0};
    struct buffer wanted = {0};
    get(server, "/todos", &list);
    check_body(row->name, "list afterwards", expand(row->after, names, &wanted),
               client_body(&list));
    buffer_release(&wanted);
    client_response_release(&list);
}

static void ask_tag(const struct server *server, const char *path, char *tag, size_t size)
{
    struct client_response response = {0};
    get(server, path, &response);
    const char *etag = client_header(&response, "ETag");
    CHECK(etag && *etag == '"', path, "ETag is %s", etag ? etag : "missing");
    snprintf(tag, size, "%s", etag ? etag + 1 : "");
    tag[strcspn(tag, "\"")] = '\0';
    client_response_release(&response);
}

static void ask_tags(const struct server *server, const struct exchange *row,
                     struct names *names)
{
    char path[32];
    bool in_request = row->request.headers && strstr(row->request.headers, "{tag");
    if (!in_request && !(row->headers && strstr(row->headers, "{tag")))
        return;
    snprintf(path, sizeof path, "/todos/%u", names->id);
    ask_tag(server, path, names->tag, sizeof names->tag);
    ask_tag(server, "/todos", names->tags, sizeof names->tags);
}

static void run_row(const struct server *server, const struct exchange *row,
                    struct names *names)
{
    struct buffer texts[4] = {{0}};
    struct client_response response = {0};
    struct client_request request = row->request;
    ask_tags(server, row, names);
    request.path = expand(row->request.path, names, &texts[0]);
    request.headers = expand(row->request.headers, names, &texts[1]);
    if (request.size == 0)
        request.body = expand(row->request.body, names, &texts[2]);
    client_ask(server->port, &request, &response);
    const char *location = client_header(&response, "Location");
    names->created = location ? id_of_url(location) : 0;
    CHECK(response.status == row->status, row->name, "status: wanted %d, got %d %.300s",
          row->status, response.status, client_body(&response));
    if (row->body)
        check_body(row->name, "body", expand(row->body, names, &texts[3]),
                   client_body(&response));
    if (row->headers)
        check_headers(row->name, expand(row->headers, names, &texts[3]), &response);
    if (row->after)
        check_after(server, row, names);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buffer_release(&texts[i]);
    client_response_release(&response);
}

void exchange_run(const struct server *server, const struct exchange *rows, size_t count)
{
    struct names names = {.port = server->port};
    names.gone = create_todo(server, "{}");
    for (size_t i = 0; i < count; i++) {
        clear_todos(server);
        names.id = create_todo(server, "{\"title\":\"alpha\",\"order\":1}");
        run_row(server, &rows[i], &names);
    }
}
