#!/bin/sh
# SPDX-License-Identifier: MIT
# On a terminal: the line that changes in place, and where the prompt comes to stand.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
script -qec true /dev/null >/dev/null 2>&1 </dev/null || {
    note "no script(1) that makes a terminal"
    exit 77
}
text some.txt

# terminal COMMAND: runs it on a terminal of 80 columns; leaves lines in screen.
terminal() {
    TERM=xterm NO_COLOR=1 script -qec "stty cols 80; $1" /dev/null </dev/null >raw ||
        not_ok "status $? of: $1"
    tr -s '\r' '\n' <raw >screen
}

# The bar shows the share of what ends the run first, be it the time.
for seconds in 2 8 32; do   # the line must be drawn within the last fifth of it
    terminal "'$UNROLL' train some.txt --hidden 16 --layers 1 --epochs 1e6 --time ${seconds}s \
        -o m --force"
    ! grep -q '\] *[89][0-9] %' screen || break
done
has screen '^\[=.*\] *[0-9]* %  loss ' '\] *[89][0-9] %  loss '
terminal "'$UNROLL' train some.txt --hidden 16 --layers 1 --batch 4 --steps 600 -o steps"
has screen '\] 100 %  loss '

# A text that ends within a line is ended, so that the prompt begins one; in a pipe or a
# file it is left as it was drawn.
terminal "'$UNROLL' sample m.safetensors --length 1 --prime 'the'; echo prompt"
has screen '^prompt'
expect 0 "$UNROLL" sample m.safetensors --length 1 --prime the
[ "$(size out)" -eq 4 ] || not_ok "$(size out) bytes instead of 4"
terminal "'$UNROLL' sample m.safetensors --length 20000 --prime the --stop '
'; echo prompt"
grep -B 1 '^prompt' raw | head -n 1 | grep -q '[a-z]' || not_ok "an empty line is added"

finish
