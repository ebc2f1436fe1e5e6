/* SPDX-License-Identifier: MIT */
/* The library against tests/golden/rnn.safetensors: what PyTorch computed in double (made by
 * tests/torch/golden.py, which says what a tensor holds). The same checks for the library in
 * float and in double; the including program sets the tolerances.
 *
 * Error: the largest |a−b| / max(1, max|b|) over the parts of a case (outputs, each state,
 * each gradient), b the golden part. */
#ifndef UR_TESTS_GOLDEN_H
#define UR_TESTS_GOLDEN_H

#include "testing.h"

#include <math.h>

#include "golden_case.h"
#include "io/safetensors.h"
#include "support/settings.h"
#include "unroll/train.h"

enum { GOLDEN_ROOM = 16384 };

struct golden {
    struct golden_case c;
    ur_params *params;
    ur_rnn *rnn;
    ur_tape *tape;
    ur_state *state;
    double want[GOLDEN_ROOM];
    size_t n, at;                       /* numbers in want, compared so far */
    double worst;
    ur_real data[GOLDEN_ROOM], grad[GOLDEN_ROOM];   /* of x, then of each slot's h_0 and c_0 */
    size_t used;
};

static inline struct ur__st_file *golden_open(void)
{
    char path[512];
    struct ur__st_file *f;
    const char *source = getenv("SOURCE_DIR");
    if (!source)
        fail_msg("SOURCE_DIR does not name the source folder");
    snprintf(path, sizeof path, "%s/tests/golden/rnn.safetensors", source);
    assert_ok(ur__st_open(&f, path));
    return f;
}

static inline void golden_read(struct ur__st_file *f, const struct ur__st_tensor *t, double *to,
                               size_t room)
{
    assert_int_equal(t->type, UR__F64);
    assert_true(t->bytes <= room * sizeof(double));
    assert_ok(ur__st_read_raw(f, t, to, t->bytes));
}

/* Compares the next part of the golden tensor. */
static inline void golden_compare(struct golden *g, const ur_real *got, size_t n)
{
    double scale = 1, apart = 0;
    if (n > g->n - g->at)
        fail_msg("%s: %zu golden numbers are too few", g->c.line, g->n);
    for (size_t i = 0; i < n; i++) {
        double b = g->want[g->at + i], d = fabs((double)got[i] - b);
        scale = fmax(scale, fabs(b));
        apart = isnan(d) ? (double)INFINITY : fmax(apart, d);
    }
    g->worst = fmax(g->worst, apart / scale);
    g->at += n;
}

/* A leaf with the case's numbers; its gradient stands at the same place of grad. */
static inline ur_tensor *golden_leaf(struct golden *g, const char *name, int rank, const int *dim)
{
    size_t n = 1, at = g->used;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    assert_true(n <= GOLDEN_ROOM - at);
    g->used += n;
    golden_numbers(g->c.line, name, 1, n, g->data + at);
    memset(g->grad + at, 0, n * sizeof *g->grad);
    return ur_variable(g->tape, rank, dim, g->data + at, g->grad + at);
}

/* sum + Σ w∘x, w the case's numbers of that name. */
static inline ur_tensor *golden_weigh(struct golden *g, ur_tensor *sum, const char *name,
                                      ur_tensor *x)
{
    int n = (int)ur_size(x);
    ur_real *w = malloc((size_t)n * sizeof *w);
    assert_non_null(w);
    golden_numbers(g->c.line, name, 1, (size_t)n, w);
    ur_tensor *s = ur_sum(ur_mul(ur_reshape(x, 1, &n), ur_copy_in(g->tape, 1, &n, w)));
    free(w);
    return sum ? ur_add(sum, s) : s;
}

static inline void golden_make(struct golden *g)
{
    g->used = g->at = 0;
    g->worst = 0;
    assert_ok(ur_params_new(&g->params));
    assert_ok(ur_rnn_new(&g->rnn, g->params, "rnn", &g->c.options));
    assert_ok(ur_params_build(g->params, 1));
    if (golden_fill(&g->c, g->params) != ur_params_count(g->params))
        fail_msg("%s: has parameters of other names", g->c.line);
    assert_ok(ur_rnn_prepare(g->rnn));
    assert_ok(ur_tape_new(&g->tape, NULL));
    assert_ok(ur_state_new(&g->state, g->rnn, g->c.B, NULL));
}

static inline void golden_unmake(struct golden *g)
{
    ur_state_free(g->state);
    ur_tape_free(g->tape);
    ur_rnn_free(g->rnn);
    ur_params_free(g->params);
}

