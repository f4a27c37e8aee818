#ifndef BASE_TRIP_H
#define BASE_TRIP_H

#include <stdbool.h>
#include <stdint.h>

/* A trip to the database, which may have served many requests, as the trace of one of them
 * tells of it. */
struct trip {
    uint64_t began, ended; /* clock_now(); 0: there was none */
    const char *statement; /* SQL with ? in the place of values, static; NULL: not known */
    bool has_failed;
};

#endif
