/* SPDX-License-Identifier: MIT */
/* Models: configurations, files that come back byte by byte and files that must be
 * refused. */
#include "models.h"

#include <math.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "model/config.h"
#include "model/model.h"

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

/* ---- configurations ---------------------------------------------------- */

static void expect_impossible(ur_config c, const char *part)
{
    char *text;
    assert_status(UR_EINVAL, ur_config_check(&c));
    expect_message(part);
    assert_status(UR_EINVAL, ur__config_text(&c, &text));
    assert_null(text);
}

#define IMPOSSIBLE(part, change)                                              \
    do {                                                                      \
        ur_config c = UR_CONFIG_INIT;                                         \
        change;                                                               \
        expect_impossible(c, part);                                           \
    } while (0)

static void config__refuses_what_is_impossible(void **state)
{
    (void)state;
    const ur_config fine = UR_CONFIG_INIT;
    assert_ok(ur_config_check(&fine));
    IMPOSSIBLE("task", c.task = NULL);
    IMPOSSIBLE("task \"chess\"", c.task = "chess");
    IMPOSSIBLE("kind of token", c.tokens = (ur_token_kind)5);
    IMPOSSIBLE("cell", c.cell = (ur_cell)9);
    IMPOSSIBLE("cell lstm has no choice", c.activation = UR_ACT_RELU);
    IMPOSSIBLE("tanh, relu", (c.cell = UR_CELL_RNN, c.activation = UR_ACT_IDENTITY));
    IMPOSSIBLE("not of lstm", c.time_residual = true);
    IMPOSSIBLE("need cell lstm, not gru", (c.cell = UR_CELL_GRU, c.peepholes = true));
    IMPOSSIBLE("need cell lstm, not rnn", (c.cell = UR_CELL_RNN, c.projection = 3));
    IMPOSSIBLE("128 units to 128", c.projection = 128);
    IMPOSSIBLE("layer 0's 3 units to 3", (c.hidden[0] = 3, c.projection = 3));
    IMPOSSIBLE("units to -1", c.projection = -1);
    IMPOSSIBLE("no forget bias", (c.coupled = true, c.forget_bias = 1));
    IMPOSSIBLE("cell clip", c.cell_clip = -1);
    IMPOSSIBLE("recurrent dropout", c.recurrent_dropout = 1);
    IMPOSSIBLE("zoneout", c.zoneout_h = (double)NAN);
    IMPOSSIBLE("zoneout of the cell", c.zoneout_c = -0.1);
    IMPOSSIBLE("needs a dropout", c.variational = true);
    IMPOSSIBLE("not of lstm", c.reset_before = true);
    IMPOSSIBLE("not gru", (c.cell = UR_CELL_GRU, c.forget_bias = 1));
    IMPOSSIBLE("1 to 32 layers, not 0", c.layers = 0);
    IMPOSSIBLE("not 33", c.layers = 33);
    IMPOSSIBLE("layer 1 has 0 units", c.hidden[1] = 0);
    IMPOSSIBLE("layer 0 has 65537 units", c.hidden[0] = 65537);
    IMPOSSIBLE("embeddings of size -1", c.embed = -1);
    IMPOSSIBLE("size that the decoder reads, 128, not 64", (c.tie = true, c.embed = 64));
    IMPOSSIBLE("not 0", c.tie = true);
    IMPOSSIBLE("dropout", c.dropout = 1);
    IMPOSSIBLE("dropout", c.dropout = -0.1);
    IMPOSSIBLE("dropout", c.dropout = (double)NAN);
    IMPOSSIBLE("forget bias", c.forget_bias = (double)INFINITY);
    IMPOSSIBLE("forget bias", c.forget_bias = (double)NAN);
}

static ur_status parse_config(const char *text, ur_config *c)
{
    struct ur__json *j;
    assert_ok(ur__json_parse(&j, text, strlen(text)));
    ur_status status = ur__config_parse(c, j);
    ur__json_free(j);
    return status;
}

