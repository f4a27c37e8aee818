/*
 * The program as a person at a terminal and a supervisor see it: words, exit statuses,
 * settings, the log.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMAND_LIMIT 20000

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void run(const char *const *arguments, const char *const *settings, const char *folder,
                struct command_result *result)
{
    command_run(&(struct command){arguments, settings, folder}, COMMAND_LIMIT, result);
}

static const char *text_of(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

static void test_words_on_the_command_line(void)
{
    static const struct {
        const char *name;
        const char *arguments[4];
        int status;
        bool usage_on_stdout;
    } rows[] = {
        ROW("no word", {NULL}, 2, false),
        ROW("help", ROW("help", NULL), 0, true),
        ROW("unknown word", ROW("frobnicate", NULL), 2, false),
        ROW("unknown option", ROW("serve", "--frobnicate", NULL), 2, false),
        ROW("too many words", ROW("serve", "now", NULL), 2, false),
        ROW("an option without its argument", ROW("migrate", "--wait", NULL), 2, false),
        ROW("an argument that is not wanted", ROW("version", "--json=1", NULL), 2, false),
        ROW("help for what there is not", ROW("help", "frobnicate", NULL), 2, false),
        ROW("a word beside --man", ROW("help", "--man", "serve", NULL), 2, false),
    };
    static const char *const words[] = {"serve",  "migrate", "seed",  "healthcheck",
                                        "config", "version", "backup"};
    struct command_result result = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        run(rows[i].arguments, NULL, NULL, &result);
        CHECK_NUMBER(rows[i].name, "exit status", rows[i].status, result.status);
        CHECK((result.out.size > 0) == rows[i].usage_on_stdout, rows[i].name, "stdout: %s",
              text_of(&result.out));
        const struct buffer *usage = rows[i].usage_on_stdout ? &result.out : &result.err;
        for (size_t j = 0; i < 3 && j < COUNT(words); j++)
            CHECK_CONTAINS(rows[i].name, "usage", words[j], text_of(usage));
    }
    run(ARGUMENTS("help", "migrate"), NULL, NULL, &result);
    CHECK_NUMBER("help migrate", "exit status", 0, result.status);
    CHECK_CONTAINS("help migrate", "stdout", "--plan", text_of(&result.out));
    CHECK_CONTAINS("help migrate", "stdout", "10", text_of(&result.out));
    command_result_release(&result);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void test_version_is_json_if_wanted(void)
{
    static const char *const libraries[] = {"libmicrohttpd", "Jansson", "SQLite", "zlib"};
    struct command_result result = {0};
    json_t *json;
    json_t *library;
    size_t i;
    run(ARGUMENTS("version", "--json"), NULL, NULL, &result);
    CHECK_NUMBER("version --json", "exit status", 0, result.status);
    json = json_loads(text_of(&result.out), JSON_REJECT_DUPLICATES, NULL);
    CHECK(*member(json, "version"), "version --json", "no version: %s", text_of(&result.out));
    CHECK(text_matches("^[0-9a-f]{7,40}(-dirty)?$|^unknown$", member(json, "commit")), "commit",
          "is %s", member(json, "commit"));
    CHECK(text_matches("[0-9]+[.][0-9]+", member(json, "compiler")), "compiler", "is %s",
          member(json, "compiler"));
    CHECK_NUMBER(
        "schema", "sqlite", 3,
        json_integer_value(json_object_get(json_object_get(json, "schema"), "sqlite")));
    CHECK_NUMBER("schema", "mysql", 4,
                 json_integer_value(json_object_get(json_object_get(json, "schema"), "mysql")));
    CHECK_NUMBER("version --json", "libraries", 5,
                 (long long)json_array_size(json_object_get(json, "libraries")));
    json_array_foreach(json_object_get(json, "libraries"), i, library)
    {
        const char *name = member(library, "name");
        CHECK(i >= COUNT(libraries) || strcmp(name, libraries[i]) == 0, name,
              "comes too early");
        CHECK(text_matches("^[0-9]+[.][0-9]+", member(library, "built_with")), name,
              "built with %s", member(library, "built_with"));
        CHECK(text_matches("^[0-9]+[.][0-9]+", member(library, "runs_with")), name,
              "runs with %s", member(library, "runs_with"));
    }
    json_decref(json);
    command_result_release(&result);
}

/* Below the settings: limits of the machine, and what serve makes of them. */
static void test_config_tells_limits_and_where_they_come_from(void)
{
    static const char *const settings[] = {"HTTP_THREADS=3", "HTTP_CLIENT_CONNECTIONS=7", NULL};
    static const char *const unix_settings[] = {"HTTP_ADDRESS=/nowhere/socket",
                                                "HTTP_CLIENT_CONNECTIONS=7", NULL};
    static const char *const lines[] = {
        "\nLIMIT +VALUE +FROM\n",
        "\nmemory +([0-9]+ +/sys/fs/cgroup/.*/memory[.].*|[(]none[)] +)\n",
        "\nprocessors +[0-9.]+ +(the machine|/sys/fs/cgroup/.*/cpu[.].*)\n",
        "\nopen files +[0-9]+, at most [0-9]+ +ulimit -n\n",
        "\nHTTP threads +3 +HTTP_THREADS\n",
        "\nconnections +[0-9]+ +memory, open files\n",
        "\nof one client +7 +HTTP_CLIENT_CONNECTIONS\n",
    };
    struct command_result result = {0};
    run(ARGUMENTS("config"), settings, NULL, &result);
    CHECK_NUMBER("config", "exit status", 0, result.status);
    for (size_t i = 0; i < COUNT(lines); i++)
        CHECK(text_matches(lines[i], text_of(&result.out)), lines[i], "is not in %s",
              text_of(&result.out));
    run(ARGUMENTS("config"), unix_settings, NULL, &result);
    CHECK(text_matches("\nof one client +[(]none[)] +HTTP_ADDRESS, a Unix socket\n",
                       text_of(&result.out)),
          "a Unix socket", "of one client: %s", text_of(&result.out));
    command_result_release(&result);
}

