#include "db/mysql_server.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/mysql.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAUSE         1000000U /* microseconds between differences within generations, */
#define PAUSE_DOUBLED 11U      /* at most so often: half an hour */

enum changes {
    CHANGES_UNKNOWN,
    CHANGES_TAKEN,
    CHANGES_REFUSED,
};

static struct {
    atomic_uint generation;
    _Atomic enum changes changes;
    pthread_mutex_t lock;                 /* of the rest */
    char name[DB_MYSQL_SERVER_NAME_SIZE]; /* of the server, "": not known yet */
    char tls[DB_MYSQL_TLS_SIZE];          /* how its connections are protected */
    unsigned named_in;                    /* the generation whose server that is */
    unsigned differences;                 /* within generations, in a row */
    uint64_t pause_end;                   /* clock_now() */
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* In the order of the name. */
static const char *const parts[] = {"hostname", "port", "server_id", "server_uuid",
                                    "server_uid"};
static const char names[] =
    "'hostname', 'port', 'server_id', 'server_uuid', 'server_uid', 'version',"
    " 'auto_increment_increment', 'max_allowed_packet'";

enum {
    PART_COUNT = sizeof(parts) / sizeof(parts[0]),
    PART_SIZE = 80,
};

struct answer {
    char parts[PART_COUNT][PART_SIZE];
    struct db_mysql_server *server;
};

static void take_variable(const char *name, const char *value, void *context)
{
    struct answer *answer = context;

    for (size_t i = 0; i < PART_COUNT; i++) {
        if (strcasecmp(name, parts[i]) == 0)
            db_mysql_line(value, answer->parts[i], PART_SIZE);
    }
    if (strcasecmp(name, "auto_increment_increment") == 0)
        answer->server->increment = (uint32_t)strtoul(value, NULL, 10);
    else if (strcasecmp(name, "max_allowed_packet") == 0)
        answer->server->packet = strtoul(value, NULL, 10);
    else if (strcasecmp(name, "version") == 0)
        snprintf(answer->server->version, sizeof(answer->server->version), "%s", value);
}

bool db_mysql_server_ask(MYSQL *connection, struct db_mysql_server *server, struct error *err)
{
    struct answer answer = {.server = server};

    *server = (struct db_mysql_server){.increment = 1, .packet = SIZE_MAX};
    if (!db_mysql_read_variables(connection, names, take_variable, &answer, err))
        return false;
    /* MySQL has a server_uuid, newer versions of MariaDB a server_uid */
    snprintf(server->name, sizeof(server->name), "%.64s:%.5s (server_id %.10s%s%.40s%s%.40s)",
             answer.parts[0], answer.parts[1], answer.parts[2], answer.parts[3][0] ? ", " : "",
             answer.parts[3], answer.parts[4][0] ? ", " : "", answer.parts[4]);
    return true;
}

unsigned db_mysql_server_generation(void)
{
    return atomic_load(&known.generation);
}

/* However many learn it: the connections of a generation are judged once. */
static bool advance(unsigned generation)
{
    return atomic_compare_exchange_strong(&known.generation, &generation, generation + 1);
}

void db_mysql_server_lost(unsigned generation)
{
    advance(generation);
}

/* With the lock held. */
static void tell_server(const char *name, const char *tls)
{
    if (!known.name[0])
        log_message(CONFIG_LOG_INFO, "the database server answers: %s; %s", name, tls);
    else if (strcmp(known.name, name) != 0)
        log_message(CONFIG_LOG_WARNING,
                    "another database server answers: %s; %s; and no longer %s", name, tls,
                    known.name);
    else if (strcmp(known.tls, tls) != 0)
        log_message(CONFIG_LOG_WARNING, "the database server answers with %s, and before: %s",
                    tls, known.tls);
    snprintf(known.name, sizeof(known.name), "%s", name);
    snprintf(known.tls, sizeof(known.tls), "%s", tls);
}

/* With the lock held. */
static void begin_pause(uint64_t now)
{
    if (now > known.pause_end + ((uint64_t)PAUSE << PAUSE_DOUBLED))
        known.differences = 0;
    known.pause_end = now + ((uint64_t)PAUSE << known.differences);
    if (known.differences < PAUSE_DOUBLED)
        known.differences++;
}

/* With the lock held, for a connection that is not outdated already. */
static unsigned compare_name(const char *name, const char *tls, unsigned generation,
                             uint64_t *again_at)
{
    uint64_t now = clock_now();
    bool is_same = strcmp(known.name, name) == 0;

    if (generation == known.named_in && known.name[0] && !is_same) {
        if (now < known.pause_end) {
            *again_at = known.pause_end;
            return generation;
        }
        if (!advance(generation))
            return generation;
        begin_pause(now);
        generation++;
    }
    tell_server(name, tls);
    known.named_in = generation;
    return generation;
}

unsigned db_mysql_server_reached(const char *name, const char *tls, unsigned generation,
                                 uint64_t *again_at)
{
    *again_at = UINT64_MAX;
    pthread_mutex_lock(&known.lock);
    if (generation == db_mysql_server_generation())
        generation = compare_name(name, tls, generation, again_at);
    pthread_mutex_unlock(&known.lock);
    return generation;
}

void db_mysql_server_took_change(bool is_taken, unsigned generation)
{
    enum changes now = is_taken ? CHANGES_TAKEN : CHANGES_REFUSED;
    enum changes before = atomic_load(&known.changes);

    if (before == now)
        return;
    before = atomic_exchange(&known.changes, now);
    if (before != now && !(is_taken && before == CHANGES_UNKNOWN))
        advance(generation);
}
