#include "base/config.h"

#include "certificate.h"
#include "suites.h"

#include "../integration/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAIRS_MAX = 12 };

/* Gives the test an environment of just these NAME=VALUE pairs. What the process had before is
 * put back by restore_environment. */
static char **environment_before;

static void set_environment(const char *const *pairs)
{
    environment_before = environ;
    environ = NULL;
    for (; *pairs; pairs++) {
        char name[64];
        const char *equals = strchr(*pairs, '=');
        snprintf(name, sizeof(name), "%.*s", (int)(equals - *pairs), *pairs);
        setenv(name, equals + 1, 1);
    }
}

static void restore_environment(void)
{
    clearenv();
    environ = environment_before;
}

static void check_load(const char *row, const char *const *environment, const char *wanted)
{
    struct config config;
    struct buffer errors = {0};
    bool good;

    set_environment(environment);
    good = config_load(&config, &errors);
    restore_environment();
    CHECK(good == (*wanted == '\0'), row, "returned %d", good);
    CHECK_TEXT(row, "errors", wanted, errors.data ? errors.data : "");
    if (good)
        config_release(&config);
    buffer_release(&errors);
}

static void test_each_wrong_setting_is_named(void)
{
    static const char no_port[] = "is not a number from 0 to 65535\n";
    static const char no_mode[] = "is not an octal number of three or four digits up to 0777\n";
    static const char no_origins[] =
        "is not a list of origins such as https://a.example:8443; none; or *\n";
    static const char no_address[] =
        "is not a numeric IPv4 or IPv6 address, or an absolute path of at most 107 bytes\n";
    static const char no_url[] =
        "is not http:// or https://, a host, perhaps a port, and no path; at most 200 bytes\n";
    static const char no_hosts[] =
        "is not a list of names and addresses without ports, IPv6 in brackets; or *\n";
    static const char no_proxies[] =
        "is not a list of at most 64 addresses, blocks such as 10.0.0.0/8, and unix; or *\n";
    static const char no_authority[] = "is not PEM text, or a file of it that can be read\n";
    static const struct {
        const char *setting;
        const char *value;
        const char *wanted; /* NULL: the value is good */
    } rows[] = {
        {"HTTP_PORT",        "0",                           NULL                                                  },
        {"HTTP_PORT",        "65535",                       NULL                                                  },
        {"HTTP_PORT",        "00080",                       NULL                                                  },
        {"HTTP_PORT",        "65536",                       no_port                                               },
        {"HTTP_PORT",        "-1",                          no_port                                               },
        {"HTTP_PORT",        "+1",                          no_port                                               },
        {"HTTP_PORT",        " 80",                         no_port                                               },
        {"HTTP_PORT",        "80 ",                         no_port                                               },
        {"HTTP_PORT",        "80a",                         no_port                                               },
        {"HTTP_PORT",        "0x50",                        no_port                                               },
        {"HTTP_PORT",        "1e3",                         no_port                                               },
        {"HTTP_PORT",        "80.0",                        no_port                                               },
        {"HTTP_PORT",        "4294967376",                  no_port                                               },
        {"HTTP_PORT",        "18446744073709551696",        no_port                                               },
        {"HTTP_THREADS",     "65",                          "is not a number from 0 to 64\n"                      },
        {"HTTP_BODY_LIMIT",  "1023",                        "is not a number from 1024 to 104857600\n"            },
        {"HTTP_BODY_LIMIT",  "104857601",                   "is not a number from 1024 to 104857600\n"            },
        {"HTTP_BODY_LIMIT",  "1M",                          "is not a number from 1024 to 104857600\n"            },
        {"HTTP_JSON_DEPTH",  "0",                           "is not a number from 1 to 2000\n"                    },
        {"HTTP_JSON_DEPTH",  "2001",                        "is not a number from 1 to 2000\n"                    },
        {"HTTP_HOST_LIMIT",  "201",                         "is not a number from 16 to 200\n"                    },
        {"REQUEST_TIMEOUT",  "61",                          "is not a number from 1 to 60\n"                      },
        {"DB_READERS",       "17",                          "is not a number from 1 to 16\n"                      },
        {"DB_BATCH",         "1025",                        "is not a number from 1 to 1024\n"                    },
        {"DB_QUEUE",         "65537",                       "is not a number from 1 to 65536\n"                   },
        {"DB_WAIT",          "3601",                        "is not a number from 0 to 3600\n"                    },
        {"CORS_ORIGINS",     "*",                           NULL                                                  },
        {"CORS_ORIGINS",     "none",                        NULL                                                  },
        {"CORS_ORIGINS",     "https://a.example/",          no_origins                                            },
        {"HTTP_ADDRESS",     "::1",                         NULL                                                  },
        {"HTTP_ADDRESS",     "127.0.0.1",                   NULL                                                  },
        {"HTTP_ADDRESS",     "localhost",                   no_address                                            },
        {"HTTP_ADDRESS",     "127.1",                       no_address                                            },
        {"HTTP_ADDRESS",     "[::1]",                       no_address                                            },
        {"HTTP_ADDRESS",     "/run/todobackend.sock",       NULL                                                  },
        {"HTTP_ADDRESS",     "run/todobackend.sock",        no_address                                            },
        {"HTTP_ADDRESS",     "@todobackend",                no_address                                            },
        {"HTTP_ADDRESS",     "/",                           no_address                                            },
        {"ADMIN_ADDRESS",    "::1",                         NULL                                                  },
        {"ADMIN_ADDRESS",    "/run/todobackend.sock",       "is not a numeric IPv4 or IPv6 address\n"             },
        {"ADMIN_ADDRESS",    "localhost",                   "is not a numeric IPv4 or IPv6 address\n"             },
        {"HTTP_SOCKET_MODE", "0600",                        NULL                                                  },
        {"HTTP_SOCKET_MODE", "777",                         NULL                                                  },
        {"HTTP_SOCKET_MODE", "0",                           no_mode                                               },
        {"HTTP_SOCKET_MODE", "0668",                        no_mode                                               },
        {"HTTP_SOCKET_MODE", "1777",                        no_mode                                               },
        {"HTTP_SOCKET_MODE", "00600",                       no_mode                                               },
        {"HTTP_SOCKET_MODE", "rw-",                         no_mode                                               },
        {"PUBLIC_URL",       "http://todo.example",         NULL                                                  },
        {"PUBLIC_URL",       "HTTPS://Todo.example:8443/",  NULL                                                  },
        {"PUBLIC_URL",       "http://[2001:db8::1]:80",     NULL                                                  },
        {"PUBLIC_URL",       "todo.example",                no_url                                                },
        {"PUBLIC_URL",       "ftp://todo.example",          no_url                                                },
        {"PUBLIC_URL",       "http://",                     no_url                                                },
        {"PUBLIC_URL",       "http:///",                    no_url                                                },
        {"PUBLIC_URL",       "http://todo.example/api",     no_url                                                },
        {"PUBLIC_URL",       "http://todo.example//",       no_url                                                },
        {"PUBLIC_URL",       "http://todo.example?x",       no_url                                                },
        {"PUBLIC_URL",       "http://user@todo.example",    no_url                                                },
        {"PUBLIC_URL",       "http://todo example",         no_url                                                },
        {"PUBLIC_URL",       "http://todo.example:",        no_url                                                },
        {"PUBLIC_URL",       "http://todo.example:0",       no_url                                                },
        {"PUBLIC_URL",       "http://todo.example:65536",   no_url                                                },
        {"PUBLIC_URL",       "http://[::1",                 no_url                                                },
        {"PUBLIC_URL",       "http://[nonsense]",           no_url                                                },
        {"ALLOWED_HOSTS",    "a.example, .b.example,[::1]", NULL                                                  },
        {"ALLOWED_HOSTS",    "a.example;b.example",         no_hosts                                              },
        {"ALLOWED_HOSTS",    "http://a.example",            no_hosts                                              },
        {"ALLOWED_HOSTS",    "a.example:8000",              no_hosts                                              },
        {"TRUSTED_PROXIES",  "*",                           NULL                                                  },
        {"TRUSTED_PROXIES",  "10.0.0.0/8, ::1",             NULL                                                  },
        {"TRUSTED_PROXIES",  "10.0.0.1/8",                  no_proxies                                            },
        {"TRUSTED_PROXIES",  "localhost",                   no_proxies                                            },
        {"DATABASE",         "postgres",                    "is not one of sqlite, mysql\n"                       },
        {"DATABASE",         "SQLite",                      "is not one of sqlite, mysql\n"                       },
        {"MYSQL_PORT",       "0",                           "is not a number from 1 to 65535\n"                   },
        {"MYSQL_SSL_MODE",   "yes",
         "is not one of disabled, preferred, required, verify-identity\n"                                         },
        {"MYSQL_SSL_MODE",   "verify-ca",                   /* with Connector/C, which the tests have */
         "is not one of disabled, preferred, required, verify-identity\n"},
        {"MYSQL_SSL_CA",     "/proc/self/status",           no_authority                                          },
        {"MYSQL_SSL_CA",     "/nowhere.pem",                no_authority                                          },
        {"MYSQL_SSL_CA",     "/proc",                       no_authority                                          },
        {"MYSQL_SSL_CA",     "/dev/zero",                   no_authority                                          },
        {"STATIC_ROOT",      "/proc",                       NULL                                                  },
        {"STATIC_ROOT",      "/nowhere",                    "is not a folder that can be read\n"                  },
        {"STATIC_ROOT",      "/proc/self/status",           "is not a folder that can be read\n"                  },
        {"LOG_FORMAT",       "xml",                         "is not one of auto, json, text\n"                    },
        {"LOG_LEVEL",        "loud",                        "is not one of debug, info, warning, error\n"         },
        {"LOG_LEVEL",        "in\nfo",                      "is not one of debug, info, warning, error\n"         },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char pair[256], wanted[512] = "";
        char *newline;
        snprintf(pair, sizeof(pair), "%s=%s", rows[i].setting, rows[i].value);
        if (rows[i].wanted)
            snprintf(wanted, sizeof(wanted), "%s: \"%s\" %s", rows[i].setting, rows[i].value,
                     rows[i].wanted);
        newline = strchr(wanted, '\n');
        if (newline && newline[1])
            *newline = '?'; /* a value can't make two lines of one */
        check_load(pair, (const char *[]){pair, NULL}, wanted);
    }
}

