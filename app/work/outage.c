#include "work/outage.h"

#include "base/clock.h"
#include "base/log.h"

#define SHORT 1000000U  /* microseconds */
#define QUIET 60000000U /* after a short one: none is told before it is longer */

#define FRESH         5000000U /* microseconds that a success speaks for */
#define FAILURES_MOST 1U       /* that may be chance */
#define FAILING_MOST  3000000U /* microseconds */

void todo_outage_open(struct todo_outage *outage)
{
    *outage = (struct todo_outage){.is_on = false};
    pthread_mutex_init(&outage->lock, NULL);
}

void todo_outage_close(struct todo_outage *outage)
{
    pthread_mutex_destroy(&outage->lock);
}

static void fail(struct todo_lane_state *lane, const struct error *err, uint64_t now)
{
    if (!lane->is_failing)
        lane->failing_since = now;
    lane->is_failing = true;
    lane->failures++;
    lane->reason = *err;
}

static void begin_or_go_on(struct todo_outage *outage, enum todo_lane lane,
                           const struct error *err)
{
    uint64_t now = clock_now();

    pthread_mutex_lock(&outage->lock);
    fail(&outage->lanes[lane], err, now);
    if (!outage->is_on) {
        outage->is_told = false;
        outage->began = now;
        outage->is_on = true;
    }
    if (!outage->is_told && err->code == ERROR_UNAVAILABLE &&
        (now >= outage->quiet_until || now - outage->began >= SHORT)) {
        log_message(CONFIG_LOG_ERROR, "the database is out of reach: %s", err->text);
        outage->is_told = true;
    }
    pthread_mutex_unlock(&outage->lock);
}

static bool is_any_failing(const struct todo_outage *outage)
{
    bool is_failing = false;

    for (size_t i = 0; i < TODO_LANE_COUNT; i++)
        is_failing = is_failing || outage->lanes[i].is_failing;
    return is_failing;
}

static void recover(struct todo_outage *outage, struct todo_lane_state *lane)
{
    uint64_t now = clock_now();

    pthread_mutex_lock(&outage->lock);
    lane->is_failing = false;
    lane->failures = 0;
    lane->reason = (struct error){0};
    if (outage->is_on && !is_any_failing(outage)) {
        if (outage->is_told)
            log_message(CONFIG_LOG_INFO, "the database is back after %.1f s",
                        (double)(now - outage->began) / 1e6);
        if (now - outage->began < SHORT)
            outage->quiet_until = now + QUIET;
        outage->is_on = false;
    }
    pthread_mutex_unlock(&outage->lock);
}

void todo_outage_note(struct todo_outage *outage, enum todo_lane lane, const struct error *err)
{
    struct todo_lane_state *state = &outage->lanes[lane];
    bool is_passing = err->code == ERROR_CONFLICT || err->code == ERROR_SYSTEM;

    if (err->code == ERROR_NONE) {
        atomic_store(&state->succeeded_at, clock_now());
        if (atomic_load(&state->is_failing))
            recover(outage, state);
        return;
    }
    if (is_passing)
        log_repeated(LOG_DATABASE_CONFLICT, CONFIG_LOG_WARNING, "%s", err->text);
    else if (err->code != ERROR_UNAVAILABLE)
        log_repeated(LOG_DATABASE_REFUSAL, CONFIG_LOG_ERROR, "%s", err->text);
    if (err->code == ERROR_UNAVAILABLE || err->code == ERROR_OUTCOME_UNKNOWN)
        begin_or_go_on(outage, lane, err);
}

bool todo_outage_is_fresh(struct todo_outage *outage, enum todo_lane lane, uint64_t now)
{
    uint64_t succeeded_at = atomic_load(&outage->lanes[lane].succeeded_at);

    return succeeded_at > 0 && now < succeeded_at + FRESH &&
           !atomic_load(&outage->lanes[lane].is_failing);
}

static bool is_lane_tolerable(const struct todo_lane_state *lane, uint64_t now)
{
    return !lane->is_failing ||
           (lane->failures <= FAILURES_MOST && now < lane->failing_since + FAILING_MOST);
}

bool todo_outage_is_up(struct todo_outage *outage, enum todo_lane lane)
{
    return !atomic_load(&outage->lanes[lane].is_failing);
}

/* A lane that has not succeeded yet will do if `untried` is true. */
static bool are_lanes_ready(struct todo_outage *outage, uint64_t now, bool untried,
                            struct error *reason)
{
    bool are_ready = true;

    *reason = (struct error){0};
    pthread_mutex_lock(&outage->lock);
    for (size_t i = 0; i < TODO_LANE_COUNT && are_ready; i++) {
        const struct todo_lane_state *lane = &outage->lanes[i];
        are_ready = is_lane_tolerable(lane, now) && (untried || lane->succeeded_at > 0);
        if (!are_ready)
            *reason = lane->reason;
        if (!are_ready && !reason->text[0])
            error_set(reason, ERROR_UNAVAILABLE, "no %s has succeeded yet",
                      i == TODO_WRITES ? "change" : "read");
    }
    pthread_mutex_unlock(&outage->lock);
    return are_ready;
}

bool todo_outage_seems_ready(struct todo_outage *outage, uint64_t now, struct error *reason)
{
    return are_lanes_ready(outage, now, true, reason);
}

bool todo_outage_is_ready(struct todo_outage *outage, uint64_t now, struct error *reason)
{
    return are_lanes_ready(outage, now, false, reason);
}
