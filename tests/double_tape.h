/* SPDX-License-Identifier: MIT */
/*
 * What the gradient checks of the tape share: cases of random shapes (sizes of 1,
 * ranks of 1 to 5, stretched dimensions), drawn by a table of operations, each checked
 * against central differences in double.
 */
#ifndef UR_TESTS_DOUBLE_TAPE_H
#define UR_TESTS_DOUBLE_TAPE_H

#include "testing.h"

#include "base/mem.h"
#include "tape/tape.h"

#include <math.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { MAX_IN = 4, MAX_SIZE = 160, ROUNDS = 28 };
static const double tolerance = 1e-6, epsilon = 1e-5;

/* ---- random cases ------------------------------------------------------ */

static uint32_t drawn;

static inline double uniform(double low, double high)
{
    return low + (high - low) * ur_random_uniform(2024, 77, 0, drawn++);
}

/* In [low,high]. */
static inline int integer(int low, int high)
{
    return low + (int)floor(uniform(0, high - low + 1));
}

struct input {
    int rank, dim[UR_MAX_RANK];
    size_t size;
    ur_real data[MAX_SIZE];
};

struct sample {
    const struct operation *op;
    int n;
    struct input in[MAX_IN];
    int dim, begin, end, rank, shape[UR_MAX_RANK];
    double p, q;
    int32_t id[16];
    ur_ids ids;
    uint32_t weight_stream;
};

/* One line of a table: how to draw a case and how to compute it. */
struct operation {
    const char *name;
    void (*draw)(struct sample *s);
    ur_tensor *(*run)(ur_tape *t, ur_tensor *const *x, struct sample *s);
};

static inline void shape(struct input *in, int rank, const int *dim)
{
    in->rank = rank;
    in->size = 1;
    for (int i = 0; i < rank; i++) {
        in->dim[i] = dim[i];
        in->size *= (size_t)dim[i];
    }
    assert_in_range(in->size, 1, MAX_SIZE);
}

static inline void values(struct input *in, double low, double high)
{
    for (size_t i = 0; i < in->size; i++)
        in->data[i] = uniform(low, high);
}

static inline struct input *add_input(struct sample *s, int rank, const int *dim)
{
    struct input *in = &s->in[s->n++];
    shape(in, rank, dim);
    values(in, -1.5, 1.5);
    return in;
}

static inline int random_shape(int *dim, int low_rank, int high_rank)
{
    static const int most[] = {0, 17, 9, 5, 3, 2};      /* by rank; small products */
    int rank = integer(low_rank, high_rank);
    for (int i = 0; i < rank; i++)
        dim[i] = integer(1, most[rank] + (i == 0));
    return rank;
}

static inline void draw_one(struct sample *s)
{
    int dim[UR_MAX_RANK];
    add_input(s, random_shape(dim, 1, UR_MAX_RANK), dim);
}

/* n shapes that broadcast: some leading dimensions missing, some of size 1. */
static inline void draw_stretched(struct sample *s, int n)
{
    int dim[UR_MAX_RANK], rank = random_shape(dim, 1, UR_MAX_RANK), keep = integer(0, n - 1);
    for (int k = 0; k < n; k++) {
        int own[UR_MAX_RANK], less = k == keep ? 0 : integer(0, rank - 1);
        for (int i = less; i < rank; i++)
            own[i - less] = uniform(0, 1) < 0.35 ? 1 : dim[i];
        add_input(s, rank - less, own);
    }
}

static inline void draw_two(struct sample *s)
{
    draw_stretched(s, 2);
}

static inline void draw_dim(struct sample *s)
{
    draw_one(s);
    s->dim = integer(-s->in[0].rank, s->in[0].rank - 1);
}

/* ---- what the cases compute -------------------------------------------- */

#define RUN(name, expr)                                                       \
    static ur_tensor *run_##name(ur_tape *t, ur_tensor *const *x, struct sample *s) \
    {                                                                         \
        (void)t;                                                              \
        (void)s;                                                              \
        return expr;                                                          \
    }

#define OP(name, draw) {#name, draw, run_##name}

/* ---- the check --------------------------------------------------------- */

