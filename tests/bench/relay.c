/*
 * A line of a certain length between two programs, to measure with a database that is not on
 * the same machine:
 *
 *     relay ADDRESS PORT MICROSECONDS
 *
 * Listens on a free port of 127.0.0.1, prints it, and passes what comes there on to ADDRESS and
 * PORT and back, each byte half of MICROSECONDS after it came: that many for a round trip. As
 * on a real line any amount may be under way, in order. Ends on SIGTERM, and when PORT refuses.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE   65536
#define EVENTS_MOST 64
#define NEVER       UINT64_MAX

/* What came in one piece. One of no bytes stands for the end. */
struct chunk {
    struct chunk *next;
    uint64_t due; /* nanoseconds */
    size_t size;
    size_t sent;
    char data[];
};

/* What goes from one end to the other. */
struct direction {
    struct chunk *head;
    struct chunk **tail;
    bool is_blocked; /* the receiver takes no more for now */
};

struct link;

struct end {
    struct link *link;
    int fd;
    bool is_watched;      /* until it ends */
    struct direction out; /* what came from here */
    struct end *peer;
};

struct link {
    struct link *next;
    struct end ends[2];
};

static int poller;
static int timer;
static int listener;
static struct link *links;
static struct sockaddr_in target;
static uint64_t delay; /* nanoseconds, one way */

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static void watch(int operation, int fd, uint32_t events, void *data)
{
    must(epoll_ctl(poller, operation, fd, &(struct epoll_event){events, {.ptr = data}}) == 0,
         "epoll_ctl");
}

static void link_open(int client)
{
    struct link *link = calloc(1, sizeof(*link));
    int server = socket(AF_INET, SOCK_STREAM, 0);
    const int fds[2] = {client, server};
    const int on = 1;

    must(link && server >= 0, "open");
    must(connect(server, (struct sockaddr *)&target, sizeof(target)) == 0, "connect");
    for (size_t i = 0; i < 2; i++) {
        struct end *end = &link->ends[i];
        end->link = link;
        end->fd = fds[i];
        end->is_watched = true;
        end->out.tail = &end->out.head;
        end->peer = &link->ends[1 - i];
        setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(EPOLL_CTL_ADD, end->fd, EPOLLIN, end);
    }
    link->next = links;
    links = link;
}

static void link_close(struct link *link)
{
    for (size_t i = 0; i < 2; i++) {
        struct chunk *chunk = link->ends[i].out.head;
        while (chunk) {
            struct chunk *next = chunk->next;
            free(chunk);
            chunk = next;
        }
        close(link->ends[i].fd);
    }
    free(link);
}

static void end_read(struct end *end)
{
    static char bytes[READ_SIZE];
    ssize_t size = recv(end->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    struct chunk *chunk;

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        size = 0;
        end->is_watched = false;
        watch(EPOLL_CTL_DEL, end->fd, 0, NULL);
    }
    chunk = malloc(sizeof(*chunk) + (size_t)size);
    must(chunk != NULL, "memory");
    *chunk = (struct chunk){.due = now() + delay, .size = (size_t)size};
    memcpy(chunk->data, bytes, (size_t)size);
    *end->out.tail = chunk;
    end->out.tail = &chunk->next;
}

static void set_blocked(struct end *end, bool is_blocked)
{
    if (end->out.is_blocked == is_blocked)
        return;
    end->out.is_blocked = is_blocked;
    if (end->peer->is_watched)
        watch(EPOLL_CTL_MOD, end->peer->fd, is_blocked ? EPOLLIN | EPOLLOUT : EPOLLIN,
              end->peer);
}

/* Passes on what is due. False when that is the end. */
static bool end_flush(struct end *end, uint64_t time)
{
    struct direction *out = &end->out;

    while (out->head && out->head->due <= time && !out->is_blocked) {
        struct chunk *chunk = out->head;
        ssize_t size;
        if (chunk->size == 0)
            return false;
        size = send(end->peer->fd, chunk->data + chunk->sent, chunk->size - chunk->sent,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (size < 0) {
            set_blocked(end, true);
            break;
        }
        chunk->sent += (size_t)size;
        if (chunk->sent < chunk->size)
            continue;
        out->head = chunk->next;
        if (!out->head)
            out->tail = &out->head;
        free(chunk);
    }
    return true;
}

/* When there is something to do again. */
static uint64_t flush_all(void)
{
    struct link **next = &links;
    uint64_t due = NEVER;
    uint64_t time = now();

    while (*next) {
        struct link *link = *next;
        if (!end_flush(&link->ends[0], time) || !end_flush(&link->ends[1], time)) {
            *next = link->next;
            link_close(link);
            continue;
        }
        for (size_t i = 0; i < 2; i++) {
            const struct direction *out = &link->ends[i].out;
            if (out->head && !out->is_blocked && out->head->due < due)
                due = out->head->due;
        }
        next = &link->next;
    }
    return due;
}

static void set_timer(uint64_t due)
{
    struct itimerspec time = {0};

    if (due != NEVER) {
        time.it_value.tv_sec = (time_t)(due / 1000000000U);
        time.it_value.tv_nsec = (long)(due % 1000000000U);
    }
    must(timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL) == 0, "timerfd_settime");
}

static void listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    must(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 &&
             listen(listener, 64) == 0 &&
             getsockname(listener, (struct sockaddr *)&address, &size) == 0,
         "listen");
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    must(fflush(stdout) == 0, "print");
}

static void run(void)
{
    struct epoll_event events[EVENTS_MOST];
    uint64_t ticks;

    for (;;) {
        int count = epoll_wait(poller, events, EVENTS_MOST, -1);
        must(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &listener) {
                link_open(accept(listener, NULL, NULL));
            } else if (events[i].data.ptr == &timer) {
                must(read(timer, &ticks, sizeof(ticks)) > 0 || errno == EAGAIN, "timer");
            } else {
                struct end *end = events[i].data.ptr;
                if (events[i].events & EPOLLOUT)
                    set_blocked(end->peer, false);
                if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                    end_read(end);
            }
        }
        set_timer(flush_all());
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: relay ADDRESS PORT MICROSECONDS\n");
        return 2;
    }
    target.sin_family = AF_INET;
    target.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    must(inet_pton(AF_INET, argv[1], &target.sin_addr) == 1, argv[1]);
    delay = strtoull(argv[3], NULL, 10) * 1000 / 2;
    /* the way that it stands for takes none of this machine's processors: it waits for none */
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0)
        fprintf(stderr, "relay: no right to a real-time priority: delays will be longer\n");
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    must(poller >= 0 && timer >= 0, "epoll and timerfd");
    listen_somewhere();
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener);
    watch(EPOLL_CTL_ADD, timer, EPOLLIN, &timer);
    run();
}
