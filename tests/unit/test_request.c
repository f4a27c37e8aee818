#include "http/request.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

#define BYTES(literal) (literal), sizeof(literal) - 1

static void start(struct http_request *request, const char *method, const char *target,
                  const char *version)
{
    CU_ASSERT_FATAL(http_request_set_target(request, target));
    CU_ASSERT_FATAL(http_request_start(request, method, version));
}

static void check_bytes(const char *row, const char *what, const char *wanted, size_t size,
                        const struct buffer *got)
{
    CHECK(got->size == size && memcmp(got->data, wanted, size) == 0 && got->data[size] == '\0',
          row, "%s: wanted %s (%zu bytes), got %s (%zu)", what, wanted, size,
          got->data ? got->data : "nothing", got->size);
}

/* clang-format off */
static const struct {
    const char *name;
    const char *target;
    const char *path;
    size_t path_size;
    const char *authority;
    const char *query;
} targets[] = {
    {"root", "/", BYTES("/"), "", NULL},
    {"list", "/todos", BYTES("/todos"), "", NULL},
    {"escaped letter", "/%74odos", BYTES("/todos"), "", NULL},
    {"escaped slash", "/todos%2F7", BYTES("/todos/7"), "", NULL},
    {"small and capital digits", "/%c3%A9", BYTES("/\xc3\xa9"), "", NULL},
    {"escaped blank", "/todos/%207", BYTES("/todos/ 7"), "", NULL},
    {"decoded once", "/%2574odos", BYTES("/%74odos"), "", NULL},
    {"plus", "/a+b", BYTES("/a+b"), "", NULL},
    {"no digits", "/%zz", BYTES("/%zz"), "", NULL},
    {"one digit", "/%4", BYTES("/%4"), "", NULL},
    {"second is no digit", "/%4z%41", BYTES("/%4zA"), "", NULL},
    {"percent at the end", "/a%", BYTES("/a%"), "", NULL},
    {"percent percent", "/%%41", BYTES("/%A"), "", NULL},
    {"NUL", "/todos%00", BYTES("/todos\0"), "", NULL},
    {"NUL before a suffix", "/todos%00.json", BYTES("/todos\0.json"), "", NULL},
    {"query", "/todos?format=json", BYTES("/todos"), "", "format=json"},
    {"empty query", "/todos?", BYTES("/todos"), "", ""},
    {"two question marks", "/?a?b", BYTES("/"), "", "a?b"},
    {"escaped question mark", "/a%3Fb", BYTES("/a?b"), "", NULL},
    {"query stays escaped", "/?%66=%2e%2e", BYTES("/"), "", "%66=%2e%2e"},
    {"dot", "/./todos", BYTES("/todos"), "", NULL},
    {"dot at the end", "/todos/.", BYTES("/todos/"), "", NULL},
    {"only a dot", "/.", BYTES("/"), "", NULL},
    {"two dots", "/a/../todos", BYTES("/todos"), "", NULL},
    {"two dots at the end", "/todos/7/..", BYTES("/todos/"), "", NULL},
    {"only two dots", "/..", BYTES("/"), "", NULL},
    {"above the root", "/../../todos", BYTES("/todos"), "", NULL},
    {"up twice", "/a/b/../../todos", BYTES("/todos"), "", NULL},
    {"up past an empty segment", "/a//../todos", BYTES("/a/todos"), "", NULL},
    {"escaped dots", "/a/%2E%2e/todos", BYTES("/todos"), "", NULL},
    {"escaped slash and dots", "/a%2f..%2ftodos", BYTES("/todos"), "", NULL},
    {"three dots", "/.../todos", BYTES("/.../todos"), "", NULL},
    {"dots in a name", "/..a/.b/c..", BYTES("/..a/.b/c.."), "", NULL},
    {"root with a suffix", "/.json", BYTES("/.json"), "", NULL},
    {"dots in the query", "/a?/../b", BYTES("/a"), "", "/../b"},
    {"two slashes", "//todos", BYTES("//todos"), "", NULL},
    {"absolute", "http://example.com/todos?x=1", BYTES("/todos"), "example.com", "x=1"},
    {"absolute, capitals and port", "HTTP://Example.com:81", BYTES("/"), "Example.com:81", NULL},
    {"absolute, https", "https://h/./a%20b", BYTES("/a b"), "h", NULL},
    {"absolute, query only", "http://h?x=1", BYTES("/"), "h", "x=1"},
    {"absolute, IPv6", "http://[::1]:8000/todos", BYTES("/todos"), "[::1]:8000", NULL},
    {"absolute, with a user", "http://a@b/", BYTES("/"), "a@b", NULL},
    {"another scheme", "ftp://h/../x", BYTES("ftp://h/../x"), "", NULL},
    {"asterisk", "*", BYTES("*"), "", NULL},
    {"authority form", "example.com:443", BYTES("example.com:443"), "", NULL},
    {"no slash in front", "a/../todos", BYTES("a/../todos"), "", NULL},
};

