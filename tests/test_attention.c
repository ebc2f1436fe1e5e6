/* SPDX-License-Identifier: MIT */
/* Attention beside sums written out in double, a memory's padding, nets between tensors of state,
 * and calls that make no sense. */
#include "testing.h"

#include <math.h>

#include "base/random.h"
#include "unroll/layer.h"

enum { S = 5, T = 3, B = 3, M = 4 };

struct net {
    ur_params *params;
    ur_tape *tape;
    ur_attention_layer layer;
    ur_real states[S * B * M], query[T * B * M];
};

static void make(struct net *n, ur_scoring kind)
{
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_tape_new(&n->tape, NULL));
    assert_ok(ur_attention_init(&n->layer, n->params, "a", kind, M, M));
    assert_ok(ur_params_build(n->params, 3));
    for (uint32_t i = 0; i < S * B * M; i++)
        n->states[i] = (ur_real)(2 * ur_random_uniform(1, UR__STREAM_USER, 0, i) - 1);
    for (uint32_t i = 0; i < T * B * M; i++)
        n->query[i] = (ur_real)(2 * ur_random_uniform(1, UR__STREAM_USER, 1, i) - 1);
}

static void unmake(struct net *n)
{
    ur_tape_free(n->tape);
    ur_params_free(n->params);
}

static ur_tensor *tensor(const struct net *n, int steps, const ur_real *x)
{
    return ur_constant(n->tape, 3, (int[]){steps, B, M}, x);
}

/* Row i of a parameter times x, and its bias, if there are any. */
static double times(const struct net *n, const ur_linear_layer *l, int i, const ur_real *x)
{
    const ur_real *w = ur_param_data(n->params, l->weight) + (ptrdiff_t)i * l->I;
    double sum = l->bias ? (double)ur_param_data(n->params, l->bias)[i] : 0;
    for (int k = 0; k < l->I; k++)
        sum += (double)w[k] * (double)x[k];
    return sum;
}

static double score(const struct net *n, const ur_real *q, const ur_real *m)
{
    double sum = 0;
    for (int i = 0; i < M; i++)
        switch (n->layer.kind) {
        case UR_SCORE_DOT:
            sum += (double)q[i] * (double)m[i];
            break;
        case UR_SCORE_GENERAL:
            sum += (double)q[i] * times(n, &n->layer.key, i, m);
            break;
        case UR_SCORE_ADDITIVE:
            sum += (double)ur_param_data(n->params, n->layer.score.weight)[i]
                * tanh(times(n, &n->layer.ask, i, q) + times(n, &n->layer.key, i, m));
            break;
        }
    return sum;
}

static void check(const struct net *n, const int *lengths, const ur_real *context,
                  const ur_real *weights)
{
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++) {
            const int steps = lengths ? lengths[b] : S;
            double share[S], sum = 0, c[M] = {0};
            for (int s = 0; s < steps; s++)
                sum += share[s] = exp(score(n, n->query + (t * B + b) * M,
                                            n->states + (s * B + b) * M));
            for (int s = 0; s < steps; s++)
                for (int i = 0; i < M; i++)
                    c[i] += share[s] / sum * (double)n->states[(s * B + b) * M + i];
            for (int s = 0; s < S; s++)
                assert_true(fabs((double)weights[(b * T + t) * S + s]
                                 - (s < steps ? share[s] / sum : 0)) < 1e-6);
            for (int i = 0; i < M; i++)
                assert_true(fabs((double)context[(t * B + b) * M + i] - c[i]) < 1e-6);
        }
}

static void attention__is_what_its_equations_say(void **unused)
{
    (void)unused;
    static const int lengths[B] = {S, 2, 0};
    for (int kind = UR_SCORE_DOT; kind <= UR_SCORE_ADDITIVE; kind++)
        for (int padded = 0; padded < 2; padded++) {
            struct net n;
            ur_attention_memory memory;
            ur_tensor *weights;
            make(&n, (ur_scoring)kind);
            ur_attention_remember(n.tape, &n.layer, tensor(&n, S, n.states),
                                  padded ? lengths : NULL, &memory);
            const ur_tensor *c = ur_attention(n.tape, &n.layer, &memory, tensor(&n, T, n.query),
                                              &weights);
            assert_ok(ur_tape_status(n.tape));
            check(&n, padded ? lengths : NULL, ur_data(c), ur_data(weights));
            unmake(&n);
        }
}

static void refused(struct net *n, ur_status status, const ur_tensor *y, const char *message)
{
    assert_null(y);
    assert_int_equal(ur_tape_status(n->tape), status);
    if (!strstr(ur_errmsg(), message))
        fail_msg("\"%s\" is not in \"%s\"", message, ur_errmsg());
    ur_tape_reset(n->tape);
}

