/*
 * Conditional requests (RFC 9110, section 13): every method and route with every precondition,
 * and that of two who change the same version one wins.
 */

#include "base/clock.h"
#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct server server;
static struct server other; /* of the same database */

int conditions_init(void)
{
    char path[320];
    const char *const settings[] = {path, NULL};

    if (!server_open(&server, NULL))
        return 1;
    snprintf(path, sizeof path, "SQLITE_PATH=%s/todobackend.sqlite3", server.folder);
    return server_open(&other, settings) ? 0 : 1;
}

int conditions_cleanup(void)
{
    bool are_closed = server_close(&other);

    return server_close(&server) && are_closed ? 0 : 1;
}

/* ---- changes ---- */

enum verdict {
    HOLDS,
    NO_MATCH,      /* 412: If-Match names another version */
    MATCH,         /* 412: If-None-Match names this one */
    BAD_MATCH,     /* 400 */
    BAD_NONE_MATCH /* 400 */
};

/* @ stands for the tag of what is asked for. */
static const struct {
    const char *name;
    const char *headers;
    enum verdict verdict;
} conditions[] = {
    {"none",                             "",                                                 HOLDS         },
    {"If-Match: this version",           "If-Match: \"@\"\r\n",                              HOLDS         },
    {"If-Match: another version",        "If-Match: \"0\"\r\n",                              NO_MATCH      },
    {"If-Match: any",                    "If-Match: *\r\n",                                  HOLDS         },
    {"If-Match: a list with it",         "If-Match: \"0\", \"@\", \"1\"\r\n",                HOLDS         },
    {"If-Match: a list without it",      "If-Match: \"0\", \"1\"\r\n",                       NO_MATCH      },
    {"If-Match: in parts",               "If-Match: \"0\"\r\nIf-Match: \"@\"\r\n",           HOLDS         },
    {"If-Match: another form",           "If-Match: \"@-indent4\"\r\n",                      HOLDS         },
    {"If-Match: a weak tag",             "If-Match: W/\"@\"\r\n",                            NO_MATCH      },
    {"If-Match: empty",                  "If-Match: \r\n",                                   NO_MATCH      },
    {"If-Match: malformed",              "If-Match: @\r\n",                                  BAD_MATCH     },
    {"If-Match: any and more",           "If-Match: *, \"@\"\r\n",                           BAD_MATCH     },
    {"If-None-Match: this version",      "If-None-Match: \"@\"\r\n",                         MATCH         },
    {"If-None-Match: another version",   "If-None-Match: \"0\"\r\n",                         HOLDS         },
    {"If-None-Match: any",               "If-None-Match: *\r\n",                             MATCH         },
    {"If-None-Match: a list with it",    "If-None-Match: \"0\", \"@\"\r\n",                  MATCH         },
    {"If-None-Match: a list without it", "If-None-Match: \"0\", \"1\"\r\n",                  HOLDS         },
    {"If-None-Match: in parts",          "If-None-Match: \"0\"\r\nIf-None-Match: \"@\"\r\n", MATCH         },
    {"If-None-Match: another form",      "If-None-Match: \"@-indent4\"\r\n",                 MATCH         },
    {"If-None-Match: a weak tag",        "If-None-Match: W/\"@\"\r\n",                       MATCH         },
    {"If-None-Match: empty",             "If-None-Match: \r\n",                              HOLDS         },
    {"If-None-Match: malformed",         "If-None-Match: @\r\n",                             BAD_NONE_MATCH},
    {"both hold",                        "If-None-Match: \"0\"\r\nIf-Match: \"@\"\r\n",      HOLDS         },
    {"the second fails",                 "If-None-Match: \"@\"\r\nIf-Match: \"@\"\r\n",      MATCH         },
    {"the first fails",                  "If-None-Match: \"@\"\r\nIf-Match: \"0\"\r\n",      NO_MATCH      },
    {"dates are no condition",
     "If-Unmodified-Since: Sat, 29 Oct 1994 19:43:31 GMT\r\n"
     "If-Modified-Since: Sat, 29 Oct 2094 19:43:31 GMT\r\n",                                 HOLDS         },
};

