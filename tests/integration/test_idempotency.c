/*
 * Idempotency-Key: a creation that is asked for again with the same key is done once, whatever
 * was lost on the way, and by whichever of two servers on one database.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "relay.h"
#include "suites.h"

#include <jansson.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVERS 2

static struct server servers[SERVERS];
static struct relay *relay; /* between the first one and MySQL */
static char relay_setting[32];
static char path_setting[300];
static const char *settings[SERVERS][3] = {
    {"REQUEST_TIMEOUT=2", relay_setting, NULL},
    {"REQUEST_TIMEOUT=2", path_setting,  NULL}
};

/* On SQLite, the second server has the first one's file. */
int idempotency_init(void)
{
    snprintf(relay_setting, sizeof relay_setting, "LOG_LEVEL=info");
    snprintf(path_setting, sizeof path_setting, "LOG_LEVEL=info");
    if (test_database == TEST_MYSQL) {
        relay = relay_open("127.0.0.1", mariadb_port());
        if (!relay)
            return 1;
        snprintf(relay_setting, sizeof relay_setting, "MYSQL_PORT=%u", relay_port(relay));
    }
    if (!server_open(&servers[0], settings[0]))
        return 1;
    if (test_database == TEST_SQLITE)
        snprintf(path_setting, sizeof path_setting, "SQLITE_PATH=%s/todobackend.sqlite3",
                 servers[0].folder);
    return server_open(&servers[1], settings[1]) ? 0 : 1;
}

int idempotency_cleanup(void)
{
    bool is_closed = server_close(&servers[1]);

    is_closed = server_close(&servers[0]) && is_closed;
    relay_close(relay);
    relay = NULL;
    return is_closed ? 0 : 1;
}

/* ---- the database, past the servers ---- */

static sqlite3 *open_sqlite(void)
{
    sqlite3 *connection = NULL;
    char path[300];

    snprintf(path, sizeof path, "%s/todobackend.sqlite3", servers[0].folder);
    if (sqlite3_open(path, &connection) == SQLITE_OK)
        sqlite3_busy_timeout(connection, 5000);
    return connection;
}

static void run_sql_on_sqlite(const char *sql)
{
    sqlite3 *connection = open_sqlite();

    CHECK(sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK, sql, "%s",
          sqlite3_errmsg(connection));
    sqlite3_close(connection);
}

static void run_sql_on_mysql(const char *sql)
{
    MYSQL *connection = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");

    mariadb_run(connection, sql);
    if (connection)
        mysql_close(connection);
}

/* `sqlite` and `mysql` are the same for the two. */
static void run_sql(const char *sqlite, const char *mysql)
{
    if (test_database == TEST_SQLITE)
        run_sql_on_sqlite(sqlite);
    else
        run_sql_on_mysql(mysql);
}

static int count_on_sqlite(const char *sql)
{
    sqlite3 *connection = open_sqlite();
    sqlite3_stmt *statement = NULL;
    int count = -1;

    if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return count;
}

static int count_keys(const char *like)
{
    char sql[200];
    char text[32];
    MYSQL *connection;

    snprintf(sql, sizeof sql,
             "SELECT COUNT(*) FROM todobackend_idempotency_keys WHERE idempotency_key LIKE"
             " '%s'",
             like);
    if (test_database == TEST_SQLITE)
        return count_on_sqlite(sql);
    connection = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    mariadb_value(connection, sql, text, sizeof text);
    if (connection)
        mysql_close(connection);
    return (int)strtol(text, NULL, 10);
}

/* ---- one request ---- */

struct post {
    const char *key; /* as it is sent; NULL: no key */
    const char *type;
    const char *path;
    const char *body;
};

static int send_post(const struct server *server, const struct post *post,
                     struct client_response *response)
{
    char headers[600] = "";

    if (post->key)
        snprintf(headers, sizeof headers, "Idempotency-Key: %s\r\n", post->key);
    client_ask(server->port,
               &(struct client_request){.method = "POST",
                                        .path = post->path ? post->path : "/todos",
                                        .headers = headers,
                                        .type = post->type ? post->type : "application/json",
                                        .body = post->body},
               response);
    return response->status;
}

