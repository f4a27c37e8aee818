/*
 * Pages of the list: whatever the order, the filter and the size of the pages, their links lead
 * once past each todo, forwards and backwards, also while others are added and removed.
 */

#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TODOS 37
#define MOST  120

static struct server server;

int paging_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int paging_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

/* ---- what there is, as the test knows it ---- */

struct known {
    unsigned id;
    bool completed;
    bool has_order;
    int order;
};

static struct known todos[TODOS];

static struct known make_todo(unsigned i)
{
    struct known todo = {.completed = i % 3 == 0, .has_order = i % 4 > 0};
    char json[96];

    todo.order = todo.has_order ? (int)(i * 7 % 5) - 2 : 0;
    (void)snprintf(json, sizeof(json), "{\"title\":\"t\",\"completed\":%s,\"order\":%.*s%.*d}",
                   todo.completed ? "true" : "false", todo.has_order ? 0 : 4, "null",
                   todo.has_order ? 1 : 0, todo.order);
    todo.id = create_todo(&server, json);
    return todo;
}

static void make_todos(void)
{
    clear_todos(&server);
    for (unsigned i = 0; i < TODOS; i++)
        todos[i] = make_todo(i);
}

static const char *compared_by; /* an ordering; qsort passes nothing on */

static long value_of(const struct known *todo, const char *name)
{
    if (strncmp(name, "completed", 9) == 0)
        return todo->completed;
    if (strncmp(name, "order", 5) == 0)
        return todo->has_order ? todo->order : -1000;
    return todo->id;
}

static int compare(const void *left, const void *right)
{
    bool descends = false;

    for (const char *name = compared_by; name; name = strchr(name, ',')) {
        name += *name == ',';
        descends = *name == '-';
        name += descends;
        long one = value_of(left, name);
        long other = value_of(right, name);
        if (one != other)
            return (one > other) != descends ? 1 : -1;
    }
    return (((const struct known *)left)->id > ((const struct known *)right)->id) != descends
               ? 1
               : -1;
}

/* ---- walks ---- */

struct walk {
    unsigned ids[MOST];
    size_t count;
    size_t pages;
};

/* Ids of the page, added at the end or, page before page, at the start. */
static void add_page(struct walk *walk, const char *body, bool in_front)
{
    unsigned ids[MOST];
    size_t count = 0;

    for (const char *url = body; (url = strstr(url, "/todos/")) && count < MOST; url++)
        ids[count++] = (unsigned)strtoul(url + strlen("/todos/"), NULL, 10);
    if (walk->count + count > MOST) {
        CHECK(false, "walk", "more todos than there are");
        return;
    }
    memmove(walk->ids + (in_front ? count : 0), walk->ids, walk->count * sizeof(*ids));
    memcpy(walk->ids + (in_front ? 0 : walk->count), ids, count * sizeof(*ids));
    walk->count += count;
    walk->pages++;
}

/* The target of a link of this relation; false without one. */
static bool find_link(const struct client_response *response, const char *relation,
                      struct buffer *target)
{
    const char *links = client_header(response, "Link");
    char wanted[32];
    const char *end;

    (void)snprintf(wanted, sizeof(wanted), ">; rel=\"%s\"", relation);
    end = links ? strstr(links, wanted) : NULL;
    if (!end)
        return false;
    const char *start = end;
    while (start > links && *start != '<')
        start--;
    start = strstr(start, "/todos");
    buffer_clear(target);
    buffer_append(target, start, (size_t)(end - start));
    return true;
}

/* Follows the links, from the target on; leaves the last page's target in it. `visit` is called
 * between pages. */
static void follow(struct buffer *target, const char *relation, struct walk *walk,
                   void (*visit)(const struct walk *walk))
{
    struct client_response response = {0};
    bool is_backward = strcmp(relation, "prev") == 0;

    do {
        int status = get(&server, target->data, &response);

        if (!CHECK(status == 200, target->data, "status %d %s", status, client_body(&response)))
            break;
        add_page(walk, client_body(&response), is_backward);
        if (visit)
            visit(walk);
    } while (walk->pages < MOST && find_link(&response, relation, target));
    client_response_release(&response);
}

/* ---- tests ---- */

static const char *const orderings[] = {
    "id",
    "-id",
    "order",
    "-order",
    "order,-id",
    "-order,id",
    "completed",
    "-completed",
    "completed,-id",
    "completed,order",
    "-completed,-order",
    "completed,-order,id",
    "-completed,order,-id",
    "order,completed",
    "-order,completed,-id",
    "order,-completed,id",
};

static const char *const filters[] = {"", "&completed=true", "&completed=false"};

