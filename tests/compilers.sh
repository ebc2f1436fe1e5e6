#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds with the other compiler (clang, or gcc where clang built the rest), and what
# comes out must be the same bits. That build goes without zlib, which nothing but .gz needs.
#
#   compilers.sh ID programs    runs its tests: the stored results they compare with
#   compilers.sh ID models      trains, measures and draws with both compilers' programs,
#                               by 1 and 3 threads and each table of kernels, and
#                               compares what they write byte by byte
#   ID: what built the rest, in CMake's words (GNU, Clang)
#
# Environment: SOURCE_DIR, BUILD_DIR, GENERATOR, UNROLL, UNROLL_DATA. Exits 77 where
# there is no other compiler.
set -eu

case ${2-} in
programs | models) ;;
*) echo "usage: compilers.sh ID programs | models" >&2; exit 2 ;;
esac
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
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS UNROLL_ISA || true
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# build [OPTIONS OF cmake --build]
build() {
    cmake -S "$SOURCE_DIR" -B "$folder" -G "$GENERATOR" \
        -DCMAKE_C_COMPILER="$other" -DUNROLL_WERROR=ON \
        -DUNROLL_ZLIB=OFF -DUNROLL_TESTS=ON -DUNROLL_TEST_NESTED=OFF -DUNROLL_DATA="$UNROLL_DATA"
    cmake --build "$folder" --parallel "$jobs" "$@"
}

# ---- its tests -----------------------------------------------------------

if [ "$2" = programs ]; then
    build
    cd "$folder"
    exec ctest --output-on-failure --parallel "$jobs" --no-tests=error \
        --label-regex '^(unit|numeric)$'
fi

# ---- its models ----------------------------------------------------------

build --target unroll_cli >build.log 2>&1 || { cat build.log; exit 1; }
theirs=$folder/unroll
. "$(dirname "$0")/cli/lib.inc"
set +e
text some.txt

# Neither the library nor who links it asks for zlib, and .gz is refused.
grep -q zlib "$folder/unroll.pc" && not_ok "unroll.pc asks for zlib"
if command -v nm >/dev/null 2>&1; then
    nm -u "$theirs" | grep -E ' (inflate|crc32|gz)' && not_ok "the program needs zlib"
fi
gzip -c some.txt >some.txt.gz
refuses 3 'some.txt.gz is gzip, .*without zlib; convert it: gzip -dc FILE' \
    "$theirs" train some.txt.gz -o no

tables=''
for table in avx512 avx2 neon scalar; do
    if UNROLL_ISA=$table "$UNROLL" info >out 2>/dev/null; then
        tables="$tables $table"
        expect 0 env UNROLL_ISA="$table" "$theirs" info
        grep -q "^kernels  *$table\$" out || not_ok "$other: no $table"
    fi
done
best=${tables# }
best=${best%% *}

# The networks differ in all that has code of its own.
net() {
    case $1 in
    lstm) echo "--cell lstm --dropout 0.2 --forget-bias 1" ;;
    gru) echo "--cell gru --reset before --embed 24 --optimizer rmsprop --schedule step" ;;
    rnn) echo "--cell rnn --activation relu --init orthogonal --optimizer adagrad" ;;
    esac
}

compared=0
# alike A B: equal bytes, and there are some.
alike() {
    compared=$((compared + 1))
    [ -s "$1" ] || not_ok "$1 is empty"
    same "$1" "$2"
}

# produce PROGRAM TABLE THREADS CELL STEPS NAME: a model, what it measures, what it writes.
# shellcheck disable=SC2046  # the network is a list of options
produce() {
    program=$1 threads=$3 name=$6
    export UNROLL_ISA="$2"
    expect 0 "$program" train some.txt --hidden 48,32 $(net "$4") --batch 6 --seq-length 24 \
        --steps "$5" --eval-every 100 --seed 7 --threads "$threads" -q -o "$name.safetensors"
    expect 0 "$program" eval "$name.safetensors" some.txt --part val --threads "$threads" --json
    cp out "$name.eval"
    expect 0 "$program" sample "$name.safetensors" --length 400 --threads "$threads"
    cp out "$name.text"
    unset UNROLL_ISA
}

# Both compilers, all tables, 1 and 3 threads, against the first of them. The scalar table
# is slow: with it goes a first of fewer steps.
for cell in lstm gru rnn; do
    for table in $tables; do
        steps=200
        [ "$table" != scalar ] || steps=20
        first=$cell-$steps
        [ -e "$first.safetensors" ] || produce "$UNROLL" "$best" 1 "$cell" "$steps" "$first"
        for program in "$UNROLL" "$theirs"; do
            for threads in 1 3; do
                one=$cell-$table-$threads
                [ "$program" = "$UNROLL" ] || one=$one-$other
                produce "$program" "$table" "$threads" "$cell" "$steps" "$one"
                for ending in safetensors last.safetensors eval text; do
                    alike "$first.$ending" "$one.$ending"
                done
            done
        done
    done
    # Not all alike because nothing was learnt or drawn.
    cmp -s "$cell-200.safetensors" "$cell-20.safetensors" && not_ok "$cell: 180 steps did nothing"
done
note "$compared files compared, of 3 networks, 2 compilers, 1 and 3 threads, kernels:$tables"
finish
