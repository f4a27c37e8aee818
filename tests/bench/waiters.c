/*
 * How soon a change reaches many who wait for it (Prefer: wait), in one thread:
 *
 *     waiters PORT PATH COUNT ROUNDS PID
 *     RESULT round first last change server plain plain-server
 *
 * Each round, COUNT connections ask for PATH, whose version they know, and wait; then /todos/1
 * is patched. Told are the milliseconds from that request's sending until the first and the
 * last of them, and the one that changes, have their answers; and those of processor that the
 * server PID took for it. For comparison the same COUNT questions and answers follow without
 * anybody waiting: what both sides cost alike, and how busy the machine is.
 *
 *     waiters PORT PATH COUNT hold
 *
 * They wait until standard input ends; `ready` is printed when all of them do.
 */

#include "../integration/http_client.h"
#include "base/clock.h"

#include <glob.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ANSWER_SIZE 32768 /* more than one takes */
#define EVENTS      256
#define SETTLE_TIME 1500000 /* microseconds: longer than from one look to the next */

struct crowd {
    unsigned port;
    const char *path;
    size_t count;
    int epoll;
    struct client_connection *readers; /* count, and behind them the one that writes */
};

struct times {
    uint64_t first; /* microseconds */
    uint64_t last;
    uint64_t change;
    uint64_t server; /* of processor */
};

static void fail(const char *what)
{
    fprintf(stderr, "waiters: %s\n", what);
    exit(1);
}

/* Has room for an answer now, and not only when its time is taken. */
static void make_room(struct client_connection *connection)
{
    static const char room[ANSWER_SIZE];

    buffer_append(&connection->received, room, sizeof(room));
    connection->received.size = 0;
}

static void open_crowd(struct crowd *crowd)
{
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd->readers = calloc(crowd->count + 1, sizeof(*crowd->readers));
    if (crowd->epoll < 0 || !crowd->readers)
        fail("out of memory");
    for (size_t i = 0; i <= crowd->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (!client_open(&crowd->readers[i], crowd->port) ||
            epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, crowd->readers[i].fd, &event) != 0)
            fail("cannot connect: are enough connections allowed (HTTP_CLIENT_CONNECTIONS)?");
        make_room(&crowd->readers[i]);
    }
}

static void ask_all(const struct crowd *crowd, const char *headers)
{
    const struct client_request request = {.path = crowd->path, .headers = headers};

    for (size_t i = 0; i < crowd->count; i++)
        if (!client_send_request(&crowd->readers[i], crowd->port, &request))
            fail("not sent");
}

/* The one that writes is asked to as well, when `changes`. */
static void receive_all(struct crowd *crowd, bool changes, uint64_t start, struct times *times)
{
    struct client_response response = {0};
    struct epoll_event events[EVENTS];
    size_t left = crowd->count + changes;

    *times = (struct times){0};
    while (left > 0) {
        int count = epoll_wait(crowd->epoll, events, EVENTS, CLIENT_TIME_LIMIT);
        if (count <= 0)
            fail("no answer");
        left -= (size_t)count;
        for (int i = 0; i < count; i++) {
            size_t reader = events[i].data.u64;
            bool is_writer = reader == crowd->count;
            client_receive(&crowd->readers[reader], false, CLIENT_TIME_LIMIT, &response);
            if (response.status != 200)
                fail("another status than expected");
            uint64_t time = clock_now() - start;
            if (is_writer)
                times->change = time;
            else if (times->first == 0)
                times->first = time;
            if (!is_writer)
                times->last = time;
        }
    }
    client_response_release(&response);
}

