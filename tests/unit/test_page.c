#include "http/form.h"
#include "http/page.h"
#include "http/router.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

static void answer(void *context, struct http_exchange *exchange,
                   const struct http_match *match)
{
    (void)context;
    (void)exchange;
    (void)match;
}

static const struct http_field fields[] = {
    {"title", "Title", "text",     true },
    {"done",  "Done",  "checkbox", false},
};

/* clang-format off */
static const struct http_route list = {
    .pattern = "/things", .formats = true, .fields = fields, .field_count = 2,
    .methods = {{HTTP_GET, answer}, {HTTP_POST, answer}}, .allow = "GET, POST, HEAD, OPTIONS",
};
static const struct http_route item = {
    .pattern = "/things/{id}", .formats = true, .fields = fields, .field_count = 2,
    .methods = {{HTTP_GET, answer}, {HTTP_PUT, answer}, {HTTP_DELETE, answer}},
    .allow = "GET, PUT, DELETE, HEAD, OPTIONS",
};
/* clang-format on */

/* The page of an answer to GET `target`; the caller releases it. */
static struct buffer page_of(const char *target, const struct http_route *route,
                             const char *json)
{
    struct http_request request = {0};
    struct http_response response = {.request = &request, .route = route, .status = 200};
    struct buffer out = {0};

    http_request_set_target(&request, target);
    CU_ASSERT_TRUE(http_request_start(&request, "GET", "HTTP/1.1"));
    http_response_add_header(&response, "Location", "http://a.example/things/7");
    http_response_add_header(&response, "X-Odd", "<&>");
    http_page_append(&out, &response, json, strlen(json));
    CU_ASSERT_FALSE(out.failed);
    http_request_release(&request);
    return out;
}

static void test_addresses_are_links_and_all_else_is_text(void)
{
    static const struct {
        const char *json;
        const char *part;
    } rows[] = {
        {"{\"a\":\"http://h/1\"}",    "&quot;a&quot;: &quot;<a rel=\"nofollow noreferrer\" "
                                   "href=\"http://h/1\">http://h/1</a>"
                                   "&quot;"             },
        {"[\"https://h/?a&b\"]",      "href=\"https://h/?a&amp;b\">https://h/?a&amp;b</a>"},
        {"[\"http://h/ 1\"]",         "&quot;http://h/ 1&quot;"                           },
        {"[\"http://h/\\\"x\"]",      "&quot;http://h/\\&quot;x&quot;"                    },
        {"[\"http://h/<b>\"]",        "&quot;http://h/&lt;b&gt;&quot;"                    },
        {"[\"http://\"]",             "&quot;http://&quot;"                               },
        {"[\"javascript:alert(1)\"]", "&quot;javascript:alert(1)&quot;"                   },
        {"[\"</pre><script>\"]",      "&quot;&lt;/pre&gt;&lt;script&gt;&quot;"            },
        {"[\"\\\\\",\"x\"]",          "&quot;\\\\&quot;,\n    &quot;x&quot;"              },
        {"[]",                        ">[]</pre>"                                         },
        {"\"open",                    "&quot;open</pre>"                                  },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buffer page = page_of("/things", &list, rows[i].json);
        CHECK_CONTAINS(rows[i].json, "page", rows[i].part, page.data);
        buffer_release(&page);
    }
}

static void test_what_was_asked_and_the_headers_are_told(void)
{
    struct buffer page = page_of("/things?<script>&\xff", &list, "[]");

    CHECK_CONTAINS("asked", "title",
                   "<title>200 OK – GET /things?&lt;script&gt;&amp;\xef\xbf\xbd</title>",
                   page.data);
    CHECK_CONTAINS("asked", "heading", "<h1>GET /things?&lt;script&gt;", page.data);
    CHECK_CONTAINS("headers", "link", "href=\"http://a.example/things/7\"", page.data);
    CHECK_CONTAINS("headers", "escaped", "<b>X-Odd:</b> &lt;&amp;&gt;\n", page.data);
    buffer_release(&page);
}

static void check_parts(const char *name, const struct buffer *page, const char *const *parts,
                        const char *const *others)
{
    for (; *parts; parts++)
        CHECK_CONTAINS(name, "page", *parts, page->data);
    for (; *others; others++)
        CHECK(!strstr(page->data, *others), name, "the page has %s", *others);
}

static void test_forms_are_for_what_the_route_allows(void)
{
    static const char post[] = "value=\"POST\"";
    static const char put[] = "value=\"PUT\"";
    static const char patch[] = "value=\"PATCH\"";
    static const char delete[] = "value=\"DELETE\"";
    static const char field[] = "name=\"done\" type=\"checkbox\" value=\"true\"";
    static const char up[] = "<a href=\"/things\">/things</a>";
    static const char get[] = "<a href=\"\">GET</a>";
    static const char here[] = "<li aria-current=\"page\">/things</li>";
    static const char item_here[] = "<li aria-current=\"page\">/things/7</li>";
    struct buffer of_list = page_of("/things", &list, "[]");
    struct buffer of_item = page_of("/things/7", &item, "{}");
    struct buffer of_none = page_of("/else", NULL, "{}");

    check_parts("list", &of_list,
                (const char *const[]){post, field, get, here, "<textarea", NULL},
                (const char *const[]){put, patch, delete, up, NULL});
    check_parts("item", &of_item,
                (const char *const[]){put, delete, field, get, up, item_here, NULL},
                (const char *const[]){post, patch, here, NULL});
    check_parts("none", &of_none, (const char *const[]){"<main>", NULL},
                (const char *const[]){"<form", get, NULL});
    buffer_release(&of_list);
    buffer_release(&of_item);
    buffer_release(&of_none);
}

static void test_a_refused_form_is_there_again(void)
{
    static const char json[] = "{\"title\":[\"Too long.\",\"And odd.\"]}";
    static const char odd[] = "title=%22%3E%3Cb%3E&done=true&else=1";
    const struct http_request request = {0};
    struct http_response response = {.request = &request, .route = &list, .status = 400};
    struct form form = {0};
    struct buffer page = {0};

    CU_ASSERT_EQUAL(form_read_urlencoded(&form, odd, sizeof(odd) - 1, NULL), FORM_OK);
    http_page_append(&page, &response, json, sizeof(json) - 1);
    check_parts("no form", &page, (const char *const[]){"required></p>", NULL},
                (const char *const[]){"class=\"error\"", "checked", NULL});
    buffer_clear(&page);
    response.form = &form;
    http_page_append(&page, &response, json, sizeof(json) - 1);
    check_parts("form", &page,
                (const char *const[]){
                    "required value=\"&quot;&gt;&lt;b&gt;\" autofocus aria-invalid=\"true\" "
                    "aria-describedby=\"field-title-error\"><span id=\"field-title-error\" "
                    "class=\"error\">Too long. And odd.</span></p>",
                    "type=\"checkbox\" value=\"true\" checked></p>", NULL},
                (const char *const[]){"field-done-error", "else", NULL});
    buffer_release(&page);
    form_release(&form);
}

CU_TestInfo page_tests[] = {
    {"addresses are links and all else is text", test_addresses_are_links_and_all_else_is_text},
    {"what was asked and the headers are told",  test_what_was_asked_and_the_headers_are_told },
    {"forms are for what the route allows",      test_forms_are_for_what_the_route_allows     },
    {"a refused form is there again",            test_a_refused_form_is_there_again           },
    CU_TEST_INFO_NULL,
};
