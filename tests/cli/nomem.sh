#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory that runs out, by a limit on the process: status 4 and one sentence, no damage.
. "$(dirname "$0")/lib.inc"
text some.txt
(ulimit -v 4000000 && exec "$UNROLL" --version) >out 2>err ||
    { note "skipped: this shell or system sets no limit on memory"; exit 77; }

# limited KILOBYTES COMMAND...: within so much address space.
limited() {
    limit=$1
    shift
    (ulimit -v "$limit" && exec "$@")
}

# What the program needs to start, and a net that wants far more than the limit.
enough=400000
refuses 4 'this run needs .* GiB of memory' limited $enough "$UNROLL" train some.txt \
    --hidden 4096 --layers 2 --threads 1 --steps 1 -o large.safetensors -q
[ ! -e large.safetensors ] || not_ok "a model was written"

# Threads need room for their stacks.
refuses 4 'out of threads' limited $enough "$UNROLL" train some.txt --threads 200 --steps 1 \
    --hidden 8 -o large.safetensors -q

# From too little to enough: done, or status 4 with a sentence; what does not even start is the
# system's to tell.
head -c 1500 some.txt >short.txt
# shellcheck disable=SC2086  # TINY is a list of options
expect 0 "$UNROLL" train some.txt $TINY --hidden 300 --steps 2 -o m.safetensors || finish
cp m.safetensors kept.safetensors
awk 'BEGIN { for (i = 1; i < 90000; i++)
    printf "{\"kind\":\"step\",\"step\":%d,\"loss\":%g}\n", i, 1 / i }' >long.jsonl
done=0 refused=0
for command in info sample eval see plot; do
    case $command in
    sample) set -- sample m.safetensors --length 5 ;;
    eval) set -- eval m.safetensors short.txt --threads 1 ;;
    see) set -- see m.safetensors short.txt --find ;;
    plot) set -- plot long.jsonl ;;
    *) set -- info m.safetensors ;;
    esac
    kb=5000
    while [ $kb -lt 26000 ]; do
        kb=$((kb + 1000))
        runs limited $kb "$UNROLL" "$@"
        case $status in
        0) done=$((done + 1)) ;;
        4)
            refused=$((refused + 1))
            grep -q '^unroll: out of ' err || not_ok "$command says: $(cat err)"
            ;;
        126 | 127) ;;
        *) not_ok "$command within $kb kB: status $status: $(cat err)" ;;
        esac
    done
done
note "$done done, $refused refused"
[ $done -gt 0 ] && [ $refused -gt 0 ] || not_ok "$done done and $refused refused"
same m.safetensors kept.safetensors
finish
