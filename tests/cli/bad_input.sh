#!/bin/sh
# SPDX-License-Identifier: MIT
# Inputs and outputs that cannot be: the status says which side, one line says what.
. "$(dirname "$0")/lib.inc"
text some.txt

# ---- data ----------------------------------------------------------------
# shellcheck disable=SC2086  # TINY is a list of options
bad_data() {
    pattern=$1
    shift
    refuses 3 "$pattern" "$UNROLL" train $TINY --steps 2 -o data.safetensors "$@"
    [ ! -e data.safetensors ] || not_ok "a model was written: $*"
    rm -f data.safetensors data.state data.state.1 data.last.safetensors
}

bad_data 'nowhere.txt' nowhere.txt
bad_data "$tests_folder" "$tests_folder"
: >empty.txt
bad_data 'empty.txt' empty.txt
printf 'a' >one.txt
bad_data . one.txt
printf 'hello' >short.txt
bad_data . short.txt
head -c 60 some.txt >short.txt
bad_data . short.txt --batch 64
printf 'abc\377def' >broken.txt
cat some.txt >>broken.txt
bad_data 'token kind byte' broken.txt
has err 'broken.txt' '3'
bad_data 'token kind byte' some.txt broken.txt
gzip -c some.txt | head -c 500 >cut.txt.gz
if with_gzip; then
    bad_data 'cut.txt.gz: damaged gzip' cut.txt.gz
else
    bad_data 'cut.txt.gz is gzip, .* without zlib; convert it: gzip -dc FILE' cut.txt.gz
fi
bad_data 'novals.txt' some.txt --val novals.txt
printf '\342' >part.txt
bad_data 'part.txt: ends within the UTF-8 character at byte 0' part.txt
printf 'abc\377' >broken.txt
status=0
"$UNROLL" train - --steps 2 -o data.safetensors <broken.txt >out 2>err || status=$?
[ "$status" -eq 3 ] || not_ok "malformed standard input: status $status"
has err '^unroll: standard input: malformed UTF-8 at byte 3'
bad_data 'nomodel' some.txt --init-from nomodel.safetensors
# shellcheck disable=SC2086
expect 0 "$UNROLL" train some.txt $TINY --steps 0 -o other.safetensors
bad_data 'cannot start from other.safetensors: .* differ: hidden is 17, in the other 16$' \
    some.txt --init-from other.safetensors --hidden 17

# ---- models --------------------------------------------------------------
# shellcheck disable=SC2086
expect 0 "$UNROLL" train some.txt $TINY --steps 4 -o m.safetensors || finish
for command in sample info; do
    refuses 3 'nowhere.safetensors' "$UNROLL" "$command" nowhere.safetensors
    refuses 3 . "$UNROLL" "$command" some.txt
    refuses 3 . "$UNROLL" "$command" empty.txt
    refuses 3 . "$UNROLL" "$command" "$tests_folder"
done
refuses 3 . "$UNROLL" eval some.txt some.txt
refuses 3 . "$UNROLL" see some.txt some.txt
whole=$(size m.safetensors)
for part in 1 7 8 100 1000 $((whole / 2)) $((whole - 1)); do
    head -c "$part" m.safetensors >cut.safetensors
    refuses 3 'cut.safetensors' "$UNROLL" info cut.safetensors
    refuses 3 'cut.safetensors' "$UNROLL" sample cut.safetensors
done

# What a model file says of itself does not reach the terminal's escape sequences.
# shellcheck disable=SC2086
expect 0 "$UNROLL" train some.txt $TINY --steps 4 --schedule constant -o esc.safetensors
LC_ALL=C sed 's/constant/\\\\u001bX/' esc.safetensors >escape.safetensors
expect 0 "$UNROLL" info escape.safetensors
has out '^  schedule  *.*X$'
grep -q "$(printf '\033')" out && not_ok "an escape sequence of a model file is printed"

