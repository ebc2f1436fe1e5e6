/* SPDX-License-Identifier: MIT */
/* Labels that are fed back: what a step may know of the others, a beam against all sequences of
 * labels, width 1 against the likeliest label step by step, and a sequence among others. */
#include "models.h"
#include "test_task.h"

#include <math.h>

#include "data/labels.h"
#include "decode/label_beam.h"
#include "model/tag.h"

enum { K = 3, PATHS = 81, T = 4 };      /* PATHS = K^T */

static ur_vocab *words_of(int n)
{
    static const char *const word[] = {"<unk>", "</s>", "a", "b", "c", "d", "e"};
    ur_vocab *v;
    assert_ok(ur__vocab_new_words(&v, UR_TOKEN_WORD, n, word));
    return v;
}

/* Words a to e, labels a to c; weights so large that labels matter to each other. */
static ur_model *net_with(const char *settings, uint64_t seed)
{
    char text[200];
    ur_model *m;
    snprintf(text, sizeof text, "hidden=7 embed=4 letters=0 dropout=0 feedback=yes %s", settings);
    ur_options c = net_of("tag", text);
    bool frames = setting(&c, "features") > 0;
    ur_vocab *const v[] = {frames ? NULL : words_of(7), words_of(2 + K), NULL};
    assert_ok(ur_model_new(&m, &c, 3, v, seed));
    ur_params *p = ur_model_params(m);
    for (size_t i = 0; i < ur_params_size(p); i++)
        ur_params_values(p)[i] *= 2.5F;
    assert_ok(ur_model_prepare(m));
    return m;
}

static const char *const nets[] = {
    "", "cell=gru label-embed=5", "cell=rnn layers=2", "projection=5 bidirectional=no",
    "norm=layer", "cell=none", "hidden=6,9 learned-state=yes",
};
enum { N_NETS = sizeof nets / sizeof *nets };

/* ---- what the network computes ----------------------------------------- */

/* log p [steps,B,K] of labels that are told those before them. */
static const ur_real *log_p_of(ur_tape *tape, const ur_model *m, const ur_batch *batch)
{
    ur_tape_reset(tape);
    const ur_tensor *y = ur_log_softmax(ur_model_outputs(tape, m, batch, NULL));
    assert_ok(ur_tape_status(tape));
    return ur_data(y);
}

static void outputs__hang_on_the_labels_before(void **unused)
{
    (void)unused;
    static const int32_t ids[T] = {2, 5, 3, 6};
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int k = 0; k < N_NETS; k++) {
        ur_model *m = net_with(nets[k], 3);
        for (int at = 0; at < T; at++)
            for (int other = -1; other < K; other++) {
                int32_t target[T] = {0, 0, 0, 0};
                ur_real first[T * K];
                ur_batch batch = batch_of(T, 1, ids, NULL, target);
                memcpy(first, log_p_of(tape, m, &batch), sizeof first);
                target[at] = other;
                const ur_real *y = log_p_of(tape, m, &batch);
                assert_memory_equal(y, first, (size_t)(at + 1) * K * sizeof *y);
                if (at + 1 < T)
                    assert_true((memcmp(y + (at + 1) * K, first + (at + 1) * K,
                                        K * sizeof *y) == 0) == (other == 0));
            }
        ur_model_free(m);
    }
    ur_tape_free(tape);
}

static void outputs__need_labels(void **unused)
{
    (void)unused;
    static const int32_t ids[T] = {2, 5, 3, 6}, target[T] = {0, 1, 2, 1};
    ur_model *m = net_with("", 3);
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    ur_batch batch = batch_of(T, 1, ids, NULL, NULL);
    assert_null(ur_model_outputs(tape, m, &batch, NULL));
    assert_int_equal(ur_tape_status(tape), UR_EINVAL);
    assert_non_null(strstr(ur_errmsg(), "has no field \"target\", whose labels are fed back"));
    ur_tape_reset(tape);
    assert_ok(ur_batch_ids(&batch, "target", T - 1, 1, target, NULL));
    assert_null(ur_model_outputs(tape, m, &batch, NULL));
    assert_int_equal(ur_tape_status(tape), UR_ESHAPE);
    ur_options c = net_of("tag", "crf=yes feedback=yes");
    assert_status(UR_EINVAL, ur_config_check(&c));
    assert_string_equal(ur_errmsg(), "crf and feedback are two ways to choose the labels of a "
                        "sequence together: leave one of them out");
    ur_tape_free(tape);
    ur_model_free(m);
}

