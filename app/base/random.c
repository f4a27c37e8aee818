#include "base/random.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdbool.h>
#include <sys/random.h>

#define DIGITS_OF_NUMBER 16

static _Thread_local uint64_t state[4];
static _Thread_local bool is_seeded;

static uint64_t rotate(uint64_t number, unsigned bits)
{
    return number << bits | number >> (64 - bits);
}

static uint64_t step(void)
{
    uint64_t result = rotate(state[0] + state[3], 23) + state[0];
    uint64_t second = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= second;
    state[3] = rotate(state[3], 45);
    return result;
}

/* All zeros would stay that. Where the kernel gives nothing, the time and the thread must do;
 * the first numbers after so little are much alike. */
static void seed(void)
{
    bool is_random = getrandom(state, sizeof(state), 0) == (ssize_t)sizeof(state);

    if (!is_random)
        state[1] = clock_now() ^ (uint64_t)(uintptr_t)state;
    state[0] |= 1;
    for (unsigned i = 0; !is_random && i < 32; i++)
        step();
    is_seeded = true;
}

uint64_t random_next(void)
{
    if (!is_seeded)
        seed();
    return step();
}

void random_fill_hex(char *text, size_t digits)
{
    for (size_t done = 0; done < digits; done += DIGITS_OF_NUMBER) {
        size_t left = digits - done;
        text_write_hex(text + done, random_next(),
                       left < DIGITS_OF_NUMBER ? left : DIGITS_OF_NUMBER);
    }
}