static void attention__refuses_what_does_not_fit(void **unused)
{
    (void)unused;
    struct net n;
    ur_attention_memory memory = {0};
    ur_attention_layer none = {0};
    make(&n, UR_SCORE_GENERAL);
    ur_params *p;
    assert_ok(ur_params_new(&p));
    assert_status(UR_EINVAL, ur_attention_init(&none, p, "a", UR_SCORE_DOT, 3, 4));
    assert_status(UR_EINVAL, ur_attention_init(&none, p, "a", (ur_scoring)7, 3, 3));
    assert_status(UR_EINVAL, ur_attention_init(&none, p, "a", UR_SCORE_GENERAL, 0, 3));
    assert_int_equal(ur_params_count(p), 0);
    ur_params_free(p);
    none = (ur_attention_layer){0};
    refused(&n, UR_EINVAL, ur_attention_remember(n.tape, &none, tensor(&n, S, n.states), NULL,
                                                 &memory), "not initialised");
    refused(&n, UR_EINVAL, ur_attention_remember(n.tape, &n.layer, tensor(&n, S, n.states), NULL,
                                                 NULL), "memory is NULL");
    refused(&n, UR_ESHAPE, ur_attention_remember(n.tape, &n.layer, ur_constant(
        n.tape, 3, (int[]){2, 2, 3}, n.states), NULL, &memory), "the states are [2,2,3]");
    static const int longer[B] = {S + 1, 1, 1};
    ur_attention_remember(n.tape, &n.layer, tensor(&n, S, n.states), longer, &memory);
    refused(&n, UR_ESHAPE, ur_attention(n.tape, &n.layer, &memory, tensor(&n, T, n.query), NULL),
            "length");
    ur_attention_remember(n.tape, &n.layer, tensor(&n, S, n.states), NULL, &memory);
    refused(&n, UR_ESHAPE, ur_attention(n.tape, &n.layer, &memory, ur_constant(
        n.tape, 2, (int[]){3, 4}, n.query), NULL), "the queries are [3,4]");
    assert_null(ur_attention_remember(n.tape, &n.layer, NULL, NULL, &memory));
    assert_null(ur_attention(n.tape, &n.layer, &memory, tensor(&n, T, n.query), NULL));
    unmake(&n);
}

/* A whole pass, and two halves of it of which the second starts from what the first left. */
static void forward_from__goes_on_where_it_stopped(void **unused)
{
    (void)unused;
    static const ur_cell cells[] = {UR_CELL_LSTM, UR_CELL_GRU, UR_CELL_RNN};
    for (int i = 0; i < 6; i++) {
        struct net n;
        ur_rnn *rnn;
        ur_rnn_options o;
        ur_tensor *state[4] = {NULL}, *half[4] = {NULL};
        make(&n, UR_SCORE_DOT);
        ur_params *p;
        assert_ok(ur_params_new(&p));
        ur_rnn_options_init(&o);
        o.cell = cells[i % 3];
        o.norm = i < 3 || i == 5 ? UR_NORM_NONE : UR_NORM_LAYER;
        o.input = M;
        o.layers = 2;
        o.hidden[0] = o.hidden[1] = 3;
        o.learned_state = i == 5;
        assert_ok(ur_rnn_new(&rnn, p, "rnn", &o));
        assert_ok(ur_params_build(p, 4));
        assert_ok(ur_rnn_prepare(rnn));
        assert_int_equal(ur_rnn_states(rnn), o.cell == UR_CELL_LSTM ? 4 : 2);
        ur_tensor *x = tensor(&n, S, n.states);
        const ur_tensor *y = ur_rnn_forward_from(n.tape, rnn, x, NULL, state);
        const ur_tensor *plain = ur_rnn_forward(n.tape, rnn, x, NULL, NULL);
        assert_ok(ur_tape_status(n.tape));
        assert_memory_equal(ur_data(y), ur_data(plain), ur_size(y) * sizeof(ur_real));
        const ur_tensor *a = ur_rnn_forward_from(n.tape, rnn, ur_slice(x, 0, 0, 2), NULL, half);
        const ur_tensor *b = ur_rnn_forward_from(n.tape, rnn, ur_slice(x, 0, 2, S), NULL, half);
        assert_ok(ur_tape_status(n.tape));
        assert_memory_equal(ur_data(y), ur_data(a), ur_size(a) * sizeof(ur_real));
        assert_memory_equal(ur_data(y) + ur_size(a), ur_data(b), ur_size(b) * sizeof(ur_real));
        for (int k = 0; k < ur_rnn_states(rnn); k++)
            assert_memory_equal(ur_data(state[k]), ur_data(half[k]),
                                ur_size(half[k]) * sizeof(ur_real));
        half[0] = x;
        refused(&n, UR_ESHAPE, ur_rnn_forward_from(n.tape, rnn, x, NULL, half), "an initial h is");
        refused(&n, UR_EINVAL, ur_rnn_forward_from(n.tape, rnn, tensor(&n, S, n.states), NULL,
                                                   NULL), "tensors of the state are NULL");
        ur_rnn_free(rnn);
        ur_params_free(p);
        unmake(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention__is_what_its_equations_say),
        cmocka_unit_test(attention__refuses_what_does_not_fit),
        cmocka_unit_test(forward_from__goes_on_where_it_stopped),
    };
    return cmocka_run_group_tests_name("attention", tests, NULL, NULL);
}
