/* SPDX-License-Identifier: MIT */
/*
 * unroll/layer.h: parameters, layers, recurrent nets. The floor where recurrent
 * layers meet the tape.
 *
 *     ur_params *params;  ur_params_new(&params);
 *     ur_rnn *rnn;        ur_rnn_new(&rnn, params, "rnn", &options);
 *     ur_linear_layer out; ur_linear_init(&out, params, "decoder", H, V, true);
 *     ur_params_build(params, seed);          // memory and initial values
 *     ur_rnn_prepare(rnn);                    // after building, loading, each update
 */
#ifndef UNROLL_LAYER_H
#define UNROLL_LAYER_H

#include "unroll/rnn.h"
#include "unroll/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters -------------------------------------------------------- */

/** All trained numbers in one flat buffer, their gradients in a second, numbers that
 *  are kept but not trained in a third; named views into each. */
typedef struct ur_params ur_params;

/** A view; borrowed, valid as long as its store. offset counts reals in its buffer. */
typedef struct ur_param {
    const char *name;
    int rank;
    int dim[UR_MAX_RANK];
    size_t size, offset;
    bool trained;       /* false: in the third buffer */
} ur_param;

typedef enum ur_init {
    UR_INIT_CONSTANT,
    UR_INIT_UNIFORM,
    UR_INIT_NORMAL,
    UR_INIT_ORTHOGONAL
} ur_init;

/** How a parameter starts. scale: bound of UNIFORM, deviation of NORMAL, value of
 *  CONSTANT, gain of ORTHOGONAL (each [n,n] block of an [m·n,n] matrix; Saxe et al. 2014). */
typedef struct ur_start {
    ur_init init;
    double scale;
} ur_start;

/** An empty store. Frees it: views, tensors over it and layers on it die with it. */
UR_API ur_status ur_params_new(ur_params **out);
UR_API void ur_params_free(ur_params *params);
/** Declares one, before ur_params_build. Errors: UR_EINVAL (name taken or no file can have it,
 *  impossible dimensions, a scale beyond what ur_real holds, already built). out may be NULL. */
UR_API ur_status ur_params_add(ur_params *params, const char *name, int rank, const int *dim,
                               ur_start start, const ur_param **out);
/** The same for numbers that are kept but not trained. */
UR_API ur_status ur_params_add_buffer(ur_params *params, const char *name, int rank,
                                      const int *dim, double value, const ur_param **out);
/** Takes memory and draws initial values: functions of (seed, ordinal, index). Errors: UR_EINVAL
 *  (built already), UR_ENOMEM. */
UR_API ur_status ur_params_build(ur_params *params, uint64_t seed);

/** The views in the order of their declaration; by place (NULL: none) and by name. */
UR_API int ur_params_count(const ur_params *params);
UR_API const ur_param *ur_params_at(const ur_params *params, int i);
UR_API const ur_param *ur_params_find(const ur_params *params, const char *name);   /* or NULL */
/** The flat buffers; trained numbers (and gradients) are ur_params_size() long. */
UR_API size_t ur_params_size(const ur_params *params);
UR_API ur_real *ur_params_values(ur_params *params);
UR_API ur_real *ur_params_grads(ur_params *params);
UR_API void ur_params_zero_grads(ur_params *params);
/** Called during ur_backward from the computing thread, in an order that the round's operations
 *  fix, when gradients [offset,offset+n) of the flat buffer will not change any more: the last
 *  layer's first, also within a stack. So an exchange with other machines can begin early. It must
 *  only read gradients. Parameters that play no part in the round are not reported. */
typedef void (*ur_gradients_ready)(void *user, size_t offset, size_t n);
/** Sets it (NULL: none). Set it before the round that it is to see. */
UR_API void ur_params_on_gradients(ur_params *params, ur_gradients_ready ready, void *user);
/** Values of one view. */
UR_API ur_real *ur_param_data(const ur_params *params, const ur_param *p);
/** A leaf of the tape over a view; its gradient is added to the flat gradients. Errors:
 *  UR_EINVAL (not built; a view of another store that this one cannot hold). */
