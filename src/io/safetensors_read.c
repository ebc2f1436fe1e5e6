/* SPDX-License-Identifier: MIT */
/*
 * Reading safetensors.
 *
 *   8 bytes      N, little-endian
 *   N bytes      {"__metadata__":{...},"name":{"dtype":..,"shape":[..],
 *                "data_offsets":[begin,end]},...} and spaces
 *   the rest     the tensors' bytes; offsets count from here
 *
 * The file is hostile until shown otherwise. In order: N is checked against the
 * file and the cap; the header's outline is scanned, so that no text makes the
 * parser's tree much larger than itself; it is parsed; each tensor's size is
 * computed without overflow and compared with its offsets; and the tensors, in
 * order of offset, must tile the data without gap or overlap. No memory is taken
 * for data that the file does not have.
 * Invariant: `tensors` is in file order; `by_name` points into it, sorted.
 */
#include "io/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"
#include "io/json.h"

#define MAX_HEADER ((uint64_t)16 << 20)
#define MAX_NAME 1024
#define MAX_DEPTH 3                 /* header, tensor, shape */
#define MAX_COMMAS ((size_t)1 << 18)    /* outside arrays: some 80 000 tensors */
#define CHUNK ((size_t)32 << 10)

struct ur__st_file {
    struct ur__raw raw;
    uint64_t data_begin, data_size;
    struct ur__json *header;        /* owns all names and metadata */
    const struct ur__json *meta;    /* NULL: none */
    const char **meta_keys;
    size_t n, n_meta;               /* filled so far while the header is read */
    struct ur__st_tensor *tensors;
    const struct ur__st_tensor **by_name;
};

/* ---- types ------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [UR__F64] = {"F64", 8}, [UR__F32] = {"F32", 4},
    [UR__F16] = {"F16", 2}, [UR__BF16] = {"BF16", 2},
    [UR__I64] = {"I64", 8}, [UR__I32] = {"I32", 4}, [UR__I16] = {"I16", 2}, [UR__I8] = {"I8", 1},
    [UR__U64] = {"U64", 8}, [UR__U32] = {"U32", 4}, [UR__U16] = {"U16", 2}, [UR__U8] = {"U8", 1},
    [UR__BOOL] = {"BOOL", 1},
};

size_t ur__dtype_size(enum ur__dtype type)
{
    return dtypes[type].size;
}

const char *ur__dtype_name(enum ur__dtype type)
{
    return dtypes[type].name;
}

enum ur__dtype ur__st_real_type(void)
{
    return sizeof(ur_real) == sizeof(float) ? UR__F32 : UR__F64;
}

static bool find_dtype(const char *name, enum ur__dtype *out)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            *out = (enum ur__dtype)i;
            return true;
        }
    }
    return false;
}

/* ---- the header -------------------------------------------------------- */

static ur_status malformed(const struct ur__st_file *f, const char *fault)
{
    return ur__fail(UR_EFORMAT, "%s: not a safetensors file: %s", f->raw.path, fault);
}

static ur_status bad_tensor(const struct ur__st_file *f, const char *name, const char *fault)
{
    return ur__fail(UR_EFORMAT, "%s: tensor \"%.80s\": %s", f->raw.path, name, fault);
}

/* What no header has: deep nesting, long arrays, hundreds of thousands of members.
 * Everything else is the parser's to judge. */
static const char *scan_outline(const char *text, size_t n)
{
    size_t commas = 0, depth = 0, elements = 0;
    bool in_string = false, in_array = false;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            in_array = c == '[';
            elements = 0;
            if (++depth > MAX_DEPTH)
                return "its header is nested too deeply";
        } else if (c == '}' || c == ']') {
            in_array = false;
            depth -= depth > 0;
        } else if (c == ',' && in_array && ++elements >= UR__ST_MAX_RANK) {
            return "its header has a shape of too many dimensions";
        } else if (c == ',' && !in_array && ++commas > MAX_COMMAS) {
            return "its header has too many members";
        }
    }
    return NULL;
}

