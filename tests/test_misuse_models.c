/* SPDX-License-Identifier: MIT */
/* Wrong calls of data.h, model.h, decode.h and exchange.h. */
#include "models.h"

#include <limits.h>
#include <math.h>

#include "io/file.h"
#include "support/misuse.h"
#include "unroll/decode.h"
#include "unroll/exchange.h"

enum { V = 9, T = 2, B = 2 };

static ur_model *lm, *embedded, *fill;
static char *model_path, *weights_path;

static int set_up_models(void **unused)
{
    (void)unused;
    ur_config c = config_of(UR_CELL_LSTM, 1, 5, 0);
    lm = model_of(&c, V, 1);
    c.embed = 4;
    embedded = model_of(&c, V, 1);
    c.task = "fill";
    fill = model_of(&c, V, 1);
    model_path = strdup(tmp_path("m.safetensors"));
    weights_path = strdup(tmp_path("w.safetensors"));
    assert_ok(ur_model_save(lm, model_path));
    assert_ok(ur_params_save(ur_model_params(lm), weights_path, 0, NULL, 0, NULL));
    return 0;
}

static int tear_down_models(void **unused)
{
    (void)unused;
    ur_model_free(lm);
    ur_model_free(embedded);
    ur_model_free(fill);
    free(model_path);
    free(weights_path);
    return 0;
}

/* ---- vocabularies ------------------------------------------------------ */

static void vocab__needs_its_pointers(void **unused)
{
    (void)unused;
    const ur_vocab *vocab = ur_model_vocab(lm);
    ur_token_kind kind;
    ur_join join = {false, false};
    int32_t ids[8];
    size_t n = 1;
    NOTHING(ur_token_kind_find(NULL, &kind));
    NOTHING(ur_token_kind_find("char", NULL));
    QUIET(ur_token_kind_find("letter", &kind));
    QUIET(ur_token_kind_name((ur_token_kind)99));
    QUIET(ur_token_kind_name((ur_token_kind)-1));
    NOTHING(ur_vocab_size(NULL));
    NOTHING(ur_vocab_kind(NULL));
    SAYS(ur_vocab_unknown(NULL));
    SAYS(ur_vocab_line_end(NULL));
    assert_int_equal(ur_vocab_unknown(NULL), -1);
    NOTHING(ur_vocab_text(NULL, 0, &n));
    assert_int_equal(n, 0);
    NOTHING(ur_vocab_text(vocab, 0, NULL));
    NOTHING(ur_vocab_join(NULL, &join, 0, &n));
    NOTHING(ur_vocab_join(vocab, NULL, 0, &n));
    NOTHING(ur_vocab_join(vocab, &join, 0, NULL));
    static const int32_t bad[] = {-1, V, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        QUIET(ur_vocab_text(vocab, bad[i], &n));
        QUIET(ur_vocab_join(vocab, &join, bad[i], &n));
    }
    REFUSED(UR_EINVAL, ur_vocab_encode(NULL, "a", 1, ids, &n));
    REFUSED(UR_EINVAL, ur_vocab_encode(vocab, NULL, 1, ids, &n));
    REFUSED(UR_EINVAL, ur_vocab_encode(vocab, "a", 1, NULL, &n));
    REFUSED(UR_EINVAL, ur_vocab_encode(vocab, "a", 1, ids, NULL));
    assert_ok(ur_vocab_encode(vocab, NULL, 0, NULL, &n));
}

/* Texts of n bytes at the very end of their block: whoever reads on, reads what is not his. */
static void texts__end_where_they_end(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"\xc3", "\xe2\x82", "\xf0\x9f\x98", "ab\xe2", "\xff", "a"};
    const ur_vocab *vocab = ur_model_vocab(lm);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t n = strlen(texts[i]), count;
        char *text = malloc(n);
        int32_t *ids = malloc(n * sizeof *ids);
        memcpy(text, texts[i], n);
        REFUSED(UR_EINVAL, ur_vocab_encode(vocab, text, n, ids, &count));
        free(text);
        free(ids);
    }
}

/* ---- models ------------------------------------------------------------ */

