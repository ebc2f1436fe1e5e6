/* SPDX-License-Identifier: MIT */
/* Models: files that come back byte by byte and files that must be refused. */
#include "models.h"

#include <math.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "layer/params.h"
#include "model/adopt.h"
#include "model/vocab_text.h"

static bool same_file(const char *a, const char *b)
{
    char *x, *y;
    size_t m, n;
    assert_ok(ur__file_slurp(a, 1 << 24, &x, &m));
    assert_ok(ur__file_slurp(b, 1 << 24, &y, &n));
    bool same = m == n && memcmp(x, y, m) == 0;
    ur__free(x);
    ur__free(y);
    return same;
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* ---- making ------------------------------------------------------------ */

static void model__names_say_what_torch_can_load(void **state)
{
    (void)state;
    static const bool can[N_CONFIGS] = {true,  false, false, true,  true,
                                       true, false, false, false, true};
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_options c = any_config(i);
        ur_model *m = model_of(&c, 30, 1);
        ur_params *p = ur_model_params(m);
        assert_int_equal(can[i], ur_params_find(p, "rnn.weight_ih_l0") != NULL);
        assert_int_equal(!can[i], ur_params_find(p, "urnn.weight_ih_l0") != NULL);
        const ur_options *whole = ur_model_config(m);
        bool tied = strcmp(setting_text(whole, "tie"), "yes") == 0;
        assert_int_equal(setting(whole, "embed") > 0, ur_params_find(p, "embed.weight") != NULL);
        assert_int_equal(!tied, ur_params_find(p, "decoder.weight") != NULL);
        assert_non_null(ur_params_find(p, "decoder.bias"));
        assert_int_equal(ur_rnn_layers(ur_model_rnn(m, 0)), setting(whole, "layers"));
        assert_null(ur_model_rnn(m, 1));
        assert_int_equal(ur_vocab_size(ur_model_vocab(m, NULL)), 30);
        assert_ptr_equal(ur_model_vocab(m, "text"), ur_model_vocab(m, NULL));
        assert_null(ur_model_vocab(m, "sheep"));
        assert_string_equal(ur_model_arch(m), "lm");
        assert_string_equal(ur_model_task(m), "lm");
        ur_model_free(m);
    }
    ur_model_free(NULL);
}

static void model__leaves_the_vocabulary_on_failure(void **state)
{
    (void)state;
    ur_options c = net_of("lm", "");
    ur_vocab *v = vocab_of(5), *two[] = {v, v}, *none = NULL;
    ur_model *m;
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 2, two, 1));
    expect_message("architecture lm has 1 vocabulary, not 2");
    assert_null(m);
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 0, &v, 1));
    assert_null(m);
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 1, &none, 1));
    expect_message("the vocabulary \"text\" is NULL");
    assert_int_equal(ur_vocab_size(v), 5);
    ur_vocab_free(v);
}

static void model__summary_is_a_json_object(void **state)
{
    (void)state;
    ur_options c = any_config(0);
    ur_model *m = model_of(&c, 30, 1);
    assert_string_equal(ur_model_summary(m), "{}");
    assert_ok(ur__model_set_summary(m, "{\"seed\": 3}"));
    assert_status(UR_EFORMAT, ur__model_set_summary(m, "[3]"));
    assert_status(UR_EFORMAT, ur__model_set_summary(m, "{"));
    assert_string_equal(ur_model_summary(m), "{\"seed\": 3}");
    ur_model_free(m);
}

