/*
 * The contract of request bodies: media types, JSON, the three fields, forms; each row over
 * HTTP.
 */

#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <stdio.h>

static struct server server;

int contract_input_init(void)
{
    return server_open(&server, NULL) ? 0 : 1;
}

int contract_input_cleanup(void)
{
    return server_close(&server) ? 0 : 1;
}

#define RUN(rows)   exchange_run(&server, rows, COUNT(rows))
#define FORM        "application/x-www-form-urlencoded"
#define MULTIPART   "multipart/form-data; boundary=BOUND"
#define PARSE_ERROR "{\"detail\":\"JSON parse error - ..."

#define DEFAULTS TODO("{new}", "null", "false", "null")

static void test_media_types(void)
{
    static const struct exchange rows[] = {
        ROW("JSON", SEND("POST", "/todos", NULL, "application/json", "{}"), 201, DEFAULTS, NULL,
            NULL),
        ROW("charset", SEND("POST", "/todos", NULL, "application/json;charset=UTF-8", "{}"),
            201, DEFAULTS, NULL, NULL),
        ROW("bogus charset",
            SEND("POST", "/todos", NULL, "application/json; charset=bogus", "{}"), 201,
            DEFAULTS, NULL, NULL),
        ROW("any case", SEND("POST", "/todos", NULL, "Application/JSON", "{}"), 201, DEFAULTS,
            NULL, NULL),
        ROW("blanks around", SEND("POST", "/todos", NULL, " application/json ", "{}"), 201,
            DEFAULTS, NULL, NULL),
        ROW("*/*", SEND("POST", "/todos", NULL, "*/*", "{}"), 201, DEFAULTS, NULL, NULL),
        ROW("application/*", SEND("POST", "/todos", NULL, "application/*", "{}"), 201, DEFAULTS,
            NULL, NULL),
        ROW("none", SEND("POST", "/todos", NULL, NULL, "{}"), 415, UNSUPPORTED(""), NULL, LIST),
        ROW("empty", SEND("POST", "/todos", NULL, "", "{}"), 415, UNSUPPORTED(""), NULL, LIST),
        ROW("text", SEND("POST", "/todos", NULL, "text/plain; charset=utf-8", "{}"), 415,
            UNSUPPORTED("text/plain; charset=utf-8"), NULL, LIST),
        ROW("text/json", SEND("POST", "/todos", NULL, "text/json", "{}"), 415,
            UNSUPPORTED("text/json"), NULL, LIST),
        ROW("vendor's JSON", SEND("POST", "/todos", NULL, "application/vnd.api+json", "{}"),
            415, UNSUPPORTED("application/vnd.api+json"), NULL, LIST),
        ROW("merge patch",
            SEND("PATCH", "/todos/{id}", NULL, "application/merge-patch+json", "{}"), 415,
            UNSUPPORTED("application/merge-patch+json"), NULL, LIST),
        ROW("two types", SEND("POST", "/todos", NULL, "application/json, text/plain", "{}"),
            415, UNSUPPORTED("application/json, text/plain"), NULL, LIST),
        ROW("multipart/mixed",
            SEND("POST", "/todos", NULL, "multipart/mixed; boundary=B", "--B--"), 415,
            UNSUPPORTED("multipart/mixed; boundary=B"), NULL, LIST),
        ROW("bytes that are no text", SEND("POST", "/todos", NULL, "text/\xff\xfe", "{}"), 415,
            NULL, NULL, LIST),
        ROW("quotes in it", SEND("POST", "/todos", NULL, "a\"b\\c", "{}"), 415,
            UNSUPPORTED("a\\\"b\\\\c"), NULL, LIST),
        ROW("empty body of any type", SEND("POST", "/todos", NULL, "application/xml", ""), 201,
            DEFAULTS, NULL, NULL),
        ROW("no body of any type",
            ASK_WITH("POST", "/todos", "Content-Type: application/xml\r\n"), 201, DEFAULTS,
            NULL, NULL),
        ROW("empty multipart body", SEND("POST", "/todos", NULL, "multipart/form-data", ""),
            201, DEFAULTS, NULL, NULL),
        ROW("put without a body", ASK("PUT", "/todos/{id}"), 200, ALPHA, NULL, LIST),
        ROW("patch without a body", ASK("PATCH", "/todos/{id}"), 200, ALPHA, NULL, LIST),
        ROW("Content-Encoding is ignored where the body has none",
            SEND("POST", "/todos", "Content-Encoding: gzip\r\n", "application/json", "{}"), 201,
            DEFAULTS, NULL, NULL),
        ROW("chunked",
            ASK_WITH("POST", "/todos",
                     "Content-Type: application/json\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n9\r\n{\"title\":\r\n4\r\n\"x\"}\r\n0\r\n"),
            201, TODO("{new}", "\"x\"", "false", "null"), NULL, NULL),
        ROW("Latin-1",
            BYTES("POST", "/todos", "application/json; charset=latin-1",
                  "{\"title\":\"\xe9\"}"),
            201, TODO("{new}", "\"\xc3\xa9\"", "false", "null"), NULL, NULL),
        ROW("UTF-16",
            BYTES("POST", "/todos", "application/json; charset=utf-16",
                  "\xff\xfe{\0\"\0t\0i\0t\0l\0e\0\"\0:\0\"\0\xe5\x65\"\0}\0"),
            201, TODO("{new}", "\"\xe6\x97\xa5\"", "false", "null"), NULL, NULL),
    };
    RUN(rows);
}

