#include "cmd/cmd.h"

#include "cmd/watch.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 79, /* of a terminal's line */
};

enum { OPTION_MAN, OPTION_COMPLETION };

static const struct cmd_option help_options[] = {
    [OPTION_MAN] = {"man",        NULL, "print the man page app(1)",                  true },
    [OPTION_COMPLETION] = {"completion", NULL, "print what bash completes command lines by",
                    true                                                                   },
    {NULL,         NULL, NULL,                                         false},
};

static bool run(int argc, char **argv, struct error *err);

const struct cmd_command cmd_help = {
    .name = "help",
    .operand = "COMMAND",
    .summary = "say what there is, or more about one command",
    .description = "Prints all commands, settings and exit statuses, or what there is to know "
                   "about one command.\n"
                   "\n"
                   "`app help --man | man -l -` shows the man page.\n"
                   "`source <(app help --completion)` lets bash complete command lines.",
    .options = help_options,
    .run = run,
};

const struct cmd_command *const cmd_commands[] = {
    &cmd_serve,  &cmd_migrate, &cmd_seed, &cmd_backup, &cmd_healthcheck,
    &cmd_config, &cmd_version, &cmd_help, NULL,
};

const struct cmd_command *cmd_find(const char *name)
{
    for (size_t i = 0; cmd_commands[i]; i++) {
        if (strcmp(cmd_commands[i]->name, name) == 0)
            return cmd_commands[i];
    }
    return NULL;
}

/* ---- what a command line gives ---- */

static bool fail(const struct cmd_command *command, const char *what, const char *word,
                 struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s \"%s\"; see: app help %s", what, word,
                     command->name);
}

int cmd_next_option(const struct cmd_command *command, int argc, char **argv, struct error *err)
{
    struct option names[CMD_OPTIONS_MOST + 1] = {{0}};
    int operands = command->operand ? 1 : 0;
    int index = CMD_OPTIONS_END;
    int found;

    for (size_t i = 0; command->options && command->options[i].name && i < CMD_OPTIONS_MOST;
         i++)
        names[i] = (struct option){
            command->options[i].name,
            command->options[i].argument ? required_argument : no_argument, NULL, 0};
    opterr = 0;
    found = getopt_long(argc, argv, ":", names, &index);
    if (found == 0)
        return index;
    if (found == ':')
        fail(command, "something is missing after", argv[optind - 1], err);
    else if (found != -1)
        fail(command, "wrong option", argv[optind - 1], err);
    else if (argc - optind > operands)
        fail(command, "unexpected", argv[optind + operands], err);
    else if (command->needs_operand && (optind == argc || !*argv[optind]))
        error_set(err, ERROR_USAGE, "which %s? see: app help %s", command->operand,
                  command->name);
    else
        return CMD_OPTIONS_END;
    return CMD_OPTION_WRONG;
}

bool cmd_no_arguments(const struct cmd_command *command, int argc, char **argv,
                      struct error *err)
{
    return cmd_next_option(command, argc, argv, err) == CMD_OPTIONS_END;
}

/* ---- what is printed for a person ---- */

/* Words, in lines that begin with so many blanks; the first goes on at `column`. A newline in
 * the text is one in the output. */
static void print_words(const char *text, int indent, int column, FILE *out)
{
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (length > 0) {
            if (column > indent && column + 1 + length > WIDTH) {
                fputc('\n', out);
                column = 0;
            }
            if (column > indent)
                column += fprintf(out, " ");
            column += fprintf(out, "%*s%.*s", column < indent ? indent - column : 0, "", length,
                              text);
        }
        text += length;
        if (*text == '\n') {
            fputc('\n', out);
            column = 0;
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

/* A term, and beside it, or below it if it is long, what it means. */
static void print_entry(const char *term, const char *meaning, int indent, FILE *out)
{
    int column = fprintf(out, "  %s", term);

    if (column >= indent - 1) {
        fputc('\n', out);
        column = 0;
    }
    print_words(meaning, indent, column, out);
}

void cmd_print_usage(FILE *out)
{
    fputs("usage: app COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; cmd_commands[i]; i++)
        print_entry(cmd_commands[i]->name, cmd_commands[i]->summary, 16, out);
}

static void print_setting(const struct config_setting *setting, void *context)
{
    FILE *out = context;

    fprintf(out, "  %s%s%s\n", setting->name, *setting->fallback ? "=" : "", setting->fallback);
    print_words(setting->help, 6, 0, out);
}

static void print_all(FILE *out)
{
    cmd_print_usage(out);
    fputs("\nsettings, from the environment, with their defaults:\n\n", out);
    config_describe(print_setting, out);
    fputs("\nexit status:\n\n", out);
    for (size_t i = 0; cmd_ends[i].meaning; i++) {
        char status[8];
        snprintf(status, sizeof(status), "%2d", cmd_ends[i].status);
        print_entry(status, cmd_ends[i].meaning, 6, out);
    }
}

void cmd_print_synopsis(const struct cmd_command *command, FILE *out)
{
    bool is_open = false;

    fprintf(out, "app %s", command->name);
    for (const struct cmd_option *option = command->options; option && option->name; option++) {
        bool goes_on = option->excludes && option[1].name && option[1].excludes;
        fprintf(out, "%s--%s%s%s%s", is_open ? " | " : " [", option->name,
                option->argument ? " " : "", option->argument ? option->argument : "",
                goes_on ? "" : "]");
        is_open = goes_on;
    }
    if (command->operand)
        fprintf(out, command->needs_operand ? " %s" : " [%s]", command->operand);
    fputc('\n', out);
}

void cmd_print_help(const struct cmd_command *command, FILE *out)
{
    fputs("usage: ", out);
    cmd_print_synopsis(command, out);
    fputc('\n', out);
    print_words(command->description, 0, 0, out);
    if (command->options)
        fputc('\n', out);
    for (const struct cmd_option *option = command->options; option && option->name; option++) {
        char term[64];
        snprintf(term, sizeof(term), "--%s%s%s", option->name, option->argument ? " " : "",
                 option->argument ? option->argument : "");
        print_entry(term, option->help, 20, out);
    }
    fputs("\n`app help` lists the settings and the exit statuses.\n", out);
}

static bool run(int argc, char **argv, struct error *err)
{
    const struct cmd_command *command = NULL;
    int option = cmd_next_option(&cmd_help, argc, argv, err);

    if (option == OPTION_MAN || option == OPTION_COMPLETION) {
        if (cmd_next_option(&cmd_help, argc, argv, err) != CMD_OPTIONS_END || optind < argc)
            return error_set(err, ERROR_USAGE, "one option alone; see: app help help");
        (option == OPTION_MAN ? cmd_print_man : cmd_print_completion)(stdout);
        return true;
    }
    if (option == CMD_OPTION_WRONG)
        return false;
    if (optind == argc) {
        print_all(stdout);
        return true;
    }
    command = cmd_find(argv[optind]);
    if (!command) {
        cmd_print_usage(stderr);
        return error_set(err, ERROR_USAGE, "there is no command \"%s\"", argv[optind]);
    }
    cmd_print_help(command, stdout);
    return true;
}
