#include "cmd/watch.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Ends the watching thread's sleep. (pthread_cancel would need libgcc_s at run time.) */
#define OVER SIGUSR1

#define PRINT_MILLISECONDS 1000

bool cmd_block_signals(sigset_t *signals, struct error *err)
{
    struct sigaction hangup;
    sigset_t blocked;

    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(signals, SIGHUP);
    blocked = *signals;
    sigaddset(&blocked, OVER);
    if (pthread_sigmask(SIG_BLOCK, &blocked, NULL) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot block signals");
    return true;
}

static void *watch_for_signals(void *context)
{
    struct cmd_watch *watch = context;
    sigset_t signals = watch->signals;

    sigaddset(&signals, OVER);
    while (!atomic_load(&watch->is_over)) {
        uint64_t now = clock_now();
        uint64_t left = watch->deadline > now ? watch->deadline - now : 0;
        const struct timespec time_left = {.tv_sec = (time_t)(left / 1000000),
                                           .tv_nsec = (long)(left % 1000000) * 1000};
        int number = sigtimedwait(&signals, NULL, &time_left);
        if (number > 0 && number != OVER)
            watch->notice(CMD_WATCH_SIGNAL, watch->context);
        if (number > 0 || errno != EAGAIN)
            continue;
        watch->deadline = UINT64_MAX;
        watch->notice(CMD_WATCH_TIME_OVER, watch->context);
    }
    return NULL;
}

bool cmd_watch_start(struct cmd_watch *watch, const sigset_t *signals, unsigned seconds,
                     void (*notice)(enum cmd_watch_event event, void *context), void *context,
                     struct error *err)
{
    *watch = (struct cmd_watch){
        .signals = *signals,
        .deadline = seconds > 0 ? clock_now() + (uint64_t)seconds * 1000000 : UINT64_MAX,
        .notice = notice,
        .context = context,
    };
    if (pthread_create(&watch->thread, NULL, watch_for_signals, watch) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot start a thread");
    return true;
}

void cmd_watch_stop(struct cmd_watch *watch)
{
    atomic_store(&watch->is_over, true);
    pthread_kill(watch->thread, OVER);
    pthread_join(watch->thread, NULL);
}

void cmd_print_progress(const char *line, void *context)
{
    (void)context;
    fprintf(stderr, "app: %s\n", line);
}

const struct cmd_end cmd_ends[] = {
    {0,  "done"                                                                     },
    {1,  "the database or the system refused"                                       },
    {2,  "the command line or a setting is wrong, or the database refuses the login"},
    {10, "a migration is pending (`app migrate --check`, `app serve`)"              },
    {11, "the database can't be reached, or the connection was lost"                },
    {12, "another migration run had not finished within the waiting time"           },
    {13, "a migration's file was changed after it was applied"                      },
    {14, "a migration failed or was begun and not finished, or there are tables that need a "
         "person: the message says what is done and how to go on"           },
    {15, "stopped by a signal: the message says what is done"                       },
    {16, "the schema is newer than the program, and not compatible with it"         },
    {0,  NULL                                                                       },
};

int cmd_exit_status(enum error_code code)
{
    switch (code) {
    case ERROR_NONE:
        return 0;
    case ERROR_SYSTEM:
    case ERROR_DATABASE:
    case ERROR_REFUSED:
    case ERROR_CONFLICT:
    case ERROR_TAKEN:
    case ERROR_LIMIT:
    case ERROR_OUTCOME_UNKNOWN:
        return 1;
    case ERROR_USAGE:
    case ERROR_CONFIG:
        return 2;
    case ERROR_SCHEMA_PENDING:
        return 10;
    case ERROR_UNAVAILABLE:
        return 11;
    case ERROR_LOCKED:
        return 12;
    case ERROR_MIGRATION_CHANGED:
        return 13;
    case ERROR_MIGRATION_FAILED:
        return 14;
    case ERROR_STOPPED:
        return 15;
    case ERROR_SCHEMA_NEWER:
        return 16;
    }
    return 1;
}

/* A text of several lines (wrong settings) becomes that many messages. Who reads stderr may
 * have stalled: the end doesn't wait for that. */
void cmd_print_error(const struct error *err)
{
    struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
    const char *text = err->text;

    while (*text && poll(&output, 1, PRINT_MILLISECONDS) != 0) {
        size_t length = strcspn(text, "\n");
        fprintf(stderr, "app: %.*s\n", (int)length, text);
        text += length;
        text += *text == '\n';
    }
}

void cmd_end(const struct error *err)
{
    cmd_print_error(err);
    _exit(cmd_exit_status(err->code));
}
