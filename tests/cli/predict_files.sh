#!/bin/sh
# SPDX-License-Identifier: MIT
# Answers to the examples of files: those that eval counts, with labels there or not, in every
# format that training reads; and files that are wrong.
# shellcheck disable=SC2086  # options are lists
. "$(dirname "$0")/lib.inc"

QUICK="--threads 1 --batch 8 --hidden 8 --epochs 4 --lr 0.02 --dropout 0 --val 0 -q"

# bytes: octal numbers, blanks between, as bytes.
bytes() {
    # shellcheck disable=SC2059  # it is all format
    printf "$(awk '{ for (i = 1; i <= NF; i++) printf "\\%s", $i }')"
}

# agrees NAME DATA: the answers are as many as gold has lines, and right as often as eval says; not
# all of them say the same.
agrees() {
    expect 0 "$UNROLL" eval "$1.safetensors" "$2" --json --threads 1
    sed 's/.*"accuracy":\([0-9.e-]*\).*/\1/' out >accuracy
    [ "$(wc -l <answers)" -eq "$(wc -l <gold)" ] ||
        not_ok "$1: $(wc -l <answers) answers to $(wc -l <gold) examples"
    tr ' ' '\n' <gold >gold.each
    tr ' ' '\n' <answers >answers.each
    paste gold.each answers.each | awk -F '\t' -v want="$(cat accuracy)" '
        { n++; right += $1 == $2 }
        END { if (right / n - want > 1e-9 || want - right / n > 1e-9) print right / n, want }' >off
    [ ! -s off ] || not_ok "$1: right and eval's accuracy: $(cat off)"
    [ "$(sort -u answers.each | wc -l)" -gt 1 ] || not_ok "$1: it learnt nothing"
    note "$1: accuracy $(cat accuracy)"
}

# answers WANT COMMAND...: it prints what the file has.
answers() {
    answers_want=$1
    shift
    expect 0 "$UNROLL" predict "$@"
    cmp -s out "$answers_want" || not_ok "predict $*: differs from $answers_want"
}

# ---- data ------------------------------------------------------------------
# Rows rise or fall; one in twelve lies. Texts have a word of their label's.
awk 'BEGIN {
    srand(7)
    print "a,b,c,d,e,f,what" >"named.csv"
    print "text,what" >"texts.csv"
    print "# rising and falling\n@problemName t\n@univariate false" >"s.ts"
    print "@dimensions 2\n@classLabel true up down\n@data" >"s.ts"
    for (i = 0; i < 60; i++) {
        what = i % 2 ? "down" : "up"
        said = i % 12 == 5 ? "up" : what
        row = ""; back = ""
        n = 3 + i % 4
        for (k = 0; k < 6; k++)
            row = row sprintf("%.3f,", (i % 2 ? -k : k) + (i * 7 % 11) / 9)
        print row said >"plain.csv"
        print row said >"named.csv"
        print said "," substr(row, 1, length(row) - 1) >"first.csv"
        print substr(row, 1, length(row) - 1) >"bare.csv"
        one = ""; two = ""
        for (k = 0; k < n; k++) {
            one = one (k ? "," : "") (i % 2 ? -k : k) / 3
            two = two (k ? "," : "") (i * 7 % 11) / 9
        }
        print one ":" two ":" said >"s.ts"
        words = (i % 3 ? "we go " : "they, ") (i % 2 ? "downhill" : "uphill") (i % 5 ? " now" : "")
        print said "\t" words >"t.tsv"
        print words >"t.txt"
        print "\"" words "\"," said >"texts.csv"
        print "\"" words "\"" >"texts.bare.csv"
        print said >"gold.one"
        tags = ""
        for (k = 0; k < n; k++) {
            v = (i * 7 + k * 5) % 11
            tag = k % 3 == 2 ? "N" : v > 5 ? "V" : "N"
            tags = tags (k ? " " : "") tag
            w = v > 5 ? "run" v : "dog" v
            print w "\t" tag >"t.conll"
            print w >"t.bare.conll"
            print k + 1 "\t" w "\t_\t" tag "\tX\t_\t_\t_\t_\t_" >"t.conllu"
            print k + 1 "\t" w "\t_\t_\t_\t_\t_\t_\t_\t_" >"t.bare.conllu"
            print v / 10 " " k / 3 " " tag >"f.frames"
            print v / 10 " " k / 3 >"f.bare.frames"
        }
        print "" >"t.conll"; print "" >"t.bare.conll"
        print "" >"t.conllu"; print "" >"t.bare.conllu"
        print "" >"f.frames"; print "" >"f.bare.frames"
        print tags >"gold.tags"
    }
}'

