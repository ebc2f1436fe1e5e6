#!/bin/sh
# SPDX-License-Identifier: MIT
# Manual pages: nothing of --help is missing in them, and formatters find no fault.
. "$(dirname "$0")/lib.inc"
LC_ALL=C.UTF-8
export LC_ALL

# plain FILE: roff's escapes for single characters undone.
plain() {
    sed -e 's/\\f[BIR]//g' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\(ti/~/g' -e 's/\\&//g' \
        -e 's/\\e/\\/g' "$1"
}

# after NAME FILE: the section of that name.
after() {
    awk -v name=".SH $1" '/^\.SH / { on = $0 == name; next } on' "$2"
}

expect 0 "$UNROLL" --help
commands=$(sed -n '/^usage:/,$ s/^  \([a-z][a-z]*\) .*/\1/p' out)
n=$(printf '%s\n' "$commands" | wc -l)
[ "$n" -ge 6 ] || not_ok "only $n commands in --help"

# ---- each page says what --help says -------------------------------------
mkdir pages
options=0
for command in $commands; do
    page=pages/unroll-$command.1
    expect 0 "$UNROLL" help --man "$command" || continue
    [ ! -s err ] || not_ok "$command: the page comes with $(cat err)"
    cp out "$page"
    plain "$page" >text
    expect 0 "$UNROLL" "$command" --help
    # "  -o, --output MODEL.safetensors  where ..." -> the option as it is written
    sed -n 's/^  \(\(-., \)\{0,1\}--[a-z-]*\( [^ ]\{1,\}\)\{0,1\}\).*/\1/p' out >names
    while read -r option; do
        options=$((options + 1))
        [ "$(sed '/^.SS With --/,$d' text | grep -cxF -e "$option")" -eq 1 ] ||
            not_ok "$command: $option has no entry of its own"
    done <names
    [ "$(wc -l <names)" -ge 4 ] || not_ok "$command: $(wc -l <names) options"
    # Every default and every example, too.
    sed -n 's/^  .*(\([^()]*\))$/(default \1)/p' out | while read -r shown; do
        tr '\n' ' ' <text | grep -qF -e "$shown" || echo "$command: no $shown"
    done >missing
    [ ! -s missing ] || not_ok "$(cat missing)"
    sed -n '/^usage:/q; s/^  //p' out >examples
    after EXAMPLES text | grep -v '^\.' >shown
    same examples shown
    for name in $commands; do
        [ "$name" = "$command" ] || after 'SEE ALSO' text | grep -q "unroll-$name (1)" ||
            not_ok "$command does not see $name"
    done
    # In the order that readers know.
    grep '^\.SH ' "$page" | grep -v FILES | tr '\n' ' ' >order
    echo '.SH NAME .SH SYNOPSIS .SH DESCRIPTION .SH EXAMPLES .SH OPTIONS' \
        '.SH EXIT STATUS .SH ENVIRONMENT .SH SEE ALSO ' | tr -d '\n' >wanted
    same order wanted
done
note "$n pages, $options options"

# Options of other tasks: each row that is new or says something else, and which are not there.
page=pages/unroll-train.1
plain $page | sed '/^.SH EXIT/,$d' | sed '/^.PP$/d' >text
rows() {
    sed -n 's/^  \(\(-., \)\{0,1\}--[a-z-]*\( [^ ]\{1,\}\)\{0,1\}\).*/\1/p' "$1"
}
"$UNROLL" train --help >usual
for task in fill classify tag; do
    sed -n "/^.SS With --task $task\$/,/^.S[SH] With --task/p" text >section
    "$UNROLL" train --task $task --help >other
    rows usual >usual.rows
    rows other | while read -r option; do
        grep -qxF -e "$option" usual.rows || grep -qxF -e "$option" section || echo "$option"
    done >missing
    [ ! -s missing ] || not_ok "$task: no entry of $(cat missing)"
    sed -n 's/.*--\([a-z-]*\).*/\1/p' usual.rows >usual.names
    rows other | sed 's/.*--\([a-z-]*\).*/\1/' >other.names
    grep -vxFf other.names usual.names | while read -r option; do
        grep -q "^--$option[,.]\$" section || echo "$option"
    done >missing
    [ ! -s missing ] || not_ok "$task: not said to be absent: $(cat missing)"
done
sed -n '/^.SS With --task tag$/,$p' text | tr '\n' ' ' >section
has section '--layers N recurrent layers (default 1)' '--lr X learning rate (default 3e-3)'

expect 0 "$UNROLL" help --man
cp out pages/unroll.1
plain out >text
for command in $commands; do
    has text "^$command\\( \\|\$\\)" "unroll-$command (1)"
done
for page in pages/*.1; do
    plain "$page" >text
    after 'EXIT STATUS' text | sed -n 's/^\.BI* \([0-9]*\).*/\1/p' | tr '\n' ' ' >codes
    [ "$(cat codes)" = '0 1 2 3 4 5 6 128 ' ] || not_ok "$page: exit status $(cat codes)"
    for name in UNROLL_ISA NO_COLOR 'TERM, COLORTERM' COLUMNS; do
        after ENVIRONMENT text | grep -q "^\\.B $name\$" || not_ok "$page: no $name"
    done
    # The same page again, for builds that can be compared.
    name=$(basename "$page" .1)
    name=${name#unroll}
    expect 0 "$UNROLL" help ${name:+"${name#-}"} --man
    same out "$page"
done

# ---- nothing is taken for roff -------------------------------------------
for page in pages/*.1; do
    # A line begins with a dot only for a request, and has no bare dash or quote.
    grep -v '^\.' "$page" | grep -n "^'" && not_ok "$page: a line begins with a quote"
    grep '^\.' "$page" | grep -Ev '^\.(TH|SH|SS|TP|PP|B|BI|BR|I|RS|RE|EX|EE)( |$)' &&
        not_ok "$page: a request that is none"
    sed -e 's/\\-//g' -e '/^\.TH /d' "$page" | grep -n -- '-' && not_ok "$page: a bare dash"
    LC_ALL=C grep -n '[^ -~]' "$page" && not_ok "$page: not ASCII"
done

# ---- words of help that ask for none -------------------------------------
refuses 2 'did you mean train?' "$UNROLL" help --man trian
refuses 2 'nothing more' "$UNROLL" help --man train sample

# ---- formatters ----------------------------------------------------------
if command -v mandoc >/dev/null 2>&1; then
    for page in pages/*.1; do
        mandoc -Tlint -W warning "$page" >faults || true
        [ ! -s faults ] || not_ok "mandoc: $(cat faults)"
    done
    mandoc -Tascii pages/unroll-train.1 | sed 's/.\x08//g' >shown
    has shown '^ *--hidden N\[,N\.\.\.\]' 'unroll train src/\*.c -o c' '^ *-o, --output MODEL.safe'
else
    note "mandoc is not installed: its warnings are not looked at"
fi
if command -v groff >/dev/null 2>&1 && echo .TH X 1 | groff -man -Tutf8 >/dev/null 2>&1; then
    for page in pages/*.1; do
        groff -ww -man -Tutf8 -z "$page" 2>faults || not_ok "groff: status $? for $page"
        [ ! -s faults ] || not_ok "groff: $(cat faults)"
    done
else
    note "groff is not installed: its warnings are not looked at"
fi

finish
