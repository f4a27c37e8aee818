#include "base/buffer.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdlib.h>
#include <string.h>

static void test_an_empty_buffer_can_be_released(void)
{
    struct buffer buffer = {0};

    buffer_release(&buffer);
    buffer_clear(&buffer);
    CU_ASSERT_PTR_NULL(buffer.data);
    CU_ASSERT_EQUAL(buffer.size, 0);
}

static void test_appending_nothing_gives_an_empty_text(void)
{
    struct buffer buffer = {0};

    buffer_append(&buffer, NULL, 0);
    CHECK_TEXT("nothing", "content", "", buffer.data);
    buffer_release(&buffer);
}

static void test_content_grows_and_ends_with_a_nul(void)
{
    struct buffer buffer = {0};

    for (unsigned i = 0; i < 100000; i++)
        buffer_append_char(&buffer, (char)('a' + i % 26));
    CU_ASSERT_EQUAL(buffer.size, 100000);
    CU_ASSERT_EQUAL(strlen(buffer.data), 100000);
    CU_ASSERT_EQUAL(buffer.data[99999], 'a' + 99999 % 26);
    buffer_clear(&buffer);
    buffer_append_format(&buffer, "%s-%03d", "x", 7);
    CHECK_TEXT("after clearing", "content", "x-007", buffer.data);
    buffer_release(&buffer);
}

static void test_a_failed_allocation_is_remembered(void)
{
    struct buffer buffer = {0};

    buffer_append_text(&buffer, "kept");
    CU_ASSERT_FALSE(buffer_reserve(&buffer, SIZE_MAX));
    buffer_append_text(&buffer, " and no more");
    buffer_append_format(&buffer, "%d", 1);
    CU_ASSERT_TRUE(buffer.failed);
    CHECK_TEXT("after failing", "content", "kept", buffer.data);
    buffer_clear(&buffer);
    CU_ASSERT_FALSE(buffer.failed);
    buffer_release(&buffer);
}

static void test_numbers_are_written_in_full(void)
{
    struct buffer buffer = {0};

    buffer_append_unsigned(&buffer, 0);
    buffer_append_char(&buffer, ' ');
    buffer_append_unsigned(&buffer, UINT64_MAX);
    buffer_append_char(&buffer, ' ');
    buffer_append_signed(&buffer, INT64_MIN);
    buffer_append_char(&buffer, ' ');
    buffer_append_signed(&buffer, -1);
    CHECK_TEXT("numbers", "content", "0 18446744073709551615 -9223372036854775808 -1",
               buffer.data);
    buffer_release(&buffer);
}

static void test_texts_are_escaped(void)
{
    static const struct {
        const char *name;
        void (*append)(struct buffer *buffer, const char *bytes, size_t size);
        const char *bytes;
        size_t size;
        const char *wanted;
    } rows[] = {
        {"JSON: empty",          buffer_append_json, "",                 0, "\"\""                     },
        {"JSON: plain",          buffer_append_json, "a/<&'\x7f",        6, "\"a/<&'\x7f\""            },
        {"JSON: quotes",         buffer_append_json, "\"\\",             2, "\"\\\"\\\\\""             },
        {"JSON: short escapes",  buffer_append_json, "\b\t\n\f\r",       5, "\"\\b\\t\\n\\f\\r\""      },
        {"JSON: control bytes",  buffer_append_json, "\0\x1f",           2, "\"\\u0000\\u001f\""       },
        {"JSON: line separator", buffer_append_json, "\xe2\x80\xa8",     3, "\"\\u2028\""              },
        {"JSON: paragraph",      buffer_append_json, "\xe2\x80\xa9",     3, "\"\\u2029\""              },
        {"JSON: one before",     buffer_append_json, "\xe2\x80\xa7",     3, "\"\xe2\x80\xa7\""         },
        {"JSON: cut separator",  buffer_append_json, "\xe2\x80",         2, "\"\xe2\x80\""             },
        {"JSON: emoji",          buffer_append_json, "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""     },
        {"HTML: entities",       buffer_append_html, "a&<>\"'",          6, "a&amp;&lt;&gt;&quot;&#39;"},
        {"HTML: text",           buffer_append_html, "\xc3\xa4 b",       4, "\xc3\xa4 b"               },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer buffer = {0};
        rows[i].append(&buffer, rows[i].bytes, rows[i].size);
        CHECK_TEXT(rows[i].name, "escaped", rows[i].wanted, buffer.data);
        buffer_release(&buffer);
    }
}

CU_TestInfo buffer_tests[] = {
    {"an empty buffer can be released",       test_an_empty_buffer_can_be_released      },
    {"appending nothing gives an empty text", test_appending_nothing_gives_an_empty_text},
    {"content grows and ends with a NUL",     test_content_grows_and_ends_with_a_nul    },
    {"a failed allocation is remembered",     test_a_failed_allocation_is_remembered    },
    {"numbers are written in full",           test_numbers_are_written_in_full          },
    {"texts are escaped",                     test_texts_are_escaped                    },
    CU_TEST_INFO_NULL,
};