static const struct {
    const char *name; /* as it is sent */
    const char *kept;
    enum http_method method;
} methods[] = {
    {"GET", "GET", HTTP_GET},
    {"HEAD", "HEAD", HTTP_HEAD},
    {"POST", "POST", HTTP_POST},
    {"PUT", "PUT", HTTP_PUT},
    {"PATCH", "PATCH", HTTP_PATCH},
    {"DELETE", "DELETE", HTTP_DELETE},
    {"OPTIONS", "OPTIONS", HTTP_OPTIONS},
    {"get", "GET", HTTP_GET},
    {"pAtCh", "PATCH", HTTP_PATCH},
    {"TRACE", "TRACE", HTTP_METHOD_OTHER},
    {"connect", "CONNECT", HTTP_METHOD_OTHER},
    {"GE", "GE", HTTP_METHOD_OTHER},
    {"GETS", "GETS", HTTP_METHOD_OTHER},
    {"f{o`o@z[", "F{O`O@Z[", HTTP_METHOD_OTHER},
};

static const struct {
    const char *name;
    const char *header;
    const char *value;
    bool malformed;
} header_shapes[] = {
    {"plain", "X-Anything", "1", false},
    {"all marks", "!#$%&'*+-.^_`|~09azAZ", "", false},
    {"blank in the name", "Content Length", "1", true},
    {"blank after the name", "Content-Length ", "1", true},
    {"tab in the name", "A\tB", "1", true},
    {"colon in the name", "A:", "1", true},
    {"bracket in the name", "A(", "1", true},
    {"control byte in the name", "A\x01", "1", true},
    {"byte above ASCII in the name", "A\xc3\xa9", "1", true},
    {"no name", "", "1", true},
    {"tab in the value", "A", "a\tb", false},
    {"bytes above ASCII in the value", "A", "caf\xc3\xa9\xff", false},
    {"line feed in the value", "A", "a\nb", true},
    {"carriage return in the value", "A", "a\r", true},
    {"first control byte in the value", "A", "\x01", true},
    {"last control byte in the value", "A", "\x1f", true},
    {"delete in the value", "A", "a\x7f", true},
};

static const struct {
    const char *name;
    const char *query;
    const char *format; /* NULL: there is none */
} queries[] = {
    {"no query", NULL, NULL},
    {"empty query", "", NULL},
    {"alone", "format=json", "json"},
    {"empty", "format=", ""},
    {"without equals sign", "format", ""},
    {"without equals sign, before others", "format&x=1", ""},
    {"between others", "a=1&format=api&b=2", "api"},
    {"last one wins", "format=json&format=api", "api"},
    {"last one wins, empty", "format=json&a=1&format=", ""},
    {"encoded name", "f%6Frm%61t=json", "json"},
    {"encoded, another name", "f%6Frm%62t=json", NULL},
    {"encoded, shorter name", "f%6Frm%61=json", NULL},
    {"encoded, longer name", "f%6Frm%61t%73=json", NULL},
    {"encoded equals sign", "format%3Djson", NULL},
    {"longer name", "formats=json", NULL},
    {"longer name after it", "format=json&formats=api", "json"},
    {"longer name in front", "xformat=json", NULL},
    {"shorter name", "forma=json", NULL},
    {"shorter name at the end", "x=1&form", NULL},
    {"other case", "Format=json", NULL},
    {"as a value", "x=format", NULL},
    {"escaped value", "format=%6ason", "json"},
    {"escaped ampersand", "format=a%26b", "a&b"},
    {"a plus is a space", "format=a+b", "a b"},
    {"second equals sign", "format=a=b", "a=b"},
    {"semicolon is no separator", "format=a;format=b", "a;format=b"},
    {"empty parts", "&&format=json&", "json"},
    {"only separators", "&&", NULL},
    {"bad escape", "format=%zz", "%zz"},
};

