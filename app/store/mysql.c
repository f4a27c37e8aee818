#include "store/mysql.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/text.h"
#include "db/mysql.h"
#include "db/mysql_server.h"
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORGET_MOST 500 /* keys, see store_forget_keys */

/* Values are numbers printed by us, or texts quoted by the connector on the very connection
 * that the statement is sent on: most statements are of many rows, which can't be bound one by
 * one. A writer sends several statements in one trip; a reader's connection refuses that.
 * What locks rows goes by their ids: of a small table MariaDB 11 would rather read all rows,
 * and wait for those that others have locked. */
static const char list_sql[] =
    "SELECT id, title, completed, `order`, url FROM todo_todoitem ORDER BY id";
/* Only so does a lock keep new rows out. For one transaction; not within one. */
static const char lock_gaps_sql[] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
static const char list_for_update_sql[] =
    "SELECT id, title, completed, `order`, url FROM todo_todoitem FORCE INDEX (PRIMARY)"
    " ORDER BY id FOR UPDATE";
static const char nowait_sql[] = " NOWAIT";
#define FETCH_SQL     "SELECT id, title, completed, `order`, url FROM todo_todoitem WHERE id IN ("
#define FETCH_END_SQL ") ORDER BY id"
static const char load_sql[] = "SELECT id, title, completed, `order`, url FROM todo_todoitem"
                               " FORCE INDEX (PRIMARY) WHERE id IN (";
/* The same, which waits for locks for 30 ms; once for MariaDB and once for MySQL. */
static const char load_waiting_sql[] =
    "/*M!100102 SET STATEMENT max_statement_time = 0.03 FOR */"
    "SELECT /*+ MAX_EXECUTION_TIME(30) */ id, title, completed, `order`, url"
    " FROM todo_todoitem FORCE INDEX (PRIMARY) WHERE id IN (";
static const char load_end_sql[] = ") ORDER BY id FOR UPDATE";
static const char load_nowait_end_sql[] = ") ORDER BY id FOR UPDATE NOWAIT";
#define INSERT_SQL "INSERT INTO todo_todoitem (title, completed, `order`, url) VALUES "
/* Sent behind the INSERT: the id is known only now. No host name holds a brace: what has one is
 * ours, and a row that another node of a cluster has put at an id that we expected is not. */
static const char set_url_sql[] =
    ";UPDATE todo_todoitem FORCE INDEX (PRIMARY) SET url = REPLACE(url, '{id}', id)"
    " WHERE INSTR(url, '{id}') > 0 AND id IN (";
/* Of one todo: SET title = 'a', ...; of many: SET title = CASE id WHEN 1 THEN 'a' WHEN 2 THEN
 * 'b' END, ... */
#define UPDATE_SQL     "UPDATE todo_todoitem FORCE INDEX (PRIMARY) SET "
#define UPDATE_END_SQL " WHERE id IN ("
/* One each: DELETE takes no index hint. */
#define DELETE_SQL "DELETE FROM todo_todoitem WHERE id = "
static const char clear_sql[] = "DELETE FROM todo_todoitem";
/* Goes before it: DELETE knows no NOWAIT. */
static const char lock_all_sql[] =
    "SELECT COUNT(title) FROM todo_todoitem FORCE INDEX (PRIMARY) FOR UPDATE NOWAIT";
/* All that changes are made of, for a todo that there can't be: refused like a change, by the
 * server or for lack of rights, but nothing is written. */
static const char check_sql[] =
    "UPDATE todo_todoitem FORCE INDEX (PRIMARY) SET completed = 0 WHERE id = 0;"
    "DELETE FROM todo_todoitem WHERE id = 0;"
    "INSERT INTO todo_todoitem (title, completed, `order`, url)"
    " SELECT title, completed, `order`, url FROM todo_todoitem FORCE INDEX (PRIMARY)"
    " WHERE id = 0";
/* Besides, after a change found no room: room for a todo. The id moves no AUTO_INCREMENT. */
static const char fill_sql[] = ";INSERT INTO todo_todoitem (id, title, completed)"
                               " VALUES (-1, REPEAT('x', 256), 0);"
                               "DELETE FROM todo_todoitem WHERE id = -1";
static const char commit_sql[] = "COMMIT";
static const char insert_keys_sql[] =
    "INSERT INTO todobackend_idempotency_keys"
    " (idempotency_key, fingerprint, todo_ids, created_at) VALUES ";
#define OLD_KEYS "created_at <= UTC_TIMESTAMP() - INTERVAL 24 HOUR"
static const char delete_keys_sql[] =
    "DELETE FROM todobackend_idempotency_keys WHERE " OLD_KEYS " AND idempotency_key IN (";
