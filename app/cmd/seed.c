#include "cmd/cmd.h"

#include "cmd/watch.h"
#include "db/mysql.h"
#include "schema/migrate.h"
#include "store/seed.h"

#include <stdio.h>

static bool run(int argc, char **argv, struct error *err);

const struct cmd_command cmd_seed = {
    .name = "seed",
    .summary = "put sample todos into an empty table",
    .description =
        "Puts a handful of sample todos into an empty table. Where there are todos already, it "
        "changes nothing, says so, and its exit status is 0. On MySQL the schema must be up to "
        "date (`app migrate`); on SQLite that is done first.",
    .run = run,
};

/* All that it does is one transaction. */
static void notice(enum cmd_watch_event event, void *context)
{
    struct error err = {0};

    (void)context;
    if (event == CMD_WATCH_TIME_OVER)
        error_set(&err, ERROR_UNAVAILABLE, "the database did not answer in time");
    else
        error_set(&err, ERROR_STOPPED, "stopped by a signal");
    cmd_end(&err);
}

static bool prepare_schema(const struct config *config, struct error *err)
{
    static const struct migrate_options options = {.lock_wait = CMD_LOCK_WAIT,
                                                   .report = cmd_print_progress};
    struct migrate_result result;

    if (config->database == CONFIG_DATABASE_MYSQL)
        return migrate_check(config, &result, err);
    return migrate_run(config, &options, &result, err);
}

static bool seed(const struct config *config, unsigned long *inserted, struct error *err)
{
    const struct db_session_wait wait = {.seconds = CMD_LOCK_WAIT,
                                         .report = cmd_print_progress};
    struct cmd_watch watch;
    sigset_t signals;
    bool good;

    if (!cmd_block_signals(&signals, err) ||
        !cmd_watch_start(&watch, &signals, 2 * CMD_LOCK_WAIT + CMD_LAST_TRY, notice, NULL, err))
        return false;
    good = prepare_schema(config, err) && store_seed(config, &wait, inserted, err);
    cmd_watch_stop(&watch);
    return good;
}

static bool run(int argc, char **argv, struct error *err)
{
    struct config config = {0};
    unsigned long inserted = 0;
    bool good;

    if (!cmd_no_arguments(&cmd_seed, argc, argv, err) || !cmd_load_config(&config, NULL, err))
        return false;
    good = cmd_has_file(&config, err) && db_mysql_start(err);
    if (good) {
        good = seed(&config, &inserted, err);
        db_mysql_end();
    }
    config_release(&config);
    if (good && inserted > 0)
        printf("%lu sample todos inserted\n", inserted);
    else if (good)
        printf("nothing to do: there are todos already\n");
    return good;
}
