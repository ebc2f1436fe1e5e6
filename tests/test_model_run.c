/* SPDX-License-Identifier: MIT */
/* Logits with and without a tape: the same bits in any pieces and on any team. */
#include "models.h"

#include <math.h>

#include "base/mem.h"

enum { V = 30, MAX_T = 130, MAX_B = 5 };

static void fill_ids(int32_t *ids, int n)
{
    for (int i = 0; i < n; i++)
        ids[i] = (i * 7 + i / 5) % V;
}

static void check_tape_is_run(const ur_options *c, int T, int B, int piece, ur_team *team)
{
    static int32_t ids[MAX_T * MAX_B];
    static ur_real logits[MAX_T * MAX_B * V];
    ur_model *m = model_of(c, V, 11);
    ur_runner *a;
    ur_model_state *b;
    ur_tape *tape;
    fill_ids(ids, T * B);
    const ur_batch batch = batch_of(T, B, ids, NULL, NULL);
    assert_ok(ur_runner_new(&a, m, B, team));
    assert_int_equal(ur_runner_rows(a), B);
    assert_int_equal(ur_runner_outputs(a), V);
    assert_ok(ur_model_state_new(&b, m, B, NULL));
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *y = ur_model_outputs(tape, m, &batch, b);
    assert_ok(ur_tape_status(tape));
    assert_int_equal(ur_rank(y), 3);
    assert_int_equal(ur_dim(y, 2), V);
    long allocations = ur__mem_allocations();
    for (int t = 0; t < T; t += piece) {
        int n = T - t < piece ? T - t : piece;
        assert_ok(ur_runner_run(a, n, ids + t * B, logits + t * B * V));
    }
    assert_int_equal(ur__mem_allocations(), allocations);
    assert_memory_equal(logits, ur_data(y), (size_t)(T * B * V) * sizeof *logits);
    for (int row = 0; row < B; row++)
        assert_memory_equal(ur_runner_output(a, row), logits + ((T - 1) * B + row) * V,
                            V * sizeof *logits);
    size_t n;
    const ur_real *kept = ur_state_data(ur_runner_state(a, 0), &n);
    assert_memory_equal(kept, ur_state_data(ur_model_state_at(b, 0), &n), n * sizeof *logits);
    ur_tape_free(tape);
    ur_runner_free(a);
    ur_model_state_free(b);
    ur_model_free(m);
}

static void run__has_the_bits_of_the_tape(void **state)
{
    (void)state;
    static const int sizes[][3] = {{1, 1, 1}, {5, 1, 2}, {64, 3, 64}, {130, 1, 130},
                                   {130, 5, 130}, {70, 5, 1}, {33, 2, 16}};
    ur_team *team;
    assert_ok(ur_team_new(&team, 3));
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_options c = any_config(i);
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
            check_tape_is_run(&c, sizes[j][0], sizes[j][1], sizes[j][2], j % 2 ? team : NULL);
    }
    ur_team_free(team);
}

static void run__any_team_gives_the_same_bits(void **state)
{
    (void)state;
    enum { WIDE = 400, STEPS = 40 };
    static int32_t ids[STEPS];
    static ur_real want[STEPS * WIDE], got[STEPS * WIDE];
    ur_options c = net_of("lm", "layers=1 hidden=96");
    ur_model *m = model_of(&c, WIDE, 3);
    fill_ids(ids, STEPS);
    for (int threads = 1; threads <= 4; threads++) {
        for (int piece = 1; piece <= STEPS; piece += STEPS - 1) {
            ur_team *team;
            ur_runner *r;
            assert_ok(ur_team_new(&team, threads));
            assert_ok(ur_runner_new(&r, m, 1, team));
            for (int t = 0; t < STEPS; t += piece)
                assert_ok(ur_runner_run(r, piece, ids + t, got + t * WIDE));
            if (threads == 1 && piece == 1)
                memcpy(want, got, sizeof want);
            assert_memory_equal(want, got, sizeof want);
            ur_runner_free(r);
            ur_team_free(team);
        }
    }
    ur_model_free(m);
}

