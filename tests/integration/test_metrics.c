/*
 * ADMIN_PORT, and what /metrics says there: each request that is sent is counted once, under
 * its name, and each metric moves when that happens which it tells of.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"
#include "xray_daemon.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE  15000000U /* microseconds in which a metric must have moved */
#define LARGE     60000     /* bytes of a body, of which there is room for one */
#define CROWD     300
#define NAME_SIZE 160

static struct server server;
static unsigned admin_port;
static char admin_setting[32];

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool good = bind(probe, (const struct sockaddr *)&address, size) == 0 &&
                getsockname(probe, (struct sockaddr *)&address, &size) == 0;
    close(probe);
    CHECK(good, "port", "there is none");
    return ntohs(address.sin_port);
}

/* With an admin port of its own, and up to four more settings. */
static bool open_server(const char *const *more)
{
    const char *settings[8] = {admin_setting, "ADMIN_ADDRESS=127.0.0.1", "LOG_HEALTH=1"};
    admin_port = free_port();
    snprintf(admin_setting, sizeof admin_setting, "ADMIN_PORT=%u", admin_port);
    for (size_t i = 0; more && more[i]; i++)
        settings[3 + i] = more[i];
    return server_open(&server, settings);
}

static int ask_admin(const char *path, struct client_response *response)
{
    client_ask(admin_port, &(struct client_request)GET(path), response);
    return response->status;
}

/* ---- reading metrics ---- */

/* The value behind "\nseries "; -1 without such a line. */
static double find(const char *metrics, const char *series)
{
    size_t length = strlen(series);
    for (const char *line = metrics; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, series, length) == 0 && line[length] == ' ')
            return strtod(line + length, NULL);
    }
    return -1;
}

static double measure(const char *series)
{
    struct client_response response = {0};
    CHECK_NUMBER("/metrics", "status", 200, ask_admin("/metrics", &response));
    double value = find(client_body(&response), series);
    client_response_release(&response);
    return value;
}

/* All series of this beginning together. */
static double sum_of(const char *metrics, const char *beginning)
{
    double sum = 0;
    for (const char *line = metrics; (line = strstr(line, beginning)); line++)
        if (line == metrics || line[-1] == '\n')
            sum += strtod(strrchr(strndupa(line, strcspn(line, "\n")), ' '), NULL);
    return sum;
}

/* What is counted is counted after the client has its answer. */
static void check_becomes(const char *row, const char *series, double wanted)
{
    uint64_t deadline = clock_now() + PATIENCE;
    double value = measure(series);
    while ((value < wanted || value > wanted) && clock_now() < deadline) {
        clock_sleep(2000);
        value = measure(series);
    }
    CHECK(!(value < wanted || value > wanted), row, "%s: wanted %g, got %g", series, wanted,
          value);
}

static void check_reaches(const char *row, const char *series, double least)
{
    uint64_t deadline = clock_now() + PATIENCE;
    double value = measure(series);
    while (value < least && clock_now() < deadline) {
        clock_sleep(2000);
        value = measure(series);
    }
    CHECK(value >= least, row, "%s: wanted at least %g, got %g", series, least, value);
}

/* ---- requests ---- */

