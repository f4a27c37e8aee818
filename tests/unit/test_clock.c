#include "base/clock.h"
#include "suites.h"

#include "../integration/check.h"

static void test_time_goes_forward(void)
{
    uint64_t start = clock_now();
    uint64_t end;

    clock_sleep(2000);
    end = clock_now();
    CHECK(end - start >= 2000, "sleep", "2000 microseconds took %llu",
          (unsigned long long)(end - start));
    CU_ASSERT(end - start < 1000000);
}

static void test_backoff_doubles_up_to_the_most(void)
{
    static const struct {
        const char *name;
        unsigned tries;
        uint64_t base, most;
        uint64_t longest;
    } rows[] = {
        {"first",              0,          100000,            5000000, 100000 },
        {"third",              2,          100000,            5000000, 400000 },
        {"at the most",        6,          100000,            5000000, 5000000},
        {"bits would be lost", 31,         UINT64_C(1) << 40, 5000000, 5000000},
        {"no bits left",       64,         100000,            5000000, 5000000},
        {"many tries",         UINT32_MAX, 100000,            5000000, 5000000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned round = 0; round < 100; round++) {
            uint64_t pause = clock_backoff(rows[i].tries, rows[i].base, rows[i].most);
            CHECK(pause <= rows[i].longest && pause >= rows[i].longest / 2, rows[i].name,
                  "a pause of %llu", (unsigned long long)pause);
        }
    }
}

static void test_backoff_is_jittered(void)
{
    uint64_t first = clock_backoff(0, 1000000, 5000000);
    unsigned same = 0;

    for (unsigned i = 0; i < 20; i++)
        same += clock_backoff(0, 1000000, 5000000) == first;
    CU_ASSERT(same < 20);
}

CU_TestInfo clock_tests[] = {
    {"time goes forward",              test_time_goes_forward             },
    {"backoff doubles up to the most", test_backoff_doubles_up_to_the_most},
    {"backoff is jittered",            test_backoff_is_jittered           },
    CU_TEST_INFO_NULL,
};
