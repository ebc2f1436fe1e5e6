/* SPDX-License-Identifier: MIT */
#include "model/adopt.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/status.h"
#include "data/vocab.h"
#include "layer/params.h"
#include "layer/recurrent.h"
#include "model/arch.h"

/* ---- tokens ------------------------------------------------------------ */

/* For each token of one vocabulary its number in the other, −1 if it is not there. */
struct map {
    int32_t *old;
    int n, n_old;
};

static int32_t find_token(const ur_vocab *in, const ur_vocab *vocab, int32_t id)
{
    size_t n;
    if (!ur__is_words(ur_vocab_kind(vocab)))
        return ur__vocab_find(in, ur__vocab_codes(vocab)[id]);
    const char *text = ur_vocab_text(vocab, id, &n);
    int32_t old = ur__vocab_find_word(in, text, n);
    return old == ur_vocab_unknown(in) && id != ur_vocab_unknown(vocab) ? -1 : old;
}

static ur_status make_map(struct map *map, const ur_vocab *to, const ur_vocab *from)
{
    if (!to && !from)
        return UR_OK;
    if (!to || !from)
        return ur__fail(UR_EDATA, "the networks differ: only one has a vocabulary of that role");
    ur_token_kind kind = ur_vocab_kind(to), other = ur_vocab_kind(from);
    bool words = ur__is_words(kind) && ur__is_words(other);
    if (kind != other && !words)
        return ur__fail(UR_EDATA, "the vocabularies differ: tokens are %s and %s",
                        ur_token_kind_name(kind), ur_token_kind_name(other));
    map->n = ur_vocab_size(to);
    map->n_old = ur_vocab_size(from);
    map->old = ur__alloc((size_t)map->n, sizeof *map->old);
    if (!map->old)
        return UR_ENOMEM;
    for (int32_t id = 0; id < map->n; id++)
        map->old[id] = find_token(from, to, id);
    return UR_OK;
}

static void count(const struct map *map, struct ur__adopted *counts)
{
    int kept = 0;
    for (int i = 0; i < map->n; i++)
        kept += map->old[i] >= 0;
    counts->kept += kept;
    counts->fresh += map->n - kept;
    counts->dropped += map->n_old - kept;
}

/* ---- values ------------------------------------------------------------ */

/* One parameter seen as [outer,tokens,inner]; map NULL: tokens are not among its dimensions. */
struct copy {
    ur_real *to;
    const ur_real *from;
    size_t outer, inner;
    const struct map *map;
};

static void copy_tokens(const struct copy *c)
{
    const struct map *m = c->map;
    size_t inner = c->inner;
    for (size_t o = 0; o < c->outer; o++) {
        const ur_real *from = c->from + o * (size_t)m->n_old * inner;
        ur_real *to = c->to + o * (size_t)m->n * inner;
        for (int i = 0; i < m->n; i++)
            if (m->old[i] >= 0)
                memcpy(to + (size_t)i * inner, from + (size_t)m->old[i] * inner,
                       inner * sizeof *to);
        for (size_t x = 0; x < inner; x++) {
            double sum = 0;
            for (int i = 0; i < m->n_old; i++)
                sum += (double)from[(size_t)i * inner + x];
            for (int i = 0; i < m->n; i++)
                if (m->old[i] < 0)
                    to[(size_t)i * inner + x] = (ur_real)(sum / m->n_old);
        }
    }
}

/* Which dimension of a parameter counts tokens of which vocabulary; −1: none does. */
static int token_dimension(const ur_model *m, const ur_param *p, int *vocab)
{
    for (int i = 0; i < m->n_blocks; i++) {
        const struct ur__block *b = &m->block[i];
        *vocab = b->kind == UR__BLOCK_LINEAR ? b->out : b->in;
        if (*vocab < 0)
            continue;
        if (b->kind == UR__BLOCK_EMBEDDING && p == b->embedding.weight)
            return 0;
        if (b->kind == UR__BLOCK_LINEAR &&
            (p == b->linear.weight || p == b->linear.bias))
            return 0;
        if (b->kind == UR__BLOCK_STACK && ur__rnn_reads_input(b->rnn, p))
            return 1;
    }
    return -1;
}

