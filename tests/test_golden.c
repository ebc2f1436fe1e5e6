/* SPDX-License-Identifier: MIT */
/* The library in float against PyTorch in double. */
#include "golden.h"

static void nets__compute_what_pytorch_does(void **unused)
{
    (void)unused;
    golden_nets(1e-5);
}

static void training__has_pytorchs_losses(void **unused)
{
    (void)unused;
    golden_runs(1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets__compute_what_pytorch_does),
        cmocka_unit_test(training__has_pytorchs_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
