#include "trial.h"

#include "base/clock.h"
#include "check.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Milliseconds: for an answer, which is REQUEST_TIMEOUT (2 s) and a margin, and what `app
 * healthcheck` waits for /readyz; */
#define ANSWERED  (2000 + BUSY_MACHINE)
#define NOTICED   8000U  /* in which /readyz comes to say no, */
#define WATCHED   1500U  /* or never does; */
#define COME_BACK 12000U /* in which all is served again; */
#define LATE      300U   /* in which what the fault held back is done */
#define PAUSE     50000U /* microseconds between two questions */

#define TODOS       4 /* that are there before */
#define ERRORS_MOST 5 /* lines of the log: the fault's own, and those of four changes */

struct request_form {
    const char *name;
    const char *method;
    int status; /* when it is served */
    bool is_change;
    const char *json; /* to be sent */
    /* SQL of how often the change was made, see trial.h, and to which todos. */
    const char *effect;
    const char *where;
};

/* clang-format off */
static const struct request_form forms[TRIAL_KINDS] = {
    [TRIAL_LIST] = {.name = "GET all", .method = "GET", .status = 200},
    [TRIAL_FETCH] = {.name = "GET", .method = "GET", .status = 200},
    [TRIAL_CREATE] = {.name = "POST", .method = "POST", .status = 201, .is_change = true,
        .json = "{\"title\":\"created\"}",
        .effect = "COUNT(*)", .where = "title = 'created'"},
    [TRIAL_REPLACE] = {.name = "PUT", .method = "PUT", .status = 200, .is_change = true,
        .json = "{\"title\":\"replaced\"}",
        .effect = "COUNT(*)", .where = "title = 'replaced'"},
    [TRIAL_CHANGE] = {.name = "PATCH", .method = "PATCH", .status = 200, .is_change = true,
        .json = "{\"title\":\"changed\"}",
        .effect = "COUNT(*)", .where = "title = 'changed'"},
    [TRIAL_DELETE] = {.name = "DELETE", .method = "DELETE", .status = 204, .is_change = true,
        .effect = "1 - COUNT(*)", .where = "title = 'kept'"},
    [TRIAL_CLEAR] = {.name = "DELETE all", .method = "DELETE", .status = 204, .is_change = true,
        .effect = "CASE COUNT(*) WHEN 0 THEN 1 WHEN 4 THEN 0 ELSE 2 END",
        .where = "title = 'kept'"},
    [TRIAL_READY] = {.name = "/readyz", .method = "GET", .status = 200},
    [TRIAL_ALIVE] = {.name = "/livez", .method = "GET", .status = 200},
};
/* clang-format on */

void trial_note(struct trial *trial, const char *what)
{
    if (!trial->wrong[0])
        snprintf(trial->wrong, sizeof trial->wrong, "%s", what);
}

void trial_path(const struct trial *trial, size_t database, char *path, size_t size)
{
    snprintf(path, size, "%s/todobackend.sqlite3", trial->servers[database].folder);
}

/* ---- SQL; not by the checks of database.h, which are the main thread's ---- */

static long mysql_number(MYSQL *connection)
{
    MYSQL_RES *rows = mysql_store_result(connection);
    MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
    long number = row && row[0] ? strtol(row[0], NULL, 10) : 0;

    mysql_free_result(rows);
    return number;
}

static long run_mysql(struct trial *trial, const char *database, const char *sql)
{
    MYSQL *connection = mariadb_open_root(NULL);
    long number = 0;

    if (!connection) {
        trial_note(trial, "root's connection");
        return -1;
    }
    if ((database[0] && mysql_select_db(connection, database) != 0) ||
        mysql_query(connection, sql) != 0) {
        trial_note(trial, mysql_error(connection));
        number = -1;
    } else {
        number = mysql_number(connection);
    }
    mysql_close(connection);
    return number;
}

static long run_sqlite(struct trial *trial, size_t database, const char *sql)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    char path[300];
    long number = 0;
    int step = SQLITE_ERROR;

    trial_path(trial, database, path, sizeof path);
    if (sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) == SQLITE_OK)
        step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        number = (long)sqlite3_column_int64(statement, 0);
    else if (step != SQLITE_DONE)
        trial_note(trial, sqlite3_errmsg(connection));
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return step == SQLITE_ROW || step == SQLITE_DONE ? number : -1;
}

long trial_sql(struct trial *trial, size_t database, const char *format, ...)
{
    char sql[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    return test_database == TEST_SQLITE ? run_sqlite(trial, database, sql)
                                        : run_mysql(trial, trial->databases[database], sql);
}

/* ---- the requests ---- */

static const struct server *server_of(const struct trial *trial, enum trial_kind kind)
{
    return &trial->servers[kind == TRIAL_CLEAR];
}

static void send_once(struct trial_request *request)
{
    const struct request_form *form = &forms[request->kind];
    const struct trial *trial = request->trial;
    uint64_t start = clock_now();
    uint64_t took;
    char path[32];

    if (request->kind == TRIAL_READY || request->kind == TRIAL_ALIVE)
        snprintf(path, sizeof path, "%s", form->name);
    else if (trial->ids[request->kind] > 0)
        snprintf(path, sizeof path, "/todos/%u", trial->ids[request->kind]);
    else
        snprintf(path, sizeof path, "/todos");
    client_ask(server_of(trial, request->kind)->port,
               &(struct client_request){.method = form->method,
                                        .path = path,
                                        .type = form->json ? "application/json" : NULL,
                                        .body = form->json},
               &request->response);
    took = (clock_now() - start) / 1000;
    request->took = took > request->took ? took : request->took;
}

/* /readyz is asked all the time, as balancers do. */
static void *run_request(void *context)
{
    struct trial_request *request = context;
    bool is_served = request->trial->fault->wanted[request->kind] == SERVED;
    uint64_t deadline = clock_now() + (is_served ? WATCHED : NOTICED) * 1000;

    send_once(request);
    while (request->kind == TRIAL_READY && request->response.status == 200 &&
           clock_now() < deadline) {
        clock_sleep(PAUSE);
        send_once(request);
    }
    return NULL;
}

static void run_requests(struct trial *trial)
{
    for (size_t i = 0; i < TRIAL_KINDS; i++) {
        struct trial_request *request = &trial->requests[i];
        request->trial = trial;
        request->kind = (enum trial_kind)i;
        if (pthread_create(&request->thread, NULL, run_request, request) != 0)
            abort();
    }
    for (size_t i = 0; i < TRIAL_KINDS; i++)
        pthread_join(trial->requests[i].thread, NULL);
}

/* ---- a trial ---- */

static bool serves_all(const struct server *server)
{
    struct client_response response = {0};
    bool is_all =
        send_json(server, "POST", "/todos", "{\"title\":\"after\"}", &response) == 201;

    is_all = get(server, "/todos", &response) == 200 && is_all;
    is_all = get(server, "/readyz", &response) == 200 && is_all;
    client_response_release(&response);
    return is_all;
}

static void come_back(struct trial *trial)
{
    uint64_t start = clock_now();

    for (size_t i = 0; i < TRIAL_DATABASES; i++)
        while (!serves_all(&trial->servers[i]) && clock_now() < start + 2 * COME_BACK * 1000U)
            clock_sleep(PAUSE);
    trial->came_back_in = (clock_now() - start) / 1000;
}

/* What a trigger says is what the server says itself: the number is what the program sees. */
static void begin_error(struct trial *trial)
{
    static const char *const changes[] = {"INSERT", "UPDATE", "DELETE"};

    for (size_t database = 0; database < TRIAL_DATABASES; database++)
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
            trial_sql(trial, database,
                      "CREATE TRIGGER fail_%s BEFORE %s ON todo_todoitem FOR EACH ROW"
                      " SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %u,"
                      " MESSAGE_TEXT = 'made by a trigger'",
                      changes[i], changes[i], trial->fault->error);
}

static void end_error(struct trial *trial)
{
    static const char *const changes[] = {"INSERT", "UPDATE", "DELETE"};

    for (size_t database = 0; database < TRIAL_DATABASES; database++)
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
            trial_sql(trial, database, "DROP TRIGGER fail_%s", changes[i]);
}

static void begin(struct trial *trial)
{
    if (trial->relay)
        relay_set(trial->relay, trial->fault->rule);
    if (trial->fault->error > 0)
        begin_error(trial);
    if (trial->fault->begin)
        trial->fault->begin(trial);
}

static void end(struct trial *trial)
{
    if (trial->relay)
        relay_set(trial->relay, (struct relay_rule){.fault = RELAY_SOUND});
    if (trial->fault->error > 0)
        end_error(trial);
    if (trial->fault->end)
        trial->fault->end(trial);
}

static long count_effect(struct trial *trial, enum trial_kind kind)
{
    const struct request_form *form = &forms[kind];

    if (!form->is_change)
        return 0;
    return trial_sql(trial, kind == TRIAL_CLEAR,
                     "SELECT %s FROM todo_todoitem WHERE %s AND %u IN (0, id)", form->effect,
                     form->where, trial->ids[kind]);
}

static void *run_trial(void *context)
{
    struct trial *trial = context;

    /* What /readyz knows is as old under each fault: it speaks for longer than WATCHED. */
    for (size_t i = 0; i < TRIAL_DATABASES; i++)
        if (!serves_all(&trial->servers[i]))
            trial_note(trial, "not all is served before");
    begin(trial);
    run_requests(trial);
    /* What hangs ends, and is told, only after its clients gave up. */
    if (trial->fault->log)
        server_await_log(&trial->servers[0], trial->fault->log);
    end(trial);
    come_back(trial);
    clock_sleep(LATE * 1000);
    for (size_t i = 0; i < TRIAL_KINDS; i++)
        trial->requests[i].effect = count_effect(trial, (enum trial_kind)i);
    trial->total =
        trial_sql(trial, 0, "SELECT COUNT(*) FROM todo_todoitem WHERE title <> 'after'");
    mysql_thread_end();
    return NULL;
}

static bool open_server(struct trial *trial, size_t index)
{
    char database[96];
    char user[64];
    char port[32];
    const char *const deadline[] = {"REQUEST_TIMEOUT=2", NULL};
    const char *const settings[] = {"REQUEST_TIMEOUT=2", database, user, port, NULL};

    if (test_database == TEST_SQLITE)
        return server_open(&trial->servers[index], deadline);
    snprintf(database, sizeof database, "MYSQL_DATABASE=%s", trial->databases[index]);
    snprintf(user, sizeof user, "MYSQL_USER=%s", trial->user);
    snprintf(port, sizeof port, "MYSQL_PORT=%u", relay_port(trial->relay));
    return server_open(&trial->servers[index], settings);
}

/* A user of its own, whose connections can be told from others'. */
static bool open_mysql(struct trial *trial, size_t number)
{
    char sql[200];
    const char *password = getenv("MYSQL_PASSWORD");

    snprintf(trial->user, sizeof trial->user, "todo_%zu", number);
    snprintf(sql, sizeof sql, "CREATE OR REPLACE USER %s IDENTIFIED BY '%s'", trial->user,
             password);
    run_mysql(trial, "", sql);
    snprintf(sql, sizeof sql, "GRANT ALL ON `todobackend%%`.* TO %s", trial->user);
    run_mysql(trial, "", sql);
    for (size_t i = 0; i < TRIAL_DATABASES; i++) {
        snprintf(trial->databases[i], sizeof trial->databases[i], "todobackend_%zu_%zu", number,
                 i);
        snprintf(sql, sizeof sql, "CREATE OR REPLACE DATABASE %s CHARACTER SET utf8mb4",
                 trial->databases[i]);
        run_mysql(trial, "", sql);
    }
    trial->relay = relay_open("127.0.0.1", mariadb_port());
    return trial->relay && !trial->wrong[0];
}

static bool open_trial(struct trial *trial, const struct trial_fault *fault, size_t number)
{
    static const enum trial_kind of_items[TODOS] = {TRIAL_FETCH, TRIAL_REPLACE, TRIAL_CHANGE,
                                                    TRIAL_DELETE};

    trial->fault = fault;
    if (test_database == TEST_MYSQL && !open_mysql(trial, number))
        return CHECK(false, fault->name, "%s", trial->wrong);
    for (size_t i = 0; i < TRIAL_DATABASES; i++)
        if (!open_server(trial, i))
            return false;
    for (size_t i = 0; i < TODOS; i++) {
        trial->ids[of_items[i]] = create_todo(&trial->servers[0], "{\"title\":\"kept\"}");
        create_todo(&trial->servers[1], "{\"title\":\"kept\"}");
    }
    /* all their connections are open then */
    return CHECK_NUMBER(fault->name, "todos", TODOS, count_todos(&trial->servers[0])) &&
           CHECK_NUMBER(fault->name, "todos", TODOS, count_todos(&trial->servers[1]));
}

static void close_trial(struct trial *trial)
{
    for (size_t i = 0; i < TRIAL_DATABASES; i++)
        server_close(&trial->servers[i]);
    relay_close(trial->relay);
    for (size_t i = 0; i < TRIAL_KINDS; i++)
        client_response_release(&trial->requests[i].response);
}

/* ---- the checks ---- */

static bool says_not_known(const struct trial_request *request)
{
    const char *body = client_body(&request->response);

    return strstr(body, "may have been made");
}

/* Who is told to come again must not make a second one by that. */
static bool check_refusal(struct trial_request *request, const char *row)
{
    enum trial_answer wanted = request->trial->fault->wanted[request->kind];
    const char *body = client_body(&request->response);
    const char *again = client_header(&request->response, "Retry-After");
    bool is_change = forms[request->kind].is_change;
    bool is_unknown = is_change && says_not_known(request);

    if (is_unknown)
        return CHECK(wanted != NOTHING_CHANGED, row, "the outcome is known, and it says: %s",
                     body) &&
               CHECK(!again, row, "Retry-After of what may have been done");
    return CHECK(wanted != NOT_KNOWN, row, "the outcome can't be known, and it says: %s",
                 body) &&
           CHECK(again, row, "no Retry-After") &&
           CHECK(!is_change || strcasestr(body, "nothing was changed"), row,
                 "doesn't say that nothing was changed: %s", body) &&
           CHECK(request->effect == 0, row, "refused, and done: %s", body);
}

static bool check_service(struct trial_request *request, const char *row)
{
    bool is_read = request->kind == TRIAL_LIST || request->kind == TRIAL_FETCH;

    if (is_read)
        return CHECK_CONTAINS(row, "body", "\"kept\"", client_body(&request->response));
    return !forms[request->kind].is_change ||
           CHECK_NUMBER(row, "acknowledged, and how often it is done", 1, request->effect);
}

static void check_request(struct trial_request *request)
{
    const struct trial_fault *fault = request->trial->fault;
    const struct request_form *form = &forms[request->kind];
    int wanted = fault->wanted[request->kind] == SERVED ? form->status : 503;
    int status = request->response.status;
    bool good = true;
    char row[80];

    snprintf(row, sizeof row, "%s: %s", fault->name, form->name);
    good &= CHECK(status == wanted, row, "status: wanted %d, got %d %.200s", wanted, status,
                  client_body(&request->response));
    good &=
        CHECK(request->took < ANSWERED, row, "took %llu ms", (unsigned long long)request->took);
    good &= CHECK(request->effect == 0 || request->effect == 1, row, "done %ld times",
                  request->effect);
    if (status == form->status)
        good &= check_service(request, row);
    else if (status == 503)
        good &= check_refusal(request, row);
    request->failed = !good;
}

/* What it is, and not for each read; nothing where nobody was refused. */
static void check_log(const struct trial *trial)
{
    const char *wanted = trial->fault->log;
    struct buffer log = {0};
    struct buffer errors = {0};
    char *rest = NULL;
    int count = 0;

    server_read_log(&trial->servers[0], &log);
    for (const char *line = strtok_r(log.data, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        if (!strstr(line, "\"level\":\"error\""))
            continue;
        buffer_append_format(&errors, "\n        %s", line);
        count++;
    }
    CHECK(wanted ? count > 0 && count <= ERRORS_MOST && strstr(errors.data, wanted)
                 : count == 0,
          trial->fault->name, "errors in the log: wanted %s, got %d:%s",
          wanted ? wanted : "none", count, errors.data ? errors.data : "");
    buffer_release(&errors);
    buffer_release(&log);
}

static void check_trial(struct trial *trial)
{
    const char *row = trial->fault->name;

    CHECK(!trial->wrong[0], row, "%s", trial->wrong);
    for (size_t i = 0; i < TRIAL_KINDS; i++)
        check_request(&trial->requests[i]);
    CHECK_NUMBER(row, "todos afterwards",
                 TODOS + trial->requests[TRIAL_CREATE].effect -
                     trial->requests[TRIAL_DELETE].effect,
                 trial->total);
    CHECK(trial->came_back_in < COME_BACK, row, "came back only after %llu ms",
          (unsigned long long)trial->came_back_in);
    check_log(trial);
}

/* ---- the table ---- */

static void print_head(void)
{
    printf("\n\n%-26s", "fault");
    for (size_t i = 0; i < TRIAL_KINDS; i++)
        printf("%-11s", forms[i].name);
    printf("back after\n");
}

/* "503? 2.0": the status; "?" says that the outcome is not known, "+" that it was done; seconds
 * when they are a tenth at least; "!" where a check failed. */
static void print_trial(const struct trial *trial)
{
    printf("%-26s", trial->fault->name);
    for (size_t i = 0; i < TRIAL_KINDS; i++) {
        const struct trial_request *request = &trial->requests[i];
        bool is_refused = forms[i].is_change && request->response.status == 503;
        char seconds[16] = "";
        char cell[40];
        if (request->took >= 100)
            snprintf(seconds, sizeof seconds, " %.1f", (double)request->took / 1000);
        snprintf(cell, sizeof cell, "%d%s%s%s%s", request->response.status,
                 is_refused && says_not_known(request) ? "?" : "",
                 is_refused && request->effect > 0 ? "+" : "", seconds,
                 request->failed ? "!" : "");
        printf("%-11s", cell);
    }
    printf("%.1f s\n", (double)trial->came_back_in / 1000);
}

static void run_together(struct trial *trials, size_t count)
{
    pthread_t *threads = calloc(count + 1, sizeof *threads);

    if (!threads)
        abort();
    for (size_t i = 0; i < count; i++)
        if (!trials[i].fault->is_alone &&
            pthread_create(&threads[i], NULL, run_trial, &trials[i]) != 0)
            abort();
    for (size_t i = 0; i < count; i++)
        if (!trials[i].fault->is_alone)
            pthread_join(threads[i], NULL);
    free(threads);
}

/* TEST_FAULT: only those with this in their names. */
static bool is_chosen(const struct trial_fault *fault)
{
    const char *part = getenv("TEST_FAULT");

    return !part || strstr(fault->name, part);
}

void trials_run(const struct trial_fault *faults, size_t fault_count)
{
    struct trial *trials = calloc(fault_count + 1, sizeof *trials);
    bool are_open = true;
    size_t count = 0;

    if (!trials)
        abort();
    for (size_t i = 0; are_open && i < fault_count; i++)
        if (is_chosen(&faults[i]))
            are_open = open_trial(&trials[count++], &faults[i], i);
    if (are_open)
        run_together(trials, count);
    for (size_t i = 0; are_open && i < count; i++) {
        if (trials[i].fault->is_alone)
            run_trial(&trials[i]);
        check_trial(&trials[i]);
    }
    if (are_open)
        print_head();
    for (size_t i = 0; are_open && i < count; i++)
        print_trial(&trials[i]);
    for (size_t i = 0; i < count; i++)
        close_trial(&trials[i]);
    free(trials);
}