#define BAD_JSON(name, text)                                                                   \
    ROW(name, JSON("POST", "/todos", text), 400, PARSE_ERROR,                                  \
        "Content-Type: application/json\n", LIST)
#define BAD_BYTES(name, text)                                                                  \
    ROW(name, BYTES("POST", "/todos", "application/json", text), 400, PARSE_ERROR, NULL, LIST)

static void test_json_that_is_none_is_refused(void)
{
    static const struct exchange rows[] = {
        BAD_JSON("open brace", "{"),
        BAD_JSON("truncated", "{\"title\": \"a\""),
        BAD_JSON("truncated string", "{\"title\": \"a"),
        BAD_JSON("no value", "{\"title\":"),
        BAD_JSON("no colon", "{\"title\" 1}"),
        BAD_JSON("single quotes", "{'title': 'a'}"),
        BAD_JSON("trailing comma", "{\"title\": \"a\",}"),
        BAD_JSON("trailing comma in an array", "[1,]"),
        BAD_JSON("double comma", "{\"title\": \"a\",, \"order\": 1}"),
        BAD_JSON("no comma", "{\"title\": \"a\" \"order\": 1}"),
        BAD_JSON("more after it", "{\"title\": \"a\"} x"),
        BAD_JSON("two values", "{}{}"),
        BAD_JSON("blanks", "   "),
        BAD_JSON("a word", "hello"),
        BAD_JSON("a comment", "{\"title\": \"a\" /* c */}"),
        BAD_JSON("bad literal", "{\"completed\": tru}"),
        BAD_JSON("Python's literal", "{\"completed\": True}"),
        BAD_JSON("number as a key", "{1: 2}"),
        BAD_JSON(".5", "{\"order\": .5}"),
        BAD_JSON("5.", "{\"order\": 5.}"),
        BAD_JSON("05", "{\"order\": 05}"),
        BAD_JSON("+5", "{\"order\": +5}"),
        BAD_JSON("-", "{\"order\": -}"),
        BAD_JSON("1e", "{\"order\": 1e}"),
        BAD_JSON("0x10", "{\"order\": 0x10}"),
        BAD_JSON("NaN", "{\"order\": NaN}"),
        BAD_JSON("NaN in an unknown key", "{\"x\": NaN}"),
        BAD_JSON("Infinity", "{\"order\": Infinity}"),
        BAD_JSON("-Infinity", "{\"order\": -Infinity}"),
        BAD_JSON("raw control byte", "{\"title\": \"a\x01"
                                     "b\"}"),
        BAD_JSON("raw line end in a string", "{\"title\": \"a\nb\"}"),
        BAD_JSON("bad escape", "{\"title\": \"\\x41\"}"),
        BAD_JSON("short escape", "{\"title\": \"\\u12\"}"),
        BAD_JSON("form feed outside", "\f{\"title\": \"a\"}"),
        BAD_JSON("no-break space outside", "\xc2\xa0{}"),
        BAD_JSON("byte order mark", "\xef\xbb\xbf{}"),
        BAD_JSON("deep, open", "{[*100000}"),
        BAD_JSON("deep", "{\"x\":{[*100000}{]*100000}}"),
        BAD_JSON("deep objects", "{{\"a\":*50000}1{}*50000}"),
        BAD_BYTES("NUL after it", "{\"title\": \"a\"}\0"),
        BAD_BYTES("NUL in a string", "{\"title\": \"a\0b\"}"),
        BAD_BYTES("0xff", "{\"title\": \"a\xff"
                          "b\"}"),
        BAD_BYTES("0xff outside", "{\"title\": \"a\"}\xff"),
        BAD_BYTES("Latin-1", "{\"title\": \"caf\xe9\"}"),
        BAD_BYTES("truncated sequence", "{\"title\": \"a\xe2\x98\"}"),
        BAD_BYTES("overlong", "{\"title\": \"\xc0\xaf\"}"),
        BAD_BYTES("surrogate in UTF-8", "{\"title\": \"\xed\xa0\x80\"}"),
        BAD_BYTES("beyond Unicode", "{\"title\": \"\xf4\x90\x80\x80\"}"),
        ROW("on put", JSON("PUT", "/todos/{id}", "{"), 400, PARSE_ERROR, NULL, LIST),
        ROW("on patch", JSON("PATCH", "/todos/{id}", "{"), 400, PARSE_ERROR, NULL, LIST),
        ROW("integer beyond 64 bits",
            JSON("POST", "/todos", "{\"order\":18446744073709551616}"), 400, NULL, NULL, LIST),
        ROW("lone surrogate", JSON("POST", "/todos", "{\"title\":\"\\ud800\"}"), 400, NULL,
            NULL, LIST),
        ROW("second half first", JSON("POST", "/todos", "{\"title\":\"\\ude97\\ud83d\"}"), 400,
            NULL, NULL, LIST),
    };
    RUN(rows);
}

#define NO_OBJECT(type)                                                                        \
    "{\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got " type ".\"]}"

