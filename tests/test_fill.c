/* SPDX-License-Identifier: MIT */
/* Filling gaps: no logit sees its own token, every other one does; alone, padded and
 * without a tape the bits are the same; runs resume, learn and are measured as they say. */
#include "models.h"

#include <math.h>

#include "data/window.h"
#include "test_task.h"

enum { V = 11, T = 7, B = 3 };

static int32_t ids[T * B];

static void draw_ids(uint64_t seed)
{
    for (int i = 0; i < T * B; i++)
        ids[i] = (int32_t)(V * ur_random_uniform(seed, 5, 0, (uint32_t)i));
}

enum { N_FILLS = 8 };

static ur_options fill_config(int i)
{
    static const char *const list[N_FILLS] = {
        "hidden=12,12", "cell=gru hidden=9,17", "cell=gru layers=1 hidden=11 reset=before",
        "cell=rnn hidden=8,8 activation=relu init=orthogonal",
        "hidden=12,12 embed=24 tie=yes dropout=0.25", "layers=1 hidden=33 embed=70 forget-bias=1",
        "hidden=12,12 projection=7 coupled=yes peepholes=yes cell-clip=0.5 learned-state=yes",
        "hidden=6,6,5 learned-state=yes peepholes=yes",
    };
    return net_of("fill", list[i]);
}

static void run_fill(const ur_model *m, const int *lengths, ur_real *logits)
{
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    ur_tape_set_recording(tape, false);
    const ur_batch batch = batch_of(T, B, ids, lengths, NULL);
    const ur_tensor *y = ur_model_outputs(tape, m, &batch, NULL);
    assert_ok(ur_tape_status(tape));
    assert_int_equal(ur_size(y), T * B * V);
    memcpy(logits, ur_data(y), T * B * V * sizeof *logits);
    ur_tape_free(tape);
}

static const ur_real *row(const ur_real *logits, int t, int b)
{
    return logits + (size_t)(t * B + b) * V;
}

static bool same_row(const ur_real *x, const ur_real *y, int t, int b)
{
    return memcmp(row(x, t, b), row(y, t, b), V * sizeof *x) == 0;
}

/* ---- what a logit depends on ------------------------------------------- */

static void fill__no_logit_sees_its_own_token(void **unused)
{
    (void)unused;
    static const int lengths[B] = {T, 4, 6};
    static ur_real before[T * B * V], after[T * B * V];
    int kept = 0, changed = 0;
    for (int i = 0; i < N_FILLS; i++) {
        ur_options c = fill_config(i);
        ur_model *m = model_of(&c, V, 3);
        draw_ids(7);
        run_fill(m, lengths, before);
        for (int at = 0; at < T * B; at++) {
            int t = at / B, b = at % B;
            int32_t old = ids[at];
            ids[at] = (old + 3) % V;
            run_fill(m, lengths, after);
            ids[at] = old;
            for (int place = 0; place < T * B; place++) {
                int s = place / B, r = place % B;
                bool sees = r == b && s != t && s < lengths[b] && t < lengths[b];
                /* A rectifier may hide a change. */
                if (!sees || strcmp(setting_text(&c, "activation"), "relu") != 0)
                    assert_int_equal(same_row(before, after, s, r), !sees);
                kept += !sees;
                changed += sees;
            }
        }
        ur_model_free(m);
    }
    print_message("%d logits stay, %d change\n", kept, changed);
}

static void fill__short_sequences_are_as_alone(void **unused)
{
    (void)unused;
    static const int lengths[B] = {T, 4, 1}, whole[B] = {T, T, T};
    static ur_real padded[T * B * V], other[T * B * V];
    for (int i = 0; i < N_FILLS; i++) {
        ur_options c = fill_config(i);
        ur_model *m = model_of(&c, V, 3);
        ur_runner *f;
        draw_ids(8);
        run_fill(m, lengths, padded);
        for (int at = 0; at < T * B; at++)      /* what stands in the padding plays no part */
            if (at / B >= lengths[at % B])
                ids[at] = (ids[at] + 1) % V;
        run_fill(m, lengths, other);
        assert_memory_equal(padded, other, sizeof padded);
        run_fill(m, whole, other);
        for (int t = 0; t < T; t++)
            assert_true(same_row(padded, other, t, 0));
        run_fill(m, NULL, padded);
        assert_memory_equal(padded, other, sizeof padded);

        /* One gap at a time, without a tape. */
        assert_ok(ur_runner_new(&f, m, 1, NULL));
        long allocations = ur__mem_allocations();
        for (int b = 0; b < B; b++) {
            int32_t line[T];
            for (int t = 0; t < T; t++)
                line[t] = ids[t * B + b];
            for (int t = 0; t < T; t++) {
                const ur_real *logits;
                assert_ok(run_gap(f, t, line, T - 1 - t, line + t + 1, &logits));
                assert_memory_equal(logits, row(padded, t, b), V * sizeof *logits);
            }
        }
        assert_int_equal(ur__mem_allocations(), allocations);
        ur_runner_free(f);
        ur_model_free(m);
    }
}

