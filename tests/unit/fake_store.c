#include "fake_store.h"

#include "work/outage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE 5 /* seconds */

static const char *const call_names[FAKE_CALL_COUNT] = {
    [FAKE_LIST] = "list",         [FAKE_FETCH] = "fetch",      [FAKE_BEGIN] = "begin",
    [FAKE_LOAD] = "load",         [FAKE_INSERT] = "insert",    [FAKE_UPDATE] = "update",
    [FAKE_DELETE] = "delete",     [FAKE_CLEAR] = "clear",      [FAKE_CHECK] = "check",
    [FAKE_COMMIT] = "commit",     [FAKE_NO_CALL] = "",         [FAKE_ROLL_BACK] = "roll_back",
    [FAKE_LOAD_ALL] = "load_all", [FAKE_INSERT_KEYS] = "keys", [FAKE_FIND_KEYS] = "find",
    [FAKE_QUERY] = "query",
};

/* ---- what all calls do; the database's lock is held ---- */

static void complain(struct todo_store *store, enum fake_call call, const char *text)
{
    buffer_append_format(&store->database->complaints, "%s: %s; ", call_names[call], text);
}

static void expect(struct todo_store *store, enum fake_call call, bool kept, const char *rule)
{
    if (!kept)
        complain(store, call, rule);
}

static void check_thread(struct todo_store *store, enum fake_call call)
{
    if (!store->has_thread) {
        store->thread = pthread_self();
        store->has_thread = true;
    }
    expect(store, call, pthread_equal(store->thread, pthread_self()), "on another thread");
}

/* The fault that this call is to meet, or NULL. */
static const struct fake_fault *find_fault(const struct fake_database *database,
                                           enum fake_call call)
{
    for (size_t i = 0; i < FAKE_FAULTS_MAX; i++) {
        const struct fake_fault *fault = &database->faults[i];
        unsigned number = database->calls[call];

        if (fault->call == call && number >= fault->nth && number - fault->nth < fault->times)
            return fault;
    }
    return NULL;
}

/* Counts the call, and writes it down but for one that is given nothing. */
static void count_call(struct todo_store *store, enum fake_call call, bool has_work)
{
    struct fake_database *database = store->database;

    check_thread(store, call);
    database->calls[call]++;
    if (!has_work)
        return;
    if (database->trace.size > 0)
        buffer_append_char(&database->trace, ' ');
    buffer_append_text(&database->trace, call_names[call]);
}

static void trace_id(struct todo_store *store, size_t i, int64_t id)
{
    buffer_append_char(&store->database->trace, i == 0 ? ':' : ',');
    buffer_append_signed(&store->database->trace, id);
}

static bool fail_if_told(struct todo_store *store, enum fake_call call, struct error *err)
{
    const struct fake_fault *fault = find_fault(store->database, call);

    if (fault)
        error_set(err, fault->code, "%s was told to fail", call_names[call]);
    return fault != NULL;
}

static void hold(struct fake_database *database, enum fake_call call)
{
    unsigned generation = database->generation;

    if (database->held_call != call)
        return;
    database->held++;
    pthread_cond_broadcast(&database->changed);
    while (database->generation == generation)
        pthread_cond_wait(&database->changed, &database->lock);
}

/* ---- rows ---- */

static struct fake_row *find_row(struct fake_table *table, int64_t id)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].id == id)
            return &table->rows[i];
    return NULL;
}

static void set_row(struct fake_row *row, const struct todo *todo)
{
    row->has_title = todo->title != NULL;
    (void)snprintf(row->title, sizeof(row->title), "%.*s", (int)todo->title_length,
                   todo->title ? todo->title : "");
    row->completed = todo->completed;
    row->has_order = todo->has_order;
    row->order = todo->order;
}

