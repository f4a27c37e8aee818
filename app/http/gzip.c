#include "http/gzip.h"

#include "http/negotiate.h"
#include "http/response.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

/* Of 1 to 9. Of a list of 2,000 todos: 3 leaves 12 % of the bytes in 1.4 ms, 1 leaves 13 % in
 * 1.2, 6 leaves 10 % in 3.6. */
#define LEVEL 3

#define WINDOW_BITS_MIN 9 /* zlib's manual, deflateInit2 */
#define WINDOW_BITS_MAX 15
#define GZIP_FORM       16

enum http_gzip http_gzip_negotiate(const char *accept_encoding)
{
    unsigned gzip, identity;

    if (!accept_encoding)
        return HTTP_GZIP_UNASKED;
    gzip = http_negotiate_coding(accept_encoding, "gzip");
    identity = http_negotiate_coding(accept_encoding, "identity");
    if (gzip == 0 || gzip < identity)
        return HTTP_GZIP_REFUSED;
    return identity == 0 ? HTTP_GZIP_ALWAYS : HTTP_GZIP_LARGE;
}

/* No more memory than the body needs: for 1 kB, zlib's usual 256 kB cost forty times the work.
 */
static bool start(z_stream *stream, size_t size)
{
    int bits = WINDOW_BITS_MIN;

    while (bits < WINDOW_BITS_MAX && (size_t)1 << bits < size)
        bits++;
    return deflateInit2(stream, LEVEL, Z_DEFLATED, GZIP_FORM + bits, bits - 7,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

/* The result grows by its needs: what it might need at most is more than the body. */
static bool compress_into(struct buffer *out, const struct buffer *body)
{
    const size_t step = body->size / 8 + 128;
    z_stream stream = {0};
    int result = Z_OK;

    if (body->size > UINT_MAX || !start(&stream, body->size))
        return false;
    stream.next_in = (unsigned char *)body->data;
    stream.avail_in = (unsigned)body->size;
    while (result == Z_OK && buffer_reserve(out, step)) {
        stream.next_out = (unsigned char *)out->data + out->size;
        stream.avail_out = (unsigned)step;
        result = deflate(&stream, Z_FINISH);
        out->size = stream.total_out;
        out->data[out->size] = '\0';
    }
    deflateEnd(&stream);
    return result == Z_STREAM_END;
}

void http_gzip_vary(struct http_response *response)
{
    response->has_codings = true;
    for (size_t i = 0; i < response->header_count; i++)
        if (strcmp(response->headers[i].name, "Vary") == 0)
            response->headers[i].value = "Accept, Accept-Encoding, Origin";
}

void http_gzip_body(struct http_response *response)
{
    enum http_gzip wish = response->request->gzip;
    struct buffer *body = &response->body;
    struct buffer out = {0};

    if (body->failed || body->size == 0 || wish == HTTP_GZIP_UNASKED ||
        (body->size < HTTP_GZIP_SIZE_MIN && wish != HTTP_GZIP_ALWAYS))
        return;
    http_gzip_vary(response);
    if (wish == HTTP_GZIP_REFUSED)
        return;
    response->is_gzipped = compress_into(&out, body);
    buffer_release(response->is_gzipped ? body : &out);
    if (response->is_gzipped) {
        *body = out;
        http_response_add_header(response, "Content-Encoding", "gzip");
    }
}
