#!/bin/sh
# SPDX-License-Identifier: MIT
# The NEON kernels, computed by an emulator of 64-bit ARM: the floors that need no other
# library are built for it, statically.
#
#   neon.sh bits    the cases of neon/*.c (each kernel, each function over all floats, whole
#                   recurrent nets) must give the bits they give here, with each table of
#                   either machine and each compiler that builds for ARM
#   neon.sh units   the unit tests of these floors must pass (with neon/cmocka.h for cmocka)
#
# Environment: SOURCE_DIR; BITS, the cases built for this machine; FLAGS of the compiler.
# Exits 77 where the emulator or a compiler for ARM is absent.
set -eu

kind=$1
target=aarch64-linux-gnu
have() { command -v "$1" >/dev/null 2>&1; }

if "$BITS" | grep -q '^neon$'; then
    echo "skipped: this machine runs the NEON kernels itself, and the unit tests them"
    exit 77
fi
emulator=''
for name in qemu-aarch64 qemu-aarch64-static; do
    if have "$name"; then emulator=$name; fi
done
if [ -z "$emulator" ] || ! have "$target-gcc"; then
    echo "skipped: $target-gcc or qemu-aarch64 is not installed (scripts/deps.sh --dev)"
    exit 77
fi

floors='base kernel rnn tape layer'
units='base team kernel* tape* rnn* layer*'
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
work=$(pwd)
export SOURCE_DIR FLAGS work emulator
rm -rf gcc clang ./*.bits ./*.log

# each COMMAND: for each word of the input, $1 of the command, on all cores.
each() {
    xargs -P "$jobs" -n 1 sh -ec "$1" sh
}

# build NAME COMPILER: NAME/unroll.a and NAME/bits.
build() {
    folder=$work/$1 compiler=$2
    export folder compiler
    mkdir "$folder"
    cd "$SOURCE_DIR"
    for floor in $floors; do
        ls "src/$floor/"*.c
    done | each '
        object=$(echo "${1#src/}" | tr / -)
        $compiler -std=c11 -O3 $FLAGS -DUR__HAVE_NEON=1 -Iinclude -Isrc -c "$1" \
            -o "$folder/${object%.c}.o"'
    "$target-ar" rcs "$folder/unroll.a" "$folder/"*.o
    $compiler -std=c11 -O2 $FLAGS -Iinclude -Isrc -Itests/neon tests/neon/*.c "$folder/unroll.a" \
        -static -pthread -lm -o "$folder/bits"
    cd "$work"
}

# ---- the unit tests ------------------------------------------------------

build gcc "$target-gcc"
if [ "$kind" = units ]; then
    folder=$work/gcc compiler=$target-gcc
    cd "$SOURCE_DIR"
    # shellcheck disable=SC2086  # patterns
    for unit in $units; do
        ls tests/test_$unit.c
    done | each '
        program=$(basename "$1" .c)
        $compiler -std=c11 -O2 $FLAGS -Itests/neon -Iinclude -Isrc -Itests "$1" \
            tests/support/faults.c "$folder/unroll.a" -static -pthread -lm -o "$folder/$program"
        cd "$work"
        "$emulator" "$folder/$program" >"$program.log" ||
            { echo "$program:"; tail -n 3 "$program.log"; exit 1; }'
    grep -h ' ULP ' "$work"/*.log
    exit 0
fi

# ---- the cases -----------------------------------------------------------

compilers=gcc
if have clang && echo 'int main(void) { return 0; }' |
    clang "--target=$target" -static -x c - -o probe 2>probe.log; then
    build clang "clang --target=$target"
    compilers='gcc clang'
fi

failed=0
first=''
# compare OUTPUT: with the first one; names the cases that differ.
compare() {
    if [ -z "$first" ]; then
        first=$1
        return
    fi
    if ! cmp -s "$first" "$1"; then
        failed=1
        echo "$1 differs from $first in $(diff "$first" "$1" | grep -c '^>') cases:"
        diff "$first" "$1" | sed -n 's/^> \([^ ]*\) .*/  \1/p' | head -n 20
    fi
}

for table in $("$BITS"); do
    "$BITS" "$table" >"here-$table.bits"
    compare "here-$table.bits"
done
for compiler in $compilers; do
    for table in $("$emulator" "$compiler/bits"); do
        "$emulator" "$compiler/bits" "$table" >"arm-$compiler-$table.bits"
        compare "arm-$compiler-$table.bits"
    done
    if [ ! -e "arm-$compiler-neon.bits" ]; then
        echo "$compiler: no table neon"
        exit 1
    fi
done
if [ "$failed" -eq 0 ]; then
    cases=$(grep -c ' [0-9a-f]\{16\}$' "$first")
    echo "$cases cases, the same in $(echo ./*.bits | sed 's|\./||g; s|\.bits||g')"
fi
grep -c ' unsupported$' "$first" | sed '/^0$/d; s/$/ cases are of options not built yet/'
exit $failed
