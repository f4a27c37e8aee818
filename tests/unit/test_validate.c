#include "suites.h"

#include "todo/validate.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal)                                                                          \
    {                                                                                          \
        .type = TODO_VALUE_TEXT, .text = (literal), .length = sizeof(literal) - 1              \
    }
#define INTEGER(number)                                                                        \
    {                                                                                          \
        .type = TODO_VALUE_INTEGER, .integer = (number)                                        \
    }
#define REAL(number)                                                                           \
    {                                                                                          \
        .type = TODO_VALUE_REAL, .real = (number)                                              \
    }
#define BOOLEAN(value)                                                                         \
    {                                                                                          \
        .type = TODO_VALUE_BOOLEAN, .boolean = (value)                                         \
    }
#define NOTHING                                                                                \
    {                                                                                          \
        .type = TODO_VALUE_NULL                                                                \
    }
#define OTHER                                                                                  \
    {                                                                                          \
        .type = TODO_VALUE_OTHER                                                               \
    }

#define BAD_STRING  "{\"title\":[\"Not a valid string.\"]}"
#define BAD_NULL    "{\"completed\":[\"This field may not be null.\"]}"
#define BAD_BOOLEAN "{\"completed\":[\"Must be a valid boolean.\"]}"
#define BAD_INTEGER "{\"order\":[\"A valid integer is required.\"]}"
#define TOO_LARGE   "{\"order\":[\"Ensure this value is less than or equal to 2147483647.\"]}"
#define TOO_SMALL   "{\"order\":[\"Ensure this value is greater than or equal to -2147483648.\"]}"

/* A value and what becomes of it: its text when it is right, else the problems. */
struct row {
    const char *name;
    struct todo_value value;
    const char *expected;
};

