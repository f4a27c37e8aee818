#include "store/sqlite.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "db/sqlite.h"
#include "db/sqlite_files.h"
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_TRIES    6U       /* that go into a request's time; five are made (work/batch.c) */
#define NO_ROOM_PAUSE 2000000U /* microseconds, see store_check */
#define STEPS         10000    /* of SQLite's machine between two looks at the clock */
#define FORGET_PAUSE  1000000U /* microseconds, see store_forget_keys */

#define OLD_KEYS "created_at <= datetime('now', '-24 hours')"

/* As much as a change writes, and nothing that anyone sees: no todo has this id. */
static const char fill_sql[] = "INSERT INTO todo_todoitem (id, title, completed)"
                               " VALUES (-1, hex(zeroblob(128)), 0);"
                               "DELETE FROM todo_todoitem WHERE id = -1";

enum statement {
    LIST,
    FETCH,
    BEGIN,
    INSERT,
    SET_URL,
    UPDATE,
    DELETE,
    CLEAR,
    INSERT_KEY,
    DELETE_KEY,
    FIND_KEY,
    FORGET_KEYS,
    COMMIT,
    ROLL_BACK,
    STATEMENT_COUNT,
};

/* Those that traces tell of. */
#define LIST_SQL   "SELECT id, title, completed, \"order\", url FROM todo_todoitem ORDER BY id"
#define FETCH_SQL  "SELECT id, title, completed, \"order\", url FROM todo_todoitem WHERE id = ?1"
#define INSERT_SQL "INSERT INTO todo_todoitem (title, completed, \"order\") VALUES (?2, ?3, ?4)"
#define UPDATE_SQL                                                                             \
    "UPDATE todo_todoitem SET title = ?2, completed = ?3, \"order\" = ?4 WHERE id = ?1"
#define DELETE_SQL "DELETE FROM todo_todoitem WHERE id = ?1"
#define CLEAR_SQL  "DELETE FROM todo_todoitem"

static const char *const statement_sql[STATEMENT_COUNT] = {
    [LIST] = LIST_SQL,
    [FETCH] = FETCH_SQL,
    [BEGIN] = "BEGIN IMMEDIATE", /* the write lock now, so that nothing fails half way for want
                                    of it */
    [INSERT] = INSERT_SQL,
    [SET_URL] = "UPDATE todo_todoitem SET url = ?2 WHERE id = ?1",
    [UPDATE] = UPDATE_SQL,
    [DELETE] = DELETE_SQL,
    [CLEAR] = CLEAR_SQL,
    [INSERT_KEY] = "INSERT INTO todobackend_idempotency_keys"
                   " (idempotency_key, fingerprint, todo_ids, created_at)"
                   " VALUES (?1, ?2, ?3, datetime('now'))",
    [DELETE_KEY] = "DELETE FROM todobackend_idempotency_keys"
                   " WHERE idempotency_key = ?1 AND " OLD_KEYS,
    [FIND_KEY] = "SELECT fingerprint, todo_ids FROM todobackend_idempotency_keys"
                 " WHERE idempotency_key = ?1",
    [FORGET_KEYS] = "DELETE FROM todobackend_idempotency_keys WHERE idempotency_key IN"
                    " (SELECT idempotency_key FROM todobackend_idempotency_keys"
                    " WHERE " OLD_KEYS " ORDER BY created_at LIMIT 500)",
    [COMMIT] = "COMMIT",
    [ROLL_BACK] = "ROLLBACK",
};

struct todo_store {
    const struct config *config;
    sqlite3 *connection; /* NULL: to be opened */
    bool has_connected;  /* once */
    bool is_stale;       /* to be opened again: SQLite may keep what it knew of the tables */
    struct db_sqlite_files files; /* the same database as long as the process lives */
    uint64_t no_room_at;          /* clock_now() of the last failure; 0: none since a commit */
    struct error no_room;
    uint64_t forget_at; /* clock_now(), see store_forget_keys */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static void disconnect(struct todo_store *store)
{
    struct error ignored = {0};

    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    if (store->connection) { /* a log that is not this path's must not stay there */
        db_sqlite_files_check(&store->files, store->connection, &ignored);
        metrics_add(METRICS_DB_CONNECTIONS, (uint64_t)-1);
    }
    db_sqlite_close(store->connection);
    store->connection = NULL;
    store->is_stale = false;
}

/* What one row may have met, such as a check or a trigger that somebody added: others may be
 * written. MISUSE and RANGE are this program's own faults. All else is the database's: a table
 * that is gone (ERROR), a file that is damaged (CORRUPT, NOTADB), may not be written (PERM,
 * AUTH, READONLY), or is on a file system that can't lock (PROTOCOL, NOLFS). */
static bool may_be_a_rows(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return true;
    default:
        return false;
    }
}

