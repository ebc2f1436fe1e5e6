/* SPDX-License-Identifier: MIT */
/* Structs that can grow: headers and libraries of different versions. */
#include "models.h"
#include "test_io.h"

#include <stddef.h>

#include "base/sized.h"
#include "unroll/exchange.h"
#include "unroll/task.h"

/* A struct of three versions. */
struct old {
    size_t size;
    int a;
};
struct now {
    size_t size;
    int a, b;
};
struct later {
    size_t size;
    int a, b, c, d;
};

static const struct now defaults = {sizeof defaults, 1, 2};

static ur_status read_now(struct now *to, const void *from)
{
    return ur__sized_read(to, from, &defaults, sizeof defaults, "now_init");
}

static void sized__an_older_caller_gets_defaults_for_what_he_does_not_know(void **unused)
{
    (void)unused;
    struct now got;
    struct {
        struct old old;
        int beyond[4];
    } his = {.beyond = {7, 7, 7, 7}};
    ur__sized_init(&his.old, offsetof(struct now, b), &defaults, sizeof defaults);
    assert_int_equal(his.old.a, 1);
    his.old.a = 5;
    assert_ok(read_now(&got, &his.old));
    assert_true(got.size == sizeof got && got.a == 5 && got.b == 2);
    assert_int_equal(his.beyond[0], 7);
}

static void sized__a_newer_caller_is_served_unless_he_asks_for_what_is_new(void **unused)
{
    (void)unused;
    struct now got;
    struct later his;
    memset(&his, 0xff, sizeof his);
    ur__sized_init(&his, sizeof his, &defaults, sizeof defaults);
    assert_true(his.size == sizeof his && his.a == 1 && his.b == 2 && !his.c && !his.d);
    his.b = 9;
    assert_ok(read_now(&got, &his));
    assert_true(got.size == sizeof got && got.a == 1 && got.b == 9);
    his.d = 1;
    assert_status(UR_EINVAL, read_now(&got, &his));
    assert_non_null(strstr(ur_errmsg(), "newer version"));
}

static void sized__what_was_not_initialised_is_refused(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, sizeof(size_t) - 1, SIZE_MAX, (size_t)1 << 40};
    struct now got, his = defaults;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        his.size = sizes[i];
        assert_status(UR_EINVAL, read_now(&got, &his));
        assert_non_null(strstr(ur_errmsg(), "call now_init first"));
        ur__sized_init(&his, sizes[i], &defaults, sizeof defaults);
        assert_int_equal(his.size, sizes[i]);
    }
    ur__sized_init(NULL, sizeof his, &defaults, sizeof defaults);
}

/* ---- the public ones --------------------------------------------------- */

static const char *text;        /* a file */
static ur_model *model;

/* What an older header ended with, how it is initialised, and what reads it. `give`: the library
 * fills it in. */
struct kind {
    const char *name;
    size_t size, older;
    void (*init)(void *p, size_t size);
    ur_status (*use)(void *p);
    bool give;
};

#define INIT(NAME)                                                                                 \
    static void init_##NAME(void *p, size_t size)                                                  \
    {                                                                                              \
        NAME##_init_size(p, size);                                                                 \
    }
INIT(ur_rnn_options)
INIT(ur_examples_options)
INIT(ur_sample_options)
INIT(ur_schedule)
INIT(ur_eval_options)
INIT(ur_metrics)
INIT(ur_plan)

static void init_ur_train_options(void *p, size_t size)
{
    ur_train_options_init_size(p, size, "lm");
}

static ur_status use_rnn_options(void *p)
{
    ur_rnn_options *o = p;
    ur_params *params;
    ur_rnn *rnn = NULL;
    o->input = 2;
    o->hidden[0] = 3;
    assert_ok(ur_params_new(&params));
    ur_status status = ur_rnn_new(&rnn, params, "rnn", o);
    ur_rnn_free(rnn);
    ur_params_free(params);
    return status;
}

static ur_status use_examples_options(void *p)
{
    ur_examples_options *o = p;
    ur_examples *x;
    o->format = "text";
    o->unlabelled = true;
    ur_status status = ur_examples_open(&x, &text, 1, o);
    ur_examples_close(x);
    return status;
}

static ur_status use_sample_options(void *p)
{
    return ur_sample_options_check(p);
}

static ur_status use_schedule(void *p)
{
    double lr;
    UR__TRY(ur_schedule_see(p, false));
    UR__TRY(ur_schedule_value(p, 3, 0, &lr));
    assert_true(lr == 5e-3);
    return UR_OK;
}

