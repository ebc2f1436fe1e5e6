#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the tests with the other compiler (clang, or gcc where clang built the
# rest) and runs them: the stored results they compare with are the same bits.
#
#   compilers.sh ID    ID: what built the rest, in CMake's words (GNU, Clang)
#
# Environment: SOURCE_DIR, BUILD_DIR, GENERATOR, UNROLL_DATA. Exits 77 where there
# is no other compiler.
set -eu

case ${1-} in
*Clang) other=gcc ;;
*) other=clang ;;
esac
if ! command -v "$other" >/dev/null 2>&1; then
    echo "skipped: $other is not installed"
    exit 77
fi
folder=$BUILD_DIR/$other

# The outer make's job slots are not for the make below it.
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS || true
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

cmake -S "$SOURCE_DIR" -B "$folder" -G "$GENERATOR" \
    -DCMAKE_C_COMPILER="$other" -DUNROLL_WERROR=ON \
    -DUNROLL_TESTS=ON -DUNROLL_TEST_NESTED=OFF -DUNROLL_DATA="$UNROLL_DATA"
cmake --build "$folder" --parallel "$jobs"

cd "$folder"
ctest --output-on-failure --parallel "$jobs" --no-tests=error \
    --label-regex '^(unit|numeric)$'
