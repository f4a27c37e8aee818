#include "http/prefer.h"
#include "suites.h"

#include "../integration/check.h"

static void test_wait_is_read(void)
{
    static const struct {
        const char *prefer;
        int seconds; /* -1: none */
    } rows[] = {
        {"wait=25",                                25     },
        {"wait=0",                                 0      },
        {"Wait = 7",                               7      },
        {"WAIT=\t\"7\"",                           7      },
        {"wait=7; a=b",                            7      },
        {"respond-async, wait=10",                 10     },
        {"respond-async,wait=10,handling=lenient", 10     },
        {", ,wait=3",                              3      },
        {"a=\"x, wait=1\", wait=2",                2      },
        {"a=\"\\\", wait=1\", wait=2",             2      },
        {"wait=1, wait=2",                         1      },
        {"wait=99999999999999999999",              1000000},
        {"a; wait=5",                              -1     },
        {"waits=5",                                -1     },
        {"await=5",                                -1     },
        {"wait",                                   -1     },
        {"wait=",                                  -1     },
        {"wait=x",                                 -1     },
        {"wait=1x",                                -1     },
        {"wait=-1",                                -1     },
        {"wait=1.5",                               -1     },
        {"wait=\"1",                               -1     },
        {"wait=\"\"",                              -1     },
        {"\"wait=1\"",                             -1     },
        {"a=\"x, wait=1",                          -1     },
        {"",                                       -1     },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned seconds = 0;
        bool is_there = http_prefer_wait(rows[i].prefer, &seconds);
        CHECK_NUMBER(rows[i].prefer, "seconds", rows[i].seconds,
                     is_there ? (long long)seconds : -1);
    }
    CU_ASSERT_FALSE(http_prefer_wait(NULL, &(unsigned){0}));
}

CU_TestInfo prefer_tests[] = {
    {"wait is read", test_wait_is_read},
    CU_TEST_INFO_NULL,
};
