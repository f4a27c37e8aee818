#include "gunzip.h"

#include "check.h"

#include <zlib.h>

#define WRAPPING 16 /* gzip's, by zlib's manual, inflateInit2 */
#define STEP     65536

bool gunzip(const char *row, struct buffer *body)
{
    z_stream stream = {.next_in = (unsigned char *)body->data,
                       .avail_in = (unsigned)body->size};
    struct buffer plain = {0};
    int result = inflateInit2(&stream, WRAPPING + MAX_WBITS);

    while (result == Z_OK && buffer_reserve(&plain, STEP)) {
        stream.next_out = (unsigned char *)plain.data + plain.size;
        stream.avail_out = STEP;
        result = inflate(&stream, Z_NO_FLUSH);
        plain.size = stream.total_out;
        plain.data[plain.size] = '\0';
    }
    inflateEnd(&stream);
    buffer_release(body);
    *body = plain;
    return CHECK(result == Z_STREAM_END && stream.avail_in == 0, row, "no gzip: %d", result);
}
