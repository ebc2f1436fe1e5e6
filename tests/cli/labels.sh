#!/bin/sh
# SPDX-License-Identifier: MIT
# A label for a text or a series, and one for each word: trained, resumed, measured, told of lines.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

# "yes" are texts with "net" in them; tagged, it begins a thing, which the next word goes on with.
awk 'BEGIN {
    n = split("the net reads one letter writes more", word, " ")
    for (i = 0; i < 400; i++) {
        line = ""; yes = "no"; last = ""
        for (k = 0; k <= i % 7; k++) {
            x = (x * 16807 + 7) % 2147483647
            w = word[int(x / 1000) % n + 1]
            line = line " " w
            if (w == "net") yes = "yes"
            print w "\t" (w == "net" ? "B-thing" : last == "net" ? "I-thing" : "O") >"tags.conll"
            last = w
        }
        print "" >"tags.conll"
        print yes "\t" substr(line, 2) >"texts.tsv"
        # A rising and a falling series.
        s = "up"
        if (i % 2) s = "down"
        printf "%s", s >"series.csv"
        for (k = 0; k < 6; k++)
            printf ",%g", (i % 2 ? -k : k) + i % 5 / 9 >"series.csv"
        print "" >"series.csv"
    }
}'
QUICK="--threads 1 --batch 8 --lr 0.02 --dropout 0.1"

# ---- a label for a text ----------------------------------------------------
CLASSIFY="--task classify --hidden 8 --embed 6 $QUICK"
expect 0 "$UNROLL" train texts.tsv $CLASSIFY --epochs 8 -o c.safetensors || finish
has err '^network  cell lstm, hidden 8, .*, pool mean, ' \
    '^data     360 examples for training, 40 held out' ' held out, 9 words, 2 labels$' \
    ' accuracy 1 ' \
    'best validation accuracy 1$' 'predict c.safetensors$'
cp c.safetensors first.safetensors
expect 0 "$UNROLL" train texts.tsv $CLASSIFY --epochs 8 -o c.safetensors --force -q --threads 2
same c.safetensors first.safetensors
GOING="$CLASSIFY --schedule constant --eval-every 10 -q --best f1"
expect 0 "$UNROLL" train texts.tsv $GOING --steps 20 -o part.safetensors
expect 0 "$UNROLL" train texts.tsv --steps 40 -o part.safetensors --resume -q --task classify \
    --eval-every 10
expect 0 "$UNROLL" train texts.tsv $GOING --steps 40 -o whole.safetensors
same part.safetensors whole.safetensors
expect 0 "$UNROLL" eval c.safetensors texts.tsv --part val --json
json out accuracy f1 precision recall loss n labels confusion
has out '"accuracy":1.0' '"n":40' '"labels":\["no","yes"\]' \
    '"confusion":\[\[[0-9]*,0\],\[0,[0-9]*\]\]'
expect 0 "$UNROLL" eval c.safetensors texts.tsv --part val --verbose
has out '^label        precision    recall        f1   support$' \
    '^no              100.00    100.00    100.00        [0-9]*$' '^yes ' \
    '^macro           100.00    100.00    100.00        40$' '^weighted  *100.00 '
expect 0 "$UNROLL" eval c.safetensors texts.tsv --part val
[ "$(wc -l <out)" -eq 6 ] || not_ok "eval without --verbose prints $(cat out)"
expect 0 "$UNROLL" info c.safetensors
has out '^task  *classify: ' '  out.weight' '^tokens  *word, ' '^labels       no yes$' \
    '^vocabulary   <unk> </s> '
