#!/bin/sh
# SPDX-License-Identifier: MIT
# Every allocation of every scenario of tests/test_nomem*.c refused, once and with all that
# follow: about 90,000 refusals. A sanitized build of the same programs, if `make test` has left
# one, tries the two shorter ones as well.
set -u
build=$(dirname "$UNROLL")
UNROLL_NOMEM=all
export UNROLL_NOMEM
failed=0 found=0

# tries PROGRAM: it passes; its scenarios are shown.
tries() {
    [ -x "$1" ] || return 0
    found=$((found + 1))
    "$1" >out 2>&1 || { failed=$((failed + 1)); echo "failed: $1"; }
    grep -E ' refused|ERROR|FAILED|Sanitizer' out
}

tries "$build/tests/test_nomem"
tries "$build/tests/test_nomem_files"
tries "$build/tests/test_nomem_runs"
tries "$build/asan/tests/test_nomem"
tries "$build/asan/tests/test_nomem_files"
[ "$found" -ge 3 ] || { echo "skipped: the programs were not built"; exit 77; }
[ "$failed" -eq 0 ]
