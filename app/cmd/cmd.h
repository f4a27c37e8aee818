#ifndef CMD_CMD_H
#define CMD_CMD_H

/*
 * The sub-commands. Each says in a table of its own what it is called and what it takes: the
 * command line is parsed by that, and `app help`, the man page and the shell's completion are
 * made from it (help.c, man.c).
 */

#include "base/config.h"
#include "base/endpoint.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

struct cmd_option {
    const char *name; /* without its dashes */
    const char
        *argument; /* what the help calls its argument, FILE if that is one; NULL: none */
    const char *help;
    bool excludes; /* only one of a command's options that do may be given */
};

#define CMD_OPTIONS_MOST 15

struct cmd_command {
    const char *name;
    const char *operand; /* the one word that it may take, as for an option; NULL: none */
    bool needs_operand;
    const char *summary;
    const char *description;          /* paragraphs, with an empty line between them */
    const struct cmd_option *options; /* CMD_OPTIONS_MOST and one without a name; NULL: none */

    /* Gets its own arguments (argv[0] is its name), writes results to stdout and what it says
     * to a person to stderr, and returns false with *err set when it failed; main.c alone turns
     * the error into an exit status. */
    bool (*run)(int argc, char **argv, struct error *err);
};

extern const struct cmd_command cmd_serve;
extern const struct cmd_command cmd_migrate;
extern const struct cmd_command cmd_seed;
extern const struct cmd_command cmd_backup;
extern const struct cmd_command cmd_healthcheck;
extern const struct cmd_command cmd_config;
extern const struct cmd_command cmd_version;
extern const struct cmd_command cmd_help;

/* All of them, in the order of the help, NULL at the end. */
extern const struct cmd_command *const cmd_commands[];

/* NULL: there is none of this name. */
const struct cmd_command *cmd_find(const char *name);

/* The commands, a line each. */
void cmd_print_usage(FILE *out);
void cmd_print_help(const struct cmd_command *command, FILE *out);

/* A line: the name, the options and the operand. */
void cmd_print_synopsis(const struct cmd_command *command, FILE *out);

/* app(1), for man, and what bash completes command lines by. */
void cmd_print_man(FILE *out);
void cmd_print_completion(FILE *out);

enum {
    CMD_OPTIONS_END = -1,
    CMD_OPTION_WRONG = -2, /* *err is ERROR_USAGE */
};

/* The index of the next option that the command line gives, its argument in optarg; at the end,
 * the operand, if there is one, is argv[optind]. For one thread, one command line a process. */
int cmd_next_option(const struct cmd_command *command, int argc, char **argv,
                    struct error *err);

/* For a command without options and operand: ERROR_USAGE if there are any. */
bool cmd_no_arguments(const struct cmd_command *command, int argc, char **argv,
                      struct error *err);

/* config_load for a command: every wrong setting goes to stderr, and to `tell` unless that is
 * NULL, however many there are, and *err becomes ERROR_CONFIG. After true the caller calls
 * config_release. */
bool cmd_load_config(struct config *config, void (*tell)(const char *problem),
                     struct error *err);

/* Whether the database is one that other programs see: ERROR_CONFIG for SQLite's in memory. */
bool cmd_has_file(const struct config *config, struct error *err);

/* How many descriptors a server of these settings needs besides those of the connections of
 * HTTP_ADDRESS. */
size_t cmd_kept_descriptors(const struct config *config);

/* Which program this is. */
const char *cmd_program_version(void);

/* Tells the metrics which program this is, on this database. */
void cmd_describe_build(const char *database);

/* Asks the server that listens there, on this machine, for a path. False when it doesn't answer
 * with 2xx within 3 seconds, with what it said; ERROR_UNAVAILABLE when it can't be reached. */
bool cmd_ask(const struct endpoint *listener, const char *path, struct error *err);

#endif
