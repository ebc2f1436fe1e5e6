/* SPDX-License-Identifier: MIT */
/* Memory that runs out while nets are made, run and trained. */
#include "testing.h"

#include "base/mem.h"
#include "support/nomem.h"
#include "support/settings.h"
#include "unroll/cells.h"
#include "unroll/train.h"

enum { T = 5, B = 3, I = 4, V = 6 };
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* The first failure of a chain of calls. */
#define DO(expr)                                                                       \
    do {                                                                               \
        if (status == UR_OK)                                                           \
            status = (expr);                                                           \
    } while (0)

static ur_real x[T * B * I];
static int32_t ids[T * B], targets[T * B];
static const int lengths[B] = {T, 2, 4};

static int fill_inputs(void **unused)
{
    (void)unused;
    for (uint32_t i = 0; i < T * B * I; i++)
        x[i] = (ur_real)(2 * ur_random_uniform(1, 5, 0, i) - 1);
    for (uint32_t i = 0; i < T * B; i++) {
        ids[i] = (int32_t)(I * ur_random_uniform(1, 5, 1, i));
        targets[i] = (int32_t)(V * ur_random_uniform(1, 5, 2, i));
    }
    return 0;
}

/* ---- nets -------------------------------------------------------------- */


enum form { PLAIN, GRU, RNN, STACK, BOTH_WAYS, RICH, N_FORMS };
static const char *const form_names[N_FORMS] = {
    "lstm", "gru", "rnn", "stack", "both ways", "peepholes"
};

static ur_rnn_options options_of(enum form form)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = I;
    o.hidden[0] = 6;
    o.hidden[1] = 5;
    o.output[0] = form == STACK ? 3 : 0;
    o.projection[0] = form == RICH ? 3 : 0;
    o.dropout = 0.2;
    o.cell = form == GRU || form == STACK ? UR_CELL_GRU : form == RNN ? UR_CELL_RNN : UR_CELL_LSTM;
    o.layers = form == STACK || form == BOTH_WAYS ? 2 : 1;
    o.bidirectional = form == BOTH_WAYS;
    o.orthogonal = form == RNN || form == STACK;
    o.peepholes = o.learned_state = form == RICH;
    o.recurrent_dropout = form == RICH ? 0.1 : 0;
    o.zoneout_h = form == RNN ? 0.1 : 0;
    return o;
}

struct net {
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer out;
    ur_state *state;
    ur_tape *tape;
    ur_optimizer *optimizer;
    ur_team *team;
};

static void free_net(void *it)
{
    struct net *n = it;
    ur_optimizer_free(n->optimizer);
    ur_tape_free(n->tape);
    ur_state_free(n->state);
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
    ur_team_free(n->team);
    free(n);
}

static ur_status build(struct net *n, const ur_rnn_options *o)
{
    const ur_optimizer_options adamw = optimizer_of(UR_OPTIMIZER_ADAMW);
    ur_status status = ur_params_new(&n->params);
    DO(ur_rnn_new(&n->rnn, n->params, "rnn", o));
    DO(ur_linear_init(&n->out, n->params, "out", ur_rnn_output(n->rnn), V, true));
    DO(ur_params_add_buffer(n->params, "seen", 1, &(int){3}, 1, NULL));
    DO(ur_params_build(n->params, 7));
    DO(ur_rnn_prepare(n->rnn));
    DO(ur_state_new(&n->state, n->rnn, B, n->team));
    DO(ur_tape_new(&n->tape, n->team));
    DO(ur_optimizer_new(&n->optimizer, n->params, &adamw, n->team));
    return status;
}

static ur_status build_and_run(void *it, const void *arg, uint32_t *digest)
{
    const ur_rnn_options *o = arg;
    struct net *n = calloc(1, sizeof *n);
    ur_real y[T * B * 16];
    (void)it;
    ur_status status = build(n, o);
    if (!o->bidirectional)
        DO(ur_rnn_run(n->rnn, n->state, T, x, NULL, y));
    if (status == UR_OK && !o->bidirectional)
        nomem_digest(digest, y, T * B * (size_t)ur_rnn_output(n->rnn) * sizeof *y);
    if (status == UR_OK)
        nomem_digest(digest, ur_params_values(n->params),
                     ur_params_size(n->params) * sizeof(ur_real));
    free_net(n);
    return status;
}

static void net__is_built_or_not_at_all(void **unused)
{
    (void)unused;
    for (int form = 0; form < N_FORMS; form++) {
        char name[40];
        ur_rnn_options o = options_of(form);
        snprintf(name, sizeof name, "build %s", form_names[form]);
        nomem_try(&(struct nomem){.name = name, .act = build_and_run, .arg = &o});
    }
}

