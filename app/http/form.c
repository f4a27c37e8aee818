#include "http/form.h"

#include "base/charset.h"
#include "base/text.h"
#include "http/request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 201 /* bytes, as in the original; RFC 2046 says 70 */

/* A piece of the body or of a header. */
struct slice {
    const char *start;
    size_t length;
};

/* A form while it is read. */
struct reader {
    struct form *form;
    struct charset_converter charset;
    struct buffer scratch; /* a value before it is converted from its charset */
    size_t capacity;       /* of form->fields */
};

static struct slice trim(struct slice text)
{
    text_trim_blanks(&text.start, &text.length);
    return text;
}

static bool equals(struct slice text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.start, word, text.length) == 0;
}

/* Cuts *rest behind the first `separator` and returns what was before it; without a separator
 * that is everything. */
static struct slice cut(struct slice *rest, char separator)
{
    struct slice piece = *rest;
    const char *end = rest->length > 0 ? memchr(rest->start, separator, rest->length) : NULL;

    if (!end) {
        *rest = (struct slice){rest->start + rest->length, 0};
        return piece;
    }
    piece.length = (size_t)(end - rest->start);
    rest->start = end + 1;
    rest->length -= piece.length + 1;
    return piece;
}

/* The same at a `;` outside of quotes. */
static struct slice cut_parameter(struct slice *rest)
{
    struct slice piece = {rest->start, 0};
    bool is_quoted = false;

    for (; piece.length < rest->length; piece.length++) {
        char byte = rest->start[piece.length];

        if (byte == '"')
            is_quoted = !is_quoted;
        else if (byte == '\\' && is_quoted && piece.length + 1 < rest->length)
            piece.length++;
        else if (byte == ';' && !is_quoted)
            break;
    }
    rest->start += piece.length;
    rest->length -= piece.length;
    if (rest->length > 0) {
        rest->start++;
        rest->length--;
    }
    return piece;
}

static void append_unquoted(struct slice text, struct buffer *out)
{
    bool is_quoted =
        text.length >= 2 && text.start[0] == '"' && text.start[text.length - 1] == '"';

    if (!is_quoted) {
        buffer_append(out, text.start, text.length);
        return;
    }
    for (size_t i = 1; i < text.length - 1; i++) {
        if (text.start[i] == '\\' && i + 2 < text.length)
            i++;
        buffer_append_char(out, text.start[i]);
    }
}

bool form_parameter(const char *header, size_t length, const char *name, struct buffer *value)
{
    struct slice rest = {header, length};
    bool is_found = false;

    (void)cut_parameter(&rest);
    while (rest.length > 0) {
        struct slice text = cut_parameter(&rest);
        bool has_value = text.length > 0 && memchr(text.start, '=', text.length);

        if (!has_value || !equals(trim(cut(&text, '=')), name))
            continue;
        buffer_clear(value);
        append_unquoted(trim(text), value);
        is_found = true;
    }
    return is_found;
}

/* Makes room for one more field. Its name and value are appended to form->text by the caller,
 * in this order, and their addresses are set at the end, when form->text no longer moves. */
static enum form_result add_field(struct reader *reader, struct form_field **field)
{
    struct form *form = reader->form;

    if (form->count == FORM_FIELD_MAX)
        return FORM_TOO_MANY_FIELDS;
    if (form->count == reader->capacity) {
        size_t capacity = reader->capacity > 0 ? reader->capacity * 2 : 8;
        struct form_field *fields = realloc(form->fields, capacity * sizeof(*fields));

        if (!fields)
            return FORM_OUT_OF_MEMORY;
        form->fields = fields;
        reader->capacity = capacity;
    }
    *field = &form->fields[form->count++];
    **field = (struct form_field){0};
    return FORM_OK;
}

/* Appends a name or value to form->text and returns its length there. */
static size_t append_text(struct reader *reader, struct slice text)
{
    struct buffer *out = &reader->form->text;
    size_t before = out->size;

    (void)charset_append(&reader->charset, text.start, text.length, out);
    return out->size - before;
}

static void set_addresses(struct form *form)
{
    const char *cursor = form->text.data ? form->text.data : "";

    for (size_t i = 0; i < form->count; i++) {
        struct form_field *field = &form->fields[i];

        field->name = cursor;
        field->value = cursor + field->name_length;
        cursor = field->value + field->value_length;
    }
}

