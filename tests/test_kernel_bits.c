/* SPDX-License-Identifier: MIT */
/* Hashes of what the kernels compute from fixed inputs: the same in every table, and the
 * same as stored here, whichever compiler and CPU. A change of bits changes every trained
 * model: it has to be meant. */
#include "test_kernel.h"

enum { N = 5000 };

struct data {
    ur_real a[N], b[N], c[N], d[N], e[4 * N], f[N];
    uint64_t hash;
};
static struct data data;

/* FNV-1a */
static void hash(const void *p, size_t bytes)
{
    const unsigned char *byte = p;
    for (size_t i = 0; i < bytes; i++)
        data.hash = (data.hash ^ byte[i]) * UINT64_C(0x100000001b3);
}

#define HASH(array) hash(array, sizeof(array))

static void refill(void)
{
    fill(data.a, N, -9, 9);
    fill(data.b, N, 0.01, 9);
    fill(data.c, N, -2, 2);
    fill(data.d, N, -1, 1);
    fill(data.e, 4 * N, -4, 4);
    fill(data.f, N, 0, 0.1);
}

static void hash_maps(const struct ur__kernel *k, int n)
{
    void (*const maps[])(size_t, const ur_real *, ur_real *) = {k->exp, k->tanh, k->sigmoid,
                                                                k->cos};
    const size_t count = (size_t)n;
    for (int m = 0; m < 4; m++) {
        maps[m](count, data.a, data.d);
        HASH(data.d);
    }
    k->log(count, data.b, data.d);
    HASH(data.d);
    k->sqrt(count, data.b, data.d);
    k->div(count, data.d, data.b, data.c);
    k->affine(count, (ur_real)1.3, data.c, (ur_real)0.2, data.a);
    k->axpy(count, (ur_real)0.7, data.a, data.d);
    k->muladd(count, data.b, data.c, data.d);
    const struct ur__draws draws = {.seed = 1, .stream = 2, .step = 3, .first = (uint64_t)n};
    k->dropout(count, 0.3, &draws, data.d, data.c);
    HASH(data.c);
}

static void hash_sums(const struct ur__kernel *k, int n)
{
    const size_t count = (size_t)n;
    const double sums[] = {k->sum(count, data.a), k->sum_squares(count, data.a),
                           k->dot(count, data.a, data.b), (double)k->max(count, data.a)};
    HASH(sums);
    k->softmax(n, data.a, data.d);
    HASH(data.d);
    k->log_softmax(n, data.a, data.d);
    HASH(data.d);
    const ur_real loss[] = {k->cross_entropy(n, data.a, n / 2, (ur_real)0.3, data.d)};
    HASH(loss);
    HASH(data.d);
    k->sum_rows(3, n / 4, data.a, n / 4 + 1, data.c);
    HASH(data.c);
}

static void hash_gates(const struct ur__kernel *k, int n)
{
    k->lstm_forward(n, data.e, data.c, data.d, data.a);
    HASH(data.a);
    k->lstm_backward(n, data.e, data.c, data.d, data.b, data.f);
    HASH(data.e);
    HASH(data.f);
    refill();
    k->gru_forward(n, data.e, data.c, data.a);
    HASH(data.a);
    k->gru_backward(n, data.e, data.c, data.d);
    HASH(data.e);
    refill();
    k->gru_before_open(n, data.e, data.c);
    k->gru_before_close(n, data.e, data.c, data.a);
    k->gru_before_back_open(n, data.e, data.c, data.a);
    k->gru_before_back_close(n, data.e, data.c, data.b, data.a);
    HASH(data.a);
    HASH(data.e);
    for (ur_activation f = UR_ACT_IDENTITY; f <= UR_ACT_SATLIN; f++) {
        k->rnn_forward(n, f, data.c, data.a);
        k->rnn_backward(n, f, data.a, data.b, data.d);
        k->activation_back((size_t)n, f, data.a, data.b, data.d);
        HASH(data.d);
    }
}

static void hash_optimizers(const struct ur__kernel *k, int n)
{
    const struct ur__opt o = {.lr = (ur_real)0.01, .scale = (ur_real)0.9, .clip = 1,
                              .weight_decay = (ur_real)0.1, .beta1 = (ur_real)0.9,
                              .beta2 = (ur_real)0.99, .eps = (ur_real)1e-8,
                              .correct1 = (ur_real)0.1, .correct2 = (ur_real)0.01,
                              .momentum = (ur_real)0.9};
    const size_t count = (size_t)n;
    k->adam(count, &o, data.a, data.c, data.d, data.f);
    k->adamw(count, &o, data.a, data.c, data.d, data.f);
    k->rmsprop(count, &o, data.a, data.c, data.f);
    k->adagrad(count, &o, data.a, data.c, data.f);
    k->sgd(count, &o, data.a, data.c, data.d);
    HASH(data.a);
    HASH(data.d);
    HASH(data.f);
}

static void hash_gemm(const struct ur__kernel *k, int n)
{
    const int K = 1 + n % 70;
    struct ur__gemm g = {.M = 17, .N = 67, .K = K, .a = data.a, .a_row = K, .a_k = 1, .b = data.e,
                         .b_k = 67, .b_col = 1, .c = data.d, .c_row = 70, .accumulate = true};
    void *scratch = aligned_alloc(64, (k->scratch_bytes + 63) / 64 * 64);
    k->gemm(&g, 0, 17, 0, 67, scratch);
    HASH(data.d);
    g.a_row = 1;
    g.a_k = 19;
    g.b_k = 1;
    g.b_col = K + 2;
    g.start = data.c;
    g.accumulate = false;
    k->gemm(&g, 0, 17, 0, 67, scratch);
    HASH(data.d);
    free(scratch);
}

static void check_hash(void (*part)(const struct ur__kernel *k, int n), const char *name,
                       uint64_t stored)
{
    EACH_TABLE(k) {
        test_state = 2463534242u;
        data.hash = UINT64_C(0xcbf29ce484222325);
        for (int round = 0; round < 40; round++) {
            refill();
            part(k, 1 + test_below(N - 100));
        }
        if (k == ur__kernels_available()[0])
            print_message("%-10s %016llx\n", name, (unsigned long long)data.hash);
        if (data.hash != stored)
            fail_msg("%s, %s: hash %016llx, stored %016llx", name, k->name,
                     (unsigned long long)data.hash, (unsigned long long)stored);
    }
}

static void bits__are_the_stored_ones(void **state)
{
    (void)state;
    check_hash(hash_maps, "maps", UINT64_C(0x6c149d67047edc83));
    check_hash(hash_sums, "sums", UINT64_C(0x4139a51c231eb068));
    check_hash(hash_gates, "gates", UINT64_C(0x013000978c5ce578));
    check_hash(hash_optimizers, "optimizers", UINT64_C(0x71df20c9f3f026fd));
    check_hash(hash_gemm, "gemm", UINT64_C(0xc83ad049fae55e71));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits__are_the_stored_ones),
    };
    return cmocka_run_group_tests_name("kernel bits", tests, NULL, NULL);
}
