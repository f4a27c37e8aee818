#ifndef SERVER_H
#define SERVER_H

/*
 * A running `app serve` of a test's own, on a free port, with its own folder (which holds the
 * SQLite database and the log), and what tests ask of it all the time.
 */

#include "command.h"
#include "http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
    pid_t pid; /* 0: not running */
    unsigned port;
    char folder[256];
};

/* Makes the folder and starts the server; on MySQL the schema is brought up to date before.
 * False, with a failed check, when no ready line came in time. */
bool server_open(struct server *server, const char *const *settings);

/* Stops it (checked: exit status 0) and removes the folder. Fine when it is not running. */
bool server_close(struct server *server);

/* Start and stop on the same data. server_stop sends SIGTERM and checks exit status 0. */
bool server_start(struct server *server, const char *const *settings);
bool server_stop(struct server *server);
void server_kill(struct server *server);

/* The log so far (stdout). */
void server_read_log(const struct server *server, struct buffer *log);

/* How often the log has the text so far. */
int server_count_in_log(const struct server *server, const char *text);

/* The same once it has it: a thread writes the log some times a second. 0 when it never comes.
 */
int server_await_log(const struct server *server, const char *text);

/* `app migrate` on the test's database: exit status 0, checked. */
bool run_migrate(const char *const *settings);

/* Deletes all todos. */
void clear_todos(const struct server *server);

/* Creates a todo from a JSON text and gives its id; 0, with a failed check, when it can't. */
unsigned create_todo(const struct server *server, const char *json);

/* As JSON, an array of so many, at least one: todos that are created without a field. */
void append_empty_objects(struct buffer *json, size_t count);

/* The number at the end of a todo's URL, 0 without one. */
unsigned id_of_url(const char *url);

/* GET or DELETE of a path, or a JSON text sent by `method`; the answer replaces *response. */
int get(const struct server *server, const char *path, struct client_response *response);
int send_json(const struct server *server, const char *method, const char *path,
              const char *json, struct client_response *response);
int get_todo(const struct server *server, unsigned id, struct client_response *response);
int patch_todo(const struct server *server, unsigned id, const char *json,
               struct client_response *response);

/* How many todos GET /todos lists; -1 when it fails. */
int count_todos(const struct server *server);

#endif
