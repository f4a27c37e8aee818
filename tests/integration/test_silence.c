/*
 * A way to the database that goes silent, as behind a firewall that forgets: what comes in is
 * swallowed, and nothing is closed. From the client's first text that has certain words in it.
 */

#include "check.h"
#include "exchange.h"
#include "sandbox.h"
#include "suites.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIP_MOST (DB_SESSION_TIMEOUT + 15) /* seconds, with what else a command does */

struct relay {
    pid_t pid;
    unsigned port;
};

/* Passes on what comes, until the client says the words. */
static void pass_on(int client, int server, const char *words)
{
    char bytes[65536];
    struct pollfd ends[] = {
        {.fd = client, .events = POLLIN},
        {.fd = server, .events = POLLIN}
    };
    while (poll(ends, 2, -1) > 0) {
        for (size_t i = 0; i < 2; i++) {
            ssize_t size = ends[i].revents ? read(ends[i].fd, bytes, sizeof bytes) : -1;
            if (size == 0)
                return;
            if (size < 0)
                continue;
            if (i == 0 && memmem(bytes, (size_t)size, words, strlen(words))) {
                pause();
                return;
            }
            if (write(ends[1 - i].fd, bytes, (size_t)size) != size)
                return;
        }
    }
}

/* One connection after another. */
static void serve_relay(int listener, const char *words)
{
    const char *port = getenv("MYSQL_PORT");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons(port ? (uint16_t)strtoul(port, NULL, 10) : 0),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (;;) {
        int client = accept(listener, NULL, NULL);
        int server = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(server, (struct sockaddr *)&address, sizeof address) == 0)
            pass_on(client, server, words);
        close(client);
        close(server);
    }
}

/* A process, since no other way ends what is silent. */
static bool relay_open(struct relay *relay, const char *words)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *relay = (struct relay){.pid = -1};
    if (bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 8) == 0 &&
        getsockname(listener, (struct sockaddr *)&address, &size) == 0)
        relay->pid = fork();
    if (relay->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_relay(listener, words);
    }
    close(listener);
    relay->port = ntohs(address.sin_port);
    return CHECK(relay->pid > 0, words, "no relay: %s", strerror(errno));
}

static void relay_close(struct relay *relay)
{
    if (relay->pid > 0) {
        kill(relay->pid, SIGKILL);
        waitpid(relay->pid, NULL, 0);
    }
    relay->pid = -1;
}

/* All at the same time: each is to end by itself, as when the database can't be reached. The
 * last one has the lock by then, and the server doesn't know that it is gone. */
static void test_each_trip_of_a_command_has_a_deadline(void)
{
    static const struct {
        const char *name;
        const char *arguments[4];
        const char *words; /* from which on it is silent */
    } rows[] = {
        {"login",        {"migrate", NULL},             "SET NAMES"                  },
        {"session",      {"migrate", NULL},             "SHOW VARIABLES WHERE"       },
        {"lock",         {"migrate", NULL},             "GET_LOCK"                   },
        {"check",        {"migrate", "--check", NULL},  "FROM information_schema"    },
        {"status",       {"migrate", "--status", NULL}, "FROM todobackend_migrations"},
        {"plan",         {"migrate", "--plan", NULL},   "generation_expression"      },
        {"lock of seed", {"seed", NULL},                "GET_LOCK"                   },
        {"serve",        {"serve", NULL},               "FROM information_schema"    },
        {"seed",         {"seed", NULL},                "INSERT INTO todo_todoitem"  },
    };
    struct relay relays[COUNT(rows)] = {{.pid = -1}};
    pid_t pids[COUNT(rows)];
    char port[32];
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && run_app(&sandbox, "before", "migrate", 0)) {
        uint64_t began = clock_now();
        sandbox.settings[2] = port;
        sandbox.settings[3] = "DB_WAIT=0";
        for (size_t i = 0; i < COUNT(rows); i++) {
            relay_open(&relays[i], rows[i].words);
            snprintf(port, sizeof port, "MYSQL_PORT=%u", relays[i].port);
            pids[i] = start_app(&sandbox, rows[i].arguments, (int)i);
        }
        for (size_t i = 0; i < COUNT(rows); i++)
            finish_app(&sandbox, rows[i].name, pids[i], (int)i, 11);
        CHECK(clock_now() - began < (uint64_t)TRIP_MOST * 1000000, "all", "took %llu ms",
              (unsigned long long)(clock_now() - began) / 1000);
        sandbox.settings[2] = NULL;
        run_app(&sandbox, "the lock comes back", "seed", 0);
        CHECK_CONTAINS("the lock comes back", "says", "5 sample todos inserted",
                       text_of(&sandbox.result.out));
    }
    for (size_t i = 0; i < COUNT(rows); i++)
        relay_close(&relays[i]);
    sandbox_close(&sandbox);
}

/* "0100007F:1F90": as /proc/net/tcp has it. The state of its timer, 2 for keep-alive. */
static int timer_of(unsigned port)
{
    char wanted[32];
    struct buffer table = {0};
    int timer = -1;
    snprintf(wanted, sizeof wanted, " 0100007F:%04X 01 ", port);
    file_read("/proc/net/tcp", &table);
    const char *line = strstr(text_of(&table), wanted);
    const char *field = line ? strchr(line + strlen(wanted), ' ') : NULL;
    if (field)
        timer = (int)strtol(field, NULL, 16);
    buffer_release(&table);
    return timer;
}

/* What takes hours isn't cut short: it is told of, and the kernel asks if the server is there.
 */
static void test_a_long_statement_is_watched(void)
{
    static const char *const words[] = {"migrate", NULL};
    char port[32];
    struct relay relay;
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && relay_open(&relay, "CREATE TABLE todo_todoitem")) {
        snprintf(port, sizeof port, "MYSQL_PORT=%u", relay.port);
        sandbox.settings[2] = port;
        pid_t pid = start_app(&sandbox, words, 0);
        clock_sleep((DB_SESSION_TIMEOUT + 2) * UINT64_C(1000000));
        CHECK_NUMBER("silent", "exit status", -1, command_wait(pid, 0));
        CHECK_NUMBER("silent", "keep-alive", 2, timer_of(relay.port));
        wait_for_words(&sandbox, 0,
                       "0001_initial, statement 1 of 1: the database has been at it for 1");
        relay_close(&relay);
        finish_app(&sandbox, "connection is dead", pid, 0, 11);
        sandbox.settings[2] = NULL;
        run_app(&sandbox, "goes on", "migrate", 0);
        run_app(&sandbox, "goes on", "migrate --check", 0);
    }
    sandbox_close(&sandbox);
}

CU_TestInfo silence_tests[] = {
    TEST(test_each_trip_of_a_command_has_a_deadline),
    TEST(test_a_long_statement_is_watched),
    CU_TEST_INFO_NULL,
};
