/* SPDX-License-Identifier: MIT */
/*
 * One update of all parameters: look for gradients that are not finite, clip, step, look at
 * what came of it.
 *
 * Work is cut into blocks of 4096 numbers, the kernel's own for long sums. A block's
 * sum of squares is one number whoever computes it, and the block sums are added in
 * order by the caller, so the norm has the same bits for every team. Parameters and
 * moments are looked at block by block right after their update, while they are in the
 * cache: whatever was not finite before still is not then.
 * Invariant: nothing is written before all gradients have been seen to be finite.
 * Equations: docs/TRAINING.md.
 */
#include "train/optimizer.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"
#include "base/team.h"
#include "base/text.h"
#include "kernel/select.h"
#include "layer/params.h"

#define BLOCK 4096
/* About the root of the largest ur_real. */
#ifdef UR_DOUBLE
#define MOST_GRADIENT 1e154
#else
#define MOST_GRADIENT 1e19
#endif

struct ur_optimizer {
    ur_params *params;
    ur_team *team;
    ur_optimizer_options options;
    struct ur__optimizer_clock clock;
    size_t n;               /* trained numbers */
    int n_blocks;
    ur_real *m, *v;         /* [n] or NULL */
    double *sums;           /* [n_blocks] squares of the gradients; after the step whether
                               a number of the block is not finite */
    struct ur__opt now;     /* of the step under way */
};

/* ---- names and options ------------------------------------------------- */

const char *const ur__optimizer_words[] = {
    [UR_OPTIMIZER_ADAMW] = "adamw",
    [UR_OPTIMIZER_ADAM] = "adam",
    [UR_OPTIMIZER_RMSPROP] = "rmsprop",
    [UR_OPTIMIZER_ADAGRAD] = "adagrad",
    [UR_OPTIMIZER_SGD] = "sgd",
    NULL,
};
#define N_KINDS ((int)(sizeof ur__optimizer_words / sizeof ur__optimizer_words[0]) - 1)

const char *ur_optimizer_name(ur_optimizer_kind kind)
{
    return (int)kind >= 0 && (int)kind < N_KINDS ? ur__optimizer_words[kind] : NULL;
}

bool ur_optimizer_find(const char *name, ur_optimizer_kind *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    int i = ur__find_name(ur__optimizer_words, N_KINDS, name);
    if (i >= 0)
        *out = (ur_optimizer_kind)i;
    return i >= 0;
}

/* NaN is in no range. */
static ur_status check_range(const char *name, double value, double from, double below)
{
    if (value >= from && value < below)
        return UR_OK;
    return ur__fail(UR_EINVAL, "optimizer: %s is %g, not in [%g,%g)", name, value, from, below);
}

ur_status ur__optimizer_check(const ur_optimizer_options *o)
{
    if (o->size != sizeof *o)
        return ur__fail(UR_EINVAL, "optimizer: call ur_optimizer_options_init first");
    for (size_t i = 0; i < sizeof o->room / sizeof o->room[0]; i++)
        if (o->room[i] != 0)
            return ur__fail(UR_EINVAL, "optimizer: the options are of a newer version of unroll "
                            "and hold one that this version, " UR_VERSION ", does not have");
    if (!ur_optimizer_name(o->kind))
        return ur__fail(UR_EINVAL, "optimizer: there is no kind %d", (int)o->kind);
    UR__TRY(check_range("beta1", o->beta1, 0, 1));
    UR__TRY(check_range("beta2", o->beta2, 0, 1));
    UR__TRY(check_range("eps", o->eps, 0, 1));
    UR__TRY(check_range("momentum", o->momentum < 0 ? 0 : o->momentum, 0, 1));
    double decay = o->weight_decay < 0 ? 0 : o->weight_decay;
    UR__TRY(check_range("weight decay", decay, 0, (double)FLT_MAX));
#ifndef UR_DOUBLE
    /* Second moments below 2^-100 are 0; a smaller eps would then divide by next to it. */
    if (o->kind != UR_OPTIMIZER_SGD && o->eps != 0 && o->eps < 0x1p-50)
        return ur__fail(UR_EINVAL, "optimizer: eps is %g, below 2^-50", o->eps);
#endif
    UR__TRY(check_range("clip norm", o->clip_norm, 0, HUGE_VAL));
    return check_range("clip value", o->clip_value, 0, HUGE_VAL);
}