/* The initial states as leaves; learned ones are the net's own affair. */
static inline void golden_put_states(struct golden *g)
{
    for (int slot = 0; slot < golden_slots(&g->c) && !g->c.options.learned_state; slot++) {
        int dim[2] = {g->c.B, golden_state_size(&g->c, slot, false)};
        ur_tensor *h = golden_leaf(g, golden_name(&g->c, "h_0", slot), 2, dim), *c = NULL;
        dim[1] = golden_state_size(&g->c, slot, true);
        if (dim[1])
            c = golden_leaf(g, golden_name(&g->c, "c_0", slot), 2, dim);
        assert_ok(ur_state_put(g->state, slot, "h", h));
        if (c)
            assert_ok(ur_state_put(g->state, slot, "c", c));
    }
}

/* The gradients of x and of the initial states. */
static inline void golden_compare_leaves(struct golden *g, size_t x)
{
    size_t at = x;
    golden_compare(g, g->grad, x);
    for (int j = 0; j < 2 * golden_slots(&g->c) && at < g->used; j++) {
        size_t n = (size_t)(g->c.B * golden_state_size(&g->c, j / 2, j % 2));
        golden_compare(g, g->grad + at, n);
        at += n;
    }
    assert_int_equal(at, g->used);
}

/* One net: forward, backward, and every number compared. */
static inline void golden_check(struct golden *g)
{
    struct golden_case *c = &g->c;
    int dim[3] = {c->T, c->B, c->options.input};
    ur_tensor *x = golden_leaf(g, "x", 3, dim), *h, *cell;
    golden_put_states(g);
    ur_tensor *y = ur_rnn_forward(g->tape, g->rnn, x, c->ragged ? c->lengths : NULL, g->state);
    assert_ok(ur_tape_status(g->tape));
    golden_compare(g, ur_data(y), ur_size(y));
    ur_tensor *loss = golden_weigh(g, NULL, "w_y", y);
    for (int slot = 0; slot < golden_slots(c); slot++) {
        h = ur_state_tensor(g->state, slot, "h");
        cell = ur_state_tensor(g->state, slot, "c");
        assert_memory_equal(ur_data(h), ur_state_buffer(g->state, slot, "h", NULL),
                            ur_size(h) * sizeof(ur_real));
        golden_compare(g, ur_data(h), ur_size(h));
        loss = golden_weigh(g, loss, golden_name(c, "w_h", slot), h);
        if (!cell)
            continue;
        golden_compare(g, ur_data(cell), ur_size(cell));
        loss = golden_weigh(g, loss, golden_name(c, "w_c", slot), cell);
    }
    ur_params_zero_grads(g->params);
    assert_ok(ur_backward(g->tape, loss));
    golden_compare_leaves(g, ur_size(x));
    for (int slot = 0; slot < golden_slots(c); slot++)
        for (int kind = 0; kind < GOLDEN_KINDS; kind++) {
            const ur_param *p = golden_param(c, g->params, kind, slot);
            if (p)
                golden_compare(g, ur_params_grads(g->params) + p->offset, p->size);
        }
    assert_int_equal(g->at, g->n);
    ur_state_detach(g->state);
}

/* All nets of the file. */
static inline void golden_nets(double tolerance)
{
    static struct golden g;
    struct ur__st_file *f = golden_open();
    int cases = 0, wrong = 0;
    double worst = 0;
    for (size_t i = 0; i < ur__st_count(f); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        if (golden_word(t->name, "train"))
            continue;
        assert_true(golden_parse(&g.c, t->name));
        golden_read(f, t, g.want, GOLDEN_ROOM);
        g.n = (size_t)(t->bytes / sizeof(double));
        golden_make(&g);
        golden_check(&g);
        worst = fmax(worst, g.worst);
        cases++;
        if (g.worst > tolerance && ++wrong < 20)
            print_message("%s: %.2e\n", t->name, g.worst);
        golden_unmake(&g);
    }
    ur__st_close(f);
    print_message("nets: %d cases, largest error %.2e\n", cases, worst);
    assert_true(cases > 0 && wrong == 0);
}

/* ---- training ---------------------------------------------------------- */

struct golden_run {
    const char *line;
    int V, E, H, T, B, steps;
    ur_params *params;
    ur_embedding embed;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_state *state;
    ur_tape *tape;
    ur_optimizer *optimizer;
};

