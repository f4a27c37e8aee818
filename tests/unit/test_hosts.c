#include "base/hosts.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

static void test_lists_that_can_match_are_valid(void)
{
    static const struct {
        const char *list;
        bool is_valid;
    } rows[] = {
        {"*",                     true },
        {"a",                     true },
        {"a.example",             true },
        {"a.example.",            true },
        {".a.example",            true },
        {"*.a.example",           true },
        {"*.a.example.",          true },
        {"127.0.0.1",             true },
        {"[::1]",                 true },
        {"[2001:db8::1]",         true },
        {" a , b\t,,*,",          true },
        {"",                      false},
        {" , ",                   false},
        {".",                     false},
        {"..",                    false},
        {"*.",                    false},
        {"**",                    false},
        {"*a",                    false},
        {"a.*",                   false},
        {"a*.example",            false},
        {"*..a",                  false},
        {"..a",                   false},
        {"a..b",                  false},
        {"a:8000",                false},
        {"*:8000",                false},
        {"[::1]:8000",            false},
        {"::1",                   false},
        {"[::1",                  false},
        {"[]",                    false},
        {"[a.example]",           false},
        {"[127.0.0.1]",           false},
        {"[::g]",                 false},
        {"a_b",                   false},
        {"a/b",                   false},
        {"http://a",              false},
        {"b\xc3\xbc"
         "cher.example", false},
        {"a, b:8000",             false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_NUMBER(rows[i].list, "valid", rows[i].is_valid, hosts_are_valid(rows[i].list));
}

static void test_hosts_are_allowed_by_name(void)
{
    static const struct {
        const char *host, *list;
        bool is_allowed;
    } rows[] = {
        {"example.com",      "example.com",    true },
        {"Example.COM",      "eXample.com",    true },
        {"example.com.",     "example.com",    true },
        {"example.com",      "example.com.",   true },
        {"example.com.",     "example.com.",   true },
        {"www.example.com",  "example.com",    false},
        {"com",              "example.com",    false},
        {"example.com.evil", "example.com",    false},
        {"badexample.com",   "example.com",    false},
        {"example.com",      ".example.com",   true },
        {"a.b.Example.com",  ".example.com",   true },
        {"a.example.com.",   ".example.com.",  true },
        {"badexample.com",   ".example.com",   false},
        {".example.com",     ".example.com",   false},
        {"com",              ".example.com",   false},
        {"a.example.com",    "*.example.com",  true },
        {"a.b.Example.com.", "*.example.com",  true },
        {"a.example.com",    "*.example.com.", true },
        {"example.com",      "*.example.com",  false},
        {".example.com",     "*.example.com",  false},
        {"badexample.com",   "*.example.com",  false},
        {"a",                "a,b",            true },
        {"c",                "a, b\t ,c",      true },
        {"d",                "a, b ,c",        false},
        {"d",                "a, *",           true },
        {"[::1]",            "[::1]",          true },
        {"[::2]",            "[::1]",          false},
        {"a",                "",               false},
        {"a",                "b,",             false},
        {".",                "b,",             false},
        {".",                "*",              true },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK(hosts_allow(rows[i].list, rows[i].host, strlen(rows[i].host)) ==
                  rows[i].is_allowed,
              rows[i].host, "by %s: not %d", rows[i].list, rows[i].is_allowed);
}

CU_TestInfo hosts_tests[] = {
    {"lists that can match are valid", test_lists_that_can_match_are_valid},
    {"hosts are allowed by name",      test_hosts_are_allowed_by_name     },
    CU_TEST_INFO_NULL,
};
