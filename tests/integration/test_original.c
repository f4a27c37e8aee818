/*
 * What the original application tested of itself: its 12 unit tests (five classes) and its 4
 * acceptance tests, here by meaning, over HTTP.
 */

#include "check.h"
#include "server.h"
#include "suites.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static struct server server;

int original_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int original_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

static json_t *body_of(const struct client_response *response)
{
    return json_loads(client_body(response), 0, NULL);
}

/* GET of a todo: are these its title and its completedness? */
static void check_todo(unsigned id, const char *title, bool completed)
{
    struct client_response response = {0};
    CHECK_NUMBER("read back", "status", 200, get_todo(&server, id, &response));
    json_t *todo = body_of(&response);
    CHECK_TEXT("read back", "title", title, json_string_value(json_object_get(todo, "title")));
    CHECK_NUMBER("read back", "completed", completed,
                 json_is_true(json_object_get(todo, "completed")));
    json_decref(todo);
    client_response_release(&response);
}

/* Class 1: create an item. */

static void create_walk_the_dog(struct client_response *response)
{
    clear_todos(&server);
    send_json(&server, "POST", "/todos", "{\"title\":\"Walk the dog\"}", response);
}

static void test_original_unit_create_answers_201(void)
{
    struct client_response response = {0};
    create_walk_the_dog(&response);
    CHECK_NUMBER("create", "status", 201, response.status);
    client_response_release(&response);
}

static void test_original_unit_create_gives_a_location(void)
{
    struct client_response response = {0};
    create_walk_the_dog(&response);
    const char *location = client_header(&response, "Location");
    CHECK(text_matches("^http://.+/todos/[0-9]+$", location), "create", "Location is %s",
          location ? location : "missing");
    client_response_release(&response);
}

static void test_original_unit_create_makes_one_item(void)
{
    struct client_response response = {0};
    create_walk_the_dog(&response);
    CHECK_NUMBER("create", "items", 1, count_todos(&server));
    client_response_release(&response);
}

static void test_original_unit_create_keeps_the_title(void)
{
    struct client_response response = {0};
    create_walk_the_dog(&response);
    check_todo(id_of_url(client_header(&response, "Location")), "Walk the dog", false);
    client_response_release(&response);
}

/* Classes 2 and 3: update with PUT and with PATCH. */

static void update(const char *method, const char *json, int *status, unsigned *id)
{
    struct client_response response = {0};
    char path[32];
    clear_todos(&server);
    *id = create_todo(&server, "{\"title\":\"Walk the dog\"}");
    snprintf(path, sizeof path, "/todos/%u", *id);
    *status = send_json(&server, method, path, json, &response);
    client_response_release(&response);
}

static void test_original_unit_put_answers_200(void)
{
    int status;
    unsigned id;
    update("PUT", "{\"title\":\"Feed the cat\",\"completed\":true}", &status, &id);
    CHECK_NUMBER("put", "status", 200, status);
}

static void test_original_unit_put_updates_the_item(void)
{
    int status;
    unsigned id;
    update("PUT", "{\"title\":\"Feed the cat\",\"completed\":true}", &status, &id);
    check_todo(id, "Feed the cat", true);
}

static void test_original_unit_patch_answers_200(void)
{
    int status;
    unsigned id;
    update("PATCH", "{\"title\":\"Feed the cat\"}", &status, &id);
    CHECK_NUMBER("patch", "status", 200, status);
}

static void test_original_unit_patch_updates_the_item(void)
{
    int status;
    unsigned id;
    update("PATCH", "{\"title\":\"Feed the cat\"}", &status, &id);
    check_todo(id, "Feed the cat", false);
}

/* Classes 4 and 5: delete an item, delete all items. */

static int delete_todo(unsigned id)
{
    struct client_response response = {0};
    char path[32];
    snprintf(path, sizeof path, "/todos/%u", id);
    client_ask(server.port, &(struct client_request){.method = "DELETE", .path = path},
               &response);
    int status = response.status;
    client_response_release(&response);
    return status;
}

static void test_original_unit_delete_answers_204(void)
{
    clear_todos(&server);
    CHECK_NUMBER("delete", "status", 204,
                 delete_todo(create_todo(&server, "{\"title\":\"Walk the dog\"}")));
}

static void test_original_unit_delete_removes_the_item(void)
{
    clear_todos(&server);
    delete_todo(create_todo(&server, "{\"title\":\"Walk the dog\"}"));
    CHECK_NUMBER("delete", "items", 0, count_todos(&server));
}

static int delete_all_of_two(void)
{
    struct client_response response = {0};
    create_todo(&server, "{\"title\":\"Walk the dog\"}");
    create_todo(&server, "{\"title\":\"Feed the cat\"}");
    client_ask(server.port, &(struct client_request){.method = "DELETE", .path = "/todos"},
               &response);
    int status = response.status;
    client_response_release(&response);
    return status;
}

static void test_original_unit_delete_all_answers_204(void)
{
    CHECK_NUMBER("delete all", "status", 204, delete_all_of_two());
}

static void test_original_unit_delete_all_removes_every_item(void)
{
    delete_all_of_two();
    CHECK_NUMBER("delete all", "items", 0, count_todos(&server));
}

/* The acceptance tests, which used curl: it sends Accept: any type. */

static void test_original_acceptance_root_answers_200(void)
{
    struct client_response response = {0};
    client_ask(server.port, &(struct client_request){.path = "/", .headers = "Accept: */*\r\n"},
               &response);
    CHECK_NUMBER("root", "status", 200, response.status);
    client_response_release(&response);
}

static void test_original_acceptance_list_is_empty_at_first(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    CHECK_NUMBER("list", "status", 200, get(&server, "/todos", &response));
    CHECK_TEXT("list", "body", "[]", client_body(&response));
    client_response_release(&response);
}

static void test_original_acceptance_created_item_is_read_back_by_location(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    send_json(&server, "POST", "/todos",
              "{\"title\":\"Get milk\",\"completed\":false,\"order\":1}", &response);
    const char *location = client_header(&response, "Location");
    const char *path = location ? strstr(location, "/todos/") : NULL;
    if (CHECK(path, "create", "no Location"))
        check_todo(id_of_url(path), "Get milk", false);
    client_response_release(&response);
}

static void test_original_acceptance_deleted_item_leaves_an_empty_list(void)
{
    struct client_response response = {0};
    clear_todos(&server);
    CHECK_NUMBER("delete", "status", 204, delete_todo(create_todo(&server, "{}")));
    get(&server, "/todos", &response);
    CHECK_TEXT("list", "body", "[]", client_body(&response));
    client_response_release(&response);
}

CU_TestInfo original_tests[] = {
    TEST(test_original_unit_create_answers_201),
    TEST(test_original_unit_create_gives_a_location),
    TEST(test_original_unit_create_makes_one_item),
    TEST(test_original_unit_create_keeps_the_title),
    TEST(test_original_unit_put_answers_200),
    TEST(test_original_unit_put_updates_the_item),
    TEST(test_original_unit_patch_answers_200),
    TEST(test_original_unit_patch_updates_the_item),
    TEST(test_original_unit_delete_answers_204),
    TEST(test_original_unit_delete_removes_the_item),
    TEST(test_original_unit_delete_all_answers_204),
    TEST(test_original_unit_delete_all_removes_every_item),
    TEST(test_original_acceptance_root_answers_200),
    TEST(test_original_acceptance_list_is_empty_at_first),
    TEST(test_original_acceptance_created_item_is_read_back_by_location),
    TEST(test_original_acceptance_deleted_item_leaves_an_empty_list),
    CU_TEST_INFO_NULL,
};
