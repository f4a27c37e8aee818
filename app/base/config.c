#include "base/config.h"

#include "base/cgroup.h"
#include "base/cidr.h"
#include "base/endpoint.h"
#include "base/hosts.h"
#include "base/origins.h"
#include "base/pem.h"
#include "base/text.h"
#include "base/xray_address.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum setting_type {
    SETTING_TEXT,
    SETTING_NUMBER,
    SETTING_CHOICE,
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t field;                       /* its offset in struct config */
    const char *fallback;               /* the default; NULL: none */
    unsigned least, most;               /* of a number */
    const char *const *choices;         /* in the order of the enum's values, NULL at the end */
    bool (*is_valid)(const char *text); /* of a text; NULL: any text will do */
    const char *allowed;                /* says what is_valid wants */
    bool secret;
    const char *help;
};

/* A setting as it was found. */
struct value {
    char *text; /* NULL: not set and without a default */
    const char *source;
    char *file; /* that it was read from, or that a default follows; NULL: none */
};

static bool is_address(const char *text);
static bool is_numeric(const char *text);
static bool is_mode(const char *text);
static bool is_public_url(const char *text);
static bool is_cidr_list(const char *text);
static bool is_authority(const char *text);
static bool is_folder(const char *text);
static bool is_path(const char *text);
static bool is_daemon(const char *text);

static const char *const databases[] = {"sqlite", "mysql", NULL};
/* MariaDB's Connector/C checks a certificate's authority and name together or neither: with it,
 * verify-ca can't be had, and is no choice. */
static const char *const ssl_modes[] = {"disabled",  "preferred", "required", "verify-identity",
#if !__has_include(<mariadb_version.h>)
                                        "verify-ca",
#endif
                                        NULL};
static const char *const log_formats[] = {"auto", "json", "text", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};

#define TEXT(member)   .type = SETTING_TEXT, .field = offsetof(struct config, member)
#define NUMBER(member) .type = SETTING_NUMBER, .field = offsetof(struct config, member)
#define CHOICE(member) .type = SETTING_CHOICE, .field = offsetof(struct config, member)

/* Read in this order: SECRETS_ROOT stands before the secrets, HTTP_BODY_LIMIT before
 * REQUEST_MEMORY. The formatter would give each member a line or a column of its own. */