/* A declaration that fails declares nothing: the same store goes on. */
static void *make_store(const void *arg)
{
    ur_params *params;
    (void)arg;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_add(params, "first", 1, &(int){2}, (ur_start){UR_INIT_NORMAL, 1}, NULL));
    return params;
}

static void free_store(void *it)
{
    ur_params_free(it);
}

static ur_status declare(void *it, const void *arg, uint32_t *digest)
{
    ur_norm_cell cell;
    ur_embedding embedding;
    ur_rnn_options o = options_of(*(const enum form *)arg);
    ur_rnn *rnn = NULL;
    int before = ur_params_count(it);
    ur_status status = ur_rnn_new(&rnn, it, "rnn", &o);
    if (status != UR_OK) {
        assert_int_equal(ur_params_count(it), before);
        assert_null(rnn);
        return status;
    }
    ur_rnn_free(rnn);
    /* The rest under names of its own, which another attempt finds taken: so it comes last. */
    static int turn;
    char prefix[2][16];
    snprintf(prefix[0], sizeof prefix[0], "n%08d", turn++);
    snprintf(prefix[1], sizeof prefix[1], "e%08d", turn++);
    DO(ur_norm_lstm_init(&cell, it, prefix[0], I, 5));
    DO(ur_embedding_init(&embedding, it, prefix[1], V, 4));
    if (status == UR_OK)
        *digest = (uint32_t)ur_params_size(it);
    return status;
}

static ur_status declare_again(void *it, const void *arg, uint32_t *digest)
{
    ur_params *fresh = make_store(NULL);
    ur_status status = ur_params_build(it, 3);      /* whatever it holds */
    DO(declare(fresh, arg, digest));
    ur_params_free(fresh);
    return status;
}

static void store__is_as_before_a_failed_declaration(void **unused)
{
    (void)unused;
    const enum form form = RICH;
    nomem_try(&(struct nomem){.name = "declare", .make = make_store, .unmake = free_store,
                              .act = declare, .again = declare_again, .arg = &form});
}

/* ---- steps of training ------------------------------------------------- */

static void *make_net(const void *arg)
{
    struct net *n = calloc(1, sizeof *n);
    ur_rnn_options o = options_of(*(const enum form *)arg);
    assert_ok(ur_team_new(&n->team, 2));
    assert_ok(build(n, &o));
    return n;
}

static ur_status step(void *it, const void *arg, uint32_t *digest)
{
    struct net *n = it;
    const int dim[3] = {T, B, I};
    ur_tensor *h, *loss;
    (void)arg;
    ur_tape_reset(n->tape);
    ur_state_zero(n->state);
    ur_params_zero_grads(n->params);
    ur_tape_set_training(n->tape, true, 5, 1);
    /* Twice, so that gradients go through the state as well. */
    ur_rnn_forward_ids(n->tape, n->rnn, (ur_ids){ids, T, B}, NULL, n->state);
    h = ur_rnn_forward(n->tape, n->rnn, ur_copy_in(n->tape, 3, dim, x), lengths, n->state);
    loss = ur_cross_entropy(n->tape, ur_linear(n->tape, &n->out, h),
                            (ur_ids){targets, T, B});
    ur_status status = ur_tape_status(n->tape);
    DO(ur_backward(n->tape, loss));
    DO(ur_optimizer_step(n->optimizer, 0.01, NULL));
    DO(ur_rnn_prepare(n->rnn));
    ur_state_detach(n->state);
    if (status == UR_OK)
        nomem_digest(digest, ur_params_values(n->params),
                     ur_params_size(n->params) * sizeof(ur_real));
    return status;
}

static void tape__trains_on_after_a_failed_step(void **unused)
{
    (void)unused;
    for (enum form form = 0; form < N_FORMS; form++) {
        char name[40];
        snprintf(name, sizeof name, "step %s", form_names[form]);
        nomem_try(&(struct nomem){.name = name, .make = make_net, .unmake = free_net, .act = step,
                                  .arg = &form});
    }
}

/* ---- cells and losses on the tape -------------------------------------- */

struct cells {
    ur_params *params;
    ur_norm_cell cell;
    ur_linear_layer out;
    ur_tape *tape;
    ur_team *team;
    bool gru;
};

static void free_cells(void *it)
{
    struct cells *c = it;
    ur_tape_free(c->tape);
    ur_params_free(c->params);
    ur_team_free(c->team);
    free(c);
}

static void *make_cells(const void *arg)
{
    struct cells *c = calloc(1, sizeof *c);
    c->gru = *(const bool *)arg;
    assert_ok(ur_team_new(&c->team, 2));
    assert_ok(ur_tape_new(&c->tape, c->team));
    assert_ok(ur_params_new(&c->params));
    assert_ok((c->gru ? ur_norm_gru_init : ur_norm_lstm_init)(&c->cell, c->params, "cell", I, 5));
    assert_ok(ur_linear_init(&c->out, c->params, "out", 5, V, true));
    assert_ok(ur_params_build(c->params, 3));
    return c;
}

