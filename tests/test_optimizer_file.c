/* SPDX-License-Identifier: MIT */
/* An optimizer's state in a file: loops that go on from it, and files that are none. */
#include "test_io.h"

#include "io/safetensors.h"
#include "support/nomem.h"
#include "support/settings.h"
#include "unroll/train.h"

enum { N = 5050, STEPS = 20 };     /* two blocks of an update */

struct loop {
    ur_params *params;
    ur_optimizer *optimizer;
};

/* Parameters of one name more, or of another shape, are those of another network. */
static struct loop make(ur_optimizer_kind kind, const char *name, int rows)
{
    struct loop l;
    ur_optimizer_options o = optimizer_of(kind);
    const int dim[] = {rows, (N - 50) / rows};
    assert_ok(ur_params_new(&l.params));
    assert_ok(ur_params_add(l.params, name, 2, dim, (ur_start){UR_INIT_UNIFORM, 1}, NULL));
    assert_ok(ur_params_add_buffer(l.params, "seen", 1, &(int){3}, 1, NULL));
    assert_ok(ur_params_add(l.params, "bias", 1, &(int){50}, (ur_start){UR_INIT_UNIFORM, 1}, NULL));
    assert_ok(ur_params_build(l.params, 7));
    assert_int_equal(ur_params_size(l.params), N);
    assert_ok(ur_optimizer_new(&l.optimizer, l.params, &o, NULL));
    return l;
}

static struct loop usual(ur_optimizer_kind kind)
{
    return make(kind, "weight", 50);
}

static void unmake(struct loop *l)
{
    ur_optimizer_free(l->optimizer);
    ur_params_free(l->params);
}

static void steps(struct loop *l, int from, int to)
{
    ur_real *g = ur_params_grads(l->params);
    for (int step = from; step < to; step++) {
        for (uint32_t i = 0; i < N; i++)
            g[i] = (ur_real)(ur_random_uniform(9, 5, (uint64_t)step, i) - 0.5);
        assert_ok(ur_optimizer_step(l->optimizer, 0.01, NULL));
    }
}

static void assert_same_values(struct loop *a, struct loop *b)
{
    assert_memory_equal(ur_params_values(a->params), ur_params_values(b->params),
                        N * sizeof(ur_real));
}

static void state__goes_on_with_the_same_bits(void **unused)
{
    (void)unused;
    for (int i = UR_OPTIMIZER_ADAMW; i <= UR_OPTIMIZER_SGD; i++) {
        const char *path = tmp_path("state");
        ur_optimizer_kind kind = (ur_optimizer_kind)i;
        struct loop whole = usual(kind), half = usual(kind), rest = usual(kind);
        struct loop forgetful = usual(kind);
        size_t values = N * sizeof(ur_real);
        steps(&whole, 0, STEPS);
        steps(&half, 0, STEPS / 2);
        assert_ok(ur_optimizer_save(half.optimizer, path));
        memcpy(ur_params_values(rest.params), ur_params_values(half.params), values);
        memcpy(ur_params_values(forgetful.params), ur_params_values(half.params), values);
        assert_ok(ur_optimizer_load(rest.optimizer, path));
        steps(&rest, STEPS / 2, STEPS);
        steps(&forgetful, STEPS / 2, STEPS);
        assert_same_values(&whole, &rest);
        assert_memory_not_equal(ur_params_values(whole.params), ur_params_values(forgetful.params),
                                values);
        unmake(&whole);
        unmake(&half);
        unmake(&rest);
        unmake(&forgetful);
    }
}

static void state__of_no_moments_keeps_its_count(void **unused)
{
    (void)unused;
    const char *path = tmp_path("plain"), *again = tmp_path("again");
    ur_optimizer_options o = plain_of(0, 0, 0);
    struct loop l = usual(UR_OPTIMIZER_ADAMW);
    ur_optimizer *plain;
    char *bytes;
    size_t n;
    assert_ok(ur_optimizer_new(&plain, l.params, &o, NULL));
    assert_ok(ur_optimizer_step(plain, 0.1, NULL));
    assert_ok(ur_optimizer_save(plain, path));
    ur_optimizer_free(plain);
    assert_ok(ur_optimizer_new(&plain, l.params, &o, NULL));
    assert_ok(ur_optimizer_load(plain, path));
    assert_ok(ur_optimizer_save(plain, again));
    assert_ok(ur__file_slurp(path, 1 << 20, &bytes, &n));
    assert_holds(again, bytes, n);
    ur__free(bytes);
    ur_optimizer_free(plain);
    unmake(&l);
}

/* ---- refusals ------------------------------------------------------------ */

/* Loading fails so, with these words; then the loop goes on as if nothing had been asked. */
static void refused(ur_status want, const char *words, const char *path, struct loop *l)
{
    static char before[300], after[300];    /* paths of tmp_path live for some calls only */
    char *bytes;
    size_t n;
    snprintf(before, sizeof before, "%s/before", tmp_dir());
    snprintf(after, sizeof after, "%s/after", tmp_dir());
    assert_ok(ur_optimizer_save(l->optimizer, before));
    assert_status(want, ur_optimizer_load(l->optimizer, path));
    if (!strstr(ur_errmsg(), words))
        fail_msg("\"%s\" does not say \"%s\"", ur_errmsg(), words);
    assert_ok(ur_optimizer_save(l->optimizer, after));
    assert_ok(ur__file_slurp(before, 1 << 26, &bytes, &n));
    assert_holds(after, bytes, n);
    ur__free(bytes);
}

