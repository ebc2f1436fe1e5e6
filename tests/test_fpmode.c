/* SPDX-License-Identifier: MIT */
/* A host that has changed the floating-point mode (flush to zero, another rounding, traps) or
 * looks at its exception flags finds them as they were after every call that computes, and
 * gets the numbers that any other host gets. */
#include "models.h"
#include "test_task.h"

#include <fenv.h>
#include <math.h>

#include "base/fpmode.h"
#include "base/option.h"
#include "base/text.h"
#include "data/formats.h"
#include "io/safetensors.h"
#include "tape/tape.h"
#include "train/optimizer.h"
#include "unroll.h"

/* What a host may have set; the first is the default. */
static const unsigned modes[] = {
#if defined(__SSE__)    /* the lowest six bits are flags that are up */
    0x1f80,
    0x9fc0,     /* flush to zero, denormals are zero */
    0x5fa0,     /* upwards, inexact is up */
    0x3f84,     /* downwards, division by zero is up */
    0xffff,     /* towards zero, flush to zero, all flags */
    0x1900,     /* invalid operations, divisions by zero and overflows trap */
#elif defined(__aarch64__)
    0,
    1u << 24,   /* flush to zero */
    1u << 22,   /* upwards */
    2u << 22,   /* downwards */
    3u << 22 | 1u << 24,
#else
    0,
#endif
};
enum { N_MODES = sizeof modes / sizeof *modes };

static unsigned host;       /* the mode under test */
static int calls;

/* x86 has a second rounding, of x87, which fesetround sets along and libc's functions read. */
static void set_rounding(unsigned mode)
{
#if defined(__SSE__)
    fesetround((int)(mode >> 3 & 0xc00));
#else
    (void)mode;
#endif
}

