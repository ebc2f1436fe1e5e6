/* SPDX-License-Identifier: MIT */
/* Weights of other programs: types, names through a map, files that do not fit. */
#include "test_io.h"

#include <errno.h>
#include <math.h>

#include "base/text.h"
#include "io/safetensors.h"
#include "layer/params.h"
#include "unroll/exchange.h"

static void expect_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, ur_errmsg());
}

/* ---- a net and files for it -------------------------------------------- */

/* Embedding, two layers of a cell, decoder, a number that is not trained. */
struct net {
    ur_params *params;
    ur_embedding embed;
    ur_rnn *rnn;
    ur_linear_layer out;
};

static struct net net_of(ur_cell cell, bool build)
{
    struct net n = {0};
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    const int one = 1;
    o.cell = cell;
    o.input = 2;
    o.layers = 2;
    o.hidden[0] = o.hidden[1] = 3;
    assert_ok(ur_params_new(&n.params));
    assert_ok(ur_embedding_init(&n.embed, n.params, "embed", 5, 2));
    assert_ok(ur_rnn_new(&n.rnn, n.params, "rnn", &o));
    assert_ok(ur_linear_init(&n.out, n.params, "decoder", 3, 5, true));
    assert_ok(ur_params_add_buffer(n.params, "norm.mean", 1, &one, 0.5, NULL));
    if (build)
        assert_ok(ur_params_build(n.params, 7));
    return n;
}

static void net_free(struct net *n)
{
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
}

/* Some value of element j of parameter i that every type holds exactly. */
static ur_real value(int i, size_t j)
{
    return (ur_real)((i * 7 + (int)j * 3) % 31 - 15) / 8;
}

static void set_values(const ur_params *params)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        for (size_t j = 0; j < p->size; j++)
            ur_param_data(params, p)[j] = value(i, j);
    }
}

static void expect_values(const ur_params *params)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        for (size_t j = 0; j < p->size; j++)
            if (ur_param_data(params, p)[j] != value(i, j))
                fail_msg("%s[%zu] is %g, not %g", p->name, j,
                         (double)ur_param_data(params, p)[j], (double)value(i, j));
    }
}

/* A file of one tensor. */
static void put_tensor(const char *path, const char *name, enum ur__dtype type, int rank,
                       const uint64_t *dim, const void *data)
{
    struct ur__st_out *s;
    assert_ok(ur__st_out_new(&s));
    assert_ok(ur__st_out_tensor(s, name, type, rank, dim, data));
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
}

/* ---- types and names --------------------------------------------------- */

static void load__takes_every_type_of_real_numbers(void **state)
{
    (void)state;
    enum { N = 4 };
    static const double f64[N] = {1.5, -0.0, 0.1, 1e-300};
    static const float f32[N] = {1.5F, -0.0F, 0.1F, 0};
    static const uint16_t f16[N] = {0x3e00, 0x8000, 0x2e66, 0};     /* 0x2e66: 0.0999755859375 */
    static const uint16_t bf16[N] = {0x3fc0, 0x8000, 0x3dcd, 0};    /* 0x3dcd: 0.10009765625 */
    const struct {
        enum ur__dtype type;
        const void *data;
        double tenth;
    } cases[] = {
        {UR__F64, f64, 0.1}, {UR__F32, f32, (double)0.1F},
        {UR__F16, f16, 0.0999755859375}, {UR__BF16, bf16, 0.10009765625},
    };
    const char *path = tmp_path("typed");
    const uint64_t dim = N;
    const int n = N;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ur_params *params;
        const ur_param *p;
        assert_ok(ur_params_new(&params));
        assert_ok(ur_params_add(params, "w", 1, &n, (ur_start){UR_INIT_CONSTANT, 9}, &p));
        put_tensor(path, "w", cases[i].type, 1, &dim, cases[i].data);
        assert_ok(ur_params_load(params, path, 0, NULL, true));
        const ur_real *w = ur_param_data(params, p);
        assert_true(w[0] == (ur_real)1.5 && w[1] == 0 && signbit(w[1]));
        assert_true(w[2] == (ur_real)cases[i].tenth);
        ur_params_free(params);
    }
}

