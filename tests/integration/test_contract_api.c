/*
 * The API's contract but for the bodies it takes: routes and methods, negotiation, addresses,
 * headers, metadata, CORS.
 */

#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct server server;

int contract_api_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int contract_api_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

#define RUN(rows) exchange_run(&server, rows, COUNT(rows))

#define TYPE_JSON  "Content-Type: application/json\n"
#define ALLOW_ROOT "Allow: GET, HEAD, OPTIONS\n"
#define ALLOW_LIST "Allow: GET, POST, DELETE, HEAD, OPTIONS\n"
#define ALLOW_ITEM "Allow: GET, PUT, PATCH, DELETE, HEAD, OPTIONS\n"
#define SECURE                                                                                 \
    "X-Frame-Options: DENY\nX-Content-Type-Options: nosniff\nReferrer-Policy: same-origin\n"
#define COMMON "Vary: Accept, Origin\nCache-Control: no-cache\n" SECURE

static void test_list_and_item_have_the_contract_s_form_and_headers(void)
{
    static const struct exchange rows[] = {
        ROW("root", GET("/"), 200, "{\"todos\":\"http://{host}/todos\"}",
            TYPE_JSON ALLOW_ROOT COMMON "Location:\nAccess-Control-Allow-Origin:\n", LIST),
        ROW("list", GET("/todos"), 200, LIST, TYPE_JSON ALLOW_LIST COMMON "Location:\n", LIST),
        ROW("item", GET("/todos/{id}"), 200, ALPHA, TYPE_JSON ALLOW_ITEM COMMON, LIST),
        ROW("gone item", GET("/todos/{gone}"), 404, NOT_FOUND, TYPE_JSON ALLOW_ITEM COMMON,
            LIST),
        ROW("query is ignored", GET("/todos?page=2&offset=0&done=true&_method=DELETE"), 200,
            LIST, NULL, LIST),
        ROW("empty query", GET("/todos?"), 200, LIST, NULL, NULL),
        ROW("cookies, conditions and credentials are ignored",
            WITH("/todos",
                 "Cookie: sessionid=x\r\nIf-None-Match: *\r\nRange: bytes=0-1\r\n"
                 "If-Modified-Since: Wed, 21 Oct 2037 07:28:00 GMT\r\n"
                 "Authorization: Basic Zm9vOmJhcg==\r\nAccept-Encoding: gzip, br\r\n"),
            200, LIST, "Set-Cookie:\nContent-Encoding:\n" TYPE_JSON, NULL),
        ROW("a body on GET is not read", JSON("GET", "/todos", "{"), 200, LIST, NULL, LIST),
    };
    RUN(rows);
}

static void test_create_update_and_delete_answer_as_they_should(void)
{
    static const struct exchange rows[] = {
        ROW("create",
            JSON("POST", "/todos", "{\"title\":\"x\",\"completed\":true,\"order\":7}"), 201,
            "{\"url\":\"http://{host}/todos/"
            "{new}\",\"title\":\"x\",\"completed\":true,\"order\":"
            "7}",
            TYPE_JSON ALLOW_LIST COMMON "Location: http://{host}/todos/{new}\n",
            "[" ALPHA
            ",{\"url\":\"http://{host}/todos/{new}\",\"title\":\"x\",\"completed\":true,"
            "\"order\":7}]"),
        ROW("create from nothing", ASK("POST", "/todos"), 201,
            "{\"url\":\"http://{host}/todos/"
            "{new}\",\"title\":null,\"completed\":false,\"order\":"
            "null}",
            "Location: http://{host}/todos/{new}\n", NULL),
        ROW("put", JSON("PUT", "/todos/{id}", "{\"title\":\"y\"}"), 200,
            "{\"url\":\"http://{host}/todos/"
            "{id}\",\"title\":\"y\",\"completed\":false,\"order\":1"
            "}",
            TYPE_JSON ALLOW_ITEM COMMON "Location:\n", NULL),
        ROW("patch", JSON("PATCH", "/todos/{id}", "{\"completed\":true}"), 200,
            "{\"url\":\"http://{host}/todos/{id}\",\"title\":\"alpha\",\"completed\":true,"
            "\"order\":1}",
            TYPE_JSON ALLOW_ITEM COMMON "Location:\n", NULL),
        ROW("patch of equal values", JSON("PATCH", "/todos/{id}", "{\"title\":\"alpha\"}"), 200,
            ALPHA, NULL, LIST),
        ROW("patch of nothing", JSON("PATCH", "/todos/{id}", "{}"), 200, ALPHA, NULL, LIST),
        ROW("delete an item", ASK("DELETE", "/todos/{id}"), 204, "",
            "Content-Type:\n" ALLOW_ITEM COMMON, "[]"),
        ROW("delete all", ASK("DELETE", "/todos"), 204, "", "Content-Type:\n" ALLOW_LIST COMMON,
            "[]"),
        ROW("delete all ignores query and body", JSON("DELETE", "/todos?completed=true", "{"),
            204, "", NULL, "[]"),
        ROW("delete what is gone", ASK("DELETE", "/todos/{gone}"), 404, NOT_FOUND, TYPE_JSON,
            LIST),
        ROW("put what is gone", JSON("PUT", "/todos/{gone}", "{}"), 404, NOT_FOUND, NULL, LIST),
        ROW("patch what is gone", JSON("PATCH", "/todos/{gone}", "{}"), 404, NOT_FOUND, NULL,
            LIST),
    };
    RUN(rows);
}

static void test_list_is_in_order_of_id_and_ids_are_never_reused(void)
{
    struct client_response response = {0};
    char wanted[512];
    clear_todos(&server);
    unsigned first = create_todo(&server, "{\"title\":\"z\",\"order\":9}");
    unsigned second = create_todo(&server, "{\"title\":\"a\",\"order\":1}");
    patch_todo(&server, first, "{\"order\":10}", &response);
    get(&server, "/todos", &response);
    snprintf(wanted, sizeof wanted,
             "[{\"url\":\"http://127.0.0.1:%u/todos/%u\",\"title\":\"z\",\"completed\":false,"
             "\"order\":10},{\"url\":\"http://127.0.0.1:%u/todos/%u\",\"title\":\"a\","
             "\"completed\":false,\"order\":1}]",
             server.port, first, server.port, second);
    CHECK_TEXT("list", "body", wanted, client_body(&response));
    clear_todos(&server);
    unsigned third = create_todo(&server, "{}");
    CHECK(third > second && second > first, "ids", "%u, %u and, after a clear, %u", first,
          second, third);
    client_response_release(&response);
}

