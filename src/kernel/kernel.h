/* SPDX-License-Identifier: MIT */
/*
 * The numeric loops, one table of them per instruction set, chosen once at run
 * time. The bodies are written once (the .inc files) over a small vector
 * vocabulary (vec_*.h) and compiled once per set (isa_*.c).
 *
 * Numerics, the same in every table (docs/NUMERICS.md)
 *   - Each element of a matrix product is one chain of fused multiply-adds over
 *     ascending k from its start value; k is never split. Storing a partial
 *     chain and going on from the stored value changes nothing.
 *   - Long sums: blocks of 4096 elements; in a block element i goes to virtual
 *     lane i%16, each lane a chain of adds (or FMAs) in order; the 16 lanes are
 *     added pairwise (8, 4, 2, 1 apart); block sums are added in order in double.
 *   - add, FMA, multiply, divide, square root, select, integers only; no libm.
 *     exp, log, tanh, sigmoid, cos are at most 4 ULP off; NaN stays NaN.
 *   - The scalar table gives the same bits as the vector ones (its FMA is libm's
 *     fmaf, exact but slow without hardware). The double build has the scalar
 *     table alone, with libm's functions and without fused FMA.
 * Memory  Nothing here allocates. Pointers need no alignment beyond ur_real's;
 *     nothing is read or written outside the stated elements. Outputs overlap
 *     inputs only where an entry says so.
 * Gradients of gates and moments of optimizers whose magnitude is below 2^-100
 *     become 0, so that denormals neither slow nor differ (float build).
 */
#ifndef UR_KERNEL_KERNEL_H
#define UR_KERNEL_KERNEL_H

#include "unroll/base.h"

/* What the numbers of a weight matrix are. */
typedef enum ur__number { UR__NUMBER_REAL } ur__number;

/* A weight matrix [K,N] as products read it. How data is laid out, and whatever else a type of
 * number needs beside it (a scale), is up to the kernel: pack() writes it, gemm() reads it. */
struct ur__matrix {
    ur__number type;
    int K, N;
    void *data;         /* packed_bytes(), 64-byte aligned */
};

/* C[M,N] = start + A[M,K]·B[K,N] */
struct ur__gemm {
    int M, N, K;
    /* a(m,k) at a[row(m) + k*a_k]; row(m) = m*a_row, or with group > 0
     * (m/group)*a_group + (m%group)*a_row: rows of T steps of part of a batch. Or, unless row is
     * NULL, row[m]*a_row: any rows. */
    const int32_t *row;
    const ur_real *a;
    ptrdiff_t a_row, a_k, a_group;
    /* Or, unless NULL, one-hot rows: the 1 of row m at id[m], with group > 0 at
     * id[(m/group)*a_group + m%group], with row at id[row[m]]. Then B is w, and accumulate off. */
    const int32_t *id;
    /* B: w, [K,N], or b(k,n) at b[k*b_k + n*b_col]. */
    const struct ur__matrix *w;
    const ur_real *b;
    ptrdiff_t b_k, b_col;
    /* c(m,n) at c[row(m) + n], rows as for a. Overlaps neither a nor b. */
    ur_real *c;
    ptrdiff_t c_row, c_group;
    int group;
    /* Each chain starts from c itself (accumulate), else from start[n], else 0. */
    const ur_real *start;
    bool accumulate;
};

/* What an optimizer's step needs besides its arrays. g is first multiplied by
 * scale (clipping by norm), then clamped to ±clip (0: not). Equations as those of
 * PyTorch's optimizers of the same names (docs/MATH.md). */
struct ur__opt {
    ur_real lr, scale, clip, weight_decay;
    ur_real beta1, beta2, eps;      /* adam, adamw; beta2 = alpha of rmsprop */
    ur_real correct1, correct2;     /* 1 - beta1^t, 1 - beta2^t */
    ur_real momentum;               /* sgd */
};

/* The numbers that dropout draws: index first + i of (seed, stream, step) for element i. */
struct ur__draws {
    uint64_t seed, step, first;
    uint32_t stream;
};

/* M rows of N reals, ld apart, that belong to rows id[m], which are in range, of a table whose
 * rows are ld_table apart. */
struct ur__table_rows {
    int M, N;
    const int32_t *id;
    ptrdiff_t ld_table, ld;
};

/* H units of an LSTM, and what it may have beside the plain form (docs/MATH.md, section Forms
 * of LSTM). */
