#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

/*
 * Random numbers for names that must not collide, not for secrets: who has seen some can tell
 * the next. Each thread has a generator of its own (xoshiro256++, Blackman and Vigna 2019),
 * seeded from getrandom(2): only the first number of a thread costs a system call. Any thread.
 */

#include <stddef.h>
#include <stdint.h>

uint64_t random_next(void);

/* Writes that many random hexadecimal digits, in lower case, without a NUL. */
void random_fill_hex(char *text, size_t digits);

#endif
