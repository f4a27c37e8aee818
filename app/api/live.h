#ifndef API_LIVE_H
#define API_LIVE_H

/*
 * Readers who have the current version already and would wait for the next one (`Prefer: wait`,
 * RFC 7240, with If-None-Match). They take no thread, no place in the queue and no connection
 * of the database. After a commit of this process, and once a second for those of others, one
 * look at the database is made for all of them; who sees something new in it is answered.
 *
 * A look answers those only who had come before it began: no answer is older than its question.
 */

#include "http/etag.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct todo_api;
struct todo_call;
TAILQ_HEAD(todo_calls, todo_call);

struct todo_live {
    pthread_mutex_t lock;      /* of the rest */
    struct todo_calls waiting; /* in order of arrival */
    size_t count;              /* of these, and of those on their way here */
    bool is_closed;            /* nobody waits any more */
    _Atomic uint64_t changes;  /* commits of this process */
    uint64_t looks;            /* that have begun */
    uint64_t looked_at;        /* clock_now(), when the last one began */
    unsigned open;  /* questions of the look that are not answered; 0: there is none */
    bool is_wanted; /* another look, as soon as that one is over */
};

void todo_live_open(struct todo_live *live);

/* Answers all who wait; nobody waits from now on. */
void todo_live_drain(struct todo_api *api);

/* When nobody is on the way. */
void todo_live_close(struct todo_live *live);

/* Notes how long a reader would wait: of the whole list or of a todo; for pages there is no
 * look. Before it is submitted. */
void todo_live_prepare(struct todo_api *api, struct todo_call *call);

/* Whether it waits: instead of an answer, now that there is nothing new for it. `etag` and
 * `size` are those of what it knows. It begins with todo_live_add. */
bool todo_live_park(struct todo_api *api, struct todo_call *call, const char *etag,
                    size_t size);
void todo_live_add(struct todo_api *api, struct todo_call *call);

/* Something was committed. Not with the queue's lock held. */
void todo_live_changed(struct todo_api *api);

/* A look has an answer: takes out those who wait for it. They are parked; who is still so is to
 * be given back, the others are gone. */
void todo_live_take(struct todo_api *api, const struct todo_call *look,
                    struct todo_calls *calls);
void todo_live_give_back(struct todo_api *api, struct todo_calls *parked, size_t gone);

/* A question of the look is answered, or won't be: then no new one may be asked at once, for
 * the queue's lock may be held. */
void todo_live_end_look(struct todo_api *api);
void todo_live_give_up_look(struct todo_api *api);

/* Answers those whose time is over or who have left, and looks once a second. From time to
 * time, by one thread. */
void todo_live_tick(struct todo_api *api, uint64_t now);

/* How many wait. */
size_t todo_live_count(struct todo_live *live);

#endif
