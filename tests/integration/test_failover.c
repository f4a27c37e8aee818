/*
 * What is behind MYSQL_HOST changes while the server runs: another database server, another
 * password, other rules of the database's own. Nothing that was acknowledged is lost, nobody is
 * told what is not so any more, and no restart is needed.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COME_BACK 10000000U /* microseconds */

/* ---- a balancer: new connections lead to the targets in turn, those that are open stay ----
 */

struct balancer {
    int listener;
    unsigned port;
    atomic_uint targets[2];
    atomic_uint accepted;
    pthread_t thread;
};

struct pair {
    int fds[2];
};

static int connect_to(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool pass_on(int from, int to)
{
    char bytes[16384];
    ssize_t size = recv(from, bytes, sizeof bytes, 0);
    return size > 0 && send(to, bytes, (size_t)size, MSG_NOSIGNAL) == size;
}

static void *forward(void *context)
{
    struct pair *pair = context;
    struct pollfd polled[] = {
        {.fd = pair->fds[0], .events = POLLIN},
        {.fd = pair->fds[1], .events = POLLIN}
    };
    bool open = true;
    while (open && poll(polled, 2, -1) > 0)
        for (int i = 0; open && i < 2; i++)
            open = !polled[i].revents || pass_on(pair->fds[i], pair->fds[1 - i]);
    close(pair->fds[0]);
    close(pair->fds[1]);
    free(pair);
    return NULL;
}

static void *accept_all(void *context)
{
    struct balancer *balancer = context;
    int fd;
    while ((fd = accept4(balancer->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct pair *pair = malloc(sizeof *pair);
        pthread_t thread;
        if (!pair)
            abort();
        *pair = (struct pair){
            {fd, connect_to(balancer->targets[balancer->accepted++ % 2])}
        };
        if (pair->fds[1] < 0 || pthread_create(&thread, NULL, forward, pair) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

static void balancer_lead(struct balancer *balancer, unsigned target)
{
    balancer->targets[0] = target;
    balancer->targets[1] = target;
}

static void balancer_start(struct balancer *balancer, unsigned target)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    balancer_lead(balancer, target);
    balancer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(balancer->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(balancer->listener, 64) != 0 ||
        getsockname(balancer->listener, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&balancer->thread, NULL, accept_all, balancer) != 0)
        abort();
    balancer->port = ntohs(address.sin_port);
}

static void balancer_stop(struct balancer *balancer)
{
    shutdown(balancer->listener, SHUT_RDWR);
    pthread_join(balancer->thread, NULL);
    close(balancer->listener);
}

/* ---- two database servers, and ours behind the balancer ---- */

struct lab {
    struct mariadb_server another;
    struct balancer balancer;
    struct server server;
    char setting[32];
};

static unsigned own_port(void)
{
    const char *port = getenv("MYSQL_PORT");
    return port ? (unsigned)strtoul(port, NULL, 10) : 0;
}

static bool lab_open(struct lab *lab, const char *setting)
{
    char another[32];
    const char *settings[] = {another, setting, NULL};
    *lab = (struct lab){0};
    if (!mariadb_start_another(&lab->another, ""))
        return false;
    snprintf(another, sizeof another, "MYSQL_PORT=%u", lab->another.port);
    balancer_start(&lab->balancer, own_port());
    snprintf(lab->setting, sizeof lab->setting, "MYSQL_PORT=%u", lab->balancer.port);
    bool good = run_migrate(settings);
    settings[0] = lab->setting;
    return good && server_open(&lab->server, settings);
}

static void lab_close(struct lab *lab)
{
    server_close(&lab->server);
    if (lab->balancer.port > 0)
        balancer_stop(&lab->balancer);
    mariadb_stop_another(&lab->another);
}

static void check_switch_is_told(const struct lab *lab)
{
    char ports[2][32];
    struct buffer log = {0};
    CHECK_NUMBER("log", "lines of it", 1, server_await_log(&lab->server, "another database"));
    server_read_log(&lab->server, &log);
    const char *line = strstr(log.data ? log.data : "", "another database server answers: ");
    snprintf(ports[0], sizeof ports[0], ":%u (server_id ", lab->another.port);
    snprintf(ports[1], sizeof ports[1], ":%u (server_id ", own_port());
    CHECK_CONTAINS("log", "the new server", ports[0], line ? line : "");
    CHECK_CONTAINS("log", "the old server", ports[1], line ? line : "");
    buffer_release(&log);
}

static void test_after_a_switch_all_connections_lead_to_the_new_server(void)
{
    struct lab lab;
    struct client_response response = {0};
    MYSQL *root = mariadb_open_root(NULL);
    if (lab_open(&lab, "DB_READERS=2")) {
        clear_todos(&lab.server);
        create_todo(&lab.server, "{\"title\":\"on the old server\"}");
        for (int i = 0; i < 4; i++)
            CHECK_NUMBER("before", "todos", 1, count_todos(&lab.server));
        mariadb_run(root, "SET GLOBAL read_only = 1");
        balancer_lead(&lab.balancer, lab.another.port);
        unsigned id = create_todo(&lab.server, "{\"title\":\"on the new server\"}");
        for (int i = 0; i < 4; i++) {
            CHECK_NUMBER("after", "GET of a new todo", 200,
                         get_todo(&lab.server, id, &response));
            CHECK_CONTAINS("after", "the new todo", "on the new server",
                           client_body(&response));
            CHECK_NUMBER("after", "todos", 1, count_todos(&lab.server));
        }
        CHECK_NUMBER("after", "/readyz", 200, get(&lab.server, "/readyz", &response));
        check_switch_is_told(&lab);
        mariadb_run(root, "SET GLOBAL read_only = 0");
    }
    lab_close(&lab);
    mysql_close(root);
    client_response_release(&response);
}

/* ---- load ---- */

struct load {
    const struct server *server;
    atomic_bool is_over;
    atomic_uint created;
    atomic_uint failed; /* or a list that is none */
    pthread_t threads[4];
};

static void *create_and_list(void *context)
{
    struct load *load = context;
    struct client_response response = {0};
    while (!load->is_over) {
        bool created = send_json(load->server, "POST", "/todos", "{}", &response) == 201;
        atomic_fetch_add(created ? &load->created : &load->failed, 1);
        if (get(load->server, "/todos", &response) != 200)
            atomic_fetch_add(&load->failed, 1);
    }
    client_response_release(&response);
    return NULL;
}

static void load_start(struct load *load, const struct server *server)
{
    *load = (struct load){.server = server};
    for (size_t i = 0; i < COUNT(load->threads); i++)
        if (pthread_create(&load->threads[i], NULL, create_and_list, load) != 0)
            abort();
}

/* Waits until more is acknowledged. */
static void load_go_on(const char *row, struct load *load)
{
    unsigned before = load->created;
    uint64_t deadline = clock_now() + COME_BACK;
    while (load->created < before + 20 && clock_now() < deadline)
        clock_sleep(10000);
    CHECK(load->created >= before + 20, row, "only %u creates more", load->created - before);
}

static void load_stop(struct load *load)
{
    load->is_over = true;
    for (size_t i = 0; i < COUNT(load->threads); i++)
        pthread_join(load->threads[i], NULL);
}

static void test_connections_of_age_move_without_a_failed_request(void)
{
    struct lab lab;
    struct load load;
    if (lab_open(&lab, "DB_CONNECTION_AGE=1")) {
        clear_todos(&lab.server);
        load_start(&load, &lab.server);
        load_go_on("the old server", &load);
        balancer_lead(&lab.balancer, lab.another.port);
        clock_sleep(2500000);
        load_stop(&load);
        CHECK_NUMBER("moving", "failed requests", 0, load.failed);
        check_switch_is_told(&lab);
        clear_todos(&lab.server);
        create_todo(&lab.server, "{}");
        CHECK_NUMBER("moved", "todos", 1, count_todos(&lab.server));
    }
    lab_close(&lab);
}

static void kill_all(MYSQL *root, const char *user)
{
    char sql[64];
    snprintf(sql, sizeof sql, "KILL USER %s", user);
    mariadb_run(root, sql);
}

static void test_a_balancer_that_takes_turns_makes_no_storm(void)
{
    struct lab lab;
    struct load load;
    MYSQL *root = mariadb_open_root(NULL);
    if (lab_open(&lab, "DB_READERS=3")) {
        unsigned before = lab.balancer.accepted;
        lab.balancer.targets[1] = lab.another.port;
        kill_all(root, getenv("MYSQL_USER"));
        load_start(&load, &lab.server);
        clock_sleep(4000000);
        load_stop(&load);
        unsigned connections = lab.balancer.accepted - before;
        CHECK(load.created > 20, "in turn", "only %u creates", load.created);
        CHECK(connections >= 4 && connections < 40, "in turn", "%u connections", connections);
    }
    lab_close(&lab);
    mysql_close(root);
}

/* ---- another password ---- */

static void set_password(MYSQL *root, const char *password)
{
    char sql[96];
    snprintf(sql, sizeof sql, "ALTER USER rotating IDENTIFIED BY '%s'", password);
    mariadb_run(root, sql);
}

/* As container platforms do: at once, by a rename. */
static void write_password(const struct server *server, const char *password)
{
    char paths[2][300];
    snprintf(paths[0], sizeof paths[0], "%s/new", server->folder);
    snprintf(paths[1], sizeof paths[1], "%s/MYSQL_PASSWORD", server->folder);
    CHECK(file_write(paths[0], password) && rename(paths[0], paths[1]) == 0, "password's file",
          "can't be written");
}

static void rotate(struct server *server, MYSQL *root)
{
    struct load load;
    load_start(&load, server);
    load_go_on("the first password", &load);
    set_password(root, "second");
    kill_all(root, "rotating");
    clock_sleep(300000);
    write_password(server, "second\n");
    load_go_on("the user's, then the file's", &load);
    write_password(server, "third");
    kill_all(root, "rotating");
    load_go_on("the file's only", &load);
    set_password(root, "third");
    kill_all(root, "rotating");
    load_go_on("the file's, then the user's", &load);
    load_stop(&load);
    /* a reader pauses between its attempts to connect */
    int kept = count_todos(server);
    for (uint64_t end = clock_now() + COME_BACK; kept < 0 && clock_now() < end;) {
        clock_sleep(50000);
        kept = count_todos(server);
    }
    CHECK(kept >= (int)load.created, "rotation", "%u acknowledged, %d kept", load.created,
          kept);
}

static void test_a_password_changes_under_load(void)
{
    struct server server = {0};
    char root_setting[300];
    const char *const settings[] = {"MYSQL_USER=rotating", "MYSQL_PASSWORD", root_setting,
                                    NULL};
    MYSQL *root = mariadb_open_root(NULL);
    char sql[128];
    mariadb_run(root, "CREATE USER rotating IDENTIFIED BY 'first'");
    snprintf(sql, sizeof sql, "GRANT ALL ON %s.* TO rotating", getenv("MYSQL_DATABASE"));
    mariadb_run(root, sql);
    if (run_migrate(NULL) && folder_make(server.folder, sizeof server.folder)) {
        snprintf(root_setting, sizeof root_setting, "SECRETS_ROOT=%s", server.folder);
        write_password(&server, "first\n");
        if (server_start(&server, settings)) {
            clear_todos(&server);
            rotate(&server, root);
        }
    }
    server_close(&server);
    mariadb_run(root, "DROP USER rotating");
    mysql_close(root);
}

/* ---- other rules ---- */

static void test_what_the_database_refuses_is_never_a_500(void)
{
    static const struct {
        const char *name;
        const char *rule;
        const char *end;
        int status;
        const char *body;
    } rows[] = {
        {"a trigger's refusal",
         "CREATE TRIGGER rule BEFORE INSERT ON todo_todoitem FOR EACH ROW SIGNAL SQLSTATE "
         "'45000'",                                                                                                "DROP TRIGGER rule", 400, "does not accept this change"},
        {"a CHECK",                    "ALTER TABLE todo_todoitem ADD CONSTRAINT rule CHECK (title <> 'refused')",
         "ALTER TABLE todo_todoitem DROP CONSTRAINT rule",                                                                              400, "does not accept this change"},
        {"a column without a default", "ALTER TABLE todo_todoitem ADD COLUMN rule INT NOT NULL",
         "ALTER TABLE todo_todoitem DROP COLUMN rule",                                                                                  503, "server's log"               },
        {"no column",                  "ALTER TABLE todo_todoitem RENAME COLUMN `order` TO rule",
         "ALTER TABLE todo_todoitem RENAME COLUMN rule TO `order`",                                                                     503, "server's log"               },
        {"a limit of the user's",
         "CREATE TRIGGER rule BEFORE INSERT ON todo_todoitem FOR EACH ROW"
         " SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1226",                                                        "DROP TRIGGER rule", 503, "not available"              },
    };
    struct server server = {0};
    struct client_response response = {0};
    MYSQL *database;
    if (!server_open(&server, NULL))
        return;
    database = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    clear_todos(&server);
    for (size_t i = 0; i < COUNT(rows); i++) {
        mariadb_run(database, rows[i].rule);
        send_json(&server, "POST", "/todos", "{\"title\":\"refused\"}", &response);
        CHECK_NUMBER(rows[i].name, "status", rows[i].status, response.status);
        CHECK_CONTAINS(rows[i].name, "body", rows[i].body, client_body(&response));
        mariadb_run(database, rows[i].end);
        create_todo(&server, "{\"title\":\"taken\"}");
    }
    mysql_close(database);
    server_close(&server);
    client_response_release(&response);
}

static void test_a_session_that_a_server_does_not_grant_is_named(void)
{
    static const char *const arguments[] = {"migrate", NULL};
    struct mariadb_server another;
    struct command_result result = {0};
    char setting[32];
    const char *const settings[] = {setting, NULL};
    if (mariadb_start_another(&another, "--maximum-lock-wait-timeout=3")) {
        snprintf(setting, sizeof setting, "MYSQL_PORT=%u", another.port);
        command_run(&(struct command){arguments, settings, NULL}, 20000, &result);
        CHECK_NUMBER("three seconds at most", "exit status", 2, result.status);
        CHECK_CONTAINS("three seconds at most", "stderr",
                       "keeps lock_wait_timeout at 3, where 5",
                       result.err.data ? result.err.data : "");
        command_result_release(&result);
    }
    mariadb_stop_another(&another);
}

CU_TestInfo failover_tests[] = {
    TEST(test_after_a_switch_all_connections_lead_to_the_new_server),
    TEST(test_connections_of_age_move_without_a_failed_request),
    TEST(test_a_balancer_that_takes_turns_makes_no_storm),
    TEST(test_a_password_changes_under_load),
    TEST(test_what_the_database_refuses_is_never_a_500),
    TEST(test_a_session_that_a_server_does_not_grant_is_named),
    CU_TEST_INFO_NULL,
};
