#ifndef CMD_CMD_H
#define CMD_CMD_H

/*
 * The sub-commands. Each gets its own arguments (argv[0] is the sub-command's name), writes
 * results to stdout and what it says to a person to stderr, and returns false with *err set
 * when it failed; main.c alone turns the error into an exit status. `app help NAME` prints
 * cmd_NAME_help, lines that end with a newline, the first of them the usage.
 */

#include "base/config.h"
#include "base/error.h"

#include <stdbool.h>

bool cmd_serve(int argc, char **argv, struct error *err);
bool cmd_migrate(int argc, char **argv, struct error *err);
bool cmd_seed(int argc, char **argv, struct error *err);
bool cmd_healthcheck(int argc, char **argv, struct error *err);
bool cmd_config(int argc, char **argv, struct error *err);
bool cmd_version(int argc, char **argv, struct error *err);

extern const char cmd_serve_help[];
extern const char cmd_migrate_help[];
extern const char cmd_seed_help[];
extern const char cmd_healthcheck_help[];
extern const char cmd_config_help[];
extern const char cmd_version_help[];

/* config_load for a command: every wrong setting goes to stderr, however many there are, and
 * *err becomes ERROR_CONFIG. After true the caller calls config_release. */
bool cmd_load_config(struct config *config, struct error *err);

/* Asks the server of these settings, on this port of this machine, for a path. False when it
 * doesn't answer with 2xx within 3 seconds, with what it said. */
bool cmd_ask(const struct config *config, unsigned port, const char *path, struct error *err);

/* For a command without arguments: ERROR_USAGE if there are any. */
bool cmd_no_arguments(int argc, char **argv, struct error *err);

#endif
