#include "server.h"

#include "base/clock.h"
#include "check.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_LIMIT 20000 /* milliseconds; a sanitizer makes everything slower */
#define LOG_LIMIT   20000
#define STOP_LIMIT  30000 /* the program promises 25 s */

static void file_path(const struct server *server, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", server->folder, name);
}

void server_read_log(const struct server *server, struct buffer *log)
{
    char path[300];
    file_path(server, "stdout", path, sizeof path);
    file_read(path, log);
}

int server_count_in_log(const struct server *server, const char *text)
{
    struct buffer log = {0};
    int count = 0;
    server_read_log(server, &log);
    for (const char *at = log.data; at && (at = strstr(at, text)); at++)
        count++;
    buffer_release(&log);
    return count;
}

int server_await_log(const struct server *server, const char *text)
{
    uint64_t deadline = clock_now() + LOG_LIMIT * 1000ULL;
    int count;
    while ((count = server_count_in_log(server, text)) == 0 && clock_now() < deadline)
        clock_sleep(20000);
    return count;
}

/* The port in the ready line, 0 as long as there is none. */
static unsigned ready_port(const struct server *server)
{
    struct buffer log = {0};
    unsigned port = 0;
    char *rest = NULL;
    server_read_log(server, &log);
    for (char *line = log.data ? strtok_r(log.data, "\n", &rest) : NULL; line && port == 0;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *object = json_loads(line, 0, NULL);
        port = (unsigned)json_integer_value(json_object_get(object, "port"));
        json_decref(object);
    }
    buffer_release(&log);
    return port;
}

/* What a server wrote to stderr belongs to the tests' own output: a sanitizer reports there. */
static void show_errors(const struct server *server)
{
    char path[300];
    struct buffer text = {0};
    file_path(server, "stderr", path, sizeof path);
    file_read(path, &text);
    if (text.size > 0)
        fprintf(stderr, "\n    server's stderr: %s\n", text.data);
    buffer_release(&text);
}

bool server_start(struct server *server, const char *const *settings)
{
    static const char *const arguments[] = {"serve", NULL};
    char out[300];
    char err[300];
    int status = -1;
    struct command command = {arguments, settings, server->folder};
    file_path(server, "stdout", out, sizeof out);
    file_path(server, "stderr", err, sizeof err);
    server->port = 0;
    server->pid = command_start(&command, out, err);
    uint64_t deadline = clock_now() + START_LIMIT * 1000;
    while (server->pid > 0 && status == -1 && clock_now() < deadline) {
        server->port = ready_port(server);
        if (server->port != 0)
            return true;
        status = command_wait(server->pid, 5);
    }
    show_errors(server);
    if (server->pid > 0 && status == -1)
        server_kill(server);
    server->pid = 0;
    return CHECK(false, "start of the server", "no ready line; exit status %d", status);
}

bool server_open(struct server *server, const char *const *settings)
{
    *server = (struct server){0};
    if (test_database == TEST_MYSQL && !run_migrate(settings))
        return false;
    return folder_make(server->folder, sizeof server->folder) && server_start(server, settings);
}

bool server_stop(struct server *server)
{
    if (server->pid <= 0)
        return true;
    kill(server->pid, SIGTERM);
    int status = command_wait(server->pid, STOP_LIMIT);
    if (status == -1)
        server_kill(server);
    server->pid = 0;
    show_errors(server);
    return CHECK_NUMBER("stop of the server", "exit status after SIGTERM", 0, status);
}

void server_kill(struct server *server)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL);
    command_wait(server->pid, STOP_LIMIT);
    server->pid = 0;
}

bool server_close(struct server *server)
{
    bool stopped = server_stop(server);
    if (server->folder[0])
        folder_remove(server->folder);
    *server = (struct server){0};
    return stopped;
}

bool run_migrate(const char *const *settings)
{
    static const char *const arguments[] = {"migrate", NULL};
    struct command_result result = {0};
    command_run(&(struct command){arguments, settings, NULL}, START_LIMIT, &result);
    bool good = CHECK(result.status == 0, "app migrate", "exit status %d: %s", result.status,
                      result.err.data ? result.err.data : "");
    command_result_release(&result);
    return good;
}

void clear_todos(const struct server *server)
{
    struct client_response response = {0};
    client_ask(server->port, &(struct client_request){.method = "DELETE", .path = "/todos"},
               &response);
    CHECK_NUMBER("set-up", "status of DELETE /todos", 204, response.status);
    client_response_release(&response);
}

unsigned create_todo(const struct server *server, const char *json)
{
    struct client_response response = {0};
    send_json(server, "POST", "/todos", json, &response);
    unsigned id = id_of_url(client_header(&response, "Location"));
    CHECK(response.status == 201 && id > 0, json, "POST gave %d %s", response.status,
          client_body(&response));
    client_response_release(&response);
    return id;
}

void append_empty_objects(struct buffer *json, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_append_text(json, i == 0 ? "[{}" : ",{}");
    buffer_append_char(json, ']');
}

unsigned id_of_url(const char *url)
{
    const char *slash = url ? strrchr(url, '/') : NULL;
    return slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
}

int get(const struct server *server, const char *path, struct client_response *response)
{
    client_ask(server->port, &(struct client_request){.path = path}, response);
    return response->status;
}

int send_json(const struct server *server, const char *method, const char *path,
              const char *json, struct client_response *response)
{
    client_ask(server->port,
               &(struct client_request){
                   .method = method, .path = path, .type = "application/json", .body = json},
               response);
    return response->status;
}

int get_todo(const struct server *server, unsigned id, struct client_response *response)
{
    char path[32];
    snprintf(path, sizeof path, "/todos/%u", id);
    return get(server, path, response);
}

int patch_todo(const struct server *server, unsigned id, const char *json,
               struct client_response *response)
{
    char path[32];
    snprintf(path, sizeof path, "/todos/%u", id);
    return send_json(server, "PATCH", path, json, response);
}

int count_todos(const struct server *server)
{
    struct client_response response = {0};
    int status = get(server, "/todos", &response);
    json_t *list = json_loads(client_body(&response), 0, NULL);
    int count = status == 200 && json_is_array(list) ? (int)json_array_size(list) : -1;
    json_decref(list);
    client_response_release(&response);
    return count;
}
