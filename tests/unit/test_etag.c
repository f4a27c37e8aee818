#include "http/etag.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

#define TAG "\"abc\""

enum {
    NO = 0,
    WEAK = 1,   /* for If-None-Match */
    STRONG = 2, /* for If-Match */
    ALL = WEAK | STRONG,
};

static void test_lists_name_tags(void)
{
    static const struct {
        const char *list;
        bool is_valid;
        int tag;   /* by which comparisons it names "abc" itself, and */
        int state; /* any form of it */
    } rows[] = {
        {TAG,                    true,  ALL,  ALL },
        {"*",                    true,  ALL,  ALL },
        {" * ",                  true,  ALL,  ALL },
        {"W/" TAG,               true,  WEAK, WEAK},
        {"\"x\", " TAG,          true,  ALL,  ALL },
        {"\"x\"," TAG ",\"y\"",  true,  ALL,  ALL },
        {"\"x\" ,\t" TAG " ",    true,  ALL,  ALL },
        {" ,\t" TAG ",,",        true,  ALL,  ALL },
        {"\"a,b\", W/" TAG,      true,  WEAK, WEAK},
        {"W/" TAG ", " TAG,      true,  ALL,  ALL },
        {"\"abc-gzip\"",         true,  NO,   ALL },
        {"W/\"abc-indent4\"",    true,  NO,   WEAK},
        {"\"abc-indent8-gzip\"", true,  NO,   ALL },
        {"\"abc-\"",             true,  NO,   NO  },
        {"\"abc-foo\"",          true,  NO,   NO  },
        {"\"abc-gzip-gzip\"",    true,  NO,   NO  },
        {"\"abc-gzip-indent2\"", true,  NO,   NO  },
        {"\"abc-indent\"",       true,  NO,   NO  },
        {"\"abc-indent02\"",     true,  NO,   NO  },
        {"\"abc-indent9\"",      true,  NO,   NO  },
        {"\"abc-indent10\"",     true,  NO,   NO  },
        {"\"abcx\"",             true,  NO,   NO  },
        {"\"abcd\"",             true,  NO,   NO  },
        {"\"abcd-gzip\"",        true,  NO,   NO  },
        {"\"ab\"",               true,  NO,   NO  },
        {"\"ab-c\"",             true,  NO,   NO  },
        {"\"ABC\"",              true,  NO,   NO  },
        {"\"\"",                 true,  NO,   NO  },
        {"\"\xc3\xa9\"",         true,  NO,   NO  },
        {"",                     true,  NO,   NO  },
        {" , ",                  true,  NO,   NO  },
        {"abc",                  false, NO,   NO  },
        {"abc, " TAG,            false, NO,   NO  },
        {TAG ", abc",            false, NO,   NO  },
        {TAG TAG,                false, NO,   NO  },
        {TAG " x",               false, NO,   NO  },
        {"*, " TAG,              false, NO,   NO  },
        {TAG ", *",              false, NO,   NO  },
        {"**",                   false, NO,   NO  },
        {"w/" TAG,               false, NO,   NO  },
        {"W /" TAG,              false, NO,   NO  },
        {"\"x, \\\"abc\"",       false, NO,   NO  },
        {"\"a b\", " TAG,        false, NO,   NO  },
        {"\"x",                  false, NO,   NO  },
        {TAG ", \"",             false, NO,   NO  },
        {"W/",                   false, NO,   NO  },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *list = rows[i].list;
        int tag = (http_etags_name(list, TAG, HTTP_ETAG_WEAK) ? WEAK : 0) |
                  (http_etags_name(list, TAG, HTTP_ETAG_STRONG) ? STRONG : 0);
        int state = (http_etags_name_state(list, TAG, HTTP_ETAG_WEAK) ? WEAK : 0) |
                    (http_etags_name_state(list, TAG, HTTP_ETAG_STRONG) ? STRONG : 0);

        CHECK_NUMBER(list, "valid", rows[i].is_valid, http_etags_are_valid(list));
        CHECK_NUMBER(list, "names the tag", rows[i].tag, tag);
        CHECK_NUMBER(list, "names the state", rows[i].state, state);
        CHECK_NUMBER(list, "any", strchr(list, '*') && rows[i].is_valid,
                     http_etags_are_any(list));
    }
    CU_ASSERT_FALSE(http_etags_name(NULL, TAG, HTTP_ETAG_WEAK));
    CU_ASSERT_FALSE(http_etags_name_state(NULL, TAG, HTTP_ETAG_STRONG));
}

/* Other instances must make the same ones, also after an upgrade. */
static void test_a_tag_is_the_same_everywhere(void)
{
    char etag[HTTP_ETAG_SIZE];

    http_etag_write(etag, "[]", 2);
    CHECK_TEXT("[]", "tag", "\"79c3400f79a93257b57abed45b72ca5e\"", etag);
    http_etag_write(etag, "[{\"title\":\"a todo\"}]", 20);
    CHECK_TEXT("a todo", "tag", "\"cc8cb25be1f97b8d2980175571883cdd\"", etag);
    http_etag_add_form(etag, "gzip");
    CHECK_TEXT("a todo", "tag of another form", "\"cc8cb25be1f97b8d2980175571883cdd-gzip\"",
               etag);
}

static void check_differ(const char *row, const char *one, size_t one_size, const char *other,
                         size_t other_size)
{
    char etags[2][HTTP_ETAG_SIZE];

    http_etag_write(etags[0], one, one_size);
    http_etag_write(etags[1], other, other_size);
    CHECK(strcmp(etags[0], etags[1]) != 0, row, "the same tag: %s", etags[0]);
}

/* Each bit of a text, wherever it stands, and its length count. */
static void test_different_bytes_have_different_tags(void)
{
    char one[100];
    char other[100];
    char row[32];

    memset(one, 'x', sizeof(one));
    for (size_t bit = 0; bit < sizeof(one) * 8; bit++) {
        memcpy(other, one, sizeof(one));
        other[bit / 8] = (char)(other[bit / 8] ^ 1 << bit % 8);
        (void)snprintf(row, sizeof(row), "bit %zu", bit);
        check_differ(row, one, sizeof(one), other, sizeof(other));
    }
    memset(one, 0, sizeof(one));
    for (size_t size = 1; size < sizeof(one); size++)
        check_differ("zeros", one, size - 1, one, size);
    check_differ("words changed about", "12345678abcdefgh", 16, "abcdefgh12345678", 16);
}

CU_TestInfo etag_tests[] = {
    {"lists name tags",                     test_lists_name_tags                    },
    {"a tag is the same everywhere",        test_a_tag_is_the_same_everywhere       },
    {"different bytes have different tags", test_different_bytes_have_different_tags},
    CU_TEST_INFO_NULL,
};