static const char find_keys_sql[] =
    "SELECT idempotency_key, fingerprint, todo_ids, " OLD_KEYS
    " FROM todobackend_idempotency_keys WHERE idempotency_key IN (";
/* Of the next transaction: it sees what others are about to insert. */
static const char read_uncommitted_sql[] = "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED";
static const char forget_keys_sql[] = "DELETE FROM todobackend_idempotency_keys WHERE " OLD_KEYS
                                      " ORDER BY created_at LIMIT " TEXT_OF(FORGET_MOST);
/* For what knows no NOWAIT: an INSERT, and MySQL 5.7. */
static const char lock_wait_sql[] = "SET SESSION innodb_lock_wait_timeout = 1";

/* Bytes that one takes in a statement, at most. The server refuses a larger packet than its
 * max_allowed_packet. */
#define PACKET_RESERVE (1024 + sizeof(UPDATE_SQL)) /* what statements begin and end with */
#define ID_SIZE        24
#define COMMENT_SIZE   80
#define DELETE_SIZE    (sizeof(DELETE_SQL) + ID_SIZE + COMMENT_SIZE)
#define UPDATE_SIZE    (2 * TODO_TITLE_SIZE + 512)
#define INSERT_SIZE    (2 * TODO_TITLE_SIZE + 1024) /* with its url, quoted */

#define KEY_SIZE (2 * TODO_KEY_MAX + 128) /* without its ids */

#define RECONNECT_PAUSE      100000U   /* microseconds, doubled with each failure, */
#define RECONNECT_PAUSE_MOST 2000000U  /* up to this */
#define RENEWAL_PAUSE        60000000U /* microseconds, see renew */
#define NO_ROOM_PAUSE        2000000U  /* microseconds, see store_check */
#define FORGET_PAUSE         60000000U /* microseconds, see store_forget_keys, */
#define FORGET_MORE_PAUSE    200000U   /* and when there are more of them */

struct todo_store {
    const struct config *config;
    MYSQL *connection;   /* NULL: to be opened */
    bool has_connected;  /* once */
    unsigned generation; /* db/mysql_server.h */
    uint64_t renew_at;   /* clock_now(), when the connection is of age */
    unsigned failures;   /* of connecting, in a row */
    uint64_t retry_at;   /* not before this time (clock_now): till then, the same refusal */
    struct error refusal;
    uint64_t no_room_at; /* clock_now() of the last failure; 0: none since a success */
    struct error no_room;
    uint32_t increment; /* of ids within one INSERT: 3 on a Galera cluster of three */
    size_t packet;      /* bytes of one at most */
    bool has_nowait;
    bool waits;      /* for locks, a little, within this transaction */
    bool is_waiting; /* within the statement that does */
    bool autocommit;
    enum db_mysql_cause cause; /* of the last failure */
    const char *traceparent;   /* for comments, or NULL: see end_statement */
    struct buffer sql;         /* what is to be sent next: */
    size_t statements;         /* so many changes before a COMMIT, */
    size_t key_statements;     /* the first of which insert keys */
    size_t done;               /* statements of what was sent last that went well */
    size_t keys_sent;          /* key_statements of what was sent last */
    uint64_t forget_at;        /* clock_now(), see store_forget_keys */
};

static void disconnect(struct todo_store *store)
{
    if (store->connection)
        metrics_add(METRICS_DB_CONNECTIONS, (uint64_t)-1);
    db_mysql_close(store->connection);
    store->connection = NULL;
}

/* What the failure tells about the server, all connections are told. */
static bool fail(struct todo_store *store, const char *doing, struct error *err)
{
    struct error cause = {0};

    store->cause = db_mysql_cause(store->connection);
    db_mysql_fail(store->connection, doing, &cause);
    if (store->cause == DB_MYSQL_LOST || store->cause == DB_MYSQL_TLS)
        db_mysql_server_lost(store->generation);
    else if (store->cause == DB_MYSQL_READ_ONLY)
        db_mysql_server_took_change(false, store->generation);
    if (store->cause == DB_MYSQL_TIME && store->is_waiting)
        cause.code = ERROR_CONFLICT;
    if (cause.code == ERROR_UNAVAILABLE || store->cause == DB_MYSQL_PACKET)
        disconnect(store); /* after too large a packet, the server may end it, too */
    if (store->cause == DB_MYSQL_NO_ROOM) {
        store->no_room = cause;
        store->no_room_at = clock_now();
    }
    return error_set(err, cause.code, "%s", cause.text);
}

/* MySQL 8 and MariaDB 10.3 know it: "8.4.3", "10.11.6-MariaDB-..." */
static bool knows_nowait(const char *version)
{
    char *rest = NULL;
    unsigned long major = strtoul(version, &rest, 10);
    unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 0;

    return major >= 8 && !(major == 10 && minor < 3);
}

