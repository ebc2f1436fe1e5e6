#!/bin/sh
# SPDX-License-Identifier: MIT
# A program with more on its lists (tests/extra): what somebody adds is trained, stopped, resumed,
# measured, looked at and asked for answers from the command line like the library's own.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"
[ -x "${UNROLL_EXTRA-}" ] || { note "skipped: no program with the tests' lists"; exit 77; }
OWN=$UNROLL
UNROLL=$UNROLL_EXTRA

has_step() {
    grep -q '"kind":"step"' log.read
}

# stops_and_resumes NAME OPTIONS...: the run in pieces ends in the bytes of the whole one.
stops_and_resumes() {
    name=$1
    shift
    expect 0 "$UNROLL" train "$@" -q -o "$name.whole.safetensors" || return 1
    paced "$@" -o "$name.parts.safetensors"
    read_log has_step
    kill -TERM "$pid"
    ends 143
    grep -q '"kind":"end"' log.read && not_ok "$name ended before it was stopped"
    expect 0 "$UNROLL" train "$@" -q -o "$name.parts.safetensors" --resume
    same "$name.parts.safetensors" "$name.whole.safetensors"
    same "$name.parts.last.safetensors" "$name.whole.last.safetensors"
}

# ---- cells -----------------------------------------------------------------
text some.txt
expect 0 "$UNROLL" train --help
has out '^  --cell rnn|lstm|gru|mgu|none|peek' \
    '^  --task lm|fill|classify|tag|translate|forecast|pair'
for form in "--cell mgu" "--cell peek" "--norm layer" "--cell gru --norm layer"; do
    stops_and_resumes cell some.txt --hidden 16 --layers 2 --dropout 0.1 --batch 8 \
        --seq-length 16 --threads 1 --steps 1200 --eval-every 300 $form ||
        note "    form: $form"
    expect 0 "$UNROLL" eval cell.whole.safetensors some.txt --part val --json
    awk -F'"loss":' '{ exit !($2 + 0 > 0.1 && $2 + 0 < 2) }' out || not_ok "$form: $(cat out)"
    cp out one
    expect 0 "$UNROLL" eval cell.whole.safetensors some.txt --part val --json --threads 2
    same out one
    expect 0 "$UNROLL" sample cell.whole.safetensors -n 60 --prime 'the cat '
    has out '^the cat '
    expect 0 "$UNROLL" info cell.whole.safetensors
    for words in $(echo "$form" | sed 's/--\([a-z]*\) \([a-z]*\)/\1.\2/g'); do
        has out "^network  *lm: .*$words"
    done
    rm -f cell.*
done

# ---- a task over two files -------------------------------------------------
# Letters in capitals, turned round where the number is above 0.
awk 'BEGIN {
    x = 7
    for (i = 0; i < 500; i++) {
        word = other = ""
        x = (x * 16807) % 2147483647
        n = 1 + int(x / 1000) % 4
        x = (x * 16807) % 2147483647
        turn = int(x / 1000) % 2
        for (k = 0; k < n; k++) {
            x = (x * 16807) % 2147483647
            c = substr("abc", int(x / 1000) % 3 + 1, 1)
            word = word c
            other = turn ? toupper(c) other : other toupper(c)
        }
        print (turn ? "1" : "-1") "\t" word >"source.txt"
        print other >"target.txt"
    }
}'
PAIR="--task pair --encoder-cell mgu --encoder-hidden 32 --encoder-layers 1 --decoder-cell gru \
    --decoder-hidden 32 --decoder-layers 1 --batch 16 --lr 0.01 --threads 1 --eval-every 250"
expect 0 "$UNROLL" train --help --task pair
has out '^  --encoder-cell rnn|lstm|gru|mgu|none|peek' '^  --decoder-hidden N' '^  --most N ' \
    '^  --embed N .*(16)$' 'pair: turn each line'
grep -q -e '--seq-length' out && not_ok "the options of another task: $(grep -e --seq out)"
stops_and_resumes pair source.txt target.txt $PAIR --steps 1500 || finish
mv pair.whole.safetensors pair.safetensors
refuses 2 'two files, not 1' "$UNROLL" train source.txt $PAIR -q -o none
refuses 3 'target.txt: line 1: it does not begin with a number and a tab' "$UNROLL" train \
    target.txt source.txt $PAIR -q -o none
expect 0 "$UNROLL" train source.txt target.txt $PAIR -o few.safetensors --steps 2
has err '^next     .* predict few.safetensors$'
expect 0 "$UNROLL" info pair.safetensors
has out '^task  *pair: turn each line' '^network  *pair: encoder-cell mgu, ' \
    '  uencoder.weight_ih_l0' '  decoder.weight_hh_l0' '^  val_accuracy  '
expect 0 "$UNROLL" eval pair.safetensors source.txt target.txt --json
json out accuracy loss n
awk -F'"accuracy":' '{ exit !($2 + 0 > 0.95) }' out || not_ok "not learnt: $(cat out)"

# ---- its answers -----------------------------------------------------------
printf '1\tab\n-1\tab\n-1\tcab\n1\tc' >asked.txt
printf 'BA\nAB\nCAB\nC\n' >want
expect 0 "$UNROLL" predict pair.safetensors asked.txt
[ ! -s err ] || not_ok "predict talks: $(cat err)"
same out want
"$UNROLL" predict pair.safetensors --threads 2 <asked.txt >out || not_ok "standard input"
same out want
expect 0 "$UNROLL" predict pair.safetensors asked.txt --json --top 3
[ "$(wc -l <out)" -eq 4 ] || not_ok "four lines became $(wc -l <out) objects"
head -n 1 out >line
json line line targets best text log_p
has line '^{"line":"BA","targets":\[{"best":\[{"text":"BA","log_p":-'
[ "$(grep -o '"text"' line | wc -l)" -eq 3 ] || not_ok "--top 3: $(cat line)"
expect 0 "$UNROLL" predict pair.safetensors asked.txt --json --top 300
[ "$(head -n 1 out | grep -o '"text"' | wc -l)" -eq 300 ] || not_ok "--top 300"
printf '1\tab\nab\n' >asked.txt
expect 3 "$UNROLL" predict pair.safetensors asked.txt
has err '^unroll: asked.txt: line 2: it does not begin with a number and a tab$'
printf '1\taxb\n' >asked.txt
refuses 3 'asked.txt: line 1: character "x" (U+0078) at byte 1 is not in' \
    "$UNROLL" predict pair.safetensors asked.txt
expect 0 "$UNROLL" predict pair.safetensors asked.txt --unknown skip
has out '^BA$' && has err '^unroll: 1 character of the input is unknown to the model: skipped$'
refuses 3 'pair.safetensors is a model of task pair: use unroll predict$' "$UNROLL" sample \
    pair.safetensors

# The library's own program has no such thing, and says so.
refuses 3 'pair.safetensors: .*"pair"' "$OWN" predict pair.safetensors asked.txt

finish