static void config__is_checked(void **unused)
{
    (void)unused;
    ur_config c;
    static const int sizes[] = {0, -1, 65537, INT_MAX, INT_MIN};
    static const double p[] = {1, -0.1, (double)NAN, (double)INFINITY};
    REFUSED(UR_EINVAL, ur_config_check(NULL));
#define WITH(change)                                                                   \
    do {                                                                               \
        c = config_of(UR_CELL_LSTM, 2, 6, 6);                                          \
        change;                                                                        \
        REFUSED(UR_EINVAL, ur_config_check(&c));                                       \
    } while (0)
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        WITH(c.layers = sizes[i]);
        WITH(c.hidden[1] = sizes[i]);
        WITH(c.embed = sizes[i] ? sizes[i] : -2);
        WITH(c.projection = sizes[i] ? sizes[i] : 6);
    }
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        WITH(c.dropout = p[i]);
        WITH(c.recurrent_dropout = p[i]);
        WITH(c.zoneout_h = p[i]);
        WITH(c.zoneout_c = p[i]);
        WITH(c.forget_bias = p[i] == 1 ? 101 : p[i] < 0 ? -101 : p[i]);
        WITH(c.cell_clip = p[i] == 1 ? 1e7 : p[i]);
    }
    WITH(c.task = NULL);
    WITH(c.task = "");
    WITH(c.task = "translate");
    WITH(c.tokens = (ur_token_kind)99);
    WITH(c.cell = (ur_cell)99);
    WITH(c.activation = (ur_activation)99);
    WITH(c.activation = UR_ACT_RELU);
    WITH(c.reset_before = true);
    WITH(c.tie = true);
    WITH(c.variational = true);
    WITH(c.cell = UR_CELL_GRU; c.forget_bias = 1);
    WITH(c.coupled = true; c.forget_bias = 1);
#undef WITH
}

static void model__needs_its_pointers(void **unused)
{
    (void)unused;
    ur_model *m;
    ur_state *s;
    ur_model_free(NULL);
    REFUSED(UR_EINVAL, ur_model_load(NULL, model_path));
    REFUSED(UR_EINVAL, ur_model_load(&m, NULL));
    REFUSED(UR_EINPUT, ur_model_load(&m, ""));
    assert_null(m);
    REFUSED(UR_EINVAL, ur_model_save(NULL, model_path));
    REFUSED(UR_EINVAL, ur_model_save(lm, NULL));
    REFUSED(UR_EOUTPUT, ur_model_save(lm, ""));
    NOTHING(ur_model_config(NULL));
    NOTHING(ur_model_vocab(NULL));
    NOTHING(ur_model_params(NULL));
    NOTHING(ur_model_rnn(NULL));
    NOTHING(ur_model_summary(NULL));
    REFUSED(UR_EINVAL, ur_model_prepare(NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(NULL, lm, 1, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, NULL, 1, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, lm, 0, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, lm, INT_MAX, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, fill, 1, NULL));
    assert_null(s);
}

static void model__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    static const int32_t id[T * B] = {0, 1, 2, 3}, bad[T * B] = {0, V, 2, 3}, low[T * B] = {-1};
    ur_state *s, *plain;
    ur_real logits[T * B * V];
    assert_ok(ur_model_state_new(&s, embedded, B, NULL));
    assert_ok(ur_state_new(&plain, ur_model_rnn(embedded), B, NULL));
    REFUSED(UR_EINVAL, ur_model_run(NULL, s, T, id, logits));
    REFUSED(UR_EINVAL, ur_model_run(embedded, NULL, T, id, logits));
    REFUSED(UR_EINVAL, ur_model_run(embedded, s, T, NULL, logits));
    REFUSED(UR_EINVAL, ur_model_run(embedded, s, T, id, NULL));
    REFUSED(UR_EINVAL, ur_model_run(embedded, s, -1, id, logits));
    REFUSED(UR_EINVAL, ur_model_run(embedded, s, T, bad, logits));
    REFUSED(UR_EINVAL, ur_model_run(embedded, s, T, low, logits));
    REFUSED(UR_EINVAL, ur_model_run(embedded, plain, T, id, logits));
    REFUSED(UR_EINVAL, ur_model_run(lm, s, T, id, logits));
    REFUSED(UR_EINVAL, ur_model_run(fill, s, T, id, logits));
    assert_int_equal(ur_state_steps(s), 0);
    assert_ok(ur_model_run(embedded, s, 0, NULL, NULL));
    assert_ok(ur_model_run(embedded, s, T, id, logits));
    ur_state_free(s);
    ur_state_free(plain);
}

