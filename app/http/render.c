#include "http/render.h"

#include "http/json_text.h"
#include "http/page.h"

#include <string.h>

void http_render_json(struct http_response *response, const struct http_format *format,
                      const char *json, size_t size)
{
    if (format->media == HTTP_HTML) {
        http_page_append(&response->body, response, json, size);
        http_response_add_page_headers(response, "text/html; charset=utf-8");
        return;
    }
    http_response_add_header(response, "Content-Type", "application/json");
    if (format->indent > 0)
        json_text_append_indented(&response->body, json, size, format->indent);
    else
        buffer_append(&response->body, json, size);
}

void http_render_detail(struct http_response *response, const struct http_format *format,
                        const char *detail)
{
    struct buffer json = {0};

    buffer_append_text(&json, "{\"detail\":");
    buffer_append_json(&json, detail, strlen(detail));
    buffer_append_char(&json, '}');
    http_render_json(response, format, json.data, json.size);
    response->body.failed = response->body.failed || json.failed;
    buffer_release(&json);
}
