#ifndef LOG_CAPTURE_H
#define LOG_CAPTURE_H

/* What the program logs, for a test that reads it. Not nested. */

#include "base/log.h"

/* Sends standard output into a file, and makes the log of this format and level. */
void log_capture_begin(enum config_log_format format, enum config_log_level level);

/* The file, of which a test may read what was written so far. */
int log_capture_file(void);

/* Puts standard output back. What was logged, the caller's to free. */
char *log_capture_end(void);

#endif