#define INVALID "not a valid host name"
#define LONG    "too long"
#define OTHER   "not served here"

static const struct {
    const char *name;
    const char *host;
    const char *allowed;
    const char *problem; /* NULL: the host is good */
} hosts[] = {
    {"none", NULL, "example.com", NULL},
    {"name", "example.com", "*", NULL},
    {"capitals", "EXAMPLE.Com", "*", NULL},
    {"digits and dashes", "my-host-1", "*", NULL},
    {"international name", "xn--bcher-kva.de", "*", NULL},
    {"trailing dot", "example.com.", "*", NULL},
    {"trailing dot and port", "example.com.:80", "*", NULL},
    {"port", "example.com:1234", "*", NULL},
    {"port 0", "example.com:0", "*", NULL},
    {"port beyond the range", "example.com:70000", "*", NULL},
    {"IPv4", "10.1.2.3:8000", "*", NULL},
    {"IPv6", "[::1]", "*", NULL},
    {"IPv6 and port", "[2001:DB8::1]:8000", "*", NULL},
    {"IPv6 with an IPv4 end", "[::ffff:10.0.0.1]", "*", NULL},
    {"empty", "", "*", INVALID},
    {"underscore", "a_b", "*", INVALID},
    {"blank", "a b", "*", INVALID},
    {"blank in front", " a", "*", INVALID},
    {"slash", "a/b", "*", INVALID},
    {"user", "a@b", "*", INVALID},
    {"comma", "a,b", "*", INVALID},
    {"quote", "a\"b", "*", INVALID},
    {"angle bracket", "<b>", "*", INVALID},
    {"not ASCII", "b\xc3\xbc" "cher", "*", INVALID},
    {"asterisk", "*", "*", INVALID},
    {"colon without port", "a:", "*", INVALID},
    {"port is no number", "a:x", "*", INVALID},
    {"port is hardly a number", "a:8x", "*", INVALID},
    {"negative port", "a:-1", "*", INVALID},
    {"two ports", "a:80:90", "*", INVALID},
    {"only a port", ":80", "*", INVALID},
    {"IPv6 without brackets", "::1", "*", INVALID},
    {"IPv6 not closed", "[::1", "*", INVALID},
    {"IPv6, text behind", "[::1]x", "*", INVALID},
    {"IPv6, no port behind the colon", "[::1]:", "*", INVALID},
    {"IPv6 with a zone", "[fe80::1%25eth0]", "*", INVALID},
    {"IPv6, no digit", "[::g]", "*", INVALID},
    {"IPv4 in brackets", "[127.0.0.1]", "*", INVALID},
    {"name in brackets", "[abc]", "*", INVALID},
    {"empty brackets", "[]", "*", INVALID},
    {"colon in brackets", "[:]", "*", INVALID},
    {"nothing after the colon in brackets", "[abc:]", "*", INVALID},
    {"dot before the first colon in brackets", "[1.2:3]", "*", INVALID},
    {"as long as allowed", "a123456789b12345:890", "*", NULL},
    {"longer than allowed", "a123456789b12345:8901", "*", LONG},
    {"long and invalid", "a123456789b123456789_", "*", INVALID},
    {"allowed", "example.com", "example.com", NULL},
    {"allowed, other case", "Example.COM", "eXample.com", NULL},
    {"allowed, with port", "example.com:81", "example.com", NULL},
    {"not allowed", "example.org", "example.com", OTHER},
};