static enum form_result finish(struct reader *reader, enum form_result result)
{
    if (reader->scratch.failed || reader->form->text.failed)
        result = FORM_OUT_OF_MEMORY;
    if (result == FORM_OK)
        set_addresses(reader->form);
    else
        reader->form->count = 0;
    buffer_release(&reader->scratch);
    charset_close(&reader->charset);
    return result;
}

/* What fails in the scratch buffer must not be forgotten when that is cleared. */
static void note_failure(struct reader *reader)
{
    reader->form->text.failed = reader->form->text.failed || reader->scratch.failed;
}

/* Undoes `+` and %XX. */
static struct slice unescape(struct reader *reader, struct slice text)
{
    struct buffer *out = &reader->scratch;

    buffer_clear(out);
    if (!buffer_reserve(out, text.length)) {
        note_failure(reader);
        return (struct slice){"", 0};
    }
    while (text.length > 0) {
        size_t length = text.length;
        struct slice piece = cut(&text, '+');

        http_percent_decode(out, piece.start, piece.length);
        if (piece.length < length)
            buffer_append_char(out, ' ');
    }
    return (struct slice){out->data, out->size};
}

static enum form_result read_pair(struct reader *reader, struct slice pair)
{
    struct form_field *field;
    enum form_result result = add_field(reader, &field);

    if (result != FORM_OK)
        return result;
    field->name_length = append_text(reader, unescape(reader, cut(&pair, '=')));
    field->value_length = append_text(reader, unescape(reader, pair));
    return FORM_OK;
}

enum form_result form_read_urlencoded(struct form *form, const char *body, size_t size,
                                      const char *charset)
{
    struct reader reader = {.form = form};
    struct slice rest = {body, size};
    enum form_result result = FORM_OK;
    size_t pieces = 0;

    charset_open(&reader.charset, charset);
    while (rest.length > 0 && result == FORM_OK) {
        struct slice pair = cut(&rest, '&');

        if (++pieces > FORM_FIELD_MAX)
            result = FORM_TOO_MANY_FIELDS;
        else if (pair.length > 0)
            result = read_pair(&reader, pair);
    }
    return finish(&reader, result);
}

static int base64_digit(char byte)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = byte != '\0' ? strchr(digits, byte) : NULL;

    return digit ? (int)(digit - digits) : -1;
}

/* Decodes base64, leaving out bytes that are none. What doesn't come out even is given back as
 * it is. */
static struct slice decode_base64(struct reader *reader, struct slice text)
{
    struct buffer *out = &reader->scratch;
    uint32_t bits = 0;
    unsigned digits = 0;  /* digits in the running group of four */
    unsigned padding = 0; /* `=` in it */

    buffer_clear(out);
    for (size_t i = 0; i < text.length && digits + padding < 4; i++) {
        int digit = base64_digit(text.start[i]);

        padding += text.start[i] == '=' && digits >= 2;
        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        padding = 0;
        if (digits > 0)
            buffer_append_char(out, (char)(uint8_t)(bits >> (6 - 2 * digits)));
        digits = (digits + 1) % 4;
    }
    note_failure(reader);
    if (digits > 0 && digits + padding < 4)
        return text;
    return (struct slice){out->data ? out->data : "", out->size};
}

/* The value of a header of a part. */
static bool find_header(struct slice head, const char *name, struct slice *value)
{
    while (head.length > 0) {
        struct slice line = cut(&head, '\n');
        bool has_colon = line.length > 0 && memchr(line.start, ':', line.length);

        if (has_colon && equals(trim(cut(&line, ':')), name)) {
            *value = trim(line);
            return true;
        }
    }
    return false;
}

/* A parameter of a part's header, in the scratch buffer. */
static bool find_parameter(struct reader *reader, struct slice header, const char *name)
{
    bool is_found = form_parameter(header.start, header.length, name, &reader->scratch);

    note_failure(reader);
    return is_found;
}

/* A part with a file name that isn't empty is a file. */
static bool is_file(struct reader *reader, struct slice disposition)
{
    return (find_parameter(reader, disposition, "filename") ||
            find_parameter(reader, disposition, "filename*")) &&
           reader->scratch.size > 0;
}

