#include "store/mysql.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "db/mysql.h"

#include <stdlib.h>
#include <string.h>

/* Values are numbers printed by us, or texts quoted by the connector on the very connection
 * that the statement is sent on: most statements are of many rows, which can't be bound one by
 * one. A writer sends several statements in one trip; a reader's connection refuses that.
 * What locks rows goes by their ids: of a small table MariaDB 11 would rather read all rows,
 * and wait for those that others have locked. */
static const char list_sql[] =
    "SELECT id, title, completed, `order`, url FROM todo_todoitem ORDER BY id";
static const char fetch_sql[] =
    "SELECT id, title, completed, `order`, url FROM todo_todoitem WHERE id IN (";
static const char fetch_end_sql[] = ") ORDER BY id";
static const char load_sql[] = "SELECT id, title, completed, `order`, url FROM todo_todoitem"
                               " FORCE INDEX (PRIMARY) WHERE id IN (";
static const char load_end_sql[] = ") ORDER BY id FOR UPDATE";
static const char insert_sql[] =
    "INSERT INTO todo_todoitem (title, completed, `order`, url) VALUES ";
/* Sent behind the INSERT: the id is known only now. No host name holds a brace. */
static const char set_url_sql[] =
    ";UPDATE todo_todoitem FORCE INDEX (PRIMARY) SET url = REPLACE(url, '{id}', id)"
    " WHERE id IN (";
/* The rows are there, locked by load_for_update: this never inserts. */
static const char update_sql[] =
    "INSERT INTO todo_todoitem (id, title, completed, `order`) VALUES ";
static const char update_end_sql[] =
    " ON DUPLICATE KEY UPDATE title = VALUES(title), completed = VALUES(completed), "
    "`order` = VALUES(`order`);";
/* One each: DELETE takes no index hint. */
static const char delete_sql[] = "DELETE FROM todo_todoitem WHERE id = ";
static const char clear_sql[] = "DELETE FROM todo_todoitem";
static const char commit_sql[] = "COMMIT";
static const char increment_sql[] = "SELECT @@auto_increment_increment";

#define RECONNECT_PAUSE      100000U  /* microseconds, doubled with each failure, */
#define RECONNECT_PAUSE_MOST 2000000U /* up to this */

struct todo_store {
    const struct config *config;
    MYSQL *connection;  /* NULL: to be opened */
    unsigned failures;  /* of connecting, in a row */
    uint64_t retry_at;  /* not before this time (clock_now) */
    uint32_t increment; /* of ids within one INSERT: 3 on a Galera cluster of three */
    bool autocommit;
    unsigned error_number; /* of the last failure */
    struct buffer sql;     /* what is to be sent next */
};

static void disconnect(struct todo_store *store)
{
    db_mysql_close(store->connection);
    store->connection = NULL;
}

static bool fail(struct todo_store *store, const char *doing, struct error *err)
{
    struct error cause = {0};

    store->error_number = mysql_errno(store->connection);
    db_mysql_fail(store->connection, doing, &cause);
    if (cause.code == ERROR_UNAVAILABLE)
        disconnect(store);
    return error_set(err, cause.code, "%s", cause.text);
}

static bool read_increment(struct todo_store *store, struct error *err)
{
    MYSQL_RES *result = NULL;
    MYSQL_ROW row = NULL;

    if (mysql_real_query(store->connection, increment_sql, sizeof(increment_sql) - 1) == 0)
        result = mysql_store_result(store->connection);
    if (result)
        row = mysql_fetch_row(result);
    if (row && row[0])
        store->increment = (uint32_t)strtoul(row[0], NULL, 10);
    mysql_free_result(result);
    return row ? true : fail(store, "read auto_increment_increment", err);
}

static bool connect_store(struct todo_store *store, struct error *err)
{
    if (store->connection)
        return true;
    if (clock_now() < store->retry_at)
        return error_set(err, ERROR_UNAVAILABLE, "waiting to connect again");
    store->connection = db_mysql_open(store->config, store->config->request_timeout, err);
    if (store->connection && read_increment(store, err)) {
        store->failures = 0;
        store->autocommit = true;
        return true;
    }
    disconnect(store);
    store->retry_at =
        clock_now() + clock_backoff(store->failures++, RECONNECT_PAUSE, RECONNECT_PAUSE_MOST);
    /* a refusal, too, is only an unavailable database while we serve */
    err->code = ERROR_UNAVAILABLE;
    return false;
}

