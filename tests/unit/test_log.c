#include "base/clock.h"
#include "base/log.h"
#include "log_capture.h"
#include "suites.h"

#include "../integration/check.h"

#include <ctype.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *text;
    const char *in_json; /* as it stands in the line */
    const char *in_text;
} escape_rows[] = {
    {"plain",               "all is well",                      "all is well",           "all is well"     },
    {"empty",               "",                                 "",                      ""                },
    {"quote and backslash", "\"\\",                             "\\\"\\\\",              "\\\"\\\\"        },
    {"line break",          "a\r\nb",                           "a\\u000d\\u000ab",      "a\\x0d\\x0ab"    },
    {"terminal escape",     "\x1b[31m",                         "\\u001b[31m",           "\\x1b[31m"       },
    {"delete",              "\x7f",                             "\\u007f",               "\\x7f"           },
    {"umlaut",              "\xc3\xa4",                         "\xc3\xa4",              "\xc3\xa4"        },
    {"CJK",                 "\xe6\x97\xa5",                     "\xe6\x97\xa5",          "\xe6\x97\xa5"    },
    {"emoji",               "\xf0\x9f\x98\x80",                 "\xf0\x9f\x98\x80",      "\xf0\x9f\x98\x80"},
    {"C1 control",          "\xc2\x9b",                         "\\u009b",               "\\u009b"         },
    {"no-break space",      "\xc2\xa0",                         "\xc2\xa0",              "\xc2\xa0"        },
 /* NOLINTBEGIN(misc-misleading-bidirectional): that is what they are */
    {"line separator",      "a\xe2\x80\xa8z",                   "a\\u2028z",             "a\\u2028z"       },
    {"paragraph separator", "\xe2\x80\xa9",                     "\\u2029",               "\\u2029"         },
    {"embedding",           "\xe2\x80\xaa",                     "\\u202a",               "\\u202a"         },
    {"override",
     "\xe2\x80\xae"
     "cod",                                                     "\\u202ecod",            "\\u202ecod"      },
    {"after the override",  "\xe2\x80\xaf",                     "\xe2\x80\xaf",          "\xe2\x80\xaf"    },
    {"isolates",            "\xe2\x81\xa6\xe2\x81\xa9",         "\\u2066\\u2069",        "\\u2066\\u2069"  },
    {"after the isolates",  "\xe2\x81\xaa",                     "\xe2\x81\xaa",          "\xe2\x81\xaa"    },
    {"marks",               "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c",
     "\\u200e\\u200f\\u061c"                                                                               },
 /* NOLINTEND(misc-misleading-bidirectional) */
    {"joiner",              "\xe2\x80\x8d",                     "\xe2\x80\x8d",          "\xe2\x80\x8d"    },
    {"bad byte",            "a\xffz",                           "a\\\\xffz",             "a\\xffz"         },
    {"overlong",            "\xc0\xaf",                         "\\\\xc0\\\\xaf",        "\\xc0\\xaf"      },
    {"surrogate",           "\xed\xa0\x80",                     "\\\\xed\\\\xa0\\\\x80", "\\xed\\xa0\\x80" },
    {"cut character",       "\xe6\x97",                         "\\\\xe6\\\\x97",        "\\xe6\\x97"      },
};

static void log_path(const char *path, size_t length)
{
    log_access(&(struct log_request){.id = "id-1",
                                     .trace = "trace-1",
                                     .method = "GET",
                                     .path = path,
                                     .path_length = length,
                                     .status = 200,
                                     .bytes = 1234567890123,
                                     .microseconds = 1042,
                                     .client = "2001:db8::1"});
}

/* The line has to be one object of JSON, whatever is in it. */
static void check_json(const char *row, const char *line)
{
    json_error_t problem;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);

    CHECK(json_is_object(object), row, "not JSON: %s in %.300s", problem.text, line);
    json_decref(object);
}

static void test_messages_are_escaped(void)
{
    for (size_t i = 0; i < sizeof(escape_rows) / sizeof(escape_rows[0]); i++) {
        char wanted[256];
        char *line;

        log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
        log_message(CONFIG_LOG_INFO, "%s", escape_rows[i].text);
        line = log_capture_end();
        snprintf(wanted, sizeof(wanted), "Z\",\"level\":\"info\",\"message\":\"%s\"}\n",
                 escape_rows[i].in_json);
        CHECK_CONTAINS(escape_rows[i].name, "line of JSON", wanted, line);
        check_json(escape_rows[i].name, line);
        free(line);

        log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
        log_message(CONFIG_LOG_ERROR, "%s", escape_rows[i].text);
        line = log_capture_end();
        snprintf(wanted, sizeof(wanted), "Z error   %s\n", escape_rows[i].in_text);
        CHECK_CONTAINS(escape_rows[i].name, "line of text", wanted, line);
        free(line);
    }
}

