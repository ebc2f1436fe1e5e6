/* SPDX-License-Identifier: MIT */
/* The form of a recurrent net in a file of parameters: what the same tensors would mean under other
 * options is compared on loading. */
#include "test_io.h"

#include "base/text.h"
#include "io/safetensors.h"
#include "unroll/exchange.h"

static void assert_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, ur_errmsg());
}

struct net {
    ur_params *params;
    ur_rnn *rnn;
};

static ur_rnn_options plain(ur_cell cell)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = cell;
    o.input = 2;
    o.layers = 2;
    o.hidden[0] = o.hidden[1] = 3;
    return o;
}

static struct net net_of(const char *prefix, const ur_rnn_options *o)
{
    struct net n;
    assert_ok(ur_params_new(&n.params));
    assert_ok(ur_rnn_new(&n.rnn, n.params, prefix, o));
    assert_ok(ur_params_build(n.params, 3));
    return n;
}

static void net_free(struct net *n)
{
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

static void save_as(const char *path, const ur_rnn_options *o)
{
    struct net n = net_of("rnn", o);
    assert_ok(ur_params_save(n.params, path, 0, NULL, 0, NULL));
    net_free(&n);
}

static void expect_refused(const char *path, const char *prefix, const ur_rnn_options *o,
                           const char *says)
{
    struct net n = net_of(prefix, o);
    ur_real before = ur_params_values(n.params)[0];
    ur_params_values(n.params)[0] = before + 1;
    assert_status(UR_EDATA, ur_params_load(n.params, path, 0, NULL, false));
    assert_message(says);
    assert_true(ur_params_values(n.params)[0] == before + 1);
    net_free(&n);
}

/* ---- what differs ------------------------------------------------------ */

static void form__is_refused_by_what_differs(void **state)
{
    (void)state;
    const char *path = tmp_path("form");
    ur_rnn_options lstm = plain(UR_CELL_LSTM), gru = plain(UR_CELL_GRU), rnn = plain(UR_CELL_RNN);
    ur_rnn_options clip = lstm, wide = lstm, coupled = lstm, both = lstm, zone = lstm, more = lstm;
    ur_rnn_options peep = lstm, learned = lstm, before = gru, relu = rnn, residual = rnn, map = rnn;
    ur_rnn_options linear = rnn;
    clip.cell_clip = 1;
    wide.cell_clip = 1e6;
    coupled.coupled = both.coupled = peep.peepholes = learned.learned_state = true;
    both.cell_clip = 0.5;
    zone.zoneout_h = 0.25;
    zone.zoneout_c = more.zoneout_h = more.zoneout_c = 0.125;
    before.reset_before = residual.time_residual = true;
    relu.activation = UR_ACT_RELU;
    map.output[0] = map.output[1] = linear.output[0] = linear.output[1] = 2;
    map.output_activation = UR_ACT_TANH;
    const struct {
        const ur_rnn_options *file, *here;
        const char *says;
    } cases[] = {
        {&clip, &wide, "cell-clip is 1 in the file and 1e+06 here"},
        {&wide, &clip, "cell-clip is 1e+06 in the file and 1 here"},
        {&clip, &lstm, "cell-clip is 1 in the file and 0 here"},
        {&both, &coupled, "cell-clip is 0.5 in the file and 0 here"},
        {&both, &lstm, "coupled is yes in the file and no here"},
        {&zone, &more, "zoneout is 0.25 in the file and 0.125 here"},
        {&peep, &lstm, "peepholes is yes in the file and no here"},
        {&learned, &lstm, "learned-state is yes in the file and no here"},
        {&before, &gru, "reset is before in the file and after here"},
        {&relu, &rnn, "activation is relu in the file and tanh here"},
        {&relu, &residual, "time-residual is no in the file and yes here"},
        {&map, &linear, "output-activation is tanh in the file and identity here"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        save_as(path, cases[i].file);
        expect_refused(path, "rnn", cases[i].here, cases[i].says);
        struct net same = net_of("rnn", cases[i].file);
        assert_ok(ur_params_load(same.params, path, 0, NULL, true));
        net_free(&same);
    }
    print_message("%zu forms refused by one word, and taken by their own nets\n", COUNT(cases));
}

static void form__of_a_plain_net_is_not_written(void **state)
{
    (void)state;
    const char *path = tmp_path("plain");
    ur_rnn_options o = plain(UR_CELL_LSTM), noisy = o;
    ur_weights *w;
    noisy.dropout = noisy.recurrent_dropout = 0.5;      /* no part of a form */
    save_as(path, &noisy);
    assert_ok(ur_weights_open(&w, path));
    assert_string_equal(ur_weights_meta_key(w, 0), "format");
    assert_null(ur_weights_meta_key(w, 1));
    ur_weights_close(w);
    struct net n = net_of("rnn", &o);
    assert_ok(ur_params_load(n.params, path, 0, NULL, true));
    net_free(&n);
}

/* ---- names ------------------------------------------------------------- */

static void form__follows_the_names_in_the_file(void **state)
{
    (void)state;
    const char *path = tmp_path("renamed");
    const ur_rename out[] = {{"rnn.*", "tower.*"}}, none[] = {{"rnn.weight_ih_l0", NULL}};
    ur_rnn_options o = plain(UR_CELL_LSTM), other = o;
    o.cell_clip = 1;
    other.cell_clip = 50;
    struct net n = net_of("rnn", &o), m = net_of("rnn", &other);
    assert_ok(ur_params_save(n.params, path, 1, out, 0, NULL));
    assert_ok(ur_params_load(n.params, path, 1, out, true));
    expect_refused(path, "tower", &other, "cell-clip is 1 in the file and 50 here");
    assert_status(UR_EDATA, ur_params_load(m.params, path, 1, out, true));
    assert_message("tower.weight_ih_l0");
    /* Without its first tensor a net has no form there. */
    assert_ok(ur_params_save(n.params, path, 1, none, 0, NULL));
    assert_ok(ur_params_load(m.params, path, 1, none, true));
    net_free(&n);
    net_free(&m);
}

/* ---- foreign and hostile ----------------------------------------------- */

/* The tensors of a net with strings beside them: keys and values, ended by NULL. */
static void write_with(const char *path, const struct net *n, const char *const *meta)
{
    struct ur__st_out *s;
    assert_ok(ur__st_out_new(&s));
    for (; *meta; meta += 2)
        assert_ok(ur__st_out_meta(s, meta[0], meta[1]));
    for (int i = 0; i < ur_params_count(n->params); i++) {
        const ur_param *p = ur_params_at(n->params, i);
        uint64_t dim[2] = {(uint64_t)p->dim[0], (uint64_t)p->dim[1]};
        assert_ok(ur__st_out_tensor(s, p->name, ur__st_real_type(), p->rank, dim,
                                    ur_param_data(n->params, p)));
    }
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
}

static void form__of_others_is_taken_by_names_alone(void **state)
{
    (void)state;
    static const char KEY[] = "form.rnn.weight_ih_l0";
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"cell_clip\":1}", "cell-clip is 1 in the file and 50 here"},
        {"{}", "cell-clip is 0 in the file and 50 here"},
        {"{", KEY}, {"", KEY}, {"[1]", KEY}, {"7", KEY},
        {"{\"cell_clip\":\"x\"}", "cell_clip"}, {"{\"cell_clip\":-1}", "cell_clip"},
        {"{\"cell_clip\":50,\"warp\":1}", "warp"}, {"{\"hidden\":[3,3]}", "hidden"},
    };
    const char *path = tmp_path("foreign");
    ur_rnn_options o = plain(UR_CELL_LSTM);
    o.cell_clip = 50;
    struct net n = net_of("rnn", &o);
    write_with(path, &n, (const char *[]){NULL});
    assert_ok(ur_params_load(n.params, path, 0, NULL, true));
    write_with(path, &n, (const char *[]){KEY, "{\"cell_clip\":50.0}", NULL});
    assert_ok(ur_params_load(n.params, path, 0, NULL, true));
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_with(path, &n, (const char *[]){KEY, cases[i].text, NULL});
        expect_refused(path, "rnn", &o, cases[i].says);
    }
    net_free(&n);
}

