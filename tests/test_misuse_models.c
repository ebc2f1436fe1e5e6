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
    const ur_options plain = net_of("lm", "layers=1 hidden=5");
    const ur_options vectors = net_of("lm", "layers=1 hidden=5 embed=4");
    const ur_options fills = net_of("fill", "layers=1 hidden=5 embed=4");
    lm = model_of(&plain, V, 1);
    embedded = model_of(&vectors, V, 1);
    fill = model_of(&fills, V, 1);
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
    const ur_vocab *vocab = ur_model_vocab(lm, NULL);
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

static void encoder__needs_its_pointers(void **unused)
{
    (void)unused;
    const ur_vocab *vocab = ur_model_vocab(lm, NULL);
    ur_unknown how;
    ur_encoder *e;
    int32_t ids[8];
    size_t n = 1;
    ur_encoder_free(NULL);
    NOTHING(ur_unknown_find(NULL, &how));
    NOTHING(ur_unknown_find("skip", NULL));
    QUIET(ur_unknown_find("ignore", &how));
    REFUSED(UR_EINVAL, ur_encoder_new(NULL, vocab, UR_UNKNOWN_SKIP));
    REFUSED(UR_EINVAL, ur_encoder_new(&e, NULL, UR_UNKNOWN_SKIP));
    REFUSED(UR_EINVAL, ur_encoder_new(&e, vocab, (ur_unknown)-1));
    for (int i = UR_UNKNOWN_USUAL; i <= UR_UNKNOWN_SKIP; i++) {
        assert_ok(ur_encoder_new(&e, vocab, (ur_unknown)i));
        REFUSED(UR_EINVAL, ur_encoder_put(NULL, "a", 1, ids, &n));
        REFUSED(UR_EINVAL, ur_encoder_put(e, NULL, 1, ids, &n));
        REFUSED(UR_EINVAL, ur_encoder_put(e, "a", 1, NULL, &n));
        REFUSED(UR_EINVAL, ur_encoder_put(e, "a", 1, ids, NULL));
        assert_ok(ur_encoder_put(e, NULL, 0, NULL, &n));
        NOTHING(ur_encoder_note(NULL, "it"));
        NOTHING(ur_encoder_note(e, NULL));
        QUIET(ur_encoder_note(e, "it"));
        ur_encoder_free(e);
    }
}

/* Texts of n bytes at the very end of their block: whoever reads on, reads what is not his. */
static void texts__end_where_they_end(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"\xc3", "\xe2\x82", "\xf0\x9f\x98", "ab\xe2", "\xff", "a"};
    const ur_vocab *vocab = ur_model_vocab(lm, NULL);
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
    ur_options c, none = {0};
    char text[256];
    REFUSED(UR_EINVAL, ur_config_init(NULL, "lm"));
    REFUSED(UR_EINVAL, ur_config_init(&c, NULL));
    REFUSED(UR_EINVAL, ur_config_init(&c, ""));
    REFUSED(UR_EINVAL, ur_config_init(&c, "juggle"));
    REFUSED(UR_EINVAL, ur_config_check(NULL));
    REFUSED(UR_EINVAL, ur_config_check(&none));
    c = net_of("lm", "hidden=6");
    REFUSED(UR_EINVAL, ur_options_set(NULL, "cell", "gru"));
    REFUSED(UR_EINVAL, ur_options_set(&none, "cell", "gru"));
    REFUSED(UR_EINVAL, ur_options_set(&c, NULL, "gru"));
    REFUSED(UR_EINVAL, ur_options_set(&c, "cell", NULL));
    REFUSED(UR_EINVAL, ur_options_get(NULL, "cell", text, sizeof text));
    REFUSED(UR_EINVAL, ur_options_get(&none, "cell", text, sizeof text));
    REFUSED(UR_EINVAL, ur_options_get(&c, NULL, text, sizeof text));
    REFUSED(UR_EINVAL, ur_options_get(&c, "cell", NULL, sizeof text));
    REFUSED(UR_EINVAL, ur_options_get(&c, "cell", text, 4));
    REFUSED(UR_EINVAL, ur_options_get(&c, "colour", text, sizeof text));
    NOTHING(ur_options_given(NULL, "cell"));
    NOTHING(ur_options_given(&c, NULL));
    NOTHING(ur_options_at(NULL, 0));
    NOTHING(ur_options_at(&none, 0));
    QUIET(ur_options_at(&c, -1));
    QUIET(ur_options_at(&c, INT_MAX));
    QUIET(ur_options_given(&c, "cell"));
    static const char *const sizes[] = {"-1", "65537", "2147483647", "-2147483648", "4294967297",
                                        "99999999999999999999", "1.5", "", "x", "6,", ",6", "6 "};
    static const char *const reals[] = {"1e30", "-101", "nan", "inf", "-inf", "", "x", "0.1x"};
    static const char *const whole[] = {"layers", "hidden", "embed", "projection"};
    static const char *const real[] = {"dropout", "recurrent-dropout", "zoneout", "zoneout-cell",
                                       "forget-bias", "cell-clip"};
    static const char *const words[] = {"cell", "activation", "reset", "tie", "variational", "init",
                                        "colour", ""};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            REFUSED(UR_EINVAL, ur_options_set(&c, whole[i], sizes[k]));
    for (size_t i = 0; i < sizeof real / sizeof *real; i++)
        for (size_t k = 0; k < sizeof reals / sizeof *reals; k++)
            REFUSED(UR_EINVAL, ur_options_set(&c, real[i], reals[k]));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t k = 0; k < sizeof reals / sizeof *reals; k++)
            REFUSED(UR_EINVAL, ur_options_set(&c, words[i], reals[k]));
    REFUSED(UR_EINVAL, ur_options_set(&c, "layers", "0"));
    REFUSED(UR_EINVAL, ur_options_set(&c, "hidden", "0"));
    assert_ok(ur_config_check(&c));
    static const char *const impossible[] = {
        "projection=6", "activation=relu", "reset=before", "tie=yes embed=3", "variational=yes",
        "cell=gru forget-bias=1", "coupled=yes forget-bias=1", "hidden=6,6 layers=3",
    };
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        c = net_of("lm", "hidden=6");
        set_net(&c, impossible[i]);
        REFUSED(UR_EINVAL, ur_config_check(&c));
    }
}

