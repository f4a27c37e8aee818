#include "http/negotiate.h"
#include "suites.h"

#include "../integration/check.h"

#define BROWSER                                                                                \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

#define JSON(spaces)                                                                           \
    HTTP_NEGOTIATED,                                                                           \
    {                                                                                          \
        .media = HTTP_JSON, .indent = spaces                                                   \
    }
#define HTML                                                                                   \
    HTTP_NEGOTIATED,                                                                           \
    {                                                                                          \
        .media = HTTP_HTML, .indent = 0                                                        \
    }
#define REFUSED                                                                                \
    HTTP_NOT_ACCEPTABLE,                                                                       \
    {                                                                                          \
        .media = HTTP_JSON, .indent = 0                                                        \
    }
#define UNKNOWN                                                                                \
    HTTP_UNKNOWN_FORMAT,                                                                       \
    {                                                                                          \
        .media = HTTP_JSON, .indent = 0                                                        \
    }

#define PROBLEMS(result, form, indents)                                                        \
    result,                                                                                    \
    {                                                                                          \
        .media = form, .indent = indents, .has_problems = true                                 \
    }
#define JSON_PROBLEMS(spaces) PROBLEMS(HTTP_NEGOTIATED, HTTP_JSON, spaces)
#define HTML_PROBLEMS         PROBLEMS(HTTP_NEGOTIATED, HTTP_HTML, 0)
#define REFUSED_PROBLEMS      PROBLEMS(HTTP_NOT_ACCEPTABLE, HTTP_JSON, 0)
#define UNKNOWN_PROBLEMS      PROBLEMS(HTTP_UNKNOWN_FORMAT, HTTP_JSON, 0)

