/*
 * The lock of migrations on a Galera node, where GET_LOCK is none: `tests/run BUILD galera`
 * gives it one.
 */

#include "check.h"
#include "sandbox.h"
#include "suites.h"

#include "base/clock.h"
#include "schema/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS   8 /* at the same time */
#define ROUNDS 10

#define HELD "SELECT COUNT(*) FROM todobackend_migration_lock"

static const char *const migrate_words[] = {"migrate", NULL};

static void test_the_server_is_a_galera_node(void)
{
    struct sandbox sandbox;
    if (sandbox_open(&sandbox))
        CHECK_NUMBER("wsrep_on", "value", 1, ask_number(&sandbox, "SELECT @@wsrep_on"));
    sandbox_close(&sandbox);
}

static void test_of_concurrent_runs_one_has_the_lease(void)
{
    struct sandbox sandbox;
    for (unsigned round = 0; round < ROUNDS && sandbox_open(&sandbox); round++) {
        pid_t pids[RUNS];
        int count = 0;
        for (int i = 0; i < RUNS; i++)
            pids[i] = start_app(&sandbox, migrate_words, i);
        for (int i = 0; i < RUNS; i++) {
            finish_app(&sandbox, "migrate", pids[i], i, 0);
            count += strstr(text_of(&sandbox.result.out), " applied, ") != NULL;
        }
        CHECK_NUMBER("migrate", "runs that applied something", 1, count);
        CHECK_NUMBER("migrate", "leases left", 0, ask_number(&sandbox, HELD));
        run_app(&sandbox, "migrate", "migrate --check", 0);
        sandbox_close(&sandbox);
    }
}

/* While it counts up, it is left alone; then it is not. */
static void test_a_lease_is_taken_from_who_is_silent(void)
{
    static const char *const words[] = {"migrate", "--wait", "120", NULL};
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && run_app(&sandbox, "before", "migrate", 0)) {
        run_list(&sandbox, "DROP TABLE todo_todoitem; DELETE FROM todobackend_migrations;"
                           "DELETE FROM todobackend_migration_statements;"
                           "INSERT INTO todobackend_migration_lock VALUES (1, 'another', 7)");
        run_app(&sandbox, "held", "migrate --wait 2", 12);
        pid_t pid = start_app(&sandbox, words, 0);
        for (unsigned seconds = 0; seconds < LEASE_SECONDS + 10; seconds += 5) {
            clock_sleep(5000000);
            run_one(&sandbox, "UPDATE todobackend_migration_lock SET beats = beats + 1");
            CHECK_NUMBER("counted up", "exit status", -1, command_wait(pid, 0));
        }
        uint64_t silent = clock_now();
        finish_app(&sandbox, "silent", pid, 0, 0);
        CHECK(clock_now() - silent > (LEASE_SECONDS - 5) * UINT64_C(1000000), "silent",
              "taken after %llu ms", (unsigned long long)(clock_now() - silent) / 1000);
        db_session_close(&sandbox.session); /* the server has, by now */
        if (connect_to(&sandbox.session, &sandbox.config))
            CHECK_NUMBER("after", "leases left", 0, ask_number(&sandbox, HELD));
        run_app(&sandbox, "after", "migrate --check", 0);
    }
    sandbox_close(&sandbox);
}

static void count_tick(void *context)
{
    unsigned *ticks = context;
    ++*ticks;
}

static void test_a_long_statement_keeps_its_lease(void)
{
    static const struct db_session_wait wait = {.seconds = 10};
    struct db_session session = {0};
    struct error err = {0};
    struct sandbox sandbox;
    unsigned ticks = 0;
    if (sandbox_open(&sandbox) && connect_to(&session, &sandbox.config)) {
        bool good =
            db_session_lock(&session, &wait, &err) &&
            db_session_run_long(&session, "DO SLEEP(12)", "sleep", count_tick, &ticks, &err);
        CHECK(good, "long statement", "%s", err.text);
        CHECK(ticks >= 10, "long statement", "%u ticks", ticks);
        CHECK_NUMBER("long statement", "beats", 1,
                     ask_number(&sandbox, "SELECT beats BETWEEN 2 AND 4"
                                          " FROM todobackend_migration_lock"));
        CHECK(db_session_keep_lock(&session, &err), "kept", "%s", err.text);
        CHECK(db_session_unlock(&session, &err), "unlock", "%s", err.text);
        CHECK_NUMBER("after", "leases left", 0, ask_number(&sandbox, HELD));
    }
    db_session_close(&session);
    sandbox_close(&sandbox);
}

