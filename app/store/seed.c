#include "store/seed.h"

static const char doing[] = "seed the table todo_todoitem";

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

bool store_seed(const struct config *config, const struct db_session_wait *wait,
                unsigned long *inserted, struct error *err)
{
    const struct db_session_wait no_wait = {0};
    struct db_session session = {0};
    bool good;

    *inserted = 0;
    good = db_session_open(&session, config, &no_wait, err) &&
           db_session_lock(&session, wait, err) && seed_locked(&session, inserted, err) &&
           db_session_unlock(&session, err);
    db_session_close(&session);
    return good;
}
