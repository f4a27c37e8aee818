#include "cmd/cmd.h"

#include "db/mysql.h"
#include "schema/migrate.h"
#include "store/seed.h"

#include <stdio.h>

#define LOCK_WAIT 60 /* seconds */

const char cmd_seed_help[] =
    "usage: app seed\n"
    "\n"
    "Puts a handful of sample todos into an empty table. Where there are todos already, it\n"
    "changes nothing, says so, and its exit status is 0. On MySQL the schema must be up to "
    "date\n"
    "(`app migrate`); on SQLite that is done first. The exit statuses are those of\n"
    "`app help migrate`.\n";

static void print_progress(const char *line, void *context)
{
    (void)context;
    fprintf(stderr, "app: %s\n", line);
}

static bool prepare_schema(const struct config *config, struct error *err)
{
    static const struct migrate_options options = {.lock_wait = LOCK_WAIT,
                                                   .report = print_progress};
    struct migrate_result result;

    if (config->database == CONFIG_DATABASE_MYSQL)
        return migrate_check(config, err);
    return migrate_run(config, &options, &result, err);
}

bool cmd_seed(int argc, char **argv, struct error *err)
{
    static const struct db_session_wait wait = {.seconds = LOCK_WAIT, .report = print_progress};
    struct config config = {0};
    unsigned long inserted = 0;
    bool good;

    if (!cmd_no_arguments(argc, argv, err) || !cmd_load_config(&config, err))
        return false;
    good = db_mysql_start(err);
    if (good) {
        good = prepare_schema(&config, err) && store_seed(&config, &wait, &inserted, err);
        db_mysql_end();
    }
    config_release(&config);
    if (good && inserted > 0)
        printf("%lu sample todos inserted\n", inserted);
    else if (good)
        printf("nothing to do: there are todos already\n");
    return good;
}