static void config__text_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_config c = any_config(i), back;
        char *text, *again;
        assert_ok(ur__config_text(&c, &text));
        assert_ok(parse_config(text, &back));
        assert_ok(ur__config_text(&back, &again));
        assert_string_equal(text, again);
        assert_int_equal(back.layers, c.layers);
        assert_int_equal(back.hidden[0], c.hidden[0]);
        assert_int_equal(back.cell, c.cell);
        assert_int_equal(back.activation, c.activation);
        assert_int_equal(back.reset_before, c.reset_before);
        assert_int_equal(back.embed, c.embed);
        assert_true(back.dropout == c.dropout && back.forget_bias == c.forget_bias);
        assert_int_equal(back.projection, c.projection);
        assert_true(back.peepholes == c.peepholes && back.coupled == c.coupled &&
                    back.time_residual == c.time_residual && back.variational == c.variational &&
                    back.learned_state == c.learned_state);
        assert_true(back.cell_clip == c.cell_clip && back.zoneout_h == c.zoneout_h &&
                    back.zoneout_c == c.zoneout_c &&
                    back.recurrent_dropout == c.recurrent_dropout);
        ur__free(text);
        ur__free(again);
    }
}

static void config__every_key_is_wanted_and_known(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\"task\":\"lm\"", "\"tokens\":\"char\"", "\"cell\":\"lstm\"", "\"activation\":\"tanh\"",
        "\"reset\":\"after\"", "\"hidden\":[4,5]", "\"embed\":0", "\"tie\":false",
        "\"dropout\":0.5", "\"orthogonal\":false", "\"forget_bias\":0"
    };
    enum { N = sizeof parts / sizeof *parts };
    for (int left_out = -1; left_out <= N; left_out++) {
        char text[512] = "{";
        ur_config c;
        for (int i = 0; i < N; i++) {
            if (i != left_out)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                         text[1] ? "," : "", parts[i]);
        }
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s}",
                 left_out == N ? ",\"colour\":1" : "");
        if (left_out < 0)
            assert_ok(parse_config(text, &c));
        else
            assert_status(UR_EFORMAT, parse_config(text, &c));
    }
}

static void config__sizes_are_not_cut_to_fit(void **state)
{
    (void)state;
    static const char form[] = "{\"task\":\"lm\",\"tokens\":\"char\",\"cell\":\"lstm\","
                               "\"activation\":\"tanh\",\"reset\":\"after\",\"hidden\":[%s],"
                               "\"embed\":%s,\"tie\":false,\"dropout\":0,\"orthogonal\":false,"
                               "\"forget_bias\":0}";
    static const char *const sizes[][2] = {
        {"4,5", "0"}, {"4,4294967301", "0"}, {"4294967301", "0"}, {"0", "0"}, {"-1", "0"},
        {"4", "4294967296"}, {"4", "-4294967296"},
    };
    for (int i = 0; i < 7; i++) {
        char text[512];
        ur_config c;
        snprintf(text, sizeof text, form, sizes[i][0], sizes[i][1]);
        assert_status(i == 0 ? UR_OK : UR_EFORMAT, parse_config(text, &c));
    }
}

/* ---- making ------------------------------------------------------------ */

static void model__names_say_what_torch_can_load(void **state)
{
    (void)state;
    static const bool can[N_CONFIGS] = {true,  false, false, true,  true,
                                       true, false, false, false, true};
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_config c = any_config(i);
        ur_model *m = model_of(&c, 30, 1);
        ur_params *p = ur_model_params(m);
        assert_int_equal(can[i], ur_params_find(p, "rnn.weight_ih_l0") != NULL);
        assert_int_equal(!can[i], ur_params_find(p, "urnn.weight_ih_l0") != NULL);
        assert_int_equal(c.embed > 0, ur_params_find(p, "embed.weight") != NULL);
        assert_int_equal(!c.tie, ur_params_find(p, "decoder.weight") != NULL);
        assert_non_null(ur_params_find(p, "decoder.bias"));
        assert_int_equal(ur_rnn_layers(ur_model_rnn(m)), c.layers);
        assert_int_equal(ur_vocab_size(ur_model_vocab(m)), 30);
        assert_string_equal(ur_model_config(m)->task, "lm");
        ur_model_free(m);
    }
    ur_model_free(NULL);
}

