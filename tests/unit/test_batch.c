#include "base/log.h"
#include "fake_store.h"
#include "probe.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <string.h>

#define PROBES_MAX 6

#define CREATE(...)                                                                            \
    {                                                                                          \
        .kind = TODO_CREATE, .title = __VA_ARGS__                                              \
    }
#define UPDATE(number, ...)                                                                    \
    {                                                                                          \
        .kind = TODO_UPDATE, .id = (number), __VA_ARGS__                                       \
    }
#define DELETE(number)                                                                         \
    {                                                                                          \
        .kind = TODO_DELETE, .id = (number)                                                    \
    }
/* Left for a later batch. */
#define HELD (enum todo_outcome)99

#define CLEAR                                                                                  \
    {                                                                                          \
        .kind = TODO_CLEAR                                                                     \
    }

#define CHECKED                                                                                \
    {                                                                                          \
        .kind = TODO_CHECK, .of_readyz = true                                                  \
    }

/* Each row starts with these, and with the key "used" of a todo 77 with the title "old". */
#define MILK  "1 milk open -"
#define EGGS  "2 eggs open -"
#define TEA   "3 tea open -"
#define START MILK "; " EGGS "; " TEA

/* clang-format off */
struct row {
    const char *name;
    struct fake_fault faults[FAKE_FAULTS_MAX];
    uint32_t increment; /* 0: 1 */
    struct {
        struct probe probe;
        enum todo_outcome outcome;
        const char *result;
    } probes[PROBES_MAX];
    size_t count;
    unsigned waves;
    const char *trace; /* NULL: any */
    const char *table; /* afterwards */
};

