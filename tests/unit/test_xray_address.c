#include "base/xray_address.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

static void test_addresses_are_read_as_the_sdks_do(void)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: it is malformed */
        const char *port;
    } rows[] = {
        {"127.0.0.1:2000",                        "127.0.0.1",         "2000" },
        {"xray-daemon.local:2000",                "xray-daemon.local", "2000" },
        {"a:1",                                   "a",                 "1"    },
        {"a:65535",                               "a",                 "65535"},
        {"[2001:db8::1]:2000",                    "2001:db8::1",       "2000" },
        {"[::1]:2000",                            "::1",               "2000" },
        {"udp:127.0.0.1:2000 tcp:127.0.0.2:3000", "127.0.0.1",         "2000" },
        {"tcp:127.0.0.2:3000 udp:127.0.0.1:2000", "127.0.0.1",         "2000" },
        {"udp:[::1]:2000 tcp:[::2]:3000",         "::1",               "2000" },
        {"tcp:[::2]:3000 udp:[::1]:2000",         "::1",               "2000" },
        {"",                                      NULL,                NULL   },
        {"127.0.0.1",                             NULL,                NULL   },
        {"127.0.0.1:",                            NULL,                NULL   },
        {":2000",                                 NULL,                NULL   },
        {"2000",                                  NULL,                NULL   },
        {"a:0",                                   NULL,                NULL   },
        {"a:65536",                               NULL,                NULL   },
        {"a:100000",                              NULL,                NULL   },
        {"a:-1",                                  NULL,                NULL   },
        {"a:20a",                                 NULL,                NULL   },
        {"a:2000 ",                               NULL,                NULL   },
        {" a:2000",                               NULL,                NULL   },
        {"a b:2000",                              NULL,                NULL   },
        {"::1:2000",                              NULL,                NULL   },
        {"[::1]",                                 NULL,                NULL   },
        {"[::1:2000",                             NULL,                NULL   },
        {"[]:2000",                               NULL,                NULL   },
        {"http://a:2000",                         NULL,                NULL   },
        {"udp:a:2000",                            NULL,                NULL   },
        {"tcp:a:2000",                            NULL,                NULL   },
        {"a:2000 b:3000",                         NULL,                NULL   },
        {"udp:a:2000 udp:b:3000",                 NULL,                NULL   },
        {"tcp:a:2000 tcp:b:3000",                 NULL,                NULL   },
        {"udp:a:2000 b:3000",                     NULL,                NULL   },
        {"udp:a:2000  tcp:b:3000",                NULL,                NULL   },
        {"udp:a:2000 tcp:b",                      NULL,                NULL   },
        {"udp:a tcp:b:3000",                      NULL,                NULL   },
        {"tcp:b udp:a:2000",                      NULL,                NULL   },
        {"udp:a:2000 tcp:b:3000 udp:c:1",         NULL,                NULL   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct xray_address address;
        const char *text = rows[i].text;

        if (!CHECK(xray_address_parse(&address, text) == (rows[i].host != NULL), text,
                   "is read or refused") ||
            !rows[i].host)
            continue;
        CHECK_TEXT(text, "host", rows[i].host, address.host);
        CHECK_TEXT(text, "port", rows[i].port, address.port);
    }
}

/* A name has 253 bytes at most. */
static void test_a_name_must_fit(void)
{
    struct xray_address address;
    char text[300];

    memset(text, 'a', sizeof(text));
    (void)snprintf(text + 253, sizeof(text) - 253, ":2000");
    CHECK(xray_address_parse(&address, text), "253 bytes", "are refused");
    CHECK_NUMBER("253 bytes", "host", 253, (long long)strlen(address.host));
    text[253] = 'a';
    (void)snprintf(text + 254, sizeof(text) - 254, ":2000");
    CHECK(!xray_address_parse(&address, text), "254 bytes", "are taken");
}

CU_TestInfo xray_address_tests[] = {
    {"addresses are read as the SDKs do", test_addresses_are_read_as_the_sdks_do},
    {"a name must fit",                   test_a_name_must_fit                  },
    CU_TEST_INFO_NULL,
};
