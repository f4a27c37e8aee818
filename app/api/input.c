#include "api/input.h"

#include "api/input_json.h"
#include "base/charset.h"
#include "base/text.h"
#include "http/render.h"
#include "todo/validate.h"

#include <string.h>
#include <strings.h>

#define FORM_KEPT_MAX 4096U /* bytes of names and values */

enum body_format {
    BODY_JSON,
    BODY_URLENCODED,
    BODY_MULTIPART,
};

/* In this order, because a Content-Type of `*` matches every one. */
static const struct media_type {
    const char *type;
    const char *subtype;
    enum body_format format;
} media_types[] = {
    {"application", "json",                  BODY_JSON      },
    {"application", "x-www-form-urlencoded", BODY_URLENCODED},
    {"multipart",   "form-data",             BODY_MULTIPART },
};

/* Makes a rejection whose detail is `before`, some of the client's own bytes, and `after`. */
static bool reject(struct todo_rejection *rejection, int status, const char *before,
                   const char *bytes, const char *after)
{
    struct buffer detail = {0};

    buffer_append_text(&detail, before);
    text_append(&detail, bytes, strlen(bytes));
    buffer_append_text(&detail, after);
    rejection->status = status;
    http_append_detail(&rejection->body, detail.data, detail.size);
    rejection->body.failed |= detail.failed;
    buffer_release(&detail);
    return false;
}

static bool matches(const char *text, size_t length, const char *word)
{
    if (length == 1 && text[0] == '*')
        return true;
    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

/* The media type that a Content-Type means, NULL for one that isn't accepted. */
static const struct media_type *find_media_type(const char *content_type)
{
    size_t length = strcspn(content_type, ";");
    const char *slash;
    size_t type_length;

    text_trim_blanks(&content_type, &length);
    slash = memchr(content_type, '/', length);
    if (!slash)
        return NULL;
    type_length = (size_t)(slash - content_type);
    for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (matches(content_type, type_length, media_types[i].type) &&
            matches(slash + 1, length - type_length - 1, media_types[i].subtype))
            return &media_types[i];
    }
    return NULL;
}

void todo_rejection_release(struct todo_rejection *rejection)
{
    buffer_release(&rejection->body);
    form_release(&rejection->form);
}

bool todo_input_is_form(const char *content_type)
{
    const struct media_type *type = content_type ? find_media_type(content_type) : NULL;

    return type && type->format != BODY_JSON;
}

/* The value of a parameter of the Content-Type, NULL without it; *value holds it. */
static const char *find_parameter(const struct todo_input *input, const char *name,
                                  struct buffer *value)
{
    const char *header = input->content_type;

    if (!header || !form_parameter(header, strlen(header), name, value))
        return NULL;
    return value->data ? value->data : "";
}

static bool read_json(const struct todo_input *input, struct todo_change *change,
                      struct input_many *many, struct todo_rejection *rejection)
{
    struct charset_converter charset;
    struct buffer name = {0};
    struct buffer text = {0};
    bool is_good = false;

    charset_open(&charset, find_parameter(input, "charset", &name));
    if (name.failed)
        goto out;
    if (charset.is_utf8)
        is_good = input_json_read(input->body, text_whole(input->body, input->size),
                                  input->json_depth, change, many, &rejection->body);
    else if (charset_append(&charset, input->body, input->size, &text) > 0)
        reject(rejection, 400,
               "JSON parse error - the body is not in the charset of its Content-Type", "", "");
    else if (!text.failed)
        is_good = input_json_read(text.data, text.size, input->json_depth, change, many,
                                  &rejection->body);
out:
    charset_close(&charset);
    buffer_release(&text);
    buffer_release(&name);
    return is_good;
}

/* All of a form's values are texts. */
static struct todo_value read_field(const struct form *form, const struct todo_field *field)
{
    const struct form_field *found = form_find(form, field->name);

    if (!found)
        return (struct todo_value){.type = TODO_VALUE_ABSENT};
    if (found->is_file)
        return (struct todo_value){.type = TODO_VALUE_OTHER};
    return (struct todo_value){
        .type = found->value_length > 0 ? TODO_VALUE_TEXT : field->if_empty,
        .text = found->value,
        .length = found->value_length,
    };
}

static bool read_fields(const struct todo_input *input, const struct form *form,
                        struct todo_change *change, struct todo_rejection *rejection)
{
    struct todo_values values;