/* A call as the host makes it. Between calls the test itself runs in the default mode. */
#define CALL(expr)                                                              \
    do {                                                                        \
        set_rounding(host);                                                     \
        int call_rounding = fegetround();                                       \
        ur__fpmode_restore(host);                                               \
        ur_status call_status = (expr);                                         \
        unsigned call_after = ur__fpmode_default();     /* was until then */    \
        calls++;                                                                \
        if (fegetround() != call_rounding)                                      \
            fail_msg("%s leaves another rounding", #expr);                      \
        set_rounding(0);                                                        \
        if (call_after != host)                                                 \
            fail_msg("%s leaves %04x, not %04x", #expr, call_after, host);      \
        if (call_status != UR_OK)                                               \
            fail_msg("%s is %s: %s", #expr, ur_status_name(call_status), ur_errmsg()); \
    } while (0)
#define TENSOR(y, expr) CALL((y = (expr)) ? UR_OK : UR_EINTERNAL)

/* All results of a scenario, to be compared with those of the default mode. */
static struct ur__buf results, want;

static void put(const void *bytes, size_t n)
{
    assert_ok(ur__buf_put(&results, bytes, n));
}

static void put_tensor(const ur_tensor *x)
{
    put(ur_data(x), ur_size(x) * sizeof(ur_real));
}

static void put_file(const char *path)
{
    size_t n;
    char *bytes = read_all(path, &n);
    put(bytes, n);
    ur__free(bytes);
}

static void in_each_mode(void (*scenario)(void))
{
    for (int i = 0; i < N_MODES; i++) {
        host = modes[i];
        ur__buf_free(&results);
        scenario();
        if (i == 0) {
            ur__buf_free(&want);
            want = results;
            results = (struct ur__buf){0};
            continue;
        }
        assert_int_equal(results.size, want.size);
        if (memcmp(results.data, want.data, want.size) != 0)
            fail_msg("in mode %04x other results", host);
    }
    ur__buf_free(&results);
    ur__buf_free(&want);
}

/* ---- recurrent nets ---------------------------------------------------- */

enum { T = 5, B = 3, I = 4, H = 9 };

static ur_real input[T * B * I];

static void new_net(ur_params **params, ur_rnn **rnn, ur_cell cell)
{
    static const int hidden[] = {H, H};
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = cell;
    o.input = I;
    o.layers = 2;
    memcpy(o.hidden, hidden, sizeof hidden);
    o.learned_state = true;
    CALL(ur_params_new(params));
    CALL(ur_rnn_new(rnn, *params, "rnn", &o));
    CALL(ur_params_build(*params, 3));
    /* Numbers that flushing would lose. */
    for (int i = 0; i < ur_params_count(*params); i++) {
        const ur_param *p = ur_params_at(*params, i);
        ur_param_data(*params, p)[0] = (ur_real)0x1p-140;
        if (strstr(p->name, "_0_l"))
            ur_param_data(*params, p)[1] = (ur_real)0x1p-130;
    }
    CALL(ur_rnn_prepare(*rnn));
    for (int i = 0; i < T * B * I; i++)
        input[i] = (ur_real)(4 * ur_random_uniform(5, 5, 0, (uint32_t)i) - 2);
    input[0] = (ur_real)0x1p-135;
}

/* Values as F64, whose conversion rounds. */
static void write_doubles(const char *path, double first)
{
    struct ur__st_out *out;
    const uint64_t dim[] = {H}, square[] = {H, H};
    double x[H * H];
    for (int i = 0; i < H * H; i++)
        x[i] = first + i / 7.0;
    assert_ok(ur__st_out_new(&out));
    assert_ok(ur__st_out_tensor(out, "l.weight", UR__F64, 2, square, x));
    assert_ok(ur__st_out_tensor(out, "l.bias", UR__F64, 1, dim, x));
    assert_ok(ur__st_out_save(out, path));
    ur__st_out_free(out);
}

static void exchange_scenario(void)
{
    ur_params *params;
    ur_linear_layer layer;
    ur_weights *file;
    ur_real x[H];
    const char *path = tmp_path("f64.safetensors"), *to = tmp_path("f32.safetensors");
    write_doubles(path, 0x1p-140);
    CALL(ur_params_new(&params));
    CALL(ur_linear_init(&layer, params, "l", H, H, true));
    CALL(ur_params_build(params, 3));
    put(ur_params_values(params), ur_params_size(params) * sizeof(ur_real));
    CALL(ur_params_load(params, path, 0, NULL, true));
    put(ur_params_values(params), ur_params_size(params) * sizeof(ur_real));
    CALL(ur_params_save(params, to, 0, NULL, 0, NULL));
    put_file(to);
    CALL(ur_weights_open(&file, path));
    CALL(ur_weights_read(file, "l.bias", H, x));
    put(x, sizeof x);
    ur_weights_close(file);
    ur_params_free(params);
}

static void layers_and_exchange__in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(exchange_scenario);
}

static void step_scenario(void)
{
    for (int cell = UR_CELL_RNN; cell <= UR_CELL_GRU; cell++) {
        ur_params *params;
        ur_rnn *rnn;
        ur_state *state;
        size_t n;
        ur_real y[T * B * H];
        new_net(&params, &rnn, (ur_cell)cell);
        CALL(ur_state_new(&state, rnn, B, NULL));
        put(ur_state_data(state, &n), 1);
        put(ur_state_data(state, &n), n * sizeof(ur_real));
        CALL(ur_rnn_step(rnn, state, input, y));
        put(y, B * H * sizeof *y);
        CALL(ur_rnn_run(rnn, state, T, input, NULL, y));
        put(y, sizeof y);
        CALL((ur_state_zero(state), UR_OK));
        put(ur_state_data(state, &n), n * sizeof(ur_real));
        ur_state_free(state);
        ur_rnn_free(rnn);
        ur_params_free(params);
    }
}

static void step__in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(step_scenario);
}

static void sequence_scenario(void)
{
    const int x_dim[] = {T, B, I}, lengths[] = {5, 2, 4};
    const int32_t targets[T * B] = {1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2};
    for (int cell = UR_CELL_RNN; cell <= UR_CELL_GRU; cell++) {
        ur_params *params;
        ur_rnn *rnn;
        ur_team *team;
        ur_tape *tape;
        ur_tensor *x, *h, *loss;
        double norm;
        new_net(&params, &rnn, (ur_cell)cell);
        CALL(ur_team_new(&team, 1 + cell % 2));
        CALL(ur_tape_new(&tape, team));
        CALL((ur_tape_set_training(tape, true, 1, 1), UR_OK));
        TENSOR(x, ur_constant(tape, 3, x_dim, input));
        TENSOR(h, ur_rnn_forward(tape, rnn, x, lengths, NULL));
        put_tensor(h);
        TENSOR(loss, ur_cross_entropy(tape, h, ((ur_ids){targets, T, B})));
        put_tensor(loss);
        CALL(ur_backward(tape, loss));
        put(ur_params_grads(params), ur_params_size(params) * sizeof(ur_real));
        for (int kind = UR_OPTIMIZER_ADAMW; kind <= UR_OPTIMIZER_SGD; kind++) {
            ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAMW);
            ur_optimizer *optimizer;
            o.kind = (ur_optimizer_kind)kind;
            o.clip_norm = 0.01;
            CALL(ur_optimizer_new(&optimizer, params, &o, team));
            CALL(ur_optimizer_step(optimizer, 0.01, &norm));
            CALL(ur_optimizer_step(optimizer, 1e-40, &norm));
            put(&norm, sizeof norm);
            put(ur_params_values(params), ur_params_size(params) * sizeof(ur_real));
            ur_optimizer_free(optimizer);
        }
        ur_tape_free(tape);
        ur_team_free(team);
        ur_rnn_free(rnn);
        ur_params_free(params);
    }
}

