/* SPDX-License-Identifier: MIT */
/* A safetensors file to look into: the public face of io/safetensors.h. */
#include "exchange/weights.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/safetensors.h"

/* ---- opening ----------------------------------------------------------- */

static ur_status describe(ur_weight *to, const struct ur__st_tensor *t, const char *path)
{
    if (t->n > SIZE_MAX)
        return ur__fail(UR_ENOTSUP, "%s: tensor \"%.80s\" is too large for this machine", path,
                        t->name);
    *to = (ur_weight){.name = t->name, .type = t->type_name, .rank = t->rank,
                      .size = (size_t)t->n};
    for (int i = 0; i < t->rank; i++)
        to->dim[i] = (int64_t)t->dim[i];
    return UR_OK;
}

static ur_status fill(ur_weights *w)
{
    w->path = ur__st_path(w->file);
    w->n = (int)ur__st_count(w->file);      /* a header of 16 MiB names fewer than 2^31 */
    w->list = ur__calloc((size_t)w->n, sizeof *w->list);
    if (!w->list)
        return UR_ENOMEM;
    for (int i = 0; i < w->n; i++)
        UR__TRY(describe(&w->list[i], ur__st_at(w->file, (size_t)i), w->path));
    return UR_OK;
}

/* Of the file at name, or of n bytes that messages call so. */
static ur_status open(ur_weights **out, const void *bytes, size_t n, const char *name)
{
    ur_weights *w = ur__calloc(1, sizeof *w);
    if (!w)
        return UR_ENOMEM;
    ur_status status = bytes ? ur__st_open_memory(&w->file, bytes, n, name)
                             : ur__st_open(&w->file, name);
    if (status == UR_OK)
        status = fill(w);
    if (status != UR_OK) {
        ur_weights_close(w);
        return status;
    }
    *out = w;
    return UR_OK;
}

ur_status ur_weights_open(ur_weights **out, const char *path)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(path, "path");
    return open(out, NULL, 0, path);
}

ur_status ur_weights_open_memory(ur_weights **out, const void *bytes, size_t n, const char *name)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(bytes, "bytes");
    return open(out, bytes, n, name);
}

void ur_weights_close(ur_weights *w)
{
    if (!w)
        return;
    ur__st_close(w->file);
    ur__free(w->list);
    ur__free(w);
}

/* ---- looking ----------------------------------------------------------- */

int ur_weights_count(const ur_weights *w)
{
    UR__NEED_OR(w, "file", 0);
    return w->n;
}

const ur_weight *ur_weights_at(const ur_weights *w, int i)
{
    UR__NEED_OR(w, "file", NULL);
    return i >= 0 && i < w->n ? &w->list[i] : NULL;
}

const ur_weight *ur_weights_find(const ur_weights *w, const char *name)
{
    UR__NEED_OR(w, "file", NULL);
    UR__NEED_OR(name, "name", NULL);
    const struct ur__st_tensor *t = ur__st_find(w->file, name);
    return t ? &w->list[t - ur__st_at(w->file, 0)] : NULL;
}

const char *ur_weights_meta(const ur_weights *w, const char *key)
{
    UR__NEED_OR(w, "file", NULL);
    UR__NEED_OR(key, "key", NULL);
    return ur__st_meta(w->file, key);
}

const char *ur_weights_meta_key(const ur_weights *w, int i)
{
    UR__NEED_OR(w, "file", NULL);
    return i >= 0 ? ur__st_meta_key(w->file, (size_t)i) : NULL;
}

/* ---- reading ----------------------------------------------------------- */

static ur_status find(const ur_weights *w, const char *name, const struct ur__st_tensor **out)
{
    *out = ur__st_find(w->file, name);
    if (!*out)
        return ur__fail(UR_EDATA, "%s: there is no tensor \"%.80s\"", w->path, name);
    return UR_OK;
}

ur_status ur_weights_read(ur_weights *w, const char *name, size_t n, ur_real *out)
{
    UR__NEED(w, "file");
    UR__NEED(name, "name");
    if (n > 0)
        UR__NEED(out, "out");
    const struct ur__st_tensor *t;
    UR__TRY(find(w, name, &t));
    unsigned mode = ur__fpmode_default();   /* types are converted */
    ur_status status = ur__st_read_real(w->file, t, out, n);
    ur__fpmode_restore(mode);
    return status;
}

/* One integer of a type as 64 bits; false if they do not hold it. */
static bool widen(enum ur__dtype type, const unsigned char *from, int64_t *to)
{
    uint64_t u = 0;
    size_t bits = 8 * ur__dtype_size(type);
    memcpy(&u, from, bits / 8);     /* little-endian, as the file: ur__st_open checks */
    bool is_signed = type >= UR__I64 && type <= UR__I8;
    if (is_signed && bits < 64 && u >> (bits - 1))
        u |= ~(uint64_t)0 << bits;
    memcpy(to, &u, sizeof u);
    return is_signed || *to >= 0;
}

static ur_status narrow(const ur_weights *w, const struct ur__st_tensor *t,
                        const unsigned char *from, size_t n, int32_t *to)
{
    size_t size = ur__dtype_size(t->type);
    for (size_t i = 0; i < n; i++) {
        int64_t value;
        if (!widen(t->type, from + i * size, &value) || value < INT32_MIN || value > INT32_MAX)
            return ur__fail(UR_EDATA, "%s: tensor \"%.80s\": element %zu is beyond 32 bits",
                            w->path, t->name, i);
        to[i] = (int32_t)value;
    }
    return UR_OK;
}

ur_status ur_weights_read_ids(ur_weights *w, const char *name, size_t n, int32_t *out)
{
    UR__NEED(w, "file");
    UR__NEED(name, "name");
    if (n > 0)
        UR__NEED(out, "out");
    const struct ur__st_tensor *t;
    UR__TRY(find(w, name, &t));
    if (t->type <= UR__BF16 || t->type == UR__OTHER)
        return ur__fail(UR_EDATA, "%s: tensor \"%.80s\" holds %s; integers are read from I8 to "
                        "I64, U8 to U64 and BOOL", w->path, name, t->type_name);
    if (t->n != n)
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" has %llu values, %zu are wanted",
                        w->path, name, (unsigned long long)t->n, n);
    size_t size = ur__dtype_size(t->type);
    unsigned char *bytes = ur__alloc(n, size);
    if (!bytes)
        return UR_ENOMEM;
    ur_status status = ur__st_read_raw(w->file, t, bytes, n * size);
    if (status == UR_OK)
        status = narrow(w, t, bytes, n, out);
    ur__free(bytes);
    return status;
}