static void runner__lists_the_likeliest(void **unused)
{
    (void)unused;
    ur_options c = fill_config(0);
    ur_model *m = model_of(&c, V, 3);      /* code 10, the line feed, is token 0 */
    ur_runner *f;
    const ur_real *logits;
    int32_t best[V + 5];
    double p[V + 5], sum = 0, rest = 0;
    draw_ids(9);
    assert_ok(ur_runner_new(&f, m, 1, NULL));
    assert_ok(run_gap(f, 2, ids, 100 % T, ids + 2, &logits));
    assert_int_equal(ur_runner_best(f, 0, V + 5, best, p), V - 1);
    for (int v = 0; v < V; v++)
        sum += exp((double)logits[v]);
    for (int i = 0; i < V - 1; i++) {
        assert_in_range(best[i], 1, V - 1);
        assert_true(fabs(p[i] - exp((double)logits[best[i]]) / sum) < 1e-6);
        assert_true(i == 0 || p[i] <= p[i - 1]);
        rest += p[i];
    }
    assert_true(fabs(rest + exp((double)logits[0]) / sum - 1) < 1e-6);
    int32_t again[2];
    assert_int_equal(ur_runner_best(f, 0, 2, again, p), 2);
    assert_memory_equal(again, best, sizeof again);
    const int32_t bad = V;
    assert_status(UR_EINVAL, run_gap(f, 1, &bad, 0, NULL, &logits));
    assert_status(UR_EINVAL, run_gap(f, 0, NULL, 1, &bad, &logits));
    assert_ok(run_gap(f, 0, NULL, 0, NULL, &logits));
    ur_runner_free(f);
    ur_runner_free(NULL);
    ur_model_free(m);
}

static void fill__models_are_of_one_task(void **unused)
{
    (void)unused;
    ur_options c = fill_config(4), lm = any_config(0);
    ur_model *fills = model_of(&c, V, 3), *goes_on = model_of(&lm, V, 3);
    ur_model_state *state;
    ur_runner *f, *steps;
    ur_session *s;
    ur_tape *tape;
    const ur_real *out;
    ur_real logits[V];
    ur_eval_options o = eval_of(&text_path, 1);
    draw_ids(1);
    const int lengths[B] = {1, 2, T + 1};
    const ur_batch batch = batch_of(T, B, ids, NULL, NULL), long_one = batch_of(T, B, ids, lengths,
                                                                                NULL);
    assert_ok(ur_tape_new(&tape, NULL));
    assert_status(UR_EINVAL, ur_model_state_new(&state, fills, 1, NULL));
    assert_null(state);
    assert_status(UR_EINVAL, ur_session_new(&s, fills, NULL));
    assert_null(s);
    assert_ok(ur_runner_new(&f, fills, 1, NULL));
    assert_ok(ur_runner_new(&steps, goes_on, 1, NULL));
    assert_status(UR_EINVAL, ur_runner_run(f, 1, ids, logits));
    assert_status(UR_EINVAL, ur_runner_step(f, ids));
    assert_status(UR_EINVAL, run_gap(steps, 1, ids, 1, ids, &out));
    /* A state of a model that goes on is none of one that fills. */
    assert_ok(ur_model_state_new(&state, goes_on, B, NULL));
    assert_null(ur_model_outputs(tape, fills, &batch, state));
    assert_status(UR_EINVAL, ur_tape_status(tape));
    ur_tape_reset(tape);
    assert_null(ur_model_outputs(tape, fills, &long_one, NULL));
    assert_status(UR_ESHAPE, ur_tape_status(tape));
    o.protocol = (ur_protocol)7;
    ur_metrics metrics;
    ur_metrics_init(&metrics);
    assert_status(UR_EINVAL, ur_evaluate(fills, &o, &metrics));
    set_net(&c, "embed=12");
    assert_status(UR_EINVAL, ur_config_check(&c));
    assert_message("tie needs embed 24, the size that the decoder reads, but it is 12");
    ur_tape_free(tape);
    ur_model_state_free(state);
    ur_runner_free(f);
    ur_runner_free(steps);
    ur_model_free(fills);
    ur_model_free(goes_on);
}

