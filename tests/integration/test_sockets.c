/*
 * Where the server listens: a Unix socket of its own, sockets that a supervisor passes on, and
 * what it tells the supervisor.
 */

#include "base/clock.h"
#include "check.h"
#include "exchange.h"
#include "suites.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LIMIT  20000 /* milliseconds */
#define PASSED 100   /* the first descriptor that is passed */

static const char *const serve_words[] = {"serve", NULL};

/* ---- a server and its socket, each with a folder of its own ---- */

struct unix_server {
    struct server server;
    char folder[256];     /* of the socket: another than the database's */
    char path[300];       /* of the socket */
    char address[320];    /* HTTP_ADDRESS= */
    const char *extra[4]; /* settings, ended by NULL */
};

static bool log_has(const struct server *server, const char *text)
{
    return server_count_in_log(server, text) > 0;
}

static bool wait_for_log(const struct server *server, const char *text)
{
    return CHECK(server_await_log(server, text) > 0, "log", "doesn't say: %s", text);
}

/* Starts it and waits until it is ready. */
static bool start(struct server *server, const char *const *settings)
{
    char out[300];
    char err[300];
    snprintf(out, sizeof out, "%s/stdout", server->folder);
    snprintf(err, sizeof err, "%s/stderr", server->folder);
    server->pid =
        command_start(&(struct command){serve_words, settings, server->folder}, out, err);
    return CHECK(server->pid > 0, "serve", "does not start") &&
           wait_for_log(server, "\"message\":\"ready\"");
}

static bool unix_start(struct unix_server *unix)
{
    const char *settings[6] = {unix->address};
    for (size_t i = 0; i < COUNT(unix->extra) && unix->extra[i]; i++)
        settings[i + 1] = unix->extra[i];
    return start(&unix->server, settings);
}

static bool unix_prepare(struct unix_server *unix)
{
    if (!folder_make(unix->server.folder, sizeof unix->server.folder) ||
        !folder_make(unix->folder, sizeof unix->folder))
        return false;
    snprintf(unix->path, sizeof unix->path, "%s/socket", unix->folder);
    snprintf(unix->address, sizeof unix->address, "HTTP_ADDRESS=%s", unix->path);
    return true;
}

static void unix_close(struct unix_server *unix)
{
    server_close(&unix->server);
    if (unix->folder[0])
        folder_remove(unix->folder);
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool ask(int fd, const struct client_request *request, struct client_response *response)
{
    struct client_connection connection = {.fd = fd};
    bool good = fd >= 0 && client_send_request(&connection, 0, request) &&
                client_receive(&connection, false, CLIENT_TIME_LIMIT, response);
    buffer_release(&connection.received);
    return good;
}

/* One connection, one GET; its status, 0 without one. */
static int get_unix(const char *path, const char *target)
{
    struct client_response response = {0};
    int fd = connect_unix(path);
    ask(fd, &(struct client_request){.path = target, .headers = "Host: localhost\r\n"},
        &response);
    int status = response.status;
    if (fd >= 0)
        close(fd);
    client_response_release(&response);
    return status;
}

/* ---- a Unix socket of its own ---- */

static void check_mode(const char *setting, mode_t mode)
{
    struct unix_server unix = {.extra = {setting}};
    struct stat status = {0};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        CHECK(stat(unix.path, &status) == 0 && S_ISSOCK(status.st_mode), setting, "no socket");
        CHECK_NUMBER(setting, "permissions", mode, status.st_mode & 07777);
        CHECK_NUMBER(setting, "GET /livez", 200, get_unix(unix.path, "/livez"));
    }
    server_stop(&unix.server);
    CHECK(lstat(unix.path, &status) != 0 && errno == ENOENT, setting, "the file stays");
    unix_close(&unix);
}

static void test_its_file_has_the_mode_and_goes_in_the_end(void)
{
    mode_t before = umask(077);
    check_mode(NULL, 0660);
    check_mode("HTTP_SOCKET_MODE=0606", 0606);
    check_mode("HTTP_SOCKET_MODE=777", 0777);
    umask(before);
}

