/* SPDX-License-Identifier: MIT */
/* Long labelled sequences, read in pieces: what is measured of them is what whole ones give, and
 * memory does not grow with them. */
#include "test_task.h"

#include <math.h>

#include "data/labels.h"

enum { WIDTH = 2, LONGEST = 900 };
static const int long_ones[] = {1, 255, 256, 257, 600, LONGEST, 512, 40, 700, 3, 300, 511};
enum { SEQUENCES = sizeof long_ones / sizeof *long_ones };

static const char *const tags[] = {"B-up", "I-up", "O"};

/* Numbers are eighths, which a text says exactly. An entity goes over many steps. */
static void step_of(int i, int t, ur_real x[WIDTH], int *tag)
{
    double u = ur_random_uniform(7, 3, (uint64_t)i, (uint32_t)(t / 90));
    int inside = u < 0.4 ? t % 90 : -1;
    x[0] = (ur_real)floor(8 * ur_random_uniform(7, 4, (uint64_t)i, (uint32_t)t)) / 8;
    x[1] = inside == 0 ? 1 : inside == 50 ? -1 : 0;
    *tag = inside < 0 || inside >= 50 ? 2 : inside > 0;
}

static const char *write_long(const char *name, int copies)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < copies * SEQUENCES; i++) {
        for (int t = 0; t < long_ones[i % SEQUENCES]; t++) {
            ur_real x[WIDTH];
            int tag;
            step_of(i, t, x, &tag);
            fprintf(f, "%.3f,%.3f,%s\n", (double)x[0], (double)x[1], tags[tag]);
        }
        fputs("\n", f);
    }
    fclose(f);
    return path;
}

/* Figures of the labels that a model gives to whole sequences, one at a time. */
static void measure_whole(const ur_model *m, ur_metrics *out)
{
    static ur_real x[LONGEST][WIDTH];
    static const char *truth[LONGEST], *guess[LONGEST];
    ur_entity_counts counts = {0, 0, 0};
    const ur_vocab *labels = ur_model_vocab(m, "label");
    double hits = 0, n = 0;
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < SEQUENCES; i++) {
        int tag, T = long_ones[i], dim[] = {T, 1, WIDTH};
        for (int t = 0; t < T; t++) {
            step_of(i, t, x[t], &tag);
            truth[t] = tags[tag];
        }
        ur_batch batch;
        ur_batch_init(&batch);
        ur_tape_reset(tape);
        assert_ok(ur_batch_reals(&batch, "frames", 3, dim, x[0], &T));
        const ur_tensor *y = ur_model_outputs(tape, m, &batch, NULL);
        assert_ok(ur_tape_status(tape));
        for (int t = 0; t < T; t++) {
            const ur_real *logit = ur_data(y) + 3 * t;
            int best = logit[1] > logit[0];
            best = logit[2] > logit[best] ? 2 : best;
            size_t size;
            guess[t] = tags[best];
            const char *label = ur__label_text(labels, best, &size);
            assert_memory_equal(label, tags[best], size);
            hits += guess[t] == truth[t];
        }
        n += T;
        ur_entities_count(&counts, (size_t)T, truth, guess);
    }
    ur_tape_free(tape);
    out->n = 0;
    ur_entity_figures(&counts, out);
    ur_metrics_add(out, "accuracy", "%", true, hits / n);
    ur_metrics_add(out, "n", "steps", false, n);
}

static void pieces__are_measured_as_the_whole(void **unused)
{
    (void)unused;
    const char *path = write_long("long.csv", 1);
    ur_train_options o = run_of("tag", "hidden=16 bidirectional=no seq-length=50 dropout=0");
    struct listener l;
    ur_metrics whole, pieces;
    ur_model *m;
    o.data = &path;
    o.n_data = 1;
    o.val = 0.3;
    o.model = tmp_path("long.safetensors");
    o.steps = 400;
    o.lr = 0.01;
    assert_ok(train_until(o, 0, &l));
    assert_ok(ur_model_load(&m, o.model));
    ur_metrics_init(&whole);
    ur_metrics_init(&pieces);
    measure_whole(m, &whole);
    ur_eval_options e = eval_of(&path, 1);
    assert_ok(ur_evaluate(m, &e, &pieces));
    for (int i = 0; i < whole.n; i++)
        assert_true(whole.at[i].value == ur_metrics_get(&pieces, whole.at[i].name));
    /* 50 steps are looked through as one. */
    printf("pieces of 50 steps: F1 %.3f of entities of 50\n", whole.at[0].value);
    assert_true(whole.at[0].value > 0.5);
    ur_model_free(m);
}

static void pieces__need_a_net_that_reads_forwards(void **unused)
{
    (void)unused;
    static const char *const settings[][2] = {
        {"seq-length=5", "set bidirectional to no"},
        {"seq-length=5 crf=yes bidirectional=no", "leave out crf or feedback"},
        {"seq-length=5 feedback=yes bidirectional=no", "leave out crf or feedback"},
    };
    for (int i = 0; i < 3; i++) {
        struct listener l;
        ur_train_options o = small_run("tag", tmp_path("m.safetensors"), settings[i][0]);
        assert_status(UR_EINVAL, train_until(o, 0, &l));
        assert_non_null(strstr(ur_errmsg(), settings[i][1]));
    }
    struct listener l;
    ur_train_options o = small_run("tag", tmp_path("m.safetensors"), "seq-length=5 cell=none");
    o.steps = 5;
    assert_ok(train_until(o, 0, &l));
}

static size_t memory_of(const char *path, const char *settings)
{
    ur_train_options o = run_of("tag", settings);
    ur_plan p;
    ur_plan_init(&p);
    o.data = &path;
    o.n_data = 1;
    o.model = tmp_path("none.safetensors");
    assert_ok(ur_train_plan(&o, 0, NULL, NULL, &p));
    return p.activations + p.state + p.validation;
}

static void pieces__bound_memory(void **unused)
{
    (void)unused;
    const char *path = write_long("long.csv", 4);
    const char *form = "hidden=16 batch=4 bidirectional=no ";
    char cut[100], less[100];
    snprintf(cut, sizeof cut, "%sseq-length=100", form);
    snprintf(less, sizeof less, "%sseq-length=50", form);
    size_t whole = memory_of(path, form), part = memory_of(path, cut), half = memory_of(path, less);
    printf("memory of steps and validation: %zu whole, %zu in pieces of 100, %zu of 50\n", whole,
           part, half);
    assert_true(part < whole / 2 && half < part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces__are_measured_as_the_whole),
        cmocka_unit_test(pieces__need_a_net_that_reads_forwards),
        cmocka_unit_test(pieces__bound_memory),
    };
    return cmocka_run_group_tests_name("pieces", tests, set_up, tear_down);
}