static void test_version_names_the_libraries(void)
{
    struct command_result result = {0};
    run(ARGUMENTS("version"), NULL, NULL, &result);
    CHECK_NUMBER("version", "exit status", 0, result.status);
    CHECK_CONTAINS("version", "stdout", "microhttpd", text_of(&result.out));
    CHECK_CONTAINS("version", "stdout", "SQLite", text_of(&result.out));
    command_result_release(&result);
}

#define SECRET "s3cret-of-the-test"

static void check_no_secret(const char *row, const struct command_result *result)
{
    CHECK(!strstr(text_of(&result->out), SECRET) && !strstr(text_of(&result->err), SECRET), row,
          "shows a secret");
}

static void test_config_masks_secrets(void)
{
    char folder[256];
    char path[300];
    char file_setting[320];
    char root_setting[300];
    struct command_result result = {0};
    if (!CHECK(folder_make(folder, sizeof folder), "config", "no folder"))
        return;
    snprintf(path, sizeof path, "%s/MYSQL_PASSWORD", folder);
    snprintf(file_setting, sizeof file_setting, "MYSQL_PASSWORD_FILE=%s", path);
    snprintf(root_setting, sizeof root_setting, "SECRETS_ROOT=%s", folder);
    file_write(path, SECRET "\n");
    const struct {
        const char *name;
        const char *settings[4];
        const char *part;
    } rows[] = {
        {"value",
         {"MYSQL_PASSWORD=s3cret-of-the-test", "MYSQL_HOST=db.example", NULL},
         "MYSQL_PASSWORD"                                                                                 },
        {"file",             {file_setting, "MYSQL_PASSWORD", "MYSQL_HOST=db.example", NULL}, path        },
        {"root",             {root_setting, "MYSQL_PASSWORD", "MYSQL_HOST=db.example", NULL}, path        },
        {"others are shown", {"MYSQL_HOST=db.example", "MYSQL_PASSWORD=x", NULL},             "db.example"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        run(ARGUMENTS("config"), rows[i].settings, NULL, &result);
        CHECK_NUMBER(rows[i].name, "exit status", 0, result.status);
        CHECK_CONTAINS(rows[i].name, "stdout", rows[i].part, text_of(&result.out));
        check_no_secret(rows[i].name, &result);
    }
    folder_remove(folder);
    command_result_release(&result);
}

/* What ended `serve`, as a line of JSON of level error. */
static void check_last_line(const char *row, const char *message, struct command_result *result)
{
    char *line = result->out.data;
    json_t *json;
    if (!CHECK(line && result->out.size > 0, row, "nothing was logged"))
        return;
    line[result->out.size - 1] = '\0';
    line = strrchr(line, '\n') ? strrchr(line, '\n') + 1 : line;
    json = json_loads(line, 0, NULL);
    CHECK_TEXT(row, "level", "error", json_string_value(json_object_get(json, "level")));
    CHECK(json_object_get(json, "time"), row, "no time: %s", line);
    CHECK_CONTAINS(row, "message", message,
                   json_string_value(json_object_get(json, "message")));
    json_decref(json);
}

static void test_what_ends_serve_is_the_last_line_of_its_log(void)
{
    static const struct {
        const char *name;
        const char *settings[6];
        const char *message;
    } ends[] = {
        {"a wrong setting", {"HTTP_PORT=x", NULL}, "HTTP_PORT: \"x\" is not a number"},
        {"no database",
         {"MYSQL_HOST=127.0.0.1", "MYSQL_PORT=1", "MYSQL_PASSWORD=x", "DB_WAIT=0",
          "DATABASE=mysql", NULL},
         "cannot connect to MySQL at 127.0.0.1:1: "                                  },
    };
    struct command_result result = {0};
    for (size_t i = 0; i < COUNT(ends); i++) {
        run(ARGUMENTS("serve"), ends[i].settings, NULL, &result);
        CHECK(result.status > 0 && result.status < 128, ends[i].name, "exit status %d",
              result.status);
        CHECK_CONTAINS(ends[i].name, "stderr", ends[i].message, text_of(&result.err));
        check_last_line(ends[i].name, ends[i].message, &result);
    }
    command_result_release(&result);
}

static void test_all_wrong_settings_are_named_at_once(void)
{
    static const char *const settings[] = {"HTTP_PORT=70000",
                                           "HTTP_ADDRESS=nowhere",
                                           "REQUEST_TIMEOUT=soon",
                                           "LOG_LEVEL=loud",
                                           "DATABASE=oracle",
                                           "DB_QUEUE=-1",
                                           "PUBLIC_URL=not a url",
                                           "LOG_FORMAT=xml",
                                           "MYSQL_PASSWORD=s3cret-of-the-test",
                                           NULL};
    static const char *const commands[] = {"config", "serve", "migrate", "seed"};
    static const char *const names[] = {"HTTP_PORT",  "HTTP_ADDRESS", "REQUEST_TIMEOUT",
                                        "LOG_LEVEL",  "DATABASE",     "DB_QUEUE",
                                        "PUBLIC_URL", "LOG_FORMAT"};
    struct command_result result = {0};
    for (size_t i = 0; i < COUNT(commands); i++) {
        struct buffer said = {0};
        run(ARGUMENTS(commands[i]), settings, NULL, &result);
        buffer_append(&said, text_of(&result.out), result.out.size);
        buffer_append(&said, text_of(&result.err), result.err.size);
        CHECK_NUMBER(commands[i], "exit status", 2, result.status);
        for (size_t j = 0; j < COUNT(names); j++)
            CHECK_CONTAINS(commands[i], "what it says", names[j], text_of(&said));
        check_no_secret(commands[i], &result);
        buffer_release(&said);
    }
    command_result_release(&result);
}

/* Each with the variable, the file, host or port, and what is to be done. */
static void test_errors_say_what_and_where(void)
{
    static const struct {
        const char *name;
        const char *settings[6];
        int status;
        const char *parts[4];
    } rows[] = {
        {"an address that is not this machine's",
         {"HTTP_ADDRESS=192.0.2.1", "HTTP_PORT=8000"},
         1,  {"HTTP_ADDRESS: ", "192.0.2.1 port 8000", "not an address of this machine"}},
        {"no such folder for SQLite",
         {"DATABASE=sqlite", "SQLITE_PATH=/nowhere/todos"},
         2,  {"SQLITE_PATH: ", "/nowhere", "No such file or directory"}                 },
        {"a folder in SQLite's place",
         {"DATABASE=sqlite", "SQLITE_PATH=/tmp/."},
         2,  {"SQLITE_PATH: ", "database /tmp/.:", "Is a directory"}                    },
        {"a file that is no database",
         {"DATABASE=sqlite", "SQLITE_PATH=not-a-database"},
         2,  {"SQLITE_PATH: ", "not-a-database", "file is not a database"}              },
        {"no folder of the page",
         {"STATIC_ROOT=/nowhere"},
         2,  {"STATIC_ROOT: ", "\"/nowhere\"", "a folder that can be read"}             },
        {"no such CA file",
         {"MYSQL_HOST=127.0.0.1", "MYSQL_PASSWORD=x", "MYSQL_SSL_CA=/nowhere.pem"},
         2,  {"MYSQL_SSL_CA: ", "\"/nowhere.pem\"", "file of it that can be read"}      },
        {"no such secret",
         {"MYSQL_HOST=127.0.0.1", "MYSQL_PASSWORD", "MYSQL_PASSWORD_FILE=/nowhere"},
         2,  {"MYSQL_PASSWORD: ", "/nowhere", "No such file or directory"}              },
        {"nobody listens for MySQL",
         {"DATABASE=mysql", "MYSQL_HOST=127.0.0.1", "MYSQL_PORT=1", "MYSQL_PASSWORD=x",
          "DB_WAIT=0"},
         11, {"MySQL at 127.0.0.1:1: ", "see MYSQL_HOST and MYSQL_PORT"}                },
        {"no such host",
         {"DATABASE=mysql", "MYSQL_HOST=host.invalid", "MYSQL_PORT=1", "MYSQL_PASSWORD=x",
          "DB_WAIT=0"},
         11, {"MySQL at host.invalid:1: ", "see MYSQL_HOST"}                            },
        {"no such socket of MySQL's",
         {"DATABASE=mysql", "MYSQL_HOST=/nowhere/mysqld.sock", "MYSQL_PASSWORD=x", "DB_WAIT=0"},
         11, {"/nowhere/mysqld.sock", "see MYSQL_HOST"}                                 },
        {"memory for less than a body",
         {"REQUEST_MEMORY=2048", "HTTP_BODY_LIMIT=4096"},
         2,  {"REQUEST_MEMORY: ", "2048", "HTTP_BODY_LIMIT, 4096"}                      },
    };
    struct command_result result = {0};
    char folder[256];
    char path[300];
    if (!CHECK(folder_make(folder, sizeof folder), "errors", "no folder"))
        return;
    snprintf(path, sizeof path, "%s/not-a-database", folder);
    file_write(path, "This is a text that is much too long for a database's first bytes, "
                     "which say what it is, and of what kind.\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        run(ARGUMENTS("serve"), rows[i].settings, folder, &result);
        CHECK_NUMBER(rows[i].name, "exit status", rows[i].status, result.status);
        for (size_t j = 0; rows[i].parts[j]; j++)
            CHECK_CONTAINS(rows[i].name, "stderr", rows[i].parts[j], text_of(&result.err));
    }
    folder_remove(folder);
    command_result_release(&result);
}

/* A server that offers no TLS and asks for the password itself. */

#define WANTED_LOGIN "mysql_clear_password"

struct greedy_server {
    int listener;
    unsigned port;
    pthread_t thread;
    char heard[4096]; /* what came in, what is no text as blanks */
};

/* Protocol::HandshakeV10 with CLIENT_LONG_PASSWORD, _CONNECT_WITH_DB, _PROTOCOL_41,
 * _SECURE_CONNECTION and _PLUGIN_AUTH; then AuthSwitchRequest. */
static const char greeting[] = "\x4a\0\0\0\x0a"
                               "8.0.30\0\7\0\0\0abcdefgh\0\x0f\xa2\x21\2\0\x08\0\x15"
                               "\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0mysql_native_password";
static const char login_request[] = "\x2b\0\0\2\xfe" WANTED_LOGIN "\0abcdefghijklmnopqrst";

static void *ask_for_password(void *context)
{
    struct greedy_server *server = context;
    size_t heard = 0;
    int connection = accept(server->listener, NULL, NULL);
    ssize_t received = send(connection, greeting, sizeof greeting, MSG_NOSIGNAL);
    for (int i = 0; i < 2 && received > 0; i++) {
        received = recv(connection, server->heard + heard, sizeof server->heard - 1 - heard, 0);
        if (received > 0)
            heard += (size_t)received;
        send(connection, login_request, sizeof login_request, MSG_NOSIGNAL);
    }
    close(connection);
    for (size_t i = 0; i < heard; i++)
        server->heard[i] = isprint((unsigned char)server->heard[i]) ? server->heard[i] : ' ';
    return NULL;
}

static bool greedy_server_start(struct greedy_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    memset(server, 0, sizeof *server);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind(server->listener, (struct sockaddr *)&address, size) == 0 &&
                listen(server->listener, 1) == 0 &&
                getsockname(server->listener, (struct sockaddr *)&address, &size) == 0 &&
                pthread_create(&server->thread, NULL, ask_for_password, server) == 0;
    server->port = ntohs(address.sin_port);
    return CHECK(good, "a server", "does not start");
}

static void test_no_password_is_told_to_who_asks_for_it(void)
{
    static const char *const modes[] = {"disabled", "preferred", "required", "verify-identity"};
    struct command_result result = {0};
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct greedy_server server;
        char mode[64];
        char port[32];
        char password[64];
        const char *const settings[] = {
            "DATABASE=mysql", "MYSQL_HOST=127.0.0.1", port, password, mode, NULL};
        if (!greedy_server_start(&server))
            return;
        snprintf(mode, sizeof mode, "MYSQL_SSL_MODE=%s", modes[i]);
        snprintf(password, sizeof password, "MYSQL_PASSWORD=%s", SECRET);
        snprintf(port, sizeof port, "MYSQL_PORT=%u", server.port);
        run(ARGUMENTS("migrate", "--status"), settings, NULL, &result);
        shutdown(server.listener, SHUT_RDWR); /* if nobody has come */
        pthread_join(server.thread, NULL);
        close(server.listener);
        CHECK(!strstr(server.heard, SECRET), modes[i], "it was told: %s", server.heard);
        CHECK_NUMBER(modes[i], "exit status", 2, result.status);
        CHECK_CONTAINS(modes[i], "stderr",
                       i < 3 ? "MYSQL_SSL_MODE=verify-identity" : "SSL is required",
                       text_of(&result.err));
        CHECK(i == 3 || strstr(server.heard, "todobackend"), modes[i], "no login: %s",
              server.heard);
    }
    command_result_release(&result);
}

