#!/bin/sh
# SPDX-License-Identifier: MIT
# No output is an input's file: each pair of them of each subcommand, the input named as the
# output is, by another path, by a symbolic and by a hard link. --force changes nothing.
# shellcheck disable=SC2086  # TINY and others are lists of options
. "$(dirname "$0")/lib.inc"
text some.txt
expect 0 "$UNROLL" train some.txt $TINY --steps 1 -o lm || finish
expect 0 "$UNROLL" train some.txt $TINY --steps 1 -o fill --task fill --tokens word || finish
echo 'the ___ sat' >gaps.txt

# ---- the table -----------------------------------------------------------
# What train writes or, of an earlier run, removes; and where its log and its result go.
WRITTEN="out.safetensors out.last.safetensors out.state out.state.1 out.state.lock out.state.new
    out.jsonl out.stdout"
# A temporary file of a killed run goes, but not one that is an input: such a run is fine.
SPARED="out.safetensors.tmp-1-0 out.state.tmp-1-0"
# COMMAND CONTENT WORDS...: IN is the input; STDIN says that it comes on standard input. What
# stands beside train's words writes to all of WRITTEN; the others write to standard output.
table() {
    cat <<'ROWS'
train some.txt IN
train some.txt IN some.txt
train some.txt some.txt IN
train some.txt - STDIN
train some.txt some.txt --val IN
train some.txt some.txt --val /dev/stdin STDIN
train lm.safetensors some.txt --init-from IN
train lm.safetensors some.txt --vocab-from IN
sample lm.safetensors IN --length 9
sample some.txt lm.safetensors --length 9 --prime - STDIN
sample some.txt lm.safetensors --length 9 --prime-file IN
eval lm.safetensors IN some.txt
eval some.txt lm.safetensors IN
eval some.txt lm.safetensors some.txt IN
eval some.txt lm.safetensors - STDIN
predict fill.safetensors IN gaps.txt
predict gaps.txt fill.safetensors IN
predict gaps.txt fill.safetensors STDIN
plot some.txt IN
plot some.txt lm.safetensors - STDIN
see lm.safetensors IN some.txt
see some.txt lm.safetensors IN
see some.txt lm.safetensors STDIN
info lm.safetensors IN
ROWS
}

# ---- one pair ------------------------------------------------------------
# other_name WAY FILE: a name of it, in $named.
other_name() {
    case $1 in
    name) named=$2 ;;
    dot) named=./$2 ;;
    folder) named=folder/../$2 ;;
    absolute) named=$(pwd)/$2 ;;
    symbolic) ln -s "$2" symbolic && named=symbolic ;;
    hard) ln "$2" hard && named=hard ;;
    esac
}

# with_input COMMAND...: IN and STDIN in it become $named; standard output is $to.
with_input() {
    from=/dev/null
    n=$#
    while [ "$n" -gt 0 ]; do
        case $1 in
        IN) set -- "$@" "$named" ;;
        STDIN) from=$named ;;
        *) set -- "$@" "$1" ;;
        esac
        shift
        n=$((n - 1))
    done
    status=0
    "$@" >>"$to" 2>err <"$from" || status=$?
}

# pair WAY OUTPUT CONTENT COMMAND...: refused, and the input is as it was.
pair() {
    way=$1
    output=$2
    content=$3
    shift 3
    cp "$content" "$output"
    other_name "$way" "$output"
    to=out
    [ "$output" = out.stdout ] && to=$output
    with_input "$UNROLL" "$@"
    pairs=$((pairs + 1))
    case " $SPARED " in
    *" $output "*)
        [ "$status" -eq 0 ] || not_ok "status $status, $way of $output: $* $(cat err)" ;;
    *)
        [ "$status" -eq 5 ] || not_ok "status $status, $way of $output: $*"
        [ "$(grep -c '^unroll: cannot write .* reads it$\|, which .*read' err)" -eq 1 ] ||
            not_ok "$way of $output, $*: $(cat err)" ;;
    esac
    [ "$(wc -l <err)" -le 1 ] || not_ok "more than one line: $(cat err)"
    same "$content" "$output"
    cmp -s "$content" "$named" || not_ok "$named is another file now: $*"
    rm -f symbolic hard out out.*
}

# ---- all of them ---------------------------------------------------------
mkdir folder
pairs=0
while read -r command content words; do
    for way in name dot folder absolute symbolic hard; do
        if [ "$command" != train ]; then
            pair "$way" out.stdout "$content" "$command" $words
            continue
        fi
        for output in $WRITTEN $SPARED; do
            pair "$way" "$output" "$content" train $words $TINY --steps 1 -o out --log out.jsonl \
                --force
        done
        [ "$way" = name ] || continue
        pair "$way" out.state "$content" train $words $TINY --steps 1 -o out --resume
        pair "$way" out.state "$content" train $words $TINY --steps 1 -o out
        pair "$way" out.jsonl "$content" train $words $TINY --steps 1 -o out --log out.jsonl
        pair "$way" out.state "$content" train $words $TINY --steps 1 -o out --dry-run --force
    done
