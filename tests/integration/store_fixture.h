#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

/*
 * A database of the store tests' own, with the schema in it, and what these tests do with
 * stores all the time. A call that fails without being meant to is a failed check. For the main
 * thread, like the checks.
 */

#include "base/config.h"
#include "base/error.h"
#include "work/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern struct config store_config;      /* the stores' */
extern struct config store_root_config; /* MySQL: the same database, with all rights */

/* Opens a store on it, which connects when it is first used; an empty table before that. */
void store_open(struct todo_store_handle *store);
void store_open_empty(struct todo_store_handle *store);
void store_close(struct todo_store_handle *store);

/* SQL on a connection of its own; query gives one column (from 0) of the first row, "(none)"
 * without a row and "NULL" for NULL. */
void run_sql(const struct config *config, const char *sql);
void query_sql(const struct config *config, const char *sql, unsigned column, char *text,
               size_t size);

/* What the driver does, and must do well. */
void must_list(const struct todo_store_handle *store, struct todo_list *list);
void must_fetch(const struct todo_store_handle *store, const int64_t *ids, size_t count,
                struct todo_list *list);
void must_begin(const struct todo_store_handle *store);
void must_load(const struct todo_store_handle *store, const int64_t *ids, size_t count,
               struct todo_list *list);
void must_insert(const struct todo_store_handle *store, struct todo_insert *inserts,
                 size_t count);
void must_update(const struct todo_store_handle *store, const struct todo_list *list);
void must_delete(const struct todo_store_handle *store, const int64_t *ids, size_t count);
void must_commit(const struct todo_store_handle *store);

/* A call that must have failed with this code. */
void must_fail(const char *what, bool good, const struct error *err, enum error_code code);

struct todo_insert insert_of(const char *title);

/* Todos of these titles, in a transaction of their own; gives their ids. */
void create_todos(const struct todo_store_handle *store, const char *const *titles,
                  size_t count, int64_t *ids);
int64_t create_one(const struct todo_store_handle *store, const char *title);

/* Loads a todo for update and gives it this title, within a transaction. */
void change_title(const struct todo_store_handle *store, int64_t id, const char *title);

/* Whether these are the titles that a new connection lists, ended by NULL. */
void check_titles(const char *row, const char *const *titles);

/* Whether titles of all sorts, inserted and updated, are read as they were written. */
void check_titles_come_back(const char *row);

/* A store's begin and load_for_update of one todo, then roll_back, in a thread of its own. */
struct lock_waiter *lock_waiter_start(int64_t id);
bool lock_waiter_waits(const struct lock_waiter *waiter);

struct lock_result {
    bool good;
    struct error err;
    uint64_t milliseconds;
    char title[64];
};

/* Waits for its end. */
struct lock_result lock_waiter_join(struct lock_waiter *waiter);

#endif