static bool copy_row(const struct fake_row *row, struct todo_list *out)
{
    return todo_list_add(out, &(struct todo){
                                  .id = row->id,
                                  .title = row->has_title ? row->title : NULL,
                                  .title_length = strlen(row->title),
                                  .completed = row->completed,
                                  .has_order = row->has_order,
                                  .order = row->order,
                                  .url_format = row->url_format,
                              });
}

/* The rows of these ids, or all without ids. */
static bool copy_rows(struct fake_table *table, const int64_t *ids, size_t count,
                      struct todo_list *out, struct error *err)
{
    bool ok = true;

    for (size_t i = 0; !ids && i < table->count && ok; i++)
        ok = copy_row(&table->rows[i], out);
    for (size_t i = 0; ids && i < count && ok; i++) {
        const struct fake_row *row = find_row(table, ids[i]);
        ok = !row || copy_row(row, out);
    }
    if (!ok)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    todo_list_complete(out);
    return true;
}

static void check_ids(struct todo_store *store, enum fake_call call, const int64_t *ids,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        trace_id(store, i, ids[i]);
        expect(store, call, i == 0 || ids[i] > ids[i - 1], "ids are not sorted and distinct");
    }
}

static bool is_loaded(const struct todo_store *store, int64_t id)
{
    for (size_t i = 0; i < store->loaded_count; i++)
        if (store->loaded[i] == id)
            return true;
    return false;
}

/* ---- the driver ---- */

static bool read_rows(struct todo_store *store, enum fake_call call, const int64_t *ids,
                      size_t count, struct todo_list *out, struct error *err)
{
    struct fake_database *database = store->database;
    bool ok;

    pthread_mutex_lock(&database->lock);
    count_call(store, call, true);
    check_ids(store, call, ids, count);
    expect(store, call, !store->in_transaction, "within a transaction");
    expect(store, call, out->count == 0, "into a list that is not empty");
    ok = !fail_if_told(store, call, err) && copy_rows(&database->table, ids, count, out, err);
    hold(database, call);
    pthread_mutex_unlock(&database->lock);
    return ok;
}

static bool fake_list(struct todo_store *store, struct todo_list *out, struct error *err)
{
    return read_rows(store, FAKE_LIST, NULL, 0, out, err);
}

static bool fake_fetch(struct todo_store *store, const int64_t *ids, size_t count,
                       struct todo_list *out, struct error *err)
{
    return read_rows(store, FAKE_FETCH, ids, count, out, err);
}

/* All todos in order of id, up to one beyond the limit. */
static bool fake_query(struct todo_store *store, const struct todo_query *query,
                       struct todo_list *out, struct error *err)
{
    struct fake_database *database = store->database;
    bool ok;

    pthread_mutex_lock(&database->lock);
    count_call(store, FAKE_QUERY, true);
    buffer_append_format(&database->trace, ":%s", query->key);
    expect(store, FAKE_QUERY, !store->in_transaction, "within a transaction");
    expect(store, FAKE_QUERY, out->count == 0, "into a list that is not empty");
    ok =
        !fail_if_told(store, FAKE_QUERY, err) && copy_rows(&database->table, NULL, 0, out, err);
    if (query->limit > 0 && out->count > query->limit + 1)
        out->count = query->limit + 1;
    hold(database, FAKE_QUERY);
    pthread_mutex_unlock(&database->lock);
    return ok;
}

static bool fake_begin(struct todo_store *store, bool waits, struct error *err)
{
    struct fake_database *database = store->database;
    bool ok;

    pthread_mutex_lock(&database->lock);
    count_call(store, FAKE_BEGIN, true);
    if (waits)
        buffer_append_text(&database->trace, ":waits");
    expect(store, FAKE_BEGIN, !store->in_transaction, "within a transaction");
    ok = !fail_if_told(store, FAKE_BEGIN, err);
    store->in_transaction = ok;
    store->is_failed = false;
    store->loaded_count = 0;
    store->working = database->table;
    hold(database, FAKE_BEGIN);
    pthread_mutex_unlock(&database->lock);
    return ok;
}