/* Values of one model to another of equal vocabulary, or of another of the same form. */
static void model__adopts_values_of_networks_of_its_form_only(void **state)
{
    (void)state;
    ur_options c = any_config(0), wider = c, gru = c;
    struct ur__adopted counts;
    set_net(&wider, "hidden=13,13");
    set_net(&gru, "cell=gru");
    ur_model *a = model_of(&c, 30, 1), *b = model_of(&c, 30, 2);
    ur_model *d = model_of(&wider, 30, 1), *e = model_of(&c, 29, 1), *f = model_of(&gru, 30, 1);
    size_t n = ur_params_size(ur_model_params(a)) * sizeof(ur_real);
    assert_memory_not_equal(ur_params_values(ur_model_params(a)),
                            ur_params_values(ur_model_params(b)), n);
    assert_ok(ur__model_adopt(a, b, &counts));
    assert_memory_equal(ur_params_values(ur_model_params(a)),
                        ur_params_values(ur_model_params(b)), n);
    assert_true(counts.kept == 30 && counts.fresh == 0 && counts.dropped == 0);
    assert_status(UR_EDATA, ur__model_adopt(a, d, &counts));
    expect_message("the networks differ: hidden is 12, in the other 13");
    assert_status(UR_EDATA, ur__model_adopt(a, f, &counts));
    assert_ok(ur__model_adopt(a, e, &counts));
    assert_true(counts.kept == 29 && counts.fresh == 1 && counts.dropped == 0);
    assert_ok(ur__model_adopt(e, b, &counts));
    assert_true(counts.kept == 29 && counts.fresh == 0 && counts.dropped == 1);
    ur_model *all[] = {a, b, d, e, f};
    for (int i = 0; i < 5; i++)
        ur_model_free(all[i]);
}

/* Rows of the decoder, columns of what the first layer reads: token by token. */
static void model__adopts_tokens_by_what_they_are(void **state)
{
    (void)state;
    static const uint32_t codes[] = {7, 10, 16, 22};    /* of 10, 13, 16, 19 the second is gone */
    ur_options c = net_of("lm", "cell=gru layers=1 hidden=3");
    ur_vocab *v;
    ur_model *to, *from = model_of(&c, 4, 1);
    struct ur__adopted counts;
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, 4, codes));
    assert_ok(ur_model_new(&to, &c, 1, &v, 2));
    assert_ok(ur__model_adopt(to, from, &counts));
    assert_true(counts.kept == 2 && counts.fresh == 2 && counts.dropped == 2);
    ur_params *p = ur_model_params(to), *q = ur_model_params(from);
    const int was[] = {-1, 0, 2, -1};
    const ur_real *w = ur_param_data(p, ur_params_find(p, "decoder.weight"));
    const ur_real *old = ur_param_data(q, ur_params_find(q, "decoder.weight"));
    const ur_real *in = ur_param_data(p, ur_params_find(p, "rnn.weight_ih_l0"));
    const ur_real *old_in = ur_param_data(q, ur_params_find(q, "rnn.weight_ih_l0"));
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 3; k++) {
            double mean = 0;
            for (int j = 0; j < 4; j++)
                mean += (double)old[j * 3 + k] / 4;
            double want = was[i] < 0 ? mean : (double)old[was[i] * 3 + k];
            assert_true(fabs((double)w[i * 3 + k] - want) < 1e-7);
        }
        for (int k = 0; k < 9; k++) {
            double mean = 0;
            for (int j = 0; j < 4; j++)
                mean += (double)old_in[k * 4 + j] / 4;
            double want = was[i] < 0 ? mean : (double)old_in[k * 4 + was[i]];
            assert_true(fabs((double)in[k * 4 + i] - want) < 1e-7);
        }
    }
    ur_model_free(to);
    ur_model_free(from);
}

/* ---- files that come back ---------------------------------------------- */

static void file__round_trip_keeps_every_byte(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_options c = any_config(i);
        ur_model *m = model_of(&c, 30, 7), *twin = model_of(&c, 30, 7), *back;
        const char *a = tmp_path("a.safetensors"), *b = tmp_path("b.safetensors");
        assert_ok(ur__model_set_summary(m, "{\"seed\":123,  \"loss\":1.5}"));
        assert_ok(ur__model_set_summary(twin, "{\"seed\":123,  \"loss\":1.5}"));
        assert_ok(ur_model_save(m, a));
        assert_ok(ur_model_save(twin, b));
        assert_true(same_file(a, b));
        assert_ok(ur_model_load(&back, a));
        assert_string_equal(ur_model_summary(back), ur_model_summary(m));
        assert_memory_equal(ur_params_values(ur_model_params(back)),
                            ur_params_values(ur_model_params(m)),
                            ur_params_size(ur_model_params(m)) * sizeof(ur_real));
        assert_ok(ur_model_save(back, b));
        assert_true(same_file(a, b));
        ur_model_free(m);
        ur_model_free(twin);
        ur_model_free(back);
    }
}

