#!/bin/sh
# SPDX-License-Identifier: MIT
# Models of words: trained, resumed, sampled, measured, looked at.
# shellcheck disable=SC2086  # SMALL is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt
SMALL="--tokens wordpunct --embed 12 --hidden 16 --layers 1 --batch 4 --seq-length 16 --threads 1"

# ---- train -----------------------------------------------------------------
expect 0 "$UNROLL" train some.txt $SMALL --steps 40 -o m.safetensors --log m.log || finish
has err '^network  cell lstm, hidden 16, layers 1, ' \
    '^data     12,005 words for training, 1,333 held out, 22 different$' \
    '^unknown  0.00 % of the training words, 0.00 % of those held out' \
    'val [0-9.]*  perplexity [0-9.]*  ' 'best validation perplexity'
has m.log '"bpc":null' '"val_bpc":null' '"train_unknown":0,'
expect 0 "$UNROLL" train some.txt $SMALL --steps 40 -o twin.safetensors --threads 2
same m.safetensors twin.safetensors
GOING="$SMALL --schedule constant --eval-every 10"
expect 0 "$UNROLL" train some.txt $GOING --steps 20 -o part.safetensors
expect 0 "$UNROLL" train some.txt $GOING --steps 40 -o part.safetensors --resume
expect 0 "$UNROLL" train some.txt $GOING --steps 40 -o whole.safetensors
same part.safetensors whole.safetensors
same part.last.safetensors whole.last.safetensors
refuses 2 'min_count was 2 and is 3 now' "$UNROLL" train some.txt $GOING --steps 60 -q \
    -o part.safetensors --resume --min-count 3
refuses 2 'min-count belongs to words, not to tokens char' "$UNROLL" train some.txt --min-count 3
refuses 3 'no word occurs 9000 times' "$UNROLL" train some.txt $SMALL -q --min-count 9000 -o n
refuses 2 'tokens char contradicts vocab-from, a vocabulary of tokens wordpunct: leave one' \
    "$UNROLL" train some.txt --tokens char --vocab-from m.safetensors -q -o n
expect 0 "$UNROLL" train some.txt $SMALL --steps 1 --vocab-from m.safetensors -q -o own
printf ' \n \n' >blank.txt
refuses 3 . "$UNROLL" train blank.txt $SMALL -q -o n
printf 'the cat\377 sat' >broken.txt
refuses 3 'broken.txt: malformed UTF-8 at byte 7' "$UNROLL" train broken.txt $SMALL -q -o n

# Words of the held-out part are no reason to know them.
{ head -n 900 some.txt; yes 'rare words' | head -n 100; } >ends.txt
expect 0 "$UNROLL" train ends.txt $SMALL --steps 2 --val 0.05 -o ends.safetensors
has err 'unknown  0.0[0-9]* % of the training words, [1-6][0-9].* % of those held out' ||
    cat err
expect 0 "$UNROLL" train some.txt $SMALL --steps 2 --val ends.txt -o val.safetensors

# Each way from words into the net.
n=0
for options in "--tokens word --tie --hidden 12" "--tokens word --hidden 9" \
    "--tokens wordpunct --hidden 9,7 --tie --dropout 0.2" "--tokens word --embed 5 --cell gru"; do
    n=$((n + 1))
    expect 0 "$UNROLL" train some.txt --batch 4 --seq-length 16 --threads 1 -q \
        --steps 3 $options -o "net$n.safetensors" || note "    options: $options"
    expect 0 "$UNROLL" sample "net$n.safetensors" --length 20
done

# ---- sample ----------------------------------------------------------------
expect 0 "$UNROLL" sample m.safetensors --length 400
[ ! -s err ] || not_ok "sample talks: $(cat err)"
grep -q '<unk>' out && not_ok "<unk> is drawn"
grep -q '  \| $\|^ \| [.;)]\|( ' out && not_ok "spaces stand where none belong: $(cat out)"
grep -q '[a-z] [a-z]' out || not_ok "no spaces between words"
cp out first
expect 0 "$UNROLL" sample m.safetensors --length 400 --threads 2
same out first
expect 0 "$UNROLL" sample m.safetensors --prime 'the cat' --length 3
has out '^the cat[ .(;]'
[ ! -s err ] || not_ok "a known prime is talked of: $(cat err)"
expect 0 "$UNROLL" sample m.safetensors --prime 'the cat ' --length 3
grep -q 'cat  ' out && not_ok "two spaces behind the prime"
expect 0 "$UNROLL" sample m.safetensors --prime 'the unicorn saw zebras' --length 3
[ "$(cat err)" = "unroll: 2 words of the prime are unknown to the model: read as <unk>" ] ||
    not_ok "unknown words of the prime: $(cat err)"
