#include "base/log.h"

#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KEPT_SIZE = 65536,
    LINE_SIZE_MAX = 24576, /* of a line: what is escaped grows up to sixfold */
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

/* Everything below belongs to who holds the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char kept[KEPT_SIZE];
static size_t kept_size;
static char second_text[sizeof("2000-01-01T00:00:00")];
static time_t second_of_text;

void log_configure(enum config_log_format format, enum config_log_level level)
{
    log_format = format;
    log_level = level;
}

bool log_enabled(enum config_log_level level)
{
    return level >= log_level;
}

/* What can't be written is lost: there is no better place to say so. */
static void write_kept(void)
{
    const char *rest = kept;

    while (kept_size > 0) {
        ssize_t written = write(STDOUT_FILENO, rest, kept_size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        rest += written;
        kept_size -= (size_t)written;
    }
    kept_size = 0;
}

static void append(const char *bytes, size_t size)
{
    memcpy(kept + kept_size, bytes, size);
    kept_size += size;
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

/* A byte that may not stand in a line as it is: JSON has \u00xx for characters, and a byte that
 * is no character is shown as four, \xNN, for which JSON doubles the backslash. */
static void append_escape(unsigned char byte, bool is_json)
{
    char text[8];

    if (byte == '"' || byte == '\\')
        snprintf(text, sizeof(text), "\\%c", byte);
    else if (!is_json)
        snprintf(text, sizeof(text), "\\x%02x", byte);
    else
        snprintf(text, sizeof(text), byte < 0x80 ? "\\u%04x" : "\\\\x%02x", byte);
    append_text(text);
}

/* Length of the character that may stand in a line as it is, 0 if it must be escaped. */
static size_t plain_length(const char *bytes, size_t size)
{
    unsigned char byte = (unsigned char)bytes[0];
    uint32_t point;
    size_t length;

    if (byte < 0x80)
        return byte >= 0x20 && byte != 0x7f && byte != '"' && byte != '\\';
    length = text_point(bytes, size, &point);
    /* U+0080 to U+009F are control characters, some terminals obey them */
    return point == TEXT_BAD_POINT || point < 0xa0 ? 0 : length;
}

static void append_escaped(const char *bytes, size_t size, bool is_json)
{
    size_t start = 0;

    for (size_t i = 0; i < size;) {
        size_t length = plain_length(bytes + i, size - i);
        if (length > 0) {
            i += length;
            continue;
        }
        append(bytes + start, i - start);
        append_escape((unsigned char)bytes[i], is_json);
        start = ++i;
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

/* Begins a line: time and level. Returns whether it is a line of JSON. */
static bool begin_line(enum config_log_level level)
{
    if (kept_size > KEPT_SIZE - LINE_SIZE_MAX)
        write_kept();
    if (log_format == CONFIG_LOG_AUTO)
        log_format = isatty(STDOUT_FILENO) ? CONFIG_LOG_TEXT : CONFIG_LOG_JSON;
    if (log_format == CONFIG_LOG_TEXT) {
        append_time();
        append_text(" ");
        append_text(level_names[level]);
        append("        ", 8 - strlen(level_names[level]));
        return false;
    }
    append_text("{\"time\":\"");
    append_time();
    append_text("\",\"level\":\"");
    append_text(level_names[level]);
    append_text("\"");
    return true;
}

void log_message(enum config_log_level level, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list arguments;

    if (!log_enabled(level))
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);

    pthread_mutex_lock(&lock);
    if (begin_line(level)) {
        append_text(",\"message\":\"");
        append_escaped(message, strlen(message), true);
        append_text("\"}");
    } else {
        append_escaped(message, strlen(message), false);
    }
    append_text("\n");
    if (level >= CONFIG_LOG_WARNING)
        write_kept();
    pthread_mutex_unlock(&lock);
}

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
    append_text("\"}");
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
}

void log_access(const struct log_request *request)
{
    if (!log_enabled(CONFIG_LOG_INFO))
        return;
    pthread_mutex_lock(&lock);
    if (begin_line(CONFIG_LOG_INFO))
        append_request_json(request);
    else
        append_request_text(request);
    append_text("\n");
    pthread_mutex_unlock(&lock);
}

void log_ready(const char *address, unsigned port)
{
    if (!log_enabled(CONFIG_LOG_INFO))
        return;
    pthread_mutex_lock(&lock);
    if (begin_line(CONFIG_LOG_INFO)) {
        append_text(",\"message\":\"ready\",\"address\":\"");
        append_word(address, true);
        append_text("\",\"port\":");
        append_number(port, 1);
        append_text("}");
    } else {
        append_text("ready on ");
        append_word(address, false);
        append_text(" port ");
        append_number(port, 1);
    }
    append_text("\n");
    pthread_mutex_unlock(&lock);
}

void log_flush(void)
{
    pthread_mutex_lock(&lock);
    write_kept();
    pthread_mutex_unlock(&lock);
}
