#include "api/call.h"
#include "api/json.h"

#include <string.h>

/* A reader's If-None-Match only saves bytes: what is wrong in it is ignored, as the original
 * ignored all of it. */
static const char *find_problem(const struct http_request *request, bool is_read)
{
    const char *if_match = request->headers[HTTP_HEADER_IF_MATCH];
    const char *if_none_match = request->headers[HTTP_HEADER_IF_NONE_MATCH];

    if (if_match && !http_etags_are_valid(if_match))
        return "If-Match is neither * nor a list of entity tags in quotes.";
    if (if_none_match && !is_read && !http_etags_are_valid(if_none_match))
        return "If-None-Match is neither * nor a list of entity tags in quotes.";
    return NULL;
}

/* False without memory. */
static bool copy(char **to, const char *text)
{
    *to = text ? strdup(text) : NULL;
    return !text || *to;
}

/* A todo_condition. */
static enum todo_outcome judge(struct todo_operation *operation, const struct todo *todo,
                               const struct todo_list *list)
{
    struct todo_call *call = (struct todo_call *)operation;
    struct buffer json = {0};
    bool has_memory;

    if (todo)
        todo_json_append(&json, todo, call->base_url);
    else
        todo_json_append_list(&json, list, call->base_url);
    has_memory = !json.failed;
    if (has_memory)
        http_etag_write(call->etag, json.data, json.size);
    buffer_release(&json);
    if (!has_memory)
        return TODO_OUT_OF_MEMORY;
    return todo_call_failure(call, call->etag) ? TODO_PRECONDITION_FAILED : TODO_DONE;
}

bool todo_call_take_conditions(struct todo_call *call, const char **problem)
{
    const struct http_request *request = http_exchange_request(call->exchange);
    const char *if_match = request->headers[HTTP_HEADER_IF_MATCH];
    const char *if_none_match = request->headers[HTTP_HEADER_IF_NONE_MATCH];

    *problem = find_problem(request, todo_operation_is_read(&call->operation));
    if (!copy(&call->if_match, if_match) || !copy(&call->if_none_match, if_none_match))
        return false;
    if (!todo_operation_is_read(&call->operation) && (if_match || if_none_match))
        call->operation.condition = judge;
    return true;
}

const char *todo_call_failure(const struct todo_call *call, const char *state)
{
    if (call->if_match && !http_etags_name_state(call->if_match, state, HTTP_ETAG_STRONG))
        return "If-Match does not name the current version.";
    if (!todo_operation_is_read(&call->operation) &&
        http_etags_name_state(call->if_none_match, state, HTTP_ETAG_WEAK))
        return "If-None-Match names the current version.";
    return NULL;
}

bool todo_call_knows(const struct todo_call *call, const char *etag)
{
    return call->if_none_match && !http_etags_are_any(call->if_none_match) &&
           call->representation.format.media == HTTP_JSON &&
           http_etags_name(call->if_none_match, etag, HTTP_ETAG_WEAK);
}
