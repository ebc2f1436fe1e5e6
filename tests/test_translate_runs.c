/* SPDX-License-Identifier: MIT */
/* Runs that learn to translate: the same for any team, learnt, and measured as training said. */
#include "test_task.h"

static const char *const translate_runs[] = {
    "", "attention=none reverse-source=yes bidirectional=no", "input-feeding=yes attention=general",
    "source-tokens=char label-smoothing=0.1", "scheduled-sampling=0.3 sampling-steps=40",
    "target-tokens=char attention=dot layers=2 average=3",
};
enum { N_TRANSLATE_RUNS = sizeof translate_runs / sizeof *translate_runs };

static void train__same_translations_for_any_team(void **unused)
{
    (void)unused;
    for (int k = 0; k < N_TRANSLATE_RUNS; k++)
        same_for_teams("translate", translate_runs[k], 60, 3, (const int[]){1, 2, 3});
}

/* Sources far longer than every target. */
static void train__sources_longer_than_targets(void **unused)
{
    (void)unused;
    const char *path = tmp_path("long.tsv");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 40; i++) {
        for (int k = 0; k < 230 + i % 5; k++)
            putc('a' + (i * 7 + k) % 26, f);
        fprintf(f, "\t%c\n", 'a' + i % 3);
    }
    fclose(f);
    struct listener l;
    ur_train_options o = small_run("translate", tmp_path("long.safetensors"),
                                   "source-tokens=char target-tokens=char");
    ur_model *m;
    ur_metrics found;
    o.data = &path;
    o.steps = 4;
    assert_ok(train_until(o, 0, &l));
    assert_ok(ur_model_load(&m, o.model));
    ur_metrics_init(&found);
    ur_eval_options e = eval_of(&path, 1);
    assert_ok(ur_evaluate(m, &e, &found));
    ur_model_free(m);
}

/* It learns to translate word by word, and measuring finds what training said of its part. */
static void train__translations_are_learnt_and_measured(void **unused)
{
    (void)unused;
    for (int k = 0; k < N_TRANSLATE_RUNS; k++) {
        struct listener l;
        ur_train_options o = small_run("translate", tmp_path("m.safetensors"), translate_runs[k]);
        ur_model *m;
        ur_metrics found;
        o.steps = 400;
        o.eval_every = 100;
        o.lr = 0.02;
        o.val = 0.2;
        set_run(&o, "hidden=16 dropout=0 decode=1000");
        assert_ok(train_until(o, 0, &l));
        ur_metrics_init(&found);
        assert_ok(ur_model_load(&m, o.model));
        ur_eval_options e = eval_of(o.data, 1);
        e.held_out = true;
        e.beam = 1;
        e.length_power = 0;
        assert_ok(ur_evaluate(m, &e, &found));
        for (int i = 0; i < found.n; i++) {
            char key[40];
            snprintf(key, sizeof key, "\"val_%s\":", found.at[i].name);
            const char *said = strstr(ur_model_summary(m), key);
            assert_true(!said || strtod(said + strlen(key), NULL) == found.at[i].value);
            assert_true(said || i > 0);
        }
        print_message("%s: exact %.3f, bleu %.1f\n", translate_runs[k],
                      ur_metrics_get(&found, "exact"), ur_metrics_get(&found, "bleu"));
        if (k == 0)
            assert_true(ur_metrics_get(&found, "exact") > 0.7);
        e.data = &labelled_path;
        e.held_out = true;
        assert_status(UR_EDATA, ur_evaluate(m, &e, &found));
        e.data = o.data;
        e.held_out = false;
        e.copy_unknown = true;
        assert_status(strstr(translate_runs[k], "none") ? UR_EINVAL : UR_OK,
                      ur_evaluate(m, &e, &found));
        ur_model_free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train__same_translations_for_any_team),
        cmocka_unit_test(train__sources_longer_than_targets),
        cmocka_unit_test(train__translations_are_learnt_and_measured),
    };
    return cmocka_run_group_tests_name("translate", tests, set_up, tear_down);
}