/* More embedded inputs in one step than there is room for on the stack. */
static void run__takes_wide_embeddings(void **state)
{
    (void)state;
    enum { B = 5, T = 3 };
    ur_options c = net_of("lm", "cell=gru layers=1 hidden=4 embed=4000");
    ur_model *m = model_of(&c, V, 3);
    ur_runner *all, *one;
    int32_t ids[T * B], id;
    ur_real logits[T * B * V], row[V];
    fill_ids(ids, T * B);
    assert_ok(ur_runner_new(&all, m, B, NULL));
    assert_ok(ur_runner_new(&one, m, 1, NULL));
    assert_ok(ur_runner_run(all, T, ids, logits));
    for (int t = 0; t < T; t++) {
        id = ids[t * B + 2];
        assert_ok(ur_runner_run(one, 1, &id, row));
        assert_memory_equal(row, logits + (t * B + 2) * V, sizeof row);
    }
    ur_runner_free(all);
    ur_runner_free(one);
    ur_model_free(m);
}

/* A run that is refused changes nothing. */
/* However many steps, and wherever among them it is. */
static void run__says_what_is_not_finite(void **state)
{
    (void)state;
    ur_options c = any_config(0);
    ur_model *m = model_of(&c, V, 3);
    ur_params *params = ur_model_params(m);
    const ur_param *bias = ur_params_find(params, "decoder.bias");
    ur_runner *r;
    ur_real logits[3 * V];
    assert_non_null(bias);
    ur_param_data(params, bias)[4] = (ur_real)NAN;
    assert_ok(ur_runner_new(&r, m, 1, NULL));
    assert_status(UR_ENUMERIC, ur_runner_step(r, (int32_t[]){3}));
    assert_status(UR_ENUMERIC, ur_runner_run(r, 3, (int32_t[]){3, 1, 2}, logits));
    assert_non_null(strstr(ur_errmsg(), "output 4 of the network"));
    ur_runner_free(r);
    ur_model_free(m);
}

static void run__refuses_wrong_use(void **state)
{
    (void)state;
    ur_options c = any_config(0), e = any_config(5), f = net_of("fill", "hidden=6,6");
    ur_model *m = model_of(&c, V, 3), *other = model_of(&e, V, 3), *fills = model_of(&f, V, 3);
    ur_runner *r, *q, *gap;
    ur_real logits[2 * V];
    assert_ok(ur_runner_new(&r, m, 1, NULL));
    assert_ok(ur_runner_new(&q, other, 1, NULL));
    assert_ok(ur_runner_new(&gap, fills, 1, NULL));
    assert_status(UR_EINVAL, ur_runner_run(r, 2, (int32_t[]){3, V}, logits));
    assert_status(UR_EINVAL, ur_runner_run(r, 2, (int32_t[]){-1, 3}, logits));
    assert_status(UR_EINVAL, ur_runner_run(q, 2, (int32_t[]){3, V}, logits));
    assert_status(UR_EINVAL, ur_runner_run(r, -1, (int32_t[]){3}, logits));
    assert_status(UR_EINVAL, ur_runner_run(gap, 1, (int32_t[]){3}, logits));
    assert_status(UR_EINVAL, ur_runner_step(r, (int32_t[]){V}));
    assert_status(UR_EINVAL, ur_runner_step(gap, (int32_t[]){3}));
    assert_ok(ur_runner_run(r, 0, (int32_t[]){3}, logits));
    assert_int_equal(ur_state_steps(ur_runner_state(r, 0)), 0);
    assert_null(ur_runner_state(r, 1));
    assert_null(ur_runner_state(r, -1));
    assert_null(ur_runner_output(r, 1));
    /* A state of one model is none of another. */
    ur_model_state *s;
    ur_tape *tape;
    const int32_t ids[] = {3};
    const ur_batch batch = batch_of(1, 1, ids, NULL, NULL);
    assert_ok(ur_model_state_new(&s, m, 1, NULL));
    assert_ok(ur_tape_new(&tape, NULL));
    assert_null(ur_model_outputs(tape, other, &batch, s));
    assert_status(UR_EINVAL, ur_tape_status(tape));
    ur_tape_free(tape);
    ur_model_state_free(s);
    ur_runner_free(r);
    ur_runner_free(q);
    ur_runner_free(gap);
    ur_model_free(m);
    ur_model_free(other);
    ur_model_free(fills);
}

