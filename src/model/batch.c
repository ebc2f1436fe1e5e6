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

ur_status ur__batch_check(const ur_batch *batch)
{
    UR__TRY(ur__sized_check(batch, "ur_batch_init"));
    if (batch->n < 0 || (size_t)batch->n > room(batch))
        return ur__fail(UR_EINVAL, "a batch of %d fields is impossible", batch->n);
    for (int i = 0; i < batch->n; i++)
        if (batch->field[i].room[0] || batch->field[i].room[1])
            return ur__fail(UR_EINVAL, "field %s is of a newer version of unroll and holds what "
                            "this version, " UR_VERSION ", does not have", batch->field[i].role);
    return UR_OK;
}

const ur_field *ur_batch_find(const ur_batch *batch, const char *role)
{
    UR__NEED_OR(batch, "batch", NULL);
    UR__NEED_OR(role, "role", NULL);
    if (ur__batch_check(batch) != UR_OK)
        return NULL;
    for (int i = 0; i < batch->n; i++)
        if (strcmp(batch->field[i].role, role) == 0)
            return &batch->field[i];
    return NULL;
}

static ur_status add(ur_batch *batch, const ur_field *field)
{
    size_t size = 1;
    UR__TRY(ur__batch_check(batch));
    if (field->rank < 1 || field->rank > UR_MAX_RANK)
        return ur__fail(UR_ESHAPE, "field %s has rank %d, not 1 to %d", field->role, field->rank,
                        UR_MAX_RANK);
    for (int i = 0; i < field->rank; i++) {
        if (field->dim[i] < 1 || size > (size_t)INT_MAX / (size_t)field->dim[i])
            return ur__fail(UR_ESHAPE, "field %s: dimension %d of %d is impossible", field->role,
                            i, field->dim[i]);
        size *= (size_t)field->dim[i];
    }
    if (ur_batch_find(batch, field->role))
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