static const struct {
    const char *name;
    const char *host;
    const char *proto; /* X-Forwarded-Proto */
    const char *ssl;   /* X-Forwarded-SSL */
    const char *url;
} base_urls[] = {
    {"as it was sent", "EXAMPLE.com.:80", NULL, NULL, "http://EXAMPLE.com.:80"},
    {"no Host", NULL, NULL, NULL, "http://machine:8000"},
    {"https", "h", "https", NULL, "https://h"},
    {"HTTPS", "h", "HTTPS", NULL, "https://h"},
    {"no Host, https", NULL, "https", NULL, "https://machine:8000"},
    {"http", "h", "http", NULL, "http://h"},
    {"another scheme", "h", "gopher", NULL, "http://h"},
    {"empty scheme", "h", "", NULL, "http://h"},
    {"more than https", "h", "httpsx", NULL, "http://h"},
    {"https first of two", "h", "https,http", NULL, "https://h"},
    {"https first, blanks", "h", " https , http", NULL, "https://h"},
    {"https behind nothing", "h", ", https", NULL, "https://h"},
    {"https last of two", "h", "http,https", NULL, "http://h"},
    {"commas alone", "h", ", ,", NULL, "http://h"},
    {"SSL on", "h", NULL, "on", "https://h"},
    {"SSL ON", "h", NULL, "ON", "https://h"},
    {"SSL off", "h", NULL, "off", "http://h"},
    {"SSL of another kind", "h", NULL, "1", "http://h"},
    {"http and SSL on", "h", "http", "on", "https://h"},
    {"https and SSL off", "h", "https", "off", "https://h"},
};

#define EIGHT "abcdefg8"

static const struct {
    const char *name;
    const char *id;
    bool kept;
} ids[] = {
    {"letters and digits", "azAZ09", true},
    {"marks", "-_.:=+/", true},
    {"64 bytes", EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT, true},
    {"65 bytes", EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT "x", false},
    {"none", NULL, false},
    {"empty", "", false},
    {"blank", "a b", false},
    {"quote", "a\"b", false},
    {"bracket", "<b>", false},
    {"not ASCII", "\xc3\xa9", false},
};
/* clang-format on */

static void test_targets_are_taken_apart(void)
{
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        http_request_clear(&request);
        start(&request, "GET", targets[i].target, "HTTP/1.1");
        CHECK_TEXT(targets[i].name, "target", targets[i].target, request.target.data);
        check_bytes(targets[i].name, "path", targets[i].path, targets[i].path_size,
                    &request.path);
        CHECK_TEXT(targets[i].name, "authority", targets[i].authority,
                   request.authority.data ? request.authority.data : "");
        CHECK_TEXT(targets[i].name, "query", targets[i].query, request.query);
    }
    http_request_release(&request);
}

static void test_methods_are_known_in_any_case(void)
{
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        http_request_clear(&request);
        start(&request, methods[i].name, "/", "HTTP/1.1");
        CHECK_NUMBER(methods[i].name, "method", methods[i].method, request.method);
        CHECK_TEXT(methods[i].name, "name", methods[i].kept, request.method_name.data);
    }
    http_request_release(&request);
}

static void test_the_version_is_kept(void)
{
    struct http_request request = {0};

    start(&request, "GET", "/", "HTTP/1.1");
    CU_ASSERT_TRUE(request.http_1_1);
    http_request_clear(&request);
    start(&request, "GET", "/", "HTTP/1.0");
    CU_ASSERT_FALSE(request.http_1_1);
    http_request_release(&request);
}

static void test_bytes_are_decoded_without_their_neighbours(void)
{
    struct buffer out = {0};

    http_percent_decode(&out, "%41%42", 5); /* the 2 is not ours any more */
    check_bytes("cut escape", "decoded", BYTES("A%4"), &out);
    http_percent_decode(&out, "%", 1);
    check_bytes("appended", "decoded", BYTES("A%4%"), &out);
    buffer_release(&out);
}

/* What is kept of two headers of a name: lists come in parts. */
static const char *kept_of_two(unsigned header)
{
    bool is_list = header == HTTP_HEADER_ACCEPT || header == HTTP_HEADER_ACCEPT_ENCODING ||
                   header == HTTP_HEADER_CONTENT_ENCODING || header == HTTP_HEADER_IF_MATCH ||
                   header == HTTP_HEADER_IF_NONE_MATCH || header == HTTP_HEADER_PREFER;

    return is_list ? "first, second" : "first";
}

