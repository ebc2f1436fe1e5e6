/* SPDX-License-Identifier: MIT */
/* Every entry of every table of kernels that this machine runs, on arrays beside pages without
 * access: nothing beyond the stated elements is read or written. What the numbers are is the
 * matter of test_kernel_*.c. */
#include "testing.h"

#include <math.h>

#include "kernel/gemm.h"
#include "kernel/select.h"
#include "support/guard.h"

/* Round all that vectors, tiles and blocks have for a width. */
static const int sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 33, 63, 64, 65, 100};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static int checks;

static ur_real *some(const char *name, size_t n)
{
    ur_real *p = guard_reals(name, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (ur_real)0.25 + (ur_real)(i % 7) / 16;
    return p;
}

static void check(void)
{
    const char *name = guard_check();
    if (name)
        fail_msg("%s: written beside %s", guard_case(), name);
    checks++;
}

/* What an entry has written: all n numbers, none of them left NaN. */
static void written(const ur_real *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(p[i]))
            fail_msg("%s: element %zu is NaN", guard_case(), i);
    check();
}

#define CASE(entry) guard_begin(side, "%s, " entry ", %d", k->name, N)

/* Each test gets a table, a side and a size. */
static void each(void (*test)(const struct ur__kernel *k, guard_side side, int N))
{
    guard_watch();
    for (const struct ur__kernel *const *k = ur__kernels_available(); *k; k++)
        for (int i = 0; i < 2 * N_SIZES; i++)
            test(*k, i % 2 ? GUARD_BEGIN : GUARD_END, sizes[i / 2]);
}

/* ---- element-wise ------------------------------------------------------- */

static void maps(const struct ur__kernel *k, guard_side side, int N)
{
    const struct {
        const char *name;
        void (*run)(size_t n, const ur_real *x, ur_real *y);
    } map[] = {{"exp", k->exp}, {"log", k->log}, {"tanh", k->tanh}, {"sigmoid", k->sigmoid},
               {"cos", k->cos}, {"relu", k->relu}, {"sqrt", k->sqrt}};
    const struct {
        const char *name;
        void (*run)(size_t n, const ur_real *a, const ur_real *b, ur_real *y);
    } pair[] = {{"add", k->add}, {"sub", k->sub}, {"mul", k->mul}, {"div", k->div}};
    size_t n = (size_t)N;
    ur_real *y;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        guard_begin(side, "%s, %s, %d", k->name, map[i].name, N);
        map[i].run(n, some("x", n), y = guard_reals("y", n));
        written(y, n);
    }
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        guard_begin(side, "%s, %s, %d", k->name, pair[i].name, N);
        pair[i].run(n, some("a", n), some("b", n), y = guard_reals("y", n));
        written(y, n);
    }
    CASE("affine");
    k->affine(n, 2, some("x", n), 1, y = guard_reals("y", n));
    written(y, n);
    CASE("axpy");
    k->axpy(n, 2, some("x", n), y = some("y", n));
    written(y, n);
    CASE("muladd");
    k->muladd(n, some("a", n), some("b", n), y = some("y", n));
    written(y, n);
    for (int f = UR_ACT_IDENTITY; f <= UR_ACT_SATLIN; f++) {
        guard_begin(side, "%s, activation %d, %d", k->name, f, N);
        k->activation_back(n, (ur_activation)f, some("y", n), some("dy", n), y = some("dx", n));
        written(y, n);
        guard_begin(side, "%s, rnn %d, %d", k->name, f, N);
        ur_real *h = guard_reals("h", n);
        k->rnn_forward(N, (ur_activation)f, some("pre", n), h);
        written(h, n);
        k->rnn_backward(N, (ur_activation)f, h, some("dh", n), y = guard_reals("dpre", n));
        written(y, n);
    }
    CASE("dropout");
    const struct ur__draws draws = {.seed = 1, .stream = 2, .step = 3, .first = n};
    k->dropout(n, 0.3, &draws, some("x", n), y = guard_reals("y", n));
    written(y, n);
}

static void elements__are_all(void **unused)
{
    (void)unused;
    each(maps);
}

/* ---- gates -------------------------------------------------------------- */

static void lstm(const struct ur__kernel *k, guard_side side, int N)
{
    size_t n = (size_t)N;
    for (int way = 0; way < 5; way++) {
        guard_begin(side, "%s, lstm, way %d, %d", k->name, way, N);
        bool coupled = way > 2, peep = way == 2 || way == 4;
        size_t G = coupled ? 3 : 4;
        ur_real *gates = some("gates", G * n), *c_prev = some("c_prev", n);
        ur_real *c = guard_reals("c", n), *h = guard_reals("h", n);
        struct ur__lstm_form form = {
            .H = N,
            .peep_i = peep ? some("peep_i", n) : NULL,
            .peep_f = peep && !coupled ? some("peep_f", n) : NULL,
            .peep_o = peep ? some("peep_o", n) : NULL,
            .clip = way == 1 || way == 4 ? (ur_real)0.3 : 0,
            .coupled = coupled,
        };
        ur_real *dh = some("dh", n), *dc = some("dc", n);
        if (way == 0) {
            k->lstm_forward(N, gates, c_prev, c, h);
            k->lstm_backward(N, gates, c_prev, c, dh, dc);
        } else {
            k->lstm_form_forward(&form, gates, c_prev, c, h);
            k->lstm_form_backward(&form, gates, c_prev, c, dh, dc);
        }
        written(c, n);
        written(h, n);
        written(dc, n);
        written(gates, G * n);
    }
}