# ---- numbers ---------------------------------------------------------------
cp gold.one gold
expect 0 "$UNROLL" train plain.csv --task classify --width 2 $QUICK -o plain.safetensors || finish
expect 0 "$UNROLL" predict plain.safetensors plain.csv
cp out answers
agrees plain plain.csv
answers answers plain.safetensors bare.csv
answers answers plain.safetensors plain.csv --column 7
answers answers plain.safetensors bare.csv --column none
answers answers plain.safetensors first.csv --column 1
answers answers plain.safetensors plain.csv --format csv --width 2 --header no
status=0
"$UNROLL" predict plain.safetensors <bare.csv >out 2>err || status=$?
[ "$status" -eq 0 ] && cmp -s out answers || not_ok "standard input: $status $(cat err)"
cat answers answers >twice
answers twice plain.safetensors plain.csv bare.csv
head -n 3 bare.csv >some.csv
head -n 3 answers >want
answers want plain.safetensors some.csv
expect 0 "$UNROLL" predict plain.safetensors some.csv --json --top 2
like='^{"line":"\(up\|down\)","labels":\[{"best":\[{"text":"[a-z]*","p":[0-9.e-]*},{'
[ "$(grep -c "$like" out)" -eq 3 ] || not_ok "--json: $(cat out)"

expect 0 "$UNROLL" train named.csv --task classify --column what --width 3 $QUICK \
    -o named.safetensors
expect 0 "$UNROLL" predict named.safetensors named.csv
cp out answers
agrees named named.csv
{ echo a,b,c,d,e,f; cat bare.csv; } >named.bare.csv
answers answers named.safetensors named.bare.csv
answers answers named.safetensors bare.csv
expect 0 "$UNROLL" train first.csv --task classify --column 1 $QUICK -o first.safetensors
expect 0 "$UNROLL" predict first.safetensors first.csv
cp out answers
agrees first first.csv
answers answers first.safetensors bare.csv

expect 0 "$UNROLL" train s.ts --task classify $QUICK -o ts.safetensors
expect 0 "$UNROLL" predict ts.safetensors s.ts
cp out answers
agrees ts s.ts
sed 's/@classLabel.*/@classLabel false/; s/:[a-z]*$//' s.ts >bare.ts
answers answers ts.safetensors bare.ts
sed 's/:up$/:sideways/; s/@classLabel.*/@classLabel true/' s.ts >other.ts
answers answers ts.safetensors other.ts

# Pictures of 2 by 3, dark above or below; sounds, high or low.
awk 'BEGIN {
    print "000 000 010 003 000 000 000 050 000 000 000 002 000 000 000 003" >"pictures"
    print "000 000 010 001 000 000 000 050" >"labels"
    for (i = 0; i < 40; i++) {
        for (k = 0; k < 6; k++)
            printf "%03o ", (k < 3) == i % 2 ? 200 + (i + k) % 50 : i % 9 >"pictures"
        printf "%03o ", i % 8 == 3 ? 0 : i % 2 >"labels"
        print i % 8 == 3 ? 0 : i % 2 >"gold.pictures"
        name = "s" i ".wav"
        print (i % 2 ? "high" : "low") "\t" name >"list"
        print name >"list.bare"
        print (i % 2 ? "high" : "low") >"gold.sounds"
        if (i % 2) half = 2 + i % 3; else half = 20 + i
        octal = "octal." name
        printf "122 111 106 106 124 001 000 000 127 101 126 105 146 155 164 040 " >octal
        printf "020 000 000 000 001 000 001 000 100 037 000 000 100 037 000 000 " >octal
        printf "001 000 010 000 144 141 164 141 060 001 000 000 " >octal
        for (k = 0; k < 304; k++) printf "%03o ", int(k / half) % 2 ? 96 : 160 >octal
        close(octal)
    }
}'
bytes <pictures >p-images.idx3
bytes <labels >p-labels.idx1
for octal in octal.*; do
    bytes <"$octal" >"${octal#octal.}"
