/* The unit tests: no database, no program under test. Run from the repository's root. */

#include "../integration/report.h"
#include "suites.h"

#include <stdbool.h>
#include <stdio.h>

#define SUITE(name)                                                                            \
    {                                                                                          \
        .pName = #name, .pTests = name##_tests                                                 \
    }

static CU_SuiteInfo suites[] = {
    SUITE(buffer), SUITE(cgroup),    SUITE(cidr),     SUITE(endpoint),     SUITE(hosts),
    SUITE(clock),  SUITE(config),    SUITE(log),      SUITE(metrics),      SUITE(form),
    SUITE(guard),  SUITE(negotiate), SUITE(request),  SUITE(response),     SUITE(router),
    SUITE(input),  SUITE(json),      SUITE(validate), SUITE(todo),         SUITE(list),
    SUITE(flight), SUITE(batch),     SUITE(queue),    SUITE(migrations),   SUITE(outage),
    SUITE(page),   SUITE(server),    SUITE(static),   SUITE(sandbox),      SUITE(help),
    SUITE(pem),    SUITE(etag),      SUITE(origins),  SUITE(idempotency),  SUITE(paging),
    SUITE(trace),  SUITE(random),    SUITE(prefer),   SUITE(xray_address), SUITE(xray),
    SUITE(gzip),   {.pName = NULL},
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
