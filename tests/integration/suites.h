#ifndef SUITES_H
#define SUITES_H

/* The test tables, and what a suite does before its first and after its last test (0: well).
 * The order in which they run is main's. */

#include <CUnit/CUnit.h>

/* A test by its function's name. */
#define TEST(function)                                                                         \
    {                                                                                          \
#function, function                                                                    \
    }

extern CU_TestInfo migrate_tests[];
extern CU_TestInfo tls_tests[];

int store_init(void); /* for all three */
int store_cleanup(void);
extern CU_TestInfo store_tests[];
extern CU_TestInfo store_mysql_tests[];
extern CU_TestInfo store_sqlite_tests[];

int original_init(void);
int original_cleanup(void);
extern CU_TestInfo original_tests[];

int todobackend_init(void);
int todobackend_cleanup(void);
extern CU_TestInfo todobackend_tests[];

int contract_api_init(void);
int contract_api_cleanup(void);
extern CU_TestInfo contract_api_tests[];

int contract_input_init(void);
int contract_input_cleanup(void);
extern CU_TestInfo contract_input_tests[];

int guard_init(void);
int guard_cleanup(void);
extern CU_TestInfo guard_tests[];

extern CU_TestInfo commands_tests[];
extern CU_TestInfo commands_sqlite_tests[];
extern CU_TestInfo commands_mysql_tests[];
extern CU_TestInfo takeover_tests[];

int resilience_init(void); /* for outage too */
int resilience_cleanup(void);
extern CU_TestInfo resilience_tests[];
extern CU_TestInfo outage_tests[];

int memory_init(void);
int memory_cleanup(void);
extern CU_TestInfo memory_tests[];

int consistency_init(void);
int consistency_cleanup(void);
extern CU_TestInfo consistency_tests[];

#endif
