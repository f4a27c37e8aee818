#include "http/prefer.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define SECONDS_MOST 1000000U /* more is as much */

/* The bytes to the next comma that stands in no quotes. */
static size_t item_length(const char *text)
{
    bool is_quoted = false;
    size_t length = 0;

    for (; text[length] && (is_quoted || text[length] != ','); length++) {
        if (text[length] == '"')
            is_quoted = !is_quoted;
        else if (text[length] == '\\' && is_quoted && text[length + 1])
            length++;
    }
    return length;
}

/* Of what follows the name: `=25` or `= "25"`, and perhaps parameters. */
static bool read_seconds(const char *text, unsigned *seconds)
{
    unsigned number = 0;
    bool is_quoted;
    size_t digits;

    text += strspn(text, " \t");
    if (*text != '=')
        return false;
    text += 1 + strspn(text + 1, " \t");
    is_quoted = *text == '"';
    text += is_quoted;
    digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits && number < SECONDS_MOST; i++)
        number = number * 10 + (unsigned)(text[i] - '0');
    text += digits;
    if (digits == 0 || (is_quoted && *text++ != '"'))
        return false;
    text += strspn(text, " \t");
    *seconds = number < SECONDS_MOST ? number : SECONDS_MOST;
    return *text == '\0' || *text == ',' || *text == ';';
}

bool http_prefer_wait(const char *prefer, unsigned *seconds)
{
    static const char name[] = "wait";
    size_t length = sizeof(name) - 1;

    for (const char *item = prefer; item && *item;) {
        item += strspn(item, ", \t");
        if (strncasecmp(item, name, length) == 0 && strchr(" \t=;,", item[length]))
            return read_seconds(item + length, seconds);
        item += item_length(item);
    }
    return false;
}
