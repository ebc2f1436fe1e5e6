/* SPDX-License-Identifier: MIT */
/* Tensors of any type beside the parameters: bytes that come back as they were, and nothing else
 * that knows of them. */
#include "test_io.h"

#include "io/safetensors.h"
#include "layer/params.h"
#include "unroll.h"

static void assert_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" is not in \"%s\"", part, ur_errmsg());
}

static const char *const names[] = {
#define NAME(name, bits) #name,
    UR_TYPE_MAP(NAME)
};

/* One parameter, and a tensor [3,5] of each type by its type's name. */
static ur_params *store(bool build)
{
    ur_params *p;
    const int dim[] = {3, 5};
    assert_ok(ur_params_new(&p));
    assert_ok(ur_params_add(p, "w", 2, dim, (ur_start){UR_INIT_NORMAL, 1}, NULL));
    for (int i = 0; i < UR_TYPES; i++)
        assert_ok(ur_params_add_typed(p, names[i], (ur_type)i, 2, dim, NULL));
    if (build)
        assert_ok(ur_params_build(p, 1));
    return p;
}

/* Bytes that are neither NaN nor Inf in any type. */
static void fill(ur_params *p)
{
    for (int i = 0; i < ur_params_typed_count(p); i++) {
        const ur_typed *t = ur_params_typed_at(p, i);
        unsigned char *x = ur_typed_data(p, t, t->type);
        assert_int_equal((uintptr_t)x % 64, 0);
        for (size_t j = 0; j < t->bytes; j++) {
            assert_int_equal(x[j], 0);
            x[j] = (unsigned char)((j * 37 + (size_t)i) % 0x70);
        }
    }
}

static void expect_same(const ur_params *a, const ur_params *b)
{
    for (int i = 0; i < ur_params_typed_count(a); i++) {
        const ur_typed *t = ur_params_typed_at(a, i), *u = ur_params_typed_at(b, i);
        assert_memory_equal(ur_typed_data(a, t, t->type), ur_typed_data(b, u, t->type), t->bytes);
    }
    assert_memory_equal(ur_params_values((ur_params *)a), ur_params_values((ur_params *)b),
                        ur_params_size(a) * sizeof(ur_real));
}

static void typed__come_back_byte_for_byte(void **state)
{
    (void)state;
    const char *path = tmp_path("typed");
    const ur_rename map[] = {{"*", "net.*"}};
    for (int renamed = 0; renamed < 2; renamed++)
        for (int built = 0; built < 2; built++) {
            ur_params *p = store(true), *q = store(built);
            ur_weights *w;
            fill(p);
            assert_ok(ur_params_save(p, path, renamed, map, 0, NULL));
            assert_ok(ur_params_load(q, path, renamed, map, true));
            if (sizeof(ur_real) == sizeof(float))
                expect_same(p, q);
            assert_ok(ur_weights_open(&w, path));
            for (int i = 0; i < UR_TYPES; i++) {
                char name[16];
                snprintf(name, sizeof name, "%s%s", renamed ? "net." : "", names[i]);
                assert_string_equal(ur_weights_find(w, name)->type, names[i]);
            }
            ur_weights_close(w);
            ur_params_free(p);
            ur_params_free(q);
        }
    print_message("%d types of numbers, each kept in its own\n", UR_TYPES);
}

