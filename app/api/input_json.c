#include "api/input_json.h"

#include "base/text.h"
#include "http/json_text.h"
#include "http/render.h"
#include "todo/validate.h"

#include <jansson.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 1000 /* characters of a number that doesn't fit and is kept as text */

/* Jansson makes about 130 bytes of each `[],`: a body of 1 MiB could take 50. This much is
 * enough for any text of a few thousand values, and for one large string. */
#define MEMORY_BASE     (4U * 1024 * 1024)
#define MEMORY_PER_BYTE 4U

/* What Jansson may still allocate on this thread; as good as no limit when no body is read. */
static _Thread_local size_t memory_left = SIZE_MAX / 2;
static _Thread_local bool is_memory_used_up;
static _Thread_local bool has_malloc_failed;

static void *limited_malloc(size_t size)
{
    void *memory = size <= memory_left ? malloc(size) : NULL;
    size_t usable = memory ? malloc_usable_size(memory) : 0;

    has_malloc_failed = has_malloc_failed || (!memory && size <= memory_left);
    is_memory_used_up = is_memory_used_up || size > memory_left;
    memory_left -= usable < memory_left ? usable : memory_left;
    return memory;
}

static void limited_free(void *memory)
{
    memory_left += malloc_usable_size(memory);
    free(memory);
}

static void limit_jansson(void)
{
    json_set_alloc_funcs(limited_malloc, limited_free);
}

/* Writes the body of a syntax error `position` bytes into the text. Lines, columns and
 * characters are counted in code points. */
static void report_syntax(struct buffer *problems, const char *message, const char *text,
                          size_t position)
{
    size_t line_start = 0;
    size_t line = 1;
    struct buffer detail = {0};

    for (size_t i = 0; i < position; i++) {
        if (text[i] != '\n')
            continue;
        line_start = i + 1;
        line++;
    }
    buffer_append_format(
        &detail, "JSON parse error - %s: line %zu column %zu (char %zu)", message, line,
        text_count(text + line_start, position - line_start) + 1, text_count(text, position));
    http_append_detail(problems, detail.data, detail.size);
    problems->failed |= detail.failed;
    buffer_release(&detail);
}

/* Jansson's message without the piece of the input that it quotes, which may be any bytes, at
 * the place where that piece begins. */
static void report_error(struct buffer *problems, json_error_t *error, const char *text,
                         size_t size)
{
    static const char quote[] = " near '";
    size_t position = error->position > 0 ? (size_t)error->position : 0;
    char *near = strstr(error->text, quote);
    size_t token = 0;

    if (has_malloc_failed || error->text[0] == '\0') /* Jansson may blame the text for it */
        return;
    if (near) {
        token = strlen(near + sizeof(quote) - 1);
        token -= token > 0; /* the closing quote */
        *near = '\0';
    }
    position = position < size ? position : size;
    report_syntax(problems, error->text, text,
                  position - (token < position ? token : position));
}

/* Jansson reads arrays and objects by recursion; this keeps it from going deeper than asked. */
static bool is_shallow(const char *text, size_t size, unsigned depth, size_t *position)
{
    unsigned level = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') {
            i = json_text_string_end(text, size, i) - 1;
        } else if (text[i] == '[' || text[i] == '{') {
            *position = i;
            if (++level > depth)
                return false;
        } else if ((text[i] == ']' || text[i] == '}') && level > 0) {
            level--;
        }
    }
    return true;
}

/* Whether the token is a number as JSON has it. */
static bool is_number(const char *token, size_t length)
{
    size_t i = token[0] == '-' ? 1 : 0;
    size_t digits = strspn(token + i, "0123456789");

    if (digits == 0 || (digits > 1 && token[i] == '0'))
        return false;
    i += digits;
    if (token[i] == '.') {
        digits = strspn(token + i + 1, "0123456789");
        i += digits > 0 ? digits + 1 : 0;
    }
    if (token[i] == 'e' || token[i] == 'E') {
        size_t sign = token[i + 1] == '+' || token[i + 1] == '-';

        digits = strspn(token + i + 1 + sign, "0123456789");
        i += digits > 0 ? digits + 1 + sign : 0;
    }
    return i == length;
}

static size_t skip_blanks(const char *text, size_t size, size_t i)
{
    while (i < size && strchr(" \t\r\n", text[i]) && text[i] != '\0')
        i++;
    return i;
}

static bool is_key(const char *text, size_t size, size_t end)
{
    end = skip_blanks(text, size, end);
    return end < size && text[end] == ':';
}

