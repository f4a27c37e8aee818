#include "base/config.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
    char *file; /* that it was read from, or NULL */
};

static bool is_address(const char *text);
static bool is_public_url(const char *text);
static bool is_host_list(const char *text);

static const char *const databases[] = {"sqlite", "mysql", NULL};
static const char *const ssl_modes[] = {"disabled",  "preferred",       "required",
                                        "verify-ca", "verify-identity", NULL};
static const char *const log_formats[] = {"auto", "json", "text", NULL};
static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};

#define TEXT(member)   .type = SETTING_TEXT, .field = offsetof(struct config, member)
#define NUMBER(member) .type = SETTING_NUMBER, .field = offsetof(struct config, member)
#define CHOICE(member) .type = SETTING_CHOICE, .field = offsetof(struct config, member)

/* Read in this order: SECRETS_ROOT stands before the secrets. The formatter would give each
 * member a line or a column of its own. */
/* clang-format off */
static const struct setting settings[] = {
    {"HTTP_ADDRESS", TEXT(http_address), .fallback = "0.0.0.0", .is_valid = is_address,
     .allowed = "a numeric IPv4 or IPv6 address", .help = "address to listen on"},
    {"HTTP_PORT", NUMBER(http_port), .fallback = "8000", .most = 65535,
     .help = "port to listen on; 0: any free one"},
    {"HTTP_THREADS", NUMBER(http_threads), .fallback = "0", .most = 64,
     .help = "threads that answer; 0: one for two cores"},
    {"HTTP_BODY_LIMIT", NUMBER(http_body_limit), .fallback = "1048576", .least = 1024,
     .most = 104857600, .help = "largest request body, in bytes"},
    {"HTTP_JSON_DEPTH", NUMBER(http_json_depth), .fallback = "512", .least = 1, .most = 2000,
     .help = "deepest nesting of JSON in a request"},
    {"HTTP_HOST_LIMIT", NUMBER(http_host_limit), .fallback = "200", .least = 16, .most = 200,
     .help = "longest Host header, in bytes"},
    {"RESPONSE_MEMORY", NUMBER(response_memory), .fallback = "67108864", .least = 1048576,
     .most = 1073741824,
     .help = "most memory for answers that are being sent, in bytes; lists beyond it get 503"},
    {"REQUEST_TIMEOUT", NUMBER(request_timeout), .fallback = "10", .least = 1, .most = 60,
     .help = "seconds after which a request gets 503"},
    {"PUBLIC_URL", TEXT(public_url), .fallback = "", .is_valid = is_public_url,
     .allowed = "http:// or https://, a host, perhaps a port, and no path; at most 200 bytes",
     .help = "what todo links begin with; empty: the request's scheme and host"},
    {"ALLOWED_HOSTS", TEXT(allowed_hosts), .fallback = "*", .is_valid = is_host_list,
     .allowed = "host names with commas between them, or *",
     .help = "host names that are answered; *: all"},
    {"STATIC_ROOT", TEXT(static_root), .fallback = "",
     .help = "folder of the web page's files; empty: those in the program"},
    {"DATABASE", CHOICE(database), .fallback = "sqlite", .choices = databases,
     .help = "mysql by default where MYSQL_HOST is set"},
    {"SQLITE_PATH", TEXT(sqlite_path), .fallback = "todobackend.sqlite3",
     .help = "the SQLite database's file"},
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
    {"MYSQL_SSL_CA", TEXT(mysql_ssl_ca), .fallback = "",
     .help = "file of trusted certificates; empty: the system's"},
    {"DB_READERS", NUMBER(db_readers), .fallback = "1", .least = 1, .most = 16,
     .help = "connections that read"},
    {"DB_BATCH", NUMBER(db_batch), .fallback = "256", .least = 1, .most = 1024,
     .help = "most requests in one trip to the database"},
    {"DB_QUEUE", NUMBER(db_queue), .fallback = "1024", .least = 1, .most = 65536,
     .help = "most requests waiting for the database; more get 503"},
    {"DB_WAIT", NUMBER(db_wait), .fallback = "30", .most = 3600,
     .help = "seconds that serve waits for the database when it starts"},
    {"LOG_FORMAT", CHOICE(log_format), .fallback = "auto", .choices = log_formats,
     .help = "auto: text on a terminal, else json"},
    {"LOG_LEVEL", CHOICE(log_level), .fallback = "info", .choices = log_levels,
     .help = "least level that is logged"},
};
/* clang-format on */

enum {
    SETTING_COUNT = sizeof(settings) / sizeof(settings[0]),
    SECRET_SIZE_MAX = 4096,
    PUBLIC_URL_MAX = 200,
};

/* An empty variable counts as unset. */
static const char *environment(const char *name)
{
    const char *text = getenv(name);

    return text && *text ? text : NULL;
}