static ur_optimizer_options with_defaults(ur_optimizer_options o)
{
    if (o.beta1 == 0)
        o.beta1 = 0.9;
    if (o.beta2 == 0)
        o.beta2 = o.kind == UR_OPTIMIZER_RMSPROP ? 0.95 : 0.999;
    if (o.eps == 0)
        o.eps = 1e-8;
    if (o.momentum < 0)
        o.momentum = 0.9;
    /* Added to the gradient, as the other kinds do, 0.01 would drown it. */
    if (o.weight_decay < 0)
        o.weight_decay = o.kind == UR_OPTIMIZER_ADAMW ? 0.01 : 0;
    return o;
}

void ur_optimizer_options_init_size(ur_optimizer_options *o, size_t size)
{
    UR__NEED_OR(o, "options", );
    const ur_optimizer_options standard = {
        .size = sizeof standard, .momentum = -1, .weight_decay = -1, .clip_norm = 1,
    };
    ur__sized_init(o, size, &standard, sizeof standard);
}

/* ---- making ------------------------------------------------------------ */

static bool needs_moment(const ur_optimizer_options *o, bool first)
{
    bool adam = o->kind == UR_OPTIMIZER_ADAMW || o->kind == UR_OPTIMIZER_ADAM;
    if (first)
        return adam || (o->kind == UR_OPTIMIZER_SGD && o->momentum > 0);
    return o->kind != UR_OPTIMIZER_SGD;
}

int ur__optimizer_moments(const ur_optimizer_options *options)
{
    ur_optimizer_options full = with_defaults(*options);
    return needs_moment(&full, true) + needs_moment(&full, false);
}

ur_status ur_optimizer_new(ur_optimizer **out, ur_params *params,
                           const ur_optimizer_options *options, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(params, "params");
    UR__NEED(options, "options");
    UR__TRY(ur__optimizer_check(options));
    if (!ur_params_values(params))
        return ur__fail(UR_EINVAL, "ur_optimizer_new was called before ur_params_build");
    size_t n = ur_params_size(params);
    size_t n_blocks = n / BLOCK + (n % BLOCK != 0);
    if (n_blocks > INT32_MAX)
        return ur__fail(UR_EINVAL, "optimizer: %zu parameters are too many", n);
    ur_optimizer *o = ur__calloc(1, sizeof *o);
    if (!o)
        return UR_ENOMEM;
    o->params = params;
    o->team = team;
    o->options = with_defaults(*options);
    o->clock = (struct ur__optimizer_clock){0, 1, 1};
    o->n = n;
    o->n_blocks = (int)n_blocks;
    o->sums = ur__alloc(n_blocks, sizeof *o->sums);
    bool first = needs_moment(&o->options, true), second = needs_moment(&o->options, false);
    if (first)
        o->m = ur__calloc(n, sizeof *o->m);
    if (second)
        o->v = ur__calloc(n, sizeof *o->v);
    if (!o->sums || (first && !o->m) || (second && !o->v)) {
        ur_optimizer_free(o);
        return UR_ENOMEM;
    }
    *out = o;
    return UR_OK;
}

void ur_optimizer_free(ur_optimizer *optimizer)
{
    if (!optimizer)
        return;
    ur__free(optimizer->sums);
    ur__free(optimizer->m);
    ur__free(optimizer->v);
    ur__free(optimizer);
}

ur_params *ur__optimizer_params(const ur_optimizer *optimizer)
{
    return optimizer->params;
}

struct ur__optimizer_clock ur__optimizer_clock(const ur_optimizer *optimizer)
{
    return optimizer->clock;
}

