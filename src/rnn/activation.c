/* SPDX-License-Identifier: MIT */
/* Names of activations, and what an observer wants to know. */
#include <string.h>

#include "base/status.h"
#include "unroll/rnn.h"

static const char *const activations[] = {
    [UR_ACT_IDENTITY] = "identity", [UR_ACT_TANH] = "tanh", [UR_ACT_RELU] = "relu",
    [UR_ACT_SIGMOID] = "sigmoid", [UR_ACT_SATLIN] = "satlin",
};
enum { N_ACTIVATIONS = sizeof activations / sizeof *activations };

const char *ur_activation_name(ur_activation f)
{
    return (unsigned)f < N_ACTIVATIONS ? activations[f] : NULL;
}

bool ur_activation_find(const char *name, ur_activation *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    for (int i = 0; name && i < N_ACTIVATIONS; i++)
        if (!strcmp(activations[i], name)) {
            *out = (ur_activation)i;
            return true;
        }
    return false;
}

void ur_moments(size_t n, const ur_real *x, double *mean, double *variance)
{
    if (n > 0)
        UR__NEED_OR(x, "x", );
    UR__NEED_OR(mean, "mean", );
    UR__NEED_OR(variance, "variance", );
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    *mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *variance = n > 1 ? squares / (double)(n - 1) : 0;
}
