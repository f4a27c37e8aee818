#include "suites.h"

#include "api/input.h"
#include "base/text.h"

#include <CUnit/CUnit.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_DEPTH 512

#define BODY(literal)  (literal), sizeof(literal) - 1
#define NO_BODY        NULL, 0
#define JSON           TODO_INPUT_CREATE, "application/json"
#define URLENCODED     "application/x-www-form-urlencoded"
#define MULTIPART      "multipart/form-data; boundary=B"
#define PART(name)     "--B\r\nContent-Disposition: form-data; name=" name "\r\n\r\n"
#define PARSE_ERROR(s) "{\"detail\":\"JSON parse error - " s "\"}"
#define GOT(type)                                                                              \
    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got " type ".\"]}"
#define UNSUPPORTED(type) "{\"detail\":\"Unsupported media type \\\"" type "\\\" in request.\"}"
#define BAD_BOUNDARY(text)                                                                     \
    "{\"detail\":\"Multipart form parse error - Invalid boundary in multipart: " text "\"}"

/* A body and what becomes of it: with status 0 the fields that it sets, else the rejection. */
struct row {
    const char *name;
    enum todo_input_mode mode;
    const char *content_type;
    const char *body;
    size_t size;
    int status;
    const char *expected;
};

/* clang-format off */
static const struct row json_rows[] = {
    {"empty object", JSON, BODY("{}"), 0, "{}"},
    {"all fields", JSON, BODY("{\"order\":7,\"completed\":true,\"title\":\"alpha\"}"), 0,
     "{title:alpha,completed:true,order:7}"},
    {"null fields", JSON, BODY("{\"title\":null,\"order\":null}"), 0,
     "{title:null,order:null}"},
    {"unknown keys", JSON, BODY("{\"id\":1,\"url\":2,\"Title\":[{}],\"a\":{\"title\":1}}"), 0,
     "{}"},
    {"the last of a key wins", JSON, BODY("{\"order\":\"x\",\"order\":3}"), 0, "{order:3}"},
    {"escaped key", JSON, BODY("{\"t\\u0069tle\":\"a\"}"), 0, "{title:a}"},
    {"key with a NUL", JSON, BODY("{\"title\\u0000\":1,\"order\":2}"), 0, "{order:2}"},
    {"white space", JSON, BODY(" \t\r\n{ \"order\" : 1 } \n"), 0, "{order:1}"},
    {"escapes", JSON, BODY("{\"title\":\"a\\/\\u00e9\\ud83d\\ude00\\u2028b\"}"), 0,
     "{title:a/\xc3\xa9\xf0\x9f\x98\x80\xe2\x80\xa8"
     "b}"},
    {"NUL in a title", JSON, BODY("{\"title\":\"a\\u0000\"}"), 400,
     "{\"title\":[\"Null characters are not allowed.\"]}"},
    {"numbers as titles", JSON, BODY("{\"title\":1e5}"), 0, "{title:100000.0}"},
    {"infinite title", JSON, BODY("{\"title\":-1e400}"), 0, "{title:-inf}"},
    {"infinite order", JSON, BODY("{\"order\":1.5E+400,\"completed\":1e999}"), 400,
     "{\"completed\":[\"Must be a valid boolean.\"],"
     "\"order\":[\"A valid integer is required.\"]}"},
    {"title beyond 64 bits", JSON, BODY("{\"title\":-12345678901234567890}"), 0,
     "{title:-12345678901234567890}"},
    {"order beyond 64 bits", JSON, BODY("{\"order\":12345678901234567890}"), 400,
     "{\"order\":[\"Ensure this value is less than or equal to 2147483647.\"]}"},
    {"infinity in an unknown key", JSON, BODY("{\"a\":[1e400,\"1e400\"],\"order\":2}"), 0,
     "{order:2}"},
    {"boolean title", JSON, BODY("{\"title\":true}"), 400,
     "{\"title\":[\"Not a valid string.\"]}"},
    {"PUT sets only what is there", TODO_INPUT_PUT, "application/json", BODY("{\"order\":1}"),
     0, "{order:1}"},
    {"the end cuts a character", JSON, BODY("{\"order\":1}\xe2\x82"), 0, "{order:1}"},
    {"top level list", JSON, BODY("[]"), 400, GOT("list")},
    {"top level string", JSON, BODY("\"a\""), 400, GOT("str")},
    {"top level integer", JSON, BODY("5"), 400, GOT("int")},
    {"top level real", JSON, BODY("5.0"), 400, GOT("float")},
    {"top level boolean", JSON, BODY("false"), 400, GOT("bool")},
    {"top level null", JSON, BODY("null"), 400,
     "{\"non_field_errors\":[\"No data provided\"]}"},
};