static const ur_rename map[] = {
    {"rnn.*_l0", "encoder.cells.0.*"},
    {"rnn.*", "encoder.rest.*"},
    {"decoder.weight", "fc.w"},
    {"embed*", "emb*"},
    {"norm.*", NULL},
};

/* What the map makes of the net's parameters, in their order. */
static const char *const theirs[] = {
    "emb.weight",
    "encoder.cells.0.weight_ih", "encoder.cells.0.weight_hh",
    "encoder.cells.0.bias_ih", "encoder.cells.0.bias_hh",
    "encoder.rest.weight_ih_l1", "encoder.rest.weight_hh_l1",
    "encoder.rest.bias_ih_l1", "encoder.rest.bias_hh_l1",
    "fc.w", "decoder.bias",
};

static void save__writes_the_names_of_the_map(void **state)
{
    (void)state;
    const char *path = tmp_path("mapped");
    struct net a = net_of(UR_CELL_LSTM, true), b = net_of(UR_CELL_LSTM, false);
    set_values(a.params);
    assert_ok(ur_params_save(a.params, path, COUNT(map), map, 0, NULL));
    ur_weights *w;
    assert_ok(ur_weights_open(&w, path));
    assert_int_equal(ur_weights_count(w), COUNT(theirs));
    for (size_t i = 0; i < COUNT(theirs); i++) {
        const ur_weight *t = ur_weights_at(w, (int)i);
        const ur_param *p = ur_params_at(a.params, (int)i);
        assert_string_equal(t->name, theirs[i]);
        assert_string_equal(t->type, "F32");
        assert_int_equal(t->rank, p->rank);
        for (int d = 0; d < p->rank; d++)
            assert_int_equal(t->dim[d], p->dim[d]);
    }
    ur_weights_close(w);
    /* What is left out keeps its value, so it must have one. */
    assert_status(UR_EINVAL, ur_params_load(b.params, path, COUNT(map), map, true));
    expect_message("norm.mean");
    assert_null(ur_params_values(b.params));
    assert_ok(ur_params_build(b.params, 1));
    *ur_param_data(b.params, ur_params_find(b.params, "norm.mean")) = value(11, 0);
    assert_ok(ur_params_load(b.params, path, COUNT(map), map, true));
    expect_values(b.params);
    net_free(&a);
    net_free(&b);
}

static void save__and_load_keep_every_value(void **state)
{
    (void)state;
    const char *one = tmp_path("one"), *two = tmp_path("two");
    for (int cell = UR_CELL_RNN; cell <= UR_CELL_GRU; cell++) {
        struct net a = net_of((ur_cell)cell, true), b = net_of((ur_cell)cell, false);
        assert_ok(ur_params_save(a.params, one, 0, NULL, 0, NULL));
        assert_ok(ur_params_load(b.params, one, 0, NULL, true));
        assert_memory_equal(ur_params_values(a.params), ur_params_values(b.params),
                            ur_params_size(a.params) * sizeof(ur_real));
        assert_true(*ur_param_data(b.params, ur_params_find(b.params, "norm.mean")) ==
                    (ur_real)0.5);
        assert_ok(ur_params_save(b.params, two, 0, NULL, 0, NULL));
        char *text;
        size_t size;
        assert_ok(ur__file_slurp(one, 1 << 20, &text, &size));
        assert_holds(two, text, size);
        ur__free(text);
        net_free(&a);
        net_free(&b);
    }
}

