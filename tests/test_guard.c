/* SPDX-License-Identifier: MIT */
/* Recurrent passes touch nothing beyond their arrays: every input, output, weight and piece of
 * memory of a pass lies beside a page without access, once at its end and once at its
 * beginning. All starts as NaN, so that reading what nobody wrote shows in the results. */
#include "testing.h"

#include <math.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "kernel/gemm.h"
#include "kernel/select.h"
#include "rnn/cells.h"
#include "rnn/order.h"
#include "rnn/pack.h"
#include "rnn/stack.h"
#include "support/guard.h"

struct form {
    const char *name;
    ur_cell cell;
    ur_activation f;
    bool reset_before, peepholes, coupled, residual;
    bool projects, maps;        /* a projection, an output map */
    bool reverse;
    int biases;
    float clip;
    double drop, zone;
};

static const struct form forms[] = {
    {.name = "lstm", .cell = UR_CELL_LSTM, .biases = 2},
    {.name = "lstm, reverse", .cell = UR_CELL_LSTM, .reverse = true, .biases = 1},
    {.name = "lstm, output map", .cell = UR_CELL_LSTM, .maps = true, .biases = 2},
    {.name = "lstm, projection", .cell = UR_CELL_LSTM, .projects = true, .biases = 2},
    {.name = "lstm, projection, output map, reverse", .cell = UR_CELL_LSTM, .projects = true,
     .maps = true, .reverse = true},
    {.name = "lstm, peepholes, clip", .cell = UR_CELL_LSTM, .peepholes = true, .clip = 0.5f},
    {.name = "lstm, coupled", .cell = UR_CELL_LSTM, .coupled = true, .biases = 1},
    {.name = "lstm, coupled, peepholes, reverse", .cell = UR_CELL_LSTM, .coupled = true,
     .peepholes = true, .reverse = true, .biases = 2},
    {.name = "lstm, noise", .cell = UR_CELL_LSTM, .biases = 2, .drop = 0.3, .zone = 0.2},
    {.name = "lstm, projection, noise, reverse", .cell = UR_CELL_LSTM, .projects = true, .drop =
     0.3,
     .zone = 0.2, .reverse = true, .biases = 2},
    {.name = "gru", .cell = UR_CELL_GRU, .biases = 2},
    {.name = "gru, reverse, noise", .cell = UR_CELL_GRU, .reverse = true, .biases = 2, .drop = 0.3,
     .zone = 0.2},
    {.name = "gru, output map", .cell = UR_CELL_GRU, .maps = true},
    {.name = "gru, reset before", .cell = UR_CELL_GRU, .reset_before = true, .biases = 1},
    {.name = "gru, reset before, reverse, noise", .cell = UR_CELL_GRU, .reset_before = true,
     .reverse = true, .biases = 2, .drop = 0.3, .zone = 0.2},
    {.name = "rnn tanh", .cell = UR_CELL_RNN, .f = UR_ACT_TANH, .biases = 2},
    {.name = "rnn relu, reverse, output map", .cell = UR_CELL_RNN, .f = UR_ACT_RELU, .reverse =
     true,
     .maps = true, .biases = 1},
    {.name = "rnn sigmoid, zoneout", .cell = UR_CELL_RNN, .f = UR_ACT_SIGMOID, .zone = 0.2,
     .biases = 2},
    {.name = "rnn satlin, residual, noise", .cell = UR_CELL_RNN, .f = UR_ACT_SATLIN, .residual =
     true,
     .drop = 0.3, .zone = 0.2, .biases = 2},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

struct shape {
    int T, B, I, H;
};
static const struct shape shapes[] = {
    {1, 1, 1, 1}, {3, 2, 5, 7}, {2, 5, 17, 33}, {5, 1, 3, 16}, {2, 7, 1, 65}, {4, 3, 23, 12},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static const int teams[] = {1, 2, 3, 7};
enum { N_TEAMS = sizeof teams / sizeof *teams };
static ur_team *team[N_TEAMS];

/* ---- numbers ------------------------------------------------------------ */

static uint32_t draws;

static ur_real *filled(const char *name, size_t n)
{
    ur_real *p = guard_reals(name, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (ur_real)(ur_random_uniform(7, 3, 2, draws++) - 0.5);
    return p;
}

static ur_real *zeros(const char *name, size_t n)
{
    ur_real *p = guard_reals(name, n);
    memset(p, 0, n * sizeof *p);
    return p;
}

/* NULL where there are none. */
static ur_real *maybe(const char *name, size_t n)
{
    return n ? guard_reals(name, n) : NULL;
}

static uint64_t hash;

/* rows of n numbers, ld apart, join the result; all must be finite, what lies between the rows
 * must be as it was. */
static void result(const char *name, const ur_real *p, size_t rows, size_t n, ptrdiff_t ld)
{
    for (size_t r = 0; r < rows && p; r++) {
        const ur_real *row = p + (ptrdiff_t)r * ld;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            if (!isfinite(row[i]))
                fail_msg("%s: %s[%zu,%zu] is %g", guard_case(), name, r, i, (double)row[i]);
            memcpy(&bits, &row[i], sizeof bits);
            hash = (hash ^ bits) * UINT64_C(1099511628211);
        }
        for (ptrdiff_t i = (ptrdiff_t)n; r + 1 < rows && i < ld; i++)
            if (!isnan(row[i]))
                fail_msg("%s: %s was written between its rows", guard_case(), name);
    }
}

static void canaries_live(void)
{
    const char *name = guard_check();
    if (name)
        fail_msg("%s: written beside %s", guard_case(), name);
}

/* ---- a layer ------------------------------------------------------------ */

struct slot {
    struct ur__rnn_layer d;
    struct ur__rnn_weights w;
    struct ur__rnn_grads g;
    struct ur__packed p;
    struct ur__packed_back pb;
};

static struct ur__rnn_layer layer_of(const struct form *f, int I, int H)
{
    struct ur__rnn_layer d = {
        .I = I, .H = H, .P = f->projects && H > 1 ? H - 1 : H, .O = f->maps ? H / 2 + 3 : 0,
        .activation = f->f, .output_activation = UR_ACT_TANH, .biases = f->biases,
        .reverse = f->reverse, .reset_before = f->reset_before, .peepholes = f->peepholes,
        .coupled = f->coupled, .time_residual = f->residual, .cell_clip = f->clip,
        .recurrent_dropout = f->drop, .zoneout = {f->zone, f->cell == UR_CELL_LSTM ? f->zone : 0},
    };
    d.cell = ur__cell_in_form(ur__cell_of(f->cell), &d);
    return d;
}

static void make_weights(struct slot *n)
{
    const struct ur__rnn_layer *d = &n->d;
    size_t G = (size_t)d->cell->gates, H = (size_t)d->H, GH = G * H, P = (size_t)d->P;
    size_t I = (size_t)d->I, O = (size_t)d->O;
#define BOTH(member, n_reals)                                                 \
    n->w.member = (n_reals) > 0 ? filled(#member, n_reals) : NULL;                \
    n->g.member = (n_reals) > 0 ? zeros("d" #member, n_reals) : NULL
    BOTH(w_ih, GH * I);
    BOTH(w_hh, GH * P);
    BOTH(b_ih, d->biases >= 1 ? GH : 0);
    BOTH(b_hh, d->biases >= 2 ? GH : 0);
    BOTH(w_hr, P != H ? P * H : 0);
    BOTH(extra[0], d->peepholes ? (G - 1) * H : 0);
    BOTH(w_hy, O * P);
    BOTH(b_hy, d->biases >= 1 ? O : 0);
#undef BOTH
}

static struct ur__matrix matrix(const char *name, const struct ur__kernel *k, int K, int N)
{
    struct ur__matrix w = {.K = K, .N = N};
    w.data = K && N ? guard_reals(name, k->packed_bytes(&w) / sizeof(ur_real)) : NULL;
    return w;
}

/* Each part of the packed weights in a place of its own. */
static void place_packed(struct slot *n, const struct ur__kernel *k)
{
    const struct ur__rnn_layer *d = &n->d;
    int H = d->H, GH = d->cell->gates * H, gru = d->cell->kind == UR_CELL_GRU;
    int plain = gru ? 2 * H : GH, projects = d->P != H;
    size_t peep = d->peepholes ? (size_t)(d->cell->gates - 1) * (size_t)H : 0;
    n->p = (struct ur__packed){
        .start = guard_reals("packed start", (size_t)GH),
        .start_apart = maybe("packed start_apart", gru && !d->reset_before ? (size_t)H : 0),
        .w_ih = matrix("packed w_ih", k, d->I, GH),
        .w_hh = {matrix("packed w_hh", k, d->P, plain), matrix("packed w_n", k, H, gru ? H : 0)},
        .w_hr = matrix("packed w_hr", k, H, projects ? d->P : 0),
        .extra = {maybe("packed peep", peep)},
        .w_hy = matrix("packed w_hy", k, d->P, d->O),
        .start_y = maybe("packed start_y", (size_t)d->O),
    };
    n->pb = (struct ur__packed_back){
        .w_hh = {matrix("back w_hh", k, plain, d->P), matrix("back w_n", k, H, gru ? H : 0)},
        .w_hr = matrix("back w_hr", k, d->P, projects ? H : 0),
    };
    ur__pack(&n->p, k, d, &n->w);
    ur__pack_back(&n->pb, k, d, &n->w);
}

/* ---- a sequence --------------------------------------------------------- */

struct run {
    struct slot slot;
    struct ur__sequence s;
    bool training, split;
    int workers;
    void *scratch;
    ur_real *columns;
};

static void place_kept(struct run *r, ptrdiff_t ld)
{
    const struct ur__rnn_layer *d = &r->slot.d;
    struct ur__sequence *s = &r->s;
    size_t B = (size_t)s->B, TB = (size_t)s->T * B, H = (size_t)d->H, P = (size_t)d->P;
    bool c = d->cell->c, drop = r->training && d->recurrent_dropout > 0;
    bool zone_h = d->zoneout[0] > 0, zone_c = c && d->zoneout[1] > 0;
    ur_real *y = guard_reals("y", (TB - 1) * (size_t)ld + (size_t)ur__layer_output(d));
    s->kept = (struct ur__kept){
        .gates = guard_reals("gates", TB * (size_t)d->cell->kept * H),
        .c = maybe("c", c ? TB * H : 0),
        .c_new = maybe("c_new", zone_c ? TB * H : 0),
        .m = maybe("m", P != H ? TB * H : 0),
        .h = d->O ? guard_reals("h", TB * P) : y,
        .y = d->O ? y : NULL,
        .ld_h = d->O ? (ptrdiff_t)P : ld,
        .ld_y = ld,
        .h_read = maybe("h_read", drop ? TB * P : 0),
        .h0 = guard_reals("kept h0", B * P),
        .c0 = maybe("kept c0", c ? B * H : 0),
        .h_prev = maybe("h_prev", s->ragged ? TB * P : 0),
        .c_prev = maybe("c_prev", s->ragged && c && d->reverse ? TB * H : 0),
        .drop = maybe("drop", drop ? B * P : 0),
        .zone = {maybe("zone of h", r->training && zone_h ? TB * P : 0),
                 maybe("zone of c", r->training && zone_c ? TB * H : 0)},
    };
    if (!s->kept.c_new)
        s->kept.c_new = s->kept.c;
}

static void place_back(struct run *r, ptrdiff_t ld)
{
    const struct ur__rnn_layer *d = &r->slot.d;
    struct ur__sequence *s = &r->s;
    size_t B = (size_t)s->B, TB = (size_t)s->T * B, H = (size_t)d->H, P = (size_t)d->P;
    bool c = d->cell->c, projects = P != H;
    size_t out = (size_t)ur__layer_output(d);
    s->pb = &r->slot.pb;
    s->w = &r->slot.w;
    s->dy = guard_reals("dy", (TB - 1) * (size_t)ld + out);
    for (size_t i = 0; i < TB * out; i++)
        s->dy[(ptrdiff_t)(i / out) * ld + (ptrdiff_t)(i % out)] = (ur_real)0.1;
    s->ld_dy = ld;
    s->dhT = filled("dhT", B * P);
    s->dcT = c ? filled("dcT", B * H) : NULL;
    s->dx = s->x ? guard_reals("dx", TB * (size_t)d->I) : NULL;
    s->dh_all = maybe("dh_all", d->O ? TB * P : 0);
    s->seen = guard_reals("seen", TB * P);
    s->dp = maybe("dp", projects ? TB * P : 0);
    s->dh = guard_reals("dh", B * P);
    s->dc = maybe("dc", c ? B * H : 0);
    s->work = maybe("work", d->reset_before ? B * H : 0);
    s->dm = maybe("dm", projects ? B * H : 0);
    s->dh_read = maybe("dh_read", s->kept.h_read ? B * P : 0);
    s->stay[0] = maybe("stay of h", d->zoneout[0] > 0 ? B * P : 0);
    s->stay[1] = maybe("stay of c", c && d->zoneout[1] > 0 ? B * H : 0);
    s->first = maybe("first", d->reverse && s->ragged ? B * (size_t)d->cell->kept * H : 0);
    r->columns = maybe("columns", s->ids ? ur__sequence_columns(d) : 0);
}

static const struct ur__ragged *place_ragged(const struct ur__sequence *s, const int *lengths)
{
    struct ur__carve count = {NULL, 0};
    ur__ragged_carve(&count, s->T, s->B);
    struct ur__carve room = {guard_bytes("ragged", count.used, 64), 0};
    struct ur__ragged *r = guard_bytes("ragged's arrays", sizeof *r, sizeof(void *));
    *r = ur__ragged_carve(&room, s->T, s->B);
    ur__ragged_fill(r, s->T, s->B, lengths);
    return r;
}

/* lengths: 0, T and what lies between, or none. */
static void place_input(struct run *r, bool padded, bool by_number)
{
    struct ur__sequence *s = &r->s;
    const struct ur__rnn_layer *d = &r->slot.d;
    size_t B = (size_t)s->B, TB = (size_t)s->T * B;
    s->x = by_number ? NULL : filled("x", TB * (size_t)d->I);
    int32_t *ids = by_number ? guard_bytes("ids", TB * sizeof *ids, sizeof *ids) : NULL;
    int *lengths = padded ? guard_bytes("lengths", B * sizeof *lengths, sizeof *lengths) : NULL;
    for (size_t i = 0; i < TB && ids; i++)
        ids[i] = (int32_t)((i * 5 + (size_t)d->I - 1) % (size_t)d->I);
    for (size_t b = 0; b < B && lengths; b++)
        lengths[b] = (int)(b * 2 + 1) % (s->T + 1);
    s->ids = ids;
    s->ragged = padded && ur__ragged_needed(s->T, s->B, lengths) ? place_ragged(s, lengths) : NULL;
    s->h0 = filled("h0", B * (size_t)d->P);
    s->hT = guard_reals("hT", B * (size_t)d->P);
    s->c0 = d->cell->c ? filled("c0", B * (size_t)d->H) : NULL;
    s->cT = maybe("cT", d->cell->c ? B * (size_t)d->H : 0);
}

static void *own_scratch(const struct run *r, const struct ur__worker *w)
{
    return (char *)r->scratch + (size_t)w->index * ur__gemm_scratch(r->s.k, 1);
}

static void share(const struct run *r, const struct ur__worker *w, int *b0, int *b1)
{
    if (!r->s.ragged) {
        ur__share(r->s.B, 1, w->index, w->n, b0, b1);
        return;
    }
    ur__ragged_share(r->s.ragged, r->s.B, w, b0, b1);
    ur__ragged_note(r->s.ragged, *b0, *b1);
}

static void forward_work(const struct ur__worker *w, void *arg)
{
    struct run *r = arg;
    int b0 = 0, b1 = r->s.B;
    bool split = r->split && w->n > 1;
    if (!split)
        share(r, w, &b0, &b1);
    else if (r->s.ragged && w->index == 0)
        ur__ragged_note(r->s.ragged, b0, b1);
    if (split)
        ur__team_barrier(w);
    ur__sequence_forward(&r->s, b0, b1, split ? w : NULL);
}

static void backward_work(const struct ur__worker *w, void *arg)
{
    struct run *r = arg;
    int b0, b1;
    share(r, w, &b0, &b1);
    ur__sequence_backward(&r->s, b0, b1, own_scratch(r, w));
    ur__team_barrier(w);
    ur__sequence_sums(&r->s, &r->slot.g, w, r->scratch, r->columns);
}

static void gather_results(const struct run *r, ptrdiff_t ld)
{
    const struct ur__sequence *s = &r->s;
    const struct ur__rnn_layer *d = &r->slot.d;
    const struct ur__rnn_grads *g = &r->slot.g;
    size_t B = (size_t)s->B, TB = (size_t)s->T * B, H = (size_t)d->H, P = (size_t)d->P;
    size_t GH = (size_t)d->cell->gates * H, I = (size_t)d->I, O = (size_t)d->O;
    size_t living = (size_t)ur__living(s, 0, s->B);
    result("y", d->O ? s->kept.y : s->kept.h, living, (size_t)ur__layer_output(d), ld);
    result("hT", s->hT, 1, B * P, 0);
    result("cT", s->cT, 1, B * H, 0);
    if (!r->training)
        return;
    result("dx", s->dx, 1, living * I, 0);
    result("dh0", s->dh, 1, B * P, 0);
    result("dc0", s->dc, 1, B * H, 0);
    result("seen", s->seen, 1, TB * P, 0);
    result("dw_ih", g->w_ih, 1, GH * I, 0);
    result("dw_hh", g->w_hh, 1, GH * P, 0);
    result("db_ih", g->b_ih, 1, GH, 0);
    result("db_hh", g->b_hh, 1, GH, 0);
    result("dw_hr", g->w_hr, 1, P * H, 0);
    result("dpeep", g->extra[0], 1, ((size_t)d->cell->gates - 1) * H, 0);
    result("dw_hy", g->w_hy, 1, O * P, 0);
    result("db_hy", g->b_hy, 1, O, 0);
}

/* bits: 1 padded, 2 inputs by number, 4 training, 8 units split, 16 a gap between rows of y. */
static void run_sequence(const struct ur__kernel *k, const struct form *f, const struct shape *q,
                         int bits, ur_team *on)
{
    struct run r = {.training = bits & 4, .split = bits & 8, .workers = ur_team_size(on)};
    draws = 0;
    r.slot.d = layer_of(f, q->I, q->H);
    ptrdiff_t ld = ur__layer_output(&r.slot.d) + (bits & 16 ? 3 : 0);
    r.s = (struct ur__sequence){.k = k, .d = &r.slot.d, .p = &r.slot.p, .T = q->T, .B = q->B,
                                .noise = {1, 2, 3, {4, 5}}};
    make_weights(&r.slot);
    place_packed(&r.slot, k);
    place_input(&r, bits & 1, bits & 2);
    place_kept(&r, ld);
    r.scratch = guard_bytes("scratch", ur__gemm_scratch(k, r.workers), 64);
    ur__team_run(on, forward_work, &r);
    if (r.training) {
        place_back(&r, ld);
        ur__team_run(on, backward_work, &r);
    }
    gather_results(&r, ld);
    canaries_live();
}

static void sequence__touches_nothing_beyond_its_arrays(void **unused)
{
    (void)unused;
    int cases = 0;
    guard_watch();
    for (int i = 0; i < N_FORMS * N_SHAPES * 8; i += GUARD_STRIDE) {
        const struct form *f = &forms[i / (N_SHAPES * 8)];
        const struct shape *q = &shapes[i / 8 % N_SHAPES];
        /* Each of training or not, split or not, padded or not; teams and the rest in turn. */
        int bits = (i & 1) | (i & 2 ? 4 : 0) | (i & 4 ? 8 : 0) | ((i / 3) & 1 ? 2 : 0) |
                   ((i / 5) & 1 ? 16 : 0);
        uint64_t first = 0;
        for (const struct ur__kernel *const *k = ur__kernels_available(); *k; k++)
            for (int side = 0; side < 2; side++, cases++) {
                int t = (i / 7 + side) % N_TEAMS;
                guard_begin(side ? GUARD_BEGIN : GUARD_END,
                            "%s, %s, T %d, B %d, I %d, H %d, way %d, %d workers", f->name,
                            (*k)->name, q->T, q->B, q->I, q->H, bits, teams[t]);
                hash = 0;
                run_sequence(*k, f, q, bits, team[t]);
                if (k != ur__kernels_available() || side)
                    assert_true(hash == first);
                first = hash;
            }
    }
    print_message("sequences beside guard pages: %d passes, %d of them back\n", cases, cases / 2);
}

/* ---- the test itself ---------------------------------------------------- */

/* What a child that reads at offset bytes from an array of 5 reals says and ends with. */
static int peek(guard_side side, ptrdiff_t offset, char *said, size_t room)
{
    int fd[2], status;
    assert_int_equal(pipe(fd), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fd[1], STDERR_FILENO);
        guard_watch();
        guard_begin(side, "a peek");
        const volatile char *p = guard_bytes("array", 20, 4);
        _exit(p[offset] == 1 ? 3 : 2);
    }
    close(fd[1]);
    size_t all = 0;
    for (ssize_t n = 1; n > 0; all += n > 0 ? (size_t)n : 0)
        n = read(fd[0], said + all, room - 1 - all);
    said[all] = '\0';
    close(fd[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void guard__sees_one_byte_beyond(void **unused)
{
    (void)unused;
    char said[200];
    assert_int_equal(peek(GUARD_END, 20, said, sizeof said), 1);
    assert_string_equal(said, "guard: a peek: an access 0 bytes after the end of array\n");
    assert_int_equal(peek(GUARD_BEGIN, -1, said, sizeof said), 1);
    assert_string_equal(said, "guard: a peek: an access 1 bytes before array\n");
    assert_int_equal(peek(GUARD_END, 19, said, sizeof said), 2);
    assert_int_equal(peek(GUARD_BEGIN, 0, said, sizeof said), 2);
    guard_begin(GUARD_END, "a canary");
    char *p = guard_bytes("array", 20, 64);
    assert_null(guard_check());
    p[20] = 0;
    assert_string_equal(guard_check(), "array");
    p[20] = (char)0xa5;
    p[-1] = 0;
    assert_string_equal(guard_check(), "array");
}

static int make_teams(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_TEAMS; i++)
        if (ur_team_new(&team[i], teams[i]) != UR_OK)
            return -1;
    return 0;
}

static int free_teams(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_TEAMS; i++)
        ur_team_free(team[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard__sees_one_byte_beyond),
        cmocka_unit_test(sequence__touches_nothing_beyond_its_arrays),
    };
    return cmocka_run_group_tests(tests, make_teams, free_teams);
}
