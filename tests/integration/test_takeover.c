/*
 * Taking over a database that the original application made, beside which it may go on: made
 * here by the SQL that it runs, in the character sets that its database may have had.
 */

#include "check.h"
#include "database.h"
#include "exchange.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATABASE "todobackend_takeover"

static const char *const settings[] = {"MYSQL_DATABASE=" DATABASE, NULL};

/* The original's migrations, its own and a few of the framework's. */
static const char *const tables[] = {
    "CREATE TABLE `django_migrations` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, "
    "`app` varchar(255) NOT NULL, `name` varchar(255) NOT NULL, "
    "`applied` datetime(6) NOT NULL)",
    "CREATE TABLE `django_content_type` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, "
    "`app_label` varchar(100) NOT NULL, `model` varchar(100) NOT NULL, "
    "UNIQUE `django_content_type_app_label_model_uniq` (`app_label`, `model`))",
    "CREATE TABLE `auth_permission` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, "
    "`name` varchar(255) NOT NULL, `content_type_id` integer NOT NULL, "
    "`codename` varchar(100) NOT NULL, CONSTRAINT `auth_permission_content_type_id_fk` "
    "FOREIGN KEY (`content_type_id`) REFERENCES `django_content_type` (`id`))",
    "CREATE TABLE `django_session` (`session_key` varchar(40) NOT NULL PRIMARY KEY, "
    "`session_data` longtext NOT NULL, `expire_date` datetime(6) NOT NULL)",
    "CREATE TABLE `todo_todoitem` (`id` integer AUTO_INCREMENT NOT NULL PRIMARY KEY, "
    "`title` varchar(256) NULL, `completed` bool NOT NULL, `url` varchar(256) NULL, "
    "`order` integer NULL)",
    "INSERT INTO `django_migrations` (`app`, `name`, `applied`) VALUES "
    "('contenttypes', '0001_initial', '2016-08-01 10:00:00.000001'), "
    "('auth', '0001_initial', '2016-08-01 10:00:01.000001'), "
    "('todo', '0001_initial', '2016-08-01 10:00:02.000001')",
    "INSERT INTO `django_content_type` (`app_label`, `model`) VALUES ('todo', 'todoitem')",
    "INSERT INTO `auth_permission` (`name`, `content_type_id`, `codename`) "
    "VALUES ('Can add todo item', 1, 'add_todoitem')",
    "INSERT INTO `django_session` VALUES ('abc', 'data', '2030-01-01 00:00:00.000000')",
    "INSERT INTO `todo_todoitem` (`id`, `title`, `completed`, `url`, `order`) VALUES "
    "(3, 'caf\xc3\xa9', 0, 'http://old.example:8000/todos/3', 5), "
    "(8, NULL, 1, 'https://old.example/todos/8', NULL)",
};

static MYSQL *make_original(const char *character_set)
{
    char sql[128];
    MYSQL *root = mariadb_open(NULL, "utf8");
    mariadb_run(root, "DROP DATABASE IF EXISTS " DATABASE);
    snprintf(sql, sizeof sql, "CREATE DATABASE " DATABASE " CHARACTER SET %s", character_set);
    mariadb_run(root, sql);
    if (root)
        mysql_close(root);
    MYSQL *original = mariadb_open(DATABASE, "utf8");
    for (size_t i = 0; i < COUNT(tables); i++)
        mariadb_run(original, tables[i]);
    return original;
}

/* Everything that must be as before, as one text: the framework's tables, the definition of the
 * todos' columns but for the character set, the todos. */
