/* SPDX-License-Identifier: MIT */
/*
 * unroll/model.h: networks as data, and their files (docs/FORMAT.md). A model is an
 * architecture with its options, parameters and vocabularies; its file alone is enough to run it.
 *
 *     ur_options net;  ur_config_init(&net, "lm");  ur_options_set(&net, "hidden", "256");
 *     ur_vocab *vocab; ur_vocab_of_text(&vocab, UR_TOKEN_CHAR, text, n, 1);
 *     ur_model *model; ur_model_new(&model, &net, 1, &vocab, seed);
 *     ur_batch batch;  ur_batch_init(&batch);
 *     ur_batch_ids(&batch, "input", T, B, ids, NULL);
 *     ur_batch_ids(&batch, "target", T, B, targets, NULL);
 *     ur_tensor *loss = ur_model_loss(tape, model, &batch, state);
 */
#ifndef UNROLL_MODEL_H
#define UNROLL_MODEL_H

#include "unroll/data.h"
#include "unroll/layer.h"
#include "unroll/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- architectures ----------------------------------------------------- */

/** Names of the architectures there are, ended by NULL. Static.
 *    lm    tokens -> recurrent stack -> a distribution over the next token.
 *          Fields: input [T,B], target [T,B]. Vocabulary: text. Carries state.
 *    fill  each token from those before it and those after it, by two stacks.
 *          Fields: input [T,B] with lengths, target [T,B]. Vocabulary: text. To run: before,
 *          after.
 *    classify  one label for a sequence, tag  one for each of its steps. Outputs are those of the
 *          labels [1,B,K] or [T,B,K]. Fields: input [T,B] with lengths, or, with the option
 *          features I, frames [T,B,I] with lengths; with letters, also letters [C,W] with lengths,
 *          the spellings of W words, and spelling [T,B], which of them each step is; target [1,B]
 *          or [T,B]. Vocabularies: text (with frames NULL), label, letter (without letters NULL).
 *          Label k is token k + 2 of the vocabulary, which begins with <unk> and </s>. Outputs of a
 *          tag with the option feedback need the target: each step reads the label before.
 *    forecast  the next H steps of N series from C steps, all numbers normalised. Fields: input
 *          [C,B,I], I = N + N' + F + K: targets, with the option gaps 1 for each column that is
 *          there and else 0 (N' = N + F), other columns, and what is known of a step beforehand;
 *          ahead [H,B,K] (K > 0), the latter of the steps to come; base [H,B,N], which the network
 *          adds to; target [H,B,2N]: values, then 1 for each that is there. Outputs [H,B,N·n], n by
 *          the option distribution: points; means, then log variances; points, then lower, then
 *          upper bounds. With the option recursive it carries state; outputs and loss need it.
 *    translate  a sequence to another of any length. Fields: source [S,B] with lengths; input [T,B]
 *          with lengths, the target a token later, a line's end before it; target [T,B].
 *          Vocabularies: source, target. To run: source. */
UR_API const char *const *ur_arch_names(void);

/** The options of a network with their defaults; ur_options_set changes them. Errors: UR_EINVAL
 *  (there is no such architecture). */
UR_API ur_status ur_config_init(ur_options *config, const char *arch);
/** UR_EINVAL with a sentence if a network of these options is impossible. */
UR_API ur_status ur_config_check(const ur_options *config);

/* ---- batches ----------------------------------------------------------- */

#define UR_MAX_FIELDS 8

/** One input of a batch; its arrays are borrowed. Numbers of tokens have rank 2 [T,B], or 3
 *  [T,B,C] for a sequence at each step (the characters of a word); reals any rank. */
typedef struct ur_field {
    const char *role;           /* what the architecture calls it; static text */
    int rank;
    int dim[UR_MAX_RANK];
    const int32_t *ids;         /* one of the two */
    const ur_real *reals;
    const int *lengths;         /* [B] steps of each sequence; NULL: all T */
    const int *inner;           /* [T,B] lengths along the third dimension; NULL: all C */
    const void *room[2];
} ur_field;

/** The inputs of a step. ur_batch_init: none. */
typedef struct ur_batch {
    size_t size;                /* set by ur_batch_init */
    int64_t items;              /* predictions that the loss is the mean of; 0: not counted */
    int n;
    ur_field field[UR_MAX_FIELDS];
} ur_batch;
UR_STRUCT_INIT(ur_batch)

/** Adds a field. Arrays and role are borrowed. Errors: UR_EINVAL (there are UR_MAX_FIELDS, or
 *  one of this role; not initialised), UR_ESHAPE. */
