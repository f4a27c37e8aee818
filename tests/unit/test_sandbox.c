#include "base/sandbox.h"
#include "suites.h"

#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    UNSUPPORTED = 77, /* by this kernel */
};

static int change(const char *folder, const char *name, int flags)
{
    char path[300];
    int file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = open(path, flags, 0600);
    if (file >= 0)
        close(file);
    return file >= 0 ? 0 : errno;
}

static int remove_file(const char *folder, const char *name)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return unlink(path) == 0 ? 0 : errno;
}

/* What a confined process can do, as its exit status: the first line that is wrong, or 0. */
static int try_all(const char *inside, const char *outside, bool is_inside_allowed)
{
    char name[] = "true";
    char *const arguments[] = {name, NULL};
    int inside_errno = is_inside_allowed ? 0 : EACCES;

    if (!sandbox_enter(is_inside_allowed ? inside : NULL, NULL))
        return UNSUPPORTED;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 1;
    if (change(inside, "new", O_WRONLY | O_CREAT | O_EXCL) != inside_errno)
        return 2;
    if (change(inside, "old", O_WRONLY | O_TRUNC) != inside_errno)
        return 3;
    if (remove_file(inside, "old") != inside_errno)
        return 4;
    if (change(outside, "new", O_WRONLY | O_CREAT | O_EXCL) != EACCES)
        return 5;
    if (change(outside, "old", O_WRONLY) != EACCES || remove_file(outside, "old") != EACCES)
        return 6;
    if (change(outside, "old", O_RDONLY) != 0)
        return 7;
    if (execv("/bin/true", arguments) != -1 || errno != EACCES)
        return 8;
    return 0;
}

static int try_in_child(bool is_inside_allowed)
{
    char inside[] = "/tmp/todobackend-sandbox-XXXXXX";
    char outside[] = "/tmp/todobackend-sandbox-XXXXXX";
    int status = -1;
    pid_t child;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(inside));
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(outside));
    CU_ASSERT_EQUAL(change(inside, "old", O_WRONLY | O_CREAT), 0);
    CU_ASSERT_EQUAL(change(outside, "old", O_WRONLY | O_CREAT), 0);
    child = fork();
    if (child == 0)
        _exit(try_all(inside, outside, is_inside_allowed));
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    (void)remove_file(inside, "old");
    (void)remove_file(inside, "new");
    (void)remove_file(outside, "old");
    CU_ASSERT_EQUAL(rmdir(inside), 0);
    CU_ASSERT_EQUAL(rmdir(outside), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check(bool is_inside_allowed)
{
    int status = try_in_child(is_inside_allowed);

    if (status == UNSUPPORTED)
        puts("    (this kernel has no Landlock)");
    else
        CU_ASSERT_EQUAL(status, 0);
}

static void test_one_folder(void)
{
    check(true);
}

static void test_no_folder(void)
{
    check(false);
}

CU_TestInfo sandbox_tests[] = {
    {"files change in one folder only, nothing is run", test_one_folder},
    {"no file changes, nothing is run",                 test_no_folder },
    CU_TEST_INFO_NULL,
};
