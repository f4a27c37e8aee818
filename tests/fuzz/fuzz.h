#ifndef FUZZ_H
#define FUZZ_H

/*
 * What the fuzz targets share. A target is one file with the function that libFuzzer calls for
 * each input; it asserts what must hold for any input.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input of several parts has a line for each; the last one may be any bytes. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

/* Takes a line, as a string with memory of its own size: reading past its end is seen. What is
 * behind a NUL in it is lost. */
static inline char *fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end = input->size > 0 ? memchr(input->data, '\n', input->size) : NULL;
    size_t length = end ? (size_t)(end - input->data) : input->size;
    char *line = strndup(length > 0 ? (const char *)input->data : "", length);

    assert(line);
    input->data += length + (end != NULL);
    input->size -= length + (end != NULL);
    return line;
}

#endif
