#include "http/render.h"
#include "http/status.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

#define SAFE   "X-Content-Type-Options: nosniff\nReferrer-Policy: same-origin\n"
#define FRAME  "X-Frame-Options: DENY\n"
#define ORIGIN "Access-Control-Allow-Origin: *\n"
#define EXPOSE                                                                                 \
    "Access-Control-Expose-Headers: Location, ETag, Idempotent-Replayed, Link, "               \
    "Preference-Applied, Retry-After, "                                                        \
    "X-Request-Id\n"
#define ALLOW                                                                                  \
    "Access-Control-Allow-Headers: accept, accept-encoding, authorization, content-type, "     \
    "dnt, origin, user-agent, x-csrftoken, x-requested-with, if-match, if-none-match, "        \
    "idempotency-key, prefer, traceparent, x-request-id\n"                                     \
    "Access-Control-Allow-Methods: DELETE, GET, OPTIONS, PATCH, POST, PUT\n"                   \
    "Access-Control-Max-Age: 86400\n"
#define CORS ORIGIN EXPOSE
#define POLICY                                                                                 \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "       \
    "img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri "   \
    "'none'; "                                                                                 \
    "frame-ancestors 'none'\n"

/* clang-format off */
static const struct {
    const char *name;
    enum http_method method;
    const char *origin;
    const char *id; /* X-Request-Id */
    const char *headers;
} starts[] = {
    {"plain", HTTP_GET, NULL, NULL, SAFE FRAME},
    {"Origin", HTTP_GET, "http://a.example", NULL, SAFE CORS FRAME},
    {"Origin null", HTTP_POST, "null", NULL, SAFE CORS FRAME},
    {"Origin of any text", HTTP_DELETE, "x y", NULL, SAFE CORS FRAME},
    {"Origin empty", HTTP_GET, "", NULL, SAFE FRAME},
    {"Origin with an IPv6 address", HTTP_GET, "http://[::1]", NULL, SAFE CORS FRAME},
    {"Origin with half a bracket", HTTP_GET, "http://[bad", NULL, SAFE FRAME},
    {"OPTIONS", HTTP_OPTIONS, NULL, NULL, SAFE FRAME},
    {"OPTIONS with Origin", HTTP_OPTIONS, "http://a", NULL, SAFE CORS ALLOW FRAME},
    {"OPTIONS with Origin empty", HTTP_OPTIONS, "", NULL, SAFE FRAME},
    {"id", HTTP_GET, NULL, "abc", SAFE "X-Request-Id: abc\n" FRAME},
    {"id and Origin", HTTP_HEAD, "http://a", "abc", SAFE CORS "X-Request-Id: abc\n" FRAME},
    {"id of ours is not sent", HTTP_GET, NULL, "", SAFE FRAME},
};

static const struct {
    const char *name;
    const char *json;
    const char *indented; /* by 2 */
} indentations[] = {
    {"empty list", "[]", "[]"},
    {"empty object", "{}", "{}"},
    {"text", "\"a:b,{[\"", "\"a:b,{[\""},
    {"object", "{\"a\":1,\"b\":null}", "{\n  \"a\": 1,\n  \"b\": null\n}"},
    {"list", "[1,2]", "[\n  1,\n  2\n]"},
    {"empty ones inside", "{\"a\":[],\"b\":{},\"c\":\"\"}",
     "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": \"\"\n}"},
    {"deeper", "[{\"a\":[1]},{\"b\":-2}]",
     "[\n  {\n    \"a\": [\n      1\n    ]\n  },\n  {\n    \"b\": -2\n  }\n]"},
    {"marks in texts", "{\"a,\":\"{\\\"[:\\\\\",\"b\":\"]\"}",
     "{\n  \"a,\": \"{\\\"[:\\\\\",\n  \"b\": \"]\"\n}"},
};
/* clang-format on */

static void make_request(struct http_request *request, enum http_method method,
                         const char *origin, const char *id)
{
    *request = (struct http_request){.method = method};
    if (origin)
        http_request_add_header(request, "Origin", origin);
    if (id)
        http_request_add_header(request, "X-Request-Id", id);
    http_request_finish_headers(request);
}

/* The headers as they would be sent. */
static void write_headers(const struct http_response *response, char *out, size_t size)
{
    size_t length = 0;

    *out = '\0';
    for (size_t i = 0; i < response->header_count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s: %s\n",
                                   response->headers[i].name, response->headers[i].value);
}

