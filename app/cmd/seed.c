#include "cmd/cmd.h"

#include "db/mysql.h"
#include "schema/migrate.h"
#include "schema/session.h"

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

static const char doing[] = "seed the table todo_todoitem";

static void print_progress(const char *line, void *context)
{
    (void)context;
    fprintf(stderr, "app: %s\n", line);
}

static bool count_todos(struct db_session *session, unsigned long *count, struct error *err)
{
    return db_session_number(session, "SELECT COUNT(*) FROM todo_todoitem", doing, count, err);
}

/* Under the lock, so that of two seeds one finds an empty table. */
static bool seed_locked(struct db_session *session, unsigned long *inserted, struct error *err)
{
    unsigned long count;

    *inserted = 0;
    if (!count_todos(session, &count, err))
        return false;
    if (count > 0)
        return true;
    if (!db_session_run(session, session->driver->begin, doing, err))
        return false;
    for (size_t i = 0; i < seed_statement_count; i++) {
        if (!db_session_run(session, seed_statements[i], doing, err))
            return false;
    }
    return count_todos(session, inserted, err) &&
           db_session_run(session, session->driver->commit, doing, err);
}

static bool seed(const struct config *config, struct error *err)
{
    static const struct db_session_wait wait = {.seconds = LOCK_WAIT, .report = print_progress};
    static const struct db_session_wait no_wait;
    struct db_session session = {0};
    unsigned long inserted = 0;
    bool good;

    good = db_session_open(&session, config, &no_wait, err) &&
           db_session_lock(&session, &wait, err) && seed_locked(&session, &inserted, err) &&
           db_session_unlock(&session, err);
    db_session_close(&session);
    if (good && inserted > 0)
        printf("%lu sample todos inserted\n", inserted);
    else if (good)
        printf("nothing to do: there are todos already\n");
    return good;
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
    struct config config = {0};
    bool good;

    if (!cmd_no_arguments(argc, argv, err) || !cmd_load_config(&config, err))
        return false;
    good = db_mysql_start(err);
    if (good) {
        good = prepare_schema(&config, err) && seed(&config, err);
        db_mysql_end();
    }
    config_release(&config);
    return good;
}