static void sequence_and_optimizers__in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(sequence_scenario);
}

/* ---- the tape ---------------------------------------------------------- */

static void tape_scenario(void)
{
    const int dim[] = {6, 10}, row[] = {10};
    ur_real a[60], grad[60] = {0};
    ur_tape *tape;
    for (int i = 0; i < 60; i++)
        a[i] = (ur_real)(0.1 + ur_random_uniform(6, 5, 0, (uint32_t)i));
    a[3] = (ur_real)0x1p-140;
    CALL(ur_tape_new(&tape, NULL));
    CALL((ur_tape_set_training(tape, true, 1, 1), UR_OK));
    ur_tensor *x, *y, *g, *sum = NULL;
    TENSOR(x, ur_variable(tape, 2, dim, a, grad));
    TENSOR(g, ur_constant(tape, 1, row, a));
#define OP(expr)                                                                \
    do {                                                                        \
        TENSOR(y, expr);                                                        \
        put_tensor(y);                                                          \
        TENSOR(y, ur_mean(y));                                                  \
        if (sum)                                                                \
            TENSOR(sum, ur_add(sum, y));                                        \
        else                                                                    \
            sum = y;                                                            \
    } while (0)
    OP(ur_tanh(x));
    OP(ur_sigmoid(x));
    OP(ur_relu(x));
    OP(ur_satlin(x));
    OP(ur_exp(x));
    OP(ur_log(x));
    OP(ur_sqrt(x));
    OP(ur_square(x));
    OP(ur_neg(x));
    OP(ur_abs(x));
    OP(ur_clamp(x, 0.2, 0.8));
    OP(ur_affine(x, 0.1, 0.3));
    OP(ur_dropout(x, 0.3));
    OP(ur_add(x, g));
    OP(ur_sub(x, g));
    OP(ur_mul(x, g));
    OP(ur_div(g, x));
    OP(ur_maximum(x, g));
    OP(ur_minimum(x, g));
    OP(ur_where(g, x, x));
    OP(ur_matmul_t(x, x));
    OP(ur_matmul(x, ur_transpose(x)));
    OP(ur_softmax(x));
    OP(ur_log_softmax(x));
    OP(ur_masked_softmax(x, g));
    OP(ur_layer_norm(x, g, NULL, 1e-5));
    OP(ur_sum_over(x, 0));
    OP(ur_mean_over(x, 1));
    OP(ur_max_over(x, 1));
    OP(ur_squared_error(x, g));
    OP(ur_absolute_error(x, g));
    OP(ur_gaussian_nll(x, x, g));
    OP(ur_quantile_loss(x, g, g));
    OP(ur_bernoulli_nll(x, g));
    OP(ur_permute(x, ((const int[]){1, 0})));
    OP(ur_concat(tape, 2, ((ur_tensor *const[]){x, x}), 0));
    OP(ur_slice(x, 1, 2, 5));
    OP(ur_stack(tape, 2, ((ur_tensor *const[]){x, x})));
    CALL(ur_backward(tape, sum));
    put(grad, sizeof grad);
    ur_tape_free(tape);
}

