/* SPDX-License-Identifier: MIT */
#include "model/batch.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/sized.h"
#include "base/status.h"

void ur_batch_init_size(ur_batch *batch, size_t size)
{
    static const ur_batch none = {.size = sizeof none};
    ur__sized_init(batch, size, &none, sizeof none);
}

/* The fields are its end: a caller's struct may have room for fewer, or for more. */
static size_t room(const ur_batch *batch)
{
    size_t before = offsetof(ur_batch, field);
    return batch->size > before ? (batch->size - before) / sizeof batch->field[0] : 0;
}

static ur_status check_shape(const ur_field *f)
{
    size_t size = 1;
    if (f->rank < 1 || f->rank > UR_MAX_RANK)
        return ur__fail(UR_ESHAPE, "field %s has rank %d, not 1 to %d", f->role, f->rank,
                        UR_MAX_RANK);
    if (f->ids && f->rank != 2)
        return ur__fail(UR_ESHAPE, "field %s has ids of rank %d, not 2", f->role, f->rank);
    if (f->inner && f->rank < 3)
        return ur__fail(UR_ESHAPE, "field %s has rank %d and inner lengths, which are of a third "
                        "dimension", f->role, f->rank);
    for (int i = 0; i < f->rank; i++) {
        if (f->dim[i] < 1 || size > (size_t)INT_MAX / (size_t)f->dim[i])
            return ur__fail(UR_ESHAPE, "field %s: dimension %d of %d is impossible", f->role, i,
                            f->dim[i]);
        size *= (size_t)f->dim[i];
    }
    return UR_OK;
}

static ur_status check_field(const ur_field *f)
{
    if (f->room[0] || f->room[1])
        return ur__fail(UR_EINVAL, "field %s is of a newer version of unroll and holds what "
                        "this version, " UR_VERSION ", does not have", f->role);
    if (!f->ids == !f->reals)
        return ur__fail(UR_EINVAL, "field %s holds %s", f->role,
                        f->ids ? "both ids and reals" : "nothing");
    return check_shape(f);
}

ur_status ur__batch_check(const ur_batch *batch)
{
    UR__TRY(ur__sized_check(batch, "ur_batch_init"));
    if (batch->n < 0 || (size_t)batch->n > room(batch))
        return ur__fail(UR_EINVAL, "a batch of %d fields is impossible", batch->n);
    if (batch->items < 0)
        return ur__fail(UR_EINVAL, "a batch of %lld items is impossible", (long long)batch->items);
    for (int i = 0; i < batch->n; i++) {
        if (!batch->field[i].role)
            return ur__fail(UR_EINVAL, "field %d of the batch has no role", i);
        UR__TRY(check_field(&batch->field[i]));
    }
    return UR_OK;
}

ur_status ur__batch_check_lengths(const ur_field *f)
{
    for (int b = 0; f->lengths && f->rank > 1 && b < f->dim[1]; b++)
        if (f->lengths[b] < 0 || f->lengths[b] > f->dim[0])
            return ur__fail(UR_ESHAPE, "field %s: length %d of sequence %d is not in [0,%d]",
                            f->role, f->lengths[b], b, f->dim[0]);
    return UR_OK;
}

static const ur_field *find(const ur_batch *batch, const char *role)
{
    for (int i = 0; i < batch->n; i++)
        if (strcmp(batch->field[i].role, role) == 0)
            return &batch->field[i];
    return NULL;
}

const ur_field *ur_batch_find(const ur_batch *batch, const char *role)
{
    UR__NEED_OR(batch, "batch", NULL);
    UR__NEED_OR(role, "role", NULL);
    return ur__batch_check(batch) == UR_OK ? find(batch, role) : NULL;
}

static ur_status add(ur_batch *batch, const ur_field *field)
{
    UR__TRY(ur__batch_check(batch));
    UR__TRY(check_field(field));
    if (find(batch, field->role))
        return ur__fail(UR_EINVAL, "the batch has a field %s already", field->role);
    if ((size_t)batch->n >= room(batch))
        return ur__fail(UR_EINVAL, "a batch has at most %zu fields", room(batch));
    batch->field[batch->n++] = *field;
    return UR_OK;
}

ur_status ur_batch_ids(ur_batch *batch, const char *role, int T, int B, const int32_t *ids,
                       const int *lengths)
{
    UR__NEED(batch, "batch");
    UR__NEED(role, "role");
    UR__NEED(ids, "ids");
    const ur_field field = {.role = role, .rank = 2, .dim = {T, B}, .ids = ids,
                            .lengths = lengths};
    return add(batch, &field);
}

ur_status ur_batch_reals(ur_batch *batch, const char *role, int rank, const int *dim,
                         const ur_real *x, const int *lengths)
{
    UR__NEED(batch, "batch");
    UR__NEED(role, "role");
    UR__NEED(dim, "dim");
    UR__NEED(x, "x");
    ur_field field = {.role = role, .rank = rank, .reals = x, .lengths = lengths};
    for (int i = 0; i < rank && rank <= UR_MAX_RANK; i++)
        field.dim[i] = dim[i];
    return add(batch, &field);
}