static void file__nothing_that_is_not_finite_is_written(void **state)
{
    (void)state;
    ur_options c = any_config(0);
    ur_model *m = model_of(&c, 30, 7);
    const char *a = tmp_path("a.safetensors"), *b = tmp_path("b.safetensors");
    assert_ok(ur_model_save(m, a));
    assert_ok(ur_model_save(m, b));
    const ur_param *p = ur_params_find(ur_model_params(m), "rnn.bias_hh_l1");
    ur_param_data(ur_model_params(m), p)[5] = (ur_real)NAN;
    assert_status(UR_ENUMERIC, ur_model_save(m, a));
    expect_message("rnn.bias_hh_l1[5] is nan");
    assert_true(same_file(a, b));
    assert_status(UR_ENUMERIC, ur_model_save(m, tmp_path("new.safetensors")));
    ur_model_free(m);
}

/* ---- files that are refused -------------------------------------------- */

static void file__rejects_every_truncation(void **state)
{
    (void)state;
    ur_options c = net_of("lm", "cell=gru layers=1 hidden=3");
    ur_model *m = model_of(&c, 4, 7), *back;
    const char *path = tmp_path("whole.safetensors"), *cut = tmp_path("cut.safetensors");
    char *bytes;
    size_t n;
    assert_ok(ur_model_save(m, path));
    assert_ok(ur__file_slurp(path, 1 << 24, &bytes, &n));
    for (size_t size = 0; size < n; size++) {
        write_file(cut, bytes, size);
        assert_status(UR_EFORMAT, ur_model_load(&back, cut));
        assert_null(back);
        expect_message(cut);
    }
    write_file(cut, bytes, n);
    assert_ok(ur_model_load(&back, cut));
    ur_model_free(back);
    ur_model_free(m);
    ur__free(bytes);
}

/* Each byte of the header changed in several ways: loaded or refused, never worse. */
static void file__survives_any_changed_header_byte(void **state)
{
    (void)state;
    static const unsigned char flips[] = {0x01, 0x10, 0x80, 0xff};
    ur_options c = net_of("lm", "cell=gru layers=1 hidden=3");
    ur_model *m = model_of(&c, 4, 7), *back;
    const char *path = tmp_path("whole.safetensors"), *bad = tmp_path("bad.safetensors");
    char *bytes;
    size_t n;
    assert_ok(ur_model_save(m, path));
    assert_ok(ur__file_slurp(path, 1 << 24, &bytes, &n));
    size_t header = 8 + (size_t)(unsigned char)bytes[0] + 256 * (size_t)(unsigned char)bytes[1];
    assert_true(header < n);
    long blocks = ur__mem_blocks();
    int loaded = 0, refused = 0;
    for (size_t at = 0; at < header; at++) {
        for (size_t i = 0; i < sizeof flips; i++) {
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[i]);
            write_file(bad, bytes, n);
            ur_status status = ur_model_load(&back, bad);
            if (status == UR_OK)
                loaded++;
            else if (status == UR_EFORMAT || status == UR_EVERSION)
                refused++;
            else
                fail_msg("byte %zu: %s: %s", at, ur_status_name(status), ur_errmsg());
            ur_model_free(back);
            assert_int_equal(ur__mem_blocks(), blocks);
            bytes[at] = (char)((unsigned char)bytes[at] ^ flips[i]);
        }
    }
    assert_true(refused > 5 * loaded);  /* the rest: other codes, other numbers */
    ur_model_free(m);
    ur__free(bytes);
}

struct forgery {
    const char *key, *value;    /* a metadata entry changed (value NULL: left out) */
    const char *tensor;         /* one left out, misshapen, retyped or spoilt */
    char how;                   /* '-' left out, 's' shape, 't' type, 'n' NaN, '+' one more */
};

