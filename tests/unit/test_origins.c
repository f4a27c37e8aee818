#include "base/origins.h"
#include "suites.h"

#include "../integration/check.h"

static void test_lists_of_origins_are_valid(void)
{
    static const struct {
        const char *list;
        bool is_valid;
    } rows[] = {
        {"*",                               true },
        {"none",                            true },
        {"https://a.example",               true },
        {"http://127.0.0.1:8000",           true },
        {"HTTP://[::1]:8080",               true },
        {"http://a:443 https://a:80",       true },
        {"http://a:80",                     false},
        {"HTTPS://[::1]:443",               false},
        {"https://a, http://b:1 https://c", true },
        {",https://a,",                     true },
        {"",                                false},
        {",",                               false},
        {"a.example",                       false},
        {"https://",                        false},
        {"https://a/",                      false},
        {"https://a/b",                     false},
        {"https://a:",                      false},
        {"https://a:x",                     false},
        {"https://a:80x",                   false},
        {"https://u@a",                     false},
        {"ftp://a",                         false},
        {"null",                            false},
        {"https://*.a",                     false},
        {"https://a, *",                    false},
        {"https://a, none",                 false},
        {"**",                              false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_NUMBER(rows[i].list, "valid", rows[i].is_valid, origins_are_valid(rows[i].list));
}

static void test_origins_are_found_whole(void)
{
    static const char list[] = "https://a.example, http://b:81 http://c";
    static const struct {
        const char *list;
        const char *origin;
        int place;
    } rows[] = {
        {list,   "https://a.example",              0 },
        {list,   "http://b:81",                    1 },
        {list,   "HTTP://C",                       2 },
        {list,   "http://b:8",                     -1},
        {list,   "http://b",                       -1},
        {list,   "http://b:811",                   -1},
        {list,   "http://a.example",               -1},
        {list,   "https://a.example, http://b:81", -1},
        {list,   "",                               -1},
        {list,   "null",                           -1},
        {"none", "none",                           -1},
        {"none", "http://a",                       -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_NUMBER(rows[i].origin, "place", rows[i].place,
                     origins_find(rows[i].list, rows[i].origin));
}

CU_TestInfo origins_tests[] = {
    {"lists of origins are valid", test_lists_of_origins_are_valid},
    {"origins are found whole",    test_origins_are_found_whole   },
    CU_TEST_INFO_NULL,
};