static void test_requests_are_escaped(void)
{
    for (size_t i = 0; i < sizeof(escape_rows) / sizeof(escape_rows[0]); i++) {
        char wanted[512];
        char *line;

        log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
        log_path(escape_rows[i].text, strlen(escape_rows[i].text));
        line = log_capture_end();
        snprintf(wanted, sizeof(wanted),
                 "\"level\":\"info\",\"message\":\"request\",\"request_id\":\"id-1\",\"trace_"
                 "id\":\"trace-1\","
                 "\"method\":\"GET\",\"path\":\"%s\",\"status\":200,\"bytes\":1234567890123,"
                 "\"milliseconds\":1.042,\"client\":\"2001:db8::1\"}\n",
                 escape_rows[i].in_json);
        CHECK_CONTAINS(escape_rows[i].name, "line of JSON", wanted, line);
        check_json(escape_rows[i].name, line);
        free(line);

        log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
        log_path(escape_rows[i].text, strlen(escape_rows[i].text));
        line = log_capture_end();
        snprintf(
            wanted, sizeof(wanted),
            "Z info    200 GET %s  1234567890123 bytes  1.042 ms  2001:db8::1  id-1  trace-1\n",
            escape_rows[i].in_text);
        CHECK_CONTAINS(escape_rows[i].name, "line of text", wanted, line);
        free(line);
    }
}

static void test_a_path_of_any_bytes_and_length_gives_a_line_of_json(void)
{
    static char path[100000];

    for (size_t i = 0; i < sizeof(path); i++)
        path[i] = (char)(i * 7);
    for (size_t length = 0; length <= sizeof(path); length = length * 3 + 1) {
        char *line;
        log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
        for (unsigned i = 0; i < 8; i++)
            log_path(path, length);
        line = log_capture_end();
        line[strcspn(line, "\n")] = '\0';
        check_json("any bytes", line);
        CU_ASSERT(strlen(line) < 30000);
        free(line);
    }
}

static void test_the_time_is_utc_with_milliseconds(void)
{
    static const char shape[] = "{\"time\":\"0000-00-00T00:00:00.000Z\",";
    char *line;

    log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
    log_message(CONFIG_LOG_INFO, "now");
    line = log_capture_end();
    for (size_t i = 0; shape[i]; i++) {
        if (!CHECK(shape[i] == '0' ? isdigit((unsigned char)line[i]) != 0 : line[i] == shape[i],
                   "time", "got %s", line))
            break;
    }
    CHECK_TEXT("time", "what follows 24 characters",
               "\",\"level\":\"info\",\"message\":\"now\"}\n",
               line + strlen("{\"time\":\"2000-01-01T00:00:00.000Z"));
    free(line);
}

static void test_lines_below_the_level_are_left_out(void)
{
    char *text;

    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_WARNING);
    log_message(CONFIG_LOG_DEBUG, "debug line");
    log_message(CONFIG_LOG_INFO, "info line");
    log_path("/todos", 6);
    CU_ASSERT_FALSE(log_enabled(CONFIG_LOG_INFO));
    CU_ASSERT_TRUE(log_enabled(CONFIG_LOG_WARNING));
    text = log_capture_end();
    CHECK_TEXT("below", "lines", "", text);
    free(text);

    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
    log_message(CONFIG_LOG_DEBUG, "debug line");
    text = log_capture_end();
    CHECK_CONTAINS("debug", "lines", " debug   debug line\n", text);
    free(text);
}

/* ---- the writer ---- */

#define LIMIT 20000000U /* microseconds; what is done at once is done long before */

static void start_log(void)
{
    struct error err = {0};

    CU_ASSERT_TRUE_FATAL(log_start(&err));
}

/* Whether the text was written by now. */
static bool is_written(const char *part)
{
    char text[8192] = "";
    ssize_t size = pread(log_capture_file(), text, sizeof(text) - 1, 0);

    return size > 0 && strstr(text, part);
}

