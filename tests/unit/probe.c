#include "probe.h"

#include "fake_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct question {
    struct todo_operation operation; /* first: the operation's pointer is ours */
    struct todo_change change;
    struct todo_edits edits;
    struct todo_key key;
    struct probe *probe;
};

void probes_init(struct probes *probes)
{
    *probes = (struct probes){0};
    pthread_mutex_init(&probes->lock, NULL);
    pthread_cond_init(&probes->changed, NULL);
}

void probes_release(struct probes *probes)
{
    pthread_cond_destroy(&probes->changed);
    pthread_mutex_destroy(&probes->lock);
}

bool probes_wait(struct probes *probes, unsigned releases)
{
    const struct timespec until = fake_patience();
    int late = 0;
    bool are_there;

    pthread_mutex_lock(&probes->lock);
    while (probes->releases < releases && late == 0)
        late = pthread_cond_timedwait(&probes->changed, &probes->lock, &until);
    are_there = probes->releases == releases;
    pthread_mutex_unlock(&probes->lock);
    return are_there;
}

static void set_change(struct todo_change *change, const struct probe *probe)
{
    change->title_set = probe->title != NULL;
    change->title_length = probe->title ? strlen(probe->title) : 0;
    (void)snprintf(change->title, sizeof(change->title), "%s",
                   probe->title ? probe->title : "");
    change->completed_set = probe->completed;
    change->completed = probe->completed;
    change->order_set = probe->order != 0;
    change->order = probe->order;
}

static struct probe *probe_of(struct todo_operation *operation)
{
    return ((struct question *)operation)->probe;
}

static enum todo_outcome judge(struct todo_operation *operation, const struct todo *todo,
                               const struct todo_list *list)
{
    const struct probe *probe = probe_of(operation);
    bool holds = todo ? todo->title && probe->if_title && !list &&
                            strcmp(todo->title, probe->if_title) == 0
                      : list->count == probe->if_count;

    return holds ? TODO_DONE : TODO_PRECONDITION_FAILED;
}

struct todo_operation *probe_ask(struct probe *probe)
{
    struct question *question = calloc(1, sizeof(*question));

    if (!question)
        abort();
    question->probe = probe;
    question->operation.kind = probe->kind;
    question->operation.id = probe->id;
    question->operation.query = probe->query;
    question->operation.ids = probe->ids;
    while (question->operation.id_count < 3 && probe->ids[question->operation.id_count] > 0)
        question->operation.id_count++;
    question->operation.is_probe = probe->of_readyz;
    question->operation.condition = probe->if_title || probe->if_count > 0 ? judge : NULL;
    question->operation.deadline = probe->deadline ? probe->deadline : PROBE_NEVER;
    if (probe->kind == TODO_CREATE || probe->kind == TODO_UPDATE) {
        set_change(&question->change, probe);
        question->operation.change = &question->change;
    }
    if (probe->kind == TODO_CREATE) {
        question->operation.base_url = "http://h";
        question->operation.url_format = probe->url_format;
    }
    if (probe->many > 0) {
        if (!todo_edits_init(&question->edits, probe->many))
            abort();
        for (size_t i = 0; i < probe->many; i++)
            todo_edits_add(&question->edits, probe->id > 0 ? probe->id + (int64_t)i : 0,
                           &question->change);
        if (!todo_edits_complete(&question->edits))
            abort();
        question->operation.edits = &question->edits;
    }
    if (probe->key) {
        question->key.length = strlen(probe->key);
        (void)snprintf(question->key.text, sizeof(question->key.text), "%s", probe->key);
        if (probe->many > 0)
            todo_key_set_fingerprint_of_many(&question->key, &question->edits,
                                             probe->url_format);
        else
            todo_key_set_fingerprint(&question->key, &question->change, probe->url_format);
        question->operation.key = &question->key;
    }
    return &question->operation;
}

static void answer(struct probes *probes, struct probe *probe, enum todo_outcome outcome)
{
    probe->answers++;
    probe->outcome = outcome;
    probe->place = ++probes->answers;
    probes->mistakes += probe->releases;
}

/* Whether it tells of todos: of one that there is, of those that were made or changed. */
static bool has_result(const struct todo_operation *operation)
{
    if (operation->outcome == TODO_PRECONDITION_FAILED)
        return operation->id > 0;
    return operation->outcome == TODO_DONE && operation->kind != TODO_DELETE &&
           operation->kind != TODO_CLEAR && operation->kind != TODO_CHECK;
}

static void keep_result(struct probe *probe, struct todo_operation *operation)
{
    struct buffer text = {0};

    bool has_list = operation->kind == TODO_LIST || operation->kind == TODO_FETCH_MANY;

    if (operation->outcome == TODO_DONE && has_list)
        for (size_t i = 0; i < operation->list->count; i++)
            fake_describe_todo(&operation->list->todos[i], &text);
    else if (has_result(operation))
        for (size_t i = 0; i < todo_operation_size(operation); i++)
            fake_describe_todo(todo_operation_result(operation, i), &text);
    else if (operation->outcome == TODO_NOT_FOUND && operation->edits)
        buffer_append_format(&text, "no %zu", operation->missing);
    if (operation->is_replayed)
        buffer_append_text(&text, " again");
    (void)snprintf(probe->result, sizeof(probe->result), "%s", text.data ? text.data : "");
    probe->has_more = operation->has_more;
    probe->list = operation->kind == TODO_LIST ? operation->list : NULL;
    buffer_release(&text);
}

void probe_complete(void *context, struct todo_operation *const *operations, size_t count)
{
    struct probes *probes = context;

    pthread_mutex_lock(&probes->lock);
    probes->waves++;
    for (size_t i = 0; i < count; i++) {
        struct probe *probe = probe_of(operations[i]);

        answer(probes, probe, operations[i]->outcome);
        probe->wave = probes->waves;
        keep_result(probe, operations[i]);
    }
    pthread_cond_broadcast(&probes->changed);
    pthread_mutex_unlock(&probes->lock);
}

void probe_give_up(void *context, struct todo_operation *operation, enum todo_outcome outcome)
{
    struct probes *probes = context;

    pthread_mutex_lock(&probes->lock);
    answer(probes, probe_of(operation), outcome);
    probe_of(operation)->given_up++;
    pthread_cond_broadcast(&probes->changed);
    pthread_mutex_unlock(&probes->lock);
}

void probe_release(void *context, struct todo_operation *operation)
{
    struct probes *probes = context;
    struct probe *probe = probe_of(operation);

    pthread_mutex_lock(&probes->lock);
    probe->releases++;
    probes->releases++;
    probes->mistakes += probe->answers == 0;
    pthread_cond_broadcast(&probes->changed);
    pthread_mutex_unlock(&probes->lock);
    todo_edits_release(&((struct question *)operation)->edits);
    free(operation);
}