static void test_a_response_starts_with_the_headers_of_all(void)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct http_request request;
        struct http_response response;
        char headers[2048];

        make_request(&request, starts[i].method, starts[i].origin, starts[i].id);
        http_response_start(&response, &request, 404);
        write_headers(&response, headers, sizeof(headers));
        CHECK_TEXT(starts[i].name, "headers", starts[i].headers, headers);
        CHECK(response.status == 404 && response.body.size == 0 && !response.body.failed,
              starts[i].name, "status or body");
    }
}

static void test_a_preflight_is_answered_without_a_body(void)
{
    static const struct {
        const char *name, *origin, *headers;
    } rows[] = {
        {"without Origin", NULL,       SAFE "Vary: Origin\n"           },
        {"with Origin",    "http://a", SAFE CORS ALLOW "Vary: Origin\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_request request;
        struct http_response response;
        char headers[2048];

        make_request(&request, HTTP_OPTIONS, rows[i].origin, NULL);
        http_response_start_preflight(&response, &request);
        write_headers(&response, headers, sizeof(headers));
        CHECK_TEXT(rows[i].name, "headers", rows[i].headers, headers);
        CHECK(response.status == 200 && response.body.size == 0, rows[i].name,
              "status or body");
    }
}

static void test_preflights_are_known(void)
{
    static const struct {
        const char *name;
        enum http_method method;
        const char *asked;
        bool is_preflight;
    } rows[] = {
        {"OPTIONS and the header",       HTTP_OPTIONS, "PUT", true },
        {"OPTIONS and the header empty", HTTP_OPTIONS, "",    true },
        {"OPTIONS alone",                HTTP_OPTIONS, NULL,  false},
        {"GET and the header",           HTTP_GET,     "PUT", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_request request = {.method = rows[i].method};

        request.headers[HTTP_HEADER_PREFLIGHT_METHOD] = rows[i].asked;
        CHECK_NUMBER(rows[i].name, "preflight", rows[i].is_preflight,
                     http_request_is_preflight(&request));
    }
}

/* What share_class promises: the same class, the same headers. */
static void check_pair(size_t i, size_t j)
{
    struct http_request one;
    struct http_request other;
    unsigned class;

    make_request(&one, starts[i].method, starts[i].origin, starts[i].id);
    make_request(&other, starts[j].method, starts[j].origin, starts[j].id);
    class = http_response_share_class(&one);
    if (class != 0 && class == http_response_share_class(&other))
        CHECK_TEXT(starts[i].name, starts[j].name, starts[i].headers, starts[j].headers);
}

static void test_only_answers_with_the_same_headers_are_shared(void)
{
    static const struct {
        const char *name;
        enum http_method method;
        const char *origin;
    } lists[] = {
        {"GET",             HTTP_GET,  NULL      },
        {"HEAD",            HTTP_HEAD, NULL      },
        {"GET with Origin", HTTP_GET,  "http://a"},
    };

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        for (size_t j = 0; j < sizeof(starts) / sizeof(starts[0]); j++)
            check_pair(i, j);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct http_request request;

        make_request(&request, lists[i].method, lists[i].origin, NULL);
        CHECK(http_response_share_class(&request) != 0, lists[i].name, "never shared");
    }
}

/* Of which nothing is known. */
static const struct http_request no_request;

static void render(struct http_response *response, struct http_format format, const char *text)
{
    struct buffer json = {0};

    buffer_append_text(&json, text);
    http_render_json(response, &format, &json);
    CU_ASSERT_PTR_NULL(json.data);
}

static void test_json_goes_out_compact_or_indented(void)
{
    for (size_t i = 0; i < sizeof(indentations) / sizeof(indentations[0]); i++) {
        const char *json = indentations[i].json;
        struct http_response compact = {.request = &no_request, .status = 200};
        struct http_response indented = {.request = &no_request, .status = 200};

        render(&compact, (struct http_format){.media = HTTP_JSON, .indent = 0}, json);
        render(&indented, (struct http_format){.media = HTTP_JSON, .indent = 2}, json);
        CHECK_TEXT(indentations[i].name, "compact", json, compact.body.data);
        CHECK_TEXT(indentations[i].name, "indented", indentations[i].indented,
                   indented.body.data);
        http_response_release(&compact);
        http_response_release(&indented);
    }
}

static void test_the_content_type_names_the_form(void)
{
    static const struct {
        const char *name;
        struct http_format format;
        const char *headers;
    } rows[] = {
        {"compact",  {.media = HTTP_JSON, .indent = 0}, "Content-Type: application/json\n"},
        {"indented", {.media = HTTP_JSON, .indent = 4}, "Content-Type: application/json\n"},
        {"HTML",
         {.media = HTTP_HTML, .indent = 0},
         "Content-Type: text/html; charset=utf-8\n" POLICY                                },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_response response = {.request = &no_request, .status = 200};
        char headers[512];

        render(&response, rows[i].format, "[]");
        write_headers(&response, headers, sizeof(headers));
        CHECK_TEXT(rows[i].name, "headers", rows[i].headers, headers);
        http_response_release(&response);
    }
}

static void test_html_is_escaped(void)
{
    static const char json[] = "{\"title\":\"</pre><script>&'\"}";
    struct http_response response = {.request = &no_request, .status = 201};

    render(&response, (struct http_format){.media = HTTP_HTML, .indent = 0}, json);
    CHECK_CONTAINS("page", "title", "<title>201 Created –  </title>", response.body.data);
    CHECK_CONTAINS("page", "text",
                   "&quot;title&quot;: "
                   "&quot;&lt;/pre&gt;&lt;script&gt;&amp;&#39;&quot;\n}</pre>",
                   response.body.data);
    CU_ASSERT_PTR_NULL(strstr(response.body.data, "<script>"));
    http_response_release(&response);
}

static void test_a_detail_is_escaped(void)
{
    struct http_response response = {.request = &no_request, .status = 405};

    http_render_detail(&response, &(struct http_format){.media = HTTP_JSON, .indent = 0},
                       "Method \"A\\B\" not\nallowed.");
    CHECK_TEXT("detail", "body", "{\"detail\":\"Method \\\"A\\\\B\\\" not\\nallowed.\"}",
               response.body.data);
    http_response_release(&response);
}

#define PROBLEM(title, status)                                                                 \
    "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" status                     \
    ",\"instance\":\"/todos/7\""
#define INVALID PROBLEM("Bad Request", "400") ",\"detail\":\"What was sent is not valid.\""

/* clang-format off */
/* Every form of error that there is, as it is else, and as a problem. */
static void test_errors_are_problems(void)
{
    static const struct {
        unsigned status;
        enum http_method method;
        const char *json;
        const char *problem;
    } rows[] = {
        {400, HTTP_POST,  "{\"title\":[\"a\",\"b \\\" {\"],\"order\":[\"c\"]}",
         INVALID ",\"errors\":[{\"pointer\":\"#/title\",\"detail\":\"a\"},"
                 "{\"pointer\":\"#/title\",\"detail\":\"b \\\" {\"},"
                 "{\"pointer\":\"#/order\",\"detail\":\"c\"}]}"},
        {400, HTTP_PATCH, "{\"3\":{\"title\":[\"a\"]},\"12\":{\"order\":[\"b\"],\"title\":[\"c\"]}}",
         INVALID ",\"errors\":[{\"pointer\":\"#/3/title\",\"detail\":\"a\"},"
                 "{\"pointer\":\"#/12/order\",\"detail\":\"b\"},"
                 "{\"pointer\":\"#/12/title\",\"detail\":\"c\"}]}"},
        {400, HTTP_PUT,   "{\"non_field_errors\":[\"a\"]}",
         INVALID ",\"errors\":[{\"pointer\":\"#\",\"detail\":\"a\"}]}"},
        {400, HTTP_POST,  "{\"3\":{\"non_field_errors\":[\"a\"]}}",
         INVALID ",\"errors\":[{\"pointer\":\"#/3\",\"detail\":\"a\"}]}"},
        {400, HTTP_GET,   "{\"limit\":[\"a\"],\"after\":[\"b\"]}",
         INVALID ",\"errors\":[{\"parameter\":\"limit\",\"detail\":\"a\"},"
                 "{\"parameter\":\"after\",\"detail\":\"b\"}]}"},
        {400, HTTP_POST,  "{\"detail\":\"JSON parse error - \\\"\"}",
         PROBLEM("Bad Request", "400") ",\"detail\":\"JSON parse error - \\\"\"}"},
        {404, HTTP_GET,   "{\"detail\":\"a\"}", PROBLEM("Not Found", "404") ",\"detail\":\"a\"}"},
        {412, HTTP_PUT,   "{\"detail\":\"a\",\"current\":{\"url\":\"b\"}}",
         PROBLEM("Precondition Failed", "412") ",\"detail\":\"a\",\"current\":{\"url\":\"b\"}}"},
        {503, HTTP_GET,   "{\"detail\":\"a\"}",
         PROBLEM("Service Unavailable", "503") ",\"detail\":\"a\"}"},
        {507, HTTP_POST,  "{\"detail\":\"a\"}",
         PROBLEM("Insufficient Storage", "507") ",\"detail\":\"a\"}"},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_request request = {.method = rows[i].method};
        struct http_response plain = {.request = &request, .status = rows[i].status};
        struct http_response problem = plain;

        CU_ASSERT_TRUE(http_request_set_target(&request, "/todos/7?limit=5"));
        render(&plain, (struct http_format){.media = HTTP_JSON}, rows[i].json);
        render(&problem, (struct http_format){.media = HTTP_JSON, .has_problems = true},
               rows[i].json);
        CHECK_TEXT(rows[i].json, "plain", rows[i].json, plain.body.data);
        CHECK_TEXT(rows[i].json, "type", "application/problem+json", problem.headers[0].value);
        CHECK_TEXT(rows[i].json, "problem", rows[i].problem, problem.body.data);
        http_response_release(&plain);
        http_response_release(&problem);
        http_request_release(&request);
    }
}

static void test_a_success_is_no_problem(void)
{
    struct http_response response = {.request = &no_request, .status = 200};

    render(&response, (struct http_format){.media = HTTP_JSON, .has_problems = true}, "[]");
    CHECK_TEXT("success", "type", "application/json", response.headers[0].value);
    CHECK_TEXT("success", "body", "[]", response.body.data);
    http_response_release(&response);
}

static void test_a_header_too_many_is_a_failure(void)
{
    struct http_response response = {.request = &no_request, .status = 200};

    for (unsigned i = 0; i < HTTP_RESPONSE_HEADERS_MAX; i++)
        http_response_add_header(&response, "A", "b");
    CU_ASSERT_FALSE(response.body.failed);
    http_response_add_header(&response, "A", "b");
    CU_ASSERT_TRUE(response.body.failed);
    CU_ASSERT_EQUAL(response.header_count, HTTP_RESPONSE_HEADERS_MAX);
    http_response_release(&response);
}

static void test_every_status_has_its_phrase(void)
{
    static const struct {
        unsigned status;
        const char *text;
    } rows[] = {
        {200, "OK"                    },
        {201, "Created"               },
        {204, "No Content"            },
        {304, "Not Modified"          },
        {400, "Bad Request"           },
        {403, "Forbidden"             },
        {404, "Not Found"             },
        {405, "Method Not Allowed"    },
        {406, "Not Acceptable"        },
        {412, "Precondition Failed"   },
        {413, "Content Too Large"     },
        {415, "Unsupported Media Type"},
        {500, "Internal Server Error" },
        {503, "Service Unavailable"   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_TEXT(rows[i].text, "phrase", rows[i].text, http_status_text(rows[i].status));
    CU_ASSERT_PTR_NOT_NULL(http_status_text(299));
}

CU_TestInfo response_tests[] = {
    {"a response starts with the headers of all",
     test_a_response_starts_with_the_headers_of_all                                              },
    {"a preflight is answered without a body",        test_a_preflight_is_answered_without_a_body},
    {"preflights are known",                          test_preflights_are_known                  },
    {"only answers with the same headers are shared",
     test_only_answers_with_the_same_headers_are_shared                                          },
    {"JSON goes out compact or indented",             test_json_goes_out_compact_or_indented     },
    {"the content type names the form",               test_the_content_type_names_the_form       },
    {"HTML is escaped",                               test_html_is_escaped                       },
    {"errors are problems",                           test_errors_are_problems                   },
    {"a success is no problem",                       test_a_success_is_no_problem               },
    {"a detail is escaped",                           test_a_detail_is_escaped                   },
    {"a header too many is a failure",                test_a_header_too_many_is_a_failure        },
    {"every status has its phrase",                   test_every_status_has_its_phrase           },
    CU_TEST_INFO_NULL,
};
