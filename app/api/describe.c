#include "api/call.h"

#include "http/render.h"

#include <string.h>

#define FIELDS                                                                                 \
    "{\"url\":{\"type\":\"field\",\"required\":false,\"read_only\":true,\"label\":\"Url\"},"   \
    "\"title\":{\"type\":\"string\",\"required\":false,\"read_only\":false,"                   \
    "\"label\":\"Title\",\"max_length\":256},"                                                 \
    "\"completed\":{\"type\":\"boolean\",\"required\":false,\"read_only\":false,"              \
    "\"label\":\"Completed\"},"                                                                \
    "\"order\":{\"type\":\"integer\",\"required\":false,\"read_only\":false,"                  \
    "\"label\":\"Order\",\"min_value\":-2147483648,\"max_value\":2147483647}}"
#define DESCRIPTION(name, description, actions)                                                \
    "{\"name\":\"" name "\",\"description\":\"" description "\","                              \
    "\"renders\":[\"application/json\",\"text/html\"],"                                        \
    "\"parses\":[\"application/json\",\"application/x-www-form-urlencoded\","                  \
    "\"multipart/form-data\"]" actions "}"

static void respond(struct http_exchange *exchange,
                    const struct http_representation *representation, const char *json)
{
    struct http_response response;

    http_start_route_response(&response, exchange, representation->route, 200);
    http_render_json(&response, &representation->format, json, strlen(json));
    http_exchange_respond(exchange, &response);
}

void todo_respond_root_description(struct http_exchange *exchange,
                                   const struct http_representation *representation)
{
    respond(exchange, representation,
            DESCRIPTION("Api Root", "The default basic root view for DefaultRouter", ""));
}

void todo_respond_list_description(struct http_exchange *exchange,
                                   const struct http_representation *representation)
{
    respond(exchange, representation,
            DESCRIPTION("Todo Item List", "", ",\"actions\":{\"POST\":" FIELDS "}"));
}

void todo_respond_item_description(struct http_exchange *exchange,
                                   const struct http_representation *representation,
                                   bool exists)
{
    respond(exchange, representation,
            exists ? DESCRIPTION("Todo Item Instance", "", ",\"actions\":{\"PUT\":" FIELDS "}")
                   : DESCRIPTION("Todo Item Instance", "", ""));
}