void ur__optimizer_set_clock(ur_optimizer *optimizer, struct ur__optimizer_clock clock)
{
    optimizer->clock = clock;
}

ur_real *ur__optimizer_moment(const ur_optimizer *optimizer, bool first)
{
    return first ? optimizer->m : optimizer->v;
}

const ur_optimizer_options *ur__optimizer_options(const ur_optimizer *optimizer)
{
    return &optimizer->options;
}

/* ---- the norm ---------------------------------------------------------- */

static size_t block_end(const ur_optimizer *o, int block)
{
    size_t end = ((size_t)block + 1) * BLOCK;
    return end < o->n ? end : o->n;
}

/* Squares beyond float's range are summed plainly: an infinite sum then means that a
 * number is not finite itself. */
static double sum_of_block(size_t n, const ur_real *g)
{
    const struct ur__kernel *k = ur__kernel();
    double sum = k->sum_squares(n, g);
    if (isfinite(sum) || k->find_nonfinite(n, g) < n)
        return sum;
    sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    return sum;
}

static void sum_share(const struct ur__worker *w, void *arg)
{
    ur_optimizer *o = arg;
    const ur_real *g = ur_params_grads(o->params);
    int begin, end;
    ur__share(o->n_blocks, 1, w->index, w->n, &begin, &end);
    for (int i = begin; i < end; i++) {
        size_t at = (size_t)i * BLOCK;
        o->sums[i] = sum_of_block(block_end(o, i) - at, g + at);
    }
}

/* what: "parameter ", "the gradient of ", ...; x is laid out as the flat parameters. */
static ur_status fail_at(const ur_optimizer *o, const char *what, const ur_real *x, size_t at)
{
    double value = (double)x[at];
    const char *is = ur__nonfinite_name(value);
    for (int i = 0; i < ur_params_count(o->params); i++) {
        const ur_param *p = ur_params_at(o->params, i);
        if (p->trained && at >= p->offset && at - p->offset < p->size)
            return ur__fail(UR_ENUMERIC, "%s%s[%zu] is %s", what, p->name, at - p->offset, is);
    }
    return ur__fail(UR_ENUMERIC, "%snumber %zu is %s", what, at, is);
}

ur_status ur__optimizer_check_numbers(const ur_optimizer *o)
{
    const struct { const char *what; const ur_real *x; } all[] = {
        {"parameter ", ur_params_values(o->params)},
        {"the first moment of ", o->m},
        {"the second moment of ", o->v},
    };
    for (int i = 0; i < 3; i++) {
        size_t bad = all[i].x ? ur__kernel()->find_nonfinite(o->n, all[i].x) : o->n;
        if (bad < o->n)
            return fail_at(o, all[i].what, all[i].x, bad);
    }
    return UR_OK;
}

ur_status ur__optimizer_blame(const ur_optimizer *o, ur_status status)
{
    char found[512];
    if (status != UR_ENUMERIC)
        return status;
    snprintf(found, sizeof found, "%s", ur_errmsg());
    if (ur__optimizer_check_numbers(o) == UR_OK)
        return status;      /* and the message is as it was */
    return ur__fail(status, "%s: %s", found, ur_errmsg());
}

static ur_status find_norm(ur_optimizer *o, double *norm)
{
    const ur_real *g = ur_params_grads(o->params);
    ur__team_run(o->team, sum_share, o);
    double sum = 0;
    for (int i = 0; i < o->n_blocks; i++) {
        if (!isfinite(o->sums[i])) {
            size_t at = (size_t)i * BLOCK, n = block_end(o, i) - at;
            size_t bad = ur__kernel()->find_nonfinite(n, g + at);
            if (bad < n)
                return ur__optimizer_blame(o, fail_at(o, "the gradient of ", g, at + bad));
        }
        sum += o->sums[i];
    }
    *norm = sqrt(sum);
    return UR_OK;
}

/* ---- the step ---------------------------------------------------------- */

static bool is_finite(size_t n, const ur_real *x)
{
    return !x || ur__kernel()->find_nonfinite(n, x) == n;
}

