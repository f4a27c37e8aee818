#include "api/idempotency.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

#define LONGEST                                                                                \
    "123456789012345678901234567890123456789012345678901"                                      \
    "123456789012345678901234567890123456789012345678901"                                      \
    "123456789012345678901234567890123456789012345678901"                                      \
    "123456789012345678901234567890123456789012345678901"                                      \
    "123456789012345678901234567890123456789012345678901"

#define BARE   "visible ASCII characters other than"
#define QUOTED "with a backslash before each"
#define LONG   "no more than 255 characters"

static void test_a_key_is_a_string_with_or_without_its_quotes(void)
{
    static const struct {
        const char *value;
        const char *key;     /* NULL: refused, */
        const char *problem; /* with these words */
    } rows[] = {
        {"\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "8e03978e-40d5-43e8-bc93-6894a57f9324",
         NULL                                                                                                   },
        {"8e03978e-40d5-43e8-bc93-6894a57f9324",     "8e03978e-40d5-43e8-bc93-6894a57f9324", NULL               },
        {"\"a\"",                                    "a",                                    NULL               },
        {"a",                                        "a",                                    NULL               },
        {"  \"a\"\t ",                               "a",                                    NULL               },
        {"\" a b \"",                                " a b ",                                NULL               },
        {"\"a,b;c\"",                                "a,b;c",                                NULL               },
        {"\"a\\\"b\\\\c\"",                          "a\"b\\c",                              NULL               },
        {"aGVsbG8/+w==",                             "aGVsbG8/+w==",                         NULL               },
        {"'a'!~",                                    "'a'!~",                                NULL               },
        {LONGEST,                                    LONGEST,                                NULL               },
        {"\"" LONGEST "\"",                          LONGEST,                                NULL               },
        {LONGEST "6",                                NULL,                                   LONG               },
        {"\"" LONGEST "6\"",                         NULL,                                   LONG               },
        {"",                                         NULL,                                   "must not be empty"},
        {"  ",                                       NULL,                                   "must not be empty"},
        {"\"\"",                                     NULL,                                   "must not be empty"},
        {"\"",                                       NULL,                                   BARE               },
        {"\"a",                                      NULL,                                   BARE               },
        {"a\"",                                      NULL,                                   BARE               },
        {"\"a\";b=1",                                NULL,                                   BARE               },
        {"\"a\", \"b\"",                             NULL,                                   QUOTED             },
        {"a,b",                                      NULL,                                   BARE               },
        {"a;b",                                      NULL,                                   BARE               },
        {"a b",                                      NULL,                                   BARE               },
        {"a\\b",                                     NULL,                                   BARE               },
        {"\"a\\b\"",                                 NULL,                                   QUOTED             },
        {"\"a\\\"",                                  NULL,                                   QUOTED             },
        {"\"a\"b\"",                                 NULL,                                   QUOTED             },
        {"\xc3\xa9",                                 NULL,                                   BARE               },
        {"\"\xc3\xa9\"",                             NULL,                                   QUOTED             },
        {"\"a\tb\"",                                 NULL,                                   QUOTED             },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_request request = {0};
        struct todo_key key;
        const char *problem = NULL;
        bool good;

        http_request_add_header(&request, "Idempotency-Key", rows[i].value);
        good = idempotency_read_key(&request, &key, &problem);
        CHECK_TEXT(rows[i].value, "key", rows[i].key, good ? key.text : NULL);
        if (good)
            CHECK_NUMBER(rows[i].value, "length", (long long)strlen(rows[i].key),
                         (long long)key.length);
        else if (rows[i].problem)
            CHECK_CONTAINS(rows[i].value, "problem", rows[i].problem, problem);
        http_request_release(&request);
    }
}

static void test_a_key_is_sent_once(void)
{
    struct http_request request = {0};
    struct todo_key key;
    const char *problem = NULL;

    http_request_add_header(&request, "Idempotency-Key", "a");
    http_request_add_header(&request, "idempotency-key", "a");
    CU_ASSERT(!idempotency_read_key(&request, &key, &problem));
    CHECK_CONTAINS("twice", "problem", "sent only once", problem);
    http_request_release(&request);
}