expect 0 "$UNROLL" info c.safetensors --json
json out labels vocabulary_text
has out '"labels":\["no","yes"\]' '"vocabulary_text":\["<unk>","</s>",'
awk 'BEGIN { for (i = 0; i < 240; i++) print "l" i % 120 "\ta text" }' >many.tsv
expect 0 "$UNROLL" train many.tsv --task classify --hidden 4 --steps 0 -q -o many
expect 0 "$UNROLL" info many.safetensors
has out '^labels       l0 l1 l10 ' '^             and 20 more$'
expect 0 "$UNROLL" info many.safetensors --json
[ "$(grep -o '"l[0-9]*"' out | wc -l)" -eq 120 ] || not_ok "info lists labels: $(cat out)"
rm many.*
printf 'the net\none letter  writes\n' >lines.txt
expect 0 "$UNROLL" predict c.safetensors lines.txt
printf 'yes\nno\n' >want
same out want
expect 0 "$UNROLL" predict c.safetensors lines.txt --json
head -n 1 out >line
json line line labels best text p
has line '^{"line":"yes","labels":\[{"best":\[{"text":"yes","p":0.9'
printf 'a unicorn\n' >lines.txt
expect 0 "$UNROLL" predict c.safetensors lines.txt
has err '^unroll: 2 words of the input are unknown to the model: read as <unk>$'
echo >lines.txt
refuses 3 'lines.txt: line 1: there is nothing to tell a label of' "$UNROLL" predict \
    c.safetensors lines.txt

# The weights of tokens, of a model that has them.
refuses 2 '^unroll: the model does not weigh its tokens, .* pool attention' "$UNROLL" predict \
    c.safetensors lines.txt --explain
expect 0 "$UNROLL" train texts.tsv $CLASSIFY --pool attention --epochs 8 -q -o a.safetensors
printf 'one  net letter\nthe\n' >lines.txt
expect 0 "$UNROLL" predict a.safetensors lines.txt
cp out plain
expect 0 "$UNROLL" predict a.safetensors lines.txt --explain
grep -v '^ \|^$' out >first
same plain first
[ "$(sed 's/^  [01]\.[0-9]*  /=/' out | tr '\n' ' ')" = 'yes =one =net =letter  no =the  ' ] ||
    not_ok "explained: $(cat out)"
has out '^  1.0000  the$'
awk '/^  / { sum += $1 } /^$/ { bad += sum < 0.999 || sum > 1.001; sum = 0 }
     END { exit bad }' out || not_ok "weights do not add up to 1: $(cat out)"
expect 0 "$UNROLL" predict a.safetensors lines.txt --explain --json
tail -n 1 out >line
json line line labels tokens
has line '"tokens":\[{"text":"the","weight":1.0}\]}$'
printf 'yes\tthe net\nmaybe\tmore\n' >other.tsv
refuses 3 'other.tsv:2: ' "$UNROLL" eval c.safetensors other.tsv
printf 'yes\tthe net\nno more\n' >other.tsv
refuses 3 'other.tsv:2: ' "$UNROLL" train other.tsv --format text --task classify -q
refuses 2 '--best speed: task classify is ranked by accuracy, f1, precision, recall, loss' \
    "$UNROLL" train texts.tsv $CLASSIFY --best speed -q -o x
refuses 2 'features' "$UNROLL" train texts.tsv --task classify --features 3
"$UNROLL" train --task classify --help >out
has out '^  --pool ' '^  --column ' && ! grep -e '--features\|--crf\|--sample-every' out ||
    not_ok "--task classify --help lists what it has not"

# A line of names that is taken for an example is told of, and left out on demand.
says_header() {
    header_file=$1
    header_label=$2
    shift 2
    expect 0 "$UNROLL" train "$header_file" "$@" --steps 0 -o headed
    has err "^$header_file:1: no other line has the label \"$header_label\": if this one names the "
    has err ' 3 labels$'
    expect 0 "$UNROLL" train "$header_file" "$@" --steps 0 -o headed --force --header yes
    has err ' 2 labels$'
    grep -q 'no other line' err && not_ok "said of names: $(cat err)"
    expect 0 "$UNROLL" train "$header_file" "$@" --steps 0 -o headed --force --header no
    has err ' 3 labels$'
    grep -q 'no other line' err && not_ok "said of what was told: $(cat err)"
    rm headed.*
}
{ printf 'label\ttext\n'; cat texts.tsv; } >headed.tsv
says_header headed.tsv label $CLASSIFY
{ echo label,text; tr '\t' , <texts.tsv; } >headed.csv
says_header headed.csv label $CLASSIFY --column 1
expect 0 "$UNROLL" train texts.tsv $CLASSIFY --steps 0 -o headed
grep -q 'no other line' err && not_ok "said of no names: $(cat err)"
rm headed.*