/* clang-format off */
static const struct setting settings[] = {
    {"HTTP_ADDRESS", TEXT(http_address), .fallback = "0.0.0.0", .is_valid = is_address,
     .allowed = "a numeric IPv4 or IPv6 address, or an absolute path of at most 107 bytes",
     .help = "address to listen on, or the path of a Unix socket"},
    {"HTTP_PORT", NUMBER(http_port), .fallback = "8000", .most = 65535,
     .help = "port to listen on; 0: any free one"},
    {"HTTP_SOCKET_MODE", TEXT(http_socket_mode), .fallback = "0660", .is_valid = is_mode,
     .allowed = "an octal number of three or four digits up to 0777",
     .help = "who may connect to the Unix socket: the permissions of its file"},
    {"ADMIN_ADDRESS", TEXT(admin_address), .fallback = "0.0.0.0", .is_valid = is_numeric,
     .allowed = "a numeric IPv4 or IPv6 address", .help = "address of ADMIN_PORT"},
    {"ADMIN_PORT", NUMBER(admin_port), .fallback = "0", .most = 65535,
     .help = "port for /metrics, /livez and /readyz, which no client needs to reach; 0: none"},
    {"HTTP_THREADS", NUMBER(http_threads), .fallback = "0", .most = 64,
     .help = "threads that answer; 0: one for two cores"},
    {"HTTP_BODY_LIMIT", NUMBER(http_body_limit), .fallback = "1048576", .least = 1024,
     .most = 104857600, .help = "largest request body, in bytes"},
    {"HTTP_JSON_DEPTH", NUMBER(http_json_depth), .fallback = "512", .least = 1, .most = 2000,
     .help = "deepest nesting of JSON in a request"},
    {"HTTP_HOST_LIMIT", NUMBER(http_host_limit), .fallback = "200", .least = 16, .most = 200,
     .help = "longest Host header, in bytes"},
    {"HTTP_CLIENT_CONNECTIONS", NUMBER(http_client_connections), .fallback = "0",
     .most = 8192,
     .help = "most connections of one address (IPv6: of one /64 network); 0: half of all"},
    {"REQUEST_MEMORY", NUMBER(request_memory), .fallback = "67108864", .least = 1024,
     .most = 1073741824,
     .help = "most memory for bodies that are arriving, in bytes; one beyond it gets 503; less by "
             "default in a container of less than 526 MiB"},
    {"RESPONSE_MEMORY", NUMBER(response_memory), .fallback = "67108864", .least = 1048576,
     .most = 1073741824,
     .help = "most memory for answers that are being sent, in bytes; lists beyond it get 503; less "
             "by default in a container of less than 270 MiB"},
    {"REQUEST_TIMEOUT", NUMBER(request_timeout), .fallback = "10", .least = 1, .most = 60,
     .help = "seconds after which a request gets 503"},
    {"WAIT_LIMIT", NUMBER(wait_limit), .fallback = "25", .most = 300,
     .help = "most seconds that a reader may wait for news (Prefer: wait); 0: nobody waits"},
    {"WAIT_CLIENTS", NUMBER(wait_clients), .fallback = "4096", .most = 8192,
     .help = "most readers that wait for news at a time; one more is answered at once"},
    {"STOP_DELAY", NUMBER(stop_delay), .fallback = "0", .most = 300,
     .help = "seconds that it still takes connections when it is to stop, while /readyz says no"},
    {"STOP_TIMEOUT", NUMBER(stop_timeout), .fallback = "25", .least = 1, .most = 3600,
     .help = "seconds after that, in which it finishes what is under way"},
    {"PUBLIC_URL", TEXT(public_url), .fallback = "", .is_valid = is_public_url,
     .allowed = "http:// or https://, a host, perhaps a port, and no path; at most 200 bytes",
     .help = "what todo links begin with; empty: the request's scheme and host"},
    {"ALLOWED_HOSTS", TEXT(allowed_hosts), .fallback = "*", .is_valid = hosts_are_valid,
     .allowed = "a list of names and addresses without ports, IPv6 in brackets; or *",
     .help = "hosts that are answered; .a.example: that and all below it, *.a.example: all below "
             "it, *: all"},
    {"CORS_ORIGINS", TEXT(cors_origins), .fallback = "*", .is_valid = origins_are_valid,
     .allowed = "a list of origins such as https://a.example:8443; none; or *",
     .help = "whose pages may use the API, besides the server's own; changes by pages of others "
             "get 403"},
    {"TRUSTED_PROXIES", TEXT(trusted_proxies), .fallback = "", .is_valid = is_cidr_list,
     .allowed = "a list of at most 64 addresses, blocks such as 10.0.0.0/8, and unix; or *",
     .help = "whose X-Forwarded-For, -Host and -Proto are believed; *: everybody's; empty: -Proto "
             "everybody's, the others nobody's"},
    {"STATIC_ROOT", TEXT(static_root), .fallback = "", .is_valid = is_folder,
     .allowed = "a folder that can be read",
     .help = "folder of the web page's files; empty: those in the program"},
    {"DATABASE", CHOICE(database), .fallback = "sqlite", .choices = databases,
     .help = "mysql by default where MYSQL_HOST is set"},
    {"SQLITE_PATH", TEXT(sqlite_path), .fallback = "todobackend.sqlite3", .is_valid = is_path,
     .allowed = "a path, not a URI; or :memory:",
     .help = "the SQLite database's file; :memory: none, the todos go when the server ends"},
    {"SECRETS_ROOT", TEXT(secrets_root), .fallback = "/run/secrets",
     .help = "folder in which a secret may be a file of its name"},
    {"MYSQL_HOST", TEXT(mysql_host), .help = "the MySQL server; needed with DATABASE=mysql"},
    {"MYSQL_PORT", NUMBER(mysql_port), .fallback = "3306", .least = 1, .most = 65535,
     .help = "its port"},
    {"MYSQL_USER", TEXT(mysql_user), .fallback = "todo", .help = "its user"},
    {"MYSQL_PASSWORD", TEXT(mysql_password), .secret = true,
     .help = "secret; needed with DATABASE=mysql"},
    {"MYSQL_DATABASE", TEXT(mysql_database), .fallback = "todobackend", .help = "its database"},
    {"MYSQL_SSL_MODE", CHOICE(mysql_ssl_mode), .fallback = "preferred", .choices = ssl_modes,
     .help = "encryption, and what of the server's certificate is checked"},
    {"MYSQL_SSL_CA", TEXT(mysql_ssl_ca), .fallback = "", .is_valid = is_authority,
     .allowed = "PEM text, or a file of it that can be read",
     .help = "the certificates of trusted authorities; empty: the system's"},
    {"DB_READERS", NUMBER(db_readers), .fallback = "1", .least = 1, .most = 16,
     .help = "connections that read"},
    {"DB_BATCH", NUMBER(db_batch), .fallback = "256", .least = 1, .most = 1024,
     .help = "most requests in one trip to the database"},
    {"DB_QUEUE", NUMBER(db_queue), .fallback = "1024", .least = 1, .most = 65536,
     .help = "most requests waiting for the database; more get 503"},
    {"DB_SYNC_WAIT", NUMBER(db_sync_wait), .fallback = "1", .most = 1,
     .help = "1: what any node of a database cluster has acknowledged is seen, at the price of a "
             "trip between them; 0: as the database is set"},
    {"DB_WAIT", NUMBER(db_wait), .fallback = "30", .most = 3600,
     .help = "seconds that serve waits for the database when it starts"},
    {"DB_CONNECTION_AGE", NUMBER(db_connection_age), .fallback = "1800", .most = 604800,
     .help = "seconds after which a connection to MySQL is made anew, up to a fifth less; 0: "
             "never"},
    {"LOG_FORMAT", CHOICE(log_format), .fallback = "auto", .choices = log_formats,
     .help = "auto: text on a terminal, else json"},
    {"LOG_LEVEL", CHOICE(log_level), .fallback = "info", .choices = log_levels,
     .help = "least level that is logged"},
    {"LOG_HEALTH", NUMBER(log_health), .fallback = "0", .most = 1,
     .help = "1: log health checks that succeed, too"},
    {"AWS_XRAY_DAEMON_ADDRESS", TEXT(xray_daemon_address), .fallback = "", .is_valid = is_daemon,
     .allowed = "HOST:PORT, or udp:HOST:PORT tcp:HOST:PORT",
     .help = "where AWS X-Ray is told of requests, by UDP; empty: nowhere"},
    {"DB_COMMENT_TRACE", NUMBER(db_comment_trace), .fallback = "0", .most = 1,
     .help = "1: each statement for MySQL has a comment that says which trace it is for"},
};
/* clang-format on */

