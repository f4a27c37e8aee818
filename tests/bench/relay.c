/*
 * A line of a certain length between two programs, to measure with a database that is not on
 * the same machine:
 *
 *     relay ADDRESS PORT MICROSECONDS
 *
 * Listens on a free port of 127.0.0.1, prints it, and passes what comes there on to ADDRESS and
 * PORT and back, each byte half of MICROSECONDS after it came: that many for a round trip. As
 * on a real line any amount may be under way, in order. Ends on SIGTERM.
 */

#include "../integration/relay.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct relay *relay;

    if (argc != 4) {
        fprintf(stderr, "usage: relay ADDRESS PORT MICROSECONDS\n");
        return 2;
    }
    /* the way that it stands for takes none of this machine's processors: it waits for none */
    if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}) != 0)
        fprintf(stderr, "relay: no right to a real-time priority: delays will be longer\n");
    relay = relay_open(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
    if (!relay)
        return 1;
    relay_set(relay, (struct relay_rule){.delay = (unsigned)strtoul(argv[3], NULL, 10) / 2});
    printf("%u\n", relay_port(relay));
    if (fflush(stdout) != 0)
        return 1;
    for (;;)
        pause();
}
