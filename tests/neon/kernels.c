/* SPDX-License-Identifier: MIT */
/*
 * Every entry of the table, at lengths round the width of vectors and blocks, at four
 * places in memory. Arrays lie between margins, and all is hashed, margins and inputs
 * too: what is written where nothing should be shows.
 */
#include "bits.h"

#include <stdlib.h>
#include <string.h>

/* ---- arrays ---- */

#define MARGIN 24
#define MOST_ARRAYS 8

static struct array {
    ur_real *memory;
    size_t n;           /* margins included */
} arrays[MOST_ARRAYS];
static int n_arrays;
static size_t shift;    /* reals by which arrays are out of line, different ones by more */

static ur_real *array(size_t n)
{
    struct array *a = &arrays[n_arrays++];
    a->n = n + 2 * MARGIN;
    a->memory = malloc(a->n * sizeof(ur_real));
    bits_need(n_arrays <= MOST_ARRAYS && a->memory != NULL, "too many or too large arrays");
    for (size_t i = 0; i < a->n; i++)
        a->memory[i] = (ur_real)-12345.678;
    return a->memory + 16 + (shift * (size_t)n_arrays) % 4;
}

/* Uniform in [lo, hi). */
static ur_real *between(double lo, double hi, size_t n)
{
    ur_real *x = array(n);
    bits_fill(x, n, lo, hi);
    return x;
}

static ur_real *wild(size_t n)
{
    ur_real *x = array(n);
    bits_fill_wildly(x, n);
    return x;
}

static void hash_arrays(void)
{
    for (int i = 0; i < n_arrays; i++) {
        bits_reals(arrays[i].memory, arrays[i].n);
        free(arrays[i].memory);
    }
    n_arrays = 0;
}

/* ---- element-wise: what is wild and what is not, in place and not ---- */

typedef void (*run)(const struct ur__kernel *k, size_t n);

#define MAP(entry)                                                            \
    static void run_##entry(const struct ur__kernel *k, size_t n)             \
    {                                                                         \
        ur_real *x = wild(n), *y = array(n);                                  \
        k->entry(n, x, y);                                                    \
        k->entry(n, x, x);                                                    \
    }
MAP(exp)
MAP(log)
MAP(tanh)
MAP(sigmoid)
MAP(cos)
MAP(relu)
MAP(sqrt)

#define MAP_PAIR(entry)                                                       \
    static void run_##entry(const struct ur__kernel *k, size_t n)             \
    {                                                                         \
        ur_real *a = wild(n), *b = wild(n), *y = between(-2, 2, n);           \
        k->entry(n, a, b, y);                                                 \
        k->entry(n, a, b, b);                                                 \
    }
MAP_PAIR(add)
MAP_PAIR(sub)
MAP_PAIR(mul)
MAP_PAIR(div)
MAP_PAIR(muladd)

static void run_affine(const struct ur__kernel *k, size_t n)
{
    ur_real *x = wild(n), *y = array(n);
    k->affine(n, (ur_real)1.3, x, (ur_real)-0.2, y);
}

static void run_axpy(const struct ur__kernel *k, size_t n)
{
    ur_real *x = wild(n), *y = wild(n);
    k->axpy(n, (ur_real)-0.7, x, y);
}

static void run_activation_back(const struct ur__kernel *k, size_t n)
{
    for (ur_activation f = UR_ACT_IDENTITY; f <= UR_ACT_SATLIN; f++) {
        ur_real *y = wild(n), *dy = wild(n), *dx = between(-1, 1, n);
        k->activation_back(n, f, y, dy, dx);
        hash_arrays();
    }
}

static void run_dropout(const struct ur__kernel *k, size_t n)
{
    ur_real *x = wild(n), *y = array(n);
    const uint64_t seed = bits_random(), step = bits_random(), index = bits_random() >> 24;
    const struct ur__draws draws = {.seed = seed, .stream = 77, .step = step, .first = index};
    const struct ur__draws others = {.seed = seed, .stream = 78, .step = step, .first = n};
    k->dropout(n, 0.3, &draws, x, y);
    k->dropout(n, 0, &others, x, x);
}

/* ---- sums ---- */