done
cp gold.pictures gold
expect 0 "$UNROLL" train p-images.idx3 --task classify $QUICK --epochs 20 -o idx.safetensors ||
    finish
expect 0 "$UNROLL" predict idx.safetensors p-images.idx3
cp out answers
agrees idx p-images.idx3
cp p-images.idx3 alone
answers answers idx.safetensors alone
expect 0 "$UNROLL" train p-images.idx3 --task classify --scan column $QUICK -o column.safetensors
expect 0 "$UNROLL" predict column.safetensors p-images.idx3
cp out answers
agrees column p-images.idx3
refuses 3 'alone has 3 numbers a step, but the network reads 2' "$UNROLL" predict \
    column.safetensors alone --scan row
# Without memory all of a picture is one step, unless the scan says otherwise.
expect 0 "$UNROLL" train p-images.idx3 --task classify --cell none $QUICK -o whole.safetensors
expect 0 "$UNROLL" info whole.safetensors
has out ' 8,6 '
expect 0 "$UNROLL" predict whole.safetensors alone
cp out answers
agrees whole p-images.idx3
answers answers whole.safetensors alone --scan picture

cp gold.sounds gold
expect 0 "$UNROLL" train list --task classify $QUICK -o wav.safetensors || finish
expect 0 "$UNROLL" predict wav.safetensors list
cp out answers
agrees wav list
answers answers wav.safetensors list.bare
awk '{ print $0 "\tsomebody" }' list.bare >list.groups
answers answers wav.safetensors list.groups
answers answers wav.safetensors $(cat list.bare)
sed 's/100 037 000 000 100 037/200 076 000 000 200 076/' octal.s1.wav | bytes >fast.wav
refuses 3 '16000 samples a second where the files learnt from had 8000' "$UNROLL" predict \
    wav.safetensors fast.wav
head -c 300 s1.wav >cut.wav
refuses 3 'cut.wav: ' "$UNROLL" predict wav.safetensors cut.wav

for chain in "" --crf; do
    cp gold.tags gold
    expect 0 "$UNROLL" train f.frames --format frames --task tag $chain $QUICK -o f.safetensors \
        --force || finish
    expect 0 "$UNROLL" predict f.safetensors f.frames
    cp out answers
    agrees f f.frames
    answers answers f.safetensors f.bare.frames
done

# ---- text ------------------------------------------------------------------
cp gold.one gold
expect 0 "$UNROLL" train t.tsv --task classify --embed 6 $QUICK -o text.safetensors || finish
expect 0 "$UNROLL" predict text.safetensors t.txt
cp out answers
agrees text t.tsv
answers answers text.safetensors t.tsv --format text
grep -q 'looks like' err && not_ok "said of a file whose format is told: $(cat err)"
# Rows that are read as lines are told of.
looks() {
    looks_text=$1
    shift
    expect 0 "$UNROLL" predict "$@"
    if [ "$looks_text" = yes ]; then
        has err '^unroll: the input looks like rows with a label .*: say what it is with format'
    else
        grep -q 'looks like' err && not_ok "$*: $(cat err)"
    fi
}
looks yes text.safetensors t.tsv
looks yes text.safetensors texts.csv
looks no text.safetensors t.txt
looks no text.safetensors texts.bare.csv
head -n 1 t.tsv >one.tsv
looks no text.safetensors one.tsv
answers answers text.safetensors t.txt --format text
answers answers text.safetensors texts.csv --format csv --text-column text
answers answers text.safetensors texts.bare.csv --format csv
answers answers text.safetensors texts.csv --format csv --column what
expect 0 "$UNROLL" train texts.csv --task classify --header yes --embed 6 $QUICK -o csv.safetensors
expect 0 "$UNROLL" predict csv.safetensors texts.csv --format csv
agrees csv texts.csv
{ echo text; cat texts.bare.csv; } >headed.csv
answers answers csv.safetensors headed.csv --format csv

