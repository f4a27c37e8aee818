#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "base/config.h"
#include "work/store.h"

/* A todo store on the SQLite file SQLITE_PATH. Opens it at once, so that all stores of a
 * process have the same file, or, where that fails, when it is first used. `config` must
 * outlive it. False without memory. Close it with handle->driver->close. */
bool store_sqlite_open(const struct config *config, struct todo_store_handle *handle,
                       struct error *err);

#endif
