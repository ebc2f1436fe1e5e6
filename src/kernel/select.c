/* SPDX-License-Identifier: MIT */
/* Which table is in use. The choice depends on CPU and environment alone, so that
 * threads that make it at the same time make the same one. */
#include "kernel/select.h"

#include "base/status.h"
#include "kernel/isa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(const struct ur__kernel *) chosen;
static atomic_bool refused; /* UNROLL_ISA names a table that is unknown or cannot run here */

#if defined(UR__HAVE_AVX2) && !defined(UR_DOUBLE)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#if defined(UR__HAVE_AVX512) && !defined(UR_DOUBLE)
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("fma");
}
#endif

/* One list for each answer the CPU can give, each constant: no list is ever written. */
const struct ur__kernel *const *ur__kernels_available(void)
{
    static const struct ur__kernel *const all[] = {
#if defined(UR__HAVE_AVX512) && !defined(UR_DOUBLE)
        &ur__kernel_avx512,
#endif
#if defined(UR__HAVE_AVX2) && !defined(UR_DOUBLE)
        &ur__kernel_avx2,
#endif
#if defined(UR__HAVE_NEON) && !defined(UR_DOUBLE)
        &ur__kernel_neon,   /* part of 64-bit ARM: nothing to ask */
#endif
        &ur__kernel_scalar, NULL};
    const struct ur__kernel *const *list = all;
#if defined(UR__HAVE_AVX512) && !defined(UR_DOUBLE)
    if (!has_avx512())
        list++;
#endif
#if defined(UR__HAVE_AVX2) && !defined(UR_DOUBLE)
    /* A CPU with AVX-512 has AVX2 as well. */
    if (!has_avx2())
        list = all + sizeof all / sizeof *all - 2;
#endif
    return list;
}

static const struct ur__kernel *choose(void)
{
    const struct ur__kernel *const *list = ur__kernels_available();
    const char *name = getenv("UNROLL_ISA");
    const struct ur__kernel *k = NULL;
    for (int i = 0; name != NULL && *name != '\0' && list[i] != NULL; i++) {
        if (strcmp(list[i]->name, name) == 0)
            k = list[i];
    }
    atomic_store(&refused, k == NULL && name != NULL && *name != '\0');
    return k == NULL ? list[0] : k;
}

const struct ur__kernel *ur__kernel(void)
{
    const struct ur__kernel *k = atomic_load_explicit(&chosen, memory_order_acquire);
    if (k == NULL) {
        k = choose();
        atomic_store_explicit(&chosen, k, memory_order_release);
    }
    return k;
}

void ur__kernel_force(const struct ur__kernel *k)
{
    atomic_store(&refused, false);
    atomic_store(&chosen, k);
}

const char *ur_kernels(void)
{
    const struct ur__kernel *k = ur__kernel();
    if (atomic_load(&refused)) {
        ur__fail(UR_ENOTSUP, "UNROLL_ISA names no table of kernels for this machine; %s is used",
                 k->name);
        return NULL;
    }
    return k->name;
}
