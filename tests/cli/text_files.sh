#!/bin/sh
# SPDX-License-Identifier: MIT
# Text files as other systems write them, and files that are no text: in every reader.
. "$(dirname "$0")/lib.inc"
text lf.txt
awk '{ printf "%s\r\n", $0 }' lf.txt >crlf.txt
mark() { printf '\357\273\277'; cat "$1"; }
mark lf.txt >bom.txt
mark crlf.txt >both.txt
awk '{ gsub(/./, "&@"); printf "%s\n@", $0 }' lf.txt | tr @ '\000' >wide.txt     # UTF-16LE
run="$TINY --steps 3"

# ---- training ------------------------------------------------------------
# shellcheck disable=SC2086  # options are lists
{
    expect 0 "$UNROLL" train lf.txt $run -o lf || finish
    expect 0 "$UNROLL" train bom.txt $run -o bom
    expect 0 "$UNROLL" train crlf.txt ${run% -q*} --steps 3 -o crlf
    has err 'crlf.txt: 1000 line ends are CRLF and kept as they are; --newlines unix'
    expect 0 "$UNROLL" train both.txt ${run% -q*} --steps 3 -o unix --newlines unix
    grep -q 'line end' err && not_ok "line ends are told that were wished away: $(cat err)"
    expect 0 "$UNROLL" train lf.txt $run -o words --tokens word --task fill --newlines unix
    expect 0 "$UNROLL" train bom.txt $run -o bytes --tokens byte
    refuses 2 'newlines' "$UNROLL" train crlf.txt $run -o no --tokens byte --newlines unix
    refuses 2 'newlines' "$UNROLL" train crlf.txt $run -o no --newlines mac
}
vocabulary() { "$UNROLL" info "$1.safetensors" | sed -n 's/^tokens .*, \([0-9]*\) .*/\1/p'; }
known=$(vocabulary lf)
for model in bom unix; do
    [ "$(vocabulary $model)" = "$known" ] || not_ok "$model: another vocabulary than lf"
done
[ "$(vocabulary crlf)" -eq $((known + 1)) ] || not_ok "crlf: CR is no token"
[ "$(vocabulary bytes)" -eq $((known + 3)) ] || not_ok "bytes: a mark's bytes are not taken"
expect 0 "$UNROLL" info unix.safetensors
has out '^  newlines  *unix$'
# The weights: all but the metadata in front, which holds the files' sizes.
weights() { tail -c 4000 "$1.safetensors"; }
for model in bom unix; do
    weights $model >a
    weights lf >b
    same a b
done
expect 0 "$UNROLL" train both.txt ${run% -q*} --steps 5 -o unix --newlines unix --resume
expect 0 "$UNROLL" train lf.txt $run -o v --val bom.txt
expect 0 "$UNROLL" train both.txt $run -o v2 --val lf.txt --newlines unix
refuses 2 'newlines was "unix"' "$UNROLL" train both.txt $run --steps 7 -o unix --resume \
    --newlines keep

# ---- measuring -----------------------------------------------------------
measures() {
    expect 0 "$UNROLL" eval "$@" --json && mv out "$out"
}
out=a measures lf.safetensors lf.txt
out=b measures lf.safetensors bom.txt
same a b
refuses 3 'U+000D.*--newlines unix' "$UNROLL" eval lf.safetensors crlf.txt
out=b measures lf.safetensors both.txt --newlines unix
same a b
out=a measures unix.safetensors lf.txt
out=b measures unix.safetensors crlf.txt
same a b
out=b measures unix.safetensors both.txt --part val
expect 0 "$UNROLL" train crlf.txt $run -o crlf --force
out=b measures crlf.safetensors crlf.txt

# ---- looking, sampling, filling ------------------------------------------
head -n 2 lf.txt >few.txt
head -n 2 both.txt >foreign.txt
for input in few foreign; do
    expect 0 "$UNROLL" see unix.safetensors $input.txt --layer 0 --unit 0 && mv out see.$input
    "$UNROLL" sample unix.safetensors --prime - --length 20 <$input.txt >sample.$input ||
        not_ok "sample after $input"
    sed 's/cat/___/' $input.txt | "$UNROLL" predict words.safetensors - >predict.$input ||
        not_ok "predict $input"
done
same see.few see.foreign
same sample.few sample.foreign
same predict.few predict.foreign
expect 0 "$UNROLL" sample unix.safetensors --prime "$(printf 'the cat\nsat')" -n 20 && mv out lf
expect 0 "$UNROLL" sample unix.safetensors --prime "$(printf 'the cat\r\nsat')" -n 20 && same out lf
expect 0 "$UNROLL" sample unix.safetensors --escape --prime 'the cat\r\nsat' -n 20 && same out lf

# ---- files of other kinds ------------------------------------------------
printf 'BZh91AY&SY\224\345' >a.bz2
printf '\3757zXZ\000\000\004' >a.xz
printf '\050\265\057\375\044' >a.zst
printf 'PK\003\004\024\000\000\000' >a.zip
tar -cf a.tar lf.txt
gzip -c a.tar >a.tar.gz
# foreign FILE WHAT ADVICE
foreign() {
    # shellcheck disable=SC2086
    refuses 3 "$1: looks like $2, .*$3" "$UNROLL" train $run -o no "$1"
    grep -q 'token kind byte' err && not_ok "$1: bytes are no remedy: $(cat err)"
    [ ! -e no.safetensors ] || not_ok "$1: a model was written"
    rm -f no.*
    # shellcheck disable=SC2086
    refuses 3 "$2" "$UNROLL" train $run -o no lf.txt --val "$1"
    refuses 3 "$2" "$UNROLL" eval lf.safetensors "$1"
    refuses 3 "$2" "$UNROLL" see lf.safetensors "$1"
    refuses 3 "$2" "$UNROLL" predict words.safetensors "$1"
    status=0
    "$UNROLL" sample lf.safetensors --prime - <"$1" >out 2>err || status=$?
    [ "$status" -eq 3 ] || not_ok "$1 as a prime: status $status"
    has err "standard input: looks like $2"
    # What was asked for: bytes.
    # shellcheck disable=SC2086
    expect 0 "$UNROLL" train lf.txt "$1" ${run% -q*} --steps 1 -o as_bytes --tokens byte --force
    has err "$1: looks like $2"
}
foreign wide.txt UTF-16 'iconv -f UTF-16LE -t UTF-8'
foreign a.bz2 bzip2 'bzip2 -dc FILE | unroll'
foreign a.xz xz 'xz -dc FILE | unroll'
foreign a.zst zstd 'zstd -dc FILE | unroll'
foreign a.zip zip 'unzip -p FILE | unroll'
foreign a.tar tar 'tar -xOf FILE | unroll'
with_gzip && foreign a.tar.gz tar 'tar -xOf FILE | unroll'
finish