/* Begins a change; end_change must follow. False when it is to fail. */
static bool begin_change(struct todo_store *store, enum fake_call call, bool has_work,
                         struct error *err)
{
    pthread_mutex_lock(&store->database->lock);
    count_call(store, call, has_work);
    expect(store, call, store->in_transaction, "outside of a transaction");
    expect(store, call, !store->is_failed, "after a change that failed");
    return !fail_if_told(store, call, err);
}

static bool end_change(struct todo_store *store, enum fake_call call, bool ok)
{
    store->is_failed = store->is_failed || !ok;
    hold(store->database, call);
    pthread_mutex_unlock(&store->database->lock);
    return ok;
}

/* With the database's lock held. */
static bool is_locked(const struct todo_store *store, int64_t id, struct error *err)
{
    for (size_t i = 0; i < FAKE_LOCKED_MAX; i++)
        if (store->database->locked[i] > 0 && store->database->locked[i] == id) {
            error_set(err, ERROR_CONFLICT, "todo %lld is locked", (long long)id);
            return true;
        }
    return false;
}

static bool fake_load(struct todo_store *store, const int64_t *ids, size_t count,
                      struct todo_list *out, struct error *err)
{
    bool ok = begin_change(store, FAKE_LOAD, count > 0, err);

    check_ids(store, FAKE_LOAD, ids, count);
    expect(store, FAKE_LOAD, out->count == 0, "into a list that is not empty");
    for (size_t i = 0; i < count && ok; i++)
        ok = !is_locked(store, ids[i], err);
    ok = ok && copy_rows(&store->working, ids, count, out, err);
    for (size_t i = 0; ok && i < out->count; i++)
        store->loaded[store->loaded_count++] = out->todos[i].id;
    return end_change(store, FAKE_LOAD, ok);
}

static bool fake_load_all(struct todo_store *store, struct todo_list *out, struct error *err)
{
    bool ok = begin_change(store, FAKE_LOAD_ALL, true, err);

    expect(store, FAKE_LOAD_ALL, out->count == 0, "into a list that is not empty");
    for (size_t i = 0; i < store->working.count && ok; i++)
        ok = !is_locked(store, store->working.rows[i].id, err);
    ok = ok && copy_rows(&store->working, NULL, 0, out, err);
    return end_change(store, FAKE_LOAD_ALL, ok);
}

static bool is_bad(const struct todo_store *store, const struct todo *todo, struct error *err)
{
    const char *bad = store->database->bad_title;

    if (!bad || !todo->title || strcmp(todo->title, bad) != 0)
        return false;
    error_set(err, ERROR_DATABASE, "a bad title");
    return true;
}

static bool fake_insert(struct todo_store *store, struct todo_insert *inserts, size_t count,
                        struct error *err)
{
    struct fake_database *database = store->database;
    bool ok = begin_change(store, FAKE_INSERT, count > 0, err);

    if (ok && count > 0 && database->is_gap_locked)
        ok = error_set(err, ERROR_CONFLICT, "a gap is locked");

    for (size_t i = 0; i < count && ok; i++) {
        struct fake_row *row = &store->working.rows[store->working.count];

        ok = !is_bad(store, &inserts[i].todo, err) && store->working.count < FAKE_ROWS_MAX;
        if (!ok)
            break;
        inserts[i].todo.id = database->next_id; /* not given back by a roll_back */
        database->next_id += database->increment;
        trace_id(store, i, inserts[i].todo.id);
        expect(store, FAKE_INSERT, inserts[i].base_url != NULL, "without a base URL");
        row->id = inserts[i].todo.id;
        row->url_format = inserts[i].todo.url_format;
        set_row(row, &inserts[i].todo);
        store->working.count++;
    }
    return end_change(store, FAKE_INSERT, ok);
}

static bool fake_update(struct todo_store *store, const struct todo *const *todos, size_t count,
                        struct error *err)
{
    bool ok = begin_change(store, FAKE_UPDATE, count > 0, err);