static bool set_autocommit(struct todo_store *store, bool wanted, struct error *err)
{
    if (!connect_store(store, err))
        return false;
    if (store->autocommit == wanted)
        return true;
    if (mysql_autocommit(store->connection, wanted) != 0 ||
        (!wanted &&
         mysql_set_server_option(store->connection, MYSQL_OPTION_MULTI_STATEMENTS_ON) != 0))
        return fail(store, "set autocommit", err);
    store->autocommit = wanted;
    return true;
}

/* Sends the statements, and reads what came of the first. */
static bool run(struct todo_store *store, const char *doing, struct error *err)
{
    bool ok;

    if (!store->connection) /* lost within this transaction, which is gone with it */
        ok = error_set(err, ERROR_UNAVAILABLE, "%s: no connection", doing);
    else if (store->sql.failed)
        ok = error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
    else if (mysql_real_query(store->connection, store->sql.data, store->sql.size) != 0)
        ok = fail(store, doing, err);
    else
        ok = true;
    buffer_clear(&store->sql);
    return ok;
}

/* Reads what came of the other statements. The server leaves out what follows a failed one. */
static bool run_rest(struct todo_store *store, const char *doing, struct error *err)
{
    while (mysql_more_results(store->connection))
        if (mysql_next_result(store->connection) != 0)
            return fail(store, doing, err);
    return true;
}

/* Sends the updates and deletions that wait for the commit, when something else comes first. */
static bool flush(struct todo_store *store, struct error *err)
{
    static const char doing[] = "change todos";

    return store->sql.size == 0 || (run(store, doing, err) && run_rest(store, doing, err));
}

static void append_ids(struct buffer *sql, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(sql, ',');
        buffer_append_unsigned(sql, ids[i]);
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

/* title, completed, order */
static void append_values(struct todo_store *store, const struct todo *todo)
{
    if (todo->title)
        append_quoted(store, todo->title, todo->title_length);
    else
        buffer_append_text(&store->sql, "NULL");
    buffer_append_text(&store->sql, todo->completed ? ",1," : ",0,");
    if (todo->has_order)
        buffer_append_signed(&store->sql, todo->order);
    else
        buffer_append_text(&store->sql, "NULL");
}

static bool add_row(struct todo_list *out, MYSQL_ROW row, const unsigned long *lengths)
{
    return todo_list_add(out, &(struct todo){
                                  .id = (uint32_t)strtoul(row[0], NULL, 10),
                                  .title = row[1],
                                  .title_length = row[1] ? lengths[1] : 0,
                                  .completed = row[2] && strcmp(row[2], "0") != 0,
                                  .has_order = row[3] != NULL,
                                  .order = row[3] ? (int32_t)strtol(row[3], NULL, 10) : 0,
                                  .url_format = todo_url_format(row[4]),
                              });
}

static bool read_rows(struct todo_store *store, const char *doing, struct todo_list *out,
                      struct error *err)
{
    MYSQL_RES *result;
    MYSQL_ROW row;
    bool memory = true;

    if (!run(store, doing, err))
        return false;
    result = mysql_use_result(store->connection);
    if (!result)
        return fail(store, doing, err);
    /* to the end in any case: the connection needs it */
    while ((row = mysql_fetch_row(result)))
        memory = memory && add_row(out, row, mysql_fetch_lengths(result));
    mysql_free_result(result);
    if (mysql_errno(store->connection) != 0)
        return fail(store, doing, err);
    if (!memory)
        return error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
    todo_list_complete(out);
    return true;
}

static bool store_list(struct todo_store *store, struct todo_list *out, struct error *err)
{
    if (!set_autocommit(store, true, err))
        return false;
    buffer_append_text(&store->sql, list_sql);
    return read_rows(store, "list todos", out, err);
}

static bool select_ids(struct todo_store *store, const uint32_t *ids, size_t count,
                       const char *start, const char *end, struct todo_list *out,
                       struct error *err)
{
    if (count == 0)
        return true;
    buffer_append_text(&store->sql, start);
    append_ids(&store->sql, ids, count);
    buffer_append_text(&store->sql, end);
    return read_rows(store, "fetch todos", out, err);
}

static bool store_fetch(struct todo_store *store, const uint32_t *ids, size_t count,
                        struct todo_list *out, struct error *err)
{
    return set_autocommit(store, true, err) &&
           select_ids(store, ids, count, fetch_sql, fetch_end_sql, out, err);
}

/* Without autocommit the next statement begins a transaction: begin itself costs no trip. */
static bool store_begin(struct todo_store *store, struct error *err)
{
    return set_autocommit(store, false, err);
}

static bool store_load_for_update(struct todo_store *store, const uint32_t *ids, size_t count,
                                  struct todo_list *out, struct error *err)
{
    return flush(store, err) && select_ids(store, ids, count, load_sql, load_end_sql, out, err);
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

static bool store_insert(struct todo_store *store, struct todo_insert *inserts, size_t count,
                         struct error *err)
{
    struct buffer url = {0};
    uint64_t first;

    if (count == 0)
        return true;
    if (!flush(store, err))
        return false;
    buffer_append_text(&store->sql, insert_sql);
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
    append_set_urls(store, count);
    if (!run(store, "insert todos", err))
        return false;
    /* the rows of one INSERT ... VALUES get ids in a row (innodb_autoinc_lock_mode 1 and 2
     * alike) */
    first = mysql_insert_id(store->connection);
    for (size_t i = 0; i < count; i++)
        inserts[i].todo.id = (uint32_t)(first + i * store->increment);
    if (!run_rest(store, "set the urls of new todos", err))
        return false;
    if (mysql_affected_rows(store->connection) == count)
        return true;
    disconnect(store); /* auto_increment_increment has changed since we asked: ask again */
    return error_set(err, ERROR_UNAVAILABLE, "new todos have other ids than expected");
}

/* Updates and deletions are left to the COMMIT that follows: a trip less. */

static bool store_update(struct todo_store *store, const struct todo *const *todos,
                         size_t count, struct error *err)
{
    (void)err;
    if (count == 0)
        return true;
    buffer_append_text(&store->sql, update_sql);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&store->sql, i > 0 ? ",(" : "(");
        buffer_append_unsigned(&store->sql, todos[i]->id);
        buffer_append_char(&store->sql, ',');
        append_values(store, todos[i]);
        buffer_append_char(&store->sql, ')');
    }
    buffer_append_text(&store->sql, update_end_sql);
    return true;
}

