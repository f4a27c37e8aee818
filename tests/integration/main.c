/*
 * The integration tests: main sqlite|mysql [SUITE]. TEST_APP names the program under test. For
 * MySQL it is run by tests/mariadb, which makes a server and says where it is.
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
    SUITE(ON_MYSQL, tls),
    PREPARED_SUITE(ON_BOTH, store, store),
    PREPARED_SUITE(ON_MYSQL, store_mysql, store),
    PREPARED_SUITE(ON_SQLITE, store_sqlite, store),
    PREPARED_SUITE(ON_BOTH, original, original),
    PREPARED_SUITE(ON_BOTH, todobackend, todobackend),
    PREPARED_SUITE(ON_BOTH, contract_api, contract_api),
    PREPARED_SUITE(ON_BOTH, contract_input, contract_input),
    PREPARED_SUITE(ON_BOTH, guard, guard),
    SUITE(ON_BOTH, commands),
    SUITE(ON_SQLITE, commands_sqlite),
    SUITE(ON_MYSQL, commands_mysql),
    SUITE(ON_MYSQL, takeover),
    PREPARED_SUITE(ON_BOTH, consistency, consistency),
    PREPARED_SUITE(ON_BOTH, memory, memory),
    PREPARED_SUITE(ON_BOTH, resilience, resilience),
    PREPARED_SUITE(ON_MYSQL, outage, resilience),
};

static bool add_suites(const char *name)
{
    enum only here = test_database == TEST_MYSQL ? ON_MYSQL : ON_SQLITE;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        CU_SuiteInfo list[] = {suites[i].info, {.pName = NULL}};
        bool is_here = suites[i].only == ON_BOTH || suites[i].only == here;
        bool is_wanted = !name || strcmp(name, suites[i].info.pName) == 0;
        if (is_here && is_wanted && CU_register_suites(list) != CUE_SUCCESS)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool on_mysql = argc > 1 && strcmp(argv[1], "mysql") == 0;
    if (argc < 2 || argc > 3 || (!on_mysql && strcmp(argv[1], "sqlite") != 0)) {
        fprintf(stderr, "usage: %s sqlite|mysql [SUITE]\n", argv[0]);
        return 2;
    }
    test_database = on_mysql ? TEST_MYSQL : TEST_SQLITE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    if (!command_find() || CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    bool passed = add_suites(argc > 2 ? argv[2] : NULL) && report_run(CU_BRM_VERBOSE);
    CU_cleanup_registry();
    return passed ? 0 : 1;
}