static void test_todos_are_made_over_a_unix_socket(void)
{
    struct unix_server unix = {0};
    struct client_response response = {0};
    const struct client_request request = {.method = "POST",
                                           .path = "/todos",
                                           .headers = "Host: localhost\r\n",
                                           .type = "application/json",
                                           .body = "{}"};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        int fd = connect_unix(unix.path);
        ask(fd, &request, &response);
        CHECK_NUMBER("POST", "status", 201, response.status);
        CHECK_TEXT("POST", "Location", "http://localhost/todos/1",
                   client_header(&response, "Location"));
        close(fd);
        wait_for_log(&unix.server, "\"path\":\"/todos\",\"status\":201");
        wait_for_log(&unix.server, "\"client\":\"unix\"");
        CHECK(log_has(&unix.server, "\"message\":\"ready\",\"address\":\"/") &&
                  log_has(&unix.server, "/socket\",\"connections\":"),
              "ready", "doesn't tell the socket");
    }
    unix_close(&unix);
    client_response_release(&response);
}

static void test_a_health_check_follows_the_socket(void)
{
    static const char *const words[] = {"healthcheck", NULL};
    struct unix_server unix = {.extra = {"ALLOWED_HOSTS=todo.example"}};
    struct command_result result = {0};
    const char *const settings[] = {unix.address, NULL};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        command_run(&(struct command){words, settings, NULL}, LIMIT, &result);
        CHECK_NUMBER("running", "exit status", 0, result.status);
        server_stop(&unix.server);
        command_run(&(struct command){words, settings, NULL}, LIMIT, &result);
        CHECK_NUMBER("stopped", "exit status", 1, result.status);
        CHECK_CONTAINS("stopped", "stderr", "No such file", result.err.data);
    }
    command_result_release(&result);
    unix_close(&unix);
}

static void test_what_a_crash_left_is_replaced(void)
{
    struct unix_server unix = {0};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        server_kill(&unix.server);
        CHECK(access(unix.path, F_OK) == 0, "crash", "nothing is left");
        if (unix_start(&unix))
            CHECK_NUMBER("again", "GET /livez", 200, get_unix(unix.path, "/livez"));
    }
    unix_close(&unix);
}

/* Refused, with a word about HTTP_ADDRESS; what was there stays. */
static void check_refused(const char *row, const struct unix_server *unix)
{
    const char *const settings[] = {unix->address, NULL};
    struct command_result result = {0};
    command_run(&(struct command){serve_words, settings, NULL}, LIMIT, &result);
    CHECK_NUMBER(row, "exit status", 1, result.status);
    CHECK_CONTAINS(row, "stderr", "HTTP_ADDRESS: cannot listen on /", result.err.data);
    CHECK(access(unix->path, F_OK) == 0, row, "what was there is gone");
    command_result_release(&result);
}

static void test_what_is_in_use_is_left_alone(void)
{
    struct unix_server unix = {0};
    if (!unix_prepare(&unix))
        return;
    CHECK(file_write(unix.path, "precious"), "file", "can't be written");
    check_refused("a file", &unix);
    unlink(unix.path);
    if (unix_start(&unix)) {
        check_refused("another server", &unix);
        CHECK_NUMBER("another server", "GET /livez", 200, get_unix(unix.path, "/livez"));
    }
    unix_close(&unix);
}

/* Who took the file away and put another there has a server of its own. */
static void test_another_servers_file_stays(void)
{
    struct unix_server unix = {0};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        unlink(unix.path);
        CHECK(file_write(unix.path, "another"), "file", "can't be written");
        server_stop(&unix.server);
        CHECK(access(unix.path, F_OK) == 0, "stop", "another's file is gone");
    }
    unix_close(&unix);
}

