#!/bin/sh
# SPDX-License-Identifier: MIT
# example.sh PROGRAM: runs an example to its end in an empty folder, on data made here if it reads
# any, and sees that it leaves nothing else behind and has learnt. What the one of docs/FIRST_NET.md
# prints last stands there.
set -u
first_net=$(cd "$(dirname "$0")/.." && pwd)/docs/FIRST_NET.md
folder=$(mktemp -d "${TMPDIR:-/tmp}/unroll-example.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
cd "$folder" || exit 1

fail() {
    echo "$*"
    exit 1
}

# series: rising or falling; frames: of one wave or another; words: what follows "net" hangs on it.
make_data() {
    awk -v kind="$1" 'function draw(n) {
        x = (x * 16807 + 7) % 2147483647
        return int(x / 1000) % n
    }
    BEGIN {
        x = 1
        n = split("the net reads one letter writes more", word, " ")
        if (kind == "series") print "@data"
        for (i = 0; i < 150; i++) {
            steps = 3 + draw(9); way = draw(2); line = ""; last = ""
            for (t = 0; t < steps; t++) {
                if (kind == "series") {
                    line = line (t ? "," : "") (way ? t : -t) / 3 + draw(100) / 80
                } else if (kind == "frames") {
                    if (draw(4) == 0) way = 1 - way
                    print (way ? 1 : -1) + draw(100) / 80, draw(10), (way ? "high" : "low")
                } else {
                    w = word[1 + draw(n)]
                    print w "\t" (w == "net" ? "B-thing" : last == "net" ? "I-thing" : "O")
                    last = w
                }
            }
            print (kind == "series" ? line ":" (way ? "up" : "down") : "")
        }
    }'
}

# Ten pictures of MNIST's size, of one grey each, and their digits.
make_digits() {
    printf '\0\0\010\003\0\0\0\012\0\0\0\034\0\0\0\034'
    head -c 7840 /dev/zero | tr '\0' '\140'
}

# numbers FILE AT: its bytes from there on, one a line.
numbers() {
    od -An -v -tu1 -j"$2" "$1" | tr -s ' ' '\n' | grep .
}

case $1 in
*classify_series) make_data series >data.ts; set -- "$1" data.ts ;;
*tag_frames) make_data frames >data.csv; set -- "$1" data.csv ;;
*tag_words) make_data words >data.conll; set -- "$1" data.conll ;;
*moving_digits)
    make_digits >d-images.idx3
    printf '\0\0\010\001\0\0\0\012\0\1\2\3\4\5\6\7\010\011' >d-labels.idx1
    set -- "$1" d-images.idx3 clips 50 1 ;;
esac
before=$(ls -A)
status=0
said=$("$@") || status=$?
printf '%s\n' "$said" | tail -n 20
[ "$status" -eq 0 ] || exit "$status"
last=$(printf '%s\n' "$said" | tail -n 1)

case $1 in
*classify)
    grep -qxF -- "$last" "$first_net" || fail "docs/FIRST_NET.md does not have: $last" ;;
*classify_series|*tag_frames|*tag_words|*translate|*encoder_decoder|*vector_to_sequence|\
*output_fed_back)
    echo "$last" | awk '/^right: /{ ok = $2 >= 0.9 * $4 } END { exit !ok }' ||
        fail "it has not learnt: $last" ;;
*forecast)
    echo "$last" | awk '{ ok = $1 == "MASE" && $2 > 0 && $2 < 1 && $3 > 60 && $3 < 95 }
                        END { exit !ok }' || fail "it has not learnt: $last" ;;
*lorenz)
    echo "$last" | awk '{ ok = $1 == "valid:" && $2 > 1 && $2 < 20 } END { exit !ok }' ||
        fail "it has not learnt: $last" ;;
*dates)
    iso='[12][09][0-9][0-9]-[01][0-9]-[0-3][0-9]$'
    [ "$(printf '%s\n' "$said" | grep -c "[0-9a-z][^-/0-9a-zA-Z. ]$iso")" -eq 12 ] ||
        fail "no twelve dates" ;;
*moving_digits)
    sizes=$(wc -c clips-* | awk '{ printf "%s ", $1 }')
    [ "$sizes" = "128020 58 512 128590 " ] || fail "the files have $sizes bytes"
    # A header, then directions 0 to 3; digits, of each clip two.
    numbers clips-labels.idx1 8 | sort -u | tr -d '\n' | grep -qx 0123 || fail "directions"
    numbers clips-labels.idx2 12 | awk '{
        changes += NR % 10 != 1 && $1 != last
        last = $1
        if (NR % 10 == 0) { bad += changes != 1; changes = 0 }
    } END { exit bad > 0 || NR != 500 }' || fail "labels of frames"
    rm clips-* ;;
esac
after=$(ls -A)
[ "$before" = "$after" ] || fail "left behind: $after"