UR_API ur_status ur_batch_ids(ur_batch *batch, const char *role, int T, int B, const int32_t *ids,
                              const int *lengths);
UR_API ur_status ur_batch_reals(ur_batch *batch, const char *role, int rank, const int *dim,
                                const ur_real *x, const int *lengths);
/** The field of a role; NULL: there is none. */
UR_API const ur_field *ur_batch_find(const ur_batch *batch, const char *role);

/* ---- models ------------------------------------------------------------ */

typedef struct ur_model ur_model;

/** A network with values drawn from seed and n vocabularies, one for each role of the
 *  architecture in its order; on success they belong to the model. Errors: UR_EINVAL,
 *  UR_ENOMEM. */
UR_API ur_status ur_model_new(ur_model **out, const ur_options *config, int n,
                              ur_vocab *const *vocabs, uint64_t seed);
/** Reads a model file. Errors: UR_EINPUT, UR_EFORMAT (no model, damaged, sizes that do
 *  not fit), UR_EVERSION, UR_ENUMERIC (a parameter is NaN or Inf). */
UR_API ur_status ur_model_load(ur_model **out, const char *path);
/** Reads one from n bytes in memory, by the same rules: all that a model file holds. name (NULL:
 *  "memory") is what messages call it. The bytes are free to go afterwards. */
UR_API ur_status ur_model_load_memory(ur_model **out, const void *bytes, size_t n,
                                      const char *name);
/** Writes it atomically: equal models give equal bytes. Errors: UR_EOUTPUT; UR_ENUMERIC
 *  (nothing is written). */
UR_API ur_status ur_model_save(const ur_model *model, const char *path);
/** Gives the same bytes to write, piece by piece. Errors: those of write; UR_ENUMERIC, before the
 *  first piece. */
UR_API ur_status ur_model_save_to(const ur_model *model, ur_sink write, void *user);
UR_API void ur_model_free(ur_model *model);

/** Its parts, borrowed. Parameters may be changed; then call ur_model_prepare. */
UR_API const char *ur_model_arch(const ur_model *model);
UR_API const ur_options *ur_model_config(const ur_model *model);
UR_API ur_params *ur_model_params(ur_model *model);
/** The vocabulary of a role; NULL for role: the first. NULL: there is none. */
UR_API const ur_vocab *ur_model_vocab(const ur_model *model, const char *role);
/** The i-th recurrent stack; NULL: there is none. */
UR_API const ur_rnn *ur_model_rnn(const ur_model *model, int i);
/** The task that it was trained for, "lm"; a new model's is its architecture's usual one. */
UR_API const char *ur_model_task(const ur_model *model);
/** How it was trained, a JSON object as text: seed, step, epoch, losses, data's name-free size
 *  and hash, options. "{}" if untrained. Borrowed. */
UR_API const char *ur_model_summary(const ur_model *model);
/** Packs the weights again after a change of its parameters. Errors: UR_ENOMEM. */
UR_API ur_status ur_model_prepare(ur_model *model);

/* ---- on the tape ------------------------------------------------------- */

/** What an architecture that goes through a sequence in pieces carries from one to the next: the
 *  states of its stacks, for B sequences. Zeros (or learned states) at first. */
typedef struct ur_model_state ur_model_state;

/** Errors: UR_EINVAL if the architecture carries none: lm does, and tag, unless it is
 *  bidirectional or chooses the labels of a sequence together (crf, feedback). */
UR_API ur_status ur_model_state_new(ur_model_state **out, const ur_model *model, int B,
                                    ur_team *team);
UR_API void ur_model_state_free(ur_model_state *state);
UR_API void ur_model_state_zero(ur_model_state *state);
/** Gradients stop here. Call before the tape is reset. */
UR_API void ur_model_state_detach(ur_model_state *state);
/** The state of the i-th stack; NULL: there is none, or it carries nothing (that of letters).
 *  Borrowed. */
UR_API ur_state *ur_model_state_at(const ur_model_state *state, int i);

/** The network's outputs from a batch: logits [T,B,V]. state NULL: each sequence from the
 *  start. */
UR_API ur_tensor *ur_model_outputs(ur_tape *tape, const ur_model *model, const ur_batch *batch,
                                   ur_model_state *state);
/** The loss [1] of a batch with targets: mean nats over those that are not −1. Where logits
 *  are many they are never held as a whole (ur_linear_cross_entropy), with the same bits. */
UR_API ur_tensor *ur_model_loss(ur_tape *tape, const ur_model *model, const ur_batch *batch,
                                ur_model_state *state);

#ifdef __cplusplus
}
#endif
#endif
