/* The unit tests: no database, no server. Run from the repository's root. */

#include "suites.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>

#define SUITE(name)                                                                            \
    {                                                                                          \
        .pName = #name, .pTests = name##_tests                                                 \
    }

static CU_SuiteInfo suites[] = {
    SUITE(buffer), SUITE(clock),     SUITE(config),   SUITE(log),        SUITE(form),
    SUITE(guard),  SUITE(negotiate), SUITE(request),  SUITE(response),   SUITE(router),
    SUITE(input),  SUITE(json),      SUITE(validate), SUITE(todo),       SUITE(list),
    SUITE(flight), SUITE(batch),     SUITE(queue),    SUITE(migrations), SUITE(page),
    SUITE(static), {.pName = NULL},
};

/* Whether tests were run, every one, and none failed. */
static bool all_passed(void)
{
    return CU_get_number_of_tests_run() > 0 && CU_get_number_of_suites_failed() == 0 &&
           CU_get_number_of_tests_failed() == 0 && CU_get_number_of_failures() == 0;
}

int main(void)
{
    bool passed;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_basic_set_mode(CU_BRM_NORMAL);
    passed = CU_register_suites(suites) == CUE_SUCCESS && CU_basic_run_tests() == CUE_SUCCESS &&
             all_passed();
    CU_cleanup_registry();
    return passed ? 0 : 1;
}