static bool comes(const char *part)
{
    uint64_t deadline = clock_now() + LIMIT;

    while (!is_written(part) && clock_now() < deadline)
        clock_sleep(1000);
    return is_written(part);
}

static void test_without_the_writer_a_line_is_written_at_once(void)
{
    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    log_message(CONFIG_LOG_INFO, "first");
    CHECK(is_written("first"), "info", "not written");
    log_path("/todos", 6);
    CHECK(is_written("/todos"), "request", "not written");
    free(log_capture_end());
}

static void test_the_writer_writes_in_order(void)
{
    char *text;
    const char *first;
    const char *second;
    const char *last;

    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    start_log();
    log_message(CONFIG_LOG_INFO, "first");
    CHECK(comes("first"), "info", "is not written by itself");
    log_message(CONFIG_LOG_INFO, "second");
    log_message(CONFIG_LOG_WARNING, "third");
    CHECK(comes("third"), "warning", "is not written by itself");
    log_message(CONFIG_LOG_INFO, "fourth");
    log_stop(CONFIG_LOG_INFO, "the last");
    text = log_capture_end();
    first = strstr(text, "second");
    second = first ? strstr(first, "third") : NULL;
    last = second ? strstr(second, "fourth") : NULL;
    CHECK(last && strstr(last, "the last"), "order", "got %s", text);
    free(text);
}

/* Lines of each kind, as threads log them that go on when the end is near. */
static void log_each_kind(void)
{
    log_message(CONFIG_LOG_ERROR, "and one afterwards");
    log_repeated(LOG_CONNECTION_LIMIT, CONFIG_LOG_ERROR, "and one afterwards");
    log_path("/todos", 6);
    log_ready("127.0.0.1", 1, "http://localhost:1", 1);
}

static void *log_to_the_end(void *context)
{
    const atomic_bool *is_over = context;

    while (!atomic_load(is_over))
        log_each_kind();
    return NULL;
}

static void test_nothing_follows_the_last_line(void)
{
    static const char last[] = " info    the last\n";
    atomic_bool is_over = false;
    pthread_t thread;
    char *text;
    size_t size;

    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    start_log();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, log_to_the_end, &is_over), 0);
    CHECK(comes("/todos"), "before", "no lines");
    log_stop(CONFIG_LOG_INFO, "the last");
    log_each_kind();
    log_stop(CONFIG_LOG_INFO, "one more end");
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    text = log_capture_end();
    size = strlen(text);
    CHECK(size > strlen(last) && strcmp(text + size - strlen(last), last) == 0, "the last line",
          "is %.200s", size > 200 ? text + size - 200 : text);
    free(text);
}

/* stdout as a pipe that is read by nobody until the test does. */
static int pipe_end;
static int stdout_before;

static void begin_pipe(void)
{
    int ends[2];

    fflush(stdout);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    pipe_end = ends[0];
    stdout_before = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    log_configure(CONFIG_LOG_JSON, CONFIG_LOG_INFO, false);
}

static void end_pipe(void)
{
    dup2(stdout_before, STDOUT_FILENO);
    close(stdout_before);
    close(pipe_end);
}

enum { FLOOD = 40000 }; /* lines: 8 MB, many times what the log and a pipe hold */

static void flood(void)
{
    for (unsigned i = 0; i < FLOOD; i++)
        log_path("/todos", 6);
}

struct reader {
    int file;          /* closed by the reader */
    atomic_ulong lost; /* lines, as the log says */
    unsigned requests; /* lines */
    unsigned warnings;
    bool is_whole; /* each line is one of JSON */
    char last[256];
};

static void read_line(struct reader *reader, const char *line)
{
    json_t *object = json_loads(line, 0, NULL);
    const char *message = json_string_value(json_object_get(object, "message"));

    reader->is_whole = reader->is_whole && message;
    if (message && strcmp(message, "request") == 0)
        reader->requests++;
    else if (message && strcmp(message, "a warning") == 0)
        reader->warnings++;
    else if (message && strstr(message, "lines of the log were lost"))
        atomic_fetch_add(&reader->lost, strtoul(message, NULL, 10));
    else if (message)
        snprintf(reader->last, sizeof(reader->last), "%s", message);
    json_decref(object);
}

