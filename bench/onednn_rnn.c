/* SPDX-License-Identifier: MIT */
#include "onednn_rnn.h"

#include <stdlib.h>

const int onednn_argument[N_TENSORS] = {
    DNNL_ARG_SRC_LAYER,    DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, DNNL_ARG_WEIGHTS_LAYER,
    DNNL_ARG_WEIGHTS_ITER, DNNL_ARG_BIAS,     DNNL_ARG_DST_LAYER,  DNNL_ARG_DST_ITER,
    DNNL_ARG_DST_ITER_C,
};
const int onednn_diff_argument[N_TENSORS] = {
    DNNL_ARG_DIFF_SRC_LAYER,    DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C,
    DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS,
    DNNL_ARG_DIFF_DST_LAYER,    DNNL_ARG_DIFF_DST_ITER, DNNL_ARG_DIFF_DST_ITER_C,
};

#define DIRECTION dnnl_unidirectional_left2right
#define STATES(d) d[SRC], d[SRC_H]
#define LSTM_STATES(d) d[SRC], d[SRC_H], d[SRC_C]
#define INNER(d) d[WEIGHTS], d[RECURRENT], d[BIAS], d[DST], d[DST_H]

static dnnl_prop_kind_t forward_kind(bool training)
{
    return training ? dnnl_forward_training : dnnl_forward_inference;
}

#if DNNL_VERSION_MAJOR >= 3

/* Neither peepholes nor a projection. */
#define LSTM_INNER(d) d[WEIGHTS], d[RECURRENT], NULL, NULL, d[BIAS], d[DST], d[DST_H]

desc_own onednn_desc(int rank, const dnnl_dim_t *dim, dnnl_format_tag_t tag)
{
    desc_own d = NULL;
    return dnnl_memory_desc_create_with_tag(&d, rank, dim, dnnl_f32, tag) == dnnl_success ? d
                                                                                         : NULL;
}

void onednn_desc_free(desc_own d)
{
    if (d != NULL)
        dnnl_memory_desc_destroy(d);
}

dnnl_status_t onednn_forward(dnnl_primitive_desc_t *out, const struct row *row,
                             dnnl_engine_t engine, bool training, const desc *d)
{
    dnnl_prop_kind_t kind = forward_kind(training);
    if (row->cell == UR_CELL_LSTM)
        return dnnl_lstm_forward_primitive_desc_create(out, engine, kind, DIRECTION,
                                                       LSTM_STATES(d), LSTM_INNER(d), d[DST_C],
                                                       0, NULL);
    if (row->cell == UR_CELL_GRU)
        return dnnl_lbr_gru_forward_primitive_desc_create(out, engine, kind, DIRECTION,
                                                          STATES(d), INNER(d), 0, NULL);
    return dnnl_vanilla_rnn_forward_primitive_desc_create(
        out, engine, kind, dnnl_eltwise_tanh, DIRECTION, STATES(d), INNER(d), 0, 0.0f, 0.0f,
        NULL);
}

dnnl_status_t onednn_backward(dnnl_primitive_desc_t *out, const struct row *row,
                              dnnl_engine_t engine, const desc *d, const desc *diff,
                              const_dnnl_primitive_desc_t forward)
{
    if (row->cell == UR_CELL_LSTM)
        return dnnl_lstm_backward_primitive_desc_create(
            out, engine, dnnl_backward, DIRECTION, LSTM_STATES(d), LSTM_INNER(d), d[DST_C],
            LSTM_STATES(diff), LSTM_INNER(diff), diff[DST_C], 0, forward, NULL);
    if (row->cell == UR_CELL_GRU)
        return dnnl_lbr_gru_backward_primitive_desc_create(
            out, engine, dnnl_backward, DIRECTION, STATES(d), INNER(d), STATES(diff),
            INNER(diff), 0, forward, NULL);
    return dnnl_vanilla_rnn_backward_primitive_desc_create(
        out, engine, dnnl_backward, dnnl_eltwise_tanh, DIRECTION, STATES(d), INNER(d),
        STATES(diff), INNER(diff), 0, 0.0f, 0.0f, forward, NULL);
}

#else

desc_own onednn_desc(int rank, const dnnl_dim_t *dim, dnnl_format_tag_t tag)
{
    desc_own d = malloc(sizeof *d);
    if (d != NULL && dnnl_memory_desc_init_by_tag(d, rank, dim, dnnl_f32, tag) == dnnl_success)
        return d;
    free(d);
    return NULL;
}

void onednn_desc_free(desc_own d)
{
    free(d);
}

dnnl_status_t onednn_forward(dnnl_primitive_desc_t *out, const struct row *row,
                             dnnl_engine_t engine, bool training, const desc *d)
{
    dnnl_prop_kind_t kind = forward_kind(training);
    dnnl_rnn_desc_t r;
    dnnl_status_t status;
    if (row->cell == UR_CELL_LSTM)
        status = dnnl_lstm_forward_desc_init(&r, kind, DIRECTION, LSTM_STATES(d), INNER(d),
                                             d[DST_C], 0);
    else if (row->cell == UR_CELL_GRU)
        status = dnnl_lbr_gru_forward_desc_init(&r, kind, DIRECTION, STATES(d), INNER(d), 0);
    else
        status = dnnl_vanilla_rnn_forward_desc_init(&r, kind, dnnl_eltwise_tanh, DIRECTION,
                                                    STATES(d), INNER(d), 0, 0.0f, 0.0f);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &r, NULL, engine, NULL)
                                  : status;
}

dnnl_status_t onednn_backward(dnnl_primitive_desc_t *out, const struct row *row,
                              dnnl_engine_t engine, const desc *d, const desc *diff,
                              const_dnnl_primitive_desc_t forward)
{
    dnnl_rnn_desc_t r;
    dnnl_status_t status;
    if (row->cell == UR_CELL_LSTM)
        status = dnnl_lstm_backward_desc_init(&r, dnnl_backward, DIRECTION, LSTM_STATES(d),
                                              INNER(d), d[DST_C], LSTM_STATES(diff),
                                              INNER(diff), diff[DST_C], 0);
    else if (row->cell == UR_CELL_GRU)
        status = dnnl_lbr_gru_backward_desc_init(&r, dnnl_backward, DIRECTION, STATES(d),
                                                 INNER(d), STATES(diff), INNER(diff), 0);
    else
        status = dnnl_vanilla_rnn_backward_desc_init(&r, dnnl_backward, dnnl_eltwise_tanh,
                                                     DIRECTION, STATES(d), INNER(d),
                                                     STATES(diff), INNER(diff), 0, 0.0f, 0.0f);
    return status == dnnl_success ? dnnl_primitive_desc_create(out, &r, NULL, engine, forward)
                                  : status;
}

#endif
