/* Settings. Input: a line NAME=VALUE for each, an empty line, the bytes of the file `secret` in
 * the current folder. No value leads out of that folder. */

#include "base/config.h"
#include "fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#define SECRET        "hunter2" /* never shown where it is a secret's value */
#define VARIABLES_MAX 64

static bool is_name(const char *text)
{
    return *text && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] == '\0' &&
           strcmp(text, "PATH") != 0;
}

/* Sets a variable by its line; the line is its name afterwards. False if it is none. */
static bool set_variable(char *line)
{
    char *value = strchr(line, '=');

    if (!value)
        return false;
    *value++ = '\0';
    if (!is_name(line))
        return false;
    if (strcmp(line, "PUBLIC_URL") != 0)
        for (char *byte = value; (byte = strchr(byte, '/'));)
            *byte = '_';
    return setenv(line, value, 1) == 0;
}

static void write_secret(const struct fuzz_input *input)
{
    FILE *file = fopen("secret", "we");
    size_t written;
    int closed;

    if (!file)
        abort();
    written = fwrite(input->data, 1, input->size, file);
    closed = fclose(file);
    assert(written == input->size && closed == 0);
}

static bool is_within(unsigned number, unsigned least, unsigned most)
{
    return number >= least && number <= most;
}

static void check_config(const struct config *config)
{
    size_t length = strlen(config->public_url);

    assert(is_within(config->http_port, 0, 65535) && is_within(config->http_threads, 0, 64));
    assert(is_within(config->http_body_limit, 1024, 104857600));
    assert(is_within(config->http_json_depth, 1, 2000));
    assert(is_within(config->http_host_limit, 16, 200));
    assert(is_within(config->response_memory, 1048576, 1073741824));
    assert(is_within(config->request_timeout, 1, 60) && is_within(config->db_readers, 1, 16));
    assert(is_within(config->db_batch, 1, 1024) && is_within(config->db_queue, 1, 65536));
    assert(is_within(config->mysql_port, 1, 65535) && config->db_wait <= 3600);
    assert(length <= 200 && (length == 0 || config->public_url[length - 1] != '/'));
    for (size_t i = 0; i < length; i++)
        assert(isgraph((unsigned char)config->public_url[i]));
    assert(*config->http_address && *config->sqlite_path && *config->allowed_hosts);
    assert(config->database == CONFIG_DATABASE_SQLITE ||
           (*config->mysql_host && *config->mysql_password));
    assert(!config->mysql_password || strlen(config->mysql_password) <= 131072);
}

/* A line for each fault, that begins with the setting's name. */
static void check_errors(const struct buffer *errors)
{
    const char *line = errors->data;

    assert(errors->size > 0 && strlen(errors->data) == errors->size);
    while (*line) {
        size_t name = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

        assert(name > 0 && strncmp(line + name, ": ", 2) == 0);
        for (; *line != '\n'; line++)
            assert(!iscntrl((unsigned char)*line));
        line++;
    }
}

/* Shown once in the input, and there in a secret: not to be shown by anything. */
static bool has_secret(const uint8_t *data, size_t size, const struct fuzz_input *file)
{
    const uint8_t *found = memmem(data, size, SECRET, strlen(SECRET));
    const char *password = getenv("MYSQL_PASSWORD");
    size_t rest = found ? size - (size_t)(found + 1 - data) : 0;

    if (!found || memmem(found + 1, rest, SECRET, strlen(SECRET)))
        return false;
    return (password && strstr(password, SECRET)) ||
           memmem(file->data, file->size, SECRET, strlen(SECRET));
}

static void check_print(bool is_good, bool is_secret)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert(out);
    assert(config_print(out) == is_good);
    assert(fclose(out) == 0);
    assert(!is_secret || !strstr(text, SECRET));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    char *variables[VARIABLES_MAX];
    size_t count = 0;
    struct config config;
    struct buffer errors = {0};
    bool is_good;
    bool is_secret;

    while (input.size > 0 && count < VARIABLES_MAX) {
        char *line = fuzz_line(&input);

        if (set_variable(line))
            variables[count++] = line;
        else
            free(line);
        if (input.size > 0 && *input.data == '\n')
            break;
    }
    write_secret(&input);
    is_secret = has_secret(data, size, &input);
    is_good = config_load(&config, &errors);
    if (is_good)
        check_config(&config);
    else
        check_errors(&errors);
    assert(!is_secret || !errors.data || !strstr(errors.data, SECRET));
    check_print(is_good, is_secret);
    if (is_good)
        config_release(&config);
    buffer_release(&errors);
    while (count > 0) {
        count--;
        unsetenv(variables[count]);
        free(variables[count]);
    }
    return 0;
}
