#include "http/etag.h"

#include "base/text.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- making a tag ---- */

/* Two lanes of multiply and shift, with odd factors of many bits: each step can be undone, so
 * no two words give the same lane. */
#define LANE_1   0x6a09e667f3bcc909U /* the fractions of the square roots of 2, */
#define LANE_2   0xbb67ae8584caa73bU /* of 3, */
#define FACTOR_1 0x3c6ef372fe94f82bU /* of 5, */
#define FACTOR_2 0xa54ff53a5f1d36f1U /* of 7 */

#define LANE_DIGITS 16

struct hash {
    uint64_t lanes[2];
};

static uint64_t stir(uint64_t lane, uint64_t word, uint64_t factor)
{
    lane = (lane ^ word) * factor;
    return lane ^ (lane >> 32);
}

static void add_word(struct hash *hash, uint64_t word)
{
    hash->lanes[0] = stir(hash->lanes[0], word, FACTOR_1);
    hash->lanes[1] = stir(hash->lanes[1], word, FACTOR_2);
}

static struct hash hash_bytes(const char *bytes, size_t size)
{
    struct hash hash = {
        {LANE_1, LANE_2}
    };
    const char *end = bytes + size;
    uint64_t word;

    for (; (size_t)(end - bytes) >= sizeof(word); bytes += sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        add_word(&hash, le64toh(word));
    }
    word = 0;
    if (bytes < end)
        memcpy(&word, bytes, (size_t)(end - bytes));
    add_word(&hash, le64toh(word));
    add_word(&hash, size);
    add_word(&hash, hash.lanes[0] ^ hash.lanes[1]); /* so that both tell of the last words */
    return hash;
}

void http_etag_write(char etag[HTTP_ETAG_SIZE], const void *bytes, size_t size)
{
    struct hash hash = hash_bytes(bytes, size);

    etag[0] = '"';
    text_write_hex(etag + 1, hash.lanes[0], LANE_DIGITS);
    text_write_hex(etag + 1 + LANE_DIGITS, hash.lanes[1], LANE_DIGITS);
    memcpy(etag + 1 + 2 * LANE_DIGITS, "\"", 2);
}

void http_etag_add_form(char etag[HTTP_ETAG_SIZE], const char *form)
{
    size_t length = strlen(etag) - 1; /* without the last quote */

    (void)snprintf(etag + length, HTTP_ETAG_SIZE - length, "-%s\"", form);
}

/* ---- reading a list ---- */

struct tag {
    const char *text; /* from its first quote */
    size_t length;    /* to its last one */
    bool is_weak;
};

/* Reads the tag at *text, and moves on behind it. */
static bool read_tag(const char **text, struct tag *tag)
{
    const char *next = *text;

    tag->is_weak = next[0] == 'W' && next[1] == '/';
    tag->text = tag->is_weak ? next + 2 : next;
    if (*tag->text != '"')
        return false;
    next = tag->text + 1;
    while ((unsigned char)*next > ' ' && *next != '"' && *next != 0x7f)
        next++;
    tag->length = (size_t)(next + 1 - tag->text);
    *text = next + 1;
    return *next == '"';
}

/* The next tag of the list, whose members may be empty (RFC 9110, section 5.6.1.2). False at
 * its end and where it is malformed; then *text is not at the end. */
static bool next_tag(const char **text, struct tag *tag)
{
    const char *next = *text + strspn(*text, ", \t");
    const char *after;

    *text = next;
    if (*next == '\0' || !read_tag(&next, tag))
        return false;
    after = next + strspn(next, " \t");
    if (*after != ',' && *after != '\0')
        return false;
    *text = after;
    return true;
}

bool http_etags_are_any(const char *list)
{
    list += strspn(list, " \t");
    return *list == '*' && list[1 + strspn(list + 1, " \t")] == '\0';
}

bool http_etags_are_valid(const char *list)
{
    struct tag tag;

    if (http_etags_are_any(list))
        return true;
    while (next_tag(&list, &tag))
        continue;
    return *list == '\0';
}

/* One that http_etag_add_form has added, or none: the indentation, gzip, or both. */
static bool is_form(const char *text, size_t length)
{
    if (length > 7 && memcmp(text, "-indent", 7) == 0 && text[7] >= '1' && text[7] <= '8') {
        text += 8;
        length -= 8;
    }
    return length == 0 || (length == 5 && memcmp(text, "-gzip", 5) == 0);
}

/* Of `etag`, so many bytes must be equal; a form may follow when it is not all of them. */
static bool is_same(const struct tag *tag, const char *etag, size_t length,
                    enum http_etag_comparison comparison)
{
    if (tag->is_weak && comparison == HTTP_ETAG_STRONG)
        return false;
    if (tag->length < length || memcmp(tag->text, etag, length) != 0)
        return false;
    return etag[length] == '\0' ? tag->length == length
                                : is_form(tag->text + length, tag->length - length - 1);
}

static bool name(const char *list, const char *etag, size_t length,
                 enum http_etag_comparison comparison)
{
    const char *next = list;
    struct tag tag;

    if (!list || !http_etags_are_valid(list))
        return false;
    if (http_etags_are_any(list))
        return true;
    while (next_tag(&next, &tag))
        if (is_same(&tag, etag, length, comparison))
            return true;
    return false;
}

bool http_etags_name(const char *list, const char *etag, enum http_etag_comparison comparison)
{
    return name(list, etag, strlen(etag), comparison);
}

bool http_etags_name_state(const char *list, const char *etag,
                           enum http_etag_comparison comparison)
{
    return name(list, etag, strlen(etag) - 1, comparison);
}
