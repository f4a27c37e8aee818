#include "base/log.h"

#include "base/clock.h"
#include "base/log_writer.h"
#include "base/metrics.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of each kind of line that may be repeated, so many are written in so many microseconds. */
#define REPEAT_MOST 10U
#define REPEAT_TIME 10000000U

/* What is escaped grows up to sixfold: a line takes LOG_LINE_SIZE_MAX bytes at most. */
enum {
    MESSAGE_SIZE = 2048,
    PATH_SIZE_MAX = 2048, /* a longer path is cut */
    WORD_SIZE_MAX = 128,  /* and any other text that comes from a client */
};

static const char *const level_names[] = {
    [CONFIG_LOG_DEBUG] = "debug",
    [CONFIG_LOG_INFO] = "info",
    [CONFIG_LOG_WARNING] = "warning",
    [CONFIG_LOG_ERROR] = "error",
};

static enum config_log_format log_format = CONFIG_LOG_AUTO;
static enum config_log_level log_level = CONFIG_LOG_INFO;
static enum config_log_level health_level = CONFIG_LOG_DEBUG;

/* Everything below belongs to who holds the writer's lock. */

static char *line_end; /* of what there is of a line */
static char second_text[sizeof("2000-01-01T00:00:00")];
static time_t second_of_text;

/* Lines of a kind, since `began` (clock_now()). */
struct repeat {
    uint64_t began;
    unsigned written;
    uint64_t held_back;
    enum config_log_level level; /* of the last one */
};

static struct repeat repeats[LOG_KINDS];
static struct repeat repeated_answers[100]; /* of status 500 to 599 */
static bool has_held_back;                  /* lines of some kind */
static bool is_over;                        /* the last line was logged */

void log_configure(enum config_log_format format, enum config_log_level level, bool health)
{
    log_writer_lock();
    log_format = format;
    log_level = level;
    health_level = health ? CONFIG_LOG_INFO : CONFIG_LOG_DEBUG;
    is_over = false;
    log_writer_unlock();
    for (unsigned i = CONFIG_LOG_DEBUG; i <= CONFIG_LOG_ERROR; i++)
        metrics_name(METRICS_LEVEL, i, level_names[i]);
}

bool log_enabled(enum config_log_level level)
{
    return level >= log_level;
}

/* ---- parts of a line ---- */

static void append(const char *bytes, size_t size)
{
    memcpy(line_end, bytes, size);
    line_end += size;
}

static void append_text(const char *text)
{
    append(text, strlen(text));
}

/* At least `width` digits. */
static void append_number(uint64_t number, unsigned width)
{
    char digits[20];
    size_t start = sizeof(digits);

    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || sizeof(digits) - start < width);
    append(digits + start, sizeof(digits) - start);
}

static void append_milliseconds(uint64_t microseconds)
{
    append_number(microseconds / 1000, 1);
    append_text(".");
    append_number(microseconds % 1000, 3);
}

/* Of JSON, and of text as JSON has it. */
static void append_escaped_point(uint32_t point, bool is_json)
{
    char text[8];

    if (point == '"' || point == '\\')
        snprintf(text, sizeof(text), "\\%c", (char)point);
    else
        snprintf(text, sizeof(text), point < 0x80 && !is_json ? "\\x%02x" : "\\u%04x", point);
    append_text(text);
}

/* A byte that is no character is shown as four, \xNN, for which JSON doubles the backslash. */
static void append_escaped_byte(unsigned char byte, bool is_json)
{
    char text[8];

    snprintf(text, sizeof(text), is_json ? "\\\\x%02x" : "\\x%02x", byte);
    append_text(text);
}

/* Control characters, which some terminals obey up to U+009F, and what makes a line look like
 * two, or as if it said something else: line separators and the controls of the direction of
 * writing (Unicode Standard Annex 9, section 2). */
static bool is_misleading(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
           point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void append_escaped(const char *bytes, size_t size, bool is_json)
{
    size_t start = 0;
    size_t length;
    uint32_t point;

    for (size_t i = 0; i < size; i += length) {
        length = 1;
        if (is_plain((unsigned char)bytes[i]))
            continue;
        length = text_point(bytes + i, size - i, &point);
        if (point >= 0x80 && point != TEXT_BAD_POINT && !is_misleading(point))
            continue;
        append(bytes + start, i - start);
        if (point == TEXT_BAD_POINT)
            for (size_t j = 0; j < length; j++)
                append_escaped_byte((unsigned char)bytes[i + j], is_json);
        else
            append_escaped_point(point, is_json);
        start = i + length;
    }
    append(bytes + start, size - start);
}

static void append_time(void)
{
    struct timespec now;
    struct tm parts;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second_of_text || !second_text[0]) {
        gmtime_r(&now.tv_sec, &parts);
        strftime(second_text, sizeof(second_text), "%Y-%m-%dT%H:%M:%S", &parts);
        second_of_text = now.tv_sec;
    }
    append_text(second_text);
    append_text(".");
    append_number((uint64_t)now.tv_nsec / 1000000, 3);
    append_text("Z");
}

