/* SPDX-License-Identifier: MIT */
/*
 * unroll/exchange.h: weights of other programs: safetensors files as PyTorch writes and
 * reads them (safetensors.torch, a module's state_dict).
 *
 *     ur_rename map[] = {{"rnn.*", "encoder.lstm.*"}, {"decoder.*", "fc.*"}};
 *     ur_params_load(params, "theirs.safetensors", 2, map, true);     // after declaring layers
 *     ur_rnn_prepare(rnn);
 *
 * Layers of the same sizes and options compute what nn.RNN, nn.LSTM, nn.GRU, nn.Linear and
 * nn.Embedding compute: docs/FORMAT.md lists the names.
 */
#ifndef UNROLL_EXCHANGE_H
#define UNROLL_EXCHANGE_H

#include "unroll/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An open safetensors file: its tensors by name, nothing read yet. */
typedef struct ur_weights ur_weights;

/* ---- parameters -------------------------------------------------------- */

/** What a file calls our parameters. The first pair whose `ours` fits a parameter's name
 *  counts; without one the file uses the same name. A pair that fits no parameter is an
 *  error. A '*' stands for any text, and in `theirs` for the same text: both have one, or
 *  neither.
 *      {"rnn.*", "lstm.*"}             another prefix
 *      {"rnn.*", "*"}                  none: the state_dict of an nn.LSTM alone
 *      {"rnn.*_l0", "cell.*"}          nn.LSTMCell, nn.GRUCell, nn.RNNCell
 *      {"out.bias", "b"}               one name
 *      {"decoder.*", NULL}             not in the file: neither read nor written */
typedef struct ur_rename {
    const char *ours, *theirs;
} ur_rename;

/** A string that stands in a file beside its tensors. */
typedef struct ur_meta {
    const char *key, *value;
} ur_meta;

/** Reads the values of all parameters (and of what is kept but not trained), from F64, F32, F16
 *  or BF16, and the bytes of each ur_typed from its own type. Nothing changes unless all of them
 *  are there, of the right shape and finite; a single number without dimensions suits a parameter
 *  of size 1. strict: the file has no other tensors. Takes memory first, without initial values,
 *  if ur_params_build has not been called. Prepare nets anew afterwards. map NULL with n 0: the
 *  same names. Errors: UR_EINPUT, UR_EFORMAT (not a safetensors file), UR_EDATA (a tensor is
 *  missing, one too many, or of a type that is not read; a net in the file has another form,
 *  docs/FORMAT.md), UR_ESHAPE, UR_ENUMERIC (NaN, Inf, or beyond ur_real), UR_EINVAL (the map is
 *  impossible or has a pair that fits nothing; a parameter that is left out was never built). */
UR_API ur_status ur_params_load(ur_params *params, const char *path, int n,
                                const ur_rename *map, bool strict);
/** The same from an open file, so also from memory (ur_weights_open_memory). */
UR_API ur_status ur_params_load_weights(ur_params *params, ur_weights *file, int n,
                                        const ur_rename *map, bool strict);
/** Writes them as F32 (each ur_typed as it is), atomically, under the file's names, with n_meta
 *  strings (NULL with 0: none) beside them, of which "format" is "pt" unless given; the forms of
 *  recurrent nets that are not PyTorch's plain ones stand beside them as "form.TENSOR". Equal
 *  values write equal bytes. Errors: UR_EOUTPUT; UR_EINVAL (the map is impossible or gives two
 *  parameters one name, a string is no UTF-8, not built); UR_ENUMERIC (nothing is written). */
UR_API ur_status ur_params_save(const ur_params *params, const char *path, int n,
                                const ur_rename *map, int n_meta, const ur_meta *meta);

/* ---- looking into a file ----------------------------------------------- */

#define UR_WEIGHT_MAX_RANK 8

/** One tensor of it; borrowed. */
typedef struct ur_weight {
    const char *name;       /* may be empty */
    const char *type;       /* F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL; others
                               (F8_E4M3, C64 ...) are listed, but cannot be read */
    int rank;               /* 0: a single number; -1: more dimensions than dim can hold */
    int64_t dim[UR_WEIGHT_MAX_RANK];
    size_t size;            /* how many numbers */
} ur_weight;

/** Opens one and checks its header against the file's length; the header is at most 16 MiB.
 *  Errors: UR_EINPUT, UR_EFORMAT. */
UR_API ur_status ur_weights_open(ur_weights **out, const char *path);
/** The same of n bytes in memory, borrowed until it is closed. name (NULL: "memory") is what
 *  messages call it. */
UR_API ur_status ur_weights_open_memory(ur_weights **out, const void *bytes, size_t n,
                                        const char *name);
UR_API void ur_weights_close(ur_weights *file);

/** Its tensors: by place in the order of the file, and by name; NULL: none. */
UR_API int ur_weights_count(const ur_weights *file);
UR_API const ur_weight *ur_weights_at(const ur_weights *file, int i);
UR_API const ur_weight *ur_weights_find(const ur_weights *file, const char *name);
/** Its strings: the value of a key, and the i-th key; NULL: none. Borrowed. */
UR_API const char *ur_weights_meta(const ur_weights *file, const char *key);
UR_API const char *ur_weights_meta_key(const ur_weights *file, int i);

/** The options of a recurrent net whose parameters this file holds, for ur_rnn_new with the same
 *  prefix; map as in ur_params_load. Shapes and names tell cell, input, layers, hidden,
 *  projection, output, biases, bidirectional, peepholes and learned_state; a file of
 *  ur_params_save tells the form, too. All else stays as it was: set what the file does not tell
 *  (dropout; of another program's an nn.RNN's activation), and first the form that the recurrent
 *  weights are named after (weight_hh_coupled: coupled, ...), with its cell.
 *  Errors, with *options as it was: UR_EDATA (layer 0 or a layer's recurrent weights are not
 *  there), UR_ESHAPE (not the shapes of a recurrent net), UR_EINVAL (the map is impossible). */
UR_API ur_status ur_weights_rnn_options(const ur_weights *file, const char *prefix, int n,
                                        const ur_rename *map, ur_rnn_options *options);

/** All n numbers of a tensor of real numbers, as they are: NaN and Inf too. Errors: UR_EDATA
 *  (no such tensor; it holds integers or a type that is not read), UR_ESHAPE (it has other than
 *  n). */
UR_API ur_status ur_weights_read(ur_weights *file, const char *name, size_t n, ur_real *out);
/** The same for integers and BOOL. Errors: also UR_EDATA for one beyond 32 bits. */
UR_API ur_status ur_weights_read_ids(ur_weights *file, const char *name, size_t n,
                                     int32_t *out);

#ifdef __cplusplus
}
#endif
#endif
