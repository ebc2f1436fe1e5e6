/* SPDX-License-Identifier: MIT */
/* The matrix product: against a plain loop of FMAs, bit for bit, however it is cut. */
#include "each.h"
#include "test_kernel.h"

#include "kernel/gemm.h"

enum b_layout { B_PACKED, B_ROWS, B_COLUMNS, B_SPREAD, B_LAYOUTS };
enum a_layout { A_ROWS, A_COLUMNS, A_SPREAD, A_LAYOUTS };
enum start_from { START_ZERO, START_ROW, START_C, STARTS };

/* A product whose arrays stand in guarded slots 0.. */
struct product {
    struct ur__gemm g;      /* with b as it was before packing */
    struct ur__matrix w;    /* of the table in use */
    ur_real *c0;            /* C before */
    size_t c_size;
    ur_real *expected;      /* C after */
};

static ptrdiff_t row_at(const struct ur__gemm *g, int m, ptrdiff_t ld, ptrdiff_t ldgroup)
{
    if (g->row)
        return g->row[m] * ld;
    return g->group > 0 ? m / g->group * ldgroup + m % g->group * ld : m * ld;
}

/* Elements from the first row's begin to the last one's end. */
static size_t extent(const struct ur__gemm *g, ptrdiff_t ld, ptrdiff_t ldgroup, ptrdiff_t row)
{
    ptrdiff_t last = 0;
    for (int m = 0; m < g->M; m++)
        last = row_at(g, m, ld, ldgroup) > last ? row_at(g, m, ld, ldgroup) : last;
    return g->M > 0 && row > 0 ? (size_t)(last + row) : 0;
}

static void product_expect(struct product *p)
{
    const struct ur__gemm *g = &p->g;
    memcpy(p->expected, p->c0, p->c_size * sizeof(ur_real));
    for (int m = 0; m < g->M; m++) {
        const ur_real *a = g->a + row_at(g, m, g->a_row, g->a_group);
        ur_real *c = p->expected + row_at(g, m, g->c_row, g->c_group);
        for (int n = 0; n < g->N; n++) {
            ur_real sum = g->accumulate ? c[n] : g->start != NULL ? g->start[n] : 0;
            for (int k = 0; k < g->K; k++)
                sum = fmaf(a[k * g->a_k], g->b[k * g->b_k + n * g->b_col], sum);
            c[n] = sum;
        }
    }
}

/* M of 2M rows, from the last one down. */
static const int32_t *some_rows(int M)
{
    static int32_t rows[64];
    assert_true(M <= 64);
    for (int m = 0; m < M; m++)
        rows[m] = 2 * (M - 1 - m) + test_below(2);
    return rows;
}

/* group: rows in groups of so many; 0: all side by side; -1: by index. */
static void product_make(struct product *p, int M, int N, int K, enum a_layout la,
                         enum b_layout lb, enum start_from start, int group)
{
    static ur_real c0[SLOT_REALS], expected[SLOT_REALS];
    struct ur__gemm *g = &p->g;
    const int gap = test_below(5), groups = group > 0 ? (M + group - 1) / group : 1;
    const int rows = group > 0 ? group : group < 0 ? 2 * M : M;
    *g = (struct ur__gemm){.M = M, .N = N, .K = K, .group = group > 0 ? group : 0};
    g->row = group < 0 ? some_rows(M) : NULL;
    g->a_k = la == A_ROWS ? 1 : la == A_COLUMNS ? rows * groups + gap : 2;
    g->a_row = la == A_ROWS ? K + gap : la == A_COLUMNS ? 1 : 2 * K + gap;
    g->a_group = la == A_COLUMNS ? rows : rows * g->a_row + test_below(9);
    g->b_k = lb == B_COLUMNS ? 1 : lb == B_SPREAD ? 3 * N + gap : N + gap;
    g->b_col = lb == B_COLUMNS ? K + gap : lb == B_SPREAD ? 3 : 1;
    g->c_row = N + gap;
    g->c_group = rows * g->c_row + test_below(9);
    g->accumulate = start == START_C;
    g->start = start == START_ROW ? filled(3, (size_t)N, -1, 1) : NULL;
    const ptrdiff_t a_last = K > 0 ? (K - 1) * g->a_k + 1 : 0;
    g->a = filled(0, extent(g, g->a_row, g->a_group, a_last), -1, 1);
    const ptrdiff_t b_last = (K - 1) * g->b_k + (N - 1) * g->b_col;
    g->b = filled(1, K > 0 && N > 0 ? (size_t)b_last + 1 : 0, -1, 1);
    p->c_size = extent(g, g->c_row, g->c_group, N);
    g->c = guarded(2, p->c_size);
    fill(c0, p->c_size, -1, 1);
    p->c0 = c0;
    p->expected = expected;
    p->w = (struct ur__matrix){.K = K, .N = N};
    product_expect(p);
}