enum {
    SETTING_COUNT = sizeof(settings) / sizeof(settings[0]),
    SECRET_SIZE_MAX = 4096,
    PUBLIC_URL_MAX = 200,
    AUTHORITY_SIZE_MAX = 4 << 20, /* the system's authorities together: 0.2 MB */
};

/* An empty variable counts as unset. */
static const char *environment(const char *name)
{
    const char *text = getenv(name);

    return text && *text ? text : NULL;
}

static bool is_address(const char *text)
{
    struct endpoint endpoint;

    return endpoint_parse(&endpoint, text, 0);
}

static bool is_numeric(const char *text)
{
    struct endpoint endpoint;

    return endpoint_parse(&endpoint, text, 0) && !endpoint_is_unix(&endpoint);
}

static bool is_mode(const char *text)
{
    size_t length = strlen(text);

    return strspn(text, "01234567") == length && (length == 3 || (length == 4 && *text == '0'));
}

static bool is_port(const char *text, size_t length)
{
    unsigned long port = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

static bool is_public_url(const char *text)
{
    const char *rest = text;
    size_t length;

    if (strncasecmp(rest, "http://", 7) == 0)
        rest += 7;
    else if (strncasecmp(rest, "https://", 8) == 0)
        rest += 8;
    else
        return *text == '\0';
    length = text_host_length(rest);
    if (length == 0 || strlen(text) > PUBLIC_URL_MAX)
        return false;
    rest += length;
    if (*rest == ':') {
        length = strcspn(rest + 1, "/");
        if (!is_port(rest + 1, length))
            return false;
        rest += 1 + length;
    }
    return *rest == '\0' || strcmp(rest, "/") == 0;
}

static bool is_cidr_list(const char *text)
{
    struct cidr_list list;

    return cidr_list_parse(&list, text);
}

/* Each connection reads it again: no pipe. */
static bool is_file_of_certificates(const char *path)
{
    char bytes[4096];
    struct buffer text = {0};
    struct stat status;
    bool is_file = stat(path, &status) == 0 && S_ISREG(status.st_mode);
    FILE *file = is_file ? fopen(path, "re") : NULL;
    bool good;

    if (!file)
        return false;
    for (size_t size; text.size <= AUTHORITY_SIZE_MAX && !text.failed &&
                      (size = fread(bytes, 1, sizeof(bytes), file)) > 0;)
        buffer_append(&text, bytes, size);
    good = !ferror(file) && !text.failed && text.size > 0 && text.size <= AUTHORITY_SIZE_MAX &&
           pem_count_certificates(text.data) > 0;
    fclose(file);
    buffer_release(&text);
    return good;
}

/* This, and is_folder: empty, or as it should be. */
static bool is_authority(const char *text)
{
    return !*text || (pem_is_text(text) ? pem_count_certificates(text) > 0
                                        : is_file_of_certificates(text));
}

/* SQLite's library may take a name that begins like this for more than a name. */
static bool is_path(const char *text)
{
    return strncmp(text, "file:", 5) != 0;
}

static bool is_daemon(const char *text)
{
    struct xray_address address;

    return !*text || xray_address_parse(&address, text);
}

static bool is_folder(const char *text)
{
    struct stat status;

    return !*text || (stat(text, &status) == 0 && S_ISDIR(status.st_mode) &&
                      access(text, R_OK | X_OK) == 0);
}

/* A value as it is told: on one line, and no secret, which may also be where it doesn't belong.
 */
static const char *shown(const struct setting *setting, const char *text, const char *mask)
{
    if (setting->secret)
        return mask;
    return pem_is_text(text) ? "(PEM text)" : text;
}

static const char *const kinds[] = {
    [SETTING_TEXT] = "",
    [SETTING_NUMBER] = "a number from ",
    [SETTING_CHOICE] = "one of ",
};

/* "0 to 64"; nothing for a text that may be anything. */
static void append_allowed(const struct setting *setting, struct buffer *out)
{
    switch (setting->type) {
    case SETTING_TEXT:
        buffer_append_text(out, setting->allowed ? setting->allowed : "");
        break;
    case SETTING_NUMBER:
        buffer_append_format(out, "%u to %u", setting->least, setting->most);
        break;
    case SETTING_CHOICE:
        for (size_t i = 0; setting->choices[i]; i++)
            buffer_append_format(out, "%s%s", i ? ", " : "", setting->choices[i]);
        break;
    }
}

static void fail(const struct setting *setting, struct buffer *errors, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a line about a setting; control bytes in what is quoted must not make it two. */
static void fail(const struct setting *setting, struct buffer *errors, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *byte = text; *byte; byte++) {
        if (iscntrl((unsigned char)*byte))
            *byte = '?';
    }
    buffer_append_format(errors, "%s: %s\n", setting->name, text);
}

static void value_set(struct value *value, const char *text, struct buffer *errors)
{
    value->text = strdup(text);
    if (!value->text)
        errors->failed = true;
}

/* Reads a secret, if there is one, from an open file; a newline at its end is not part of it.
 */
static const char *read_secret(FILE *file, struct value *value, struct buffer *errors)
{
    char text[SECRET_SIZE_MAX + 2];
    size_t size = fread(text, 1, sizeof(text) - 1, file);

    if (ferror(file))
        return strerror(errno);
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    if (size > SECRET_SIZE_MAX)
        return "too long for a secret";
    text[size] = '\0';
    if (strlen(text) != size)
        return "it holds a NUL byte";
    if (size > 0) {
        value_set(value, text, errors);
        value->source = "file";
    }
    explicit_bzero(text, sizeof(text));
    return NULL;
}

/* Looks into the file for the secret. One that is not there is an error if it `must_exist`.
 * Takes `path`. */
static void find_in_file(const struct setting *setting, char *path, bool must_exist,
                         struct value *value, struct buffer *errors)
{
    const char *problem = NULL;
    FILE *file = fopen(path, "re");

    if (file) {
        problem = read_secret(file, value, errors);
        fclose(file);
    } else if (must_exist || (errno != ENOENT && errno != ENOTDIR)) {
        problem = strerror(errno);
    } else {
        free(path);
        return;
    }
    if (problem) {
        fail(setting, errors, "cannot read the file %s: %s", path, problem);
        value->source = "file";
    }
    value->file = path;
}

/* A secret may be in the file that KEY_FILE names or in the file $SECRETS_ROOT/KEY, and then
 * not in KEY: which of the two would be the right one? */
static void find_secret(const struct setting *setting, const char *secrets_root,
                        struct value *value, struct buffer *errors)
{
    char variable[64];
    const char *named;
    char *path = NULL;

    snprintf(variable, sizeof(variable), "%s_FILE", setting->name);
    named = environment(variable);
    if (named)
        path = strdup(named);
    else if (asprintf(&path, "%s/%s", secrets_root, setting->name) < 0)
        path = NULL;
    if (path)
        find_in_file(setting, path, named != NULL, value, errors);
    else
        errors->failed = true;
    if (value->source && environment(setting->name))
        fail(setting, errors, "set both here and by %s%s: one of them must go",
             named ? "" : "the file ", named ? variable : value->file);
}

/* Says what a default follows. */
static void value_follow(struct value *value, const char *what, struct buffer *errors)
{
    free(value->file); /* an empty one */
    value->source = "default, by";
    value->file = strdup(what);
    errors->failed = errors->failed || !value->file;
}

/* Of a container's memory, a quarter is for answers, others for lists that are being loaded and
 * for connections (server/arrival.c), and an eighth for bodies. */
static void append_memory(const struct setting *setting, double part, double least,
                          struct value *value, struct buffer *text)
{
    double usual = strtod(setting->fallback, NULL);
    double share = cgroup_memory_share(part, least, usual);
    char file[CGROUP_FILE_SIZE];

    buffer_append_unsigned(text, (uint64_t)share);
    if (share < usual && cgroup_memory("", file) < HUGE_VAL)
        value_follow(value, file, text);
}

static void value_set_default(const struct setting *setting, const struct config *config,
                              struct value *value, struct buffer *errors)
{
    struct buffer text = {0};

    value->source = "default";
    if (setting->field == offsetof(struct config, response_memory)) {
        append_memory(setting, 1.0 / 4, setting->least, value, &text);
    } else if (setting->field == offsetof(struct config, request_memory)) {
        append_memory(setting, 1.0 / 8, config->http_body_limit, value, &text);
    } else if (setting->field == offsetof(struct config, database) &&
               environment("MYSQL_HOST")) {
        buffer_append_text(&text, "mysql");
        value_follow(value, "MYSQL_HOST", &text);
    } else {
        buffer_append_text(&text, setting->fallback);
    }
    value->text = text.data;
    errors->failed = errors->failed || text.failed;
}

static void find_value(const struct setting *setting, const struct config *config,
                       struct value *value, struct buffer *errors)
{
    if (setting->secret)
        find_secret(setting, config->secrets_root, value, errors);
    if (value->source)
        return;
    if (environment(setting->name)) {
        free(value->file); /* an empty one */
        value->file = NULL;
        value->source = "environment";
        value_set(value, environment(setting->name), errors);
    } else if (setting->fallback) {
        value_set_default(setting, config, value, errors);
    }
}

/* Digits alone: no sign, no blanks, no unit. */
static bool parse_number(const struct setting *setting, const char *text, unsigned *number)
{
    size_t length = strlen(text);
    unsigned long parsed;

    if (length == 0 || length > 10 || strspn(text, "0123456789") != length)
        return false;
    parsed = strtoul(text, NULL, 10);
    if (parsed < setting->least || parsed > setting->most)
        return false;
    *number = (unsigned)parsed;
    return true;
}

static bool parse_choice(const struct setting *setting, const char *text, unsigned *number)
{
    for (unsigned i = 0; setting->choices[i]; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            *number = i;
            return true;
        }
    }
    return false;
}

