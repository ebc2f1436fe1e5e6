/* SPDX-License-Identifier: MIT */
/*
 * Parameters in a safetensors file under another program's names.
 *
 * Loading is all or nothing: every tensor is found and its shape compared, then all values
 * are read and checked beside the old ones, and only then replace them.
 */
#include <math.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "exchange/form.h"
#include "exchange/rename.h"
#include "exchange/weights.h"
#include "io/safetensors.h"
#include "kernel/select.h"
#include "layer/params.h"
#include "model/typed_file.h"

/* ---- finding the tensors ----------------------------------------------- */

struct loading {
    struct ur__st_file *file;
    const char *path;
    const struct ur__st_tensor **tensor;    /* of each parameter; NULL: left out */
    const struct ur__st_tensor **typed;     /* of each tensor of any type, likewise */
    bool *used;                             /* of the file's tensors */
    size_t size;                            /* reals to read */
};

/* "a, b, c and 4 more": the file's tensors that nothing has used. */
static ur_status list_unused(const struct loading *l, struct ur__buf *to, size_t *n)
{
    enum { SHOWN = 4 };
    *n = 0;
    for (size_t i = 0; i < ur__st_count(l->file); i++) {
        if (l->used[i])
            continue;
        if ((*n)++ < SHOWN)
            UR__TRY(ur__buf_printf(to, "%s%.40s", *n > 1 ? ", " : "",
                                   ur__st_at(l->file, i)->name));
    }
    return *n > SHOWN ? ur__buf_printf(to, " and %zu more", *n - SHOWN) : UR_OK;
}

static ur_status missing(const struct loading *l, const char *name, const char *theirs)
{
    struct ur__buf rest = {0};
    size_t n;
    ur_status status = list_unused(l, &rest, &n);
    if (status == UR_OK)
        status = ur__fail(UR_EDATA, "%s: no tensor \"%.80s\" for parameter %.80s; %s%s", l->path,
                          theirs, name, n ? "of the others it has " : "it has no others",
                          n ? rest.data : "");
    ur__buf_free(&rest);
    return status;
}

static ur_status find(struct loading *l, const ur_param *p, const char *theirs,
                      const struct ur__st_tensor **out)
{
    const struct ur__st_tensor *t = ur__st_find(l->file, theirs);
    char have[UR__DIMS_TEXT], want[UR__DIMS_TEXT];
    uint64_t dim[UR_MAX_RANK];
    int rank = ur__param_dims(p, dim);
    if (!t)
        return missing(l, p->name, theirs);
    bool same = t->rank == rank && memcmp(t->dim, dim, (size_t)rank * sizeof *dim) == 0;
    bool scalar = t->rank == 0 && p->size == 1;     /* PyTorch's single number has no dimension */
    if (!same && !scalar)
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" is %s, parameter %.80s is %s", l->path,
                        theirs, ur__dims_text(t->rank, t->dim, have), p->name,
                        ur__dims_text(rank, dim, want));
    l->used[t - ur__st_at(l->file, 0)] = true;
    l->size += p->size;
    *out = t;
    return UR_OK;
}

static ur_status find_all(struct loading *l, const ur_params *params, int n,
                          const ur_rename *map, struct ur__buf *theirs)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        bool left_out;
        UR__TRY(ur__rename(n, map, p->name, theirs, &left_out));
        if (!left_out && ur__params_form(params, i))
            UR__TRY(ur__form_check(l->file, l->path, theirs->data, ur__params_form(params, i)));
        if (!left_out)
            UR__TRY(find(l, p, theirs->data, &l->tensor[i]));
        else if (!ur__params_built(params))
            return ur__fail(UR_EINVAL, "parameter %.80s is not to be read and has no value: call "
                            "ur_params_build first", p->name);
    }
    return UR_OK;
}

static ur_status find_typed(struct loading *l, const ur_params *params, int n,
                            const ur_rename *map, struct ur__buf *theirs)
{
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        const ur_typed *want = ur_params_typed_at(params, i);
        bool left_out;
        UR__TRY(ur__rename(n, map, want->name, theirs, &left_out));
        if (left_out && ur__params_built(params))
            continue;
        if (left_out)
            return ur__fail(UR_EINVAL, "tensor %.80s is not to be read and has no value: call "
                            "ur_params_build first", want->name);
        const struct ur__st_tensor *t = ur__st_find(l->file, theirs->data);
        if (!t)
            return missing(l, want->name, theirs->data);
        ur_status status = ur__typed_check(t, want);
        if (status != UR_OK)
            return ur__fail(status, "%s: %s", l->path, ur_errmsg());
        l->used[t - ur__st_at(l->file, 0)] = true;
        l->typed[i] = t;
    }
    return UR_OK;
}