static void test_mysql_without_a_host_is_an_error(void)
{
    static const char *const settings[] = {"DATABASE=mysql", "MYSQL_HOST", NULL};
    struct command_result result = {0};
    run(ARGUMENTS("serve"), settings, NULL, &result);
    CHECK_NUMBER("serve", "exit status", 2, result.status);
    CHECK_CONTAINS("serve", "stderr", "MYSQL_HOST", text_of(&result.err));
    command_result_release(&result);
}

/* Before the database is asked for anything: there is none here. */
static void test_a_port_in_use_is_an_error_that_names_the_setting(void)
{
    struct server server = {0};
    struct command_result result = {0};
    char setting[32];
    char words[160];
    if (server_open(&server, NULL)) {
        const char *const settings[] = {setting,
                                        "MYSQL_HOST=127.0.0.1",
                                        "MYSQL_PORT=1",
                                        "MYSQL_PASSWORD=x",
                                        "DB_WAIT=0",
                                        "DATABASE=mysql",
                                        NULL};
        snprintf(setting, sizeof setting, "HTTP_PORT=%u", server.port);
        snprintf(words, sizeof words,
                 "app: HTTP_PORT: cannot listen on 127.0.0.1 port %u: Address already in use: "
                 "another program listens there",
                 server.port);
        run(ARGUMENTS("serve"), settings, NULL, &result);
        CHECK_NUMBER("second server", "exit status", 1, result.status);
        CHECK_CONTAINS("second server", "stderr", words, text_of(&result.err));
        check_last_line("second server", words + strlen("app: "), &result);
    }
    server_close(&server);
    command_result_release(&result);
}