/* Also notes a full or failing disk. */
static bool fail(struct todo_store *store, const char *doing, struct error *err)
{
    int code = sqlite3_errcode(store->connection) & 0xff;
    struct error cause = {0};

    db_sqlite_fail(store->connection, doing, &cause);
    if (code == SQLITE_FULL || code == SQLITE_IOERR) {
        store->no_room = cause;
        store->no_room_at = clock_now();
    }
    if (cause.code == ERROR_DATABASE && !may_be_a_rows(code)) {
        cause.code = ERROR_UNAVAILABLE;
        store->is_stale = code != SQLITE_INTERRUPT; /* by is_over */
    }
    return error_set(err, cause.code, "%s", cause.text);
}

/* A file that is missing is not made: it would be empty. */
static bool connect_store(struct todo_store *store, struct error *err)
{
    if (!db_sqlite_files_check(&store->files, store->connection, err))
        return false;
    if (store->is_stale)
        disconnect(store);
    if (store->connection)
        return true;
    store->connection = db_sqlite_open(store->config->sqlite_path, false,
                                       store->config->request_timeout * 1000 / BUSY_TRIES, err);
    if (!store->connection) {
        err->code = ERROR_UNAVAILABLE; /* as it is to those who ask while we serve */
        return false;
    }
    metrics_add(METRICS_DB_CONNECTIONS, 1);
    if (store->has_connected)
        metrics_add(METRICS_DB_RECONNECTS, 1);
    store->has_connected = true;
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(store->connection, statement_sql[i], -1,
                               SQLITE_PREPARE_PERSISTENT, &store->statements[i],
                               NULL) == SQLITE_OK)
            continue;
        fail(store, "prepare a statement", err);
        err->code = ERROR_UNAVAILABLE; /* a file without the table */
        disconnect(store);
        return false;
    }
    if (db_sqlite_files_note(&store->files, store->connection, store->config->sqlite_path, err))
        return true;
    disconnect(store);
    return false;
}

/* Runs a statement to its end and resets it; its rows are added to *out, which may be NULL. */
static bool run_statement(struct todo_store *store, sqlite3_stmt *statement, const char *doing,
                          struct todo_list *out, struct error *err)
{
    bool ok = true;
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW && ok) {
        const struct todo row = {
            .id = sqlite3_column_int64(statement, 0),
            .title = (const char *)sqlite3_column_text(statement, 1),
            .title_length = (size_t)sqlite3_column_bytes(statement, 1),
            .completed = sqlite3_column_int(statement, 2) != 0,
            .has_order = sqlite3_column_type(statement, 3) != SQLITE_NULL,
            .order = sqlite3_column_int64(statement, 3),
            .url_format = todo_url_format((const char *)sqlite3_column_text(statement, 4)),
        };
        /* a text that can't be had for lack of memory must not pass for null */
        ok = out && sqlite3_errcode(store->connection) != SQLITE_NOMEM &&
             todo_list_add(out, &row);
    }
    if (!ok)
        error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
    else if (step != SQLITE_DONE)
        ok = fail(store, doing, err);
    sqlite3_reset(statement);
    return ok;
}

static bool run(struct todo_store *store, enum statement which, const char *doing,
                struct todo_list *out, struct error *err)
{
    return run_statement(store, store->statements[which], doing, out, err);
}

static bool run_with_id(struct todo_store *store, enum statement which, int64_t id,
                        const char *doing, struct todo_list *out, struct error *err)
{
    if (sqlite3_bind_int64(store->statements[which], 1, id) != SQLITE_OK)
        return fail(store, doing, err);
    return run(store, which, doing, out, err);
}

static bool list_all(struct todo_store *store, struct todo_list *out, struct error *err)
{
    if (!run(store, LIST, "list todos", out, err))
        return false;
    todo_list_complete(out);
    return true;
}

static bool store_list(struct todo_store *store, struct todo_list *out, struct error *err)
{
    return connect_store(store, err) && list_all(store, out, err);
}

static bool run_query(struct todo_store *store, const struct todo_query *query,
                      const struct buffer *sql, const struct buffer *pattern,
                      struct todo_list *out, struct error *err)
{
    static const char doing[] = "look for todos";
    sqlite3_stmt *statement = NULL;
    bool ok = true;