static void *read_pipe(void *context)
{
    struct reader *reader = context;
    FILE *file = fdopen(reader->file, "r");
    char *line = NULL;
    size_t size = 0;

    reader->is_whole = true;
    while (file && !reader->last[0] && getline(&line, &size, file) > 0)
        read_line(reader, line);
    free(line);
    if (file)
        fclose(file);
    return NULL;
}

/* It would never end if the log waited for a reader. */
static void test_who_logs_does_not_wait_for_stdout_and_what_is_lost_is_told(void)
{
    struct reader reader = {.last = ""};
    uint64_t deadline = clock_now() + LIMIT;
    pthread_t thread;

    begin_pipe();
    start_log();
    alarm(60);
    flood();
    log_message(CONFIG_LOG_WARNING, "a warning");
    reader.file = dup(pipe_end);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, read_pipe, &reader), 0);
    while (atomic_load(&reader.lost) == 0 && clock_now() < deadline)
        clock_sleep(1000);
    log_stop(CONFIG_LOG_ERROR, "the last");
    pthread_join(thread, NULL);
    alarm(0);
    end_pipe();
    CHECK(reader.is_whole, "flood", "a line is not whole");
    CHECK(reader.requests > 1000 && reader.requests < FLOOD, "flood", "%u lines were written",
          reader.requests);
    CHECK_NUMBER("flood", "lines written and lost", FLOOD,
                 (long long)(reader.requests + atomic_load(&reader.lost)));
    CHECK_NUMBER("flood", "warnings", 1, reader.warnings);
    CHECK_TEXT("flood", "the last line", "the last", reader.last);
}

static void test_the_end_does_not_wait_for_a_reader_that_stalls(void)
{
    uint64_t began;

    begin_pipe();
    start_log();
    alarm(60);
    flood();
    clock_sleep(50000); /* now the writer is in write(2) */
    began = clock_now();
    log_stop(CONFIG_LOG_ERROR, "the last");
    log_message(CONFIG_LOG_ERROR, "and one afterwards");
    alarm(0);
    CHECK(clock_now() - began < LIMIT / 2, "stalled", "%llu ms",
          (unsigned long long)(clock_now() - began) / 1000);
    end_pipe();
}

/* A program that ends before its log has a thread. */
static void test_the_end_without_the_writer_does_not_wait_either(void)
{
    char lines[65536];
    uint64_t began;

    begin_pipe();
    memset(lines, '\n', sizeof(lines));
    CU_ASSERT_EQUAL(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK), 0);
    while (write(STDOUT_FILENO, lines, sizeof(lines)) > 0)
        continue;
    CU_ASSERT_EQUAL(fcntl(STDOUT_FILENO, F_SETFL, 0), 0);
    alarm(60);
    began = clock_now();
    log_stop(CONFIG_LOG_ERROR, "the last");
    alarm(0);
    CHECK(clock_now() - began < LIMIT / 2, "stalled", "%llu ms",
          (unsigned long long)(clock_now() - began) / 1000);
    end_pipe();
}

/* As another process may have made it that writes there, too. */
static void test_a_pipe_that_does_not_block_is_waited_for(void)
{
    struct reader reader = {.last = ""};
    pthread_t thread;

    begin_pipe();
    CU_ASSERT_EQUAL(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK), 0);
    start_log();
    for (unsigned i = 0; i < 1000; i++)
        log_path("/todos", 6);
    clock_sleep(50000);
    reader.file = dup(pipe_end);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, read_pipe, &reader), 0);
    log_stop(CONFIG_LOG_INFO, "the last");
    end_pipe();
    pthread_join(thread, NULL);
    CHECK_NUMBER("not blocking", "lines", 1000, reader.requests);
    CHECK_TEXT("not blocking", "the last line", "the last", reader.last);
}

static void test_lines_that_could_not_be_written_are_told(void)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    int file;
    char *text;

    CU_ASSERT_FATAL(full >= 0);
    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    file = dup(STDOUT_FILENO);
    start_log();
    dup2(full, STDOUT_FILENO);
    log_message(CONFIG_LOG_WARNING, "no room");
    log_message(CONFIG_LOG_WARNING, "no room");
    clock_sleep(300000);
    dup2(file, STDOUT_FILENO);
    log_message(CONFIG_LOG_WARNING, "room");
    CHECK(comes("2 lines of the log were lost"), "no room", "it is not told");
    log_stop(CONFIG_LOG_INFO, "the last");
    text = log_capture_end();
    CHECK(!strstr(text, "no room"), "no room", "it was written");
    CHECK(strstr(text, "the last"), "the last line", "is not there");
    free(text);
    close(file);
    close(full);
}

