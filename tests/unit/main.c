/* The unit tests: no database, no server. Run from the repository's root. */

#include "../integration/report.h"
#include "suites.h"

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

int main(void)
{
    bool passed;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    passed = CU_register_suites(suites) == CUE_SUCCESS && report_run(CU_BRM_NORMAL);
    CU_cleanup_registry();
    return passed ? 0 : 1;
}
