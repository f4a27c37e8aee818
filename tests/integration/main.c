/*
 * The integration tests: main sqlite|mysql [SUITE]. TEST_APP names the program under test. For
 * MySQL it is run by tests/mariadb, which makes a server and says where it is.
 */

#include "command.h"
#include "server.h"
#include "suites.h"

#include <CUnit/Basic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct suite {
    CU_SuiteInfo info;
    bool mysql_only;
};

#define SUITE(name) .info.pName = #name, .info.pTests = name##_tests
#define SERVER_SUITE(name)                                                                     \
    SUITE(name), .info.pInitFunc = name##_init, .info.pCleanupFunc = name##_cleanup

static const struct suite suites[] = {
    {SUITE(migrate)              },
    {SUITE(store)                },
    {SERVER_SUITE(original)      },
    {SERVER_SUITE(todobackend)   },
    {SERVER_SUITE(contract_api)  },
    {SERVER_SUITE(contract_input)},
    {SERVER_SUITE(guard)         },
    {SUITE(commands)             },
    {SUITE(takeover),              .mysql_only = true},
    {SERVER_SUITE(resilience)                           },
};

static bool add_suites(const char *only)
{
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        CU_SuiteInfo list[] = {suites[i].info, {.pName = NULL}};
        bool is_wanted = !only || strcmp(only, suites[i].info.pName) == 0;
        if (suites[i].mysql_only && test_database != TEST_MYSQL)
            continue;
        if (is_wanted && CU_register_suites(list) != CUE_SUCCESS)
            return false;
    }
    return true;
}

/* Whether tests were run, every one, and none failed. */
static bool all_passed(void)
{
    return CU_get_number_of_tests_run() > 0 && CU_get_number_of_suites_failed() == 0 &&
           CU_get_number_of_tests_failed() == 0 && CU_get_number_of_failures() == 0;
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
    bool passed = add_suites(argc > 2 ? argv[2] : NULL);
    if (passed) {
        CU_basic_set_mode(CU_BRM_VERBOSE);
        passed = CU_basic_run_tests() == CUE_SUCCESS && all_passed();
    }
    CU_cleanup_registry();
    return passed ? 0 : 1;
}
