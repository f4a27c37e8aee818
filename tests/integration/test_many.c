/*
 * POST and PATCH of /todos with an array: many todos are created or changed together, all or
 * none; what is wrong is told by its index.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "relay.h"
#include "suites.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000 /* elements of an array */

static struct server server;
static struct relay *relay; /* between it and MySQL */

int many_init(void)
{
    static char port[32] = "LOG_LEVEL=info";
    const char *const settings[] = {"REQUEST_TIMEOUT=5", port, NULL};

    if (test_database == TEST_MYSQL) {
        relay = relay_open("127.0.0.1", mariadb_port());
        if (!relay)
            return 1;
        snprintf(port, sizeof port, "MYSQL_PORT=%u", relay_port(relay));
    }
    return server_open(&server, settings) ? 0 : 1;
}

int many_cleanup(void)
{
    bool is_closed = server_close(&server);

    relay_close(relay);
    relay = NULL;
    return is_closed ? 0 : 1;
}

#define POST(text)       JSON("POST", "/todos", text)
#define PATCH(text)      JSON("PATCH", "/todos", text)
#define URL(path)        "\"url\":\"http://{host}/todos/" path "\""
#define ALPHA_WITH(rest) "{" URL("{id}") "," rest "}"
#define LIST_EXPECTED                                                                          \
    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got list.\"]}"
#define REQUIRED "{\"url\":[\"This field is required.\"]}"
#define NO_URL   "{\"url\":[\"Not the url of a todo.\"]}"
#define TOO_MANY "{\"non_field_errors\":[\"Ensure this list has no more than 1000 elements.\"]}"

static void test_arrays_are_created_or_refused_as_a_whole(void)
{
    static const struct exchange rows[] = {
        ROW("one is an object's business", POST("[{\"title\":\"a\"}]"), 400, LIST_EXPECTED,
            NULL, LIST),
        ROW("none", POST("[]"), 400, LIST_EXPECTED, NULL, LIST),
        ROW("numbers", POST("[1,2]"), 400, LIST_EXPECTED, NULL, LIST),
        ROW("not all are objects", POST("[{},{},null]"), 400, LIST_EXPECTED, NULL, LIST),
        ROW("arrays within", POST("[[{},{}],{}]"), 400, LIST_EXPECTED, NULL, LIST),
        ROW("bad JSON", POST("[{},{},]"), 400, "{\"detail\":\"JSON parse error - ...", NULL,
            LIST),
        ROW("one is wrong", POST("[{\"title\":\"a\"},{\"title\":true},{\"title\":\"c\"}]"), 400,
            "{\"1\":{\"title\":[\"Not a valid string.\"]}}", NULL, LIST),
        ROW("two are wrong, one of them twice",
            POST("[{\"order\":\"x\",\"completed\":null},{},{\"title\":[]}]"), 400,
            "{\"0\":{\"completed\":[\"This field may not be null.\"],"
            "\"order\":[\"A valid integer is required.\"]},"
            "\"2\":{\"title\":[\"Not a valid string.\"]}}",
            NULL, LIST),
        ROW("of another type", SEND("POST", "/todos", NULL, "text/plain", "[{},{}]"), 415,
            UNSUPPORTED("text/plain"), NULL, LIST),
        ROW("too deep", POST("[{},{\"x\":{[*2000}{]*2000}}]"), 400,
            "{\"detail\":\"JSON parse error - ...", NULL, LIST),
    };

    exchange_run(&server, rows, COUNT(rows));
}