/* Held up at its first statement, and robbed there: it goes no further than that. */
static void test_a_run_without_its_lease_stops(void)
{
    struct db_session session = {0};
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && connect_to(&session, &sandbox.config) &&
        run_app(&sandbox, "before", "migrate", 0)) {
        run_list(&sandbox, "DELETE FROM todobackend_migrations; DROP TABLE todo_todoitem;"
                           "DELETE FROM todobackend_migration_statements;"
                           "LOCK TABLES todobackend_migration_statements READ");
        pid_t pid = start_app(&sandbox, migrate_words, 0);
        struct error err = {0};
        unsigned long waiting = 0;
        for (unsigned i = 0; i < 200 && waiting == 0; i++) {
            clock_sleep(20000);
            db_session_number(&session,
                              "SELECT COUNT(*) FROM information_schema.processlist"
                              " WHERE state LIKE 'Waiting for%' AND info LIKE"
                              " 'INSERT INTO todobackend_migration_statements%'",
                              "wait", &waiting, &err);
        }
        CHECK(waiting > 0, "held up", "it isn't: %s", err.text);
        CHECK(db_session_run(&session,
                             "UPDATE todobackend_migration_lock SET owner = 'another'", "rob",
                             &err),
              "rob", "%s", err.text);
        run_one(&sandbox, "UNLOCK TABLES");
        finish_app(&sandbox, "robbed", pid, 0, 12);
        CHECK_CONTAINS("robbed", "says", "another run has taken the lock",
                       text_of(&sandbox.result.err));
        CHECK_NUMBER("robbed", "statements done", 0,
                     ask_number(&sandbox, "SELECT COUNT(done_at)"
                                          " FROM todobackend_migration_statements"));
        CHECK_NUMBER("robbed", "leases of the other", 1, ask_number(&sandbox, HELD));
        run_one(&sandbox, "DELETE FROM todobackend_migration_lock");
        run_app(&sandbox, "goes on", "migrate", 0);
        run_app(&sandbox, "goes on", "migrate --check", 0);
    }
    db_session_close(&session);
    sandbox_close(&sandbox);
}

static bool connect_as_root(struct db_session *session, struct config *config)
{
    config->mysql_host = getenv("TEST_MYSQL_SOCKET");
    config->mysql_user = getenv("TEST_MYSQL_ROOT");
    config->mysql_password = "";
    return connect_to(session, config);
}

static void test_a_migration_of_one_node_is_refused(void)
{
    struct db_session root = {0};
    struct error err = {0};
    struct sandbox sandbox;
    if (sandbox_open(&sandbox) && connect_as_root(&root, &sandbox.config)) {
        CHECK(db_session_run(&root, "SET GLOBAL wsrep_OSU_method = 'RSU'", "set", &err), "RSU",
              "%s", err.text);
        run_app(&sandbox, "RSU", "migrate", 14);
        CHECK_CONTAINS("RSU", "says", "wsrep_OSU_method is RSU", text_of(&sandbox.result.err));
        CHECK(db_session_run(&root, "SET GLOBAL wsrep_OSU_method = 'TOI'", "set", &err), "TOI",
              "%s", err.text);
        run_app(&sandbox, "TOI", "migrate", 0);
    }
    db_session_close(&root);
    sandbox_close(&sandbox);
}

CU_TestInfo lease_tests[] = {
    TEST(test_the_server_is_a_galera_node),
    TEST(test_of_concurrent_runs_one_has_the_lease),
    TEST(test_a_lease_is_taken_from_who_is_silent),
    TEST(test_a_long_statement_keeps_its_lease),
    TEST(test_a_run_without_its_lease_stops),
    TEST(test_a_migration_of_one_node_is_refused),
    CU_TEST_INFO_NULL,
};
