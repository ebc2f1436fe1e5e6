#!/bin/sh
# SPDX-License-Identifier: MIT
# A fuzzing campaign by libFuzzer, one fuzzer after the other, round after round.
#
#   cmake -S . -B build-fuzz -DCMAKE_C_COMPILER=clang -DUNROLL_FUZZ=ON
#   cmake --build build-fuzz --target unroll_fuzz
#   tests/fuzz/run.sh build-fuzz [SECONDS [ROUNDS [NAME...]]]
#
# SECONDS a fuzzer and round (60), ROUNDS (1), NAMEs of fuzzers (all). Several of these may
# run at once in build folders of their own. What is found worth keeping lies in
# BUILD/corpus/NAME and is where the next campaign begins. A line a fuzzer and round goes to
# BUILD/fuzz.log: name, executions, the largest file in memory (MiB), findings. A finding ends
# its fuzzer's turn and lies in BUILD/crash-NAME-*; exit status 1 if there was any.
#
#   tests/fuzz/run.sh build-fuzz total         sums the log: executions and findings by name
#   build-fuzz/tests/fuzz/fuzz_NAME FILE       one input again
#   build-fuzz/tests/fuzz/fuzz_NAME -merge=1 NEW tests/fuzz/corpus/NAME BUILD/corpus/NAME
set -eu

build=${1:?usage: run.sh BUILD [SECONDS [ROUNDS [NAME...]]]}
here=$(dirname "$0")
log=$build/fuzz.log

if [ "${2-}" = total ]; then
    awk '{ runs[$1] += $2; found[$1] += $4 }
         END { for (name in runs) printf "%-12s %12d executions, findings: %d\n", name, runs[name], found[name] }' \
        "$log" | sort
    exit 0
fi
seconds=${2-60}
rounds=${3-1}
if [ $# -gt 3 ]; then
    shift 3
    names=$*
else
    names=$(cd "$here" && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')
fi

# An allocation of the size that a file asks for must fail in the program, not end it.
ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=0
export ASAN_OPTIONS

status=0
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    for name in $names; do
        mkdir -p "$build/corpus/$name"
        found=0
        nice -n 19 "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 \
            -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 -reload=0 \
            -artifact_prefix="$build/crash-$name-" \
            "$build/corpus/$name" "$here/corpus/$name" >"$build/fuzz-$name.out" 2>&1 || found=1
        [ "$found" = 0 ] || status=1
        awk -v name="$name" -v found="$found" '
            /number_of_executed_units/ { runs = $2 }
            /peak_rss_mb/ { rss = $2 }
            END { print name, runs + 0, rss + 0, found }' "$build/fuzz-$name.out" >>"$log"
    done
done
exit "$status"
