#include "work/outage.h"

#include "base/clock.h"
#include "log_capture.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdlib.h>
#include <string.h>

static const struct error done = {.code = ERROR_NONE};
static const struct error lost = {.code = ERROR_UNAVAILABLE, .text = "no way to db:3306"};
static const struct error other = {.code = ERROR_UNAVAILABLE, .text = "another reason"};
static const struct error refused = {.code = ERROR_DATABASE, .text = "no such table"};
static const struct error busy = {.code = ERROR_CONFLICT, .text = "a deadlock"};

static const struct error unknown = {.code = ERROR_OUTCOME_UNKNOWN, .text = "cut off"};

#define NOTES_MOST 8

/* What is noted, one after another, each after a pause of milliseconds. */
struct note {
    unsigned pause;
    const struct error *result; /* NULL at the end */
    enum todo_lane lane;
};

#define READS(pause, result)                                                                   \
    {                                                                                          \
        pause, &(result), TODO_READS                                                           \
    }
#define WRITES(pause, result)                                                                  \
    {                                                                                          \
        pause, &(result), TODO_WRITES                                                          \
    }

static const struct {
    const char *name;
    struct note notes[NOTES_MOST];
    const char *lines; /* as text, without the times; S stands for some seconds */
} rows[] = {
    {"all is well",                                 {READS(0, done), READS(0, done)},       ""},
    {"told once, with the reason",
     {READS(0, lost), READS(0, lost), READS(0, other)},
     "error   the database is out of reach: no way to db:3306\n"                              },
    {"and once that it is back",
     {READS(0, lost), READS(0, lost), READS(0, done), READS(0, done)},
     "error   the database is out of reach: no way to db:3306\n"
     "info    the database is back after S s\n"                                               },
    {"what comes and goes is no news each time",
     {READS(0, lost), READS(0, done), READS(0, lost), READS(0, done), READS(0, lost)},
     "error   the database is out of reach: no way to db:3306\n"
     "info    the database is back after S s\n"                                               },
    {"unless it lasts",
     {READS(0, lost), READS(0, done), READS(0, other), READS(1100, other), READS(0, done)},
     "error   the database is out of reach: no way to db:3306\n"
     "info    the database is back after S s\n"
     "error   the database is out of reach: another reason\n"
     "info    the database is back after S s\n"                                               },
    {"it is back when reads and writes are",
     {READS(0, lost), WRITES(0, lost), READS(0, done), WRITES(0, lost), READS(0, done)},
     "error   the database is out of reach: no way to db:3306\n"                              },
    {"both",
     {READS(0, lost), WRITES(0, lost), READS(0, done), WRITES(0, done)},
     "error   the database is out of reach: no way to db:3306\n"
     "info    the database is back after S s\n"                                               },
    {"what is none of its reach is told each time",
     {READS(0, refused), READS(0, refused), READS(0, busy)},
     "error   no such table\nerror   no such table\nwarning a deadlock\n"                     },
};

/* The times are the machine's. */
static void drop_times(char *text)
{
    static const char after[] = "is back after ";
    char *out = text;

    for (const char *line = text; *line;) {
        const char *rest = strchr(line, ' ') + 1;
        size_t length = strcspn(rest, "\n") + 1;
        memmove(out, rest, length);
        out += length;
        line = rest + length;
    }
    *out = '\0';
    for (char *place = strstr(text, after); place; place = strstr(place, after)) {
        place += sizeof(after) - 1;
        *place++ = 'S';
        memmove(place, place + strspn(place, "0123456789."),
                strlen(place + strspn(place, "0123456789.")) + 1);
    }
}

static void note_all(struct todo_outage *outage, const struct note *notes)
{
    for (const struct note *note = notes; note->result; note++) {
        clock_sleep(note->pause * 1000U);
        todo_outage_note(outage, note->lane, note->result);
    }
}

