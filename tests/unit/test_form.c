#include "suites.h"

#include "http/form.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY(literal)     (literal), sizeof(literal) - 1
#define PART(name, value) "--B\r\nContent-Disposition: form-data; name=" name "\r\n\r\n" value
#define END               "\r\n--B--\r\n"

/* A form and its fields as name=value, each in brackets; a file has no value. */
struct row {
    const char *name;
    const char *body;
    size_t size;
    const char *charset;
    const char *fields;
};

/* clang-format off */
static const struct row urlencoded[] = {
    {"two fields", BODY("title=a&order=5"), NULL, "[title=a][order=5]"},
    {"plus and percent", BODY("a+b=caf%C3%A9%20x%2b"), NULL, "[a b=caf\xc3\xa9 x+]"},
    {"raw UTF-8", BODY("a=caf\xc3\xa9"), NULL, "[a=caf\xc3\xa9]"},
    {"bad percent", BODY("a=%zz%4&b=%"), NULL, "[a=%zz%4][b=%]"},
    {"bad UTF-8", BODY("a=%FF\xc3("), NULL, "[a=\xef\xbf\xbd\xef\xbf\xbd(]"},
    {"surrogate", BODY("a=%ED%A0%80"), NULL, "[a=\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd]"},
    {"overlong", BODY("a=%E0%9F%BF"), NULL, "[a=\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd]"},
    {"cut character", BODY("a=%F0%9F%98x"), NULL, "[a=\xef\xbf\xbdx]"},
    {"no equals sign", BODY("title"), NULL, "[title=]"},
    {"two equals signs", BODY("a=b=c"), NULL, "[a=b=c]"},
    {"no name", BODY("=x"), NULL, "[=x]"},
    {"empty pieces", BODY("&&a=1&"), NULL, "[a=1]"},
    {"semicolon", BODY("a=1;b=2"), NULL, "[a=1;b=2]"},
    {"latin-1", BODY("a=%E9\xe9"), "latin-1", "[a=\xc3\xa9\xc3\xa9]"},
    {"Latin1", BODY("a=%E9"), "Latin1", "[a=\xc3\xa9]"},
    {"ISO_8859-1", BODY("a=%E9"), "ISO_8859-1", "[a=\xc3\xa9]"},
    {"UTF-16", BODY("\xff\xfe\x61=%3D%D8%00%DE"), "utf_16le",
     "[\xef\xbb\xbf\xef\xbf\xbd=\xf0\x9f\x98\x80]"},
    {"bad ASCII", BODY("a=x%E9y"), "us-ascii", "[a=x\xef\xbf\xbdy]"},
    {"unknown charset", BODY("a=%C3%A9"), "x-//IGNORE", "[a=\xc3\xa9]"},
};

static const struct row multipart[] = {
    {"one part", BODY(PART("\"title\"", "a") END), NULL, "[title=a]"},
    {"two parts", BODY(PART("a", "1") "\r\n" PART("b", "2") END), NULL, "[a=1][b=2]"},
    {"blanks in the name", BODY(PART("\" a \"", "1") END), NULL, "[a=1]"},
    {"escapes in the name", BODY(PART("\"a\\\";\\\\b\"", "1") END), NULL, "[a\";\\b=1]"},
    {"lines in the value", BODY(PART("a", "1\r\n\r\n2\n") END), NULL, "[a=1\r\n\r\n2\n]"},
    {"boundary inside of a line", BODY(PART("a", "x --B y") END), NULL, "[a=x --B y]"},
    {"preamble", BODY("hello\r\n" PART("a", "1") END), NULL, "[a=1]"},
    {"epilogue", BODY(PART("a", "1") END PART("b", "2")), NULL, "[a=1]"},
    {"no last boundary", BODY(PART("a", "1")), NULL, "[a=1]"},
    {"no boundary at all", BODY("Content-Disposition: form-data; name=a\r\n\r\n1"), NULL, ""},
    {"no name", BODY("--B\r\nContent-Disposition: form-data\r\n\r\n1" END), NULL, ""},
    {"no headers", BODY("--B\r\n\r\n1" END), NULL, ""},
    {"no blank line", BODY("--B\r\nContent-Disposition: form-data; name=a" END), NULL, ""},
    {"other case", BODY("--B\r\nCONTENT-DISPOSITION: form-data; NAME=a\r\n\r\n1" END), NULL,
     "[a=1]"},
    {"a file", BODY(PART("a; filename=f", "1") END), NULL, "[a]"},
    {"a file with an encoded name", BODY(PART("a; filename*=UTF-8''f", "1") END), NULL, "[a]"},
    {"a file without a name", BODY(PART("a; filename=\"\"", "1") END), NULL, "[a=1]"},
    {"base64", BODY(PART("a\r\nContent-Transfer-Encoding: BASE64", "Y2Fm\r\nw6k=") END), NULL,
     "[a=caf\xc3\xa9]"},
    {"base64, two at the end",
     BODY(PART("a\r\nContent-Transfer-Encoding: base64", "YQ==YQ") END), NULL, "[a=a]"},
    {"base64, no padding",
     BODY(PART("a\r\nContent-Transfer-Encoding: base64", "YWI") END), NULL, "[a=YWI]"},
    {"base64, not even", BODY(PART("a\r\nContent-Transfer-Encoding: base64", "Y2FmY") END),
     NULL, "[a=Y2FmY]"},
    {"latin-1", BODY(PART("\"\xe9\"", "\xe8") END), "latin-1", "[\xc3\xa9=\xc3\xa8]"},
    {"bad UTF-8", BODY(PART("a", "\xff") END), NULL, "[a=\xef\xbf\xbd]"},
};
/* clang-format on */

