#include "http/page.h"

#include "base/text.h"
#include "http/form.h"
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

/* A header's value; of Link, each address can be followed (RFC 8288, section 3). */
static void append_header_value(struct buffer *out, const char *name, const char *value)
{
    const char *start;
    const char *end;

    if (strcmp(name, "Link") != 0) {
        append_value(out, value, strlen(value));
        return;
    }
    for (; (start = strchr(value, '<')) && (end = strchr(start, '>')); value = end) {
        append_foreign(out, value, (size_t)(start + 1 - value));
        append_value(out, start + 1, (size_t)(end - start - 1));
    }
    append_foreign(out, value, strlen(value));
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
    if (request->method == HTTP_HEAD) /* as long as the answer to GET (RFC 9110, section 8.6) */
        buffer_append_text(out, "GET");
    else
        append_foreign(out, request->method_name.data, request->method_name.size);
    buffer_append_char(out, ' ');
    append_foreign(out, request->target.data, request->target.size);
}

static void append_start(struct buffer *out, const struct http_response *response)
{
    buffer_append_format(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<title>%u %s – ",
        response->status, http_status_text(response->status));
    append_asked(out, response->request);
    buffer_append_text(
        out, "</title>\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<link rel=\"icon\" href=\"/static/favicon.svg\" type=\"image/svg+xml\">\n"
             "<link rel=\"service-desc\" href=\"/openapi.json\" type=\"application/json\">\n"
             "<link rel=\"stylesheet\" href=\"/static/style.css\">\n"
             "<link rel=\"stylesheet\" href=\"/static/browse.css\">\n"
             "<script type=\"module\" src=\"/static/browse.js\"></script>\n"
             "</head>\n<body class=\"browse\">\n");
}

static void append_crumb(struct buffer *out, const char *path, size_t length, bool is_current)
{
    buffer_append_text(out, is_current ? "<li aria-current=\"page\">" : "<li><a href=\"");
    if (!is_current) {
        buffer_append_html(out, path, length);
        buffer_append_text(out, "\">");
    }
    buffer_append_html(out, path, length);
    buffer_append_text(out, is_current ? "</li>" : "</a></li>");
}

/* Ways to elsewhere: the page, the API's root, the list that an item is of; and where one is.
 */
static void append_navigation(struct buffer *out, const struct http_response *response)
{
    const char *pattern = response->route ? response->route->pattern : "";
    size_t length = strcspn(pattern, "{");
    bool is_item = pattern[length] != '\0';
    bool is_root = length == 1 && !is_item;

    buffer_append_text(out, "<nav aria-label=\"Site\"><ol>"
                            "<li><a href=\"/\" data-say>Todos</a></li>");
    buffer_append_text(out, is_root ? "<li aria-current=\"page\">API</li>"
                                    : "<li><a href=\"/?format=api\">API</a></li>");
    if (length > 1)
        append_crumb(out, pattern, length - is_item, !is_item);
    if (is_item) {
        buffer_append_text(out, "<li aria-current=\"page\">");
        append_foreign(out, response->request->target.data, response->request->target.size);
        buffer_append_text(out, "</li>");
    }
    buffer_append_text(out, "</ol></nav>\n");
}

static void append_heading(struct buffer *out, const struct http_response *response)
{
    buffer_append_text(out, "<h1>");
    append_asked(out, response->request);
    buffer_append_text(out, "</h1>\n");
}

static void append_answer(struct buffer *out, const struct http_response *response,
                          const char *json, size_t size)
{
    buffer_append_format(
        out,
        "<section class=\"answer\" aria-label=\"Answer\">\n"
        "<p class=\"status\" role=\"status\" data-class=\"%u\"><b>%u</b> %s</p>\n"
        "<pre class=\"headers\" tabindex=\"0\" aria-label=\"Headers\">",
        response->status / 100, response->status, http_status_text(response->status));
    for (size_t i = 0; i < response->header_count; i++) {
        buffer_append_format(out, "<b>%s:</b> ", response->headers[i].name);
        append_header_value(out, response->headers[i].name, response->headers[i].value);
        buffer_append_char(out, '\n');
    }
    buffer_append_text(out, "<b>Content-Type:</b> application/json\n</pre>\n"
                            "<pre class=\"json\" tabindex=\"0\" aria-label=\"Body\">");
    append_json(out, json, size);
    buffer_append_text(out, "</pre>\n</section>\n");
}

/* By what the client is told: no method's name is a part of another's. */
static bool allows(const struct http_route *route, const char *method)
{
    return strstr(route->allow, method);
}

/* What is wrong with a field, by {"title":["...", ...]}: texts of ours, which are plain. */
static void append_problems(struct buffer *out, const char *name, const char *json, size_t size)
{
    size_t length = strlen(name);
    bool is_its = false;

    for (size_t i = 0; i < size; i++) {
        size_t end;

        if (json[i] != '"')
            continue;
        end = json_text_string_end(json, size, i);
        if (end < size && json[end] == ':') {
            is_its = end - i == length + 2 && memcmp(json + i + 1, name, length) == 0;
        } else if (is_its) {
            buffer_append_text(out, out->size > 0 ? " " : "");
            buffer_append_html(out, json + i + 1, end - i - 2);
        }
        i = end - 1;
    }
}

