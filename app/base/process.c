#include "base/process.h"

#include "base/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FILE_SIZE 4096

/* Reads as much of a file as there is room for; "" when it can't be read. */
static void read_file(const char *path, char text[FILE_SIZE])
{
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, FILE_SIZE - 1, file) : 0;

    text[size] = '\0';
    if (file)
        fclose(file);
}

/* The number that stands `place` words behind this one. */
static uint64_t number_at(const char *text, unsigned place)
{
    for (; place > 0 && text; place--) {
        text = strchr(text, ' ');
        text = text ? text + 1 : NULL;
    }
    return text ? strtoull(text, NULL, 10) : 0;
}

static uint64_t microseconds(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* The difference of the clocks is never twice the same, and whoever reads the metric takes
 * another value for another start: so it is computed once. `began` is in ticks after the
 * machine's start.
 */
static void set_start(uint64_t began)
{
    static atomic_bool is_set;

    if (!atomic_exchange(&is_set, true))
        metrics_set(METRICS_PROCESS_START,
                    microseconds(CLOCK_REALTIME) - microseconds(CLOCK_BOOTTIME) +
                        began * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* See proc(5), /proc/pid/stat: the name in it may hold anything, a parenthesis too. The 20th
 * field is how many threads there are, the 22nd when the process began. */
static void measure_stat(void)
{
    char text[FILE_SIZE];
    const char *state;

    read_file("/proc/self/stat", text);
    state = strrchr(text, ')');
    if (!state)
        return;
    state += 2; /* the third field */
    metrics_set(METRICS_PROCESS_THREADS, number_at(state, 20 - 3));
    set_start(number_at(state, 22 - 3));
}

/* In pages: all, what is in memory, ..., and in the sixth place data and stacks. */
static void measure_memory(void)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    char text[FILE_SIZE];
    struct rlimit limit = {0};

    read_file("/proc/self/statm", text);
    metrics_set(METRICS_PROCESS_VIRTUAL, number_at(text, 0) * page);
    metrics_set(METRICS_PROCESS_RESIDENT, number_at(text, 1) * page);
    metrics_set(METRICS_PROCESS_HEAP, number_at(text, 5) * page);
    if (getrlimit(RLIMIT_AS, &limit) == 0)
        metrics_set(METRICS_PROCESS_VIRTUAL_MAX, limit.rlim_cur);
}

/* The one that reads the folder, and its names `.` and `..`, don't count. */
static void measure_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct rlimit limit = {0};
    uint64_t count = 0;

    while (folder && readdir(folder)) /* NOLINT: the folder is this thread's own */
        count++;
    if (folder)
        closedir(folder);
    metrics_set(METRICS_PROCESS_FDS, count >= 3 ? count - 3 : 0);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metrics_set(METRICS_PROCESS_FDS_MAX, limit.rlim_cur);
}

void process_measure(void)
{
    metrics_set(METRICS_PROCESS_CPU, microseconds(CLOCK_PROCESS_CPUTIME_ID));
    measure_stat();
    measure_memory();
    measure_descriptors();
}
