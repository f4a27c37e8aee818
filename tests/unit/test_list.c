#include "suites.h"
#include "work/store.h"

#include "../integration/check.h"

#include <string.h>

#define MANY 1000

/* Todos with the ids 10, 20, ...; every third has no title, the others are of 0 to 299 letters.
 */
static void fill(struct todo_list *list, size_t count)
{
    char title[300];

    for (size_t i = 0; i < count; i++) {
        struct todo todo = {.id = (uint32_t)(i + 1) * 10, .order = (int32_t)i};

        todo.title_length = i % 3 == 0 ? 0 : i * 7 % sizeof(title);
        memset(title, 'a' + (int)(i % 26), sizeof(title));
        todo.title = i % 3 == 0 ? NULL : title;
        CU_ASSERT_FATAL(todo_list_add(list, &todo));
        memset(title, '?', sizeof(title)); /* it must have been copied */
    }
}

static bool is_title(const struct todo *todo, size_t i)
{
    size_t length = i % 3 == 0 ? 0 : i * 7 % 300;

    if (i % 3 == 0)
        return !todo->title && todo->title_length == 0;
    if (!todo->title || todo->title_length != length || strlen(todo->title) != length)
        return false;
    for (size_t j = 0; j < length; j++)
        if (todo->title[j] != (char)('a' + (int)(i % 26)))
            return false;
    return true;
}

static void check_all(const char *row, const struct todo_list *list, size_t count)
{
    CHECK_NUMBER(row, "count", (long long)count, (long long)list->count);
    for (size_t i = 0; i < list->count; i++)
        CHECK(list->todos[i].id == (int64_t)(i + 1) * 10 &&
                  list->todos[i].order == (int64_t)i && is_title(&list->todos[i], i),
              row, "todo %zu is not what was added", i);
}

static void test_todos_and_titles_are_copied(void)
{
    static const size_t counts[] = {0, 1, 2, 64, 65, MANY};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct todo_list list = {0};

        fill(&list, counts[i]);
        todo_list_complete(&list);
        check_all("completed", &list, counts[i]);
        todo_list_complete(&list);
        check_all("completed again", &list, counts[i]);
        todo_list_release(&list);
    }
}

static void test_a_list_can_grow_after_it_was_complete(void)
{
    struct todo_list list = {0};
    const struct todo more = {.id = 9000, .title = "more", .title_length = 4};

    fill(&list, 70);
    todo_list_complete(&list);
    CU_ASSERT_FATAL(todo_list_add(&list, &more));
    todo_list_complete(&list);
    CU_ASSERT_EQUAL_FATAL(list.count, 71);
    CHECK_TEXT("last", "title", "more", list.todos[70].title);
    list.count = 70;
    check_all("the others", &list, 70);
    todo_list_release(&list);
}

static void test_todos_are_found_by_id(void)
{
    static const size_t counts[] = {1, 2, 3, 100};
    struct todo_list list = {0};

    CU_ASSERT_PTR_NULL(todo_list_find(&list, 1));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        todo_list_clear(&list);
        fill(&list, counts[i]);
        for (size_t id = 0; id <= (counts[i] + 1) * 10; id++) {
            const struct todo *found = todo_list_find(&list, (int64_t)id);
            bool wanted = id > 0 && id % 10 == 0 && id / 10 <= counts[i];

            CHECK(wanted ? found == &list.todos[id / 10 - 1] : !found, "find", "id %zu of %zu",
                  id, counts[i]);
        }
    }
    CU_ASSERT_PTR_NULL(todo_list_find(&list, UINT32_MAX));
    todo_list_release(&list);
}

static void test_clearing_keeps_memory_unless_it_is_much(void)
{
    struct todo_list list = {0};
    const struct todo *todos;

    fill(&list, MANY);
    todos = list.todos;
    todo_list_clear(&list);
    CU_ASSERT(list.count == 0 && list.text_size == 0 && list.todos == todos);
    fill(&list, 2);
    todo_list_complete(&list);
    check_all("used again", &list, 2);
    todo_list_clear(&list);
    fill(&list, 10 * MANY);
    todo_list_clear(&list);
    CU_ASSERT(list.count == 0 && list.capacity == 0 && list.text_capacity == 0);
    fill(&list, 3);
    todo_list_complete(&list);
    check_all("used after much", &list, 3);
    todo_list_release(&list);
    todo_list_release(&list); /* an empty one is fine */
}

static void test_a_list_has_a_limit(void)
{
    const struct todo todo = {.id = 1, .title = "1234567890", .title_length = 10};
    struct todo_list list = {.limit = 3 * (sizeof(todo) + todo.title_length + 1)};

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 3; i++)
            CU_ASSERT_TRUE(todo_list_add(&list, &todo));
        CU_ASSERT_FALSE(todo_list_add(&list, &todo));
        CU_ASSERT_EQUAL(list.count, 3);
        todo_list_complete(&list);
        CHECK_TEXT("last", "title", "1234567890", list.todos[2].title);
        todo_list_release(&list); /* the limit stays */
    }
}

CU_TestInfo list_tests[] = {
    {"todos and titles are copied",             test_todos_and_titles_are_copied            },
    {"a list can grow after it was complete",   test_a_list_can_grow_after_it_was_complete  },
    {"todos are found by id",                   test_todos_are_found_by_id                  },
    {"clearing keeps memory unless it is much", test_clearing_keeps_memory_unless_it_is_much},
    {"a list has a limit",                      test_a_list_has_a_limit                     },
    CU_TEST_INFO_NULL,
};