static void test_all_errors_are_reported_at_once(void)
{
    static const struct {
        const char *name;
        const char *environment[PAIRS_MAX];
        const char *wanted;
    } rows[] = {
        {"nothing set",                {NULL},                                                   ""},
        {"empty is unset",             {"HTTP_PORT=", "DATABASE=", "MYSQL_HOST=", "LOG_LEVEL="}, ""},
        {"three are wrong",
         {"HTTP_PORT=x", "DB_BATCH=0", "LOG_LEVEL=y"},
         "HTTP_PORT: \"x\" is not a number from 0 to 65535\n"
         "DB_BATCH: \"0\" is not a number from 1 to 1024\n"
         "LOG_LEVEL: \"y\" is not one of debug, info, warning, error\n"                            },
        {"MySQL without anything",
         {"DATABASE=mysql"},
         "MYSQL_HOST: needed with DATABASE=mysql, and not set\n"
         "MYSQL_PASSWORD: needed with DATABASE=mysql, and not set\n"                               },
        {"a host alone means MySQL",
         {"MYSQL_HOST=db"},
         "MYSQL_PASSWORD: needed with DATABASE=mysql, and not set\n"                               },
        {"MySQL",                      {"MYSQL_HOST=db", "MYSQL_PASSWORD=p"},                    ""},
        {"SQLite in spite of a host",  {"MYSQL_HOST=db", "DATABASE=sqlite"},                     ""},
        {"an error and a missing one",
         {"MYSQL_HOST=db", "MYSQL_PORT=x"},
         "MYSQL_PORT: \"x\" is not a number from 1 to 65535\n"
         "MYSQL_PASSWORD: needed with DATABASE=mysql, and not set\n"                               },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_load(rows[i].name, rows[i].environment, rows[i].wanted);
}

static void test_defaults_are_as_documented(void)
{
    static const char *const nothing[] = {NULL};
    struct config config;
    struct buffer errors = {0};
    bool good;

    set_environment(nothing);
    good = config_load(&config, &errors);
    restore_environment();
    CU_ASSERT_TRUE_FATAL(good);
    CHECK_TEXT("HTTP_ADDRESS", "default", "0.0.0.0", config.http_address);
    CHECK_NUMBER("HTTP_PORT", "default", 8000, config.http_port);
    CHECK_NUMBER("HTTP_THREADS", "default", 0, config.http_threads);
    CHECK_NUMBER("HTTP_BODY_LIMIT", "default", 1048576, config.http_body_limit);
    CHECK_NUMBER("HTTP_JSON_DEPTH", "default", 512, config.http_json_depth);
    CHECK_NUMBER("HTTP_HOST_LIMIT", "default", 200, config.http_host_limit);
    CHECK_NUMBER("REQUEST_TIMEOUT", "default", 10, config.request_timeout);
    CHECK_TEXT("PUBLIC_URL", "default", "", config.public_url);
    CHECK_TEXT("ALLOWED_HOSTS", "default", "*", config.allowed_hosts);
    CHECK_TEXT("CORS_ORIGINS", "default", "*", config.cors_origins);
    CHECK_TEXT("TRUSTED_PROXIES", "default", "", config.trusted_proxies);
    CHECK_NUMBER("DATABASE", "default", CONFIG_DATABASE_SQLITE, config.database);
    CHECK_TEXT("SQLITE_PATH", "default", "todobackend.sqlite3", config.sqlite_path);
    CHECK_TEXT("MYSQL_HOST", "default", NULL, config.mysql_host);
    CHECK_NUMBER("MYSQL_PORT", "default", 3306, config.mysql_port);
    CHECK_TEXT("MYSQL_USER", "default", "todo", config.mysql_user);
    CHECK_TEXT("MYSQL_PASSWORD", "default", NULL, config.mysql_password);
    CHECK_TEXT("MYSQL_DATABASE", "default", "todobackend", config.mysql_database);
    CHECK_NUMBER("MYSQL_SSL_MODE", "default", CONFIG_SSL_PREFERRED, config.mysql_ssl_mode);
    CHECK_TEXT("MYSQL_SSL_CA", "default", "", config.mysql_ssl_ca);
    CHECK_NUMBER("DB_READERS", "default", 1, config.db_readers);
    CHECK_NUMBER("DB_BATCH", "default", 256, config.db_batch);
    CHECK_NUMBER("DB_QUEUE", "default", 1024, config.db_queue);
    CHECK_NUMBER("DB_WAIT", "default", 30, config.db_wait);
    CHECK_NUMBER("LOG_FORMAT", "default", CONFIG_LOG_AUTO, config.log_format);
    CHECK_NUMBER("LOG_LEVEL", "default", CONFIG_LOG_INFO, config.log_level);
    config_release(&config);
    config_release(&config);
}

static void test_values_are_taken_from_the_environment(void)
{
    static const char *const pairs[] = {"HTTP_PORT=8080",
                                        "PUBLIC_URL=https://todo.example/",
                                        "MYSQL_HOST=db.example",
                                        "MYSQL_PASSWORD=a b ",
                                        "MYSQL_SSL_MODE=verify-identity",
                                        "LOG_FORMAT=text",
                                        "LOG_LEVEL=error",
                                        NULL};
    struct config config;
    struct buffer errors = {0};
    bool good;

    set_environment(pairs);
    good = config_load(&config, &errors);
    restore_environment();
    CU_ASSERT_TRUE_FATAL(good);
    CHECK_NUMBER("HTTP_PORT", "value", 8080, config.http_port);
    CHECK_TEXT("PUBLIC_URL", "value without its slash", "https://todo.example",
               config.public_url);
    CHECK_NUMBER("DATABASE", "value", CONFIG_DATABASE_MYSQL, config.database);
    CHECK_TEXT("MYSQL_HOST", "value", "db.example", config.mysql_host);
    CHECK_TEXT("MYSQL_PASSWORD", "value", "a b ", config.mysql_password);
    CHECK_NUMBER("MYSQL_SSL_MODE", "value", CONFIG_SSL_VERIFY_IDENTITY, config.mysql_ssl_mode);
    CHECK_NUMBER("LOG_FORMAT", "value", CONFIG_LOG_TEXT, config.log_format);
    CHECK_NUMBER("LOG_LEVEL", "value", CONFIG_LOG_ERROR, config.log_level);
    config_release(&config);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* A key has no place there: nor has it in the log. */
static void test_authorities_are_text_or_a_file(void)
{
    static const char wrong[] =
        "MYSQL_SSL_CA: \"(PEM text)\" is not PEM text, or a file of it that can be read\n";
    char path[] = "/tmp/test-config-XXXXXX";
    char pair[64];
    int file = mkstemp(path);

    CU_ASSERT_TRUE_FATAL(file >= 0);
    close(file);
    snprintf(pair, sizeof(pair), "MYSQL_SSL_CA=%s", path);
    write_file(path, CERTIFICATE, strlen(CERTIFICATE));
    check_load("file", (const char *[]){pair, NULL}, "");
    check_load("text", (const char *[]){"MYSQL_SSL_CA=" CERTIFICATE CERTIFICATE, NULL}, "");
    check_load("damaged", (const char *[]){"MYSQL_SSL_CA=" CERTIFICATE CERTIFICATE_BEGIN, NULL},
               wrong);
    check_load("a key",
               (const char *[]){"MYSQL_SSL_CA=-----BEGIN PRIVATE KEY-----\nhunter2", NULL},
               wrong);
    unlink(path);
}

struct secret_row {
    const char *name;
    const char *in_root;     /* in $SECRETS_ROOT/MYSQL_PASSWORD, NULL: no such file */
    const char *in_named;    /* in what MYSQL_PASSWORD_FILE names, NULL: not set */
    const char *in_variable; /* MYSQL_PASSWORD itself */
    const char *wanted;      /* the password, NULL: an error */
    const char *wanted_error;
};

static const struct secret_row secret_rows[] = {
    {"variable alone",                    NULL,      NULL,   "v",  "v",     NULL                                      },
    {"SECRETS_ROOT",                      "r\n",     NULL,   NULL, "r",     NULL                                      },
    {"SECRETS_ROOT and KEY",              "r",       NULL,   "v",  NULL,    "/MYSQL_PASSWORD: one of them must go"    },
    {"KEY_FILE",                          NULL,      "n\n",  NULL, "n",     NULL                                      },
    {"KEY_FILE before SECRETS_ROOT",      "r",       "n",    NULL, "n",     NULL                                      },
    {"one newline is taken off, not two", " r \n\n", NULL,   NULL, " r \n", NULL                                      },
    {"a line of Windows",                 "r\r\n",   NULL,   NULL, "r",     NULL                                      },
    {"a CR alone",                        "r\r",     NULL,   NULL, "r",     NULL                                      },
    {"an empty file is unset",            "",        NULL,   "v",  "v",     NULL                                      },
    {"an empty KEY_FILE, too",            NULL,      "",     "v",  "v",     NULL                                      },
    {"an empty line is, too",             NULL,      "\r\n", NULL, NULL,    "/named is empty"                         },
    {"KEY and KEY_FILE",                  NULL,      "n",    "v",  NULL,    "set both here and by MYSQL_PASSWORD_FILE"},
    {"none",                              NULL,      NULL,   NULL, NULL,    "needed with DATABASE=mysql, and not set" },
};

static void check_secret(const struct secret_row *row, const char *folder)
{
    char in_root[128], in_named[128], root_pair[128], named_pair[160], variable_pair[64];
    const char *pairs[] = {"MYSQL_HOST=db", root_pair, NULL, NULL, NULL};
    size_t count = 2;
    struct config config;
    struct buffer errors = {0};
    bool good;

    snprintf(in_root, sizeof(in_root), "%s/MYSQL_PASSWORD", folder);
    snprintf(in_named, sizeof(in_named), "%s/named", folder);
    snprintf(root_pair, sizeof(root_pair), "SECRETS_ROOT=%s", folder);
    snprintf(named_pair, sizeof(named_pair), "MYSQL_PASSWORD_FILE=%s", in_named);
    if (row->in_root)
        write_file(in_root, row->in_root, strlen(row->in_root));
    if (row->in_named) {
        write_file(in_named, row->in_named, strlen(row->in_named));
        pairs[count++] = named_pair;
    }
    if (row->in_variable) {
        snprintf(variable_pair, sizeof(variable_pair), "MYSQL_PASSWORD=%s", row->in_variable);
        pairs[count] = variable_pair;
    }
    set_environment(pairs);
    good = config_load(&config, &errors);
    restore_environment();
    if (row->wanted && CHECK(good, row->name, "%s", errors.data))
        CHECK_TEXT(row->name, "password", row->wanted, config.mysql_password);
    if (row->wanted_error)
        CHECK_CONTAINS(row->name, "errors", row->wanted_error, errors.data);
    if (good)
        config_release(&config);
    buffer_release(&errors);
    unlink(in_root);
    unlink(in_named);
}

static void test_secrets_come_from_files_or_the_environment(void)
{
    char folder[] = "/tmp/test-config-XXXXXX";

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(secret_rows) / sizeof(secret_rows[0]); i++)
        check_secret(&secret_rows[i], folder);
    rmdir(folder);
}

/* As a container platform changes it: another file takes its place. */
static void test_a_password_is_read_from_its_file_again(void)
{
    char folder[] = "/tmp/test-config-XXXXXX";
    char path[64];
    char other[64];
    char pair[96];
    struct config config;
    struct buffer errors = {0};
    char *password;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/MYSQL_PASSWORD", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    snprintf(pair, sizeof(pair), "SECRETS_ROOT=%s", folder);
    write_file(path, "old", 3);
    write_file(other, "new\n", 4);
    set_environment((const char *[]){"MYSQL_HOST=db", pair, NULL});
    CU_ASSERT_TRUE_FATAL(config_load(&config, &errors));
    restore_environment();
    CU_ASSERT_EQUAL(rename(other, path), 0);
    CHECK_TEXT("renamed", "password at the start", "old", config.mysql_password);
    password = config_read_password(&config);
    CHECK_TEXT("renamed", "password", "new", password);
    free(password);
    write_file(path, "\n", 1);
    CHECK_TEXT("emptied", "password", NULL, config_read_password(&config));
    unlink(path);
    CHECK_TEXT("gone", "password", NULL, config_read_password(&config));
    config_release(&config);
    rmdir(folder);

    set_environment((const char *[]){"MYSQL_HOST=db", "MYSQL_PASSWORD=p", NULL});
    CU_ASSERT_TRUE_FATAL(config_load(&config, &errors));
    restore_environment();
    CHECK_TEXT("no file", "password", NULL, config_read_password(&config));
    config_release(&config);
}

static void test_the_folder_of_sqlite_must_be_writable(void)
{
    char wanted[128];

    snprintf(wanted, sizeof(wanted),
             "SQLITE_PATH: user %u can't write into the folder /nowhere: No such file or "
             "directory\n",
             (unsigned)geteuid());
    check_load("no folder", (const char *[]){"SQLITE_PATH=/nowhere/todos", NULL}, wanted);
    check_load("on MySQL it is not used",
               (const char *[]){"SQLITE_PATH=/nowhere/todos", "MYSQL_HOST=db",
                                "MYSQL_PASSWORD=x", NULL},
               "");
}

static void test_the_path_of_sqlite_is_no_uri(void)
{
    check_load(
        "URI", (const char *[]){"SQLITE_PATH=file:todos?mode=memory", NULL},
        "SQLITE_PATH: \"file:todos?mode=memory\" is not a path, not a URI; or :memory:\n");
    check_load("in memory", (const char *[]){"SQLITE_PATH=:memory:", NULL}, "");
    CU_ASSERT_TRUE(config_sqlite_in_memory(":memory:"));
    CU_ASSERT_FALSE(config_sqlite_in_memory("./:memory:"));
}

static void test_a_secret_file_that_cannot_be_read_is_an_error(void)
{
    check_load(
        "missing", (const char *[]){"MYSQL_PASSWORD_FILE=/nowhere/file", NULL},
        "MYSQL_PASSWORD: cannot read the file /nowhere/file: No such file or directory\n");
    check_load("folder", (const char *[]){"MYSQL_PASSWORD_FILE=/", "MYSQL_HOST=db", NULL},
               "MYSQL_PASSWORD: cannot read the file /: Is a directory\n");
    check_load(
        "NUL bytes", (const char *[]){"MYSQL_PASSWORD_FILE=/proc/self/cmdline", NULL},
        "MYSQL_PASSWORD: cannot read the file /proc/self/cmdline: it holds a NUL byte\n");
    check_load("too long", (const char *[]){"MYSQL_PASSWORD_FILE=/dev/zero", NULL},
               "MYSQL_PASSWORD: cannot read the file /dev/zero: too long for a secret\n");
}

/* What `print` writes, the caller's to free. */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    print(out);
    fclose(out);
    return text;
}

