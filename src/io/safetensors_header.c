/* SPDX-License-Identifier: MIT */
/*
 * The header of a safetensors file:
 *
 *   {"__metadata__":{"key":"text",...},
 *    "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},...}
 *
 * It is hostile until shown otherwise, so it is never parsed as a whole: a header of
 * 16 MiB would make a tree of a gigabyte. It is cut at its outer commas, and each member
 * is made an object of its own in place, by a brace at either end, that the parser judges:
 * what has all its members right in this way is right JSON. Only __metadata__ is kept
 * as a tree, of a tensor a struct that is smaller than its text.
 *
 * Each tensor's size is computed without overflow and compared with its offsets, unless its
 * type is not known; then the tensors, in order of offset, must tile the data without gap or
 * overlap, and no two have the same name.
 */
#include "io/safetensors_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/json.h"

#define MAX_DEPTH 32                /* the parser's */
#define MAX_TYPE 16                 /* characters of a type's name */
#define MAX_NUMBERS (UINT64_MAX / 64)   /* in a tensor: none has more than 64 bits */

/* What is needed while reading only. */
struct reading {
    struct ur__st_header *h;
    const char *path;
    uint64_t data_size;
    size_t capacity;                /* of h->tensors */
    size_t n_names;                 /* bytes of h->names */
    bool has_metadata;
    struct ur__json *member;        /* at work */
};

static ur_status malformed(const struct reading *r, const char *fault)
{
    return ur__fail(UR_EFORMAT, "%s: not a safetensors file: %s", r->path, fault);
}

static ur_status bad_tensor(const struct reading *r, const char *name, const char *fault)
{
    return ur__fail(UR_EFORMAT, "%s: tensor \"%.80s\": %s", r->path, name, fault);
}

/* ---- a tensor ---------------------------------------------------------- */

/* It would reach a terminal. */
const char *ur__st_name_fault(const char *name)
{
    return ur__is_plain(name) ? NULL : "its name has characters that cannot be shown";
}

static bool is_type_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= MAX_TYPE &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static const char *read_shape(const struct ur__json *j, struct ur__st_tensor *t)
{
    uint64_t product = 1;
    bool empty = false;
    if (!j)
        return "it has no shape";
    if (!ur__json_is_array(j))
        return "its shape is not a list";
    size_t rank = ur__json_size(j);
    t->rank = rank <= UR__ST_MAX_RANK ? (int)rank : -1;
    for (size_t i = 0; i < rank; i++) {
        int64_t dim;
        if (!ur__json_int(ur__json_at(j, i), &dim) || dim < 0)
            return "its shape has a dimension that is not a size";
        if (t->rank >= 0)
            t->dim[i] = (uint64_t)dim;
        empty = empty || dim == 0;
        /* Without the zeros, so that [0, 2^62, 2^62] does not pass. */
        if (dim > 0 && product > MAX_NUMBERS / (uint64_t)dim)
            return "its shape is larger than any memory";
        product *= dim > 0 ? (uint64_t)dim : 1;
    }
    t->n = empty ? 0 : product;
    return NULL;
}

static const char *read_offsets(const struct ur__json *j, uint64_t data_size,
                                struct ur__st_tensor *t)
{
    int64_t begin, end;
    if (!ur__json_is_array(j) || ur__json_size(j) != 2 ||
        !ur__json_int(ur__json_at(j, 0), &begin) || !ur__json_int(ur__json_at(j, 1), &end))
        return "it has no data_offsets of two whole numbers";
    if (begin < 0 || end < begin)
        return "its data_offsets run backwards";
    if ((uint64_t)end > data_size)
        return "its data_offsets lie beyond the end of the file";
    t->offset = (uint64_t)begin;
    t->bytes = (uint64_t)(end - begin);
    return NULL;
}

static struct ur__st_tensor *new_tensor(struct reading *r)
{
    struct ur__st_header *h = r->h;
    if (h->n == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 32;
        struct ur__st_tensor *more = ur__realloc(h->tensors, capacity, sizeof *more);
        if (!more)
            return NULL;
        h->tensors = more;
        r->capacity = capacity;
    }
    h->tensors[h->n] = (struct ur__st_tensor){.rank = 0};
    return &h->tensors[h->n++];
}

/* Names of tensors and types, each with a zero, are no longer than in the header, which has
 * quotes around them. */
static const char *keep_name(struct reading *r, const char *name)
{
    size_t n = strlen(name) + 1;
    char *to = memcpy(r->h->names + r->n_names, name, n);
    r->n_names += n;
    return to;
}

