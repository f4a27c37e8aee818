#include "base/random.h"
#include "base/text.h"
#include "suites.h"

#include "../integration/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 4096

static void *take(void *numbers)
{
    for (size_t i = 0; i < COUNT; i++)
        ((uint64_t *)numbers)[i] = random_next();
    return NULL;
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;

    return (a > b) - (a < b);
}

/* Each bit is set in about half of them: off by six deviations is one chance in 10^9. */
static void check_bits(const uint64_t *numbers, size_t count)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        size_t set = 0;
        for (size_t i = 0; i < count; i++)
            set += numbers[i] >> bit & 1;
        CHECK(set > count / 2 - count / 20 && set < count / 2 + count / 20, "bit",
              "%u is set in %zu of %zu", bit, set, count);
    }
}

static void test_numbers_of_two_threads_differ(void)
{
    static uint64_t numbers[2 * COUNT];
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++)
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, take, numbers + i * COUNT) == 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    check_bits(numbers, 2 * COUNT);
    qsort(numbers, 2 * COUNT, sizeof(numbers[0]), compare);
    for (size_t i = 1; i < 2 * COUNT; i++)
        CHECK(numbers[i - 1] != numbers[i], "numbers", "%llx twice",
              (unsigned long long)numbers[i]);
}

static void test_digits_are_written(void)
{
    static const struct {
        uint64_t number;
        size_t digits;
        const char *text;
    } rows[] = {
        {0,                  1,  "0"               },
        {0xabcdef0123456789, 16, "abcdef0123456789"},
        {0x1f,               4,  "001f"            },
        {0x12345,            3,  "345"             }, /* the lowest ones */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[18] = "................."; /* what follows stays */
        text_write_hex(text, rows[i].number, rows[i].digits);
        CU_ASSERT_EQUAL(text[rows[i].digits], '.');
        text[rows[i].digits] = '\0';
        CHECK_TEXT(rows[i].text, "text", rows[i].text, text);
    }
}

static void test_so_many_digits_are_filled(void)
{
    for (size_t digits = 0; digits <= 40; digits++) {
        char text[42];
        memset(text, '.', sizeof(text));
        random_fill_hex(text, digits);
        text[41] = '\0';
        CHECK(strspn(text, "0123456789abcdef") == digits, "digits", "wanted %zu, got %s",
              digits, text);
    }
}

CU_TestInfo random_tests[] = {
    {"numbers of two threads differ", test_numbers_of_two_threads_differ},
    {"digits are written",            test_digits_are_written           },
    {"so many digits are filled",     test_so_many_digits_are_filled    },
    CU_TEST_INFO_NULL,
};