cp gold.tags gold
expect 0 "$UNROLL" train t.conll --task tag --embed 6 --letters 4 $QUICK -o tag.safetensors ||
    finish
awk 'NF { printf "%s%s", s, $1; s = " " } !NF { print ""; s = "" }' t.conll >lines.txt
expect 0 "$UNROLL" predict tag.safetensors lines.txt
cp out answers
agrees tag t.conll
looks yes tag.safetensors t.conll
looks yes tag.safetensors t.conllu
looks no tag.safetensors lines.txt
for file in t.conll t.bare.conll; do
    answers answers tag.safetensors $file --format conll
done
for file in t.conllu t.bare.conllu; do
    answers answers tag.safetensors $file --format conllu
done
awk 'NF { print "x " $1 } !NF' t.conll >two.conll
answers answers tag.safetensors two.conll --format conll --text-column 2

# A tagger labels each word, whatever is to become of those it does not know.
echo 'dog1 unheard dog2' >words.txt
expect 0 "$UNROLL" predict tag.safetensors words.txt --unknown skip
[ "$(wc -w <out)" -eq 3 ] || not_ok "three words have the labels $(cat out)"
has err '^unroll: 1 word of the input is unknown to the model: read as <unk>$'

# ---- other files are measured, too -------------------------------------------
# measures WANT MODEL DATA [OPTIONS]: the figures are those of the file WANT.
measures() {
    measures_want=$1
    shift
    expect 0 "$UNROLL" eval "$@" --json --threads 1
    cmp -s out "$measures_want" || not_ok "eval $*: $(cat out), not $(cat "$measures_want")"
}
figures() {
    expect 0 "$UNROLL" eval "$@" --json --threads 1
    cp out figures
}
figures plain.safetensors plain.csv
measures figures plain.safetensors first.csv --column 1
measures figures plain.safetensors named.csv --column what --header yes --width 2
refuses 3 'first.csv' "$UNROLL" eval plain.safetensors first.csv
figures text.safetensors t.tsv
measures figures text.safetensors texts.csv --text-column text --column what
cp texts.csv texts.table
measures figures text.safetensors texts.table --format csv --text-column text --column what
{ printf 'what\ttext\n'; cat t.tsv; } >headed.tsv
measures figures text.safetensors headed.tsv --header yes
figures idx.safetensors p-images.idx3
cp p-labels.idx1 labels.elsewhere
measures figures idx.safetensors alone --labels labels.elsewhere
refuses 2 '^unroll: --width means nothing for files of format text$' "$UNROLL" eval \
    text.safetensors t.tsv --width 2
refuses 2 'there is no format called "xml"' "$UNROLL" eval text.safetensors t.tsv --format xml
refuses 3 'there is no column "nothing"' "$UNROLL" eval plain.safetensors named.csv \
    --column nothing

# Tokens alone have no other column, whatever training had.
awk 'NF { print "x " $1 " " $2 } !NF' t.conll >three.conll
expect 0 "$UNROLL" train three.conll --task tag --text-column 2 --embed 6 --letters 4 $QUICK \
    -o three.safetensors
answers answers three.safetensors three.conll --format conll
answers answers three.safetensors t.bare.conll --format conll
answers answers three.safetensors t.bare.conll --format conll --text-column 2
refuses 3 't.bare.conll:1: there is no label beside the token' "$UNROLL" train t.bare.conll \
    --format conll --task tag --text-column 2 -q -o no

# ---- what is wrong ---------------------------------------------------------
refuses 2 'there is no format called "xml"' "$UNROLL" predict text.safetensors t.tsv --format xml
refuses 2 '--text-column is for files of examples, .* say what they are with --format' "$UNROLL" \
    predict text.safetensors t.txt --text-column 2
