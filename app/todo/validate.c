#include "todo/validate.h"

#include "base/text.h"

#include <string.h>

#define ORDER_TEXT_MAX 1000 /* code points */

/* The JSON object of messages while it is written. */
struct todo_problems {
    struct buffer *out;
    const struct todo_field *field; /* whose value is read */
    const struct todo_field *told;  /* the last one with a message, NULL before the first */
};

static void report(struct todo_problems *problems, const char *message)
{
    struct buffer *out = problems->out;

    if (problems->told == problems->field) {
        buffer_append_char(out, ',');
    } else {
        buffer_append_text(out, problems->told ? "],\"" : "{\"");
        buffer_append_text(out, problems->field->name);
        buffer_append_text(out, "\":[");
        problems->told = problems->field;
    }
    buffer_append_json(out, message, strlen(message));
}

static void read_title_text(const char *text, size_t length, struct todo_change *change,
                            struct todo_problems *problems)
{
    bool is_long;
    bool has_null;

    text_trim(&text, &length);
    is_long = length > TODO_TITLE_MAX && text_count(text, length) > TODO_TITLE_MAX;
    has_null = length > 0 && memchr(text, '\0', length);
    if (is_long)
        report(problems,
               "Ensure this field has no more than " TEXT_OF(TODO_TITLE_MAX) " characters.");
    if (has_null)
        report(problems, "Null characters are not allowed.");
    if (is_long || has_null)
        return;
    if (length > 0)
        memcpy(change->title, text, length);
    change->title[length] = '\0';
    change->title_length = length;
}

static void read_title(const struct todo_value *value, struct todo_change *change,
                       struct todo_problems *problems)
{
    struct buffer text = {0};

    change->title_set = value->type != TODO_VALUE_ABSENT;
    switch (value->type) {
    case TODO_VALUE_ABSENT:
        break;
    case TODO_VALUE_NULL:
        change->title_null = true;
        break;
    case TODO_VALUE_TEXT:
        read_title_text(value->text, value->length, change, problems);
        break;
    case TODO_VALUE_INTEGER:
        buffer_append_signed(&text, value->integer);
        read_title_text(text.data, text.size, change, problems);
        break;
    case TODO_VALUE_REAL:
        text_append_double(&text, value->real);
        read_title_text(text.data, text.size, change, problems);
        break;
    case TODO_VALUE_BOOLEAN:
    case TODO_VALUE_OTHER:
        report(problems, "Not a valid string.");
        break;
    }
    problems->out->failed |= text.failed;
    buffer_release(&text);
}

/* The words that mean false and true. */
static const char *const boolean_words[2][14] = {
    {"0", "f", "F", "n", "N", "no",  "No",  "NO",  "false", "False", "FALSE", "off", "Off", "OFF"},
    {"1", "t", "T", "y", "Y", "yes", "Yes", "YES", "true",  "True",  "TRUE",  "on",  "On",  "ON" },
};

static bool is_boolean_word(const struct todo_value *value, bool meaning)
{
    for (size_t i = 0; i < sizeof(boolean_words[0]) / sizeof(boolean_words[0][0]); i++) {
        const char *word = boolean_words[meaning][i];

        if (strlen(word) == value->length && memcmp(word, value->text, value->length) == 0)
            return true;
    }
    return false;
}

/* Whether the value is one of those that mean `meaning`. */
static bool is_boolean(const struct todo_value *value, bool meaning)
{
    switch (value->type) {
    case TODO_VALUE_TEXT:
        return is_boolean_word(value, meaning);
    case TODO_VALUE_INTEGER:
        return value->integer == meaning;
    case TODO_VALUE_REAL:
        return value->real == (meaning ? 1.0 : 0.0);
    case TODO_VALUE_BOOLEAN:
        return value->boolean == meaning;
    case TODO_VALUE_ABSENT:
    case TODO_VALUE_NULL:
    case TODO_VALUE_OTHER:
        break;
    }
    return false;
}

static void read_completed(const struct todo_value *value, struct todo_change *change,
                           struct todo_problems *problems)
{
    if (value->type == TODO_VALUE_ABSENT)
        return;
    change->completed_set = true;
    change->completed = is_boolean(value, true);
    if (change->completed || is_boolean(value, false))
        return;
    report(problems, value->type == TODO_VALUE_NULL ? "This field may not be null."
                                                    : "Must be a valid boolean.");
}