    if (sql->failed || pattern->failed)
        return error_set(err, ERROR_SYSTEM, "%s: out of memory", doing);
    if (sqlite3_prepare_v2(store->connection, sql->data, (int)sql->size, &statement, NULL) !=
        SQLITE_OK)
        return fail(store, doing, err);
    if (query->search_length > 0)
        ok = sqlite3_bind_text(statement, 1, pattern->data, (int)pattern->size,
                               SQLITE_STATIC) == SQLITE_OK ||
             fail(store, doing, err);
    ok = ok && run_statement(store, statement, doing, out, err);
    sqlite3_finalize(statement);
    return ok;
}

/* Ends a search at the time when nobody waits for it any more. */
static int is_over(void *deadline)
{
    return clock_now() > *(const uint64_t *)deadline;
}

static bool store_query(struct todo_store *store, const struct todo_query *query,
                        struct todo_list *out, struct error *err)
{
    uint64_t deadline = clock_now() + (uint64_t)store->config->request_timeout * 1000000;
    struct buffer sql = {0};
    struct buffer pattern = {0};
    bool ok;

    if (!connect_store(store, err))
        return false;
    if (query->search_length > 0)
        store_query_append_pattern(&pattern, query);
    store_query_append(&sql, query, query->search_length > 0 ? "?1" : NULL);
    sqlite3_progress_handler(store->connection, STEPS, is_over, &deadline);
    ok = run_query(store, query, &sql, &pattern, out, err);
    sqlite3_progress_handler(store->connection, 0, NULL, NULL);
    buffer_release(&sql);
    buffer_release(&pattern);
    if (ok)
        todo_list_complete(out);
    return ok;
}

static bool fetch_each(struct todo_store *store, const int64_t *ids, size_t count,
                       struct todo_list *out, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!run_with_id(store, FETCH, ids[i], "fetch a todo", out, err))
            return false;
    todo_list_complete(out);
    return true;
}

static void store_roll_back(struct todo_store *store)
{
    struct error ignored = {0};

    if (store->connection && !sqlite3_get_autocommit(store->connection) &&
        !run(store, ROLL_BACK, "roll back", NULL, &ignored))
        disconnect(store);
}

/* In one read transaction: all rows come from the same state of the table. */
static bool store_fetch(struct todo_store *store, const int64_t *ids, size_t count,
                        struct todo_list *out, struct error *err)
{
    bool ok;

    if (!connect_store(store, err))
        return false;
    if (count == 1)
        return fetch_each(store, ids, count, out, err);
    if (!db_sqlite_run(store->connection, "BEGIN", "begin to read", err))
        return false;
    ok =
        fetch_each(store, ids, count, out, err) && run(store, COMMIT, "end reading", NULL, err);
    if (!ok)
        store_roll_back(store);
    return ok;
}

/* It waits in any case: nobody else can go on meanwhile. */
static bool store_begin(struct todo_store *store, bool waits, struct error *err)
{
    (void)waits;
    return connect_store(store, err) && run(store, BEGIN, "begin", NULL, err);
}

/* What can't be bound would be written as null. */
static bool bind_todo(sqlite3_stmt *statement, const struct todo *todo)
{
    return (todo->title ? sqlite3_bind_text(statement, 2, todo->title, (int)todo->title_length,
                                            SQLITE_STATIC)
                        : sqlite3_bind_null(statement, 2)) == SQLITE_OK &&
           sqlite3_bind_int(statement, 3, todo->completed) == SQLITE_OK &&
           (todo->has_order ? sqlite3_bind_int64(statement, 4, todo->order)
                            : sqlite3_bind_null(statement, 4)) == SQLITE_OK;
}

