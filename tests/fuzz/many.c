/* An array of todos or of changes: each element is read as it would be by itself. Input: a line
 * of a digit (odd: changes), the body. */

#include "api/input.h"
#include "fuzz.h"

#include <errno.h>
#include <jansson.h>

static bool is_same(const struct todo *one, const struct todo *other)
{
    return one->id == other->id && one->completed == other->completed &&
           one->has_order == other->has_order && one->order == other->order &&
           !one->title == !other->title &&
           (!one->title || (one->title_length == other->title_length &&
                            strcmp(one->title, other->title) == 0));
}

/* The number that ends the url of a todo; 0 if it is none. */
static int64_t id_of_url(const json_t *url)
{
    static const char path[] = "/todos/";
    char *text = strdup(json_is_string(url) ? json_string_value(url) : "");
    char *start = NULL;
    long long id = 0;

    assert(text);
    text[strcspn(text, "?")] = '\0';
    for (char *at = text; (at = strstr(at, path)); at++)
        start = at + sizeof(path) - 1;
    if (start && *start && strspn(start, "0123456789") == strlen(start)) {
        errno = 0;
        id = strtoll(start, NULL, 10);
        id = errno == 0 ? id : 0;
    }
    free(text);
    return id;
}

/* Made once, on the todo as it was, and then again by a second try. */
static void check_applied(struct todo_edit *edit, const struct todo_change *change)
{
    const struct todo before = {.id = edit->todo.id,
                                .title = "before",
                                .title_length = 6,
                                .has_order = true,
                                .order = 7};
    struct todo wanted = before;

    todo_apply(&wanted, change);
    for (int i = 0; i < 2; i++) {
        struct todo todo = before;

        todo_edit_apply(edit, &todo);
        assert(is_same(&todo, &wanted) && is_same(&edit->todo, &wanted));
    }
}

/* Takes the next edit if the element is good; else adds to *problems what is wrong with it. */
static void check_element(const json_t *element, size_t i, bool has_urls,
                          struct todo_edit **edit, struct buffer *problems)
{
    char *text = json_dumps(element, 0);
    struct todo_input input = {.mode = TODO_INPUT_PATCH,
                               .content_type = "application/json",
                               .body = text,
                               .size = text ? strlen(text) : 0,
                               .json_depth = 16};
    const json_t *url = json_object_get(element, "url");
    int64_t id = has_urls ? id_of_url(url) : 0;
    struct todo_change change;
    struct todo_rejection rejection = {0};
    bool is_good = todo_input_read(&input, &change, NULL, NULL, &rejection);

    assert(text);
    if (has_urls && id == 0) {
        is_good = false;
        buffer_clear(&rejection.body);
        buffer_append_text(&rejection.body, url ? "{\"url\":[\"Not the url of a todo.\"]}"
                                                : "{\"url\":[\"This field is required.\"]}");
    }
    if (!is_good) {
        buffer_append_format(problems, "%c\"%zu\":%s", problems->size == 0 ? '{' : ',', i,
                             rejection.body.data);
    } else if (*edit) {
        assert((*edit)->todo.id == id);
        check_applied((*edit)++, &change);
    }
    todo_rejection_release(&rejection);
    free(text);
}

static void check_many(const struct todo_input *input, struct todo_edits *edits,
                       const struct todo_rejection *rejection)
{
    bool has_urls = input->mode == TODO_INPUT_PATCH_MANY;
    json_t *array = json_loadb(input->body, input->size, JSON_ALLOW_NUL, NULL);
    struct todo_edit *edit = rejection->status == 0 ? edits->edits : NULL;
    struct buffer problems = {0};

    if (!array) /* in another encoding, or with numbers that jansson takes for too large */
        return;
    assert(json_array_size(array) >= (has_urls ? 1 : 2));
    for (size_t i = 0; i < json_array_size(array); i++)
        check_element(json_array_get(array, i), i, has_urls, &edit, &problems);
    if (edit) {
        assert(problems.size == 0 && edit == edits->edits + edits->count);
        assert(edits->count == json_array_size(array) && edits->count <= TODO_EDITS_MOST);
    } else if (json_array_size(array) <= TODO_EDITS_MOST) {
        buffer_append_char(&problems, '}');
        assert(strcmp(problems.data, rejection->body.data) == 0);
    }
    buffer_release(&problems);
    json_decref(array);
}

/* What is no array for many is what it would be if there were none. */
static void check_one(const struct todo_input *input, bool is_good,
                      const struct todo_rejection *rejection)
{
    struct todo_change change;
    struct todo_rejection other = {0};

    assert(todo_input_read(input, &change, NULL, NULL, &other) == is_good);
    assert(other.status == rejection->status && other.body.size == rejection->body.size);
    assert(is_good || strcmp(other.body.data, rejection->body.data) == 0);
    todo_rejection_release(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input body = {data, size};
    char *mode = fuzz_line(&body);
    char *bytes = malloc(body.size > 0 ? body.size : 1);
    struct todo_input input = {
        .mode = (unsigned char)mode[0] % 2 ? TODO_INPUT_PATCH_MANY : TODO_INPUT_CREATE,
        .content_type = "application/json",
        .body = body.size > 0 ? bytes : NULL,
        .size = body.size,
        .json_depth = 16,
    };
    struct todo_change change;
    struct todo_edits edits = {0};
    struct todo_rejection rejection = {0};
    bool is_many = false;
    bool is_good;

    assert(bytes);
    memcpy(bytes, body.data, body.size);
    is_good = todo_input_read(&input, &change, &edits, &is_many, &rejection);
    assert(is_good == (rejection.status == 0));
    assert(is_good || (rejection.status == 400 && !rejection.body.failed));
    if (is_many)
        check_many(&input, &edits, &rejection);
    else
        check_one(&input, is_good, &rejection);
    todo_rejection_release(&rejection);
    todo_edits_release(&edits);
    free(bytes);
    free(mode);
    return 0;
}
