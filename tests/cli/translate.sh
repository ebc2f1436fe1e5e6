#!/bin/sh
# SPDX-License-Identifier: MIT
# A text to another: trained, resumed, measured with one reference and with several, told of lines,
# searched with beams, drawn; and what is no pair of texts.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

# Words to other words, one by one and in their order; each tenth source has two targets.
awk 'BEGIN {
    n = split("one two three four five six", word, " ")
    split("un deux trois quatre cinq six", other, " ")
    for (i = 0; i < 400; i++) {
        source = ""; target = ""
        for (k = 0; k <= i % 4; k++) {
            x = (x * 16807 + 7) % 2147483647
            w = int(x / 1000) % n + 1
            source = source " " word[w]
            target = target " " other[w]
        }
        print substr(source, 2) "\t" substr(target, 2)
        if (i % 10 == 0)
            print substr(source, 2) "\t" substr(target, 2) " !"
    }
}' >pairs.tsv
QUICK="--task translate --hidden 16 --embed 12 --dropout 0 --batch 8 --lr 0.02 --threads 1"

expect 0 "$UNROLL" train --help --task translate
has out '^  --attention none|dot|general|additive' '(additive)$' '^  --source-tokens ' \
    '^  --input-feeding ' '^  --scheduled-sampling P' '^  --label-smoothing P' \
    '^  --reverse-source' '^  --max-vocab N' '^  --decoder-hidden N' ' translate: turn a text into '
grep -q -e '--seq-length\|--sample-every' out && not_ok "--help lists what it has not"

# ---- learnt and measured ---------------------------------------------------
expect 0 "$UNROLL" train pairs.tsv $QUICK --epochs 12 -o t.safetensors || finish
has err '^network  cell lstm, hidden 16, .* decoder-hidden 32, .* attention additive, ' \
    ' tokens for training, .* held out' 'predict t.safetensors$'
cp t.safetensors first.safetensors
expect 0 "$UNROLL" train pairs.tsv $QUICK --epochs 12 -o t.safetensors --force -q --threads 2
same t.safetensors first.safetensors
GOING="$QUICK --schedule constant --eval-every 10 -q --scheduled-sampling 0.2 --sampling-steps 30"
expect 0 "$UNROLL" train pairs.tsv $GOING --steps 20 -o part.safetensors
expect 0 "$UNROLL" train pairs.tsv --steps 40 -o part.safetensors --resume -q --task translate \
    --eval-every 10
expect 0 "$UNROLL" train pairs.tsv $GOING --steps 40 -o whole.safetensors
same part.safetensors whole.safetensors
expect 0 "$UNROLL" eval t.safetensors pairs.tsv --part val --json
json out accuracy exact edit bleu chrf loss n
awk -F'"exact":' '{ exit !($2 + 0 > 0.9) }' out || not_ok "not learnt: $(cat out)"
expect 0 "$UNROLL" eval t.safetensors pairs.tsv
has out '^exact  *[0-9.]* % of the texts$' '^bleu  *[0-9.]*$' '^chrf  *[0-9.]*$' \
    '^edit  *[0-9.]* % of the tokens$' '^tokens  *[0-9,]*$'
expect 0 "$UNROLL" info t.safetensors
has out '^task  *translate: ' '  attention.key.weight' '  bridge.weight' '  combine.weight'
# Several targets of one source are references of it.
printf 'one two\tun deux\none two\tdeux un\n' >two.tsv
printf 'one two\tdeux un\n' >other.tsv
expect 0 "$UNROLL" eval t.safetensors two.tsv --json
has out '"exact":1.0,"edit":0.0,' '"n":6'
expect 0 "$UNROLL" eval t.safetensors other.tsv --json
has out '"exact":0.0,"edit":1.0,'

# ---- lines -----------------------------------------------------------------
printf 'one two\n\nsix  five four\nthree' >lines.txt
printf 'un deux\n\nsix cinq quatre\ntrois\n' >want
expect 0 "$UNROLL" predict t.safetensors lines.txt
same out want
"$UNROLL" predict t.safetensors --threads 2 --beam 1 <lines.txt >out || not_ok "standard input"
same out want
expect 0 "$UNROLL" predict t.safetensors lines.txt --json --top 3
[ "$(wc -l <out)" -eq 4 ] || not_ok "four lines became $(wc -l <out) objects"
cp out all
# What a line gets does not hang on its neighbours.
for i in 1 3 4; do
    sed -n ${i}p lines.txt >line.txt
    sed -n ${i}p all >want
    expect 0 "$UNROLL" predict t.safetensors line.txt --json --top 3
    same out want
done
head -n 1 all >line
json line line targets best text log_p
[ "$(grep -o '"text"' line | wc -l)" -eq 3 ] || not_ok "--top 3: $(cat line)"
# More lines than are answered at once, and one that cannot be read among them.
awk 'BEGIN { for (i = 0; i < 100; i++) print i % 2 ? "one two" : "six" }' >many.txt
awk 'BEGIN { for (i = 0; i < 100; i++) print i % 2 ? "un deux" : "six" }' >want
expect 0 "$UNROLL" predict t.safetensors many.txt
same out want
printf 'one\n\377\ntwo\n' >bad.txt
expect 3 "$UNROLL" predict t.safetensors bad.txt
has err '^unroll: bad.txt: line 2: '
[ "$(cat out)" = un ] || not_ok "lines before a bad one: $(cat out)"
printf 'one unicorn two\n' >line.txt
expect 0 "$UNROLL" predict t.safetensors line.txt
has err '^unroll: 1 word of the input is unknown to the model: read as <unk>$'
refuses 2 '--beam 5000: must be a whole number from 1 to 4096' "$UNROLL" predict \
    t.safetensors line.txt --beam 5000
