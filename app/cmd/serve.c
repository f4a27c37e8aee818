#include "cmd/cmd.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/sandbox.h"
#include "cmd/notify.h"
#include "cmd/watch.h"
#include "db/mysql.h"
#include "db/sqlite.h"
#include "schema/migrate.h"
#include "server/server.h"
#include "server/xray.h"
#include "store/mysql.h"
#include "store/sqlite.h"

#include <fcntl.h>
#include <libgen.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_NANOSECONDS 100000000L /* between looks at the deadlines */
#define GRACE            200000U    /* microseconds, for requests that are on their way */
#define LAST_WORDS       500000U    /* microseconds, for 503s to what is given up */
#define LAST_TRY         5U         /* seconds that MySQL may take to say no, beyond DB_WAIT */
#define LARGE_MEMORY     (1 << 20)  /* bytes */

/* Descriptors besides those of connections: the standard ones, the log's, the supervisor's, the
 * listeners, a file of the page, and what resolves a name; for each worker the database, its
 * journals, and what SQLite sorts in. */
#define KEPT_DESCRIPTORS   (12U + HTTP_LISTENERS_MOST)
#define WORKER_DESCRIPTORS 6U
#define XRAY_DESCRIPTORS   4U /* its socket, and what looks its name up */

/* Of the admin port: those who watch are few, and send nothing. */
#define ADMIN_CONNECTIONS 32
#define ADMIN_BODY_LIMIT  1024  /* bytes, */
#define ADMIN_MEMORY      65536 /* of all */

static bool run_command(int argc, char **argv, struct error *err);

const struct cmd_command cmd_serve = {
    .name = "serve",
    .summary = "answer HTTP until SIGTERM or SIGINT",
    .description =
        "Answers HTTP on HTTP_ADDRESS and HTTP_PORT, or on the sockets that systemd passes on "
        "(LISTEN_FDS), and what concerns its operation on ADMIN_ADDRESS and ADMIN_PORT, until "
        "SIGTERM, SIGINT or SIGHUP. Then, for "
        "STOP_DELAY seconds, /readyz says no and each answer closes its connection; after "
        "that, "
        "or after a second signal, it takes no more connections, finishes the requests under "
        "way "
        "for up to STOP_TIMEOUT seconds, and exits with 0. The log goes to stdout.\n"
        "\n"
        "On SQLite it brings the schema up to date by itself; on MySQL it waits up to DB_WAIT "
        "seconds for the database and refuses to start on a schema that is older than it "
        "needs: "
        "run `app migrate` first. On a newer one it starts, with a warning, if that is "
        "compatible.\n"
        "\n"
        "GET /livez says 200 while the process lives, GET /readyz while it should get traffic: "
        "the database answers, and no stop is near. GET /metrics, at ADMIN_PORT alone, says "
        "what Prometheus asks for.",
    .run = run_command,
};

struct serve {
    struct config config;
    bool in_memory;
    sqlite3 *memory; /* keeps SQLite's database in memory while nobody else has it open */
    struct http_listeners listeners;
    struct http_listeners admin_listeners;
    bool is_told_ready; /* as the supervisor knows it */
    struct todo_api *api;
    struct http_server *server;
    struct segment_origin origin; /* what traces say of this server */
    char database[768];           /* its name there, */
    char database_url[768];       /* and where it is */
    struct xray *xray;            /* NULL: nobody is told of requests */
    struct http_server *admin;    /* of ADMIN_PORT; NULL: there is none */
    sigset_t stop_signals;
};

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

/* A newer one: after a rollback, or while a newer version is rolled out. */
static bool note_schema(const struct migrate_result *result)
{
    metrics_set(METRICS_SCHEMA_VERSION, result->version);
    if (result->newer[0])
        log_message(CONFIG_LOG_WARNING, "%s", result->newer);
    return true;
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
        return migrate_run(&serve->config, &options, &result, err) && note_schema(&result);
    for (;;) {
        struct error cause = {0};
        if (migrate_check(&serve->config, &result, &cause))
            return note_schema(&result);
        if (cause.code != ERROR_UNAVAILABLE || clock_now() >= deadline)
            return error_set(err, cause.code, "%s", cause.text);
        if (!told) {
            log_message(CONFIG_LOG_WARNING, "waiting up to %u s for the database: %s",
                        serve->config.db_wait, cause.text);
            notify_send("", "waiting for the database");
        }
        told = true;
        clock_sleep(TICK_NANOSECONDS / 1000);
    }
}

