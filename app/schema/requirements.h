#ifndef SCHEMA_REQUIREMENTS_H
#define SCHEMA_REQUIREMENTS_H

#include "base/error.h"
#include "schema/session.h"

#include <stdbool.h>

/* Whether the baseline's table is as the program needs it: ERROR_MIGRATION_FAILED names the
 * first requirement that isn't met, what there is instead, and the statement that mends it. */
bool requirements_check(struct db_session *session, struct error *err);

#endif