# How many labels there are stands in plans and logs, too.
expect 0 "$UNROLL" train texts.tsv $CLASSIFY --dry-run --json
has out '"vocabulary":9,"token":"word","labels":2,'
expect 0 "$UNROLL" train texts.tsv $CLASSIFY --steps 0 -q --log run.jsonl -o logged
has run.jsonl '"kind":"start".*"vocabulary":9,"token":"word","labels":2,'
rm logged.* run.jsonl

# A model is called after its data, whose ending goes; what stands there stays.
mkdir in
for name in some.tsv other.data.csv plain v1.2 deep.conllu9; do
    cp texts.tsv "in/$name"
    expect 0 "$UNROLL" train "in/$name" $CLASSIFY --format text --steps 0 -q
done
for name in some other.data plain v1.2 deep; do
    [ -f "$name.safetensors" ] || not_ok "no $name.safetensors: $(ls)"
done
cp texts.tsv some.list
cp some.safetensors before
refuses 5 'some.safetensors' "$UNROLL" train some.list $CLASSIFY --format text --steps 0 -q
same some.safetensors before
rm -rf in some.* other.* plain.* v1.* deep.* before

# ---- a series, without a recurrent layer -----------------------------------
expect 0 "$UNROLL" train series.csv --task classify --width 2 --cell none --hidden 8 $QUICK \
    --column 1 --epochs 8 -q -o s.safetensors
expect 0 "$UNROLL" eval s.safetensors series.csv --json
has out '"accuracy":\(1.0\|0.9\)' '"n":400'
expect 0 "$UNROLL" info s.safetensors
has out '^tokens       none: numbers are read$' '^labels       down up$'
grep -q '^vocabulary' out && not_ok "a vocabulary of numbers: $(cat out)"
expect 0 "$UNROLL" info s.safetensors --json
has out '"tokens":"none"' '"vocabulary":0,"vocabulary_text":\[\],"labels":\["down","up"\]'
refuses 3 'texts.tsv' "$UNROLL" eval s.safetensors texts.tsv

# What the data have no use for is refused.
misused() {
    misused_pattern=$1
    shift
    refuses 2 "$misused_pattern" "$UNROLL" train "$@" -q -o misused
    [ ! -e misused.safetensors ] || not_ok "a model was written: $*"
}
for option in "letters 4" "letter-embed 4" "min-count 3" "word-dropout 0.1" "vectors v.txt"; do
    misused "^unroll: --${option% *} belongs to words, not to numbers$" series.csv --task classify \
        --column 1 --$option
    misused "^unroll: --${option% *} belongs to words, not to tokens char$" texts.tsv \
        --task classify --tokens char --$option
done
for option in "embed 6" "tokens word"; do
    misused "^unroll: --${option% *} belongs to text, not to numbers$" series.csv --task classify \
        --column 1 --$option
done
for option in "width 2" "scan row" "labels x" "column 1" "text-column 2" "group 1"; do
    misused "^unroll: --${option% *} means nothing for files of format text$" texts.tsv \
        --task classify --$option
done
tr '\t' , <texts.tsv >texts.csv
misused '^unroll: --width belongs to numbers, not to text$' texts.csv --task classify --column 1 \
    --width 2