/* Microseconds of processor that it has had. */
static uint64_t processor_of(const char *pid)
{
    char pattern[64];
    glob_t threads;
    uint64_t sum = 0;

    snprintf(pattern, sizeof(pattern), "/proc/%s/task/*/schedstat", pid);
    if (glob(pattern, 0, NULL, &threads) != 0)
        fail("there is no such process");
    for (size_t i = 0; i < threads.gl_pathc; i++) {
        char line[80] = "";
        FILE *file = fopen(threads.gl_pathv[i], "r");
        if (file && fgets(line, sizeof(line), file))
            sum += strtoull(line, NULL, 10);
        if (file)
            fclose(file);
    }
    globfree(&threads);
    return sum / 1000;
}

static void begin_to_wait(const struct crowd *crowd)
{
    struct client_response response = {0};
    char headers[300];

    client_ask(crowd->port, &(struct client_request){.path = crowd->path}, &response);
    const char *etag = client_header(&response, "ETag");
    if (!etag)
        fail("no ETag");
    snprintf(headers, sizeof(headers), "If-None-Match: %s\r\nPrefer: wait=300\r\n", etag);
    client_response_release(&response);
    ask_all(crowd, headers);
    clock_sleep(SETTLE_TIME);
    if (poll(&(struct pollfd){.fd = crowd->epoll, .events = POLLIN}, 1, 0) != 0)
        fail("there is an answer before the change");
}

static struct times tell_change(struct crowd *crowd, const char *pid)
{
    struct client_connection *writer = &crowd->readers[crowd->count];
    uint64_t processor = processor_of(pid);
    uint64_t start = clock_now();
    struct times times;
    char json[64];

    snprintf(json, sizeof(json), "{\"order\":%" PRIu64 "}", start % 1000000000);
    client_send_request(
        writer, crowd->port,
        &(struct client_request){
            .method = "PATCH", .path = "/todos/1", .type = "application/json", .body = json});
    receive_all(crowd, true, start, &times);
    times.server = processor_of(pid) - processor;
    return times;
}

static struct times ask_plainly(struct crowd *crowd, const char *pid)
{
    uint64_t processor = processor_of(pid);
    uint64_t start = clock_now();
    struct times times;

    ask_all(crowd, "");
    receive_all(crowd, false, start, &times);
    times.server = processor_of(pid) - processor;
    return times;
}

static void measure(struct crowd *crowd, unsigned long round, const char *pid)
{
    begin_to_wait(crowd);
    struct times news = tell_change(crowd, pid);
    struct times plain = ask_plainly(crowd, pid);
    printf("RESULT %lu %.1f %.1f %.1f %.1f %.1f %.1f\n", round, (double)news.first / 1000,
           (double)news.last / 1000, (double)news.change / 1000, (double)news.server / 1000,
           (double)plain.last / 1000, (double)plain.server / 1000);
    fflush(stdout);
}

static void hold(struct crowd *crowd)
{
    struct pollfd sources[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = crowd->epoll, .events = POLLIN}
    };

    client_close(&crowd->readers[crowd->count]); /* it asks nothing, so it would be closed */
    begin_to_wait(crowd);
    puts("ready");
    fflush(stdout);
    poll(sources, 2, -1);
    if (sources[1].revents)
        fail("there was an answer meanwhile");
}

int main(int argc, char **argv)
{
    struct crowd crowd = {0};
    bool holds = argc == 5 && strcmp(argv[4], "hold") == 0;

    if (argc != 6 && !holds) {
        fprintf(stderr, "usage: waiters PORT PATH COUNT hold | ROUNDS PID\n");
        return 2;
    }
    crowd.port = (unsigned)strtoul(argv[1], NULL, 10);
    crowd.path = argv[2];
    crowd.count = strtoul(argv[3], NULL, 10);
    open_crowd(&crowd);
    if (holds)
        hold(&crowd);
    for (unsigned long round = 1; !holds && round <= strtoul(argv[4], NULL, 10); round++)
        measure(&crowd, round, argv[5]);
    for (size_t i = 0; i <= crowd.count; i++)
        client_close(&crowd.readers[i]);
    close(crowd.epoll);
    free(crowd.readers);
    return 0;
}