/* clang-format off */
static const struct row titles[] = {
    {"null", NOTHING, "null"},
    {"empty", TEXT(""), ""},
    {"only blanks", TEXT(" \t\n"), ""},
    {"ASCII blanks around", TEXT("  a  b \r\n"), "a  b"},
    {"separators are blanks",
     TEXT("\x1c\x1f"
          "a\v\f"),
     "a"},
    {"Unicode blanks around",
     TEXT("\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80"
          "a\xe2\x80\x8a\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80"),
     "a"},
    {"U+200B and U+FEFF are no blanks",
     TEXT("\xe2\x80\x8b"
          "a\xef\xbb\xbf"),
     "\xe2\x80\x8b"
     "a\xef\xbb\xbf"},
    {"emoji", TEXT("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80"},
    {"NUL inside", TEXT("a\0b"), "{\"title\":[\"Null characters are not allowed.\"]}"},
    {"integer", INTEGER(5), "5"},
    {"least integer", INTEGER(INT64_MIN), "-9223372036854775808"},
    {"real 5.0", REAL(5.0), "5.0"},
    {"real 5.5", REAL(5.5), "5.5"},
    {"real -0.0", REAL(-0.0), "-0.0"},
    {"real 0.1", REAL(0.1), "0.1"},
    {"real 1e5", REAL(1e5), "100000.0"},
    {"real 1e15", REAL(1e15), "1000000000000000.0"},
    {"real 1e16", REAL(1e16), "1e+16"},
    {"real 1.5e300", REAL(1.5e300), "1.5e+300"},
    {"real 1e-4", REAL(1e-4), "0.0001"},
    {"real 1e-5", REAL(1e-5), "1e-05"},
    {"real 1e-7", REAL(1e-7), "1e-07"},
    {"real 17 digits", REAL(0.1 + 0.2), "0.30000000000000004"},
    {"real, smallest", REAL(5e-324), "5e-324"},
    {"real, largest", REAL(1.7976931348623157e308), "1.7976931348623157e+308"},
    {"real, a power of two", REAL(618970019642690137449562112.0), "6.189700196426902e+26"},
    {"boolean", BOOLEAN(true), BAD_STRING},
    {"other", OTHER, BAD_STRING},
};

static const struct row completeds[] = {
    {"true", BOOLEAN(true), "true"},
    {"false", BOOLEAN(false), "false"},
    {"null", NOTHING, BAD_NULL},
    {"1", INTEGER(1), "true"},
    {"0", INTEGER(0), "false"},
    {"2", INTEGER(2), BAD_BOOLEAN},
    {"-1", INTEGER(-1), BAD_BOOLEAN},
    {"1.0", REAL(1.0), "true"},
    {"-0.0", REAL(-0.0), "false"},
    {"0.5", REAL(0.5), BAD_BOOLEAN},
    {"text 1", TEXT("1"), "true"},
    {"text 0", TEXT("0"), "false"},
    {"text t", TEXT("t"), "true"},
    {"text Yes", TEXT("Yes"), "true"},
    {"text ON", TEXT("ON"), "true"},
    {"text N", TEXT("N"), "false"},
    {"text Off", TEXT("Off"), "false"},
    {"text FALSE", TEXT("FALSE"), "false"},
    {"text tRuE", TEXT("tRuE"), BAD_BOOLEAN},
    {"text with a blank", TEXT(" true"), BAD_BOOLEAN},
    {"text with a NUL", TEXT("true\0"), BAD_BOOLEAN},
    {"text null", TEXT("null"), BAD_BOOLEAN},
    {"empty text", TEXT(""), BAD_BOOLEAN},
    {"other", OTHER, BAD_BOOLEAN},
};

static const struct row orders[] = {
    {"null", NOTHING, "null"},
    {"5", INTEGER(5), "5"},
    {"largest", INTEGER(2147483647), "2147483647"},
    {"least", INTEGER(-2147483648LL), "-2147483648"},
    {"one too large", INTEGER(2147483648LL), TOO_LARGE},
    {"one too small", INTEGER(-2147483649LL), TOO_SMALL},
    {"64 bits", INTEGER(INT64_MIN), TOO_SMALL},
    {"5.0", REAL(5.0), "5"},
    {"-0.0", REAL(-0.0), "0"},
    {"1e3", REAL(1e3), "1000"},
    {"1e15", REAL(1e15), TOO_LARGE},
    {"1e16 has an exponent", REAL(1e16), BAD_INTEGER},
    {"5.5", REAL(5.5), BAD_INTEGER},
    {"text 5", TEXT("5"), "5"},
    {"text +5", TEXT("+5"), "5"},
    {"text -5.0", TEXT("-5.0"), "-5"},
    {"text 05", TEXT("05"), "5"},
    {"text with blanks", TEXT("\t5 \n"), "5"},
    {"text with Unicode blanks",
     TEXT("\xc2\xa0"
          "5\xe3\x80\x80"),
     "5"},
    {"text 5.", TEXT("5."), "5"},
    {"text 5.00 and a blank", TEXT("5.00 "), "5"},
    {"text 5 .0", TEXT("5 .0"), "5"},
    {"text 100", TEXT("100"), "100"},
    {"text 5.0.0", TEXT("5.0.0"), BAD_INTEGER},
    {"text 5.5", TEXT("5.5"), BAD_INTEGER},
    {"empty text", TEXT(""), BAD_INTEGER},
    {"blank text", TEXT(" "), BAD_INTEGER},
    {"text .", TEXT("."), BAD_INTEGER},
    {"text .0", TEXT(".0"), BAD_INTEGER},
    {"text -", TEXT("-"), BAD_INTEGER},
    {"text - 5", TEXT("- 5"), BAD_INTEGER},
    {"text 1e3", TEXT("1e3"), BAD_INTEGER},
    {"text 0x10", TEXT("0x10"), BAD_INTEGER},
    {"text 1,000", TEXT("1,000"), BAD_INTEGER},
    {"text 1_000", TEXT("1_000"), BAD_INTEGER},
    {"a digit of another script", TEXT("\xef\xbc\x95"), BAD_INTEGER},
    {"text with a NUL", TEXT("5\0"), BAD_INTEGER},
    {"text null", TEXT("null"), BAD_INTEGER},
    {"text too large", TEXT("2147483648"), TOO_LARGE},
    {"text far too large", TEXT("99999999999999999999999999"), TOO_LARGE},
    {"text far too small", TEXT("-99999999999999999999999999"), TOO_SMALL},
    {"boolean", BOOLEAN(false), BAD_INTEGER},
    {"other", OTHER, BAD_INTEGER},
};
/* clang-format on */

/* The one field that `change` sets, as text. */
static void describe(const struct todo_change *change, struct buffer *out)
{
    if (change->title_set)
        buffer_append_text(out, change->title_null ? "null" : change->title);
    if (change->completed_set)
        buffer_append_text(out, change->completed ? "true" : "false");
    if (change->order_set && change->order_null)
        buffer_append_text(out, "null");
    else if (change->order_set)
        buffer_append_signed(out, change->order);
}

static bool check(const char *field, const char *name, const struct todo_values *values,
                  const char *expected)
{
    struct todo_change change = {0};
    struct buffer result = {0};
    bool is_right;

    if (todo_validate(values, &change, &result))
        describe(&change, &result);
    is_right = strcmp(result.data ? result.data : "", expected) == 0;
    if (!is_right)
        (void)fprintf(stderr, "%s, %s: %s, not %s\n", field, name,
                      result.data ? result.data : "nothing", expected);
    buffer_release(&result);
    return is_right;
}

static void test_titles_are_trimmed_texts_or_numbers(void)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        struct todo_values values = {.of = {[TODO_TITLE] = titles[i].value}};

        CU_ASSERT(check("title", titles[i].name, &values, titles[i].expected));
    }
}