/* Of rows with the same number, the fingerprints are the same; no others are. */
static void test_a_fingerprint_is_of_what_is_created(void)
{
    static const struct {
        int number;
        struct todo_change change;
        enum todo_url_format format;
    } rows[] = {
        {1,  {0},                                                                     TODO_URL_PLAIN      },
        {1,  {.title_set = true, .title_null = true},                                 TODO_URL_PLAIN      },
        {1,  {.completed_set = true},                                                 TODO_URL_PLAIN      },
        {1,  {.order_set = true, .order_null = true},                                 TODO_URL_PLAIN      },
        {2,  {0},                                                                     TODO_URL_FORMAT_JSON},
        {3,  {.title_set = true},                                                     TODO_URL_PLAIN      },
        {4,  {.title_set = true, .title = "a", .title_length = 1},                    TODO_URL_PLAIN      },
        {5,  {.title_set = true, .title = "b", .title_length = 1},                    TODO_URL_PLAIN      },
        {6,  {.title_set = true, .title = "ab", .title_length = 2},                   TODO_URL_PLAIN      },
        {7,  {.completed_set = true, .completed = true},                              TODO_URL_PLAIN      },
        {8,  {.order_set = true},                                                     TODO_URL_PLAIN      },
        {9,  {.order_set = true, .order = 1},                                         TODO_URL_PLAIN      },
        {10, {.order_set = true, .order = -1},                                        TODO_URL_PLAIN      },
        {4,
         {.title_set = true, .title = "a", .title_length = 1, .completed_set = true},
         TODO_URL_PLAIN                                                                                   },
    };
    struct todo_key keys[sizeof(rows) / sizeof(rows[0])];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        todo_key_set_fingerprint(&keys[i], &rows[i].change, rows[i].format);
        for (size_t j = 0; j < i; j++)
            CHECK((keys[i].fingerprint == keys[j].fingerprint) ==
                      (rows[i].number == rows[j].number),
                  "fingerprint", "of rows %zu and %zu", i + 1, j + 1);
    }
}

static void test_ids_are_read_as_they_were_written(void)
{
    static const struct {
        const char *text;
        size_t count; /* of the request */
        bool is_same;
        int64_t last; /* of those that are the same */
    } rows[] = {
        {"7",                   1, true,  7        },
        {"9223372036854775807", 1, true,  INT64_MAX},
        {"7,10,13",             3, true,  13       },
        {"7,10",                3, false, 0        },
        {"7,10,13,16",          3, false, 0        },
        {"",                    1, false, 0        },
        {"x",                   1, false, 0        },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct todo_key key = {.fingerprint = -5};
        int64_t ids[3] = {0};
        struct todo_key_use use = {.key = &key, .ids = ids, .id_count = rows[i].count};

        todo_key_use_read(&use, -5, rows[i].text);
        CHECK_NUMBER(rows[i].text, "state", TODO_KEY_USED, use.state);
        CHECK_NUMBER(rows[i].text, "is the same", rows[i].is_same, use.is_same);
        if (use.is_same)
            CHECK_NUMBER(rows[i].text, "last", rows[i].last, ids[rows[i].count - 1]);
        todo_key_use_read(&use, 5, rows[i].text);
        CHECK(!use.is_same, rows[i].text, "another fingerprint");
    }
}

CU_TestInfo idempotency_tests[] = {
    {"a key is a string with or without its quotes",
     test_a_key_is_a_string_with_or_without_its_quotes                                       },
    {"a key is sent once",                           test_a_key_is_sent_once                 },
    {"a fingerprint is of what is created",          test_a_fingerprint_is_of_what_is_created},
    {"ids are read as they were written",            test_ids_are_read_as_they_were_written  },
    CU_TEST_INFO_NULL,
};
