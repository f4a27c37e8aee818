#ifndef EXCHANGE_H
#define EXCHANGE_H

/*
 * One request and the answer it must get, as a row of a table. Each row starts from a list of
 * one todo, {"title":"alpha","order":1}.
 *
 * In paths, headers, bodies and wanted texts these are replaced:
 *     {host}     127.0.0.1 and the server's port
 *     {id}       the todo's id
 *     {gone}     the id of a todo that was deleted
 *     {new}      the id of the todo that this row created (in wanted texts)
 *     {tag}      the todo's ETag without its quotes, before the row's request, and
 *     {tags}     that of the list
 *     {TEXT*N}   TEXT, N times
 */

#include "server.h"

struct exchange {
    const char *name;
    struct client_request request;
    int status;
    const char
        *body; /* wanted body, byte for byte; ending in "...": how it begins; NULL: any */
    const char
        *headers; /* wanted header lines "Name: value\n"; "Name:\n": not there; NULL: any */
    const char *after; /* the list afterwards, as `body`; NULL: any */
};

/* A row of such a table, its members in their order. */
#define ROW(...)                                                                               \
    {                                                                                          \
        __VA_ARGS__                                                                            \
    }

/* Requests. `lines` are header lines, each ended by \r\n; `media` is the Content-Type. */
#define GET(target)                                                                            \
    {                                                                                          \
        .path = target                                                                         \
    }
#define ASK(verb, target)                                                                      \
    {                                                                                          \
        .method = verb, .path = target                                                         \
    }
#define WITH(target, lines)                                                                    \
    {                                                                                          \
        .path = target, .headers = lines                                                       \
    }
#define ACCEPT(target, types)                                                                  \
    {                                                                                          \
        .path = target, .headers = "Accept: " types "\r\n"                                     \
    }
#define ASK_WITH(verb, target, lines)                                                          \
    {                                                                                          \
        .method = verb, .path = target, .headers = lines                                       \
    }
#define SEND(verb, target, lines, media, text)                                                 \
    {                                                                                          \
        .method = verb, .path = target, .headers = lines, .type = media, .body = text          \
    }
#define JSON(verb, target, text) SEND(verb, target, NULL, "application/json", text)
#define BYTES(verb, target, media, literal)                                                    \
    {                                                                                          \
        .method = verb, .path = target, .type = media, .body = literal,                        \
        .size = sizeof(literal) - 1                                                            \
    }

/* Answers. `title`, `completed` and `order` are JSON texts. */
#define TODO(id, title, completed, order)                                                      \
    "{\"url\":\"http://{host}/todos/" id "\",\"title\":" title ",\"completed\":" completed     \
    ",\"order\":" order "}"
#define ALPHA               TODO("{id}", "\"alpha\"", "false", "1")
#define LIST                "[" ALPHA "]" /* what each row starts from */
#define NOT_FOUND           "{\"detail\":\"Not found.\"}"
#define NOT_ACCEPTABLE      "{\"detail\":\"Could not satisfy the request Accept header.\"}"
#define NOT_ALLOWED(method) "{\"detail\":\"Method \\\"" method "\\\" not allowed.\"}"

/* A problem (RFC 9457) for who asks for it: how it begins, up to the end of a path. */
#define PROBLEM "Accept: application/problem+json, */*;q=0.1\r\n"
#define SAYS(title, status)                                                                    \
    "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" status                     \
    ",\"instance\":\"/todos"

#define UNSUPPORTED(type) "{\"detail\":\"Unsupported media type \\\"" type "\\\" in request.\"}"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void exchange_run(const struct server *server, const struct exchange *rows, size_t count);

#endif