static void batch__refuses_what_is_none(void **unused)
{
    (void)unused;
    static const int32_t id[4] = {0};
    static const ur_real x[4] = {0};
    const int dim[2] = {2, 2}, none[2] = {2, 0}, less[2] = {-1, 2};
    ur_batch b;
    ur_batch_init(&b);
    REFUSED(UR_EINVAL, ur_batch_ids(NULL, "input", 2, 2, id, NULL));
    REFUSED(UR_EINVAL, ur_batch_ids(&b, NULL, 2, 2, id, NULL));
    REFUSED(UR_EINVAL, ur_batch_ids(&b, "input", 2, 2, NULL, NULL));
    REFUSED(UR_ESHAPE, ur_batch_ids(&b, "input", 0, 2, id, NULL));
    REFUSED(UR_ESHAPE, ur_batch_ids(&b, "input", 2, -1, id, NULL));
    REFUSED(UR_EINVAL, ur_batch_reals(NULL, "input", 2, dim, x, NULL));
    REFUSED(UR_EINVAL, ur_batch_reals(&b, NULL, 2, dim, x, NULL));
    REFUSED(UR_EINVAL, ur_batch_reals(&b, "input", 2, NULL, x, NULL));
    REFUSED(UR_EINVAL, ur_batch_reals(&b, "input", 2, dim, NULL, NULL));
    REFUSED(UR_ESHAPE, ur_batch_reals(&b, "input", 0, dim, x, NULL));
    REFUSED(UR_ESHAPE, ur_batch_reals(&b, "input", UR_MAX_RANK + 1, dim, x, NULL));
    REFUSED(UR_ESHAPE, ur_batch_reals(&b, "input", 2, none, x, NULL));
    REFUSED(UR_ESHAPE, ur_batch_reals(&b, "input", 2, less, x, NULL));
    assert_int_equal(b.n, 0);
    static const char *const roles[UR_MAX_FIELDS + 1] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                         "i"};
    for (int i = 0; i < UR_MAX_FIELDS; i++)
        assert_ok(ur_batch_ids(&b, roles[i], 2, 2, id, NULL));
    REFUSED(UR_EINVAL, ur_batch_ids(&b, roles[UR_MAX_FIELDS], 2, 2, id, NULL));
    b.n--;
    REFUSED(UR_EINVAL, ur_batch_ids(&b, "a", 2, 2, id, NULL));
    NOTHING(ur_batch_find(NULL, "a"));
    NOTHING(ur_batch_find(&b, NULL));
    QUIET(ur_batch_find(&b, "z"));
}