/* Most of the greatest age: connections that were made together shall not end together. */
static uint64_t renewal_time(const struct config *config)
{
    uint64_t fifth = (uint64_t)config->db_connection_age * 1000000 / 5;

    return fifth > 0 ? clock_now() + 3 * fifth + clock_backoff(0, 2 * fifth, 2 * fifth)
                     : UINT64_MAX;
}

/* Takes the place of the connection that there was. */
static bool open_connection(struct todo_store *store, struct error *err)
{
    const struct config *config = store->config;
    unsigned generation = db_mysql_server_generation();
    struct db_mysql_server server;
    char tls[DB_MYSQL_TLS_SIZE];
    uint64_t again_at;
    MYSQL *connection = db_mysql_open(config, config->request_timeout, err);

    if (!connection || !db_mysql_server_ask(connection, &server, err) ||
        !db_mysql_run(connection, lock_wait_sql, sizeof(lock_wait_sql) - 1,
                      "set up the session", err)) {
        db_mysql_close(connection);
        return false;
    }
    disconnect(store);
    store->connection = connection;
    db_mysql_describe_tls(connection, config, tls);
    metrics_add(METRICS_DB_CONNECTIONS, 1);
    if (store->has_connected)
        metrics_add(METRICS_DB_RECONNECTS, 1);
    store->has_connected = true;
    store->generation = db_mysql_server_reached(server.name, tls, generation, &again_at);
    store->renew_at = renewal_time(config);
    if (store->renew_at > again_at)
        store->renew_at = again_at;
    store->increment = server.increment;
    store->packet = server.packet;
    store->has_nowait = knows_nowait(server.version);
    store->autocommit = true;
    return true;
}

/* Behind a balancer, a connection that stays for ever stays with one server for ever. No
 * request fails for it: where no new one can be had, the old one does. */
static void renew(struct todo_store *store)
{
    struct error ignored = {0};

    if (!open_connection(store, &ignored))
        store->renew_at = clock_now() + RENEWAL_PAUSE;
}

/* A connection for what begins now: one that knows of no server that has gone since. */
static bool connect_store(struct todo_store *store, struct error *err)
{
    if (store->connection && store->generation != db_mysql_server_generation())
        disconnect(store);
    if (store->connection && clock_now() >= store->renew_at)
        renew(store);
    if (store->connection)
        return true;
    if (clock_now() < store->retry_at)
        return error_set(err, ERROR_UNAVAILABLE, "%s", store->refusal.text);
    store->refusal = (struct error){0};
    if (open_connection(store, &store->refusal)) {
        store->failures = 0;
        return true;
    }
    store->retry_at =
        clock_now() + clock_backoff(store->failures++, RECONNECT_PAUSE, RECONNECT_PAUSE_MOST);
    /* a wrong password, too, is only an unavailable database while we serve */
    return error_set(err, ERROR_UNAVAILABLE, "%s", store->refusal.text);
}

