/* SPDX-License-Identifier: MIT */
/* Gradients against central differences, element by element. */
#include "tape/tape.h"

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/sized.h"
#include "base/status.h"

#include <math.h>

static const ur_check_inputs defaults = {.size = sizeof defaults, .epsilon = 1e-5};

void ur_check_inputs_init_size(ur_check_inputs *p, size_t size)
{
    ur__sized_init(p, size, &defaults, sizeof defaults);
}

struct check {
    ur_loss_function f;
    void *user;
    ur_check_inputs in;
    ur_tape *tape;
    ur_tensor **input;      /* [n] */
    ur_real **grad;         /* [n], one array an input */
    size_t *size;           /* [n] */
};

/* The loss of the data as they are now. */
static ur_status evaluate(const struct check *c, bool differentiate, double *loss)
{
    ur_tape_reset(c->tape);
    ur_tape_set_recording(c->tape, differentiate);
    for (int i = 0; i < c->in.n; i++)
        c->input[i] = ur_variable(c->tape, c->in.rank[i], c->in.dim[i], c->in.data[i], c->grad[i]);
    ur_tensor *y = c->f(c->tape, c->input, c->user);
    UR__TRY(ur_tape_status(c->tape));
    if (ur_size(y) != 1)
        return ur__fail(UR_ESHAPE, "check_gradients: the loss is %s, not one element",
                        ur__shape_text(y));
    *loss = ur_scalar(y);
    return differentiate ? ur_backward(c->tape, y) : UR_OK;
}

/* The slope at one element by differences. */
static ur_status difference(const struct check *c, ur_real *x, double *slope)
{
    const double epsilon = c->in.epsilon;
    ur_real kept = *x, above = (ur_real)((double)kept + epsilon);
    ur_real below = (ur_real)((double)kept - epsilon);
    double f_above = 0, f_below = 0;
    *x = above;
    ur_status status = evaluate(c, false, &f_above);
    *x = below;
    if (status == UR_OK)
        status = evaluate(c, false, &f_below);
    *x = kept;
    /* the step that was really made: above and below are rounded */
    *slope = (f_above - f_below) / ((double)above - (double)below);
    return status;
}

static ur_status compare(const struct check *c, double *worst)
{
    double loss = 0;
    UR__TRY(evaluate(c, true, &loss));
    for (int i = 0; i < c->in.n; i++) {
        for (size_t e = 0; e < c->size[i]; e++) {
            double n = 0, a = (double)c->grad[i][e];
            UR__TRY(difference(c, &c->in.data[i][e], &n));
            double error = fabs(a - n) / fmax(fmax(fabs(a), fabs(n)), 1e-3);
            if (!(error <= *worst))     /* NaN counts as wrong */
                *worst = isnan(error) ? (double)INFINITY : error;
        }
    }
    return UR_OK;
}

static ur_status prepare(struct check *c)
{
    UR__TRY(ur_tape_new(&c->tape, NULL));
    c->input = ur__calloc((size_t)c->in.n, sizeof(ur_tensor *));
    c->grad = ur__calloc((size_t)c->in.n, sizeof(ur_real *));
    c->size = ur__calloc((size_t)c->in.n, sizeof(size_t));
    if (!c->input || !c->grad || !c->size)
        return UR_ENOMEM;
    for (int i = 0; i < c->in.n; i++) {
        ur_tensor *x = ur_constant(c->tape, c->in.rank[i], c->in.dim[i], c->in.data[i]);
        UR__TRY(ur_tape_status(c->tape));
        c->size[i] = ur_size(x);
        c->grad[i] = ur__calloc(c->size[i], sizeof(ur_real));
        if (!c->grad[i])
            return UR_ENOMEM;
    }
    return UR_OK;
}

ur_status ur_check_gradients(double *worst, ur_loss_function f, void *user,
                             const ur_check_inputs *inputs)
{
    UR__NEED(worst, "worst");
    *worst = 0;
    UR__NEED(f, "f");
    UR__NEED(inputs, "inputs");
    struct check c = {.f = f, .user = user};
    UR__TRY(ur__sized_read(&c.in, inputs, &defaults, sizeof defaults, "ur_check_inputs_init"));
    UR__NEED(c.in.rank, "inputs.rank");
    UR__NEED(c.in.dim, "inputs.dim");
    UR__NEED(c.in.data, "inputs.data");
    if (c.in.n < 1 || !(c.in.epsilon > 0))
        return ur__fail(UR_EINVAL, "check_gradients: %d inputs, epsilon %g", c.in.n,
                        c.in.epsilon);
    ur_status status = prepare(&c);
    unsigned mode = ur__fpmode_default();
    if (status == UR_OK)
        status = compare(&c, worst);
    ur__fpmode_restore(mode);
    for (int i = 0; c.grad && i < c.in.n; i++)
        ur__free(c.grad[i]);
    ur__free(c.grad);
    ur__free(c.input);
    ur__free(c.size);
    ur_tape_free(c.tape);
    return status;
}