/* AUTOINCREMENT gives no id after the last one, and calls that a full disk. */
static bool is_out_of_ids(struct todo_store *store)
{
    static const char sql[] = "SELECT 1 FROM sqlite_sequence"
                              " WHERE name = 'todo_todoitem' AND seq = 9223372036854775807";
    sqlite3_stmt *statement = NULL;
    bool is_out =
        sqlite3_prepare_v2(store->connection, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW;

    sqlite3_finalize(statement);
    return is_out;
}

static bool fail_insert(struct todo_store *store, const struct error *cause, struct error *err)
{
    if (cause->code == ERROR_UNAVAILABLE && is_out_of_ids(store)) {
        store->no_room_at = 0; /* for the disk has room */
        return error_set(err, ERROR_LIMIT, "the ids of todo_todoitem are used up: %s",
                         cause->text);
    }
    return error_set(err, cause->code, "%s", cause->text);
}

static bool insert_one(struct todo_store *store, struct todo_insert *insert, struct buffer *url,
                       struct error *err)
{
    struct error cause = {0};

    if (!bind_todo(store->statements[INSERT], &insert->todo))
        return fail(store, "insert a todo", err);
    if (!run(store, INSERT, "insert a todo", NULL, &cause))
        return fail_insert(store, &cause, err);
    insert->todo.id = sqlite3_last_insert_rowid(store->connection);
    buffer_clear(url);
    buffer_append_text(url, insert->base_url);
    buffer_append_text(url, "/todos/");
    buffer_append_signed(url, insert->todo.id);
    buffer_append_text(url, todo_url_suffix(insert->todo.url_format));
    if (url->failed)
        return error_set(err, ERROR_SYSTEM, "insert a todo: out of memory");
    if (sqlite3_bind_text(store->statements[SET_URL], 2, url->data, (int)url->size,
                          SQLITE_STATIC) != SQLITE_OK)
        return fail(store, "set the url of a new todo", err);
    return run_with_id(store, SET_URL, insert->todo.id, "set the url of a new todo", NULL, err);
}

static bool store_insert(struct todo_store *store, struct todo_insert *inserts, size_t count,
                         struct error *err)
{
    struct buffer url = {0};
    bool ok = true;

    for (size_t i = 0; i < count && ok; i++)
        ok = insert_one(store, &inserts[i], &url, err);
    /* nothing stays bound to memory of the caller */
    sqlite3_clear_bindings(store->statements[INSERT]);
    sqlite3_clear_bindings(store->statements[SET_URL]);
    buffer_release(&url);
    return ok;
}

static bool store_update(struct todo_store *store, const struct todo *const *todos,
                         size_t count, struct error *err)
{
    bool ok = true;

    for (size_t i = 0; i < count && ok; i++) {
        ok = bind_todo(store->statements[UPDATE], todos[i])
                 ? run_with_id(store, UPDATE, todos[i]->id, "update a todo", NULL, err)
                 : fail(store, "update a todo", err);
    }
    sqlite3_clear_bindings(store->statements[UPDATE]);
    return ok;
}

static bool store_delete(struct todo_store *store, const int64_t *ids, size_t count,
                         struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!run_with_id(store, DELETE, ids[i], "delete a todo", NULL, err))
            return false;
    return true;
}

static bool store_clear(struct todo_store *store, struct error *err)
{
    return run(store, CLEAR, "delete all todos", NULL, err);
}

static bool fail_key(struct todo_store *store, struct error *err)
{
    bool is_taken = (sqlite3_errcode(store->connection) & 0xff) == SQLITE_CONSTRAINT;

    fail(store, "insert a key", err);
    if (is_taken)
        err->code = ERROR_TAKEN;
    return false;
}

static bool bind_key(sqlite3_stmt *statement, const struct todo_key *key)
{
    return sqlite3_bind_text(statement, 1, key->text, (int)key->length, SQLITE_STATIC) ==
           SQLITE_OK;
}

static bool insert_key(struct todo_store *store, const struct todo_key_use *use,
                       struct buffer *ids, struct error *err)
{
    sqlite3_stmt *statement = store->statements[INSERT_KEY];
    bool ok;

    buffer_clear(ids);
    for (size_t i = 0; i < use->id_count; i++) {
        if (i > 0)
            buffer_append_char(ids, ',');
        buffer_append_signed(ids, use->ids[i]);
    }
    if (ids->failed)
        return error_set(err, ERROR_SYSTEM, "insert a key: out of memory");
    ok = bind_key(statement, use->key) &&
         sqlite3_bind_int64(statement, 2, use->key->fingerprint) == SQLITE_OK &&
         sqlite3_bind_text(statement, 3, ids->data, (int)ids->size, SQLITE_STATIC) ==
             SQLITE_OK &&
         sqlite3_step(statement) == SQLITE_DONE;
    if (!ok)
        fail_key(store, err);
    sqlite3_reset(statement);
    return ok;
}

static bool store_insert_keys(struct todo_store *store, const struct todo_key_use *uses,
                              size_t count, struct error *err)
{
    struct buffer ids = {0};
    bool ok = true;

    for (size_t i = 0; i < count && ok; i++)
        ok = insert_key(store, &uses[i], &ids, err);
    sqlite3_clear_bindings(store->statements[INSERT_KEY]);
    buffer_release(&ids);
    return ok;
}

