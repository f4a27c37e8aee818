/*
 * Todo-Backend's public specification, all 16 cases, by meaning. It runs in a browser from
 * another origin, so each request carries Origin, is preceded by the preflight that a browser
 * would make, and its answer must let that origin read it.
 */

#include "check.h"
#include "server.h"
#include "suites.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct server server;

int todobackend_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int todobackend_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

#define ORIGIN "Origin: https://specs.example\r\n"

/* Whether a comma separated list holds a token. */
static bool lists(const char *list, const char *token)
{
    size_t length = strlen(token);
    while (list && *list) {
        list += strspn(list, ", ");
        size_t size = strcspn(list, ", ");
        if (size == length && strncasecmp(list, token, length) == 0)
            return true;
        list += size;
    }
    return false;
}

static void check_preflight(const char *method, const char *path)
{
    struct client_response response = {0};
    char headers[256];
    snprintf(headers, sizeof headers,
             ORIGIN "Access-Control-Request-Method: %s\r\n"
                    "Access-Control-Request-Headers: content-type\r\n",
             method);
    client_ask(server.port,
               &(struct client_request){.method = "OPTIONS", .path = path, .headers = headers},
               &response);
    CHECK_NUMBER("preflight", "status", 200, response.status);
    CHECK_TEXT("preflight", "allowed origin", "*",
               client_header(&response, "Access-Control-Allow-Origin"));
    CHECK(lists(client_header(&response, "Access-Control-Allow-Methods"), method), "preflight",
          "%s is not allowed", method);
    CHECK(lists(client_header(&response, "Access-Control-Allow-Headers"), "content-type"),
          "preflight", "content-type is not allowed");
    client_response_release(&response);
}

/* One request as the specification's page makes it; gives the JSON of the answer, NULL without
 * (the caller's to release). */
static json_t *ask(const char *method, const char *path, const char *json, int wanted)
{
    struct client_response response = {0};
    bool is_simple = strcmp(method, "GET") == 0;
    if (!is_simple)
        check_preflight(method, path);
    client_ask(server.port,
               &(struct client_request){
                   .method = method,
                   .path = path,
                   .headers = ORIGIN "Accept: text/plain, */*; q=0.01\r\n",
                   .type = json ? "application/json" : NULL,
                   .body = json,
               },
               &response);
    CHECK_NUMBER(path, method, wanted, response.status);
    CHECK_TEXT(path, "allowed origin", "*",
               client_header(&response, "Access-Control-Allow-Origin"));
    json_t *answer = json_loads(client_body(&response), 0, NULL);
    client_response_release(&response);
    return answer;
}

static void forget(json_t *answer)
{
    json_decref(answer);
}

/* The path of a todo's url, which must be on our own host. */
static void path_of(const json_t *todo, char *path, size_t size)
{
    char base[64];
    const char *url = json_string_value(json_object_get(todo, "url"));
    snprintf(base, sizeof base, "http://127.0.0.1:%u/", server.port);
    bool is_ours = url && strncmp(url, base, strlen(base)) == 0;
    CHECK(is_ours, "url", "it is %s", url ? url : "missing");
    snprintf(path, size, "%s", is_ours ? url + strlen(base) - 1 : "/todos/0");
}

static void check_member(const json_t *todo, const char *name, json_t *wanted)
{
    char *got = json_dumps(json_object_get(todo, name), JSON_ENCODE_ANY);
    CHECK(json_equal(json_object_get(todo, name), wanted), name, "it is %s",
          got ? got : "missing");
    free(got);
    json_decref(wanted);
}

/* Creates a todo in an empty list; gives its path. */
static void start_with(const char *json, char *path, size_t size)
{
    forget(ask("DELETE", "/todos", NULL, 204));
    json_t *todo = ask("POST", "/todos", json, 201);
    path_of(todo, path, size);
    forget(todo);
}

/* The pre-requisites. */

static void test_01_the_api_root_responds_to_a_get(void)
{
    json_t *list = ask("GET", "/todos", NULL, 200);
    CHECK(json_is_array(list), "list", "not an array");
    forget(list);
}

static void test_02_the_api_root_responds_to_a_post_with_the_todo(void)
{
    json_t *todo = ask("POST", "/todos", "{\"title\":\"a todo\"}", 201);
    check_member(todo, "title", json_string("a todo"));
    forget(todo);
}

static void test_03_the_api_root_responds_successfully_to_a_delete(void)
{
    forget(ask("DELETE", "/todos", NULL, 204));
}

static void test_04_after_a_delete_the_api_root_gives_an_empty_array(void)
{
    forget(ask("POST", "/todos", "{\"title\":\"a todo\"}", 201));
    forget(ask("DELETE", "/todos", NULL, 204));
    json_t *list = ask("GET", "/todos", NULL, 200);
    CHECK(json_is_array(list) && json_array_size(list) == 0, "list", "not an empty array");
    forget(list);
}

/* Storing new todos by posting to the root url. */

static void test_05_a_new_todo_is_in_the_list(void)
{
    forget(ask("DELETE", "/todos", NULL, 204));
    forget(ask("POST", "/todos", "{\"title\":\"walk the dog\"}", 201));
    json_t *list = ask("GET", "/todos", NULL, 200);
    CHECK_NUMBER("list", "todos", 1, (long long)json_array_size(list));
    check_member(json_array_get(list, 0), "title", json_string("walk the dog"));
    forget(list);
}