static const struct row syntax_rows[] = {
    {"open brace", JSON, BODY("{"), 400,
     PARSE_ERROR("string or '}' expected near end of file: line 1 column 2 (char 1)")},
    {"blanks only", JSON, BODY("  "), 400,
     PARSE_ERROR("unexpected token near end of file: line 1 column 3 (char 2)")},
    {"trailing comma", JSON, BODY("{\"order\":1,}"), 400,
     PARSE_ERROR("string or '}' expected: line 1 column 12 (char 11)")},
    {"something more", JSON, BODY("{} x"), 400,
     PARSE_ERROR("end of file expected: line 1 column 4 (char 3)")},
    {"third line", JSON, BODY("{\n\"a\":1\n  \"b\"}"), 400,
     PARSE_ERROR("'}' expected: line 3 column 3 (char 10)")},
    {"columns are code points", JSON, BODY("{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\" 1}"), 400,
     PARSE_ERROR("'}' expected: line 1 column 10 (char 9)")},
    {"control byte", JSON, BODY("{\"title\":\"a\x01\"}"), 400,
     PARSE_ERROR("control character 0x1: line 1 column 10 (char 9)")},
    {"bad escape", JSON, BODY("{\"title\":\"\\x\"}"), 400,
     PARSE_ERROR("invalid escape: line 1 column 10 (char 9)")},
    {"lone surrogate", JSON, BODY("{\"title\":\"\\ud800\"}"), 400,
     PARSE_ERROR("invalid Unicode '\\\\uD800': line 1 column 10 (char 9)")},
    {"bad UTF-8", JSON, BODY("{\"title\":\"\xff\"}"), 400,
     PARSE_ERROR("unable to decode byte 0xff: line 1 column 10 (char 9)")},
    {"bad UTF-8 at the end", JSON, BODY("{}\xff"), 400,
     PARSE_ERROR("unable to decode byte 0xff: line 1 column 3 (char 2)")},
    {"NaN", JSON, BODY("{\"title\":NaN}"), 400,
     PARSE_ERROR("invalid token: line 1 column 10 (char 9)")},
    {"infinity as a key", JSON, BODY("{1e400:1}"), 400,
     PARSE_ERROR("real number overflow: line 1 column 2 (char 1)")},
    {"infinity with a zero before", JSON, BODY("{\"a\":1e400,\"b\":01e400}"), 400,
     PARSE_ERROR("invalid token: line 1 column 16 (char 15)")},
    {"infinity at the end", JSON, BODY("{\"a\":1e400"), 400,
     PARSE_ERROR("'}' expected near end of file: line 1 column 11 (char 10)")},
    {"byte order mark", JSON, BODY("\xef\xbb\xbf{}"), 400,
     PARSE_ERROR("invalid token: line 1 column 1 (char 0)")},
};

