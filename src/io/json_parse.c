/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON (RFC 8259) into a tree that is one block:
 *
 *     | values, the root first | members | strings, none longer than its source |
 *
 * Texts come from strangers, and a tree is many times as large as its text. So its
 * outline is looked at first: brackets and commas outside strings tell how many values
 * there can be, and what has far more than any file of ours is refused. The worst that
 * is left, a long list of one-digit numbers, takes some 40 bytes for each of its text.
 *
 * A reader of our own, since a library must do with memory what this one promises:
 * jansson 2.14 goes on where its token buffer cannot grow, and loses bytes, ends the
 * process or writes beyond a block; others take duplicate keys, or are in no package.
 */
#include "io/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/json_tree.h"

#define MAX_DEPTH 32                    /* read_value() recurses */
#define MAX_LISTS 65536                 /* an explained answer has one for each token */

/* ---- the outline ------------------------------------------------------- */

size_t ur__json_string_end(const char *text, size_t n, size_t at)
{
    for (at++; at < n && text[at] != '"'; at++)
        at += text[at] == '\\';
    return at < n ? at : n;
}

/* At most so many values will the parser make of the text. *values is right for JSON;
 * of other text the parser sees no more than was counted here. */
static ur_status count_values(const char *text, size_t n, size_t *values)
{
    size_t depth = 0, lists = 0, commas = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '"') {
            i = ur__json_string_end(text, n, i);
        } else if (c == '{' || c == '[') {
            lists++;
            if (++depth > MAX_DEPTH)
                return ur__fail(UR_EFORMAT, "json: at offset %zu nested deeper than %d", i,
                                MAX_DEPTH);
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else {
            commas += c == ',';
        }
    }
    *values = 1 + lists + commas;
    if (lists > MAX_LISTS)
        return ur__fail(UR_EFORMAT, "json: %zu lists and objects; at most %d are read", lists,
                        MAX_LISTS);
    if (*values > UR__JSON_MAX_VALUES)
        return ur__fail(UR_EFORMAT, "json: up to %zu values; at most %zu are read", *values,
                        UR__JSON_MAX_VALUES);
    return UR_OK;
}

/* ---- places ------------------------------------------------------------ */

struct parser {
    const char *text;
    size_t n, at;
    struct ur__json *value;             /* the parts of the block not yet used */
    struct ur__json_member *member;
    char *string;
    struct ur__json_member *open;       /* a stack: members of the lists that are open */
};

static ur_status fail_at(const struct parser *p, size_t at, const char *what)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        bool new_line = p->text[i] == '\n';
        line += new_line;
        /* Characters, not bytes: those that go on one are not counted. */
        column = new_line ? 1 : column + ((p->text[i] & 0xC0) != 0x80);
    }
    return ur__fail(UR_EFORMAT, "json: line %zu, column %zu: %s%s", line, column, what,
                    at == p->n ? ", but the text ends" : "");
}

static ur_status fail(const struct parser *p, const char *what)
{
    return fail_at(p, p->at, what);
}

/* The next byte; 0 at the end, for the text has none. */
static char peek(const struct parser *p)
{
    return p->at < p->n ? p->text[p->at] : '\0';
}

static void skip_space(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r')
        p->at++;
}

static bool take(struct parser *p, char c)
{
    bool there = peek(p) == c;
    p->at += there;
    return there;
}

/* ---- numbers and words ------------------------------------------------- */

static size_t skip_digits(struct parser *p)
{
    size_t from = p->at;
    while (peek(p) >= '0' && peek(p) <= '9')
        p->at++;
    return p->at - from;
}

static bool take_integer(struct parser *p)
{
    (void)take(p, '-');
    return take(p, '0') || skip_digits(p) > 0;
}

static bool take_fraction(struct parser *p)
{
    return !take(p, '.') || skip_digits(p) > 0;
}

static bool take_exponent(struct parser *p)
{
    if (!take(p, 'e') && !take(p, 'E'))
        return true;
    if (!take(p, '+'))
        (void)take(p, '-');
    return skip_digits(p) > 0;
}

