#include "work/queue.h"

#include "base/clock.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Operations that come together wait for the database together: that costs fewer trips. But not
 * more than these, so that the database works while the next ones are read. Measured, see
 * tests/bench: with 16 or 64 either reads or writes are slower. */
#define WAVE_MOST 32

/* Batches of changes that may wait for a lock of somebody else; more are refused. */
#define KEPT_BATCHES 4

/* Operations that wait, in order of arrival. */
struct lane {
    struct todo_operation *first;
    struct todo_operation **last; /* where the next one is linked */
    size_t count;
    pthread_cond_t arrived;
};

struct worker {
    struct todo_queue *queue;
    struct lane *lane;
    void (*run)(struct worker *worker);
    struct todo_store_handle handle;
    struct todo_operation **running; /* a flight or batch, after what is kept of earlier ones */
    size_t running_count;            /* at most running_most */
    uint64_t due_at;                 /* clock_now(), of what is kept */
    struct todo_operation **unanswered; /* as many; also those that leave */
    struct todo_list list;
    pthread_t thread;
    bool started;
};

/* Takes over a flight with a long list: one at a time, so that no more than two such lists are
 * in memory with one reader. */
struct finisher {
    struct todo_operation **operations;
    size_t count;
    struct todo_list list;
    bool is_busy;
    bool is_ending;
    pthread_cond_t changed;
    pthread_t thread;
    bool started;
};

/* One lock guards the lanes, the lists of what is running, and each operation's `answered` and
 * `is_committing`. It is held for a few pointers only; never while a database or a response is
 * made, but for the rare give_up. */
struct todo_queue {
    struct todo_queue_settings settings;
    pthread_mutex_t lock;
    struct lane reads;
    struct lane writes;
    size_t unannounced; /* submitted since the last wake */
    bool stopping;
    struct worker *workers; /* the writer first, then the readers */
    size_t worker_count;
    struct finisher finisher; /* under the lock while it is not busy */
};