static void describe(MYSQL *original, struct buffer *out)
{
    static const char *const queries[] = {
        "SELECT GROUP_CONCAT(table_name, table_collation, engine ORDER BY table_name) "
        "FROM information_schema.tables WHERE table_schema = DATABASE() "
        "AND table_name REGEXP '^(django|auth)_'",
        "SELECT GROUP_CONCAT(table_name, column_name, column_type, is_nullable, extra, "
        "IFNULL(collation_name, '') ORDER BY table_name, ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = DATABASE() "
        "AND table_name REGEXP '^(django|auth)_'",
        "SELECT GROUP_CONCAT(column_name, ' ', column_type, ' ', is_nullable, ' ', extra, ' ', "
        "IFNULL(column_default, 'NULL') ORDER BY ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = DATABASE() "
        "AND table_name = 'todo_todoitem'",
        "SELECT GROUP_CONCAT(app, name, applied ORDER BY id) FROM django_migrations",
        "SELECT GROUP_CONCAT(session_key, session_data) FROM django_session",
        "SELECT GROUP_CONCAT(name, content_type_id, codename) FROM auth_permission",
        ("SELECT GROUP_CONCAT(id, ' ', HEX(CONVERT(IFNULL(title, 'NULL') USING utf8)), ' ', "
         "completed, ' ', url, ' ', IFNULL(`order`, 'NULL') ORDER BY id) FROM todo_todoitem"),
    };
    char text[4096];
    buffer_clear(out);
    mariadb_run(original, "SET SESSION group_concat_max_len = 4000");
    for (size_t i = 0; i < COUNT(queries); i++) {
        buffer_append_text(out, mariadb_value(original, queries[i], text, sizeof text));
        buffer_append_char(out, '\n');
    }
}

static void check_served(const struct server *server, const char *row)
{
    struct client_response response = {0};
    char wanted[512];
    snprintf(wanted, sizeof wanted,
             "[{\"url\":\"http://127.0.0.1:%u/todos/3\",\"title\":\"caf\xc3\xa9\","
             "\"completed\":false,\"order\":5},{\"url\":\"http://127.0.0.1:%u/todos/8\","
             "\"title\":null,\"completed\":true,\"order\":null}]",
             server->port, server->port);
    CHECK_NUMBER(row, "status", 200, get(server, "/todos", &response));
    CHECK_TEXT(row, "old todos", wanted, client_body(&response));
    client_response_release(&response);
}

/* What we write must be what the original would have written. */
static void check_written(const struct server *server, MYSQL *original, const char *row)
{
    struct client_response response = {0};
    char sql[256];
    char text[512];
    char wanted[512];
    unsigned id = create_todo(server, "{\"title\":\"\xf0\x9f\x9a\x97\",\"order\":2}");
    CHECK(id > 8, row, "id %u", id);
    get_todo(server, id, &response);
    CHECK_CONTAINS(row, "emoji", "\"title\":\"\xf0\x9f\x9a\x97\"", client_body(&response));
    snprintf(sql, sizeof sql, "SELECT url FROM todo_todoitem WHERE id = %u", id);
    snprintf(wanted, sizeof wanted, "http://127.0.0.1:%u/todos/%u", server->port, id);
    CHECK_TEXT(row, "stored url", wanted, mariadb_value(original, sql, text, sizeof text));
    snprintf(sql, sizeof sql,
             "SELECT CONCAT_WS(',', HEX(title), completed, `order`) FROM todo_todoitem "
             "WHERE id = %u",
             id);
    CHECK_TEXT(row, "stored columns", "F09F9A97,0,2",
               mariadb_value(original, sql, text, sizeof text));
    patch_todo(server, 3, "{\"completed\":true}", &response);
    CHECK_TEXT(row, "url after a change", "http://old.example:8000/todos/3",
               mariadb_value(original, "SELECT url FROM todo_todoitem WHERE id = 3", text,
                             sizeof text));
    client_response_release(&response);
}

