#include "api/page.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* A page while it is read. */
struct reader {
    struct todo_page *page;
    struct buffer *problems;
    const char *name; /* of the parameter at hand */
    bool has_problem;
    bool has_failed; /* without memory */
};

/* One message for each parameter. */
static void report(struct reader *reader, const char *message)
{
    buffer_append_text(reader->problems, reader->has_problem ? ",\"" : "{\"");
    buffer_append_text(reader->problems, reader->name);
    buffer_append_text(reader->problems, "\":[");
    buffer_append_json(reader->problems, message, strlen(message));
    buffer_append_char(reader->problems, ']');
    reader->has_problem = true;
}

/* An item of a list with commas. */
struct item {
    const char *text;
    size_t length;
};

/* The item at *text, which is moved to the next one; NULL behind the last. */
static struct item take_item(const char **text, const char *end)
{
    const char *start = *text;
    const char *comma = memchr(start, ',', (size_t)(end - start));

    *text = comma ? comma + 1 : NULL;
    return (struct item){start, (size_t)((comma ? comma : end) - start)};
}

static bool is_word(struct item item, const char *word)
{
    return item.length == strlen(word) && memcmp(item.text, word, item.length) == 0;
}

static bool parse_integer(struct item item, int64_t *number)
{
    size_t first = item.length > 0 && item.text[0] == '-';

    *number = 0;
    for (size_t i = first; i < item.length; i++) {
        char digit = item.text[i];

        if (digit < '0' || digit > '9' || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, first ? '0' - digit : digit - '0', number))
            return false;
    }
    return item.length > first;
}

/* ---- one parameter each ---- */

static void read_limit(struct reader *reader, struct item value)
{
    int64_t limit;

    if (!parse_integer(value, &limit))
        report(reader, "A valid integer is required.");
    else if (limit < 1)
        report(reader, "Ensure this value is greater than or equal to 1.");
    else if (limit > TODO_LIMIT_MAX)
        report(reader,
               "Ensure this value is less than or equal to " TEXT_OF(TODO_LIMIT_MAX) ".");
    else
        reader->page->query.limit = (size_t)limit;
}

static void read_completed(struct reader *reader, struct item value)
{
    struct todo_query *query = &reader->page->query;

    query->has_completed = true;
    query->completed = is_word(value, "true");
    if (!query->completed && !is_word(value, "false"))
        report(reader, "Must be true or false.");
}

static void read_search(struct reader *reader, struct item value)
{
    struct todo_query *query = &reader->page->query;
    struct buffer mended = {0};

    if (text_append(&mended, value.text, value.length) > 0)
        report(reader, "Not a valid string.");
    else if (text_count(value.text, value.length) > TODO_SEARCH_MAX)
        report(reader,
               "Ensure this field has no more than " TEXT_OF(TODO_SEARCH_MAX) " characters.");
    else if (memchr(value.text, '\0', value.length))
        report(reader, "Null characters are not allowed.");
    else
        query->search_length = value.length;
    memcpy(query->search, value.text, query->search_length);
    reader->has_failed = reader->has_failed || mended.failed;
    buffer_release(&mended);
}

static bool find_sort(struct item item, struct todo_sort *sort)
{
    sort->is_descending = item.length > 0 && item.text[0] == '-';
    item.text += sort->is_descending;
    item.length -= sort->is_descending;
    for (unsigned field = 0; field < TODO_SORT_FIELD_COUNT; field++) {
        sort->field = (enum todo_sort_field)field;
        if (is_word(item, todo_sort_names[field]))
            return true;
    }
    return false;
}

/* What comes behind the id changes nothing: it is checked, and left out. */
static bool read_sorts(struct todo_query *query, struct item value)
{
    const char *end = value.text + value.length;
    unsigned seen = 0;
    bool has_id = false;

    for (const char *text = value.text; text;) {
        struct todo_sort sort;

        if (!find_sort(take_item(&text, end), &sort) || seen & 1U << sort.field)
            return false;
        seen |= 1U << sort.field;
        if (!has_id)
            query->sorts[query->sort_count++] = sort;
        has_id = has_id || sort.field == TODO_SORT_ID;
    }
    if (!has_id) {
        bool is_descending = query->sorts[query->sort_count - 1].is_descending;
        query->sorts[query->sort_count++] = (struct todo_sort){TODO_SORT_ID, is_descending};
    }
    return true;
}

