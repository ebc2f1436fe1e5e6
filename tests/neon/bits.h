/* SPDX-License-Identifier: MIT */
/*
 * A program that prints what one table of kernels computes, a line a case: its name and
 * a hash of all its results. Built for two machines it must print the same (neon.sh).
 *
 *   bits           names the tables this machine runs, best first
 *   bits TABLE     computes all cases with that table
 *
 * A case draws its numbers from a sequence that begins with its name, so cases may be
 * added and dropped without a trace in the others.
 */
#ifndef UR_TESTS_NEON_BITS_H
#define UR_TESTS_NEON_BITS_H

#include "kernel/kernel.h"

/* The cases: kernels.c, nets.c. */
void bits_of_kernels(const struct ur__kernel *k);
void bits_of_nets(void);    /* with the table in use */

/* ---- a case ---- */

void bits_begin(const char *format, ...);
/* Results, in order. A NaN, whose sign and payload mean nothing, equals any other. */
void bits_reals(const ur_real *x, size_t n);
void bits_double(double x);
void bits_end(void);
/* Instead of bits_end: what the library cannot do, and says so. */
void bits_end_unsupported(void);
/* Ends the program unless it is true. */
void bits_need(bool it, const char *what);

/* ---- its numbers ---- */

uint64_t bits_random(void);
int bits_below(int n);
void bits_fill(ur_real *x, size_t n, double lo, double hi);     /* uniform in [lo, hi) */
/* Of every kind: ordinary, of any magnitude, denormal, infinite, NaN, both zeros. */
void bits_fill_wildly(ur_real *x, size_t n);
ur_real bits_to_real(uint32_t bits);

#endif