static ur_status refuse_unused(const struct loading *l)
{
    struct ur__buf rest = {0};
    size_t n;
    ur_status status = list_unused(l, &rest, &n);
    if (status == UR_OK && n > 0)
        status = ur__fail(UR_EDATA, "%s: no parameter is for %s", l->path, rest.data);
    ur__buf_free(&rest);
    return status;
}

/* ---- loading ----------------------------------------------------------- */

static ur_status read_values(const struct loading *l, const ur_params *params, ur_real *x)
{
    const struct ur__kernel *k = ur__kernel();
    for (int i = 0; i < ur_params_count(params); i++) {
        const struct ur__st_tensor *t = l->tensor[i];
        size_t n = ur_params_at(params, i)->size;
        if (!t)
            continue;
        UR__TRY(ur__st_read_real(l->file, t, x, n));
        size_t bad = k->find_nonfinite(n, x);
        if (bad < n)
            return ur__fail(UR_ENUMERIC, "%s: tensor \"%.80s\"[%zu] is %s", l->path, t->name, bad,
                            ur__nonfinite_name((double)x[bad]));
        x += n;
    }
    return UR_OK;
}

/* memory: laid out as the store's. */
static ur_status read_typed(const struct loading *l, const ur_params *params, char *memory)
{
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        const ur_typed *t = ur_params_typed_at(params, i);
        if (!l->typed[i])
            continue;
        ur_status status = ur__typed_in(l->file, l->typed[i], t, memory + t->offset);
        if (status == UR_ENUMERIC)
            return ur__fail(status, "%s: %s", l->path, ur_errmsg());
        UR__TRY(status);
    }
    return UR_OK;
}

static void place_typed(const struct loading *l, const ur_params *params, const char *memory)
{
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        const ur_typed *t = ur_params_typed_at(params, i);
        if (l->typed[i])
            memcpy(ur_typed_data(params, t, t->type), memory + t->offset, t->bytes);
    }
}

static void place_values(const struct loading *l, ur_params *params, const ur_real *x)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        if (!l->tensor[i])
            continue;
        memcpy(ur_param_data(params, p), x, p->size * sizeof *x);
        x += p->size;
    }
    ur__params_changed(params);
}

static ur_status load_values(const struct loading *l, ur_params *params)
{
    ur_real *x = ur__alloc(l->size, sizeof *x);
    char *typed = ur__alloc(ur__params_typed(params)->bytes, 1);
    ur_status status = x && typed ? read_values(l, params, x) : UR_ENOMEM;
    if (status == UR_OK)
        status = read_typed(l, params, typed);
    if (status == UR_OK && !ur__params_built(params))
        status = ur__params_build_zeros(params);
    if (status == UR_OK) {
        place_typed(l, params, typed);
        place_values(l, params, x);
    }
    ur__free(x);
    ur__free(typed);
    return status;
}

static ur_status load(struct loading *l, ur_params *params, int n, const ur_rename *map,
                      bool strict)
{
    struct ur__buf theirs = {0};
    l->tensor = ur__calloc((size_t)ur_params_count(params), sizeof *l->tensor);
    l->used = ur__calloc(ur__st_count(l->file), sizeof *l->used);
    l->typed = ur__calloc((size_t)ur_params_typed_count(params), sizeof *l->typed);
    if (!l->tensor || !l->used || !l->typed)
        return UR_ENOMEM;
    ur_status status = find_all(l, params, n, map, &theirs);
    if (status == UR_OK)
        status = find_typed(l, params, n, map, &theirs);
    ur__buf_free(&theirs);
    if (status == UR_OK && strict)
        status = refuse_unused(l);
    return status == UR_OK ? load_values(l, params) : status;
}

static ur_status load_file(struct ur__st_file *file, ur_params *params, int n,
                           const ur_rename *map, bool strict)
{
    struct loading l = {.file = file, .path = ur__st_path(file)};
    unsigned mode = ur__fpmode_default();   /* types are converted */
    ur_status status = load(&l, params, n, map, strict);
    ur__fpmode_restore(mode);
    ur__free(l.tensor);
    ur__free(l.typed);
    ur__free(l.used);
    return status;
}

ur_status ur_params_load(ur_params *params, const char *path, int n, const ur_rename *map,
                         bool strict)
{
    UR__NEED(params, "params");
    UR__NEED(path, "path");
    struct ur__st_file *file;
    UR__TRY(ur__rename_check(n, map, params));
    UR__TRY(ur__st_open(&file, path));
    ur_status status = load_file(file, params, n, map, strict);
    ur__st_close(file);
    return status;
}

