#!/bin/sh
# SPDX-License-Identifier: MIT
# File names and texts that a terminal would obey, or that are no UTF-8: nothing of them
# reaches it, and what is printed for programs stays JSON.
# shellcheck disable=SC2086  # TINY is a list of options
. "$(dirname "$0")/lib.inc"
LC_ALL=C
export LC_ALL
escape=$(printf '\033')
text some.txt

# harmless FILE: no control character but line feeds and tabs, no mark of direction, nothing
# that is invisible.
harmless() {
    if tr -d '\n\t' <"$1" | grep -q "$(printf '[\001-\037\177]')"; then
        not_ok "control characters in $1: $(od -c "$1" | head -n 20)"
    fi
    grep -q -e "$(printf '\302[\200-\237\255]')" -e "$(printf '\342\200[\213-\217\250-\256]')" \
        -e "$(printf '\342\201[\240-\257]')" -e "$(printf '\357\273\277')" "$1" &&
        not_ok "invisible characters in $1: $(od -c "$1" | head -n 20)"
    if command -v iconv >/dev/null 2>&1; then
        iconv -f UTF-8 -t UTF-8 "$1" >/dev/null 2>&1 || not_ok "$1 is no UTF-8"
    fi
}

# Escape, bell, C1, right-to-left override, isolate, zero width, BOM, stray bytes.
odd=$(printf 'a\033]0;x\007b\302\233c\342\200\256d\342\201\246e\342\200\213f\357\273\277g\377h')
if ! : >"$odd" 2>/dev/null; then
    note "this file system has no such names"
    exit 77
fi
rm "$odd"
cp some.txt "$odd.txt"

# ---- every command, with the name where it is read, written and missing ---
expect 0 "$UNROLL" train "$odd.txt" --hidden 16 --layers 1 --batch 4 --steps 20 --threads 1 \
    --sample-every 10 -o "$odd.safetensors" --log "$odd.log"
harmless err
has err '^wrote    a.*h.safetensors after' "^next     .* sample \\\$'a\\\\033"
# The hint can be pasted into shells that have $'...'.
if command -v bash >/dev/null 2>&1; then
    sed -n 's/^next     //p' err >next
    bash -c "$(cat next) --length 5" >out 2>err || not_ok "the hint fails: $(cat next) $(cat err)"
fi
cp "$odd.safetensors" m.safetensors
cp m.safetensors "$odd"
for command in "train -o m2 $TINY --steps 1" sample eval predict see info; do
    set -- $command
    case $1 in
    train) runs "$UNROLL" "$@" "$odd.missing" ;;
    eval) runs "$UNROLL" "$@" "$odd.missing" some.txt ;;
    *) runs "$UNROLL" "$@" "$odd.missing" ;;
    esac
    [ "$status" -eq 3 ] && [ "$(wc -l <err)" -eq 1 ] || not_ok "$1: status $status, $(cat err)"
    harmless err
done
for command in "predict $odd" "eval m.safetensors $odd.missing" "see m.safetensors $odd.missing" \
    "train some.txt -o m.safetensors" "sample m.safetensors --prime-file $odd.missing" \
    "$odd" "train --$odd" "train some.txt --cell $odd" "help $odd"; do
    IFS='
'
    # shellcheck disable=SC2046
    set -- $(printf '%s\n' "$command" | tr ' ' '\n')
    unset IFS
    runs "$UNROLL" "$@"
    [ "$status" -ne 0 ] && [ "$(wc -l <err)" -eq 1 ] || not_ok "$command: $status $(cat err)"
    harmless err
done
expect 0 "$UNROLL" info "$odd"
harmless out
has out '^model        a.*h$'
expect 0 "$UNROLL" train "$odd.txt" $TINY --steps 20 -o "$odd.new" --dry-run
harmless out
harmless err
expect 5 "$UNROLL" train "$odd.txt" $TINY --steps 20 -o "$odd.safetensors"
harmless err

# ---- JSON ----------------------------------------------------------------
expect 0 "$UNROLL" info "$odd" --json
harmless out
json out model model_hex
name=$(printf '%s' "$odd" | od -An -v -tx1 | tr -d ' \n')
has out "\"model_hex\":\"$name\"" '"model":"a\\u001b\]0;x\\u0007b\\u009bc\\u202ed'
expect 0 "$UNROLL" train "$odd.txt" $TINY --steps 5 -o "$odd.2" --json --log -
harmless out
tail -n 1 out >last
json last model model_hex
expect 0 "$UNROLL" info m.safetensors --json
grep -q model_hex out && not_ok "a plain name is told twice"

# ---- texts ---------------------------------------------------------------
{ cat some.txt; for i in 1 2 3 4 5 6 7 8; do printf '%s\n' "$odd" | tr -d '\377'; done; } >wild.txt
for tokens in char wordpunct byte; do
    expect 0 "$UNROLL" train wild.txt $TINY --min-count 1 --steps 2 --tokens wordpunct -o wild \
        --force
    [ $tokens = wordpunct ] || expect 0 "$UNROLL" train wild.txt $TINY --steps 2 \
        --tokens $tokens -o wild --force
    expect 0 "$UNROLL" info wild.safetensors
    harmless out
    expect 0 "$UNROLL" info wild.safetensors --json
    harmless out
    json out vocabulary_text
    expect 0 "$UNROLL" see wild.safetensors wild.txt --unit 0 --color never --limit 100000
    harmless out
    expect 0 "$UNROLL" sample wild.safetensors --json --length 500
    harmless out
    json out text
done
runs "$UNROLL" sample m.safetensors --prime "$odd"
harmless err
runs "$UNROLL" sample m.safetensors --prime "$(printf 'a\342\200\256')"
harmless err
has err 'character U+202E at byte 1'
expect 0 "$UNROLL" train wild.txt --hidden 16 --layers 1 --batch 4 --threads 1 --steps 30 \
    --tokens byte --sample-every 1 -o shown --log shown.log
harmless err
harmless shown.log

finish
