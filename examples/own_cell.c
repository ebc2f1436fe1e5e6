/* SPDX-License-Identifier: MIT */
/*
 * A recurrent cell of one's own in ten lines, trained: the minimal gated unit (Zhou et
 * al. 2016), written with tape operations, learns to remember the first symbol of a
 * sequence until its end.
 *
 *     f = σ(W_f x + U_f h)     n = tanh(W_n x + U_n (f∘h))     h = h + f∘(n − h)
 */
#include <stdio.h>

#include <unroll.h>

enum { SYMBOLS = 4, HIDDEN = 24, STEPS = 12, BATCH = 16, UPDATES = 400 };

struct cell {
    ur_linear_layer wf, uf, wn, un;
};

/* ---- the cell ---------------------------------------------------------- */

static ur_tensor *my_cell(const ur_step *step, void *params, ur_tensor *x, ur_tensor *const *in,
                          ur_tensor **out)
{
    const struct cell *c = params;
    ur_tape *tape = step->tape;
    ur_tensor *h = in[0];
    ur_tensor *f = ur_sigmoid(ur_add(ur_linear(tape, &c->wf, x), ur_linear(tape, &c->uf, h)));
    ur_tensor *n = ur_tanh(ur_add(ur_linear(tape, &c->wn, x),
                                  ur_linear(tape, &c->un, ur_mul(f, h))));
    return out[0] = ur_add(h, ur_mul(f, ur_sub(n, h)));
}

/* ---- training it ------------------------------------------------------- */

struct task {
    ur_params *params;
    struct cell cell;
    ur_linear_layer decoder;
    ur_optimizer *optimizer;
    ur_tape *tape;
};

static ur_status make(struct task *k)
{
    struct cell *c = &k->cell;
    ur_optimizer_options o;
    ur_optimizer_options_init(&o);
    ur_status status = ur_params_new(&k->params);
    if (status == UR_OK)
        status = ur_linear_init(&c->wf, k->params, "wf", SYMBOLS, HIDDEN, true);
    if (status == UR_OK)
        status = ur_linear_init(&c->uf, k->params, "uf", HIDDEN, HIDDEN, false);
    if (status == UR_OK)
        status = ur_linear_init(&c->wn, k->params, "wn", SYMBOLS, HIDDEN, true);
    if (status == UR_OK)
        status = ur_linear_init(&c->un, k->params, "un", HIDDEN, HIDDEN, false);
    if (status == UR_OK)
        status = ur_linear_init(&k->decoder, k->params, "decoder", HIDDEN, SYMBOLS, true);
    if (status == UR_OK)
        status = ur_params_build(k->params, 1);
    if (status == UR_OK)
        status = ur_optimizer_new(&k->optimizer, k->params, &o, NULL);
    return status == UR_OK ? ur_tape_new(&k->tape, NULL) : status;
}

/* One update on BATCH random sequences; the loss asks for the first symbol at the end. */
static ur_status update(struct task *k, int number, double *loss)
{
    static float x[STEPS * BATCH * SYMBOLS];
    int32_t first[BATCH];
    for (int i = 0; i < STEPS * BATCH * SYMBOLS; i++)
        x[i] = 0;
    for (int t = 0; t < STEPS; t++)
        for (int b = 0; b < BATCH; b++) {
            double u = ur_random_uniform(3, 5, (uint64_t)number, (uint32_t)(t * BATCH + b));
            int symbol = (int)(u * SYMBOLS);
            x[(t * BATCH + b) * SYMBOLS + symbol] = 1;
            if (t == 0)
                first[b] = symbol;
        }
    int dim[3] = {STEPS, BATCH, SYMBOLS}, hdim[2] = {BATCH, HIDDEN};
    ur_tape_reset(k->tape);
    ur_tensor *state = ur_copy_in(k->tape, 2, hdim, NULL);
    ur_tensor *h = ur_unroll(k->tape, my_cell, &k->cell, ur_constant(k->tape, 3, dim, x), 1,
                             &state);
    ur_tensor *y = ur_linear(k->tape, &k->decoder, ur_at(h, STEPS - 1));
    ur_tensor *e = ur_cross_entropy(k->tape, y, (ur_ids){first, 1, BATCH});
    ur_params_zero_grads(k->params);
    ur_status status = ur_backward(k->tape, e);
    *loss = ur_scalar(e);
    return status == UR_OK ? ur_optimizer_step(k->optimizer, 0.01, NULL) : status;
}

int main(void)
{
    struct task k = {0};
    double loss = 0;
    ur_status status = make(&k);
    for (int i = 1; i <= UPDATES && status == UR_OK; i++) {
        status = update(&k, i, &loss);
        if (i % 100 == 0)
            printf("update %d: loss %.4f nats\n", i, loss);
    }
    if (status != UR_OK)
        fprintf(stderr, "own_cell: %s\n", ur_errmsg());
    ur_optimizer_free(k.optimizer);
    ur_tape_free(k.tape);
    ur_params_free(k.params);
    return status != UR_OK || loss > 0.1;
}
