/* SPDX-License-Identifier: MIT */
/* Initial values that follow from labelled examples: what numbers are normalised by, how much
 * labels weigh, vectors of words. */
#include <math.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/vectors.h"
#include "model/arch.h"
#include "task/labelled.h"

/* Numbers that vary less, or less than that share of small ones, are not scaled: what they vary by
 * may be rounding. */
#define LEAST_VARIANCE 1e-12
#define NORMAL_STEPS 64         /* read at a time to see what numbers are like */

/* Takes numbers of one kind together: those of a picture, of which some hardly vary, are no larger
 * for it then. */
static void pool_moments(size_t I, double *sum, double *square)
{
    double all = 0, squares = 0;
    for (size_t k = 0; k < I; k++) {
        all += sum[k] / (double)I;
        squares += square[k] / (double)I;
    }
    for (size_t k = 0; k < I; k++) {
        sum[k] = all;
        square[k] = squares;
    }
}

/* From sums over an example's T steps to those of its numbers less their means. */
static void center(size_t I, int32_t T, bool each, double *own, double *sum, double *square)
{
    double all = 0;
    for (size_t k = 0; k < I; k++)
        all += own[k] / ((double)T * (double)I);
    for (size_t k = 0; k < I; k++) {
        double mean = each ? own[k] / T : all;
        square[k] += mean * (T * mean - 2 * own[k]);
        sum[k] -= T * mean;
        own[k] = 0;
    }
}

/* mean and 1/deviation of each number over all steps to learn from; of pictures those of all. */
static ur_status normalise(struct ur__labelled *l, ur_model *model)
{
    const struct ur__encoder_options *o = ur__model_values(model);
    ur_params *params = ur_model_params(model);
    ur_real *mean = ur_param_data(params, ur_params_find(params, "frames.mean"));
    ur_real *scale = ur_param_data(params, ur_params_find(params, "frames.scale"));
    size_t I = (size_t)l->features;
    int64_t n = 0;
    double *sum = ur__calloc(3 * I, sizeof *sum), *square = sum ? sum + I : NULL;
    double *own = sum ? sum + 2 * I : NULL;
    ur_real *frames = ur__alloc(NORMAL_STEPS * I, sizeof *frames);
    ur_status status = sum && frames ? UR_OK : UR_ENOMEM;
    for (int64_t i = 0; i < l->train.n && status == UR_OK; i++) {
        for (int32_t t = 0, T; t < l->train.length[i] && status == UR_OK; t += T) {
            T = l->train.length[i] - t < NORMAL_STEPS ? l->train.length[i] - t : NORMAL_STEPS;
            status = ur__examples_frames(l->set.x, l->train.which[i], t, T, frames);
            for (size_t k = 0; k < (size_t)T * I && status == UR_OK; k++) {
                sum[k % I] += (double)frames[k];
                own[k % I] += (double)frames[k];
                square[k % I] += (double)frames[k] * (double)frames[k];
            }
            n += T;
        }
        if (o->center)
            center(I, l->train.length[i], o->center == UR__CENTER_EACH, own, sum, square);
    }
    if (status == UR_OK && l->set.x->scaled)
        pool_moments(I, sum, square);
    for (size_t k = 0; k < I && status == UR_OK; k++) {
        double m = sum[k] / (double)n, all = square[k] / (double)n, variance = all - m * m;
        mean[k] = (ur_real)m;
        scale[k] = variance > LEAST_VARIANCE * fmin(all, 1) ? (ur_real)(1 / sqrt(variance)) : 1;
    }
    ur__free(sum);
    ur__free(frames);
    return status;
}

/* Labels by how seldom they are, where the network asks for it: 1 on the average example. */
static void weigh(const struct ur__labelled *l, ur_model *model)
{
    ur_params *params = ur_model_params(model);
    const ur_param *p = ur_params_find(params, "label.weight");
    if (!p)
        return;
    ur_real *weight = ur_param_data(params, p);
    int K = p->dim[0];
    for (int k = 0; k < K; k++)
        weight[k] = 0;
    for (int64_t i = 0; i < l->train.n; i++)
        weight[l->set.x->example[l->train.which[i]].label]++;
    for (int k = 0; k < K; k++)
        weight[k] = weight[k] > 0 ? (ur_real)l->train.n / ((ur_real)K * weight[k]) : 1;
}

static ur_status take_vectors(const struct ur__labelled *l, ur_model *model)
{
    ur_params *params = ur_model_params(model);
    const ur_param *p = ur_params_find(params, "embed.weight");
    struct ur__vectors v;
    int64_t count;
    unsigned char *found = ur__calloc((size_t)p->dim[0], 1);
    ur_status status = found ? ur__vectors_open(&v, l->o.vectors) : UR_ENOMEM;
    if (found && status == UR_OK && v.width != p->dim[1])
        status = ur__fail(UR_EDATA, "%s has vectors of %d numbers, but embed is %d", l->o.vectors,
                          v.width, p->dim[1]);
    if (status == UR_OK)
        status = ur__vectors_fill(&v, l->text, ur_param_data(params, p), found, &count);
    if (found)
        ur__vectors_close(&v);
    ur__free(found);
    return status;
}

ur_status ur__labelled_start(void *run, ur_model *model)
{
    struct ur__labelled *l = run;
    weigh(l, model);
    if (l->features)
        UR__TRY(normalise(l, model));
    return l->o.vectors ? take_vectors(l, model) : UR_OK;
}
