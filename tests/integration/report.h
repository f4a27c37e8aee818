#ifndef REPORT_H
#define REPORT_H

#include <CUnit/Basic.h>
#include <stdbool.h>

/* Runs the registered suites, prints CUnit's summary, and tells whether tests were run, every
 * one, and none failed. Where TEST_REPORT names a file, the results are written to it as JUnit
 * XML; a file that can't be written counts as a failure. */
bool report_run(CU_BasicRunMode mode);

#endif
