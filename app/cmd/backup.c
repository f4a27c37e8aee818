#include "cmd/cmd.h"

#include "cmd/watch.h"
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool run(int argc, char **argv, struct error *err);

const struct cmd_command cmd_backup = {
    .name = "backup",
    .operand = "FILE",
    .needs_operand = true,
    .summary = "copy the SQLite database to a file",
    .description =
        "Copies the SQLite database, as it is at one moment, into FILE, which must not exist "
        "yet. Servers may go on working with it: what they acknowledged before is in the copy. "
        "FILE is there when the copy is complete, sound (integrity_check) and on the disk, or "
        "not at all; until then it is FILE and a dot with six characters. Prints its size and "
        "how many todos it has. It waits up to REQUEST_TIMEOUT seconds for a database that is "
        "locked.\n"
        "\n"
        "To restore it: stop all servers, remove SQLITE_PATH and, after a crash, the two files "
        "of that name with -wal and -shm, move the backup there, start. Never copy it over a "
        "database that is in use.\n"
        "\n"
        "On MySQL it says what makes a backup there.",
    .run = run,
};

/* Where the copy is made. */
struct aside {
    char *path;
    int file;
};

/* SQLite may have made the others. */
static void remove_aside(const struct aside *aside)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char *path = NULL;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (asprintf(&path, "%s%s", aside->path, suffixes[i]) < 0)
            return;
        unlink(path);
        free(path);
    }
}

static void notice(enum cmd_watch_event event, void *context)
{
    struct error err = {0};

    (void)event;
    remove_aside(context);
    error_set(&err, ERROR_STOPPED, "stopped by a signal");
    cmd_end(&err);
}

static bool fail(const char *doing, const char *path, struct error *err)
{
    return error_set(err, ERROR_SYSTEM, "cannot %s %s: %s", doing, path, strerror(errno));
}

static bool refuse_existing(const char *path, struct error *err)
{
    return error_set(err, ERROR_USAGE, "%s exists already: a backup overwrites nothing", path);
}

static bool sync_folder(const char *path, struct error *err)
{
    char *copy = strdup(path);
    int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool good = folder >= 0 && fsync(folder) == 0;

    if (folder >= 0)
        close(folder);
    free(copy);
    return good || fail("sync the folder of", path, err);
}

/* Not every file system knows to rename without replacing; those know a second name. */
static bool rename_new(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ||
           (errno == EINVAL && link(from, to) == 0 && unlink(from) == 0);
}

static bool give_name(const struct aside *aside, const char *path, struct error *err)
{
    if (!rename_new(aside->path, path))
        return errno == EEXIST ? refuse_existing(path, err) : fail("make", path, err);
    if (sync_folder(path, err))
        return true;
    unlink(path);
    return false;
}

/* A signal has its effect as long as there is no FILE. */
static bool copy_aside(const struct config *config, struct aside *aside,
                       const sigset_t *signals, unsigned long *todos, struct error *err)
{
    struct cmd_watch watch;
    bool good;

    if (!cmd_watch_start(&watch, signals, 0, notice, aside, err))
        return false;
    good = store_backup(config, aside->path, todos, err);
    if (good && fsync(aside->file) != 0)
        good = fail("sync", aside->path, err);
    cmd_watch_stop(&watch);
    return good;
}

static bool back_up(const struct config *config, const char *path, struct error *err)
{
    struct aside aside = {.file = -1};
    struct stat status = {0};
    unsigned long todos = 0;
    sigset_t signals;
    bool good = false;

    if (lstat(path, &status) == 0)
        return refuse_existing(path, err);
    if (asprintf(&aside.path, "%s.XXXXXX", path) < 0)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    if (!cmd_block_signals(&signals, err))
        goto out;
    aside.file = mkostemp(aside.path, O_CLOEXEC);
    if (aside.file < 0) {
        fail("make", aside.path, err);
        goto out;
    }
    good = copy_aside(config, &aside, &signals, &todos, err) &&
           (fstat(aside.file, &status) == 0 || fail("read", aside.path, err)) &&
           give_name(&aside, path, err);
    close(aside.file);
    if (good)
        printf("%s: %lld bytes, %lu todos\n", path, (long long)status.st_size, todos);
    else
        remove_aside(&aside);
out:
    free(aside.path);
    return good;
}

/* Its own tools know more of a server than this program. */
static bool refuse_mysql(const struct config *config, struct error *err)
{
    bool is_socket = config->mysql_host[0] == '/';

    return error_set(err, ERROR_USAGE,
                     "`app backup` is for SQLite; here: mysqldump --single-transaction %s %s"
                     " --port=%u --user=%s -p %s > FILE (MariaDB: mariadb-dump)",
                     is_socket ? "--socket" : "--host", config->mysql_host, config->mysql_port,
                     config->mysql_user, config->mysql_database);
}

static bool run(int argc, char **argv, struct error *err)
{
    struct config config = {0};
    bool good;

    if (cmd_next_option(&cmd_backup, argc, argv, err) != CMD_OPTIONS_END ||
        !cmd_load_config(&config, NULL, err))
        return false;
    good = config.database == CONFIG_DATABASE_MYSQL
               ? refuse_mysql(&config, err)
               : cmd_has_file(&config, err) && back_up(&config, argv[optind], err);
    config_release(&config);
    return good;
}