    for (size_t i = 0; i < TODO_FIELD_COUNT; i++)
        values.of[i] = read_field(form, &todo_fields[i]);
    /* A browser leaves out a box that isn't ticked. */
    if (input->mode == TODO_INPUT_PUT && !form_find(form, todo_fields[TODO_COMPLETED].name))
        values.of[TODO_COMPLETED] =
            (struct todo_value){.type = TODO_VALUE_BOOLEAN, .boolean = false};
    return todo_validate(&values, change, &rejection->body);
}

static bool read_form(const struct todo_input *input, enum body_format format,
                      struct todo_change *change, struct todo_rejection *rejection)
{
    struct buffer charset_value = {0};
    struct buffer boundary_value = {0};
    const char *charset = find_parameter(input, "charset", &charset_value);
    const char *boundary = find_parameter(input, "boundary", &boundary_value);
    struct form form = {0};
    enum form_result result = FORM_OUT_OF_MEMORY;
    bool is_good = false;

    if (!charset_value.failed && !boundary_value.failed)
        result = format == BODY_MULTIPART
                     ? form_read_multipart(&form, input->body, input->size, charset, boundary)
                     : form_read_urlencoded(&form, input->body, input->size, charset);
    switch (result) {
    case FORM_OK:
        is_good = read_fields(input, &form, change, rejection);
        break;
    case FORM_TOO_MANY_FIELDS:
        reject(rejection, 400, "Too many form fields.", "", "");
        break;
    case FORM_BAD_BOUNDARY:
        reject(rejection, 400, "Multipart form parse error - Invalid boundary in multipart: ",
               boundary ? boundary : "None", "");
        break;
    case FORM_OUT_OF_MEMORY:
        break;
    }
    if (!is_good && form.text.capacity <= FORM_KEPT_MAX) {
        rejection->form = form;
        form = (struct form){0};
    }
    form_release(&form);
    buffer_release(&charset_value);
    buffer_release(&boundary_value);
    return is_good;
}

/* No text of JSON or of a form has such bytes, and no compressed one is without. */
static bool is_text(const char *body, size_t size)
{
    for (size_t i = 0; i < size;) {
        uint32_t point;

        i += text_point(body + i, size - i, &point);
        if (point == TEXT_BAD_POINT || (point < ' ' && !strchr("\t\r\n", (int)point)) ||
            point == 0)
            return false;
    }
    return true;
}

/* RFC 9110, section 8.4.1: identity stands for no coding. What is text all the same was taken
 * by the original, and is here. */
static bool is_encoded(const struct todo_input *input)
{
    const char *coding = input->content_encoding ? input->content_encoding : "";
    size_t length = strlen(coding);

    text_trim_blanks(&coding, &length);
    return length > 0 && !(length == 8 && strncasecmp(coding, "identity", length) == 0) &&
           !is_text(input->body, input->size);
}

static bool read_body(const struct todo_input *input, struct todo_change *change,
                      struct input_many *many, struct todo_rejection *rejection)
{
    const char *content_type = input->content_type ? input->content_type : "";
    const struct media_type *type = find_media_type(content_type);

    if (input->size == 0) {
        change->completed_set =
            type && type->format != BODY_JSON && input->mode == TODO_INPUT_PUT;
        return true;
    }
    if (is_encoded(input)) {
        rejection->is_of_coding = true;
        return reject(rejection, 415, "Unsupported Content-Encoding \"",
                      input->content_encoding, "\": send the body as it is.");
    }
    if (!type)
        return reject(rejection, 415, "Unsupported media type \"", content_type,
                      "\" in request.");
    if (type->format == BODY_JSON)
        return read_json(input, change, many, rejection);
    return read_form(input, type->format, change, rejection);
}

bool todo_input_read(const struct todo_input *input, struct todo_change *change,
                     struct todo_edits *edits, bool *is_many, struct todo_rejection *rejection)
{
    bool is_patch = input->mode == TODO_INPUT_PATCH_MANY;
    struct input_many many = {.least = is_patch ? 1 : 2, .has_urls = is_patch, .edits = edits};
    bool is_good;

    *change = (struct todo_change){0};
    is_good = read_body(input, change, edits ? &many : NULL, rejection);
    if (is_many)
        *is_many = many.is_many;
    if (is_good)
        return true;
    if (rejection->status == 0 && rejection->body.size > 0)
        rejection->status = 400;
    if (rejection->status == 0 || rejection->body.failed) {
        buffer_clear(&rejection->body);
        rejection->status = 500;
        buffer_append_text(&rejection->body, "{\"detail\":\"Out of memory.\"}");
    }
    return false;
}