UR_API ur_tensor *ur_param_tensor(ur_tape *tape, const ur_params *params, const ur_param *p);

/** A tensor of numbers of any type that stands beside the parameters: weights of 8 bits, their
 *  scales, tables. It is saved and loaded as it is, never trained, copied to no ur_real and of no
 *  part in gradients, optimizers and counts of parameters. Borrowed, valid as long as its store. */
typedef struct ur_typed {
    const char *name;
    ur_type type;
    int rank;
    int dim[UR_MAX_RANK];
    size_t size, bytes;     /* how many numbers, and what they take */
    size_t offset;          /* private: where they lie */
} ur_typed;

/** Declares one, zeros at first, before ur_params_build. Its name is no parameter's. Errors as of
 *  ur_params_add; out may be NULL. */
UR_API ur_status ur_params_add_typed(ur_params *params, const char *name, ur_type type, int rank,
                                     const int *dim, const ur_typed **out);
/** In the order of their declaration, by place and by name; NULL: none. */
UR_API int ur_params_typed_count(const ur_params *params);
UR_API const ur_typed *ur_params_typed_at(const ur_params *params, int i);
UR_API const ur_typed *ur_params_find_typed(const ur_params *params, const char *name);
/** Its numbers, 64-byte aligned, of the type that the caller takes them for; NULL before
 *  ur_params_build and, with UR_EINVAL in ur_errmsg(), if they are of another. */
UR_API void *ur_typed_data(const ur_params *params, const ur_typed *t, ur_type type);

/* ---- simple layers ----------------------------------------------------- */

/** y = x·Wᵀ + b. weight [O,I], bias [O] or NULL. */
typedef struct ur_linear_layer {
    ur_params *params;
    const ur_param *weight, *bias;
    int I, O;
    void *packed;       /* of ur_linear_prepare, else NULL */
} ur_linear_layer;

/** Parameters PREFIX.weight and PREFIX.bias, both uniform in ±1/√I. Errors: UR_EINVAL (I or O
 *  below 1; as ur_params_add), UR_ENOMEM; then none is declared. */
UR_API ur_status ur_linear_init(ur_linear_layer *layer, ur_params *params, const char *prefix,
                                int I, int O, bool bias);
/** The same with the weight of another layer ([O,I], e.g. an embedding's). Errors: also UR_EINVAL
 *  if the weight is NULL or has not two dimensions. */
UR_API ur_status ur_linear_init_tied(ur_linear_layer *layer, ur_params *params,
                                     const char *prefix, const ur_param *weight, bool bias);
/** [...,I] -> [...,O] */
UR_API ur_tensor *ur_linear(ur_tape *tape, const ur_linear_layer *layer, ur_tensor *x);
/** ur_cross_entropy(ur_linear(h)) -> [1], the same bits; where the logits are many, without
 *  ever holding them all (ur_matmul_cross_entropy). h [...,I] with as many rows as targets. */
UR_API ur_tensor *ur_linear_cross_entropy(ur_tape *tape, const ur_linear_layer *layer,
                                          ur_tensor *h, ur_ids targets);

/** Packs the weight for ur_linear_run, as ur_rnn_prepare does. Allocates at the first call only;
 *  ur_linear_free gives that back (the parameters are the store's). Errors: UR_EINVAL (not
 *  initialised, not built), UR_ENOMEM. */
UR_API ur_status ur_linear_prepare(ur_linear_layer *layer);
UR_API void ur_linear_free(ur_linear_layer *layer);
/** Without a tape: x [M,I] -> y [M,O], the same bits. Only reads layer; allocates nothing. team may
 *  be NULL. Errors: UR_EINVAL (not prepared since the parameters changed). */