/* A model says its form in its configuration, if its stacks have one. */
static void form__of_a_model_is_in_its_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *version, *config, *says;
    } cases[] = {
        {"2", "{\"arch\":\"lm\",\"cell\":\"lstm\",\"cell_clip\":50}", NULL},
        {"2", "{\"arch\":\"lm\",\"cell\":\"lstm\",\"cell_clip\":1}", "cell-clip is 1 in the file"},
        {"2", "{\"arch\":\"lm\",\"cell\":\"lstm\"}", "cell-clip is 0 in the file and 50 here"},
        {"2", "{\"arch\":\"lm\",\"cell\":", "\"config\""},
        {"2", "{\"cell\" : \"lstm\"}", "cell-clip is 0 in the file and 50 here"},
        {"2", "{\"arch\":\"pair\",\"encoder_cell\":\"lstm\"}", NULL},
        {"2", "{\"arch\":\"pair\",\"encoder\":{\"cell\":\"lstm\"}}", NULL},
        {"1", "{\"task\":\"lm\",\"cell\":\"lstm\",\"zoneout_h\":0.5}", NULL},
    };
    const char *path = tmp_path("model");
    ur_rnn_options o = plain(UR_CELL_LSTM);
    o.cell_clip = 50;
    struct net n = net_of("rnn", &o);
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_with(path, &n, (const char *[]){"format", "unroll", "format_version",
                                              cases[i].version, "config", cases[i].config, NULL});
        if (cases[i].says)
            expect_refused(path, "rnn", &o, cases[i].says);
        else
            assert_ok(ur_params_load(n.params, path, 0, NULL, true));
    }
    net_free(&n);
}

/* ---- options from a file ----------------------------------------------- */

static void form__is_taken_with_the_shapes(void **state)
{
    (void)state;
    const char *path = tmp_path("taken");
    ur_rnn_options o = plain(UR_CELL_LSTM), found;
    o.coupled = true;
    o.cell_clip = 2;
    o.zoneout_c = 0.25;
    ur_weights *w;
    save_as(path, &o);
    ur_rnn_options_init(&found);
    assert_ok(ur_weights_open(&w, path));
    assert_ok(ur_weights_rnn_options(w, "rnn", 0, NULL, &found));
    assert_true(found.coupled && found.cell_clip == 2 && found.zoneout_c == 0.25);
    struct net n = net_of("rnn", &found);
    assert_ok(ur_params_load(n.params, path, 0, NULL, true));
    net_free(&n);
    ur_weights_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(form__is_refused_by_what_differs),
        cmocka_unit_test(form__of_a_plain_net_is_not_written),
        cmocka_unit_test(form__follows_the_names_in_the_file),
        cmocka_unit_test(form__of_others_is_taken_by_names_alone),
        cmocka_unit_test(form__of_a_model_is_in_its_configuration),
        cmocka_unit_test(form__is_taken_with_the_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
