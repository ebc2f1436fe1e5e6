/* SPDX-License-Identifier: MIT */
/* Stacks in exactly the memory that their queries state, and the public steps and passes with
 * every block of the library's own beside a page without access. */
#include "testing.h"

#include <math.h>

#include "base/mem.h"
#include "kernel/gemm.h"
#include "kernel/select.h"
#include "rnn/cells.h"
#include "rnn/pack.h"
#include "rnn/stack.h"
#include "support/guard.h"
#include "unroll/layer.h"

enum { L = 2, MAX_D = 2, SLOTS = L * MAX_D, MAX_WORKERS = 7 };

struct form {
    const char *name;
    ur_cell cell;
    bool bidirectional, reset_before, peepholes, coupled, residual, projects, maps;
    double noise;
};

static const struct form forms[] = {
    {.name = "lstm", .cell = UR_CELL_LSTM},
    {.name = "lstm, two directions, noise", .cell = UR_CELL_LSTM, .bidirectional = true, .noise =
     0.2},
    {.name = "lstm, projection, output map", .cell = UR_CELL_LSTM, .projects = true, .maps = true},
    {.name = "lstm, coupled, peepholes, noise", .cell = UR_CELL_LSTM, .coupled = true,
     .peepholes = true, .noise = 0.2},
    {.name = "gru, two directions", .cell = UR_CELL_GRU, .bidirectional = true},
    {.name = "gru, reset before, noise", .cell = UR_CELL_GRU, .reset_before = true, .noise = 0.2},
    {.name = "rnn, two directions, output map", .cell = UR_CELL_RNN, .bidirectional = true,
     .maps = true},
    {.name = "rnn, residual, noise", .cell = UR_CELL_RNN, .residual = true, .noise = 0.2},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

/* Sizes of the two layers. The last is large enough for one sequence's units to be shared out. */
struct shape {
    int T, B, I, H[L];
};
static const struct shape shapes[] = {
    {1, 1, 1, {1, 1}}, {3, 5, 7, {9, 4}}, {4, 2, 3, {17, 34}}, {2, 1, 5, {267, 190}},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static const int teams[] = {1, 2, 3, MAX_WORKERS};
enum { N_TEAMS = sizeof teams / sizeof *teams };

static void fill(ur_real *p, size_t n)
{
    static uint32_t draws;
    for (size_t i = 0; i < n; i++)
        p[i] = (ur_real)(0.4 * (ur_random_uniform(7, 3, 2, draws++) - 0.5));
}

static ur_real *filled(const char *name, size_t n)
{
    ur_real *p = n ? guard_reals(name, n) : NULL;
    fill(p, n);
    return p;
}

static ur_real *zeros(const char *name, size_t n)
{
    ur_real *p = n ? guard_reals(name, n) : NULL;
    if (p)
        memset(p, 0, n * sizeof *p);
    return p;
}

static void all_finite(const char *name, const ur_real *p, size_t n)
{
    for (size_t i = 0; p && i < n; i++)
        if (!isfinite(p[i]))
            fail_msg("%s: %s[%zu] is %g", guard_case(), name, i, (double)p[i]);
}

/* ---- a stack in stated memory ------------------------------------------- */

struct net {
    struct ur__stack stack;
    struct ur__rnn_layer layer[SLOTS];
    struct ur__rnn_weights w[SLOTS];
    struct ur__rnn_grads g[SLOTS];
    struct ur__packed packed[SLOTS];
};

static struct ur__rnn_layer layer_of(const struct form *f, int I, int H, bool reverse)
{
    struct ur__rnn_layer d = {
        .I = I, .H = H, .P = f->projects && H > 1 ? H - 1 : H, .O = f->maps ? H / 2 + 1 : 0,
        .activation = UR_ACT_TANH, .output_activation = UR_ACT_TANH, .biases = 2,
        .reverse = reverse, .reset_before = f->reset_before, .peepholes = f->peepholes,
        .coupled = f->coupled, .time_residual = f->residual,
        .recurrent_dropout = f->noise,
        .zoneout = {f->noise, f->cell == UR_CELL_LSTM ? f->noise : 0},
    };
    d.cell = ur__cell_in_form(ur__cell_of(f->cell), &d);
    return d;
}

static void make_slot(struct net *n, int i, const struct ur__kernel *k)
{
    const struct ur__rnn_layer *d = &n->layer[i];
    size_t G = (size_t)d->cell->gates, H = (size_t)d->H, P = (size_t)d->P, O = (size_t)d->O;
    size_t ih = G * H * (size_t)d->I, hr = P != H ? P * H : 0;
    size_t peep = d->peepholes ? (G - 1) * H : 0;
    n->w[i] = (struct ur__rnn_weights){
        filled("w_ih", ih), filled("w_hh", G * H * P), filled("b_ih", G * H),
        filled("b_hh", G * H), filled("w_hr", hr), {filled("peep", peep)}, filled("w_hy", O * P),
        filled("b_hy", O),
    };
    n->g[i] = (struct ur__rnn_grads){
        zeros("dw_ih", ih), zeros("dw_hh", G * H * P), zeros("db_ih", G * H),
        zeros("db_hh", G * H), zeros("dw_hr", hr), {zeros("dpeep", peep)}, zeros("dw_hy", O * P),
        zeros("db_hy", O),
    };
    void *memory = guard_bytes("packed", ur__packed_bytes(k, d), 64);
    ur__packed_place(&n->packed[i], k, d, memory);
    ur__pack(&n->packed[i], k, d, &n->w[i]);
}

static void make_net(struct net *n, const struct form *f, const struct shape *q,
                     const struct ur__kernel *k)
{
    int D = f->bidirectional ? 2 : 1, I = q->I;
    n->stack = (struct ur__stack){L, D, n->layer, f->noise, false};
    for (int l = 0; l < L; l++) {
        for (int d = 0; d < D; d++) {
            n->layer[l * D + d] = layer_of(f, I, q->H[l], d > 0);
            make_slot(n, l * D + d, k);
        }
        I = ur__stack_output(&n->stack, l);
    }
}

static void bind_states(struct ur__stack_job *job, struct net *n)
{
    for (int i = 0; i < L * n->stack.directions; i++) {
        struct ur__sequence *s = &job->layer[i];
        size_t h = (size_t)job->B * (size_t)s->d->P, c = (size_t)job->B * (size_t)s->d->H;
        c = s->d->cell->c ? c : 0;
        s->p = &n->packed[i];
        s->h0 = filled("h0", h);
        s->c0 = filled("c0", c);
        s->hT = zeros("hT", h);
        s->cT = zeros("cT", c);
    }
}

static void run_stack(const struct form *f, const struct shape *q, const struct ur__kernel *k,
                      bool by_number, bool training, ur_team *team)
{
    struct net n;
    make_net(&n, f, q, k);
    /* Between layers one, and three a slot; masks follow them, so they are counted. */
    int streams = f->noise > 0 ? L - 1 + 3 * L * n.stack.directions : 0;
    assert_int_equal(ur__stack_streams(&n.stack), streams);
    size_t TB = (size_t)q->T * (size_t)q->B, out = TB * (size_t)ur__stack_output(&n.stack, L - 1);
    int *lengths = guard_bytes("lengths", (size_t)q->B * sizeof *lengths, sizeof *lengths);
    int32_t *ids = guard_bytes("ids", TB * sizeof *ids, sizeof *ids);
    for (int b = 0; b < q->B; b++)
        lengths[b] = q->T - b % (q->T + 1);
    for (size_t i = 0; i < TB; i++)
        ids[i] = (int32_t)(i % (size_t)q->I);
    struct ur__stack_job job = {
        .k = k, .stack = &n.stack, .T = q->T, .B = q->B, .lengths = lengths,
        .x = by_number ? NULL : filled("x", TB * (size_t)q->I), .ids = by_number ? ids : NULL,
        .y = guard_reals("y", out), .training = training, .seed = 3, .step = 4, .see = training,
    };
    job.scratch = guard_bytes("scratch", ur__stack_scratch(k, team), 64);
    ur__stack_place(&job, guard_bytes("pass", ur__stack_bytes(&job), 64));
    bind_states(&job, &n);
    ur__stack_forward(&job, team);
    all_finite("y", job.y, out);
    if (!training)
        return;
    job.dy = filled("dy", out);
    job.dx = by_number ? NULL : guard_reals("dx", TB * (size_t)q->I);
    job.grads = n.g;
    ur__stack_back_place(&job, n.w, guard_bytes("pass back", ur__stack_back_bytes(&job), 64));
    ur__stack_backward(&job, team);
    ur_real *dx = zeros("gradient of x", job.dx ? TB * (size_t)q->I : 0);
    if (job.dx)
        ur__stack_add_dx(&job, dx);
    all_finite("dx", dx, TB * (size_t)q->I);
    for (int i = 0; i < L * n.stack.directions; i++)
        all_finite("dw_hh", n.g[i].w_hh, (size_t)n.layer[i].H * (size_t)n.layer[i].P);
}

static void stack__keeps_to_the_bytes_it_states(void **unused)
{
    (void)unused;
    int cases = 0;
    ur_team *team[N_TEAMS];
    guard_watch();
    for (int i = 0; i < N_TEAMS; i++)
        assert_ok(ur_team_new(&team[i], teams[i]));
    for (int i = 0; i < N_FORMS * N_SHAPES * N_TEAMS; i += GUARD_STRIDE)
        for (const struct ur__kernel *const *k = ur__kernels_available(); *k; k++)
            for (int side = 0; side < 2; side++, cases++) {
                const struct form *f = &forms[i / (N_SHAPES * N_TEAMS)];
                const struct shape *q = &shapes[i / N_TEAMS % N_SHAPES];
                guard_begin(side ? GUARD_BEGIN : GUARD_END,
                            "stack of %s, %s, T %d, B %d, I %d, H %d, %d workers", f->name,
                            (*k)->name, q->T, q->B, q->I, q->H[0], teams[i % N_TEAMS]);
                run_stack(f, q, *k, (i / 3 + side) & 1, i % 5 > 0, team[i % N_TEAMS]);
                const char *name = guard_check();
                if (name)
                    fail_msg("%s: written beside %s", guard_case(), name);
            }
    for (int i = 0; i < N_TEAMS; i++)
        ur_team_free(team[i]);
    print_message("stacks in stated memory: %d passes\n", cases);
}

/* ---- the public calls --------------------------------------------------- */

static void options_of(ur_rnn_options *o, const struct form *f, const struct shape *q)
{
    ur_rnn_options_init(o);
    for (int l = 0; l < L; l++) {
        o->hidden[l] = q->H[l];
        o->projection[l] = f->projects && q->H[l] > 1 ? q->H[l] - 1 : 0;
        o->output[l] = f->maps ? q->H[l] / 2 + 1 : 0;
    }
    o->cell = f->cell;
    o->input = q->I;
    o->layers = L;
    o->bidirectional = f->bidirectional;
    o->reset_before = f->reset_before;
    o->peepholes = f->peepholes;
    o->coupled = f->coupled;
    o->time_residual = f->residual;
    o->dropout = o->recurrent_dropout = o->zoneout_h = f->noise;
    o->zoneout_c = f->cell == UR_CELL_LSTM ? f->noise : 0;
}

static void step_and_run(const ur_rnn *rnn, const struct shape *q, ur_team *team)
{
    size_t row = (size_t)q->B * (size_t)q->I, out = (size_t)(q->B * ur_rnn_output(rnn));
    size_t T = (size_t)q->T;
    ur_real *x = filled("x", T * row), *one = guard_reals("one", row);
    ur_real *y = guard_reals("y", T * out), *step = guard_reals("y of a step", out);
    int32_t *ids = guard_bytes("ids", (size_t)q->B * sizeof *ids, sizeof *ids);
    ur_state *s, *again;
    for (int b = 0; b < q->B; b++)
        ids[b] = b % q->I;
    assert_ok(ur_state_new(&s, rnn, q->B, team));
    assert_ok(ur_state_new(&again, rnn, q->B, team));
    assert_ok(ur_rnn_run(rnn, s, q->T, x, NULL, y));
    for (size_t t = 0; t < T; t++) {
        memcpy(one, x + t * row, row * sizeof *one);
        assert_ok(ur_rnn_step(rnn, again, one, step));
        assert_memory_equal(step, y + t * out, out * sizeof *step);
    }
    assert_ok(ur_rnn_step_ids(rnn, s, ids, step));
    all_finite("y of a step", step, out);
    ur_state_free(again);
    ur_state_free(s);
}

static void train(const ur_rnn *rnn, ur_params *params, const struct shape *q, ur_team *team)
{
    int dim[3] = {q->T, q->B, q->I};
    ur_tape *tape;
    ur_state *s;
    ur_real *x = filled("x", (size_t)q->T * (size_t)q->B * (size_t)q->I);
    assert_ok(ur_tape_new(&tape, team));
    assert_ok(ur_state_new(&s, rnn, q->B, team));
    for (int piece = 0; piece < 2; piece++) {
        ur_tape_reset(tape);
        ur_state_detach(s);
        ur_tape_set_training(tape, true, 5, (uint64_t)piece);
        ur_tensor *y = ur_rnn_forward(tape, rnn, ur_constant(tape, 3, dim, x), NULL, s);
        assert_ok(ur_backward(tape, ur_sum(ur_mul(y, y))));
    }
    all_finite("gradients", ur_params_grads(params), ur_params_size(params));
    ur_state_detach(s);
    ur_state_free(s);
    ur_tape_free(tape);
}

static void blocks__are_never_left(void **unused)
{
    (void)unused;
    assert_int_equal(ur__mem_blocks(), 0);
    ur_set_allocator(guard_allocator, NULL);
    guard_watch();
    for (int i = 0; i < N_FORMS * N_SHAPES; i++) {
        const struct form *f = &forms[i / N_SHAPES];
        const struct shape *q = &shapes[i % N_SHAPES];
        ur_rnn_options o;
        ur_params *params;
        ur_rnn *rnn;
        ur_team *team;
        options_of(&o, f, q);
        guard_begin(GUARD_END, "public calls of %s, T %d, B %d, I %d, H %d", f->name, q->T, q->B,
                    q->I, q->H[0]);
        assert_ok(ur_team_new(&team, teams[i % N_TEAMS]));
        assert_ok(ur_params_new(&params));
        assert_ok(ur_rnn_new(&rnn, params, "rnn", &o));
        assert_ok(ur_params_build(params, 3));
        assert_ok(ur_rnn_prepare(rnn));
        if (!f->bidirectional)
            step_and_run(rnn, q, team);
        train(rnn, params, q, team);
        ur_rnn_free(rnn);
        ur_params_free(params);
        ur_team_free(team);
    }
    assert_int_equal(ur__mem_blocks(), 0);
    ur_set_allocator(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stack__keeps_to_the_bytes_it_states),
        cmocka_unit_test(blocks__are_never_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
