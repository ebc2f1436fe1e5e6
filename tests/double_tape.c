/* SPDX-License-Identifier: MIT */
/*
 * Gradients of the tape's operations against central differences, in double. Kinks are
 * excluded by keeping inputs away from them. More operations are in double_tape_more.c.
 */
#include "double_tape.h"

/* ---- random cases ------------------------------------------------------ */

static void draw_division(struct sample *s)
{
    draw_two(s);
    values(&s->in[1], 0.6, 2);
    for (size_t i = 0; i < s->in[1].size; i += 2)
        s->in[1].data[i] *= -1;
}

static void draw_positive(struct sample *s)
{
    draw_one(s);
    values(&s->in[0], 0.4, 2.5);
}

/* Away from the kinks of relu and satlin at 0 and 1. */
static void draw_off_kinks(struct sample *s)
{
    draw_one(s);
    for (size_t i = 0; i < s->in[0].size; i++)
        s->in[0].data[i] = integer(-1, 1) + uniform(0.05, 0.95);
}

static void draw_dropout(struct sample *s)
{
    draw_one(s);
    s->p = uniform(0.1, 0.7);
}

static void draw_affine(struct sample *s)
{
    draw_one(s);
    s->p = uniform(-2, 2);
    s->q = uniform(-2, 2);
}

static void draw_product(struct sample *s, bool transposed)
{
    int dim[UR_MAX_RANK] = {0}, rank = random_shape(dim, 1, UR_MAX_RANK);
    int K = dim[rank - 1], N = integer(1, 9);
    add_input(s, rank, dim);
    add_input(s, 2, transposed ? (int[]){N, K} : (int[]){K, N});
}

static void draw_matmul(struct sample *s)
{
    draw_product(s, false);
}

static void draw_matmul_t(struct sample *s)
{
    draw_product(s, true);
}

static void draw_square(struct sample *s)
{
    int n = integer(1, 6);
    add_input(s, 2, (int[]){n, n});
}

static void draw_slice(struct sample *s)
{
    draw_dim(s);
    int n = s->in[0].dim[s->dim < 0 ? s->dim + s->in[0].rank : s->dim];
    s->begin = integer(0, n - 1);
    s->end = integer(s->begin + 1, n);
}

static void draw_at(struct sample *s)
{
    draw_one(s);
    s->begin = integer(0, s->in[0].dim[0] - 1);
}

static void draw_reshape(struct sample *s)
{
    draw_one(s);
    int rank = s->rank = integer(1, 3), size = (int)s->in[0].size;
    for (int i = 0; i < rank; i++) {
        int d = i == rank - 1 ? size : integer(1, size);
        while (size % d != 0)
            d--;
        s->shape[i] = d;
        size /= d;
    }
    s->shape[integer(0, rank - 1)] = -1;
}

static void draw_concat(struct sample *s)
{
    int dim[UR_MAX_RANK], rank = random_shape(dim, 1, UR_MAX_RANK), n = integer(1, 3);
    s->dim = integer(0, rank - 1);
    for (int i = 0; i < n; i++) {
        dim[s->dim] = integer(1, 3);
        add_input(s, rank, dim);
    }
}

static void draw_stack(struct sample *s)
{
    int dim[UR_MAX_RANK], rank = random_shape(dim, 1, UR_MAX_RANK - 1), n = integer(1, 4);
    for (int i = 0; i < n; i++)
        add_input(s, rank, dim);
}

static void draw_ids(struct sample *s, int low, int high)
{
    s->ids = (ur_ids){s->id, integer(1, 4), integer(1, 4)};
    for (int i = 0; i < s->ids.T * s->ids.B; i++)
        s->id[i] = integer(low, high);
}

static void draw_gather(struct sample *s)
{
    int V = integer(1, 6);
    add_input(s, 2, (int[]){V, integer(1, 9)});
    draw_ids(s, 0, V - 1);
}

static void draw_entropy(struct sample *s)
{
    int V = integer(1, 9);
    draw_ids(s, -1, V - 1);
    if (integer(0, 1))
        add_input(s, 3, (int[]){s->ids.T, s->ids.B, V});
    else
        add_input(s, 2, (int[]){s->ids.T * s->ids.B, V});
}

/* h of any rank, w [V,K] and, by chance, b [V]. */
static void draw_decode(struct sample *s)
{
    int V = integer(1, 9), K = integer(1, 9);
    draw_ids(s, -1, V - 1);
    if (integer(0, 1))
        add_input(s, 3, (int[]){s->ids.T, s->ids.B, K});
    else
        add_input(s, 2, (int[]){s->ids.T * s->ids.B, K});
    add_input(s, 2, (int[]){V, K});
    if (integer(0, 1))
        add_input(s, 1, &V);
}

