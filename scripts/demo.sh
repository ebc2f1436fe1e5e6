#!/bin/sh
# SPDX-License-Identifier: MIT
# The first minute: a net learns C from a snapshot of this project's own source, shows what
# it writes on the way and what one of its units has found out, and ends in a file with the
# same bytes on every machine, demo/demo.safetensors beside the program.
#
#   scripts/demo.sh PROGRAM [CORPUS] [STEPS]
set -eu

# About a minute on two cores. A change of any of these, or of the corpus, needs a new
# demo-hash in README.md.
steps=${3:-6000}
options="--hidden 128 --layers 2 --seq-length 64 --batch 12 --lr 6e-3 --seed 123"

here=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 1 ] || { echo "usage: scripts/demo.sh PROGRAM [CORPUS] [STEPS]" >&2; exit 2; }
case $1 in */*) unroll=$1 ;; *) unroll=./$1 ;; esac
corpus=${2:-demo/corpus.txt.gz}
[ $# -ge 2 ] || [ -f "$corpus" ] || corpus=$here/$corpus
[ -x "$unroll" ] || { echo "demo: $1 is no program: build it first" >&2; exit 1; }
[ -f "$corpus" ] || { echo "demo: $corpus is missing" >&2; exit 1; }

model=$(dirname "$unroll")/demo/demo.safetensors
mkdir -p "$(dirname "$model")"
folder=$(mktemp -d "${TMPDIR:-/tmp}/unroll-demo.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

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
*.gz) gzip -dc "$corpus" >"$folder/text" ;;
*) cp "$corpus" "$folder/text" ;;
esac
characters=$(wc -c <"$folder/text" | tr -d ' ')
title "A net reads $characters characters of C one by one and learns to guess the next."
echo "  $unroll train $corpus --steps $steps $options -o $model"

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
        -o "$model" --force 2>&1 || code=$?
    echo "$code" >"$folder/code"
} | show_training
[ "$(cat "$folder/code")" -eq 0 ] || exit "$(cat "$folder/code")"

title "After all of it, with  $unroll sample $model --prime '/* ' --length 500:"
"$unroll" sample "$model" --prime '/* ' --length 500 | sed 's/^/    /'
echo

# ---- what a unit has found out -------------------------------------------

# Units are judged on more text than is shown.
end=$folder/end.c
tail -n 600 "$folder/text" >"$end"
"$unroll" see "$model" "$end" --find --top 1 --limit 100000 -q >"$folder/found"
best=$(awk '$1 == "comment" || $1 == "string" || $1 == "brace" {
    r = $4 < 0 ? -$4 : $4
    if (r > most) { most = r; best = $1 " " $2 " " $3 " " $4 }
} END { print best }' "$folder/found")
if [ -n "$best" ]; then
    # shellcheck disable=SC2086  # four words
    set -- $best
    case $1 in
    comment) what="whether it stands in a comment" mark='/[*]|^ [*]' ;;
    string) what="whether it stands in a string" mark='"' ;;
    *) what="how deep the braces are nested" mark='[{}]' ;;
    esac
    title "Nobody told it, but unit $3 of layer $2 follows $what (r = $4):"
    if [ -n "$clear" ] && [ -n "$bold" ]; then
        echo "(red: the unit is positive there; blue: negative; white: near 0)"
    else
        echo "(below each line of text, how the unit stands at each character: 1 to 9 is positive,"
        echo "a to i negative, a blank near 0)"
    fi
    echo
    # The 20 lines that have most of both: what the unit follows, and code without it.
    awk -v mark="$mark" '{ line[NR] = $0 }
    $0 ~ mark { with[NR] = 1 } /^    / && $0 !~ mark { without[NR] = 1 }
    END {
        for (i = 1; i + 19 <= NR; i++) {
            x = y = 0
            for (k = i; k < i + 20; k++) { x += with[k]; y += without[k] }
            score = (x < y ? x : y) * 100 + x + y
            if (score > best) { best = score; from = i }
        }
        for (k = from; k < from + 20 && k <= NR; k++) print line[k]
    }' "$end" >"$folder/piece.c"
    "$unroll" see "$model" "$folder/piece.c" --layer "$2" --unit "$3" -q
fi

# ---- the same bits -------------------------------------------------------

if command -v sha256sum >/dev/null 2>&1; then
    hash=$(sha256sum "$model")
elif command -v shasum >/dev/null 2>&1; then
    hash=$(shasum -a 256 "$model")
else
    hash=$(openssl dgst -sha256 -r "$model")
fi
hash=${hash%% *}
wanted=$(sed -n 's/.*demo-hash: *\([0-9a-f]\{64\}\).*/\1/p' "$here/README.md" 2>/dev/null |
    head -n 1) || wanted=''
title "The model is $model. Its SHA-256:"
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
echo "$unroll train YOUR.txt"
