#include "cmd/cmd.h"

#include "cmd/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool run(int argc, char **argv, struct error *err)
{
    const struct cmd_command *command;

    if (argc < 1) {
        cmd_print_usage(stderr);
        return error_set(err, ERROR_USAGE, "which command?");
    }
    command = is_help(argv[0]) ? &cmd_help : cmd_find(argv[0]);
    if (!command) {
        cmd_print_usage(stderr);
        return error_set(err, ERROR_USAGE, "there is no command \"%s\"", argv[0]);
    }
    if (argc == 2 && is_help(argv[1])) {
        cmd_print_help(command, stdout);
        return true;
    }
    return command->run(argc, argv, err);
}

/* Whatever is opened first would get the number of a standard stream that is closed, and a
 * client our log. Nothing can be written to it, so that a result that is lost is an error. */
static bool open_standard_streams(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
        if (fcntl(i, F_GETFD) < 0 &&
            open("/dev/null", O_RDONLY) != i) /* NOLINT: not closed on exec */
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct error err = {0};

    if (!open_standard_streams())
        return cmd_exit_status(ERROR_SYSTEM);
    if (!run(argc - 1, argv + 1, &err) && err.code == ERROR_NONE)
        error_set(&err, ERROR_SYSTEM, "failed without a reason");
    if (fflush(stdout) != 0 || ferror(stdout))
        error_set(&err, ERROR_SYSTEM, "cannot write to standard output: %s", strerror(errno));
    cmd_print_error(&err);
    return cmd_exit_status(err.code);
}