static void gru(const struct ur__kernel *k, guard_side side, int N)
{
    size_t n = (size_t)N;
    for (int before = 0; before < 2; before++) {
        guard_begin(side, "%s, gru%s, %d", k->name, before ? ", reset before" : "", N);
        ur_real *gates = some("gates", 4 * n), *h_prev = some("h_prev", n);
        ur_real *h = guard_reals("h", n), *dh = some("dh", n);
        if (before) {
            k->gru_before_open(N, gates, h_prev);
            k->gru_before_close(N, gates, h_prev, h);
            k->gru_before_back_open(N, gates, h_prev, dh);
            k->gru_before_back_close(N, gates, h_prev, some("drh", n), dh);
        } else {
            k->gru_forward(N, gates, h_prev, h);
            k->gru_backward(N, gates, h_prev, dh);
        }
        written(gates, 4 * n);
        written(h, n);
        written(dh, n);
    }
}

static void gates__are_all(void **unused)
{
    (void)unused;
    each(lstm);
    each(gru);
}

/* ---- sums, rows, optimizers --------------------------------------------- */

static void sums(const struct ur__kernel *k, guard_side side, int N)
{
    size_t n = (size_t)N;
    /* Also more than a block of 4096. */
    for (size_t more = 0; more <= 4096; more += 4096) {
        CASE("sums");
        ur_real *x = some("x", n + more), *y = some("y", n + more);
        assert_true(isfinite(k->sum(n + more, x) + k->sum_squares(n + more, x) +
                             k->dot(n + more, x, y)));
        assert_int_equal(k->find_nonfinite(n + more, x), n + more);
        assert_true(n + more == 0 || isfinite(k->max(n + more, x)));
        check();
    }
    for (int M = 0; M < 4; M++) {
        CASE("sum_rows");
        size_t ld = n + 3, size = M ? (size_t)(M - 1) * ld + n : 0;
        ur_real *out = some("out", n);
        k->sum_rows(M, N, some("x", size), (ptrdiff_t)ld, out);
        written(out, n);
    }
    if (N == 0)
        return;
    CASE("softmax");
    ur_real *x = some("x", n), *y = guard_reals("y", n), *z = guard_reals("z", n);
    ur_real *dx = guard_reals("dx", n);
    k->softmax(N, x, y);
    k->log_softmax(N, x, z);
    assert_true(isfinite(k->cross_entropy(N, x, N - 1, 1, dx)));
    assert_true(isfinite(k->cross_entropy(N, x, 0, 1, NULL)));
    written(y, n);
    written(z, n);
    written(dx, n);
}

static void rows(const struct ur__kernel *k, guard_side side, int N)
{
    enum { V = 5, M = 6 };
    for (int gap = 0; gap < 4; gap += 3) {
        CASE("gather");
        size_t n = (size_t)N, ld = n + (size_t)gap;
        int32_t *id = guard_bytes("ids", M * sizeof *id, sizeof *id);
        for (int m = 0; m < M; m++)
            id[m] = (m * 4 + V - 1) % V;
        ur_real *w = some("w", (V - 1) * ld + n), *y = guard_reals("y", (M - 1) * ld + n);
        const struct ur__table_rows all = {.M = M, .N = N, .id = id, .ld_table = (ptrdiff_t)ld,
                                           .ld = (ptrdiff_t)ld};
        k->gather(&all, w, NULL, y);
        k->gather(&all, w, some("start", n), y);
        for (size_t m = 0; m < M; m++)
            written(y + m * ld, n);
        k->scatter_add(&all, y, w);
        written(w, (V - 1) * ld + n);
    }
}

static void optimizers(const struct ur__kernel *k, guard_side side, int N)
{
    const struct ur__opt o = {.lr = (ur_real)0.1, .scale = 1, .clip = 1, .beta1 = (ur_real)0.9,
                              .beta2 = (ur_real)0.9, .eps = 1, .correct1 = 1, .correct2 = 1,
                              .momentum = (ur_real)0.9, .weight_decay = (ur_real)0.01};
    CASE("optimizers");
    size_t n = (size_t)N;
    ur_real *p = some("p", n), *g = some("g", n), *m = some("m", n), *v = some("v", n);
    k->adam(n, &o, p, g, m, v);
    k->adamw(n, &o, p, g, m, v);
    k->rmsprop(n, &o, p, g, v);
    k->adagrad(n, &o, p, g, v);
    k->sgd(n, &o, p, g, m);
    written(p, n);
    written(m, n);
    written(v, n);
}