static bool set_autocommit(struct todo_store *store, bool wanted, struct error *err)
{
    if (!connect_store(store, err))
        return false;
    if (store->autocommit == wanted)
        return true;
    if ((!wanted &&
         mysql_set_server_option(store->connection, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0) ||
        mysql_autocommit(store->connection, wanted) != 0)
        return fail(store, "set autocommit", err);
    store->autocommit = wanted;
    return true;
}

/* As sqlcommenter writes it: KEY='VALUE', the value percent-encoded. All of it is hexadecimal
 * digits and dashes, or there is none: nothing of a client's may end a comment. */
static void end_statement(struct todo_store *store)
{
    const char *trace = store->traceparent;

    if (trace && trace[strspn(trace, "0123456789abcdef-")] == '\0')
        buffer_append_format(&store->sql, " /*traceparent='%s'*/", trace);
}

static void store_set_trace(struct todo_store *store, const char *traceparent)
{
    store->traceparent = traceparent;
}

/* Sends the statements, and reads what came of the first. */
static bool run(struct todo_store *store, const char *doing, struct error *err)
{
    bool ok;

    store->cause = DB_MYSQL_OTHER;
    if (!store->connection) /* lost within this transaction, which is gone with it */
        ok = error_set(err, ERROR_UNAVAILABLE, "%s: no connection", doing);
    else if (store->sql.failed)
        ok = error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
    else if (mysql_real_query(store->connection, store->sql.data, store->sql.size) != 0)
        ok = fail(store, doing, err);
    else
        ok = true;
    store->done = ok;
    store->keys_sent = store->key_statements;
    store->statements = 0;
    store->key_statements = 0;
    buffer_clear(&store->sql);
    return ok;
}

static bool append_and_run(struct todo_store *store, const char *sql, const char *doing,
                           struct error *err)
{
    buffer_append_text(&store->sql, sql);
    end_statement(store);
    return run(store, doing, err);
}

/* Reads what came of the other statements. The server leaves out what follows a failed one. */
static bool run_rest(struct todo_store *store, const char *doing, struct error *err)
{
    for (; mysql_more_results(store->connection); store->done++)
        if (mysql_next_result(store->connection) != 0)
            return fail(store, doing, err);
    return true;
}

/* Of a failure of what was sent last: whether it was that a key is there, or is waited for. */
static bool is_key_taken(const struct todo_store *store)
{
    return store->connection && store->done < store->keys_sent &&
           (store->cause == DB_MYSQL_DATA || store->cause == DB_MYSQL_CONFLICT);
}

/* Sends the changes that wait for the commit, when something else comes first. */
static bool flush(struct todo_store *store, struct error *err)
{
    static const char doing[] = "change todos";
    bool ok = store->sql.size == 0 || (run(store, doing, err) && run_rest(store, doing, err));

    if (!ok && is_key_taken(store))
        err->code = ERROR_TAKEN;
    return ok;
}

/* How many that take `size` bytes each the packet has room for, behind what is to be sent. */
static size_t room(const struct todo_store *store, size_t size)
{
    size_t used = store->sql.size + PACKET_RESERVE;

    return used < store->packet ? (store->packet - used) / size : 0;
}

/* How many of these go into the next packet, or, when that is full, into one of their own. */
static size_t part_length(const struct todo_store *store, size_t count, size_t size)
{
    size_t most = room(store, size);

    if (most == 0)
        most = 1;
    return count < most ? count : most;
}

static void append_ids(struct buffer *sql, const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(sql, ',');
        buffer_append_signed(sql, ids[i]);
    }
}

static void append_quoted(struct todo_store *store, const char *text, size_t length)
{
    struct buffer *sql = &store->sql;

    if (!store->connection || !buffer_reserve(sql, length * 2 + 3)) {
        sql->failed = true;
        return;
    }
    sql->data[sql->size++] = '\'';
    sql->size +=
        mysql_real_escape_string(store->connection, sql->data + sql->size, text, length);
    buffer_append_char(sql, '\'');
}

static void append_title(struct todo_store *store, const struct todo *todo)
{
    if (todo->title)
        append_quoted(store, todo->title, todo->title_length);
    else
        buffer_append_text(&store->sql, "NULL");
}

static void append_completed(struct todo_store *store, const struct todo *todo)
{
    buffer_append_char(&store->sql, todo->completed ? '1' : '0');
}

static void append_order(struct todo_store *store, const struct todo *todo)
{
    if (todo->has_order)
        buffer_append_signed(&store->sql, todo->order);
    else
        buffer_append_text(&store->sql, "NULL");
}

/* The columns that a client sets. */
static const struct column {
    const char *name;
    void (*append)(struct todo_store *store, const struct todo *todo);
} columns[] = {
    {"title",     append_title    },
    {"completed", append_completed},
    {"`order`",   append_order    },
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static void append_values(struct todo_store *store, const struct todo *todo)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i > 0)
            buffer_append_char(&store->sql, ',');
        columns[i].append(store, todo);
    }
}

/* False when the column, which may be a bigint unsigned, holds more. */
static bool read_number(const char *column, int64_t *number)
{
    errno = 0;
    *number = strtoll(column, NULL, 10);
    return errno == 0;
}

static bool add_row(struct todo_list *out, MYSQL_ROW row, const unsigned long *lengths,
                    const char *doing, struct error *err)
{
    int64_t id;
    int64_t order = 0;
    bool fits = read_number(row[0], &id) && (!row[3] || read_number(row[3], &order));

    if (!fits)
        return error_set(err, ERROR_DATABASE,
                         "%s: todo_todoitem holds an id or order that needs more than 64 bits:"
                         " %s, %s",
                         doing, row[0], row[3] ? row[3] : "null");
    if (todo_list_add(out, &(struct todo){
                               .id = id,
                               .title = row[1],
                               .title_length = row[1] ? lengths[1] : 0,
                               .completed = row[2] && strcmp(row[2], "0") != 0,
                               .has_order = row[3] != NULL,
                               .order = order,
                               .url_format = todo_url_format(row[4]),
                           }))
        return true;
    return error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
}

