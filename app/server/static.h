#ifndef SERVER_STATIC_H
#define SERVER_STATIC_H

/*
 * The web page's files: those that the build put into the program (app/server/embed_static.sh),
 * each also compressed, or, while one works on them, those of a folder. The folder is flat and
 * there is no way out of it: a name is letters, digits, `.`, `-` and `_`, doesn't begin with a
 * dot, and no link is followed. Every file has a strong ETag and is asked for again each time.
 */

#include "base/error.h"
#include "server/dispatch.h"

#include <stdbool.h>
#include <stddef.h>

enum http_coding {
    HTTP_IDENTITY,
    HTTP_GZIP,
    HTTP_BROTLI,
    HTTP_CODING_COUNT,
};

struct http_static_variant {
    const unsigned char *bytes;
    size_t size;
    const char *etag; /* with its quotes; NULL: there is no such variant */
};

struct http_static_file {
    const char *name;
    struct http_static_variant variants[HTTP_CODING_COUNT];
};

/* What the build embedded. */
extern const struct http_static_file http_static_files[];
extern const size_t http_static_file_count;

struct http_static {
    int folder; /* -1: the embedded files */
};

/* `root` is the folder, "" for the embedded files. */
bool http_static_open(struct http_static *files, const char *root, struct error *err);
void http_static_close(struct http_static *files);

/* Answers a GET or HEAD with the file of this name, or with 404. */
void http_static_respond(const struct http_static *files, struct http_exchange *exchange,
                         const struct http_match *match, const char *name, size_t length);

#endif
