#include "base/metrics.h"

#include "base/process.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* HTTP's threads, the database's, the log's, the main one and the admin port's are fewer. */
#define BLOCKS     96U
#define CACHE_LINE 64
#define NAME_SIZE  32

enum type {
    COUNTER,
    GAUGE,
    HISTOGRAM,
};

struct family {
    const char *name;
    enum type type;
    const char *help;
    enum metrics_label labels[3]; /* up to the first METRICS_NO_LABEL */
    unsigned first;               /* cell */
    bool is_time;                 /* microseconds, shown as seconds */
    const uint64_t *bounds;       /* of a histogram, */
    unsigned bound_count;
};

static const uint64_t times[METRICS_TIME_BOUNDS] = {
    250,    500,    1000,   2500,    5000,    10000,   25000,   50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
static const uint64_t sizes[METRICS_SIZE_BOUNDS] = {1,  2,   4,   8,   16,  32,
                                                    64, 128, 256, 512, 1024};

#define TIMES .is_time = true, .bounds = times, .bound_count = METRICS_TIME_BOUNDS
#define SIZES .bounds = sizes, .bound_count = METRICS_SIZE_BOUNDS

/* In the order of their cells. The formatter would give each member a line or a column. */
/* clang-format off */
static const struct family families[] = {
    {"todobackend_http_requests_total", COUNTER,
     "Requests that ended, by route, method and status; those of ADMIN_PORT are not counted.",
     .labels = {METRICS_ROUTE, METRICS_METHOD, METRICS_CODE}, .first = METRICS_HTTP_REQUESTS},
    {"todobackend_http_request_duration_seconds", HISTOGRAM,
     "Time from a request's first line to the end of its answer.",
     .labels = {METRICS_ROUTE}, .first = METRICS_HTTP_DURATION, TIMES},
    {"todobackend_http_requests_in_flight", GAUGE,
     "Requests that have come in whole and are not answered to the last byte.",
     .first = METRICS_HTTP_IN_FLIGHT},
    {"todobackend_http_requests_waiting", GAUGE,
     "Those of them that wait for news (Prefer: wait).", .first = METRICS_HTTP_WAITING},
    {"todobackend_http_connections", GAUGE, "Open connections.",
     .first = METRICS_HTTP_CONNECTIONS},
    {"todobackend_http_connections_max", GAUGE,
     "Connections that there can be at a time; one more takes the place of another.",
     .first = METRICS_HTTP_CONNECTIONS_MAX},
    {"todobackend_http_rejected_total", COUNTER,
     "Requests that were refused for want of form, room or time, by reason.",
     .labels = {METRICS_REASON}, .first = METRICS_HTTP_REJECTED},
    {"todobackend_http_request_memory_bytes", GAUGE,
     "Memory set aside for bodies that are arriving.", .first = METRICS_REQUEST_MEMORY},
    {"todobackend_http_request_memory_max_bytes", GAUGE, "REQUEST_MEMORY.",
     .first = METRICS_REQUEST_MEMORY_MAX},
    {"todobackend_http_response_memory_bytes", GAUGE,
     "Memory of answers that are being made or sent.", .first = METRICS_RESPONSE_MEMORY},
    {"todobackend_http_response_memory_max_bytes", GAUGE, "RESPONSE_MEMORY.",
     .first = METRICS_RESPONSE_MEMORY_MAX},
    {"todobackend_queue_requests", GAUGE, "Requests that wait for the database.",
     .labels = {METRICS_KIND}, .first = METRICS_QUEUE_REQUESTS},
    {"todobackend_queue_requests_max", GAUGE,
     "DB_QUEUE: requests of each kind that can wait for the database; one more gets 503.",
     .first = METRICS_QUEUE_MAX},
    {"todobackend_queue_wait_seconds", HISTOGRAM,
     "Time that a request waited for its trip to the database to begin.",
     .labels = {METRICS_KIND}, .first = METRICS_QUEUE_WAIT, TIMES},
    {"todobackend_db_batch_requests", HISTOGRAM,
     "Requests in one trip to the database: flights of reads, batches of writes.",
     .labels = {METRICS_KIND}, .first = METRICS_DB_BATCH, SIZES},
    {"todobackend_db_trip_seconds", HISTOGRAM,
     "Time of one look at the database, or of one transaction in it.",
     .labels = {METRICS_KIND}, .first = METRICS_DB_TRIP, TIMES},
    {"todobackend_db_up", GAUGE,
     "Whether the database did its work when it was last asked to.",
     .labels = {METRICS_KIND}, .first = METRICS_DB_UP},
    {"todobackend_db_connections", GAUGE, "Open connections to the database.",
     .first = METRICS_DB_CONNECTIONS},
    {"todobackend_db_reconnects_total", COUNTER,
     "Connections to the database that took the place of a former one.",
     .first = METRICS_DB_RECONNECTS},
    {"todobackend_db_errors_total", COUNTER,
     "What the database or its library answered in place of a result, by its error number.",
     .labels = {METRICS_ERROR}, .first = METRICS_DB_ERRORS},
    {"todobackend_log_lines_total", COUNTER, "Lines of the log, by level.",
     .labels = {METRICS_LEVEL}, .first = METRICS_LOG_LINES},
    {"todobackend_log_lines_dropped_total", COUNTER,
     "Lines of the log that standard output did not take in time.",
     .first = METRICS_LOG_DROPPED},
    {"todobackend_xray_segments_sent_total", COUNTER,
     "Requests that AWS_XRAY_DAEMON_ADDRESS was told of.", .first = METRICS_XRAY_SENT},
    {"todobackend_xray_segments_dropped_total", COUNTER,
     "Requests that it was to be told of, which could not be done at once.",
     .first = METRICS_XRAY_DROPPED},
    {"todobackend_schema_version", GAUGE,
     "Version of the database's schema when this server started.",
     .first = METRICS_SCHEMA_VERSION},
    {"todobackend_build_info", GAUGE, "1, with what this server is.", .first = METRICS_BUILD},
    {"todobackend_ready", GAUGE,
     "Whether /readyz says yes, as far as that is known without asking the database.",
     .first = METRICS_READY},
    {"todobackend_draining", GAUGE, "Whether the server is about to stop.",
     .first = METRICS_DRAINING},
    {"process_cpu_seconds_total", COUNTER, "Total user and system CPU time spent in seconds.",
     .first = METRICS_PROCESS_CPU, .is_time = true},
    {"process_open_fds", GAUGE, "Number of open file descriptors.", .first = METRICS_PROCESS_FDS},
    {"process_max_fds", GAUGE, "Maximum number of open file descriptors.",
     .first = METRICS_PROCESS_FDS_MAX},
    {"process_virtual_memory_bytes", GAUGE, "Virtual memory size in bytes.",
     .first = METRICS_PROCESS_VIRTUAL},
    {"process_virtual_memory_max_bytes", GAUGE,
     "Maximum amount of virtual memory available in bytes.", .first = METRICS_PROCESS_VIRTUAL_MAX},
    {"process_resident_memory_bytes", GAUGE, "Resident memory size in bytes.",
     .first = METRICS_PROCESS_RESIDENT},
    {"process_heap_bytes", GAUGE, "Process heap size in bytes.", .first = METRICS_PROCESS_HEAP},
    {"process_start_time_seconds", GAUGE,
     "Start time of the process since unix epoch in seconds.",
     .first = METRICS_PROCESS_START, .is_time = true},
    {"process_threads", GAUGE, "Number of OS threads in the process.",
     .first = METRICS_PROCESS_THREADS},
};
/* clang-format on */

/* The values that are known here, and how many there can be. */
static struct label {
    const char *name;
    unsigned count;
    char values[METRICS_ERRORS][NAME_SIZE];
} labels[METRICS_LABELS] = {
    [METRICS_ROUTE] = {"route",  METRICS_ROUTES,  {"other"}                                           },
    [METRICS_METHOD] = {"method", METRICS_METHODS, {""}                                                },
    [METRICS_CODE] = {"code",   METRICS_CODES,   {"other"}                                           },
    [METRICS_REASON] = {"reason",
                       METRICS_REASONS,           {
                            [METRICS_REJECTED_GUARD] = "guard",
                            [METRICS_REJECTED_HOST] = "host",
                            [METRICS_REJECTED_ORIGIN] = "origin",
                            [METRICS_REJECTED_BODY] = "body",
                            [METRICS_REJECTED_MEMORY] = "memory",
                            [METRICS_REJECTED_QUEUE] = "queue",
                            [METRICS_REJECTED_DEADLINE] = "deadline",
                            [METRICS_REJECTED_SLOW] = "slow",
                            [METRICS_REJECTED_CONNECTIONS] = "connections",
                        }                                      },
    [METRICS_KIND] = {"kind",
                       METRICS_KINDS,             {[METRICS_READ] = "read", [METRICS_WRITE] = "write"}},
    [METRICS_LEVEL] = {"level",  METRICS_LEVELS,  {""}                                                },
    [METRICS_ERROR] = {"code",   METRICS_ERRORS,  {"other"}                                           },
};

static struct block {
    alignas(CACHE_LINE) _Atomic uint64_t cells[METRICS_CELLS];
} blocks[BLOCKS]; /* the first is for what is set, and for threads that are left over */

static atomic_uint thread_count;
static _Thread_local struct block *own;

static bool is_expected[METRICS_HTTP_DURATION];
static const char *build[3]; /* version, commit, database */
static void (*collector)(void *context);
static void *collector_context;

/* ---- counting ---- */

static struct block *own_block(void)
{
    unsigned place;

    if (own)
        return own;
    place = 1 + atomic_fetch_add(&thread_count, 1);
    own = &blocks[place < BLOCKS ? place : 0];
    return own;
}

/* Of its own block a thread is the only writer: no locked instruction is needed. */
void metrics_add(unsigned cell, uint64_t count)
{
    struct block *block = own_block();
    _Atomic uint64_t *value = &block->cells[cell];

    if (block == blocks)
        atomic_fetch_add_explicit(value, count, memory_order_relaxed);
    else
        atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + count,
                              memory_order_relaxed);
}

