/* SPDX-License-Identifier: MIT */
/* Configurations of networks: what they may be, and their text in a model file. */
#include "models.h"

#include "config_text.h"

static void expect_impossible(const char *settings, const char *part)
{
    ur_options c = net_of("lm", settings);
    ur_vocab *v = vocab_of(5);
    ur_model *m;
    assert_status(UR_EINVAL, ur_config_check(&c));
    expect_message(part);
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 1, &v, 1));
    expect_message(part);
    assert_null(m);
    ur_vocab_free(v);
}

/* An option that is refused changes nothing. */
static void expect_not_set(const char *name, const char *text, const char *part)
{
    ur_options c = net_of("lm", ""), was = c;
    assert_status(UR_EINVAL, ur_options_set(&c, name, text));
    expect_message(part);
    assert_memory_equal(&c, &was, sizeof c);
    assert_ok(ur_config_check(&c));
}

static void config__refuses_what_is_impossible(void **state)
{
    (void)state;
    ur_options c = net_of("lm", "");
    assert_ok(ur_config_check(&c));
    assert_status(UR_EINVAL, ur_config_init(&c, "chess"));
    expect_message("chess");
    memset(&c, 0, sizeof c);
    assert_status(UR_EINVAL, ur_config_check(&c));
    expect_message("not initialised");
    expect_impossible("activation=relu", "cell lstm has no option activation");
    expect_impossible("time-residual=yes", "cell lstm has no option time-residual");
    expect_impossible("cell=gru peepholes=yes", "cell gru has no option peepholes");
    expect_impossible("cell=rnn projection=3", "cell rnn has no option projection");
    expect_impossible("cell=gru cell-clip=1", "cell gru has no option cell-clip");
    expect_impossible("cell=gru zoneout-cell=0.1", "cell gru has no option zoneout-cell");
    expect_impossible("cell=gru coupled=yes", "cell gru has no option coupled");
    expect_impossible("cell=gru forget-bias=1", "cell gru has no option forget-bias");
    expect_impossible("reset=before", "cell lstm has no option reset");
    expect_impossible("projection=128", "projection must be smaller than hidden (128 >= 128)");
    expect_impossible("hidden=3,4 projection=3,3", "layer 0: projection must be smaller");
    expect_impossible("coupled=yes forget-bias=1", "no option forget-bias when it is coupled");
    expect_impossible("variational=yes", "needs a dropout");
    expect_impossible("hidden=3,4,5 layers=4", "hidden lists 3 layers but layers is 4");
    expect_impossible("layers=1 hidden=3,4", "hidden lists 2 layers but layers is 1");
    expect_impossible("layers=4 hidden=3,4,5", "hidden lists 3 layers but layers is 4");
    expect_impossible("tie=yes embed=64", "the size that the decoder reads, but it is 64");
    expect_impossible("tie=yes embed=0", "but it is 0");
    expect_not_set("colour", "red", "no option colour");
    expect_not_set("cell", "brain", "rnn|lstm|gru");
    expect_not_set("activation", "identity", "tanh|relu|sigmoid|satlin");
    expect_not_set("projection", "-1", "projection -1");
    expect_not_set("cell-clip", "-1", "cell-clip -1");
    expect_not_set("recurrent-dropout", "1", "recurrent-dropout 1");
    expect_not_set("zoneout", "nan", "zoneout nan");
    expect_not_set("zoneout-cell", "-0.1", "zoneout-cell -0.1");
    expect_not_set("layers", "0", "from 1 to 32");
    expect_not_set("layers", "33", "from 1 to 32");
    expect_not_set("hidden", "128,0", "from 1 to 65536");
    expect_not_set("hidden", "65537", "from 1 to 65536");
    expect_not_set("embed", "-1", "embed -1");
    expect_not_set("embed", "65537", "embed 65537");
    expect_not_set("dropout", "1", "dropout 1");
    expect_not_set("dropout", "-0.1", "dropout -0.1");
    expect_not_set("dropout", "nan", "dropout nan");
    expect_not_set("forget-bias", "inf", "forget-bias inf");
    expect_not_set("forget-bias", "nan", "forget-bias nan");
    expect_not_set("forget-bias", "101", "from -100 to 100");
}

static ur_status parse_config(const char *text, ur_options *c)
{
    return config_parse(c, text, strlen(text));
}

static void config__text_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        ur_options c = any_config(i), back;
        ur_model *m = model_of(&c, 5, 1);
        const ur_options *whole = ur_model_config(m);
        struct ur__buf text = {0}, again = {0};
        assert_ok(config_text(whole, &text));
        assert_ok(parse_config(text.data, &back));
        ur_model *twin = model_of(&back, 5, 1);
        const ur_options *other = ur_model_config(twin);
        assert_ok(config_text(other, &again));
        assert_string_equal(text.data, again.data);
        const ur_option *o;
        for (int row = 0; (o = ur_options_at(whole, row)); row++)
            if (!ur__option_same(o, ur__options_read(whole), ur__options_read(other)))
                fail_msg("configuration %d: %s was %s and is %s", i, o->name,
                         setting_text(whole, o->name), setting_text(other, o->name));
        ur__buf_free(&text);
        ur__buf_free(&again);
        ur_model_free(m);
        ur_model_free(twin);
    }
}

static void config__every_key_is_known_and_the_usual_wanted(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "\"arch\":\"lm\"", "\"cell\":\"lstm\"", "\"hidden\":[4,5]", "\"dropout\":0.5",
        "\"embed\":0", "\"tie\":false", "\"forget_bias\":1", "\"init\":\"orthogonal\""
    };
    enum { N = sizeof parts / sizeof *parts, WANTED = 6 };
    for (int left_out = -1; left_out <= N; left_out++) {
        char text[512] = "{";
        ur_options c;
        for (int i = 0; i < N; i++) {
            if (i != left_out)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                         text[1] ? "," : "", parts[i]);
        }
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s}",
                 left_out == N ? ",\"colour\":1" : "");
        bool whole = left_out < 0 || (left_out >= WANTED && left_out < N);
        assert_status(whole ? UR_OK : UR_EFORMAT, parse_config(text, &c));
    }
}

static void config__sizes_are_not_cut_to_fit(void **state)
{
    (void)state;
    static const char form[] = "{\"arch\":\"lm\",\"cell\":\"lstm\",\"hidden\":[%s],"
                               "\"dropout\":0,\"embed\":%s,\"tie\":false}";
    static const char *const sizes[][2] = {
        {"4,5", "0"}, {"4,4294967301", "0"}, {"4294967301", "0"}, {"0", "0"}, {"-1", "0"},
        {"4", "4294967296"}, {"4", "-4294967296"},
    };
    for (int i = 0; i < 7; i++) {
        char text[512];
        ur_options c;
        snprintf(text, sizeof text, form, sizes[i][0], sizes[i][1]);
        assert_status(i == 0 ? UR_OK : UR_EFORMAT, parse_config(text, &c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config__refuses_what_is_impossible),
        cmocka_unit_test(config__text_reads_back),
        cmocka_unit_test(config__every_key_is_known_and_the_usual_wanted),
        cmocka_unit_test(config__sizes_are_not_cut_to_fit),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