/* ---- searching --------------------------------------------------------- */

enum { ROWS = 9, LONG = 13 };

/* Sequences of words, none longer than `most`, one of them without a step. */
struct texts {
    int32_t ids[LONG * ROWS];
    int lengths[ROWS];
    int T;
};

static void draw(struct texts *x, int most, uint64_t seed)
{
    x->T = most;
    for (int b = 0; b < ROWS; b++)
        x->lengths[b] = b == 0 ? most : b == 4 ? 0
                               : 1 + (int)(ur_random_uniform(seed, 1, 0, (uint32_t)b) * most);
    for (int i = 0; i < most * ROWS; i++)
        x->ids[i] = i / ROWS < x->lengths[i % ROWS]
            ? 2 + (int)(ur_random_uniform(seed, 2, 0, (uint32_t)i) * 5) : 0;
}

static void search(const ur_model *m, const ur_batch *batch, int width, ur_team *team,
                   int32_t *labels, double *log_p)
{
    const ur_field *in = ur_batch_find(batch, "input");
    const struct ur__label_beam_size size = {width, 1, in->dim[1]};    /* it grows */
    struct ur__label_beam *beam;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, team));
    ur_tensor *h = ur__tag_steps(tape, m, batch);
    assert_ok(ur_tape_status(tape));
    const struct ur__steps steps = {in->dim[0], in->dim[1], ur_data(h), in->lengths};
    assert_ok(ur__label_beam_new(&beam, ur__tag_feedback(m), &size, team));
    for (int twice = 0; twice < 2; twice++)
        assert_ok(ur__label_beam_run(beam, &steps, labels, log_p));
    ur__label_beam_free(beam);
    ur_tape_free(tape);
}

/* Sequence b alone. */
static ur_batch alone(const struct texts *x, int b, int32_t *ids, int *length)
{
    *length = x->lengths[b];
    for (int t = 0; t < *length; t++)
        ids[t] = x->ids[t * ROWS + b];
    return batch_of(*length, 1, ids, length, NULL);
}

/* The likeliest of all K^n sequences of labels of n words, each put through the network. */
static double likeliest(ur_tape *tape, const ur_model *m, const int32_t *ids, int n, int *best)
{
    static int32_t in[T * PATHS], target[T * PATHS];
    double most = -1e9;
    for (int i = 0; i < n * PATHS; i++) {
        int path = i % PATHS, t = i / PATHS;
        for (int k = 0; k < t; k++)
            path /= K;
        in[i] = ids[t];
        target[i] = path % K;
    }
    const ur_batch batch = batch_of(n, PATHS, in, NULL, target);
    const ur_real *y = log_p_of(tape, m, &batch);
    for (int path = 0; path < PATHS; path++) {
        double sum = 0;
        for (int t = 0; t < n; t++)
            sum += (double)y[(t * PATHS + path) * K + target[t * PATHS + path]];
        if (sum > most) {
            most = sum;
            for (int t = 0; t < n; t++)
                best[t] = target[t * PATHS + path];
        }
    }
    return most;
}

static void beam__that_is_wide_finds_the_likeliest_of_all(void **unused)
{
    (void)unused;
    int narrow_misses = 0, sequences = 0;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int k = 0; k < N_NETS; k++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            ur_model *m = net_with(nets[k], seed);
            struct texts x;
            int32_t wide[T * ROWS], narrow[T * ROWS];
            double log_p[ROWS];
            draw(&x, T, seed);
            const ur_batch batch = batch_of(T, ROWS, x.ids, x.lengths, NULL);
            search(m, &batch, 1, NULL, narrow, NULL);
            search(m, &batch, PATHS, NULL, wide, log_p);
            for (int b = 0; b < ROWS; b++) {
                int32_t ids[T];
                int length = x.lengths[b], best[T];
                for (int t = 0; t < length; t++)
                    ids[t] = x.ids[t * ROWS + b];
                double most = length ? likeliest(tape, m, ids, length, best) : 0;
                bool missed = false;
                assert_true(fabs(most - log_p[b]) < 1e-5);
                for (int t = 0; t < T; t++) {
                    assert_int_equal(wide[t * ROWS + b], t < length ? best[t] : -1);
                    missed = missed || narrow[t * ROWS + b] != wide[t * ROWS + b];
                }
                narrow_misses += missed;
                sequences++;
            }
            ur_model_free(m);
        }
    ur_tape_free(tape);
    print_message("%d sequences; width 1 misses the likeliest labels of %d\n", sequences,
                  narrow_misses);
    assert_true(narrow_misses > 0);
}