refuses 2 '--length-power -1' "$UNROLL" predict t.safetensors line.txt --length-power -1

# Drawn: the same for the same seed, whatever stands beside a line.
printf 'one two\nsix\n' >line.txt
expect 0 "$UNROLL" predict t.safetensors line.txt --temperature 3 --seed 5 --json --top 4
cp out all
[ "$(grep -o '"text"' out | wc -l)" -eq 8 ] || not_ok "four drawn of each: $(cat out)"
tail -n 1 line.txt >last.txt
expect 0 "$UNROLL" predict t.safetensors last.txt --temperature 3 --seed 5 --json --top 4
tail -n 1 all >want
same out want
expect 0 "$UNROLL" predict t.safetensors line.txt --temperature 3 --seed 6 --json --top 4
cmp -s out all && not_ok "another seed draws the same"
expect 0 "$UNROLL" predict t.safetensors line.txt --temperature 0
cp out want
expect 0 "$UNROLL" predict t.safetensors line.txt --beam 1
same out want

# ---- where it looked -------------------------------------------------------
head -n 1 lines.txt >line.txt
expect 0 "$UNROLL" predict t.safetensors line.txt --attention looks.svg
has out '^un deux$' && has looks.svg '<svg' '<title>un looked at one: ' '</svg>'
refuses 5 'looks.svg exists; use --force' "$UNROLL" predict t.safetensors line.txt \
    --attention looks.svg
cp looks.svg want
expect 0 "$UNROLL" predict t.safetensors line.txt --explain --json
json out tokens made alignment
"$UNROLL" plot - -o drawn.svg <out || not_ok "unroll plot of an alignment"
same drawn.svg want
refuses 5 'it is the same file as line.txt, which is read' "$UNROLL" predict t.safetensors \
    line.txt --attention line.txt --force
ln t.safetensors hard
refuses 5 'it is the same file as t.safetensors, which is read' "$UNROLL" predict t.safetensors \
    line.txt --attention hard --force
same hard first.safetensors
expect 0 "$UNROLL" train pairs.tsv $QUICK --attention none --reverse-source --bidirectional no \
    --epochs 2 -q -o n.safetensors
refuses 2 'does not weigh its tokens' "$UNROLL" predict n.safetensors line.txt --attention x.svg
refuses 2 'has no attention' "$UNROLL" predict n.safetensors line.txt --copy-unknown
# Words that were seen once are unknown; they are copied from where the model looks.
awk 'BEGIN {
    for (i = 0; i < 600; i++) {
        x = (x * 16807 + 7) % 2147483647
        w = i % 2 ? "name" i : "word" int(x / 1000) % 5
        print "say " w "\tsay " w
    }
}' >names.tsv
expect 0 "$UNROLL" train names.tsv $QUICK --epochs 8 -q -o c.safetensors
printf 'say Ulysses\nsay word3\n' >line.txt
printf 'say Ulysses\nsay word3\n' >want
expect 0 "$UNROLL" predict c.safetensors line.txt --copy-unknown -q
same out want
expect 0 "$UNROLL" eval c.safetensors names.tsv --part val --json --copy-unknown
awk -F'"exact":' '{ exit !($2 + 0 > 0.9) }' out || not_ok "copies: $(cat out)"

# ---- what is no pair -------------------------------------------------------
bad() {
    printf "$1" >bad.tsv
    refuses 3 "$2" "$UNROLL" train bad.tsv --task translate -q -o bad.safetensors
}
bad 'one\tun\ntwo deux\n' 'bad.tsv:2: there is no tab between a source and a target$'
bad 'one\tun\n\tdeux\n' 'bad.tsv:2: the source is empty$'
bad 'one\tun\ntwo\t \n' 'bad.tsv:2: the target is empty$'
bad 'one\tun\ttwo\n' 'bad.tsv:1: there is more than one tab: a line is source<TAB>target$'
bad 'one\tun\n\ntwo\tdeux\n' 'bad.tsv:2: an empty line$'
bad 'one\tun\ntwo\td\377\n' 'bad.tsv:2: malformed UTF-8 at byte 5 (0xFF)$'
bad 'one\tun\ntwo\td\000x\n' 'bad.tsv:2: byte 5 is NUL'
bad '' 'bad.tsv'
bad 'one\tun\none\tdeux\n' 'all examples are of one group, so that none can be held out$'
awk 'BEGIN { for (i = 0; i < 9; i++) print "a b c d\ta" }' >bad.tsv
refuses 3 'bad.tsv:1: the source has 4 tokens, more than the 3 of max-length$' "$UNROLL" train \
    bad.tsv --task translate --max-length 3 --val 0 -q -o bad.safetensors
printf '\357\273\277one\tun\r\ntwo\tdeux\r\n' >crlf.tsv
printf 'one\tun\ntwo\tdeux\n' >lf.tsv
for file in crlf lf; do
    expect 0 "$UNROLL" eval t.safetensors $file.tsv --json
    cp out $file
done
same crlf lf
refuses 3 'is not the data that the model was trained on' "$UNROLL" eval t.safetensors lf.tsv \
    --part val
refuses 2 'attention dot needs a decoder' "$UNROLL" train pairs.tsv $QUICK --attention dot \
    --decoder-hidden 7 -q -o bad.safetensors

finish