static void state__of_another_optimizer_is_refused(void **unused)
{
    (void)unused;
    const char *path = tmp_path("adamw"), *momentum = tmp_path("momentum");
    ur_optimizer_options o = plain_of(0, 0, 0);
    struct loop adamw = usual(UR_OPTIMIZER_ADAMW), sgd = usual(UR_OPTIMIZER_SGD);
    struct loop others[] = {make(UR_OPTIMIZER_ADAMW, "other", 50), make(UR_OPTIMIZER_ADAMW,
                                                                        "weight", 100)};
    static const char *const words[] = {"m/other is missing: the state is of",
                                        "m/weight is not of the parameter's"};
    steps(&adamw, 0, 3);
    steps(&sgd, 0, 3);
    assert_ok(ur_optimizer_save(adamw.optimizer, path));
    assert_ok(ur_optimizer_save(sgd.optimizer, momentum));
    refused(UR_EINVAL, "the state of \"adamw\", and this optimizer is \"sgd\"", path, &sgd);
    for (int i = 0; i < 2; i++) {
        steps(&others[i], 0, 2);
        refused(UR_ESHAPE, words[i], path, &others[i]);
        unmake(&others[i]);
    }
    ur_optimizer_free(sgd.optimizer);
    assert_ok(ur_optimizer_new(&sgd.optimizer, sgd.params, &o, NULL));
    refused(UR_ESHAPE, "it holds 2 moments, and this optimizer has 0", momentum, &sgd);
    unmake(&adamw);
    unmake(&sgd);
}

static void state__that_is_damaged_or_foreign_is_refused(void **unused)
{
    (void)unused;
    const char *path = tmp_path("state"), *bad = tmp_path("bad");
    struct loop l = usual(UR_OPTIMIZER_ADAMW);
    char *bytes;
    size_t n;
    int cases = 0;
    assert_ok(ur_optimizer_save(l.optimizer, path));    /* another state than that to keep */
    assert_ok(ur__file_slurp(path, 1 << 26, &bytes, &n));
    steps(&l, 0, 3);
    refused(UR_EINPUT, "missing", tmp_path("missing"), &l);
    put_file(bad, "no safetensors", 14);
    refused(UR_EFORMAT, bad, bad, &l);
    for (size_t at = 0; at < n; at += n / 16, cases++) {
        put_file(bad, bytes, at);
        refused(UR_EFORMAT, bad, bad, &l);
        if (at < n / 8)
            continue;       /* within the tensors, where the checksum alone sees it */
        bytes[at] ^= 4;
        put_file(bad, bytes, n);
        bytes[at] ^= 4;
        refused(UR_EFORMAT, "damaged: its checksum is", bad, &l);
    }
    char *power = strstr(bytes + 8, "power1");
    assert_non_null(power);
    power[9] ^= 1;          /* a digit of the clock */
    put_file(bad, bytes, n);
    refused(UR_EFORMAT, "damaged", bad, &l);
    printf("%d places of damage, each cut and most turned\n", cases);
    ur__free(bytes);
    unmake(&l);
}

static void state__says_what_a_file_is_instead(void **unused)
{
    (void)unused;
    static const char *const others[][2] = {
        {"unroll", "is a model, not an optimizer's state: ur_model_load reads it"},
        {"unroll-state", "is the state of a run of ur_train, not an optimizer's: resume"},
        {"pt", "no optimizer's state: its format is \"pt\"; the state is the file of"},
        {"unroll-optimizer", "not an optimizer's state: version is missing"},
    };
    const char *bad = tmp_path("bad");
    struct loop l = usual(UR_OPTIMIZER_ADAMW);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct ur__st_out *out;
        assert_ok(ur__st_out_new(&out));
        assert_ok(ur__st_out_meta(out, "format", others[i][0]));
        assert_ok(ur__st_out_save(out, bad));
        ur__st_out_free(out);
        refused(UR_EFORMAT, others[i][1], bad, &l);
    }
    put_file(bad, "GGUF\3\0\0\0\0\0\0\0", 12);
    refused(UR_EFORMAT, "looks like a GGUF file", bad, &l);
    refused(UR_EFORMAT, "; an optimizer's state is a file of ur_optimizer_save", bad, &l);
    unmake(&l);
}

static ur_status save_and_load(void *it, const void *arg, uint32_t *digest)
{
    struct loop *l = it;
    ur_status status = ur_optimizer_save(l->optimizer, arg);
    if (status == UR_OK)
        status = ur_optimizer_load(l->optimizer, arg);
    if (status == UR_OK)
        nomem_digest_file(digest, arg);
    return status;
}

static void *make_loop(const void *arg)
{
    struct loop *l = malloc(sizeof *l);
    (void)arg;
    assert_non_null(l);
    *l = usual(UR_OPTIMIZER_ADAMW);
    steps(l, 0, 2);
    return l;
}

static void free_loop(void *it)
{
    unmake(it);
    free(it);
}

static void state__is_as_before_without_memory(void **unused)
{
    (void)unused;
    nomem_try(&(struct nomem){.name = "optimizer file", .make = make_loop, .unmake = free_loop,
                              .act = save_and_load, .arg = tmp_path("nomem")});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state__goes_on_with_the_same_bits),
        cmocka_unit_test(state__of_no_moments_keeps_its_count),
        cmocka_unit_test(state__of_another_optimizer_is_refused),
        cmocka_unit_test(state__that_is_damaged_or_foreign_is_refused),
        cmocka_unit_test(state__says_what_a_file_is_instead),
        cmocka_unit_test(state__is_as_before_without_memory),
    };
    return cmocka_run_group_tests_name("optimizer_file", tests, NULL, NULL);
}
