#include "base/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRUNCATE_SINCE 3            /* version of Landlock */
#define FS_TRUNCATE    (1ULL << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE, which Linux 6.1 lacks */

#define FILE_CHANGES                                                                           \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                          \
     LANDLOCK_ACCESS_FS_MAKE_REG)
#define OTHER_CHANGES                                                                          \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                              \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |                              \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

/* glibc has no functions for these. */

static int make_rules(uint64_t forbidden)
{
    const struct landlock_ruleset_attr rules = {.handled_access_fs = forbidden};

    return (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
}

static bool allow(int rules, const char *folder, uint64_t allowed)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = allowed,
        .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
    };
    bool good = rule.parent_fd >= 0 && syscall(SYS_landlock_add_rule, rules,
                                               LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;

    if (rule.parent_fd >= 0)
        close(rule.parent_fd);
    return good;
}

/* There in a program that measures its coverage, which writes files at its end. */
extern void __gcov_init(void) __attribute__((weak)); // NOLINT: the compiler's name

bool sandbox_enter(const char *data, const char *sockets)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    uint64_t changes = FILE_CHANGES | (version >= TRUNCATE_SINCE ? FS_TRUNCATE : 0);
    bool good = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    int rules = good && version > 0 && !__gcov_init ? make_rules(changes | OTHER_CHANGES) : -1;

    good = rules >= 0 && (!data || allow(rules, data, changes)) &&
           (!sockets || allow(rules, sockets, LANDLOCK_ACCESS_FS_REMOVE_FILE)) &&
           syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    if (rules >= 0)
        close(rules);
    return good;
}
