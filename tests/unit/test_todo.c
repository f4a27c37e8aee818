#include "suites.h"
#include "todo/todo.h"

#include "../integration/check.h"

#include <string.h>

static void test_a_url_tells_its_format(void)
{
    static const struct {
        const char *name, *url;
        enum todo_url_format format;
    } rows[] = {
        {"none",              NULL,                            TODO_URL_PLAIN       },
        {"empty",             "",                              TODO_URL_PLAIN       },
        {"plain",             "http://h/todos/7",              TODO_URL_PLAIN       },
        {"empty format",      "http://h/todos/7?format=",      TODO_URL_FORMAT_EMPTY},
        {"json",              "http://h/todos/7?format=json",  TODO_URL_FORMAT_JSON },
        {"api",               "http://h/todos/7?format=api",   TODO_URL_FORMAT_API  },
        {"query alone",       "?format=json",                  TODO_URL_FORMAT_JSON },
        {"unknown format",    "http://h/todos/7?format=xml",   TODO_URL_PLAIN       },
        {"longer format",     "http://h/todos/7?format=jsonp", TODO_URL_PLAIN       },
        {"another parameter", "http://h/todos/7?x=1",          TODO_URL_PLAIN       },
        {"two parameters",    "http://h/?format=json&x=1",     TODO_URL_PLAIN       },
        {"question mark",     "http://h/todos/7?",             TODO_URL_PLAIN       },
        {"without its mark",  "http://h/todos/7/format=json",  TODO_URL_PLAIN       },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_NUMBER(rows[i].name, "format", rows[i].format, todo_url_format(rows[i].url));
}

static void test_a_suffix_is_read_back_as_its_format(void)
{
    for (enum todo_url_format format = TODO_URL_PLAIN; format <= TODO_URL_FORMAT_API; format++)
        CHECK_NUMBER(todo_url_suffix(format), "format", format,
                     todo_url_format(todo_url_suffix(format)));
}

static const struct todo before = {
    .id = 7,
    .title = "old",
    .title_length = 3,
    .completed = true,
    .has_order = true,
    .order = 5,
    .url_format = TODO_URL_FORMAT_JSON,
};

static const struct {
    const char *name;
    struct todo_change change;
    const char *title;
    bool completed, has_order;
    int32_t order;
} changes[] = {
    {"nothing",       {.title = "x", .title_length = 1, .order = 9},          "old", true,  true,  5 },
    {"title",         {.title_set = true, .title = "new", .title_length = 3}, "new", true,  true,  5 },
    {"title empty",   {.title_set = true},                                    "",    true,  true,  5 },
    {"title null",    {.title_set = true, .title_null = true},                NULL,  true,  true,  5 },
    {"not completed", {.completed_set = true},                                "old", false, true,  5 },
    {"completed",     {.completed_set = true, .completed = true},             "old", true,  true,  5 },
    {"order",         {.order_set = true, .order = -1},                       "old", true,  true,  -1},
    {"order 0",       {.order_set = true},                                    "old", true,  true,  0 },
    {"order null",    {.order_set = true, .order_null = true},                "old", true,  false, 0 },
};

static void test_only_what_is_set_changes(void)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct todo todo = before;

        todo_apply(&todo, &changes[i].change);
        CHECK_TEXT(changes[i].name, "title", changes[i].title, todo.title);
        CHECK_NUMBER(changes[i].name, "length",
                     changes[i].title ? (long long)strlen(changes[i].title) : 0,
                     (long long)todo.title_length);
        CHECK_NUMBER(changes[i].name, "completed", changes[i].completed, todo.completed);
        CHECK_NUMBER(changes[i].name, "has an order", changes[i].has_order, todo.has_order);
        CHECK_NUMBER(changes[i].name, "order", changes[i].order, todo.order);
        CHECK(todo.id == before.id && todo.url_format == before.url_format, changes[i].name,
              "id or format");
    }
}

CU_TestInfo todo_tests[] = {
    {"a URL tells its format",              test_a_url_tells_its_format             },
    {"a suffix is read back as its format", test_a_suffix_is_read_back_as_its_format},
    {"only what is set changes",            test_only_what_is_set_changes           },
    CU_TEST_INFO_NULL,
};