/* Other keys than the three are ignored, as everybody does. */
static ur_status read_tensor(struct reading *r, const char *name, const struct ur__json *j)
{
    const char *type, *fault = ur__st_name_fault(name);
    unsigned bits;
    if (fault)
        return bad_tensor(r, name, fault);
    if (!ur__json_is_object(j))
        return bad_tensor(r, name, "it is not an object of dtype, shape and data_offsets");
    struct ur__st_tensor *t = new_tensor(r);
    if (!t)
        return UR_ENOMEM;
    if (!ur__json_get_string(j, "dtype", &type))
        return bad_tensor(r, name, "it has no dtype");
    if (!is_type_name(type))
        return ur__fail(UR_EFORMAT, "%s: tensor \"%.80s\": dtype \"%.20s\" is not a type's name",
                        r->path, name, type);
    t->name = keep_name(r, name);
    t->type_name = keep_name(r, type);
    t->type = ur__dtype_find(type, &bits);
    fault = read_shape(ur__json_get(j, "shape"), t);
    if (!fault)
        fault = read_offsets(ur__json_get(j, "data_offsets"), r->data_size, t);
    if (!fault && bits && (t->n * bits % 8 != 0 || t->n * bits / 8 != t->bytes))
        fault = "its shape and its data_offsets disagree";
    return fault ? bad_tensor(r, name, fault) : UR_OK;
}

/* ---- metadata ---------------------------------------------------------- */

struct strings {
    const struct reading *reading;
    struct ur__st_string *end;
};

static ur_status read_string(void *user, const char *key, const struct ur__json *value)
{
    struct strings *s = user;
    s->end->key = key;
    if (!ur__json_string(value, &s->end->value))
        return ur__fail(UR_EFORMAT, "%s: __metadata__ \"%.80s\" is not a string",
                        s->reading->path, key);
    s->end++;
    return UR_OK;
}

static ur_status read_metadata(struct reading *r, const struct ur__json *j)
{
    struct ur__st_header *h = r->h;
    if (r->has_metadata)
        return malformed(r, "it has __metadata__ twice");
    r->has_metadata = true;
    if (ur__json_is_null(j))
        return UR_OK;
    if (!ur__json_is_object(j))
        return malformed(r, "its __metadata__ is not an object");
    h->n_meta = ur__json_size(j);
    struct ur__st_string *meta = ur__calloc(h->n_meta, sizeof *meta);
    h->meta = meta;
    h->metadata = r->member;        /* from now on the header's to free */
    r->member = NULL;
    struct strings s = {r, meta};
    return meta ? ur__json_each(j, read_string, &s) : UR_ENOMEM;
}

/* ---- the members ------------------------------------------------------- */

static ur_status take_member(void *user, const char *key, const struct ur__json *value)
{
    struct reading *r = user;
    return strcmp(key, "__metadata__") == 0 ? read_metadata(r, value)
                                            : read_tensor(r, key, value);
}

/* An object of one member, n bytes that begin at byte `at` of the header. */
static ur_status read_member(struct reading *r, const char *text, size_t at, size_t n)
{
    ur_status status = ur__json_parse(&r->member, text + at, n);
    if (status == UR_EFORMAT)
        return ur__fail(UR_EFORMAT, "%s: not a safetensors file: its header, from byte %zu on, "
                        "is %s", r->path, at, ur_errmsg());
    UR__TRY(status);
    status = ur__json_size(r->member) == 1
                 ? ur__json_each(r->member, take_member, r)
                 : malformed(r, "its header has a comma without a member");
    ur__json_free(r->member);
    r->member = NULL;
    return status;
}

/* The member that begins after `at` ends at a comma or, the last one, at the header's
 * last byte. *end is that place. */
