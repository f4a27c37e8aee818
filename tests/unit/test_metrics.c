#include "../integration/check.h"
#include "base/metrics.h"
#include "suites.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 120 /* more than have a block of their own */
#define COUNTS  1000

/* The value of a series; -1 without one. */
static long value_of(const char *series)
{
    struct buffer text = {0};
    char line[128];
    long value = -1;

    metrics_append(&text);
    snprintf(line, sizeof(line), "\n%s ", series);
    if (text.data && strstr(text.data, line))
        value = strtol(strstr(text.data, line) + strlen(line), NULL, 10);
    buffer_release(&text);
    return value;
}

static void *count(void *context)
{
    (void)context;
    for (unsigned i = 0; i < COUNTS; i++) {
        metrics_add(METRICS_LOG_DROPPED, 1);
        metrics_observe(METRICS_DB_BATCH, METRICS_WRITE, 3);
    }
    return NULL;
}

static void test_nothing_is_lost_that_threads_count_at_the_same_time(void)
{
    pthread_t threads[THREADS];
    long before = value_of("todobackend_log_lines_dropped_total");

    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_NUMBER("counter", "value", before + (long)THREADS * COUNTS,
                 value_of("todobackend_log_lines_dropped_total"));
}

static void test_a_histogram_adds_up(void)
{
    static const struct {
        unsigned value;
        const char *below, *from; /* bounds */
    } rows[] = {
        {1,    "+Inf", "1"   },
        {2,    "1",    "2"   },
        {3,    "2",    "4"   },
        {1024, "512",  "1024"},
        {1025, "1024", "+Inf"},
    };
    static const char name[] = "todobackend_db_batch_requests";

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char below[80];
        char from[80];
        long before[2];

        snprintf(below, sizeof(below), "%s_bucket{kind=\"read\",le=\"%s\"}", name,
                 rows[i].below);
        snprintf(from, sizeof(from), "%s_bucket{kind=\"read\",le=\"%s\"}", name, rows[i].from);
        before[0] = value_of(below);
        before[1] = value_of(from);
        metrics_observe(METRICS_DB_BATCH, METRICS_READ, rows[i].value);
        CHECK_NUMBER(from, "more", before[1] + 1, value_of(from));
        if (i > 0)
            CHECK_NUMBER(below, "as many", before[0], value_of(below));
    }
    CHECK_NUMBER(name, "count", sizeof(rows) / sizeof(rows[0]),
                 value_of("todobackend_db_batch_requests_count{kind=\"read\"}"));
    CHECK_NUMBER(name, "sum", 1 + 2 + 3 + 1024 + 1025,
                 value_of("todobackend_db_batch_requests_sum{kind=\"read\"}"));
}

static void test_errors_without_a_name_are_one_value(void)
{
    metrics_name_error(1213);
    metrics_name_error(1213);
    CHECK_NUMBER("named", "before", 0, value_of("todobackend_db_errors_total{code=\"1213\"}"));
    metrics_count_error(1213);
    metrics_count_error(9999);
    metrics_count_error(0);
    CHECK_NUMBER("named", "after", 1, value_of("todobackend_db_errors_total{code=\"1213\"}"));
    CHECK_NUMBER("others", "after", 2, value_of("todobackend_db_errors_total{code=\"other\"}"));
    for (unsigned i = 1; i < 500; i++)
        metrics_name_error(i);
    CHECK_NUMBER("last", "named", 0, value_of("todobackend_db_errors_total{code=\"94\"}"));
    CHECK_NUMBER("beyond", "named", -1, value_of("todobackend_db_errors_total{code=\"95\"}"));
}

static void test_a_label_is_escaped(void)
{
    metrics_describe_build("1\"2\\3\n4", "c", "d");
    CHECK_NUMBER("build", "value", 1,
                 value_of("todobackend_build_info{version=\"1\\\"2\\\\3\\n4\",commit=\"c\","
                          "database=\"d\"}"));
}

/* The cells of one family don't reach into the next one's: each has its last one alone. */
static void test_families_are_apart(void)
{
    static const struct {
        unsigned cell;
        const char *series;
    } rows[] = {
        {METRICS_HTTP_IN_FLIGHT,     "todobackend_http_requests_in_flight"                    },
        {METRICS_REQUEST_MEMORY - 1, "todobackend_http_rejected_total{reason=\"connections\"}"},
        {METRICS_REQUEST_MEMORY,     "todobackend_http_request_memory_bytes"                  },
        {METRICS_QUEUE_MAX - 1,      "todobackend_queue_requests{kind=\"write\"}"             },
        {METRICS_QUEUE_MAX,          "todobackend_queue_requests_max"                         },
        {METRICS_DB_CONNECTIONS - 1, "todobackend_db_up{kind=\"write\"}"                      },
        {METRICS_DB_CONNECTIONS,     "todobackend_db_connections"                             },
        {METRICS_DRAINING,           "todobackend_draining"                                   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        metrics_set(rows[i].cell, 1000 + i);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_NUMBER(rows[i].series, "value", (long)(1000 + i), value_of(rows[i].series));
}

static void copy_start(char line[64])
{
    static const char series[] = "\nprocess_start_time_seconds ";
    struct buffer text = {0};
    const char *found;

    metrics_append(&text);
    found = text.data ? strstr(text.data, series) : NULL;
    snprintf(line, 64, "%.*s", found ? (int)strcspn(found + 1, "\n") : 0,
             found ? found + 1 : "");
    buffer_release(&text);
}

/* Each change of it is a restart to who reads it. */
static void test_the_time_of_the_start_stays(void)
{
    char first[64], again[64];

    copy_start(first);
    for (unsigned i = 0; i < 20; i++) {
        copy_start(again);
        CHECK_TEXT("start", "line", first, again);
    }
    CHECK(strlen(first) > 0, "start", "is not there");
}

CU_TestInfo metrics_tests[] = {
    {"nothing is lost that threads count at the same time",
     test_nothing_is_lost_that_threads_count_at_the_same_time                                       },
    {"a histogram adds up",                                 test_a_histogram_adds_up                },
    {"errors without a name are one value",                 test_errors_without_a_name_are_one_value},
    {"a label is escaped",                                  test_a_label_is_escaped                 },
    {"families are apart",                                  test_families_are_apart                 },
    {"the time of the start stays",                         test_the_time_of_the_start_stays        },
    CU_TEST_INFO_NULL,
};
