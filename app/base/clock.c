#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_date(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t clock_backoff(unsigned tries, uint64_t base, uint64_t most)
{
    uint64_t pause = tries < 32 && base <= most >> tries ? base << tries : most;
    uint32_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = (uint32_t)clock_now();
    return pause - (pause / 2) * random / UINT32_MAX;
}

void clock_sleep(uint64_t microseconds)
{
    struct timespec pause = {.tv_sec = (time_t)(microseconds / 1000000),
                             .tv_nsec = (long)(microseconds % 1000000) * 1000};

    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
    }
}
