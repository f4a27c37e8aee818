#include "db/sqlite_files.h"

#include "base/clock.h"
#include "base/config.h"
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What SQLite's unix files lock as long as they are open with WAL, readers, too: the shared
 * lock of https://www.sqlite.org/fileformat2.html#the_lock_byte_page and, of
 * https://www.sqlite.org/walformat.html, the byte behind the index's locks. */
#define DATABASE_LOCK      (0x40000000 + 2)
#define DATABASE_LOCK_SIZE 510
#define INDEX_LOCK         128

#define FIT_TRIES 5
#define FIT_PAUSE 10000U /* microseconds */

enum {
    DATABASE,
    LOG,
    LOG_INDEX,
};

/* The latter two lie beside the database itself, not beside a symbolic link to it. */
static const char *path_of(const struct db_sqlite_files *files, sqlite3 *connection, int which,
                           char path[PATH_MAX])
{
    if (which == DATABASE)
        return files->path;
    snprintf(path, PATH_MAX, "%s%s", sqlite3_db_filename(connection, "main"),
             which == LOG ? "-wal" : "-shm");
    return path;
}

static bool has_moved(sqlite3 *connection)
{
    int has_moved = 0;

    return sqlite3_file_control(connection, NULL, SQLITE_FCNTL_HAS_MOVED, &has_moved) ==
               SQLITE_OK &&
           has_moved;
}

/* With errno from looking at it: 0 where another file is there. */
static bool refuse(const char *path, struct error *err)
{
    if (errno != 0 && errno != ENOENT && errno != ENOTDIR)
        return error_set(err, ERROR_UNAVAILABLE,
                         "cannot look at the SQLite database's file %s: %s", path,
                         strerror(errno));
    return error_set(err, ERROR_UNAVAILABLE,
                     "the SQLite database's file %s was deleted or replaced while it was in"
                     " use: put it back, or restart the server",
                     path);
}

bool db_sqlite_files_note(struct db_sqlite_files *files, sqlite3 *connection, const char *path,
                          struct error *err)
{
    struct db_sqlite_files found = {.path = path};
    char name[PATH_MAX];
    struct stat status;

    if (config_sqlite_in_memory(path))
        return true;
    for (int i = 0; i < DB_SQLITE_FILE_COUNT; i++) {
        const char *file = path_of(&found, connection, i, name);
        if (stat(file, &status) != 0)
            return refuse(file, err);
        found.files[i].device = status.st_dev;
        found.files[i].inode = status.st_ino;
    }
    if (has_moved(connection)) {
        errno = 0;
        return refuse(path, err);
    }
    *files = found;
    return true;
}

static bool is_same(const struct db_sqlite_files *files, int which, const char *path)
{
    struct stat status;

    errno = 0;
    return stat(path, &status) == 0 && status.st_dev == files->files[which].device &&
           status.st_ino == files->files[which].inode;
}

bool db_sqlite_files_check(const struct db_sqlite_files *files, sqlite3 *connection,
                           struct error *err)
{
    int count = connection ? DB_SQLITE_FILE_COUNT : 1;
    struct error ignored = {0};
    char name[PATH_MAX];

    for (int i = 0; files->path && i < count; i++) {
        const char *file = path_of(files, connection, i, name);
        if (is_same(files, i, file))
            continue;
        refuse(file, err);
        /* without its index, another program may be writing to the log */
        if (connection && i != LOG_INDEX)
            db_sqlite_run(connection, "PRAGMA wal_checkpoint(TRUNCATE)", "empty the log",
                          &ignored);
        return false;
    }
    return true;
}

static bool is_locked(const char *path, off_t start, off_t length)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool is_locked = file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    if (file >= 0)
        close(file);
    return is_locked;
}

static bool has_strange_log(const char *database)
{
    char index[PATH_MAX];

    snprintf(index, sizeof(index), "%s-shm", database);
    return is_locked(index, INDEX_LOCK, 1) &&
           !is_locked(database, DATABASE_LOCK, DATABASE_LOCK_SIZE);
}

/* More than once: between the two looks another program may open or close both. */
bool db_sqlite_files_fit(const char *path, struct error *err)
{
    char *database = realpath(path, NULL);
    int tries = 0;

    while (database && tries < FIT_TRIES && has_strange_log(database)) {
        tries++;
        clock_sleep(FIT_PAUSE);
    }
    free(database);
    return tries < FIT_TRIES ||
           error_set(err, ERROR_UNAVAILABLE,
                     "the SQLite database %s was replaced while another program had it open,"
                     " which still uses its log: stop that program first",
                     path);
}
