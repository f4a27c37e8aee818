#include "command.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENT_MAX 16
#define HEAR_LIMIT   20000 /* milliseconds */

enum test_database test_database;

static char app_path[PATH_MAX];

/* Nothing of the caller's environment may leak into the program, but for the connection to the
 * test's database, which is MySQL's own run only. */
static const char *const unset_always[] = {"DATABASE",
                                           "SQLITE_PATH",
                                           "PUBLIC_URL",
                                           "ALLOWED_HOSTS",
                                           "HTTP_ADDRESS",
                                           "HTTP_PORT",
                                           "HTTP_SOCKET_MODE",
                                           "ADMIN_ADDRESS",
                                           "ADMIN_PORT",
                                           "HTTP_THREADS",
                                           "HTTP_BODY_LIMIT",
                                           "HTTP_JSON_DEPTH",
                                           "HTTP_HOST_LIMIT",
                                           "REQUEST_TIMEOUT",
                                           "LOG_FORMAT",
                                           "LOG_LEVEL",
                                           "LOG_HEALTH",
                                           "DB_READERS",
                                           "DB_BATCH",
                                           "DB_QUEUE",
                                           "DB_WAIT",
                                           "DB_SYNC_WAIT",
                                           "STATIC_ROOT",
                                           "SECRETS_ROOT",
                                           "MYSQL_SSL_MODE",
                                           "MYSQL_SSL_CA",
                                           "CORS_ORIGINS",
                                           "WAIT_LIMIT",
                                           "WAIT_CLIENTS",
                                           "TEST_APP",
                                           "MYSQL_PASSWORD_FILE",
                                           "TRUSTED_PROXIES",
                                           "HTTP_CLIENT_CONNECTIONS",
                                           "REQUEST_MEMORY",
                                           "RESPONSE_MEMORY",
                                           "STOP_DELAY",
                                           "STOP_TIMEOUT",
                                           "DB_CONNECTION_AGE",
                                           "NOTIFY_SOCKET",
                                           "LISTEN_FDS",
                                           "LISTEN_PID",
                                           "WATCHDOG_USEC",
                                           "WATCHDOG_PID"};
static const char *const unset_on_sqlite[] = {"MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER",
                                              "MYSQL_PASSWORD", "MYSQL_DATABASE"};
static const char *const set_always[] = {"HTTP_ADDRESS=127.0.0.1", "HTTP_PORT=0",
                                         "LOG_FORMAT=json", "SECRETS_ROOT=/nonexistent"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool command_find(void)
{
    const char *path = getenv("TEST_APP");
    if (path && realpath(path, app_path) && access(app_path, X_OK) == 0)
        return true;
    fprintf(stderr, "TEST_APP must name the program under test\n");
    return false;
}

static void limit_descriptors(rlim_t most)
{
    if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){most, most}) != 0)
        _exit(126);
}

/* As systemd passes a socket. The descriptor is higher than all that are passed. */
static void pass_listener(int listener)
{
    static int count;
    char number[16];
    if (dup2(listener, 3 + count++) < 0)
        _exit(126);
    snprintf(number, sizeof number, "%d", count);
    setenv("LISTEN_FDS", number, 1);
    snprintf(number, sizeof number, "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
}

static void set(const char *setting)
{
    char name[64];
    const char *equals = strchr(setting, '=');
    size_t length = equals ? (size_t)(equals - setting) : strlen(setting);
    if (length >= sizeof name)
        _exit(126);
    memcpy(name, setting, length);
    name[length] = '\0';
    if (equals && strcmp(name, "LISTENER") == 0)
        pass_listener((int)strtol(equals + 1, NULL, 10));
    else if (equals && strcmp(name, "RLIMIT_NOFILE") == 0)
        limit_descriptors(strtoul(equals + 1, NULL, 10));
    else if (equals)
        setenv(name, equals + 1, 1);
    else
        unsetenv(name);
}

static void set_environment(const char *const *settings)
{
    for (size_t i = 0; i < COUNT(unset_always); i++)
        unsetenv(unset_always[i]);
    if (test_database == TEST_SQLITE)
        for (size_t i = 0; i < COUNT(unset_on_sqlite); i++)
            unsetenv(unset_on_sqlite[i]);
    for (size_t i = 0; i < COUNT(set_always); i++)
        set(set_always[i]);
    set(test_database == TEST_SQLITE ? "DATABASE=sqlite" : "DATABASE=mysql");
    for (; settings && *settings; settings++)
        set(*settings);
}

/* A file that is to be a stream of the child's; -1 for none. */
static int open_for_child(const char *path)
{
    return path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600) : -1;
}