static const struct row media_rows[] = {
    {"any case, blanks, parameters", TODO_INPUT_CREATE, " Application/JSON ; x",
     BODY("{\"order\":1}"), 0, "{order:1}"},
    {"any type", TODO_INPUT_CREATE, "*/*", BODY("{\"order\":1}"), 0, "{order:1}"},
    {"any subtype", TODO_INPUT_CREATE, "application/*", BODY("{\"order\":1}"), 0, "{order:1}"},
    {"latin-1", TODO_INPUT_CREATE, "application/json; charset=latin-1",
     BODY("{\"title\":\"\xe9\"}"), 0, "{title:\xc3\xa9}"},
    {"UTF-16", TODO_INPUT_CREATE, "application/json; charset=\"UTF_16\"",
     BODY("\xff\xfe{\0\"\0t\0i\0t\0l\0e\0\"\0:\0\"\0\xe5\x65\"\0}\0"), 0,
     "{title:\xe6\x97\xa5}"},
    {"not in its charset", TODO_INPUT_CREATE, "application/json; charset=ascii",
     BODY("{\"title\":\"\xe9\"}"), 400,
     PARSE_ERROR("the body is not in the charset of its Content-Type")},
    {"unknown charset", TODO_INPUT_CREATE, "application/json; charset=bogus",
     BODY("{\"title\":\"\xc3\xa9\"}"), 0, "{title:\xc3\xa9}"},
    {"no type", TODO_INPUT_CREATE, NULL, BODY("{}"), 415, UNSUPPORTED("")},
    {"empty type", TODO_INPUT_CREATE, "", BODY("{}"), 415, UNSUPPORTED("")},
    {"text", TODO_INPUT_PATCH, "text/plain; a=\"b\"", BODY("{}"), 415,
     UNSUPPORTED("text/plain; a=\\\"b\\\"")},
    {"two types", TODO_INPUT_CREATE, "application/json, text/plain", BODY("{}"), 415,
     UNSUPPORTED("application/json, text/plain")},
    {"no slash", TODO_INPUT_CREATE, "*", BODY("{}"), 415, UNSUPPORTED("*")},
    {"type that is not UTF-8", TODO_INPUT_CREATE, "\xff/\x01", BODY("{}"), 415,
     UNSUPPORTED("\xef\xbf\xbd/\\u0001")},
    {"empty body of no type", TODO_INPUT_PUT, NULL, NO_BODY, 0, "{}"},
    {"empty body of an unknown type", TODO_INPUT_CREATE, "application/xml", NO_BODY, 0, "{}"},
    {"empty JSON body", TODO_INPUT_PUT, "application/json", NO_BODY, 0, "{}"},
};