void metrics_set(unsigned cell, uint64_t value)
{
    atomic_store_explicit(&blocks[0].cells[cell], value, memory_order_relaxed);
}

void metrics_observe(enum metrics_family histogram, unsigned label, uint64_t value)
{
    const uint64_t *bounds = histogram == METRICS_DB_BATCH ? sizes : times;
    unsigned count = histogram == METRICS_DB_BATCH ? METRICS_SIZE_BOUNDS : METRICS_TIME_BOUNDS;
    unsigned first = histogram + label * (count + 2);
    unsigned i = 0;

    while (i < count && value > bounds[i])
        i++;
    metrics_add(first + i, 1);
    metrics_add(first + count + 1, value);
}

/* ---- names ---- */

void metrics_name(enum metrics_label label, unsigned value, const char *text)
{
    if (value < labels[label].count)
        snprintf(labels[label].values[value], NAME_SIZE, "%s", text);
}

/* The error's value of this name; METRICS_OTHER if there is none. */
static unsigned find_error(const char *text)
{
    for (unsigned i = 0; i < METRICS_ERRORS; i++)
        if (strcmp(labels[METRICS_ERROR].values[i], text) == 0)
            return i;
    return METRICS_OTHER;
}

void metrics_name_error(unsigned number)
{
    char text[NAME_SIZE];
    unsigned next = find_error("");

    snprintf(text, sizeof(text), "%u", number);
    if (next != METRICS_OTHER && find_error(text) == METRICS_OTHER)
        metrics_name(METRICS_ERROR, next, text);
}