struct ur__lstm_form {
    int H;
    const ur_real *peep_i, *peep_f, *peep_o;    /* [H] or NULL */
    ur_real clip;                               /* c stays in ±clip; 0: free */
    bool coupled;                               /* f = 1 − i; gates are [3,H] i,g,o */
};

struct ur__kernel {
    const char *name;
    int lanes;          /* reals in a vector */
    int mr, nr;         /* rows and columns of the register tile of gemm */

    /* ---- matrix product ---- */

    /* Bytes of a matrix's data, known from its type and size. */
    size_t (*packed_bytes)(const struct ur__matrix *w);
    /* Lays columns [n0,n1) of b(k,n) = b[k*b_k + n*b_col] out in w's data; n0 a multiple of nr. */
    void (*pack)(const struct ur__matrix *w, int n0, int n1, const ur_real *b, ptrdiff_t b_k,
                 ptrdiff_t b_col);
    /* Rows [m0,m1) and columns [n0,n1) of the product; n0 a multiple of nr.
     * scratch: scratch_bytes, 64-byte aligned, private to the caller (used when B
     * is not a matrix w or a_k is not 1; may be NULL otherwise). */
    void (*gemm)(const struct ur__gemm *g, int m0, int m1, int n0, int n1, void *scratch);
    size_t scratch_bytes;

    /* ---- gate stages: one batch row a call, each gate [H] ---- */

    /* LSTM. gates [4,H] in: pre-activations i,f,g,o; out: the gates.
     * c = f∘c_prev + i∘g; h = o∘tanh(c). c_prev NULL: zeros; c may be c_prev. */
    void (*lstm_forward)(int H, ur_real *gates, const ur_real *c_prev, ur_real *c, ur_real *h);
    /* gates [4,H] in: i,f,g,o; out: gradients of their pre-activations. dh [H]: gradient
     * of h. dc [H] in: gradient reaching c from later steps; out: gradient of c_prev. */
    void (*lstm_backward)(int H, ur_real *gates, const ur_real *c_prev, const ur_real *c,
                          const ur_real *dh, ur_real *dc);

    /* The same in another form; gates are [4,H] i,f,g,o, or [3,H] where coupled. */
    void (*lstm_form_forward)(const struct ur__lstm_form *form, ur_real *gates,
                              const ur_real *c_prev, ur_real *c, ur_real *h);
    void (*lstm_form_backward)(const struct ur__lstm_form *form, ur_real *gates,
                               const ur_real *c_prev, const ur_real *c, const ur_real *dh,
                               ur_real *dc);

    /* GRU, reset after. gates [4,H] in: pre-activations r, z (both parts), x's part of n,
     * h's part of n; out: r, z, n, h's part. n = tanh(xn + r∘hn); h = n + z∘(h_prev − n). */
    void (*gru_forward)(int H, ur_real *gates, const ur_real *h_prev, ur_real *h);
    /* out gates: dr, dz, dn (x's part), dn∘r (h's part), of pre-activations.
     * dh in: gradient of h; out: its direct part for h_prev, dh∘z. */
    void (*gru_backward)(int H, ur_real *gates, const ur_real *h_prev, ur_real *dh);

    /* GRU, reset before, in two stages round the product U_n·(r∘h_prev).
     * open: gates in: pre-activations r, z; out: r, z and in block 3 r∘h_prev.
     * close: block 2 in: whole pre-activation of n; out: n; writes h as above. */
    void (*gru_before_open)(int H, ur_real *gates, const ur_real *h_prev);
    void (*gru_before_close)(int H, ur_real *gates, const ur_real *h_prev, ur_real *h);
    /* Backward open: out: dz (block 1), dn (block 2) of pre-activations; r and r∘h_prev
     * stay; dh becomes dh∘z. close: drh [H] = gradient of r∘h_prev; out: dr (block 0);
     * dh += drh∘r. */
    void (*gru_before_back_open)(int H, ur_real *gates, const ur_real *h_prev, ur_real *dh);
    void (*gru_before_back_close)(int H, ur_real *gates, const ur_real *h_prev,
                                  const ur_real *drh, ur_real *dh);

    /* Simple recurrent network. pre [H] -> h = f(pre); h may be pre. */
    void (*rnn_forward)(int H, ur_activation f, const ur_real *pre, ur_real *h);
    /* dpre = dh∘f'(pre), written in terms of h. dpre may be dh or h. */
    void (*rnn_backward)(int H, ur_activation f, const ur_real *h, const ur_real *dh,
                         ur_real *dpre);

