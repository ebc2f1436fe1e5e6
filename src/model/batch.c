/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "base/status.h"
#include "unroll/model.h"

const ur_field *ur_batch_find(const ur_batch *batch, const char *role)
{
    UR__NEED_OR(batch, "batch", NULL);
    UR__NEED_OR(role, "role", NULL);
    for (int i = 0; i < batch->n; i++)
        if (strcmp(batch->field[i].role, role) == 0)
            return &batch->field[i];
    return NULL;
}

static ur_status add(ur_batch *batch, const ur_field *field)
{
    size_t size = 1;
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
    if (batch->n >= UR_MAX_FIELDS)
        return ur__fail(UR_EINVAL, "a batch has at most %d fields", UR_MAX_FIELDS);
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