static void *scratch_of(const struct ur__kernel *k, int slot)
{
    const size_t reals = (k->scratch_bytes + 63) / 64 * 64 / sizeof(ur_real);
    return guarded(slot, reals);
}

static struct ur__gemm product_begin(struct product *p, const struct ur__kernel *k, bool packed)
{
    struct ur__gemm g = p->g;
    memcpy(g.c, p->c0, p->c_size * sizeof(ur_real));
    if (packed) {
        p->w.data = guarded(4, k->packed_bytes(&p->w) / sizeof(ur_real));
        k->pack(&p->w, 0, g.N, g.b, g.b_k, g.b_col);
        g.w = &p->w;
    }
    return g;
}

static void product_check(const struct product *p, const struct ur__kernel *k, const char *what)
{
    check_bits(what, k->name, p->g.c, p->expected, p->c_size);
    check_canaries();
}

static void gemm__is_one_chain_per_element_in_every_layout(void **state)
{
    (void)state;
    static const int Ms[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 18, 25, 64};
    static const int Ks[] = {0, 1, 2, 3, 7, 16, 17, 64, 127, 128, 129, 255, 256, 257, 300};
    long products = 0;
    for (int i = 0; i < 1500 / EACH; i++) {
        const int M = Ms[test_below(15)], K = Ks[test_below(15)];
        const int N = lengths[test_below(N_LENGTHS)];
        const enum a_layout la = test_below(A_LAYOUTS);
        const enum b_layout lb = test_below(B_LAYOUTS);
        struct product p;
        const int group = test_below(3) == 0 ? test_below(6) - 1 : 0;
        product_make(&p, M, N, K, la, lb, test_below(STARTS), group);
        EACH_TABLE(k) {
            struct ur__gemm g = product_begin(&p, k, lb == B_PACKED);
            const bool direct = g.w && g.a_k == 1;
            k->gemm(&g, 0, M, 0, N, direct ? NULL : scratch_of(k, 5));
            product_check(&p, k, "gemm");
            products++;
        }
    }
    print_message("%ld products, equal bits in all\n", products);
}

static void gemm__large_blocks_are_the_same_chains(void **state)
{
    (void)state;
    static const int sizes[][3] = {{200, 130, 520}, {193, 70, 513}, {1, 300, 1000}, {13, 257, 700},
                                   {400, 17, 300}};
    for (int i = 0; i < 5; i++) {
        for (int layout = 0; layout < A_LAYOUTS * B_LAYOUTS; layout++) {
            struct product p;
            const int M = sizes[i][0], N = sizes[i][1], K = sizes[i][2];
            product_make(&p, M, N, K, layout % A_LAYOUTS, layout / A_LAYOUTS, layout % STARTS, 0);
            EACH_TABLE(k) {
                struct ur__gemm g = product_begin(&p, k, layout / A_LAYOUTS == B_PACKED);
                k->gemm(&g, 0, M, 0, N, scratch_of(k, 5));
                product_check(&p, k, "large gemm");
            }
        }
    }
}

static void gemm__split_by_rows_columns_and_k_is_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 150 / EACH; i++) {
        const int M = 1 + test_below(30), N = 1 + test_below(300), K = 1 + test_below(300);
        struct product p;
        const bool packed = test_below(2) == 0;
        const enum b_layout lb = packed ? B_PACKED : B_COLUMNS;
        product_make(&p, M, N, K, test_below(2), lb, test_below(STARTS), 0);
        EACH_TABLE(k) {
            struct ur__gemm g = product_begin(&p, k, packed);
            const int m = test_below(M + 1), n = test_below(N / k->nr + 1) * k->nr;
            void *scratch = scratch_of(k, 5);
            k->gemm(&g, m, M, n, N, scratch);
            k->gemm(&g, 0, m, n, N, scratch);
            k->gemm(&g, 0, M, 0, n, scratch);
            product_check(&p, k, "gemm by parts");
            /* k in two calls: the second goes on from what the first stored. */
            if (packed)
                continue;
            g = product_begin(&p, k, false);
            g.K = test_below(K + 1);
            k->gemm(&g, 0, M, 0, N, scratch);
            g.a += g.K * g.a_k;
            g.b += g.K * g.b_k;
            g.K = K - g.K;
            g.accumulate = true;
            k->gemm(&g, 0, M, 0, N, scratch);
            product_check(&p, k, "gemm in two pieces of k");
        }
    }
}

