/* SPDX-License-Identifier: MIT */
/* Texts as tokens of a vocabulary that does not have all of them, and answers to lines. */
#include "models.h"

#include "unroll/task.h"

/* ---- encoders ---------------------------------------------------------- */

static void assert_codes(const int32_t *ids, size_t n, const ur_vocab *vocab, const char *want)
{
    char text[64] = "";
    for (size_t i = 0; i < n; i++) {
        size_t length;
        const char *token = ur_vocab_text(vocab, ids[i], &length);
        strncat(text, token, length);
    }
    assert_string_equal(text, want);
}

/* The tokens of "xa?b" by a vocabulary of "ab" and more; note: NULL for an error. */
static void try_policy(ur_token_kind kind, const char *known, ur_unknown how, const char *text,
                       const char *want, const char *note)
{
    ur_vocab *vocab;
    ur_encoder *e;
    int32_t ids[16];
    size_t n;
    assert_ok(ur_vocab_of_text(&vocab, kind, known, strlen(known), 1));
    assert_ok(ur_encoder_new(&e, vocab, how));
    assert_null(ur_encoder_note(e, "it"));
    if (want) {
        assert_ok(ur_encoder_put(e, text, strlen(text), ids, &n));
        assert_codes(ids, n, vocab, want);
        const char *said = ur_encoder_note(e, "it");
        assert_string_equal(said ? said : "", note);
    } else {
        assert_status(UR_EINVAL, ur_encoder_put(e, text, strlen(text), ids, &n));
        expect_message(note);
    }
    ur_encoder_free(e);
    ur_vocab_free(vocab);
}

static void encoder__follows_its_policy(void **unused)
{
    (void)unused;
    const ur_unknown USUAL = UR_UNKNOWN_USUAL, ERROR = UR_UNKNOWN_ERROR, SKIP = UR_UNKNOWN_SKIP,
                     REPLACE = UR_UNKNOWN_REPLACE;
    try_policy(UR_TOKEN_CHAR, "ab", USUAL, "abba", "abba", "");
    try_policy(UR_TOKEN_CHAR, "ab", USUAL, "axb", NULL, "character \"x\" (U+0078) at byte 1");
    try_policy(UR_TOKEN_CHAR, "ab", ERROR, "axb", NULL, "at byte 1 is not in");
    try_policy(UR_TOKEN_CHAR, "ab", SKIP, "xaéb", "ab",
               "2 characters of it are unknown to the model: skipped");
    try_policy(UR_TOKEN_CHAR, "ab", SKIP, "a\xff" "b", NULL, "malformed UTF-8 at byte 1 (0xFF)");
    try_policy(UR_TOKEN_CHAR, "ab ?", REPLACE, "axb", "a?b",
               "1 character of it is unknown to the model: read as \"?\"");
    try_policy(UR_TOKEN_CHAR, "ab ", REPLACE, "axb", "a b",
               "1 character of it is unknown to the model: read as a space");
    try_policy(UR_TOKEN_CHAR, "ab ?\xEF\xBF\xBD", REPLACE, "axb", "a\xEF\xBF\xBD" "b",
               "1 character of it is unknown to the model: read as U+FFFD");
    try_policy(UR_TOKEN_BYTE, "ab?", REPLACE, "a\xff", "a?",
               "1 byte of it is unknown to the model: read as \"?\"");
    try_policy(UR_TOKEN_WORD, "red sky", USUAL, "red sea", "red<unk>",
               "1 word of it is unknown to the model: read as <unk>");
    try_policy(UR_TOKEN_WORD, "red sky", SKIP, "red sea sky", "redsky",
               "1 word of it is unknown to the model: skipped");
    try_policy(UR_TOKEN_WORD, "red sky", ERROR, "a red sea", NULL, "2 words are unknown");
}

static void encoder__needs_something_to_replace_by(void **unused)
{
    (void)unused;
    ur_vocab *vocab;
    ur_encoder *e;
    ur_unknown how;
    assert_ok(ur_vocab_of_text(&vocab, UR_TOKEN_CHAR, "ab", 2, 1));
    assert_status(UR_EINVAL, ur_encoder_new(&e, vocab, UR_UNKNOWN_REPLACE));
    assert_null(e);
    expect_message("neither \"?\" nor a space");
    assert_status(UR_EINVAL, ur_encoder_new(&e, vocab, (ur_unknown)9));
    ur_vocab_free(vocab);
    assert_true(ur_unknown_find("skip", &how) && how == UR_UNKNOWN_SKIP);
    assert_true(ur_unknown_find("replace", &how) && how == UR_UNKNOWN_REPLACE);
    assert_false(ur_unknown_find("usual", &how));
}

/* ---- answers ----------------------------------------------------------- */