static void model__leaves_the_vocabulary_on_failure(void **state)
{
    (void)state;
    ur_config c = UR_CONFIG_INIT;
    ur_vocab *v = vocab_of(5);
    ur_model *m;
    c.tokens = UR_TOKEN_BYTE;
    assert_status(UR_EINVAL, ur__model_new(&m, &c, v, 1));
    assert_null(m);
    ur__vocab_free(v);
}

static void model__summary_is_a_json_object(void **state)
{
    (void)state;
    ur_config c = any_config(0);
    ur_model *m = model_of(&c, 30, 1);
    assert_string_equal(ur_model_summary(m), "{}");
    assert_ok(ur__model_set_summary(m, "{\"seed\": 3}"));
    assert_status(UR_EFORMAT, ur__model_set_summary(m, "[3]"));
    assert_status(UR_EFORMAT, ur__model_set_summary(m, "{"));
    assert_string_equal(ur_model_summary(m), "{\"seed\": 3}");
    ur_model_free(m);
}

static void model__copies_values_of_equal_networks_only(void **state)
{
    (void)state;
    ur_config c = any_config(0), wider = c, gru = c;
    wider.hidden[0] = wider.hidden[1] = 13;
    gru.cell = UR_CELL_GRU;
    ur_model *a = model_of(&c, 30, 1), *b = model_of(&c, 30, 2);
    ur_model *d = model_of(&wider, 30, 1), *e = model_of(&c, 29, 1), *f = model_of(&gru, 30, 1);
    size_t n = ur_params_size(ur_model_params(a)) * sizeof(ur_real);
    assert_memory_not_equal(ur_params_values(ur_model_params(a)),
                            ur_params_values(ur_model_params(b)), n);
    assert_ok(ur__model_copy_values(a, b));
    assert_memory_equal(ur_params_values(ur_model_params(a)),
                        ur_params_values(ur_model_params(b)), n);
    assert_status(UR_EDATA, ur__model_copy_values(a, d));
    expect_message("rnn.weight_ih_l0 is [48,30], in the other [52,30]");
    assert_status(UR_EDATA, ur__model_copy_values(a, e));
    expect_message("30 and 29 tokens");
    assert_status(UR_EDATA, ur__model_copy_values(a, f));
    ur_model *all[] = {a, b, d, e, f};
    for (int i = 0; i < 5; i++)
        ur_model_free(all[i]);
}

/* ---- files that come back ---------------------------------------------- */

static void file__round_trip_keeps_every_byte(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_config c = any_config(i);
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
    ur_config c = any_config(0);
    ur_model *m = model_of(&c, 30, 7);
    const char *a = tmp_path("a.safetensors"), *b = tmp_path("b.safetensors");
    assert_ok(ur_model_save(m, a));
    assert_ok(ur_model_save(m, b));
    const ur_param *p = ur_params_find(ur_model_params(m), "rnn.bias_hh_l1");
    ur_param_data(ur_model_params(m), p)[5] = (ur_real)NAN;
    assert_status(UR_ENUMERIC, ur_model_save(m, a));
    expect_message("rnn.bias_hh_l1 holds NaN at element 5");
    assert_true(same_file(a, b));
    assert_status(UR_ENUMERIC, ur_model_save(m, tmp_path("new.safetensors")));
    ur_model_free(m);
}

/* ---- files that are refused -------------------------------------------- */