/* One part, from the byte after its boundary to the line end before the next one. */
static enum form_result read_part(struct reader *reader, struct slice part)
{
    const char *blank_line = memmem(part.start, part.length, "\r\n\r\n", 4);
    struct slice head = {part.start, 0};
    struct slice disposition;
    struct slice encoding = {0};
    struct form_field *field;
    enum form_result result;

    if (!blank_line)
        return FORM_OK;
    head.length = (size_t)(blank_line - part.start);
    part.start += head.length + 4;
    part.length -= head.length + 4;
    if (!find_header(head, "content-disposition", &disposition) ||
        !find_parameter(reader, disposition, "name"))
        return FORM_OK;
    result = add_field(reader, &field);
    if (result != FORM_OK)
        return result;
    field->name_length =
        append_text(reader, trim((struct slice){reader->scratch.data, reader->scratch.size}));
    field->is_file = is_file(reader, disposition);
    if (field->is_file)
        return FORM_OK;
    if (find_header(head, "content-transfer-encoding", &encoding) && equals(encoding, "base64"))
        part = decode_base64(reader, part);
    field->value_length = append_text(reader, part);
    return FORM_OK;
}

/* The next boundary at the start of a line, NULL if there is none. */
static const char *find_boundary(struct slice text, struct slice boundary)
{
    const char *end = text.start + text.length;
    const char *found = text.start;

    for (;;) {
        found = memmem(found, (size_t)(end - found), boundary.start, boundary.length);
        if (!found || found == text.start || found[-1] == '\n')
            return found;
        found = memchr(found, '\n', (size_t)(end - found));
        if (!found)
            return NULL;
    }
}

/* Cuts *rest behind the next boundary and returns what was before it, without the line end that
 * belongs to the boundary. Without a boundary that is everything. */
static struct slice cut_boundary(struct slice *rest, struct slice boundary, bool *is_found)
{
    struct slice before = *rest;
    const char *found = find_boundary(*rest, boundary);

    *is_found = found != NULL;
    if (!found)
        return before;
    before.length = (size_t)(found - before.start);
    rest->start = found + boundary.length;
    rest->length -= before.length + boundary.length;
    if (before.length > 0 && before.start[before.length - 1] == '\n')
        before.length--;
    if (before.length > 0 && before.start[before.length - 1] == '\r')
        before.length--;
    return before;
}

/* Printable ASCII that doesn't end with a space. */
static bool is_boundary(const char *boundary)
{
    size_t length = boundary ? strlen(boundary) : 0;

    if (length == 0 || length > BOUNDARY_MAX || boundary[length - 1] == ' ')
        return false;
    for (; *boundary != '\0'; boundary++) {
        if (*boundary < ' ' || *boundary > '~')
            return false;
    }
    return true;
}

enum form_result form_read_multipart(struct form *form, const char *body, size_t size,
                                     const char *charset, const char *boundary)
{
    struct reader reader = {.form = form};
    char text[BOUNDARY_MAX + 3] = "--";
    struct slice line = {text, 0};
    struct slice rest = {body, size};
    enum form_result result = FORM_OK;
    bool is_found;

    if (!is_boundary(boundary))
        return FORM_BAD_BOUNDARY;
    line.length = 2 + strlen(boundary);
    memcpy(text + 2, boundary, line.length - 1);
    charset_open(&reader.charset, charset);
    (void)cut_boundary(&rest, line, &is_found); /* what is before the first one means nothing */
    while (is_found && result == FORM_OK) {
        if (rest.length >= 2 && memcmp(rest.start, "--", 2) == 0)
            break;
        result = read_part(&reader, cut_boundary(&rest, line, &is_found));
    }
    return finish(&reader, result);
}

void form_release(struct form *form)
{
    free(form->fields);
    buffer_release(&form->text);
    *form = (struct form){0};
}

const struct form_field *form_find(const struct form *form, const char *name)
{
    const struct form_field *found = NULL;
    size_t length = strlen(name);

    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];

        if (field->name_length == length && memcmp(field->name, name, length) == 0 &&
            (!found || field->is_file || !found->is_file))
            found = field;
    }
    return found;
}
