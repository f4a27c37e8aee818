#ifndef CMD_WATCH_H
#define CMD_WATCH_H

/*
 * The signals that ask to stop: SIGTERM, SIGINT and SIGHUP (but under nohup, which wants it
 * ignored). A command blocks them, and takes them where it can stop in order.
 *
 * Where it waits for what can't be told to stop (a name that is looked up, a server that is
 * silent, another program's lock), a thread watches for them, and for the time to be over. It
 * ends the program as a crash would: what the database had not committed is undone.
 */

#include "base/error.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum cmd_watch_event {
    CMD_WATCH_SIGNAL,
    CMD_WATCH_TIME_OVER,
};

struct cmd_watch {
    sigset_t signals;
    uint64_t deadline; /* clock_now() */
    void (*notice)(enum cmd_watch_event event, void *context);
    void *context;
    atomic_bool is_over;
    pthread_t thread;
};

/* Blocks them for this thread and for those that it starts. */
bool cmd_block_signals(sigset_t *signals, struct error *err);

/* Calls `notice`, on a thread of its own, each time that one of the signals comes, and once
 * when so many seconds are over (0: never). It may end the program by cmd_end. */
bool cmd_watch_start(struct cmd_watch *watch, const sigset_t *signals, unsigned seconds,
                     void (*notice)(enum cmd_watch_event event, void *context), void *context,
                     struct error *err);

/* Waits for the end of a notice that is under way. Signals wait from now on. */
void cmd_watch_stop(struct cmd_watch *watch);

/* Seconds that commands wait for another run, and that a try to reach the database may take. */
#define CMD_LOCK_WAIT 60
#define CMD_LAST_TRY  10

/* migrate_options.report of a command: a line on stderr. */
void cmd_print_progress(const char *line, void *context);

/* What main does at the end. */
void cmd_print_error(const struct error *err);
int cmd_exit_status(enum error_code code);

/* What the exit statuses mean, in their order; the last without a meaning. */
struct cmd_end {
    int status;
    const char *meaning;
};

extern const struct cmd_end cmd_ends[];

/* Both at once, whatever other threads are at. */
_Noreturn void cmd_end(const struct error *err);

#endif