static void check_health(const char *address)
{
    struct server server = {0};
    struct command_result result = {0};
    char port[32];
    char address_setting[64];
    const char *const settings[] = {address_setting, NULL};
    const char *const asked[] = {address_setting, port, NULL};
    snprintf(address_setting, sizeof address_setting, "HTTP_ADDRESS=%s", address);
    if (!server_open(&server, settings))
        return;
    snprintf(port, sizeof port, "HTTP_PORT=%u", server.port);
    run(ARGUMENTS("healthcheck"), asked, NULL, &result);
    CHECK_NUMBER(address, "healthcheck: exit status", 0, result.status);
    run(ARGUMENTS("healthcheck", "--live"), asked, NULL, &result);
    CHECK_NUMBER(address, "healthcheck --live: exit status", 0, result.status);
    server_close(&server);
    run(ARGUMENTS("healthcheck"), asked, NULL, &result);
    CHECK_NUMBER(address, "healthcheck without a server: exit status", 1, result.status);
    command_result_release(&result);
}

static void test_healthcheck_asks_a_running_server(void)
{
    check_health("127.0.0.1");
    check_health("0.0.0.0");
    check_health("::"); /* with IPv6 or without */
}

/* An empty database of its own for a test: on MySQL one of this name, on SQLite the folder's.
 */