/* Creates one, and gives its id; 0 with a failed check. `is_replayed` is what it must be. */
static unsigned create(const char *row, size_t server, const struct post *post,
                       bool is_replayed)
{
    struct client_response response = {0};
    unsigned id;

    send_post(&servers[server], post, &response);
    CHECK(response.status == 201, row, "POST gave %d %s", response.status,
          client_body(&response));
    CHECK_TEXT(row, "Idempotent-Replayed", is_replayed ? "true" : NULL,
               client_header(&response, "Idempotent-Replayed"));
    id = id_of_url(client_header(&response, "Location"));
    client_response_release(&response);
    return id;
}

/* Without the host, which has the server's port. */
static void check_same_todo(const char *row, const char *first, const char *again)
{
    const char *one = strstr(first, "/todos/");
    const char *other = strstr(again, "/todos/");

    CHECK_TEXT(row, "the answer again", one ? one : first, other ? other : again);
}

/* What a todo without fields gets, with these header lines. */
static void check_problem(const char *lines, const char *says)
{
    struct client_response response = {0};

    client_ask(servers[0].port,
               &(struct client_request)SEND("POST", "/todos", lines, "application/json", "{}"),
               &response);
    CHECK_CONTAINS(lines, "body", says, client_body(&response));
    client_response_release(&response);
}

/* ---- tests ---- */

#define AGAIN "\"again-1\""
#define FIRST "{\"title\":\" a\",\"completed\":true,\"order\":7}"

static void test_the_first_answer_comes_again(void)
{
    static const struct post first = {.key = "\"again-1\"", .body = FIRST};
    static const struct {
        const char *name;
        struct post post;
        int status; /* 201: the first answer */
    } rows[] = {
        {"the same",           {AGAIN, NULL, NULL, FIRST},                                   201},
        {"without the quotes", {"again-1", NULL, NULL, FIRST},                               201},
        {"another spelling",
         {AGAIN, NULL, NULL,
          "{\"order\":\"7\", \"x\":1, \"completed\":\"on\",\"title\":\"a\"}"},
         201                                                                                    },
        {"as a form",
         {AGAIN, "application/x-www-form-urlencoded", NULL, "title=a&completed=on&order=7"},
         201                                                                                    },
        {"another title",
         {AGAIN, NULL, NULL, "{\"title\":\"b\",\"completed\":true,\"order\":7}"},
         422                                                                                    },
        {"not completed",      {AGAIN, NULL, NULL, "{\"title\":\"a\",\"order\":7}"},         422},
        {"nothing",            {AGAIN, NULL, NULL, "{}"},                                    422},
        {"for another url",    {AGAIN, NULL, "/todos?format=json", FIRST},                   422},
        {"a bad body",         {AGAIN, NULL, NULL, "{\"order\":\"x\"}"},                     400},
        {"an unknown type",    {AGAIN, "text/plain", NULL, FIRST},                           415},
        {"a bad key",          {"\"again", NULL, NULL, FIRST},                               400},
        {"an empty key",       {"\"\"", NULL, NULL, FIRST},                                  400},
    };
    struct client_response wanted = {0};
    struct client_response response = {0};

    clear_todos(&servers[0]);
    CHECK_NUMBER("first", "status", 201, send_post(&servers[0], &first, &wanted));
    CHECK_TEXT("first", "Idempotent-Replayed", NULL,
               client_header(&wanted, "Idempotent-Replayed"));
    for (size_t i = 0; i < COUNT(rows) * SERVERS; i++) {
        const char *name = rows[i / SERVERS].name;

        send_post(&servers[i % SERVERS], &rows[i / SERVERS].post, &response);
        CHECK_NUMBER(name, "status", rows[i / SERVERS].status, response.status);
        CHECK_TEXT(name, "Idempotent-Replayed", response.status == 201 ? "true" : NULL,
                   client_header(&response, "Idempotent-Replayed"));
        if (response.status == 201) {
            check_same_todo(name, client_body(&wanted), client_body(&response));
            check_same_todo(name, client_header(&wanted, "Location"),
                            client_header(&response, "Location"));
        } else if (response.status == 422) {
            CHECK_CONTAINS(name, "detail", "Idempotency-Key was used", client_body(&response));
        }
    }
    check_problem(
        "Idempotency-Key: again-1\r\n" PROBLEM,
        SAYS("Unprocessable Content", "422") "\",\"detail\":\"Idempotency-Key was used");
    CHECK_NUMBER("afterwards", "todos", 1, count_todos(&servers[0]));
    client_response_release(&response);
    client_response_release(&wanted);
}

