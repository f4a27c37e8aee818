/* Forms, urlencoded and multipart. Input: a line of the Content-Type, the body. */

#include "http/form.h"
#include "base/text.h"
#include "fuzz.h"

#include <stdio.h>

#define BOUNDARY "0123456789-fuzz"

static void check_text(const char *text, size_t size)
{
    uint32_t point;

    while (size > 0) {
        size_t length = text_point(text, size, &point);

        assert(point != TEXT_BAD_POINT && length <= size);
        text += length;
        size -= length;
    }
}

static void check_fields(const struct form *form, size_t body_size)
{
    size_t text_size = 0;

    assert(form->count <= FORM_FIELD_MAX);
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];

        check_text(field->name, field->name_length);
        check_text(field->value, field->value_length);
        assert(!field->is_file || field->value_length == 0);
        text_size += field->name_length + field->value_length;
    }
    assert(text_size == form->text.size);
    assert(text_size <= body_size * 3); /* a byte of Latin-1 takes two, U+FFFD three */
}

static bool is_same_text(const char *one, size_t one_size, const char *other, size_t other_size)
{
    return one_size == other_size && (one_size == 0 || memcmp(one, other, one_size) == 0);
}

/* What was read, written as a form of its own, reads as the same. */
static void check_urlencoded_again(const struct form *form)
{
    struct buffer body = {0};
    struct form again = {0};

    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];

        for (size_t j = 0; j < field->name_length; j++)
            buffer_append_format(&body, "%%%02X", (unsigned char)field->name[j]);
        buffer_append_char(&body, '=');
        for (size_t j = 0; j < field->value_length; j++)
            buffer_append_format(&body, "%%%02x", (unsigned char)field->value[j]);
        if (i + 1 < form->count)
            buffer_append_char(&body, '&');
    }
    assert(form_read_urlencoded(&again, body.data, body.size, NULL) == FORM_OK);
    assert(again.count == form->count);
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *one = &form->fields[i];
        const struct form_field *other = &again.fields[i];

        assert(is_same_text(one->name, one->name_length, other->name, other->name_length));
        assert(is_same_text(one->value, one->value_length, other->value, other->value_length));
    }
    form_release(&again);
    buffer_release(&body);
}

/* Of a multipart form only the values may be any bytes. */
static void check_multipart_again(const struct form *form)
{
    struct buffer body = {0};
    struct form again = {0};

    for (size_t i = 0; i < form->count; i++) {
        buffer_append_format(
            &body, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"%zu\"\r\n\r\n", i);
        buffer_append(&body, form->fields[i].value, form->fields[i].value_length);
        buffer_append_text(&body, "\r\n");
    }
    buffer_append_text(&body, "--" BOUNDARY "--\r\n");
    assert(form_read_multipart(&again, body.data, body.size, "utf-8", BOUNDARY) == FORM_OK);
    assert(again.count == form->count);
    for (size_t i = 0; i < form->count; i++) {
        char name[24];
        const struct form_field *field;

        snprintf(name, sizeof(name), "%zu", i);
        field = form_find(&again, name);
        assert(field == &again.fields[i]);
        assert(is_same_text(field->value, field->value_length, form->fields[i].value,
                            form->fields[i].value_length));
    }
    form_release(&again);
    buffer_release(&body);
}

static void check(struct form *form, enum form_result result, const struct fuzz_input *body)
{
    assert(result != FORM_OUT_OF_MEMORY);
    assert(result == FORM_OK || form->count == 0);
    check_fields(form, body->size);
    check_urlencoded_again(form);
    if (!memmem(body->data, body->size, "fuzz", 4) && form->count < 30)
        check_multipart_again(form);
    form_release(form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input body = {data, size};
    char *type = fuzz_line(&body);
    char *bytes = malloc(body.size > 0 ? body.size : 1);
    struct buffer charset = {0};
    struct buffer boundary = {0};
    struct form form = {0};
    bool has_charset = form_parameter(type, strlen(type), "charset", &charset);
    bool has_boundary = form_parameter(type, strlen(type), "boundary", &boundary);

    assert(bytes && charset.size + boundary.size <= strlen(type));
    memcpy(bytes, body.data, body.size);
    body.data = (const uint8_t *)bytes;
    check(&form,
          form_read_urlencoded(&form, bytes, body.size, has_charset ? charset.data : NULL),
          &body);
    check(&form,
          form_read_multipart(&form, bytes, body.size, has_charset ? charset.data : NULL,
                              has_boundary ? boundary.data : NULL),
          &body);
    free(bytes);
    buffer_release(&charset);
    buffer_release(&boundary);
    free(type);
    return 0;
}
