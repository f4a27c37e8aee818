#include "http/json_text.h"

size_t json_text_string_end(const char *text, size_t size, size_t start)
{
    for (size_t i = start + 1; i < size; i++) {
        if (text[i] == '"')
            return i + 1;
        if (text[i] == '\\')
            i++;
    }
    return size;
}

static void append_line(struct buffer *out, unsigned depth, unsigned indent)
{
    static const char blanks[] = "                                ";
    size_t rest = (size_t)depth * indent;

    buffer_append_char(out, '\n');
    for (size_t part; rest > 0; rest -= part) {
        part = rest < sizeof(blanks) - 1 ? rest : sizeof(blanks) - 1;
        buffer_append(out, blanks, part);
    }
}

void json_text_append_indented(struct buffer *out, const char *json, size_t size,
                               unsigned indent)
{
    unsigned depth = 0;

    for (size_t i = 0; i < size; i++) {
        char byte = json[i];
        bool opens = byte == '{' || byte == '[';
        if (byte == '"') {
            size_t end = json_text_string_end(json, size, i);
            buffer_append(out, json + i, end - i);
            i = end - 1;
        } else if (opens && i + 1 < size && (json[i + 1] == '}' || json[i + 1] == ']')) {
            buffer_append(out, json + i++, 2);
        } else if (opens) {
            buffer_append_char(out, byte);
            append_line(out, ++depth, indent);
        } else if (byte == '}' || byte == ']') {
            append_line(out, --depth, indent);
            buffer_append_char(out, byte);
        } else if (byte == ',') {
            buffer_append_char(out, byte);
            append_line(out, depth, indent);
        } else {
            buffer_append_char(out, byte);
            if (byte == ':')
                buffer_append_char(out, ' ');
        }
    }
}
