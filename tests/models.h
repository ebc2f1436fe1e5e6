/* SPDX-License-Identifier: MIT */
/* Models for tests: one of each kind that matters to files and to running. */
#ifndef UR_TESTS_MODELS_H
#define UR_TESTS_MODELS_H

#include "testing.h"

#include "data/vocab.h"
#include "model/model.h"

static inline void expect_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, ur_errmsg());
}

static inline ur_vocab *vocab_of(int n)
{
    ur_vocab *v;
    uint32_t codes[8192];
    assert_in_range(n, 1, 8192);
    for (int i = 0; i < n; i++)
        codes[i] = (uint32_t)(i * 3 + 10);
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, n, codes));
    return v;
}

static inline ur_config config_of(ur_cell cell, int layers, int first, int second)
{
    ur_config c = UR_CONFIG_INIT;
    c.cell = cell;
    c.layers = layers;
    c.hidden[0] = first;
    c.hidden[1] = second;
    return c;
}

static inline ur_model *model_of(const ur_config *c, int V, uint64_t seed)
{
    ur_model *m;
    ur_vocab *v = vocab_of(V);
    assert_ok(ur__model_new(&m, c, v, seed));
    return m;
}

enum { N_CONFIGS = 10 };

/* 0 <= i < N_CONFIGS */
static inline ur_config any_config(int i)
{
    ur_config c = config_of(UR_CELL_LSTM, 2, 12, 12);
    switch (i) {
    case 0:
        break;
    case 1:
        c = config_of(UR_CELL_GRU, 2, 9, 17);
        break;
    case 2:
        c = config_of(UR_CELL_GRU, 1, 11, 0);
        c.reset_before = true;
        break;
    case 3:
        c = config_of(UR_CELL_RNN, 2, 8, 8);
        c.activation = UR_ACT_RELU;
        c.orthogonal = true;
        break;
    case 4:
        c.embed = 12;
        c.tie = true;
        c.dropout = 0.25;
        break;
    case 5:
        c = config_of(UR_CELL_LSTM, 1, 33, 0);
        c.embed = 70;
        c.forget_bias = 1;
        break;
    case 6:
        c.projection = 7;
        c.coupled = c.peepholes = true;
        c.cell_clip = 0.5;
        c.learned_state = true;
        break;
    case 7:
        c = config_of(UR_CELL_RNN, 2, 9, 9);
        c.activation = UR_ACT_SATLIN;
        c.time_residual = true;
        c.zoneout_h = 0.1;
        break;
    case 8:
        c.dropout = 0.25;
        c.variational = true;
        c.recurrent_dropout = 0.2;
        c.zoneout_c = 0.3;
        break;
    default:
        c = config_of(UR_CELL_GRU, 1, 5, 0);
        c.embed = 3;
    }
    return c;
}

#endif
