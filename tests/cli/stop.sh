#!/bin/sh
# SPDX-License-Identifier: MIT
# Signals: the first saves and says how to go on, and what is resumed ends in the same
# bytes as what never stopped.
# shellcheck disable=SC2086  # TINY and LONG are lists of options
. "$(dirname "$0")/lib.inc"
text some.txt
LONG="--hidden 32 --layers 2 --batch 8 --seq-length 32 --threads 1 --steps 1600"

# until_step FILE: waits until a log has a step, 10 seconds at most.
until_step() {
    waited=0
    while ! grep -qs '"step": *[1-9]' "$1"; do
        waited=$((waited + 1))
        [ "$waited" -lt 200 ] || return 1
        sleep 0.05
    done
}

expect 0 "$UNROLL" train some.txt $LONG -q -o whole.safetensors || finish

# SIGTERM, then --resume as many times as it takes.
"$UNROLL" train some.txt $LONG -o 'a b.safetensors' --log run.log >out 2>err </dev/null &
pid=$!
until_step run.log || not_ok "no step in 10 seconds"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 143 ] || not_ok "SIGTERM: status $status"
has err 'go on with: .*unroll train some.txt .*--resume$' "-o 'a b.safetensors'"
[ -s 'a b.state' ] || not_ok "no state was saved"
grep -q '"kind": *"end"' run.log && not_ok "the run ended before it was stopped"
before=$(wc -l <run.log)
expect 0 "$UNROLL" train some.txt $LONG -q -o 'a b.safetensors' --log run.log --resume
same 'a b.safetensors' whole.safetensors
same 'a b.last.safetensors' whole.last.safetensors
[ "$(wc -l <run.log)" -gt "$before" ] || not_ok "the log did not go on"
first=$(sed -n "$((before + 1)),\$p" run.log | grep '"kind": *"step"' | head -n 1 |
    sed 's/.*"step": *\([0-9]*\).*/\1/')
[ "${first:-0}" -gt 1 ] || not_ok "the resumed run began at step ${first:-none}"

# timeout(1) signals its child and then the child's group: one wish to stop, not two.
rm -f run.log
"$UNROLL" train some.txt --hidden 128 --layers 2 --batch 64 --seq-length 64 --threads 1 \
    --epochs 100000 -o twice --log run.log >out 2>err </dev/null &
pid=$!
until_step run.log || not_ok "no step in 10 seconds"
kill -TERM "$pid"
sleep 0.02
kill -TERM "$pid" 2>kill.err
status=0
wait "$pid" || status=$?
[ "$status" -eq 143 ] || not_ok "SIGTERM twice: status $status"
has err '--resume$'
[ -s twice.state ] || not_ok "SIGTERM twice: no state was saved"

# Of a finished run it says so.
expect 0 "$UNROLL" train some.txt $LONG -o whole.safetensors --resume
has err 'finished'
# Without a state it starts anew and says so.
expect 0 "$UNROLL" train some.txt $TINY --steps 3 -o new.safetensors --resume
rm -f new.*
expect 0 "$UNROLL" train some.txt --hidden 8 --layers 1 --steps 3 -o new.safetensors --resume
has err 'anew\|start'

# SIGINT: a job in the background ignores it, so another program sends it.
if command -v timeout >/dev/null 2>&1 && timeout --preserve-status 5 true 2>/dev/null; then
    status=0
    timeout --preserve-status -s INT 1 "$UNROLL" train some.txt --hidden 64 --batch 8 \
        --threads 1 --epochs 100000 -o int.safetensors >out 2>err || status=$?
    [ "$status" -eq 130 ] || not_ok "SIGINT: status $status"
    has err '--resume$'
    [ -s int.state ] || not_ok "SIGINT: no state was saved"
fi

finish
