/*
 * The server, the database or both end by SIGKILL, at any moment of mixed work. Afterwards,
 * what was acknowledged is there, what was refused is not, and what is not known is there once
 * or not at all. Run on demand: `make faults`. TEST_ROUNDS gives the number of crashes (3),
 * TEST_SEED the chance.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "suites.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS    8
#define TODOS_MOST 4000     /* of a client in a round */
#define WORK_LEAST 30000U   /* microseconds before the crash, */
#define WORK_MORE  400000U  /* and up to so many more */
#define WORK_AFTER 60000U   /* microseconds that the clients go on */
#define COME_BACK  10000000 /* microseconds until all is served again */

/* What a todo may be; a set of them is a sum. */
enum state {
    GONE = 1,
    CREATED = 2,
    CHANGED = 4,
};

enum answer {
    ACKNOWLEDGED,
    NOTHING_CHANGED,
    NOT_KNOWN,
    ANSWERS,
};

struct client {
    unsigned index;
    pthread_t thread;
    struct client_connection connection;
    struct client_response response;
    unsigned count;
    unsigned char possible[TODOS_MOST]; /* a set of states, for each of its todos */
    unsigned char found[TODOS_MOST];    /* the states that the database has it in; */
    unsigned char rows[TODOS_MOST];     /* and how often */
    unsigned long answers[ANSWERS];
    char wrong[200];
};

enum victim {
    KILL_SERVER,
    KILL_DATABASE,
    KILL_BOTH,
    VICTIMS,
};

static const char *const settings[] = {"REQUEST_TIMEOUT=2", NULL};

static struct server server;
static struct client *clients;
static unsigned seed;
static atomic_bool stop;

int crash_init(void)
{
    const char *given = getenv("TEST_SEED");
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)clock_now() % 1000000;
    clients = calloc(CLIENTS, sizeof *clients);
    return clients && server_open(&server, settings) ? 0 : 1;
}

int crash_cleanup(void)
{
    free(clients);
    return server_close(&server) ? 0 : 1;
}

/* ---- the work ---- */

static enum answer answer_of(struct client *client, int wanted)
{
    const char *body = client_body(&client->response);
    if (client->response.status == wanted)
        return ACKNOWLEDGED;
    if (client->response.status == 503)
        return strstr(body, "may have been made") ? NOT_KNOWN : NOTHING_CHANGED;
    if (client->response.status != 0)
        snprintf(client->wrong, sizeof client->wrong, "wanted %d, got %d %.100s", wanted,
                 client->response.status, body);
    return NOT_KNOWN;
}

static enum answer ask(struct client *client, const struct client_request *request, int wanted)
{
    enum answer answer = NOTHING_CHANGED;
    client_response_release(&client->response);
    if (client->connection.fd >= 0 || client_open(&client->connection, server.port)) {
        client_send_request(&client->connection, server.port, request);
        if (!client_receive(&client->connection, false, CLIENT_TIME_LIMIT, &client->response))
            client_close(&client->connection);
        answer = answer_of(client, wanted);
    }
    client->answers[answer]++;
    return answer;
}

/* Whether the client's newest todo is in this state now. */
static bool bring_to(struct client *client, enum state state,
                     const struct client_request *request, int wanted)
{
    unsigned char *possible = &client->possible[client->count - 1];
    enum answer answer = ask(client, request, wanted);
    if (answer == ACKNOWLEDGED)
        *possible = (unsigned char)state;
    else if (answer == NOT_KNOWN)
        *possible |= (unsigned char)state;
    return answer == ACKNOWLEDGED;
}

/* Creates a todo, changes every other one, and deletes every third. After a failure the next
 * one follows: what is not known must not be touched again. */
static bool work_on_one(struct client *client)
{
    unsigned number = client->count++;
    char json[64];
    char path[32];
    struct client_request create = {
        .method = "POST", .path = "/todos", .type = "application/json", .body = json};
    struct client_request change = create;
    struct client_request delete = {.method = "DELETE", .path = path};
    client->possible[number] = GONE;
    snprintf(json, sizeof json, "{\"title\":\"%u %u %u\"}", client->index, number,
             (unsigned)CREATED);
    if (!bring_to(client, CREATED, &create, 201))
        return false;
    snprintf(path, sizeof path, "/todos/%u",
             id_of_url(client_header(&client->response, "Location")));
    snprintf(json, sizeof json, "{\"title\":\"%u %u %u\"}", client->index, number,
             (unsigned)CHANGED);
    change.method = "PATCH";
    change.path = path;
    if (number % 2 == 0 && !bring_to(client, CHANGED, &change, 200))
        return false;
    return number % 3 != 0 || bring_to(client, GONE, &delete, 204);
}

static void *run_client(void *context)
{
    struct client *client = context;
    while (!stop && !client->wrong[0] && client->count < TODOS_MOST)
        if (!work_on_one(client))
            clock_sleep(5000);
    client_close(&client->connection);
    client_response_release(&client->response);
    return NULL;
}

static void start_clients(void)
{
    stop = false;
    memset(clients, 0, CLIENTS * sizeof *clients);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].index = i;
        clients[i].connection.fd = -1;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0)
            abort();
    }
}

static void stop_clients(const char *row)
{
    stop = true;
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        CHECK(!clients[i].wrong[0], row, "client %u: %s", i, clients[i].wrong);
    }
}

/* ---- the crash ---- */

static void crash(enum victim victim)
{
    if (victim != KILL_SERVER)
        kill(mariadb_pid(), SIGKILL);
    if (victim != KILL_DATABASE)
        server_kill(&server);
}

