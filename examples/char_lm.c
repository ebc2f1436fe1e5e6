/* SPDX-License-Identifier: MIT */
/*
 * A character model trained by a loop of one's own: the whole of what `unroll train` does,
 * without files, options and validation. Learns a verse by heart and writes it.
 */
#include <stdio.h>
#include <string.h>

#include <unroll.h>

static const char text[] =
    "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\n"
    "Could frame thy fearful symmetry?\n";      /* William Blake, 1794 */

enum { V = 128, HIDDEN = 48, STEPS = 20, UPDATES = 400, LENGTH = sizeof text - 1 };

struct model {
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_optimizer *adamw;
    ur_tape *tape;
    ur_state *state;
};

static ur_status make(struct model *m)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    ur_optimizer_options adamw = UR_OPTIMIZER_OPTIONS_INIT;
    o.input = V;
    o.hidden[0] = HIDDEN;
    ur_status status = ur_params_new(&m->params);
    if (status == UR_OK)
        status = ur_rnn_new(&m->rnn, m->params, "rnn", &o);
    if (status == UR_OK)
        status = ur_linear_init(&m->decoder, m->params, "decoder", HIDDEN, V, true);
    if (status == UR_OK)
        status = ur_params_build(m->params, 1);
    if (status == UR_OK)
        status = ur_rnn_prepare(m->rnn);
    if (status == UR_OK)
        status = ur_optimizer_new(&m->adamw, m->params, &adamw, NULL);
    if (status == UR_OK)
        status = ur_tape_new(&m->tape, NULL);
    return status == UR_OK ? ur_state_new(&m->state, m->rnn, 1, NULL) : status;
}

/* One update on STEPS characters; the state goes on to the next ones. */
static ur_status update(struct model *m, int begin, double *loss)
{
    int32_t in[STEPS], next[STEPS];
    for (int t = 0; t < STEPS; t++) {
        in[t] = text[(begin + t) % LENGTH];
        next[t] = text[(begin + t + 1) % LENGTH];
    }
    ur_tape_reset(m->tape);
    ur_params_zero_grads(m->params);
    ur_tensor *h = ur_rnn_forward_ids(m->tape, m->rnn, (ur_ids){in, STEPS, 1}, NULL, m->state);
    ur_tensor *y = ur_linear(m->tape, &m->decoder, h);
    ur_tensor *e = ur_cross_entropy(m->tape, y, (ur_ids){next, STEPS, 1});
    ur_status status = ur_backward(m->tape, e);     /* reports whatever failed above */
    *loss = ur_scalar(e);
    if (status == UR_OK)
        status = ur_optimizer_step(m->adamw, 0.01, NULL);
    ur_state_detach(m->state);
    return status == UR_OK ? ur_rnn_prepare(m->rnn) : status;
}

/* The likeliest character after c: one step without differentiation. */
static ur_status next_char(struct model *m, char *c)
{
    int32_t id = *c;
    ur_tape_reset(m->tape);
    ur_tensor *h = ur_rnn_forward_ids(m->tape, m->rnn, (ur_ids){&id, 1, 1}, NULL, m->state);
    const ur_real *y = ur_data(ur_linear(m->tape, &m->decoder, h));
    int best = 0;
    for (int i = 1; y && i < V; i++)
        best = y[i] > y[best] ? i : best;
    ur_state_detach(m->state);
    *c = (char)best;
    return ur_tape_status(m->tape);
}

int main(void)
{
    struct model m = {0};
    char written[LENGTH + 1] = "T";
    double loss = 0;
    ur_status status = make(&m);
    for (int i = 1, at = 0; i <= UPDATES && status == UR_OK; i++, at += STEPS) {
        status = update(&m, at % LENGTH, &loss);
        if (i % 100 == 0)
            printf("update %d: loss %.4f nats a character\n", i, loss);
    }
    if (status == UR_OK) {
        ur_state_zero(m.state);
        ur_tape_set_recording(m.tape, false);
    }
    for (int i = 1; i < LENGTH && status == UR_OK; i++) {
        written[i] = written[i - 1];
        status = next_char(&m, &written[i]);
    }
    if (status != UR_OK)
        fprintf(stderr, "char_lm: %s\n", ur_errmsg());
    else
        printf("\n%s\n", written);
    ur_state_free(m.state);
    ur_tape_free(m.tape);
    ur_optimizer_free(m.adamw);
    ur_rnn_free(m.rnn);
    ur_params_free(m.params);
    return status != UR_OK || loss > 0.2;
}