static ur_status use_train_options(void *p)
{
    ur_train_options *o = p;
    ur_plan plan;
    ur_plan_init(&plan);
    UR__TRY(ur_train_set(o, "seed", "77"));
    UR__TRY(ur_train_set(o, "hidden", "5"));
    assert_true(o->seed == 77);
    o->data = &text;
    o->n_data = 1;
    o->model = "never.safetensors";
    return ur_train_plan(o, 0, NULL, NULL, &plan);
}

static ur_status use_eval_options(void *p)
{
    ur_eval_options *o = p;
    ur_metrics found;
    ur_metrics_init(&found);
    o->data = &text;
    o->n_data = 1;
    return ur_evaluate(model, o, &found);
}

static ur_status use_metrics(void *p)
{
    ur_metrics *m = p;
    const ur_eval_options o = eval_of(&text, 1);
    UR__TRY(ur_evaluate(model, &o, p));
    assert_true(m->n >= 2 && ur_metrics_get(p, m->at[1].name) == m->at[1].value);
    return UR_OK;
}

static ur_status use_plan(void *p)
{
    ur_train_options o = run_of("lm", "hidden=5 tokens=char");
    o.data = &text;
    o.n_data = 1;
    o.model = "never.safetensors";
    UR__TRY(ur_train_plan(&o, 0, NULL, NULL, p));
    assert_int_equal(((ur_plan *)p)->vocabulary, 3);
    return UR_OK;
}

static const struct kind kinds[] = {
    {"ur_rnn_options", sizeof(ur_rnn_options), offsetof(ur_rnn_options, zoneout_c),
     init_ur_rnn_options, use_rnn_options, false},
    {"ur_examples_options", sizeof(ur_examples_options), offsetof(ur_examples_options, header),
     init_ur_examples_options, use_examples_options, false},
    {"ur_sample_options", sizeof(ur_sample_options), offsetof(ur_sample_options, min_p),
     init_ur_sample_options, use_sample_options, false},
    {"ur_schedule", sizeof(ur_schedule), offsetof(ur_schedule, worse) + sizeof(int),
     init_ur_schedule, use_schedule, false},
    {"ur_train_options", sizeof(ur_train_options), offsetof(ur_train_options, reduce_user),
     init_ur_train_options, use_train_options, false},
    {"ur_eval_options", sizeof(ur_eval_options), offsetof(ur_eval_options, user),
     init_ur_eval_options, use_eval_options, false},
    {"ur_metrics", sizeof(ur_metrics), offsetof(ur_metrics, at) + 2 * sizeof(ur_metric),
     init_ur_metrics, use_metrics, true},
    {"ur_plan", sizeof(ur_plan), offsetof(ur_plan, seconds), init_ur_plan, use_plan, true},
};

static void sized__every_public_struct_can_grow(void **unused)
{
    (void)unused;
    enum { MORE = 64, NOT_HIS = 0x5a };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *k = &kinds[i];
        char *p = test_malloc(k->size + MORE), words[80];
        const size_t none = 0;
        print_message("%s\n", k->name);
        k->init(p, k->size);
        assert_ok(k->use(p));
        memset(p, NOT_HIS, k->size + MORE);
        k->init(p, k->older);
        assert_ok(k->use(p));
        for (size_t at = k->older; at < k->size + MORE; at++)
            assert_int_equal(p[at], NOT_HIS);
        k->init(p, k->size + MORE);
        assert_ok(k->use(p));
        p[k->size + MORE - 1] = 1;
        if (k->give) {
            assert_ok(k->use(p));
        } else {
            assert_status(UR_EINVAL, k->use(p));
            expect_message("newer version");
        }
        memcpy(p, &none, sizeof none);
        assert_status(UR_EINVAL, k->use(p));
        snprintf(words, sizeof words, "call %s_init first", k->name);
        expect_message(words);
        test_free(p);
    }
}