/* clang-format off */
static const struct {
    const char *name;
    const char *format; /* by suffix or ?format= */
    const char *accept;
    enum http_negotiation result;
    struct http_format wanted;
} rows[] = {
    {"no Accept", NULL, NULL, JSON(0)},
    {"anything", NULL, "*/*", JSON(0)},
    {"application/*", NULL, "application/*", JSON(0)},
    {"JSON", NULL, "application/json", JSON(0)},
    {"JSON in capitals", NULL, "APPLICATION/JSON", JSON(0)},
    {"text/*", NULL, "text/*", HTML},
    {"HTML", NULL, "text/html", HTML},
    {"HTML in capitals", NULL, "Text/HTML", HTML},
    {"browser", NULL, BROWSER, HTML},
    {"any type, JSON", NULL, "*/json", JSON(0)},
    {"any type, HTML", NULL, "*/html", HTML},
    {"parameters need not match", NULL, "application/json; charset=utf-8", JSON(0)},
    {"HTML with a parameter", NULL, "text/html;level=1", HTML},
    {"among others", NULL, "image/png, application/json", JSON(0)},
    {"empty elements", NULL, ", ,application/json,", JSON(0)},
    {"blanks around", NULL, " \ttext/html ; level=1 ", HTML},

    {"problems, and JSON as much", NULL, "application/json, application/problem+json", JSON_PROBLEMS(0)},
    {"problems before JSON", NULL, "application/problem+json, application/json;q=0.9;indent=2", JSON_PROBLEMS(2)},
    {"JSON before problems", NULL, "application/json, application/problem+json;q=0.9", JSON(0)},
    {"problems, or anything", NULL, "Application/Problem+JSON;charset=utf-8, */*;q=0.1", JSON_PROBLEMS(0)},
    {"anything is not a problem", NULL, "application/*, */*", JSON(0)},
    {"no problems", NULL, "application/problem+json;q=0, application/json", JSON(0)},
    {"problems, and HTML as much", NULL, "text/html, application/problem+json", HTML},
    {"problems before HTML", NULL, "text/html;q=0.5, application/problem+json", HTML_PROBLEMS},
    {"nothing but problems", NULL, "application/problem+json", JSON_PROBLEMS(0)},
    {"nothing but problems, as JSON", "json", "application/problem+json", JSON_PROBLEMS(0)},
    {"nothing but problems, as a page", "api", "application/problem+json", REFUSED_PROBLEMS},
    {"no problems", NULL, "application/problem+json;q=0", REFUSED},
    {"an unknown format, and problems", "xml", "application/problem+json, */*;q=0.1", UNKNOWN_PROBLEMS},

    {"empty", NULL, "", REFUSED},
    {"blank", NULL, " ", REFUSED},
    {"garbage", NULL, "garbage", REFUSED},
    {"asterisk alone", NULL, "*", REFUSED},
    {"slash alone", NULL, "/", REFUSED},
    {"no subtype", NULL, "application/", REFUSED},
    {"no type", NULL, "/json", REFUSED},
    {"longer subtype", NULL, "application/jsonp", REFUSED},
    {"shorter subtype", NULL, "application/jso", REFUSED},
    {"longer type", NULL, "xtext/html", REFUSED},
    {"JSON of another kind", NULL, "application/vnd.api+json", REFUSED},
    {"XML", NULL, "application/xml", REFUSED},
    {"image", NULL, "image/png, image/*", REFUSED},
    {"the slash is a parameter's", NULL, "application;x=/json", REFUSED},

    {"both alike", NULL, "text/html, application/json", JSON(0)},
    {"both with the same q", NULL, "text/html;q=0.5, application/json;q=0.5", JSON(0)},
    {"1 is 1.0", NULL, "text/html, application/json;q=1.0", JSON(0)},
    {"HTML preferred", NULL, "text/html;q=1, application/json;q=0.1", HTML},
    {"HTML preferred, other order", NULL, "application/json;q=0.1, text/html;q=1", HTML},
    {"JSON preferred", NULL, "text/html;q=0.5, application/json;q=0.6", JSON(0)},
    {"by the third digit", NULL, "application/json;q=0.123, text/html;q=0.124", HTML},
    {"by the second digit", NULL, "application/json;q=0.19, text/html;q=0.2", HTML},
    {"q in capitals", NULL, "application/json;Q=0.1, text/html", HTML},
    {"blanks before q", NULL, "application/json ; q=0.1,text/html", HTML},
    {"q and a parameter", NULL, "application/json;x=1;q=0.1, text/html;q=0.2", HTML},
    {"JSON excluded", NULL, "application/json;q=0", REFUSED},
    {"JSON excluded to the last digit", NULL, "application/json;q=0.000", REFUSED},
    {"JSON nearly excluded", NULL, "application/json;q=0.001", JSON(0)},
    {"all excluded", NULL, "*/*;q=0", REFUSED},
    {"JSON excluded, all else not", NULL, "*/*, application/json;q=0", HTML},
    {"HTML excluded, all else not", NULL, "text/html;q=0, */*;q=0.1", JSON(0)},
    {"all excluded but HTML", NULL, "*/*;q=0, text/html;q=0.5", HTML},
    {"type beats anything", NULL, "*/*, application/*;q=0.1", HTML},
    {"subtype beats type", NULL, "application/*;q=0.9, application/json;q=0.2, text/html;q=0.5", HTML},
    {"parameters beat subtype", NULL, "application/json;q=0.9, application/json;x=1;q=0.2, text/html;q=0.5", HTML},
    {"HTML or anything", NULL, "text/html, */*;q=0.1", HTML},
    {"HTML excluded, asked by type", NULL, "text/*, text/html;q=0", REFUSED},
    {"q that is no number", NULL, "application/json;q=x", JSON(0)},
    {"q without a value", NULL, "application/json;q", JSON(0)},

    {"indent", NULL, "application/json; indent=4", JSON(4)},
    {"indent 1", NULL, "application/json;indent=1", JSON(1)},
    {"indent 8", NULL, "application/json;indent=8", JSON(8)},
    {"indent 9", NULL, "application/json;indent=9", JSON(8)},
    {"indent 10", NULL, "application/json;indent=10", JSON(8)},
    {"indent beyond any number", NULL, "application/json;indent=99999999999999999999", JSON(8)},
    {"indent 04", NULL, "application/json;indent=04", JSON(4)},
    {"indent 0", NULL, "application/json;indent=0", JSON(0)},
    {"indent negative", NULL, "application/json;indent=-1", JSON(0)},
    {"indent is no number", NULL, "application/json;indent=x", JSON(0)},
    {"indent is hardly a number", NULL, "application/json;indent=4x", JSON(0)},
    {"indent empty", NULL, "application/json;indent=", JSON(0)},
    {"indent without a value", NULL, "application/json;indent", JSON(0)},
    {"indent in capitals", NULL, "application/json;INDENT=2", JSON(2)},
    {"indent of anything", NULL, "*/*; indent=2", JSON(2)},
    {"indent of application/*", NULL, "application/*; indent=3", JSON(3)},
    {"indent and q", NULL, "application/json; q=0.5; indent=2", JSON(2)},
    {"indent on the second mention", NULL, "application/json, application/json; indent=2", JSON(2)},
    {"indent of another type", NULL, "text/plain; indent=2, application/json", JSON(0)},
    {"indent, excluded", NULL, "application/json; indent=2; q=0", REFUSED},

    {"json asked for", "json", NULL, JSON(0)},
    {"json asked for with indent", "json", "application/json; indent=2", JSON(2)},
    {"api asked for", "api", NULL, HTML},
    {"api asked for, anything accepted", "api", "*/*", HTML},
    {"api asked for, JSON preferred", "api", "text/html;q=0.1, application/json", HTML},
    {"json asked for, HTML preferred", "json", BROWSER, JSON(0)},
    {"json asked for, HTML accepted", "json", "text/html", REFUSED},
    {"api asked for, JSON accepted", "api", "application/json", REFUSED},
    {"api asked for and excluded", "api", "text/html;q=0, */*", REFUSED},
    {"nothing asked for", "", "text/html", HTML},
    {"JSON asked for", "JSON", NULL, UNKNOWN},
    {"html asked for", "html", "text/html", UNKNOWN},
    {"xml asked for", "xml", NULL, UNKNOWN},
    {"jso asked for", "jso", NULL, UNKNOWN},
    {"jsonp asked for", "jsonp", NULL, UNKNOWN},
    {"unknown comes before not acceptable", "xml", "image/png", UNKNOWN},
};
/* clang-format on */