static void test_arrays_of_changes_are_made_or_refused_as_a_whole(void)
{
    static const struct exchange rows[] = {
        ROW("an object", PATCH("{\"title\":\"x\"}"), 405, NOT_ALLOWED("PATCH"),
            "Allow: GET, POST, DELETE, HEAD, OPTIONS\n", LIST),
        ROW("nothing", ASK("PATCH", "/todos"), 405, NOT_ALLOWED("PATCH"), NULL, LIST),
        ROW("none", PATCH("[]"), 405, NOT_ALLOWED("PATCH"), NULL, LIST),
        ROW("not all are objects", PATCH("[{},1]"), 405, NOT_ALLOWED("PATCH"), NULL, LIST),
        ROW("a form",
            SEND("PATCH", "/todos", NULL, "application/x-www-form-urlencoded", "title=x"), 405,
            NOT_ALLOWED("PATCH"), NULL, LIST),
        ROW("one", PATCH("[" ALPHA_WITH("\"title\":\"x\"") "]"), 200,
            "[" TODO("{id}", "\"x\"", "false", "1") "]", "Location:\n",
            "[" TODO("{id}", "\"x\"", "false", "1") "]"),
        ROW("one and the same, in order",
            PATCH("[" ALPHA_WITH("\"title\":\"x\",\"order\":2") "," ALPHA_WITH(
                "\"order\":3") "," ALPHA_WITH("\"completed\":true") "]"),
            200,
            "[" TODO("{id}", "\"x\"", "false", "2") "," TODO(
                "{id}", "\"x\"", "false", "3") "," TODO("{id}", "\"x\"", "true", "3") "]",
            NULL, "[" TODO("{id}", "\"x\"", "true", "3") "]"),
        ROW("only the url", PATCH("[{" URL("{id}") "}]"), 200, LIST, NULL, LIST),
        ROW("the path alone", PATCH("[{\"url\":\"/todos/{id}\",\"order\":1}]"), 200, LIST, NULL,
            LIST),
        ROW("by another name, with a format",
            PATCH("[{\"url\":\"https://b/api/todos/0{id}?format=json\",\"order\":1}]"), 200,
            LIST, NULL, LIST),
        ROW("no url", PATCH("[{\"title\":\"x\"}]"), 400, "{\"0\":" REQUIRED "}", NULL, LIST),
        ROW("no url of a todo",
            PATCH("[{\"url\":null},{\"url\":{id}},{\"url\":\"{id}\"},{\"url\":\"/todos\"},"
                  "{\"url\":\"/todos/\"},{\"url\":\"/todos/x{id}\"},{\"url\":\"/todos/0\"},"
                  "{\"url\":\"/todos/{id}/\"},{\"url\":\"/todos/99999999999999999999\"}]"),
            400,
            "{\"0\":" NO_URL ",\"1\":" NO_URL ",\"2\":" NO_URL ",\"3\":" NO_URL ",\"4\":" NO_URL
            ",\"5\":" NO_URL ",\"6\":" NO_URL ",\"7\":" NO_URL ",\"8\":" NO_URL "}",
            NULL, LIST),
        ROW("one is wrong",
            PATCH("[" ALPHA_WITH("\"title\":\"x\"") "," ALPHA_WITH("\"order\":\"x\"") "]"), 400,
            "{\"1\":{\"order\":[\"A valid integer is required.\"]}}", NULL, LIST),
        ROW("one is not there",
            PATCH("[" ALPHA_WITH("\"title\":\"x\"") ",{" URL(
                "{gone}") ",\"title\":\"y\"}," ALPHA_WITH("\"title\":\"z\"") "]"),
            404, "{\"1\":{\"detail\":\"Not found.\"}}", NULL, LIST),
        ROW("one is wrong, as a problem",
            SEND("PATCH", "/todos", PROBLEM, "application/json",
                 "[{" URL("{id}") "}," ALPHA_WITH("\"order\":\"x\"") "]"),
            400,
            SAYS("Bad Request", "400") "\",\"detail\":\"What was sent is not valid.\","
                                       "\"errors\":[{\"pointer\":\"#/1/order\","
                                       "\"detail\":\"A valid integer is required.\"}]}",
            NULL, LIST),
        ROW("one is not there, as a problem",
            SEND("PATCH", "/todos", PROBLEM, "application/json",
                 "[{" URL("{id}") "},{" URL("{gone}") "}]"),
            404,
            SAYS("Not Found",
                 "404") "\",\"detail\":\"Not found.\","
                        "\"errors\":[{\"pointer\":\"#/1\",\"detail\":\"Not found.\"}]}",
            NULL, LIST),
        ROW("another state than asked for",
            SEND("PATCH", "/todos", "If-Match: \"x\"\r\n", "application/json",
                 "[" ALPHA_WITH("\"title\":\"x\"") "]"),
            412, NULL, NULL, LIST),
        ROW("any state",
            SEND("PATCH", "/todos", "If-Match: *\r\n", "application/json",
                 "[" ALPHA_WITH("\"order\":1") "]"),
            200, LIST, NULL, LIST),
    };

    exchange_run(&server, rows, COUNT(rows));
}

