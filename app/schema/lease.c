#include "schema/lease.h"

#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define SECOND       1000000 /* microseconds */
#define BEAT_SECONDS 5
#define TRIES        3

static const char exists_sql[] = "SELECT 1 FROM information_schema.tables"
                                 " WHERE table_schema = DATABASE()"
                                 " AND table_name = 'todobackend_migration_lock'";
static const char make_sql[] = "CREATE TABLE IF NOT EXISTS todobackend_migration_lock ("
                               " id int NOT NULL PRIMARY KEY,"
                               " owner varchar(36) NOT NULL,"
                               " beats bigint NOT NULL) ENGINE = InnoDB";
static const char owner_sql[] = "SELECT UUID()";
static const char holder_sql[] =
    "SELECT owner, beats FROM todobackend_migration_lock WHERE id = 1";
static const char doing[] = "lock the schema";

/* Columns of the first row, cut to what there is room for; *count is how many rows there are.
 */
static bool ask(MYSQL *connection, const char *sql, struct lease_holder *row, unsigned *count,
                struct error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW columns;

    *count = 0;
    if (mysql_real_query(connection, sql, (unsigned long)strlen(sql)) == 0)
        result = mysql_store_result(connection);
    if (!result)
        return db_mysql_fail(connection, doing, err);
    while ((columns = mysql_fetch_row(result)) && (*count)++ == 0) {
        snprintf(row->owner, sizeof(row->owner), "%s", columns[0] ? columns[0] : "");
        if (mysql_num_fields(result) > 1)
            snprintf(row->beats, sizeof(row->beats), "%s", columns[1] ? columns[1] : "");
    }
    mysql_free_result(result);
    return true;
}

static bool run(MYSQL *connection, const char *sql, struct error *err)
{
    return db_mysql_run(connection, sql, strlen(sql), doing, err);
}

static bool prepare(struct lease *lease, MYSQL *connection, struct error *err)
{
    struct lease_holder row = {.owner = ""};
    unsigned count = 0;

    if (lease->is_made)
        return true;
    if (!ask(connection, owner_sql, &row, &count, err))
        return false;
    memcpy(lease->owner, row.owner, sizeof(lease->owner));
    if (!ask(connection, exists_sql, &row, &count, err) ||
        (count == 0 && !run(connection, make_sql, err)))
        return false;
    lease->is_made = true;
    return true;
}

/* A conflict with another node's change means that the other was first. */
static bool run_or_lose(MYSQL *connection, const char *sql, struct error *err)
{
    struct error cause = {0};

    return run(connection, sql, &cause) || cause.code == ERROR_CONFLICT ||
           error_set(err, cause.code, "%s", cause.text);
}

/* Takes it away from a holder that has not counted up for long. */
static bool watch(struct lease *lease, MYSQL *connection, const struct lease_holder *holder,
                  struct error *err)
{
    uint64_t now = clock_now();
    char sql[192];

    if (strcmp(holder->owner, lease->seen.owner) != 0 ||
        strcmp(holder->beats, lease->seen.beats) != 0) {
        lease->seen = *holder;
        lease->since = now;
    }
    if (now - lease->since < (uint64_t)LEASE_SECONDS * SECOND)
        return true;
    snprintf(sql, sizeof(sql),
             "DELETE FROM todobackend_migration_lock WHERE id = 1 AND owner = '%s'"
             " AND beats = %s",
             holder->owner, holder->beats);
    return run_or_lose(connection, sql, err);
}

/* Who has it; "" for nobody. */
static bool find_holder(MYSQL *connection, struct lease_holder *holder, struct error *err)
{
    unsigned count = 0;

    *holder = (struct lease_holder){.owner = ""};
    return ask(connection, holder_sql, holder, &count, err);
}

bool lease_take(struct lease *lease, MYSQL *connection, struct error *err)
{
    struct lease_holder holder;
    char sql[128];

    if (!prepare(lease, connection, err) || !find_holder(connection, &holder, err))
        return false;
    if (!holder.owner[0]) {
        snprintf(sql, sizeof(sql),
                 "INSERT IGNORE INTO todobackend_migration_lock VALUES (1, '%s', 0)",
                 lease->owner);
        if (!run_or_lose(connection, sql, err) || !find_holder(connection, &holder, err))
            return false;
    }
    if (strcmp(holder.owner, lease->owner) == 0)
        return true;
    if (holder.owner[0] && !watch(lease, connection, &holder, err))
        return false;
    clock_sleep(SECOND);
    return error_set(err, ERROR_LOCKED,
                     "another `app migrate` or `app seed` is at work, or ended without giving"
                     " its lock back");
}

static void write_beat(const struct lease *lease, char *sql, size_t size)
{
    snprintf(sql, size,
             "UPDATE todobackend_migration_lock SET beats = beats + 1"
             " WHERE id = 1 AND owner = '%s'",
             lease->owner);
}

/* Against whoever is at the row, our own beater too. */
static bool run_patiently(MYSQL *connection, const char *sql, struct error *err)
{
    for (unsigned tries = 1; !run(connection, sql, err); tries++) {
        if (err->code != ERROR_CONFLICT || tries == TRIES)
            return false;
        *err = (struct error){0};
    }
    return true;
}

bool lease_keep(const struct lease *lease, MYSQL *connection, struct error *err)
{
    char sql[128];

    write_beat(lease, sql, sizeof(sql));
    if (!run_patiently(connection, sql, err))
        return false;
    return mysql_affected_rows(connection) == 1 ||
           error_set(err, ERROR_LOCKED,
                     "another run has taken the lock: this one was silent for too long");
}

static void drop_beater(struct lease *lease)
{
    db_mysql_close(lease->beater);
    lease->beater = NULL;
    lease->is_asked = false;
}

static bool is_answered(MYSQL *connection)
{
    struct pollfd answer = {.fd = db_mysql_socket(connection), .events = POLLIN};

    return poll(&answer, 1, 0) != 0;
}

void lease_beat(struct lease *lease)
{
    struct error ignored = {0};
    char sql[128];

    if (lease->is_asked && is_answered(lease->beater)) {
        lease->is_asked = false;
        if (mysql_read_query_result(lease->beater) != 0)
            drop_beater(lease);
    }
    if (lease->is_asked || clock_now() - lease->beat < (uint64_t)BEAT_SECONDS * SECOND)
        return;
    lease->beat = clock_now();
    if (!lease->beater)
        lease->beater = db_mysql_open(lease->config, BEAT_SECONDS, &ignored);
    if (!lease->beater)
        return;
    write_beat(lease, sql, sizeof(sql));
    lease->is_asked = mysql_send_query(lease->beater, sql, (unsigned long)strlen(sql)) == 0;
    if (!lease->is_asked)
        drop_beater(lease);
}

bool lease_give(const struct lease *lease, MYSQL *connection, struct error *err)
{
    char sql[128];

    snprintf(sql, sizeof(sql),
             "DELETE FROM todobackend_migration_lock WHERE id = 1 AND owner = '%s'",
             lease->owner);
    return run_patiently(connection, sql, err);
}

void lease_end(struct lease *lease)
{
    drop_beater(lease);
}
