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
    TERM=xterm NO_COLOR=1 script -qec "stty cols ${columns:-80}; $1" /dev/null </dev/null >raw ||
        not_ok "status $? of: $1"
    tr -s '\r' '\n' <raw | sed "s/$(printf '\033')\[K//g" >screen
}

# The bar shows the share of what ends the run first, be it the time.
for seconds in 2 8 32; do   # the line must be drawn within the last fifth of it
    terminal "'$UNROLL' train some.txt --hidden 16 --layers 1 --epochs 1e6 --time ${seconds}s \
        -o m --force"
    ! grep -q "\] *[89][0-9] %  loss " screen || break
done
has screen '^\[=.*\] *[0-9]* %  loss ' '\] *[89][0-9] %  loss '
terminal "'$UNROLL' train some.txt --hidden 16 --layers 1 --batch 4 --steps 600 -o steps"
has screen '\] 100 %  loss '

# Lines fit the window; what is least useful goes first.
long='--hidden 8 --layers 1 --batch 4 --steps 600 --seq-length 9 --eval-every 100'
for columns in 120 80 70 60 50 40 30 20; do
    terminal "'$UNROLL' train some.txt $long --force -o fit"
    grep -e 'val ' -e 'loss ' screen >lines
    [ "$(awk '{ if (length($0) > n) n = length($0) } END { print n + 0 }' lines)" -le $columns ] ||
        not_ok "$columns columns: $(awk -v n=$columns 'length($0) > n' lines | head -n 1)"
    has lines '%  loss [0-9.]*' 'val [0-9]\.[0-9]*'
    case $columns in
    120) has lines '\].*|g|.*/s.*left' '^epoch.*step.*loss.*val.*bits.*/s  best' ;;
    60) has lines 'bits/char.* left$' '^step.*loss.*val.*bits/char\|^epoch.*loss.*val.*bits' ;;
    40) has lines '%  loss [0-9.]*  [0-9.]* bits/char' 'val [0-9.]*  [0-9.]* bits/char  best' ;;
    esac
done
columns=80
# Where standard error is no terminal only COLUMNS cuts lines.
for columns in 80 50; do
    expect 0 env COLUMNS=$columns "$UNROLL" train some.txt $long --force -v -o fit
    [ "$(grep -e 'val ' -e 'loss ' err | awk '{ print length($0) }' | sort -n | tail -n 1)" \
        -le $columns ] || not_ok "COLUMNS=$columns: a line is too long"
done
expect 0 env -u COLUMNS "$UNROLL" train some.txt $long --epochs 1e6 --force -v -o fit
has err '^step .*loss .*bits.*|g|.*/s  .* left$' '^epoch.*step.*loss.*val.*bits.*/s'
expect 0 env COLUMNS=80 "$UNROLL" train some.txt $long --best accuracy --force -o fit
has err '^epoch.*step .*val [0-9.]*  .*accuracy 0.*  best$'
unset columns

# Colours: as many as the terminal has, none on one that has none.
colors() {
    script -qec "env -u NO_COLOR -u COLORTERM -u TERM $1 '$UNROLL' see m.safetensors some.txt \
        --limit 40 -q" /dev/null </dev/null >raw || not_ok "status $? with $1"
}
escape=$(printf '\033')
true_color="$escape\\[38;2;0;0;0;48;2;"
cube="$escape\\[38;5;16;48;5;[0-9]*m"
plain="$escape\\[\(30;107\|30;10[14]\|97;4[14]\)m"
for how in 'TERM=xterm COLORTERM=truecolor' 'TERM=xterm COLORTERM=24bit' 'TERM=xterm-direct'; do
    colors "$how"
    has raw "$true_color"
done
for how in 'TERM=xterm-256color' 'TERM=screen-256color COLORTERM=yes'; do
    colors "$how"
    has raw "$cube"
    grep -q "$true_color" raw && not_ok "$how: too many colours"
done
for how in 'TERM=xterm' 'TERM=linux COLORTERM='; do
    colors "$how"
    has raw "$plain"
    grep -q -e "$true_color" -e "$cube" raw && not_ok "$how: too many colours"
done
for how in 'TERM=dumb' 'X=1' 'TERM= COLORTERM=truecolor' 'TERM=xterm NO_COLOR=1' \
    'TERM=dumb COLORTERM=truecolor'; do
    colors "$how"
    grep -q "$escape" raw && not_ok "$how: colours"
    runs script -qec "env -u NO_COLOR -u TERM $how '$UNROLL' train some.txt --steps 3 --hidden 8 \
        --layers 1 --force -o fit" /dev/null
    case $how in *NO_COLOR*) continue ;; esac
    grep -q "$escape" out && not_ok "$how: escapes of a moving line"
done
true

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
