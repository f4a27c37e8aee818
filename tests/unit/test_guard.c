#include "http/guard.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>

#define TWO_LENGTHS   "More than one Content-Length"
#define BOTH          "exclude each other"
#define NO_NUMBER     "not a number"
#define TWO_ENCODINGS "More than one Transfer-Encoding"
#define NOT_CHUNKED   "only Transfer-Encoding is chunked"
#define MALFORMED     "malformed"

/* clang-format off */
static const struct {
    const char *name;
    const char *version; /* the part after HTTP/ */
    const char *target;
    const char *headers[3][2];
    const char *problem; /* NULL: let through */
} rows[] = {
    {"nothing but Host", "1.1", "/", {{"Host", "a"}}, NULL},
    {"a length", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5"}}, NULL},
    {"length 0", "1.1", "/", {{"Host", "a"}, {"Content-Length", "0"}}, NULL},
    {"chunked", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, NULL},
    {"Chunked", "1.1", "/", {{"Host", "a"}, {"transfer-encoding", "Chunked"}}, NULL},
    {"HTTP/1.0 without Host", "1.0", "/", {{NULL, NULL}}, NULL},
    {"HTTP/1.0 with a length", "1.0", "/", {{"Content-Length", "5"}}, NULL},
    {"bytes above ASCII in a value", "1.1", "/", {{"Host", "a"}, {"X", "\xc3\xa9"}}, NULL},

    {"no Host", "1.1", "/", {{"Accept", "*/*"}}, "needs a Host"},
    {"no Host, absolute target", "1.1", "http://a/", {{NULL, NULL}}, "needs a Host"},
    {"two Hosts", "1.1", "/", {{"Host", "a"}, {"Host", "b"}}, "More than one Host"},
    {"the same Host twice", "1.1", "/", {{"Host", "a"}, {"host", "a"}}, "More than one Host"},
    {"two Hosts in HTTP/1.0", "1.0", "/", {{"Host", "a"}, {"Host", "b"}}, "More than one Host"},
    {"two lengths", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5"},
                                 {"Content-Length", "6"}}, TWO_LENGTHS},
    {"the same length twice", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5"},
                                           {"Content-Length", "5"}}, TWO_LENGTHS},
    {"a list of lengths", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5, 5"}}, NO_NUMBER},
    {"negative length", "1.1", "/", {{"Host", "a"}, {"Content-Length", "-1"}}, NO_NUMBER},
    {"length with a sign", "1.1", "/", {{"Host", "a"}, {"Content-Length", "+5"}}, NO_NUMBER},
    {"hexadecimal length", "1.1", "/", {{"Host", "a"}, {"Content-Length", "0x5"}}, NO_NUMBER},
    {"length and text", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5 "}}, NO_NUMBER},
    {"empty length", "1.1", "/", {{"Host", "a"}, {"Content-Length", ""}}, NO_NUMBER},
    {"bad length in HTTP/1.0", "1.0", "/", {{"Content-Length", "x"}}, NO_NUMBER},
    {"both", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5"},
                          {"Transfer-Encoding", "chunked"}}, BOTH},
    {"both, the other order", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "chunked"},
                                           {"Content-Length", "5"}}, BOTH},
    {"both, length 0", "1.1", "/", {{"Host", "a"}, {"Content-Length", "0"},
                                    {"Transfer-Encoding", "chunked"}}, BOTH},
    {"both, encoding unknown", "1.1", "/", {{"Host", "a"}, {"Content-Length", "5"},
                                            {"Transfer-Encoding", "x"}}, BOTH},
    {"both in HTTP/1.0", "1.0", "/", {{"Content-Length", "5"},
                                      {"Transfer-Encoding", "chunked"}}, BOTH},
    {"two encodings", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "chunked"},
                                   {"Transfer-Encoding", "chunked"}}, TWO_ENCODINGS},
    {"unknown encoding", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "gzip"}}, NOT_CHUNKED},
    {"identity", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "identity"}}, NOT_CHUNKED},
    {"gzip, chunked", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}},
     NOT_CHUNKED},
    {"chunked, chunked", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "chunked, chunked"}},
     NOT_CHUNKED},
    {"more than chunked", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "chunkedx"}},
     NOT_CHUNKED},
    {"quoted chunked", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", "\"chunked\""}},
     NOT_CHUNKED},
    {"vertical tab before chunked", "1.1", "/", {{"Host", "a"},
                                                 {"Transfer-Encoding", "\x0b" "chunked"}}, MALFORMED},
    {"empty encoding", "1.1", "/", {{"Host", "a"}, {"Transfer-Encoding", ""}}, NOT_CHUNKED},
    {"chunked in HTTP/1.0", "1.0", "/", {{"Transfer-Encoding", "chunked"}}, "needs HTTP/1.1"},
    {"control byte in a value", "1.1", "/", {{"Host", "a"}, {"X", "a\x01"}}, MALFORMED},
    {"line feed in Host", "1.1", "/", {{"Host", "a\nb"}}, MALFORMED},
    {"blank before the colon", "1.1", "/", {{"Host", "a"}, {"Content-Length ", "5"}}, MALFORMED},
    {"blank in a name", "1.1", "/", {{"Host", "a"}, {"X Y", "5"}}, MALFORMED},
    {"NUL in the path: no route has it, 404", "1.1", "/todos%00", {{"Host", "a"}}, NULL},
    {"NUL before a suffix", "1.1", "/todos%00.json", {{"Host", "a"}}, NULL},
};
/* clang-format on */