#define BETA TODO("{id}", "\"beta\"", "false", "1")
#define NEW  TODO("{new}", "\"beta\"", "false", "null")

/* What is asked when the condition holds. What is not there, and what can't be read, is told
 * before: such a request would fail whatever the condition (RFC 9110, section 13.2.1). */
static const struct change {
    const char *name;
    struct client_request request;
    const char *tag; /* of what is asked for */
    int status;
    const char *body;
    const char *headers;
    const char *after;
    bool is_unconditional; /* its answer is the same whatever the condition */
} changes[] = {
    {"POST /todos",  JSON("POST", "/todos",        "{\"title\":\"beta\"}"), "{tags}",                   201,                        NEW,                             NULL,
     "[" ALPHA "," NEW "]",                                                                                                                                                                                                                                                                                      false},
    {"DELETE /todos",              ASK("DELETE",           "/todos"), "{tags}",     204,                       "",                                          "ETag:\n",                                                 "[]",                                                          false                                                                                  },
    {"PUT a todo",              JSON("PUT",              "/todos/{id}",      "{\"title\":\"beta\"}"),   "{tag}", 200,                  BETA,
     "ETag:\n",                                                                                    "[" BETA "]",                                                                                                                                                                                                                                                                                                  false},
    {"PATCH a todo",         JSON("PATCH",                    "/todos/{id}",                      "{\"title\":\"beta\"}"),                         "{tag}",                   200, BETA,
     NULL,                                       "[" BETA "]",false},
    {"DELETE a todo",  ASK("DELETE",        "/todos/{id}"),                       "{tag}",                                204,                                             "",                                                  "ETag:\n",                                                    "[]",                                       false                                                                                                                                                                                                                                                       },
    {"PUT a todo that is gone",          JSON("PUT",                "/todos/{gone}",                               "{}"),                              "{tag}",                                     404,                                 NOT_FOUND,
     "ETag:\n",LIST,false},
    {"PATCH a todo that is gone",      JSON("PATCH",             "/todos/{gone}",                       "{}"),                                              "{tag}",                                              404,                                                       NOT_FOUND,
     "ETag:\n",                                                                                                                                 LIST,                                                                                                                                                                                                                                                                                                                                                                                                                 false},
    {"DELETE a todo that is gone",     ASK("DELETE",                   "/todos/{gone}"),                              "{tag}",                                                404,                                                                          NOT_FOUND,
     "ETag:\n",                                                                                        LIST,false},
    {"POST what can't be read",     JSON("POST",                   "/todos",                              "{"),                                                "{tags}",                                                                          400,                                                                            NULL,     "ETag:\n",
     LIST,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         true},
    {"PUT what can't be read",           JSON("PUT",                  "/todos/{id}",                        "{"),                                                                  "{tag}",                                                                                        400,                                                                                                                  NULL,                                                                                                                          "ETag:\n",
     LIST,true},
    {"PATCH what can't be read",       JSON("PATCH",               "/todos/{id}",                          "{"),"{tag}",                                                                                              400,                                                                                                                    NULL,
     "ETag:\n",                                                                                                                                                                                     LIST,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         true},
    {"PATCH in a form that isn't known",          SEND("PATCH",              "/todos/{id}", NULL,                                              "text/x",                                                                                         "x"),
     "{tag}",                                                                                                                                          415,                 UNSUPPORTED("text/x"),"ETag:\n", LIST, true},
    {"OPTIONS of a todo", ASK("OPTIONS","/todos/{id}"),  "{tag}",200,                                                                                           NULL,                                                                                                                  "ETag:\n",LIST,
     true                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         },
};