/* ---- lines that are repeated ---- */

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void log_status(unsigned status)
{
    log_access(&(struct log_request){.id = "id-1",
                                     .trace = "trace-1",
                                     .method = "GET",
                                     .path = "/",
                                     .path_length = 1,
                                     .status = status,
                                     .client = "::1"});
}

static void test_what_is_repeated_is_counted(void)
{
    char *text;
    const char *last;

    log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
    for (unsigned i = 0; i < 25; i++)
        log_repeated(LOG_DATABASE_CONFLICT, CONFIG_LOG_WARNING, "a deadlock");
    text = log_capture_end();
    CHECK_NUMBER("without the writer", "lines", 25, count_of(text, "a deadlock"));
    free(text);

    log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
    start_log();
    for (unsigned i = 0; i < 500; i++) {
        log_repeated(LOG_DATABASE_CONFLICT, CONFIG_LOG_WARNING, "a deadlock");
        log_status(503);
        log_status(404);
    }
    log_status(500);
    log_repeated(LOG_DATABASE_REFUSAL, CONFIG_LOG_ERROR, "no such table");
    log_stop(CONFIG_LOG_INFO, "the last");
    text = log_capture_end();
    CHECK_NUMBER("conflicts", "lines", 10, count_of(text, "a deadlock"));
    CHECK_NUMBER("conflicts and 503", "their counts", 2,
                 count_of(text, "\"warning\",\"message\":\"and 490 more in 0."));
    CHECK_NUMBER("conflicts", "their kind", 1, count_of(text, " s: conflicts in the database"));
    CHECK_NUMBER("503", "lines", 10, count_of(text, "\"status\":503"));
    CHECK_NUMBER("503", "their kind", 1, count_of(text, " s: answers of status 503"));
    CHECK_NUMBER("404", "lines", 500, count_of(text, "\"status\":404"));
    CHECK_NUMBER("500", "lines", 1, count_of(text, "\"status\":500"));
    CHECK_NUMBER("another kind", "lines", 1, count_of(text, "no such table"));
    last = strstr(text, "answers of status 503");
    CHECK(last && strstr(last, "the last"), "the last line", "is not the last");
    free(text);
}

/* ---- requests ---- */