/* Takes one match of \.0*\s*$ off the end, as the original does, and white space. */
static void strip_fraction(const char **text, size_t *length)
{
    size_t end;

    text_trim(text, length);
    end = *length;
    while (end > 0 && (*text)[end - 1] == '0')
        end--;
    if (end > 0 && (*text)[end - 1] == '.')
        *length = end - 1;
    text_trim(text, length);
}

/* Reads a sign and ASCII digits; beyond 32 bits *number is only too large or too small. */
static bool parse_integer(const char *text, size_t length, int64_t *number)
{
    bool is_negative = length > 0 && text[0] == '-';
    size_t i = length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;

    *number = 0;
    if (i == length)
        return false;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (*number <= INT32_MAX)
            *number = *number * 10 + (text[i] - '0');
    }
    if (is_negative)
        *number = -*number;
    return true;
}

static void read_order_number(int64_t number, struct todo_change *change,
                              struct todo_problems *problems)
{
    if (number > INT32_MAX)
        report(problems, "Ensure this value is less than or equal to 2147483647.");
    else if (number < INT32_MIN)
        report(problems, "Ensure this value is greater than or equal to -2147483648.");
    else
        change->order = number;
}

static void read_order_text(const char *text, size_t length, struct todo_change *change,
                            struct todo_problems *problems)
{
    int64_t number;

    strip_fraction(&text, &length);
    if (parse_integer(text, length, &number))
        read_order_number(number, change, problems);
    else
        report(problems, "A valid integer is required.");
}

static void read_order(const struct todo_value *value, struct todo_change *change,
                       struct todo_problems *problems)
{
    struct buffer text = {0};

    change->order_set = value->type != TODO_VALUE_ABSENT;
    switch (value->type) {
    case TODO_VALUE_ABSENT:
        break;
    case TODO_VALUE_NULL:
        change->order_null = true;
        break;
    case TODO_VALUE_TEXT:
        if (text_count(value->text, value->length) > ORDER_TEXT_MAX)
            report(problems, "String value too large.");
        else
            read_order_text(value->text, value->length, change, problems);
        break;
    case TODO_VALUE_INTEGER:
        read_order_number(value->integer, change, problems);
        break;
    case TODO_VALUE_REAL:
        text_append_double(&text, value->real);
        read_order_text(text.data, text.size, change, problems);
        break;
    case TODO_VALUE_BOOLEAN:
    case TODO_VALUE_OTHER:
        report(problems, "A valid integer is required.");
        break;
    }
    problems->out->failed |= text.failed;
    buffer_release(&text);
}

const struct todo_field todo_fields[TODO_FIELD_COUNT] = {
    [TODO_TITLE] = {.name = "title",
                    .label = "Title",
                    .type = "string",
                    .limits = ",\"max_length\":" TEXT_OF(TODO_TITLE_MAX),
                    .input = "text",
                    .is_form_required = true,
                    .if_empty = TODO_VALUE_TEXT,
                    .read = read_title},
    [TODO_COMPLETED] = {.name = "completed",
                    .label = "Completed",
                    .type = "boolean",
                    .limits = "",
                    .input = "checkbox",
                    .if_empty = TODO_VALUE_ABSENT,
                    .read = read_completed},
    [TODO_ORDER] = {.name = "order",
                    .label = "Order",
                    .type = "integer",
                    .limits = ",\"min_value\":-2147483648,\"max_value\":2147483647",
                    .input = "number",
                    .if_empty = TODO_VALUE_NULL,
                    .read = read_order  },
};

bool todo_validate(const struct todo_values *values, struct todo_change *change,
                   struct buffer *problems)
{
    struct todo_problems list = {.out = problems};

    for (size_t i = 0; i < TODO_FIELD_COUNT; i++) {
        list.field = &todo_fields[i];
        list.field->read(&values->of[i], change, &list);
    }
    if (list.told)
        buffer_append_text(problems, "]}");
    return !list.told && !problems->failed;
}
