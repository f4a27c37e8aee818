#include "http/guard.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

static bool is_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static const char *body_length_problem(const struct http_request *request)
{
    const char *length = request->headers[HTTP_HEADER_CONTENT_LENGTH];
    const char *encoding = request->headers[HTTP_HEADER_TRANSFER_ENCODING];

    if (length && encoding)
        return "Content-Length and Transfer-Encoding exclude each other.";
    if (request->header_count[HTTP_HEADER_CONTENT_LENGTH] > 1)
        return "More than one Content-Length header.";
    if (request->header_count[HTTP_HEADER_TRANSFER_ENCODING] > 1)
        return "More than one Transfer-Encoding header.";
    if (length && !is_digits(length))
        return "Content-Length is not a number.";
    if (encoding && !request->http_1_1)
        return "Transfer-Encoding needs HTTP/1.1.";
    if (encoding && strcasecmp(encoding, "chunked") != 0)
        return "The only Transfer-Encoding is chunked.";
    return NULL;
}

const char http_guard_head_too_long[] =
    "Request line and headers are longer than " TEXT_OF(HTTP_HEAD_SIZE_MAX) " bytes.";

static const char *size_problem(const struct http_request *request, unsigned *status)
{
    *status = request->target.size > HTTP_HEAD_SIZE_MAX / 2 ? 414 : 431;
    if (request->head_size > HTTP_HEAD_SIZE_MAX)
        return http_guard_head_too_long;
    *status = 431;
    if (request->field_count > HTTP_FIELDS_MAX)
        return "There are more than " TEXT_OF(HTTP_FIELDS_MAX) " headers.";
    return NULL;
}

const char *http_guard_problem(const struct http_request *request, unsigned *status)
{
    const char *problem = size_problem(request, status);

    if (problem)
        return problem;
    *status = 400;
    if (request->method_malformed)
        return "The method is malformed.";
    if (request->header_malformed)
        return "A header has a malformed name or a control character.";
    if (request->header_count[HTTP_HEADER_HOST] > 1)
        return "More than one Host header.";
    if (request->http_1_1 && !request->headers[HTTP_HEADER_HOST])
        return "HTTP/1.1 needs a Host header.";
    return body_length_problem(request);
}
