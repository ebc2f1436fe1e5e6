/* SPDX-License-Identifier: MIT */
/*
 * unroll/tensor.h: dense tensors and reverse-mode automatic differentiation.
 *
 * Every operation computes at once and is remembered on a tape; ur_backward()
 * walks the tape from its end and adds up gradients. Operations return their
 * result, so that formulas nest:
 *
 *     ur_tensor *h = ur_tanh(ur_add(ur_matmul(x, w), b));
 *
 * Failures   An operation that fails returns NULL and poisons its tape with the
 *   first message; operations given NULL return NULL. The failure is reported by
 *   ur_backward() and ur_tape_status().
 * Memory     Tensors live in their tape's arena until ur_tape_reset() (their use after it is
 *   undefined); after the largest round the arena allocates nothing more.
 * Broadcast  Binary operations stretch dimensions of size 1 and missing leading
 *   dimensions, as NumPy does; gradients are summed back.
 * Threads    One tape belongs to one thread at a time; its team helps it.
 */
#ifndef UNROLL_TENSOR_H
#define UNROLL_TENSOR_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UR_MAX_RANK 5

typedef struct ur_tape ur_tape;
typedef struct ur_tensor ur_tensor;

/** Token or class numbers [T,B], time-major: id[t*B + b]. Borrowed. */
typedef struct ur_ids {
    const int32_t *id;
    int T, B;
} ur_ids;

/* ---- the tape ---------------------------------------------------------- */

/** An empty tape that computes on team (NULL: alone; borrowed, must outlive it). */
UR_API ur_status ur_tape_new(ur_tape **out, ur_team *team);
UR_API void ur_tape_free(ur_tape *tape);

/** Drops all tensors and the poison; keeps the memory. Called while ur_backward is under way
 *  (by an observer) it drops nothing, and ur_backward returns UR_EINVAL. */
UR_API void ur_tape_reset(ur_tape *tape);

/** UR_OK, or the first failure since the last reset; ur_errmsg() then has its text. */
UR_API ur_status ur_tape_status(const ur_tape *tape);

/** Training mode: dropout acts, with masks that are a function of (seed, step, its
 *  ordinal on the tape). Off in a new tape; survives reset. */
UR_API void ur_tape_set_training(ur_tape *tape, bool on, uint64_t seed, uint64_t step);

/** Without recording nothing can be differentiated and intermediate values are
 *  still kept until reset. On in a new tape; survives reset. */
UR_API void ur_tape_set_recording(ur_tape *tape, bool on);

/** Runs back from loss (one element, gradient 1) and adds gradients to every tensor
 *  that needs them. Once per recorded round. Errors: the tape's poison; UR_ESHAPE
 *  (loss has more than one element); UR_EINVAL (called twice; loss is NULL, of another
 *  tape, or depends on nothing that needs a gradient). */
UR_API ur_status ur_backward(ur_tape *tape, ur_tensor *loss);

/* ---- leaves ------------------------------------------------------------ */

/* Ranks are 1 to UR_MAX_RANK and dimensions at least 1: a single number is [1]. */

/** A tensor over the caller's memory (borrowed until reset), which gets no gradient. */
UR_API ur_tensor *ur_constant(ur_tape *tape, int rank, const int *dim, const ur_real *data);
/** The same, copied into the arena; data NULL: zeros. */
UR_API ur_tensor *ur_copy_in(ur_tape *tape, int rank, const int *dim, const ur_real *data);
/** A leaf over caller's memory whose gradient is added to grad (same size, borrowed). */
UR_API ur_tensor *ur_variable(ur_tape *tape, int rank, const int *dim, const ur_real *data,
                              ur_real *grad);

/* ---- looking at tensors (NULL is fine: rank 0, size 0, NULL) ----------- */

UR_API int ur_rank(const ur_tensor *x);
UR_API int ur_dim(const ur_tensor *x, int i);       /* negative i counts from the end */
UR_API size_t ur_size(const ur_tensor *x);
UR_API const ur_real *ur_data(const ur_tensor *x);
/** Its gradient after ur_backward(), NULL if none reached it. */
UR_API const ur_real *ur_grad(const ur_tensor *x);
/** The value of a tensor of one element; NaN for NULL. */
UR_API double ur_scalar(const ur_tensor *x);

/* ---- arithmetic (broadcast) -------------------------------------------- */

UR_API ur_tensor *ur_add(ur_tensor *a, ur_tensor *b);
UR_API ur_tensor *ur_sub(ur_tensor *a, ur_tensor *b);
UR_API ur_tensor *ur_mul(ur_tensor *a, ur_tensor *b);
UR_API ur_tensor *ur_div(ur_tensor *a, ur_tensor *b);
/** The larger (smaller) of two; of equals it is a, which then gets the gradient. NaN if
 *  either is. */