/* Members that a caller has set by hand. */
static void batch__is_looked_at_again(void **unused)
{
    (void)unused;
    static const int32_t id[4] = {0};
    static const ur_real x[4] = {0};
    static const int inner[4] = {1, 1, 1, 1}, low[2] = {-1, 2}, high[2] = {2, 3};
    const ur_batch whole = batch_of(T, B, id, NULL, id);
    ur_batch b[10];
    ur_tape *tape;
    for (int i = 0; i < 10; i++)
        b[i] = whole;
    b[0].field[0].role = NULL;
    b[1].field[1].role = NULL;
    b[2].field[0].rank = 3;
    b[3].field[0].reals = x;
    b[4].field[0].inner = inner;
    b[5].items = -1;
    b[6].field[1].ids = NULL;
    b[7].field[1].dim[1] = 0;
    b[8].field[1].lengths = low;
    b[9].field[1].lengths = high;
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < 10; i++) {
        if (i < 8)
            NOTHING(ur_batch_find(&b[i], "input"));
        for (int loss = i >= 8; loss < 2; loss++) {
            ur_tape_reset(tape);
            NOTHING((loss ? ur_model_loss : ur_model_outputs)(tape, lm, &b[i], NULL));
        }
    }
    ur_tape_reset(tape);
    assert_non_null(ur_model_loss(tape, lm, &whole, NULL));
    ur_tape_free(tape);
}

