#include "server/xray.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ONE_OF         20 /* requests that are sampled besides the reservoir's */
#define LOOK_UP_AGAIN  60 /* seconds */
#define LOOK_UP_FAILED 5  /* seconds until it is tried again */

struct xray {
    struct xray_address address;
    const struct segment_origin *origin;
    int socket; /* connected to the daemon, once it is found: then another one takes its place
                   under its number, which any thread may be sending to */
    _Atomic uint64_t second; /* whose first request was sampled */
    bool is_lost;            /* its failure was told of */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_ending; /* under the lock */
};

/* ---- where it is ---- */

static bool connect_to(const struct xray *xray, const struct addrinfo *found)
{
    int made = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool good = made >= 0 && connect(made, found->ai_addr, found->ai_addrlen) == 0 &&
                dup3(made, xray->socket, O_CLOEXEC) >= 0;

    if (made >= 0)
        close(made);
    return good;
}

/* Says why not; NULL: it goes there now. With AI_NUMERICHOST it waits for no resolver. */
static const char *look_up(const struct xray *xray, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
                                   .ai_flags = AI_NUMERICSERV | flags};
    struct addrinfo *all = NULL;
    const char *problem = "no way to it";
    int failure = getaddrinfo(xray->address.host, xray->address.port, &hints, &all);

    if (failure != 0)
        return gai_strerror(failure);
    for (const struct addrinfo *found = all; found && problem; found = found->ai_next)
        if (connect_to(xray, found))
            problem = NULL;
    freeaddrinfo(all);
    return problem;
}

/* Returns the seconds until the next time. */
static time_t find(struct xray *xray)
{
    const char *problem = look_up(xray, 0);

    if (problem && !xray->is_lost)
        log_message(CONFIG_LOG_WARNING, "AWS_XRAY_DAEMON_ADDRESS: %s is not found: %s",
                    xray->address.host, problem);
    else if (!problem && xray->is_lost)
        log_message(CONFIG_LOG_INFO, "AWS_XRAY_DAEMON_ADDRESS: %s is found",
                    xray->address.host);
    xray->is_lost = problem != NULL;
    return problem ? LOOK_UP_FAILED : LOOK_UP_AGAIN;
}

/* The thread's own resolver waits no longer than a second for a server: the program's end waits
 * for it. */
static void limit_resolver(void)
{
    if (res_init() == 0) {
        _res.retrans = 1;
        _res.retry = 1;
    }
}

static void *follow(void *context)
{
    struct xray *xray = context;
    struct timespec until;

    pthread_mutex_lock(&xray->lock);
    while (!xray->is_ending) {
        pthread_mutex_unlock(&xray->lock);
        limit_resolver();
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += find(xray);
        pthread_mutex_lock(&xray->lock);
        while (!xray->is_ending &&
               pthread_cond_timedwait(&xray->changed, &xray->lock, &until) == 0)
            continue;
    }
    pthread_mutex_unlock(&xray->lock);
    return NULL;
}

/* ---- start and stop ---- */

struct xray *xray_open(const struct xray_address *address, const struct segment_origin *origin,
                       struct error *err)
{
    struct xray *xray = calloc(1, sizeof(*xray));

    if (!xray) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    xray->address = *address;
    xray->origin = origin;
    pthread_mutex_init(&xray->lock, NULL);
    pthread_cond_init(&xray->changed, NULL);
    xray->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (xray->socket >= 0)
        (void)look_up(xray, AI_NUMERICHOST); /* so that the very first request is told of */
    if (xray->socket >= 0 && pthread_create(&xray->thread, NULL, follow, xray) == 0)
        return xray;
    error_set(err, ERROR_SYSTEM, "AWS_XRAY_DAEMON_ADDRESS: cannot make a socket and a thread");
    if (xray->socket >= 0)
        close(xray->socket);
    pthread_cond_destroy(&xray->changed);
    pthread_mutex_destroy(&xray->lock);
    free(xray);
    return NULL;
}

void xray_close(struct xray *xray)
{
    if (!xray)
        return;
    pthread_mutex_lock(&xray->lock);
    xray->is_ending = true;
    pthread_cond_signal(&xray->changed);
    pthread_mutex_unlock(&xray->lock);
    pthread_join(xray->thread, NULL);
    close(xray->socket);
    pthread_cond_destroy(&xray->changed);
    pthread_mutex_destroy(&xray->lock);
    free(xray);
}

/* ---- sending ---- */

/* One for each second: of several threads, one takes it. */
static bool take_from_reservoir(struct xray *xray)
{
    uint64_t now = clock_now() / 1000000;
    uint64_t seen = atomic_load(&xray->second);

    return seen != now && atomic_compare_exchange_strong(&xray->second, &seen, now);
}

bool xray_samples(struct xray *xray, struct http_trace *trace)
{
    if (!xray)
        return false;
    if (trace->sampling == HTTP_SAMPLING_OPEN)
        trace->sampling = take_from_reservoir(xray) || random_next() < UINT64_MAX / ONE_OF
                              ? HTTP_SAMPLING_YES
                              : HTTP_SAMPLING_NO;
    return trace->sampling == HTTP_SAMPLING_YES;
}

void xray_send(struct xray *xray, const struct segment *segment)
{
    struct buffer bytes = {0};
    bool is_sent;

    segment_append(&bytes, xray->origin, segment);
    is_sent = !bytes.failed && send(xray->socket, bytes.data, bytes.size,
                                    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes.size;
    metrics_add(is_sent ? METRICS_XRAY_SENT : METRICS_XRAY_DROPPED, 1);
    buffer_release(&bytes);
}