ur_status ur_params_load_weights(ur_params *params, ur_weights *file, int n, const ur_rename *map,
                                 bool strict)
{
    UR__NEED(params, "params");
    UR__NEED(file, "file");
    UR__TRY(ur__rename_check(n, map, params));
    return load_file(file->file, params, n, map, strict);
}

/* ---- saving ------------------------------------------------------------ */

/* F32 whatever ur_real is; a double beyond float would be Inf. */
static ur_status to_f32(const ur_params *params, const ur_param *p, const char *path, float *to)
{
    const ur_real *x = ur_param_data(params, p);
    for (size_t i = 0; i < p->size; i++) {
        to[i] = (float)x[i];
        if (!isfinite(to[i]))
            return ur__fail(UR_ENUMERIC, "%s: parameter %.80s[%zu] is %s", path, p->name, i,
                            ur__nonfinite_name((double)to[i]));
    }
    return UR_OK;
}

static ur_status check_meta(int n, const ur_meta *meta)
{
    if (n < 0 || (n > 0 && !meta))
        return ur__fail(UR_EINVAL, "%d strings beside the tensors are impossible", n);
    for (int i = 0; i < n; i++) {
        if (!meta[i].key || !meta[i].value)
            return ur__fail(UR_EINVAL, "string %d beside the tensors is NULL", i);
    }
    return UR_OK;
}

static ur_status name_meta(struct ur__st_out *out, int n, const ur_meta *meta)
{
    bool format = false;
    for (int i = 0; i < n; i++)
        format = format || strcmp(meta[i].key, "format") == 0;
    if (!format)    /* whose file it is: some loaders ask */
        UR__TRY(ur__st_out_meta(out, "format", "pt"));
    for (int i = 0; i < n; i++)
        UR__TRY(ur__st_out_meta(out, meta[i].key, meta[i].value));
    return UR_OK;
}

static ur_status name_tensors(struct ur__st_out *out, const ur_params *params, const char *path,
                              int n, const ur_rename *map, float *room)
{
    struct ur__buf theirs = {0};
    ur_status status = UR_OK;
    for (int i = 0; i < ur_params_count(params) && status == UR_OK; i++) {
        const ur_param *p = ur_params_at(params, i);
        uint64_t dim[UR_MAX_RANK];
        int rank = ur__param_dims(p, dim);
        bool left_out;
        status = ur__rename(n, map, p->name, &theirs, &left_out);
        if (status != UR_OK || left_out)
            continue;
        status = to_f32(params, p, path, room);
        if (status == UR_OK)
            status = ur__st_out_tensor(out, theirs.data, UR__F32, rank, dim, room);
        if (status == UR_OK && ur__params_form(params, i))
            status = ur__form_write(out, theirs.data, ur__params_form(params, i));
        room += p->size;
    }
    for (int i = 0; i < ur_params_typed_count(params) && status == UR_OK; i++) {
        const ur_typed *t = ur_params_typed_at(params, i);
        bool left_out;
        status = ur__rename(n, map, t->name, &theirs, &left_out);
        if (status == UR_OK && !left_out)
            status = ur__typed_out(out, theirs.data, params, t);
        if (status == UR_ENUMERIC)
            status = ur__fail(status, "%s: %s", path, ur_errmsg());
    }
    ur__buf_free(&theirs);
    return status;
}

/* Of all parameters, trained or not. */
static size_t count_reals(const ur_params *params)
{
    size_t n = 0;
    for (int i = 0; i < ur_params_count(params); i++)
        n += ur_params_at(params, i)->size;
    return n;
}

ur_status ur_params_save(const ur_params *params, const char *path, int n, const ur_rename *map,
                         int n_meta, const ur_meta *meta)
{
    UR__NEED(params, "params");
    UR__NEED(path, "path");
    UR__TRY(ur__rename_check(n, map, params));
    UR__TRY(check_meta(n_meta, meta));
    if (!ur__params_built(params))
        return ur__fail(UR_EINVAL, "%s: the parameters have no values: call ur_params_build "
                        "first", path);
    struct ur__st_out *out;
    float *room = ur__alloc(count_reals(params), sizeof *room);
    if (!room)
        return UR_ENOMEM;
    ur_status status = ur__st_out_new(&out);
    if (status == UR_OK)
        status = name_meta(out, n_meta, meta);
    unsigned mode = ur__fpmode_default();
    if (status == UR_OK)
        status = name_tensors(out, params, path, n, map, room);
    ur__fpmode_restore(mode);
    if (status == UR_OK)
        status = ur__st_out_save(out, path);
    ur__st_out_free(out);
    ur__free(room);
    return status;
}