/* What is answered instead, and nothing is changed. */
static void expect_refusal(struct exchange *row, const struct change *change,
                           enum verdict verdict)
{
    static const char *const details[] = {
        [NO_MATCH] = "If-Match does not name the current version.",
        [MATCH] = "If-None-Match names the current version.",
        [BAD_MATCH] = "If-Match is neither * nor a list of entity tags in quotes.",
        [BAD_NONE_MATCH] = "If-None-Match is neither * nor a list of entity tags in quotes.",
    };
    static char body[600];
    static char headers[64];
    bool is_bad = verdict == BAD_MATCH || verdict == BAD_NONE_MATCH;
    bool has_current = !is_bad && strcmp(change->tag, "{tag}") == 0;

    snprintf(body, sizeof body, "{\"detail\":\"%s\"%s}", details[verdict],
             has_current ? ",\"current\":" ALPHA : "");
    snprintf(headers, sizeof headers, "Retry-After:\nETag:%s%s%s\n", is_bad ? "" : " \"",
             is_bad ? "" : change->tag, is_bad ? "" : "\"");
    row->status = is_bad ? 400 : 412;
    row->body = body;
    row->headers = headers;
    row->after = LIST;
}

/* Replaces each @. */
static void write_condition(const char *headers, const char *tag, char *out, size_t size)
{
    size_t length = 0;

    for (; *headers && length + 1 < size; headers++)
        length += (size_t)snprintf(out + length, size - length, "%.*s",
                                   *headers == '@' ? (int)strlen(tag) : 1,
                                   *headers == '@' ? tag : headers);
    out[length] = '\0';
}

static void try_change(const struct change *change, size_t condition)
{
    char name[160];
    char headers[200];
    struct exchange row = {
        .name = name,
        .request = change->request,
        .status = change->status,
        .body = change->body,
        .headers = change->headers,
        .after = change->after,
    };
    enum verdict verdict = conditions[condition].verdict;

    snprintf(name, sizeof name, "%s, %s", change->name, conditions[condition].name);
    write_condition(conditions[condition].headers, change->tag, headers, sizeof headers);
    row.request.headers = headers;
    if (verdict != HOLDS && !change->is_unconditional && change->status != 404)
        expect_refusal(&row, change, verdict);
    exchange_run(&server, &row, 1);
}

static void test_each_change_with_each_condition(void)
{
    for (size_t i = 0; i < COUNT(changes); i++)
        for (size_t j = 0; j < COUNT(conditions); j++)
            try_change(&changes[i], j);
}

/* ---- reads ---- */

#define NOT_MODIFIED(tag)                                                                      \
    "ETag: \"" tag "\"\nVary: Accept, Origin\nCache-Control: no-cache\nX-Frame-Options: "      \
    "DENY\n"
#define CHANGED(tag)                    "ETag: \"" tag "\"\nVary: Accept, Origin\nCache-Control: no-cache\n"
#define TAGGED(verb, target, name, tag) ASK_WITH(verb, target, name ": " tag "\r\n")