static bool read_rows(struct todo_store *store, const char *doing, struct todo_list *out,
                      struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    struct error failure = {0};

    if (!run(store, doing, err))
        return false;
    result = mysql_use_result(store->connection);
    if (!result)
        return fail(store, doing, err);
    /* to the end in any case: the connection needs it */
    while ((row = mysql_fetch_row(result)))
        if (failure.code == ERROR_NONE)
            add_row(out, row, mysql_fetch_lengths(result), doing, &failure);
    mysql_free_result(result);
    if (mysql_errno(store->connection) != 0)
        return fail(store, doing, err);
    if (failure.code != ERROR_NONE)
        return error_set(err, failure.code, "%s", failure.text);
    todo_list_complete(out);
    return true;
}

static bool store_list(struct todo_store *store, struct todo_list *out, struct error *err)
{
    if (!set_autocommit(store, true, err))
        return false;
    buffer_append_text(&store->sql, list_sql);
    end_statement(store);
    return read_rows(store, "list todos", out, err);
}

/* The pattern as a literal, which the connection's character set is needed for; the caller
 * releases it. */
static struct buffer quote_pattern(struct todo_store *store, const struct todo_query *query)
{
    struct buffer pattern = {0};
    struct buffer quoted;

    store_query_append_pattern(&pattern, query);
    append_quoted(store, pattern.data, pattern.size);
    quoted = store->sql;
    quoted.failed = quoted.failed || pattern.failed;
    store->sql = (struct buffer){0};
    buffer_release(&pattern);
    return quoted;
}

static bool store_query(struct todo_store *store, const struct todo_query *query,
                        struct todo_list *out, struct error *err)
{
    struct buffer pattern = {0};

    if (!set_autocommit(store, true, err))
        return false;
    if (query->search_length > 0)
        pattern = quote_pattern(store, query);
    store_query_append(&store->sql, query, pattern.data);
    end_statement(store);
    store->sql.failed = store->sql.failed || pattern.failed;
    buffer_release(&pattern);
    return read_rows(store, "look for todos", out, err);
}

static bool select_ids(struct todo_store *store, const int64_t *ids, size_t count,
                       const char *start, const char *end, struct todo_list *out,
                       struct error *err)
{
    size_t length;

    for (size_t done = 0; done < count; done += length) {
        length = part_length(store, count - done, ID_SIZE);
        buffer_append_text(&store->sql, start);
        append_ids(&store->sql, ids + done, length);
        buffer_append_text(&store->sql, end);
        end_statement(store);
        if (!read_rows(store, "fetch todos", out, err))
            return false;
    }
    return true;
}

static bool store_fetch(struct todo_store *store, const int64_t *ids, size_t count,
                        struct todo_list *out, struct error *err)
{
    return set_autocommit(store, true, err) &&
           select_ids(store, ids, count, FETCH_SQL, FETCH_END_SQL, out, err);
}

/* Without autocommit the next statement begins a transaction: begin itself costs no trip. */
static bool store_begin(struct todo_store *store, bool waits, struct error *err)
{
    store->waits = waits;
    return set_autocommit(store, false, err);
}

static bool store_load_for_update(struct todo_store *store, const int64_t *ids, size_t count,
                                  struct todo_list *out, struct error *err)
{
    bool is_nowait = store->has_nowait && !store->waits;
    bool ok;

    if (!flush(store, err))
        return false;
    store->is_waiting = store->waits;
    ok = select_ids(store, ids, count, store->waits ? load_waiting_sql : load_sql,
                    is_nowait ? load_nowait_end_sql : load_end_sql, out, err);
    store->is_waiting = false;
    return ok;
}

static bool store_list_for_update(struct todo_store *store, struct todo_list *out,
                                  struct error *err)
{
    if (!flush(store, err))
        return false;
    if (!append_and_run(store, lock_gaps_sql, "lock all todos", err))
        return false;
    buffer_append_text(&store->sql, list_for_update_sql);
    if (store->has_nowait)
        buffer_append_text(&store->sql, nowait_sql);
    end_statement(store);
    return read_rows(store, "lock all todos", out, err);
}

static void append_set_urls(struct todo_store *store, size_t count)
{
    buffer_append_text(&store->sql, set_url_sql);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&store->sql, i > 0 ? ",LAST_INSERT_ID()+" : "LAST_INSERT_ID()+");
        buffer_append_unsigned(&store->sql, i * store->increment);
    }
    buffer_append_char(&store->sql, ')');
}

/* MySQL calls it ER_DUP_ENTRY, of the last id with itself, or ER_WARN_DATA_OUT_OF_RANGE. */
static bool is_out_of_ids(enum db_mysql_cause cause, const char *text)
{
    return cause == DB_MYSQL_IDS ||
           (cause == DB_MYSQL_DATA && (strstr(text, "PRIMARY'") || strstr(text, "'id'")));
}