/* Only the columns asked for are written, also where they end inside a panel. */
static void gemm__writes_its_columns_alone(void **state)
{
    (void)state;
    EACH_TABLE(k) {
        struct product p;
        product_make(&p, 7, 200, 33, A_ROWS, B_ROWS, START_ZERO, 0);
        for (int n1 = 1; n1 <= 200; n1++) {
            struct ur__gemm g = product_begin(&p, k, n1 % 2 == 0);
            k->gemm(&g, 2, 5, 0, n1, scratch_of(k, 5));
            for (int m = 0; m < 7; m++) {
                const bool in = m >= 2 && m < 5;
                const ptrdiff_t row = m * g.c_row;
                const ur_real *expected = in ? p.expected : p.c0;
                check_bits("inside", k->name, g.c + row, expected + row, (size_t)n1);
                check_bits("outside", k->name, g.c + row + n1, p.c0 + row + n1,
                           (size_t)(200 - n1));
            }
        }
    }
}

/* Rows given by the place of their 1 are rows of the matrix, in groups or not; packed by parts. */
static void gemm__of_one_hot_rows_picks_rows_of_the_matrix(void **state)
{
    (void)state;
    long products = 0;
    for (int i = 0; i < 300 / EACH; i++) {
        const int M = 1 + test_below(20), N = 1 + test_below(200), K = 1 + test_below(40);
        const int group = i % 3 ? 0 : 1 + test_below(4);
        struct product p;
        product_make(&p, M, N, K, A_ROWS, B_PACKED, i % 2 ? START_ROW : START_ZERO, group);
        int32_t id[64];
        for (int m = 0; m < M; m++) {
            ur_real *row = (ur_real *)p.g.a + row_at(&p.g, m, p.g.a_row, p.g.a_group);
            for (int k = 0; k < K; k++)
                row[k] = 0;
            const ptrdiff_t at = group ? m / group * (group + 1) + m % group : m;
            id[at] = test_below(K);
            row[id[at]] = 1;
        }
        product_expect(&p);
        EACH_TABLE(k) {
            struct ur__gemm g = product_begin(&p, k, true);
            const int n = test_below(N / k->nr + 1) * k->nr, m = test_below(M + 1);
            k->pack(&p.w, 0, n, g.b, g.b_k, g.b_col);
            k->pack(&p.w, n, N, g.b, g.b_k, g.b_col);
            g.a = NULL;
            g.id = id;
            g.a_group = group + 1;
            k->gemm(&g, 0, m, 0, N, NULL);
            k->gemm(&g, m, M, 0, n, NULL);
            k->gemm(&g, m, M, n, N, NULL);
            product_check(&p, k, "one-hot gemm");
            products++;
        }
    }
    print_message("%ld products, equal bits in all\n", products);
}

static void gemm__is_near_the_exact_product(void **state)
{
    (void)state;
    struct product p;
    product_make(&p, 20, 50, 400, A_ROWS, B_ROWS, START_ZERO, 0);
    const struct ur__gemm *g = &p.g;
    for (int m = 0; m < 20; m++) {
        for (int n = 0; n < 50; n++) {
            double sum = 0, size = 0;
            for (int k = 0; k < 400; k++) {
                const double term = (double)g->a[m * g->a_row + k] * (double)g->b[k * g->b_k + n];
                sum += term;
                size += fabs(term);
            }
            assert_true(fabs((double)p.expected[m * g->c_row + n] - sum) <= size * 400 * 0x1p-24);
        }
    }
}

static void gemm_run__same_bits_for_any_team(void **state)
{
    (void)state;
    static const int teams[] = {0, 1, 2, 3, 7};
    for (int t = 0; t < 5; t++) {
        ur_team *team = NULL;
        if (t > 0)
            assert_int_equal(ur_team_new(&team, teams[t]), UR_OK);
        for (int i = 0; i < 24 / EACH + 1; i++) {
            const int M = 1 + test_below(i % 2 ? 9 : 200), N = 1 + test_below(300);
            const int K = test_below(200);
            struct product p;
            const enum b_layout lb = test_below(B_LAYOUTS);
            product_make(&p, M, N, K, test_below(A_LAYOUTS), lb, test_below(STARTS), 0);
            EACH_TABLE(k) {
                struct ur__gemm g = product_begin(&p, k, lb == B_PACKED);
                const size_t bytes = ur__gemm_scratch(k, ur_team_size(team));
                assert_true(bytes >= k->scratch_bytes * (size_t)ur_team_size(team));
                void *scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
                ur__gemm_run(k, &g, team, scratch);
                free(scratch);
                product_check(&p, k, "gemm on a team");
            }
        }
        ur_team_free(team);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm__is_one_chain_per_element_in_every_layout),
        cmocka_unit_test(gemm__large_blocks_are_the_same_chains),
        cmocka_unit_test(gemm__split_by_rows_columns_and_k_is_the_same),
        cmocka_unit_test(gemm__writes_its_columns_alone),
        cmocka_unit_test(gemm__of_one_hot_rows_picks_rows_of_the_matrix),
        cmocka_unit_test(gemm__is_near_the_exact_product),
        cmocka_unit_test(gemm_run__same_bits_for_any_team),
    };
    return cmocka_run_group_tests_name("kernel gemm", tests, NULL, NULL);
}