static void rename__takes_the_first_pair_that_fits(void **state)
{
    (void)state;
    static const struct {
        ur_rename pair[2];
        const char *name, *want, *others[2];    /* so that each pair fits something */
    } cases[] = {
        {{{"a", "b"}, {"*", "c*"}}, "a", "b", {0}},
        {{{"a", "b"}, {"*", "c*"}}, "ab", "cab", {"a"}},
        {{{"ab*ba", "x*"}, {"*", "*"}}, "abba", "x", {0}},
        {{{"ab*ba", "x*"}, {"*", "*"}}, "aba", "aba", {"abba"}},   /* no overlap */
        {{{"ab*ba", "x*y"}, {"*", "*"}}, "ab-ba", "x-y", {0}},
        {{{"rnn.*", "*"}, {"rnn.w", "never"}}, "rnn.w", "w", {0}},
        {{{"rnn", "x"}, {"rnn.*", "y.*"}}, "rnn2.w", "rnn2.w", {"rnn", "rnn.w"}},
        {{{"*_l0", "*"}, {"w", "x"}}, "w_l0_reverse", "w_l0_reverse", {"v_l0", "w"}},
    };
    const char *path = tmp_path("renamed");
    const ur_start one_each = {UR_INIT_CONSTANT, 1};
    const int one = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ur_params *params;
        ur_weights *w;
        assert_ok(ur_params_new(&params));
        assert_ok(ur_params_add(params, cases[i].name, 1, &one, one_each, NULL));
        for (int k = 0; k < 2 && cases[i].others[k]; k++)
            assert_ok(ur_params_add(params, cases[i].others[k], 1, &one, one_each, NULL));
        assert_ok(ur_params_build(params, 1));
        assert_ok(ur_params_save(params, path, 2, cases[i].pair, 0, NULL));
        assert_ok(ur_weights_open(&w, path));
        assert_string_equal(ur_weights_at(w, 0)->name, cases[i].want);
        ur_weights_close(w);
        ur_params_free(params);
    }
}

/* What fails leaves values, memory and the stale mark as they were. */
static void expect_refused(struct net *n, ur_status want, const char *path, int n_map,
                           const ur_rename *m, bool strict)
{
    long blocks = ur__mem_blocks();
    uint64_t version = ur__params_version(n->params);
    assert_status(want, ur_params_load(n->params, path, n_map, m, strict));
    assert_int_equal(ur__mem_blocks(), blocks);
    assert_int_equal(ur__params_version(n->params), version);
    expect_values(n->params);
}

static void rename__refuses_an_impossible_map(void **state)
{
    (void)state;
    static const ur_rename bad[][1] = {
        {{"a*", "b"}}, {{"a", "b*"}}, {{"a**", "b**"}}, {{"a*b*", NULL}}, {{NULL, "b"}},
    };
    const char *path = tmp_path("none");
    struct net n = net_of(UR_CELL_RNN, true);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_status(UR_EINVAL, ur_params_load(n.params, path, 1, bad[i], true));
        assert_status(UR_EINVAL, ur_params_save(n.params, path, 1, bad[i], 0, NULL));
    }
    assert_status(UR_EINVAL, ur_params_load(n.params, path, 1, NULL, true));
    assert_status(UR_EINVAL, ur_params_load(n.params, path, -1, bad[0], true));
    net_free(&n);
}

/* A pair that fits nothing is a slip of the pen; one that an earlier pair leaves nothing for
 * may be there for a deeper net. */
static void rename__refuses_a_pair_that_fits_nothing(void **state)
{
    (void)state;
    static const ur_rename slips[][2] = {
        {{"rnn.*", "lstm.*"}, {"decodr.*", "fc.*"}}, {{"decoder.bias*x", NULL}, {"rnn.*", "*"}},
        {{"rnn", "lstm"}, {"decoder.*", "fc.*"}},
    };
    static const ur_rename covered[] = {{"rnn.*", "lstm.*"}, {"rnn.*_l1", "top.*"}};
    static const char *const named[] = {"decodr.*", "decoder.bias*x", "\"rnn\""};
    const char *path = tmp_path("slip");
    struct net n = net_of(UR_CELL_LSTM, true);
    set_values(n.params);
    assert_ok(ur_params_save(n.params, path, 0, NULL, 0, NULL));
    for (size_t i = 0; i < COUNT(slips); i++) {
        expect_refused(&n, UR_EINVAL, path, 2, slips[i], false);
        expect_message(named[i]);
        assert_status(UR_EINVAL, ur_params_save(n.params, path, 2, slips[i], 0, NULL));
    }
    assert_ok(ur_params_save(n.params, path, 2, covered, 0, NULL));
    assert_ok(ur_params_load(n.params, path, 2, covered, true));
    net_free(&n);
}

