#include "api/handlers.h"

void api_describe_root(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    (void)context;
    todo_respond_root_description(exchange, &match->representation);
}

/* For browsers the root is the web page; who names the format means the API's root. */
static bool is_for_people(const struct http_exchange *exchange, const struct http_match *match)
{
    struct buffer format = {0};
    bool named = match->suffix[0] ||
                 (http_request_query(http_exchange_request(exchange), "format", &format) &&
                  (format.size > 0 || format.failed));

    buffer_release(&format);
    return match->representation.format.media == HTTP_HTML && !named;
}

static void show_root_links(const struct todo_api *api, struct http_exchange *exchange,
                            const struct http_match *match)
{
    struct buffer url = {0};
    struct buffer json = {0};

    todo_api_append_base_url(api, exchange, &url);
    buffer_append_text(&url, "/todos");
    if (match->suffix[0])
        buffer_append_format(&url, ".%s", match->suffix);
    todo_api_append_format_query(exchange, &url);
    buffer_append_text(&json, "{\"todos\":");
    buffer_append_json(&json, url.data, url.size);
    buffer_append_char(&json, '}');
    json.failed = json.failed || url.failed;
    http_respond_json(exchange, &match->representation, 200, &json);
    buffer_release(&url);
}

void api_show_root(void *context, struct http_exchange *exchange,
                   const struct http_match *match)
{
    static const char page[] = "index.html";
    const struct todo_api *api = context;

    if (is_for_people(exchange, match))
        http_static_respond(&api->files, exchange, match, page, sizeof(page) - 1);
    else
        show_root_links(api, exchange, match);
}

void api_show_document(void *context, struct http_exchange *exchange,
                       const struct http_match *match)
{
    static const char document[] = "openapi.json";
    const struct todo_api *api = context;

    http_static_respond(&api->files, exchange, match, document, sizeof(document) - 1);
}

void api_show_file(void *context, struct http_exchange *exchange,
                   const struct http_match *match)
{
    const struct todo_api *api = context;

    http_static_respond(&api->files, exchange, match, match->parameter,
                        match->parameter_length);
}