static ur_status adopt_param(ur_model *to, const ur_model *from, const ur_param *p,
                             const struct map *maps)
{
    const ur_param *q = ur_params_find(from->params, p->name);
    char x[UR__DIMS_TEXT], y[UR__DIMS_TEXT];
    uint64_t dim[UR_MAX_RANK], other[UR_MAX_RANK];
    int vocab = -1, at = token_dimension(to, p, &vocab), rank = ur__param_dims(p, dim);
    if (!q)
        return ur__fail(UR_EDATA, "the networks differ: only one has %s", p->name);
    bool same = ur__param_dims(q, other) == rank;
    for (int i = 0; same && i < rank; i++)
        same = i != at ? dim[i] == other[i]
                       : dim[i] == (uint64_t)maps[vocab].n &&
                         other[i] == (uint64_t)maps[vocab].n_old;
    if (!same)
        return ur__fail(UR_EDATA, "the networks differ: %s is %s, in the other %s", p->name,
                        ur__dims_text(rank, dim, x), ur__dims_text(q->rank, other, y));
    ur_real *values = ur_param_data(to->params, p);
    const ur_real *old = ur_param_data(from->params, q);
    if (at < 0) {
        memcpy(values, old, p->size * sizeof *values);
        return UR_OK;
    }
    struct copy c = {.to = values, .from = old, .outer = 1, .inner = 1, .map = &maps[vocab]};
    for (int i = 0; i < rank; i++)
        *(i < at ? &c.outer : &c.inner) *= i == at ? 1 : (size_t)dim[i];
    copy_tokens(&c);
    return UR_OK;
}

/* What is kept as it is must be the same in both. */
static ur_status adopt_typed(ur_model *to, const ur_model *from, const ur_typed *t)
{
    const ur_typed *other = ur_params_find_typed(from->params, t->name);
    if (!other || other->type != t->type || other->rank != t->rank ||
        memcmp(other->dim, t->dim, (size_t)t->rank * sizeof *t->dim) != 0)
        return ur__fail(UR_EDATA, "the networks differ: only one has %s of that type and shape",
                        t->name);
    memcpy(ur_typed_data(to->params, t, t->type), ur_typed_data(from->params, other, t->type),
           t->bytes);
    return UR_OK;
}

static ur_status adopt_all(ur_model *to, const ur_model *from, const struct map *maps)
{
    int n = ur_params_count(to->params), other = ur_params_count(from->params);
    int typed = ur_params_typed_count(to->params), of_other = ur_params_typed_count(from->params);
    for (int i = 0; i < n; i++)
        UR__TRY(adopt_param(to, from, ur_params_at(to->params, i), maps));
    for (int i = 0; i < typed; i++)
        UR__TRY(adopt_typed(to, from, ur_params_typed_at(to->params, i)));
    if (n != other || typed != of_other)
        return ur__fail(UR_EDATA, "the networks differ: %d and %d parameters", n + typed,
                        other + of_other);
    return ur_model_prepare(to);
}

/* Puts the options that differ in place of the message on a parameter, if there are any. */
static ur_status name_options(const ur_model *to, const ur_model *from)
{
    const void *a = ur__options_read(&to->config), *b = ur__options_read(&from->config);
    struct ur__buf text = {0};
    ur_status status = UR_OK;
    const ur_option *o;
    for (int i = 0; (o = ur_options_at(&to->config, i)) && status == UR_OK; i++) {
        if (ur__option_same(o, a, b))
            continue;
        status = ur__buf_printf(&text, "%s%s is ", text.size ? "; " : "", o->name);
        if (status == UR_OK)
            status = ur__option_show(o, a, &text);
        if (status == UR_OK)
            status = ur__buf_puts(&text, ", in the other ");
        if (status == UR_OK)
            status = ur__option_show(o, b, &text);
    }
    if (status == UR_OK)
        status = text.size ? ur__fail(UR_EDATA, "the networks differ: %s", text.data) : UR_EDATA;
    ur__buf_free(&text);
    return status;
}

ur_status ur__model_adopt(ur_model *to, const ur_model *from, struct ur__adopted *counts)
{
    struct map maps[UR__MAX_VOCABS] = {{0}};
    ur_status status = UR_OK;
    *counts = (struct ur__adopted){0};
    if (to->arch != from->arch)
        return ur__fail(UR_EDATA, "the networks differ: %s and %s", to->arch->name,
                        from->arch->name);
    for (int i = 0; to->arch->vocabs[i] && status == UR_OK; i++) {
        status = make_map(&maps[i], to->vocab[i], from->vocab[i]);
        if (status == UR_OK)
            count(&maps[i], counts);
    }
    unsigned mode = ur__fpmode_default();
    if (status == UR_OK) {
        status = adopt_all(to, from, maps);
        if (status == UR_EDATA)
            status = name_options(to, from);
    }
    ur__fpmode_restore(mode);
    for (int i = 0; i < UR__MAX_VOCABS; i++)
        ur__free(maps[i].old);
    return status;
}
