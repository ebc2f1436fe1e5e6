#!/bin/sh
# SPDX-License-Identifier: MIT
# Impossible options: status 2, one line that names the option and what it must be.
. "$(dirname "$0")/lib.inc"
text some.txt

wrong() {
    pattern=$1
    shift
    refuses 2 "$pattern" "$UNROLL" train some.txt "$@"
}

wrong '--batch 0: must be a whole number from 1 to' --batch 0
wrong '--batch x: must be a whole number' --batch x
wrong '--batch 3.5: must be a whole number' --batch=3.5
wrong '--batch : must be' --batch ''
wrong '--batch 0x10: must be' --batch 0x10
wrong '--hidden 0: must be' --hidden 0
wrong '--hidden 1,,2: must be' --hidden 1,,2
wrong '--hidden 16,-1: must be' --hidden 16,-1
wrong '--hidden 99999999999999999999: must be' --hidden 99999999999999999999
wrong '--layers 33: must be a whole number from 1 to 32' --layers 33
wrong 'hidden lists 2 layers but layers is 3' --hidden 16,8 --layers 3
wrong '--dropout 1: must be a number of at least 0 and below 1' --dropout 1
wrong '--dropout nan: must be' --dropout nan
wrong '--lr 0: must be a number above 0' --lr 0
wrong '--lr inf: must be' --lr inf
wrong '--lr 1,5: must be' --lr 1,5
wrong '--epochs 0: must be' --epochs 0
wrong '--steps -1: must be a whole number of at least 0' --steps -1
wrong '--time 10x: must be a time such as 90s, 10m or 2h' --time 10x
wrong '--time 0: must be a time' --time 0
wrong '--cell lstmm: must be one of rnn|lstm|gru|none' --cell lstmm
wrong '--cell ls: must be one of' --cell ls
wrong '--tokens line: must be one of byte|char|word|wordpunct' --tokens line
wrong 'min-count belongs to words, not to tokens char' --min-count 3
wrong '--best accurcy: task lm is ranked by loss, bpc, perplexity, accuracy$' --best accurcy
wrong '^unroll: --cell rnn has no norm layer$' --cell rnn --norm layer
wrong '^unroll: --best n: task lm is ranked by' --best n
wrong '--task tell: must be one of lm' --task tell
wrong '--optimizer: must be\|--optimizer adamx: must be one of' --optimizer adamx
wrong '--threads 2000: must be' --threads 2000
wrong '--val 1: must be a share' --val 1
wrong '--val -0.1: must be a share' --val -0.1
wrong 'cell lstm has no option reset' --reset before
wrong 'cell gru has no option activation' --cell gru --activation relu
wrong 'cell rnn has no option forget-bias' --cell rnn --forget-bias 1
wrong 'tie needs embed 16' --hidden 16 --tie --embed 8
wrong '--resume continues' --resume --force
wrong '--output must be the name of a file' -o -
wrong '--output must be the name of a file' -o folder/

refuses 2 '--temperature -1: must be' "$UNROLL" sample m --temperature -1
refuses 2 '--top-p 0: must be a number above 0 and at most 1' "$UNROLL" sample m --top-p 0
refuses 2 '--top-k -3: must be' "$UNROLL" sample m --top-k -3
refuses 2 '--length -3: must be' "$UNROLL" sample m --length -3
refuses 2 '--newlines keep: must be unix$' "$UNROLL" eval m d --newlines keep
refuses 2 '--part: must be\|--part best: must be one of all|val|test' "$UNROLL" eval m d --part best
refuses 2 '--unit cannot be combined with --find' "$UNROLL" see m d --unit 3 --find
refuses 2 '--follow nothing: must be one of' "$UNROLL" see m d --follow nothing
refuses 2 '--seconds 0: must be' "$UNROLL" bench --seconds 0

# Nothing was made on the way.
[ "$(find . -name '*.safetensors' | wc -l)" -eq 0 ] || not_ok "a model was written"

# An instruction set that is not there is said, not replaced in silence.
refuses 2 'nonsense' env UNROLL_ISA=nonsense "$UNROLL" info

finish
