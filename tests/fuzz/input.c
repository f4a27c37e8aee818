/* A request's body, JSON above all. Input: a line of a digit (the mode) and the Content-Type,
 * the body. */

#include "api/input.h"
#include "base/text.h"
#include "fuzz.h"

#include <jansson.h>

static bool is_same(const struct todo_change *one, const struct todo_change *other)
{
    return one->title_set == other->title_set && one->title_null == other->title_null &&
           one->title_length == other->title_length && strcmp(one->title, other->title) == 0 &&
           one->completed_set == other->completed_set && one->completed == other->completed &&
           one->order_set == other->order_set && one->order_null == other->order_null &&
           one->order == other->order;
}

static void check_title(const struct todo_change *change)
{
    const char *trimmed = change->title;
    size_t length = change->title_length;
    uint32_t point;

    assert(strlen(change->title) == length);
    assert(text_count(change->title, length) <= TODO_TITLE_MAX);
    for (size_t i = 0; i < length;) {
        i += text_point(change->title + i, length - i, &point);
        assert(point != TEXT_BAD_POINT);
    }
    text_trim(&trimmed, &length);
    assert(length == change->title_length);
    assert(!change->title_null || length == 0);
}

/* What was accepted, written as JSON, is accepted as the same. */
static void check_again(const struct todo_change *change)
{
    json_t *object = json_object();
    struct todo_input input = {
        .mode = TODO_INPUT_PATCH, .content_type = "application/json", .json_depth = 10};
    struct todo_change again;
    struct todo_rejection rejection = {0};
    char *text;

    if (change->title_set)
        json_object_set_new(object, "title",
                            change->title_null
                                ? json_null()
                                : json_stringn(change->title, change->title_length));
    if (change->completed_set)
        json_object_set_new(object, "completed", json_boolean(change->completed));
    if (change->order_set)
        json_object_set_new(object, "order",
                            change->order_null ? json_null() : json_integer(change->order));
    text = json_dumps(object, 0);
    assert(text);
    input.body = text;
    input.size = strlen(text);
    assert(todo_input_read(&input, &again, NULL, NULL, &rejection));
    assert(is_same(change, &again));
    /* jansson's memory has a function of its own to be freed with */
    {
        json_malloc_t take;
        json_free_t give;

        json_get_alloc_funcs(&take, &give);
        give(text);
    }
    json_decref(object);
}

/* A rejection is JSON in UTF-8, an object that is not empty. */
static void check_rejection(const struct todo_rejection *rejection,
                            const struct todo_input *input)
{
    json_t *json;

    assert(rejection->status == 400 || rejection->status == 415);
    assert(rejection->status == 400 || input->size > 0);
    assert(!rejection->body.failed);
    json = json_loadb(rejection->body.data, rejection->body.size, JSON_ALLOW_NUL, NULL);
    assert(json_is_object(json) && json_object_size(json) > 0);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input body = {data, size};
    char *type = fuzz_line(&body);
    char *bytes = malloc(body.size > 0 ? body.size : 1);
    struct todo_input input = {
        .mode = (enum todo_input_mode)((unsigned char)type[0] % 3),
        .content_type = *type ? type + 1 : NULL,
        .body = body.size > 0 ? bytes : NULL,
        .size = body.size,
        .json_depth = 16,
    };
    struct todo_change change;
    struct todo_rejection rejection = {0};

    assert(bytes);
    memcpy(bytes, body.data, body.size);
    if (todo_input_read(&input, &change, NULL, NULL, &rejection)) {
        assert(rejection.status == 0 && rejection.body.size == 0);
        check_title(&change);
        check_again(&change);
    } else {
        check_rejection(&rejection, &input);
    }
    todo_rejection_release(&rejection);
    free(bytes);
    free(type);
    return 0;
}
