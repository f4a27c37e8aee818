/*
 * Each fault that a database can have, and each kind of request under it (trial.h). Run on
 * demand: `make faults`.
 */

#include "base/clock.h"
#include "check.h"
#include "suites.h"
#include "trial.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define OUT_OF_REACH "\"level\":\"error\",\"message\":\"the database is out of reach: "

/* ---- on MariaDB ---- */

static MYSQL *open_session(struct trial *trial)
{
    MYSQL *session = mariadb_open_root(NULL);
    if (!session)
        trial_note(trial, "root's session");
    trial->sessions[0] = session;
    return session;
}

static void run_in_session(struct trial *trial, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void run_in_session(struct trial *trial, const char *format, ...)
{
    MYSQL *session = trial->sessions[0];
    char sql[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    if (!session)
        return;
    if (mysql_query(session, sql) != 0)
        trial_note(trial, mysql_error(session));
    mysql_free_result(mysql_store_result(session));
}

static void close_sessions(struct trial *trial)
{
    for (size_t i = 0; i < COUNT(trial->sessions); i++)
        if (trial->sessions[i])
            mysql_close(trial->sessions[i]);
}

static void kill_connections(struct trial *trial)
{
    trial_sql(trial, 0, "KILL CONNECTION USER %s", trial->user);
}

static void lock_row(struct trial *trial)
{
    open_session(trial);
    run_in_session(trial, "BEGIN");
    run_in_session(trial, "SELECT id FROM %s.todo_todoitem WHERE id = %u FOR UPDATE",
                   trial->databases[0], trial->ids[TRIAL_CHANGE]);
    run_in_session(trial, "SELECT id FROM %s.todo_todoitem WHERE id = %u FOR UPDATE",
                   trial->databases[1], trial->ids[TRIAL_CHANGE]);
}

/* Two rows, always in the order that the program doesn't take. */
static void *lock_backwards(void *context)
{
    struct trial *trial = context;
    while (!trial->is_over) {
        run_in_session(trial, "BEGIN");
        for (int i = 0; i < 2; i++) {
            MYSQL *session = trial->sessions[0];
            char sql[200];
            snprintf(sql, sizeof sql,
                     "UPDATE %s.todo_todoitem SET `order` = `order` + 1 WHERE id = %u",
                     trial->databases[0], trial->ids[i == 0 ? TRIAL_CHANGE : TRIAL_REPLACE]);
            if (mysql_query(session, sql) != 0)
                break; /* it lost */
            clock_sleep(5000);
        }
        run_in_session(trial, "COMMIT");
    }
    mysql_thread_end();
    return NULL;
}

static void change_all_the_time(struct trial *trial, enum trial_kind kind)
{
    struct client_response response = {0};
    while (!trial->is_over) {
        if (patch_todo(&trial->servers[0], trial->ids[kind], "{\"completed\":true}",
                       &response) != 200)
            trial_note(trial, "a change was refused");
        clock_sleep(1000);
    }
    client_response_release(&response);
}

static void *change_one(void *context)
{
    change_all_the_time(context, TRIAL_CHANGE);
    return NULL;
}

static void *change_other(void *context)
{
    change_all_the_time(context, TRIAL_REPLACE);
    return NULL;
}

static long deadlocks(struct trial *trial)
{
    return trial_sql(trial, 0,
                     "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
                     " WHERE VARIABLE_NAME = 'INNODB_DEADLOCKS'");
}

static void begin_deadlocks(struct trial *trial)
{
    static void *(*const stirrers[TRIAL_STIRRERS])(void *) = {lock_backwards, change_one,
                                                              change_other};
    trial->number = deadlocks(trial);
    if (!open_session(trial))
        return;
    for (size_t i = 0; i < TRIAL_STIRRERS; i++)
        if (pthread_create(&trial->stirrers[i], NULL, stirrers[i], trial) != 0)
            abort();
    clock_sleep(100000);
}

static void end_deadlocks(struct trial *trial)
{
    trial->is_over = true;
    for (size_t i = 0; trial->sessions[0] && i < TRIAL_STIRRERS; i++)
        pthread_join(trial->stirrers[i], NULL);
    if (deadlocks(trial) == trial->number)
        trial_note(trial, "no deadlock came");
    close_sessions(trial);
}

static void change_password(struct trial *trial)
{
    trial_sql(trial, 0, "ALTER USER %s IDENTIFIED BY 'another'", trial->user);
    kill_connections(trial);
}

static void restore_password(struct trial *trial)
{
    trial_sql(trial, 0, "ALTER USER %s IDENTIFIED BY '%s'", trial->user,
              getenv("MYSQL_PASSWORD"));
}

/* 10 is the least that it takes; root has one more, and has it. */
static void take_all_connections(struct trial *trial)
{
    open_session(trial);
    run_in_session(trial, "SET GLOBAL max_connections = 10");
    run_in_session(trial, "KILL CONNECTION USER %s", trial->user);
    for (size_t i = 1; i < COUNT(trial->sessions); i++) {
        MYSQL *session = mysql_init(NULL);
        trial->sessions[i] = session;
        if (!mysql_real_connect(session, getenv("MYSQL_HOST"), getenv("MYSQL_USER"),
                                getenv("MYSQL_PASSWORD"), NULL, mariadb_port(), NULL, 0))
            return;
    }
    trial_note(trial, "there are connections left");
}

static void give_connections_back(struct trial *trial)
{
    run_in_session(trial, "SET GLOBAL max_connections = 151");
    close_sessions(trial);
}

static void make_read_only(struct trial *trial)
{
    trial_sql(trial, 0, "SET GLOBAL read_only = 1");
}

static void make_writable(struct trial *trial)
{
    trial_sql(trial, 0, "SET GLOBAL read_only = 0");
}

static void run_command(struct trial *trial, const char *variable)
{
    if (!mariadb_command(variable))
        trial_note(trial, variable);
}

static void stop_mariadb(struct trial *trial)
{
    run_command(trial, "TEST_MYSQL_STOP");
}

static void kill_mariadb(struct trial *trial)
{
    run_command(trial, "TEST_MYSQL_KILL");
}

static void start_mariadb(struct trial *trial)
{
    run_command(trial, "TEST_MYSQL_RESTART");
}

static void halt_mariadb(struct trial *trial)
{
    if (!mariadb_halt())
        trial_note(trial, "the signal");
}

static void continue_mariadb(struct trial *trial)
{
    pid_t pid = mariadb_pid();
    if (pid <= 0 || kill(pid, SIGCONT) != 0)
        trial_note(trial, "the signal");
}

#define ALL_SERVED  TRIAL_ANSWERS(SERVED, SERVED, SERVED)
#define ALL_REFUSED TRIAL_ANSWERS(NOTHING_CHANGED, NOTHING_CHANGED, REFUSED)
#define NO_CHANGES  TRIAL_ANSWERS(SERVED, NOTHING_CHANGED, REFUSED)

/* Triggers don't see a probe of /readyz, which touches no row, but where it tries for room. */
#define CHANGES_REFUSED TRIAL_ANSWERS(SERVED, NOTHING_CHANGED, SERVED)

/* What is silent may be silent before or after the change. */
#define ALL_SILENT TRIAL_ANSWERS(REFUSED, REFUSED, REFUSED)

#define CANNOT_CONNECT OUT_OF_REACH "cannot connect to MySQL at "

/* The formatter would give each member a line of its own. */
/* clang-format off */
static const struct trial_fault mysql_faults[] = {
    {.name = "100 ms away", .wanted = ALL_SERVED, .rule = {.delay = 50000}},
    {.name = "jitter of 0 to 100 ms", .wanted = ALL_SERVED, .rule = {.jitter = 50000}},
    {.name = "bytes one by one", .wanted = ALL_SERVED, .rule = {.fault = RELAY_TRICKLE}},
    {.name = "connections reset",
     .wanted = ALL_REFUSED,
     .log = CANNOT_CONNECT,
     .rule = {.fault = RELAY_RESET}},
    {.name = "silence",
     .wanted = ALL_SILENT,
     .log = OUT_OF_REACH,
     .rule = {.fault = RELAY_SILENCE}},
    {.name = "cut within a query",
     .wanted = ALL_REFUSED,
     .log = OUT_OF_REACH,
     .rule = {.fault = RELAY_CUT_QUERY}},
    {.name = "cut within an answer",
     .wanted = ALL_REFUSED,
     .log = OUT_OF_REACH,
     .rule = {.fault = RELAY_CUT_ANSWER}},
    {.name = "cut before COMMIT",
     .wanted = TRIAL_ANSWERS(SERVED, NOT_KNOWN, SERVED),
     .log = "\"cannot commit: ",
     .rule = {.fault = RELAY_CUT_COMMIT}},
    {.name = "cut after COMMIT",
     .wanted = TRIAL_ANSWERS(SERVED, NOT_KNOWN, SERVED),
     .log = "\"cannot commit: ",
     .rule = {.fault = RELAY_CUT_COMMITTED}},
    {.name = "silence before COMMIT",
     .wanted = TRIAL_ANSWERS(SERVED, REFUSED, SERVED),
     .log = "\"cannot commit: ",
     .rule = {.fault = RELAY_SILENCE_COMMIT}},
    {.name = "silence after COMMIT",
     .wanted = TRIAL_ANSWERS(SERVED, REFUSED, SERVED),
     .log = "\"cannot commit: ",
     .rule = {.fault = RELAY_SILENCE_COMMITTED}},
    {.name = "connections killed", .wanted = ALL_SERVED, .begin = kill_connections},
    {.name = "a row locked",
     .wanted = {[TRIAL_CHANGE] = NOTHING_CHANGED, [TRIAL_CLEAR] = NOTHING_CHANGED},
     .begin = lock_row,
     .end = close_sessions},
    {.name = "deadlocks",
     .wanted = ALL_SERVED,
     .is_alone = true,
     .begin = begin_deadlocks,
     .end = end_deadlocks},
    {.name = "password changed",
     .wanted = ALL_REFUSED,
     .log = CANNOT_CONNECT,
     .begin = change_password,
     .end = restore_password},
    {.name = "disk full (1021)", .wanted = NO_CHANGES, .log = "error 1021", .error = 1021},
    {.name = "table full (1114)", .wanted = NO_CHANGES, .log = "error 1114", .error = 1114},
    {.name = "table read-only (1036)", .wanted = CHANGES_REFUSED, .log = "error 1036", .error = 1036},
    {.name = "InnoDB read-only (1874)", .wanted = CHANGES_REFUSED, .log = "error 1874", .error = 1874},
    {.name = "quota used up (1226)", .wanted = CHANGES_REFUSED, .log = "error 1226", .error = 1226},
    {.name = "statement time (1969)", .wanted = CHANGES_REFUSED, .log = "error 1969", .error = 1969},
    {.name = "statement time (3024)", .wanted = CHANGES_REFUSED, .log = "error 3024", .error = 3024},
    {.name = "too many connections",
     .wanted = ALL_REFUSED,
     .log = "Too many connections",
     .is_alone = true,
     .begin = take_all_connections,
     .end = give_connections_back},
    {.name = "read-only",
     .wanted = NO_CHANGES,
     .log = "(MySQL error 1290)",
     .is_alone = true,
     .begin = make_read_only,
     .end = make_writable},
    {.name = "halted",
     .wanted = ALL_SILENT,
     .log = OUT_OF_REACH,
     .is_alone = true,
     .begin = halt_mariadb,
     .end = continue_mariadb},
    {.name = "stopped, started",
     .wanted = ALL_REFUSED,
     .log = CANNOT_CONNECT,
     .is_alone = true,
     .begin = stop_mariadb,
     .end = start_mariadb},
    {.name = "killed, started",
     .wanted = ALL_REFUSED,
     .log = CANNOT_CONNECT,
     .is_alone = true,
     .begin = kill_mariadb,
     .end = start_mariadb},
};
/* clang-format on */

/* ---- on SQLite ---- */

static void set_file_limit(struct trial *trial, rlim_t size)
{
    for (size_t i = 0; i < TRIAL_DATABASES; i++) {
        struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};
        if (prlimit(trial->servers[i].pid, RLIMIT_FSIZE, &limit, NULL) != 0)
            trial_note(trial, "prlimit");
    }
}

static void limit_files(struct trial *trial)
{
    set_file_limit(trial, 4096);
}

static void free_files(struct trial *trial)
{
    set_file_limit(trial, RLIM_INFINITY);
}

static void lock_files(struct trial *trial)
{
    for (size_t i = 0; i < TRIAL_DATABASES; i++) {
        sqlite3 *session = NULL;
        char path[300];
        trial_path(trial, i, path, sizeof path);
        if (sqlite3_open(path, &session) != SQLITE_OK ||
            sqlite3_exec(session, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
            trial_note(trial, "the lock");
        trial->sessions[i] = session;
    }
}

static void unlock_files(struct trial *trial)
{
    for (size_t i = 0; i < TRIAL_DATABASES; i++)
        sqlite3_close(trial->sessions[i]);
}

static void move_files(struct trial *trial, bool back)
{
    for (size_t i = 0; i < TRIAL_DATABASES; i++) {
        char path[300];
        char aside[320];
        trial_path(trial, i, path, sizeof path);
        snprintf(aside, sizeof aside, "%s.aside", path);
        if (rename(back ? aside : path, back ? path : aside) != 0)
            trial_note(trial, "rename");
    }
}

static void remove_files(struct trial *trial)
{
    move_files(trial, false);
}

static void put_files_back(struct trial *trial)
{
    move_files(trial, true);
}

static void replace_files(struct trial *trial)
{
    remove_files(trial);
    for (size_t i = 0; i < TRIAL_DATABASES; i++) {
        char path[300];
        trial_path(trial, i, path, sizeof path);
        if (!file_write(path, "not a database"))
            trial_note(trial, "another file");
    }
}

/* clang-format off */
static const struct trial_fault sqlite_faults[] = {
    /* what fails is the log's growth: SQLite calls it an I/O error */
    {.name = "files can't grow",
     .wanted = TRIAL_ANSWERS(SERVED, REFUSED, REFUSED),
     .log = "disk I/O error",
     .begin = limit_files,
     .end = free_files},
    {.name = "locked by another",
     .wanted = NO_CHANGES,
     .log = OUT_OF_REACH,
     .begin = lock_files,
     .end = unlock_files},
    {.name = "file removed",
     .wanted = ALL_REFUSED,
     .log = "was deleted or replaced",
     .begin = remove_files,
     .end = put_files_back},
    {.name = "file replaced",
     .wanted = ALL_REFUSED,
     .log = "was deleted or replaced",
     .begin = replace_files,
     .end = put_files_back},
};
/* clang-format on */

static void test_each_fault_and_each_request(void)
{
    signal(SIGXFSZ, SIG_IGN); /* the servers', too */
    if (test_database == TEST_MYSQL)
        trials_run(mysql_faults, COUNT(mysql_faults));
    else
        trials_run(sqlite_faults, COUNT(sqlite_faults));
}

CU_TestInfo faults_tests[] = {
    TEST(test_each_fault_and_each_request),
    CU_TEST_INFO_NULL,
};