static bool is_address(const char *text)
{
    struct in6_addr address;

    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
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

/* Names and addresses, with or without a port, between commas, blanks and asterisks. */
static bool is_host_list(const char *text)
{
    size_t length = 1;

    for (; *text && length > 0; text += length) {
        length = text_host_length(text);
        length += strspn(text + length, "*,: ");
    }
    return *text == '\0';
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

/* Reads a secret from an open file; one newline at its end is not part of it. */
static const char *read_secret(FILE *file, struct value *value, struct buffer *errors)
{
    char text[SECRET_SIZE_MAX + 2];
    size_t size = fread(text, 1, sizeof(text) - 1, file);

    if (ferror(file))
        return strerror(errno);
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > SECRET_SIZE_MAX)
        return "too long for a secret";
    text[size] = '\0';
    if (strlen(text) != size)
        return "it holds a NUL byte";
    value_set(value, text, errors);
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
    if (problem)
        fail(setting, errors, "cannot read the file %s: %s", path, problem);
    value->source = "file";
    value->file = path;
}

/* A secret may be in the file that KEY_FILE names or in the file $SECRETS_ROOT/KEY. */
static void find_secret(const struct setting *setting, const char *secrets_root,
                        struct value *value, struct buffer *errors)
{
    char variable[64];
    const char *named;
    char *path = NULL;

    snprintf(variable, sizeof(variable), "%s_FILE", setting->name);
    named = environment(variable);
    if (named && environment(setting->name)) {
        fail(setting, errors, "set both here and by %s: one of them must go", variable);
        return;
    }
    if (named)
        path = strdup(named);
    else if (asprintf(&path, "%s/%s", secrets_root, setting->name) < 0)
        path = NULL;
    if (path)
        find_in_file(setting, path, named != NULL, value, errors);
    else
        errors->failed = true;
}

static const char *fallback(const struct setting *setting)
{
    if (setting->field == offsetof(struct config, database) && environment("MYSQL_HOST"))
        return "mysql";
    return setting->fallback;
}

static void find_value(const struct setting *setting, const char *secrets_root,
                       struct value *value, struct buffer *errors)
{
    if (setting->secret)
        find_secret(setting, secrets_root, value, errors);
    if (value->source)
        return;
    if (environment(setting->name)) {
        value->source = "environment";
        value_set(value, environment(setting->name), errors);
    } else if (fallback(setting)) {
        value->source = "default";
        value_set(value, fallback(setting), errors);
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
        fail(setting, errors, "\"%.300s\" is not %s%s",
             setting->secret ? "(secret)" : value->text, kinds[setting->type], allowed.data);
    buffer_release(&allowed);
}

static void require_mysql(const struct config *config, const struct value *values,
                          struct buffer *errors)
{
    if (config->database != CONFIG_DATABASE_MYSQL)
        return;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        bool needed = settings[i].field == offsetof(struct config, mysql_host) ||
                      settings[i].field == offsetof(struct config, mysql_password);
        if (needed && !values[i].source)
            fail(&settings[i], errors, "needed with DATABASE=mysql, and not set");
    }
}

static bool load(struct config *config, struct value values[SETTING_COUNT],
                 struct buffer *errors)
{
    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        values[i] = (struct value){0};
        find_value(&settings[i], config->secrets_root, &values[i], errors);
        parse_value(&settings[i], &values[i], config, errors);
    }
    require_mysql(config, values, errors);
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

bool config_load(struct config *config, struct buffer *errors)
{
    struct value values[SETTING_COUNT];
    bool good = load(config, values, errors);

    for (size_t i = 0; good && i < SETTING_COUNT; i++) {
        if (settings[i].type == SETTING_TEXT)
            values[i].text = NULL; /* it is the configuration's now */
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
    release(values);
    memset(config, 0, sizeof(*config));
}

static void print_value(const struct setting *setting, const struct value *value, FILE *out)
{
    const char *text = "(not set)";

    if (value->text)
        text = setting->secret ? "********" : value->text;
    fprintf(out, "%-16s  %-22s  %s%s%s\n", setting->name, text,
            value->source ? value->source : "", value->file ? " " : "",
            value->file ? value->file : "");
}

bool config_print(FILE *out)
{
    struct config config;
    struct value values[SETTING_COUNT];
    struct buffer errors = {0};
    bool good = load(&config, values, &errors);

    fprintf(out, "%-16s  %-22s  %s\n", "SETTING", "VALUE", "FROM");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        print_value(&settings[i], &values[i], out);
    if (!good)
        fprintf(out, "\nWrong:\n%s", errors.data ? errors.data : "out of memory\n");
    release(values);
    buffer_release(&errors);
    return good;
}

void config_print_help(FILE *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        struct buffer allowed = {0};
        append_allowed(&settings[i], &allowed);
        fprintf(out, "%-16s  %-20s  %s", settings[i].name,
                settings[i].fallback ? settings[i].fallback : "", settings[i].help);
        if (allowed.size > 0)
            fprintf(out, " (%s)", allowed.data);
        fputc('\n', out);
        buffer_release(&allowed);
    }
}