static void run_sums(const struct ur__kernel *k, size_t n)
{
    for (int i = 0; i < 2; i++) {
        ur_real *a = i ? wild(n) : between(-9, 9, n), *b = i ? wild(n) : between(-9, 9, n);
        bits_double(k->sum(n, a));
        bits_double(k->sum_squares(n, a));
        bits_double(k->dot(n, a, b));
        bits_double((double)k->max(n, a));
        bits_double((double)k->find_nonfinite(n, a));
        a[bits_below((int)n)] = bits_to_real(0xffc00000);
        bits_double((double)k->max(n, a));
        bits_double((double)k->find_nonfinite(n, a));
        hash_arrays();
    }
    ur_real *zeros = array(n);
    for (size_t i = 0; i < n; i++)
        zeros[i] = bits_below(2) ? bits_to_real(0x80000000) : 0;
    bits_double((double)k->max(n, zeros));
}

static void run_sum_rows(const struct ur__kernel *k, size_t n)
{
    ur_real *x = between(-9, 9, 7 * (n + 1)), *out = between(-1, 1, n);
    k->sum_rows(7, (int)n, x, (ptrdiff_t)n + 1, out);
}

static void run_logits(const struct ur__kernel *k, size_t n)
{
    const double sizes[] = {9, 200};
    for (int i = 0; i < 3; i++) {
        const double size = sizes[i % 2];
        ur_real *x = i < 2 ? between(-size, size, n) : wild(n), *y = array(n), *dx = array(n);
        k->softmax((int)n, x, y);
        k->log_softmax((int)n, x, dx);
        bits_reals(dx, n);
        bits_double((double)k->cross_entropy((int)n, x, (int)n / 2, (ur_real)0.3, dx));
        bits_double((double)k->cross_entropy((int)n, x, (int)n - 1, 1, NULL));
        hash_arrays();
    }
}

static void run_rows(const struct ur__kernel *k, size_t n)
{
    const int32_t id[9] = {3, 0, 4, 4, 1, 3, 3, 2, 0};
    const ptrdiff_t ld = (ptrdiff_t)n + 3;
    ur_real *w = between(-1, 1, 5 * (n + 3)), *start = between(-1, 1, n), *y = array(9 * (n + 3));
    const struct ur__table_rows rows = {.M = 9, .N = (int)n, .id = id, .ld_table = ld, .ld = ld};
    k->gather(&rows, w, start, y);
    bits_reals(y, 9 * (n + 3));
    k->gather(&rows, w, NULL, y);
    k->scatter_add(&rows, y, w);
}

/* ---- gate stages ---- */

/* Gradients some of which are below 2^-100. */
static ur_real *gradients(size_t n)
{
    ur_real *x = between(-1, 1, n);
    for (size_t i = 0; i < n; i++)
        x[i] = bits_below(4) ? x[i] : x[i] * (ur_real)0x1p-99;
    return x;
}

static void run_lstm(const struct ur__kernel *k, size_t n)
{
    const int H = (int)n;
    for (int i = 0; i < 3; i++) {
        ur_real *gates = i == 2 ? wild(4 * n) : between(-4, 4, 4 * n);
        ur_real *c_prev = i ? between(-2, 2, n) : NULL;
        ur_real *c = array(n), *h = array(n), *dh = gradients(n), *dc = gradients(n);
        k->lstm_forward(H, gates, c_prev, c, h);
        bits_reals(gates, 4 * n);
        k->lstm_backward(H, gates, c_prev, c, dh, dc);
        hash_arrays();
    }
}

static void run_lstm_form(const struct ur__kernel *k, size_t n)
{
    for (int i = 0; i < 16; i++) {
        const bool peeps = i & 1, coupled = i & 2, clipped = i & 4;
        const size_t G = coupled ? 3 : 4;
        ur_real *peep = peeps ? between(-1, 1, 3 * n) : NULL;
        const struct ur__lstm_form form = {
            .H = (int)n, .peep_i = peep, .peep_f = peeps && !coupled ? peep + n : NULL,
            .peep_o = peeps ? peep + 2 * n : NULL,
            .clip = (ur_real)(clipped ? 0.6 : 0), .coupled = coupled,
        };
        ur_real *gates = i & 8 ? wild(G * n) : between(-4, 4, G * n);
        ur_real *c_prev = i ? between(-2, 2, n) : NULL;
        ur_real *c = array(n), *h = array(n), *dh = gradients(n), *dc = gradients(n);
        k->lstm_form_forward(&form, gates, c_prev, c, h);
        bits_reals(gates, G * n);
        k->lstm_form_backward(&form, gates, c_prev, c, dh, dc);
        hash_arrays();
    }
}

