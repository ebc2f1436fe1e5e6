#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the tests under a sanitizer and runs them.
#
#   sanitize.sh address           address, leak and undefined behaviour: all programs
#   sanitize.sh thread [REGEX]    data races: the programs whose name matches
#   sanitize.sh memory            reads of what was never written (clang): all programs
#   sanitize.sh valgrind REGEX    the same and more by emulation, without a rebuilt libc: the
#                                 programs whose name matches, with the kernels valgrind knows
#
# Environment: SOURCE_DIR, BUILD_DIR, CC, GENERATOR, UNROLL_DATA. Exits 77 where
# the compiler has no such sanitizer, or where it does not run.
set -eu

kind=$1
match=${2-}
link=
case $kind in
address) flags=address,undefined folder=$BUILD_DIR/asan ;;
thread) flags=thread folder=$BUILD_DIR/tsan ;;
memory)
    # zlib is not instrumented: tests/support/msan.c speaks for it.
    flags=memory folder=$BUILD_DIR/msan link=-Wl
    for name in gzopen gzwrite gzclose deflate inflate; do
        link=$link,--wrap=$name
    done
    "$CC" --version 2>/dev/null | grep -q clang || CC=clang
    ;;
valgrind) flags='' folder=$BUILD_DIR/valgrind ;;
*) echo "usage: sanitize.sh address | thread [REGEX] | memory | valgrind REGEX" >&2; exit 2 ;;
esac

# The outer make's job slots are not for the make below it.
unset MAKEFLAGS MFLAGS MAKELEVEL || true
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

run=
if [ "$kind" = valgrind ]; then
    if ! command -v valgrind >/dev/null 2>&1; then
        echo "skipped: valgrind is not installed"
        exit 77
    fi
else
    probe=$(mktemp -d)
    trap 'rm -rf "$probe"' EXIT
    echo 'int main(void) { return 0; }' >"$probe/probe.c"
    if ! "$CC" "-fsanitize=$flags" -o "$probe/probe" "$probe/probe.c" 2>"$probe/log"; then
        echo "skipped: $CC cannot link -fsanitize=$flags"
        exit 77
    fi
    # Kernels that randomise addresses widely break older thread and memory sanitizers.
    if ! "$probe/probe" >/dev/null 2>&1; then
        run="setarch $(uname -m) -R"
        if ! $run "$probe/probe" >/dev/null 2>&1; then
            echo "skipped: a program built with -fsanitize=$flags does not run here"
            exit 77
        fi
    fi
fi

ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
UBSAN_OPTIONS=print_stacktrace=1
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

cmake -S "$SOURCE_DIR" -B "$folder" -G "$GENERATOR" \
    -DCMAKE_C_COMPILER="$CC" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_EXE_LINKER_FLAGS="$link" \
    -DUNROLL_SANITIZE="$flags" -DUNROLL_TESTS=ON -DUNROLL_TEST_NESTED=OFF \
    -DUNROLL_TEST_MATCH="$match" -DUNROLL_DATA="$UNROLL_DATA" \
    -DUNROLL_SHARED=OFF -DUNROLL_CLI=OFF -DUNROLL_EXAMPLES=OFF
cmake --build "$folder" --target unroll_tests --parallel "$jobs"

cd "$folder"
if [ "$kind" = valgrind ]; then
    # Its leak check knows no pointer into a block but those at its start, which the library's own
    # are not: what is "possibly lost" is none of its matters.
    export SOURCE_DIR UNROLL_DATA
    work=$folder/work
    rm -rf "$work"
    mkdir -p "$work"
    cd "$work"
    find "$folder/tests" -maxdepth 1 -type f \( -name 'test_*' -o -name 'double_*' \) -perm -u+x |
        grep -E "/(test|double)_[^/]*($match)[^/]*$" | sort >programs
    failed=0
    while read -r program; do
        echo "valgrind: ${program##*/}"
        valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
            --show-leak-kinds=definite --fair-sched=yes --track-origins=yes \
            "$program" >log 2>&1 || { cat log; failed=$((failed + 1)); }
    done <programs
    [ -s programs ] && [ "$failed" -eq 0 ]
    exit
fi
$run ctest --output-on-failure --parallel "$jobs" --no-tests=error \
    --label-regex '^(unit|numeric)$'
