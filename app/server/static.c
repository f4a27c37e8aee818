#include "server/static.h"

#include "http/etag.h"
#include "server/dispatch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE      128
#define FILE_SIZE_MAX  (16 * 1024 * 1024)
#define SERVICE_WORKER "sw.js" /* stands for all paths, not only for those beside it */
#define VARY           "Accept-Encoding, Origin"
#define VARY_OF_A_PAGE "Accept, Accept-Encoding, Origin"

static const struct {
    const char *extension;
    const char *type;
} types[] = {
    {".css",         "text/css; charset=utf-8"       },
    {".html",        "text/html; charset=utf-8"      },
    {".ico",         "image/x-icon"                  },
    {".js",          "text/javascript; charset=utf-8"},
    {".json",        "application/json"              },
    {".png",         "image/png"                     },
    {".svg",         "image/svg+xml"                 },
    {".txt",         "text/plain; charset=utf-8"     },
    {".webmanifest", "application/manifest+json"     },
};

static const char *const codings[HTTP_CODING_COUNT] = {
    [HTTP_IDENTITY] = "identity",
    [HTTP_GZIP] = "gzip",
    [HTTP_BROTLI] = "br",
};

/* A file as it is about to be sent. */
struct content {
    enum http_coding coding;
    char etag[80];
    struct buffer bytes; /* or, of what is in the program, */
    const struct http_static_variant *variant;
    bool failed; /* it may be there */
};

bool http_static_open(struct http_static *files, const char *root, struct error *err)
{
    files->folder = -1;
    if (!*root)
        return true;
    files->folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return files->folder >= 0 ||
           error_set(err, ERROR_CONFIG, "STATIC_ROOT: cannot open the folder %s: %s", root,
                     strerror(errno));
}

void http_static_close(struct http_static *files)
{
    if (files->folder >= 0)
        close(files->folder);
    files->folder = -1;
}

static const char *type_of(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t size = strlen(types[i].extension);
        if (length > size && strcmp(name + length - size, types[i].extension) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* ---- finding the content ---- */

/* The variant that the client likes best; of equals, the smallest. */
static enum http_coding choose_coding(const struct http_static_file *file, const char *accepted)
{
    enum http_coding best = HTTP_IDENTITY;
    unsigned best_q = http_negotiate_coding(accepted, codings[HTTP_IDENTITY]);

    for (enum http_coding i = HTTP_GZIP; i < HTTP_CODING_COUNT; i++) {
        unsigned q = file->variants[i].etag ? http_negotiate_coding(accepted, codings[i]) : 0;
        if (q == 0 || q < best_q)
            continue;
        best = i;
        best_q = q;
    }
    return best;
}

static bool find_embedded(const char *name, const char *accepted, struct content *content)
{
    for (size_t i = 0; i < http_static_file_count; i++) {
        const struct http_static_file *file = &http_static_files[i];
        if (strcmp(file->name, name) != 0)
            continue;
        content->coding = choose_coding(file, accepted);
        content->variant = &file->variants[content->coding];
        snprintf(content->etag, sizeof(content->etag), "%s", content->variant->etag);
        return true;
    }
    return false;
}

/* False for what is no file for others; what the system can't read has failed. */
static bool read_file(int file, struct content *content)
{
    struct stat status;
    ssize_t count = 1;

    content->failed = fstat(file, &status) != 0;
    if (content->failed || !S_ISREG(status.st_mode) || status.st_size > FILE_SIZE_MAX)
        return false;
    content->failed = !buffer_reserve(&content->bytes, (size_t)status.st_size);
    if (content->failed)
        return false;
    snprintf(content->etag, sizeof(content->etag), "\"%jx-%jx-%jx.%lx\"",
             (uintmax_t)status.st_ino, (uintmax_t)status.st_size,
             (uintmax_t)status.st_mtim.tv_sec, (unsigned long)status.st_mtim.tv_nsec);
    while (count > 0 && content->bytes.size < (size_t)status.st_size) {
        char part[4096];
        size_t rest = (size_t)status.st_size - content->bytes.size;
        count = read(file, part, rest < sizeof(part) ? rest : sizeof(part));
        if (count > 0)
            buffer_append(&content->bytes, part, (size_t)count);
    }
    content->failed = count < 0;
    return count >= 0;
}

/* O_NONBLOCK: a pipe must not hold the thread. */
static bool find_in_folder(int folder, const char *name, struct content *content)
{
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool found = false;

    if (file < 0) {
        content->failed = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO;
    } else {
        found = read_file(file, content);
        close(file);
    }
    return found;
}

static bool is_file_name(const char *name, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";

    for (size_t i = 0; i < length; i++)
        if (!memchr(allowed, name[i], sizeof(allowed) - 1))
            return false;
    return length > 0 && length < NAME_SIZE && *name != '.';
}

/* ---- answering ---- */

static void respond_content(struct http_exchange *exchange, const struct http_match *match,
                            const char *name, struct content *content)
{
    const struct http_request *request = http_exchange_request(exchange);
    const char *type = type_of(name);
    bool known = http_etags_name(request->headers[HTTP_HEADER_IF_NONE_MATCH], content->etag,
                                 HTTP_ETAG_WEAK);
    struct http_response response;

    http_response_start(&response, request, known ? 304 : 200);
    http_response_add_header(&response, "Allow", match->representation.route->allow);
    http_response_add_header(&response, "Vary",
                             match->representation.route->formats ? VARY_OF_A_PAGE : VARY);
    http_response_add_header(&response, "ETag", content->etag);
    http_response_add_header(&response, "Cache-Control", "no-cache");
    if (strncmp(type, "text/html", 9) == 0)
        http_response_add_page_headers(&response, type);
    else
        http_response_add_header(&response, "Content-Type", type);
    if (strcmp(name, SERVICE_WORKER) == 0)
        http_response_add_header(&response, "Service-Worker-Allowed", "/");
    if (content->coding != HTTP_IDENTITY)
        http_response_add_header(&response, "Content-Encoding", codings[content->coding]);
    if (known) {
        response.left_out = content->variant ? content->variant->size : content->bytes.size;
    } else if (content->variant) {
        response.constant = content->variant->bytes;
        response.constant_size = content->variant->size;
    } else {
        response.body = content->bytes;
        content->bytes = (struct buffer){0};
    }
    http_exchange_respond(exchange, &response);
}

void http_static_respond(const struct http_static *files, struct http_exchange *exchange,
                         const struct http_match *match, const char *name, size_t length)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct content content = {0};
    char text[NAME_SIZE] = "";
    bool found = false;

    if (is_file_name(name, length)) {
        memcpy(text, name, length);
        if (files->folder >= 0)
            found = find_in_folder(files->folder, text, &content);
        else
            found =
                find_embedded(text, request->headers[HTTP_HEADER_ACCEPT_ENCODING], &content);
    }
    if (found)
        respond_content(exchange, match, text, &content);
    else if (content.failed)
        http_respond_detail(exchange, &match->representation, 500, "The file can't be read.");
    else
        http_respond_unknown_path(exchange);
    buffer_release(&content.bytes);
}