/* Two integers b, e of "data_offsets" with b <= e <= the size of the data. */
static bool read_offsets(const struct ur__json *j, uint64_t size, struct ur__st_tensor *t)
{
    int64_t begin, end;
    if (!ur__json_is_array(j) || ur__json_size(j) != 2 ||
        !ur__json_int(ur__json_at(j, 0), &begin) || !ur__json_int(ur__json_at(j, 1), &end))
        return false;
    if (begin < 0 || end < begin || (uint64_t)end > size)
        return false;
    t->offset = (uint64_t)begin;
    t->bytes = (uint64_t)(end - begin);
    return true;
}

/* *bytes is the product of the dims and the element's size. */
static bool read_shape(const struct ur__json *j, struct ur__st_tensor *t, uint64_t *bytes)
{
    if (!ur__json_is_array(j) || ur__json_size(j) > UR__ST_MAX_RANK)
        return false;
    t->rank = (int)ur__json_size(j);
    uint64_t product = ur__dtype_size(t->type);
    bool empty = false;
    for (int i = 0; i < t->rank; i++) {
        int64_t dim;
        if (!ur__json_int(ur__json_at(j, (size_t)i), &dim) || dim < 0)
            return false;
        t->dim[i] = (uint64_t)dim;
        empty = empty || dim == 0;
        /* Without the zeros, so that [0, 2^62, 2^62] does not pass. */
        if (dim > 0 && product > UINT64_MAX / (uint64_t)dim)
            return false;
        product *= dim > 0 ? (uint64_t)dim : 1;
    }
    *bytes = empty ? 0 : product;
    return true;
}

static ur_status read_tensor(struct ur__st_file *f, const char *name, const struct ur__json *j)
{
    struct ur__st_tensor *t = &f->tensors[f->n];
    const char *type;
    uint64_t bytes;
    size_t length = strlen(name);
    if (length == 0 || length > MAX_NAME)
        return bad_tensor(f, name, "its name is empty or too long");
    if (!ur__json_is_object(j) || ur__json_size(j) != 3)
        return bad_tensor(f, name, "not an object of dtype, shape and data_offsets");
    t->name = name;
    if (!ur__json_get_string(j, "dtype", &type))
        return bad_tensor(f, name, "no dtype");
    if (!find_dtype(type, &t->type))
        return ur__fail(UR_EFORMAT, "%s: tensor \"%.80s\": dtype \"%.20s\" is not known",
                        f->raw.path, name, type);
    if (!read_shape(ur__json_get(j, "shape"), t, &bytes))
        return bad_tensor(f, name, "no shape, or one that cannot be");
    if (!read_offsets(ur__json_get(j, "data_offsets"), f->data_size, t))
        return bad_tensor(f, name, "no data_offsets, or beyond the end of the file");
    if (t->bytes != bytes)
        return bad_tensor(f, name, "its shape and its data_offsets disagree");
    f->n++;
    return UR_OK;
}

static ur_status read_meta(void *user, const char *key, const struct ur__json *value)
{
    struct ur__st_file *f = user;
    const char *text;
    if (!ur__json_string(value, &text))
        return ur__fail(UR_EFORMAT, "%s: __metadata__ \"%.80s\" is not a string", f->raw.path, key);
    f->meta_keys[f->n_meta++] = key;
    return UR_OK;
}

static ur_status read_member(void *user, const char *key, const struct ur__json *value)
{
    struct ur__st_file *f = user;
    if (strcmp(key, "__metadata__") != 0)
        return read_tensor(f, key, value);
    if (!ur__json_is_object(value))
        return malformed(f, "its __metadata__ is not an object");
    f->meta_keys = ur__calloc(ur__json_size(value), sizeof *f->meta_keys);
    if (!f->meta_keys)
        return UR_ENOMEM;
    f->meta = value;
    return ur__json_each(value, read_meta, f);
}

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