static bool find_key(struct todo_store *store, struct todo_key_use *use, struct error *err)
{
    sqlite3_stmt *statement = store->statements[FIND_KEY];
    const char *ids;
    bool ok;
    int step;

    if (!bind_key(store->statements[DELETE_KEY], use->key) || !bind_key(statement, use->key))
        return fail(store, "find a key", err);
    if (!run(store, DELETE_KEY, "forget a key", NULL, err))
        return false;
    step = sqlite3_step(statement);
    ok = step == SQLITE_ROW || step == SQLITE_DONE || fail(store, "find a key", err);
    if (step == SQLITE_ROW) {
        ids = (const char *)sqlite3_column_text(statement, 1);
        ok = ids || error_set(err, ERROR_SYSTEM, "find a key: out of memory");
        if (ids)
            todo_key_use_read(use, sqlite3_column_int64(statement, 0), ids);
    }
    sqlite3_reset(statement);
    return ok;
}

static bool store_find_keys(struct todo_store *store, struct todo_key_use *uses, size_t count,
                            struct error *err)
{
    bool ok = connect_store(store, err);

    for (size_t i = 0; i < count && ok; i++)
        ok = find_key(store, &uses[i], err);
    if (store->connection) {
        sqlite3_clear_bindings(store->statements[DELETE_KEY]);
        sqlite3_clear_bindings(store->statements[FIND_KEY]);
    }
    return ok;
}

/* In small steps: others wait for none of them. */
static void store_forget_keys(struct todo_store *store)
{
    struct error ignored = {0};

    if (clock_now() < store->forget_at)
        return;
    store->forget_at = clock_now() + FORGET_PAUSE;
    if (connect_store(store, &ignored))
        run(store, FORGET_KEYS, "forget keys", NULL, &ignored);
}

static bool store_commit(struct todo_store *store, struct error *err)
{
    struct error cause = {0};

    if (!db_sqlite_files_check(&store->files, store->connection, err))
        return false;
    if (run(store, COMMIT, "commit", NULL, &cause)) {
        store->no_room_at = 0;
        return true;
    }
    /* a disk error: what reached the disk is not known; but a full one took no commit */
    if (cause.code == ERROR_UNAVAILABLE &&
        (sqlite3_errcode(store->connection) & 0xff) != SQLITE_FULL)
        cause.code = ERROR_OUTCOME_UNKNOWN;
    return error_set(err, cause.code, "%s", cause.text);
}

/* What a change needs of the disk is written at the commit: less would not tell. */
static bool commit_nothing(struct todo_store *store, struct error *err)
{
    if (sqlite3_exec(store->connection, fill_sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(store, "change todos", err);
    return store_commit(store, err);
}

/* The lock that a change needs, and whether the file may be written: that is asked of a file
 * system that has become read-only. Where a change found no room, it is tried, now and then. */
static bool store_check(struct todo_store *store, struct error *err)
{
    bool is_done;

    if (store->no_room_at > 0 && clock_now() < store->no_room_at + NO_ROOM_PAUSE)
        return error_set(err, ERROR_UNAVAILABLE, "%s", store->no_room.text);
    if (!store_begin(store, false, err))
        return false;
    is_done = store->no_room_at == 0 || commit_nothing(store, err);
    store_roll_back(store);
    if (!is_done)
        return false;
    if (config_sqlite_in_memory(store->config->sqlite_path) ||
        access(store->config->sqlite_path, W_OK) == 0)
        return true;
    return error_set(err, ERROR_UNAVAILABLE, "cannot write the SQLite database %s: %s",
                     store->config->sqlite_path, strerror(errno));
}

static void store_close(struct todo_store *store)
{
    disconnect(store);
    free(store);
}

static const struct todo_store_driver driver = {
    .statements =
        {
                     .list = LIST_SQL,
                     .fetch = FETCH_SQL,
                     .insert = INSERT_SQL,
                     .update = UPDATE_SQL,
                     .update_many = UPDATE_SQL,
                     .delete = DELETE_SQL,
                     .clear = CLEAR_SQL,
                     },
    .close = store_close,
    .list = store_list,
    .fetch = store_fetch,
    .query = store_query,
    .begin = store_begin,
    .load_for_update = fetch_each, /* begin has locked the whole database */
    .list_for_update = list_all, /* the same */
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

bool store_sqlite_open(const struct config *config, struct todo_store_handle *handle,
                       struct error *err)
{
    struct todo_store *store = calloc(1, sizeof(*store));
    struct error later = {0};

    if (!store)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    store->config = config;
    handle->driver = &driver;
    handle->store = store;
    connect_store(store, &later); /* all have the same file, whatever is done to it later */
    return true;
}
