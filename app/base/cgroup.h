#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

/*
 * What a container or a service manager lets the process use of the machine: control groups, of
 * version 2 (Linux: Documentation/admin-guide/cgroup-v2.rst) or 1 (cgroup-v1/memory.rst,
 * scheduler/sched-bwc.rst), mounted below /sys/fs/cgroup. The least limit counts, of the
 * process's group and those above it.
 */

#define CGROUP_FILE_SIZE 512

/* Bytes; HUGE_VAL without a limit. `root` is a folder that stands for /, "" but in tests. The
 * path of the file that sets the limit goes into `file`, unless that is NULL: "" for none. */
double cgroup_memory(const char *root, char file[CGROUP_FILE_SIZE]);

/* This part (0 to 1) of what the program itself leaves of that memory, for what clients make it
 * hold; at most so much, and at least, which goes before. Bytes. */
double cgroup_memory_share(double part, double least, double most);

/* Processors, of which parts count, more than 0: those that the process may run on, or its
 * share of their time if that is less: then `file` is what sets that, as above. */
double cgroup_processors(const char *root, char file[CGROUP_FILE_SIZE]);

#endif