/* Writes the value into its field of *config. */
static bool parse(const struct setting *setting, const char *text, struct config *config)
{
    void *field = (char *)config + setting->field;
    unsigned number = 0;

    _Static_assert(sizeof(config->database) == sizeof(number), "an enum is an unsigned int");
    if (setting->type == SETTING_TEXT) {
        memcpy(field, &text, sizeof(text));
        return !setting->is_valid || setting->is_valid(text);
    }
    if (setting->type == SETTING_NUMBER ? !parse_number(setting, text, &number)
                                        : !parse_choice(setting, text, &number))
        return false;
    memcpy(field, &number, sizeof(number));
    return true;
}

static void parse_value(const struct setting *setting, struct value *value,
                        struct config *config, struct buffer *errors)
{
    struct buffer allowed = {0};
    size_t length;

    if (!value->text)
        return;
    length = strlen(value->text);
    if (parse(setting, value->text, config)) {
        if (setting->is_valid == is_public_url && length > 0 && value->text[length - 1] == '/')
            value->text[length - 1] = '\0';
        return;
    }
    append_allowed(setting, &allowed);
    if (allowed.failed)
        errors->failed = true;
    else
        fail(setting, errors, "\"%.300s\" is not %s%s", shown(setting, value->text, "(secret)"),
             kinds[setting->type], allowed.data);
    buffer_release(&allowed);
}