static size_t expect(const char *ordering, size_t filter, struct known *wanted)
{
    size_t count = 0;

    for (size_t i = 0; i < TODOS; i++)
        if (filter == 0 || todos[i].completed == (filter == 1))
            wanted[count++] = todos[i];
    compared_by = ordering;
    qsort(wanted, count, sizeof(*wanted), compare);
    return count;
}

static void check_walk(const char *row, const struct walk *walk, const struct known *wanted,
                       size_t count, size_t limit)
{
    CHECK_NUMBER(row, "todos", (long)count, (long)walk->count);
    CHECK_NUMBER(row, "pages", (long)((count + limit - 1) / limit), (long)walk->pages);
    for (size_t i = 0; i < count && i < walk->count; i++)
        if (!CHECK(wanted[i].id == walk->ids[i], row, "place %zu: wanted %u, got %u", i,
                   wanted[i].id, walk->ids[i]))
            return;
}

static void check_pages(const char *ordering, size_t filter, size_t limit)
{
    struct known wanted[TODOS];
    size_t count = expect(ordering, filter, wanted);
    struct buffer target = {0};
    struct walk forwards = {0};
    struct walk backwards = {0};

    buffer_append_format(&target, "/todos?limit=%zu&ordering=%s%s", limit, ordering,
                         filters[filter]);
    char row[160];
    (void)snprintf(row, sizeof(row), "%s", target.data);
    follow(&target, "next", &forwards, NULL);
    check_walk(row, &forwards, wanted, count, limit);
    /* back from behind the last one: the pages begin elsewhere, the todos are the same */
    follow(&target, "prev", &backwards, NULL);
    check_walk(row, &backwards, wanted, count, limit);
    buffer_release(&target);
}

static void test_links_lead_past_each_todo(void)
{
    make_todos();
    for (size_t i = 0; i < COUNT(orderings); i++)
        for (size_t filter = 0; filter < COUNT(filters); filter++) {
            check_pages(orderings[i], filter, 1);
            check_pages(orderings[i], filter, 5);
            check_pages(orderings[i], filter, 50);
        }
}

static void test_without_a_limit_all_come(void)
{
    struct client_response response = {0};

    make_todos();
    for (size_t i = 0; i < COUNT(orderings); i++)
        for (size_t filter = 0; filter < COUNT(filters); filter++) {
            struct known wanted[TODOS];
            size_t count = expect(orderings[i], filter, wanted);
            struct walk walk = {0};
            char path[128];

            (void)snprintf(path, sizeof(path), "/todos?ordering=%s%s", orderings[i],
                           filters[filter]);
            get(&server, path, &response);
            CHECK_TEXT(path, "links", NULL, client_header(&response, "Link"));
            add_page(&walk, client_body(&response), false);
            check_walk(path, &walk, wanted, count, TODOS);
        }
    client_response_release(&response);
}

/* Removes the todo that was seen last, which the next page begins behind, and adds two. */
static void disturb(const struct walk *walk)
{
    struct client_response response = {0};
    char path[32];

    (void)snprintf(path, sizeof(path), "/todos/%u", walk->ids[walk->count - 1]);
    client_ask(server.port, &(struct client_request){.method = "DELETE", .path = path},
               &response);
    client_response_release(&response);
    (void)make_todo((unsigned)walk->pages);
    (void)make_todo((unsigned)walk->pages + 1);
}

static void test_others_come_and_go_meanwhile(void)
{
    static const char *const finite[] = {"-id", "order", "-order", "order,-id",
                                         "completed,order"};

    for (size_t i = 0; i < COUNT(finite); i++) {
        struct buffer target = {0};
        struct walk walk = {0};

        make_todos();
        buffer_append_format(&target, "/todos?limit=4&ordering=%s", finite[i]);
        follow(&target, "next", &walk, disturb);
        for (size_t t = 0; t < TODOS; t++) {
            int seen = 0;
            for (size_t w = 0; w < walk.count; w++)
                seen += walk.ids[w] == todos[t].id;
            CHECK(seen == 1, finite[i], "todo %u was seen %d times", todos[t].id, seen);
        }
        for (size_t w = 0; w < walk.count; w++)
            for (size_t x = 0; x < w; x++)
                CHECK(walk.ids[w] != walk.ids[x], finite[i], "todo %u twice", walk.ids[w]);
        buffer_release(&target);
    }
}