static void test_headers_are_found_in_any_case_and_counted(void)
{
    static const char *const names[HTTP_HEADER_COUNT] = {
        [HTTP_HEADER_ACCEPT] = "aCCEPT",
        [HTTP_HEADER_ACCEPT_ENCODING] = "accept-Encoding",
        [HTTP_HEADER_CONTENT_ENCODING] = "content-encoding",
        [HTTP_HEADER_CONTENT_LENGTH] = "content-length",
        [HTTP_HEADER_CONTENT_TYPE] = "CONTENT-TYPE",
        [HTTP_HEADER_HOST] = "hOST",
        [HTTP_HEADER_IDEMPOTENCY_KEY] = "idempotency-KEY",
        [HTTP_HEADER_IF_MATCH] = "IF-match",
        [HTTP_HEADER_IF_NONE_MATCH] = "if-NONE-match",
        [HTTP_HEADER_PREFER] = "PREFER",
        [HTTP_HEADER_ORIGIN] = "origin",
        [HTTP_HEADER_PREFLIGHT_METHOD] = "access-control-request-method",
        [HTTP_HEADER_TRANSFER_ENCODING] = "transfer-encoding",
        [HTTP_HEADER_FORWARDED_FOR] = "x-forwarded-FOR",
        [HTTP_HEADER_FORWARDED_HOST] = "X-forwarded-host",
        [HTTP_HEADER_FORWARDED_PROTO] = "x-forwarded-proto",
        [HTTP_HEADER_FORWARDED_SSL] = "x-forwarded-ssl",
        [HTTP_HEADER_REQUEST_ID] = "x-request-id",
        [HTTP_HEADER_TRACE_PARENT] = "TRACEPARENT",
        [HTTP_HEADER_USER_AGENT] = "user-agent",
        [HTTP_HEADER_AMZN_TRACE_ID] = "x-amzn-trace-id",
    };
    struct http_request request = {0};

    for (unsigned i = 0; i < HTTP_HEADER_COUNT; i++) {
        http_request_clear(&request);
        http_request_add_header(&request, names[i], "first");
        http_request_add_header(&request, names[i], "second");
        for (unsigned j = 0; j < HTTP_HEADER_COUNT; j++) {
            CHECK_TEXT(names[i], names[j], i == j ? kept_of_two(i) : NULL, request.headers[j]);
            CHECK_NUMBER(names[i], names[j], i == j ? 2 : 0, request.header_count[j]);
        }
    }
    http_request_release(&request);
}

static void test_names_like_a_header_are_none(void)
{
    static const char *const names[] = {"Hos", "Hosts", "X-Host", "X-Forwarded-Port", "Accep"};
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        http_request_add_header(&request, names[i], "x");
    for (unsigned i = 0; i < HTTP_HEADER_COUNT; i++)
        CHECK(!request.headers[i] && request.header_count[i] == 0, "like a header", "%u", i);
    http_request_release(&request);
}

static void test_malformed_headers_are_seen(void)
{
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(header_shapes) / sizeof(header_shapes[0]); i++) {
        http_request_clear(&request);
        http_request_add_header(&request, header_shapes[i].header, header_shapes[i].value);
        http_request_add_header(&request, "Good", "value");
        CHECK_NUMBER(header_shapes[i].name, "malformed", header_shapes[i].malformed,
                     request.header_malformed);
    }
    http_request_release(&request);
}

/* RFC 9112, section 3.2.2: the target's authority, not the Host header, is what counts. */
static void test_an_absolute_target_gives_the_host(void)
{
    static const struct {
        const char *name, *target, *version, *host, *wanted;
    } rows[] = {
        {"origin form",         "/todos",          "HTTP/1.1", "a",  "a" },
        {"absolute form",       "http://b/todos",  "HTTP/1.1", "a",  "b" },
        {"absolute, no Host",   "http://b/todos",  "HTTP/1.1", NULL, NULL},
        {"absolute, HTTP/1.0",  "http://b/todos",  "HTTP/1.0", "a",  "b" },
        {"the same",            "http://a/todos",  "HTTP/1.1", "a",  "a" },
        {"without authority",   "http:///todos",   "HTTP/1.1", "a",  "a" },
        {"no Host in HTTP/1.0", "https://b/todos", "HTTP/1.0", NULL, "b" },
    };
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        http_request_clear(&request);
        start(&request, "GET", rows[i].target, rows[i].version);
        if (rows[i].host)
            http_request_add_header(&request, "Host", rows[i].host);
        http_request_finish_headers(&request);
        CHECK_TEXT(rows[i].name, "Host", rows[i].wanted, request.headers[HTTP_HEADER_HOST]);
    }
    http_request_release(&request);
}

