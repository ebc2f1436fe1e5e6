/* SPDX-License-Identifier: MIT */
/* Attention: averages of remembered states, weighted by how well each fits a query; docs/MATH.md,
 * section Attention. */
#include "layer/attention.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "kernel/select.h"
#include "layer/params.h"
#include "tape/op_additive.h"
#include "tape/tape.h"

/* ---- parameters -------------------------------------------------------- */

static ur_status declare(ur_attention_layer *layer, ur_params *params, const char *prefix)
{
    const bool additive = layer->kind == UR_SCORE_ADDITIVE;
    char name[128];
    if (layer->kind == UR_SCORE_DOT)
        return UR_OK;
    snprintf(name, sizeof name, "%s.key", prefix);
    UR__TRY(ur_linear_init(&layer->key, params, name, layer->memory, layer->query, additive));
    if (!additive)
        return UR_OK;
    snprintf(name, sizeof name, "%s.ask", prefix);
    UR__TRY(ur_linear_init(&layer->ask, params, name, layer->query, layer->query, false));
    snprintf(name, sizeof name, "%s.score", prefix);
    return ur_linear_init(&layer->score, params, name, layer->query, 1, false);
}

ur_status ur_attention_init(ur_attention_layer *layer, ur_params *params, const char *prefix,
                            ur_scoring kind, int query, int memory)
{
    UR__NEED(layer, "layer");
    UR__NEED(params, "params");
    UR__NEED(prefix, "prefix");
    *layer = (ur_attention_layer){.kind = kind, .query = query, .memory = memory};
    if ((int)kind < UR_SCORE_DOT || kind > UR_SCORE_ADDITIVE)
        return ur__fail(UR_EINVAL, "%s: there is no attention %d", prefix, (int)kind);
    if (query < 1 || memory < 1)
        return ur__fail(UR_EINVAL, "%s: queries of %d numbers cannot be asked of states of %d",
                        prefix, query, memory);
    if (kind == UR_SCORE_DOT && query != memory)
        return ur__fail(UR_EINVAL, "%s: dot attention needs queries and states of one size, not %d "
                        "and %d", prefix, query, memory);
    int declared = ur_params_count(params);
    ur_status status = declare(layer, params, prefix);
    if (status != UR_OK)
        ur__params_truncate(params, declared);
    return status;
}

/* ---- on the tape ------------------------------------------------------- */

static bool is_ready(ur_tape *tape, const ur_attention_layer *layer, const void *memory)
{
    if (layer && layer->query > 0 && memory)
        return true;
    ur__tape_fail(tape, UR_EINVAL, "attention: the %s NULL or not initialised",
                  memory ? "layer is" : "memory is");
    return false;
}

/* [T,B,N] -> [B,T,N], and back. */
static ur_tensor *swap(ur_tensor *x)
{
    return ur_permute(x, (int[]){1, 0, 2});
}

static bool fits(ur_tape *tape, const char *what, const ur_tensor *x, int width)
{
    if (x->rank == 3 && x->dim[2] == width)
        return true;
    ur__tape_fail(tape, UR_ESHAPE, "attention: the %s are %s, not of %d numbers each", what,
                  ur__shape_text(x), width);
    return false;
}

ur_tensor *ur_attention_remember(ur_tape *tape, const ur_attention_layer *layer, ur_tensor *states,
                                 const int *lengths, ur_attention_memory *memory)
{
    if (memory)
        *memory = (ur_attention_memory){.lengths = lengths};
    if (!states || !is_ready(states->tape, layer, memory) ||
        !fits(states->tape, "states", states, layer->memory))
        return NULL;
    memory->values = swap(states);
    memory->keys = layer->kind == UR_SCORE_DOT ? memory->values
                                               : ur_linear(tape, &layer->key, memory->values);
    return memory->keys;
}

/* [B,T,Q] and [B,S,Q] -> [B,T,S]. */
static ur_tensor *add_up(ur_tape *tape, const ur_attention_layer *layer, ur_tensor *query,
                         ur_tensor *keys)
{
    ur_tensor *q = ur_linear(tape, &layer->ask, query);
    return ur__additive_score(q, keys, ur_param_tensor(tape, layer->score.params,
                                                       layer->score.weight));
}

