/* SPDX-License-Identifier: MIT */
/* Recurrent layers alone: a sequence with its gradients, without, step by step. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unroll.h"
#include "ours.h"

/* ---- making ------------------------------------------------------------ */

static ur_status make_layers(struct net *n, int inputs, bool decoder)
{
    const struct row *row = &n->row;
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    for (int l = 0; l < row->L; l++)
        n->hidden[l] = row->H;
    options.cell = row->cell;
    options.input = inputs;
    options.layers = row->L;
    options.bidirectional = row->D == 2;
    memcpy(options.hidden, n->hidden, (size_t)row->L * sizeof *options.hidden);
    ur_status status = ur_params_new(&n->params);
    if (status == UR_OK)
        status = ur_rnn_new(&n->rnn, n->params, "rnn", &options);
    if (status == UR_OK && decoder)
        status = ur_linear_init(&n->decoder, n->params, "decoder", row->H, VOCABULARY, true);
    return status == UR_OK ? ur_params_build(n->params, 1) : status;
}

ur_status net_make(struct net *n, int inputs, bool decoder)
{
    const struct row *row = &n->row;
    ur_status status = make_layers(n, inputs, decoder);
    if (status != UR_OK)
        return status;
    net_fill(row, n->params);
    size_t tokens = (size_t)row->T * (size_t)row->B, in = tokens * (size_t)row->H;
    if (row->kind == ROW_RAGGED) {
        n->lengths = malloc((size_t)row->B * sizeof *n->lengths);
        if (n->lengths == NULL)
            return UR_ENOMEM;
        row_lengths(row, n->lengths);
    }
    n->x = malloc(in * sizeof *n->x);
    n->y = malloc((size_t)row->D * in * sizeof *n->y);
    n->dx = calloc(in, sizeof *n->dx);
    n->ids = malloc((tokens + (size_t)row->B) * sizeof *n->ids);
    if (n->x == NULL || n->y == NULL || n->dx == NULL || n->ids == NULL)
        return UR_ENOMEM;
    row_fill(n->x, in, STREAM_X, 1.0);
    row_characters(n->ids, tokens + (size_t)row->B, STREAM_IDS);
    status = ur_rnn_prepare(n->rnn);
    if (status == UR_OK)
        status = ur_state_new(&n->state, n->rnn, row->B, n->team);
    return status == UR_OK ? ur_tape_new(&n->tape, n->team) : status;
}

void net_fill(const struct row *row, ur_params *params)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        row_fill(ur_param_data(params, p), p->size, (uint32_t)i, 1.0 / sqrt(row->H));
    }
}

void net_write_gradients(const struct net *n, FILE *to)
{
    char name[128];
    for (int i = 0; i < ur_params_count(n->params); i++) {
        const ur_param *p = ur_params_at(n->params, i);
        snprintf(name, sizeof name, "d.%s", strncmp(p->name, "rnn.", 4) == 0 ? p->name + 4
                                                                            : p->name);
        worker_write(to, name, ur_params_grads(n->params) + p->offset, p->size);
    }
}

/* ---- what is timed ----------------------------------------------------- */

static size_t outputs(const struct row *row)
{
    return (size_t)row->T * (size_t)row->B * (size_t)row->H;
}

/* The loss is the sum of all outputs: their gradients are ones. */
ur_status train_call(struct net *n, FILE *to)
{
    const struct row *row = &n->row;
    const int dim[3] = {row->T, row->B, row->H};
    size_t size = outputs(row);     /* as many as inputs, a direction */
    ur_state_zero(n->state);
    ur_params_zero_grads(n->params);
    memset(n->dx, 0, size * sizeof *n->dx);
    ur_tensor *x = ur_variable(n->tape, 3, dim, n->x, n->dx);
    ur_tensor *y = ur_rnn_forward(n->tape, n->rnn, x, n->lengths, n->state);
    ur_status status = ur_backward(n->tape, ur_sum(y));
    if (status == UR_OK && to != NULL) {
        worker_write(to, "y", ur_data(y), (size_t)row->D * size);
        worker_write(to, "dx", n->dx, size);
        net_write_gradients(n, to);
    }
    ur_state_detach(n->state);
    ur_tape_reset(n->tape);
    return status;
}

ur_status infer_call(struct net *n, FILE *to)
{
    ur_state_zero(n->state);
    ur_status status = ur_rnn_run(n->rnn, n->state, n->row.T, n->x, NULL, n->y);
    if (status == UR_OK && to != NULL)
        worker_write(to, "y", n->y, outputs(&n->row));
    return status;
}

ur_status step_call(struct net *n, FILE *to)
{
    ur_status status = UR_OK;
    for (int i = 0; i < STEPS_A_CALL && status == UR_OK; i++)
        status = ur_rnn_step(n->rnn, n->state, n->x, n->y);
    if (status == UR_OK && to != NULL)
        worker_write(to, "y", n->y, (size_t)n->row.H);
    return status;
}

/* ---- the cell on the tape ---------------------------------------------- */

/* One step of an LSTM in the operations that a cell of one's own would use. */
static ur_tensor *lstm_step(const ur_step *step, void *user, ur_tensor *x, ur_tensor *const *in,
                            ur_tensor **out)
{
    ur_tensor *const *w = user;     /* W_ih, W_hh, b_ih, b_hh */
    int H = ur_dim(in[0], -1);
    (void)step;
    ur_tensor *a = ur_add(ur_add(ur_matmul_t(x, w[0]), w[2]),
                          ur_add(ur_matmul_t(in[0], w[1]), w[3]));
    ur_tensor *i = ur_sigmoid(ur_slice(a, -1, 0, H));
    ur_tensor *f = ur_sigmoid(ur_slice(a, -1, H, 2 * H));
    ur_tensor *g = ur_tanh(ur_slice(a, -1, 2 * H, 3 * H));
    ur_tensor *o = ur_sigmoid(ur_slice(a, -1, 3 * H, 4 * H));
    out[1] = ur_add(ur_mul(f, in[1]), ur_mul(i, g));
    return out[0] = ur_mul(o, ur_tanh(out[1]));
}

ur_status cell_call(struct net *n, FILE *to)
{
    const struct row *row = &n->row;
    const int dim[3] = {row->T, row->B, row->H};
    size_t size = outputs(row);
    ur_params_zero_grads(n->params);
    memset(n->dx, 0, size * sizeof *n->dx);
    ur_tensor *w[4], *state[2];
    for (int i = 0; i < 4; i++)
        w[i] = ur_param_tensor(n->tape, n->params, ur_params_at(n->params, i));
    for (int i = 0; i < 2; i++)
        state[i] = ur_copy_in(n->tape, 2, dim + 1, NULL);
    ur_tensor *x = ur_variable(n->tape, 3, dim, n->x, n->dx);
    ur_tensor *y = ur_unroll(n->tape, lstm_step, w, x, 2, state);
    ur_status status = ur_backward(n->tape, ur_sum(y));
    if (status == UR_OK && to != NULL) {
        worker_write(to, "y", ur_data(y), size);
        worker_write(to, "dx", n->dx, size);
        net_write_gradients(n, to);
    }
    ur_tape_reset(n->tape);
    return status;
}