static void tape__in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(tape_scenario);
}

/* ---- without a tape ---------------------------------------------------- */

/* Numbers whose sums and quotients are not exact. */
static void viterbi_scenario(void)
{
    enum { K = 3, N = T * B * K };
    ur_real scores[N], transitions[K * K], ends[K] = {(ur_real)0.1, (ur_real)0.7, (ur_real)1e-9};
    int32_t labels[T * B];
    double best[B];
    ur_chain chain;
    for (int i = 0; i < N; i++)
        scores[i] = (ur_real)(ur_random_uniform(7, 5, 0, (uint32_t)i) / (i % 7 ? 1 : 1e9));
    for (int i = 0; i < K * K; i++)
        transitions[i] = (ur_real)(ur_random_uniform(8, 5, 0, (uint32_t)i) / 3);
    ur_chain_init(&chain);
    chain.T = T;
    chain.B = B;
    chain.K = K;
    chain.scores = scores;
    chain.transitions = transitions;
    chain.start = chain.end = ends;
    CALL(ur_viterbi(&chain, labels, best));
    put(labels, sizeof labels);
    put(best, sizeof best);
    scores[4] = (ur_real)NAN;
    CALL(ur_viterbi(&chain, labels, best));
    put(labels, sizeof labels);
}

static void figures_scenario(void)
{
    static const double table[] = {1, 2, 0, 3, 7, 1, 1, 0, 9};
    static const double a[] = {0.1, 0.7, 0.3, 1e-9}, b[] = {3, 0.2, 1e9, 0.1};
    const ur_entity_counts counts = {3, 7, 11};
    ur_class_score score;
    ur_metrics m;
    double r;
    CALL((score = ur_class_score_of(table, 3, 1), UR_OK));
    put(&score, sizeof score);
    ur_metrics_init(&m);
    CALL((ur_class_figures(table, 3, &m), UR_OK));
    CALL((ur_entity_figures(&counts, &m), UR_OK));
    for (int i = 0; i < m.n; i++)
        put(&m.at[i].value, sizeof m.at[i].value);
    CALL((r = ur_correlation(4, a, b), UR_OK));
    put(&r, sizeof r);
}

/* Numbers as text, both ways. */
static void options_scenario(void)
{
    ur_options net;
    char text[64];
    CALL(ur_config_init(&net, "lm"));
    CALL(ur_options_set(&net, "dropout", "0.3"));
    CALL(ur_options_get(&net, "dropout", text, sizeof text));
    put(text, strlen(text));
    CALL(ur_options_set(&net, "dropout", "1e999") == UR_EINVAL ? UR_OK : UR_EINTERNAL);
    CALL(ur_options_set(&net, "dropout", "1.3") == UR_EINVAL ? UR_OK : UR_EINTERNAL);
    put(ur_errmsg(), strlen(ur_errmsg()));
    /* and in sentences */
    const ur_option row = {.kind = UR_OPTION_REAL, .min = 0.1, .max = 0.7},
                    open = {.kind = UR_OPTION_REAL, .flags = UR_OPTION_OPEN_MAX, .min = 0.1,
                            .max = 0.7};
    char must[UR__OPTION_MUST];
    ur_tape *tape;
    CALL((ur__option_must(&row, must), UR_OK));
    put(must, strlen(must));
    CALL((ur__option_must(&open, must), UR_OK));
    put(must, strlen(must));
    CALL(ur_tape_new(&tape, NULL));
    CALL((ur__tape_fail(tape, UR_EINVAL, "%g", 0.1), UR_OK));
    put(ur_errmsg(), strlen(ur_errmsg()));
    ur_tape_free(tape);
}

static ur_tensor *cube(ur_tape *tape, ur_tensor *const *x, void *user)
{
    (void)tape;
    (void)user;
    return ur_sum(ur_mul(ur_square(x[0]), x[0]));
}

static void check_scenario(void)
{
    static const int three[] = {3}, *const dim[] = {three}, rank[] = {1};
    ur_real x[] = {(ur_real)0.1, (ur_real)0.7, (ur_real)1.3}, *const data[] = {x};
    ur_check_inputs in;
    double worst;
    ur_check_inputs_init(&in);
    in.n = 1;
    in.rank = rank;
    in.dim = dim;
    in.data = data;
    in.epsilon = 0.01;
    CALL(ur_check_gradients(&worst, cube, NULL, &in));
    put(&worst, sizeof worst);
}