static void logits__drop_out_in_training_only(void **state)
{
    (void)state;
    enum { T = 9, B = 2 };
    ur_options c = net_of("lm", "layers=1 hidden=12 dropout=0.5");
    int32_t ids[T * B];
    static ur_real plain[T * B * V];
    ur_model *m = model_of(&c, V, 3);
    ur_tape *tape;
    fill_ids(ids, T * B);
    const ur_batch batch = batch_of(T, B, ids, NULL, NULL);
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tensor *y = ur_model_outputs(tape, m, &batch, NULL);
    assert_ok(ur_tape_status(tape));
    memcpy(plain, ur_data(y), sizeof plain);
    ur_tape_reset(tape);
    ur_tape_set_training(tape, true, 1, 1);
    y = ur_model_outputs(tape, m, &batch, NULL);
    assert_ok(ur_tape_status(tape));
    assert_memory_not_equal(plain, ur_data(y), sizeof plain);
    ur_tape_free(tape);
    ur_model_free(m);
}

/* Dropout included; with few logits, which are kept, and with many, which are not. */
static void loss__has_the_bits_of_the_logits(void **state)
{
    (void)state;
    enum { MANY = 6500 };
    static int32_t ids[MAX_T * MAX_B], targets[MAX_T * MAX_B];
    static const int words[] = {V, MANY};
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    fill_ids(ids, MAX_T * MAX_B);
    for (int i = 0; i < 4; i++) {
        ur_options c = net_of(i < 2 ? "lm" : "fill", "hidden=12,12 tie=yes dropout=0.25");
        int n = words[i % 2], T = MAX_T, B = MAX_B;
        ur_model *m = model_of(&c, n, 21);
        ur_params *params = ur_model_params(m);
        size_t size = ur_params_size(params);
        ur_real *want = malloc(size * sizeof *want), loss[2];
        assert_non_null(want);
        for (int j = 0; j < T * B; j++)
            targets[j] = j % 13 == 5 ? -1 : j * 97 % n;
        const ur_batch batch = batch_of(T, B, ids, NULL, targets);
        for (int joined = 0; joined < 2; joined++) {
            ur_tape_reset(tape);
            ur_tape_set_training(tape, true, 1, 1);
            ur_params_zero_grads(params);
            ur_tensor *e = joined ? ur_model_loss(tape, m, &batch, NULL)
                                  : ur_cross_entropy(tape, ur_model_outputs(tape, m, &batch, NULL),
                                                     (ur_ids){targets, T, B});
            loss[joined] = (ur_real)ur_scalar(e);
            assert_ok(ur_backward(tape, e));
            if (!joined)
                memcpy(want, ur_params_grads(params), size * sizeof *want);
        }
        assert_memory_equal(&loss[1], &loss[0], sizeof *loss);
        assert_memory_equal(ur_params_grads(params), want, size * sizeof *want);
        free(want);
        ur_model_free(m);
    }
    ur_tape_free(tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__has_the_bits_of_the_tape),
        cmocka_unit_test(run__any_team_gives_the_same_bits),
        cmocka_unit_test(run__takes_wide_embeddings),
        cmocka_unit_test(run__says_what_is_not_finite),
        cmocka_unit_test(run__refuses_wrong_use),
        cmocka_unit_test(logits__drop_out_in_training_only),
        cmocka_unit_test(loss__has_the_bits_of_the_logits),
    };
    return cmocka_run_group_tests_name("model_run", tests, NULL, NULL);
}
