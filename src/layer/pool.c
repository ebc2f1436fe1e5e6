/* SPDX-License-Identifier: MIT */
/* One vector a sequence: its last state, or the mean, the largest or a learned average of all
 * its states; docs/MATH.md, section Pooling. */
#include <math.h>

#include "base/status.h"
#include "layer/init.h"
#include "layer/params.h"
#include "tape/tape.h"

/* ---- parameters -------------------------------------------------------- */

static ur_status declare(ur_pool_layer *layer, ur_params *params, const char *prefix)
{
    int E = layer->width;
    struct ur__param_new p = {.prefix = prefix, .name = "hidden.weight", .rank = 2, .dim = {E, E},
                              .init = UR_INIT_UNIFORM, .scale = ur__init_bound(E)};
    layer->hidden = layer->score = (ur_linear_layer){.params = params, .I = E, .O = E};
    layer->score.O = 1;
    UR__TRY(ur__params_declare(params, &p, &layer->hidden.weight));
    p.name = "hidden.bias";
    p.rank = 1;
    UR__TRY(ur__params_declare(params, &p, &layer->hidden.bias));
    p.name = "score.weight";
    p.rank = 2;
    p.dim[0] = 1;
    return ur__params_declare(params, &p, &layer->score.weight);
}

ur_status ur_pool_init(ur_pool_layer *layer, ur_params *params, const char *prefix,
                       ur_pooling kind, int width, int directions)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_pool_layer){.kind = kind, .width = width, .directions = directions};
    if ((int)kind < UR_POOL_LAST || kind > UR_POOL_ATTENTION)
        return ur__fail(UR_EINVAL, "%s: there is no pooling %d", prefix, (int)kind);
    if (width < 1 || directions < 1 || directions > 2 || width % directions)
        return ur__fail(UR_EINVAL, "%s: %d numbers of %d directions cannot be pooled", prefix,
                        width, directions);
    int declared = ur_params_count(params);
    ur_status status = kind == UR_POOL_ATTENTION ? declare(layer, params, prefix) : UR_OK;
    if (status != UR_OK)
        ur__params_truncate(params, declared);
    return status;
}

/* ---- what lengths say, as tensors -------------------------------------- */

/* Those that a kind of pooling needs; the others are NULL. */
struct marks {
    int T, B;
    const int *lengths;
    ur_real *alive;         /* [T,B,1]: 1 or 0 */
    ur_real *some;          /* [B,1]: 1 or 0, whether it has a step */
    ur_real *share;         /* [B,1]: 1 over its steps */
    int32_t *last;          /* [B] row of its last state in [T·B] */
};

static void marks_work(const struct ur__worker *w, void *arg)
{
    const struct marks *m = arg;
    (void)w;
    for (int b = 0; b < m->B; b++) {
        int n = m->lengths ? m->lengths[b] : m->T;
        if (m->some)
            m->some[b] = n > 0;
        if (m->share)
            m->share[b] = n > 0 ? 1 / (ur_real)n : 0;
        if (m->last)
            m->last[b] = (n > 0 ? n - 1 : 0) * m->B + b;
        for (int t = 0; m->alive && t < m->T; t++)
            m->alive[(ptrdiff_t)t * m->B + b] = t < n;
    }
}

static bool take_marks(ur_tape *tape, ur_pooling kind, struct marks *m)
{
    size_t B = (size_t)m->B;
    if (kind != UR_POOL_LAST)
        m->alive = ur__tape_alloc(tape, (size_t)m->T * B, sizeof *m->alive);
    if (kind == UR_POOL_LAST || kind == UR_POOL_MAX)
        m->some = ur__tape_alloc(tape, B, sizeof *m->some);
    if (kind == UR_POOL_MEAN)
        m->share = ur__tape_alloc(tape, B, sizeof *m->share);
    if (kind == UR_POOL_LAST)
        m->last = ur__tape_alloc(tape, B, sizeof *m->last);
    if (ur__tape_poisoned(tape))
        return false;
    ur__tape_run(tape, NULL, marks_work, m);
    return true;
}