/* ---- files that do not fit --------------------------------------------- */

static void load__names_what_is_missing(void **state)
{
    (void)state;
    const char *path = tmp_path("missing");
    const ur_rename without = {"rnn.bias_hh_l1", NULL}, wrong = {"rnn.*", "lstm.*"};
    struct net n = net_of(UR_CELL_LSTM, true);
    set_values(n.params);
    assert_ok(ur_params_save(n.params, path, 1, &without, 0, NULL));
    expect_refused(&n, UR_EDATA, path, 0, NULL, false);
    expect_message(path);
    expect_message("no tensor \"rnn.bias_hh_l1\"");
    expect_refused(&n, UR_EDATA, path, 1, &wrong, false);
    expect_message("no tensor \"lstm.weight_ih_l0\" for parameter rnn.weight_ih_l0");
    expect_message("rnn.weight_ih_l0, rnn.weight_hh_l0");   /* what there is instead */
    assert_ok(ur_params_load(n.params, path, 1, &without, true));
    expect_refused(&n, UR_EINPUT, tmp_path("absent"), 0, NULL, true);
    net_free(&n);
}

static void load__names_both_shapes(void **state)
{
    (void)state;
    const char *path = tmp_path("shape");
    const ur_rename to = {"rnn.*", "cell.*"};
    struct net lstm = net_of(UR_CELL_LSTM, true), gru = net_of(UR_CELL_GRU, true);
    set_values(gru.params);
    assert_ok(ur_params_save(lstm.params, path, 1, &to, 0, NULL));
    expect_refused(&gru, UR_ESHAPE, path, 1, &to, false);
    expect_message(path);
    expect_message("\"cell.weight_ih_l0\" is [12,2], parameter rnn.weight_ih_l0 is [9,2]");
    net_free(&lstm);
    net_free(&gru);
    /* As many numbers, another rank; a number without dimensions. */
    static const float zeros[6];
    static const uint64_t dims[][3] = {{6}, {3, 2}, {2, 3, 1}, {1, 2, 3}};
    static const int ranks[] = {1, 2, 3, 3};
    const int dim[2] = {2, 3};
    ur_params *params;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_add(params, "w", 2, dim, (ur_start){UR_INIT_CONSTANT, 1}, NULL));
    for (size_t i = 0; i < COUNT(ranks); i++) {
        put_tensor(path, "w", UR__F32, ranks[i], dims[i], zeros);
        assert_status(UR_ESHAPE, ur_params_load(params, path, 0, NULL, true));
    }
    put_tensor(path, "w", UR__F32, 0, NULL, zeros);
    assert_status(UR_ESHAPE, ur_params_load(params, path, 0, NULL, true));
    expect_message("is [],");
    put_tensor(path, "w", UR__I32, 2, (const uint64_t[]){2, 3}, zeros);
    assert_status(UR_EDATA, ur_params_load(params, path, 0, NULL, true));
    expect_message("holds I32; real numbers are read from F64");
    assert_null(ur_params_values(params));
    ur_params_free(params);
}