/* The index of the setting of this field. */
static size_t find_setting(size_t field)
{
    size_t i = 0;

    while (settings[i].field != field)
        i++;
    return i;
}

static void require_for_mysql(size_t field, const struct value *values, struct buffer *errors)
{
    size_t i = find_setting(field);

    if (values[i].source)
        return;
    if (values[i].file)
        fail(&settings[i], errors, "needed with DATABASE=mysql, and the file %s is empty",
             values[i].file);
    else
        fail(&settings[i], errors, "needed with DATABASE=mysql, and not set");
}

/* Else a body that is allowed would never find room. */
static void require_body_memory(const struct config *config, struct buffer *errors)
{
    if (config->request_memory < config->http_body_limit)
        fail(&settings[find_setting(offsetof(struct config, request_memory))], errors,
             "%u is less than HTTP_BODY_LIMIT, %u", config->request_memory,
             config->http_body_limit);
}

/* The journal is made beside the file, so the folder itself must be writable. */
static void require_sqlite(const struct config *config, struct buffer *errors)
{
    bool is_file = !config_sqlite_in_memory(config->sqlite_path);
    char *copy = strdup(config->sqlite_path);
    const char *folder = copy ? dirname(copy) : NULL;

    if (!folder)
        errors->failed = true;
    else if (is_file && access(folder, W_OK | X_OK) != 0)
        fail(&settings[find_setting(offsetof(struct config, sqlite_path))], errors,
             "user %u can't write into the folder %s: %s", (unsigned)geteuid(), folder,
             strerror(errno));
    free(copy);
}