static ur_tensor *constant(ur_tape *tape, ur_real x)
{
    const int one = 1;
    return ur_copy_in(tape, 1, &one, &x);
}

static ur_tensor *of_steps(ur_tape *tape, const struct marks *m)
{
    return ur_constant(tape, 3, (int[]){m->T, m->B, 1}, m->alive);
}

static ur_tensor *of_sequences(ur_tape *tape, const struct marks *m, const ur_real *mark)
{
    return ur_constant(tape, 2, (int[]){m->B, 1}, mark);
}

/* x where the mark is 1, else `other`. */
static ur_tensor *only(ur_tensor *mark, ur_tensor *x, ur_real other)
{
    return mark ? ur_where(mark, x, constant(mark->tape, other)) : NULL;
}

/* ---- kinds ------------------------------------------------------------- */

/* Forward states at each end, backward ones at the begin. */
static ur_tensor *last(ur_tape *tape, const ur_pool_layer *layer, ur_tensor *h,
                       const struct marks *m)
{
    int half = layer->width / layer->directions;
    ur_tensor *rows = ur_reshape(h, 2, (int[]){m->T * m->B, layer->width});
    ur_tensor *end = ur_gather(tape, rows, (ur_ids){m->last, 1, m->B});
    end = ur_reshape(end, 2, (int[]){m->B, layer->width});
    if (layer->directions == 1)
        return end;
    ur_tensor *both[] = {ur_slice(end, 1, 0, half), ur_slice(ur_at(h, 0), 1, half, layer->width)};
    return ur_concat(tape, 2, both, 1);
}

/* score(tanh(hidden(h))), softmax over the living steps -> [B,T] */
static ur_tensor *attend(ur_tape *tape, const ur_pool_layer *layer, ur_tensor *h,
                         const struct marks *m, const int *lengths)
{
    ur_tensor *score = ur_linear(tape, &layer->score, ur_tanh(ur_linear(tape, &layer->hidden, h)));
    score = ur_transpose(ur_reshape(score, 2, (int[]){m->T, m->B}));
    return lengths ? ur_softmax_lengths(score, lengths) : ur_softmax(score);
}

ur_tensor *ur_pool(ur_tape *tape, const ur_pool_layer *layer, ur_tensor *h, const int *lengths,
                   ur_tensor **weights)
{
    if (weights)
        *weights = NULL;
    if (!h)
        return NULL;
    if (!layer || layer->width < 1)
        return ur__tape_fail(h->tape, UR_EINVAL, "pool: the layer is NULL or was not initialised");
    if (h->rank != 3 || h->dim[2] != layer->width)
        return ur__tape_fail(h->tape, UR_ESHAPE, "pool: states are %s, not [T,B,%d]",
                             ur__shape_text(h), layer->width);
    struct marks m = {.T = h->dim[0], .B = h->dim[1], .lengths = lengths};
    for (int b = 0; lengths && !ur__tape_measures(tape) && b < m.B; b++)
        if (lengths[b] < 0 || lengths[b] > m.T)
            return ur__tape_fail(tape, UR_ESHAPE, "pool: sequence %d has length %d, not 0 to %d", b,
                                 lengths[b], m.T);
    if (!take_marks(tape, layer->kind, &m))
        return NULL;
    ur_tensor *w;
    switch (layer->kind) {
    case UR_POOL_LAST:
        return only(of_sequences(tape, &m, m.some), last(tape, layer, h, &m), 0);
    case UR_POOL_MEAN:
        h = only(of_steps(tape, &m), h, 0);
        return ur_mul(ur_sum_over(h, 0), of_sequences(tape, &m, m.share));
    case UR_POOL_MAX:
        h = ur_max_over(only(of_steps(tape, &m), h, -(ur_real)INFINITY), 0);
        return only(of_sequences(tape, &m, m.some), h, 0);
    case UR_POOL_ATTENTION:
    default:
        h = only(of_steps(tape, &m), h, 0);
        w = attend(tape, layer, h, &m, lengths);
        if (weights)
            *weights = w;
        w = ur_reshape(ur_transpose(w), 3, (int[]){m.T, m.B, 1});
        return ur_sum_over(ur_mul(h, w), 0);
    }
}
