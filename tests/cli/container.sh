#!/bin/sh
# SPDX-License-Identifier: MIT
# A run that a limit of memory has no room for ends with status 4 and one line, in advance;
# nobody kills it. In a control group, where one can be made.
# shellcheck disable=SC2086  # NET and others are lists of options
. "$(dirname "$0")/lib.inc"
text some.txt
NET="--layers 2 --batch 64 --seq-length 64 --threads 2 --steps 2 -q"

# with LIMIT COMMAND...: in a group of so many bytes.
with() {
    echo "$1" >"$group/$limit" || return 1
    shift
    sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" "$@"
}

# ---- a control group -----------------------------------------------------
# Ours lies below the one that this test is in.
path=$(sed -n 's/^[0-9]*:\(.*,\|\)memory\(,.*\|\)://p' /proc/self/cgroup 2>/dev/null)
if [ -n "$path" ]; then
    parent=/sys/fs/cgroup/memory$path
    limit=memory.limit_in_bytes
else
    parent=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null)
    limit=memory.max
fi
group=$parent/unroll-test-$$
if ! mkdir "$group" 2>/dev/null || ! [ -e "$group/$limit" ] || ! with 900M true 2>/dev/null; then
    rmdir "$group" 2>/dev/null
    note "skipped: no control group can be made here (it takes root)"
    exit 77
fi
trap 'rmdir "$group"; rm -rf "$tests_folder"' EXIT

refuses 4 'this run needs .* MiB of memory .* and there are' with 64M "$UNROLL" train some.txt \
    $NET --hidden 512 -o large
refuses 4 'there are' with 64M "$UNROLL" train some.txt $NET --hidden 512 --dry-run
[ ! -e large.safetensors ] || not_ok "a run without room has begun"

# The largest net that is let in lives; so does each smaller one.
trained=0
for hidden in 96 128 160 192 224 256 288 320 352 384 416 448; do
    runs with 64M "$UNROLL" train some.txt $NET --hidden "$hidden" -o fits --force
    [ "$status" -eq 0 ] || [ "$status" -eq 4 ] || not_ok "--hidden $hidden: status $status"
    [ "$status" -ne 4 ] || has err 'there are'
    [ "$status" -ne 0 ] || trained=$((trained + 1))
done
[ "$trained" -gt 2 ] && [ "$trained" -lt 12 ] || not_ok "$trained of 12 nets were trained"
note "$trained of 12 nets have room in 64 MiB, the others were refused"

finish