/* Writes the parameters of a GRU of 3 units over 4 tokens, forged. */
static const char *forge(const struct forgery *f)
{
    static const char config[] =
        "{\"arch\":\"lm\",\"cell\":\"gru\",\"hidden\":[3],\"dropout\":0,\"embed\":0,\"tie\":false}";
    static const char *const meta[][2] = {
        {"format", "unroll"}, {"format_version", "2"}, {"config", config}, {"task", "lm"},
        {"vocab", "{\"tokens\":\"char\",\"codes\":[1,2,3,5]}"}, {"training", "{}"}
    };
    static const struct { const char *name; int rank; uint64_t dim[2]; } tensors[] = {
        {"rnn.weight_ih_l0", 2, {9, 4}}, {"rnn.weight_hh_l0", 2, {9, 3}},
        {"rnn.bias_ih_l0", 1, {9}}, {"rnn.bias_hh_l0", 1, {9}},
        {"decoder.weight", 2, {4, 3}}, {"decoder.bias", 1, {4}}, {"extra", 1, {1}}
    };
    static ur_real zeros[64], spoilt[64];
    const char *path = tmp_path("forged.safetensors");
    struct ur__st_out *out;
    spoilt[2] = (ur_real)INFINITY;
    assert_ok(ur__st_out_new(&out));
    for (size_t i = 0; i < sizeof meta / sizeof *meta; i++) {
        bool changed = f->key && strcmp(f->key, meta[i][0]) == 0;
        if (!changed || f->value)
            assert_ok(ur__st_out_meta(out, meta[i][0], changed ? f->value : meta[i][1]));
    }
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        bool changed = f->tensor && strcmp(f->tensor, tensors[i].name) == 0;
        bool extra = strcmp(tensors[i].name, "extra") == 0;
        uint64_t dim[2] = {tensors[i].dim[0], tensors[i].dim[1]};
        enum ur__dtype type = ur__st_real_type();
        if (extra != (changed && f->how == '+') || (changed && f->how == '-'))
            continue;
        if (changed && f->how == 's')
            dim[0]++;
        if (changed && f->how == 't')
            type = sizeof(ur_real) == 4 ? UR__I32 : UR__I64;
        assert_ok(ur__st_out_tensor(out, tensors[i].name, type, tensors[i].rank, dim,
                                    changed && f->how == 'n' ? spoilt : zeros));
    }
    assert_ok(ur__st_out_save(out, path));
    ur__st_out_free(out);
    return path;
}

static void expect_refused(struct forgery f, ur_status want, const char *part)
{
    ur_model *m;
    long blocks = ur__mem_blocks();
    const char *path = forge(&f);
    ur_status got = ur_model_load(&m, path);
    if (got != want)
        fail_msg("%s %s: %s: %s", f.key ? f.key : "", f.value ? f.value : "",
                 ur_status_name(got), ur_errmsg());
    assert_null(m);
    expect_message(part);
    expect_message(path);
    assert_int_equal(ur__mem_blocks(), blocks);
}

static void file__rejects_foreign_and_newer_files(void **state)
{
    (void)state;
    ur_model *m;
    assert_ok(ur_model_load(&m, forge(&(struct forgery){NULL, NULL, NULL, 0})));
    ur_model_free(m);
    const char *foreign = "is a safetensors file but no unroll model: ";
    expect_refused((struct forgery){"format", NULL, NULL, 0}, UR_EFORMAT, foreign);
    expect_refused((struct forgery){"format", "pt", NULL, 0}, UR_EFORMAT, foreign);
    expect_refused((struct forgery){"format_version", "3", NULL, 0}, UR_EVERSION, "version is 3");
    expect_refused((struct forgery){"format_version", "0", NULL, 0}, UR_EFORMAT, "format_version");
    expect_refused((struct forgery){"format_version", "1.5", NULL, 0}, UR_EFORMAT, "version");
    expect_refused((struct forgery){"format_version", NULL, NULL, 0}, UR_EFORMAT, "version");
    assert_status(UR_EINPUT, ur_model_load(&m, tmp_path("missing")));
    const char *text = tmp_path("text");
    write_file(text, "just some text, no tensors\n", 27);
    assert_status(UR_EFORMAT, ur_model_load(&m, text));
}

