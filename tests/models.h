/* SPDX-License-Identifier: MIT */
/* Models for tests: one of each kind that matters to files and to running. */
#ifndef UR_TESTS_MODELS_H
#define UR_TESTS_MODELS_H

#include "testing.h"

#include "data/vocab.h"
#include "model/model.h"
#include "support/settings.h"
#include "unroll/decode.h"

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

static inline ur_model *model_of(const ur_options *c, int V, uint64_t seed)
{
    ur_model *m;
    ur_vocab *v = vocab_of(V);
    assert_ok(ur_model_new(&m, c, 1, &v, seed));
    return m;
}

/* Tokens [T,B], and targets [T,B] or NULL. */
static inline ur_batch batch_of(int T, int B, const int32_t *ids, const int *lengths,
                                const int32_t *targets)
{
    ur_batch batch;
    ur_batch_init(&batch);
    assert_ok(ur_batch_ids(&batch, "input", T, B, ids, lengths));
    if (targets)
        assert_ok(ur_batch_ids(&batch, "target", T, B, targets, NULL));
    return batch;
}

/* *logits of a gap between tokens, by a runner of a model that fills. */
static inline ur_status run_gap(ur_runner *r, int n, const int32_t *before, int m,
                                const int32_t *after, const ur_real **logits)
{
    ur_batch given;
    ur_batch_init(&given);
    if (n)
        assert_ok(ur_batch_ids(&given, "before", n, 1, before, NULL));
    if (m)
        assert_ok(ur_batch_ids(&given, "after", m, 1, after, NULL));
    *logits = ur_runner_output(r, 0);
    return ur_runner_begin(r, 0, &given);
}

enum { N_CONFIGS = 10 };

/* 0 <= i < N_CONFIGS */
static inline ur_options any_config(int i)
{
    static const char *const list[N_CONFIGS] = {
        "hidden=12,12",
        "cell=gru hidden=9,17",
        "cell=gru layers=1 hidden=11 reset=before",
        "cell=rnn hidden=8,8 activation=relu init=orthogonal",
        "hidden=12,12 embed=12 tie=yes dropout=0.25",
        "layers=1 hidden=33 embed=70 forget-bias=1",
        "hidden=12,12 projection=7 coupled=yes peepholes=yes cell-clip=0.5 learned-state=yes",
        "cell=rnn hidden=9,9 activation=satlin time-residual=yes zoneout=0.1",
        "hidden=12,12 dropout=0.25 variational=yes recurrent-dropout=0.2 zoneout-cell=0.3",
        "cell=gru layers=1 hidden=5 embed=3",
    };
    return net_of("lm", list[i]);
}

#endif
