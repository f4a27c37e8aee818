#include "load.h"

#include "base/clock.h"
#include "check.h"
#include "http_client.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS    16
#define TODOS_MOST 20000  /* of one client */
#define PAUSE      1000U  /* microseconds between two requests of a client */
#define REST       20000U /* after one that was refused */

enum told {
    TOLD_DONE,
    TOLD_REFUSED, /* nothing was changed */
    TOLD_UNKNOWN,
    TOLD_WRONG,
    TOLD_COUNT,
};

enum presence {
    ABSENT,
    PRESENT,
    PERHAPS,
};

/* Titled CLIENT-NUMBER. Its order is 0, and 1 once it was changed. */
struct entry {
    enum presence presence;
    unsigned id; /* 0: not known */
    bool is_changed;
    bool may_be_changed;
    unsigned found; /* by load_check */
};

struct client {
    struct load *load;
    unsigned number;
    unsigned requests;
    struct entry *entries;
    size_t count;
    size_t told[TOLD_COUNT];
    char wrong[200]; /* the first of them */
    pthread_t thread;
};

struct load {
    const unsigned *ports;
    size_t port_count;
    atomic_bool stop;
    struct client clients[CLIENTS];
};

/* A 503 without a word about what is not known says that nothing was changed. */
static enum told judge(struct client *client, const struct client_request *request, int wanted,
                       const struct client_response *response)
{
    const char *body = client_body(response);

    if (response->status == wanted)
        return TOLD_DONE;
    if (response->status == 0)
        return TOLD_UNKNOWN;
    if (response->status == 503) {
        bool is_unknown = strstr(body, "not known") || strstr(body, "may have been") ||
                          !client_header(response, "Retry-After");
        return is_unknown ? TOLD_UNKNOWN : TOLD_REFUSED;
    }
    if (!client->wrong[0])
        snprintf(client->wrong, sizeof client->wrong, "%s %s: %d %.100s", request->method,
                 request->path, response->status, body);
    return TOLD_WRONG;
}

/* Of the servers, the next one in turn. */
static enum told ask(struct client *client, const struct client_request *request, int wanted,
                     struct client_response *response)
{
    const struct load *load = client->load;
    unsigned port = load->ports[client->requests++ % load->port_count];

    client_ask(port, request, response);
    enum told told = judge(client, request, wanted, response);
    client->told[told]++;
    clock_sleep(told == TOLD_DONE ? PAUSE : REST);
    return told;
}

static void create(struct client *client, struct entry *entry, size_t number)
{
    struct client_response response = {0};
    char body[64];
    struct client_request request = {
        .method = "POST", .path = "/todos", .type = "application/json", .body = body};

    snprintf(body, sizeof body, "{\"title\":\"%u-%zu\",\"order\":0}", client->number, number);
    enum told told = ask(client, &request, 201, &response);
    entry->presence = told == TOLD_DONE ? PRESENT : (told == TOLD_REFUSED ? ABSENT : PERHAPS);
    if (told == TOLD_DONE)
        entry->id = id_of_url(client_header(&response, "Location"));
    client_response_release(&response);
}

static void change(struct client *client, struct entry *entry)
{
    struct client_response response = {0};
    char path[32];
    struct client_request request = {
        .method = "PATCH", .path = path, .type = "application/json", .body = "{\"order\":1}"};

    snprintf(path, sizeof path, "/todos/%u", entry->id);
    enum told told = ask(client, &request, 200, &response);
    entry->is_changed = told == TOLD_DONE;
    entry->may_be_changed = told == TOLD_UNKNOWN;
    client_response_release(&response);
}

static void delete (struct client *client, struct entry *entry)
{
    struct client_response response = {0};
    char path[32];
    struct client_request request = {.method = "DELETE", .path = path};

    snprintf(path, sizeof path, "/todos/%u", entry->id);
    enum told told = ask(client, &request, 204, &response);
    if (told != TOLD_REFUSED)
        entry->presence = told == TOLD_DONE ? ABSENT : PERHAPS;
    client_response_release(&response);
}

static void *run_client(void *argument)
{
    struct client *client = argument;

    while (!client->load->stop && client->count < TODOS_MOST) {
        struct entry *entry = &client->entries[client->count];
        create(client, entry, client->count);
        client->count++;
        if (entry->presence == PRESENT)
            change(client, entry);
        if (entry->presence == PRESENT && client->count % 3 == 0)
            delete (client, entry);
    }
    return NULL;
}