/* Nothing is in flight yet, and what SQLite has not committed is undone. */
static void end_start(enum cmd_watch_event event, void *context)
{
    struct serve *serve = context;
    struct error err = {0};

    http_listeners_remove_file(&serve->listeners);
    if (event == CMD_WATCH_TIME_OVER) {
        error_set(&err, ERROR_UNAVAILABLE, "the database did not answer within %u s",
                  serve->config.db_wait + LAST_TRY);
        log_stop(CONFIG_LOG_ERROR, err.text);
    } else {
        log_stop(CONFIG_LOG_INFO, "stopped before it was ready");
    }
    cmd_end(&err);
}

/* A migration of SQLite's may take its time. */
static bool wait_for_schema(struct serve *serve, struct error *err)
{
    bool mysql = serve->config.database == CONFIG_DATABASE_MYSQL;
    struct cmd_watch watch;
    bool good;

    if (!cmd_watch_start(&watch, &serve->stop_signals,
                         mysql ? serve->config.db_wait + LAST_TRY : 0, end_start, serve, err))
        return false;
    good = check_schema(serve, err);
    cmd_watch_stop(&watch);
    return good;
}

/* Where the database's file is, perhaps behind a link; it is made if it is missing. NULL when
 * that can't be: who opens the database tells why. */
static char *find_file(const char *name)
{
    char *path = realpath(name, NULL);
    int file = path ? -1 : open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (file < 0)
        return path;
    close(file);
    return realpath(name, NULL);
}

/* Before there are other threads, so the log's, too, is bound. SQLite makes its journals beside
 * the file; the socket's is removed in the end. */
static bool confine(const struct serve *serve)
{
    bool has_file = serve->config.database == CONFIG_DATABASE_SQLITE && !serve->in_memory;
    char *path = has_file ? find_file(serve->config.sqlite_path) : NULL;
    char *file = serve->listeners.file ? strdup(serve->listeners.file) : NULL;
    bool good = sandbox_enter(path ? dirname(path) : NULL, file ? dirname(file) : NULL);

    free(path);
    free(file);
    return good;
}

/* With a libmicrohttpd that works in another way than this program thinks, it may refuse every
 * request: better not to start than to look healthy. A socket of another's may be closed to
 * this user, or have its file elsewhere. */
static bool check_answers(const struct serve *serve, struct error *err)
{
    struct error cause = {0};

    if (cmd_ask(http_server_endpoint(serve->server), "/livez", &cause))
        return true;
    if (serve->listeners.are_inherited && cause.code == ERROR_UNAVAILABLE) {
        log_message(CONFIG_LOG_WARNING, "this server can't ask itself: %s", cause.text);
        return true;
    }
    return error_set(err, ERROR_SYSTEM, "this server refuses a plain request of its own: %s",
                     cause.text);
}

static void tell_start(const struct serve *serve, bool is_confined)
{
    const struct config *config = &serve->config;
    char url[ENDPOINT_URL_SIZE];
    struct endpoint endpoint;

    for (size_t i = 0; serve->listeners.are_inherited && i < serve->listeners.count; i++)
        if (endpoint_of_socket(&endpoint, serve->listeners.sockets[i]))
            log_message(CONFIG_LOG_INFO, "takes connections of a socket of LISTEN_FDS, %s",
                        endpoint_print_url(&endpoint, url));
    if (!is_confined)
        log_message(CONFIG_LOG_DEBUG, "this kernel has no Landlock: files are not protected");
    if (config->database == CONFIG_DATABASE_MYSQL)
        log_message(CONFIG_LOG_INFO, "todos are kept in MySQL database %s on %s port %u",
                    config->mysql_database, config->mysql_host, config->mysql_port);
    else if (serve->in_memory)
        log_message(CONFIG_LOG_WARNING,
                    "todos are kept in memory: they are gone when this server ends");
    else
        log_message(CONFIG_LOG_INFO, "todos are kept in the SQLite file %s",
                    config->sqlite_path);
}

