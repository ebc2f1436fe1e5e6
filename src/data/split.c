/* SPDX-License-Identifier: MIT */
/*
 * Words end at white space; with UR_TOKEN_WORDPUNCT each punctuation character is a
 * token of its own, but for an apostrophe between two letters and a point or comma
 * between two digits (Unicode Standard Annex 29, rules WB6, WB7, WB11 and WB12, cut down
 * to these signs).
 */
#include "data/split.h"

#include <string.h>

#include "base/status.h"
#include "base/text.h"

/* ---- kinds of characters ----------------------------------------------- */

struct range {
    uint32_t first, last;
};

static bool is_within(const struct range *list, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n && list[i].first <= code; i++) {
        if (code <= list[i].last)
            return true;
    }
    return false;
}

bool ur__is_space(uint32_t code)
{
    static const struct range space[] = {
        {0, 0x20}, {0x7f, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200b}, {0x2028, 0x2029},
        {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff},
    };
    if (code < 0x7f)
        return code <= 0x20;
    return is_within(space, sizeof space / sizeof *space, code);
}

/* Not among them: the low line, which names are written with, and what Latin-1 has of
 * letters and numbers between its signs. */
bool ur__is_punctuation(uint32_t code)
{
    static const struct range sign[] = {
        {0x21, 0x2f}, {0x3a, 0x40}, {0x5b, 0x5e}, {0x60, 0x60}, {0x7b, 0x7e}, {0xa1, 0xa9},
        {0xab, 0xac}, {0xae, 0xb1}, {0xb4, 0xb4}, {0xb6, 0xb8}, {0xbb, 0xbb}, {0xbf, 0xbf},
        {0xd7, 0xd7}, {0xf7, 0xf7}, {0x2010, 0x2027}, {0x2030, 0x205e}, {0x20a0, 0x20cf},
        {0x2190, 0x23ff}, {0x2500, 0x27ff}, {0x2900, 0x2bff}, {0x2e00, 0x2e7f},
        {0x3001, 0x3003}, {0x3008, 0x3020}, {0xfe30, 0xfe4f}, {0xff01, 0xff0f},
        {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff65},
    };
    return is_within(sign, sizeof sign / sizeof *sign, code);
}

static bool is_digit(uint32_t code)
{
    return code >= '0' && code <= '9';
}

static bool is_apostrophe(uint32_t code)
{
    return code == '\'' || code == 0x2019;
}

/* ---- splitting --------------------------------------------------------- */

static void add(struct ur__splitter *s, uint32_t code, const char *bytes, size_t n)
{
    if (s->n <= UR__WORD_MAX - n)
        memcpy(s->word + s->n, bytes, n);
    s->n = s->n <= UR__WORD_MAX ? s->n + n : s->n;
    s->last = code;
}

static ur_status give(struct ur__splitter *s, const char *text)
{
    return s->on_word(s->user, text, strlen(text));
}

static ur_status end_word(struct ur__splitter *s)
{
    size_t n = s->n;
    s->n = 0;
    if (n > UR__WORD_MAX)
        return give(s, UR__UNKNOWN_TEXT);
    return n ? s->on_word(s->user, s->word, n) : UR_OK;
}

/* May a sign be followed by `code` within a word that ends with s->last? */
static bool may_join(const struct ur__splitter *s, uint32_t sign, uint32_t code)
{
    if (is_apostrophe(sign))
        return !ur__is_space(code) && !ur__is_punctuation(code);
    return is_digit(s->last) && is_digit(code);
}

/* The sign that was held belongs to the word, or ends it. */
static ur_status release(struct ur__splitter *s, bool inside)
{
    unsigned char bytes[4];
    uint32_t code = s->held;
    size_t n = (size_t)ur__utf8_encode(code, bytes);
    s->held = 0;
    if (inside) {
        add(s, code, (const char *)bytes, n);
        return UR_OK;
    }
    UR__TRY(end_word(s));
    return s->on_word(s->user, (const char *)bytes, n);
}

ur_status ur__split_put(struct ur__splitter *s, uint32_t code, const char *bytes, size_t n)
{
    if (s->held)
        UR__TRY(release(s, may_join(s, s->held, code)));
    if (ur__is_space(code)) {
        UR__TRY(end_word(s));
        return code == '\n' ? give(s, UR__LINE_END_TEXT) : UR_OK;
    }
    if (!s->punctuation || !ur__is_punctuation(code)) {
        add(s, code, bytes, n);
        return UR_OK;
    }
    if (s->n > 0 && (is_apostrophe(code) || ((code == '.' || code == ',') && is_digit(s->last)))) {
        s->held = code;
        return UR_OK;
    }
    UR__TRY(end_word(s));
    return s->on_word(s->user, bytes, n);
}

ur_status ur__split_end(struct ur__splitter *s)
{
    if (s->held)
        UR__TRY(release(s, false));
    return end_word(s);
}

/* ---- joining ----------------------------------------------------------- */

/* Signs without a space before them, and those without one after them. */
static bool is_close_left(uint32_t code)
{
    static const uint32_t list[] = {
        '!', '%', '\'', ')', ',', '-', '.', '/', ':', ';', '?', ']', '}', 0xbb, 0x2013, 0x2014,
        0x2019, 0x201d, 0x2026,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (list[i] == code)
            return true;
    }
    return code >= 0x3000 && ur__is_punctuation(code);
}

static bool is_close_right(uint32_t code)
{
    static const uint32_t list[] = {
        '#', '$', '(', '-', '/', '@', '[', '{', 0xa1, 0xa3, 0xab, 0xbf, 0x2013, 0x2014, 0x2018,
        0x201c, 0x201e, 0x20ac,
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (list[i] == code)
            return true;
    }
    return code >= 0x3000 && ur__is_punctuation(code);
}

/* The only character of a token; 0: it has more. */
static uint32_t only_character(const char *text, size_t n)
{
    uint32_t code = 0;
    return ur__utf8_decode((const unsigned char *)text, n, &code) == (int)n ? code : 0;
}

bool ur__join_space(ur_join *join, ur_token_kind kind, const char *text, size_t n)
{
    uint32_t sign = kind == UR_TOKEN_WORDPUNCT ? only_character(text, n) : 0;
    bool left = is_close_left(sign), right = is_close_right(sign);
    if (sign == '"') {      /* the second of a line closes what the first opened */
        left = join->quoted;
        right = !join->quoted;
        join->quoted = !join->quoted;
    }
    bool space = join->space && !left;
    join->space = !right;
    return space;
}
