#include "server/xray.h"
#include "suites.h"

#include "../integration/check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STARTS 50

/* A socket that listens on a free port of 127.0.0.1, told in *address. */
static int listen_for(struct xray_address *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    int daemon = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(daemon, (const struct sockaddr *)&name, size) != 0 ||
        getsockname(daemon, (struct sockaddr *)&name, &size) != 0)
        CU_FAIL_FATAL("no socket");
    *address = (struct xray_address){0};
    snprintf(address->host, sizeof address->host, "127.0.0.1");
    snprintf(address->port, sizeof address->port, "%u", ntohs(name.sin_port));
    return daemon;
}

static void test_the_first_segment_goes_to_an_address(void)
{
    static const struct segment_origin origin = {.service = "a",
                                                 .version = "1",
                                                 .database = "b",
                                                 .database_url = "c",
                                                 .database_type = "d"};
    struct xray_address address;
    struct pollfd daemon = {.fd = listen_for(&address), .events = POLLIN};
    struct error err = {0};
    const struct http_request request = {0};
    const struct trip trip = {0};
    const struct segment segment = {.request = &request,
                                    .fallback_host = "a",
                                    .client = "127.0.0.1",
                                    .status = 200,
                                    .trip = &trip};
    char bytes[4096];

    for (unsigned i = 0; i < STARTS; i++) {
        struct xray *xray = xray_open(&address, &origin, &err);
        CU_ASSERT_PTR_NOT_NULL_FATAL(xray);
        xray_send(xray, &segment);
        CHECK(poll(&daemon, 1, 10000) == 1, "start", "nothing came of start %u", i);
        (void)recv(daemon.fd, bytes, sizeof bytes, MSG_DONTWAIT);
        xray_close(xray);
    }
    close(daemon.fd);
}

CU_TestInfo xray_tests[] = {
    {"the first segment goes to an address", test_the_first_segment_goes_to_an_address},
    CU_TEST_INFO_NULL,
};