static bool fail_insert(const struct todo_store *store, const struct error *cause,
                        struct error *err)
{
    if (!is_out_of_ids(store->cause, cause->text))
        return error_set(err, cause->code, "%s", cause->text);
    return error_set(err, ERROR_LIMIT, "the ids of todo_todoitem are used up: %s", cause->text);
}

static bool insert_part(struct todo_store *store, struct todo_insert *inserts, size_t count,
                        struct error *err)
{
    struct buffer url = {0};
    struct error cause = {0};
    uint64_t first;

    buffer_append_text(&store->sql, INSERT_SQL);
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&url);
        buffer_append_text(&url, inserts[i].base_url);
        buffer_append_text(&url, "/todos/{id}");
        buffer_append_text(&url, todo_url_suffix(inserts[i].todo.url_format));
        buffer_append_text(&store->sql, i > 0 ? ",(" : "(");
        append_values(store, &inserts[i].todo);
        buffer_append_char(&store->sql, ',');
        append_quoted(store, url.data, url.size);
        buffer_append_char(&store->sql, ')');
        store->sql.failed = store->sql.failed || url.failed;
    }
    buffer_release(&url);
    end_statement(store);
    append_set_urls(store, count);
    end_statement(store);
    store->cause = DB_MYSQL_OTHER;
    if (!run(store, "insert todos", &cause))
        return fail_insert(store, &cause, err);
    /* the rows of one INSERT ... VALUES get ids in a row (innodb_autoinc_lock_mode 1 and 2
     * alike) */
    first = mysql_insert_id(store->connection);
    if (first > TODO_ID_MAX - (count - 1) * store->increment)
        return error_set(err, ERROR_LIMIT, "insert todos: the ids need more than 64 bits");
    for (size_t i = 0; i < count; i++)
        inserts[i].todo.id = (int64_t)(first + i * store->increment);
    if (!run_rest(store, "set the urls of new todos", err))
        return false;
    if (mysql_affected_rows(store->connection) == count)
        return true;
    disconnect(store); /* auto_increment_increment has changed since we asked: ask again */
    return error_set(err, ERROR_UNAVAILABLE, "new todos have other ids than expected");
}

static bool store_insert(struct todo_store *store, struct todo_insert *inserts, size_t count,
                         struct error *err)
{
    size_t length;

    if (!flush(store, err))
        return false;
    for (size_t done = 0; done < count; done += length) {
        length = part_length(store, count - done, INSERT_SIZE);
        if (!insert_part(store, inserts + done, length, err))
            return false;
    }
    return true;
}

/* Updates and deletions are left to the COMMIT that follows, as far as the packet has room: a
 * trip less. */

static void append_case(struct todo_store *store, const struct column *column,
                        const struct todo *const *todos, size_t count)
{
    struct buffer *sql = &store->sql;

    buffer_append_text(sql, column->name);
    if (count == 1) {
        buffer_append_text(sql, " = ");
        column->append(store, todos[0]);
        return;
    }
    buffer_append_text(sql, " = CASE id");
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(sql, " WHEN ");
        buffer_append_signed(sql, todos[i]->id);
        buffer_append_text(sql, " THEN ");
        column->append(store, todos[i]);
    }
    buffer_append_text(sql, " END");
}

static void append_update(struct todo_store *store, const struct todo *const *todos,
                          size_t count)
{
    struct buffer *sql = &store->sql;

    buffer_append_text(sql, UPDATE_SQL);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (i > 0)
            buffer_append_char(sql, ',');
        append_case(store, &columns[i], todos, count);
    }
    buffer_append_text(sql, UPDATE_END_SQL);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(sql, ',');
        buffer_append_signed(sql, todos[i]->id);
    }
    buffer_append_char(sql, ')');
    end_statement(store);
    buffer_append_char(sql, ';');
    store->statements++;
}

static bool store_update(struct todo_store *store, const struct todo *const *todos,
                         size_t count, struct error *err)
{
    size_t length;

    for (size_t done = 0; done < count; done += length) {
        if (room(store, UPDATE_SIZE) == 0 && !flush(store, err))
            return false;
        length = part_length(store, count - done, UPDATE_SIZE);
        append_update(store, todos + done, length);
    }
    return true;
}

static bool store_delete(struct todo_store *store, const int64_t *ids, size_t count,
                         struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (room(store, DELETE_SIZE) == 0 && !flush(store, err))
            return false;
        buffer_append_text(&store->sql, DELETE_SQL);
        buffer_append_signed(&store->sql, ids[i]);
        end_statement(store);
        buffer_append_char(&store->sql, ';');
        store->statements++;
    }
    return true;
}

/* ---- keys ---- */