/* ---- a thousand ---- */

/* [{"title":"PREFIX 0","order":0},...], with the urls of the todos if they are given. */
static void write_array(struct buffer *out, const char *prefix, const json_t *todos)
{
    buffer_clear(out);
    for (size_t i = 0; i < MOST; i++) {
        const char *url = json_string_value(json_object_get(json_array_get(todos, i), "url"));

        buffer_append_text(out, i == 0 ? "[{" : ",{");
        if (url)
            buffer_append_format(out, "\"url\":\"%s\",", url);
        buffer_append_format(out, "\"title\":\"%s %zu\",\"order\":%zu}", prefix, i, i);
    }
    buffer_append_char(out, ']');
}

/* How many todos of the list have the title "PREFIX N", each with its own order N. */
static int count_titles(const json_t *list, const char *prefix)
{
    size_t i;
    int count = 0;
    const json_t *todo;

    json_array_foreach(list, i, todo)
    {
        const char *title = json_string_value(json_object_get(todo, "title"));
        json_int_t order = json_integer_value(json_object_get(todo, "order"));
        char wanted[64];

        snprintf(wanted, sizeof wanted, "%s %lld", prefix, (long long)order);
        count += title && strcmp(title, wanted) == 0;
    }
    return count;
}

static int send_array(const char *method, const char *headers, const struct buffer *body,
                      json_t **answer)
{
    struct client_response response = {0};
    const struct client_request request = {.method = method,
                                           .path = "/todos",
                                           .headers = headers,
                                           .type = "application/json",
                                           .body = body->data};

    client_ask(server.port, &request, &response);
    *answer = json_loads(client_body(&response), 0, NULL);
    int status = response.status;
    client_response_release(&response);
    return status;
}

static json_t *list_todos(void)
{
    struct client_response response = {0};
    json_t *list;

    get(&server, "/todos", &response);
    list = json_loads(client_body(&response), 0, NULL);
    client_response_release(&response);
    return list;
}

static void test_a_thousand_is_the_most(void)
{
    static const struct {
        const char *name;
        const char *method;
        unsigned count; /* of `{}` before the last element */
        const char *last;
        int status;
        const char *says;
    } rows[] = {
        {"the last is wrong",       "POST",  999,  "{\"order\":2147483648}", 400,
         "{\"999\":{\"order\":[\"Ensure"                                                                 },
        {"a thousand and one",      "POST",  1000, "{}",                     400, TOO_MANY               },
        {"a thousand and one",      "PATCH", 1000, "{}",                     400, TOO_MANY               },
        {"each is wrong",           "PATCH", 999,  "{}",                     400, "\"999\":" REQUIRED "}"},
        {"a thousand, one is none", "POST",  999,  "1",                      400, LIST_EXPECTED          },
        {"a thousand, one is none", "PATCH", 999,  "1",                      405, NOT_ALLOWED("PATCH")   },
    };
    struct client_response response = {0};
    struct buffer body = {0};

    clear_todos(&server);
    for (size_t i = 0; i < COUNT(rows); i++) {
        buffer_clear(&body);
        buffer_append_char(&body, '[');
        for (unsigned j = 0; j < rows[i].count; j++)
            buffer_append_text(&body, "{},");
        buffer_append_format(&body, "%s]", rows[i].last);
        send_json(&server, rows[i].method, "/todos", body.data, &response);
        CHECK_NUMBER(rows[i].name, rows[i].method, rows[i].status, response.status);
        CHECK_CONTAINS(rows[i].name, rows[i].method, rows[i].says, client_body(&response));
    }
    CHECK_NUMBER("afterwards", "todos", 0, count_todos(&server));
    buffer_release(&body);
    client_response_release(&response);
}