static void test_reads_are_saved_when_nothing_has_changed(void)
{
    static const struct exchange rows[] = {
        ROW("a list", GET("/todos"), 200, LIST, CHANGED("{tags}"), NULL),
        ROW("a todo", GET("/todos/{id}"), 200, ALPHA, CHANGED("{tag}"), NULL),
        ROW("a list that is known", TAGGED("GET", "/todos", "If-None-Match", "\"{tags}\""), 304,
            "", NOT_MODIFIED("{tags}"), LIST),
        ROW("a todo that is known", TAGGED("GET", "/todos/{id}", "If-None-Match", "\"{tag}\""),
            304, "", NOT_MODIFIED("{tag}"), LIST),
        ROW("HEAD of a list that is known",
            TAGGED("HEAD", "/todos", "If-None-Match", "\"{tags}\""), 304, "",
            NOT_MODIFIED("{tags}"), NULL),
        ROW("HEAD of a todo that is known",
            TAGGED("HEAD", "/todos/{id}", "If-None-Match", "\"{tag}\""), 304, "",
            NOT_MODIFIED("{tag}"), NULL),
        ROW("another version", TAGGED("GET", "/todos", "If-None-Match", "\"0\""), 200, LIST,
            CHANGED("{tags}"), NULL),
        ROW("one of many", TAGGED("GET", "/todos", "If-None-Match", "\"0\", W/\"{tags}\""), 304,
            "", NOT_MODIFIED("{tags}"), NULL),
        ROW("a weak tag", TAGGED("GET", "/todos/{id}", "If-None-Match", "W/\"{tag}\""), 304, "",
            NOT_MODIFIED("{tag}"), NULL),
        ROW("any, as in the original", TAGGED("GET", "/todos", "If-None-Match", "*"), 200, LIST,
            CHANGED("{tags}"), NULL),
        ROW("malformed, as in the original", TAGGED("GET", "/todos", "If-None-Match", "{tags}"),
            200, LIST, CHANGED("{tags}"), NULL),
        ROW("empty", TAGGED("GET", "/todos", "If-None-Match", ""), 200, LIST, CHANGED("{tags}"),
            NULL),
        ROW("a todo's is not the list's", TAGGED("GET", "/todos", "If-None-Match", "\"{tag}\""),
            200, LIST, CHANGED("{tags}"), NULL),
        ROW("by suffix", TAGGED("GET", "/todos.json", "If-None-Match", "\"{tags}\""), 304, "",
            NOT_MODIFIED("{tags}"), NULL),
        ROW("another form", TAGGED("GET", "/todos", "If-None-Match", "\"{tags}-indent4\""), 200,
            LIST, CHANGED("{tags}"), NULL),
        ROW("indented", ACCEPT("/todos/{id}", "application/json; indent=4"), 200, NULL,
            CHANGED("{tag}-indent4"), NULL),
        ROW("indented, and known",
            WITH("/todos/{id}", "Accept: application/json; indent=4\r\n"
                                "If-None-Match: \"{tag}-indent4\"\r\n"),
            304, "", NOT_MODIFIED("{tag}-indent4"), NULL),
        ROW("indented, but known otherwise",
            WITH("/todos/{id}",
                 "Accept: application/json; indent=4\r\nIf-None-Match: \"{tag}\"\r\n"),
            200, NULL, CHANGED("{tag}-indent4"), NULL),
        ROW("a page has no tag", ACCEPT("/todos", "text/html"), 200, NULL, "ETag:\n", NULL),
        ROW("a page is always shown",
            WITH("/todos", "Accept: text/html\r\nIf-None-Match: \"{tags}\"\r\n"), 200, NULL,
            "ETag:\n", NULL),
        ROW("by another name",
            WITH("/todos", "Host: a.example\r\nIf-None-Match: \"{tags}\"\r\n"), 200, NULL, NULL,
            NULL),
        ROW("what is gone", TAGGED("GET", "/todos/{gone}", "If-None-Match", "\"{tag}\""), 404,
            NOT_FOUND, "ETag:\n", NULL),
        ROW("what is gone, if malformed", TAGGED("GET", "/todos/{gone}", "If-Match", "x"), 404,
            "{\"detail\":\"Not found.\"}", "ETag:\n", LIST),
        ROW("what can't be, if malformed", TAGGED("GET", "/todos/0", "If-Match", "x"), 404,
            "{\"detail\":\"Not found.\"}", "ETag:\n", LIST),
        ROW("If-Match malformed", TAGGED("GET", "/todos/{id}", "If-Match", "x"), 400,
            "{\"detail\":\"If-Match is neither * nor a list of entity tags in quotes.\"}",
            "ETag:\n", LIST),
        ROW("what is gone, if any", TAGGED("GET", "/todos/{gone}", "If-Match", "*"), 404,
            NOT_FOUND, "ETag:\n", NULL),
        ROW("for scripts of another origin",
            WITH("/todos", "Origin: http://a.example\r\nIf-None-Match: \"{tags}\"\r\n"), 304,
            "", NOT_MODIFIED("{tags}") "Access-Control-Allow-Origin: *\n", NULL),
        ROW("If-Match that holds", TAGGED("GET", "/todos", "If-Match", "\"{tags}\""), 200, LIST,
            CHANGED("{tags}"), NULL),
        ROW("If-Match of another version", TAGGED("GET", "/todos", "If-Match", "\"0\""), 412,
            "{\"detail\":\"If-Match does not name the current version.\"}", CHANGED("{tags}"),
            NULL),
        ROW("If-Match of another version, and a wait",
            ASK_WITH("GET", "/todos",
                     "If-Match: \"0\"\r\nIf-None-Match: \"{tags}\"\r\nPrefer: wait=20\r\n"),
            412, "{\"detail\":\"If-Match does not name the current version.\"}",
            CHANGED("{tags}"), LIST),
        ROW("If-Match of a todo's other version",
            TAGGED("GET", "/todos/{id}", "If-Match", "\"0\""), 412,
            "{\"detail\":\"If-Match does not name the current version.\",\"current\":" ALPHA
            "}",
            CHANGED("{tag}"), NULL),
        ROW("If-Match goes first",
            WITH("/todos", "If-None-Match: \"{tags}\"\r\nIf-Match: \"0\"\r\n"), 412, NULL,
            CHANGED("{tags}"), NULL),
        ROW("both hold", WITH("/todos", "If-None-Match: \"0\"\r\nIf-Match: *\r\n"), 200, LIST,
            CHANGED("{tags}"), NULL),
        ROW("If-Match malformed", TAGGED("GET", "/todos", "If-Match", "x"), 400,
            "{\"detail\":\"If-Match is neither * nor a list of entity tags in quotes.\"}",
            "ETag:\n", NULL),
        ROW("an old clock is no condition",
            WITH("/todos", "If-Modified-Since: Sat, 29 Oct 2094 19:43:31 GMT\r\n"), 200, LIST,
            CHANGED("{tags}"), NULL),
    };
    exchange_run(&server, rows, COUNT(rows));
}

