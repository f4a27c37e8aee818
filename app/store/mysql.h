#ifndef STORE_MYSQL_H
#define STORE_MYSQL_H

#include "base/config.h"
#include "work/store.h"

/* A todo store on MySQL or MariaDB; connects when it is first used. `config` must outlive it.
 * False without memory. Close it with handle->driver->close. */
bool store_mysql_open(const struct config *config, struct todo_store_handle *handle,
                      struct error *err);

#endif