    for (size_t i = 0; i < count && ok; i++) {
        struct fake_row *row = find_row(&store->working, todos[i]->id);

        trace_id(store, i, todos[i]->id);
        expect(store, FAKE_UPDATE, i == 0 || todos[i]->id > todos[i - 1]->id,
               "todos are not sorted and distinct");
        expect(store, FAKE_UPDATE, row && is_loaded(store, todos[i]->id),
               "of a row that was not loaded for update");
        ok = row && !is_bad(store, todos[i], err);
        if (ok)
            set_row(row, todos[i]);
    }
    return end_change(store, FAKE_UPDATE, ok);
}

static bool fake_delete(struct todo_store *store, const int64_t *ids, size_t count,
                        struct error *err)
{
    bool ok = begin_change(store, FAKE_DELETE, count > 0, err);

    check_ids(store, FAKE_DELETE, ids, count);
    for (size_t i = 0; i < count && ok; i++) {
        struct fake_row *row = find_row(&store->working, ids[i]);
        size_t place = row ? (size_t)(row - store->working.rows) : 0;

        if (!row)
            continue;
        store->working.count--;
        memmove(row, row + 1, (store->working.count - place) * sizeof(*row));
    }
    return end_change(store, FAKE_DELETE, ok);
}

static bool fake_clear(struct todo_store *store, struct error *err)
{
    bool ok = begin_change(store, FAKE_CLEAR, true, err);

    for (size_t i = 0; i < store->working.count && ok; i++)
        ok = !is_locked(store, store->working.rows[i].id, err);
    if (ok)
        store->working.count = 0;
    return end_change(store, FAKE_CLEAR, ok);
}

static bool fake_commit(struct todo_store *store, struct error *err)
{
    struct fake_database *database = store->database;
    bool ok = begin_change(store, FAKE_COMMIT, true, err);
    const struct fake_fault *fault = find_fault(database, FAKE_COMMIT);

    if (ok || (fault && fault->applied))
        database->table = store->working;
    if (ok)
        store->in_transaction = false;
    return end_change(store, FAKE_COMMIT, ok);
}

static void fake_roll_back(struct todo_store *store)
{
    struct fake_database *database = store->database;

    pthread_mutex_lock(&database->lock);
    count_call(store, FAKE_ROLL_BACK, true);
    expect(store, FAKE_ROLL_BACK, store->in_transaction, "outside of a transaction");
    store->in_transaction = false;
    hold(database, FAKE_ROLL_BACK);
    pthread_mutex_unlock(&database->lock);
}

static bool fake_check(struct todo_store *store, struct error *err)
{
    struct fake_database *database = store->database;
    bool ok;

    pthread_mutex_lock(&database->lock);
    count_call(store, FAKE_CHECK, true);
    expect(store, FAKE_CHECK, !store->in_transaction, "within a transaction");
    ok = !fail_if_told(store, FAKE_CHECK, err);
    hold(database, FAKE_CHECK);
    pthread_mutex_unlock(&database->lock);
    return ok;
}

static void fake_close(struct todo_store *store)
{
    struct fake_database *database = store->database;

    pthread_mutex_lock(&database->lock);
    if (store->has_thread)
        check_thread(store, FAKE_NO_CALL);
    expect(store, FAKE_NO_CALL, !store->in_transaction, "closed within a transaction");
    database->closed++;
    pthread_mutex_unlock(&database->lock);
    free(store);
}

static const struct fake_key *find_key(const struct fake_table *table, const char *text)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (strcmp(table->keys[i].text, text) == 0)
            return &table->keys[i];
    return NULL;
}

static bool is_key_held(const struct fake_database *database, const char *text)
{
    return database->held_key && strcmp(database->held_key, text) == 0;
}

static void trace_key(struct todo_store *store, size_t i, const char *text)
{
    buffer_append_char(&store->database->trace, i == 0 ? ':' : ',');
    buffer_append_text(&store->database->trace, text);
}