static void ask(const char *method, const char *path, const char *headers, const char *body,
                struct client_response *response)
{
    client_ask(server.port,
               &(struct client_request){
                   .method = method,
                   .path = path,
                   .headers = headers,
                   .type = body ? "application/json" : NULL,
                   .body = body,
               },
               response);
}

static void keep_etag(const struct client_response *response, char *etag, size_t size)
{
    const char *value = client_header(response, "ETag");

    snprintf(etag, size, "%s", value ? value : "(none)");
}

/* The tag of what was just written is the one that a reader gets. */
static void test_tags_follow_the_todo(void)
{
    struct client_response response = {0};
    char path[32];
    char etags[5][80];

    clear_todos(&server);
    ask("POST", "/todos", NULL, "{\"title\":\"a\"}", &response);
    snprintf(path, sizeof path, "/todos/%u", id_of_url(client_header(&response, "Location")));
    keep_etag(&response, etags[0], sizeof etags[0]);
    ask("GET", path, NULL, NULL, &response);
    keep_etag(&response, etags[1], sizeof etags[1]);
    CHECK_TEXT("created", "ETag", etags[1], etags[0]);
    ask("PATCH", path, NULL, "{\"title\":\"b\"}", &response);
    keep_etag(&response, etags[2], sizeof etags[2]);
    ask("GET", path, NULL, NULL, &response);
    keep_etag(&response, etags[3], sizeof etags[3]);
    CHECK_TEXT("changed", "ETag", etags[3], etags[2]);
    CHECK(strcmp(etags[0], etags[2]) != 0, "changed", "ETag is still %s", etags[0]);
    ask("PATCH", path, NULL, "{\"title\":\"a\"}", &response);
    keep_etag(&response, etags[4], sizeof etags[4]);
    CHECK_TEXT("changed back", "ETag", etags[0], etags[4]);
    get(&other, path, &response);
    client_response_release(&response);
}

#define POLLERS 30
#define POLLS   50
#define POLLED  500

/* One answer of a kind serves all who share a look. What it is made from must not be another's
 * request: that is over by then when a long list in another form was made in between (for
 * ThreadSanitizer). */