/* ---- files ------------------------------------------------------------- */

static void file__names_both_stacks(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_FILLS; i++) {
        ur_options c = fill_config(i);
        ur_model *m = model_of(&c, V, 3), *back;
        const char *a = tmp_path("a.safetensors"), *b = tmp_path("b.safetensors");
        static ur_real x[T * B * V], y[T * B * V];
        ur_params *p = ur_model_params(m);
        bool plain = ur_params_find(p, "rnn_forward.weight_ih_l0");
        assert_true(plain || ur_params_find(p, "urnn_forward.weight_ih_l0"));
        assert_true(ur_params_find(p, plain ? "rnn_backward.weight_ih_l0"
                                            : "urnn_backward.weight_ih_l0"));
        for (int k = 0; k < ur_params_count(p); k++)
            assert_null(strstr(ur_params_at(p, k)->name, "rnn.weight"));
        assert_ok(ur_model_save(m, a));
        assert_ok(ur_model_load(&back, a));
        assert_string_equal(ur_model_arch(back), "fill");
        assert_string_equal(ur_model_task(back), "fill");
        assert_ok(ur_model_save(back, b));
        assert_same_file(a, b);
        draw_ids(2);
        run_fill(m, NULL, x);
        run_fill(back, NULL, y);
        assert_memory_equal(x, y, sizeof x);
        ur_model_free(back);
        ur_model_free(m);
    }
}

static void fill__survives_any_failed_allocation(void **unused)
{
    (void)unused;
    ur_options c = fill_config(4);
    ur_status status = UR_ENOMEM;
    long n = 0, blocks = ur__mem_blocks();
    while (status != UR_OK) {
        ur_vocab *v = vocab_of(V);
        ur_model *m = NULL;
        ur_runner *f = NULL;
        ur__mem_fail_at(++n, false);
        status = ur_model_new(&m, &c, 1, &v, 1);
        if (status != UR_OK)
            ur_vocab_free(v);
        else
            status = ur_runner_new(&f, m, 1, NULL);
        ur__mem_fail_at(0, false);
        assert_true(status == UR_OK || status == UR_ENOMEM);
        ur_runner_free(f);
        ur_model_free(m);
        assert_int_equal(ur__mem_blocks(), blocks);
    }
    assert_true(n > 20);
}

/* ---- windows ----------------------------------------------------------- */

static void shuffled__is_a_permutation(void **unused)
{
    (void)unused;
    static const int64_t sizes[] = {1, 2, 3, 5, 16, 17, 64, 100, 1000, 65537};
    static unsigned char seen[65537];
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int64_t n = sizes[k], fixed = 0, moved = 0;
        for (uint64_t round = 0; round < 3; round++) {
            memset(seen, 0, sizeof seen);
            for (int64_t i = 0; i < n; i++) {
                int64_t x = ur__shuffled(9, round, n, i);
                assert_in_range(x, 0, n - 1);
                assert_int_equal(seen[x]++, 0);
                fixed += x == i;
                moved += x != ur__shuffled(9, round + 1, n, i);
            }
        }
        /* On average one stays in each round. */
        assert_true(n < 16 || (fixed < n && moved > n));
    }
    int64_t large = (int64_t)1 << 40;
    for (int64_t i = 0; i < 1000; i++)
        assert_in_range(ur__shuffled(1, 2, large, large - 1 - i), 0, large - 1);
    /* Each of 6 orders of three comes up about as often. */
    int count[27] = {0};
    for (uint64_t seed = 0; seed < 6000; seed++)
        count[ur__shuffled(seed, 0, 3, 0) * 9 + ur__shuffled(seed, 0, 3, 1) * 3
              + ur__shuffled(seed, 0, 3, 2)]++;
    int orders = 0;
    for (int i = 0; i < 27; i++) {
        assert_true(count[i] == 0 || (count[i] > 850 && count[i] < 1150));
        orders += count[i] > 0;
    }
    assert_int_equal(orders, 6);
}

