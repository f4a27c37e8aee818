#include "http/trace.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define T    "4bf92f3577b34da6a3ce929d0e0e4736"
#define S    "00f067aa0ba902b7"
#define Z    "00000000000000000000000000000000"
#define AMZN "5759e988bd862e3fe1be46a994272793"
#define ROOT "Root=1-5759e988-bd862e3fe1be46a994272793"

#define OPEN HTTP_SAMPLING_OPEN
#define NO   HTTP_SAMPLING_NO
#define YES  HTTP_SAMPLING_YES

/* `id` NULL: a trace begins here; then there is no parent. */
static const struct row {
    const char *traceparent, *amzn;
    const char *id, *parent;
    enum http_sampling sampling;
    bool asks;
} rows[] = {
  /* W3C Trace Context: version 00 is 55 bytes */
    {"00-" T "-" S "-01",                              NULL,                                                                               T,    S,                  YES,  false},
    {"00-" T "-" S "-00",                              NULL,                                                                               T,    S,                  NO,   false},
    {"00-" T "-" S "-02",                              NULL,                                                                               T,    S,                  NO,   false}, /* flags that are not known */
    {"00-" T "-" S "-ff",                              NULL,                                                                               T,    S,                  YES,  false},
    {"00-" T "-" S "-01-",                             NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "-01-more",                         NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "-01 ",                             NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "-1",                               NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "-",                                NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S,                                    NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T,                                          NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-",                                            NULL,                                                                               NULL, "",                 OPEN, false},
    {"0",                                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"",                                               NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" Z "-" S "-01",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-0000000000000000-01",                   NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" S "-01",   NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-00F067AA0BA902B7-01",                   NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "-0A",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "-0g",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-g"
     "bf92f3577b34da6a3ce929d0e0e4736-" S "-01",
     NULL,                                                                                                                                 NULL, "",                 OPEN, false},
    {"00_" T "-" S "-01",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "_" S "-01",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "_01",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "0-" S "-01",                             NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "-" S "0-1",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {" 00-" T "-" S "-01",                             NULL,                                                                               NULL, "",                 OPEN, false},
    {"00-" T "'-" S "-01",                             NULL,                                                                               NULL, "",                 OPEN, false},
 /* later versions: as much as is known */
    {"01-" T "-" S "-01",                              NULL,                                                                               T,    S,                  YES,  false},
    {"cc-" T "-" S "-00-what the future will be like", NULL,                                                                               T,    S,                  NO,   false},
    {"fe-" T "-" S "-01-",                             NULL,                                                                               T,    S,                  YES,  false},
    {"cc-" T "-" S "-01.more",                         NULL,                                                                               NULL, "",                 OPEN, false},
    {"cc-" T "-" S "-011",                             NULL,                                                                               NULL, "",                 OPEN, false},
    {"ff-" T "-" S "-01",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"0-" T "-" S "-01x",                              NULL,                                                                               NULL, "",                 OPEN, false},
    {"000-" T "-" S "-01",                             NULL,                                                                               NULL, "",                 OPEN, false},
    {"C0-" T "-" S "-01",                              NULL,                                                                               NULL, "",                 OPEN, false},

 /* X-Amzn-Trace-Id: in any order, with more */
    {NULL,                                             ROOT,                                                                               AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Parent=53995c3f42cd8ad8;Sampled=1",                                          AMZN, "53995c3f42cd8ad8", YES,  false},
    {NULL,                                             "Sampled=0;Parent=53995c3f42cd8ad8;" ROOT,                                          AMZN, "53995c3f42cd8ad8", NO,   false},
    {NULL,                                             "Self=1-67891234-12456789abcdef012345678;" ROOT,                                    AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2",
     AMZN,                                                                                                                                       "53995c3f42cd8ad8", YES,  false},
    {NULL,                                             ROOT "; Parent=53995c3f42cd8ad8 ; Sampled = ?",                                     AMZN, "53995c3f42cd8ad8", OPEN,
     true                                                                                                                                                                       },
    {NULL,                                             ";;" ROOT ";=;a;b=;",                                                               AMZN, "",                 OPEN, false},
    {NULL,                                             "Root=1-5759E988-BD862E3FE1BE46A994272793;Parent=53995C3F42CD8AD8",                 AMZN,
     "53995c3f42cd8ad8",                                                                                                                                             OPEN, false},
 /* wrong parts */
    {NULL,                                             ROOT ";Parent=53995c3f42cd8ad",                                                     AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Parent=53995c3f42cd8adg",                                                    AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Parent=0000000000000000",                                                    AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Sampled=2",                                                                  AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Sampled=",                                                                   AMZN, "",                 OPEN, false},
    {NULL,                                             ROOT ";Sampled=10",                                                                 AMZN, "",                 OPEN, false},
    {NULL,                                             "root=1-5759e988-bd862e3fe1be46a994272793",                                         NULL, "",                 OPEN, false},
    {NULL,                                             "Root=2-5759e988-bd862e3fe1be46a994272793",                                         NULL, "",                 OPEN, false},
    {NULL,                                             "Root=1-5759e988-bd862e3fe1be46a99427279",                                          NULL, "",                 OPEN, false},
    {NULL,                                             "Root=1-5759e988-bd862e3fe1be46a9942727933",                                        NULL, "",                 OPEN, false},
    {NULL,                                             "Root=1-5759e98-8bd862e3fe1be46a994272793",                                         NULL, "",                 OPEN, false},
    {NULL,                                             "Root=1-5759e988-bd862e3fe1be46a99427279*",                                         NULL, "",                 OPEN, false},
    {NULL,                                             "Root=1-00000000-000000000000000000000000",                                         NULL, "",                 OPEN, false},
    {NULL,                                             "Root=",                                                                            NULL, "",                 OPEN, false},
    {NULL,                                             "Root",                                                                             NULL, "",                 OPEN, false},
    {NULL,                                             "",                                                                                 NULL, "",                 OPEN, false},
 /* without its trace, a parent says nothing; what is to be sent is said all the same */
    {NULL,                                             "Parent=53995c3f42cd8ad8;Sampled=1",                                                NULL, "",                 YES,  false},
    {NULL,                                             "Root=1;Parent=53995c3f42cd8ad8;Sampled=0",                                         NULL, "",                 NO,   false},
    {NULL,                                             ROOT ";Root=bad",                                                                   NULL, "",                 OPEN, false},
    {NULL,                                             "Root=bad;" ROOT,                                                                   AMZN, "",                 OPEN, false},

 /* both: traceparent, if it is good */
    {"00-" T "-" S "-00",                              ROOT ";Sampled=1",                                                                  T,    S,                  NO,   false},
    {"00-" T "-" S "-01",                              ROOT ";Sampled=?",                                                                  T,    S,                  YES,  false},
    {"00-" T "-" S "-0",                               ROOT ";Parent=53995c3f42cd8ad8;Sampled=1",                                          AMZN, "53995c3f42cd8ad8",
     YES,                                                                                                                                                                  false},
    {NULL,                                             NULL,                                                                               NULL, "",                 OPEN, false},
};

static bool is_hex(const char *text, size_t digits)
{
    return strspn(text, "0123456789abcdef") == digits && text[digits] == '\0';
}

/* The seconds are in front: not more than a few ago. */
static void check_begun(const char *row, const char *id)
{
    char seconds[9] = "";
    long age;

    memcpy(seconds, id, 8);
    age = (long)time(NULL) - strtol(seconds, NULL, 16);
    CHECK(age >= 0 && age < 60, row, "%s began %ld s ago", id, age);
}

static void test_headers_give_the_trace(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct http_trace trace;
        char name[256];

        (void)snprintf(name, sizeof(name), "%s | %s", row->traceparent ? row->traceparent : "-",
                       row->amzn ? row->amzn : "-");
        memset(&trace, 'x', sizeof(trace)); /* what was there before */
        http_trace_start(&trace, row->traceparent, row->amzn);
        if (row->id)
            CHECK_TEXT(name, "id", row->id, trace.id);
        else
            check_begun(name, trace.id);
        CHECK(is_hex(trace.id, 32), name, "id: %.40s", trace.id);
        CHECK(is_hex(trace.span, 16), name, "span: %.20s", trace.span);
        CHECK_TEXT(name, "parent", row->parent, trace.parent);
        CHECK_NUMBER(name, "sampling", row->sampling, trace.sampling);
        CHECK_NUMBER(name, "asks", row->asks, trace.asks);
    }
}

static void test_each_request_has_a_span_of_its_own(void)
{
    struct http_trace one;
    struct http_trace other;

    http_trace_start(&one, "00-" T "-" S "-01", NULL);
    http_trace_start(&other, "00-" T "-" S "-01", NULL);
    CU_ASSERT_STRING_NOT_EQUAL(one.span, other.span);
    http_trace_start(&one, NULL, NULL);
    http_trace_start(&other, NULL, NULL);
    CU_ASSERT_STRING_NOT_EQUAL(one.id, other.id);
}

static void test_what_a_callee_is_told(void)
{
    struct http_trace trace;
    char text[HTTP_TRACE_PARENT_LENGTH + 1];

    http_trace_start(&trace, "00-" T "-" S "-01", NULL);
    memcpy(trace.span, "0123456789abcdef", 16);
    http_trace_print(&trace, text);
    CU_ASSERT_STRING_EQUAL(text, "00-" T "-0123456789abcdef-01");
    trace.sampling = HTTP_SAMPLING_OPEN;
    http_trace_print(&trace, text);
    CU_ASSERT_STRING_EQUAL(text, "00-" T "-0123456789abcdef-00");
}

CU_TestInfo trace_tests[] = {
    {"headers give the trace",             test_headers_give_the_trace            },
    {"each request has a span of its own", test_each_request_has_a_span_of_its_own},
    {"what a callee is told",              test_what_a_callee_is_told             },
    CU_TEST_INFO_NULL,
};