UR_API ur_status ur_linear_run(const ur_linear_layer *layer, ur_team *team, int M, const ur_real *x,
                               ur_real *y);

/** Rows of a table by number. weight [V,E]. */
typedef struct ur_embedding {
    ur_params *params;
    const ur_param *weight;
    int V, E;
} ur_embedding;

/** Parameter PREFIX.weight, normal (0,1). Errors: UR_EINVAL (V or E below 1; as ur_params_add),
 *  UR_ENOMEM. */
UR_API ur_status ur_embedding_init(ur_embedding *layer, ur_params *params, const char *prefix,
                                   int V, int E);
/** [T,B] -> [T,B,E] */
UR_API ur_tensor *ur_embed(ur_tape *tape, const ur_embedding *layer, ur_ids ids);
/** Without a tape: ids [n] -> x [n,E]. Errors: UR_EINVAL (a number outside [0,V)). */
UR_API ur_status ur_embed_run(const ur_embedding *layer, size_t n, const int32_t *ids, ur_real *x);

/** Labels that depend on their neighbours: the scores of a linear-chain CRF but those of the steps,
 *  which a linear layer gives. transitions [K,K] from row to column, start and end [K]. */
typedef struct ur_crf_layer {
    ur_params *params;
    const ur_param *transitions, *start, *end;
    int K;
    const void *room[2];
} ur_crf_layer;

/** Parameters PREFIX.transitions, PREFIX.start and PREFIX.end, all uniform in ±0.1. Errors:
 *  UR_EINVAL (K below 1; as ur_params_add), UR_ENOMEM; then none is declared. */
UR_API ur_status ur_crf_init(ur_crf_layer *layer, ur_params *params, const char *prefix, int K);
/** ur_crf_loss with the layer's scores: [T,B,K] -> [1]. */
UR_API ur_tensor *ur_crf(ur_tape *tape, const ur_crf_layer *layer, ur_tensor *scores,
                         ur_ids labels, const int *lengths);
/** ur_viterbi with the layer's transitions, start and end; the other members of chain are the
 *  caller's. Errors: UR_ESHAPE (chain.K is not the layer's), those of ur_viterbi. */
UR_API ur_status ur_crf_decode(const ur_crf_layer *layer, const ur_chain *chain, int32_t *labels,
                               double *best);

/** How one vector is made of a sequence of states. */
typedef enum ur_pooling {
    UR_POOL_LAST,       /* the state after the last step; of the second direction, at the first */
    UR_POOL_MEAN,
    UR_POOL_MAX,        /* of each number by itself */
    UR_POOL_ATTENTION   /* an average whose weights are learned */
} ur_pooling;

typedef struct ur_pool_layer {
    ur_pooling kind;
    int width, directions;
    ur_linear_layer hidden, score;      /* UR_POOL_ATTENTION alone */
    const void *room[2];
} ur_pool_layer;

/** Pools states of `width` numbers, those of `directions` (1 or 2) directions side by side.
 *  UR_POOL_ATTENTION (Yang et al. 2016) has the parameters PREFIX.hidden.weight [width,width],
 *  PREFIX.hidden.bias and PREFIX.score.weight [1,width], the others none. Errors: UR_EINVAL (no
 *  such kind, directions do not divide width; as ur_params_add), UR_ENOMEM. */
UR_API ur_status ur_pool_init(ur_pool_layer *layer, ur_params *params, const char *prefix,
                              ur_pooling kind, int width, int directions);
/** [T,B,width] -> [B,width] over the steps within lengths [B] (NULL: all T); zeros of an empty
 *  sequence. Padding is not read. weights, unless NULL, gets how much each step counts, [B,T]; NULL
 *  of kinds but UR_POOL_ATTENTION. */
UR_API ur_tensor *ur_pool(ur_tape *tape, const ur_pool_layer *layer, ur_tensor *h,
                          const int *lengths, ur_tensor **weights);