    /* ---- element-wise; y may be x ---- */

    void (*exp)(size_t n, const ur_real *x, ur_real *y);
    void (*log)(size_t n, const ur_real *x, ur_real *y);
    void (*tanh)(size_t n, const ur_real *x, ur_real *y);
    void (*sigmoid)(size_t n, const ur_real *x, ur_real *y);
    void (*cos)(size_t n, const ur_real *x, ur_real *y);    /* |x| <= 8192 */
    void (*relu)(size_t n, const ur_real *x, ur_real *y);
    void (*sqrt)(size_t n, const ur_real *x, ur_real *y);

    void (*add)(size_t n, const ur_real *a, const ur_real *b, ur_real *y);
    void (*sub)(size_t n, const ur_real *a, const ur_real *b, ur_real *y);
    void (*mul)(size_t n, const ur_real *a, const ur_real *b, ur_real *y);
    void (*div)(size_t n, const ur_real *a, const ur_real *b, ur_real *y);
    /* y = s*x + c;  y += s*x (FMA);  y += a∘b (FMA). */
    void (*affine)(size_t n, ur_real s, const ur_real *x, ur_real c, ur_real *y);
    void (*axpy)(size_t n, ur_real s, const ur_real *x, ur_real *y);
    void (*muladd)(size_t n, const ur_real *a, const ur_real *b, ur_real *y);
    /* dx += dy∘f', from the function's output y: tanh 1−y², sigmoid y(1−y), relu y>0. */
    void (*activation_back)(size_t n, ur_activation f, const ur_real *y, const ur_real *dy,
                            ur_real *dx);

    /* Dropout: y = x/(1-p) where the uniform number of element i is >= p, else 0. The number
     * of index j is word j%4 of ur_random(..., j/4) as a 32-bit fraction, so that equal
     * arguments give equal masks. y may be x. */
    void (*dropout)(size_t n, double p, const struct ur__draws *draws, const ur_real *x,
                    ur_real *y);

    /* ---- sums over many ---- */

    double (*sum)(size_t n, const ur_real *x);
    double (*sum_squares)(size_t n, const ur_real *x);
    double (*dot)(size_t n, const ur_real *a, const ur_real *b);
    /* Largest element (n >= 1); NaN if any is. */
    ur_real (*max)(size_t n, const ur_real *x);
    /* Index of the first NaN or Inf, n if all are finite. */
    size_t (*find_nonfinite)(size_t n, const ur_real *x);
    /* out[n] += x[m,n] for m ascending: one chain a column; rows ldx apart. */
    void (*sum_rows)(int M, int N, const ur_real *x, ptrdiff_t ldx, ur_real *out);

    /* ---- one row of V logits ---- */

    void (*softmax)(int V, const ur_real *x, ur_real *y);           /* y may be x */
    void (*log_softmax)(int V, const ur_real *x, ur_real *y);       /* y may be x */
    /* −log softmax(x)[target] in nats. dx NULL or [V]: scale·(softmax(x) − onehot);
     * dx may be x. */
    ur_real (*cross_entropy)(int V, const ur_real *x, int target, ur_real scale, ur_real *dx);

    /* ---- rows by index: w and dw are the table ---- */

    /* y[m,:] = start + w[id[m],:]; start NULL: a copy. */
    void (*gather)(const struct ur__table_rows *rows, const ur_real *w, const ur_real *start,
                   ur_real *y);
    /* dw[id[m],:] += dy[m,:] for m ascending. */
    void (*scatter_add)(const struct ur__table_rows *rows, const ur_real *dy, ur_real *dw);

    /* ---- optimizers: n parameters p, gradients g, moments ---- */

    /* adam adds weight decay to the gradient, adamw applies it apart from it. */
    void (*adam)(size_t n, const struct ur__opt *o, ur_real *p, const ur_real *g, ur_real *m,
                 ur_real *v);
    void (*adamw)(size_t n, const struct ur__opt *o, ur_real *p, const ur_real *g, ur_real *m,
                  ur_real *v);
    void (*rmsprop)(size_t n, const struct ur__opt *o, ur_real *p, const ur_real *g, ur_real *v);
    void (*adagrad)(size_t n, const struct ur__opt *o, ur_real *p, const ur_real *g, ur_real *v);
    void (*sgd)(size_t n, const struct ur__opt *o, ur_real *p, const ur_real *g, ur_real *m);
};

#endif
