#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

/* Sets the process_ metrics, as the kernel has them now: what /proc doesn't tell stays 0. */
void process_measure(void);

#endif