static void model__refuses_to_train_wrongly(void **unused)
{
    (void)unused;
    static const int32_t id[T * B] = {0, 1, 2, 3}, bad[T * B] = {0, V, 2, 3};
    static const int too_long[B] = {3, 1};
    const ur_ids ids = {id, T, B}, none = {NULL, T, B}, wrong = {bad, T, B}, fewer = {id, 1, B};
    ur_tape *tape;
    assert_ok(ur_tape_new(&tape, NULL));
#define POISONS(status, expr)                                                          \
    do {                                                                               \
        ur_tape_reset(tape);                                                           \
        if ((expr) != NULL)                                                            \
            fail_msg("a tensor comes of " #expr);                                      \
        REFUSED((status), ur_tape_status(tape));                                       \
    } while (0)
    const ur_model *both[] = {lm, embedded};
    for (int i = 0; i < 2; i++) {
        const ur_model *m = both[i];
        POISONS(UR_ESHAPE, ur_model_logits(tape, m, none, NULL, NULL));
        POISONS(UR_EINVAL, ur_model_logits(tape, m, wrong, NULL, NULL));
        POISONS(UR_ESHAPE, ur_model_logits(tape, m, ids, too_long, NULL));
        POISONS(UR_ESHAPE, ur_model_loss(tape, m, ids, NULL, NULL, none));
        POISONS(UR_ESHAPE, ur_model_loss(tape, m, ids, NULL, NULL, fewer));
        POISONS(UR_EINVAL, ur_model_loss(tape, m, ids, NULL, NULL, wrong));
        POISONS(UR_EINVAL, ur_model_fill(tape, m, ids, NULL));
        POISONS(UR_EINVAL, ur_model_fill_loss(tape, m, ids, NULL, ids));
        NOTHING(ur_model_logits(NULL, m, ids, NULL, NULL));
        NOTHING(ur_model_loss(NULL, m, ids, NULL, NULL, ids));
    }
    POISONS(UR_EINVAL, ur_model_logits(tape, NULL, ids, NULL, NULL));
    POISONS(UR_EINVAL, ur_model_loss(tape, NULL, ids, NULL, NULL, ids));
    POISONS(UR_EINVAL, ur_model_logits(tape, fill, ids, NULL, NULL));
    POISONS(UR_EINVAL, ur_model_loss(tape, fill, ids, NULL, NULL, ids));
    POISONS(UR_EINVAL, ur_model_fill(tape, NULL, ids, NULL));
    POISONS(UR_EINVAL, ur_model_fill_loss(tape, NULL, ids, NULL, ids));
    POISONS(UR_ESHAPE, ur_model_fill(tape, fill, none, NULL));
    POISONS(UR_EINVAL, ur_model_fill(tape, fill, wrong, NULL));
    POISONS(UR_ESHAPE, ur_model_fill(tape, fill, ids, too_long));
    POISONS(UR_ESHAPE, ur_model_fill(tape, fill, (ur_ids){id, INT_MAX, INT_MAX}, NULL));
    POISONS(UR_ESHAPE, ur_model_fill_loss(tape, fill, ids, NULL, fewer));
    NOTHING(ur_model_fill(NULL, fill, ids, NULL));
    NOTHING(ur_model_fill_loss(NULL, fill, ids, NULL, ids));
    ur_tape_free(tape);
}

static void filler__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    static const int32_t id[] = {0, 1}, bad[] = {0, V}, low[] = {-1, 0};
    const ur_real *logits = &(ur_real){1};
    ur_filler *f;
    int32_t best[2];
    double p[2];
    ur_filler_free(NULL);
    REFUSED(UR_EINVAL, ur_filler_new(NULL, fill, NULL));
    REFUSED(UR_EINVAL, ur_filler_new(&f, NULL, NULL));
    REFUSED(UR_EINVAL, ur_filler_new(&f, lm, NULL));
    assert_null(f);
    assert_ok(ur_filler_new(&f, fill, NULL));
    REFUSED(UR_EINVAL, ur_filler_run(NULL, 2, id, 2, id, &logits));
    REFUSED(UR_EINVAL, ur_filler_run(f, 2, NULL, 2, id, &logits));
    assert_null(logits);
    REFUSED(UR_EINVAL, ur_filler_run(f, 2, id, 2, NULL, &logits));
    REFUSED(UR_EINVAL, ur_filler_run(f, 2, id, 2, id, NULL));
    REFUSED(UR_EINVAL, ur_filler_run(f, 2, bad, 2, id, &logits));
    REFUSED(UR_EINVAL, ur_filler_run(f, 2, id, 2, low, &logits));
    assert_ok(ur_filler_run(f, 0, NULL, 0, NULL, &logits));
    NOTHING(ur_filler_best(NULL, 2, best, p));
    NOTHING(ur_filler_best(f, 2, NULL, p));
    NOTHING(ur_filler_best(f, 2, best, NULL));
    QUIET(ur_filler_best(f, 0, NULL, NULL));
    QUIET(ur_filler_best(f, -3, best, p));
    ur_filler_free(f);
}