/* What PyTorch saves of torch.tensor(2.5): no dimension. */
static void load__takes_a_scalar_for_a_parameter_of_one(void **state)
{
    (void)state;
    static const float value[] = {2.5F, 3};
    static const int one[] = {1, 1, 1}, two = 2;
    const char *path = tmp_path("scalar");
    put_tensor(path, "w", UR__F32, 0, NULL, value);
    for (int rank = 1; rank <= 3; rank++) {
        ur_params *params;
        const ur_param *p;
        assert_ok(ur_params_new(&params));
        assert_ok(ur_params_add(params, "w", rank, one, (ur_start){UR_INIT_CONSTANT, 1}, &p));
        assert_ok(ur_params_load(params, path, 0, NULL, true));
        assert_true(*ur_param_data(params, p) == (ur_real)2.5);
        ur_params_free(params);
    }
    ur_params *params;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_add(params, "w", 1, &two, (ur_start){UR_INIT_CONSTANT, 1}, NULL));
    assert_status(UR_ESHAPE, ur_params_load(params, path, 0, NULL, true));
    ur_params_free(params);
}

static void load__strict_names_what_nothing_asked_for(void **state)
{
    (void)state;
    const char *path = tmp_path("surplus");
    const ur_rename without = {"decoder.*", NULL};
    struct net n = net_of(UR_CELL_GRU, true);
    set_values(n.params);
    assert_ok(ur_params_save(n.params, path, 0, NULL, 0, NULL));
    expect_refused(&n, UR_EDATA, path, 1, &without, true);
    expect_message(path);
    expect_message("no parameter is for decoder.weight, decoder.bias");
    assert_ok(ur_params_load(n.params, path, 1, &without, false));
    const ur_rename most = {"rnn.*", NULL};
    expect_refused(&n, UR_EDATA, path, 1, &most, true);
    expect_message("rnn.bias_ih_l0, rnn.bias_hh_l0 and 4 more");
    net_free(&n);
}

static void load__refuses_what_is_not_finite(void **state)
{
    (void)state;
    static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300};
    static const char *const is[] = {"[2] is nan", "[2] is inf", "[2] is -inf", "[2] is inf"};
    const char *path = tmp_path("nan");
    const uint64_t dim = 3;
    const int n = 3;
    ur_params *params;
    const ur_param *p;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_add(params, "w", 1, &n, (ur_start){UR_INIT_CONSTANT, 9}, &p));
    for (size_t i = 0; i < COUNT(bad); i++) {
        const double data[3] = {1, 2, bad[i]};
        put_tensor(path, "w", UR__F64, 1, &dim, data);
        assert_status(UR_ENUMERIC, ur_params_load(params, path, 0, NULL, true));
        expect_message(path);
        expect_message(is[i]);
        assert_null(ur_params_values(params));
    }
    assert_ok(ur_params_build(params, 1));
    assert_status(UR_ENUMERIC, ur_params_load(params, path, 0, NULL, true));
    assert_true(ur_param_data(params, p)[0] == 9 && ur_param_data(params, p)[2] == 9);
    /* And in writing: the file that is there stays. */
    put_file(path, "old", 3);
    ur_param_data(params, p)[1] = (ur_real)NAN;
    assert_status(UR_ENUMERIC, ur_params_save(params, path, 0, NULL, 0, NULL));
    expect_message("parameter w[1] is nan");
    assert_holds(path, "old", 3);
    ur_params_free(params);
}

static void load__rejects_every_truncation(void **state)
{
    (void)state;
    const char *path = tmp_path("cut");
    struct net n = net_of(UR_CELL_RNN, true);
    char *text;
    size_t size;
    set_values(n.params);
    assert_ok(ur_params_save(n.params, path, 0, NULL, 0, NULL));
    assert_ok(ur__file_slurp(path, 1 << 20, &text, &size));
    for (size_t cut = 0; cut < size; cut++) {
        put_file(path, text, cut);
        expect_refused(&n, UR_EFORMAT, path, 0, NULL, true);
    }
    print_message("%zu prefixes rejected\n", size);
    ur__free(text);
    net_free(&n);
}

static int reads_left;

static long failing_read(int fd, void *to, size_t n)
{
    if (reads_left-- > 0)
        return (long)read(fd, to, n);
    errno = EIO;
    return -1;
}

