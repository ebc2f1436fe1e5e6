/* SPDX-License-Identifier: MIT */
/* SipHash-2-4: a hash of bytes under a secret key, for tables whose keys are chosen by
 * strangers. J.-P. Aumasson, D. J. Bernstein: SipHash: a fast short-input PRF, 2012. */
#ifndef UR_BASE_SIPHASH_H
#define UR_BASE_SIPHASH_H

#include "unroll/base.h"

uint64_t ur__siphash(const uint64_t key[2], const void *bytes, size_t n);
/* A key that nobody can foresee; `object` is any address. It differs from call to call and
 * from run to run, so no result may depend on it. */
void ur__siphash_key(uint64_t key[2], const void *object);

#endif