done <<EOT
$(table)
EOT
note "$pairs pairs of an input and an output"
[ "$pairs" -gt 500 ] || not_ok "only $pairs pairs"

# The output by other names, the input by its own.
ln -s . here
for output in $WRITTEN; do
    [ "$output" = out.stdout ] || [ "$output" = out.jsonl ] ||
        pair name "$output" some.txt train IN $TINY --steps 1 -o here/out --force
done
for way in dot folder absolute symbolic hard; do
    cp some.txt data
    other_name "$way" data
    refuses 5 'cannot write .* which this run reads' "$UNROLL" train data $TINY --steps 1 -o out \
        --log "$named" --force
    same some.txt data
    rm -f symbolic hard data
done

# ---- nothing is forgotten ------------------------------------------------
"$UNROLL" --help >help
sed -n 's/^  \([a-z]*\) .*/\1/p' help | grep -v '^unroll$' | while read -r command; do
    case $command in bench | completion) continue ;; esac     # they read no file
    table | grep -q "^$command " || echo "$command"
    "$UNROLL" "$command" --help | sed -n 's/^ *\(-., \)*--\([a-z-]*\) [^ ]*\(FILE\|MODEL\).*/\2/p'
done | sort -u >files
printf '%s\n' attention init-from log output prime-file val vocab-from | cmp -s - files ||
    not_ok "commands or options of files that the table lacks: $(cat files)"

# ---- two outputs ---------------------------------------------------------
for output in $WRITTEN; do
    case $output in out.jsonl | out.stdout) continue ;; esac
    refuses 5 "cannot write the log to here/$output: the run itself writes out" "$UNROLL" train \
        some.txt $TINY --steps 1 -o out --log "here/$output" --force
    [ ! -e "$output" ] || not_ok "the log is $output"
done
for output in $WRITTEN; do
    case $output in out.jsonl | out.stdout) continue ;; esac
    status=0
    "$UNROLL" train some.txt $TINY --steps 1 -o out --json --force >"$output" 2>err || status=$?
    [ "$status" -eq 5 ] || not_ok "the result goes to $output: status $status"
    has err "cannot write $output: standard output goes there"
    status=0
    "$UNROLL" train some.txt $TINY --steps 1 -o out --force 2>"$output" || status=$?
    [ "$status" -eq 5 ] || not_ok "messages go to $output: status $status"
    has "$output" 'standard error goes there'
    rm -f "$output"
done
# A log that goes on goes on with a run, or is one.
for kept in '' '{"kind":"start"}' 'my thesis' '{"kinds":1}'; do
    printf '%s' "$kept" >mine
    status=0
    "$UNROLL" train some.txt $TINY --steps 1 -o out --resume --log mine 2>err || status=$?
    case $kept in
    '' | *kind\"*) [ "$status" -eq 0 ] || not_ok "a log that goes on: $status, $(cat err)" ;;
    *)
        [ "$status" -eq 5 ] || not_ok "a log over $kept: status $status"
        has err 'log mine exists and is no log of training'
        [ "$(cat mine)" = "$kept" ] || not_ok "mine is $(cat mine)" ;;
    esac
    rm -f out.* mine
done
ln -s out.state new.jsonl
refuses 5 'cannot write the log to new.jsonl' "$UNROLL" train some.txt $TINY -o out --log new.jsonl

# ---- what is no file -----------------------------------------------------
mkfifo pipe
refuses 5 'cannot write the model to folder: it is a folder' "$UNROLL" train some.txt -o folder
refuses 5 'cannot write the model to pipe: it is a device or pipe' "$UNROLL" train some.txt -o pipe
refuses 5 'cannot write the model to /dev/null: ' "$UNROLL" train some.txt -o /dev/null --force
mkfifo p.state
refuses 5 'cannot write p.state: it is not a regular file' "$UNROLL" train some.txt -o p --force
rm p.state

# ---- what stays allowed --------------------------------------------------
expect 0 "$UNROLL" train some.txt $TINY --steps 1 -o null --log /dev/null --val some.txt
cat pipe >lines &
expect 0 "$UNROLL" train some.txt $TINY --steps 1 -o piped --log pipe
wait
has lines '"kind":"end"'
status=0
"$UNROLL" train some.txt $TINY --steps 1 -o err --log /dev/stderr 2>err || status=$?
[ "$status" -eq 0 ] || not_ok "a log on standard error: status $status, $(cat err)"
has err '"kind":"start"' '"kind":"end"'
"$UNROLL" train some.txt $TINY --steps 1 -o out --json --log all >all 2>err || status=$?
[ "$status" -eq 0 ] || not_ok "a log and a result in one file: status $status, $(cat err)"
has all '^{"kind":"start"' '^{"kind":"end"' '^{.*"model":'

finish
