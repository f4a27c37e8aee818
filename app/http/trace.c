#include "http/trace.h"

#include "base/random.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define FLAG_SAMPLED 1

static const char lower_hex[] = "0123456789abcdef";
static const char any_hex[] = "0123456789abcdefABCDEF";

/* ---- traceparent ---- */

/* Exactly so many digits: neither fewer nor, in front of `end`, another byte. */
static bool is_field(const char *text, size_t digits, char end)
{
    return strspn(text, lower_hex) == digits && text[digits] == end;
}

static bool is_zero(const char *text, size_t digits)
{
    return strspn(text, "0") >= digits;
}

static unsigned digit_value(char digit)
{
    return (unsigned)(strchr(lower_hex, digit) - lower_hex);
}

/* version-trace-parent-flags. Later versions may append to it, behind another dash; ff is none
 * (sections 3.2.2 and 3.2.4). */
static bool read_traceparent(struct http_trace *trace, const char *text)
{
    bool is_first = strncmp(text, "00-", 3) == 0;
    const char *id = text + 3;
    const char *parent = id + HTTP_TRACE_ID_LENGTH + 1;
    const char *flags = parent + HTTP_SPAN_ID_LENGTH + 1;
    char end;

    if (strlen(text) < HTTP_TRACE_PARENT_LENGTH)
        return false;
    end = text[HTTP_TRACE_PARENT_LENGTH];
    if (!is_field(text, 2, '-') || strncmp(text, "ff", 2) == 0 ||
        !is_field(id, HTTP_TRACE_ID_LENGTH, '-') || is_zero(id, HTTP_TRACE_ID_LENGTH) ||
        !is_field(parent, HTTP_SPAN_ID_LENGTH, '-') || is_zero(parent, HTTP_SPAN_ID_LENGTH) ||
        !is_field(flags, 2, end) || (end != '\0' && (is_first || end != '-')))
        return false;
    memcpy(trace->id, id, HTTP_TRACE_ID_LENGTH);
    memcpy(trace->parent, parent, HTTP_SPAN_ID_LENGTH);
    trace->sampling =
        digit_value(flags[1]) & FLAG_SAMPLED ? HTTP_SAMPLING_YES : HTTP_SAMPLING_NO;
    return true;
}

/* ---- X-Amzn-Trace-Id ---- */

/* A KEY=VALUE of the header's list. */
struct pair {
    const char *name, *value;
    size_t name_length, value_length;
};

/* Reads the pair that the text begins with; what follows it, or NULL behind the last. */
static const char *read_pair(const char *text, struct pair *pair)
{
    size_t length = strcspn(text, ";");
    const char *equals = memchr(text, '=', length);

    *pair = (struct pair){.name = text, .name_length = length, .value = text + length};
    if (equals) {
        pair->name_length = (size_t)(equals - text);
        pair->value = equals + 1;
        pair->value_length = length - pair->name_length - 1;
    }
    text_trim_blanks(&pair->name, &pair->name_length);
    text_trim_blanks(&pair->value, &pair->value_length);
    return text[length] == ';' ? text + length + 1 : NULL;
}

static bool has_name(const struct pair *pair, const char *name)
{
    return pair->name_length == strlen(name) &&
           memcmp(pair->name, name, pair->name_length) == 0;
}

/* Copies digits as lower-case ones; false where there is another byte, or all are zeros. */
static bool copy_hex(char *out, const char *text, size_t digits)
{
    if (strspn(text, any_hex) < digits || is_zero(text, digits))
        return false;
    for (size_t i = 0; i < digits; i++)
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
    return true;
}

/* 1-, the time, -, and the rest of the id. */
static bool read_root(struct http_trace *trace, const struct pair *pair)
{
    const char *text = pair->value;
    char digits[HTTP_TRACE_ID_LENGTH + 1] = "";

    if (pair->value_length != 3 + HTTP_TRACE_ID_LENGTH || strncmp(text, "1-", 2) != 0 ||
        text[2 + HTTP_TRACE_TIME_DIGITS] != '-')
        return false;
    memcpy(digits, text + 2, HTTP_TRACE_TIME_DIGITS);
    memcpy(digits + HTTP_TRACE_TIME_DIGITS, text + 3 + HTTP_TRACE_TIME_DIGITS,
           HTTP_TRACE_ID_LENGTH - HTTP_TRACE_TIME_DIGITS);
    return copy_hex(trace->id, digits, HTTP_TRACE_ID_LENGTH);
}

static void read_sampled(struct http_trace *trace, const struct pair *pair)
{
    char value = pair->value_length == 1 ? *pair->value : '\0';

    trace->asks = value == '?';
    if (value == '0' || value == '1')
        trace->sampling = value == '1' ? HTTP_SAMPLING_YES : HTTP_SAMPLING_NO;
}

/* In any order, with names that mean nothing here (Self, Lineage). A parent without the trace
 * that it is in says nothing. */
static bool read_amzn(struct http_trace *trace, const char *text)
{
    bool has_root = false;
    struct pair pair;

    while (text) {
        text = read_pair(text, &pair);
        if (has_name(&pair, "Root"))
            has_root = read_root(trace, &pair);
        else if (has_name(&pair, "Parent") && pair.value_length == HTTP_SPAN_ID_LENGTH)
            copy_hex(trace->parent, pair.value, HTTP_SPAN_ID_LENGTH);
        else if (has_name(&pair, "Sampled"))
            read_sampled(trace, &pair);
    }
    if (!has_root)
        trace->parent[0] = '\0';
    return has_root;
}

/* ---- both ---- */

static void begin(struct http_trace *trace)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    text_write_hex(trace->id, (uint64_t)now.tv_sec, HTTP_TRACE_TIME_DIGITS);
    random_fill_hex(trace->id + HTTP_TRACE_TIME_DIGITS,
                    HTTP_TRACE_ID_LENGTH - HTTP_TRACE_TIME_DIGITS);
}

void http_trace_start(struct http_trace *trace, const char *traceparent, const char *amzn)
{
    memset(trace, 0, sizeof(*trace));
    random_fill_hex(trace->span, HTTP_SPAN_ID_LENGTH);
    if (traceparent && read_traceparent(trace, traceparent))
        return;
    if (!amzn || !read_amzn(trace, amzn))
        begin(trace);
}

void http_trace_print(const struct http_trace *trace, char text[HTTP_TRACE_PARENT_LENGTH + 1])
{
    snprintf(text, HTTP_TRACE_PARENT_LENGTH + 1, "00-%s-%s-%02x", trace->id, trace->span,
             trace->sampling == HTTP_SAMPLING_YES ? (unsigned)FLAG_SAMPLED : 0U);
}

void http_trace_print_amzn(const struct http_trace *trace, char *text, size_t size)
{
    snprintf(text, size, "Root=1-%.*s-%s;Sampled=%d", HTTP_TRACE_TIME_DIGITS, trace->id,
             trace->id + HTTP_TRACE_TIME_DIGITS, trace->sampling == HTTP_SAMPLING_YES);
}
