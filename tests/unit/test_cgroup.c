#include "base/cgroup.h"
#include "suites.h"

#include "../integration/check.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MOST 6

/* A file below a folder that stands for the root; its folders are made, too. */
static void write_file(const char *root, const char *path, const char *text)
{
    char name[512];
    FILE *file;

    snprintf(name, sizeof(name), "%s%s", root, path);
    for (char *slash = name + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(name, 0700);
        *slash = '/';
    }
    file = fopen(name, "w");
    if (!CHECK(file, path, "cannot be written"))
        return;
    fputs(text, file);
    fclose(file);
}

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *position)
{
    (void)status;
    (void)type;
    (void)position;
    return remove(path);
}

static void check_limit(const char *row, const char *root, double wanted, double limit,
                        const char *wanted_file, const char *file)
{
    CHECK(limit == wanted, row, "%g", limit);
    CHECK_TEXT(row, "file", wanted_file ? wanted_file : "", *file ? file + strlen(root) : file);
}

/* Processors are compared with what they are without a limit: the machine may have few. */
static void test_the_least_limit_counts(void)
{
    static const char self[] = "/proc/self/cgroup";
    static const char v1[] = "9:name=systemd:/a\n4:cpu,cpuacct:/a/b\n3:memory:/a/b\n0::/a/b\n";
    static const struct {
        const char *name;
        const char *files[FILES_MOST][2]; /* path, text */
        double memory;
        double processors;
        const char *memory_file; /* that sets it; NULL: none does */
        const char *processors_file;
    } rows[] = {
        {"nothing is mounted",                         {{self, "0::/\n"}},               HUGE_VAL, HUGE_VAL, NULL, NULL                                      },
        {"no groups at all",                           {{"/proc/else", ""}},             HUGE_VAL, HUGE_VAL, NULL, NULL                                      },
        {"version 2, a container's own tree",
         {{self, "0::/\n"},
          {"/sys/fs/cgroup/memory.max", "33554432\n"},
          {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}},
         33554432,                                                                                 0.5,
         "/sys/fs/cgroup/memory.max",                                                                              "/sys/fs/cgroup/cpu.max"                  },
        {"version 2, no limit",
         {{self, "0::/a\n"},
          {"/sys/fs/cgroup/a/memory.max", "max\n"},
          {"/sys/fs/cgroup/a/cpu.max", "max 100000\n"}},
         HUGE_VAL,                                                                                 HUGE_VAL,
         NULL,                                                                                                     NULL                                      },
        {"version 2, a service in a slice",
         {{self, "0::/a.slice/b.service\n"},
          {"/sys/fs/cgroup/a.slice/memory.max", "1000000\n"},
          {"/sys/fs/cgroup/a.slice/b.service/memory.max", "2000000\n"},
          {"/sys/fs/cgroup/a.slice/cpu.max", "max 100000\n"},
          {"/sys/fs/cgroup/a.slice/b.service/cpu.max", "25000 100000\n"}},
         1000000,                                                                                  0.25,
         "/sys/fs/cgroup/a.slice/memory.max",                                                                      "/sys/fs/cgroup/a.slice/b.service/cpu.max"},
        {"version 1",
         {{self, v1},
          {"/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "4000000\n"},
          {"/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "10000\n"},
          {"/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "50000\n"}},
         4000000,                                                                                  0.2,
         "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",                                                        "/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us" },
        {"version 1, the path is of outside",
         {{self, v1},
          {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "5000000\n"},
          {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
          {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
         5000000,                                                                                  HUGE_VAL,
         "/sys/fs/cgroup/memory/memory.limit_in_bytes",                                                            NULL                                      },
        {"version 1, none is the most that it counts",
         {{self, v1},
          {"/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n"}},
         HUGE_VAL,                                                                                 HUGE_VAL,
         NULL,                                                                                                     NULL                                      },
        {"another controller of version 1",
         {{self, "3:memory_else:/\n4:blkio,cpuset:/\n"},
          {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "5000000\n"}},
         HUGE_VAL,                                                                                 HUGE_VAL,
         NULL,                                                                                                     NULL                                      },
        {"no numbers",
         {{self, "0::/\n"},
          {"/sys/fs/cgroup/memory.max", "\n"},
          {"/sys/fs/cgroup/cpu.max", "x\n"}},
         HUGE_VAL,                                                                                 HUGE_VAL,
         NULL,                                                                                                     NULL                                      },
    };
    double all = cgroup_processors("/nowhere", NULL);

    CHECK(all >= 1, "without a limit", "%g processors", all);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char root[] = "/tmp/cgroup-XXXXXX";
        char file[CGROUP_FILE_SIZE];
        if (!CHECK(mkdtemp(root), rows[i].name, "no folder"))
            return;
        for (size_t j = 0; j < FILES_MOST && rows[i].files[j][0]; j++)
            write_file(root, rows[i].files[j][0], rows[i].files[j][1]);
        check_limit(rows[i].name, root, rows[i].memory, cgroup_memory(root, file),
                    rows[i].memory_file, file);
        check_limit(rows[i].name, root, fmin(rows[i].processors, all),
                    cgroup_processors(root, file), rows[i].processors_file, file);
        CU_ASSERT_EQUAL(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    }
}

CU_TestInfo cgroup_tests[] = {
    {"the least limit counts", test_the_least_limit_counts},
    CU_TEST_INFO_NULL,
};