/* The writer may still wait before it connects again. */
static bool clear(const char *row)
{
    uint64_t deadline = clock_now() + COME_BACK;
    struct client_response response = {0};
    while (send_json(&server, "DELETE", "/todos", NULL, &response) == 503 &&
           clock_now() < deadline)
        clock_sleep(20000);
    bool is_clear = CHECK_NUMBER(row, "DELETE /todos", 204, response.status);
    client_response_release(&response);
    return is_clear;
}

static bool restart(const char *row, enum victim victim)
{
    uint64_t deadline = clock_now() + COME_BACK;
    if (victim != KILL_SERVER &&
        !CHECK(mariadb_command("TEST_MYSQL_RESTART"), row, "MariaDB does not start"))
        return false;
    if (victim != KILL_DATABASE && !server_start(&server, settings))
        return false;
    while (count_todos(&server) < 0 && clock_now() < deadline)
        clock_sleep(20000);
    clock_sleep(100000); /* what the database was still busy with */
    return true;
}

/* ---- what is there ---- */

static void find(const char *title)
{
    char *rest = NULL;
    unsigned long index = title ? strtoul(title, &rest, 10) : CLIENTS;
    unsigned long number = title ? strtoul(rest, &rest, 10) : 0;
    unsigned long state = title ? strtoul(rest, NULL, 10) : 0;
    if (!CHECK(index < CLIENTS && number < TODOS_MOST, "rows", "a strange title: %s",
               title ? title : "NULL"))
        return;
    clients[index].found[number] |= (unsigned char)state;
    clients[index].rows[number]++;
}

static int find_sqlite(void)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    char path[300];
    int count = 0;
    snprintf(path, sizeof path, "%s/todobackend.sqlite3", server.folder);
    if (sqlite3_open(path, &connection) == SQLITE_OK)
        sqlite3_prepare_v2(connection, "SELECT title FROM todo_todoitem", -1, &statement, NULL);
    for (; statement && sqlite3_step(statement) == SQLITE_ROW; count++)
        find((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return count;
}

static int find_mysql(void)
{
    MYSQL *connection = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    MYSQL_RES *rows = NULL;
    MYSQL_ROW row;
    int count = 0;
    if (mariadb_run(connection, "SELECT title FROM todo_todoitem"))
        rows = mysql_store_result(connection);
    for (; rows && (row = mysql_fetch_row(rows)); count++)
        find(row[0]);
    mysql_free_result(rows);
    if (connection)
        mysql_close(connection);
    return count;
}

static const char *name_of(unsigned states)
{
    static const char *const names[] = {"nothing",
                                        "gone",
                                        "created",
                                        "created or gone",
                                        "changed",
                                        "changed or gone",
                                        "changed or created",
                                        "anything"};
    return names[states % (sizeof names / sizeof names[0])];
}

static void check_client(const char *row, const struct client *client)
{
    for (unsigned i = 0; i < client->count; i++) {
        unsigned found = client->rows[i] > 0 ? client->found[i] : GONE;
        if (client->rows[i] <= 1 && (found & client->possible[i]) == found)
            continue;
        CHECK(false, row, "client %u's todo %u must be %s, and is %s, in %u rows",
              client->index, i, name_of(client->possible[i]), name_of(found), client->rows[i]);
    }
}

static void check_todos(const char *row)
{
    int count = test_database == TEST_SQLITE ? find_sqlite() : find_mysql();
    CHECK_NUMBER(row, "todos that the server lists", count, count_todos(&server));
    for (unsigned i = 0; i < CLIENTS; i++)
        check_client(row, &clients[i]);
}

static void add_up(unsigned long totals[ANSWERS])
{
    for (unsigned i = 0; i < CLIENTS; i++)
        for (unsigned answer = 0; answer < ANSWERS; answer++)
            totals[answer] += clients[i].answers[answer];
}

static void test_what_was_acknowledged_survives_crashes(void)
{
    static const char *const names[VICTIMS] = {"server killed", "database killed",
                                               "both killed"};
    const char *rounds = getenv("TEST_ROUNDS");
    unsigned count = rounds ? (unsigned)strtoul(rounds, NULL, 10) : 3;
    unsigned long totals[ANSWERS] = {0};
    unsigned kills[VICTIMS] = {0};
    unsigned first_seed = seed;
    bool is_well = true;
    for (unsigned i = 0; i < count && is_well; i++) {
        enum victim victim =
            test_database == TEST_SQLITE ? KILL_SERVER : (enum victim)(i % VICTIMS);
        if (!clear(names[victim]))
            break;
        start_clients();
        clock_sleep(WORK_LEAST + (unsigned)rand_r(&seed) % WORK_MORE);
        crash(victim);
        clock_sleep(WORK_AFTER);
        stop_clients(names[victim]);
        is_well = restart(names[victim], victim);
        if (is_well)
            check_todos(names[victim]);
        add_up(totals);
        kills[victim]++;
    }
    CHECK(totals[ACKNOWLEDGED] > 0, "crashes", "nothing was acknowledged");
    printf("\n    %u crashes (%u of the server, %u of the database, %u of both), TEST_SEED=%u:"
           " %lu changes acknowledged, %lu refused, %lu not known\n    ",
           count, kills[KILL_SERVER], kills[KILL_DATABASE], kills[KILL_BOTH], first_seed,
           totals[ACKNOWLEDGED], totals[NOTHING_CHANGED], totals[NOT_KNOWN]);
}

CU_TestInfo crash_tests[] = {
    TEST(test_what_was_acknowledged_survives_crashes),
    CU_TEST_INFO_NULL,
};