/* Makes a file a stream of this process; -1 closes the stream. */
static bool become(int file, int stream)
{
    return file < 0 ? close(stream) == 0 : dup2(file, stream) == stream;
}

/* execv wants arguments that may be changed; it doesn't change them. */
static void execute(const char *const *arguments)
{
    char *list[ARGUMENT_MAX + 2] = {app_path};
    for (size_t i = 0; i < ARGUMENT_MAX && arguments[i]; i++)
        list[i + 1] = strdup(arguments[i]);
    execv(app_path, list);
}

pid_t command_start(const struct command *command, const char *out_path, const char *err_path)
{
    int out = open_for_child(out_path);
    int err = open_for_child(err_path);
    pid_t pid = (out_path && out < 0) || (err_path && err < 0) ? -1 : fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = out_path ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
        if (chdir(command->folder) == 0 && become(null, 0) && become(out, 1) &&
            become(err, 2)) {
            set_environment(command->settings);
            execute(command->arguments);
        }
        _exit(127);
    }
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return pid;
}

int command_wait(pid_t pid, int limit)
{
    uint64_t deadline = clock_now() + (uint64_t)limit * 1000;
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && clock_now() < deadline)
        clock_sleep(2000);
    if (ended != pid)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Whether a line of /proc/PID/status, a mask in hexadecimal digits, has the signal. */
static bool has_signal(const char *text, const char *line, int signal)
{
    const char *at = strstr(text, line);
    return at && (strtoull(at + strlen(line), NULL, 16) >> (signal - 1) & 1) != 0;
}

bool command_hears(pid_t pid, int signal)
{
    uint64_t deadline = clock_now() + HEAR_LIMIT * 1000ULL;
    struct buffer text = {0};
    char path[64];
    bool hears = false;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    while (!hears && clock_now() < deadline) {
        clock_sleep(5000);
        file_read(path, &text);
        if (text.data)
            hears = has_signal(text.data, "\nSigBlk:", signal) ||
                    has_signal(text.data, "\nSigCgt:", signal);
    }
    buffer_release(&text);
    return hears;
}

void command_run(const struct command *command, int limit, struct command_result *result)
{
    char files[PATH_MAX / 2];
    char out[PATH_MAX];
    char err[PATH_MAX];
    struct command placed = *command;
    command_result_release(result);
    result->status = -1;
    if (!folder_make(files, sizeof files))
        return;
    placed.folder = command->folder ? command->folder : files;
    snprintf(out, sizeof out, "%s/stdout", files);
    snprintf(err, sizeof err, "%s/stderr", files);
    pid_t pid = command_start(&placed, out, err);
    if (pid > 0)
        result->status = command_wait(pid, limit);
    if (pid > 0 && result->status == -1) {
        kill(pid, SIGKILL);
        command_wait(pid, limit);
    }
    file_read(out, &result->out);
    file_read(err, &result->err);
    folder_remove(files);
}

void command_result_release(struct command_result *result)
{
    buffer_release(&result->out);
    buffer_release(&result->err);
    result->status = -1;
}

bool folder_make(char *path, size_t size)
{
    const char *base = getenv("TMPDIR");
    int length =
        snprintf(path, size, "%s/todobackend-test-XXXXXX", base && *base ? base : "/tmp");
    if (length > 0 && (size_t)length < size && mkdtemp(path))
        return true;
    fprintf(stderr, "cannot make the folder %s: %s\n", path, strerror(errno));
    return false;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void file_read(const char *path, struct buffer *out)
{
    char bytes[16384];
    size_t size;
    buffer_clear(out);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_append(out, bytes, size);
    fclose(file);
}

bool file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return false;
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}