static const struct counted {
    const char *method, *path; /* {id}: of a todo */
    const char *headers, *type, *body;
    const char *series_route, *series_method;
    unsigned status;
} counted[] = {
    {"GET",     "/",                 NULL,                                                                 NULL,               NULL,                "/",              "GET",     200},
    {"HEAD",    "/",                 NULL,                                                                 NULL,               NULL,                "/",              "HEAD",    200},
    {"GET",     "/todos",            NULL,                                                                 NULL,               NULL,                "/todos",         "GET",     200},
    {"GET",     "/todos",            "Accept: image/png\r\n",                                              NULL,               NULL,                "/todos",         "GET",     406},
    {"HEAD",    "/todos",            NULL,                                                                 NULL,               NULL,                "/todos",         "HEAD",    200},
    {"POST",    "/todos",            NULL,                                                                 "application/json", "{\"title\":\"a\"}", "/todos",         "POST",    201},
    {"POST",    "/todos",            NULL,                                                                 "application/json", "{",                 "/todos",         "POST",    400},
    {"POST",    "/todos",            NULL,                                                                 "text/plain",       "a",                 "/todos",         "POST",    415},
    {"OPTIONS", "/todos",            NULL,                                                                 NULL,               NULL,                "/todos",         "OPTIONS", 200},
    {"PATCH",   "/todos",            NULL,                                                                 NULL,               NULL,                "/todos",         "PATCH",   405},
    {"GET",     "/todos/{id}",       NULL,                                                                 NULL,               NULL,                "/todos/{id}",    "GET",     200},
    {"GET",     "/todos/0",          NULL,                                                                 NULL,               NULL,                "/todos/{id}",    "GET",     404},
    {"PUT",     "/todos/{id}",       NULL,                                                                 "application/json", "{\"title\":\"b\"}", "/todos/{id}",    "PUT",
     200                                                                                                                                                                            },
    {"PATCH",   "/todos/{id}",       NULL,                                                                 "application/json", "{\"order\":1}",     "/todos/{id}",    "PATCH",
     200                                                                                                                                                                            },
    {"OPTIONS", "/todos/{id}",       NULL,                                                                 NULL,               NULL,                "/todos/{id}",    "OPTIONS", 200},
    {"BREW",    "/todos/{id}",       NULL,                                                                 NULL,               NULL,                "/todos/{id}",    "other",   405},
    {"GET",     "/static/style.css", NULL,                                                                 NULL,               NULL,                "/static/{name}", "GET",     200},
    {"GET",     "/static/none.css",  NULL,                                                                 NULL,               NULL,                "/static/{name}", "GET",     404},
    {"GET",     "/livez",            NULL,                                                                 NULL,               NULL,                "/livez",         "GET",     200},
    {"GET",     "/readyz",           NULL,                                                                 NULL,               NULL,                "/readyz",        "GET",     200},
    {"GET",     "/metrics",          NULL,                                                                 NULL,               NULL,                "other",          "GET",     404},
    {"DELETE",  "/no/such/path",     NULL,                                                                 NULL,               NULL,                "other",          "DELETE",  404},
    {"TRACE",   "/todos",            NULL,                                                                 NULL,               NULL,                "/todos",         "other",   405},
    {"OPTIONS", "/todos",            "Origin: http://a.example\r\nAccess-Control-Request-Method: PUT\r\n",
     NULL,                                                                                                                     NULL,                "other",          "OPTIONS", 200},
    {"DELETE",  "/todos",            NULL,                                                                 NULL,               NULL,                "/todos",         "DELETE",  204},
};

/* How often each is sent: in other numbers, so that none is taken for another. */
static unsigned times_of(size_t row)
{
    return (unsigned)row % 7 + 1;
}

static void print_series(const struct counted *row, char series[NAME_SIZE])
{
    snprintf(series, NAME_SIZE,
             "todobackend_http_requests_total{route=\"%s\",method=\"%s\",code=\"%u\"}",
             row->series_route, row->series_method, row->status);
}

static void send_one(struct client_connection *connection, const struct counted *row,
                     const char *path, struct client_response *response)
{
    if (connection->fd < 0)
        client_open(connection, server.port);
    client_send_request(connection, server.port,
                        &(struct client_request){.method = row->method,
                                                 .path = path,
                                                 .headers = row->headers,
                                                 .type = row->type,
                                                 .body = row->body});
    client_receive(connection, strcmp(row->method, "HEAD") == 0, CLIENT_TIME_LIMIT, response);
    CHECK_NUMBER(path, row->method, row->status, response->status);
    if (client_header(response, "Connection"))
        client_close(connection);
}

/* One behind the other on the same connection, as far as it stays. */
static unsigned send_counted(unsigned id)
{
    unsigned sent = 0;
    struct client_connection connection = {.fd = -1};
    struct client_response response = {0};
    for (size_t i = 0; i < COUNT(counted); i++) {
        char path[64];
        if (strstr(counted[i].path, "{id}"))
            snprintf(path, sizeof path, "/todos/%u", id);
        else
            snprintf(path, sizeof path, "%s", counted[i].path);
        for (unsigned n = 0; n < times_of(i); n++, sent++)
            send_one(&connection, &counted[i], path, &response);
    }
    client_close(&connection);
    client_response_release(&response);
    return sent;
}

static long count_text(const struct buffer *log, const char *part)
{
    long count = 0;
    for (const char *rest = log->data; rest && (rest = strstr(rest, part)); rest++)
        count++;
    return count;
}

