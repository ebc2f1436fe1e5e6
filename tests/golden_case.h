/* SPDX-License-Identifier: MIT */
/* A recurrent net described by one line, and its numbers:
 *
 *     lstm layers=2 input=2 hidden=3 time=4 batch=3 lengths=2,4,1 bidirectional bias=2
 *
 * as tests/torch/case.py reads and computes them. Parameters and inputs are functions of
 * (line, name, index), multiples of 2^-13 below 1 and so the same in float and double. */
#ifndef UR_TESTS_GOLDEN_CASE_H
#define UR_TESTS_GOLDEN_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extra/extra.h"
#include "unroll/layer.h"

enum { GOLDEN_LAYERS = 4, GOLDEN_ROWS = 16 };

struct golden_case {
    char line[256];
    ur_rnn_options options;
    int T, B;
    int lengths[GOLDEN_ROWS];
    bool ragged;
};

/* ---- numbers ----------------------------------------------------------- */

/* The i-th pseudo-random word: FNV-1a of the names, then a finalizer on the index. */
static inline uint32_t golden_bits(const char *line, const char *name, size_t i)
{
    uint32_t h = 2166136261u;
    for (const char *s = line; *s; s++)
        h = (h ^ (uint8_t)*s) * 16777619u;
    h = (h ^ '/') * 16777619u;
    for (const char *s = name; *s; s++)
        h = (h ^ (uint8_t)*s) * 16777619u;
    uint32_t x = h + (uint32_t)i * 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

/* n multiples of scale/2048 in [-scale,scale). */
static inline void golden_numbers(const char *line, const char *name, double scale, size_t n,
                                  ur_real *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (ur_real)(scale * ((double)(golden_bits(line, name, i) >> 20) / 2048 - 1));
}

/* ---- the line ---------------------------------------------------------- */

/* The text after "key=" in a line of words, "" for a word without value, NULL: not there. */
static inline const char *golden_word(const char *line, const char *key)
{
    size_t n = strlen(key);
    for (const char *s = line; s; s = strchr(s, ' ')) {
        s += *s == ' ';
        if (strncmp(s, key, n) == 0 && (s[n] == '=' || s[n] == ' ' || !s[n]))
            return s[n] == '=' ? s + n + 1 : "";
    }
    return NULL;
}

static inline double golden_real(const char *line, const char *key, double otherwise)
{
    const char *s = golden_word(line, key);
    return s ? strtod(s, NULL) : otherwise;
}

static inline int golden_int(const char *line, const char *key, int otherwise)
{
    return (int)golden_real(line, key, otherwise);
}

/* Numbers parted by commas; the last one stands for those that are missing. 0: no such key. */
static inline int golden_list(const char *line, const char *key, int n, int *to)
{
    const char *s = golden_word(line, key);
    int count = 0;
    for (int i = 0; s && i < n; i++) {
        char *end;
        to[i] = (int)strtol(s, &end, 10);
        count = i + 1;
        if (*end == ',')
            s = end + 1;
    }
    return count;
}

static inline bool golden_cell(const char *line, ur_rnn_options *o)
{
    static const struct {
        const char *name;
        ur_cell cell;
        ur_activation f;
    } cells[] = {
        {"rnn_tanh", UR_CELL_RNN, UR_ACT_TANH},       {"rnn_relu", UR_CELL_RNN, UR_ACT_RELU},
        {"rnn_sigmoid", UR_CELL_RNN, UR_ACT_SIGMOID}, {"rnn_satlin", UR_CELL_RNN, UR_ACT_SATLIN},
        {"rnn_identity", UR_CELL_RNN, UR_ACT_IDENTITY}, {"lstm", UR_CELL_LSTM, UR_ACT_TANH},
        {"gru", UR_CELL_GRU, UR_ACT_TANH},   {"mgu", (ur_cell)UR_CELL_MGU, UR_ACT_TANH},
        {"peek", (ur_cell)UR_CELL_PEEK, UR_ACT_TANH},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        if (!golden_word(line, cells[i].name))
            continue;
        o->cell = cells[i].cell;
        o->activation = cells[i].f;
        return true;
    }
    return false;
}

/* Reads a line; false where it describes no net. */
static inline bool golden_parse(struct golden_case *c, const char *line)
{
    ur_rnn_options *o = &c->options;
    memset(c, 0, sizeof *c);
    ur_rnn_options_init(o);
    if (strlen(line) >= sizeof c->line)
        return false;
    memcpy(c->line, line, strlen(line) + 1);
    o->layers = golden_int(line, "layers", 1);
    o->input = golden_int(line, "input", 0);
    c->T = golden_int(line, "time", 0);
    c->B = golden_int(line, "batch", 0);
    if (!golden_cell(line, o) || o->layers > GOLDEN_LAYERS || c->B > GOLDEN_ROWS ||
        !golden_list(line, "hidden", o->layers, o->hidden))
        return false;
    golden_list(line, "projection", o->layers, o->projection);
    golden_list(line, "output", o->layers, o->output);
    c->ragged = golden_list(line, "lengths", c->B, c->lengths) > 0;
    o->output_activation = golden_word(line, "tanh_output") ? UR_ACT_TANH : UR_ACT_IDENTITY;
    o->biases = golden_int(line, "bias", 2);
    o->bidirectional = golden_word(line, "bidirectional");
    o->reset_before = golden_word(line, "before");
    o->peepholes = golden_word(line, "peepholes");
    o->coupled = golden_word(line, "coupled");
    o->cell_clip = golden_real(line, "clip", 0);
    o->time_residual = golden_word(line, "residual");
    o->norm = golden_word(line, "norm") ? UR_NORM_LAYER : UR_NORM_NONE;
    o->learned_state = golden_word(line, "learned");
    o->zoneout_h = golden_real(line, "zoneout", 0);
    const char *second = golden_word(line, "zoneout");
    second = second ? strchr(second, ',') : NULL;
    o->zoneout_c = second ? strtod(second + 1, NULL) : 0;
    return true;
}

/* ---- sizes and names --------------------------------------------------- */

static inline int golden_directions(const struct golden_case *c)
{
    return c->options.bidirectional ? 2 : 1;
}

static inline int golden_slots(const struct golden_case *c)
{
    return c->options.layers * golden_directions(c);
}

/* Numbers in the h (second false) or c of a slot; 0: it has none. */
static inline int golden_state_size(const struct golden_case *c, int slot, bool second)
{
    int l = slot / golden_directions(c);
    const ur_rnn_options *o = &c->options;
    if (second)
        return o->cell == UR_CELL_LSTM || (int)o->cell == UR_CELL_PEEK ? o->hidden[l] : 0;
    return o->projection[l] ? o->projection[l] : o->hidden[l];
}

/* KIND_l0, KIND_l0_reverse ...; the text lives until eight more were asked for. */
static inline const char *golden_name(const struct golden_case *c, const char *kind, int slot)
{
    static char ring[8][64];
    static unsigned count;
    int D = golden_directions(c);
    char *name = ring[count++ % 8];
    snprintf(name, sizeof ring[0], "%s_l%d%s", kind, slot / D, slot % D ? "_reverse" : "");
    return name;
}

/* What the library calls the recurrent weights, by the rule in unroll/layer.h. */
static inline const char *golden_recurrent(const struct golden_case *c)
{
    const ur_rnn_options *o = &c->options;
    bool rnn = o->cell == UR_CELL_RNN;
    return o->coupled                                ? "weight_hh_coupled"
           : o->cell_clip != 0                       ? "weight_hh_clip"
           : o->time_residual                        ? "weight_hh_residual"
           : o->reset_before                         ? "weight_hh_before"
           : rnn && o->activation == UR_ACT_SIGMOID      ? "weight_hh_sigmoid"
           : rnn && o->activation == UR_ACT_SATLIN       ? "weight_hh_satlin"
           : rnn && o->activation == UR_ACT_IDENTITY     ? "weight_hh_identity"
           : o->zoneout_h != 0 || o->zoneout_c != 0  ? "weight_hh_zoneout"
                                                     : "weight_hh";
}

/* The kinds of parameters a slot may have, in the order of golden values. */
#define GOLDEN_KINDS 10
static const char *const golden_kinds[GOLDEN_KINDS] = {
    "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr",
    "weight_peep", "weight_hy", "bias_hy", "h_0", "c_0",
};

/* A slot's parameter, NULL if the net has none of the kind. */
static inline const ur_param *golden_param(const struct golden_case *c, const ur_params *params,
                                           int kind, int slot)
{
    char name[80];
    snprintf(name, sizeof name, "rnn.%s",
             golden_name(c, kind == 1 ? golden_recurrent(c) : golden_kinds[kind], slot));
    return ur_params_find(params, name);
}

/* Gives every parameter of a built net its numbers; how many parameters got some. */
static inline int golden_fill(const struct golden_case *c, ur_params *params)
{
    int filled = 0;
    for (int slot = 0; slot < golden_slots(c); slot++)
        for (int kind = 0; kind < GOLDEN_KINDS; kind++) {
            const ur_param *p = golden_param(c, params, kind, slot);
            if (!p)
                continue;
            golden_numbers(c->line, golden_name(c, golden_kinds[kind], slot), 0.75, p->size,
                           ur_param_data(params, p));
            filled++;
        }
    return filled;
}

#endif