static inline void golden_run_make(struct golden_run *r, const char *line)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    ur_optimizer_options u = optimizer_of(UR_OPTIMIZER_ADAMW);
    char kind[16] = "";
    *r = (struct golden_run){
        .line = line, .V = golden_int(line, "vocabulary", 0), .E = golden_int(line, "embedding", 0),
        .H = golden_int(line, "hidden", 0), .T = golden_int(line, "time", 0),
        .B = golden_int(line, "batch", 0), .steps = golden_int(line, "steps", 0)};
    int hidden[GOLDEN_LAYERS] = {r->H, r->H, r->H, r->H};
    assert_true(golden_cell(line, &o));
    o.layers = golden_int(line, "layers", 1);
    o.input = r->E ? r->E : r->V;
    memcpy(o.hidden, hidden, sizeof hidden);
    assert_int_equal(sscanf(golden_word(line, "optimizer"), "%15[a-z]", kind), 1);
    assert_true(ur_optimizer_find(kind, &u.kind));
    u.momentum = golden_real(line, "momentum", 0);
    u.weight_decay = golden_real(line, "decay", 0);
    u.clip_norm = golden_real(line, "clip_norm", 0);
    u.clip_value = golden_real(line, "clip_value", 0);
    assert_ok(ur_params_new(&r->params));
    if (r->E)
        assert_ok(ur_embedding_init(&r->embed, r->params, "embed", r->V, r->E));
    assert_ok(ur_rnn_new(&r->rnn, r->params, "rnn", &o));
    assert_ok(ur_linear_init(&r->decoder, r->params, "decoder", r->H, r->V, true));
    assert_ok(ur_params_build(r->params, 1));
    for (int i = 0; i < ur_params_count(r->params); i++) {
        const ur_param *p = ur_params_at(r->params, i);
        golden_numbers(line, p->name, 0.5, p->size, ur_param_data(r->params, p));
    }
    assert_ok(ur_rnn_prepare(r->rnn));
    assert_ok(ur_tape_new(&r->tape, NULL));
    assert_ok(ur_state_new(&r->state, r->rnn, r->B, NULL));
    assert_ok(ur_optimizer_new(&r->optimizer, r->params, &u, NULL));
}

static inline void golden_run_unmake(struct golden_run *r)
{
    ur_optimizer_free(r->optimizer);
    ur_state_free(r->state);
    ur_tape_free(r->tape);
    ur_rnn_free(r->rnn);
    ur_params_free(r->params);
}

/* Step k reads T tokens of each row and predicts those one place on. */
static inline void golden_run_step(struct golden_run *r, int k, double *loss, double *norm)
{
    int32_t in[256], out[256];
    assert_true(r->T * r->B <= 256);
    for (int t = 0; t < r->T; t++)
        for (int b = 0; b < r->B; b++) {
            int at = t * r->B + b, place = k * r->T + t + 5 * b;
            in[at] = (int32_t)(golden_bits(r->line, "text", (size_t)place % 23) % (uint32_t)r->V);
            place++;
            out[at] = (int32_t)(golden_bits(r->line, "text", (size_t)place % 23) % (uint32_t)r->V);
        }
    ur_ids ids = {in, r->T, r->B}, next = {out, r->T, r->B};
    ur_state_detach(r->state);
    ur_tape_reset(r->tape);
    ur_params_zero_grads(r->params);
    ur_tensor *y = r->E ? ur_rnn_forward(r->tape, r->rnn, ur_embed(r->tape, &r->embed, ids), NULL,
                                         r->state)
                        : ur_rnn_forward_ids(r->tape, r->rnn, ids, NULL, r->state);
    ur_tensor *mean = ur_cross_entropy(r->tape, ur_linear(r->tape, &r->decoder, y), next);
    assert_ok(ur_backward(r->tape, mean));
    *loss = ur_scalar(mean);
    assert_ok(ur_optimizer_step(r->optimizer, golden_real(r->line, "lr", 0), norm));
    assert_ok(ur_rnn_prepare(r->rnn));
}

/* All runs of the file: losses and norms of every step. */
static inline void golden_runs(double tolerance)
{
    struct ur__st_file *f = golden_open();
    double want[64], worst_loss = 0, worst_norm = 0;
    int runs = 0;
    for (size_t i = 0; i < ur__st_count(f); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        struct golden_run r;
        if (!golden_word(t->name, "train"))
            continue;
        golden_read(f, t, want, 64);
        golden_run_make(&r, t->name);
        for (int k = 0; k < r.steps; k++) {
            double loss, norm, *b = want + k;
            golden_run_step(&r, k, &loss, &norm);
            worst_loss = fmax(worst_loss, fabs(loss - *b) / fmax(1, fabs(*b)));
            b += r.steps;
            worst_norm = fmax(worst_norm, fabs(norm - *b) / fmax(1, fabs(*b)));
        }
        assert_int_equal(t->bytes, 2 * (size_t)r.steps * sizeof(double));
        golden_run_unmake(&r);
        runs++;
    }
    ur__st_close(f);
    print_message("training: %d runs, largest error of a loss %.2e, of a norm %.2e\n", runs,
                  worst_loss, worst_norm);
    assert_true(runs > 0 && worst_loss <= tolerance && worst_norm <= tolerance);
}

#endif