static void run_gru(const struct ur__kernel *k, size_t n)
{
    const int H = (int)n;
    for (int i = 0; i < 3; i++) {
        ur_real *gates = i == 2 ? wild(4 * n) : between(-4, 4, 4 * n);
        ur_real *h_prev = i ? between(-1, 1, n) : NULL, *h = array(n), *dh = gradients(n);
        k->gru_forward(H, gates, h_prev, h);
        bits_reals(gates, 4 * n);
        k->gru_backward(H, gates, h_prev, dh);
        hash_arrays();
    }
}

static void run_gru_before(const struct ur__kernel *k, size_t n)
{
    const int H = (int)n;
    for (int i = 0; i < 3; i++) {
        ur_real *gates = i == 2 ? wild(4 * n) : between(-4, 4, 4 * n);
        ur_real *h_prev = i ? between(-1, 1, n) : NULL, *h = array(n);
        ur_real *dh = gradients(n), *drh = gradients(n);
        k->gru_before_open(H, gates, h_prev);
        k->gru_before_close(H, gates, h_prev, h);
        bits_reals(gates, 4 * n);
        k->gru_before_back_open(H, gates, h_prev, dh);
        k->gru_before_back_close(H, gates, h_prev, drh, dh);
        hash_arrays();
    }
}

static void run_rnn(const struct ur__kernel *k, size_t n)
{
    for (ur_activation f = UR_ACT_IDENTITY; f <= UR_ACT_SATLIN; f++) {
        ur_real *pre = wild(n), *h = array(n), *dh = gradients(n);
        k->rnn_forward((int)n, f, pre, h);
        k->rnn_backward((int)n, f, h, dh, dh);
        hash_arrays();
    }
}

/* ---- optimizers: with both clippings, with neither, with wild gradients ---- */

static void run_optimizers(const struct ur__kernel *k, size_t n)
{
    for (int i = 0; i < 3; i++) {
        const struct ur__opt o = {
            .lr = (ur_real)0.01, .scale = i ? (ur_real)0.9 : 1, .clip = (ur_real)(i ? 0.7 : 0),
            .weight_decay = (ur_real)(i ? 0.1 : 0), .beta1 = (ur_real)0.9,
            .beta2 = (ur_real)0.99, .eps = (ur_real)1e-8, .correct1 = (ur_real)0.19,
            .correct2 = (ur_real)0.0199, .momentum = (ur_real)(i ? 0.9 : 0),
        };
        ur_real *p = between(-2, 2, n), *g = i == 2 ? wild(n) : gradients(n);
        ur_real *m = gradients(n), *v = between(0, 1, n);
        k->adam(n, &o, p, g, m, v);
        k->adamw(n, &o, p, g, m, v);
        k->rmsprop(n, &o, p, g, v);
        k->adagrad(n, &o, p, g, v);
        k->sgd(n, &o, p, g, m);
        hash_arrays();
    }
}

/* ---- all that has a length ---- */

static const struct {
    const char *name;
    run run;
} entries[] = {
    {"exp", run_exp},       {"log", run_log},       {"tanh", run_tanh},
    {"sigmoid", run_sigmoid}, {"cos", run_cos},     {"relu", run_relu},
    {"sqrt", run_sqrt},     {"add", run_add},       {"sub", run_sub},
    {"mul", run_mul},       {"div", run_div},       {"muladd", run_muladd},
    {"affine", run_affine}, {"axpy", run_axpy},     {"activation_back", run_activation_back},
    {"dropout", run_dropout}, {"sums", run_sums},   {"sum_rows", run_sum_rows},
    {"logits", run_logits}, {"rows", run_rows},     {"lstm", run_lstm},
    {"lstm_form", run_lstm_form}, {"gru", run_gru}, {"gru_before", run_gru_before},
    {"rnn", run_rnn},       {"optimizers", run_optimizers},
};

static const size_t lengths[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,   11,  13,  15,
                                 16, 17, 31, 33, 47, 63, 65, 79, 100, 257, 4099};

static void hash_entries(const struct ur__kernel *k)
{
    for (size_t e = 0; e < sizeof entries / sizeof *entries; e++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            bits_begin("%s/%zu", entries[e].name, lengths[l]);
            for (shift = 0; shift < 4; shift++) {
                entries[e].run(k, lengths[l]);
                hash_arrays();
            }
            bits_end();
        }
    }
}

/* ---- functions over all floats: 2^20 of them, in 16 parts of the bit patterns ---- */

static const struct {
    const char *name;
    size_t entry;       /* offset in the table */
} functions[] = {
    {"exp", offsetof(struct ur__kernel, exp)},
    {"log", offsetof(struct ur__kernel, log)},
    {"tanh", offsetof(struct ur__kernel, tanh)},
    {"sigmoid", offsetof(struct ur__kernel, sigmoid)},
    {"cos", offsetof(struct ur__kernel, cos)},
    {"sqrt", offsetof(struct ur__kernel, sqrt)},
};

