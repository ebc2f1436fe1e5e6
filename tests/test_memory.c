/* SPDX-License-Identifier: MIT */
/* Models and weights from memory and to it: as from files. */
#include "models.h"
#include "test_io.h"

#include <math.h>

#include "base/status.h"
#include "base/text.h"
#include "support/nomem.h"
#include "unroll/exchange.h"

/* A copy that ends where its block does, so that a byte read beyond is found by a sanitizer. */
static unsigned char *copy_of(const void *bytes, size_t n)
{
    unsigned char *p = malloc(n + !n);
    assert_non_null(p);
    memcpy(p, bytes, n);
    return p;
}

struct sink {
    struct ur__buf bytes;
    int calls, fails_at;        /* 0: never */
};

static ur_status take(void *user, const void *bytes, size_t n)
{
    struct sink *s = user;
    if (++s->calls == s->fails_at)
        return ur__fail(UR_EOUTPUT, "no room");
    return ur__buf_put(&s->bytes, bytes, n);
}

static void memory__holds_models_as_files_do(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_CONFIGS; i++) {
        const ur_options c = any_config(i);
        ur_model *m = model_of(&c, 30, 1), *from_file, *from_memory;
        const char *path = tmp_path("m.safetensors"), *again = tmp_path("again.safetensors");
        struct sink s = {.calls = 0};
        char *bytes;
        size_t n;
        assert_ok(ur_model_save(m, path));
        assert_ok(ur__file_slurp(path, 1 << 24, &bytes, &n));
        assert_ok(ur_model_save_to(m, take, &s));
        assert_true(s.bytes.size == n && memcmp(s.bytes.data, bytes, n) == 0);
        /* Of no alignment, and gone before the model is used. */
        unsigned char *odd = malloc(n + 1);
        assert_non_null(odd);
        memcpy(odd + 1, bytes, n);
        assert_ok(ur_model_load_memory(&from_memory, odd + 1, n, NULL));
        free(odd);
        assert_ok(ur_model_load(&from_file, path));
        const ur_params *a = ur_model_params(from_file), *b = ur_model_params(from_memory);
        assert_int_equal(ur_params_count(a), ur_params_count(b));
        for (int j = 0; j < ur_params_count(a); j++)
            assert_memory_equal(ur_param_data(a, ur_params_at(a, j)),
                                ur_param_data(b, ur_params_at(b, j)),
                                ur_params_at(a, j)->size * sizeof(ur_real));
        assert_ok(ur_model_save(from_memory, again));
        assert_holds(again, bytes, n);
        ur__buf_free(&s.bytes);
        ur__free(bytes);
        ur_model_free(m);
        ur_model_free(from_file);
        ur_model_free(from_memory);
    }
}

static void memory__that_is_cut_is_refused(void **unused)
{
    (void)unused;
    const ur_options c = net_of("lm", "cell=rnn layers=1 hidden=2");
    ur_model *m = model_of(&c, 5, 1), *cut;
    ur_weights *w;
    struct sink s = {.calls = 0};
    assert_ok(ur_model_save_to(m, take, &s));
    for (size_t n = 0; n < s.bytes.size; n++) {
        unsigned char *p = copy_of(s.bytes.data, n);
        assert_status(UR_EFORMAT, ur_model_load_memory(&cut, p, n, "the built-in model"));
        assert_true(!cut && strncmp(ur_errmsg(), "the built-in model: ", 20) == 0);
        assert_status(UR_EFORMAT, ur_weights_open_memory(&w, p, n, NULL));
        assert_true(!w && strncmp(ur_errmsg(), "memory: ", 8) == 0);
        free(p);
    }
    print_message("%zu prefixes\n", s.bytes.size);
    assert_ok(ur_model_load_memory(&cut, s.bytes.data, s.bytes.size, NULL));
    ur_model_free(cut);
    ur__buf_free(&s.bytes);
    ur_model_free(m);
}