static void file__rejects_every_truncation(void **state)
{
    (void)state;
    ur_config c = config_of(UR_CELL_GRU, 1, 3, 0);
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
    ur_config c = config_of(UR_CELL_GRU, 1, 3, 0);
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
        "{\"task\":\"lm\",\"tokens\":\"char\",\"cell\":\"gru\",\"activation\":\"tanh\","
        "\"reset\":\"after\",\"hidden\":[3],\"embed\":0,\"tie\":false,\"dropout\":0,"
        "\"orthogonal\":false,\"forget_bias\":0}";
    static const char *const meta[][2] = {
        {"format", "unroll"}, {"format_version", "1"}, {"config", config},
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
    expect_refused((struct forgery){"format_version", "2", NULL, 0}, UR_EVERSION, "version is 2");
    expect_refused((struct forgery){"format_version", "0", NULL, 0}, UR_EFORMAT, "format_version");
    expect_refused((struct forgery){"format_version", "1.5", NULL, 0}, UR_EFORMAT, "version");
    expect_refused((struct forgery){"format_version", NULL, NULL, 0}, UR_EFORMAT, "version");
    assert_status(UR_EINPUT, ur_model_load(&m, tmp_path("missing")));
    const char *text = tmp_path("text");
    write_file(text, "just some text, no tensors\n", 27);
    assert_status(UR_EFORMAT, ur_model_load(&m, text));
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
        "{\"tokens\":\"byte\",\"codes\":[1,2,3,5]}", "{\"tokens\":\"char\",\"codes\":[1,2,3,\"5\"]}"
    };
    for (size_t i = 0; i < sizeof vocabs / sizeof *vocabs; i++)
        expect_refused((struct forgery){"vocab", vocabs[i], NULL, 0}, UR_EFORMAT, "vocab");
    expect_refused((struct forgery){"vocab", NULL, NULL, 0}, UR_EFORMAT, "no \"vocab\"");
    expect_refused((struct forgery){"config", NULL, NULL, 0}, UR_EFORMAT, "no \"config\"");
    expect_refused((struct forgery){"config", "{}", NULL, 0}, UR_EFORMAT, "\"task\"");
    expect_refused((struct forgery){"config", "[]", NULL, 0}, UR_EFORMAT, "configuration");
    expect_refused((struct forgery){"training", "[]", NULL, 0}, UR_EFORMAT, "\"training\"");
    expect_refused((struct forgery){"training", "{\"a\":1,\"a\":2}", NULL, 0}, UR_EFORMAT,
                   "\"training\"");
    ur_model *m;
    assert_ok(ur_model_load(&m, forge(&(struct forgery){"training", NULL, NULL, 0})));
    assert_string_equal(ur_model_summary(m), "{}");
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
                 "{\"task\":\"lm\",\"tokens\":\"char\",\"cell\":\"gru\",\"activation\":\"tanh\","
                 "\"reset\":\"after\",\"hidden\":%s,\"embed\":0,\"tie\":false,\"dropout\":0,"
                 "\"orthogonal\":false,\"forget_bias\":0}", hidden[i]);
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
                   "tensor \"rnn.weight_ih_l0\" holds Inf at element 2");
}

/* ---- failing memory ---------------------------------------------------- */

static void file__survives_any_failed_allocation(void **state)
{
    (void)state;
    ur_config c = any_config(4);
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
    ur_config c = any_config(5);
    ur_vocab *v = vocab_of(30);
    long blocks = ur__mem_blocks(), n = 0;
    ur_model *m = NULL;
    while (!m) {
        ur__mem_fail_at(++n, false);
        ur_status status = ur__model_new(&m, &c, v, 1);
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
        cmocka_unit_test(config__refuses_what_is_impossible),
        cmocka_unit_test(config__text_reads_back),
        cmocka_unit_test(config__every_key_is_wanted_and_known),
        cmocka_unit_test(config__sizes_are_not_cut_to_fit),
        cmocka_unit_test(model__names_say_what_torch_can_load),
        cmocka_unit_test(model__leaves_the_vocabulary_on_failure),
        cmocka_unit_test(model__summary_is_a_json_object),
        cmocka_unit_test(model__copies_values_of_equal_networks_only),
        cmocka_unit_test(file__round_trip_keeps_every_byte),
        cmocka_unit_test(file__nothing_that_is_not_finite_is_written),
        cmocka_unit_test(file__rejects_every_truncation),
        cmocka_unit_test(file__survives_any_changed_header_byte),
        cmocka_unit_test(file__rejects_foreign_and_newer_files),
        cmocka_unit_test(file__rejects_impossible_metadata),
        cmocka_unit_test(file__rejects_hostile_sizes_before_taking_memory),
        cmocka_unit_test(file__rejects_tensors_that_do_not_fit),
        cmocka_unit_test(file__survives_any_failed_allocation),
        cmocka_unit_test(model__survives_any_failed_allocation),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
