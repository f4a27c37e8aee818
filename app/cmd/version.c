#include "cmd/cmd.h"

#include "version.h" /* written by the build */

#include <jansson.h>
#include <microhttpd.h>
#include <mysql.h>
#include <sqlite3.h>
#include <stdio.h>

const char cmd_version_help[] =
    "usage: app version\n"
    "\n"
    "Prints the version, the commit and the compiler, and of each library the version that\n"
    "this was built with and the one that it runs with.\n";

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

static void print_library(const char *name, const char *built_with, const char *runs_with)
{
    printf("%-20s  %-12s  %s\n", name, built_with, runs_with);
}

/* 0x00097500 -> "0.9.75" */
static void print_microhttpd(void)
{
    unsigned long built_with = MHD_VERSION;
    char text[32];

    snprintf(text, sizeof(text), "%lx.%lx.%lx", built_with >> 24, built_with >> 16 & 0xff,
             built_with >> 8 & 0xff);
    print_library("libmicrohttpd", text, MHD_get_version());
}

bool cmd_version(int argc, char **argv, struct error *err)
{
    if (!cmd_no_arguments(argc, argv, err))
        return false;
    printf("todobackend %s\ncommit      %s\ncompiler    %s\n\n", APP_VERSION, APP_COMMIT,
           COMPILER);
    print_library("LIBRARY", "BUILT WITH", "RUNS WITH");
    print_microhttpd();
    print_library("Jansson", JANSSON_VERSION, jansson_version_str());
    print_library("SQLite", SQLITE_VERSION, sqlite3_libversion());
    print_library(MYSQL_NAME, MYSQL_BUILD_VERSION, mysql_get_client_info());
    return true;
}