static void test_completed_is_a_boolean_in_many_spellings(void)
{
    for (size_t i = 0; i < sizeof(completeds) / sizeof(completeds[0]); i++) {
        struct todo_values values = {.of = {[TODO_COMPLETED] = completeds[i].value}};

        CU_ASSERT(check("completed", completeds[i].name, &values, completeds[i].expected));
    }
}

static void test_order_is_a_32_bit_integer(void)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct todo_values values = {.of = {[TODO_ORDER] = orders[i].value}};

        CU_ASSERT(check("order", orders[i].name, &values, orders[i].expected));
    }
}

/* A title of `count` times `piece`, put between blanks. */
static bool is_title_accepted(const char *piece, size_t count, bool *is_whole)
{
    struct buffer text = {0};
    struct buffer problems = {0};
    struct todo_values values = {.of = {[TODO_TITLE] = {.type = TODO_VALUE_TEXT}}};
    struct todo_change change = {0};
    bool is_accepted;

    buffer_append_text(&text, "  ");
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&text, piece);
    buffer_append_text(&text, "  ");
    values.of[TODO_TITLE].text = text.data;
    values.of[TODO_TITLE].length = text.size;
    is_accepted = todo_validate(&values, &change, &problems);
    *is_whole = change.title_length == strlen(piece) * count &&
                strlen(change.title) == change.title_length;
    buffer_release(&text);
    buffer_release(&problems);
    return is_accepted;
}

static void test_a_title_has_at_most_256_code_points(void)
{
    static const char *const pieces[] = {"x", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        bool is_whole = false;

        CU_ASSERT_TRUE(is_title_accepted(pieces[i], 256, &is_whole));
        CU_ASSERT_TRUE(is_whole);
        CU_ASSERT_FALSE(is_title_accepted(pieces[i], 257, &is_whole));
    }
}

static void test_an_order_text_has_at_most_1000_code_points(void)
{
    char text[1002];
    struct todo_values values = {
        .of[TODO_ORDER] = {.type = TODO_VALUE_TEXT, .text = text, .length = 1000},
    };

    memset(text, '0', sizeof(text));
    CU_ASSERT(check("order", "1000 zeros", &values, "0"));
    values.of[TODO_ORDER].length = 1001;
    CU_ASSERT(
        check("order", "1001 zeros", &values, "{\"order\":[\"String value too large.\"]}"));
}

static void test_all_fields_are_checked_and_reported_in_order(void)
{
    char title[258];
    struct todo_values values = {
        .of[TODO_TITLE] = {.type = TODO_VALUE_TEXT, .text = title, .length = sizeof(title)},
        .of[TODO_COMPLETED] = NOTHING,
        .of[TODO_ORDER] = BOOLEAN(true),
    };

    memset(title, 'x', sizeof(title));
    title[1] = '\0';
    CU_ASSERT(check("all", "four problems", &values,
                    "{\"title\":[\"Ensure this field has no more than 256 characters.\","
                    "\"Null characters are not allowed.\"],"
                    "\"completed\":[\"This field may not be null.\"],"
                    "\"order\":[\"A valid integer is required.\"]}"));
}

static void test_absent_fields_stay_unset(void)
{
    struct todo_values values = {0};

    CU_ASSERT(check("all", "absent", &values, ""));
}

CU_TestInfo validate_tests[] = {
    {"titles are trimmed texts or numbers",          test_titles_are_trimmed_texts_or_numbers     },
    {"completed is a boolean in many spellings",     test_completed_is_a_boolean_in_many_spellings},
    {"order is a 32-bit integer",                    test_order_is_a_32_bit_integer               },
    {"a title has at most 256 code points",          test_a_title_has_at_most_256_code_points     },
    {"an order text has at most 1000 code points",
     test_an_order_text_has_at_most_1000_code_points                                              },
    {"all fields are checked and reported in order",
     test_all_fields_are_checked_and_reported_in_order                                            },
    {"absent fields stay unset",                     test_absent_fields_stay_unset                },
    CU_TEST_INFO_NULL,
};