/* False if a number is not finite afterwards. */
static bool step_block(const ur_optimizer *o, int block)
{
    const struct ur__kernel *k = ur__kernel();
    size_t at = (size_t)block * BLOCK, n = block_end(o, block) - at;
    ur_real *p = ur_params_values(o->params) + at;
    const ur_real *g = ur_params_grads(o->params) + at;
    ur_real *m = o->m ? o->m + at : NULL, *v = o->v ? o->v + at : NULL;
    switch (o->options.kind) {
    case UR_OPTIMIZER_ADAMW: k->adamw(n, &o->now, p, g, m, v); break;
    case UR_OPTIMIZER_ADAM: k->adam(n, &o->now, p, g, m, v); break;
    case UR_OPTIMIZER_RMSPROP: k->rmsprop(n, &o->now, p, g, v); break;
    case UR_OPTIMIZER_ADAGRAD: k->adagrad(n, &o->now, p, g, v); break;
    case UR_OPTIMIZER_SGD: k->sgd(n, &o->now, p, g, m); break;
    }
    return is_finite(n, p) && is_finite(n, m) && is_finite(n, v);
}

static void step_share(const struct ur__worker *w, void *arg)
{
    ur_optimizer *o = arg;
    int begin, end;
    ur__share(o->n_blocks, 1, w->index, w->n, &begin, &end);
    for (int i = begin; i < end; i++)
        o->sums[i] = step_block(o, i) ? 0 : 1;
}

static ur_status check_result(const ur_optimizer *o)
{
    double bad = 0;
    for (int i = 0; i < o->n_blocks; i++)
        bad += o->sums[i];
    if (bad == 0 || ur__optimizer_check_numbers(o) == UR_OK)
        return UR_OK;
    return ur__fail(UR_ENUMERIC, "after the update %s", ur_errmsg());
}

/* Gradients of this norm whose squares would be infinite as float. */
static ur_status check_squares(const ur_optimizer_options *o, double length)
{
    bool bounded = o->clip_value > 0 && o->clip_value < MOST_GRADIENT;
    if (o->kind == UR_OPTIMIZER_SGD || bounded || length < MOST_GRADIENT)
        return UR_OK;
    return ur__fail(UR_ENUMERIC, "the gradient's norm is %g, whose square is infinite", length);
}

static ur_status step(ur_optimizer *o, double lr, double *norm)
{
    const ur_optimizer_options *options = &o->options;
    if (!(lr >= 0) || lr > (double)FLT_MAX)
        return ur__fail(UR_EINVAL, "optimizer: the learning rate is %g", lr);
    double length = 0;
    UR__TRY(find_norm(o, &length));
    if (norm)
        *norm = length;
    bool clips = options->clip_norm > 0 && length > options->clip_norm;
    UR__TRY(check_squares(options, clips ? options->clip_norm : length));
    o->clock.steps++;
    o->clock.power1 *= options->beta1;
    o->clock.power2 *= options->beta2;
    o->now = (struct ur__opt){
        .lr = (ur_real)lr,
        .scale = (ur_real)(clips ? options->clip_norm / length : 1.0),
        .clip = (ur_real)options->clip_value,
        .weight_decay = (ur_real)options->weight_decay,
        .beta1 = (ur_real)options->beta1,
        .beta2 = (ur_real)options->beta2,
        .eps = (ur_real)options->eps,
        .correct1 = (ur_real)(1 - o->clock.power1),
        .correct2 = (ur_real)(1 - o->clock.power2),
        .momentum = (ur_real)options->momentum,
    };
    ur__team_run(o->team, step_share, o);
    ur__params_changed(o->params);
    return check_result(o);
}

ur_status ur_optimizer_step(ur_optimizer *optimizer, double lr, double *norm)
{
    UR__NEED(optimizer, "optimizer");
    unsigned mode = ur__fpmode_default();
    ur_status status = step(optimizer, lr, norm);
    ur__fpmode_restore(mode);
    return status;
}