void metrics_count_error(unsigned number)
{
    char text[NAME_SIZE];

    snprintf(text, sizeof(text), "%u", number);
    metrics_add(METRICS_DB_ERRORS + find_error(text), 1);
}

void metrics_expect(unsigned cell)
{
    is_expected[cell] = true;
}

void metrics_describe_build(const char *version, const char *commit, const char *database)
{
    build[0] = version;
    build[1] = commit;
    build[2] = database;
    metrics_set(METRICS_BUILD, 1);
}

void metrics_set_collector(void (*collect)(void *context), void *context)
{
    collector = collect;
    collector_context = context;
}

/* ---- the text ---- */

static uint64_t total(unsigned cell)
{
    unsigned used = atomic_load(&thread_count);
    uint64_t sum = 0;

    for (unsigned i = 0; i <= used && i < BLOCKS; i++)
        sum += atomic_load_explicit(&blocks[i].cells[cell], memory_order_relaxed);
    return sum;
}

static void append_value(struct buffer *out, bool is_time, uint64_t value)
{
    if (is_time)
        buffer_append_format(out, "%" PRIu64 ".%06" PRIu64, value / 1000000, value % 1000000);
    else
        buffer_append_unsigned(out, value);
}

/* As the format has it: backslash, quote and newline are escaped. */
static void append_label(struct buffer *out, char separator, const char *name, const char *text)
{
    buffer_append_char(out, separator);
    buffer_append_text(out, name);
    buffer_append_text(out, "=\"");
    for (; *text; text++) {
        if (*text == '\\' || *text == '"' || *text == '\n')
            buffer_append_char(out, '\\');
        buffer_append_char(out, *text == '\n' ? 'n' : *text);
    }
    buffer_append_char(out, '"');
}

