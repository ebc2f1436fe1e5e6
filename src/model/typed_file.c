/* SPDX-License-Identifier: MIT */
#include "model/typed_file.h"

#include <string.h>

#include "base/status.h"
#include "layer/params.h"

static int dims(const ur_typed *t, uint64_t dim[UR_MAX_RANK])
{
    for (int i = 0; i < t->rank; i++)
        dim[i] = (uint64_t)t->dim[i];
    return t->rank;
}

ur_status ur__typed_check(const struct ur__st_tensor *in_file, const ur_typed *t)
{
    char have[UR__DIMS_TEXT], want[UR__DIMS_TEXT];
    uint64_t dim[UR_MAX_RANK];
    int rank = dims(t, dim);
    if (in_file->type != (enum ur__dtype)t->type)
        return ur__fail(UR_EDATA, "tensor %.80s holds %s, but the network wants %s", in_file->name,
                        in_file->type_name, ur__dtype_name((enum ur__dtype)t->type));
    if (in_file->rank != rank || memcmp(in_file->dim, dim, (size_t)rank * sizeof *dim) != 0)
        return ur__fail(UR_ESHAPE, "tensor %.80s is %s, but the network wants %s", in_file->name,
                        ur__dims_text(in_file->rank, in_file->dim, have),
                        ur__dims_text(rank, dim, want));
    return UR_OK;
}

/* Bits of the exponent, all of them 1 in NaN and Inf; 0: of an integer. */
static uint64_t exponent_of(ur_type type)
{
    return type == UR_TYPE_F64    ? 0x7ff0000000000000
           : type == UR_TYPE_F32  ? 0x7f800000
           : type == UR_TYPE_F16  ? 0x7c00
           : type == UR_TYPE_BF16 ? 0x7f80
                                  : 0;
}

static ur_status check_finite(const char *name, const ur_typed *t, const void *data)
{
    uint64_t exponent = exponent_of(t->type);
    size_t each = t->bytes / t->size;
    const char *at = data;
    for (size_t i = 0; exponent && i < t->size; i++) {
        uint64_t x = 0;
        memcpy(&x, at + i * each, each);    /* little-endian, as files: ur__st_open checks */
        if ((x & exponent) == exponent)
            return ur__fail(UR_ENUMERIC, "tensor %.80s holds NaN or Inf at element %zu", name, i);
    }
    return UR_OK;
}

ur_status ur__typed_out(struct ur__st_out *out, const char *name, const ur_params *params,
                        const ur_typed *t)
{
    uint64_t dim[UR_MAX_RANK];
    int rank = dims(t, dim);
    const void *data = ur_typed_data(params, t, t->type);
    if (data)       /* without, a file is only measured */
        UR__TRY(check_finite(name, t, data));
    return ur__st_out_tensor(out, name, (enum ur__dtype)t->type, rank, dim, data);
}

ur_status ur__typed_in(struct ur__st_file *f, const struct ur__st_tensor *in_file,
                       const ur_typed *t, void *to)
{
    UR__TRY(ur__st_read_raw(f, in_file, to, t->bytes));
    return check_finite(in_file->name, t, to);
}