static void test_the_last_query_parameter_counts(void)
{
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        const struct http_request request = {.query = queries[i].query};
        struct buffer value = {0};
        bool found = http_request_query(&request, "format", &value);

        CHECK_TEXT(queries[i].name, "format", queries[i].format,
                   found ? (value.data ? value.data : "") : NULL);
        CHECK(found || value.size == 0, queries[i].name, "something was appended");
        buffer_release(&value);
    }
}

static void test_a_query_parameter_is_appended(void)
{
    const struct http_request request = {.query = "format=json"};
    struct buffer value = {0};

    buffer_append_text(&value, "a ");
    CU_ASSERT_TRUE(http_request_query(&request, "format", &value));
    CHECK_TEXT("appended", "value", "a json", value.data);
    buffer_release(&value);
}

static void test_hosts_are_checked(void)
{
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct http_request request = {0};
        const char *problem;

        request.headers[HTTP_HEADER_HOST] = hosts[i].host;
        problem = http_host_problem(&request, hosts[i].allowed, 20);
        if (hosts[i].problem)
            CHECK_CONTAINS(hosts[i].name, "problem", hosts[i].problem, problem);
        else
            CHECK_TEXT(hosts[i].name, "problem", NULL, problem);
    }
}

static void test_the_base_url_is_scheme_and_host(void)
{
    for (size_t i = 0; i < sizeof(base_urls) / sizeof(base_urls[0]); i++) {
        struct http_request request = {0};
        struct buffer url = {0};

        request.headers[HTTP_HEADER_HOST] = base_urls[i].host;
        request.headers[HTTP_HEADER_FORWARDED_PROTO] = base_urls[i].proto;
        request.headers[HTTP_HEADER_FORWARDED_SSL] = base_urls[i].ssl;
        http_request_base_url(&request, "machine:8000", &url);
        CHECK_TEXT(base_urls[i].name, "url", base_urls[i].url, url.data);
        buffer_release(&url);
    }
}

struct forwarded_row {
    const char *name;
    const char *proxies, *peer;
    const char *headers[7]; /* name, value, ..., NULL */
    const char *client;     /* NULL: the peer */
    const char *url;
};

#define FOR(...)                                                                               \
    {                                                                                          \
        __VA_ARGS__                                                                            \
    }
#define X_FOR   "X-Forwarded-For"
#define X_HOST  "X-Forwarded-Host"
#define X_PROTO "X-Forwarded-Proto"

