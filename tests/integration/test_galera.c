/*
 * Two servers on two nodes of a Galera cluster of three, which tests/cluster/galera has made:
 * what holds while both change the same todos, and while nodes leave, join, die, and lose each
 * other.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "load.h"
#include "server.h"
#include "suites.h"

#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES       3
#define SECOND      1000000U /* microseconds */
#define READY_LIMIT 60U      /* seconds */

static unsigned node_ports[NODES];
static struct server servers[2];
static unsigned server_ports[2];

/* ---- nodes ---- */

/* A connection with all rights. */
static MYSQL *open_node(unsigned node)
{
    MYSQL *connection = mysql_init(NULL);
    unsigned timeout = 10;

    mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &timeout);
    if (mysql_real_connect(connection, "127.0.0.1", getenv("TEST_CLUSTER_ROOT"), "",
                           "todobackend", node_ports[node - 1], NULL, 0))
        return connection;
    CHECK(false, "test's connection", "node %u: %s", node, mysql_error(connection));
    mysql_close(connection);
    return NULL;
}

/* Waits until it is one of the cluster again; NULL when it does not come. */
static MYSQL *open_joined_node(unsigned node)
{
    uint64_t deadline = clock_now() + READY_LIMIT * (uint64_t)SECOND;
    MYSQL *connection = open_node(node);

    while (connection && mysql_query(connection, "SET SESSION wsrep_sync_wait = 3") == 0) {
        if (mysql_query(connection, "DO (SELECT COUNT(*) FROM todo_todoitem)") == 0)
            return connection;
        if (clock_now() > deadline)
            break;
        clock_sleep(SECOND / 10);
    }
    CHECK(false, "node that is to be back", "node %u: %s", node,
          connection ? mysql_error(connection) : "no connection");
    if (connection)
        mysql_close(connection);
    return NULL;
}

static void run_on(unsigned node, const char *sql)
{
    MYSQL *connection = open_node(node);

    if (!connection)
        return;
    CHECK(mysql_query(connection, sql) == 0, sql, "%s", mysql_error(connection));
    mysql_close(connection);
}

