#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first bytes of longer characters, and what the second byte may be after them: this keeps
 * out overlong forms, surrogates and everything above U+10FFFF. */
static const struct {
    unsigned char first, last, low, high, more;
} leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 1},
    {0xe0, 0xe0, 0xa0, 0xbf, 2},
    {0xe1, 0xec, 0x80, 0xbf, 2},
    {0xed, 0xed, 0x80, 0x9f, 2},
    {0xee, 0xef, 0x80, 0xbf, 2},
    {0xf0, 0xf0, 0x90, 0xbf, 3},
    {0xf1, 0xf3, 0x80, 0xbf, 3},
    {0xf4, 0xf4, 0x80, 0x8f, 3},
};

static const struct {
    uint32_t first, last;
} spaces[] = {
    {0x09,   0x0d  },
    {0x1c,   0x20  },
    {0x85,   0x85  },
    {0xa0,   0xa0  },
    {0x1680, 0x1680},
    {0x2000, 0x200a},
    {0x2028, 0x2029},
    {0x202f, 0x202f},
    {0x205f, 0x205f},
    {0x3000, 0x3000},
};

/* How many bytes follow a first byte, and the bounds of the second one; 0 for a bad one. */
static size_t find_lead(unsigned char byte, unsigned char *low, unsigned char *high)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (byte < leads[i].first || byte > leads[i].last)
            continue;
        *low = leads[i].low;
        *high = leads[i].high;
        return leads[i].more;
    }
    return 0;
}

size_t text_point(const char *text, size_t size, uint32_t *point)
{
    unsigned char byte = (unsigned char)text[0];
    unsigned char low;
    unsigned char high;
    size_t more;
    uint32_t value;

    *point = byte;
    if (byte < 0x80)
        return 1;
    *point = TEXT_BAD_POINT;
    more = find_lead(byte, &low, &high);
    if (more == 0)
        return 1;
    value = byte & (0x3fU >> more);
    for (size_t i = 1; i <= more; i++) {
        if (i == size)
            return i;
        byte = (unsigned char)text[i];
        if (byte < low || byte > high)
            return i;
        value = value << 6 | (byte & 0x3fU);
        low = 0x80;
        high = 0xbf;
    }
    *point = value;
    return more + 1;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Where the last character begins; `size` > 0. */
static size_t last_start(const char *text, size_t size)
{
    size_t start = size - 1;

    while (start > 0 && size - start < 4 && is_continuation(text[start]))
        start--;
    return start;
}

size_t text_whole(const char *text, size_t size)
{
    unsigned char low;
    unsigned char high;
    uint32_t point;
    size_t start;

    if (size == 0)
        return 0;
    start = last_start(text, size);
    if (text_point(text + start, size - start, &point) != size - start ||
        point != TEXT_BAD_POINT)
        return size;
    return find_lead((unsigned char)text[start], &low, &high) > 0 ? start : size;
}

size_t text_count(const char *text, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += !is_continuation(text[i]);
    return count;
}

static bool is_space(uint32_t point)
{
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (point >= spaces[i].first && point <= spaces[i].last)
            return true;
    }
    return false;
}

void text_trim(const char **text, size_t *size)
{
    uint32_t point;

    while (*size > 0) {
        size_t length = text_point(*text, *size, &point);

        if (!is_space(point))
            break;
        *text += length;
        *size -= length;
    }
    while (*size > 0) {
        size_t start = last_start(*text, *size);

        (void)text_point(*text + start, *size - start, &point);
        if (!is_space(point))
            break;
        *size = start;
    }
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

void text_trim_blanks(const char **text, size_t *size)
{
    while (*size > 0 && is_blank(**text)) {
        (*text)++;
        (*size)--;
    }
    while (*size > 0 && is_blank((*text)[*size - 1]))
        (*size)--;
}

size_t text_host_length(const char *text)
{
    size_t first;
    size_t rest;

    if (*text != '[')
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
    first = 1 + strspn(text + 1, "abcdefABCDEF0123456789");
    if (text[first] != ':')
        return 0;
    rest = strspn(text + first + 1, "abcdefABCDEF0123456789:.");
    return rest > 0 && text[first + 1 + rest] == ']' ? first + rest + 2 : 0;
}

size_t text_append(struct buffer *buffer, const char *text, size_t size)
{
    size_t replaced = 0;
    size_t good = 0; /* start of the good bytes not yet appended */
    size_t i = 0;

    while (i < size) {
        uint32_t point;
        size_t length = text_point(text + i, size - i, &point);

        if (point == TEXT_BAD_POINT) {
            buffer_append(buffer, text + good, i - good);
            buffer_append_text(buffer, TEXT_REPLACEMENT);
            good = i + length;
            replaced++;
        }
        i += length;
    }
    if (size > good)
        buffer_append(buffer, text + good, size - good);
    return replaced;
}

/* Writes the shortest digits that read back as `number`, as d.ddde+dd. */
static void write_shortest(double number, char *text, size_t size)
{
    for (int precision = 0; precision < 17; precision++) {
        char *last;

        (void)snprintf(text, size, "%.*e", precision, number);
        if (strtod(text, NULL) == number)
            return;
        /* Above a power of two numbers are sparser than below: there the next digits up may
         * read back when the nearest ones do not. */
        last = text + strcspn(text, "e") - 1;
        if (*last >= '0' && *last < '9') {
            (*last)++;
            if (strtod(text, NULL) == number)
                return;
        }
    }
}

/* The significant digits without trailing zeros; returns the exponent of the first one. Reads
 * around the decimal point, whatever the locale makes of it. */
static int find_digits(double number, char digits[18])
{
    char text[40];
    size_t count = 0;
    const char *cursor;

    write_shortest(number, text, sizeof(text));
    for (cursor = text; *cursor != 'e'; cursor++) {
        if (*cursor >= '0' && *cursor <= '9' && count < 17)
            digits[count++] = *cursor;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return (int)strtol(cursor + 1, NULL, 10);
}

static void append_zeros(struct buffer *buffer, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_char(buffer, '0');
}

void text_append_double(struct buffer *buffer, double number)
{
    char digits[18];
    int count;
    int exponent;

    if (!isfinite(number)) {
        buffer_append_format(buffer, "%f", number);
        return;
    }
    exponent = find_digits(fabs(number), digits);
    count = (int)strlen(digits);
    if (signbit(number))
        buffer_append_char(buffer, '-');
    if (exponent < -4 || exponent >= 16) {
        buffer_append_format(buffer, "%c%s%se%+03d", digits[0], count > 1 ? "." : "",
                             digits + 1, exponent);
    } else if (exponent < 0) {
        buffer_append_text(buffer, "0.");
        append_zeros(buffer, -exponent - 1);
        buffer_append_text(buffer, digits);
    } else if (exponent + 1 >= count) {
        buffer_append_text(buffer, digits);
        append_zeros(buffer, exponent + 1 - count);
        buffer_append_text(buffer, ".0");
    } else {
        buffer_append_format(buffer, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
    }
}

const char *text_list_item(const char *list, size_t *length)
{
    static const char separators[] = ", \t";
    const char *item = list + strspn(list, separators);

    *length = strcspn(item, separators);
    return item;
}

void text_write_hex(char *text, uint64_t number, size_t digits)
{
    static const char names[] = "0123456789abcdef";

    while (digits > 0) {
        text[--digits] = names[number & 15];
        number >>= 4;
    }
}

int64_t text_read_number(const char *text, size_t length)
{
    int64_t number = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text[i] - '0', &number))
            return 0;
    }
    return number;
}
