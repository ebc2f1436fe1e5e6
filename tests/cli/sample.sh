#!/bin/sh
# SPDX-License-Identifier: MIT
# Sampling: the prime, the length, the ends, and nothing but text on stdout.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
text some.txt
expect 0 "$UNROLL" train some.txt $TINY --steps 60 -o m.safetensors || finish

expect 0 "$UNROLL" sample m.safetensors
[ "$(size out)" -eq 2000 ] || not_ok "$(size out) characters instead of 2000"
[ ! -s err ] || not_ok "sample talks: $(cat err)"
cp out first
expect 0 "$UNROLL" sample m.safetensors --seed 123 --temperature 1 --top-k 0 --top-p 1
same out first
expect 0 "$UNROLL" sample m.safetensors --seed 124
cmp -s out first && not_ok "another seed draws the same"
expect 0 "$UNROLL" sample m.safetensors --threads 2
same out first

# The prime is printed and the length comes on top of it.
expect 0 "$UNROLL" sample m.safetensors --prime 'the cat' --length 10
[ "$(size out)" -eq 17 ] || not_ok "prime and length make $(size out)"
has out '^the cat'
cp out primed
expect 0 "$UNROLL" sample m.safetensors -primetext 'the cat' -length 10
same out primed
printf 'the cat' | "$UNROLL" sample m.safetensors --prime - --length 10 >out || not_ok "--prime -"
same out primed
expect 0 "$UNROLL" sample m.safetensors --prime 'the cat' --length 0
[ "$(cat out)" = 'the cat' ] || not_ok "length 0: $(cat out)"

# Greedy drawing needs no seed.
expect 0 "$UNROLL" sample m.safetensors --temperature 0 --length 50 --seed 1 --prime t
cp out greedy
expect 0 "$UNROLL" sample m.safetensors --temperature 0 --length 50 --seed 2 --prime t
same out greedy
expect 0 "$UNROLL" sample m.safetensors --top-k 1 --length 50 --prime t
same out greedy

# --stop looks at what is drawn, not at the prime.
expect 0 "$UNROLL" sample m.safetensors --stop 't' --prime 'that cat sat' --length 5000
[ "$(size out)" -lt 5000 ] && [ "$(size out)" -gt 12 ] || not_ok "--stop: $(size out) characters"
[ "$(tail -c 1 out)" = t ] || not_ok "--stop: ends with $(tail -c 1 out)"

# Short spellings.
expect 0 "$UNROLL" sample m.safetensors --prompt 'the cat' -n 10
same out primed
expect 0 "$UNROLL" sample m.safetensors -p 'the cat' --length=10
same out primed

# The prime from a file, and with escapes.
printf 'the\ncat' >prime.txt
expect 0 "$UNROLL" sample m.safetensors --prime-file prime.txt -n 10
cp out primed
printf 'the\ncat' | gzip >prime.gz
for way in '--prime-file prime.gz' '--escape --prime the\ncat' \
    '--escape --prime \x74\u0068e\ncat'; do
    # shellcheck disable=SC2086
    expect 0 "$UNROLL" sample m.safetensors $way -n 10
    same out primed
done
"$UNROLL" sample m.safetensors --prime-file - -n 10 <prime.txt >out || not_ok "--prime-file -"
same out primed
refuses 2 'use one of them' "$UNROLL" sample m.safetensors --prime a --prime-file prime.txt
refuses 3 'nowhere' "$UNROLL" sample m.safetensors --prime-file nowhere
for bad in '\q' 'a\' '\x4' '\xg0' '\u12' '\ud800' '\ud800\u0041' '\udc00'; do
    refuses 2 '^unroll: --prime: ".*" is not an escape' "$UNROLL" sample m.safetensors -p "$bad" \
        --escape
done
refuses 2 '^unroll: --stop: "\\q" is not an escape' "$UNROLL" sample m.safetensors \
    --escape --stop '\q'
refuses 2 'character U+1F600 at byte 1\|(U+1F600) at byte 1' "$UNROLL" sample m.safetensors \
    --escape -p 'a\ud83d\ude00'
expect 0 "$UNROLL" sample m.safetensors --escape --stop '.\n' --length 5000
[ "$(tail -c 2 out | od -An -tx1 | tr -d ' ')" = 2e0a ] || not_ok "--stop with an escape"
expect 0 "$UNROLL" sample m.safetensors --stop '.\n' --length 50
has err '^unroll: this model can never write the --stop text'
[ "$(size out)" -eq 50 ] || not_ok "a stop that cannot be: $(size out)"
expect 0 "$UNROLL" sample m.safetensors --stop 'the' --length 50
[ ! -s err ] || not_ok "a stop that can be: $(cat err)"

