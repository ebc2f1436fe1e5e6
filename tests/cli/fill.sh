#!/bin/sh
# SPDX-License-Identifier: MIT
# Filling gaps: trained, resumed, measured, and lines in, lines out.
# shellcheck disable=SC2086  # SMALL is a list of options
. "$(dirname "$0")/lib.inc"

# Each second word follows from the one behind it.
awk 'BEGIN {
    n = split("red apple.|blue sky.|green grass.|white snow.", pair, "|")
    x = 7
    for (i = 0; i < 1200; i++) {
        x = (x * 16807) % 2147483647
        print pair[int(x / 1000) % n + 1]
    }
}' >pairs.txt
SMALL="--task fill --embed 8 --hidden 12 --layers 1 --seq-length 8 --batch 16 --lr 0.01 --threads 1"

# ---- train -----------------------------------------------------------------
expect 0 "$UNROLL" train pairs.txt $SMALL --tokens wordpunct --epochs 10 -o m.safetensors || finish
has err '^network  cell lstm, hidden 12, layers 1, embed 8, 2,475 parameters$' \
    '^data     4,320 words for training, 480 held out, 11 different$' 'perplexity' \
    '^next     .* predict m.safetensors$'
cp m.safetensors first.safetensors
expect 0 "$UNROLL" train pairs.txt $SMALL --tokens wordpunct --epochs 10 -o m.safetensors \
    --force --threads 2
same m.safetensors first.safetensors
GOING="$SMALL --schedule constant --eval-every 10"
expect 0 "$UNROLL" train pairs.txt $GOING --steps 20 -o part.safetensors
expect 0 "$UNROLL" train pairs.txt $GOING --steps 40 -o part.safetensors --resume
expect 0 "$UNROLL" train pairs.txt $GOING --steps 40 -o whole.safetensors
same part.safetensors whole.safetensors
refuses 2 'task was "fill" and is "lm" now' "$UNROLL" train pairs.txt $GOING --steps 60 -q \
    -o part.safetensors --resume --tokens word --task lm
has err task
refuses 2 'hidden was \[12\] and is \[13\] now' "$UNROLL" train pairs.txt -q -o part \
    --resume --hidden 13
expect 0 "$UNROLL" train pairs.txt --steps 42 -q -o part.safetensors --resume --hidden 12
expect 0 "$UNROLL" info part.safetensors
has out '^task  *fill: predict each token from both sides$' '^tokens  *word, 10 different$' \
    '^network  *fill: cell lstm, hidden 12, ' '  rnn_forward.weight_ih_l0' \
    '  rnn_backward.weight_ih_l0'
n=0
for options in "--tokens char" "--tokens byte --embed 0" "--tie --hidden 6 --embed 12" \
    "--tie --hidden 6" "--cell gru --reset before --dropout 0.1" "--layers 2 --cell rnn"; do
    n=$((n + 1))
    case $options in *embed*) embed= ;; *--tie*) embed= ;; *) embed="--embed 8" ;; esac
    expect 0 "$UNROLL" train pairs.txt --task fill $embed --layers 1 --threads 1 -q --steps 3 \
        $options -o "net$n.safetensors" || note "    options: $options"
done
refuses 2 "tie needs embed 24, the size that the decoder reads, but it is 12" "$UNROLL" train \
    pairs.txt --task fill --tie --hidden 12 --embed 12
refuses 2 '--sample-every belongs to --task lm' "$UNROLL" train pairs.txt --task fill \
    --sample-every 5
refuses 2 'one of lm|fill' "$UNROLL" train pairs.txt --task guess

# ---- eval ------------------------------------------------------------------
expect 0 "$UNROLL" eval m.safetensors pairs.txt --part val --json
json out loss bpc perplexity accuracy unk n
awk -F'"accuracy":' '{ exit !($2 + 0 > 0.85) }' out || not_ok "not learnt: $(cat out)"
cp out first
expect 0 "$UNROLL" eval m.safetensors pairs.txt --part val --json --threads 2
same out first
expect 0 "$UNROLL" eval m.safetensors pairs.txt --part val --json --protocol window
cmp -s out first && not_ok "windows of 256 are as those of 8"

# ---- predict ---------------------------------------------------------------
status=0
"$UNROLL" predict m.safetensors >out 2>err <&- || status=$?
[ "$status" -eq 3 ] || not_ok "closed standard input: status $status"
has err '^unroll: cannot read standard input: it is closed$'
printf 'red ___.\n___ sky.\nno gap\n\n___ ___.\n  green ___\twhite snow.' >gaps.txt
expect 0 "$UNROLL" predict m.safetensors gaps.txt
[ ! -s err ] || not_ok "predict talks: $(cat err)"
[ "$(sed -n 1p out)" = 'red apple.' ] || not_ok "red $(sed -n 1p out)"
[ "$(sed -n 2p out)" = 'blue sky.' ] || not_ok "blue: $(sed -n 2p out)"
[ "$(sed -n 3p out)" = 'no gap' ] || not_ok "without a gap: $(sed -n 3p out)"
[ -z "$(sed -n 4p out)" ] || not_ok "an empty line: $(sed -n 4p out)"
sed -n 5p out | grep -Eq '^[a-z]+ (apple|sky|grass|snow)\.$' ||
    not_ok "two gaps: $(sed -n 5p out)"
