#include "http/page.h"

#include "base/text.h"
#include "http/json_text.h"
#include "http/router.h"
#include "http/status.h"

#include <string.h>

#define INDENT 4

/* Bytes of a client: mended, then escaped. */
static void append_foreign(struct buffer *out, const char *text, size_t size)
{
    struct buffer mended = {0};

    text_append(&mended, text, size);
    buffer_append_html(out, mended.data, mended.size);
    out->failed = out->failed || mended.failed;
    buffer_release(&mended);
}

static bool is_link(const char *text, size_t size)
{
    bool http = (size > 7 && memcmp(text, "http://", 7) == 0) ||
                (size > 8 && memcmp(text, "https://", 8) == 0);

    for (size_t i = 0; http && i < size; i++)
        http = (unsigned char)text[i] > ' ' && !strchr("\"\\<>", text[i]);
    return http;
}

/* Text, as a link if it is the address of something. */
static void append_value(struct buffer *out, const char *text, size_t size)
{
    if (!is_link(text, size)) {
        append_foreign(out, text, size);
        return;
    }
    buffer_append_text(out, "<a rel=\"nofollow noreferrer\" href=\"");
    append_foreign(out, text, size);
    buffer_append_text(out, "\">");
    append_foreign(out, text, size);
    buffer_append_text(out, "</a>");
}

static void append_json(struct buffer *out, const char *json, size_t size)
{
    struct buffer indented = {0};
    const char *text;
    size_t start = 0;

    json_text_append_indented(&indented, json, size, INDENT);
    text = indented.data;
    while (start < indented.size) {
        const char *quote = memchr(text + start, '"', indented.size - start);
        size_t string = quote ? (size_t)(quote - text) : indented.size;
        size_t end = quote ? json_text_string_end(text, indented.size, string) : string;
        bool is_closed = end > string + 1 && text[end - 1] == '"';
        buffer_append_html(out, text + start, string - start);
        if (quote) {
            buffer_append_text(out, "&quot;");
            append_value(out, quote + 1, end - string - 1 - is_closed);
            buffer_append_text(out, is_closed ? "&quot;" : "");
        }
        start = end;
    }
    out->failed = out->failed || indented.failed;
    buffer_release(&indented);
}

static void append_asked(struct buffer *out, const struct http_request *request)
{
    append_foreign(out, request->method_name.data, request->method_name.size);
    buffer_append_char(out, ' ');
    append_foreign(out, request->target.data, request->target.size);
}

static void append_start(struct buffer *out, const struct http_response *response)
{
    buffer_append_format(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<title>%u %s",
        response->status, http_status_text(response->status));
    if (response->request) {
        buffer_append_text(out, " – ");
        append_asked(out, response->request);
    }
    buffer_append_text(
        out, "</title>\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<link rel=\"icon\" href=\"/static/favicon.svg\" type=\"image/svg+xml\">\n"
             "<link rel=\"stylesheet\" href=\"/static/style.css\">\n"
             "<script type=\"module\" src=\"/static/browse.js\"></script>\n"
             "</head>\n<body class=\"browse\">\n");
}

/* Ways to elsewhere: the page, the API's root, and the list that an item is of. */
static void append_navigation(struct buffer *out, const struct http_response *response)
{
    const struct http_route *route = response->route;
    size_t length = route ? strcspn(route->pattern, "{") : 0;

    buffer_append_text(out, "<nav aria-label=\"Site\"><a href=\"/\">Todos</a> "
                            "<a href=\"/?format=api\">API</a>");
    if (length > 1 && (!response->request || route->pattern[length])) {
        buffer_append_text(out, " <a href=\"");
        buffer_append_html(out, route->pattern, length - 1);
        buffer_append_text(out, "\">");
        buffer_append_html(out, route->pattern, length - 1);
        buffer_append_text(out, "</a>");
    }
    if (route && route->formats)
        buffer_append_text(out, " <a class=\"raw\" href=\"?format=json\">JSON</a>");
    buffer_append_text(out, "</nav>\n");
}

