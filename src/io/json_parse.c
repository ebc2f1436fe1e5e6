/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON. jansson judges the text and takes it apart; its tree is copied into
 * one block of ours and dropped.
 *
 *     | values, the root first | members | strings, none longer than its source |
 *
 * Texts come from strangers, and a tree is many times as large as its text. So its
 * outline is looked at first: brackets and commas outside strings tell how many values
 * there can be, and what has far more than any file of ours is refused. The worst that
 * is left, a long list of one-digit numbers, takes some 55 bytes for each of its text.
 * jansson itself allocates from libc: its allocator is one for the process and belongs
 * to the host.
 */
#include "io/json.h"

#include <jansson.h>
#include <string.h>

#include "base/locale.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/json_tree.h"

#define MAX_DEPTH 32                    /* jansson and copy_value() recurse */
#define MAX_LISTS 1024                  /* the dearest values: 300 bytes for two of text */
#define MAX_VALUES ((size_t)1 << 18)    /* four times the largest vocabulary */

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
    if (*values > MAX_VALUES)
        return ur__fail(UR_EFORMAT, "json: up to %zu values; at most %zu are read", *values,
                        MAX_VALUES);
    return UR_OK;
}

/* ---- copying ----------------------------------------------------------- */

/* The parts of the block not yet used. */
struct block {
    struct ur__json *value;
    struct ur__json_member *member;
    char *text;
};

static char *copy_text(struct block *b, const char *from, size_t n)
{
    char *to = b->text;
    memcpy(to, from, n);
    to[n] = '\0';
    b->text += n + 1;
    return to;
}

static void copy_value(struct block *b, json_t *from, struct ur__json *to);

static void copy_list(struct block *b, json_t *from, size_t n, struct ur__json *to)
{
    const char *key;
    json_t *value;
    struct ur__json_member *member = b->member;
    to->u.list.members = member;
    to->u.list.n = to->u.list.capacity = n;
    b->member += n;
    if (to->kind == UR__JSON_OBJECT) {
        json_object_foreach(from, key, value) {
            *member = (struct ur__json_member){copy_text(b, key, strlen(key)), b->value++};
            copy_value(b, value, member++->value);
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        member[i] = (struct ur__json_member){NULL, b->value++};
        copy_value(b, json_array_get(from, i), member[i].value);
    }
}

static void copy_value(struct block *b, json_t *from, struct ur__json *to)
{
    *to = (struct ur__json){.kind = UR__JSON_NULL};
    switch (json_typeof(from)) {
    case JSON_NULL:
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        to->kind = UR__JSON_BOOL;
        to->u.boolean = json_is_true(from);
        break;
    case JSON_INTEGER:
        to->kind = UR__JSON_INT;
        to->u.integer = json_integer_value(from);
        break;
    case JSON_REAL:
        to->kind = UR__JSON_REAL;
        to->u.real = json_real_value(from);
        break;
    case JSON_STRING:
        to->kind = UR__JSON_STRING;
        to->u.string = copy_text(b, json_string_value(from), json_string_length(from));
        break;
    case JSON_ARRAY:
        to->kind = UR__JSON_ARRAY;
        copy_list(b, from, json_array_size(from), to);
        break;
    case JSON_OBJECT:
        to->kind = UR__JSON_OBJECT;
        copy_list(b, from, json_object_size(from), to);
        break;
    }
}

/* The same tree in our heap, of a text of n bytes; NULL without memory. */
static struct ur__json *copy_tree(json_t *from, size_t values, size_t n)
{
    /* No overflow: values is at most MAX_VALUES, and the text lies in memory. */
    size_t bytes = values * (sizeof(struct ur__json) + sizeof(struct ur__json_member));
    struct ur__json *root = ur__add(&bytes, bytes, n) ? ur__alloc(bytes, 1) : NULL;
    if (!root)
        return NULL;
    struct block b = {.value = root + 1, .member = (struct ur__json_member *)(root + values)};
    b.text = (char *)(b.member + values);
    copy_value(&b, from, root);
    UR__ASSERT((size_t)(b.value - root) <= values);
    UR__ASSERT((size_t)(b.text - (char *)root) <= bytes);
    root->parsed = true;
    return root;
}

/* ---- parsing ----------------------------------------------------------- */

ur_status ur__json_parse(struct ur__json **out, const char *text, size_t n)
{
    *out = NULL;
    /* jansson rejects a zero byte too, but its message ends there. */
    const char *zero = n ? memchr(text, '\0', n) : NULL;
    if (zero)
        return ur__fail(UR_EFORMAT, "json: a zero byte at offset %zu", (size_t)(zero - text));
    size_t values = 0;
    UR__TRY(count_values(text, n, &values));
    json_error_t error = {0};
    void *old = ur__locale_c();     /* jansson reads reals by strtod */
    json_t *parsed = json_loadb(n ? text : "", n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    ur__locale_restore(old);
    /* Most of its failed allocations jansson does not name: it then says nothing at all. */
    if (!parsed && (json_error_code(&error) == json_error_out_of_memory || !error.text[0]))
        return ur__fail(UR_ENOMEM, "out of memory: parsing json");
    if (!parsed)
        return ur__fail(UR_EFORMAT, "json: line %d, column %d: %s",
                        error.line, error.column, error.text);
    *out = copy_tree(parsed, values, n);
    json_decref(parsed);
    return *out ? UR_OK : UR_ENOMEM;
}