static ur_status cell_step(void *it, const void *arg, uint32_t *digest)
{
    struct cells *c = it;
    const int dim[3] = {T, B, I}, start[2] = {B, 5};
    (void)arg;
    ur_tape_reset(c->tape);
    ur_params_zero_grads(c->params);
    ur_tensor *state[2] = {ur_copy_in(c->tape, 2, start, NULL),
                           ur_copy_in(c->tape, 2, start, NULL)};
    ur_tensor *h = ur_unroll(c->tape, c->gru ? ur_norm_gru_step : ur_norm_lstm_step, &c->cell,
                             ur_copy_in(c->tape, 3, dim, x), c->gru ? 1 : 2, state);
    ur_tensor *w = ur_param_tensor(c->tape, c->params, c->out.weight);
    ur_tensor *b = ur_param_tensor(c->tape, c->params, c->out.bias);
    ur_tensor *loss = ur_matmul_cross_entropy(c->tape, h, w, b, (ur_ids){targets, T, B});
    ur_status status = ur_tape_status(c->tape);
    DO(ur_backward(c->tape, loss));
    if (status == UR_OK)
        nomem_digest(digest, ur_params_grads(c->params),
                     ur_params_size(c->params) * sizeof(ur_real));
    return status;
}

static void tape__runs_on_after_a_failed_cell(void **unused)
{
    (void)unused;
    static const bool gru[2] = {false, true};
    for (int i = 0; i < 2; i++)
        nomem_try(&(struct nomem){.name = gru[i] ? "normalised gru" : "normalised lstm",
                                  .make = make_cells, .unmake = free_cells, .act = cell_step,
                                  .arg = &gru[i]});
}

/* Every operation once or more, on numbers that none of them minds. */
static ur_tensor *all_operations(ur_tape *t, ur_tensor *a, ur_tensor *w)
{
    const int order[3] = {1, 0, 2}, flat[2] = {-1, I}, keys[T] = {4, 0, 2, 1, 3}, dim[2] = {I, I};
    ur_tensor *p = ur_affine(ur_square(a), 0.5, 1);             /* [T,B,I], at least 1 */
    ur_tensor *m = ur_matmul(ur_tanh(a), w), *n = ur_matmul_t(ur_sigmoid(a), w);
    ur_tensor *c = ur_concat(t, 2, (ur_tensor *[]){ur_relu(m), ur_satlin(n)}, 2);
    ur_tensor *s = ur_add(ur_slice(c, 2, 0, I), ur_slice(c, -1, I, 2 * I));
    ur_tensor *q = ur_div(ur_sub(s, ur_exp(ur_neg(p))), ur_sqrt(ur_log(ur_affine(p, 1, 2))));
    ur_tensor *r = ur_permute(ur_reverse(ur_maximum(q, ur_minimum(m, n)), lengths), order);
    ur_tensor *u = ur_bmm(r, ur_transpose(ur_clamp(r, -1, 1)));     /* [B,T,T] */
    ur_tensor *v = ur_bmm(ur_softmax_lengths(u, keys), r);
    ur_tensor *k = ur_masked_softmax(v, ur_stop_gradient(ur_where(ur_abs(v), v, r)));
    ur_tensor *l = ur_layer_norm(k, NULL, NULL, 1e-5), *z = ur_log_softmax(l);
    ur_tensor *g = ur_gather(t, w, (ur_ids){ids, T, B});
    ur_tensor *st = ur_stack(t, 2, (ur_tensor *[]){ur_at(z, 0), ur_at(z, 1)});
    ur_tensor *e = ur_mean_over(ur_max_over(st, 0), 0);             /* [I] */
    ur_tensor *d = ur_dropout(ur_mul(ur_reshape(g, 2, flat), e), 0.3);
    ur_tensor *half = ur_affine(ur_sigmoid(d), 1, 0);
    ur_tensor *loss = ur_add(ur_mean(d), ur_gaussian_nll(d, half, half));
    loss = ur_add(loss, ur_bernoulli_nll(d, half));
    loss = ur_add(loss, ur_squared_error(ur_sum_over(d, 0), e));
    loss = ur_add(loss, ur_absolute_error(ur_bmm_t(w, ur_copy_in(t, 2, dim, NULL)), w));
    loss = ur_add(loss, ur_weighted_cross_entropy(t, g, (ur_ids){ids, T, B}, NULL, 0.1));
    loss = ur_add(loss, ur_crf_loss(g, w, e, e, (ur_ids){ids, T, B}, lengths));
    return ur_add(loss, ur_cross_entropy(t, g, (ur_ids){ids, T, B}));
}

static void *make_tape(const void *arg)
{
    ur_tape *tape;
    (void)arg;
    assert_ok(ur_tape_new(&tape, NULL));
    return tape;
}

