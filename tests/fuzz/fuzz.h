/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share. Each is one file, fuzz_NAME.c, with LLVMFuzzerTestOneInput(),
 * and runs in two ways:
 *
 *   clang, -DUNROLL_FUZZ=ON   by libFuzzer, without end (run.sh)
 *   any compiler, make test   by driver.c: the inputs in corpus/NAME and mutants of them
 *
 * Every input is a property as well: what it took is given back, and a file that was
 * refused took no more memory than was promised.
 *
 * An input may begin with a plan of what fails while it is read: 0xff, with which none of
 * the formats begins, what fails, and when (two bytes, the low one first).
 */
#ifndef UR_TESTS_FUZZ_H
#define UR_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unroll/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with a line that says what, where and the last message. */
#define FUZZ_CHECK(cond) \
    ((cond) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #cond))
void fuzz_fail(const char *file, int line, const char *what);

/* Before anything else in the program: counting allocators, files in memory. Does its
 * work once. */
void fuzz_start(void);
/* Around each input. */
void fuzz_begin(void);
void fuzz_end(void);
/* A file of `size` bytes was refused: by a status that says so, with a message that is
 * one line of UTF-8, within the memory promised. */
void fuzz_refused(ur_status status, size_t size, size_t header);

/* ---- planned failures -------------------------------------------------- */

/* Bytes of the plan that the input begins with; 0: it has none. */
size_t fuzz_plan_size(const uint8_t *data, size_t size);
/* Takes the plan off the input and, if there is one, does the same work on the rest of it
 * twice: undisturbed and with the failure. That must end as the first did or with the status
 * of the failure; what no caller should see (interrupts, short reads) must change nothing. To
 * be called before fuzz_begin(). */
typedef ur_status (*fuzz_work)(const uint8_t *data, size_t size);
void fuzz_plan(const uint8_t **data, size_t *size, fuzz_work work);

/* ---- mutating (mutate.c) ----------------------------------------------- */

/* Mutates safetensors files as what they are: tokens of the header are exchanged,
 * offsets and lengths made right again, and sometimes not; so is the plan before them. The
 * first is libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t mutate_safetensors(uint8_t *data, size_t size, size_t max, unsigned seed);

/* Sets the eight digits of "checksum" to what the rest of the file asks for; keys: the metadata
 * that it covers (support/small_state.h). */
void fuzz_repair(uint8_t *data, size_t size, const char *const *keys);

/* Defined by the fuzzers whose input is such a file. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#endif
