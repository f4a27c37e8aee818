#ifndef SUITES_H
#define SUITES_H

/* The tests of each file test_NAME.c. */

#include <CUnit/CUnit.h>

extern CU_TestInfo batch_tests[];
extern CU_TestInfo buffer_tests[];
extern CU_TestInfo cgroup_tests[];
extern CU_TestInfo cidr_tests[];
extern CU_TestInfo clock_tests[];
extern CU_TestInfo config_tests[];
extern CU_TestInfo endpoint_tests[];
extern CU_TestInfo etag_tests[];
extern CU_TestInfo flight_tests[];
extern CU_TestInfo form_tests[];
extern CU_TestInfo guard_tests[];
extern CU_TestInfo gzip_tests[];
extern CU_TestInfo help_tests[];
extern CU_TestInfo hosts_tests[];
extern CU_TestInfo idempotency_tests[];
extern CU_TestInfo input_tests[];
extern CU_TestInfo json_tests[];
extern CU_TestInfo list_tests[];
extern CU_TestInfo log_tests[];
extern CU_TestInfo metrics_tests[];
extern CU_TestInfo migrations_tests[];
extern CU_TestInfo negotiate_tests[];
extern CU_TestInfo origins_tests[];
extern CU_TestInfo outage_tests[];
extern CU_TestInfo page_tests[];
extern CU_TestInfo paging_tests[];
extern CU_TestInfo pem_tests[];
extern CU_TestInfo prefer_tests[];
extern CU_TestInfo queue_tests[];
extern CU_TestInfo random_tests[];
extern CU_TestInfo request_tests[];
extern CU_TestInfo response_tests[];
extern CU_TestInfo router_tests[];
extern CU_TestInfo sandbox_tests[];
extern CU_TestInfo server_tests[];
extern CU_TestInfo static_tests[];
extern CU_TestInfo todo_tests[];
extern CU_TestInfo trace_tests[];
extern CU_TestInfo xray_tests[];
extern CU_TestInfo xray_address_tests[];
extern CU_TestInfo validate_tests[];

#endif
