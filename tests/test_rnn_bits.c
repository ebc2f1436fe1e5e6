/* SPDX-License-Identifier: MIT */
/* The promise of equal bits, for every cell and option of recurrent nets: on any team, on
 * any kernel table, alone, batched and padded, whole, in chunks and by steps. Outputs, final
 * states and the gradients by inputs, initial states and parameters. */
#include "testing.h"

#include "base/mem.h"
#include "golden_case.h"
#include "kernel/select.h"

enum { T = 23, B = 9, I = 7, L = 2, MAX_H = 37, SLOTS = 2 * L, OUT = 2 * MAX_H };

/* As in golden_case.h, and here: dropout, recurrent_dropout, variational. */
static const char *const lines[] = {
    "lstm hidden=37,16",
    "lstm hidden=8,21 output=5,19 tanh_output bias=1",
    "lstm hidden=37,16 bidirectional",
    "lstm hidden=21,33 projection=5,17 bias=0",
    "lstm hidden=17,9 projection=16,0 bidirectional output=0,3",
    "lstm hidden=37,18 peepholes",
    "lstm hidden=19,33 coupled bias=1",
    "lstm hidden=16,35 coupled peepholes bidirectional",
    "lstm hidden=33,12 clip=0.25",
    "lstm hidden=20,31 clip=0.25 peepholes projection=7,9 bidirectional",
    "lstm hidden=33,8 learned",
    "lstm hidden=13,36 zoneout=0.25,0.5 bidirectional",
    "lstm hidden=34,17 recurrent_dropout=0.25 dropout=0.5 variational",
    ("lstm hidden=17,33 coupled peepholes clip=0.5 projection=3,32 output=6,0 learned "
     "bidirectional zoneout=0.125,0.25 recurrent_dropout=0.25 dropout=0.25"),
    "gru hidden=37,17",
    "gru hidden=36,19 bidirectional bias=0",
    "gru hidden=33,12 before output=0,3 bias=1",
    "gru hidden=15,35 before bidirectional",
    "gru hidden=34,8 zoneout=0.25,0 learned",
    "gru hidden=9,33 before bidirectional zoneout=0.5,0 recurrent_dropout=0.5 dropout=0.25",
    "rnn_tanh hidden=37,5",
    "rnn_tanh hidden=33,18 bidirectional output=4,20 tanh_output",
    "rnn_tanh hidden=18,35 residual",
    "rnn_relu hidden=16,20 output=4,0 bias=0",
    "rnn_relu hidden=9,34 residual bidirectional bias=1",
    "rnn_sigmoid hidden=9,1",
    "rnn_satlin hidden=9,30 learned",
    "rnn_identity hidden=5,33 bidirectional",
    "rnn_tanh hidden=33,7 zoneout=0.5,0 recurrent_dropout=0.25 dropout=0.5 variational",
    "mgu hidden=37,16",
    ("mgu hidden=20,33 bidirectional bias=1 output=0,3 recurrent_dropout=0.25 zoneout=0.25,0 "
     "learned"),
    "lstm norm hidden=37,16",
    "lstm norm hidden=9,21 bidirectional dropout=0.5 variational",
    "gru norm hidden=33,12 learned",
    "peek hidden=18,9",
    "peek hidden=7,16 bidirectional dropout=0.25",
};
enum { N_LINES = sizeof lines / sizeof *lines };

struct net {
    struct golden_case c;
    ur_params *params;
    ur_rnn *rnn;
};

static float noise(uint32_t i)
{
    return (float)(2 * ur_random_uniform(7, 5, 1, i) - 1);
}

static void make(struct net *n, const char *words)
{
    char line[256];
    snprintf(line, sizeof line, "%s layers=%d input=%d time=%d batch=%d", words, L, I, T, B);
    assert_true(golden_parse(&n->c, line));
    n->c.options.dropout = golden_real(line, "dropout", 0);
    n->c.options.recurrent_dropout = golden_real(line, "recurrent_dropout", 0);
    n->c.options.variational = golden_word(line, "variational");
    assert_ok(ur_params_new(&n->params));
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &n->c.options));
    assert_ok(ur_params_build(n->params, 3));
    for (int i = 0; i < ur_params_count(n->params); i++) {
        const ur_param *p = ur_params_at(n->params, i);     /* learned states start at zero */
        for (size_t j = 0; strstr(p->name, "_0_l") && j < p->size; j++)
            ur_param_data(n->params, p)[j] = noise((uint32_t)(300000 + j));
    }
    assert_ok(ur_rnn_prepare(n->rnn));
}