static void test_the_best_of_json_and_html_is_chosen(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_format format = {.media = HTTP_HTML, .indent = 99};
        enum http_negotiation result = http_negotiate(rows[i].format, rows[i].accept, &format);

        CHECK_NUMBER(rows[i].name, "result", rows[i].result, result);
        CHECK_NUMBER(rows[i].name, "media", rows[i].wanted.media, format.media);
        CHECK_NUMBER(rows[i].name, "indent", rows[i].wanted.indent, format.indent);
        CHECK_NUMBER(rows[i].name, "problems", rows[i].wanted.has_problems,
                     format.has_problems);
    }
}

static void test_codings_are_as_welcome_as_the_header_says(void)
{
    static const struct {
        const char *accept; /* Accept-Encoding */
        unsigned brotli;
        unsigned identity;
    } codings[] = {
        {"br",                 1000, 1   },
        {"gzip, deflate, br",  1000, 1   },
        {"BR",                 1000, 1   },
        {" br ;q=0.25, gzip",  250,  1   },
        {"br; Q=1.0",          1000, 1   },
        {"br;q=0",             0,    1   },
        {"br;q=0, *",          0,    1000},
        {"*",                  1000, 1000},
        {"*;q=0",              0,    0   },
        {"identity;q=0.5, br", 1000, 500 },
        {"identity",           0,    1000},
        {"brotli, xbr, br2",   0,    1   },
        {"br;level=9",         1000, 1   },
        {"br;",                1000, 1   },
        {", ,;q=1,",           0,    1   },
        {"",                   0,    1   },
    };

    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        const char *accept = codings[i].accept;

        CHECK_NUMBER(accept, "br", codings[i].brotli, http_negotiate_coding(accept, "br"));
        CHECK_NUMBER(accept, "identity", codings[i].identity,
                     http_negotiate_coding(accept, "identity"));
    }
    CU_ASSERT_EQUAL(http_negotiate_coding(NULL, "br"), 0);
    CU_ASSERT_NOT_EQUAL(http_negotiate_coding(NULL, "identity"), 0);
}

CU_TestInfo negotiate_tests[] = {
    {"the best of JSON and HTML is chosen",       test_the_best_of_json_and_html_is_chosen},
    {"codings are as welcome as the header says",
     test_codings_are_as_welcome_as_the_header_says                                       },
    CU_TEST_INFO_NULL,
};
