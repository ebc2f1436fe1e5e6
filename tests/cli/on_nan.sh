#!/bin/sh
# SPDX-License-Identifier: MIT
# What the program says and does when numbers are no longer finite: a net that explodes at
# learning rate 4, but not at 2, and at 125 still.
. "$(dirname "$0")/lib.inc"
text some.txt
TINY=${TINY% -q}

explode() {
    code=$1
    shift
    # shellcheck disable=SC2086
    expect "$code" "$UNROLL" train some.txt $TINY --steps 120 -o m.safetensors --force \
        --cell rnn --activation relu --optimizer sgd --clip-norm 0 --schedule constant \
        --log log.jsonl "$@"
}

explode 6 --lr 4 --on-nan stop
has err '^unroll: diverged at step [0-9]*: the loss is nan: the carried state is nan at layer 0' \
    'nan at layer 0, h\[0,0\]; a lower learning rate or clipping may help$'
[ ! -e m.safetensors ] || not_ok "a diverged model was written"

explode 0 --lr 4
has err '^diverged at step .*; back to step 0 with half the learning rate (1 of 3 times)$' \
    '^back  *to a checkpoint 1 time because .* the learning rate is now 0.5 of its schedule$'
has log.jsonl '"kind":"note".*"text":"diverged at step .*; back to step 0 ' \
    '"kind":"end".*"skipped":0,"rollbacks":1'
# shellcheck disable=SC2046
[ $(grep -c '"kind":"step","step":1,' log.jsonl) -eq 2 ] || not_ok "no second first step"
rm -f m.*

explode 6 --lr 1000
has err '^unroll: diverged at step .*, after going back 3 times with half the learning rate; a l'
[ ! -e m.safetensors ] || not_ok "a diverged model was written"

explode 6 --lr 4 --on-nan skip
has err '^diverged at step .*; the step is skipped$' '^unroll: .*, as in the 99 steps before it'
has log.jsonl '"kind":"note".*; the step is skipped'

refuses 2 'on-nan' "$UNROLL" train some.txt --on-nan never
# Finite, but worse than a guess.
expect 0 "$UNROLL" train some.txt --hidden 16 --layers 1 --batch 4 --seq-length 16 --threads 1 \
    --lr 300 --schedule constant --steps 40 --eval-every 20 -o guess
has err 'warning: the validation loss, .* is far above the 3.* of guessing' \
    'wrote .*guess.safetensors .*, but it is worse than guessing'
grep -q ' best' err && not_ok "a loss worse than guessing is called best: $(cat err)"

finish