static bool store_delete(struct todo_store *store, const uint32_t *ids, size_t count,
                         struct error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&store->sql, delete_sql);
        buffer_append_unsigned(&store->sql, ids[i]);
        buffer_append_char(&store->sql, ';');
    }
    return true;
}

static bool store_clear(struct todo_store *store, struct error *err)
{
    if (!flush(store, err))
        return false;
    buffer_append_text(&store->sql, clear_sql);
    return run(store, "delete all todos", err);
}

/* ER_OPTION_PREVENTS_STATEMENT (--read-only), ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION,
 * ER_READ_ONLY_MODE: a server that has become a replica says no, and has committed nothing. */
static bool is_refused_as_read_only(unsigned code)
{
    return code == 1290 || code == 1792 || code == 1836;
}

static bool store_commit(struct todo_store *store, struct error *err)
{
    bool had_connection = store->connection != NULL;

    buffer_append_text(&store->sql, commit_sql);
    if (run(store, "commit", err) && run_rest(store, "commit", err))
        return true;
    if (had_connection && err->code == ERROR_UNAVAILABLE &&
        !is_refused_as_read_only(store->error_number))
        err->code = ERROR_OUTCOME_UNKNOWN;
    return false;
}

static void store_roll_back(struct todo_store *store)
{
    buffer_clear(&store->sql);
    /* a transaction that can't be rolled back ends with its connection */
    if (store->connection && mysql_rollback(store->connection) != 0)
        disconnect(store);
}

static void store_close(struct todo_store *store)
{
    disconnect(store);
    buffer_release(&store->sql);
    free(store);
    db_mysql_thread_end();
}

static const struct todo_store_driver driver = {
    .close = store_close,
    .list = store_list,
    .fetch = store_fetch,
    .begin = store_begin,
    .load_for_update = store_load_for_update,
    .insert = store_insert,
    .update = store_update,
    .delete = store_delete,
    .clear = store_clear,
    .commit = store_commit,
    .roll_back = store_roll_back,
};

bool store_mysql_open(const struct config *config, struct todo_store_handle *handle,
                      struct error *err)
{
    struct todo_store *store = calloc(1, sizeof(*store));

    if (!store)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    store->config = config;
    store->increment = 1;
    handle->driver = &driver;
    handle->store = store;
    return true;
}
