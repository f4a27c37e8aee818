#include "api/handlers.h"

#include "base/clock.h"

#include <stdlib.h>

#define PROBE_SECONDS 2U /* `app healthcheck` waits for 3 */

void todo_respond_status(struct http_exchange *exchange,
                         const struct http_representation *representation, const char *json)
{
    struct buffer body = {0};

    buffer_append_text(&body, json);
    http_respond_json(exchange, representation, 200, &body);
}

void api_show_liveness(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    (void)context;
    todo_respond_status(exchange, &match->representation, "{\"status\":\"alive\"}");
}

static void respond_readiness(struct todo_api *api, struct http_exchange *exchange,
                              const struct http_representation *representation)
{
    struct buffer detail = {0};
    struct error reason;

    if (todo_outage_is_ready(&api->outage, clock_now(), &reason)) {
        todo_respond_status(exchange, representation, "{\"status\":\"ready\"}");
        return;
    }
    buffer_append_text(&detail, TODO_UNAVAILABLE_DETAIL);
    if (reason.text[0])
        buffer_append_format(&detail, " Reason: %s", reason.text);
    todo_respond_unavailable(exchange, representation,
                             detail.failed ? TODO_UNAVAILABLE_DETAIL : detail.data);
    buffer_release(&detail);
}

/* So many lanes have answered, or were not asked. The last one answers; the next probe may
 * begin before that, so that who has the answer and asks again gets one. */
static void end_lanes(struct todo_api *api, unsigned count)
{
    struct todo_probe probe;

    if (atomic_fetch_sub(&api->probe.open, count) != count)
        return;
    probe.exchange = api->probe.exchange;
    probe.representation = api->probe.representation;
    atomic_store(&api->probe.is_under_way, false);
    respond_readiness(api, probe.exchange, &probe.representation);
}

void todo_probe_end(struct todo_api *api)
{
    end_lanes(api, 1);
}

void todo_probe_give_up(struct todo_api *api, const struct todo_call *call)
{
    enum todo_lane lane = call->operation.kind == TODO_CHECK ? TODO_WRITES : TODO_READS;
    struct error err = {0};

    error_set(&err, ERROR_UNAVAILABLE, "it does not %s within %u s",
              lane == TODO_WRITES ? "take changes" : "answer", PROBE_SECONDS);
    todo_outage_note(&api->outage, lane, &err);
    todo_probe_end(api);
}

/* Of reads, for a todo that there can't be: the whole way of a read, and the cheapest one. */
static struct todo_call *make_call(enum todo_lane lane)
{
    struct todo_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    call->purpose = TODO_CALL_READY;
    call->operation.is_probe = true;
    todo_operation_start(&call->operation, lane == TODO_WRITES ? TODO_CHECK : TODO_FETCH,
                         PROBE_SECONDS);
    return call;
}

/* False without memory; then nothing is made. */
static bool make_calls(const bool is_asked[TODO_LANE_COUNT],
                       struct todo_call *calls[TODO_LANE_COUNT])
{
    bool has_memory = true;

    for (size_t i = 0; i < TODO_LANE_COUNT && has_memory; i++) {
        if (!is_asked[i])
            continue;
        calls[i] = make_call((enum todo_lane)i);
        has_memory = calls[i] != NULL;
    }
    for (size_t i = 0; i < TODO_LANE_COUNT && !has_memory; i++)
        free(calls[i]);
    return has_memory;
}

/* Asks these lanes, at least one. The probe is the caller's: it has set is_under_way. */
static void begin_probe(struct todo_api *api, struct http_exchange *exchange,
                        const struct http_representation *representation,
                        const bool is_asked[TODO_LANE_COUNT])
{
    struct todo_call *calls[TODO_LANE_COUNT] = {NULL};
    unsigned refused = 0;

    if (!make_calls(is_asked, calls)) {
        atomic_store(&api->probe.is_under_way, false);
        todo_respond_unavailable(exchange, representation, "Out of memory.");
        return;
    }
    api->probe.exchange = exchange;
    api->probe.representation = *representation;
    for (size_t i = 0; i < TODO_LANE_COUNT; i++)
        atomic_fetch_add(&api->probe.open, calls[i] ? 1 : 0);
    http_exchange_defer(exchange);
    for (size_t i = 0; i < TODO_LANE_COUNT; i++) {
        if (!calls[i] || todo_queue_submit(api->queue, &calls[i]->operation))
            continue;
        free(calls[i]);
        refused++;
    }
    if (refused > 0)
        end_lanes(api, refused);
}

/* From what the workers saw in the last seconds; of a lane that they didn't use, or that
 * failed, from a probe of its own. Who comes while one is under way is not kept until it ends,
 * for there may be many, but told what is known. */
void api_show_readiness(void *context, struct http_exchange *exchange,
                        const struct http_match *match)
{
    struct todo_api *api = context;
    bool is_asked[TODO_LANE_COUNT];
    bool is_any = false;

    if (atomic_load(&api->draining)) {
        todo_respond_unavailable(exchange, &match->representation, "The server is stopping.");
        return;
    }
    for (size_t i = 0; i < TODO_LANE_COUNT; i++) {
        is_asked[i] = !todo_outage_is_fresh(&api->outage, (enum todo_lane)i, clock_now());
        is_any = is_any || is_asked[i];
    }
    if (is_any && !atomic_exchange(&api->probe.is_under_way, true))
        begin_probe(api, exchange, &match->representation, is_asked);
    else
        respond_readiness(api, exchange, &match->representation);
}