static void append_key_use(struct todo_store *store, const struct todo_key_use *use)
{
    struct buffer *sql = &store->sql;

    buffer_append_char(sql, '(');
    append_quoted(store, use->key->text, use->key->length);
    buffer_append_char(sql, ',');
    buffer_append_signed(sql, use->key->fingerprint);
    buffer_append_text(sql, ",'");
    append_ids(sql, use->ids, use->id_count);
    buffer_append_text(sql, "',UTC_TIMESTAMP())");
}

/* How many of these uses go into the next packet, or, when that is full, into one of their own.
 */
static size_t uses_length(const struct todo_store *store, const struct todo_key_use *uses,
                          size_t count)
{
    size_t size = 0;
    size_t length = 0;

    while (length < count) {
        size += KEY_SIZE + uses[length].id_count * ID_SIZE;
        if (room(store, size) == 0)
            break;
        length++;
    }
    return length > 0 ? length : 1;
}

/* One statement for all, as far as the packet has room; like updates, it is left to the COMMIT
 * that follows. */
static bool store_insert_keys(struct todo_store *store, const struct todo_key_use *uses,
                              size_t count, struct error *err)
{
    size_t length;

    for (size_t done = 0; done < count; done += length) {
        if (done > 0 && !flush(store, err))
            return false;
        length = uses_length(store, uses + done, count - done);
        buffer_append_text(&store->sql, insert_keys_sql);
        for (size_t i = 0; i < length; i++) {
            if (i > 0)
                buffer_append_char(&store->sql, ',');
            append_key_use(store, &uses[done + i]);
        }
        end_statement(store);
        buffer_append_char(&store->sql, ';');
        store->statements++;
        store->key_statements++;
    }
    return true;
}

static void append_keys(struct todo_store *store, const char *sql,
                        const struct todo_key_use *uses, size_t count)
{
    buffer_append_text(&store->sql, sql);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(&store->sql, ',');
        append_quoted(store, uses[i].key->text, uses[i].key->length);
    }
    buffer_append_char(&store->sql, ')');
    end_statement(store);
}

/* One row of find_keys_sql. Gives whether it is of a key that is to be forgotten. */
static bool read_key(struct todo_key_use *uses, size_t count, MYSQL_ROW row,
                     const unsigned long *lengths, bool is_committed)
{
    bool is_old = is_committed && strcmp(row[3], "1") == 0;

    for (size_t i = 0; i < count && !is_old; i++) {
        struct todo_key_use *use = &uses[i];

        if (use->state != TODO_KEY_FREE || use->key->length != lengths[0] ||
            memcmp(use->key->text, row[0], lengths[0]) != 0)
            continue;
        use->state = TODO_KEY_HELD;
        if (is_committed)
            todo_key_use_read(use, strtoll(row[1], NULL, 10), row[2]);
    }
    return is_old;
}

static bool read_keys(struct todo_store *store, struct todo_key_use *uses, size_t count,
                      bool is_committed, bool *has_old, struct error *err)
{
    static const char doing[] = "find keys";
    MYSQL_RES *result;
    MYSQL_ROW row;

    append_keys(store, find_keys_sql, uses, count);
    if (!run(store, doing, err))
        return false;
    result = mysql_store_result(store->connection);
    while (result && (row = mysql_fetch_row(result)))
        if (read_key(uses, count, row, mysql_fetch_lengths(result), is_committed))
            *has_old = true;
    mysql_free_result(result);
    return mysql_errno(store->connection) == 0 || fail(store, doing, err);
}

/* What is committed first: then what is only seen now is held. Rows that others have locked
 * keep no read waiting, but a deletion, so that is for what is old alone. */
static bool find_part(struct todo_store *store, struct todo_key_use *uses, size_t count,
                      struct error *err)
{
    bool has_old = false;

    if (!read_keys(store, uses, count, true, &has_old, err))
        return false;
    if (has_old) {
        append_keys(store, delete_keys_sql, uses, count);
        return run(store, "forget keys", err);
    }
    return append_and_run(store, read_uncommitted_sql, "find keys", err) &&
           read_keys(store, uses, count, false, &has_old, err);
}

static bool store_find_keys(struct todo_store *store, struct todo_key_use *uses, size_t count,
                            struct error *err)
{
    size_t length;

    if (!set_autocommit(store, true, err))
        return false;
    for (size_t done = 0; done < count; done += length) {
        length = part_length(store, count - done, KEY_SIZE);
        if (!find_part(store, uses + done, length, err))
            return false;
    }
    return true;
}

/* In small steps: others wait for none of them. Instances that were started together don't
 * come together. */
