/* SPDX-License-Identifier: MIT */
/*
 * A sequence as a stack reads it, one vector h a step:
 *
 *     tokens     embed.weight[token], beside it, of tokens that are words, what a small stack makes
 *                of their letters
 *     frames     (x − mean) · scale, number by number; with center, means over its sequence are
 *                first taken off x
 *
 * Letters are those of the distinct words of a batch: a word that comes again is read once.
 */
#ifndef UR_MODEL_ENCODER_H
#define UR_MODEL_ENCODER_H

#include "data/labels.h"
#include "model/block.h"

/* The first member of a configuration whose network begins with an encoder. */
struct ur__encoder_options {
    ur_rnn_options stack;
    int features;               /* numbers a step; 0: tokens */
    int embed;                  /* numbers of a token's vector */
    int letters, letter_embed;  /* units of the stack over letters, 0: none; and of a letter */
    int center;                 /* frames: less what means of their sequence */
};

/* Rows of the struct `type`, whose first member that is; defaults: units over letters, dropout. */
#define UR__ENCODER_ROWS(type, letter_units, dropped)                                             \
    UR__STACK_ROWS("", type, encoder.stack, "1", dropped),                                        \
    {.name = "bidirectional", .words = ur__yes_words, .fallback = "yes",                          \
     .kind = UR_OPTION_EITHER, .at = offsetof(type, encoder.stack.bidirectional),                 \
     .help = "each layer reads a sequence from both ends"},                                       \
    {.name = "features", .arg = "N", .fallback = "0", .kind = UR_OPTION_INT, .max = 1048576,      \
     .flags = UR_OPTION_DATA, .at = offsetof(type, encoder.features),                             \
     .help = "numbers of a step; 0: steps are tokens"},                                           \
    {.name = "center", .words = ur__center_words, .shown = "no; sounds: all", .fallback = "no",   \
     .kind = UR_OPTION_CHOICE, .flags = UR_OPTION_SPARSE | UR__OPTION_NUMBERS,                    \
     .at = offsetof(type, encoder.center),                                                        \
     .help = "numbers: the mean of all of a sequence's is first taken off them, as loudness adds " \
             "it to the logarithms of a sound; or that of each number apart, as a microphone "     \
             "adds it"},                                                                           \
    {.name = "embed", .arg = "N", .fallback = "64", .kind = UR_OPTION_INT, .min = 1,              \
     .max = 65536, .flags = UR__OPTION_TOKENS, .at = offsetof(type, encoder.embed),               \
     .help = "size of learnt token vectors"},                                                     \
    {.name = "letters", .arg = "N", .fallback = letter_units, .kind = UR_OPTION_INT,              \
     .max = 65536, .flags = UR__OPTION_WORDS, .at = offsetof(type, encoder.letters),              \
     .help = "words: units of an LSTM over their letters, in each direction; 0: none"},           \
    {.name = "letter-embed", .arg = "N", .fallback = "32", .kind = UR_OPTION_INT, .min = 1,       \
     .max = 65536, .flags = UR_OPTION_SPARSE | UR__OPTION_WORDS,                                  \
     .at = offsetof(type, encoder.letter_embed), .with = "letters",                               \
     .help = "size of learnt letter vectors"}

enum { UR__CENTER_NO, UR__CENTER_ALL, UR__CENTER_EACH };
extern const char *const ur__yes_words[], *const ur__center_words[];

struct ur__encoder {
    ur_rnn *rnn, *letter_rnn;           /* the latter NULL: letters are not read */
    ur_embedding *token, *letter;       /* token NULL: frames */
    ur_pool_layer spelled;
    const ur_param *mean, *scale;       /* [I] of frames */
};

/* Roles of vocabularies and fields of a network that gives labels to what its encoder reads.
 *   text     tokens         input     ids [T,B] with lengths
 *   label    labels         letters   ids [C,W], the W spellings, with lengths
 *   letter   letters        spelling  ids [T,B], which of the W
 *                           frames    reals [T,B,I] with lengths
 *                           target    labels [T,B], or [1,B] of whole sequences */
enum { UR__ROLE_TEXT, UR__ROLE_LABEL, UR__ROLE_LETTER };
extern const char *const ur__label_vocabs[], *const ur__label_fields[];
/* For struct ur__arch: config begins with encoder options. */
bool ur__encoder_has(const void *config, const char *role);
ur_status ur__encoder_resolve(void *config);
int ur__label_outputs(const ur_model *m);

/* Are steps read without each other? */
static inline bool ur__encoder_apart(const struct ur__encoder_options *o)
{
    return o->stack.cell == UR_CELL_NONE;
}

/* The field that has the steps, with their lengths. */
const ur_field *ur__encoder_steps(const struct ur__encoder *e, const ur_batch *batch);

/* By the model's options. UR_EINVAL: its vocabularies are of the wrong kind. */
ur_status ur__encoder_declare(ur_model *m, struct ur__encoder *e);
/* Outputs of the last layer [T,B,D·P], after dropout; 0 past a sequence's length. states: of the
 * model's stacks, or NULL. */
ur_tensor *ur__encode(ur_tape *tape, const ur_model *m, const struct ur__encoder *e,
                      const ur_batch *batch, ur_state *const *states);

/* Of outputs for each token of a vocabulary of labels, those for labels. */
static inline ur_tensor *ur__labels_only(ur_tensor *outputs)
{
    return outputs ? ur_slice(outputs, 2, UR__FIRST_LABEL, ur_dim(outputs, 2)) : NULL;
}
/* Does a classifier pool by attention? And its outputs, with the weights [B,T] that it gave the
 * steps then, else NULL (arch_classify.c). */
bool ur__classify_attends(const ur_model *m);
ur_tensor *ur__classify_outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                                ur_tensor **weights);

#endif
