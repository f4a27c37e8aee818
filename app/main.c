#include "cmd/cmd.h"

#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    bool (*run)(int argc, char **argv, struct error *err);
    const char *summary;
    const char *help;
};

static const struct command commands[] = {
    {"serve",       cmd_serve,       "answer HTTP until SIGTERM or SIGINT",  cmd_serve_help      },
    {"migrate",     cmd_migrate,     "bring the schema up to date",          cmd_migrate_help    },
    {"seed",        cmd_seed,        "put sample todos into an empty table", cmd_seed_help       },
    {"healthcheck", cmd_healthcheck, "ask if a server is ready",             cmd_healthcheck_help},
    {"config",      cmd_config,      "print all settings, check them",       cmd_config_help     },
    {"version",     cmd_version,     "print versions",                       cmd_version_help    },
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void print_usage(FILE *out)
{
    fputs("usage: app COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(out, "  %-12s  %s\n", commands[i].name, commands[i].summary);
    fputs("  help          print this and all settings; app help COMMAND: more about one\n",
          out);
}

static bool fail_usage(const char *what, const char *name, struct error *err)
{
    print_usage(stderr);
    return error_set(err, ERROR_USAGE, "%s \"%s\"", what, name);
}

static bool run_help(int argc, char **argv, struct error *err)
{
    const struct command *command;

    if (argc < 2) {
        print_usage(stdout);
        puts("\nsettings, from the environment:\n");
        config_print_help(stdout);
        return true;
    }
    command = find_command(argv[1]);
    if (!command)
        return fail_usage("there is no command", argv[1], err);
    if (argc > 2)
        return fail_usage("unexpected", argv[2], err);
    fputs(command->help, stdout);
    return true;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool run(int argc, char **argv, struct error *err)
{
    const struct command *command;

    if (argc < 1) {
        print_usage(stderr);
        return error_set(err, ERROR_USAGE, "which command?");
    }
    if (is_help(argv[0]))
        return run_help(argc, argv, err);
    command = find_command(argv[0]);
    if (!command)
        return fail_usage("there is no command", argv[0], err);
    if (argc == 2 && is_help(argv[1])) {
        fputs(command->help, stdout);
        return true;
    }
    return command->run(argc, argv, err);
}

static int exit_status(enum error_code code)
{
    switch (code) {
    case ERROR_NONE:
        return 0;
    case ERROR_SYSTEM:
    case ERROR_DATABASE:
    case ERROR_CONFLICT:
    case ERROR_OUTCOME_UNKNOWN:
        return 1;
    case ERROR_USAGE:
    case ERROR_CONFIG:
        return 2;
    case ERROR_SCHEMA_PENDING:
        return 10;
    case ERROR_UNAVAILABLE:
        return 11;
    case ERROR_LOCKED:
        return 12;
    case ERROR_MIGRATION_CHANGED:
        return 13;
    case ERROR_MIGRATION_FAILED:
        return 14;
    case ERROR_STOPPED:
        return 15;
    case ERROR_SCHEMA_NEWER:
        return 16;
    }
    return 1;
}

/* A text of several lines (wrong settings) becomes that many messages. */
static void print_error(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        fprintf(stderr, "app: %.*s\n", (int)length, text);
        text += length;
        text += *text == '\n';
    }
}

int main(int argc, char **argv)
{
    struct error err = {0};

    if (!run(argc - 1, argv + 1, &err) && err.code == ERROR_NONE)
        error_set(&err, ERROR_SYSTEM, "failed without a reason");
    if (fflush(stdout) != 0 || ferror(stdout))
        error_set(&err, ERROR_SYSTEM, "cannot write to standard output: %s", strerror(errno));
    print_error(err.text);
    return exit_status(err.code);
}