static void read_ordering(struct reader *reader, struct item value)
{
    if (!read_sorts(&reader->page->query, value))
        report(reader, "Must be some of id, completed and order, each once, separated by "
                       "commas, with - before what descends.");
}

static bool read_place_value(const struct todo_query *query, size_t sort, struct item item,
                             struct todo_place *place)
{
    int64_t *value = &place->values[sort];

    switch (query->sorts[sort].field) {
    case TODO_SORT_ID:
        return parse_integer(item, value);
    case TODO_SORT_COMPLETED:
        return parse_integer(item, value) && (*value == 0 || *value == 1);
    case TODO_SORT_ORDER:
        place->are_null[sort] = is_word(item, "null");
        return place->are_null[sort] || parse_integer(item, value);
    case TODO_SORT_FIELD_COUNT:
        break;
    }
    return false;
}

static void read_place(struct reader *reader, struct item value)
{
    struct todo_query *query = &reader->page->query;
    const char *text = value.text;
    bool is_good = true;

    for (size_t i = 0; i < query->sort_count && is_good; i++)
        is_good =
            text && read_place_value(query, i, take_item(&text, value.text + value.length),
                                     &query->place);
    query->has_place = true;
    if (!is_good || text)
        report(reader, "Not a place in a list of this ordering.");
}

static void read_after(struct reader *reader, struct item value)
{
    read_place(reader, value);
}

static void read_before(struct reader *reader, struct item value)
{
    if (reader->page->query.has_place) {
        report(reader, "Can't be combined with after.");
        return;
    }
    reader->page->query.is_backward = true;
    read_place(reader, value);
}

/* In the order in which they are read: a place is one of an ordering. */
static const struct parameter {
    const char *name;
    void (*read)(struct reader *reader, struct item value);
} parameters[] = {
    {"limit",     read_limit    },
    {"completed", read_completed},
    {"search",    read_search   },
    {"ordering",  read_ordering },
    {"after",     read_after    },
    {"before",    read_before   },
};

#define PARAMETER_COUNT (sizeof(parameters) / sizeof(parameters[0]))

static bool has_parameter(const struct http_request *request, const char *name)
{
    struct buffer value = {0};
    bool is_there = http_request_query(request, name, &value);

    buffer_release(&value);
    return is_there;
}

bool todo_page_is_asked(const struct http_request *request)
{
    if (!request->query || has_parameter(request, "page") || has_parameter(request, "offset"))
        return false;
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        if (has_parameter(request, parameters[i].name))
            return true;
    return false;
}

static void read_parameters(struct reader *reader, const struct http_request *request)
{
    static const struct todo_sort by_id = {TODO_SORT_ID, false};
    struct todo_query *query = &reader->page->query;

    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        struct buffer value = {0};

        if (parameters[i].read == read_after && query->sort_count == 0)
            query->sorts[query->sort_count++] = by_id;
        reader->name = parameters[i].name;
        if (http_request_query(request, parameters[i].name, &value))
            parameters[i].read(reader, (struct item){value.data ? value.data : "", value.size});
        reader->has_failed = reader->has_failed || value.failed;
        buffer_release(&value);
    }
}

/* ---- writing parameters ---- */

static void append_name(struct buffer *target, const char *name)
{
    buffer_append_char(target, target->data && strchr(target->data, '?') ? '&' : '?');
    buffer_append_text(target, name);
    buffer_append_char(target, '=');
}

/* RFC 3986, section 2.1 */
static void append_encoded(struct buffer *target, const char *text, size_t length)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~";

    for (size_t i = 0; i < length; i++) {
        if (memchr(plain, text[i], sizeof(plain) - 1))
            buffer_append_char(target, text[i]);
        else
            buffer_append_format(target, "%%%02X", (unsigned char)text[i]);
    }
}