/* The original goes on beside us: its statements, and what we answer then. */
static void check_shared(const struct server *server, MYSQL *original, const char *row)
{
    struct client_response response = {0};
    char sql[256];
    mariadb_run(original, "INSERT INTO `todo_todoitem` (`title`, `completed`, `url`, `order`) "
                          "VALUES ('theirs', 0, NULL, NULL)");
    unsigned id = (unsigned)mysql_insert_id(original);
    snprintf(sql, sizeof sql,
             "UPDATE `todo_todoitem` SET `title` = 'theirs', `completed` = 1, "
             "`url` = 'http://old.example/todos/%u', `order` = 9 "
             "WHERE `todo_todoitem`.`id` = %u",
             id, id);
    mariadb_run(original, sql);
    CHECK_NUMBER(row, "status of theirs", 200, get_todo(server, id, &response));
    CHECK_CONTAINS(row, "theirs", "\"title\":\"theirs\",\"completed\":true,\"order\":9",
                   client_body(&response));
    CHECK_NUMBER(row, "status of our change", 200,
                 patch_todo(server, id, "{\"title\":\"ours\"}", &response));
    mariadb_run(original, "DELETE FROM `todo_todoitem` WHERE `todo_todoitem`.`id` IN (3)");
    CHECK_NUMBER(row, "deleted by them", 404, get_todo(server, 3, &response));
    CHECK_NUMBER(row, "todos", 3, count_todos(server));
    client_response_release(&response);
}

static void take_over(const char *character_set)
{
    struct server server = {0};
    struct buffer before = {0};
    struct buffer after = {0};
    MYSQL *original = make_original(character_set);
    describe(original, &before);
    if (original && server_open(&server, settings)) {
        describe(original, &after);
        CHECK_TEXT(character_set, "the original's tables", before.data, after.data);
        check_served(&server, character_set);
        check_written(&server, original, character_set);
        check_shared(&server, original, character_set);
        run_migrate(settings);
        CHECK_NUMBER(character_set, "todos after another migrate", 3, count_todos(&server));
    }
    server_close(&server);
    if (original)
        mysql_close(original);
    buffer_release(&before);
    buffer_release(&after);
}

static void test_a_database_in_latin1_is_taken_over(void)
{
    take_over("latin1");
}

static void test_a_database_in_utf8mb3_is_taken_over(void)
{
    take_over("utf8mb3");
}

static void test_a_database_in_utf8mb4_is_taken_over(void)
{
    take_over("utf8mb4");
}

static void test_serve_wants_a_migration_first(void)
{
    static const char *const serve[] = {"serve", NULL};
    struct command_result result = {0};
    MYSQL *original = make_original("latin1");
    if (original)
        mysql_close(original);
    command_run(&(struct command){serve, settings, NULL}, 20000, &result);
    CHECK(result.status > 0 && result.status < 128, "serve", "exit status %d", result.status);
    CHECK_CONTAINS("serve", "stderr", "app migrate", result.err.data);
    command_result_release(&result);
}

/* 256 of the widest characters fit, and a url of 256. */
static void test_the_longest_values_fit_after_the_take_over(void)
{
    struct server server = {0};
    struct buffer json = {0};
    struct client_response response = {0};
    MYSQL *original = make_original("latin1");
    buffer_append_text(&json, "{\"title\":\"");
    for (int i = 0; i < 256; i++)
        buffer_append_text(&json, "\xf0\x9f\x9a\x97");
    buffer_append_text(&json, "\"}");
    if (original && server_open(&server, settings)) {
        get_todo(&server, create_todo(&server, json.data), &response);
        json.data[json.size - 1] = '\0';
        CHECK_CONTAINS("256 emoji", "todo", json.data + 1, client_body(&response));
    }
    server_close(&server);
    if (original)
        mysql_close(original);
    buffer_release(&json);
    client_response_release(&response);
}

CU_TestInfo takeover_tests[] = {
    TEST(test_a_database_in_latin1_is_taken_over),
    TEST(test_a_database_in_utf8mb3_is_taken_over),
    TEST(test_a_database_in_utf8mb4_is_taken_over),
    TEST(test_serve_wants_a_migration_first),
    TEST(test_the_longest_values_fit_after_the_take_over),
    CU_TEST_INFO_NULL,
};