static void load__that_meets_a_bad_disk_changes_nothing(void **state)
{
    (void)state;
    const struct ur__file_ops ops = {.read = failing_read};
    const char *path = tmp_path("disk");
    struct net n = net_of(UR_CELL_LSTM, true);
    set_values(n.params);
    assert_ok(ur_params_save(n.params, path, 0, NULL, 0, NULL));
    int k = 0;
    ur__file_set_ops(&ops);
    for (;; k++) {
        reads_left = k;
        ur_status status = ur_params_load(n.params, path, 0, NULL, true);
        if (status == UR_OK)
            break;
        assert_int_equal(status, UR_EINPUT);
        expect_message(path);
        expect_values(n.params);
    }
    ur__file_set_ops(NULL);
    assert_true(k > ur_params_count(n.params));
    print_message("%d reads failed in turn\n", k);
    net_free(&n);
}

static void load__asks_for_packing_anew(void **state)
{
    (void)state;
    const char *path = tmp_path("pack");
    struct net n = net_of(UR_CELL_GRU, true);
    ur_state *s;
    const ur_real x[2] = {1, -1};
    ur_real y[3];
    assert_ok(ur_rnn_prepare(n.rnn));
    assert_ok(ur_state_new(&s, n.rnn, 1, NULL));
    assert_ok(ur_rnn_step(n.rnn, s, x, y));
    assert_ok(ur_params_save(n.params, path, 0, NULL, 0, NULL));
    assert_ok(ur_params_load(n.params, path, 0, NULL, true));
    assert_status(UR_EINVAL, ur_rnn_step(n.rnn, s, x, y));
    assert_ok(ur_rnn_prepare(n.rnn));
    assert_ok(ur_rnn_step(n.rnn, s, x, y));
    ur_state_free(s);
    net_free(&n);
}

/* ---- saving ------------------------------------------------------------ */

static void save__writes_strings_and_says_whose_format(void **state)
{
    (void)state;
    const char *path = tmp_path("meta");
    const ur_meta meta[] = {{"module", "nn.GRU(2, 3)"}, {"note", "\xc3\xa9"}};
    const ur_meta own[] = {{"format", "np"}}, bad[] = {{"note", "\xff"}};
    const ur_rename same = {"rnn.bias_*h_l0", "b*"}, clash[] = {{"decoder.bias", "x"},
                                                                {"embed.weight", "x"}};
    struct net n = net_of(UR_CELL_GRU, true);
    ur_weights *w;
    assert_ok(ur_params_save(n.params, path, 1, &same, 2, meta));
    assert_ok(ur_weights_open(&w, path));
    assert_string_equal(ur_weights_meta_key(w, 0), "format");
    assert_string_equal(ur_weights_meta(w, "format"), "pt");
    assert_string_equal(ur_weights_meta(w, "module"), "nn.GRU(2, 3)");
    assert_string_equal(ur_weights_meta(w, "note"), "\xc3\xa9");
    assert_null(ur_weights_meta(w, "x"));
    assert_null(ur_weights_meta_key(w, 3));
    assert_null(ur_weights_meta_key(w, -1));
    assert_non_null(ur_weights_find(w, "bi"));
    ur_weights_close(w);
    assert_ok(ur_params_save(n.params, path, 0, NULL, 1, own));
    assert_ok(ur_weights_open(&w, path));
    assert_string_equal(ur_weights_meta(w, "format"), "np");
    assert_null(ur_weights_meta_key(w, 1));
    ur_weights_close(w);
    put_file(path, "old", 3);
    assert_status(UR_EINVAL, ur_params_save(n.params, path, 2, clash, 0, NULL));
    expect_message("\"x\" is named twice");
    assert_status(UR_EINVAL, ur_params_save(n.params, path, 0, NULL, 1, bad));
    assert_holds(path, "old", 3);
    assert_status(UR_EOUTPUT, ur_params_save(n.params, tmp_dir(), 0, NULL, 0, NULL));
    net_free(&n);
    n = net_of(UR_CELL_GRU, false);
    assert_status(UR_EINVAL, ur_params_save(n.params, path, 0, NULL, 0, NULL));
    assert_holds(path, "old", 3);
    net_free(&n);
}

