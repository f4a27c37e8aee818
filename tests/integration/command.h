#ifndef COMMAND_H
#define COMMAND_H

/*
 * Runs the program that TEST_APP names, as a person or a supervisor would: with arguments, and
 * an environment in which only the test's settings are set.
 */

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum test_database {
    TEST_SQLITE,
    TEST_MYSQL,
};

/* Which database the run is about; set once, by main. */
extern enum test_database test_database;

struct command {
    const char *const *arguments; /* without the program's name, ended by NULL */
    const char *const *settings;  /* "NAME=value" beside the usual ones, "NAME" to unset one;
                                     ended by NULL; NULL: none. RLIMIT_NOFILE=N limits,
                                     LISTENER=N passes a descriptor in LISTEN_FDS */
    const char *folder;           /* working directory; NULL: a new one, removed afterwards */
};

struct command_result {
    int status; /* exit status; 128 + the signal that ended it; -1: did not start or end */
    struct buffer out;
    struct buffer err;
};

/* Remembers TEST_APP's absolute path. False, with a word on stderr, when it can't be run. */
bool command_find(void);

/* Runs to the end, at most `limit` milliseconds. */
void command_run(const struct command *command, int limit, struct command_result *result);
void command_result_release(struct command_result *result);

/* Starts it with stdout and stderr going into these files, emptied before; NULL: it is closed,
 * and stdin with stdout. The child ends with the tests. Returns -1 when it can't. */
pid_t command_start(const struct command *command, const char *out_path, const char *err_path);

/* Waits for the end of a child: status as in struct command_result, -1 when it goes on. */
int command_wait(pid_t pid, int limit);

/* Waits until a child blocks or catches the signal, which would end it before. */
bool command_hears(pid_t pid, int signal);

/* A new, empty folder; its path goes into `path`. */
bool folder_make(char *path, size_t size);
void folder_remove(const char *path);

/* A file's content; empty when it can't be read. */
void file_read(const char *path, struct buffer *out);
bool file_write(const char *path, const char *text);

#endif
