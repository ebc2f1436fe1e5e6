/* SPDX-License-Identifier: MIT */
/* Small networks that translate, and batches for them. */
#ifndef UR_TESTS_TRANSLATE_MODELS_H
#define UR_TESTS_TRANSLATE_MODELS_H

#include "models.h"

#include "base/random.h"
#include "model/translate.h"

/* Token 0 ends a text, on both sides. */
static inline ur_model *translate_model(const char *settings, int source, int target,
                                        uint64_t seed)
{
    ur_options c = net_of("translate", settings);
    ur_vocab *const v[] = {vocab_of(source), vocab_of(target)};
    ur_model *m;
    assert_ok(ur_model_new(&m, &c, 2, v, seed));
    return m;
}

/* B pairs of up to S and T tokens, their ends among them. */
enum { PAIRS_ROOM = 512 };
struct pairs_batch {
    int S, T, B;
    int32_t source[PAIRS_ROOM], input[PAIRS_ROOM], target[PAIRS_ROOM];
    int source_lengths[64], lengths[64];
};

static inline double pairs_draw(uint64_t seed, uint32_t i)
{
    return ur_random_uniform(seed, UR__STREAM_USER, 7, i);
}

/* Lengths differ, the first pair's are the longest; V tokens of a source, W of a target. */
static inline void pairs_fill(struct pairs_batch *p, uint64_t seed, int V, int W)
{
    uint32_t at = 0;
    for (int b = 0; b < p->B; b++) {
        p->source_lengths[b] = b ? 1 + (int)(pairs_draw(seed, at++) * p->S) : p->S;
        p->lengths[b] = b ? 1 + (int)(pairs_draw(seed, at++) * p->T) : p->T;
        for (int s = 0; s < p->S; s++)
            p->source[s * p->B + b] = s + 1 < p->source_lengths[b]
                ? 1 + (int)(pairs_draw(seed, at++) * (V - 1)) : 0;
        for (int t = 0; t < p->T; t++) {
            int32_t id = t + 1 < p->lengths[b] ? 1 + (int)(pairs_draw(seed, at++) * (W - 1)) : 0;
            p->target[t * p->B + b] = t < p->lengths[b] ? id : -1;
            if (t + 1 < p->T)
                p->input[(t + 1) * p->B + b] = id;
        }
        p->input[b] = 0;
    }
}

static inline ur_batch pairs_batch(const struct pairs_batch *p)
{
    ur_batch batch;
    ur_batch_init(&batch);
    assert_ok(ur_batch_ids(&batch, "source", p->S, p->B, p->source, p->source_lengths));
    assert_ok(ur_batch_ids(&batch, "input", p->T, p->B, p->input, p->lengths));
    assert_ok(ur_batch_ids(&batch, "target", p->T, p->B, p->target, NULL));
    return batch;
}

/* Pair b alone, without padding. */
static inline void pairs_take(struct pairs_batch *to, const struct pairs_batch *p, int b)
{
    *to = (struct pairs_batch){.S = p->source_lengths[b], .T = p->lengths[b], .B = 1,
                               .source_lengths = {p->source_lengths[b]},
                               .lengths = {p->lengths[b]}};
    for (int s = 0; s < to->S; s++)
        to->source[s] = p->source[s * p->B + b];
    for (int t = 0; t < to->T; t++) {
        to->input[t] = p->input[t * p->B + b];
        to->target[t] = p->target[t * p->B + b];
    }
}

static const char *const translate_nets[] = {
    "hidden=6 embed=5 attention=additive dropout=0.2",
    "hidden=6 embed=5 attention=general decoder-hidden=9",
    "hidden=5 embed=4 attention=dot cell=gru",
    "hidden=6 embed=5 attention=none layers=2",
    "hidden=6 embed=5 attention=additive input-feeding=yes dropout=0.1",
    "hidden=4 embed=3 attention=general input-feeding=yes layers=2 cell=rnn",
    "hidden=6 embed=4 attention=dot bidirectional=no reverse-source=yes decoder-hidden=7,6",
    "hidden=7 embed=4 attention=none bidirectional=no reverse-source=yes learned-state=yes",
    "hidden=6 embed=4 attention=additive norm=layer",
    "hidden=6 embed=4 attention=additive input-feeding=yes norm=layer cell=gru",
    "hidden=8,6 embed=4 attention=general projection=5,3 decoder-layers=1 decoder-hidden=7",
    "hidden=17 embed=33 attention=additive cell=gru reset=before",
};
enum { N_TRANSLATE_NETS = sizeof translate_nets / sizeof *translate_nets };

#endif