has out '^the unicorn saw zebras'
expect 0 "$UNROLL" sample m.safetensors --prime 'the unicorn' --length 3 -q
[ ! -s err ] || not_ok "-q is not quiet: $(cat err)"
refuses 2 'malformed UTF-8' "$UNROLL" sample m.safetensors --prime "$(printf 'a\377')"
expect 0 "$UNROLL" sample m.safetensors --stop ' cat' --length 5000
[ "$(tail -c 4 out)" = ' cat' ] || not_ok "--stop: ends with $(tail -c 4 out)"
# Inside words and across them; what follows in the last word is not printed.
for stop in 'at' 'a' 't s' 'o' '. ' '.
'; do
    expect 0 "$UNROLL" sample m.safetensors --stop "$stop" --length 5000
    [ ! -s err ] || not_ok "--stop '$stop' is said not to be possible: $(cat err)"
    printf '%s' "$stop" >stop
    tail -c "$(size stop)" out >tail
    same stop tail
    [ "$(size out)" -lt 5000 ] || not_ok "--stop '$stop' never came"
    case $stop in
    *"
"*) ;;
    *)
        head -c $(($(size out) - 1)) out | grep -qF -e "$stop" &&
            not_ok "--stop '$stop' came before"
        ;;
    esac
done
for stop in 'cat  sat' ' .' 'unicorn' 'cta' ' \n'; do
    expect 0 "$UNROLL" sample m.safetensors --stop "$stop" --escape --length 50
    has err '^unroll: this model can never write the --stop text'
done
expect 0 "$UNROLL" sample m.safetensors --prime 'the unicorn cat' --length 3 --unknown skip
[ "$(cat err)" = "unroll: 1 word of the prime is unknown to the model: skipped" ] ||
    not_ok "--unknown skip: $(cat err)"
sed 's/^the unicorn cat//' out >rest
expect 0 "$UNROLL" sample m.safetensors --prime 'the cat' --length 3
sed 's/^the cat//' out >want
same rest want
refuses 2 '1 word is unknown to the model: unicorn$' "$UNROLL" sample m.safetensors \
    --prime 'the unicorn' --unknown error
expect 0 "$UNROLL" sample m.safetensors --json --prime 'the' --length 5
json out prime text n seed
has out '"n":5'

# ---- eval ------------------------------------------------------------------
for protocol in stream window; do
    expect 0 "$UNROLL" eval m.safetensors some.txt --part val --protocol $protocol --json
    json out loss bpc perplexity accuracy unk n
    has out '"bpc":null' '"unk":0.0,'
done
printf 'the dog sat on a mat\n' >unknown.txt
expect 0 "$UNROLL" eval m.safetensors unknown.txt
has out 'nats a word' '^perplexity' '^unknown      16.67 % of the words' '^predictions  6'
grep -q 'bits' out && not_ok "bits of words: $(cat out)"

# ---- info, see -------------------------------------------------------------
expect 0 "$UNROLL" info m.safetensors
has out '^tokens  *word[a-z]*, 22 different$' '^vocabulary   <unk> </s> ' '  min_count  *2$'
expect 0 "$UNROLL" info m.safetensors --json
json out vocabulary vocabulary_text
has out '"vocabulary":22,"vocabulary_text":\["<unk>","</s>",' '"tokens":"wordpunct"'
head -n 40 some.txt >look.txt
expect 0 "$UNROLL" see m.safetensors look.txt --unit 1 --color never
has out '^[a-z ]* *("yes") {};$\|^[a-z ]*\.$'
[ "$(grep -c 'yes' out)" -eq "$(grep -c 'yes' look.txt)" ] || not_ok "see loses text"
expect 0 "$UNROLL" see m.safetensors look.txt --unit 1 --json --limit 7
[ "$(tr -cd , <out | wc -c)" -eq 8 ] || not_ok "--limit 7: $(cat out)"
expect 0 "$UNROLL" see m.safetensors look.txt --find
has out '^quotes ' '^paren '

# ---- files -----------------------------------------------------------------
whole=$(size m.safetensors)
for part in 1 100 1000 $((whole - 1)); do
    head -c "$part" m.safetensors >cut.safetensors
    refuses 3 'cut.safetensors' "$UNROLL" info cut.safetensors
done
for change in 's/\\"home\\"/\\"ho e\\"/' 's/\\"home\\"/\\"some\\"/' 's/\\"<unk>\\"/\\"<unc>\\"/' \
    's/\\"words\\"/\\"codes\\"/' 's/\\"home\\"/\\"\\u0007\\"/'; do
    LC_ALL=C sed "$change" m.safetensors >bad.safetensors
    refuses 3 'bad.safetensors' "$UNROLL" sample bad.safetensors
done

# Words that the model does not know, when it is measured.
printf 'the cat sat\nthe zebra sat zebra\n' >zebra.txt
printf 'the cat sat\nthe sat\n' >without.txt
text seen.txt
expect 0 "$UNROLL" train seen.txt $TINY --tokens word --steps 5 -o seen.safetensors
expect 0 "$UNROLL" eval seen.safetensors zebra.txt
has out '^unknown  ' && [ ! -s err ] || not_ok "eval of unknown words: $(cat out err)"
expect 0 "$UNROLL" eval seen.safetensors zebra.txt --unknown skip
has err '^unroll: 2 words of zebra.txt are unknown to the model: skipped$'
cp out skipped
expect 0 "$UNROLL" eval seen.safetensors without.txt
same out skipped
refuses 3 'zebra.txt: 2 words are unknown to the model, the first: [a-z]*$' \
    "$UNROLL" eval seen.safetensors zebra.txt --unknown error

finish