static bool hold_memory(struct serve *serve, struct error *err)
{
    serve->memory =
        serve->in_memory ? db_sqlite_open(serve->config.sqlite_path, true, 0, err) : NULL;
    return serve->memory || !serve->in_memory;
}

/* What is passed on goes before what is set. */
static bool open_listeners(struct serve *serve, struct error *err)
{
    const struct config *config = &serve->config;

    if (!http_listeners_inherit(&serve->listeners, err))
        return false;
    if (serve->listeners.count == 0 &&
        !http_listen(&serve->listeners, "HTTP", config->http_address, config->http_port,
                     (mode_t)strtoul(config->http_socket_mode, NULL, 8), err))
        return false;
    return config->admin_port == 0 ||
           http_listen(&serve->admin_listeners, "ADMIN", config->admin_address,
                       config->admin_port, 0, err);
}

size_t cmd_kept_descriptors(const struct config *config)
{
    return KEPT_DESCRIPTORS + (*config->xray_daemon_address ? XRAY_DESCRIPTORS : 0) +
           WORKER_DESCRIPTORS * (config->db_readers + 1) +
           (config->admin_port > 0 ? 1 + http_server_descriptors(ADMIN_CONNECTIONS) : 0);
}

static void describe(const struct config *config)
{
    bool mysql = config->database == CONFIG_DATABASE_MYSQL;

    if (mysql)
        db_mysql_name_errors();
    else
        db_sqlite_name_errors();
    cmd_describe_build(mysql ? "mysql" : "sqlite");
}

/* On the admin port's thread. */
static void report(void *context)
{
    const struct serve *serve = context;

    http_server_report(serve->server);
    todo_api_report(serve->api);
}

static void describe_origin(struct serve *serve)
{
    const struct config *config = &serve->config;
    bool mysql = config->database == CONFIG_DATABASE_MYSQL;

    if (mysql) {
        snprintf(serve->database, sizeof(serve->database), "%s@%s", config->mysql_database,
                 config->mysql_host);
        snprintf(serve->database_url, sizeof(serve->database_url), "%s:%u/%s",
                 config->mysql_host, config->mysql_port, config->mysql_database);
    }
    serve->origin = (struct segment_origin){
        .service = "todobackend",
        .version = cmd_program_version(),
        .database = mysql ? serve->database : "sqlite",
        .database_url = mysql ? serve->database_url : config->sqlite_path,
        .database_type = mysql ? "MySQL" : "SQLite",
        .database_user = mysql ? config->mysql_user : NULL,
    };
}

static bool start_xray(struct serve *serve, struct error *err)
{
    struct xray_address address;

    if (!*serve->config.xray_daemon_address)
        return true;
    describe_origin(serve);
    xray_address_parse(&address, serve->config.xray_daemon_address);
    serve->xray = xray_open(&address, &serve->origin, err);
    return serve->xray != NULL;
}

static bool start_server(struct serve *serve, struct error *err)
{
    const struct config *config = &serve->config;

    serve->server = http_server_start(
        &(struct http_server_settings){
            .listeners = &serve->listeners,
            .prefix = "HTTP",
            .is_measured = true,
            .xray = serve->xray,
            .threads = config->http_threads,
            .descriptors = cmd_kept_descriptors(config),
            .client_connections = config->http_client_connections,
            .trusted_proxies = config->trusted_proxies,
            .cors_origins = config->cors_origins,
            .body_limit = config->http_body_limit,
            .request_memory = config->request_memory,
            .reply_memory = config->response_memory,
            .answer_request = todo_api_answer_request,
            .no_more_input = todo_api_no_more_input,
            .context = serve->api,
        },
        err);
    return serve->server != NULL;
}

/* A server of its own: whatever crowd there is at one of the two ports, the other has its own
 * thread, connections and memory. */
static bool start_admin(struct serve *serve, struct error *err)
{
    const struct config *config = &serve->config;

    if (config->admin_port == 0)
        return true;
    metrics_set_collector(report, serve);
    serve->admin = http_server_start(
        &(struct http_server_settings){
            .listeners = &serve->admin_listeners,
            .prefix = "ADMIN",
            .threads = 1,
            .connections = ADMIN_CONNECTIONS,
            .descriptors = cmd_kept_descriptors(config),
            .trusted_proxies = "",
            .body_limit = ADMIN_BODY_LIMIT,
            .request_memory = ADMIN_MEMORY,
            .reply_memory = ADMIN_MEMORY,
            .answer_request = todo_api_answer_admin,
            .no_more_input = todo_api_no_more_input,
            .context = serve->api,
        },
        err);
    return serve->admin != NULL;
}