/* What a file tells beyond the end of an older caller's struct is not written there. */
static void sized__options_of_a_file_stay_within_the_callers_struct(void **unused)
{
    (void)unused;
    enum { OLDER = offsetof(ur_rnn_options, zoneout_c), NOT_HIS = 0x5a };
    union {
        ur_rnn_options o;
        unsigned char bytes[sizeof(ur_rnn_options)];
    } his;
    ur_rnn_options o;
    ur_params *params;
    ur_rnn *rnn;
    ur_weights *w;
    const char *path = tmp_path("rnn");
    ur_rnn_options_init(&o);
    o.input = 2;
    o.hidden[0] = 3;
    o.zoneout_c = 0.25;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_rnn_new(&rnn, params, "rnn", &o));
    assert_ok(ur_params_build(params, 1));
    assert_ok(ur_params_save(params, path, 0, NULL, 0, NULL));
    assert_ok(ur_weights_open(&w, path));
    memset(&his, NOT_HIS, sizeof his);
    ur_rnn_options_init_size(&his.o, OLDER);
    assert_ok(ur_weights_rnn_options(w, "rnn", 0, NULL, &his.o));
    assert_true(his.o.size == OLDER && his.o.input == 2 && his.o.hidden[0] == 3);
    for (size_t at = OLDER; at < sizeof his; at++)
        assert_int_equal(his.bytes[at], NOT_HIS);
    ur_weights_close(w);
    ur_rnn_free(rnn);
    ur_params_free(params);
}

/* A run's options by name are not lost where the caller's struct ends before them. */
static void sized__an_option_beyond_an_older_struct_is_refused(void **unused)
{
    (void)unused;
    ur_train_options o;
    assert_ok(ur_train_options_init_size(&o, offsetof(ur_train_options, memory_limit), "lm"));
    assert_ok(ur_train_set(&o, "patience", "3"));
    assert_status(UR_EINVAL, ur_train_set(&o, "on-nan", "stop"));
    expect_message("option on-nan is newer than the unroll.h");
}

static void sized__room_that_is_used_is_refused(void **unused)
{
    (void)unused;
    ur_optimizer_options o = optimizer_of(UR_OPTIMIZER_ADAM);
    ur_optimizer *optimizer;
    o.room[7] = 1;
    assert_status(UR_EINVAL, ur_optimizer_new(&optimizer, ur_model_params(model), &o, NULL));
    expect_message("newer version");
}

/* Batches and figures end with their list: another header has room for another number. */
static void sized__batches_have_the_room_of_their_header(void **unused)
{
    (void)unused;
    static const int32_t id[] = {0};
    static const char *const roles[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "target",
                                        "input"};
    enum { N = sizeof roles / sizeof *roles };
    struct {
        ur_batch batch;
        ur_field more[N - UR_MAX_FIELDS];
    } wide;
    ur_batch *b = &wide.batch;
    ur_tape *tape;
    ur_batch_init_size(b, offsetof(ur_batch, field) + sizeof(ur_field));
    assert_ok(ur_batch_ids(b, "input", 1, 1, id, NULL));
    assert_status(UR_EINVAL, ur_batch_ids(b, "target", 1, 1, id, NULL));
    expect_message("at most 1 fields");
    ur_batch_init_size(b, sizeof wide);
    for (int i = 0; i < N; i++)
        assert_ok(ur_batch_ids(b, roles[i], 1, 1, id, NULL));
    assert_non_null(ur_batch_find(b, "input"));
    assert_ok(ur_tape_new(&tape, NULL));
    assert_non_null(ur_model_loss(tape, model, b, NULL));
    b->field[2].room[1] = b;
    ur_tape_reset(tape);
    assert_null(ur_model_loss(tape, model, b, NULL));
    expect_message("newer version");
    memset(b, 0, sizeof *b);
    ur_tape_reset(tape);
    assert_null(ur_model_loss(tape, model, b, NULL));
    expect_message("call ur_batch_init first");
    assert_status(UR_EINVAL, ur_batch_ids(b, "input", 1, 1, id, NULL));
    ur_tape_free(tape);
}

static int set_up(void **unused)
{
    (void)unused;
    const ur_options net = net_of("lm", "layers=1 hidden=5");
    char *a = strdup(tmp_path("text")), line[100];
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = "ad\n"[i % 3];
    put_file(a, line, sizeof line);
    text = a;
    model = model_of(&net, 40, 1);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    ur_model_free(model);
    free((void *)(uintptr_t)text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sized__an_older_caller_gets_defaults_for_what_he_does_not_know),
        cmocka_unit_test(sized__a_newer_caller_is_served_unless_he_asks_for_what_is_new),
        cmocka_unit_test(sized__what_was_not_initialised_is_refused),
        cmocka_unit_test(sized__every_public_struct_can_grow),
        cmocka_unit_test(sized__options_of_a_file_stay_within_the_callers_struct),
        cmocka_unit_test(sized__an_option_beyond_an_older_struct_is_refused),
        cmocka_unit_test(sized__room_that_is_used_is_refused),
        cmocka_unit_test(sized__batches_have_the_room_of_their_header),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