static const struct row form_rows[] = {
    {"all fields", TODO_INPUT_CREATE, URLENCODED, BODY("title=form+title&completed=on&order=5"),
     0, "{title:form title,completed:true,order:5}"},
    {"the last of a name wins", TODO_INPUT_CREATE, URLENCODED, BODY("title=a&title=b"), 0,
     "{title:b}"},
    {"null is a word", TODO_INPUT_CREATE, URLENCODED, BODY("title=null&order=null"), 400,
     "{\"order\":[\"A valid integer is required.\"]}"},
    {"empty fields", TODO_INPUT_CREATE, URLENCODED, BODY("title=&completed=&order="), 0,
     "{title:,order:null}"},
    {"empty fields of a PUT", TODO_INPUT_PUT, URLENCODED, BODY("title=&completed=&order="), 0,
     "{title:,order:null}"},
    {"PUT without completed", TODO_INPUT_PUT, URLENCODED, BODY("title=a"), 0,
     "{title:a,completed:false}"},
    {"PATCH without completed", TODO_INPUT_PATCH, URLENCODED, BODY("title=a"), 0, "{title:a}"},
    {"empty PUT", TODO_INPUT_PUT, URLENCODED "; charset=utf-8", NO_BODY, 0,
     "{completed:false}"},
    {"empty multipart PUT", TODO_INPUT_PUT, "multipart/form-data", NO_BODY, 0,
     "{completed:false}"},
    {"empty PATCH", TODO_INPUT_PATCH, URLENCODED, NO_BODY, 0, "{}"},
    {"NUL in a title", TODO_INPUT_CREATE, URLENCODED, BODY("title=%00"), 400,
     "{\"title\":[\"Null characters are not allowed.\"]}"},
    {"charset", TODO_INPUT_CREATE, URLENCODED "; charset=ISO-8859-1", BODY("title=%E9"), 0,
     "{title:\xc3\xa9}"},
    {"multipart", TODO_INPUT_CREATE, MULTIPART,
     BODY(PART("title") "a\r\n" PART("\"order\"") "5.0\r\n--B--\r\n"), 0, "{title:a,order:5}"},
    {"quoted boundary", TODO_INPUT_CREATE, "Multipart/Form-Data; boundary=\"B\"",
     BODY(PART("title") "a\r\n--B--\r\n"), 0, "{title:a}"},
    {"multipart PUT without completed", TODO_INPUT_PUT, MULTIPART,
     BODY(PART("title") "a\r\n--B--\r\n"), 0, "{title:a,completed:false}"},
    {"a file as title", TODO_INPUT_CREATE, MULTIPART,
     BODY(PART("title; filename=f") "a\r\n--B--\r\n"), 400,
     "{\"title\":[\"Not a valid string.\"]}"},
    {"another file", TODO_INPUT_CREATE, MULTIPART, BODY(PART("x; filename=f") "a\r\n--B--\r\n"),
     0, "{}"},
    {"text without the boundary", TODO_INPUT_CREATE, MULTIPART, BODY("hello"), 0, "{}"},
    {"no boundary", TODO_INPUT_CREATE, "multipart/form-data", BODY("x"), 400,
     BAD_BOUNDARY("None")},
    {"empty boundary", TODO_INPUT_CREATE, "multipart/form-data; boundary=", BODY("x"), 400,
     BAD_BOUNDARY("")},
    {"bad boundary", TODO_INPUT_CREATE, "multipart/form-data; boundary=\"a\xff\"", BODY("x"),
     400, BAD_BOUNDARY("a\xef\xbf\xbd")},
    {"mixed multipart", TODO_INPUT_CREATE, "multipart/mixed; boundary=B", BODY("x"), 415,
     UNSUPPORTED("multipart/mixed; boundary=B")},
};
/* clang-format on */

static void describe(const struct todo_change *change, struct buffer *out)
{
    buffer_append_char(out, '{');
    if (change->title_set)
        buffer_append_format(out, "title:%s,", change->title_null ? "null" : change->title);
    if (change->completed_set)
        buffer_append_format(out, "completed:%s,", change->completed ? "true" : "false");
    if (change->order_set && change->order_null)
        buffer_append_text(out, "order:null,");
    else if (change->order_set)
        buffer_append_format(out, "order:%lld,", (long long)change->order);
    if (out->size > 1)
        out->size--;
    buffer_append_char(out, '}');
}

/* A copy in memory of just its size, so that a sanitizer sees a step too far; NULL without
 * memory. */