static void test_json_of_any_shape(void)
{
    static const struct exchange rows[] = {
        ROW("list", JSON("POST", "/todos", "[{\"title\":\"a\"}]"), 400, NO_OBJECT("list"), NULL,
            LIST),
        ROW("string", JSON("POST", "/todos", "\"a\""), 400, NO_OBJECT("str"), NULL, LIST),
        ROW("empty string", JSON("POST", "/todos", "\"\""), 400, NO_OBJECT("str"), NULL, LIST),
        ROW("integer", JSON("POST", "/todos", "5"), 400, NO_OBJECT("int"), NULL, LIST),
        ROW("float", JSON("POST", "/todos", "5.5"), 400, NO_OBJECT("float"), NULL, LIST),
        ROW("true", JSON("POST", "/todos", "true"), 400, NO_OBJECT("bool"), NULL, LIST),
        ROW("false", JSON("PUT", "/todos/{id}", "false"), 400, NO_OBJECT("bool"), NULL, LIST),
        ROW("null", JSON("PATCH", "/todos/{id}", "null"), 400,
            "{\"non_field_errors\":[\"No data provided\"]}", NULL, LIST),
        ROW("white space", JSON("POST", "/todos", " \t\r\n{ \"title\"\n:\t\"a\" }\r\n"), 201,
            TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
        ROW("the last of equal keys wins",
            JSON("POST", "/todos", "{\"title\":\"a\",\"title\":\"b\"}"), 201,
            TODO("{new}", "\"b\"", "false", "null"), NULL, NULL),
        ROW("the earlier is not validated",
            JSON("POST", "/todos", "{\"order\":\"x\",\"order\":1}"), 201,
            TODO("{new}", "null", "false", "1"), NULL, NULL),
        ROW("escaped keys", JSON("POST", "/todos", "{\"t\\u0069tle\":\"a\"}"), 201,
            TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
        ROW("unknown keys",
            JSON("POST", "/todos",
                 "{\"title\":\"a\",\"id\":9,\"pk\":9,\"Title\":\"b\",\"x\":{\"y\":[1]},"
                 "\"\xf0\x9f\x9a\x97\":1}"),
            201, TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
        ROW("url is read-only",
            JSON("POST", "/todos", "{\"title\":\"a\",\"url\":\"http://evil.example/\"}"), 201,
            TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
        ROW("url of any kind", JSON("PATCH", "/todos/{id}", "{\"url\":[1]}"), 200, ALPHA, NULL,
            LIST),
        ROW("500 levels in an unknown key",
            JSON("POST", "/todos", "{\"x\":{[*499}{]*499},\"title\":\"a\"}"), 201,
            TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
        ROW("many keys", JSON("POST", "/todos", "{{\"a\":1,*5000}\"title\":\"a\"}"), 201,
            TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
    };
    RUN(rows);
}

#define TITLE(value, shown)                                                                    \
    ROW("title " value, JSON("POST", "/todos", "{\"title\":" value "}"), 201,                  \
        TODO("{new}", shown, "false", "null"), NULL, NULL)
#define TITLE_WRONG(value, errors)                                                             \
    ROW("title " value, JSON("POST", "/todos", "{\"title\":" value "}"), 400,                  \
        "{\"title\":[" errors "]}", NULL, LIST)
#define NO_STRING "\"Not a valid string.\""
#define TOO_LONG  "\"Ensure this field has no more than 256 characters.\""
#define HAS_NUL   "\"Null characters are not allowed.\""

static void test_titles(void)
{
    static const struct exchange rows[] = {
        TITLE("null", "null"),
        TITLE("\"\"", "\"\""),
        TITLE("\"  \"", "\"\""),
        TITLE("\"  padded  \"", "\"padded\""),
        TITLE("\"a  b\"", "\"a  b\""),
        TITLE("\"null\"", "\"null\""),
        TITLE("\"\\t\\n\\u000b\\f\\r\\u001c\\u001d\\u001e\\u001f x \\u001f\"", "\"x\""),
        TITLE("\"\\u0085\\u00a0\\u1680\\u2000\\u200ax\\u2028\\u2029\\u202f\\u205f\\u3000\"",
              "\"x\""),
        TITLE("\"\\u200bx\\u200b\"", "\"\xe2\x80\x8bx\xe2\x80\x8b\""),
        TITLE("\"\\ufeffx\\ufeff\"", "\"\xef\xbb\xbfx\xef\xbb\xbf\""),
        TITLE("\"\\u180ex\"", "\"\xe1\xa0\x8ex\""),
        TITLE("\"<script>alert(1)</script>\"", "\"<script>alert(1)</script>\""),
        TITLE("\"100% %s %(x)s {0} ' \\\" ; --\"", "\"100% %s %(x)s {0} ' \\\" ; --\""),
        TITLE("\"\\\\' OR 1=1\"", "\"\\\\' OR 1=1\""),
        TITLE("5", "\"5\""),
        TITLE("-5", "\"-5\""),
        TITLE("0", "\"0\""),
        TITLE("-0", "\"0\""),
        TITLE("9223372036854775807", "\"9223372036854775807\""),
        TITLE("5.5", "\"5.5\""),
        TITLE("5.0", "\"5.0\""),
        TITLE("-0.0", "\"-0.0\""),
        TITLE("0.1", "\"0.1\""),
        TITLE("1e5", "\"100000.0\""),
        TITLE("1e15", "\"1000000000000000.0\""),
        TITLE("1e16", "\"1e+16\""),
        TITLE("1e-7", "\"1e-07\""),
        TITLE("0.0001", "\"0.0001\""),
        TITLE("0.00001", "\"1e-05\""),
        TITLE("3.141592653589793", "\"3.141592653589793\""),
        TITLE("1e400", "\"inf\""),
        TITLE_WRONG("true", NO_STRING),
        TITLE_WRONG("false", NO_STRING),
        TITLE_WRONG("[]", NO_STRING),
        TITLE_WRONG("[\"a\"]", NO_STRING),
        TITLE_WRONG("{}", NO_STRING),
        TITLE("\"{x*256}\"", "\"{x*256}\""),
        TITLE("\"  {x*256}  \"", "\"{x*256}\""),
        TITLE("\"{\xc3\xa9*256}\"", "\"{\xc3\xa9*256}\""),
        TITLE("\"{\xe6\x97\xa5*256}\"", "\"{\xe6\x97\xa5*256}\""),
        TITLE("\"{\xf0\x9f\x9a\x97*256}\"", "\"{\xf0\x9f\x9a\x97*256}\""),
        TITLE_WRONG("\"{x*257}\"", TOO_LONG),
        TITLE_WRONG("\"{\xe6\x97\xa5*257}\"", TOO_LONG),
        TITLE_WRONG("\"{\xf0\x9f\x9a\x97*257}\"", TOO_LONG),
        TITLE_WRONG("\"a\\u0000b\"", HAS_NUL),
        TITLE_WRONG("\"{x*300}\\u0000\"", TOO_LONG "," HAS_NUL),
    };
    RUN(rows);
}

#define COMPLETED(value, shown)                                                                \
    ROW("completed " value, JSON("POST", "/todos", "{\"completed\":" value "}"), 201,          \
        TODO("{new}", "null", shown, "null"), NULL, NULL)
#define COMPLETED_WRONG(value)                                                                 \
    ROW("completed " value, JSON("POST", "/todos", "{\"completed\":" value "}"), 400,          \
        "{\"completed\":[\"Must be a valid boolean.\"]}", NULL, LIST)

static void test_completed(void)
{
    static const struct exchange rows[] = {
        COMPLETED("true", "true"),
        COMPLETED("1", "true"),
        COMPLETED("1.0", "true"),
        COMPLETED("\"t\"", "true"),
        COMPLETED("\"T\"", "true"),
        COMPLETED("\"y\"", "true"),
        COMPLETED("\"Y\"", "true"),
        COMPLETED("\"yes\"", "true"),
        COMPLETED("\"Yes\"", "true"),
        COMPLETED("\"YES\"", "true"),
        COMPLETED("\"true\"", "true"),
        COMPLETED("\"True\"", "true"),
        COMPLETED("\"TRUE\"", "true"),
        COMPLETED("\"on\"", "true"),
        COMPLETED("\"On\"", "true"),
        COMPLETED("\"ON\"", "true"),
        COMPLETED("\"1\"", "true"),
        COMPLETED("false", "false"),
        COMPLETED("0", "false"),
        COMPLETED("0.0", "false"),
        COMPLETED("-0.0", "false"),
        COMPLETED("-0", "false"),
        COMPLETED("\"f\"", "false"),
        COMPLETED("\"F\"", "false"),
        COMPLETED("\"n\"", "false"),
        COMPLETED("\"N\"", "false"),
        COMPLETED("\"no\"", "false"),
        COMPLETED("\"No\"", "false"),
        COMPLETED("\"NO\"", "false"),
        COMPLETED("\"false\"", "false"),
        COMPLETED("\"False\"", "false"),
        COMPLETED("\"FALSE\"", "false"),
        COMPLETED("\"off\"", "false"),
        COMPLETED("\"Off\"", "false"),
        COMPLETED("\"OFF\"", "false"),
        COMPLETED("\"0\"", "false"),
        COMPLETED_WRONG("\"\""),
        COMPLETED_WRONG("\" true \""),
        COMPLETED_WRONG("\"tRuE\""),
        COMPLETED_WRONG("\"null\""),
        COMPLETED_WRONG("\"oN\""),
        COMPLETED_WRONG("\"1.0\""),
        COMPLETED_WRONG("2"),
        COMPLETED_WRONG("-1"),
        COMPLETED_WRONG("0.5"),
        COMPLETED_WRONG("[]"),
        COMPLETED_WRONG("{}"),
        COMPLETED_WRONG("[true]"),
        ROW("completed null", JSON("POST", "/todos", "{\"completed\":null}"), 400,
            "{\"completed\":[\"This field may not be null.\"]}", NULL, LIST),
    };
    RUN(rows);
}

#define ORDER(value, shown)                                                                    \
    ROW("order " value, JSON("POST", "/todos", "{\"order\":" value "}"), 201,                  \
        TODO("{new}", "null", "false", shown), NULL, NULL)
#define ORDER_WRONG(value, error)                                                              \
    ROW("order " value, JSON("POST", "/todos", "{\"order\":" value "}"), 400,                  \
        "{\"order\":[\"" error "\"]}", NULL, LIST)
#define NO_INTEGER "A valid integer is required."
#define TOO_GREAT  "Ensure this value is less than or equal to 2147483647."
#define TOO_SMALL  "Ensure this value is greater than or equal to -2147483648."

static void test_orders(void)
{
    static const struct exchange rows[] = {
        ORDER("null", "null"),
        ORDER("5", "5"),
        ORDER("-5", "-5"),
        ORDER("0", "0"),
        ORDER("-0", "0"),
        ORDER("5.0", "5"),
        ORDER("-5.0", "-5"),
        ORDER("-0.0", "0"),
        ORDER("1e3", "1000"),
        ORDER("2147483647", "2147483647"),
        ORDER("2147483647.0", "2147483647"),
        ORDER("-2147483648", "-2147483648"),
        ORDER("\"5\"", "5"),
        ORDER("\"+5\"", "5"),
        ORDER("\"-5\"", "-5"),
        ORDER("\"05\"", "5"),
        ORDER("\" 5 \"", "5"),
        ORDER("\"\\t5\\n\"", "5"),
        ORDER("\"5.\"", "5"),
        ORDER("\"5.00\"", "5"),
        ORDER("\"5.0 \"", "5"),
        ORDER("\"5 .0\"", "5"),
        ORDER("\"-2147483648\"", "-2147483648"),
        ORDER("\"{0*999}5\"", "5"),
        ORDER_WRONG("5.5", NO_INTEGER),
        ORDER_WRONG("5e-1", NO_INTEGER),
        ORDER_WRONG("1e16", NO_INTEGER),
        ORDER_WRONG("true", NO_INTEGER),
        ORDER_WRONG("false", NO_INTEGER),
        ORDER_WRONG("[]", NO_INTEGER),
        ORDER_WRONG("[5]", NO_INTEGER),
        ORDER_WRONG("{}", NO_INTEGER),
        ORDER_WRONG("\"\"", NO_INTEGER),
        ORDER_WRONG("\" \"", NO_INTEGER),
        ORDER_WRONG("\".\"", NO_INTEGER),
        ORDER_WRONG("\".0\"", NO_INTEGER),
        ORDER_WRONG("\"5.5\"", NO_INTEGER),
        ORDER_WRONG("\"1e3\"", NO_INTEGER),
        ORDER_WRONG("\"0x10\"", NO_INTEGER),
        ORDER_WRONG("\"1,000\"", NO_INTEGER),
        ORDER_WRONG("\"5.0.0\"", NO_INTEGER),
        ORDER_WRONG("\"- 5\"", NO_INTEGER),
        ORDER_WRONG("\"-\"", NO_INTEGER),
        ORDER_WRONG("\"++5\"", NO_INTEGER),
        ORDER_WRONG("\"null\"", NO_INTEGER),
        ORDER_WRONG("\"inf\"", NO_INTEGER),
        ORDER_WRONG("\"5 5\"", NO_INTEGER),
        ORDER_WRONG("\"5\\u0000\"", NO_INTEGER),
        ORDER_WRONG("\"1_000\"", NO_INTEGER),
        ORDER_WRONG("\"\\u0665\"", NO_INTEGER),
        ORDER_WRONG("2147483648", TOO_GREAT),
        ORDER_WRONG("2147483648.0", TOO_GREAT),
        ORDER_WRONG("1e15", TOO_GREAT),
        ORDER_WRONG("9223372036854775807", TOO_GREAT),
        ORDER_WRONG("\"2147483648\"", TOO_GREAT),
        ORDER_WRONG("\"{9*100}\"", TOO_GREAT),
        ORDER_WRONG("-2147483649", TOO_SMALL),
        ORDER_WRONG("\"-{9*100}\"", TOO_SMALL),
        ORDER_WRONG("-9223372036854775808", TOO_SMALL),
        ORDER_WRONG("\"{0*1001}\"", "String value too large."),
    };
    RUN(rows);
}

static void test_all_wrong_fields_are_named_and_nothing_is_stored(void)
{
    static const struct exchange rows[] = {
        ROW("all three", JSON("POST", "/todos", "{\"order\":[],\"completed\":3,\"title\":{}}"),
            400,
            "{\"title\":[\"Not a valid string.\"],\"completed\":[\"Must be a valid "
            "boolean.\"],\"order\":[\"A valid integer is required.\"]}",
            NULL, LIST),
        ROW("one of two", JSON("POST", "/todos", "{\"title\":\"ok\",\"order\":\"x\"}"), 400,
            "{\"order\":[\"" NO_INTEGER "\"]}", NULL, LIST),
        ROW("put", JSON("PUT", "/todos/{id}", "{\"title\":\"changed\",\"order\":\"x\"}"), 400,
            "{\"order\":[\"" NO_INTEGER "\"]}", NULL, LIST),
        ROW("patch", JSON("PATCH", "/todos/{id}", "{\"title\":\"changed\",\"completed\":null}"),
            400, "{\"completed\":[\"This field may not be null.\"]}", NULL, LIST),
        ROW("form", SEND("POST", "/todos", NULL, FORM, "title=a&completed=x&order=y"), 400,
            "{\"completed\":[\"Must be a valid boolean.\"],\"order\":[\"" NO_INTEGER "\"]}",
            NULL, LIST),
    };
    RUN(rows);
}

static void test_put_and_patch_change_only_the_given_fields(void)
{
    static const struct exchange rows[] = {
        ROW("put title", JSON("PUT", "/todos/{id}", "{\"title\":\"n\"}"), 200,
            TODO("{id}", "\"n\"", "false", "1"), NULL,
            "[" TODO("{id}", "\"n\"", "false", "1") "]"),
        ROW("put completed", JSON("PUT", "/todos/{id}", "{\"completed\":true}"), 200,
            TODO("{id}", "\"alpha\"", "true", "1"), NULL,
            "[" TODO("{id}", "\"alpha\"", "true", "1") "]"),
        ROW("put order", JSON("PUT", "/todos/{id}", "{\"order\":3}"), 200,
            TODO("{id}", "\"alpha\"", "false", "3"), NULL, NULL),
        ROW("put nothing", JSON("PUT", "/todos/{id}", "{}"), 200, ALPHA, NULL, LIST),
        ROW("put null title", JSON("PUT", "/todos/{id}", "{\"title\":null}"), 200,
            TODO("{id}", "null", "false", "1"), NULL, NULL),
        ROW("put null order", JSON("PUT", "/todos/{id}", "{\"order\":null}"), 200,
            TODO("{id}", "\"alpha\"", "false", "null"), NULL, NULL),
        ROW("put trims", JSON("PUT", "/todos/{id}", "{\"title\":\"  n \"}"), 200,
            TODO("{id}", "\"n\"", "false", "1"), NULL, NULL),
        ROW("patch title", JSON("PATCH", "/todos/{id}", "{\"title\":\"\"}"), 200,
            TODO("{id}", "\"\"", "false", "1"), NULL,
            "[" TODO("{id}", "\"\"", "false", "1") "]"),
        ROW("patch completed", JSON("PATCH", "/todos/{id}", "{\"completed\":\"on\"}"), 200,
            TODO("{id}", "\"alpha\"", "true", "1"), NULL, NULL),
        ROW("patch order", JSON("PATCH", "/todos/{id}", "{\"order\":\"7\"}"), 200,
            TODO("{id}", "\"alpha\"", "false", "7"), NULL, NULL),
        ROW("patch null order", JSON("PATCH", "/todos/{id}", "{\"order\":null}"), 200,
            TODO("{id}", "\"alpha\"", "false", "null"), NULL, NULL),
        ROW("patch unknown", JSON("PATCH", "/todos/{id}", "{\"id\":99,\"foo\":1}"), 200, ALPHA,
            NULL, LIST),
        ROW("patch all",
            JSON("PATCH", "/todos/{id}", "{\"title\":\"n\",\"completed\":true,\"order\":2}"),
            200, TODO("{id}", "\"n\"", "true", "2"), NULL,
            "[" TODO("{id}", "\"n\"", "true", "2") "]"),
    };
    RUN(rows);
}

#define POST_FORM(name, text, title, completed, order)                                         \
    ROW(name, SEND("POST", "/todos", NULL, FORM, text), 201,                                   \
        TODO("{new}", title, completed, order), NULL, NULL)

static void test_urlencoded_forms(void)
{
    static const struct exchange rows[] = {
        POST_FORM("all", "title=form+title&completed=true&order=5", "\"form title\"", "true",
                  "5"),
        POST_FORM("title alone", "title=a", "\"a\"", "false", "null"),
        POST_FORM("escapes", "title=caf%C3%A9%20x%2B", "\"caf\xc3\xa9 x+\"", "false", "null"),
        POST_FORM("raw UTF-8", "title=caf\xc3\xa9", "\"caf\xc3\xa9\"", "false", "null"),
        POST_FORM("emoji", "title=%F0%9F%9A%97", "\"\xf0\x9f\x9a\x97\"", "false", "null"),
        POST_FORM("bad escape stays", "title=%zz%4", "\"%zz%4\"", "false", "null"),
        POST_FORM("bad UTF-8", "title=a%FFb",
                  "\"a\xef\xbf\xbd"
                  "b\"",
                  "false", "null"),
        POST_FORM("empty values", "title=&order=&completed=", "\"\"", "false", "null"),
        POST_FORM("no equals sign", "title", "\"\"", "false", "null"),
        POST_FORM("ampersands", "&&title=a&", "\"a\"", "false", "null"),
        POST_FORM("semicolon is no separator", "title=a;order=3", "\"a;order=3\"", "false",
                  "null"),
        POST_FORM("the last wins", "title=a&title=b", "\"b\"", "false", "null"),
        POST_FORM("null is a word", "title=null", "\"null\"", "false", "null"),
        POST_FORM("unknown names", "title=a&url=http://x/&csrfmiddlewaretoken=x", "\"a\"",
                  "false", "null"),
        POST_FORM("order 5.0", "order=5.0", "null", "false", "5"),
        POST_FORM("escaped name", "t%69tle=a", "\"a\"", "false", "null"),
        POST_FORM("equals sign in a value", "title=a=b", "\"a=b\"", "false", "null"),
        ROW("Latin-1", SEND("POST", "/todos", NULL, FORM "; charset=latin-1", "title=caf%E9"),
            201, TODO("{new}", "\"caf\xc3\xa9\"", "false", "null"), NULL, NULL),
        ROW("order null is a word", SEND("POST", "/todos", NULL, FORM, "order=null"), 400,
            "{\"order\":[\"" NO_INTEGER "\"]}", NULL, LIST),
        ROW("too long", SEND("POST", "/todos", NULL, FORM, "title={x*257}"), 400,
            "{\"title\":[" TOO_LONG "]}", NULL, LIST),
        ROW("NUL", SEND("POST", "/todos", NULL, FORM, "title=a%00b"), 400,
            "{\"title\":[" HAS_NUL "]}", NULL, LIST),
        ROW("1000 fields", SEND("POST", "/todos", NULL, FORM, "{a=1&*999}title=b"), 201,
            TODO("{new}", "\"b\"", "false", "null"), NULL, NULL),
        ROW("more than 1000 fields", SEND("POST", "/todos", NULL, FORM, "{a=1&*1001}title=b"),
            400, NULL, NULL, LIST),
        ROW("put resets completed",
            SEND("PUT", "/todos/{id}", NULL, FORM, "title=form&order=4"), 200,
            TODO("{id}", "\"form\"", "false", "4"), NULL, NULL),
        ROW("put of empty values",
            SEND("PUT", "/todos/{id}", NULL, FORM, "title=&order=&completed="), 200,
            TODO("{id}", "\"\"", "false", "null"), NULL, NULL),
        ROW("patch", SEND("PATCH", "/todos/{id}", NULL, FORM, "title=form"), 200,
            TODO("{id}", "\"form\"", "false", "1"), NULL, NULL),
    };
    RUN(rows);
}

static void check_form_update(const char *name, const struct client_request *request,
                              bool completed)
{
    struct client_response response = {0};
    struct client_request placed = *request;
    char path[32];
    clear_todos(&server);
    unsigned id = create_todo(&server, "{\"title\":\"alpha\",\"completed\":true,\"order\":7}");
    snprintf(path, sizeof path, "/todos/%u", id);
    placed.path = path;
    client_ask(server.port, &placed, &response);
    CHECK_NUMBER(name, "status", 200, response.status);
    CHECK_CONTAINS(name, "body",
                   completed ? "\"completed\":true,\"order\":7"
                             : "\"completed\":false,\"order\":7",
                   client_body(&response));
    get_todo(&server, id, &response);
    CHECK_CONTAINS(name, "stored",
                   completed ? "\"completed\":true,\"order\":7"
                             : "\"completed\":false,\"order\":7",
                   client_body(&response));
    client_response_release(&response);
}

#define PART(name, value)                                                                      \
    "--BOUND\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define END "--BOUND--\r\n"

static void test_a_put_form_without_completed_resets_it(void)
{
    static const struct {
        const char *name;
        struct client_request request;
        bool completed;
    } rows[] = {
        ROW("put form", SEND("PUT", NULL, NULL, FORM, "title=a"), false),
        ROW("put empty form", SEND("PUT", NULL, NULL, FORM, ""), false),
        ROW("put form, completed empty", SEND("PUT", NULL, NULL, FORM, "completed="), true),
        ROW("put multipart", SEND("PUT", NULL, NULL, MULTIPART, PART("title", "a") END), false),
        ROW("patch form", SEND("PATCH", NULL, NULL, FORM, "title=a"), true),
        ROW("patch empty form", SEND("PATCH", NULL, NULL, FORM, ""), true),
        ROW("patch multipart", SEND("PATCH", NULL, NULL, MULTIPART, PART("title", "a") END),
            true),
        ROW("put JSON", SEND("PUT", NULL, NULL, "application/json", "{\"title\":\"a\"}"), true),
        ROW("put nothing", SEND("PUT", NULL, NULL, "application/json", ""), true),
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_form_update(rows[i].name, &rows[i].request, rows[i].completed);
}

#define POST_PARTS(name, text, title)                                                          \
    ROW(name, SEND("POST", "/todos", NULL, MULTIPART, text), 201,                              \
        TODO("{new}", title, "false", "null"), NULL, NULL)

static void test_multipart_forms(void)
{
    static const struct exchange rows[] = {
        POST_PARTS("title", PART("title", "a") END, "\"a\""),
        POST_PARTS("UTF-8", PART("title", "\xe6\x97\xa5\xf0\x9f\x9a\x97") END,
                   "\"\xe6\x97\xa5\xf0\x9f\x9a\x97\""),
        POST_PARTS("lines", PART("title", "a\r\nb") END, "\"a\\r\\nb\""),
        POST_PARTS("the last wins", PART("title", "a") PART("title", "b") END, "\"b\""),
        POST_PARTS("empty", PART("title", "") END, "\"\""),
        POST_PARTS("unquoted name",
                   "--BOUND\r\nContent-Disposition: form-data; name=title\r\n\r\na\r\n" END,
                   "\"a\""),
        POST_PARTS(
            "base64",
            "--BOUND\r\nContent-Disposition: form-data; "
            "name=\"title\"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n" END,
            "\"hello\""),
        POST_PARTS("preamble", "before\r\n" PART("title", "a") END, "\"a\""),
        POST_PARTS("no final boundary",
                   "--BOUND\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na\r\n",
                   "\"a\""),
        POST_PARTS("no boundary in it", "hello", "null"),
        POST_PARTS(
            "another file",
            PART("title", "a") "--BOUND\r\nContent-Disposition: form-data; name=\"file\"; "
                               "filename=\"x\"\r\nContent-Type: text/plain\r\n\r\nx\r\n" END,
            "\"a\""),
        POST_PARTS("a boundary's start in a value", PART("title", "a\r\n--BOUNX") END,
                   "\"a\\r\\n--BOUNX\""),
        ROW("all",
            SEND("POST", "/todos", NULL, MULTIPART,
                 PART("title", "a") PART("completed", "on") PART("order", "5") END),
            201, TODO("{new}", "\"a\"", "true", "5"), NULL, NULL),
        ROW("quoted boundary",
            SEND("POST", "/todos", NULL, "multipart/form-data; boundary=\"BOUND\"",
                 PART("title", "a") END),
            201, TODO("{new}", "\"a\"", "false", "null"), NULL, NULL),
        ROW("file as title",
            SEND("POST", "/todos", NULL, MULTIPART,
                 "--BOUND\r\nContent-Disposition: form-data; name=\"title\"; "
                 "filename=\"x\"\r\n\r\nx\r\n" END),
            400, "{\"title\":[\"Not a valid string.\"]}", NULL, LIST),
        ROW("no boundary",
            SEND("POST", "/todos", NULL, "multipart/form-data", PART("title", "a") END), 400,
            "{\"detail\":\"Multipart form parse error - Invalid boundary in multipart: None\"}",
            NULL, LIST),
        ROW("empty boundary",
            SEND("POST", "/todos", NULL,
                 "multipart/form-data; boundary=", PART("title", "a") END),
            400,
            "{\"detail\":\"Multipart form parse error - Invalid boundary in multipart: \"}",
            NULL, LIST),
        ROW("wrong values",
            SEND("POST", "/todos", NULL, MULTIPART,
                 PART("completed", "x") PART("order", "y") END),
            400,
            "{\"completed\":[\"Must be a valid boolean.\"],\"order\":[\"" NO_INTEGER "\"]}",
            NULL, LIST),
    };
    RUN(rows);
}

#define TYPES "application/json, application/x-www-form-urlencoded, multipart/form-data"
#define CODING(name)                                                                           \
    "{\"detail\":\"Unsupported Content-Encoding \\\"" name "\\\": send the body as it is.\"}"
#define CODED(verb, target, coding, text)                                                      \
    SEND(verb, target, "Content-Encoding: " coding "\r\n", "application/json", text)

static void test_what_would_be_taken(void)
{
    static const struct exchange rows[] = {
        ROW("gzip", CODED("POST", "/todos", "gzip", "\x1f\x8b"), 415, CODING("gzip"),
            "Accept-Encoding: identity\nAccept-Patch:\n", LIST),
        ROW("gzip of a PATCH", CODED("PATCH", "/todos/{id}", "gzip", "\x1f\x8b\x08"), 415,
            CODING("gzip"), "Accept-Encoding: identity\nAccept-Patch:\n", LIST),
        ROW("gzip of no body", ASK_WITH("PATCH", "/todos/{id}", "Content-Encoding: gzip\r\n"),
            200, ALPHA, "Accept-Encoding:\n", LIST),
        ROW("gzip of no todo", CODED("PUT", "/todos/{gone}", "gzip", "\x1f\x8b"), 404,
            NOT_FOUND, NULL, LIST),
        ROW("two codings", CODED("PUT", "/todos/{id}", "identity, br", "\x01"), 415,
            CODING("identity, br"), "Accept-Encoding: identity\n", LIST),
        ROW("identity", CODED("PUT", "/todos/{id}", " Identity ", "\x01"), 400, NULL, NULL,
            LIST),
        ROW("empty", CODED("PUT", "/todos/{id}", "", "\x01"), 400, NULL, NULL, LIST),
        ROW("merge patch",
            SEND("PATCH", "/todos/{id}", NULL, "application/merge-patch+json", "{}"), 415,
            UNSUPPORTED("application/merge-patch+json"), "Accept-Patch: " TYPES "\n", LIST),
        ROW("of PUT, none", SEND("PUT", "/todos/{id}", NULL, "text/plain", "{}"), 415,
            UNSUPPORTED("text/plain"), "Accept-Patch:\n", LIST),
        ROW("OPTIONS", ASK("OPTIONS", "/todos/{id}"), 200, NULL, "Accept-Patch: " TYPES "\n",
            LIST),
        ROW("OPTIONS of no todo", ASK("OPTIONS", "/todos/{gone}"), 200, NULL,
            "Accept-Patch: " TYPES "\n", LIST),
    };

    RUN(rows);
}

CU_TestInfo contract_input_tests[] = {
    TEST(test_what_would_be_taken),
    TEST(test_media_types),
    TEST(test_json_that_is_none_is_refused),
    TEST(test_json_of_any_shape),
    TEST(test_titles),
    TEST(test_completed),
    TEST(test_orders),
    TEST(test_all_wrong_fields_are_named_and_nothing_is_stored),
    TEST(test_put_and_patch_change_only_the_given_fields),
    TEST(test_urlencoded_forms),
    TEST(test_a_put_form_without_completed_resets_it),
    TEST(test_multipart_forms),
    CU_TEST_INFO_NULL,
};