static void test_an_aborted_answer_is_not_logged_as_whole(void)
{
    static const struct log_request request = {.id = "id-1",
                                               .trace = "trace-1",
                                               .method = "POST",
                                               .path = "/todos",
                                               .path_length = 6,
                                               .status = 201,
                                               .client = "::1",
                                               .is_aborted = true};
    char *line;

    log_capture_begin(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
    log_access(&request);
    line = log_capture_end();
    CHECK_CONTAINS("JSON", "line", "\"client\":\"::1\",\"aborted\":true}\n", line);
    check_json("JSON", line);
    free(line);

    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    log_access(&request);
    line = log_capture_end();
    CHECK_CONTAINS("text", "line", "  ::1  id-1  trace-1  aborted\n", line);
    free(line);
}

static void test_health_checks_that_succeed_are_logged_on_demand(void)
{
    static const struct {
        const char *name;
        enum config_log_level level;
        bool health;
        unsigned status;
        const char *wanted;
    } rows[] = {
        {"by default",          CONFIG_LOG_INFO,    false, 200, ""                     },
        {"LOG_LEVEL=debug",     CONFIG_LOG_DEBUG,   false, 200, "\"level\":\"debug\""  },
        {"LOG_HEALTH=1",        CONFIG_LOG_INFO,    true,  200, "\"level\":\"info\""   },
        {"one that fails",      CONFIG_LOG_WARNING, false, 503, "\"level\":\"warning\""},
        {"one that is refused", CONFIG_LOG_INFO,    false, 405, "\"level\":\"info\""   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *line;
        log_capture_begin(CONFIG_LOG_JSON, rows[i].level);
        log_configure(CONFIG_LOG_JSON, rows[i].level, rows[i].health);
        log_access(&(struct log_request){.id = "id-1",
                                         .trace = "trace-1",
                                         .method = "GET",
                                         .path = "/livez",
                                         .path_length = 6,
                                         .status = rows[i].status,
                                         .client = "::1",
                                         .is_health = true});
        line = log_capture_end();
        if (*rows[i].wanted)
            CHECK_CONTAINS(rows[i].name, "line", rows[i].wanted, line);
        else
            CHECK_TEXT(rows[i].name, "line", "", line);
        free(line);
    }
}

enum { THREADS = 4, LINES_EACH = 500, LINES = THREADS * LINES_EACH };

static void *log_many(void *context)
{
    for (unsigned i = 0; i < LINES_EACH; i++)
        log_path("/todos", 6);
    return context;
}

static void test_lines_of_many_threads_stay_whole(void)
{
    pthread_t threads[THREADS];
    unsigned count = 0;
    char *text;

    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    start_log();
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_stop(CONFIG_LOG_INFO, "the last");
    text = log_capture_end();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        count += strlen(line) > 15 && strcmp(line + strlen(line) - 15, "  id-1  trace-1") == 0;
    CHECK_NUMBER("threads", "whole lines", LINES, count);
    free(text);
}

/* Of level error and warning what is no success, else a log that is searched by level hides it.
 */
static void test_the_level_of_a_request_is_that_of_its_status(void)
{
    static const struct {
        unsigned status;
        const char *level;
    } rows[] = {
        {200, "info"   },
        {404, "info"   },
        {499, "info"   },
        {500, "error"  },
        {501, "warning"},
        {503, "warning"},
        {505, "warning"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char wanted[64], name[16];
        char *line;
        snprintf(name, sizeof(name), "%u", rows[i].status);
        snprintf(wanted, sizeof(wanted), "\"level\":\"%s\",\"message\":\"request\"",
                 rows[i].level);
        for (unsigned level = CONFIG_LOG_INFO; level <= CONFIG_LOG_ERROR; level++) {
            bool is_wanted = rows[i].status == 500 || level == CONFIG_LOG_INFO ||
                             (rows[i].status > 500 && level == CONFIG_LOG_WARNING);
            log_capture_begin(CONFIG_LOG_JSON, level);
            log_access(&(struct log_request){.id = "id-1",
                                             .trace = "trace-1",
                                             .method = "GET",
                                             .path = "/",
                                             .path_length = 1,
                                             .status = rows[i].status,
                                             .client = "::1"});
            line = log_capture_end();
            if (is_wanted)
                CHECK_CONTAINS(name, "line", wanted, line);
            else
                CHECK_TEXT(name, "line", "", line);
            free(line);
        }
    }
}

CU_TestInfo log_tests[] = {
    {"the level of a request is that of its status",
     test_the_level_of_a_request_is_that_of_its_status                                                           },
    {"messages are escaped",                                        test_messages_are_escaped                    },
    {"requests are escaped",                                        test_requests_are_escaped                    },
    {"a path of any bytes and length gives a line of JSON",
     test_a_path_of_any_bytes_and_length_gives_a_line_of_json                                                    },
    {"the time is UTC with milliseconds",                           test_the_time_is_utc_with_milliseconds       },
    {"lines below the level are left out",                          test_lines_below_the_level_are_left_out      },
    {"without the writer a line is written at once",
     test_without_the_writer_a_line_is_written_at_once                                                           },
    {"the writer writes in order",                                  test_the_writer_writes_in_order              },
    {"nothing follows the last line",                               test_nothing_follows_the_last_line           },
    {"the end without the writer does not wait either",
     test_the_end_without_the_writer_does_not_wait_either                                                        },
    {"who logs does not wait for stdout, and what is lost is told",
     test_who_logs_does_not_wait_for_stdout_and_what_is_lost_is_told                                             },
    {"the end does not wait for a reader that stalls",
     test_the_end_does_not_wait_for_a_reader_that_stalls                                                         },
    {"a pipe that does not block is waited for",                    test_a_pipe_that_does_not_block_is_waited_for},
    {"lines that could not be written are told",                    test_lines_that_could_not_be_written_are_told},
    {"what is repeated is counted",                                 test_what_is_repeated_is_counted             },
    {"an aborted answer is not logged as whole",                    test_an_aborted_answer_is_not_logged_as_whole},
    {"health checks that succeed are logged on demand",
     test_health_checks_that_succeed_are_logged_on_demand                                                        },
    {"lines of many threads stay whole",                            test_lines_of_many_threads_stay_whole        },
    CU_TEST_INFO_NULL,
};