/* A sum with random weights, so that no error hides behind a symmetry. */
static inline ur_tensor *weighted_loss(ur_tape *t, ur_tensor *const *x, void *user)
{
    struct sample *s = user;
    ur_tensor *y = s->op->run(t, x, s);
    ur_real weight[MAX_SIZE * 4];
    if (!y)
        return NULL;
    assert_in_range(ur_size(y), 1, COUNT(weight));
    for (size_t i = 0; i < ur_size(y); i++)
        weight[i] = 2 * ur_random_uniform(1, s->weight_stream, 0, (uint32_t)i) - 1;
    int dim[UR_MAX_RANK];
    for (int i = 0; i < ur_rank(y); i++)
        dim[i] = ur_dim(y, i);
    return ur_sum(ur_mul(y, ur_copy_in(t, ur_rank(y), dim, weight)));
}

/* The first n inputs of a sample. */
static inline ur_status check_some(double *worst, ur_loss_function f, void *user,
                                   struct sample *s, int n)
{
    int rank[MAX_IN];
    const int *dim[MAX_IN];
    ur_real *data[MAX_IN];
    for (int i = 0; i < n; i++) {
        rank[i] = s->in[i].rank;
        dim[i] = s->in[i].dim;
        data[i] = s->in[i].data;
    }
    ur_check_inputs inputs;
    ur_check_inputs_init(&inputs);
    inputs.n = n;
    inputs.rank = rank;
    inputs.dim = dim;
    inputs.data = data;
    inputs.epsilon = epsilon;
    return ur_check_gradients(worst, f, user, &inputs);
}

static inline double check(struct sample *s, ur_loss_function f)
{
    double worst;
    assert_ok(check_some(&worst, f, s, s, s->n));
    return worst;
}

/* What a case takes: forward, and then back if it is recorded. A measuring tape gets numbers
 * that nobody may touch. */
static inline void take(struct sample *s, bool measuring, bool recording, struct ur__room room[2])
{
    static ur_real grad[MAX_IN][MAX_SIZE];
    ur_tape *t;
    ur_tensor *x[MAX_IN];
    assert_ok(ur_tape_new(&t, NULL));
    ur__tape_measure(t, measuring);
    ur_tape_set_recording(t, recording);
    for (int i = 0; i < s->n; i++)
        x[i] = ur_variable(t, s->in[i].rank, s->in[i].dim,
                           measuring ? UR__NOWHERE : s->in[i].data,
                           measuring ? (ur_real *)UR__NOWHERE + i : grad[i]);
    ur_tensor *loss = weighted_loss(t, x, s);
    assert_ok(ur_tape_status(t));
    room[0] = room[1] = ur__tape_room(t);
    if (recording) {
        assert_ok(ur_backward(t, loss));
        room[1] = ur__tape_room(t);
    }
    ur_tape_free(t);
}

static inline void check_measure(struct sample *s)
{
    for (int recording = 0; recording < 2; recording++) {
        struct ur__room taken[2], measured[2];
        take(s, false, recording, taken);
        take(s, true, recording, measured);
        for (int i = 0; i < 2; i++)
            if (measured[i].arena != taken[i].arena || measured[i].scratch != taken[i].scratch)
                fail_msg("%s: %zu and %zu bytes are measured, %zu and %zu taken", s->op->name,
                         measured[i].arena, measured[i].scratch, taken[i].arena,
                         taken[i].scratch);
    }
}

/* Draws and checks ROUNDS cases of each operation, and that a measuring tape foretells them to
 * the byte; counts them and keeps the largest error. */
static inline void check_operations(const struct operation *operations, size_t n)
{
    double largest = 0;
    const char *where = "";
    int cases = 0;
    for (size_t o = 0; o < n; o++) {
        for (int round = 0; round < ROUNDS; round++) {
            struct sample s = {.op = &operations[o], .weight_stream = (uint32_t)cases};
            s.op->draw(&s);
            double error = check(&s, weighted_loss);
            check_measure(&s);
            cases++;
            if (!(error <= tolerance))
                fail_msg("%s, round %d: error %g", s.op->name, round, error);
            if (error > largest) {
                largest = error;
                where = s.op->name;
            }
        }
    }
    print_message("%d gradient checks of %d operations, largest error %.2g (%s)\n", cases, (int)n,
                  largest, where);
    assert_true(cases >= 200);
}

#endif
