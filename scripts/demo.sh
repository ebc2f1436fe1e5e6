#!/bin/sh
# SPDX-License-Identifier: MIT
# The first minute: a net learns C from a snapshot of this project's own source, shows what
# it writes on the way and what one of its units has found out, and ends in a file with the
# same bytes on every machine.
#
#   scripts/demo.sh PROGRAM [CORPUS] [STEPS]
set -eu

# About a minute on two cores. A change of any of these, or of the corpus, needs a new
# demo-hash in README.md.
steps=${3:-6000}
options="--hidden 128 --layers 2 --seq-length 64 --batch 12 --lr 6e-3 --seed 123"

here=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 1 ] || { echo "usage: scripts/demo.sh PROGRAM [CORPUS] [STEPS]" >&2; exit 2; }
unroll=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
corpus=${2:-$here/demo/corpus.txt.gz}
[ -x "$unroll" ] || { echo "demo: $1 is no program: build it first" >&2; exit 1; }
[ -f "$corpus" ] || { echo "demo: $corpus is missing" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/unroll-demo.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp "$corpus" "$folder/"
corpus=$(basename "$corpus")
cd "$folder"

bold='' plain='' clear=''
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
    clear=$(printf '\r\033[K')
    [ -n "${NO_COLOR:-}" ] || { bold=$(printf '\033[1m'); plain=$(printf '\033[0m'); }
fi

title() {
    printf '\n%s%s%s\n\n' "$bold" "$*" "$plain"
}

# ---- it learns -----------------------------------------------------------

case $corpus in
*.gz) gzip -dc "$corpus" >text ;;
*) cp "$corpus" text ;;
esac
characters=$(wc -c <text | tr -d ' ')
title "A net reads $characters characters of C one by one and learns to guess the next."
echo "  unroll train $corpus --steps $steps $options -o demo.safetensors"

# Reads what the training says: lines of the start, then a text each hundredth of the way,
# of which the first and the tenth are shown.
every=$((steps / 100))
[ "$every" -gt 0 ] || every=1
show_training() {
    shown=no
    while IFS= read -r line; do
        case $line in
        "--- step "*)
            at=${line#--- step }
            at=${at%%/*}
            [ -z "$clear" ] || printf '%s  %d %%' "$clear" $((at * 100 / steps))
            shown=no
            if [ "$at" -eq "$every" ] || [ "$at" -eq $((every * 10)) ]; then
                shown=yes
                printf '%s' "$clear"
                title "After $((at * 100 / steps)) % of the training it writes:"
            fi
            ;;
        ---) shown=no ;;
        "unroll: "*) printf '%s%s\n' "$clear" "$line" >&2 ;;
        "network "* | "data "* | "training "*) echo "  $line" ;;
        *) [ "$shown" = no ] || printf '    %s\n' "$line" ;;
        esac
    done
    printf '%s' "$clear"
}

echo
# shellcheck disable=SC2086  # options is a list
{
    code=0
    "$unroll" train "$corpus" --steps "$steps" --sample-every "$every" $options \
        -o demo.safetensors 2>&1 || code=$?
    echo "$code" >code
} | show_training
[ "$(cat code)" -eq 0 ] || exit "$(cat code)"

title "After all of it, with  unroll sample demo.safetensors --prime '/* ' --length 500:"
"$unroll" sample demo.safetensors --prime '/* ' --length 500 | sed 's/^/    /'
echo

# ---- what a unit has found out -------------------------------------------

# Units are judged on more text than is shown.
tail -n 600 text >end
"$unroll" see demo.safetensors end --find --top 1 --limit 100000 -q >found
best=$(awk '$1 == "comment" || $1 == "string" || $1 == "brace" {
    r = $4 < 0 ? -$4 : $4
    if (r > most) { most = r; best = $1 " " $2 " " $3 " " $4 }
} END { print best }' found)
if [ -n "$best" ]; then
    # shellcheck disable=SC2086  # four words
    set -- $best
    case $1 in
    comment) what="whether it stands in a comment" ;;
    string) what="whether it stands in a string" ;;
    *) what="how deep the braces are nested" ;;
    esac
    title "Nobody told it, but unit $3 of layer $2 follows $what (r = $4):"
    # The 24 lines that have most of everything.
    awk '{ line[NR] = $0 }
    /\/\*/ { a[NR] = 1 } /"/ { b[NR] = 1 } /[{}]/ { c[NR] = 1 }
    END {
        for (i = 1; i + 23 <= NR; i++) {
            x = y = z = 0
            for (k = i; k < i + 24; k++) { x += a[k]; y += b[k]; z += c[k] }
            low = x < y ? x : y
            low = z < low ? z : low
            score = low * 100 + x + y + z
            if (score > best) { best = score; from = i }
        }
        for (k = from; k < from + 24 && k <= NR; k++) print line[k]
    }' end >piece.c
    "$unroll" see demo.safetensors piece.c --layer "$2" --unit "$3" -q
fi

# ---- the same bits -------------------------------------------------------

if command -v sha256sum >/dev/null 2>&1; then
    hash=$(sha256sum demo.safetensors)
elif command -v shasum >/dev/null 2>&1; then
    hash=$(shasum -a 256 demo.safetensors)
else
    hash=$(openssl dgst -sha256 -r demo.safetensors)
fi
hash=${hash%% *}
wanted=$(sed -n 's/.*demo-hash: *\([0-9a-f]\{64\}\).*/\1/p' "$here/README.md" 2>/dev/null |
    head -n 1) || wanted=''
title "The model's SHA-256"
echo "  here       $hash"
if [ -n "$wanted" ]; then
    echo "  README.md  $wanted"
    if [ "$hash" = "$wanted" ]; then
        echo "  the same bits"
    else
        echo "  not the same bits: another corpus, other options, or a machine without FMA"
    fi
else
    echo "  README.md has no demo-hash to compare it with"
fi
title "Now yours:"
echo "unroll train YOUR.txt"
