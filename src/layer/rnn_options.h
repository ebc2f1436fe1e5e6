/* SPDX-License-Identifier: MIT */
/* The options of a recurrent stack: their rows, what they may be, and the layers that they ask
 * for. */
#ifndef UR_LAYER_RNN_OPTIONS_H
#define UR_LAYER_RNN_OPTIONS_H

#include "base/option.h"
#include "layer/tape_cell.h"
#include "rnn/cell.h"

extern const char *const ur__activation_words[], *const ur__reset_words[];
extern const char *const ur__init_words[], *const ur__norm_words[];

/* Units of a layer, of a stack that is described by rows. */
#define UR__MOST_UNITS 65536

/* Rows of a stack, the ur_rnn_options `stack` of struct `type`; prefix: of their names, "" or
 * "encoder-"; deep, dropped: its usual layers and dropout, as text. A new option is one row
 * here. */
#define UR__STACK_ROWS(prefix, type, stack, deep, dropped)                                        \
    {.group = "network", .name = prefix "cell", .choices = ur__cell_choice, .fallback = "lstm",   \
     .kind = UR_OPTION_CHOICE, .at = offsetof(type, stack.cell), .help = "recurrent cell"},       \
    {.name = prefix "hidden", .arg = "N[,N...]", .fallback = "128",                               \
     .kind = UR_OPTION_LIST_OF_INT, .min = 1, .max = UR__MOST_UNITS,                              \
     .at = offsetof(type, stack.hidden),                                                          \
     .at_n = offsetof(type, stack.layers),                                                        \
     .help = "units of each layer; a list gives each its own number"},                            \
    {.name = prefix "layers", .arg = "N", .shown = deep,                                          \
     .kind = UR_OPTION_INT, .min = 1, .max = UR_MAX_LAYERS, .flags = UR_OPTION_IMPLIED,           \
     .at = offsetof(type, stack.layers), .help = "recurrent layers"},                             \
    {.name = prefix "norm", .words = ur__norm_words, .fallback = "none",                          \
     .kind = UR_OPTION_CHOICE, .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.norm),       \
     .help = "lstm, gru: layer normalises what each gate sums up"},                               \
    {.name = prefix "dropout", .arg = "P", .fallback = dropped,                                   \
     .kind = UR_OPTION_REAL, .max = 1, .flags = UR_OPTION_OPEN_MAX,                               \
     .at = offsetof(type, stack.dropout),                                                         \
     .help = "chance of dropping, between layers and before the decoder"},                        \
    {.name = prefix "variational", .kind = UR_OPTION_FLAG,                                        \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.variational),                          \
     .help = "dropout between layers keeps one mask for all steps of a window"},                  \
    {.name = prefix "recurrent-dropout", .arg = "P", .fallback = "0",                             \
     .kind = UR_OPTION_REAL, .max = 1, .flags = UR_OPTION_OPEN_MAX | UR_OPTION_SPARSE,            \
     .at = offsetof(type, stack.recurrent_dropout),                                               \
     .help = "chance of dropping, from one step to the next within a layer"},                     \
    {.name = prefix "zoneout", .arg = "P", .fallback = "0",                                       \
     .kind = UR_OPTION_REAL, .max = 1, .flags = UR_OPTION_OPEN_MAX | UR_OPTION_SPARSE,            \
     .at = offsetof(type, stack.zoneout_h), .help = "chance that a unit's state stays as it was"},\
    {.name = prefix "zoneout-cell", .arg = "P", .fallback = "0",                                  \
     .kind = UR_OPTION_REAL, .max = 1, .flags = UR_OPTION_OPEN_MAX | UR_OPTION_SPARSE,            \
     .at = offsetof(type, stack.zoneout_c), .help = "lstm: the same of its cell"},                \
    {.name = prefix "learned-state", .kind = UR_OPTION_FLAG,                                      \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.learned_state),                        \
     .help = "the state that a text starts from is learnt, not zero"},                            \
    {.name = prefix "reset", .words = ur__reset_words, .fallback = "after",                       \
     .kind = UR_OPTION_EITHER, .flags = UR_OPTION_SPARSE,                                         \
     .at = offsetof(type, stack.reset_before),                                                    \
     .help = "gru: where the reset gate acts; after is PyTorch's and cuDNN's"},                   \
    {.name = prefix "activation", .words = ur__activation_words,                                  \
     .fallback = "tanh", .kind = UR_OPTION_CHOICE, .min = UR_ACT_TANH,                            \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.activation),                           \
     .help = "rnn: its function"},                                                                \
    {.name = prefix "time-residual", .kind = UR_OPTION_FLAG,                                      \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.time_residual),                        \
     .help = "rnn: each step adds to the state instead of replacing it"},                         \
    {.name = prefix "projection", .arg = "N", .fallback = "0",                                    \
     .shown = "0: none", .kind = UR_OPTION_LIST_OF_INT, .max = UR__MOST_UNITS,                    \
     .flags = UR_OPTION_SPARSE,                                                                   \
     .at = offsetof(type, stack.projection), .at_n = offsetof(type, stack.layers),                \
     .help = "lstm: a layer's state is projected to so many numbers"},                            \
    {.name = prefix "peepholes", .kind = UR_OPTION_FLAG,                                          \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.peepholes),                            \
     .help = "lstm: the gates see the cell"},                                                     \
    {.name = prefix "coupled", .kind = UR_OPTION_FLAG,                                            \
     .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.coupled),                              \
     .help = "lstm: what the input gate lets in, the forget gate lets go"},                       \
    {.name = prefix "cell-clip", .arg = "X", .fallback = "0",                                     \
     .shown = "0: off", .kind = UR_OPTION_REAL, .max = 1e6, .flags = UR_OPTION_SPARSE,            \
     .at = offsetof(type, stack.cell_clip), .help = "lstm: largest number in a cell"},            \
    {.name = prefix "forget-bias", .arg = "X", .fallback = "0",                                   \
     .kind = UR_OPTION_REAL, .min = -100, .max = 100, .flags = UR_OPTION_SPARSE,                  \
     .at = offsetof(type, stack.forget_bias),                                                     \
     .help = "lstm: added to the forget gate's bias at the start"},                               \
    {.name = prefix "init", .words = ur__init_words, .fallback = "uniform",                       \
     .kind = UR_OPTION_EITHER, .flags = UR_OPTION_SPARSE, .at = offsetof(type, stack.orthogonal), \
     .help = "how recurrent weights start"}

/* The row of that name whose `at` is a place in ur_rnn_options. */
const ur_option *ur__rnn_row(const char *name);
/* Does the option differ from its default? */
bool ur__rnn_given(const ur_rnn_options *options, const ur_option *row);
/* Resets it to its default, if it is a single value. */
void ur__rnn_reset(ur_rnn_options *options, const ur_option *row);

/* A caller's options over the defaults. */
ur_status ur__rnn_options_read(ur_rnn_options *to, const ur_rnn_options *from);
/* UR_EINVAL with a sentence where options are impossible, or one is given that the cell does not
 * have. */
ur_status ur__rnn_options_check(const ur_rnn_options *options);
/* What layer l reads, how many numbers it passes up, and how many its h has. */
int64_t ur__rnn_layer_input(const ur_rnn_options *options, int l);
int64_t ur__rnn_layer_output(const ur_rnn_options *options, int l);
int ur__rnn_layer_state(const ur_rnn_options *options, int l);
/* Direction `reverse` of layer l, its cell in the form that the options ask for. */
struct ur__rnn_layer ur__rnn_layer_of(const ur_rnn_options *options, int l, bool reverse);

#endif