/* Of many that start at once on what a crash has left, one has the socket. */
static void test_one_of_many_replaces_what_was_left(void)
{
    enum { SERVERS = 6 };
    struct unix_server unix = {0};
    struct server servers[SERVERS] = {0};
    const char *const settings[] = {unix.address, NULL};
    size_t running = 0;
    if (!unix_prepare(&unix) || !unix_start(&unix))
        return;
    server_kill(&unix.server);
    for (size_t i = 0; i < SERVERS; i++) {
        char out[300];
        folder_make(servers[i].folder, sizeof servers[i].folder);
        snprintf(out, sizeof out, "%s/stdout", servers[i].folder);
        servers[i].pid = command_start(
            &(struct command){serve_words, settings, servers[i].folder}, out, out);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        uint64_t deadline = clock_now() + LIMIT * 1000;
        int status = -1;
        while (!log_has(&servers[i], "\"message\":\"ready\"") && status == -1 &&
               clock_now() < deadline)
            status = command_wait(servers[i].pid, 20);
        running += status == -1;
        if (status != -1)
            servers[i].pid = 0;
    }
    CHECK_NUMBER("at once", "servers that run", 1, (long long)running);
    CHECK_NUMBER("at once", "GET /livez", 200, get_unix(unix.path, "/livez"));
    for (size_t i = 0; i < SERVERS; i++)
        server_close(&servers[i]);
    unix_close(&unix);
}

/* ---- who is behind it ---- */

static void check_forwarded(const char *setting, const char *client)
{
    struct unix_server unix = {.extra = {setting}};
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"client\":\"%s\"", client);
    if (unix_prepare(&unix) && unix_start(&unix)) {
        struct client_response response = {0};
        int fd = connect_unix(unix.path);
        ask(fd,
            &(struct client_request){.path = "/todos",
                                     .headers = "X-Forwarded-For: 192.0.2.7\r\n"},
            &response);
        close(fd);
        client_response_release(&response);
        wait_for_log(&unix.server, wanted);
    }
    unix_close(&unix);
}

static void test_a_proxy_behind_a_unix_socket_is_trusted_by_name(void)
{
    check_forwarded("TRUSTED_PROXIES=unix", "192.0.2.7");
    check_forwarded("TRUSTED_PROXIES=127.0.0.1", "unix");
}

static void test_a_unix_socket_is_no_address_that_counts(void)
{
    enum { CONNECTIONS = 6 };
    struct unix_server unix = {.extra = {"HTTP_CLIENT_CONNECTIONS=2"}};
    int fds[CONNECTIONS];
    if (unix_prepare(&unix) && unix_start(&unix)) {
        for (size_t i = 0; i < CONNECTIONS; i++)
            fds[i] = connect_unix(unix.path);
        for (size_t i = 0; i < CONNECTIONS; i++) {
            struct client_response response = {0};
            ask(fds[i], &(struct client_request)GET("/livez"), &response);
            CHECK_NUMBER("one of many", "status", 200, response.status);
            client_response_release(&response);
            close(fds[i]);
        }
    }
    unix_close(&unix);
}

/* Its client sends all before it reads: with the bytes unread, the answer would be lost. */
static void test_a_refusal_reaches_a_client_that_is_sending(void)
{
    struct unix_server unix = {.extra = {"HTTP_BODY_LIMIT=1024"}};
    static char body[1 << 20];
    struct client_response response = {0};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        int fd = connect_unix(unix.path);
        const struct client_request request = {.method = "POST",
                                               .path = "/todos",
                                               .type = "application/json",
                                               .body = body,
                                               .size = sizeof body};
        CHECK(ask(fd, &request, &response), "413", "sending fails");
        CHECK_NUMBER("413", "status", 413, response.status);
        close(fd);
    }
    client_response_release(&response);
    unix_close(&unix);
}

/* ---- sockets that are passed on ---- */

/* A listening one as a supervisor has it, with this descriptor; its port goes into *port. */
static void listen_tcp(int descriptor, unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1024) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0 ||
        dup3(fd, descriptor, O_CLOEXEC) < 0)
        abort();
    close(fd);
    *port = ntohs(address.sin_port);
}

static void listen_unix(int descriptor, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1024) != 0 || dup3(fd, descriptor, O_CLOEXEC) < 0)
        abort();
    close(fd);
}

