#include "http/gzip.h"
#include "http/response.h"
#include "suites.h"

#include "../integration/check.h"
#include "../integration/gunzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void try_size(size_t size, bool is_random, enum http_gzip wish)
{
    struct http_request request = {.gzip = wish};
    struct http_response response;
    struct buffer body = {0};
    bool is_gzip = size > 0 && (wish == HTTP_GZIP_ALWAYS ||
                                (wish == HTTP_GZIP_LARGE && size >= HTTP_GZIP_SIZE_MIN));
    char row[64];

    snprintf(row, sizeof row, "%zu %s bytes, %d", size, is_random ? "random" : "plain", wish);
    for (size_t i = 0; i < size; i++)
        buffer_append_char(&body, is_random ? (char)random() : (char)('a' + i % 7));
    http_response_start(&response, &request, 200);
    buffer_append(&response.body, body.data, body.size);
    http_gzip_body(&response);
    CHECK_NUMBER(row, "gzip", is_gzip, response.is_gzipped);
    if (is_gzip)
        gunzip(row, &response.body);
    CHECK(response.body.size == size &&
              (size == 0 || memcmp(response.body.data, body.data, size) == 0),
          row, "another body, of %zu bytes", response.body.size);
    http_response_release(&response);
    buffer_release(&body);
}

static void test_a_body_of_any_size_is_whole(void)
{
    static const size_t sizes[] = {0,     1,      2,      511,    512,     513,    1023,
                                   1024,  1025,   4096,   32767,  32768,   32769,  65536,
                                   99999, 262143, 262144, 262145, 1000000, 3000001};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (enum http_gzip wish = HTTP_GZIP_UNASKED; wish < HTTP_GZIP_COUNT; wish++) {
            try_size(sizes[i], false, wish);
            try_size(sizes[i], true, wish);
        }
}

/* Else one would be given the other's form. */
static void test_no_two_wishes_share_a_response(void)
{
    unsigned seen[HTTP_GZIP_COUNT * 3] = {0};
    size_t count = 0;

    for (unsigned origin = 0; origin < 3; origin++)
        for (enum http_gzip wish = HTTP_GZIP_UNASKED; wish < HTTP_GZIP_COUNT; wish++) {
            struct http_request request = {.gzip = wish, .origin_class = origin};
            seen[count] = http_response_share_class(&request);
            for (size_t i = 0; i < count; i++)
                CHECK(seen[i] != seen[count], "class", "%zu and %zu have the same", i, count);
            CHECK(seen[count] != 0, "class", "%zu shares nothing", count);
            count++;
        }
}

CU_TestInfo gzip_tests[] = {
    {"a body of any size is whole",    test_a_body_of_any_size_is_whole   },
    {"no two wishes share a response", test_no_two_wishes_share_a_response},
    CU_TEST_INFO_NULL,
};
