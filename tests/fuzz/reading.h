/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file of labelled examples. The first four say how:
 *
 *   [0]  bit 0 a label a step, if the format may have either; 1 unlabelled; 2 texts of any bytes;
 *        3 spool at 16 bytes; 4-5 the header; 6 a column is named; 7 groups
 *   [1]  reads give at most so many bytes; 0: all
 *   [2]  bits 0-2 steps or the scan, 3-6 numbers a step or of a window; 7 the format is to be told
 *   [3]  how many of the last bytes are the labels of pictures
 *
 * A set that is taken is read again with the labels that were found: the same, whichever way it
 * was cut into reads and wherever it was kept.
 */
#ifndef UR_TESTS_FUZZ_READING_H
#define UR_TESTS_FUZZ_READING_H

#include "fuzz.h"

/* What a fuzzer of that format does with an input. */
int fuzz_reading(const char *format, const uint8_t *data, size_t size);

#endif