static ur_model *fill_model(void)
{
    const ur_options net = net_of("fill", "layers=1 hidden=7 embed=4");
    const char text[] = "abc\n";
    ur_vocab *vocab;
    ur_model *m;
    assert_ok(ur_vocab_of_text(&vocab, UR_TOKEN_CHAR, text, strlen(text), 1));
    assert_ok(ur_model_new(&m, &net, 1, &vocab, 3));
    return m;
}

static ur_predictor *predictor_of(const ur_model *m, int best)
{
    ur_predictor *p;
    ur_predict_options o;
    ur_predict_options_init(&o);
    o.best = best;
    assert_ok(ur_predictor_new(&p, m, &o));
    return p;
}

/* What a runner says of the gap in "ab_c": a line stands between two line ends. */
static void gap__has_the_candidates_of_a_runner(void **unused)
{
    (void)unused;
    ur_model *m = fill_model();
    ur_predictor *p = predictor_of(m, 2);
    ur_runner *r;
    const ur_answer *a;
    const ur_real *logits;
    int32_t before[] = {0, 1, 2}, after[] = {3, 0}, ids[2];     /* \n a b, c \n */
    double share[2];
    char want[] = "ab?c";
    size_t n;
    assert_ok(ur_runner_new(&r, m, 1, NULL));
    assert_ok(run_gap(r, 3, before, 2, after, &logits));
    assert_int_equal(ur_runner_best(r, 0, 2, ids, share), 2);
    assert_ok(ur_predictor_line(p, "ab__c", 5, &a));
    assert_string_equal(a->places, "gaps");
    assert_string_equal(a->figure, "p");
    assert_int_equal(a->n_places, 1);
    assert_int_equal(a->place[0].n, 2);
    for (int i = 0; i < 2; i++) {
        const char *text = ur_vocab_text(ur_model_vocab(m, NULL), ids[i], &n);
        assert_int_equal(a->place[0].best[i].n, n);
        assert_memory_equal(a->place[0].best[i].text, text, n);
        assert_true(a->place[0].best[i].p == share[i]);
    }
    want[2] = *a->place[0].best[0].text;
    assert_int_equal(a->n, 4);
    assert_memory_equal(a->text, want, 4);
    ur_runner_free(r);
    ur_predictor_free(p);
    ur_model_free(m);
}

/* Lines after lines of every length, and after one that was refused. */
static void answers__do_not_depend_on_earlier_lines(void **unused)
{
    (void)unused;
    static const char *const lines[] = {"a_b", "", "_", "c_b_a_c_b_a_abcabcabc__a_", "abc", "ax_"};
    ur_model *m = fill_model();
    ur_predictor *p = predictor_of(m, 3), *fresh;
    int places = 0;
    for (int i = 0; i < 6 * 6; i++) {
        const char *line = lines[i % 6 * (i / 6 + 1) % 6];
        const ur_answer *a, *b;
        fresh = predictor_of(m, 3);
        ur_status status = ur_predictor_line(p, line, strlen(line), &a);
        assert_status(strchr(line, 'x') ? UR_EDATA : UR_OK, status);
        assert_status(status, ur_predictor_line(fresh, line, strlen(line), &b));
        assert_int_equal(a->n, b->n);
        assert_memory_equal(a->text, b->text, a->n);
        assert_int_equal(a->n_places, b->n_places);
        places += a->n_places;
        for (int k = 0; k < a->n_places; k++) {
            assert_int_equal(a->place[k].n, b->place[k].n);
            for (int c = 0; c < a->place[k].n; c++) {
                assert_memory_equal(a->place[k].best[c].text, b->place[k].best[c].text, 1);
                assert_true(a->place[k].best[c].p == b->place[k].best[c].p);
            }
        }
        ur_predictor_free(fresh);
    }
    assert_true(places > 40);
    ur_predictor_free(p);
    ur_model_free(m);
}

static void predictor__is_for_tasks_that_answer_lines(void **unused)
{
    (void)unused;
    const ur_options net = net_of("lm", "layers=1 hidden=5");
    ur_model *m = model_of(&net, 9, 1);
    ur_predict_options o;
    ur_predictor *p;
    ur_predict_options_init(&o);
    assert_status(UR_EINVAL, ur_predictor_new(&p, m, &o));
    assert_null(p);
    expect_message("a model of task lm gives no answers");
    ur_model_free(m);
    assert_string_equal(ur_task_verb("lm"), "sample");
    assert_string_equal(ur_task_verb("fill"), "predict");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder__follows_its_policy),
        cmocka_unit_test(encoder__needs_something_to_replace_by),
        cmocka_unit_test(gap__has_the_candidates_of_a_runner),
        cmocka_unit_test(answers__do_not_depend_on_earlier_lines),
        cmocka_unit_test(predictor__is_for_tasks_that_answer_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