static void print_settings(FILE *out)
{
    static const char *const pairs[] = {"MYSQL_HOST=db.example", "MYSQL_PASSWORD=hunter2",
                                        "HTTP_PORT=x", "MYSQL_SSL_CA=" CERTIFICATE, NULL};
    bool good;

    set_environment(pairs);
    good = config_print(out);
    restore_environment();
    CHECK(!good, "config_print", "said that all is good");
}

static void test_settings_are_printed_with_their_source_and_secrets_masked(void)
{
    static const struct {
        const char *name, *wanted;
    } rows[] = {
        {"default",                "MYSQL_PORT               3306                    default\n"    },
        {"environment",            "MYSQL_HOST               db.example              environment\n"},
        {"text of many lines",
         "MYSQL_SSL_CA             (PEM text)              environment\n"                          },
        {"secret",                 "MYSQL_PASSWORD           ********                environment\n"},
        {"bad value",              "HTTP_PORT                x                       environment\n"},
        {"its error",              "HTTP_PORT: \"x\" is not a number from 0 to 65535\n"            },
        {"a default that depends",
         "DATABASE                 mysql                   default, by MYSQL_HOST\n"               },
    };
    char *text = printed(print_settings);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_CONTAINS(rows[i].name, "settings", rows[i].wanted, text);
    CU_ASSERT_PTR_NULL(strstr(text, "hunter2"));
    free(text);
}