ur_tensor *ur_attention(ur_tape *tape, const ur_attention_layer *layer,
                        const ur_attention_memory *memory, ur_tensor *query, ur_tensor **weights)
{
    if (weights)
        *weights = NULL;
    if (!query || !is_ready(query->tape, layer, memory) ||
        !fits(query->tape, "queries", query, layer->query) || !memory->keys || !memory->values)
        return NULL;
    ur_tensor *q = swap(query);
    ur_tensor *score = layer->kind == UR_SCORE_ADDITIVE ? add_up(tape, layer, q, memory->keys)
                                                        : ur_bmm_t(q, memory->keys);
    ur_tensor *w = memory->lengths ? ur_softmax_lengths(score, memory->lengths)
                                   : ur_softmax(score);
    if (weights)
        *weights = w;
    return swap(ur_bmm(w, memory->values));
}

/* ---- without a tape ---------------------------------------------------- */

ur_status ur_attention_prepare(ur_attention_layer *layer)
{
    UR__NEED(layer, "layer");
    ur_linear_layer *const parts[] = {&layer->key, &layer->ask, &layer->score};
    for (int i = 0; i < 3; i++)
        if (parts[i]->weight)
            UR__TRY(ur_linear_prepare(parts[i]));
    return UR_OK;
}

void ur_attention_free(ur_attention_layer *layer)
{
    if (!layer)
        return;
    ur_linear_free(&layer->key);
    ur_linear_free(&layer->ask);
    ur_linear_free(&layer->score);
}

size_t ur__attention_packed_bytes(const ur_attention_layer *layer)
{
    const ur_linear_layer *const parts[] = {&layer->key, &layer->ask, &layer->score};
    size_t bytes = 0;
    for (int i = 0; i < 3; i++) {
        const struct ur__matrix w = {.K = parts[i]->I, .N = parts[i]->O};
        bytes += parts[i]->weight ? ur__kernel()->packed_bytes(&w) : 0;
    }
    return bytes;
}

ur_status ur__attention_queries(const ur_attention_layer *layer, ur_team *team, int n,
                                const ur_real *query, ur_real *to)
{
    if (layer->kind == UR_SCORE_ADDITIVE)
        return ur_linear_run(&layer->ask, team, n, query, to);
    memcpy(to, query, (size_t)n * (size_t)layer->query * sizeof *to);
    return UR_OK;
}

/* Scores of one query, [S]. */
static void score(const struct ur__kernel *k, const ur_attention_layer *layer,
                  const struct ur__attention_rows *r, int i, void *scratch)
{
    const int Q = layer->query;
    const ur_real *query = r->query + (ptrdiff_t)i * Q;
    for (ptrdiff_t s = 0; s < r->S; s++)
        k->add((size_t)Q, query, r->keys + s * Q, r->work + s * Q);
    k->tanh((size_t)r->S * (size_t)Q, r->work, r->work);
    const struct ur__gemm g = {
        .M = r->S, .N = 1, .K = Q, .a = r->work, .a_row = Q, .a_k = 1,
        .b = ur_param_data(layer->score.params, layer->score.weight), .b_k = 1, .b_col = Q,
        .c = r->weights + (ptrdiff_t)i * r->S, .c_row = 1,
    };
    k->gemm(&g, 0, r->S, 0, 1, scratch);
}

void ur__attention_run(const ur_attention_layer *layer, const struct ur__attention_rows *r,
                       void *scratch)
{
    const struct ur__kernel *k = ur__kernel();
    const int Q = layer->query, M = layer->memory;
    const struct ur__gemm fit = {
        .M = r->n, .N = r->S, .K = Q, .a = r->query, .a_row = Q, .a_k = 1,
        .b = r->keys, .b_k = 1, .b_col = Q, .c = r->weights, .c_row = r->S,
    };
    const struct ur__gemm average = {
        .M = r->n, .N = M, .K = r->S, .a = r->weights, .a_row = r->S, .a_k = 1,
        .b = r->values, .b_k = M, .b_col = 1, .c = r->context, .c_row = r->apart,
    };
    if (layer->kind != UR_SCORE_ADDITIVE)
        k->gemm(&fit, 0, r->n, 0, r->S, scratch);
    for (int i = 0; i < r->n; i++) {
        ur_real *weights = r->weights + (ptrdiff_t)i * r->S;
        if (layer->kind == UR_SCORE_ADDITIVE)
            score(k, layer, r, i, scratch);
        if (r->S > 0)
            k->softmax(r->S, weights, weights);
    }
    k->gemm(&average, 0, r->n, 0, M, scratch);
}
