#include "http/render.h"

#include "http/gzip.h"
#include "http/json_text.h"
#include "http/page.h"
#include "http/problem.h"

#include <string.h>

void http_render_json(struct http_response *response, const struct http_format *format,
                      struct buffer *json)
{
    struct buffer *body = &response->body;

    if (format->has_problems && response->status >= 400) {
        http_response_add_header(response, "Content-Type", "application/problem+json");
        http_problem_append(body, response, json->data ? json->data : "", json->size);
    } else if (format->media == HTTP_HTML) {
        http_page_append(body, response, json->data, json->size);
        http_response_add_page_headers(response, "text/html; charset=utf-8");
    } else {
        http_response_add_header(response, "Content-Type", "application/json");
        if (format->indent > 0) {
            json_text_append_indented(body, json->data, json->size, format->indent);
        } else {
            *body = *json;
            *json = (struct buffer){0};
        }
    }
    body->failed = body->failed || json->failed;
    buffer_release(json);
    http_gzip_body(response);
}

void http_append_detail(struct buffer *json, const char *detail, size_t size)
{
    buffer_append_text(json, "{\"detail\":");
    buffer_append_json(json, detail, size);
    buffer_append_char(json, '}');
}

void http_render_detail(struct http_response *response, const struct http_format *format,
                        const char *detail)
{
    struct buffer json = {0};

    http_append_detail(&json, detail, strlen(detail));
    http_render_json(response, format, &json);
}
