/* Accept and Accept-Encoding. Input: a line of the format asked for, a line of the header. */

#include "fuzz.h"
#include "http/negotiate.h"

#include <ctype.h>
#include <stdio.h>

static bool is_same(const struct http_format *one, const struct http_format *other)
{
    return one->media == other->media && one->indent == other->indent;
}

/* The header in capitals, and with white space around it, means the same. */
static char *disguise(const char *header)
{
    char *text = malloc(strlen(header) + 3);

    assert(text);
    sprintf(text, " %s\t", header);
    for (char *byte = text; *byte; byte++)
        *byte = (char)toupper((unsigned char)*byte);
    return text;
}

static void check_media(const char *name, const char *accept, const char *disguised)
{
    struct http_format format;
    struct http_format same;
    enum http_negotiation result = http_negotiate(name, accept, &format);
    bool is_known = !*name || strcmp(name, "json") == 0 || strcmp(name, "api") == 0;

    assert(is_known == (result != HTTP_UNKNOWN_FORMAT));
    assert(format.media <= HTTP_HTML && format.indent <= 8);
    assert(result == HTTP_NEGOTIATED || (format.media == HTTP_JSON && format.indent == 0));
    assert(http_negotiate(name, disguised, &same) == result && is_same(&format, &same));
    /* without a header anything will do, and a name that is known is given */
    if (is_known && *name) {
        assert(http_negotiate(name, NULL, &same) == HTTP_NEGOTIATED);
        assert(result != HTTP_NEGOTIATED || same.media == format.media);
    }
}

static void check_coding(const char *header, const char *disguised, const char *coding)
{
    unsigned q = http_negotiate_coding(header, coding);

    assert(q <= 1000);
    assert(http_negotiate_coding(disguised, coding) == q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *name = fuzz_line(&input);
    char *header = fuzz_line(&input);
    char *disguised = disguise(header);

    check_media(name, header, disguised);
    check_coding(header, disguised, "gzip");
    check_coding(header, disguised, "identity");
    free(disguised);
    free(header);
    free(name);
    return 0;
}