/* The access log, and the metrics that must tell the same. Those of the admin port are in the
 * log alone. */
static void check_against_log(void)
{
    struct client_response metrics = {0};
    struct buffer log = {0};
    uint64_t deadline = clock_now() + BUSY_MACHINE * 1000;
    long requests;
    ask_admin("/metrics", &metrics);
    long counted_all = (long)sum_of(client_body(&metrics), "todobackend_http_requests_total{");
    do { /* the log is written every 100 ms */
        clock_sleep(200000);
        server_read_log(&server, &log);
        requests = count_text(&log, "\"message\":\"request\"") -
                   count_text(&log, "\"path\":\"/metrics\",\"status\":200");
    } while (requests < counted_all && clock_now() < deadline);
    CHECK_NUMBER("log", "requests", requests, counted_all);
    CHECK_NUMBER("durations", "requests", requests,
                 (long)sum_of(client_body(&metrics),
                              "todobackend_http_request_duration_seconds_count{"));
    CHECK_NUMBER(
        "log", "warnings and errors", 0,
        (long)(find(client_body(&metrics), "todobackend_log_lines_total{level=\"warning\"}") +
               find(client_body(&metrics), "todobackend_log_lines_total{level=\"error\"}")));
    client_response_release(&metrics);
    buffer_release(&log);
}

static void test_each_request_is_counted_once_under_its_name(void)
{
    struct client_response before = {0};
    if (!open_server(NULL))
        return;
    unsigned id = create_todo(&server, "{\"title\":\"alpha\"}");
    check_becomes("create",
                  "todobackend_http_requests_total{route=\"/todos\",method=\"POST\","
                  "code=\"201\"}",
                  1);
    ask_admin("/metrics", &before);
    unsigned sent = send_counted(id);
    for (size_t i = 0; i < COUNT(counted); i++) {
        char series[NAME_SIZE];
        print_series(&counted[i], series);
        double old = find(client_body(&before), series);
        check_becomes(counted[i].path, series, (old < 0 ? 0 : old) + times_of(i));
    }
    struct client_response after = {0};
    ask_admin("/metrics", &after);
    CHECK_NUMBER("all", "requests", sent,
                 (long)(sum_of(client_body(&after), "todobackend_http_requests_total{") -
                        sum_of(client_body(&before), "todobackend_http_requests_total{")));
    check_against_log();
    server_close(&server);
    client_response_release(&before);
    client_response_release(&after);
}

static void test_trips_and_waits_are_of_each_read_and_write(void)
{
    struct client_response response = {0};
    if (!open_server(NULL))
        return;
    for (int i = 0; i < 5; i++)
        create_todo(&server, "{\"title\":\"alpha\"}");
    for (int i = 0; i < 7; i++)
        get(&server, "/todos", &response);
    check_becomes("writes", "todobackend_queue_wait_seconds_count{kind=\"write\"}", 5);
    check_becomes("reads", "todobackend_queue_wait_seconds_count{kind=\"read\"}", 7);
    check_becomes("writes", "todobackend_db_batch_requests_sum{kind=\"write\"}", 5);
    check_becomes("reads", "todobackend_db_batch_requests_sum{kind=\"read\"}", 7);
    check_becomes("writes", "todobackend_db_trip_seconds_count{kind=\"write\"}", 5);
    check_becomes("reads", "todobackend_db_trip_seconds_count{kind=\"read\"}", 7);
    check_becomes("alone", "todobackend_db_batch_requests_bucket{kind=\"read\",le=\"1\"}", 7);
    CHECK(measure("todobackend_db_trip_seconds_sum{kind=\"write\"}") > 0, "trips", "no time");
    check_becomes("connections", "todobackend_db_connections", 2);
    check_reaches("schema", "todobackend_schema_version", 1);
    check_becomes("bound", "todobackend_queue_requests_max", 1024);
    check_becomes("memory", "todobackend_http_response_memory_max_bytes", 67108864);
    server_close(&server);
    client_response_release(&response);
}

#define SENT    "todobackend_xray_segments_sent_total"
#define DROPPED "todobackend_xray_segments_dropped_total"

static void ask_sampled(unsigned count)
{
    struct client_response response = {0};
    for (unsigned i = 0; i < count; i++)
        client_ask(server.port,
                   &(struct client_request)WITH(
                       "/todos", "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;"
                                 "Sampled=1\r\n"),
                   &response);
    client_response_release(&response);
}

