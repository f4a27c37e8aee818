#include "report.h"

#include <stdio.h>
#include <stdlib.h>

/* Text of XML, within an attribute or not: what XML 1.0 has no form for becomes a question
 * mark. */
static void print_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '&' || byte == '<' || byte == '>' || byte == '"' || byte == '\n')
            fprintf(out, "&#%d;", byte);
        else
            putc(byte < 0x20 && byte != '\t' ? '?' : byte, out);
    }
}

/* A failure of the suite itself (its set-up) belongs to no test. */
static unsigned print_failures(FILE *out, const CU_Suite *suite, const CU_Test *test)
{
    unsigned count = 0;
    for (const CU_FailureRecord *failure = CU_get_failure_list(); failure;
         failure = failure->pNext) {
        if (failure->pSuite != suite || failure->pTest != test)
            continue;
        count++;
        if (!out)
            continue;
        fprintf(out, "      <failure message=\"");
        print_text(out, failure->strCondition ? failure->strCondition : "failed");
        fprintf(out, "\">");
        print_text(out, failure->strFileName ? failure->strFileName : "");
        fprintf(out, ":%u</failure>\n", failure->uiLineNumber);
    }
    return count;
}

static void print_test(FILE *out, const CU_Suite *suite, const CU_Test *test, const char *name)
{
    fprintf(out, "    <testcase classname=\"");
    print_text(out, suite->pName);
    fprintf(out, "\" name=\"");
    print_text(out, name);
    fprintf(out, "\">\n");
    print_failures(out, suite, test);
    fprintf(out, "    </testcase>\n");
}

static void print_suite(FILE *out, const CU_Suite *suite)
{
    bool broken = print_failures(NULL, suite, NULL) > 0;
    unsigned failed = broken;
    for (const CU_Test *test = suite->pTest; test; test = test->pNext)
        failed += print_failures(NULL, suite, test) > 0;
    fprintf(out, "  <testsuite name=\"");
    print_text(out, suite->pName);
    fprintf(out, "\" tests=\"%u\" failures=\"%u\">\n", suite->uiNumberOfTests + broken, failed);
    if (broken)
        print_test(out, suite, NULL, "set-up and clean-up");
    for (const CU_Test *test = suite->pTest; test; test = test->pNext)
        print_test(out, suite, test, test->pName);
    fprintf(out, "  </testsuite>\n");
}

static bool write_report(const char *path)
{
    FILE *out = fopen(path, "we");
    bool written = false;
    if (out) {
        fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
        for (const CU_Suite *suite = CU_get_registry()->pSuite; suite; suite = suite->pNext)
            print_suite(out, suite);
        fprintf(out, "</testsuites>\n");
        written = !ferror(out);
        written = fclose(out) == 0 && written;
    }
    if (!written)
        fprintf(stderr, "cannot write the report %s\n", path);
    return written;
}

bool report_run(CU_BasicRunMode mode)
{
    const char *path = getenv("TEST_REPORT");
    CU_basic_set_mode(mode);
    bool passed = CU_basic_run_tests() == CUE_SUCCESS && CU_get_number_of_tests_run() > 0 &&
                  CU_get_number_of_suites_failed() == 0 &&
                  CU_get_number_of_tests_failed() == 0 && CU_get_number_of_failures() == 0;
    return (!path || !*path || write_report(path)) && passed;
}