/* Numbers as text and log-mel frames. */
static void reading_scenario(void)
{
    enum { N = 600 };
    static const unsigned char head[44] = "RIFF\xd4\4\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0"
                                          "\x80\x3e\0\0\2\0\x10\0data\xb0\4\0";
    const char *wav = tmp_path("s.wav"), *list = tmp_path("list"), *slash = strrchr(wav, '/');
    const struct ur__read_rule rule = {0};
    struct ur__examples *x;
    ur_vocab *labels;
    ur_real frame[8 * 40];
    unsigned char sound[2 * N];
    for (int i = 0; i < 2 * N; i++)
        sound[i] = (unsigned char)(256 * ur_random_uniform(9, 5, 0, (uint32_t)i));
    FILE *f = fopen(wav, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(head, 1, sizeof head, f), sizeof head);
    assert_int_equal(fwrite(sound, 1, sizeof sound, f), sizeof sound);
    fclose(f);
    f = fopen(list, "w");
    assert_non_null(f);
    fprintf(f, "a\t%s\n", slash + 1);
    fclose(f);
    CALL(ur__examples_open(&x, &list, 1, &rule, &labels));
    assert_true(x->width == 40 && x->example[0].length <= 8);
    CALL(ur__examples_frames(x, 0, 0, x->example[0].length, frame));
    put(frame, (size_t)x->example[0].length * 40 * sizeof *frame);
    ur__examples_free(x);
    ur_vocab_free(labels);
}

static void plain_numbers__in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(viterbi_scenario);
    in_each_mode(figures_scenario);
    in_each_mode(options_scenario);
    in_each_mode(check_scenario);
    in_each_mode(reading_scenario);
}

/* ---- what cannot be saved ---------------------------------------------- */

static ur_status drop(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
    return UR_OK;
}

#define REFUSED(expr) CALL((expr) == UR_ENUMERIC ? UR_OK : UR_EINTERNAL)

static void save_scenario(void)
{
    const ur_options net = net_of("lm", "layers=1 hidden=5");
    const char *path = tmp_path("saved");
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAM);
    ur_model *m = model_of(&net, 20, 1);
    ur_params *params = ur_model_params(m);
    ur_optimizer *optimizer;
    double norm;
    size_t n = ur_params_size(params);
    CALL(ur_optimizer_new(&optimizer, params, &o, NULL));
    for (int step = 0; step < 3; step++) {
        for (size_t i = 0; i < n; i++)
            ur_params_grads(params)[i] = (ur_real)ur_random_uniform(9, 5, 0, (uint32_t)i);
        CALL(ur_optimizer_step(optimizer, 0.01, &norm));
    }
    CALL(ur_optimizer_save(optimizer, path));
    put_file(path);
    CALL(ur_optimizer_load(optimizer, path));
    ur__optimizer_moment(optimizer, false)[3] = (ur_real)INFINITY;
    REFUSED(ur_optimizer_save(optimizer, path));
    ur_param_data(params, ur_params_find(params, "decoder.bias"))[2] = (ur_real)INFINITY;
    REFUSED(ur_model_save(m, path));
    REFUSED(ur_model_save_to(m, drop, NULL));
    REFUSED(ur_params_save(params, path, 0, NULL, 0, NULL));
    ur_optimizer_free(optimizer);
    ur_model_free(m);
}

static void what_is_not_finite__is_a_status_in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(save_scenario);
}

/* ---- whole runs -------------------------------------------------------- */

static bool go_on(void *user, const ur_report *r)
{
    (void)user;
    (void)r;
    return true;
}