static void test_those_who_know_and_those_who_do_not_share_a_look(void)
{
    struct client_connection clients[POLLERS];
    struct client_response response = {0};
    char etag[80] = "";
    char knows[120];
    const char *const forms[] = {"Host: a\r\n", "Host: a\r\nAccept: */*;indent=8\r\n", knows};
    struct buffer json = {0};
    size_t good = 0;

    append_empty_objects(&json, POLLED);
    clear_todos(&server);
    send_json(&server, "POST", "/todos", json.data, &response);
    buffer_release(&json);
    for (size_t i = 0; i < POLLERS; i++)
        CHECK(client_open(&clients[i], server.port), "poller", "no connection");
    client_ask(server.port, &(struct client_request)WITH("/todos", "Host: a\r\n"), &response);
    keep_etag(&response, etag, sizeof etag);
    snprintf(knows, sizeof knows, "Host: a\r\nIf-None-Match: %s\r\n", etag);
    for (size_t round = 0; round < POLLS; round++) {
        for (size_t i = 0; i < POLLERS; i++)
            client_send_request(
                &clients[i], server.port,
                &(struct client_request)WITH("/todos", forms[i % COUNT(forms)]));
        for (size_t i = 0; i < POLLERS; i++) {
            client_receive(&clients[i], false, CLIENT_TIME_LIMIT, &response);
            good += response.status == (i % COUNT(forms) == 2 ? 304 : 200);
        }
    }
    for (size_t i = 0; i < POLLERS; i++)
        client_close(&clients[i]);
    CHECK_NUMBER("pollers", "good answers", POLLERS * POLLS, (long long)good);
    clear_todos(&server);
    client_response_release(&response);
}

/* ---- races ---- */

#define ROUNDS 1000

/* One of two clients, on a connection of its own, that send at the same time. */
struct racer {
    unsigned port;
    const char *method;
    char path[32];
    char headers[160];
    const char *body;
    int status; /* of the answer */
    struct client_connection connection;
    pthread_barrier_t *barrier;
    pthread_t thread;
};

static void race_once(struct racer *racer, struct client_response *response)
{
    const struct client_request request = {
        .method = racer->method,
        .path = racer->path,
        .headers = racer->headers,
        .type = racer->body ? "application/json" : NULL,
        .body = racer->body,
    };

    racer->status = 0;
    if (client_send_request(&racer->connection, racer->port, &request) &&
        client_receive(&racer->connection, false, CLIENT_TIME_LIMIT, response))
        racer->status = response->status;
}

/* Until there is no method. */
static void *race(void *argument)
{
    struct racer *racer = argument;
    struct client_response response = {0};

    for (;;) {
        pthread_barrier_wait(racer->barrier);
        if (!racer->method)
            break;
        race_once(racer, &response);
        pthread_barrier_wait(racer->barrier);
    }
    client_response_release(&response);
    return NULL;
}

static void start_race(struct racer racers[2], pthread_barrier_t *barrier)
{
    pthread_barrier_init(barrier, NULL, 3);
    for (size_t i = 0; i < 2; i++) {
        racers[i].barrier = barrier;
        CHECK(client_open(&racers[i].connection, racers[i].port), "race", "no connection");
        if (pthread_create(&racers[i].thread, NULL, race, &racers[i]) != 0)
            abort();
    }
}

static void end_race(struct racer racers[2], pthread_barrier_t *barrier)
{
    racers[0].method = NULL;
    racers[1].method = NULL;
    pthread_barrier_wait(barrier);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(racers[i].thread, NULL);
        client_close(&racers[i].connection);
    }
    pthread_barrier_destroy(barrier);
}

/* Lets them go. `waits`: somebody has locked the todos until both have asked. */
static void run_round(pthread_barrier_t *barrier, bool waits)
{
    struct database_lock *lock = waits ? database_lock(&server) : NULL;

    pthread_barrier_wait(barrier);
    if (waits)
        clock_sleep(20000);
    database_unlock(lock);
    pthread_barrier_wait(barrier);
}

