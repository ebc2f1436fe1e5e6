/* SPDX-License-Identifier: MIT */
/* Gradients reported as they become final, and layers that run without a tape. */
#include "testing.h"

#include "extra/extra.h"
#include "unroll/layer.h"

enum { T = 7, B = 5, V = 11, E = 6, H = 9, SIZE = 20000, REPORTS = 200 };

struct net {
    ur_params *params;
    ur_embedding embed;
    ur_rnn *rnn;
    ur_linear_layer out, apart;
    ur_tape *tape;
    ur_team *team;
};

/* What was reported: ranges, and the numbers that stood there. */
static struct seen {
    ur_params *params;
    int n;
    size_t offset[REPORTS], size[REPORTS];
    ur_real then[SIZE];
} seen;

static void see(void *user, size_t offset, size_t n)
{
    struct seen *s = user;
    assert_true(s->n < REPORTS && offset + n <= SIZE);
    s->offset[s->n] = offset;
    s->size[s->n++] = n;
    memcpy(s->then + offset, ur_params_grads(s->params) + offset, n * sizeof *s->then);
}

static void make(struct net *n, int cell, ur_norm norm, int threads)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = (ur_cell)cell;
    o.norm = norm;
    o.input = E;
    o.layers = 3;
    o.hidden[0] = o.hidden[1] = o.hidden[2] = H;
    o.bidirectional = o.learned_state = true;
    o.dropout = 0.25;
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_embedding_init(&n->embed, n->params, "embed", V, E));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &o));
    assert_ok(ur_linear_init(&n->out, n->params, "out", ur_rnn_output(n->rnn), V, true));
    assert_ok(ur_linear_init(&n->apart, n->params, "apart", 2, 2, true));
    assert_ok(ur_params_build(n->params, 5));
    assert_true(ur_params_size(n->params) <= SIZE);
    assert_ok(ur_rnn_prepare(n->rnn));
    assert_ok(ur_team_new(&n->team, threads));
    assert_ok(ur_tape_new(&n->tape, n->team));
    ur_tape_set_training(n->tape, true, 3, 1);
}

static void unmake(struct net *n)
{
    ur_linear_free(&n->out);
    ur_rnn_free(n->rnn);
    ur_tape_free(n->tape);
    ur_team_free(n->team);
    ur_params_free(n->params);
}

/* Two sequences through one net, so that each parameter is used twice, and back. */
static void round_of(struct net *n)
{
    static const int lengths[B] = {7, 1, 5, 7, 0};
    int32_t id[T * B];
    ur_tensor *sum = NULL;
    ur_tape_reset(n->tape);
    ur_params_zero_grads(n->params);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < T * B; i++)
            id[i] = (i * 7 + k) % V;
        ur_ids ids = {id, T, B};
        ur_tensor *x = ur_embed(n->tape, &n->embed, ids);
        ur_tensor *h = ur_rnn_forward(n->tape, n->rnn, x, k ? lengths : NULL, NULL);
        ur_tensor *e = ur_cross_entropy(n->tape, ur_linear(n->tape, &n->out, h), ids);
        sum = sum ? ur_add(sum, e) : e;
    }
    assert_ok(ur_backward(n->tape, sum));
}

/* The place in the order of declaration of the parameter that a report is of. */
static int param_at(const struct net *n, size_t offset)
{
    for (int i = 0; i < ur_params_count(n->params); i++)
        if (ur_params_at(n->params, i)->offset == offset)
            return i;
    return -1;
}

static int layer_of(const ur_param *p)
{
    const char *l = strstr(p->name, "_l");
    return strncmp(p->name, "rnn.", 4) || !l ? -1 : l[2] - '0';
}

