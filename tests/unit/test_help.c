#include "cmd/cmd.h"
#include "cmd/watch.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

static const char *read_readme(void)
{
    static char readme[65536];
    FILE *file = fopen("README.md", "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    readme[fread(readme, 1, sizeof(readme) - 1, file)] = '\0';
    fclose(file);
    return readme;
}

static void test_the_readme_lists_every_command(void)
{
    const char *readme = read_readme();

    for (size_t i = 0; cmd_commands[i]; i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "\n| `app %s` | ", cmd_commands[i]->name);
        CHECK_CONTAINS(cmd_commands[i]->name, "README.md", wanted, readme);
    }
}

static void test_the_readme_lists_every_exit_status(void)
{
    const char *readme = read_readme();

    for (size_t i = 0; cmd_ends[i].meaning; i++) {
        char wanted[256];
        snprintf(wanted, sizeof(wanted), "\n| %d | %s |\n", cmd_ends[i].status,
                 cmd_ends[i].meaning);
        CHECK_CONTAINS(wanted, "README.md", wanted, readme);
    }
}

static void test_every_exit_status_has_a_meaning(void)
{
    for (unsigned code = ERROR_NONE; code <= ERROR_STOPPED; code++) {
        int status = cmd_exit_status((enum error_code)code);
        size_t i = 0;
        while (cmd_ends[i].meaning && cmd_ends[i].status != status)
            i++;
        CHECK(cmd_ends[i].meaning, "exit status", "%d, of error %u, is not explained", status,
              code);
    }
}

/* What the tables of options have to be for the help, man and bash. */
static void test_options_can_be_told_apart(void)
{
    for (size_t i = 0; cmd_commands[i]; i++) {
        const struct cmd_option *option = cmd_commands[i]->options;
        size_t count = 0;
        for (; option && option->name; option++, count++)
            CHECK(option->help && strspn(option->name, "abcdefghijklmnopqrstuvwxyz-") ==
                                      strlen(option->name),
                  cmd_commands[i]->name, "option %s", option->name);
        CHECK(count <= CMD_OPTIONS_MOST, cmd_commands[i]->name, "has %zu options", count);
    }
}

CU_TestInfo help_tests[] = {
    {"the README lists every command",     test_the_readme_lists_every_command    },
    {"the README lists every exit status", test_the_readme_lists_every_exit_status},
    {"every exit status has a meaning",    test_every_exit_status_has_a_meaning   },
    {"options can be told apart",          test_options_can_be_told_apart         },
    CU_TEST_INFO_NULL,
};
