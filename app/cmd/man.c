#include "cmd/cmd.h"

#include "cmd/watch.h"
#include "version.h" /* written by the build */

#include <string.h>

/* ---- app(1), in the macros of man(7) ---- */

#define COLUMNS 60 /* after which a line of the source ends */

/* What stands between backticks is bold; an empty line is a new paragraph. */
static void print_roff(const char *text, FILE *out)
{
    static const struct {
        char byte;
        const char *name;
    } escapes[] = {
        {'\\', "\\(rs"},
        {'-',  "\\-"  },
        {'\'', "\\(aq"},
        {'^',  "\\(ha"},
        {'~',  "\\(ti"},
        {'.',  "\\&." }
    };
    bool is_bold = false;
    size_t column = 0;

    for (; *text; text++, column++) {
        const char *name = NULL;
        for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
            name = escapes[i].byte == *text ? escapes[i].name : name;
        if (*text == '`')
            name = (is_bold = !is_bold) ? "\\fB" : "\\fR";
        if (text[0] == '\n' && text[1] == '\n')
            name = "\n.PP";
        else if (*text == ' ' && column > COLUMNS)
            name = "\n";
        if (name && *name == '\n')
            column = 0;
        if (name)
            fputs(name, out);
        else
            fputc(*text, out);
    }
    fputc('\n', out);
}

/* A term, in bold, with an argument of it, and what it means. */
static void print_term(const char *prefix, const char *term, const char *argument,
                       const char *meaning, FILE *out)
{
    fprintf(out, ".TP\n.B %s%s", prefix, term);
    if (argument)
        fprintf(out, " \\fI%s\\fR", argument);
    fputc('\n', out);
    print_roff(meaning, out);
}

static void print_command(const struct cmd_command *command, FILE *out)
{
    fputs(".SS ", out);
    cmd_print_synopsis(command, out);
    print_roff(command->description, out);
    for (const struct cmd_option *option = command->options; option && option->name; option++)
        print_term("\\-\\-", option->name, option->argument, option->help, out);
}

static void print_setting(const struct config_setting *setting, void *context)
{
    FILE *out = context;

    print_term("", setting->name, NULL, setting->help, out);
    if (*setting->fallback) {
        fputs(".br\nDefault: ", out);
        print_roff(setting->fallback, out);
    }
}

void cmd_print_man(FILE *out)
{
    fprintf(out,
            ".TH APP 1 \"\" \"todobackend %s\"\n"
            ".SH NAME\n"
            "app \\- a todo list over HTTP, kept in MySQL or SQLite\n"
            ".SH SYNOPSIS\n"
            ".B app\n"
            ".I COMMAND\n"
            ".RI [ OPTION ...]\n"
            ".SH COMMANDS\n",
            APP_VERSION);
    for (size_t i = 0; cmd_commands[i]; i++)
        print_command(cmd_commands[i], out);
    fputs(".SH ENVIRONMENT\n", out);
    config_describe(print_setting, out);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; cmd_ends[i].meaning; i++) {
        char status[8];
        snprintf(status, sizeof(status), "%d", cmd_ends[i].status);
        print_term("", status, NULL, cmd_ends[i].meaning, out);
    }
}

/* ---- the completion, for bash ---- */

static void print_commands(FILE *out)
{
    for (size_t i = 0; cmd_commands[i]; i++)
        fprintf(out, "%s ", cmd_commands[i]->name);
}

static void print_words(const struct cmd_command *command, FILE *out)
{
    for (const struct cmd_option *option = command->options; option && option->name; option++)
        fprintf(out, "--%s ", option->name);
    if (command->operand && strcmp(command->operand, "COMMAND") == 0)
        print_commands(out);
}

/* What comes after an option with an argument: a file, or nothing that can be known. */
static void print_argument(const struct cmd_command *command, const struct cmd_option *option,
                           FILE *out)
{
    fprintf(out, "    %s:--%s) %s ;;\n", command->name, option->name,
            strcmp(option->argument, "FILE") == 0 ? "is_file=yes" : "");
}

void cmd_print_completion(FILE *out)
{
    fputs("_app() {\n"
          "    local words='' is_file='' word=${COMP_WORDS[COMP_CWORD]}\n"
          "    case ${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD - 1]} in\n",
          out);
    for (size_t i = 0; cmd_commands[i]; i++) {
        const struct cmd_command *command = cmd_commands[i];
        const struct cmd_option *option = command->options;
        for (; option && option->name; option++) {
            if (option->argument)
                print_argument(command, option, out);
        }
    }
    for (size_t i = 0; cmd_commands[i]; i++) {
        const struct cmd_command *command = cmd_commands[i];
        fprintf(out, "    %s:*) words='", command->name);
        print_words(command, out);
        fprintf(out, "'%s ;;\n",
                command->operand && strcmp(command->operand, "FILE") == 0 ? " is_file=yes"
                                                                          : "");
    }
    fputs("    esac\n"
          "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
          "        is_file='' words='",
          out);
    print_commands(out);
    fputs("'\n"
          "    fi\n"
          "    [ -z \"$is_file\" ] || compopt -o filenames\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" ${is_file:+-f} -- \"$word\")\n"
          "}\n"
          "complete -F _app app\n",
          out);
}