static ur_status read_number(struct parser *p, struct ur__json *to)
{
    size_t from = p->at;
    if (!take_integer(p))
        return fail_at(p, from, "a value expected");
    size_t whole = p->at;
    if (!take_fraction(p) || !take_exponent(p))
        return fail(p, "a digit expected");
    /* Where the next string will be is room for the number and a zero. */
    memcpy(p->string, p->text + from, p->at - from);
    p->string[p->at - from] = '\0';
    to->kind = whole == p->at ? UR__JSON_INT : UR__JSON_REAL;
    if (to->kind == UR__JSON_INT ? ur__parse_int(p->string, &to->u.integer)
                                 : ur__parse_real(p->string, &to->u.real))
        return UR_OK;
    return fail_at(p, from, "the number is too large");
}

static ur_status read_word(struct parser *p, struct ur__json *to)
{
    static const struct {
        const char *word;
        enum ur__json_kind kind;
        bool boolean;
    } words[] = {
        {"true", UR__JSON_BOOL, true},
        {"false", UR__JSON_BOOL, false},
        {"null", UR__JSON_NULL, false},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].word);
        if (p->n - p->at >= n && memcmp(p->text + p->at, words[i].word, n) == 0) {
            p->at += n;
            to->kind = words[i].kind;
            to->u.boolean = words[i].boolean;
            return UR_OK;
        }
    }
    return fail(p, "a value expected");
}

/* ---- strings ----------------------------------------------------------- */