[ "$(sed -n 6p out)" = "$(printf '  green grass\twhite snow.')" ] || not_ok "$(sed -n 6p out)"
[ "$(wc -l <out)" -eq 6 ] || not_ok "six lines became $(wc -l <out)"
cp out first
"$UNROLL" predict m.safetensors <gaps.txt >out || not_ok "standard input"
same out first
"$UNROLL" predict m.safetensors - --threads 2 <gaps.txt >out || not_ok "-"
same out first
expect 0 "$UNROLL" predict m.safetensors gaps.txt --json --top 3
[ "$(wc -l <out)" -eq 6 ] || not_ok "six lines became $(wc -l <out) objects"
head -n 1 out >line
json line line gaps best text p
has line '^{"line":"red apple.","gaps":\[{"best":\[{"text":"apple","p":0.9'
[ "$(grep -o '"text"' line | wc -l)" -eq 3 ] || not_ok "--top 3: $(cat line)"
sed -n 3p out >line
has line '^{"line":"no gap","gaps":\[\]}$'
[ "$(sed -n 5p out | grep -o '"best"' | wc -l)" -eq 2 ] || not_ok "gaps of line 5: $(cat out)"
grep -q '<unk>\|</s>' out && not_ok "no word of a line: $(cat out)"
printf 'red unicorn ___.\n' >unknown.txt
expect 0 "$UNROLL" predict m.safetensors unknown.txt
has err '^unroll: 1 word of the input is unknown to the model: read as <unk>$'
printf 'r___d app___e.\nblue ___ky.\n' >letters.txt
expect 0 "$UNROLL" predict net1.safetensors letters.txt
has out '^r.d app.e\.$' '^blue .ky\.$'
printf 'red ___.\nr~d ___\n' >unknown.txt
expect 3 "$UNROLL" predict net1.safetensors unknown.txt
has err '^unroll: unknown.txt: line 2: character "~" (U+007E) at byte 1 is not in '
# A gap is a run of underscores, of any length.
for gap in _ __ ____ ______________________; do
    sed "s/___/$gap/g" gaps.txt >other.txt
    expect 0 "$UNROLL" predict m.safetensors other.txt
    "$UNROLL" predict m.safetensors gaps.txt >want
    same out want
done
# What the model does not know.
expect 0 "$UNROLL" predict net1.safetensors unknown.txt --unknown skip
has out '^red .*\.$' '^r~d ' && has err '1 character of the input is unknown to the model: skipped'
expect 0 "$UNROLL" predict net1.safetensors unknown.txt --unknown replace
has err '1 character of the input is unknown to the model: read as a space'
printf 'red unicorn ___.\n' >unknown.txt
refuses 3 'unknown.txt: line 1: 1 word is unknown to the model' "$UNROLL" predict m.safetensors \
    unknown.txt --unknown error
printf 'red ___\n\377 ___\n' >broken.txt
expect 3 "$UNROLL" predict m.safetensors broken.txt
has err 'broken.txt: line 2: malformed UTF-8 at byte 0'
printf 'red \000 ___\n' >zero.txt
refuses 3 'zero.txt: line 1 has a zero byte' "$UNROLL" predict m.safetensors zero.txt
head -c 17000000 /dev/zero | tr '\0' a >long.txt
refuses 3 'long.txt: line 1 is longer than 16 MiB' "$UNROLL" predict m.safetensors long.txt
rm long.txt
refuses 3 'nowhere' "$UNROLL" predict m.safetensors nowhere
for times in 1 2; do
    { yes 'red ___.' | head -n 20000 | "$UNROLL" predict m.safetensors 2>err; echo $? >code; } |
        head -n 1 >out
    [ "$(cat code)" -eq 0 ] || not_ok "| head: status $(cat code), time $times"
    [ ! -s err ] || not_ok "| head: $(cat err)"
done

# ---- models of another task ------------------------------------------------
expect 0 "$UNROLL" train pairs.txt --layers 1 --hidden 8 --threads 1 -q --steps 2 -o lm.safetensors
refuses 3 'lm.safetensors is a model of task lm: use unroll sample$' \
    "$UNROLL" predict lm.safetensors gaps.txt
refuses 3 'm.safetensors is a model of task fill: use unroll predict$' \
    "$UNROLL" sample m.safetensors
refuses 3 'm.safetensors is a model of task fill: use unroll predict$' \
    "$UNROLL" see m.safetensors pairs.txt

finish
