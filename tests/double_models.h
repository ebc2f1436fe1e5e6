/* SPDX-License-Identifier: MIT */
/* Gradients of whole models in double precision against central differences. */
#ifndef UR_TESTS_DOUBLE_MODELS_H
#define UR_TESTS_DOUBLE_MODELS_H

#include "models.h"

#include <math.h>

#include "layer/params.h"

typedef ur_tensor *loss_function(ur_tape *tape, const ur_model *model, const ur_batch *batch);

struct model_net {
    ur_model *model;
    ur_tape *tape;
    const ur_batch *batch;
    loss_function *loss;
};

static inline double model_loss(const struct model_net *n, bool backward)
{
    ur_tape_reset(n->tape);
    assert_ok(ur_model_prepare(n->model));
    ur_tensor *e = n->loss(n->tape, n->model, n->batch);
    assert_ok(ur_tape_status(n->tape));
    double value = ur_scalar(e);
    if (backward)
        assert_ok(ur_backward(n->tape, e));
    return value;
}

/* The largest error of a parameter's gradient, |a−d| / max(|a|, |d|, 1e-3), in a step of training
 * that draws from this place on. Frees the model. */
static inline double worst_gradient(ur_model *model, const ur_batch *batch, loss_function *loss,
                                    uint64_t step)
{
    struct model_net n = {.model = model, .batch = batch, .loss = loss};
    ur_params *p = ur_model_params(model);
    double worst = 0;
    assert_ok(ur_tape_new(&n.tape, NULL));
    ur_tape_set_training(n.tape, true, 5, step);
    ur_params_zero_grads(p);
    model_loss(&n, true);
    for (size_t i = 0; i < ur_params_size(p); i++) {
        const double e = 1e-5, old = ur_params_values(p)[i], a = ur_params_grads(p)[i];
        ur_params_values(p)[i] = old + e;
        double up = model_loss(&n, false);
        ur_params_values(p)[i] = old - e;
        double down = model_loss(&n, false);
        ur_params_values(p)[i] = old;
        double d = (up - down) / (2 * e);
        double error = fabs(a - d) / fmax(fmax(fabs(a), fabs(d)), 1e-3);
        worst = error > worst ? error : worst;
    }
    ur_tape_free(n.tape);
    ur_model_free(model);
    return worst;
}

#endif
