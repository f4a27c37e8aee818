#include "schema/migrations.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    const struct migration *migrations;
    const size_t *count;
} databases[] = {
    {"mysql",  migrations_mysql,  &migrations_mysql_count },
    {"sqlite", migrations_sqlite, &migrations_sqlite_count},
};

static void check_migration(const struct migration *migration, unsigned version)
{
    char start[8];

    snprintf(start, sizeof(start), "%04u_", version);
    CHECK_NUMBER(migration->name, "version", version, migration->version);
    CHECK(strncmp(migration->name, start, 5) == 0, migration->name, "begins with %s", start);
    CHECK_NUMBER(migration->name, "digits of SHA-256", 64,
                 (long long)strspn(migration->sha256, "0123456789abcdef"));
    CHECK(migration->compatible_with > 0 && migration->compatible_with <= version,
          migration->name, "compatible with %u", migration->compatible_with);
    CHECK(migration->statement_count > 0, migration->name, "no statement");
    for (size_t i = 0; i < migration->statement_count; i++) {
        const struct migration_statement *statement = &migration->statements[i];

        CHECK(!strchr(statement->sql, ';'), migration->name, "one statement: %s",
              statement->sql);
        CHECK(statement->done_when != NULL, migration->name, "can't be finished: %s",
              statement->sql);
    }
}

static void test_each_migration_is_embedded_with_its_queries(void)
{
    for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
        CHECK(*databases[i].count > 0, databases[i].name, "no migration");
        for (size_t j = 0; j < *databases[i].count; j++)
            check_migration(&databases[i].migrations[j], (unsigned)j + 1);
    }
    CU_ASSERT(seed_statement_count > 0);
}

struct folder_row {
    const char *name;
    const char *file; /* of the one migration */
    const char *text;
    bool is_good;
    const char *says; /* in its output */
};

/* FILE and TEXT become the one migration of either database. */
static const char embed[] =
    "folder=$(mktemp -d) && mkdir \"$folder/mysql\" \"$folder/sqlite\" &&"
    " printf %s \"$TEXT\" | tee \"$folder/mysql/$FILE\" >\"$folder/sqlite/$FILE\" &&"
    " echo 'INSERT;' >\"$folder/seed.sql\" && sh migrations/embed.sh \"$folder\" 2>&1;"
    " status=$?; rm -rf \"$folder\"; exit $status";

static void check_folder(const struct folder_row *row)
{
    char out[8192];
    size_t size;
    FILE *pipe;

    setenv("FILE", row->file, 1);
    setenv("TEXT", row->text, 1);
    pipe = popen(embed, "r"); // NOLINT(cert-env33-c)
    if (!pipe) {
        CHECK(false, row->name, "no shell");
        return;
    }
    size = fread(out, 1, sizeof(out) - 1, pipe);
    out[size] = '\0';
    CHECK((pclose(pipe) == 0) == row->is_good, row->name, "wrong exit status: %s", out);
    CHECK_CONTAINS(row->name, "says", row->says, out);
}

#define SAYS "-- compatible with: 1\n"

static void test_a_folder_of_migrations_is_embedded_or_refused(void)
{
    static const struct folder_row rows[] = {
        {"plain",           "0001_a.sql",   SAYS "A;\n",                                 true,  "{\"A\",\n     NULL},"         },
        {"two",             "0001_a.sql",   SAYS "A\n  b;\n\n-- c\nB;\n",                true,  "\"A\\n\"\n     \"  b\""       },
        {"second",          "0001_a.sql",   SAYS "A;\nB;\n",                             true,  "{\"B\",\n     NULL},"         },
        {"its sum",         "0001_a.sql",   SAYS "A;\nB;\n",                             true,  "\"6184b6bafda3bd09"           },
        {"CRLF's sum",      "0001_a.sql",   SAYS "A;\r\nB;\r\n",                         true,  "\"6184b6bafda3bd09"           },
        {"quotes",          "0001_a.sql",   SAYS "A '\\' \"b\";\n",                      true,  "A '\\\\' \\\"b\\\""           },
        {"query",           "0001_a.sql",   SAYS "-- done when: Q\n--  R\nA;\n",         true,
         "\"Q\\n\"\n     \"R\""                                                                                                },
        {"semicolon",       "0001_a.sql",   SAYS "A ';' b;\n",                           true,  "\"A ';' b\""                  },
        {"no end",          "0001_a.sql",   SAYS "A;\nB\n",                              false, "0001_a.sql:3: the last"       },
        {"empty",           "0001_a.sql",   SAYS "-- nothing\n",                         false, "no statement"                 },
        {"query's end",     "0001_a.sql",   SAYS "A;\n-- done when: Q\n",                false, "has no end"                   },
        {"two queries",     "0001_a.sql",   SAYS "-- done when: Q\n\n-- done when: R\n", false,
         "a query"                                                                                                             },
        {"a gap",           "0002_a.sql",   SAYS "A;\n",                                 false, "must begin with 0001_"        },
        {"a bad name",      "0001_a-b.sql", SAYS "A;\n",                                 false, "in the name"                  },
        {"version 1",       "0001_a.sql",   SAYS "A;\n",                                 true,  "\", 1,"                       },
        {"version 1, CRLF", "0001_a.sql",   "-- compatible with: 1\r\nA;\r\n",           true,  "\", 1,"                       },
        {"says nothing",    "0001_a.sql",   "A;\n",                                      false, "needs one line `-- compatible"},
        {"says two",        "0001_a.sql",   SAYS SAYS "A;\n",                            false, "needs one line `-- compatible"},
        {"no number",       "0001_a.sql",   "-- compatible with: all\nA;\n",             false, "needs one line"               },
        {"none",            "0001_a.sql",   "-- compatible with: 0\nA;\n",               false, "needs one line"               },
        {"later",           "0001_a.sql",   "-- compatible with: 2\nA;\n",               false, "later than itself"            },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_folder(&rows[i]);
}

CU_TestInfo migrations_tests[] = {
    {"test_each_migration_is_embedded_with_its_queries",
     test_each_migration_is_embedded_with_its_queries  },
    {"test_a_folder_of_migrations_is_embedded_or_refused",
     test_a_folder_of_migrations_is_embedded_or_refused},
    CU_TEST_INFO_NULL,
};
