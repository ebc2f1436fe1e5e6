/* SPDX-License-Identifier: MIT */
/* Files as other programs write them: what cannot be read in them stops nothing else. */
#include "test_io.h"

#include "layer/params.h"
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
        assert_ok(ur_params_add(params, names[i], 1, &dim[i], UR_CONSTANT, 1, NULL));
        assert_status(want[i], ur_params_load(params, path, 0, NULL, false));
        ur_params_free(params);
    }
    expect_message("\"deep\" is [more than 8 dimensions]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights__are_not_stopped_by_what_is_not_asked_for),
    };
    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
