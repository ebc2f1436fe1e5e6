/* SPDX-License-Identifier: MIT */
/* Shared by the tests with other people's weights in UNROLL_DATA/interop. Errors are
 * max|a−b| / max(1, max|b|). */
#ifndef UR_TESTS_INTEROP_H
#define UR_TESTS_INTEROP_H

#include "testing.h"

#include <math.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "unroll/exchange.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define TOLERANCE 1e-5

/* ---- files ------------------------------------------------------------- */

static char root[400];

static inline const char *place(const char *folder, const char *name)
{
    static char path[sizeof root + 200];
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    return path;
}

/* Finds the data; false, with a line, where there is none. */
static inline bool find_data(void)
{
    const char *data = getenv("UNROLL_DATA");
    snprintf(root, sizeof root, "%s/interop", data ? data : "");
    if (data && access(place("pytorch-safetensors", "rnn_tanh/io.safetensors"), R_OK) == 0)
        return true;
    printf("skipped: no interop/pytorch-safetensors below UNROLL_DATA\n");
    return false;
}

static inline ur_weights *open_weights(const char *folder, const char *name)
{
    ur_weights *w;
    assert_ok(ur_weights_open(&w, place(folder, name)));
    return w;
}

/* All numbers of a tensor; ur__free() them. */
static inline ur_real *reals(ur_weights *w, const char *name)
{
    const ur_weight *t = ur_weights_find(w, name);
    assert_non_null(t);
    ur_real *x = ur__alloc(t->size, sizeof *x);
    assert_non_null(x);
    assert_ok(ur_weights_read(w, name, t->size, x));
    return x;
}

static inline int dim_of(const ur_weights *w, const char *name, int d)
{
    const ur_weight *t = ur_weights_find(w, name);
    assert_non_null(t);
    return (int)t->dim[d];
}

static inline struct ur__json *open_json(const char *folder, const char *name)
{
    struct ur__json *j;
    char *text;
    size_t n;
    assert_ok(ur__file_slurp(place(folder, name), 1 << 20, &text, &n));
    assert_ok(ur__json_parse(&j, text, n));
    ur__free(text);
    return j;
}

/* ---- comparing --------------------------------------------------------- */

/* The error of n numbers against a tensor of the file; what is worse than *worst replaces it. */
static inline void compare(ur_weights *w, const char *name, size_t n, const ur_real *got,
                           double *worst)
{
    ur_real *want = reals(w, name);
    double error = 0, largest = 1;
    assert_int_equal(ur_weights_find(w, name)->size, n);
    for (size_t i = 0; i < n; i++) {
        error = fmax(error, fabs((double)got[i] - (double)want[i]));
        largest = fmax(largest, fabs((double)want[i]));
        assert_true(isfinite(got[i]));
    }
    error /= largest;
    if (error > TOLERANCE)
        fail_msg("%s differs by %g", name, error);
    *worst = fmax(*worst, error);
    ur__free(want);
}

/* The same for h or c of all slots: h_n is [L·D,B,P]. */
static inline void compare_states(ur_weights *w, const char *name, const ur_rnn *rnn,
                                  ur_state *s, int B, double *worst)
{
    int slots = ur_rnn_layers(rnn) * ur_rnn_directions(rnn), size = dim_of(w, name, 2);
    size_t n = (size_t)B * (size_t)size;
    ur_real *all = ur__alloc((size_t)slots * n, sizeof *all);
    assert_non_null(all);
    for (int i = 0; i < slots; i++)
        memcpy(all + (size_t)i * n, ur_state_buffer(s, i, *name == 'h' ? "h" : "c", NULL),
               n * sizeof *all);
    compare(w, name, (size_t)slots * n, all, worst);
    ur__free(all);
}

/* Steps through x [T,B,I] give the bits of y. */
static inline void expect_steps(const ur_rnn *rnn, int T, int B, const ur_real *x, const ur_real *y)
{
    size_t I = (size_t)ur_rnn_input(rnn), O = (size_t)ur_rnn_output(rnn), N = (size_t)B;
    ur_state *s;
    ur_real *row = ur__alloc(N * O, sizeof *row);
    assert_ok(ur_state_new(&s, rnn, B, NULL));
    for (size_t t = 0; t < (size_t)T; t++) {
        assert_ok(ur_rnn_step(rnn, s, x + t * N * I, row));
        assert_memory_equal(row, y + t * N * O, N * O * sizeof *row);
    }
    ur__free(row);
    ur_state_free(s);
}

/* Saved under the same names, the file holds the same tensors. */
static inline void expect_same_file(const char *folder, const ur_params *params, int n,
                                    const ur_rename *map)
{
    const char *path = tmp_path("back.safetensors");
    ur_weights *a = open_weights(folder, "model.safetensors"), *b;
    assert_ok(ur_params_save(params, path, n, map, 0, NULL));
    assert_ok(ur_weights_open(&b, path));
    assert_int_equal(ur_weights_count(a), ur_weights_count(b));
    for (int i = 0; i < ur_weights_count(a); i++) {
        const ur_weight *s = ur_weights_at(a, i), *t = ur_weights_find(b, s->name);
        assert_non_null(t);
        assert_int_equal(s->rank, t->rank);
        assert_memory_equal(s->dim, t->dim, sizeof s->dim);
        ur_real *x = reals(a, s->name), *y = reals(b, s->name);
        assert_memory_equal(x, y, s->size * sizeof *x);
        ur__free(x);
        ur__free(y);
    }
    ur_weights_close(a);
    ur_weights_close(b);
}

#endif
