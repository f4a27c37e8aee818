/*
 * Two servers before a group of three MySQL servers with a single primary, which
 * tests/cluster/group-replication has made. New connections lead to the primary, as a router
 * would lead them, a moment after it has changed.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "load.h"
#include "server.h"
#include "suites.h"
#include "tcp_switch.h"

#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES       3
#define SECOND      1000000U /* microseconds */
#define READY_LIMIT 30U      /* seconds */

static char hosts[NODES][64];
static struct server servers[2];
static unsigned server_ports[2];

/* A connection with all rights that sees all that was acknowledged. */
static MYSQL *open_node(unsigned node)
{
    MYSQL *connection = mysql_init(NULL);

    if (mysql_real_connect(connection, hosts[node - 1], getenv("TEST_CLUSTER_ROOT"),
                           getenv("MYSQL_PASSWORD"), "todobackend", 3306, NULL, 0) &&
        mysql_query(connection, "SET SESSION group_replication_consistency = 'BEFORE'") == 0)
        return connection;
    CHECK(false, "test's connection", "node %u: %s", node, mysql_error(connection));
    mysql_close(connection);
    return NULL;
}

/* Which node another one takes for the primary; 0: none yet. */
static unsigned find_primary(unsigned node)
{
    static const char sql[] =
        "SELECT RIGHT(MEMBER_HOST, 1) FROM performance_schema.replication_group_members"
        " WHERE MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'";
    MYSQL *connection = open_node(node);
    MYSQL_RES *rows = NULL;
    unsigned primary = 0;

    if (!connection)
        return 0;
    if (mysql_query(connection, sql) == 0)
        rows = mysql_store_result(connection);
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
    if (row)
        primary = (unsigned)strtoul(row[0], NULL, 10);
    mysql_free_result(rows);
    mysql_close(connection);
    return primary;
}

/* Waits until another one than `old` is the primary, and leads new connections to it. */
static void follow(unsigned witness, unsigned old)
{
    uint64_t deadline = clock_now() + READY_LIMIT * (uint64_t)SECOND;
    unsigned primary = find_primary(witness);

    while ((primary == 0 || primary == old) && clock_now() < deadline) {
        clock_sleep(SECOND / 10);
        primary = find_primary(witness);
    }
    if (CHECK(primary != 0 && primary != old, "primary", "it is still %u", primary))
        tcp_switch_lead_to(hosts[primary - 1]);
}

static void wait_for_ready(const char *row)
{
    for (unsigned i = 0; i < 2; i++) {
        struct client_response response = {0};
        uint64_t deadline = clock_now() + READY_LIMIT * (uint64_t)SECOND;
        while (get(&servers[i], "/readyz", &response) != 200 && clock_now() < deadline)
            clock_sleep(SECOND / 10);
        CHECK(response.status == 200, row, "/readyz: %d %s", response.status,
              client_body(&response));
        client_response_release(&response);
    }
}

static void check_nodes(const struct load *load, const char *row)
{
    for (unsigned node = 1; node <= NODES; node++) {
        char name[80];
        MYSQL *connection = open_node(node);
        snprintf(name, sizeof name, "%s, node %u", row, node);
        load_check(load, name, connection);
        if (connection)
            mysql_close(connection);
    }
}

static bool open_server(struct server *server, const char *host, unsigned port)
{
    char host_setting[80];
    char port_setting[32];
    const char *const settings[] = {host_setting, port_setting, "REQUEST_TIMEOUT=3", NULL};

    snprintf(host_setting, sizeof host_setting, "MYSQL_HOST=%s", host);
    snprintf(port_setting, sizeof port_setting, "MYSQL_PORT=%u", port);
    *server = (struct server){0};
    return folder_make(server->folder, sizeof server->folder) && server_start(server, settings);
}

static bool read_hosts(const char *list)
{
    for (unsigned i = 0; i < NODES; i++) {
        size_t length = strcspn(list, " ");
        if (length == 0 || length >= sizeof hosts[i])
            return false;
        memcpy(hosts[i], list, length);
        list += length + strspn(list + length, " ");
    }
    return true;
}

int group_replication_init(void)
{
    const char *list = getenv("TEST_CLUSTER_HOSTS");
    unsigned port;

    if (!getenv("TEST_CLUSTER") || !list || !read_hosts(list))
        return 1;
    port = tcp_switch_start(hosts[0], 3306);
    for (unsigned i = 0; i < 2; i++) {
        if (port == 0 || !open_server(&servers[i], "127.0.0.1", port))
            return 1;
        server_ports[i] = servers[i].port;
    }
    return 0;
}

int group_replication_cleanup(void)
{
    bool first = server_close(&servers[0]);

    return server_close(&servers[1]) && first ? 0 : 1;
}

static void test_nothing_is_lost_when_the_primary_changes(void)
{
    static const char row[] = "the primary changes";
    const char *rounds = getenv("TEST_ROUNDS");
    unsigned count = 3 * (rounds ? (unsigned)strtoul(rounds, NULL, 10) : 1);

    for (unsigned i = 0; i < count; i++) {
        unsigned old = find_primary(1);
        struct load *load = load_start(server_ports, 2);
        clock_sleep(SECOND / 2);
        cluster_do_to_node("--primary", old % NODES + 1);
        clock_sleep(SECOND / 2);
        follow(1, old);
        wait_for_ready(row);
        clock_sleep(SECOND / 2);
        load_stop(load, row);
        check_nodes(load, row);
        load_release(load);
        clear_todos(&servers[0]);
    }
}

static void test_nothing_is_lost_when_the_primary_dies(void)
{
    static const char row[] = "the primary dies";
    unsigned old = find_primary(1);
    struct load *load = load_start(server_ports, 2);

    clock_sleep(SECOND / 2);
    cluster_do_to_node("--kill", old);
    follow(old % NODES + 1, old);
    wait_for_ready(row);
    clock_sleep(SECOND / 2);
    load_stop(load, row);
    cluster_do_to_node("--start", old);
    check_nodes(load, row);
    load_release(load);
    clear_todos(&servers[0]);
}

static void test_a_secondary_shows_what_the_primary_acknowledged(void)
{
    struct server reader;
    unsigned stale = 0;

    if (open_server(&reader, hosts[find_primary(1) % NODES], 3306)) {
        for (unsigned i = 0; i < 300; i++) {
            struct client_response response = {0};
            unsigned id = create_todo(&servers[0], "{\"title\":\"trial\"}");
            stale += get_todo(&reader, id, &response) != 200;
            client_response_release(&response);
        }
        CHECK_NUMBER("DB_SYNC_WAIT=1", "stale answers", 0, stale);
    }
    server_close(&reader);
}

CU_TestInfo group_replication_tests[] = {
    TEST(test_a_secondary_shows_what_the_primary_acknowledged),
    TEST(test_nothing_is_lost_when_the_primary_changes),
    TEST(test_nothing_is_lost_when_the_primary_dies),
    CU_TEST_INFO_NULL,
};