/** How well a query fits what is remembered (docs/MATH.md, section Attention): the product of the
 *  two, or that with a matrix between them (Luong, Pham and Manning 2015), or a small network of
 *  both (Bahdanau, Cho and Bengio 2015). */
typedef enum ur_scoring { UR_SCORE_DOT, UR_SCORE_GENERAL, UR_SCORE_ADDITIVE } ur_scoring;

typedef struct ur_attention_layer {
    ur_scoring kind;
    int query, memory;                      /* numbers of a query, and of a step of the memory */
    ur_linear_layer key, ask, score;        /* those that the kind has */
    const void *room[2];
} ur_attention_layer;

/** Parameters: UR_SCORE_GENERAL has PREFIX.key.weight [query,memory], UR_SCORE_ADDITIVE that with
 *  PREFIX.key.bias, PREFIX.ask.weight [query,query] and PREFIX.score.weight [1,query],
 *  UR_SCORE_DOT none. Errors: UR_EINVAL (no such kind; sizes below 1, or of UR_SCORE_DOT two of
 *  them; as ur_params_add), UR_ENOMEM; then none is declared. */
UR_API ur_status ur_attention_init(ur_attention_layer *layer, ur_params *params,
                                   const char *prefix, ur_scoring kind, int query, int memory);

/** What queries are asked of: B sequences of up to S steps. Tensors belong to the tape. */
typedef struct ur_attention_memory {
    ur_tensor *keys;        /* [B,S,query] */
    ur_tensor *values;      /* [B,S,memory] */
    const int *lengths;     /* [B] steps that count; NULL: all S */
    const void *room[2];
} ur_attention_memory;

/** Remembers states [S,B,memory], once for all queries; numbers behind a sequence's end must be
 *  finite. Returns the keys. lengths are borrowed as long as the memory is asked. */
UR_API ur_tensor *ur_attention_remember(ur_tape *tape, const ur_attention_layer *layer,
                                        ur_tensor *states, const int *lengths,
                                        ur_attention_memory *memory);
/** Queries [T,B,query] -> [T,B,memory], averages of the remembered states by the softmax of how
 *  well each fits; zeros of an empty sequence. A query's result has the same bits whatever else is
 *  asked with it. weights, unless NULL, gets the shares [B,T,S]. */
UR_API ur_tensor *ur_attention(ur_tape *tape, const ur_attention_layer *layer,
                               const ur_attention_memory *memory, ur_tensor *query,
                               ur_tensor **weights);
/** Packs the weights for running without a tape, as ur_linear_prepare does. */
UR_API ur_status ur_attention_prepare(ur_attention_layer *layer);
UR_API void ur_attention_free(ur_attention_layer *layer);

/* ---- recurrent nets ---------------------------------------------------- */

/** "rnn", "lstm", "gru"; NULL for an unknown cell. Static text. */
UR_API const char *ur_cell_name(ur_cell cell);
/** The cell of a name. False if there is none. */
UR_API bool ur_cell_find(const char *name, ur_cell *out);

/** A stack of recurrent layers; layer l reads the outputs of layer l−1, both directions side
 *  by side where there are two. Sizes: H units, P numbers in h (a projection's size, else H),
 *  O outputs a direction (an output map's size, else P), D directions. */
typedef struct ur_rnn ur_rnn;

#define UR_MAX_LAYERS 32

/** What is normalised within a cell (docs/MATH.md). Normalised cells, of LSTM and GRU, are written
 *  on the tape: slower, with fewer options, and all else alike. Their parameters are those of
 *  unroll/cells.h, named PREFIX.norm_lK.weight_ih ... */
typedef enum ur_norm { UR_NORM_NONE = 0, UR_NORM_LAYER = 1 } ur_norm;

/** Equations of each option stand in docs/MATH.md. Those that a cell is named for are refused with
 *  another one. Of a size per layer, entries from `layers` on play no part. */