/* As it was sent, if it is refused. */
static void append_input(struct buffer *out, const struct http_field *field,
                         const struct form *form)
{
    const struct form_field *sent = form ? form_find(form, field->name) : NULL;
    bool is_box = strcmp(field->type, "checkbox") == 0;

    buffer_append_format(out, "<input id=\"field-%s\" name=\"%s\" type=\"%s\"%s", field->name,
                         field->name, field->type, field->is_required ? " required" : "");
    if (is_box) {
        buffer_append_text(out, sent ? " value=\"true\" checked" : " value=\"true\"");
    } else if (sent) {
        buffer_append_text(out, " value=\"");
        append_foreign(out, sent->value, sent->value_length);
        buffer_append_char(out, '"');
    }
}

/* The same as browse.js makes of an answer: what is wrong stands beside its field. */
static void append_field(struct buffer *out, const struct http_field *field,
                         const struct http_response *response, const struct buffer *problems)
{
    buffer_append_format(out, "<p><label for=\"field-%s\" data-say>%s</label> ", field->name,
                         field->label);
    append_input(out, field, response->form);
    if (problems->size > 0) {
        buffer_append_format(
            out,
            " autofocus aria-invalid=\"true\" aria-describedby=\"field-%s-error\">"
            "<span id=\"field-%s-error\" class=\"error\">",
            field->name, field->name);
        buffer_append(out, problems->data, problems->size);
        buffer_append_text(out, "</span></p>\n");
    } else {
        buffer_append_text(out, "></p>\n");
    }
}

static void append_fields_form(struct buffer *out, const struct http_response *response,
                               const char *json, size_t size)
{
    const struct http_route *route = response->route;
    bool is_post = allows(route, "POST");
    const char *method = is_post ? "POST" : "PUT";

    buffer_append_format(out,
                         "<form method=\"post\" class=\"fields\"%s>\n"
                         "<h2 data-say>Fields</h2>\n",
                         is_post ? "" : " hidden");
    for (size_t i = 0; i < route->field_count; i++) {
        struct buffer problems = {0};

        if (response->form)
            append_problems(&problems, route->fields[i].name, json, size);
        append_field(out, &route->fields[i], response, &problems);
        out->failed = out->failed || problems.failed;
        buffer_release(&problems);
    }
    buffer_append_format(out, "<p><button value=\"%s\">%s</button></p>\n</form>\n", method,
                         method);
}

static void append_button(struct buffer *out, const struct http_route *route,
                          const char *method)
{
    if (allows(route, method))
        buffer_append_format(out, "<button value=\"%s\">%s</button>\n", method, method);
}

/* What needs no content, above the answer: that may be long. What a plain form can't send stays
 * hidden until browse.js, which can, shows it. */
static void append_actions(struct buffer *out, const struct http_route *route)
{
    buffer_append_text(out, "<div class=\"actions\">\n<a href=\"\">GET</a>\n"
                            "<a href=\"?format=json\" data-say>GET as JSON</a>\n"
                            "<form method=\"post\" data-empty hidden>\n");
    append_button(out, route, "OPTIONS");
    append_button(out, route, "DELETE");
    buffer_append_text(out, "</form>\n</div>\n");
}

static void append_forms(struct buffer *out, const struct http_response *response,
                         const char *json, size_t size)
{
    const struct http_route *route = response->route;

    if (route->field_count == 0)
        return;
    buffer_append_text(out, "<section class=\"forms\" aria-label=\"Requests\">\n");
    append_fields_form(out, response, json, size);
    buffer_append_text(out, "<form method=\"post\" class=\"raw\" data-raw hidden>\n<h2>"
                            "<label for=\"raw\">JSON</label></h2>\n"
                            "<p><textarea id=\"raw\" rows=\"6\" spellcheck=\"false\">"
                            "</textarea></p>\n<p>");
    append_button(out, route, "POST");
    append_button(out, route, "PUT");
    append_button(out, route, "PATCH");
    buffer_append_text(out, "</p>\n</form>\n</section>\n"
                            "<noscript><p>Without JavaScript, all that can be sent is a "
                            "POST with fields, from a list's page.</p></noscript>\n");
}

void http_page_append(struct buffer *out, const struct http_response *response,
                      const char *json, size_t size)
{
    const struct http_route *route = response->route;
    bool can_be_asked = route && route->formats && route->methods[0].handler;

    append_start(out, response);
    append_navigation(out, response);
    buffer_append_text(out, "<main>\n");
    append_heading(out, response);
    if (can_be_asked)
        append_actions(out, route);
    append_answer(out, response, json, size);
    if (can_be_asked)
        append_forms(out, response, json, size);
    buffer_append_text(out, "</main>\n</body>\n</html>\n");
}
