#include "cmd/cmd.h"

#include "base/buffer.h"
#include "cmd/watch.h"
#include "db/mysql.h"
#include "schema/migrate.h"

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_MAX 86400

enum { OPTION_PLAN, OPTION_STATUS, OPTION_CHECK, OPTION_WAIT, OPTION_JSON };

static const struct cmd_option command_options[] = {
    [OPTION_PLAN] = {"plan",   NULL,      "print the SQL that would be run; change nothing",       true },
    [OPTION_STATUS] = {"status", NULL,      "print all migrations and their states; change nothing",
                     true                                                                               },
    [OPTION_CHECK] =
        {"check",  NULL,
                     "only say by the exit status (0 or 10) if all is up to date; change nothing", true },
    [OPTION_WAIT] = {"wait",   "SECONDS",
                     "wait that long for a database that can't be reached yet, and for another "
                     "run (without it: 0 and 60)",                                                 false},
    [OPTION_JSON] = {"json",   NULL,      "print the result as JSON",                              false},
    {NULL,     NULL,      NULL,                                                    false},
};

static bool run_command(int argc, char **argv, struct error *err);

const struct cmd_command cmd_migrate = {
    .name = "migrate",
    .summary = "bring the schema up to date",
    .description =
        "Brings the database's schema up to date. Any number may run at the same time: one "
        "does "
        "the work, the others wait for it and find nothing to do. A database that the original "
        "application made is adopted as it is. SIGTERM, SIGINT or SIGHUP stops it between two "
        "statements, a second one at once. However a run ended, the next one goes on where it "
        "was. A database that a newer program has migrated is left as it is, and called up to "
        "date if that is compatible with this program. Where tables need a person (a storage "
        "engine without transactions, another type of column), it says which statement mends "
        "them.",
    .options = command_options,
    .run = run_command,
};

/* The first ones are their options. */
enum mode {
    MODE_PLAN = OPTION_PLAN,
    MODE_STATUS = OPTION_STATUS,
    MODE_CHECK = OPTION_CHECK,
    MODE_RUN,
};

struct options {
    enum mode mode;
    bool json;
    unsigned wait;
    unsigned lock_wait;
};

/* What the run and the thread that watches over it tell each other. */
struct progress {
    atomic_bool stop;
    atomic_bool is_changing;
};

/* Ends the program as long as it has not changed anything; then a signal lets it finish the
 * statement that it is at, and a second one ends it all the same: the journal is made for that.
 */
static void notice(enum cmd_watch_event event, void *context)
{
    struct progress *progress = context;
    bool is_second = event == CMD_WATCH_SIGNAL && atomic_exchange(&progress->stop, true);
    bool is_changing = atomic_load(&progress->is_changing);
    struct error err = {0};

    if (is_changing && !is_second)
        return;
    if (event == CMD_WATCH_TIME_OVER)
        error_set(&err, ERROR_UNAVAILABLE, "the database did not answer in time");
    else if (is_changing)
        error_set(&err, ERROR_STOPPED,
                  "stopped within a statement: `app migrate` goes on from there");
    else
        error_set(&err, ERROR_STOPPED, "stopped while waiting; nothing was changed");
    cmd_end(&err);
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

static bool parse(int argc, char **argv, struct options *options, struct error *err)
{
    bool is_waiting = false;
    int option;

    while ((option = cmd_next_option(&cmd_migrate, argc, argv, err)) >= 0) {
        if (option == OPTION_WAIT && !parse_wait(optarg, options, err))
            return false;
        is_waiting = is_waiting || option == OPTION_WAIT;
        if (option == OPTION_JSON)
            options->json = true;
        if (option > OPTION_CHECK)
            continue;
        if (options->mode != MODE_RUN)
            return error_set(err, ERROR_USAGE, "only one of --plan, --status and --check");
        options->mode = (enum mode)option;
    }
    if (option == CMD_OPTION_WRONG)
        return false;
    if (is_waiting && options->mode != MODE_RUN)
        return error_set(err, ERROR_USAGE,
                         "--wait is for a run, not with --plan, --status or --check");
    return true;
}

static void print_result(const struct migrate_result *result, bool json)
{
    if (json)
        printf("{\"applied\":%u,\"adopted\":%u,\"version\":%u,\"newer\":%s}\n", result->applied,
               result->adopted, result->version, result->newer[0] ? "true" : "false");
    else if (result->newer[0])
        printf("nothing to do: %s\n", result->newer);
    else if (result->applied + result->adopted == 0)
        printf("nothing to do: the schema's version is %u\n", result->version);
    else
        printf("%u applied, %u adopted: the schema's version is %u\n", result->applied,
               result->adopted, result->version);
}

static bool run(const struct config *config, const struct options *options, struct error *err)
{
    struct progress progress = {.stop = false};
    struct migrate_options wanted = {.wait = options->wait,
                                     .lock_wait = options->lock_wait,
                                     .stop = &progress.stop,
                                     .is_changing = &progress.is_changing,
                                     .report = cmd_print_progress};
    struct migrate_result result;
    struct cmd_watch watch;
    sigset_t signals;
    bool good;

    if (!cmd_block_signals(&signals, err) ||
        !cmd_watch_start(&watch, &signals, options->lock_wait + CMD_LAST_TRY, notice, &progress,
                         err))
        return false;
    good = migrate_run(config, &wanted, &result, err);
    cmd_watch_stop(&watch);
    if (good)
        print_result(&result, options->json);
    return good;
}

/* --check says nothing but by its exit status, an error, and that the schema is newer, unless
 * JSON is wanted. */
static bool check(const struct config *config, struct error *err)
{
    struct migrate_result result;

    if (!migrate_check(config, &result, err))
        return false;
    if (result.newer[0])
        cmd_print_progress(result.newer, NULL);
    return true;
}

static bool print_look(const struct config *config, const struct options *options,
                       struct error *err)
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
    return good && (options->mode != MODE_CHECK || check(config, err));
}

/* Each trip to the server has its deadline; this is for what else may hang, as a name server.
 */
static bool look(const struct config *config, const struct options *options, struct error *err)
{
    struct progress progress = {.stop = false};
    struct cmd_watch watch;
    sigset_t signals;
    bool good;

    if (!cmd_block_signals(&signals, err) ||
        !cmd_watch_start(&watch, &signals, CMD_LOCK_WAIT + CMD_LAST_TRY, notice, &progress,
                         err))
        return false;
    good = print_look(config, options, err);
    cmd_watch_stop(&watch);
    return good;
}

static bool run_command(int argc, char **argv, struct error *err)
{
    struct options options = {.mode = MODE_RUN, .lock_wait = CMD_LOCK_WAIT};
    struct config config = {0};
    bool good;

    if (!parse(argc, argv, &options, err) || !cmd_load_config(&config, NULL, err))
        return false;
    good = cmd_has_file(&config, err) && db_mysql_start(err);
    if (good) {
        good = options.mode == MODE_RUN ? run(&config, &options, err)
                                        : look(&config, &options, err);
        db_mysql_end();
    }
    config_release(&config);
    return good;
}
