#include "cmd/cmd.h"

#include "base/buffer.h"
#include "base/metrics.h"
#include "schema/migrations.h"
#include "version.h" /* written by the build */

#include <getopt.h>
#include <jansson.h>
#include <microhttpd.h>
#include <mysql.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { OPTION_JSON };

static const struct cmd_option options[] = {
    [OPTION_JSON] = {"json", NULL, "print them as JSON", false},
    {NULL,   NULL, NULL,                 false},
};

static bool run(int argc, char **argv, struct error *err);

const char *cmd_program_version(void)
{
    return APP_VERSION;
}

const struct cmd_command cmd_version = {
    .name = "version",
    .summary = "print versions",
    .description = "Prints the version, the commit and the compiler, the schema's version on "
                   "each database, "
                   "and of each library the version that this was built with and the one that "
                   "it runs with.",
    .options = options,
    .run = run,
};

#ifdef __clang__
#define COMPILER __VERSION__
#else
#define COMPILER "GCC " __VERSION__
#endif

/* MariaDB's connector has a version of its own; MySQL's library has the server's. */
#ifdef MARIADB_PACKAGE_VERSION
#define MYSQL_NAME          "MariaDB Connector/C"
#define MYSQL_BUILD_VERSION MARIADB_PACKAGE_VERSION
#else
#define MYSQL_NAME          "libmysqlclient"
#define MYSQL_BUILD_VERSION MYSQL_SERVER_VERSION
#endif

enum { LIBRARY_COUNT = 5 };

struct library {
    const char *name;
    const char *built_with;
    const char *runs_with;
};

struct database {
    const char *name; /* as DATABASE has it */
    unsigned schema;  /* the version that this program makes */
};

/* 0x00097500 -> "0.9.75" */
static const char *microhttpd_version(void)
{
    static char text[32];
    unsigned long built_with = MHD_VERSION;

    snprintf(text, sizeof(text), "%lx.%lx.%lx", built_with >> 24, built_with >> 16 & 0xff,
             built_with >> 8 & 0xff);
    return text;
}

void cmd_describe_build(const char *database)
{
    metrics_describe_build(APP_VERSION, APP_COMMIT, database);
}

static void print_text(const struct library *libraries, const struct database databases[2])
{
    printf("todobackend %s\ncommit      %s\ncompiler    %s\n", APP_VERSION, APP_COMMIT,
           COMPILER);
    printf("schema      %s %u, %s %u\n", databases[0].name, databases[0].schema,
           databases[1].name, databases[1].schema);
    printf("protocol    MySQL %d\n", PROTOCOL_VERSION);
    printf("\n%-20s  %-12s  %s\n", "LIBRARY", "BUILT WITH", "RUNS WITH");
    for (size_t i = 0; i < LIBRARY_COUNT; i++)
        printf("%-20s  %-12s  %s\n", libraries[i].name, libraries[i].built_with,
               libraries[i].runs_with);
}

static void append_member(struct buffer *out, const char *name, const char *text)
{
    buffer_append_format(out, "\"%s\":", name);
    buffer_append_json(out, text, strlen(text));
}

static bool print_json(const struct library *libraries, const struct database databases[2],
                       struct error *err)
{
    struct buffer out = {0};

    buffer_append_char(&out, '{');
    append_member(&out, "version", APP_VERSION);
    buffer_append_char(&out, ',');
    append_member(&out, "commit", APP_COMMIT);
    buffer_append_char(&out, ',');
    append_member(&out, "compiler", COMPILER);
    buffer_append_format(
        &out, ",\"schema\":{\"%s\":%u,\"%s\":%u},\"mysql_protocol\":%d,\"libraries\":[",
        databases[0].name, databases[0].schema, databases[1].name, databases[1].schema,
        PROTOCOL_VERSION);
    for (size_t i = 0; i < LIBRARY_COUNT; i++) {
        buffer_append_text(&out, i ? ",{" : "{");
        append_member(&out, "name", libraries[i].name);
        buffer_append_char(&out, ',');
        append_member(&out, "built_with", libraries[i].built_with);
        buffer_append_char(&out, ',');
        append_member(&out, "runs_with", libraries[i].runs_with);
        buffer_append_char(&out, '}');
    }
    buffer_append_text(&out, "]}\n");
    if (out.failed)
        error_set(err, ERROR_SYSTEM, "out of memory");
    else
        fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
    return err->code == ERROR_NONE;
}

static bool run(int argc, char **argv, struct error *err)
{
    const struct library libraries[LIBRARY_COUNT] = {
        {"libmicrohttpd", microhttpd_version(), MHD_get_version()      },
        {"Jansson",       JANSSON_VERSION,      jansson_version_str()  },
        {"SQLite",        SQLITE_VERSION,       sqlite3_libversion()   },
        {"zlib",          ZLIB_VERSION,         zlibVersion()          },
        {MYSQL_NAME,      MYSQL_BUILD_VERSION,  mysql_get_client_info()},
    };
    const struct database databases[2] = {
        {"sqlite", migrations_sqlite[migrations_sqlite_count - 1].version},
        {"mysql",  migrations_mysql[migrations_mysql_count - 1].version  },
    };
    bool is_json = false;
    int option;

    while ((option = cmd_next_option(&cmd_version, argc, argv, err)) == OPTION_JSON)
        is_json = true;
    if (option == CMD_OPTION_WRONG)
        return false;
    if (is_json)
        return print_json(libraries, databases, err);
    print_text(libraries, databases);
    return true;
}
