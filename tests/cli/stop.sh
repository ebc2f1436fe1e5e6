#!/bin/sh
# SPDX-License-Identifier: MIT
# Signals: the first saves and says how to go on, and what is resumed ends in the same
# bytes as what never stopped.
# shellcheck disable=SC2086  # TINY and LONG are lists of options
. "$(dirname "$0")/lib.inc"
text some.txt
LONG="--hidden 32 --layers 2 --batch 8 --seq-length 32 --threads 1 --steps 1600"

has_step() {
    grep -q '"kind":"step"' log.read
}

expect 0 "$UNROLL" train some.txt $LONG -q -o whole.safetensors || finish

# SIGTERM, then --resume as many times as it takes.
paced some.txt $LONG -o 'a b.safetensors'
read_log has_step
kill -TERM "$pid"
ends 143
has err 'go on with: .*unroll train some.txt .*--resume$' "-o 'a b.safetensors'"
[ -s 'a b.state' ] || not_ok "no state was saved"
grep -q '"kind":"end"' log.read && not_ok "the run ended before it was stopped"
mv log.read run.log
before=$(wc -l <run.log)
expect 0 "$UNROLL" train some.txt $LONG -q -o 'a b.safetensors' --log run.log --resume
same 'a b.safetensors' whole.safetensors
same 'a b.last.safetensors' whole.last.safetensors
[ "$(wc -l <run.log)" -gt "$before" ] || not_ok "the log did not go on"
first=$(sed -n "$((before + 1)),\$p" run.log | grep '"kind":"step"' | head -n 1 |
    sed 's/.*"step": *\([0-9]*\).*/\1/')
[ "${first:-0}" -gt 1 ] || not_ok "the resumed run began at step ${first:-none}"

# timeout(1) signals its child and then the child's group: one wish to stop, not two. While the
# run is held both are waiting for it, so that they come at once.
paced some.txt $TINY --epochs 100000 -o twice
read_log has_step
kill -STOP "$pid"
kill -TERM "$pid"
kill -HUP "$pid"
kill -CONT "$pid"
status=0
cat <&3 >>log.read
exec 3<&-
wait "$pid" || status=$?
[ "$status" -eq 143 ] || [ "$status" -eq 129 ] || not_ok "two signals: status $status"
has err '--resume$'
[ -s twice.state ] || not_ok "two signals: no state was saved"

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
    for seconds in 1 4 16 64; do    # one that comes before the first step ends it at once
        status=0
        timeout --preserve-status -s INT "$seconds" "$UNROLL" train some.txt --hidden 64 \
            --batch 8 --threads 1 --epochs 100000 -o int.safetensors --force >out 2>err ||
            status=$?
        [ "$status" -eq 130 ] || not_ok "SIGINT: status $status"
        ! grep -q -e '--resume$' err || break
    done
    has err '--resume$'
    [ -s int.state ] || not_ok "SIGINT: no state was saved"
fi

finish