static void test_an_outage_is_told_once(void)
{
    log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
    free(log_capture_end()); /* what other tests left */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct todo_outage outage;
        char *text;
        todo_outage_open(&outage);
        log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
        note_all(&outage, rows[i].notes);
        text = log_capture_end();
        drop_times(text);
        CHECK_TEXT(rows[i].name, "log", rows[i].lines, text);
        free(text);
        todo_outage_close(&outage);
    }
}

#define SECOND 1000000U
#define WELL                                                                                   \
    READS(0, done),                                                                            \
    {                                                                                          \
        0, &done, TODO_WRITES                                                                  \
    }

static const struct {
    const char *name;
    struct note notes[NOTES_MOST];
    unsigned later; /* microseconds */
    bool is_ready;
    bool is_fresh[TODO_LANE_COUNT];
    const char *reason;
} answers[] = {
    {"at the start nobody knows",                      {{0}},                      0,          false, {false, false}, "no read has succeeded yet"},
    {"reads alone are not all",
     {READS(0, done)},
     0,                                                                                        false,
     {true, false},
     "no change has succeeded yet"                                                                                                               },
    {"both have worked",                               {WELL},                     0,          true,  {true, true},   ""                         },
    {"they are to be asked again",                     {WELL},                     6 * SECOND, true,  {false, false}, ""                         },
    {"one failure may be chance",                      {WELL, READS(0, lost)},     SECOND,     true,  {false, true},  ""                         },
    {"three seconds are none",
     {WELL, READS(0, lost)},
     4 * SECOND,
     false,                                                                                           {false, true},
     "no way to db:3306"                                                                                                                         },
    {"two failures are none",
     {WELL, READS(0, lost), READS(0, other)},
     0,                                                                                        false,
     {false, true},
     "another reason"                                                                                                                            },
    {"of writes either",
     {WELL, WRITES(0, lost), WRITES(0, other), READS(0, done)},
     0,                                                                                        false,
     {true, false},
     "another reason"                                                                                                                            },
    {"one of each is one",
     {WELL, WRITES(0, lost), READS(0, other)},
     0,                                                                                        true,
     {false, false},
     ""                                                                                                                                          },
    {"an unknown outcome is a failure",
     {WELL, WRITES(0, unknown), WRITES(0, unknown)},
     0,                                                                                        false,
     {true, false},
     "cut off"                                                                                                                                   },
    {"one success is enough",
     {WELL, READS(0, lost), READS(0, lost), READS(0, lost), READS(0, done)},
     0,                                                                                        true,
     {true, true},
     ""                                                                                                                                          },
    {"what a single request is refused is no failure",
     {WELL, READS(0, refused), READS(0, refused), READS(0, busy), READS(0, busy)},
     0,                                                                                        true,
     {true, true},
     ""                                                                                                                                          },
};

static void test_readiness_is_what_was_seen(void)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct todo_outage outage;
        struct error reason = {0};
        uint64_t later;
        todo_outage_open(&outage);
        log_capture_begin(CONFIG_LOG_TEXT, CONFIG_LOG_INFO);
        note_all(&outage, answers[i].notes);
        free(log_capture_end());
        later = clock_now() + answers[i].later;
        CHECK_NUMBER(answers[i].name, "ready", answers[i].is_ready,
                     todo_outage_is_ready(&outage, later, &reason));
        CHECK_TEXT(answers[i].name, "reason", answers[i].reason, reason.text);
        for (size_t lane = 0; lane < TODO_LANE_COUNT; lane++)
            CHECK_NUMBER(answers[i].name, lane == TODO_READS ? "reads" : "writes",
                         answers[i].is_fresh[lane],
                         todo_outage_is_fresh(&outage, (enum todo_lane)lane, later));
        todo_outage_close(&outage);
    }
}

CU_TestInfo outage_tests[] = {
    {"an outage is told once",     test_an_outage_is_told_once    },
    {"readiness is what was seen", test_readiness_is_what_was_seen},
    CU_TEST_INFO_NULL,
};