/* Copies a key. A NUL in it becomes another character that no field's name has. */
static void copy_key(const char *key, size_t length, struct buffer *out)
{
    for (size_t i = 0; i < length; i++) {
        bool is_null = length - i > 5 && memcmp(key + i, "\\u0000", 6) == 0;

        if (is_null) {
            buffer_append_text(out, "\\u0001");
            i += 5;
        } else {
            buffer_append_char(out, key[i]);
            if (key[i] == '\\' && i + 1 < length)
                buffer_append_char(out, key[++i]);
        }
    }
}

/* Copies a number; one that is too large becomes the string that it would be as a text. */
static void copy_number(const char *number, size_t length, struct buffer *out)
{
    size_t start = out->size;
    const char *token;
    bool is_real;

    buffer_append(out, number, length);
    if (out->failed || length > NUMBER_MAX || !is_number(out->data + start, length))
        return;
    token = out->data + start;
    is_real = strcspn(token, ".eE") < length;
    if (is_real && isinf(strtod(token, NULL))) {
        out->size = start;
        buffer_append_text(out, number[0] == '-' ? "\"-inf\"" : "\"inf\"");
    } else if (!is_real && length > 18) {
        out->size = start;
        buffer_append_char(out, '"');
        buffer_append(out, number, length);
        buffer_append_char(out, '"');
    }
}

/* Writes the text again without what Jansson can't read but JSON allows: numbers too large for
 * a machine become strings, which the fields' rules treat alike, and keys lose their NULs. */
static void rewrite(const char *text, size_t size, struct buffer *out)
{
    static const char number_bytes[] = "0123456789+-.eE";
    size_t end;

    for (size_t i = 0; i < size; i = end) {
        bool is_number_byte = text[i] == '-' || (text[i] >= '0' && text[i] <= '9');

        end = i + 1;
        if (text[i] == '"')
            end = json_text_string_end(text, size, i);
        while (is_number_byte && end < size && text[end] != '\0' &&
               strchr(number_bytes, text[end]))
            end++;
        if (text[i] == '"' && is_key(text, size, end))
            copy_key(text + i, end - i, out);
        else if (is_number_byte && !is_key(text, size, end))
            copy_number(text + i, end - i, out);
        else
            buffer_append(out, text + i, end - i);
    }
}

/* Whether Jansson stopped at something that rewrite takes away. A number alone stays: as a
 * string it would be called one in the answer. */
static bool is_rewritable(json_error_t *error, const char *text, size_t size)
{
    enum json_error_code code = json_error_code(error);
    size_t start = skip_blanks(text, size, 0);

    return (code == json_error_numeric_overflow || code == json_error_null_byte_in_key) &&
           start < size && (text[start] == '{' || text[start] == '[');
}

static json_t *load(const char *text, size_t size, struct buffer *problems)
{
    static const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    struct buffer copy = {0};
    json_error_t error = {0};
    json_t *root = json_loadb(text, size, flags, &error);

    if (is_memory_used_up) {
        json_decref(root);
        report_syntax(
            problems, "too many values", text,
            error.position > 0 && (size_t)error.position < size ? (size_t)error.position : 0);
        return NULL;
    }
    if (!root && is_rewritable(&error, text, size)) {
        rewrite(text, size, &copy);
        root = copy.failed ? NULL : json_loadb(copy.data, copy.size, flags, &error);
        text = copy.data;
        size = copy.size;
    }
    if (!root && !copy.failed)
        report_error(problems, &error, text, size);
    buffer_release(&copy);
    return root;
}

static struct todo_value read_value(const json_t *json)
{
    static const enum todo_value_type types[] = {
        [JSON_OBJECT] = TODO_VALUE_OTHER,  [JSON_ARRAY] = TODO_VALUE_OTHER,
        [JSON_STRING] = TODO_VALUE_TEXT,   [JSON_INTEGER] = TODO_VALUE_INTEGER,
        [JSON_REAL] = TODO_VALUE_REAL,     [JSON_TRUE] = TODO_VALUE_BOOLEAN,
        [JSON_FALSE] = TODO_VALUE_BOOLEAN, [JSON_NULL] = TODO_VALUE_NULL,
    };

    if (!json)
        return (struct todo_value){.type = TODO_VALUE_ABSENT};
    /* Each of these gives 0 or NULL for a value of another type. */
    return (struct todo_value){
        .type = types[json_typeof(json)],
        .text = json_string_value(json),
        .length = json_string_length(json),
        .integer = json_integer_value(json),
        .real = json_real_value(json),
        .boolean = json_is_true(json),
    };
}

