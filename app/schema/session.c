#include "schema/session.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND 1000000 /* microseconds */

struct waiting {
    const struct db_session_wait *wait;
    uint64_t deadline;
    bool reported;
};

static struct waiting start_waiting(const struct db_session_wait *wait)
{
    return (struct waiting){.wait = wait,
                            .deadline = clock_now() + (uint64_t)wait->seconds * SECOND};
}

/* Whether another try is due after this failure; it forgets the failure then. Says the cause
 * once. */
static bool wait_on(struct waiting *waiting, struct error *err)
{
    const struct db_session_wait *wait = waiting->wait;

    if (clock_now() >= waiting->deadline)
        return false;
    if (wait->report && !waiting->reported) {
        char line[sizeof(err->text) + 16];

        snprintf(line, sizeof(line), "%s: waiting", err->text);
        wait->report(line, wait->context);
    }
    waiting->reported = true;
    *err = (struct error){0};
    return true;
}

static const struct db_session_driver *find_driver(const struct config *config)
{
    return config->database == CONFIG_DATABASE_MYSQL ? &db_session_mysql : &db_session_sqlite;
}

bool db_session_open(struct db_session *session, const struct config *config,
                     const struct db_session_wait *wait, struct error *err)
{
    struct waiting waiting = start_waiting(wait);

    *session = (struct db_session){.driver = find_driver(config)};
    for (unsigned tries = 0;; tries++) {
        session->connection = session->driver->open(config, err);
        if (session->connection)
            return true;
        if (err->code != ERROR_UNAVAILABLE || !wait_on(&waiting, err))
            return false;
        clock_sleep(clock_backoff(tries, SECOND / 10, SECOND));
    }
}

bool db_session_open_existing(struct db_session *session, const struct config *config,
                              const struct db_session_wait *wait, struct error *err)
{
    const struct db_session_driver *driver = find_driver(config);

    *session = (struct db_session){.driver = driver};
    return (driver->exists && !driver->exists(config)) ||
           db_session_open(session, config, wait, err);
}

void db_session_close(struct db_session *session)
{
    struct error ignored = {0};

    if (session->is_locked)
        session->driver->unlock(session->connection, false, &ignored);
    if (session->connection)
        session->driver->close(session->connection);
    *session = (struct db_session){0};
}

bool db_session_lock(struct db_session *session, const struct db_session_wait *wait,
                     struct error *err)
{
    struct waiting waiting = start_waiting(wait);

    while (!session->driver->lock(session->connection, err)) {
        if (err->code != ERROR_LOCKED || !wait_on(&waiting, err))
            return false;
    }
    session->is_locked = true;
    return true;
}

bool db_session_keep_lock(struct db_session *session, struct error *err)
{
    return !session->driver->keep_lock || session->driver->keep_lock(session->connection, err);
}

bool db_session_unlock(struct db_session *session, struct error *err)
{
    session->is_locked = false;
    return session->driver->unlock(session->connection, true, err);
}

bool db_session_query(struct db_session *session, const char *sql, const char *doing,
                      db_session_row *row, void *context, struct error *err)
{
    return session->driver->query(session->connection, sql, doing, row, context, err);
}

static void ignore_row(const char *const *columns, void *context)
{
    (void)columns;
    (void)context;
}

bool db_session_run(struct db_session *session, const char *sql, const char *doing,
                    struct error *err)
{
    return db_session_query(session, sql, doing, ignore_row, NULL, err);
}

bool db_session_run_long(struct db_session *session, const char *sql, const char *doing,
                         db_session_tick *tick, void *context, struct error *err)
{
    return session->driver->run_long(session->connection, sql, doing, tick, context, err);
}

static void read_number(const char *const *columns, void *context)
{
    unsigned long *number = context;

    if (columns[0])
        *number = strtoul(columns[0], NULL, 10);
}

bool db_session_number(struct db_session *session, const char *sql, const char *doing,
                       unsigned long *number, struct error *err)
{
    *number = 0;
    return db_session_query(session, sql, doing, read_number, number, err);
}