static unsigned label_count(const struct family *family)
{
    unsigned count = 0;

    while (count < 3 && family->labels[count] != METRICS_NO_LABEL)
        count++;
    return count;
}

/* The combinations of a family's label values. */
static unsigned combination_count(const struct family *family)
{
    unsigned count = 1;

    for (unsigned i = 0; i < label_count(family); i++)
        count *= labels[family->labels[i]].count;
    return count;
}

/* The names of a combination's values; false when one has none. The last label changes fastest.
 */
static bool find_values(const struct family *family, unsigned combination,
                        const char *values[3])
{
    for (unsigned i = label_count(family); i-- > 0;) {
        const struct label *label = &labels[family->labels[i]];
        values[i] = label->values[combination % label->count];
        combination /= label->count;
        if (!values[i][0])
            return false;
    }
    return true;
}

/* `suffix` of a histogram's series, and its bound; "" and NULL: none. */
static void append_series(struct buffer *out, const struct family *family, const char *suffix,
                          const char *const values[3], const char *bound)
{
    unsigned count = label_count(family);

    buffer_append_text(out, family->name);
    buffer_append_text(out, suffix);
    for (unsigned i = 0; i < count; i++)
        append_label(out, i ? ',' : '{', labels[family->labels[i]].name, values[i]);
    if (bound)
        append_label(out, count ? ',' : '{', "le", bound);
    if (count > 0 || bound)
        buffer_append_char(out, '}');
    buffer_append_char(out, ' ');
}

/* A bound as clients of Prometheus write it: 0.0025, not 0.002500. */
static void print_bound(const struct family *family, unsigned i, char text[NAME_SIZE])
{
    if (i == family->bound_count)
        snprintf(text, NAME_SIZE, "+Inf");
    else
        snprintf(text, NAME_SIZE, "%g",
                 (double)family->bounds[i] / (family->is_time ? 1e6 : 1));
}

static void append_histogram(struct buffer *out, const struct family *family,
                             unsigned combination, const char *const values[3])
{
    unsigned first = family->first + combination * (family->bound_count + 2);
    uint64_t count = 0;
    char bound[NAME_SIZE];

    for (unsigned i = 0; i <= family->bound_count; i++) {
        count += total(first + i);
        print_bound(family, i, bound);
        append_series(out, family, "_bucket", values, bound);
        buffer_append_unsigned(out, count);
        buffer_append_char(out, '\n');
    }
    append_series(out, family, "_sum", values, NULL);
    append_value(out, family->is_time, total(first + family->bound_count + 1));
    buffer_append_char(out, '\n');
    append_series(out, family, "_count", values, NULL);
    buffer_append_unsigned(out, count);
    buffer_append_char(out, '\n');
}

static void append_sample(struct buffer *out, const struct family *family, unsigned combination,
                          const char *const values[3])
{
    unsigned cell = family->first + combination;
    uint64_t value = total(cell);

    if (family->first == METRICS_HTTP_REQUESTS && value == 0 && !is_expected[cell])
        return;
    append_series(out, family, "", values, NULL);
    append_value(out, family->is_time, value);
    buffer_append_char(out, '\n');
}

static void append_build(struct buffer *out, const struct family *family)
{
    static const char *const names[] = {"version", "commit", "database"};

    buffer_append_text(out, family->name);
    for (unsigned i = 0; i < 3; i++)
        append_label(out, i ? ',' : '{', names[i], build[i] ? build[i] : "");
    buffer_append_text(out, "} 1\n");
}

static void append_family(struct buffer *out, const struct family *family)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const char *values[3] = {"", "", ""};

    buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                         family->name, types[family->type]);
    if (family->first == METRICS_BUILD) {
        append_build(out, family);
        return;
    }
    for (unsigned i = 0; i < combination_count(family); i++) {
        if (!find_values(family, i, values))
            continue;
        if (family->type == HISTOGRAM)
            append_histogram(out, family, i, values);
        else
            append_sample(out, family, i, values);
    }
}

void metrics_append(struct buffer *out)
{
    process_measure();
    if (collector)
        collector(collector_context);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        append_family(out, &families[i]);
}