static void test_each_method_on_each_route(void)
{
    static const struct exchange rows[] = {
        ROW("POST /", JSON("POST", "/", "{}"), 405, NOT_ALLOWED("POST"), ALLOW_ROOT COMMON,
            LIST),
        ROW("PUT /", JSON("PUT", "/", "{}"), 405, NOT_ALLOWED("PUT"), ALLOW_ROOT, LIST),
        ROW("PATCH /", JSON("PATCH", "/", "{}"), 405, NOT_ALLOWED("PATCH"), ALLOW_ROOT, LIST),
        ROW("DELETE /", ASK("DELETE", "/"), 405, NOT_ALLOWED("DELETE"), ALLOW_ROOT, LIST),
        ROW("PUT /todos", JSON("PUT", "/todos", "{"), 405, NOT_ALLOWED("PUT"), ALLOW_LIST,
            LIST),
        ROW("PATCH /todos", JSON("PATCH", "/todos", "{}"), 405, NOT_ALLOWED("PATCH"),
            ALLOW_LIST, LIST),
        ROW("POST item", JSON("POST", "/todos/{id}", "{}"), 405, NOT_ALLOWED("POST"),
            ALLOW_ITEM, LIST),
        ROW("POST missing item", JSON("POST", "/todos/999999999", "{}"), 405,
            NOT_ALLOWED("POST"), ALLOW_ITEM, LIST),
        ROW("POST no id", JSON("POST", "/todos/abc", "{}"), 405, NOT_ALLOWED("POST"),
            ALLOW_ITEM, LIST),
        ROW("FOO /", ASK("FOO", "/"), 405, NOT_ALLOWED("FOO"), ALLOW_ROOT, LIST),
        ROW("FOO list", ASK("FOO", "/todos"), 405, NOT_ALLOWED("FOO"), ALLOW_LIST TYPE_JSON,
            LIST),
        ROW("LINK item", ASK("LINK", "/todos/{id}"), 405, NOT_ALLOWED("LINK"), ALLOW_ITEM,
            LIST),
        ROW("PROPFIND list", ASK("PROPFIND", "/todos"), 405, NOT_ALLOWED("PROPFIND"), NULL,
            LIST),
        ROW("TRACE list", ASK("TRACE", "/todos"), 405, NOT_ALLOWED("TRACE"), ALLOW_LIST, LIST),
        ROW("lower-case method works", ASK("get", "/todos"), 200, LIST, NULL, LIST),
        ROW("lower-case method is shown in upper case", ASK("foo", "/todos"), 405,
            NOT_ALLOWED("FOO"), NULL, LIST),
        ROW("method override is ignored",
            ASK_WITH("POST", "/todos/{id}", "X-HTTP-Method-Override: DELETE\r\n"), 405,
            NOT_ALLOWED("POST"), NULL, LIST),
    };
    RUN(rows);
}