static void model__needs_its_pointers(void **unused)
{
    (void)unused;
    ur_model *m;
    ur_model_state *s;
    const ur_options c = net_of("lm", ""), none = {0}, job = run_of("lm", "").job;
    ur_vocab *v = vocab_of(3), *no_vocab[] = {NULL};
    REFUSED(UR_EINVAL, ur_model_new(NULL, &c, 1, &v, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, NULL, 1, &v, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &none, 1, &v, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &job, 1, &v, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &c, 1, NULL, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &c, 1, no_vocab, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &c, 0, &v, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &c, -1, &v, 1));
    REFUSED(UR_EINVAL, ur_model_new(&m, &c, INT_MAX, &v, 1));
    assert_null(m);
    ur_vocab_free(v);
    ur_vocab_free(NULL);
    ur_model_free(NULL);
    REFUSED(UR_EINVAL, ur_model_load(NULL, model_path));
    REFUSED(UR_EINVAL, ur_model_load(&m, NULL));
    REFUSED(UR_EINPUT, ur_model_load(&m, ""));
    assert_null(m);
    REFUSED(UR_EINVAL, ur_model_save(NULL, model_path));
    REFUSED(UR_EINVAL, ur_model_save(lm, NULL));
    REFUSED(UR_EOUTPUT, ur_model_save(lm, ""));
    NOTHING(ur_model_config(NULL));
    NOTHING(ur_model_vocab(NULL, NULL));
    NOTHING(ur_model_params(NULL));
    NOTHING(ur_model_rnn(NULL, 0));
    QUIET(ur_model_rnn(lm, -1));
    QUIET(ur_model_rnn(lm, 1));
    QUIET(ur_model_rnn(lm, INT_MAX));
    QUIET(ur_model_vocab(lm, "sheep"));
    NOTHING(ur_model_arch(NULL));
    NOTHING(ur_model_task(NULL));
    NOTHING(ur_model_summary(NULL));
    REFUSED(UR_EINVAL, ur_model_prepare(NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(NULL, lm, 1, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, NULL, 1, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, lm, 0, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, lm, INT_MAX, NULL));
    REFUSED(UR_EINVAL, ur_model_state_new(&s, fill, 1, NULL));
    assert_null(s);
    ur_model_state_free(NULL);
    SAYS(ur_model_state_zero(NULL));
    SAYS(ur_model_state_detach(NULL));
    NOTHING(ur_model_state_at(NULL, 0));
    assert_ok(ur_model_state_new(&s, lm, 1, NULL));
    QUIET(ur_model_state_at(s, -1));
    QUIET(ur_model_state_at(s, 1));
    ur_model_state_free(s);
}

static void model__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    static const int32_t id[T * B] = {0, 1, 2, 3}, bad[T * B] = {0, V, 2, 3}, low[T * B] = {-1};
    static const int same[] = {0, 1}, beyond[] = {0, B}, below[] = {-2, 0}, more[] = {0, 1, 1};
    ur_runner *r, *gap;
    ur_real logits[T * B * V];
    int32_t best[2];
    double p[2];
    ur_runner_free(NULL);
    REFUSED(UR_EINVAL, ur_runner_new(NULL, embedded, B, NULL));
    REFUSED(UR_EINVAL, ur_runner_new(&r, NULL, B, NULL));
    REFUSED(UR_EINVAL, ur_runner_new(&r, embedded, 0, NULL));
    REFUSED(UR_EINVAL, ur_runner_new(&r, embedded, INT_MIN, NULL));
    REFUSED(UR_EINVAL, ur_runner_new(&r, embedded, INT_MAX, NULL));
    assert_null(r);
    NOTHING(ur_runner_rows(NULL));
    NOTHING(ur_runner_outputs(NULL));
    NOTHING(ur_runner_output(NULL, 0));
    NOTHING(ur_runner_state(NULL, 0));
    assert_ok(ur_runner_new(&r, embedded, B, NULL));
    assert_ok(ur_runner_new(&gap, fill, 1, NULL));
    QUIET(ur_runner_output(r, B));
    QUIET(ur_runner_output(r, -1));
    QUIET(ur_runner_state(r, 1));
    QUIET(ur_runner_state(r, -1));
    REFUSED(UR_EINVAL, ur_runner_run(NULL, T, id, logits));
    REFUSED(UR_EINVAL, ur_runner_run(r, T, NULL, logits));
    REFUSED(UR_EINVAL, ur_runner_run(r, T, id, NULL));
    REFUSED(UR_EINVAL, ur_runner_run(r, -1, id, logits));
    REFUSED(UR_EINVAL, ur_runner_run(r, T, bad, logits));
    REFUSED(UR_EINVAL, ur_runner_run(r, T, low, logits));
    REFUSED(UR_EINVAL, ur_runner_run(gap, T, id, logits));
    REFUSED(UR_EINVAL, ur_runner_step(NULL, id));
    REFUSED(UR_EINVAL, ur_runner_step(r, NULL));
    REFUSED(UR_EINVAL, ur_runner_step(r, bad));
    REFUSED(UR_EINVAL, ur_runner_step(r, low));
    REFUSED(UR_EINVAL, ur_runner_step(gap, id));
    REFUSED(UR_EINVAL, ur_runner_begin(NULL, 0, NULL));
    REFUSED(UR_EINVAL, ur_runner_begin(r, -1, NULL));
    REFUSED(UR_EINVAL, ur_runner_begin(r, B, NULL));
    REFUSED(UR_EINVAL, ur_runner_select(NULL, B, same));
    REFUSED(UR_EINVAL, ur_runner_select(r, B, NULL));
    REFUSED(UR_EINVAL, ur_runner_select(r, 0, same));
    REFUSED(UR_EINVAL, ur_runner_select(r, -1, same));
    REFUSED(UR_EINVAL, ur_runner_select(r, B + 1, more));
    REFUSED(UR_EINVAL, ur_runner_select(r, B, beyond));
    REFUSED(UR_EINVAL, ur_runner_select(r, B, below));
    NOTHING(ur_runner_best(NULL, 0, 2, best, p));
    NOTHING(ur_runner_best(r, 0, 2, NULL, p));
    NOTHING(ur_runner_best(r, 0, 2, best, NULL));
    QUIET(ur_runner_best(r, 0, 0, NULL, NULL));
    QUIET(ur_runner_best(r, 0, -3, best, p));
    QUIET(ur_runner_best(r, B, 2, best, p));
    assert_int_equal(ur_state_steps(ur_runner_state(r, 0)), 0);
    assert_ok(ur_runner_run(r, 0, NULL, NULL));
    assert_ok(ur_runner_run(r, T, id, logits));
    ur_runner_free(r);
    ur_runner_free(gap);
}

static void model__refuses_to_train_wrongly(void **unused)
{
    (void)unused;
    static const int32_t id[T * B] = {0, 1, 2, 3}, bad[T * B] = {0, V, 2, 3};
    static const int too_long[B] = {3, 1};
    const ur_batch none = {0}, ids = batch_of(T, B, id, NULL, id);
    const ur_batch no_targets = batch_of(T, B, id, NULL, NULL);
    const ur_batch wrong = batch_of(T, B, bad, NULL, id);
    const ur_batch lengthy = batch_of(T, B, id, too_long, id);
    const ur_batch wrong_targets = batch_of(T, B, id, NULL, bad);
    ur_batch empty = ids, fewer = no_targets, huge = no_targets;
    ur_tape *tape;
    ur_model_state *of_lm, *narrow;
    empty.field[0].ids = NULL;
    assert_ok(ur_batch_ids(&fewer, "target", 1, B, id, NULL));
    huge.field[0].dim[0] = huge.field[0].dim[1] = INT_MAX;
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_model_state_new(&of_lm, lm, B, NULL));
    assert_ok(ur_model_state_new(&narrow, embedded, 1, NULL));