static void describe(const struct form *form, struct buffer *out)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];

        buffer_append_char(out, '[');
        buffer_append(out, field->name, field->name_length);
        if (!field->is_file)
            buffer_append_char(out, '=');
        buffer_append(out, field->value, field->value_length);
        buffer_append_char(out, ']');
    }
}

static bool check(const struct row *row, const char *boundary)
{
    char *body = malloc(row->size); /* ends where the body ends, for the sanitizer */
    struct buffer fields = {0};
    struct form form = {0};
    enum form_result result;
    bool is_right;

    if (!body)
        return false;
    memcpy(body, row->body, row->size);
    result = boundary ? form_read_multipart(&form, body, row->size, row->charset, boundary)
                      : form_read_urlencoded(&form, body, row->size, row->charset);
    describe(&form, &fields);
    is_right = result == FORM_OK && strcmp(fields.data ? fields.data : "", row->fields) == 0;
    if (!is_right)
        (void)fprintf(stderr, "form, %s: %s, not %s\n", row->name,
                      fields.data ? fields.data : "nothing", row->fields);
    buffer_release(&fields);
    form_release(&form);
    free(body);
    return is_right;
}

static void test_urlencoded_bodies_become_fields(void)
{
    for (size_t i = 0; i < sizeof(urlencoded) / sizeof(urlencoded[0]); i++)
        CU_ASSERT(check(&urlencoded[i], NULL));
}

static void test_multipart_bodies_become_fields(void)
{
    for (size_t i = 0; i < sizeof(multipart) / sizeof(multipart[0]); i++)
        CU_ASSERT(check(&multipart[i], "B"));
}

static void test_boundaries_are_1_to_201_printable_characters(void)
{
    static const struct {
        const char *boundary;
        enum form_result result;
    } rows[] = {
        {NULL,        FORM_BAD_BOUNDARY},
        {"",          FORM_BAD_BOUNDARY},
        {"a ",        FORM_BAD_BOUNDARY},
        {"a b",       FORM_OK          },
        {"a\xc3\xa9", FORM_BAD_BOUNDARY},
        {"a\tb",      FORM_BAD_BOUNDARY},
    };
    char boundary[203];
    struct form form = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(form_read_multipart(&form, "x", 1, NULL, rows[i].boundary),
                        rows[i].result);
        form_release(&form);
    }
    memset(boundary, '-', sizeof(boundary));
    boundary[201] = '\0';
    CU_ASSERT_EQUAL(form_read_multipart(&form, "x", 1, NULL, boundary), FORM_OK);
    boundary[201] = '-';
    boundary[202] = '\0';
    CU_ASSERT_EQUAL(form_read_multipart(&form, "x", 1, NULL, boundary), FORM_BAD_BOUNDARY);
    form_release(&form);
}