/* The supervisor keeps its sockets, and their file. */
static void test_all_that_is_passed_is_served(void)
{
    static const char *const settings[] = {"LISTENER=100", "LISTENER=101", "HTTP_THREADS=1",
                                           "HTTP_PORT=1", NULL};
    struct unix_server unix = {0};
    struct client_response response = {0};
    unsigned port;
    if (!unix_prepare(&unix))
        return;
    listen_tcp(PASSED, &port);
    listen_unix(PASSED + 1, unix.path);
    if (start(&unix.server, settings)) {
        for (int i = 0; i < 3; i++) {
            unix.server.port = port;
            CHECK_NUMBER("TCP", "GET /readyz", 200, get(&unix.server, "/readyz", &response));
            CHECK_NUMBER("Unix", "GET /readyz", 200, get_unix(unix.path, "/readyz"));
        }
        char ready[80];
        snprintf(ready, sizeof ready,
                 "\"message\":\"ready\",\"address\":\"127.0.0.1\",\"port\":%u,", port);
        CHECK(log_has(&unix.server, ready), "ready", "is not about the first");
    }
    server_stop(&unix.server);
    CHECK(access(unix.path, F_OK) == 0, "stop", "the supervisor's file is gone");
    close(PASSED);
    close(PASSED + 1);
    client_response_release(&response);
    unix_close(&unix);
}

struct crowd {
    unsigned port;
    const char *path;
    atomic_bool is_over;
    atomic_uint answers, failures;
};

static void *ask_all_the_time(void *context)
{
    struct crowd *crowd = context;
    struct server server = {.port = crowd->port};
    struct client_response response = {0};
    while (!atomic_load(&crowd->is_over)) {
        bool good =
            get(&server, "/livez", &response) == 200 && get_unix(crowd->path, "/todos") == 200;
        atomic_fetch_add(good ? &crowd->answers : &crowd->failures, 1);
    }
    client_response_release(&response);
    return NULL;
}

/* A supervisor that starts the next server after the last one's end. */
static void test_a_restart_loses_nobody(void)
{
    enum { CLIENTS = 4, RESTARTS = 5 };
    static const char *const settings[] = {"LISTENER=100", "LISTENER=101", NULL};
    struct unix_server unix = {0};
    struct crowd crowd = {.path = unix.path};
    pthread_t threads[CLIENTS];
    if (!unix_prepare(&unix))
        return;
    listen_tcp(PASSED, &crowd.port);
    listen_unix(PASSED + 1, unix.path);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, ask_all_the_time, &crowd);
    for (size_t i = 0; i < RESTARTS; i++) {
        start(&unix.server, settings);
        clock_sleep(300000);
        server_stop(&unix.server);
        clock_sleep(200000); /* they wait, and are not refused */
    }
    start(&unix.server, settings);
    atomic_store(&crowd.is_over, true);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    CHECK_NUMBER("restart", "requests that failed", 0, atomic_load(&crowd.failures));
    CHECK(atomic_load(&crowd.answers) > RESTARTS * CLIENTS, "restart", "%u answers",
          atomic_load(&crowd.answers));
    unix_close(&unix);
    close(PASSED);
    close(PASSED + 1);
}

static void check_not_passed(const char *row, const char *const *settings, const char *said)
{
    struct command_result result = {0};
    command_run(&(struct command){serve_words, settings, NULL}, LIMIT, &result);
    CHECK_NUMBER(row, "exit status", 2, result.status);
    CHECK_CONTAINS(row, "stderr", said, result.err.data);
    command_result_release(&result);
}

static void test_what_can_not_be_served_is_named(void)
{
    static const char *const file[] = {"LISTENER=100", NULL};
    static const char *const many[] = {"LISTENER=100", "LISTEN_FDS=9", NULL};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup3(null, PASSED, O_CLOEXEC);
    check_not_passed("a file", file, "LISTEN_FDS: descriptor 3 is no socket");
    close(null);
    int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    dup3(datagrams, PASSED, O_CLOEXEC);
    check_not_passed("datagrams", file, "LISTEN_FDS: descriptor 3 is no socket");
    close(datagrams);
    int connected[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connected) != 0)
        abort();
    dup3(connected[0], PASSED, O_CLOEXEC);
    check_not_passed("a connection", file, "Accept=yes can't be used");
    close(connected[0]);
    close(connected[1]);
    check_not_passed("nine", many, "LISTEN_FDS: 9 sockets are too many, 8 can be used");
    close(PASSED);
}

