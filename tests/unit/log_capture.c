#include "log_capture.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *captured;
static int stdout_before;

void log_capture_begin(enum config_log_format format, enum config_log_level level)
{
    fflush(stdout);
    stdout_before = dup(STDOUT_FILENO);
    captured = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(captured);
    dup2(fileno(captured), STDOUT_FILENO);
    log_configure(format, level, false);
}

int log_capture_file(void)
{
    return fileno(captured);
}

char *log_capture_end(void)
{
    char *text;
    long size;

    dup2(stdout_before, STDOUT_FILENO);
    close(stdout_before);
    size = lseek(fileno(captured), 0, SEEK_END);
    rewind(captured);
    text = calloc(1, (size_t)size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(fread(text, 1, (size_t)size, captured), (size_t)size);
    fclose(captured);
    return text;
}