static void race_for_a_todo(const char *row, unsigned second_port, size_t count, bool waits)
{
    static const char *const bodies[2][2] = {
        {"{\"title\":\"a\"}", "{\"title\":\"b\"}"},
        {"{\"title\":\"c\"}", "{\"title\":\"d\"}"},
    };
    struct racer racers[2] = {{.port = server.port}, {.port = second_port}};
    struct client_response response = {0};
    pthread_barrier_t barrier;
    size_t rounds = 0;
    char etag[80];

    clear_todos(&server);
    unsigned id = create_todo(&server, "{\"title\":\"x\"}");
    start_race(racers, &barrier);
    for (size_t i = 0; i < count; i++) {
        get_todo(&server, id, &response);
        keep_etag(&response, etag, sizeof etag);
        for (size_t j = 0; j < 2; j++) {
            racers[j].method = "PATCH";
            racers[j].body = bodies[i % 2][j];
            snprintf(racers[j].path, sizeof racers[j].path, "/todos/%u", id);
            /* links are of the request's host, and so are the tags */
            snprintf(racers[j].headers, sizeof racers[j].headers,
                     "Host: 127.0.0.1:%u\r\nIf-Match: %s\r\n", server.port, etag);
        }
        run_round(&barrier, waits);
        rounds += racers[0].status + racers[1].status == 200 + 412;
        if (racers[0].status + racers[1].status != 200 + 412)
            break;
    }
    CHECK(rounds == count, row, "round %zu: %d and %d", rounds + 1, racers[0].status,
          racers[1].status);
    end_race(racers, &barrier);
    client_response_release(&response);
}

static void test_of_two_who_change_the_same_version_one_wins(void)
{
    race_for_a_todo("one server", server.port, ROUNDS, false);
    race_for_a_todo("two servers", other.port, ROUNDS, false);
    race_for_a_todo("one server, both wait", server.port, 10, true);
    race_for_a_todo("two servers, both wait", other.port, 10, true);
}

/* A clear of what is known loses nothing that it doesn't know: the new todo is there
 * afterwards, whoever was first. */
static void race_to_clear(const char *row, unsigned second_port)
{
    struct racer racers[2] = {{.port = server.port}, {.port = second_port}};
    struct client_response response = {0};
    pthread_barrier_t barrier;
    size_t cleared = 0;
    size_t i;
    char etag[80];

    clear_todos(&server);
    start_race(racers, &barrier);
    for (i = 0; i < ROUNDS / 4; i++) {
        get(&server, "/todos", &response);
        keep_etag(&response, etag, sizeof etag);
        for (size_t j = 0; j < 2; j++)
            snprintf(racers[j].path, sizeof racers[j].path, "/todos");
        racers[0].method = "DELETE";
        snprintf(racers[0].headers, sizeof racers[0].headers, "If-Match: %s\r\n", etag);
        racers[1].method = "POST";
        racers[1].body = i % 2 ? "{\"title\":\"new\"}" : "{\"title\":\"newer\"}";
        run_round(&barrier, false);
        get(&server, "/todos", &response);
        if ((racers[0].status != 204 && racers[0].status != 412) || racers[1].status != 201 ||
            !strstr(client_body(&response), i % 2 ? "\"new\"" : "\"newer\""))
            break;
        cleared += racers[0].status == 204;
        if (racers[0].status == 412)
            clear_todos(&server);
    }
    CHECK(i == ROUNDS / 4, row, "round %zu: %d and %d, then %.200s", i + 1, racers[0].status,
          racers[1].status, client_body(&response));
    printf("\n    %s: cleared in %zu of %zu rounds ", row, cleared, i);
    end_race(racers, &barrier);
    client_response_release(&response);
}

static void test_a_clear_of_what_is_known_loses_nothing_else(void)
{
    race_to_clear("one server", server.port);
    race_to_clear("two servers", other.port);
}

CU_TestInfo conditions_tests[] = {
    TEST(test_each_change_with_each_condition),
    TEST(test_reads_are_saved_when_nothing_has_changed),
    TEST(test_tags_follow_the_todo),
    TEST(test_those_who_know_and_those_who_do_not_share_a_look),
    TEST(test_of_two_who_change_the_same_version_one_wins),
    TEST(test_a_clear_of_what_is_known_loses_nothing_else),
    CU_TEST_INFO_NULL,
};
