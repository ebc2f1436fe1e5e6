/* SPDX-License-Identifier: MIT */
/* The library in double against PyTorch in double. */
#include "golden.h"

static void nets__compute_what_pytorch_does(void **unused)
{
    (void)unused;
    golden_nets(1e-9);
}

/* Clipping by norm is g·c/‖g‖ here and g·c/(‖g‖ + 1e-6) there: docs/MATH.md. */
static void training__has_pytorchs_losses(void **unused)
{
    (void)unused;
    golden_runs(1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets__compute_what_pytorch_does),
        cmocka_unit_test(training__has_pytorchs_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