static void append_ordering(struct buffer *target, const struct todo_query *query)
{
    append_name(target, "ordering");
    for (size_t i = 0; i < query->sort_count; i++) {
        buffer_append_text(target, i > 0 ? "," : "");
        buffer_append_text(target, query->sorts[i].is_descending ? "-" : "");
        buffer_append_text(target, todo_sort_names[query->sorts[i].field]);
    }
}

static void append_place(struct buffer *target, const char *name,
                         const struct todo_query *query, const struct todo_place *place)
{
    append_name(target, name);
    for (size_t i = 0; i < query->sort_count; i++) {
        buffer_append_text(target, i > 0 ? "," : "");
        if (place->are_null[i])
            buffer_append_text(target, "null");
        else
            buffer_append_signed(target, place->values[i]);
    }
}

/* Only formats that exist come this far. */
static void append_format(struct buffer *target, const struct http_request *request)
{
    struct buffer format = {0};

    if (http_request_query(request, "format", &format)) {
        append_name(target, "format");
        append_encoded(target, format.data, format.size);
    }
    target->failed = target->failed || format.failed;
    buffer_release(&format);
}

static void make_target(struct todo_page *page, const struct http_request *request,
                        const char *suffix)
{
    const struct todo_query *query = &page->query;
    struct buffer *target = &page->target;

    buffer_append_text(target, *suffix ? "/todos." : "/todos");
    buffer_append_text(target, suffix);
    append_format(target, request);
    if (query->limit > 0) {
        append_name(target, "limit");
        buffer_append_unsigned(target, query->limit);
    }
    if (query->has_completed) {
        append_name(target, "completed");
        buffer_append_text(target, query->completed ? "true" : "false");
    }
    if (query->search_length > 0) {
        append_name(target, "search");
        append_encoded(target, query->search, query->search_length);
    }
    if (query->sorts[0].field != TODO_SORT_ID || query->sorts[0].is_descending)
        append_ordering(target, query);
    page->place_at = target->size;
    if (query->has_place)
        append_place(target, query->is_backward ? "before" : "after", query, &query->place);
}

bool todo_page_read(struct todo_page *page, const struct http_request *request,
                    const char *suffix, struct buffer *problems)
{
    struct reader reader = {.page = page, .problems = problems};

    read_parameters(&reader, request);
    if (reader.has_problem)
        buffer_append_char(problems, '}');
    else
        make_target(page, request, suffix);
    page->query.key = page->target.data;
    if (reader.has_failed || page->target.failed)
        buffer_release(problems);
    return !reader.has_problem && !reader.has_failed && !page->target.failed;
}

/* ---- links ---- */

static void append_link(struct buffer *out, const struct todo_page *page, const char *base_url,
                        const char *relation, const char *name, const struct todo *todo)
{
    buffer_append_text(out, out->size > 0 ? ", <" : "<");
    buffer_append_text(out, base_url);
    buffer_append(out, page->target.data, page->place_at);
    if (todo) {
        const struct todo_place place = todo_query_place(&page->query, todo);
        append_place(out, name, &page->query, &place);
    }
    buffer_append_format(out, ">; rel=\"%s\"", relation);
}

void todo_page_append_links(struct buffer *out, const struct todo_page *page,
                            const struct todo_list *list, bool has_more, const char *base_url)
{
    const struct todo_query *query = &page->query;
    bool has_next = query->is_backward || has_more;
    bool has_previous = query->is_backward ? has_more : query->has_place;

    if (query->limit == 0)
        return;
    append_link(out, page, base_url, "first", NULL, NULL);
    if (list->count > 0 && has_next)
        append_link(out, page, base_url, "next", "after", &list->todos[list->count - 1]);
    if (list->count > 0 && has_previous)
        append_link(out, page, base_url, "prev", "before", &list->todos[0]);
}

void todo_page_release(struct todo_page *page)
{
    buffer_release(&page->target);
}
