#!/bin/sh
# SPDX-License-Identifier: MIT
# Clips of moving digits, as examples/moving_digits.c makes them: the way of each, which only the
# order of its frames tells, and the digit in each frame.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

moving=$(dirname "$UNROLL")/examples/moving_digits
[ -x "$moving" ] || { note "skipped: the examples are not built"; exit 77; }

# Ten pictures of MNIST's size, each of another grey.
{
    printf '\0\0\010\003\0\0\0\012\0\0\0\034\0\0\0\034'
    for grey in 020 050 100 130 160 210 240 270 320 350; do
        head -c 784 /dev/zero | tr '\0' "\\$grey"
    done
} >d-images.idx3
printf '\0\0\010\001\0\0\0\012\0\1\2\3\4\5\6\7\010\011' >d-labels.idx1
expect 0 "$moving" d-images.idx3 clips 600 1
expect 0 "$moving" d-images.idx3 others 300 2
QUICK="--hidden 32 --threads 1 --batch 16 --epochs 30 -q"

# accuracy MODEL: on the other clips.
accuracy() {
    expect 0 "$UNROLL" eval "$1" others-images.idx4 --json
    sed -n 's/.*"accuracy":\([0-9.e-]*\).*/\1/p' out
}
is() {
    awk "BEGIN { exit !($1) }" || not_ok "$1"
}

expect 0 "$UNROLL" train clips-images.idx4 --task classify $QUICK -o way.safetensors
expect 0 "$UNROLL" train clips-images.idx4 --task classify $QUICK -o frame.safetensors --cell none
is "$(accuracy way.safetensors) >= 0.95"
is "$(accuracy frame.safetensors) <= 0.6"
expect 0 "$UNROLL" train clips-images.idx4 --task tag $QUICK --epochs 10 -o digit.safetensors
is "$(accuracy digit.safetensors) >= 0.4"
has out '"n":3000'
finish