/* clang-format off */
static const struct forwarded_row forwarded_rows[] = {
    {"not set: scheme from anyone", "", "6.6.6.6", FOR(X_PROTO, "https", X_HOST, "b", X_FOR, "1.1.1.1"), NULL, "https://a"},
    {"set, a stranger", "10.0.0.0/8", "6.6.6.6", FOR(X_PROTO, "https", X_HOST, "b", X_FOR, "1.1.1.1"), NULL, "http://a"},
    {"set, a stranger's SSL", "10.0.0.0/8", "6.6.6.6", FOR("X-Forwarded-SSL", "on"), NULL, "http://a"},
    {"set, the proxy", "10.0.0.0/8", "10.1.1.1", FOR(X_PROTO, "https", X_HOST, "b:81", X_FOR, "1.1.1.1"), "1.1.1.1", "https://b:81"},
    {"set, the proxy's SSL", "10.0.0.0/8", "10.1.1.1", FOR("X-Forwarded-SSL", "on"), NULL, "https://a"},
    {"the proxy, IPv4-mapped", "10.0.0.0/8", "::ffff:10.1.1.1", FOR(X_FOR, "::ffff:1.1.1.1"), "1.1.1.1", "http://a"},
    {"the proxy says nothing", "10.0.0.0/8", "10.1.1.1", FOR(NULL), NULL, "http://a"},
    {"right-most of the untrusted", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1, 2.2.2.2,10.2.2.2 , 10.3.3.3"), "2.2.2.2", "http://a"},
    {"two headers are one list", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1", X_FOR, "2.2.2.2", X_FOR, "10.2.2.2"), "2.2.2.2", "http://a"},
    {"a second header of strangers", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1", X_FOR, "10.2.2.2, 2.2.2.2"), "2.2.2.2", "http://a"},
    {"all are proxies: the first", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "10.2.2.2, 10.3.3.3"), "10.2.2.2", "http://a"},
    {"everybody is trusted: the first", "*", "6.6.6.6", FOR(X_FOR, "1.1.1.1, 2.2.2.2"), "1.1.1.1", "http://a"},
    {"what is no address hides the rest", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1, unknown, 10.2.2.2"), "10.2.2.2", "http://a"},
    {"no address at the right", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1, unknown"), NULL, "http://a"},
    {"no address at the left", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "unknown, 1.1.1.1"), "1.1.1.1", "http://a"},
    {"nothing but commas", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, ",, ,"), NULL, "http://a"},
    {"with ports", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1:80, 10.2.2.2:81"), "1.1.1.1", "http://a"},
    {"IPv6", "fd00::/8", "fd00::1", FOR(X_FOR, "2001:db8::1, fd00::2"), "2001:db8::1", "http://a"},
    {"IPv6 in brackets", "fd00::/8", "fd00::1", FOR(X_FOR, "[2001:db8::1], [fd00::2]:80"), "2001:db8::1", "http://a"},
    {"no port behind the colon", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "1.1.1.1:x"), NULL, "http://a"},
    {"brackets alone", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "[]"), NULL, "http://a"},
    {"a bracket alone", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "["), NULL, "http://a"},
    {"a colon alone", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, ":"), NULL, "http://a"},
    {"IPv4 in brackets", "10.0.0.0/8", "10.1.1.1", FOR(X_FOR, "[1.1.1.1]:80"), "1.1.1.1", "http://a"},
    {"a text longer than any address", "10.0.0.0/8", "10.1.1.1",
     FOR(X_FOR, "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"), NULL, "http://a"},
    {"first host of two", "10.0.0.0/8", "10.1.1.1", FOR(X_HOST, "b, c"), NULL, "http://b"},
    {"host of two headers", "10.0.0.0/8", "10.1.1.1", FOR(X_HOST, "b", X_HOST, "c"), NULL, "http://b"},
    {"host that is none", "10.0.0.0/8", "10.1.1.1", FOR(X_HOST, "b/c"), NULL, "http://a"},
    {"host with half a port", "10.0.0.0/8", "10.1.1.1", FOR(X_HOST, "b:"), NULL, "http://a"},
    {"empty host", "10.0.0.0/8", "10.1.1.1", FOR(X_HOST, ""), NULL, "http://a"},
    {"IPv6 host", "10.0.0.0/8", "10.1.1.1", FOR(X_HOST, "[::1]:80"), NULL, "http://[::1]:80"},
};
/* clang-format on */

static void check_forwarded(const struct forwarded_row *row, struct http_request *request)
{
    struct cidr_list proxies;
    struct in6_addr peer;
    char client[INET6_ADDRSTRLEN];
    struct buffer url = {0};

    CU_ASSERT_TRUE(cidr_list_parse(&proxies, row->proxies));
    CU_ASSERT_TRUE(cidr_parse_address(row->peer, strlen(row->peer), &peer));
    http_request_set_peer(request, &proxies, &peer);
    http_request_clear(request);
    start(request, "GET", "/", "HTTP/1.1");
    http_request_add_header(request, "Host", "a");
    for (size_t i = 0; row->headers[i]; i += 2)
        http_request_add_header(request, row->headers[i], row->headers[i + 1]);
    http_request_finish_headers(request);
    CHECK_TEXT(row->name, "client", row->client,
               request->is_forwarded ? cidr_print_address(&request->client, client) : NULL);
    http_request_base_url(request, "machine", &url);
    CHECK_TEXT(row->name, "url", row->url, url.data);
    buffer_release(&url);
}

static void test_proxies_are_believed_if_they_are_trusted(void)
{
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(forwarded_rows) / sizeof(forwarded_rows[0]); i++)
        check_forwarded(&forwarded_rows[i], &request);
    http_request_release(&request);
}

/* What X-Forwarded-Host says must not hide from the guard that there is no Host. */
static void test_a_forwarded_host_is_no_host(void)
{
    struct http_request request = {0};
    struct in6_addr peer = {0};
    struct cidr_list proxies;

    CU_ASSERT_TRUE(cidr_list_parse(&proxies, "*"));
    http_request_set_peer(&request, &proxies, &peer);
    start(&request, "GET", "/", "HTTP/1.1");
    http_request_add_header(&request, "X-Forwarded-Host", "b");
    http_request_finish_headers(&request);
    CHECK_TEXT("no Host", "Host", NULL, request.headers[HTTP_HEADER_HOST]);
    http_request_release(&request);
}