/* The others can't reach it, nor it them. */
static void isolate(unsigned node)
{
    run_on(node, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'");
}

static void rejoin(unsigned node)
{
    run_on(node, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'");
}

static int ready_status(const struct server *server)
{
    struct client_response response = {0};
    int status = get(server, "/readyz", &response);

    client_response_release(&response);
    return status;
}

/* Until it says so for a second: a node that comes back may leave once more. */
static void wait_for_ready(const struct server *server, const char *row, int wanted)
{
    uint64_t deadline = clock_now() + READY_LIMIT * (uint64_t)SECOND;
    unsigned in_a_row = 0;
    int status = 0;

    while (in_a_row < 10 && clock_now() < deadline) {
        status = ready_status(server);
        in_a_row = status == wanted ? in_a_row + 1 : 0;
        clock_sleep(SECOND / 10);
    }
    CHECK(in_a_row == 10, row, "/readyz: %d throughout a second wanted, at last %d", wanted,
          status);
}

static void check_nodes(const struct load *load, const char *row)
{
    for (unsigned node = 1; node <= NODES; node++) {
        char name[80];
        MYSQL *connection = open_joined_node(node);
        snprintf(name, sizeof name, "%s, node %u", row, node);
        load_check(load, name, connection);
        if (connection)
            mysql_close(connection);
    }
}

/* ---- set-up ---- */

static bool read_ports(void)
{
    char *rest = getenv("TEST_CLUSTER_PORTS");

    for (unsigned i = 0; rest && i < NODES; i++)
        node_ports[i] = (unsigned)strtoul(rest, &rest, 10);
    return rest && node_ports[NODES - 1] > 0;
}

static bool open_server(struct server *server, unsigned node, const char *sync_wait)
{
    char port[32];
    const char *const settings[] = {port, "REQUEST_TIMEOUT=3", sync_wait, NULL};

    snprintf(port, sizeof port, "MYSQL_PORT=%u", node_ports[node - 1]);
    *server = (struct server){0};
    return folder_make(server->folder, sizeof server->folder) && server_start(server, settings);
}

int galera_init(void)
{
    if (!getenv("TEST_CLUSTER") || !read_ports())
        return 1;
    for (unsigned i = 0; i < 2; i++) {
        if (!open_server(&servers[i], i + 1, NULL))
            return 1;
        server_ports[i] = servers[i].port;
    }
    return 0;
}

int galera_cleanup(void)
{
    bool first = server_close(&servers[0]);

    return server_close(&servers[1]) && first ? 0 : 1;
}

/* ---- one schema ---- */

static void *migrate(void *argument)
{
    static const char *const arguments[] = {"migrate", NULL};
    char port[32];
    const char *const settings[] = {port, "MYSQL_DATABASE=todobackend_new", NULL};
    struct command_result *result = argument;

    /* the node's number comes in, the result goes out */
    snprintf(port, sizeof port, "MYSQL_PORT=%u", node_ports[result->status - 1]);
    command_run(&(struct command){arguments, settings, NULL}, 30000, result);
    return NULL;
}

static size_t count_text(const char *text, const char *part)
{
    size_t count = 0;

    for (; text && (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void test_migrations_on_two_nodes_at_once_make_one_schema(void)
{
    for (unsigned round = 0; round < 5; round++) {
        struct command_result results[2] = {{.status = 1}, {.status = 2}};
        struct command_result again = {.status = 1};
        pthread_t threads[2];
        size_t applied = 0;
        run_on(1, "DROP DATABASE IF EXISTS todobackend_new");
        run_on(1, "CREATE DATABASE todobackend_new CHARACTER SET utf8mb4");
        for (unsigned i = 0; i < 2; i++)
            if (pthread_create(&threads[i], NULL, migrate, &results[i]) != 0)
                abort();
        for (unsigned i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            CHECK(results[i].status == 0, "migrate", "exit status %d: %s", results[i].status,
                  results[i].err.data ? results[i].err.data : "");
            applied += count_text(results[i].err.data, "0001_initial: applied") +
                       count_text(results[i].out.data, "0001_initial: applied");
        }
        CHECK_NUMBER("both", "times that a migration was applied", 1, (long long)applied);
        migrate(&again);
        CHECK_NUMBER("afterwards", "exit status of migrate", 0, again.status);
        for (unsigned i = 0; i < 2; i++)
            command_result_release(&results[i]);
        command_result_release(&again);
    }
    run_on(1, "DROP DATABASE todobackend_new");
}

/* ---- reads on another node ---- */

struct question {
    const struct server *server;
    unsigned id;
    int status;
    atomic_bool is_answered;
};

static void *ask_for_todo(void *argument)
{
    struct question *question = argument;
    struct client_response response = {0};

    question->status = get_todo(question->server, question->id, &response);
    question->is_answered = true;
    client_response_release(&response);
    return NULL;
}

/* A todo that one node has acknowledged and the other can't carry out for a while. */
static bool is_waited_for(const struct server *server, const char *row, int wanted)
{
    struct question question = {.server = server};
    MYSQL *stopped = open_node(2);
    pthread_t thread;
    bool is_answered;

    if (!stopped)
        return false;
    CHECK(mysql_query(stopped, "FLUSH TABLES WITH READ LOCK") == 0, row, "%s",
          mysql_error(stopped));
    question.id = create_todo(&servers[0], "{\"title\":\"just made\"}");
    if (pthread_create(&thread, NULL, ask_for_todo, &question) != 0)
        abort();
    clock_sleep(SECOND / 2);
    is_answered = question.is_answered;
    CHECK(mysql_query(stopped, "UNLOCK TABLES") == 0, row, "%s", mysql_error(stopped));
    pthread_join(thread, NULL);
    mysql_close(stopped);
    CHECK_NUMBER(row, "status", wanted, question.status);
    return !is_answered;
}

/* Todos that were acknowledged by one server and are not there for the other. */
static unsigned count_stale(const struct server *server, unsigned trials)
{
    unsigned stale = 0;

    for (unsigned i = 0; i < trials; i++) {
        struct client_response response = {0};
        unsigned id = create_todo(&servers[0], "{\"title\":\"trial\"}");
        stale += get_todo(server, id, &response) != 200;
        client_response_release(&response);
    }
    return stale;
}

static void test_reads_wait_for_what_another_node_acknowledged(void)
{
    struct server other;

    CHECK(is_waited_for(&servers[1], "DB_SYNC_WAIT=1", 200), "DB_SYNC_WAIT=1",
          "it did not wait");
    CHECK_NUMBER("DB_SYNC_WAIT=1", "stale answers", 0, count_stale(&servers[1], 1000));
    if (open_server(&other, 2, "DB_SYNC_WAIT=0")) {
        CHECK(!is_waited_for(&other, "DB_SYNC_WAIT=0", 404), "DB_SYNC_WAIT=0", "it waited");
        printf("\n    without DB_SYNC_WAIT: %u of 1000 answers were stale\n",
               count_stale(&other, 1000));
    }
    server_close(&other);
    clear_todos(&servers[1]);
    CHECK_NUMBER("deleted on the other node", "todos", 0, count_todos(&servers[0]));
}

/* ---- conflicts ---- */

#define SHARED  4
#define SECONDS 3

/* One member of a todo has one writer: "order" by the first server, "title" by the second. */
struct writer {
    unsigned server;
    unsigned id;
    unsigned written;
    unsigned acknowledged; /* the last one that was */
    bool is_unsure;        /* whether what came after it was written */
    unsigned refused;
    int wrong; /* a status that there must not be */
    pthread_t thread;
};

static atomic_bool stop;

static void write_once(struct writer *writer)
{
    struct client_response response = {0};
    char json[64];

    snprintf(json, sizeof json, writer->server == 0 ? "{\"order\":%u}" : "{\"title\":\"%u\"}",
             ++writer->written);
    int status = patch_todo(&servers[writer->server], writer->id, json, &response);
    if (status == 200) {
        writer->acknowledged = writer->written;
        writer->is_unsure = false;
    } else if (status == 503) {
        writer->refused++;
        writer->is_unsure =
            writer->is_unsure || strstr(client_body(&response), "not known") != NULL;
    } else {
        writer->wrong = status ? status : -1;
    }
    client_response_release(&response);
}

static void *write_on(void *argument)
{
    struct writer *writer = argument;

    while (!stop && !writer->wrong)
        write_once(writer);
    return NULL;
}

static void check_member(const struct writer *writer)
{
    struct client_response response = {0};
    char wanted[48];

    snprintf(wanted, sizeof wanted, writer->server == 0 ? "\"order\":%u}" : "\"title\":\"%u\"",
             writer->acknowledged);
    get_todo(&servers[1 - writer->server], writer->id, &response);
    CHECK(writer->is_unsure || strstr(client_body(&response), wanted), "lost change",
          "wanted %s in %s", wanted, client_body(&response));
    client_response_release(&response);
}

static void test_changes_of_the_same_todo_on_two_nodes_are_both_kept(void)
{
    struct writer writers[2 * SHARED] = {0};
    unsigned written = 0;
    unsigned refused = 0;

    stop = false;
    for (unsigned i = 0; i < 2 * SHARED; i++) {
        writers[i].server = i % 2;
        writers[i].id = i % 2 ? writers[i - 1].id
                              : create_todo(&servers[0], "{\"title\":\"0\",\"order\":0}");
    }
    for (unsigned i = 0; i < 2 * SHARED; i++)
        if (pthread_create(&writers[i].thread, NULL, write_on, &writers[i]) != 0)
            abort();
    clock_sleep(SECONDS * SECOND);
    stop = true;
    for (unsigned i = 0; i < 2 * SHARED; i++) {
        pthread_join(writers[i].thread, NULL);
        CHECK_NUMBER("writer", "a status other than 200 and 503", 0, writers[i].wrong);
        written += writers[i].written;
        refused += writers[i].refused;
    }
    for (unsigned i = 0; i < 2 * SHARED; i++)
        check_member(&writers[i]);
    printf("\n    %u changes, %u of them refused\n", written, refused);
    CHECK(written > 100 && refused < written / 10, "conflicts", "%u of %u were refused",
          refused, written);
}

/* ---- nodes that come and go ---- */

/* The step between ids follows the number of nodes. */
static void test_links_are_right_while_nodes_join_and_leave(void)
{
    static const char row[] = "nodes join and leave";
    struct load *load = load_start(server_ports, 2);

    for (unsigned round = 0; round < 2; round++) {
        clock_sleep(SECOND / 2);
        cluster_do_to_node("--stop", 3);
        clock_sleep(SECOND / 2);
        cluster_do_to_node("--start", 3);
    }
    load_stop(load, row);
    check_nodes(load, row);
    load_release(load);
}

static void kill_and_start(unsigned node)
{
    cluster_do_to_node("--kill", node);
    clock_sleep(2 * SECOND);
    cluster_do_to_node("--start", node);
}

static void freeze_and_thaw(unsigned node)
{
    cluster_do_to_node("--freeze", node);
    clock_sleep(3 * SECOND);
    cluster_do_to_node("--thaw", node);
}

static void isolate_and_rejoin(unsigned node)
{
    isolate(node);
    clock_sleep(3 * SECOND);
    rejoin(node);
}

static void test_nothing_acknowledged_is_lost(void)
{
    static const struct {
        const char *name;
        void (*disturb)(unsigned node);
        unsigned node;
    } rows[] = {
        {"a node is killed",     kill_and_start,     2},
        {"a node is cut off",    isolate_and_rejoin, 1},
        {"a node is frozen",     freeze_and_thaw,    2},
        {"the first is killed",  kill_and_start,     1},
        {"one without a server", isolate_and_rejoin, 3},
    };
    const char *rounds = getenv("TEST_ROUNDS");
    size_t count = (rounds ? strtoul(rounds, NULL, 10) : 1) * (sizeof rows / sizeof rows[0]);

    for (size_t i = 0; i < count; i++) {
        size_t kind = i % (sizeof rows / sizeof rows[0]);
        struct load *load = load_start(server_ports, 2);
        clock_sleep(SECOND / 2);
        rows[kind].disturb(rows[kind].node);
        for (unsigned j = 0; j < 2; j++)
            wait_for_ready(&servers[j], rows[kind].name, 200);
        clock_sleep(SECOND / 2);
        load_stop(load, rows[kind].name);
        check_nodes(load, rows[kind].name);
        load_release(load);
        clear_todos(&servers[0]);
    }
}

static void test_a_node_without_the_others_is_not_ready(void)
{
    static const char row[] = "cut off";
    struct client_response response = {0};

    clear_todos(&servers[0]);
    unsigned id = create_todo(&servers[0], "{\"title\":\"old\"}");
    isolate(2);
    CHECK_NUMBER(row, "a change", 503, patch_todo(&servers[1], id, "{\"order\":1}", &response));
    CHECK_NUMBER(row, "a read", 503, get_todo(&servers[1], id, &response));
    wait_for_ready(&servers[1], row, 503);
    wait_for_ready(&servers[0], "with the other node", 200);
    CHECK_NUMBER("with the other node", "a change", 200,
                 patch_todo(&servers[0], id, "{\"title\":\"new\"}", &response));
    rejoin(2);
    wait_for_ready(&servers[1], "back", 200);
    CHECK_NUMBER("back", "a read", 200, get_todo(&servers[1], id, &response));
    CHECK_CONTAINS("back", "a read", "\"new\"", client_body(&response));
    client_response_release(&response);
}

CU_TestInfo galera_tests[] = {
    TEST(test_reads_wait_for_what_another_node_acknowledged),
    TEST(test_changes_of_the_same_todo_on_two_nodes_are_both_kept),
    TEST(test_links_are_right_while_nodes_join_and_leave),
    TEST(test_a_node_without_the_others_is_not_ready),
    TEST(test_nothing_acknowledged_is_lost),
    TEST(test_migrations_on_two_nodes_at_once_make_one_schema),
    CU_TEST_INFO_NULL,
};