static void windows__cover_each_token_once(void **unused)
{
    (void)unused;
    struct ur__corpus *c;
    ur_vocab *v;
    assert_ok(ur__corpus_open(&c, &text_path, 1, UR_TOKEN_CHAR, NULL, &v));
    static int32_t want[3000], got[1500 * 8];
    static const int lengths[] = {1, 2, 7, 64, 1499, 1500, 9999};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        struct ur__windows w;
        int64_t tokens = 1500, found = 0;
        assert_ok(ur__windows_init(&w, c, 100, tokens, lengths[k]));
        assert_ok(ur__corpus_read(c, 100, tokens, want));
        assert_int_equal(w.n, (tokens + w.T - 1) / w.T);
        for (int64_t i = 0; i < w.n; i++) {
            /* Beside others, in any order. */
            int64_t which[3] = {(i + 1) % w.n, i, 0};
            int at[3], t;
            assert_ok(ur__windows_read(&w, 3, which, got, at, &t));
            for (int s = 0; s < t; s++) {
                if (s < at[1])
                    assert_int_equal(got[s * 3 + 1], want[i * w.T + s]);
                else
                    assert_int_equal(got[s * 3 + 1], 0);
            }
            found += at[1];
        }
        assert_int_equal(found, tokens);
        int64_t none = w.n;
        int at, t;
        assert_status(UR_EINVAL, ur__windows_read(&w, 1, &none, got, &at, &t));
    }
    struct ur__windows w;
    assert_status(UR_EINVAL, ur__windows_init(&w, c, 0, 10, 0));
    assert_status(UR_EINVAL, ur__windows_init(&w, c, -1, 10, 4));
    assert_status(UR_EDATA, ur__windows_init(&w, c, 0, 1, 4));
    ur__corpus_free(c);
    ur_vocab_free(v);
}

/* ---- runs -------------------------------------------------------------- */

/* Each second word is known from what stands behind it, and from nothing before. */
static const char *write_riddles(void)
{
    static const char *const pair[] = {"red apple\n", "blue sky\n", "green grass\n",
                                       "white snow\n"};
    const char *path = tmp_path("riddles.txt");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 1500; i++)
        fputs(pair[(int)(4 * ur_random_uniform(4, 5, 0, (uint32_t)i))], f);
    fclose(f);
    return path;
}

static ur_train_options options_of(const char *task, const char *model,
                                   const char *const *data)
{
    ur_train_options o = small_run(task, model, "tokens=word hidden=12 embed=8 seq-length=9");
    o.data = data;
    o.batch = 16;
    o.steps = 70;
    return o;
}

static void train__fill_resumes_to_the_same_bits(void **unused)
{
    (void)unused;
    const char *data = write_riddles();
    struct listener l;
    ur_train_options whole = options_of("fill", tmp_path("whole.safetensors"), &data);
    assert_ok(train_until(whole, 0, &l));
    assert_true(l.count[UR_REPORT_SAMPLE] == 0);
    /* In an epoch (29 steps each), at its end, where a checkpoint is due. */
    const int64_t at[] = {1, 29, 33, 40, 58, 69};
    for (int i = 0; i < 6; i++) {
        ur_train_options o = whole;
        o.model = tmp_path("part.safetensors");
        assert_status(UR_ECANCELED, train_until(o, at[i], &l));
        o.resume = true;
        assert_ok(ur_team_new(&o.team, 3));
        assert_ok(train_until(o, 0, &l));
        ur_team_free(o.team);
        assert_same_run(whole.model, o.model);
    }
}