static void test_it_comes_again_whatever_became_of_the_todo(void)
{
    static const struct post post = {.key = "changed", .body = "{\"title\":\"a\"}"};
    struct client_response first = {0};
    struct client_response response = {0};
    unsigned id;

    clear_todos(&servers[0]);
    send_post(&servers[0], &post, &first);
    id = id_of_url(client_header(&first, "Location"));
    CHECK_NUMBER("change", "status", 200,
                 patch_todo(&servers[0], id, "{\"title\":\"b\"}", &response));
    send_post(&servers[0], &post, &response);
    CHECK_TEXT("changed", "body", client_body(&first), client_body(&response));
    clear_todos(&servers[0]);
    send_post(&servers[0], &post, &response);
    CHECK_TEXT("deleted", "body", client_body(&first), client_body(&response));
    CHECK_NUMBER("deleted", "todos", 0, count_todos(&servers[0]));
    server_kill(&servers[0]);
    if (server_start(&servers[0], settings[0])) {
        send_post(&servers[0], &post, &response);
        CHECK_NUMBER("another process", "status", 201, response.status);
        check_same_todo("another process", client_body(&first), client_body(&response));
    }
    client_response_release(&response);
    client_response_release(&first);
}

static void test_other_methods_have_no_use_for_a_key(void)
{
    static const struct exchange rows[] = {
        ROW("PATCH",
            SEND("PATCH", "/todos/{id}", "Idempotency-Key: \"\r\n", "application/json",
                 "{\"order\":1}"),
            200, ALPHA, "Idempotent-Replayed:\n", LIST),
        ROW("PUT",
            SEND("PUT", "/todos/{id}", "Idempotency-Key: \"\r\n", "application/json", "{}"),
            200, ALPHA, NULL, LIST),
        ROW("GET", WITH("/todos", "Idempotency-Key: \"\r\n"), 200, LIST, NULL, LIST),
        ROW("DELETE", ASK_WITH("DELETE", "/todos/{id}", "Idempotency-Key: \"\r\n"), 204, "",
            NULL, "[]"),
        ROW("POST", SEND("POST", "/todos", "Idempotency-Key: \"\r\n", "application/json", "{}"),
            400, "{\"detail\":\"Idempotency-Key must be ...", NULL, LIST),
    };

    exchange_run(&servers[0], rows, COUNT(rows));
}

static void test_a_key_is_known_for_a_day(void)
{
    static const struct post post = {.key = "day", .body = "{\"title\":\"a\"}"};
    static const struct post other = {.key = "day", .body = "{\"title\":\"b\"}"};
    unsigned first;

    clear_todos(&servers[0]);
    first = create("first", 0, &post, false);
    run_sql("UPDATE todobackend_idempotency_keys SET created_at = datetime('now', '-1439"
            " minutes') WHERE idempotency_key = 'day'",
            "UPDATE todobackend_idempotency_keys SET created_at = UTC_TIMESTAMP() - INTERVAL"
            " 1439 MINUTE WHERE idempotency_key = 'day'");
    CHECK_NUMBER("a minute before its end", "id", first, create("before", 1, &post, true));
    run_sql("UPDATE todobackend_idempotency_keys SET created_at = datetime('now', '-1441"
            " minutes') WHERE idempotency_key = 'day'",
            "UPDATE todobackend_idempotency_keys SET created_at = UTC_TIMESTAMP() - INTERVAL"
            " 1441 MINUTE WHERE idempotency_key = 'day'");
    CHECK(create("after", 1, &other, false) > first, "after its end", "no new todo");
    CHECK_NUMBER("afterwards", "todos", 2, count_todos(&servers[0]));
    CHECK_NUMBER("afterwards", "keys", 1, count_keys("day"));
}