/* Reads a form of `count` times the same field. */
static enum form_result read_repeated(const char *field, size_t count, const char *boundary,
                                      size_t *found)
{
    struct buffer body = {0};
    struct form form = {0};
    enum form_result result;

    for (size_t i = 0; i < count; i++)
        buffer_append_text(&body, field);
    result = boundary ? form_read_multipart(&form, body.data, body.size, NULL, boundary)
                      : form_read_urlencoded(&form, body.data, body.size, NULL);
    *found = form.count;
    form_release(&form);
    buffer_release(&body);
    return result;
}

static void test_a_form_has_at_most_1000_fields(void)
{
    size_t found;

    CU_ASSERT_EQUAL(read_repeated("a=1&", 1000, NULL, &found), FORM_OK);
    CU_ASSERT_EQUAL(found, 1000);
    CU_ASSERT_EQUAL(read_repeated("a=1&", 1001, NULL, &found), FORM_TOO_MANY_FIELDS);
    CU_ASSERT_EQUAL(read_repeated("&", 1001, NULL, &found), FORM_TOO_MANY_FIELDS);
    CU_ASSERT_EQUAL(read_repeated(PART("a", "1\r\n"), 1000, "B", &found), FORM_OK);
    CU_ASSERT_EQUAL(found, 1000);
    CU_ASSERT_EQUAL(read_repeated(PART("a", "1\r\n"), 1001, "B", &found), FORM_TOO_MANY_FIELDS);
    CU_ASSERT_EQUAL(found, 0);
}

static void test_the_last_field_of_a_name_is_found(void)
{
    static const char body[] = PART("a; filename=f", "1") "\r\n" PART("a", "2") END;
    struct form form = {0};
    const struct form_field *field;

    CU_ASSERT_EQUAL(form_read_urlencoded(&form, BODY("a=1&b=2&a=3"), NULL), FORM_OK);
    field = form_find(&form, "a");
    CU_ASSERT_FATAL(field && field->value_length == 1);
    CU_ASSERT_EQUAL(field->value[0], '3');
    CU_ASSERT_PTR_NULL(form_find(&form, "c"));
    form_release(&form);
    CU_ASSERT_EQUAL(form_read_multipart(&form, body, sizeof(body) - 1, NULL, "B"), FORM_OK);
    field = form_find(&form, "a");
    CU_ASSERT(field && field->is_file);
    form_release(&form);
}

static void test_parameters_of_a_header_are_found(void)
{
    static const struct {
        const char *header;
        const char *value; /* NULL: there is no such parameter */
    } rows[] = {
        {"text/html; charset=utf-8",                "utf-8" },
        {"text/html;x=1;CHARSET = utf-8 ;y",        "utf-8" },
        {"text/html; charset=\"a;b\\\"c\"; x",      "a;b\"c"},
        {"text/html; x=\"; charset=1\"; charset=2", "2"     },
        {"text/html; charset=1; charset=2",         "2"     },
        {"text/html; charset=",                     ""      },
        {"text/html; charset=\"",                   "\""    },
        {"text/html; charset",                      NULL    },
        {"text/html; x=\"; charset=1",              NULL    },
        {"charset=1",                               NULL    },
        {"",                                        NULL    },
        {";;;",                                     NULL    },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer value = {0};
        bool is_found =
            form_parameter(rows[i].header, strlen(rows[i].header), "charset", &value);
        const char *text = value.data ? value.data : "";

        CU_ASSERT_EQUAL(is_found, rows[i].value != NULL);
        CU_ASSERT_STRING_EQUAL(text, rows[i].value ? rows[i].value : "");
        if (strcmp(text, rows[i].value ? rows[i].value : "") != 0)
            (void)fprintf(stderr, "form, %s: %s\n", rows[i].header, text);
        buffer_release(&value);
    }
}

CU_TestInfo form_tests[] = {
    {"urlencoded bodies become fields",              test_urlencoded_bodies_become_fields  },
    {"multipart bodies become fields",               test_multipart_bodies_become_fields   },
    {"boundaries are 1 to 201 printable characters",
     test_boundaries_are_1_to_201_printable_characters                                     },
    {"a form has at most 1000 fields",               test_a_form_has_at_most_1000_fields   },
    {"the last field of a name is found",            test_the_last_field_of_a_name_is_found},
    {"parameters of a header are found",             test_parameters_of_a_header_are_found },
    CU_TEST_INFO_NULL,
};
