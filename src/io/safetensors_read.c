/* SPDX-License-Identifier: MIT */
/*
 * Reading safetensors.
 *
 *   8 bytes      N, little-endian
 *   N bytes      the header (safetensors_header.c) and white space
 *   the rest     the tensors' bytes; offsets count from here
 *
 * N is checked against the file and the cap before the header is read, and no memory is
 * taken for data that the file does not have.
 */
#include "io/safetensors.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/file.h"
#include "io/safetensors_header.h"
#include "io/sniff.h"

#define LENGTH 8                    /* bytes before the header */
#define MAX_HEADER ((uint64_t)16 << 20)
#define CHUNK ((size_t)32 << 10)    /* bytes summed at a time, */
#define PIECE 4096                  /* values converted at a time, on the stack */

struct ur__st_file {
    struct ur__raw raw;
    uint64_t data_begin, data_size;
    struct ur__st_header header;
};

/* ---- opening ----------------------------------------------------------- */

/* The first n of UR__SNIFF_BYTES are there. The length of a header and its first character show
 * whether it is one at all; what it is instead is worth more than what is wrong with it. */
static ur_status check_beginning(const struct ur__st_file *f, const unsigned char *head, size_t n,
                                 uint64_t *length)
{
    const char *fault = NULL;
    *length = 0;
    for (int i = 7; i >= 0 && n >= LENGTH; i--)
        *length = *length << 8 | head[i];
    bool brace = n == LENGTH || (n > LENGTH && memchr(" \t\r\n{", head[LENGTH], 5));
    bool cut = brace && *length <= MAX_HEADER && *length > f->raw.size - LENGTH;
    if (n < LENGTH)
        fault = "it is shorter than 8 bytes";
    else if (*length < 2)
        fault = "it has no header";
    else if (cut)
        fault = "it is truncated in its header";
    else if (*length > f->raw.size - LENGTH)
        fault = "its first 8 bytes are not a header's length";
    else if (!brace)
        fault = "its header does not begin with a brace";
    else if (*length > MAX_HEADER)
        fault = "its header is longer than 16 MiB";
    if (!fault)
        return UR_OK;
    const char *like = cut ? NULL : ur__sniff(head, n);
    if (n == 0)
        return ur__fail(UR_EFORMAT, "%s: is empty", f->raw.path);
    if (like)
        return ur__fail(UR_EFORMAT, "%s: looks like %s", f->raw.path, like);
    return ur__fail(UR_EFORMAT, "%s: not a safetensors file: %s", f->raw.path, fault);
}

static ur_status read_header(struct ur__st_file *f)
{
    unsigned char head[UR__SNIFF_BYTES];
    size_t there = f->raw.size < sizeof head ? (size_t)f->raw.size : sizeof head;
    uint64_t n;
    UR__TRY(ur__raw_read(&f->raw, 0, head, there));
    UR__TRY(check_beginning(f, head, there, &n));
    f->data_begin = LENGTH + n;
    f->data_size = f->raw.size - f->data_begin;
    char *text = ur__alloc((size_t)n, 1);
    if (!text)
        return UR_ENOMEM;
    ur_status status = ur__raw_read(&f->raw, LENGTH, text, (size_t)n);
    if (status == UR_OK)
        status = ur__st_header_read(&f->header, f->raw.path, text, (size_t)n, f->data_size);
    ur__free(text);
    return status;
}

/* Of the file at name, or of n bytes that are called so. */
static ur_status open(struct ur__st_file **out, const void *bytes, size_t n, const char *name)
{
    *out = NULL;
    if (*(const unsigned char *)&(const uint16_t){1} != 1)
        return ur__fail(UR_ENOTSUP, "safetensors files need a little-endian machine");
    struct ur__st_file *f = ur__calloc(1, sizeof *f);
    if (!f)
        return UR_ENOMEM;
    ur_status status = bytes ? ur__raw_open_memory(&f->raw, bytes, n, name)
                             : ur__raw_open(&f->raw, name);
    if (status == UR_OK)
        status = read_header(f);
    if (status != UR_OK) {
        ur__st_close(f);
        return status;
    }
    *out = f;
    return UR_OK;
}

