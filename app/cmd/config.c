#include "cmd/cmd.h"

#include "base/cgroup.h"
#include "server/server.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static bool run(int argc, char **argv, struct error *err);

const struct cmd_command cmd_config = {
    .name = "config",
    .summary = "print all settings, check them",
    .description =
        "Prints every setting, its value and where it came from, and then what is wrong, or, "
        "when nothing is, what the machine or the container allows and what comes of it. "
        "Secrets are masked. A secret KEY is taken from the file that KEY_FILE names, else "
        "from the file $SECRETS_ROOT/KEY, else from KEY.",
    .run = run,
};

static void print_limit(const char *name, const char *value, const char *from)
{
    printf("%-23s  %-22s  %s\n", name, value, from);
}

static void print_number(const char *name, double number, const char *from)
{
    char value[32] = "(none)";

    if (number < HUGE_VAL)
        snprintf(value, sizeof(value), "%.10g", number);
    print_limit(name, value, from);
}

/* What the machine allows; before anything raises the limit of open files. */
static void print_machine(void)
{
    char file[CGROUP_FILE_SIZE];
    struct rlimit files = {0};
    char value[64];
    double limit = cgroup_memory("", file);

    putchar('\n');
    print_limit("LIMIT", "VALUE", "FROM");
    print_number("memory", limit, file);
    limit = cgroup_processors("", file);
    print_number("processors", limit, *file ? file : "the machine");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        snprintf(value, sizeof(value), "%ju, at most %ju", (uintmax_t)files.rlim_cur,
                 (uintmax_t)files.rlim_max);
        print_limit("open files", value, "ulimit -n");
    }
}

/* What comes of it. */
static bool print_limits(const struct config *config, struct error *err)
{
    const struct http_server_settings settings = {
        .threads = config->http_threads,
        .descriptors = cmd_kept_descriptors(config),
    };
    bool is_set = config->http_client_connections > 0;
    struct endpoint endpoint;
    size_t threads;
    size_t connections;
    size_t of_one;

    print_machine();
    if (!http_server_measure(&settings, &threads, &connections, err))
        return false;
    of_one = is_set ? config->http_client_connections : (connections + 1) / 2;
    print_number("HTTP threads", (double)threads,
                 config->http_threads > 0 ? "HTTP_THREADS" : "processors");
    print_number("connections", (double)connections, "memory, open files");
    if (endpoint_parse(&endpoint, config->http_address, config->http_port) &&
        endpoint_is_unix(&endpoint))
        print_limit("of one client", "(none)", "HTTP_ADDRESS, a Unix socket");
    else
        print_number("of one client", (double)of_one,
                     is_set ? "HTTP_CLIENT_CONNECTIONS" : "half of the connections");
    return true;
}

static bool run(int argc, char **argv, struct error *err)
{
    struct config config;
    bool good;

    if (!cmd_no_arguments(&cmd_config, argc, argv, err))
        return false;
    if (!config_print(stdout))
        return error_set(err, ERROR_CONFIG, "a setting is wrong");
    if (!cmd_load_config(&config, NULL, err))
        return false;
    good = print_limits(&config, err);
    config_release(&config);
    return good;
}

bool cmd_load_config(struct config *config, void (*tell)(const char *problem),
                     struct error *err)
{
    struct buffer errors = {0};
    bool good = config_load(config, &errors);
    char *rest = errors.data;

    for (const char *line; (line = strsep(&rest, "\n")) && *line;) {
        fprintf(stderr, "app: %s\n", line);
        if (tell)
            tell(line);
    }
    if (!good)
        error_set(err, errors.failed ? ERROR_SYSTEM : ERROR_CONFIG, "%s",
                  errors.failed ? "out of memory" : "`app config` shows all settings");
    buffer_release(&errors);
    return good;
}

bool cmd_has_file(const struct config *config, struct error *err)
{
    if (config->database == CONFIG_DATABASE_SQLITE &&
        config_sqlite_in_memory(config->sqlite_path))
        return error_set(err, ERROR_CONFIG,
                         "SQLITE_PATH=%s is memory of `app serve` alone: nothing else sees it",
                         config->sqlite_path);
    return true;
}