static void free_tape(void *it)
{
    ur_tape_free(it);
}

static ur_status drop_text(void *user, const void *bytes, size_t n)
{
    nomem_digest(user, bytes, n);
    return UR_OK;
}

static ur_status operate(void *it, const void *arg, uint32_t *digest)
{
    static ur_real grad[T * B * I], grad_w[I * I];
    const int dim[3] = {T, B, I}, square[2] = {I, I};
    (void)arg;
    memset(grad, 0, sizeof grad);
    memset(grad_w, 0, sizeof grad_w);
    ur_tape_reset(it);
    ur_tape_set_training(it, true, 1, 2);
    ur_tensor *loss = all_operations(it, ur_variable(it, 3, dim, x, grad),
                                     ur_variable(it, 2, square, x + 7, grad_w));
    ur_status status = ur_tape_status(it);
    DO(ur_backward(it, loss));
    DO(ur_tape_dump(it, UR_DUMP_TEXT, drop_text, digest));
    DO(ur_tape_dump(it, UR_DUMP_DOT, drop_text, digest));
    nomem_digest(digest, grad, sizeof grad);
    nomem_digest(digest, grad_w, sizeof grad_w);
    return status;
}

static ur_tensor *loss_of_check(ur_tape *tape, ur_tensor *const *inputs, void *user)
{
    (void)user;
    (void)tape;
    return ur_mean(ur_tanh(ur_matmul(inputs[0], inputs[1])));
}

static ur_status check(void *it, const void *arg, uint32_t *digest)
{
    ur_real a[2 * I], w[I * I];
    const int rank[2] = {2, 2}, shape[2][2] = {{2, I}, {I, I}};
    double worst;
    (void)it;
    (void)arg;
    memcpy(a, x, sizeof a);
    memcpy(w, x, sizeof w);
    ur_check_inputs inputs;
    ur_check_inputs_init(&inputs);
    inputs.n = 2;
    inputs.rank = rank;
    inputs.dim = (const int *const[]){shape[0], shape[1]};
    inputs.data = (ur_real *const[]){a, w};
    inputs.epsilon = 1e-2;
    ur_status status = ur_check_gradients(&worst, loss_of_check, NULL, &inputs);
    assert_memory_equal(a, x, sizeof a);    /* restored, whatever happens */
    assert_memory_equal(w, x, sizeof w);
    if (status == UR_OK)
        nomem_digest(digest, &worst, sizeof worst);
    return status;
}

static void tape__operates_on_after_a_failure(void **unused)
{
    (void)unused;
    nomem_try(&(struct nomem){.name = "operations", .make = make_tape, .unmake = free_tape,
                              .act = operate});
    nomem_try(&(struct nomem){.name = "check of gradients", .act = check});
}

/* ---- teams and optimizers ---------------------------------------------- */

static ur_status make_team(void *it, const void *arg, uint32_t *digest)
{
    ur_team *team;
    (void)it;
    (void)arg;
    ur_status status = ur_team_new(&team, 5);
    if (status != UR_OK)
        assert_null(team);
    else
        *digest = (uint32_t)ur_team_size(team);
    ur_team_free(team);
    return status;
}

static ur_status optimize(void *it, const void *arg, uint32_t *digest)
{
    struct cells *c = it;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
    ur_optimizer *optimizer = NULL;
    ur_status status = UR_OK;
    (void)arg;
    for (int kind = UR_OPTIMIZER_ADAMW; kind <= UR_OPTIMIZER_SGD && status == UR_OK; kind++) {
        o.kind = (ur_optimizer_kind)kind;
        status = ur_optimizer_new(&optimizer, c->params, &o, NULL);
        if (status == UR_OK)
            *digest = *digest * 31 + (uint32_t)kind;
        ur_optimizer_free(optimizer);
    }
    return status;
}

static void parts__are_made_or_not_at_all(void **unused)
{
    (void)unused;
    static const bool gru = true;
    nomem_try(&(struct nomem){.name = "team", .act = make_team});
    nomem_try(&(struct nomem){.name = "optimizers", .make = make_cells, .unmake = free_cells,
                              .act = optimize, .arg = &gru});
}

static void nomem__has_refused_enough(void **unused)
{
    (void)unused;
    nomem_total(1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net__is_built_or_not_at_all),
        cmocka_unit_test(store__is_as_before_a_failed_declaration),
        cmocka_unit_test(tape__trains_on_after_a_failed_step),
        cmocka_unit_test(tape__runs_on_after_a_failed_cell),
        cmocka_unit_test(tape__operates_on_after_a_failure),
        cmocka_unit_test(parts__are_made_or_not_at_all),
        cmocka_unit_test(nomem__has_refused_enough),
    };
    return cmocka_run_group_tests_name("nomem", tests, fill_inputs, NULL);
}
