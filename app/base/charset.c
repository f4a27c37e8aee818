#include "base/charset.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Names in lower case without `-` and `_`, and what iconv calls them. */
static const struct {
    const char *name;
    const char *iconv_name;
} charsets[] = {
    {"ascii",       "US-ASCII"   },
    {"usascii",     "US-ASCII"   },
    {"latin1",      "ISO-8859-1" },
    {"l1",          "ISO-8859-1" },
    {"iso88591",    "ISO-8859-1" },
    {"iso88592",    "ISO-8859-2" },
    {"latin2",      "ISO-8859-2" },
    {"iso88595",    "ISO-8859-5" },
    {"iso88597",    "ISO-8859-7" },
    {"iso88599",    "ISO-8859-9" },
    {"latin5",      "ISO-8859-9" },
    {"iso885915",   "ISO-8859-15"},
    {"latin9",      "ISO-8859-15"},
    {"cp1250",      "CP1250"     },
    {"windows1250", "CP1250"     },
    {"cp1251",      "CP1251"     },
    {"windows1251", "CP1251"     },
    {"cp1252",      "CP1252"     },
    {"windows1252", "CP1252"     },
    {"koi8r",       "KOI8-R"     },
    {"koi8u",       "KOI8-U"     },
    {"utf16",       "UTF-16"     },
    {"utf16le",     "UTF-16LE"   },
    {"utf16be",     "UTF-16BE"   },
    {"utf32",       "UTF-32"     },
    {"utf32le",     "UTF-32LE"   },
    {"utf32be",     "UTF-32BE"   },
    {"shiftjis",    "SHIFT_JIS"  },
    {"sjis",        "SHIFT_JIS"  },
    {"eucjp",       "EUC-JP"     },
    {"euckr",       "EUC-KR"     },
    {"gb2312",      "GB2312"     },
    {"gbk",         "GBK"        },
    {"gb18030",     "GB18030"    },
    {"big5",        "BIG5"       },
};

/* iconv's name, or NULL for a charset that is not in the list. */
static const char *find_charset(const char *name)
{
    char plain[16];
    size_t length = 0;

    for (; *name != '\0'; name++) {
        if (*name == '-' || *name == '_')
            continue;
        if (length + 1 == sizeof(plain))
            return NULL;
        plain[length++] = (char)tolower((unsigned char)*name);
    }
    plain[length] = '\0';
    for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++) {
        if (strcmp(plain, charsets[i].name) == 0)
            return charsets[i].iconv_name;
    }
    return NULL;
}

static bool is_open(const struct charset_converter *converter)
{
    return (intptr_t)converter->handle != -1;
}

void charset_open(struct charset_converter *converter, const char *name)
{
    const char *iconv_name = name ? find_charset(name) : NULL;

    *converter = (struct charset_converter){.is_utf8 = true};
    if (!iconv_name)
        return;
    converter->handle = iconv_open("UTF-8", iconv_name);
    /* what this system doesn't know is as if it were not in the list */
    converter->is_utf8 = !is_open(converter) && errno == EINVAL;
}

void charset_close(struct charset_converter *converter)
{
    if (!converter->is_utf8 && is_open(converter))
        (void)iconv_close(converter->handle);
    *converter = (struct charset_converter){.is_utf8 = true};
}

size_t charset_append(struct charset_converter *converter, const char *bytes, size_t size,
                      struct buffer *out)
{
    char *cursor;
    size_t replaced = 0;

    if (converter->is_utf8)
        return text_append(out, bytes, size);
    if (!is_open(converter)) {
        out->failed = true;
        return 0;
    }
    memcpy(&cursor, &bytes, sizeof(cursor)); /* iconv's interface forgot the const */
    (void)iconv(converter->handle, NULL, NULL, NULL, NULL);
    while (size > 0) {
        char chunk[4096];
        char *end = chunk;
        size_t room = sizeof(chunk);
        size_t result = iconv(converter->handle, &cursor, &size, &end, &room);
        int problem = result == (size_t)-1 ? errno : 0;

        /* Checked again, because iconv makes characters beyond U+10FFFF. */
        replaced += text_append(out, chunk, (size_t)(end - chunk));
        if (problem == 0 || (problem == E2BIG && end > chunk))
            continue;
        buffer_append_text(out, TEXT_REPLACEMENT);
        replaced++;
        if (problem == EINVAL) /* the end cuts the last character */
            break;
        cursor++;
        size--;
    }
    return replaced;
}