static char *copy_exact(const char *bytes, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);

    if (copy && size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static bool check(const struct row *row)
{
    char *body = copy_exact(row->body, row->size);
    struct todo_input input = {
        .mode = row->mode,
        .content_type = row->content_type,
        .body = body,
        .size = row->size,
        .json_depth = JSON_DEPTH,
    };
    struct todo_change change;
    struct todo_rejection rejection = {0};
    bool is_right;

    if (todo_input_read(&input, &change, NULL, NULL, &rejection))
        describe(&change, &rejection.body);
    is_right = rejection.status == row->status &&
               strcmp(rejection.body.data ? rejection.body.data : "", row->expected) == 0;
    if (!is_right)
        (void)fprintf(stderr, "input, %s: %d %s, not %d %s\n", row->name, rejection.status,
                      rejection.body.data, row->status, row->expected);
    todo_rejection_release(&rejection);
    free(body);
    return is_right;
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CU_ASSERT(check(&rows[i]));
}

static void test_json_objects_become_changes(void)
{
    check_rows(json_rows, sizeof(json_rows) / sizeof(json_rows[0]));
}

static void test_bad_json_is_refused_with_its_position(void)
{
    check_rows(syntax_rows, sizeof(syntax_rows) / sizeof(syntax_rows[0]));
}

static void test_the_content_type_decides(void)
{
    check_rows(media_rows, sizeof(media_rows) / sizeof(media_rows[0]));
}

static void test_forms_become_changes(void)
{
    check_rows(form_rows, sizeof(form_rows) / sizeof(form_rows[0]));
}

static void append_times(struct buffer *buffer, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_append_text(buffer, text);
}

/* The status of `levels` lists in an unknown key, 0 when they are accepted. */
static int read_nested(size_t levels, unsigned depth)
{
    struct buffer body = {0};
    struct todo_input input = {.content_type = "application/json", .json_depth = depth};
    struct todo_change change;
    struct todo_rejection rejection = {0};

    buffer_append_text(&body, "{\"[[\\\"\":1,\"a\":");
    append_times(&body, "[", levels);
    append_times(&body, "]", levels);
    buffer_append_char(&body, '}');
    input.body = body.data;
    input.size = body.size;
    (void)todo_input_read(&input, &change, NULL, NULL, &rejection);
    if (rejection.status == 400)
        CU_ASSERT_PTR_NOT_NULL(strstr(rejection.body.data, "nested too deep: line 1 column"));
    buffer_release(&body);
    todo_rejection_release(&rejection);
    return rejection.status;
}

static void test_json_nests_as_deep_as_the_setting_says(void)
{
    CU_ASSERT_EQUAL(read_nested(500, JSON_DEPTH), 0);
    CU_ASSERT_EQUAL(read_nested(JSON_DEPTH - 1, JSON_DEPTH), 0);
    CU_ASSERT_EQUAL(read_nested(JSON_DEPTH, JSON_DEPTH), 400);
    CU_ASSERT_EQUAL(read_nested(1999, 2000), 0);
    CU_ASSERT_EQUAL(read_nested(100000, 2000), 400);
    CU_ASSERT_EQUAL(read_nested(1, 1), 400);
}

/* Each value costs many times its text: a body within the limit could take all memory. */
static void test_json_of_very_many_values_is_refused(void)
{
    struct buffer body = {0};
    struct todo_input input = {.content_type = "application/json", .json_depth = JSON_DEPTH};
    struct todo_change change;
    struct todo_rejection rejection = {0};

    buffer_append_text(&body, "{\"x\":[[]");
    append_times(&body, ",[]", 300000);
    buffer_append_text(&body, "]}");
    input.body = body.data;
    input.size = body.size;
    CU_ASSERT_FALSE(todo_input_read(&input, &change, NULL, NULL, &rejection));
    CU_ASSERT_EQUAL(rejection.status, 400);
    CU_ASSERT_PTR_NOT_NULL(strstr(rejection.body.data, "too many values"));
    buffer_release(&body);
    todo_rejection_release(&rejection);
}

static void test_too_many_form_fields_are_refused(void)
{
    struct buffer body = {0};
    struct row row = {
        .name = "1001 fields",
        .content_type = URLENCODED,
        .status = 400,
        .expected = "{\"detail\":\"Too many form fields.\"}",
    };

    append_times(&body, "a=1&", 1001);
    row.body = body.data;
    row.size = body.size;
    CU_ASSERT(check(&row));
    buffer_release(&body);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Changes, drops or doubles some of the bytes. */
static void mutate(struct buffer *body, uint32_t *state)
{
    static const char pieces[][7] = {"\"",    "\\u0000",  "\\ud800", "{",  "]",   ":",
                                     "1e400", "\xe2\x82", "\xff",    "\n", "--B", "\r\n\r\n",
                                     "=",     "%f",       "&",       ";",  "0"};
    struct buffer result = {0};

    for (size_t i = 0; i < body->size; i++) {
        switch (next_random(state) % 64) {
        case 0:
            break;
        case 1:
            buffer_append_char(&result, (char)(uint8_t)next_random(state));
            break;
        case 2:
            buffer_append_text(
                &result, pieces[next_random(state) % (sizeof(pieces) / sizeof(pieces[0]))]);
            buffer_append_char(&result, body->data[i]);
            break;
        case 3:
            i = next_random(state) % body->size;
            buffer_append_char(&result, body->data[i]);
            break;
        default:
            buffer_append_char(&result, body->data[i]);
        }
        if (result.size > 4 * body->size)
            break;
    }
    buffer_release(body);
    *body = result;
}

static bool is_utf8(const char *text, size_t size)
{
    struct buffer copy = {0};
    bool is_good = text_append(&copy, text, size) == 0;

    buffer_release(&copy);
    return is_good;
}

/* Whether the answer to any body is a sound change, or a rejection with sound JSON. */
static bool is_answer_sound(const struct todo_input *input)
{
    struct todo_change change;
    struct todo_rejection rejection = {0};
    json_error_t error;
    json_t *json;
    bool is_sound;

    if (todo_input_read(input, &change, NULL, NULL, &rejection))
        return change.title_length < sizeof(change.title) &&
               is_utf8(change.title, change.title_length) &&
               text_count(change.title, change.title_length) <= TODO_TITLE_MAX;
    json = json_loadb(rejection.body.data, rejection.body.size, 0, &error);
    is_sound = (rejection.status == 400 || rejection.status == 415) && json_is_object(json);
    json_decref(json);
    todo_rejection_release(&rejection);
    return is_sound;
}

/* The same for a mutation of `text`. */
static bool is_mutation_sound(struct todo_input *input, const char *text, uint32_t *state)
{
    struct buffer body = {0};
    char *copy;
    bool is_sound;

    buffer_append_text(&body, text);
    mutate(&body, state);
    copy = copy_exact(body.data, body.size);
    input->body = copy;
    input->size = body.size;
    is_sound = copy && is_answer_sound(input);
    if (!is_sound)
        (void)fprintf(stderr, "input, %s: %.*s\n", input->content_type, (int)body.size,
                      body.data);
    free(copy);
    buffer_release(&body);
    return is_sound;
}

static void test_any_bytes_give_a_sound_answer(void)
{
    static const char *const types[] = {
        "application/json", "application/json; charset=utf-16",
        URLENCODED,         URLENCODED "; charset=shift_jis",
        MULTIPART,          MULTIPART "; charset=latin-1",
    };
    static const char *const bodies[] = {
        "{\"title\":\"a\\u00e9\\n "
        "\xe6\x97\xa5\",\"completed\":\"on\",\"order\":-1.5e3,\"x\":[{}]}",
        "{\"title\":1e400,\"a\\u0000\":{\"b\":[[true,null]]},\"order\":12345678901234567890}",
        "title=caf%C3%A9+x&completed=&order=5.0&title=\xc3\xa9%zz&x",
        "--B\r\nContent-Disposition: form-data; name=\"title\"; filename=\"\"\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nY2Fmw6k=\r\n" PART("order") "5\r\n--B--\r\n",
    };
    uint32_t state = 20240229;

    for (unsigned round = 0; round < 6000; round++) {
        struct todo_input input = {
            .mode = (enum todo_input_mode)(round % 3),
            .content_type = types[next_random(&state) % (sizeof(types) / sizeof(types[0]))],
            .json_depth = 4,
        };
        size_t body = next_random(&state) % (sizeof(bodies) / sizeof(bodies[0]));

        CU_ASSERT(is_mutation_sound(&input, bodies[body], &state));
    }
}

CU_TestInfo input_tests[] = {
    {"JSON objects become changes",            test_json_objects_become_changes           },
    {"bad JSON is refused with its position",  test_bad_json_is_refused_with_its_position },
    {"the Content-Type decides",               test_the_content_type_decides              },
    {"forms become changes",                   test_forms_become_changes                  },
    {"JSON nests as deep as the setting says", test_json_nests_as_deep_as_the_setting_says},
    {"JSON of very many values is refused",    test_json_of_very_many_values_is_refused   },
    {"too many form fields are refused",       test_too_many_form_fields_are_refused      },
    {"any bytes give a sound answer",          test_any_bytes_give_a_sound_answer         },
    CU_TEST_INFO_NULL,
};