static void sink__that_fails_ends_the_saving(void **unused)
{
    (void)unused;
    const ur_options c = net_of("lm", "layers=1 hidden=4");
    ur_model *m = model_of(&c, 5, 1);
    struct sink whole = {.calls = 0};
    assert_ok(ur_model_save_to(m, take, &whole));
    for (int at = 1; at <= whole.calls; at++) {
        struct sink s = {.fails_at = at};
        assert_status(UR_EOUTPUT, ur_model_save_to(m, take, &s));
        assert_true(s.calls == at && strcmp(ur_errmsg(), "no room") == 0);
        ur__buf_free(&s.bytes);
    }
    ur_params_values(ur_model_params(m))[3] = (ur_real)NAN;
    struct sink none = {.calls = 0};
    assert_status(UR_ENUMERIC, ur_model_save_to(m, take, &none));
    assert_int_equal(none.calls, 0);
    ur__buf_free(&whole.bytes);
    ur_model_free(m);
}

static ur_params *declared(void)
{
    ur_params *p;
    assert_ok(ur_params_new(&p));
    assert_ok(ur_params_add(p, "a", 2, (int[]){3, 4}, ((ur_start){UR_INIT_NORMAL, 1}), NULL));
    assert_ok(ur_params_add(p, "b", 1, (int[]){5}, ((ur_start){UR_INIT_UNIFORM, 1}), NULL));
    return p;
}

static void memory__holds_weights_as_files_do(void **unused)
{
    (void)unused;
    static const ur_rename map[] = {{"*", "theirs.*"}}, wrong[] = {{"*", "no.*"}};
    const char *path = tmp_path("w.safetensors");
    ur_params *p = declared(), *file = declared(), *memory = declared();
    ur_weights *w;
    char *bytes;
    size_t n;
    assert_ok(ur_params_build(p, 3));
    assert_ok(ur_params_save(p, path, 1, map, 0, NULL));
    assert_ok(ur__file_slurp(path, 1 << 20, &bytes, &n));
    assert_ok(ur_weights_open_memory(&w, bytes, n, "blob"));
    assert_int_equal(ur_weights_count(w), 2);
    assert_status(UR_EDATA, ur_params_load_weights(memory, w, 1, wrong, true));
    expect_message("blob: no tensor");
    assert_ok(ur_params_load_weights(memory, w, 1, map, true));
    assert_ok(ur_params_load_weights(memory, w, 1, map, true));     /* it can be read again */
    ur_weights_close(w);
    assert_ok(ur_params_load(file, path, 1, map, true));
    size_t size = ur_params_size(p) * sizeof(ur_real);
    assert_memory_equal(ur_params_values(p), ur_params_values(file), size);
    assert_memory_equal(ur_params_values(p), ur_params_values(memory), size);
    ur__free(bytes);
    ur_params_free(p);
    ur_params_free(file);
    ur_params_free(memory);
}

/* ---- without memory ---------------------------------------------------- */

static void *make_model(const void *arg)
{
    const ur_options c = net_of("lm", "layers=1 hidden=6");
    (void)arg;
    return model_of(&c, 5, 1);
}

static void free_model(void *it)
{
    ur_model_free(it);
}

static ur_status there_and_back(void *it, const void *arg, uint32_t *digest)
{
    struct sink s = {.calls = 0};
    ur_model *m = NULL;
    ur_weights *w = NULL;
    (void)arg;
    ur_status status = ur_model_save_to(it, take, &s);
    if (status == UR_OK)
        status = ur_model_load_memory(&m, s.bytes.data, s.bytes.size, NULL);
    if (status == UR_OK)
        status = ur_weights_open_memory(&w, s.bytes.data, s.bytes.size, NULL);
    if (status == UR_OK)
        status = ur_params_load_weights(ur_model_params(m), w, 0, NULL, true);
    if (status == UR_OK) {
        const ur_params *p = ur_model_params(m);
        nomem_digest(digest, ur_param_data(p, ur_params_at(p, 0)),
                     ur_params_size(p) * sizeof(ur_real));
    }
    ur_weights_close(w);
    ur_model_free(m);
    ur__buf_free(&s.bytes);
    return status;
}

static void memory__is_refused_in_turn(void **unused)
{
    (void)unused;
    nomem_try(&(struct nomem){.name = "memory", .make = make_model, .unmake = free_model,
                              .act = there_and_back});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__holds_models_as_files_do),
        cmocka_unit_test(memory__that_is_cut_is_refused),
        cmocka_unit_test(sink__that_fails_ends_the_saving),
        cmocka_unit_test(memory__holds_weights_as_files_do),
        cmocka_unit_test(memory__is_refused_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