/* The network is asked for one label after the other. */
static void beam__of_width_1_is_greedy(void **unused)
{
    (void)unused;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int k = 0; k < N_NETS; k++) {
        ur_model *m = net_with(nets[k], 5);
        struct texts x;
        int32_t found[LONG * ROWS], labels[LONG * ROWS] = {0};
        draw(&x, LONG, 5);
        const ur_batch batch = batch_of(LONG, ROWS, x.ids, x.lengths, labels);
        for (int t = 0; t < LONG; t++) {
            const ur_real *y = log_p_of(tape, m, &batch) + t * ROWS * K;
            for (int b = 0; b < ROWS; b++)
                for (int j = 1; j < K; j++)
                    if (y[b * K + j] > y[b * K + labels[t * ROWS + b]])
                        labels[t * ROWS + b] = j;
        }
        search(m, &batch, 1, NULL, found, NULL);
        for (int i = 0; i < LONG * ROWS; i++)
            assert_int_equal(found[i], i / ROWS < x.lengths[i % ROWS] ? labels[i] : -1);
        ur_model_free(m);
    }
    ur_tape_free(tape);
}

static void beam__does_not_see_other_sequences(void **unused)
{
    (void)unused;
    static const int widths[] = {1, 2, 4, 33, 100};
    for (int k = 0; k < N_NETS; k++)
        for (int w = 0; w < 5; w++) {
            ur_model *m = net_with(nets[k], 7);
            struct texts x;
            int32_t all[LONG * ROWS], own[LONG], ids[LONG];
            double log_p[ROWS], own_p;
            int length;
            draw(&x, LONG, 7);
            const ur_batch batch = batch_of(LONG, ROWS, x.ids, x.lengths, NULL);
            search(m, &batch, widths[w], NULL, all, log_p);
            for (int b = 0; b < ROWS; b++) {
                if (x.lengths[b] == 0)
                    continue;
                const ur_batch one = alone(&x, b, ids, &length);
                search(m, &one, widths[w], NULL, own, &own_p);
                for (int t = 0; t < length; t++)
                    assert_int_equal(all[t * ROWS + b], own[t]);
                assert_true(log_p[b] == own_p);
            }
            for (int size = 2; size <= 3; size++) {
                int32_t again[LONG * ROWS];
                double again_p[ROWS];
                ur_team *team;
                assert_ok(ur_team_new(&team, size));
                search(m, &batch, widths[w], team, again, again_p);
                assert_memory_equal(all, again, sizeof all);
                assert_memory_equal(log_p, again_p, sizeof log_p);
                ur_team_free(team);
            }
            ur_model_free(m);
        }
}

static void beam__is_what_it_was_measured_to_be(void **unused)
{
    (void)unused;
    for (int k = 0; k < N_NETS; k++)
        for (int width = 1; width <= 81; width *= 3) {
            ur_model *m = net_with(nets[k], 1);
            const struct ur__label_beam_size size = {width, 50, 20};
            struct ur__label_beam *beam;
            size_t bytes, before = ur_memory_used();
            assert_ok(ur__label_beam_measure(ur__tag_feedback(m), &size, NULL, &bytes));
            assert_int_equal(ur_memory_used(), before);
            assert_ok(ur__label_beam_new(&beam, ur__tag_feedback(m), &size, NULL));
            size_t taken = ur_memory_used() - before;
            if (fabs((double)bytes - (double)taken) > 1024 + 0.01 * (double)taken)
                fail_msg("%s, width %d: %zu bytes foretold, %zu taken", nets[k], width, bytes,
                         taken);
            ur__label_beam_free(beam);
            ur_model_free(m);
        }
}

/* ---- answers ----------------------------------------------------------- */

