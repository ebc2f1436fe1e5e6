/* SPDX-License-Identifier: MIT */
/*
 * From a configuration to a network:
 *
 *     ids [T,B] -> embed.weight rows or one-hot -> rnn -> dropout -> decoder -> [T,B,V]
 *
 * (fill.c has the form with two stacks.)
 *
 * Recurrent parameters are named rnn.* where PyTorch's module of the same kind computes
 * the same from them, and urnn.* where it cannot: a strict load then fails.
 */
#include "model/net.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/vocab.h"
#include "io/json.h"
#include "model/config.h"
#include "model/model.h"
#include "tape/tape.h"

/* ---- making ------------------------------------------------------------ */

static bool torch_can(const ur_config *c)
{
    for (int l = 1; l < c->layers; l++) {
        if (c->hidden[l] != c->hidden[0])
            return false;
    }
    bool form = c->reset_before || c->peepholes || c->coupled || c->cell_clip > 0 ||
                c->time_residual || c->learned_state || c->zoneout_h > 0 || c->zoneout_c > 0;
    return !form && (c->activation == UR_ACT_TANH || c->activation == UR_ACT_RELU);
}

/* Two stacks are two nets, each of which PyTorch's module of one direction computes alone;
 * none has both under one name. */
static ur_status declare_stacks(ur_model *m, const ur_rnn_options *options)
{
    bool can = torch_can(&m->config);
    if (!ur__config_fills(&m->config))
        return ur_rnn_new(&m->rnn, m->params, can ? "rnn" : "urnn", options);
    UR__TRY(ur_rnn_new(&m->rnn, m->params, can ? "rnn_forward" : "urnn_forward", options));
    return ur_rnn_new(&m->behind, m->params, can ? "rnn_backward" : "urnn_backward", options);
}

static ur_status declare_layers(ur_model *m)
{
    const ur_config *c = &m->config;
    int V = ur_vocab_size(m->vocab);
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    options.cell = c->cell;
    options.input = c->embed ? c->embed : V;
    options.layers = c->layers;
    for (int l = 0; l < c->layers; l++) {
        options.hidden[l] = c->hidden[l];
        options.projection[l] = c->projection;
    }
    options.activation = c->activation;
    options.reset_before = c->reset_before;
    /* With the reset before the product, n's two biases would be one sum. */
    options.biases = c->cell == UR_CELL_GRU && c->reset_before ? 1 : 2;
    options.dropout = c->dropout;
    options.orthogonal = c->orthogonal;
    options.forget_bias = c->forget_bias;
    options.peepholes = c->peepholes;
    options.coupled = c->coupled;
    options.cell_clip = c->cell_clip;
    options.time_residual = c->time_residual;
    options.learned_state = c->learned_state;
    options.variational = c->variational;
    options.recurrent_dropout = c->recurrent_dropout;
    options.zoneout_h = c->zoneout_h;
    options.zoneout_c = c->zoneout_c;
    UR__TRY(ur_params_new(&m->params));
    if (c->embed)
        UR__TRY(ur_embedding_init(&m->embed, m->params, "embed", V, c->embed));
    UR__TRY(declare_stacks(m, &options));
    if (c->tie)
        return ur_linear_init_tied(&m->decoder, m->params, "decoder", m->embed.weight, true);
    return ur_linear_init(&m->decoder, m->params, "decoder", ur__config_top(c), V, true);
}

ur_status ur__model_declare(ur_model **out, const ur_config *config, ur_vocab *vocab)
{
    *out = NULL;
    UR__TRY(ur_config_check(config));
    if (ur_vocab_kind(vocab) != config->tokens)
        return ur__fail(UR_EINVAL, "the configuration wants tokens of kind %s, the vocabulary "
                        "has %s", ur_token_kind_name(config->tokens),
                        ur_token_kind_name(ur_vocab_kind(vocab)));
    ur_model *m = ur__calloc(1, sizeof *m);
    if (!m)
        return UR_ENOMEM;
    m->config = *config;
    m->vocab = vocab;
    m->summary = ur__strdup("{}");
    ur_status status = m->summary ? declare_layers(m) : UR_ENOMEM;
    if (status != UR_OK) {
        m->vocab = NULL;    /* still the caller's */
        ur_model_free(m);
        return status;
    }
    *out = m;
    return UR_OK;
}