/* More than two steps' worth. The server that begins with them forgets them while it writes. */
static void test_old_keys_go_in_steps(void)
{
    uint64_t deadline;
    int left = 1200;

    server_stop(&servers[1]);
    run_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
            " INSERT INTO todobackend_idempotency_keys SELECT 'old-' || i, 0, '1',"
            " datetime('now', '-25 hours') FROM n",
            "INSERT INTO todobackend_idempotency_keys SELECT CONCAT('old-', seq), 0, '1',"
            " UTC_TIMESTAMP() - INTERVAL 25 HOUR FROM seq_1_to_1200");
    create("young", 0, &(struct post){.key = "young", .body = "{}"}, false);
    if (!server_start(&servers[1], settings[1]))
        return;
    deadline = clock_now() + 10000000;
    while (left > 0 && clock_now() < deadline) {
        create("a write", 1, &(struct post){.body = "{}"}, false);
        clock_sleep(50000);
        left = count_keys("old-%");
    }
    CHECK_NUMBER("old keys", "left", 0, left);
    CHECK_NUMBER("young key", "left", 1, count_keys("young"));
}

/* ---- at the same time ---- */

struct racer {
    pthread_t thread;
    size_t server;
    char key[32];
    pthread_barrier_t *start;
    int status;
    unsigned id;
};

static void *race(void *context)
{
    struct racer *racer = context;
    struct client_response response = {0};

    pthread_barrier_wait(racer->start);
    racer->status =
        send_post(&servers[racer->server],
                  &(struct post){.key = racer->key, .body = "{\"title\":\"a\"}"}, &response);
    racer->id = id_of_url(client_header(&response, "Location"));
    client_response_release(&response);
    return NULL;
}

#define RACERS 4
#define RACES  100

