/* SPDX-License-Identifier: MIT */
/*
 * Damage by chance: every prefix of a model and of a state file is refused, every single
 * bit that flips in a state is found, and no bit that flips in a model does harm: it is
 * refused, or loads with the sizes that it had. UNROLL_ALL_BITS=1: all bits of the model's
 * data too, not every 61st.
 */
#include "hostile.h"

#include "support/small_state.h"
#include "unroll/model.h"

static unsigned char *bytes;    /* of the file, written once */
static size_t size;

static void keep(const char *path)
{
    const void *all = memory_file_bytes(path, &size);
    assert_non_null(all);
    bytes = ur__alloc(size, 1);
    memcpy(bytes, all, size);
    memory_file_remove(path);
}

static void flip(size_t bit)
{
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
}

/* ---- a training state -------------------------------------------------- */

static struct small_state state_of_run;

static ur_status load_state(void)
{
    enum ur__loaded from;
    return ur__checkpoint_load(&state_of_run.checkpoint, HOSTILE, "mem:none", &from);
}

static void make_state(void)
{
    small_state_new(&state_of_run);
    assert_ok(ur__checkpoint_save(&state_of_run.checkpoint, "mem:/run.state", "mem:/none",
                                  UR__OLDER_KEEP));
    keep("mem:/run.state");
}

static void bits__every_prefix_of_a_state_is_refused(void **state)
{
    (void)state;
    make_state();
    for (size_t n = 0; n < size; n++) {
        memory_file(HOSTILE, bytes, n);
        heap_mark();
        assert_refused(load_state(), UR_EFORMAT, "");
    }
    memory_file(HOSTILE, bytes, size);
    assert_ok(load_state());
    print_message("%zu prefixes of a state refused\n", size);
}

static void bits__every_flipped_bit_of_a_state_is_found(void **state)
{
    (void)state;
    memory_file(HOSTILE, bytes, size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        flip(bit);
        ur_status status = load_state();
        /* Versions and options are compared before the sum where they are not its matter. */
        if (status != UR_EFORMAT && status != UR_EVERSION)
            fail_msg("bit %zu of byte %zu: %s: %s", bit % 8, bit / 8, ur_status_name(status),
                     ur_errmsg());
        flip(bit);
    }
    assert_ok(load_state());
    print_message("%zu flipped bits of a state found\n", 8 * size);
    ur__free(bytes);
    small_state_free(&state_of_run);
}

/* Counters that no run can reach, under a checksum that is right. */
static void bits__impossible_progress_is_refused(void **state)
{
    (void)state;
    struct small_state s;
    small_state_new(&s);
    const struct ur__progress fine = s.progress;
    enum ur__loaded from;
#define REFUSED(change)                                                                       \
    do {                                                                                      \
        s.progress = fine;                                                                    \
        change;                                                                               \
        assert_ok(ur__checkpoint_save(&s.checkpoint, HOSTILE, "mem:/none", UR__OLDER_KEEP));  \
        heap_mark();                                                                          \
        assert_refused(ur__checkpoint_load(&s.checkpoint, HOSTILE, "mem:none", &from),        \
                       UR_EFORMAT, "its progress is not whole or cannot be");                 \
    } while (0)
    REFUSED(s.progress.step = INT64_MAX);
    REFUSED(s.progress.step = -1);
    REFUSED(s.progress.evaluated = 2);
    REFUSED(s.progress.best_step = INT64_MIN);
    REFUSED(s.progress.loss_items = INT64_MAX);
    REFUSED(s.progress.worse = -1);
    REFUSED(s.progress.plateau.factor = 1e300);
    REFUSED(s.progress.plateau.worse = -1);
    REFUSED(s.progress.seconds = -1);
#undef REFUSED
    s.progress = fine;
    assert_ok(ur__checkpoint_save(&s.checkpoint, HOSTILE, "mem:/none", UR__OLDER_KEEP));
    assert_ok(ur__checkpoint_load(&s.checkpoint, HOSTILE, "mem:none", &from));
    memory_file_remove(HOSTILE);
    small_state_free(&s);
}

/* ---- a model ----------------------------------------------------------- */

static void make_whole_model(void)
{
    ur_model *m;
    make_model(NULL, NULL, "{\"seed\":1}");
    for (size_t i = 0; i < DATA; i += 4)    /* no zeros, that bits do different things */
        memcpy(hostile_bytes.data + hostile_bytes.size - DATA + i, &(float){0.37f - (float)i}, 4);
    memory_file(HOSTILE, hostile_bytes.data, hostile_bytes.size);
    assert_ok(ur_model_load(&m, HOSTILE));
    ur_model_free(m);
    keep(HOSTILE);
}

static void bits__every_prefix_of_a_model_is_refused(void **state)
{
    (void)state;
    ur_model *m;
    make_whole_model();
    for (size_t n = 0; n < size; n++) {
        memory_file(HOSTILE, bytes, n);
        heap_mark();
        assert_refused(ur_model_load(&m, HOSTILE), UR_EFORMAT, "");
    }
    print_message("%zu prefixes of a model refused\n", size);
}

/* Loaded or refused, in the sizes that the file has. */
static bool load_model(size_t bit)
{
    ur_model *m;
    heap_mark();
    ur_status status = ur_model_load(&m, HOSTILE);
    if (status == UR_OK) {
        assert_int_equal(ur_params_size(ur_model_params(m)) * 4, DATA);
        assert_int_equal(ur_vocab_size(ur_model_vocab(m, NULL)), 4);
        ur_model_free(m);
        return true;
    }
    assert_null(m);
    if (status != UR_EFORMAT && status != UR_EVERSION && status != UR_ENUMERIC)
        fail_msg("bit %zu of byte %zu: %s: %s", bit % 8, bit / 8, ur_status_name(status),
                 ur_errmsg());
    assert_refused(status, status, "");
    return false;
}

static void bits__no_flipped_bit_of_a_model_does_harm(void **state)
{
    (void)state;
    size_t header = 8 * (size - DATA), step = getenv("UNROLL_ALL_BITS") ? 1 : 61;
    size_t tried = 0, loaded = 0;
    memory_file(HOSTILE, bytes, size);
    for (size_t bit = 0; bit < 8 * size; bit += bit < header ? 1 : step, tried++) {
        flip(bit);
        loaded += load_model(bit);
        flip(bit);
    }
    print_message("%zu bits of a model flipped: %zu refused, %zu loaded in the same sizes\n", tried,
                  tried - loaded, loaded);
    ur__free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(bits__every_prefix_of_a_state_is_refused, hostile_check),
        cmocka_unit_test(bits__every_flipped_bit_of_a_state_is_found),
        cmocka_unit_test_teardown(bits__impossible_progress_is_refused, hostile_check),
        cmocka_unit_test_teardown(bits__every_prefix_of_a_model_is_refused, hostile_check),
        cmocka_unit_test_teardown(bits__no_flipped_bit_of_a_model_does_harm, hostile_check),
    };
    return cmocka_run_group_tests_name("hostile bits", tests, hostile_set_up, hostile_tear_down);
}
