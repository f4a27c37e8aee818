#include "relay.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE    65536
#define LINKS_MOST   256
#define TRICKLE_STEP 20U /* microseconds between two bytes */
#define NEVER        UINT64_MAX

/* The protocol's numbers. */
#define HEADER_SIZE  4U /* of a packet: its length in three bytes, and its number */
#define COM_QUERY    3U
#define OK_PACKET    0U
#define MORE_RESULTS 8U /* SERVER_MORE_RESULTS_EXISTS */

/* What came in one piece. One of no bytes stands for the end. */
struct chunk {
    struct chunk *next;
    uint64_t due; /* clock_now() */
    size_t size;
    size_t sent;
    char data[];
};

struct end {
    int fd;
    bool has_ended;      /* nothing more comes from it */
    bool is_blocked;     /* the other end takes no more for now */
    struct chunk *first; /* what came from here, for the other end */
    struct chunk **last;
    uint64_t due; /* of the last chunk */
};

enum {
    CLIENT,
    SERVER,
    ENDS,
};

struct link {
    struct link *next;
    struct end ends[ENDS];
    struct buffer query;  /* of the client: not a whole packet yet */
    struct buffer answer; /* to a COMMIT: not whole yet */
    bool is_asking;       /* for what is to be cut in its answer */
    bool is_committing;
    bool is_silent;
};

struct relay {
    struct sockaddr_in target;
    unsigned port;
    int listener;
    int wake;
    pthread_t thread;
    pthread_mutex_t lock; /* of the rest */
    struct relay_rule rule;
    struct link *links;
    size_t link_count;
    unsigned seed;
    bool is_ending;
};

static void end_append(struct relay *relay, struct end *end, const void *bytes, size_t size)
{
    const struct relay_rule *rule = &relay->rule;
    struct chunk *chunk = malloc(sizeof *chunk + size);
    uint64_t due = clock_now() + rule->delay;

    if (!chunk)
        abort();
    if (rule->jitter > 0)
        due += (unsigned)rand_r(&relay->seed) % rule->jitter;
    end->due = due > end->due ? due : end->due;
    *chunk = (struct chunk){.due = end->due, .size = size};
    if (size > 0)
        memcpy(chunk->data, bytes, size);
    *end->last = chunk;
    end->last = &chunk->next;
}

static void end_shift(struct end *end)
{
    struct chunk *chunk = end->first;

    end->first = chunk->next;
    if (!end->first)
        end->last = &end->first;
    free(chunk);
}