static void test_a_thousand_are_created_and_changed(void)
{
    static const char key[] = "Idempotency-Key: thousand\r\n";
    struct buffer body = {0};
    json_t *created;
    json_t *answer;
    json_t *list;
    uint64_t began;
    uint64_t together;

    clear_todos(&server);
    write_array(&body, "new", NULL);
    CHECK_NUMBER("POST", "status", 201, send_array("POST", key, &body, &created));
    CHECK_NUMBER("POST", "todos in the answer", MOST, count_titles(created, "new"));
    list = list_todos();
    CHECK(json_equal(created, list), "POST", "the answer is not the list afterwards");
    json_decref(list);
    CHECK_NUMBER("again", "status", 201, send_array("POST", key, &body, &answer));
    CHECK(json_equal(created, answer), "again", "another answer");
    json_decref(answer);
    write_array(&body, "other", NULL);
    CHECK_NUMBER("another array", "status", 422, send_array("POST", key, &body, &answer));
    json_decref(answer);

    write_array(&body, "old", created);
    began = clock_now();
    CHECK_NUMBER("PATCH", "status", 200, send_array("PATCH", NULL, &body, &answer));
    together = clock_now() - began;
    CHECK_NUMBER("PATCH", "todos in the answer", MOST, count_titles(answer, "old"));
    list = list_todos();
    CHECK(json_equal(answer, list), "PATCH", "the answer is not the list afterwards");
    json_decref(list);
    json_decref(answer);

    began = clock_now();
    for (size_t i = 0; i < MOST; i++) {
        const char *url = json_string_value(json_object_get(json_array_get(created, i), "url"));
        struct client_response response = {0};

        patch_todo(&server, id_of_url(url), "{\"title\":\"one by one\"}", &response);
        client_response_release(&response);
    }
    printf("\n    %d changes: %.1f ms together, %.1f ms one after another\n    ", MOST,
           (double)together / 1000, (double)(clock_now() - began) / 1000);
    json_decref(created);
    buffer_release(&body);
}

/* Long titles: more than one packet of the least size that a server takes, and of one that this
 * program does. */
static void test_long_titles_take_several_statements(void)
{
    struct buffer body = {0};
    json_t *created;
    json_t *list;

    clear_todos(&server);
    for (size_t i = 0; i < MOST; i++) {
        buffer_append_text(&body, i == 0 ? "[" : ",");
        buffer_append_text(&body, "{\"title\":\"");
        for (size_t j = 0; j < 256; j++)
            buffer_append_text(&body, "\xf0\x9f\x8d\xa3");
        buffer_append_text(&body, "\"}");
        if (body.size > 1000000) /* of HTTP_BODY_LIMIT */
            break;
    }
    buffer_append_char(&body, ']');
    CHECK_NUMBER("long", "status", 201, send_array("POST", NULL, &body, &created));
    list = list_todos();
    CHECK(json_array_size(list) > 900 && json_equal(created, list), "long", "%zu todos",
          json_array_size(list));
    json_decref(list);
    json_decref(created);
    buffer_release(&body);
}

/* ---- all or none ---- */

/* The database refuses one of them; the todo beside it, which came at the same time, is made.
 */
static void test_what_the_database_refuses_refuses_all(void)
{
    struct client_response response = {0};
    MYSQL *other;

    if (test_database == TEST_SQLITE)
        return;
    clear_todos(&server);
    other = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    mariadb_run(other,
                "ALTER TABLE todo_todoitem ADD CONSTRAINT no_bad CHECK (title <> 'bad')");
    send_json(&server, "POST", "/todos", "[{\"title\":\"a\"},{\"title\":\"bad\"},{}]",
              &response);
    CHECK_NUMBER("refused", "status", 400, response.status);
    CHECK_NUMBER("refused", "todos", 0, count_todos(&server));
    mariadb_run(other, "ALTER TABLE todo_todoitem DROP CONSTRAINT no_bad");
    if (other)
        mysql_close(other);
    client_response_release(&response);
}