# Characters that the model does not know.
refuses 2 '"X" (U+0058) at byte 1' "$UNROLL" sample m.safetensors --prime 'tXheX'
refuses 2 '"X" (U+0058) at byte 1' "$UNROLL" sample m.safetensors --prime 'tXheX' --unknown error
expect 0 "$UNROLL" sample m.safetensors --prime 'tXheX' --unknown skip -n 20
[ "$(cat err)" = 'unroll: 2 characters of the prime are unknown to the model: skipped' ] ||
    not_ok "--unknown skip: $(cat err)"
has out '^tXheX'
sed 's/^tXheX//' out >rest
expect 0 "$UNROLL" sample m.safetensors --prime the -n 20
sed 's/^the//' out >want
same rest want
expect 0 "$UNROLL" sample m.safetensors --prime 'tXhe' --unknown replace -n 20
[ "$(cat err)" = 'unroll: 1 character of the prime is unknown to the model: read as a space' ] ||
    not_ok "--unknown replace: $(cat err)"
sed 's/^tXhe//' out >rest
expect 0 "$UNROLL" sample m.safetensors --prime 't he' -n 20
sed 's/^t he//' out >want
same rest want
refuses 2 'malformed UTF-8 at byte 1' "$UNROLL" sample m.safetensors --unknown skip \
    --prime "$(printf 'a\377')"

# Seeds: all numbers of 64 bits, or a random one that is said.
refuses 2 'from 0 to 18446744073709551615, or random' "$UNROLL" sample m.safetensors \
    --seed 18446744073709551616
expect 0 "$UNROLL" sample m.safetensors --seed 18446744073709551615 --json -n 5
has out '"seed":"18446744073709551615"'
expect 0 "$UNROLL" sample m.safetensors --seed random -n 100
cp out first
seed=$(sed -n 's/^unroll: seed \([0-9]*\)$/\1/p' err)
expect 0 "$UNROLL" sample m.safetensors --seed "$seed" -n 100
same out first
[ ! -s err ] || not_ok "a seed that was chosen is said: $(cat err)"
expect 0 "$UNROLL" sample m.safetensors --seed random -n 100
cmp -s out first && not_ok "random seeds are equal"

# Several texts: those of the seeds one after the other.
expect 0 "$UNROLL" sample m.safetensors --num-samples 3 --seed 7 -n 40 -p the
cp out three
for seed in 7 8 9; do
    echo "--- seed $seed ---"
    "$UNROLL" sample m.safetensors --seed $seed -n 40 -p the | sed '$a\'
done >want
same three want
expect 0 "$UNROLL" sample m.safetensors --num-samples 3 --seed 7 -n 40 --json
[ "$(grep -c '^{.*"seed":[789]}$' out)" -eq 3 ] || not_ok "--num-samples --json: $(cat out)"
sed -n 2p out >second
json second prime text n seed
expect 0 "$UNROLL" sample m.safetensors --seed 8 -n 40 --json
same out second

# Filters: off by default, and they do what they say.
expect 0 "$UNROLL" sample m.safetensors -n 100
cp out first
expect 0 "$UNROLL" sample m.safetensors -n 100 --min-p 0 --repetition-penalty 1
same out first
expect 0 "$UNROLL" sample m.safetensors -n 50 --min-p 1 --prime t
same out greedy
expect 0 "$UNROLL" sample m.safetensors -n 100 --repetition-penalty 2
cmp -s out first && not_ok "a penalty changes nothing"
refuses 2 '--min-p 1.1: must be' "$UNROLL" sample m.safetensors --min-p 1.1
refuses 2 '--repetition-penalty 0: must be a number above 0' "$UNROLL" sample m.safetensors \
    --repetition-penalty 0

# A reader that goes away is no failure, and nothing is said.
for times in 1 2 3; do
    { "$UNROLL" sample m.safetensors --length 3000000 2>err; echo $? >code; } | head -n 1 >out
    [ "$(cat code)" -eq 0 ] || not_ok "| head: status $(cat code), time $times"
    [ ! -s err ] || not_ok "| head: $(cat err)"
done

expect 0 "$UNROLL" sample m.safetensors --json --prime 'the' --length 5
json out prime text n seed

# Characters of several bytes stay whole, also where a byte model is cut off.
awk 'BEGIN { for (i = 0; i < 4000; i++) printf "%s", i % 3 ? "é→" : "𝄞 x\n" }' >wide.txt
if [ "$(printf 'é' | wc -c)" -eq 2 ]; then
    expect 0 "$UNROLL" train wide.txt $TINY --steps 5 -o wide.safetensors
    expect 0 "$UNROLL" sample wide.safetensors --length 300
    if command -v iconv >/dev/null 2>&1; then
        iconv -f UTF-8 -t UTF-8 out >/dev/null 2>&1 || not_ok "no UTF-8"
    fi
fi

finish