static ur_status order_tensors(struct ur__st_file *f)
{
    qsort(f->tensors, f->n, sizeof *f->tensors, compare_offsets);
    uint64_t end = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->tensors[i].offset != end)
            return bad_tensor(f, f->tensors[i].name, f->tensors[i].offset < end
                              ? "it overlaps another" : "there is a gap before it");
        end += f->tensors[i].bytes;
        f->by_name[i] = &f->tensors[i];
    }
    if (end != f->data_size)
        return malformed(f, "bytes follow the last tensor");
    qsort(f->by_name, f->n, sizeof *f->by_name, compare_names);
    return UR_OK;
}

static ur_status parse_header(struct ur__st_file *f, const char *text, size_t n)
{
    if (text[0] != '{')
        return malformed(f, "its header does not begin with a brace");
    while (text[n - 1] == ' ')
        n--;
    if (text[n - 1] != '}')
        return malformed(f, "other than spaces follow its header");
    const char *fault = scan_outline(text, n);
    if (fault)
        return malformed(f, fault);
    ur_status status = ur__json_parse(&f->header, text, n);
    if (status == UR_EFORMAT) {
        char why[200];
        snprintf(why, sizeof why, "its header is %s", ur_errmsg());
        return malformed(f, why);
    }
    UR__TRY(status);
    size_t members = ur__json_size(f->header);
    f->tensors = ur__calloc(members, sizeof *f->tensors);
    f->by_name = ur__calloc(members, sizeof *f->by_name);
    if (!f->tensors || !f->by_name)
        return UR_ENOMEM;
    UR__TRY(ur__json_each(f->header, read_member, f));
    return order_tensors(f);
}

static ur_status read_header(struct ur__st_file *f)
{
    unsigned char length[8];
    if (f->raw.size < sizeof length)
        return malformed(f, "it is shorter than 8 bytes");
    UR__TRY(ur__raw_read(&f->raw, 0, length, sizeof length));
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | length[i];
    if (n > MAX_HEADER)
        return malformed(f, "its first bytes would make a header longer than 16 MiB");
    if (n < 2 || n > f->raw.size - sizeof length)
        return malformed(f, n < 2 ? "it has no header" : "it is truncated in its header");
    f->data_begin = sizeof length + n;
    f->data_size = f->raw.size - f->data_begin;
    char *text = ur__alloc((size_t)n, 1);
    if (!text)
        return UR_ENOMEM;
    ur_status status = ur__raw_read(&f->raw, sizeof length, text, (size_t)n);
    if (status == UR_OK)
        status = parse_header(f, text, (size_t)n);
    ur__free(text);
    return status;
}

ur_status ur__st_open(struct ur__st_file **out, const char *path)
{
    *out = NULL;
    if (*(const unsigned char *)&(const uint16_t){1} != 1)
        return ur__fail(UR_ENOTSUP, "safetensors files need a little-endian machine");
    struct ur__st_file *f = ur__calloc(1, sizeof *f);
    if (!f)
        return UR_ENOMEM;
    ur_status status = ur__raw_open(&f->raw, path);
    if (status == UR_OK)
        status = read_header(f);
    if (status != UR_OK) {
        ur__st_close(f);
        return status;
    }
    *out = f;
    return UR_OK;
}

void ur__st_close(struct ur__st_file *f)
{
    if (!f)
        return;
    ur__raw_close(&f->raw);
    ur__json_free(f->header);
    ur__free(f->meta_keys);
    ur__free(f->tensors);
    ur__free(f->by_name);
    ur__free(f);
}

/* ---- looking up -------------------------------------------------------- */

size_t ur__st_count(const struct ur__st_file *f)
{
    return f->n;
}

const struct ur__st_tensor *ur__st_at(const struct ur__st_file *f, size_t i)
{
    return i < f->n ? &f->tensors[i] : NULL;
}

