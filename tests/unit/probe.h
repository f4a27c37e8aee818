#ifndef PROBE_H
#define PROBE_H

/*
 * A probe is a question to the todos that remembers how it was answered. Its operation lives in
 * memory of its own that is gone once it is released, so that a sanitizer sees a late use.
 */

#include "work/operation.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_NEVER UINT64_MAX

/* The context of the callbacks. */
struct probes {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned waves; /* how often probes were answered together */
    unsigned answers;
    unsigned releases;
    unsigned mistakes; /* released before the answer, answered after the release */
};

struct probe {
    /* the question; a field that is not given stays as it is */
    enum todo_operation_kind kind;
    int64_t id;
    const struct todo_query *query;
    int64_t ids[3]; /* of fetch_many, up to the first 0 */
    const char *title;
    bool completed;
    int32_t order;
    enum todo_url_format url_format;
    const char *key;      /* NULL: none */
    size_t many;          /* so many creates, or updates of the todos from `id` on; 0: one */
    uint64_t deadline;    /* 0: never */
    bool of_readyz;       /* see struct todo_operation */
    const char *if_title; /* the condition: that the todo has this title, or */
    size_t if_count;      /* that there are so many todos */

    /* the answer, under the probes' lock */
    unsigned answers;
    unsigned given_up;
    unsigned releases;
    unsigned wave;  /* 1: answered with the first ones */
    unsigned place; /* 1: the first that was answered */
    enum todo_outcome outcome;
    const struct todo_list *list;
    bool has_more;
    char result[256]; /* as by fake_describe_todo */
};

void probes_init(struct probes *probes);
void probes_release(struct probes *probes);

/* Waits for so many releases in all; false after some seconds. */
bool probes_wait(struct probes *probes, unsigned releases);

/* An operation that asks; probe_release frees it. */
struct todo_operation *probe_ask(struct probe *probe);

/* The queue's callbacks; the context is a struct probes. */
todo_answer probe_complete;
void probe_give_up(void *context, struct todo_operation *operation, enum todo_outcome outcome);
void probe_release(void *context, struct todo_operation *operation);

#endif
