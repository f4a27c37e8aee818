#include "api/json.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

#define TITLE(literal) .title = (literal), .title_length = sizeof(literal) - 1

/* clang-format off */
static const struct {
    const char *name;
    struct todo todo;
    const char *json;
} rows[] = {
    {"all fields", {.id = 7, TITLE("x"), .completed = true, .has_order = true, .order = 5},
     "{\"url\":\"http://h/todos/7\",\"title\":\"x\",\"completed\":true,\"order\":5}"},
    {"nulls", {.id = 1},
     "{\"url\":\"http://h/todos/1\",\"title\":null,\"completed\":false,\"order\":null}"},
    {"empty title, order 0", {.id = 1, TITLE(""), .has_order = true},
     "{\"url\":\"http://h/todos/1\",\"title\":\"\",\"completed\":false,\"order\":0}"},
    {"an order that is not there", {.id = 1, .order = 5},
     "{\"url\":\"http://h/todos/1\",\"title\":null,\"completed\":false,\"order\":null}"},
    {"largest", {.id = TODO_ID_MAX, .has_order = true, .order = INT32_MAX},
     "{\"url\":\"http://h/todos/9223372036854775807\",\"title\":null,\"completed\":false,\"order\":2147483647}"},
    {"smallest order", {.id = 10, .has_order = true, .order = INT32_MIN},
     "{\"url\":\"http://h/todos/10\",\"title\":null,\"completed\":false,\"order\":-2147483648}"},
    {"format", {.id = 7, .url_format = TODO_URL_FORMAT_JSON},
     "{\"url\":\"http://h/todos/7?format=json\",\"title\":null,\"completed\":false,\"order\":null}"},
    {"empty format", {.id = 7, .url_format = TODO_URL_FORMAT_EMPTY},
     "{\"url\":\"http://h/todos/7?format=\",\"title\":null,\"completed\":false,\"order\":null}"},
    {"escaped", {.id = 1, TITLE("\"\\\b\t\n\f\r\x01\x1f\xe2\x80\xa8\xe2\x80\xa9")},
     "{\"url\":\"http://h/todos/1\",\"title\":\"\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f\\u2028\\u2029\","
     "\"completed\":false,\"order\":null}"},
    {"not escaped", {.id = 1, TITLE("/<>&'\x7f\xc2\x80\xef\xbb\xbf\xe2\x80\xa7\xe2\x80\xaf\xe6\x97\xa5\xf0\x9f\x98\x80")},
     "{\"url\":\"http://h/todos/1\",\"title\":\"/<>&'\x7f\xc2\x80\xef\xbb\xbf\xe2\x80\xa7\xe2\x80\xaf\xe6\x97\xa5\xf0\x9f\x98\x80\","
     "\"completed\":false,\"order\":null}"},
    {"no more than its length", {.id = 1, .title = "abc", .title_length = 2},
     "{\"url\":\"http://h/todos/1\",\"title\":\"ab\",\"completed\":false,\"order\":null}"},
};
/* clang-format on */

static void test_a_todo_has_four_keys_in_order(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer json = {0};

        todo_json_append(&json, &rows[i].todo, "http://h");
        CHECK_TEXT(rows[i].name, "JSON", rows[i].json, json.data);
        buffer_release(&json);
    }
}

static void test_a_url_is_base_id_and_format(void)
{
    struct buffer url = {0};

    buffer_append_text(&url, "at ");
    todo_json_append_url(&url, "https://h:81", 12, TODO_URL_FORMAT_API);
    CHECK_TEXT("appended", "url", "at https://h:81/todos/12?format=api", url.data);
    buffer_release(&url);
}

#define FIRST "{\"url\":\"http://h/todos/1\",\"title\":null,\"completed\":false,\"order\":null}"
#define SECOND                                                                                 \
    "{\"url\":\"http://h/todos/2\",\"title\":\"b\",\"completed\":false,\"order\":null}"

static void test_a_list_is_an_array(void)
{
    static const char *const wanted[] = {"[]", "[" FIRST "]", "[" FIRST "," SECOND "]"};
    struct todo todos[] = {
        {.id = 1    },
        { .id = 2, TITLE("b")}
    };

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const struct todo_list list = {.todos = todos, .count = i};
        struct buffer json = {0};

        todo_json_append_list(&json, &list, "http://h");
        CHECK_TEXT("list", "JSON", wanted[i], json.data);
        buffer_release(&json);
    }
}

CU_TestInfo json_tests[] = {
    {"a todo has four keys in order", test_a_todo_has_four_keys_in_order},
    {"a URL is base, id and format",  test_a_url_is_base_id_and_format  },
    {"a list is an array",            test_a_list_is_an_array           },
    CU_TEST_INFO_NULL,
};