static bool load(struct config *config, struct value values[SETTING_COUNT],
                 struct buffer *errors)
{
    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        values[i] = (struct value){0};
        find_value(&settings[i], config, &values[i], errors);
        parse_value(&settings[i], &values[i], config, errors);
    }
    require_body_memory(config, errors);
    if (config->database == CONFIG_DATABASE_MYSQL) {
        require_for_mysql(offsetof(struct config, mysql_host), values, errors);
        require_for_mysql(offsetof(struct config, mysql_password), values, errors);
    } else {
        require_sqlite(config, errors);
    }
    return errors->size == 0 && !errors->failed;
}

static void release(struct value values[SETTING_COUNT])
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings[i].secret && values[i].text)
            explicit_bzero(values[i].text, strlen(values[i].text));
        free(values[i].text);
        free(values[i].file);
    }
}

bool config_sqlite_in_memory(const char *sqlite_path)
{
    return strcmp(sqlite_path, ":memory:") == 0;
}

bool config_load(struct config *config, struct buffer *errors)
{
    struct value values[SETTING_COUNT];
    bool good = load(config, values, errors);

    for (size_t i = 0; good && i < SETTING_COUNT; i++) {
        if (settings[i].type == SETTING_TEXT)
            values[i].text = NULL; /* it is the configuration's now */
    }
    if (good) {
        struct value *password = &values[find_setting(offsetof(struct config, mysql_password))];
        config->mysql_password_file = password->file;
        password->file = NULL;
    }
    release(values);
    if (!good)
        memset(config, 0, sizeof(*config));
    return good;
}