refuses 2 '--width 0.5: ' "$UNROLL" predict plain.safetensors bare.csv --width 0.5
refuses 2 'files of format ts .* have no label a step' "$UNROLL" predict tag.safetensors t.conll \
    --format ts
refuses 3 's.ts holds numbers, but the network reads text' "$UNROLL" predict text.safetensors s.ts \
    --format ts
# Groups part what is learnt from: a file to be labelled or measured need not have them.
awk -F , '{ print "who" NR % 5 "," $0 }' named.csv | sed '1s/^who1/who/' >grouped.csv
expect 0 "$UNROLL" train grouped.csv --task classify --column what --group who $QUICK
expect 0 "$UNROLL" predict grouped.safetensors grouped.csv
mv out wanted
answers wanted grouped.safetensors named.csv
expect 0 "$UNROLL" eval grouped.safetensors named.csv --json
mv out wanted
expect 0 "$UNROLL" eval grouped.safetensors grouped.csv --json
cmp -s out wanted || not_ok "groups that are missing change figures"
refuses 3 'there is no column "who"' "$UNROLL" train named.csv --task classify --group who -o no
# A column that was counted with the label there is none of a table without it.
expect 0 "$UNROLL" train grouped.csv --task classify --column 8 --group 1 -o counted $QUICK
expect 0 "$UNROLL" predict counted.safetensors grouped.csv
mv out wanted
cut -d , -f 1-6 named.csv >alone.csv
answers wanted counted.safetensors alone.csv --column none

refuses 3 'which of 6 columns is the text' "$UNROLL" predict text.safetensors bare.csv --format csv
refuses 3 'bare.csv has 3 numbers a step, but the network reads 2' "$UNROLL" predict \
    plain.safetensors bare.csv --width 3
refuses 3 's.ts has 2 numbers a step, but the network reads 3' "$UNROLL" predict idx.safetensors \
    s.ts --format ts
# What is no text is told at once, however long its first line would be.
if [ -c /dev/zero ]; then
    expect 3 timeout 20 "$UNROLL" predict text.safetensors /dev/zero
    has err '^unroll: /dev/zero: line 1 has a zero byte$'
    expect 3 timeout 20 "$UNROLL" predict text.safetensors /dev/zero --format text
    has err '^unroll: /dev/zero:1: byte 0 is NUL, which no text has$'
fi
refuses 3 'nowhere.csv' "$UNROLL" predict plain.safetensors nowhere.csv
: >empty.csv
refuses 3 'empty.csv: holds no example' "$UNROLL" predict plain.safetensors empty.csv
printf '1,2,3\n' >short.csv
refuses 3 'short.csv:1: 3 fields, where the data to learn from had 7' "$UNROLL" predict \
    plain.safetensors short.csv
printf '1,2,3,4,5,6\n1,2,3,4,x,6\n' >wrong.csv
runs "$UNROLL" predict plain.safetensors wrong.csv
[ "$status" -eq 3 ] && [ "$(wc -l <out)" -eq 1 ] || not_ok "half a file: $status $(cat out)"
has err '^unroll: wrong.csv:2: field 5, "x", is not a number (column, .*)$'
printf '1,2,3,4,5,nan\n' >wrong.csv
refuses 3 'wrong.csv:1: ' "$UNROLL" predict plain.safetensors wrong.csv
printf '1\tdog\t_\tN\n' >wrong.conllu
refuses 3 'wrong.conllu:1: 4 columns' "$UNROLL" predict tag.safetensors wrong.conllu --format conllu
head -c 30 p-images.idx3 >cut.idx3
runs "$UNROLL" predict idx.safetensors cut.idx3
[ "$status" -eq 3 ] || not_ok "a cut picture: status $status"
has err 'cut.idx3: byte 30: the file ends before the sizes that it gives'

# A model that gives no such answers.
text some.txt
expect 0 "$UNROLL" train some.txt --task fill --steps 1 $TINY -o fill.safetensors
refuses 2 '--format: task fill has no such option' "$UNROLL" eval fill.safetensors some.txt \
    --format csv
refuses 2 '--format: task fill has no such option' "$UNROLL" predict fill.safetensors t.txt \
    --format csv

finish
