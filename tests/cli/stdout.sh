#!/bin/sh
# SPDX-License-Identifier: MIT
# Standard output that takes no more: a reader that left is no failure and nothing is said; a
# full disk is named.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt
expect 0 "$UNROLL" train some.txt $TINY --steps 5 -o m.safetensors --log run.jsonl || finish
expect 0 "$UNROLL" train some.txt $TINY --steps 5 --task fill -o fill.safetensors || finish
yes 'the ___ sat' | head -n 300 >gaps.txt
# More than a pipe holds, and more than is printed at once.
head -n 5 some.txt >prime.txt
for i in 1 2 3 4 5 6 7 8 9 10; do cat prime.txt prime.txt >twice && mv twice prime.txt; done

# all COMMAND: runs it with each command line that prints.
all() {
    while read -r line; do
        # shellcheck disable=SC2086
        "$1" $line
    done <<'LINES'
--help
--version
help --man
help --man train
train --help
sample m.safetensors --length 20
sample m.safetensors --length 20000
sample m.safetensors --length 1 --prime-file prime.txt
sample m.safetensors --length 200 --num-samples 40
sample m.safetensors --length 20000 --json
eval m.safetensors some.txt
eval m.safetensors some.txt --json
predict fill.safetensors gaps.txt
predict fill.safetensors gaps.txt --json
plot run.jsonl
see m.safetensors some.txt -q
see m.safetensors some.txt -q --color always
see m.safetensors some.txt -q --json
see m.safetensors some.txt --find
info
info m.safetensors
info m.safetensors --json
bench --cell lstm --hidden 4 --layers 1 --batch 1 --seq-length 2 --seconds 0.001 --threads 1
train some.txt --dry-run --steps 5 --hidden 8 --layers 1 --threads 1
train some.txt --steps 5 --hidden 8 --layers 1 --threads 1 -q --force --json -o json
LINES
}

# ---- nobody reads --------------------------------------------------------
# Descriptor 5 is a pipe whose reader has left before anything is written.
mkfifo pipe
exec 4<>pipe
exec 5>pipe
exec 4<&-
left() {
    status=0
    "$UNROLL" "$@" >&5 2>err </dev/null || status=$?
    [ "$status" -eq 0 ] || not_ok "nobody reads, status $status: $*"
    [ ! -s err ] || not_ok "nobody reads: $* says $(cat err)"
}
all left
status=0
"$UNROLL" sample m.safetensors --prime - --length 1 >&5 2>err <prime.txt || status=$?
[ "$status" -eq 0 ] && [ ! -s err ] || not_ok "--prime -: status $status, $(cat err)"
exec 5>&-

# ---- a full disk ---------------------------------------------------------
if [ -c /dev/full ]; then
    full() {
        status=0
        "$UNROLL" "$@" >/dev/full 2>err </dev/null || status=$?
        [ "$status" -eq 5 ] || not_ok "full, status $status: $*"
        [ "$(cat err)" = 'unroll: cannot write to standard output: no space left on device' ] ||
            not_ok "full: $* says $(cat err)"
    }
    all full
else
    note "no /dev/full"
fi

finish
