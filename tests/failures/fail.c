/*
 * Calls that fail once. Linked before the program with `--wrap` for each function here: what
 * the program itself calls comes here first, what its libraries call does not.
 *
 * FAILURES names a file whose first byte is `y` while a call is to fail: the next one of a
 * place where none has failed yet, and then the byte is `n`. A place is a function and who
 * called it, up to the thread's start or to a library. The file remembers the places, from one
 * process to the next; FAILURES.log tells of each.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <jansson.h>
#include <microhttpd.h>
#include <mysql.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMES_MAX 4
#define PLACES_MAX 8000
#define STACK_MOST ((uintptr_t)1 << 20) /* bytes of one function's frame */

struct failures {
    _Atomic char is_armed;
    _Atomic uint32_t count;
    uint64_t places[PLACES_MAX];
};

extern const char __executable_start[], etext[];   // NOLINT: the linker's names
int __real_open(const char *path, int flags, ...); // NOLINT: the linker's name

static struct failures *failures; /* NULL: no call fails */
static int log_file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What mysql_errno and sqlite3_errcode say, until the thread's next call. */
static _Thread_local unsigned mysql_code;
static _Thread_local int sqlite_code;

/* ---- places ---- */

static bool is_ours(uintptr_t address)
{
    return address >= (uintptr_t)__executable_start && address < (uintptr_t)etext;
}

/* The same in each run: without where the program or the library was loaded. */
static uintptr_t place_of(uintptr_t address)
{
    Dl_info info;

    if (dladdr((void *)address, &info) == 0) // NOLINT(performance-no-int-to-ptr)
        return 0;
    return address - (uintptr_t)info.dli_fbase;
}

/* Who called, from the inside out. A library has no frame pointers: the walk ends there. */
static size_t walk(const uintptr_t *frame, uintptr_t places[FRAMES_MAX])
{
    size_t count = 0;

    while (count < FRAMES_MAX) {
        uintptr_t next = frame[0];
        uintptr_t caller = frame[1];

        places[count++] = place_of(caller);
        if (!is_ours(caller) || next <= (uintptr_t)frame ||
            next - (uintptr_t)frame > STACK_MOST)
            break;
        frame = (const uintptr_t *)next; // NOLINT(performance-no-int-to-ptr)
    }
    return count;
}

static uint64_t hash(const char *name, const uintptr_t *places, size_t count)
{
    uint64_t sum = 14695981039346656037U; /* FNV-1a */

    for (; *name; name++)
        sum = (sum ^ (unsigned char)*name) * 1099511628211U;
    for (size_t i = 0; i < count; i++)
        sum = (sum ^ places[i]) * 1099511628211U;
    return sum;
}

static bool is_known(uint64_t place)
{
    for (uint32_t i = 0; i < failures->count; i++)
        if (failures->places[i] == place)
            return true;
    return false;
}

static void tell(const char *name, const uintptr_t *places, size_t count)
{
    dprintf(log_file, "%s", name);
    for (size_t i = 0; i < count; i++)
        dprintf(log_file, " 0x%zx", (size_t)places[i]);
    dprintf(log_file, "\n");
}

static bool fails(const char *name, const void *frame)
{
    uintptr_t places[FRAMES_MAX];
    size_t count;
    uint64_t place;
    bool is_chosen;

    if (!failures || failures->is_armed != 'y')
        return false;
    count = walk(frame, places);
    place = hash(name, places, count);
    pthread_mutex_lock(&lock);
    is_chosen = failures->is_armed == 'y' && failures->count < PLACES_MAX && !is_known(place);
    if (is_chosen) {
        failures->places[failures->count++] = place;
        failures->is_armed = 'n';
        tell(name, places, count);
    }
    pthread_mutex_unlock(&lock);
    return is_chosen;
}

/* What measures the coverage is linked into the program, and works after its end. */
static void end_failures(void)
{
    failures = NULL;
}

