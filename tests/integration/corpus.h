#ifndef CORPUS_H
#define CORPUS_H

/*
 * Requests as raw bytes, honest and hostile ones, each with the one answer that it gets. Sent
 * to the server itself (test_wire.c) and through proxies (test_proxies.c).
 */

#include <stdbool.h>
#include <stddef.h>

struct raw_request {
    const char *name;
    const char *bytes;
    size_t size;
    const char *answers;     /* statuses, a blank before each: " 200 201"; " ": none */
    const char *answers_0_9; /* with libmicrohttpd 0.9, if it can't be the same; else NULL */
    bool stays_open;         /* the connection, for one more request; false: it is closed */
    bool is_cut;             /* the client leaves at its end, without an answer */
    int todos;               /* how many there are afterwards; there was one before */
    int todos_0_9;           /* with answers_0_9 */
};

#define HOST "Host: a.example\r\n"

/* What a smuggler would like to be carried out: all todos would be gone. */
#define CLEAR "DELETE /todos HTTP/1.1\r\n" HOST "\r\n"

#define RAW_REQUEST(row_name, literal, statuses, count, ...)                                   \
    {                                                                                          \
        .name = (row_name), .bytes = (literal), .size = sizeof(literal) - 1,                   \
        .answers = " " statuses, .todos = (count), __VA_ARGS__                                 \
    }

extern const struct raw_request corpus[];
extern const size_t corpus_size;

#endif