/* They were for the shell that started it. */
static void test_what_was_passed_to_another_process_is_not_taken(void)
{
    static const char *const settings[] = {"LISTEN_FDS=1", "LISTEN_PID=1", NULL};
    struct server server = {0};
    struct client_response response = {0};
    if (server_open(&server, settings))
        CHECK_NUMBER("own port", "GET /livez", 200, get(&server, "/livez", &response));
    client_response_release(&response);
    server_close(&server);
}

/* ---- what the supervisor is told ---- */

struct supervisor {
    int socket;
    char setting[340];
    struct buffer heard; /* messages, a newline after each */
};

static bool supervisor_open(struct supervisor *supervisor, const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", folder);
    snprintf(supervisor->setting, sizeof supervisor->setting, "NOTIFY_SOCKET=%s",
             address.sun_path);
    supervisor->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return CHECK(bind(supervisor->socket, (const struct sockaddr *)&address, sizeof address) ==
                     0,
                 "supervisor", "%s", strerror(errno));
}

static void supervisor_close(struct supervisor *supervisor)
{
    close(supervisor->socket);
    buffer_release(&supervisor->heard);
}

static bool supervisor_hears(struct supervisor *supervisor, const char *text)
{
    uint64_t deadline = clock_now() + LIMIT * 1000;
    char message[2048];
    while (clock_now() < deadline) {
        ssize_t size = recv(supervisor->socket, message, sizeof message, 0);
        if (size > 0) {
            buffer_append(&supervisor->heard, message, (size_t)size);
            buffer_append_char(&supervisor->heard, '\n');
        } else if (supervisor->heard.size > 0 && strstr(supervisor->heard.data, text)) {
            return true;
        } else {
            clock_sleep(5000);
        }
    }
    return CHECK(false, "supervisor", "has not heard \"%s\", but: %s", text,
                 supervisor->heard.data ? supervisor->heard.data : "nothing");
}

static void test_the_supervisor_is_told_the_state(void)
{
    struct server server = {0};
    struct supervisor supervisor = {0};
    struct client_response response = {0};
    char file[300];
    const char *const settings[] = {supervisor.setting, "STOP_TIMEOUT=7", NULL};
    if (!folder_make(server.folder, sizeof server.folder) ||
        !supervisor_open(&supervisor, server.folder) || !server_start(&server, settings))
        return;
    supervisor_hears(&supervisor, "READY=1\nSTATUS=ready\n");
    snprintf(file, sizeof file, "%s/todobackend.sqlite3", server.folder);
    unlink(file);
    for (int i = 0; i < 3; i++)
        get(&server, "/todos", &response);
    supervisor_hears(&supervisor, "STATUS=the database does not do its work: ");
    CHECK(!strstr(supervisor.heard.data, "WATCHDOG"), "no watchdog", "%s",
          supervisor.heard.data);
    server_stop(&server);
    supervisor_hears(&supervisor,
                     "STOPPING=1\nEXTEND_TIMEOUT_USEC=12000000\nSTATUS=stopping\n");
    client_response_release(&response);
    supervisor_close(&supervisor);
    server_close(&server);
}

/* Half a second apart: within two seconds, three and not many more. */
static void test_the_watchdog_gets_a_sign_at_half_time(void)
{
    struct server server = {0};
    struct supervisor supervisor = {0};
    const char *const settings[] = {supervisor.setting, "WATCHDOG_USEC=1000000", NULL};
    size_t signs = 0;
    if (!folder_make(server.folder, sizeof server.folder) ||
        !supervisor_open(&supervisor, server.folder) || !server_start(&server, settings))
        return;
    clock_sleep(2000000);
    supervisor_hears(&supervisor, "WATCHDOG=1\n");
    for (const char *at = supervisor.heard.data; (at = strstr(at, "WATCHDOG=1\n")); at++)
        signs++;
    CHECK(signs >= 3 && signs <= 6, "watchdog", "%zu signs in two seconds", signs);
    CHECK(!strstr(supervisor.heard.data, "the database"), "nothing asked yet", "%s",
          supervisor.heard.data);
    supervisor_close(&supervisor);
    server_close(&server);
}