/* A closed port is told of with the datagram after the one that met it. */
static void test_segments_are_counted_as_sent_or_dropped(void)
{
    struct xray_daemon daemon = {.socket = -1};
    const char *const settings[] = {daemon.setting, NULL};
    json_t *segment;
    if (xray_daemon_open(&daemon) && open_server(settings)) {
        check_becomes("before", SENT, 0);
        ask_sampled(5);
        check_becomes("sent", SENT, 5);
        for (unsigned i = 0; i < 5; i++) {
            segment = xray_daemon_receive(&daemon, CLIENT_TIME_LIMIT);
            CHECK(segment != NULL, "sent", "%u came", i);
            json_decref(segment);
        }
        check_becomes("sent", DROPPED, 0);
        close(daemon.socket);
        daemon.socket = -1;
        ask_sampled(6);
        check_becomes("nobody is there", SENT, 8);
        check_becomes("nobody is there", DROPPED, 3);
    }
    server_close(&server);
    if (daemon.socket >= 0)
        close(daemon.socket);
}

/* ---- what is refused ---- */

static void refuse(const char *row, const char *text, int status)
{
    struct client_connection connection;
    struct client_response response = {0};
    if (client_open(&connection, server.port)) {
        client_send_text(&connection, text);
        client_receive(&connection, false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER(row, "status", status, response.status);
    }
    client_close(&connection);
    client_response_release(&response);
}

/* The first has announced a body, and sends most of it: there is no room for the second. */
static void fill_memory(void)
{
    static const char head[] = "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 60000\r\n\r\n";
    struct client_connection first;
    char *body = calloc(1, LARGE);
    if (body && client_open(&first, server.port)) {
        client_send_text(&first, head);
        client_send(&first, body, LARGE - 1);
        check_reaches("memory", "todobackend_http_request_memory_bytes", LARGE - 1);
        check_becomes("connection", "todobackend_http_connections", 2); /* and the slow one */
        refuse("memory", head, 503);
    }
    client_close(&first);
    free(body);
}

static void test_what_is_refused_is_counted_by_reason(void)
{
    static const char *const settings[] = {"HTTP_BODY_LIMIT=65536", "REQUEST_MEMORY=65536",
                                           "ALLOWED_HOSTS=a", NULL};
    struct client_connection slow = {.fd = -1};
    struct client_response response = {0};
    if (!open_server(settings))
        return;
    client_open(&slow, server.port);
    client_send_text(&slow, "GET /todos HTTP/1.1\r\n");
    refuse("host", "GET /todos HTTP/1.1\r\nHost: b\r\n\r\n", 400);
    refuse("guard", "GET /todos HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400);
    refuse("guard", "GET /todos HTTP/1.1\r\n\r\n", 400);
    refuse("body", "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413);
    fill_memory();
    check_becomes("host", "todobackend_http_rejected_total{reason=\"host\"}", 1);
    check_becomes("guard", "todobackend_http_rejected_total{reason=\"guard\"}", 2);
    check_becomes("body", "todobackend_http_rejected_total{reason=\"body\"}", 1);
    check_becomes("memory", "todobackend_http_rejected_total{reason=\"memory\"}", 1);
    check_becomes("memory", "todobackend_http_request_memory_bytes", 0);
    check_becomes("not yet", "todobackend_http_rejected_total{reason=\"slow\"}", 0);
    client_receive(&slow, false, 2 * CLIENT_TIME_LIMIT, &response);
    CHECK_NUMBER("slow", "status", 408, response.status);
    check_becomes("slow", "todobackend_http_rejected_total{reason=\"slow\"}", 1);
    client_close(&slow);
    server_close(&server);
    client_response_release(&response);
}

static void test_connections_that_make_room_are_counted(void)
{
    static const char *const settings[] = {"HTTP_CLIENT_CONNECTIONS=2", NULL};
    struct client_connection connections[5];
    if (!open_server(settings))
        return;
    for (size_t i = 0; i < COUNT(connections); i++)
        client_open(&connections[i], server.port);
    check_becomes("room", "todobackend_http_rejected_total{reason=\"connections\"}", 3);
    check_becomes("room", "todobackend_http_connections", 2);
    for (size_t i = 0; i < COUNT(connections); i++)
        client_close(&connections[i]);
    server_close(&server);
}

/* ---- a database that does not do its work ---- */

static void send_create(struct client_connection *connection)
{
    client_open(connection, server.port);
    client_send_request(
        connection, server.port,
        &(struct client_request)JSON("POST", "/todos", "{\"title\":\"waits\"}"));
}

static void send_creates_to_a_database_that_hangs(struct client_connection *connections,
                                                  size_t count)
{
    send_create(&connections[0]);
    check_becomes("at work", "todobackend_http_requests_in_flight", 1);
    check_becomes("at work", "todobackend_queue_requests{kind=\"write\"}", 0);
    for (size_t i = 1; i < count; i++)
        send_create(&connections[i]);
    check_becomes("waiting", "todobackend_queue_requests{kind=\"write\"}", 1);
}

/* One is at work, one waits, the others find no room. */
static void test_a_full_queue_and_its_deadlines_are_counted(void)
{
    static const char *const settings[] = {"REQUEST_TIMEOUT=7", "DB_QUEUE=1", "DB_BATCH=1",
                                           NULL};
    struct client_connection connections[12];
    const int count = COUNT(connections);
    struct client_response response = {0};
    if (!open_server(settings))
        return;
    create_todo(&server, "{\"title\":\"connects\"}");
    CHECK(mariadb_halt(), "hang", "the database does not halt");
    send_creates_to_a_database_that_hangs(connections, COUNT(connections));
    for (size_t i = 0; i < COUNT(connections); i++) {
        client_receive(&connections[i], false, CLIENT_TIME_LIMIT, &response);
        CHECK_NUMBER("it hangs", "status", 503, response.status);
        client_close(&connections[i]);
    }
    kill(mariadb_pid(), SIGCONT);
    check_becomes("all",
                  "todobackend_http_requests_total{route=\"/todos\",method=\"POST\","
                  "code=\"503\"}",
                  count);
    check_becomes("full", "todobackend_http_rejected_total{reason=\"queue\"}", count - 2);
    check_reaches("late", "todobackend_http_rejected_total{reason=\"deadline\"}", 1);
    check_becomes("over", "todobackend_http_requests_in_flight", 0);
    check_becomes("over", "todobackend_queue_requests{kind=\"write\"}", 0);
    server_close(&server);
    client_response_release(&response);
}

static void ask_until_ready_is(int status)
{
    struct client_response response = {0};
    uint64_t deadline = clock_now() + 2 * PATIENCE;
    while (ask_admin("/readyz", &response) != status && clock_now() < deadline)
        clock_sleep(10000);
    CHECK_NUMBER("/readyz", "status", status, response.status);
    client_response_release(&response);
}

static void test_a_database_that_takes_no_changes_is_seen(void)
{
    if (!open_server(NULL))
        return;
    check_becomes("at first", "todobackend_ready", 1);
    struct database_lock *lock = database_lock(&server);
    ask_until_ready_is(503);
    check_becomes("locked", "todobackend_db_up{kind=\"write\"}", 0);
    check_becomes("locked", "todobackend_ready", 0);
    database_unlock(lock);
    ask_until_ready_is(200);
    check_becomes("unlocked", "todobackend_db_up{kind=\"write\"}", 1);
    check_becomes("unlocked", "todobackend_db_up{kind=\"read\"}", 1);
    check_becomes("unlocked", "todobackend_ready", 1);
    server_close(&server);
}

/* Servers and libraries give a lost connection numbers of their own. */
static long count_errors(void)
{
    struct client_response metrics = {0};
    ask_admin("/metrics", &metrics);
    long count = (long)sum_of(client_body(&metrics), "todobackend_db_errors_total{");
    client_response_release(&metrics);
    return count;
}

/* All connections of the program's user end; what asks next finds that out. */
static void test_lost_connections_are_counted(void)
{
    MYSQL *root;
    char id[32];
    struct client_response response = {0};
    if (!open_server(NULL))
        return;
    create_todo(&server, "{\"title\":\"a\"}");
    get(&server, "/todos", &response);
    check_becomes("before", "todobackend_db_connections", 2);
    check_becomes("before", "todobackend_db_reconnects_total", 0);
    root = mariadb_open_root(NULL);
    while (strcmp(mariadb_value(root,
                                "SELECT id FROM information_schema.processlist"
                                " WHERE user <> SUBSTRING_INDEX(USER(), '@', 1)"
                                " AND command = 'Sleep' LIMIT 1",
                                id, sizeof id),
                  "(none)") != 0) {
        char kill_sql[64];
        snprintf(kill_sql, sizeof kill_sql, "KILL %s", id);
        mariadb_run(root, kill_sql);
        clock_sleep(10000);
    }
    mysql_close(root);
    CHECK_NUMBER("killed", "GET", 200, get(&server, "/todos", &response));
    CHECK_NUMBER("afterwards", "errors", 1, count_errors());
    check_becomes("afterwards", "todobackend_db_errors_total{code=\"other\"}", 0);
    check_reaches("afterwards", "todobackend_db_reconnects_total", 1);
    create_todo(&server, "{\"title\":\"b\"}");
    check_becomes("afterwards", "todobackend_db_connections", 2);
    check_becomes("afterwards", "todobackend_db_reconnects_total", 2);
    server_close(&server);
    client_response_release(&response);
}

/* ---- the port ---- */

static void test_the_admin_port_has_its_own_paths(void)
{
    static const char *const settings[] = {"ALLOWED_HOSTS=a", NULL};
    struct client_response response = {0};
    if (!open_server(settings))
        return;
    CHECK_NUMBER("admin", "/livez", 200, ask_admin("/livez", &response));
    CHECK_NUMBER("admin", "/readyz", 200, ask_admin("/readyz", &response));
    CHECK_NUMBER("admin", "/metrics", 200, ask_admin("/metrics", &response));
    CHECK_TEXT("admin", "Content-Type", "text/plain; version=0.0.4; charset=utf-8",
               client_header(&response, "Content-Type"));
    CHECK_CONTAINS("admin", "/metrics", "database=\"", client_body(&response));
    CHECK_NUMBER("admin", "/todos", 404, ask_admin("/todos", &response));
    CHECK_NUMBER("admin", "/", 404, ask_admin("/", &response));
    CHECK_NUMBER("public", "/livez", 200, get(&server, "/livez", &response));
    CHECK_NUMBER("public", "/readyz", 200, get(&server, "/readyz", &response));
    refuse("public", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 404);
    server_close(&server);
    client_response_release(&response);
}

static void open_crowd(struct client_connection crowd[CROWD], unsigned port)
{
    for (size_t i = 0; i < CROWD; i++) {
        client_open(&crowd[i], port);
        client_send_text(&crowd[i], "GET /");
    }
}

static void close_crowd(struct client_connection crowd[CROWD])
{
    for (size_t i = 0; i < CROWD; i++)
        client_close(&crowd[i]);
}

static void check_both_answer(const char *row)
{
    struct client_response response = {0};
    CHECK_NUMBER(row, "public", 200, get(&server, "/todos", &response));
    CHECK_NUMBER(row, "admin", 200, ask_admin("/metrics", &response));
    CHECK_NUMBER(row, "admin", 200, ask_admin("/readyz", &response));
    client_response_release(&response);
}

/* With descriptors for fewer than the crowd. */
static void test_a_crowd_at_one_port_leaves_the_other_alone(void)
{
    static const char *const settings[] = {"RLIMIT_NOFILE=200", NULL};
    struct client_connection crowd[CROWD];
    if (!open_server(settings))
        return;
    open_crowd(crowd, server.port);
    check_both_answer("a crowd at the public port");
    close_crowd(crowd);
    open_crowd(crowd, admin_port);
    check_both_answer("a crowd at the admin port");
    close_crowd(crowd);
    server_close(&server);
}

static void run_command(const char *name, const char *const *settings, int status,
                        const char *words)
{
    const char *const arguments[] = {name, NULL};
    struct command_result result = {0};
    command_run(&(struct command){.arguments = arguments, .settings = settings},
                CLIENT_TIME_LIMIT, &result);
    CHECK_NUMBER(name, "exit status", status, result.status);
    if (words)
        CHECK_CONTAINS(name, "stderr", words, result.err.data ? result.err.data : "");
    command_result_release(&result);
}

static void test_the_health_check_asks_the_admin_port(void)
{
    const char *const settings[] = {admin_setting, "HTTP_PORT=1", NULL};
    if (!open_server(NULL))
        return;
    run_command("healthcheck", settings, 0, NULL);
    server_close(&server);
    run_command("healthcheck", settings, 1, "/readyz: ");
}

static void test_an_admin_port_in_use_is_named(void)
{
    const char *const settings[] = {admin_setting, "ADMIN_ADDRESS=127.0.0.1", NULL};
    char words[64];
    if (!open_server(NULL))
        return;
    snprintf(words, sizeof words, "ADMIN_PORT: cannot listen on 127.0.0.1 port %u", admin_port);
    run_command("serve", settings, 1, words);
    server_close(&server);
}

/* For those who look while it stops, the admin port stays until the end. */
static void test_a_stop_is_seen(void)
{
    static const char *const settings[] = {"STOP_DELAY=2", NULL};
    struct client_response response = {0};
    if (!open_server(settings))
        return;
    check_becomes("before", "todobackend_draining", 0);
    kill(server.pid, SIGTERM);
    check_becomes("stopping", "todobackend_draining", 1);
    check_becomes("stopping", "todobackend_ready", 0);
    CHECK_NUMBER("stopping", "/readyz", 503, ask_admin("/readyz", &response));
    CHECK_NUMBER("stopping", "/livez", 200, ask_admin("/livez", &response));
    CHECK_NUMBER("stopped", "exit status", 0, command_wait(server.pid, CLIENT_TIME_LIMIT));
    server.pid = 0;
    server_close(&server);
    client_response_release(&response);
}

#define WAITERS 100

/* Readers who wait for news cost one look a second, all of them together, and those who leave
 * nothing. */
static void test_waiting_costs_one_look_a_second(void)
{
    static const char waiting[] = "todobackend_http_requests_waiting";
    static const char looks[] = "todobackend_db_trip_seconds_count{kind=\"read\"}";
    struct client_connection crowd[WAITERS];
    struct client_response response = {0};
    char headers[160];

    if (!open_server(NULL))
        return;
    get(&server, "/todos", &response);
    snprintf(headers, sizeof headers, "If-None-Match: %s\r\nPrefer: wait=20\r\n",
             client_header(&response, "ETag"));
    for (size_t i = 0; i < WAITERS; i++) {
        client_open(&crowd[i], server.port);
        client_send_request(&crowd[i], server.port,
                            &(struct client_request)WITH("/todos", headers));
    }
    check_becomes("crowd", waiting, WAITERS);
    double before = measure(looks);
    clock_sleep(3000000);
    double made = measure(looks) - before;
    CHECK(made >= 1 && made <= 4, "three seconds", "%g looks", made);
    for (size_t i = 0; i < WAITERS / 2; i++)
        client_close(&crowd[i]);
    unsigned left = WAITERS - WAITERS / 2;
    check_becomes("half of them left", waiting, left);
    for (size_t i = WAITERS / 2; i < WAITERS; i++)
        client_close(&crowd[i]);
    check_becomes("all left", waiting, 0);
    check_becomes("all left", "todobackend_http_requests_in_flight", 0);
    clock_sleep(200000);
    before = measure(looks);
    clock_sleep(1500000);
    CHECK(!(measure(looks) > before), "nobody waits", "%g looks", measure(looks) - before);
    client_response_release(&response);
    server_close(&server);
}

CU_TestInfo metrics_tests[] = {
    TEST(test_each_request_is_counted_once_under_its_name),
    TEST(test_trips_and_waits_are_of_each_read_and_write),
    TEST(test_segments_are_counted_as_sent_or_dropped),
    TEST(test_a_database_that_takes_no_changes_is_seen),
    TEST(test_waiting_costs_one_look_a_second),
    CU_TEST_INFO_NULL,
};

CU_TestInfo metrics_mysql_tests[] = {
    TEST(test_a_full_queue_and_its_deadlines_are_counted),
    TEST(test_lost_connections_are_counted),
    CU_TEST_INFO_NULL,
};

CU_TestInfo admin_tests[] = {
    TEST(test_the_admin_port_has_its_own_paths),
    TEST(test_a_crowd_at_one_port_leaves_the_other_alone),
    TEST(test_the_health_check_asks_the_admin_port),
    TEST(test_an_admin_port_in_use_is_named),
    TEST(test_a_stop_is_seen),
    TEST(test_what_is_refused_is_counted_by_reason),
    TEST(test_connections_that_make_room_are_counted),
    CU_TEST_INFO_NULL,
};