UR_API ur_tensor *ur_maximum(ur_tensor *a, ur_tensor *b);
UR_API ur_tensor *ur_minimum(ur_tensor *a, ur_tensor *b);
/** a where condition is not 0, else b; all three broadcast. What is not chosen plays no
 *  part, not even as NaN. condition gets no gradient. */
UR_API ur_tensor *ur_where(ur_tensor *condition, ur_tensor *a, ur_tensor *b);
/** scale·x + shift, both plain numbers. */
UR_API ur_tensor *ur_affine(ur_tensor *x, double scale, double shift);

/** [...,K]·[K,N] -> [...,N]; leading dimensions of a are rows. */
UR_API ur_tensor *ur_matmul(ur_tensor *a, ur_tensor *b);
/** [...,K]·[N,K]ᵀ -> [...,N]: weights as PyTorch keeps them. */
UR_API ur_tensor *ur_matmul_t(ur_tensor *a, ur_tensor *b);
/** Batches of products: [...,M,K]·[...,K,N] -> [...,M,N] and [...,M,K]·[...,N,K]ᵀ; the
 *  leading dimensions broadcast. */
UR_API ur_tensor *ur_bmm(ur_tensor *a, ur_tensor *b);
UR_API ur_tensor *ur_bmm_t(ur_tensor *a, ur_tensor *b);

/* ---- element-wise functions -------------------------------------------- */

UR_API ur_tensor *ur_tanh(ur_tensor *x);
UR_API ur_tensor *ur_sigmoid(ur_tensor *x);
UR_API ur_tensor *ur_relu(ur_tensor *x);
UR_API ur_tensor *ur_satlin(ur_tensor *x);      /* min(max(x,0),1) */
UR_API ur_tensor *ur_exp(ur_tensor *x);
UR_API ur_tensor *ur_log(ur_tensor *x);
UR_API ur_tensor *ur_neg(ur_tensor *x);
UR_API ur_tensor *ur_square(ur_tensor *x);
UR_API ur_tensor *ur_sqrt(ur_tensor *x);        /* its slope at 0 is infinite */
UR_API ur_tensor *ur_abs(ur_tensor *x);         /* its slope at 0 is 0 */
/** min(max(x,low),high); slope 0 from the bounds outwards. low <= high. */
UR_API ur_tensor *ur_clamp(ur_tensor *x, double low, double high);
UR_API ur_tensor *ur_activate(ur_tensor *x, ur_activation f);

/** Each element zeroed with probability p, the others divided by 1−p, in training
 *  mode; x itself otherwise. 0 <= p < 1. */
UR_API ur_tensor *ur_dropout(ur_tensor *x, double p);

/** x itself, as far as values go; no gradient passes. Shares memory. */
UR_API ur_tensor *ur_stop_gradient(ur_tensor *x);

/* ---- sums -------------------------------------------------------------- */

/** All elements -> [1]. */
UR_API ur_tensor *ur_sum(ur_tensor *x);
UR_API ur_tensor *ur_mean(ur_tensor *x);
/** Over dimension `dim` (negative counts from the end), which disappears. */
UR_API ur_tensor *ur_sum_over(ur_tensor *x, int dim);
UR_API ur_tensor *ur_mean_over(ur_tensor *x, int dim);
/** The largest; its gradient goes to the first of them. NaN if any is. */
UR_API ur_tensor *ur_max_over(ur_tensor *x, int dim);

/** Over the last dimension. */
UR_API ur_tensor *ur_softmax(ur_tensor *x);
UR_API ur_tensor *ur_log_softmax(ur_tensor *x);
/** Softmax of the elements whose mask, which broadcasts to x's shape, is not 0. The others
 *  are not looked at and become 0, gradient 0; a row without any is 0. The mask gets no
 *  gradient. The same bits as ur_softmax of a row that holds the chosen ones alone. */
UR_API ur_tensor *ur_masked_softmax(ur_tensor *x, ur_tensor *mask);
/** The same for x [B,...,K], where elements k < lengths[b] take part: attention over padded
 *  keys. Errors: a length outside [0,K]. */
UR_API ur_tensor *ur_softmax_lengths(ur_tensor *x, const int *lengths);

/** gain∘(x − mean)/√(variance + epsilon) + bias, mean and variance (divided by N) of each
 *  row of the last dimension N (Ba, Kiros and Hinton 2016). gain, bias [N], each may be NULL.
 *  0 < epsilon < 1; PyTorch's is 1e-5. */
