#include "store/sqlite.h"

#include "base/buffer.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

enum statement {
    LIST,
    FETCH,
    BEGIN,
    INSERT,
    SET_URL,
    UPDATE,
    DELETE,
    CLEAR,
    COMMIT,
    ROLL_BACK,
    STATEMENT_COUNT,
};

static const char *const statement_sql[STATEMENT_COUNT] = {
    [LIST] = "SELECT id, title, completed, \"order\", url FROM todo_todoitem ORDER BY id",
    [FETCH] = "SELECT id, title, completed, \"order\", url FROM todo_todoitem WHERE id = ?1",
    [BEGIN] = "BEGIN IMMEDIATE", /* the write lock now, so that nothing fails half way for want
                                    of it */
    [INSERT] = "INSERT INTO todo_todoitem (title, completed, \"order\") VALUES (?2, ?3, ?4)",
    [SET_URL] = "UPDATE todo_todoitem SET url = ?2 WHERE id = ?1",
    [UPDATE] =
        "UPDATE todo_todoitem SET title = ?2, completed = ?3, \"order\" = ?4 WHERE id = ?1",
    [DELETE] = "DELETE FROM todo_todoitem WHERE id = ?1",
    [CLEAR] = "DELETE FROM todo_todoitem",
    [COMMIT] = "COMMIT",
    [ROLL_BACK] = "ROLLBACK",
};

struct todo_store {
    const struct config *config;
    sqlite3 *connection; /* NULL: to be opened */
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static void disconnect(struct todo_store *store)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    db_sqlite_close(store->connection);
    store->connection = NULL;
}

static bool fail(struct todo_store *store, const char *doing, struct error *err)
{
    return db_sqlite_fail(store->connection, doing, err);
}

static bool connect_store(struct todo_store *store, struct error *err)
{
    if (store->connection)
        return true;
    store->connection = db_sqlite_open(store->config->sqlite_path, err);
    if (!store->connection) {
        err->code = ERROR_UNAVAILABLE; /* as it is to those who ask while we serve */
        return false;
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(store->connection, statement_sql[i], -1,
                               SQLITE_PREPARE_PERSISTENT, &store->statements[i],
                               NULL) == SQLITE_OK)
            continue;
        fail(store, "prepare a statement", err);
        disconnect(store);
        return false;
    }
    return true;
}

/* Runs a statement to its end and resets it; its rows are added to *out, which may be NULL. */
static bool run(struct todo_store *store, enum statement which, const char *doing,
                struct todo_list *out, struct error *err)
{
    sqlite3_stmt *statement = store->statements[which];
    bool ok = true;
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW && ok) {
        const struct todo row = {
            .id = (uint32_t)sqlite3_column_int64(statement, 0),
            .title = (const char *)sqlite3_column_text(statement, 1),
            .title_length = (size_t)sqlite3_column_bytes(statement, 1),
            .completed = sqlite3_column_int(statement, 2) != 0,
            .has_order = sqlite3_column_type(statement, 3) != SQLITE_NULL,
            .order = sqlite3_column_int(statement, 3),
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

static bool run_with_id(struct todo_store *store, enum statement which, uint32_t id,
                        const char *doing, struct todo_list *out, struct error *err)
{
    sqlite3_bind_int64(store->statements[which], 1, id);
    return run(store, which, doing, out, err);
}

static bool store_list(struct todo_store *store, struct todo_list *out, struct error *err)
{
    if (!connect_store(store, err) || !run(store, LIST, "list todos", out, err))
        return false;
    todo_list_complete(out);
    return true;
}

static bool fetch_each(struct todo_store *store, const uint32_t *ids, size_t count,
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
static bool store_fetch(struct todo_store *store, const uint32_t *ids, size_t count,
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

static bool store_begin(struct todo_store *store, struct error *err)
{
    return connect_store(store, err) && run(store, BEGIN, "begin", NULL, err);
}

static void bind_todo(sqlite3_stmt *statement, const struct todo *todo)
{
    if (todo->title)
        sqlite3_bind_text(statement, 2, todo->title, (int)todo->title_length, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, 2);
    sqlite3_bind_int(statement, 3, todo->completed);
    if (todo->has_order)
        sqlite3_bind_int(statement, 4, todo->order);
    else
        sqlite3_bind_null(statement, 4);
}

static bool insert_one(struct todo_store *store, struct todo_insert *insert, struct buffer *url,
                       struct error *err)
{
    bind_todo(store->statements[INSERT], &insert->todo);
    if (!run(store, INSERT, "insert a todo", NULL, err))
        return false;
    insert->todo.id = (uint32_t)sqlite3_last_insert_rowid(store->connection);
    buffer_clear(url);
    buffer_append_text(url, insert->base_url);
    buffer_append_text(url, "/todos/");
    buffer_append_unsigned(url, insert->todo.id);
    buffer_append_text(url, todo_url_suffix(insert->todo.url_format));
    if (url->failed)
        return error_set(err, ERROR_SYSTEM, "insert a todo: out of memory");
    sqlite3_bind_text(store->statements[SET_URL], 2, url->data, (int)url->size, SQLITE_STATIC);
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
        bind_todo(store->statements[UPDATE], todos[i]);
        ok = run_with_id(store, UPDATE, todos[i]->id, "update a todo", NULL, err);
    }
    sqlite3_clear_bindings(store->statements[UPDATE]);
    return ok;
}

static bool store_delete(struct todo_store *store, const uint32_t *ids, size_t count,
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

static bool store_commit(struct todo_store *store, struct error *err)
{
    struct error cause = {0};

    if (run(store, COMMIT, "commit", NULL, &cause))
        return true;
    if (cause.code == ERROR_UNAVAILABLE) /* a disk error: what reached the disk is not known */
        cause.code = ERROR_OUTCOME_UNKNOWN;
    return error_set(err, cause.code, "%s", cause.text);
}

static void store_close(struct todo_store *store)
{
    disconnect(store);
    free(store);
}

static const struct todo_store_driver driver = {
    .close = store_close,
    .list = store_list,
    .fetch = store_fetch,
    .begin = store_begin,
    .load_for_update = fetch_each, /* begin has locked the whole database */
    .insert = store_insert,
    .update = store_update,
    .delete = store_delete,
    .clear = store_clear,
    .commit = store_commit,
    .roll_back = store_roll_back,
};

bool store_sqlite_open(const struct config *config, struct todo_store_handle *handle,
                       struct error *err)
{
    struct todo_store *store = calloc(1, sizeof(*store));

    if (!store)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    store->config = config;
    handle->driver = &driver;
    handle->store = store;
    return true;
}
