#!/bin/sh
# SPDX-License-Identifier: MIT
# Strangers' files, the long way: headers of 16 MiB, every bit of a model, and 300,000
# mutants of each fuzzer's inputs.
set -eu

tests=$(dirname "$UNROLL")/tests
UNROLL_HOSTILE_MIB=16 "$tests/test_hostile_size"
UNROLL_ALL_BITS=1 "$tests/test_hostile_bits"
for source in "$SOURCE_DIR"/tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    printf '%s: ' "${name#fuzz_}"
    "$tests/fuzz/$name" -runs=300000 "$SOURCE_DIR/tests/fuzz/corpus/${name#fuzz_}"
done