static bool fake_insert_keys(struct todo_store *store, const struct todo_key_use *uses,
                             size_t count, struct error *err)
{
    bool ok = begin_change(store, FAKE_INSERT_KEYS, true, err);

    expect(store, FAKE_INSERT_KEYS, count > 0, "of none");
    for (size_t i = 0; i < count && ok; i++) {
        const char *text = uses[i].key->text;
        struct fake_key *key = &store->working.keys[store->working.key_count];

        trace_key(store, i, text);
        expect(store, FAKE_INSERT_KEYS, i == 0 || strcmp(uses[i - 1].key->text, text) < 0,
               "keys are not sorted and distinct");
        expect(store, FAKE_INSERT_KEYS, find_row(&store->working, uses[i].ids[0]) != NULL,
               "of no todo");
        if (find_key(&store->working, text) || is_key_held(store->database, text))
            ok = error_set(err, ERROR_TAKEN, "the key %s is there", text);
        (void)snprintf(key->text, sizeof(key->text), "%s", text);
        key->fingerprint = uses[i].key->fingerprint;
        key->id = uses[i].ids[0];
        store->working.key_count += ok && store->working.key_count + 1 < FAKE_KEYS_MAX;
    }
    return end_change(store, FAKE_INSERT_KEYS, ok);
}

static bool fake_find_keys(struct todo_store *store, struct todo_key_use *uses, size_t count,
                           struct error *err)
{
    struct fake_database *database = store->database;
    bool ok;

    pthread_mutex_lock(&database->lock);
    count_call(store, FAKE_FIND_KEYS, true);
    expect(store, FAKE_FIND_KEYS, !store->in_transaction, "within a transaction");
    ok = !fail_if_told(store, FAKE_FIND_KEYS, err);
    for (size_t i = 0; i < count && ok; i++) {
        const struct fake_key *key = find_key(&database->table, uses[i].key->text);
        char ids[24];

        trace_key(store, i, uses[i].key->text);
        (void)snprintf(ids, sizeof(ids), "%lld", key ? (long long)key->id : 0);
        if (key)
            todo_key_use_read(&uses[i], key->fingerprint, ids);
        else if (is_key_held(database, uses[i].key->text))
            uses[i].state = TODO_KEY_HELD;
    }
    pthread_mutex_unlock(&database->lock);
    return ok;
}

static void fake_forget_keys(struct todo_store *store)
{
    expect(store, FAKE_NO_CALL, !store->in_transaction, "forgets within a transaction");
}

static const struct todo_store_driver driver = {
    .close = fake_close,
    .list = fake_list,
    .fetch = fake_fetch,
    .query = fake_query,
    .begin = fake_begin,
    .load_for_update = fake_load,
    .list_for_update = fake_load_all,
    .insert = fake_insert,
    .update = fake_update,
    .delete = fake_delete,
    .clear = fake_clear,
    .insert_keys = fake_insert_keys,
    .find_keys = fake_find_keys,
    .forget_keys = fake_forget_keys,
    .commit = fake_commit,
    .roll_back = fake_roll_back,
    .check = fake_check,
};

static struct todo_outage outage = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool fake_open(void *database, struct todo_store_handle *handle, struct error *err)
{
    struct todo_store *store = calloc(1, sizeof(*store));

    if (!store)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    store->database = database;
    store->database->opened++;
    handle->driver = &driver;
    handle->store = store;
    handle->outage = &outage;
    return true;
}

/* ---- for the tests ---- */

void fake_init(struct fake_database *database)
{
    *database = (struct fake_database){.next_id = 1, .increment = 1};
    pthread_mutex_init(&database->lock, NULL);
    pthread_cond_init(&database->changed, NULL);
}