#define POISONS(status, expr)                                                          \
    do {                                                                               \
        ur_tape_reset(tape);                                                           \
        if ((expr) != NULL)                                                            \
            fail_msg("a tensor comes of " #expr);                                      \
        REFUSED((status), ur_tape_status(tape));                                       \
    } while (0)
    const ur_model *all[] = {lm, embedded, fill};
    for (int i = 0; i < 3; i++) {
        const ur_model *m = all[i];
        POISONS(UR_EINVAL, ur_model_outputs(tape, m, NULL, NULL));
        POISONS(UR_EINVAL, ur_model_outputs(tape, m, &none, NULL));
        POISONS(UR_EINVAL, ur_model_outputs(tape, m, &empty, NULL));
        POISONS(UR_EINVAL, ur_model_outputs(tape, m, &wrong, NULL));
        POISONS(UR_ESHAPE, ur_model_outputs(tape, m, &lengthy, NULL));
        POISONS(UR_ESHAPE, ur_model_outputs(tape, m, &huge, NULL));
        POISONS(UR_EINVAL, ur_model_loss(tape, m, NULL, NULL));
        POISONS(UR_EINVAL, ur_model_loss(tape, m, &none, NULL));
        POISONS(UR_EINVAL, ur_model_loss(tape, m, &no_targets, NULL));
        POISONS(UR_ESHAPE, ur_model_loss(tape, m, &fewer, NULL));
        POISONS(UR_EINVAL, ur_model_loss(tape, m, &wrong_targets, NULL));
        NOTHING(ur_model_outputs(NULL, m, &ids, NULL));
        NOTHING(ur_model_loss(NULL, m, &ids, NULL));
    }
    POISONS(UR_EINVAL, ur_model_outputs(tape, NULL, &ids, NULL));
    POISONS(UR_EINVAL, ur_model_loss(tape, NULL, &ids, NULL));
    POISONS(UR_EINVAL, ur_model_outputs(tape, fill, &ids, of_lm));
    POISONS(UR_EINVAL, ur_model_loss(tape, embedded, &ids, of_lm));
    POISONS(UR_ESHAPE, ur_model_loss(tape, embedded, &ids, narrow));
    ur_model_state_free(of_lm);
    ur_model_state_free(narrow);
    ur_tape_free(tape);
}

static void gap__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    static const int32_t id[] = {0, 1}, bad[] = {0, V}, low[] = {-1, 0};
    const ur_real *logits, x[2] = {0};
    ur_runner *f, *steps;
    ur_batch two, reals;
    ur_batch_init(&two);
    ur_batch_init(&reals);
    assert_ok(ur_runner_new(&f, fill, 1, NULL));
    assert_ok(ur_runner_new(&steps, lm, 1, NULL));
    REFUSED(UR_EINVAL, run_gap(steps, 2, id, 2, id, &logits));
    REFUSED(UR_EINVAL, run_gap(f, 2, bad, 2, id, &logits));
    REFUSED(UR_EINVAL, run_gap(f, 2, id, 2, low, &logits));
    assert_ok(ur_batch_ids(&two, "before", 1, 2, id, NULL));
    REFUSED(UR_ESHAPE, ur_runner_begin(f, 0, &two));
    assert_ok(ur_batch_reals(&reals, "after", 2, (int[]){2, 1}, x, NULL));
    REFUSED(UR_ESHAPE, ur_runner_begin(f, 0, &reals));
    assert_ok(run_gap(f, 0, NULL, 0, NULL, &logits));
    assert_ok(ur_runner_begin(f, 0, NULL));
    ur_runner_free(f);
    ur_runner_free(steps);
}

/* ---- sessions ---------------------------------------------------------- */

