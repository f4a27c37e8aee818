#ifndef DB_SQLITE_FILES_H
#define DB_SQLITE_FILES_H

/*
 * An open SQLite database is three files: the database, its log (-wal) and the log's index
 * (-shm). SQLite goes on with those it has open when their paths lead elsewhere: what is
 * committed then is lost, or, from a log that was left, gets into the file that was put in the
 * database's place. (https://www.sqlite.org/howtocorrupt.html, sections 1.4 and 2.4 to 2.6)
 *
 * A file whose content is overwritten stays the same file: that is not seen.
 */

#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

#define DB_SQLITE_FILE_COUNT 3

struct db_sqlite_files {
    const char *path; /* as it was opened, perhaps a symbolic link; NULL: kept in memory */
    struct {
        dev_t device;
        ino_t inode;
    } files[DB_SQLITE_FILE_COUNT];
};

/* Notes which files a connection has open: after its first statement, which opens the log.
 * `path` must stay as long as *files is used. ERROR_UNAVAILABLE when they are other ones
 * already: *files is as it was. */
bool db_sqlite_files_note(struct db_sqlite_files *files, sqlite3 *connection, const char *path,
                          struct error *err);

/* Three calls of stat. ERROR_UNAVAILABLE when one of the files was deleted or replaced: nothing
 * must be written any more, and nothing be opened beside it, which SQLite would take for the
 * same in part. The log of a database that is elsewhere by now, or a log that nobody else will
 * find, is then brought into the database that is open, and emptied, unless a transaction is
 * under way. Files that are put back are good again. Without a connection (NULL) this is about
 * the database alone; before files are noted, about nothing. */
bool db_sqlite_files_check(const struct db_sqlite_files *files, sqlite3 *connection,
                           struct error *err);

/* Before this process opens the database: ERROR_UNAVAILABLE when another one has the log open,
 * but another database: it would get the changes of this one into that one, or the other way
 * round. A process that has it open already must not ask: it would lose its locks. */
bool db_sqlite_files_fit(const char *path, struct error *err);

#endif