static void rows__are_all(void **unused)
{
    (void)unused;
    each(sums);
    each(rows);
    each(optimizers);
}

/* ---- the matrix product ------------------------------------------------- */

/* bits: 1 B packed, 2 A transposed, 4 B transposed, 8 from C, 16 from start, 32 rows in groups. */
static void product(const struct ur__kernel *k, guard_side side, int M, int N, int K, int bits)
{
    guard_begin(side, "%s, gemm %d,%d,%d, way %d", k->name, M, N, K, bits);
    size_t m = (size_t)M, n = (size_t)N, kk = (size_t)K, gap = bits & 32 ? 3 : 0;
    int group = bits & 32 && M % 3 == 0 ? 3 : 0;
    bool at = bits & 2, bt = bits & 4;
    /* Rows of A and of C are gap further apart than they are long; groups 2 rows more. */
    size_t lda = (at ? m : kk) + gap, ldb = (bt ? kk : n) + gap, ldc = n + gap;
    size_t groups = group ? m / 3 : 0, extra = at || !group ? 0 : (groups - 1) * 2 * lda;
    struct ur__gemm g = {
        .M = M, .N = N, .K = K,
        .a_row = at ? 1 : (ptrdiff_t)lda, .a_k = at ? (ptrdiff_t)lda : 1,
        .a_group = at ? 3 : (ptrdiff_t)(5 * lda),
        .b_k = bt ? 1 : (ptrdiff_t)ldb, .b_col = bt ? (ptrdiff_t)ldb : 1,
        .c_row = (ptrdiff_t)ldc, .c_group = (ptrdiff_t)(5 * ldc),
        .group = group, .accumulate = bits & 8,
    };
    g.a = some("a", at ? (kk - 1) * lda + m : (m - 1) * lda + kk + extra);
    ur_real *b = some("b", bt ? (n - 1) * ldb + kk : (kk - 1) * ldb + n);
    size_t c_size = (m - 1) * ldc + n + (group ? (groups - 1) * 2 * ldc : 0);
    g.c = bits & 8 ? some("c", c_size) : guard_reals("c", c_size);
    g.start = bits & 16 ? some("start", n) : NULL;
    g.b = b;
    struct ur__matrix w = {.K = K, .N = N};
    if (bits & 1) {
        w.data = guard_bytes("packed", k->packed_bytes(&w), 64);
        k->pack(&w, 0, N, b, g.b_k, g.b_col);
        g.w = &w;
    }
    bool needs = !(bits & 1) || at;
    void *scratch = needs ? guard_bytes("scratch", k->scratch_bytes, 64) : NULL;
    /* In two parts each way. */
    int m1 = M / 2, n1 = N / 2 / k->nr * k->nr;
    k->gemm(&g, 0, m1, 0, n1, scratch);
    k->gemm(&g, 0, m1, n1, N, scratch);
    k->gemm(&g, m1, M, 0, n1, scratch);
    k->gemm(&g, m1, M, n1, N, scratch);
    for (int i = 0; i < M; i++) {
        ptrdiff_t row = group ? i / 3 * g.c_group + i % 3 * g.c_row : i * g.c_row;
        for (int j = 0; j < N; j++)
            if (!(g.c[row + j] > 0 && g.c[row + j] < 2 * (ur_real)(K + 1)))
                fail_msg("%s: c[%d,%d] is %g", guard_case(), i, j, (double)g.c[row + j]);
    }
    check();
}

static void product__touches_its_elements_alone(void **unused)
{
    (void)unused;
    static const int mn[] = {1, 2, 3, 5, 6, 7, 13, 16, 17, 33, 65, 97, 130};
    static const int ks[] = {1, 2, 5, 16, 19, 129};
    enum { N_MN = sizeof mn / sizeof *mn, N_K = sizeof ks / sizeof *ks };
    guard_watch();
    for (const struct ur__kernel *const *k = ur__kernels_available(); *k; k++)
        for (int i = 0; i < N_MN * N_MN * N_K; i += GUARD_STRIDE) {
            int M = mn[i % N_MN], N = mn[i / N_MN % N_MN], K = ks[i / (N_MN * N_MN)];
            bool few = M <= 7 && N <= 17 && K <= 19;
            /* All ways of small products, a few of the large ones. */
            for (int bits = few ? 0 : i % 11; bits < 64; bits += few ? 1 : 11)
                product(*k, (bits / 2 + i) % 2 ? GUARD_BEGIN : GUARD_END, M, N, K, bits);
        }
    for (const struct ur__kernel *const *k = ur__kernels_available(); *k; k++)
        for (int bits = 0; bits < 64; bits += 5)
            product(*k, bits % 2 ? GUARD_BEGIN : GUARD_END, 100, 530, 300, bits);
    print_message("kernels beside guard pages: %d arrays looked at\n", checks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements__are_all),
        cmocka_unit_test(gates__are_all),
        cmocka_unit_test(rows__are_all),
        cmocka_unit_test(product__touches_its_elements_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