/* ---- lines ---- */

/* Begins a line: time and level. False when there is no room for it. */
static bool begin_line(enum config_log_level level)
{
    line_end = log_writer_begin(level >= CONFIG_LOG_WARNING);
    if (!line_end)
        return false;
    metrics_add(METRICS_LOG_LINES + level, 1);
    if (log_format == CONFIG_LOG_AUTO)
        log_format = isatty(STDOUT_FILENO) ? CONFIG_LOG_TEXT : CONFIG_LOG_JSON;
    if (log_format == CONFIG_LOG_TEXT) {
        append_time();
        append_text(" ");
        append_text(level_names[level]);
        append("        ", 8 - strlen(level_names[level]));
        return true;
    }
    append_text("{\"time\":\"");
    append_time();
    append_text("\",\"level\":\"");
    append_text(level_names[level]);
    append_text("\"");
    return true;
}

static void end_line(bool at_once)
{
    append_text(log_format == CONFIG_LOG_JSON ? "}\n" : "\n");
    log_writer_end(line_end, at_once);
}

static void add_message(enum config_log_level level, const char *text)
{
    if (!log_enabled(level) || !begin_line(level))
        return;
    if (log_format == CONFIG_LOG_JSON) {
        append_text(",\"message\":\"");
        append_escaped(text, strlen(text), true);
        append_text("\"");
    } else {
        append_escaped(text, strlen(text), false);
    }
    end_line(level >= CONFIG_LOG_WARNING);
}

/* ---- lines that are repeated ---- */

/* Whether one more line of the kind is only counted. */
static bool is_held_back(struct repeat *repeat, enum config_log_level level)
{
    uint64_t now = clock_now();

    if (!log_writer_runs())
        return false;
    if (repeat->held_back == 0 && now - repeat->began >= REPEAT_TIME)
        *repeat = (struct repeat){.began = now};
    repeat->level = level;
    if (repeat->written < REPEAT_MOST) {
        repeat->written++;
        return false;
    }
    repeat->held_back++;
    has_held_back = true;
    return true;
}

/* Says how many lines were held back, if it is time. `what` tells of which kind they were. */
static void tell_repeat(struct repeat *repeat, uint64_t now, bool is_last, const char *what)
{
    char message[128];

    if (repeat->held_back == 0)
        return;
    if (!is_last && now - repeat->began < REPEAT_TIME) {
        has_held_back = true;
        return;
    }
    snprintf(message, sizeof(message), "and %llu more in %.1f s: %s",
             (unsigned long long)repeat->held_back, (double)(now - repeat->began) / 1e6, what);
    add_message(repeat->level, message);
    *repeat = (struct repeat){.began = now};
}

static void tell_repeats(bool is_last)
{
    static const char *const names[LOG_KINDS] = {
        [LOG_DATABASE_CONFLICT] = "conflicts in the database",
        [LOG_DATABASE_REFUSAL] = "refusals of the database",
        [LOG_CONNECTION_LIMIT] = "connections closed to make room",
    };
    uint64_t now = clock_now();
    char name[32];

    has_held_back = false;
    for (size_t i = 0; i < LOG_KINDS; i++)
        tell_repeat(&repeats[i], now, is_last, names[i]);
    for (unsigned i = 0; i < 100; i++) {
        if (repeated_answers[i].held_back == 0)
            continue;
        snprintf(name, sizeof(name), "answers of status %u", 500 + i);
        tell_repeat(&repeated_answers[i], now, is_last, name);
    }
}

static void log_text(struct repeat *repeat, enum config_log_level level, const char *format,
                     va_list arguments) __attribute__((format(printf, 3, 0)));

/* `repeat` is NULL for what is no such line. */
static void log_text(struct repeat *repeat, enum config_log_level level, const char *format,
                     va_list arguments)
{
    char message[MESSAGE_SIZE];

    if (!log_enabled(level))
        return;
    vsnprintf(message, sizeof(message), format, arguments);
    log_writer_lock();
    if (!is_over && !(repeat && is_held_back(repeat, level)))
        add_message(level, message);
    log_writer_unlock();
}

void log_message(enum config_log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_text(NULL, level, format, arguments);
    va_end(arguments);
}

void log_repeated(enum log_kind kind, enum config_log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_text(&repeats[kind], level, format, arguments);
    va_end(arguments);
}