UR_API ur_tensor *ur_layer_norm(ur_tensor *x, ur_tensor *gain, ur_tensor *bias, double epsilon);

/* ---- losses ------------------------------------------------------------ */

/** Mean over the valid targets of −log softmax(logits)[target], in nats -> [1].
 *  logits [...,V] with as many rows as targets; targets < 0 are ignored; none valid:
 *  0. Errors: a target >= V. */
UR_API ur_tensor *ur_cross_entropy(ur_tape *tape, ur_tensor *logits, ur_ids targets);
/** ur_cross_entropy of the logits h·wᵀ + b in one, h [...,K], w [V,K], b [V] or NULL: the same
 *  bits, values and gradients. The logits are never there as a whole; they are computed again
 *  on the way back, which takes time where they are few and saves their memory where many. */
UR_API ur_tensor *ur_matmul_cross_entropy(ur_tape *tape, ur_tensor *h, ur_tensor *w,
                                          ur_tensor *b, ur_ids targets);

/** ur_cross_entropy with classes that count by their weight [V] (NULL: 1 each) and with smoothed
 *  labels (Szegedy et al. 2016): a target is its class with 1 − smoothing, and every class with
 *  smoothing/V beside it. Both as PyTorch's, the mean divided by the sum of the targets' weights.
 *  Errors: smoothing outside [0,1), a weight that is negative or not finite. */
UR_API ur_tensor *ur_weighted_cross_entropy(ur_tape *tape, ur_tensor *logits, ur_ids targets,
                                            const ur_real *weights, double smoothing);

/** Linear-chain CRF (Lafferty, McCallum and Pereira 2001): the sum over the sequences of
 *  −log p(labels | scores) in nats, divided by the number of their steps -> [1]. The score of a
 *  path is start[y_0] + Σ_t scores[t,b,y_t] + Σ_t transitions[y_{t−1},y_t] + end[y_last], and p its
 *  share of the exponentials over all paths. scores [T,B,K]; transitions [K,K], from row to column;
 *  start, end [K]; labels [T,B] in 0 to K−1, read within the lengths [B] alone (NULL: all T); no
 *  steps: 0. Scores may be −Inf, so long as the labels' own are finite. */
UR_API ur_tensor *ur_crf_loss(ur_tensor *scores, ur_tensor *transitions, ur_tensor *start,
                              ur_tensor *end, ur_ids labels, const int *lengths);

/* Means over all elements -> [1]; operands broadcast. The forms named _each are element by
 * element, to be weighted or masked before a sum. */

/** (x − target)² and |x − target|. */
UR_API ur_tensor *ur_squared_error(ur_tensor *x, ur_tensor *target);
UR_API ur_tensor *ur_absolute_error(ur_tensor *x, ur_tensor *target);
/** −log of the normal density of target, in nats: ½(s + (target − mean)²e^−s + log 2π), where
 *  s is the logarithm of the variance, any number. */
UR_API ur_tensor *ur_gaussian_nll(ur_tensor *mean, ur_tensor *log_variance, ur_tensor *target);
UR_API ur_tensor *ur_gaussian_nll_each(ur_tensor *mean, ur_tensor *log_variance,
                                       ur_tensor *target);
/** −t log σ(z) − (1−t) log(1−σ(z)), in nats, for logits z and targets t in [0,1]; accurate
 *  for logits of any size. */
UR_API ur_tensor *ur_bernoulli_nll(ur_tensor *logits, ur_tensor *target);
UR_API ur_tensor *ur_bernoulli_nll_each(ur_tensor *logits, ur_tensor *target);

/** The quantile (pinball) loss max(q·(target − x), (q−1)·(target − x)), which the q-quantile of the
 *  target makes least (Koenker and Bassett 1978); levels q, in (0,1), broadcast as the others. */
UR_API ur_tensor *ur_quantile_loss(ur_tensor *x, ur_tensor *levels, ur_tensor *target);
UR_API ur_tensor *ur_quantile_loss_each(ur_tensor *x, ur_tensor *levels, ur_tensor *target);

/* ---- the best labels, without a tape ----------------------------------- */

/** What ur_crf_loss scores paths by, as plain numbers. ur_chain_init leaves all absent. */
typedef struct ur_chain {
    size_t size;
    int T, B, K;
    const ur_real *scores;              /* [T,B,K] */
    const ur_real *transitions;         /* [K,K] */
    const ur_real *start, *end;         /* [K] */
    const int *lengths;                 /* [B]; NULL: all T */
    /* [K+1,K+1]: not 0 where the label of the column may not follow that of the row; row K is the
     * start, column K the end. NULL: all may. */
    const unsigned char *forbidden;
} ur_chain;
UR_STRUCT_INIT(ur_chain)

