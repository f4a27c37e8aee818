#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

const char cmd_config_help[] =
    "usage: app config\n"
    "\n"
    "Prints every setting, its value and where it came from, and then what is wrong.\n"
    "Secrets are masked. Settings come from the environment; `app help` lists them.\n"
    "A secret KEY is taken from the file that KEY_FILE names, else from the file\n"
    "$SECRETS_ROOT/KEY, else from KEY.\n"
    "\n"
    "exit status: 0 all settings are good, 2 at least one is wrong\n";

bool cmd_config(int argc, char **argv, struct error *err)
{
    if (!cmd_no_arguments(argc, argv, err))
        return false;
    if (!config_print(stdout))
        return error_set(err, ERROR_CONFIG, "a setting is wrong");
    return true;
}

bool cmd_no_arguments(int argc, char **argv, struct error *err)
{
    if (argc > 1)
        return error_set(err, ERROR_USAGE, "unexpected \"%s\"; see: app help %s", argv[1],
                         argv[0]);
    return true;
}

bool cmd_load_config(struct config *config, struct error *err)
{
    struct buffer errors = {0};
    bool good = config_load(config, &errors);

    for (const char *line = errors.data; line && *line; line = strchr(line, '\n') + 1)
        fprintf(stderr, "app: %.*s\n", (int)strcspn(line, "\n"), line);
    if (!good)
        error_set(err, errors.failed ? ERROR_SYSTEM : ERROR_CONFIG, "%s",
                  errors.failed ? "out of memory" : "`app config` shows all settings");
    buffer_release(&errors);
    return good;
}