typedef struct ur_rnn_options {
    size_t size;                    /* set by ur_rnn_options_init */
    ur_cell cell;
    ur_norm norm;
    int input;                      /* I, of the first layer */
    int layers;                     /* L */
    int hidden[UR_MAX_LAYERS];      /* sizes H */
    int output[UR_MAX_LAYERS];      /* sizes O of output maps, 0: none.
                                       y = a(W_y h + b_y), parameters weight_hy_lK, bias_hy_lK */
    int projection[UR_MAX_LAYERS];  /* LSTM: sizes P < H, 0: none. h = W_r (o∘tanh c),
                                       weight_hr_lK [P,H] */
    ur_activation output_activation;    /* a: UR_ACT_IDENTITY or UR_ACT_TANH */
    ur_activation activation;       /* RNN: f */
    int biases;                     /* 0, 1 (bias_ih only) or 2 */
    bool bidirectional;             /* D = 2: the second direction reads each sequence from its
                                       own end; its parameters are named ..._lK_reverse */
    bool orthogonal;                /* recurrent weights start orthogonal */
    bool reset_before;              /* GRU: the notes' form; one bias then suffices */
    bool peepholes;                 /* LSTM: i, f see c_{t−1}, o sees c_t through
                                       weight_peep_lK [3H], blocks i,f,o (coupled: [2H], i,o) */
    bool coupled;                   /* LSTM: f = 1−i; weights in blocks i,g,o */
    bool time_residual;             /* RNN: h_t = h_{t−1} + f(...) */
    bool learned_state;             /* initial states are parameters h_0_lK [P], c_0_lK [H],
                                       zeros at first, instead of zeros */
    bool variational;               /* dropout: one mask a sequence instead of one a step */
    double forget_bias;             /* LSTM, not coupled: added to bias_ih's f part at first */
    double cell_clip;               /* LSTM: c is kept within ±cell_clip; 0: not */
    double dropout;                 /* probability, between layers, training mode only */
    double recurrent_dropout;       /* probability, on h_{t−1} where the recurrent weights read
                                       it, one mask a sequence; training mode only */
    double zoneout_h, zoneout_c;    /* probability that a number of h, of c (LSTM) stays as it
                                       was; outside training mode the mean of both */
} ur_rnn_options;

/** One LSTM layer, two biases, everything else off; input and hidden are to be set. */
UR_STRUCT_INIT(ur_rnn_options)

/** Declares the parameters PREFIX.weight_ih_l0 [G·H,I], weight_hh_l0 [G·H,P], bias_ih_l0,
 *  bias_hh_l0 [G·H] ..., uniform in ±1/√H. What PyTorch's modules of the same cell would
 *  compute otherwise is named otherwise: weight_hh_FORM_l0 for a FORM of coupled, clip,
 *  residual, before (the reset), sigmoid, satlin, identity, zoneout. params must outlive the
 *  net. Errors: UR_EINVAL, also for an option that the cell does not have. */
UR_API ur_status ur_rnn_new(ur_rnn **out, ur_params *params, const char *prefix,
                            const ur_rnn_options *options);
UR_API void ur_rnn_free(ur_rnn *rnn);
/** Packs the weights for computing. Call after ur_params_build, after loading and after
 *  each update (computing after an optimizer's step without it is UR_EINVAL). Allocates at
 *  the first call only. */
UR_API ur_status ur_rnn_prepare(ur_rnn *rnn);
UR_API int ur_rnn_layers(const ur_rnn *rnn);
UR_API int ur_rnn_directions(const ur_rnn *rnn);        /* D: 1 or 2 */
UR_API int ur_rnn_input(const ur_rnn *rnn);
UR_API int ur_rnn_hidden(const ur_rnn *rnn, int layer);
UR_API int ur_rnn_state_size(const ur_rnn *rnn, int layer);     /* P: numbers in its h */
/** Size of the last layer's output: D·O. */
UR_API int ur_rnn_output(const ur_rnn *rnn);