static void answer__has_the_labels_of_the_beam(void **unused)
{
    (void)unused;
    static const char line[] = "a d b e a c b d e a";
    static const int32_t ids[] = {2, 5, 3, 6, 2, 4, 3, 5, 6, 2};
    enum { N = 10 };
    int differ = 0;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (uint64_t seed = 1; seed <= 8; seed++) {
        ur_model *m = net_with("", seed);
        int32_t labels[2][N];
        for (int wide = 0; wide < 2; wide++) {
            ur_predict_options o;
            ur_predictor *p;
            const ur_answer *a;
            const ur_batch batch = batch_of(N, 1, ids, NULL, labels[wide]);
            ur_predict_options_init(&o);
            o.best = K;
            o.beam = wide ? 9 : 1;
            search(m, &batch, o.beam, NULL, labels[wide], NULL);
            const ur_real *log_p = log_p_of(tape, m, &batch);
            assert_ok(ur_predictor_new(&p, m, &o));
            for (int twice = 0; twice < 2; twice++) {
                assert_ok(ur_predictor_line(p, "a b", 3, &a));
                assert_int_equal(a->n_places, 2);
                assert_ok(ur_predictor_line(p, line, strlen(line), &a));
            }
            assert_int_equal(a->n_places, N);
            for (int t = 0; t < N; t++) {
                double sum = 0;
                assert_int_equal(a->text[2 * t], 'a' + labels[wide][t]);
                assert_int_equal(a->place[t].best[0].text[0], a->text[2 * t]);
                for (int j = 0; j < K; j++) {
                    const ur_candidate *c = &a->place[t].best[j];
                    sum += c->p;
                    assert_true(fabs(log(c->p) - (double)log_p[t * K + c->text[0] - 'a']) < 1e-4);
                }
                assert_true(fabs(sum - 1) < 1e-6);
            }
            assert_ok(ur_predictor_line(p, "", 0, &a));
            assert_int_equal(a->n_places, 0);
            ur_predictor_free(p);
        }
        differ += memcmp(labels[0], labels[1], sizeof labels[0]) != 0;
        ur_model_free(m);
    }
    assert_true(differ > 0);
    ur_tape_free(tape);
}

static void beam__is_refused_where_there_is_none(void **unused)
{
    (void)unused;
    ur_predict_options o;
    ur_eval_options e = eval_of(&tagged_path, 1);
    ur_predictor *p;
    ur_metrics found;
    ur_metrics_init(&found);
    ur_predict_options_init(&o);
    for (int fed = 0; fed < 2; fed++) {
        ur_model *m = net_with(fed ? "" : "feedback=no", 1);
        for (int width = -1; width <= UR_BEAM_MOST + 1; width += UR_BEAM_MOST + 2) {
            o.beam = e.beam = width;
            assert_status(UR_EINVAL, ur_predictor_new(&p, m, &o));
            assert_non_null(strstr(ur_errmsg(), "a beam is 1 to 4096 wide, not "));
            assert_status(UR_EINVAL, ur_evaluate(m, &e, &found));
        }
        o.beam = e.beam = 2;
        assert_status(fed ? UR_OK : UR_EINVAL, ur_predictor_new(&p, m, &o));
        if (!fed)
            assert_string_equal(ur_errmsg(), "a beam is for models that search for what they say, "
                                "and this one of task tag does not");
        assert_int_equal(ur_evaluate(m, &e, &found), fed ? UR_EDATA : UR_EINVAL);
        ur_predictor_free(fed ? p : NULL);
        ur_model_free(m);
    }
}

/* What follows a thing goes on with it: the width changes neither the loss nor what was learnt. */
static void eval__takes_a_beam(void **unused)
{
    (void)unused;
    struct { double loss, f1; } said[3];
    static const int beams[3] = {0, 1, 16};
    ur_train_options o = small_run("tag", tmp_path("m.safetensors"), "feedback=yes");
    ur_model *m;
    o.steps = 150;
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur_model_load(&m, o.model));
    for (int i = 0; i < 3; i++) {
        ur_eval_options e = eval_of(&tagged_path, 1);
        ur_metrics found;
        ur_metrics_init(&found);
        e.beam = beams[i];
        assert_ok(ur_evaluate(m, &e, &found));
        said[i].loss = ur_metrics_get(&found, "loss");
        said[i].f1 = ur_metrics_get(&found, "f1");
        assert_true(said[i].f1 > 0.9);
        assert_true(said[i].loss == said[0].loss);
    }
    ur_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs__hang_on_the_labels_before),
        cmocka_unit_test(outputs__need_labels),
        cmocka_unit_test(beam__that_is_wide_finds_the_likeliest_of_all),
        cmocka_unit_test(beam__of_width_1_is_greedy),
        cmocka_unit_test(beam__does_not_see_other_sequences),
        cmocka_unit_test(beam__is_what_it_was_measured_to_be),
        cmocka_unit_test(answer__has_the_labels_of_the_beam),
        cmocka_unit_test(beam__is_refused_where_there_is_none),
        cmocka_unit_test(eval__takes_a_beam),
    };
    return cmocka_run_group_tests_name("feedback", tests, set_up, tear_down);
}