#define TROUBLE 2000000U /* microseconds */

static atomic_bool is_over;

/* Changes single todos meanwhile: "single N". */
static void *change_singles(void *context)
{
    const unsigned *ids = context;
    struct client_response response = {0};

    for (unsigned i = 0; !is_over; i++) {
        patch_todo(&server, ids[i % 4], "{\"completed\":true}", &response);
        clock_sleep(1000);
    }
    client_response_release(&response);
    return NULL;
}

/* Every look at the list sees the titles of one array only. */
static bool is_whole(const json_t *list)
{
    const char *first = json_string_value(json_object_get(json_array_get(list, 0), "title"));
    size_t i;
    const json_t *todo;

    json_array_foreach(list, i, todo)
    {
        const char *title = json_string_value(json_object_get(todo, "title"));

        if (!first || !title || strcmp(first, title) != 0)
            return false;
    }
    return json_array_size(list) == 4;
}

static void *look(void *context)
{
    const char **wrong = context;

    while (!is_over && !*wrong) {
        json_t *list = list_todos();

        if (json_is_array(list) && !is_whole(list))
            *wrong = "a list shows a part of an array";
        json_decref(list);
    }
    return NULL;
}

static void write_change(struct buffer *body, const unsigned *ids, unsigned number)
{
    buffer_clear(body);
    for (size_t i = 0; i < 4; i++)
        buffer_append_format(body, "%s{\"url\":\"/todos/%u\",\"title\":\"t%u\"}",
                             i == 0 ? "[" : ",", ids[i], number);
    buffer_append_char(body, ']');
}

/* While the line to the database is cut at the COMMIT, before and behind it. */
static void test_no_one_sees_a_part_of_an_array(void)
{
    static const enum relay_fault faults[] = {RELAY_CUT_COMMIT, RELAY_CUT_COMMITTED};
    unsigned ids[4];
    unsigned done = 0;
    unsigned unknown = 0;
    const char *wrong = NULL;
    struct buffer body = {0};
    pthread_t threads[2];
    uint64_t deadline;

    clear_todos(&server);
    for (size_t i = 0; i < 4; i++)
        ids[i] = create_todo(&server, "{\"title\":\"t\"}");
    is_over = false;
    if (pthread_create(&threads[0], NULL, change_singles, ids) != 0 ||
        pthread_create(&threads[1], NULL, look, &wrong) != 0)
        abort();
    deadline = clock_now() + TROUBLE;
    for (unsigned number = 0; clock_now() < deadline; number++) {
        json_t *answer;
        int status;

        if (relay)
            relay_set(relay, (struct relay_rule){.fault = number % 8 < 2 ? faults[number % 2]
                                                                         : RELAY_SOUND});
        write_change(&body, ids, number);
        status = send_array("PATCH", NULL, &body, &answer);
        CHECK(status == 200 || (relay && status == 503), "PATCH", "status %d", status);
        done += status == 200;
        unknown += status == 503;
        json_decref(answer);
    }
    is_over = true;
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK(!wrong, "list", "%s", wrong);
    CHECK(done > 5 && (!relay || unknown > 0), "trouble", "%u done, %u not", done, unknown);
    buffer_release(&body);
}

CU_TestInfo many_tests[] = {
    TEST(test_arrays_are_created_or_refused_as_a_whole),
    TEST(test_arrays_of_changes_are_made_or_refused_as_a_whole),
    TEST(test_a_thousand_is_the_most),
    TEST(test_a_thousand_are_created_and_changed),
    TEST(test_long_titles_take_several_statements),
    TEST(test_what_the_database_refuses_refuses_all),
    TEST(test_no_one_sees_a_part_of_an_array),
    CU_TEST_INFO_NULL,
};