static void test_paths(void)
{
    static const struct exchange rows[] = {
        ROW("escaped letter", GET("/%74odos"), 200, LIST, NULL, NULL),
        ROW("escaped slash", GET("/todos%2F{id}"), 200, ALPHA, NULL, NULL),
        ROW("dot segment", GET("/./todos"), 200, LIST, NULL, NULL),
        ROW("slash after the list", GET("/todos/"), 404, NOT_FOUND, "Allow:\n", NULL),
        ROW("slash after the item", GET("/todos/{id}/"), 404, NOT_FOUND, "Allow:\n", NULL),
        ROW("delete with a slash", ASK("DELETE", "/todos/"), 404, NULL, "Allow:\n", LIST),
        ROW("post with a slash", JSON("POST", "/todos/", "{}"), 404, NULL, NULL, LIST),
        ROW("upper case", GET("/Todos"), 404, NOT_FOUND, "Allow:\n", NULL),
        ROW("unknown", GET("/nope"), 404, NOT_FOUND, TYPE_JSON "Allow:\n", NULL),
        ROW("unknown, any method", ASK("FOO", "/nope"), 404, NULL, "Allow:\n", NULL),
        ROW("unknown, OPTIONS", ASK("OPTIONS", "/nope"), 404, NULL, "Allow:\n", NULL),
        ROW("deeper", GET("/todos/{id}/x"), 404, NOT_FOUND, "Allow:\n", NULL),
        ROW("longer", GET("/todosx"), 404, NOT_FOUND, "Allow:\n", NULL),
        ROW("admin", GET("/admin/"), 404, NOT_FOUND, NULL, NULL),
        ROW("leading zeros", GET("/todos/00{id}"), 200, ALPHA, NULL, NULL),
        ROW("zero", GET("/todos/0"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("negative", GET("/todos/-1"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("plus sign", GET("/todos/+{id}"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("blank", GET("/todos/%20{id}"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("line end", GET("/todos/{id}%0A"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("words", GET("/todos/abc"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("digits and words", ASK("DELETE", "/todos/{id}x"), 404, NOT_FOUND, ALLOW_ITEM,
            LIST),
        ROW("underscore", GET("/todos/{id}_"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("other digits", GET("/todos/%D9%A1"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("not UTF-8", GET("/todos/%ff"), 404, NULL, NULL, NULL),
        ROW("over 31 bits", GET("/todos/2147483648"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("over 32 bits", ASK("DELETE", "/todos/4294967297"), 404, NOT_FOUND, NULL, LIST),
        ROW("over 64 bits", JSON("PUT", "/todos/18446744073709551617", "{}"), 404, NOT_FOUND,
            NULL, LIST),
        ROW("1500 digits", GET("/todos/{1*1500}"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("bad escape", GET("/todos/%zz"), 404, NULL, NULL, NULL),
        ROW("slash %2F%2F", GET("/todos%2F%2F{id}"), 404, NULL, NULL, NULL),
    };
    RUN(rows);
}

static void check_page(const char *target, const char *headers, int status, const char *part)
{
    struct client_response response = {0};
    client_ask(server.port, &(struct client_request)WITH(target, headers), &response);
    const char *type = client_header(&response, "Content-Type");
    CHECK_NUMBER(target, "status", status, response.status);
    CHECK(type && strncmp(type, "text/html", 9) == 0, target, "Content-Type is %s",
          type ? type : "missing");
    CHECK_CONTAINS(target, "page", part, client_body(&response));
    client_response_release(&response);
}

static void test_errors_are_pages_for_browsers_and_json_for_the_rest(void)
{
    static const struct exchange rows[] = {
        ROW("any", ACCEPT("/nope", "*/*"), 404, NOT_FOUND, TYPE_JSON, NULL),
        ROW("nothing that we have", ACCEPT("/nope", "image/png"), 404, NULL, NULL, NULL),
        ROW("from another origin", WITH("/nope", "Origin: http://client.example\r\n"), 404,
            NOT_FOUND, "Access-Control-Allow-Origin: *\n", NULL),
    };
    RUN(rows);
    check_page("/nope", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n", 404,
               "Not Found");
    check_page("/todos/0", "Accept: text/html\r\n", 404, "Not found.");
    check_page("/todos", "Host: a_b\r\nAccept: text/html\r\n", 400, "Bad Request");
}

static void test_formats_by_suffix_and_query(void)
{
    static const struct exchange rows[] = {
        ROW("/todos.json", GET("/todos.json"), 200, LIST, TYPE_JSON ALLOW_LIST COMMON, NULL),
        ROW("/todos.json/", GET("/todos.json/"), 200, LIST, NULL, NULL),
        ROW("/.json", GET("/.json"), 200, "{\"todos\":\"http://{host}/todos.json\"}",
            ALLOW_ROOT, NULL),
        ROW("item.json", GET("/todos/{id}.json"), 200, ALPHA, ALLOW_ITEM, NULL),
        ROW("item.json/", GET("/todos/{id}.json/"), 200, ALPHA, NULL, NULL),
        ROW("gone.json", GET("/todos/{gone}.json"), 404, NOT_FOUND, NULL, NULL),
        ROW("/.xml", GET("/.xml"), 404, NOT_FOUND, ALLOW_ROOT "Vary: Accept, Origin\n", NULL),
        ROW("/todos.xml", GET("/todos.xml"), 404, NOT_FOUND, ALLOW_LIST, NULL),
        ROW("item.xml", GET("/todos/{id}.xml"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("item.0", GET("/todos/{id}.0"), 404, NOT_FOUND, ALLOW_ITEM, NULL),
        ROW("upper-case suffix is no format", GET("/todos.JSON"), 404, NULL, "Allow:\n", NULL),
        ROW("post .json", JSON("POST", "/todos.json", "{}"), 201, NULL,
            "Location: http://{host}/todos/{new}\n", NULL),
        ROW("post .xml does nothing", JSON("POST", "/todos.xml", "{}"), 404, NOT_FOUND, NULL,
            LIST),
        ROW("put .json", JSON("PUT", "/todos/{id}.json", "{\"title\":\"alpha\"}"), 200, ALPHA,
            NULL, LIST),
        ROW("delete list .json", ASK("DELETE", "/todos.json"), 204, "", NULL, "[]"),
        ROW("delete item .json", ASK("DELETE", "/todos/{id}.json"), 204, "", NULL, "[]"),
        ROW("delete list .xml does nothing", ASK("DELETE", "/todos.xml"), 404, NOT_FOUND, NULL,
            LIST),
        ROW("?format=json", GET("/todos?format=json"), 200, LIST, TYPE_JSON, NULL),
        ROW("root ?format=json", GET("/?format=json"), 200,
            "{\"todos\":\"http://{host}/todos?format=json\"}", NULL, NULL),
        ROW("root ?format=", GET("/?format="), 200,
            "{\"todos\":\"http://{host}/todos?format=\"}", NULL, NULL),
        ROW("the last format counts", GET("/todos?format=xml&format=json"), 200, LIST, NULL,
            NULL),
        ROW("the last format counts, bad", GET("/todos?format=json&format=xml"), 404, NOT_FOUND,
            NULL, NULL),
        ROW("?format=xml", GET("/todos?format=xml"), 404, NOT_FOUND, ALLOW_LIST, NULL),
        ROW("?format=JSON", GET("/todos?format=JSON"), 404, NOT_FOUND, NULL, NULL),
        ROW("suffix wins", GET("/todos.json?format=xml"), 200, LIST, NULL, NULL),
        ROW("delete ?format=xml does nothing", ASK("DELETE", "/todos?format=xml"), 404,
            NOT_FOUND, NULL, LIST),
        ROW("post ?format=json keeps the query in the url",
            JSON("POST", "/todos?format=json", "{}"), 201,
            "{\"url\":\"http://{host}/todos/"
            "{new}?format=json\",\"title\":null,\"completed\":false,"
            "\"order\":null}",
            "Location: http://{host}/todos/{new}?format=json\n", NULL),
        ROW("suffix does not override Accept", ACCEPT("/todos.json", "text/html"), 406,
            NOT_ACCEPTABLE, TYPE_JSON ALLOW_LIST "Vary: Accept, Origin\n", NULL),
        ROW("?format=api does not override Accept",
            ACCEPT("/todos?format=api", "application/json"), 406, NOT_ACCEPTABLE, NULL, NULL),
    };
    RUN(rows);
}

#define INDENTED(n)                                                                            \
    "{\n{ *" n "}\"url\": \"http://{host}/todos/{id}\",\n{ *" n                                \
    "}\"title\": \"alpha\",\n{ *" n "}\"completed\": false,\n{ *" n "}\"order\": 1\n}"

static void test_json_is_indented_when_asked(void)
{
    static const struct exchange rows[] = {
        ROW("4", ACCEPT("/todos/{id}", "application/json; indent=4"), 200, INDENTED("4"),
            TYPE_JSON, NULL),
        ROW("any type", ACCEPT("/todos/{id}", "*/*; indent=2"), 200, INDENTED("2"), NULL, NULL),
        ROW("at most 8", ACCEPT("/todos/{id}", "application/json; indent=100"), 200,
            INDENTED("8"), NULL, NULL),
        ROW("0", ACCEPT("/todos/{id}", "application/json; indent=0"), 200, ALPHA, NULL, NULL),
        ROW("negative", ACCEPT("/todos/{id}", "application/json; indent=-1"), 200, ALPHA, NULL,
            NULL),
        ROW("words", ACCEPT("/todos/{id}", "application/json; indent=x"), 200, ALPHA, NULL,
            NULL),
        ROW("an error",
            SEND("POST", "/todos", "Accept: application/json; indent=4\r\n", "application/json",
                 "{\"order\":\"x\"}"),
            400, "{\n    \"order\": [\n        \"A valid integer is required.\"\n    ]\n}",
            NULL, LIST),
        ROW("metadata", ASK_WITH("OPTIONS", "/todos", "Accept: application/json; indent=2\r\n"),
            200,
            "{\n  \"name\": \"Todo Item List\",\n  \"description\": \"\",\n  \"renders\": "
            "[\n...",
            NULL, NULL),
    };
    struct client_response response = {0};
    RUN(rows);
    clear_todos(&server);
    client_ask(server.port,
               &(struct client_request)ACCEPT("/todos", "application/json; indent=4"),
               &response);
    CHECK_TEXT("empty list", "body", "[]", client_body(&response));
    client_response_release(&response);
}

static const char *answer_of(const struct client_response *response)
{
    const char *type = client_header(response, "Content-Type");
    if (response->status == 406)
        return "406";
    if (response->status != 200 || !type)
        return "something else";
    if (strcasecmp(type, "application/json") == 0)
        return "JSON";
    return strncasecmp(type, "text/html", 9) == 0 ? "HTML" : type;
}

static void test_accept_decides_the_form(void)
{
    static const struct {
        const char *accept;
        const char *wanted;
    } rows[] = {
        {"application/json",                                                "JSON"},
        {"APPLICATION/JSON",                                                "JSON"},
        {"application/json; charset=utf-8",                                 "JSON"},
        {"application/*",                                                   "JSON"},
        {"*/*",                                                             "JSON"},
        {"*/json",                                                          "JSON"},
        {"text/html",                                                       "HTML"},
        {"text/*",                                                          "HTML"},
        {"text/html, application/json",                                     "JSON"},
        {"application/json, text/html",                                     "JSON"},
        {"text/html;q=1, application/json;q=0.1",                           "HTML"},
        {"text/html;q=0.1, application/json",                               "JSON"},
        {"text/html;q=0.5, application/json;q=0.5",                         "JSON"},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "HTML"},
        {"application/json;q=0, */*",                                       "HTML"},
        {"text/html;q=0, */*",                                              "JSON"},
        {"application/json;q=0",                                            "406" },
        {"application/json;q=0.000, text/html;q=0",                         "406" },
        {"application/json;q=0.9, text/html;q=0.901",                       "HTML"},
        {"text/html ; q=0.2 , application/json ; q=0.3",                    "JSON"},
        {"image/png",                                                       "406" },
        {"application/xml",                                                 "406" },
        {"application/vnd.api+json",                                        "406" },
        {"garbage",                                                         "406" },
        {"*",                                                               "406" },
        {"",                                                                "406" },
        {"image/png, */*;q=0.1",                                            "JSON"},
    };
    struct client_response response = {0};
    char header[128];
    clear_todos(&server);
    create_todo(&server, "{}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(header, sizeof header, "Accept: %s\r\n", rows[i].accept);
        client_ask(server.port, &(struct client_request)WITH("/todos", header), &response);
        CHECK_TEXT(rows[i].accept, "answer", rows[i].wanted, answer_of(&response));
    }
    get(&server, "/todos.api", &response);
    CHECK_TEXT("/todos.api", "answer", "HTML", answer_of(&response));
    get(&server, "/todos?format=api", &response);
    CHECK_TEXT("?format=api", "answer", "HTML", answer_of(&response));
    client_response_release(&response);
}

static void test_html_shows_titles_as_text(void)
{
    static const char *const paths[] = {"/todos", "/todos.api", "/todos?format=api"};
    struct client_response response = {0};
    clear_todos(&server);
    create_todo(&server, "{\"title\":\"<script>alert(1)</script>\"}");
    for (size_t i = 0; i < COUNT(paths); i++) {
        client_ask(server.port, &(struct client_request)ACCEPT(paths[i], "text/html"),
                   &response);
        CHECK_NUMBER(paths[i], "status", 200, response.status);
        CHECK(!strstr(client_body(&response), "<script>alert"), paths[i], "markup in a title");
    }
    client_ask(server.port, &(struct client_request)ACCEPT("/", "text/html"), &response);
    CHECK_TEXT("/", "answer", "HTML", answer_of(&response));
    client_response_release(&response);
}

/* A refused request has no side effect, and the first reason in the contract's order wins. */
static void test_the_order_of_checks(void)
{
    static const struct exchange rows[] = {
        ROW("406 before 405", ASK_WITH("PUT", "/todos", "Accept: image/png\r\n"), 406,
            NOT_ACCEPTABLE, ALLOW_LIST, LIST),
        ROW("406 before a bad body",
            SEND("POST", "/todos", "Accept: application/xml\r\n", "application/json", "{"), 406,
            NOT_ACCEPTABLE, TYPE_JSON, LIST),
        ROW("406 before the deletion",
            ASK_WITH("DELETE", "/todos", "Accept: application/xml\r\n"), 406, NOT_ACCEPTABLE,
            NULL, LIST),
        ROW("406 before 404 of the item",
            ASK_WITH("PATCH", "/todos/{gone}", "Accept: image/png\r\n"), 406, NOT_ACCEPTABLE,
            NULL, LIST),
        ROW("404 by format before 405", JSON("PUT", "/todos?format=xml", "{}"), 404, NOT_FOUND,
            NULL, LIST),
        ROW("405 before 415", SEND("PUT", "/todos", NULL, "text/plain", "x"), 405,
            NOT_ALLOWED("PUT"), NULL, LIST),
        ROW("404 before a bad body", JSON("PUT", "/todos/{gone}", "{"), 404, NOT_FOUND, NULL,
            LIST),
        ROW("404 before 415", SEND("PATCH", "/todos/{gone}", NULL, "text/plain", "x"), 404,
            NOT_FOUND, NULL, LIST),
        ROW("404 before validation", JSON("PATCH", "/todos/{gone}", "{\"order\":\"x\"}"), 404,
            NOT_FOUND, NULL, LIST),
        ROW("415 before parsing", SEND("PATCH", "/todos/{id}", NULL, "text/plain", "{"), 415,
            UNSUPPORTED("text/plain"), ALLOW_ITEM TYPE_JSON, LIST),
        ROW("unknown path before 406", ACCEPT("/nope", "image/png"), 404, NULL, NULL, NULL),
        ROW("preflight before all",
            ASK_WITH("OPTIONS", "/todos?format=xml",
                     "Accept: image/png\r\nAccess-Control-Request-Method: GET\r\n"),
            200, "", NULL, NULL),
    };
    RUN(rows);
}

static void test_url_is_of_the_request_s_own_host(void)
{
#define URL_ROOT(base) "{\"todos\":\"" base "/todos\"}"
    static const struct exchange rows[] = {
        ROW("name", WITH("/", "Host: example.com\r\n"), 200, URL_ROOT("http://example.com"),
            NULL, NULL),
        ROW("port", WITH("/", "Host: example.com:1234\r\n"), 200,
            URL_ROOT("http://example.com:1234"), NULL, NULL),
        ROW("port 80 is kept", WITH("/", "Host: example.com:80\r\n"), 200,
            URL_ROOT("http://example.com:80"), NULL, NULL),
        ROW("upper case is kept", WITH("/", "Host: EXAMPLE.com\r\n"), 200,
            URL_ROOT("http://EXAMPLE.com"), NULL, NULL),
        ROW("trailing dot is kept", WITH("/", "Host: example.com.\r\n"), 200,
            URL_ROOT("http://example.com."), NULL, NULL),
        ROW("IPv6", WITH("/", "Host: [::1]:8000\r\n"), 200, URL_ROOT("http://[::1]:8000"), NULL,
            NULL),
        ROW("odd port", WITH("/", "Host: a:70000\r\n"), 200, URL_ROOT("http://a:70000"), NULL,
            NULL),
        ROW("https behind a proxy", WITH("/", "X-Forwarded-Proto: https\r\n"), 200,
            URL_ROOT("https://{host}"), NULL, NULL),
        ROW("http behind a proxy", WITH("/", "X-Forwarded-Proto: http\r\n"), 200,
            URL_ROOT("http://{host}"), NULL, NULL),
        ROW("gopher behind a proxy", WITH("/", "X-Forwarded-Proto: gopher\r\n"), 200,
            URL_ROOT("http://{host}"), NULL, NULL),
        ROW("X-Forwarded-SSL", WITH("/", "X-Forwarded-SSL: on\r\n"), 200,
            URL_ROOT("https://{host}"), NULL, NULL),
        ROW("other proxy headers are ignored",
            WITH("/", "X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 99\r\n"
                      "Forwarded: host=evil.example;proto=https\r\nX-Script-Name: /api\r\n"
                      "Front-End-Https: on\r\n"),
            200, URL_ROOT("http://{host}"), NULL, NULL),
        ROW("a list read through another host", WITH("/todos", "Host: other.example:99\r\n"),
            200,
            "[{\"url\":\"http://other.example:99/todos/"
            "{id}\",\"title\":\"alpha\",\"completed\":"
            "false,\"order\":1}]",
            NULL, NULL),
        ROW("an item read by https",
            WITH("/todos/{id}", "Host: other.example\r\nX-Forwarded-Proto: https\r\n"), 200,
            "{\"url\":\"https://other.example/todos/"
            "{id}\",\"title\":\"alpha\",\"completed\":false,"
            "\"order\":1}",
            NULL, NULL),
        ROW("created through another host",
            ASK_WITH("POST", "/todos", "Host: other.example\r\n"), 201,
            "{\"url\":\"http://other.example/todos/{new}\",\"title\":null,\"completed\":false,"
            "\"order\":null}",
            "Location: http://other.example/todos/{new}\n",
            "[" ALPHA
            ",{\"url\":\"http://{host}/todos/{new}\",\"title\":null,\"completed\":false,"
            "\"order\":null}]"),
        ROW("updated through another host",
            ASK_WITH("PATCH", "/todos/{id}", "Host: other.example\r\n"), 200,
            "{\"url\":\"http://other.example/todos/"
            "{id}\",\"title\":\"alpha\",\"completed\":false,"
            "\"order\":1}",
            "Location:\n", LIST),
    };
    RUN(rows);
}

static void test_bad_hosts_are_refused(void)
{
    static const struct exchange rows[] = {
        ROW("underscore", WITH("/todos", "Host: a_b\r\n"), 400, NULL, TYPE_JSON, LIST),
        ROW("blank", WITH("/todos", "Host: a b\r\n"), 400, NULL, NULL, LIST),
        ROW("slash", WITH("/todos", "Host: a/b\r\n"), 400, NULL, NULL, LIST),
        ROW("at", WITH("/todos", "Host: a@b\r\n"), 400, NULL, NULL, LIST),
        ROW("comma", WITH("/todos", "Host: a,b\r\n"), 400, NULL, NULL, LIST),
        ROW("quote", WITH("/todos", "Host: a\"b\r\n"), 400, NULL, NULL, LIST),
        ROW("not ASCII", WITH("/todos", "Host: caf\xc3\xa9\r\n"), 400, NULL, NULL, LIST),
        ROW("colon without a port", WITH("/todos", "Host: a:\r\n"), 400, NULL, NULL, LIST),
        ROW("port of letters", WITH("/todos", "Host: a:b\r\n"), 400, NULL, NULL, LIST),
        ROW("IPv6 without brackets", WITH("/todos", "Host: ::1\r\n"), 400, NULL, NULL, LIST),
        ROW("brackets without IPv6", WITH("/todos", "Host: [a]\r\n"), 400, NULL, NULL, LIST),
        ROW("a side effect", ASK_WITH("DELETE", "/todos", "Host: a_b\r\n"), 400, NULL, NULL,
            LIST),
        ROW("too long", ASK_WITH("POST", "/todos", "Host: {a*300}\r\n"), 400, NULL, NULL, LIST),
        ROW("its url would not fit", ASK_WITH("POST", "/todos", "Host: {a*250}\r\n"), 400, NULL,
            NULL, LIST),
        ROW("unknown path", WITH("/nope", "Host: a_b\r\n"), 400, NULL, NULL, NULL),
    };
    RUN(rows);
}

static void test_public_url_and_allowed_hosts(void)
{
    static const char *const settings[] = {"PUBLIC_URL=https://todo.example",
                                           "ALLOWED_HOSTS=127.0.0.1,todo.example", NULL};
    struct server other = {0};
    struct client_response response = {0};
    if (server_open(&other, settings)) {
        get(&other, "/", &response);
        CHECK_TEXT("PUBLIC_URL", "root", "{\"todos\":\"https://todo.example/todos\"}",
                   client_body(&response));
        client_ask(other.port, &(struct client_request){.method = "POST", .path = "/todos"},
                   &response);
        const char *location = client_header(&response, "Location");
        CHECK(location && strncmp(location, "https://todo.example/todos/", 27) == 0,
              "PUBLIC_URL", "Location is %s", location ? location : "missing");
        client_ask(other.port,
                   &(struct client_request)WITH("/todos", "Host: TODO.example:8000\r\n"),
                   &response);
        CHECK_NUMBER("allowed host", "status", 200, response.status);
        client_ask(other.port, &(struct client_request)WITH("/todos", "Host: evil.example\r\n"),
                   &response);
        CHECK_NUMBER("other host", "status", 400, response.status);
    }
    client_response_release(&response);
    server_close(&other);
}

#define FORWARDED                                                                              \
    "X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: todo.example:8443\r\n"                \
    "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 127.0.0.2\r\n"

static const struct {
    const char *name;
    const char *proxies; /* NULL: not set */
    const char *root;    /* the body of GET /; "...": any */
    const char *client;  /* in the log */
} proxies_rows[] = {
    {"not set",    NULL,                                   "{\"todos\":\"https://127.0.0.1:", "\"client\":\"127.0.0.1\""},
    {"a stranger", "TRUSTED_PROXIES=10.0.0.0/8, fd00::/8",
     "{\"todos\":\"http://127.0.0.1:",                                                        "\"client\":\"127.0.0.1\""},
    {"a proxy",    "TRUSTED_PROXIES=127.0.0.0/8",
     "{\"todos\":\"https://todo.example:8443/todos\"}",                                       "\"client\":\"192.0.2.1\""},
};

static void test_what_proxies_say_is_believed_if_they_are_trusted(void)
{
    for (size_t i = 0; i < COUNT(proxies_rows); i++) {
        const char *settings[] = {"ALLOWED_HOSTS=127.0.0.1,*.example", proxies_rows[i].proxies,
                                  NULL};
        struct server other = {0};
        struct client_response response = {0};
        struct buffer log = {0};
        if (server_open(&other, settings)) {
            client_ask(other.port,
                       &(struct client_request)WITH("/", FORWARDED "X-Request-Id: a-1\r\n"),
                       &response);
            CHECK_CONTAINS(proxies_rows[i].name, "root", proxies_rows[i].root,
                           client_body(&response));
            client_ask(other.port,
                       &(struct client_request)WITH("/", "X-Forwarded-Host: evil\r\n"),
                       &response);
            CHECK_NUMBER(proxies_rows[i].name, "status for a host that is not allowed",
                         i == 2 ? 400 : 200, response.status);
            server_stop(&other);
            server_read_log(&other, &log);
            const char *line = log.data ? strstr(log.data, "\"a-1\"") : NULL;
            CHECK_CONTAINS(proxies_rows[i].name, "log", proxies_rows[i].client,
                           line ? strtok(strdupa(line), "\n") : NULL);
        }
        buffer_release(&log);
        client_response_release(&response);
        server_close(&other);
    }
}

#define PARSES                                                                                 \
    "\"renders\":[\"application/json\",\"text/html\"],\"parses\":[\"application/json\","       \
    "\"application/x-www-form-urlencoded\",\"multipart/form-data\"]"
#define FIELDS                                                                                 \
    "{\"url\":{\"type\":\"field\",\"required\":false,\"read_only\":true,\"label\":\"Url\"},"   \
    "\"title\":{\"type\":\"string\",\"required\":false,\"read_only\":false,\"label\":"         \
    "\"Title\",\"max_length\":256},\"completed\":{\"type\":\"boolean\",\"required\":false,"    \
    "\"read_only\":false,\"label\":\"Completed\"},\"order\":{\"type\":\"integer\","            \
    "\"required\":false,\"read_only\":false,\"label\":\"Order\",\"min_value\":-2147483648,"    \
    "\"max_value\":2147483647}}"

static void test_options_describe_the_route(void)
{
    static const struct exchange rows[] = {
        ROW("root", ASK("OPTIONS", "/"), 200,
            "{\"name\":\"Api Root\",\"description\":\"The default basic root view for "
            "DefaultRouter\"," PARSES "}",
            TYPE_JSON ALLOW_ROOT COMMON, NULL),
        ROW("list", ASK("OPTIONS", "/todos"), 200,
            "{\"name\":\"Todo Item List\",\"description\":\"\"," PARSES
            ",\"actions\":{\"POST\":" FIELDS "}}",
            TYPE_JSON ALLOW_LIST COMMON, NULL),
        ROW("item", ASK("OPTIONS", "/todos/{id}"), 200,
            "{\"name\":\"Todo Item Instance\",\"description\":\"\"," PARSES
            ",\"actions\":{\"PUT\":" FIELDS "}}",
            TYPE_JSON ALLOW_ITEM COMMON, NULL),
        ROW("gone item", ASK("OPTIONS", "/todos/{gone}"), 200,
            "{\"name\":\"Todo Item Instance\",\"description\":\"\"," PARSES "}", ALLOW_ITEM,
            NULL),
        ROW("no id", ASK("OPTIONS", "/todos/abc"), 200,
            "{\"name\":\"Todo Item Instance\",\"description\":\"\"," PARSES "}", ALLOW_ITEM,
            NULL),
        ROW("suffix", ASK("OPTIONS", "/todos.json"), 200, "{\"name\":\"Todo Item List\",...",
            NULL, NULL),
        ROW("a body is not read", JSON("OPTIONS", "/todos", "{"), 200, NULL, NULL, LIST),
        ROW("the server", ASK("OPTIONS", "*"), 200, "",
            "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\n" COMMON, LIST),
        ROW("not the server", ASK("GET", "*"), 404, NULL, NULL, LIST),
        ROW("the server of no host", ASK_WITH("OPTIONS", "*", "Host: a_b\r\n"), 400, NULL, NULL,
            LIST),
    };
    RUN(rows);
}

#define ORIGIN "Origin: http://client.example\r\n"
#define OPEN   "Access-Control-Allow-Origin: *\nAccess-Control-Allow-Credentials:\n"
#define CLOSED "Access-Control-Allow-Origin:\n"

static void test_every_answer_may_be_read_from_another_origin(void)
{
    static const struct exchange rows[] = {
        ROW("list", WITH("/todos", ORIGIN), 200, LIST, OPEN COMMON, NULL),
        ROW("null origin", WITH("/todos", "Origin: null\r\n"), 200, LIST, OPEN, NULL),
        ROW("own origin", WITH("/todos", "Origin: http://{host}\r\n"), 200, LIST, OPEN, NULL),
        ROW("garbage", WITH("/todos", "Origin: garbage\r\n"), 200, LIST, OPEN, NULL),
        ROW("empty origin", WITH("/todos", "Origin:\r\n"), 200, LIST, CLOSED, NULL),
        ROW("no origin", GET("/todos"), 200, LIST, CLOSED, NULL),
        ROW("origin that is no URL", WITH("/todos", "Origin: http://[bad\r\n"), 200, LIST,
            CLOSED, NULL),
        ROW("gone item", WITH("/todos/{gone}", ORIGIN), 404, NOT_FOUND, OPEN, NULL),
        ROW("406", WITH("/todos", ORIGIN "Accept: image/png\r\n"), 406, NULL, OPEN, NULL),
        ROW("405", ASK_WITH("PUT", "/todos", ORIGIN), 405, NULL, OPEN, NULL),
        ROW("415", SEND("POST", "/todos", ORIGIN, "a/b", "x"), 415, UNSUPPORTED("a/b"), OPEN,
            LIST),
        ROW("bad body", SEND("POST", "/todos", ORIGIN, "application/json", "{"), 400, NULL,
            OPEN, LIST),
        ROW("delete", ASK_WITH("DELETE", "/todos/{id}", ORIGIN), 204, "", OPEN, "[]"),
        ROW("bad host", WITH("/todos", "Host: a_b\r\n" ORIGIN), 400, NULL, OPEN, NULL),
        ROW("metadata", ASK_WITH("OPTIONS", "/todos", ORIGIN), 200, NULL,
            OPEN "Access-Control-Allow-Methods: DELETE, GET, OPTIONS, PATCH, POST, PUT\n"
                 "Access-Control-Max-Age: 86400\n",
            NULL),
    };
    RUN(rows);
}

#define FOREIGN                                                                                \
    "{\"detail\":\"Pages of this Origin may not change anything here (CORS_ORIGINS).\"}"
#define FRIEND "Origin: https://friend.example:8443\r\n"
#define NAMED                                                                                  \
    "Access-Control-Allow-Origin: https://friend.example:8443\n"                               \
    "Access-Control-Expose-Headers: Location, ETag, Idempotent-Replayed, Link, "               \
    "Preference-Applied, Retry-After, "                                                        \
    "X-Request-Id\n"

/* What a page of another site can do to an instance whose owner has named his own. */
static void test_only_named_origins_may_use_an_instance(void)
{
    static const char *const settings[] = {
        "CORS_ORIGINS=http://client.example:81, https://friend.example:8443", NULL};
    static const struct exchange rows[] = {
        ROW("no page", GET("/todos"), 200, LIST, CLOSED COMMON, LIST),
        ROW("no page, change", ASK("DELETE", "/todos"), 204, "", CLOSED, "[]"),
        ROW("a named one", WITH("/todos", FRIEND), 200, LIST, NAMED COMMON, LIST),
        ROW("a named one, change", ASK_WITH("DELETE", "/todos", FRIEND), 204, "", NAMED, "[]"),
        ROW("a named one, preflight",
            ASK_WITH("OPTIONS", "/todos", FRIEND "Access-Control-Request-Method: DELETE\r\n"),
            200, "", NAMED "Vary: Origin\nAccess-Control-Max-Age: 86400\n", LIST),
        ROW("another one", WITH("/todos", ORIGIN), 200, LIST,
            CLOSED "Access-Control-Expose-Headers:\n" COMMON, LIST),
        ROW("another one, DELETE", ASK_WITH("DELETE", "/todos", ORIGIN), 403, FOREIGN,
            CLOSED COMMON "Retry-After:\n" ALLOW_LIST, LIST),
        ROW("another one, as a problem", ASK_WITH("DELETE", "/todos", ORIGIN PROBLEM), 403,
            SAYS("Forbidden", "403") "\",\"detail\":\"Pages of this Origin...",
            "Content-Type: application/problem+json\n", LIST),
        ROW("another one's form",
            SEND("POST", "/todos", ORIGIN, "application/x-www-form-urlencoded", "title=x"), 403,
            FOREIGN, CLOSED, LIST),
        ROW("another one, PUT", SEND("PUT", "/todos/{id}", ORIGIN, "text/plain", "x"), 403,
            FOREIGN, CLOSED, LIST),
        ROW("another one, PATCH",
            SEND("PATCH", "/todos/{id}", ORIGIN, "application/json", "{}"), 403, FOREIGN,
            CLOSED, LIST),
        ROW("another one, DELETE of a todo", ASK_WITH("DELETE", "/todos/{id}", ORIGIN), 403,
            FOREIGN, CLOSED ALLOW_ITEM, LIST),
        ROW("another one, preflight",
            ASK_WITH("OPTIONS", "/todos", ORIGIN "Access-Control-Request-Method: DELETE\r\n"),
            200, "",
            CLOSED "Access-Control-Allow-Methods:\nAccess-Control-Allow-Headers:\n"
                   "Vary: Origin\n",
            LIST),
        ROW("another one, metadata", ASK_WITH("OPTIONS", "/todos", ORIGIN), 200, NULL, CLOSED,
            LIST),
        ROW("another port",
            ASK_WITH("DELETE", "/todos", "Origin: http://client.example:82\r\n"), 403, FOREIGN,
            CLOSED, LIST),
        ROW("another scheme",
            ASK_WITH("DELETE", "/todos", "Origin: http://friend.example:8443\r\n"), 403,
            FOREIGN, CLOSED, LIST),
        ROW("a part of one", ASK_WITH("DELETE", "/todos", "Origin: https://friend.example\r\n"),
            403, FOREIGN, CLOSED, LIST),
        ROW("a frame without an origin", ASK_WITH("DELETE", "/todos", "Origin: null\r\n"), 403,
            FOREIGN, CLOSED, LIST),
        ROW("no origin at all", ASK_WITH("DELETE", "/todos", "Origin: http://[bad\r\n"), 403,
            FOREIGN, CLOSED, LIST),
        ROW("a page of the server's own",
            ASK_WITH("DELETE", "/todos/{id}", "Origin: http://{host}\r\n"), 204, "", CLOSED,
            "[]"),
    };
    struct server other = {0};

    if (server_open(&other, settings))
        exchange_run(&other, rows, COUNT(rows));
    server_close(&other);
}

static void check_tokens(const char *row, const char *list, const char *const *tokens)
{
    char padded[512];
    char token[64];
    snprintf(padded, sizeof padded, ", %s,", list ? list : "");
    for (; *tokens; tokens++) {
        snprintf(token, sizeof token, ", %s,", *tokens);
        CHECK(strcasestr(padded, token), row, "%s is not in %s", *tokens, padded);
    }
}

static void test_scripts_may_send_and_read_the_headers_of_the_contract(void)
{
    static const char *const sent[] = {"accept",
                                       "accept-encoding",
                                       "authorization",
                                       "content-type",
                                       "dnt",
                                       "origin",
                                       "user-agent",
                                       "x-csrftoken",
                                       "x-requested-with",
                                       "if-match",
                                       "if-none-match",
                                       "idempotency-key",
                                       "prefer",
                                       "traceparent",
                                       "x-request-id",
                                       NULL};
    static const char *const read[] = {
        "Location", "ETag", "Link", "Preference-Applied", "Retry-After", "X-Request-Id", NULL};
    struct client_response response = {0};
    client_ask(
        server.port,
        &(struct client_request){.method = "OPTIONS",
                                 .path = "/todos",
                                 .headers = ORIGIN "Access-Control-Request-Method: POST\r\n"},
        &response);
    check_tokens("Allow-Headers", client_header(&response, "Access-Control-Allow-Headers"),
                 sent);
    client_ask(server.port,
               &(struct client_request){.method = "POST", .path = "/todos", .headers = ORIGIN},
               &response);
    check_tokens("Expose-Headers", client_header(&response, "Access-Control-Expose-Headers"),
                 read);
    client_response_release(&response);
}

#define PREFLIGHT_HEADERS                                                                      \
    "Content-Type:\nVary: Origin\nAllow:\nX-Frame-Options:\nContent-Length: 0\n"               \
    "X-Content-Type-Options: nosniff\nReferrer-Policy: same-origin\n"
#define PREFLIGHT_OPEN                                                                         \
    PREFLIGHT_HEADERS OPEN                                                                     \
        "Access-Control-Allow-Methods: DELETE, GET, OPTIONS, PATCH, POST, PUT\n"               \
        "Access-Control-Max-Age: 86400\n"
#define PREFLIGHT(target, lines) ASK_WITH("OPTIONS", target, lines)

static void test_preflights(void)
{
    static const struct exchange rows[] = {
        ROW("list", PREFLIGHT("/todos", ORIGIN "Access-Control-Request-Method: POST\r\n"), 200,
            "", PREFLIGHT_OPEN, LIST),
        ROW("item", PREFLIGHT("/todos/{id}", ORIGIN "Access-Control-Request-Method: PATCH\r\n"),
            200, "", PREFLIGHT_OPEN, LIST),
        ROW("gone item",
            PREFLIGHT("/todos/{gone}", ORIGIN "Access-Control-Request-Method: PATCH\r\n"), 200,
            "", PREFLIGHT_OPEN, NULL),
        ROW("unknown path", PREFLIGHT("/nope", ORIGIN "Access-Control-Request-Method: GET\r\n"),
            200, "", PREFLIGHT_OPEN, NULL),
        ROW("any method",
            PREFLIGHT("/todos", ORIGIN "Access-Control-Request-Method: BOGUS\r\n"), 200, "",
            PREFLIGHT_OPEN, NULL),
        ROW("empty method", PREFLIGHT("/todos", ORIGIN "Access-Control-Request-Method:\r\n"),
            200, "", PREFLIGHT_OPEN, NULL),
        ROW("no origin", PREFLIGHT("/todos", "Access-Control-Request-Method: POST\r\n"), 200,
            "", PREFLIGHT_HEADERS CLOSED, NULL),
        ROW("not acceptable",
            PREFLIGHT("/todos",
                      ORIGIN "Accept: image/png\r\nAccess-Control-Request-Method: POST\r\n"),
            200, "", PREFLIGHT_OPEN, NULL),
    };
    RUN(rows);
}

/* HEAD gives GET's status and headers, and nothing after them: the next answer on the same
 * connection would come out wrong. */
static void check_head(const char *path, const char *headers)
{
    struct client_response whole = {0};
    struct client_response head = {0};
    struct client_connection connection;
    char length[32];
    client_ask(server.port, &(struct client_request)WITH(path, headers), &whole);
    snprintf(length, sizeof length, "%zu", whole.body.size);
    if (CHECK(client_open(&connection, server.port), path, "no connection")) {
        client_send_request(&connection, server.port,
                            &(struct client_request)ASK_WITH("HEAD", path, headers));
        client_receive(&connection, true, CLIENT_TIME_LIMIT, &head);
        CHECK_NUMBER(path, "status", whole.status, head.status);
        CHECK_TEXT(path, "Content-Length", length, client_header(&head, "Content-Length"));
        CHECK_TEXT(path, "Content-Type", client_header(&whole, "Content-Type"),
                   client_header(&head, "Content-Type"));
        CHECK_CONTAINS(path, "Vary", "Origin", client_header(&head, "Vary"));
        CHECK_TEXT(path, "Vary", client_header(&whole, "Vary"), client_header(&head, "Vary"));
        CHECK_TEXT(path, "ETag", client_header(&whole, "ETag"), client_header(&head, "ETag"));
        CHECK_TEXT(path, "Allow", client_header(&whole, "Allow"),
                   client_header(&head, "Allow"));
        client_send_request(&connection, server.port, &(struct client_request)GET("/livez"));
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &head);
        CHECK_NUMBER(path, "status of the next answer", 200, head.status);
        client_close(&connection);
    }
    client_response_release(&whole);
    client_response_release(&head);
}

static void test_head_is_get_without_its_body(void)
{
    static const char *const forms[] = {"", "Accept: text/html\r\n",
                                        "Accept: text/html\r\nAccept-Encoding: gzip\r\n"};
    static const char *const paths[] = {"/",        "/todos",        "/todos?limit=1",
                                        "/todos/0", "/nope",         "/todos?format=xml",
                                        "/livez",   "/openapi.json", "/static/app.js"};
    char path[32];
    clear_todos(&server);
    snprintf(path, sizeof path, "/todos/%u",
             create_todo(&server, "{\"title\":\"\xe6\x97\xa5\"}"));
    for (size_t form = 0; form < COUNT(forms); form++) {
        check_head(path, forms[form]);
        for (size_t i = 0; i < COUNT(paths); i++)
            check_head(paths[i], forms[form]);
    }
}

static void test_answers_are_http_1_1(void)
{
    struct client_response response = {0};
    get(&server, "/todos", &response);
    CHECK(client_header(&response, "Date"), "/todos", "no Date");
    CHECK_NUMBER("/readyz", "status", 200, get(&server, "/readyz", &response));
    CHECK_NUMBER("/livez", "status", 200, get(&server, "/livez", &response));
    client_response_release(&response);
}

static void test_titles_are_escaped_as_json_and_no_more(void)
{
    static const struct exchange rows[] = {
        ROW("escapes",
            JSON("POST", "/todos",
                 "{\"title\":\"q\\\"b\\\\s\\/"
                 "<>&'\\t\\n\\r\\b\\f\\u0001\\u001f\\u00e9\\u2028\\u2029"
                 "\\ufeff\\u007f\\u0080.\"}"),
            201,
            "{\"url\":\"http://{host}/todos/{new}\",\"title\":\"q\\\"b\\\\s/"
            "<>&'\\t\\n\\r\\b\\f\\u0001\\u001f\xc3\xa9\\u2028\\u2029\xef\xbb\xbf\x7f\xc2\x80."
            "\","
            "\"completed\":false,\"order\":null}",
            NULL, NULL),
        ROW("emoji", JSON("POST", "/todos", "{\"title\":\"\xf0\x9f\x9a\x97\"}"), 201,
            "{\"url\":\"http://{host}/todos/"
            "{new}\",\"title\":\"\xf0\x9f\x9a\x97\",\"completed\":"
            "false,\"order\":null}",
            NULL,
            "[" ALPHA ",{\"url\":\"http://{host}/todos/{new}\",\"title\":\"\xf0\x9f\x9a\x97\","
            "\"completed\":false,\"order\":null}]"),
        ROW("escaped emoji", JSON("POST", "/todos", "{\"title\":\"\\ud83d\\ude97\"}"), 201,
            "{\"url\":\"http://{host}/todos/"
            "{new}\",\"title\":\"\xf0\x9f\x9a\x97\",\"completed\":"
            "false,\"order\":null}",
            NULL, NULL),
        ROW("Chinese, Japanese, Korean",
            JSON("PATCH", "/todos/{id}", "{\"title\":\"中文 日本語 한국어\"}"), 200,
            "{\"url\":\"http://{host}/todos/{id}\",\"title\":\"中文 日本語 "
            "한국어\",\"completed\":"
            "false,\"order\":1}",
            NULL,
            "[{\"url\":\"http://{host}/todos/{id}\",\"title\":\"中文 日本語 "
            "한국어\",\"completed\":"
            "false,\"order\":1}]"),
    };
    RUN(rows);
}

static void test_body_limit(void)
{
    struct buffer body = {0};
    struct client_response response = {0};
    clear_todos(&server);
    buffer_append_text(&body, "{\"title\":\"big\"}");
    while (body.size < 1024 * 1024)
        buffer_append_char(&body, ' ');
    CHECK_NUMBER("exactly 1 MiB", "status", 201,
                 send_json(&server, "POST", "/todos", body.data, &response));
    buffer_append_char(&body, ' ');
    CHECK_NUMBER("1 MiB and a byte", "status", 413,
                 send_json(&server, "POST", "/todos", body.data, &response));
    CHECK_TEXT("1 MiB and a byte", "body", "{\"detail\":\"Request body is too large.\"}",
               client_body(&response));
    CHECK_TEXT("1 MiB and a byte", "Content-Type", "application/json",
               client_header(&response, "Content-Type"));
    CHECK_NUMBER("afterwards", "todos", 1, count_todos(&server));
    buffer_release(&body);
    client_response_release(&response);
}

#define TYPE "Content-Type: application/problem+json\n"

static void test_problems(void)
{
    static const struct exchange rows[] = {
        ROW("no problem", WITH("/todos", PROBLEM), 200, LIST,
            "Content-Type: application/json\n", LIST),
        ROW("a field", SEND("POST", "/todos", PROBLEM, "application/json", "{\"order\":\"x\"}"),
            400,
            SAYS("Bad Request",
                 "400") "\",\"detail\":\"What was sent is not valid.\",\"errors\":["
                        "{\"pointer\":\"#/order\",\"detail\":\"A valid integer is "
                        "required.\"}]}",
            TYPE, LIST),
        ROW("a form's field",
            SEND("POST", "/todos", PROBLEM, "application/x-www-form-urlencoded", "order=x"),
            400,
            SAYS("Bad Request",
                 "400") "\",\"detail\":\"What was sent is not valid.\",\"errors\":["
                        "{\"pointer\":\"#/order\",\"detail\":\"A valid integer is "
                        "required.\"}]}",
            TYPE, LIST),
        ROW("a parameter", WITH("/todos?limit=0", PROBLEM), 400,
            SAYS("Bad Request",
                 "400") "\",\"detail\":\"What was sent is not valid.\",\"errors\":["
                        "{\"parameter\":\"limit\",\"detail\":\"Ensure this value is greater "
                        "than or equal to 1.\"}]}",
            TYPE, LIST),
        ROW("no JSON", SEND("PUT", "/todos/{id}", PROBLEM, "application/json", "{"), 400,
            SAYS("Bad Request", "400") "/{id}\",\"detail\":\"JSON parse error - ...", TYPE,
            LIST),
        ROW("no todo", WITH("/todos/{gone}", PROBLEM), 404,
            SAYS("Not Found", "404") "/{gone}\",\"detail\":\"Not found.\"}", TYPE, LIST),
        ROW("no format", WITH("/todos.xml", PROBLEM), 404,
            SAYS("Not Found", "404") ".xml\",\"detail\":\"Not found.\"}", TYPE, LIST),
        ROW("no path", WITH("/todos/%22/x", PROBLEM), 404,
            SAYS("Not Found", "404") "/%22/x\",\"detail\":\"Not found.\"}", TYPE, LIST),
        ROW("no such method", ASK_WITH("PUT", "/todos", PROBLEM), 405,
            SAYS("Method Not Allowed",
                 "405") "\",\"detail\":\"Method \\\"PUT\\\" not allowed.\"}",
            TYPE, LIST),
        ROW("nothing but problems", ACCEPT("/todos/0", "application/problem+json"), 404,
            SAYS("Not Found", "404") "/0\",\"detail\":\"Not found.\"}", TYPE, LIST),
        ROW("nothing but problems, and there is none",
            ACCEPT("/todos", "application/problem+json"), 200, LIST,
            "Content-Type: application/json\n", LIST),
        ROW("nothing but problems, and images as well",
            ASK_WITH("GET", "/todos/0",
                     "Accept: image/png\r\nAccept: application/problem+json\r\n"),
            404, SAYS("Not Found", "404") "/0\",\"detail\":\"Not found.\"}", TYPE, LIST),
        ROW("nothing that there is", ASK_WITH("DELETE", "/todos", "Accept: image/png\r\n"), 406,
            "{\"detail\":\"Could not satisfy the request Accept header.\"}",
            "Content-Type: application/json\n", LIST),
        ROW("a condition", ASK_WITH("DELETE", "/todos/{id}", PROBLEM "If-Match: \"x\"\r\n"),
            412, SAYS("Precondition Failed", "412") "/{id}\",\"detail\":...", TYPE, LIST),
        ROW("too large", SEND("POST", "/todos", PROBLEM, "application/json", "{{ *1100000}}"),
            413,
            SAYS("Content Too Large", "413") "\",\"detail\":\"Request body is too large.\"}",
            TYPE, LIST),
        ROW("too many headers", WITH("/todos", PROBLEM "{A: b\r\n*110}"), 431,
            SAYS("Request Header Fields Too Large", "431") "...", TYPE, LIST),
        ROW("too long a target", WITH("/todos?{a*5000}", PROBLEM "X: {b*4000}\r\n"), 414,
            SAYS("URI Too Long", "414") "...", TYPE, LIST),
        ROW("a bad host", WITH("/todos", PROBLEM "Host: a b\r\n"), 400,
            SAYS("Bad Request", "400") "\",\"detail\":\"The Host header is not...", TYPE, LIST),
        ROW("no media type of ours", SEND("POST", "/todos", PROBLEM, "text/plain", "x"), 415,
            SAYS("Unsupported Media Type", "415") "\",\"detail\":\"Unsupported media type "
                                                  "\\\"text/plain\\\" in request.\"}",
            TYPE, LIST),
        ROW("two lengths", WITH("/todos", PROBLEM "Content-Length: 1\r\nContent-Length: 2\r\n"),
            400, SAYS("Bad Request", "400") "...", TYPE, LIST),
        ROW("who doesn't ask gets what the original says",
            WITH("/todos/{gone}",
                 "Accept: application/json, application/problem+json;q=0.5\r\n"),
            404, NOT_FOUND, "Content-Type: application/json\n", LIST),
    };

    RUN(rows);
}

CU_TestInfo contract_api_tests[] = {
    TEST(test_problems),
    TEST(test_list_and_item_have_the_contract_s_form_and_headers),
    TEST(test_create_update_and_delete_answer_as_they_should),
    TEST(test_list_is_in_order_of_id_and_ids_are_never_reused),
    TEST(test_each_method_on_each_route),
    TEST(test_paths),
    TEST(test_errors_are_pages_for_browsers_and_json_for_the_rest),
    TEST(test_formats_by_suffix_and_query),
    TEST(test_json_is_indented_when_asked),
    TEST(test_accept_decides_the_form),
    TEST(test_html_shows_titles_as_text),
    TEST(test_the_order_of_checks),
    TEST(test_url_is_of_the_request_s_own_host),
    TEST(test_bad_hosts_are_refused),
    TEST(test_public_url_and_allowed_hosts),
    TEST(test_what_proxies_say_is_believed_if_they_are_trusted),
    TEST(test_options_describe_the_route),
    TEST(test_every_answer_may_be_read_from_another_origin),
    TEST(test_only_named_origins_may_use_an_instance),
    TEST(test_scripts_may_send_and_read_the_headers_of_the_contract),
    TEST(test_preflights),
    TEST(test_head_is_get_without_its_body),
    TEST(test_answers_are_http_1_1),
    TEST(test_titles_are_escaped_as_json_and_no_more),
    TEST(test_body_limit),
    CU_TEST_INFO_NULL,
};