static void make_database(const char *name)
{
    char sql[128];
    if (test_database != TEST_MYSQL)
        return;
    MYSQL *connection = mariadb_open(NULL, "utf8mb4");
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", name);
    mariadb_run(connection, sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", name);
    mariadb_run(connection, sql);
    if (connection)
        mysql_close(connection);
}

static void test_seed_fills_an_empty_table_once(void)
{
    static const char *const settings[] = {"MYSQL_DATABASE=todobackend_seed", NULL};
    struct server server = {0};
    struct command_result result = {0};
    make_database("todobackend_seed");
    if (!CHECK(folder_make(server.folder, sizeof server.folder), "seed", "no folder"))
        return;
    run(ARGUMENTS("migrate"), settings, server.folder, &result);
    CHECK_NUMBER("migrate", "exit status", 0, result.status);
    run(ARGUMENTS("seed"), settings, server.folder, &result);
    CHECK_NUMBER("seed", "exit status", 0, result.status);
    if (server_start(&server, settings)) {
        int count = count_todos(&server);
        CHECK(count >= 3, "seed", "%d todos", count);
        run(ARGUMENTS("seed"), settings, server.folder, &result);
        CHECK_NUMBER("second seed", "exit status", 0, result.status);
        CHECK(strstr(text_of(&result.out), "nothing to do") ||
                  strstr(text_of(&result.err), "nothing to do"),
              "second seed", "says %s", text_of(&result.err));
        CHECK_NUMBER("second seed", "todos", count, count_todos(&server));
    }
    server_close(&server);
    command_result_release(&result);
}

static void test_serve_says_where_it_keeps_its_data(void)
{
    struct server server = {0};
    struct buffer log = {0};
    if (server_open(&server, NULL)) {
        server_read_log(&server, &log);
        log.data[strcspn(log.data, "\n")] = '\0';
        CHECK_CONTAINS("first line", "log", "todobackend.sqlite3", log.data);
    }
    server_close(&server);
    buffer_release(&log);
}

static void test_serve_refuses_an_older_schema(void)
{
    static const char *const settings[] = {"MYSQL_DATABASE=todobackend_older", NULL};
    struct command_result result = {0};
    make_database("todobackend_older");
    run(ARGUMENTS("serve"), settings, NULL, &result);
    CHECK(result.status > 0 && result.status < 128, "empty database", "exit status %d",
          result.status);
    CHECK_CONTAINS("empty database", "stderr", "app migrate", text_of(&result.err));
    run(ARGUMENTS("migrate", "--check"), settings, NULL, &result);
    CHECK_NUMBER("migrate --check", "exit status", 10, result.status);
    command_result_release(&result);
}

static void test_password_from_a_file(void)
{
    char path[300];
    char folder[256];
    char setting[320];
    const char *const settings[] = {"MYSQL_PASSWORD", setting, NULL};
    struct command_result result = {0};
    if (!CHECK(folder_make(folder, sizeof folder), "password", "no folder"))
        return;
    snprintf(path, sizeof path, "%s/password", folder);
    snprintf(setting, sizeof setting, "MYSQL_PASSWORD_FILE=%s", path);
    const char *password = getenv("MYSQL_PASSWORD");
    file_write(path, password ? password : "");
    run(ARGUMENTS("migrate"), settings, NULL, &result);
    CHECK_NUMBER("right password", "exit status", 0, result.status);
    file_write(path, SECRET);
    run(ARGUMENTS("migrate"), settings, NULL, &result);
    CHECK(result.status > 0 && result.status < 128, "wrong password", "exit status %d",
          result.status);
    CHECK_CONTAINS("wrong password", "stderr", "see MYSQL_USER and MYSQL_PASSWORD",
                   text_of(&result.err));
    check_no_secret("wrong password", &result);
    folder_remove(folder);
    command_result_release(&result);
}

/* The log. */

static const char *const odd_requests[] = {
    "GET /todos?token=" SECRET " HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " SECRET
    "\r\nCookie: sessionid=" SECRET "\r\nConnection: close\r\n\r\n",
    "POST /todos HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
    "30\r\n"
    "Connection: close\r\n\r\n{\"title\":\"" SECRET "\"}",
    "GET /a%0Ab%22%5C%1b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /a\"b\\c\x01\x1b[0m\x7f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /\xff\xfe\xc3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /todos HTTP/1.1\r\nHost: a\r\nX-Request-Id: x\"y\\z\r\nConnection: close\r\n\r\n",
    "GET /todos HTTP/1.1\r\n\r\n",
    "B\"AD /todos HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
};

static void make_odd_requests(const struct server *server)
{
    for (size_t i = 0; i < COUNT(odd_requests); i++) {
        struct client_connection connection;
        struct client_response response = {0};
        if (!CHECK(client_open(&connection, server->port), "log", "no connection"))
            return;
        client_send_text(&connection, odd_requests[i]);
        client_receive(&connection, false, 3000, &response);
        client_close(&connection);
        client_response_release(&response);
    }
}

static bool has_text(const json_t *line, const char *name)
{
    return json_is_string(json_object_get(line, name));
}

static bool has_number(const json_t *line, const char *name)
{
    return json_is_number(json_object_get(line, name));
}

/* Checks one line; whether it is about a request. */
static bool check_log_line(const char *text)
{
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!CHECK(json_is_object(line), text, "no JSON object: %s", error.text)) {
        json_decref(line);
        return false;
    }
    bool is_request = json_object_get(line, "method") != NULL;
    CHECK(text_matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$",
                       json_string_value(json_object_get(line, "time"))),
          text, "time");
    CHECK(has_text(line, "level") && has_text(line, "message"), text, "level or message");
    if (is_request)
        CHECK(has_text(line, "request_id") && has_text(line, "method") &&
                  has_text(line, "path") && has_number(line, "status") &&
                  has_number(line, "bytes") && has_number(line, "milliseconds") &&
                  has_text(line, "client"),
              text, "a key is missing");
    json_decref(line);
    return is_request;
}