ur_status ur__model_build(ur_model *model, uint64_t seed)
{
    UR__TRY(ur_params_build(model->params, seed));
    return ur_model_prepare(model);
}

ur_status ur__model_new(ur_model **out, const ur_config *config, ur_vocab *vocab, uint64_t seed)
{
    ur_model *m;
    *out = NULL;
    UR__TRY(ur__model_declare(&m, config, vocab));
    ur_status status = ur__model_build(m, seed);
    if (status != UR_OK) {
        m->vocab = NULL;    /* still the caller's */
        ur_model_free(m);
        return status;
    }
    *out = m;
    return UR_OK;
}

void ur_model_free(ur_model *model)
{
    if (!model)
        return;
    ur_linear_free(&model->decoder);
    ur_rnn_free(model->rnn);
    ur_rnn_free(model->behind);
    ur_params_free(model->params);
    ur__vocab_free(model->vocab);
    ur__free(model->summary);
    ur__free(model);
}

/* ---- looking and changing ---------------------------------------------- */

const ur_config *ur_model_config(const ur_model *model)
{
    UR__NEED_OR(model, "model", NULL);
    return &model->config;
}

const ur_vocab *ur_model_vocab(const ur_model *model)
{
    UR__NEED_OR(model, "model", NULL);
    return model->vocab;
}

ur_params *ur_model_params(ur_model *model)
{
    UR__NEED_OR(model, "model", NULL);
    return model->params;
}

const ur_rnn *ur_model_rnn(const ur_model *model)
{
    UR__NEED_OR(model, "model", NULL);
    return model->rnn;
}

const char *ur_model_summary(const ur_model *model)
{
    UR__NEED_OR(model, "model", NULL);
    return model->summary;
}

ur_status ur__model_set_summary(ur_model *model, const char *json)
{
    struct ur__json *j;
    UR__TRY(ur__json_parse(&j, json, strlen(json)));
    bool is_object = ur__json_is_object(j);
    ur__json_free(j);
    if (!is_object)
        return ur__fail(UR_EFORMAT, "a training summary is a JSON object");
    char *copy = ur__strdup(json);
    if (!copy)
        return UR_ENOMEM;
    ur__free(model->summary);
    model->summary = copy;
    return UR_OK;
}

static ur_status same_words(const ur_vocab *a, const ur_vocab *b)
{
    for (int i = 0; i < ur_vocab_size(a); i++) {
        size_t m, n;
        const char *x = ur_vocab_text(a, i, &m), *y = ur_vocab_text(b, i, &n);
        if (m != n || memcmp(x, y, n) != 0)
            return ur__fail(UR_EDATA, "the vocabularies differ: token %d is \"%.*s\" and \"%.*s\"",
                            i, (int)m, x, (int)n, y);
    }
    return UR_OK;
}

static ur_status same_vocab(const ur_vocab *a, const ur_vocab *b)
{
    int n = ur_vocab_size(a);
    if (ur_vocab_kind(a) != ur_vocab_kind(b))
        return ur__fail(UR_EDATA, "the vocabularies differ: tokens are %s and %s",
                        ur_token_kind_name(ur_vocab_kind(a)),
                        ur_token_kind_name(ur_vocab_kind(b)));
    if (n != ur_vocab_size(b))
        return ur__fail(UR_EDATA, "the vocabularies differ: %d and %d tokens", n,
                        ur_vocab_size(b));
    if (ur__is_words(ur_vocab_kind(a)))
        return same_words(a, b);
    for (int i = 0; i < n; i++) {
        char x[UR__CODE_TEXT], y[UR__CODE_TEXT];
        uint32_t code = ur__vocab_codes(a)[i], other = ur__vocab_codes(b)[i];
        if (code != other)
            return ur__fail(UR_EDATA, "the vocabularies differ: token %d is %s and %s", i,
                            ur__code_text(ur_vocab_kind(a), code, x),
                            ur__code_text(ur_vocab_kind(b), other, y));
    }
    return UR_OK;
}

