#ifndef BASE_LOG_WRITER_H
#define BASE_LOG_WRITER_H

/*
 * Private to log.c: how lines get to stdout. As long as the writer runs, a thread of its own
 * writes, and who logs waits for nothing but the lock, which is never held while something is
 * written: lines gather in one buffer while the other is written. What does not fit any more
 * is lost, and counted. Without the writer, a line is written by who logs it.
 */

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_SIZE_MAX 24576U

/* `add_lines` is called on the writer's thread at least every 100 ms, with the lock held, and
 * may add lines. It learns how many lines were lost since it was last told of some, once
 * stdout takes lines again; 0: none. Nothing is done if the writer runs. False with *err set.
 * Signals that are for the main thread must be blocked before. */
bool log_writer_start(void (*add_lines)(uint64_t lost), struct error *err);

/* Writes what there is, for a second at most, and ends the thread, even one that is stuck in
 * write(2). When no other thread adds lines any more. */
void log_writer_stop(void);

void log_writer_lock(void);
void log_writer_unlock(void);

/* The rest is for who holds the lock. */

bool log_writer_runs(void);

/* Room for a line of LOG_LINE_SIZE_MAX bytes; NULL: there is none, and the line counts as lost.
 * Some is kept for those that are important. */
char *log_writer_begin(bool is_important);

/* Takes the line that was put there, up to `end`. It is written within 100 ms, or at once. */
void log_writer_end(const char *end, bool at_once);

#endif
