#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * A database of a test's own, made anew by sandbox_make, in which commands are run and which
 * the test looks into: an SQLite file, or a database of the MariaDB server.
 */

#include "command.h"

#include "base/config.h"
#include "schema/session.h"

#include <stdbool.h>
#include <sys/types.h>

struct sandbox {
    char folder[256]; /* of the SQLite database and of what started commands write */
    char sqlite_path[300];
    char sqlite_setting[320];
    const char *settings[5]; /* the database, the port of `serve`, and room for two */
    struct config config;
    struct db_session session;
    struct command_result result;
};

bool on_mysql(void);

/* Without a connection: an SQLite database doesn't exist yet. */
bool sandbox_make(struct sandbox *sandbox);
bool sandbox_open(struct sandbox *sandbox);
void sandbox_close(struct sandbox *sandbox);

/* A session of the test's own. */
bool connect_to(struct db_session *session, const struct config *config);

/* SQL in the sandbox's session: a statement, a list of them that are ended by `;`, a number. */
void run_one(struct sandbox *sandbox, const char *sql);
void run_list(struct sandbox *sandbox, const char *statements);
long long ask_number(struct sandbox *sandbox, const char *sql);
int count_tables(struct sandbox *sandbox);

/* Waits until a query gives 1. */
bool wait_for(struct sandbox *sandbox, const char *sql);

/* Runs the program with up to four words: "migrate --wait 1"; its output is sandbox->result. */
bool run_app(struct sandbox *sandbox, const char *row, const char *words, int status);

/* Runs the program beside the test; `slot` tells such runs apart. */
pid_t start_app(struct sandbox *sandbox, const char *const *arguments, int slot);
void read_app(struct sandbox *sandbox, int slot);
bool finish_app(struct sandbox *sandbox, const char *row, pid_t pid, int slot, int status);

/* Waits until such a run has said this on stderr. */
bool wait_for_words(struct sandbox *sandbox, int slot, const char *words);

/* "" for an empty one. */
const char *text_of(const struct buffer *buffer);

#endif