static unsigned settings_count;

static void check_readme_has(const struct config_setting *setting, void *context)
{
    const char *quote = *setting->fallback ? "`" : "";
    char wanted[512];

    snprintf(wanted, sizeof(wanted), "| `%s` | %s%s%s | %s |\n", setting->name, quote,
             setting->fallback, quote, setting->help);
    CHECK_CONTAINS(setting->name, "README.md", wanted, context);
    settings_count++;
}

/* The README has the row `| NAME | default | help |` for each setting. */
static void test_the_readme_lists_every_setting(void)
{
    static char readme[65536];
    FILE *file = fopen("README.md", "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    readme[fread(readme, 1, sizeof(readme) - 1, file)] = '\0';
    fclose(file);
    settings_count = 0;
    config_describe(check_readme_has, readme);
    CU_ASSERT(settings_count > 20);
}

CU_TestInfo config_tests[] = {
    {"each wrong setting is named",                            test_each_wrong_setting_is_named           },
    {"all errors are reported at once",                        test_all_errors_are_reported_at_once       },
    {"defaults are as documented",                             test_defaults_are_as_documented            },
    {"values are taken from the environment",                  test_values_are_taken_from_the_environment },
    {"secrets come from files or the environment",
     test_secrets_come_from_files_or_the_environment                                                      },
    {"authorities are text or a file",                         test_authorities_are_text_or_a_file        },
    {"the path of SQLite is no URI",                           test_the_path_of_sqlite_is_no_uri          },
    {"the folder of SQLite must be writable",                  test_the_folder_of_sqlite_must_be_writable },
    {"a secret file that cannot be read is an error",
     test_a_secret_file_that_cannot_be_read_is_an_error                                                   },
    {"settings are printed with their source, secrets masked",
     test_settings_are_printed_with_their_source_and_secrets_masked                                       },
    {"a password is read from its file again",                 test_a_password_is_read_from_its_file_again},
    {"the README lists every setting",                         test_the_readme_lists_every_setting        },
    CU_TEST_INFO_NULL,
};
