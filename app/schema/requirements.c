#include "schema/requirements.h"

/* The first row that a requirement's query gives is one too many. */
struct fault {
    const struct migration_requirement *requirement;
    struct error error;
};

static void read_fault(const char *const *columns, void *context)
{
    struct fault *fault = context;

    error_set(&fault->error, ERROR_MIGRATION_FAILED,
              "the table %s can't be used: %s. Found: %s. Mend it by: %s",
              migrations_baseline.table, fault->requirement->text,
              columns[0] ? columns[0] : "NULL", columns[1] ? columns[1] : "NULL");
}

bool requirements_check(struct db_session *session, struct error *err)
{
    const struct migration_requirement *requirement = session->driver->requirements;

    for (; requirement->sql; requirement++) {
        struct fault fault = {.requirement = requirement};

        if (!db_session_query(session, requirement->sql, "look at the table of the todos",
                              read_fault, &fault, err))
            return false;
        if (fault.error.code != ERROR_NONE)
            return error_set(err, fault.error.code, "%s", fault.error.text);
    }
    return true;
}
