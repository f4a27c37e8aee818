#include "base/pem.h"

#include <stdint.h>
#include <string.h>

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char end[] = "-----END CERTIFICATE-----";

enum {
    HEAD_DIGITS = 8, /* six bytes: the sequence's tag and length are at most five */
    SEQUENCE = 0x30,
    LONG_LENGTH = 0x80,
};

/* The base64 of a certificate, as far as it was read. */
struct content {
    size_t digits;
    size_t padding;
    uint64_t head; /* the first digits' bits */
    bool is_damaged;
};

static void take_digit(struct content *content, char byte)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = strchr(alphabet, byte);

    if (byte == '=') {
        content->padding++;
    } else if (!digit || content->padding > 0) {
        content->is_damaged = true;
    } else {
        if (content->digits < HEAD_DIGITS)
            content->head = content->head << 6 | (uint64_t)(digit - alphabet);
        content->digits++;
    }
}

/* How many bytes a sequence takes that begins like this (X.690, 8.1.3); 0: it is none, or too
 * short for a certificate. */
static size_t sequence_size(uint64_t head)
{
    unsigned tag = (unsigned)(head >> 40 & 0xff);
    unsigned length_of_length = (unsigned)(head >> 32 & 0xff) - LONG_LENGTH;

    if (tag != SEQUENCE || length_of_length < 1 || length_of_length > 3)
        return 0;
    return 2 + length_of_length + (size_t)((head & 0xffffffff) >> (8 * (4 - length_of_length)));
}

static bool is_certificate(const struct content *content)
{
    return !content->is_damaged && content->digits >= HEAD_DIGITS && content->padding <= 2 &&
           (content->digits + content->padding) % 4 == 0 &&
           content->digits * 6 / 8 == sequence_size(content->head);
}

static bool is_line(const char *line, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(line, wanted, length) == 0;
}

bool pem_is_text(const char *text)
{
    text += strspn(text, " \t\r\n");
    return strncmp(text, begin, strlen("-----BEGIN ")) == 0;
}

size_t pem_count_certificates(const char *text)
{
    struct content content = {0};
    bool is_open = false;
    size_t count = 0;

    for (size_t size; *text; text += size + (text[size] == '\n')) {
        size_t length = size = strcspn(text, "\n");
        while (length > 0 && strchr(" \t\r", text[length - 1]))
            length--;
        if (!is_open) {
            is_open = is_line(text, length, begin);
            content = (struct content){0};
        } else if (is_line(text, length, end)) {
            if (!is_certificate(&content))
                return 0;
            is_open = false;
            count++;
        } else {
            for (size_t i = 0; i < length; i++)
                take_digit(&content, text[i]);
        }
    }
    return is_open ? 0 : count;
}