static void __attribute__((constructor)) open_failures(void)
{
    const char *path = getenv("FAILURES");
    char log_path[4096];
    int file;
    void *memory;

    if (!path)
        return;
    file = __real_open(path, O_RDWR | O_CLOEXEC);
    if (file < 0 || ftruncate(file, sizeof(struct failures)) != 0)
        abort();
    memory = mmap(NULL, sizeof(struct failures), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    snprintf(log_path, sizeof(log_path), "%s.log", path);
    log_file = __real_open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (memory == MAP_FAILED || log_file < 0 || atexit(end_failures) != 0)
        abort();
    failures = memory;
}

/* ---- the calls ---- */

// NOLINTBEGIN: the linker's names, and macros that are a table

#define DECLARE(result, name, parameters)                                                      \
    result __real_##name parameters;                                                           \
    result __wrap_##name parameters;

/* RESULT, NAME, (PARAMETERS), (ARGUMENTS), what it gives when it fails, what else it sets then
 */
#define WRAP(result, name, parameters, arguments, failure, also)                               \
    DECLARE(result, name, parameters)                                                          \
    result __wrap_##name parameters                                                            \
    {                                                                                          \
        if (fails(#name, __builtin_frame_address(0))) {                                        \
            also;                                                                              \
            return failure;                                                                    \
        }                                                                                      \
        return __real_##name arguments;                                                        \
    }

#define SYSTEM(result, name, parameters, arguments, failure, number)                           \
    WRAP(result, name, parameters, arguments, failure, errno = number)

#define MYSQL_CALL(result, name, parameters, arguments, failure, code)                         \
    DECLARE(result, name, parameters)                                                          \
    result __wrap_##name parameters                                                            \
    {                                                                                          \
        mysql_code = fails(#name, __builtin_frame_address(0)) ? code : 0;                      \
        if (mysql_code != 0)                                                                   \
            return failure;                                                                    \
        return __real_##name arguments;                                                        \
    }

#define SQLITE_CALL(result, name, parameters, arguments, failure, code)                        \
    DECLARE(result, name, parameters)                                                          \
    result __wrap_##name parameters                                                            \
    {                                                                                          \
        sqlite_code = fails(#name, __builtin_frame_address(0)) ? code : SQLITE_OK;             \
        if (sqlite_code != SQLITE_OK)                                                          \
            return failure;                                                                    \
        return __real_##name arguments;                                                        \
    }

/* clang-format off: a table */

/* memory, files */
SYSTEM(void *, malloc, (size_t size), (size), NULL, ENOMEM)
SYSTEM(void *, calloc, (size_t count, size_t size), (count, size), NULL, ENOMEM)
SYSTEM(void *, realloc, (void *memory, size_t size), (memory, size), NULL, ENOMEM)
SYSTEM(char *, strdup, (const char *text), (text), NULL, ENOMEM)
SYSTEM(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
SYSTEM(int, fflush, (FILE * file), (file), EOF, ENOSPC)
SYSTEM(int, fstat, (int file, struct stat *status), (file, status), -1, EIO)
SYSTEM(int, stat, (const char *path, struct stat *status), (path, status), -1, EIO)
SYSTEM(int, statx,
       (int folder, const char *path, int flags, unsigned mask, struct statx *status),
       (folder, path, flags, mask, status), -1, EIO)
SYSTEM(char *, realpath, (const char *path, char *found), (path, found), NULL, EIO)
SYSTEM(int, mkostemp, (char *path, int flags), (path, flags), -1, EMFILE)
SYSTEM(int, fsync, (int file), (file), -1, EIO)
SYSTEM(int, renameat2,
       (int from_folder, const char *from, int to_folder, const char *to, unsigned flags),
       (from_folder, from, to_folder, to, flags), -1, EIO)
SYSTEM(int, access, (const char *path, int mode), (path, mode), -1, EIO)
SYSTEM(int, dup, (int file), (file), -1, EMFILE)
SYSTEM(int, eventfd, (unsigned count, int flags), (count, flags), -1, EMFILE)
SYSTEM(int, poll, (struct pollfd * files, nfds_t count, int timeout), (files, count, timeout),
       -1, EINTR)
SYSTEM(iconv_t, iconv_open, (const char *to, const char *from), (to, from), (iconv_t)-1, ENOMEM)
SYSTEM(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags), -1,
       EINTR)
SYSTEM(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set), (pid, size, set), -1,
       EINVAL)

/* sockets, threads */
SYSTEM(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1, EMFILE)
SYSTEM(int, setsockopt, (int s, int level, int name, const void *value, socklen_t size),
       (s, level, name, value, size), -1, ENOBUFS)
SYSTEM(int, bind, (int s, const struct sockaddr *address, socklen_t size), (s, address, size),
       -1, EADDRINUSE)
SYSTEM(int, listen, (int s, int backlog), (s, backlog), -1, EADDRINUSE)
SYSTEM(int, connect, (int s, const struct sockaddr *address, socklen_t size),
       (s, address, size), -1, ECONNREFUSED)
SYSTEM(int, getsockname, (int s, struct sockaddr *address, socklen_t *size), (s, address, size),
       -1, ENOBUFS)
SYSTEM(int, getsockopt, (int s, int level, int name, void *value, socklen_t *size),
       (s, level, name, value, size), -1, ENOBUFS)
SYSTEM(ssize_t, send, (int s, const void *bytes, size_t size, int flags),
       (s, bytes, size, flags), -1, ECONNRESET)
SYSTEM(ssize_t, recv, (int s, void *bytes, size_t size, int flags), (s, bytes, size, flags), -1,
       ECONNRESET)
SYSTEM(int, gethostname, (char *name, size_t size), (name, size), -1, ENAMETOOLONG)
WRAP(int, getaddrinfo,
     (const char *host, const char *port, const struct addrinfo *hints,
      struct addrinfo **found),
     (host, port, hints, found), EAI_MEMORY, )
WRAP(int, getnameinfo,
     (const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size,
      char *port, socklen_t port_size, int flags),
     (address, size, host, host_size, port, port_size, flags), EAI_MEMORY, )
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
      void *context),
     (thread, attributes, run, context), EAGAIN, )

/* libmicrohttpd, jansson */
WRAP(struct MHD_Response *, MHD_create_response_from_buffer_with_free_callback_cls,
     (size_t size, void *bytes, MHD_ContentReaderFreeCallback release, void *context),
     (size, bytes, release, context), NULL, )
WRAP(enum MHD_Result, MHD_add_response_header,
     (struct MHD_Response * response, const char *name, const char *value),
     (response, name, value), MHD_NO, )
WRAP(enum MHD_Result, MHD_queue_response,
     (struct MHD_Connection * connection, unsigned status, struct MHD_Response *response),
     (connection, status, response), MHD_NO, )
WRAP(json_t *, json_loadb, (const char *text, size_t size, size_t flags, json_error_t *error),
     (text, size, flags, error), NULL, *error = (json_error_t){0})

/* MySQL: 2003 can't connect, 2008 out of memory, 2013 lost */
WRAP(int, mysql_server_init, (int count, char **arguments, char **groups),
     (count, arguments, groups), 1, )
WRAP(MYSQL *, mysql_init, (MYSQL * connection), (connection), NULL, )
MYSQL_CALL(MYSQL *, mysql_real_connect,
           (MYSQL * connection, const char *host, const char *user, const char *password,
            const char *database, unsigned port, const char *path, unsigned long flags),
           (connection, host, user, password, database, port, path, flags), NULL, 2003)
MYSQL_CALL(int, mysql_real_query, (MYSQL * connection, const char *sql, unsigned long size),
           (connection, sql, size), 1, 2013)
MYSQL_CALL(MYSQL_RES *, mysql_store_result, (MYSQL * connection), (connection), NULL, 2008)
MYSQL_CALL(MYSQL_RES *, mysql_use_result, (MYSQL * connection), (connection), NULL, 2008)
MYSQL_CALL(int, mysql_next_result, (MYSQL * connection), (connection), 1, 2013)
MYSQL_CALL(int, mysql_set_server_option,
           (MYSQL * connection, enum enum_mysql_set_option option), (connection, option), 1,
           2013)
MYSQL_CALL(my_bool, mysql_autocommit, (MYSQL * connection, my_bool mode), (connection, mode), 1,
           2013)
MYSQL_CALL(my_bool, mysql_rollback, (MYSQL * connection), (connection), 1, 2013)

/* SQLite */
SQLITE_CALL(int, sqlite3_exec,
            (sqlite3 * connection, const char *sql, sqlite3_callback row, void *context,
             char **message),
            (connection, sql, row, context, message), SQLITE_IOERR, SQLITE_IOERR)
SQLITE_CALL(int, sqlite3_backup_step, (sqlite3_backup * backup, int pages), (backup, pages),
            SQLITE_IOERR, SQLITE_IOERR)
WRAP(sqlite3_backup *, sqlite3_backup_init,
     (sqlite3 * to, const char *to_name, sqlite3 *from, const char *from_name),
     (to, to_name, from, from_name), NULL, sqlite_code = SQLITE_NOMEM)
SQLITE_CALL(int, sqlite3_step, (sqlite3_stmt * statement), (statement), SQLITE_IOERR,
            SQLITE_IOERR)
SQLITE_CALL(int, sqlite3_bind_int, (sqlite3_stmt * statement, int i, int value),
            (statement, i, value), SQLITE_NOMEM, SQLITE_NOMEM)
SQLITE_CALL(int, sqlite3_bind_int64, (sqlite3_stmt * statement, int i, sqlite3_int64 value),
            (statement, i, value), SQLITE_NOMEM, SQLITE_NOMEM)
SQLITE_CALL(int, sqlite3_bind_null, (sqlite3_stmt * statement, int i), (statement, i),
            SQLITE_NOMEM, SQLITE_NOMEM)
SQLITE_CALL(int, sqlite3_bind_text,
            (sqlite3_stmt * statement, int i, const char *text, int size, void (*end)(void *)),
            (statement, i, text, size, end), SQLITE_NOMEM, SQLITE_NOMEM)
WRAP(const unsigned char *, sqlite3_column_text, (sqlite3_stmt * statement, int i),
     (statement, i), NULL, sqlite_code = SQLITE_NOMEM)

/* clang-format on */

DECLARE(int, sqlite3_open_v2,
        (const char *path, sqlite3 **connection, int flags, const char *system))
int __wrap_sqlite3_open_v2(const char *path, sqlite3 **connection, int flags,
                           const char *system)
{
    if (!fails("sqlite3_open_v2", __builtin_frame_address(0)))
        return __real_sqlite3_open_v2(path, connection, flags, system);
    *connection = NULL;
    return SQLITE_NOMEM;
}

DECLARE(int, sqlite3_prepare_v2,
        (sqlite3 * connection, const char *sql, int size, sqlite3_stmt **statement,
         const char **rest))
int __wrap_sqlite3_prepare_v2(sqlite3 *connection, const char *sql, int size,
                              sqlite3_stmt **statement, const char **rest)
{
    if (!fails("sqlite3_prepare_v2", __builtin_frame_address(0)))
        return __real_sqlite3_prepare_v2(connection, sql, size, statement, rest);
    *statement = NULL;
    return sqlite_code = SQLITE_NOMEM;
}

DECLARE(int, sqlite3_prepare_v3,
        (sqlite3 * connection, const char *sql, int size, unsigned flags,
         sqlite3_stmt **statement, const char **rest))
int __wrap_sqlite3_prepare_v3(sqlite3 *connection, const char *sql, int size, unsigned flags,
                              sqlite3_stmt **statement, const char **rest)
{
    if (!fails("sqlite3_prepare_v3", __builtin_frame_address(0)))
        return __real_sqlite3_prepare_v3(connection, sql, size, flags, statement, rest);
    *statement = NULL;
    return sqlite_code = SQLITE_NOMEM;
}

DECLARE(int, sqlite3_errcode, (sqlite3 * connection))
int __wrap_sqlite3_errcode(sqlite3 *connection)
{
    return sqlite_code ? sqlite_code : __real_sqlite3_errcode(connection);
}

DECLARE(int, sqlite3_extended_errcode, (sqlite3 * connection))
int __wrap_sqlite3_extended_errcode(sqlite3 *connection)
{
    return sqlite_code ? sqlite_code : __real_sqlite3_extended_errcode(connection);
}

DECLARE(const char *, sqlite3_errmsg, (sqlite3 * connection))
const char *__wrap_sqlite3_errmsg(sqlite3 *connection)
{
    return sqlite_code ? sqlite3_errstr(sqlite_code) : __real_sqlite3_errmsg(connection);
}

DECLARE(unsigned, mysql_errno, (MYSQL * connection))
unsigned __wrap_mysql_errno(MYSQL *connection)
{
    return mysql_code ? mysql_code : __real_mysql_errno(connection);
}

DECLARE(const char *, mysql_error, (MYSQL * connection))
const char *__wrap_mysql_error(MYSQL *connection)
{
    return mysql_code ? "made to fail" : __real_mysql_error(connection);
}

/* Of rows that were read before, none can fail. */
DECLARE(MYSQL_ROW, mysql_fetch_row, (MYSQL_RES * result))
MYSQL_ROW __wrap_mysql_fetch_row(MYSQL_RES *result)
{
    mysql_code =
        !result->data && fails("mysql_fetch_row", __builtin_frame_address(0)) ? 2013 : 0;
    return mysql_code ? NULL : __real_mysql_fetch_row(result);
}

DECLARE(int, mysql_options, (MYSQL * connection, enum mysql_option option, const void *value))
int __wrap_mysql_options(MYSQL *connection, enum mysql_option option, const void *value)
{
    if (fails("mysql_options", __builtin_frame_address(0)))
        return 1;
    return __real_mysql_options(connection, option, value);
}

/* Only what is a file's: an eventfd can always be read and written. */
static bool is_file(int file)
{
    struct stat status;

    return __real_fstat(file, &status) == 0 &&
           (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode));
}