# ---- what a model has never seen -----------------------------------------
refuses 2 . "$UNROLL" sample m.safetensors --prime 'XYZ'
refuses 2 . "$UNROLL" sample m.safetensors --prime 'é'
printf 'the cat~' >unseen.txt
refuses 3 'unseen.txt' "$UNROLL" eval m.safetensors unseen.txt
refuses 3 'unseen.txt' "$UNROLL" see m.safetensors unseen.txt
status=0
"$UNROLL" see m.safetensors - <unseen.txt >out 2>err || status=$?
[ "$status" -eq 3 ] || not_ok "an unseen character in standard input: status $status"
has err '^unroll: standard input: character "~"'
refuses 2 '--layer 1' "$UNROLL" see m.safetensors some.txt --layer 1
refuses 2 '--unit 16' "$UNROLL" see m.safetensors some.txt --unit 16

# ---- outputs -------------------------------------------------------------
# shellcheck disable=SC2086
for output in some.txt/m.safetensors missing/m.safetensors; do
    refuses 5 "${output%.safetensors}" "$UNROLL" train some.txt $TINY --steps 2 -o "$output"
done
# shellcheck disable=SC2086
refuses 5 'm.safetensors' "$UNROLL" train some.txt $TINY --steps 2 -o m.safetensors
# shellcheck disable=SC2086
refuses 5 'missing/log' "$UNROLL" train some.txt $TINY --steps 2 -o n --log missing/log
: >there.log
# shellcheck disable=SC2086
refuses 5 'there.log' "$UNROLL" train some.txt $TINY --steps 2 -o n --log there.log
# shellcheck disable=SC2086
refuses 5 'directory' "$UNROLL" train some.txt $TINY --steps 2 -o n --log .
for file in n.*; do
    [ ! -e "$file" ] || not_ok "a run without its log leaves $file"
done
if [ -e /dev/null ]; then
    # shellcheck disable=SC2086
    expect 0 "$UNROLL" train some.txt $TINY --steps 2 -o null --log /dev/null
fi
# shellcheck disable=SC2086
expect 0 "$UNROLL" train some.txt $TINY --steps 2 -o m.safetensors --force
if [ -c /dev/full ]; then
    status=0
    "$UNROLL" info m.safetensors >/dev/full 2>err || status=$?
    [ "$status" -eq 5 ] || not_ok "a full disk: status $status"
    has err '^unroll: cannot write to standard output: no space'
    status=0
    # shellcheck disable=SC2086
    "$UNROLL" train some.txt $TINY --steps 2 -o n --log - >/dev/full 2>err || status=$?
    [ "$status" -eq 5 ] || not_ok "a full log: status $status"
    [ "$(wc -l <err)" -eq 2 ] || not_ok "a full log is not told at first and at the end: $(cat err)"
    has err '^unroll: warning: cannot write .*: no space.*; training continues' \
        '^unroll: cannot write .*: no space.* lines lost'
    rm -f n.*
fi

# ---- standard input that is closed ---------------------------------------
closed() {
    status=0
    "$UNROLL" "$@" >out 2>err <&- || status=$?
    [ "$status" -eq 3 ] || not_ok "closed standard input: status $status: $*"
    has err '^unroll: cannot read standard input: it is closed$'
}
# shellcheck disable=SC2086
closed train - $TINY -o n
closed sample m.safetensors -p -
closed eval m.safetensors -
closed see m.safetensors

# ---- runs that cannot go on ----------------------------------------------
# shellcheck disable=SC2086
refuses 6 'diverged' "$UNROLL" train some.txt $TINY --steps 300 -o div.safetensors --cell rnn \
    --activation relu --optimizer sgd --lr 1000 --clip-norm 0 --schedule constant
[ ! -e div.safetensors ] || not_ok "a diverged model was written"
refuses 4 'fewer or smaller layers' "$UNROLL" train some.txt --hidden 23000 --layers 32
if (ulimit -v 400000) 2>/dev/null && [ "$(uname)" = Linux ]; then
    status=0
    (ulimit -v 400000 && exec "$UNROLL" train some.txt -q --threads 1 --hidden 4096 --layers 4 \
        --steps 1 -o big.safetensors) >out 2>err || status=$?
    [ "$status" -eq 4 ] || not_ok "out of memory: status $status, $(cat err)"
    has err '^unroll: this run needs .* GiB of memory .* and there are 0.38: fewer'
fi

finish