static void unmake(struct net *n)
{
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

static bool noisy(const struct net *n)
{
    const ur_rnn_options *o = &n->c.options;
    return o->dropout > 0 || o->recurrent_dropout > 0 || o->zoneout_h > 0 || o->zoneout_c > 0;
}

/* ---- everything that one pass computes --------------------------------- */

struct result {
    float y[T * B * OUT], dx[T * B * I];
    float first[SLOTS][2][B * MAX_H], d_first[SLOTS][2][B * MAX_H], last[SLOTS][2][B * MAX_H];
    float grads[60000];
    size_t n_grads;
    int out;
};

static struct result a, b;

/* Number i of row `row` of the fixed batch's array `kind`. */
static float fixed(int kind, int row, int i)
{
    return noise((uint32_t)((kind * B + row) * 8192 + i));
}

/* Σ w∘x with weights that depend on a number's row alone; x is [...,rows,n]. */
static ur_tensor *weigh(ur_tape *tape, int kind, int first, int rows, ur_tensor *x)
{
    static float w[T * B * OUT];
    int size = (int)ur_size(x), n = ur_dim(x, -1);
    assert_true(size <= T * B * OUT);
    for (int i = 0; i < size; i++)
        w[i] = fixed(kind, first + i / n % rows, i / n / rows * n + i % n);
    return ur_sum(ur_mul(ur_reshape(x, 1, &size), ur_copy_in(tape, 1, &size, w)));
}

static void put_states(struct net *n, ur_tape *tape, ur_state *state, int first, int rows,
                       struct result *r)
{
    for (int slot = 0; slot < golden_slots(&n->c) && !n->c.options.learned_state; slot++) {
        for (int j = 0; j < 2; j++) {
            int dim[2] = {rows, golden_state_size(&n->c, slot, j)};
            for (int i = 0; i < rows * dim[1]; i++)
                r->first[slot][j][i] = fixed(1 + 2 * slot + j, first + i / dim[1], i % dim[1]);
            if (dim[1])
                assert_ok(ur_state_put(state, slot, ur_state_name(state, slot, j),
                                       ur_variable(tape, 2, dim, r->first[slot][j],
                                                   r->d_first[slot][j])));
        }
    }
}

/* Rows first..first+rows of the fixed batch over `steps` steps, there and back. */
static void pass(struct net *n, int first, int rows, int steps, const int *lengths,
                 ur_team *team, bool training, struct result *r)
{
    static float x[T * B * I];
    int dim[3] = {steps, rows, I};
    ur_tape *tape;
    ur_state *state;
    memset(r, 0, sizeof *r);
    r->out = ur_rnn_output(n->rnn);
    for (int i = 0; i < steps * rows * I; i++)
        x[i] = fixed(0, first + i / I % rows, i / I / rows * I + i % I);
    assert_ok(ur_tape_new(&tape, team));
    ur_tape_set_training(tape, training, 11, 4);
    assert_ok(ur_state_new(&state, n->rnn, rows, team));
    put_states(n, tape, state, first, rows, r);
    ur_tensor *y = ur_rnn_forward(tape, n->rnn, ur_variable(tape, 3, dim, x, r->dx), lengths,
                                  state);
    assert_ok(ur_tape_status(tape));
    ur_tensor *loss = weigh(tape, 20, first, rows, y);
    memcpy(r->y, ur_data(y), ur_size(y) * sizeof(float));
    for (int slot = 0; slot < golden_slots(&n->c); slot++) {
        const char *name;
        for (int j = 0; (name = ur_state_name(state, slot, j)); j++) {
            ur_tensor *last = ur_state_tensor(state, slot, name);
            loss = ur_add(loss, weigh(tape, 10 + 2 * slot + j, first, rows, last));
            memcpy(r->last[slot][j], ur_data(last), ur_size(last) * sizeof(float));
        }
    }
    ur_params_zero_grads(n->params);
    assert_ok(ur_backward(tape, loss));
    r->n_grads = ur_params_size(n->params);
    assert_true(r->n_grads <= sizeof r->grads / sizeof(float));
    memcpy(r->grads, ur_params_grads(n->params), r->n_grads * sizeof(float));
    ur_state_detach(state);
    ur_state_free(state);
    ur_tape_free(tape);
}

static void expect_equal(const struct net *n, const char *where)
{
    if (memcmp(&a, &b, sizeof a) != 0)
        fail_msg("%s: other bits %s", n->c.line, where);
}

static void each(void (*test)(struct net *n))
{
    static struct net n;
    for (int i = 0; i < N_LINES; i++) {
        make(&n, lines[i]);
        test(&n);
        unmake(&n);
    }
}

/* ---- teams and tables -------------------------------------------------- */

static void same_on_teams(struct net *n)
{
    static const int sizes[] = {1, 2, 3, 7};
    int lengths[B];
    for (int i = 0; i < B; i++)
        lengths[i] = (i * 7 + 5) % (T + 1);
    for (int training = 0; training <= noisy(n); training++) {
        pass(n, 0, B, T, training ? lengths : NULL, NULL, training, &a);
        for (int i = 0; i < 4; i++) {
            ur_team *team;
            assert_ok(ur_team_new(&team, sizes[i]));
            pass(n, 0, B, T, training ? lengths : NULL, team, training, &b);
            ur_team_free(team);
            expect_equal(n, "on a team");
        }
    }
}

static void rnn__same_bits_on_any_team(void **unused)
{
    (void)unused;
    each(same_on_teams);
}

static void rnn__same_bits_on_any_kernel_table(void **unused)
{
    (void)unused;
    static struct net n;
    const struct ur__kernel *const *k = ur__kernels_available();
    int tables = 0;
    for (int i = 0; i < N_LINES; i += EACH > 1 ? 3 : 1) {
        for (int j = 0; k[j]; j++) {
            ur__kernel_force(k[j]);
            make(&n, lines[i]);
            pass(&n, 0, B, T, NULL, NULL, noisy(&n), j ? &b : &a);
            unmake(&n);
            if (j)
                expect_equal(&n, "on another kernel table");
            tables = j + 1;
        }
        ur__kernel_force(NULL);
    }
    print_message("%d nets on %d kernel tables\n", N_LINES, tables);
}

/* ---- company ----------------------------------------------------------- */

/* Row `row` of a, which was padded from `steps` steps, and b, which holds it alone. */
static void expect_row(const struct net *n, int row, int steps)
{
    bool same = true;
    size_t out = (size_t)a.out * sizeof(float);
    for (int t = 0; t < steps; t++)
        same &= !memcmp(a.y + (t * B + row) * a.out, b.y + t * a.out, out) &&
                !memcmp(a.dx + (t * B + row) * I, b.dx + t * I, I * sizeof(float));
    for (int t = steps; t < T; t++) {
        for (int o = 0; o < a.out; o++)
            same &= a.y[(t * B + row) * a.out + o] == 0;
        for (int i = 0; i < I; i++)
            same &= a.dx[(t * B + row) * I + i] == 0;
    }
    for (int slot = 0; slot < golden_slots(&n->c); slot++)
        for (int j = 0; j < 2; j++) {
            int size = golden_state_size(&n->c, slot, j);
            size_t bytes = (size_t)size * sizeof(float);
            same &= !memcmp(a.last[slot][j] + row * size, b.last[slot][j], bytes) &&
                    !memcmp(a.d_first[slot][j] + row * size, b.d_first[slot][j], bytes);
        }
    if (!same)
        fail_msg("%s: row %d of %d steps has other bits alone", n->c.line, row, steps);
}

static void same_alone(struct net *n)
{
    pass(n, 0, B, T, NULL, NULL, false, &a);
    for (int row = 0; row < B; row += 4) {
        pass(n, row, 1, T, NULL, NULL, false, &b);
        expect_row(n, row, T);
    }
}

static void rnn__same_bits_alone_and_batched(void **unused)
{
    (void)unused;
    each(same_alone);
}

/* Right-padded to T among others of other lengths, and alone without padding. A row of
 * length 0 passes its state and that state's gradient through. */
static void same_padded(struct net *n)
{
    int lengths[B];
    for (int i = 0; i < B; i++)
        lengths[i] = i == 3 ? 0 : (i * 7 + 5) % (T + 1);
    pass(n, 0, B, T, lengths, NULL, false, &a);
    for (int row = 0; row < B; row++) {
        int none = 0;
        pass(n, row, 1, lengths[row] ? lengths[row] : T, lengths[row] ? NULL : &none, NULL, false,
             &b);
        expect_row(n, row, lengths[row]);
    }
    for (int slot = 0; slot < golden_slots(&n->c) && !n->c.options.learned_state; slot++)
        for (int j = 0; j < 2; j++) {
            int size = golden_state_size(&n->c, slot, j);
            assert_memory_equal(a.last[slot][j] + 3 * size, a.first[slot][j] + 3 * size,
                                (size_t)size * sizeof(float));
            for (int i = 0; i < size; i++)
                assert_true(a.d_first[slot][j][3 * size + i] == fixed(10 + 2 * slot + j, 3, i));
        }
}

static void rnn__same_bits_padded_and_not(void **unused)
{
    (void)unused;
    each(same_padded);
}

/* ---- pieces ------------------------------------------------------------ */

static void same_by_steps(struct net *n)
{
    static float x[T * B * I], whole[T * B * OUT], steps[T * B * OUT], chunks[T * B * OUT];
    ur_state *s[4];
    ur_tape *tape;
    ur_team *team;
    int out = ur_rnn_output(n->rnn), dim[3] = {T, B, I};
    size_t size, bytes = (size_t)(T * B * out) * sizeof(float);
    if (n->c.options.bidirectional)     /* needs the whole sequence */
        return;
    for (int i = 0; i < T * B * I; i++)
        x[i] = noise((uint32_t)i);
    assert_ok(ur_team_new(&team, 2));
    for (int i = 0; i < 4; i++)
        assert_ok(ur_state_new(&s[i], n->rnn, B, i == 1 ? team : NULL));
    assert_ok(ur_rnn_run(n->rnn, s[0], T, x, NULL, whole));
    for (int t = 0; t < T; t++)
        assert_ok(ur_rnn_step(n->rnn, s[1], x + t * B * I, steps + t * B * out));
    for (int t = 0; t < T; t += 5)
        assert_ok(ur_rnn_run(n->rnn, s[2], t + 5 > T ? T - t : 5, x + t * B * I, NULL,
                             chunks + t * B * out));
    assert_memory_equal(whole, steps, bytes);
    assert_memory_equal(whole, chunks, bytes);
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *y = ur_rnn_forward(tape, n->rnn, ur_constant(tape, 3, dim, x), NULL, s[3]);
    assert_memory_equal(whole, ur_data(y), bytes);
    const float *state = ur_state_data(s[0], &size);
    for (int i = 1; i < 4; i++) {
        const float *other = ur_state_data(s[i], &size);
        assert_memory_equal(state, other, size * sizeof(float));
    }
    assert_int_equal(ur_state_steps(s[1]), T);
    for (int i = 0; i < 4; i++)
        ur_state_free(s[i]);
    ur_tape_free(tape);
    ur_team_free(team);
}

static void rnn__same_bits_whole_chunked_and_stepped(void **unused)
{
    (void)unused;
    each(same_by_steps);
}

static void same_one_hot(struct net *n)
{
    static float x[T * B * I], run[T * B * OUT];
    static int32_t ids[T * B];
    int dim[3] = {T, B, I};
    ur_tape *tape;
    ur_state *s;
    memset(x, 0, sizeof x);
    for (int i = 0; i < T * B; i++) {
        ids[i] = i * 5 % I;
        x[i * I + ids[i]] = 1;
    }
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *dense = ur_rnn_forward(tape, n->rnn, ur_constant(tape, 3, dim, x), NULL, NULL);
    ur_tensor *sparse = ur_rnn_forward_ids(tape, n->rnn, (ur_ids){ids, T, B}, NULL, NULL);
    assert_ok(ur_tape_status(tape));
    assert_memory_equal(ur_data(dense), ur_data(sparse), ur_size(dense) * sizeof(float));
    if (!n->c.options.bidirectional) {
        assert_ok(ur_state_new(&s, n->rnn, B, NULL));
        assert_ok(ur_rnn_run(n->rnn, s, T, NULL, ids, run));
        assert_memory_equal(ur_data(dense), run, ur_size(dense) * sizeof(float));
        ur_state_free(s);
    }
    ur_tape_free(tape);
}

static void rnn__numbers_give_the_bits_of_one_hot_rows(void **unused)
{
    (void)unused;
    each(same_one_hot);
}

/* A million steps at once and as a thousand calls, which allocate nothing more; a tenth of
 * that for the cells after the first. */
static void rnn__a_million_steps_take_no_memory(void **unused)
{
    (void)unused;
    enum { CALLS = 1000, STEPS = 1000, H = 5 };
    static const char *const kinds[] = {
        "lstm hidden=5 input=1 time=1 batch=1 peepholes",
        "gru hidden=5 input=1 time=1 batch=1",
        "rnn_tanh hidden=5 input=1 time=1 batch=1",
    };
    float *x = ur__alloc((size_t)CALLS * STEPS, sizeof *x);
    float *y = ur__alloc((size_t)CALLS * STEPS * H, sizeof *y);
    assert_true(x && y);
    for (int i = 0; i < CALLS * STEPS; i++)
        x[i] = (float)(golden_bits("steps", "x", (size_t)i) >> 8) * 0x1p-23f - 1;
    for (int i = 0; i < 3; i++) {
        static struct net n;
        static float part[STEPS * H];
        ur_state *whole, *parts;
        int calls = i ? CALLS / 10 : CALLS;
        assert_true(golden_parse(&n.c, kinds[i]));
        assert_ok(ur_params_new(&n.params));
        assert_ok(ur_rnn_new(&n.rnn, n.params, "rnn", &n.c.options));
        assert_ok(ur_params_build(n.params, 3));
        assert_ok(ur_rnn_prepare(n.rnn));
        assert_ok(ur_state_new(&whole, n.rnn, 1, NULL));
        assert_ok(ur_state_new(&parts, n.rnn, 1, NULL));
        assert_ok(ur_rnn_run(n.rnn, whole, STEPS, x, NULL, part));
        assert_ok(ur_rnn_run(n.rnn, parts, STEPS, x, NULL, part));
        ur_state_zero(whole);
        ur_state_zero(parts);
        long allocations = ur__mem_allocations();
        assert_ok(ur_rnn_run(n.rnn, whole, calls * STEPS, x, NULL, y));
        for (int k = 0; k < calls; k++) {
            assert_ok(ur_rnn_run(n.rnn, parts, STEPS, x + k * STEPS, NULL, part));
            assert_memory_equal(part, y + (ptrdiff_t)k * STEPS * H, sizeof part);
        }
        assert_int_equal(ur__mem_allocations(), allocations);
        assert_int_equal(ur_state_steps(whole), calls * STEPS);
        assert_memory_equal(ur_state_buffer(whole, 0, "h", NULL),
                            ur_state_buffer(parts, 0, "h", NULL), H * sizeof(float));
        ur_state_free(whole);
        ur_state_free(parts);
        unmake(&n);
    }
    ur__free(x);
    ur__free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rnn__same_bits_on_any_team),
        cmocka_unit_test(rnn__same_bits_on_any_kernel_table),
        cmocka_unit_test(rnn__same_bits_alone_and_batched),
        cmocka_unit_test(rnn__same_bits_padded_and_not),
        cmocka_unit_test(rnn__same_bits_whole_chunked_and_stepped),
        cmocka_unit_test(rnn__numbers_give_the_bits_of_one_hot_rows),
        cmocka_unit_test(rnn__a_million_steps_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
