#include "base/log_writer.h"

#include "base/metrics.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MILLISECONDS 100
#define STOP_MILLISECONDS 1000
#define NUDGE_SIGNAL      SIGURG /* nobody's else, and harmless: it is ignored by default */

enum {
    BATCH_SIZE = 1048576,
    IMPORTANT_SIZE = 65536, /* of it, for important lines alone */
    WAKE_SIZE = 131072,     /* of lines that are not written at once */
};

struct batch {
    size_t size;
    char bytes[BATCH_SIZE];
};

static pthread_t thread;
static atomic_bool has_given_up; /* nothing is written any more */

/* Everything below belongs to who holds the lock, but for the batch that is being written. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;  /* the writer waits for it */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER; /* and who stops it for this */
static struct batch batches[2];
static struct batch *filling = &batches[0];
static uint64_t lost_lines;
static bool is_running;
static bool is_awaited; /* the writer was called, or is, before its time */
static bool is_stopping;
static void (*add_more)(uint64_t lost);

void log_writer_lock(void)
{
    pthread_mutex_lock(&lock);
}

void log_writer_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

bool log_writer_runs(void)
{
    return is_running;
}

/* ---- writing ---- */

static uint64_t count_lines(const char *bytes, const char *end)
{
    uint64_t count = 0;

    for (; bytes < end && (bytes = memchr(bytes, '\n', (size_t)(end - bytes))); bytes++)
        count++;
    return count;
}

/* Whether a write that failed may be tried again. stdout may be another process's, too, which
 * made it non-blocking. */
static bool may_go_on(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    bool is_full = errno == EAGAIN;

    if (!is_full)
        return errno == EINTR;
    poll(&output, 1, TICK_MILLISECONDS);
    return true;
}

/* Empties the batch. Returns how many of its lines could not be written. */
static uint64_t write_batch(struct batch *batch)
{
    const char *rest = batch->bytes;
    const char *end = rest + batch->size;

    while (rest < end && !atomic_load(&has_given_up)) {
        ssize_t written = write(STDOUT_FILENO, rest, (size_t)(end - rest));
        if (written < 0 && !may_go_on())
            break;
        if (written > 0)
            rest += written;
    }
    batch->size = 0;
    return count_lines(rest, end);
}

static struct timespec after(unsigned milliseconds)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += milliseconds / 1000;
    time.tv_nsec += milliseconds % 1000 * 1000000L;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

/* Lets lines gather for a tick. */
static void wait_for_news(void)
{
    const struct timespec until = after(TICK_MILLISECONDS);

    while (!is_awaited && !is_stopping &&
           pthread_cond_clockwait(&news, &lock, CLOCK_MONOTONIC, &until) == 0)
        continue;
}

/* A round of the writer; the lock is held before and after. `is_taken` tells whether stdout
 * took the lines that were there last. */
static void write_lines(bool *is_taken)
{
    struct batch *full;
    bool is_empty;
    uint64_t failed;

    wait_for_news();
    is_awaited = false;
    full = filling;
    filling = filling == &batches[0] ? &batches[1] : &batches[0];
    add_more(*is_taken ? lost_lines : 0);
    if (*is_taken)
        lost_lines = 0;
    is_empty = full->size == 0;
    pthread_mutex_unlock(&lock);
    failed = write_batch(full);
    pthread_mutex_lock(&lock);
    lost_lines += failed;
    if (failed > 0)
        metrics_add(METRICS_LOG_DROPPED, failed);
    if (!is_empty)
        *is_taken = failed == 0;
}

static void *run(void *context)
{
    bool is_taken = true;

    (void)context;
    pthread_mutex_lock(&lock);
    do
        write_lines(&is_taken);
    while (!is_stopping || filling->size > 0 || (is_taken && lost_lines > 0));
    is_running = false;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* ---- start and stop ---- */

static void note_nudge(int number)
{
    (void)number;
}

bool log_writer_start(void (*add_lines)(uint64_t lost), struct error *err)
{
    /* without SA_RESTART, a signal ends a write(2) that waits */
    const struct sigaction action = {.sa_handler = note_nudge};
    bool is_good;

    pthread_mutex_lock(&lock);
    if (is_running) {
        pthread_mutex_unlock(&lock);
        return true;
    }
    atomic_store(&has_given_up, false);
    add_more = add_lines;
    lost_lines = 0;
    is_stopping = false;
    is_good = sigaction(NUDGE_SIGNAL, &action, NULL) == 0 &&
              pthread_create(&thread, NULL, run, NULL) == 0;
    is_running = is_good;
    pthread_mutex_unlock(&lock);
    return is_good ? true : error_set(err, ERROR_SYSTEM, "cannot start the log's thread");
}

/* Until the writer has ended, `milliseconds` at most. */
static void wait_for_end(unsigned milliseconds)
{
    const struct timespec until = after(milliseconds);

    while (is_running && pthread_cond_clockwait(&ended, &lock, CLOCK_MONOTONIC, &until) == 0)
        continue;
}

void log_writer_stop(void)
{
    bool was_running;

    pthread_mutex_lock(&lock);
    was_running = is_running;
    is_stopping = true;
    pthread_cond_signal(&news);
    wait_for_end(STOP_MILLISECONDS);
    atomic_store(&has_given_up, is_running);
    while (is_running) { /* a signal may come just before it goes into write(2) */
        pthread_kill(thread, NUDGE_SIGNAL);
        wait_for_end(1);
    }
    pthread_mutex_unlock(&lock);
    if (was_running)
        pthread_join(thread, NULL);
}

/* ---- lines ---- */

char *log_writer_begin(bool is_important)
{
    size_t limit = BATCH_SIZE - LOG_LINE_SIZE_MAX - (is_important ? 0 : IMPORTANT_SIZE);

    if (filling->size <= limit)
        return filling->bytes + filling->size;
    lost_lines++;
    metrics_add(METRICS_LOG_DROPPED, 1);
    return NULL;
}

void log_writer_end(const char *end, bool at_once)
{
    filling->size = (size_t)(end - filling->bytes);
    if (!is_running) {
        write_batch(filling);
    } else if (!is_awaited && (at_once || filling->size >= WAKE_SIZE)) {
        is_awaited = true;
        pthread_cond_signal(&news);
    }
}
