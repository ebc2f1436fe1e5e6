/* SPDX-License-Identifier: MIT */
#include "metric/uniform.h"

#include <math.h>

double ur__uniform_loss(int n)
{
    return log((double)n);
}