static bool link_open(struct relay *relay, int client)
{
    struct link *link = calloc(1, sizeof *link);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int fds[ENDS] = {[CLIENT] = client, [SERVER] = server};
    const int yes = 1;

    if (!link || server < 0)
        abort();
    if (connect(server, (const struct sockaddr *)&relay->target, sizeof relay->target) != 0) {
        close(client);
        close(server);
        free(link);
        return false;
    }
    for (size_t i = 0; i < ENDS; i++) {
        link->ends[i].fd = fds[i];
        link->ends[i].last = &link->ends[i].first;
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    link->next = relay->links;
    relay->links = link;
    relay->link_count++;
    return true;
}

static void link_close(struct link *link, bool by_reset)
{
    const struct linger at_once = {.l_onoff = 1};

    for (size_t i = 0; i < ENDS; i++) {
        if (by_reset)
            setsockopt(link->ends[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(link->ends[i].fd);
        while (link->ends[i].first)
            end_shift(&link->ends[i]);
    }
    buffer_release(&link->query);
    buffer_release(&link->answer);
    free(link);
}

/* What is on the way arrives before the connection ends. */
static void link_cut(struct relay *relay, struct link *link)
{
    for (size_t i = 0; i < ENDS; i++) {
        link->ends[i].has_ended = true;
        end_append(relay, &link->ends[i], NULL, 0);
    }
}

/* The size of the packet that this begins with, its header too; 0: it isn't whole. */
static size_t packet_size(const char *bytes, size_t size)
{
    const unsigned char *header = (const unsigned char *)bytes;
    size_t whole;

    if (size < HEADER_SIZE)
        return 0;
    whole = HEADER_SIZE + header[0] + ((size_t)header[1] << 8) + ((size_t)header[2] << 16);
    return size < whole ? 0 : whole;
}

static bool is_query(const char *packet, size_t size)
{
    return size > HEADER_SIZE && packet[3] == 0 && packet[HEADER_SIZE] == COM_QUERY;
}

/* It comes last, behind the changes that it commits. */
static bool is_commit(const char *packet, size_t size)
{
    static const char word[] = "COMMIT";
    const size_t length = sizeof word - 1;

    return is_query(packet, size) && size > HEADER_SIZE + length &&
           memcmp(packet + size - length, word, length) == 0;
}

static void pass_packet(struct relay *relay, struct link *link, const char *packet, size_t size)
{
    struct end *client = &link->ends[CLIENT];
    enum relay_fault fault = relay->rule.fault;

    if (fault == RELAY_CUT_QUERY && is_query(packet, size)) {
        end_append(relay, client, packet, size / 2);
        link_cut(relay, link);
        return;
    }
    if (fault == RELAY_CUT_COMMIT && is_commit(packet, size)) {
        link_cut(relay, link);
        return;
    }
    link->is_asking = fault == RELAY_CUT_ANSWER && is_query(packet, size);
    link->is_committing = (fault == RELAY_CUT_COMMITTED || fault == RELAY_SILENCE_COMMITTED) &&
                          is_commit(packet, size);
    link->is_silent =
        link->is_silent || (fault == RELAY_SILENCE_COMMIT && is_commit(packet, size));
    end_append(relay, client, packet, size);
}

/* Whether an answer's packet is the last one. With the COMMIT, there may be other changes
 * before it, each with an answer of its own; all are OK packets: two numbers and the status. */
static bool is_last_answer(const char *packet)
{
    const unsigned char *byte = (const unsigned char *)packet + HEADER_SIZE;
    static const size_t longer[] = {[0] = 3, [1] = 4, [2] = 9}; /* from 0xfc on */

    if (*byte != OK_PACKET)
        return true; /* an error */
    byte++;
    for (size_t i = 0; i < 2; i++)
        byte += *byte < 0xfc ? 1 : longer[*byte - 0xfc];
    return (*byte & MORE_RESULTS) == 0;
}

/* Whether the COMMIT's own answer has come. */
static bool is_committed(struct link *link, const char *bytes, size_t size)
{
    struct buffer *answer = &link->answer;
    bool is_last = false;
    size_t start = 0;
    size_t whole;

    buffer_append(answer, bytes, size);
    while (!is_last && (whole = packet_size(answer->data + start, answer->size - start)) > 0) {
        is_last = is_last_answer(answer->data + start);
        start += whole;
    }
    memmove(answer->data, answer->data + start, answer->size - start);
    answer->size -= start;
    return is_last;
}

static void take_query(struct relay *relay, struct link *link, const char *bytes, size_t size)
{
    struct buffer *query = &link->query;
    size_t start = 0;
    size_t whole;

    buffer_append(query, bytes, size);
    while (!link->ends[CLIENT].has_ended &&
           (whole = packet_size(query->data + start, query->size - start)) > 0) {
        pass_packet(relay, link, query->data + start, whole);
        start += whole;
    }
    memmove(query->data, query->data + start, query->size - start);
    query->size -= start;
}

static void take_answer(struct relay *relay, struct link *link, const char *bytes, size_t size)
{
    struct end *server = &link->ends[SERVER];

    if (link->is_asking) {
        end_append(relay, server, bytes, size / 2);
        link_cut(relay, link);
        return;
    }
    if (link->is_committing && relay->rule.fault == RELAY_CUT_COMMITTED) {
        if (is_committed(link, bytes, size))
            link_cut(relay, link);
        return;
    }
    link->is_silent = link->is_silent || link->is_committing;
    end_append(relay, server, bytes, size);
}

static void link_read(struct relay *relay, struct link *link, size_t side)
{
    char bytes[READ_SIZE];
    struct end *end = &link->ends[side];
    ssize_t size = recv(end->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        end->has_ended = true;
        end_append(relay, end, NULL, 0);
    } else if (side == CLIENT) {
        take_query(relay, link, bytes, (size_t)size);
    } else {
        take_answer(relay, link, bytes, (size_t)size);
    }
}

/* Passes on what is due. False when that is the end. */
static bool end_flush(const struct relay *relay, struct end *end, int other, uint64_t now)
{
    bool trickles = relay->rule.fault == RELAY_TRICKLE;

    end->is_blocked = false;
    while (end->first && end->first->due <= now) {
        struct chunk *chunk = end->first;
        size_t left = chunk->size - chunk->sent;
        ssize_t size;
        if (chunk->size == 0)
            return false;
        size = left == 0 ? 0
                         : send(other, chunk->data + chunk->sent, trickles ? 1 : left,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        end->is_blocked = size < 0;
        if (end->is_blocked)
            return true;
        chunk->sent += (size_t)size;
        if (chunk->sent == chunk->size)
            end_shift(end);
        else if (trickles)
            chunk->due = now + TRICKLE_STEP;
    }
    return true;
}

/* Whether the link goes on; *due becomes earlier when it has something to do earlier. */
static bool link_flush(const struct relay *relay, struct link *link, uint64_t now,
                       uint64_t *due)
{
    if (relay->rule.fault == RELAY_RESET)
        return false;
    if (relay->rule.fault == RELAY_SILENCE || link->is_silent)
        return true;
    for (size_t i = 0; i < ENDS; i++) {
        struct end *end = &link->ends[i];
        if (!end_flush(relay, end, link->ends[1 - i].fd, now))
            return false;
        if (end->first && !end->is_blocked && end->first->due < *due)
            *due = end->first->due;
    }
    return true;
}

/* When there is something to do again. */
static uint64_t flush(struct relay *relay)
{
    struct link **next = &relay->links;
    uint64_t due = NEVER;
    uint64_t now = clock_now();

    while (*next) {
        struct link *link = *next;
        if (link_flush(relay, link, now, &due)) {
            next = &link->next;
            continue;
        }
        *next = link->next;
        relay->link_count--;
        link_close(link, relay->rule.fault == RELAY_RESET);
    }
    return due;
}

/* The places of what is waited for: two of the relay's own, and two of each link. */
enum {
    WAKE,
    LISTENER,
    FIRST_LINK,
};

static size_t watch(const struct relay *relay, struct pollfd *waits)
{
    size_t count = FIRST_LINK;

    waits[WAKE] = (struct pollfd){.fd = relay->wake, .events = POLLIN};
    waits[LISTENER] = (struct pollfd){
        .fd = relay->link_count < LINKS_MOST ? relay->listener : -1, .events = POLLIN};
    for (const struct link *link = relay->links; link; link = link->next) {
        for (size_t i = 0; i < ENDS; i++) {
            bool reads = !link->ends[i].has_ended;
            bool writes = link->ends[1 - i].is_blocked;
            waits[count++] = (struct pollfd){
                .fd = reads || writes ? link->ends[i].fd : -1,
                .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0))};
        }
    }
    return count;
}

static void wait_until(uint64_t due, struct pollfd *waits, size_t count)
{
    uint64_t now = clock_now();
    uint64_t left = due > now ? due - now : 0;
    struct timespec time = {.tv_sec = (time_t)(left / 1000000),
                            .tv_nsec = (long)(left % 1000000) * 1000};

    ppoll(waits, count, due == NEVER ? NULL : &time, NULL);
}

static void handle(struct relay *relay, const struct pollfd *waits)
{
    const struct pollfd *wait = &waits[FIRST_LINK];
    uint64_t ignored;

    for (struct link *link = relay->links; link; link = link->next)
        for (size_t i = 0; i < ENDS; i++, wait++)
            if (wait->revents & (POLLIN | POLLHUP | POLLERR) && !link->ends[i].has_ended)
                link_read(relay, link, i);
    if (waits[WAKE].revents && read(relay->wake, &ignored, sizeof ignored) < 0)
        abort();
    if (waits[LISTENER].revents) {
        int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            link_open(relay, client);
    }
}

static void *run(void *context)
{
    struct relay *relay = context;
    struct pollfd waits[FIRST_LINK + ENDS * LINKS_MOST];

    pthread_mutex_lock(&relay->lock);
    while (!relay->is_ending) {
        uint64_t due = flush(relay);
        size_t count = watch(relay, waits);
        pthread_mutex_unlock(&relay->lock);
        wait_until(due, waits, count);
        pthread_mutex_lock(&relay->lock);
        handle(relay, waits);
    }
    pthread_mutex_unlock(&relay->lock);
    return NULL;
}

static bool listen_somewhere(struct relay *relay)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (relay->listener < 0 ||
        bind(relay->listener, (const struct sockaddr *)&address, size) != 0 ||
        listen(relay->listener, 64) != 0 ||
        getsockname(relay->listener, (struct sockaddr *)&address, &size) != 0)
        return false;
    relay->port = ntohs(address.sin_port);
    return true;
}

struct relay *relay_open(const char *address, unsigned port)
{
    struct relay *relay = calloc(1, sizeof *relay);

    if (!relay)
        abort();
    relay->target.sin_family = AF_INET;
    relay->target.sin_port = htons((uint16_t)port);
    relay->wake = eventfd(0, EFD_CLOEXEC);
    relay->listener = -1;
    pthread_mutex_init(&relay->lock, NULL);
    if (relay->wake >= 0 && inet_pton(AF_INET, address, &relay->target.sin_addr) == 1 &&
        listen_somewhere(relay) && pthread_create(&relay->thread, NULL, run, relay) == 0)
        return relay;
    fprintf(stderr, "the relay to %s:%u cannot start: %s\n", address, port, strerror(errno));
    close(relay->listener);
    close(relay->wake);
    free(relay);
    return NULL;
}

static void wake(struct relay *relay)
{
    const uint64_t one = 1;

    if (write(relay->wake, &one, sizeof one) < 0)
        abort();
}

void relay_close(struct relay *relay)
{
    if (!relay)
        return;
    pthread_mutex_lock(&relay->lock);
    relay->is_ending = true;
    pthread_mutex_unlock(&relay->lock);
    wake(relay);
    pthread_join(relay->thread, NULL);
    while (relay->links) {
        struct link *link = relay->links;
        relay->links = link->next;
        link_close(link, false);
    }
    close(relay->listener);
    close(relay->wake);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}

unsigned relay_port(const struct relay *relay)
{
    return relay->port;
}

void relay_set(struct relay *relay, struct relay_rule rule)
{
    pthread_mutex_lock(&relay->lock);
    relay->rule = rule;
    for (struct link *link = relay->links; link; link = link->next) {
        link->is_silent = false;
        link->is_asking = false;
        link->is_committing = false;
    }
    pthread_mutex_unlock(&relay->lock);
    wake(relay);
}