static void typed__are_refused_where_they_do_not_fit(void **state)
{
    (void)state;
    const char *path = tmp_path("other");
    static const char zeros[64];
    static const uint16_t inf[4] = {0, 0x7c00, 0, 0}, nan[4] = {0, 0, 0x7fc0, 0};
    static const struct {
        enum ur__dtype type;
        uint64_t dim;
        const void *data;
        ur_type want;
        ur_status status;
        const char *says;
    } cases[] = {
        {UR__U8, 4, zeros, UR_TYPE_I8, UR_EDATA, "tensor q holds U8, but the network wants I8"},
        {UR__F32, 4, zeros, UR_TYPE_BF16, UR_EDATA, "q holds F32, but the network wants BF16"},
        {UR__I8, 5, zeros, UR_TYPE_I8, UR_ESHAPE, "tensor q is [5], but the network wants [4]"},
        {UR__F16, 4, inf, UR_TYPE_F16, UR_ENUMERIC, "tensor q holds NaN or Inf at element 1"},
        {UR__BF16, 4, nan, UR_TYPE_BF16, UR_ENUMERIC, "tensor q holds NaN or Inf at element 2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ur__st_out *s;
        ur_params *p;
        const ur_typed *t;
        assert_ok(ur__st_out_new(&s));
        assert_ok(ur__st_out_tensor(s, "q", cases[i].type, 1, &cases[i].dim, cases[i].data));
        assert_ok(ur__st_out_save(s, path));
        ur__st_out_free(s);
        assert_ok(ur_params_new(&p));
        assert_ok(ur_params_add_typed(p, "q", cases[i].want, 1, &(int){4}, &t));
        assert_ok(ur_params_build(p, 1));
        memset(ur_typed_data(p, t, t->type), 7, t->bytes);
        assert_status(cases[i].status, ur_params_load(p, path, 0, NULL, true));
        assert_message(cases[i].says);
        assert_message(path);
        assert_int_equal(*(char *)ur_typed_data(p, t, t->type), 7);     /* nothing changes */
        if (cases[i].status == UR_ENUMERIC) {
            memcpy(ur_typed_data(p, t, t->type), cases[i].data, t->bytes);
            assert_status(UR_ENUMERIC, ur_params_save(p, path, 0, NULL, 0, NULL));
            assert_message(cases[i].says);
        }
        ur_params_free(p);
    }
}

static void typed__have_one_type_and_one_name(void **state)
{
    (void)state;
    ur_params *p = store(false), *other;
    const ur_typed *t = ur_params_find_typed(p, "I8"), *out = t;
    const int dim = 3, zero = 0;
    assert_null(ur_typed_data(p, t, UR_TYPE_I8));       /* not built */
    assert_status(UR_EINVAL, ur_params_add_typed(p, "w", UR_TYPE_I8, 1, &dim, &out));
    assert_null(out);
    assert_status(UR_EINVAL, ur_params_add_typed(p, "U8", UR_TYPE_I8, 1, &dim, NULL));
    assert_status(UR_EINVAL, ur_params_add(p, "U8", 1, &dim, (ur_start){UR_INIT_CONSTANT, 0},
                                           NULL));
    assert_status(UR_EINVAL, ur_params_add_typed(p, "x", UR_TYPES, 1, &dim, NULL));
    assert_message("there is no type number 13");
    assert_status(UR_EINVAL, ur_params_add_typed(p, "x", UR_TYPE_I8, 1, &zero, NULL));
    assert_ok(ur_params_build(p, 1));
    assert_status(UR_EINVAL, ur_params_add_typed(p, "x", UR_TYPE_I8, 1, &dim, NULL));
    assert_non_null(ur_typed_data(p, t, UR_TYPE_I8));
    assert_null(ur_typed_data(p, t, UR_TYPE_U8));
    assert_message("tensor I8 holds I8, not U8");
    assert_ok(ur_params_new(&other));
    assert_null(ur_typed_data(other, ur_params_find_typed(p, "BOOL"), UR_TYPE_BOOL));
    assert_message("belongs to another store");
    assert_null(ur_params_find_typed(p, "x"));
    assert_null(ur_params_typed_at(p, UR_TYPES));
    ur_params_free(other);
    ur_params_free(p);
}

static void typed__are_of_no_part_in_training(void **state)
{
    (void)state;
    ur_params *p = store(true), *same = store(true);
    ur_optimizer_options o;
    ur_optimizer *opt;
    fill(p);
    fill(same);
    assert_int_equal(ur_params_size(p), 15);
    assert_int_equal(ur_params_count(p), 1);
    ur_optimizer_options_init(&o);
    assert_ok(ur_optimizer_new(&opt, p, &o, NULL));
    for (int i = 0; i < 15; i++)
        ur_params_grads(p)[i] = 1;
    assert_ok(ur_optimizer_step(opt, 0.1, NULL));
    assert_true(ur_params_values(p)[0] != ur_params_values(same)[0]);
    memcpy(ur_params_values(p), ur_params_values(same), 15 * sizeof(ur_real));
    expect_same(p, same);
    ur_optimizer_free(opt);
    ur_params_free(p);
    ur_params_free(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typed__come_back_byte_for_byte),
        cmocka_unit_test(typed__are_refused_where_they_do_not_fit),
        cmocka_unit_test(typed__have_one_type_and_one_name),
        cmocka_unit_test(typed__are_of_no_part_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