/* The ports before the database: who can't have the one leaves the other alone. Nothing is
 * logged before the log has its thread: without it, a reader that stalls would hold up the
 * start, and its end. */
static bool start(struct serve *serve, struct error *err)
{
    const struct config *config = &serve->config;
    bool mysql = config->database == CONFIG_DATABASE_MYSQL;
    bool is_confined;

    if (!open_listeners(serve, err))
        return false;
    describe(config);
    is_confined = confine(serve);
    if (!log_start(err))
        return false;
    tell_start(serve, is_confined);
    if (!hold_memory(serve, err) || !wait_for_schema(serve, err))
        return false;
    serve->api = todo_api_start(config, mysql ? store_mysql_open : store_sqlite_open, err);
    if (!serve->api)
        return false;
    return start_xray(serve, err) && start_server(serve, err) && start_admin(serve, err) &&
           check_answers(serve, err);
}

/* What goes on all the time. */
static void expire(const struct serve *serve)
{
    todo_api_expire(serve->api, clock_now());
}

/* Tells the supervisor when the state changes, and that every thread goes round. */
static void notify(struct serve *serve)
{
    struct error reason = {0};
    bool is_ready = todo_api_is_ready(serve->api, &reason);
    uint64_t now = clock_now();

    if (is_ready != serve->is_told_ready) {
        struct error status = {0};
        error_set(&status, ERROR_UNAVAILABLE, "the database does not do its work: %s",
                  reason.text);
        notify_send("", is_ready ? "ready" : status.text);
        serve->is_told_ready = is_ready;
    }
    if (notify_is_due(now) && http_server_has_turned(serve->server) &&
        (!serve->admin || http_server_has_turned(serve->admin)))
        notify_alive(now);
}

/* Where the server is reached from this machine. Returns `url`. */
static char *reachable_url(const struct http_server *server, char url[ENDPOINT_URL_SIZE])
{
    struct endpoint endpoint = *http_server_endpoint(server);

    endpoint_make_reachable(&endpoint);
    return endpoint_print_url(&endpoint, url);
}

static void run(struct serve *serve)
{
    const struct endpoint *endpoint = http_server_endpoint(serve->server);
    char address[ENDPOINT_ADDRESS_SIZE];
    char url[ENDPOINT_URL_SIZE];

    if (serve->admin)
        log_message(CONFIG_LOG_INFO, "metrics are at %s/metrics",
                    reachable_url(serve->admin, url));
    log_ready(endpoint_print(endpoint, address), endpoint_port(endpoint),
              reachable_url(serve->server, url), http_server_connection_limit(serve->server));
    notify_send("READY=1", "ready");
    serve->is_told_ready = true;
    while (!wait_for_stop(serve)) {
        expire(serve);
        notify(serve);
    }
}

/* The supervisor shall wait as long as it may take. */
static void notify_stop(const struct config *config)
{
    char assignments[64];

    snprintf(assignments, sizeof(assignments), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%u000000",
             config->stop_delay + config->stop_timeout + 5);
    notify_send(assignments, "stopping");
}

/* Time for a balancer to see that /readyz says no. A second signal ends it. */
static void drain(const struct serve *serve)
{
    unsigned delay = serve->config.stop_delay;
    uint64_t end = clock_now() + (uint64_t)delay * 1000000;

    notify_stop(&serve->config);
    todo_api_drain(serve->api);
    http_server_advance(serve->server, HTTP_SERVER_DRAINING);
    if (delay > 0)
        log_message(CONFIG_LOG_INFO, "stopping: taking connections for %u s more", delay);
    while (clock_now() < end && !wait_for_stop(serve))
        expire(serve);
}

/* Requests may be on their way on connections that are open. */
static void wait_for_requests(const struct serve *serve)
{
    uint64_t end = clock_now() + GRACE;

    while (clock_now() < end && http_server_connections(serve->server) > 0) {
        expire(serve);
        clock_sleep(1000);
    }
}