/** The path of the largest score of each sequence (Viterbi 1967) to labels [T,B], −1 in padding,
 *  and its score to best [B] or NULL (0 of an empty one). Of equal paths the one with the smallest
 *  labels, from its end on. Errors: UR_EINVAL (a sequence has no path that is allowed),
 *  UR_ENOMEM. */
UR_API ur_status ur_viterbi(const ur_chain *chain, int32_t *labels, double *best);

/* ---- shape ------------------------------------------------------------- */

/** Same elements, other dimensions; one may be −1. Shares memory. */
UR_API ur_tensor *ur_reshape(ur_tensor *x, int rank, const int *dim);
/** Joins n tensors along dim. */
UR_API ur_tensor *ur_concat(ur_tape *tape, int n, ur_tensor *const *x, int dim);
/** The last two dimensions change places. */
UR_API ur_tensor *ur_transpose(ur_tensor *x);
/** Dimension i of the result is dimension order[i] of x; order [rank of x]. */
UR_API ur_tensor *ur_permute(ur_tensor *x, const int *order);
/** Time reversed: y[t,b] = x[lengths[b]−1−t, b] of [T,B,...] for t < lengths[b]; padding stays
 *  in place. lengths [B] or NULL: all T. Errors: a length outside [0,T]. */
UR_API ur_tensor *ur_reverse(ur_tensor *x, const int *lengths);
/** [begin,end) of dim. */
UR_API ur_tensor *ur_slice(ur_tensor *x, int dim, int begin, int end);
/** x[t] of a [T,...] tensor -> [...]. Shares memory. */
UR_API ur_tensor *ur_at(ur_tensor *x, int t);
/** T tensors [...] -> [T,...]. */
UR_API ur_tensor *ur_stack(ur_tape *tape, int T, ur_tensor *const *x);
/** Rows of w [V,N] by number: ids [T,B] -> [T,B,N]. Errors: an id outside [0,V). */
UR_API ur_tensor *ur_gather(ur_tape *tape, ur_tensor *w, ur_ids ids);

/* ---- looking at a tape ------------------------------------------------- */

/** UR_DUMP_TEXT: a line for each tensor of the round in the order of their making: its number,
 *  the operation that made it (or a parameter's name) with the numbers of its inputs and what else
 *  it computes by ("slice(6, dim 1, begin 0, end 2)"), its shape, "grad" if it needs a gradient,
 *  the range and mean of its values, how many are not finite, and its gradient's norm if one has
 *  reached it:
 *      4 = tanh(3) [2,3] grad min -0.9 max 0.8 mean 0.02 gradient norm 1.3
 *  UR_DUMP_DOT: the same as a graph in the language of Graphviz; a tensor is red where a value
 *  or its gradient is not finite, grey where it needs no gradient. */
typedef enum ur_dump_format { UR_DUMP_TEXT, UR_DUMP_DOT } ur_dump_format;

/** Writes the round as text through put, whole lines a call. Also of a poisoned tape: all
 *  that was made before the failure. Errors: what put returns; UR_ENOMEM. */
UR_API ur_status ur_tape_dump(const ur_tape *tape, ur_dump_format format, ur_sink put, void *user);

/* ---- checking gradients ------------------------------------------------ */

/** Builds a loss [1] from the inputs; used by ur_check_gradients. */
typedef ur_tensor *(*ur_loss_function)(ur_tape *tape, ur_tensor *const *inputs, void *user);

/** The inputs of a check, all borrowed: n of them, input i of shape dim[i] [rank[i]]. */
typedef struct ur_check_inputs {
    size_t size;                /* by ur_check_inputs_init() */
    int n;
    const int *rank;
    const int *const *dim;
    ur_real *const *data;       /* n arrays, changed and restored */
    double epsilon;             /* (1e-5) what is added to an element and taken from it */
} ur_check_inputs;
UR_STRUCT_INIT(ur_check_inputs)

/** Compares gradients with central differences (f(x+ε)−f(x−ε))/2ε on every element
 *  of every input, and gives the largest |a−n| / max(|a|,|n|,1e-3). Meant for the
 *  double build, where the error of a right gradient is about 1e-8; in float an ε of 1e-2
 *  leaves one of about 1e-2. Errors: of the function itself; UR_EINVAL (no inputs, ε not above
 *  0). */
UR_API ur_status ur_check_gradients(double *worst, ur_loss_function f, void *user,
                                    const ur_check_inputs *inputs);

#ifdef __cplusplus
}
#endif
#endif