static void run_race(unsigned number)
{
    struct racer racers[RACERS];
    pthread_barrier_t start;

    pthread_barrier_init(&start, NULL, RACERS);
    for (size_t i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.server = i % SERVERS, .start = &start};
        snprintf(racers[i].key, sizeof racers[i].key, "race-%u", number);
        if (pthread_create(&racers[i].thread, NULL, race, &racers[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        CHECK_NUMBER(racers[i].key, "status", 201, racers[i].status);
        CHECK_NUMBER(racers[i].key, "id", racers[0].id, racers[i].id);
    }
    pthread_barrier_destroy(&start);
}

static void test_two_servers_at_once_create_one(void)
{
    clear_todos(&servers[0]);
    for (unsigned i = 0; i < RACES; i++)
        run_race(i);
    CHECK_NUMBER("races", "todos", RACES, count_todos(&servers[0]));
}

static void test_a_key_that_is_held_is_a_conflict(void)
{
    static const struct post post = {.key = "held", .body = "{\"title\":\"a\"}"};
    struct client_response response = {0};
    MYSQL *other;

    if (test_database == TEST_SQLITE)
        return; /* whoever writes has the whole database */
    clear_todos(&servers[0]);
    other = mariadb_open(getenv("MYSQL_DATABASE"), "utf8mb4");
    mariadb_run(other, "BEGIN");
    mariadb_run(other, "INSERT INTO todobackend_idempotency_keys VALUES ('held', 0, '1',"
                       " UTC_TIMESTAMP())");
    send_post(&servers[0], &post, &response);
    CHECK_NUMBER("held", "status", 409, response.status);
    CHECK_TEXT("held", "Retry-After", "1", client_header(&response, "Retry-After"));
    CHECK_CONTAINS("held", "body", "Nothing was changed", client_body(&response));
    check_problem("Idempotency-Key: held\r\n" PROBLEM,
                  SAYS("Conflict", "409") "\",\"detail\":\"Idempotency-Key is that of");
    CHECK_NUMBER("held", "todos", 0, count_todos(&servers[0]));
    mariadb_run(other, "ROLLBACK");
    create("given up", 0, &post, false);
    if (other)
        mysql_close(other);
    client_response_release(&response);
}

static void test_without_the_table_a_key_is_refused(void)
{
    struct client_response response = {0};

    if (test_database == TEST_SQLITE)
        return; /* the server itself makes it, when it starts */
    run_sql_on_mysql("RENAME TABLE todobackend_idempotency_keys TO todobackend_hidden");
    clear_todos(&servers[0]);
    send_post(&servers[0], &(struct post){.key = "no table", .body = "{}"}, &response);
    CHECK_NUMBER("bad key", "status", 400, response.status);
    send_post(&servers[0], &(struct post){.key = "no-table", .body = "{}"}, &response);
    CHECK_NUMBER("with a key", "status", 503, response.status);
    CHECK_CONTAINS("with a key", "body", "The server's log says why", client_body(&response));
    create("without a key", 0, &(struct post){.body = "{}"}, false);
    CHECK_NUMBER("afterwards", "todos", 1, count_todos(&servers[0]));
    CHECK(server_await_log(&servers[0], "todobackend_idempotency_keys") > 0, "log",
          "doesn't name the table");
    run_sql_on_mysql("RENAME TABLE todobackend_hidden TO todobackend_idempotency_keys");
    client_response_release(&response);
}

/* ---- all is lost on the way, again and again ---- */

#define CREATORS     8
#define CREATIONS    125
#define CREATE_LIMIT 120000000U /* microseconds for all */

static atomic_uint ports[SERVERS];

struct creator {
    pthread_t thread;
    bool has_ended;
    unsigned index;
    unsigned seed;
    unsigned attempts;
    unsigned ids[CREATIONS];
    char wrong[200];
};

/* One try. Its answer may be lost, or half of the request. Gives the status, 0 for none. */
static int try_to_create(struct creator *creator, const struct client_request *request,
                         unsigned port, struct client_response *response)
{
    struct client_connection connection;
    unsigned chance = (unsigned)rand_r(&creator->seed) % 8;
    char half[400];

    creator->attempts++;
    client_response_release(response);
    if (!client_open(&connection, port))
        return 0;
    if (chance == 0) {
        int size = snprintf(half, sizeof half,
                            "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n%s"
                            "Content-Type: application/json\r\n\r\n%.5s",
                            strlen(request->body), request->headers, request->body);
        client_send(&connection, half, (size_t)size);
    } else if (client_send_request(&connection, port, request) && chance > 3) {
        client_receive(&connection, false, CLIENT_TIME_LIMIT, response);
    } else {
        clock_sleep((unsigned)rand_r(&creator->seed) % 3000);
    }
    client_close(&connection);
    return response->status;
}

/* Until it is told that it is there, and then once more, by the other server. */
static void create_one(struct creator *creator, unsigned number, uint64_t deadline)
{
    char key[64];
    char body[64];
    struct client_response response = {0};
    const struct client_request request = {.method = "POST",
                                           .path = "/todos",
                                           .headers = key,
                                           .type = "application/json",
                                           .body = body};
    unsigned last = SERVERS;

    snprintf(key, sizeof key, "Idempotency-Key: \"lossy-%u-%u\"\r\n", creator->index, number);
    snprintf(body, sizeof body, "{\"title\":\"%u %u\"}", creator->index, number);
    /* 409: the try whose server was killed, or whose line was cut, is not over in the database
     */
    while (!creator->wrong[0]) {
        unsigned server =
            last < SERVERS ? SERVERS - 1 - last : (unsigned)rand_r(&creator->seed) % SERVERS;
        int status = try_to_create(creator, &request, ports[server], &response);
        unsigned id = id_of_url(client_header(&response, "Location"));

        if (clock_now() > deadline ||
            (status != 0 && status != 201 && status != 409 && status != 503))
            snprintf(creator->wrong, sizeof creator->wrong, "%s: %d %.100s", body, status,
                     client_body(&response));
        if (status == 201 && last < SERVERS && id != creator->ids[number])
            snprintf(creator->wrong, sizeof creator->wrong, "%s: first %u, then %u", body,
                     creator->ids[number], id);
        if (status == 201 && last < SERVERS)
            break;
        if (status == 201) {
            creator->ids[number] = id;
            last = server;
        } else {
            clock_sleep(2000);
        }
    }
    client_response_release(&response);
}

static void *create_all(void *context)
{
    struct creator *creator = context;
    uint64_t deadline = clock_now() + CREATE_LIMIT;

    for (unsigned i = 0; i < CREATIONS && !creator->wrong[0]; i++)
        create_one(creator, i, deadline);
    return NULL;
}

/* The line to the database fails in this way and that; a server is killed now and then. */
static void make_trouble(unsigned round)
{
    static const enum relay_fault faults[] = {RELAY_CUT_COMMITTED, RELAY_RESET,
                                              RELAY_CUT_COMMIT,    RELAY_CUT_ANSWER,
                                              RELAY_CUT_COMMITTED, RELAY_CUT_QUERY};

    if (relay)
        relay_set(relay, (struct relay_rule){.fault = faults[round % COUNT(faults)]});
    clock_sleep(30000);
    if (relay)
        relay_set(relay, (struct relay_rule){.fault = RELAY_SOUND});
    if (round % 8 == 3) {
        server_kill(&servers[0]);
        if (server_start(&servers[0], settings[0]))
            ports[0] = servers[0].port;
    }
    clock_sleep(150000);
}

static bool are_busy(struct creator *creators)
{
    bool are_busy = false;

    for (size_t i = 0; i < CREATORS; i++) {
        if (!creators[i].has_ended)
            creators[i].has_ended = pthread_tryjoin_np(creators[i].thread, NULL) == 0;
        are_busy = are_busy || !creators[i].has_ended;
    }
    return are_busy;
}

/* Each title once: "CREATOR NUMBER". */
static void check_all_are_there_once(void)
{
    unsigned char found[CREATORS][CREATIONS] = {0};
    struct client_response response = {0};
    json_t *list;
    json_t *todo;
    size_t i;

    get(&servers[1], "/todos", &response);
    list = json_loads(client_body(&response), 0, NULL);
    CHECK_NUMBER("afterwards", "todos", CREATORS * CREATIONS, (long long)json_array_size(list));
    json_array_foreach(list, i, todo)
    {
        char *rest = NULL;
        const char *title = json_string_value(json_object_get(todo, "title"));
        unsigned long creator = strtoul(title ? title : "99", &rest, 10);
        unsigned long number = strtoul(rest, NULL, 10);

        if (CHECK(creator < CREATORS && number < CREATIONS, "afterwards", "a title %s", title))
            CHECK_NUMBER(title, "is there before", 0, found[creator][number]++);
    }
    json_decref(list);
    client_response_release(&response);
}

static void test_a_thousand_creations_over_a_lossy_line_are_a_thousand_todos(void)
{
    static struct creator creators[CREATORS];
    unsigned attempts = 0;
    unsigned rounds = 0;

    clear_todos(&servers[0]);
    for (size_t i = 0; i < SERVERS; i++)
        ports[i] = servers[i].port;
    for (unsigned i = 0; i < CREATORS; i++) {
        creators[i] = (struct creator){.index = i, .seed = i + 1};
        if (pthread_create(&creators[i].thread, NULL, create_all, &creators[i]) != 0)
            abort();
    }
    while (are_busy(creators))
        make_trouble(rounds++);
    for (size_t i = 0; i < CREATORS; i++) {
        CHECK(!creators[i].wrong[0], "creator", "%s", creators[i].wrong);
        attempts += creators[i].attempts;
    }
    check_all_are_there_once();
    CHECK(rounds > 3 && attempts > 2 * CREATORS * CREATIONS, "trouble",
          "%u rounds, %u attempts", rounds, attempts);
    printf("\n    %u attempts, %u rounds of trouble\n    ", attempts, rounds);
}

CU_TestInfo idempotency_tests[] = {
    TEST(test_the_first_answer_comes_again),
    TEST(test_it_comes_again_whatever_became_of_the_todo),
    TEST(test_other_methods_have_no_use_for_a_key),
    TEST(test_a_key_is_known_for_a_day),
    TEST(test_old_keys_go_in_steps),
    TEST(test_two_servers_at_once_create_one),
    TEST(test_a_key_that_is_held_is_a_conflict),
    TEST(test_without_the_table_a_key_is_refused),
    TEST(test_a_thousand_creations_over_a_lossy_line_are_a_thousand_todos),
    CU_TEST_INFO_NULL,
};