/* What the configuration of version 1 had: each key, and those of special forms. */
#define OLD(cell, hidden, embed, tie, dropout, orthogonal, forget_bias, more)                     \
    "{\"task\":\"lm\",\"tokens\":\"char\",\"cell\":\"" cell "\",\"hidden\":" hidden               \
    ",\"embed\":" embed ",\"tie\":" tie ",\"dropout\":" dropout                                  \
    ",\"orthogonal\":" orthogonal ",\"forget_bias\":" forget_bias more "}"
#define PLAIN ",\"activation\":\"tanh\",\"reset\":\"after\""

/* A file of this model as version 1 wrote it. */
static const char *write_old(ur_model *m, const char *config)
{
    const char *path = tmp_path("old.safetensors");
    ur_params *params = ur_model_params(m);
    struct ur__buf vocab = {0};
    struct ur__st_out *out;
    assert_ok(ur__vocab_text(ur_model_vocab(m, NULL), &vocab));
    assert_ok(ur__st_out_new(&out));
    assert_ok(ur__st_out_meta(out, "format", "unroll"));
    assert_ok(ur__st_out_meta(out, "format_version", "1"));
    assert_ok(ur__st_out_meta(out, "config", config));
    assert_ok(ur__st_out_meta(out, "vocab", vocab.data));
    assert_ok(ur__st_out_meta(out, "training", "{}"));
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        uint64_t dim[UR_MAX_RANK];
        int rank = ur__param_dims(p, dim);
        assert_ok(ur__st_out_tensor(out, p->name, ur__st_real_type(), rank, dim,
                                    ur_param_data(params, p)));
    }
    assert_ok(ur__st_out_save(out, path));
    ur__st_out_free(out);
    ur__buf_free(&vocab);
    return path;
}

static void file__of_version_1_are_read(void **state)
{
    (void)state;
    static const char *const old[N_CONFIGS] = {
        OLD("lstm", "[12,12]", "0", "false", "0", "false", "0", PLAIN),
        OLD("gru", "[9,17]", "0", "false", "0", "false", "0", PLAIN),
        OLD("gru", "[11]", "0", "false", "0", "false", "0",
            ",\"activation\":\"tanh\",\"reset\":\"before\""),
        OLD("rnn", "[8,8]", "0", "false", "0", "true", "0",
            ",\"activation\":\"relu\",\"reset\":\"after\""),
        OLD("lstm", "[12,12]", "12", "true", "0.25", "false", "0", PLAIN),
        OLD("lstm", "[33]", "70", "false", "0", "false", "1", PLAIN),
        OLD("lstm", "[12,12]", "0", "false", "0", "false", "0",
            PLAIN ",\"projection\":7,\"peepholes\":true,\"coupled\":true,\"cell_clip\":0.5,"
            "\"learned_state\":true"),
        OLD("rnn", "[9,9]", "0", "false", "0", "false", "0",
            ",\"activation\":\"satlin\",\"reset\":\"after\",\"time_residual\":true,"
            "\"zoneout_h\":0.1"),
        OLD("lstm", "[12,12]", "0", "false", "0.25", "false", "0",
            PLAIN ",\"variational\":true,\"recurrent_dropout\":0.2,\"zoneout_c\":0.3"),
        OLD("gru", "[5]", "3", "false", "0", "false", "0", PLAIN),
    };
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_options c = any_config(i);
        ur_model *m = model_of(&c, 30, 7), *back;
        const char *a = tmp_path("a.safetensors"), *b = tmp_path("b.safetensors");
        assert_ok(ur_model_load(&back, write_old(m, old[i])));
        assert_ok(ur_model_save(m, a));
        assert_ok(ur_model_save(back, b));
        if (!same_file(a, b))
            fail_msg("configuration %d is another", i);
        ur_model_free(back);
        ur_model_free(m);
    }
    static const char *const wrong[] = {
        OLD("gru", "[3]", "0", "false", "0", "5", "0", PLAIN),
        OLD("gru", "[3,\"4\"]", "0", "false", "0", "false", "0", PLAIN),
        OLD("gru", "[3]", "0", "null", "0", "false", "0", PLAIN),
        OLD("gru", "[3]", "0", "false", "0", "false", "0", PLAIN ",\"colour\":1"),
        "{}",
    };
    ur_options c = net_of("lm", "cell=gru layers=1 hidden=3");
    ur_model *m = model_of(&c, 4, 7), *back;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_status(UR_EFORMAT, ur_model_load(&back, write_old(m, wrong[i])));
        expect_message("configuration");
    }
    ur_model_free(m);
}

