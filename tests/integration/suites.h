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
extern CU_TestInfo schema_tests[];
extern CU_TestInfo silence_tests[];
extern CU_TestInfo lease_tests[];
extern CU_TestInfo tls_tests[];

int store_init(void); /* for all three */
int store_cleanup(void);
extern CU_TestInfo store_tests[];
extern CU_TestInfo store_mysql_tests[];
extern CU_TestInfo store_sqlite_tests[];
extern CU_TestInfo sqlite_files_tests[];
extern CU_TestInfo backup_tests[];

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

int conditions_init(void);
int conditions_cleanup(void);
extern CU_TestInfo conditions_tests[];

int gzip_init(void);
int gzip_cleanup(void);
extern CU_TestInfo gzip_tests[];

int paging_init(void);
int paging_cleanup(void);
extern CU_TestInfo paging_tests[];

int idempotency_init(void);
int idempotency_cleanup(void);
extern CU_TestInfo idempotency_tests[];

int many_init(void);
int many_cleanup(void);
extern CU_TestInfo many_tests[];

int live_init(void);
int live_cleanup(void);
extern CU_TestInfo live_tests[];

int proxies_init(void);
int proxies_cleanup(void);
extern CU_TestInfo proxies_tests[];

int galera_init(void);
int galera_cleanup(void);
extern CU_TestInfo galera_tests[];

int group_replication_init(void);
int group_replication_cleanup(void);
extern CU_TestInfo group_replication_tests[];

int wire_init(void);
int wire_cleanup(void);
extern CU_TestInfo wire_tests[];

int guard_init(void);
int guard_cleanup(void);
extern CU_TestInfo guard_tests[];

extern CU_TestInfo commands_tests[];
extern CU_TestInfo commands_sqlite_tests[];
extern CU_TestInfo commands_mysql_tests[];
extern CU_TestInfo log_tests[];
extern CU_TestInfo log_streams_tests[];
extern CU_TestInfo takeover_tests[];

extern CU_TestInfo health_tests[];
extern CU_TestInfo health_sqlite_tests[];
extern CU_TestInfo health_mysql_tests[];

extern CU_TestInfo admin_tests[];
extern CU_TestInfo metrics_tests[];
extern CU_TestInfo metrics_mysql_tests[];

extern CU_TestInfo trace_tests[];
extern CU_TestInfo statements_tests[];

extern CU_TestInfo failover_tests[];

extern CU_TestInfo lifecycle_tests[];
extern CU_TestInfo lifecycle_sqlite_tests[];
extern CU_TestInfo lifecycle_mysql_tests[];

extern CU_TestInfo sockets_tests[];
extern CU_TestInfo sockets_slow_tests[];

int resilience_init(void); /* for outage too */
int resilience_cleanup(void);
extern CU_TestInfo resilience_tests[];
extern CU_TestInfo outage_tests[];

int arrival_init(void);
int arrival_cleanup(void);
extern CU_TestInfo arrival_tests[];

int memory_init(void);
int memory_cleanup(void);
extern CU_TestInfo memory_tests[];

extern CU_TestInfo faults_tests[];

int crash_init(void);
int crash_cleanup(void);
extern CU_TestInfo crash_tests[];

int consistency_init(void);
int consistency_cleanup(void);
extern CU_TestInfo consistency_tests[];

int consistency_faults_init(void);
int consistency_faults_cleanup(void);
extern CU_TestInfo consistency_faults_tests[];

#endif
