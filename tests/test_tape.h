/* SPDX-License-Identifier: MIT */
/* What the tests of the tape share: a tape for each test, and reproducible numbers. */
#ifndef UR_TESTS_TEST_TAPE_H
#define UR_TESTS_TEST_TAPE_H

#include "testing.h"

#include "base/mem.h"
#include "tape/tape.h"

#define D(...) ((const int[]){__VA_ARGS__})
#define COUNT(a) (sizeof(a) / sizeof *(a))

static ur_tape *tape;

static int setup(void **state)
{
    (void)state;
    return ur_tape_new(&tape, NULL) == UR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    ur_tape_free(tape);
    tape = NULL;
    assert_int_equal(ur__mem_blocks(), 0);
    return 0;
}

static inline void fill(ur_real *x, size_t n, uint32_t stream, double low, double high)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (ur_real)(low + (high - low) * ur_random_uniform(9, stream, 0, (uint32_t)i));
}

#endif
