#include "api/call.h"

#include "http/render.h"
#include "todo/validate.h"

/* A description: the API contract, section 11. */
static void append_start(struct buffer *out, const char *name, const char *description)
{
    buffer_append_format(out,
                         "{\"name\":\"%s\",\"description\":\"%s\","
                         "\"renders\":[\"application/json\",\"text/html\"],"
                         "\"parses\":[\"application/json\","
                         "\"application/x-www-form-urlencoded\",\"multipart/form-data\"]",
                         name, description);
}

static void append_field(struct buffer *out, const char *name, const char *type,
                         bool is_read_only, const char *label, const char *limits)
{
    buffer_append_format(
        out, "\"%s\":{\"type\":\"%s\",\"required\":false,\"read_only\":%s,\"label\":\"%s\"%s}",
        name, type, is_read_only ? "true" : "false", label, limits);
}

static void append_action(struct buffer *out, const char *method)
{
    buffer_append_format(out, ",\"actions\":{\"%s\":{", method);
    append_field(out, "url", "field", true, "Url", "");
    for (size_t i = 0; i < TODO_FIELD_COUNT; i++) {
        const struct todo_field *field = &todo_fields[i];
        buffer_append_char(out, ',');
        append_field(out, field->name, field->type, false, field->label, field->limits);
    }
    buffer_append_text(out, "}}");
}

static void respond(struct http_exchange *exchange,
                    const struct http_representation *representation, struct buffer *json)
{
    buffer_append_char(json, '}');
    http_respond_json(exchange, representation, 200, json);
}

void todo_respond_root_description(struct http_exchange *exchange,
                                   const struct http_representation *representation)
{
    struct buffer json = {0};

    append_start(&json, "Api Root", "The default basic root view for DefaultRouter");
    respond(exchange, representation, &json);
}

void todo_respond_list_description(struct http_exchange *exchange,
                                   const struct http_representation *representation)
{
    struct buffer json = {0};

    append_start(&json, "Todo Item List", "");
    append_action(&json, "POST");
    respond(exchange, representation, &json);
}

void todo_respond_item_description(struct http_exchange *exchange,
                                   const struct http_representation *representation,
                                   bool exists)
{
    struct http_response response;
    struct buffer json = {0};

    append_start(&json, "Todo Item Instance", "");
    if (exists)
        append_action(&json, "PUT");
    buffer_append_char(&json, '}');
    http_start_route_response(&response, exchange, representation->route, 200);
    http_response_add_header(&response, "Accept-Patch", TODO_INPUT_TYPES);
    http_render_json(&response, &representation->format, &json);
    http_exchange_respond(exchange, &response);
}