/* x [T,B,I], wx [I,4H], wh [H,4H], bias [4H]. */
static void draw_lstm(struct sample *s)
{
    int T = integer(1, 4), B = integer(1, 3), I = integer(1, 4), H = integer(1, 4);
    add_input(s, 3, (int[]){T, B, I});
    add_input(s, 2, (int[]){I, 4 * H});
    add_input(s, 2, (int[]){H, 4 * H});
    add_input(s, 1, (int[]){4 * H});
    draw_ids(s, 0, H - 1);
    s->ids.T = T;
    s->ids.B = B;
}

/* keys [T,B,H], query [B,H], w [H,H]. */
static void draw_attention(struct sample *s)
{
    int T = integer(1, 4), B = integer(1, 3), H = integer(1, 4);
    add_input(s, 3, (int[]){T, B, H});
    add_input(s, 2, (int[]){B, H});
    add_input(s, 2, (int[]){H, H});
}

/* ---- what the cases compute -------------------------------------------- */

RUN(add, ur_add(x[0], x[1]))
RUN(sub, ur_sub(x[0], x[1]))
RUN(mul, ur_mul(x[0], x[1]))
RUN(div, ur_div(x[0], x[1]))
RUN(twice, ur_mul(ur_add(x[0], x[0]), x[0]))
RUN(affine, ur_affine(x[0], s->p, s->q))
RUN(matmul, ur_matmul(x[0], x[1]))
RUN(matmul_t, ur_matmul_t(x[0], x[1]))
RUN(square, ur_matmul_t(ur_matmul(x[0], x[0]), x[0]))
RUN(tanh, ur_tanh(x[0]))
RUN(sigmoid, ur_sigmoid(x[0]))
RUN(relu, ur_relu(x[0]))
RUN(satlin, ur_satlin(x[0]))
RUN(exp, ur_exp(x[0]))
RUN(log, ur_log(x[0]))
RUN(activate, ur_activate(x[0], (ur_activation)((unsigned)s->weight_stream % 5)))
RUN(sum, ur_sum(x[0]))
RUN(mean, ur_mean(x[0]))
RUN(sum_over, ur_sum_over(x[0], s->dim))
RUN(mean_over, ur_mean_over(x[0], s->dim))
RUN(softmax, ur_softmax(x[0]))
RUN(log_softmax, ur_log_softmax(x[0]))
RUN(cross_entropy, ur_cross_entropy(t, x[0], s->ids))
RUN(decode, ur_matmul_cross_entropy(t, x[0], x[1], s->n > 2 ? x[2] : NULL, s->ids))
RUN(reshape, ur_reshape(x[0], s->rank, s->shape))
RUN(concat, ur_concat(t, s->n, x, s->dim))
RUN(slice, ur_slice(x[0], s->dim, s->begin, s->end))
RUN(at, ur_at(x[0], s->begin))
RUN(stack, ur_stack(t, s->n, x))
RUN(gather, ur_gather(t, x[0], s->ids))

static ur_tensor *run_dropout(ur_tape *t, ur_tensor *const *x, struct sample *s)
{
    ur_tape_set_training(t, true, 1, s->weight_stream);
    return ur_mul(ur_dropout(x[0], s->p), ur_dropout(x[0], 0.5));
}

static ur_tensor *run_lstm(ur_tape *t, ur_tensor *const *x, struct sample *s)
{
    int T = ur_dim(x[0], 0), B = ur_dim(x[0], 1), H = ur_dim(x[2], 0);
    ur_tensor *h = ur_copy_in(t, 2, (int[]){B, H}, NULL), *c = h, *all[8];
    for (int step = 0; step < T; step++) {
        ur_tensor *pre = ur_add(ur_matmul(ur_at(x[0], step), x[1]), ur_matmul(h, x[2]));
        pre = ur_add(pre, x[3]);
        ur_tensor *i = ur_sigmoid(ur_slice(pre, 1, 0, H));
        ur_tensor *f = ur_sigmoid(ur_slice(pre, 1, H, 2 * H));
        ur_tensor *g = ur_tanh(ur_slice(pre, 1, 2 * H, 3 * H));
        ur_tensor *o = ur_sigmoid(ur_slice(pre, 1, 3 * H, 4 * H));
        c = ur_add(ur_mul(f, c), ur_mul(i, g));
        all[step] = h = ur_mul(o, ur_tanh(c));
    }
    ur_tensor *y = ur_stack(t, T, all);
    return ur_add(ur_cross_entropy(t, y, s->ids), ur_mean(ur_mul(y, y)));
}