static void store_forget_keys(struct todo_store *store)
{
    struct error ignored = {0};
    bool is_more;

    if (clock_now() < store->forget_at)
        return;
    is_more = set_autocommit(store, true, &ignored) &&
              append_and_run(store, forget_keys_sql, "forget keys", &ignored) &&
              mysql_affected_rows(store->connection) == FORGET_MOST;
    store->forget_at =
        clock_now() +
        clock_backoff(0, is_more ? FORGET_MORE_PAUSE : FORGET_PAUSE, FORGET_PAUSE);
}

/* ---- the rest ---- */

static bool lock_all(struct todo_store *store, struct error *err)
{
    static const char doing[] = "lock all todos";

    if (!append_and_run(store, lock_all_sql, doing, err))
        return false;
    mysql_free_result(mysql_store_result(store->connection));
    return mysql_errno(store->connection) == 0 || fail(store, doing, err);
}

static bool store_clear(struct todo_store *store, struct error *err)
{
    return flush(store, err) && (!store->has_nowait || lock_all(store, err)) &&
           append_and_run(store, clear_sql, "delete all todos", err);
}

/* Whatever else the server says of a COMMIT, it rolled back. */
static bool may_be_committed(const struct todo_store *store, size_t changes)
{
    return store->cause == DB_MYSQL_LOST || store->cause == DB_MYSQL_TLS ||
           (store->cause == DB_MYSQL_TIME && store->done == changes);
}

static bool store_commit(struct todo_store *store, struct error *err)
{
    bool had_connection = store->connection != NULL;
    size_t changes = store->statements;

    buffer_append_text(&store->sql, commit_sql);
    end_statement(store);
    if (run(store, "commit", err) && run_rest(store, "commit", err)) {
        store->no_room_at = 0;
        db_mysql_server_took_change(true, store->generation);
        return true;
    }
    if (is_key_taken(store))
        err->code = ERROR_TAKEN;
    if (had_connection && err->code == ERROR_UNAVAILABLE && may_be_committed(store, changes))
        err->code = ERROR_OUTCOME_UNKNOWN;
    return false;
}

static void store_roll_back(struct todo_store *store)
{
    buffer_clear(&store->sql);
    store->statements = 0;
    store->key_statements = 0;
    /* a transaction that can't be rolled back ends with its connection */
    if (store->connection && mysql_rollback(store->connection) != 0)
        disconnect(store);
}

/* Where a change found no room, one is tried, now and then. */
static bool store_check(struct todo_store *store, struct error *err)
{
    static const char doing[] = "change todos";
    bool ok;

    if (store->no_room_at > 0 && clock_now() < store->no_room_at + NO_ROOM_PAUSE)
        return error_set(err, ERROR_UNAVAILABLE, "%s", store->no_room.text);
    if (!store_begin(store, false, err))
        return false;
    buffer_append_text(&store->sql, check_sql);
    if (store->no_room_at > 0)
        buffer_append_text(&store->sql, fill_sql);
    ok = run(store, doing, err) && run_rest(store, doing, err);
    if (ok) {
        store->no_room_at = 0;
        db_mysql_server_took_change(true, store->generation);
    }
    store_roll_back(store);
    return ok;
}

static void store_close(struct todo_store *store)
{
    disconnect(store);
    buffer_release(&store->sql);
    free(store);
    db_mysql_thread_end();
}

#define CASE_SQL "CASE id WHEN ? THEN ? END"

static const struct todo_store_driver driver = {
    .statements = {.list = list_sql,
                   .fetch = FETCH_SQL "?" FETCH_END_SQL,
                   .insert = INSERT_SQL "(?,?,?,?)",
                   .update =
                       UPDATE_SQL "title = ?,completed = ?,`order` = ?" UPDATE_END_SQL "?)",
                   .update_many = UPDATE_SQL "title = " CASE_SQL ",completed = " CASE_SQL
                                             ",`order` = " CASE_SQL UPDATE_END_SQL "?)",
                   .delete = DELETE_SQL "?",
                   .clear = clear_sql},
    .set_trace = store_set_trace,
    .close = store_close,
    .list = store_list,
    .fetch = store_fetch,
    .query = store_query,
    .begin = store_begin,
    .load_for_update = store_load_for_update,
    .list_for_update = store_list_for_update,
    .insert = store_insert,
    .update = store_update,
    .delete = store_delete,
    .clear = store_clear,
    .insert_keys = store_insert_keys,
    .find_keys = store_find_keys,
    .forget_keys = store_forget_keys,
    .commit = store_commit,
    .roll_back = store_roll_back,
    .check = store_check,
};

bool store_mysql_open(const struct config *config, struct todo_store_handle *handle,
                      struct error *err)
{
    struct todo_store *store = calloc(1, sizeof(*store));

    if (!store)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    store->config = config;
    store->increment = 1;
    store->packet = SIZE_MAX; /* until a connection tells */
    handle->driver = &driver;
    handle->store = store;
    return true;
}