static int reports_of(int cell, ur_norm norm, int threads)
{
    struct net n = {0};
    static ur_real plain[SIZE];
    bool reported[REPORTS] = {false};
    int last = 9;
    make(&n, cell, norm, threads);
    size_t size = ur_params_size(n.params);
    round_of(&n);
    memcpy(plain, ur_params_grads(n.params), size * sizeof *plain);
    seen = (struct seen){.params = n.params};
    ur_params_on_gradients(n.params, see, &seen);
    round_of(&n);
    assert_memory_equal(ur_params_grads(n.params), plain, size * sizeof *plain);
    for (int k = 0; k < seen.n; k++) {
        int i = param_at(&n, seen.offset[k]);
        assert_true(i >= 0 && !reported[i] && ur_params_at(n.params, i)->size == seen.size[k]);
        reported[i] = true;
        assert_memory_equal(seen.then + seen.offset[k], plain + seen.offset[k],
                            seen.size[k] * sizeof *plain);
        int l = layer_of(ur_params_at(n.params, i));
        bool start = strstr(ur_params_at(n.params, i)->name, "_0_l");
        if (l >= 0 && !start) {
            assert_true(l <= last);
            last = l;
        }
    }
    assert_int_equal(last, 0);
    for (int i = 0; i < ur_params_count(n.params); i++)
        assert_int_equal(reported[i], strncmp(ur_params_at(n.params, i)->name, "apart", 5) != 0);
    int reports = seen.n;
    struct seen first = seen;
    seen.n = 0;
    round_of(&n);       /* in the same order again */
    assert_int_equal(seen.n, reports);
    assert_memory_equal(seen.offset, first.offset, sizeof seen.offset);
    seen.n = 0;
    ur_params_on_gradients(n.params, NULL, NULL);
    round_of(&n);
    assert_int_equal(seen.n, 0);
    unmake(&n);
    return reports;
}

static void gradients__are_reported_when_they_are_final(void **unused)
{
    (void)unused;
    static const int cells[] = {UR_CELL_RNN, UR_CELL_LSTM, UR_CELL_GRU, UR_CELL_MGU, UR_CELL_PEEK};
    int reports = 0;
    for (int threads = 1; threads <= 3; threads += 2) {
        for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
            reports += reports_of(cells[i], UR_NORM_NONE, threads);
        reports += reports_of(UR_CELL_LSTM, UR_NORM_LAYER, threads);
        reports += reports_of(UR_CELL_GRU, UR_NORM_LAYER, threads);
    }
    print_message("gradients: %d reports, each final\n", reports);
}

/* ---- layers without a tape --------------------------------------------- */

static void layers__run_without_a_tape_with_the_same_bits(void **unused)
{
    (void)unused;
    static const int rows[] = {1, 2, 5, 64, 300};
    enum { I = 19, O = 133, MOST = 300 };
    static ur_real x[MOST * I], y[MOST * O];
    int32_t id[MOST];
    ur_params *params;
    ur_linear_layer layer[2];
    ur_embedding embed;
    ur_tape *tape;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_linear_init(&layer[0], params, "a", I, O, true));
    assert_ok(ur_linear_init(&layer[1], params, "b", I, O, false));
    assert_ok(ur_embedding_init(&embed, params, "e", V, I));
    assert_status(UR_EINVAL, ur_linear_prepare(&layer[0]));
    assert_ok(ur_params_build(params, 9));
    assert_status(UR_EINVAL, ur_linear_run(&layer[0], NULL, 1, x, y));
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < MOST; i++)
        id[i] = i * 3 % V;
    for (int threads = 1; threads <= 4; threads += 3) {
        ur_team *team;
        assert_ok(ur_team_new(&team, threads));
        for (size_t k = 0; k < 2 * sizeof rows / sizeof *rows; k++) {
            int M = rows[k / 2];
            ur_tape_reset(tape);
            ur_tensor *e = ur_embed(tape, &embed, (ur_ids){id, 1, M});
            ur_tensor *want = ur_linear(tape, &layer[k % 2], e);
            assert_ok(ur_linear_prepare(&layer[k % 2]));
            assert_ok(ur_embed_run(&embed, (size_t)M, id, x));
            assert_ok(ur_linear_run(&layer[k % 2], team, M, x, y));
            assert_memory_equal(x, ur_data(e), (size_t)(M * I) * sizeof *x);
            assert_memory_equal(y, ur_data(want), (size_t)(M * O) * sizeof *y);
        }
        ur_team_free(team);
    }
    assert_ok(ur_linear_run(&layer[0], NULL, 0, NULL, NULL));
    assert_ok(ur_embed_run(&embed, 0, NULL, NULL));
    id[0] = V;
    assert_status(UR_EINVAL, ur_embed_run(&embed, 1, id, x));
    assert_status(UR_EINVAL, ur_linear_run(&layer[0], NULL, -1, x, y));
    ur_linear_free(&layer[0]);
    ur_linear_free(&layer[0]);
    ur_linear_free(&layer[1]);
    ur_linear_free(NULL);
    ur_tape_free(tape);
    ur_params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients__are_reported_when_they_are_final),
        cmocka_unit_test(layers__run_without_a_tape_with_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
