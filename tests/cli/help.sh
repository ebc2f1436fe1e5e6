#!/bin/sh
# SPDX-License-Identifier: MIT
# What --help says, and what is said to who misspells.
. "$(dirname "$0")/lib.inc"

expect 0 "$UNROLL" --help
has out '^  unroll train shakespeare.txt$' '^usage: unroll COMMAND' '^  sample MODEL ' '^  bench '
expect 0 "$UNROLL" help
expect 2 "$UNROLL"
has err '^usage: unroll COMMAND'
[ ! -s out ] || not_ok "unroll alone prints on stdout"

expect 0 "$UNROLL" --version
grep -Eq '^unroll [0-9]+\.[0-9]+\.[0-9]+$' out || not_ok "version: $(cat out)"

expect 0 "$UNROLL" help train
cp out help.train
expect 0 "$UNROLL" train --help
same out help.train
[ ! -s err ] || not_ok "train --help prints on stderr"
# Examples come before options, options in groups with their defaults.
awk '/unroll train shakespeare.txt/ { example = NR } /^usage:/ { usage = NR }
     /^network$/ { group = NR } END { exit !(example < usage && usage < group) }' out ||
    not_ok "examples, usage, groups: not in this order"
has out '^  --cell rnn|lstm|gru|none .*(lstm)$' '^  --layers N .*(2)$' \
    '^  --seq-length N .*(64)$' '^  --batch N .*(4 to 64 by the data)$' '^  --epochs X ' \
    '^  --lr X .*(5e-3)$' '^  --task lm|fill|classify|tag|[a-z|]*$' \
    ' lm: predict the next token; fill: ' \
    '^  --seed N ' '^  -o, --output MODEL' '^  -q, --quiet' '--rnn-size for --hidden'
for absent in bidirectional residual; do
    grep -q -e "--$absent" out && not_ok "--$absent is not built, but --help has it"
done
# Each task lists what it has.
"$UNROLL" train --help --task fill >out
has out '^  --tokens .*' '(word)$' 'twice the last layer' && ! grep -e --sample-every out ||
    not_ok "--task fill --help lists another task's options"
# The defaults are the task's, the examples too; plain help says where those of others are.
"$UNROLL" train --help >out
has out "^These are the options and defaults of --task lm. For those of another: " \
    '--task fill|classify|tag|[a-z|]* --help$'
grep -q '^  --pool ' out && not_ok "plain help has another task's options"
has out '^  unroll train reviews.tsv --task classify$' '^  --dropout P .*' 'decoder (0)$'
expect 0 "$UNROLL" train --task tag --help
cp out help.tag
has out '^unroll train --task tag: tell the label of each step$' \
    '^usage: unroll train --task tag \[OPTIONS\] DATA\.\.\.$' 'decoder (0.4)$' \
    '^  --layers N .*(1)$' '^  --crf ' '^  --lr X .*(3e-3)$' '^  --batch N .*(8 to 32 by the' \
    'options and defaults of --task tag' '^  unroll train train.conllu --task tag ' '^data$'
grep -e 'shakespeare.txt\|--task classify$' out && not_ok "--task tag --help has others' examples"
for way in "train --help --task tag" "train --task=tag --help" "help train --task tag" \
    "help train --task=tag" "train --task lm --task tag -h"; do
    # shellcheck disable=SC2086
    expect 0 "$UNROLL" $way
    same out help.tag
done
expect 0 "$UNROLL" train --task lm --help
same out help.train
for command in eval predict; do     # their own options do not stand among those of files
    "$UNROLL" $command --help | sed -n '/^files of examples$/,/^all$/p' >out
    has out '^  --format NAME'
    grep -e "--threads\|--copy-unknown" out && not_ok "$command: no options of files"
done
refuses 2 '--task nosuch: must be one of lm|fill|classify|tag|[a-z|]*$' \
    "$UNROLL" train --task nosuch --help
refuses 2 '--task nosuch: must be one of' "$UNROLL" help train --task nosuch
refuses 2 'nothing more' "$UNROLL" help eval --task tag
"$UNROLL" train --help >out
longest=$(awk '{ if (length($0) > n) n = length($0) } END { print n }' out)
[ "$longest" -le 80 ] || not_ok "a line of --help has $longest columns"

for command in sample eval predict plot see info bench; do
    expect 0 "$UNROLL" "$command" --help
    has out "^unroll $command: " "^usage: unroll $command" '^  --json ' '^  -h, --help '
    expect 0 "$UNROLL" "$command" --version
    has out '^unroll [0-9]'
done
"$UNROLL" sample --help >out
has out '(2000)$' '^  --temperature X' '^  -p, --prime TEXT' \
    '^  -n, --length N' '--primetext and --prompt for --prime'
expect 0 "$UNROLL" train nowhere.txt --hidden 3 --help

# Commands.
refuses 2 'did you mean train?' "$UNROLL" trian x.txt
refuses 2 'did you mean sample?' "$UNROLL" smaple
refuses 2 'see unroll --help' "$UNROLL" frobnicate
refuses 2 'unroll --help' "$UNROLL" --hidden 3
refuses 2 'did you mean eval?' "$UNROLL" help evla
echo text >some.txt
refuses 2 'unroll train some.txt' "$UNROLL" some.txt

# Options.
refuses 2 'unknown option --hiden: did you mean --hidden?' "$UNROLL" train x.txt --hiden 3
refuses 2 'did you mean --hidden-size?' "$UNROLL" train x.txt --hidden-sise=3
refuses 2 'did you mean --seq-length?' "$UNROLL" train x.txt -seq_lenght 3
refuses 2 'did you mean --temperature?' "$UNROLL" sample m --temp 0.5
refuses 2 'see unroll sample --help' "$UNROLL" sample m --frobnicate
refuses 2 'unknown option -x' "$UNROLL" sample m -x
refuses 2 'train needs DATA' "$UNROLL" train
refuses 2 'sample needs MODEL' "$UNROLL" sample
refuses 2 'eval needs MODEL DATA' "$UNROLL" eval model
refuses 2 'takes MODEL and nothing more' "$UNROLL" sample a b
refuses 2 'bench takes options and nothing more' "$UNROLL" bench x
refuses 2 '--batch needs a value' "$UNROLL" train x.txt --batch
refuses 2 '--output needs a value' "$UNROLL" train x.txt -o --force
refuses 2 '--json takes no value' "$UNROLL" info --json=yes

finish