/* ---- sessions ---------------------------------------------------------- */

static void session__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    ur_session *s;
    ur_sample_options o = UR_SAMPLE_OPTIONS_INIT;
    const ur_sample_options usual = UR_SAMPLE_OPTIONS_INIT;
    int32_t id = 0;
    ur_session_free(NULL);
    REFUSED(UR_EINVAL, ur_session_new(NULL, lm, NULL));
    REFUSED(UR_EINVAL, ur_session_new(&s, NULL, NULL));
    REFUSED(UR_EINVAL, ur_session_new(&s, fill, NULL));
    assert_null(s);
    assert_ok(ur_session_new(&s, lm, NULL));
    SAYS(ur_session_reset(NULL));
    REFUSED(UR_EINVAL, ur_session_begin(NULL));
    REFUSED(UR_EINVAL, ur_session_feed(NULL, 0));
    NOTHING(ur_session_logits(NULL));
    NOTHING(ur_session_state(NULL));
    REFUSED(UR_EINVAL, ur_session_draw(NULL, &o, &id));
    REFUSED(UR_EINVAL, ur_session_draw(s, NULL, &id));
    REFUSED(UR_EINVAL, ur_session_draw(s, &o, NULL));
    static const int32_t bad[] = {-1, V, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REFUSED(UR_EINVAL, ur_session_feed(s, bad[i]));
    REFUSED(UR_EINVAL, ur_sample_options_check(NULL));
#define WITH(change)                                                                   \
    do {                                                                               \
        o = usual;                                                                     \
        change;                                                                        \
        REFUSED(UR_EINVAL, ur_sample_options_check(&o));                               \
        REFUSED(UR_EINVAL, ur_session_draw(s, &o, &id));                               \
    } while (0)
    WITH(o.temperature = -1);
    WITH(o.temperature = (double)NAN);
    WITH(o.temperature = HUGE_VAL);
    WITH(o.top_k = -1);
    WITH(o.top_k = INT_MIN);
    WITH(o.top_p = 0);
    WITH(o.top_p = 1.5);
    WITH(o.top_p = (double)NAN);
#undef WITH
    assert_ok(ur_session_draw(s, &usual, &id));
    ur_session_free(s);
}

/* ---- weights ----------------------------------------------------------- */