static void test_06_a_new_todo_is_initially_not_completed(void)
{
    json_t *todo = ask("POST", "/todos", "{\"title\":\"blah\"}", 201);
    check_member(todo, "completed", json_false());
    forget(todo);
}

static void test_07_each_new_todo_has_a_url(void)
{
    char path[64];
    json_t *todo = ask("POST", "/todos", "{\"title\":\"blah\"}", 201);
    path_of(todo, path, sizeof path);
    forget(todo);
}

static void test_08_each_new_todo_has_a_url_which_returns_a_todo(void)
{
    char path[64];
    start_with("{\"title\":\"my todo\"}", path, sizeof path);
    json_t *todo = ask("GET", path, NULL, 200);
    check_member(todo, "title", json_string("my todo"));
    forget(todo);
}

/* Working with an existing todo. */

static void test_09_one_can_navigate_from_the_list_to_a_todo(void)
{
    char path[64];
    forget(ask("DELETE", "/todos", NULL, 204));
    forget(ask("POST", "/todos", "{\"title\":\"todo the first\"}", 201));
    forget(ask("POST", "/todos", "{\"title\":\"todo the second\"}", 201));
    json_t *list = ask("GET", "/todos", NULL, 200);
    CHECK_NUMBER("list", "todos", 2, (long long)json_array_size(list));
    path_of(json_array_get(list, 0), path, sizeof path);
    json_t *todo = ask("GET", path, NULL, 200);
    check_member(todo, "title", json_string("todo the first"));
    forget(todo);
    forget(list);
}

static void test_10_the_title_can_be_changed_by_patch(void)
{
    char path[64];
    start_with("{\"title\":\"initial title\"}", path, sizeof path);
    json_t *todo = ask("PATCH", path, "{\"title\":\"bathe the cat\"}", 200);
    check_member(todo, "title", json_string("bathe the cat"));
    forget(todo);
}

static void test_11_the_completedness_can_be_changed_by_patch(void)
{
    char path[64];
    start_with("{\"title\":\"initial title\"}", path, sizeof path);
    json_t *todo = ask("PATCH", path, "{\"completed\":true}", 200);
    check_member(todo, "completed", json_true());
    forget(todo);
}

static void test_12_changes_are_persisted_and_show_up_when_fetched_again(void)
{
    char path[64];
    start_with("{\"title\":\"initial title\"}", path, sizeof path);
    forget(ask("PATCH", path, "{\"title\":\"changed title\",\"completed\":true}", 200));
    json_t *todo = ask("GET", path, NULL, 200);
    check_member(todo, "title", json_string("changed title"));
    check_member(todo, "completed", json_true());
    json_t *list = ask("GET", "/todos", NULL, 200);
    CHECK_NUMBER("list", "todos", 1, (long long)json_array_size(list));
    CHECK(json_equal(json_array_get(list, 0), todo), "list", "shows another todo");
    forget(todo);
    forget(list);
}

static void test_13_a_todo_can_be_deleted(void)
{
    char path[64];
    start_with("{\"title\":\"initial title\"}", path, sizeof path);
    forget(ask("DELETE", path, NULL, 204));
    json_t *list = ask("GET", "/todos", NULL, 200);
    CHECK(json_is_array(list) && json_array_size(list) == 0, "list", "not an empty array");
    forget(list);
}

/* Tracking todo order. */

static void test_14_a_todo_can_be_created_with_an_order(void)
{
    json_t *todo = ask("POST", "/todos", "{\"title\":\"blah\",\"order\":523}", 201);
    check_member(todo, "order", json_integer(523));
    forget(todo);
}

static void test_15_the_order_can_be_changed_by_patch(void)
{
    char path[64];
    start_with("{\"title\":\"blah\",\"order\":10}", path, sizeof path);
    json_t *todo = ask("PATCH", path, "{\"order\":95}", 200);
    check_member(todo, "order", json_integer(95));
    forget(todo);
}

static void test_16_changes_of_the_order_are_remembered(void)
{
    char path[64];
    start_with("{\"title\":\"blah\",\"order\":10}", path, sizeof path);
    forget(ask("PATCH", path, "{\"order\":95}", 200));
    json_t *todo = ask("GET", path, NULL, 200);
    check_member(todo, "order", json_integer(95));
    forget(todo);
}

CU_TestInfo todobackend_tests[] = {
    TEST(test_01_the_api_root_responds_to_a_get),
    TEST(test_02_the_api_root_responds_to_a_post_with_the_todo),
    TEST(test_03_the_api_root_responds_successfully_to_a_delete),
    TEST(test_04_after_a_delete_the_api_root_gives_an_empty_array),
    TEST(test_05_a_new_todo_is_in_the_list),
    TEST(test_06_a_new_todo_is_initially_not_completed),
    TEST(test_07_each_new_todo_has_a_url),
    TEST(test_08_each_new_todo_has_a_url_which_returns_a_todo),
    TEST(test_09_one_can_navigate_from_the_list_to_a_todo),
    TEST(test_10_the_title_can_be_changed_by_patch),
    TEST(test_11_the_completedness_can_be_changed_by_patch),
    TEST(test_12_changes_are_persisted_and_show_up_when_fetched_again),
    TEST(test_13_a_todo_can_be_deleted),
    TEST(test_14_a_todo_can_be_created_with_an_order),
    TEST(test_15_the_order_can_be_changed_by_patch),
    TEST(test_16_changes_of_the_order_are_remembered),
    CU_TEST_INFO_NULL,
};
