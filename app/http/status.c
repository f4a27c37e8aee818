#include "http/status.h"

#include <stddef.h>

const char *http_status_text(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } texts[] = {
        {200, "OK"                             },
        {201, "Created"                        },
        {204, "No Content"                     },
        {304, "Not Modified"                   },
        {400, "Bad Request"                    },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {406, "Not Acceptable"                 },
        {413, "Content Too Large"              },
        {414, "URI Too Long"                   },
        {415, "Unsupported Media Type"         },
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"          },
        {503, "Service Unavailable"            },
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Status";
}