static void beam__refuses_the_impossible(void **unused)
{
    (void)unused;
    const int32_t id[1] = {0};
    const ur_hypothesis *found;
    ur_batch given;
    ur_beam_options o;
    ur_beam *b;
    int n;
    ur_batch_init(&given);
    ur_beam_free(NULL);
    SAYS(ur_beam_options_init_size(NULL, sizeof o));
    ur_beam_options_init(&o);
    REFUSED(UR_EINVAL, ur_beam_new(NULL, lm, &o, NULL));
    REFUSED(UR_EINVAL, ur_beam_new(&b, NULL, &o, NULL));
    REFUSED(UR_EINVAL, ur_beam_new(&b, lm, NULL, NULL));
    REFUSED(UR_EINVAL, ur_beam_new(&b, fill, &o, NULL));
#define WITH(change)                                                                   \
    do {                                                                               \
        ur_beam_options_init(&o);                                                      \
        change;                                                                        \
        REFUSED(UR_EINVAL, ur_beam_new(&b, lm, &o, NULL));                             \
        assert_null(b);                                                                \
    } while (0)
    static const int bad[] = {0, -1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        WITH(o.width = bad[i]);
        WITH(o.best = bad[i]);
        WITH(o.most = bad[i]);
        WITH(o.begin = bad[i] ? bad[i] : V);
        WITH(o.end = bad[i] ? bad[i] : V);
    }
    WITH(o.best = o.width + 1);
    WITH(o.length_power = -1);
    WITH(o.length_power = (double)NAN);
    WITH(o.length_power = HUGE_VAL);
    WITH(o.size = 0);
#undef WITH
    ur_beam_options_init(&o);
    assert_ok(ur_beam_new(&b, lm, &o, NULL));
    REFUSED(UR_EINVAL, ur_beam_search(NULL, NULL, &found, &n));
    REFUSED(UR_EINVAL, ur_beam_search(b, NULL, NULL, &n));
    REFUSED(UR_EINVAL, ur_beam_search(b, NULL, &found, NULL));
    assert_ok(ur_batch_ids(&given, "before", 1, 1, id, NULL));
    REFUSED(UR_EINVAL, ur_beam_search(b, &given, &found, &n));
    assert_int_equal(n, 0);
    assert_ok(ur_beam_search(b, NULL, &found, &n));
    assert_int_equal(n, 1);
    ur_beam_free(b);
}

static void session__refuses_to_run_wrongly(void **unused)
{
    (void)unused;
    ur_session *s;
    ur_sample_options o;
    ur_sample_options_init(&o);
    ur_sample_options usual;
    ur_sample_options_init(&usual);
    int32_t id = 0;
    ur_session_free(NULL);
    REFUSED(UR_EINVAL, ur_session_new(NULL, lm, NULL));
    REFUSED(UR_EINVAL, ur_session_new(&s, NULL, NULL));
    REFUSED(UR_EINVAL, ur_session_new(&s, fill, NULL));
    assert_null(s);
    assert_ok(ur_session_new(&s, lm, NULL));
    REFUSED(UR_EINVAL, ur_session_reset(NULL));
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
    WITH(o.repetition_penalty = 0);
    WITH(o.repetition_penalty = -1);
    WITH(o.repetition_penalty = HUGE_VAL);
    WITH(o.repetition_penalty = (double)NAN);
    WITH(o.min_p = -0.1);
    WITH(o.min_p = 1.5);
    WITH(o.min_p = (double)NAN);
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
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    REFUSED(UR_EINVAL, ur_weights_rnn_options(NULL, "rnn", 0, NULL, &o));
    REFUSED(UR_EINVAL, ur_weights_rnn_options(w, NULL, 0, NULL, &o));
    REFUSED(UR_EINVAL, ur_weights_rnn_options(w, "rnn", 0, NULL, NULL));
    REFUSED(UR_EINVAL, ur_weights_rnn_options(w, "rnn", -1, NULL, &o));
    REFUSED(UR_EDATA, ur_weights_rnn_options(w, "nowhere", 0, NULL, &o));
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
        cmocka_unit_test(encoder__needs_its_pointers),
        cmocka_unit_test(texts__end_where_they_end),
        cmocka_unit_test(config__is_checked),
        cmocka_unit_test(model__needs_its_pointers),
        cmocka_unit_test(model__refuses_to_run_wrongly),
        cmocka_unit_test(model__refuses_to_train_wrongly),
        cmocka_unit_test(batch__refuses_what_is_none),
        cmocka_unit_test(batch__is_looked_at_again),
        cmocka_unit_test(gap__refuses_to_run_wrongly),
        cmocka_unit_test(beam__refuses_the_impossible),
        cmocka_unit_test(session__refuses_to_run_wrongly),
        cmocka_unit_test(weights__need_their_pointers),
        cmocka_unit_test(params__refuse_impossible_files),
        cmocka_unit_test(misuse__is_large_enough),
    };
    return cmocka_run_group_tests_name("misuse_models", tests, set_up_models, tear_down_models);
}