static void test_the_log_is_json_lines_without_secrets(void)
{
    struct server server = {0};
    struct buffer log = {0};
    const char *password = getenv("MYSQL_PASSWORD");
    char *rest = NULL;
    int requests = 0;
    if (!server_open(&server, NULL))
        return;
    make_odd_requests(&server);
    server_stop(&server);
    server_read_log(&server, &log);
    CHECK(!strstr(text_of(&log), SECRET), "log", "holds a secret, a query or a body");
    CHECK(!password || !strstr(text_of(&log), password), "log",
          "holds the database's password");
    for (char *line = log.data ? strtok_r(log.data, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest))
        requests += check_log_line(line);
    /* not the one that the server makes itself before it says that it is ready */
    CHECK_NUMBER("log", "lines about requests", COUNT(odd_requests), requests);
    server_close(&server);
    buffer_release(&log);
}

static void test_log_says_what_was_answered(void)
{
    static const char *const parts[] = {"\"method\":\"GET\"",       "\"path\":\"/todos/0\"",
                                        "\"status\":404",           "\"bytes\":23",
                                        "\"client\":\"127.0.0.1\"", "\"level\":\"info\""};
    struct server server = {0};
    struct buffer log = {0};
    struct client_response response = {0};
    if (!server_open(&server, NULL))
        return;
    get(&server, "/todos/0", &response);
    server_stop(&server);
    server_read_log(&server, &log);
    for (size_t i = 0; i < COUNT(parts); i++)
        CHECK_CONTAINS("request", "log line", parts[i], text_of(&log));
    server_close(&server);
    buffer_release(&log);
    client_response_release(&response);
}