/** What a net remembers between time steps, for up to B sequences, its rows: buffers of numbers
 *  by name for each layer and direction, zeros (or the learned states) at first. Every cell has
 *  "h" [B,P], UR_CELL_LSTM also "c" [B,H]. Also the scratch and the team of whoever computes with
 *  it. Where a function takes a slot, it is l·D + d: layer l, direction d. */
typedef struct ur_state ur_state;

/** team may be NULL; borrowed. Allocates all that ur_rnn_step will ever need. Errors: UR_EINVAL
 *  (B below 1; rnn is not prepared since the parameters changed), UR_ENOMEM. */
UR_API ur_status ur_state_new(ur_state **out, const ur_rnn *rnn, int B, ur_team *team);
UR_API void ur_state_free(ur_state *state);
UR_API void ur_state_zero(ur_state *state);
/** The name of a slot's i-th buffer; NULL past the last. */
UR_API const char *ur_state_name(const ur_state *state, int slot, int i);
/** The numbers of a buffer, NULL if the slot has none of that name; *size (may be NULL): how many
 *  they are. Writable between calls; they move when rows are copied or selected. */
UR_API ur_real *ur_state_buffer(ur_state *state, int slot, const char *name, size_t *size);
/** All of them, slot by slot, as one buffer of *n reals, for saving and restoring. */
UR_API ur_real *ur_state_data(ur_state *state, size_t *n);

/** Rows in use: B of a new state. All calls compute with those. */
UR_API int ur_state_rows(const ur_state *state);
/** Makes the state one of n rows, 1 to the B that it was made for: row i is what row from[i] was,
 *  or a fresh start for −1. So rows leave, join, change places or branch; each goes on
 *  with the bits that it would have alone. Drops tensors as ur_state_detach does. Errors:
 *  UR_EINVAL; UR_ENOMEM (at the first call only). */
UR_API ur_status ur_state_select(ur_state *state, int n, const int *from);
/** Makes `to` what `from` is, its rows and its steps. Both are states of one net; UR_EINVAL if
 *  `to` has no room for the rows. Drops tensors of `to`. */
UR_API ur_status ur_state_copy(ur_state *to, const ur_state *from);
/** Steps computed since the state was made or zeroed. */
UR_API int64_t ur_state_steps(const ur_state *state);
/** Calls see(user, slot, ...) with every slot's h at t = 0, every, 2·every ... (0: never). In a
 *  padded batch the rows of sequences that have ended are 0. */
UR_API void ur_state_observe(ur_state *state, int every, ur_observer see, void *user);
/** Calls see(user, slot, t, B, P, dh) after each backward pass through an ur_rnn_forward made
 *  with this state, for t = 0 ... T−1 of that call (not of the state) of every slot: dh [B,P],
 *  the gradient of the loss by h_t, all paths counted; 0 in padding. NULL: no longer. The
 *  observer, not the state, must live until then. Costs [T,B,P] reals a slot. */
UR_API void ur_state_observe_gradients(ur_state *state, ur_observer see, void *user);

/** One step without a tape: x [B,I] -> y [B,ur_rnn_output()]. Only reads rnn, so many
 *  threads may step it, each with its own state and team; allocates nothing; the same bits as
 *  the sequence calls. x and y must not overlap. Errors: UR_EINVAL with two directions, which
 *  need the whole sequence: ur_rnn_forward on a tape that does not record. */
UR_API ur_status ur_rnn_step(const ur_rnn *rnn, ur_state *state, const ur_real *x, ur_real *y);
/** The same for one-hot inputs given by number: ids [B] in [0,I). */
UR_API ur_status ur_rnn_step_ids(const ur_rnn *rnn, ur_state *state, const int32_t *ids,
                                 ur_real *y);
/** T steps without a tape, in memory that does not grow with T: x [T,B,I] (or NULL
 *  and ids) -> y [T,B,O] (NULL: only the state is wanted). Errors: UR_EINVAL (as ur_rnn_step; not
 *  prepared; a number outside [0,I), before the first step; tensors of ur_state_put that no call
 *  has read). */
