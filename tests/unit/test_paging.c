#include "api/page.h"
#include "suites.h"

#include "../integration/check.h"

#include <CUnit/CUnit.h>
#include <string.h>

#define BAD(name, text) "{\"" name "\":[\"" text "\"]}"
#define NO_ORDERING                                                                            \
    BAD("ordering", "Must be some of id, completed and order, each once, separated by "        \
                    "commas, with - before what descends.")
#define NO_PLACE(name) BAD(name, "Not a place in a list of this ordering.")

/* A query, and the target that it means in full, or what is wrong with it. */
static const struct row {
    const char *query;
    const char *suffix;
    const char *wanted;
} rows[] = {
    {"limit=50",                                           "",                                  "/todos?limit=50"},
    {"limit=1000&x=1&limit",                               "json",                              BAD("limit","A valid integer is required.")},
    {"limit=9&x=1&limit=007",                                                    "json",                                                                 "/todos.json?limit=7"},
    {"limit=1000",                                                    "",                                                                            "/todos?limit=1000"               },
    {"limit=1001",                                                    "",                                                                            BAD("limit","Ensure this value is less than or equal to 1000.")},
    {"limit=0", "",                                    BAD("limit",                     "Ensure this value is greater than or equal to 1.")},
    {"limit=-5",                                         "",BAD("limit","Ensure this value is greater than or equal to 1.")},
    {"limit=",          "",                                             BAD("limit",                         "A valid integer is required.")},
    {"limit=%31%30",                                             "",                                                                     "/todos?limit=10"},
    {"limit=5+",                                                    "",                                                                          BAD("limit","A valid integer is required.")},
    {"limit=5.0",                                                    "",                                                                              BAD("limit",            "A valid integer is required.")},
    {"limit=99999999999999999999",                     "",                                                        BAD("limit",                   "A valid integer is required.")},
    {"Limit=5",                                         "","/todos"},
    {"limit=5&format=json",                              "","/todos?format=json&limit=5"},
    {"completed=true",                                            "",                                     "/todos?completed=true"},
    {"completed=true&completed=false",                                "",                                    "/todos?completed=false"},
    {"completed=True",                                     "",                           BAD("completed","Must be true or false.")},
    {"completed=1",                     "",                       BAD("completed","Must be true or false.")},
    {"completed",                                     "",                                  BAD("completed","Must be true or false.")},
    {"search=a+b%2B%26%C3%A9",                                                    "",                                                                           "/todos?search=a%20b%2B%26%C3%A9"},
    {"search=",                           "",                                                              "/todos"                                                                                        },
    {"search=%ff",                                     "",              BAD("search",                      "Not a valid string.")},
    {"search=a%00","",BAD("search","Null characters are not allowed.")},
    {"search=%0d%0aSet-Cookie:+a",                        "","/todos?search=%0D%0ASet-Cookie%3A%20a"},
    {"search=%3E%22",              "",                        "/todos?search=%3E%22"},
    {"ordering=id",                                        "",                                                                           "/todos"},
    {"ordering=-id",                                                    "",                                                            "/todos?ordering=-id"},
    {"ordering=order",                                                    "",                                                                         "/todos?ordering=order,id"                                                                                                                                                            },
    {"ordering=-order",                                                    "",                                                                           "/todos?ordering=-order,-id"                                                     },
    {"ordering=order,-id",                                                    "",                                                                          "/todos?ordering=order,-id"},
    {"ordering=-completed%2Corder",                                                    "",                                                                        "/todos?ordering=-completed,order,id"},
    {"ordering=id,order",                                                    "",                                                                       "/todos"},
    {"ordering=",                                                    "",                                                                    NO_ORDERING},
    {"ordering=title",                                                    "",                                                           NO_ORDERING},
    {"ordering=order,order",                                                    "",                                                                     NO_ORDERING},
    {"ordering=order,-order",                                                    "",                                                                             NO_ORDERING                                                                                                                                                                  },
    {"ordering=id,title",                                                    "",                                                                        NO_ORDERING                                                         },
    {"ordering=--id",                                                    "",                                                                  NO_ORDERING},
    {"ordering=order,",                                                    "",                                                                 NO_ORDERING},
    {"ordering=order,+-id",                                                    "",                                                                     NO_ORDERING},
    {"after=7",                                                    "",                                                                         "/todos?after=7"},
    {"before=7&limit=2",                                                    "",                                                                       "/todos?limit=2&before=7"},
    {"after=7&before=9",                                                    "",                                                                   BAD("before","Can't be combined with after.")},
    {"after=",                                                    "",                                                                               NO_PLACE("after")                                                                                                                                                                            },
    {"after=7,8",                                                    "",                                                                      NO_PLACE("after")                                                      },
    {"after=x",                                                    "",                                                                      NO_PLACE("after")},
    {"after=null",                    "",                                                       NO_PLACE("after")              },
    {"after=9223372036854775807",                                   "","/todos?after=9223372036854775807"},
    {"after=9223372036854775808",                                   "", NO_PLACE("after")},
    {"after=-9223372036854775808",                                   "", "/todos?after=-9223372036854775808"},
    {"ordering=order&after=null,7",                                   "",                "/todos?ordering=order,id&after=null,7"},
    {"after=-5,7&ordering=order",                  "",                                                              "/todos?ordering=order,id&after=-5,7"                                                                                                                                                                                                                                  },
    {"ordering=order&after=7",                                   "",                                                                      NO_PLACE("after")                                                                                                        },
    {"ordering=order&after=7,8,9",                 "",                                                    NO_PLACE("after")},
    {"ordering=order&before=,8",             "",                                 NO_PLACE("before")                               },
    {"ordering=completed&after=1,8",               "","/todos?ordering=completed,id&after=1,8"},
    {"ordering=completed&after=2,8",                                   "", NO_PLACE("after")},
    {"ordering=completed&after=null,8",                                   "",                   NO_PLACE("after")},
    {"limit=x&completed=x",                                  "",
     "{\"limit\":[\"A valid integer is required.\"],\"completed\":[\"Must be true or "
     "false.\"]}"},
};

