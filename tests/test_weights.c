/* SPDX-License-Identifier: MIT */
/* Files as other programs write them: what cannot be read in them stops nothing else, and
 * their shapes tell what net they are of. */
#include "test_io.h"

#include "golden_case.h"
#include "io/safetensors.h"
#include "layer/params.h"
#include "told.h"
#include "unroll/exchange.h"

static void expect_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, ur_errmsg());
}

/* A header as another program may write it: types and shapes that cannot be read here stand
 * beside the one tensor that is asked for. */
static void weights__are_not_stopped_by_what_is_not_asked_for(void **state)
{
    (void)state;
    static const char header[] =
        "{\"scale\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,4]},"
        "\"deep\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1,1],\"data_offsets\":[4,8]},"
        "\"\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[8,16]},"
        "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24],\"by\":\"hand\"}} ";
    static const unsigned char zeros[24];
    const char *path = tmp_path("newer");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < 8; i++)
        fputc((int)((sizeof header - 1) >> 8 * i & 0xff), f);
    fwrite(header, 1, sizeof header - 1, f);
    fwrite(zeros, 1, sizeof zeros, f);
    assert_int_equal(fclose(f), 0);
    ur_weights *w;
    ur_real value[4];
    int32_t id[4];
    assert_ok(ur_weights_open(&w, path));
    assert_int_equal(ur_weights_count(w), 4);
    assert_string_equal(ur_weights_find(w, "scale")->type, "F8_E4M3");
    assert_int_equal(ur_weights_find(w, "scale")->size, 4);
    assert_int_equal(ur_weights_find(w, "deep")->rank, -1);
    assert_ok(ur_weights_read(w, "w", 2, value));
    assert_ok(ur_weights_read(w, "deep", 1, value));
    assert_status(UR_EDATA, ur_weights_read(w, "scale", 4, value));
    expect_message("tensor \"scale\" holds F8_E4M3; real numbers are read from");
    assert_status(UR_EDATA, ur_weights_read_ids(w, "", 1, id));
    expect_message("holds C64; integers are read from");
    ur_weights_close(w);
    static const int dim[] = {2, 4, 1};
    static const char *const names[] = {"w", "scale", "deep"};
    static const ur_status want[] = {UR_OK, UR_EDATA, UR_ESHAPE};
    for (size_t i = 0; i < COUNT(names); i++) {
        ur_params *params;
        assert_ok(ur_params_new(&params));
        assert_ok(ur_params_add(params, names[i], 1, &dim[i], (ur_start){UR_INIT_CONSTANT, 1},
                                NULL));
        assert_status(want[i], ur_params_load(params, path, 0, NULL, false));
        ur_params_free(params);
    }
    expect_message("\"deep\" is [more than 8 dimensions]");
}

/* ---- the options of a net ---------------------------------------------- */

/* Whether the recurrent weights have PyTorch's name. */
static bool is_plain(const ur_params *params)
{
    return ur_params_find(params, "rnn.weight_hh_l0") != NULL;
}

/* The tensors alone, as another program would write them. */
static void save_bare(const ur_params *params, const char *path)
{
    struct ur__st_out *s;
    assert_ok(ur__st_out_new(&s));
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        uint64_t dim[UR_MAX_RANK];
        int rank = ur__param_dims(p, dim);
        assert_ok(ur__st_out_tensor(s, p->name, ur__st_real_type(), rank, dim,
                                    ur_param_data(params, p)));
    }
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
}

/* A file of our own tells its form, too. */
static void tell_own(const char *path, const ur_params *params, const struct golden_case *c)
{
    ur_rnn_options o;
    ur_weights *w;
    ur_rnn_options_init(&o);
    assert_ok(ur_params_save(params, path, 0, NULL, 0, NULL));
    assert_ok(ur_weights_open(&w, path));
    assert_ok(ur_weights_rnn_options(w, "rnn", 0, NULL, &o));
    expect_told(&o, &c->options, c->line);
    assert_true(o.activation == c->options.activation && o.cell_clip == c->options.cell_clip &&
                o.output_activation == c->options.output_activation &&
                o.zoneout_h == c->options.zoneout_h && o.coupled == c->options.coupled);
    ur_weights_close(w);
}

/* The net of a line, in another's file and told from there: at once, or, in a form that the name of
 * the weights is of, knowing that form. */
static void tell(const char *path, const struct golden_case *c, int *plain)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    ur_rnn_options blank = o;
    ur_params *params, *again;
    ur_rnn *rnn, *same;
    ur_weights *w;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_rnn_new(&rnn, params, "rnn", &c->options));
    assert_ok(ur_params_build(params, 1));
    tell_own(path, params, c);
    save_bare(params, path);
    assert_ok(ur_weights_open(&w, path));
    if (is_plain(params)) {
        ++*plain;
    } else {
        assert_status(UR_EDATA, ur_weights_rnn_options(w, "rnn", 0, NULL, &o));
        assert_memory_equal(&o, &blank, sizeof o);
        expect_message("no tensor \"rnn.weight_hh_l0\"");
        o = c->options;
        o.input = o.layers = o.biases = 0;
        memset(o.hidden, 0, sizeof o.hidden);
        memset(o.projection, 0, sizeof o.projection);
        memset(o.output, 0, sizeof o.output);
        o.bidirectional = o.peepholes = o.learned_state = false;
    }
    assert_ok(ur_weights_rnn_options(w, "rnn", 0, NULL, &o));
    expect_told(&o, &c->options, c->line);
    assert_ok(ur_params_new(&again));
    assert_ok(ur_rnn_new(&same, again, "rnn", &o));
    ur_weights_close(w);
    assert_ok(ur_params_load(again, path, 0, NULL, true));
    ur_rnn_free(same);
    ur_rnn_free(rnn);
    ur_params_free(again);
    ur_params_free(params);
}

