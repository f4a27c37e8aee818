#include "http/status.h"

#include <stddef.h>

static const struct {
    unsigned status;
    const char *text;
} texts[] = {
    {200, "OK"                             },
    {201, "Created"                        },
    {204, "No Content"                     },
    {303, "See Other"                      },
    {304, "Not Modified"                   },
    {400, "Bad Request"                    },
    {403, "Forbidden"                      },
    {404, "Not Found"                      },
    {405, "Method Not Allowed"             },
    {406, "Not Acceptable"                 },
    {408, "Request Timeout"                },
    {409, "Conflict"                       },
    {412, "Precondition Failed"            },
    {413, "Content Too Large"              },
    {414, "URI Too Long"                   },
    {415, "Unsupported Media Type"         },
    {422, "Unprocessable Content"          },
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"          },
    {503, "Service Unavailable"            },
    {507, "Insufficient Storage"           },
};

#define STATUS_COUNT (sizeof(texts) / sizeof(texts[0]))

size_t http_status_index(unsigned status)
{
    size_t i = 0;

    while (i < STATUS_COUNT && texts[i].status != status)
        i++;
    return i;
}

unsigned http_status_at(size_t index)
{
    return index < STATUS_COUNT ? texts[index].status : 0;
}

const char *http_status_text(unsigned status)
{
    size_t i = http_status_index(status);

    return i < STATUS_COUNT ? texts[i].text : "Status";
}