const char *ur__dims_text(int rank, const uint64_t *dim, char out[UR__DIMS_TEXT])
{
    int at = snprintf(out, UR__DIMS_TEXT, "[");
    for (int i = 0; i < rank; i++)
        at += snprintf(out + at, (size_t)(UR__DIMS_TEXT - at), "%s%llu", i ? "," : "",
                       (unsigned long long)dim[i]);
    snprintf(out + at, (size_t)(UR__DIMS_TEXT - at), "]");
    return out;
}

int ur__param_dims(const ur_param *p, uint64_t dim[UR_MAX_RANK])
{
    for (int i = 0; i < p->rank; i++)
        dim[i] = (uint64_t)p->dim[i];
    return p->rank;
}

static ur_status same_params(const ur_params *a, const ur_params *b)
{
    for (int i = 0; i < ur_params_count(a); i++) {
        const ur_param *p = ur_params_at(a, i), *q = ur_params_find(b, p->name);
        if (!q)
            return ur__fail(UR_EDATA, "the networks differ: only one has %s", p->name);
        char x[UR__DIMS_TEXT], y[UR__DIMS_TEXT];
        uint64_t m[UR_MAX_RANK], n[UR_MAX_RANK];
        int rank = ur__param_dims(p, m);
        if (rank != ur__param_dims(q, n) || memcmp(m, n, (size_t)rank * sizeof *m) != 0)
            return ur__fail(UR_EDATA, "the networks differ: %s is %s, in the other %s", p->name,
                            ur__dims_text(rank, m, x), ur__dims_text(q->rank, n, y));
    }
    if (ur_params_count(a) != ur_params_count(b))
        return ur__fail(UR_EDATA, "the networks differ: %d and %d parameters",
                        ur_params_count(a), ur_params_count(b));
    return UR_OK;
}

ur_status ur__model_copy_values(ur_model *to, const ur_model *from)
{
    UR__TRY(same_vocab(to->vocab, from->vocab));
    UR__TRY(same_params(to->params, from->params));
    for (int i = 0; i < ur_params_count(to->params); i++) {
        const ur_param *p = ur_params_at(to->params, i);
        const ur_param *q = ur_params_find(from->params, p->name);
        memcpy(ur_param_data(to->params, p), ur_param_data(from->params, q),
               p->size * sizeof(ur_real));
    }
    return ur_model_prepare(to);
}

/* ---- on the tape ------------------------------------------------------- */

/* What the decoder reads. */
static ur_tensor *run_stack(ur_tape *tape, const ur_model *model, ur_ids ids, const int *lengths,
                            ur_state *state)
{
    ur_tensor *h;
    if (!model)
        return ur__tape_fail(tape, UR_EINVAL, "the model is NULL");
    if (model->behind)
        return ur__tape_fail(tape, UR_EINVAL, "a model of task fill has no next token");
    if (model->config.embed)
        h = ur_rnn_forward(tape, model->rnn, ur_embed(tape, &model->embed, ids), lengths, state);
    else
        h = ur_rnn_forward_ids(tape, model->rnn, ids, lengths, state);
    return ur_dropout(h, model->config.dropout);
}

ur_tensor *ur_model_logits(ur_tape *tape, const ur_model *model, ur_ids ids,
                           const int *lengths, ur_state *state)
{
    ur_tensor *h = run_stack(tape, model, ids, lengths, state);
    return h ? ur_linear(tape, &model->decoder, h) : NULL;
}

ur_tensor *ur_model_loss(ur_tape *tape, const ur_model *model, ur_ids ids, const int *lengths,
                         ur_state *state, ur_ids targets)
{
    ur_tensor *h = run_stack(tape, model, ids, lengths, state);
    return h ? ur_linear_cross_entropy(tape, &model->decoder, h, targets) : NULL;
}
