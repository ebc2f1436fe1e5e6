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