/* ---- looking into a file ----------------------------------------------- */

static void weights__lists_tensors_and_reads_numbers(void **state)
{
    (void)state;
    const char *path = tmp_path("listed");
    const float x[6] = {0, 1, 2, 3, (float)NAN, 5};
    const uint64_t dim[3] = {1, 3, 2};
    struct ur__st_out *s;
    assert_ok(ur__st_out_new(&s));
    assert_ok(ur__st_out_tensor(s, "x", UR__F32, 3, dim, x));
    assert_ok(ur__st_out_tensor(s, "flag", UR__BOOL, 0, NULL, "\1"));
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
    ur_weights *w;
    ur_real got[6];
    int32_t flag;
    assert_ok(ur_weights_open(&w, path));
    assert_int_equal(ur_weights_count(w), 2);
    const ur_weight *t = ur_weights_at(w, 0);
    assert_string_equal(t->name, "x");
    assert_string_equal(t->type, "F32");
    assert_int_equal(t->rank, 3);
    assert_true(t->dim[0] == 1 && t->dim[1] == 3 && t->dim[2] == 2 && t->size == 6);
    assert_ptr_equal(ur_weights_find(w, "x"), t);
    t = ur_weights_find(w, "flag");
    assert_true(t->rank == 0 && t->size == 1);
    assert_null(ur_weights_find(w, "y"));
    assert_null(ur_weights_at(w, 2));
    assert_null(ur_weights_at(w, -1));
    assert_ok(ur_weights_read(w, "x", 6, got));
    assert_true(got[3] == 3 && isnan(got[4]) && got[5] == 5);
    assert_ok(ur_weights_read_ids(w, "flag", 1, &flag));
    assert_int_equal(flag, 1);
    assert_status(UR_ESHAPE, ur_weights_read(w, "x", 5, got));
    assert_status(UR_ESHAPE, ur_weights_read_ids(w, "flag", 2, &flag));
    expect_message("\"flag\" has 1 values, 2 are wanted");
    assert_status(UR_EDATA, ur_weights_read(w, "y", 6, got));
    expect_message(path);
    expect_message("no tensor \"y\"");
    assert_status(UR_EDATA, ur_weights_read_ids(w, "y", 6, &flag));
    assert_status(UR_EDATA, ur_weights_read(w, "flag", 1, got));
    assert_status(UR_EDATA, ur_weights_read_ids(w, "x", 6, &flag));
    expect_message("F32");
    ur_weights_close(w);
    ur_weights_close(NULL);
    assert_status(UR_EINPUT, ur_weights_open(&w, tmp_path("absent")));
    assert_null(w);
    put_file(path, "no safetensors at all", 21);
    assert_status(UR_EFORMAT, ur_weights_open(&w, path));
    put_file(path, "\2\0\0\0\0\0\0\0{}", 10);
    assert_ok(ur_weights_open(&w, path));
    assert_int_equal(ur_weights_count(w), 0);
    assert_null(ur_weights_find(w, "x"));
    ur_weights_close(w);
}

