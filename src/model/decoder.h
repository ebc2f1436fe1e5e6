/* SPDX-License-Identifier: MIT */
/*
 * A decoder: a stack that goes from token to token, each told the one before, from a state that
 * something else has summed up in a vector, and that may look back at the steps of that
 * (docs/MATH.md, section Decoder).
 *
 *     s_0 = tanh(bridge(summary)),  s_t = stack([embed y_{t−1} ; a_{t−1}], s_{t−1})
 *     c_t = attention(s_t),  a_t = tanh(combine([c_t ; s_t])),  logits = out(a_t)
 *
 * Without attention a_t is s_t. a_{t−1} is read with input feeding alone.
 */
#ifndef UR_MODEL_DECODER_H
#define UR_MODEL_DECODER_H

#include "model/block.h"

struct ur__decoder_options {
    ur_rnn_options stack;
    int embed;
    int attention;              /* 0: none; else 1 + ur_scoring */
    bool feeding;
    double smoothing;
    double sampled;             /* share of inputs that training takes from the net itself */
    int sampled_steps;          /* over which it grows to that from 0 */
};

/* Rows but those of the stack, for the options `member` of struct `type`. */
#define UR__DECODER_ROWS(type, member, usual)                                                     \
    {.name = "embed", .arg = "N", .fallback = "64", .kind = UR_OPTION_INT, .min = 1,              \
     .max = 65536, .at = offsetof(type, member.embed), .help = "size of learnt token vectors"},   \
    {.name = "attention", .words = ur__attention_words, .fallback = usual,                        \
     .kind = UR_OPTION_CHOICE, .at = offsetof(type, member.attention),                            \
     .help = "how the decoder looks back at the source: by a product, a product with a matrix, "  \
             "a small network, or not at all"},                                                   \
    {.name = "input-feeding", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_SPARSE,                  \
     .at = offsetof(type, member.feeding),                                                        \
     .help = "the decoder reads what it attended to a step before; slower"},                      \
    {.name = "label-smoothing", .arg = "P", .fallback = "0", .kind = UR_OPTION_REAL, .max = 1,    \
     .flags = UR_OPTION_OPEN_MAX | UR_OPTION_SPARSE, .at = offsetof(type, member.smoothing),      \
     .help = "share of a target that is spread over all tokens"},                                 \
    {.name = "scheduled-sampling", .arg = "P", .fallback = "0", .kind = UR_OPTION_REAL,           \
     .max = 1, .flags = UR_OPTION_SPARSE, .at = offsetof(type, member.sampled),                   \
     .help = "share of tokens that training feeds back from the net instead of the target"},      \
    {.name = "sampling-steps", .arg = "N", .fallback = "0", .shown = "0: from the first on",      \
     .kind = UR_OPTION_INT, .max = 1e9, .flags = UR_OPTION_SPARSE,                                \
     .at = offsetof(type, member.sampled_steps),                                                  \
     .help = "steps over which that share grows from 0"}

extern const char *const ur__attention_words[];

struct ur__decoder {
    const struct ur__decoder_options *o;    /* the model's */
    ur_embedding *token;
    ur_rnn *rnn;
    ur_linear_layer *bridge, *combine, *out;
    ur_attention_layer *attention;          /* NULL, as combine: it does not look back */
};

/* UR_EINVAL: impossible. */
ur_status ur__decoder_resolve(struct ur__decoder_options *o);
/* For summaries of `summary` numbers and steps of `memory`; role: of the vocabulary of tokens,
 * which has a line's end. Sets m->decoder. */
struct ur__decoder_shape {
    int summary, memory, role;
};
ur_status ur__decoder_declare(ur_model *m, struct ur__decoder *d,
                              const struct ur__decoder_options *o,
                              const struct ur__decoder_shape *shape);

/* ---- on the tape ------------------------------------------------------- */

/* What it starts from. memory: the steps, with their lengths, NULL without attention. */
struct ur__decoder_start {
    ur_tensor *summary;         /* [B,summary] */
    ur_tensor *steps;           /* [S,B,memory] */
    const int *lengths;         /* [B] */
};
/* What `out` reads for each input token, [T,B,I], after dropout; weights: NULL or gets what each
 * step looked at, [B,T,S] (NULL without attention). */
ur_tensor *ur__decode(ur_tape *tape, const struct ur__decoder *d,
                      const struct ur__decoder_start *start, const ur_field *input,
                      ur_tensor **weights);
/* The loss of that for the targets. */
ur_tensor *ur__decoder_loss(ur_tape *tape, const struct ur__decoder *d, ur_tensor *features,
                            ur_ids targets);
/* The state that each sequence starts from, [B,size] each, to state [ur_rnn_states(d->rnn)]. False
 * with a poisoned tape. */
bool ur__decoder_begin(ur_tape *tape, const struct ur__decoder *d, ur_tensor *summary,
                       ur_tensor **state);

/* ---- without a tape ---------------------------------------------------- */

/* Rows that go from token to token, each with a state of its own and a memory that it may share
 * with others. */
struct ur__decoder_rows;
ur_status ur__decoder_rows_new(struct ur__decoder_rows **out, const struct ur__decoder *d, int rows,
                               ur_team *team);
void ur__decoder_rows_free(struct ur__decoder_rows *r);
/* Bytes that so many take, of which up to B start at once from sequences of up to S steps; the
 * model need not be built. */
struct ur__decoder_size {
    int rows, S, B;
};
ur_status ur__decoder_rows_measure(const struct ur__decoder *d, const struct ur__decoder_size *size,
                                   ur_team *team, size_t *bytes);
/* Takes all of it now. */
ur_status ur__decoder_rows_reserve(struct ur__decoder_rows *r, const struct ur__decoder_size *size);
/* Rows row, row + 1 ... start from the sequences of `start`, on a tape that does not record. Takes
 * memory for steps that are more than any before. */
ur_status ur__decoder_rows_begin(struct ur__decoder_rows *r, int row, ur_tape *tape,
                                 const struct ur__decoder_start *start);
/* One step of all rows: ids [rows] -> logits [rows,V]. */
ur_status ur__decoder_rows_step(struct ur__decoder_rows *r, const int32_t *ids, ur_real *out);
ur_status ur__decoder_rows_select(struct ur__decoder_rows *r, int n, const int *from);
ur_state *ur__decoder_rows_state(struct ur__decoder_rows *r);

#endif