static void train_scenario(void)
{
    for (int fills = 0; fills < 2; fills++) {
        ur_train_options o = small_run(fills ? "fill" : "lm", tmp_path("m.safetensors"), "");
        ur_metrics metrics;
        ur_metrics_init(&metrics);
        ur_model *m;
        o.steps = 12;
        o.eval_every = o.checkpoint_every = 5;
        o.sample_every = fills ? 0 : 6;
        CALL(ur_train(&o, go_on, NULL));
        o.steps = 20;
        o.resume = true;
        o.schedule = UR_SCHEDULE_COSINE;
        CALL(ur_train(&o, go_on, NULL));
        put_file(o.model);
        put_file(with_end(o.model, ".state"));
        const char *again = tmp_path("again.safetensors");
        CALL(ur_model_load(&m, o.model));
        CALL(ur_model_save(m, again));
        assert_same_file(o.model, again);
        for (int protocol = 0; protocol < 2; protocol++) {
            ur_eval_options e = eval_of(o.data, 1);
            e.protocol = (ur_protocol)protocol;
            CALL(ur_evaluate(m, &e, &metrics));
            for (int i = 0; i < metrics.n; i++)
                put(&metrics.at[i].value, sizeof metrics.at[i].value);
        }
        ur_model_free(m);
    }
}

static void training_and_measuring__in_any_mode(void **unused)
{
    (void)unused;
    in_each_mode(train_scenario);
}

static const char *lm_path, *fill_path;

static void decode_scenario(void)
{
    ur_model *m;
    ur_session *session;
    ur_sample_options o;
    ur_sample_options_init(&o);
    o.temperature = 0.7;
    o.top_k = 8;
    o.top_p = 0.9;
    CALL(ur_model_load(&m, lm_path));
    CALL(ur_session_new(&session, m, NULL));
    CALL(ur_session_begin(session));
    for (int i = 0; i < 40; i++) {
        int32_t id;
        CALL(ur_session_draw(session, &o, &id));
        CALL(ur_session_feed(session, id));
        put(&id, sizeof id);
    }
    put(ur_session_logits(session),
        (size_t)ur_vocab_size(ur_model_vocab(m, NULL)) * sizeof(ur_real));
    /* Where the host traps what is not finite, it is a status all the same. */
    ur_params *params = ur_model_params(m);
    ur_param_data(params, ur_params_find(params, "decoder.bias"))[2] = (ur_real)INFINITY;
    CALL(ur_session_feed(session, 1) == UR_ENUMERIC ? UR_OK : UR_EINTERNAL);
    ur_session_free(session);
    ur_model_free(m);

    const int32_t text[] = {1, 2, 3, 4, 5, 6};
    ur_batch given;
    ur_batch_init(&given);
    ur_runner *runner;
    int32_t ids[5];
    double p[5];
    CALL(ur_model_load(&m, fill_path));
    CALL(ur_runner_new(&runner, m, 1, NULL));
    CALL(ur_batch_ids(&given, "before", 3, 1, text, NULL));
    CALL(ur_batch_ids(&given, "after", 3, 1, text + 3, NULL));
    CALL(ur_runner_begin(runner, 0, &given));
    put(ur_runner_output(runner, 0), (size_t)ur_runner_outputs(runner) * sizeof(ur_real));
    CALL(ur_runner_best(runner, 0, 5, ids, p) == 5 ? UR_OK : UR_EINTERNAL);
    put(ids, sizeof ids);
    put(p, sizeof p);
    ur_runner_free(runner);
    ur_model_free(m);
}

static void decoding__in_any_mode(void **unused)
{
    (void)unused;
    lm_path = strdup(tmp_path("lm.safetensors"));
    fill_path = strdup(tmp_path("fill.safetensors"));
    ur_train_options o = small_run("lm", lm_path, "dropout=0.3");
    o.steps = 30;
    assert_ok(ur_train(&o, NULL, NULL));
    o = small_run("fill", fill_path, "dropout=0.3");
    o.steps = 30;
    assert_ok(ur_train(&o, NULL, NULL));
    in_each_mode(decode_scenario);
    free((void *)(uintptr_t)lm_path);
    free((void *)(uintptr_t)fill_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step__in_any_mode),
        cmocka_unit_test(layers_and_exchange__in_any_mode),
        cmocka_unit_test(sequence_and_optimizers__in_any_mode),
        cmocka_unit_test(tape__in_any_mode),
        cmocka_unit_test(plain_numbers__in_any_mode),
        cmocka_unit_test(what_is_not_finite__is_a_status_in_any_mode),
        cmocka_unit_test(training_and_measuring__in_any_mode),
        cmocka_unit_test(decoding__in_any_mode),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    printf("%d calls in %d modes\n", calls, N_MODES);
    return failed;
}