static ur_tensor *run_attention(ur_tape *t, ur_tensor *const *x, struct sample *s)
{
    (void)t;
    (void)s;
    int T = ur_dim(x[0], 0), B = ur_dim(x[0], 1);
    ur_tensor *scores = ur_sum_over(ur_mul(x[0], ur_matmul_t(x[1], x[2])), -1);
    ur_tensor *weight = ur_exp(scores);
    weight = ur_div(weight, ur_sum_over(weight, 0));
    return ur_sum_over(ur_mul(x[0], ur_reshape(weight, 3, (int[]){T, B, 1})), 0);
}

static const struct operation operations[] = {
    OP(add, draw_two), OP(sub, draw_two), OP(mul, draw_two), OP(div, draw_division),
    OP(twice, draw_one), OP(affine, draw_affine), OP(matmul, draw_matmul),
    OP(matmul_t, draw_matmul_t), OP(square, draw_square), OP(tanh, draw_one),
    OP(sigmoid, draw_one), OP(relu, draw_off_kinks), OP(satlin, draw_off_kinks),
    OP(exp, draw_one), OP(log, draw_positive), OP(activate, draw_off_kinks),
    OP(dropout, draw_dropout), OP(sum, draw_one), OP(mean, draw_one), OP(sum_over, draw_dim),
    OP(mean_over, draw_dim), OP(softmax, draw_one), OP(log_softmax, draw_one),
    OP(cross_entropy, draw_entropy), OP(decode, draw_decode), OP(reshape, draw_reshape),
    OP(concat, draw_concat), OP(slice, draw_slice), OP(at, draw_at), OP(stack, draw_stack),
    OP(gather, draw_gather), OP(lstm, draw_lstm), OP(attention, draw_attention),
};

/* ---- the check --------------------------------------------------------- */

static void gradients__of_every_operation(void **state)
{
    (void)state;
    check_operations(operations, COUNT(operations));
}

/* Part of this loss is hidden from the tape, so its gradient is wrong. */
static ur_tensor *wrong_loss(ur_tape *t, ur_tensor *const *x, void *user)
{
    ur_real kept[MAX_SIZE];
    (void)user;
    memcpy(kept, ur_data(x[0]), ur_size(x[0]) * sizeof *kept);
    int n = (int)ur_size(x[0]);
    ur_tensor *hidden = ur_copy_in(t, 1, &n, kept);
    return ur_sum(ur_mul(ur_reshape(x[0], 1, &n), hidden));
}

static void check_gradients__sees_a_wrong_one(void **state)
{
    (void)state;
    struct sample s = {0};
    draw_positive(&s);
    struct sample before = s;
    double error = check(&s, wrong_loss);
    assert_true(error > 0.4 && error < 0.6);
    assert_memory_equal(&s, &before, sizeof s);
}

static ur_tensor *failing_loss(ur_tape *t, ur_tensor *const *x, void *user)
{
    (void)t;
    return user ? ur_tanh(x[0]) : ur_at(x[0], 100);
}

static void check_gradients__reports_failures(void **state)
{
    (void)state;
    struct sample s = {0};
    draw_lstm(&s);
    s.op = &operations[COUNT(operations) - 2];
    double worst;
    shape(&s.in[0], 3, (int[]){4, 1, 1});
    assert_status(UR_ESHAPE, check_some(&worst, failing_loss, NULL, &s, 1));
    assert_status(UR_ESHAPE, check_some(&worst, failing_loss, &s, &s, 1));
    assert_string_equal(ur_errmsg(), "check_gradients: the loss is [4,1,1], not one element");
    assert_status(UR_EINVAL, check_some(&worst, weighted_loss, &s, &s, 0));

    s = (struct sample){.op = s.op};
    draw_lstm(&s);
    long blocks = ur__mem_blocks(), at = 1;
    ur_status status = UR_ENOMEM;
    for (; status == UR_ENOMEM; at++) {
        ur__mem_fail_at(at, true);
        status = check_some(&worst, weighted_loss, &s, &s, 4);
        ur__mem_fail_at(0, false);
        assert_int_equal(ur__mem_blocks(), blocks);
    }
    assert_ok(status);
    assert_in_range(at, 9, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients__of_every_operation),
        cmocka_unit_test(check_gradients__sees_a_wrong_one),
        cmocka_unit_test(check_gradients__reports_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