misused '^unroll: --width means nothing for files of format conll$' tags.conll --task tag --width 2
cp texts.tsv again.tsv
expect 0 "$UNROLL" train texts.tsv again.tsv --task classify --group file --steps 0 -q -o file
refuses 2 '^unroll: --width means nothing for files of format text$' "$UNROLL" predict \
    c.safetensors texts.tsv --format text --width 2

# The columns of the data are remembered.
expect 0 "$UNROLL" train series.csv --task classify --resume -q -o s.safetensors --epochs 9
refuses 2 "features was 2 and is 3 now" "$UNROLL" train series.csv --task classify --resume -q \
    -o s.safetensors --width 3

# ---- a label for each word -------------------------------------------------
TAG="--task tag --hidden 8 --embed 6 --letters 4 $QUICK"
for chain in "" --crf "--feedback --label-embed 4"; do
    expect 0 "$UNROLL" train tags.conll $TAG $chain --epochs 6 -o t.safetensors || finish
    has err ' tokens for training, ' 'best validation f1 1$'
    expect 0 "$UNROLL" eval t.safetensors tags.conll --part val --json
    json out f1 precision recall accuracy loss n labels confusion
    has out '"f1":1.0' '"accuracy":1.0'
    printf 'the  net reads one\n\nnets more\n' >lines.txt
    expect 0 "$UNROLL" predict t.safetensors lines.txt
    [ "$(sed -n 1p out)" = 'O B-thing I-thing O' ] || not_ok "tags $(cat out)"
    [ -z "$(sed -n 2p out)" ] || not_ok "an empty line: $(cat out)"
    [ "$(wc -l <out)" -eq 3 ] || not_ok "three lines became $(wc -l <out)"
    expect 0 "$UNROLL" predict t.safetensors lines.txt --json --top 2
    head -n 1 out >line
    json line line tokens best text p
    [ "$(grep -o '"best"' line | wc -l)" -eq 4 ] || not_ok "places: $(cat line)"
    [ "$(grep -o '"text"' line | wc -l)" -eq 8 ] || not_ok "--top 2: $(cat line)"
    case $chain in
    --feedback*)
        expect 0 "$UNROLL" eval t.safetensors tags.conll --part val --json --beam 1 --threads 3
        has out '"f1":1.0' '"accuracy":1.0'
        expect 0 "$UNROLL" predict t.safetensors lines.txt --beam 20
        [ "$(sed -n 1p out)" = 'O B-thing I-thing O' ] || not_ok "a wide beam: $(cat out)"
        ;;
    *)
        refuses 2 'a beam is for models that search for what they say' "$UNROLL" predict \
            t.safetensors lines.txt --beam 2
        refuses 2 'a beam is for models that search for what they say' "$UNROLL" eval \
            t.safetensors tags.conll --beam 2
        ;;
    esac
    GOING="$TAG $chain --schedule constant --eval-every 10 -q --word-dropout 0.1"
    expect 0 "$UNROLL" train tags.conll $GOING --steps 20 -o part.safetensors --force
    expect 0 "$UNROLL" train tags.conll $GOING --steps 40 -o part.safetensors --resume
    expect 0 "$UNROLL" train tags.conll $GOING --steps 40 -o whole.safetensors --force
    same part.safetensors whole.safetensors
    rm -f t.* part.* whole.*
done
refuses 2 '^unroll: --label-embed belongs to feedback, which is off$' "$UNROLL" train tags.conll \
    --task tag --label-embed 4
refuses 2 '^unroll: --letter-embed belongs to letters, which is off$' "$UNROLL" train texts.tsv \
    --task classify --letter-embed 4
refuses 2 '^unroll: --letter-embed belongs to letters, which is off$' "$UNROLL" train tags.conll \
    --task tag --letter-embed 4 --letters 0
refuses 2 'label-smoothing is for labels that are chosen one by one' "$UNROLL" train tags.conll \
    --task tag --crf --label-smoothing 0.1
refuses 2 'crf and feedback are two ways to choose the labels' "$UNROLL" train tags.conll \
    --task tag --crf --feedback

finish