static void options__are_told_of_every_golden_net(void **state)
{
    (void)state;
    char golden[512];
    struct ur__st_file *f;
    const char *path = tmp_path("golden");
    int nets = 0, plain = 0;
    snprintf(golden, sizeof golden, "%s/tests/golden/rnn.safetensors", getenv("SOURCE_DIR"));
    assert_ok(ur__st_open(&f, golden));
    for (size_t i = 0; i < ur__st_count(f); i++) {
        struct golden_case c;
        if (!golden_parse(&c, ur__st_at(f, i)->name) || c.options.input == 0)
            continue;       /* a run of training */
        tell(path, &c, &plain);
        nets++;
    }
    ur__st_close(f);
    assert_true(nets > 150 && plain > 50 && plain < nets);
    print_message("%d nets told, %d of them without a word about their form\n", nets, plain);
}

/* Weights of these shapes [rows,columns], or without weight_hr. */
static ur_weights *shaped(const char *path, const uint64_t ih[2], const uint64_t hh[2],
                          const uint64_t hr[2])
{
    static const float zeros[4096];
    struct ur__st_out *s;
    ur_weights *w;
    assert_ok(ur__st_out_new(&s));
    assert_ok(ur__st_out_tensor(s, "weight_ih_l0", UR__F32, 2, ih, zeros));
    assert_ok(ur__st_out_tensor(s, "weight_hh_l0", UR__F32, hh[1] ? 2 : 1, hh, zeros));
    if (hr[0])
        assert_ok(ur__st_out_tensor(s, "weight_hr_l0", UR__F32, 2, hr, zeros));
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
    assert_ok(ur_weights_open(&w, path));
    return w;
}

static void options__refuse_shapes_of_no_net(void **state)
{
    (void)state;
    static const struct {
        uint64_t ih[2], hh[2], hr[2];
        const char *why;
    } cases[] = {
        {{8, 2}, {8, 4}, {0}, "has 8 rows, which no cell has that PyTorch knows, with 4"},
        {{13, 2}, {13, 4}, {0}, "has 13 rows"}, {{20, 2}, {20, 4}, {0}, "has 20 rows"},
        {{16, 2}, {16, 4}, {4, 5}, "has 16 rows, which no cell has that PyTorch knows, with 5"},
        {{16, 2}, {16, 0}, {0}, "\"weight_hh_l0\" is not a matrix"},
        {{16, 0}, {16, 4}, {0}, "\"weight_ih_l0\" is not a matrix"},
    };
    static const ur_rename bare = {"rnn.*", "*"}, none = {"rnn.*", NULL};
    static const ur_rename hidden[] = {{"rnn.weight_hh*", NULL}, {"rnn.*", "*"}};
    const char *path = tmp_path("shapes");
    for (size_t i = 0; i < COUNT(cases); i++) {
        ur_rnn_options o;
        ur_rnn_options_init(&o);
        ur_rnn_options before = o;
        ur_weights *w = shaped(path, cases[i].ih, cases[i].hh, cases[i].hr);
        assert_status(UR_ESHAPE, ur_weights_rnn_options(w, "rnn", 1, &bare, &o));
        expect_message(cases[i].why);
        expect_message(path);
        assert_memory_equal(&o, &before, sizeof o);
        ur_weights_close(w);
    }
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    ur_weights *w = shaped(path, (const uint64_t[2]){12, 2}, (const uint64_t[]){12, 3},
                           (const uint64_t[2]){0});
    assert_status(UR_EDATA, ur_weights_rnn_options(w, "rnn", 0, NULL, &o));
    expect_message("no tensor \"rnn.weight_ih_l0\"");
    assert_null(strstr(ur_errmsg(), "for parameter"));
    assert_status(UR_EDATA, ur_weights_rnn_options(w, "rnn", 1, &none, &o));
    expect_message("for parameter rnn.weight_ih_l0");
    assert_status(UR_EDATA, ur_weights_rnn_options(w, "rnn", 2, hidden, &o));
    assert_status(UR_EINVAL, ur_weights_rnn_options(w, "rnn", 1, NULL, &o));
    assert_ok(ur_weights_rnn_options(w, "rnn", 1, &bare, &o));
    assert_true(o.cell == UR_CELL_LSTM && o.biases == 0 && o.hidden[0] == 3 && o.input == 2);
    o.coupled = true;       /* then the weights would have another name */
    assert_status(UR_EDATA, ur_weights_rnn_options(w, "rnn", 1, &bare, &o));
    ur_weights_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__are_told_of_every_golden_net),
        cmocka_unit_test(options__refuse_shapes_of_no_net),
        cmocka_unit_test(weights__are_not_stopped_by_what_is_not_asked_for),
    };
    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