const struct ur__st_tensor *ur__st_find(const struct ur__st_file *f, const char *name)
{
    const struct ur__st_tensor key = {.name = name}, *wanted = &key;
    const struct ur__st_tensor **found =
        bsearch(&wanted, f->by_name, f->n, sizeof *f->by_name, compare_names);
    return found ? *found : NULL;
}

const char *ur__st_meta(const struct ur__st_file *f, const char *key)
{
    const char *text;
    return ur__json_get_string(f->meta, key, &text) ? text : NULL;
}

size_t ur__st_meta_count(const struct ur__st_file *f)
{
    return f->n_meta;
}

const char *ur__st_meta_key(const struct ur__st_file *f, size_t i)
{
    return i < f->n_meta ? f->meta_keys[i] : NULL;
}

/* ---- data -------------------------------------------------------------- */

/* IEEE 754 binary16: exact in float, subnormals, infinities and NaNs included. */
static float from_f16(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, fraction = half & 0x3ff;
    uint32_t exponent = half >> 10 & 0x1f, bits;
    float value;
    if (exponent == 0) {        /* zero or subnormal: fraction * 2^-24 */
        value = (float)fraction * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    } else {                    /* 255 for 31, else the bias 127 for 15 */
        exponent = exponent == 31 ? 255 : exponent + 112;
        bits = sign | exponent << 23 | fraction << 13;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_bf16(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void convert(enum ur__dtype type, const unsigned char *from, ur_real *to, size_t n)
{
    size_t size = ur__dtype_size(type);
    for (size_t i = 0; i < n; i++, from += size) {
        double wide;
        float single;
        uint16_t half;
        switch (type) {
        case UR__F64:
            memcpy(&wide, from, sizeof wide);
            to[i] = (ur_real)wide;
            break;
        case UR__F32:
            memcpy(&single, from, sizeof single);
            to[i] = (ur_real)single;
            break;
        default:
            memcpy(&half, from, sizeof half);
            to[i] = (ur_real)(type == UR__F16 ? from_f16(half) : from_bf16(half));
            break;
        }
    }
}

ur_status ur__st_read_real(struct ur__st_file *f, const struct ur__st_tensor *t,
                           ur_real *out, size_t n)
{
    size_t size = ur__dtype_size(t->type);
    if (t->type > UR__BF16)
        return ur__fail(UR_EDATA, "%s: tensor \"%.80s\" holds %s, not real numbers",
                        f->raw.path, t->name, ur__dtype_name(t->type));
    if (t->bytes / size != n)
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" has %llu values, %zu are wanted",
                        f->raw.path, t->name, (unsigned long long)(t->bytes / size), n);
    uint64_t at = f->data_begin + t->offset;
    if (t->type == ur__st_real_type())
        return ur__raw_read(&f->raw, at, out, (size_t)t->bytes);
    unsigned char chunk[CHUNK];
    while (n > 0) {
        size_t part = n < CHUNK / size ? n : CHUNK / size;
        UR__TRY(ur__raw_read(&f->raw, at, chunk, part * size));
        convert(t->type, chunk, out, part);
        at += part * size;
        out += part;
        n -= part;
    }
    return UR_OK;
}

ur_status ur__st_read_raw(struct ur__st_file *f, const struct ur__st_tensor *t,
                          void *out, size_t bytes)
{
    if (t->bytes != bytes)
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" has %llu bytes, %zu are wanted",
                        f->raw.path, t->name, (unsigned long long)t->bytes, bytes);
    return ur__raw_read(&f->raw, f->data_begin + t->offset, out, bytes);
}

ur_status ur__st_data_crc(struct ur__st_file *f, uint32_t *crc)
{
    unsigned char chunk[CHUNK];
    *crc = 0;
    for (uint64_t at = 0; at < f->data_size; ) {
        uint64_t left = f->data_size - at;
        size_t part = left < CHUNK ? (size_t)left : CHUNK;
        UR__TRY(ur__raw_read(&f->raw, f->data_begin + at, chunk, part));
        *crc = ur__crc32(*crc, chunk, part);
        at += part;
    }
    return UR_OK;
}
