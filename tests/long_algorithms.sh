#!/bin/sh
# SPDX-License-Identifier: MIT
# Algorithms learnt at full length by the programs in examples/, from several starts. The
# figures stand in docs/COOKBOOK.md. The bits are the same everywhere, so none may fail.
set -u
programs=$(dirname "$UNROLL")/examples
for name in adding copy parity; do
    [ -x "$programs/$name" ] || { echo "skipped: $programs/$name was not built"; exit 77; }
done
failed=0

# learns COMMAND...: solved, and the last line says so.
learns() {
    "$programs/$@" >out || { failed=$((failed + 1)); echo "not solved: $*"; }
    tail -n 1 out
}

for seed in 1 2 3 4 5; do
    learns adding gru 200 4000 "$seed"
    learns adding lstm 200 4000 "$seed"
    learns parity rnn 16 10000 "$seed"
    learns parity gru 16 10000 "$seed"
    learns parity lstm 16 10000 "$seed"
    learns copy gru 10 6000 "$seed"
done
# What has no gates does not solve it with as many updates, else it would prove little.
"$programs/adding" rnn 200 4000 1 >out && { failed=$((failed + 1)); echo "rnn: solved?"; }
tail -n 1 out
learns copy gru 50 10000 1
learns copy lstm 10 6000 1
[ "$failed" -eq 0 ]
