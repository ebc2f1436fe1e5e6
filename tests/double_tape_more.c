/* SPDX-License-Identifier: MIT */
/*
 * Gradients of the tape's operations against central differences, in double, continued
 * from double_tape.c: choices, batched products, normalisation, masks, losses, order.
 */
#include "double_tape.h"

/* ---- random cases ------------------------------------------------------ */

/* Away from the kinks of abs and clamp at -1, 0 and 1. */
static void draw_off_kinks(struct sample *s)
{
    draw_one(s);
    for (size_t i = 0; i < s->in[0].size; i++)
        s->in[0].data[i] = integer(-2, 1) + uniform(0.05, 0.95);
}

static void draw_positive(struct sample *s)
{
    draw_one(s);
    values(&s->in[0], 0.4, 2.5);
}

static void draw_three(struct sample *s)
{
    draw_stretched(s, 3);
}

/* Targets of a Bernoulli loss lie in [0,1]. */
static void draw_logits(struct sample *s)
{
    draw_two(s);
    values(&s->in[0], -4, 4);
    values(&s->in[1], 0, 1);
}

static void draw_bmm(struct sample *s, bool transposed)
{
    static const int most[] = {1, 4, 3, 2};
    int lead = integer(0, 3), M = integer(1, 4), N = integer(1, 4), K = integer(1, 4);
    int dim[UR_MAX_RANK], keep = integer(0, 1);
    for (int i = 0; i < lead; i++)
        dim[i] = integer(1, most[lead]);
    for (int k = 0; k < 2; k++) {
        int own[UR_MAX_RANK], rank = 0;
        for (int i = k == keep ? 0 : integer(0, lead); i < lead; i++)
            own[rank++] = uniform(0, 1) < 0.35 ? 1 : dim[i];
        own[rank++] = k == 0 ? M : transposed ? N : K;
        own[rank++] = k == 0 ? K : transposed ? K : N;
        add_input(s, rank, own);
    }
}

static void draw_bmm_plain(struct sample *s)
{
    draw_bmm(s, false);
}

static void draw_bmm_transposed(struct sample *s)
{
    draw_bmm(s, true);
}

/* gain and bias, each in half of the cases; few numbers with a large epsilon, because
 * rows of nearly equal numbers bend too sharply for differences. */
static void draw_norm(struct sample *s)
{
    draw_one(s);
    int N = s->in[0].dim[s->in[0].rank - 1];
    s->begin = integer(0, 3);
    for (int k = 1; k <= 2; k++)
        if (s->begin & k)
            add_input(s, 1, &N);
    s->p = N < 6 ? 0.1 : 1e-5;
}

static void draw_permute(struct sample *s)
{
    draw_one(s);
    int rank = s->in[0].rank;
    for (int i = 0; i < rank; i++) {
        int j = integer(0, i);
        s->shape[i] = s->shape[j];
        s->shape[j] = i;
    }
}

static void draw_matrix(struct sample *s)
{
    int dim[UR_MAX_RANK];
    add_input(s, random_shape(dim, 2, UR_MAX_RANK), dim);
}

/* Lengths of up to `most` for each place of dimension `batch`. */
static void draw_lengths(struct sample *s, int batch, int most)
{
    assert_in_range(s->in[0].dim[batch], 1, COUNT(s->id));
    for (int b = 0; b < s->in[0].dim[batch]; b++)
        s->id[b] = integer(0, most);
}

static void draw_reverse(struct sample *s)
{
    draw_matrix(s);
    draw_lengths(s, 1, s->in[0].dim[0]);
}

static void draw_keys(struct sample *s)
{
    draw_matrix(s);
    draw_lengths(s, 0, s->in[0].dim[s->in[0].rank - 1]);
}

static void draw_mask(struct sample *s)
{
    draw_one(s);
    int rank = s->in[0].rank, less = integer(0, rank - 1);
    s->rank = rank - less;
    for (int i = less; i < rank; i++)
        s->shape[i - less] = uniform(0, 1) < 0.25 ? 1 : s->in[0].dim[i];
}

/* queries [Tq,B,H], keys [Tk,B,H], gain [H] */
static void draw_attention(struct sample *s)
{
    int B = integer(1, 3), H = integer(2, 4), K = integer(1, 4);
    add_input(s, 3, (int[]){K, B, H});
    add_input(s, 3, (int[]){integer(1, 3), B, H});
    add_input(s, 1, &H);
    draw_lengths(s, 1, K);
}

/* scores [T,B,K], transitions [K,K], start and end [K]; lengths in id, labels behind them. */
static void draw_crf(struct sample *s)
{
    int T = integer(1, 4), B = integer(1, 3), K = integer(1, 4);
    add_input(s, 3, (int[]){T, B, K});
    add_input(s, 2, (int[]){K, K});
    add_input(s, 1, &K);
    add_input(s, 1, &K);
    draw_lengths(s, 1, T);
    for (int i = 0; i < T * B; i++)
        s->id[B + i] = integer(0, K - 1);
    s->ids = (ur_ids){s->id + B, T, B};
}

/* Logits [n,V] and targets, some absent; weights in shape as tenths, some 0; smoothing in p. */
static void draw_smooth(struct sample *s)
{
    int n = integer(1, 6), V = integer(1, 5);
    add_input(s, 2, (int[]){n, V});
    for (int i = 0; i < n; i++)
        s->id[i] = integer(-1, V - 1);
    for (int c = 0; c < V; c++)
        s->shape[c] = integer(0, 20);
    s->ids = (ur_ids){s->id, n, 1};
    s->p = uniform(0, 1) < 0.3 ? 0 : uniform(0, 0.9);
    s->begin = integer(0, 1);
}

