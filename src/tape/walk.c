/* SPDX-License-Identifier: MIT */
/* The loop over tensors that broadcast. */
#include "tape/walk.h"

/* The dimension of x that stands below dimension i of a result of this rank. */
static int dim_below(struct ur__shape x, int rank, int i)
{
    int own = i - (rank - x.rank);
    return own >= 0 ? x.dim[own] : 1;
}

bool ur__walk_shape(int n, const struct ur__shape *x, int *rank, int *dim)
{
    *rank = 0;
    for (int k = 0; k < n; k++)
        *rank = x[k].rank > *rank ? x[k].rank : *rank;
    for (int i = 0; i < *rank; i++) {
        dim[i] = 1;
        for (int k = 0; k < n; k++) {
            int d = dim_below(x[k], *rank, i);
            if (d != 1 && dim[i] != 1 && d != dim[i])
                return false;
            dim[i] = d != 1 ? d : dim[i];
        }
    }
    return true;
}

/* Merges from the innermost dimension outwards, then turns the order round. */
void ur__walk_make(struct ur__walk *w, int sides, const struct ur__shape *x)
{
    const struct ur__shape y = x[sides - 1];
    size_t step[UR__WALK_SIDES] = {1, 1, 1, 1};
    struct ur__walk in = {.sides = sides};
    for (int i = y.rank - 1; i >= 0; i--) {
        size_t n = (size_t)y.dim[i];
        if (n == 1)
            continue;
        size_t stride[UR__WALK_SIDES];
        bool merge = in.rank > 0;
        for (int s = 0; s < sides; s++) {
            bool full = dim_below(x[s], y.rank, i) == y.dim[i];
            stride[s] = full ? step[s] : 0;
            step[s] *= full ? n : 1;
            merge = merge && full == (in.stride[s][in.rank - 1] != 0);
        }
        if (merge) {
            in.dim[in.rank - 1] *= n;
            continue;
        }
        in.dim[in.rank] = n;
        for (int s = 0; s < sides; s++)
            in.stride[s][in.rank] = stride[s];
        in.rank++;
    }
    if (in.rank == 0) {
        in.rank = 1;
        in.dim[0] = 1;
        for (int s = 0; s < sides; s++)
            in.stride[s][0] = 1;
    }
    *w = (struct ur__walk){.sides = sides, .rank = in.rank};
    for (int d = 0; d < in.rank; d++) {
        w->dim[d] = in.dim[in.rank - 1 - d];
        for (int s = 0; s < sides; s++)
            w->stride[s][d] = in.stride[s][in.rank - 1 - d];
    }
}

static int split_dim(const struct ur__walk *w, int side)
{
    int best = -1;
    for (int d = 0; d < w->rank; d++)
        if (w->stride[side][d] && (best < 0 || w->dim[d] > w->dim[best]))
            best = d;
    return best;
}

void ur__walk_share(const struct ur__walk *w, int side, const struct ur__worker *worker,
                    size_t grain, ur__walk_row row, const void *arg)
{
    size_t from[UR_MAX_RANK] = {0}, to[UR_MAX_RANK], i[UR_MAX_RANK];
    int last = w->rank - 1, split = split_dim(w, side);
    for (int d = 0; d <= last; d++)
        to[d] = w->dim[d];
    if (split < 0 && worker->index > 0)
        return;
    if (split >= 0) {
        ur__op_range(worker, w->dim[split], split == last ? grain : 1, &from[split], &to[split]);
        if (from[split] == to[split])
            return;
    }
    for (int d = 0; d <= last; d++)
        i[d] = from[d];
    for (int d = last; d >= 0;) {
        size_t at[UR__WALK_SIDES] = {0};
        for (int s = 0; s < w->sides; s++)
            for (int e = 0; e <= last; e++)
                at[s] += i[e] * w->stride[s][e];
        row(arg, to[last] - from[last], at);
        for (d = last - 1; d >= 0 && ++i[d] == to[d]; d--)
            i[d] = from[d];
    }
}

const ur_real *ur__walk_spread(const struct ur__walk *w, int side, const ur_real *row, size_t i,
                               size_t m, ur_real *memory)
{
    if (!ur__walk_flat(w, side))
        return row + i;
    for (size_t e = 0; e < m; e++)
        memory[e] = *row;
    return memory;
}