/* ---- requests ---- */

static void append_word(const char *text, bool is_json)
{
    append_escaped(text, strnlen(text, WORD_SIZE_MAX), is_json);
}

static void append_path(const struct log_request *request, bool is_json)
{
    bool is_cut = request->path_length > PATH_SIZE_MAX;

    append_escaped(request->path, is_cut ? PATH_SIZE_MAX : request->path_length, is_json);
    if (is_cut)
        append_text("...");
}

static void append_request_json(const struct log_request *request)
{
    append_text(",\"message\":\"request\",\"request_id\":\"");
    append_word(request->id, true);
    append_text("\",\"trace_id\":\"");
    append_word(request->trace, true);
    append_text("\",\"method\":\"");
    append_word(request->method, true);
    append_text("\",\"path\":\"");
    append_path(request, true);
    append_text("\",\"status\":");
    append_number(request->status, 1);
    append_text(",\"bytes\":");
    append_number(request->bytes, 1);
    append_text(",\"milliseconds\":");
    append_milliseconds(request->microseconds);
    append_text(",\"client\":\"");
    append_word(request->client, true);
    append_text(request->is_aborted ? "\",\"aborted\":true" : "\"");
}

static void append_request_text(const struct log_request *request)
{
    append_number(request->status, 3);
    append_text(" ");
    append_word(request->method, false);
    append_text(" ");
    append_path(request, false);
    append_text("  ");
    append_number(request->bytes, 1);
    append_text(" bytes  ");
    append_milliseconds(request->microseconds);
    append_text(" ms  ");
    append_word(request->client, false);
    append_text("  ");
    append_word(request->id, false);
    append_text("  ");
    append_word(request->trace, false);
    if (request->is_aborted)
        append_text("  aborted");
}

static enum config_log_level access_level(const struct log_request *request)
{
    if (request->status == 500)
        return CONFIG_LOG_ERROR;
    if (request->status > 500)
        return CONFIG_LOG_WARNING;
    return request->is_health && request->status < 400 ? health_level : CONFIG_LOG_INFO;
}

static void add_request(const struct log_request *request, enum config_log_level level)
{
    struct repeat *repeat = NULL;

    if (request->status >= 500 && request->status < 600)
        repeat = &repeated_answers[request->status - 500];
    if ((repeat && is_held_back(repeat, level)) || !begin_line(level))
        return;
    if (log_format == CONFIG_LOG_JSON)
        append_request_json(request);
    else
        append_request_text(request);
    end_line(level >= CONFIG_LOG_WARNING);
}

void log_access(const struct log_request *request)
{
    enum config_log_level level = access_level(request);

    if (!log_enabled(level))
        return;
    log_writer_lock();
    if (!is_over)
        add_request(request, level);
    log_writer_unlock();
}

static void add_ready(const char *address, unsigned port, const char *url, size_t connections)
{
    if (!begin_line(CONFIG_LOG_INFO))
        return;
    if (log_format == CONFIG_LOG_JSON) {
        append_text(",\"message\":\"ready\",\"address\":\"");
        append_word(address, true);
        append_text("\"");
        if (port > 0) {
            append_text(",\"port\":");
            append_number(port, 1);
        }
        append_text(",\"connections\":");
        append_number(connections, 1);
    } else {
        append_text("ready at ");
        append_word(url, false);
        append_text("/ for up to ");
        append_number(connections, 1);
        append_text(" connections");
    }
    end_line(true);
}

void log_ready(const char *address, unsigned port, const char *url, size_t connections)
{
    if (!log_enabled(CONFIG_LOG_INFO))
        return;
    log_writer_lock();
    if (!is_over)
        add_ready(address, port, url, connections);
    log_writer_unlock();
}

/* ---- start and stop ---- */

/* On the writer's thread, at each of its rounds, with the lock held. */
static void add_lines(uint64_t lost)
{
    char message[128];

    if (lost > 0) {
        snprintf(message, sizeof(message),
                 "%llu lines of the log were lost: they were not taken from standard output",
                 (unsigned long long)lost);
        add_message(CONFIG_LOG_WARNING, message);
    }
    if (has_held_back)
        tell_repeats(false);
}

bool log_start(struct error *err)
{
    return log_writer_start(add_lines, err);
}

/* The writer bounds the time that this takes: one is started if there is none. */
void log_stop(enum config_log_level level, const char *last)
{
    struct error ignored = {0};

    log_start(&ignored);
    log_writer_lock();
    if (!is_over) {
        tell_repeats(true);
        add_message(level, last);
    }
    is_over = true;
    log_writer_unlock();
    log_writer_stop();
}
