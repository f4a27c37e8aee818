#include "base/cgroup.h"

#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE      (2 * PATH_MAX)
#define PROGRAM_MEMORY 14680064.0 /* bytes that it needs, whatever clients do */

struct controller {
    const char *name;
    const char *file_v1;
    const char *file_v2;
    double (*read)(const char *folder, bool is_v2); /* HUGE_VAL for no limit */
};

static double read_memory(const char *folder, bool is_v2);
static double read_processors(const char *folder, bool is_v2);

static const struct controller memory = {"memory", "memory.limit_in_bytes", "memory.max",
                                         read_memory};
static const struct controller processors = {"cpu", "cpu.cfs_quota_us", "cpu.max",
                                             read_processors};

/* A limit that was found, and the file that sets it. */
struct limit {
    double value;
    char *file; /* of CGROUP_FILE_SIZE, or NULL: nobody asks */
};

static bool read_line(const char *folder, const char *name, char line[LINE_SIZE])
{
    char path[LINE_SIZE];
    bool has_line;
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= LINE_SIZE)
        return false;
    file = fopen(path, "re");
    if (!file)
        return false;
    has_line = fgets(line, LINE_SIZE, file) != NULL;
    fclose(file);
    return has_line;
}

/* A file that holds a positive number; HUGE_VAL for "max", for version 1's "none" (-1 or the
 * most pages that a long counts), or no file. */
static double read_number(const char *folder, const char *name)
{
    char line[LINE_SIZE];
    double number = read_line(folder, name, line) ? strtod(line, NULL) : 0;

    return number > 0 && number < 0x1p62 ? number : HUGE_VAL;
}

static double read_memory(const char *folder, bool is_v2)
{
    return read_number(folder, is_v2 ? memory.file_v2 : memory.file_v1);
}

static double read_processors(const char *folder, bool is_v2)
{
    double quota = HUGE_VAL;
    double period = HUGE_VAL;
    char line[LINE_SIZE];

    if (!is_v2) {
        quota = read_number(folder, processors.file_v1);
        period = read_number(folder, "cpu.cfs_period_us");
    } else if (read_line(folder, processors.file_v2, line)) {
        char *end;
        quota = strtod(line, &end); /* 0 for "max" */
        period = strtod(end, NULL);
    }
    return quota > 0 && period > 0 && period < HUGE_VAL ? quota / period : HUGE_VAL;
}

/* Whether the words between commas have this one. */
static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);

    while (words) {
        if (strncmp(words, word, length) == 0 && (!words[length] || words[length] == ','))
            return true;
        words = strchr(words, ',');
        if (words)
            words++;
    }
    return false;
}

/* Of a group and all above it. A container often sees its own group as the topmost, and its
 * path as it is outside: then only the last of these folders is there. */
static void find_above(const char *mount, const char *path, bool is_v2,
                       const struct controller *controller, struct limit *least)
{
    char folder[LINE_SIZE];
    char *end;

    if (snprintf(folder, sizeof(folder), "%s%s", mount, path[1] ? path : "") >= LINE_SIZE)
        return;
    do {
        double found = controller->read(folder, is_v2);
        if (found < least->value) {
            least->value = found;
            if (least->file)
                snprintf(least->file, CGROUP_FILE_SIZE, "%.480s/%s", folder,
                         is_v2 ? controller->file_v2 : controller->file_v1);
        }
        end = strrchr(folder + strlen(mount), '/');
        if (end)
            *end = '\0';
    } while (end);
}

/* Each line of /proc/self/cgroup is ID:CONTROLLERS:PATH, without controllers for version 2. */
static void find_limit(const char *root, const struct controller *controller,
                       struct limit *least)
{
    char line[LINE_SIZE];
    char mount[PATH_MAX];
    FILE *file;

    snprintf(line, sizeof(line), "%s/proc/self/cgroup", root);
    file = fopen(line, "re");
    while (file && fgets(line, sizeof(line), file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(++controllers, ':') : NULL;
        bool is_v2 = controllers == path;
        if (!path)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (!is_v2 && !has_word(controllers, controller->name))
            continue;
        snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup%s%s", root, is_v2 ? "" : "/",
                 is_v2 ? "" : controller->name);
        find_above(mount, path, is_v2, controller, least);
    }
    if (file)
        fclose(file);
}

double cgroup_memory(const char *root, char file[CGROUP_FILE_SIZE])
{
    struct limit least = {HUGE_VAL, file};

    if (file)
        *file = '\0';
    find_limit(root, &memory, &least);
    return least.value;
}

/* fmin and fmax would be all that needs the library of mathematics. */
double cgroup_memory_share(double part, double least, double most)
{
    double share = (cgroup_memory("", NULL) - PROGRAM_MEMORY) * part;

    if (share > most)
        share = most;
    return share > least ? share : least;
}

double cgroup_processors(const char *root, char file[CGROUP_FILE_SIZE])
{
    cpu_set_t allowed;
    long count = sched_getaffinity(0, sizeof(allowed), &allowed) == 0
                     ? CPU_COUNT(&allowed)
                     : sysconf(_SC_NPROCESSORS_ONLN);

    struct limit least = {count > 1 ? (double)count : 1, file};

    if (file)
        *file = '\0';
    find_limit(root, &processors, &least);
    return least.value;
}
