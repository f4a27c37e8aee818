#ifndef STORE_SEED_H
#define STORE_SEED_H

#include "base/config.h"
#include "base/error.h"
#include "schema/session.h"

#include <stdbool.h>

/* Puts the sample todos (migrations/seed.sql) into an empty table, in one transaction;
 * *inserted is how many, 0 when there were todos already. `wait` is for another run's end. */
bool store_seed(const struct config *config, const struct db_session_wait *wait,
                unsigned long *inserted, struct error *err);

#endif