static void hash_functions(const struct ur__kernel *k)
{
    enum { MANY = 1 << 16 };
    ur_real *x = malloc(MANY * sizeof *x), *y = malloc(MANY * sizeof *y);
    bits_need(x != NULL && y != NULL, "no memory");
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        void (*map)(size_t n, const ur_real *x, ur_real *y);
        memcpy(&map, (const char *)k + functions[f].entry, sizeof map);
        for (uint32_t part = 0; part < 16; part++) {
            bits_begin("%s/0x%x0000000..", functions[f].name, part);
            for (uint32_t i = 0; i < MANY; i++)
                x[i] = bits_to_real(part << 28 | i << 12 | (uint32_t)bits_below(1 << 12));
            map(MANY, x, y);
            bits_reals(y, MANY);
            bits_end();
        }
    }
    free(x);
    free(y);
}

/* ---- products: each shape in each layout, from each start ---- */

static const struct {
    int M, N, K, group;
} shapes[] = {
    {1, 1, 1, 0},   {1, 67, 33, 0},  {1, 256, 70, 0}, {2, 7, 5, 0},    {3, 64, 16, 0},
    {4, 33, 9, 0},  {5, 16, 17, 0},  {6, 63, 31, 0},  {7, 65, 12, 0},  {12, 20, 300, 4},
    {13, 4, 40, 0}, {17, 67, 19, 0}, {35, 130, 7, 5}, {101, 37, 23, 0}, {100, 20, 270, 10},
    {24, 530, 11, 0},
};

enum start { FROM_ZERO, FROM_START, FROM_C };

/* a_far, b_far: k is the dimension whose elements do not lie side by side. */
static void run_product(const struct ur__kernel *k, struct ur__gemm g, bool a_far, bool b_far,
                        bool packed, enum start start)
{
    const size_t M = (size_t)g.M, N = (size_t)g.N, K = (size_t)g.K;
    const int groups = g.group ? g.M / g.group : 1, in_group = g.group ? g.group : g.M;
    struct ur__matrix w = {.K = g.K, .N = g.N};
    w.data = malloc(k->packed_bytes(&w));
    void *scratch = aligned_alloc(64, (k->scratch_bytes + 63) / 64 * 64);
    bits_need(w.data != NULL && scratch != NULL, "no memory");
    g.a = between(-1, 1, (M + (size_t)groups) * (K + 1));
    g.a_row = a_far ? 1 : g.K + 1;
    g.a_k = a_far ? in_group + 1 : 1;
    g.a_group = (in_group + 1) * (ptrdiff_t)(g.K + 1);
    g.b = between(-1, 1, (N + 2) * (K + 2));
    g.b_col = b_far ? 1 : g.K + 2;
    g.b_k = b_far ? g.N + 2 : 1;
    if (packed) {
        k->pack(&w, 0, g.N, g.b, g.b_k, g.b_col);
        g.w = &w;
    }
    ur_real *c = between(-1, 1, (M + (size_t)groups) * (N + 3));
    g.c = c;
    g.c_row = g.N + 3;
    g.c_group = (in_group + 1) * g.c_row;
    g.start = start == FROM_START ? between(-1, 1, N) : NULL;
    g.accumulate = start == FROM_C;
    k->gemm(&g, 0, g.M, 0, g.N, scratch);
    hash_arrays();
    free(scratch);
    free(w.data);
}

static void hash_products(const struct ur__kernel *k)
{
    static const char *const starts[] = {"", "+start", "+c"};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        for (int way = 0; way < 8; way++) {
            for (enum start start = FROM_ZERO; start <= FROM_C; start++) {
                const struct ur__gemm g = {.M = shapes[s].M, .N = shapes[s].N, .K = shapes[s].K,
                                           .group = shapes[s].group};
                bits_begin("gemm/%dx%dx%d/%s%s%s%s", g.M, g.N, g.K, way % 2 ? "a'" : "a",
                           way / 2 % 2 ? "b" : "b'", way / 4 ? ",packed" : "", starts[start]);
                for (shift = 0; shift < 2; shift++)
                    run_product(k, g, way % 2, way / 2 % 2, way / 4, start);
                bits_end();
            }
        }
    }
}

void bits_of_kernels(const struct ur__kernel *k)
{
    hash_entries(k);
    hash_functions(k);
    hash_products(k);
}
