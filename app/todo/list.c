#include "todo/list.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_TEXT_SIZE (256 * 1024)

void todo_list_release(struct todo_list *list)
{
    free(list->todos);
    free(list->text);
    *list = (struct todo_list){.limit = list->limit};
}

void todo_list_clear(struct todo_list *list)
{
    if (list->text_capacity > KEPT_TEXT_SIZE ||
        list->capacity * sizeof(*list->todos) > KEPT_TEXT_SIZE) {
        todo_list_release(list);
        return;
    }
    list->count = 0;
    list->text_size = 0;
}

static bool grow(void **memory, size_t *capacity, size_t needed, size_t item)
{
    size_t wanted = *capacity ? *capacity : 64;
    void *grown;

    if (needed <= *capacity)
        return true;
    if (needed > SIZE_MAX / 2 / item)
        return false;
    while (wanted < needed)
        wanted *= 2;
    grown = realloc(*memory, wanted * item);
    if (!grown)
        return false;
    *memory = grown;
    *capacity = wanted;
    return true;
}

bool todo_list_add(struct todo_list *list, const struct todo *todo)
{
    size_t size =
        (list->count + 1) * sizeof(*list->todos) + list->text_size + todo->title_length + 1;
    void *todos = list->todos;
    void *text = list->text;
    bool ok = list->limit == 0 || size <= list->limit;

    ok = ok && grow(&todos, &list->capacity, list->count + 1, sizeof(*list->todos));

    list->todos = todos;
    if (!ok)
        return false;
    ok = grow(&text, &list->text_capacity, list->text_size + todo->title_length + 1, 1);
    list->text = text;
    if (!ok)
        return false;
    list->todos[list->count++] = *todo;
    if (todo->title) {
        memcpy(list->text + list->text_size, todo->title, todo->title_length);
        list->text_size += todo->title_length;
        list->text[list->text_size++] = '\0';
    }
    return true;
}

void todo_list_complete(struct todo_list *list)
{
    const char *text = list->text;

    /* only now: the text may have moved while it grew */
    for (size_t i = 0; i < list->count; i++) {
        if (!list->todos[i].title)
            continue;
        list->todos[i].title = text;
        text += list->todos[i].title_length + 1;
    }
}

static int compare_id(const void *key, const void *element)
{
    int64_t id = *(const int64_t *)key;
    const struct todo *todo = element;

    return (id > todo->id) - (id < todo->id);
}

struct todo *todo_list_find(const struct todo_list *list, int64_t id)
{
    if (list->count == 0)
        return NULL;
    return bsearch(&id, list->todos, list->count, sizeof(*list->todos), compare_id);
}

static int compare_ids(const void *left, const void *right)
{
    int64_t one = *(const int64_t *)left;
    int64_t other = *(const int64_t *)right;

    return (one > other) - (one < other);
}

size_t todo_ids_sort(int64_t *ids, size_t count)
{
    size_t distinct = 0;

    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++)
        if (distinct == 0 || ids[i] != ids[distinct - 1])
            ids[distinct++] = ids[i];
    return distinct;
}
