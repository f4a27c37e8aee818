#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "base/config.h"
#include "base/error.h"

/* Copies the SQLite database SQLITE_PATH, as it is at one moment after the call began, into
 * `path`, an empty file, and checks the copy (integrity_check). Others may read and write
 * meanwhile. The copy needs no file beside it; it is not synced to the disk yet. ERROR_CONFIG
 * when the database can't be opened, ERROR_UNAVAILABLE when it is locked for REQUEST_TIMEOUT
 * seconds, ERROR_DATABASE when the copying fails or the copy is not sound. */
bool store_backup(const struct config *config, const char *path, unsigned long *todos,
                  struct error *err);

#endif