static void train__fill_learns_from_what_stands_behind(void **unused)
{
    (void)unused;
    const char *data = write_riddles();
    double accuracy[2];
    for (int task = 0; task < 2; task++) {
        ur_train_options o = options_of(task ? "fill" : "lm", tmp_path("m.safetensors"), &data);
        struct listener l;
        ur_model *m;
        ur_metrics metrics;
        ur_metrics_init(&metrics);
        ur_eval_options e = eval_of(&data, 1);
        e.held_out = true;
        o.steps = 300;
        set_run(&o, "dropout=0");
        assert_ok(train_until(o, 0, &l));
        assert_ok(ur_model_load(&m, o.model));
        assert_ok(ur_evaluate(m, &e, &metrics));
        accuracy[task] = ur_metrics_get(&metrics, "accuracy");
        ur_model_free(m);
    }
    print_message("accuracy from one side %.3f, from both %.3f\n", accuracy[0], accuracy[1]);
    /* Of three tokens lm guesses one at 1 in 4; fill knows all but at a window's ends. */
    assert_true(accuracy[0] < 0.80);
    assert_true(accuracy[1] > 0.88);
}

static void eval__matches_a_plain_loop(void **unused)
{
    (void)unused;
    const char *data = write_riddles();
    ur_train_options o = options_of("fill", tmp_path("m.safetensors"), &data);
    struct listener l;
    ur_model *m;
    ur_runner *f;
    assert_ok(train_until(o, 0, &l));
    assert_ok(ur_model_load(&m, o.model));
    assert_ok(ur_runner_new(&f, m, 1, NULL));
    size_t n, tokens;
    char *text = read_all(data, &n);
    int32_t *all = malloc(n * sizeof *all);
    assert_non_null(all);
    assert_ok(ur_vocab_encode(ur_model_vocab(m, NULL), text, n, all, &tokens));
    const size_t windows[] = {9, 256};
    for (int protocol = 0; protocol < 2; protocol++) {
        size_t W = windows[protocol];
        double sum = 0;
        int64_t hits = 0;
        int size = ur_vocab_size(ur_model_vocab(m, NULL));
        for (size_t i = 0; i < tokens; i++) {
            size_t begin = i / W * W, end = begin + W < tokens ? begin + W : tokens;
            const ur_real *x;
            double total = 0;
            int best = 0;
            assert_ok(run_gap(f, (int)(i - begin), all + begin, (int)(end - i - 1), all + i + 1,
                              &x));
            for (int v = 0; v < size; v++) {
                total += exp((double)x[v]);
                best = x[v] > x[best] ? v : best;
            }
            sum += log(total) - (double)x[all[i]];
            hits += best == all[i];
        }
        ur_metrics got;
        ur_metrics_init(&got);
        double first = 0;
        for (int team = 1; team <= 3; team++) {
            ur_eval_options e = eval_of(&data, 1);
            e.protocol = (ur_protocol)protocol;
            assert_ok(ur_team_new(&e.team, team));
            assert_ok(ur_evaluate(m, &e, &got));
            ur_team_free(e.team);
            double loss = ur_metrics_get(&got, "loss");
            assert_true(ur_metrics_get(&got, "n") == (double)tokens);
            assert_true(fabs(loss - sum / (double)tokens) < 1e-6);
            assert_true(ur_metrics_get(&got, "accuracy") == (double)hits / (double)tokens);
            assert_true(isnan(ur_metrics_get(&got, "bpc")));
            assert_true(ur_metrics_get(&got, "unk") == 0);
            first = team == 1 ? loss : first;
            assert_true(first == loss);
        }
    }
    free(all);
    ur__free(text);
    ur_runner_free(f);
    ur_model_free(m);
}

static void train__fill_allocates_nothing_once_it_runs(void **unused)
{
    (void)unused;
    const char *data = write_riddles();
    ur_train_options o = options_of("fill", tmp_path("m.safetensors"), &data);
    struct listener l;
    o.eval_every = o.checkpoint_every = 1000;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(l.allocations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill__no_logit_sees_its_own_token),
        cmocka_unit_test(fill__short_sequences_are_as_alone),
        cmocka_unit_test(runner__lists_the_likeliest),
        cmocka_unit_test(fill__models_are_of_one_task),
        cmocka_unit_test(file__names_both_stacks),
        cmocka_unit_test(fill__survives_any_failed_allocation),
        cmocka_unit_test(shuffled__is_a_permutation),
        cmocka_unit_test(windows__cover_each_token_once),
        cmocka_unit_test(train__fill_resumes_to_the_same_bits),
        cmocka_unit_test(train__fill_learns_from_what_stands_behind),
        cmocka_unit_test(eval__matches_a_plain_loop),
        cmocka_unit_test(train__fill_allocates_nothing_once_it_runs),
    };
    return cmocka_run_group_tests_name("fill", tests, set_up, tear_down);
}
