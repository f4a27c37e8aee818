#include "base/cidr.h"

#include "base/buffer.h"
#include "suites.h"

#include "../integration/check.h"

#include <arpa/inet.h>
#include <string.h>

static void test_lists_are_read(void)
{
    static const struct {
        const char *list;
        int count; /* -1: malformed */
    } rows[] = {
        {"",                                   0 },
        {" , ",                                0 },
        {"*",                                  1 },
        {"unix",                               1 },
        {"10.0.0.1 unix",                      2 },
        {"unix/128",                           -1},
        {"Unix",                               -1},
        {"10.0.0.0/8",                         1 },
        {"10.0.0.1,10.0.0.2/32 ::1\tfd00::/8", 4 },
        {"0.0.0.0/0",                          1 },
        {"::/0",                               1 },
        {"::ffff:10.0.0.0/104",                1 },
        {"10.0.0.1/8",                         -1},
        {"10.0.0.128/24",                      -1},
        {"fd00::1/8",                          -1},
        {"10.0.0.0/33",                        -1},
        {"::/129",                             -1},
        {"::/1280",                            -1},
        {"10.0.0.0/",                          -1},
        {"10.0.0.0/08",                        -1},
        {"10.0.0.0/-1",                        -1},
        {"10.0.0.0/+8",                        -1},
        {"10.0.0.0/8/8",                       -1},
        {"10.0.0.0/255.0.0.0",                 -1},
        {"10.0.0/8",                           -1},
        {"/8",                                 -1},
        {"/",                                  -1},
        {"*/0",                                -1},
        {"**",                                 -1},
        {"[::1]",                              -1},
        {"fe80::1%lo",                         -1},
        {"localhost",                          -1},
        {"10.0.0.1;10.0.0.2",                  -1},
        {"10.0.0.1, x",                        -1},
    };
    struct cidr_list list;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool good = cidr_list_parse(&list, rows[i].list);
        CHECK_NUMBER(rows[i].list, "blocks", rows[i].count, good ? (int)list.count : -1);
    }
}

static void test_a_list_has_an_end(void)
{
    struct buffer text = {0};
    struct cidr_list list;

    for (size_t i = 0; i < CIDR_BLOCKS_MOST; i++)
        buffer_append_text(&text, "::1,");
    CU_ASSERT_TRUE(cidr_list_parse(&list, text.data));
    CHECK_NUMBER("most", "blocks", CIDR_BLOCKS_MOST, (long long)list.count);
    buffer_append_text(&text, "::1");
    CU_ASSERT_FALSE(cidr_list_parse(&list, text.data));
    buffer_release(&text);
}

static void test_a_block_holds_its_addresses(void)
{
    static const struct {
        const char *list, *address;
        bool is_held;
    } rows[] = {
        {"",                    "10.0.0.1",        false},
        {"*",                   "10.0.0.1",        true },
        {"*",                   "2001:db8::1",     true },
        {"unix",                "::",              true },
        {"unix",                "::1",             false},
        {"*",                   "::",              true },
        {"10.0.0.0/8",          "10.255.255.255",  true },
        {"10.0.0.0/8",          "11.0.0.0",        false},
        {"10.0.0.0/8",          "::ffff:10.1.2.3", true },
        {"10.0.0.0/8",          "a00::",           false},
        {"::ffff:10.0.0.0/104", "10.1.2.3",        true },
        {"::ffff:10.0.0.1",     "10.0.0.1",        true },
        {"0.0.0.0/0",           "255.255.255.255", true },
        {"0.0.0.0/0",           "2001:db8::1",     false},
        {"10.0.0.1",            "10.0.0.1",        true },
        {"10.0.0.1",            "10.0.0.2",        false},
        {"172.16.0.0/12",       "172.31.255.255",  true },
        {"172.16.0.0/12",       "172.32.0.0",      false},
        {"192.168.1.128/25",    "192.168.1.127",   false},
        {"192.168.1.128/25",    "192.168.1.128",   true },
        {"fd00::/8",            "fdff::1",         true },
        {"fd00::/8",            "fe00::1",         false},
        {"2001:db8::8/125",     "2001:db8::f",     true },
        {"2001:db8::8/125",     "2001:db8::10",    false},
        {"10.0.0.1, ::1",       "::1",             true },
    };
    struct cidr_list list;
    struct in6_addr address;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_TRUE(cidr_list_parse(&list, rows[i].list));
        CU_ASSERT_TRUE(cidr_parse_address(rows[i].address, strlen(rows[i].address), &address));
        CHECK(cidr_list_holds(&list, &address) == rows[i].is_held, rows[i].list, "%s: not %d",
              rows[i].address, rows[i].is_held);
    }
}

static void test_a_socket_s_address_is_taken(void)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr = {htonl(0x7f000001)}};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address = cidr_socket_address((const struct sockaddr *)&ipv4);

    CHECK_TEXT("IPv4", "text", "127.0.0.1", cidr_print_address(&address, text));
    address = cidr_socket_address((const struct sockaddr *)&ipv6);
    CHECK_TEXT("IPv6", "text", "::1", cidr_print_address(&address, text));
    address = cidr_socket_address(&other);
    CHECK_TEXT("not of IP", "text", "::", cidr_print_address(&address, text));
}

CU_TestInfo cidr_tests[] = {
    {"lists are read",              test_lists_are_read             },
    {"a list has an end",           test_a_list_has_an_end          },
    {"a block holds its addresses", test_a_block_holds_its_addresses},
    {"a socket's address is taken", test_a_socket_s_address_is_taken},
    CU_TEST_INFO_NULL,
};
