#include "api/idempotency.h"

#include "base/text.h"

#include <string.h>

static bool is_visible(char byte)
{
    return byte > ' ' && byte <= '~';
}

static bool add(struct todo_key *key, char byte, const char **problem)
{
    if (key->length == TODO_KEY_MAX) {
        *problem =
            "Idempotency-Key must have no more than " TEXT_OF(TODO_KEY_MAX) " characters.";
        return false;
    }
    key->text[key->length++] = byte;
    return true;
}

/* Without its quotes it has none of what ends a value, or a list's member. */
static bool read_bare(const char *text, size_t length, struct todo_key *key,
                      const char **problem)
{
    for (size_t i = 0; i < length; i++) {
        if (!is_visible(text[i]) || strchr("\"\\,;", text[i])) {
            *problem = "Idempotency-Key must be a string in double quotes, or visible ASCII"
                       " characters other than \" \\ , and ;.";
            return false;
        }
        if (!add(key, text[i], problem))
            return false;
    }
    return true;
}

/* Between the quotes. A backslash stands before a quote or another one. */
static bool read_string(const char *text, size_t length, struct todo_key *key,
                        const char **problem)
{
    for (size_t i = 0; i < length; i++) {
        bool is_escape = text[i] == '\\';

        i += is_escape;
        if (i == length || (!is_visible(text[i]) && text[i] != ' ') ||
            (is_escape ? !strchr("\"\\", text[i]) : text[i] == '"')) {
            *problem = "Idempotency-Key must hold ASCII characters in double quotes, with a"
                       " backslash before each \" and \\.";
            return false;
        }
        if (!add(key, text[i], problem))
            return false;
    }
    return true;
}

bool idempotency_read_key(const struct http_request *request, struct todo_key *key,
                          const char **problem)
{
    const char *text = request->headers[HTTP_HEADER_IDEMPOTENCY_KEY];
    size_t length = strlen(text);
    bool is_good;

    key->length = 0;
    if (request->header_count[HTTP_HEADER_IDEMPOTENCY_KEY] > 1) {
        *problem = "Idempotency-Key must be sent only once.";
        return false;
    }
    text_trim_blanks(&text, &length);
    if (length > 1 && text[0] == '"' && text[length - 1] == '"')
        is_good = read_string(text + 1, length - 2, key, problem);
    else
        is_good = read_bare(text, length, key, problem);
    key->text[key->length] = '\0';
    if (!is_good)
        return false;
    if (key->length == 0)
        *problem = "Idempotency-Key must not be empty.";
    return key->length > 0;
}
