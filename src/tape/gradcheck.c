/* SPDX-License-Identifier: MIT */
/* Gradients against central differences, element by element. */
#include "tape/tape.h"

#include "base/mem.h"
#include "base/status.h"

#include <math.h>

struct check {
    ur_loss_function f;
    void *user;
    int n;
    const int *rank;
    const int *const *dim;
    ur_real *const *data;
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
    for (int i = 0; i < c->n; i++)
        c->input[i] = ur_variable(c->tape, c->rank[i], c->dim[i], c->data[i], c->grad[i]);
    ur_tensor *y = c->f(c->tape, c->input, c->user);
    UR__TRY(ur_tape_status(c->tape));
    if (ur_size(y) != 1)
        return ur__fail(UR_ESHAPE, "check_gradients: the loss is %s, not one element",
                        ur__shape_text(y));
    *loss = ur_scalar(y);
    return differentiate ? ur_backward(c->tape, y) : UR_OK;
}

/* The slope at one element by differences. */
static ur_status difference(const struct check *c, ur_real *x, double epsilon, double *slope)
{
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

static ur_status compare(const struct check *c, double epsilon, double *worst)
{
    double loss = 0;
    UR__TRY(evaluate(c, true, &loss));
    for (int i = 0; i < c->n; i++) {
        for (size_t e = 0; e < c->size[i]; e++) {
            double n = 0, a = (double)c->grad[i][e];
            UR__TRY(difference(c, &c->data[i][e], epsilon, &n));
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
    c->input = ur__calloc((size_t)c->n, sizeof(ur_tensor *));
    c->grad = ur__calloc((size_t)c->n, sizeof(ur_real *));
    c->size = ur__calloc((size_t)c->n, sizeof(size_t));
    if (!c->input || !c->grad || !c->size)
        return UR_ENOMEM;
    for (int i = 0; i < c->n; i++) {
        ur_tensor *x = ur_constant(c->tape, c->rank[i], c->dim[i], c->data[i]);
        UR__TRY(ur_tape_status(c->tape));
        c->size[i] = ur_size(x);
        c->grad[i] = ur__calloc(c->size[i], sizeof(ur_real));
        if (!c->grad[i])
            return UR_ENOMEM;
    }
    return UR_OK;
}

ur_status ur_check_gradients(double *worst, ur_loss_function f, void *user, int n,
                             const int *rank, const int *const *dim, ur_real *const *data,
                             double epsilon)
{
    UR__NEED(worst, "worst");
    *worst = 0;
    UR__NEED(f, "f");
    UR__NEED(rank, "rank");
    UR__NEED(dim, "dim");
    UR__NEED(data, "data");
    if (n < 1 || !(epsilon > 0))
        return ur__fail(UR_EINVAL, "check_gradients: %d inputs, epsilon %g", n, epsilon);
    struct check c = {.f = f, .user = user, .n = n, .rank = rank, .dim = dim, .data = data};
    ur_status status = prepare(&c);
    if (status == UR_OK)
        status = compare(&c, epsilon, worst);
    for (int i = 0; c.grad && i < n; i++)
        ur__free(c.grad[i]);
    ur__free(c.grad);
    ur__free(c.input);
    ur__free(c.size);
    ur_tape_free(c.tape);
    return status;
}