/* Waits until everything that has come in is answered, and the database has nothing to do any
 * more, or until it is time. */
static void finish(const struct serve *serve, uint64_t until)
{
    while (clock_now() < until &&
           (http_server_active(serve->server) > 0 || !todo_api_is_idle(serve->api))) {
        expire(serve);
        clock_sleep(10000);
    }
    http_server_advance(serve->server, HTTP_SERVER_LEAVING);
    while (clock_now() < until &&
           (http_server_threads(serve->server) > 0 || !todo_api_is_idle(serve->api))) {
        expire(serve);
        clock_sleep(1000);
    }
}

/* What waits for the database gets a 503; what is being sent is cut off. */
static void give_up(const struct serve *serve, uint64_t until)
{
    log_message(CONFIG_LOG_WARNING, "stopping: gave up %zu requests after %u s",
                http_server_active(serve->server), serve->config.stop_timeout);
    todo_api_expire(serve->api, UINT64_MAX);
    finish(serve, until);
}

/* False when the database is still at something and can't be waited for. */
static bool finish_in_time(struct serve *serve)
{
    uint64_t until = clock_now() + (uint64_t)serve->config.stop_timeout * 1000000;

    log_message(CONFIG_LOG_INFO, "stopping: finishing %zu requests",
                http_server_active(serve->server));
    http_listeners_remove_file(&serve->listeners);
    http_server_advance(serve->server, HTTP_SERVER_CLOSED);
    wait_for_requests(serve);
    finish(serve, until - LAST_WORDS);
    if (http_server_threads(serve->server) > 0 || !todo_api_is_idle(serve->api))
        give_up(serve, until);
    return todo_api_is_idle(serve->api);
}

/* The API goes when no request can reach it any more, and before what its answers go to. Until
 * then, how it stops can be watched. */
static void stop(struct serve *serve)
{
    if (serve->server)
        http_server_join(serve->server);
    if (serve->admin)
        http_server_join(serve->admin);
    if (serve->api)
        todo_api_stop(serve->api);
    db_sqlite_close(serve->memory);
    if (serve->server)
        http_server_free(serve->server);
    if (serve->admin)
        http_server_free(serve->admin);
    xray_close(serve->xray);
    http_listeners_release(&serve->listeners);
    http_listeners_release(&serve->admin_listeners);
}

/* The end of a start that failed, or of a server that ran. */
static void run_and_stop(struct serve *serve, struct error *err)
{
    if (start(serve, err)) {
        run(serve);
        drain(serve);
        if (!finish_in_time(serve)) {
            log_stop(CONFIG_LOG_WARNING, "stopped while the database was at work");
            cmd_end(err);
        }
    }
    stop(serve);
}

/* To the log, too: often it is all that is left of a container. */
static void tell_wrong_setting(const char *problem)
{
    log_message(CONFIG_LOG_ERROR, "%s", problem);
}

/* Large lists and answers go back to the system when they are freed: glibc would learn from
 * them to keep that much, for each thread. */
static void keep_memory_small(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE_MEMORY);
    mallopt(M_TRIM_THRESHOLD, 2 * LARGE_MEMORY);
}

static bool run_command(int argc, char **argv, struct error *err)
{
    struct serve serve = {.listeners = {.count = 0}};

    if (!cmd_no_arguments(&cmd_serve, argc, argv, err) ||
        !cmd_load_config(&serve.config, tell_wrong_setting, err))
        return false;
    serve.in_memory = serve.config.database == CONFIG_DATABASE_SQLITE &&
                      config_sqlite_in_memory(serve.config.sqlite_path);
    notify_open();
    keep_memory_small();
    log_configure(serve.config.log_format, serve.config.log_level, serve.config.log_health);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk */
    if (cmd_block_signals(&serve.stop_signals, err) && db_mysql_start(err)) {
        run_and_stop(&serve, err);
        db_mysql_end();
    }
    if (err->code == ERROR_NONE)
        log_stop(CONFIG_LOG_INFO, "stopped");
    else
        log_stop(CONFIG_LOG_ERROR, err->text);
    notify_close();
    config_release(&serve.config);
    return err->code == ERROR_NONE;
}
