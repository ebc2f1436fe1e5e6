#!/bin/sh
# SPDX-License-Identifier: MIT
# eval, info, see and bench: what they print for people and for programs.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt
expect 0 "$UNROLL" train some.txt $TINY --steps 60 -o m.safetensors || finish

# ---- eval ----------------------------------------------------------------
expect 0 "$UNROLL" eval m.safetensors some.txt
has out '^loss ' '^perplexity ' '^accuracy ' '^predictions '
expect 0 "$UNROLL" eval m.safetensors some.txt --json
json out loss bpc perplexity accuracy n
[ ! -s err ] || not_ok "eval --json talks: $(cat err)"
all=$(sed 's/.*"n": *\([0-9]*\).*/\1/' out)
[ "$all" -eq $(($(size some.txt) - 1)) ] || not_ok "$all predictions in $(size some.txt) bytes"
cp out stream
refuses 3 . "$UNROLL" eval m.safetensors -
"$UNROLL" eval m.safetensors - --json <some.txt >out || not_ok "eval of standard input"
same out stream
expect 0 "$UNROLL" eval m.safetensors some.txt --json --protocol window
json out loss n
cmp -s out stream && not_ok "both protocols measure the same"
expect 0 "$UNROLL" eval m.safetensors some.txt --json --part val
part=$(sed 's/.*"n": *\([0-9]*\).*/\1/' out)
[ "$part" -lt $((all / 5)) ] || not_ok "$part predictions in the part held out of $all"

# ---- info ----------------------------------------------------------------
expect 0 "$UNROLL" info
has out '^unroll ' '^kernels ' '^threads '
expect 0 "$UNROLL" info --json
json out version kernels threads
expect 0 "$UNROLL" info m.safetensors
has out '^network .*: cell lstm, hidden 16, layers 1$' '^tokens  *char, [0-9]* different$' \
    'rnn.weight_ih_l0 ' '^vocabulary ' '^trained' '^parameters '
expect 0 "$UNROLL" info m.safetensors --json
json out task cell hidden layers parameters tensors vocabulary trained kernels threads

# ---- see -----------------------------------------------------------------
# A character as wide as two has two signs below it, an accent that stands on another none.
printf 'ね猫e\314\201 ねね猫e猫 ね猫ね\n%.0s' 1 2 3 4 5 6 7 8 >wide.txt
expect 0 "$UNROLL" train wide.txt --hidden 4 --layers 1 --batch 2 --steps 40 --lr 0.1 -q -o wide
for unit in 0 1 2 3; do
    expect 0 "$UNROLL" see wide.safetensors wide.txt --color never --unit $unit --limit 15 -q
    grep -q '[1-9a-i]' out || not_ok "no signs of unit $unit"
    [ "$(sed -n 2p out | awk '{ print length($0) <= 22 }')" -eq 1 ] ||
        not_ok "signs are too many: $(cat out)"
    sed -n '2s/^\(.\)\(.\)\(.\)\(.\).*/\1\3 \2\4/p' out >pairs
    read -r left right <pairs
    [ "$left" = "$right" ] || not_ok "signs do not fill a wide character: $(cat out)"
done

printf 'a cat (saw) a dog.\nthe mat {};\n' >piece.txt
expect 0 "$UNROLL" see m.safetensors piece.txt --color never --unit 0
[ "$(wc -l <out)" -eq 4 ] || not_ok "see: $(wc -l <out) lines for two"
sed -n '1p;3p' out >text
same text piece.txt
has err 'layer 0, unit 0'
expect 0 "$UNROLL" see m.safetensors piece.txt
grep -q "$(printf '\033')" out && not_ok "colours where there is no terminal"
expect 0 env NO_COLOR=1 COLORTERM=truecolor "$UNROLL" see m.safetensors piece.txt --unit 3 \
    --color always
has out "$(printf '\033')\\[38;2;0;0;0;48;2;"
sed "s/$(printf '\033')\\[[0-9;]*m//g" out >text
same text piece.txt
"$UNROLL" see m.safetensors --color never --unit 0 -q <piece.txt >out 2>err || not_ok "see of stdin"
[ ! -s err ] || not_ok "see -q talks"
expect 0 "$UNROLL" see m.safetensors piece.txt --follow word
has err 'follows word'
refuses 3 'no unit follows comment' "$UNROLL" see m.safetensors piece.txt --follow comment
expect 0 "$UNROLL" see m.safetensors some.txt --find
has out '^feature  *layer  *unit  *r$' '^line  *0  *[0-9]* ' '^quotes  *0  *[0-9]* '
expect 0 "$UNROLL" see m.safetensors some.txt --find --json --limit 500
json out n found
expect 0 "$UNROLL" see m.safetensors piece.txt --json --unit 1
json out layer unit activation
{ yes 'the cat sat on a mat' 2>/dev/null || true; } |
    "$UNROLL" see m.safetensors --unit 0 --limit 50 --color never >out 2>err ||
    not_ok "an endless text: $(cat err)"
has err '^the first 50 tokens'
[ "$(wc -c <out)" -le 150 ] || not_ok "50 of an endless text: $(cat out)"
{ "$UNROLL" see m.safetensors some.txt --color always -q 2>err; echo $? >code; } | head -n 1 >out
[ "$(cat code)" -eq 0 ] && [ ! -s err ] || not_ok "see | head: $(cat code err)"

# ---- bench ---------------------------------------------------------------
expect 0 "$UNROLL" bench --hidden 16 --layers 1 --batch 4 --seq-length 8 --seconds 0.01 --threads 1
has out '^kernels .*, 1 thread$' '^lstm  *1x16 '
for cell in rnn gru lstm; do
    expect 0 "$UNROLL" bench --cell "$cell" --hidden 16,8 --seconds 0.01 --json
    json out kernels threads rows forward_gflops train_tokens_per_second
done

finish