/* The four digits at p->at + 2 of an escape `\u`; UINT32_MAX if they are none. */
static uint32_t peek_unit(const struct parser *p)
{
    uint32_t unit = 0;
    if (p->n - p->at < 6 || p->text[p->at] != '\\' || p->text[p->at + 1] != 'u')
        return UINT32_MAX;
    for (size_t i = 2; i < 6; i++) {
        char c = p->text[p->at + i];
        if (c >= '0' && c <= '9')
            unit = 16 * unit + (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            unit = 16 * unit + (uint32_t)((c | 32) - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return unit;
}

/* `\u` with its digits, or a pair of them for what lies beyond U+FFFF. */
static ur_status read_unit(struct parser *p)
{
    size_t from = p->at;
    uint32_t code = peek_unit(p);
    if (code == UINT32_MAX)
        return fail(p, "four hexadecimal digits expected");
    if (code == 0)
        return fail(p, "U+0000 in a string");
    p->at += 6;
    if (code >= 0xD800 && code < 0xDC00) {
        uint32_t low = peek_unit(p);
        if (low < 0xDC00 || low > 0xDFFF)
            return fail_at(p, from, "half of a surrogate pair");
        p->at += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    int n = ur__utf8_encode(code, (unsigned char *)p->string);
    if (n == 0)
        return fail_at(p, from, "half of a surrogate pair");
    p->string += n;
    return UR_OK;
}

static ur_status read_escape(struct parser *p)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = p->n - p->at >= 2 ? p->text[p->at + 1] : '\0';
    if (c == 'u')
        return read_unit(p);
    const char *known = c ? strchr(from, c) : NULL;
    if (!known)
        return fail(p, "unknown escape");
    *p->string++ = to[known - from];
    p->at += 2;
    return UR_OK;
}

static ur_status read_character(struct parser *p)
{
    uint32_t code;
    int n = ur__utf8_decode((const unsigned char *)p->text + p->at, p->n - p->at, &code);
    if (n < 1)
        return fail(p, "malformed UTF-8");
    memcpy(p->string, p->text + p->at, (size_t)n);
    p->string += n;
    p->at += (size_t)n;
    return UR_OK;
}

/* At its opening quote. The text is the block's. */
static ur_status read_string(struct parser *p, char **out)
{
    *out = p->string;
    p->at++;
    while (peek(p) != '"') {
        char c = peek(p);
        if (p->at == p->n)
            return fail(p, "'\"' expected");
        if (c == '\\')
            UR__TRY(read_escape(p));
        else if ((unsigned char)c < 0x20)
            return fail(p, "a control character in a string");
        else
            UR__TRY(read_character(p));
    }
    p->at++;
    *p->string++ = '\0';
    return UR_OK;
}

/* ---- lists ------------------------------------------------------------- */

static ur_status read_value(struct parser *p, struct ur__json *to);

static int compare_keys(const void *a, const void *b)
{
    const struct ur__json_member *x = a, *y = b;
    return strcmp(x->key, y->key);
}

/* Sorts n members; their order is kept elsewhere. */
static bool has_twice(struct ur__json_member *member, size_t n)
{
    qsort(member, n, sizeof *member, compare_keys);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(member[i - 1].key, member[i].key) == 0)
            return true;
    }
    return false;
}

static ur_status read_member(struct parser *p, bool object)
{
    struct ur__json_member member = {NULL, p->value++};
    skip_space(p);
    if (object) {
        if (peek(p) != '"')
            return fail(p, "a key in quotes expected");
        UR__TRY(read_string(p, &member.key));
        skip_space(p);
        if (!take(p, ':'))
            return fail(p, "':' expected");
    }
    *p->open++ = member;
    return read_value(p, member.value);
}

/* At its opening bracket. Its members wait on the stack until their number is known. */
static ur_status read_list(struct parser *p, struct ur__json *to)
{
    bool object = peek(p) == '{';
    size_t from = p->at++;
    struct ur__json_member *first = p->open;
    char close = object ? '}' : ']';
    skip_space(p);
    for (bool more = !take(p, close); more; ) {
        UR__TRY(read_member(p, object));
        skip_space(p);
        more = take(p, ',');
        if (!more && !take(p, close))
            return fail(p, object ? "',' or '}' expected" : "',' or ']' expected");
    }
    size_t n = (size_t)(p->open - first);
    to->kind = object ? UR__JSON_OBJECT : UR__JSON_ARRAY;
    to->u.list.members = p->member;
    to->u.list.n = to->u.list.capacity = n;
    if (n)
        memcpy(p->member, first, n * sizeof *first);
    p->member += n;
    p->open = first;
    if (object && has_twice(first, n))
        return fail_at(p, from, "a duplicate key in this object");
    return UR_OK;
}

static ur_status read_value(struct parser *p, struct ur__json *to)
{
    *to = (struct ur__json){.kind = UR__JSON_NULL};
    skip_space(p);
    switch (peek(p)) {
    case '{':
    case '[':
        return read_list(p, to);
    case '"':
        to->kind = UR__JSON_STRING;
        return read_string(p, &to->u.string);
    case 't':
    case 'f':
    case 'n':
        return read_word(p, to);
    default:
        return read_number(p, to);
    }
}

/* ---- parsing ----------------------------------------------------------- */

static ur_status read_all(struct parser *p, struct ur__json *root)
{
    p->value = root + 1;
    UR__TRY(read_value(p, root));
    root->parsed = true;
    skip_space(p);
    return p->at < p->n ? fail(p, "the end expected") : UR_OK;
}

ur_status ur__json_parse(struct ur__json **out, const char *text, size_t n)
{
    *out = NULL;
    const char *zero = n ? memchr(text, '\0', n) : NULL;
    if (zero)
        return ur__fail(UR_EFORMAT, "json: a zero byte at offset %zu", (size_t)(zero - text));
    size_t values = 0;
    UR__TRY(count_values(text, n, &values));
    /* No overflow: values is at most UR__JSON_MAX_VALUES, and the text lies in memory. */
    size_t bytes = values * (sizeof(struct ur__json) + sizeof(struct ur__json_member));
    struct ur__json *root = ur__add(&bytes, bytes, n + 1) ? ur__alloc(bytes, 1) : NULL;
    struct ur__json_member *open = root ? ur__alloc(values, sizeof *open) : NULL;
    ur_status status = UR_ENOMEM;
    if (open) {
        struct parser p = {.text = text, .n = n, .open = open};
        p.member = (struct ur__json_member *)(root + values);
        p.string = (char *)(p.member + values);
        status = read_all(&p, root);
        UR__ASSERT((size_t)(p.value - root) <= values);
        UR__ASSERT((size_t)(p.string - (char *)root) <= bytes);
    }
    ur__free(open);
    if (status != UR_OK)
        ur__free(root);
    else
        *out = root;
    return status;
}