/* In their order: they ask for the first todo of a new database. */
static void test_the_readmes_requests_work(void)
{
    static const char start[] = "    curl -s localhost:8000";
    struct server server = {0};
    struct buffer readme = {0};
    char *rest = NULL;
    int requests = 0;

    if (!server_open(&server, NULL))
        return;
    file_read("README.md", &readme);
    for (char *line = readme.data ? strtok_r(readme.data, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        char command[512];
        if (strncmp(line, start, sizeof(start) - 1) != 0)
            continue;
        snprintf(command, sizeof(command), "curl -sf -m 10 -o /dev/null 127.0.0.1:%u%s",
                 server.port, line + sizeof(start) - 1);
        /* NOLINTNEXTLINE(cert-env33-c): what the README shows is for a shell */
        CHECK_NUMBER(line, "exit status", 0, system(command));
        requests++;
    }
    CHECK_NUMBER("README.md", "requests", 5, requests);
    CHECK_NUMBER("after them", "todos", 0, count_todos(&server));
    server_close(&server);
    buffer_release(&readme);
}

CU_TestInfo commands_tests[] = {
    TEST(test_words_on_the_command_line),
    TEST(test_version_names_the_libraries),
    TEST(test_version_is_json_if_wanted),
    TEST(test_config_tells_limits_and_where_they_come_from),
    TEST(test_config_masks_secrets),
    TEST(test_all_wrong_settings_are_named_at_once),
    TEST(test_what_ends_serve_is_the_last_line_of_its_log),
    TEST(test_errors_say_what_and_where),
    TEST(test_no_password_is_told_to_who_asks_for_it),
    TEST(test_mysql_without_a_host_is_an_error),
    TEST(test_a_port_in_use_is_an_error_that_names_the_setting),
    TEST(test_healthcheck_asks_a_running_server),
    TEST(test_seed_fills_an_empty_table_once),
    TEST(test_the_log_is_json_lines_without_secrets),
    TEST(test_log_says_what_was_answered),
    CU_TEST_INFO_NULL,
};

CU_TestInfo commands_sqlite_tests[] = {
    TEST(test_serve_says_where_it_keeps_its_data),
    TEST(test_the_readmes_requests_work),
    CU_TEST_INFO_NULL,
};

CU_TestInfo commands_mysql_tests[] = {
    TEST(test_serve_refuses_an_older_schema),
    TEST(test_password_from_a_file),
    CU_TEST_INFO_NULL,
};