static void lane_init(struct lane *lane)
{
    pthread_condattr_t attributes;

    lane->last = &lane->first;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* that of clock_now */
    pthread_cond_init(&lane->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void lane_append(struct lane *lane, struct todo_operation *operation)
{
    operation->next = NULL;
    *lane->last = operation;
    lane->last = &operation->next;
    lane->count++;
}

static void lane_prepend(struct lane *lane, struct todo_operation *operation)
{
    operation->next = lane->first;
    if (!lane->first)
        lane->last = &operation->next;
    lane->first = operation;
    lane->count++;
}

static struct todo_operation *lane_take(struct lane *lane)
{
    struct todo_operation *operation = lane->first;

    lane->first = operation->next;
    if (!lane->first)
        lane->last = &lane->first;
    lane->count--;
    return operation;
}

static void wait_for_work(struct worker *worker)
{
    const struct timespec due = {.tv_sec = (time_t)(worker->due_at / 1000000),
                                 .tv_nsec = (long)(worker->due_at % 1000000) * 1000};

    if (worker->running_count == 0)
        pthread_cond_wait(&worker->lane->arrived, &worker->queue->lock);
    else
        pthread_cond_timedwait(&worker->lane->arrived, &worker->queue->lock, &due);
}

static bool is_due(const struct worker *worker)
{
    return worker->running_count > 0 && worker->due_at <= clock_now();
}

static enum metrics_kind kind_of(const struct worker *worker)
{
    return worker->lane == &worker->queue->writes ? METRICS_WRITE : METRICS_READ;
}

/* How long those waited that were taken just now, behind the first `kept`. */
static void measure_wait(const struct worker *worker, size_t kept)
{
    uint64_t now = clock_now();

    for (size_t i = kept; i < worker->running_count; i++)
        metrics_observe(METRICS_QUEUE_WAIT, kind_of(worker),
                        now - worker->running[i]->asked_at);
}

/* Waits for work and takes it. False when there is none and never will be. */
static bool take_work(struct worker *worker)
{
    struct todo_queue *queue = worker->queue;
    struct lane *lane = worker->lane;

    size_t kept;
    bool has_more;

    pthread_mutex_lock(&queue->lock);
    while (!lane->first && !queue->stopping && !is_due(worker))
        wait_for_work(worker);
    /* all that waits, now: what comes later waits for the next flight, whose look at the
     * database begins after it */
    kept = worker->running_count;
    while (lane->first && worker->running_count < kept + queue->settings.batch)
        worker->running[worker->running_count++] = lane_take(lane);
    has_more = lane->first != NULL;
    pthread_mutex_unlock(&queue->lock);
    measure_wait(worker, kept);
    if (has_more) /* one wake roused one reader */
        pthread_cond_signal(&lane->arrived);
    return worker->running_count > 0;
}

/* With the lock held. Of these answers, when all of them are to be given, operations and list
 * become the finisher's. */
static bool hand_over(struct worker *worker, size_t unanswered, size_t count)
{
    struct finisher *finisher = &worker->queue->finisher;
    const struct todo_queue_settings *settings = &worker->queue->settings;
    size_t left = 0;

    if (worker->list.count <= settings->long_list || finisher->is_busy || unanswered < count ||
        count > settings->batch || worker->lane == &worker->queue->writes)
        return false;
    finisher->list = worker->list;
    finisher->count = count;
    for (size_t i = 0; i < count; i++) {
        finisher->operations[i] = worker->unanswered[i];
        finisher->operations[i]->list = &finisher->list;
        finisher->operations[i]->is_handed_over = true;
    }
    finisher->is_busy = true;
    for (size_t i = 0; i < worker->running_count; i++)
        if (!worker->running[i]->is_handed_over)
            worker->running[left++] = worker->running[i];
    worker->running_count = left;
    worker->list = (struct todo_list){.limit = finisher->list.limit};
    pthread_cond_signal(&finisher->changed);
    return true;
}

static void *finish(void *context)
{
    struct todo_queue *queue = context;
    struct finisher *finisher = &queue->finisher;
    const struct todo_queue_settings *settings = &queue->settings;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (!finisher->is_busy && !finisher->is_ending)
            pthread_cond_wait(&finisher->changed, &queue->lock);
        if (!finisher->is_busy)
            break;
        pthread_mutex_unlock(&queue->lock);
        settings->complete(settings->context, finisher->operations, finisher->count);
        for (size_t i = 0; i < finisher->count; i++)
            settings->release(settings->context, finisher->operations[i]);
        todo_list_release(&finisher->list);
        pthread_mutex_lock(&queue->lock);
        finisher->is_busy = false;
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* Passes on the results of those that were not given up meanwhile. Whoever sets `answered`
 * under the lock answers: this thread here, or the one that looks at the deadlines. */
static void answer(void *context, struct todo_operation *const *operations, size_t count)
{
    struct worker *worker = context;
    struct todo_queue *queue = worker->queue;
    size_t unanswered = 0;
    bool is_handed_over;

    pthread_mutex_lock(&queue->lock);
    for (size_t i = 0; i < count; i++) {
        if (!operations[i]->answered)
            worker->unanswered[unanswered++] = operations[i];
        operations[i]->answered = true;
    }
    is_handed_over = hand_over(worker, unanswered, count);
    pthread_mutex_unlock(&queue->lock);
    if (!is_handed_over && unanswered > 0)
        queue->settings.complete(queue->settings.context, worker->unanswered, unanswered);
}

/* See struct todo_batch. */
static size_t keep(void *context, struct todo_operation **operations, size_t count)
{
    struct worker *worker = context;
    size_t left = 0;

    pthread_mutex_lock(&worker->queue->lock);
    for (size_t i = 0; i < count; i++) {
        operations[i]->is_committing = false;
        if (!operations[i]->answered)
            operations[left++] = operations[i];
    }
    pthread_mutex_unlock(&worker->queue->lock);
    return left;
}

static bool claim(void *context, struct todo_operation *const *operations, size_t count)
{
    struct worker *worker = context;
    bool is_whole = true;

    pthread_mutex_lock(&worker->queue->lock);
    for (size_t i = 0; i < count; i++)
        is_whole = is_whole && !operations[i]->answered;
    for (size_t i = 0; i < count; i++)
        operations[i]->is_committing = is_whole;
    pthread_mutex_unlock(&worker->queue->lock);
    return is_whole;
}

static void run_reads(struct worker *worker)
{
    todo_flight_run(&worker->handle, worker->running, worker->running_count, &worker->list,
                    answer, worker);
}

static void run_writes(struct worker *worker)
{
    const struct todo_batch batch = {.handle = &worker->handle,
                                     .list = &worker->list,
                                     .most = worker->queue->settings.batch,
                                     .answer = answer,
                                     .keep = keep,
                                     .claim = claim,
                                     .context = worker};

    todo_batch_run(&batch, worker->running, worker->running_count);
}

static size_t running_most(const struct todo_queue *queue)
{
    return (KEPT_BATCHES + 1) * queue->settings.batch;
}

/* With the lock held. Keeps what the batch has left for later, as long as there is a later and
 * room. The others leave, those that are refused in front. */
static size_t part_from_kept(struct worker *worker, size_t *refused)
{
    const struct todo_queue *queue = worker->queue;
    size_t room = queue->stopping ? 0 : KEPT_BATCHES * queue->settings.batch;
    size_t done = worker->running_count;
    size_t kept = 0;

    *refused = 0;
    worker->due_at = UINT64_MAX;
    for (size_t i = 0; i < worker->running_count; i++) {
        struct todo_operation *operation = worker->running[i];

        if (operation->answered) {
            worker->unanswered[--done] = operation;
        } else if (kept == room) {
            operation->answered = true;
            operation->outcome = TODO_UNAVAILABLE;
            worker->unanswered[(*refused)++] = operation;
        } else {
            operation->is_committing = false; /* nothing of it is done */
            worker->running[kept++] = operation;
            if (operation->not_before < worker->due_at)
                worker->due_at = operation->not_before;
        }
    }
    /* from here on give_up_running doesn't see those that leave */
    memmove(worker->unanswered + *refused, worker->unanswered + done,
            (worker->running_count - done) * sizeof(struct todo_operation *));
    done = worker->running_count - kept;
    worker->running_count = kept;
    return done;
}

static void release_work(struct worker *worker)
{
    struct todo_queue *queue = worker->queue;
    size_t leaving;
    size_t refused;

    pthread_mutex_lock(&queue->lock);
    leaving = part_from_kept(worker, &refused);
    pthread_mutex_unlock(&queue->lock);
    if (refused > 0)
        queue->settings.complete(queue->settings.context, worker->unanswered, refused);
    for (size_t i = 0; i < leaving; i++)
        queue->settings.release(queue->settings.context, worker->unanswered[i]);
}

static void *work(void *context)
{
    struct worker *worker = context;

    worker->list.limit = worker->queue->settings.list_limit;
    while (take_work(worker)) {
        worker->run(worker);
        release_work(worker);
        todo_list_clear(&worker->list); /* a large one is not kept until the next flight */
    }
    todo_list_release(&worker->list);
    worker->handle.driver->close(worker->handle.store);
    worker->handle.store = NULL;
    return NULL;
}

static bool worker_start(struct todo_queue *queue, struct worker *worker, struct error *err)
{
    const struct todo_queue_settings *settings = &queue->settings;

    worker->queue = queue;
    worker->running = calloc(running_most(queue), sizeof(struct todo_operation *));
    worker->unanswered = calloc(running_most(queue), sizeof(struct todo_operation *));
    if (!worker->running || !worker->unanswered)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    if (!settings->open_store(settings->context, &worker->handle, err))
        return false;
    if (pthread_create(&worker->thread, NULL, work, worker) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot start a thread");
    worker->started = true;
    return true;
}

static bool finisher_start(struct todo_queue *queue, struct error *err)
{
    struct finisher *finisher = &queue->finisher;

    finisher->operations = calloc(queue->settings.batch, sizeof(struct todo_operation *));
    if (!finisher->operations)
        return error_set(err, ERROR_SYSTEM, "out of memory");
    finisher->started = pthread_create(&finisher->thread, NULL, finish, queue) == 0;
    return finisher->started || error_set(err, ERROR_SYSTEM, "cannot start a thread");
}

/* After the workers' end: nothing is handed over any more. */
static void finisher_stop(struct todo_queue *queue)
{
    struct finisher *finisher = &queue->finisher;

    pthread_mutex_lock(&queue->lock);
    finisher->is_ending = true;
    pthread_cond_signal(&finisher->changed);
    pthread_mutex_unlock(&queue->lock);
    if (finisher->started)
        pthread_join(finisher->thread, NULL);
    free(finisher->operations);
    pthread_cond_destroy(&finisher->changed);
}

static void worker_stop(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    else if (worker->handle.store)
        worker->handle.driver->close(worker->handle.store);
    free(worker->running);
    free(worker->unanswered);
}

struct todo_queue *todo_queue_start(const struct todo_queue_settings *settings,
                                    struct error *err)
{
    struct todo_queue *queue = calloc(1, sizeof(*queue));

    if (queue)
        queue->workers = calloc(1 + (size_t)settings->readers, sizeof(*queue->workers));
    if (!queue || !queue->workers) {
        free(queue);
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    queue->settings = *settings;
    queue->worker_count = 1 + (size_t)settings->readers;
    pthread_mutex_init(&queue->lock, NULL);
    lane_init(&queue->reads);
    lane_init(&queue->writes);
    pthread_cond_init(&queue->finisher.changed, NULL);
    if (!finisher_start(queue, err)) {
        todo_queue_stop(queue);
        return NULL;
    }
    for (size_t i = 0; i < queue->worker_count; i++) {
        queue->workers[i].lane = i == 0 ? &queue->writes : &queue->reads;
        queue->workers[i].run = i == 0 ? run_writes : run_reads;
        if (worker_start(queue, &queue->workers[i], err))
            continue;
        todo_queue_stop(queue);
        return NULL;
    }
    return queue;
}

bool todo_queue_submit(struct todo_queue *queue, struct todo_operation *operation)
{
    struct lane *lane = todo_operation_is_read(operation) ? &queue->reads : &queue->writes;
    bool is_accepted;
    bool is_wave_full;

    operation->answered = false;
    operation->is_committing = false;
    operation->is_handed_over = false;
    operation->conflicts = 0;
    operation->is_replayed = false;
    operation->twin = NULL;
    operation->not_before = 0;
    pthread_mutex_lock(&queue->lock);
    is_accepted =
        !queue->stopping && (operation->is_probe || lane->count < queue->settings.capacity);
    if (is_accepted && operation->is_probe)
        lane_prepend(lane, operation);
    else if (is_accepted)
        lane_append(lane, operation);
    is_wave_full = is_accepted && ++queue->unannounced == WAVE_MOST;
    pthread_mutex_unlock(&queue->lock);
    if (is_wave_full)
        todo_queue_wake(queue);
    return is_accepted;
}

void todo_queue_wake(struct todo_queue *queue)
{
    bool has_reads;
    bool has_writes;

    pthread_mutex_lock(&queue->lock);
    has_reads = queue->reads.count > 0;
    has_writes = queue->writes.count > 0;
    queue->unannounced = 0;
    pthread_mutex_unlock(&queue->lock);
    /* Without the lock, so that the woken thread finds it free. One of several idle readers is
     * enough: it wakes the next when it leaves some. */
    if (has_reads)
        pthread_cond_signal(&queue->reads.arrived);
    if (has_writes)
        pthread_cond_signal(&queue->writes.arrived);
}

/* Takes what is over its time out of the lane, linked by `next`. */
static struct todo_operation *take_expired(struct lane *lane, uint64_t now)
{
    struct todo_operation *expired = NULL;
    struct todo_operation **link = &lane->first;

    lane->last = &lane->first;
    while (*link) {
        struct todo_operation *operation = *link;
        if (operation->deadline > now) {
            link = &operation->next;
            lane->last = link;
            continue;
        }
        *link = operation->next;
        lane->count--;
        operation->next = expired;
        expired = operation;
    }
    return expired;
}

/* With the lock held: as long as it is, the worker can't release what it is busy with. */
static void give_up_running(struct worker *worker, uint64_t now)
{
    const struct todo_queue_settings *settings = &worker->queue->settings;

    for (size_t i = 0; i < worker->running_count; i++) {
        struct todo_operation *operation = worker->running[i];
        if (operation->answered || operation->deadline > now)
            continue;
        operation->answered = true;
        settings->give_up(settings->context, operation,
                          operation->is_committing ? TODO_OUTCOME_UNKNOWN : TODO_TIMED_OUT);
    }
}

void todo_queue_expire(struct todo_queue *queue, uint64_t now)
{
    const struct todo_queue_settings *settings = &queue->settings;
    struct todo_operation *expired[2];

    pthread_mutex_lock(&queue->lock);
    expired[0] = take_expired(&queue->reads, now);
    expired[1] = take_expired(&queue->writes, now);
    for (size_t i = 0; i < queue->worker_count; i++)
        give_up_running(&queue->workers[i], now);
    pthread_mutex_unlock(&queue->lock);
    /* those that nobody had begun belong to this thread alone now: answered without the lock */
    for (size_t i = 0; i < 2; i++) {
        while (expired[i]) {
            struct todo_operation *operation = expired[i];
            expired[i] = operation->next;
            settings->give_up(settings->context, operation, TODO_TIMED_OUT);
            settings->release(settings->context, operation);
        }
    }
}

void todo_queue_report(struct todo_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    metrics_set(METRICS_QUEUE_REQUESTS + METRICS_READ, queue->reads.count);
    metrics_set(METRICS_QUEUE_REQUESTS + METRICS_WRITE, queue->writes.count);
    pthread_mutex_unlock(&queue->lock);
    metrics_set(METRICS_QUEUE_MAX, queue->settings.capacity);
}

bool todo_queue_is_idle(struct todo_queue *queue)
{
    bool is_idle;

    pthread_mutex_lock(&queue->lock);
    is_idle = queue->reads.count + queue->writes.count == 0 && !queue->finisher.is_busy;
    for (size_t i = 0; i < queue->worker_count; i++)
        is_idle = is_idle && queue->workers[i].running_count == 0;
    pthread_mutex_unlock(&queue->lock);
    return is_idle;
}

void todo_queue_stop(struct todo_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_broadcast(&queue->reads.arrived);
    pthread_cond_broadcast(&queue->writes.arrived);
    for (size_t i = 0; i < queue->worker_count; i++)
        worker_stop(&queue->workers[i]);
    finisher_stop(queue);
    pthread_cond_destroy(&queue->reads.arrived);
    pthread_cond_destroy(&queue->writes.arrived);
    pthread_mutex_destroy(&queue->lock);
    free(queue->workers);
    free(queue);
}