ur_status ur__st_open(struct ur__st_file **out, const char *path)
{
    return open(out, NULL, 0, path);
}

ur_status ur__st_open_memory(struct ur__st_file **out, const void *bytes, size_t n,
                             const char *name)
{
    return open(out, bytes, n, name);
}

const char *ur__st_path(const struct ur__st_file *f)
{
    return f->raw.path;
}

void ur__st_close(struct ur__st_file *f)
{
    if (!f)
        return;
    ur__raw_close(&f->raw);
    ur__st_header_free(&f->header);
    ur__free(f);
}

/* ---- looking up -------------------------------------------------------- */

size_t ur__st_count(const struct ur__st_file *f)
{
    return f->header.n;
}

const struct ur__st_tensor *ur__st_at(const struct ur__st_file *f, size_t i)
{
    return i < f->header.n ? &f->header.tensors[i] : NULL;
}

const struct ur__st_tensor *ur__st_find(const struct ur__st_file *f, const char *name)
{
    return ur__st_header_find(&f->header, name);
}

const char *ur__st_meta(const struct ur__st_file *f, const char *key)
{
    return ur__st_header_meta(&f->header, key);
}

const char *ur__st_meta_key(const struct ur__st_file *f, size_t i)
{
    return i < f->header.n_meta ? f->header.meta[i].key : NULL;
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

/* Values [first, first+n) of a tensor; n is at most PIECE. */
static ur_status read_piece(struct ur__st_file *f, const struct ur__st_tensor *t, uint64_t first,
                            size_t n, ur_real *out)
{
    unsigned char bytes[8 * PIECE];
    size_t size = ur__dtype_size(t->type);
    UR__TRY(ur__raw_read(&f->raw, f->data_begin + t->offset + first * size, bytes, n * size));
    convert(t->type, bytes, out, n);
    return UR_OK;
}

static ur_status check_real(const struct ur__st_file *f, const struct ur__st_tensor *t)
{
    if (t->type <= UR__BF16)
        return UR_OK;
    return ur__fail(UR_EDATA, "%s: tensor \"%.80s\" holds %s; real numbers are read from F64, "
                    "F32, F16 and BF16", f->raw.path, t->name, t->type_name);
}

ur_status ur__st_read_real(struct ur__st_file *f, const struct ur__st_tensor *t,
                           ur_real *out, size_t n)
{
    UR__TRY(check_real(f, t));
    if (t->n != n)
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" has %llu values, %zu are wanted",
                        f->raw.path, t->name, (unsigned long long)t->n, n);
    if (t->type == ur__st_real_type())
        return ur__raw_read(&f->raw, f->data_begin + t->offset, out, (size_t)t->bytes);
    for (size_t at = 0; at < n; at += PIECE)
        UR__TRY(read_piece(f, t, at, n - at < PIECE ? n - at : PIECE, out + at));
    return UR_OK;
}

ur_status ur__st_check_finite(struct ur__st_file *f, const struct ur__st_tensor *t)
{
    UR__TRY(check_real(f, t));
    for (uint64_t at = 0; at < t->n; at += PIECE) {
        ur_real value[PIECE];
        size_t m = t->n - at < PIECE ? (size_t)(t->n - at) : PIECE;
        UR__TRY(read_piece(f, t, at, m, value));
        for (size_t i = 0; i < m; i++) {
            if (!isfinite(value[i]))
                return ur__fail(UR_ENUMERIC, "%s: tensor \"%.80s\"[%llu] is %s", f->raw.path,
                                t->name, (unsigned long long)(at + i),
                                ur__nonfinite_name((double)value[i]));
        }
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
