#include "http/negotiate.h"

#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INDENT_MAX 8

static const struct renderer {
    const char *name; /* as a format suffix, and in ?format= */
    const char *type;
    const char *subtype;
} renderers[] = {
    [HTTP_JSON] = {"json", "application", "json"},
    [HTTP_HTML] = {"api",  "text",        "html"},
};

/* One element of an Accept header: `text/html;q=0.5`. */
struct media_range {
    const char *type;
    size_t type_length;
    const char *subtype;
    size_t subtype_length;
    bool has_parameters; /* other than q */
    unsigned q;          /* in thousandths */
    unsigned indent;
};

/* How well the header's best range for a renderer fits it. */
struct match {
    int specificity; /* -1: none */
    unsigned q;
    unsigned indent;
    bool is_named; /* by type and subtype, without an asterisk */
};

static size_t trim(const char **text, size_t length)
{
    text_trim_blanks(text, &length);
    return length;
}

static bool is_text(const char *text, size_t length, const char *wanted)
{
    return length == strlen(wanted) && strncasecmp(text, wanted, length) == 0;
}

/* RFC 9110, section 12.4.2: 0 to 1 with at most three decimals. What is no such number counts
 * as 1. */
static unsigned parse_q(const char *text, size_t length)
{
    unsigned q = 0;
    unsigned scale = 100;

    if (length == 0 || (*text != '0' && *text != '1'))
        return 1000;
    if (*text == '1')
        return 1000;
    for (size_t i = 2; i < length && text[1] == '.' && scale > 0; i++, scale /= 10) {
        if (text[i] < '0' || text[i] > '9')
            break;
        q += (unsigned)(text[i] - '0') * scale;
    }
    return q;
}

static unsigned parse_indent(const char *text, size_t length)
{
    unsigned indent = 0;

    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        indent = indent * 10 + (unsigned)(text[i] - '0');
        if (indent > INDENT_MAX)
            indent = INDENT_MAX;
    }
    return indent;
}

static void parse_parameter(struct media_range *range, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    const char *value = equals ? equals + 1 : text + length;
    size_t value_length = (size_t)(text + length - value);
    size_t name_length = equals ? (size_t)(equals - text) : length;

    name_length = trim(&text, name_length);
    value_length = trim(&value, value_length);
    if (is_text(text, name_length, "q")) {
        range->q = parse_q(value, value_length);
        return;
    }
    range->has_parameters = range->has_parameters || name_length > 0;
    if (is_text(text, name_length, "indent"))
        range->indent = parse_indent(value, value_length);
}

static bool parse_range(struct media_range *range, const char *text, size_t length)
{
    const char *end = text + length;
    const char *semicolon = memchr(text, ';', length);
    const char *type_end = semicolon ? semicolon : end;
    const char *slash = memchr(text, '/', (size_t)(type_end - text));

    *range = (struct media_range){.q = 1000, .type = text};
    if (!slash)
        return false;
    range->type_length = trim(&range->type, (size_t)(slash - text));
    range->subtype = slash + 1;
    range->subtype_length = trim(&range->subtype, (size_t)(type_end - slash - 1));
    while (semicolon) {
        const char *parameter = semicolon + 1;
        semicolon = memchr(parameter, ';', (size_t)(end - parameter));
        parse_parameter(range, parameter, (size_t)((semicolon ? semicolon : end) - parameter));
    }
    return true;
}

/* 3 with parameters, 2 for type/subtype, 1 for type/ *, 0 for * / *, -1 for no match. */
static int range_specificity(const struct media_range *range, const struct renderer *renderer)
{
    bool any_type = is_text(range->type, range->type_length, "*");
    bool any_subtype = is_text(range->subtype, range->subtype_length, "*");

    if (!any_type && !is_text(range->type, range->type_length, renderer->type))
        return -1;
    if (!any_subtype && !is_text(range->subtype, range->subtype_length, renderer->subtype))
        return -1;
    if (range->has_parameters)
        return 3;
    return any_subtype ? (any_type ? 0 : 1) : 2;
}

static bool is_named(const struct media_range *range)
{
    return !is_text(range->type, range->type_length, "*") &&
           !is_text(range->subtype, range->subtype_length, "*");
}

static struct match match_renderer(const char *accept, const struct renderer *renderer)
{
    struct match best = {.specificity = -1};

    for (const char *text = accept; text;) {
        size_t length = strcspn(text, ",");
        struct media_range range;
        int specificity =
            parse_range(&range, text, length) ? range_specificity(&range, renderer) : -1;
        if (specificity > best.specificity)
            best = (struct match){specificity, range.q, range.indent, is_named(&range)};
        text = text[length] ? text + length + 1 : NULL;
    }
    return best;
}

static bool wants_problems(const char *accept, enum http_media media, unsigned media_q)
{
    static const struct renderer problem = {"", "application", "problem+json"};
    struct match match = match_renderer(accept, &problem);

    return match.is_named && match.q > 0 &&
           (media == HTTP_HTML ? match.q > media_q : match.q >= media_q);
}

enum http_negotiation http_negotiate(const char *name, const char *accept,
                                     struct http_format *format)
{
    bool named = name && *name;
    unsigned best_q = 0;
    bool known = false;

    *format = (struct http_format){.media = HTTP_JSON};
    for (size_t i = 0; i < sizeof(renderers) / sizeof(renderers[0]); i++) {
        struct match match;
        if (named && strcmp(name, renderers[i].name) != 0)
            continue;
        known = true;
        match = match_renderer(accept ? accept : "*/*", &renderers[i]);
        if (match.specificity < 0 || match.q <= best_q)
            continue;
        best_q = match.q;
        *format = (struct http_format){.media = (enum http_media)i, .indent = match.indent};
    }
    format->has_problems = accept && wants_problems(accept, format->media, best_q);
    if (!known)
        return HTTP_UNKNOWN_FORMAT;
    if (best_q > 0)
        return HTTP_NEGOTIATED;
    /* who takes only problems has nothing against JSON, as which all else comes */
    return format->has_problems && (!named || strcmp(name, renderers[HTTP_JSON].name) == 0)
               ? HTTP_NEGOTIATED
               : HTTP_NOT_ACCEPTABLE;
}

/* The q of one element of an Accept-Encoding header, `gzip;q=0.5`; -1 for another coding. */
static int coding_q(const char *text, size_t length, const char *coding)
{
    const char *end = text + length;
    const char *semicolon = memchr(text, ';', length);
    size_t name_length = trim(&text, (size_t)((semicolon ? semicolon : end) - text));

    if (!is_text(text, name_length, coding))
        return -1;
    if (!semicolon)
        return 1000;
    text = semicolon + 1;
    length = trim(&text, (size_t)(end - text));
    if (length < 2 || (*text != 'q' && *text != 'Q') || text[1] != '=')
        return 1000;
    return (int)parse_q(text + 2, length - 2);
}

unsigned http_negotiate_coding(const char *accept_encoding, const char *coding)
{
    unsigned fallback = strcmp(coding, "identity") == 0 ? 1 : 0;

    for (const char *text = accept_encoding; text;) {
        size_t length = strcspn(text, ",");
        int q = coding_q(text, length, coding);
        int any = coding_q(text, length, "*");
        if (q >= 0)
            return (unsigned)q;
        if (any >= 0)
            fallback = (unsigned)any;
        text = text[length] ? text + length + 1 : NULL;
    }
    return fallback;
}
