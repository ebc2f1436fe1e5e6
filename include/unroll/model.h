/* SPDX-License-Identifier: MIT */
/* unroll/model.h: a network with its vocabulary and configuration, and its file
 * (docs/FORMAT.md). A model file alone is enough to run it. */
#ifndef UNROLL_MODEL_H
#define UNROLL_MODEL_H

#include "unroll/data.h"
#include "unroll/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a network is made of. One-hot or embedded tokens -> recurrent stack -> linear
 *  decoder -> logits over the vocabulary. Of task fill there are two stacks, one for what
 *  stands before a token and one, which reads the text backwards, for what stands behind. */
typedef struct ur_config {
    const char *task;               /* "lm" or "fill"; static text */
    ur_token_kind tokens;
    ur_cell cell;
    ur_activation activation;       /* of UR_CELL_RNN: all but UR_ACT_IDENTITY */
    bool reset_before;              /* of UR_CELL_GRU */
    int layers;
    int hidden[UR_MAX_LAYERS];
    int embed;                      /* 0: one-hot */
    bool tie;                       /* decoder.weight is embed.weight; embed = top output size,
                                       of fill twice that */
    double dropout;                 /* between layers and before the decoder */
    bool orthogonal;
    double forget_bias;
    /* as in ur_rnn_options, the same for all layers */
    int projection;                 /* of UR_CELL_LSTM, 0: none */
    bool peepholes, coupled;
    double cell_clip;
    bool time_residual;
    bool learned_state;
    bool variational;
    double recurrent_dropout, zoneout_h, zoneout_c;
} ur_config;

/** lm over characters: 2 LSTM layers of 128. */
#define UR_CONFIG_INIT                                                                 \
    {                                                                                  \
        "lm", UR_TOKEN_CHAR, UR_CELL_LSTM, UR_ACT_TANH, false, 2, {128, 128}, 0,       \
            false, 0.0, false, 0.0, 0, false, false, 0.0, false, false, false, 0.0,    \
            0.0, 0.0                                                                   \
    }

/** UR_EINVAL with a sentence if a configuration is impossible. */
UR_API ur_status ur_config_check(const ur_config *config);

typedef struct ur_model ur_model;

/** Reads a model file. Errors: UR_EINPUT, UR_EFORMAT (no model, damaged, sizes that do
 *  not fit), UR_EVERSION, UR_ENUMERIC (a parameter is NaN or Inf). */
UR_API ur_status ur_model_load(ur_model **out, const char *path);
/** Writes it atomically: equal models give equal bytes. Errors: UR_EOUTPUT; UR_ENUMERIC
 *  (nothing is written). */
UR_API ur_status ur_model_save(const ur_model *model, const char *path);
UR_API void ur_model_free(ur_model *model);

/** Its parts, borrowed. Parameters may be changed; then call ur_model_prepare. */
UR_API const ur_config *ur_model_config(const ur_model *model);
UR_API const ur_vocab *ur_model_vocab(const ur_model *model);
UR_API ur_params *ur_model_params(ur_model *model);
UR_API const ur_rnn *ur_model_rnn(const ur_model *model);
/** How it was trained, a JSON object as text: seed, step, epoch, loss, validation loss,
 *  data's name-free size and hash, options. "{}" if untrained. Borrowed. */
UR_API const char *ur_model_summary(const ur_model *model);
/** Packs the weights again after a change of its parameters. */
UR_API ur_status ur_model_prepare(ur_model *model);

/** A state for B sequences (owned by the caller). */
UR_API ur_status ur_model_state_new(ur_state **out, const ur_model *model, int B, ur_team *team);

/** ids [T,B] -> logits [T,B,V] on the tape; see ur_rnn_forward for lengths and state. */
UR_API ur_tensor *ur_model_logits(ur_tape *tape, const ur_model *model, ur_ids ids,
                                  const int *lengths, ur_state *state);
/** ur_cross_entropy of those logits and the targets [T,B] -> [1], the same bits; where the
 *  logits are many they are never held as a whole (ur_linear_cross_entropy). */
UR_API ur_tensor *ur_model_loss(ur_tape *tape, const ur_model *model, ur_ids ids,
                                const int *lengths, ur_state *state, ur_ids targets);
/** Without a tape: T steps, ids [T,B] -> logits [T,B,V]; the same bits. Only reads the
 *  model; allocates nothing with a state of ur_model_state_new. */
UR_API ur_status ur_model_run(const ur_model *model, ur_state *state, int T,
                              const int32_t *ids, ur_real *logits);

/** Of task fill: ids [T,B] -> logits [T,B,V] on the tape of each token, from those before
 *  and those behind it in its sequence: not one bit of them depends on the token itself.
 *  lengths [B] or NULL (all T); where t >= lengths[b] nothing is computed from the text. */
UR_API ur_tensor *ur_model_fill(ur_tape *tape, const ur_model *model, ur_ids ids,
                                const int *lengths);
/** The cross entropy of those logits and the targets [T,B], as ur_model_loss. */
UR_API ur_tensor *ur_model_fill_loss(ur_tape *tape, const ur_model *model, ur_ids ids,
                                     const int *lengths, ur_ids targets);

/** What fills one gap at a time without a tape, with the same bits. */
typedef struct ur_filler ur_filler;
/** model and team are borrowed. Errors: UR_EINVAL if the model's task is another. */
UR_API ur_status ur_filler_new(ur_filler **out, const ur_model *model, ur_team *team);
UR_API void ur_filler_free(ur_filler *filler);
/** *logits [V] (borrowed until the next call) of the token between `before` tokens and
 *  `behind` tokens; each may be none. Allocates nothing. */
UR_API ur_status ur_filler_run(ur_filler *filler, size_t n_before, const int32_t *before,
                               size_t n_behind, const int32_t *behind, const ur_real **logits);
/** The k likeliest tokens of the last run but the unknown word and a line's end, and their
 *  probabilities among all tokens, the likeliest first, equal ones by number. Returns how
 *  many there are. */
UR_API int ur_filler_best(ur_filler *filler, int k, int32_t *ids, double *p);

#ifdef __cplusplus
}
#endif
#endif