UR_API ur_status ur_rnn_run(const ur_rnn *rnn, ur_state *state, int T, const ur_real *x,
                            const int32_t *ids, ur_real *y);

/** The whole stack over a sequence as one node of the tape: x [T,B,I] -> [T,B,D·O].
 *  lengths [B] or NULL (all T): y is 0 at t >= lengths[b], and the state stays as it
 *  was at lengths[b]−1; what stands in x there plays no part. state NULL: zeros in,
 *  nothing out. Else it starts from the tensors given by ur_state_put or left by the last
 *  call on this tape (gradients reach them), or from the state's numbers where there are
 *  none or the numbers have been changed since, and leaves the final state in both the
 *  numbers and ur_state_tensor(). Errors: also UR_EINVAL if the state holds tensors of
 *  another round or tape. Layers that share weights are one net that is called for each of them,
 *  each time with a state of its own or none: gradients of all calls add up. */
UR_API ur_tensor *ur_rnn_forward(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x,
                                 const int *lengths, ur_state *state);
/** The same for one-hot inputs given by number, each in [0,I), padding too. */
UR_API ur_tensor *ur_rnn_forward_ids(ur_tape *tape, const ur_rnn *rnn, ur_ids ids,
                                     const int *lengths, ur_state *state);

/** How many tensors a net's state is: the buffers of each slot, in the order of ur_state_name. */
UR_API int ur_rnn_states(const ur_rnn *rnn);
/** ur_rnn_forward without a ur_state: from the tensors state [ur_rnn_states()], each [B,size] or
 *  NULL (zeros, or the learned state), in whose place it leaves the final ones. Gradients reach
 *  both. Errors: also UR_ESHAPE (a tensor of another size). */
UR_API ur_tensor *ur_rnn_forward_from(ur_tape *tape, const ur_rnn *rnn, ur_tensor *x,
                                      const int *lengths, ur_tensor **state);

/** Gives a buffer's initial numbers [B,size] as a tensor for the next forward call; NULL takes it
 *  back. It belongs to the tape and is dropped by detach. Errors: also UR_EINVAL if the state
 *  holds tensors of another round or tape. */
UR_API ur_status ur_state_put(ur_state *state, int slot, const char *name, ur_tensor *x);
/** What the last forward call left in a buffer as a tensor (differentiable); NULL if there is
 *  none. The second direction's final state is that at t = 0. */
UR_API ur_tensor *ur_state_tensor(const ur_state *state, int slot, const char *name);
/** Forgets all tensors and keeps the numbers: gradients stop here. Call before the tape
 *  is reset. */
UR_API void ur_state_detach(ur_state *state);

/* ---- cells of one's own ------------------------------------------------ */

/** Where and how a cell is called. Made by the library; it may grow at its end. */
typedef struct ur_step {
    ur_tape *tape;
    int64_t t;          /* time of the step, counted from the start of the state */
    bool training;
    ur_tensor *alive;   /* [B,1]: 1 for sequences that go on at t, 0 for those that have ended,
                           whose state and output the cell need not care for; NULL: all go on */
} ur_step;

/** One time step of a cell written on the tape: reads x_t and in[0..n), writes
 *  out[0..n), returns the step's output. */
typedef ur_tensor *(*ur_step_function)(const ur_step *step, void *params, ur_tensor *x_t,
                                       ur_tensor *const *in, ur_tensor **out);

/** Unrolls a cell over x [T,B,...] -> [T,...]. state [n]: the initial tensors, replaced
 *  by the final ones. n <= 16. The cell must not reset the tape (UR_EINVAL). */
UR_API ur_tensor *ur_unroll(ur_tape *tape, ur_step_function cell, void *params, ur_tensor *x,
                            int n, ur_tensor **state);

#ifdef __cplusplus
}
#endif
#endif