bool fake_release(struct fake_database *database, const char *row)
{
    bool is_quiet = database->complaints.size == 0 && database->opened == database->closed &&
                    database->held == 0;

    if (!is_quiet)
        (void)fprintf(stderr, "%s: %s%u stores opened, %u closed, %u calls held\n", row,
                      database->complaints.data ? database->complaints.data : "",
                      database->opened, database->closed, database->held);
    buffer_release(&database->trace);
    buffer_release(&database->complaints);
    pthread_cond_destroy(&database->changed);
    pthread_mutex_destroy(&database->lock);
    return is_quiet;
}

void fake_add(struct fake_database *database, const char *title)
{
    struct fake_row *row;

    pthread_mutex_lock(&database->lock);
    row = &database->table.rows[database->table.count++];
    *row = (struct fake_row){.id = database->next_id, .has_title = title != NULL};
    (void)snprintf(row->title, sizeof(row->title), "%s", title ? title : "");
    database->next_id += database->increment;
    pthread_mutex_unlock(&database->lock);
}

void fake_use_key(struct fake_database *database, const char *text, const char *title,
                  int64_t id)
{
    struct fake_key *key = &database->table.keys[database->table.key_count++];
    struct todo_change change = {.title_set = true, .title_length = strlen(title)};
    struct todo_key with_fingerprint;

    (void)snprintf(change.title, sizeof(change.title), "%s", title);
    todo_key_set_fingerprint(&with_fingerprint, &change, TODO_URL_PLAIN);
    *key = (struct fake_key){.fingerprint = with_fingerprint.fingerprint, .id = id};
    (void)snprintf(key->text, sizeof(key->text), "%s", text);
}

void fake_hold(struct fake_database *database, enum fake_call call)
{
    pthread_mutex_lock(&database->lock);
    database->held_call = call;
    database->held = 0;
    database->generation++;
    pthread_cond_broadcast(&database->changed);
    pthread_mutex_unlock(&database->lock);
}

struct timespec fake_patience(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE;
    return until;
}

bool fake_wait_held(struct fake_database *database, unsigned count)
{
    const struct timespec until = fake_patience();
    int late = 0;
    bool is_held;

    pthread_mutex_lock(&database->lock);
    while (database->held < count && late == 0)
        late = pthread_cond_timedwait(&database->changed, &database->lock, &until);
    is_held = database->held == count;
    pthread_mutex_unlock(&database->lock);
    return is_held;
}

void fake_let_go(struct fake_database *database)
{
    fake_hold(database, FAKE_NO_CALL);
}

void fake_lock(struct fake_database *database, int64_t id)
{
    pthread_mutex_lock(&database->lock);
    for (size_t i = 0; i < FAKE_LOCKED_MAX; i++) {
        if (id > 0 && database->locked[i] > 0)
            continue;
        database->locked[i] = id;
        if (id > 0)
            break;
    }
    pthread_mutex_unlock(&database->lock);
}

unsigned fake_calls(struct fake_database *database, enum fake_call call)
{
    unsigned calls;

    pthread_mutex_lock(&database->lock);
    calls = database->calls[call];
    pthread_mutex_unlock(&database->lock);
    return calls;
}

void fake_describe_todo(const struct todo *todo, struct buffer *out)
{
    if (out->size > 0)
        buffer_append_text(out, "; ");
    buffer_append_signed(out, todo->id);
    buffer_append_format(out, " %s%s", todo->title ? todo->title : "-",
                         todo->completed ? " done " : " open ");
    if (todo->has_order)
        buffer_append_signed(out, todo->order);
    else
        buffer_append_char(out, '-');
    buffer_append_text(out, todo_url_suffix(todo->url_format));
}

void fake_describe_table(struct fake_database *database, struct buffer *out)
{
    struct todo_list list = {0};
    struct error err = {0};

    pthread_mutex_lock(&database->lock);
    if (!copy_rows(&database->table, NULL, 0, &list, &err))
        out->failed = true;
    pthread_mutex_unlock(&database->lock);
    for (size_t i = 0; i < list.count; i++)
        fake_describe_todo(&list.todos[i], out);
    todo_list_release(&list);
}