/* ---- what the cases compute -------------------------------------------- */

/* Ones and zeros by the sign of x, which differences do not change. */
static ur_tensor *signs(ur_tape *t, const ur_tensor *x)
{
    ur_real one[MAX_SIZE];
    int dim[UR_MAX_RANK];
    for (size_t i = 0; i < ur_size(x); i++)
        one[i] = ur_data(x) && ur_data(x)[i] > 0;   /* a measuring tape has no data */
    for (int i = 0; i < ur_rank(x); i++)
        dim[i] = ur_dim(x, i);
    return ur_copy_in(t, ur_rank(x), dim, one);
}

static ur_tensor *mask(ur_tape *t, const struct sample *s)
{
    ur_real on[MAX_SIZE];
    for (uint32_t i = 0; i < MAX_SIZE; i++)
        on[i] = ur_random_uniform(8, s->weight_stream, 0, i) < 0.6 ? 7 : 0;
    return ur_copy_in(t, s->rank, s->shape, on);
}

RUN(neg, ur_neg(x[0]))
RUN(square, ur_square(x[0]))
RUN(sqrt, ur_sqrt(x[0]))
RUN(abs, ur_abs(x[0]))
RUN(clamp, ur_clamp(x[0], -1, 1))
RUN(maximum, ur_maximum(x[0], x[1]))
RUN(minimum, ur_minimum(x[0], x[1]))
RUN(where, ur_where(signs(t, x[0]), x[1], x[2]))
RUN(where_same, ur_where(signs(t, x[0]), x[0], x[1]))
RUN(max_over, ur_max_over(x[0], s->dim))
RUN(bmm, ur_bmm(x[0], x[1]))
RUN(bmm_t, ur_bmm_t(x[0], x[1]))
RUN(layer_norm, ur_layer_norm(x[0], s->begin & 1 ? x[1] : NULL,
                              s->begin & 2 ? x[s->n - 1] : NULL, s->p))
RUN(permute, ur_permute(x[0], s->shape))
RUN(transpose, ur_transpose(x[0]))
RUN(reverse, ur_reverse(x[0], s->id))
RUN(reverse_all, ur_reverse(x[0], NULL))
RUN(softmax_lengths, ur_softmax_lengths(x[0], s->id))
RUN(masked_softmax, ur_masked_softmax(x[0], mask(t, s)))
RUN(crf, ur_crf_loss(x[0], x[1], x[2], x[3], s->ids, s->id))
RUN(squared_error, ur_squared_error(x[0], x[1]))
RUN(absolute_error, ur_absolute_error(x[0], x[1]))
RUN(gaussian_nll, ur_gaussian_nll(x[0], x[1], x[2]))
RUN(gaussian_nll_each, ur_gaussian_nll_each(x[0], x[1], x[2]))
RUN(quantile_loss, ur_quantile_loss(x[0], x[1], x[2]))
RUN(quantile_loss_each, ur_quantile_loss_each(x[0], x[1], x[2]))
RUN(bernoulli_nll, ur_bernoulli_nll(x[0], x[1]))
RUN(bernoulli_nll_each, ur_bernoulli_nll_each(x[0], x[1]))
RUN(stop, ur_mul(ur_stop_gradient(signs(t, x[0])), ur_square(x[0])))

static ur_tensor *run_attention(ur_tape *t, ur_tensor *const *x, struct sample *s)
{
    (void)t;
    static const int to_batch[] = {1, 0, 2};
    ur_tensor *keys = ur_permute(x[0], to_batch), *queries = ur_permute(x[1], to_batch);
    ur_tensor *weights = ur_softmax_lengths(ur_bmm_t(queries, keys), s->id);
    ur_tensor *found = ur_permute(ur_bmm(weights, keys), to_batch);
    return ur_layer_norm(ur_add(found, x[1]), x[2], NULL, 0.1);
}

static ur_tensor *run_smooth(ur_tape *t, ur_tensor *const *x, struct sample *s)
{
    ur_real w[UR_MAX_RANK];
    for (int c = 0; c < ur_dim(x[0], 1); c++)
        w[c] = (ur_real)s->shape[c] / 10;
    return ur_weighted_cross_entropy(t, x[0], s->ids, s->begin ? w : NULL, s->p);
}

static const struct operation operations[] = {
    OP(neg, draw_one), OP(square, draw_one), OP(sqrt, draw_positive), OP(abs, draw_off_kinks),
    OP(clamp, draw_off_kinks), OP(maximum, draw_two), OP(minimum, draw_two),
    OP(where, draw_three), OP(where_same, draw_two), OP(max_over, draw_dim),
    OP(bmm, draw_bmm_plain), OP(bmm_t, draw_bmm_transposed), OP(layer_norm, draw_norm),
    OP(permute, draw_permute), OP(transpose, draw_matrix), OP(reverse, draw_reverse),
    OP(reverse_all, draw_one), OP(softmax_lengths, draw_keys), OP(masked_softmax, draw_mask),
    OP(smooth, draw_smooth), OP(crf, draw_crf), OP(squared_error, draw_two),
    OP(absolute_error, draw_two), OP(gaussian_nll, draw_three),
    OP(gaussian_nll_each, draw_three), OP(bernoulli_nll, draw_logits),
    OP(quantile_loss, draw_three), OP(quantile_loss_each, draw_three),
    OP(bernoulli_nll_each, draw_logits), OP(stop, draw_off_kinks), OP(attention, draw_attention),
};

/* ---- the check --------------------------------------------------------- */

static void gradients__of_every_operation(void **state)
{
    (void)state;
    check_operations(operations, COUNT(operations));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients__of_every_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