static void test_parameters_are_read(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct http_request request = {.query = rows[i].query};
        bool is_bad = rows[i].wanted[0] == '{';
        struct todo_page page = {0};
        struct buffer problems = {0};
        bool is_good = todo_page_read(&page, &request, rows[i].suffix, &problems);

        CHECK(is_good != is_bad, rows[i].query, is_good ? "is taken" : "is refused");
        CHECK_TEXT(rows[i].query, "means", rows[i].wanted,
                   is_good ? page.target.data : problems.data);
        buffer_release(&problems);
        todo_page_release(&page);
    }
}

static void test_a_search_has_a_greatest_length(void)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct buffer query = {0};
        struct buffer problems = {0};
        struct todo_page page = {0};
        struct http_request request = {0};

        buffer_append_text(&query, "search=");
        for (size_t i = 0; i < TODO_SEARCH_MAX + extra; i++)
            buffer_append_text(&query, "%F0%9F%98%80");
        request.query = query.data;
        CHECK(todo_page_read(&page, &request, "", &problems) == (extra == 0), "search",
              "%zu characters", TODO_SEARCH_MAX + extra);
        CHECK_TEXT("search", "says",
                   extra ? BAD("search", "Ensure this field has no more than 100 characters.")
                         : NULL,
                   problems.data);
        buffer_release(&query);
        buffer_release(&problems);
        todo_page_release(&page);
    }
}

static void test_which_requests_ask_for_a_page(void)
{
    static const struct {
        const char *query;
        bool is_asked;
    } asked[] = {
        {NULL,                      false},
        {"",                        false},
        {"format=json&page=2&afte", false},
        {"limits=5",                false},
        {"limit",                   true },
        {"x&before=",               true },
        {"ordering=id",             true },
    };

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        const struct http_request request = {.query = asked[i].query};

        CHECK(todo_page_is_asked(&request) == asked[i].is_asked,
              asked[i].query ? asked[i].query : "none", "asks for a page, or doesn't");
    }
}

#define FIRST "<http://h/todos?limit=2>; rel=\"first\""
#define NEXT  ", <http://h/todos?limit=2&after=9>; rel=\"next\""
#define PREV  ", <http://h/todos?limit=2&before=8>; rel=\"prev\""

static void test_links(void)
{
    static const struct {
        const char *query;
        bool is_empty, has_more;
        const char *links;
    } links[] = {
        {"limit=2",          false, true,  FIRST NEXT     },
        {"limit=2",          false, false, FIRST          },
        {"limit=2",          true,  false, FIRST          },
        {"limit=2&after=7",  false, true,  FIRST NEXT PREV},
        {"limit=2&after=7",  false, false, FIRST PREV     },
        {"limit=2&after=7",  true,  false, FIRST          },
        {"limit=2&before=7", false, true,  FIRST NEXT PREV},
        {"limit=2&before=7", false, false, FIRST NEXT     },
        {"after=7",          false, false, NULL           },
    };
    struct todo todos[] = {{.id = 8}, {.id = 9}};

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        const struct http_request request = {.query = links[i].query};
        const struct todo_list list = {.todos = todos, .count = links[i].is_empty ? 0 : 2};
        struct todo_page page = {0};
        struct buffer text = {0};

        CU_ASSERT_TRUE(todo_page_read(&page, &request, "", &text));
        todo_page_append_links(&text, &page, &list, links[i].has_more, "http://h");
        CHECK_TEXT(links[i].query, "links", links[i].links, text.data);
        buffer_release(&text);
        todo_page_release(&page);
    }
}

CU_TestInfo paging_tests[] = {
    {"parameters are read",             test_parameters_are_read           },
    {"a search has a greatest length",  test_a_search_has_a_greatest_length},
    {"which requests ask for a page",   test_which_requests_ask_for_a_page },
    {"links lead to what is beside it", test_links                         },
    CU_TEST_INFO_NULL,
};