static const char *find_end(const char *text, size_t n, size_t at, size_t *end)
{
    size_t depth = 1;
    for (size_t i = at + 1; i < n; i++) {
        char c = text[i];
        *end = i;
        if (c == '"') {
            i = ur__json_string_end(text, n, i);
        } else if (c == '{' || c == '[') {
            if (++depth > MAX_DEPTH)
                return "its header is nested too deeply";
        } else if (c == '}' || c == ']') {
            if (--depth == 0)
                return i == n - 1 ? NULL : "other than white space follows its header";
        } else if (c == ',' && depth == 1) {
            return NULL;
        }
    }
    return "its header ends within a member";
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Of an object from text[begin] to text[n-1]. */
static ur_status read_members(struct reading *r, char *text, size_t begin, size_t n)
{
    size_t first = begin + 1;
    while (is_blank(text[first]))
        first++;
    if (first == n - 1)
        return UR_OK;
    for (size_t at = begin, end; at < n - 1; at = end) {
        const char *fault = find_end(text, n, at, &end);
        if (fault)
            return malformed(r, fault);
        text[at] = '{';
        text[end] = '}';
        UR__TRY(read_member(r, text, at, end + 1 - at));
    }
    return UR_OK;
}

/* ---- order ------------------------------------------------------------- */

/* By offset; empty tensors before the one that begins there. */
static int compare_offsets(const void *a, const void *b)
{
    const struct ur__st_tensor *s = a, *t = b;
    if (s->offset != t->offset)
        return s->offset < t->offset ? -1 : 1;
    if (s->bytes != t->bytes)
        return s->bytes < t->bytes ? -1 : 1;
    return strcmp(s->name, t->name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const struct ur__st_tensor *const *)a)->name,
                  (*(const struct ur__st_tensor *const *)b)->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const struct ur__st_string *const *)a)->key,
                  (*(const struct ur__st_string *const *)b)->key);
}

static ur_status sort(struct reading *r)
{
    struct ur__st_header *h = r->h;
    h->by_name = ur__alloc(h->n, sizeof *h->by_name);
    h->by_key = ur__alloc(h->n_meta, sizeof *h->by_key);
    if (!h->by_name || !h->by_key)
        return UR_ENOMEM;
    if (h->n > 0)   /* else there is no array */
        qsort(h->tensors, h->n, sizeof *h->tensors, compare_offsets);
    for (size_t i = 0; i < h->n; i++)
        h->by_name[i] = &h->tensors[i];
    for (size_t i = 0; i < h->n_meta; i++)
        h->by_key[i] = &h->meta[i];
    qsort(h->by_name, h->n, sizeof *h->by_name, compare_names);
    qsort(h->by_key, h->n_meta, sizeof *h->by_key, compare_keys);
    return UR_OK;
}

static ur_status check_order(const struct reading *r)
{
    const struct ur__st_header *h = r->h;
    uint64_t end = 0;
    for (size_t i = 1; i < h->n; i++) {
        if (strcmp(h->by_name[i - 1]->name, h->by_name[i]->name) == 0)
            return bad_tensor(r, h->by_name[i]->name, "there are two of this name");
    }
    for (size_t i = 0; i < h->n; i++) {
        const struct ur__st_tensor *t = &h->tensors[i];
        if (t->offset != end)
            return bad_tensor(r, t->name, t->offset < end ? "its data overlap another's"
                                                          : "there is a gap before its data");
        end += t->bytes;
    }
    return end == r->data_size ? UR_OK : malformed(r, "bytes follow the last tensor");
}

/* ---- the whole --------------------------------------------------------- */

ur_status ur__st_header_read(struct ur__st_header *h, const char *path, char *text, size_t n,
                             uint64_t data_size)
{
    struct reading r = {.h = h, .path = path, .data_size = data_size};
    size_t begin = 0;
    *h = (struct ur__st_header){.n = 0};
    while (begin < n && is_blank(text[begin]))
        begin++;
    if (begin == n || text[begin] != '{')
        return malformed(&r, "its header does not begin with a brace");
    while (is_blank(text[n - 1]))
        n--;
    if (text[n - 1] != '}')
        return malformed(&r, "its header does not end with a brace");
    h->names = ur__alloc(n, 1);
    if (!h->names)
        return UR_ENOMEM;
    ur_status status = read_members(&r, text, begin, n);
    if (status == UR_OK)
        status = sort(&r);
    return status == UR_OK ? check_order(&r) : status;
}

void ur__st_header_free(struct ur__st_header *h)
{
    ur__json_free(h->metadata);
    ur__free((void *)(uintptr_t)h->meta);
    ur__free(h->by_key);
    ur__free(h->tensors);
    ur__free(h->by_name);
    ur__free(h->names);
    *h = (struct ur__st_header){.n = 0};
}

const struct ur__st_tensor *ur__st_header_find(const struct ur__st_header *h, const char *name)
{
    const struct ur__st_tensor key = {.name = name}, *wanted = &key;
    const struct ur__st_tensor **found =
        bsearch(&wanted, h->by_name, h->n, sizeof *h->by_name, compare_names);
    return found ? *found : NULL;
}

const char *ur__st_header_meta(const struct ur__st_header *h, const char *key)
{
    const struct ur__st_string wanted = {.key = key}, *at = &wanted;
    const struct ur__st_string **found =
        bsearch(&at, h->by_key, h->n_meta, sizeof *h->by_key, compare_keys);
    return found ? (*found)->value : NULL;
}