static void weights__need_their_pointers(void **unused)
{
    (void)unused;
    ur_weights *w;
    ur_real x[4];
    int32_t ids[4];
    ur_weights_close(NULL);
    REFUSED(UR_EINVAL, ur_weights_open(NULL, weights_path));
    REFUSED(UR_EINVAL, ur_weights_open(&w, NULL));
    REFUSED(UR_EINPUT, ur_weights_open(&w, tmp_path("nowhere")));
    assert_null(w);
    assert_ok(ur_weights_open(&w, weights_path));
    NOTHING(ur_weights_count(NULL));
    NOTHING(ur_weights_at(NULL, 0));
    NOTHING(ur_weights_find(NULL, "a"));
    NOTHING(ur_weights_find(w, NULL));
    NOTHING(ur_weights_meta(NULL, "format"));
    NOTHING(ur_weights_meta(w, NULL));
    NOTHING(ur_weights_meta_key(NULL, 0));
    QUIET(ur_weights_at(w, -1));
    QUIET(ur_weights_at(w, INT_MAX));
    QUIET(ur_weights_find(w, "nowhere"));
    QUIET(ur_weights_meta(w, "nowhere"));
    QUIET(ur_weights_meta_key(w, -1));
    QUIET(ur_weights_meta_key(w, INT_MAX));
    REFUSED(UR_EINVAL, ur_weights_read(NULL, "decoder.bias", 1, x));
    REFUSED(UR_EINVAL, ur_weights_read(w, NULL, 1, x));
    REFUSED(UR_EINVAL, ur_weights_read(w, "decoder.bias", 1, NULL));
    REFUSED(UR_EDATA, ur_weights_read(w, "nowhere", 1, x));
    REFUSED(UR_ESHAPE, ur_weights_read(w, "decoder.bias", 1, x));
    REFUSED(UR_ESHAPE, ur_weights_read(w, "decoder.bias", SIZE_MAX, x));
    REFUSED(UR_EINVAL, ur_weights_read_ids(NULL, "decoder.bias", 1, ids));
    REFUSED(UR_EINVAL, ur_weights_read_ids(w, NULL, 1, ids));
    REFUSED(UR_EINVAL, ur_weights_read_ids(w, "decoder.bias", 1, NULL));
    REFUSED(UR_EDATA, ur_weights_read_ids(w, "nowhere", 1, ids));
    REFUSED(UR_EDATA, ur_weights_read_ids(w, "decoder.bias", V, ids));
    ur_weights_close(w);
}

static void params__refuse_impossible_files(void **unused)
{
    (void)unused;
    ur_params *p = ur_model_params(lm);
    const char *to = tmp_path("other.safetensors");
    const ur_rename nameless[] = {{NULL, "a"}}, stars[] = {{"a*", "b"}}, two[] = {{"*a*", "*"}};
    const ur_rename same[] = {{"decoder.weight", "decoder.bias"}};
    const ur_meta no_key[] = {{NULL, "a"}}, no_value[] = {{"a", NULL}}, bytes[] = {{"a", "\xff"}};
    REFUSED(UR_EINVAL, ur_params_load(NULL, weights_path, 0, NULL, true));
    REFUSED(UR_EINVAL, ur_params_load(p, NULL, 0, NULL, true));
    REFUSED(UR_EINVAL, ur_params_load(p, weights_path, 1, NULL, true));
    REFUSED(UR_EINVAL, ur_params_load(p, weights_path, -1, same, true));
    REFUSED(UR_EINVAL, ur_params_load(p, weights_path, 1, nameless, true));
    REFUSED(UR_EINVAL, ur_params_load(p, weights_path, 1, stars, true));
    REFUSED(UR_EINVAL, ur_params_load(p, weights_path, 1, two, true));
    REFUSED(UR_ESHAPE, ur_params_load(p, weights_path, 1, same, true));
    REFUSED(UR_EINVAL, ur_params_save(NULL, to, 0, NULL, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, NULL, 0, NULL, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 1, NULL, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, to, -1, NULL, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 1, nameless, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 1, same, 0, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 0, NULL, 1, NULL));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 0, NULL, -1, no_key));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 0, NULL, 1, no_key));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 0, NULL, 1, no_value));
    REFUSED(UR_EINVAL, ur_params_save(p, to, 0, NULL, 1, bytes));
    REFUSED(UR_EOUTPUT, ur_params_save(p, "", 0, NULL, 0, NULL));
    assert_false(ur__file_exists(to));
}

static void misuse__is_large_enough(void **unused)
{
    (void)unused;
    misuse_total(200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocab__needs_its_pointers),
        cmocka_unit_test(texts__end_where_they_end),
        cmocka_unit_test(config__is_checked),
        cmocka_unit_test(model__needs_its_pointers),
        cmocka_unit_test(model__refuses_to_run_wrongly),
        cmocka_unit_test(model__refuses_to_train_wrongly),
        cmocka_unit_test(filler__refuses_to_run_wrongly),
        cmocka_unit_test(session__refuses_to_run_wrongly),
        cmocka_unit_test(weights__need_their_pointers),
        cmocka_unit_test(params__refuse_impossible_files),
        cmocka_unit_test(misuse__is_large_enough),
    };
    return cmocka_run_group_tests_name("misuse_models", tests, set_up_models, tear_down_models);
}
