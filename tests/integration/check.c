#include "check.h"

#include <CUnit/CUnit.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SHOWN 600 /* bytes of a text that a failure shows */

bool check_that(const char *file, unsigned line, bool good, const char *row, const char *format,
                ...)
{
    char text[2048];
    int length = snprintf(text, sizeof text, "%s: ", row);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    if (!good)
        fprintf(stderr, "\n    FAILED %s:%u: %s\n", file, line, text);
    if (CU_get_current_test())
        CU_assertImplementation(good, line, text, file, "", CU_FALSE);
    return good;
}

bool check_number(const char *file, unsigned line, const char *row, const char *what,
                  long long wanted, long long got)
{
    return check_that(file, line, wanted == got, row, "%s: wanted %lld, got %lld", what, wanted,
                      got);
}

bool check_text(const char *file, unsigned line, const char *row, const char *what,
                const char *wanted, const char *got)
{
    bool good = wanted && got ? strcmp(wanted, got) == 0 : wanted == got;
    return check_that(file, line, good, row, "%s:\n        wanted %.*s\n        got    %.*s",
                      what, TEXT_SHOWN, wanted ? wanted : "(none)", TEXT_SHOWN,
                      got ? got : "(none)");
}

bool check_contains(const char *file, unsigned line, const char *row, const char *what,
                    const char *part, const char *text)
{
    return check_that(file, line, text && strstr(text, part), row,
                      "%s:\n        wanted in it %.*s\n        got          %.*s", what,
                      TEXT_SHOWN, part, TEXT_SHOWN, text ? text : "(none)");
}

bool text_matches(const char *pattern, const char *text)
{
    regex_t regex;
    if (!text || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}
