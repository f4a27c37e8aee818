#include "http/router.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

static void list(void *context, struct http_exchange *exchange, const struct http_match *match)
{
    (void)context;
    (void)exchange;
    (void)match;
}

static void create(void *context, struct http_exchange *exchange,
                   const struct http_match *match)
{
    list(context, exchange, match);
}

static void show(void *context, struct http_exchange *exchange, const struct http_match *match)
{
    list(context, exchange, match);
}

enum { ROOT, LIST, ITEM, PLAIN, FILES, FULL, NOWHERE };

/* clang-format off */
static const struct http_route routes[] = {
    [ROOT] = {.pattern = "/", .formats = true, .methods = {{HTTP_GET, show}}},
    [LIST] = {.pattern = "/todos", .formats = true,
              .methods = {{HTTP_GET, list}, {HTTP_POST, create}}},
    [ITEM] = {.pattern = "/todos/{id}", .formats = true, .methods = {{HTTP_GET, show}}},
    [PLAIN] = {.pattern = "/livez", .methods = {{HTTP_GET, show}}},
    [FILES] = {.pattern = "/static/{name}", .dots = true, .methods = {{HTTP_GET, show}}},
    [FULL] = {.pattern = "/full",
              .methods = {{HTTP_GET, show}, {HTTP_HEAD, show}, {HTTP_POST, show},
                          {HTTP_PUT, show}, {HTTP_PATCH, show}, {HTTP_DELETE, show},
                          {HTTP_OPTIONS, show}, {HTTP_METHOD_OTHER, create}}},
};
/* clang-format on */

#define PATH(literal) (literal), sizeof(literal) - 1