static void test_search(void)
{
    static const char *const titles[] = {"100% sure", "Milk",      "a_b",  "it's \\n",
                                         "ab!",       "buy MILK ", "a!_%", "null"};
    static const struct {
        const char *search;
        const char *found; /* by place in titles */
    } rows[] = {
        {"milk",          "15"      },
        {"MILK",          "15"      },
        {"k",             "15"      },
        {"%25",           "06"      },
        {"0%25+s",        "0"       },
        {"_",             "26"      },
        {"%5C",           "3"       },
        {"%5Cn",          "3"       },
        {"'",             "3"       },
        {"!",             "46"      },
        {"!_",            "6"       },
        {"%25%25",        ""        },
        {"a_b",           "2"       },
        {"'+OR+1=1+--+x", ""        },
        {"null",          "7"       },
        {"",              "01234567"},
    };
    struct client_response response = {0};
    unsigned ids[COUNT(titles)];

    clear_todos(&server);
    for (size_t i = 0; i < COUNT(titles); i++) {
        struct buffer json = {0};

        buffer_append_text(&json, "{\"title\":");
        buffer_append_json(&json, titles[i], strlen(titles[i]));
        buffer_append_char(&json, '}');
        ids[i] = create_todo(&server, json.data);
        buffer_release(&json);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[96];
        struct walk walk = {0};

        (void)snprintf(path, sizeof(path), "/todos?limit=50&search=%s", rows[i].search);
        CHECK_NUMBER(path, "status", 200, get(&server, path, &response));
        add_page(&walk, client_body(&response), false);
        CHECK_NUMBER(path, "todos", (long)strlen(rows[i].found), (long)walk.count);
        for (size_t w = 0; w < walk.count && rows[i].found[w]; w++)
            CHECK_NUMBER(path, "todo", ids[rows[i].found[w] - '0'], walk.ids[w]);
    }
    client_response_release(&response);
}

#define LINK "<http://{host}/todos?limit=1>; rel=\"first\""

static void test_answers(void)
{
    static const struct exchange rows[] = {
        ROW("a page", GET("/todos?limit=1"), 200, LIST, "Link: " LINK "\n", NULL),
        ROW("HEAD", ASK("HEAD", "/todos?limit=1"), 200, "", "Link: " LINK "\n", NULL),
        ROW("no parameter of ours", GET("/todos?page=2&limits=x"), 200, LIST, "Link:\n", NULL),
        ROW("pages that are counted", GET("/todos?page=2&limit=1"), 200, LIST, "Link:\n", NULL),
        ROW("todos that are passed over", GET("/todos?limit=1&offset=1&ordering=-id&search=x"),
            200, LIST, "Link:\n", NULL),
        ROW("an empty page", GET("/todos?limit=1&completed=true"), 200, "[]",
            "Link: <http://{host}/todos?limit=1&completed=true>; rel=\"first\"\n", NULL),
        ROW("of a format", GET("/todos.json?limit=1&x=y"), 200, LIST,
            "Link: <http://{host}/todos.json?limit=1>; rel=\"first\"\n", NULL),
        ROW("of a format in the query", GET("/todos?limit=1&format=json"), 200, LIST,
            "Link: <http://{host}/todos?format=json&limit=1>; rel=\"first\"\n", NULL),
        ROW("for people", ACCEPT("/todos?limit=1", "text/html"), 200, "<!doctype html>...",
            NULL, NULL),
        ROW("a bad value", GET("/todos?limit=0"), 400,
            "{\"limit\":[\"Ensure this value is greater than or equal to 1.\"]}", "Link:\n",
            LIST),
        ROW("a bad value for HEAD", ASK("HEAD", "/todos?ordering=x"), 400, "", NULL, LIST),
        ROW("not of POST", JSON("POST", "/todos?limit=x", "{}"), 201, NULL, NULL, NULL),
        ROW("not of DELETE", ASK("DELETE", "/todos?limit=x"), 204, "", NULL, "[]"),
        ROW("not of an item", GET("/todos/{id}?limit=x"), 200, ALPHA, NULL, NULL),
        ROW("a place that no todo of the filter has",
            GET("/todos?ordering=completed&completed=false&after=1,1"), 200, "[]", NULL, NULL),
        ROW("a place of numbers beyond the columns'",
            GET("/todos?ordering=order&after=9223372036854775807,-9223372036854775808"), 200,
            "[]", NULL, NULL),
    };

    exchange_run(&server, rows, COUNT(rows));
}

static void test_a_page_has_links_to_follow(void)
{
    struct client_response response = {0};

    make_todos();
    client_ask(server.port,
               &(struct client_request){.path = "/todos?limit=5&ordering=order",
                                        .headers = "Accept: text/html\r\n"},
               &response);
    CHECK_CONTAINS("page", "a link",
                   "/todos?limit=5&amp;ordering=order,id&amp;after=", client_body(&response));
    CHECK_CONTAINS("page", "its relation", "</a>&gt;; rel=&quot;next&quot;",
                   client_body(&response));
    client_response_release(&response);
}

CU_TestInfo paging_tests[] = {
    TEST(test_links_lead_past_each_todo),
    TEST(test_without_a_limit_all_come),
    TEST(test_others_come_and_go_meanwhile),
    TEST(test_search),
    TEST(test_answers),
    TEST(test_a_page_has_links_to_follow),
    CU_TEST_INFO_NULL,
};
