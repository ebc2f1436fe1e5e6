/* SPDX-License-Identifier: MIT */
/* Weights of other programs in the double build: F64 comes in with every bit, what goes out
 * is F32 there too. */
#include "testing.h"

#include "unroll/exchange.h"

enum { N = 5 };

static ur_params *params_of(const ur_real *values)
{
    ur_params *params;
    const ur_param *p;
    const int n = N;
    assert_ok(ur_params_new(&params));
    assert_ok(ur_params_add(params, "w", 1, &n, (ur_start){UR_INIT_CONSTANT, 0}, &p));
    assert_ok(ur_params_build(params, 1));
    memcpy(ur_param_data(params, p), values, N * sizeof *values);
    return params;
}

static void save__rounds_to_float(void **state)
{
    (void)state;
    const ur_real values[N] = {0.1, -1.0 / 3, 1e-300, 3.4e38, 16777217};
    const char *path = tmp_path("rounded");
    ur_params *params = params_of(values);
    ur_weights *w;
    assert_ok(ur_params_save(params, path, 0, NULL, 0, NULL));
    assert_ok(ur_weights_open(&w, path));
    assert_string_equal(ur_weights_at(w, 0)->type, "F32");
    ur_weights_close(w);
    assert_ok(ur_params_load(params, path, 0, NULL, true));
    for (int i = 0; i < N; i++)
        assert_true(ur_params_values(params)[i] == (double)(float)values[i]);
    ur_params_free(params);
}

static void save__refuses_what_float_does_not_hold(void **state)
{
    (void)state;
    const ur_real values[N] = {0, 1, 2, -1e39, 4};
    ur_params *params = params_of(values);
    assert_status(UR_ENUMERIC, ur_params_save(params, tmp_path("large"), 0, NULL, 0, NULL));
    assert_non_null(strstr(ur_errmsg(), "parameter w[3] is -inf"));
    ur_params_free(params);
}

/* A file written by hand: eight bytes of length, the header, five numbers. */
static void load__keeps_every_bit_of_f64(void **state)
{
    (void)state;
    static const char header[] =
        "{\"w\":{\"dtype\":\"F64\",\"shape\":[5],\"data_offsets\":[0,40]}}";
    const unsigned char length[8] = {sizeof header - 1};
    const double values[N] = {3.141592653589793, 1e300, -1e-300, 0.1, 16777217};
    const char *path = tmp_path("wide");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(length, 1, 8, f), 8);
    assert_int_equal(fwrite(header, 1, sizeof header - 1, f), sizeof header - 1);
    assert_int_equal(fwrite(values, sizeof *values, N, f), N);
    assert_int_equal(fclose(f), 0);
    const ur_real zeros[N] = {0};
    ur_params *params = params_of(zeros);
    assert_ok(ur_params_load(params, path, 0, NULL, true));
    assert_memory_equal(ur_params_values(params), values, sizeof values);
    ur_params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(save__rounds_to_float),
        cmocka_unit_test(save__refuses_what_float_does_not_hold),
        cmocka_unit_test(load__keeps_every_bit_of_f64),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
