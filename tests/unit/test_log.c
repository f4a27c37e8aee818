#include "base/log.h"
#include "suites.h"

#include "../integration/check.h"

#include <ctype.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sends standard output into a file until end_capture gives what was written, the caller's to
 * free. */
static FILE *captured;
static int stdout_before;

static void begin_capture(enum config_log_format format, enum config_log_level level)
{
    fflush(stdout);
    stdout_before = dup(STDOUT_FILENO);
    captured = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(captured);
    dup2(fileno(captured), STDOUT_FILENO);
    log_configure(format, level);
}

static char *end_capture(void)
{
    char *text;
    long size;

    log_flush();
    dup2(stdout_before, STDOUT_FILENO);
    close(stdout_before);
    fseek(captured, 0, SEEK_END);
    size = ftell(captured);
    rewind(captured);
    text = calloc(1, (size_t)size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL(fread(text, 1, (size_t)size, captured), (size_t)size);
    fclose(captured);
    return text;
}

static const struct {
    const char *name;
    const char *text;
    const char *in_json; /* as it stands in the line */
    const char *in_text;
} escape_rows[] = {
    {"plain",               "all is well",      "all is well",           "all is well"     },
    {"empty",               "",                 "",                      ""                },
    {"quote and backslash", "\"\\",             "\\\"\\\\",              "\\\"\\\\"        },
    {"line break",          "a\r\nb",           "a\\u000d\\u000ab",      "a\\x0d\\x0ab"    },
    {"terminal escape",     "\x1b[31m",         "\\u001b[31m",           "\\x1b[31m"       },
    {"delete",              "\x7f",             "\\u007f",               "\\x7f"           },
    {"umlaut",              "\xc3\xa4",         "\xc3\xa4",              "\xc3\xa4"        },
    {"CJK",                 "\xe6\x97\xa5",     "\xe6\x97\xa5",          "\xe6\x97\xa5"    },
    {"emoji",               "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80",      "\xf0\x9f\x98\x80"},
    {"C1 control",          "\xc2\x9b",         "\\\\xc2\\\\x9b",        "\\xc2\\x9b"      },
    {"bad byte",            "a\xffz",           "a\\\\xffz",             "a\\xffz"         },
    {"overlong",            "\xc0\xaf",         "\\\\xc0\\\\xaf",        "\\xc0\\xaf"      },
    {"surrogate",           "\xed\xa0\x80",     "\\\\xed\\\\xa0\\\\x80", "\\xed\\xa0\\x80" },
    {"cut character",       "\xe6\x97",         "\\\\xe6\\\\x97",        "\\xe6\\x97"      },
};

static void log_path(const char *path, size_t length)
{
    log_access(&(struct log_request){.id = "id-1",
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

        begin_capture(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
        log_message(CONFIG_LOG_INFO, "%s", escape_rows[i].text);
        line = end_capture();
        snprintf(wanted, sizeof(wanted), "Z\",\"level\":\"info\",\"message\":\"%s\"}\n",
                 escape_rows[i].in_json);
        CHECK_CONTAINS(escape_rows[i].name, "line of JSON", wanted, line);
        check_json(escape_rows[i].name, line);
        free(line);

        begin_capture(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
        log_message(CONFIG_LOG_ERROR, "%s", escape_rows[i].text);
        line = end_capture();
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

        begin_capture(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
        log_path(escape_rows[i].text, strlen(escape_rows[i].text));
        line = end_capture();
        snprintf(wanted, sizeof(wanted),
                 "\"level\":\"info\",\"message\":\"request\",\"request_id\":\"id-1\","
                 "\"method\":\"GET\",\"path\":\"%s\",\"status\":200,\"bytes\":1234567890123,"
                 "\"milliseconds\":1.042,\"client\":\"2001:db8::1\"}\n",
                 escape_rows[i].in_json);
        CHECK_CONTAINS(escape_rows[i].name, "line of JSON", wanted, line);
        check_json(escape_rows[i].name, line);
        free(line);

        begin_capture(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
        log_path(escape_rows[i].text, strlen(escape_rows[i].text));
        line = end_capture();
        snprintf(wanted, sizeof(wanted),
                 "Z info    200 GET %s  1234567890123 bytes  1.042 ms  2001:db8::1  id-1\n",
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
        begin_capture(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
        for (unsigned i = 0; i < 8; i++)
            log_path(path, length);
        line = end_capture();
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

    begin_capture(CONFIG_LOG_JSON, CONFIG_LOG_INFO);
    log_message(CONFIG_LOG_INFO, "now");
    line = end_capture();
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

    begin_capture(CONFIG_LOG_TEXT, CONFIG_LOG_WARNING);
    log_message(CONFIG_LOG_DEBUG, "debug line");
    log_message(CONFIG_LOG_INFO, "info line");
    log_path("/todos", 6);
    CU_ASSERT_FALSE(log_enabled(CONFIG_LOG_INFO));
    CU_ASSERT_TRUE(log_enabled(CONFIG_LOG_WARNING));
    text = end_capture();
    CHECK_TEXT("below", "lines", "", text);
    free(text);

    begin_capture(CONFIG_LOG_TEXT, CONFIG_LOG_DEBUG);
    log_message(CONFIG_LOG_DEBUG, "debug line");
    text = end_capture();
    CHECK_CONTAINS("debug", "lines", " debug   debug line\n", text);
    free(text);
}

static void test_a_warning_is_written_at_once_and_in_order(void)
{
    char *text;
    const char *info;

    begin_capture(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    log_message(CONFIG_LOG_INFO, "first");
    CU_ASSERT_EQUAL(lseek(fileno(captured), 0, SEEK_END), 0);
    log_message(CONFIG_LOG_WARNING, "second");
    CU_ASSERT(lseek(fileno(captured), 0, SEEK_END) > 0);
    text = end_capture();
    info = strstr(text, "first");
    CHECK(info && strstr(info, "second"), "order", "got %s", text);
    free(text);
}

enum { THREADS = 4, LINES_EACH = 2000, LINES = THREADS * LINES_EACH };

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

    begin_capture(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, log_many, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    text = end_capture();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        count += strlen(line) > 10 && strcmp(line + strlen(line) - 6, "  id-1") == 0;
    CHECK_NUMBER("threads", "whole lines", LINES, count);
    free(text);
}

CU_TestInfo log_tests[] = {
    {"messages are escaped",                                test_messages_are_escaped              },
    {"requests are escaped",                                test_requests_are_escaped              },
    {"a path of any bytes and length gives a line of JSON",
     test_a_path_of_any_bytes_and_length_gives_a_line_of_json                                      },
    {"the time is UTC with milliseconds",                   test_the_time_is_utc_with_milliseconds },
    {"lines below the level are left out",                  test_lines_below_the_level_are_left_out},
    {"a warning is written at once and in order",
     test_a_warning_is_written_at_once_and_in_order                                                },
    {"lines of many threads stay whole",                    test_lines_of_many_threads_stay_whole  },
    CU_TEST_INFO_NULL,
};