struct load *load_start(const unsigned *ports, size_t port_count)
{
    struct load *load = calloc(1, sizeof *load);

    if (!load)
        abort();
    load->ports = ports;
    load->port_count = port_count;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &load->clients[i];
        client->load = load;
        client->number = i;
        client->requests = i;
        client->entries = calloc(TODOS_MOST, sizeof *client->entries);
        if (!client->entries || pthread_create(&client->thread, NULL, run_client, client) != 0)
            abort();
    }
    return load;
}

void load_stop(struct load *load, const char *row)
{
    size_t told[TOLD_COUNT] = {0};

    load->stop = true;
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct client *client = &load->clients[i];
        pthread_join(client->thread, NULL);
        CHECK(!client->wrong[0], row, "%s", client->wrong);
        for (size_t j = 0; j < TOLD_COUNT; j++)
            told[j] += client->told[j];
    }
    printf("\n    %s: %zu changes acknowledged, %zu refused, %zu of unknown outcome\n", row,
           told[TOLD_DONE], told[TOLD_REFUSED], told[TOLD_UNKNOWN]);
    CHECK(told[TOLD_DONE] > 100, row, "only %zu changes were acknowledged", told[TOLD_DONE]);
}

/* Finds a row's entry by its title; NULL for a todo of somebody else. */
static struct entry *find(const struct load *load, const char *title)
{
    char *rest = NULL;
    unsigned long client = strtoul(title, &rest, 10);
    unsigned long number = *rest == '-' ? strtoul(rest + 1, NULL, 10) : TODOS_MOST;

    return client < CLIENTS && number < load->clients[client].count
               ? &load->clients[client].entries[number]
               : NULL;
}

/* Whether a row (id, title, order, url) is as it was told. */
static bool is_right(const struct entry *entry, MYSQL_ROW row)
{
    unsigned id = (unsigned)strtoul(row[0], NULL, 10);
    bool is_changed = strcmp(row[2], "1") == 0;

    return entry->presence != ABSENT && entry->found == 1 && id_of_url(row[3]) == id &&
           (entry->id == 0 || entry->id == id) &&
           (entry->may_be_changed || entry->is_changed == is_changed);
}

static void check_lost(const struct load *load, const char *row)
{
    size_t lost = 0;

    for (size_t i = 0; i < CLIENTS; i++)
        for (size_t j = 0; j < load->clients[i].count; j++)
            lost += load->clients[i].entries[j].presence == PRESENT &&
                    load->clients[i].entries[j].found == 0;
    CHECK_NUMBER(row, "acknowledged todos that are lost", 0, (long long)lost);
}

void load_check(const struct load *load, const char *row, MYSQL *connection)
{
    size_t wrong = 0;
    MYSQL_RES *rows;
    MYSQL_ROW columns;

    for (size_t i = 0; i < CLIENTS; i++)
        for (size_t j = 0; j < load->clients[i].count; j++)
            load->clients[i].entries[j].found = 0;
    if (!connection ||
        !CHECK(mysql_query(connection, "SELECT id, title, `order`, url FROM todo_todoitem"
                                       " WHERE title IS NOT NULL AND `order` IS NOT NULL") == 0,
               row, "%s", mysql_error(connection)))
        return;
    rows = mysql_store_result(connection);
    while (rows && (columns = mysql_fetch_row(rows))) {
        struct entry *entry = find(load, columns[1]);
        if (!entry)
            continue;
        entry->found++;
        if (is_right(entry, columns))
            continue;
        if (wrong++ == 0)
            CHECK(false, row, "%s at %s, order %s, url %s, found %u times: told %d, id %u",
                  columns[1], columns[0], columns[2], columns[3], entry->found,
                  (int)entry->presence, entry->id);
    }
    mysql_free_result(rows);
    CHECK_NUMBER(row, "todos that are not as was told", 0, (long long)wrong);
    check_lost(load, row);
}

void load_release(struct load *load)
{
    for (size_t i = 0; i < CLIENTS; i++)
        free(load->clients[i].entries);
    free(load);
}
