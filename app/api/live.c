#include "api/live.h"

#include "api/handlers.h"
#include "base/clock.h"
#include "http/prefer.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_PERIOD 1000000U /* microseconds */

void todo_live_open(struct todo_live *live)
{
    pthread_mutex_init(&live->lock, NULL);
    TAILQ_INIT(&live->waiting);
}

void todo_live_close(struct todo_live *live)
{
    pthread_mutex_destroy(&live->lock);
}

size_t todo_live_count(struct todo_live *live)
{
    size_t count;

    pthread_mutex_lock(&live->lock);
    count = live->count;
    pthread_mutex_unlock(&live->lock);
    return count;
}

/* ---- a look ---- */

static bool is_item(const struct todo_call *call)
{
    return call->operation.kind == TODO_FETCH;
}

static struct todo_call *make_look(struct todo_api *api, enum todo_operation_kind kind,
                                   int64_t *ids, size_t count)
{
    struct todo_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->purpose = TODO_CALL_LIVE;
    call->look = api->live.looks;
    call->ids = ids;
    call->operation.ids = ids;
    call->operation.id_count = count;
    todo_operation_start(&call->operation, kind, api->config->request_timeout);
    return call;
}

/* With the lock held: what they ask for, in one or two questions; fewer without memory. */
static size_t make_looks(struct todo_api *api, struct todo_call *looks[2])
{
    const struct todo_live *live = &api->live;
    int64_t *ids = malloc((live->count + 1) * sizeof(*ids));
    const struct todo_call *call = TAILQ_FIRST(&live->waiting);
    bool has_lists = false;
    size_t items = 0;
    size_t count = 0;

    for (; call; call = TAILQ_NEXT(call, link)) {
        if (!is_item(call))
            has_lists = true;
        else if (ids)
            ids[items++] = call->operation.id;
    }
    if (has_lists)
        looks[count] = make_look(api, TODO_LIST, NULL, 0);
    count += has_lists && looks[count];
    if (items > 0)
        looks[count] = make_look(api, TODO_FETCH_MANY, ids, todo_ids_sort(ids, items));
    if (items == 0 || !looks[count])
        free(ids);
    count += items > 0 && looks[count];
    return count;
}

/* Unless one is under way; then another follows. */
static void look(struct todo_api *api)
{
    struct todo_live *live = &api->live;
    struct todo_call *looks[2] = {NULL};
    size_t count = 0;

    pthread_mutex_lock(&live->lock);
    live->is_wanted = live->count > 0; /* those of a look that is under way, too */
    if (live->is_wanted && live->open == 0) {
        live->looks++;
        live->looked_at = clock_now();
        count = make_looks(api, looks);
        live->open = (unsigned)count;
        live->is_wanted = count == 0;
    }
    pthread_mutex_unlock(&live->lock);
    for (size_t i = 0; i < count; i++) {
        if (todo_queue_submit(api->queue, &looks[i]->operation))
            continue;
        todo_live_give_up_look(api);
        todo_call_release(api, &looks[i]->operation);
    }
    if (count > 0)
        todo_queue_wake(api->queue);
}

void todo_live_give_up_look(struct todo_api *api)
{
    pthread_mutex_lock(&api->live.lock);
    api->live.open--;
    api->live.is_wanted = true;
    pthread_mutex_unlock(&api->live.lock);
}

void todo_live_end_look(struct todo_api *api)
{
    struct todo_live *live = &api->live;
    bool is_wanted;

    pthread_mutex_lock(&live->lock);
    live->open--;
    is_wanted = live->open == 0 && live->is_wanted;
    pthread_mutex_unlock(&live->lock);
    if (is_wanted)
        look(api);
}

void todo_live_changed(struct todo_api *api)
{
    atomic_fetch_add(&api->live.changes, 1);
    look(api);
}

void todo_live_take(struct todo_api *api, const struct todo_call *look,
                    struct todo_calls *calls)
{
    struct todo_live *live = &api->live;
    bool of_items = look->operation.kind == TODO_FETCH_MANY;
    struct todo_call *call;
    struct todo_call *next;

    pthread_mutex_lock(&live->lock);
    for (call = TAILQ_FIRST(&live->waiting); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (is_item(call) != of_items || call->look >= look->look)
            continue;
        TAILQ_REMOVE(&live->waiting, call, link);
        TAILQ_INSERT_TAIL(calls, call, link);
    }
    pthread_mutex_unlock(&live->lock);
}

