#include "cmd/cmd.h"

#include "base/buffer.h"
#include "db/mysql.h"
#include "schema/migrate.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCK_WAIT 60 /* seconds, without --wait */
#define WAIT_MAX  86400

const char cmd_migrate_help[] =
    "usage: app migrate [--wait SECONDS] [--json]\n"
    "       app migrate --plan | --status | --check [--json]\n"
    "\n"
    "Brings the database's schema up to date. Any number may run at the same time: one does "
    "the\n"
    "work, the others wait for it and find nothing to do. A database that the original\n"
    "application made is adopted as it is. SIGTERM or SIGINT stops it between two statements.\n"
    "However a run ended, the next one goes on where it was.\n"
    "\n"
    "  --plan          print the SQL that would be run; change nothing\n"
    "  --status        print all migrations and their states; change nothing\n"
    "  --check         only say by the exit status if all is up to date; change nothing\n"
    "  --wait SECONDS  wait that long for a database that can't be reached yet, and for\n"
    "                  another run (without it: 0 and 60)\n"
    "  --json          print the result as JSON\n"
    "\n"
    "exit status:\n"
    "   0  the schema is up to date\n"
    "   1  the database or the system refused\n"
    "   2  wrong option, wrong setting, or the database refuses the login\n"
    "  10  --check: a migration is pending\n"
    "  11  the database can't be reached, or the connection was lost\n"
    "  12  another run had not finished within the waiting time\n"
    "  13  a migration's file was changed after it was applied\n"
    "  14  a statement failed, or was begun and not finished (--check), or there are tables\n"
    "      that need a person; the message says what is done and what to do\n"
    "  15  stopped by a signal; the message says what is done\n"
    "  16  the schema is newer than this program\n";

enum mode {
    MODE_RUN,
    MODE_PLAN,
    MODE_STATUS,
    MODE_CHECK,
};

struct options {
    enum mode mode;
    bool json;
    unsigned wait;
    unsigned lock_wait;
};

static volatile sig_atomic_t stop;

static void ask_to_stop(int number)
{
    (void)number;
    stop = 1;
}

/* A second signal ends the program at once: the journal is made for that. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = ask_to_stop,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static void print_progress(const char *line, void *context)
{
    (void)context;
    fprintf(stderr, "app: %s\n", line);
}

static bool parse_wait(const char *text, struct options *options, struct error *err)
{
    char *end = NULL;
    unsigned long seconds = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || seconds > WAIT_MAX)
        return error_set(err, ERROR_USAGE, "--wait needs a number of seconds from 0 to %d",
                         WAIT_MAX);
    options->wait = (unsigned)seconds;
    options->lock_wait = options->wait;
    return true;
}

/* getopt_long gives a mode as itself. */
static bool parse(int argc, char **argv, struct options *options, struct error *err)
{
    static const struct option names[] = {
        {"plan",   no_argument,       NULL, MODE_PLAN  },
        {"status", no_argument,       NULL, MODE_STATUS},
        {"check",  no_argument,       NULL, MODE_CHECK },
        {"json",   no_argument,       NULL, 'j'        },
        {"wait",   required_argument, NULL, 'w'        },
        {NULL,     0,                 NULL, 0          },
    };
    bool is_waiting = false;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == '?')
            return error_set(err, ERROR_USAGE, "wrong option \"%s\"; see: app help migrate",
                             argv[optind - 1]);
        if (option == 'w' && !parse_wait(optarg, options, err))
            return false;
        is_waiting = is_waiting || option == 'w';
        if (option == 'j')
            options->json = true;
        if (option > MODE_CHECK)
            continue;
        if (options->mode != MODE_RUN)
            return error_set(err, ERROR_USAGE, "only one of --plan, --status and --check");
        options->mode = (enum mode)option;
    }
    if (is_waiting && options->mode != MODE_RUN)
        return error_set(err, ERROR_USAGE,
                         "--wait is for a run, not with --plan, --status or --check");
    if (optind < argc)
        return error_set(err, ERROR_USAGE, "unexpected \"%s\"; see: app help migrate",
                         argv[optind]);
    return true;
}

static void print_result(const struct migrate_result *result, bool json)
{
    if (json)
        printf("{\"applied\":%u,\"adopted\":%u,\"version\":%u}\n", result->applied,
               result->adopted, result->version);
    else if (result->applied + result->adopted == 0)
        printf("nothing to do: the schema's version is %u\n", result->version);
    else
        printf("%u applied, %u adopted: the schema's version is %u\n", result->applied,
               result->adopted, result->version);
}

static bool run(const struct config *config, const struct options *options, struct error *err)
{
    struct migrate_options wanted = {.wait = options->wait,
                                     .lock_wait = options->lock_wait,
                                     .stop = &stop,
                                     .report = print_progress};
    struct migrate_result result;

    catch_signals();
    if (!migrate_run(config, &wanted, &result, err))
        return false;
    print_result(&result, options->json);
    return true;
}

/* --check says nothing but by its exit status and an error, unless JSON is wanted. */
static bool look(const struct config *config, const struct options *options, struct error *err)
{
    struct buffer text = {0};
    bool good = true;

    if (options->mode == MODE_PLAN)
        good = migrate_print_plan(config, options->json, &text, err);
    else if (options->mode == MODE_STATUS || options->json)
        good = migrate_print_status(config, options->json, &text, err);
    if (text.size > 0)
        fwrite(text.data, 1, text.size, stdout);
    buffer_release(&text);
    return good && (options->mode != MODE_CHECK || migrate_check(config, err));
}

bool cmd_migrate(int argc, char **argv, struct error *err)
{
    struct options options = {.lock_wait = LOCK_WAIT};
    struct config config = {0};
    bool good;

    if (!parse(argc, argv, &options, err) || !cmd_load_config(&config, err))
        return false;
    good = db_mysql_start(err);
    if (good) {
        good = options.mode == MODE_RUN ? run(&config, &options, err)
                                        : look(&config, &options, err);
        db_mysql_end();
    }
    config_release(&config);
    return good;
}
