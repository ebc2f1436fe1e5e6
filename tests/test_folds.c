/* SPDX-License-Identifier: MIT */
/* Folds of a cross-validation: what a run holds out by its number, and measures again. */
#include "test_task.h"

/* Every example is held out once, and what is measured as held out is what the run held out. */
static void folds__hold_out_each_example_once(void **unused)
{
    (void)unused;
    static const char *const runs[][2] = {
        {"classify", ""}, {"tag", ""}, {"tag", "bidirectional=no seq-length=3"},
    };
    for (int k = 0; k < 3; k++) {
        double all = 0, held = 0;
        for (int i = 1; i <= 4; i++) {
            struct listener l;
            ur_model *m;
            ur_metrics found;
            char fold[20];
            snprintf(fold, sizeof fold, "%d/4", i);
            ur_train_options o = small_run(runs[k][0], tmp_path("m.safetensors"), runs[k][1]);
            assert_ok(ur_train_set(&o, "fold", fold));
            o.steps = 10;
            assert_ok(train_until(o, 0, &l));
            assert_ok(ur_model_load(&m, o.model));
            ur_eval_options e = eval_of(o.data, 1);
            ur_metrics_init(&found);
            assert_ok(ur_evaluate(m, &e, &found));
            all = ur_metrics_get(&found, "n");
            e.held_out = true;
            assert_ok(ur_evaluate(m, &e, &found));
            held += ur_metrics_get(&found, "n");
            const char *said = strstr(ur_model_summary(m), "\"val_loss\":");
            assert_true(strtod(said + strlen("\"val_loss\":"), NULL)
                        == ur_metrics_get(&found, "loss"));
            ur_model_free(m);
        }
        assert_true(held == all);
    }
}

static void folds__hold_out_whole_groups(void **unused)
{
    (void)unused;
    const char *const names[] = {tmp_path("g0.tsv"), tmp_path("g1.tsv"), tmp_path("g2.tsv")};
    for (int i = 0; i < 3; i++)
        write_labelled(names[i], (uint64_t)i + 20, 10 + i);
    int seen = 0;
    for (int i = 1; i <= 3; i++) {
        struct listener l;
        char fold[20];
        snprintf(fold, sizeof fold, "%d/3", i);
        ur_train_options o = small_run("classify", tmp_path("g.safetensors"), "");
        assert_ok(ur_train_set(&o, "fold", fold));
        assert_ok(ur_train_set(&o, "group", "file"));
        o.data = names;
        o.n_data = 3;
        o.steps = 0;
        assert_ok(train_until(o, 0, &l));
        assert_non_null(strstr(l.note, "held out: "));
        for (int k = 0; k < 3; k++)
            seen |= strstr(l.note, names[k]) ? 1 << k : 0;
    }
    assert_int_equal(seen, 7);
}

static void folds__refuse_what_cannot_be(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"0/4", "5/4", "4", "a/b", "1/1", "/", "1/99999999999",
                                      "1/2/3"};
    struct listener l;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ur_train_options o = small_run("classify", tmp_path("m.safetensors"), "");
        assert_ok(ur_train_set(&o, "fold", bad[i]));
        assert_status(UR_EINVAL, train_until(o, 0, &l));
        assert_non_null(strstr(ur_errmsg(), bad[i]));
    }
    ur_train_options o = small_run("classify", tmp_path("m.safetensors"), "");
    assert_ok(ur_train_set(&o, "fold", "1/5000"));
    assert_status(UR_EDATA, train_until(o, 0, &l));
    assert_ok(ur_train_set(&o, "fold", "1/4"));
    o.val_file = labelled_path;
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    o.val_file = NULL;
    o.steps = 5;
    assert_ok(train_until(o, 0, &l));
    o.resume = true;
    o.steps = 8;
    assert_ok(ur_train_set(&o, "fold", "2/4"));
    assert_status(UR_EINVAL, train_until(o, 0, &l));
    assert_non_null(strstr(ur_errmsg(), "fold was \"1/4\" and is \"2/4\" now"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds__hold_out_each_example_once),
        cmocka_unit_test(folds__hold_out_whole_groups),
        cmocka_unit_test(folds__refuse_what_cannot_be),
    };
    return cmocka_run_group_tests_name("folds", tests, set_up, tear_down);
}