/* ---- waiting ---- */

void todo_live_prepare(struct todo_api *api, struct todo_call *call)
{
    const struct http_request *request = http_exchange_request(call->exchange);
    unsigned seconds;

    if (!call->if_none_match || call->page ||
        !http_prefer_wait(request->headers[HTTP_HEADER_PREFER], &seconds))
        return;
    call->wait = seconds < api->config->wait_limit ? seconds : api->config->wait_limit;
    call->wait_until = call->operation.asked_at + (uint64_t)call->wait * 1000000;
    call->changes = atomic_load(&api->live.changes);
}

bool todo_live_park(struct todo_api *api, struct todo_call *call, const char *etag, size_t size)
{
    struct todo_live *live = &api->live;

    if (call->is_parked)
        return true;
    pthread_mutex_lock(&live->lock);
    call->is_parked = !live->is_closed && live->count < api->config->wait_clients &&
                      http_exchange_rest(call->exchange);
    live->count += call->is_parked;
    pthread_mutex_unlock(&live->lock);
    if (!call->is_parked)
        return false;
    memcpy(call->etag, etag, sizeof(call->etag));
    call->left_out = size;
    return true;
}

static void answer_all(struct todo_api *api, struct todo_calls *calls)
{
    struct todo_call *call;

    while ((call = TAILQ_FIRST(calls))) {
        TAILQ_REMOVE(calls, call, link);
        call->is_parked = false;
        todo_respond_unchanged(call);
        todo_call_release(api, &call->operation);
    }
}

/* What was committed since it was asked may not have been seen by its own look. Once it is in
 * the list, any thread may answer and release it. */
void todo_live_add(struct todo_api *api, struct todo_call *call)
{
    struct todo_live *live = &api->live;
    struct todo_calls refused = TAILQ_HEAD_INITIALIZER(refused);
    uint64_t changes = call->changes;

    pthread_mutex_lock(&live->lock);
    call->look = live->looks;
    if (live->is_closed) {
        TAILQ_INSERT_TAIL(&refused, call, link);
        live->count--;
    } else {
        TAILQ_INSERT_TAIL(&live->waiting, call, link);
    }
    pthread_mutex_unlock(&live->lock);
    answer_all(api, &refused);
    if (atomic_load(&live->changes) != changes)
        look(api);
}

void todo_live_give_back(struct todo_api *api, struct todo_calls *parked, size_t gone)
{
    struct todo_live *live = &api->live;
    struct todo_calls refused = TAILQ_HEAD_INITIALIZER(refused);

    pthread_mutex_lock(&live->lock);
    live->count -= gone;
    if (live->is_closed) {
        struct todo_call *call;
        TAILQ_FOREACH(call, parked, link)
        {
            live->count--;
        }
        TAILQ_CONCAT(&refused, parked, link);
    } else {
        TAILQ_CONCAT(&live->waiting, parked, link);
    }
    pthread_mutex_unlock(&live->lock);
    answer_all(api, &refused);
}

/* ---- time ---- */

/* With the lock held. */
static void take_over(struct todo_live *live, uint64_t now, bool looks_for_leavers,
                      struct todo_calls *over)
{
    struct todo_call *call;
    struct todo_call *next;

    for (call = TAILQ_FIRST(&live->waiting); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->wait_until > now &&
            !(looks_for_leavers && http_exchange_has_left(call->exchange)))
            continue;
        TAILQ_REMOVE(&live->waiting, call, link);
        TAILQ_INSERT_TAIL(over, call, link);
        live->count--;
    }
}

void todo_live_tick(struct todo_api *api, uint64_t now)
{
    struct todo_live *live = &api->live;
    struct todo_calls over = TAILQ_HEAD_INITIALIZER(over);
    bool is_time;

    pthread_mutex_lock(&live->lock);
    is_time = now >= live->looked_at + LOOK_PERIOD;
    take_over(live, now, is_time, &over);
    is_time = (is_time || live->is_wanted) && live->open == 0;
    pthread_mutex_unlock(&live->lock);
    answer_all(api, &over);
    if (is_time)
        look(api);
}

void todo_live_drain(struct todo_api *api)
{
    struct todo_calls over = TAILQ_HEAD_INITIALIZER(over);

    pthread_mutex_lock(&api->live.lock);
    api->live.is_closed = true;
    take_over(&api->live, UINT64_MAX, false, &over);
    pthread_mutex_unlock(&api->live.lock);
    answer_all(api, &over);
}