static void report_type(struct buffer *problems, const json_t *root)
{
    static const char *const names[] = {
        [JSON_ARRAY] = "list", [JSON_STRING] = "str", [JSON_INTEGER] = "int",
        [JSON_REAL] = "float", [JSON_TRUE] = "bool",  [JSON_FALSE] = "bool",
    };

    buffer_append_text(problems, "{\"non_field_errors\":[\"");
    if (json_is_null(root))
        buffer_append_text(problems, "No data provided");
    else
        buffer_append_format(problems, "Invalid data. Expected a dictionary, but got %s.",
                             names[json_typeof(root)]);
    buffer_append_text(problems, "\"]}");
}

static bool read_object(const json_t *object, struct todo_change *change,
                        struct buffer *problems)
{
    struct todo_values values;

    for (size_t i = 0; i < TODO_FIELD_COUNT; i++)
        values.of[i] = read_value(json_object_get(object, todo_fields[i].name));
    return todo_validate(&values, change, problems);
}

/* The id at the end of a url as this program gives them, whatever it begins with: it depends on
 * the name by which the client reached the server. 0 when it is none. */
static int64_t read_url(const json_t *json)
{
    static const char path[] = "/todos/";
    const char *url = json_string_value(json);
    size_t length = url ? strcspn(url, "?") : 0;
    size_t start = length;

    while (start > 0 && url[start - 1] >= '0' && url[start - 1] <= '9')
        start--;
    if (start == length || start < sizeof(path) - 1 ||
        memcmp(url + start - (sizeof(path) - 1), path, sizeof(path) - 1) != 0)
        return 0;
    return text_read_number(url + start, length - start);
}

static bool read_element(const json_t *element, const struct input_many *many,
                         struct buffer *problems)
{
    struct todo_change change = {0};
    const json_t *url = json_object_get(element, "url");
    int64_t id = many->has_urls ? read_url(url) : 0;

    if (many->has_urls && id == 0) {
        buffer_append_text(problems, url ? "{\"url\":[\"Not the url of a todo.\"]}"
                                         : "{\"url\":[\"This field is required.\"]}");
        return false;
    }
    if (!read_object(element, &change, problems))
        return false;
    todo_edits_add(many->edits, id, &change);
    return true;
}

/* What is wrong, by the index of the element: {"3":{"title":["..."]}} */
static bool read_elements(const json_t *array, const struct input_many *many,
                          struct buffer *problems)
{
    struct buffer problem = {0};

    for (size_t i = 0; i < json_array_size(array); i++) {
        buffer_clear(&problem);
        if (!read_element(json_array_get(array, i), many, &problem)) {
            buffer_append_text(problems, problems->size == 0 ? "{" : ",");
            buffer_append_format(problems, "\"%zu\":", i);
            buffer_append(problems, problem.data, problem.size);
        }
        problems->failed = problems->failed || problem.failed;
    }
    buffer_release(&problem);
    if (problems->size > 0)
        buffer_append_char(problems, '}');
    return problems->size == 0 && !problems->failed;
}

static bool read_many(const json_t *array, struct input_many *many, struct buffer *problems)
{
    size_t count = json_array_size(array);

    many->is_many = true;
    if (count > TODO_EDITS_MOST) {
        buffer_append_text(problems,
                           "{\"non_field_errors\":[\"Ensure this list has no more than"
                           " " TEXT_OF(TODO_EDITS_MOST) " elements.\"]}");
        return false;
    }
    return todo_edits_init(many->edits, count) && read_elements(array, many, problems) &&
           todo_edits_complete(many->edits);
}

static bool is_for_many(const json_t *root, const struct input_many *many)
{
    if (!many || json_array_size(root) < many->least)
        return false;
    for (size_t i = 0; i < json_array_size(root); i++)
        if (!json_is_object(json_array_get(root, i)))
            return false;
    return true;
}

static bool read_text(const char *text, size_t size, struct todo_change *change,
                      struct input_many *many, struct buffer *problems)
{
    json_t *root = load(text, size, problems);
    bool is_good = false;

    if (!root)
        return false;
    if (json_is_object(root)) {
        is_good = read_object(root, change, problems);
    } else if (is_for_many(root, many)) {
        is_good = read_many(root, many, problems);
    } else {
        report_type(problems, root);
    }
    json_decref(root);
    return is_good;
}

bool input_json_read(const char *text, size_t size, unsigned depth, struct todo_change *change,
                     struct input_many *many, struct buffer *problems)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t position;
    bool is_good;

    if (size > depth && !is_shallow(text, size, depth, &position)) {
        report_syntax(problems, "nested too deep", text, position);
        return false;
    }
    pthread_once(&once, limit_jansson);
    memory_left = MEMORY_BASE + size * MEMORY_PER_BYTE;
    is_memory_used_up = false;
    has_malloc_failed = false;
    is_good = read_text(text, size, change, many, problems);
    memory_left = SIZE_MAX / 2;
    return is_good;
}
