/* SPDX-License-Identifier: MIT */
/*
 * Temperature, top-k, top-p (Holtzman et al. 2020, "The curious case of neural text
 * degeneration"), min-p (Nguyen et al. 2024, "Turning up the heat: min-p sampling for
 * creative and coherent LLM outputs"), the penalty of repetitions (Keskar et al. 2019,
 * "CTRL", section 4.1), and the draw itself. Tokens are ranked by logit, equal ones by number.
 * All sums run in double over ascending token numbers, so that a draw has the same
 * outcome everywhere.
 */
#include "decode/sample.h"

#include <math.h>

#include "base/sized.h"
#include "base/status.h"
#include "kernel/select.h"

static const ur_sample_options defaults = {
    .size = sizeof defaults, .temperature = 1, .top_p = 1, .seed = 123, .repetition_penalty = 1,
};

void ur_sample_options_init_size(ur_sample_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

ur_status ur_sample_options_check(const ur_sample_options *options)
{
    UR__NEED(options, "options");
    ur_sample_options own;
    return ur__sample_options_read(&own, options);
}

ur_status ur__sample_options_read(ur_sample_options *o, const ur_sample_options *options)
{
    UR__TRY(ur__sized_read(o, options, &defaults, sizeof defaults, "ur_sample_options_init"));
    if (!(o->temperature >= 0) || isinf(o->temperature))
        return ur__fail(UR_EINVAL, "temperature is 0 (greedy) or more, not %g", o->temperature);
    if (o->top_k < 0)
        return ur__fail(UR_EINVAL, "top-k is 0 (all) or more, not %d", o->top_k);
    if (!(o->top_p > 0 && o->top_p <= 1))
        return ur__fail(UR_EINVAL, "top-p is a probability in (0,1], not %g", o->top_p);
    if (!(o->repetition_penalty > 0) || isinf(o->repetition_penalty))
        return ur__fail(UR_EINVAL, "the repetition penalty is above 0 (1: off), not %g",
                        o->repetition_penalty);
    if (!(o->min_p >= 0 && o->min_p <= 1))
        return ur__fail(UR_EINVAL, "min-p is a share in [0,1], not %g", o->min_p);
    return UR_OK;
}

/* ---- ranking ----------------------------------------------------------- */

static bool ranks_before(const ur_real *logits, int32_t a, int32_t b)
{
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/* Restores the heap (best token on top) below position `at` of n. */
static void sift_down(const ur_real *logits, int32_t *heap, int at, int n)
{
    for (;;) {
        int best = at;
        for (int child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++) {
            if (ranks_before(logits, heap[child], heap[best]))
                best = child;
        }
        if (best == at)
            return;
        int32_t token = heap[at];
        heap[at] = heap[best];
        heap[best] = token;
        at = best;
    }
}

static void make_heap(int V, const ur_real *logits, int32_t *heap)
{
    for (int i = 0; i < V; i++)
        heap[i] = i;
    for (int i = V / 2 - 1; i >= 0; i--)
        sift_down(logits, heap, i, V);
}

/* The best of n, moved to the end of the heap's array. */
static int32_t take_best(const ur_real *logits, int32_t *heap, int n)
{
    int32_t best = heap[0];
    heap[0] = heap[n - 1];
    heap[n - 1] = best;
    sift_down(logits, heap, 0, n - 1);
    return best;
}

/* ---- filters ----------------------------------------------------------- */

static double sum_of(int V, const ur_real *weight)
{
    double sum = 0;
    for (int i = 0; i < V; i++)
        sum += (double)weight[i];
    return sum;
}

/* Zeroes the weights of all but the `keep` likeliest tokens. */
static void keep_best(int V, const ur_real *logits, int keep, ur_real *weight, int32_t *order)
{
    make_heap(V, logits, order);
    int n = V;
    for (; n > V - keep; n--)
        take_best(logits, order, n);
    for (int i = 0; i < n; i++)
        weight[order[i]] = 0;
}

/* Zeroes all but the fewest likeliest tokens whose share of the weights reaches p. */
static void keep_share(int V, const ur_real *logits, double p, ur_real *weight, int32_t *order)
{
    double want = p * sum_of(V, weight), have = 0;
    make_heap(V, logits, order);
    int n = V;
    while (n > 0 && have < want)
        have += (double)weight[take_best(logits, order, n--)];
    for (int i = 0; i < n; i++)
        weight[order[i]] = 0;
}

/* Zeroes what is less likely than a share of the likeliest. */
static void keep_near(int V, double share, int32_t best, ur_real *weight)
{
    double least = share * (double)weight[best];
    for (int i = 0; i < V; i++)
        if ((double)weight[i] < least)
            weight[i] = 0;
}

/* exp of (logit − largest)/temperature, normalised: in double up to the exponent, so that
 * a tiny temperature neither overflows nor makes 0/0. */
static void soften(int V, const ur_real *logits, ur_real largest, double temperature,
                   ur_real *weight)
{
    for (int i = 0; i < V; i++) {
        double x = ((double)logits[i] - (double)largest) / temperature;
        weight[i] = (ur_real)(x < -1000 ? -1000 : x);
    }
    ur__kernel()->softmax(V, weight, weight);
}

/* CTRL divides; a negative logit is multiplied, or it would become more likely. */
void ur__penalize(int V, const ur_real *logits, double penalty, const unsigned char *seen,
                  ur_real *out)
{
    const double most = 1e30;   /* a float still has it */
    for (int i = 0; i < V; i++) {
        double x = (double)logits[i];
        x = x > 0 ? x / penalty : x * penalty;
        x = x > most ? most : x < -most ? -most : x;
        out[i] = seen[i] && isfinite(logits[i]) ? (ur_real)x : logits[i];
    }
}

/* ---- drawing ----------------------------------------------------------- */

int32_t ur__likeliest(int V, const ur_real *logits)
{
    int32_t best = 0;
    for (int i = 1; i < V; i++) {
        if (logits[i] > logits[best])
            best = i;
    }
    return best;
}

ur_status ur__sample(int V, const ur_real *logits, const ur_sample_options *options,
                     double uniform, struct ur__sample_work work, int32_t *id)
{
    ur_real *weight = work.weight;
    size_t bad = ur__kernel()->find_nonfinite((size_t)V, logits);
    if (bad < (size_t)V)
        return ur__fail(UR_ENUMERIC, "the logit of token %zu is not finite", bad);
    int32_t best = ur__likeliest(V, logits);
    *id = best;
    if (options->temperature == 0)
        return UR_OK;
    soften(V, logits, logits[best], options->temperature, weight);
    if (options->top_k > 0 && options->top_k < V)
        keep_best(V, logits, options->top_k, weight, work.order);
    if (options->top_p < 1)
        keep_share(V, logits, options->top_p, weight, work.order);
    if (options->min_p > 0)
        keep_near(V, options->min_p, best, weight);
    double target = uniform * sum_of(V, weight), passed = 0;
    for (int i = 0; i < V; i++) {
        passed += (double)weight[i];
        if (passed > target) {
            *id = i;
            break;
        }
    }
    return UR_OK;
}
