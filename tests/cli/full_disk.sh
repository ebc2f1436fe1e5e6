#!/bin/sh
# SPDX-License-Identifier: MIT
# A real file system of 1 MiB that becomes full while a training writes to it, and has room
# again, or has not. Mounting one takes root, or a user namespace; without, it is skipped.
# shellcheck disable=SC2086  # NET is a list of options
if [ -z "${FULL_DISK-}" ]; then
    FULL_DISK=$(mktemp -d "${TMPDIR:-/tmp}/unroll-full.XXXXXX") || exit 1
    export FULL_DISK
    inside='mount -t tmpfs -o size=1m unroll "$FULL_DISK" && exec sh "$0"'
    status=77
    if unshare -m sh -c true 2>/dev/null && unshare -m sh -c \
        'mount -t tmpfs -o size=1m unroll "$FULL_DISK"' 2>/dev/null; then
        unshare -m sh -c "$inside" "$0"
        status=$?
    elif unshare -rm sh -c 'mount -t tmpfs -o size=1m unroll "$FULL_DISK"' 2>/dev/null; then
        unshare -rm sh -c "$inside" "$0"
        status=$?
    else
        echo "skipped: no file system can be mounted here (it takes root or user namespaces)"
    fi
    rmdir "$FULL_DISK"
    exit "$status"
fi

. "$(dirname "$0")/lib.inc"
text some.txt
NET="--hidden 24 --layers 1 --batch 4 --seq-length 16 --threads 1 --steps 4000 --eval-every 50 -q"
M=$FULL_DISK/m

# The last bytes too: dd stops where no block fits any more.
fill() {
    dd if=/dev/zero of="$FULL_DISK/filler" bs=4096 2>/dev/null
    dd if=/dev/zero of="$FULL_DISK/filler" bs=1 oflag=append conv=notrunc 2>/dev/null
    true
}

expect 0 "$UNROLL" train some.txt $NET -o whole.safetensors || finish

# ---- full for a while ----------------------------------------------------
paced some.txt $NET -o "$M"
read_log [ -s "$M.state" ]
fill
read_log grep -q 'warning: cannot write .*no space left on device' err
ls "$FULL_DISK" | grep -q tmp && sleep 0.1 && ls "$FULL_DISK" | grep -q tmp &&
    not_ok "temporary files fill the full disk: $(ls "$FULL_DISK")"
rm "$FULL_DISK/filler"
ends 0
for end in .safetensors .last.safetensors .state; do
    same "$M$end" whole$end
done

# ---- full to the end -----------------------------------------------------
rm -f "$FULL_DISK"/*
paced some.txt $NET -o "$M"
read_log [ -s "$M.state" ]
fill
ends 5
has err '^unroll: cannot write .*no space left on device; the state of step [0-9]* is on disk' \
    '--resume'
ls "$FULL_DISK" | grep -q -e tmp -e lock && not_ok "left behind: $(ls "$FULL_DISK")"
rm "$FULL_DISK/filler"
expect 0 "$UNROLL" train some.txt $NET -o "$M" --resume
for end in .safetensors .last.safetensors .state; do
    same "$M$end" whole$end
done

# ---- full from the start -------------------------------------------------
rm -f "$FULL_DISK"/*
fill
expect 5 "$UNROLL" train some.txt $NET -o "$M" --steps 1
has err '^unroll: cannot write .*no space left on device; no state is on disk'
rm -f "$FULL_DISK"/*

# ---- a log that is full for a while --------------------------------------
# Paced by its lines for people, since it is the log that is full.
expect 0 "$UNROLL" train some.txt $NET -o short.safetensors --steps 2000
mkfifo steps.pipe
: >log.read
"$UNROLL" train some.txt ${NET% -q} -v --steps 2000 -o log --log "$FULL_DISK/run.jsonl" \
    2>steps.pipe >out </dev/null &
pid=$!
exec 3<steps.pipe
read_log [ -s "$FULL_DISK/run.jsonl" ]
kill -STOP "$pid"
dd if=/dev/zero of="$FULL_DISK/filler" bs=4096 2>/dev/null
kill -CONT "$pid"
read_log grep -q 'warning: cannot write the log' log.read
kill -STOP "$pid"
rm "$FULL_DISK/filler"
kill -CONT "$pid"
ends 5
has log.read 'line.* lost'
[ "$(tail -n 1 "$FULL_DISK/run.jsonl" | grep -c '"kind":"end"')" -eq 1 ] ||
    not_ok "the log did not go on"
[ "$(grep -c '^{.*}$' "$FULL_DISK/run.jsonl")" -eq "$(wc -l <"$FULL_DISK/run.jsonl")" ] ||
    not_ok "the log has a line that is none"
same log.safetensors short.safetensors

finish