void config_release(struct config *config)
{
    struct value values[SETTING_COUNT] = {0};

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings[i].type == SETTING_TEXT)
            memcpy(&values[i].text, (char *)config + settings[i].field, sizeof(char *));
    }
    values[0].file = config->mysql_password_file;
    release(values);
    memset(config, 0, sizeof(*config));
}

char *config_read_password(const struct config *config)
{
    struct value value = {0};
    struct buffer errors = {0};
    FILE *file = config->mysql_password_file ? fopen(config->mysql_password_file, "re") : NULL;

    if (!file)
        return NULL;
    read_secret(file, &value, &errors);
    fclose(file);
    buffer_release(&errors);
    return value.text;
}

static void print_value(const struct setting *setting, const struct value *value, FILE *out)
{
    const char *text = "(not set)";

    if (value->text)
        text = shown(setting, value->text, "********");
    fprintf(out, "%-23s  %-22s  %s%s%s\n", setting->name, text,
            value->source ? value->source : "", value->file ? " " : "",
            value->file ? value->file : "");
}

bool config_print(FILE *out)
{
    struct config config;
    struct value values[SETTING_COUNT];
    struct buffer errors = {0};
    bool good = load(&config, values, &errors);

    fprintf(out, "%-23s  %-22s  %s\n", "SETTING", "VALUE", "FROM");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        print_value(&settings[i], &values[i], out);
    if (!good)
        fprintf(out, "\nWrong:\n%s", errors.data ? errors.data : "out of memory\n");
    release(values);
    buffer_release(&errors);
    return good;
}

/* What it is, and in parentheses what it may be. */
static void append_help(const struct setting *setting, struct buffer *out)
{
    struct buffer allowed = {0};

    append_allowed(setting, &allowed);
    buffer_append_text(out, setting->help);
    if (allowed.size > 0)
        buffer_append_format(out, " (%s)", allowed.data);
    buffer_release(&allowed);
}

void config_describe(void (*describe)(const struct config_setting *setting, void *context),
                     void *context)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        struct buffer help = {0};
        append_help(&settings[i], &help);
        describe(
            &(struct config_setting){
                .name = settings[i].name,
                .fallback = settings[i].fallback ? settings[i].fallback : "",
                .help = help.data ? help.data : settings[i].help,
            },
            context);
        buffer_release(&help);
    }
}
