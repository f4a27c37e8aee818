#include "base/endpoint.h"
#include "suites.h"

#include "../integration/check.h"

#include <string.h>

static void test_endpoints_are_read_and_told(void)
{
    static const struct {
        const char *address;
        unsigned port;
        const char *url;       /* NULL: it is none */
        const char *reachable; /* the URL for this machine */
    } rows[] = {
        {"192.0.2.1",   80,   "http://192.0.2.1:80",      "http://192.0.2.1:80"     },
        {"2001:db8::1", 80,   "http://[2001:db8::1]:80",  "http://[2001:db8::1]:80" },
        {"0.0.0.0",     8000, "http://0.0.0.0:8000",      "http://127.0.0.1:8000"   },
        {"::",          8000, "http://[::]:8000",         "http://127.0.0.1:8000"   },
        {"/run/socket", 8000, "http://unix:/run/socket:", "http://unix:/run/socket:"},
        {"run/socket",  8000, NULL,                       NULL                      },
        {"/",           8000, NULL,                       NULL                      },
        {"",            8000, NULL,                       NULL                      },
        {"localhost",   8000, NULL,                       NULL                      },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *address = rows[i].address;
        struct endpoint endpoint;
        char text[ENDPOINT_ADDRESS_SIZE];
        char url[ENDPOINT_URL_SIZE];

        if (!CHECK(endpoint_parse(&endpoint, address, rows[i].port) == (rows[i].url != NULL),
                   address, "is read or refused") ||
            !rows[i].url)
            continue;
        CHECK_TEXT(address, "address", address, endpoint_print(&endpoint, text));
        CHECK_NUMBER(address, "port", *address == '/' ? 0 : rows[i].port,
                     endpoint_port(&endpoint));
        CHECK_TEXT(address, "URL", rows[i].url, endpoint_print_url(&endpoint, url));
        endpoint_make_reachable(&endpoint);
        CHECK_TEXT(address, "URL for this machine", rows[i].reachable,
                   endpoint_print_url(&endpoint, url));
    }
}

/* The longest path has 107 bytes and a NUL. */
static void test_a_path_must_fit(void)
{
    struct endpoint endpoint;
    char path[110];
    char url[ENDPOINT_URL_SIZE];

    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[108] = '\0';
    CHECK(!endpoint_parse(&endpoint, path, 0), "108 bytes", "are taken");
    path[107] = '\0';
    CHECK(endpoint_parse(&endpoint, path, 0), "107 bytes", "are refused");
    CHECK_CONTAINS("107 bytes", "URL", "aaa:", endpoint_print_url(&endpoint, url));
}

CU_TestInfo endpoint_tests[] = {
    {"endpoints are read and told", test_endpoints_are_read_and_told},
    {"a path must fit",             test_a_path_must_fit            },
    CU_TEST_INFO_NULL,
};
