#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

/*
 * Path and method -> route. Pure: a look-up has three answers, and the table is the caller's.
 * Every pattern may also be asked for with a format suffix, `/todos.json`, if its route says
 * so.
 */

#include "http/negotiate.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_ROUTE_METHODS_MAX 8

struct http_exchange;

struct http_match;

/* Answers a request, at once or later (see server/server.h). */
typedef void http_handler(void *context, struct http_exchange *exchange,
                          const struct http_match *match);

struct http_field {
    const char *name;
    const char *label;
    const char *type; /* of the HTML input */
    bool is_required; /* the form wants something in it */
};

struct http_route {
    const char *pattern; /* "/todos/{id}": a {name} matches [^/.]+, the rest itself; one {name}
                            at the end */
    bool formats; /* negotiated, may carry a format suffix, and the Host must be ours; false:
                     for load balancers */
    const char *allow; /* the Allow header */
    struct {
        enum http_method method;
        http_handler *handler;
    } methods[HTTP_ROUTE_METHODS_MAX]; /* ends at the first without a handler */
    bool dots;                         /* {name} may hold dots: a file's name */
    bool is_health;                    /* load balancers ask it all the time */
    const struct http_field *fields;   /* of a form, for the page that people see; NULL: none */
    size_t field_count;
};

enum http_route_result {
    HTTP_ROUTE_FOUND,
    HTTP_ROUTE_UNKNOWN_PATH,
    HTTP_ROUTE_UNKNOWN_METHOD, /* of a known path: the route is set */
};

/* What is answered about, and in which form. */
struct http_representation {
    const struct http_route *route; /* NULL: of no resource */
    struct http_format format;      /* negotiated by http_dispatch */
};

struct http_match {
    struct http_representation representation;
    http_handler *handler;
    const char *parameter; /* what {name} matched, not followed by a NUL; NULL without one */
    size_t parameter_length;
    char suffix[16]; /* the format suffix without its dot, "" without one */
};

enum http_route_result http_route_find(const struct http_route *routes, size_t count,
                                       enum http_method method, const char *path, size_t length,
                                       struct http_match *match);

#endif