static void test_what_can_be_read_in_two_ways_is_refused(void)
{
    struct http_request request = {0};
    char version[16];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *problem;
        unsigned status;

        http_request_clear(&request);
        (void)snprintf(version, sizeof(version), "HTTP/%s", rows[i].version);
        CU_ASSERT_FATAL(http_request_set_target(&request, rows[i].target));
        CU_ASSERT_FATAL(http_request_start(&request, "POST", version));
        for (size_t j = 0; j < 3 && rows[i].headers[j][0]; j++)
            http_request_add_header(&request, rows[i].headers[j][0], rows[i].headers[j][1]);
        http_request_finish_headers(&request);
        problem = http_guard_problem(&request, &status);
        if (rows[i].problem)
            CHECK_CONTAINS(rows[i].name, "problem", rows[i].problem, problem);
        else
            CHECK_TEXT(rows[i].name, "problem", NULL, problem);
    }
    http_request_release(&request);
}

static void test_a_method_is_a_token(void)
{
    static const struct {
        const char *method;
        const char *problem;
    } methods[] = {
        {"GET",             NULL                 },
        {"get",             NULL                 },
        {"!#$%&'*+-.^_`|~", NULL                 },
        {"",                "method is malformed"},
        {"GE(T",            "method is malformed"},
        {"GE\x01T",         "method is malformed"},
        {"GE\xc3\xa9T",     "method is malformed"},
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct http_request request = {0};
        const char *problem;
        unsigned status = 0;
        CU_ASSERT_TRUE(http_request_set_target(&request, "/"));
        CU_ASSERT_TRUE(http_request_start(&request, methods[i].method, "HTTP/1.1"));
        http_request_add_header(&request, "Host", "a");
        problem = http_guard_problem(&request, &status);
        if (methods[i].problem)
            CHECK_CONTAINS(methods[i].method, "problem", methods[i].problem, problem);
        else
            CHECK_TEXT(methods[i].method, "problem", NULL, problem);
        http_request_release(&request);
    }
}

CU_TestInfo guard_tests[] = {
    {"what can be read in two ways is refused", test_what_can_be_read_in_two_ways_is_refused},
    {"a method is a token",                     test_a_method_is_a_token                    },
    CU_TEST_INFO_NULL,
};
