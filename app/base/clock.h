#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds on a clock that only goes forward; its zero means nothing. */
uint64_t clock_now(void);

/* Microseconds since 1970, as the machine has it: it may go back. */
uint64_t clock_date(void);

/* Microseconds to sleep before the next try: `base` doubled `tries` times, never over `most`,
 * and a random part of up to half taken off, so that many processes don't come back at the same
 * moment. */
uint64_t clock_backoff(unsigned tries, uint64_t base, uint64_t most);

void clock_sleep(uint64_t microseconds);

#endif
