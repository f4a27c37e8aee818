#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

bool buffer_reserve(struct buffer *buffer, size_t size)
{
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    char *data;

    if (buffer->failed)
        return false;
    if (size < buffer->capacity - buffer->size)
        return true;
    if (size >= SIZE_MAX / 2 - buffer->size) {
        buffer->failed = true;
        return false;
    }
    while (capacity <= buffer->size + size)
        capacity *= 2;
    data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return;
    if (size > 0)
        memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_append_unsigned(struct buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t start = sizeof(digits);

    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_append(buffer, digits + start, sizeof(digits) - start);
}

void buffer_append_signed(struct buffer *buffer, int64_t number)
{
    if (number < 0)
        buffer_append_char(buffer, '-');
    /* negated as unsigned: the smallest number has no positive twin */
    buffer_append_unsigned(buffer, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !buffer_reserve(buffer, (size_t)length)) {
        buffer->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

/* Length of the sequence at `bytes` that JSON output escapes, 0 for none. U+2028 and U+2029 are
 * E2 80 A8 and E2 80 A9 in UTF-8. */
static size_t json_escape_length(const char *bytes, size_t size)
{
    unsigned char byte = (unsigned char)bytes[0];

    if (byte < 0x20 || byte == '"' || byte == '\\')
        return 1;
    if (byte == 0xe2 && size >= 3 && (unsigned char)bytes[1] == 0x80 &&
        ((unsigned char)bytes[2] | 1) == 0xa9)
        return 3;
    return 0;
}

static void append_json_escape(struct buffer *buffer, const char *bytes, size_t length)
{
    static const char *const names = "\"\"\\\\\bb\tt\nn\ff\rr";
    unsigned char byte = (unsigned char)bytes[0];

    if (length == 3) {
        buffer_append_text(buffer, (unsigned char)bytes[2] == 0xa8 ? "\\u2028" : "\\u2029");
        return;
    }
    for (const char *name = names; *name; name += 2) {
        if (*name == (char)byte) {
            buffer_append_char(buffer, '\\');
            buffer_append_char(buffer, name[1]);
            return;
        }
    }
    buffer_append_format(buffer, "\\u%04x", byte);
}

void buffer_append_json(struct buffer *buffer, const char *bytes, size_t size)
{
    size_t start = 0;

    buffer_append_char(buffer, '"');
    for (size_t i = 0; i < size;) {
        size_t length = json_escape_length(bytes + i, size - i);
        if (length == 0) {
            i++;
            continue;
        }
        buffer_append(buffer, bytes + start, i - start);
        append_json_escape(buffer, bytes + i, length);
        i += length;
        start = i;
    }
    if (start < size)
        buffer_append(buffer, bytes + start, size - start);
    buffer_append_char(buffer, '"');
}

static const char *html_entity(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void buffer_append_html(struct buffer *buffer, const char *bytes, size_t size)
{
    size_t start = 0;

    for (size_t i = 0; i < size; i++) {
        const char *entity = html_entity(bytes[i]);
        if (!entity)
            continue;
        buffer_append(buffer, bytes + start, i - start);
        buffer_append_text(buffer, entity);
        start = i + 1;
    }
    if (size > start)
        buffer_append(buffer, bytes + start, size - start);
}