static void file__rejects_impossible_metadata(void **state)
{
    (void)state;
    static const char *const vocabs[] = {
        "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a\",5]}",
        "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a\",\"a\"]}",
        "{\"tokens\":\"char\",\"words\":[\"<unk>\",\"</s>\",\"a\",\"b\"]}",
        "{\"tokens\":\"char\",\"codes\":[1,2,2,5]}", "{\"tokens\":\"char\",\"codes\":[1,2,3,-5]}",
        "{\"tokens\":\"char\",\"codes\":[]}", "{\"tokens\":\"char\",\"codes\":{}}",
        "{\"tokens\":\"char\"}", "{\"tokens\":\"word\",\"codes\":[1,2,3,5]}",
        "{\"tokens\":\"char\",\"codes\":[1,2,3,55296]}", "[1]", "{",
        "{\"tokens\":\"char\",\"codes\":[1,2,3,4294967301]}",
        "{\"tokens\":\"byte\",\"codes\":[1,2,3,256]}",
        "{\"tokens\":\"char\",\"codes\":[1,2,3,\"5\"]}"
    };
    for (size_t i = 0; i < sizeof vocabs / sizeof *vocabs; i++)
        expect_refused((struct forgery){"vocab", vocabs[i], NULL, 0}, UR_EFORMAT, "vocab");
    expect_refused((struct forgery){"vocab", NULL, NULL, 0}, UR_EFORMAT, "no \"vocab\"");
    expect_refused((struct forgery){"config", NULL, NULL, 0}, UR_EFORMAT, "no \"config\"");
    expect_refused((struct forgery){"config", "{}", NULL, 0}, UR_EFORMAT, "\"arch\"");
    expect_refused((struct forgery){"config", "[]", NULL, 0}, UR_EFORMAT, "configuration");
    expect_refused((struct forgery){"task", "", NULL, 0}, UR_EFORMAT, "\"task\"");
    expect_refused((struct forgery){"task", "a\nb", NULL, 0}, UR_EFORMAT, "\"task\"");
    expect_refused((struct forgery){"training", "[]", NULL, 0}, UR_EFORMAT, "\"training\"");
    expect_refused((struct forgery){"training", "{\"a\":1,\"a\":2}", NULL, 0}, UR_EFORMAT,
                   "\"training\"");
    ur_model *m;
    assert_ok(ur_model_load(&m, forge(&(struct forgery){"training", NULL, NULL, 0})));
    assert_string_equal(ur_model_summary(m), "{}");
    ur_model_free(m);
    assert_ok(ur_model_load(&m, forge(&(struct forgery){"task", NULL, NULL, 0})));
    assert_string_equal(ur_model_task(m), "lm");
    ur_model_free(m);
}

/* Sizes that would take all memory are refused because the file does not hold them. */
static void file__rejects_hostile_sizes_before_taking_memory(void **state)
{
    (void)state;
    static const char *const hidden[] = {
        "[20000]", "[65536]", "[65537]", "[2147483648]", "[-3]", "[0]", "[]", "[3,3]", "\"3\"",
        "[3.0]", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"
    };
    size_t before = ur_memory_peak();
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        char config[512];
        snprintf(config, sizeof config,
                 "{\"arch\":\"lm\",\"cell\":\"gru\",\"hidden\":%s,\"dropout\":0,\"embed\":0,"
                 "\"tie\":false}", hidden[i]);
        expect_refused((struct forgery){"config", config, NULL, 0}, UR_EFORMAT, "forged");
    }
    assert_true(ur_memory_peak() < before + ((size_t)1 << 20));
}

