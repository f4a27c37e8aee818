#include "cmd/cmd.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "db/mysql.h"
#include "schema/migrate.h"
#include "server/server.h"
#include "store/mysql.h"
#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_NANOSECONDS 100000000L /* between looks at the deadlines; the log is written */
#define ARRIVAL_SECONDS  2U         /* when asked to stop: for requests to come in, */
#define STOP_SECONDS     25U        /* and for answers to go out; ECS kills after 30 */

const char cmd_serve_help[] =
    "usage: app serve\n"
    "\n"
    "Answers HTTP on HTTP_ADDRESS and HTTP_PORT until SIGTERM or SIGINT, then finishes the\n"
    "requests under way and exits with 0. On SQLite it brings the schema up to date by\n"
    "itself; on MySQL it waits up to DB_WAIT seconds for the database and refuses to start\n"
    "on a schema that is older than it needs: run `app migrate` first. The log goes to\n"
    "stdout.\n"
    "\n"
    "GET /livez   200 while the process lives\n"
    "GET /readyz  200 while it should get traffic: the database answers, no stop is near\n";

struct serve {
    struct config config;
    struct todo_api *api;
    struct http_server *server;
    sigset_t stop_signals;
};

static bool block_signals(struct serve *serve, struct error *err)
{
    sigemptyset(&serve->stop_signals);
    sigaddset(&serve->stop_signals, SIGTERM);
    sigaddset(&serve->stop_signals, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &serve->stop_signals, NULL) != 0 ||
        signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return error_set(err, ERROR_SYSTEM, "signals: %s", strerror(errno));
    return true;
}

/* Sleeps for a tick; true when a signal asked to stop. */
static bool wait_for_stop(const struct serve *serve)
{
    const struct timespec tick = {.tv_nsec = TICK_NANOSECONDS};

    return sigtimedwait(&serve->stop_signals, NULL, &tick) > 0;
}

static void tell_migration(const char *line, void *context)
{
    (void)context;
    log_message(CONFIG_LOG_INFO, "migrate: %s", line);
}

/* The schema as this program needs it, waiting for a database that is still starting. */
static bool check_schema(const struct serve *serve, struct error *err)
{
    const struct migrate_options options = {.wait = serve->config.db_wait,
                                            .report = tell_migration};
    uint64_t deadline = clock_now() + (uint64_t)serve->config.db_wait * 1000000;
    struct migrate_result result = {0};
    bool told = false;

    if (serve->config.database == CONFIG_DATABASE_SQLITE)
        return migrate_run(&serve->config, &options, &result, err);
    for (;;) {
        struct error cause = {0};
        if (migrate_check(&serve->config, &cause))
            return true;
        if (cause.code != ERROR_UNAVAILABLE || clock_now() >= deadline)
            return error_set(err, cause.code, "%s", cause.text);
        if (!told)
            log_message(CONFIG_LOG_WARNING, "waiting up to %u s for the database: %s",
                        serve->config.db_wait, cause.text);
        told = true;
        if (wait_for_stop(serve))
            return error_set(err, ERROR_STOPPED, "stopped while waiting for the database");
    }
}

/* With a libmicrohttpd that works in another way than this program thinks, it may refuse every
 * request: better not to start than to look healthy. */
static bool check_answers(const struct serve *serve, struct error *err)
{
    struct error cause = {0};

    if (cmd_ask(&serve->config, http_server_port(serve->server), "/livez", &cause))
        return true;
    return error_set(err, ERROR_SYSTEM, "this server refuses a plain request of its own: %s",
                     cause.text);
}

static bool start(struct serve *serve, struct error *err)
{
    const struct config *config = &serve->config;
    bool mysql = config->database == CONFIG_DATABASE_MYSQL;

    if (mysql)
        log_message(CONFIG_LOG_INFO, "todos are kept in MySQL database %s on %s port %u",
                    config->mysql_database, config->mysql_host, config->mysql_port);
    else
        log_message(CONFIG_LOG_INFO, "todos are kept in the SQLite file %s",
                    config->sqlite_path);
    if (!check_schema(serve, err))
        return false;
    serve->api = todo_api_start(config, mysql ? store_mysql_open : store_sqlite_open, err);
    if (!serve->api)
        return false;
    serve->server = http_server_start(
        &(struct http_server_settings){
            .address = config->http_address,
            .port = config->http_port,
            .threads = config->http_threads,
            .body_limit = config->http_body_limit,
            .reply_memory = config->response_memory,
            .answer_request = todo_api_answer_request,
            .no_more_input = todo_api_no_more_input,
            .context = serve->api,
        },
        err);
    return serve->server && check_answers(serve, err);
}

static void run(struct serve *serve)
{
    log_ready(serve->config.http_address, http_server_port(serve->server));
    log_flush();
    while (!wait_for_stop(serve)) {
        todo_api_expire(serve->api, clock_now());
        log_flush();
    }
    log_message(CONFIG_LOG_INFO, "stopping: finishing %zu requests",
                http_server_active(serve->server));
}

static bool is_under_way(const struct http_server *server, uint64_t waited)
{
    return (http_server_active(server) > 0 && waited < STOP_SECONDS * 1000000ULL) ||
           (http_server_arriving(server) > 0 && waited < ARRIVAL_SECONDS * 1000000ULL);
}

/* Accepts no more, and waits for what is under way. */
static void drain(struct serve *serve)
{
    uint64_t began = clock_now();

    todo_api_drain(serve->api);
    http_server_drain(serve->server);
    while (is_under_way(serve->server, clock_now() - began)) {
        todo_api_expire(serve->api, clock_now());
        log_flush();
        clock_sleep(10000);
    }
}

static void stop(struct serve *serve)
{
    if (serve->server) {
        drain(serve);
        http_server_refuse(serve->server);
    }
    if (serve->api)
        todo_api_stop(serve->api);
    if (serve->server)
        http_server_stop(serve->server);
}

bool cmd_serve(int argc, char **argv, struct error *err)
{
    struct serve serve = {0};

    if (!cmd_no_arguments(argc, argv, err) || !cmd_load_config(&serve.config, err))
        return false;
    log_configure(serve.config.log_format, serve.config.log_level);
    if (block_signals(&serve, err) && db_mysql_start(err)) {
        if (start(&serve, err))
            run(&serve);
        stop(&serve);
        db_mysql_end();
    }
    if (err->code == ERROR_NONE)
        log_message(CONFIG_LOG_INFO, "stopped");
    log_flush();
    config_release(&serve.config);
    return err->code == ERROR_NONE;
}
