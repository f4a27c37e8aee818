#ifndef CHECK_H
#define CHECK_H

/*
 * Checks that say what was wanted and what came. A failing one counts in CUnit, and its text
 * (the row's name first) goes to stderr at once and into CUnit's list of failures. Each gives
 * whether it held. For the main thread only, as CUnit is. In a suite's set-up and cleaning up,
 * where CUnit counts nothing, the caller must pass the result on.
 */

#include <stdbool.h>

/* Milliseconds that a busy machine, or a sanitizer, may add to whatever is waited for. What a
 * limit is to find must take longer. */
#define BUSY_MACHINE 5000

/* CHECK(status == 200, row->name, "no answer within %d s", limit) */
#define CHECK(good, row, ...) check_that(__FILE__, __LINE__, (good), (row), __VA_ARGS__)

#define CHECK_NUMBER(row, what, wanted, got)                                                   \
    check_number(__FILE__, __LINE__, (row), (what), (wanted), (got))

/* Either text may be NULL, which equals only NULL. */
#define CHECK_TEXT(row, what, wanted, got)                                                     \
    check_text(__FILE__, __LINE__, (row), (what), (wanted), (got))

/* Whether `part` is in `text`. */
#define CHECK_CONTAINS(row, what, part, text)                                                  \
    check_contains(__FILE__, __LINE__, (row), (what), (part), (text))

bool check_that(const char *file, unsigned line, bool good, const char *row, const char *format,
                ...) __attribute__((format(printf, 5, 6)));
bool check_number(const char *file, unsigned line, const char *row, const char *what,
                  long long wanted, long long got);
bool check_text(const char *file, unsigned line, const char *row, const char *what,
                const char *wanted, const char *got);
bool check_contains(const char *file, unsigned line, const char *row, const char *what,
                    const char *part, const char *text);

/* Whether the extended regular expression is found in the text; NULL holds none. */
bool text_matches(const char *pattern, const char *text);

#endif