static void file__rejects_tensors_that_do_not_fit(void **state)
{
    (void)state;
    expect_refused((struct forgery){NULL, NULL, "rnn.bias_hh_l0", '-'}, UR_EFORMAT,
                   "tensor rnn.bias_hh_l0 is missing");
    expect_refused((struct forgery){NULL, NULL, "extra", '+'}, UR_EFORMAT, "no parameter extra");
    expect_refused((struct forgery){NULL, NULL, "rnn.weight_hh_l0", 's'}, UR_EFORMAT,
                   "tensor rnn.weight_hh_l0 is [10,3], but the configuration wants [9,3]");
    expect_refused((struct forgery){NULL, NULL, "decoder.bias", 's'}, UR_EFORMAT, "is [5]");
    expect_refused((struct forgery){NULL, NULL, "decoder.bias", 't'}, UR_EFORMAT,
                   "not real numbers");
    expect_refused((struct forgery){NULL, NULL, "rnn.weight_ih_l0", 'n'}, UR_ENUMERIC,
                   "tensor \"rnn.weight_ih_l0\"[2] is inf");
}

/* ---- failing memory ---------------------------------------------------- */

static void file__survives_any_failed_allocation(void **state)
{
    (void)state;
    ur_options c = any_config(4);
    ur_model *m = model_of(&c, 30, 3), *back;
    const char *path = tmp_path("oom.safetensors"), *kept = tmp_path("kept.safetensors");
    assert_ok(ur_model_save(m, path));
    assert_ok(ur_model_save(m, kept));
    long blocks = ur__mem_blocks(), n = 0;
    for (ur_status status = UR_ENOMEM; status != UR_OK; ) {
        ur__mem_fail_at(++n, false);
        status = ur_model_save(m, path);
        ur__mem_fail_at(0, false);
        if (status != UR_OK)
            assert_int_equal(status, UR_ENOMEM);
        assert_true(same_file(path, kept));
        assert_int_equal(ur__mem_blocks(), blocks);
    }
    assert_true(n > 20);
    n = 0;
    for (ur_status status = UR_ENOMEM; status != UR_OK; ) {
        n++;
        ur__mem_fail_at(n, n % 2 != 0);
        status = ur_model_load(&back, path);
        ur__mem_fail_at(0, false);
        if (status != UR_OK) {
            assert_int_equal(status, UR_ENOMEM);
            assert_null(back);
        }
        ur_model_free(back);
        assert_int_equal(ur__mem_blocks(), blocks);
    }
    assert_true(n > 20);
    ur_model_free(m);
}

static void model__survives_any_failed_allocation(void **state)
{
    (void)state;
    ur_options c = any_config(5);
    ur_vocab *v = vocab_of(30);
    long blocks = ur__mem_blocks(), n = 0;
    ur_model *m = NULL;
    while (!m) {
        ur__mem_fail_at(++n, false);
        ur_status status = ur_model_new(&m, &c, 1, &v, 1);
        ur__mem_fail_at(0, false);
        assert_true(status == UR_OK || (status == UR_ENOMEM && !m));
        if (status != UR_OK)
            assert_int_equal(ur__mem_blocks(), blocks);
    }
    ur_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model__names_say_what_torch_can_load),
        cmocka_unit_test(model__leaves_the_vocabulary_on_failure),
        cmocka_unit_test(model__summary_is_a_json_object),
        cmocka_unit_test(model__adopts_values_of_networks_of_its_form_only),
        cmocka_unit_test(model__adopts_tokens_by_what_they_are),
        cmocka_unit_test(file__round_trip_keeps_every_byte),
        cmocka_unit_test(file__nothing_that_is_not_finite_is_written),
        cmocka_unit_test(file__rejects_every_truncation),
        cmocka_unit_test(file__survives_any_changed_header_byte),
        cmocka_unit_test(file__rejects_foreign_and_newer_files),
        cmocka_unit_test(file__of_version_1_are_read),
        cmocka_unit_test(file__rejects_impossible_metadata),
        cmocka_unit_test(file__rejects_hostile_sizes_before_taking_memory),
        cmocka_unit_test(file__rejects_tensors_that_do_not_fit),
        cmocka_unit_test(file__survives_any_failed_allocation),
        cmocka_unit_test(model__survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