static void test_a_plain_request_id_is_kept(void)
{
    struct http_request request = {0};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        http_request_clear(&request);
        if (ids[i].id)
            http_request_add_header(&request, "X-Request-Id", ids[i].id);
        http_request_finish_headers(&request);
        CHECK_NUMBER(ids[i].name, "given", ids[i].kept, request.id_given);
        if (ids[i].kept)
            CHECK_TEXT(ids[i].name, "id", ids[i].id, request.id);
        else
            CHECK(strlen(request.id) == 16 && strspn(request.id, "0123456789abcdef") == 16,
                  ids[i].name, "an id of ours: %s", request.id);
    }
    http_request_release(&request);
}

static void test_our_request_ids_differ(void)
{
    struct http_request request = {0};
    char seen[100][sizeof(request.id)];

    for (size_t i = 0; i < 100; i++) {
        http_request_clear(&request);
        http_request_finish_headers(&request);
        (void)snprintf(seen[i], sizeof(seen[i]), "%s", request.id);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(seen[i], seen[j]) != 0, "ids", "%s twice", seen[i]);
    }
    http_request_release(&request);
}

static void fill(struct http_request *request, size_t body_size)
{
    start(request, "PUT", "http://h/todos/7?format=json", "HTTP/1.1");
    for (size_t i = 0; i < body_size; i++)
        buffer_append_char(&request->body, 'x');
    http_request_add_header(request, "Host", "h");
    http_request_add_header(request, "Bad Header", "1");
    http_request_add_header(request, "X-Request-Id", "abc");
    http_request_finish_headers(request);
}

static void test_clearing_forgets_everything_but_the_memory(void)
{
    struct http_request request = {0};
    const char *body;

    fill(&request, 100);
    body = request.body.data;
    http_request_clear(&request);
    CU_ASSERT(request.method_name.size == 0 && request.target.size == 0 &&
              request.path.size == 0 && request.authority.size == 0 && request.body.size == 0);
    CU_ASSERT(!request.query && !request.headers[HTTP_HEADER_HOST]);
    CU_ASSERT(request.header_count[HTTP_HEADER_HOST] == 0 && !request.header_malformed);
    CU_ASSERT(request.id[0] == '\0' && !request.id_given);
    CU_ASSERT_PTR_EQUAL(request.body.data, body);
    http_request_release(&request);
}

static void test_clearing_gives_back_a_large_body(void)
{
    struct http_request request = {0};

    fill(&request, 100000);
    http_request_clear(&request);
    CU_ASSERT_EQUAL(request.body.capacity, 0);
    http_request_release(&request);
    http_request_release(&request); /* nothing is left: releasing that is fine */
}

CU_TestInfo request_tests[] = {
    {"targets are taken apart",                    test_targets_are_taken_apart                 },
    {"methods are known in any case",              test_methods_are_known_in_any_case           },
    {"the version is kept",                        test_the_version_is_kept                     },
    {"bytes are decoded without their neighbours",
     test_bytes_are_decoded_without_their_neighbours                                            },
    {"headers are found in any case and counted",
     test_headers_are_found_in_any_case_and_counted                                             },
    {"names like a header are none",               test_names_like_a_header_are_none            },
    {"malformed headers are seen",                 test_malformed_headers_are_seen              },
    {"an absolute target gives the host",          test_an_absolute_target_gives_the_host       },
    {"the last query parameter counts",            test_the_last_query_parameter_counts         },
    {"a query parameter is appended",              test_a_query_parameter_is_appended           },
    {"hosts are checked",                          test_hosts_are_checked                       },
    {"the base URL is scheme and host",            test_the_base_url_is_scheme_and_host         },
    {"proxies are believed if they are trusted",   test_proxies_are_believed_if_they_are_trusted},
    {"a forwarded host is no Host",                test_a_forwarded_host_is_no_host             },
    {"a plain request id is kept",                 test_a_plain_request_id_is_kept              },
    {"our request ids differ",                     test_our_request_ids_differ                  },
    {"clearing forgets everything but the memory",
     test_clearing_forgets_everything_but_the_memory                                            },
    {"clearing gives back a large body",           test_clearing_gives_back_a_large_body        },
    CU_TEST_INFO_NULL,
};