static void append_answer(struct buffer *out, const struct http_response *response,
                          const char *json, size_t size)
{
    buffer_append_text(out, "<h1>");
    if (response->request)
        append_asked(out, response->request);
    else
        buffer_append_text(out, http_status_text(response->status));
    buffer_append_format(
        out,
        "</h1>\n<section class=\"answer\" aria-label=\"Answer\">\n"
        "<p class=\"status\" role=\"status\" data-class=\"%u\"><b>%u</b> %s</p>\n"
        "<pre class=\"headers\" tabindex=\"0\" aria-label=\"Headers\">",
        response->status / 100, response->status, http_status_text(response->status));
    for (size_t i = 0; i < response->header_count; i++) {
        buffer_append_format(out, "<b>%s:</b> ", response->headers[i].name);
        append_value(out, response->headers[i].value, strlen(response->headers[i].value));
        buffer_append_char(out, '\n');
    }
    buffer_append_text(out, "<b>Content-Type:</b> application/json\n</pre>\n"
                            "<pre class=\"json\" tabindex=\"0\" aria-label=\"Body\">");
    append_json(out, json, size);
    buffer_append_text(out, "</pre>\n</section>\n");
}

static bool allows(const struct http_route *route, enum http_method method)
{
    for (size_t i = 0; i < HTTP_ROUTE_METHODS_MAX && route->methods[i].handler; i++)
        if (route->methods[i].method == method)
            return true;
    return false;
}

static void append_fields_form(struct buffer *out, const struct http_route *route)
{
    bool is_post = allows(route, HTTP_POST);
    const char *method = is_post ? "POST" : "PUT";

    buffer_append_format(out,
                         "<form method=\"post\" class=\"fields\"%s>\n"
                         "<h2>Fields</h2>\n",
                         is_post ? "" : " hidden");
    for (size_t i = 0; i < route->field_count; i++) {
        const struct http_field *field = &route->fields[i];
        buffer_append_format(out,
                             "<p><label for=\"field-%s\">%s</label> "
                             "<input id=\"field-%s\" name=\"%s\" type=\"%s\"%s%s></p>\n",
                             field->name, field->label, field->name, field->name, field->type,
                             strcmp(field->type, "checkbox") == 0 ? " value=\"true\"" : "",
                             field->is_required ? " required" : "");
    }
    buffer_append_format(out, "<p><button value=\"%s\">%s</button></p>\n</form>\n", method,
                         method);
}

static void append_button(struct buffer *out, const struct http_route *route,
                          enum http_method method, const char *name)
{
    if (allows(route, method))
        buffer_append_format(out, "<button value=\"%s\">%s</button>\n", name, name);
}

/* What a plain form can't send stays hidden until browse.js, which can, shows it. */
static void append_forms(struct buffer *out, const struct http_route *route)
{
    buffer_append_text(out, "<section class=\"forms\" aria-label=\"Requests\">\n");
    if (route->field_count > 0) {
        append_fields_form(out, route);
        buffer_append_text(out, "<form method=\"post\" class=\"raw\" data-raw hidden>\n<h2>"
                                "<label for=\"raw\">JSON</label></h2>\n"
                                "<p><textarea id=\"raw\" rows=\"6\" spellcheck=\"false\">"
                                "</textarea></p>\n<p>");
        append_button(out, route, HTTP_POST, "POST");
        append_button(out, route, HTTP_PUT, "PUT");
        append_button(out, route, HTTP_PATCH, "PATCH");
        buffer_append_text(out, "</p>\n</form>\n");
    }
    buffer_append_text(out, "<form method=\"post\" class=\"plain\" data-empty hidden>\n<p>");
    append_button(out, route, HTTP_OPTIONS, "OPTIONS");
    append_button(out, route, HTTP_DELETE, "DELETE");
    buffer_append_text(out, "</p>\n</form>\n</section>\n"
                            "<noscript><p>Without JavaScript, all that can be sent is a "
                            "POST with fields, from a list's page.</p></noscript>\n");
}

void http_page_append(struct buffer *out, const struct http_response *response,
                      const char *json, size_t size)
{
    append_start(out, response);
    append_navigation(out, response);
    buffer_append_text(out, "<main>\n");
    append_answer(out, response, json, size);
    if (response->route && response->route->formats && response->route->methods[0].handler)
        append_forms(out, response->route);
    buffer_append_text(out, "</main>\n</body>\n</html>\n");
}
