#!/bin/sh
# SPDX-License-Identifier: MIT
# What happens to files and streams while a training runs: a folder that goes and comes, a
# limit on the size of files, readers that leave, a second training, one that was killed.
# shellcheck disable=SC2086  # NET is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt
NET="--hidden 12 --layers 1 --batch 4 --seq-length 16 --threads 1 --steps 4000 --eval-every 50"

expect 0 "$UNROLL" train some.txt $NET -q -o whole.safetensors || finish

# ---- a folder that goes and comes ----------------------------------------
mkdir there
paced some.txt $NET -q -o there/m.safetensors
read_log [ -s there/m.state ]
mv there gone
read_log grep -q "no such file.*; training goes on, and the next checkpoint tries again" err
mv gone there
ends 0
same there/m.safetensors whole.safetensors
same there/m.last.safetensors whole.last.safetensors
same there/m.state whole.state

# ---- a limit on the size of files ----------------------------------------
if (ulimit -f 16) 2>/dev/null; then
    status=0
    (ulimit -f 16 && exec "$UNROLL" train some.txt $NET -q --steps 100 -o limit) >out 2>err ||
        status=$?
    [ "$status" -eq 5 ] || not_ok "a limit on files: status $status"
    has err '^unroll: cannot write .*file too large; no state is on disk'
    expect 0 "$UNROLL" train some.txt $NET -q --steps 100 -o limit --resume
    expect 0 "$UNROLL" train some.txt $NET -q --steps 100 -o free
    same limit.safetensors free.safetensors
fi

# ---- readers that leave --------------------------------------------------
{ "$UNROLL" train some.txt $NET -q --steps 200 -o reader --log - 2>err; echo $? >code; } |
    head -n 1 >out
[ "$(cat code)" -eq 0 ] || not_ok "the log's reader left: status $(cat code)"
has err 'warning: the reader of the log .* has gone'
[ -s reader.state ] || not_ok "the log's reader left: no state"
{ "$UNROLL" train some.txt $NET --steps 200 -v -o silent 2>&1 >/dev/null; echo $? >code; } |
    head -n 0 >out
[ "$(cat code)" -eq 0 ] || not_ok "nobody reads stderr: status $(cat code)"
same reader.safetensors silent.safetensors

# ---- two trainings, and one that was killed ------------------------------
"$UNROLL" train some.txt $NET -q --steps 1000000 -o one >out 2>err.one </dev/null &
pid=$!
wait_for [ -s one.state ]
refuses 5 "another training, process $pid, is writing one" "$UNROLL" train some.txt $NET -q \
    --steps 1000000 -o one --resume
kill -9 "$pid"
wait "$pid" 2>/dev/null
[ -e one.state.lock ] || not_ok "where is the lock of the killed one?"
echo x >one.safetensors.tmp-1-0
expect 0 "$UNROLL" train some.txt $NET --steps 1 -o one --force
has err 'removed [0-9]* unfinished files* of a run that was killed'
[ ! -e one.state.lock ] || not_ok "the lock stays"
[ ! -e one.safetensors.tmp-1-0 ] || not_ok "a stale file stays"

# ---- what weights alone are ----------------------------------------------
expect 0 "$UNROLL" train some.txt $NET --steps 2 -o from --init-from whole.safetensors
has err 'weights of whole.safetensors alone: steps, optimizer and learning rate begin anew'
expect 0 "$UNROLL" train some.txt $NET --steps 3 -o from --init-from whole.safetensors --resume
has err 'the weights of whole.safetensors are not read again'

# ---- a log that a crash cut ----------------------------------------------
expect 0 "$UNROLL" train some.txt $NET -q --steps 3 -o cut --log cut.jsonl
printf '{"kind":"step","st' >>cut.jsonl
expect 0 "$UNROLL" train some.txt $NET -q --steps 5 -o cut --log cut.jsonl --resume
[ "$(grep -c '^{.*}$' cut.jsonl)" -eq "$(wc -l <cut.jsonl)" ] || not_ok "a cut line stays"

finish