DECLARE(ssize_t, read, (int file, void *bytes, size_t size))
ssize_t __wrap_read(int file, void *bytes, size_t size)
{
    if (!is_file(file) || !fails("read", __builtin_frame_address(0)))
        return __real_read(file, bytes, size);
    errno = EIO;
    return -1;
}

DECLARE(ssize_t, write, (int file, const void *bytes, size_t size))
ssize_t __wrap_write(int file, const void *bytes, size_t size)
{
    if (!is_file(file) || !fails("write", __builtin_frame_address(0)))
        return __real_write(file, bytes, size);
    errno = ENOSPC;
    return -1;
}

DECLARE(int, open, (const char *path, int flags, ...))
int __wrap_open(const char *path, int flags, ...)
{
    if (!fails("open", __builtin_frame_address(0)))
        return __real_open(path, flags, 0600);
    errno = EMFILE;
    return -1;
}

DECLARE(int, openat, (int folder, const char *path, int flags, ...))
int __wrap_openat(int folder, const char *path, int flags, ...)
{
    if (!fails("openat", __builtin_frame_address(0)))
        return __real_openat(folder, path, flags); /* never to create */
    errno = EMFILE;
    return -1;
}

DECLARE(int, asprintf, (char **text, const char *format, ...))
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    int length;

    if (fails("asprintf", __builtin_frame_address(0)))
        return -1;
    va_start(arguments, format);
    length = vasprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

DECLARE(struct MHD_Daemon *, MHD_start_daemon,
        (unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept, void *accept_context,
         MHD_AccessHandlerCallback handler, void *context, ...))
struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned flags, uint16_t port,
                                           MHD_AcceptPolicyCallback accept,
                                           void *accept_context,
                                           MHD_AccessHandlerCallback handler, void *context,
                                           ...)
{
    struct MHD_Daemon *daemon;
    va_list options;

    if (fails("MHD_start_daemon", __builtin_frame_address(0)))
        return NULL;
    va_start(options, context);
    daemon =
        MHD_start_daemon_va(flags, port, accept, accept_context, handler, context, options);
    va_end(options);
    return daemon;
}

// NOLINTEND