/* clang-format off */
static const struct {
    const char *name;
    const char *path;
    size_t length;
    enum http_method method;
    int route;
    http_handler *handler; /* NULL: no such method */
    const char *parameter;
    const char *suffix;
} rows[] = {
    {"root", PATH("/"), HTTP_GET, ROOT, show, NULL, ""},
    {"root with a suffix", PATH("/.json"), HTTP_GET, ROOT, show, NULL, "json"},
    {"root with a suffix and a slash", PATH("/.json/"), HTTP_GET, ROOT, show, NULL, "json"},
    {"list", PATH("/todos"), HTTP_GET, LIST, list, NULL, ""},
    {"another method of the list", PATH("/todos"), HTTP_POST, LIST, create, NULL, ""},
    {"list with a suffix", PATH("/todos.json"), HTTP_POST, LIST, create, NULL, "json"},
    {"list with a suffix and a slash", PATH("/todos.api/"), HTTP_GET, LIST, list, NULL, "api"},
    {"list with an unknown suffix", PATH("/todos.x2"), HTTP_GET, LIST, list, NULL, "x2"},
    {"list with a long suffix", PATH("/todos.jsonjsonjsonjsonjson"), HTTP_GET, LIST, list, NULL,
     "jsonjsonjsonjso"},
    {"item", PATH("/todos/7"), HTTP_GET, ITEM, show, "7", ""},
    {"item, any text", PATH("/todos/a b-\xc3\xa9"), HTTP_GET, ITEM, show, "a b-\xc3\xa9", ""},
    {"item with a suffix", PATH("/todos/7.json"), HTTP_GET, ITEM, show, "7", "json"},
    {"item with a suffix and a slash", PATH("/todos/12.5/"), HTTP_GET, ITEM, show, "12", "5"},
    {"unknown method of the list", PATH("/todos"), HTTP_PUT, LIST, NULL, NULL, ""},
    {"unknown method with a suffix", PATH("/todos.json"), HTTP_PUT, LIST, NULL, NULL, "json"},
    {"unknown method of an item", PATH("/todos/7"), HTTP_METHOD_OTHER, ITEM, NULL, "7", ""},
    {"without formats", PATH("/livez"), HTTP_GET, PLAIN, show, NULL, ""},
    {"file", PATH("/static/a.min.js"), HTTP_GET, FILES, show, "a.min.js", ""},
    {"file without a dot", PATH("/static/a"), HTTP_GET, FILES, show, "a", ""},
    {"the last of all methods", PATH("/full"), HTTP_METHOD_OTHER, FULL, create, NULL, ""},

    {"no path", PATH(""), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"asterisk", PATH("*"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"no slash in front", PATH("todos"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"slash at the end of the list", PATH("/todos/"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"slash at the end of an item", PATH("/todos/7/"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"two slashes", PATH("//todos"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"below an item", PATH("/todos/7/x"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"capitals", PATH("/Todos"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"shorter", PATH("/todo"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"longer", PATH("/todosx"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"suffix of nothing", PATH("/todos/.json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"suffix in capitals", PATH("/todos.JSON"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"suffix with another mark", PATH("/todos.js-on"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"empty suffix", PATH("/todos."), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"empty suffix and a slash", PATH("/todos./"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"two suffixes of the list", PATH("/todos.json.json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"two suffixes of an item", PATH("/todos/7.json.json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"two slashes after a suffix", PATH("/todos.json//"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"no file", PATH("/static/"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"file in a folder", PATH("/static/a/b.js"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"only a suffix", PATH(".json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"only letters", PATH("json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"suffix of a route without formats", PATH("/livez.json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"NUL at the end", PATH("/todos\0"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"NUL before a suffix", PATH("/todos\0.json"), HTTP_GET, NOWHERE, NULL, NULL, NULL},
    {"NUL in an item", PATH("/todos/7\0"), HTTP_GET, ITEM, show, "7", ""},
};
/* clang-format on */

static void check_parameter(size_t i, const struct http_match *match)
{
    const char *wanted = rows[i].parameter;
    size_t length = wanted ? strlen(wanted) : 0;

    if (strlen(rows[i].path) < rows[i].length && rows[i].route == ITEM)
        length++; /* the NUL is part of it */
    CHECK_NUMBER(rows[i].name, "length of the parameter", (long long)length,
                 (long long)match->parameter_length);
    if (wanted)
        CHECK(match->parameter && memcmp(match->parameter, wanted, length) == 0, rows[i].name,
              "parameter");
}

static void check_match(size_t i)
{
    char path[64]; /* not followed by a NUL, as a path need not be */
    struct http_match match = {.suffix = "left over", .parameter_length = 99};
    enum http_route_result result;

    memset(path, 'x', sizeof(path));
    memcpy(path, rows[i].path, rows[i].length);
    result = http_route_find(routes, NOWHERE, rows[i].method, path, rows[i].length, &match);
    if (rows[i].route == NOWHERE) {
        CHECK_NUMBER(rows[i].name, "result", HTTP_ROUTE_UNKNOWN_PATH, result);
        CHECK(!match.representation.route && !match.handler, rows[i].name, "a route");
        return;
    }
    CHECK_NUMBER(rows[i].name, "result",
                 rows[i].handler ? HTTP_ROUTE_FOUND : HTTP_ROUTE_UNKNOWN_METHOD, result);
    CHECK(match.representation.route == &routes[rows[i].route], rows[i].name, "another route");
    CHECK(match.handler == rows[i].handler, rows[i].name, "another handler");
    CHECK_TEXT(rows[i].name, "suffix", rows[i].suffix, match.suffix);
    check_parameter(i, &match);
}

static void test_paths_and_methods_find_their_route(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_match(i);
}

static void test_an_empty_table_knows_no_path(void)
{
    struct http_match match;

    CU_ASSERT_EQUAL(http_route_find(routes, 0, HTTP_GET, "/", 1, &match),
                    HTTP_ROUTE_UNKNOWN_PATH);
}

CU_TestInfo router_tests[] = {
    {"paths and methods find their route", test_paths_and_methods_find_their_route},
    {"an empty table knows no path",       test_an_empty_table_knows_no_path      },
    CU_TEST_INFO_NULL,
};