static const struct row rows[] = {
    {"checks together, apart from changes", {{0}}, 0,
     {{CHECKED, TODO_DONE, ""}, {CHECKED, TODO_DONE, ""}, {CREATE("a"), TODO_DONE, "4 a open -"},
      {CHECKED, TODO_DONE, ""}}, 4, 3,
     "check begin insert:4 commit check", START "; 4 a open -"},
    {"a check, again on a new connection", {{FAKE_CHECK, 1, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{CHECKED, TODO_DONE, ""}}, 1, 1, "check check", START},
    {"a check that fails for whatever reason", {{FAKE_CHECK, 1, 9, ERROR_DATABASE, false}}, 0,
     {{CHECKED, TODO_UNAVAILABLE, ""}}, 1, 1, "check", START},
    {"create", {{0}}, 0, {{CREATE("a"), TODO_DONE, "4 a open -"}}, 1, 1,
     "begin insert:4 commit", START "; 4 a open -"},
    {"creates, in order of arrival", {{0}}, 0,
     {{CREATE("c", .completed = true), TODO_DONE, "4 c done -"},
      {CREATE("a", .order = -5), TODO_DONE, "5 a open -5"},
      {CREATE("b", .url_format = TODO_URL_FORMAT_JSON), TODO_DONE, "6 b open -?format=json"}}, 3, 1,
     "begin insert:4,5,6 commit", START "; 4 c done -; 5 a open -5; 6 b open -?format=json"},
    {"create of nothing", {{0}}, 0, {{CREATE(NULL), TODO_DONE, "4 - open -"}}, 1, 1, NULL, START "; 4 - open -"},
    {"ids with gaps", {{0}}, 3,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {CREATE("b"), TODO_DONE, "7 b open -"},
      {CREATE("c"), TODO_DONE, "10 c open -"}}, 3, 1,
     "begin insert:4,7,10 commit", START "; 4 a open -; 7 b open -; 10 c open -"},
    {"update", {{0}}, 0, {{UPDATE(2, .title = "x"), TODO_DONE, "2 x open -"}}, 1, 1,
     "begin load:2 update:2 commit", MILK "; 2 x open -; " TEA},
    {"update of nothing", {{0}}, 0, {{UPDATE(2, .title = NULL), TODO_DONE, EGGS}}, 1, 1, NULL, START},
    {"updates of one todo", {{0}}, 0,
     {{UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"},
      {UPDATE(1, .completed = true), TODO_DONE, "1 x done -"},
      {UPDATE(1, .order = 5), TODO_DONE, "1 x done 5"},
      {UPDATE(1, .title = "y", .order = 6), TODO_DONE, "1 y done 6"}}, 4, 1,
     "begin load:1 update:1 commit", "1 y done 6; " EGGS "; " TEA},
    {"updates of many", {{0}}, 0,
     {{UPDATE(3, .title = "x"), TODO_DONE, "3 x open -"}, {UPDATE(1, .order = 1), TODO_DONE, "1 milk open 1"},
      {UPDATE(3, .order = 2), TODO_DONE, "3 x open 2"},
      {UPDATE(2, .completed = true), TODO_DONE, "2 eggs done -"}}, 4, 1,
     "begin load:1,2,3 update:1,2,3 commit", "1 milk open 1; 2 eggs done -; 3 x open 2"},
    {"what is not there", {{0}}, 0,
     {{UPDATE(9, .title = "x"), TODO_NOT_FOUND, ""}, {DELETE(8), TODO_NOT_FOUND, ""},
      {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}}, 3, 1,
     "begin load:1,8,9 update:1 commit", "1 x open -; " EGGS "; " TEA},
    {"delete", {{0}}, 0, {{DELETE(2), TODO_DONE, ""}}, 1, 1, "begin load:2 delete:2 commit", MILK "; " TEA},
    {"deletes, in any order", {{0}}, 0, {{DELETE(3), TODO_DONE, ""}, {DELETE(1), TODO_DONE, ""}}, 2, 1,
     "begin load:1,3 delete:1,3 commit", EGGS},
    {"delete twice", {{0}}, 0, {{DELETE(2), TODO_DONE, ""}, {DELETE(2), TODO_NOT_FOUND, ""}}, 2, 1,
     "begin load:2 delete:2 commit", MILK "; " TEA},
    {"update after delete", {{0}}, 0,
     {{DELETE(2), TODO_DONE, ""}, {UPDATE(2, .title = "x"), TODO_NOT_FOUND, ""},
      {DELETE(2), TODO_NOT_FOUND, ""}}, 3, 1,
     "begin load:2 delete:2 commit", MILK "; " TEA},
    {"delete after update", {{0}}, 0,
     {{UPDATE(2, .title = "x"), TODO_DONE, "2 x open -"}, {DELETE(2), TODO_DONE, ""}}, 2, 1, NULL, MILK "; " TEA},
    {"all kinds", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {DELETE(2), TODO_DONE, ""},
      {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {CREATE("b"), TODO_DONE, "5 b open -"},
      {UPDATE(2, .title = "y"), TODO_NOT_FOUND, ""}, {DELETE(9), TODO_NOT_FOUND, ""}}, 6, 1,
     "begin load:1,2,9 insert:4,5 update:1 delete:2 commit", "1 x open -; " TEA "; 4 a open -; 5 b open -"},
    {"clear", {{0}}, 0, {{CLEAR, TODO_DONE, ""}}, 1, 1, "begin clear commit", ""},
    {"clear in the middle", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"},
      {CLEAR, TODO_DONE, ""},
      {UPDATE(1, .title = "y"), TODO_NOT_FOUND, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 5, 3,
     "begin load:1 insert:4 update:1 commit begin clear commit begin load:1 insert:5 commit",
     "5 b open -"},
    {"clear first and last", {{0}}, 0,
     {{CLEAR, TODO_DONE, ""}, {CLEAR, TODO_DONE, ""}, {CREATE("a"), TODO_DONE, "4 a open -"},
      {CLEAR, TODO_DONE, ""}}, 4, 4,
     "begin clear commit begin clear commit begin insert:4 commit begin clear commit", ""},

    {"conditions that hold", {{0}}, 0,
     {{UPDATE(1, .title = "x", .if_title = "milk"), TODO_DONE, "1 x open -"},
      {{.kind = TODO_DELETE, .id = 2, .if_title = "eggs"}, TODO_DONE, ""}}, 2, 1,
     "begin load:1,2 update:1 delete:2 commit", "1 x open -; " TEA},
    {"conditions that don't hold tell what is there, and keep nobody else", {{0}}, 0,
     {{UPDATE(1, .title = "x", .if_title = "tea"), TODO_PRECONDITION_FAILED, MILK},
      {{.kind = TODO_DELETE, .id = 2, .if_title = "tea"}, TODO_PRECONDITION_FAILED, EGGS},
      {UPDATE(3, .title = "y"), TODO_DONE, "3 y open -"}, {CREATE("a"), TODO_DONE, "4 a open -"}}, 4, 1,
     "begin load:1,2,3 insert:4 update:3 commit", MILK "; " EGGS "; 3 y open -; 4 a open -"},
    {"each condition sees what came before it in the batch", {{0}}, 0,
     {{UPDATE(1, .title = "x", .if_title = "milk"), TODO_DONE, "1 x open -"},
      {UPDATE(1, .title = "y", .if_title = "milk"), TODO_PRECONDITION_FAILED, "1 x open -"},
      {UPDATE(1, .title = "z", .if_title = "x"), TODO_DONE, "1 z open -"},
      {{.kind = TODO_DELETE, .id = 1, .if_title = "x"}, TODO_PRECONDITION_FAILED, "1 z open -"},
      {{.kind = TODO_DELETE, .id = 1, .if_title = "z"}, TODO_DONE, ""},
      {UPDATE(1, .title = "w", .if_title = "z"), TODO_NOT_FOUND, ""}}, 6, 1,
     "begin load:1 delete:1 commit", EGGS "; " TEA},
    {"what is not there is not found, whatever the condition", {{0}}, 0,
     {{UPDATE(9, .title = "x", .if_title = "x"), TODO_NOT_FOUND, ""}}, 1, 1, "begin load:9 commit", START},
    {"a condition is tried anew with each try", {{FAKE_COMMIT, 1, 1, ERROR_CONFLICT, false}}, 0,
     {{UPDATE(1, .title = "x", .if_title = "milk"), TODO_DONE, "1 x open -"},
      {UPDATE(1, .title = "y", .if_title = "milk"), TODO_PRECONDITION_FAILED, "1 x open -"}}, 2, 1,
     "begin load:1 update:1 commit roll_back begin:waits load:1 update:1 commit", "1 x open -; " EGGS "; " TEA},
    {"a clear of what it expects", {{0}}, 0,
     {{{.kind = TODO_CLEAR, .if_count = 3}, TODO_DONE, ""}}, 1, 1, "begin load_all clear commit", ""},
    {"a clear of something else", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {{.kind = TODO_CLEAR, .if_count = 3}, TODO_PRECONDITION_FAILED, ""}}, 2, 2,
     "begin insert:4 commit begin load_all commit", START "; 4 a open -"},
    {"creates, if there is what they expect", {{0}}, 0,
     {{CREATE("a", .if_count = 3), TODO_DONE, "4 a open -"}, {CREATE("b", .if_count = 3), TODO_PRECONDITION_FAILED, ""},
      {CREATE("c"), TODO_DONE, "5 c open -"}}, 3, 3,
     "begin load_all insert:4 commit begin load_all commit begin insert:5 commit", START "; 4 a open -; 5 c open -"},
    {"a conflict of a create that wants all", {{FAKE_LOAD_ALL, 1, 1, ERROR_CONFLICT, false}}, 0,
     {{CREATE("a", .if_count = 3), HELD, ""}, {CREATE("b"), HELD, ""}, {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}}, 3, 1,
     "begin load_all roll_back begin load:1 update:1 commit", "1 x open -; " EGGS "; " TEA},
    {"creates with keys", {{0}}, 0,
     {{CREATE("b", .key = "k2"), TODO_DONE, "4 b open -"}, {CREATE("c"), TODO_DONE, "5 c open -"},
      {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"},
      {CREATE("a", .key = "k1"), TODO_DONE, "6 a open -"}}, 4, 1,
     "begin load:1 insert:4,5,6 keys:k1,k2 update:1 commit",
     "1 x open -; " EGGS "; " TEA "; 4 b open -; 5 c open -; 6 a open -"},
    {"a key twice", {{0}}, 0,
     {{CREATE("a", .key = "k"), TODO_DONE, "4 a open -"}, {CREATE("b"), TODO_DONE, "5 b open -"},
      {CREATE("a", .key = "k"), TODO_DONE, "4 a open - again"},
      {CREATE("a", .order = 1, .key = "k"), TODO_KEY_REUSED, ""},
      {CREATE("a", .key = "k"), TODO_DONE, "4 a open - again"}}, 5, 1,
     "begin insert:4,5 keys:k commit", START "; 4 a open -; 5 b open -"},
    {"a key that was used", {{0}}, 0,
     {{CREATE("b"), TODO_DONE, "6 b open -"}, {CREATE("old", .key = "used"), TODO_DONE, "77 old open - again"}},
     2, 2, "begin insert:4,5 keys:used roll_back find:used begin insert:6 commit", START "; 6 b open -"},
    {"a key that was used for something else", {{0}}, 0,
     {{CREATE("new", .key = "used"), TODO_KEY_REUSED, ""},
      {CREATE("old", .url_format = TODO_URL_FORMAT_JSON, .key = "used"), TODO_KEY_REUSED, ""}}, 2, 2,
     "begin insert:4 keys:used roll_back find:used begin insert:5 keys:used roll_back find:used", START},
    {"a key that is held", {{0}}, 0,
     {{CREATE("a", .key = "held"), TODO_KEY_IN_USE, ""}, {CREATE("b", .key = "k"), TODO_DONE, "6 b open -"}},
     2, 2, "begin insert:4,5 keys:held roll_back find:held,k begin insert:6 keys:k commit", START "; 6 b open -"},
    {"a key that nobody has any more", {{FAKE_INSERT_KEYS, 1, 2, ERROR_TAKEN, false}}, 0,
     {{CREATE("a", .key = "k"), TODO_DONE, "6 a open -"}}, 1, 1,
     "begin insert:4 keys roll_back find:k begin insert:5 keys roll_back find:k begin insert:6 keys:k commit",
     START "; 6 a open -"},
    {"a key that is taken again and again", {{FAKE_INSERT_KEYS, 1, 9, ERROR_TAKEN, false}}, 0,
     {{CREATE("a", .key = "k"), HELD, ""}}, 1, 0, NULL, START},
    {"no look for a key", {{FAKE_FIND_KEYS, 1, 9, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("old", .key = "used"), TODO_UNAVAILABLE, ""}}, 1, 1,
     "begin insert:4 keys:used roll_back find begin insert:5 keys:used roll_back find", START},
    {"a bad create with a key", {{0}}, 0,
     {{CREATE("bad", .key = "k"), TODO_FAILED, ""}, {CREATE("a", .key = "k"), TODO_DONE, "4 a open -"}},
     2, 2, NULL, START "; 4 a open -"},
    {"a key that was used, on a condition that held then", {{0}}, 0,
     {{CREATE("old", .key = "used", .if_count = 2), TODO_DONE, "77 old open - again"},
      {CREATE("new", .key = "used", .if_count = 2), TODO_KEY_REUSED, ""},
      {CREATE("new", .key = "k", .if_count = 2), TODO_PRECONDITION_FAILED, ""},
      {CREATE("new", .key = "k", .if_count = 3), TODO_DONE, "4 new open -"}}, 4, 4,
     "begin load_all commit find:used begin load_all commit find:used begin load_all commit find:k"
     " begin load_all insert:4 keys:k commit", START "; 4 new open -"},
    {"many together", {{0}}, 0,
     {{CREATE("a", .many = 2), TODO_DONE, "4 a open -; 5 a open -"},
      {UPDATE(1, .title = "x", .many = 2), TODO_DONE, "1 x open -; 2 x open -"},
      {UPDATE(2, .order = 5, .many = 2), TODO_DONE, "2 x open 5; 3 tea open 5"},
      {CREATE("b"), TODO_DONE, "6 b open -"}}, 4, 1,
     "begin load:1,2,3 insert:4,5,6 update:1,2,3 commit",
     "1 x open -; 2 x open 5; 3 tea open 5; 4 a open -; 5 a open -; 6 b open -"},
    {"all of many or none", {{0}}, 0,
     {{DELETE(2), TODO_DONE, ""}, {UPDATE(1, .title = "x", .many = 3), TODO_NOT_FOUND, "no 1"},
      {UPDATE(3, .title = "y", .many = 2), TODO_NOT_FOUND, "no 1"}, {UPDATE(3, .order = 1), TODO_DONE, "3 tea open 1"}},
     4, 1, "begin load:1,2,3,4 update:3 delete:2 commit", MILK "; 3 tea open 1"},
    {"many bad ones among good ones", {{0}}, 0,
     {{UPDATE(1, .title = "bad", .many = 2), TODO_FAILED, ""}, {UPDATE(2, .title = "x"), TODO_DONE, "2 x open -"}},
     2, 2, NULL, MILK "; 2 x open -; " TEA},
    {"many are done again with what they asked for", {{FAKE_COMMIT, 1, 1, ERROR_CONFLICT, false}}, 0,
     {{UPDATE(1, .order = 1, .many = 2), TODO_DONE, "1 milk open 1; 2 eggs open 1"},
      {UPDATE(1, .title = "x"), TODO_DONE, "1 x open 1"}}, 2, 1,
     "begin load:1,2 update:1,2 commit roll_back begin:waits load:1,2 update:1,2 commit",
     "1 x open 1; 2 eggs open 1; " TEA},
    {"many with a key", {{0}}, 0,
     {{CREATE("a", .many = 2, .key = "k"), TODO_DONE, "4 a open -; 5 a open -"},
      {CREATE("a", .many = 2, .key = "k"), TODO_DONE, "4 a open -; 5 a open - again"},
      {CREATE("a", .many = 3, .key = "k"), TODO_KEY_REUSED, ""}, {CREATE("a", .key = "k"), TODO_KEY_REUSED, ""}}, 4, 1,
     "begin insert:4,5 keys:k commit", START "; 4 a open -; 5 a open -"},
    {"a commit that is lost, and a key", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a", .key = "k"), TODO_OUTCOME_UNKNOWN, ""}}, 1, 1,
     "begin insert:4 keys:k commit roll_back", START "; 4 a open -"},

    {"a bad create among good ones", {{0}}, 0,
     {{CREATE("a"), TODO_DONE, "5 a open -"}, {CREATE("bad"), TODO_FAILED, ""},
      {CREATE("b"), TODO_DONE, "6 b open -"}}, 3, 3,
     "begin insert:4 roll_back begin insert:5 commit begin insert roll_back begin insert roll_back begin insert:6 commit",
     START "; 5 a open -; 6 b open -"},
    {"bad update among good ones", {{0}}, 0,
     {{UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {UPDATE(2, .title = "bad"), TODO_FAILED, ""},
      {UPDATE(2, .completed = true), TODO_DONE, "2 eggs done -"}, {DELETE(3), TODO_DONE, ""},
      {UPDATE(3, .title = "y"), TODO_NOT_FOUND, ""}}, 5, 4, NULL, "1 x open -; 2 eggs done -"},
    {"bad create before a clear", {{0}}, 0,
     {{CREATE("bad"), TODO_FAILED, ""}, {CREATE("a"), TODO_DONE, "4 a open -"}, {CLEAR, TODO_DONE, ""},
      {CREATE("b"), TODO_DONE, "5 b open -"}}, 4, 4, NULL, "5 b open -"},
    {"a lone bad create is tried once", {{0}}, 0, {{CREATE("bad"), TODO_FAILED, ""}}, 1, 1,
     "begin insert roll_back", START},
    {"everything refused", {{FAKE_BEGIN, 1, 9, ERROR_DATABASE, false}}, 0,
     {{CREATE("a"), TODO_FAILED, ""}, {DELETE(1), TODO_FAILED, ""}}, 2, 2, "begin begin begin", START},
    {"no memory once", {{FAKE_LOAD, 1, 1, ERROR_SYSTEM, false}}, 0,
     {{DELETE(1), TODO_DONE, ""}, {DELETE(1), TODO_NOT_FOUND, ""}}, 2, 2,
     "begin load:1 roll_back begin load:1 delete:1 commit begin load:1 commit", EGGS "; " TEA},
    {"refused at commit", {{FAKE_COMMIT, 1, 1, ERROR_DATABASE, false}}, 0,
     {{DELETE(1), TODO_DONE, ""}, {DELETE(2), TODO_DONE, ""}}, 2, 2,
     "begin load:1,2 delete:1,2 commit roll_back begin load:1 delete:1 commit begin load:2 delete:2 commit", TEA},
    {"values refused at commit", {{FAKE_COMMIT, 1, 2, ERROR_REFUSED, false}}, 0,
     {{DELETE(1), TODO_REFUSED, ""}, {DELETE(2), TODO_DONE, ""}}, 2, 2,
     "begin load:1,2 delete:1,2 commit roll_back begin load:1 delete:1 commit roll_back begin load:2 delete:2 commit", MILK "; " TEA},
    {"refused clear", {{FAKE_CLEAR, 1, 1, ERROR_DATABASE, false}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {CLEAR, TODO_FAILED, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 3, 3,
     "begin insert:4 commit begin clear roll_back begin insert:5 commit", START "; 4 a open -; 5 b open -"},

    {"conflict at load", {{FAKE_LOAD, 1, 1, ERROR_CONFLICT, false}}, 0,
     {{UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {UPDATE(1, .order = 1), TODO_DONE, "1 x open 1"}}, 2, 1,
     "begin load:1 roll_back begin:waits load:1 update:1 commit", "1 x open 1; " EGGS "; " TEA},
    {"conflict at commit", {{FAKE_COMMIT, 1, 2, ERROR_CONFLICT, false}}, 0,
     {{CREATE("a"), TODO_DONE, "6 a open -"}, {DELETE(1), TODO_DONE, ""}, {UPDATE(1, .title = "x"), TODO_NOT_FOUND, ""}}, 3, 2,
     "begin load:1 insert:4 delete:1 commit roll_back begin:waits load:1 insert:5 delete:1 commit roll_back "
     "begin insert:6 commit begin load:1 delete:1 commit", EGGS "; " TEA "; 6 a open -"},
    {"conflict at clear", {{FAKE_CLEAR, 1, 1, ERROR_CONFLICT, false}}, 0, {{CLEAR, HELD, ""}}, 1, 0,
     "begin clear roll_back", START},
    {"conflict at begin: the whole database is locked", {{FAKE_BEGIN, 1, 99, ERROR_CONFLICT, false}}, 0,
     {{UPDATE(1, .title = "x"), HELD, ""}, {CREATE("a"), HELD, ""}, {CLEAR, HELD, ""}, {CREATE("b"), HELD, ""}}, 4, 0,
     "begin", START},

    {"dead connection at begin", {{FAKE_BEGIN, 1, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}}, 1, 1, "begin begin insert:4 commit", START "; 4 a open -"},
    {"connection lost before the commit", {{FAKE_UPDATE, 1, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_DONE, "5 a open -"}, {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}}, 2, 1,
     "begin load:1 insert:4 update roll_back begin load:1 insert:5 update:1 commit",
     "1 x open -; " EGGS "; " TEA "; 5 a open -"},
    {"no database", {{FAKE_BEGIN, 1, 99, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_UNAVAILABLE, ""}, {DELETE(1), TODO_UNAVAILABLE, ""}}, 2, 1, "begin begin", START},
    {"connection lost, then none", {{FAKE_INSERT, 1, 1, ERROR_UNAVAILABLE, false}, {FAKE_BEGIN, 2, 9, ERROR_UNAVAILABLE, false}}, 0,
     {{CREATE("a"), TODO_UNAVAILABLE, ""}}, 1, 1, "begin insert roll_back begin", START},
    {"conflict, then a lost connection", {{FAKE_LOAD, 1, 1, ERROR_CONFLICT, false}, {FAKE_BEGIN, 2, 1, ERROR_UNAVAILABLE, false}}, 0,
     {{DELETE(1), TODO_DONE, ""}, {DELETE(2), TODO_DONE, ""}}, 2, 1,
     "begin load:1,2 roll_back begin:waits begin:waits load:1,2 delete:1,2 commit", TEA},

    {"connection lost in the commit, which was made", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a"), TODO_OUTCOME_UNKNOWN, ""}, {CREATE("b"), TODO_OUTCOME_UNKNOWN, ""},
      {UPDATE(1, .title = "x"), TODO_OUTCOME_UNKNOWN, ""}, {DELETE(2), TODO_OUTCOME_UNKNOWN, ""},
      {DELETE(9), TODO_OUTCOME_UNKNOWN, ""}}, 5, 1,
     "begin load:1,2,9 insert:4,5 update:1 delete:2 commit roll_back", "1 x open -; " TEA "; 4 a open -; 5 b open -"},
    {"connection lost in the commit, which was not made", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, false}}, 0,
     {{CREATE("a"), TODO_OUTCOME_UNKNOWN, ""}, {CREATE("b"), TODO_OUTCOME_UNKNOWN, ""}}, 2, 1,
     "begin insert:4,5 commit roll_back", START},
    {"connection lost in the commit of one alone", {{FAKE_COMMIT, 1, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a"), TODO_OUTCOME_UNKNOWN, ""}, {CREATE("bad"), TODO_FAILED, ""}, {CREATE("b"), TODO_DONE, "6 b open -"}}, 3, 3,
     "begin insert:4 roll_back begin insert:5 commit roll_back begin insert roll_back begin insert:6 commit",
     START "; 5 a open -; 6 b open -"},
    {"connection lost in the commit of a clear", {{FAKE_COMMIT, 2, 1, ERROR_OUTCOME_UNKNOWN, true}}, 0,
     {{CREATE("a"), TODO_DONE, "4 a open -"}, {CLEAR, TODO_OUTCOME_UNKNOWN, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 3, 3,
     "begin insert:4 commit begin clear commit roll_back begin insert:5 commit", "5 b open -"},
};

/* What else happens in a row: locks of somebody else, and clients that give up. */
struct trouble {
    int64_t locked[2];
    bool is_gap_locked;
    size_t most;            /* operations in a transaction; 0: any number */
    size_t gone;            /* 1: the first operation is given up */
    enum fake_call gone_in; /* when this was called */
};

static const struct {
    struct row row;
    struct trouble trouble;
} troubled_rows[] = {
    {{"a locked todo alone is left", {{0}}, 0,
      {{UPDATE(1, .title = "x"), HELD, ""}}, 1, 0, "begin load:1 roll_back begin:waits load:1 roll_back", START},
     {.locked = {1}}},
    {{"creates first, then what is not locked", {{0}}, 0,
      {{UPDATE(1, .title = "x"), HELD, ""}, {CREATE("a"), TODO_DONE, "4 a open -"}, {UPDATE(2, .title = "y"), TODO_DONE, "2 y open -"},
       {DELETE(3), TODO_DONE, ""}, {CREATE("b"), TODO_DONE, "5 b open -"}}, 5, 3,
      "begin load:1,2,3 roll_back begin:waits load:1,2,3 roll_back begin insert:4,5 commit begin load:1,2,3 roll_back "
      "begin load:1 roll_back begin load:2 update:2 commit begin load:3 delete:3 commit", MILK "; 2 y open -; 4 a open -; 5 b open -"},
     {.locked = {1}}},
    {{"nothing for a locked todo overtakes", {{0}}, 0,
      {{UPDATE(1, .title = "x"), HELD, ""}, {UPDATE(2, .title = "y"), TODO_DONE, "2 y open -"}, {DELETE(1), HELD, ""},
       {UPDATE(1, .title = "z"), HELD, ""}}, 4, 1, "begin load:1,2 roll_back begin:waits load:1,2 roll_back begin load:1,2 roll_back begin load:1 roll_back "
      "begin load:2 update:2 commit", MILK "; 2 y open -; " TEA},
     {.locked = {1}}},
    {{"two locked todos", {{0}}, 0,
      {{UPDATE(1, .title = "x"), HELD, ""}, {UPDATE(2, .title = "y"), TODO_DONE, "2 y open -"}, {DELETE(3), HELD, ""},
       {CREATE("a"), TODO_DONE, "4 a open -"}}, 4, 2, "begin load:1,2,3 roll_back begin:waits load:1,2,3 roll_back begin insert:4 commit begin load:1,2 roll_back "
      "begin load:1 roll_back begin load:2 update:2 commit begin load:3 roll_back", MILK "; 2 y open -; " TEA "; 4 a open -"},
     {.locked = {1, 3}}},
    {{"a clear waits for what came before it, and nobody for a clear", {{0}}, 0,
      {{UPDATE(1, .title = "x"), HELD, ""}, {CLEAR, HELD, ""}, {CREATE("a"), TODO_DONE, "4 a open -"},
       {UPDATE(1, .title = "y"), HELD, ""}, {UPDATE(2, .title = "y"), TODO_DONE, "2 y open -"}}, 5, 1,
      "begin load:1 roll_back begin:waits load:1 roll_back begin load:2 insert:4 update:2 commit", MILK "; 2 y open -; " TEA "; 4 a open -"},
     {.locked = {1}}},
    {{"changes go on when creates can't", {{0}}, 0,
      {{CREATE("a"), HELD, ""}, {UPDATE(1, .title = "x"), TODO_DONE, "1 x open -"}, {CREATE("b"), HELD, ""}}, 3, 1,
      "begin load:1 insert roll_back begin:waits load:1 insert roll_back begin insert roll_back begin load:1 update:1 commit", "1 x open -; " EGGS "; " TEA},
     {.is_gap_locked = true}},
    {{"no more in a transaction than allowed", {{0}}, 0,
      {{CREATE("a"), TODO_DONE, "4 a open -"}, {CREATE("b"), TODO_DONE, "5 b open -"}, {DELETE(1), TODO_DONE, ""}}, 3, 2,
      "begin insert:4,5 commit begin load:1 delete:1 commit", EGGS "; " TEA "; 4 a open -; 5 b open -"},
     {.most = 2}},
    {{"given up before it began", {{0}}, 0,
      {{CREATE("a"), HELD, ""}, {CREATE("b"), TODO_DONE, "4 b open -"}}, 2, 1, "begin insert:4 commit", START "; 4 b open -"},
     {.gone = 1, .gone_in = FAKE_NO_CALL}},
    {{"given up before the commit", {{0}}, 0,
      {{CREATE("a"), HELD, ""}, {CREATE("b"), TODO_DONE, "6 b open -"}}, 2, 1,
      "begin insert:4,5 roll_back begin insert:6 commit", START "; 6 b open -"},
     {.gone = 1, .gone_in = FAKE_INSERT}},
    {{"given up alone", {{0}}, 0, {{DELETE(1), HELD, ""}}, 1, 0, "begin load:1 delete:1 roll_back", START},
     {.gone = 1, .gone_in = FAKE_LOAD}},
    {{"given up between two tries", {{FAKE_COMMIT, 1, 1, ERROR_CONFLICT, false}}, 0,
      {{DELETE(1), TODO_DONE, ""}, {DELETE(2), HELD, ""}}, 2, 1,
      "begin load:1,2 delete:1,2 commit roll_back begin:waits load:1 delete:1 commit", EGGS "; " TEA},
     {.gone = 2, .gone_in = FAKE_COMMIT}},
    {{"given up while the connection was lost", {{FAKE_INSERT, 1, 1, ERROR_UNAVAILABLE, false}}, 0,
      {{CREATE("a"), HELD, ""}}, 1, 0, "begin insert roll_back", START},
     {.gone = 1, .gone_in = FAKE_INSERT}},
};
/* clang-format on */

/* A database with three todos, a store on it, and what they are asked. */
struct bench {
    struct fake_database database;
    struct todo_store_handle handle;
    struct todo_list list;
    struct probes probes; /* under its lock: given_up */
    struct todo_operation *gone;
    enum fake_call gone_in;
};

static void bench_init(struct bench *bench, const struct row *row,
                       const struct trouble *trouble)
{
    struct error err = {0};

    *bench = (struct bench){0};
    log_configure(CONFIG_LOG_JSON, CONFIG_LOG_ERROR, false); /* failures are told as warnings */
    fake_init(&bench->database);
    fake_add(&bench->database, "milk");
    fake_add(&bench->database, "eggs");
    fake_add(&bench->database, "tea");
    fake_use_key(&bench->database, "used", "old", 77);
    bench->database.held_key = "held";
    bench->database.bad_title = "bad";
    if (row)
        memcpy(bench->database.faults, row->faults, sizeof(row->faults));
    memcpy(bench->database.locked, trouble->locked, sizeof(trouble->locked));
    bench->database.is_gap_locked = trouble->is_gap_locked;
    if (row && row->increment)
        bench->database.increment = row->increment;
    CU_ASSERT_FATAL(fake_open(&bench->database, &bench->handle, &err));
    probes_init(&bench->probes);
}

static void bench_release(struct bench *bench, const char *name)
{
    bench->handle.driver->close(bench->handle.store);
    todo_list_release(&bench->list);
    CHECK_NUMBER(name, "mistakes", 0, bench->probes.mistakes);
    probes_release(&bench->probes);
    CHECK(fake_release(&bench->database, name), name, "the store complains");
    log_configure(CONFIG_LOG_AUTO, CONFIG_LOG_INFO, false);
}

static void check_probe(const struct row *row, size_t i, const struct probe *probe)
{
    char what[32];

    (void)snprintf(what, sizeof(what), "operation %zu", i + 1);
    if (row->probes[i].outcome == HELD) {
        CHECK_NUMBER(row->name, what, 0, probe->answers);
        return;
    }
    CHECK(probe->answers == 1, row->name, "%s was answered %u times", what, probe->answers);
    CHECK_NUMBER(row->name, what, row->probes[i].outcome, probe->outcome);
    CHECK_TEXT(row->name, what, row->probes[i].result, probe->result);
}

/* Creates among themselves (but one whose key tells that it was done), and what is for the same
 * todo, are done as they came. */
static void check_order(const struct row *row, size_t gone, const struct probe *asked)
{
    for (size_t i = 0; i < row->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (asked[i].place > 0 && !asked[i].key && asked[i].kind != TODO_CHECK &&
                asked[i].id == asked[j].id &&
                (asked[i].kind == TODO_CREATE) == (asked[j].kind == TODO_CREATE))
                CHECK((asked[j].place > 0 && asked[j].place < asked[i].place) || j + 1 == gone,
                      row->name, "operation %zu was overtaken by %zu", j + 1, i + 1);
        }
    }
}

static bool is_gone(struct bench *bench, const struct todo_operation *operation)
{
    return operation == bench->gone &&
           (!bench->gone_in || fake_calls(&bench->database, bench->gone_in) > 0);
}

static size_t keep(void *context, struct todo_operation **operations, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++)
        if (!is_gone(context, operations[i]))
            operations[left++] = operations[i];
    return left;
}

static bool claim(void *context, struct todo_operation *const *operations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_gone(context, operations[i]))
            return false;
    return true;
}

static void answer(void *context, struct todo_operation *const *operations, size_t count)
{
    probe_complete(&((struct bench *)context)->probes, operations, count);
}

static void run(struct bench *bench, size_t most, struct todo_operation **operations,
                size_t count)
{
    const struct todo_batch batch = {.handle = &bench->handle,
                                     .list = &bench->list,
                                     .most = most > 0 ? most : count,
                                     .answer = answer,
                                     .keep = keep,
                                     .claim = claim,
                                     .context = bench};

    todo_batch_run(&batch, operations, count);
}

static void check_row(const struct row *row, const struct trouble *trouble)
{
    struct bench bench;
    struct probe asked[PROBES_MAX] = {0};
    struct todo_operation *operations[PROBES_MAX] = {0};
    struct buffer table = {0};

    bench_init(&bench, row, trouble);
    for (size_t i = 0; i < row->count; i++) {
        asked[i] = row->probes[i].probe;
        operations[i] = probe_ask(&asked[i]);
    }
    bench.gone = trouble->gone > 0 ? operations[trouble->gone - 1] : NULL;
    bench.gone_in = trouble->gone_in;
    run(&bench, trouble->most, operations, row->count);
    for (size_t i = 0; i < row->count; i++)
        check_probe(row, i, &asked[i]);
    check_order(row, trouble->gone, asked);
    CHECK_NUMBER(row->name, "waves of answers", row->waves, bench.probes.waves);
    for (size_t i = 0; i < row->count; i++) {
        if (asked[i].answers == 0)
            answer(&bench, &operations[i], 1);
        probe_release(&bench.probes, operations[i]);
    }
    if (row->trace)
        CHECK_TEXT(row->name, "trace", row->trace, bench.database.trace.data);
    fake_describe_table(&bench.database, &table);
    CHECK_TEXT(row->name, "table", row->table, table.data ? table.data : "");
    buffer_release(&table);
    bench_release(&bench, row->name);
}

static void test_each_operation_gets_its_own_result(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i], &(struct trouble){.gone = 0});
}

static void test_a_stranger_keeps_nobody_else_waiting(void)
{
    for (size_t i = 0; i < sizeof(troubled_rows) / sizeof(troubled_rows[0]); i++)
        check_row(&troubled_rows[i].row, &troubled_rows[i].trouble);
}

static const struct probe mixed[] = {
    CREATE("a"), UPDATE(1, .title = "x"), DELETE(2), UPDATE(3, .order = 1), DELETE(99),
};

#define MIXED_COUNT (sizeof(mixed) / sizeof(mixed[0]))

static unsigned count_calls(size_t size)
{
    struct bench bench;
    struct probe asked[100] = {0};
    struct todo_operation *operations[100] = {0};
    unsigned calls = 0;

    bench_init(&bench, NULL, &(struct trouble){.gone = 0});
    for (size_t i = 0; i < size; i++) {
        asked[i] = mixed[i % MIXED_COUNT];
        operations[i] = probe_ask(&asked[i]);
    }
    run(&bench, size, operations, size);
    for (size_t i = 0; i < size; i++) {
        CHECK_NUMBER("constant number", "answers", 1, asked[i].answers);
        probe_release(&bench.probes, operations[i]);
    }
    for (unsigned call = 0; call < FAKE_CALL_COUNT; call++) {
        CHECK(bench.database.calls[call] <= 1, "constant number", "call %u of a batch of %zu",
              call, size);
        calls += bench.database.calls[call];
    }
    bench_release(&bench, "constant number");
    return calls;
}

static void test_a_batch_of_any_size_is_a_constant_number_of_calls(void)
{
    unsigned calls = count_calls(MIXED_COUNT);

    CU_ASSERT(calls <= 6); /* begin, load, insert, update, delete, commit */
    CU_ASSERT_EQUAL(count_calls(20), calls);
    CU_ASSERT_EQUAL(count_calls(100), calls);
}

CU_TestInfo batch_tests[] = {
    {"each operation gets its own result",                test_each_operation_gets_its_own_result  },
    {"a stranger keeps nobody else waiting",              test_a_stranger_keeps_nobody_else_waiting},
    {"a batch of any size is a constant number of calls",
     test_a_batch_of_any_size_is_a_constant_number_of_calls                                        },
    CU_TEST_INFO_NULL,
};
