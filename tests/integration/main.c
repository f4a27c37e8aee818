/*
 * The integration tests: main sqlite|mysql [SUITE...], or -SUITE... for all but these. TEST_APP
 * names the program under test.
 * For MySQL it is run by tests/mariadb, which makes a server and says where it is.
 */

#include "command.h"
#include "report.h"
#include "server.h"
#include "suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum only {
    ON_BOTH,
    ON_SQLITE,
    ON_MYSQL,
    ON_DEMAND, /* only when it is named: it needs more than a database, or takes long */
};

struct suite {
    enum only only;
    CU_SuiteInfo info;
};

#define SUITE(only, name)                                                                      \
    {                                                                                          \
        only,                                                                                  \
        {                                                                                      \
            .pName = #name, .pTests = name##_tests                                             \
        }                                                                                      \
    }
#define PREPARED_SUITE(only, name, preparation)                                                \
    {                                                                                          \
        only,                                                                                  \
        {                                                                                      \
            .pName = #name, .pTests = name##_tests, .pInitFunc = preparation##_init,           \
            .pCleanupFunc = preparation##_cleanup                                              \
        }                                                                                      \
    }

static const struct suite suites[] = {
    SUITE(ON_BOTH, migrate),
    SUITE(ON_BOTH, schema),
    SUITE(ON_MYSQL, silence),
    SUITE(ON_MYSQL, tls),
    PREPARED_SUITE(ON_BOTH, store, store),
    PREPARED_SUITE(ON_MYSQL, store_mysql, store),
    PREPARED_SUITE(ON_SQLITE, store_sqlite, store),
    SUITE(ON_SQLITE, sqlite_files),
    SUITE(ON_SQLITE, backup),
    PREPARED_SUITE(ON_BOTH, original, original),
    PREPARED_SUITE(ON_BOTH, todobackend, todobackend),
    PREPARED_SUITE(ON_BOTH, contract_api, contract_api),
    PREPARED_SUITE(ON_BOTH, contract_input, contract_input),
    PREPARED_SUITE(ON_BOTH, conditions, conditions),
    PREPARED_SUITE(ON_BOTH, gzip, gzip),
    PREPARED_SUITE(ON_BOTH, idempotency, idempotency),
    PREPARED_SUITE(ON_BOTH, paging, paging),
    PREPARED_SUITE(ON_BOTH, many, many),
    PREPARED_SUITE(ON_BOTH, live, live),
    PREPARED_SUITE(ON_SQLITE, wire, wire),
    PREPARED_SUITE(ON_SQLITE, guard, guard),
    SUITE(ON_BOTH, commands),
    SUITE(ON_SQLITE, commands_sqlite),
    SUITE(ON_MYSQL, commands_mysql),
    SUITE(ON_SQLITE, log),
    SUITE(ON_BOTH, log_streams),
    SUITE(ON_MYSQL, takeover),
    SUITE(ON_BOTH, health),
    SUITE(ON_SQLITE, health_sqlite),
    SUITE(ON_MYSQL, health_mysql),
    SUITE(ON_SQLITE, admin),
    SUITE(ON_BOTH, metrics),
    SUITE(ON_MYSQL, metrics_mysql),
    SUITE(ON_BOTH, trace),
    SUITE(ON_MYSQL, statements),
    SUITE(ON_MYSQL, failover),
    SUITE(ON_BOTH, lifecycle),
    SUITE(ON_SQLITE, lifecycle_sqlite),
    SUITE(ON_MYSQL, lifecycle_mysql),
    SUITE(ON_SQLITE, sockets),
    SUITE(ON_SQLITE, sockets_slow),
    PREPARED_SUITE(ON_BOTH, consistency, consistency),
    PREPARED_SUITE(ON_SQLITE, arrival, arrival),
    PREPARED_SUITE(ON_BOTH, memory, memory),
    PREPARED_SUITE(ON_BOTH, resilience, resilience),
    PREPARED_SUITE(ON_MYSQL, outage, resilience),
    PREPARED_SUITE(ON_DEMAND, proxies, proxies),
    SUITE(ON_DEMAND, lease),
    PREPARED_SUITE(ON_DEMAND, galera, galera),
    PREPARED_SUITE(ON_DEMAND, group_replication, group_replication),
    SUITE(ON_DEMAND, faults),
    PREPARED_SUITE(ON_DEMAND, crash, crash),
    PREPARED_SUITE(ON_DEMAND, consistency_faults, consistency_faults),
};

static bool is_left_out(const char *suite, char *const *names)
{
    for (; *names; names++)
        if ((*names)[0] == '-' && strcmp(*names + 1, suite) == 0)
            return true;
    return false;
}

/* Adds the suite of this name; or, without one, all but those that `names` leave out. */
static bool add_suites(const char *name, char *const *names)
{
    enum only here = test_database == TEST_MYSQL ? ON_MYSQL : ON_SQLITE;
    size_t added = 0;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        CU_SuiteInfo list[] = {suites[i].info, {.pName = NULL}};
        bool is_here = suites[i].only == ON_BOTH || suites[i].only == here ||
                       (suites[i].only == ON_DEMAND && name);
        bool is_wanted = name ? strcmp(name, suites[i].info.pName) == 0
                              : !is_left_out(suites[i].info.pName, names);
        if (!is_here || !is_wanted)
            continue;
        if (CU_register_suites(list) != CUE_SUCCESS)
            return false;
        added++;
    }
    if (added == 0)
        fprintf(stderr, "there is no suite %s here\n", name ? name : "");
    return added > 0;
}

int main(int argc, char **argv)
{
    bool on_mysql = argc > 1 && strcmp(argv[1], "mysql") == 0;
    if (argc < 2 || (!on_mysql && strcmp(argv[1], "sqlite") != 0)) {
        fprintf(stderr, "usage: %s sqlite|mysql [SUITE...|-SUITE...]\n", argv[0]);
        return 2;
    }
    test_database = on_mysql ? TEST_MYSQL : TEST_SQLITE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (!command_find() || CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    bool passed = (argc > 2 && argv[2][0] != '-') || add_suites(NULL, argv + 2);
    for (int i = 2; i < argc; i++)
        passed = (argv[i][0] == '-' || add_suites(argv[i], argv + 2)) && passed;
    passed = passed && report_run(CU_BRM_VERBOSE);
    CU_cleanup_registry();
    return passed ? 0 : 1;
}