static void weights__reads_integers_of_every_type(void **state)
{
    (void)state;
    static const enum ur__dtype types[] = {UR__I64, UR__I32, UR__I16, UR__I8,
                                           UR__U64, UR__U32, UR__U16, UR__U8};
    /* Little-endian: the first bytes of each are 0, 1 and the type's largest or −1. */
    static const unsigned char ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    const char *path = tmp_path("integers");
    const uint64_t three = 3;
    for (size_t i = 0; i < COUNT(types); i++) {
        size_t size = ur__dtype_size(types[i]);
        unsigned char data[24] = {0};
        int32_t got[3];
        ur_weights *w;
        data[size] = 1;
        memcpy(data + 2 * size, ones, size);
        put_tensor(path, "i", types[i], 1, &three, data);
        assert_ok(ur_weights_open(&w, path));
        ur_status status = ur_weights_read_ids(w, "i", 3, got);
        if (types[i] == UR__U64 || types[i] == UR__U32) {
            assert_int_equal(status, UR_EDATA);
            expect_message("element 2");
        } else {
            assert_int_equal(status, UR_OK);
            assert_true(got[0] == 0 && got[1] == 1);
            assert_int_equal(got[2], types[i] <= UR__I8 ? -1 : types[i] == UR__U8 ? 255 : 65535);
        }
        ur_weights_close(w);
    }
    static const int64_t edge[] = {INT32_MAX, INT32_MIN, (int64_t)INT32_MAX + 1,
                                   (int64_t)INT32_MIN - 1, INT64_MIN};
    const uint64_t one = 1;
    for (size_t i = 0; i < COUNT(edge); i++) {
        int32_t got = 0;
        ur_weights *w;
        put_tensor(path, "i", UR__I64, 1, &one, &edge[i]);
        assert_ok(ur_weights_open(&w, path));
        assert_status(i < 2 ? UR_OK : UR_EDATA, ur_weights_read_ids(w, "i", 1, &got));
        assert_int_equal(got, i < 2 ? edge[i] : 0);
        ur_weights_close(w);
    }
}

/* ---- out of memory ----------------------------------------------------- */

static struct net oom_net;
static const char *oom_path;

static ur_status save_for_oom(void)
{
    const ur_meta meta = {"a", "b"};
    return ur_params_save(oom_net.params, oom_path, COUNT(map), map, 1, &meta);
}

static ur_status load_for_oom(void)
{
    ur_status status = ur_params_load(oom_net.params, oom_path, COUNT(map), map, true);
    expect_values(oom_net.params);
    return status;
}

static ur_status look_for_oom(void)
{
    ur_weights *w;
    int32_t ids[2];
    UR__TRY(ur_weights_open(&w, oom_path));
    ur_status status = ur_weights_read_ids(w, "ids", 2, ids);
    ur_weights_close(w);
    return status;
}

static void exchange__survives_every_failed_allocation(void **state)
{
    (void)state;
    oom_net = net_of(UR_CELL_LSTM, true);
    oom_path = tmp_path("oom");
    set_values(oom_net.params);
    put_file(oom_path, "old", 3);
    fail_every_allocation(save_for_oom, "exchange, writing");
    fail_every_allocation(load_for_oom, "exchange, reading");
    const int32_t ids[2] = {1, 2};
    put_tensor(oom_path, "ids", UR__I32, 1, (const uint64_t[]){2}, ids);
    fail_every_allocation(look_for_oom, "exchange, looking");
    net_free(&oom_net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__takes_every_type_of_real_numbers),
        cmocka_unit_test(save__writes_the_names_of_the_map),
        cmocka_unit_test(save__and_load_keep_every_value),
        cmocka_unit_test(rename__takes_the_first_pair_that_fits),
        cmocka_unit_test(rename__refuses_an_impossible_map),
        cmocka_unit_test(rename__refuses_a_pair_that_fits_nothing),
        cmocka_unit_test(load__names_what_is_missing),
        cmocka_unit_test(load__names_both_shapes),
        cmocka_unit_test(load__takes_a_scalar_for_a_parameter_of_one),
        cmocka_unit_test(load__strict_names_what_nothing_asked_for),
        cmocka_unit_test(load__refuses_what_is_not_finite),
        cmocka_unit_test(load__rejects_every_truncation),
        cmocka_unit_test(load__that_meets_a_bad_disk_changes_nothing),
        cmocka_unit_test(load__asks_for_packing_anew),
        cmocka_unit_test(save__writes_strings_and_says_whose_format),
        cmocka_unit_test(weights__lists_tensors_and_reads_numbers),
        cmocka_unit_test(weights__reads_integers_of_every_type),
        cmocka_unit_test(exchange__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
