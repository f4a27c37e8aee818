#include "server/segment.h"

#include "base/random.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define HEADER "{\"format\":\"json\",\"version\":1}\n"

/* Bytes of a text; each may grow sixfold, and there are four that come from a client. */
#define TEXT_SIZE_MAX 2048U

_Static_assert(4 * 6 * TEXT_SIZE_MAX < SEGMENT_SIZE_MAX - 4096, "a segment fits a datagram");

/* Cut between two characters, and with no byte that is not UTF-8. */
static void append_text(struct buffer *out, const char *text)
{
    struct buffer mended = {0};
    size_t length = strnlen(text, TEXT_SIZE_MAX);

    text_append(&mended, text, length < TEXT_SIZE_MAX ? length : text_whole(text, length));
    if (mended.size > TEXT_SIZE_MAX)
        mended.size = text_whole(mended.data, TEXT_SIZE_MAX);
    buffer_append_json(out, mended.data ? mended.data : "", mended.size);
    out->failed = out->failed || mended.failed;
    buffer_release(&mended);
}

/* `before` is what stands in front of it: {"name": */
static void append_member(struct buffer *out, const char *before, const char *text)
{
    buffer_append_text(out, before);
    append_text(out, text);
}

static void append_times(struct buffer *out, uint64_t start, uint64_t end)
{
    buffer_append_format(
        out, ",\"start_time\":%" PRIu64 ".%06" PRIu64 ",\"end_time\":%" PRIu64 ".%06" PRIu64,
        start / 1000000, start % 1000000, end / 1000000, end % 1000000);
}

/* Without the query, which may hold what is nobody's business, as in the log. */
static void append_url(struct buffer *out, const struct segment *segment)
{
    const struct http_request *request = segment->request;
    const char *target = request->target.data ? request->target.data : "";
    struct buffer url = {0};

    if (*target == '/')
        http_request_base_url(request, segment->fallback_host, &url);
    buffer_append(&url, target, strcspn(target, "?"));
    append_member(out, ",\"url\":", url.data ? url.data : "");
    out->failed = out->failed || url.failed;
    buffer_release(&url);
}

static void append_http(struct buffer *out, const struct segment *segment)
{
    const struct http_request *request = segment->request;
    const char *agent = request->headers[HTTP_HEADER_USER_AGENT];

    append_member(out, ",\"http\":{\"request\":{\"method\":",
                  request->method_name.data ? request->method_name.data : "");
    append_member(out, ",\"user_agent\":", agent ? agent : "");
    append_member(out, ",\"client_ip\":", segment->client);
    append_url(out, segment);
    buffer_append_text(out, request->is_forwarded ? ",\"x_forwarded_for\":true}" : "}");
    if (segment->status > 0)
        buffer_append_format(out,
                             ",\"response\":{\"status\":%u,\"content_length\":%" PRIu64 "}",
                             segment->status, segment->bytes);
    buffer_append_char(out, '}');
}

/* 429 is an error, too. */
static void append_flags(struct buffer *out, unsigned status)
{
    if (status == 429)
        buffer_append_text(out, ",\"throttle\":true");
    if (status >= 400 && status < 500)
        buffer_append_text(out, ",\"error\":true");
    if (status >= 500 || status == 0)
        buffer_append_text(out, ",\"fault\":true");
}

static void append_sql(struct buffer *out, const struct segment_origin *origin,
                       const struct trip *trip)
{
    append_member(out, ",\"sql\":{\"url\":", origin->database_url);
    append_member(out, ",\"database_type\":", origin->database_type);
    if (origin->database_user)
        append_member(out, ",\"user\":", origin->database_user);
    if (trip->statement)
        append_member(out, ",\"sanitized_query\":", trip->statement);
    buffer_append_char(out, '}');
}

/* A trip that was shared is told of in the segment of each request that it served. */
static void append_trip(struct buffer *out, const struct segment_origin *origin,
                        const struct segment *segment)
{
    const struct trip *trip = segment->trip;
    uint64_t shift = segment->start - segment->began; /* it wraps around, and back */
    char id[HTTP_SPAN_ID_LENGTH + 1] = "";

    random_fill_hex(id, HTTP_SPAN_ID_LENGTH);
    append_member(out, ",\"subsegments\":[{\"name\":", origin->database);
    buffer_append_format(out, ",\"id\":\"%s\"", id);
    append_times(out, trip->began + shift, trip->ended + shift);
    buffer_append_text(out, ",\"namespace\":\"remote\"");
    append_sql(out, origin, trip);
    buffer_append_text(out, trip->has_failed ? ",\"fault\":true}]" : "}]");
}

void segment_append(struct buffer *out, const struct segment_origin *origin,
                    const struct segment *segment)
{
    const struct http_trace *trace = &segment->request->trace;

    append_member(out, HEADER "{\"name\":", origin->service);
    buffer_append_format(out, ",\"id\":\"%s\",\"trace_id\":\"1-%.*s-%s\"", trace->span,
                         HTTP_TRACE_TIME_DIGITS, trace->id, trace->id + HTTP_TRACE_TIME_DIGITS);
    if (trace->parent[0])
        buffer_append_format(out, ",\"parent_id\":\"%s\"", trace->parent);
    append_times(out, segment->start, segment->end);
    append_member(out, ",\"service\":{\"version\":", origin->version);
    buffer_append_char(out, '}');
    append_http(out, segment);
    append_flags(out, segment->status);
    if (segment->trip->began > 0)
        append_trip(out, origin, segment);
    buffer_append_char(out, '}');
}