static void test_a_supervisor_that_is_gone_holds_up_nothing(void)
{
    static const char *const settings[] = {"NOTIFY_SOCKET=/nonexistent/notify",
                                           "WATCHDOG_USEC=200000", NULL};
    struct server server = {0};
    struct client_response response = {0};
    if (server_open(&server, settings)) {
        clock_sleep(300000);
        CHECK_NUMBER("gone", "GET /livez", 200, get(&server, "/livez", &response));
    }
    client_response_release(&response);
    server_close(&server);
}

/* ---- what takes its time ---- */

static void fill(const char *path, size_t count)
{
    static char title[201];
    struct buffer body = {0};
    int fd = connect_unix(path);
    memset(title, 'a', sizeof title - 1);
    buffer_append_format(&body, "{\"title\":\"%s\"}", title);
    for (size_t i = 0; i < count; i++) {
        struct client_response response = {0};
        ask(fd,
            &(struct client_request)SEND("POST", "/todos", "Host: localhost\r\n",
                                         "application/json", body.data),
            &response);
        CHECK(response.status == 201, "fill", "%d %s", response.status, client_body(&response));
        client_response_release(&response);
    }
    close(fd);
    buffer_release(&body);
}

/* The kernel doesn't tell how much of an answer was taken from a Unix socket, nor whether
 * something has come: a slow reader gets all, and an idle connection ends without a word. */
static void test_slow_readers_are_borne_with_and_idle_ones_leave(void)
{
    struct unix_server unix = {0};
    struct client_response response = {0};
    struct client_connection slow = {.fd = -1};
    struct client_connection idle = {.fd = -1};
    if (unix_prepare(&unix) && unix_start(&unix)) {
        fill(unix.path, 2000);
        idle.fd = connect_unix(unix.path);
        ask(idle.fd, &(struct client_request)GET("/livez"), &response);
        slow.fd = connect_unix(unix.path);
        client_send_request(&slow, 0, &(struct client_request)GET("/todos"));
        clock_sleep(32000000);
        CHECK(client_receive(&slow, false, LIMIT, &response), "slow", "the answer is cut off");
        CHECK_NUMBER("slow", "status", 200, response.status);
        CHECK(client_is_closed(&idle, 60000), "idle", "it gets a word, or stays");
    }
    client_close(&slow);
    client_close(&idle);
    client_response_release(&response);
    unix_close(&unix);
}

CU_TestInfo sockets_tests[] = {
    TEST(test_its_file_has_the_mode_and_goes_in_the_end),
    TEST(test_todos_are_made_over_a_unix_socket),
    TEST(test_a_health_check_follows_the_socket),
    TEST(test_what_a_crash_left_is_replaced),
    TEST(test_what_is_in_use_is_left_alone),
    TEST(test_another_servers_file_stays),
    TEST(test_one_of_many_replaces_what_was_left),
    TEST(test_a_proxy_behind_a_unix_socket_is_trusted_by_name),
    TEST(test_a_unix_socket_is_no_address_that_counts),
    TEST(test_a_refusal_reaches_a_client_that_is_sending),
    TEST(test_all_that_is_passed_is_served),
    TEST(test_a_restart_loses_nobody),
    TEST(test_what_can_not_be_served_is_named),
    TEST(test_what_was_passed_to_another_process_is_not_taken),
    TEST(test_the_supervisor_is_told_the_state),
    TEST(test_the_watchdog_gets_a_sign_at_half_time),
    TEST(test_a_supervisor_that_is_gone_holds_up_nothing),
    CU_TEST_INFO_NULL,
};

CU_TestInfo sockets_slow_tests[] = {
    TEST(test_slow_readers_are_borne_with_and_idle_ones_leave),
    CU_TEST_INFO_NULL,
};
