#include "server/static.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

/* What the page asks for is there, and each form of a file has an ETag of its own. */
static void test_the_page_is_embedded(void)
{
    static const char *const names[] = {"index.html", "style.css", "app.js", "favicon.svg"};
    size_t found = 0;

    for (size_t i = 0; i < http_static_file_count; i++) {
        const struct http_static_file *file = &http_static_files[i];
        const struct http_static_variant *plain = &file->variants[HTTP_IDENTITY];
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
            found += strcmp(names[j], file->name) == 0;
        CHECK(plain->size > 0 && plain->etag && plain->etag[0] == '"', file->name, "empty");
        for (size_t j = HTTP_GZIP; j < HTTP_CODING_COUNT; j++) {
            const struct http_static_variant *variant = &file->variants[j];
            if (!variant->etag)
                continue;
            CHECK(variant->size < plain->size, file->name, "no smaller when compressed");
            CHECK(strcmp(variant->etag, plain->etag) != 0, file->name, "the same ETag");
        }
    }
    CU_ASSERT_EQUAL(found, sizeof(names) / sizeof(names[0]));
}

static void test_a_root_that_is_no_folder_is_refused(void)
{
    struct http_static files;
    struct error err = {0};

    CU_ASSERT_FALSE(http_static_open(&files, "/nowhere/at/all", &err));
    CHECK_CONTAINS("folder", "error", "STATIC_ROOT", err.text);
    CU_ASSERT_EQUAL(err.code, ERROR_CONFIG);
    CU_ASSERT_EQUAL(files.folder, -1);
    CU_ASSERT_TRUE(http_static_open(&files, "", &err));
    http_static_close(&files);
}

CU_TestInfo static_tests[] = {
    {"the page is embedded",                test_the_page_is_embedded               },
    {"a root that is no folder is refused", test_a_root_that_is_no_folder_is_refused},
    CU_TEST_INFO_NULL,
};
